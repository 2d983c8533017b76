//! Names of columns as people write them → as the tables have them: in any case, `a.b.c` in quotes, or flat as AWS's tables have it
//! (`linear_acceleration_x` for `linear_acceleration.x`, `header_stamp_secs`, `orientation_covariance_0`).
//!
//! Invariant: a name that a table has is never taken for another, nor one that the query itself gives.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use arrow::datatypes::{DataType, Fields, Schema};
use datafusion::sql::sqlparser::ast::{Cte, Expr, Ident, Query, Select, SelectItem, Statement, TableFactor, VisitMut, VisitorMut};

use super::fields::{Part, compares, make_instant};

/// More leaves of structures get no flat name.
const MOST_FLAT: usize = 4096;

/// The columns of all tables of a query.
#[derive(Default)]
pub(super) struct Columns {
    names: BTreeSet<String>,
    /// Of structures, at any depth.
    fields: BTreeSet<String>,
    /// The path that a flat name stands for.
    flat: BTreeMap<String, Vec<String>>,
    /// What the columns at these paths are; one that is not the same in all tables is nothing in particular.
    kinds: BTreeMap<Vec<String>, Kind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Instant,
    List,
    Other,
}

impl Columns {
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

    /// Makes the names of a query those of the tables.
    pub fn name(&self, ast: &mut Statement) {
        let mut given = Given::default();
        let _ = VisitMut::visit(ast, &mut given);
        let mut namer = Namer { columns: self, given };
        let _ = VisitMut::visit(ast, &mut namer);
    }
}

/// Names that the query gives itself.
#[derive(Default)]
struct Given {
    columns: BTreeSet<String>,
    tables: BTreeSet<String>,
    /// Those of the tables that are queries: their columns are what these call them.
    queries: BTreeSet<String>,
}

impl Given {
    fn cte(&mut self, cte: &Cte) {
        self.tables.insert(cte.alias.name.value.to_lowercase());
        self.queries.insert(cte.alias.name.value.to_lowercase());
        self.columns
            .extend(cte.alias.columns.iter().map(|column| column.name.value.to_lowercase()));
    }
}

impl VisitorMut for Given {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        query.with.iter().flat_map(|with| &with.cte_tables).for_each(|cte| self.cte(cte));
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for item in &select.projection {
            if let SelectItem::ExprWithAlias { alias, .. } = item {
                self.columns.insert(alias.value.to_lowercase());
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        let (alias, name) = match factor {
            TableFactor::Table { alias, name, .. } => (alias.as_ref(), name.0.last().and_then(|part| part.as_ident())),
            TableFactor::Derived { alias, .. } => (alias.as_ref(), None),
            _ => (None, None),
        };
        let name = name.map(|name| name.value.to_lowercase());
        if let Some(alias) = alias {
            let lower = alias.name.value.to_lowercase();
            if name.as_ref().is_none_or(|name| self.queries.contains(name)) {
                self.queries.insert(lower.clone());
            }
            self.tables.insert(lower);
            self.columns
                .extend(alias.columns.iter().map(|column| column.name.value.to_lowercase()));
        }
        self.tables.extend(name);
        ControlFlow::Continue(())
    }
}

struct Namer<'a> {
    columns: &'a Columns,
    given: Given,
}

