//! SQL over files: formats, folders, results, refusals.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Float64Array, Int64Array, RecordBatch, StringArray, StructArray};
use arrow::datatypes::{DataType, Field};
use serde_json::json;

use super::{batch, fails, prints, rows, text, write_parquet};
use crate::data::data;

fn speeds() -> RecordBatch {
    let place = StructArray::from(vec![
        (
            Arc::new(Field::new("x", DataType::Float64, true)),
            Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0, 4.0])) as _,
        ),
        (
            Arc::new(Field::new("Y", DataType::Float64, true)),
            Arc::new(Float64Array::from(vec![0.5, 0.5, 1.5, 1.5])) as _,
        ),
    ]);
    batch(vec![
        ("Time", Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0, 4.0])) as _),
        (
            "Class",
            Arc::new(StringArray::from(vec![Some("car"), Some("bus"), None, Some("car")])) as _,
        ),
        ("speed", Arc::new(Int64Array::from(vec![Some(3), Some(8), Some(5), None])) as _),
        ("place", Arc::new(place) as _),
    ])
}

/// The same table in every format: the same answer.
#[test]
fn every_format_gives_the_same_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let parquet = write_parquet(&folder.path().join("t.parquet"), &speeds(), 2);
    let sql = r#"SELECT Class, count(*) AS n, sum(speed) AS sum FROM t GROUP BY "Class" ORDER BY Class NULLS LAST"#;
    let wanted = vec![
        json!({"Class": "bus", "n": 1, "sum": 8}),
        json!({"Class": "car", "n": 2, "sum": 3}),
        json!({"Class": null, "n": 1, "sum": 5}),
    ];
    assert_eq!(rows(sql, &[("t", &parquet)]), wanted);
    for name in ["t.csv", "t.json", "t.arrow"] {
        let path = folder.path().join(name);
        prints(&[
            "query",
            "SELECT Time, Class, speed FROM t ORDER BY Time",
            "--table",
            &format!("t={}", text(&parquet)),
            "-o",
            text(&path),
        ]);
        let path = match name {
            "t.json" => {
                let lines = folder.path().join("t.jsonl");
                fs::rename(&path, &lines).expect("a name");
                lines
            }
            _ => path,
        };
        let told = rows(sql, &[("t", &path)]);
        // CSV does not tell an empty text from none
        let told: Vec<_> = told
            .into_iter()
            .map(|mut row| {
                if row["Class"] == "" {
                    row["Class"] = json!(null);
                }
                row
            })
            .collect();
        assert_eq!(told.len(), wanted.len(), "{name}");
        assert!(wanted.iter().all(|row| told.contains(row)), "{name}: {told:?}");
    }
}

/// Columns in any case, fields of structures by path, in quotes and flat.
#[test]
fn names_are_found_as_people_write_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = write_parquet(&folder.path().join("t.parquet"), &speeds(), 10);
    let t: &[(&str, &Path)] = &[("t", &path)];
    for sql in [
        "SELECT place.x + place.Y AS v FROM t WHERE Time >= 4",
        "SELECT place['x'] + place['Y'] AS v FROM T WHERE time >= 4",
        r#"SELECT "place.x" + t.place.y AS v FROM t WHERE t."Time" >= 4"#,
        "SELECT place_x + place_Y AS v FROM t WHERE TIME >= 4",
        "WITH late AS (SELECT * FROM t WHERE Time >= 4) SELECT place.x + late.place.Y AS v FROM late",
        "SELECT v FROM (SELECT place.x + place.Y AS v, Time AS time FROM t) WHERE time >= 4",
        "SELECT i.v FROM (SELECT place.x + place.Y AS v, Time AS time FROM t) i WHERE i.time >= 4",
    ] {
        assert_eq!(rows(sql, t), [json!({"v": 5.5})], "{sql}");
    }
}

