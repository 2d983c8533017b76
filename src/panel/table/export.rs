//! A table as comma-separated values, made a few rows a frame.
//!
//! Invariant: every leaf of a shown column is a column; exact numbers, not those on the screen.

use std::fmt::Write as _;

use super::cells::{self, Cell};
use super::rows::{Body, Place};
use crate::path::Select;

const ROWS_A_FRAME: usize = 2000;

pub struct Export {
    rows: Vec<Place>,
    done: usize,
    /// Empty until the first row told them.
    heads: Vec<String>,
    text: String,
    with_time: bool,
}

impl Export {
    pub fn new(rows: &[Place], with_time: bool) -> Export {
        Export {
            rows: rows.to_vec(),
            done: 0,
            heads: Vec::new(),
            text: String::new(),
            with_time,
        }
    }

    /// Returns the whole once it is made.
    pub fn work(&mut self, body: &mut Body, select: &Select, columns: &[Cell]) -> Option<String> {
        let until = (self.done + ROWS_A_FRAME).min(self.rows.len());
        for place in self.rows.get(self.done..until).unwrap_or_default() {
            let Some(row) = body.value(select, *place) else { continue };
            let mut leaves = Vec::new();
            for cell in columns {
                if let Some(value) = cells::at(&row, &cell.path) {
                    cells::leaves(value, &cell.path, &mut leaves);
                }
            }
            if self.text.is_empty() {
                self.heads = leaves.iter().map(|l| l.0.clone()).collect();
                let time = self.with_time.then(|| "time_ns".to_owned());
                let heads = time
                    .into_iter()
                    .chain(self.heads.iter().map(|h| if h.is_empty() { "value".into() } else { h.clone() }));
                line(&mut self.text, heads);
            }
            let time = self.with_time.then(|| place.time.0.to_string());
            let values = self
                .heads
                .iter()
                .map(|head| leaves.iter().find(|l| l.0 == *head).map_or("", |l| &l.1).to_owned());
            line(&mut self.text, time.into_iter().chain(values));
        }
        self.done = until;
        (self.done == self.rows.len()).then(|| std::mem::take(&mut self.text))
    }

    pub fn done_fraction(&self) -> f32 {
        self.done as f32 / self.rows.len().max(1) as f32
    }
}

fn line(out: &mut String, fields: impl Iterator<Item = String>) {
    for (at, field) in fields.enumerate() {
        if at > 0 {
            out.push(',');
        }
        if field.contains([',', '"', '\n', '\r']) {
            let _ = write!(out, "\"{}\"", field.replace('"', "\"\""));
        } else {
            out.push_str(&field);
        }
    }
    out.push('\n');
}
