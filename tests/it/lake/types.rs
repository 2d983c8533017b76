//! Columns whose types differ between the files of a table keep the values of each file, in SQL and as topics.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array, ListArray, MapArray, StringArray,
    StructArray, TimestampMicrosecondArray, UInt64Array,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type};
use serde_json::{Value, json};

use super::{batch, prints, rows, text, write_parquet};

const SECS: f64 = 1_600_000_000.0;

/// A folder of one file for each of the columns.
fn table(folder: &Path, name: &str, columns: &[ArrayRef]) -> std::path::PathBuf {
    for (number, column) in columns.iter().enumerate() {
        let time = Float64Array::from(vec![SECS + number as f64]);
        let rows = batch(vec![("Time", Arc::new(time) as _), ("v", column.clone())]);
        write_parquet(&folder.join(name).join(format!("{number}.parquet")), &rows, 10);
    }
    folder.join(name)
}

fn cat(path: &Path) -> Vec<Value> {
    let values = |line: &str| -> Value { serde_json::from_str(line).expect("JSON") };
    let lines = prints(&["cat", text(path), "--json"]);
    lines.lines().map(|line| values(line)["message"]["v"].clone()).collect()
}

fn structure(fields: &[(&str, i64)]) -> ArrayRef {
    let columns = fields.iter().map(|(name, value)| {
        let column: ArrayRef = Arc::new(Int64Array::from(vec![*value]));
        (Arc::new(Field::new(*name, DataType::Int64, true)), column)
    });
    Arc::new(StructArray::from(columns.collect::<Vec<_>>()))
}

/// `entries`, `key` and `value` as the writer calls them.
fn mapping(names: [&str; 3], key: ArrayRef, value: i64) -> ArrayRef {
    let fields = vec![
        Arc::new(Field::new(names[1], key.data_type().clone(), false)),
        Arc::new(Field::new(names[2], DataType::Int64, true)),
    ];
    let pairs = StructArray::new(fields.into(), vec![key, Arc::new(Int64Array::from(vec![value]))], None);
    let field = Arc::new(Field::new(names[0], pairs.data_type().clone(), false));
    Arc::new(MapArray::new(field, OffsetBuffer::from_lengths([1]), pairs, None, false))
}

#[test]
fn each_file_keeps_its_values() {
    let folder = tempfile::tempdir().expect("a folder");
    let ints = |value: i64| Arc::new(Int64Array::from(vec![value])) as ArrayRef;
    let floats = |value: f64| Arc::new(Float64Array::from(vec![value])) as ArrayRef;
    let texts = |value: &str| Arc::new(StringArray::from(vec![value])) as ArrayRef;
    let list = |value: i64| Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(value)])])) as ArrayRef;
    let list_of_floats = |value: f64| Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>([Some(vec![Some(value)])])) as ArrayRef;
    let map = |names| mapping(names, texts("k"), 7);
    let wide = 1_i64 << 40;
    // what it is, a column of each file, its values in queries and as a topic
    type Case = (&'static str, Vec<ArrayRef>, [Value; 2], [Value; 2]);
    let cases: Vec<Case> = vec![
        (
            "whole numbers",
            vec![Arc::new(Int32Array::from(vec![1])), ints(wide)],
            [json!(1), json!(wide)],
            [json!(1), json!(wide)],
        ),
        (
            "fractions",
            vec![ints(1), floats(1.5)],
            [json!(1.0), json!(1.5)],
            [json!(1.0), json!(1.5)],
        ),
        (
            "texts",
            vec![ints(1), texts("x")],
            [json!("1"), json!("x")],
            [json!("1"), json!("x")],
        ),
        (
            "beyond 64 bits",
            vec![Arc::new(UInt64Array::from(vec![u64::MAX])), ints(-1)],
            [json!(u64::MAX), json!(-1)],
            [json!(18446744073709551615.0), json!(-1.0)],
        ),
        (
            "truths",
            vec![Arc::new(BooleanArray::from(vec![true])), ints(7)],
            [json!("true"), json!("7")],
            [json!("true"), json!("7")],
        ),
        (
            "bytes",
            vec![Arc::new(BinaryArray::from(vec![&[0xff_u8][..]])), texts("b")],
            [json!("/w=="), json!("Yg==")],
            [json!("/w=="), json!("Yg==")],
        ),
        (
            "days",
            vec![
                Arc::new(Date32Array::from(vec![1])),
                Arc::new(TimestampMicrosecondArray::from(vec![1_600_000_000_000_001])),
            ],
            [json!("1970-01-02T00:00:00"), json!("2020-09-13T12:26:40.000001")],
            [json!({"sec": 86_400, "nsec": 0}), json!({"sec": 1_600_000_000, "nsec": 1_000})],
        ),
        (
            "lists",
            vec![list(1), list_of_floats(1.5)],
            [json!([1.0]), json!([1.5])],
            [json!([1.0]), json!([1.5])],
        ),
        (
            "structures",
            vec![structure(&[("a", 1)]), structure(&[("b", 2), ("a", 3)])],
            [json!({"a": 1, "b": null}), json!({"a": 3, "b": 2})],
            [json!({"a": 1, "b": null}), json!({"a": 3, "b": 2})],
        ),
        (
            "mappings",
            vec![map(["entries", "keys", "values"]), map(["key_value", "key", "value"])],
            [json!({"k": 7}), json!({"k": 7})],
            [json!([{"keys": "k", "values": 7}]), json!([{"keys": "k", "values": 7}])],
        ),
    ];
    for (name, columns, queried, shown) in cases {
        let path = table(folder.path(), name, &columns);
        let told = rows("SELECT v FROM t ORDER BY \"Time\"", &[("t", &path)]);
        let told: Vec<Value> = told.iter().map(|row| row["v"].clone()).collect();
        assert_eq!(told, queried, "{name}");
        assert_eq!(cat(&path), shown, "{name}");
    }
}

