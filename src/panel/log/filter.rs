//! What of a log is shown: the stack of expressions, as a layout stores it and as the store is asked.

use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Config;
use crate::store::{LogQuery, expression};
use crate::time::{Span, Time};

/// One expression of the stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
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

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Lines must fit it (or another of this kind).
    #[default]
    In,
    /// Lines that fit it are left out.
    Out,
    /// What fits it stands out; no line is left out.
    Mark,
}

impl Mode {
    pub fn next(self) -> Mode {
        match self {
            Mode::In => Mode::Out,
            Mode::Out => Mode::Mark,
            Mode::Mark => Mode::In,
        }
    }
}

/// Of a query: what is wrong with it, and where its search finds something in a line.
#[derive(Default)]
pub struct Shown {
    /// Of each expression that is wrong: what is wrong with it.
    pub errors: Vec<(String, String)>,
    search: Option<Regex>,
    /// Each with its place in the stack.
    marks: Vec<(usize, Regex)>,
}

pub fn query(config: &Config, search: &str) -> LogQuery {
    let filters = &config.filters;
    let of = |mode: Mode| {
        let enabled = filters.iter().filter(move |f| f.enabled && f.mode == mode && !f.pattern.is_empty());
        enabled.map(|f| f.pattern.clone()).collect()
    };
    LogQuery {
        min_level: config.min_level,
        hidden_nodes: config.hidden_nodes.clone(),
        ins: of(Mode::In),
        outs: of(Mode::Out),
        within: (config.from_ns.is_some() || config.until_ns.is_some()).then(|| {
            let end = |ns: Option<i64>, otherwise: Time| ns.map_or(otherwise, Time);
            Span::new(end(config.from_ns, Time::MIN), end(config.until_ns, Time::MAX))
        }),
        search: search.to_owned(),
    }
}

impl Shown {
    pub fn new(query: &LogQuery) -> Shown {
        let patterns = query.ins.iter().chain(&query.outs);
        let search = (!query.search.is_empty()).then(|| expression(&query.search).or_else(|_| expression(&regex::escape(&query.search))));
        Shown {
            errors: patterns.filter_map(|p| Some((p.clone(), expression(p).err()?))).collect(),
            search: search.and_then(Result::ok),
            marks: Vec::new(),
        }
    }

    /// Takes what is to stand out, and what is wrong with it.
    pub fn mark(&mut self, filters: &[Filter]) {
        self.marks.clear();
        let marks = filters.iter().enumerate().filter(|(_, f)| f.enabled && f.mode == Mode::Mark);
        for (at, filter) in marks.filter(|(_, f)| !f.pattern.is_empty()) {
            match expression(&filter.pattern) {
                Ok(regex) => self.marks.push((at, regex)),
                Err(why) => self.errors.push((filter.pattern.clone(), why)),
            }
        }
    }

    /// Where in a text something stands out, in bytes, in order and apart; each with its filter's place in the stack.
    pub fn marked_in(&self, text: &str) -> Vec<(std::ops::Range<usize>, usize)> {
        let found = self
            .marks
            .iter()
            .flat_map(|(at, r)| r.find_iter(text).take(100).map(|m| (m.range(), *at)));
        let mut found: Vec<_> = found.filter(|(range, _)| !range.is_empty()).collect();
        found.sort_by_key(|(range, at)| (range.start, *at));
        let mut end = 0;
        found.retain(|(range, _)| {
            let is_apart = range.start >= end;
            end = if is_apart { range.end } else { end };
            is_apart
        });
        found
    }

    /// Where in a text the search finds something, in bytes.
    pub fn found_in(&self, text: &str) -> Vec<std::ops::Range<usize>> {
        let found = self.search.iter().flat_map(|r| r.find_iter(text));
        found.map(|m| m.range()).filter(|r| !r.is_empty()).take(100).collect()
    }
}
