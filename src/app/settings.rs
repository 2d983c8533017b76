//! What the program remembers between runs: settings, recent locations, layouts. Files in the platform's folders.
//!
//! Invariants: a file is replaced whole or not at all (a crash leaves the old or the new one); no query string is ever stored.

use std::path::PathBuf;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::clock::TimeFormat;
use crate::run::read_text;
pub use crate::run::write_whole;
use crate::source::Location;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Look {
    System,
    #[default]
    Dark,
    Light,
}

impl From<Look> for egui::ThemePreference {
    fn from(look: Look) -> Self {
        match look {
            Look::System => egui::ThemePreference::System,
            Look::Dark => egui::ThemePreference::Dark,
            Look::Light => egui::ThemePreference::Light,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub look: Look,
    pub ui_scale: f32,
    pub memory_mib: u64,
    pub time_format: TimeFormat,
    pub recent: Vec<String>,
    /// Nothing is read ahead of the playhead.
    pub metered: bool,
    pub egress_usd_per_gb: f64,
    /// Queries that were run, the newest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub queries: Vec<String>,
    /// Buckets and folders of S3 that were browsed.
    pub places: Vec<String>,
    /// Where layouts are shared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub layout_folders: Vec<LayoutFolder>,
    /// Layouts that open by themselves, by the set of topics.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub layout_defaults: IndexMap<String, String>,
    /// By how many nanoseconds the times of text logs are moved, by location.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub shifts: IndexMap<String, i64>,
    /// Of the window when it was closed last, in points at a scale of 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_size: Option<[f32; 2]>,
    pub maximized: bool,
    /// Keys of newer versions.
    #[serde(flatten)]
    pub extra: serde_json::Map<String, serde_json::Value>,
    /// Why the file could not be read: then it is never written over.
    #[serde(skip)]
    pub trouble: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            look: Look::Dark,
            ui_scale: 1.0,
            memory_mib: 1024,
            time_format: TimeFormat::Utc,
            recent: Vec::new(),
            metered: false,
            egress_usd_per_gb: 0.09,
            queries: Vec::new(),
            places: Vec::new(),
            layout_folders: Vec::new(),
            layout_defaults: IndexMap::new(),
            shifts: IndexMap::new(),
            window_size: None,
            maximized: false,
            extra: serde_json::Map::new(),
            trouble: None,
        }
    }
}

/// A folder, `s3://bucket/prefix/` or a URL with layouts of a team.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LayoutFolder {
    pub place: String,
    pub writable: bool,
}

const RECENT_MAX: usize = 12;
const SHIFTS_MAX: usize = 200;
/// Stands after a remembered URL in place of its query.
pub const DROPPED_QUERY: &str = "?…";

impl Settings {
    /// Remembers a location, without its query; a file whose name holds a signature is not.
    pub fn remember(&mut self, location: &Location) {
        let spelled = match location {
            Location::Path(path) if path.to_string_lossy() != location.to_string() => return,
            Location::Path(path) => std::path::absolute(path).unwrap_or_else(|_| path.clone()).display().to_string(),
            Location::Url(url) => {
                let mut bare = url.clone();
                let dropped = if url.query().is_some() { DROPPED_QUERY } else { "" };
                bare.set_query(None);
                bare.set_fragment(None);
                // a URL without a host that takes users has none to forget
                let _ = bare.set_username("");
                let _ = bare.set_password(None);
                bare.to_string() + dropped
            }
            Location::S3(address) => address.to_string(),
        };
        self.recent.retain(|r| *r != spelled);
        self.recent.insert(0, spelled);
        self.recent.truncate(RECENT_MAX);
    }

    /// Remembers by how much a log's times are moved.
    pub fn remember_shift(&mut self, location: &Location, nanos: i64) {
        // a location is printed without its query
        let name = location.to_string();
        self.shifts.shift_remove(&name);
        if nanos != 0 {
            self.shifts.insert(name, nanos);
        }
        while self.shifts.len() > SHIFTS_MAX {
            self.shifts.shift_remove_index(0);
        }
    }

