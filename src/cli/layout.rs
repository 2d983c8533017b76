//! `roadreel layout convert|check|diff`: layouts without a window.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};

use super::{Common, Outcome, open, output};
use crate::decode::{Form, Schema, Value, definitions};
use crate::format::{Checks, ConnectionId, ConnectionSet};
use crate::layout::{self, Catalogue, CatalogueTopic, Dialect, LARGEST_BYTES, NameOf, Opened};
use crate::path::{self, Select};
use crate::run::{Piece, Recording, messages};
use crate::source::Location;
use crate::time::Span;

#[derive(Args, Clone, Debug)]
pub struct LayoutCommand {
    #[command(subcommand)]
    what: LayoutWhat,
}

#[derive(Subcommand, Clone, Debug)]
enum LayoutWhat {
    /// A layout of Roadreel, Webviz, Foxglove, Lichtblick, RViz or PlotJuggler in another format; what became of each key goes to stderr
    Convert(ConvertArgs),
    /// Whether a recording has the topics, fields and frames that a layout names, and which were probably meant; exit code 3: something does not fit
    Check(CheckArgs),
    /// What differs between two layouts, panel by panel
    Diff(DiffArgs),
}

#[derive(Args, Clone, Debug)]
struct ConvertArgs {
    /// A file, the name of a layout, or a URL
    #[arg(value_name = "IN")]
    input: String,
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// Whose format
    #[arg(long, value_enum, default_value_t = To::Roadreel)]
    to: To,
    /// What became of each key, as one JSON object on stdout
    #[arg(long)]
    json: bool,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
enum To {
    Roadreel,
    Webviz,
    /// And Lichtblick
    Foxglove,
}

#[derive(Args, Clone, Debug)]
struct CheckArgs {
    /// A file, the name of a layout, or a URL
    #[arg(value_name = "LAYOUT")]
    layout: String,
    #[arg(value_name = "LOC", required_unless_present = "record")]
    locations: Vec<String>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args, Clone, Debug)]
struct DiffArgs {
    #[arg(value_name = "A")]
    a: String,
    #[arg(value_name = "B")]
    b: String,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

pub fn run(common: &Common, command: &LayoutCommand) -> anyhow::Result<Outcome> {
    match &command.what {
        LayoutWhat::Convert(args) => convert(common, args).map(|()| Outcome::Done),
        LayoutWhat::Check(args) => check(common, args),
        LayoutWhat::Diff(args) => diff(common, args).map(|()| Outcome::Done),
    }
}

/// The text of a layout that is named on the command line: a file, a URL, or the name of one.
pub fn text_of(common: &Common, name: &str) -> anyhow::Result<String> {
    let path = Path::new(name);
    if path.is_file() {
        let bytes = std::fs::metadata(path).map_or(0, |meta| meta.len());
        if bytes > LARGEST_BYTES {
            bail!("{}: {name}", layout::LayoutError::TooLarge(bytes));
        }
        let bytes = std::fs::read(path).with_context(|| format!("the layout cannot be read: {name}"))?;
        return String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("not a layout: this is no text: {name}"));
    }
    if name.contains("://") || name.starts_with("arn:") {
        let location = Location::parse(name)?;
        let told = location.to_string();
        let text = common.io()?.fetch_text_now(location, LARGEST_BYTES);
        return text.map_err(|error| anyhow::anyhow!("the layout cannot be read: {error}: {told}"));
    }
    named(name)
}

#[cfg(feature = "gui")]
fn named(name: &str) -> anyhow::Result<String> {
    use crate::app::settings;
    let folders = settings::Folders::of_platform();
    let (text, _) = settings::find_layout(name, folders.as_ref()).map_err(anyhow::Error::msg)?;
    Ok(text)
}

#[cfg(not(feature = "gui"))]
fn named(name: &str) -> anyhow::Result<String> {
    bail!("there is no such file: {name}")
}

fn opened(common: &Common, name: &str) -> anyhow::Result<Opened> {
    let told = crate::source::without_secrets(name);
    layout::open(&text_of(common, name)?).map_err(|error| anyhow::anyhow!("{error}: {told}"))
}

fn convert(common: &Common, args: &ConvertArgs) -> anyhow::Result<()> {
    let Opened { layout, report } = opened(common, &args.input)?;
    let to = match args.to {
        To::Roadreel => Dialect::Roadreel,
        To::Webviz => Dialect::Webviz,
        To::Foxglove => Dialect::Foxglove,
    };
    let written = layout::export(&layout, to)?;
    output::whole_file(&args.output, |file| Ok(file.write_all(written.text.as_bytes())?))
        .with_context(|| format!("the layout cannot be written: {}", args.output.display()))?;
    if args.json {
        let mut out = output::results();
        let reports = serde_json::json!({"read": report, "written": written.report});
        writeln!(out, "{reports}")?;
        out.flush()?;
        return Ok(());
    }
    output::lines(&report.text());
    if !written.report.is_silent() {
        output::lines(&written.report.text());
    }
    Ok(())
}

