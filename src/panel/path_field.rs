//! A field for a message path: proposes what fits while it is typed, and says under the field why a path does not fit.
//!
//! Invariant: what stands in the field changes only by the user's hand.

use egui::text::{CCursor, CCursorRange, LayoutJob};
use egui::{Color32, FontId, Key, Popup, PopupCloseBehavior, RichText, ScrollArea, Stroke, TextEdit, TextFormat, Ui};

use super::widget::named;
use crate::path::{Completion, complete};
use crate::store::{Problem, Signal, Stamp, Store};
use crate::theme;

/// Where the arrow keys are in the list of proposals.
#[derive(Clone, Copy, Default)]
pub(super) struct Chosen(pub Option<usize>);

/// Edits `path`. True where it changed.
pub fn path_field(ui: &mut Ui, salt: &str, store: &Store, path: &mut String, name: &str, hint: &str) -> bool {
    let before = path.clone();
    let id = ui.make_persistent_id(salt);
    let problem = problem_of(store, path);
    field(ui, id, store, path, problem.as_ref(), name, hint);
    if let Some(problem) = problem.filter(|_| !path.is_empty() && *path == before) {
        problem_ui(ui, path, &problem);
    }
    *path != before
}

/// Edits a condition, whose problem is told elsewhere. True where Enter was pressed in it.
pub fn condition_field(
    ui: &mut Ui,
    id: egui::Id,
    store: &Store,
    text: &mut String,
    problem: Option<&Problem>,
    name: &str,
    hint: &str,
) -> bool {
    let response = field(ui, id, store, text, problem, name, hint);
    response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter))
}

fn field(ui: &mut Ui, id: egui::Id, store: &Store, path: &mut String, problem: Option<&Problem>, name: &str, hint: &str) -> egui::Response {
    let mut chosen: Chosen = ui.data(|d| d.get_temp(id)).unwrap_or_default();
    let proposals = if ui.memory(|m| m.has_focus(id)) {
        proposals(ui, id, store, path)
    } else {
        Vec::new()
    };
    let accepted = keys(ui, &mut chosen, &proposals);
    let marked = problem.map(|p| p.span.clone());
    let mut layouter = |ui: &Ui, text: &dyn egui::TextBuffer, _: f32| {
        let job = underlined(text.as_str(), marked.clone(), ui.visuals());
        ui.fonts_mut(|f| f.layout_job(job))
    };
    let output = TextEdit::singleline(path)
        .id(id)
        .font(FontId::monospace(12.0))
        .hint_text(hint)
        .desired_width(f32::INFINITY)
        // Tab accepts a proposal and stays
        .lock_focus(!proposals.is_empty())
        .layouter(&mut layouter)
        .show(ui);
    let response = named(output.response.response, name);
    let mut picked = accepted.and_then(|at| proposals.get(at)).cloned();
    if !proposals.is_empty() && response.has_focus() {
        Popup::from_response(&response)
            .id(id.with("proposals"))
            .open(true)
            .close_behavior(PopupCloseBehavior::IgnoreClicks)
            .width(response.rect.width().max(280.0))
            .show(|ui| {
                ScrollArea::vertical().max_height(260.0).show(ui, |ui| {
                    for (at, proposal) in proposals.iter().enumerate() {
                        let row = row(ui, proposal, chosen.0 == Some(at));
                        if row.clicked() || row.is_pointer_button_down_on() {
                            picked = Some(proposal.clone());
                        }
                        if chosen.0 == Some(at) {
                            row.scroll_to_me(None);
                        }
                    }
                });
            });
    }
    if let Some(proposal) = picked {
        put(ui, id, path, &proposal);
        chosen = Chosen::default();
        ui.memory_mut(|m| m.request_focus(id));
    }
    ui.data_mut(|d| d.insert_temp(id, chosen));
    response
}

fn problem_of(store: &Store, path: &str) -> Option<Problem> {
    let mut signal = Signal::new(path, Stamp::Receive);
    signal.refresh(store);
    signal.problem().cloned()
}

