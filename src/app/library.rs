//! The layouts that can be opened: of the person, of the team (a folder, `s3://…`, a URL), and those that come with the program.
//!
//! Invariant: what lies on disk or elsewhere is listed and changed by other threads; nothing that is deleted is gone for good.

use std::path::PathBuf;

use super::AppState;
use super::background::{Done, FileChange};
use super::layouts::Saving;
use super::place::{Place, is_layout_name, stem};
use super::settings::{BUILT_IN_LAYOUTS, LayoutFolder};
use crate::run::{Expected, TextFile, TextFolder};
use crate::source::Location;

#[derive(Default)]
pub struct Library {
    pub shelves: Vec<Shelf>,
    pub search: String,
    /// Which of them is being renamed, and to what.
    pub renaming: Option<(Place, String)>,
    /// What was deleted last.
    pub deleted: Option<(Place, String)>,
    /// Number of the listing whose answers count.
    asked: u64,
}

/// A folder of layouts.
pub struct Shelf {
    pub name: String,
    /// None: with the program.
    pub folder: Option<TextFolder>,
    pub writable: bool,
    pub layouts: Vec<Place>,
    pub error: Option<String>,
    pub is_listing: bool,
}

/// What a folder holds.
pub struct Shelved {
    asked: u64,
    folder: TextFolder,
    result: Result<Vec<TextFile>, String>,
}

impl Library {
    /// Those whose names hold all words of the search, with their shelf's number.
    pub fn found<'a>(&'a self, search: &str) -> Vec<(usize, &'a Place)> {
        let words: Vec<String> = search.split_whitespace().map(str::to_lowercase).collect();
        let fits = |place: &&Place| {
            let name = place.name().to_lowercase();
            words.iter().all(|word| name.contains(word))
        };
        let shelves = self.shelves.iter().enumerate();
        shelves
            .flat_map(|(at, shelf)| shelf.layouts.iter().filter(fits).map(move |place| (at, place)))
            .collect()
    }
}

impl AppState {
    pub(super) fn personal_folder(&self) -> Option<PathBuf> {
        Some(self.folders.as_ref()?.config.join("layouts"))
    }

    /// Looks what there is.
    pub(super) fn list_library(&mut self) {
        self.layouts.library.asked += 1;
        let asked = self.layouts.library.asked;
        let before = std::mem::take(&mut self.layouts.library.shelves);
        let personal = self
            .personal_folder()
            .map(|folder| ("Personal".to_owned(), TextFolder::Folder(folder), true));
        let shared = self.settings.layout_folders.iter().filter_map(|shared| {
            let folder = shared.folder()?;
            let writable = shared.writable && !matches!(folder, TextFolder::List(_));
            Some((shared.name(), folder, writable))
        });
        let folders: Vec<(String, TextFolder, bool)> = personal.into_iter().chain(shared).collect();
        for (name, folder, writable) in folders {
            // what was there stays to be seen while it is listed anew
            let layouts = before
                .iter()
                .find(|shelf| shelf.folder.as_ref() == Some(&folder))
                .map(|shelf| shelf.layouts.clone());
            self.layouts.library.shelves.push(Shelf {
                name,
                folder: Some(folder.clone()),
                writable,
                layouts: layouts.unwrap_or_default(),
                error: None,
                is_listing: true,
            });
            let then = self.jobs.sender();
            let of = folder.clone();
            self.executor.io().list_texts(folder, is_shown, move |result| {
                then(Done::Shelved(Shelved { asked, folder: of, result }));
            });
        }
        self.layouts.library.shelves.push(Shelf {
            name: "With Roadreel".to_owned(),
            folder: None,
            writable: false,
            layouts: BUILT_IN_LAYOUTS.iter().map(|layout| Place::Bundled(layout.id)).collect(),
            error: None,
            is_listing: false,
        });
    }

    pub(super) fn take_shelved(&mut self, shelved: Shelved) {
        let library = &mut self.layouts.library;
        if shelved.asked != library.asked {
            return;
        }
        let Some(shelf) = library
            .shelves
            .iter_mut()
            .find(|shelf| shelf.folder.as_ref() == Some(&shelved.folder))
        else {
            return;
        };
        shelf.is_listing = false;
        match shelved.result {
            Ok(files) => shelf.layouts = files.into_iter().map(|file| Place::At(file.location)).collect(),
            Err(error) => shelf.error = Some(error),
        }
    }

