//! The words of SQL for an editor: which part of a text is what, and which functions there are.
//!
//! Invariant: the parts of a text, in their order, are the text, whatever it holds.

use std::ops::Range;
use std::sync::LazyLock;

use datafusion::execution::SessionStateDefaults;

/// What a part of a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Keyword,
    /// A name without quotes.
    Name,
    /// `"/imu_raw"`.
    Quoted,
    /// `'text'`.
    Text,
    Number,
    Comment,
    /// Spaces, operators, brackets.
    Other,
}

/// Words that stand for no name, as they are proposed.
pub const KEYWORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP BY",
    "ORDER BY",
    "LIMIT",
    "JOIN",
    "LEFT JOIN",
    "ON",
    "USING",
    "AS",
    "AND",
    "OR",
    "NOT",
    "IN",
    "IS",
    "NULL",
    "BETWEEN",
    "LIKE",
    "ILIKE",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "DISTINCT",
    "HAVING",
    "UNION ALL",
    "WITH",
    "OVER",
    "PARTITION BY",
    "ROWS",
    "RANGE",
    "PRECEDING",
    "FOLLOWING",
    "CURRENT ROW",
    "UNBOUNDED",
    "DESC",
    "ASC",
    "NULLS LAST",
    "NULLS FIRST",
    "INTERVAL",
    "CAST",
    "TRUE",
    "FALSE",
    "EXISTS",
    "EXPLAIN",
    "VALUES",
    "OFFSET",
    "EXCEPT",
    "INTERSECT",
    "INNER",
    "FULL",
    "CROSS",
    "OUTER",
    "RIGHT",
    "QUALIFY",
    "FILTER",
    "TIMESTAMP",
    "DATE",
    "SHOW",
    "TABLES",
    "FOR",
    "SYSTEM_TIME",
    "OF",
];

/// The parts of a text.
pub fn parts(sql: &str) -> Vec<(Range<usize>, Part)> {
    let mut out: Vec<(Range<usize>, Part)> = Vec::new();
    let mut at = 0;
    while let Some(rest) = sql.get(at..).filter(|rest| !rest.is_empty()) {
        let (length, part) = next(rest);
        match out.last_mut() {
            Some((last, Part::Other)) if part == Part::Other => last.end += length,
            _ => out.push((at..at + length, part)),
        }
        at += length;
    }
    out
}

/// How long the first part is, at least one character, and what it is.
fn next(rest: &str) -> (usize, Part) {
    let first = rest.chars().next().unwrap_or(' ');
    let until = |is_end: &dyn Fn(char) -> bool| rest.find(is_end).unwrap_or(rest.len());
    match first {
        '-' if rest.starts_with("--") => (until(&|c| c == '\n'), Part::Comment),
        '/' if rest.starts_with("/*") => (rest.find("*/").map_or(rest.len(), |end| end + 2), Part::Comment),
        '\'' => (quoted(rest, '\''), Part::Text),
        '"' => (quoted(rest, '"'), Part::Quoted),
        c if c.is_alphabetic() || c == '_' => {
            let length = until(&|c| !(c.is_alphanumeric() || c == '_'));
            let word = rest.get(..length).unwrap_or_default();
            let is_keyword = KEYWORDS
                .iter()
                .any(|known| known.split(' ').any(|known| known.eq_ignore_ascii_case(word)));
            (length, if is_keyword { Part::Keyword } else { Part::Name })
        }
        c if c.is_ascii_digit() => (until(&|c| !(c.is_alphanumeric() || c == '.')), Part::Number),
        c => (c.len_utf8(), Part::Other),
    }
}

/// Up to the closing quote; one that is doubled does not close.
fn quoted(rest: &str, quote: char) -> usize {
    let mut at = quote.len_utf8();
    while let Some(found) = rest.get(at..).and_then(|rest| rest.find(quote)) {
        at += found + quote.len_utf8();
        match rest.get(at..).is_some_and(|rest| rest.starts_with(quote)) {
            true => at += quote.len_utf8(),
            false => return at,
        }
    }
    rest.len()
}

/// Names of all functions, sorted, with what they are of: a value, many rows, a window.
pub fn functions() -> &'static [(String, &'static str)] {
    static FUNCTIONS: LazyLock<Vec<(String, &'static str)>> = LazyLock::new(|| {
        let scalar = SessionStateDefaults::default_scalar_functions();
        let aggregate = SessionStateDefaults::default_aggregate_functions();
        let window = SessionStateDefaults::default_window_functions();
        let mut all: Vec<(String, &'static str)> = scalar.iter().map(|f| (f.name().to_owned(), "of a value")).collect();
        all.extend(aggregate.iter().map(|f| (f.name().to_owned(), "of many rows")));
        all.extend(window.iter().map(|f| (f.name().to_owned(), "over a window")));
        all.push(("bag".into(), "bag('LOC', '/topic')"));
        all.push(("lake".into(), "lake('LOC')"));
        all.sort();
        all.dedup_by(|a, b| a.0 == b.0);
        all
    });
    &FUNCTIONS
}
