//! Recordings written anew: slices, merged and repaired ones, tables as AWS's extractor lays them out.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{drive, fails, prints, roadreel, rows, text};
use crate::data::data;
use crate::ros1::{BROKEN, WHOLE, second_opinion};

fn cat(path: &Path, more: &[&str]) -> Vec<Value> {
    let mut arguments = vec!["cat", text(path), "--json"];
    arguments.extend(more);
    prints(&arguments)
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

fn info(path: &Path) -> Value {
    serde_json::from_str(&prints(&["info", text(path), "--json"])).expect("JSON")
}

/// A slice holds the messages of its span, and chunks inside it are the same bytes.
#[test]
fn a_slice_holds_what_lies_in_its_span() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("slice.bag");
    let output = roadreel(&["export", text(drive()), "-o", text(&out), "--start", "+0.5", "--end", "+2.0"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && told.contains("chunks as they were"), "{told}");
    assert_eq!(cat(&out, &[]), cat(drive(), &["--start", "+0.5", "--end", "+2.0"]));
    let of = |path: &Path| info(path)["compression"].clone();
    assert!(of(&out)["lz4"].as_u64() > Some(2), "{}", of(&out));
    let start = info(drive())["start_ns"].as_i64().expect("a time");
    let theirs = second_opinion(&out);
    assert_eq!(theirs.len(), cat(&out, &[]).len());
    assert!(
        theirs
            .iter()
            .all(|m| (500_000_000..=2_000_000_000).contains(&(m.time_nanos - start)))
    );
    assert!(prints(&["check", text(&out), "--json"]).contains("\"indexed\":true"));
}

#[test]
fn topics_are_picked_and_chunks_recompressed() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("imu.bag");
    prints(&[
        "export",
        text(drive()),
        "-o",
        text(&out),
        "--topic",
        "/imu_raw",
        "--compression",
        "bz2",
    ]);
    assert_eq!(cat(&out, &[]), cat(drive(), &["--topic", "/imu_raw"]));
    let told = info(&out);
    assert_eq!(
        (&told["topics"].as_array().map(Vec::len), &told["compression"]["lz4"]),
        (&Some(1), &Value::Null),
        "{told}"
    );
    assert!(fails(&["export", text(drive()), "-o", text(&out), "--topic", "/nothing"]).contains("there is no topic /nothing"));
}

/// Slices put together are the whole again.
#[test]
fn slices_merge() {
    let folder = tempfile::tempdir().expect("a folder");
    let [first, second, whole] = ["1.bag", "2.bag", "whole.bag"].map(|name| folder.path().join(name));
    let end = info(drive())["start_ns"].as_i64().expect("a time") + 1_200_000_000;
    prints(&["export", text(drive()), "-o", text(&first), "--end", &end.to_string()]);
    prints(&["export", text(drive()), "-o", text(&second), "--start", &(end + 1).to_string()]);
    prints(&["export", text(&second), text(&first), "-o", text(&whole)]);
    let plain = |path: &Path| {
        let mut all: Vec<String> = cat(path, &[])
            .iter()
            .map(|m| format!("{} {} {}", m["time_ns"], m["topic"], m["message"]))
            .collect();
        all.sort();
        all
    };
    assert_eq!(plain(&whole), plain(drive()));
}

/// Recorders differ in how they write a connection; copied chunks hold it as theirs did.
#[test]
fn bags_of_other_recorders_are_copied_soundly() {
    for name in WHOLE {
        let Some(path) = data(&format!("ros1/{name}")) else { return };
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("copy.bag");
        prints(&["export", text(&path), "-o", text(&out)]);
        assert!(prints(&["check", text(&out), "--json"]).contains("\"problems\":[]"), "{name}");
        assert!(second_opinion(&out) == second_opinion(&path), "{name}");
    }
}

/// What the index says of a connection is damaged: its chunks say it, too.
#[test]
fn a_topic_is_described_by_whichever_record_is_whole() {
    for name in ["embag_test_2020-08.bag", "tilt_laser_many_chunks_64k.bag"] {
        let Some(path) = data(&format!("ros1/{name}")) else { return };
        let folder = tempfile::tempdir().expect("a folder");
        let [damaged, out] = ["damaged.bag", "repaired.bag"].map(|name| folder.path().join(name));
        let mut bytes = fs::read(&path).expect("a bag");
        let field = b"message_definition=";
        let at = bytes
            .windows(field.len())
            .rposition(|window| window == field)
            .expect("a connection");
        bytes[at - 4..at + field.len()].fill(b'#');
        fs::write(&damaged, bytes).expect("written");
        assert_eq!(cat(&damaged, &[]), cat(&path, &[]), "{name}");
        let output = roadreel(&["export", text(&damaged), "-o", text(&out)]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && told.contains("is no list of fields"), "{name}: {told}");
        assert!(second_opinion(&out) == second_opinion(&path), "{name}");
    }
}