#[test]
fn a_location_in_quotes_is_a_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = write_parquet(&folder.path().join("t.parquet"), &speeds(), 10);
    let place = text(&path);
    for sql in [
        format!("SELECT max(speed) AS m FROM '{place}'"),
        format!("SELECT max(f.speed) AS m FROM \"{place}\" f"),
        format!("SELECT max(speed) AS m FROM lake('{place}')"),
        format!("SELECT max(a.speed) AS m FROM lake('{place}') a JOIN '{place}' b ON a.Time = b.Time"),
    ] {
        assert_eq!(rows(&sql, &[]), [json!({"m": 8})], "{sql}");
    }
}

/// Folders called `key=value` are columns; files of one table may differ in types.
#[test]
fn a_folder_of_partitions_is_one_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = batch(vec![
        ("Time", Arc::new(Float64Array::from(vec![1.0])) as _),
        ("n", Arc::new(Int64Array::from(vec![1])) as _),
    ]);
    let broken = batch(vec![
        ("Time", Arc::new(Float64Array::from(vec![2.0])) as _),
        ("n", Arc::new(Float64Array::from(vec![1.5])) as _),
    ]);
    write_parquet(&folder.path().join("imu/bag_file=drive a/data.parq"), &whole, 10);
    write_parquet(&folder.path().join("imu/bag_file=b/data.parq"), &broken, 10);
    fs::write(folder.path().join("imu/_SUCCESS"), "").expect("a file");
    let told = rows("SELECT * FROM t ORDER BY Time", &[("t", &folder.path().join("imu"))]);
    assert_eq!(
        told,
        [
            json!({"Time": 1.0, "n": 1.0, "bag_file": "drive a"}),
            json!({"Time": 2.0, "n": 1.5, "bag_file": "b"})
        ]
    );
    let told = rows("SELECT n FROM t WHERE bag_file = 'b'", &[("t", &folder.path().join("imu"))]);
    assert_eq!(told, [json!({"n": 1.5})]);
    write_parquet(&folder.path().join("imu/bag_file=__HIVE_DEFAULT_PARTITION__/data.parq"), &whole, 10);
    let told = rows(
        "SELECT bag_file FROM t WHERE bag_file IS NULL",
        &[("t", &folder.path().join("imu"))],
    );
    assert_eq!(told, [json!({"bag_file": null})]);
    fs::remove_dir_all(folder.path().join("imu/bag_file=__HIVE_DEFAULT_PARTITION__")).expect("a folder");
    // a folder of tables is a schema
    write_parquet(&folder.path().join("gps/bag_file=b/data.parq"), &whole, 10);
    let told = rows(
        "SELECT count(*) AS n FROM l.imu JOIN l.gps USING (bag_file)",
        &[("l", folder.path())],
    );
    assert_eq!(told, [json!({"n": 1})]);
}

#[test]
fn results_are_aligned_json_csv_or_parquet() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = write_parquet(&folder.path().join("t.parquet"), &speeds(), 10);
    let table = format!("t={}", text(&path));
    let sql = "SELECT Class, speed, place FROM t WHERE Time <= 2 ORDER BY Time";
    assert_eq!(
        prints(&["query", sql, "--table", &table]),
        "Class  speed  place\n\
         car        3  {x: 1.0, Y: 0.5}\n\
         bus        8  {x: 2.0, Y: 0.5}\n"
    );
    assert_eq!(
        prints(&["query", sql, "--table", &table, "--json"]),
        "{\"Class\":\"car\",\"speed\":3,\"place\":{\"x\":1.0,\"Y\":0.5}}\n{\"Class\":\"bus\",\"speed\":8,\"place\":{\"x\":2.0,\"Y\":0.5}}\n"
    );
    assert_eq!(
        prints(&["query", sql, "--table", &table, "--csv"]),
        "Class,speed,place\ncar,3,\"{\"\"x\"\":1.0,\"\"Y\"\":0.5}\"\nbus,8,\"{\"\"x\"\":2.0,\"\"Y\"\":0.5}\"\n"
    );
    let out = folder.path().join("out.parquet");
    prints(&["query", sql, "--table", &table, "-o", text(&out)]);
    assert_eq!(rows("SELECT sum(speed) AS s FROM t", &[("t", &out)]), [json!({"s": 11})]);
    assert_eq!(
        prints(&["query", "SELECT Class FROM t WHERE false", "--table", &table, "--csv"]),
        "Class\n"
    );
}

