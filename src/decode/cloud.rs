//! sensor_msgs/PointCloud2: its bytes as they are, and a layout that has been checked against them.
//!
//! Invariant: every field of every point of a [`Cloud`] made here lies inside `data`.

use std::sync::Arc;

use bytes::Bytes;

use super::bind::{Binding, Want, slice_at, struct_of, text_at};
use super::geometry::header_at;
use super::plan::Plan;
use super::reader::Reader;
use super::{Cloud, DecodeError, PointDatatype, PointField, Scalar};

#[derive(Debug)]
pub(super) struct CloudShape {
    message: Binding<9>,
    field: Binding<4>,
    field_min_size: usize,
}

impl CloudShape {
    pub fn of(plan: &Plan) -> Option<CloudShape> {
        let u32 = Want::Scalar(Scalar::U32);
        let wants = [
            ("header", Want::Header),
            ("height", u32),
            ("width", u32),
            ("fields", Want::Structs),
            ("is_bigendian", Want::Byte),
            ("point_step", u32),
            ("row_step", u32),
            ("data", Want::Bytes),
            ("is_dense", Want::Byte),
        ];
        let field = struct_of(plan, plan.root, "fields")?;
        let field_wants = [
            ("name", Want::Text),
            ("offset", u32),
            ("datatype", Want::Scalar(Scalar::U8)),
            ("count", u32),
        ];
        Some(CloudShape {
            message: Binding::new(plan, plan.root, wants)?,
            field: Binding::new(plan, field, field_wants)?,
            field_min_size: plan.types.get(field)?.min_size,
        })
    }

    pub fn decode(&self, plan: &Plan, payload: &Bytes) -> Result<Cloud, DecodeError> {
        let [header, height, width, fields, big, point_step, row_step, data, dense] =
            self.message.locate(plan, &mut Reader::new(payload))?;
        let at = |offset| Reader::starting_at(payload, offset);
        let mut cloud = Cloud {
            header: header_at(payload, header)?,
            height: at(height).u32()?,
            width: at(width).u32()?,
            fields: Arc::from([]),
            is_bigendian: at(big).u8()? != 0,
            point_step: at(point_step).u32()?,
            row_step: at(row_step).u32()?,
            data: slice_at(payload, data, 1)?,
            is_dense: at(dense).u8()? != 0,
            note: None,
        };
        let mut notes = Vec::new();
        fit(&mut cloud, &mut notes);
        cloud.fields = self.fields(plan, payload, fields, cloud.point_step, &mut notes)?;
        // A broken message may have thousands of broken fields.
        notes.truncate(4);
        cloud.note = (!notes.is_empty()).then(|| notes.join("; ").into());
        Ok(cloud)
    }

    fn fields(
        &self,
        plan: &Plan,
        payload: &[u8],
        offset: usize,
        point_step: u32,
        notes: &mut Vec<String>,
    ) -> Result<Arc<[PointField]>, DecodeError> {
        let mut reader = Reader::starting_at(payload, offset);
        let count = reader.count(self.field_min_size)?;
        let mut fields = Vec::new();
        for _ in 0..count {
            let [name, offset, datatype, count] = self.field.locate(plan, &mut reader)?;
            let at = |offset| Reader::starting_at(payload, offset);
            let (name, offset) = (text_at(payload, name)?, at(offset).u32()?);
            // Old drivers leave the count at 0 and mean 1.
            let (datatype, count) = (at(datatype).u8()?, at(count).u32()?.max(1));
            let Some(datatype) = PointDatatype::from_code(datatype) else {
                notes.push(format!("the field “{name}” has the unknown type {datatype}"));
                continue;
            };
            if u64::from(offset) + u64::from(datatype.size()) * u64::from(count) > u64::from(point_step) {
                notes.push(format!("the field “{name}” reaches beyond a point's {point_step} bytes"));
                continue;
            }
            fields.push(PointField {
                name,
                offset,
                datatype,
                count,
            });
        }
        Ok(fields.into())
    }
}

/// Makes width, height and steps agree with the bytes that are there.
fn fit(cloud: &mut Cloud, notes: &mut Vec<String>) {
    let claimed = u64::from(cloud.width) * u64::from(cloud.height);
    let len = cloud.data.len() as u64;
    let step = u64::from(cloud.point_step);
    if step == 0 {
        if claimed > 0 {
            notes.push("the points have no size (point_step is 0)".to_owned());
        }
        (cloud.width, cloud.height) = (0, 0);
        return;
    }
    let row = u64::from(cloud.width) * step;
    if u64::from(cloud.row_step) < row || cloud.height <= 1 {
        let honest = claimed.saturating_mul(step) <= len || cloud.height <= 1;
        match u32::try_from(row) {
            Ok(row) if honest => cloud.row_step = row,
            _ if cloud.height <= 1 => cloud.row_step = u32::MAX,
            _ => cloud.width = u32::try_from(u64::from(cloud.row_step) / step).unwrap_or(0),
        }
    }
    let row = u64::from(cloud.width) * step;
    let row_step = u64::from(cloud.row_step);
    let needed = if cloud.height == 0 || cloud.width == 0 {
        0
    } else {
        row_step.saturating_mul(u64::from(cloud.height) - 1).saturating_add(row)
    };
    if needed > len {
        if cloud.height == 1 {
            cloud.width = u32::try_from(len / step).unwrap_or(cloud.width).min(cloud.width);
            cloud.row_step = u32::try_from(u64::from(cloud.width) * step).unwrap_or(u32::MAX);
        } else if len >= row && row_step > 0 {
            cloud.height = u32::try_from((len - row) / row_step + 1).unwrap_or(cloud.height).min(cloud.height);
        } else {
            (cloud.width, cloud.height) = (0, 0);
        }
    }
    let kept = u64::from(cloud.width) * u64::from(cloud.height);
    if kept < claimed {
        notes.push(format!("{claimed} points announced, {kept} there"));
    }
}

