//! One's own scenes: marked at the playhead or by a drag, edited, deleted, undone, saved as a table.
//!
//! Invariants: each change is one step that can be undone, in its place among the steps of the layout. What is not saved is kept in the
//! user's folder, by recording, and there again when the recording is opened; several windows keep theirs there side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use egui::{PointerButton, Response, Ui};

use super::{Held, Key, Kind};
use crate::app::AppState;
use crate::app::background::Done;
use crate::app::layouts::Page;
use crate::app::timeline::Axis;
use crate::lake::Style;
use crate::run::Io;
use crate::scenes::{Scene, SceneSet, record_of};
use crate::source::Location;
use crate::time::{Span, Time};

const SET: &str = "My marks";
const CLASS: &str = "Mark";

#[derive(Default)]
pub struct Marks {
    /// The start of a mark whose end is still to come.
    pub begun: Option<Time>,
    /// What is being dragged on the timeline.
    dragged: Option<Span>,
    /// Of the mark before: the next one begins with it.
    class: Option<String>,
    undo: Vec<Change>,
    redo: Vec<Change>,
    /// Recordings whose kept marks were looked for.
    looked_for: usize,
    /// What this window last wrote into a file of kept marks, or read from it: all else there is another window's.
    kept: BTreeMap<PathBuf, Vec<Kept>>,
}

/// What tells a kept mark from others.
type Kept = (String, Option<Time>, Option<Time>, Option<String>);

fn kept(scene: &Scene) -> Kept {
    (scene.id.clone(), scene.start, scene.end, scene.text.clone())
}

/// What was done to one scene of a set; None is where there is none.
struct Change {
    /// How many steps of the layout had been made.
    layout_step: usize,
    key: Key,
    before: Option<Scene>,
    after: Option<Scene>,
}

impl Change {
    fn record(&self) -> &str {
        self.before.as_ref().or(self.after.as_ref()).map_or("", |scene| &scene.record)
    }
}

impl Marks {
    pub fn forget_what_is_open(&mut self) {
        (self.begun, self.dragged, self.looked_for) = (None, None, 0);
    }

    pub fn undoes(&self) -> (bool, bool) {
        (!self.undo.is_empty(), !self.redo.is_empty())
    }

    /// A set is gone, and with it what could be undone in it.
    pub fn forget(&mut self, set: u64) {
        self.undo.retain(|change| change.key.set != set);
        self.redo.retain(|change| change.key.set != set);
    }
}

/// How writing a set went.
pub struct Written {
    set: u64,
    path: PathBuf,
    result: Result<(), String>,
}

impl AppState {
    /// Begins a mark at the playhead, or ends the one that was begun.
    pub(in crate::app) fn mark(&mut self) {
        if self.store.span().is_none() {
            return self.tell("Open a recording first: marks are made at its playhead".to_owned());
        }
        let now = self.playback.now;
        match self.scenes.marks.begun.take() {
            Some(begun) => self.add_mark(Span::new(begun.min(now), begun.max(now))),
            None => {
                self.scenes.marks.begun = Some(now);
                self.tell("Marking from here: go to its end and press M again; Esc gives it up".to_owned());
            }
        }
    }

    /// True where a mark had been begun, which is given up.
    pub(in crate::app) fn give_up_mark(&mut self) -> bool {
        self.scenes.marks.dragged.take().is_some() | self.scenes.marks.begun.take().is_some()
    }

    /// What a mark would be if it ended now.
    pub(super) fn marked_so_far(&self) -> Option<Span> {
        let now = self.playback.now;
        let begun = self.scenes.marks.begun.map(|begun| Span::new(begun.min(now), begun.max(now)));
        let dragged = self.scenes.marks.dragged;
        dragged
            .map(|span| Span::new(span.start.min(span.end), span.start.max(span.end)))
            .or(begun)
    }

    /// A drag with Shift marks a scene. True while it does.
    pub(in crate::app) fn drag_mark(&mut self, ui: &Ui, response: &Response, axis: Axis) -> bool {
        let at = |pos: egui::Pos2| axis.t(pos.x.clamp(axis.rect.left(), axis.rect.right()));
        if response.drag_started_by(PointerButton::Primary)
            && ui.input(|i| i.modifiers.shift)
            && let Some(origin) = ui.input(|i| i.pointer.press_origin())
        {
            self.scenes.marks.dragged = Some(Span::at(at(origin)));
        }
        let Some(mut dragged) = self.scenes.marks.dragged else {
            return false;
        };
        if let Some(pos) = response.interact_pointer_pos().filter(|_| response.dragged()) {
            dragged.end = at(pos);
            self.scenes.marks.dragged = Some(dragged);
            ui.ctx().request_repaint();
        }
        if !ui.input(|i| i.pointer.any_down()) {
            self.scenes.marks.dragged = None;
            self.add_mark(Span::new(dragged.start.min(dragged.end), dragged.start.max(dragged.end)));
        }
        true
    }

