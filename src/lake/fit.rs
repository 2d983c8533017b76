//! Columns as JSON can hold them: keys of mappings are texts, bytes base64, as in messages.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeListArray, LargeListArray, ListArray, MapArray, RecordBatch, StringArray, StructArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema};
use arrow::error::ArrowError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub(super) fn for_json(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    if !batch.schema_ref().fields().iter().any(|field| is_unfit(field.data_type())) {
        return Ok(batch.clone());
    }
    let columns = batch.columns().iter().map(fit).collect::<Result<Vec<_>, _>>()?;
    let fields = batch
        .schema_ref()
        .fields()
        .iter()
        .zip(&columns)
        .map(|(field, column)| of(field, column));
    RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns)
}

fn is_binary(of: &DataType) -> bool {
    use DataType::*;
    matches!(of, Binary | LargeBinary | BinaryView | FixedSizeBinary(_))
}

fn is_unfit(of: &DataType) -> bool {
    use DataType::*;
    match of {
        Map(entries, _) => match entries.data_type() {
            Struct(fields) => {
                let mut fields = fields.iter().map(|field| field.data_type());
                fields.next().is_some_and(|key| *key != Utf8) || fields.any(is_unfit)
            }
            _ => false,
        },
        List(field) | LargeList(field) | FixedSizeList(field, _) => is_unfit(field.data_type()),
        Struct(fields) => fields.iter().any(|field| is_unfit(field.data_type())),
        other => is_binary(other),
    }
}

fn of(field: &FieldRef, column: &ArrayRef) -> FieldRef {
    Arc::new(field.as_ref().clone().with_data_type(column.data_type().clone()))
}

fn fit(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    if !is_unfit(array.data_type()) {
        return Ok(array.clone());
    }
    Ok(match array.data_type() {
        DataType::Map(entries, is_sorted) => {
            let map = array.as_map();
            let (keys, values) = (texts(&fit(map.keys())?)?, fit(map.values())?);
            let columns = vec![keys, values];
            let fields: Fields = match entries.data_type() {
                DataType::Struct(fields) => fields.iter().zip(&columns).map(|(field, column)| of(field, column)).collect(),
                _ => return Ok(array.clone()),
            };
            let pairs = StructArray::try_new(fields.clone(), columns, None)?;
            let entries = Arc::new(Field::new(entries.name(), DataType::Struct(fields), false));
            Arc::new(MapArray::try_new(
                entries,
                map.offsets().clone(),
                pairs,
                map.nulls().cloned(),
                *is_sorted,
            )?)
        }
        DataType::List(field) => {
            let list = array.as_list::<i32>();
            let values = fit(list.values())?;
            Arc::new(ListArray::try_new(
                of(field, &values),
                list.offsets().clone(),
                values,
                list.nulls().cloned(),
            )?)
        }
        DataType::LargeList(field) => {
            let list = array.as_list::<i64>();
            let values = fit(list.values())?;
            Arc::new(LargeListArray::try_new(
                of(field, &values),
                list.offsets().clone(),
                values,
                list.nulls().cloned(),
            )?)
        }
        DataType::FixedSizeList(field, size) => {
            let list = array.as_fixed_size_list();
            let values = fit(list.values())?;
            Arc::new(FixedSizeListArray::try_new(
                of(field, &values),
                *size,
                values,
                list.nulls().cloned(),
            )?)
        }
        DataType::Struct(fields) => {
            let structure = array.as_struct();
            let columns = structure.columns().iter().map(fit).collect::<Result<Vec<_>, _>>()?;
            let fields = fields.iter().zip(&columns).map(|(field, column)| of(field, column));
            Arc::new(StructArray::try_new(fields.collect(), columns, structure.nulls().cloned())?)
        }
        _ => {
            let bytes = cast(array, &DataType::LargeBinary)?;
            let encoded = bytes
                .as_binary::<i64>()
                .iter()
                .map(|bytes| bytes.map(|bytes| STANDARD.encode(bytes)));
            Arc::new(encoded.collect::<StringArray>())
        }
    })
}

fn texts(keys: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match keys.data_type() {
        DataType::Utf8 => Ok(keys.clone()),
        _ => cast(keys, &DataType::Utf8),
    }
}
