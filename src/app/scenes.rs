//! The scenes of the window: sets of them from DynamoDB, tables, searches and one's own marks, on one timeline and in one list.
//!
//! Invariant: a pass costs what is in view. What is derived of all scenes (lanes, the list's rows) is made anew only when they, or what is
//! open, have changed.

mod editor;
mod index;
pub(super) mod lanes;
mod list;
mod marks;
mod reading;
mod rows;
mod thumbnails;

use super::AppState;
use super::layouts::Page;
use crate::scenes::{self, Scene, SceneSet};
use crate::source::{Location, SceneTable};
use crate::store::SourceInfo;
use crate::time::{Span, Time};

use index::Index;
pub use index::Sort;
pub use list::ui;
pub(super) use marks::Written;
pub(super) use reading::{LookedUp, Probed, Then};
pub(super) use thumbnails::Read;

/// A scene of the window: the number of its set, and its place in that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub set: u64,
    pub at: usize,
}

/// Where a set came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// DynamoDB's scenes of what is open.
    Listed,
    /// A table, or what was searched for.
    Read,
    /// Marks, or a table that is edited.
    Own,
}

/// All sets of a window.
#[derive(Clone, Default)]
pub struct HeldScenes(Vec<Held>);

#[derive(Clone)]
struct Held {
    number: u64,
    kind: Kind,
    set: SceneSet,
    is_hidden: bool,
    /// Edited since it was saved.
    is_edited: bool,
}

#[derive(Default)]
pub struct ScenesState {
    /// None: nobody named a table in DynamoDB, so none is asked.
    table: Option<SceneTable>,
    /// The table's names for recordings that were opened by these.
    records: Vec<(Location, String)>,
    /// Recordings whose scenes were asked for.
    asked: usize,
    sets: Vec<Held>,
    next_number: u64,
    /// Counts changes of the sets.
    revision: u64,
    /// Why tables could not be read.
    failed: Vec<String>,
    /// Tables that are being read, and recordings looked for.
    reading: usize,
    index: Index,
    list: list::ListState,
    /// What was gone to last.
    selected: Option<Key>,
    /// The set that waits for a place to be saved at.
    saving: Option<u64>,
    marks: marks::Marks,
    thumbnails: thumbnails::Thumbnails,
}

impl ScenesState {
    pub fn new(table: Option<SceneTable>, records: Vec<(Location, String)>, held: HeldScenes) -> ScenesState {
        ScenesState {
            table,
            records,
            next_number: held.0.iter().map(|held| held.number + 1).max().unwrap_or(0),
            sets: held.0,
            ..ScenesState::default()
        }
    }

    /// What stays when the window is opened again; DynamoDB is asked anew.
    pub fn all(&self) -> HeldScenes {
        HeldScenes(self.sets.iter().filter(|held| held.kind != Kind::Listed).cloned().collect())
    }

    pub fn table(&self) -> Option<&SceneTable> {
        self.table.as_ref()
    }

    /// Something else is opened: what DynamoDB listed of the recordings before goes, what was read from tables and marked stays.
    pub fn clear(&mut self) {
        self.sets.retain(|held| held.kind != Kind::Listed);
        (self.records, self.asked) = (Vec::new(), 0);
        self.thumbnails = thumbnails::Thumbnails::default();
        self.marks.forget_what_is_open();
        self.changed();
    }

    /// Whether nothing is on its way any more.
    pub fn is_settled(&self) -> bool {
        self.reading == 0 && self.thumbnails.is_settled()
    }

    /// Whether changes of marks can be undone, and done again.
    pub fn undoes(&self) -> (bool, bool) {
        self.marks.undoes()
    }