/// Files of several recordings, a topic each.
#[test]
fn recordings_keep_their_values_beside_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let columns: [(&str, ArrayRef); 3] = [
        ("a", Arc::new(Int64Array::from(vec![1 << 40]))),
        ("b", Arc::new(Float64Array::from(vec![1.5]))),
        ("c", Arc::new(StringArray::from(vec!["x"]))),
    ];
    for (bag, column) in &columns {
        let rows = batch(vec![("Time", Arc::new(Float64Array::from(vec![SECS])) as _), ("v", column.clone())]);
        write_parquet(&folder.path().join(format!("speed/bag_file={bag}/data.parq")), &rows, 10);
    }
    let mut told = cat(&folder.path().join("speed"));
    told.sort_by_key(ToString::to_string);
    assert_eq!(told, [json!("1.5"), json!("1099511627776"), json!("x")]);
    // a condition over numbers does not leave files out by their order as texts
    let found = prints(&["find", text(&folder.path().join("speed")), "/a/speed.v == '1099511627776'"]);
    assert_eq!(found.lines().count(), 1, "{found}");
}

/// Messages hold no times before 1970: a column of such is one of texts.
#[test]
fn times_that_no_message_holds_are_texts() {
    let folder = tempfile::tempdir().expect("a folder");
    let far: ArrayRef = Arc::new(Date32Array::from(vec![-719_162, 2_932_896]));
    let near: ArrayRef = Arc::new(Date32Array::from(vec![0, 1]));
    let rows = batch(vec![
        ("Time", Arc::new(Float64Array::from(vec![SECS, SECS + 1.0])) as _),
        ("v", far),
        ("near", near),
    ]);
    let path = write_parquet(&folder.path().join("t.parquet"), &rows, 10);
    assert_eq!(cat(&path), [json!("0001-01-01"), json!("9999-12-31")]);
    let lines = prints(&["cat", text(&path), "--json"]);
    assert!(lines.contains(r#""near":{"sec":86400,"nsec":0}"#), "{lines}");
}

/// Keys of mappings are texts in JSON, whatever they are in the table.
#[test]
fn mappings_of_numbers_are_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let column = mapping(["entries", "keys", "values"], Arc::new(Int64Array::from(vec![5])), 7);
    let path = table(folder.path(), "m", &[column]);
    let table = format!("t={}", text(&path));
    let query = |more: &[&str]| prints(&[&["query", "SELECT v FROM t", "--table", &table], more].concat());
    assert_eq!(query(&["--json"]), "{\"v\":{\"5\":7}}\n");
    assert_eq!(query(&["--csv"]), "v\n\"{\"\"5\"\":7}\"\n");
    let out = folder.path().join("out.json");
    query(&["-o", text(&out)]);
    assert_eq!(std::fs::read_to_string(&out).expect("a file"), "{\"v\":{\"5\":7}}\n");
}
