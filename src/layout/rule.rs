//! What corresponds to what in the configurations of two programs, said once, read both ways.
//!
//! A panel's type of another program is a list of [`Rule`]s. [`import`] goes through it to make our configuration of theirs, and
//! notes which keys had an effect; [`export`] goes through it to carry what was changed in ours back into theirs.
//!
//! Invariants: a key is noted as mapped only where the value that it has led to what is made; what no rule names, `export` leaves
//! as it is.

use std::cell::RefCell;
use std::collections::HashMap;

use serde_json::{Map, Value};

use super::portable::escape;
use super::report::{Mapped, Noted, PanelReport};
use super::value::{self, ancestors, as_number, each_leaf, put, remove};

/// Keys are JSON pointers.
pub enum Rule {
    /// One of theirs is one of ours.
    Key {
        theirs: &'static str,
        ours: &'static str,
        codec: Codec,
        /// What ours is where theirs says nothing.
        absent: Plain,
    },
    /// A list of objects is a list of objects.
    Each {
        theirs: &'static str,
        ours: &'static str,
        /// By which of our keys an element is known again after the list has changed.
        by: &'static str,
        rules: &'static [Rule],
    },
    /// An object of objects is one with the same keys.
    Keyed {
        theirs: &'static str,
        ours: &'static str,
        rules: &'static [Rule],
    },
    /// Several together are several of ours.
    Group(&'static Group),
}

pub struct Group {
    /// All that `read` may make.
    pub ours: &'static [&'static str],
    /// Our part, as an object; null: nothing.
    pub read: fn(&Reader<'_>) -> Value,
    /// Carries our part of a configuration into theirs. False: theirs has no way to say it.
    pub write: fn(&Value, &mut Value) -> bool,
}

/// How a value is said in the other program.
#[derive(Clone, Copy)]
pub enum Codec {
    Bool,
    Text,
    Number,
    /// Ours is theirs × times + plus.
    Linear {
        times: f64,
        plus: f64,
    },
    /// Theirs, ours.
    Words(&'static [(&'static str, &'static str)]),
    /// `#rrggbb`
    Color,
    Own(fn(&Value) -> Option<Value>, fn(&Value) -> Option<Value>),
}

#[derive(Clone, Copy)]
pub enum Plain {
    Nothing,
    Bool(bool),
    Number(f64),
    Text(&'static str),
}

pub const fn key(theirs: &'static str, ours: &'static str, codec: Codec) -> Rule {
    key_or(theirs, ours, codec, Plain::Nothing)
}

pub const fn key_or(theirs: &'static str, ours: &'static str, codec: Codec, absent: Plain) -> Rule {
    Rule::Key {
        theirs,
        ours,
        codec,
        absent,
    }
}

impl Codec {
    fn read(self, value: &Value) -> Option<Value> {
        Some(match self {
            Codec::Bool => value.as_bool()?.into(),
            Codec::Text => value.as_str()?.into(),
            Codec::Number => value::of_number(as_number(value)?),
            Codec::Linear { times, plus } => value::of_number(as_number(value)? * times + plus),
            Codec::Words(words) => words.iter().find(|w| Some(w.0) == value.as_str())?.1.into(),
            Codec::Color => super::color::parse(value)?.hex().into(),
            Codec::Own(read, _) => read(value)?,
        })
    }

    pub(super) fn write(self, value: &Value) -> Option<Value> {
        Some(match self {
            Codec::Linear { times, plus } => value::of_number((as_number(value)? - plus) / times),
            Codec::Words(words) => words.iter().find(|w| Some(w.1) == value.as_str())?.0.into(),
            Codec::Color => value.as_str()?.into(),
            Codec::Own(_, write) => write(value)?,
            Codec::Bool | Codec::Text | Codec::Number => self.read(value)?,
        })
    }
}

impl Plain {
    fn value(self) -> Option<Value> {
        match self {
            Plain::Nothing => None,
            Plain::Bool(flag) => Some(flag.into()),
            Plain::Number(number) => Some(value::of_number(number)),
            Plain::Text(text) => Some(text.into()),
        }
    }
}

/// What a reading found out about theirs.
#[derive(Default)]
pub struct Marks {
    /// Pointer in theirs → pointer in ours.
    mapped: HashMap<String, String>,
    /// Pointer in theirs → why it could not be taken.
    odd: HashMap<String, String>,
}

/// A look at theirs that notes what it takes.
#[derive(Clone)]
pub struct Reader<'a> {
    pub value: &'a Value,
    at: String,
    to: String,
    marks: &'a RefCell<Marks>,
}

impl<'a> Reader<'a> {
    pub fn new(value: &'a Value, marks: &'a RefCell<Marks>) -> Reader<'a> {
        Reader {
            value,
            at: String::new(),
            to: String::new(),
            marks,
        }
    }

