//! Where results, warnings and errors go.
//!
//! Invariant: stdout holds results only.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};
use std::path::Path;

use super::partial::Partial;
use crate::format::{Catalog, Warning};
use crate::source::without_secrets;

/// Results, buffered; flush it before the end.
pub fn results() -> BufWriter<StdoutLock<'static>> {
    BufWriter::with_capacity(256 << 10, io::stdout().lock())
}

/// The same for whoever hands it to other threads.
pub fn shared_results() -> BufWriter<io::Stdout> {
    BufWriter::with_capacity(256 << 10, io::stdout())
}

/// A line on stderr. That nobody reads it any more is no failure.
fn tell(line: &str) {
    let _ = writeln!(io::stderr(), "{}", without_queries(line));
}

/// A word is told up to its `?`: it may be a link that was typed in the wrong place, or wrongly.
fn without_queries(line: &str) -> String {
    let told = |word: &str| match word.split_once('?') {
        Some((before, query)) if !query.trim_end().is_empty() && !query.starts_with('…') => {
            let space = query.get(query.trim_end().len()..).unwrap_or_default();
            format!("{before}?…{space}")
        }
        _ => word.to_owned(),
    };
    line.split_inclusive(char::is_whitespace).map(told).collect()
}

/// `what: where`.
pub fn error(error: &anyhow::Error) {
    tell(&format!("roadreel: {error:#}"));
}

/// A command line that is not understood; what was typed may hold a link or a token.
pub fn usage(mut error: clap::Error) {
    use clap::error::{ContextKind, ContextValue};

    let is_header = matches!(error.get(ContextKind::InvalidArg), Some(ContextValue::String(arg)) if arg.starts_with("--header"));
    if is_header {
        error.insert(ContextKind::InvalidValue, ContextValue::String("…".into()));
    }
    tell(&without_secrets(error.render().to_string().trim_end()));
}

/// Something that was lost on the way, which did not stop the command.
pub fn warning(warning: &Warning) {
    tell(&format!("warning: {}: byte {}", warning.what, warning.offset));
}

/// The same of messages.
pub fn loss(text: &str) {
    tell(&format!("warning: {text}"));
}

/// At most this many warnings are written one by one.
const SHOWN: usize = 20;

/// A text of several lines, for people.
pub fn lines(text: &str) {
    text.lines().for_each(tell);
}

/// A sentence about what was asked for and could not be had.
pub fn note(text: &str) {
    tell(&format!("note: {text}"));
}

/// What of a recording was lost, and what lies beside it and is not in it.
pub fn losses(catalog: &Catalog) {
    warnings(&catalog.warnings);
    catalog.notes.iter().for_each(|what| note(what));
}

fn warnings(warnings: &[Warning]) {
    warnings.iter().take(SHOWN).for_each(warning);
    if warnings.len() > SHOWN {
        tell(&format!("warning: {} more like these", warnings.len() - SHOWN));
    }
}

/// Writes a file that is found under its name only when it is whole: what was there before stays until then. A device is written to
/// as it is.
pub fn whole_file<T>(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let is_device = std::fs::metadata(path).is_ok_and(|meta| !meta.is_file());
    let (partial, file) = match is_device {
        true => (None, File::create(path)?),
        false => Partial::create(path).map(|(partial, file)| (Some(partial), file))?,
    };
    let mut file = BufWriter::with_capacity(1 << 20, file);
    let told = write(&mut file)?;
    file.flush()?;
    drop(file);
    partial.map_or(Ok(()), Partial::place)?;
    Ok(told)
}

/// A line that tells how far it is, on a terminal only; the last one is wiped.
pub struct Progress {
    shown: bool,
    last_percent: u64,
}

impl Progress {
    pub fn new() -> Progress {
        Progress {
            shown: io::stderr().is_terminal(),
            last_percent: u64::MAX,
        }
    }

    pub fn at(&mut self, what: &str, fraction: f64) {
        let percent = (fraction * 100.0) as u64;
        if self.shown && percent != self.last_percent {
            self.last_percent = percent;
            let _ = write!(io::stderr(), "\r{what} {percent} %\x1b[K");
        }
    }

    /// Takes it away until there is more to tell.
    pub fn wipe(&mut self) {
        if self.shown && self.last_percent != u64::MAX {
            self.last_percent = u64::MAX;
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }

    /// So many so far, where nobody knows how many there will be; told for every few thousand.
    pub fn count(&mut self, what: &str, number: u64) {
        let thousands = number >> 12;
        if self.shown && thousands != self.last_percent {
            self.last_percent = thousands;
            let _ = write!(io::stderr(), "\r{number} {what}\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// `RUST_LOG` turns the program's own log on; a library's only where it is named (`hyper=debug`), without its secrets.
pub fn start_logging() {
    let asked = std::env::var("RUST_LOG").unwrap_or_default();
    let directives = asked.split(',').map(str::trim).filter(|d| !d.is_empty());
    let own = directives.map(|directive| match directive.parse::<tracing_subscriber::filter::LevelFilter>() {
        Ok(level) => format!("roadreel={level}"),
        Err(_) => directive.to_owned(),
    });
    let own: Vec<String> = own.chain(asked.is_empty().then(|| "roadreel=error".to_owned())).collect();
    let filter = tracing_subscriber::EnvFilter::builder()
        .with_default_directive(tracing_subscriber::filter::LevelFilter::OFF.into())
        .parse_lossy(own.join(","));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Scrubbed(io::stderr()))
        .try_init();
}

/// Takes secrets out of every event, each of which comes in one piece.
struct Scrubbed<W>(W);

impl<W: Write> Write for Scrubbed<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.0.write_all(without_secrets(&String::from_utf8_lossy(event)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Aligned columns under a head; `right` says which are flush right.
pub fn table<const N: usize>(
    out: &mut impl Write,
    head: [&str; N],
    right: [bool; N],
    rows: impl Iterator<Item = [String; N]>,
) -> io::Result<()> {
    let rows: Vec<[String; N]> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in &rows {
        let mut line = String::new();
        for ((cell, width), right) in row.iter().zip(widths).zip(right) {
            let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
            line.push_str(&if right {
                format!("{gap}{cell}  ")
            } else {
                format!("{cell}{gap}  ")
            });
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