#[test]
fn what_cannot_be_answered_is_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = write_parquet(&folder.path().join("t.parquet"), &speeds(), 10);
    let whole = fs::read(&path).expect("a file");
    let [cut, encrypted, hollow, lying] =
        ["cut.parquet", "encrypted.parquet", "hollow.parquet", "lying.parquet"].map(|name| folder.path().join(name));
    fs::write(&cut, &whole[..whole.len() / 2]).expect("a file");
    let mut sealed = whole.clone();
    let end = sealed.len();
    sealed[end - 4..].copy_from_slice(b"PARE");
    fs::write(&encrypted, &sealed).expect("a file");
    let mut endless = whole.clone();
    endless[end - 8..end - 4].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    fs::write(&lying, &endless).expect("a file");
    let mut damaged = whole;
    damaged[8..40].fill(0xff);
    fs::write(&hollow, &damaged).expect("a file");
    let table = format!("t={}", text(&path));
    let of = |path: &Path| fails(&["query", "SELECT * FROM t", "--table", &format!("t={}", text(path))]);
    let told = [
        fails(&["query", "SELECT nonsense FROM t", "--table", &table]),
        fails(&["query", "SELECT * FROM u", "--table", &table]),
        fails(&["query", "SELEC 1"]),
        fails(&["query", "DROP TABLE t", "--table", &table]),
        fails(&["query", "COPY t TO 'x.csv'", "--table", &table]),
        fails(&["query", "SELECT 1; SELECT 2"]),
        of(&cut),
        of(&encrypted),
        of(&hollow),
        of(&folder.path().join("missing.parquet")),
        fails(&["query", "SELECT speed / 0 FROM t", "--table", &table]),
        of(&lying),
    ];
    for sentence in &told {
        assert_eq!(sentence.lines().count(), 1, "{sentence}");
        assert!(sentence.starts_with("roadreel: ") && !sentence.contains("lake://"), "{sentence}");
    }
    let [
        column,
        name,
        syntax,
        drop,
        copy,
        several,
        cut,
        encrypted,
        hollow,
        missing,
        zero,
        lying,
    ] = &told;
    assert!(column.contains("nonsense"), "{column}");
    assert!(name.contains("there is no table u; there are t"), "{name}");
    assert!(syntax.contains("cannot be understood"), "{syntax}");
    assert!(drop.contains("only SELECT") && copy.contains("only SELECT"), "{drop} {copy}");
    assert!(several.contains("one at a time"), "{several}");
    assert!(cut.contains("cut off or damaged") && cut.contains("cut.parquet"), "{cut}");
    assert!(encrypted.contains("encrypted"), "{encrypted}");
    assert!(hollow.contains("cannot be read"), "{hollow}");
    assert!(missing.contains("there is no such file"), "{missing}");
    assert!(zero.contains("the query cannot be computed: Divide by zero"), "{zero}");
    assert!(lying.contains("its footer claims to be longer than the file"), "{lying}");
}

