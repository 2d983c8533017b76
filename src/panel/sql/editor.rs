//! The text of a query: coloured by what its words are, with proposals while it is typed and the place that an error speaks of underlined.
//!
//! Invariant: the text changes only by the user's hand.

use std::ops::Range;

use egui::text::LayoutJob;
use egui::{FontId, Key, Modifiers, Popup, PopupAnchor, PopupCloseBehavior, ScrollArea, Stroke, TextEdit, TextFormat, Ui};

use super::complete::proposals;
use crate::lake::{Part, parts};
use crate::panel::path_field::{Chosen, keys, put, row};
use crate::panel::widget::named;
use crate::store::Store;
use crate::theme::{self, Palette};

/// Proposals are shown while the user types, and no longer.
#[derive(Default)]
pub struct Editor {
    chosen: Chosen,
    is_typing: bool,
    has_focus: bool,
}

impl Editor {
    pub fn has_focus(&self) -> bool {
        self.has_focus
    }

    pub fn leave(&mut self) {
        *self = Editor::default();
    }

    /// Edits the query. True where it changed.
    pub fn ui(&mut self, ui: &mut Ui, sql: &mut String, marked: Option<Range<usize>>, store: &Store, most_height: f32) -> bool {
        let id = ui.make_persistent_id("query");
        let cursor = cursor_of(ui, id, sql);
        let found = match self.is_typing && self.has_focus {
            true => proposals(sql, cursor, store),
            false => Vec::new(),
        };
        if found.is_empty() || ui.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Escape)) {
            self.is_typing = false;
        }
        let found = if self.is_typing { found } else { Vec::new() };
        let accepted = keys(ui, &mut self.chosen, &found);
        let mut layouter = |ui: &Ui, text: &dyn egui::TextBuffer, width: f32| {
            let mut job = coloured(text.as_str(), marked.as_ref(), theme::palette(ui.visuals()));
            job.wrap.max_width = width;
            ui.fonts_mut(|f| f.layout_job(job))
        };
        let lines = sql.matches('\n').count() + 1;
        let area = ScrollArea::vertical().max_height(most_height).id_salt("query").show(ui, |ui| {
            TextEdit::multiline(sql)
                .id(id)
                .font(font())
                .hint_text("SELECT … FROM \"/topic\"")
                .desired_width(f32::INFINITY)
                .desired_rows(lines.clamp(3, 12))
                .margin(egui::Margin::symmetric(8, 6))
                // Tab accepts a proposal, or is a space in the text
                .lock_focus(true)
                .layouter(&mut layouter)
                .show(ui)
        });
        let output = area.inner;
        let response = named(output.response.response.clone(), "Query");
        let mut changed = response.changed();
        if changed {
            self.is_typing = true;
        } else if cursor_of(ui, id, sql) != cursor {
            self.is_typing = false;
        }
        self.has_focus = response.has_focus();
        let mut picked = accepted.and_then(|at| found.get(at)).cloned();
        if !found.is_empty() && response.has_focus() {
            let below = output.cursor_range.map_or(response.rect.left_bottom(), |range| {
                output.galley_pos + output.galley.pos_from_cursor(range.primary).left_bottom().to_vec2()
            });
            let popup = Popup::new(
                id.with("proposals"),
                ui.ctx().clone(),
                PopupAnchor::Position(below),
                response.layer_id,
            );
            popup
                .open(true)
                .close_behavior(PopupCloseBehavior::IgnoreClicks)
                .width(320.0)
                .show(|ui| {
                    ScrollArea::vertical().max_height(220.0).show(ui, |ui| {
                        ui.set_min_width(300.0);
                        for (at, proposal) in found.iter().enumerate() {
                            let row = row(ui, proposal, self.chosen.0 == Some(at));
                            if row.clicked() || row.is_pointer_button_down_on() {
                                picked = Some(proposal.clone());
                            }
                            if self.chosen.0 == Some(at) {
                                row.scroll_to_me(None);
                            }
                        }
                    });
                });
        }
        if let Some(proposal) = picked {
            put(ui, id, sql, &proposal);
            (self.chosen, self.is_typing, changed) = (Chosen::default(), false, true);
            ui.memory_mut(|m| m.request_focus(id));
        }
        changed
    }
}

fn font() -> FontId {
    FontId::monospace(12.5)
}

/// In bytes; the end where nothing tells.
fn cursor_of(ui: &Ui, id: egui::Id, text: &str) -> usize {
    let state = TextEdit::load_state(ui.ctx(), id);
    let cursor = state.and_then(|s| s.cursor.char_range()).map_or(usize::MAX, |r| r.primary.index.0);
    text.char_indices().nth(cursor).map_or(text.len(), |(at, _)| at)
}

fn coloured(sql: &str, marked: Option<&Range<usize>>, p: &Palette) -> LayoutJob {
    let mut job = LayoutJob::default();
    for (range, part) in parts(sql) {
        let color = match part {
            Part::Keyword => p.accent,
            Part::Quoted => p.series[6],
            Part::Text => p.ok,
            Part::Number => p.series[1],
            Part::Comment => p.faint,
            Part::Name => p.text,
            Part::Other => p.weak,
        };
        // a part may be marked in its middle
        let cut = |at: usize| at.clamp(range.start, range.end);
        let (from, to) = marked.map_or((range.end, range.end), |marked| (cut(marked.start), cut(marked.end)));
        for (piece, is_marked) in [(range.start..from, false), (from..to, true), (to..range.end, false)] {
            let underline = if is_marked { Stroke::new(1.5, p.error) } else { Stroke::NONE };
            let format = TextFormat {
                underline,
                ..TextFormat::simple(font(), color)
            };
            if let Some(text) = sql.get(piece).filter(|text| !text.is_empty()) {
                job.append(text, 0.0, format);
            }
        }
    }
    job
}
