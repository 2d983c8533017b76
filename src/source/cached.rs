//! A remote object behind the cache: what was fetched before comes from there, the rest from the network.
//!
//! Invariant: bytes of two versions of an object are never mixed: the cache is asked under the ETag that the requests carry.

use std::ops::Range;

use bytes::{Bytes, BytesMut};

use super::cache::{Cache, Known, ObjectKey, Piece, Pin, store_of};
use super::net::Net;
use super::reader::{HEAD_BYTES, blocking};
use super::remote::{Opened, Remote};
use super::{Location, SourceError};
use crate::text::format_bytes;
use crate::time::Span;

pub(super) struct Cached {
    remote: Remote,
    /// None where there is no cache, or the server gives no strong ETag.
    cache: Option<(Cache, ObjectKey)>,
}

impl Cached {
    /// Opens with one request: a conditional one where the object is known, none where it was seen just now.
    pub(super) async fn open(at: &Location, net: &Net) -> Result<(Cached, Opened), SourceError> {
        let Some(cache) = net.cache().cloned() else {
            let (remote, opened) = Remote::open(at, net, None).await?;
            return Ok((Cached::new(remote, None), opened));
        };
        let mut recalled = recall(&cache, at).await?;
        if let Some(Recalled { known, .. }) = &mut recalled {
            known.is_fresh = known.is_fresh && store(at, net).await.is_ok_and(|store| known.store == store);
        }
        if let Some(Recalled { known, key, head, .. }) = &recalled
            && known.is_fresh
        {
            net.traffic().cached(head.len());
            let remote = Remote::known(at, net, known)?;
            return Ok((Cached::new(remote, Some((cache, *key))), Opened::of(known.total, head.clone())));
        }
        let known = recalled.as_ref().map(|recalled| &recalled.known);
        let (remote, mut opened) = match &recalled {
            Some(recalled) if recalled.is_pinned => match Remote::open(at, &net.hasty(), known).await {
                // what is kept offline opens without anybody to ask
                Err(error) if error.is_about_the_way() => {
                    tracing::debug!(%at, %error, "opened as it is kept offline");
                    let remote = Remote::known(at, net, &recalled.known)?;
                    let opened = Opened::of(recalled.known.total, recalled.head.clone());
                    return Ok((Cached::new(remote, Some((cache, recalled.key))), opened));
                }
                opened => opened.map(|(remote, opened)| (remote.over(net), opened))?,
            },
            _ => Remote::open(at, net, known).await?,
        };
        let key = remote.strong_etag().and_then(|tag| ObjectKey::new(at, opened.len, tag));
        let Some(key) = key.filter(|_| !opened.whole) else {
            return Ok((Cached::new(remote, None), opened));
        };
        match recalled {
            Some(Recalled { head, .. }) if opened.unchanged => {
                net.traffic().cached(head.len());
                opened.head = head;
            }
            _ => cache.record(key, 0).take(&opened.head),
        }
        let known = Known {
            total: opened.len,
            etag: Bytes::copy_from_slice(remote.strong_etag().unwrap_or_default()),
            store: store(at, net).await?,
            is_fresh: true,
        };
        let (learning, place, unchanged) = (cache.clone(), at.clone(), opened.unchanged);
        blocking(at, move || {
            learning.learn(&place, &known);
            // an object that was recalled has been looked up
            if !unchanged {
                learning.list(key);
            }
            Ok(())
        })
        .await?;
        Ok((Cached::new(remote, Some((cache, key))), opened))
    }

    /// Where it is read now.
    pub(super) fn location(&self) -> Location {
        self.remote.location()
    }

    /// Goes on with another link to the same version of the object.
    pub(super) async fn renew(&self, link: &Location) -> Result<(), SourceError> {
        self.remote.renew(link).await
    }

    fn new(remote: Remote, cache: Option<(Cache, ObjectKey)>) -> Cached {
        Cached { remote, cache }
    }

    /// Hands over the bytes of `range` in order, as they arrive.
    pub(super) async fn read(
        &self,
        range: Range<u64>,
        at: &Location,
        sink: &mut (dyn FnMut(u64, &[u8]) + Send),
    ) -> Result<(), SourceError> {
        let Some((cache, key)) = self.cache.as_ref().map(|(cache, key)| (cache, *key)) else {
            return self.remote.read(range, sink).await;
        };
        let mut pieces = cache.pieces(key, &range);
        if pieces.iter().any(|p| matches!(p, Piece::Missing(_))) && cache.is_stale(key) {
            let listing = cache.clone();
            blocking(at, move || {
                listing.list(key);
                Ok(())
            })
            .await?;
            pieces = cache.pieces(key, &range);
        }
        for piece in pieces {
            match piece {
                Piece::Held(part, bytes) => self.hand_over(part.start, &bytes, sink),
                Piece::OnDisk(part, segment) => {
                    let (loading, wanted) = (cache.clone(), part.clone());
                    match blocking(at, move || Ok(loading.load(key, &wanted, &segment))).await? {
                        Some(bytes) => self.hand_over(part.start, &bytes, sink),
                        None => self.fetch(cache, key, part, at, sink).await?,
                    }
                }
                Piece::Missing(part) => self.fetch(cache, key, part, at, sink).await?,
            }
        }
        Ok(())
    }

