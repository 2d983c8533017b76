//! Where the window's scenes come from, on other threads: tables that are opened, DynamoDB, and the recordings that scenes are of.

use super::{Key, Kind};
use crate::app::AppState;
use crate::app::background::Done;
use crate::app::layouts::Page;
use crate::app::place::{Place, is_layout_name};
use crate::run::FoundScene;
use crate::scenes::{self, Scene, SceneSet, record_of};
use crate::source::{Link, Location, SceneTable};
use crate::time::When;

/// What became of a scene that a link names.
pub struct LookedUp {
    link: Link,
    add: bool,
    table: SceneTable,
    found: Result<FoundScene, String>,
}

/// What locations turned out to be that may be tables of scenes, or hold several things.
#[derive(Default)]
pub struct Probed {
    sets: Vec<SceneSet>,
    failed: Vec<String>,
    /// What was not opened.
    passed_over: Vec<String>,
    /// Recordings, and tables of measurements.
    others: Vec<Location>,
    /// Recordings that lie in places that were named.
    recordings: Vec<Location>,
    /// Where recordings and scenes lie beside tables: only those of measurements are left to be opened.
    tables: Vec<Location>,
    add: bool,
    then: Then,
}

/// What is to be done once something is open.
#[derive(Default)]
pub struct Then {
    pub seek: Option<When>,
    pub layout: Option<Location>,
}

/// Whether what has this name may be a table of scenes, or several things: then it is looked at before it is opened. Only the name is asked:
/// whether a path is a folder, the look itself finds out.
fn is_looked_at(location: &Location) -> bool {
    let name = location.name().to_ascii_lowercase();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let is_table = matches!(
        ending,
        "parquet" | "parq" | "pq" | "csv" | "tsv" | "jsonl" | "ndjson" | "json" | "arrow" | "feather" | "ipc"
    );
    let is_list = matches!(ending, "txt" | "list" | "manifest") || name.ends_with(".json.gz");
    let is_folder = match location {
        Location::Path(_) => !matches!(ending, "bag" | "active" | "log"),
        Location::S3(address) => address.is_prefix() || ending.is_empty(),
        Location::Url(_) => false,
    };
    is_table || is_list || is_folder
}

impl Probed {
    fn look_at(&mut self, io: &crate::run::Io, location: Location) {
        // what cannot be looked at is told by whoever opens it
        let Ok(sorted) = scenes::sort(io, &location) else {
            return self.others.push(location);
        };
        let is_mixed = sorted.scenes.is_some() || !sorted.recordings.is_empty();
        if let Some(mut set) = sorted.scenes {
            scenes::note_missing(io, &mut set);
            self.sets.push(set);
        }
        self.failed.extend(sorted.failed);
        let of_place = |what| format!("{}: {what}", location.name());
        self.passed_over.extend(sorted.passed_over.filter(|_| is_mixed).map(of_place));
        self.recordings.extend(sorted.recordings);
        match (sorted.has_others, is_mixed) {
            (true, true) => self.tables.push(location),
            (true, false) => self.others.push(location),
            (false, _) => {}
        }
    }
}

impl AppState {
    /// Opens recordings and tables, instead of or beside what is open; tables of scenes join as scenes, whatever is open stays.
    pub fn offer(&mut self, locations: Vec<Location>, add: bool) {
        self.offer_and(locations, add, Then::default());
    }

    pub(in crate::app) fn offer_and(&mut self, locations: Vec<Location>, add: bool, mut then: Then) {
        let (maybe, sure): (Vec<_>, Vec<_>) = locations.into_iter().partition(is_looked_at);
        let any_sure = !sure.is_empty();
        match add {
            _ if !any_sure => {}
            true => self.add(sure),
            false => self.open(sure),
        }
        if any_sure || maybe.is_empty() {
            self.follow(std::mem::take(&mut then));
        }
        if maybe.is_empty() {
            return;
        }
        self.scenes.reading += 1;
        let (io, add) = (self.executor.io().clone(), add || any_sure);
        self.jobs.work(move || {
            let mut probed = Probed {
                add,
                then,
                ..Probed::default()
            };
            maybe.into_iter().for_each(|location| probed.look_at(&io, location));
            Done::Probed(probed)
        });
    }