    fn add_mark(&mut self, span: Span) {
        // of the recording that was going on then
        let sources = self.store.sources();
        let holds = |at: usize| {
            let source = u32::try_from(at).ok();
            let span_of = source.and_then(|at| self.store.catalog(at)?.span());
            span_of.is_some_and(|of| of.contains(span.start))
        };
        let at = (0..sources.len()).find(|at| holds(*at)).unwrap_or(0);
        let Some(source) = sources.get(at) else { return };
        let own = |time: Time| time.plus_nanos(-source.shift_nanos);
        let class = self.scenes.marks.class.clone().unwrap_or_else(|| CLASS.to_owned());
        let mut scene = Scene::new(&source.location, &class, Span::new(own(span.start), own(span.end)));
        let set = self.own_set();
        self.scenes.number_twins(&mut scene);
        let at = self.scenes.held(set).map_or(0, |held| held.set.scenes.len());
        let key = Key { set, at };
        self.change_scene(key, None, Some(scene));
        self.scenes.selected = Some(key);
        self.scenes.list.scroll_to = Some(key);
        (self.layouts.page, self.sidebars.left) = (Page::Scenes, true);
    }

    /// The set that marks go to.
    fn own_set(&mut self) -> u64 {
        let own = self.scenes.sets.iter().find(|held| held.kind == Kind::Own);
        match own {
            Some(held) => held.number,
            None => self.scenes.add(SceneSet::new(SET.to_owned(), None, Vec::new()), Kind::Own),
        }
    }

    pub(super) fn edit_scene(&mut self, key: Key, scene: Scene) {
        let Some(before) = self.scenes.get(key).cloned() else { return };
        if before != scene {
            if before.class != scene.class {
                self.scenes.marks.class.clone_from(&scene.class);
            }
            self.change_scene(key, Some(before), Some(scene));
        }
    }

    pub(super) fn delete_scene(&mut self, key: Key) {
        let Some(before) = self.scenes.get(key).cloned() else { return };
        self.change_scene(key, Some(before), None);
        self.tell("Deleted; Ctrl+Z brings it back".to_owned());
    }

    pub(in crate::app) fn delete_selected_scene(&mut self) {
        let own = |key: &Key| self.scenes.held(key.set).is_some_and(|held| held.kind == Kind::Own);
        match self.scenes.selected.filter(own) {
            Some(key) => self.delete_scene(key),
            None => self.tell("Select one of your own marks first".to_owned()),
        }
    }

    fn change_scene(&mut self, key: Key, before: Option<Scene>, after: Option<Scene>) {
        self.note_changes_now();
        let layout_step = self.layouts.history.at();
        self.scenes.apply(key, before.as_ref(), after.as_ref());
        self.scenes.marks.redo.clear();
        let change = Change {
            layout_step,
            key,
            before,
            after,
        };
        self.keep_marks(change.record());
        self.scenes.marks.undo.push(change);
    }

    /// Writes what is not saved of a recording's marks into the user's folder.
    fn keep_marks(&mut self, record: &str) {
        let Some(path) = self.marks_path(record) else { return };
        let unsaved = self
            .scenes
            .sets
            .iter()
            .filter(|held| held.kind == Kind::Own && (held.is_edited || held.set.at.is_none()));
        let scenes = unsaved
            .flat_map(|held| held.set.scenes.iter())
            .filter(|scene| scene.record == record);
        let scenes: Vec<Scene> = scenes.cloned().collect();
        let before = self.scenes.marks.kept.insert(path.clone(), scenes.iter().map(kept).collect());
        let (before, io) = (before.unwrap_or_default(), self.executor.io().clone());
        self.jobs.file(move || match keep(&io, scenes, &before, &path) {
            Ok(()) => Done::Nothing,
            Err(error) => Done::Unwritten(error),
        });
    }