/// JSON that is one array, what `aws dynamodb scan` prints, and an export of DynamoDB, compressed or not.
#[test]
fn documents_of_json_are_tables() {
    let folder = tempfile::tempdir().expect("a folder");
    let written = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, content).expect("a file");
        path
    };
    let wanted = [
        json!({"scene_id": "a, b", "start_time": 1_600_000_000.5, "tags": ["x", "y"]}),
        json!({"scene_id": "c]", "start_time": 1_600_000_001.0, "tags": null}),
    ];
    let typed = [
        json!({"scene_id": {"S": "a, b"}, "start_time": {"N": "1600000000.5"}, "tags": {"L": [{"S": "x"}, {"S": "y"}]}}),
        json!({"scene_id": {"S": "c]"}, "start_time": {"N": "1600000001"}, "tags": {"NULL": true}}),
    ];
    let array = serde_json::to_string_pretty(&wanted).expect("JSON");
    let scan = serde_json::to_string_pretty(&json!({"Items": typed, "Count": 2})).expect("JSON");
    let export: String = typed.iter().map(|item| format!("{}\n", json!({"Item": item}))).collect();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut gz, export.as_bytes()).expect("memory");
    let gz = gz.finish().expect("memory");
    let sql = "SELECT scene_id, start_time, tags FROM t ORDER BY start_time";
    for path in [
        written("array.json", array.as_bytes()),
        written("scan.json", scan.as_bytes()),
        written("export.json", export.as_bytes()),
        written("export.json.gz", &gz),
        {
            written("AWSDynamoDB/01/manifest-files.json", b"{\"itemCount\": 2}\n");
            written("AWSDynamoDB/01/data/abc.json.gz", &gz);
            folder.path().join("AWSDynamoDB")
        },
    ] {
        assert_eq!(rows(sql, &[("t", &path)]), wanted, "{}", path.display());
    }
    // an array as a topic, cut anywhere
    let told = prints(&["cat", text(&folder.path().join("array.json")), "--json"]);
    assert_eq!(told.lines().count(), 2);
    assert!(
        told.contains("\"topic\":\"/array\"") && told.contains("\"scene_id\":\"c]\""),
        "{told}"
    );
    let many: Vec<_> = (0..60_000)
        .map(|n| json!({"time": 1_600_000_000 + n, "text": format!("[{{\\\"{}", "x".repeat(80))}))
        .collect();
    let many = written("many.json", serde_json::to_string(&many).expect("JSON").as_bytes());
    let info: serde_json::Value = serde_json::from_str(&prints(&["info", text(&many), "--json"])).expect("JSON");
    assert_eq!(
        (&info["format"], &info["messages"], &info["warnings"]),
        (&json!("json"), &json!(60_000), &json!([]))
    );
    let odd = written(
        "odd.json",
        b"[{\"time\": 1600000000, \"v\": 1}, 5, {\"time\": 1600000001, \"v\": 2}]",
    );
    let info = prints(&["info", text(&odd), "--json"]);
    assert!(
        info.contains("1 element(s) that are no JSON objects are left out; the first is element 2"),
        "{info}"
    );
    let cut = written("cut.json", b"[{\"a\": 1}, {\"a\":");
    assert!(fails(&["query", "SELECT * FROM t", "--table", &format!("t={}", text(&cut))]).contains("no JSON"));
}

/// A folder is all that lies in it: its tables, the topics of its recordings, its JSON.
#[test]
fn a_folder_is_a_schema_of_all_that_it_holds() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    write_parquet(&root.join("imu_raw/bag_file=drive_a/data.parq"), &speeds(), 10);
    for name in ["drive_a.bag", "drive_b.bag"] {
        fs::create_dir_all(root.join("bags")).expect("a folder");
        fs::copy(super::drive(), root.join("bags").join(name)).expect("a copy");
    }
    fs::write(root.join("bags/broken.bag"), b"#ROSBAG V1.2\n").expect("a file");
    fs::write(root.join("scenes.json"), "[{\"scene_id\": \"s\", \"start_time\": 5}]").expect("a file");
    let l: &[(&str, &Path)] = &[("l", root)];
    assert_eq!(rows("SELECT max(speed) AS m FROM l.imu_raw", l), [json!({"m": 8})]);
    assert_eq!(rows("SELECT scene_id FROM l.scenes", l), [json!({"scene_id": "s"})]);
    let count = |place: &str| rows(&format!("SELECT count(*) AS n FROM {place}"), l)[0]["n"].as_u64().unwrap_or(0);
    let one = count(&format!("bag('{}', '/imu_raw')", text(super::drive())));
    assert_eq!(count("l.\"/imu_raw\""), 2 * one);
    assert_eq!(count("bag('l', '/imu_raw')"), 2 * one);
    assert_eq!(count(&format!("bag('{}', '/imu_raw')", text(root))), 2 * one);
    assert_eq!(
        rows(
            "SELECT bag_file, count(*) AS n FROM l.\"/gps/fix\" GROUP BY bag_file ORDER BY bag_file",
            l
        ),
        ["drive_a", "drive_b"].map(|bag| json!({"bag_file": bag, "n": count("l.\"/gps/fix\" ") / 2}))
    );
    assert_eq!(
        count("l.\"/imu_raw\" WHERE bag_file = 'drive_b' AND linear_acceleration.x IS NOT NULL"),
        one
    );
    let told = fails(&["query", "SELECT * FROM l.nothing", "--table", &format!("l={}", text(root))]);
    assert!(
        told.contains("there are l.\"/") && told.contains("l.\"imu_raw\"") && told.contains("l.\"scenes\""),
        "{told}"
    );
    let shown = prints(&["query", "SHOW TABLES", "--table", &format!("l={}", text(root)), "--csv"]);
    assert!(shown.contains("/imu_raw") && shown.contains("scenes"), "{shown}");
    let output = super::roadreel(&[
        "query",
        "SELECT count(*) FROM l.\"/imu_raw\"",
        "--table",
        &format!("l={}", text(root)),
    ]);
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("broken.bag is not read: "),
        "{output:?}"
    );
}