    /// Whether there is anything to be listed.
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty() && self.failed.is_empty() && self.reading == 0
    }

    /// Of all sets.
    pub fn count(&self) -> usize {
        self.sets.iter().map(|held| held.set.scenes.len()).sum()
    }

    pub fn get(&self, key: Key) -> Option<&Scene> {
        self.held(key.set)?.set.scenes.get(key.at)
    }

    /// Whether a scene is of the recording at a location: by its names, or because it was opened by the table's. Tables that were extracted
    /// from a recording stand for it.
    fn is_of(&self, scene: &Scene, source: &SourceInfo) -> bool {
        let recording = &source.location;
        let named = |(location, record): &(Location, String)| location == recording && *record == scene.record;
        scenes::is_of(scene, recording) || self.records.iter().any(named) || source.bags.iter().any(|bag| scenes::is_named(scene, bag))
    }

    fn held(&self, number: u64) -> Option<&Held> {
        self.sets.iter().find(|held| held.number == number)
    }

    fn held_mut(&mut self, number: u64) -> Option<&mut Held> {
        self.sets.iter_mut().find(|held| held.number == number)
    }

    fn add(&mut self, set: SceneSet, kind: Kind) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        self.sets.push(Held {
            number,
            kind,
            set,
            is_hidden: false,
            is_edited: false,
        });
        self.changed();
        number
    }

    /// Changes when any scene does.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    fn changed(&mut self) {
        self.revision += 1;
    }
}

impl AppState {
    /// Shows scenes beside those that are there, in the list and on the timeline. A set of the same name and table is replaced: so a search
    /// shows what it has found so far.
    pub fn add_scenes(&mut self, set: SceneSet) {
        let is_same = |held: &&mut Held| held.kind == Kind::Read && held.set.name == set.name && held.set.at == set.at;
        if let Some(held) = self.scenes.sets.iter_mut().find(is_same) {
            held.set = set;
            return self.scenes.changed();
        }
        self.scenes.add(set, Kind::Read);
        (self.layouts.page, self.sidebars.left) = (Page::Scenes, true);
    }

    /// Asks where what was found for this is to be saved.
    pub(super) fn save_found(&mut self, name: &str) {
        let found = |held: &&Held| held.kind == Kind::Read && held.set.name == name && held.set.at.is_none();
        if let Some(number) = self.scenes.sets.iter().find(found).map(|held| held.number) {
            self.ask_where_scenes_go(number);
        }
    }

    /// All scenes that are held, set by set: for whoever writes or counts them.
    pub fn scene_sets(&self) -> impl Iterator<Item = &SceneSet> {
        self.scenes.sets.iter().map(|held| &held.set)
    }

    /// Makes anew what is derived of scenes, where they or what is open have changed. At the start of a pass.
    pub(super) fn index_scenes(&mut self) {
        let stamp = (self.scenes.revision, self.store.catalog_revision(), self.store.sources().len());
        if self.scenes.index.is_of(stamp, &self.scenes.list.order) {
            return;
        }
        let span = self.store.span();
        self.scenes.index = Index::new(&self.scenes, self.store.sources(), span, stamp);
    }

    /// Goes to a scene's start; where its recording is not open, opens that.
    pub fn go_to_scene(&mut self, key: Key) {
        let Some(scene) = self.scenes.get(key).cloned() else { return };
        self.scenes.selected = Some(key);
        let Some(start) = scene.start else {
            let why = scene.odd.iter().find(|odd| odd.contains("start")).cloned();
            return self.tell(why.unwrap_or_else(|| "This scene has no start to go to.".to_owned()));
        };
        match (self.scenes.index.shown_span(key), scene.record.is_empty() && scene.prefix.is_none()) {
            (Some(span), _) => self.seek(span.start),
            (None, _) if self.scenes.index.is_outside(key) => self.tell("There is nothing recorded at the time of this scene".to_owned()),
            (None, false) => self.find_scene_recording(key, &scene),
            (None, true) if self.store.span().is_some_and(|whole| whole.contains(start)) => self.seek(start),
            (None, true) => self.tell("This scene names no recording, and its time is not in what is open.".to_owned()),
        }
    }

