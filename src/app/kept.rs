//! What is kept between runs: the layout of recordings with the same topics, or of a file, and the settings.
//!
//! Invariant: this thread asks for files to be read and written and waits for none; nothing is written that was not changed.

use std::path::PathBuf;

use super::background::File;
use super::{AppState, speed_in_range};
use crate::layout::{Layout, PlaybackEntry, Sidebars};
use crate::path::Literal;
use crate::store::Store;
use crate::time::Span;
use crate::workspace::Workspace;

impl AppState {
    /// Puts panels when topics come in.
    pub(super) fn place_panels(&mut self) {
        let topics = self.store.topics().len();
        if topics == self.topics_seen {
            return;
        }
        self.topics_seen = topics;
        if let Some(layout) = self.pending_layout.take() {
            self.use_layout(&layout);
        } else if self.workspace.is_empty() || self.workspace.is_automatic {
            match self.kept_path() {
                Some(path) => {
                    self.reads_layout = true;
                    self.jobs.read_layout(path, fingerprint(&self.store));
                }
                None => self.arrange(),
            }
        }
    }

    /// The layout that was kept for recordings with these topics, if there is one.
    pub(super) fn take_kept_layout(&mut self, of: u64, text: Option<&str>) {
        if !self.reads_layout || of != fingerprint(&self.store) {
            return;
        }
        self.reads_layout = false;
        if !self.workspace.is_empty() && !self.workspace.is_automatic {
            return;
        }
        match text.and_then(|text| Layout::parse(text).ok()) {
            Some(layout) => self.use_layout(&layout),
            None => self.arrange(),
        }
    }

    /// Panels from the topics.
    pub(super) fn arrange(&mut self) {
        let edited = self.workspace.edited;
        self.workspace = Workspace::automatic(&self.store);
        self.workspace.edited = edited;
    }

    /// Panels from the topics because the user said so: they last.
    pub(super) fn arrange_anew(&mut self) {
        self.arrange();
        (self.workspace.edited, self.workspace.is_automatic) = (true, false);
    }

    pub(super) fn use_layout(&mut self, layout: &Layout) {
        self.reads_layout = false;
        self.workspace = Workspace::from_layout(layout);
        for (name, value) in &layout.variables {
            self.store.set_variable(name, Literal::from_json(value));
        }
        if let Some(playback) = &layout.playback {
            self.playback.speed = speed_in_range(playback.speed);
            self.playback.looping = playback.looping.then_some(Span::ALL);
        }
        if let Some(sidebars) = &layout.sidebars {
            self.sidebars = sidebars.clone();
        }
        if self.workspace.is_empty() {
            self.workspace = Workspace::automatic(&self.store);
        }
        self.kept_around = self.around();
    }

    /// The layout as it stands, with playback and sidebars.
    pub fn layout(&self) -> Layout {
        let mut layout = self.workspace.to_layout();
        let variables = self.store.variables().iter();
        layout.variables = variables.map(|(name, value)| (name.clone(), value.to_json())).collect();
        let (playback, sidebars) = self.around();
        let extra = |extra: Option<serde_json::Map<_, _>>| extra.unwrap_or_default();
        layout.playback = Some(PlaybackEntry {
            extra: extra(layout.playback.take().map(|p| p.extra)),
            ..playback
        });
        layout.sidebars = Some(Sidebars {
            extra: extra(layout.sidebars.take().map(|s| s.extra)),
            ..sidebars
        });
        layout
    }

    /// What of a layout lies around the panels.
    pub(super) fn around(&self) -> (PlaybackEntry, Sidebars) {
        let playback = PlaybackEntry {
            speed: self.playback.speed,
            looping: self.playback.looping.is_some(),
            extra: Default::default(),
        };
        (playback, self.sidebars.clone())
    }

    pub(super) fn kept_path(&self) -> Option<PathBuf> {
        let folders = self.folders.as_ref()?;
        Some(folders.layout_for(fingerprint(&self.store)))
    }

    /// Writes the layout where it came from, or where recordings with these topics find it again.
    pub fn save_layout(&mut self) {
        let Some(path) = self.layout_path.clone().or_else(|| self.kept_path()) else {
            return self.tell_error("There is no folder to save the layout in.".to_owned());
        };
        self.jobs.write(File::Layout, path, self.layout().to_json());
        self.workspace.edited = false;
        self.kept_around = self.around();
    }

    /// On exit and before another recording takes the place: what the user changed is kept.
    pub fn keep_layout(&mut self) {
        let changed = self.workspace.edited || self.around() != self.kept_around;
        if changed && !self.workspace.is_empty() {
            self.save_layout();
        }
        self.write_settings();
    }

    /// They are written once the pass is over.
    pub(super) fn save_settings(&mut self) {
        self.settings_changed = true;
    }

    pub(super) fn write_settings(&mut self) {
        if std::mem::take(&mut self.settings_changed)
            && let Some(folders) = &self.folders
        {
            self.jobs.write(File::Settings, folders.settings_path(), self.settings.to_json());
        }
    }
}

/// Until a layout says otherwise.
pub(super) fn shown_at_first() -> Sidebars {
    Sidebars {
        left: true,
        ..Sidebars::default()
    }
}

/// Of the topics' names and types: recordings with the same ones share a layout.
fn fingerprint(store: &Store) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for topic in store.topics() {
        for byte in topic.name.bytes().chain([0]).chain(topic.type_name.bytes()).chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}
