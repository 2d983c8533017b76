//! Range requests over HTTP: every answer is checked, faults of the network are repaired by asking again.
//!
//! Invariants: never a HEAD (a URL presigned for GET refuses it); bytes handed over are never asked for again: a request
//! that broke off goes on where it stopped; the number of attempts is bounded; a new link is taken for an ended one only where
//! it leads to the same version of the object; no Referer, so no query string travels on.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderValue, IF_MATCH, IF_NONE_MATCH, LAST_MODIFIED};
use reqwest::{Response, StatusCode};

use super::cache::Known;
use super::http::{Freshness, content_range, freshness};
use super::object_url::{ObjectUrl, Target};
use super::patience::Tries;
use super::reader::HEAD_BYTES;
use super::request::{Failed, Flow};
use super::{Location, Net, SourceError, Traffic};

/// A remote object that has been opened.
pub(super) struct Remote {
    net: Net,
    url: Mutex<Arc<ObjectUrl>>,
    /// Held while a new link is asked for, so that it is asked for once.
    renewing: tokio::sync::Mutex<()>,
    version: Version,
}

/// What tells one version of an object from another.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Version {
    total: u64,
    etag: Option<HeaderValue>,
    modified: Option<HeaderValue>,
}

impl Version {
    fn of(total: u64, response: &Response) -> Version {
        let header = |name| response.headers().get(name).cloned();
        Version {
            total,
            etag: header(ETAG),
            modified: header(LAST_MODIFIED),
        }
    }

    fn known(known: &Known) -> Version {
        Version {
            total: known.total,
            etag: HeaderValue::from_maybe_shared(known.etag.clone()).ok(),
            modified: None,
        }
    }

    /// Only a strong ETag promises the same bytes.
    fn if_match(&self) -> Option<&HeaderValue> {
        self.etag.as_ref().filter(|tag| !tag.as_bytes().starts_with(b"W/"))
    }

    fn is(&self, other: &Version) -> bool {
        let same = |a: &Option<HeaderValue>, b: &Option<HeaderValue>| a.is_none() || b.is_none() || a == b;
        self.total == other.total
            && if self.etag.is_some() && other.etag.is_some() {
                self.etag == other.etag
            } else {
                same(&self.modified, &other.modified)
            }
    }
}

/// What opening has told.
pub(super) struct Opened {
    pub(super) len: u64,
    /// The first block; everything where `whole`, nothing where `unchanged`.
    pub(super) head: Bytes,
    /// The server knows no ranges.
    pub(super) whole: bool,
    /// The object is the one that was known.
    pub(super) unchanged: bool,
    /// How long the answer may be kept.
    pub(super) freshness: Freshness,
}

impl Opened {
    pub(super) fn of(len: u64, head: Bytes) -> Opened {
        Opened {
            len,
            head,
            whole: false,
            unchanged: false,
            freshness: Freshness::NotKept,
        }
    }
}

impl Remote {
    /// Reads the first block; its Content-Range tells the size. Of an object that is `known` nothing comes if it is unchanged.
    pub(super) async fn open(location: &Location, net: &Net, known: Option<&Known>) -> Result<(Remote, Opened), SourceError> {
        let mut url = Arc::new(ObjectUrl::of(location, &net.s3)?);
        let mut tries = Tries::new(net);
        let known = known.map(Version::known);
        loop {
            let target = url.target(&net.headers).await?;
            let failed = match Remote::open_once(&url, &target, net, known.as_ref(), tries.idle()).await {
                Ok((remote, opened)) => return remote.with_whole_head(opened).await,
                Err(failed) => failed,
            };
            if tries.may_repair() && url.signs_anew(&failed.error, &target).await {
                tries.repaired();
            } else if let (SourceError::Expired { .. }, Some(renewal), true) = (&failed.error, &net.renewal, tries.may_repair()) {
                let location = renewal.ask(url.at(), net).await?;
                url = Arc::new(ObjectUrl::of(&location, &net.s3)?);
                tries.repaired();
            } else {
                tries.again(failed, net, url.at()).await?;
            }
        }
    }

    /// A server may send less than was asked for.
    async fn with_whole_head(self, mut opened: Opened) -> Result<(Remote, Opened), SourceError> {
        let (got, wanted) = (opened.head.len() as u64, opened.len.min(HEAD_BYTES));
        if got < wanted && !opened.whole && !opened.unchanged {
            let mut head = Vec::from(opened.head);
            self.read(got..wanted, &mut |_, part| head.extend_from_slice(part)).await?;
            opened.head = head.into();
        }
        Ok((self, opened))
    }

