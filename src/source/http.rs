//! What HTTP answers mean: Content-Range, S3's error bodies, the causes behind the HTTP library's errors.
//!
//! Invariant: texts that come out of here hold no URL.

use std::error::Error;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{AGE, CACHE_CONTROL, HeaderMap};

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

/// Whether an answer may be kept (RFC 9111, section 5.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    /// Shown for so long without asking again.
    For(Duration),
    NotKept,
}

/// Where the server does not say.
const FRESH_BY_DEFAULT: Duration = Duration::from_secs(86_400);

pub(super) fn freshness(headers: &HeaderMap) -> Freshness {
    let said = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let directives: Vec<String> = said
        .flat_map(|value| value.split(','))
        .map(|d| d.trim().to_ascii_lowercase())
        .collect();
    let says = |name: &str| directives.iter().any(|directive| directive == name);
    if says("no-store") {
        return Freshness::NotKept;
    }
    let max_age = directives
        .iter()
        .find_map(|directive| directive.strip_prefix("max-age=")?.trim_matches('"').parse().ok());
    let fresh_for = max_age.map_or(FRESH_BY_DEFAULT, Duration::from_secs);
    let age = headers
        .get(AGE)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .unwrap_or(0);
    match says("no-cache") {
        true => Freshness::For(Duration::ZERO),
        false => Freshness::For(fresh_for.saturating_sub(Duration::from_secs(age))),
    }
}

/// An answer that is neither 200 nor 206; `body` is its beginning.
pub(super) struct Refusal<'a> {
    pub(super) status: StatusCode,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a str,
}

/// What a refusal says, told to whoever can remedy it: the owner of the credentials where we signed, of the link otherwise.
pub(super) fn refusal(refused: &Refusal, asked: &Range<u64>, at: &Location) -> SourceError {
    let Refusal { status, body, .. } = refused;
    let code = xml_text(body, "Code");
    let message = xml_text(body, "Message");
    let detail: Arc<str> = match (code, message) {
        (Some(code), Some(message)) => format!("{} {code}: {}", status.as_u16(), message.trim_end_matches('.')).into(),
        (Some(code), None) => format!("{} {code}", status.as_u16()).into(),
        _ => status.to_string().trim_end().into(),
    };
    let signed_here = at.is_signed_here();
    let at = at.clone();
    match (status.as_u16(), code) {
        (_, Some("RequestTimeTooSkewed")) => SourceError::ClockSkew { secs: skew(body), at },
        (400 | 403, Some("ExpiredToken" | "TokenRefreshRequired")) if signed_here => SourceError::CredentialsEnded { detail, at },
        (400 | 403, Some("ExpiredToken" | "TokenRefreshRequired")) => SourceError::Expired { expired: at.expires(), at },
        (400 | 403, Some("InvalidAccessKeyId" | "InvalidToken" | "InvalidClientTokenId" | "UnrecognizedClientException"))
            if signed_here =>
        {
            SourceError::UnknownCredentials { detail, at }
        }
        (403, Some("InvalidObjectState")) => SourceError::Archived {
            class: xml_text(body, "StorageClass")
                .or(xml_text(body, "AccessTier"))
                .unwrap_or("GLACIER")
                .into(),
            at,
        },
        _ if is_about_kms(body) => SourceError::Encrypted { detail, at },
        (_, Some("UserProjectMissing")) => SourceError::RequesterPays { detail, at },
        (403, _) if lower(message).contains("requester pays") => SourceError::RequesterPays { detail, at },
        (301 | 307 | 400, _) if is_about_region(status.as_u16(), code, body) => SourceError::WrongRegion {
            region: region(refused).map(Into::into),
            at,
        },
        // We sign for a quarter of an hour, at once: only the clocks can differ.
        (403, _) if signed_here && ["expired", "not valid yet"].iter().any(|w| lower(message).contains(w)) => {
            SourceError::ClockSkew { secs: skew(body), at }
        }
        (403, _) if lower(message).contains("expired") => SourceError::Expired {
            expired: xml_text(body, "Expires").and_then(stamp).or(at.expires()),
            at,
        },
        // Azure's and CloudFront's words do not tell.
        (401 | 403, _) if at.expires().is_some_and(|end| end < now()) => SourceError::Expired { expired: at.expires(), at },
        (403, Some("SignatureDoesNotMatch")) if signed_here => SourceError::SecretKey { at },
        (403, Some("SignatureDoesNotMatch")) => SourceError::Signature { at },
        (401 | 403, _) if signed_here => SourceError::NotAllowed { detail, at },
        (401 | 403, _) => SourceError::Denied { detail, at },
        (404, Some("NoSuchBucket")) => SourceError::NoSuchBucket { at },
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

fn lower(text: Option<&str>) -> String {
    text.unwrap_or_default().to_ascii_lowercase()
}

/// A denial by the key, not by the bucket; or a key that is disabled or gone.
fn is_about_kms(body: &str) -> bool {
    let says = |word: &str| body.contains(word);
    says("kms:Decrypt") || says("<Code>KMS.") || says("customer master key")
}

fn is_about_region(status: u16, code: Option<&str>, body: &str) -> bool {
    match code {
        Some("PermanentRedirect" | "TemporaryRedirect" | "IllegalLocationConstraintException") => true,
        Some("AuthorizationHeaderMalformed" | "AuthorizationQueryParametersError") => body.contains("<Region>") || body.contains("region"),
        _ => status == 301,
    }
}

fn region<'a>(refused: &Refusal<'a>) -> Option<&'a str> {
    let header = refused.headers.get("x-amz-bucket-region").and_then(|v| v.to_str().ok());
    xml_text(refused.body, "Region").or(header)
}

/// This machine's clock minus the server's, in seconds.
fn skew(body: &str) -> Option<i64> {
    Some(now().since(xml_text(body, "ServerTime").and_then(stamp)?) / 1_000_000_000)
}

fn stamp(text: &str) -> Option<Time> {
    let stamp = text.parse::<jiff::Timestamp>().ok()?;
    i64::try_from(stamp.as_nanosecond()).ok().map(Time)
}

fn now() -> Time {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Time(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
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

pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}
