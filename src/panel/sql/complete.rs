//! What fits at the cursor of a query: tables that are open, columns of those that it names, functions, keywords.

use std::ops::Range;

use crate::decode::columns::Columns;
use crate::lake::{KEYWORDS, Part, functions, parts};
use crate::path::Completion;
use crate::store::{Store, Topic};

const MOST: usize = 60;
/// So many letters of a column are looked for in all topics.
const TELLING: usize = 2;

/// The best first; nothing where no word was begun.
pub fn proposals(sql: &str, cursor: usize, store: &Store) -> Vec<Completion> {
    let all = parts(sql);
    let Some((range, part)) = all.iter().find(|(range, _)| range.start < cursor && cursor <= range.end) else {
        return Vec::new();
    };
    let typed = sql.get(range.start..cursor).unwrap_or_default();
    let mut out = Vec::new();
    match part {
        Part::Quoted => {
            let typed = typed.trim_matches('"');
            let named = named(&all, sql, store, range);
            tables(store, typed, range, &mut out);
            columns(&named, typed, range, &mut out);
        }
        Part::Name | Part::Keyword => {
            let before = all
                .iter()
                .rev()
                .find(|(other, part)| other.end <= range.start && *part == Part::Keyword);
            let before = before.and_then(|(range, _)| sql.get(range.clone())).unwrap_or_default();
            let is_table = before.eq_ignore_ascii_case("from") || before.eq_ignore_ascii_case("join");
            if is_table {
                tables(store, typed, range, &mut out);
            }
            let topics = match named(&all, sql, store, range) {
                // nobody says yet what is selected from
                none if none.is_empty() && typed.len() >= TELLING => store.topics().iter().collect(),
                named => named,
            };
            columns(&topics, typed, range, &mut out);
            words(typed, range, &mut out);
            if !is_table {
                tables(store, typed, range, &mut out);
            }
        }
        // behind a table's name and a dot
        Part::Other if typed.ends_with('.') => columns(&named(&all, sql, store, range), "", &(cursor..cursor), &mut out),
        Part::Text | Part::Number | Part::Comment | Part::Other => {}
    }
    out.truncate(MOST);
    // what stands there already needs no proposal
    match out.as_slice() {
        [only] if sql.get(only.replaces.clone()) == Some(&only.text) => Vec::new(),
        _ => out,
    }
}

fn completion(range: &Range<usize>, text: String, what: &str) -> Completion {
    Completion {
        replaces: range.clone(),
        text,
        what: what.to_owned(),
        goes_on: false,
    }
}

fn begins(name: &str, typed: &str) -> bool {
    name.get(..typed.len()).is_some_and(|head| head.eq_ignore_ascii_case(typed))
}

/// As AWS's tables are called after topics.
fn flat(topic: &str) -> String {
    topic.trim_start_matches('/').replace('/', "_")
}

/// Topics whose name, or a part of it, begins so.
fn tables(store: &Store, typed: &str, range: &Range<usize>, out: &mut Vec<Completion>) {
    let fits = |topic: &&Topic| {
        let parts = || topic.name.split('/').any(|part| begins(part, typed));
        begins(&topic.name, typed) || begins(&flat(&topic.name), typed) || parts()
    };
    let fitting = store.topics().iter().filter(|topic| topic.schema.is_some()).filter(fits);
    out.extend(fitting.map(|topic| completion(range, format!("\"{}\"", topic.name), &topic.type_name)));
}

/// The topics that the query names elsewhere.
fn named<'a>(all: &[(Range<usize>, Part)], sql: &str, store: &'a Store, but: &Range<usize>) -> Vec<&'a Topic> {
    let names = all
        .iter()
        .filter(|(range, part)| range != but && matches!(part, Part::Quoted | Part::Name));
    let names: Vec<&str> = names.filter_map(|(range, _)| sql.get(range.clone())).collect();
    let is_named = |topic: &&Topic| {
        let flat = flat(&topic.name);
        names
            .iter()
            .any(|name| name.trim_matches('"') == &*topic.name || name.eq_ignore_ascii_case(&flat))
    };
    store.topics().iter().filter(is_named).collect()
}

fn columns(topics: &[&Topic], typed: &str, range: &Range<usize>, out: &mut Vec<Completion>) {
    let mut add = |name: &str, what: &str| {
        let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let text = if is_plain { name.to_owned() } else { format!("\"{name}\"") };
        if begins(name, typed) && !out.iter().any(|known| known.text == text) {
            out.push(completion(range, text, what));
        }
    };
    for topic in topics {
        let Some(schema) = &topic.schema else { continue };
        if !topic.type_name.starts_with("table/") {
            add("time", "when it was received");
            if schema.has_header() {
                add("stamp", "of its header");
            }
        }
        let Ok(own) = Columns::all(schema) else { continue };
        for field in own.schema().fields() {
            let of = field.data_type();
            let what = if of.is_nested() { "nested".to_owned() } else { of.to_string() };
            add(field.name(), &format!("{what} of {}", topic.name));
        }
        for path in schema
            .scalar_paths()
            .iter()
            .filter(|path| path.contains('.') && !path.contains('['))
        {
            add(&path.replace('.', "_"), &format!("{path} of {}", topic.name));
        }
    }
}

fn words(typed: &str, range: &Range<usize>, out: &mut Vec<Completion>) {
    let keywords = KEYWORDS.iter().filter(|word| begins(word, typed));
    out.extend(keywords.map(|word| completion(range, (*word).to_owned(), "")));
    let fitting = functions().iter().filter(|(name, _)| begins(name, typed));
    out.extend(fitting.map(|(name, what)| completion(range, format!("{name}("), what)));
}
