//! What takes long and is not the executor's: the platform's file dialog. On threads of their own; what came of it is picked up
//! at the start of a pass.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::AppState;
use crate::source::Location;

/// Asks the person for files and waits for the answer; none where there was none.
pub type ChooseFiles = Arc<dyn Fn() -> Vec<PathBuf> + Send + Sync>;

pub struct Jobs {
    sender: Sender<Chosen>,
    chosen: Receiver<Chosen>,
    waker: Arc<dyn Fn() + Send + Sync>,
    choose: ChooseFiles,
    /// A dialog is open: no second one.
    choosing: bool,
}

struct Chosen {
    paths: Vec<PathBuf>,
    add: bool,
}

impl Jobs {
    pub fn new(waker: Arc<dyn Fn() + Send + Sync>, choose: ChooseFiles) -> Jobs {
        let (sender, chosen) = channel();
        Jobs {
            sender,
            chosen,
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
            let _ = sender.send(Chosen { paths: choose(), add });
            waker();
        });
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
        while let Ok(Chosen { paths, add }) = self.jobs.chosen.try_recv() {
            self.jobs.choosing = false;
            let locations: Vec<Location> = paths.into_iter().map(Location::Path).collect();
            if locations.is_empty() {
                continue;
            }
            if add { self.add(locations) } else { self.open(locations) }
        }
        self.watch_growing();
    }
}
