//! A table is a topic: its time is found, its columns are fields, JSON in texts is nested values.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, ListArray, StringArray, StructArray, TimestampMillisecondArray, UInt32Array,
};
use arrow::datatypes::{DataType, Field, Int32Type};
use serde_json::{Value, json};

use super::{batch, drive, prints, rows, text, write_parquet};

fn info(path: &Path) -> Value {
    serde_json::from_str(&prints(&["info", text(path), "--json"])).expect("JSON")
}

fn cat(path: &Path) -> Vec<Value> {
    prints(&["cat", text(path), "--json"])
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

const SECS: f64 = 1_600_000_000.001;
const NANOS: i64 = 1_600_000_000_001_000_000;

/// By name, type and magnitude.
#[test]
fn the_time_of_a_table_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let value = || ("value", Arc::new(Float64Array::from(vec![0.5, 1.5])) as ArrayRef);
    let floats = |a: f64, b: f64| Arc::new(Float64Array::from(vec![a, b])) as ArrayRef;
    let whole = |a: i64, b: i64| Arc::new(Int64Array::from(vec![a, b])) as ArrayRef;
    let texts = |a: &str, b: &str| Arc::new(StringArray::from(vec![a, b])) as ArrayRef;
    let tables: Vec<(&str, Vec<(&str, ArrayRef)>)> = vec![
        ("float seconds", vec![value(), ("Time", floats(SECS, SECS + 1.0))]),
        ("nanoseconds", vec![("timestamp", whole(NANOS, NANOS + 1_000_000_000)), value()]),
        (
            "milliseconds",
            vec![("timestamp", whole(NANOS / 1_000_000, NANOS / 1_000_000 + 1000)), value()],
        ),
        (
            "ISO text",
            vec![
                value(),
                ("when_timestamp", texts("2020-09-13T12:26:40.001Z", "2020-09-13 12:26:41.001")),
            ],
        ),
        (
            "instants",
            vec![
                value(),
                (
                    "t0",
                    Arc::new(TimestampMillisecondArray::from(vec![NANOS / 1_000_000, NANOS / 1_000_000 + 1000])) as _,
                ),
            ],
        ),
        (
            "two columns",
            vec![
                ("header_stamp_secs", whole(1_600_000_000, 1_600_000_001)),
                ("header_stamp_nsecs", whole(1_000_000, 1_000_000)),
                value(),
            ],
        ),
    ];
    for (what, columns) in tables {
        let path = write_parquet(
            &folder.path().join(format!("{}.parquet", what.replace(' ', "_"))),
            &batch(columns),
            1,
        );
        let told = info(&path);
        assert_eq!(
            (&told["format"], &told["messages"], &told["chunks"]),
            (&json!("parquet"), &json!(2), &json!(2)),
            "{what}: {told}"
        );
        assert_eq!(
            (&told["start_ns"], &told["end_ns"]),
            (&json!(NANOS), &json!(NANOS + 1_000_000_000)),
            "{what}"
        );
        let rows = cat(&path);
        assert_eq!(
            (&rows[1]["message"]["value"], &rows[1]["time_ns"]),
            (&json!(1.5), &json!(NANOS + 1_000_000_000)),
            "{what}"
        );
    }
}

/// Rows without a time stand by the rows before them; a table without a time stands in its order.
#[test]
fn no_row_is_dropped() {
    let folder = tempfile::tempdir().expect("a folder");
    let odd = batch(vec![
        (
            "Time",
            Arc::new(Float64Array::from(vec![Some(SECS), None, Some(f64::NAN), Some(SECS + 1.0)])) as _,
        ),
        ("n", Arc::new(Int64Array::from(vec![Some(1), None, Some(3), Some(4)])) as _),
    ]);
    let path = write_parquet(&folder.path().join("odd.parquet"), &odd, 10);
    let rows = cat(&path);
    assert_eq!(
        rows.iter().map(|row| row["message"]["n"].clone()).collect::<Vec<_>>(),
        [json!(1), json!(null), json!(3), json!(4)]
    );
    let timeless = batch(vec![("n", Arc::new(Int64Array::from(vec![7, 8])) as _)]);
    let path = write_parquet(&folder.path().join("timeless.parquet"), &timeless, 10);
    assert_eq!(
        cat(&path).iter().map(|row| row["message"]["n"].clone()).collect::<Vec<_>>(),
        [json!(7), json!(8)]
    );
    assert!(
        info(&path)["warnings"][0]["what"]
            .as_str()
            .is_some_and(|what| what.contains("no column of the table is a time"))
    );
}

