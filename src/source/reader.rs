//! One open recording, wherever it lies: its size, its first bytes, and any range of it.
//!
//! Invariants: a range beyond the recording's end is never asked for; what is handed out has exactly the length asked for;
//! dropping a read's future ends its request.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::cached::Cached;
use super::net::Net;
use super::{Location, Pin, SourceError, Traffic, local};
use crate::time::Span;

/// Bytes that opening reads at once, to recognise the format and to learn the size.
pub const HEAD_BYTES: u64 = 64 * 1024;

/// No part of a recording is larger; an index that names one lies, and memory is not given on its word.
const MAX_READ_BYTES: u64 = (1 << 30) + (64 << 20);

/// An open recording. Cheap to clone; shared by all threads.
#[derive(Clone)]
pub struct Reader {
    shared: Arc<Shared>,
}

struct Shared {
    location: Location,
    len: u64,
    head: Bytes,
    bytes: Origin,
    traffic: Arc<Traffic>,
}

enum Origin {
    File(Arc<File>),
    Remote(Box<Cached>),
    /// A server without ranges sent it all.
    Whole(Bytes),
    /// Several objects, one behind the other: where each starts.
    Joined(Vec<(u64, Reader)>),
}

impl Reader {
    /// Opens a location with at most one request, and reads its first block. A known one comes from the cache, if there is one.
    pub async fn open(location: Location, net: &Net) -> Result<Reader, SourceError> {
        let traffic = net.traffic().clone();
        let (len, head, bytes) = match &location {
            Location::Path(path) => {
                let (path, at, counted) = (path.clone(), location.clone(), traffic.clone());
                blocking(&location, move || {
                    let (file, len) = local::open(&path, &at)?;
                    let mut head = vec![0; usize::try_from(len.min(HEAD_BYTES)).unwrap_or(0)];
                    local::read(&file, 0, &mut head, &at)?;
                    counted.disk(head.len());
                    Ok((len, Bytes::from(head), Origin::File(Arc::new(file))))
                })
                .await?
            }
            Location::Url(_) | Location::S3(_) => {
                let (object, opened) = Cached::open(&location, net).await?;
                match opened.whole {
                    true => (
                        opened.len,
                        opened.head.slice(..opened.head.len().min(HEAD_BYTES as usize)),
                        Origin::Whole(opened.head),
                    ),
                    false => (opened.len, opened.head, Origin::Remote(Box::new(object))),
                }
            }
        };
        if len == 0 {
            return Err(SourceError::Empty { at: location });
        }
        tracing::debug!(%location, len, "opened");
        Ok(Reader {
            shared: Arc::new(Shared {
                location,
                len,
                head,
                bytes,
                traffic,
            }),
        })
    }

    /// Bytes that are at hand, under the location that they stand for.
    pub fn held(location: Location, bytes: Bytes, net: &Net) -> Reader {
        Reader {
            shared: Arc::new(Shared {
                location,
                len: bytes.len() as u64,
                head: bytes.slice(..bytes.len().min(HEAD_BYTES as usize)),
                bytes: Origin::Whole(bytes),
                traffic: net.traffic().clone(),
            }),
        }
    }

    /// Several open objects as one recording, one behind the other, known under one location.
    pub fn joined(location: Location, objects: Vec<Reader>) -> Reader {
        let mut len = 0;
        let mut pieces = Vec::with_capacity(objects.len());
        for object in objects {
            let start = len;
            len += object.len();
            pieces.push((start, object));
        }
        let first = pieces.first().map(|(_, first)| &first.shared);
        Reader {
            shared: Arc::new(Shared {
                location,
                len,
                head: first.map(|first| first.head.clone()).unwrap_or_default(),
                traffic: first.map(|first| first.traffic.clone()).unwrap_or_default(),
                bytes: Origin::Joined(pieces),
            }),
        }
    }

    pub fn location(&self) -> &Location {
        &self.shared.location
    }