    /// An object that needs no request to be opened.
    pub(super) fn known(location: &Location, net: &Net, known: &Known) -> Result<Remote, SourceError> {
        let url = Arc::new(ObjectUrl::of(location, &net.s3)?);
        Ok(Remote::of(url, net, Version::known(known)))
    }

    /// The same object, read with this patience.
    pub(super) fn over(self, net: &Net) -> Remote {
        Remote { net: net.clone(), ..self }
    }

    fn of(url: Arc<ObjectUrl>, net: &Net, version: Version) -> Remote {
        Remote {
            net: net.clone(),
            url: Mutex::new(url),
            renewing: tokio::sync::Mutex::default(),
            version,
        }
    }

    pub(super) fn strong_etag(&self) -> Option<&[u8]> {
        self.version.if_match().map(HeaderValue::as_bytes)
    }

    pub(super) fn traffic(&self) -> &Traffic {
        &self.net.traffic
    }

    async fn open_once(
        url: &Arc<ObjectUrl>,
        target: &Target,
        net: &Net,
        known: Option<&Version>,
        idle: Duration,
    ) -> Result<(Remote, Opened), Failed> {
        let asked = 0..HEAD_BYTES;
        let at = url.at();
        let unless = known.and_then(Version::if_match).map(|tag| (IF_NONE_MATCH, tag));
        // a new connection takes its own time
        let patience = idle + net.policy.connect.min(idle);
        let mut response = net.within(patience, at, net.get(target, &asked, unless, at)).await?;
        let freshness = freshness(response.headers());
        let opened = |version: Version, head: Vec<u8>, whole| {
            let told = Opened {
                whole,
                freshness,
                ..Opened::of(version.total, head.into())
            };
            (Remote::of(url.clone(), net, version), told)
        };
        if let (StatusCode::NOT_MODIFIED, Some(known)) = (response.status(), known) {
            let (remote, told) = opened(known.clone(), Vec::new(), false);
            return Ok((remote, Opened { unchanged: true, ..told }));
        }
        match response.status() {
            StatusCode::PARTIAL_CONTENT => {
                let (range, total) = answered(&response, at)?;
                let total = total.ok_or_else(|| SourceError::NoSize {
                    detail: "206 with an unknown total".into(),
                    at: at.clone(),
                })?;
                check_range(&(0..total.min(HEAD_BYTES)), &range, at)?;
                let version = Version::of(total, &response);
                let (mut head, mut flow) = (Vec::new(), Flow::new(response, range.end));
                while (head.len() as u64) < range.end {
                    let part;
                    (part, flow) = net.within(idle, at, net.next(flow, at)).await?;
                    head.extend_from_slice(&part);
                }
                net.finish(flow, idle).await;
                Ok(opened(version, head, false))
            }
            StatusCode::OK => {
                let size = response
                    .headers()
                    .get(CONTENT_LENGTH)
                    .and_then(|v| v.to_str().ok())
                    .and_then(|v| v.parse::<u64>().ok());
                let limit = net.policy.whole_bytes;
                if size.is_some_and(|s| s > limit) {
                    return Err(SourceError::NoRanges { size, at: at.clone() }.into());
                }
                let head = net.whole(&mut response, size, idle, at).await?;
                Ok(opened(Version::of(head.len() as u64, &response), head, true))
            }
            StatusCode::RANGE_NOT_SATISFIABLE => Err(SourceError::Empty { at: at.clone() }.into()),
            _ => Err(net.refused(response, &asked, at).await),
        }
    }

    /// Hands over the bytes of `range` as they arrive.
    pub(super) async fn read(&self, range: Range<u64>, sink: &mut (dyn FnMut(u64, &[u8]) + Send)) -> Result<(), SourceError> {
        let mut next = range.start;
        let mut tries = Tries::new(&self.net);
        while next < range.end {
            let before = next;
            let asked = next..range.end;
            let url = self.url();
            let target = url.target(&self.net.headers).await?;
            let result = self
                .read_once(&target, asked, tries.idle(), url.at(), &mut |part| {
                    sink(next, part);
                    next += part.len() as u64;
                })
                .await;
            if next > before {
                tries.progressed();
            }
            if let Err(failed) = result {
                if tries.may_repair() && self.repaired(&url, &target, &failed.error).await? {
                    tries.repaired();
                } else {
                    tries.again(failed, &self.net, url.at()).await?;
                }
            }
        }
        Ok(())
    }

