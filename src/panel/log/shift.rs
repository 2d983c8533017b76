//! Times of text logs, file by file: their clocks were other ones than the recording's, or stood in another time zone.
//!
//! Invariant: a file is moved as a whole; what its lines say stays, and so does its own time, as their stamp.

use egui::Ui;

use super::LogPanel;
use super::lines::{Lines, Place};
use crate::panel::{Action, View, widget};
use crate::store::{SourceId, Store, TopicId};
use crate::theme;
use crate::time::Span;

const NANOS: f64 = 1e9;

/// The text log that a topic is the content of.
fn file_of(store: &Store, topic: TopicId) -> Option<SourceId> {
    let mut sources = (0..).take(store.sources().len());
    sources.find(|source| {
        let is_text = store.catalog(*source).is_some_and(|c| c.format == "textlog");
        is_text && store.topic_of_connection(*source, 0).is_some_and(|t| t.id == topic)
    })
}

/// Moves a line's file so that the line was received at the playhead.
pub fn to_playhead(place: Place, view: &View) -> Option<Action> {
    let source = file_of(view.store, Lines::topic(place))?;
    let now = view.store.sources().get(source as usize)?.shift_nanos;
    let nanos = now.saturating_add(view.now.since(place.time));
    Some(Action::ShiftTimes { source, nanos })
}

pub fn is_of_file(store: &Store, place: Place) -> bool {
    file_of(store, Lines::topic(place)).is_some()
}

impl LogPanel {
    /// By how much each text log is moved.
    pub(super) fn shifts_ui(&self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let files = self.topics_shown(view.store).into_iter();
        let files: Vec<_> = files.filter_map(|topic| Some((topic, file_of(view.store, topic.id)?))).collect();
        if files.is_empty() {
            return;
        }
        theme::widget::section(ui, "Times of text logs");
        for (topic, source) in files {
            let Some(info) = view.store.sources().get(source as usize) else {
                continue;
            };
            let mut secs = info.shift_nanos as f64 / NANOS;
            ui.horizontal(|ui| {
                let field = egui::DragValue::new(&mut secs).speed(0.05).max_decimals(9).suffix(" s");
                let field = widget::named(ui.add(field), &format!("Shift of {}", topic.name));
                let mut moved = field.on_hover_text("Its lines are taken to be so much later").changed();
                for (text, by, hint) in [("−1 h", -3600.0, "An hour earlier"), ("+1 h", 3600.0, "An hour later")] {
                    if ui.small_button(text).on_hover_text(hint).clicked() {
                        secs += by;
                        moved = true;
                    }
                }
                let start = others_start(view.store, source).zip(topic.span);
                if let Some((start, span)) = start
                    && ui
                        .small_button("At the start")
                        .on_hover_text("Its first line at the recording's start")
                        .clicked()
                {
                    secs += start.start.since(span.start) as f64 / NANOS;
                    moved = true;
                }
                ui.label(&*topic.name);
                if moved && secs.is_finite() {
                    let nanos = (secs * NANOS).round() as i64;
                    out.push(Action::ShiftTimes { source, nanos });
                }
            });
        }
    }
}

/// When all but this file was recorded.
fn others_start(store: &Store, source: SourceId) -> Option<Span> {
    let others = (0..).take(store.sources().len()).filter(|s| *s != source);
    others.filter_map(|s| store.catalog(s)?.span()).reduce(Span::union)
}