    fn marks_path(&self, record: &str) -> Option<PathBuf> {
        let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        let name: String = record.chars().map(|c| if is_plain(c) { c } else { '_' }).take(120).collect();
        let folder = self.folders.as_ref()?.config.join("marks");
        (!name.is_empty()).then(|| folder.join(format!("{name}.parquet")))
    }

    /// Reads what was kept of recordings that were opened since the last pass.
    pub(in crate::app) fn look_for_marks(&mut self) {
        let sources = self.store.sources();
        let looked_for = std::mem::replace(&mut self.scenes.marks.looked_for, sources.len());
        let names = sources.iter().skip(looked_for).map(|source| source.location.name());
        let paths: Vec<PathBuf> = names.filter_map(|name| self.marks_path(record_of(&name))).collect();
        for path in paths {
            let io = self.executor.io().clone();
            self.jobs.file(move || match path.is_file() {
                false => Done::Nothing,
                true => match crate::scenes::read(&io, &Location::Path(path)) {
                    Ok(set) => Done::Marks(set.scenes),
                    Err(error) => Done::Unwritten(format!("The marks that were kept cannot be read: {error}")),
                },
            });
        }
    }

    pub(in crate::app) fn take_marks(&mut self, scenes: Vec<Scene>) {
        if scenes.is_empty() {
            return;
        }
        let own = self.own_set();
        for mut scene in scenes {
            if let Some(path) = self.marks_path(&scene.record) {
                self.scenes.marks.kept.entry(path).or_default().push(kept(&scene));
            }
            let known = || self.scenes.held(own).into_iter().flat_map(|held| &held.set.scenes);
            if known().any(|known| kept(known) == kept(&scene)) {
                continue;
            }
            // two windows may have named two marks alike
            if known().any(|known| known.id == scene.id) {
                self.scenes.number_twins(&mut scene);
            }
            if let Some(held) = self.scenes.held_mut(own) {
                held.set.scenes.push(scene);
            }
        }
        self.scenes.changed();
    }

    /// Undoes the last change of a mark, where that is the last thing that was done. True where it was.
    pub(in crate::app) fn undo_mark(&mut self) -> bool {
        self.note_changes_now();
        let step = self.layouts.history.at();
        let Some(change) = self.scenes.marks.undo.pop_if(|change| change.layout_step >= step) else {
            return false;
        };
        self.scenes.apply(change.key, change.after.as_ref(), change.before.as_ref());
        self.keep_marks(change.record());
        self.scenes.marks.redo.push(change);
        true
    }

    pub(in crate::app) fn redo_mark(&mut self) -> bool {
        self.note_changes_now();
        let step = self.layouts.history.at();
        let Some(change) = self.scenes.marks.redo.pop_if(|change| change.layout_step <= step) else {
            return false;
        };
        self.scenes.apply(change.key, change.before.as_ref(), change.after.as_ref());
        self.keep_marks(change.record());
        self.scenes.marks.undo.push(change);
        true
    }

    /// Makes a table's scenes one's own: they can be edited, and saved.
    pub(super) fn edit_scene_set(&mut self, number: u64) {
        if let Some(held) = self.scenes.held_mut(number) {
            held.kind = Kind::Own;
            self.scenes.changed();
        }
    }

    /// Writes one's own scenes where they were written before, or asks where.
    pub(in crate::app) fn save_scenes(&mut self) {
        let own = |held: &&Held| held.kind == Kind::Own && !held.set.scenes.is_empty();
        let mut own = self.scenes.sets.iter().filter(own);
        let edited = own.clone().find(|held| held.is_edited);
        let Some(held) = edited.or_else(|| own.next()) else {
            return self.tell("There are no marks to save: M begins and ends one".to_owned());
        };
        self.save_scene_set(held.number);
    }

    pub(super) fn save_scene_set(&mut self, number: u64) {
        let Some(held) = self.scenes.held(number) else { return };
        match &held.set.at {
            Some(Location::Path(path)) => {
                let path = path.clone();
                self.write_scene_set(number, path);
            }
            _ => self.ask_where_scenes_go(number),
        }
    }

    pub(super) fn ask_where_scenes_go(&mut self, number: u64) {
        self.scenes.saving = Some(number);
        self.jobs.choose_files(crate::app::Choosing::SaveScenes);
    }

    /// The place that was chosen for the set that waits for one.
    pub(in crate::app) fn save_scenes_at(&mut self, mut path: PathBuf) {
        let Some(number) = self.scenes.saving.take() else { return };
        if Style::of(&path.to_string_lossy()).is_none() {
            path.add_extension("parquet");
        }
        self.write_scene_set(number, path);
    }

