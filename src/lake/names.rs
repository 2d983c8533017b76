//! Names of columns as people write them → as the tables have them: in any case, `a.b.c` in quotes, or flat as AWS's tables have it
//! (`linear_acceleration_x` for `linear_acceleration.x`, `header_stamp_secs`, `orientation_covariance_0`).
//!
//! Invariant: a name is one of the tables of the SELECT that it stands in, or of those around it; a name that these have is never taken
//! for another. What a query passes on under a flat name has this name for the queries around it, too.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::ops::ControlFlow;

use arrow::datatypes::SchemaRef;
use datafusion::sql::sqlparser::ast::{
    AccessExpr, Expr, GroupByExpr, Ident, OrderBy, OrderByKind, Query, Select, SelectItem, SetExpr, Statement, Subscript, Value, VisitMut,
    VisitorMut, With,
};

use super::fields::{any_of, between, compares, expression, make_instant};
use super::known::{Column, Kind, Meaning, add_field_names, quoted, spelled};
use super::scope::{Item, Named, Scope, Scopes};

/// The columns of all tables of a query.
#[derive(Default)]
pub(super) struct Columns {
    /// By schema and name.
    tables: BTreeMap<(String, String), Vec<Column>>,
    /// Names of fields, at any depth.
    fields: BTreeSet<String>,
}

impl Columns {
    pub fn add(&mut self, table: &(String, String), schema: &SchemaRef) {
        schema
            .fields()
            .iter()
            .for_each(|field| add_field_names(field.data_type(), &mut self.fields));
        let columns = schema.fields().iter().map(|field| Column {
            name: field.name().clone(),
            of: Some(field.data_type().clone()),
        });
        self.tables.insert(table.clone(), columns.collect());
    }

    /// Makes the names of a query those of the tables.
    pub fn name(&self, ast: &mut Statement) {
        let mut namer = Namer {
            scopes: Scopes::new(&self.tables, &self.fields),
            queries: Vec::new(),
            selects: Vec::new(),
        };
        let _ = VisitMut::visit(ast, &mut namer);
    }
}

struct Namer<'a> {
    scopes: Scopes<'a>,
    /// What was named first and must not be named again, while the rest is.
    queries: Vec<(Option<With>, Option<OrderBy>, usize)>,
    selects: Vec<(GroupByExpr, Option<Expr>, Option<Expr>)>,
}

impl VisitorMut for Namer<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        self.scopes.depth += 1;
        let known = self.scopes.queries.len();
        if let Some(with) = &mut query.with {
            for cte in &mut with.cte_tables {
                let given = self.scopes.of_cte(cte);
                if with.recursive {
                    self.scopes.queries.push(given.clone());
                }
                let _ = VisitMut::visit(&mut cte.query, self);
                self.scopes.queries.push(given);
            }
        }
        if let Some(order) = &mut query.order_by {
            self.name_order(&query.body, order);
        }
        self.queries.push((query.with.take(), query.order_by.take(), known));
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        self.scopes.depth -= 1;
        if let Some((with, order, known)) = self.queries.pop() {
            (query.with, query.order_by) = (with, order);
            self.scopes.queries.truncate(known);
        }
        ControlFlow::Continue(())
    }

    /// Columns of a result are called as the query spells them.
    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let scope = self.scopes.of_from(&select.from);
        self.scopes.stack.push(scope);
        self.scopes.set_given(&select.projection);
        let _ = VisitMut::visit(&mut select.group_by, self);
        let _ = VisitMut::visit(&mut select.having, self);
        let _ = VisitMut::visit(&mut select.qualify, self);
        self.scopes.set_given(&[]);
        let nothing = GroupByExpr::Expressions(Vec::new(), Vec::new());
        let group = mem::replace(&mut select.group_by, nothing);
        self.selects.push((group, select.having.take(), select.qualify.take()));
        let items = self.scopes.items(&select.projection);
        for (item, Item { told, .. }) in select.projection.iter_mut().zip(items) {
            if let (SelectItem::UnnamedExpr(expr), Some(told)) = (&*item, told) {
                *item = SelectItem::ExprWithAlias {
                    expr: expr.clone(),
                    alias: quoted(&told),
                };
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        self.scopes.stack.pop();
        if let Some(named) = self.selects.pop() {
            (select.group_by, select.having, select.qualify) = named;
        }
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
                if let Some(spelled) = self.scopes.named(expr).map(Named::spelled) {
                    *expr = spelled;
                }
            }
            Expr::CompoundFieldAccess { root, access_chain } => {
                take_in(root, access_chain);
                access_chain.iter_mut().for_each(|access| self.name_field(access));
            }
            Expr::Function(_) => self.scopes.functions += 1,
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if matches!(expr, Expr::Function(_)) {
            self.scopes.functions -= 1;
        }
        ControlFlow::Continue(())
    }
}

