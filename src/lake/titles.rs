//! Columns of a result that have one name, as `SELECT *` of a join gives them, are told apart by their tables.

use std::collections::BTreeMap;

use datafusion::common::{Column, TableReference};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

pub(super) fn told_apart(plan: LogicalPlan) -> Result<LogicalPlan> {
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    let mut of_tables: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (table, field) in plan.schema().iter() {
        *names.entry(field.name()).or_default() += 1;
        let table = table.map_or("", TableReference::table);
        *of_tables.entry((table, field.name())).or_default() += 1;
    }
    let is_several = |count: Option<&usize>| count.is_some_and(|count| *count > 1);
    if !names.values().any(|count| is_several(Some(count))) {
        return Ok(plan);
    }
    let columns = plan.schema().iter().map(|(table, field)| {
        let name = field.name();
        let column = Expr::Column(Column::new(table.cloned(), name));
        match table.filter(|_| is_several(names.get(&**name))) {
            None => column,
            // tables of two recordings may be called alike, too
            Some(table) if is_several(of_tables.get(&(table.table(), &**name))) => column.alias(format!("{table}.{name}")),
            Some(table) => column.alias(format!("{}.{name}", table.table())),
        }
    });
    let columns: Vec<Expr> = columns.collect();
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}
