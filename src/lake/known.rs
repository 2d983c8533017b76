//! What is known of the columns of a table, or of several: their names, those of their fields, what they are.

use std::collections::{BTreeMap, BTreeSet};

use arrow::datatypes::DataType;
use datafusion::sql::sqlparser::ast::Ident;

use super::fields::Part;

/// More leaves of structures get no flat name.
const MOST_FLAT: usize = 4096;

/// A column, and what it holds where that is known.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub name: String,
    pub of: Option<DataType>,
}

#[derive(Default)]
pub(super) struct Known {
    /// What they hold; None where it is not known, or not the same in all tables.
    columns: BTreeMap<String, Option<DataType>>,
    /// The path that a flat name stands for.
    flat: BTreeMap<String, Vec<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Instant,
    List,
    Other,
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A column, or a field of one.
    Path(Vec<Ident>),
    /// A part of what lies at a path.
    Part(Vec<Ident>, Part),
}

impl Known {
    pub fn add(&mut self, columns: &[Column]) {
        for column in columns {
            let known = self.columns.entry(column.name.clone()).or_insert_with(|| column.of.clone());
            if *known != column.of {
                *known = None;
            }
            if let Some(of) = &column.of {
                self.add_fields(of, &mut vec![column.name.clone()]);
            }
        }
    }

    fn add_fields(&mut self, of: &DataType, path: &mut Vec<String>) {
        match of {
            DataType::Struct(fields) => {
                for field in fields {
                    path.push(field.name().clone());
                    self.add_fields(field.data_type(), path);
                    path.pop();
                }
            }
            _ if path.len() > 1 && self.flat.len() < MOST_FLAT => {
                self.flat.entry(path.join("_")).or_insert_with(|| path.clone());
            }
            _ => {}
        }
    }

    /// What an identifier means; None where it stays as it is.
    pub fn meaning(&self, ident: &Ident) -> Option<Meaning> {
        if let Some(path) = self.path(ident) {
            return Some(Meaning::Path(path));
        }
        let (column, part) = Part::split(&ident.value)?;
        let path = self.path(&quoted(column))?;
        let wanted = if part.is_of_instant() { Kind::Instant } else { Kind::List };
        (self.kind(&path) == Some(wanted)).then_some(Meaning::Part(path, part))
    }

    fn path(&self, ident: &Ident) -> Option<Vec<Ident>> {
        let written = &ident.value;
        if self.columns.contains_key(written) {
            return Some(vec![quoted(written)]);
        }
        if let Some(name) = only_like(self.columns.keys(), &written.to_lowercase()) {
            return Some(vec![quoted(name)]);
        }
        if let Some(path) = self.flat.get(written) {
            return Some(path.iter().map(|part| quoted(part)).collect());
        }
        let (first, rest) = written.split_once('.').filter(|_| ident.quote_style.is_some())?;
        let is_column = self.columns.contains_key(first);
        is_column.then(|| std::iter::once(first).chain(rest.split('.')).map(quoted).collect())
    }

    /// A column and the fields behind it. Those that it is not known to have are spelled as `others` are.
    pub fn path_in(&self, first: &Ident, rest: &[Ident], others: &BTreeSet<String>) -> Option<Meaning> {
        let mut path = match (self.meaning(first), rest.is_empty()) {
            (Some(Meaning::Path(path)), _) => path,
            (Some(part), true) => return Some(part),
            (Some(_), false) => return None,
            (None, _) => vec![first.clone()],
        };
        for part in rest {
            let field = match self.at(&path) {
                Some(DataType::Struct(fields)) => spelled(part, fields.iter().map(|field| field.name())),
                _ => spelled(part, others.iter()),
            };
            path.push(field);
        }
        // the seconds of an instant, as a field
        if let Some((last, before)) = path.split_last()
            && !before.is_empty()
            && let Some(part) = Part::of_instant(&last.value)
            && self.kind(before) == Some(Kind::Instant)
        {
            return Some(Meaning::Part(before.to_vec(), part));
        }
        Some(Meaning::Path(path))
    }

    /// What is known to lie at a path.
    pub fn at(&self, path: &[Ident]) -> Option<&DataType> {
        let (first, rest) = path.split_first()?;
        let column = self.columns.get(&first.value)?.as_ref()?;
        rest.iter().try_fold(column, |of, part| match of {
            DataType::Struct(fields) => Some(fields.find(&part.value)?.1.data_type()),
            _ => None,
        })
    }

    pub fn kind(&self, path: &[Ident]) -> Option<Kind> {
        self.at(path).map(|of| match of {
            DataType::Timestamp(..) => Kind::Instant,
            of if element(of).is_some() => Kind::List,
            _ => Kind::Other,
        })
    }

    pub fn of(&self, meaning: &Meaning) -> Option<DataType> {
        match meaning {
            Meaning::Path(path) => self.at(path).cloned(),
            Meaning::Part(_, part) if part.is_of_instant() => Some(DataType::Int64),
            Meaning::Part(path, _) => element(self.at(path)?).cloned(),
        }
    }
}

/// A name as one of these has it.
pub(super) fn spelled<'a>(ident: &Ident, names: impl Iterator<Item = &'a String> + Clone) -> Ident {
    if names.clone().any(|name| *name == ident.value) {
        return quoted(&ident.value);
    }
    only_like(names, &ident.value.to_lowercase()).map_or_else(|| ident.clone(), quoted)
}

/// The names of fields, at any depth.
pub(super) fn add_field_names(of: &DataType, names: &mut BTreeSet<String>) {
    match of {
        DataType::Struct(fields) => {
            for field in fields {
                names.insert(field.name().clone());
                add_field_names(field.data_type(), names);
            }
        }
        _ => element(of).into_iter().for_each(|of| add_field_names(of, names)),
    }
}

/// What a list holds.
fn element(of: &DataType) -> Option<&DataType> {
    match of {
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => Some(field.data_type()),
        _ => None,
    }
}

/// The only name that differs in case alone.
fn only_like<'a>(names: impl Iterator<Item = &'a String>, lower: &str) -> Option<&'a str> {
    let mut like = names.filter(|name| name.to_lowercase() == lower);
    let first = like.next()?;
    like.next().is_none().then_some(&**first)
}

pub(super) fn quoted(name: &str) -> Ident {
    Ident::with_quote('"', name)
}
