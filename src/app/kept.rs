//! What is kept between runs: the layout of recordings with the same topics, or of a file, and the settings.
//!
//! Invariant: this thread asks for files to be read and written and waits for none; nothing is written that was not changed.

use std::path::PathBuf;

use super::layouts::{From, Saving};
use super::place::Place;
use super::{AppState, speed_in_range};
use crate::layout::{Layout, PlaybackEntry, Sidebars};
use crate::source::Location;
use crate::store::Store;
use crate::time::Span;
use crate::workspace::{Variables, Workspace};

impl AppState {
    /// Puts panels when topics come in.
    pub(super) fn place_panels(&mut self) {
        let topics = self.store.topics().len();
        if topics == self.topics_seen {
            return;
        }
        self.topics_seen = topics;
        if let Some(layout) = self.pending_layout.take() {
            self.place_pending(&layout);
        } else if self.workspace.is_empty() || self.workspace.is_automatic {
            match self.kept_path() {
                Some(path) => {
                    self.reads_layout = true;
                    let drafts = self.session().zip(Some(self.topics_key()));
                    self.jobs.read_kept_layout(path, fingerprint(&self.store), drafts);
                }
                None => self.arrange(),
            }
        }
    }

    /// The layout that was given at the start, or opened before there was a recording.
    fn place_pending(&mut self, layout: &Layout) {
        let pending = self.layouts.pending.take().unwrap_or_default();
        self.layouts.fit_due = pending.by_hand;
        self.layouts.place = pending.place;
        let name = if pending.name.is_empty() {
            "Opened".to_owned()
        } else {
            format!("Opened {}", pending.name)
        };
        self.use_layout(layout, &name);
        if pending.by_hand {
            self.show_report();
        }
    }

    /// Whether panels wait for what was kept for recordings with this fingerprint.
    pub(super) fn awaits_kept_layout(&self, of: u64) -> bool {
        self.reads_layout && of == fingerprint(&self.store)
    }

    /// The layout that was kept for recordings with these topics, if there is one, and what was not saved before a crash.
    pub(super) fn take_kept_layout(&mut self, of: u64, kept: Option<&str>, draft: Option<&str>) {
        if !self.awaits_kept_layout(of) {
            return;
        }
        if !self.workspace.is_empty() && !self.workspace.is_automatic {
            self.reads_layout = false;
            return;
        }
        let parsed = kept.and_then(|text| Some((text, Layout::parse(text).ok()?)));
        match (parsed, self.default_place(), self.kept_path()) {
            (Some((text, layout)), _, Some(path)) => {
                self.layouts.know(Place::At(Location::Path(path)), text, &layout, true);
                self.use_layout(&layout, "Opened");
            }
            (None, Some(default), _) if draft.is_none() => return self.read_layout_from(From::Default(default, of)),
            _ => self.arrange(),
        }
        self.reads_layout = false;
        if let Some(draft) = draft {
            self.restore_draft(draft);
        }
    }

    /// Panels from the topics.
    pub(super) fn arrange(&mut self) {
        let edited = self.workspace.edited;
        self.workspace = Workspace::automatic(&self.store);
        self.workspace.edited = edited;
        self.begin_history("Arranged automatically");
    }

    /// Panels from the topics because the user said so: they last.
    pub(super) fn arrange_anew(&mut self) {
        self.note_changes_now();
        self.workspace = Workspace::automatic(&self.store);
        (self.workspace.edited, self.workspace.is_automatic) = (true, false);
        self.step("Arranged panels automatically");
    }

    /// The first layout of what is open.
    pub(super) fn use_layout(&mut self, layout: &Layout, step: &str) {
        self.reads_layout = false;
        self.show_layout(layout);
        self.take_around(layout);
        if self.workspace.is_empty() {
            self.workspace = Workspace::automatic(&self.store);
        }
        self.kept_around = self.around();
        self.begin_history(step);
    }

    /// What of a layout lies around the panels.
    pub(super) fn take_around(&mut self, layout: &Layout) {
        if let Some(playback) = &layout.playback {
            self.playback.speed = speed_in_range(playback.speed);
            self.playback.looping = playback.looping.then_some(Span::ALL);
        }
        if let Some(sidebars) = &layout.sidebars {
            self.sidebars = sidebars.clone();
        }
    }

    /// As layouts have them.
    pub(super) fn variables(&self) -> Variables {
        let variables = self.store.variables().iter();
        variables.map(|(name, value)| (name.clone(), value.to_json())).collect()
    }

    /// The layout as it stands, with playback and sidebars.
    pub fn layout(&self) -> Layout {
        let mut layout = self.workspace.to_layout();
        layout.variables = self.variables();
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

    /// Names the set of topics.
    pub(super) fn topics_key(&self) -> String {
        format!("{:016x}", fingerprint(&self.store))
    }

    /// On exit and before another recording takes the place: what the user changed is kept, in the person's own file or for
    /// recordings with these topics; what others share is written when that is asked for only.
    pub fn keep_layout(&mut self) {
        let changed = self.workspace.edited || self.around() != self.kept_around;
        if changed && !self.workspace.is_empty() {
            self.leave_layout();
        } else {
            self.drop_draft();
        }
        self.write_settings();
    }

    fn leave_layout(&mut self) {
        let is_own = |place: &Place| {
            let shared = match place {
                Place::At(location) => self.settings.layout_folders.iter().any(|folder| folder.holds(location)),
                Place::Bundled(_) => true,
            };
            !shared && place.path().is_some() && self.may_write(place)
        };
        let own = self.layouts.place.clone().filter(is_own);
        let aside = own.as_ref().and_then(|place| {
            let folder = self.personal_folder()?;
            Some(folder.join(format!("{} (my changes).json", place.name())))
        });
        let Some(place) = own.or_else(|| self.kept_path().map(|path| Place::At(Location::Path(path)))) else {
            return;
        };
        let base = self.layouts.known(&place).map(|known| known.layout.clone());
        let expected = self.layouts.expected(&place);
        self.write_layout(place, expected, self.layout(), Saving::Leaving { base, aside });
    }

    /// They are written once the pass is over.
    pub(super) fn save_settings(&mut self) {
        self.settings_changed = true;
    }

    pub(super) fn write_settings(&mut self) {
        if std::mem::take(&mut self.settings_changed)
            && self.settings.trouble.is_none()
            && let Some(folders) = &self.folders
        {
            self.jobs.write_settings(folders.settings_path(), self.settings.to_json());
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