/// As Arrow's writers send them, with dictionaries that change on the way.
#[test]
fn arrow_streams_are_tables() {
    use arrow::array::DictionaryArray;
    use arrow::datatypes::{Int32Type, Schema};
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.arrows");
    let part = |times: [f64; 2], names: [&str; 2]| {
        let names: DictionaryArray<Int32Type> = names.into_iter().collect();
        batch(vec![
            ("Time", Arc::new(Float64Array::from(times.to_vec())) as _),
            ("name", Arc::new(names) as _),
        ])
    };
    let parts = [
        part([1_600_000_000.5, 1_600_000_001.5], ["a", "b"]),
        part([1_600_000_002.5, 1_600_000_003.5], ["c", "a"]),
    ];
    let schema: &Schema = parts[0].schema_ref();
    let mut out = arrow::ipc::writer::StreamWriter::try_new(Vec::new(), schema).expect("a writer");
    parts.iter().for_each(|part| out.write(part).expect("rows"));
    let bytes = out.into_inner().expect("an end");
    fs::write(&path, &bytes).expect("a file");
    let told = rows("SELECT Time, name FROM t ORDER BY Time", &[("t", &path)]);
    let names: Vec<_> = told.iter().map(|row| row["name"].as_str().unwrap_or_default()).collect();
    assert_eq!(names, ["a", "b", "c", "a"]);
    let told = prints(&["cat", text(&path), "--json"]);
    let names: Vec<_> = told.lines().map(|line| line.contains("\"name\":\"a\"")).collect();
    assert_eq!(names, [true, false, false, true], "{told}");
    let cut = folder.path().join("cut.arrows");
    fs::write(&cut, &bytes[..bytes.len() - 40]).expect("a file");
    assert!(fails(&["info", text(&cut)]).contains("an Arrow stream that is cut off or damaged"));
}

/// Parquet's own example files, where they are.
#[test]
fn encrypted_columns_are_told() {
    let Some(path) = data("parquet/parquet-testing/data/encrypt_columns_plaintext_footer.parquet.encrypted") else {
        return;
    };
    for told in [
        fails(&["query", "SELECT * FROM t", "--table", &format!("t={}", text(&path))]),
        fails(&["info", text(&path)]),
    ] {
        assert!(told.contains("a Parquet file with encrypted columns"), "{told}");
    }
}

/// As messages are written.
#[test]
fn what_is_no_number_of_json_is_a_text() {
    let floats = "CAST('NaN' AS DOUBLE) AS a, CAST('-inf' AS FLOAT) AS b, [1.5, CAST('inf' AS DOUBLE)] AS c, CAST(NULL AS DOUBLE) AS d";
    assert_eq!(
        prints(&["query", &format!("SELECT {floats}, 0.5 AS e"), "--json"]),
        "{\"a\":\"NaN\",\"b\":\"-Infinity\",\"c\":[1.5,\"Infinity\"],\"d\":null,\"e\":0.5}\n"
    );
}

