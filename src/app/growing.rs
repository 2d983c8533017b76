//! The demo drive, shown while it is being written: a thread writes, and each time that the file is a whole bag again the
//! window reads its catalogue anew.
//!
//! Invariant: the thread writes over an index only after the window has read it, or has turned to something else.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, channel, sync_channel};

use super::AppState;
use crate::demo;
use crate::run::{Io, Recording};
use crate::source::Location;
use crate::store::{Event, SourceId, SourceState};

/// A demo drive in the making.
pub struct Growing {
    path: PathBuf,
    news: Receiver<News>,
    /// 0 to 1.
    fraction: f32,
    /// In the store, once there is anything to see.
    source: Option<SourceId>,
    /// The thread waits for this before it writes on.
    carry_on: Option<SyncSender<()>>,
}

enum News {
    /// So much is written, and can be read until the sender is used or gone.
    Grew(f64, Option<SyncSender<()>>),
    Failed(String),
}

/// Writes the drive, unless it is there already.
fn write(path: &Path, options: demo::Options, io: &Io, mut tell: impl FnMut(News)) {
    if is_whole(path, options, io) {
        return tell(News::Grew(1.0, None));
    }
    let written = start_file(path).and_then(|file| {
        demo::write_watched(std::io::BufWriter::with_capacity(1 << 20, file), options, |done| {
            let (carry_on, may) = sync_channel(1);
            tell(News::Grew(done, (done < 1.0).then_some(carry_on)));
            // an error: nobody reads what grows, so nothing is in the way
            let _ = may.recv();
        })
    });
    if let Err(error) = written {
        tell(News::Failed(format!(
            "The demo drive could not be written: {error}: {}",
            path.display()
        )));
    }
}

/// A former file may still be read by another window: it is replaced, not written over.
fn start_file(path: &Path) -> std::io::Result<std::fs::File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::fs::File::create_new(path)
}

/// A drive whose making was cut off ends too early.
fn is_whole(path: &Path, options: demo::Options, io: &Io) -> bool {
    if !path.is_file() {
        return false;
    }
    let opened = Recording::open(io, Location::Path(path.to_owned()), |_, _| {});
    let span = opened.ok().and_then(|recording| recording.container.catalog().span());
    span.is_some_and(|span| span.nanos() as f64 * 1e-9 > options.seconds - 0.2)
}

impl AppState {
    /// Opens a demo drive, writing it first, or while it is looked at, where it has not been yet.
    pub fn open_demo(&mut self, options: demo::Options) {
        if self.growing.is_some() {
            return;
        }
        let name = format!("demo-{}-{}s.bag", env!("CARGO_PKG_VERSION"), options.seconds);
        let folder = self.folders.as_ref().map(|f| f.cache.clone());
        let path = folder.unwrap_or_else(|| std::env::temp_dir().join("roadreel")).join(name);
        let (sender, news) = channel();
        let (io, waker, file) = (self.executor.io().clone(), self.waker.clone(), path.clone());
        std::thread::spawn(move || {
            write(&file, options, &io, |news| {
                // the window is gone: nobody to tell
                let _ = sender.send(news);
                waker();
            });
        });
        self.growing = Some(Growing {
            path,
            news,
            fraction: 0.0,
            source: None,
            carry_on: None,
        });
    }

    /// How much of the demo drive is written, while it is.
    pub fn growing(&self) -> Option<f32> {
        self.growing.as_ref().map(|g| g.fraction)
    }

    /// As [`AppState::growing`], where this source is that drive.
    pub(super) fn growing_source(&self, source: usize) -> Option<f32> {
        let growing = self.growing.as_ref()?;
        (growing.source? as usize == source).then_some(growing.fraction)
    }

    /// Whether the end of what is open is not its end.
    pub(super) fn may_go_on(&self) -> bool {
        let is_scanned = |state: &SourceState| matches!(state, SourceState::Indexing { .. });
        self.growing.as_ref().is_some_and(|g| g.source.is_some()) || self.store.sources().iter().any(|s| is_scanned(&s.state))
    }

    pub(super) fn watch_growing(&mut self) {
        while let Some(mut growing) = self.growing.take() {
            match growing.news.try_recv() {
                Ok(News::Grew(done, carry_on)) => {
                    growing.fraction = done as f32;
                    growing.carry_on = carry_on;
                    match growing.source {
                        Some(source) => self.store.reopen(source),
                        None => {
                            self.open(vec![Location::Path(growing.path.clone())]);
                            growing.source = Some(0);
                        }
                    }
                    let is_whole = growing.carry_on.is_none();
                    self.growing = (!is_whole).then_some(growing);
                }
                Ok(News::Failed(why)) => self.tell_error(why),
                Err(TryRecvError::Empty) => {
                    self.growing = Some(growing);
                    return;
                }
                Err(TryRecvError::Disconnected) => {}
            }
        }
    }

    /// The catalogue of what grows has been read: more may be written.
    pub(super) fn note_growth(&mut self, event: &Event) {
        let source = match event {
            Event::Opened { source, done: true, .. } | Event::OpenFailed { source, .. } => *source,
            _ => return,
        };
        if let Some(growing) = &mut self.growing
            && growing.source == Some(source)
            && let Some(carry_on) = growing.carry_on.take()
        {
            // the thread is gone: it will not write
            let _ = carry_on.try_send(());
        }
    }
}
