//! Small helpers over JSON values.

use serde_json::{Map, Value};

use super::portable::escape;

pub fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str()
}

pub fn flag(value: &Value, pointer: &str) -> Option<bool> {
    value.pointer(pointer)?.as_bool()
}

pub fn number(value: &Value, pointer: &str) -> Option<f64> {
    as_number(value.pointer(pointer)?)
}

/// A finite number, also one that is written as a text.
pub fn as_number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

/// `count` numbers.
pub fn numbers<const COUNT: usize>(value: Option<&Value>) -> Option<[f64; COUNT]> {
    let list = value?.as_array()?;
    let all: Vec<f64> = list.iter().filter_map(as_number).collect();
    all.try_into().ok()
}

/// As JSON writes it: whole numbers without a point.
pub fn of_number(number: f64) -> Value {
    match number.fract() == 0.0 && number.abs() < 1e15 {
        true => (number as i64).into(),
        false => number.into(),
    }
}

/// Puts a value where the pointer says, with the objects that lead there.
pub fn put(value: &mut Value, pointer: &str, new: Value) {
    let mut at = value;
    for part in pointer.split('/').skip(1) {
        if let Value::Array(_) = at {
            // only what is there
            let Some(inside) = at.pointer_mut(&format!("/{part}")) else {
                return;
            };
            at = inside;
            continue;
        }
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        let Value::Object(map) = at else { return };
        at = map.entry(unescape(part)).or_insert(Value::Null);
    }
    *at = new;
}

/// Takes away what the pointer names.
pub fn remove(value: &mut Value, pointer: &str) -> Option<Value> {
    let (parent, key) = pointer.rsplit_once('/')?;
    match value.pointer_mut(parent)? {
        Value::Object(map) => map.shift_remove(&unescape(key)),
        _ => None,
    }
}

/// Puts all of `from` into `into`, objects key by key.
pub fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                match into.get_mut(&key) {
                    Some(there) => merge(there, value),
                    None => drop(into.insert(key, value)),
                }
            }
        }
        (into, from) => *into = from,
    }
}

/// Calls `f` with the pointer of each value that holds no others; lists of plain values are one.
pub fn each_leaf(value: &Value, at: &str, f: &mut impl FnMut(&str, &Value)) {
    let is_plain = |value: &Value| !value.is_object() && !value.is_array();
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                each_leaf(value, &format!("{at}/{}", escape(key)), f);
            }
        }
        Value::Array(list) if !list.iter().all(is_plain) => {
            for (index, value) in list.iter().enumerate() {
                each_leaf(value, &format!("{at}/{index}"), f);
            }
        }
        _ => f(at, value),
    }
}

/// A pointer, and those of all that it lies in, but for the whole.
pub fn ancestors(pointer: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(pointer), |at| at.rsplit_once('/').map(|(parent, _)| parent)).take_while(|at| !at.is_empty())
}

/// How long the pointers of all plain values are together: with long keys above many values, a few MiB may mean gigabytes.
pub fn pointer_bytes(value: &Value) -> u64 {
    fn sum(value: &Value, above: u64) -> u64 {
        match value {
            Value::Object(map) => map.iter().map(|(key, value)| sum(value, above + 1 + key.len() as u64)).sum(),
            Value::Array(list) => list.iter().map(|value| sum(value, above + 4)).sum(),
            _ => above,
        }
    }
    sum(value, 0)
}

pub fn unescape(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}
