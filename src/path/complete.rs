//! What can be written next: topics, fields with their types, constants, functions, variables.
//!
//! Invariant: what is proposed, put in its place, parses as far as it goes.

use std::ops::Range;

use super::ast::{Expr, Path, Spot, Style};
use super::column::{Column, Compiler};
use super::functions::{FUNCTIONS, Function, Kind as FunctionKind, Part};
use super::place::{Place, constant_names, type_text};
use super::program::{TopicSchema, Variables, bind};
use super::{parse, parse_fields, topic_text};
use crate::decode::{Array, Kind, Plan, Schema};

/// At most so many are proposed.
const MOST: usize = 200;
const MOST_LEAVES: usize = 1000;
const MOST_STRUCTURES: usize = 4 * MOST_LEAVES;

#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// What it replaces, in bytes of the text.
    pub replaces: Range<usize>,
    pub text: String,
    /// The type of a field or a topic, what a function gives.
    pub what: String,
    /// Whether more can follow: a topic, a structure, an array.
    pub goes_on: bool,
}

/// What fits at `cursor` (a byte position of `text`), the best first.
pub fn complete(text: &str, cursor: usize, topics: &[TopicSchema], variables: &Variables) -> Vec<Completion> {
    let Some(head) = text.get(..cursor) else { return Vec::new() };
    let mut proposals = Proposals {
        typed: String::new(),
        replaces: cursor..cursor,
        found: Vec::new(),
    };
    if let Some(at) = head.rfind('$').filter(|at| is_word(head, at + 1)) {
        proposals.begin(head, at + 1);
        for (name, value) in variables {
            proposals.add(name, value.to_string(), false);
        }
        return proposals.sorted();
    }
    let start = start_of_path(head);
    let path = head.get(start..).unwrap_or_default();
    let function = path
        .rfind(".@")
        .filter(|at| path.get(at + 2..).is_some_and(|word| word.split('.').all(|part| is_word(part, 0))));
    if let Some(at) = function {
        proposals.begin(head, start + at + 2);
        functions(path.get(..at).unwrap_or_default(), topics, variables, &mut proposals);
        return proposals.sorted();
    }
    match open_filter(path) {
        Some(at) => in_filter(head, start, at, topics, variables, &mut proposals),
        None => in_path(head, start, topics, variables, &mut proposals),
    }
    proposals.sorted()
}

/// A part of a message that is not made of others.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaf {
    /// From the message's fields on; all elements of arrays: `objects[:].id`.
    pub path: String,
    pub type_name: String,
    /// A number, a truth value or a time, or several of them.
    pub is_number: bool,
}

/// All parts of a message, in the order of the definition, at most 1,000.
pub fn leaves(schema: &Schema) -> Vec<Leaf> {
    let (mut found, mut structures) = (Vec::new(), MOST_STRUCTURES);
    leaves_of(schema.plan(), schema.plan().root, "", &mut structures, &mut found);
    found
}

/// `structures`: how many may still be looked into, since they may hold nothing.
fn leaves_of(plan: &Plan, id: usize, prefix: &str, structures: &mut usize, found: &mut Vec<Leaf>) {
    let (Ok(of), Some(left)) = (plan.get(id), structures.checked_sub(1)) else {
        return;
    };
    *structures = left;
    for field in &of.fields {
        if found.len() >= MOST_LEAVES {
            return;
        }
        let all = if field.array == Array::One { "" } else { "[:]" };
        let path = format!("{prefix}{}{all}", field.name);
        match field.kind {
            Kind::Struct(inner) => leaves_of(plan, inner, &format!("{path}."), structures, found),
            kind => found.push(Leaf {
                path,
                type_name: type_text(plan, kind, field.array),
                is_number: kind != Kind::String,
            }),
        }
    }
}

struct Proposals {
    typed: String,
    replaces: Range<usize>,
    found: Vec<(u8, Completion)>,
}

impl Proposals {
    fn begin(&mut self, head: &str, at: usize) {
        self.typed = head.get(at..).unwrap_or_default().to_lowercase();
        self.replaces.start = at;
    }