/// A bag without an index, and one that is cut: what is written has an index, and what was lost is told.
#[test]
fn damaged_bags_are_repaired() {
    for (name, messages) in BROKEN {
        let Some(path) = data(&format!("ros1/{name}")) else { return };
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("repaired.bag");
        let output = roadreel(&["export", text(&path), "-o", text(&out)]);
        assert!(output.status.success());
        let told = info(&out);
        assert_eq!(
            (&told["indexed"], told["messages"].as_u64() >= Some(messages as u64)),
            (&json!(true), true),
            "{name}: {told}"
        );
        assert_eq!(second_opinion(&out).len() as u64, told["messages"].as_u64().unwrap_or(0));
        let losses = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(losses.contains("warning:"), "{name}: {losses}");
    }
}

/// Bytes of a chunk that are lost are told, and what can be read is written so that it can be.
#[test]
fn damage_inside_of_a_chunk_is_not_handed_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let (damaged, out) = (folder.path().join("damaged.bag"), folder.path().join("repaired.bag"));
    let mut bytes = fs::read(drive()).expect("a file");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 20_000].fill(0);
    fs::write(&damaged, bytes).expect("a file");
    let output = roadreel(&["export", text(&damaged), "-o", text(&out)]);
    assert!(output.status.success());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("warning:") && told.contains("LZ4"), "{told}");
    let check = roadreel(&["check", text(&out)]);
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
    let (left, all) = (info(&out)["messages"].as_u64(), info(drive())["messages"].as_u64());
    assert!(left < all && left > all.map(|all| all / 2), "{left:?} of {all:?}");
}

#[test]
fn a_recording_is_not_written_over_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = folder.path().join("own.bag");
    fs::copy(drive(), &own).expect("a copy");
    let told = fails(&["export", text(&own), "-o", text(&own), "--end", "+0.1"]);
    assert!(told.contains("would take the place of the recording"), "{told}");
    assert_eq!(fs::read(&own).expect("a file"), fs::read(drive()).expect("a file"));
}

#[test]
fn mcap_files_hold_the_same_messages() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("drive.mcap");
    prints(&[
        "export",
        text(drive()),
        "-o",
        text(&out),
        "--topic",
        "/imu_raw",
        "--topic",
        "/tf_static",
    ]);
    let bytes = fs::read(&out).expect("a file");
    let messages: Vec<_> = mcap::MessageStream::new(&bytes)
        .expect("an index")
        .map(|m| m.expect("a message"))
        .collect();
    let theirs: Vec<(String, u64)> = messages.iter().map(|m| (m.channel.topic.clone(), m.log_time)).collect();
    let ours = cat(drive(), &["--topic", "/imu_raw", "--topic", "/tf_static"]);
    let ours: Vec<(String, u64)> = ours
        .iter()
        .map(|m| {
            (
                m["topic"].as_str().unwrap_or_default().to_owned(),
                m["time_ns"].as_u64().unwrap_or(0),
            )
        })
        .collect();
    assert_eq!(theirs, ours);
    assert!(
        messages
            .iter()
            .all(|m| m.channel.message_encoding == "ros1" && m.channel.schema.as_ref().is_some_and(|s| s.encoding == "ros1msg"))
    );
}