/// Whole numbers and truth values stay what they are beside nulls: in messages, on paths, and in tables that are written anew.
#[test]
fn whole_numbers_may_be_null() {
    const GREAT: i64 = 9_007_199_254_740_993;
    let folder = tempfile::tempdir().expect("a folder");
    let inside = StructArray::from(vec![(
        Arc::new(Field::new("id", DataType::UInt32, true)),
        Arc::new(UInt32Array::from(vec![Some(7), None, Some(9)])) as ArrayRef,
    )]);
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None, Some(vec![Some(3)])]);
    let table = batch(vec![
        ("Time", Arc::new(Float64Array::from(vec![SECS, SECS + 1.0, SECS + 2.0])) as _),
        ("n", Arc::new(Int64Array::from(vec![None, Some(GREAT), Some(-1)])) as _),
        ("ok", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])) as _),
        ("inside", Arc::new(inside) as _),
        ("list", Arc::new(list) as _),
        ("last", Arc::new(Int64Array::from(vec![1, 2, 3])) as _),
    ]);
    let path = write_parquet(&folder.path().join("t.parquet"), &table, 10);
    let wanted = [
        json!({"n": null, "ok": true, "inside": {"id": 7}, "list": [1.0, "NaN"], "last": 1}),
        json!({"n": GREAT, "ok": null, "inside": {"id": null}, "list": [], "last": 2}),
        json!({"n": -1, "ok": false, "inside": {"id": 9}, "list": [3.0], "last": 3}),
    ];
    let told = |path: &Path| -> Vec<Value> {
        let rows = cat(path).into_iter().map(|row| row["message"].clone());
        rows.map(|mut row| {
            row.as_object_mut().expect("a row").retain(|name, _| name != "Time");
            row
        })
        .collect()
    };
    assert_eq!(told(&path), wanted);
    let bag = folder.path().join("t.bag");
    prints(&["export", text(&path), "-o", text(&bag)]);
    assert_eq!(told(&bag), wanted);
    let found = |condition: &str| prints(&["find", text(&path), condition, "--json"]).lines().count();
    assert_eq!(
        (
            found("/t.n < 0"),
            found("/t.n == 9007199254740993"),
            found("/t.inside.id > 8"),
            found("/t.ok")
        ),
        (1, 1, 1, 1)
    );
    let sql = "SELECT n, ok, inside.id AS id FROM t ORDER BY last";
    let told: Vec<Value> = rows(sql, &[("t", &bag)]);
    assert_eq!(told[1], json!({"n": GREAT, "ok": null, "id": null}));
    let out = folder.path().join("out.parquet");
    prints(&["export", text(&path), "-o", text(&out)]);
    let told: Vec<Value> = rows("SELECT n, ok, inside_id FROM t ORDER BY last", &[("t", &out)]);
    assert_eq!(
        told[..2],
        [
            json!({"n": null, "ok": true, "inside_id": 7}),
            json!({"n": GREAT, "ok": null, "inside_id": null})
        ]
    );
    // behind the rows that a text's types are taken from
    let csv = folder.path().join("long.csv");
    let mut lines = String::from("Time,n,text\n");
    for row in 0..60_000 {
        let n = if row == 59_999 { String::new() } else { row.to_string() };
        lines.push_str(&format!("{},{n},{}\n", 1_600_000_000 + row, "x".repeat(80)));
    }
    fs::write(&csv, lines).expect("a file");
    let rows = cat(&csv);
    assert_eq!(
        (&rows[59_998]["message"]["n"], &rows[59_999]["message"]["n"]),
        (&json!(59_998), &json!(null))
    );
}

/// JSON in texts, once or twice encoded, with keys that not every row has.
#[test]
fn json_in_texts_is_nested_values() {
    let folder = tempfile::tempdir().expect("a folder");
    let inner = r#"[{"id": 1, "score": 0.5}]"#;
    let first = json!({"speed": 3, "objects": inner, "empty": []}).to_string();
    let second = json!({"speed": null, "objects": "[]", "name": "x"}).to_string();
    let table = batch(vec![
        ("Time", Arc::new(Float64Array::from(vec![SECS, SECS + 1.0])) as _),
        ("state_clean", Arc::new(StringArray::from(vec![first, second])) as _),
    ]);
    let path = write_parquet(&folder.path().join("sync.parquet"), &table, 10);
    let rows = cat(&path);
    assert_eq!(
        rows[0]["message"]["state_clean"],
        json!({"speed": 3.0, "objects": [{"id": 1.0, "score": 0.5}], "empty": [], "name": ""})
    );
    assert_eq!(
        rows[1]["message"]["state_clean"],
        json!({"speed": "NaN", "objects": [], "empty": [], "name": "x"})
    );
}

