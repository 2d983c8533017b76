//! Scenes: spans of recordings that somebody, or a detector, found worth a name. Tables and queries are read as scenes, scenes
//! written as tables.
//!
//! Invariant: a row is never dropped. What is odd about it (no end, other units, no recording) stands in it as a sentence.

mod write;

use crate::source::Location;
pub use crate::source::{Scene, SceneTable, record_of};
pub use write::{batch, write};

/// Scenes that came from one place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SceneSet {
    /// The table's name, the expression that was searched for, or `My marks`.
    pub name: String,
    /// The table, where it is one.
    pub at: Option<Location>,
    pub scenes: Vec<Scene>,
}
