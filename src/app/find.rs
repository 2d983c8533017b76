//! The search bar: when in what is open a condition over message paths holds, as scenes, while the search runs.
//!
//! Invariant: the search reads and computes on threads of its own; it ends when it is cancelled, when another begins, and with the window.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use egui::{RichText, Ui};

use super::AppState;
use crate::find::{Bounds, Condition, Drive, Search, Step};
use crate::panel::path_field::{condition_field, problem_ui};
use crate::path::{PathError, Variables, parse};
use crate::run::Recording;
use crate::scenes::{Scene, SceneSet};
use crate::source::Location;
use crate::store::{Problem, SourceId};
use crate::text::counted;
use crate::theme::{self, icon, palette, widget};
use crate::time::{Span, Time};

/// What is found is shown no more often.
const EVERY: Duration = Duration::from_millis(250);
/// A condition that holds more often is not met so often on purpose.
const MOST_SCENES: usize = 100_000;
/// Of the memory budget so much is read ahead.
const AHEAD_SHARE: u64 = 32;
const CLASS: &str = "found";

#[derive(Default)]
pub struct FindState {
    is_open: bool,
    wants_focus: bool,
    text: String,
    checked: Checked,
    running: Option<Running>,
    /// What came of the last search.
    told: Option<Told>,
}

/// What is wrong with a text, and of what that is true.
#[derive(Default)]
struct Checked {
    of: Option<(String, u64, Variables)>,
    problem: Option<Problem>,
}

struct Told {
    text: String,
    is_warning: bool,
    /// The search, where it found something that can be saved.
    found: Option<String>,
}

struct Running {
    name: String,
    drive: Drive,
    topics: String,
    /// By how much later than they were recorded messages are shown.
    shift_nanos: i64,
    span: Span,
    steps: Receiver<Heard>,
    is_cancelled: Arc<AtomicBool>,
    scenes: Vec<Scene>,
    reached: Time,
    losses: usize,
    /// Found since the scenes were shown.
    is_newer: bool,
    shown: Option<Instant>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }
}

/// What the search's thread tells.
enum Heard {
    Found(Vec<Span>, Time),
    Lost(usize),
    Ended(Result<(), String>),
}

impl FindState {
    pub fn toggle(&mut self) {
        self.is_open = !self.is_open;
        self.wants_focus = self.is_open;
    }

    /// Ends the search.
    pub fn stop(&mut self) {
        (self.running, self.told) = (None, None);
        self.checked = Checked::default();
    }
}

impl AppState {
    /// Whether a search is under way.
    pub fn is_finding(&self) -> bool {
        self.find.running.is_some()
    }

    fn condition(&self) -> Result<Condition, PathError> {
        Condition::compile(&parse(&self.find.text)?, &self.store.topic_schemas(), self.store.variables())
    }

    /// Looks at the text where it, or what it is about, has changed.
    fn check_condition(&mut self) {
        let of = (
            self.find.text.clone(),
            self.store.catalog_revision(),
            self.store.variables().clone(),
        );
        if self.find.checked.of.as_ref() == Some(&of) {
            return;
        }
        let is_empty = self.find.text.trim().is_empty();
        let problem = self.condition().err().filter(|_| !is_empty).map(|error| Problem {
            what: error.to_string(),
            span: error.span.clone(),
            repaired: error.repaired(&self.find.text),
        });
        self.find.checked = Checked { of: Some(of), problem };
    }

    /// Searches what is open for what stands in the bar.
    fn begin_find(&mut self) {
        let Ok(condition) = self.condition() else { return };
        let Some((drive, shift_nanos)) = self.searched(&condition) else {
            return self.tell("What it names is not open yet".to_owned());
        };
        let (heard, steps) = channel();
        let is_cancelled = Arc::new(AtomicBool::new(false));
        self.find.told = None;
        self.find.running = Some(Running {
            name: self.find.text.trim().to_owned(),
            topics: condition.topics().join(","),
            drive: drive.clone(),
            shift_nanos,
            span: drive.span(),
            steps,
            is_cancelled: is_cancelled.clone(),
            scenes: Vec::new(),
            reached: drive.span().start,
            losses: 0,
            is_newer: false,
            shown: None,
        });
        let bounds = Bounds {
            ahead_bytes: Some(self.store.status().memory_budget / AHEAD_SHARE),
            ..Bounds::default()
        };
        let waker = self.waker.clone();
        std::thread::spawn(move || search(&drive, &condition, bounds, &is_cancelled, &heard, &*waker));
    }

