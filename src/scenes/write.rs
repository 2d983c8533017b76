//! Scenes → a table with the columns of AWS's `Rosbag-Scene-Metadata`, and some that say more.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use indexmap::IndexSet;

use super::Scene;
use crate::lake::{LakeError, Rows, Style};
use crate::source::{END_TEXT, START_TEXT};
use crate::time::Time;

/// Writes scenes; `style` as a rule by the file's ending ([`Style::of`]).
pub fn write<W: Write + Send>(scenes: &[Scene], style: Style, out: W) -> Result<W, LakeError> {
    let batch = batch(scenes)?;
    let mut rows = Rows::new(style, &batch.schema(), out)?;
    rows.write(&batch)?;
    rows.finish()
}

/// One row a scene. Times are seconds, as AWS's tools have them, and exact in `start_ns` and `end_ns`; what stood there and is no time
/// stays as the number that it is, or in `start_text` and `end_text`. Further columns are numbers where all their texts are.
pub fn batch(scenes: &[Scene]) -> Result<RecordBatch, LakeError> {
    let text = |of: fn(&Scene) -> Option<&str>| -> ArrayRef { Arc::new(scenes.iter().map(of).collect::<StringArray>()) };
    let secs = |of: fn(&Scene) -> Option<f64>| -> ArrayRef { Arc::new(scenes.iter().map(of).collect::<Float64Array>()) };
    let nanos = |of: fn(&Scene) -> Option<i64>| -> ArrayRef { Arc::new(scenes.iter().map(of).collect::<Int64Array>()) };
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("bag_file", text(|scene| Some(&scene.record))),
        ("scene_id", text(|scene| Some(&scene.id))),
        ("bag_file_prefix", text(|scene| scene.prefix.as_deref())),
        ("bag_file_bucket", text(|scene| scene.bucket.as_deref())),
        ("start_time", secs(|scene| number(scene.start, scene.start_text.as_deref()))),
        ("end_time", secs(|scene| number(scene.end, scene.end_text.as_deref()))),
        ("scene_length", secs(|scene| Some(scene.end?.since(scene.start?) as f64 / 1e9))),
        ("class", text(|scene| scene.class.as_deref())),
        ("text", text(|scene| scene.text.as_deref())),
        ("start_ns", nanos(|scene| scene.start.map(Time::nanos))),
        ("end_ns", nanos(|scene| scene.end.map(Time::nanos))),
    ];
    let odd = [
        (START_TEXT, text(|scene| odd(scene.start, scene.start_text.as_deref()))),
        (END_TEXT, text(|scene| odd(scene.end, scene.end_text.as_deref()))),
    ];
    columns.extend(odd.into_iter().filter(|(_, column)| column.null_count() < column.len()));
    let own: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let further: IndexSet<&str> = scenes
        .iter()
        .flat_map(|scene| scene.notes.iter().map(|(name, _)| &**name))
        .filter(|name| !own.contains(name))
        .collect();
    for name in further {
        let value = |scene: &Scene| Some(scene.notes.iter().find(|(own, _)| own == name)?.1.clone());
        columns.push((name, narrowest(scenes.iter().map(value).collect())));
    }
    let nullable = columns.into_iter().map(|(name, array)| (name, array, true));
    Ok(RecordBatch::try_from_iter_with_nullable(nullable)?)
}

/// Seconds, or what stood in their place where that is a number.
fn number(time: Option<Time>, text: Option<&str>) -> Option<f64> {
    time.map(Time::nearest_secs).or_else(|| same_number(text?))
}

/// What stood in a time's place and is neither a time nor a number.
fn odd(time: Option<Time>, text: Option<&str>) -> Option<&str> {
    text.filter(|text| time.is_none() && same_number(text).is_none())
}

fn same_number(text: &str) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    (number.is_finite() && number.to_string() == text).then_some(number)
}

/// Whole numbers, numbers or texts. A text like `007` stays one.
fn narrowest(texts: Vec<Option<String>>) -> ArrayRef {
    fn all<T: std::str::FromStr>(texts: &[Option<String>], is_same: fn(&T, &str) -> bool) -> Option<Vec<Option<T>>> {
        let read = |text: &Option<String>| match text {
            None => Some(None),
            Some(text) => text.parse().ok().filter(|value| is_same(value, text)).map(Some),
        };
        texts.iter().map(read).collect()
    }
    if let Some(whole) = all::<i64>(&texts, |value, text| value.to_string() == text) {
        return Arc::new(Int64Array::from(whole));
    }
    if let Some(numbers) = all::<f64>(&texts, |value, text| value.is_finite() && !text.starts_with("00")) {
        return Arc::new(Float64Array::from(numbers));
    }
    Arc::new(StringArray::from(texts))
}