    fn add(&mut self, text: &str, what: String, goes_on: bool) {
        let lower = text.to_lowercase();
        let last = lower.rsplit('/').next().unwrap_or(&lower);
        let typed = self.typed.trim_start_matches('"');
        let rank = if lower.trim_start_matches('"').starts_with(typed) {
            0
        } else if last.starts_with(typed) {
            1
        } else if lower.contains(typed) {
            2
        } else {
            return;
        };
        let completion = Completion {
            replaces: self.replaces.clone(),
            text: text.to_owned(),
            what,
            goes_on,
        };
        self.found.push((rank, completion));
    }

    fn sorted(mut self) -> Vec<Completion> {
        self.found.sort_by_key(|(rank, _)| *rank);
        self.found.truncate(MOST);
        self.found.into_iter().map(|(_, c)| c).collect()
    }
}

fn is_word(text: &str, from: usize) -> bool {
    text.get(from..).is_some_and(|t| t.chars().all(|c| c.is_alphanumeric() || c == '_'))
}

/// Where the path that the text ends in begins: behind the last space, bracket or comma outside of filters, slices and quotes.
fn start_of_path(head: &str) -> usize {
    let (mut start, mut depth, mut quote) = (0, 0_usize, None);
    let mut escaped = false;
    for (i, c) in head.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(mark), c) if c == mark => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '{' | '[') => depth += 1,
            (None, '}' | ']') => depth = depth.saturating_sub(1),
            (None, ' ' | '(' | ',' | '<' | '>' | '=' | '!' | '~' | '&' | '|') if depth == 0 => start = i + 1,
            _ => {}
        }
    }
    // unary minus
    start + usize::from(head.get(start..).is_some_and(|h| h.starts_with('-')))
}

/// Where the filter that is being written begins.
fn open_filter(path: &str) -> Option<usize> {
    let mut open = Vec::new();
    for (i, c) in path.char_indices() {
        match c {
            '{' => open.push(i),
            '}' => {
                open.pop();
            }
            _ => {}
        }
    }
    open.pop()
}

fn plan_of<'a>(topic: &str, topics: &'a [TopicSchema]) -> Option<&'a std::sync::Arc<Plan>> {
    let (_, schema) = topics.iter().find(|(name, _)| &**name == topic)?;
    schema.as_ref().ok().map(|s| s.plan())
}

fn path_of(text: &str, topics: &[TopicSchema], variables: &Variables) -> Option<Path> {
    match bind(&parse(text).ok()?, variables, topics).ok()? {
        Expr::Path(path) => Some(path),
        _ => None,
    }
}

fn in_path(head: &str, start: usize, topics: &[TopicSchema], variables: &Variables, out: &mut Proposals) {
    let path = head.get(start..).unwrap_or_default();
    let parent = path
        .rfind('.')
        .and_then(|at| Some((at, path_of(path.get(..at)?, topics, variables)?)));
    if let Some((at, parent)) = parent
        && let Some(plan) = parent.topic.as_deref().and_then(|t| plan_of(t, topics))
        && let Ok(place) = (Compiler { plan }).place(&parent, (Kind::Struct(plan.root), Array::One))
    {
        out.begin(head, start + at + 1);
        fields(plan, &place, out);
        return;
    }
    out.begin(head, start);
    for (name, schema) in topics {
        let what = schema.as_ref().map_or_else(|why| why.to_string(), |s| s.type_name.to_string());
        out.add(&topic_text(name), what, schema.is_ok());
    }
    for function in FUNCTIONS.iter().filter(|_| !path.is_empty() && !path.starts_with('/')) {
        if !matches!(function.kind, FunctionKind::Part(_)) {
            out.add(&format!("{}(", function.name), function.what.to_owned(), true);
        }
    }
}