/// Folders, names and values as AWS's extractor has them.
#[test]
fn parquet_is_laid_out_as_awss_extractor_does() {
    let folder = tempfile::tempdir().expect("a folder");
    prints(&[
        "export",
        text(drive()),
        "--to",
        "parquet",
        "-o",
        text(folder.path()),
        "--topic",
        "/gps/fix",
        "--topic",
        "/as_tx/objects",
    ]);
    let gps = folder.path().join("gps_fix/bag_file=drive_a/data.parq");
    let columns: Vec<String> = rows("SELECT * FROM t LIMIT 1", &[("t", &gps)])[0]
        .as_object()
        .expect("a row")
        .keys()
        .cloned()
        .collect();
    let expected = [
        "Time",
        "header_seq",
        "header_stamp_secs",
        "header_stamp_nsecs",
        "header_frame_id",
        "status_status",
        "status_service",
    ];
    assert_eq!(&columns[..expected.len()], expected);
    assert_eq!(&columns[columns.len() - 3..], ["bag_file_prefix", "bag_file_bucket", "bag_file"]);
    for column in [
        "latitude",
        "position_covariance_0",
        "position_covariance_8",
        "status_STATUS_FIX",
        "COVARIANCE_TYPE_KNOWN",
    ] {
        assert!(columns.iter().any(|name| name == column), "{column}: {columns:?}");
    }
    let told = rows(
        "SELECT bag_file_prefix AS p, bag_file_bucket AS b, bag_file AS f, count(*) AS n FROM t GROUP BY ALL",
        &[("t", &gps)],
    );
    assert_eq!(told.len(), 1);
    assert_eq!(
        (&told[0]["p"], &told[0]["b"], &told[0]["f"]),
        (&json!("drive_a.bag"), &json!("drives"), &json!("drive_a"))
    );
    let objects = folder.path().join("as_tx_objects/bag_file=drive_a/data.parq");
    let told = rows("SELECT objects, objects_clean FROM t LIMIT 1", &[("t", &objects)]);
    assert_eq!(told[0]["objects"], told[0]["objects_clean"]);
    let list: Value = serde_json::from_str(told[0]["objects"].as_str().expect("a text")).expect("JSON");
    assert!(
        list[0]["pose_pose_position_x"].is_number() && list[0]["polygon_points"].is_string(),
        "{list}"
    );
}

/// A lake written anew is the same lake.
#[test]
fn tables_are_laid_out_as_they_were() {
    let folder = tempfile::tempdir().expect("a folder");
    let [lake, again] = ["lake", "again"].map(|name| folder.path().join(name));
    let second = folder.path().join("run=b.bag");
    fs::copy(drive(), &second).expect("a copy");
    for bag in [drive(), &second] {
        let topics = ["--topic", "/vehicle/brake_report", "--topic", "/as_tx/objects"];
        let mut arguments = vec!["export", text(bag), "--to", "parquet", "-o", text(&lake)];
        arguments.extend(topics);
        prints(&arguments);
    }
    prints(&["export", text(&lake), "--to", "parquet", "-o", text(&again)]);
    let files = |root: &Path| {
        let mut files: Vec<String> = ["vehicle_brake_report", "as_tx_objects"]
            .iter()
            .flat_map(|topic| fs::read_dir(root.join(topic)).expect("a folder").flatten())
            .filter(|bag| bag.path().join("data.parq").is_file())
            .map(|bag| bag.path().strip_prefix(root).expect("a path").display().to_string())
            .collect();
        files.sort();
        files
    };
    let wanted = [
        "as_tx_objects/bag_file=drive_a",
        "as_tx_objects/bag_file=run%3Db",
        "vehicle_brake_report/bag_file=drive_a",
        "vehicle_brake_report/bag_file=run%3Db",
    ];
    assert_eq!(
        (files(&lake), files(&again)),
        (wanted.map(str::to_owned).to_vec(), wanted.map(str::to_owned).to_vec())
    );
    assert_eq!(fs::read_dir(&again).expect("a folder").count(), 2);
    for table in wanted {
        let of = |root: &Path| {
            let mut rows = rows("SELECT * FROM t ORDER BY Time", &[("t", &root.join(table).join("data.parq"))]);
            let texts = ["objects", "objects_clean"];
            // JSON may be spelled in another way
            rows.iter_mut().filter_map(Value::as_object_mut).for_each(|row| {
                for name in texts {
                    row.get_mut(name).into_iter().for_each(|text| *text = Value::Bool(text.is_string()));
                }
            });
            rows
        };
        assert_eq!(of(&lake), of(&again), "{table}");
    }
}

#[test]
fn csv_holds_one_topic_or_is_a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let one = folder.path().join("brake.csv");
    prints(&["export", text(drive()), "-o", text(&one), "--topic", "/vehicle/brake_report"]);
    let lines = fs::read_to_string(&one).expect("a file");
    assert!(
        lines.starts_with("Time,header_seq,header_stamp_secs,"),
        "{}",
        lines.lines().next().unwrap_or_default()
    );
    assert_eq!(lines.lines().count() - 1, cat(drive(), &["--topic", "/vehicle/brake_report"]).len());
    assert!(fails(&["export", text(drive()), "-o", text(&one)]).contains("name it with --topic"));
    let unfit = super::roadreel(&["export", text(drive()), "-o", text(&folder.path().join("out"))]);
    assert_eq!(unfit.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unfit.stderr).contains("--to"));
}
