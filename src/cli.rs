//! The command line: one table, from which parsing, help, man page and completions come; one file a command.
//!
//! Invariants: results go to stdout, everything else to stderr; a reader that goes away (a closed pipe) is success; exit
//! codes are 0 done, 1 failed, 2 wrong usage, 3 `check` found problems; no query string is ever printed.

mod cache;
mod cat;
mod check;
mod demo;
mod export;
#[cfg(feature = "gui")]
mod film;
mod find;
mod info;
mod layout;
mod ls;
mod open;
mod output;
mod pages;
mod partial;
mod query;
mod register;
mod remote;
mod scenes;
mod screenshot;
mod serve;
mod url;
mod window;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::time::When;

pub use open::Common;

/// Opens any drive recording, wherever it lies, at once, and plays it
#[derive(Parser, Debug)]
#[command(name = "roadreel", version)]
#[command(
    after_help = "LOC is a path, an http(s) URL (presigned or plain; a URL needs no file name), s3://bucket/key, or the ARN of an object\n\
    behind an access point.\n\
    T is seconds since 1970 (1600000003.25), 13, 16 or 19 digits for ms, µs or ns, RFC 3339, +12.5 from the start, or 50%.\n\
    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 check found problems."
)]
pub struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    window: WindowArgs,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Opens (or with -o writes) a synthetic drive made by the program itself
    Demo(DemoArgs),
    /// What is in a recording, reading only its index
    Info(InfoArgs),
    /// Messages in time order, one a line
    Cat(CatArgs),
    /// Reads everything: structure, checksums, order, gaps, stamps, rates; says what was lost and where
    Check(CheckArgs),
    /// What lies in S3: buckets, folders and objects
    Ls(LsArgs),
    /// SQL over tables (Parquet, CSV, JSON Lines, Arrow, Hudi, Delta) and topics of recordings
    Query(query::QueryArgs),
    /// Every span in which a condition over message paths holds, in one recording or many
    Find(find::FindArgs),
    /// Recordings, whole or in part, as a bag, an MCAP file, Parquet or CSV tables; damaged ones repaired
    Export(export::ExportArgs),
    /// Draws the window offscreen, without a display, once what is visible is there
    Screenshot(ScreenshotArgs),
    /// The scenes of a recording, from the table that is configured
    Scenes(scenes::ScenesCommand),
    /// A presigned URL, or a link that opens a recording at a moment
    Url(url::UrlArgs),
    /// Answers over HTTP what `url` prints, for scripts and pages
    Serve(serve::ServeArgs),
    /// Layouts: converted, checked against a recording, compared
    Layout(layout::LayoutCommand),
    /// What of remote recordings is kept on disk, and where; `cache pin` keeps a span offline, `cache clear` deletes all
    Cache(cache::CacheCommand),
    /// Makes this program the handler of roadreel:// links and of .bag and .mcap files
    Register(RegisterArgs),
    /// Prints completions for a shell
    Completions { shell: clap_complete::Shell },
    /// Prints the man page
    Man,
}

/// The window.
#[derive(Args, Clone, Debug, Default)]
pub struct WindowArgs {
    /// Recordings to open, on one clock; none: the welcome screen
    #[arg(value_name = "LOC")]
    pub locations: Vec<String>,
    /// Layout to open: a file, or the name of one
    #[arg(long, value_name = "FILE|NAME")]
    pub layout: Option<String>,
    /// Where to start
    #[arg(long, value_name = "T", value_parser = When::parse)]
    pub seek_to: Option<When>,
}

#[derive(Args, Clone, Debug)]
pub struct DemoArgs {
    /// Length of the drive
    #[arg(long, value_name = "N", default_value_t = 20.0, value_parser = demo::seconds)]
    pub seconds: f64,
    /// Write the bag there instead of opening it
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Compression of the bag's chunks
    #[arg(long, default_value = "lz4")]
    pub compression: demo::Compression,
}

