//! Tables in stores: prefixes, presigned URLs, lists of them; what is fetched, and what is never shown.

use std::sync::Arc;

use arrow::array::{Float64Array, Int64Array};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use roadreel::source::{is_list, list_of};

use serde_json::Value;

use super::{batch, drive, prints, roadreel, text};
use crate::s3::{SECRET, User};
use crate::s3_signed::store_of;
use crate::server::{Behaviour, Server};

const ROWS: i64 = 400_000;

/// Ten columns of noise in small pages.
fn large() -> Vec<u8> {
    let mut noise = fastrand::Rng::with_seed(7);
    let names: Vec<String> = (0..10).map(|n| format!("c{n}")).collect();
    let mut columns = vec![(
        "Time",
        Arc::new(Float64Array::from_iter_values((0..ROWS).map(|n| 1.6e9 + n as f64 * 0.01))) as _,
    )];
    for name in &names {
        columns.push((
            name.as_str(),
            Arc::new(Int64Array::from_iter_values((0..ROWS).map(|_| noise.i64(..)))) as _,
        ));
    }
    let batch = batch(columns);
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(100_000))
        .set_data_page_row_count_limit(5_000);
    let mut writer =
        ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties.set_dictionary_enabled(false).build())).expect("a writer");
    for start in (0..batch.num_rows()).step_by(5_000) {
        writer.write(&batch.slice(start, 5_000)).expect("rows");
    }
    writer.into_inner().expect("a footer")
}