/// Floats hold integers up to 2^53 and tell missing ones; fields with larger ones are integers.
#[test]
fn integers_in_json_keep_all_their_digits() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = |id: i64, hash: u64, small: Option<i64>| json!({"id": id, "hash": hash, "small": small, "ids": [id, 1]}).to_string();
    let (first, second) = (
        state(9_007_199_254_740_993, u64::MAX, Some(9_007_199_254_740_992)),
        state(-5, 7, None),
    );
    let path = folder.path().join("sync.jsonl");
    let row = |secs: f64, state: &str| json!({"Time": secs, "hash": u64::MAX, "state_clean": state}).to_string();
    fs::write(&path, format!("{}\n{}\n", row(SECS, &first), row(SECS + 1.0, &second))).expect("a file");
    let rows = cat(&path);
    assert_eq!(
        rows[0]["message"]["state_clean"],
        json!({"id": 9_007_199_254_740_993_i64, "hash": u64::MAX, "small": 9_007_199_254_740_992.0, "ids": [9_007_199_254_740_993_i64, 1]})
    );
    assert_eq!(
        rows[1]["message"]["state_clean"],
        json!({"id": -5, "hash": 7, "small": "NaN", "ids": [-5, 1]})
    );
    assert_eq!(rows[0]["message"]["hash"], json!(u64::MAX));
}

#[test]
fn columns_keep_letters_of_any_script() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("größen.csv");
    fs::write(
        &path,
        "Time,Geschwindigkeit über Grund,速度\n1600000000.001,3,4\n1600000001.001,5,6\n",
    )
    .expect("a file");
    let row = &cat(&path)[0];
    assert_eq!(row["topic"], json!("/größen"));
    assert_eq!(row["message"]["Geschwindigkeit_über_Grund"], json!(3));
    assert_eq!(row["message"]["速度"], json!(4));
    let out = folder.path().join("out.parquet");
    prints(&["export", text(&path), "-o", text(&out)]);
    assert_eq!(super::rows("SELECT max(速度) AS m FROM t", &[("t", &out)]), [json!({"m": 6})]);
    let found = prints(&[
        "find",
        text(&path),
        "/größen.Geschwindigkeit_über_Grund > 4 and /größen.速度 == 6",
        "--json",
    ]);
    assert_eq!(found.lines().count(), 1, "{found}");
}

#[test]
fn csv_json_lines_and_arrow_files_are_topics_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let csv = folder.path().join("scenes.csv");
    fs::write(&csv, "start_time,scene_id,length\n1600000000.001,\"a, b\",2\n1600000001.001,c,\n").expect("a file");
    let lines = folder.path().join("scenes.jsonl");
    fs::write(
        &lines,
        "{\"start_time\": 1600000000.001, \"scene_id\": \"a, b\", \"where\": {\"x\": [1, 2]}}\n{\"start_time\": 1600000001.001, \"scene_id\": \"c\"}\n",
    )
    .expect("a file");
    let arrow = folder.path().join("scenes.arrow");
    prints(&[
        "query",
        "SELECT * FROM t",
        "--table",
        &format!("t={}", text(&csv)),
        "-o",
        text(&arrow),
    ]);
    for (path, format) in [(&csv, "csv"), (&lines, "jsonlines"), (&arrow, "arrow")] {
        let told = info(path);
        assert_eq!(
            (&told["format"], &told["messages"], &told["start_ns"]),
            (&json!(format), &json!(2), &json!(NANOS)),
            "{told}"
        );
        assert_eq!(told["topics"][0]["topic"], json!("/scenes"));
        let rows = cat(path);
        assert_eq!(
            (&rows[0]["message"]["scene_id"], &rows[1]["time_ns"]),
            (&json!("a, b"), &json!(NANOS + 1_000_000_000)),
            "{format}"
        );
    }
    assert_eq!(cat(&csv)[1]["message"]["length"], json!(null));
    assert_eq!(cat(&lines)[0]["message"]["where"], json!({"x": [1.0, 2.0]}));
}

