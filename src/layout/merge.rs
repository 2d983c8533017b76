//! Three-way merges: of any two values that come from one, and of two layouts, part by part.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::LayoutError;
use super::diff::{Change, Part, PartDiff, parts, title_of};
use super::own::Layout;

/// `mine` with what `theirs` changed of `base` wherever `mine` changed nothing: keys of objects one by one, lists of one length
/// element by element. Where both changed the same, `mine` stays.
pub fn three_way(base: &Value, mine: Value, theirs: &Value) -> Value {
    if mine == *base {
        return theirs.clone();
    }
    match (base, mine, theirs) {
        (Value::Object(base), Value::Object(mine), Value::Object(theirs)) => {
            let mut out = Map::new();
            // in their order, which is the file's
            for (key, theirs) in theirs {
                match (base.get(key), mine.get(key)) {
                    (Some(base), Some(mine)) => drop(out.insert(key.clone(), three_way(base, mine.clone(), theirs))),
                    (None, Some(mine)) => drop(out.insert(key.clone(), mine.clone())),
                    (Some(base), None) if base == theirs => {}
                    (_, None) => drop(out.insert(key.clone(), theirs.clone())),
                }
            }
            for (key, mine) in mine {
                // what they took away and I did not touch stays away
                if !theirs.contains_key(&key) && base.get(&key) != Some(&mine) {
                    out.insert(key, mine);
                }
            }
            Value::Object(out)
        }
        (Value::Array(base), Value::Array(mine), Value::Array(theirs)) if base.len() == theirs.len() => {
            let is_same_length = base.len() == mine.len();
            let part = |(at, mine): (usize, Value)| {
                // one that only moved is known again
                let was = base.iter().position(|base| *base == mine).or(is_same_length.then_some(at));
                match was.and_then(|was| Some((base.get(was)?, theirs.get(was)?))) {
                    Some((base, theirs)) => three_way(base, mine, theirs),
                    None => mine,
                }
            };
            Value::Array(mine.into_iter().enumerate().map(part).collect())
        }
        (_, mine, _) => mine,
    }
}

/// Two layouts that come from one, before the choice.
#[derive(Clone, Debug)]
pub struct Merge {
    /// Those that someone changed.
    pub parts: Vec<MergePart>,
    base: Value,
    mine: Value,
    theirs: Value,
}

#[derive(Clone, Debug, PartialEq)]
pub struct MergePart {
    pub part: Part,
    pub title: String,
    pub mine: Option<Change>,
    pub theirs: Option<Change>,
    /// Both changed the same.
    pub clash: bool,
    pub take: Take,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// Key by key; where both changed the same, mine.
    Both,
    Mine,
    Theirs,
}

pub fn merge(base: &Layout, mine: &Layout, theirs: &Layout) -> Merge {
    let value = |layout: &Layout| serde_json::to_value(layout).unwrap_or_default();
    let (base_value, mine_value, theirs_value) = (value(base), value(mine), value(theirs));
    let find = |diffs: &[PartDiff], part: &Part| diffs.iter().find(|diff| diff.part == *part).map(|diff| diff.change.clone());
    let (by_me, by_them) = (parts(base, mine), parts(base, theirs));
    let mut all: Vec<Part> = Vec::new();
    for diff in by_me.iter().chain(&by_them) {
        if !all.contains(&diff.part) {
            all.push(diff.part.clone());
        }
    }
    let part = |part: Part| {
        let (of_mine, of_theirs) = (find(&by_me, &part), find(&by_them, &part));
        let pointer = part.pointer();
        let clash = match (&of_mine, &of_theirs) {
            (Some(a), Some(b)) => mine_value.pointer(&pointer) != theirs_value.pointer(&pointer) && clashes(a, b),
            _ => false,
        };
        MergePart {
            title: title_of(&part, [mine, theirs, base]),
            mine: of_mine,
            theirs: of_theirs,
            clash,
            take: Take::Both,
            part,
        }
    };
    let parts = all.into_iter().map(part).collect();
    Merge {
        parts,
        base: base_value,
        mine: mine_value,
        theirs: theirs_value,
    }
}

/// Whether two changes of one part speak of the same.
fn clashes(mine: &Change, theirs: &Change) -> bool {
    match (mine, theirs) {
        (Change::Changed(mine), Change::Changed(theirs)) => {
            let keys: BTreeSet<&str> = theirs.iter().map(|change| change.key.as_str()).collect();
            let under = |a: &str, b: &str| a == b || a.strip_prefix(b).is_some_and(|rest| rest.starts_with('/'));
            mine.iter().any(|change| {
                let other = |key: &&&str| under(&change.key, key) || under(key, &change.key);
                let same = theirs.iter().any(|their| their.key == change.key && their.after == change.after);
                !same && keys.iter().any(|key| other(&key))
            })
        }
        (mine, theirs) => mine != theirs || *mine == Change::Added,
    }
}

impl Merge {
    pub fn clashes(&self) -> usize {
        self.parts.iter().filter(|part| part.clash).count()
    }

    /// The layout that comes of the choices.
    ///
    /// # Errors
    /// Where what comes of them is none.
    pub fn layout(&self) -> Result<Layout, LayoutError> {
        let mut merged = self.mine.clone();
        for part in &self.parts {
            let pointer = part.part.pointer();
            let of = |value: &Value| value.pointer(&pointer).cloned();
            let chosen = match part.take {
                Take::Mine => of(&self.mine),
                Take::Theirs => of(&self.theirs),
                Take::Both => self.both(part, of(&self.base), of(&self.mine), of(&self.theirs)),
            };
            match chosen {
                Some(value) => super::value::put(&mut merged, &pointer, value),
                None => drop(super::value::remove(&mut merged, &pointer)),
            }
        }
        Layout::from_value(merged)
    }

    fn both(&self, part: &MergePart, base: Option<Value>, mine: Option<Value>, theirs: Option<Value>) -> Option<Value> {
        match (&part.mine, &part.theirs) {
            (None, _) => theirs,
            (_, None) => mine,
            // the arrangement is one thing
            _ if part.part == Part::Arrangement => mine,
            // rather too much than lost
            (Some(Change::Removed), Some(_)) => theirs,
            (Some(_), Some(Change::Removed)) => mine,
            _ => match (base, mine, theirs) {
                (Some(base), Some(mine), Some(theirs)) => Some(three_way(&base, mine, &theirs)),
                (_, mine, _) => mine,
            },
        }
    }
}