/// A field that is a text in one line, or one file, and a number in another is one of texts.
#[test]
fn json_lines_that_mix_texts_and_numbers_are_texts() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t/bag_file=a/data.jsonl");
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    let lines = "{\"n\": 1, \"v\": \"x\", \"place\": {\"w\": [true, \"y\"]}}\n{\"n\": 2, \"v\": 2.50, \"place\": null}\n\n{\"n\": 3}\n";
    fs::write(&path, lines).expect("a file");
    let table = folder.path().join("t");
    let sql = "SELECT bag_file, n, v, place FROM t ORDER BY n";
    assert_eq!(
        rows(sql, &[("t", &table)]),
        [
            json!({"bag_file": "a", "n": 1, "v": "x", "place": {"w": ["true", "y"]}}),
            json!({"bag_file": "a", "n": 2, "v": "2.50", "place": null}),
            json!({"bag_file": "a", "n": 3, "v": null, "place": null}),
        ]
    );
    let other = folder.path().join("t/bag_file=b/data.jsonl");
    fs::create_dir_all(other.parent().expect("a folder")).expect("a folder");
    fs::write(&path, "{\"v\": 1}\n").expect("a file");
    fs::write(&other, "{\"v\": \"x\"}\n").expect("a file");
    assert_eq!(
        rows("SELECT v, bag_file FROM t ORDER BY v", &[("t", &table)]),
        [json!({"v": "1", "bag_file": "a"}), json!({"v": "x", "bag_file": "b"})]
    );
}

/// Types come from all rows, not from the first ones.
#[test]
fn a_column_of_csv_that_becomes_fractional_is_one_of_fractions() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("late.csv");
    let rows: String = (0..30_000).map(|i| format!("{},{i}\n", 1_600_000_000 + i)).collect();
    fs::write(&path, format!("time,v\n{rows}1600030000,0.5\n")).expect("a file");
    let told = super::rows("SELECT count(*) AS n, sum(v) AS s FROM t", &[("t", &path)]);
    assert_eq!(told, [json!({"n": 30_001, "s": 449_985_000.5})]);
}

#[test]
fn bytes_have_a_length() {
    let sql = "SELECT octet_length(arrow_cast('abc', 'Binary')) AS a, octet_length('é') AS b, bit_length(arrow_cast('abc', 'BinaryView')) AS c, octet_length(arrow_cast(NULL, 'Binary')) AS d";
    assert_eq!(rows(sql, &[]), [json!({"a": 3, "b": 2, "c": 24, "d": null})]);
}

/// Of structures, in values and conditions.
#[test]
fn subqueries_compare_fields_with_the_query_around_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = write_parquet(&folder.path().join("t.parquet"), &speeds(), 10);
    let t: &[(&str, &Path)] = &[("t", &path)];
    assert_eq!(
        rows(
            "SELECT a.Time, (SELECT max(b.place.x) FROM t b WHERE b.place.Y = a.place.Y) AS m FROM t a ORDER BY a.Time",
            t
        ),
        [1.0, 2.0, 3.0, 4.0].map(|time| json!({"Time": time, "m": if time < 3.0 { 2.0 } else { 4.0 }}))
    );
    assert_eq!(
        rows(
            "SELECT count(*) AS n FROM t a WHERE a.place.x < (SELECT avg(b.place.x) FROM t b WHERE b.place.Y = a.place.Y AND b.Time > 0)",
            t
        ),
        [json!({"n": 2})]
    );
    let told = fails(&[
        "query",
        "SELECT (SELECT max(b.place.x) FROM t b WHERE b.Time <= a.Time) AS m FROM t a",
        "--table",
        &format!("t={}", text(&path)),
    ]);
    assert!(told.contains("with = alone"), "{told}");
}

