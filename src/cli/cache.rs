//! `roadreel cache`: what is kept of remote recordings, and where; `cache clear` deletes it.

use std::io::Write;

use anyhow::Context;

use super::{CacheAction, CacheCommand, Common, output};
use crate::source::Cache;
use crate::text;

pub fn run(common: &Common, args: &CacheCommand) -> anyhow::Result<()> {
    let folder = common
        .cache
        .folder()
        .context("this platform names no folder for caches: name one with --cache-dir")?;
    let at = || folder.display().to_string();
    let clears = matches!(args.action, Some(CacheAction::Clear));
    let was = match clears {
        true => Cache::clear(&folder).with_context(|| format!("the cache cannot be deleted: {}", at()))?,
        false => Cache::used(&folder).with_context(|| format!("the cache cannot be read: {}", at()))?,
    };
    let mut out = output::results();
    if args.json {
        let json = serde_json::json!({
            "folder": folder,
            "bytes": if clears { 0 } else { was.bytes },
            "objects": if clears { 0 } else { was.objects },
            "deleted_bytes": if clears { was.bytes } else { 0 },
            "limit_bytes": common.cache.cache_size.0,
        });
        writeln!(out, "{json}")?;
    } else if clears {
        writeln!(
            out,
            "deleted {} of {}: {}",
            text::format_bytes(was.bytes),
            objects(was.objects),
            at()
        )?;
    } else {
        let limit = text::format_bytes(common.cache.cache_size.0);
        writeln!(
            out,
            "{} of {}, at most {limit}: {}",
            text::format_bytes(was.bytes),
            objects(was.objects),
            at()
        )?;
    }
    Ok(out.flush()?)
}

fn objects(count: u64) -> String {
    format!("{} {}", count, if count == 1 { "recording" } else { "recordings" })
}
