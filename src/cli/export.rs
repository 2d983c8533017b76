//! `roadreel export`: recordings, whole or in part, as a bag, an MCAP file, Parquet or CSV tables.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use super::partial::Partial;
use super::{Common, open, output};
use crate::export::{Layout, Selection, Written, write_bag, write_mcap, write_tables};
use crate::format::rosbag1::writer;
use crate::run::Recording;
use crate::source::Location;
use crate::time::{Span, Time, When};

#[derive(Args, Clone, Debug)]
pub struct ExportArgs {
    /// Recordings; several are merged, or written as tables side by side
    #[arg(value_name = "LOC", required = true)]
    pub locations: Vec<String>,
    /// A file, or a folder of tables
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,
    /// What is written; default: by OUT's ending
    #[arg(long, value_enum)]
    pub to: Option<To>,
    /// Only these topics
    #[arg(long = "topic", value_name = "T")]
    pub topics: Vec<String>,
    /// From this time on
    #[arg(long, value_name = "T", value_parser = When::parse)]
    pub start: Option<When>,
    /// Up to and with this time
    #[arg(long, value_name = "T", value_parser = When::parse)]
    pub end: Option<When>,
    /// Compression of a bag's chunks; default: chunks that lie inside are copied as they are
    #[arg(long, value_enum)]
    pub compression: Option<super::demo::Compression>,
    /// Parquet: columns as messages have them, nested and typed, instead of flat ones
    #[arg(long)]
    pub nested: bool,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// A ROS 1 bag
    Bag,
    /// An MCAP file of ROS 1 messages
    Mcap,
    /// A table a topic: <topic>/bag_file=<bag>/data.parq; OUT.parquet: one topic
    Parquet,
    /// A table a topic: <topic>.csv; OUT.csv: one topic
    Csv,
}

impl To {
    fn of(path: &Path) -> Option<To> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "bag" => Some(To::Bag),
            "mcap" => Some(To::Mcap),
            "parquet" | "parq" | "pq" => Some(To::Parquet),
            "csv" => Some(To::Csv),
            _ => None,
        }
    }
}

/// What is written.
pub fn kind(args: &ExportArgs) -> anyhow::Result<To> {
    args.to.or_else(|| To::of(&args.output)).with_context(|| {
        format!(
            "the name of the result tells what is written: .bag, .mcap, .parquet or .csv (or give --to): {}",
            args.output.display()
        )
    })
}

pub fn run(common: &Common, args: &ExportArgs) -> anyhow::Result<()> {
    let to = kind(args)?;
    if let Some(own) = args.locations.iter().find(|text| is_file(text, &args.output)) {
        bail!("the result would take the place of the recording that it is made of: name another file than {own}");
    }
    let io = common.io()?;
    let mut progress = output::Progress::new();
    let mut recordings = Vec::with_capacity(args.locations.len());
    for text in &args.locations {
        let opened = Recording::open(&io, Location::parse(text)?, |_, done| {
            progress.at("searching for messages", f64::from(done))
        });
        recordings.push(opened?);
    }
    for recording in &recordings {
        output::losses(recording.container.catalog());
    }
    let selection = selection(args, &recordings)?;
    let mut tell = |done: f64| progress.at("writing", done);
    let written = match to {
        To::Bag => {
            let compression = args.compression.map(writer::Compression::from);
            output::whole_file(&args.output, |file| {
                Ok(write_bag(&recordings, &selection, compression, file, &mut tell)?)
            })
        }
        To::Mcap => output::whole_file(&args.output, |file| Ok(write_mcap(&recordings, &selection, file, &mut tell)?)),
        To::Parquet | To::Csv => tables(args, to, &recordings, &selection, &mut tell),
    };
    drop(progress);
    let written = written.with_context(|| format!("nothing whole was written: {}", args.output.display()))?;
    tell_of(&written);
    Ok(())
}

