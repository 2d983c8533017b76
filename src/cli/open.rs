//! What all commands share: the common options, and a location turned into an open recording.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use super::output;
use crate::decode::Definitions;
use crate::run::{Io, Recording, add_message_folders};
use crate::source::{Location, Policy};
use crate::time::{Span, Time};

/// Options that every command takes.
#[derive(Args, Clone, Debug)]
pub struct Common {
    /// Memory for what is loaded, 1GiB where neither this nor the window's settings say otherwise
    #[arg(long, global = true, value_name = "SIZE")]
    pub memory: Option<Size>,
    /// Sent with every request, like 'Authorization: Bearer …'
    #[arg(long = "header", global = true, value_name = "K: V", value_parser = header)]
    pub headers: Vec<(String, String)>,
    /// Folder of .msg files, for recordings that come without definitions
    #[arg(long = "msgs", global = true, value_name = "DIR")]
    pub message_folders: Vec<PathBuf>,
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
    definitions.choose();
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

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("give it as 'Name: value'")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// A location's recording, with its losses already told on stderr.
pub fn recording(common: &Common, text: &str) -> anyhow::Result<Recording> {
    let location = Location::parse(text)?;
    let io = Io::new(Policy::default(), &common.headers)?;
    let mut progress = output::Progress::new();
    let opened = Recording::open(&io, location, |_, done| progress.at("searching for messages", f64::from(done)));
    drop(progress);
    Ok(opened?)
}

/// The whole recording's span; an empty one gives the empty moment 0.
pub fn span(recording: &Recording) -> Span {
    recording.container.catalog().span().unwrap_or(Span::at(Time(0)))
}
