//! Comparisons of instants with numbers: a number is a time by its magnitude, as everywhere in the program.

use std::sync::{Arc, LazyLock};

use arrow::array::TimestampNanosecondArray;
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{ColumnarValue, Expr, ExprSchemable, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use super::fields::compares;
use crate::format::table::number_times;
use crate::time::Time;

const INSTANT: DataType = DataType::Timestamp(TimeUnit::Nanosecond, None);

pub(super) fn planner() -> Arc<dyn ExprPlanner> {
    Arc::new(Comparisons)
}

#[derive(Debug)]
struct Comparisons;

impl ExprPlanner for Comparisons {
    fn plan_binary_op(&self, mut expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        if compares(&expr.op) {
            let types = (expr.left.get_type(schema), expr.right.get_type(schema));
            match types {
                (Ok(DataType::Timestamp(..)), Ok(number)) if number.is_numeric() => expr.right = instant(expr.right),
                (Ok(number), Ok(DataType::Timestamp(..))) if number.is_numeric() => expr.left = instant(expr.left),
                _ => {}
            }
        }
        Ok(PlannerResult::Original(expr))
    }
}

fn instant(number: Expr) -> Expr {
    static FUNCTION: LazyLock<Arc<ScalarUDF>> =
        LazyLock::new(|| Arc::new(ScalarUDF::from(Instant(Signature::any(1, Volatility::Immutable)))));
    Expr::ScalarFunction(ScalarFunction::new_udf(FUNCTION.clone(), vec![number]))
}

/// Seconds to nanoseconds since 1970 → an instant; what is none is null.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Instant(Signature);

impl ScalarUDFImpl for Instant {
    fn name(&self) -> &str {
        "instant"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(INSTANT)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let nanos = |time: Option<Time>| time.map(Time::nanos);
        Ok(match args.args.first() {
            Some(ColumnarValue::Array(numbers)) => {
                let times = number_times(numbers).into_iter().map(nanos);
                ColumnarValue::Array(Arc::new(times.collect::<TimestampNanosecondArray>()))
            }
            Some(ColumnarValue::Scalar(number)) => {
                let time = number_times(&number.to_array()?).first().copied().flatten();
                ColumnarValue::Scalar(ScalarValue::TimestampNanosecond(nanos(time), None))
            }
            None => ColumnarValue::Scalar(ScalarValue::TimestampNanosecond(None, None)),
        })
    }
}