    /// Reads `range` and sees to it that it is on disk.
    pub(super) async fn complete(&self, range: Range<u64>, at: &Location) -> Result<(), SourceError> {
        let (cache, key) = self.kept_by(at)?;
        let (start, mut bytes) = (range.start, BytesMut::new());
        self.read(range, at, &mut |_, part| bytes.extend_from_slice(part)).await?;
        let bytes = bytes.freeze();
        let place = at.clone();
        blocking(at, move || {
            cache
                .complete(key, start, &bytes)
                .map_err(|error| not_kept(&error.to_string(), &place))
        })
        .await
    }

    /// Holds what a pin names.
    pub(super) async fn pin(&self, pin: Pin, at: &Location) -> Result<(), SourceError> {
        let (cache, _) = self.kept_by(at)?;
        let place = at.clone();
        blocking(at, move || cache.pin(&pin).map_err(|error| not_kept(&error.to_string(), &place))).await
    }

    /// Lets go what was to be held.
    pub(super) async fn unpin(&self, pin: Pin, at: &Location) -> Result<(), SourceError> {
        let (cache, _) = self.kept_by(at)?;
        blocking(at, move || {
            // not there: as good
            let _ = cache.folder().map(|folder| Cache::unpin(folder, &pin));
            Ok(())
        })
        .await
    }

    /// A pin of these ranges, where there is room for them.
    pub(super) async fn new_pin(&self, span: Span, ranges: &[Range<u64>], at: &Location) -> Result<Pin, SourceError> {
        let (cache, key) = self.kept_by(at)?;
        let (place, pin) = (at.clone(), Pin::new(at, key, span, ranges));
        blocking(at, move || match cache.room_for_pins(&pin) {
            None => Err(not_kept("nothing is kept on disk", &place)),
            Some((room, limit)) if pin.bytes() > room => {
                let [bytes, limit] = [pin.bytes(), limit].map(format_bytes);
                let cause =
                    format!("it takes {bytes}, more than is left of the cache's {limit}: give a larger --cache-size, or let something go");
                Err(not_kept(&cause, &place))
            }
            Some(_) => Ok(pin),
        })
        .await
    }

    fn kept_by(&self, at: &Location) -> Result<(Cache, ObjectKey), SourceError> {
        let told = || not_kept("there is no cache, or the store gives no strong ETag", at);
        self.cache.clone().ok_or_else(told)
    }

    fn hand_over(&self, start: u64, bytes: &Bytes, sink: &mut (dyn FnMut(u64, &[u8]) + Send)) {
        self.remote.traffic().cached(bytes.len());
        sink(start, bytes);
    }

    async fn fetch(
        &self,
        cache: &Cache,
        key: ObjectKey,
        part: Range<u64>,
        at: &Location,
        sink: &mut (dyn FnMut(u64, &[u8]) + Send),
    ) -> Result<(), SourceError> {
        let mut recorder = cache.record(key, part.start);
        let mut both = |offset: u64, bytes: &[u8]| {
            recorder.take(bytes);
            sink(offset, bytes);
        };
        let fetched = self.remote.read(part, &mut both).await;
        if matches!(fetched, Err(SourceError::Changed { .. })) {
            let (cache, place) = (cache.clone(), at.clone());
            blocking(at, move || {
                cache.forget(&place);
                Ok(())
            })
            .await?;
        }
        fetched
    }
}

/// In which store a bucket lies, and who asks: another one may have a bucket of the same name, and another user may not read it.
async fn store(at: &Location, net: &Net) -> Result<u128, SourceError> {
    let Location::S3(address) = at else { return Ok(0) };
    let store = net.s3.store(address).await?;
    Ok(store_of(store.host.as_deref().unwrap_or_default(), &store.access_key))
}

fn not_kept(cause: &str, at: &Location) -> SourceError {
    SourceError::NotKept {
        cause: cause.into(),
        at: at.clone(),
    }
}

/// What is known of an object whose first block is at hand.
struct Recalled {
    known: Known,
    key: ObjectKey,
    head: Bytes,
    is_pinned: bool,
}

async fn recall(cache: &Cache, at: &Location) -> Result<Option<Recalled>, SourceError> {
    let (cache, place) = (cache.clone(), at.clone());
    blocking(at, move || {
        Ok((|| {
            let known = cache.known(&place)?;
            let key = ObjectKey::new(&place, known.total, &known.etag)?;
            let head = cache.whole(key, 0..known.total.min(HEAD_BYTES))?;
            Some(Recalled {
                known,
                key,
                head,
                is_pinned: cache.is_pinned(key),
            })
        })())
    })
    .await
}
