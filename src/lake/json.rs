//! Rows as JSON Lines: numbers that JSON has none for are texts, as they are in messages.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, FieldRef, Float16Type, Float32Type, Float64Type};
use arrow::error::ArrowError;
use arrow::json::writer::{Encoder, EncoderFactory, EncoderOptions, NullableEncoder, WriterBuilder, make_encoder};

use crate::decode::not_finite;

/// Null is written, too.
pub(super) fn builder() -> WriterBuilder {
    WriterBuilder::new()
        .with_explicit_nulls(true)
        .with_encoder_factory(Arc::new(NotFinite))
}

#[derive(Debug)]
struct NotFinite;

static FINITE: LazyLock<EncoderOptions> = LazyLock::new(EncoderOptions::default);

impl EncoderFactory for NotFinite {
    fn make_default_encoder<'a>(
        &self,
        field: &'a FieldRef,
        array: &'a dyn Array,
        _: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        let values: Vec<f64> = match array.data_type() {
            DataType::Float16 => array.as_primitive::<Float16Type>().values().iter().map(|v| f64::from(*v)).collect(),
            DataType::Float32 => array.as_primitive::<Float32Type>().values().iter().map(|v| f64::from(*v)).collect(),
            DataType::Float64 => array.as_primitive::<Float64Type>().values().to_vec(),
            _ => return Ok(None),
        };
        if values.iter().all(|value| value.is_finite()) {
            return Ok(None);
        }
        let finite = make_encoder(field, array, &FINITE)?;
        let encoder = Box::new(Floats { values, finite });
        Ok(Some(NullableEncoder::new(encoder, array.nulls().cloned())))
    }
}

struct Floats<'a> {
    values: Vec<f64>,
    finite: NullableEncoder<'a>,
}

impl Encoder for Floats<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        match self.values.get(row) {
            Some(value) if !value.is_finite() => not_finite(*value, out),
            _ => self.finite.encode(row, out),
        }
    }
}