/// Two columns and a hundredth of the time of a large file cost little of it.
#[test]
fn only_the_pages_that_a_query_needs_are_fetched() {
    let server = Server::start(Behaviour {
        require_signature: true,
        ..Behaviour::default()
    });
    let bytes = large();
    let size = bytes.len() as u64;
    server.put("lake/large.parquet", bytes);
    let url = server.presigned("lake/large.parquet", 3600);
    let sql = "SELECT count(*) AS n, sum(c3 % 10) AS s FROM t WHERE Time >= 1600002000 AND Time < 1600002040";
    let output = roadreel(&["query", sql, "--table", &format!("t={url}"), "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("{\"n\":4000,"));
    let fetched = server.stats().bytes;
    assert!(fetched * 100 <= size * 6, "{fetched} of {size} bytes");
}

/// Where the statistics tell from when to when it is.
#[test]
fn the_span_of_a_table_costs_no_column() {
    let server = Server::start(Behaviour {
        require_signature: true,
        ..Behaviour::default()
    });
    let bytes = large();
    let footer = u64::from(u32::from_le_bytes(
        bytes[bytes.len() - 8..bytes.len() - 4].try_into().expect("a length"),
    ));
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path().join("large.parquet");
    std::fs::write(&here, &bytes).expect("a file");
    server.put("lake/large.parquet", bytes);
    let url = server.presigned("lake/large.parquet", 3600);
    let told = |place: &str| -> Value { serde_json::from_str(&prints(&["info", place, "--json"])).expect("JSON") };
    let remote = told(&url);
    // the first block, the end, and the footer
    let fetched = server.stats().bytes;
    assert!(fetched <= 2 * 65_536 + footer + 4096, "{fetched} bytes, the footer is {footer}");
    let local = told(text(&here));
    for name in ["start_ns", "end_ns", "messages", "chunks", "topics"] {
        assert_eq!(remote[name], local[name], "{name}");
    }
}

/// A list of presigned URLs is one table, its folders are columns, and no signature is shown.
#[test]
fn a_list_of_links_is_a_table() {
    let server = Server::start(Behaviour {
        require_signature: true,
        ..Behaviour::default()
    });
    let folder = tempfile::tempdir().expect("a folder");
    let mut links = Vec::new();
    for (bag, n) in [("a", 1_i64), ("b", 2)] {
        let path = folder.path().join(format!("{bag}.parquet"));
        super::write_parquet(&path, &batch(vec![("n", Arc::new(Int64Array::from(vec![n])) as _)]), 10);
        let key = format!("lake/imu_raw/bag_file={bag}/data.parq");
        server.put_file(&key, path);
        links.push(server.presigned(&key, 3600));
    }
    let user = User::new();
    let list = user.file("links.txt", &format!("# the links of today\n{}\n", links.join("\n")));
    let manifest = user.file(
        "manifest.json",
        &serde_json::json!({"entries": [{"url": links[0]}, {"url": links[1]}]}).to_string(),
    );
    for place in [list, manifest] {
        let table = format!("t={}", place.display());
        let told = user.prints(&[
            "--no-cache",
            "query",
            "SELECT bag_file, n FROM t ORDER BY n",
            "--table",
            &table,
            "--csv",
        ]);
        assert_eq!(told, "bag_file,n\na,1\nb,2\n");
        let told = user.prints(&["--no-cache", "query", "EXPLAIN SELECT n FROM t", "--table", &table]);
        assert!(told.contains("imu") || !told.contains("Signature"), "{told}");
        assert!(
            user.prints(&["--no-cache", "info", &place.display().to_string()])
                .contains("/a/imu_raw"),
            "a topic a recording"
        );
    }
    // an ended link is a sentence
    let ended = server.presigned("lake/imu_raw/bag_file=a/data.parq", -60);
    let output = user.run(&["--no-cache", "query", "SELECT 1 FROM t", "--table", &format!("t={ended}")]);
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("the link expired"),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A link a line, and the kinds of JSON that tools write.
#[test]
fn lists_of_links_are_known_in_every_spelling() {
    let [a, b] = [
        "https://h/lake/imu/bag_file=a/x.parquet?sig=1",
        "https://h/lake/imu/bag_file=b/x.parquet?sig=2",
    ];
    let lists = [
        format!("\u{feff}# today's\n{a}\n\n{b}\n"),
        format!("[\"{a}\", \"{b}\"]"),
        format!("[{{\"url\": \"{a}\", \"size\": 3}}, {{\"url\": \"{b}\"}}]"),
        format!("{{\"entries\": [{{\"url\": \"{a}\", \"mandatory\": true}}, {{\"url\": \"{b}\"}}]}}"),
        format!("{{\n \"fileLocations\": [{{\"URIs\": [\"{a}\", \"{b}\"]}}]\n}}"),
    ];
    for list in lists {
        assert!(is_list(list.as_bytes()), "{list}");
        let found = list_of(&list).expect("a list");
        let paths: Vec<&str> = found.iter().map(|one| &*one.path).collect();
        assert_eq!(paths, ["imu/bag_file=a/x.parquet", "imu/bag_file=b/x.parquet"], "{list}");
    }
    for other in ["{\"start_time\": 1}", "a,b\n1,2\n", "[1, 2]", "", "{\"url\": \"https://h/x\"}\n"] {
        assert!(!is_list(other.as_bytes()), "{other}");
    }
    assert!(list_of("https://h/a\nftp://h/b").is_err_and(|error| error.contains("entry 2")));
}

/// A prefix of S3 is a table, and tables below one are a schema.
#[test]
fn a_prefix_is_a_table() {
    let root = tempfile::tempdir().expect("a folder");
    for (table, bag, n) in [("imu", "a", 1_i64), ("imu", "b", 2), ("gps", "a", 3)] {
        let path = root.path().join(format!("lake/raw/{table}/bag_file={bag}/data.parq"));
        super::write_parquet(&path, &batch(vec![("n", Arc::new(Int64Array::from(vec![n])) as _)]), 10);
    }
    let store = store_of(root.path(), Behaviour::default());
    let user = User::with_keys(SECRET)
        .with("AWS_ENDPOINT_URL", &store.url(""))
        .with("AWS_REGION", "us-east-1");
    let query = |sql: &str, place: &str| user.prints(&["--no-cache", "query", sql, "--table", &format!("t={place}"), "--csv"]);
    assert_eq!(
        query("SELECT bag_file, n FROM t ORDER BY n", "s3://lake/raw/imu/"),
        "bag_file,n\na,1\nb,2\n"
    );
    assert_eq!(query("SELECT sum(n) AS s FROM t", "s3://lake/raw/imu"), "s\n3\n");
    assert_eq!(
        query("SELECT i.n + g.n AS s FROM t.imu i JOIN t.gps g USING (bag_file)", "s3://lake/raw/"),
        "s\n4\n"
    );
}

/// A whole lake, from a list of presigned links and from a prefix: the recording, the tables beside it on one clock, no difference between
/// the two, and scenes.
#[test]
fn a_lake_opens_from_links_and_from_a_prefix() {
    let root = tempfile::tempdir().expect("a folder");
    let lake = root.path().join("lake");
    std::fs::create_dir_all(lake.join("rosbag-ingest")).expect("a folder");
    std::fs::create_dir_all(lake.join("detected-scenes")).expect("a folder");
    std::fs::copy(drive(), lake.join("rosbag-ingest/drive_a.bag")).expect("a bag");
    let tables = lake.join("raw-topics");
    prints(&[
        "export",
        text(drive()),
        "--to",
        "parquet",
        "-o",
        text(&tables),
        "--topic",
        "/imu_raw",
    ]);
    let scenes = "bag_file,scene_id,start_time,end_time\ndrive_a,drive_a_PersonInLane_1,1777887000.5,1777887001\n";
    std::fs::write(lake.join("detected-scenes/scenes.csv"), scenes).expect("a file");
    let layout = serde_json::json!({"version": 2, "name": "difference", "root": {"tabs": ["p"]}, "panels": {"p": {"kind": "plot", "config": {
        "series": [{"path": "/drive_a/imu_raw.linear_acceleration_z - /imu_raw.linear_acceleration.z"}]}}}});

    let store = store_of(root.path(), Behaviour::default());
    let server = Server::start(Behaviour {
        require_signature: true,
        ..Behaviour::default()
    });
    let links: Vec<String> = [
        "rosbag-ingest/drive_a.bag",
        "raw-topics/imu_raw/bag_file=drive_a/data.parq",
        "detected-scenes/scenes.csv",
    ]
    .iter()
    .map(|key| {
        server.put_file(&format!("lake/{key}"), lake.join(key));
        server.presigned(&format!("lake/{key}"), 3600)
    })
    .collect();
    let user = User::with_keys(SECRET)
        .with("AWS_ENDPOINT_URL", &store.url(""))
        .with("AWS_REGION", "us-east-1");
    let list = user.file("links.txt", &links.join("\n"));
    let layout = user.file("layout.json", &layout.to_string());
    for place in [text(&list), "s3://lake/", text(&lake)] {
        let told: Value = serde_json::from_str(&user.prints(&["--no-cache", "info", place, "--json"])).expect("JSON");
        let length = told["end_ns"]
            .as_i64()
            .zip(told["start_ns"].as_i64())
            .map(|(end, start)| end - start);
        assert!(length < Some(3_100_000_000), "{place}: {length:?}");
        let names: Vec<&str> = told["topics"]
            .as_array()
            .expect("topics")
            .iter()
            .filter_map(|t| t["topic"].as_str())
            .collect();
        assert!(
            names.contains(&"/imu_raw") && names.contains(&"/drive_a/imu_raw"),
            "{place}: {names:?}"
        );

        let [picture, stats] = ["drawn.png", "stats.json"].map(|name| root.path().join(name));
        let drawn = [
            "--no-cache",
            "screenshot",
            place,
            "--layout",
            text(&layout),
            "-o",
            text(&picture),
            "--stats",
            text(&stats),
        ];
        user.prints(&[&drawn[..], &["--size", "640x400"]].concat());
        let stats: Value = serde_json::from_str(&std::fs::read_to_string(&stats).expect("figures")).expect("JSON");
        let panel = &stats["panels"][0];
        assert_eq!(
            (&panel["state"], &panel["note"]),
            (&Value::from("ready"), &Value::Null),
            "{place}: {panel}"
        );
    }
}
