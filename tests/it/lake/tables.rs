//! A table is a topic: its time is found, its columns are fields, JSON in texts is nested values.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray, TimestampMillisecondArray};
use serde_json::{Value, json};

use super::{batch, drive, prints, text, write_parquet};

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
        [json!(1.0), json!("NaN"), json!(3.0), json!(4.0)]
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
    assert_eq!(cat(&csv)[1]["message"]["length"], json!("NaN"));
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
