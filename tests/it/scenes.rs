//! Tables of scenes, whatever they are called and written as: through the program, as scripts see it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, ListArray, RecordBatch, StringArray, StructArray, TimestampMillisecondArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};
use serde_json::{Value, json};

use crate::program;

#[track_caller]
fn run(arguments: &[&str]) -> Result<String, String> {
    let output = program::roadreel().args(arguments).output().expect("the program starts");
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout).expect("text")),
        false => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// The scenes of a table: class, start and end in milliseconds, what is odd.
#[track_caller]
fn scenes(path: &Path) -> Vec<Value> {
    let json = run(&["scenes", text(path), "--json"]).unwrap_or_else(|error| panic!("{error}"));
    let Ok(Value::Array(scenes)) = serde_json::from_str(&json) else {
        panic!("no array: {json}");
    };
    scenes
}

fn brief(scenes: &[Value]) -> Vec<Value> {
    let millis = |value: &Value| value.as_i64().map(|nanos| nanos / 1_000_000);
    let one = |scene: &Value| {
        json!([
            scene["record"],
            scene["class"],
            millis(&scene["start_ns"]),
            millis(&scene["end_ns"]),
            scene["odd"]
        ])
    };
    scenes.iter().map(one).collect()
}

fn written(folder: &tempfile::TempDir, name: &str, content: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(&path, content).expect("written");
    path
}

fn parquet(path: &Path, columns: Vec<(&str, ArrayRef)>) -> PathBuf {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).expect("a batch");
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    let file = fs::File::create(path).expect("a file");
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("rows");
    writer.close().expect("a footer");
    path.to_owned()
}

/// AWS's columns, with the oddities of the field: no end, milliseconds, a bag that is not there, no bag, nonsense.
const AWS: &str = "\
bag_file,scene_id,bag_file_prefix,bag_file_bucket,start_time,end_time,num_people_in_scene_start,scene_length,topics_analyzed
drive_a,drive_a_PersonInLane_1600000002.941,drive_a.bag,rosbag-ingest,1600000002.941,1600000004.5,1,1.559,\"rgb,lanes\"
drive_a,drive_a_PersonInLane_1600000005.25,drive_a.bag,rosbag-ingest,1600000005.25,,2,,
drive_a,drive_a_PersonInLane_1600000002.941_ms,drive_a.bag,rosbag-ingest,1600000002941.0,,1,,
gone,gone_PersonInLane_1,gone.bag,rosbag-ingest,1600000007.5,1600000008.0,3,0.5,
,lost,,,1600000009.0,1600000008.0,,,
drive_a,drive_a_carInLane_soon,drive_a.bag,rosbag-ingest,soon,never,1,,
";

fn of_aws(is_bag_there: bool) -> Vec<Value> {
    let no_end = "It has no end: a moment.";
    let unit = "Its start is in milliseconds, where others are in seconds: read as such.";
    let gone = "Its recording is not beside the table, where those of others are.";
    let missing: Vec<&str> = is_bag_there.then_some(gone).into_iter().collect();
    vec![
        json!(["drive_a", "PersonInLane", 1_600_000_002_941_i64, 1_600_000_004_500_i64, []]),
        json!(["drive_a", "PersonInLane", 1_600_000_005_250_i64, null, [no_end]]),
        json!(["drive_a", "PersonInLane", 1_600_000_002_941_i64, null, [no_end, unit]]),
        json!(["gone", "PersonInLane", 1_600_000_007_500_i64, 1_600_000_008_000_i64, missing]),
        json!([
            "",
            null,
            1_600_000_009_000_i64,
            1_600_000_008_000_i64,
            ["It names no recording.", "Its end is before its start."]
        ]),
        json!([
            "drive_a",
            "carInLane",
            null,
            null,
            ["Its start is no time: “soon”.", "Its end is no time: “never”."]
        ]),
    ]
}