    /// Where it is read now: another location than it was opened at, once its link has been renewed.
    pub fn current(&self) -> Location {
        match &self.shared.bytes {
            Origin::Remote(remote) => remote.location(),
            _ => self.location().clone(),
        }
    }

    /// Goes on reading through another link, which has to lead to the same object: the same length and, where the store gives
    /// a strong one, the same ETag. One request.
    pub async fn renew(&self, link: &Location) -> Result<(), SourceError> {
        match &self.shared.bytes {
            Origin::Remote(remote) => remote.renew(link).await,
            _ => Ok(()),
        }
    }

    /// Bytes of the whole recording. Never 0.
    #[expect(clippy::len_without_is_empty, reason = "an empty recording does not open")]
    pub fn len(&self) -> u64 {
        self.shared.len
    }

    /// The first bytes, read when it was opened: [`HEAD_BYTES`] or the whole recording.
    pub fn head(&self) -> &Bytes {
        &self.shared.head
    }

    /// Whether reads cost round trips.
    pub fn is_remote(&self) -> bool {
        match &self.shared.bytes {
            Origin::Remote(_) => true,
            Origin::Joined(pieces) => pieces.iter().any(|(_, piece)| piece.is_remote()),
            Origin::File(_) | Origin::Whole(_) => false,
        }
    }

    /// The bytes of `range`. A range that reaches past the end is an error.
    pub async fn read(&self, range: Range<u64>) -> Result<Bytes, SourceError> {
        if let Some(bytes) = self.in_memory(&range)? {
            return Ok(bytes);
        }
        if let Origin::File(file) = &self.shared.bytes {
            let (file, reader) = (file.clone(), self.clone());
            return blocking(self.location(), move || reader.pread(&file, range, BytesMut::new())).await;
        }
        if let Origin::Joined(pieces) = &self.shared.bytes {
            return self.read_joined(pieces, range).await;
        }
        // What the first block holds is not asked for again.
        let known = self
            .shared
            .head
            .get(usize::try_from(range.start).unwrap_or(usize::MAX)..)
            .unwrap_or_default();
        let mut out = BytesMut::with_capacity(usize::try_from(range.end - range.start).unwrap_or(0));
        out.extend_from_slice(known);
        self.read_streamed(range.start + known.len() as u64..range.end, &mut |_, part| {
            out.extend_from_slice(part)
        })
        .await?;
        Ok(out.freeze())
    }

    /// Hands over the bytes of `range` as they arrive: each part with its offset, in order, without gaps.
    pub async fn read_streamed(&self, range: Range<u64>, sink: &mut (dyn FnMut(u64, &[u8]) + Send)) -> Result<(), SourceError> {
        match &self.shared.bytes {
            Origin::Remote(remote) if !self.within_head(&range) => {
                self.check(&range)?;
                remote.read(range, self.location(), sink).await
            }
            _ => {
                let start = range.start;
                sink(start, &Box::pin(self.read(range)).await?);
                Ok(())
            }
        }
    }

    /// Most ranges lie in one object, and are not copied.
    async fn read_joined(&self, pieces: &[(u64, Reader)], range: Range<u64>) -> Result<Bytes, SourceError> {
        let parts = parts_of(pieces, &range);
        if let [(piece, within)] = parts.as_slice() {
            return Box::pin(piece.read(within.clone())).await;
        }
        let mut out = BytesMut::with_capacity(usize::try_from(range.end - range.start).unwrap_or(0));
        for (piece, within) in parts {
            out.extend_from_slice(&Box::pin(piece.read(within)).await?);
        }
        Ok(out.freeze())
    }

