//! Writes ROS 1 messages, field by field.

/// A message in the making.
#[derive(Clone, Debug, Default)]
pub struct Encoder(Vec<u8>);

#[allow(dead_code)]
impl Encoder {
    pub fn new() -> Encoder {
        Encoder::default()
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn raw(mut self, bytes: &[u8]) -> Encoder {
        self.0.extend_from_slice(bytes);
        self
    }

    pub fn u8(self, v: u8) -> Encoder {
        self.raw(&[v])
    }

    pub fn u32(self, v: u32) -> Encoder {
        self.raw(&v.to_le_bytes())
    }

    pub fn i32(self, v: i32) -> Encoder {
        self.raw(&v.to_le_bytes())
    }

    pub fn f32(self, v: f32) -> Encoder {
        self.raw(&v.to_le_bytes())
    }

    pub fn f64(self, v: f64) -> Encoder {
        self.raw(&v.to_le_bytes())
    }

    pub fn f64s(self, values: &[f64]) -> Encoder {
        values.iter().fold(self, |e, v| e.f64(*v))
    }

    pub fn text(self, v: &str) -> Encoder {
        self.counted(v.as_bytes())
    }

    /// A counted array of bytes.
    pub fn counted(self, bytes: &[u8]) -> Encoder {
        let len = u32::try_from(bytes.len()).expect("short");
        self.u32(len).raw(bytes)
    }

    /// `std_msgs/Header`.
    pub fn header(self, seq: u32, sec: u32, nsec: u32, frame_id: &str) -> Encoder {
        self.u32(seq).u32(sec).u32(nsec).text(frame_id)
    }
}
