//! Where a recording lies: parsed from what users type and paste, shown without anything secret.
//!
//! Invariant: neither `Display` nor `Debug` of a [`Location`] or of a [`LocationError`] holds a query string, a fragment or
//! user information.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use url::Url;

use super::presigned::{Presigned, presigned};
use super::s3::S3Address;
use crate::time::Time;

/// Where a recording lies.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Location {
    Path(PathBuf),
    /// `http(s)`: the URL with its query, which stays in memory only.
    Url(Url),
    /// An object in S3, read through GET URLs that are signed here.
    S3(S3Address),
}

/// Why a text is no location that can be read here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    #[error("no location given: name a file or paste an https:// or s3:// URL")]
    Empty,
    #[error("{kind} is not yet read here: {instead}")]
    NotYet { kind: &'static str, instead: &'static str },
    #[error("{scheme}:// is not a kind of location that Roadreel reads: give a path, an https:// or an s3:// URL")]
    UnknownScheme { scheme: String },
    #[error("this is not a complete URL ({reason}): copy it again, from https:// to its last character")]
    BrokenUrl { reason: String },
    #[error("this link names no recording: it should have remote-bag-url=… or ds.url=…")]
    NoRecording,
    #[error("this link names several recordings, and here one is read: give one of them")]
    Several,
    #[error("this link names something that is no https:// or s3:// location: open the recording itself")]
    InLink,
    #[error("this names no object in S3: give s3://bucket/key (`roadreel ls s3://bucket/` shows what is there): {at}")]
    NoKey { at: S3Address },
    #[error("this looks like a signed URL without its beginning: add https:// before it, or copy it again as a whole")]
    NoScheme,
    #[error("this s3:// location holds a signature: paste the whole https:// URL that was signed, or leave the signature out")]
    SignedS3,
    #[error("this is not the ARN of an object in S3: give arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME/object/KEY")]
    BrokenArn,
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

    /// Reads a path (of a file that need not exist), a `file://` URL, an `http(s)://` URL (a file name in it is not needed), an
    /// `s3://` URL or the ARN of an access point.
    pub(super) fn plain(text: &str) -> Result<Location, LocationError> {
        let text = unquoted(text);
        if text.is_empty() {
            return Err(LocationError::Empty);
        }
        if let Some(address) = S3Address::parse(text) {
            let address = address?;
            return match address.bucket.is_empty() {
                true => Err(LocationError::NoKey { at: address }),
                false => Ok(Location::S3(address)),
            };
        }
        let Some((scheme, _)) = text.split_once("://").filter(|(s, _)| is_scheme(s)) else {
            let path = PathBuf::from(text);
            // downloaders name files by the whole of what they were given
            return match looks_signed(text) && !path.is_file() {
                true => Err(LocationError::NoScheme),
                false => Ok(Location::Path(path)),
            };
        };
        match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => parse_http(text),
            "file" => parse_file(text),
            other => Err(LocationError::UnknownScheme { scheme: other.to_owned() }),
        }
    }

    /// The last path segment, for titles: `drive.bag`; the host where the path is empty.
    pub fn name(&self) -> String {
        match self {
            Location::Path(path) => without_signature(
                path.file_name()
                    .map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy())
                    .as_ref(),
            )
            .into_owned(),
            Location::Url(url) => {
                let segment = url.path_segments().and_then(|s| s.rev().find(|s| !s.is_empty()));
                percent_decoded(segment.or(url.host_str()).unwrap_or_default())
            }
            Location::S3(address) => {
                let name = address.key.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
                if name.is_empty() { address.bucket.clone() } else { name.to_owned() }
            }
        }
    }

    /// Whether both are served by the same host.
    pub fn is_beside(&self, other: &Location) -> bool {
        match (self, other) {
            (Location::Url(a), Location::Url(b)) => a.origin() == b.origin(),
            _ => false,
        }
    }

    pub fn is_remote(&self) -> bool {
        matches!(self, Location::Url(_) | Location::S3(_))
    }

    /// When a presigned URL stops working; None for everything else. An S3 location is signed anew whenever it is needed.
    pub fn expires(&self) -> Option<Time> {
        Some(self.presigned()?.expires)
    }

    /// Whether its URLs are signed here, with the user's credentials.
    pub fn is_signed_here(&self) -> bool {
        matches!(self, Location::S3(_))
    }

    pub fn presigned(&self) -> Option<Presigned> {
        match self {
            Location::Url(url) => presigned(url),
            _ => None,
        }
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

/// Whether a text holds a signature of S3, Google Cloud Storage, Azure or CloudFront, encoded or not.
pub(super) fn looks_signed(text: &str) -> bool {
    let decoded = percent_decoded(&percent_decoded(text)).to_ascii_lowercase();
    let mut names = decoded.split(['?', '&']).skip(1).filter_map(|field| Some(field.split_once('=')?.0));
    names.any(|name| {
        let is_prefixed = name.starts_with("x-amz-") || name.starts_with("x-goog-");
        is_prefixed || matches!(name, "signature" | "sig" | "awsaccesskeyid")
    })
}

/// A file's name may hold one: shown up to there.
fn without_signature(text: &str) -> Cow<'_, str> {
    match text.split_once('?').filter(|_| looks_signed(text)) {
        Some((bare, _)) => format!("{bare}?…").into(),
        None => text.into(),
    }
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
            Location::Path(path) => f.write_str(&without_signature(&path.to_string_lossy())),
            Location::Url(url) => {
                write!(f, "{}://{}", url.scheme(), url.host_str().unwrap_or_default())?;
                if let Some(port) = url.port() {
                    write!(f, ":{port}")?;
                }
                f.write_str(url.path())?;
                f.write_str(if url.query().is_some() { "?…" } else { "" })
            }
            Location::S3(address) => fmt::Display::fmt(address, f),
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