/// The rows of [`AWS`] as objects.
fn rows() -> Vec<Vec<(String, Option<String>)>> {
    let mut lines = AWS.lines();
    let head: Vec<&str> = lines.next().expect("a head").split(',').collect();
    let row = |line: &str| {
        let line = line.replace("\"rgb,lanes\"", "rgb;lanes");
        let cells = line.split(',').map(|cell| (!cell.is_empty()).then(|| cell.replace(';', ",")));
        head.iter().map(|name| (*name).to_owned()).zip(cells.collect::<Vec<_>>()).collect()
    };
    lines.map(row).collect()
}

fn is_number(name: &str, cell: &str) -> bool {
    matches!(name, "start_time" | "end_time" | "scene_length" | "num_people_in_scene_start") && cell.parse::<f64>().is_ok()
}

#[test]
fn every_form_of_a_table_gives_the_same_scenes_and_no_row_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let csv = written(&folder, "scenes.csv", AWS);
    assert_eq!(brief(&scenes(&csv)), of_aws(false));

    let plain = |row: &Vec<(String, Option<String>)>| -> Value {
        let value = |name: &str, cell: &Option<String>| match cell {
            None => Value::Null,
            Some(cell) if is_number(name, cell) => serde_json::from_str(cell).expect("a number"),
            Some(cell) => json!(cell),
        };
        row.iter()
            .map(|(name, cell)| (name.clone(), value(name, cell)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let lines: Vec<String> = rows().iter().map(|row| plain(row).to_string()).collect();
    assert_eq!(brief(&scenes(&written(&folder, "scenes.jsonl", &lines.join("\n")))), of_aws(false));
    let array = format!("[\n{}\n]", lines.join(",\n"));
    assert_eq!(brief(&scenes(&written(&folder, "array.json", &array))), of_aws(false));

    let typed = |row: &Vec<(String, Option<String>)>| -> Value {
        let value = |name: &str, cell: &Option<String>| match cell {
            None => json!({"NULL": true}),
            Some(cell) if is_number(name, cell) => json!({"N": cell}),
            Some(cell) => json!({"S": cell}),
        };
        row.iter()
            .map(|(name, cell)| (name.clone(), value(name, cell)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let items: Vec<Value> = rows().iter().map(typed).collect();
    let scan = json!({"Items": items, "Count": 6, "ScannedCount": 6, "ConsumedCapacity": null});
    let pretty = serde_json::to_string_pretty(&scan).expect("JSON");
    assert_eq!(brief(&scenes(&written(&folder, "scan.json", &pretty))), of_aws(false));
    let export: Vec<String> = items.iter().map(|item| json!({"Item": item}).to_string()).collect();
    assert_eq!(brief(&scenes(&written(&folder, "export.json", &export.join("\n")))), of_aws(false));

    // its times are numbers; the row with nonsense has none
    let of = |name: &str| -> Vec<Option<String>> {
        let cell = |row: Vec<(String, Option<String>)>| row.into_iter().find(|(own, _)| own == name).and_then(|(_, cell)| cell);
        rows().into_iter().map(cell).collect()
    };
    let texts = |name: &str| -> ArrayRef { Arc::new(of(name).into_iter().collect::<StringArray>()) };
    let numbers = |name: &str| -> ArrayRef {
        Arc::new(
            of(name)
                .iter()
                .map(|cell| cell.as_ref()?.parse::<f64>().ok())
                .collect::<Float64Array>(),
        )
    };
    let columns = ["bag_file", "scene_id", "bag_file_prefix", "bag_file_bucket"].map(|name| (name, texts(name)));
    let times = ["start_time", "end_time", "scene_length"].map(|name| (name, numbers(name)));
    let file = parquet(&folder.path().join("scenes.parquet"), columns.into_iter().chain(times).collect());
    let mut wanted = of_aws(false);
    wanted[5][1] = json!("carInLane_soon");
    wanted[5][4] = json!(["It has no start.", "It has no end: a moment."]);
    assert_eq!(brief(&scenes(&file)), wanted);
}

#[test]
fn a_scene_whose_recording_is_not_beside_the_table_is_told_where_those_of_others_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let csv = written(&folder, "lake/detected-scenes/scenes.csv", AWS);
    written(&folder, "lake/rosbag-ingest/drive_a.bag", "a bag");
    assert_eq!(brief(&scenes(&csv)), of_aws(true));
}

#[test]
fn columns_are_found_whatever_they_are_called() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = json!(["a", "cut-in", 1_600_000_000_500_i64, 1_600_000_002_000_i64, []]);
    for (name, csv) in [
        ("short", "bag,label,start,end\na,cut-in,1600000000.5,1600000002\n"),
        (
            "spaced",
            "Recording,Event Type,Start Time,Stop\na,cut-in,2020-09-13T12:26:40.5Z,2020-09-13 12:26:42\n",
        ),
        (
            "camel",
            "bagFile,eventType,startTime,endTime\na.bag,cut-in,1600000000500,1600000002000\n",
        ),
        ("length", "file;type;begin;duration\na.bag;cut-in;1600000000.5;1.5\n"),
        ("millis", "drive_id\tclass\tfrom\tduration_ms\na\tcut-in\t1600000000.5\t1500\n"),
        (
            "nanos",
            "record,tag,start_ns,end_ns\na,cut-in,1600000000500000000,1600000002000000000\n",
        ),
    ] {
        let path = written(&folder, &format!("{name}.csv"), csv);
        let mut found = brief(&scenes(&path));
        // the table's own name for a recording stays
        found[0][0] = json!(found[0][0].as_str().map(|name| name.trim_end_matches(".bag")));
        assert_eq!(found, std::slice::from_ref(&whole), "{name}");
    }
    let typed = parquet(
        &folder.path().join("typed.parquet"),
        vec![
            ("bag", Arc::new(StringArray::from(vec!["a"])) as _),
            ("name", Arc::new(StringArray::from(vec!["cut-in"])) as _),
            ("start", Arc::new(TimestampMillisecondArray::from(vec![1_600_000_000_500])) as _),
            ("end", Arc::new(TimestampMillisecondArray::from(vec![1_600_000_002_000])) as _),
        ],
    );
    assert_eq!(brief(&scenes(&typed)), [whole]);
    let moments = written(&folder, "moments.csv", "Time,label\n1600000000.5,horn\n");
    assert_eq!(
        brief(&scenes(&moments)),
        [json!(["", "horn", 1_600_000_000_500_i64, null, ["It has no end: a moment."]])]
    );
}

#[test]
fn names_that_hardly_repeat_are_no_classes() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows: String = (0..200)
        .map(|n| format!("a,scene {n},{},{}\n", 1_600_000_000 + n, 1_600_000_001 + n))
        .collect();
    let path = written(&folder, "named.csv", &format!("bag,name,start,end\n{rows}"));
    let found = scenes(&path);
    assert_eq!(found.len(), 200);
    assert_eq!((&found[7]["class"], &found[7]["text"]), (&json!(null), &json!("scene 7")));
}

/// Detections of `(time, classes)` of each frame, as `detect_scenes` writes them.
fn detections(path: &Path, frames: &[(f64, &[&str])]) -> PathBuf {
    let classes: Vec<&str> = frames.iter().flat_map(|(_, classes)| classes.iter().copied()).collect();
    let objects = StructArray::from(vec![
        (
            Arc::new(Field::new("x", DataType::Float64, true)),
            Arc::new(Float64Array::from(vec![640.0; classes.len()])) as ArrayRef,
        ),
        (
            Arc::new(Field::new("Class", DataType::Utf8, true)),
            Arc::new(StringArray::from(classes)) as _,
        ),
    ]);
    let field = Arc::new(Field::new("item", objects.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths(frames.iter().map(|(_, classes)| classes.len()));
    let lists = ListArray::new(field, offsets, Arc::new(objects), None);
    parquet(
        path,
        vec![
            (
                "Time",
                Arc::new(frames.iter().map(|(time, _)| Some(*time)).collect::<Float64Array>()) as _,
            ),
            ("objects_in_lane", Arc::new(lists) as _),
            (
                "bag_file_prefix",
                Arc::new(StringArray::from(vec!["drive_a.bag"; frames.len()])) as _,
            ),
        ],
    )
}

#[test]
fn detections_frame_by_frame_become_the_spans_in_which_there_are_some() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = folder.path().join("scene_detections");
    let frames: [(f64, &[&str]); 7] = [
        (1_600_000_000.0, &["car"]),
        (1_600_000_000.1, &["car", "car", "bus"]),
        (1_600_000_000.2, &["car"]),
        (1_600_000_000.3, &[]),
        (1_600_000_000.4, &["car"]),
        // frames are missing: another scene
        (1_600_000_002.0, &["car"]),
        (1_600_000_002.1, &["car"]),
    ];
    detections(&table.join("bag_file=drive_a/part-0.parquet"), &frames);
    let found = scenes(&table);
    let spans: Vec<Value> = brief(&found);
    let of = |class: &str, start: i64, end: i64| json!(["drive_a", class, 1_600_000_000_000_i64 + start, 1_600_000_000_000_i64 + end, []]);
    assert_eq!(
        spans,
        [of("car", 0, 200), of("bus", 100, 100), of("car", 400, 400), of("car", 2000, 2100)]
    );
    assert_eq!(found[0]["scene"], "drive_a_carInLane_1600000000.0");
    assert_eq!(found[0]["notes"], json!({"frames": "3", "num_car_in_lane_start": "1"}));
}

#[test]
fn a_folder_of_parts_names_the_recording() {
    let folder = tempfile::tempdir().expect("a folder");
    for (bag, start) in [("drive_a", 0), ("drive_b", 50)] {
        let csv = format!(
            "class,start_time,end_time\nbraking,{},{}\n",
            1_600_000_000 + start,
            1_600_000_001 + start
        );
        written(&folder, &format!("scenes/bag_file={bag}/part.csv"), &csv);
    }
    let mut found = brief(&scenes(&folder.path().join("scenes")));
    found.sort_by_key(|scene| scene[0].to_string());
    assert_eq!(
        found,
        [
            json!(["drive_a", "braking", 1_600_000_000_000_i64, 1_600_000_001_000_i64, []]),
            json!(["drive_b", "braking", 1_600_000_050_000_i64, 1_600_000_051_000_i64, []])
        ]
    );
}

#[test]
fn a_table_that_lies_there_in_two_formats_is_read_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let csv = written(&folder, "lake/scenes.csv", AWS);
    let parquet = folder.path().join("lake/scenes.parquet");
    run(&["scenes", text(&csv), "-o", text(&parquet)]).expect("written");
    let ids = |path: &Path| -> Vec<String> {
        let mut ids: Vec<String> = scenes(path).iter().map(|scene| scene["scene"].to_string()).collect();
        ids.sort();
        ids
    };
    assert!(ids(&csv).len() > 1);
    assert_eq!(ids(&folder.path().join("lake")), ids(&csv));
}

#[test]
fn scenes_that_are_written_are_read_again_by_anyone() {
    let folder = tempfile::tempdir().expect("a folder");
    let csv = written(&folder, "scenes.csv", AWS);
    let first = scenes(&csv);
    for name in ["out.parquet", "out.csv", "out.json", "out.arrow"] {
        let path = folder.path().join(name);
        run(&["scenes", text(&csv), "-o", text(&path)]).unwrap_or_else(|error| panic!("{name}: {error}"));
        let again = scenes(&path);
        let without_odd = |scenes: &[Value]| -> Vec<Value> {
            let mut all = scenes.to_vec();
            all.iter_mut().for_each(|scene| scene["odd"] = json!(null));
            all
        };
        assert_eq!(without_odd(&again), without_odd(&first), "{name}");
    }
    // as a tool that knows AWS's columns only sees them
    let table = format!("t={}", text(&folder.path().join("out.parquet")));
    let sql = "SELECT bag_file, scene_id, start_time, end_time, round(scene_length, 3) AS scene_length, num_people_in_scene_start \
               FROM t WHERE bag_file_bucket = 'rosbag-ingest' ORDER BY scene_id LIMIT 1";
    let row = run(&["query", sql, "--table", &table, "--json"]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        serde_json::from_str::<Value>(&row).expect("JSON"),
        json!({"bag_file": "drive_a", "scene_id": "drive_a_PersonInLane_1600000002.941", "start_time": 1_600_000_002.941,
            "end_time": 1_600_000_004.5, "scene_length": 1.559, "num_people_in_scene_start": 1})
    );
}

/// What stands in a time's place and is none is not lost where the scenes are written.
#[test]
fn odd_times_are_written_as_they_were() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = written(
        &folder,
        "scenes.csv",
        "bag_file,scene_id,start_time,end_time\na,one,-5,1600000001.5\na,two,soon,-0.25\na,three,1600000000.5,99999999999999999999\n",
    );
    let odd = |path: &Path| -> Vec<Value> { scenes(path).iter().map(|scene| scene["odd"].clone()).collect() };
    let wanted = odd(&table);
    assert!(
        wanted[0].to_string().contains("“-5”") && wanted[1].to_string().contains("“soon”"),
        "{wanted:?}"
    );
    for name in ["out.parquet", "out.csv", "out.arrow"] {
        let out = folder.path().join(name);
        run(&["scenes", text(&table), "-o", text(&out)]).expect("written");
        assert_eq!(odd(&out), wanted, "{name}");
        let again = folder.path().join(format!("again_{name}"));
        run(&["scenes", text(&out), "-o", text(&again)]).expect("written");
        assert_eq!(odd(&again), wanted, "{name}");
    }
    let sql = format!(
        "SELECT start_time AS s FROM '{}' WHERE scene_id = 'one'",
        text(&folder.path().join("out.parquet"))
    );
    assert_eq!(run(&["query", &sql, "--csv"]).as_deref(), Ok("s\n-5.0\n"));
}

/// Beside tables it is no file that nobody opens.
#[test]
fn scenes_in_json_are_told_where_a_folder_is_read_as_a_recording() {
    let folder = tempfile::tempdir().expect("a folder");
    written(&folder, "lake/imu.csv", "Time,v\n1600000000.5,1\n");
    written(&folder, "lake/settings.json", "{\"a\": 1}");
    let item = json!({"Item": {"bag_file": {"S": "a"}, "scene_id": {"S": "s"}, "start_time": {"N": "1600000000.5"}}});
    written(&folder, "lake/scenes.json", &format!("{item}\n"));
    let told = run(&["info", text(&folder.path().join("lake")), "--json"]).expect("it opens");
    assert!(told.contains("scenes.json: scenes, which are no topic"), "{told}");
    assert!(told.contains("neither a recording nor a table: settings.json\""), "{told}");
}

#[test]
fn what_is_no_table_of_scenes_is_told_in_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let speeds = written(&folder, "speeds.csv", "speed,gear\n3.5,2\n");
    let told = run(&["scenes", text(&speeds), "--json"]).expect_err("no start");
    assert_eq!(
        told,
        format!(
            "roadreel: no column says when a scene starts (start_time, start, begin, from, Time …): there are gear, speed: {}",
            text(&speeds)
        )
    );
    let broken = written(&folder, "broken.json", "{\"Items\": [");
    let told = run(&["scenes", text(&broken)]).expect_err("no JSON");
    assert!(told.contains("is no JSON") && told.ends_with(text(&broken)), "{told}");
    let none = folder.path().join("none.parquet");
    let told = run(&["scenes", text(&none)]).expect_err("no file");
    assert!(told.contains("none.parquet"), "{told}");
}

