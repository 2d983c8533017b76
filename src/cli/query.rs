//! `roadreel query`: SQL over tables and topics.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::{Common, output};
use crate::lake::{Answer, Lake, LakeError, Rows, Style};
use crate::source::Location;

/// What the program itself takes, and of the rest a query's part: what it reads and writes is not counted there.
const OWN_BYTES: u64 = 96 << 20;
const MEMORY_SHARE: u64 = 2;
/// Of little memory a query gets this part all the same.
const LEAST_SHARE: u64 = 4;

#[derive(Args, Clone, Debug)]
pub struct QueryArgs {
    /// Reads tables that --table names, bag('LOC', '/topic'), lake('LOC'), or a location in quotes
    #[arg(value_name = "SQL")]
    pub sql: String,
    /// A table (a file, a folder or prefix, a Hudi or Delta table, a list of links) under a name; a recording's topics are
    /// NAME."/topic". Of a folder its tables are NAME.table, topics of the recordings in it NAME."/topic" (where there are several, of all of
    /// them, told apart by bag_file), and JSON, DynamoDB's too, NAME.file
    #[arg(long = "table", value_name = "NAME=LOC", value_parser = table)]
    pub tables: Vec<(String, String)>,
    /// The state of Hudi and Delta tables at a moment (20240418173213674, 2024-04-18 17:32:13) or version; a single table's:
    /// lake('LOC', 'T'), or NAME FOR SYSTEM_TIME AS OF 'T'
    #[arg(long, value_name = "T")]
    pub as_of: Option<String>,
    /// One JSON object a line
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// CSV with a head
    #[arg(long)]
    pub csv: bool,
    /// Write the result there: .parquet, .csv, .json or .arrow
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

fn table(text: &str) -> Result<(String, String), String> {
    let (name, place) = text.split_once('=').ok_or("give it as NAME=LOC")?;
    match (name.trim(), place.trim()) {
        ("", _) | (_, "") => Err("give it as NAME=LOC".into()),
        (name, _) => Ok((name.to_owned(), place.to_owned())),
    }
}

pub fn run(common: &Common, args: &QueryArgs) -> anyhow::Result<()> {
    let style = style(args)?;
    let io = common.io()?;
    let memory = common.memory_of_store();
    let share = (memory.saturating_sub(OWN_BYTES) / MEMORY_SHARE).max(memory / LEAST_SHARE);
    let lake = Lake::new(&io, share)?;
    let mut progress = output::Progress::new();
    for (number, (name, place)) in args.tables.iter().enumerate() {
        progress.at("opening tables", number as f64 / args.tables.len() as f64);
        lake.add(name, &Location::parse(place)?, args.as_of.as_deref())?;
    }
    progress.at("planning the query", 0.0);
    let mut answer = lake.query(&args.sql)?;
    progress.wipe();
    lake.losses().iter().for_each(|loss| output::loss(loss));
    let mut counted = Counted {
        rows: 0,
        progress: Some(progress),
    };
    match &args.output {
        Some(path) => {
            let written = output::whole_file(path, |file| write(&mut answer, style, file, &mut counted));
            written.with_context(|| format!("the result was not written: {}", path.display()))
        }
        None => {
            // rows tell on a terminal how far it is
            counted.progress = None;
            let written = write(&mut answer, style, &mut output::shared_results(), &mut counted);
            match written {
                Err(error) if matches!(error.downcast_ref(), Some(LakeError::ClosedPipe)) => Ok(()),
                other => other,
            }
        }
    }
}

/// How the result is written.
pub fn style(args: &QueryArgs) -> anyhow::Result<Style> {
    let by_name = args.output.as_ref().and_then(|path| Style::of(&path.to_string_lossy()));
    match (args.json, args.csv, &args.output) {
        (true, ..) => Ok(Style::Json),
        (_, true, _) => Ok(Style::Csv),
        (_, _, None) if std::io::stdout().is_terminal() => Ok(Style::Screen),
        (_, _, None) => Ok(Style::Text),
        (_, _, Some(path)) => by_name.with_context(|| {
            format!(
                "the name of a result tells how it is written: .parquet, .csv, .json or .arrow (or give --json or --csv): {}",
                path.display()
            )
        }),
    }
}

struct Counted {
    rows: u64,
    progress: Option<output::Progress>,
}

fn write(answer: &mut Answer, style: Style, out: &mut (impl Write + Send), counted: &mut Counted) -> anyhow::Result<()> {
    let schema = answer.schema().clone();
    let mut rows = Rows::new(style, &schema, &mut *out)?;
    for batch in answer {
        let batch = batch?;
        rows.write(&batch)?;
        counted.rows += batch.num_rows() as u64;
        if let Some(progress) = &mut counted.progress {
            progress.count("rows written", counted.rows);
        }
    }
    rows.finish()?;
    Ok(out.flush()?)
}
