//! A location (path, presigned URL) → byte ranges: parsing, redaction, range reads, retries, checks of every answer.
//!
//! Invariants: this layer knows no file format. A query string, a signature or a key is never printed: [`Location`]'s
//! `Display` and `Debug` show `https://host/path?…`.

use std::fmt;
use std::path::PathBuf;

/// Where a recording lies.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Location {
    Path(PathBuf),
    /// `http(s)`: the URL with its query, which stays in memory only.
    Url(url::Url),
}

impl Location {
    /// The last path segment, for titles: `drive.bag`.
    pub fn name(&self) -> String {
        match self {
            Location::Path(path) => path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
            Location::Url(url) => url
                .path_segments()
                .and_then(|mut s| s.next_back())
                .filter(|s| !s.is_empty())
                .unwrap_or(url.host_str().unwrap_or(""))
                .to_owned(),
        }
    }

    pub fn is_remote(&self) -> bool {
        matches!(self, Location::Url(_))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Path(path) => write!(f, "{}", path.display()),
            Location::Url(url) => {
                let mut shown = url.clone();
                let _ = shown.set_username("");
                let _ = shown.set_password(None);
                shown.set_fragment(None);
                shown.set_query(url.query().map(|_| "…"));
                f.write_str(&shown.as_str().replace("%E2%80%A6", "…"))
            }
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
