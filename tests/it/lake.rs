//! Tables and topics under one SQL, tables as recordings, and recordings written anew: through the program, as scripts see it.

#[path = "lake/export.rs"]
mod export;
#[path = "lake/logs.rs"]
mod logs;
#[path = "lake/names.rs"]
mod names;
#[path = "lake/query.rs"]
mod query;
#[path = "lake/remote.rs"]
mod remote;
#[path = "lake/tables.rs"]
mod tables;
#[path = "lake/topics.rs"]
mod topics;
#[path = "lake/types.rs"]
mod types;

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use serde_json::Value;

use crate::program;

fn roadreel(arguments: &[&str]) -> Output {
    program::roadreel().args(arguments).output().expect("the program starts")
}

/// What it prints where it has to succeed.
#[track_caller]
fn prints(arguments: &[&str]) -> String {
    let output = roadreel(arguments);
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("text")
}

/// The sentence with which it fails.
#[track_caller]
fn fails(arguments: &[&str]) -> String {
    let output = roadreel(arguments);
    assert_eq!(
        output.status.code(),
        Some(1),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stdout)
    );
    assert!(output.stdout.is_empty(), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}

/// The rows of a query, as JSON.
#[track_caller]
fn rows(sql: &str, tables: &[(&str, &Path)]) -> Vec<Value> {
    let tables: Vec<String> = tables.iter().map(|(name, path)| format!("{name}={}", path.display())).collect();
    let mut arguments = vec!["query", sql, "--json"];
    for table in &tables {
        arguments.extend(["--table", table]);
    }
    prints(&arguments)
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let fields = columns
        .iter()
        .map(|(name, column)| Field::new(*name, column.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    RecordBatch::try_new(schema, columns.into_iter().map(|(_, column)| column).collect()).expect("a batch")
}

/// Writes a Parquet file with so many rows a row group.
fn write_parquet(path: &Path, batch: &RecordBatch, rows: usize) -> PathBuf {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    let file = std::fs::File::create(path).expect("a file");
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(rows)).build();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).expect("a writer");
    writer.write(batch).expect("rows");
    writer.close().expect("a footer");
    path.to_owned()
}

/// The drive that the tests share: three seconds.
fn drive() -> &'static Path {
    use std::sync::OnceLock;
    static DRIVE: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = DRIVE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("drives/drive_a.bag");
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        prints(&["demo", "--seconds", "3", "-o", text(&path)]);
        (folder, path)
    });
    path
}