/// What can be read is read; the rest is told with its line.
#[test]
fn odd_rows_are_told_and_the_others_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let written = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).expect("a file");
        path
    };
    let opened = |path: &Path| {
        let told = info(path);
        let warnings = told["warnings"].as_array().expect("warnings").iter();
        let warnings: Vec<String> = warnings.map(|w| w["what"].as_str().unwrap_or_default().to_owned()).collect();
        (cat(path), warnings)
    };
    let ragged = written(
        "ragged.csv",
        b"time,v,name\n1600000000.001,1,a\n1600000001.001,2\n1600000002.001,3,c,more\n1600000003.001,4,d\xfc\n",
    );
    let (rows, warnings) = opened(&ragged);
    let names: Vec<&Value> = rows.iter().map(|row| &row["message"]["name"]).collect();
    assert_eq!(names, ["a", "", "c", "d\u{fffd}"]);
    assert_eq!(rows[3]["message"]["v"], json!(4));
    assert_eq!(
        warnings,
        ["2 row(s) have other values than the head names: those without a name are left out; the first is line 3: 2 values instead of 3"]
    );
    let (rows, warnings) = opened(&written(
        "noted.csv",
        b"\xef\xbb\xbf# made by hand\n#second line\ntime;v\n1600000000.001;0.5\n1600000001.001;1\n",
    ));
    assert_eq!((rows[1]["message"]["v"].clone(), rows.len(), warnings.len()), (json!(1.0), 2, 0));
    // as `rostopic echo -p` marks the head
    let (rows, _) = opened(&written(
        "echo.csv",
        b"%time,field.data\n1600000000001000000,7\n1600000001001000000,8\n",
    ));
    assert_eq!((&rows[0]["time_ns"], &rows[1]["message"]["field_data"]), (&json!(NANOS), &json!(8)));
    let (rows, _) = opened(&written("bare.csv", b"1600000000.001,5\n1600000001.001,6\n"));
    assert_eq!((rows.len(), &rows[0]["message"]["column_2"]), (2, &json!(5)));
    let lines = written(
        "bad.jsonl",
        b"{\"time\": 1600000000.001, \"v\": 1}\n\n{\"time\": 16000\n[1, 2]\n{\"time\": 1600000001.001, \"v\": 2}\n",
    );
    let (rows, warnings) = opened(&lines);
    let values: Vec<&Value> = rows.iter().map(|row| &row["message"]["v"]).collect();
    assert_eq!(values, [&json!(1), &json!(2)]);
    assert_eq!(
        warnings,
        ["2 line(s) that are no JSON objects are left out; the first is line 3: EOF while parsing an object in column 14"]
    );
}

/// What was extracted from a bag opens as what it was: the same values at the same times.
#[test]
fn an_extracted_table_stands_at_its_messages_times() {
    let folder = tempfile::tempdir().expect("a folder");
    prints(&[
        "export",
        text(drive()),
        "--to",
        "parquet",
        "-o",
        text(folder.path()),
        "--topic",
        "/vehicle/brake_report",
    ]);
    let table: PathBuf = folder.path().join("vehicle_brake_report");
    let rows = cat(&table);
    let messages = prints(&["cat", text(drive()), "--json", "--topic", "/vehicle/brake_report"]);
    let messages: Vec<Value> = messages.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(rows.len(), messages.len());
    for (row, message) in rows.iter().zip(&messages) {
        assert_eq!(row["time_ns"], message["time_ns"]);
        let there = message["message"]["pedal_input"].as_f64().expect("a number") as f32;
        assert_eq!(row["message"]["pedal_input"].as_f64().map(|v| v as f32), Some(there));
        assert_eq!(row["message"]["bag_file"], json!("drive_a"));
    }
    assert_eq!(info(&table)["topics"][0]["topic"], json!("/vehicle_brake_report"));
}

