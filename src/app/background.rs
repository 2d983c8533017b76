//! What takes long and is not the executor's: the platform's file dialog, listings, what is kept offline, the user's own files. On
//! threads of their own; what came of it is picked up at the start of a pass.
//!
//! Invariant: the user's files are read and written one after the other, in the order asked for, the last before the program ends.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use super::browse::Listed;
use super::dialog::Dialog;
use super::offline::Kept;
use super::{AppState, settings};
use crate::source::{Location, Pin, Scene};

/// Asks the person for files and waits for the answer; none where there was none.
pub type ChooseFiles = Arc<dyn Fn() -> Vec<PathBuf> + Send + Sync>;

pub struct Jobs {
    sender: Sender<Done>,
    done: Receiver<Done>,
    waker: Arc<dyn Fn() + Send + Sync>,
    choose: ChooseFiles,
    /// A dialog is open: no second one.
    choosing: bool,
    /// The thread of the user's files; None once the window closes.
    files: Option<(Sender<FileJob>, JoinHandle<()>)>,
}

type FileJob = Box<dyn FnOnce() -> Done + Send>;

enum Done {
    Chosen {
        paths: Vec<PathBuf>,
        add: bool,
    },
    Saved(Result<Option<PathBuf>, String>),
    Layout(Result<String, String>),
    Scenes(Result<Vec<Scene>, String>),
    Listed(Listed),
    Kept(Kept),
    Pins(Vec<Pin>),
    Written(File, Result<(), String>),
    /// Of the recordings with this fingerprint.
    KeptLayout(u64, Option<String>),
}

/// The user's files that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum File {
    Layout,
    Settings,
}

impl File {
    fn name(self) -> &'static str {
        match self {
            File::Layout => "layout",
            File::Settings => "settings",
        }
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
            waker,
            choose,
            choosing: false,
            files: Some((file_jobs, thread)),
        }
    }

    fn file(&self, job: impl FnOnce() -> Done + Send + 'static) {
        if let Some((jobs, _)) = &self.files {
            // the thread lives as long as this sender
            let _ = jobs.send(Box::new(job));
        }
    }

    /// Replaces the file at `path`.
    pub fn write(&self, file: File, path: PathBuf, text: String) {
        self.file(move || {
            let written = settings::write_whole(&path, text.as_bytes()).map_err(|error| {
                let message = format!("The {} could not be saved: {error}: {}", file.name(), path.display());
                // the window may be gone
                tracing::warn!("{message}");
                message
            });
            Done::Written(file, written)
        });
    }

    /// Looks for a layout that was kept.
    pub fn read_layout(&self, path: PathBuf, of: u64) {
        self.file(move || Done::KeptLayout(of, settings::read_text(&path).ok()));
    }

    /// Opens the platform's file dialog.
    pub fn choose_files(&mut self, add: bool) {
        if std::mem::replace(&mut self.choosing, true) {
            return;
        }
        let (sender, waker, choose) = (self.sender.clone(), self.waker.clone(), self.choose.clone());
        std::thread::spawn(move || {
            // the window is gone: nobody to tell
            let _ = sender.send(Done::Chosen { paths: choose(), add });
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

    /// Where a layout goes that is read from afar.
    pub fn layout_fetched(&self) -> impl FnOnce(Result<String, String>) + Send + 'static {
        let (sender, waker) = (self.sender.clone(), self.waker.clone());
        move |fetched| {
            // the window is gone: nobody to tell
            let _ = sender.send(Done::Layout(fetched));
            waker();
        }
    }

    /// Where the scenes of a recording go.
    pub fn scenes_listed(&self) -> impl FnOnce(Result<Vec<Scene>, String>) + Send + 'static {
        let (sender, waker) = (self.sender.clone(), self.waker.clone());
        move |listed| {
            // the window is gone: nobody to tell
            let _ = sender.send(Done::Scenes(listed));
            waker();
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

/// The platform's dialog.
pub fn platform_dialog() -> Vec<PathBuf> {
    let chosen = rfd::FileDialog::new()
        .set_title("Open recordings")
        .add_filter("Recordings", &["bag", "active", "parquet", "parq", "csv", "jsonl", "arrow"])
        .add_filter("All files", &["*"])
        .pick_files();
    chosen.unwrap_or_default()
}

/// An executor ends its threads when it is dropped, which may take as long as the piece of work in hand; a store gives back a
/// gigabyte in small pieces.
pub fn retire(executor: crate::run::Executor, store: crate::store::Store) {
    std::thread::spawn(move || drop((executor, store)));
}

impl AppState {
    pub(super) fn finish_jobs(&mut self, seconds: f64) {
        self.last_seconds.get_or_insert(seconds);
        while let Ok(done) = self.jobs.done.try_recv() {
            if matches!(done, Done::Chosen { .. } | Done::Saved(_)) {
                self.jobs.choosing = false;
            }
            match done {
                Done::Chosen { paths, .. } if paths.is_empty() => {}
                Done::Chosen { paths, add } => {
                    let locations: Vec<Location> = paths.into_iter().map(Location::Path).collect();
                    if add { self.add(locations) } else { self.open(locations) }
                }
                Done::Saved(Ok(Some(path))) => self.tell(format!("Saved {}", path.display())),
                Done::Saved(Ok(None)) => {}
                Done::Saved(Err(message)) => self.tell_error(message),
                Done::Scenes(listed) => self.take_scenes(listed),
                Done::Written(File::Layout, Ok(())) => self.tell("Layout saved".to_owned()),
                Done::Written(File::Settings, Ok(())) => {}
                Done::Written(file, Err(message)) => {
                    self.workspace.edited |= file == File::Layout;
                    self.tell_error(message);
                }
                Done::KeptLayout(of, text) => self.take_kept_layout(of, text.as_deref()),
                Done::Layout(fetched) => self.take_fetched_layout(fetched),
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