    pub fn shift_of(&self, location: &Location) -> i64 {
        self.shifts.get(&location.to_string()).copied().unwrap_or(0)
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

/// Where things are kept.
#[derive(Clone, Debug)]
pub struct Folders {
    pub config: PathBuf,
    pub cache: PathBuf,
}

impl Folders {
    /// The platform's; None where it has none (no home folder).
    pub fn of_platform() -> Option<Folders> {
        let dirs = directories::ProjectDirs::from("", "", "roadreel")?;
        Some(Folders {
            config: dirs.config_dir().to_owned(),
            cache: dirs.cache_dir().to_owned(),
        })
    }

    pub fn settings(&self) -> Settings {
        let path = self.settings_path();
        let read = match std::fs::read_to_string(&path) {
            Ok(text) => crate::source::from_json_with_comments(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Settings::default()),
            Err(error) => Err(error.to_string()),
        };
        read.unwrap_or_else(|error| Settings {
            trouble: Some(format!(
                "the settings cannot be read, and stay as they are ({error}): {}",
                path.display()
            )),
            ..Settings::default()
        })
    }

    pub fn settings_path(&self) -> PathBuf {
        self.config.join("settings.json")
    }

    /// Where the layout for recordings with these topics is kept.
    pub fn layout_for(&self, fingerprint: u64) -> PathBuf {
        self.config.join("layouts").join(format!("auto-{fingerprint:016x}.json"))
    }
}

/// A layout that comes with the program.
pub struct BuiltIn {
    /// As `--layout` takes it.
    pub id: &'static str,
    pub name: &'static str,
    pub what: &'static str,
    pub text: &'static str,
}

macro_rules! built_in {
    ($id:literal, $name:literal, $what:literal) => {
        BuiltIn {
            id: $id,
            name: $name,
            what: $what,
            text: include_str!(concat!("../../layouts/", $id, ".json")),
        }
    };
}

pub static BUILT_IN_LAYOUTS: &[BuiltIn] = &[
    built_in!(
        "driving",
        "AWS ADAS drive",
        "Lidar, three cameras, brake and speed: the topics of AWS's sample layout"
    ),
    built_in!("lidar-cameras", "Lidar and cameras", "The scene, with every camera beside it"),
    built_in!(
        "dynamics",
        "Vehicle dynamics",
        "Speed, steering, pedals and accelerations on one time axis"
    ),
    built_in!(
        "localisation",
        "Localisation and GPS",
        "Where the vehicle is: map, path, pose and how good the fix is"
    ),
    built_in!(
        "diagnostics",
        "Logs and diagnostics",
        "What nodes and hardware report, and whether topics arrive"
    ),
    built_in!(
        "perception",
        "Perception tracks",
        "Tracked objects in the scene, in numbers and over time"
    ),
    built_in!("cameras", "Cameras", "All cameras, large"),
];

pub fn built_in(id: &str) -> Option<&'static BuiltIn> {
    BUILT_IN_LAYOUTS.iter().find(|layout| layout.id == id)
}

/// The text of `--layout FILE|NAME`: a file, a layout of the user's folder, or a built-in one.
pub fn find_layout(name: &str, folders: Option<&Folders>) -> Result<(String, Option<PathBuf>), String> {
    let path = PathBuf::from(name);
    if path.is_file() {
        return match read_text(&path) {
            Ok(text) => Ok((text, Some(path))),
            Err(error) => Err(format!("cannot read the layout: {error}: {name}")),
        };
    }
    if let Some(folders) = folders {
        let own = folders.config.join("layouts").join(format!("{name}.json"));
        if let Ok(text) = read_text(&own) {
            return Ok((text, Some(own)));
        }
    }
    match built_in(name) {
        Some(layout) => Ok((layout.text.to_owned(), None)),
        None => {
            let names: Vec<&str> = BUILT_IN_LAYOUTS.iter().map(|layout| layout.id).collect();
            Err(format!(
                "no layout file and no layout of that name (built in: {}): {name}",
                names.join(", ")
            ))
        }
    }
}

/// The wall clock, for the expiry of links.
pub fn now() -> crate::time::Time {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    crate::time::Time(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
