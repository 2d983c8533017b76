//! Range requests over HTTP: every answer is checked, faults of the network are repaired by asking again.
//!
//! Invariants: never a HEAD (a URL presigned for GET refuses it); bytes handed over are never asked for again: a request
//! that broke off goes on where it stopped; the number of attempts is bounded; no Referer, so no query string travels on.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH, LAST_MODIFIED,
    RANGE, RETRY_AFTER,
};
use reqwest::{Client, Response, StatusCode};
use url::Url;

use super::cache::{Cache, Known};
use super::http::{content_range, failure, refusal};
use super::reader::HEAD_BYTES;
use super::{Location, SourceError};

/// How patient reads are.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Requests in a row that brought nothing, after which a read fails.
    pub attempts: u32,
    /// Waits before asking again are drawn from 0 to `backoff · 2ⁿ`, at most `backoff_max`.
    pub backoff: Duration,
    pub backoff_max: Duration,
    /// A request that sends nothing for this long is given up and made again; doubled at each attempt up to `idle_max`.
    pub idle: Duration,
    pub idle_max: Duration,
    pub connect: Duration,
    /// A server without ranges: files up to this size are read whole and kept in memory.
    pub whole_bytes: u64,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            attempts: 6,
            backoff: Duration::from_millis(100),
            backoff_max: Duration::from_secs(5),
            idle: Duration::from_secs(2),
            idle_max: Duration::from_secs(30),
            connect: Duration::from_secs(10),
            whole_bytes: 64 * 1024 * 1024,
        }
    }
}

/// The network side of all readers of one runtime: connections, headers, counters. Cheap to clone.
#[derive(Clone)]
pub struct Net {
    /// None of its failures concern local files: reported by the first request.
    client: Result<Client, SourceError>,
    policy: Arc<Policy>,
    headers: Arc<HeaderMap>,
    traffic: Arc<Traffic>,
    cache: Option<Cache>,
}

impl Net {
    /// `headers` are sent with every request (`--header`). Proxies come from the environment.
    pub fn new(policy: Policy, headers: &[(String, String)]) -> Result<Net, SourceError> {
        let at = || Location::Path("--header".into());
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let wrong = || SourceError::Header {
                name: name.as_str().into(),
                at: at(),
            };
            let mut value = HeaderValue::from_str(value).map_err(|_| wrong())?;
            value.set_sensitive(true);
            map.insert(HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?, value);
        }
        let client = Client::builder()
            .user_agent(concat!("roadreel/", env!("CARGO_PKG_VERSION")))
            .referer(false)
            .connect_timeout(policy.connect)
            .tcp_nodelay(true)
            .http2_adaptive_window(true)
            .pool_max_idle_per_host(16)
            .retry(reqwest::retry::never())
            .build()
            .map_err(|e| unusable(&e));
        Ok(Net {
            client,
            policy: Arc::new(policy),
            headers: Arc::new(map),
            traffic: Arc::default(),
            cache: None,
        })
    }

    /// Keeps what is fetched, and fetches nothing twice.
    pub fn cached(self, cache: Cache) -> Net {
        Net {
            cache: Some(cache),
            ..self
        }
    }

    pub fn cache(&self) -> Option<&Cache> {
        self.cache.as_ref()
    }

    pub fn traffic(&self) -> &Arc<Traffic> {
        &self.traffic
    }
}

fn unusable(error: &reqwest::Error) -> SourceError {
    let cause = super::http::root_cause(error);
    SourceError::Tls {
        cause,
        at: Location::Path("https".into()),
    }
}

/// What was read so far, by all readers of one [`Net`].
#[derive(Debug, Default)]
pub struct Traffic {
    requests: AtomicU64,
    bytes: AtomicU64,
    retries: AtomicU64,
    cache_hits: AtomicU64,
    cache_bytes: AtomicU64,
    disk_reads: AtomicU64,
    disk_bytes: AtomicU64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrafficSnapshot {
    /// HTTP requests sent, repeated ones included.
    pub requests: u64,
    /// Body bytes received over HTTP.
    pub bytes: u64,
    /// Requests that were made again.
    pub retries: u64,
    /// Parts of reads that the cache answered.
    pub cache_hits: u64,
    pub cache_bytes: u64,
    pub disk_reads: u64,
    pub disk_bytes: u64,
}

impl Traffic {
    pub fn snapshot(&self) -> TrafficSnapshot {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        TrafficSnapshot {
            requests: get(&self.requests),
            bytes: get(&self.bytes),
            retries: get(&self.retries),
            cache_hits: get(&self.cache_hits),
            cache_bytes: get(&self.cache_bytes),
            disk_reads: get(&self.disk_reads),
            disk_bytes: get(&self.disk_bytes),
        }
    }

