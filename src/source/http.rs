//! What HTTP answers mean: Content-Range, S3's error bodies, the causes behind the HTTP library's errors.
//!
//! Invariant: texts that come out of here hold no URL.

use std::error::Error;
use std::ops::Range;
use std::sync::Arc;

use reqwest::StatusCode;

use super::{Location, SourceError};
use crate::time::Time;

/// `Content-Range: bytes 0-99/1234`; the total is None for `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ContentRange {
    pub(super) range: Range<u64>,
    pub(super) total: Option<u64>,
}

pub(super) fn content_range(text: &str) -> Option<ContentRange> {
    let (range, total) = text.trim().strip_prefix("bytes")?.trim_start().split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let range = first.trim().parse().ok()?..last.trim().parse::<u64>().ok()?.checked_add(1)?;
    let total = total.trim();
    let total = if total == "*" { None } else { Some(total.parse().ok()?) };
    (range.start < range.end && total.is_none_or(|t| range.end <= t)).then_some(ContentRange { range, total })
}

/// What an answer that is neither 200 nor 206 says; `body` is its beginning.
pub(super) fn refusal(status: StatusCode, body: &str, asked: &Range<u64>, at: &Location) -> SourceError {
    let code = xml_text(body, "Code");
    let message = xml_text(body, "Message");
    let detail: Arc<str> = match (code, message) {
        (Some(code), Some(message)) => format!("{} {code}: {}", status.as_u16(), message.trim_end_matches('.')).into(),
        (Some(code), None) => format!("{} {code}", status.as_u16()).into(),
        _ => status.to_string().trim_end().into(),
    };
    let at = at.clone();
    match (status.as_u16(), code) {
        (400 | 403, Some("ExpiredToken" | "TokenRefreshRequired")) => SourceError::Expired { expired: at.expires(), at },
        (403, _) if message.is_some_and(|m| m.to_ascii_lowercase().contains("expired")) => {
            let told = xml_text(body, "Expires").and_then(|t| t.parse::<jiff::Timestamp>().ok());
            let told = told.and_then(|t| i64::try_from(t.as_nanosecond()).ok()).map(Time);
            SourceError::Expired {
                expired: told.or(at.expires()),
                at,
            }
        }
        (403, Some("SignatureDoesNotMatch")) => SourceError::Signature { at },
        (401 | 403, _) => SourceError::Denied { detail, at },
        (404 | 410, _) => SourceError::NoSuchObject { detail, at },
        (412, _) => SourceError::Changed { at },
        (416, _) => SourceError::OutOfRange {
            from: asked.start,
            to: asked.end.saturating_sub(1),
            at,
        },
        (429 | 503, _) => SourceError::Busy { detail, attempts: 1, at },
        (status, _) => SourceError::Status {
            status,
            detail: (code.is_some()).then_some(detail),
            at,
        },
    }
}

/// The text of the first `<tag>…</tag>`, where it is short and plain.
fn xml_text<'a>(body: &'a str, tag: &str) -> Option<&'a str> {
    let after = body.split_once(&format!("<{tag}>"))?.1;
    let text = after.split_once(&format!("</{tag}>"))?.0.trim();
    // A message that quotes the request could hold a signature.
    (text.len() <= 300 && !text.contains('<') && !text.contains('?') && !text.contains("X-Amz-")).then_some(text)
}

/// What the HTTP library's error means. `got` of `wanted` bytes had arrived.
pub(super) fn failure(error: reqwest::Error, got: u64, wanted: u64, at: &Location) -> SourceError {
    let error = error.without_url();
    let cause = root_cause(&error);
    let at = at.clone();
    let text = chain(&error).to_ascii_lowercase();
    if error.is_connect() {
        if text.contains("dns error") || text.contains("failed to lookup") {
            return SourceError::Dns { cause, at };
        }
        if ["certificate", "tls", "handshake", "alert", "invalidcontenttype", "corrupt message"]
            .iter()
            .any(|w| text.contains(w))
        {
            return SourceError::Tls { cause, at };
        }
        return SourceError::Connect { cause, at };
    }
    if error.is_redirect() || error.is_builder() {
        return SourceError::Io { cause, at };
    }
    SourceError::CutShort {
        got,
        wanted,
        attempts: 1,
        at,
    }
}

pub(super) fn root_cause(error: &dyn Error) -> Arc<str> {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string().into()
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}