    fn url(&self) -> Arc<ObjectUrl> {
        self.url.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The location that is read now: another one than was opened, where its link has been renewed.
    pub(super) fn location(&self) -> Location {
        self.url().at().clone()
    }

    /// Goes on with another link to the same version of the object; one that leads elsewhere is not taken.
    pub(super) async fn renew(&self, location: &Location) -> Result<(), SourceError> {
        let url = Arc::new(ObjectUrl::of(location, &self.net.s3)?);
        let mut tries = Tries::new(&self.net);
        loop {
            let target = url.target(&self.net.headers).await?;
            match self.read_once(&target, 0..1, tries.idle(), url.at(), &mut |_| {}).await {
                Ok(()) => break,
                Err(Failed {
                    error: SourceError::Changed { at },
                    ..
                }) => return Err(SourceError::OtherObject { at }),
                Err(failed) if tries.may_repair() && url.signs_anew(&failed.error, &target).await => tries.repaired(),
                Err(failed) => tries.again(failed, &self.net, url.at()).await?,
            }
        }
        *self.url.lock().unwrap_or_else(PoisonError::into_inner) = url;
        Ok(())
    }

    /// Whether asking again can do what `link` could not: signed anew, or with a new url.
    async fn repaired(&self, url: &Arc<ObjectUrl>, target: &Target, error: &SourceError) -> Result<bool, SourceError> {
        if !matches!(error, SourceError::Expired { .. }) {
            return Ok(url.signs_anew(error, target).await);
        }
        let _one = self.renewing.lock().await;
        if !Arc::ptr_eq(&self.url(), url) {
            return Ok(true);
        }
        let Some(renewal) = &self.net.renewal else {
            return Ok(false);
        };
        let location = renewal.ask(url.at(), &self.net).await?;
        self.renew(&location).await?;
        Ok(true)
    }

    /// Hands over the bytes of `asked` as they come: from one request, or from two where the first one stalls.
    async fn read_once(
        &self,
        target: &Target,
        asked: Range<u64>,
        idle: Duration,
        at: &Location,
        sink: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<(), Failed> {
        let mut next = asked.start;
        let mut flow = None;
        while next < asked.end {
            let left = next..asked.end;
            let going_on = async {
                match flow {
                    Some(flow) => self.net.next(flow, at).await,
                    None => self.begin(target, left.clone(), at).await,
                }
            };
            let anew = || self.begin(target, left.clone(), at);
            let (part, rest) = self.net.hedged(idle, at, going_on, anew).await?;
            sink(&part);
            next += part.len() as u64;
            // an answer may be shorter than what was asked for
            flow = match rest.is_whole() {
                true => {
                    self.net.finish(rest, idle).await;
                    None
                }
                false => Some(rest),
            };
        }
        Ok(())
    }

    /// The first bytes of `asked`, and what brings the others.
    async fn begin(&self, target: &Target, asked: Range<u64>, at: &Location) -> Result<(Bytes, Flow), Failed> {
        let net = &self.net;
        let if_match = self.version.if_match().map(|tag| (IF_MATCH, tag));
        let response = net.get(target, &asked, if_match, at).await?;
        match response.status() {
            StatusCode::PARTIAL_CONTENT => {}
            StatusCode::OK => {
                return Err(SourceError::NoRanges {
                    size: Some(self.version.total),
                    at: at.clone(),
                }
                .into());
            }
            _ => return Err(net.refused(response, &asked, at).await),
        }
        let (range, total) = answered(&response, at)?;
        if !self.version.is(&Version::of(total.unwrap_or(self.version.total), &response)) {
            return Err(SourceError::Changed { at: at.clone() }.into());
        }
        check_range(&asked, &range, at)?;
        net.next(Flow::new(response, range.end - range.start), at).await
    }
}

/// The Content-Range of a 206.
fn answered(response: &Response, at: &Location) -> Result<(Range<u64>, Option<u64>), SourceError> {
    let header = response.headers().get(CONTENT_RANGE).and_then(|v| v.to_str().ok());
    let wrong = |detail: &str| SourceError::WrongRange {
        detail: detail.into(),
        at: at.clone(),
    };
    let header = header.ok_or_else(|| wrong("206 without Content-Range"))?;
    let parsed = content_range(header).ok_or_else(|| wrong("206 with a Content-Range that makes no sense"))?;
    Ok((parsed.range, parsed.total))
}

/// An answer begins where it was asked to; it may be shorter.
fn check_range(asked: &Range<u64>, got: &Range<u64>, at: &Location) -> Result<(), SourceError> {
    if got.start == asked.start && got.end <= asked.end {
        return Ok(());
    }
    let detail = format!(
        "asked for {}–{}, got {}–{}",
        asked.start,
        asked.end.saturating_sub(1),
        got.start,
        got.end.saturating_sub(1)
    );
    Err(SourceError::WrongRange {
        detail: detail.into(),
        at: at.clone(),
    })
}
