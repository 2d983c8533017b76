//! Names of columns as people write them → as the tables have them: in any case, `a.b.c` in quotes, or flat as AWS's tables have it
//! (`linear_acceleration_x` for `linear_acceleration.x`, `header_stamp_secs`, `orientation_covariance_0`).
//!
//! Invariant: a name that a table has is never taken for another, nor one that the query itself gives.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use arrow::datatypes::SchemaRef;
use datafusion::sql::sqlparser::ast::{
    Cte, Expr, Ident, Query, Select, SelectItem, SetExpr, Statement, TableFactor, TableWithJoins, VisitMut, VisitorMut,
};

use super::fields::{Part, any_of, between, compares, expression, make_instant};
use super::known::{Kind, Known, Meaning, quoted};

/// The columns of all tables of a query.
#[derive(Default)]
pub(super) struct Columns {
    all: Known,
    /// By schema and name.
    tables: BTreeMap<(String, String), SchemaRef>,
}

impl Columns {
    pub fn add(&mut self, table: &(String, String), schema: &SchemaRef) {
        self.all.add(schema);
        self.tables.insert(table.clone(), schema.clone());
    }

    /// Makes the names of a query those of the tables.
    pub fn name(&self, ast: &mut Statement) {
        let mut given = Given::default();
        let _ = VisitMut::visit(ast, &mut given);
        let mut namer = Namer {
            columns: self,
            given,
            scopes: Vec::new(),
            depth: 0,
        };
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

/// The tables of a SELECT, by the names that it has for them.
struct Scope {
    tables: Vec<(String, Option<Known>)>,
    /// Of all of them; None where one is a query.
    all: Option<Known>,
    /// How many queries it stands in.
    depth: usize,
}

struct Namer<'a> {
    columns: &'a Columns,
    given: Given,
    /// The innermost last.
    scopes: Vec<Scope>,
    depth: usize,
}

/// A name that was found.
struct Named<'a> {
    table: Option<Ident>,
    meaning: Meaning,
    known: &'a Known,
    /// It is of a query around the one that it stands in.
    is_outer: bool,
}

