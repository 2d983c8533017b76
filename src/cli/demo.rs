//! `roadreel demo`: writes the synthetic drive, or opens it in the window.

use std::path::Path;

use anyhow::Context;

use super::{Common, DemoArgs, output, window};
use crate::demo::{self, Options};
use crate::format::rosbag1::writer;

#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    None,
    Lz4,
    Bz2,
}

impl From<Compression> for writer::Compression {
    fn from(compression: Compression) -> writer::Compression {
        match compression {
            Compression::None => writer::Compression::None,
            Compression::Lz4 => writer::Compression::Lz4,
            Compression::Bz2 => writer::Compression::Bz2,
        }
    }
}

/// A length that the street and ROS's clock allow.
pub fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    if (0.1..=3600.0).contains(&seconds) {
        Ok(seconds)
    } else {
        Err("0.1 to 3600 seconds".into())
    }
}

pub fn run(common: &Common, args: &DemoArgs) -> anyhow::Result<()> {
    if let Some(path) = &args.output {
        return write(path, args);
    }
    window::run_demo(common, options(args))
}

fn options(args: &DemoArgs) -> Options {
    Options {
        seconds: args.seconds,
        compression: args.compression.into(),
    }
}

fn write(path: &Path, args: &DemoArgs) -> anyhow::Result<()> {
    let mut progress = output::Progress::new();
    let written = output::whole_file(path, |file| {
        demo::write(file, options(args), |done| progress.at("writing the demo drive", done)).map(drop)?;
        Ok(())
    });
    drop(progress);
    written.with_context(|| format!("the drive cannot be written: {}", path.display()))
}
