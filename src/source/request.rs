//! One request: asked, answered, its body; and a second one where the first brings nothing.
//!
//! Invariants: at most two requests run for the same bytes, and only one of them hands any over; an answer's body is taken up
//! to the length that was asked for.

use std::ops::Range;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::{ACCEPT_ENCODING, HeaderName, HeaderValue, RANGE, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response};

use super::http::{Refusal, failure, refusal};
use super::object_url::Target;
use super::{Location, Net, SourceError, client};

/// Why one request failed, and how long the server wants us to wait.
pub(super) struct Failed {
    pub(super) error: SourceError,
    pub(super) retry_after: Option<Duration>,
}

impl From<SourceError> for Failed {
    fn from(error: SourceError) -> Failed {
        Failed { error, retry_after: None }
    }
}

/// An answer whose body is on its way.
pub(super) struct Flow {
    response: Response,
    got: u64,
    len: u64,
}

impl Flow {
    pub(super) fn new(response: Response, len: u64) -> Flow {
        Flow { response, got: 0, len }
    }

    /// Whether all of it has come.
    pub(super) fn is_whole(&self) -> bool {
        self.got == self.len
    }
}

impl Net {
    pub(super) fn client(&self) -> Result<&Client, SourceError> {
        self.client.as_ref().map_err(Clone::clone)
    }

    pub(super) async fn get(
        &self,
        target: &Target,
        asked: &Range<u64>,
        condition: Option<(HeaderName, &HeaderValue)>,
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
        let asked_at = Instant::now();
        let sent = client::get(self.client()?, target.url.clone(), &target.headers, complete);
        let response = sent.await.map_err(|error| failure(error, 0, asked.end - asked.start, at))?;
        self.patience.answered_after(asked_at.elapsed());
        Ok(response)
    }

    /// The next bytes of a body: never none.
    pub(super) async fn next(&self, mut flow: Flow, at: &Location) -> Result<(Bytes, Flow), Failed> {
        let (got, len) = (flow.got, flow.len);
        let part = flow.response.chunk().await.map_err(|error| failure(error, got, len, at))?;
        let mut part = part.ok_or_else(|| SourceError::CutShort {
            got,
            wanted: len,
            attempts: 1,
            at: at.clone(),
        })?;
        self.traffic.bytes.fetch_add(part.len() as u64, Ordering::Relaxed);
        part.truncate(usize::try_from(len - got).unwrap_or(usize::MAX));
        flow.got += part.len() as u64;
        Ok((part, flow))
    }

    /// The connection of a body that has been read can serve the next request once its end was seen.
    pub(super) async fn finish(&self, mut flow: Flow, idle: Duration) {
        let _ = tokio::time::timeout(idle, flow.response.chunk()).await;
    }

    /// What `first` brings. Where that takes longer than `idle` the same is asked for a second time, on another connection;
    /// whichever comes first is taken, the other one given up.
    pub(super) async fn hedged<T, F: Future<Output = Result<T, Failed>>>(
        &self,
        idle: Duration,
        at: &Location,
        first: impl Future<Output = Result<T, Failed>>,
        second: impl FnOnce() -> F,
    ) -> Result<T, Failed> {
        let mut first = pin!(first);
        if let Ok(result) = tokio::time::timeout(idle, &mut first).await {
            return result;
        }
        self.traffic.retries.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(%at, ?idle, "nothing comes: asking a second time");
        let mut second = pin!(second());
        let either = async {
            tokio::select! {
                result = &mut first => match result {
                    Err(failed) if failed.error.is_transient() => second.await,
                    result => result,
                },
                result = &mut second => match result {
                    Err(failed) if failed.error.is_transient() => first.await,
                    result => result,
                },
            }
        };
        // a new connection takes its own time
        self.within(idle.saturating_mul(2), at, either).await
    }

    pub(super) async fn within<T, E: From<SourceError>>(
        &self,
        idle: Duration,
        at: &Location,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let stalled = || SourceError::Stalled {
            secs: idle.as_secs().max(1),
            attempts: 1,
            at: at.clone(),
        };
        tokio::time::timeout(idle, work).await.unwrap_or_else(|_| Err(stalled().into()))
    }

    /// Reads the body of a server that knows no ranges.
    pub(super) async fn whole(&self, response: &mut Response, size: Option<u64>, idle: Duration, at: &Location) -> Result<Vec<u8>, Failed> {
        let mut out = Vec::new();
        let told = |got: usize| SourceError::CutShort {
            got: got as u64,
            wanted: size.unwrap_or(0),
            attempts: 1,
            at: at.clone(),
        };
        loop {
            let got = out.len() as u64;
            let failed = |error| failure(error, got, size.unwrap_or(0), at);
            let part = self.within(idle, at, async { response.chunk().await.map_err(failed) }).await?;
            let Some(part) = part else { break };
            self.traffic.bytes.fetch_add(part.len() as u64, Ordering::Relaxed);
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
            true => Ok(out),
            false => Err(told(out.len()).into()),
        }
    }

    /// Reads the beginning of an error's body, for S3's XML in it.
    pub(super) async fn refused(&self, mut response: Response, asked: &Range<u64>, at: &Location) -> Failed {
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
