//! Lines that the user marked: kept in the layout, found again whatever is filtered.
//!
//! Invariant: a bookmark names a line by its topic, its receive time and how its text starts, so it means the same line in the next
//! session.

use egui::Ui;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::lines::{Lines, Place};
use super::{LogPanel, name_of};
use crate::decode::LogRow;
use crate::panel::{Action, View};
use crate::time::{self, Time};

/// So much of a line's text tells it from others of the same time.
const HEAD_CHARS: usize = 80;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Bookmark {
    pub topic: String,
    pub time_nanos: i64,
    /// How the line's text starts.
    pub text: String,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Bookmark {
    fn of(place: Place, line: &LogRow, view: &View) -> Bookmark {
        Bookmark {
            topic: name_of(view.store, Lines::topic(place)),
            time_nanos: place.time.nanos(),
            text: line.text.chars().take(HEAD_CHARS).collect(),
            extra: Map::new(),
        }
    }

    pub fn time(&self) -> Time {
        Time(self.time_nanos)
    }

    fn is_of(&self, place: Place, line: &LogRow, view: &View) -> bool {
        let topic = view.store.topic(Lines::topic(place));
        self.time_nanos == place.time.nanos() && line.text.starts_with(&self.text) && topic.is_some_and(|t| *t.name == *self.topic)
    }
}

impl LogPanel {
    /// Which of the bookmarks stands at a line.
    pub(super) fn bookmark_of(&self, place: Place, line: &LogRow, view: &View) -> Option<usize> {
        self.config.bookmarks.iter().position(|b| b.is_of(place, line, view))
    }

    pub(super) fn toggle_bookmark(&mut self, place: Option<Place>, view: &View, out: &mut Vec<Action>) {
        let Some(place) = place else { return };
        let known = self.lines.with(place, |line| self.bookmark_of(place, line, view)).flatten();
        match known {
            Some(at) => drop(self.config.bookmarks.remove(at)),
            None => {
                let new = self.lines.with(place, |line| Bookmark::of(place, line, view));
                self.config.bookmarks.extend(new);
                self.config.bookmarks.sort_by_key(Bookmark::time);
            }
        }
        out.push(Action::Changed);
    }

    pub(super) fn next_bookmark(&mut self, view: &View, forward: bool, out: &mut Vec<Action>) {
        let times = || self.config.bookmarks.iter().map(Bookmark::time);
        let next = match forward {
            true => times().find(|t| *t > view.now),
            false => times().rfind(|t| *t < view.now),
        };
        if let Some(at) = next.and_then(|t| self.config.bookmarks.iter().position(|b| b.time() == t)) {
            self.go_to_bookmark(at, view, out);
        }
    }

    /// The line may be filtered out: then its time is gone to.
    fn go_to_bookmark(&mut self, at: usize, view: &View, out: &mut Vec<Action>) {
        let Some(bookmark) = self.config.bookmarks.get(at) else { return };
        let is_it = |place: &Place| self.lines.with(*place, |line| bookmark.is_of(*place, line, view)) == Some(true);
        match self.lines.at_time(bookmark.time()).into_iter().find(is_it) {
            Some(place) => self.go_to(Some(place), out),
            None => out.push(Action::Seek(bookmark.time())),
        }
    }

    pub(super) fn bookmarks_menu(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        if ui.add(egui::Button::new("Bookmark the line").shortcut_text("M")).clicked() {
            self.toggle_bookmark(self.from(view.now), view, out);
        }
        let has_any = !self.config.bookmarks.is_empty();
        for (name, key, forward) in [("Next bookmark", "U", true), ("Previous bookmark", "Shift+U", false)] {
            if ui.add_enabled(has_any, egui::Button::new(name).shortcut_text(key)).clicked() {
                self.next_bookmark(view, forward, out);
            }
        }
        let mut go = None;
        for (at, bookmark) in self.config.bookmarks.iter().enumerate().take(12) {
            let text: String = bookmark.text.chars().take(40).collect();
            let name = format!("{}  {text}", time::format_relative(bookmark.time(), view.span.start));
            if ui.button(name).clicked() {
                go = Some(at);
            }
        }
        if let Some(at) = go {
            self.go_to_bookmark(at, view, out);
        }
        if has_any && ui.button("Take all bookmarks away").clicked() {
            self.config.bookmarks.clear();
            out.push(Action::Changed);
        }
    }
}