    /// Where it looks, from the whole of theirs.
    pub fn place(&self) -> &str {
        &self.at
    }

    /// Looks at a part of theirs from which a part of ours is made.
    pub fn inside(&self, key: &str, to: &str) -> Reader<'a> {
        Reader {
            value: self.value.pointer(key).unwrap_or(&Value::Null),
            at: format!("{}{key}", self.at),
            to: format!("{}{to}", self.to),
            marks: self.marks,
        }
    }

    /// Keys and values of an object of theirs; each with a look inside that makes the same part of ours.
    pub fn entries(&self, key: &str) -> Vec<(&'a str, Reader<'a>)> {
        let map = self.value.pointer(key).and_then(Value::as_object);
        let entries = map.into_iter().flatten();
        entries
            .map(|(name, _)| (name.as_str(), self.inside(&format!("{key}/{}", escape(name)), "")))
            .collect()
    }

    pub fn items(&self, key: &str) -> Vec<Reader<'a>> {
        let len = self.value.pointer(key).and_then(Value::as_array).map_or(0, Vec::len);
        (0..len).map(|at| self.inside(&format!("{key}/{at}"), "")).collect()
    }

    /// Notes that the key has an effect.
    pub fn mark(&self, key: &str, to: &str) {
        let (key, to) = (format!("{}{key}", self.at), format!("{}{to}", self.to));
        self.marks.borrow_mut().mapped.insert(key, to);
    }

    /// Notes why a key has no effect.
    pub fn odd(&self, key: &str, why: impl Into<String>) {
        self.marks.borrow_mut().odd.insert(format!("{}{key}", self.at), why.into());
    }

    /// Takes a value, if it can be understood.
    pub fn take(&self, key: &str, to: &str, codec: Codec) -> Option<Value> {
        let given = self.value.pointer(key).filter(|value| !value.is_null())?;
        match codec.read(given) {
            Some(value) => {
                self.mark(key, to);
                Some(value)
            }
            None => {
                // an empty text says nothing
                if given.as_str() != Some("") {
                    self.odd(key, not_understood(given));
                }
                None
            }
        }
    }

    pub fn text(&self, key: &str, to: &str) -> Option<&'a str> {
        self.take(key, to, Codec::Text)?;
        self.value.pointer(key)?.as_str()
    }

    pub fn flag(&self, key: &str, to: &str) -> Option<bool> {
        self.take(key, to, Codec::Bool)?.as_bool()
    }

    pub fn number(&self, key: &str, to: &str) -> Option<f64> {
        self.take(key, to, Codec::Number)?;
        as_number(self.value.pointer(key)?)
    }

    pub fn numbers<const COUNT: usize>(&self, key: &str, to: &str) -> Option<[f64; COUNT]> {
        let given = self.value.pointer(key).filter(|value| !value.is_null())?;
        let all = value::numbers(Some(given));
        match all {
            Some(_) => self.mark(key, to),
            None => self.odd(key, not_understood(given)),
        }
        all
    }
}

/// Of a value that a rule expected to be something else.
pub fn not_understood(value: &Value) -> String {
    let text: String = value.to_string().chars().take(40).collect();
    format!("{text} is not understood here")
}

