//! Columns out of what lines say: the named groups of an expression.
//!
//! Invariant: only lines that are drawn or saved are looked at, and of each no more than its first few thousand bytes.

use regex::Regex;

use crate::store::expression;

const MOST_BYTES: usize = 4096;
const MOST_COLUMNS: usize = 12;

/// An expression whose named groups are columns.
#[derive(Clone, Default)]
pub struct Captured {
    pattern: String,
    regex: Option<Regex>,
    /// In the order of the groups.
    names: Vec<String>,
    pub error: Option<String>,
}

impl Captured {
    pub fn new(pattern: &str) -> Captured {
        let mut captured = Captured {
            pattern: pattern.to_owned(),
            ..Captured::default()
        };
        if pattern.is_empty() {
            return captured;
        }
        match expression(pattern) {
            Err(why) => captured.error = Some(why),
            Ok(regex) => {
                let names = regex.capture_names().flatten().take(MOST_COLUMNS);
                captured.names = names.map(str::to_owned).collect();
                if captured.names.is_empty() {
                    captured.error = Some("Name a group to make a column of it: (?<ms>\\d+) ms".to_owned());
                }
                captured.regex = Some(regex);
            }
        }
        captured
    }

    /// Takes another expression, unless it is this one.
    pub fn set(&mut self, pattern: &str) {
        if self.pattern != pattern {
            *self = Captured::new(pattern);
        }
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What each column holds of a line; nothing where the line does not fit.
    pub fn of<'a>(&self, text: &'a str) -> Vec<&'a str> {
        let end = text.floor_char_boundary(MOST_BYTES);
        let found = match (&self.regex, self.names.is_empty()) {
            (Some(regex), false) => regex.captures(text.get(..end).unwrap_or_default()),
            _ => None,
        };
        let value = |name: &String| found.as_ref().and_then(|f| f.name(name)).map_or("", |m| m.as_str());
        self.names.iter().map(value).collect()
    }
}

/// An expression with a column for each number of a line.
pub fn pattern_of_numbers(text: &str) -> Option<String> {
    let number = Regex::new(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?").ok()?;
    let first = text.lines().next().unwrap_or_default();
    let mut pattern = String::from("^");
    let mut at = 0;
    for (index, found) in number.find_iter(first).take(MOST_COLUMNS).enumerate() {
        pattern.push_str(&regex::escape(first.get(at..found.start())?));
        pattern.push_str(&format!(r"(?<n{}>[-+]?[\d.]+(?:[eE][-+]?\d+)?)", index + 1));
        at = found.end();
    }
    (at > 0).then_some(pattern)
}