/// Recordings whose names topics cannot tell apart have topics of their own.
#[test]
fn recordings_of_like_names_are_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let csv = folder.path().join("speeds.csv");
    fs::write(
        &csv,
        "Time,bag_file,v\n1600000000.001,a b,1\n1600000001.001,a_b,2\n1600000002.001,a-b,3\n1600000003.001,a b,4\n",
    )
    .expect("a file");
    let parquet = folder.path().join("speeds");
    for (bag, values) in [("a b", [1.0, 4.0]), ("a_b", [2.0, 2.0]), ("a-b", [3.0, 3.0])] {
        let columns = [("Time", vec![SECS, SECS + 1.0]), ("v", values.to_vec())];
        let columns = columns.map(|(name, values)| (name, Arc::new(Float64Array::from(values)) as ArrayRef));
        write_parquet(&parquet.join(format!("bag_file={bag}/data.parq")), &batch(columns.to_vec()), 10);
    }
    for (path, counts) in [(&csv, [1, 2, 1]), (&parquet, [2, 2, 2])] {
        let told = info(path);
        let told = told["topics"].as_array().expect("topics").iter();
        let topics: Vec<(String, u64)> = told
            .map(|topic| {
                (
                    topic["topic"].as_str().unwrap_or_default().to_owned(),
                    topic["messages"].as_u64().unwrap_or(0),
                )
            })
            .collect();
        let named = |number: usize, topic: &str| (topic.to_owned(), counts[number]);
        assert_eq!(
            topics,
            [named(0, "/a_b/speeds"), named(1, "/a_b_2/speeds"), named(2, "/a_b_3/speeds")]
        );
        let rows = cat(path);
        for (topic, bag) in [("/a_b/speeds", "a_b"), ("/a_b_2/speeds", "a b"), ("/a_b_3/speeds", "a-b")] {
            let mut own = rows.iter().filter(|row| row["topic"] == topic);
            assert!(own.all(|row| row["message"]["bag_file"] == bag), "{topic}: {rows:?}");
        }
    }
}

/// A lake's folder: each table in it is a topic of each recording; what cannot be read is told, the others are there.
#[test]
fn a_folder_of_tables_is_one_recording() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = |name: &str, bag: &str, values: [f64; 2]| {
        let path = folder.path().join(format!("{name}/bag_file={bag}/data.parq"));
        let times = Arc::new(Float64Array::from(vec![SECS, SECS + 1.0])) as ArrayRef;
        let values = Arc::new(Float64Array::from(values.to_vec())) as ArrayRef;
        write_parquet(&path, &batch(vec![("Time", times), ("value", values)]), 1);
    };
    for (number, bag) in [(0.0, "a"), (1.0, "b")] {
        table("imu_raw", bag, [number, number + 0.5]);
        table("gps_fix", bag, [number + 10.0, number + 10.5]);
    }
    fs::create_dir_all(folder.path().join("broken")).expect("a folder");
    fs::write(folder.path().join("broken/data.parquet"), b"PAR1 and nothing behind it").expect("a file");
    let told = info(folder.path());
    let topics: Vec<(&str, u64)> = told["topics"]
        .as_array()
        .expect("topics")
        .iter()
        .map(|topic| {
            (
                topic["topic"].as_str().expect("a name"),
                topic["messages"].as_u64().expect("a count"),
            )
        })
        .collect();
    assert_eq!(topics, [("/a/gps_fix", 2), ("/a/imu_raw", 2), ("/b/gps_fix", 2), ("/b/imu_raw", 2)]);
    let warnings = told["warnings"].to_string();
    assert!(warnings.contains("broken: a Parquet file that is cut off"), "{warnings}");
    let values: Vec<(String, f64)> = cat(folder.path())
        .iter()
        .map(|row| {
            let topic = row["topic"].as_str().expect("a name").to_owned();
            (topic, row["message"]["value"].as_f64().expect("a number"))
        })
        .collect();
    assert_eq!(values.len(), 8);
    for (topic, first) in [("/a/imu_raw", 0.0), ("/b/imu_raw", 1.0), ("/a/gps_fix", 10.0), ("/b/gps_fix", 11.0)] {
        let own: Vec<f64> = values.iter().filter(|(of, _)| of == topic).map(|(_, value)| *value).collect();
        assert_eq!(own, [first, first + 0.5], "{topic}");
    }
}

/// A number that counts something else among moments of our days is the moment that it is; the others stay where they are.
#[test]
fn a_row_in_another_unit_moves_no_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("speeds.parquet");
    let times = Arc::new(Float64Array::from(vec![SECS, (SECS + 1.0) * 1e3, SECS + 2.0, 0.0])) as ArrayRef;
    let speeds = Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0, 4.0])) as ArrayRef;
    write_parquet(&path, &batch(vec![("Time", times), ("speed", speeds)]), 10);
    let times: Vec<i64> = cat(&path).iter().map(|row| row["time_ns"].as_i64().expect("a time")).collect();
    let second = 1_000_000_000;
    assert_eq!(times, [0, NANOS, NANOS + second, NANOS + 2 * second]);
}