impl VisitorMut for Namer<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        // what the rows are ordered by stands behind the SELECT
        if let SetExpr::Select(select) = &*query.body {
            self.scopes.push(self.scope(&select.from));
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        if matches!(*query.body, SetExpr::Select(_)) {
            self.scopes.pop();
        }
        ControlFlow::Continue(())
    }

    /// Columns of a result are called as the query spells them.
    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        self.scopes.push(self.scope(&select.from));
        // what it is ordered by has to stand in its result as it is spelled
        if select.distinct.is_some() {
            return ControlFlow::Continue(());
        }
        let titles: Vec<(Option<String>, Option<String>)> = select.projection.iter().map(|item| self.title(item)).collect();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let shown = titles.iter().filter_map(|(title, own)| title.as_ref().or(own.as_ref()));
        shown.for_each(|name| *counts.entry(name).or_default() += 1);
        let is_taken = |name: &Option<String>| {
            name.as_ref()
                .is_some_and(|name| counts.get(&**name).is_some_and(|count| *count > 1))
        };
        for (item, (title, own)) in select.projection.iter_mut().zip(&titles) {
            let SelectItem::UnnamedExpr(expr) = item else { continue };
            let whole = match expr {
                // two tables have it
                Expr::CompoundIdentifier(parts) if is_taken(title) || (title.is_none() && is_taken(own)) => Some(joined(parts)),
                _ => None,
            };
            if let Some(title) = whole.as_ref().or(title.as_ref()) {
                *item = SelectItem::ExprWithAlias {
                    expr: expr.clone(),
                    alias: quoted(title),
                };
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, _: &mut Select) -> ControlFlow<()> {
        self.scopes.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        // of comparisons it is known what is compared with what: numbers with times, too
        if let Some(spelled) = between(expr).or_else(|| self.any_of(expr)) {
            *expr = spelled;
        }
        match expr {
            Expr::BinaryOp { left, op, right } if compares(op) => {
                if self.is_instant(left) {
                    make_instant(right);
                } else if self.is_instant(right) {
                    make_instant(left);
                }
            }
            Expr::InList { expr, list, .. } if self.is_instant(expr) => list.iter_mut().for_each(make_instant),
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => {
                if let Some(spelled) = self.named(expr).map(|named| named.spelled()) {
                    *expr = spelled;
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn joined(parts: &[Ident]) -> String {
    parts.iter().map(|part| &*part.value).collect::<Vec<_>>().join(".")
}

impl Named<'_> {
    fn spelled(self) -> Expr {
        match self.meaning {
            Meaning::Path(path) => at(self.table, path, self.is_outer),
            Meaning::Part(path, part) => {
                let column = at(self.table, path, self.is_outer);
                part.of(&column).unwrap_or(column)
            }
        }
    }
}

/// The column at a path. The planner knows fields of columns of outer queries by subscripts only.
fn at(table: Option<Ident>, path: Vec<Ident>, is_outer: bool) -> Expr {
    let whole = if is_outer { 1 } else { path.len() };
    let mut parts: Vec<Ident> = table.into_iter().chain(path.iter().take(whole).cloned()).collect();
    let column = match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => Expr::Identifier(only),
        (last, _) => Expr::CompoundIdentifier(parts.into_iter().chain(last).collect()),
    };
    let subscripts: String = path
        .iter()
        .skip(whole)
        .map(|part| format!("['{}']", part.value.replace('\'', "''")))
        .collect();
    match subscripts.is_empty() {
        true => column,
        false => expression(&format!("{column}{subscripts}")).unwrap_or(column),
    }
}

impl Namer<'_> {
    fn scope(&self, from: &[TableWithJoins]) -> Scope {
        let mut tables = Vec::new();
        from.iter().for_each(|one| factors(one, &mut tables));
        let schemas: Vec<(String, Option<&SchemaRef>)> = tables
            .into_iter()
            .map(|(name, table)| (name, table.and_then(|table| self.columns.tables.get(&table))))
            .collect();
        let known = |schemas: &mut dyn Iterator<Item = &SchemaRef>| {
            let mut known = Known::default();
            schemas.for_each(|schema| known.add(schema));
            known
        };
        let is_known = !schemas.is_empty() && schemas.iter().all(|(_, schema)| schema.is_some());
        Scope {
            all: is_known.then(|| known(&mut schemas.iter().filter_map(|(_, schema)| *schema))),
            tables: schemas
                .iter()
                .map(|(name, schema)| (name.clone(), schema.map(|schema| known(&mut std::iter::once(schema)))))
                .collect(),
            depth: self.depth,
        }
    }

    fn is_given(&self, lower: &str) -> bool {
        self.given.columns.contains(lower)
    }

    /// What the result calls it and has to be told; what it calls it unasked.
    fn title(&self, item: &SelectItem) -> (Option<String>, Option<String>) {
        let expr = match item {
            SelectItem::UnnamedExpr(expr) => expr,
            SelectItem::ExprWithAlias { alias, .. } => return (None, Some(alias.value.clone())),
            _ => return (None, None),
        };
        let parts = match expr {
            Expr::Identifier(ident) => std::slice::from_ref(ident),
            Expr::CompoundIdentifier(parts) => parts.as_slice(),
            other => return (Some(other.to_string()), None),
        };
        let written = || joined(parts.get(usize::from(self.is_table(parts))..).unwrap_or_default());
        match self.named(expr).map(|named| named.meaning) {
            None => (None, Some(written())),
            Some(Meaning::Path(path)) if path.len() == 1 => (None, path.first().map(|name| name.value.clone())),
            Some(_) => (Some(written()), None),
        }
    }

    /// Whether a name begins with a table's.
    fn is_table(&self, parts: &[Ident]) -> bool {
        let first = parts.first().filter(|_| parts.len() > 1);
        first.is_some_and(|first| self.given.tables.contains(&first.value.to_lowercase()))
    }

    /// None where a name stays as it is.
    fn named(&self, expr: &Expr) -> Option<Named<'_>> {
        match expr {
            Expr::Identifier(ident) => self.alone(ident),
            Expr::CompoundIdentifier(parts) => match self.is_table(parts) {
                true => self.of_table(parts.first()?, parts.get(1..)?),
                false => {
                    let (first, rest) = parts.split_first()?;
                    let (known, is_outer) = match self.alone(first) {
                        Some(named) => (named.known, named.is_outer),
                        None => (&self.columns.all, false),
                    };
                    let meaning = path_in(known, first, rest, |lower| self.is_given(lower))?;
                    Some(Named {
                        table: None,
                        meaning,
                        known,
                        is_outer,
                    })
                }
            },
            _ => None,
        }
    }

    /// A name without a table: of the innermost query whose tables have it.
    fn alone(&self, ident: &Ident) -> Option<Named<'_>> {
        let scopes = self.scopes.iter().rev().map(|scope| (scope.all.as_ref(), scope.depth < self.depth));
        let known = scopes.map(|(known, is_outer)| (known.unwrap_or(&self.columns.all), is_outer && known.is_some()));
        known.chain([(&self.columns.all, false)]).find_map(|(known, is_outer)| {
            let meaning = known.meaning(ident, |lower| self.is_given(lower))?;
            Some(Named {
                table: None,
                meaning,
                known,
                is_outer,
            })
        })
    }

    fn of_table(&self, table: &Ident, own: &[Ident]) -> Option<Named<'_>> {
        let lower = table.value.to_lowercase();
        let found = self.scopes.iter().rev().find_map(|scope| {
            let (_, known) = scope.tables.iter().find(|(name, _)| *name == lower)?;
            Some((known.as_ref(), scope.depth < self.depth))
        });
        let (known, is_outer) = found.unwrap_or((None, false));
        let may_be_given = known.is_none() && self.given.queries.contains(&lower);
        let known = known.unwrap_or(&self.columns.all);
        let (first, rest) = own.split_first()?;
        let meaning = path_in(known, first, rest, |lower| may_be_given && self.is_given(lower))?;
        Some(Named {
            table: Some(table.clone()),
            meaning,
            known,
            is_outer,
        })
    }

    /// None where it is not known.
    fn kind(&self, expr: &Expr) -> Option<Kind> {
        let is_given = matches!(expr, Expr::Identifier(ident) if self.is_given(&ident.value.to_lowercase()));
        let named = self.named(expr).filter(|_| !is_given)?;
        match &named.meaning {
            Meaning::Path(path) => named.known.kind(path),
            Meaning::Part(..) => Some(Kind::Other),
        }
    }

    fn is_instant(&self, expr: &Expr) -> bool {
        self.kind(expr) == Some(Kind::Instant)
    }

    /// Of a list of what a time may be compared with.
    fn any_of(&self, expr: &Expr) -> Option<Expr> {
        let Expr::InList { expr: one, .. } = expr else { return None };
        matches!(self.kind(one), None | Some(Kind::Instant)).then(|| any_of(expr))?
    }
}

