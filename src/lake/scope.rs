//! What names can mean where they stand: the tables of a SELECT and of those around it, and what queries give to others.

use std::collections::{BTreeMap, BTreeSet};

use arrow::datatypes::DataType;
use datafusion::sql::sqlparser::ast::{
    Cte, Expr, Ident, ObjectName, Query, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, TableAlias, TableFactor, TableWithJoins,
};

use super::known::{Column, Kind, Known, Meaning, quoted};

/// Columns of tables by schema and name.
type Tables = BTreeMap<(String, String), Vec<Column>>;

/// The tables of a SELECT.
#[derive(Default)]
pub(super) struct Scope {
    tables: Vec<Table>,
    all: Known,
    /// Names that the SELECT gives itself, where these go before those of the tables; in small letters.
    given: BTreeSet<String>,
    /// How many queries it stands in.
    depth: usize,
}

impl Scope {
    /// Of the result of a query.
    pub fn of(columns: Vec<Column>) -> Scope {
        let mut scope = Scope::default();
        scope.all.add(&columns);
        scope
    }
}

struct Table {
    /// Where it is registered.
    schema: Option<String>,
    /// The query gives it a name, and so knows it by that alone.
    is_renamed: bool,
    /// As the query calls it, in small letters.
    name: String,
    columns: Vec<Column>,
    known: Known,
}

/// A query under a name: WITH.
#[derive(Clone)]
pub(super) struct Given {
    name: String,
    columns: Vec<Column>,
}

pub(super) struct Scopes<'a> {
    tables: &'a Tables,
    /// Names of fields, at any depth.
    pub fields: &'a BTreeSet<String>,
    /// The last of a name counts.
    pub queries: Vec<Given>,
    /// The innermost last.
    pub stack: Vec<Scope>,
    pub depth: usize,
    /// How many functions around a name: what they take is of the tables.
    pub functions: usize,
}

/// A name that was found.
pub(super) struct Named<'a> {
    pub table: Vec<Ident>,
    pub meaning: Meaning,
    known: Option<&'a Known>,
    /// It is of a query around the one that it stands in.
    pub is_outer: bool,
}

/// What an item of a SELECT gives.
pub(super) struct Item {
    /// What the result calls it and has to be told.
    pub told: Option<String>,
    /// One, but of `*`.
    pub columns: Vec<Column>,
}

