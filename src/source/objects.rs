//! Open locations as a store of objects, for libraries that read tables: ranges come from the readers and their cache.
//!
//! Invariants: objects have names of their own, so that no location shows in what such a library prints; nothing is written;
//! an object is opened when it is first read.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use object_store::path::Path;
use object_store::{
    Attributes, CopyOptions, Error, GetOptions, GetRange, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, coalesce_ranges,
};
use tokio::sync::OnceCell;

use super::{Location, Net, Reader, SourceError};

const NAME: &str = "roadreel";
/// Remote ranges with gaps up to this are one request.
const REMOTE_GAP: u64 = 128 << 10;
/// Whole objects are handed over in parts.
const PART_BYTES: u64 = 4 << 20;

/// A store of the objects that were added to it.
pub struct Objects {
    net: Net,
    held: Mutex<BTreeMap<Path, Held>>,
    failed: Arc<Mutex<Option<SourceError>>>,
}

#[derive(Clone)]
struct Held {
    location: Location,
    len: Option<u64>,
    reader: Arc<OnceCell<Reader>>,
}

impl Objects {
    pub fn new(net: Net) -> Arc<Objects> {
        Arc::new(Objects {
            net,
            held: Mutex::default(),
            failed: Arc::default(),
        })
    }

    /// Adds an object under a path; where its length is known, it is not opened before it is read.
    pub fn add(&self, path: &str, location: Location, len: Option<u64>) -> Path {
        let path = Path::parse(path).unwrap_or_else(|_| Path::from(path));
        let held = Held {
            location,
            len,
            reader: Arc::default(),
        };
        self.held().insert(path.clone(), held);
        path
    }

    /// Adds an open object.
    pub fn add_open(&self, path: &str, reader: Reader) -> Path {
        let path = self.add(path, reader.location().clone(), Some(reader.len()));
        if let Some(held) = self.held().get(&path) {
            let _ = held.reader.set(reader);
        }
        path
    }

    /// Nothing behind its first so many bytes is read.
    pub fn shorten(&self, path: &Path, len: u64) {
        if let Some(held) = self.held().get_mut(path) {
            held.len = Some(len);
        }
    }

    /// The same object under another path.
    pub fn alias(&self, path: &str, of: &Path) {
        let path = Path::parse(path).unwrap_or_else(|_| Path::from(path));
        let mut all = self.held();
        if let Some(held) = all.get(of).cloned() {
            all.insert(path, held);
        }
    }

    /// Where an object lies.
    pub fn location_of(&self, path: &Path) -> Option<Location> {
        self.held().get(path).map(|held| held.location.clone())
    }

    /// What is known of an object.
    pub async fn head_of(&self, path: &Path) -> std::result::Result<ObjectMeta, SourceError> {
        let told = self.meta(path).await;
        told.map_err(|_| {
            self.failure().unwrap_or(SourceError::Io {
                cause: "there is no such object".into(),
                at: Location::Path(path.to_string().into()),
            })
        })
    }

    /// What the last read failed with, as it was, once: whoever asked may have wrapped it.
    pub fn failure(&self) -> Option<SourceError> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn held(&self) -> std::sync::MutexGuard<'_, BTreeMap<Path, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, path: &Path) -> Result<Held> {
        let held = self.held().get(path).cloned();
        held.ok_or_else(|| Error::NotFound {
            path: path.to_string(),
            source: "there is no such object".into(),
        })
    }

    async fn open(&self, path: &Path) -> Result<Reader> {
        let held = self.find(path)?;
        let reader = held.reader.get_or_try_init(|| Reader::open(held.location.clone(), &self.net)).await;
        reader.cloned().map_err(|error| self.failing(error))
    }

    fn failing(&self, error: SourceError) -> Error {
        failing(&self.failed, error)
    }

    async fn read(&self, path: &Path, range: Range<u64>) -> Result<Bytes> {
        let reader = self.open(path).await?;
        reader.read(range).await.map_err(|error| self.failing(error))
    }

    /// The length of an object that is not open is what was told of it.
    async fn meta(&self, path: &Path) -> Result<ObjectMeta> {
        let held = self.find(path)?;
        let size = match held.len {
            Some(len) => len,
            None => self.open(path).await?.len(),
        };
        Ok(ObjectMeta {
            location: path.clone(),
            last_modified: Default::default(),
            size,
            e_tag: None,
            version: None,
        })
    }
}

impl fmt::Display for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)
    }
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)
    }
}

/// Notes why a read failed, and tells it.
fn failing(failed: &Mutex<Option<SourceError>>, error: SourceError) -> Error {
    *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
    Error::Generic {
        store: NAME,
        source: Box::new(error),
    }
}

fn only_read(operation: &str) -> Error {
    Error::NotImplemented {
        operation: operation.into(),
        implementer: NAME.into(),
    }
}

#[async_trait]
impl ObjectStore for Objects {
    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(only_read("put"))
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(only_read("put"))
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        let meta = self.meta(path).await?;
        let range = match &options.range {
            None => 0..meta.size,
            Some(GetRange::Bounded(range)) => range.start.min(meta.size)..range.end.min(meta.size),
            Some(GetRange::Offset(start)) => (*start).min(meta.size)..meta.size,
            Some(GetRange::Suffix(length)) => meta.size.saturating_sub(*length)..meta.size,
        };
        let payload = match options.head {
            true => stream::empty().boxed(),
            false => {
                let reader = self.open(path).await?;
                let (end, failed) = (range.end, self.failed.clone());
                let parts = stream::try_unfold((reader, range.start, failed), move |(reader, at, failed)| async move {
                    if at >= end {
                        return Ok(None);
                    }
                    let to = (at + PART_BYTES).min(end);
                    let bytes = reader.read(at..to).await.map_err(|error| failing(&failed, error))?;
                    Ok(Some((bytes, (reader, to, failed))))
                });
                parts.boxed()
            }
        };
        Ok(GetResult {
            payload: GetResultPayload::Stream(payload),
            meta,
            range,
            attributes: Attributes::default(),
        })
    }

    async fn get_ranges(&self, path: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let gap = if self.find(path)?.location.is_remote() { REMOTE_GAP } else { 0 };
        coalesce_ranges(ranges, |range| self.read(path, range), gap).await
    }

    fn delete_stream(&self, _: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        stream::once(async { Err(only_read("delete")) }).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let all = self.held().clone();
        let wanted = all
            .into_iter()
            .filter(|(path, _)| prefix.is_none_or(|prefix| path.prefix_matches(prefix)));
        let metas: Vec<Result<ObjectMeta>> = wanted
            .map(|(path, held)| {
                Ok(ObjectMeta {
                    location: path,
                    last_modified: Default::default(),
                    size: held.len.unwrap_or(0),
                    e_tag: None,
                    version: None,
                })
            })
            .collect();
        stream::iter(metas).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let objects = self.list(prefix).collect::<Vec<_>>().await.into_iter().collect::<Result<_>>()?;
        Ok(ListResult {
            common_prefixes: Vec::new(),
            objects,
        })
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(only_read("copy"))
    }
}