/// A lake as AWS keeps it: recordings, tables that were extracted from them, and scenes in three forms.
fn lake_with_scenes() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let ingest = folder.path().join("rosbag-ingest");
    fs::create_dir_all(&ingest).expect("a folder");
    fs::copy(drive(), ingest.join("drive_a.bag")).expect("a bag");
    let tables = folder.path().join("raw-topics");
    let topic = ["--topic", "/vehicle/brake_report", "--topic", "/imu_raw"];
    prints(&[&["export", text(drive()), "--to", "parquet", "-o", text(&tables)], &topic[..]].concat());
    // another recording's rows, a year later
    let times = Arc::new(Float64Array::from(vec![SECS + 3e7, SECS + 3e7 + 1.0])) as ArrayRef;
    write_parquet(
        &tables.join("imu_raw/bag_file=drive_b/data.parq"),
        &batch(vec![("Time", times)]),
        10,
    );
    let scenes = folder.path().join("detected-scenes");
    fs::create_dir_all(&scenes).expect("a folder");
    let rows = "bag_file,scene_id,start_time,end_time\ndrive_a,drive_a_PersonInLane_1,1777887000.5,1777887001\ndrive_a,drive_a_PersonInLane_2,1777887002000,\n";
    fs::write(scenes.join("scenes.csv"), rows).expect("a file");
    let items = json!({"Items": [
        {"bag_file": {"S": "drive_a"}, "scene_id": {"S": "drive_a_PersonInLane_1"}, "start_time": {"N": "1777887000.5"}, "end_time": {"N": "1777887001"}},
        {"bag_file": {"S": "drive_a"}, "scene_id": {"S": "drive_a_PersonInLane_3"}, "start_time": {"N": "1777887001.5"}, "end_time": {"NULL": true}},
    ]});
    fs::create_dir_all(folder.path().join("dynamodb")).expect("a folder");
    fs::write(folder.path().join("dynamodb/Rosbag-Scene-Metadata.json"), items.to_string()).expect("a file");
    fs::write(folder.path().join("notes.md"), "what was driven").expect("a file");
    folder
}

/// A folder's recordings and tables are one; scenes are no topics; what is neither is named.
#[test]
fn a_folder_of_recordings_tables_and_scenes_opens_as_one() {
    let folder = lake_with_scenes();
    let told = info(folder.path());
    let names: Vec<&str> = told["topics"]
        .as_array()
        .expect("topics")
        .iter()
        .filter_map(|topic| topic["topic"].as_str())
        .collect();
    for name in ["/imu_raw", "/drive_a/imu_raw", "/drive_b/imu_raw", "/os1_cloud_node/points"] {
        assert!(names.contains(&name), "{name} of {names:?}");
    }
    assert!(!names.iter().any(|name| name.contains("scenes")), "{names:?}");
    let notes = told["notes"].to_string();
    assert!(
        notes.contains("detected-scenes/scenes.csv: 2 scenes, which are no topic"),
        "{notes}"
    );
    assert!(notes.contains("notes.md"), "{notes}");
    // the recording's messages are where they are in it
    let messages = |path: &Path| prints(&["cat", text(path), "--topic", "/gps/fix", "--json"]);
    assert!(!messages(drive()).is_empty());
    assert_eq!(messages(folder.path()), messages(drive()));

    let scenes: Vec<String> = serde_json::from_str::<Vec<Value>>(&prints(&["scenes", text(folder.path()), "--json"]))
        .expect("JSON")
        .iter()
        .map(|scene| scene["scene"].as_str().expect("an id").to_owned())
        .collect();
    assert_eq!(
        scenes,
        ["drive_a_PersonInLane_1", "drive_a_PersonInLane_2", "drive_a_PersonInLane_3"]
    );
}

/// The part of a table that is of one recording is called as the table is, and has its columns.
#[test]
fn a_part_of_a_table_is_of_the_table() {
    let folder = lake_with_scenes();
    let part = folder.path().join("raw-topics/imu_raw/bag_file=drive_b");
    assert_eq!(info(&part)["topics"][0]["topic"], json!("/imu_raw"));
    assert_eq!(cat(&part)[0]["message"]["bag_file"], json!("drive_b"));
}

