//! `roadreel ls`: buckets, folders and objects of S3, page by page as they come.
//!
//! Invariant: what was written is not kept, so that memory does not grow with the bucket.

use std::io::Write;

use serde::Serialize;

use super::{Common, LsArgs, output};
use crate::source::{Entry, EntryKind, Page, S3Address};
use crate::text::format_bytes;
use crate::time::{Time, format_utc};

pub fn run(common: &Common, args: &LsArgs) -> anyhow::Result<()> {
    let place = match S3Address::parse(&args.place) {
        Some(place) => place?,
        None => anyhow::bail!("only S3 is listed: give s3:// or s3://bucket/prefix/: {}", args.place),
    };
    let io = common.io()?;
    let mut out = output::results();
    let (mut listed, mut shown) = (0, 0);
    let mut after = None;
    loop {
        let page: Page = io.list(&place, after.as_deref(), !args.recursive)?;
        listed += page.entries.len();
        for entry in page.entries.iter().filter(|e| args.filter.as_deref().is_none_or(|f| e.is_named(f))) {
            shown += 1;
            match args.json {
                true => {
                    serde_json::to_writer(&mut out, &Line::of(entry)).map_err(std::io::Error::from)?;
                    writeln!(out)?;
                }
                false => writeln!(out, "{}", row(entry, &place, args.recursive))?,
            }
            if args.limit.is_some_and(|limit| shown >= limit) {
                return Ok(out.flush()?);
            }
        }
        // each page at once: the next one may take its time
        out.flush()?;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    if listed == 0 {
        output::note(&format!("nothing lies there: {place}"));
    }
    Ok(())
}

/// When it was written, its size, its name; of a folder its name alone.
fn row(entry: &Entry, place: &S3Address, recursive: bool) -> String {
    let name = match recursive {
        true => entry.address.key.strip_prefix(&place.key).unwrap_or(&entry.address.key),
        false => entry.name(),
    };
    let line = match &entry.kind {
        EntryKind::Bucket { created } => format!("{:19}  {name}", date(*created)),
        EntryKind::Prefix => format!("{:19}  {:>8}  {name}", "", "folder"),
        EntryKind::Object {
            size,
            modified,
            storage_class,
            ..
        } => {
            let class = storage_class.as_deref().map(|c| format!("  {c}")).unwrap_or_default();
            format!("{:19}  {:>8}  {name}{class}", date(*modified), format_bytes(*size))
        }
    };
    line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn date(time: Option<Time>) -> String {
    time.map(|t| format_utc(t).chars().take(19).collect()).unwrap_or_default()
}

/// One entry of `--json`.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Line<'a> {
    Bucket {
        location: String,
        created_ns: Option<i64>,
    },
    Folder {
        location: String,
    },
    Object {
        location: String,
        size: u64,
        modified_ns: Option<i64>,
        etag: Option<&'a str>,
        storage_class: Option<&'a str>,
    },
}

impl Line<'_> {
    fn of(entry: &Entry) -> Line<'_> {
        let location = entry.address.to_string();
        match &entry.kind {
            EntryKind::Bucket { created } => Line::Bucket {
                location,
                created_ns: created.map(Time::nanos),
            },
            EntryKind::Prefix => Line::Folder { location },
            EntryKind::Object {
                size,
                modified,
                etag,
                storage_class,
            } => Line::Object {
                location,
                size: *size,
                modified_ns: modified.map(Time::nanos),
                etag: etag.as_deref(),
                storage_class: storage_class.as_deref(),
            },
        }
    }
}
