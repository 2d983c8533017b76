//! What lies at a location and is none of its topics: sentences that say so.

use std::collections::BTreeSet;

use super::{MOST_JSON, Table, TableFile};
use crate::format::table::BAG_FILE;
use crate::format::table::documents::names;
use crate::format::table::scenes::are_of_scenes;
use crate::source::{Found, Net, Reader, record_of};

/// What is said of scenes where topics are told.
pub const SCENES_ELSEWHERE: &str = "scenes, which are no topic: the window shows them as lanes, `roadreel scenes` lists them";

/// Takes out the JSON that is scenes, by its first bytes; sentences say where they are to be seen.
pub(super) async fn take_scenes(json: &mut Vec<Found>, net: &Net) -> Vec<String> {
    let mut told = Vec::new();
    // a picture's detections are a file each
    if json.len() > MOST_JSON {
        return told;
    }
    for found in std::mem::take(json) {
        let reader = Reader::open(found.location.clone(), net).await;
        let names = reader.map_or_else(|_| Vec::new(), |reader| names(reader.head()));
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        match are_of_scenes(&names) {
            true => told.push(format!("{}: {SCENES_ELSEWHERE}", found.path)),
            false => json.push(found),
        }
    }
    told
}

/// Where some files are of a recording that is open, those of others are not opened; a sentence says so.
pub(super) fn leave_out_others(tables: &mut Vec<Table>, beside: &[String]) -> Option<String> {
    let bag = |file: &TableFile| -> Option<String> {
        let (_, value) = file.partitions.iter().find(|(name, _)| name == BAG_FILE)?;
        let name = value.as_deref()?.trim_end_matches('/');
        Some(record_of(name.rsplit('/').next().unwrap_or(name)).to_owned())
    };
    let is_open = |file: &TableFile| bag(file).is_some_and(|bag| beside.contains(&bag));
    if !tables.iter().flat_map(|table| &table.files).any(is_open) {
        return None;
    }
    let mut others = BTreeSet::new();
    for table in tables.iter_mut() {
        table.files.retain(|file| {
            let is_kept = bag(file).is_none() || is_open(file);
            others.extend(bag(file).filter(|_| !is_kept));
            is_kept
        });
    }
    tables.retain(|table| !table.files.is_empty());
    let first = others.first()?;
    let told = match others.len() {
        1 => format!("of {first}, which is"),
        count => format!("of {count} other recordings ({first}, …), which are"),
    };
    Some(format!(
        "rows {told} not open beside it, are left out: open the table alone to see them"
    ))
}
