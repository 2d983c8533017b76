//! Range requests over HTTP: every answer is checked, faults of the network are repaired by asking again.
//!
//! Invariants: never a HEAD (a URL presigned for GET refuses it); bytes handed over are never asked for again: a request
//! that broke off goes on where it stopped; the number of attempts is bounded; a new link is taken for an ended one only where
//! it leads to the same version of the object; no Referer, so no query string travels on.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH, LAST_MODIFIED, RANGE,
    RETRY_AFTER,
};
use reqwest::{Client, RequestBuilder, Response, StatusCode};

use super::cache::Known;
use super::http::{Refusal, content_range, failure, refusal};
use super::object_url::{ObjectUrl, Target};
use super::reader::HEAD_BYTES;
use super::{Location, Net, Policy, SourceError, Traffic, client};

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
}

impl Opened {
    pub(super) fn of(len: u64, head: Bytes) -> Opened {
        Opened {
            len,
            head,
            whole: false,
            unchanged: false,
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
                let location = renewal.ask(url.at(), net.client()?).await?;
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
        let mut response = net.get(target, &asked, unless, idle, at).await?;
        let opened = |version: Version, head: Vec<u8>, whole| {
            let told = Opened {
                whole,
                ..Opened::of(version.total, head.into())
            };
            (Remote::of(url.clone(), net, version), told)
        };
        if let (StatusCode::NOT_MODIFIED, Some(known)) = (response.status(), known) {
            let (remote, told) = opened(known.clone(), Vec::new(), false);
            return Ok((remote, Opened { unchanged: true, ..told }));
        }
        let mut head = Vec::new();
        match response.status() {
            StatusCode::PARTIAL_CONTENT => {
                let (range, total) = answered(&response, at)?;
                let total = total.ok_or_else(|| SourceError::NoSize {
                    detail: "206 with an unknown total".into(),
                    at: at.clone(),
                })?;
                check_range(&(0..total.min(HEAD_BYTES)), &range, at)?;
                let version = Version::of(total, &response);
                net.body(&mut response, range.end, idle, at, &mut |part| head.extend_from_slice(part))
                    .await?;
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
                net.whole(&mut response, size, idle, at, &mut head).await?;
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
        let location = renewal.ask(url.at(), self.net.client()?).await?;
        self.renew(&location).await?;
        Ok(true)
    }

    async fn read_once(
        &self,
        target: &Target,
        asked: Range<u64>,
        idle: Duration,
        at: &Location,
        sink: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<(), Failed> {
        let net = &self.net;
        let if_match = self.version.if_match().map(|tag| (IF_MATCH, tag));
        let mut response = net.get(target, &asked, if_match, idle, at).await?;
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
        net.body(&mut response, range.end - range.start, idle, at, sink).await
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

/// Why one request failed, and how long the server wants us to wait.
struct Failed {
    error: SourceError,
    retry_after: Option<Duration>,
}

impl From<SourceError> for Failed {
    fn from(error: SourceError) -> Failed {
        Failed { error, retry_after: None }
    }
}

/// Counts attempts of one read.
struct Tries<'a> {
    policy: &'a Policy,
    idle: Duration,
    in_vain: u32,
    all: u32,
    repairs: u32,
}

impl Tries<'_> {
    fn new(net: &Net) -> Tries<'_> {
        Tries {
            policy: &net.policy,
            idle: net.patience.idle(&net.policy),
            in_vain: 0,
            all: 0,
            repairs: 0,
        }
    }

    fn idle(&self) -> Duration {
        self.idle.saturating_mul(1 << self.in_vain.min(16)).min(self.policy.idle_max)
    }

    fn progressed(&mut self) {
        self.in_vain = 0;
    }

    /// One link that does not work is replaced, then another; a third one shows that something else is wrong.
    fn may_repair(&self) -> bool {
        self.repairs < 2
    }

    fn repaired(&mut self) {
        self.repairs += 1;
    }

    /// Waits before the next attempt, or gives the error back where another one is no use.
    async fn again(&mut self, failed: Failed, net: &Net, at: &Location) -> Result<(), SourceError> {
        self.in_vain += 1;
        self.all += 1;
        // A server that cuts every answer after a few bytes makes progress for ever.
        if !failed.error.is_transient() || self.in_vain >= self.policy.attempts || self.all >= self.policy.attempts.saturating_mul(16) {
            return Err(failed.error.after(self.all));
        }
        net.traffic.retries.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(%at, attempt = self.all, error = %failed.error, "asking again");
        let cap = self
            .policy
            .backoff
            .saturating_mul(1 << self.in_vain.min(16))
            .min(self.policy.backoff_max);
        let jittered = cap.mul_f64(fastrand::f64());
        tokio::time::sleep(
            failed
                .retry_after
                .map_or(jittered, |told| told.min(self.policy.backoff_max).max(jittered)),
        )
        .await;
        Ok(())
    }
}

impl Net {
    fn client(&self) -> Result<&Client, SourceError> {
        self.client.as_ref().map_err(Clone::clone)
    }

    async fn get(
        &self,
        target: &Target,
        asked: &Range<u64>,
        condition: Option<(HeaderName, &HeaderValue)>,
        idle: Duration,
        at: &Location,
    ) -> Result<Response, SourceError> {
        self.traffic.requests.fetch_add(1, Ordering::Relaxed);
        tracing::trace!(%at, from = asked.start, to = asked.end, "GET");
        let complete = |request: RequestBuilder| {
            // Compressed on the way, the bytes would not be the object's own.
            let request = request
                .header(ACCEPT_ENCODING, "identity")
                .header(RANGE, format!("bytes={}-{}", asked.start, asked.end.saturating_sub(1)));
            match &condition {
                Some((name, tag)) => request.header(name, *tag),
                None => request,
            }
        };
        let sent = client::get(self.client()?, target.url.clone(), &target.headers, complete);
        // A new connection may take its own time on top.
        let asked_at = Instant::now();
        match tokio::time::timeout(idle + self.policy.connect.min(idle), sent).await {
            Ok(Ok(response)) => {
                self.patience.answered_after(asked_at.elapsed());
                Ok(response)
            }
            Ok(Err(error)) => Err(failure(error, 0, asked.end - asked.start, at)),
            Err(_) => Err(stalled(idle, at)),
        }
    }

    /// Hands over a body of exactly `len` bytes.
    async fn body(
        &self,
        response: &mut Response,
        len: u64,
        idle: Duration,
        at: &Location,
        sink: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<(), Failed> {
        let mut got = 0;
        while let Some(part) = self.part(response, got, len, idle, at).await? {
            let left = usize::try_from(len - got).unwrap_or(usize::MAX);
            sink(part.get(..left).unwrap_or(&part));
            got += part.len().min(left) as u64;
            if part.len() > left {
                return Err(SourceError::WrongRange {
                    detail: "a body longer than its Content-Range".into(),
                    at: at.clone(),
                }
                .into());
            }
        }
        match got == len {
            true => Ok(()),
            false => Err(SourceError::CutShort {
                got,
                wanted: len,
                attempts: 1,
                at: at.clone(),
            }
            .into()),
        }
    }

    /// Reads the body of a server that knows no ranges.
    async fn whole(
        &self,
        response: &mut Response,
        size: Option<u64>,
        idle: Duration,
        at: &Location,
        out: &mut Vec<u8>,
    ) -> Result<(), Failed> {
        while let Some(part) = self.part(response, out.len() as u64, size.unwrap_or(0), idle, at).await? {
            out.extend_from_slice(&part);
            if out.len() as u64 > self.policy.whole_bytes {
                return Err(SourceError::NoRanges {
                    size: None,
                    at: at.clone(),
                }
                .into());
            }
        }
        match size.is_none_or(|s| s == out.len() as u64) {
            true => Ok(()),
            false => Err(SourceError::CutShort {
                got: out.len() as u64,
                wanted: size.unwrap_or(0),
                attempts: 1,
                at: at.clone(),
            }
            .into()),
        }
    }

    async fn part(&self, response: &mut Response, got: u64, len: u64, idle: Duration, at: &Location) -> Result<Option<Bytes>, SourceError> {
        match tokio::time::timeout(idle, response.chunk()).await {
            Ok(Ok(part)) => {
                self.traffic
                    .bytes
                    .fetch_add(part.as_ref().map_or(0, Bytes::len) as u64, Ordering::Relaxed);
                Ok(part)
            }
            Ok(Err(error)) => Err(failure(error, got, len, at)),
            Err(_) => Err(stalled(idle, at)),
        }
    }

    /// Reads the beginning of an error's body, for S3's XML in it.
    async fn refused(&self, mut response: Response, asked: &Range<u64>, at: &Location) -> Failed {
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|v| v.to_str().ok())
            .and_then(|v| v.parse().ok())
            .map(Duration::from_secs);
        let mut body = Vec::new();
        while body.len() < 16 * 1024
            && let Ok(Ok(Some(part))) = tokio::time::timeout(self.policy.idle, response.chunk()).await
        {
            body.extend_from_slice(&part);
        }
        let refused = Refusal {
            status: response.status(),
            headers: response.headers(),
            body: &String::from_utf8_lossy(&body),
        };
        Failed {
            error: refusal(&refused, asked, at),
            retry_after,
        }
    }
}

fn stalled(idle: Duration, at: &Location) -> SourceError {
    SourceError::Stalled {
        secs: idle.as_secs().max(1),
        attempts: 1,
        at: at.clone(),
    }
}