impl PointDatatype {
    /// sensor_msgs/PointField's constants 1 to 8.
    pub fn from_code(code: u8) -> Option<PointDatatype> {
        Some(match code {
            1 => PointDatatype::Int8,
            2 => PointDatatype::Uint8,
            3 => PointDatatype::Int16,
            4 => PointDatatype::Uint16,
            5 => PointDatatype::Int32,
            6 => PointDatatype::Uint32,
            7 => PointDatatype::Float32,
            8 => PointDatatype::Float64,
            _ => return None,
        })
    }

    /// Bytes of one value.
    pub fn size(self) -> u32 {
        match self {
            PointDatatype::Int8 | PointDatatype::Uint8 => 1,
            PointDatatype::Int16 | PointDatatype::Uint16 => 2,
            PointDatatype::Int32 | PointDatatype::Uint32 | PointDatatype::Float32 => 4,
            PointDatatype::Float64 => 8,
        }
    }

    /// The first value of `data`; every one of these types fits f64 exactly.
    pub fn read(self, data: &[u8], is_bigendian: bool) -> Option<f64> {
        fn ordered<const N: usize>(data: &[u8], is_bigendian: bool) -> Option<[u8; N]> {
            let mut bytes = *data.first_chunk::<N>()?;
            if is_bigendian {
                bytes.reverse();
            }
            Some(bytes)
        }
        Some(match self {
            PointDatatype::Int8 => f64::from(i8::from_le_bytes(ordered(data, is_bigendian)?)),
            PointDatatype::Uint8 => f64::from(u8::from_le_bytes(ordered(data, is_bigendian)?)),
            PointDatatype::Int16 => f64::from(i16::from_le_bytes(ordered(data, is_bigendian)?)),
            PointDatatype::Uint16 => f64::from(u16::from_le_bytes(ordered(data, is_bigendian)?)),
            PointDatatype::Int32 => f64::from(i32::from_le_bytes(ordered(data, is_bigendian)?)),
            PointDatatype::Uint32 => f64::from(u32::from_le_bytes(ordered(data, is_bigendian)?)),
            PointDatatype::Float32 => f64::from(f32::from_le_bytes(ordered(data, is_bigendian)?)),
            PointDatatype::Float64 => f64::from_le_bytes(ordered(data, is_bigendian)?),
        })
    }
}

impl Cloud {
    /// Number of points, invalid ones included.
    pub fn len(&self) -> usize {
        self.width as usize * self.height as usize
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn field(&self, name: &str) -> Option<&PointField> {
        self.fields.iter().find(|f| &*f.name == name)
    }

    /// The bytes of one point; points count along rows.
    pub fn point_bytes(&self, index: usize) -> Option<&[u8]> {
        let width = self.width as usize;
        if index >= self.len() || width == 0 {
            return None;
        }
        let start = (index / width)
            .checked_mul(self.row_step as usize)?
            .checked_add((index % width).checked_mul(self.point_step as usize)?)?;
        self.data.get(start..start.checked_add(self.point_step as usize)?)
    }

    /// Every field of one point, in the order of its fields; a field of several values as `name[0]`, `name[1]` …
    pub fn point(&self, index: usize) -> Vec<(Arc<str>, f64)> {
        let mut values = Vec::new();
        let Some(point) = self.point_bytes(index) else { return values };
        for field in self.fields.iter() {
            for element in 0..field.count {
                let start = field.offset as usize + element as usize * field.datatype.size() as usize;
                let Some(value) = point.get(start..).and_then(|data| field.datatype.read(data, self.is_bigendian)) else {
                    break;
                };
                let name = if field.count == 1 {
                    field.name.clone()
                } else {
                    format!("{}[{element}]", field.name).into()
                };
                values.push((name, value));
            }
        }
        values
    }

    /// One value of one point.
    pub fn value(&self, index: usize, field: &PointField) -> Option<f64> {
        field
            .datatype
            .read(self.point_bytes(index)?.get(field.offset as usize..)?, self.is_bigendian)
    }

    /// x, y, z as they stand in the message, in the frame of the header; may be NaN. None where a field or the point is missing.
    pub fn position(&self, index: usize) -> Option<[f64; 3]> {
        Some([
            self.value(index, self.field("x")?)?,
            self.value(index, self.field("y")?)?,
            self.value(index, self.field("z")?)?,
        ])
    }
}
