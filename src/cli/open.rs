//! What all commands share: the common options, and a location turned into an open recording.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use super::output;
use super::remote::RemoteArgs;
use crate::run::{Io, Recording};
use crate::source::{Cache, CacheOptions, Location};
use crate::time::{Span, Time};

/// Options that every command takes.
#[derive(Args, Clone, Debug)]
pub struct Common {
    /// Memory for what is loaded
    #[arg(long, global = true, value_name = "SIZE", default_value = "1GiB")]
    pub memory: Size,
    #[command(flatten)]
    pub cache: CacheArgs,
    #[command(flatten)]
    pub remote: RemoteArgs,
}

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
    /// Of the memory: what was fetched last, as it was fetched.
    fn memory_of_cache(&self) -> u64 {
        (self.memory.0 / 32).min(64 << 20)
    }

    /// The rest: messages.
    pub fn memory_of_store(&self) -> u64 {
        self.memory.0 - self.memory_of_cache()
    }

    /// The network, with these options, behind the cache.
    pub fn io(&self) -> anyhow::Result<Io> {
        let cache = Cache::new(CacheOptions {
            folder: self.cache.folder().filter(|_| !self.cache.no_cache),
            disk_bytes: self.cache.cache_size.0,
            memory_bytes: self.memory_of_cache(),
        });
        Ok(Io::over(self.remote.net()?)?.cached(cache))
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
    let location = Location::parse(text)?;
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