#[derive(Args, Clone, Debug)]
pub struct InfoArgs {
    #[arg(value_name = "LOC", required_unless_present = "record")]
    pub location: Option<String>,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Clone, Debug)]
pub struct CatArgs {
    #[arg(value_name = "LOC", required_unless_present = "record")]
    pub location: Option<String>,
    /// Only these topics
    #[arg(long = "topic", value_name = "T")]
    pub topics: Vec<String>,
    /// From this time on
    #[arg(long, value_name = "T", value_parser = When::parse)]
    pub start: Option<When>,
    /// Up to and with this time
    #[arg(long, value_name = "T", value_parser = When::parse)]
    pub end: Option<When>,
    /// At most this many messages
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    #[arg(value_name = "LOC", required_unless_present = "record")]
    pub location: Option<String>,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Clone, Debug)]
pub struct LsArgs {
    /// s3:// (all buckets), s3://bucket/ or s3://bucket/prefix
    #[arg(value_name = "S3", default_value = "s3://")]
    pub place: String,
    /// Everything below, not folder by folder
    #[arg(short, long)]
    pub recursive: bool,
    /// Only names that hold this text, or fit it where it has * or ?
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// At most this many
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Clone, Debug)]
pub struct ScreenshotArgs {
    #[arg(value_name = "LOC", required_unless_present = "record")]
    pub locations: Vec<String>,
    /// Layout to draw: a file, or the name of one
    #[arg(long, value_name = "FILE|NAME")]
    pub layout: Option<String>,
    /// The playhead
    #[arg(long, value_name = "T", value_parser = When::parse, conflicts_with_all = ["start", "end", "fps"])]
    pub seek_to: Option<When>,
    /// A sequence of pictures, from this time on
    #[arg(long, value_name = "T", value_parser = When::parse)]
    pub start: Option<When>,
    /// And up to this time
    #[arg(long, value_name = "T", value_parser = When::parse)]
    pub end: Option<When>,
    /// Pictures for each second of a sequence [default: 10]
    #[arg(long, value_name = "N", value_parser = screenshot_fps)]
    pub fps: Option<f64>,
    /// Size in points
    #[arg(long, value_name = "WxH", default_value = "1600x1000", value_parser = screenshot_size)]
    pub size: (u32, u32),
    /// Pixels a point
    #[arg(long, value_name = "S", default_value_t = 1.0, value_parser = screenshot_scale)]
    pub scale: f32,
    /// What has to be there before it is drawn
    #[arg(long, value_enum, default_value_t = Wait::All)]
    pub wait: Wait,
    /// Colours of the window
    #[arg(long, value_enum, default_value_t = Theme::Dark)]
    pub theme: Theme,
    /// The picture; of a sequence a folder (frame_00001.png …), a pattern (drive_%04d.png), or a film (.mp4, which takes ffmpeg)
    #[arg(short, long, value_name = "FILE|DIR")]
    pub output: PathBuf,
    /// Also write how it went, as JSON
    #[arg(long, value_name = "FILE")]
    pub stats: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
pub struct RegisterArgs {
    /// Takes it back
    #[arg(long)]
    pub remove: bool,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Everything visible
    All,
    /// Everything at the playhead; plots and lanes show what has been read so far
    Playhead,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    Dark,
    Light,
}

fn screenshot_size(text: &str) -> Result<(u32, u32), String> {
    let (width, height) = text.split_once('x').ok_or("give width x height, like 1600x1000")?;
    let side = |text: &str| {
        text.parse::<u32>()
            .ok()
            .filter(|n| (16..=16_384).contains(n))
            .ok_or("each side is 16 to 16384")
    };
    Ok((side(width)?, side(height)?))
}

fn screenshot_scale(text: &str) -> Result<f32, String> {
    let scale = text.parse::<f32>().ok().filter(|scale| (0.25..=8.0).contains(scale));
    scale.ok_or("a scale is 0.25 to 8".into())
}

fn screenshot_fps(text: &str) -> Result<f64, String> {
    let fps = text.parse::<f64>().ok().filter(|fps| (0.01..=240.0).contains(fps));
    fps.ok_or("pictures a second are 0.01 to 240".into())
}

/// How a command ended well.
enum Outcome {
    Done,
    /// `check` found problems.
    Problems,
}

/// Runs the program: arguments in, exit code out.
pub fn main() -> ExitCode {
    output::start_logging();
    let cli = match parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            match error.use_stderr() {
                true => output::usage(error),
                false => drop(error.print()),
            }
            return ExitCode::from(code);
        }
    };
    match run(cli) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Problems) => ExitCode::from(3),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error);
            ExitCode::FAILURE
        }
    }
}

