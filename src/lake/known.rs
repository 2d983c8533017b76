//! What is known of the columns of a table, or of several: their names, those of their fields, what they are.

use std::collections::{BTreeMap, BTreeSet};

use arrow::datatypes::{DataType, Fields, Schema};
use datafusion::sql::sqlparser::ast::Ident;

use super::fields::Part;

/// More leaves of structures get no flat name.
const MOST_FLAT: usize = 4096;

#[derive(Default)]
pub(super) struct Known {
    names: BTreeSet<String>,
    /// Of structures, at any depth.
    fields: BTreeSet<String>,
    /// The path that a flat name stands for.
    flat: BTreeMap<String, Vec<String>>,
    /// What the columns at these paths are; one that is not the same in all tables is nothing in particular.
    kinds: BTreeMap<Vec<String>, Kind>,
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
    pub fn add(&mut self, schema: &Schema) {
        for field in schema.fields() {
            self.names.insert(field.name().clone());
            let mut path = vec![field.name().clone()];
            match field.data_type() {
                DataType::Struct(fields) => self.add_fields(fields, &mut path),
                of => self.add_kind(&path, of),
            }
        }
    }

    fn add_kind(&mut self, path: &[String], of: &DataType) {
        let kind = match of {
            DataType::Timestamp(..) => Kind::Instant,
            DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => Kind::List,
            _ => Kind::Other,
        };
        let known = self.kinds.entry(path.to_vec()).or_insert(kind);
        if *known != kind {
            *known = Kind::Other;
        }
    }

    fn add_fields(&mut self, fields: &Fields, path: &mut Vec<String>) {
        for field in fields {
            self.fields.insert(field.name().clone());
            path.push(field.name().clone());
            match field.data_type() {
                DataType::Struct(fields) => self.add_fields(fields, path),
                of if self.flat.len() < MOST_FLAT => {
                    self.flat.entry(path.join("_")).or_insert_with(|| path.clone());
                    self.add_kind(path, of);
                }
                _ => {}
            }
            path.pop();
        }
    }

    /// What an identifier means; None where it stays as it is. `given` says which names the query gives itself.
    pub fn meaning(&self, ident: &Ident, given: impl Fn(&str) -> bool) -> Option<Meaning> {
        if let Some(path) = self.path(ident, &given) {
            return Some(Meaning::Path(path));
        }
        let written = &ident.value;
        if given(&written.to_lowercase()) {
            return None;
        }
        let (column, part) = Part::split(written)?;
        let path = self.path(&quoted(column), &|_| false)?;
        let wanted = if part.is_of_instant() { Kind::Instant } else { Kind::List };
        (self.kind(&path) == Some(wanted)).then_some(Meaning::Part(path, part))
    }

    fn path(&self, ident: &Ident, given: &impl Fn(&str) -> bool) -> Option<Vec<Ident>> {
        let written = &ident.value;
        if self.names.contains(written) {
            return Some(vec![quoted(written)]);
        }
        let lower = written.to_lowercase();
        if given(&lower) {
            return None;
        }
        if let Some(name) = only_like(&self.names, &lower) {
            return Some(vec![quoted(name)]);
        }
        if let Some(path) = self.flat.get(written) {
            return Some(path.iter().map(|part| quoted(part)).collect());
        }
        let (first, rest) = written.split_once('.').filter(|_| ident.quote_style.is_some())?;
        let is_column = self.names.contains(first);
        is_column.then(|| std::iter::once(first).chain(rest.split('.')).map(quoted).collect())
    }

    pub fn kind(&self, path: &[Ident]) -> Option<Kind> {
        let path: Vec<String> = path.iter().map(|part| part.value.clone()).collect();
        self.kinds.get(&path).copied()
    }

    /// A field of a structure.
    pub fn field(&self, ident: &Ident) -> Ident {
        if self.fields.contains(&ident.value) {
            return quoted(&ident.value);
        }
        only_like(&self.fields, &ident.value.to_lowercase()).map_or_else(|| ident.clone(), quoted)
    }
}

/// The only name that differs in case alone.
fn only_like<'a>(names: &'a BTreeSet<String>, lower: &str) -> Option<&'a str> {
    let mut like = names.iter().filter(|name| name.to_lowercase() == lower);
    let first = like.next()?;
    like.next().is_none().then_some(&**first)
}

pub(super) fn quoted(name: &str) -> Ident {
    Ident::with_quote('"', name)
}
