//! Where numbers lie in a point's bytes, and reading them on the CPU the way the shader does.
//!
//! Invariant: no byte sequence and no layout panics; a number that lies outside the data reads as nothing.

use glam::DVec3;

/// Number types of point fields, numbered as `sensor_msgs/PointField` numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum NumberKind {
    I8 = 1,
    U8 = 2,
    I16 = 3,
    U16 = 4,
    I32 = 5,
    U32 = 6,
    F32 = 7,
    F64 = 8,
}

impl NumberKind {
    pub const ALL: [NumberKind; 8] = [
        NumberKind::I8,
        NumberKind::U8,
        NumberKind::I16,
        NumberKind::U16,
        NumberKind::I32,
        NumberKind::U32,
        NumberKind::F32,
        NumberKind::F64,
    ];

    pub fn size(self) -> u32 {
        match self {
            NumberKind::I8 | NumberKind::U8 => 1,
            NumberKind::I16 | NumberKind::U16 => 2,
            NumberKind::I32 | NumberKind::U32 | NumberKind::F32 => 4,
            NumberKind::F64 => 8,
        }
    }

    /// The number at `at`, or None past the end.
    pub fn read(self, data: &[u8], at: usize, big_endian: bool) -> Option<f64> {
        fn take<const N: usize>(data: &[u8], at: usize, big_endian: bool) -> Option<[u8; N]> {
            let mut bytes: [u8; N] = data.get(at..at.checked_add(N)?)?.try_into().ok()?;
            if big_endian {
                bytes.reverse();
            }
            Some(bytes)
        }
        Some(match self {
            NumberKind::I8 => f64::from(i8::from_le_bytes(take(data, at, big_endian)?)),
            NumberKind::U8 => f64::from(u8::from_le_bytes(take(data, at, big_endian)?)),
            NumberKind::I16 => f64::from(i16::from_le_bytes(take(data, at, big_endian)?)),
            NumberKind::U16 => f64::from(u16::from_le_bytes(take(data, at, big_endian)?)),
            NumberKind::I32 => f64::from(i32::from_le_bytes(take(data, at, big_endian)?)),
            NumberKind::U32 => f64::from(u32::from_le_bytes(take(data, at, big_endian)?)),
            NumberKind::F32 => f64::from(f32::from_le_bytes(take(data, at, big_endian)?)),
            NumberKind::F64 => f64::from_le_bytes(take(data, at, big_endian)?),
        })
    }
}

/// One number of every point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PointField {
    /// Bytes from the start of the point.
    pub offset: u32,
    pub kind: NumberKind,
}

/// Where the points of a cloud lie in its bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PointLayout {
    pub width: u32,
    pub height: u32,
    /// Bytes from one point to the next, and from one row to the next.
    pub point_step: u32,
    pub row_step: u32,
    pub big_endian: bool,
    /// x, y and z; a missing one reads 0.
    pub position: [Option<PointField>; 3],
    /// Subtracted from positions before they become f32; matters for F64 fields far from zero. See [`PointLayout::with_origin`].
    pub origin: DVec3,
}

/// About so many points tell a cloud's extent: each costs the window's thread a trip to memory.
const BOUNDS_POINTS: u32 = 4096;

/// An axis-aligned box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    pub min: DVec3,
    pub max: DVec3,
}

impl Bounds {
    pub fn of(points: impl IntoIterator<Item = DVec3>) -> Option<Bounds> {
        points
            .into_iter()
            .filter(|p| p.is_finite())
            .map(|p| Bounds { min: p, max: p })
            .reduce(Bounds::union)
    }

    pub fn union(self, other: Bounds) -> Bounds {
        Bounds {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }
}

impl PointLayout {
    /// Tightly packed little-endian f32 x, y, z at the start of every point.
    pub fn xyz_f32(count: u32, point_step: u32) -> PointLayout {
        let field = |offset| {
            Some(PointField {
                offset,
                kind: NumberKind::F32,
            })
        };
        PointLayout {
            width: count,
            height: 1,
            point_step,
            row_step: count.saturating_mul(point_step),
            big_endian: false,
            position: [field(0), field(4), field(8)],
            origin: DVec3::ZERO,
        }
    }

    pub fn count(&self) -> u32 {
        self.width.saturating_mul(self.height)
    }

    /// Byte at which a point starts. `index` counts along rows.
    pub fn point_start(&self, index: u32) -> usize {
        let width = self.width.max(1);
        let (row, column) = ((index / width) as usize, (index % width) as usize);
        row.saturating_mul(self.row_step as usize)
            .saturating_add(column.saturating_mul(self.point_step as usize))
    }

    pub fn number(&self, data: &[u8], index: u32, field: PointField) -> Option<f64> {
        field
            .kind
            .read(data, self.point_start(index).saturating_add(field.offset as usize), self.big_endian)
    }

    /// A point's position; None where a number is missing, NaN or infinite.
    pub fn position(&self, data: &[u8], index: u32) -> Option<DVec3> {
        let [x, y, z] = self.position.map(|field| match field {
            Some(field) => self.number(data, index, field),
            None => Some(0.0),
        });
        Some(DVec3::new(x?, y?, z?)).filter(|p| p.is_finite())
    }

    /// The position as the shader sees it: relative to `origin`, in f32.
    pub fn position_f32(&self, data: &[u8], index: u32) -> Option<glam::Vec3> {
        Some((self.position(data, index)? - self.origin).as_vec3())
    }

    /// Takes the first valid point as origin where positions are F64, so that f32 keeps millimetres anywhere on Earth.
    pub fn with_origin(mut self, data: &[u8]) -> PointLayout {
        let wide = self.position.iter().flatten().any(|field| field.kind == NumberKind::F64);
        self.origin = match (0..self.count()).find_map(|index| self.position(data, index)) {
            Some(first) if wide => first.round(),
            _ => DVec3::ZERO,
        };
        self
    }

    /// Smallest and largest finite value of a field over all points; None where there is none.
    pub fn range(&self, data: &[u8], field: PointField) -> Option<(f32, f32)> {
        let mut range: Option<(f32, f32)> = None;
        for index in 0..self.count() {
            let Some(value) = self.number(data, index, field).map(|v| v as f32).filter(|v| v.is_finite()) else {
                continue;
            };
            range = Some(range.map_or((value, value), |(low, high)| (low.min(value), high.max(value))));
        }
        range
    }

    /// The box around all valid points, in the cloud's own frame. Looks at no more than a few thousand points, evenly spread.
    pub fn bounds(&self, data: &[u8]) -> Option<Bounds> {
        let stride = (self.count() / BOUNDS_POINTS).max(1) as usize;
        Bounds::of((0..self.count()).step_by(stride).filter_map(|index| self.position(data, index)))
    }
}