/// Beyond its memory a query goes on on the disk.
#[test]
fn sorts_groups_and_joins_of_more_than_there_is_memory_spill() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.parquet");
    let made = "SELECT value AS v, value * 7919 % 1000003 AS k, concat('row ', CAST(value AS VARCHAR), repeat('x', 40)) AS t FROM generate_series(1, 1000000)";
    prints(&["query", made, "-o", text(&path)]);
    let table = format!("t={}", text(&path));
    let told_in = |memory: &str, sql: &str| prints(&["--memory", memory, "query", sql, "--table", &table, "--csv"]);
    let told = |sql: &str| told_in("64MiB", sql);
    assert_eq!(
        told("SELECT count(*) AS n, max(g) AS g FROM (SELECT row_number() OVER (ORDER BY t) AS g, v FROM t)"),
        "n,g\n1000000,1000000\n"
    );
    let sorted = folder.path().join("sorted.parquet");
    prints(&[
        "--memory",
        "64MiB",
        "query",
        "SELECT * FROM t ORDER BY k DESC, t",
        "--table",
        &table,
        "-o",
        text(&sorted),
    ]);
    let first = rows("SELECT k FROM t LIMIT 1", &[("t", &sorted)]);
    assert_eq!(first, rows("SELECT max(k) AS k FROM t", &[("t", &path)]));
    assert_eq!(
        told("SELECT count(*) AS n, sum(m) AS m FROM (SELECT t, max(v) AS m FROM t GROUP BY t)"),
        "n,m\n1000000,500000500000\n"
    );
    assert_eq!(
        told_in("192MiB", "SELECT count(*) AS n, max(b.t) AS t FROM t a JOIN t b ON a.v = b.v"),
        format!("n,t\n1000000,row 9{}\n", "x".repeat(40))
    );
}

/// Whatever the folders are called, a condition finds them.
#[test]
fn folders_are_found_by_what_they_are_called() {
    let folder = tempfile::tempdir().expect("a folder");
    let names = ["a+b", "c d", "é", "x~y", "p(1)", "it's", "50%", "12:30", "[1]"];
    for name in names {
        write_parquet(&folder.path().join(format!("t/bag_file={name}/d.parquet")), &speeds(), 10);
    }
    for name in names {
        let sql = format!(
            "SELECT count(*) AS n, max(bag_file) AS f FROM t WHERE bag_file = '{}'",
            name.replace('\'', "''")
        );
        assert_eq!(rows(&sql, &[("t", &folder.path().join("t"))]), [json!({"n": 4, "f": name})]);
    }
}

/// As it is read as a topic: the rest of it.
#[test]
fn a_last_line_that_is_cut_off_is_left_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cut.jsonl");
    fs::write(&path, "{\"Time\": 1, \"v\": 1}\n{\"Time\": 2, \"v\": 2}\n{\"Time\": 16").expect("a file");
    let output = super::roadreel(&[
        "query",
        "SELECT sum(v) AS s FROM t",
        "--json",
        "--table",
        &format!("t={}", text(&path)),
    ]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "{\"s\":3}\n", "{told}");
    assert!(
        told.contains("warning: the last line is cut off and is left out") && told.contains("cut.jsonl"),
        "{told}"
    );
    fs::write(&path, "{\"v\": 1}\n{\"v\": nothing}\n{\"v\": 3}\n").expect("a file");
    let told = fails(&["query", "SELECT * FROM t", "--table", &format!("t={}", text(&path))]);
    assert!(told.contains("line 2 is no JSON"), "{told}");
}

/// Only a screen cuts cells; an explained query keeps its lines.
#[test]
fn cells_are_whole_where_no_screen_is() {
    let told = prints(&["query", "SELECT repeat('x', 100) AS a, 1 AS b UNION ALL SELECT 'y', 2 ORDER BY b"]);
    let long = "x".repeat(100);
    assert_eq!(told, format!("{:64}  b\n{long}  1\n{:64}  2\n", "a", "y"));
    let told = prints(&["query", "EXPLAIN SELECT 1 AS a ORDER BY a"]);
    assert!(
        told.starts_with("logical_plan:\n") && told.contains("\n\nphysical_plan:\n"),
        "{told}"
    );
}

