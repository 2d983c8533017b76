//! What takes long and is not the executor's: the platform's file dialog, listings, what is kept offline, the user's own files. On
//! threads of their own; what came of it is picked up at the start of a pass.
//!
//! Invariant: the user's files are read and written one after the other, in the order asked for, the last before the program ends.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use super::AppState;
use super::browse::Listed;
use super::dialog::Dialog;
use super::drafts::Session;
use super::layouts::{self, From, Read, Written};
use super::library::Shelved;
use super::offline::Kept;
use super::place::Place;
use super::scenes::{self, LookedUp, Probed};
use crate::layout::Layout;
use crate::run::{self, Expected, Wrote};
use crate::scenes::{Scene, SceneSet};
use crate::source::{Location, Pin};

/// Asks the person for files and waits for the answer; none where there was none.
pub type ChooseFiles = Arc<dyn Fn(Choosing) -> Vec<PathBuf> + Send + Sync>;

pub struct Jobs {
    sender: Sender<Done>,
    done: Receiver<Done>,
    /// Was waited for.
    next: Option<Done>,
    waker: Arc<dyn Fn() + Send + Sync>,
    choose: ChooseFiles,
    /// A dialog is open: no second one.
    choosing: bool,
    /// The thread of the user's files; None once the window closes.
    files: Option<(Sender<FileJob>, JoinHandle<()>)>,
}

type FileJob = Box<dyn FnOnce() -> Done + Send>;

pub(super) enum Done {
    Chosen {
        paths: Vec<PathBuf>,
        why: Choosing,
    },
    Saved(Result<Option<PathBuf>, String>),
    LayoutRead(Read),
    LayoutWritten(Box<Written>),
    Shelved(Shelved),
    /// To be written there.
    Copied(Location, Result<String, String>),
    FileChanged(Location, Result<Changed, String>),
    Scenes(Result<Vec<Scene>, String>),
    SceneFound(Box<LookedUp>),
    AnswerWritten(Result<PathBuf, String>),
    ScenesMade(Result<SceneSet, String>),
    Probed(Probed),
    RecordingFound(scenes::Key, Result<Location, String>),
    ScenesWritten(scenes::Written),
    Marks(Vec<Scene>),
    Thumbnail(scenes::Read),
    Listed(Listed),
    Kept(Kept),
    Pins(Vec<Pin>),
    Unwritten(String),
    Nothing,
    /// Of the recordings with this fingerprint: what was kept, and what a window that crashed had not.
    KeptLayout(u64, Option<String>, Option<String>),
}

/// What files are chosen for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choosing {
    Open,
    Add,
    Layout,
    Scenes,
    /// Where they are written.
    SaveScenes,
}

/// What is to be done to a layout's file.
pub enum FileChange {
    /// Beside one of that name, with a number, where there is one.
    Write(String),
    /// As it was before it was deleted.
    Restore(String),
    Rename(Location),
    Delete,
}

/// What was done to a layout's file.
pub enum Changed {
    Created,
    Renamed(Location),
    /// It held this.
    Deleted(String),
}

/// How making a new file went.
pub fn created(wrote: Result<Wrote, String>) -> Result<Changed, String> {
    match wrote {
        Ok(Wrote::Whole) => Ok(Changed::Created),
        Ok(Wrote::Differs(_)) => Err("There is a layout of that name already".to_owned()),
        Err(error) => Err(error),
    }
}

impl Jobs {
    pub fn new(waker: Arc<dyn Fn() + Send + Sync>, choose: ChooseFiles) -> Jobs {
        let (sender, done) = channel();
        let (file_jobs, asked) = channel::<FileJob>();
        let (finished, wake) = (sender.clone(), waker.clone());
        let thread = std::thread::spawn(move || {
            for job in asked {
                // the window is gone: nobody to tell
                let _ = finished.send(job());
                wake();
            }
        });
        Jobs {
            sender,
            done,
            next: None,
            waker,
            choose,
            choosing: false,
            files: Some((file_jobs, thread)),
        }
    }

    /// Done after what was asked for before, and before the program ends.
    pub fn file(&self, job: impl FnOnce() -> Done + Send + 'static) {
        if let Some((jobs, _)) = &self.files {
            // the thread lives as long as this sender
            let _ = jobs.send(Box::new(job));
        }
    }