/// A column and the fields behind it.
fn path_in(known: &Known, first: &Ident, rest: &[Ident], given: impl Fn(&str) -> bool) -> Option<Meaning> {
    let mut path = match (known.meaning(first, given), rest.is_empty()) {
        (Some(Meaning::Path(path)), _) => path,
        (Some(part), true) => return Some(part),
        (Some(_), false) => return None,
        (None, _) => vec![first.clone()],
    };
    path.extend(rest.iter().map(|part| known.field(part)));
    // the seconds of an instant, as a field
    if let Some((last, before)) = path.split_last()
        && !before.is_empty()
        && let Some(part) = Part::of_instant(&last.value)
        && known.kind(before) == Some(Kind::Instant)
    {
        return Some(Meaning::Part(before.to_vec(), part));
    }
    Some(Meaning::Path(path))
}

/// Names of tables, and where ours are registered.
fn factors(from: &TableWithJoins, out: &mut Vec<(String, Option<(String, String)>)>) {
    for factor in std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)) {
        match factor {
            TableFactor::NestedJoin { table_with_joins, .. } => factors(table_with_joins, out),
            TableFactor::Table { name, alias, .. } => {
                let parts: Vec<&Ident> = name.0.iter().filter_map(|part| part.as_ident()).collect();
                let has_columns = alias.as_ref().is_some_and(|alias| !alias.columns.is_empty());
                let table = match parts.as_slice() {
                    [schema, table] if !has_columns => Some((schema.value.clone(), table.value.clone())),
                    _ => None,
                };
                let shown = alias.as_ref().map(|alias| &alias.name).or(parts.last().copied());
                out.push((shown.map(|name| name.value.to_lowercase()).unwrap_or_default(), table));
            }
            TableFactor::Derived { alias: Some(alias), .. } => out.push((alias.name.value.to_lowercase(), None)),
            _ => out.push((String::new(), None)),
        }
    }
}