fn check(common: &Common, args: &CheckArgs) -> anyhow::Result<Outcome> {
    let Opened { layout, report } = opened(common, &args.layout)?;
    report.warnings.iter().for_each(|warning| output::note(warning));
    let mut recordings: Vec<Recording> = Vec::new();
    for location in &args.locations {
        recordings.push(open::recording(common, location)?);
    }
    if args.locations.is_empty() {
        recordings.push(open::recording_or_scene(common, None)?);
    }
    let names_frames = layout::uses(&layout).iter().any(|used| used.what == NameOf::Frame);
    let mut catalogue = Catalogue::default();
    for recording in &recordings {
        add(recording, names_frames, &mut catalogue)?;
    }
    let fit = layout::fit(&layout, &catalogue);
    let mut out = output::results();
    match args.json {
        true => writeln!(out, "{}", serde_json::json!({"fits": fit.fits(), "misfits": fit.misfits}))?,
        false => write!(out, "{}", fit.text())?,
    }
    out.flush()?;
    Ok(if fit.fits() { Outcome::Done } else { Outcome::Problems })
}

/// What a recording holds.
fn add(recording: &Recording, with_frames: bool, catalogue: &mut Catalogue) -> anyhow::Result<()> {
    let connections = &recording.container.catalog().connections;
    let mut transforms: Vec<(ConnectionId, Arc<Schema>)> = Vec::new();
    for (connection, id) in connections.iter().zip(0..) {
        let schema = definitions().schema(&connection.type_name, &connection.definition, &connection.md5);
        let schema = schema.ok().map(Arc::new);
        if let Some(schema) = schema.as_ref().filter(|schema| schema.form() == Some(Form::Transforms)) {
            transforms.push((id, schema.clone()));
        }
        if !catalogue.topics.iter().any(|topic| topic.name == *connection.topic) {
            catalogue.topics.push(CatalogueTopic {
                name: connection.topic.to_string(),
                type_name: connection.type_name.to_string(),
                schema,
            });
        }
    }
    if with_frames {
        let mut frames: BTreeSet<String> = std::mem::take(&mut catalogue.frames).into_iter().collect();
        frames.extend(frames_of(recording, &transforms)?);
        catalogue.frames = frames.into_iter().collect();
    }
    Ok(())
}

/// Frames are told anew all the time: what is said at first is all.
const LISTENED_NANOS: i64 = 5_000_000_000;

fn frames_of(recording: &Recording, transforms: &[(ConnectionId, Arc<Schema>)]) -> anyhow::Result<BTreeSet<String>> {
    const NAMES: [&str; 4] = [
        "/t.transforms[:].header.frame_id",
        "/t.transforms[:].child_frame_id",
        "/t.header.frame_id",
        "/t.child_frame_id",
    ];
    let selects = |schema: &Schema| -> Vec<Select> {
        let paths = NAMES.iter().filter_map(|name| match path::parse(name) {
            Ok(path::Expr::Path(path)) => Some(path),
            _ => None,
        });
        paths.filter_map(|path| Select::compile(schema, &path).ok()).collect()
    };
    let selects: Vec<(ConnectionId, Vec<Select>)> = transforms.iter().map(|(id, schema)| (*id, selects(schema))).collect();
    let all = open::span(recording);
    let span = Span {
        end: all.start.plus_nanos(LISTENED_NANOS).min(all.end),
        ..all
    };
    let ids = ConnectionSet::Only(transforms.iter().map(|(id, _)| *id).collect());
    let mut frames = BTreeSet::new();
    for piece in messages(recording, ids, span, Checks::Quick) {
        let Piece::Message(_, id, message) = piece? else { continue };
        for select in selects.iter().filter(|(of, _)| *of == id).flat_map(|(_, selects)| selects) {
            for value in select.values(&message.payload) {
                if let Value::String(frame) = value {
                    frames.insert(frame.trim_start_matches('/').to_owned());
                }
            }
        }
    }
    Ok(frames)
}

fn diff(common: &Common, args: &DiffArgs) -> anyhow::Result<()> {
    let (a, b) = (opened(common, &args.a)?, opened(common, &args.b)?);
    let diff = layout::diff(&a.layout, &b.layout);
    let mut out = output::results();
    match args.json {
        true => writeln!(out, "{}", serde_json::to_string(&diff)?)?,
        false => write!(out, "{}", diff.text())?,
    }
    out.flush()?;
    Ok(())
}