    /// For other threads.
    pub fn sender(&self) -> impl Fn(Done) + Clone + Send + 'static {
        let (sender, waker) = (self.sender.clone(), self.waker.clone());
        move |done| {
            // the window is gone: nobody to tell
            let _ = sender.send(done);
            waker();
        }
    }

    pub fn write_settings(&self, path: PathBuf, text: String) {
        self.file(move || match run::write_whole(&path, text.as_bytes()) {
            Ok(()) => Done::Nothing,
            Err(error) => Done::Unwritten(unwritten("settings", &error, &path)),
        });
    }

    /// Replaces the file at `place`, a path, where it is as expected.
    pub fn write_layout(&self, mut written: Written, expected: Expected, draft: Option<(Arc<Session>, String)>) {
        self.file(move || {
            written.result = match written.place.path() {
                Some(path) => write_layout(path, &expected, &written),
                None => Err("this is no file".to_owned()),
            };
            if let (Ok(Wrote::Whole), Some((session, key))) = (&written.result, draft) {
                session.remove(&key);
            }
            Done::LayoutWritten(Box::new(written))
        });
    }

    /// Takes a layout's text apart.
    pub fn open_text(&self, from: From, text: Result<String, String>) {
        self.file(move || Done::LayoutRead(layouts::opened(from, text)));
    }

    pub fn change_file(&self, path: PathBuf, change: FileChange, bin: Option<PathBuf>) {
        self.file(move || {
            let told = |what: &str, error: std::io::Error| format!("The layout could not be {what}: {error}: {}", path.display());
            let result = match change {
                FileChange::Write(text) => {
                    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
                    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                    let free = run::free_path(&folder, &name);
                    run::write_whole(&free, text.as_bytes())
                        .map(|()| Changed::Created)
                        .map_err(|e| told("written", e))
                }
                FileChange::Restore(text) => {
                    let wrote = run::write_text(&path, &text, &Expected::Nothing);
                    created(wrote.map_err(|e| told("brought back", e)))
                }
                FileChange::Rename(Location::Path(to)) => run::rename_text(&path, &to)
                    .map(|()| Changed::Renamed(Location::Path(to)))
                    .map_err(|e| told("renamed", e)),
                FileChange::Rename(_) => Err("a file stays on disk".to_owned()),
                FileChange::Delete => {
                    let bin = bin.unwrap_or_else(|| path.with_file_name(".deleted layouts"));
                    run::remove_text(&path, &bin).map(Changed::Deleted).map_err(|e| told("deleted", e))
                }
            };
            Done::FileChanged(Location::Path(path), result)
        });
    }

    /// What is kept there no longer counts.
    pub fn forget(&self, path: PathBuf) {
        self.file(move || {
            // there may have been none
            let _ = std::fs::remove_file(path);
            Done::Nothing
        });
    }

    /// Looks for a layout that was kept, and for what a window that crashed left.
    pub fn read_kept_layout(&self, path: PathBuf, of: u64, drafts: Option<(Arc<Session>, String)>) {
        self.file(move || {
            let draft = drafts.and_then(|(session, key)| session.adopt(&key));
            Done::KeptLayout(of, run::read_text(&path).ok(), draft)
        });
    }

    pub fn write_draft(&self, session: Arc<Session>, key: String, text: impl FnOnce() -> String + Send + 'static) {
        self.file(move || match session.write(&key, &text()) {
            Ok(()) => Done::Nothing,
            Err(error) => {
                tracing::warn!("what is not saved yet could not be kept: {error}");
                Done::Nothing
            }
        });
    }

    pub fn remove_draft(&self, session: Arc<Session>, key: String) {
        self.file(move || {
            session.remove(&key);
            Done::Nothing
        });
    }

    /// Opens the platform's file dialog.
    pub fn choose_files(&mut self, why: Choosing) {
        if std::mem::replace(&mut self.choosing, true) {
            return;
        }
        let (sender, waker, choose) = (self.sender.clone(), self.waker.clone(), self.choose.clone());
        std::thread::spawn(move || {
            // the window is gone: nobody to tell
            let _ = sender.send(Done::Chosen { paths: choose(why), why });
            waker();
        });
    }

    /// Asks S3 for a page.
    pub fn list(&self, ask: impl FnOnce() -> Listed + Send + 'static) {
        let (sender, waker) = (self.sender.clone(), self.waker.clone());
        std::thread::spawn(move || {
            // the window is gone: nobody to tell
            let _ = sender.send(Done::Listed(ask()));
            waker();
        });
    }

    /// Looks what is kept offline.
    pub fn list_pins(&self, look: impl FnOnce() -> Vec<Pin> + Send + 'static) {
        let (sender, waker) = (self.sender.clone(), self.waker.clone());
        std::thread::spawn(move || {
            // the window is gone: nobody to tell
            let _ = sender.send(Done::Pins(look()));
            waker();
        });
    }

    /// Where what came of keeping a span goes.
    pub fn kept(&self) -> impl FnOnce(Kept) + Send + 'static {
        let (sender, waker) = (self.sender.clone(), self.waker.clone());
        move |kept| {
            // the window is gone: nobody to tell
            let _ = sender.send(Done::Kept(kept));
            waker();
        }
    }

    /// Asks where to save a file, and saves it.
    pub fn save_file(&mut self, name: String, write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()> + Send + 'static) {
        if std::mem::replace(&mut self.choosing, true) {
            return;
        }
        let (sender, waker) = (self.sender.clone(), self.waker.clone());
        std::thread::spawn(move || {
            let chosen = rfd::FileDialog::new().set_title("Save").set_file_name(name).save_file();
            let to = |path: &std::path::Path| {
                let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
                write(&mut file)?;
                std::io::Write::flush(&mut file)
            };
            let saved = chosen.map(|path| match to(&path) {
                Ok(()) => Ok(path),
                Err(e) => Err(format!("The file could not be saved: {e}: {}", path.display())),
            });
            // the window is gone: nobody to tell
            let _ = sender.send(Done::Saved(saved.transpose()));
            waker();
        });
    }

    /// Does this on a thread of its own.
    pub fn work(&self, work: impl FnOnce() -> Done + Send + 'static) {
        let then = self.sender();
        std::thread::spawn(move || then(work()));
    }

    /// Waits a moment for something to be done: for who has no window.
    pub fn wait(&mut self) {
        if self.next.is_none() {
            self.next = self.done.recv_timeout(std::time::Duration::from_millis(20)).ok();
        }
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        if let Some((jobs, thread)) = self.files.take() {
            drop(jobs);
            // a thread that panicked has written what it could
            let _ = thread.join();
        }
    }
}

