//! A message as rows: what is open, long arrays in pages, bytes as hex, and what differs from another message.
//!
//! Invariant: the number of rows depends on what is open, not on the message's size (a closed array is one row).

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::decode::{Scalar, Value};
use crate::panel::widget;
use crate::path::{Bound, Expr, StepKind, parse_fields};

/// Elements of an array per page.
const PAGE: usize = 100;
/// Bytes per page of hex, and per row.
const HEX_PAGE: usize = 4096;
const HEX_ROW: usize = 16;
/// Arrays up to this length are written out in their row.
const INLINE: usize = 6;
/// Longer arrays get no range in their row.
const SUMMED_UP: usize = 65_536;

/// One line of the tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub depth: usize,
    /// From the message on: `pose.position.x`, `ranges[3]`.
    pub path: String,
    pub label: String,
    pub text: String,
    pub tone: Tone,
    /// None: nothing below it.
    pub open: Option<bool>,
    pub change: Change,
    /// One number: can be plotted.
    pub plottable: bool,
    /// Which of several values it is in.
    pub of: usize,
}

/// What a row's text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Number,
    Text,
    /// Types and counts, not values.
    Note,
    Hex,
}

/// How a row differs from the other message.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    Same,
    /// What is different, e.g. `+0.12`.
    Changed(String),
    Added,
    Removed,
    /// Something in the closed branch differs.
    Inside,
}

/// All rows of `value`, compared with `other` where there is one. `filter` keeps the fields whose path holds all its words.
pub fn rows(value: &Value, other: Option<&Value>, toggled: &BTreeSet<String>, filter: &str) -> Vec<Row> {
    let mut walk = Walk::new(("", false), other.is_some(), toggled, filter);
    match value {
        Value::Struct { .. } => walk.fields(value, other, "", 0),
        _ => walk.node("bytes", "", value, other, 0),
    }
    walk.filtered(filter)
}

/// As [`rows`], of what a path takes of a message: one value, or a list of any number.
pub fn rows_of(
    values: &[Value],
    (part, is_list): (&str, bool),
    other: Option<&[Value]>,
    toggled: &BTreeSet<String>,
    filter: &str,
) -> Vec<Row> {
    let mut walk = Walk::new((part, is_list), other.is_some(), toggled, filter);
    match (is_list, values) {
        (true, values) => {
            let other = other.map(|other| Value::Array(other.to_vec()));
            walk.elements(&Value::Array(values.to_vec()), other.as_ref(), "", 0);
        }
        (false, [value, ..]) => walk.node(part, part, value, other.and_then(<[Value]>::first), 0),
        (false, []) => {}
    }
    walk.filtered(filter)
}

/// The part of a message that a row's path names.
pub fn at_path(value: &Value, path: &str) -> Option<Value> {
    let Ok(Expr::Path(path)) = parse_fields(path) else { return None };
    path.steps.iter().try_fold(value.clone(), |at, step| match &step.kind {
        StepKind::Field(name) => at.child(name).cloned(),
        StepKind::Index(Bound::Number(n)) => {
            let from_end = at.array_len().unwrap_or(0).checked_sub(usize::try_from(n.unsigned_abs()).ok()?);
            at.element(if *n < 0 { from_end? } else { usize::try_from(*n).ok()? })
        }
        _ => None,
    })
}

/// The rows that fit, with the branches they are in.
fn filtered(rows: Vec<Row>, filter: &str) -> Vec<Row> {
    let mut keep = vec![false; rows.len()];
    for i in 0..rows.len() {
        let Some(row) = rows.get(i) else { continue };
        if !widget::matches_words(&row.path, filter) {
            continue;
        }
        let mut depth = row.depth + 1;
        for j in (0..=i).rev() {
            if rows.get(j).is_some_and(|r| r.depth < depth) {
                depth = rows.get(j).map_or(0, |r| r.depth);
                keep.get_mut(j).map(|k| *k = true).unwrap_or_default();
            }
            if depth == 0 {
                break;
            }
        }
    }
    rows.into_iter().zip(keep).filter_map(|(row, keep)| keep.then_some(row)).collect()
}

struct Walk<'a> {
    /// The path of what is shown: open to begin with, unless it is a list of several.
    part: &'a str,
    is_list: bool,
    /// Which of these is being shown.
    of: usize,
    toggled: &'a BTreeSet<String>,
    filtering: bool,
    comparing: bool,
    rows: Vec<Row>,
}

impl<'a> Walk<'a> {
    fn new((part, is_list): (&'a str, bool), comparing: bool, toggled: &'a BTreeSet<String>, filter: &str) -> Walk<'a> {
        Walk {
            part,
            is_list,
            of: 0,
            toggled,
            filtering: !filter.trim().is_empty(),
            comparing,
            rows: Vec::new(),
        }
    }

    fn filtered(self, filter: &str) -> Vec<Row> {
        if self.filtering { filtered(self.rows, filter) } else { self.rows }
    }

