//! Types of columns that differ between the files of a table: one that holds the values of all.
//!
//! Invariant: what is cast to the wider type is not changed by it, but for whole numbers among floats.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit};

/// Digits of decimals of 128 and of 256 bits.
const DIGITS: u8 = 38;
const MANY_DIGITS: u8 = 76;

/// Columns, as paths of the fields of structures, that some file has not.
pub(super) struct Absent(BTreeSet<Vec<String>>);

pub(super) fn absent(schemas: &[SchemaRef]) -> Absent {
    let paths = |schema: &SchemaRef| {
        let mut paths = BTreeSet::new();
        add_paths(schema.fields(), &mut Vec::new(), &mut paths);
        paths
    };
    let of_files: Vec<BTreeSet<Vec<String>>> = schemas.iter().map(paths).collect();
    let all: BTreeSet<&Vec<String>> = of_files.iter().flatten().collect();
    let absent = all.into_iter().filter(|path| !of_files.iter().all(|paths| paths.contains(*path)));
    Absent(absent.cloned().collect())
}

impl Absent {
    pub fn has(&self, path: &[&str]) -> bool {
        self.0.iter().any(|absent| absent == path)
    }
}

fn add_paths(fields: &Fields, path: &mut Vec<String>, out: &mut BTreeSet<Vec<String>>) {
    for field in fields {
        path.push(field.name().clone());
        out.insert(path.clone());
        if let DataType::Struct(inner) = field.data_type() {
            add_paths(inner, path, out);
        }
        path.pop();
    }
}

