//! `roadreel find`: when in recordings a condition over message paths holds, one span a line, while they are being read.

mod state;

use std::collections::{BTreeSet, VecDeque};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use super::{Common, output, scenes};
use crate::find::{Bounds, Condition, Drive, Kind, Place, Search, Step, places, tables, tables_among};
use crate::format::Warning;
use crate::lake::Style;
use crate::path::{Expr, PathError, Variables, parse};
use crate::run::{Io, Recording};
use crate::source::{Location, Scene, record_of};
use crate::time::{Span, Time, When, format_duration, format_relative, format_utc};
use state::State;

#[derive(Args, Clone, Debug)]
#[command(allow_missing_positional = true)]
pub struct FindArgs {
    /// Recordings: bags, folders or prefixes of bags and of tables called like topics, lists of links; tables are searched beside them, or
    /// alone
    #[arg(value_name = "LOC", required_unless_present = "record")]
    pub locations: Vec<String>,
    /// A condition over message paths: '/vehicle/brake_report.pedal_input > 0.3 and /vehicle/steering_report.speed > 5'
    #[arg(value_name = "EXPR", required = true, value_parser = Asked::parse)]
    pub condition: Asked,
    /// From this time of each recording on
    #[arg(long, value_name = "T", value_parser = When::parse)]
    pub start: Option<When>,
    /// Up to and with this time of each recording
    #[arg(long, value_name = "T", value_parser = When::parse)]
    pub end: Option<When>,
    /// Leave shorter spans out: seconds, or with a unit (500ms, 2s, 1min)
    #[arg(long, value_name = "LENGTH", value_parser = length, default_value = "0")]
    pub min_length: i64,
    /// Make spans one that are no further apart
    #[arg(long, value_name = "LENGTH", value_parser = length, default_value = "0")]
    pub merge_gap: i64,
    /// What the spans are called as scenes
    #[arg(long, value_name = "NAME", default_value = "found")]
    pub class: String,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
    /// Also write a scene table: .parquet, .csv or .jsonl. Of several recordings OUT.part-found remembers until the end which are done:
    /// the same command goes on from there
    #[arg(short, long, value_name = "SCENES")]
    pub output: Option<PathBuf>,
    /// Remember there which recordings are done and what was found in them; they are not searched again
    #[arg(long, value_name = "STATE")]
    pub resume: Option<PathBuf>,
}

/// A condition as it was typed.
#[derive(Clone, Debug)]
pub struct Asked {
    text: String,
    expr: Expr,
}

impl Asked {
    fn parse(text: &str) -> Result<Asked, String> {
        match parse(text) {
            Ok(expr) => Ok(Asked {
                text: text.to_owned(),
                expr,
            }),
            Err(error) => Err(pointed(text, &error)),
        }
    }
}

/// The sentence, and below it the text with its place marked.
fn pointed(text: &str, error: &PathError) -> String {
    let before = text.get(..error.span.start).unwrap_or_default().chars().count();
    let marked = text.get(error.span.clone()).unwrap_or_default().chars().count().max(1);
    let perhaps = match error.nearest.as_deref() {
        Some(nearest) if !nearest.is_empty() => format!(" perhaps “{nearest}”"),
        _ => String::new(),
    };
    let line = text.replace(|c: char| c.is_control(), " ");
    format!("{}\n  {line}\n  {}{}{perhaps}", error.what, " ".repeat(before), "^".repeat(marked))
}

/// Nanoseconds.
fn length(text: &str) -> Result<i64, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim() {
        "" | "s" => 1e9,
        "ns" => 1.0,
        "us" | "µs" => 1e3,
        "ms" => 1e6,
        "min" => 60e9,
        "h" => 3600e9,
        _ => f64::NAN,
    };
    let nanos = number.parse::<f64>().map_or(f64::NAN, |number| (number * unit).round());
    match nanos <= 9e18 {
        true => Ok(nanos as i64),
        false => Err(format!("“{text}” is no length: give seconds, or a number with ms, s, min or h")),
    }
}