#[test]
fn columns_are_told_by_their_names_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = write_parquet(&folder.path().join("t.parquet"), &speeds(), 10);
    let told = fails(&["query", &format!("SELECT nonsense FROM '{}'", text(&path))]);
    assert_eq!(
        told,
        r#"roadreel: No field named nonsense. Valid fields are "Time", "Class", speed, place"#
    );
    let told = fails(&["query", "SELECT x.speeed FROM t x", "--table", &format!("t={}", text(&path))]);
    assert!(
        told.starts_with("roadreel: No field named speeed. Did you mean 'speed'? Valid fields are"),
        "{told}"
    );
}

/// What is wrong on the command line is told before anything is opened.
#[test]
fn unfit_names_are_wrong_usage() {
    for arguments in [
        &["query", "SELECT 1", "--table", "x="][..],
        &["query", "SELECT 1", "-o", "q.xyz"],
        &["export", "missing.bag", "-o", "a.xyz"],
        &["find", "missing.bag", "/a.b > 1", "-o", "f.xlsx"],
        &["scenes", "missing.csv", "-o", "s.xyz"],
    ] {
        let output = super::roadreel(arguments);
        assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let told = fails(&["find", "missing.bag", "/a.b > 1", "-o", "nowhere/f.csv"]);
    assert!(told.contains("there is no folder for the scene table: nowhere"), "{told}");
}

/// Of several files the damaged one is named, by SQL and where messages are read.
#[test]
fn a_damaged_file_of_a_table_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let parts = ["a", "b", "c"].map(|name| write_parquet(&folder.path().join(format!("t/part={name}/d.parquet")), &speeds(), 10));
    let mut bytes = fs::read(&parts[1]).expect("a file");
    // the head of the first page
    bytes[4..16].fill(0xff);
    fs::write(&parts[1], bytes).expect("a file");
    let table = folder.path().join("t");
    let told = fails(&["query", r#"SELECT sum("Time") FROM t"#, "--table", &format!("t={}", text(&table))]);
    assert!(
        told.contains("the table cannot be read: ") && told.ends_with(text(&parts[1])),
        "{told}"
    );
    let output = super::roadreel(&["cat", text(&table), "--json"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        told.contains("(t/part=b/d.parquet)") || told.contains("(part=b/d.parquet)"),
        "{told}"
    );
}

/// What Python writes into JSON though JSON has it not.
#[test]
fn json_lines_may_hold_nan_and_infinities() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.jsonl");
    let lines = "{\"n\": Infinity, \"s\": \"NaN, -Infinity \\\" NaN\", \"d\": {\"x\": [1.5, -Infinity]}}\n\
                 {\"n\": NaN, \"s\": \"b\", \"d\": {\"x\": [NaN]}}\n{\"n\": 3, \"s\": \"c\", \"d\": null}\n";
    fs::write(&path, lines).expect("a file");
    assert_eq!(
        rows("SELECT n, s, d FROM t", &[("t", &path)]),
        [
            json!({"n": "Infinity", "s": "NaN, -Infinity \" NaN", "d": {"x": [1.5, "-Infinity"]}}),
            json!({"n": "NaN", "s": "b", "d": {"x": ["NaN"]}}),
            json!({"n": 3.0, "s": "c", "d": null}),
        ]
    );
    let messages = prints(&["cat", text(&path), "--json"]);
    let told: Vec<serde_json::Value> = messages
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["message"].take())
        .collect();
    assert_eq!(
        told,
        [
            json!({"n": "Infinity", "s": "NaN, -Infinity \" NaN", "d": {"x": [1.5, "-Infinity"]}}),
            json!({"n": "NaN", "s": "b", "d": {"x": ["NaN"]}}),
            json!({"n": 3.0, "s": "c", "d": {"x": []}}),
        ]
    );
}

/// Without the library's own words.
#[test]
fn what_cannot_be_computed_is_told_plainly() {
    for sql in ["SELECT substr(X'616263', 2)", "SELECT 1 AT TIME ZONE 5"] {
        let told = fails(&["query", sql]);
        assert!(
            !told.contains("bug") && !told.contains("DataFusion") && !told.contains('{'),
            "{told}"
        );
    }
}
