//! What is not saved yet, written down every few seconds: after a crash the next window finds it.
//!
//! Invariants: a draft is replaced whole or not at all; it is taken only from a window that is gone, which its lock tells.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use egui::Context;
use serde::{Deserialize, Serialize};

use super::AppState;
use super::history::Snapshot;
use super::place::Place;
use crate::layout::Layout;
use crate::run::{read_text, write_whole};

const SECONDS: f64 = 5.0;

#[derive(Default)]
pub struct Drafts {
    session: Option<Arc<Session>>,
    /// What was written down last, and for which topics.
    written: Option<Arc<Snapshot>>,
    key: Option<String>,
    due_seconds: Option<f64>,
}

/// One run of the program, which holds a lock as long as it lives.
pub struct Session {
    folder: PathBuf,
    id: String,
    lock: OnceLock<Option<File>>,
}

/// A layout with the file that it belongs to and what that held.
#[derive(Serialize, Deserialize)]
pub struct Draft {
    #[serde(default)]
    pub place: Option<String>,
    #[serde(default)]
    pub base: Option<String>,
    /// As its file would hold it, without secrets.
    pub layout: serde_json::Value,
}

impl Session {
    fn new(folder: PathBuf) -> Session {
        let started = super::settings::now().0;
        Session {
            folder,
            id: format!("{}-{started}", std::process::id()),
            lock: OnceLock::new(),
        }
    }

    fn draft(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{key}.{}.json", self.id))
    }

    fn lock_path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.lock"))
    }

    /// Waits for the disk.
    pub fn write(&self, key: &str, text: &str) -> std::io::Result<()> {
        self.lock.get_or_init(|| {
            std::fs::create_dir_all(&self.folder).ok()?;
            let file = File::create(self.lock_path(&self.id)).ok()?;
            // where the disk knows no locks, a draft is never taken
            file.try_lock().ok()?;
            Some(file)
        });
        write_whole(&self.draft(key), text.as_bytes())
    }

    /// Waits for the disk.
    pub fn remove(&self, key: &str) {
        // there may be none
        let _ = std::fs::remove_file(self.draft(key));
    }

    /// The newest draft that a window which is gone left for this key: it is this one's now. Waits for the disk.
    pub fn adopt(&self, key: &str) -> Option<String> {
        let mut left: Vec<(std::time::SystemTime, PathBuf, String)> = Vec::new();
        for entry in std::fs::read_dir(&self.folder).ok()?.flatten() {
            let name = entry.file_name();
            let id = name
                .to_str()
                .and_then(|name| name.strip_prefix(key)?.strip_prefix('.')?.strip_suffix(".json"));
            let Some(id) = id.filter(|id| *id != self.id && is_gone(&self.lock_path(id))) else {
                continue;
            };
            let Ok(modified) = entry.metadata().and_then(|about| about.modified()) else {
                continue;
            };
            left.push((modified, entry.path(), id.to_owned()));
        }
        left.sort();
        let (_, newest, _) = left.last()?;
        let text = read_text(newest).ok()?;
        self.write(key, &text).ok()?;
        for (_, path, id) in &left {
            // who finds them again takes them again
            let _ = std::fs::remove_file(path);
            let _ = std::fs::remove_file(self.lock_path(id));
        }
        Some(text)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(Some(lock)) = self.lock.take() {
            drop(lock);
            // whoever looks takes a missing lock for a free one
            let _ = std::fs::remove_file(self.lock_path(&self.id));
        }
    }
}

/// Whether nobody holds this lock.
fn is_gone(lock: &Path) -> bool {
    match File::open(lock) {
        Ok(file) => !matches!(file.try_lock(), Err(TryLockError::WouldBlock | TryLockError::Error(_))),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

impl AppState {
    /// This run of the program; None where nothing is kept.
    pub(super) fn session(&mut self) -> Option<Arc<Session>> {
        let folders = self.folders.as_ref()?;
        let new = || Arc::new(Session::new(folders.config.join("drafts")));
        Some(self.layouts.drafts.session.get_or_insert_with(new).clone())
    }

    /// Writes down what is not saved yet, where that has changed and some seconds have gone by.
    pub(super) fn keep_draft(&mut self, seconds: f64, ctx: &Context) {
        let Some(present) = self.layouts.history.present().map(|step| step.state.clone()) else {
            return;
        };
        let is_written = self
            .layouts
            .drafts
            .written
            .as_ref()
            .is_some_and(|written| Arc::ptr_eq(written, &present));
        if !self.workspace.edited || is_written {
            self.layouts.drafts.due_seconds = None;
            if !self.workspace.edited && self.layouts.drafts.key.is_some() {
                self.drop_draft();
            }
            return;
        }
        let due = *self.layouts.drafts.due_seconds.get_or_insert(seconds + SECONDS);
        if seconds < due {
            return ctx.request_repaint_after_secs((due - seconds) as f32);
        }
        self.layouts.drafts.due_seconds = None;
        let key = self.topics_key();
        if self.layouts.drafts.key.as_ref() != Some(&key) {
            self.drop_draft();
        }
        let Some(session) = self.session() else { return };
        let place = self.layouts.place.clone();
        let base = place
            .as_ref()
            .and_then(|place| self.layouts.known(place))
            .map(|known| known.text.to_string());
        let (place, layout) = (place.and_then(|place| place.spelled()), self.layout());
        let text = move || {
            let layout = serde_json::from_str(&super::layouts::private_json(&layout)).unwrap_or_default();
            serde_json::to_string(&Draft { place, base, layout }).unwrap_or_default()
        };
        self.jobs.write_draft(session, key.clone(), text);
        (self.layouts.drafts.written, self.layouts.drafts.key) = (Some(present), Some(key));
    }

    /// Where it is written down what is not saved yet.
    pub(super) fn draft(&self) -> Option<(Arc<Session>, String)> {
        let drafts = &self.layouts.drafts;
        drafts.session.clone().zip(drafts.key.clone())
    }

    /// It is saved.
    pub(super) fn drop_draft(&mut self) {
        if let Some((session, key)) = self.draft() {
            self.jobs.remove_draft(session, key);
        }
        (self.layouts.drafts.written, self.layouts.drafts.key) = (None, None);
    }

    /// What a window that crashed had not saved, over what is on screen.
    pub(super) fn restore_draft(&mut self, text: &str) {
        let Ok(draft) = serde_json::from_str::<Draft>(text) else { return };
        let Ok(layout) = Layout::parse(&draft.layout.to_string()) else {
            return;
        };
        let place = draft.place.as_deref().and_then(Place::parse);
        if let (Some(place), Some(base)) = (&place, &draft.base)
            && let Ok(opened) = crate::layout::open(base)
        {
            let is_own = opened.report.dialect == crate::layout::Dialect::Roadreel;
            self.layouts.know(place.clone(), base, &opened.layout, is_own);
        }
        self.layouts.place = place;
        self.change_layout(&layout, "Restored unsaved changes");
        self.layouts.drafts.written = self.layouts.history.present().map(|step| step.state.clone());
        self.layouts.drafts.key = Some(self.topics_key());
        self.tell("Changes that had not been saved are restored; “Revert to the saved layout” takes them back".to_owned());
    }
}