    /// The shelf that a layout stands on.
    pub(super) fn shelf_of(&self, place: &Place) -> Option<&Shelf> {
        self.layouts.library.shelves.iter().find(|shelf| shelf.layouts.contains(place))
    }

    pub(super) fn rename_layout(&mut self, place: &Place, name: &str) {
        let name = name.trim();
        if name.is_empty() || name == place.name() {
            return;
        }
        if let Err(why) = good_name(name) {
            return self.tell_error(why);
        }
        let Place::At(location) = place else { return };
        let old = location.name();
        let ending = old.get(stem(&old).len()..).unwrap_or(".json");
        let new = beside(location, &format!("{name}{ending}"));
        self.change_file(location.clone(), FileChange::Rename(new));
    }

    /// Beside it, or among the personal ones where nothing may be written beside it.
    pub(super) fn duplicate_layout(&mut self, place: &Place) {
        let named = format!("{} copy.json", place.name());
        let shelf = self
            .shelf_of(place)
            .filter(|shelf| shelf.writable)
            .and_then(|shelf| shelf.folder.clone());
        let folder = shelf.or_else(|| self.personal_folder().map(TextFolder::Folder));
        let Some(to) = folder.and_then(|folder| folder.file(&named)) else {
            return self.tell_error("There is no folder to save the copy in.".to_owned());
        };
        match place {
            Place::Bundled(id) => {
                let text = super::settings::built_in(id).map_or("", |layout| layout.text).to_owned();
                self.change_file(to, FileChange::Write(text));
            }
            Place::At(from) => {
                let then = self.jobs.sender();
                let done = move |text: Result<String, String>| then(Done::Copied(to, text));
                self.executor.io().fetch_text(from.clone(), crate::run::LARGEST_TEXT, done);
            }
        }
    }

    pub(super) fn take_copied(&mut self, to: Location, text: Result<String, String>) {
        match text {
            Ok(text) => self.change_file(to, FileChange::Write(text)),
            Err(error) => self.tell_error(format!("The layout could not be copied: {error}")),
        }
    }

    pub(super) fn delete_layout(&mut self, place: &Place) {
        if let Place::At(location) = place {
            self.change_file(location.clone(), FileChange::Delete);
        }
    }

    pub(super) fn undelete_layout(&mut self) {
        if let Some((Place::At(location), text)) = self.layouts.library.deleted.take() {
            self.change_file(location, FileChange::Restore(text));
        }
    }

    fn change_file(&mut self, location: Location, change: FileChange) {
        match location {
            Location::Path(path) => {
                let bin = self.folders.as_ref().map(|folders| folders.config.join("deleted layouts"));
                self.jobs.change_file(path, change, bin);
            }
            Location::S3(address) => self.change_object(address, change),
            Location::Url(_) => {}
        }
    }

    fn change_object(&mut self, address: crate::source::S3Address, change: FileChange) {
        let then = self.jobs.sender();
        let io = self.executor.io().clone();
        let at = Location::S3(address.clone());
        match change {
            FileChange::Write(text) | FileChange::Restore(text) => io.put_text(address, text, Expected::Nothing, move |wrote| {
                then(Done::FileChanged(at, super::background::created(wrote)));
            }),
            FileChange::Delete => io.delete_text(address, move |gone| {
                then(Done::FileChanged(at, gone.map(super::background::Changed::Deleted)));
            }),
            FileChange::Rename(Location::S3(to)) => io.move_text(address, to.clone(), move |moved| {
                let moved = moved.map(|()| super::background::Changed::Renamed(Location::S3(to)));
                then(Done::FileChanged(at, moved));
            }),
            FileChange::Rename(_) => {}
        }
    }

    pub(super) fn take_file_change(&mut self, location: Location, result: Result<super::background::Changed, String>) {
        use super::background::Changed;

        let place = Place::At(location);
        match result {
            Ok(Changed::Created) => self.tell(format!("“{}” is in the library", place.name())),
            Ok(Changed::Deleted(text)) => {
                self.forget_default(&place);
                self.layouts.library.deleted = Some((place, text));
            }
            Ok(Changed::Renamed(to)) => {
                let to = Place::At(to);
                self.layouts.moved(&place, &to);
                if let (Some(old), Some(new)) = (place.spelled(), to.spelled()) {
                    for default in self.settings.layout_defaults.values_mut().filter(|default| **default == old) {
                        default.clone_from(&new);
                    }
                    self.save_settings();
                }
            }
            Err(error) => self.tell_error(error),
        }
        self.list_library();
    }