#[test]
fn a_prefix_of_s3_is_a_table_of_scenes() {
    let root = tempfile::tempdir().expect("a folder");
    for bag in ["drive_a", "drive_b"] {
        let path = root.path().join(format!("lake/scene_detections/bag_file={bag}/part-0.parquet"));
        detections(&path, &[(1_600_000_000.0, &["car"]), (1_600_000_000.1, &["car"])]);
    }
    let store = crate::s3_signed::store_of(root.path(), crate::server::Behaviour::default());
    let user = crate::s3::User::with_keys(crate::s3::SECRET)
        .with("AWS_ENDPOINT_URL", &store.url(""))
        .with("AWS_REGION", "us-east-1");
    let told = user.prints(&["--no-cache", "scenes", "s3://lake/scene_detections/", "--json"]);
    let found: Vec<Value> = serde_json::from_str(&told).expect("JSON");
    let ids: Vec<&str> = found.iter().filter_map(|scene| scene["scene"].as_str()).collect();
    assert_eq!(ids, ["drive_a_carInLane_1600000000.0", "drive_b_carInLane_1600000000.0"]);
}

/// As it is told of those on a disk.
#[test]
fn a_scene_whose_recording_is_not_in_s3_is_told_where_those_of_others_are() {
    let root = tempfile::tempdir().expect("a folder");
    let write = |path: &str, content: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, content).expect("a file");
    };
    write("rosbag-ingest/drive_a.bag", "#ROSBAG V2.0\n");
    write("lake/scenes.csv", AWS);
    let store = crate::s3_signed::store_of(root.path(), crate::server::Behaviour::default());
    let user = crate::s3::User::with_keys(crate::s3::SECRET)
        .with("AWS_ENDPOINT_URL", &store.url(""))
        .with("AWS_REGION", "us-east-1");
    let told = user.prints(&["--no-cache", "scenes", "s3://lake/scenes.csv", "--json"]);
    let found: Vec<Value> = serde_json::from_str(&told).expect("JSON");
    let is_missing = |scene: &Value| {
        scene["odd"]
            .to_string()
            .contains("Its recording is not in S3, where those of others are.")
    };
    let missing: Vec<&str> = found
        .iter()
        .filter(|scene| is_missing(scene))
        .filter_map(|scene| scene["record"].as_str())
        .collect();
    assert_eq!(missing, ["gone"]);
}

