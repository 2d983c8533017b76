//! Tables as topics: row groups whose statistics decide are not read, and columns that nothing names.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use roadreel::find::{Bounds, Drive, Kind, places, tables};
use roadreel::run::{Io, Recording};
use roadreel::source::{Location, Policy};

use super::{Sent, bag, ms, shown, spans, written};

/// A row every millisecond: `n` counts them, `wave` is null at times, `name` a text, `ballast` takes room.
fn table(folder: &Path, path: &str, rows: i64, a_group: usize) {
    let column = |value: &dyn Fn(i64) -> Option<f64>| -> ArrayRef { Arc::new((0..rows).map(value).collect::<Float64Array>()) };
    let names = (0..rows).map(|n| (n % 7 != 0).then(|| format!("part {}", n / 100)));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("timestamp", Arc::new((0..rows).map(|n| ms(n).0).collect::<Int64Array>())),
        ("n", Arc::new((0..rows).collect::<Int64Array>())),
        ("wave", column(&|n| (n % 10 != 9).then(|| ((n / 50) % 2) as f64 + n as f64 / 1e6))),
        ("name", Arc::new(names.collect::<StringArray>())),
        ("ballast", column(&|n| Some(((n * 7_919) % 10_007) as f64))),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))).expect("rows");
    let path = written(folder, path, b"");
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(a_group))
        .set_dictionary_enabled(false)
        .build();
    let mut writer =
        ArrowWriter::try_new(std::fs::File::create(path).expect("a file"), batch.schema(), Some(properties)).expect("a writer");
    writer.write(&batch).expect("rows");
    writer.close().expect("a footer");
}

fn drives(at: &Path, topics: &[&str]) -> (Io, Vec<Drive>) {
    let io = Io::new(Policy::default(), &[]).expect("a runtime");
    let places = places(&io, &[Location::Path(at.to_owned())]).expect("places");
    assert!(places.iter().all(|place| place.kind == Kind::Table), "{places:?}");
    let tables = tables(&io, &places, topics).expect("tables");
    (io, Drive::of_tables(tables))
}

#[test]
fn row_groups_that_cannot_matter_are_not_read() {
    let folder = tempfile::tempdir().expect("a folder");
    table(folder.path(), "signals.parquet", 20_000, 1_000);
    let (io, drives) = drives(&folder.path().join("signals.parquet"), &[]);
    let [drive] = drives.as_slice() else { panic!("one drive") };
    let found = |text: &str| {
        let before = io.traffic().snapshot().disk_bytes;
        let (found, reads) = spans(drive, text, Bounds::default());
        (shown(&found), reads.chunks, io.traffic().snapshot().disk_bytes - before)
    };
    let (all, chunks, every_row) = found("/signals.n % 20000 >= 0");
    assert_eq!((&*all, chunks), ("0-19999", 20));
    for (text, expected, groups) in [
        ("/signals.n > 15500", "15501-19999", 5),
        ("/signals.n >= 3000 and /signals.n < 3010", "3000-3010", 1),
        ("5 > /signals.n or /signals.n == 12345", "0-5 12345-12346", 2),
        ("/signals.n > 20000", "", 0),
        ("/signals.n == 7.5", "", 1),
        ("/signals.wave > 7", "", 0),
        ("not (/signals.n < 19990)", "19990-19999", 20),
        ("/signals.n > 18000 and not (/signals.name == '')", "", 2),
    ] {
        let (shown, chunks, bytes) = found(text);
        if !expected.is_empty() {
            assert_eq!(shown, expected, "{text}");
        }
        assert_eq!(chunks, groups, "{text}");
        assert!(bytes <= every_row * chunks as u64 / 20 * 3 + 1, "{text}: {bytes} of {every_row}");
    }
    // two columns of five
    let file = std::fs::metadata(folder.path().join("signals.parquet")).expect("a file").len();
    assert!(every_row * 2 < file, "{every_row} of {file}");
}

/// What is said of a group that is not read is true at once where it begins.
#[test]
fn a_span_ends_where_a_group_begins_that_is_not_read() {
    let folder = tempfile::tempdir().expect("a folder");
    table(folder.path(), "signals.parquet", 1_000, 100);
    let (_, drives) = drives(&folder.path().join("signals.parquet"), &[]);
    let (found, reads) = spans(&drives[0], "/signals.n >= 250 and /signals.n < 300", Bounds::default());
    assert_eq!((shown(&found), reads.chunks), ("250-300".to_owned(), 1));
    // a null is no number, and no number is larger than another
    let (found, _) = spans(&drives[0], "/signals.wave >= 1 and /signals.n < 80", Bounds::default());
    assert_eq!(shown(&found), "50-59 60-69 70-79");
}

#[test]
fn tables_of_a_lake_are_searched_recording_by_recording_and_beside_their_bags() {
    let folder = tempfile::tempdir().expect("a folder");
    for (bag, rows) in [("drive_a", 100), ("drive_b", 300)] {
        table(folder.path(), &format!("lake/signals/bag_file={bag}/data.parq"), rows, 50);
        table(folder.path(), &format!("lake/others/bag_file={bag}/data.parq"), rows, 50);
    }
    let (_, drives) = drives(&folder.path().join("lake"), &["/signals"]);
    let found: Vec<(String, String)> = drives
        .iter()
        .map(|drive| {
            (
                drive.record().to_owned(),
                shown(&spans(drive, "/signals.n >= 90", Bounds::default()).0),
            )
        })
        .collect();
    assert_eq!(found, [("drive_a".into(), "90-99".into()), ("drive_b".into(), "90-299".into())]);

    let messages = [(0, 1.0), (95, -1.0)].map(|(at, value)| Sent { topic: 0, at, value });
    let path = written(folder.path(), "drive_a.bag", &bag(&messages, 10));
    let io = Io::new(Policy::default(), &[]).expect("a runtime");
    let lake = places(&io, &[Location::Path(folder.path().join("lake"))]).expect("places");
    let tables = tables(&io, &lake, &["/signals"]).expect("tables");
    let recording = Recording::open(&io, Location::Path(path), |_, _| {}).expect("it opens");
    let drive = Drive::of(recording).beside(&tables);
    let (found, _) = spans(&drive, "/a.data > 0 and /signals.n >= 90", Bounds::default());
    assert_eq!(shown(&found), "90-95");
}