    /// The recordings that a condition names, and by how much the first one's times are moved.
    fn searched(&self, condition: &Condition) -> Option<(Drive, i64)> {
        let topics = condition.topics();
        let mut recordings = Vec::new();
        let mut first: Option<(Location, i64)> = None;
        for (source, info) in (0 as SourceId..).zip(self.store.sources()) {
            let (Some(container), Some(reader)) = (self.store.container(source), self.executor.reader(source)) else {
                continue;
            };
            let ids = (0..).take(container.catalog().connections.len());
            let names: Vec<_> = ids
                .filter_map(|id| Some((id, self.store.topic_of_connection(source, id)?.name.clone())))
                .filter(|(_, name)| topics.contains(&&**name))
                .collect();
            if names.is_empty() {
                continue;
            }
            first.get_or_insert_with(|| (info.location.clone(), info.shift_nanos));
            let recording = Recording {
                io: self.executor.io().clone(),
                reader,
                container,
            };
            recordings.push((recording, names));
        }
        let (at, shift_nanos) = first?;
        Some((Drive::open(recordings, at), shift_nanos))
    }

    /// Takes in what the search has found.
    pub(super) fn take_finds(&mut self) {
        let Some(mut running) = self.find.running.take() else { return };
        let mut ended = None;
        while let Ok(heard) = running.steps.try_recv() {
            match heard {
                Heard::Found(spans, reached) => {
                    running.reached = reached;
                    running.take(&spans);
                }
                Heard::Lost(number) => running.losses += number,
                Heard::Ended(result) => ended = Some(result),
            }
        }
        let is_full = running.scenes.len() >= MOST_SCENES;
        let is_due = running.shown.is_none_or(|shown| shown.elapsed() >= EVERY) || ended.is_some() || is_full;
        if running.is_newer && is_due {
            running.is_newer = false;
            running.shown = Some(Instant::now());
            self.show_found(&running);
        }
        match ended {
            _ if is_full => self.find.told = Some(Told::of(&running, "the first are shown")),
            Some(Ok(())) => self.find.told = Some(Told::of(&running, "")),
            Some(Err(error)) => {
                self.find.told = Some(Told {
                    text: format!("The search ended early: {error}"),
                    found: Some(running.name.clone()).filter(|_| !running.scenes.is_empty()),
                    is_warning: true,
                });
            }
            None => self.find.running = Some(running),
        }
    }

    fn cancel_find(&mut self) {
        if let Some(running) = self.find.running.take() {
            if running.is_newer {
                self.show_found(&running);
            }
            self.find.told = Some(Told::of(&running, "cancelled"));
        }
    }

    /// As scenes in the list and on the timeline.
    fn show_found(&mut self, running: &Running) {
        self.add_scenes(SceneSet {
            name: running.name.clone(),
            at: None,
            scenes: running.scenes.clone(),
        });
    }
}

impl Running {
    fn take(&mut self, spans: &[Span]) {
        let left = MOST_SCENES.saturating_sub(self.scenes.len());
        for span in spans.iter().take(left) {
            let recorded = Span::new(span.start.plus_nanos(-self.shift_nanos), span.end.plus_nanos(-self.shift_nanos));
            let mut scene = self.drive.scene(CLASS, recorded);
            scene.text = Some(self.name.clone());
            scene.notes.push(("topics_analyzed".to_owned(), self.topics.clone()));
            self.scenes.push(scene);
            self.is_newer = true;
        }
    }

    fn fraction(&self) -> f32 {
        let whole = self.span.nanos().max(1) as f32;
        (self.reached.since(self.span.start) as f32 / whole).clamp(0.0, 1.0)
    }
}

impl Told {
    fn of(running: &Running, how: &str) -> Told {
        let mut text = match running.scenes.len() {
            0 => "It never holds".to_owned(),
            number => counted(number as u64, "scene"),
        };
        if !how.is_empty() {
            text.push_str(&format!(", {how}"));
        }
        if running.losses > 0 {
            text.push_str(&format!(", {} not read", counted(running.losses as u64, "place")));
        }
        Told {
            text,
            is_warning: running.losses > 0,
            found: Some(running.name.clone()).filter(|_| !running.scenes.is_empty()),
        }
    }
}