    fn fields(&mut self, value: &Value, other: Option<&Value>, path: &str, depth: usize) {
        for (name, child) in value.fields() {
            let path = if path.is_empty() {
                name.to_string()
            } else {
                format!("{path}.{name}")
            };
            self.node(name, &path, child, other.and_then(|o| o.child(name)), depth);
        }
        for (name, gone) in other
            .into_iter()
            .flat_map(Value::fields)
            .filter(|(name, _)| value.child(name).is_none())
        {
            self.push(depth, path, name, text_of(gone), None, Change::Removed, false);
        }
    }

    fn node(&mut self, label: &str, path: &str, value: &Value, other: Option<&Value>, depth: usize) {
        let branch = match value {
            Value::Struct { .. } => true,
            Value::Bytes(data) => !data.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Numbers { .. } => value.array_len().unwrap_or(0) > INLINE,
            _ => false,
        };
        let open = branch.then(|| self.is_open(path, value, depth));
        let change = self.change(value, other, open);
        self.push(depth, path, label, text_of(value), open, change, is_plottable(value));
        if open != Some(true) {
            return;
        }
        match value {
            Value::Struct { .. } => self.fields(value, other, path, depth + 1),
            Value::Bytes(data) => self.hex(data, other, path, depth + 1),
            _ => self.elements(value, other, path, depth + 1),
        }
    }

    fn is_open(&self, path: &str, value: &Value, depth: usize) -> bool {
        let structure = matches!(value, Value::Struct { .. });
        let by_default = structure && (depth < 2 || self.filtering) || path == self.part && !self.is_list;
        by_default != self.toggled.contains(path)
    }

    fn elements(&mut self, value: &Value, other: Option<&Value>, path: &str, depth: usize) {
        let len = value.array_len().unwrap_or(0);
        if len <= PAGE {
            self.page(value, other, path, depth, 0..len);
            return;
        }
        for from in (0..len).step_by(PAGE) {
            let to = (from + PAGE).min(len);
            let page_path = format!("{path}[{from}…{}]", to - 1);
            let open = self.toggled.contains(&page_path);
            let differs = self.comparing && !open && (from..to).any(|i| !alike(value.element(i), other.and_then(|o| o.element(i))));
            let change = if differs { Change::Inside } else { Change::Same };
            self.push(
                depth,
                &page_path,
                &format!("[{from}…{}]", to - 1),
                (String::new(), Tone::Note),
                Some(open),
                change,
                false,
            );
            if open {
                self.page(value, other, path, depth + 1, from..to);
            }
        }
    }

    fn page(&mut self, value: &Value, other: Option<&Value>, path: &str, depth: usize, range: std::ops::Range<usize>) {
        for index in range {
            if let Some(element) = value.element(index) {
                let before = other.and_then(|o| o.element(index));
                // one path leads to all of a list
                let path = if self.is_list && path.is_empty() {
                    self.of = index;
                    self.part.to_owned()
                } else {
                    format!("{path}[{index}]")
                };
                self.node(&format!("[{index}]"), &path, &element, before.as_ref(), depth);
            }
        }
    }

    fn hex(&mut self, data: &[u8], other: Option<&Value>, path: &str, depth: usize) {
        let before: &[u8] = match other {
            Some(Value::Bytes(before)) => before,
            _ => &[],
        };
        for (page, part) in data.chunks(HEX_PAGE).enumerate() {
            let from = page * HEX_PAGE;
            if data.len() <= HEX_PAGE {
                self.hex_rows(part, before, from, path, depth);
                continue;
            }
            let label = format!("{from:06x}…{:06x}", from + part.len() - 1);
            let page_path = format!("{path}#{from}");
            // of bytes that nothing decodes the first page is what one wants to see
            let open = (path.is_empty() && page == 0) != self.toggled.contains(&page_path);
            let differs = self.comparing && before.get(from..from + part.len()) != Some(part);
            let change = if differs { Change::Inside } else { Change::Same };
            self.push(
                depth,
                &page_path,
                &label,
                (format!("{} bytes", part.len()), Tone::Note),
                Some(open),
                change,
                false,
            );
            if open {
                self.hex_rows(part, before, from, path, depth + 1);
            }
        }
    }

    fn hex_rows(&mut self, part: &[u8], before: &[u8], from: usize, path: &str, depth: usize) {
        for (i, line) in part.chunks(HEX_ROW).enumerate() {
            let at = from + i * HEX_ROW;
            let differs = self.comparing && before.get(at..at + line.len()) != Some(line);
            let change = if differs { Change::Changed(String::new()) } else { Change::Same };
            self.push(
                depth,
                &format!("{path}#{at}"),
                &format!("{at:06x}"),
                (hex_line(line), Tone::Hex),
                None,
                change,
                false,
            );
        }
    }