    pub(in crate::app) fn take_probed(&mut self, mut probed: Probed) {
        self.leave_out_copies(&mut probed);
        self.scenes.reading = self.scenes.reading.saturating_sub(1);
        probed.sets.into_iter().for_each(|set| self.add_scenes(set));
        for error in probed.failed {
            self.scene_table_failed(error);
        }
        // a layout is JSON, too
        let is_layout = |location: &Location| is_layout_name(&location.name());
        let (layouts, others): (Vec<_>, Vec<_>) = probed.others.into_iter().partition(is_layout);
        match probed.add {
            _ if others.is_empty() && probed.tables.is_empty() => {}
            true => self.add(others),
            false => self.open(others),
        }
        self.add_tables(probed.tables);
        self.follow(probed.then);
        if !probed.passed_over.is_empty() {
            self.tell(probed.passed_over.join("; "));
        }
        if let Some(layout) = layouts.into_iter().next() {
            self.open_layout(Place::At(layout));
        }
    }

    fn follow(&mut self, then: Then) {
        self.pending_seek = then.seek.or(self.pending_seek);
        if let Some(location) = then.layout {
            self.fetch_layout(location);
        }
    }

    /// Beside a recording that is named, a place that holds it too is there for its tables: neither a copy of it is opened nor others.
    fn leave_out_copies(&self, probed: &mut Probed) {
        let open = self.store.sources().iter().filter(|_| probed.add).map(|source| &source.location);
        let names: Vec<String> = open.chain(&probed.others).map(|at| record_of(&at.name()).to_owned()).collect();
        let recordings = std::mem::take(&mut probed.recordings);
        let is_named = |location: &Location| names.iter().any(|name| *name == record_of(&location.name()));
        if !recordings.iter().any(is_named) {
            return probed.others.extend(recordings);
        }
        let left: Vec<String> = recordings.iter().filter(|at| !is_named(at)).map(Location::name).collect();
        if let Some(first) = left.first() {
            let more = if left.len() > 1 {
                format!(" and {} more", left.len() - 1)
            } else {
                String::new()
            };
            probed
                .passed_over
                .push(format!("not opened beside the recording that was named: {first}{more}"));
        }
    }

    /// Reads tables as scenes, whatever they are called and hold, as long as something in them is a time.
    pub fn open_scenes(&mut self, locations: Vec<Location>) {
        if locations.is_empty() {
            return;
        }
        self.scenes.reading += 1;
        let io = self.executor.io().clone();
        self.jobs.work(move || {
            let (sets, failed) = locations.iter().fold((Vec::new(), Vec::new()), |(mut sets, mut failed), location| {
                match read(&io, location) {
                    Ok(set) => sets.push(set),
                    Err(error) => failed.push(error),
                }
                (sets, failed)
            });
            Done::Probed(Probed {
                sets,
                failed,
                add: true,
                ..Probed::default()
            })
        });
    }

    fn scene_table_failed(&mut self, error: String) {
        self.tell_error(error.clone());
        if !self.scenes.failed.contains(&error) {
            self.scenes.failed.push(error);
        }
        (self.layouts.page, self.sidebars.left) = (Page::Scenes, true);
    }

    /// Asks DynamoDB for the scenes of recordings that were opened since the last pass.
    pub(in crate::app) fn ask_for_scenes(&mut self) {
        let Some(table) = &self.scenes.table else { return };
        self.scenes.reading += self.store.sources().len().saturating_sub(self.scenes.asked);
        for source in self.store.sources().iter().skip(self.scenes.asked) {
            let known = self.scenes.records.iter().find(|(location, _)| *location == source.location);
            let record = known.map_or_else(|| record_of(&source.location.name()).to_owned(), |(_, record)| record.clone());
            let then = self.jobs.sender();
            let io = self.executor.io();
            io.list_scenes(table.clone(), record, move |listed| {
                then(Done::Scenes(listed.map_err(|error| error.to_string())));
            });
        }
        self.scenes.asked = self.store.sources().len();
    }