/// Those that fit what they are taken of; all where its type is not known.
fn functions(of: &str, topics: &[TopicSchema], variables: &Variables, out: &mut Proposals) {
    let of = parse(of).ok().and_then(|expr| bind(&expr, variables, topics).ok());
    let schema = match &of {
        Some(Expr::Path(path)) => topics.iter().find(|(name, _)| Some(&**name) == path.topic.as_deref()),
        _ => None,
    };
    let schema = schema.and_then(|(_, schema)| schema.as_ref().ok());
    let can_take = |function: &'static Function| match (&of, schema) {
        (Some(path), Some(schema)) => {
            let call = Expr::Call {
                function,
                args: vec![path.clone()],
                style: Style::Modifier,
                at: Spot::default(),
            };
            Column::compile(schema, &call).is_ok()
        }
        (Some(Expr::Path(_)) | None, _) => true,
        // what is computed is a number
        _ => !matches!(function.kind, FunctionKind::Part(_)),
    };
    let is_number = FUNCTIONS.first().is_some_and(can_take);
    for function in FUNCTIONS {
        let fits = match function.kind {
            FunctionKind::Part(_) => can_take(function),
            _ => is_number || function.is_of_times,
        };
        if !fits {
            continue;
        }
        let params = function.signature().split_off(function.name.len());
        let blank = if params.is_empty() { "" } else { " — " };
        out.add(function.name, format!("{params}{blank}{}", function.what), false);
        // Foxglove's spelling
        let spelling = match function.kind {
            FunctionKind::Part(Part::Roll | Part::Pitch | Part::Yaw) if schema.is_some() => format!("rpy.{}", function.name),
            FunctionKind::Part(Part::QuatX | Part::QuatY | Part::QuatZ | Part::QuatW) if schema.is_some() => {
                function.name.replace('_', ".")
            }
            _ => continue,
        };
        out.add(&spelling, function.what.to_owned(), false);
    }
}

/// The fields of a structure, and what else can follow.
fn fields(plan: &Plan, place: &Place, out: &mut Proposals) {
    match (place.kind, place.array) {
        (_, Array::Dynamic | Array::Fixed(_)) => out.add("length", "uint32".into(), false),
        (Kind::Struct(id), Array::One) => {
            let Ok(of) = plan.get(id) else { return };
            for field in &of.fields {
                let what = type_text(plan, field.kind, field.array);
                let goes_on = matches!(field.kind, Kind::Struct(_)) || field.array != Array::One;
                match field.array {
                    Array::One => out.add(&field.name, what, goes_on),
                    _ => {
                        out.add(&format!("{}[:]", field.name), format!("{what}, all"), goes_on);
                        out.add(&format!("{}[0]", field.name), format!("{what}, the first"), goes_on);
                    }
                }
            }
        }
        (Kind::Time, Array::One) => {
            out.add("sec", "uint32".into(), false);
            out.add("nsec", "uint32".into(), false);
        }
        (Kind::Duration, Array::One) => {
            out.add("sec", "int32".into(), false);
            out.add("nsec", "int32".into(), false);
        }
        (Kind::String, Array::One) => out.add("length", "uint32".into(), false),
        (Kind::Scalar(_) | Kind::Maybe(_), Array::One) => {}
    }
}

/// `at` is the opening brace, from the path's start.
fn in_filter(head: &str, start: usize, at: usize, topics: &[TopicSchema], variables: &Variables, out: &mut Proposals) {
    let Some(parent) = head.get(start..start + at).and_then(|p| path_of(p, topics, variables)) else {
        return;
    };
    let Some(plan) = parent.topic.as_deref().and_then(|t| plan_of(t, topics)) else {
        return;
    };
    let compiler = Compiler { plan };
    let Ok(base) = compiler.place(&parent, (Kind::Struct(plan.root), Array::One)) else {
        return;
    };
    let base = (base.kind, Array::One);
    let inside = start + at + 1;
    let condition = head.get(inside..).unwrap_or_default();
    let typed_from = condition
        .rfind(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '[' | ']' | ':')))
        .map_or(0, |i| {
            i + condition.get(i..).and_then(|c| c.chars().next()).map_or(1, char::len_utf8)
        });
    let typed = condition.get(typed_from..).unwrap_or_default();
    let relative = |text: &str| match parse_fields(text).ok()? {
        Expr::Path(path) => compiler.place(&path, base).ok(),
        _ => None,
    };
    let before = condition.get(..typed_from).unwrap_or_default().trim_end();
    let compared = before.trim_end_matches(['=', '!', '<', '>', '~', ' ']);
    if compared.len() < before.len() {
        // right of a comparison: the constants of what stands left
        let left = compared.rsplit([' ', '(']).next().unwrap_or_default();
        out.begin(head, inside + typed_from);
        for (value, name) in relative(left).map(|place| constant_names(plan, &place)).unwrap_or_default() {
            out.add(&name, value.to_string(), false);
        }
    }
    match typed.rfind('.') {
        Some(dot) => {
            if let Some(place) = typed.get(..dot).and_then(relative) {
                out.begin(head, inside + typed_from + dot + 1);
                fields(plan, &place, out);
            }
        }
        None => {
            out.begin(head, inside + typed_from);
            fields(plan, &Place::start(base), out);
        }
    }
}
