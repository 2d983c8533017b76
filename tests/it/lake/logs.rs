//! Hudi and Delta tables are read by their logs: real ones where the test data is there, small ones always.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use arrow::array::{Int64Array, StringArray};
use serde_json::{Value, json};

use super::{batch, fails, prints, rows, text, write_parquet};
use crate::data::data;

fn names(path: &Path, names: &[&str]) {
    write_parquet(path, &batch(vec![("name", Arc::new(StringArray::from(names.to_vec())) as _)]), 10);
}

fn write(path: PathBuf, content: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, content).expect("a file");
}

fn all(path: &Path) -> Vec<Value> {
    rows("SELECT name FROM t ORDER BY name", &[("t", path)])
        .into_iter()
        .map(|row| row["name"].clone())
        .collect()
}

fn as_of(path: &Path, moment: &str) -> Vec<String> {
    let sql = format!("SELECT name FROM lake('{}', '{moment}') ORDER BY name", text(path));
    rows(&sql, &[])
        .iter()
        .map(|row| row["name"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// A newer slice of a file group hides the older one, a replaced group and one that was never committed are not there.
#[test]
fn hudi_is_read_by_its_timeline() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    write(
        root.join(".hoodie/hoodie.properties"),
        "hoodie.table.type=COPY_ON_WRITE\nhoodie.table.version=6\n",
    );
    write(root.join(".hoodie/20240101000000000.commit"), "{}");
    write(root.join(".hoodie/20240102000000000.commit"), "{}");
    write(
        root.join(".hoodie/20240103000000000.replacecommit"),
        r#"{"partitionToReplaceFileIds": {"eu": ["b-0"]}}"#,
    );
    write(root.join(".hoodie/20240104000000000.inflight"), "");
    names(&root.join("us/a-0_0-1-1_20240101000000000.parquet"), &["old"]);
    names(&root.join("us/a-0_0-2-2_20240102000000000.parquet"), &["new"]);
    names(&root.join("eu/b-0_0-1-2_20240101000000000.parquet"), &["replaced"]);
    names(&root.join("eu/c-0_0-3-3_20240103000000000.parquet"), &["instead"]);
    names(&root.join("us/d-0_0-4-4_20240104000000000.parquet"), &["never committed"]);
    assert_eq!(all(root), ["instead", "new"]);
    assert_eq!(as_of(root, "20240101000000000"), ["old", "replaced"]);
    assert_eq!(as_of(root, "2024-01-02"), ["new", "replaced"]);
    let told = prints(&[
        "query",
        "SELECT name FROM t FOR SYSTEM_TIME AS OF '2024-01-01' ORDER BY name",
        "--table",
        &format!("t={}", text(root)),
        "--csv",
    ]);
    assert_eq!(told, "name\nold\nreplaced\n");
    // a log file whose base file is the newest holds newer rows
    write(root.join("us/.a-0_20240102000000000.log.1_0-5-5"), "#HUDI#");
    let told = fails(&["query", "SELECT * FROM t", "--table", &format!("t={}", text(root))]);
    assert!(told.contains("merge-on-read") && told.contains("log files"), "{told}");
    assert!(fails(&["query", &format!("SELECT * FROM lake('{}', '2023-01-01')", text(root))]).contains("no commit up to"));
}

/// Beside other tables, too, and what cannot be read is named.
#[test]
fn tables_below_a_folder_are_read_by_their_logs() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    for (name, kind) in [("trips", "COPY_ON_WRITE"), ("merged", "MERGE_ON_READ")] {
        let table = root.join("hudi").join(name);
        let properties = format!("hoodie.table.type={kind}\nhoodie.table.version=6\n");
        write(table.join(".hoodie/hoodie.properties"), &properties);
        write(table.join(".hoodie/20240101000000000.commit"), "{}");
        write(table.join(".hoodie/20240102000000000.commit"), "{}");
        // a table of its own, of no concern
        write(table.join(".hoodie/metadata/.hoodie/hoodie.properties"), "hoodie.table.version=6\n");
        names(&table.join("us/a-0_0-1-1_20240101000000000.parquet"), &["old"]);
        names(&table.join("us/a-0_0-2-2_20240102000000000.parquet"), &["new"]);
    }
    write(root.join("hudi/merged/us/.a-0_20240102000000000.log.1_0-5-5"), "#HUDI#");
    let log = |version: u32, actions: &str| write(root.join(format!("delta/_delta_log/{version:020}.json")), actions);
    log(
        0,
        "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n{\"metaData\":{\"id\":\"a\",\"partitionColumns\":[],\"format\":{\"provider\":\"parquet\"}}}\n{\"add\":{\"path\":\"a.parquet\",\"partitionValues\":{},\"size\":1,\"modificationTime\":1,\"dataChange\":true}}\n",
    );
    log(
        1,
        "{\"remove\":{\"path\":\"a.parquet\",\"dataChange\":true}}\n{\"add\":{\"path\":\"b.parquet\",\"partitionValues\":{},\"size\":1,\"modificationTime\":1,\"dataChange\":true}}\n",
    );
    names(&root.join("delta/a.parquet"), &["removed"]);
    names(&root.join("delta/b.parquet"), &["live"]);
    names(&root.join("plain/one.parquet"), &["plain"]);
    let of = |table: &str| {
        let sql = format!("SELECT name FROM lake.{table} ORDER BY name");
        let found = rows(&sql, &[("lake", root)]);
        found.into_iter().map(|row| row["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        (of("trips"), of("delta"), of("plain")),
        (vec![json!("new")], vec![json!("live")], vec![json!("plain")])
    );
    // why a table is not read is told to whoever asks for it, also where only its file tells
    let sealed = root.join("sealed/one.parquet");
    names(&sealed, &["sealed"]);
    let mut bytes = fs::read(&sealed).expect("a file");
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(b"PARE");
    fs::write(&sealed, bytes).expect("a file");
    for (table, why) in [("merged", "merge-on-read"), ("sealed", "encrypted")] {
        let sql = format!("SELECT * FROM lake.{table}");
        let told = fails(&["query", &sql, "--table", &format!("lake={}", text(root))]);
        assert!(
            told.contains(&format!("lake.{table} is not read: ")) && told.contains(why),
            "{told}"
        );
    }
    assert_eq!(of("plain"), [json!("plain")]);
    fs::remove_file(sealed).expect("a file");
    let told: Value = serde_json::from_str(&prints(&["info", text(root), "--json"])).expect("JSON");
    assert_eq!(told["messages"], 3, "{told}");
    assert!(told.to_string().contains("hudi/merged is not read: "), "{told}");
}

#[test]
fn delta_is_read_by_its_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let schema = r#"{\"type\":\"struct\",\"fields\":[{\"name\":\"name\",\"type\":\"string\"},{\"name\":\"day\",\"type\":\"integer\"}]}"#;
    write(
        root.join("_delta_log/00000000000000000000.json"),
        &format!(
            "{}\n{}\n{}\n{}\n",
            r#"{"commitInfo":{"timestamp":1700000000000}}"#,
            r#"{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}"#,
            format_args!(r#"{{"metaData":{{"schemaString":"{schema}","partitionColumns":["day"],"configuration":{{}}}}}}"#),
            r#"{"add":{"path":"day=1/a%20b.parquet","partitionValues":{"day":"1"},"size":1}}"#,
        ),
    );
    write(
        root.join("_delta_log/00000000000000000001.json"),
        "{\"commitInfo\":{\"timestamp\":1700000001000}}\n{\"remove\":{\"path\":\"day=1/a%20b.parquet\"}}\n{\"add\":{\"path\":\"day=2/c.parquet\",\"partitionValues\":{\"day\":\"2\"},\"size\":1}}\n",
    );
    names(&root.join("day=1/a b.parquet"), &["first"]);
    names(&root.join("day=2/c.parquet"), &["second"]);
    names(&root.join("day=2/orphan.parquet"), &["orphan"]);
    assert_eq!(
        rows("SELECT name, day + 1 AS next FROM t", &[("t", root)]),
        [json!({"name": "second", "next": 3})]
    );
    assert_eq!(as_of(root, "0"), ["first"]);
    assert_eq!(as_of(root, "1700000000500"), ["first"]);
    write(
        root.join("_delta_log/00000000000000000002.json"),
        "{\"add\":{\"path\":\"day=2/c.parquet\",\"partitionValues\":{\"day\":\"2\"},\"size\":1,\"deletionVector\":{\"storageType\":\"u\"}}}\n",
    );
    let told = fails(&["query", "SELECT * FROM t", "--table", &format!("t={}", text(root))]);
    assert!(told.contains("deletion vectors"), "{told}");
}

/// All its files were removed: no rows, under the columns that the log names.
#[test]
fn an_emptied_delta_table_has_its_columns() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("trips");
    let field = |name: &str, of: &str| format!(r#"{{\"name\":\"{name}\",\"type\":{of},\"nullable\":true,\"metadata\":{{}}}}"#);
    let fields = [
        field("name", r#"\"string\""#),
        field("length", r#"\"decimal(10,2)\""#),
        field("time", r#"\"timestamp\""#),
        field("tags", r#"{\"type\":\"array\",\"elementType\":\"long\",\"containsNull\":true}"#),
        field("day", r#"\"integer\""#),
    ];
    let schema = format!(r#"{{\"type\":\"struct\",\"fields\":[{}]}}"#, fields.join(","));
    let log = |version: u32, actions: &str| write(root.join(format!("_delta_log/{version:020}.json")), actions);
    log(
        0,
        &format!(
            "{{\"metaData\":{{\"schemaString\":\"{schema}\",\"partitionColumns\":[\"day\"]}}}}\n\
             {{\"add\":{{\"path\":\"a.parquet\",\"partitionValues\":{{\"day\":\"1\"}},\"size\":1}}}}\n"
        ),
    );
    log(1, "{\"remove\":{\"path\":\"a.parquet\"}}\n");
    let head = |sql: &str, place: &Path| prints(&["query", sql, "--table", &format!("t={}", text(place)), "--csv"]);
    assert_eq!(head("SELECT * FROM t", &root), "name,length,time,tags,day\n");
    assert_eq!(head("SELECT sum(length + day) AS n, max(time) AS m FROM t", &root), "n,m\n,\n");
    let told: Value = serde_json::from_str(&prints(&["info", text(&root), "--json"])).expect("JSON");
    assert_eq!(
        (&told["messages"], &told["topics"][0]["topic"]),
        (&json!(0), &json!("/trips")),
        "{told}"
    );
    // beside others
    names(&folder.path().join("plain/one.parquet"), &["plain"]);
    assert_eq!(head("SELECT count(*) AS n FROM t.trips, t.plain", folder.path()), "n\n0\n");
}

/// Without the first commits, the checkpoint tells.
#[test]
fn delta_goes_on_from_a_checkpoint() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    names(&root.join("a.parquet"), &["a"]);
    names(&root.join("b.parquet"), &["b"]);
    let add = arrow::array::StructArray::from(vec![
        (
            Arc::new(arrow::datatypes::Field::new("path", arrow::datatypes::DataType::Utf8, true)),
            Arc::new(StringArray::from(vec!["a.parquet"])) as _,
        ),
        (
            Arc::new(arrow::datatypes::Field::new("size", arrow::datatypes::DataType::Int64, true)),
            Arc::new(Int64Array::from(vec![1])) as _,
        ),
    ]);
    write_parquet(
        &root.join("_delta_log/00000000000000000007.checkpoint.parquet"),
        &batch(vec![("add", Arc::new(add) as _)]),
        10,
    );
    write(
        root.join("_delta_log/00000000000000000007.json"),
        "{\"add\":{\"path\":\"never.parquet\"}}\n",
    );
    write(
        root.join("_delta_log/00000000000000000008.json"),
        "{\"add\":{\"path\":\"b.parquet\",\"partitionValues\":{},\"size\":1}}\n",
    );
    assert_eq!(all(root), ["a", "b"]);
    fs::remove_file(root.join("_delta_log/00000000000000000008.json")).expect("a file");
    write(
        root.join("_delta_log/00000000000000000009.json"),
        "{\"add\":{\"path\":\"b.parquet\"}}\n",
    );
    assert!(fails(&["query", "SELECT * FROM t", "--table", &format!("t={}", text(root))]).contains("version 8 is missing"));
}

/// Tables that Hudi itself wrote: the rows of their scripts.
#[test]
fn real_hudi_tables_give_the_rows_of_their_scripts() {
    let wanted: [(&str, &str, &str, &[&str]); 4] = [
        (
            "cow_v6_complexkeygen_hivestyle",
            "id",
            "isActive",
            &["1 false", "2 false", "3 true", "4 true"],
        ),
        ("cow_v6_simplekeygen_nonhivestyle_overwritetable", "id", "isActive", &["4 false"]),
        (
            "cow_v8_nonpartitioned",
            "id",
            "isActive",
            &["1 false", "2 false", "3 true", "4 true"],
        ),
        (
            "cow_v9_txns_simple_nometa",
            "txn_id",
            "amount",
            &[
                "TXN-001 1250.00",
                "TXN-003 5000.00",
                "TXN-007 8900.00",
                "TXN-008 320.25",
                "TXN-011 999.99",
                "TXN-012 350.00",
                "TXN-013 750.00",
                "TXN-014 125.50",
                "TXN-015 4500.00",
                "TXN-016 88.00",
                "TXN-017 199.99",
                "TXN-018 55.00",
            ],
        ),
    ];
    for (name, key, value, told) in wanted {
        let Some(archive) = data(&format!("lake/hudi/{name}.zip")) else {
            return;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let Ok(unpacked) = Command::new("unzip").arg("-qo").arg(&archive).arg("-d").arg(folder.path()).status() else {
            eprintln!("passed over: there is no unzip");
            return;
        };
        assert!(unpacked.success(), "{name}");
        let mut inner = fs::read_dir(folder.path()).expect("a folder").flatten().map(|e| e.path());
        let table = inner.find(|path| path.join(".hoodie").is_dir()).expect("a table");
        let sql = format!("SELECT {key}, {value} FROM t ORDER BY {key}");
        let arguments = ["query", &sql, "--table", &format!("t={}", text(&table)), "--csv"];
        let lines: Vec<String> = prints(&arguments).lines().skip(1).map(|line| line.replace(',', " ")).collect();
        assert_eq!(lines, told, "{name}");
    }
}

/// Instants that rows are partitioned by are of UTC, and conditions find them.
#[test]
fn delta_is_partitioned_by_instants() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    names(&root.join("a.parquet"), &["a"]);
    let schema = r#"{\"type\":\"struct\",\"fields\":[{\"name\":\"at\",\"type\":\"timestamp\",\"nullable\":true,\"metadata\":{}}]}"#;
    write(
        root.join("_delta_log/00000000000000000000.json"),
        &format!(
            "{{\"metaData\":{{\"schemaString\":\"{schema}\",\"partitionColumns\":[\"at\"]}}}}\n\
             {{\"add\":{{\"path\":\"a.parquet\",\"partitionValues\":{{\"at\":\"2024-01-01 12:00:00.000000\"}},\"size\":1}}}}\n"
        ),
    );
    let told = rows("SELECT at FROM t WHERE at = '2024-01-01T12:00:00Z'", &[("t", root)]);
    assert_eq!(told, [json!({"at": "2024-01-01T12:00:00Z"})]);
}