/// Common options may stand before a command; those of the window may not, since the command would not see them.
fn parse() -> Result<Cli, clap::Error> {
    let cli = Cli::try_parse()?;
    let WindowArgs {
        locations,
        layout,
        seek_to,
    } = &cli.window;
    if cli.command.is_some() && !(locations.is_empty() && layout.is_none() && seek_to.is_none()) {
        let text = "recordings, --layout and --seek-to stand behind the command's name";
        return Err(Cli::command().error(clap::error::ErrorKind::ArgumentConflict, text));
    }
    let unfit = match &cli.command {
        Some(Command::Query(args)) => query::style(args).err(),
        Some(Command::Export(args)) => export::kind(args).err(),
        Some(Command::Find(args)) => find::style(args).err(),
        Some(Command::Scenes(args)) => scenes::style(args).err(),
        #[cfg(feature = "gui")]
        Some(Command::Screenshot(args)) => film::fits(args).err(),
        _ => None,
    };
    match unfit {
        Some(error) => Err(Cli::command().error(clap::error::ErrorKind::ValueValidation, error)),
        None => Ok(cli),
    }
}

fn run(cli: Cli) -> anyhow::Result<Outcome> {
    let common = &cli.common;
    open::choose_definitions(common);
    match cli.command {
        None => window::run(common, &cli.window).map(|()| Outcome::Done),
        Some(Command::Demo(args)) => demo::run(common, &args).map(|()| Outcome::Done),
        Some(Command::Info(args)) => info::run(common, &args).map(|()| Outcome::Done),
        Some(Command::Cat(args)) => cat::run(common, &args).map(|()| Outcome::Done),
        Some(Command::Check(args)) => check::run(common, &args),
        Some(Command::Ls(args)) => ls::run(common, &args).map(|()| Outcome::Done),
        Some(Command::Export(args)) => export::run(common, &args).map(|()| Outcome::Done),
        Some(Command::Find(args)) => find::run(common, &args).map(|()| Outcome::Done),
        Some(Command::Query(args)) => query::run(common, &args).map(|()| Outcome::Done),
        Some(Command::Screenshot(args)) => screenshot::run(common, &args).map(|()| Outcome::Done),
        Some(Command::Scenes(args)) => scenes::run(common, &args).map(|()| Outcome::Done),
        Some(Command::Url(args)) => url::run(common, &args).map(|()| Outcome::Done),
        Some(Command::Serve(args)) => serve::run(common, &args).map(|()| Outcome::Done),
        Some(Command::Layout(args)) => layout::run(common, &args),
        Some(Command::Cache(args)) => cache::run(common, &args).map(|()| Outcome::Done),
        Some(Command::Register(args)) => register::run(&args).map(|()| Outcome::Done),
        Some(Command::Completions { shell }) => pages::completions(shell).map(|()| Outcome::Done),
        Some(Command::Man) => pages::man().map(|()| Outcome::Done),
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|e| e.downcast_ref::<io::Error>())
        .any(|e| e.kind() == io::ErrorKind::BrokenPipe)
}
