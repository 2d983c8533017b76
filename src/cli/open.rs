//! What all commands share: the common options, and a location turned into an open recording.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context;
use clap::Args;

use super::output;
use super::remote::RemoteArgs;
use super::scenes::{self, SceneArgs};
use crate::decode::Definitions;
use crate::run::{Io, Recording, add_message_folders};
use crate::source::{Cache, CacheOptions, Location};
use crate::time::{Span, Time};

/// Options that every command takes.
#[derive(Args, Clone, Debug)]
pub struct Common {
    /// Memory for what is loaded, 1GiB where neither this nor the window's settings say otherwise
    #[arg(long, global = true, value_name = "SIZE")]
    pub memory: Option<Size>,
    #[command(flatten)]
    pub cache: CacheArgs,
    #[command(flatten)]
    pub remote: RemoteArgs,
    #[command(flatten)]
    pub scenes: SceneArgs,
    /// Folder of .msg files, for recordings that come without definitions
    #[arg(long = "msgs", global = true, value_name = "DIR")]
    pub message_folders: Vec<PathBuf>,
    /// Column of tables that is their time, instead of the likeliest
    #[arg(long, global = true, value_name = "COLUMN")]
    pub time_column: Option<String>,
}

const MEMORY_BYTES: u64 = 1 << 30;

/// Where bytes that were fetched are kept.
#[derive(Args, Clone, Debug)]
pub struct CacheArgs {
    /// Folder for what was fetched, so that it is not fetched again; default: the platform's cache folder
    #[arg(long, global = true, value_name = "DIR")]
    pub cache_dir: Option<PathBuf>,
    /// What that folder may take of the disk; what was used least recently is deleted
    #[arg(long, global = true, value_name = "SIZE", default_value = "10GiB")]
    pub cache_size: Size,
    /// Keep nothing on disk
    #[arg(long, global = true)]
    pub no_cache: bool,
}

impl CacheArgs {
    /// None where the platform names no folder, or none is wanted.
    pub fn folder(&self) -> Option<PathBuf> {
        let platforms = || Some(directories::ProjectDirs::from("", "", "roadreel")?.cache_dir().join("fetched"));
        self.cache_dir.clone().or_else(platforms)
    }
}

impl Common {
    fn memory_bytes(&self) -> u64 {
        self.memory.map_or(MEMORY_BYTES, |size| size.0)
    }

    /// Of the memory: what was fetched last, as it was fetched.
    fn memory_of_cache(&self) -> u64 {
        (self.memory_bytes() / 32).min(64 << 20)
    }

    /// The rest: messages.
    pub fn memory_of_store(&self) -> u64 {
        self.memory_bytes() - self.memory_of_cache()
    }

    /// The network, with these options, behind the cache.
    pub fn io(&self) -> anyhow::Result<Io> {
        self.io_in(None)
    }

    /// The same in a region, where no option names another.
    pub fn io_in(&self, region: Option<&str>) -> anyhow::Result<Io> {
        let cache = Cache::new(CacheOptions {
            folder: self.cache.folder().filter(|_| !self.cache.no_cache),
            disk_bytes: self.cache.cache_size.0,
            memory_bytes: self.memory_of_cache(),
        });
        let io = Io::over(self.remote.net_in(region)?)?.cached(cache);
        Ok(io.with_time_column(self.time_column.as_deref()))
    }
}

/// Takes the user's own message definitions into use, and tells what is wrong with them on stderr.
pub fn choose_definitions(common: &Common) {
    if common.message_folders.is_empty() {
        return;
    }
    let mut definitions = Definitions::built_in();
    let (_, problems) = add_message_folders(&mut definitions, &common.message_folders);
    for problem in problems {
        output::note(&problem);
    }
    if let Err(error) = definitions.choose() {
        output::note(&error.to_string());
    }
}

/// A number of bytes: `512MiB`, `1.5GB`, `4096`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        let wrong = || format!("“{text}” is not a size: give bytes, or a number with kB, MB, GB, KiB, MiB or GiB");
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let number: f64 = number.parse().map_err(|_| wrong())?;
        let unit: f64 = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1.0,
            "kb" => 1e3,
            "mb" => 1e6,
            "gb" => 1e9,
            "tb" => 1e12,
            "k" | "kib" => 1024.0,
            "m" | "mib" => 1024.0 * 1024.0,
            "g" | "gib" => 1024.0 * 1024.0 * 1024.0,
            "t" | "tib" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
            _ => return Err(wrong()),
        };
        Ok(Size((number * unit) as u64))
    }
}

/// A location's recording, with its losses already told on stderr.
pub fn recording(common: &Common, text: &str) -> anyhow::Result<Recording> {
    open(common, Location::parse(text)?)
}

/// The same, or that of the scene which the common options name.
pub fn recording_or_scene(common: &Common, text: Option<&str>) -> anyhow::Result<Recording> {
    match text {
        Some(text) => recording(common, text),
        None => {
            let mut locations = scenes::links(common, &[])?.into_iter().flat_map(|link| link.locations);
            open(common, locations.next().context("name a recording, or --record and --scene")?)
        }
    }
}

fn open(common: &Common, location: Location) -> anyhow::Result<Recording> {
    let io = common.io()?;
    let mut progress = output::Progress::new();
    let opened = Recording::open(&io, location, |_, done| progress.at("searching for messages", f64::from(done)));
    drop(progress);
    Ok(opened?)
}

/// The whole recording's span; an empty one gives the empty moment 0.
pub fn span(recording: &Recording) -> Span {
    recording.container.catalog().span().unwrap_or(Span::at(Time(0)))
}