pub fn run(common: &Common, args: &FindArgs) -> anyhow::Result<()> {
    if let (Some(start), Some(end)) = (args.start, args.end)
        && start.unclamped(Span::ALL) > end.unclamped(Span::ALL)
        && matches!((start, end), (When::At(_), When::At(_)) | (When::FromStart(_), When::FromStart(_)))
    {
        bail!("--start is after --end");
    }
    let style = style(args)?;
    if let Some(folder) = args.output.as_deref().and_then(Path::parent)
        && !folder.as_os_str().is_empty()
        && !folder.is_dir()
    {
        bail!("there is no folder for the scene table: {}", folder.display());
    }
    let io = common.io()?;
    let links = scenes::links(common, &args.locations)?;
    let locations: Vec<Location> = links.into_iter().flat_map(|link| link.locations).collect();
    let places = places(&io, &locations)?;
    let expr = &args.condition.expr;
    let named = expr.topics();
    let tables = tables(&io, &places, &named)?;
    let among = tables_among(&io, &places, &named)?;
    let bags: Vec<Place> = places.into_iter().filter(|place| place.kind == Kind::Recording).collect();

    let mut search = Run {
        args,
        out: Out {
            json: args.json,
            results: output::shared_results(),
            progress: output::Progress::new(),
        },
        scenes: Vec::new(),
        is_several: bags.len() > 1 || !among.is_empty(),
        searched: 0,
        refused: Vec::new(),
    };
    let mut state = State::open(args, bags.len() > 1)?;
    if bags.is_empty() {
        let drives = Drive::of_tables(tables);
        search.is_several = drives.len() > 1;
        for drive in drives {
            search.drive(&drive, "")?;
        }
    } else {
        let alone = Drive::of_tables(among.clone()).into_iter();
        let alone: Vec<Drive> = alone.filter(|drive| named.iter().all(|topic| drive.has(topic))).collect();
        let beside = |drive: Drive| {
            let drive = drive.beside(&tables);
            // a recording that has nothing to do with it, where tables have it all
            let is_other = !alone.is_empty() && !named.iter().any(|topic| drive.has(topic));
            (!is_other).then(|| drive.completed(&among, &named))
        };
        let searched = search.bags(&io, &bags, beside, &mut state)?;
        for drive in alone.iter().filter(|drive| !searched.contains(drive.record())) {
            search.drive(drive, "")?;
        }
    }
    search.finish(style)?;
    if let Some(state) = state {
        state.done()?;
    }
    Ok(())
}

/// How the scene table is written, where one is.
pub fn style(args: &FindArgs) -> anyhow::Result<Option<Style>> {
    let Some(path) = &args.output else { return Ok(None) };
    let style = Style::of(&path.to_string_lossy()).filter(|style| *style != Style::Text);
    let style = style.with_context(|| {
        format!(
            "the name of a scene table tells how it is written: .parquet, .csv or .jsonl: {}",
            path.display()
        )
    });
    style.map(Some)
}

/// Where what is found goes at once.
struct Out {
    json: bool,
    results: std::io::BufWriter<std::io::Stdout>,
    progress: output::Progress,
}

impl Out {
    fn scene(&mut self, scene: &Scene, start: Time) -> anyhow::Result<()> {
        self.progress.wipe();
        let (from, to) = (scene.start.unwrap_or_default(), scene.end.unwrap_or_default());
        match self.json {
            true => {
                let line = serde_json::json!({
                    "bag": scene.record,
                    "scene_id": scene.id,
                    "class": scene.class,
                    "start_ns": from.nanos(),
                    "end_ns": to.nanos(),
                    "length_s": to.since(from) as f64 / 1e9,
                    "bag_file_bucket": scene.bucket,
                    "bag_file_prefix": scene.prefix,
                });
                serde_json::to_writer(&mut self.results, &line).map_err(std::io::Error::from)?;
                writeln!(self.results)?;
            }
            false => writeln!(
                self.results,
                "{}  {:>12}  {:>9}  {}",
                format_utc(from),
                format_relative(from, start),
                format_duration(to.since(from)),
                scene.record
            )?,
        }
        // at once: the next one may take its time
        Ok(self.results.flush()?)
    }
}

/// How one drive went.
enum Went {
    Whole(Vec<Scene>),
    /// It was told why not.
    Refused,
}

struct Run<'a> {
    args: &'a FindArgs,
    out: Out,
    scenes: Vec<Scene>,
    is_several: bool,
    searched: usize,
    /// Why drives could not be searched.
    refused: Vec<String>,
}

