//! What takes long and is not the executor's: the platform's file dialog, writing the demo drive. On threads of their own; what
//! came of it is picked up at the start of a pass.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use super::AppState;
use crate::source::Location;

pub struct Jobs {
    sender: Sender<Done>,
    done: Receiver<Done>,
    waker: Arc<dyn Fn() + Send + Sync>,
    /// A dialog is open: no second one.
    choosing: bool,
    /// Of the demo drive being written, in thousandths.
    writing: Option<Arc<AtomicU32>>,
}

enum Done {
    Chosen { paths: Vec<PathBuf>, add: bool },
    Demo(Result<PathBuf, String>),
    Saved(Result<String, String>),
}

impl Jobs {
    pub fn new(waker: Arc<dyn Fn() + Send + Sync>) -> Jobs {
        let (sender, done) = channel();
        Jobs {
            sender,
            done,
            waker,
            choosing: false,
            writing: None,
        }
    }

    /// Opens the platform's file dialog.
    pub fn choose_files(&mut self, add: bool) {
        if std::mem::replace(&mut self.choosing, true) {
            return;
        }
        let (sender, waker) = (self.sender.clone(), self.waker.clone());
        std::thread::spawn(move || {
            let chosen = rfd::FileDialog::new()
                .set_title("Open recordings")
                .add_filter("Recordings", &["bag", "active"])
                .add_filter("All files", &["*"])
                .pick_files();
            // the window is gone: nobody to tell
            let _ = sender.send(Done::Chosen {
                paths: chosen.unwrap_or_default(),
                add,
            });
            waker();
        });
    }

    /// Asks where to, and writes it there.
    pub fn save_text(&mut self, file_name: String, text: String) {
        let (sender, waker) = (self.sender.clone(), self.waker.clone());
        std::thread::spawn(move || {
            let chosen = rfd::FileDialog::new().set_file_name(&file_name).save_file();
            let Some(path) = chosen else { return };
            let written = std::fs::write(&path, text).map(|()| format!("Saved {}", path.display()));
            let told = written.map_err(|e| format!("The file could not be written: {e}: {}", path.display()));
            // the window is gone: nobody to tell
            let _ = sender.send(Done::Saved(told));
            waker();
        });
    }

    fn write_demo(&mut self, path: PathBuf) {
        let progress = Arc::new(AtomicU32::new(0));
        self.writing = Some(progress.clone());
        let (sender, waker) = (self.sender.clone(), self.waker.clone());
        std::thread::spawn(move || {
            let written = write_demo(&path, |fraction| {
                progress.store((fraction * 1000.0) as u32, Ordering::Relaxed);
                waker();
            });
            let written = written.map_err(|e| format!("The demo drive could not be written: {e}: {}", path.display()));
            // the window is gone: nobody to tell
            let _ = sender.send(Done::Demo(written.map(|()| path)));
            waker();
        });
    }

    /// How much of the demo drive is written.
    pub fn writing(&self) -> Option<f32> {
        let thousandths = self.writing.as_ref()?.load(Ordering::Relaxed);
        Some(thousandths as f32 / 1000.0)
    }
}

/// An executor ends its threads when it is dropped, which may take as long as the piece of work in hand.
pub fn retire(executor: crate::run::Executor) {
    std::thread::spawn(move || drop(executor));
}

/// Whole or not at all.
fn write_demo(path: &Path, progress: impl FnMut(f64)) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let beside = path.with_extension("bag.tmp");
    let file = std::fs::File::create(&beside)?;
    let out = std::io::BufWriter::new(file);
    let options = crate::demo::Options::default();
    crate::demo::write(out, options, progress)?
        .into_inner()
        .map_err(std::io::IntoInnerError::into_error)?
        .sync_all()?;
    std::fs::rename(&beside, path)
}

impl AppState {
    /// Opens the demo drive, writing it first where it has not been yet.
    pub(super) fn open_demo(&mut self) {
        if self.jobs.writing.is_some() {
            return;
        }
        let folder = self.folders.as_ref().map(|f| f.demo_drive());
        let path = folder.unwrap_or_else(|| std::env::temp_dir().join("roadreel-demo-drive.bag"));
        if path.is_file() {
            self.open(vec![Location::Path(path)]);
        } else {
            self.jobs.write_demo(path);
        }
    }

    pub(super) fn finish_jobs(&mut self, seconds: f64) {
        self.last_seconds.get_or_insert(seconds);
        while let Ok(done) = self.jobs.done.try_recv() {
            match done {
                Done::Chosen { paths, add } => {
                    self.jobs.choosing = false;
                    let locations: Vec<Location> = paths.into_iter().map(Location::Path).collect();
                    if locations.is_empty() {
                        continue;
                    }
                    if add { self.add(locations) } else { self.open(locations) }
                }
                Done::Saved(Ok(message)) => self.tell(message),
                Done::Saved(Err(message)) => self.tell_error(message),
                Done::Demo(written) => {
                    self.jobs.writing = None;
                    match written {
                        Ok(path) => self.open(vec![Location::Path(path)]),
                        Err(message) => self.tell_error(message),
                    }
                }
            }
        }
    }
}
