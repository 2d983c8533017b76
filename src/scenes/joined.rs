//! Detections frame by frame → the spans in which there were some, as AWS's `detect_scenes` makes scenes of them.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema};
use serde_json::Value;

use super::Scene;
use super::cells::texts;
use super::columns::Columns;
use crate::source::SceneTable;
use crate::time::{Span, Time};

/// The column of what was seen in a frame.
const OBJECTS: &str = "objects_in_lane";
/// A frame as long after the one before, against what is usual between two, begins another scene.
const GAP_FRAMES: i64 = 3;
/// What is not called anything.
const UNNAMED: &str = "object";

/// What was seen in each frame, by recording.
#[derive(Default)]
pub(super) struct Frames {
    /// Bucket, prefix and name of the recording → frames.
    recordings: BTreeMap<[String; 3], Vec<Frame>>,
}

struct Frame {
    at: Time,
    /// How many there were of each class.
    classes: BTreeMap<String, usize>,
}

pub(super) fn are_frames(schema: &Schema) -> bool {
    let objects = schema.fields().iter().find(|field| field.name() == OBJECTS);
    objects.is_some_and(|field| !matches!(field.data_type(), DataType::Null))
}

impl Frames {
    /// Takes rows; one without a time is no frame of any scene.
    pub fn add(&mut self, batch: &RecordBatch) {
        let schema = batch.schema();
        let names: Vec<&str> = schema.fields().iter().map(|field| &**field.name()).collect();
        let (Some(columns), Some(objects)) = (Columns::of(&names), batch.column_by_name(OBJECTS)) else {
            return;
        };
        let is_other = |at: &usize| names.get(*at) != Some(&OBJECTS);
        let others: BTreeMap<usize, Vec<Option<String>>> = (0..names.len())
            .filter(is_other)
            .filter_map(|at| Some((at, texts(batch.columns().get(at)?))))
            .collect();
        let classes = Classes::of(objects);
        for row in 0..batch.num_rows() {
            let text = |at: usize| others.get(&at)?.get(row).cloned().flatten();
            let scene = Scene::of_item(&SceneTable::default(), columns.item(text));
            let Some(at) = scene.start else { continue };
            let recording = [scene.bucket, scene.prefix, Some(scene.record)].map(Option::unwrap_or_default);
            let frame = Frame {
                at,
                classes: classes.in_row(row),
            };
            self.recordings.entry(recording).or_default().push(frame);
        }
    }

    /// For each class the spans over which frame after frame has some.
    pub fn scenes(self) -> Vec<Scene> {
        let mut scenes = Vec::new();
        for ([bucket, prefix, record], mut frames) in self.recordings {
            frames.sort_by_key(|frame| frame.at);
            let usual = usual_gap(&frames);
            let mut running: BTreeMap<&str, Run> = BTreeMap::new();
            let mut done: Vec<(&str, Run)> = Vec::new();
            for frame in &frames {
                let ended: Vec<&str> = running
                    .iter()
                    .filter(|(class, run)| !frame.classes.contains_key(**class) || frame.at.since(run.span.end) > usual)
                    .map(|(class, _)| *class)
                    .collect();
                done.extend(ended.into_iter().filter_map(|class| Some((class, running.remove(class)?))));
                for (class, count) in &frame.classes {
                    let run = running.entry(class.as_str()).or_insert(Run {
                        span: Span::at(frame.at),
                        frames: 0,
                        at_start: *count,
                    });
                    run.span.end = frame.at;
                    run.frames += 1;
                }
            }
            done.extend(running);
            done.sort_by_key(|(_, run)| run.span.start);
            let given = |text: &String| (!text.is_empty()).then(|| text.clone());
            scenes.extend(done.into_iter().map(|(class, run)| Scene {
                id: format!("{record}_{class}InLane_{:?}", run.span.start.nearest_secs()),
                class: Some(class.to_owned()),
                bucket: given(&bucket),
                prefix: given(&prefix),
                file: record.clone(),
                record: record.clone(),
                start: Some(run.span.start),
                end: Some(run.span.end),
                notes: vec![
                    (format!("num_{class}_in_lane_start"), run.at_start.to_string()),
                    ("frames".to_owned(), run.frames.to_string()),
                ],
                ..Scene::default()
            }));
        }
        scenes
    }
}

struct Run {
    span: Span,
    frames: usize,
    at_start: usize,
}

/// The longest that two frames of one scene are apart.
fn usual_gap(frames: &[Frame]) -> i64 {
    let mut gaps: Vec<i64> = frames
        .windows(2)
        .map(|pair| match pair {
            [a, b] => b.at.since(a.at),
            _ => 0,
        })
        .filter(|gap| *gap > 0)
        .collect();
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).copied().unwrap_or(0).saturating_mul(GAP_FRAMES)
}

/// The classes of the objects of each row: of lists of structures, or of texts that hold their JSON.
enum Classes {
    Lists {
        array: ArrayRef,
        names: Option<Vec<Option<String>>>,
    },
    Json(Vec<Option<String>>),
}

impl Classes {
    fn of(objects: &ArrayRef) -> Classes {
        let inner = match objects.data_type() {
            DataType::List(inner) | DataType::LargeList(inner) | DataType::ListView(inner) | DataType::FixedSizeList(inner, _) => {
                Some(inner.clone())
            }
            _ => None,
        };
        let as_list = inner.and_then(|inner| cast(objects, &DataType::List(inner)).ok());
        match as_list {
            Some(array) => {
                let names = array.as_list::<i32>().values().as_struct_opt().and_then(|parts| {
                    let fields = parts.column_names();
                    let at = fields.iter().position(|name| name.eq_ignore_ascii_case("class"))?;
                    Some(texts(parts.columns().get(at)?))
                });
                Classes::Lists { array, names }
            }
            None => Classes::Json(texts(objects)),
        }
    }

    fn in_row(&self, row: usize) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        match self {
            Classes::Lists { array, names } => {
                let list = array.as_list::<i32>();
                let bound = |at: usize| list.offsets().get(at).and_then(|offset| usize::try_from(*offset).ok()).unwrap_or(0);
                let range = if row < list.len() && list.is_valid(row) {
                    bound(row)..bound(row + 1)
                } else {
                    0..0
                };
                for at in range {
                    let name = names.as_ref().and_then(|names| names.get(at)?.clone());
                    *counts.entry(name.unwrap_or_else(|| UNNAMED.to_owned())).or_insert(0) += 1;
                }
            }
            Classes::Json(texts) => {
                let objects = texts.get(row).and_then(|text| opened(text.as_deref()?));
                for object in objects.iter().flatten() {
                    let name = ["Class", "class", "name"].iter().find_map(|key| object.get(*key)?.as_str());
                    *counts.entry(name.unwrap_or(UNNAMED).to_owned()).or_insert(0) += 1;
                }
            }
        }
        counts
    }
}

/// JSON, once or twice encoded.
fn opened(text: &str) -> Option<Vec<Value>> {
    match serde_json::from_str(text).ok()? {
        Value::Array(objects) => Some(objects),
        Value::String(inner) => match serde_json::from_str(&inner).ok()? {
            Value::Array(objects) => Some(objects),
            _ => None,
        },
        _ => None,
    }
}