/// Writes a layout; where someone else has written the file while this window was closing, nobody can be asked: both stay.
fn write_layout(path: &Path, expected: &Expected, written: &Written) -> Result<Wrote, String> {
    let told = |error: std::io::Error| {
        let message = unwritten("layout", &error, path);
        // the window may be gone
        tracing::warn!("{message}");
        message
    };
    let text = written.text.as_bytes();
    let wrote = run::write_text(path, &written.text, expected).map_err(told)?;
    let (Wrote::Differs(theirs), Some((base, aside))) = (&wrote, written.leaving()) else {
        return Ok(wrote);
    };
    match (aside, base, Layout::parse(theirs)) {
        (None, Some(base), Ok(theirs)) => {
            let merged = crate::layout::merge(base, &written.layout, &theirs).layout();
            // what cannot be merged: the last one who leaves wins, as with a file that is no layout
            let text = merged.map_or_else(|_| written.text.clone(), |merged| merged.to_json());
            run::write_whole(path, text.as_bytes()).map_err(told)?;
        }
        (Some(aside), ..) => {
            let folder = aside.parent().unwrap_or(aside);
            let name = aside
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            let free = run::free_path(folder, &name);
            run::write_whole(&free, text).map_err(told)?;
            tracing::warn!("the layout was changed by someone else; this window's is in {}", free.display());
        }
        // what is kept for topics was no layout
        (None, ..) => run::write_whole(path, text).map_err(told)?,
    }
    Ok(Wrote::Whole)
}

fn unwritten(what: &str, error: &std::io::Error, path: &Path) -> String {
    format!("The {what} could not be saved: {error}: {}", path.display())
}

