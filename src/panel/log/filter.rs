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
}

/// Of a query: what is wrong with it, and where its search finds something in a line.
#[derive(Default)]
pub struct Shown {
    /// Of each expression that is wrong: what is wrong with it.
    pub errors: Vec<(String, String)>,
    search: Option<Regex>,
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
        }
    }

    /// Where in a text the search finds something, in bytes.
    pub fn found_in(&self, text: &str) -> Vec<std::ops::Range<usize>> {
        let found = self.search.iter().flat_map(|r| r.find_iter(text));
        found.map(|m| m.range()).filter(|r| !r.is_empty()).take(100).collect()
    }
}
