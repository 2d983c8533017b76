//! Where a recording lies: parsed from what users type and paste, shown without anything secret.
//!
//! Invariant: neither `Display` nor `Debug` of a [`Location`] or of a [`LocationError`] holds a query string, a fragment or
//! user information.

use std::fmt;
use std::path::PathBuf;

use url::Url;

use crate::time::Time;

/// Where a recording lies.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Location {
    Path(PathBuf),
    /// `http(s)`: the URL with its query, which stays in memory only.
    Url(Url),
}

/// Why a text is no location that can be read here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    #[error("no location given: name a file or paste an https:// URL")]
    Empty,
    #[error("{kind} is not yet read here: {instead}")]
    NotYet { kind: &'static str, instead: &'static str },
    #[error("{scheme}:// is not a kind of location that Roadreel reads: give a path or an https:// URL")]
    UnknownScheme { scheme: String },
    #[error("this is not a complete URL ({reason}): copy it again, from https:// to its last character")]
    BrokenUrl { reason: String },
    #[error("this link names no recording: it should have remote-bag-url=… or ds.url=…")]
    NoRecording,
    #[error("this link names several recordings, and here one is read: give one of them")]
    Several,
    #[error("this link names something that is no https:// or s3:// location: open the recording itself")]
    InLink,
    #[error("this file:// URL names no file of this machine: give its path instead")]
    BrokenFileUrl,
}

impl Location {
    /// Reads any spelling of a location, a link to one recording included.
    pub fn parse(text: &str) -> Result<Location, LocationError> {
        let mut locations = super::Link::parse(text)?.locations;
        match (locations.pop(), locations.is_empty()) {
            (Some(only), true) => Ok(only),
            (Some(_), false) => Err(LocationError::Several),
            (None, _) => Err(LocationError::NoRecording),
        }
    }

    /// Reads a path (of a file that need not exist), a `file://` URL or an `http(s)://` URL (a file name in it is not needed).
    pub(super) fn plain(text: &str) -> Result<Location, LocationError> {
        let text = unquoted(text);
        if text.is_empty() {
            return Err(LocationError::Empty);
        }
        if text.starts_with("arn:aws") {
            return Err(LocationError::NotYet {
                kind: "an S3 access point",
                instead: "open a presigned URL of the object",
            });
        }
        let Some((scheme, _)) = text.split_once("://").filter(|(s, _)| is_scheme(s)) else {
            return Ok(Location::Path(PathBuf::from(text)));
        };
        match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => parse_http(text),
            "file" => parse_file(text),
            "s3" => Err(LocationError::NotYet {
                kind: "an s3:// location",
                instead: "open a presigned URL of the object (`aws s3 presign s3://bucket/key` prints one)",
            }),
            other => Err(LocationError::UnknownScheme { scheme: other.to_owned() }),
        }
    }

    /// The last path segment, for titles: `drive.bag`; the host where the path is empty.
    pub fn name(&self) -> String {
        match self {
            Location::Path(path) => path
                .file_name()
                .map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned()),
            Location::Url(url) => {
                let segment = url.path_segments().and_then(|s| s.rev().find(|s| !s.is_empty()));
                percent_decoded(segment.or(url.host_str()).unwrap_or_default())
            }
        }
    }

    pub fn is_remote(&self) -> bool {
        matches!(self, Location::Url(_))
    }

    /// When a presigned URL stops working: S3 and GCS (`X-Amz-Date` + `X-Amz-Expires`), CloudFront and old S3 signatures
    /// (`Expires`), Azure (`se`). None for everything else.
    pub fn expires(&self) -> Option<Time> {
        let Location::Url(url) = self else { return None };
        let get = |name: &str| {
            url.query_pairs()
                .find(|(k, _)| k.eq_ignore_ascii_case(name))
                .map(|(_, v)| v.into_owned())
        };
        for prefix in ["X-Amz", "X-Goog"] {
            if let (Some(made), Some(secs)) = (get(&format!("{prefix}-Date")), get(&format!("{prefix}-Expires"))) {
                let made = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", made).ok()?;
                let nanos = i64::try_from(jiff::tz::TimeZone::UTC.to_timestamp(made).ok()?.as_nanosecond()).ok()?;
                return Some(Time(nanos.checked_add(secs.parse::<i64>().ok()?.checked_mul(1_000_000_000)?)?));
            }
        }
        if let (Some(secs), Some(_)) = (get("Expires"), get("Signature")) {
            return secs.parse::<i64>().ok()?.checked_mul(1_000_000_000).map(Time);
        }
        if let (Some(until), Some(_)) = (get("se"), get("sig")) {
            return i64::try_from(until.parse::<jiff::Timestamp>().ok()?.as_nanosecond()).ok().map(Time);
        }
        None
    }
}

/// Pasted text often comes with quotes or angle brackets around it.
pub(super) fn unquoted(text: &str) -> &str {
    let text = text.trim();
    for (open, close) in [('"', '"'), ('\'', '\''), ('<', '>')] {
        if let Some(inner) = text.strip_prefix(open).and_then(|t| t.strip_suffix(close)) {
            return inner.trim();
        }
    }
    text
}

/// One letter is a Windows drive, not a scheme.
fn is_scheme(text: &str) -> bool {
    text.len() > 1
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

fn parse_http(text: &str) -> Result<Location, LocationError> {
    let url = Url::parse(text).map_err(|e| LocationError::BrokenUrl { reason: e.to_string() })?;
    Ok(Location::Url(url))
}

fn parse_file(text: &str) -> Result<Location, LocationError> {
    let url = Url::parse(text).map_err(|_| LocationError::BrokenFileUrl)?;
    url.to_file_path().map(Location::Path).map_err(|()| LocationError::BrokenFileUrl)
}

pub(super) fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail
            .get(..2)
            .filter(|_| first == b'%')
            .and_then(|h| std::str::from_utf8(h).ok())
            .and_then(|h| u8::from_str_radix(h, 16).ok());
        out.push(hex.unwrap_or(first));
        rest = if hex.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    String::from_utf8_lossy(&out).into_owned()
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Path(path) => write!(f, "{}", path.display()),
            Location::Url(url) => {
                write!(f, "{}://{}", url.scheme(), url.host_str().unwrap_or_default())?;
                if let Some(port) = url.port() {
                    write!(f, ":{port}")?;
                }
                f.write_str(url.path())?;
                f.write_str(if url.query().is_some() { "?…" } else { "" })
            }
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