/// The platform's dialog.
pub fn platform_dialog(why: Choosing) -> Vec<PathBuf> {
    let dialog = rfd::FileDialog::new();
    let chosen = match why {
        Choosing::Open | Choosing::Add => dialog
            .set_title("Open recordings")
            .add_filter("Recordings", &["bag", "active", "parquet", "parq", "csv", "jsonl", "arrow"])
            .add_filter("All files", &["*"])
            .pick_files(),
        Choosing::Scenes => dialog
            .set_title("Open scenes")
            .add_filter("Tables", &["parquet", "parq", "csv", "json", "jsonl", "ndjson", "arrow"])
            .add_filter("All files", &["*"])
            .pick_files(),
        Choosing::SaveScenes => dialog
            .set_title("Save scenes")
            .set_file_name("scenes.parquet")
            .add_filter("Parquet", &["parquet"])
            .add_filter("CSV", &["csv"])
            .add_filter("JSON Lines", &["jsonl"])
            .save_file()
            .map(|path| vec![path]),
        Choosing::Layout => dialog
            .set_title("Open a layout")
            .add_filter("Layouts", &super::place::ENDINGS)
            .add_filter("All files", &["*"])
            .pick_file()
            .map(|path| vec![path]),
    };
    chosen.unwrap_or_default()
}

/// An executor ends its threads when it is dropped, which may take as long as the piece of work in hand; a store gives back a
/// gigabyte in small pieces.
pub fn retire(executor: crate::run::Executor, store: crate::store::Store) {
    std::thread::spawn(move || drop((executor, store)));
}

fn path_of(location: Location) -> Option<PathBuf> {
    match location {
        Location::Path(path) => Some(path),
        _ => None,
    }
}

impl AppState {
    pub(super) fn finish_jobs(&mut self, seconds: f64) {
        self.last_seconds.get_or_insert(seconds);
        while let Some(done) = self.jobs.next.take().or_else(|| self.jobs.done.try_recv().ok()) {
            if matches!(done, Done::Chosen { .. } | Done::Saved(_)) {
                self.jobs.choosing = false;
            }
            match done {
                Done::Chosen { paths, .. } if paths.is_empty() => {}
                Done::Chosen { paths, why } => {
                    let locations = paths.into_iter().map(Location::Path);
                    match why {
                        Choosing::Open => self.offer(locations.collect(), false),
                        Choosing::Add => self.offer(locations.collect(), true),
                        Choosing::Scenes => self.open_scenes(locations.collect()),
                        Choosing::SaveScenes => locations.filter_map(path_of).for_each(|path| self.save_scenes_at(path)),
                        Choosing::Layout => locations.for_each(|location| self.open_layout(Place::At(location))),
                    }
                }
                Done::Saved(Ok(Some(path))) => self.tell(format!("Saved {}", path.display())),
                Done::Saved(Ok(None)) => {}
                Done::Saved(Err(message)) => self.tell_error(message),
                Done::Scenes(listed) => self.take_scenes(listed),
                Done::Probed(probed) => self.take_probed(probed),
                Done::RecordingFound(scene, found) => self.take_found_recording(scene, found),
                Done::ScenesWritten(written) => self.take_written_scenes(written),
                Done::Marks(scenes) => self.take_marks(scenes),
                Done::Thumbnail(read) => self.take_thumbnail(read),
                Done::SceneFound(looked_up) => self.take_found_scene(*looked_up),
                Done::AnswerWritten(written) => self.take_answer(written),
                Done::ScenesMade(Ok(set)) => self.add_scenes(set),
                Done::ScenesMade(Err(why)) => self.tell_error(why),
                Done::Nothing => {}
                Done::Unwritten(message) => {
                    tracing::warn!("{message}");
                    self.tell_error(message);
                }
                Done::LayoutRead(read) => self.take_read_layout(read),
                Done::LayoutWritten(written) => self.take_written(*written),
                Done::Shelved(shelved) => self.take_shelved(shelved),
                Done::Copied(to, text) => self.take_copied(to, text),
                Done::FileChanged(location, result) => self.take_file_change(location, result),
                Done::KeptLayout(of, kept, draft) => self.take_kept_layout(of, kept.as_deref(), draft.as_deref()),
                Done::Kept(kept) => self.take_kept(kept),
                Done::Pins(pins) => self.take_pins(pins),
                Done::Listed(listed) => {
                    if let Some(Dialog::Browse(browse)) = &mut self.dialog {
                        browse.take(listed);
                    }
                }
            }
        }
        self.watch_growing();
    }
}
