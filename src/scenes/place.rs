//! The recording that a scene is of: whether it is the one at a location, and where it is found.

use std::collections::{BTreeMap, HashMap};

use super::{Scene, SceneSet, record_of};
use crate::run::Io;
use crate::source::{Location, Page, Reader, S3Address, SourceError};

/// So far above a table's folder its recordings are looked for: a lake keeps tables and recordings side by side.
const LEVELS: usize = 3;
const ENDINGS: [&str; 4] = ["", ".bag", ".mcap", ".db3"];
/// More recordings of a table are not looked for before one is asked for.
const MOST_LOOKED_FOR: usize = 1000;
/// Nor are more requests made for that.
const MOST_REQUESTS: usize = 64;

/// Whether a scene is of the recording at a location, by bucket and key, otherwise by its name.
pub fn is_of(scene: &Scene, recording: &Location) -> bool {
    if let (Location::S3(address), Some(bucket)) = (recording, &scene.bucket)
        && *bucket == address.bucket
        && scene.keys().contains(&address.key)
    {
        return true;
    }
    is_named(scene, &recording.name())
}

/// Whether a scene is of a recording of this name, with or without its ending.
pub fn is_named(scene: &Scene, recording: &str) -> bool {
    let name = record_of(recording);
    !name.is_empty() && names(scene).any(|own| own == name)
}

/// What the recording may be called, without its ending.
fn names(scene: &Scene) -> impl Iterator<Item = &str> {
    let all = [Some(&*scene.record), Some(&*scene.file), scene.prefix.as_deref()];
    let last = |name| str::trim_end_matches(name, '/').rsplit(['/', '\\']).next().map(record_of);
    all.into_iter().flatten().filter_map(last).filter(|name| !name.is_empty())
}