/// Our configuration of theirs.
pub fn import(rules: &[Rule], reader: &Reader<'_>) -> Value {
    let mut ours = Value::Object(Map::new());
    for rule in rules {
        match rule {
            Rule::Key {
                theirs,
                ours: to,
                codec,
                absent,
            } => {
                if let Some(value) = reader.take(theirs, to, *codec).or_else(|| absent.value()) {
                    put(&mut ours, to, value);
                }
            }
            Rule::Each {
                theirs, ours: to, rules, ..
            } => {
                if let Some(Value::Array(list)) = reader.value.pointer(theirs) {
                    let kept = list.iter().enumerate().filter(|(_, element)| element.is_object());
                    let made = kept.zip(0usize..).map(|((from, _), into)| {
                        let inside = reader.inside(&format!("{theirs}/{from}"), &format!("{to}/{into}"));
                        import(rules, &inside)
                    });
                    put(&mut ours, to, Value::Array(made.collect()));
                }
            }
            Rule::Keyed { theirs, ours: to, rules } => {
                if let Some(Value::Object(map)) = reader.value.pointer(theirs) {
                    let made = map.iter().filter(|(_, value)| value.is_object()).map(|(name, _)| {
                        let part = escape(name);
                        let inside = reader.inside(&format!("{theirs}/{part}"), &format!("{to}/{part}"));
                        (name.clone(), import(rules, &inside))
                    });
                    put(&mut ours, to, Value::Object(made.collect()));
                }
            }
            Rule::Group(group) => {
                let made = (group.read)(reader);
                if made.is_object() {
                    value::merge(&mut ours, made);
                }
            }
        }
    }
    ours
}

/// Theirs, with what differs between `was` (what `import` made of theirs) and `now`. In `lost`: what theirs has no way to say.
pub fn export(rules: &[Rule], mut theirs: Value, was: &Value, now: &Value, at: &str, lost: &mut Vec<Noted>) -> Value {
    for rule in rules {
        match rule {
            Rule::Key {
                theirs: key, ours, codec, ..
            } => {
                let changed = now.pointer(ours);
                if was.pointer(ours) == changed {
                    continue;
                }
                match changed {
                    None | Some(Value::Null) => drop(remove(&mut theirs, key)),
                    Some(value) => match codec.write(value) {
                        Some(value) => put(&mut theirs, key, value),
                        None => lost.push(cannot_say(&format!("{at}{ours}"), value)),
                    },
                }
            }
            Rule::Each {
                theirs: key,
                ours,
                by,
                rules,
            } => export_list(&mut theirs, (key, ours, by), rules, was, now, at, lost),
            Rule::Keyed { theirs: key, ours, rules } => {
                let (was, now) = (object_at(was, ours), object_at(now, ours));
                for name in was.keys().filter(|name| !now.contains_key(*name)) {
                    remove(&mut theirs, &format!("{key}/{}", escape(name)));
                }
                for (name, now) in &now {
                    let before = was.get(name).unwrap_or(&Value::Null);
                    if before == now {
                        continue;
                    }
                    let pointer = format!("{key}/{}", escape(name));
                    let given = theirs.pointer(&pointer).filter(|v| v.is_object()).cloned().unwrap_or_else(empty);
                    let place = format!("{at}{ours}/{}", escape(name));
                    put(&mut theirs, &pointer, export(rules, given, before, now, &place, lost));
                }
            }
            Rule::Group(group) => {
                let part = |value: &Value| -> Vec<Option<Value>> { group.ours.iter().map(|ours| value.pointer(ours).cloned()).collect() };
                if part(was) != part(now) && !(group.write)(now, &mut theirs) {
                    let named = group.ours.first().map_or("", |ours| *ours);
                    lost.push(cannot_say(&format!("{at}{named}"), now.pointer(named).unwrap_or(&Value::Null)));
                }
            }
        }
    }
    theirs
}