/// The sentence, and a button that puts in what was meant.
pub fn problem_ui(ui: &mut Ui, path: &mut String, problem: &Problem) {
    let palette = theme::palette(ui.visuals());
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(&problem.what).font(theme::small()).color(palette.warn));
        if let Some(repaired) = &problem.repaired
            && ui.small_button("Use it").on_hover_text(repaired).clicked()
        {
            path.clone_from(repaired);
        }
    });
}

fn proposals(ui: &Ui, id: egui::Id, store: &Store, path: &str) -> Vec<Completion> {
    let state = TextEdit::load_state(ui.ctx(), id);
    let cursor = state.and_then(|s| s.cursor.char_range()).map_or(usize::MAX, |r| r.primary.index.0);
    let at = path.char_indices().nth(cursor).map_or(path.len(), |(i, _)| i);
    let found = complete(path, at, &store.topic_schemas(), store.variables());
    // what stands there already needs no proposal
    let typed = |c: &Completion| path.get(c.replaces.clone()) == Some(c.text.as_str());
    if found.len() == 1 && found.first().is_some_and(typed) {
        Vec::new()
    } else {
        found
    }
}

/// Up and down choose, Tab and Enter accept. Returns what was accepted.
pub(super) fn keys(ui: &Ui, chosen: &mut Chosen, proposals: &[Completion]) -> Option<usize> {
    if proposals.is_empty() {
        chosen.0 = None;
        return None;
    }
    let none = egui::Modifiers::NONE;
    let last = proposals.len() - 1;
    ui.input_mut(|input| {
        if input.consume_key(none, Key::ArrowDown) {
            chosen.0 = Some(chosen.0.map_or(0, |at| (at + 1).min(last)));
        }
        if input.consume_key(none, Key::ArrowUp) {
            chosen.0 = chosen.0.and_then(|at| at.checked_sub(1));
        }
        if input.consume_key(none, Key::Tab) {
            return Some(chosen.0.unwrap_or(0));
        }
        if chosen.0.is_some() && input.consume_key(none, Key::Enter) {
            return chosen.0;
        }
        None
    })
}

pub(super) fn row(ui: &mut Ui, proposal: &Completion, is_chosen: bool) -> egui::Response {
    let palette = theme::palette(ui.visuals());
    let mut job = LayoutJob::default();
    let text = |color, font| TextFormat::simple(font, color);
    job.append(&proposal.text, 0.0, text(palette.text, FontId::monospace(12.0)));
    job.append(&proposal.what, 10.0, text(palette.weak, theme::small()));
    let response = ui.selectable_label(is_chosen, job);
    named(response, &proposal.text)
}

/// Puts a proposal in its place, the cursor behind it.
pub(super) fn put(ui: &Ui, id: egui::Id, path: &mut String, proposal: &Completion) {
    if path.get(proposal.replaces.clone()).is_none() {
        return;
    }
    path.replace_range(proposal.replaces.clone(), &proposal.text);
    let end = proposal.replaces.start + proposal.text.len();
    let chars = path.get(..end).map_or(0, |head| head.chars().count());
    if let Some(mut state) = TextEdit::load_state(ui.ctx(), id) {
        let cursor = CCursor::new(chars);
        state.cursor.set_char_range(Some(CCursorRange::one(cursor)));
        state.store(ui.ctx(), id);
    }
}

fn underlined(text: &str, marked: Option<std::ops::Range<usize>>, visuals: &egui::Visuals) -> LayoutJob {
    let palette = theme::palette(visuals);
    let format = |underline: Color32| TextFormat {
        underline: Stroke::new(if underline == Color32::TRANSPARENT { 0.0 } else { 1.5 }, underline),
        ..TextFormat::simple(FontId::monospace(12.0), palette.text)
    };
    let mut job = LayoutJob::default();
    let span = marked.filter(|s| text.get(s.clone()).is_some() && !s.is_empty());
    match span {
        Some(span) => {
            job.append(&text[..span.start], 0.0, format(Color32::TRANSPARENT));
            job.append(&text[span.clone()], 0.0, format(palette.error));
            job.append(&text[span.end..], 0.0, format(Color32::TRANSPARENT));
        }
        None => job.append(text, 0.0, format(Color32::TRANSPARENT)),
    }
    job
}
