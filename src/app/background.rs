//! What takes long and is not the executor's: the platform's file dialog. On threads of their own; what came of it is picked up
//! at the start of a pass.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::AppState;
use super::browse::Listed;
use super::dialog::Dialog;
use crate::source::Location;
use crate::source::Scene;

/// Asks the person for files and waits for the answer; none where there was none.
pub type ChooseFiles = Arc<dyn Fn() -> Vec<PathBuf> + Send + Sync>;

pub struct Jobs {
    sender: Sender<Done>,
    done: Receiver<Done>,
    waker: Arc<dyn Fn() + Send + Sync>,
    choose: ChooseFiles,
    /// A dialog is open: no second one.
    choosing: bool,
}

enum Done {
    Chosen { paths: Vec<PathBuf>, add: bool },
    Saved(Result<Option<PathBuf>, String>),
    Layout(Result<String, String>),
    Scenes(Result<Vec<Scene>, String>),
    Listed(Listed),
}

impl Jobs {
    pub fn new(waker: Arc<dyn Fn() + Send + Sync>, choose: ChooseFiles) -> Jobs {
        let (sender, done) = channel();
        Jobs {
            sender,
            done,
            waker,
            choose,
            choosing: false,
        }
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

/// The platform's dialog.
pub fn platform_dialog() -> Vec<PathBuf> {
    let chosen = rfd::FileDialog::new()
        .set_title("Open recordings")
        .add_filter("Recordings", &["bag", "active"])
        .add_filter("All files", &["*"])
        .pick_files();
    chosen.unwrap_or_default()
}

/// An executor ends its threads when it is dropped, which may take as long as the piece of work in hand.
pub fn retire(executor: crate::run::Executor) {
    std::thread::spawn(move || drop(executor));
}

impl AppState {
    pub(super) fn finish_jobs(&mut self, seconds: f64) {
        self.last_seconds.get_or_insert(seconds);
        while let Ok(done) = self.jobs.done.try_recv() {
            self.jobs.choosing = false;
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
                Done::Layout(fetched) => self.take_fetched_layout(fetched),
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