/// Times in nanoseconds by any name, as structures, and lengths with a unit.
#[test]
fn starts_ends_and_lengths_are_read_however_they_are_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let wanted = |odd: Value| json!(["a", "x", 1_600_000_001_500_i64, 1_600_000_002_000_i64, odd]);
    for (name, content) in [
        (
            "ns.csv",
            "scene_id,bag_file,class,begin_ns,end_ns\ns,a,x,1600000001500000000,1600000002000000000\n",
        ),
        (
            "stop.csv",
            "bag_file,class,start_ns,stop_ns\na,x,1600000001500000000,1600000002000000000\n",
        ),
        ("length.csv", "bag_file,class,start,duration\na,x,1600000001.5,500ms\n"),
        ("length_s.csv", "bag_file,class,start,duration\na,x,1600000001.5,0.5 s\n"),
        (
            "structure.json",
            r#"[{"bag_file": "a", "class": "x", "start": {"sec": 1600000001, "nsec": 500000000}, "end": {"sec": 1600000002, "nsec": 0}}]"#,
        ),
        (
            "structure.jsonl",
            "{\"bag_file\": \"a\", \"class\": \"x\", \"start\": {\"sec\": 1600000001, \"nanosec\": 500000000}, \
             \"end\": {\"sec\": 1600000002, \"nanosec\": 0}}\n",
        ),
    ] {
        let path = written(&folder, name, content);
        let told = brief(&scenes(&path));
        assert_eq!(told, [wanted(json!([]))], "{name}");
    }
}
