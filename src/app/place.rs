//! Where a layout lies: with the program, on disk, in S3, behind a URL.
//!
//! Invariant: how a place is spelled for files and people holds no query.

use std::path::Path;

use super::settings::built_in as bundled;
use crate::source::Location;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// With the program, by its name.
    Bundled(&'static str),
    At(Location),
}

const BUNDLED: &str = "bundled:";

impl Place {
    /// For lists and titles: its file's name without the ending.
    pub fn name(&self) -> String {
        match self {
            Place::Bundled(id) => bundled(id).map_or_else(|| (*id).to_owned(), |layout| layout.name.to_owned()),
            Place::At(location) => stem(&location.name()).to_owned(),
        }
    }

    pub fn path(&self) -> Option<&Path> {
        match self {
            Place::At(Location::Path(path)) => Some(path),
            _ => None,
        }
    }

    /// To be written down; None where a secret would be.
    pub fn spelled(&self) -> Option<String> {
        match self {
            Place::Bundled(id) => Some(format!("{BUNDLED}{id}")),
            Place::At(Location::Path(path)) => Some(std::path::absolute(path).ok()?.display().to_string()),
            Place::At(Location::Url(url)) => {
                let bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
                bare.then(|| url.to_string())
            }
            Place::At(Location::S3(address)) => Some(address.to_string()),
        }
    }

    pub fn parse(spelled: &str) -> Option<Place> {
        match spelled.strip_prefix(BUNDLED) {
            Some(id) => bundled(id).map(|layout| Place::Bundled(layout.id)),
            None => Location::parse(spelled).ok().map(Place::At),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Bundled(_) => write!(f, "{} (comes with Roadreel)", self.name()),
            Place::At(location) => location.fmt(f),
        }
    }
}

/// Endings of files that hold layouts.
pub const ENDINGS: [&str; 3] = ["json", "rviz", "xml"];

/// Whether a file of this name may hold a layout.
pub fn is_layout_name(name: &str) -> bool {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

/// A file's name without an ending of layouts.
pub fn stem(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, _)) if is_layout_name(name) && !stem.is_empty() => stem,
        _ => name,
    }
}