impl<'a> Scopes<'a> {
    pub fn new(tables: &'a Tables, fields: &'a BTreeSet<String>) -> Scopes<'a> {
        Scopes {
            tables,
            fields,
            queries: Vec::new(),
            stack: Vec::new(),
            depth: 0,
            functions: 0,
        }
    }

    pub fn of_from(&mut self, from: &[TableWithJoins]) -> Scope {
        let mut tables = Vec::new();
        from.iter().for_each(|one| self.add_tables(one, &mut tables));
        let mut all = Known::default();
        tables.iter().for_each(|table| all.add(&table.columns));
        Scope {
            tables,
            all,
            given: BTreeSet::new(),
            depth: self.depth,
        }
    }

    fn add_tables(&mut self, from: &TableWithJoins, out: &mut Vec<Table>) {
        for factor in std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)) {
            let (schema, name, columns, alias) = match factor {
                TableFactor::NestedJoin { table_with_joins, .. } => {
                    self.add_tables(table_with_joins, out);
                    continue;
                }
                TableFactor::Table { name, alias, .. } => {
                    let (schema, name, columns) = self.table(name);
                    (schema, name, columns, alias.as_ref())
                }
                TableFactor::Derived { subquery, alias, .. } => (None, String::new(), self.of_query(subquery), alias.as_ref()),
                TableFactor::UNNEST { alias, .. } | TableFactor::Function { alias, .. } => {
                    (None, String::new(), Vec::new(), alias.as_ref())
                }
                _ => (None, String::new(), Vec::new(), None),
            };
            let columns = renamed(columns, alias);
            let mut known = Known::default();
            known.add(&columns);
            out.push(Table {
                schema,
                is_renamed: alias.is_some(),
                name: alias.map_or(name, |alias| alias.name.value.to_lowercase()),
                columns,
                known,
            });
        }
    }

    /// Its schema, its name and its columns; none where these are not known.
    fn table(&self, name: &ObjectName) -> (Option<String>, String, Vec<Column>) {
        let parts: Vec<&Ident> = name.0.iter().filter_map(|part| part.as_ident()).collect();
        match parts.as_slice() {
            [schema, table] => {
                let columns = self.tables.get(&(schema.value.clone(), table.value.clone()));
                let columns = columns.cloned().unwrap_or_default();
                (Some(schema.value.to_lowercase()), table.value.to_lowercase(), columns)
            }
            [only] => {
                let name = only.value.to_lowercase();
                let given = self.queries.iter().rev().find(|given| given.name == name);
                let columns = given.map(|given| given.columns.clone()).unwrap_or_default();
                (None, name, columns)
            }
            _ => (None, String::new(), Vec::new()),
        }
    }

    pub fn of_cte(&mut self, cte: &Cte) -> Given {
        Given {
            name: cte.alias.name.value.to_lowercase(),
            columns: renamed(self.of_query(&cte.query), Some(&cte.alias)),
        }
    }

    fn of_query(&mut self, query: &Query) -> Vec<Column> {
        let known = self.queries.len();
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            let given = self.of_cte(cte);
            self.queries.push(given);
        }
        let columns = self.of_body(&query.body);
        self.queries.truncate(known);
        columns
    }

    /// The columns of a result.
    pub fn of_body(&mut self, body: &SetExpr) -> Vec<Column> {
        match body {
            SetExpr::Select(select) => {
                let scope = self.of_from(&select.from);
                self.stack.push(scope);
                let items = self.items(&select.projection);
                self.stack.pop();
                items.into_iter().flat_map(|item| item.columns).collect()
            }
            SetExpr::Query(query) => self.of_query(query),
            SetExpr::SetOperation { left, .. } => self.of_body(left),
            SetExpr::Values(values) => {
                let count = values.rows.first().map_or(0, |row| row.len());
                (1..=count).map(|number| Column::unknown(format!("column{number}"))).collect()
            }
            _ => Vec::new(),
        }
    }

    /// From here on the names that a SELECT gives itself go before those of its tables.
    pub fn set_given(&mut self, projection: &[SelectItem]) {
        let names = projection.iter().filter_map(|item| match item {
            SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.to_lowercase()),
            _ => None,
        });
        if let Some(scope) = self.stack.last_mut() {
            scope.given = names.collect();
        }
    }

    /// What a SELECT gives whose tables are the innermost.
    pub fn items(&self, projection: &[SelectItem]) -> Vec<Item> {
        let mut items: Vec<Item> = projection.iter().map(|item| self.item(item)).collect();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let names = items.iter().flat_map(|item| &item.columns).map(|column| column.name.clone());
        names.for_each(|name| *counts.entry(name).or_default() += 1);
        for (item, given) in projection.iter().zip(&mut items) {
            // two tables have it
            if let SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) = item
                && let [column] = given.columns.as_mut_slice()
                && counts.get(&column.name).is_some_and(|count| *count > 1)
            {
                column.name = joined(parts);
                given.told = Some(column.name.clone());
            }
        }
        items
    }

    fn item(&self, item: &SelectItem) -> Item {
        let expr = match item {
            SelectItem::UnnamedExpr(expr) => expr,
            SelectItem::ExprWithAlias { expr, alias } => {
                let column = Column {
                    name: normal(alias),
                    of: self.holds(expr),
                };
                return Item::unasked(vec![column]);
            }
            SelectItem::ExprWithAliases { aliases, .. } => {
                return Item::unasked(aliases.iter().map(|alias| Column::unknown(normal(alias))).collect());
            }
            SelectItem::Wildcard(_) => return Item::unasked(self.columns_of(|_| true)),
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                let last = name.0.last().and_then(|part| part.as_ident());
                let name = last.map(|last| last.value.to_lowercase()).unwrap_or_default();
                return Item::unasked(self.columns_of(|table| table.name == name));
            }
            SelectItem::QualifiedWildcard(..) => return Item::unasked(Vec::new()),
        };
        let parts = match expr {
            Expr::Identifier(ident) => std::slice::from_ref(ident),
            Expr::CompoundIdentifier(parts) => parts.as_slice(),
            other => return Item::told(other.to_string(), None),
        };
        let own = parts.get(self.table_parts(parts)..).unwrap_or_default();
        let of = self.holds(expr);
        match self.named(expr).map(|named| named.meaning) {
            None => Item::unasked(vec![Column {
                name: own.iter().map(normal).collect::<Vec<_>>().join("."),
                of,
            }]),
            Some(Meaning::Path(path)) if path.len() == 1 => {
                let columns = path.iter().map(|only| Column {
                    name: normal(only),
                    of: of.clone(),
                });
                Item::unasked(columns.collect())
            }
            Some(_) => Item::told(joined(own), of),
        }
    }

    fn columns_of(&self, which: impl Fn(&Table) -> bool) -> Vec<Column> {
        let tables = self.stack.last().into_iter().flat_map(|scope| &scope.tables);
        tables
            .filter(|table| which(table))
            .flat_map(|table| table.columns.clone())
            .collect()
    }

    /// What is known that an expression gives.
    fn holds(&self, expr: &Expr) -> Option<DataType> {
        if let Expr::Nested(inner) = expr {
            return self.holds(inner);
        }
        let named = self.named(expr)?;
        named.known?.of(&named.meaning)
    }

    pub fn kind(&self, expr: &Expr) -> Option<Kind> {
        let named = self.named(expr)?;
        match &named.meaning {
            Meaning::Path(path) => named.known?.kind(path),
            Meaning::Part(..) => Some(Kind::Other),
        }
    }

    /// None where a name stays as it is.
    pub fn named(&self, expr: &Expr) -> Option<Named<'_>> {
        let parts = match expr {
            Expr::Identifier(ident) => return self.alone(ident),
            Expr::CompoundIdentifier(parts) => parts,
            _ => return None,
        };
        if let Some((scope, table, own)) = self.of_table(parts) {
            let (first, rest) = own.split_first()?;
            let name = parts.strip_suffix(own)?;
            let name = if table.is_renamed {
                name.split_last().map(|(last, _)| std::slice::from_ref(last))?
            } else {
                name
            };
            return Some(Named {
                table: name.to_vec(),
                meaning: table.known.path_in(first, rest, self.fields)?,
                known: Some(&table.known),
                is_outer: scope.depth < self.depth,
            });
        }
        let (first, rest) = parts.split_first()?;
        if let Some(found) = self.alone(first) {
            let meaning = found.known?.path_in(first, rest, self.fields)?;
            return Some(Named { meaning, ..found });
        }
        // a query may have passed a field on under its whole name
        self.alone(&quoted(&joined(parts))).or_else(|| {
            Some(Named {
                table: Vec::new(),
                meaning: Known::default().path_in(first, rest, self.fields)?,
                known: None,
                is_outer: false,
            })
        })
    }

    /// A name without a table: of the innermost SELECT whose tables have it.
    fn alone(&self, ident: &Ident) -> Option<Named<'_>> {
        let given = self.stack.last().map(|scope| &scope.given).filter(|_| self.functions == 0);
        if given.is_some_and(|given| given.contains(&ident.value.to_lowercase())) {
            return None;
        }
        self.stack.iter().rev().find_map(|scope| {
            Some(Named {
                table: Vec::new(),
                meaning: scope.all.meaning(ident)?,
                known: Some(&scope.all),
                is_outer: scope.depth < self.depth,
            })
        })
    }

    /// How many parts of a name are its table's.
    fn table_parts(&self, parts: &[Ident]) -> usize {
        self.of_table(parts).map_or(0, |(_, _, own)| parts.len() - own.len())
    }

    /// The table that a name begins with, and the rest of the name.
    fn of_table<'b>(&self, parts: &'b [Ident]) -> Option<(&Scope, &Table, &'b [Ident])> {
        let lower: Vec<String> = parts.iter().take(2).map(|part| part.value.to_lowercase()).collect();
        let (first, rest) = parts.split_first().filter(|(_, rest)| !rest.is_empty())?;
        self.stack.iter().rev().find_map(|scope| {
            let alone = scope.tables.iter().find(|table| Some(&table.name) == lower.first());
            if let Some(table) = alone {
                return Some((scope, table, rest));
            }
            let own = rest.get(1..).filter(|own| !own.is_empty())?;
            let with_schema = |table: &&Table| table.schema.as_ref() == lower.first() && Some(&table.name) == lower.get(1);
            let is_column = scope.all.meaning(first).is_some();
            let table = scope.tables.iter().find(with_schema).filter(|_| !is_column)?;
            Some((scope, table, own))
        })
    }
}

impl Item {
    fn told(name: String, of: Option<DataType>) -> Item {
        Item {
            told: Some(name.clone()),
            columns: vec![Column { name, of }],
        }
    }

    fn unasked(columns: Vec<Column>) -> Item {
        Item { told: None, columns }
    }
}

impl Column {
    fn unknown(name: String) -> Column {
        Column { name, of: None }
    }
}

/// `AS t (a, b)`: the first columns have other names.
fn renamed(mut columns: Vec<Column>, alias: Option<&TableAlias>) -> Vec<Column> {
    let names = alias.into_iter().flat_map(|alias| &alias.columns);
    for (at, column) in names.enumerate() {
        let name = normal(&column.name);
        match columns.get_mut(at) {
            Some(known) => known.name = name,
            None => columns.push(Column::unknown(name)),
        }
    }
    columns
}

/// As the library spells a name.
fn normal(ident: &Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_ascii_lowercase(),
    }
}

pub(super) fn joined(parts: &[Ident]) -> String {
    parts.iter().map(|part| &*part.value).collect::<Vec<_>>().join(".")
}
