//! What of a log is shown: level, nodes, expressions that lines must or must not fit, and what is searched for.
//!
//! Invariant: an expression that cannot be compiled filters nothing and says why.

use std::collections::BTreeSet;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::decode::{LogLevel, LogRow};

/// One expression of the stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Filter {
    pub pattern: String,
    pub mode: Mode,
    pub enabled: bool,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Default for Filter {
    fn default() -> Filter {
        Filter {
            pattern: String::new(),
            mode: Mode::In,
            enabled: true,
            extra: Map::new(),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Lines must fit it (or another of this kind).
    #[default]
    In,
    /// Lines that fit it are left out.
    Out,
}

/// What lines are held against.
#[derive(Default)]
pub struct Compiled {
    pub min_level: LogLevel,
    pub hidden_nodes: BTreeSet<String>,
    ins: Vec<Regex>,
    outs: Vec<Regex>,
    search: Option<Regex>,
    /// Of each expression that is wrong: what is wrong with it.
    pub errors: Vec<(String, String)>,
}

impl Compiled {
    pub fn new(min_level: LogLevel, hidden_nodes: BTreeSet<String>, filters: &[Filter], search: &str) -> Compiled {
        let mut compiled = Compiled {
            min_level,
            hidden_nodes,
            ..Compiled::default()
        };
        for filter in filters.iter().filter(|f| f.enabled && !f.pattern.is_empty()) {
            match expression(&filter.pattern) {
                Ok(regex) if filter.mode == Mode::In => compiled.ins.push(regex),
                Ok(regex) => compiled.outs.push(regex),
                Err(why) => compiled.errors.push((filter.pattern.clone(), why)),
            }
        }
        if !search.is_empty() {
            // what is no expression is searched for as it stands
            let regex = expression(search).or_else(|_| expression(&regex::escape(search)));
            compiled.search = regex.ok();
        }
        compiled
    }

    pub fn passes(&self, row: &LogRow) -> bool {
        row.level >= self.min_level
            && (self.hidden_nodes.is_empty() || !self.hidden_nodes.contains(&**row.node))
            && (self.ins.is_empty() || self.ins.iter().any(|r| fits(r, row)))
            && !self.outs.iter().any(|r| fits(r, row))
    }

    pub fn finds(&self, row: &LogRow) -> bool {
        self.search.as_ref().is_some_and(|r| fits(r, row))
    }

    /// Where in a text the search finds something, in bytes.
    pub fn found_in(&self, text: &str) -> Vec<std::ops::Range<usize>> {
        let found = self.search.iter().flat_map(|r| r.find_iter(text));
        found.map(|m| m.range()).filter(|r| !r.is_empty()).take(100).collect()
    }
}

/// The text or the node.
fn fits(regex: &Regex, row: &LogRow) -> bool {
    regex.is_match(row.text) || regex.is_match(row.node)
}

/// Capital letters make the case count.
fn expression(pattern: &str) -> Result<Regex, String> {
    let any_case = !pattern.chars().any(char::is_uppercase);
    RegexBuilder::new(pattern)
        .case_insensitive(any_case)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "the expression is too large".to_owned(),
            error => error
                .to_string()
                .lines()
                .last()
                .unwrap_or("it cannot be compiled")
                .trim()
                .to_owned(),
        })
}