type Lists = (&'static str, &'static str, &'static str);

fn export_list(theirs: &mut Value, (key, ours, by): Lists, rules: &[Rule], was: &Value, now: &Value, at: &str, lost: &mut Vec<Noted>) {
    let list_at = |value: &Value, pointer: &str| value.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default();
    let (was, now) = (list_at(was, ours), list_at(now, ours));
    if was == now {
        return;
    }
    let given: Vec<Value> = list_at(theirs, key).into_iter().filter(Value::is_object).collect();
    let mut free: Vec<Option<(Value, Value)>> = was.into_iter().zip(given).map(Some).collect();
    let known = |free: &[Option<(Value, Value)>], element: &Value| {
        let same = |slot: &Option<(Value, Value)>| slot.as_ref().is_some_and(|(was, _)| was.pointer(by) == element.pointer(by));
        free.iter().position(same)
    };
    // those that are known again first, so that a new one takes no other's place
    let found: Vec<Option<(Value, Value)>> = now
        .iter()
        .map(|element| known(&free, element).and_then(|index| free.get_mut(index)?.take()))
        .collect();
    let elements = now.iter().zip(found).enumerate().map(|(index, (element, found))| {
        let in_place = || free.get_mut(index).and_then(Option::take);
        let (before, given) = found.or_else(in_place).unwrap_or_else(|| (Value::Null, empty()));
        export(rules, given, &before, element, &format!("{at}{ours}/{index}"), lost)
    });
    let elements: Vec<Value> = elements.collect();
    put(theirs, key, Value::Array(elements));
}

fn empty() -> Value {
    Value::Object(Map::new())
}

fn object_at(value: &Value, pointer: &str) -> Map<String, Value> {
    value.pointer(pointer).and_then(Value::as_object).cloned().unwrap_or_default()
}

fn cannot_say(key: &str, value: &Value) -> Noted {
    let text: String = value.to_string().chars().take(40).collect();
    Noted {
        key: key.to_owned(),
        why: format!("{text} cannot be said there"),
    }
}

/// What of a configuration of ours no rule speaks of.
pub fn unspoken(rules: &[Rule], ours: &Value) -> Vec<String> {
    let mut rest = ours.clone();
    take_spoken(rules, &mut rest);
    let mut out = Vec::new();
    each_leaf(&rest, "", &mut |pointer, value| {
        let says_nothing = value.is_null() || value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty);
        if !says_nothing {
            out.push(pointer.to_owned());
        }
    });
    out
}

fn take_spoken(rules: &[Rule], rest: &mut Value) {
    for rule in rules {
        match rule {
            Rule::Key { ours, .. } => drop(remove(rest, ours)),
            Rule::Group(group) => group.ours.iter().for_each(|ours| drop(remove(rest, ours))),
            Rule::Each { ours, rules, .. } | Rule::Keyed { ours, rules, .. } => match rest.pointer_mut(ours) {
                Some(Value::Array(list)) => list.iter_mut().for_each(|element| take_spoken(rules, element)),
                Some(Value::Object(map)) => map.values_mut().for_each(|element| take_spoken(rules, element)),
                _ => {}
            },
        }
    }
}

impl Marks {
    /// Sorts every key at `part` of theirs that belongs to it into the report.
    pub fn tell(&self, theirs: &Value, part: &str, report: &mut PanelReport, belongs: &dyn Fn(&str) -> bool) {
        let Some(value) = theirs.pointer(part) else { return };
        each_leaf(value, part, &mut |pointer, value| match value {
            _ if pointer.is_empty() || !belongs(pointer) => {}
            Value::Array(list) if self.is_mapped_inside(pointer, list.len()) => {
                for at in 0..list.len() {
                    self.tell_one(&format!("{pointer}/{at}"), report);
                }
            }
            _ => self.tell_one(pointer, report),
        });
    }

    fn is_mapped_inside(&self, pointer: &str, len: usize) -> bool {
        let inside = (0..len).any(|at| self.mapped.contains_key(&format!("{pointer}/{at}")));
        inside && !self.mapped.contains_key(pointer)
    }

    fn tell_one(&self, pointer: &str, report: &mut PanelReport) {
        if let Some(to) = ancestors(pointer).find_map(|at| self.mapped.get(at)) {
            let (key, to) = (pointer.to_owned(), to.clone());
            return report.mapped.push(Mapped { key, to });
        }
        let why = ancestors(pointer).find_map(|at| self.odd.get(at)).cloned().unwrap_or_default();
        report.kept.push(Noted {
            key: pointer.to_owned(),
            why,
        });
    }
}