    pub(super) fn cached(&self, bytes: usize) {
        self.cache_hits.fetch_add(1, Ordering::Relaxed);
        self.cache_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn disk(&self, bytes: usize) {
        self.disk_reads.fetch_add(1, Ordering::Relaxed);
        self.disk_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// A remote object that has been opened.
pub(super) struct Remote {
    net: Net,
    url: Url,
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
    pub(super) async fn open(url: &Url, at: &Location, net: &Net, known: Option<&Known>) -> Result<(Remote, Opened), SourceError> {
        let mut tries = Tries::new(&net.policy);
        let known = known.map(Version::known);
        loop {
            match Remote::open_once(url, at, net, known.as_ref(), tries.idle()).await {
                Ok(opened) => return Ok(opened),
                Err(failed) => tries.again(failed, net, at).await?,
            }
        }
    }

    /// An object that needs no request to be opened.
    pub(super) fn known(url: &Url, net: &Net, known: &Known) -> Remote {
        Remote {
            net: net.clone(),
            url: url.clone(),
            version: Version::known(known),
        }
    }

    pub(super) fn strong_etag(&self) -> Option<&[u8]> {
        self.version.if_match().map(HeaderValue::as_bytes)
    }

    pub(super) fn traffic(&self) -> &Traffic {
        &self.net.traffic
    }

    async fn open_once(url: &Url, at: &Location, net: &Net, known: Option<&Version>, idle: Duration) -> Result<(Remote, Opened), Failed> {
        let asked = 0..HEAD_BYTES;
        let unless = known.and_then(Version::if_match).map(|tag| (IF_NONE_MATCH, tag));
        let mut response = net.get(url, &asked, unless, idle, at).await?;
        let opened = |version: Version, head: Vec<u8>, whole| {
            let told = Opened {
                whole,
                ..Opened::of(version.total, head.into())
            };
            let remote = Remote {
                net: net.clone(),
                url: url.clone(),
                version,
            };
            (remote, told)
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
                if range != (0..total.min(HEAD_BYTES)) {
                    return Err(wrong_range(&(0..total.min(HEAD_BYTES)), &range, at).into());
                }
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
    pub(super) async fn read(
        &self,
        range: Range<u64>,
        at: &Location,
        sink: &mut (dyn FnMut(u64, &[u8]) + Send),
    ) -> Result<(), SourceError> {
        let mut next = range.start;
        let mut tries = Tries::new(&self.net.policy);
        while next < range.end {
            let before = next;
            let asked = next..range.end;
            let result = self
                .read_once(asked, tries.idle(), at, &mut |part| {
                    sink(next, part);
                    next += part.len() as u64;
                })
                .await;
            if next > before {
                tries.progressed();
            }
            if let Err(failed) = result {
                tries.again(failed, &self.net, at).await?;
            }
        }
        Ok(())
    }

    async fn read_once(
        &self,
        asked: Range<u64>,
        idle: Duration,
        at: &Location,
        sink: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<(), Failed> {
        let net = &self.net;
        let mut response = net
            .get(&self.url, &asked, self.version.if_match().map(|tag| (IF_MATCH, tag)), idle, at)
            .await?;
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
        if range != asked {
            return Err(wrong_range(&asked, &range, at).into());
        }
        net.body(&mut response, asked.end - asked.start, idle, at, sink).await
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

fn wrong_range(asked: &Range<u64>, got: &Range<u64>, at: &Location) -> SourceError {
    let detail = format!(
        "asked for {}–{}, got {}–{}",
        asked.start,
        asked.end.saturating_sub(1),
        got.start,
        got.end.saturating_sub(1)
    );
    SourceError::WrongRange {
        detail: detail.into(),
        at: at.clone(),
    }
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
    in_vain: u32,
    all: u32,
}

impl Tries<'_> {
    fn new(policy: &Policy) -> Tries<'_> {
        Tries {
            policy,
            in_vain: 0,
            all: 0,
        }
    }

    fn idle(&self) -> Duration {
        self.policy.idle.saturating_mul(1 << self.in_vain.min(16)).min(self.policy.idle_max)
    }

    fn progressed(&mut self) {
        self.in_vain = 0;
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
    async fn get(
        &self,
        url: &Url,
        asked: &Range<u64>,
        condition: Option<(HeaderName, &HeaderValue)>,
        idle: Duration,
        at: &Location,
    ) -> Result<Response, SourceError> {
        self.traffic.requests.fetch_add(1, Ordering::Relaxed);
        tracing::trace!(%at, from = asked.start, to = asked.end, "GET");
        let client = self.client.as_ref().map_err(Clone::clone)?;
        let mut request = client.get(url.clone()).headers((*self.headers).clone());
        // Compressed on the way, the bytes would not be the object's own.
        request = request
            .header(ACCEPT_ENCODING, "identity")
            .header(RANGE, format!("bytes={}-{}", asked.start, asked.end.saturating_sub(1)));
        if let Some((name, tag)) = condition {
            request = request.header(name, tag);
        }
        // A new connection may take its own time on top.
        match tokio::time::timeout(idle + self.policy.connect.min(idle), request.send()).await {
            Ok(Ok(response)) => Ok(response),
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
        Failed {
            error: refusal(response.status(), &String::from_utf8_lossy(&body), asked, at),
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