    fn change(&self, value: &Value, other: Option<&Value>, open: Option<bool>) -> Change {
        if !self.comparing {
            return Change::Same;
        }
        let Some(other) = other else { return Change::Added };
        if same(value, other) {
            return Change::Same;
        }
        match (value, other, open) {
            (_, _, Some(true)) => Change::Same,
            (Value::Numbers { .. } | Value::Array(_) | Value::Bytes(_), _, _) => Change::Changed(array_difference(value, other)),
            (Value::Struct { .. }, _, _) => Change::Inside,
            _ => Change::Changed(difference(value, other)),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a row, all of them different")]
    fn push(&mut self, depth: usize, path: &str, label: &str, text: (String, Tone), open: Option<bool>, change: Change, plottable: bool) {
        self.rows.push(Row {
            depth,
            path: path.to_owned(),
            label: label.to_owned(),
            text: text.0,
            tone: text.1,
            open,
            change,
            plottable,
            of: self.of,
        });
    }
}

/// What is null here may be a number in other rows.
fn is_plottable(value: &Value) -> bool {
    value.as_f64().is_some() || *value == Value::Null
}

/// A value in one line.
fn text_of(value: &Value) -> (String, Tone) {
    match value {
        Value::String(s) => (format!("“{}”", s.escape_debug()), Tone::Text),
        Value::Null => (value.summary(), Tone::Note),
        Value::Bool(b) => (b.to_string(), Tone::Number),
        Value::Time { .. } | Value::Duration { .. } => (value.summary(), Tone::Number),
        Value::Struct { .. } => (String::new(), Tone::Note),
        Value::Bytes(data) => (format!("uint8[{}]", data.len()), Tone::Note),
        Value::Array(items) if items.iter().all(|i| matches!(i, Value::String(_))) && items.len() <= INLINE => {
            let texts: Vec<String> = items.iter().map(|i| text_of(i).0).collect();
            (format!("[{}]", texts.join(", ")), Tone::Text)
        }
        Value::Array(items) => (format!("[{}]", items.len()), Tone::Note),
        Value::Numbers { kind, data } => numbers_text(value, *kind, data.len()),
        number => (number.summary(), Tone::Number),
    }
}

fn numbers_text(value: &Value, kind: Scalar, bytes: usize) -> (String, Tone) {
    let len = value.array_len().unwrap_or(0);
    let short = |v: f64| widget::number_text(v, 9);
    if len == 0 {
        return (format!("{}[0]", kind.ros_name()), Tone::Note);
    }
    if len <= INLINE {
        let texts: Vec<String> = (0..len).filter_map(|i| value.element(i)).map(|v| v.summary()).collect();
        return (format!("[{}]", texts.join(", ")), Tone::Number);
    }
    let mut out = format!("{}[{len}]", kind.ros_name());
    if bytes <= SUMMED_UP * 8 {
        let numbers = value.numbers();
        let finite = numbers.iter().copied().filter(|v| v.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        if low < high {
            let _ = write!(out, "  {} … {}", short(low), short(high));
        } else if low == high {
            let _ = write!(out, "  all {}", short(low));
        }
    }
    (out, Tone::Note)
}

/// `00 01 …  text`
fn hex_line(line: &[u8]) -> String {
    let mut out = String::with_capacity(HEX_ROW * 4 + 4);
    for i in 0..HEX_ROW {
        if i == HEX_ROW / 2 {
            out.push(' ');
        }
        match line.get(i) {
            Some(byte) => {
                let _ = write!(out, "{byte:02x} ");
            }
            None => out.push_str("   "),
        }
    }
    out.push(' ');
    out.extend(
        line.iter()
            .map(|b| if b.is_ascii_graphic() || *b == b' ' { char::from(*b) } else { '·' }),
    );
    out
}

/// Equal to the bit; NaN equals NaN.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::F32(a), Value::F32(b)) => a.to_bits() == b.to_bits(),
        (Value::F64(a), Value::F64(b)) => a.to_bits() == b.to_bits(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Struct { names, values }, Value::Struct { names: n, values: v }) => {
            names == n && values.len() == v.len() && values.iter().zip(v).all(|(a, b)| same(a, b))
        }
        (a, b) => a == b,
    }
}

fn alike(a: Option<Value>, b: Option<Value>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => same(&a, &b),
        (a, b) => a.is_none() && b.is_none(),
    }
}

/// `+0.12` for numbers, what it was for the rest.
fn difference(value: &Value, other: &Value) -> String {
    if matches!(value, Value::Bool(_)) {
        return format!("was {}", other.summary());
    }
    match (value.as_f64(), other.as_f64()) {
        (Some(new), Some(old)) if (new - old).is_finite() => {
            let delta = new - old;
            let delta = if matches!(value, Value::F32(_)) {
                f64::from(delta as f32)
            } else {
                delta
            };
            format!("{}{}", if delta < 0.0 { "−" } else { "+" }, widget::number_text(delta.abs(), 10))
        }
        _ => format!("was {}", text_of(other).0),
    }
}

fn array_difference(value: &Value, other: &Value) -> String {
    let (len, before) = (value.array_len().unwrap_or(0), other.array_len().unwrap_or(0));
    if len != before {
        return format!("{}{} elements", if len < before { "−" } else { "+" }, len.abs_diff(before));
    }
    let differing = match (value, other) {
        (Value::Bytes(a), Value::Bytes(b)) => a.iter().zip(b.iter()).filter(|(a, b)| a != b).count(),
        _ if len > SUMMED_UP => return "different".into(),
        _ => (0..len).filter(|i| !alike(value.element(*i), other.element(*i))).count(),
    };
    format!("{differing} differ")
}