    /// Sees to it that these ranges are on disk, and holds them there until the pin is let go; `progress` gets the bytes done.
    ///
    /// # Errors
    /// Where the recording lies on this machine, cannot be kept, or would take more room than there is.
    pub async fn keep(&self, span: Span, ranges: Vec<Range<u64>>, mut progress: impl FnMut(u64) + Send) -> Result<Pin, SourceError> {
        let at = self.current();
        let Origin::Remote(remote) = &self.shared.bytes else {
            return Err(SourceError::NotKept {
                cause: "it is on this machine already".into(),
                at,
            });
        };
        // held from the start: what is there already must not make room for what comes
        let pin = remote.new_pin(span, &ranges, &at).await?;
        remote.pin(pin.clone(), &at).await?;
        let mut done = 0;
        for range in ranges {
            let length = range.end.saturating_sub(range.start);
            let complete = async {
                self.check(&range)?;
                remote.complete(range.clone(), &at).await
            };
            if let Err(error) = complete.await {
                remote.unpin(pin, &at).await?;
                return Err(error);
            }
            done += length;
            progress(done);
        }
        let pin = pin.completed();
        remote.pin(pin.clone(), &at).await?;
        Ok(pin)
    }

    /// Reads on the calling thread, which may wait for the disk, into `buffer`'s memory; None where only a request can tell.
    pub fn read_here(&self, range: Range<u64>, buffer: BytesMut) -> Option<Result<Bytes, SourceError>> {
        match self.in_memory(&range) {
            Ok(Some(bytes)) => return Some(Ok(bytes)),
            Ok(None) => {}
            Err(error) => return Some(Err(error)),
        }
        match &self.shared.bytes {
            Origin::File(file) => Some(self.pread(file, range, buffer)),
            Origin::Joined(pieces) => match parts_of(pieces, &range).as_slice() {
                [(piece, within)] => piece.read_here(within.clone(), buffer),
                _ => None,
            },
            _ => None,
        }
    }

    fn pread(&self, file: &File, range: Range<u64>, mut buffer: BytesMut) -> Result<Bytes, SourceError> {
        let len = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        if buffer.capacity() == 0 {
            let bytes = local::read_new(file, range.start, len, self.location())?;
            self.shared.traffic.disk(len);
            return Ok(bytes.into());
        }
        // Only what the buffer grows by is zeroed.
        buffer.resize(len, 0);
        local::read(file, range.start, &mut buffer, self.location())?;
        self.shared.traffic.disk(len);
        Ok(buffer.freeze())
    }

    fn within_head(&self, range: &Range<u64>) -> bool {
        range.start <= range.end && range.end <= self.shared.head.len() as u64
    }

    fn check(&self, range: &Range<u64>) -> Result<(), SourceError> {
        let at = || self.location().clone();
        match range.end.checked_sub(range.start) {
            Some(bytes) if bytes > MAX_READ_BYTES => Err(SourceError::TooMuch { bytes, at: at() }),
            Some(_) if range.end <= self.shared.len => Ok(()),
            _ => Err(SourceError::Truncated {
                wanted: range.end,
                at: at(),
            }),
        }
    }

    /// A range of the first block or of a whole file in memory costs nothing.
    fn in_memory(&self, range: &Range<u64>) -> Result<Option<Bytes>, SourceError> {
        self.check(range)?;
        let all = match &self.shared.bytes {
            Origin::Whole(all) => all,
            _ if self.within_head(range) => &self.shared.head,
            _ => return Ok(None),
        };
        let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(all.len());
        Ok(Some(all.slice(at(range.start)..at(range.end))))
    }
}

/// The objects that hold a range, and where in each.
fn parts_of<'a>(pieces: &'a [(u64, Reader)], range: &Range<u64>) -> Vec<(&'a Reader, Range<u64>)> {
    let from = pieces.partition_point(|(start, piece)| start + piece.len() <= range.start);
    let touched = pieces
        .get(from..)
        .unwrap_or_default()
        .iter()
        .take_while(|(start, _)| *start < range.end);
    let within = |(start, piece): &'a (u64, Reader)| {
        let first = range.start.saturating_sub(*start);
        (piece, first..(range.end - start).min(piece.len()))
    };
    touched.map(within).collect()
}

/// Disks block; a runtime's threads must not.
pub(super) async fn blocking<T: Send + 'static>(
    at: &Location,
    work: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(SourceError::Io {
            cause: "the read was given up".into(),
            at: at.clone(),
        }),
    }
}
