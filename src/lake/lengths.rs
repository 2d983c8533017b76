//! `octet_length` and `bit_length`, of bytes too: the library's own know texts alone.

use arrow::compute::cast;
use arrow::compute::kernels::length::{bit_length, length};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

pub(super) fn functions() -> [ScalarUDF; 2] {
    [Unit::Octets, Unit::Bits].map(|unit| {
        ScalarUDF::from(Length {
            unit,
            signature: Signature::any(1, Volatility::Immutable),
        })
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Unit {
    Octets,
    Bits,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Length {
    unit: Unit,
    signature: Signature,
}

impl ScalarUDFImpl for Length {
    fn name(&self) -> &str {
        match self.unit {
            Unit::Octets => "octet_length",
            Unit::Bits => "bit_length",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_scalar = matches!(args.args.as_slice(), [ColumnarValue::Scalar(_)]);
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let Some(array) = arrays.first() else {
            return Ok(ColumnarValue::create_null_array(args.number_rows));
        };
        // what is neither bytes nor text is as long as it is written
        let plain = match array.data_type() {
            DataType::Binary | DataType::LargeBinary | DataType::FixedSizeBinary(_) => array.clone(),
            DataType::BinaryView => cast(array, &DataType::LargeBinary)?,
            _ => cast(array, &DataType::LargeUtf8)?,
        };
        let lengths = match self.unit {
            Unit::Octets => length(&plain)?,
            Unit::Bits => bit_length(&plain)?,
        };
        let lengths = cast(&lengths, &DataType::Int64)?;
        Ok(match is_scalar {
            true => ColumnarValue::Scalar(datafusion::common::ScalarValue::try_from_array(&lengths, 0)?),
            false => ColumnarValue::Array(lengths),
        })
    }
}
