//! `roadreel cache`: what is kept of remote recordings, and where; `pin` keeps a span until `unpin`, `clear` deletes it all.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};

use super::{Common, output};
use crate::source::{Cache, CacheUse, Location, Pin};
use crate::text;
use crate::time::{Span, When, format_duration, format_utc};

#[derive(Args, Clone, Debug)]
pub struct CacheCommand {
    #[command(subcommand)]
    pub action: Option<CacheAction>,
    /// One JSON object
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Subcommand, Clone, Debug)]
pub enum CacheAction {
    /// Fetches a span of a recording, or a scene, and keeps it for use without a network
    Pin(PinArgs),
    /// Lets go what was pinned: of one recording, or all
    Unpin {
        #[arg(value_name = "LOC")]
        location: Option<String>,
    },
    /// Deletes what is kept, pinned or not
    Clear,
}

#[derive(Args, Clone, Debug)]
pub struct PinArgs {
    #[arg(value_name = "LOC", required_unless_present = "record")]
    pub location: Option<String>,
    /// From this time on
    #[arg(long, value_name = "T", value_parser = When::parse)]
    pub start: Option<When>,
    /// Up to this time
    #[arg(long, value_name = "T", value_parser = When::parse)]
    pub end: Option<When>,
}

pub fn run(common: &Common, args: &CacheCommand) -> anyhow::Result<()> {
    let folder = common
        .cache
        .folder()
        .context("this platform names no folder for caches: name one with --cache-dir")?;
    match &args.action {
        None => show(common, &folder, args.json),
        Some(CacheAction::Pin(pin)) => run_pin(common, pin, args.json),
        Some(CacheAction::Unpin { location }) => unpin(&folder, location.as_deref(), args.json),
        Some(CacheAction::Clear) => clear(common, &folder, args.json),
    }
}

fn show(common: &Common, folder: &Path, is_json: bool) -> anyhow::Result<()> {
    let used = Cache::used(folder).with_context(|| format!("the cache cannot be read: {}", folder.display()))?;
    let pins = Cache::pins(folder);
    if is_json {
        return print(json(common, folder, used, CacheUse::default(), &pins));
    }
    let limit = text::format_bytes(common.cache.cache_size.0);
    let mut out = output::results();
    writeln!(
        out,
        "{} of {}, at most {limit}: {}",
        text::format_bytes(used.bytes),
        objects(used.objects),
        folder.display()
    )?;
    if !pins.is_empty() {
        writeln!(out)?;
        output::table(
            &mut out,
            ["kept offline", "from (UTC)", "length", "size"],
            [false, false, true, true],
            pins.iter().map(row),
        )?;
    }
    Ok(out.flush()?)
}

fn row(pin: &Pin) -> [String; 4] {
    let span = pin.span();
    let size = text::format_bytes(pin.bytes());
    [
        pin.location.clone(),
        format_utc(span.start),
        format_duration(span.nanos()),
        if pin.is_complete { size } else { format!("{size}, broken off") },
    ]
}

fn run_pin(common: &Common, args: &PinArgs, is_json: bool) -> anyhow::Result<()> {
    let mut progress = output::Progress::new();
    let (io, location, scene) = target(common, args.location.as_deref())?;
    let span = |whole: Span| {
        let start = args
            .start
            .map(|when| when.at(whole))
            .or(scene.map(|s| s.start))
            .unwrap_or(whole.start);
        let end = args.end.map(|when| when.at(whole)).or(scene.map(|s| s.end)).unwrap_or(whole.end);
        Span::new(start, end.max(start))
    };
    let pin = io.keep(location, span, |told| {
        progress.at("fetching", told.done_bytes as f64 / told.total_bytes.max(1) as f64);
    });
    drop(progress);
    let pin = pin?;
    match is_json {
        true => print(pin_json(&pin)),
        false => {
            let [location, from, length, size] = row(&pin);
            let mut out = output::results();
            writeln!(out, "kept offline: {length} from {from} UTC, {size}: {location}")?;
            Ok(out.flush()?)
        }
    }
}

/// A location, or a scene by its ids.
fn target(common: &Common, text: Option<&str>) -> anyhow::Result<(crate::run::Io, Location, Option<Span>)> {
    if let Some(text) = text {
        return Ok((common.io()?, Location::parse(text)?, None));
    }
    let (Some(record), Some(scene)) = (&common.scenes.record, &common.scenes.scene) else {
        bail!("name a recording, or --record and --scene");
    };
    let deployment = common.remote.deployment()?;
    let io = common.io_in(deployment.region.as_deref())?;
    let found = io.find_scene(&common.scenes.table(&deployment), record, scene)?;
    let span = found
        .scene
        .start
        .map(|start| Span::new(start, found.scene.end.unwrap_or(start).max(start)));
    Ok((io, found.location, span))
}

fn unpin(folder: &Path, location: Option<&str>, is_json: bool) -> anyhow::Result<()> {
    let named = location
        .map(Location::parse)
        .transpose()?
        .map(|location| bare(&location.to_string()));
    let mut pins = Cache::pins(folder);
    pins.retain(|pin| named.as_ref().is_none_or(|named| *named == bare(&pin.location)));
    if let (Some(location), true) = (&named, pins.is_empty()) {
        bail!("nothing of it is kept offline (`roadreel cache` shows what is): {location}");
    }
    for pin in &pins {
        Cache::unpin(folder, pin).with_context(|| format!("it cannot be let go: {}", pin.location))?;
    }
    if is_json {
        return print(serde_json::Value::Array(pins.iter().map(pin_json).collect()));
    }
    let mut out = output::results();
    for pin in &pins {
        let [location, from, length, _] = row(pin);
        writeln!(out, "let go: {length} from {from} UTC: {location}")?;
    }
    Ok(out.flush()?)
}

/// The next link to the same place has another query, or none.
fn bare(location: &str) -> String {
    location.trim_end_matches("?…").to_owned()
}

fn clear(common: &Common, folder: &Path, is_json: bool) -> anyhow::Result<()> {
    let was = Cache::clear(folder).with_context(|| format!("the cache cannot be deleted: {}", folder.display()))?;
    if is_json {
        return print(json(common, folder, CacheUse::default(), was, &[]));
    }
    let mut out = output::results();
    writeln!(
        out,
        "deleted {} of {}: {}",
        text::format_bytes(was.bytes),
        objects(was.objects),
        folder.display()
    )?;
    Ok(out.flush()?)
}

fn json(common: &Common, folder: &Path, is: CacheUse, was: CacheUse, pins: &[Pin]) -> serde_json::Value {
    serde_json::json!({
        "folder": folder,
        "bytes": is.bytes,
        "objects": is.objects,
        "deleted_bytes": was.bytes,
        "limit_bytes": common.cache.cache_size.0,
        "pinned": pins.iter().map(pin_json).collect::<Vec<_>>(),
    })
}

fn pin_json(pin: &Pin) -> serde_json::Value {
    serde_json::json!({
        "location": pin.location,
        "start_ns": pin.span().start.nanos(),
        "end_ns": pin.span().end.nanos(),
        "bytes": pin.bytes(),
        "complete": pin.is_complete,
    })
}

fn print(json: serde_json::Value) -> anyhow::Result<()> {
    let mut out = output::results();
    writeln!(out, "{json}")?;
    Ok(out.flush()?)
}

fn objects(count: u64) -> String {
    format!("{} {}", count, if count == 1 { "recording" } else { "recordings" })
}