/// Times under names and in forms that only their values tell to be times.
#[test]
fn times_are_found_by_what_they_say() {
    use arrow::array::{Int64Array, StringArray, StructArray};
    use arrow::datatypes::{DataType, Field};
    let folder = tempfile::tempdir().expect("a folder");
    let whole = |values: [i64; 2]| Arc::new(Int64Array::from(values.to_vec())) as ArrayRef;
    let structure = |columns: Vec<(&str, ArrayRef)>| {
        let columns = columns
            .into_iter()
            .map(|(name, values)| (Arc::new(Field::new(name, values.data_type().clone(), true)), values));
        Arc::new(StructArray::from(columns.collect::<Vec<_>>())) as ArrayRef
    };
    let stamp = || {
        structure(vec![
            ("sec", whole([1_600_000_000, 1_600_000_001])),
            ("nanosec", whole([1_000_000, 1_000_000])),
        ])
    };
    assert!(matches!(stamp().data_type(), DataType::Struct(_)));
    let texts = Arc::new(StringArray::from(vec!["2020/09/13 12:26:40.001", "2020/09/13 12:26:41.001"])) as ArrayRef;
    let exposure = || Arc::new(Float64Array::from(vec![0.01, 0.02])) as ArrayRef;
    for (number, columns) in [
        vec![("acquisition_time", Arc::new(Float64Array::from(vec![SECS, SECS + 1.0])) as ArrayRef)],
        vec![("epoch_ms", whole([NANOS / 1_000_000, NANOS / 1_000_000 + 1_000]))],
        vec![("stamp_ns", whole([NANOS, NANOS + 1_000_000_000]))],
        vec![
            ("header.stamp.secs", whole([1_600_000_000, 1_600_000_001])),
            ("header.stamp.nsecs", whole([1_000_000, 1_000_000])),
        ],
        vec![("stamp", stamp())],
        vec![("header", structure(vec![("stamp", stamp()), ("seq", whole([1, 2]))]))],
        vec![("taken", exposure()), ("exposure_time", exposure()), ("start_time", texts)],
    ]
    .into_iter()
    .enumerate()
    {
        let names: Vec<String> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
        let path = folder.path().join(format!("{number}.parquet"));
        write_parquet(&path, &batch(columns), 10);
        let told = info(&path);
        assert_eq!(
            (&told["start_ns"], &told["end_ns"]),
            (&json!(NANOS), &json!(NANOS + 1_000_000_000)),
            "{names:?}"
        );
    }
    // the time of an exposure is no moment
    let path = folder.path().join("exposures.parquet");
    write_parquet(&path, &batch(vec![("exposure_time", exposure())]), 10);
    assert!(info(&path)["warnings"].to_string().contains("no column of the table is a time"));
}

/// A mapping is a list of its entries.
#[test]
fn mappings_are_lists_of_entries() {
    use arrow::array::{Int32Builder, MapBuilder, StringBuilder};
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("maps.parquet");
    let mut maps = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    maps.keys().append_value("k");
    maps.values().append_value(7);
    maps.append(true).expect("a mapping");
    let times = Arc::new(Float64Array::from(vec![SECS])) as ArrayRef;
    write_parquet(&path, &batch(vec![("Time", times), ("m", Arc::new(maps.finish()) as ArrayRef)]), 10);
    let entry = &cat(&path)[0]["message"]["m"][0];
    assert_eq!(
        (entry.as_object().map(|e| e.len()), entry.to_string().contains("\"k\"")),
        (Some(2), true),
        "{entry}"
    );
}