impl VisitorMut for Namer<'_> {
    type Break = ();

    /// Columns of a result are called as the query spells them.
    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        // what it is ordered by has to stand in its result as it is spelled
        let items = select.projection.iter_mut().filter(|_| select.distinct.is_none());
        for item in items {
            if let SelectItem::UnnamedExpr(expr) = item
                && let Some(title) = self.title(expr)
            {
                *item = SelectItem::ExprWithAlias {
                    expr: expr.clone(),
                    alias: quoted(&title),
                };
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(ident) => {
                if let Some(path) = self.path(ident, true) {
                    *expr = one_or_path(path);
                } else if let Some(part) = self.part(&[], ident) {
                    *expr = part;
                }
            }
            Expr::BinaryOp { left, op, right } if compares(op) => {
                if self.is_instant(left) {
                    make_instant(right);
                } else if self.is_instant(right) {
                    make_instant(left);
                }
            }
            Expr::Between { expr, low, high, .. } if self.is_instant(expr) => [low, high].into_iter().for_each(|bound| make_instant(bound)),
            Expr::CompoundIdentifier(parts) => {
                let first = parts.first().map(|first| first.value.to_lowercase()).unwrap_or_default();
                let (is_table, is_query) = (self.given.tables.contains(&first), self.given.queries.contains(&first));
                let skipped = usize::from(is_table);
                let mut named: Vec<Ident> = parts.iter().take(skipped).cloned().collect();
                for (number, part) in parts.iter().enumerate().skip(skipped) {
                    match number == skipped {
                        true => named.extend(self.path(part, !is_table || is_query).unwrap_or_else(|| vec![part.clone()])),
                        false => named.push(self.field(part)),
                    }
                }
                match self.part_of_path(&named, skipped) {
                    Some(part) => *expr = part,
                    None => *parts = named,
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn one_or_path(mut path: Vec<Ident>) -> Expr {
    match (path.pop(), path.is_empty()) {
        (Some(only), true) => Expr::Identifier(only),
        (last, _) => Expr::CompoundIdentifier(path.into_iter().chain(last).collect()),
    }
}

impl Namer<'_> {
    /// None where a column has its own name.
    fn title(&self, expr: &Expr) -> Option<String> {
        match expr {
            Expr::Identifier(ident) => match self.path(ident, true) {
                Some(path) => (path.len() > 1).then(|| ident.value.clone()),
                None => self.part(&[], ident).map(|_| ident.value.clone()),
            },
            Expr::CompoundIdentifier(parts) => {
                let is_table = parts
                    .first()
                    .is_some_and(|first| self.given.tables.contains(&first.value.to_lowercase()));
                let own = parts.get(usize::from(is_table)..)?;
                let is_one = |only: &Ident| match self.path(only, false) {
                    Some(path) => path.len() == 1,
                    None => self.part(&[], only).is_none(),
                };
                let is_path = own.len() > 1 || !is_one(own.first()?);
                is_path.then(|| own.iter().map(|part| &*part.value).collect::<Vec<_>>().join("."))
            }
            other => Some(other.to_string()),
        }
    }

    /// The column, or the path into one, that an identifier means; None where it stays as it is.
    fn path(&self, ident: &Ident, may_be_given: bool) -> Option<Vec<Ident>> {
        let written = &ident.value;
        let is_quoted = ident.quote_style.is_some();
        if self.columns.names.contains(written) {
            return Some(vec![quoted(written)]);
        }
        let lower = written.to_lowercase();
        if may_be_given && self.given.columns.contains(&lower) {
            return None;
        }
        if !is_quoted && let Some(name) = only_like(&self.columns.names, &lower) {
            return Some(vec![quoted(name)]);
        }
        if let Some(path) = self.columns.flat.get(written) {
            return Some(path.iter().map(|part| quoted(part)).collect());
        }
        let (first, rest) = written.split_once('.').filter(|_| is_quoted)?;
        let is_column = self.columns.names.contains(first);
        is_column.then(|| std::iter::once(first).chain(rest.split('.')).map(quoted).collect())
    }

    fn kind(&self, path: &[Ident]) -> Option<Kind> {
        let path: Vec<String> = path.iter().map(|part| part.value.clone()).collect();
        self.columns.kinds.get(&path).copied()
    }

    fn is_instant(&self, expr: &Expr) -> bool {
        let path = match expr {
            Expr::Identifier(ident) if !self.given.columns.contains(&ident.value.to_lowercase()) => self.path(ident, true),
            Expr::CompoundIdentifier(parts) => {
                let is_table = |first: &Ident| self.given.tables.contains(&first.value.to_lowercase());
                let own = parts.get(usize::from(parts.first().is_some_and(is_table))..).unwrap_or_default();
                own.split_first().and_then(|(first, rest)| {
                    let fields = rest.iter().map(|part| self.field(part));
                    Some(self.path(first, false)?.into_iter().chain(fields).collect())
                })
            }
            _ => None,
        };
        path.is_some_and(|path| self.kind(&path) == Some(Kind::Instant))
    }

    /// What a flat name means that is a part of a column; `before`: the table.
    fn part(&self, before: &[Ident], ident: &Ident) -> Option<Expr> {
        let written = &ident.value;
        if self.columns.names.contains(written) || self.given.columns.contains(&written.to_lowercase()) {
            return None;
        }
        let (column, part) = Part::split(written)?;
        let path = self.path(&quoted(column), false)?;
        let wanted = if part.is_of_instant() { Kind::Instant } else { Kind::List };
        (self.kind(&path) == Some(wanted)).then(|| part.of(&[before, &path].concat()))?
    }

    /// Of a path that is named already and begins with so many parts of its table's name.
    fn part_of_path(&self, named: &[Ident], skipped: usize) -> Option<Expr> {
        let (table, own) = named.split_at_checked(skipped)?;
        let (last, path) = own.split_last()?;
        if path.is_empty() {
            return self.part(table, last);
        }
        let part = Part::of_instant(&last.value).filter(|_| self.kind(path) == Some(Kind::Instant))?;
        part.of(&[table, path].concat())
    }

    /// A field of a structure.
    fn field(&self, ident: &Ident) -> Ident {
        let lower = ident.value.to_lowercase();
        match ident.quote_style {
            Some(_) => ident.clone(),
            None if self.columns.fields.contains(&ident.value) => quoted(&ident.value),
            None => only_like(&self.columns.fields, &lower).map_or_else(|| ident.clone(), quoted),
        }
    }
}

/// The only name that differs in case alone.
fn only_like<'a>(names: &'a BTreeSet<String>, lower: &str) -> Option<&'a str> {
    let mut like = names.iter().filter(|name| name.to_lowercase() == lower);
    let first = like.next()?;
    like.next().is_none().then_some(&**first)
}

fn quoted(name: &str) -> Ident {
    Ident::with_quote('"', name)
}