    pub(in crate::app) fn take_scenes(&mut self, listed: Result<Vec<Scene>, String>) {
        self.scenes.reading = self.scenes.reading.saturating_sub(1);
        let table = self.scenes.table.as_ref().map(|table| table.table_name.clone()).unwrap_or_default();
        match listed {
            Ok(scenes) if scenes.is_empty() => {}
            Ok(mut scenes) => {
                let held = self.scenes.sets.iter_mut().find(|held| held.kind == Kind::Listed);
                match held {
                    Some(held) => {
                        let before = std::mem::take(&mut held.set.scenes);
                        let all = before.into_iter().chain(scenes.drain(..)).collect();
                        held.set = SceneSet::new(table, None, all);
                        self.scenes.changed();
                    }
                    None => drop(self.scenes.add(SceneSet::new(table, None, scenes), Kind::Listed)),
                }
            }
            Err(error) if !self.scenes.failed.contains(&error) => self.scenes.failed.push(error),
            Err(_) => {}
        }
    }

    /// Opens the recording of a scene that a link names by its ids, once the table has told where it lies.
    pub(in crate::app) fn look_up_scene(&mut self, link: Link, scene: (String, String), add: bool) {
        let table = self.scenes.table.clone().unwrap_or_default();
        self.tell(format!("Looking up “{}” in {}…", scene.1, table.table_name));
        let then = self.jobs.sender();
        let asked = table.clone();
        self.executor.io().look_up_scene(asked, scene, move |found| {
            then(Done::SceneFound(Box::new(LookedUp {
                link,
                add,
                table,
                found: found.map_err(|error| error.to_string()),
            })));
        });
    }

    pub(in crate::app) fn take_found_scene(&mut self, looked_up: LookedUp) {
        let LookedUp {
            mut link,
            add,
            table,
            found,
        } = looked_up;
        let FoundScene { scene, location } = match found {
            Ok(found) => found,
            Err(error) => return self.tell_error(error),
        };
        self.notice = None;
        link.seek_to = link.seek_to.or(scene.start.map(When::At));
        link.locations = vec![location.clone()];
        self.open_link(link, add);
        self.scenes.table = Some(table);
        (self.layouts.page, self.sidebars.left) = (Page::Scenes, true);
        self.scenes.records.push((location, scene.record));
    }

    /// Looks for the recording of a scene that is not open, and opens it there.
    pub(super) fn find_scene_recording(&mut self, key: Key, scene: &Scene) {
        self.tell(format!(
            "Looking for {}…",
            if scene.record.is_empty() { "the recording" } else { &scene.record }
        ));
        self.scenes.reading += 1;
        let table = self.scenes.held(key.set).and_then(|held| held.set.at.clone());
        let open = self.store.sources().iter().map(|source| source.location.clone());
        let beside: Vec<Location> = table.into_iter().chain(open).collect();
        let (io, scene) = (self.executor.io().clone(), scene.clone());
        self.jobs
            .work(move || Done::RecordingFound(key, scenes::find_recording(&io, &scene, &beside)));
    }

    pub(in crate::app) fn take_found_recording(&mut self, key: Key, found: Result<Location, String>) {
        self.scenes.reading = self.scenes.reading.saturating_sub(1);
        let location = match found {
            Ok(location) => location,
            Err(error) => return self.tell_error(error),
        };
        let Some(scene) = self.scenes.get(key).cloned() else { return };
        self.notice = None;
        let is_playing = self.playback.playing;
        self.open(vec![location.clone()]);
        self.scenes.records.push((location, scene.record.clone()));
        self.pending_seek = scene.start.map(When::At);
        self.playback.playing = is_playing;
        self.scenes.selected = Some(key);
    }
}

fn read(io: &crate::run::Io, location: &Location) -> Result<SceneSet, String> {
    let mut set = scenes::read(io, location).map_err(|error| error.to_string())?;
    scenes::note_missing(io, &mut set);
    Ok(set)
}