    fn write_scene_set(&mut self, set: u64, path: PathBuf) {
        let Some(held) = self.scenes.held_mut(set) else { return };
        held.is_edited = false;
        let scenes = held.set.scenes.clone();
        self.jobs.file(move || {
            let result = written(&scenes, &path);
            Done::ScenesWritten(Written { set, path, result })
        });
    }

    pub(in crate::app) fn take_written_scenes(&mut self, written: Written) {
        let Written { set, path, result } = written;
        let Some(held) = self.scenes.held_mut(set) else { return };
        match result {
            Ok(()) => {
                let at = Location::Path(path);
                held.set.name = at.name();
                held.set.at = Some(at.clone());
                let records: BTreeSet<String> = held.set.scenes.iter().map(|scene| scene.record.clone()).collect();
                for record in &records {
                    self.keep_marks(record);
                }
                self.tell(format!("Saved {at}"));
            }
            Err(error) => {
                held.is_edited = true;
                self.tell_error(error);
            }
        }
    }

    /// Whether a scene of an open recording is one's own.
    pub(super) fn is_own(&self, key: Key) -> bool {
        self.scenes.held(key.set).is_some_and(|held| held.kind == Kind::Own)
    }

    /// By how much the times of a scene's recording are moved.
    pub(super) fn shift_of_scene(&self, scene: &Scene) -> i64 {
        let source = self.store.sources().iter().find(|source| self.scenes.is_of(scene, source));
        source.map_or(0, |source| source.shift_nanos)
    }
}

impl super::ScenesState {
    fn apply(&mut self, key: Key, from: Option<&Scene>, to: Option<&Scene>) {
        let Some(held) = self.held_mut(key.set) else { return };
        let scenes = &mut held.set.scenes;
        match (from, to) {
            (None, Some(to)) => scenes.insert(key.at.min(scenes.len()), to.clone()),
            (Some(_), None) if key.at < scenes.len() => drop(scenes.remove(key.at)),
            (Some(_), Some(to)) => {
                if let Some(scene) = scenes.get_mut(key.at) {
                    scene.clone_from(to);
                }
            }
            _ => {}
        }
        held.is_edited = true;
        if self.selected.is_some_and(|selected| self.get(selected).is_none()) {
            self.selected = None;
        }
        self.changed();
    }

    /// Two scenes of one recording have two ids.
    fn number_twins(&self, scene: &mut Scene) {
        let ids: std::collections::HashSet<&str> = self
            .sets
            .iter()
            .flat_map(|held| held.set.scenes.iter())
            .map(|scene| &*scene.id)
            .collect();
        let base = scene.id.clone();
        let mut numbers = 2..;
        while ids.contains(&*scene.id) {
            scene.id = format!("{base}_{}", numbers.next().unwrap_or(i32::MAX));
        }
    }
}

/// Writes a window's marks into their file in the place of those that it wrote `before`; those of other windows stay.
fn keep(io: &Io, own: Vec<Scene>, before: &[Kept], path: &Path) -> Result<(), String> {
    // where the disk knows no locks, two windows have to be slower than one another
    let lock = path.parent().and_then(|folder| {
        std::fs::create_dir_all(folder).ok()?;
        File::create(path.with_extension("lock")).ok()
    });
    let _held = lock.filter(|lock| lock.lock().is_ok());
    let there = match path.is_file() {
        true => crate::scenes::read(io, &Location::Path(path.to_owned())).map_or_else(
            |_| {
                // whatever it is, it is not lost
                let _ = std::fs::rename(path, path.with_extension("damaged.parquet"));
                Vec::new()
            },
            |set| set.scenes,
        ),
        false => Vec::new(),
    };
    let ours: BTreeSet<Kept> = own.iter().map(kept).chain(before.iter().cloned()).collect();
    let others = there.into_iter().filter(|scene| !ours.contains(&kept(scene)));
    written(&others.chain(own).collect::<Vec<_>>(), path)
}

fn written(scenes: &[Scene], path: &Path) -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display| format!("The scenes could not be saved: {error}: {}", path.display());
    let style = Style::of(&path.to_string_lossy()).unwrap_or(Style::Parquet);
    let bytes = crate::scenes::write(scenes, style, Vec::new()).map_err(|error| failed(&error))?;
    crate::run::write_whole(path, &bytes).map_err(|error| failed(&error))
}