/// Whether a location is this file.
fn is_file(location: &str, path: &Path) -> bool {
    let Ok(Location::Path(own)) = Location::parse(location) else {
        return false;
    };
    matches!((own.canonicalize(), path.canonicalize()), (Ok(own), Ok(path)) if own == path)
}

fn selection(args: &ExportArgs, recordings: &[Recording]) -> anyhow::Result<Selection> {
    let whole = recordings.iter().map(open::span).reduce(Span::union).unwrap_or(Span::at(Time(0)));
    let topics: BTreeSet<String> = args.topics.iter().cloned().collect();
    let connections = || recordings.iter().flat_map(|recording| &recording.container.catalog().connections);
    for topic in &topics {
        if !connections().any(|connection| *connection.topic == **topic) {
            let there: BTreeSet<&str> = connections().map(|connection| &*connection.topic).collect();
            bail!(
                "there is no topic {topic}; there are {}",
                there.into_iter().collect::<Vec<_>>().join(", ")
            );
        }
    }
    let span = Span {
        start: args.start.map_or(Time::MIN, |when| when.unclamped(whole)),
        end: args.end.map_or(Time::MAX, |when| when.unclamped(whole)),
    };
    if span.start > span.end {
        bail!("--start is after --end");
    }
    Ok(Selection {
        topics: (!topics.is_empty()).then_some(topics),
        span,
    })
}

fn tables(
    args: &ExportArgs,
    to: To,
    recordings: &[Recording],
    selection: &Selection,
    tell: &mut dyn FnMut(f64),
) -> anyhow::Result<Written> {
    let layout = match (to, args.nested) {
        (To::Csv, _) => Layout::Csv,
        (_, true) => Layout::Nested,
        (_, false) => Layout::Aws,
    };
    let is_single = To::of(&args.output).is_some() && !args.output.is_dir();
    if is_single {
        let wanted: BTreeSet<&str> = recordings
            .iter()
            .flat_map(|recording| &recording.container.catalog().connections)
            .map(|connection| &*connection.topic)
            .filter(|topic| selection.topics.as_ref().is_none_or(|topics| topics.contains(*topic)))
            .collect();
        let is_several = wanted.len() != 1 || (layout != Layout::Csv && recordings.len() > 1);
        if is_several {
            bail!(
                "one file holds one topic of one recording: name it with --topic, or give a folder: {}",
                args.output.display()
            );
        }
    }
    let mut files = Files::default();
    let mut create = |path: Option<&str>| {
        let path = path.map_or_else(|| args.output.clone(), |path| args.output.join(path));
        files.create(path)
    };
    let written = write_tables(recordings, selection, layout, is_single, &mut create, tell)?;
    files.place()?;
    Ok(written)
}

/// Files that are found under their names only when all are whole.
#[derive(Default)]
struct Files(Vec<Partial>);

impl Files {
    fn create(&mut self, path: PathBuf) -> io::Result<Box<dyn Write + Send>> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)?;
        }
        let (partial, file) = Partial::create(&path)?;
        self.0.push(partial);
        Ok(Box::new(BufWriter::with_capacity(1 << 20, file)))
    }

    fn place(self) -> io::Result<()> {
        self.0.into_iter().try_for_each(Partial::place)
    }
}

/// What was lost on the way.
fn tell_of(written: &Written) {
    for (location, warning) in written.losses.iter().take(20) {
        output::loss(&format!("{}: byte {} of {location}", warning.what, warning.offset));
    }
    if written.losses.len() > 20 {
        output::loss(&format!("{} more like these", written.losses.len() - 20));
    }
    for (topic, number) in &written.broken {
        output::loss(&format!("{number} messages are not what their definition says: {topic}"));
    }
    let copied = match written.copied_chunks {
        0 => String::new(),
        chunks => format!(", {chunks} chunks as they were"),
    };
    output::note(&format!("{} messages written{copied}", written.messages));
}