/// Rows of several recordings in one file are a topic for each, too.
#[test]
fn a_column_tells_recordings_apart_as_folders_do() {
    use arrow::array::StringArray;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("speeds.parquet");
    let times = Arc::new(Float64Array::from(vec![SECS, SECS + 1.0, SECS + 2.0])) as ArrayRef;
    let bags = Arc::new(StringArray::from(vec!["drive_a", "drive_b", "drive_a"])) as ArrayRef;
    let speeds = Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0])) as ArrayRef;
    write_parquet(&path, &batch(vec![("Time", times), ("bag_file", bags), ("speed", speeds)]), 10);
    let others = ["arrow", "csv", "jsonl"].map(|ending| {
        let other = folder.path().join(format!("speeds.{ending}"));
        prints(&[
            "query",
            "SELECT * FROM t",
            "--table",
            &format!("t={}", text(&path)),
            "-o",
            text(&other),
        ]);
        other
    });
    for path in [&path].into_iter().chain(&others) {
        let told = info(path);
        let topics: Vec<(&str, u64)> = told["topics"]
            .as_array()
            .expect("topics")
            .iter()
            .filter_map(|topic| Some((topic["topic"].as_str()?, topic["messages"].as_u64()?)))
            .collect();
        assert_eq!(topics, [("/drive_a/speeds", 2), ("/drive_b/speeds", 1)]);
        let of_b = prints(&["cat", text(path), "--topic", "/drive_b/speeds", "--json"]);
        let row: Value = serde_json::from_str(&of_b).expect("one row");
        assert_eq!(
            (&row["time_ns"], &row["message"]["speed"]),
            (&json!(NANOS + 1_000_000_000), &json!(2.0))
        );
    }
}

/// Whatever the table is written as.
#[test]
fn the_time_of_a_table_is_found_in_every_format() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, first, second) in [
        ("when", "2020-09-13T12:26:40.001Z", "2020-09-13T12:26:41.001Z"),
        ("created_at", "2020-09-13 12:26:40.001", "2020-09-13 12:26:41.001"),
        ("odd", "2020-09-13T12:26:40.001", "2020-09-13T12:26:41.001"),
    ] {
        let columns = vec![
            ("v", Arc::new(Float64Array::from(vec![0.5, 1.5])) as ArrayRef),
            ("s", Arc::new(StringArray::from(vec!["a", "2020-09-13"])) as _),
            (name, Arc::new(StringArray::from(vec![first, second])) as _),
        ];
        let parquet = write_parquet(&folder.path().join(format!("{name}.parquet")), &batch(columns), 10);
        for ending in ["parquet", "arrow", "csv", "jsonl"] {
            let path = folder.path().join(format!("{name}.{ending}"));
            if ending != "parquet" {
                let table = format!("t={}", text(&parquet));
                prints(&["query", "SELECT * FROM t", "--table", &table, "-o", text(&path)]);
            }
            let told = info(&path);
            assert_eq!(
                (&told["start_ns"], &told["end_ns"]),
                (&json!(NANOS), &json!(NANOS + 1_000_000_000)),
                "{name}.{ending}: {told}"
            );
        }
    }
    let nested = folder.path().join("nested.jsonl");
    let line = |secs: i64| format!("{{\"v\": 1, \"header\": {{\"stamp\": {{\"sec\": {secs}, \"nanosec\": 1000000}}}}}}\n");
    fs::write(&nested, line(1_600_000_000) + &line(1_600_000_001)).expect("a file");
    for more in [&[][..], &["--time-column", "header.stamp"]] {
        let told: Value = serde_json::from_str(&prints(&[&["info", text(&nested), "--json"], more].concat())).expect("JSON");
        assert_eq!(
            (&told["start_ns"], &told["end_ns"]),
            (&json!(NANOS), &json!(NANOS + 1_000_000_000)),
            "{told}"
        );
    }
}

#[test]
fn a_column_that_cannot_be_the_time_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.csv");
    fs::write(&path, "a,b\nx,1\ny,2\n").expect("a file");
    let warnings = |column: &str| {
        let told: Value = serde_json::from_str(&prints(&["info", text(&path), "--json", "--time-column", column])).expect("JSON");
        told["warnings"].to_string()
    };
    let told = warnings("zz");
    assert!(
        told.contains("there is no column zz to take times from; the table's columns are a, b"),
        "{told}"
    );
    let told = warnings("a");
    assert!(
        told.contains("the column a cannot be read as a time; the table's columns are a, b"),
        "{told}"
    );
}

/// Also within JSON in texts.
#[test]
fn infinities_in_json_stay_what_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let texts = StringArray::from(vec![
        r#"{"x": NaN, "y": Infinity}"#,
        r#"{"x": 1, "y": -Infinity}"#,
        r#"{"x": 2, "y": 0.5}"#,
    ]);
    let columns = vec![("d", Arc::new(texts) as ArrayRef)];
    let path = write_parquet(&folder.path().join("t.parquet"), &batch(columns), 10);
    let told: Vec<Value> = cat(&path).iter().map(|row| row["message"]["d"]["y"].clone()).collect();
    assert_eq!(told, [json!("Infinity"), json!("-Infinity"), json!(0.5)]);
}