    /// Writes the layout on screen into a folder of the library.
    pub(super) fn save_copy(&mut self, folder: &TextFolder, name: &str) -> Result<(), String> {
        let name = name.trim();
        good_name(name)?;
        let to = folder.file(&format!("{name}.json")).ok_or("this folder cannot be written to")?;
        let mut layout = self.layout();
        layout.name = Some(name.to_owned());
        self.write_layout(Place::At(to), Expected::Nothing, layout, Saving::Copy);
        Ok(())
    }

    /// Whether it opens by itself on recordings with these topics.
    pub(super) fn is_default(&self, place: &Place) -> bool {
        let set = self.settings.layout_defaults.get(&self.topics_key());
        set.is_some_and(|set| place.spelled().as_deref() == Some(set))
    }

    /// Opens by itself on recordings with these topics from now on; None: none does.
    pub(super) fn set_default(&mut self, place: Option<&Place>) {
        let key = self.topics_key();
        match place.map(Place::spelled) {
            None => drop(self.settings.layout_defaults.shift_remove(&key)),
            Some(Some(spelled)) => {
                self.settings.layout_defaults.insert(key, spelled);
                // what was kept for these topics gives way
                if let Some(path) = self.kept_path() {
                    self.jobs.forget(path);
                }
                self.tell("Opens by itself on recordings with these topics from now on".to_owned());
            }
            Some(None) => return self.tell_error("Its address holds a signature, which is not written down".to_owned()),
        }
        self.save_settings();
    }

    pub(super) fn default_place(&self) -> Option<Place> {
        Place::parse(self.settings.layout_defaults.get(&self.topics_key())?)
    }

    fn forget_default(&mut self, place: &Place) {
        if let Some(spelled) = place.spelled() {
            self.settings.layout_defaults.retain(|_, default| *default != spelled);
            self.save_settings();
        }
    }

    /// Folders that the layout can be copied into: the person's, then the team's.
    pub(super) fn writable_folders(&self) -> Vec<(String, TextFolder)> {
        let personal = self
            .personal_folder()
            .map(|folder| ("Personal".to_owned(), TextFolder::Folder(folder)));
        let shared = self.settings.layout_folders.iter().filter(|shared| shared.writable);
        let shared = shared.filter_map(|shared| Some((shared.name(), shared.folder()?)));
        personal.into_iter().chain(shared).collect()
    }
}

/// Not those that are kept for topics.
fn is_shown(name: &str) -> bool {
    is_layout_name(name) && !(name.starts_with("auto-") && name.len() == "auto-.json".len() + 16)
}

/// A file can be called so everywhere.
fn good_name(name: &str) -> Result<(), String> {
    let is_bad = |c: char| c.is_control() || r#"/\:*?"<>|"#.contains(c);
    match name {
        "" => Err("Give the layout a name".to_owned()),
        name if name.starts_with('.') || name.chars().any(is_bad) => {
            Err(r#"A name holds none of / \ : * ? " < > | and does not begin with a dot"#.to_owned())
        }
        name if name.len() > 120 => Err("The name is too long: 120 bytes at most".to_owned()),
        _ => Ok(()),
    }
}

fn beside(location: &Location, name: &str) -> Location {
    match location {
        Location::Path(path) => Location::Path(path.with_file_name(name)),
        Location::S3(address) => {
            let mut address = address.clone();
            let folder = address.key.rfind('/').map_or(0, |at| at + 1);
            address.key.truncate(folder);
            address.key.push_str(name);
            Location::S3(address)
        }
        Location::Url(url) => Location::Url(url.clone()),
    }
}

impl LayoutFolder {
    pub fn folder(&self) -> Option<TextFolder> {
        TextFolder::parse(&self.place).ok()
    }

    /// For headings: its last part.
    pub fn name(&self) -> String {
        let bare = self.place.trim_end_matches(['/', '\\']);
        let last = bare.rsplit(['/', '\\']).next().unwrap_or_default();
        if last.is_empty() { self.place.clone() } else { last.to_owned() }
    }

    pub fn holds(&self, location: &Location) -> bool {
        self.folder().is_some_and(|folder| folder.holds(location))
    }
}