impl Run<'_> {
    /// One after the other; the next one is opened meanwhile. `beside` puts tables beside a recording, or passes it over. Gives the names of
    /// those that were searched.
    fn bags(
        &mut self,
        io: &Io,
        bags: &[Place],
        beside: impl Fn(Drive) -> Option<Drive>,
        state: &mut Option<State>,
    ) -> anyhow::Result<BTreeSet<String>> {
        let mut searched = BTreeSet::new();
        let is_left = |bag: &&Place| state.as_ref().is_none_or(|state| state.scenes_of(bag).is_none());
        let waiting: Vec<&Place> = bags.iter().filter(is_left).collect();
        let (mut waiting, mut ahead) = (waiting.into_iter(), VecDeque::new());
        for (number, bag) in bags.iter().enumerate() {
            if let Some(kept) = state.as_ref().and_then(|state| state.scenes_of(bag)) {
                for (span, start) in kept.clone() {
                    let scene = self.scene(&Drive::at(bag.location.clone()), span);
                    self.out.scene(&scene, start)?;
                    self.scenes.push(scene);
                }
                self.searched += 1;
                searched.insert(record_of(&bag.location.name()).to_owned());
                continue;
            }
            while ahead.len() < AHEAD
                && let Some(next) = waiting.next()
            {
                ahead.push_back(Recording::opening(io, next.location.clone()));
            }
            let Some(opened) = ahead.pop_front() else { continue };
            let what = match bags.len() {
                1 => String::new(),
                several => format!(" ({} of {several})", number + 1),
            };
            self.out.progress.at(&format!("opening {}{what}", bag.location.name()), 0.0);
            let went = match opened() {
                Ok(recording) => {
                    let start = recording.container.catalog().span().map_or(Time(0), |span| span.start);
                    let Some(drive) = beside(Drive::of(recording)) else { continue };
                    searched.insert(drive.record().to_owned());
                    (self.drive(&drive, &what)?, start)
                }
                Err(error) => (self.refuse(error.to_string()), Time(0)),
            };
            if let ((Went::Whole(scenes), start), Some(state)) = (went, state.as_mut()) {
                state.add(bag, start, scenes.iter().filter_map(Scene::span))?;
            }
        }
        Ok(searched)
    }

    /// One of several is passed over.
    fn refuse(&mut self, text: String) -> Went {
        self.out.progress.wipe();
        if self.is_several {
            output::lines(&format!("warning: passed over: {text}"));
        }
        self.refused.push(text);
        Went::Refused
    }

    fn drive(&mut self, drive: &Drive, what: &str) -> anyhow::Result<Went> {
        for recording in &drive.recordings {
            output::losses(recording.container.catalog());
        }
        let named = self.args.condition.expr.topics();
        let condition = match Condition::compile(&self.args.condition.expr, &drive.schemas(&named), &Variables::new()) {
            Ok(condition) => condition,
            Err(error) => {
                let text = pointed(&self.args.condition.text, &error);
                return Ok(self.refuse(match self.is_several {
                    true => format!("{}: {text}", drive.record()),
                    false => text,
                }));
            }
        };
        let whole = drive.span();
        let bounds = Bounds {
            within: Span {
                start: self.args.start.map_or(Time::MIN, |when| when.unclamped(whole)),
                end: self.args.end.map_or(Time::MAX, |when| when.unclamped(whole)),
            },
            min_length: self.args.min_length,
            merge_gap: self.args.merge_gap,
            ahead_bytes: None,
        };
        let read = whole.within(bounds.within);
        let what = format!("searching {}{what}", drive.record());
        let mut scenes = Vec::new();
        let mut losses: Vec<(Location, Warning)> = Vec::new();
        let mut cut_off = None;
        for step in Search::begin(drive, &condition, bounds) {
            match step {
                Ok(Step::Found(span)) => {
                    let scene = self.scene(drive, span);
                    self.out.scene(&scene, whole.start)?;
                    scenes.push(scene);
                }
                Ok(Step::Reached(time)) => {
                    let done = time.since(read.start) as f64 / read.nanos().max(1) as f64;
                    self.out.progress.at(&what, done);
                }
                Ok(Step::Lost(at, warning)) => losses.push((at, warning)),
                Err(error) => cut_off = Some(error),
            }
        }
        self.out.progress.wipe();
        for (at, warning) in losses.iter().take(SHOWN) {
            output::loss(&format!("{}: byte {} of {at}", warning.what, warning.offset));
        }
        if losses.len() > SHOWN {
            output::loss(&format!("{} more like these", losses.len() - SHOWN));
        }
        self.scenes.extend(scenes.iter().cloned());
        match cut_off {
            None => {
                self.searched += 1;
                Ok(Went::Whole(scenes))
            }
            Some(error) => Ok(self.refuse(format!("the search ended early: {error}"))),
        }
    }

    fn scene(&self, drive: &Drive, span: Span) -> Scene {
        let condition = &self.args.condition;
        let mut scene = drive.scene(&self.args.class, span);
        scene.text = Some(condition.text.clone());
        scene.notes.push(("topics_analyzed".into(), condition.expr.topics().join(",")));
        scene
    }

    /// Writes the table; where nothing could be searched, says why.
    fn finish(&mut self, style: Option<Style>) -> anyhow::Result<()> {
        if let (0, Some(first)) = (self.searched, self.refused.first()) {
            match self.refused.len() {
                1 => bail!("{first}"),
                several => bail!("none of {several} recordings could be searched: {first}"),
            }
        }
        if let (Some(path), Some(style)) = (&self.args.output, style) {
            let written = output::whole_file(path, |file| Ok(crate::scenes::write(&self.scenes, style, file).map(|_| ())?));
            written.with_context(|| format!("the scenes were not written: {}", path.display()))?;
        }
        Ok(())
    }
}

/// Recordings that are opened while another is searched.
const AHEAD: usize = 2;
/// Losses of a recording that are told one by one.
const SHOWN: usize = 20;