/// What the search's thread does.
fn search(drive: &Drive, condition: &Condition, bounds: Bounds, is_cancelled: &AtomicBool, heard: &Sender<Heard>, wake: &dyn Fn()) {
    let tell = |what: Heard| {
        let is_heard = heard.send(what).is_ok();
        wake();
        is_heard
    };
    let (mut found, mut told) = (Vec::new(), Instant::now());
    for step in Search::begin(drive, condition, bounds) {
        if is_cancelled.load(Ordering::Relaxed) {
            return;
        }
        let is_heard = match step {
            Ok(Step::Found(span)) => {
                found.push(span);
                true
            }
            Ok(Step::Reached(time)) if told.elapsed() >= EVERY => {
                told = Instant::now();
                tell(Heard::Found(std::mem::take(&mut found), time))
            }
            Ok(Step::Reached(_)) => true,
            Ok(Step::Lost(..)) => tell(Heard::Lost(1)),
            Err(error) => {
                // what was found so far stays
                let _ = tell(Heard::Found(std::mem::take(&mut found), Time::MIN));
                let _ = tell(Heard::Ended(Err(error.to_string())));
                return;
            }
        };
        if !is_heard {
            return;
        }
    }
    let end = drive.span().end;
    // the window may be gone
    let _ = tell(Heard::Found(found, end)) && tell(Heard::Ended(Ok(())));
}

/// Below the top bar, while it is open.
pub fn ui(ui: &mut Ui, state: &mut AppState) {
    if !state.find.is_open || state.store.span().is_none() {
        return;
    }
    state.check_condition();
    let p = palette(ui.visuals());
    let frame = egui::Frame::new().fill(p.overlay).inner_margin(egui::Margin::symmetric(12, 6));
    egui::Panel::top("find").show_separator_line(false).frame(frame).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.label(RichText::new(icon::LIST_MAGNIFYING_GLASS).font(theme::icons(14.0)).color(p.weak));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if widget::icon_button(ui, icon::X, "Close the search", "").clicked() {
                    state.find.is_open = false;
                }
                buttons(ui, state);
                field(ui, state);
            });
        });
        if let Some(problem) = state.find.checked.problem.clone() {
            problem_ui(ui, &mut state.find.text, &problem);
        }
    });
}

/// From the right.
fn buttons(ui: &mut Ui, state: &mut AppState) {
    let p = palette(ui.visuals());
    if let Some(running) = &state.find.running {
        let (fraction, found) = (running.fraction(), running.scenes.len());
        let is_cancelled = widget::quiet_button(ui, "Cancel").clicked();
        let bar = egui::ProgressBar::new(fraction).desired_width(120.0).desired_height(4.0);
        ui.add(bar).on_hover_text("How far the search is");
        let text = format!("{}  {:.0} %", counted(found as u64, "scene"), fraction * 100.0);
        ui.label(RichText::new(text).font(theme::small()).color(p.weak));
        if is_cancelled {
            state.cancel_find();
        }
        return;
    }
    let may_begin = !state.find.text.trim().is_empty() && state.find.checked.problem.is_none();
    let begin = ui.add_enabled_ui(may_begin, |ui| widget::primary_button(ui, "Find").clicked());
    if begin.inner {
        state.begin_find();
    }
    let mut saved = None;
    if let Some(told) = &state.find.told {
        if told.found.is_some()
            && widget::quiet_button(ui, "Save…")
                .on_hover_text("Save what was found as a table of scenes")
                .clicked()
        {
            saved.clone_from(&told.found);
        }
        let color = if told.is_warning { p.warn } else { p.weak };
        ui.label(RichText::new(&told.text).font(theme::small()).color(color));
    }
    if let Some(name) = saved {
        state.save_found(&name);
    }
}

fn field(ui: &mut Ui, state: &mut AppState) {
    let id = egui::Id::unique("find when");
    if std::mem::take(&mut state.find.wants_focus) {
        ui.memory_mut(|memory| memory.request_focus(id));
    }
    let mut text = std::mem::take(&mut state.find.text);
    let problem = state.find.checked.problem.clone();
    let hint = "Find when…  /vehicle/brake_report.pedal_input > 0.3 and /vehicle/steering_report.speed > 5";
    let is_asked = condition_field(ui, id, &state.store, &mut text, problem.as_ref(), "Find when", hint);
    state.find.text = text;
    if is_asked {
        state.check_condition();
        if state.find.checked.problem.is_none() && !state.find.text.trim().is_empty() {
            state.begin_find();
        }
    }
}