/// The recording of a scene: in a folder `beside` (tables and recordings that are open) or above it, else in S3. An error is a sentence.
/// Waits: for threads of their own.
pub fn find_recording(io: &Io, scene: &Scene, beside: &[Location]) -> Result<Location, String> {
    if let Some(found) = beside.iter().find_map(|at| on_disk(scene, at)) {
        return Ok(found);
    }
    let name = [scene.prefix.as_deref(), Some(&*scene.record)]
        .into_iter()
        .flatten()
        .find(|name| !name.is_empty());
    let Some(name) = name else {
        return Err("The scene names no recording (bag_file, bag_file_prefix).".to_owned());
    };
    let candidates = in_s3(scene, beside);
    let mut failed: Option<SourceError> = None;
    for address in &candidates {
        match io.block_on(Reader::open(Location::S3(address.clone()), io.net())) {
            // whoever opens it is told
            Ok(_) | Err(SourceError::Empty { .. } | SourceError::Archived { .. }) => return Ok(Location::S3(address.clone())),
            Err(SourceError::NoSuchObject { .. } | SourceError::NoSuchBucket { .. }) => {}
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    let place = match &scene.bucket {
        Some(bucket) => format!("s3://{bucket}/{name}"),
        None => name.to_owned(),
    };
    Err(match (failed, candidates.is_empty()) {
        (Some(error), _) => format!("The scene's recording is not beside its table, and cannot be looked for in S3: {error}"),
        (None, true) => format!("The scene's recording is not beside its table, and no bucket is named: {place}"),
        (None, false) => format!("The scene's recording is neither beside its table nor in S3: {place}"),
    })
}

/// Notes in scenes that their recording is not there, where recordings of others of the table are. Waits, where the table lies in S3.
pub fn note_missing(io: &Io, set: &mut SceneSet) {
    let Some(at) = set.at.clone().filter(|at| !matches!(at, Location::Url(_))) else {
        return;
    };
    let what = match at {
        Location::Path(_) => "Its recording is not beside the table, where those of others are.",
        _ => "Its recording is not in S3, where those of others are.",
    };
    let mut listed = Listed::default();
    let mut is_there = |scene: &Scene| match &at {
        Location::S3(_) => listed.holds(io, scene, &at),
        _ => Some(on_disk(scene, &at).is_some()),
    };
    let recording = |scene: &Scene| (scene.bucket.clone(), scene.prefix.clone(), scene.record.clone());
    let mut known = BTreeMap::new();
    for scene in &set.scenes {
        if known.len() >= MOST_LOOKED_FOR {
            break;
        }
        if !scene.record.is_empty() || scene.prefix.is_some() {
            known.entry(recording(scene)).or_insert_with(|| is_there(scene));
        }
    }
    if !known.values().any(|is_there| *is_there == Some(true)) {
        return;
    }
    for scene in &mut set.scenes {
        if known.get(&recording(scene)) == Some(&Some(false)) {
            scene.odd.push(what.to_owned());
        }
    }
}

/// What lies in folders of S3, each listed once, as far as one request tells.
#[derive(Default)]
struct Listed {
    folders: HashMap<S3Address, Option<Page>>,
    requests: usize,
}

impl Listed {
    /// Whether a scene's recording is there; None where that is not known.
    fn holds(&mut self, io: &Io, scene: &Scene, beside: &Location) -> Option<bool> {
        let candidates = in_s3(scene, std::slice::from_ref(beside));
        let found: Vec<Option<bool>> = candidates.iter().map(|address| self.holds_key(io, address)).collect();
        match found.contains(&Some(true)) {
            true => Some(true),
            false => found.iter().all(Option::is_some).then_some(false),
        }
    }

    fn holds_key(&mut self, io: &Io, address: &S3Address) -> Option<bool> {
        let folder = S3Address {
            key: address
                .key
                .rsplit_once('/')
                .map_or(String::new(), |(folder, _)| format!("{folder}/")),
            ..address.clone()
        };
        if !self.folders.contains_key(&folder) {
            let page = self.page(io, &folder, true);
            self.folders.insert(folder.clone(), page);
        }
        let page = self.folders.get(&folder)?.as_ref()?;
        let is_in = |page: &Page| page.entries.iter().any(|entry| entry.address.key == address.key);
        match (is_in(page), page.next.is_some()) {
            // one of a folder that goes on is asked for by itself
            (false, true) => self.page(io, address, false).map(|page| is_in(&page)),
            (is_in, _) => Some(is_in),
        }
    }

    fn page(&mut self, io: &Io, place: &S3Address, by_folder: bool) -> Option<Page> {
        self.requests += 1;
        if self.requests > MOST_REQUESTS {
            return None;
        }
        io.block_on(io.net().list(place, None, by_folder)).ok()
    }
}

fn on_disk(scene: &Scene, beside: &Location) -> Option<Location> {
    let Location::Path(path) = beside else { return None };
    let path = std::path::absolute(path).ok()?;
    let mut wanted: Vec<String> = Vec::new();
    for key in scene.keys() {
        wanted.extend(scene.bucket.iter().map(|bucket| format!("{bucket}/{key}")));
        wanted.push(key);
    }
    for name in names(scene) {
        wanted.extend(ENDINGS.iter().map(|ending| format!("{name}{ending}")));
    }
    // a table's name for a recording never leads out of these folders
    wanted.retain(|name| !name.is_empty() && !name.starts_with(['/', '\\']) && !name.split(['/', '\\']).any(|part| part == ".."));
    let folders = path.ancestors().skip(usize::from(!path.is_dir())).take(LEVELS + 1);
    folders
        .flat_map(|folder| wanted.iter().map(move |name| folder.join(name)))
        .find(|candidate| candidate.is_file() || (candidate.is_dir() && candidate.join("metadata.yaml").is_file()))
        .map(Location::Path)
}

fn in_s3(scene: &Scene, beside: &[Location]) -> Vec<S3Address> {
    let own = scene.bucket.iter().flat_map(|bucket| {
        scene.keys().into_iter().map(|key| S3Address {
            bucket: bucket.clone(),
            key,
        })
    });
    let neighbours = beside.iter().filter_map(|at| match at {
        Location::S3(address) => Some(address),
        _ => None,
    });
    let neighbours = neighbours.flat_map(|address| {
        let folder = address
            .key
            .rsplit_once('/')
            .map_or(String::new(), |(folder, _)| format!("{folder}/"));
        names(scene)
            .map(|name| S3Address {
                bucket: address.bucket.clone(),
                key: format!("{folder}{name}.bag"),
            })
            .collect::<Vec<_>>()
    });
    let mut all: Vec<S3Address> = Vec::new();
    for address in own.chain(neighbours) {
        if !all.contains(&address) {
            all.push(address);
        }
    }
    all
}
