//! ROS 1's serialisation: little-endian values one after another, strings and arrays behind their length.

use glam::DVec3;

/// A message being written.
#[derive(Default)]
pub struct Wire(pub Vec<u8>);

impl Wire {
    /// Starts with a `std_msgs/Header`.
    pub fn stamped(seq: u32, stamp_nanos: i64, frame_id: &str) -> Wire {
        Wire::default().header(seq, stamp_nanos, frame_id)
    }

    pub fn header(self, seq: u32, stamp_nanos: i64, frame_id: &str) -> Wire {
        self.u32(seq).time(stamp_nanos).string(frame_id)
    }

    pub fn u8(mut self, value: u8) -> Wire {
        self.0.push(value);
        self
    }

    pub fn bool(self, value: bool) -> Wire {
        self.u8(u8::from(value))
    }

    pub fn u16(self, value: u16) -> Wire {
        self.raw(&value.to_le_bytes())
    }

    pub fn u32(self, value: u32) -> Wire {
        self.raw(&value.to_le_bytes())
    }

    pub fn i32(self, value: i32) -> Wire {
        self.raw(&value.to_le_bytes())
    }

    pub fn f32(self, value: f32) -> Wire {
        self.raw(&value.to_le_bytes())
    }

    pub fn f64(self, value: f64) -> Wire {
        self.raw(&value.to_le_bytes())
    }

    pub fn f64s(self, values: &[f64]) -> Wire {
        values.iter().fold(self, |wire, value| wire.f64(*value))
    }

    pub fn time(self, nanos: i64) -> Wire {
        self.u32((nanos / 1_000_000_000) as u32).u32((nanos % 1_000_000_000) as u32)
    }

    pub fn string(self, text: &str) -> Wire {
        self.bytes(text.as_bytes())
    }

    /// A `uint8[]` or `int8[]`.
    pub fn bytes(self, bytes: &[u8]) -> Wire {
        self.u32(bytes.len() as u32).raw(bytes)
    }

    pub fn vector(self, v: DVec3) -> Wire {
        self.f64s(&[v.x, v.y, v.z])
    }

    /// A rotation about z.
    pub fn yaw(self, yaw: f64) -> Wire {
        self.f64s(&[0.0, 0.0, (yaw / 2.0).sin(), (yaw / 2.0).cos()])
    }

    /// A `geometry_msgs/Pose` in the plane, or a `Transform`: the bytes are the same.
    pub fn pose(self, position: DVec3, yaw: f64) -> Wire {
        self.vector(position).yaw(yaw)
    }

    /// A fixed array of `side` × `side` with this diagonal.
    pub fn diagonal(self, diagonal: &[f64]) -> Wire {
        let side = diagonal.len();
        (0..side * side).fold(self, |wire, i| {
            wire.f64(if i / side == i % side { diagonal[i / side] } else { 0.0 })
        })
    }

    pub fn raw(mut self, bytes: &[u8]) -> Wire {
        self.0.extend_from_slice(bytes);
        self
    }
}
