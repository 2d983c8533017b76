//! What all commands share: the common options, and a location turned into an open recording.

use std::str::FromStr;

use clap::Args;

use super::output;
use super::remote::RemoteArgs;
use crate::run::{Io, Recording};
use crate::source::Location;
use crate::time::{Span, Time};

/// Options that every command takes.
#[derive(Args, Clone, Debug)]
pub struct Common {
    /// Memory for what is loaded
    #[arg(long, global = true, value_name = "SIZE", default_value = "1GiB")]
    pub memory: Size,
    #[command(flatten)]
    pub remote: RemoteArgs,
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

impl Common {
    /// The network, with these options.
    pub fn io(&self) -> anyhow::Result<Io> {
        Ok(Io::over(self.remote.net()?)?)
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