    /// The next (1) or the previous (-1) of the scenes that the list shows, in what is open.
    pub(super) fn step_scene(&mut self, direction: i8) {
        let now = self.playback.now;
        // while it plays, what has just begun is not the previous one
        let before = now.plus_nanos(if self.playback.playing { -JUST_BEGUN_NANOS } else { 0 });
        let found = match direction {
            1 => self.scenes.index.first_after(now),
            _ => self.scenes.index.last_before(before),
        };
        match found {
            Some(key) => {
                self.go_to_scene(key);
                self.scenes.list.scroll_to = Some(key);
            }
            None if self.scenes.count() == 0 => self.tell("There are no scenes: open a table of scenes, or mark some (M)".to_owned()),
            None if direction > 0 => self.tell("There is no scene after this one".to_owned()),
            None => self.tell("There is no scene before this one".to_owned()),
        }
    }

    /// The scene that commands are about: the one at the playhead that was gone to, otherwise the shortest at the playhead.
    fn scene_at_playhead(&self) -> Option<(Key, Span)> {
        let now = self.playback.now;
        let chosen = self.scenes.selected.and_then(|key| Some((key, self.scenes.index.shown_span(key)?)));
        chosen
            .filter(|(_, span)| span.contains(now))
            .or_else(|| self.scenes.index.at(now))
            .or(chosen)
    }

    pub(super) fn loop_scene(&mut self) {
        match self.scene_at_playhead() {
            Some((key, _)) => self.loop_this_scene(key),
            None => self.tell("Go to a scene first".to_owned()),
        }
    }

    fn loop_this_scene(&mut self, key: Key) {
        let Some(span) = self.scenes.index.shown_span(key) else {
            return self.go_to_scene(key);
        };
        if span.nanos() == 0 {
            return self.tell("This scene is a moment: there is nothing to loop".to_owned());
        }
        self.scenes.selected = Some(key);
        if self.playback.looping == Some(span) {
            self.playback.looping = None;
            return;
        }
        self.playback.looping = Some(span);
        self.seek(span.start);
    }

    pub(super) fn zoom_to_scene(&mut self) {
        match self.scene_at_playhead() {
            Some((key, _)) => self.zoom_to_this_scene(key),
            None => self.tell("Go to a scene first".to_owned()),
        }
    }

    fn zoom_to_this_scene(&mut self, key: Key) {
        let Some(span) = self.scenes.index.shown_span(key) else {
            return self.go_to_scene(key);
        };
        self.scenes.selected = Some(key);
        self.timeline.show(span, self.span());
        self.seek(span.start);
    }

    fn remove_scene_set(&mut self, number: u64) {
        self.scenes.sets.retain(|held| held.number != number);
        self.scenes.marks.forget(number);
        self.scenes.changed();
    }
}

/// While it plays, a step back leads to the scene before one that began this recently.
const JUST_BEGUN_NANOS: i64 = 1_000_000_000;

/// Beside a scene's start in lists: its length.
fn length_text(scene: &Scene) -> String {
    match (scene.start, scene.end) {
        (Some(start), Some(end)) if end > start => crate::time::format_duration(end.since(start)),
        (Some(start), Some(end)) if end == start => "moment".to_owned(),
        (Some(_), None) => "no end".to_owned(),
        _ => "no time".to_owned(),
    }
}

/// What a scene is called where there is room for little: its text, else what its id says beyond its recording and class.
fn short_name(scene: &Scene) -> &str {
    if let Some(text) = &scene.text {
        return text;
    }
    let id = scene.id.strip_prefix(&scene.record).unwrap_or(&scene.id).trim_start_matches('_');
    if id.is_empty() { &scene.id } else { id }
}

/// Later by what its recording is taken to have been received later.
fn shifted(time: Time, nanos: i64) -> Time {
    time.plus_nanos(nanos)
}