impl Namer<'_> {
    /// Rows are ordered by what the result has, before what the tables have.
    fn name_order(&mut self, body: &SetExpr, order: &mut OrderBy) {
        let OrderByKind::Expressions(exprs) = &mut order.kind else { return };
        let (scope, projection) = match body {
            SetExpr::Select(select) => (self.scopes.of_from(&select.from), &*select.projection),
            other => (Scope::of(self.scopes.of_body(other)), &[][..]),
        };
        self.scopes.stack.push(scope);
        let items = self.scopes.items(projection);
        self.scopes.set_given(projection);
        for one in exprs {
            match told(projection, &items, &one.expr) {
                Some(name) => one.expr = Expr::Identifier(quoted(&name)),
                None => {
                    let _ = VisitMut::visit(&mut one.expr, self);
                }
            }
        }
        self.scopes.stack.pop();
    }

    /// `[1].id`, as `[1]['id']`.
    fn name_field(&self, access: &mut AccessExpr) {
        if let AccessExpr::Dot(Expr::Identifier(field)) = access {
            let field = spelled(field, self.scopes.fields.iter()).value;
            *access = AccessExpr::Subscript(Subscript::Index {
                index: Expr::value(Value::SingleQuotedString(field)),
            });
        }
    }

    fn is_instant(&self, expr: &Expr) -> bool {
        self.scopes.kind(expr) == Some(Kind::Instant)
    }

    /// Of a list of what a time may be compared with.
    fn any_of(&self, expr: &Expr) -> Option<Expr> {
        let Expr::InList { expr: one, .. } = expr else { return None };
        matches!(self.scopes.kind(one), None | Some(Kind::Instant)).then(|| any_of(expr))?
    }
}

/// The words before the first bracket are a name.
fn take_in(root: &mut Expr, chain: &mut Vec<AccessExpr>) {
    let mut name = match root {
        Expr::Identifier(ident) => vec![ident.clone()],
        Expr::CompoundIdentifier(parts) => parts.clone(),
        _ => return,
    };
    let words = chain.iter().map_while(|access| match access {
        AccessExpr::Dot(Expr::Identifier(word)) => Some(word.clone()),
        _ => None,
    });
    let before = name.len();
    name.extend(words);
    if name.len() > before {
        chain.drain(..name.len() - before);
        *root = Expr::CompoundIdentifier(name);
    }
}

/// What the result calls an expression that it is ordered by: by its name there, or because it has it.
fn told(projection: &[SelectItem], items: &[Item], by: &Expr) -> Option<String> {
    let names = projection.iter().zip(items).filter_map(|(item, given)| match item {
        SelectItem::UnnamedExpr(expr) => Some((expr, given.told.as_ref()?)),
        SelectItem::ExprWithAlias { expr, .. } => Some((expr, &given.columns.first()?.name)),
        _ => None,
    });
    let by_name = names.clone().find(|(_, name)| match by {
        Expr::Identifier(ident) if ident.quote_style.is_some() => ident.value == **name,
        Expr::Identifier(ident) => ident.value.eq_ignore_ascii_case(name),
        _ => false,
    });
    let found = by_name.or_else(|| names.clone().find(|(expr, _)| *expr == by));
    found.map(|(_, name)| name.clone())
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
fn at(table: Vec<Ident>, path: Vec<Ident>, is_outer: bool) -> Expr {
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