/// The columns of all files; where two differ in a column's type, one that holds both.
pub fn merged(schemas: &[SchemaRef]) -> SchemaRef {
    let mut fields: Vec<FieldRef> = Vec::new();
    for field in schemas.iter().flat_map(|schema| schema.fields()) {
        add(&mut fields, field);
    }
    let is_everywhere = |field: &Field| schemas.iter().all(|schema| schema.column_with_name(field.name()).is_some());
    let fields = fields.into_iter().map(|field| match is_everywhere(&field) {
        true => field,
        false => nullable(&field),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn nullable(field: &Field) -> FieldRef {
    Arc::new(field.clone().with_nullable(true))
}

fn add(fields: &mut Vec<FieldRef>, field: &FieldRef) {
    match fields.iter_mut().find(|known| known.name() == field.name()) {
        None => fields.push(field.clone()),
        Some(known) => *known = wider_field(known, field),
    }
}

fn wider_field(a: &FieldRef, b: &FieldRef) -> FieldRef {
    if a == b {
        return a.clone();
    }
    let of = match a.data_type() == b.data_type() {
        true => a.data_type().clone(),
        false => wider(a.data_type(), b.data_type()),
    };
    Arc::new(Field::new(a.name(), of, a.is_nullable() || b.is_nullable()))
}

fn wider(a: &DataType, b: &DataType) -> DataType {
    use DataType::*;
    match (a, b) {
        (a, b) if a == b => a.clone(),
        (Null, other) | (other, Null) => other.clone(),
        (Dictionary(_, values), other) | (other, Dictionary(_, values)) => wider(values, other),
        (a, b) if a.is_numeric() && b.is_numeric() => wider_number(a, b),
        (Timestamp(unit, zone), Timestamp(other_unit, other_zone)) => {
            let zone = match (zone, other_zone) {
                (Some(zone), Some(other)) if zone == other => Some(zone.clone()),
                (Some(_), Some(_)) => Some("UTC".into()),
                _ => None,
            };
            Timestamp(finer(*unit, *other_unit), zone)
        }
        (Date32 | Date64, other @ Timestamp(..)) | (other @ Timestamp(..), Date32 | Date64) => other.clone(),
        (Date32, Date64) | (Date64, Date32) => Date64,
        (Time32(_) | Time64(_), Time32(_) | Time64(_)) => Time64(TimeUnit::Nanosecond),
        (Duration(unit), Duration(other)) => Duration(finer(*unit, *other)),
        (a, b) if (is_binary(a) && (is_binary(b) || is_text(b))) || (is_text(a) && is_binary(b)) => Binary,
        (Struct(fields), Struct(others)) => {
            let is_in = |fields: &Fields, field: &Field| fields.iter().any(|other| other.name() == field.name());
            let mut all: Vec<FieldRef> = fields.to_vec();
            others.iter().for_each(|field| add(&mut all, field));
            let all = all.into_iter().map(|field| match is_in(fields, &field) && is_in(others, &field) {
                true => field,
                false => nullable(&field),
            });
            Struct(all.collect())
        }
        (Map(entries, _), Map(others, _)) => map(entries, others).unwrap_or(Utf8),
        (a, b) => match (element(a), element(b)) {
            (Some(of), Some(other)) => List(wider_field(of, other)),
            _ => Utf8,
        },
    }
}

/// Names inside of a mapping tell nothing: the second is the value of the first.
fn map(entries: &FieldRef, others: &FieldRef) -> Option<DataType> {
    let (DataType::Struct(fields), DataType::Struct(other_fields)) = (entries.data_type(), others.data_type()) else {
        return None;
    };
    let pairs = fields.iter().zip(other_fields).map(|(field, other)| wider_field(field, other));
    let both = entries.as_ref().clone().with_data_type(DataType::Struct(pairs.collect()));
    Some(DataType::Map(Arc::new(both), false))
}

fn element(of: &DataType) -> Option<&FieldRef> {
    use DataType::*;
    match of {
        List(field) | LargeList(field) | FixedSizeList(field, _) | ListView(field) | LargeListView(field) => Some(field),
        _ => None,
    }
}

fn wider_number(a: &DataType, b: &DataType) -> DataType {
    use DataType::*;
    match (a, b) {
        (Float16, Float32) | (Float32, Float16) => Float32,
        (a, b) if a.is_floating() || b.is_floating() => Float64,
        (a, b) if a.is_signed_integer() && b.is_signed_integer() => Int64,
        (a, b) if a.is_unsigned_integer() && b.is_unsigned_integer() => UInt64,
        (a, b) if a.is_integer() && b.is_integer() && *a != UInt64 && *b != UInt64 => Int64,
        _ => decimal(a, b).unwrap_or(Float64),
    }
}

/// Of whole numbers and decimals; None where there are too many digits.
fn decimal(a: &DataType, b: &DataType) -> Option<DataType> {
    use DataType::*;
    let digits = |of: &DataType| match of {
        Int8 | UInt8 => Some((3, 0)),
        Int16 | UInt16 => Some((5, 0)),
        Int32 | UInt32 => Some((10, 0)),
        Int64 | UInt64 => Some((20, 0)),
        Decimal32(all, scale) | Decimal64(all, scale) | Decimal128(all, scale) | Decimal256(all, scale) => {
            Some((i16::from(*all) - i16::from(*scale), *scale))
        }
        _ => None,
    };
    let ((whole, scale), (other_whole, other_scale)) = (digits(a)?, digits(b)?);
    let scale = scale.max(other_scale);
    let all = u8::try_from(whole.max(other_whole) + i16::from(scale)).ok()?;
    match all {
        0..=DIGITS => Some(Decimal128(all.max(1), scale)),
        all if all <= MANY_DIGITS => Some(Decimal256(all, scale)),
        _ => None,
    }
}

fn finer(a: TimeUnit, b: TimeUnit) -> TimeUnit {
    let order = [TimeUnit::Nanosecond, TimeUnit::Microsecond, TimeUnit::Millisecond];
    order.into_iter().find(|unit| *unit == a || *unit == b).unwrap_or(TimeUnit::Second)
}

fn is_text(of: &DataType) -> bool {
    matches!(of, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn is_binary(of: &DataType) -> bool {
    use DataType::*;
    matches!(of, Binary | LargeBinary | BinaryView | FixedSizeBinary(_))
}
