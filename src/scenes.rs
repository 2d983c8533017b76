//! Scenes: spans of recordings that somebody, or a detector, found worth a name. Tables and queries are read as scenes, scenes
//! written as tables.
//!
//! Invariant: a row is never dropped. What is odd about it (no end, other units, no recording) stands in it as a sentence.

mod cells;
mod columns;
mod joined;
mod place;
mod read;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use crate::source::Location;
pub use crate::source::{Scene, SceneTable, record_of};
pub use place::{find_recording, is_named, is_of, note_missing};
pub use read::{SceneReadError, Sorted, may_be_scenes, of_batch, of_query, read, sort};
pub use write::{batch, write};

/// More classes than this, most of which are of one scene alone, are names of scenes.
const MOST_CLASSES: usize = 64;

/// Scenes that came from one place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SceneSet {
    /// The table's name, the expression that was searched for, or what marks are called.
    pub name: String,
    /// The table, where it is one.
    pub at: Option<Location>,
    pub scenes: Vec<Scene>,
}

impl SceneSet {
    /// Notes what is odd about a scene beside the others.
    pub fn new(name: String, at: Option<Location>, mut scenes: Vec<Scene>) -> SceneSet {
        note_units(&mut scenes);
        let classes: BTreeSet<&str> = scenes.iter().filter_map(|scene| scene.class.as_deref()).collect();
        if classes.len() > MOST_CLASSES && classes.len() * 2 > scenes.len() {
            for scene in &mut scenes {
                let name = scene.class.take();
                scene.text = scene.text.take().or(name);
            }
        }
        SceneSet { name, at, scenes }
    }
}

/// What a number of a size that times have counts; None for texts of other forms.
fn unit(text: &str) -> Option<&'static str> {
    let number: f64 = text.trim().parse().ok()?;
    Some(match number.abs() {
        n if n >= 1e17 => "nanoseconds",
        n if n >= 1e14 => "microseconds",
        n if n >= 1e11 => "milliseconds",
        _ => "seconds",
    })
}

/// A table's numbers count one thing: those that count another are read so, and told.
fn note_units(scenes: &mut [Scene]) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for unit in scenes.iter().filter_map(|scene| unit(scene.start_text.as_deref()?)) {
        *counts.entry(unit).or_default() += 1;
    }
    // seconds where as many are in another unit
    let usual = counts.into_iter().max_by_key(|(unit, count)| (*count, *unit == "seconds"));
    let Some((usual, _)) = usual else { return };
    for scene in scenes {
        for (what, text) in [("start", &scene.start_text), ("end", &scene.end_text)] {
            if let Some(own) = text.as_deref().and_then(unit).filter(|own| *own != usual) {
                scene
                    .odd
                    .push(format!("Its {what} is in {own}, where others are in {usual}: read as such."));
            }
        }
    }
}
