//! Files that are found under their names only when they are whole.
//!
//! Invariant: what is not whole does not stay, after an error nor, on Unix, where the program is told to stop.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A file that is being written.
pub struct Partial {
    partial: PathBuf,
    whole: PathBuf,
}

/// Those of the program. Whoever makes, places or removes one holds the lock: when the program stops, no other comes to be.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn unfinished() -> MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Partial {
    /// Begins the file of this name beside it: what was there before stays until [`Partial::place`].
    pub fn create(whole: &Path) -> io::Result<(Partial, File)> {
        remove_when_stopped();
        let mut name = whole.as_os_str().to_owned();
        name.push(".part");
        let partial = PathBuf::from(name);
        let mut unfinished = unfinished();
        let file = File::create(&partial)?;
        unfinished.push(partial.clone());
        let whole = whole.to_owned();
        Ok((Partial { partial, whole }, file))
    }

    /// It is whole, and closed.
    pub fn place(self) -> io::Result<()> {
        let placed = {
            let _unfinished = unfinished();
            std::fs::rename(&self.partial, &self.whole)
        };
        drop(self);
        placed
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        let mut unfinished = unfinished();
        unfinished.retain(|path| *path != self.partial);
        // nothing is there where it was placed
        let _ = std::fs::remove_file(&self.partial);
    }
}

/// Ctrl+C and the like remove what is not whole, then end the program as they would have.
#[cfg(unix)]
fn remove_when_stopped() {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    static STARTED: std::sync::Once = std::sync::Once::new();
    STARTED.call_once(|| {
        // without it, files stay as other programs' do
        let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
        std::thread::spawn(move || {
            for signal in signals.forever() {
                let unfinished = unfinished();
                for path in unfinished.iter() {
                    let _ = std::fs::remove_file(path);
                }
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        });
    });
}

#[cfg(not(unix))]
fn remove_when_stopped() {}
