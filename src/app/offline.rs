//! Spans of remote recordings that are kept on disk until they are let go: asked for from the timeline, the scenes and the
//! palette, listed in the network popup, marked on the ruler.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use egui::{Align, Layout, RichText, Ui};

use super::AppState;
use super::top_bar::bytes;
use crate::run::KeepProgress;
use crate::source::{Cache, Location, Pin};
use crate::theme::{self, icon, palette, widget};
use crate::time::{Span, format_duration, format_relative};

#[derive(Default)]
pub struct OfflineState {
    /// As the folder was when it was last looked at.
    pins: Vec<Pin>,
    keeping: Vec<Keeping>,
    /// Recordings at whose opening the folder was looked at.
    looked_for: usize,
}

/// A span that is being fetched.
struct Keeping {
    number: u64,
    name: String,
    progress: Arc<Progress>,
    task: tokio::task::AbortHandle,
}

#[derive(Default)]
struct Progress {
    done_bytes: AtomicU64,
    total_bytes: AtomicU64,
}

impl Progress {
    fn fraction(&self) -> f32 {
        let total = self.total_bytes.load(Ordering::Relaxed).max(1);
        self.done_bytes.load(Ordering::Relaxed) as f32 / total as f32
    }
}

/// What came of keeping a span.
pub struct Kept {
    number: u64,
    result: Result<Pin, String>,
}

impl AppState {
    /// Fetches a span of all open recordings that lie elsewhere, and keeps it.
    pub(super) fn keep_offline(&mut self, span: Span) {
        let remote = self.store.sources().iter().map(|source| source.location.clone());
        let remote: Vec<Location> = remote.filter(Location::is_remote).collect();
        if remote.is_empty() {
            return self.tell("What is open lies on this machine already".to_owned());
        }
        for location in remote {
            let progress = Arc::new(Progress::default());
            let (told, waker, name) = (progress.clone(), self.waker.clone(), location.name());
            let on_progress = move |at: KeepProgress| {
                told.total_bytes.store(at.total_bytes, Ordering::Relaxed);
                told.done_bytes.store(at.done_bytes, Ordering::Relaxed);
                waker();
            };
            self.keeping_number += 1;
            let number = self.keeping_number;
            let then = self.jobs.kept();
            let done = move |result: Result<Pin, crate::run::OpenError>| {
                let result = result.map_err(|error| error.to_string());
                then(Kept { number, result });
            };
            let task = self.executor.io().start_keeping(location, span, on_progress, done);
            self.offline.keeping.push(Keeping {
                number,
                name,
                progress,
                task,
            });
        }
    }

    pub(super) fn take_kept(&mut self, kept: Kept) {
        self.offline.keeping.retain(|one| one.number != kept.number);
        match kept.result {
            Ok(pin) => {
                let length = format_duration(pin.span().nanos());
                self.tell(format!("Kept offline: {length}, {}", bytes(pin.bytes())));
            }
            Err(error) => self.tell_error(error),
        }
        self.look_for_pins();
    }

    pub(super) fn take_pins(&mut self, pins: Vec<Pin>) {
        self.offline.pins = pins;
    }

    /// Looks into the folder whenever something was opened.
    pub(super) fn look_for_new_pins(&mut self) {
        let count = self.store.sources().len();
        if std::mem::replace(&mut self.offline.looked_for, count) != count {
            self.look_for_pins();
        }
    }

    fn look_for_pins(&self) {
        if let Some(folder) = self.cache_folder() {
            self.jobs.list_pins(move || Cache::pins(&folder));
        }
    }

    fn let_go(&mut self, pin: Pin) {
        if let Some(folder) = self.cache_folder() {
            self.jobs.list_pins(move || {
                // what is gone already is let go
                let _ = Cache::unpin(&folder, &pin);
                Cache::pins(&folder)
            });
        }
    }

    fn cache_folder(&self) -> Option<std::path::PathBuf> {
        Some(self.executor.io().net().cache()?.folder()?.to_owned())
    }

    /// The spans of what is open that are kept whole.
    pub(super) fn kept_spans(&self) -> Vec<Span> {
        let open: Vec<String> = self.store.sources().iter().map(|source| source.location.to_string()).collect();
        let pins = self.offline.pins.iter();
        pins.filter(|pin| pin.is_complete && open.contains(&pin.location))
            .map(Pin::span)
            .collect()
    }
}

/// One line in the status bar while something is being fetched to be kept.
pub fn status(ui: &mut Ui, state: &AppState) {
    let p = palette(ui.visuals());
    let keeping = &state.offline.keeping;
    if keeping.is_empty() {
        return;
    }
    let fraction = keeping.iter().map(|one| one.progress.fraction()).sum::<f32>() / keeping.len() as f32;
    let text = format!("{}  keeping offline {:.0} %", icon::CLOUD_ARROW_DOWN, fraction * 100.0);
    ui.label(RichText::new(text).color(p.weak));
}

/// The part of the network popup that lists what is kept.
pub fn list(ui: &mut Ui, state: &mut AppState) {
    if state.offline.pins.is_empty() && state.offline.keeping.is_empty() {
        return;
    }
    let p = palette(ui.visuals());
    widget::section(ui, "Kept offline");
    let mut stopped = None;
    for one in &state.offline.keeping {
        row(ui, &one.name, &format!("{:.0} %", one.progress.fraction() * 100.0), "Stop", || {
            stopped = Some(one.number)
        });
    }
    let mut let_go = None;
    let whole = state.span();
    let open: Vec<String> = state.store.sources().iter().map(|source| source.location.to_string()).collect();
    egui::ScrollArea::vertical().id_salt("kept").max_height(150.0).show(ui, |ui| {
        for pin in &state.offline.pins {
            let name = Location::parse(&pin.location).map_or_else(|_| pin.location.clone(), |location| location.name());
            let from = match open.contains(&pin.location) {
                true => format!("{}  ", format_relative(pin.span().start, whole.start)),
                false => String::new(),
            };
            let size = if pin.is_complete {
                bytes(pin.bytes())
            } else {
                "broken off".to_owned()
            };
            let told = format!("{from}{} · {size}", format_duration(pin.span().nanos()));
            row(ui, &name, &told, "Let go", || let_go = Some(pin.clone()));
        }
    });
    ui.label(
        RichText::new("What is let go stays until something else needs the room.")
            .font(theme::small())
            .color(p.faint),
    );
    if let Some(number) = stopped {
        if let Some(one) = state.offline.keeping.iter().find(|one| one.number == number) {
            one.task.abort();
        }
        state.offline.keeping.retain(|one| one.number != number);
        state.look_for_pins();
    }
    if let Some(pin) = let_go {
        state.let_go(pin);
    }
}

fn row(ui: &mut Ui, text: &str, size: &str, button: &str, clicked: impl FnOnce()) {
    let p = palette(ui.visuals());
    ui.allocate_ui_with_layout(egui::vec2(ui.available_width(), 24.0), Layout::right_to_left(Align::Center), |ui| {
        if widget::icon_button(ui, icon::X, button, "").clicked() {
            clicked();
        }
        ui.label(RichText::new(size).color(p.weak));
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.add(egui::Label::new(text).truncate());
        });
    });
}
