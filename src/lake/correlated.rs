//! Subqueries that compare an expression (a field of a structure) with the query around them: the library joins by columns alone, so the
//! expression becomes one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::common::Column;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{BinaryExpr, Expr, Filter, LogicalPlan, LogicalPlanBuilder, Operator};
use datafusion::optimizer::AnalyzerRule;

pub(super) fn rule() -> Arc<dyn AnalyzerRule + Send + Sync> {
    Arc::new(KeyColumns::default())
}

#[derive(Debug, Default)]
struct KeyColumns {
    /// Names differ between all subqueries of a query.
    made: AtomicUsize,
}

impl AnalyzerRule for KeyColumns {
    fn name(&self) -> &str {
        "key_columns"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let changed = plan.transform_up_with_subqueries(|plan| match plan {
            LogicalPlan::Filter(filter) if filter.predicate.contains_outer() => self.with_keys(filter),
            other => Ok(Transformed::no(other)),
        });
        Ok(changed?.data)
    }
}

impl KeyColumns {
    fn with_keys(&self, filter: Filter) -> Result<Transformed<LogicalPlan>> {
        let mut keys: Vec<Expr> = Vec::new();
        let mut key = |own: &mut Expr, other: &Expr| {
            let is_key = is_own_expression(own) && other.contains_outer() && !other.any_column_refs();
            if is_key {
                let name = format!("__key_{}", self.made.fetch_add(1, Ordering::Relaxed));
                let column = Expr::Column(Column::new_unqualified(name.clone()));
                keys.push(std::mem::replace(own, column).alias(name));
            }
        };
        let conditions = split_conjunction_owned(filter.predicate.clone()).into_iter().map(|mut condition| {
            if let Expr::BinaryExpr(BinaryExpr {
                left,
                op: Operator::Eq,
                right,
            }) = &mut condition
            {
                key(left, right);
                key(right, left);
            }
            condition
        });
        let condition = conjunction(conditions.collect::<Vec<_>>());
        let Some(condition) = condition.filter(|_| !keys.is_empty()) else {
            return Ok(Transformed::no(LogicalPlan::Filter(filter)));
        };
        let columns = filter.input.schema().iter().map(Expr::from);
        let columns: Vec<Expr> = columns.chain(keys).collect();
        let input = Arc::unwrap_or_clone(filter.input);
        let plan = LogicalPlanBuilder::from(input).project(columns)?.filter(condition)?.build()?;
        Ok(Transformed::yes(plan))
    }
}

/// Whether it is made of the subquery's own columns, and no column itself.
fn is_own_expression(expr: &Expr) -> bool {
    let is_column = match expr {
        Expr::Column(_) => true,
        Expr::Cast(cast) => matches!(&*cast.expr, Expr::Column(_)),
        _ => false,
    };
    !is_column && expr.any_column_refs() && !expr.contains_outer()
}
