//! The cameras: one ray a pixel through the same street that the lidar sees, in colour or in warmth.
//!
//! Frames: the optical frames are ROS's (x right, y down, z forward); the cameras look along the car's x, level.

use std::io;

use glam::Vec3;
use image::codecs::jpeg::JpegEncoder;

use super::rays::Caster;
use super::road::Road;
use super::shade::Shader;
use super::wire::Wire;
use super::world::Scene;

pub struct Camera {
    pub frame_id: &'static str,
    pub topic: &'static str,
    /// In the car's frame.
    pub position: Vec3,
    pub width: u32,
    pub height: u32,
    /// Focal length, pixels.
    pub focal: f32,
}

pub const FRONT_LEFT: Camera = Camera {
    frame_id: "rgb_front_left",
    topic: "/flir_adk/rgb_front_left",
    position: Vec3::new(1.6, 0.35, 1.45),
    width: 640,
    height: 360,
    focal: 427.0,
};
pub const FRONT_RIGHT: Camera = Camera {
    frame_id: "rgb_front_right",
    topic: "/flir_adk/rgb_front_right",
    position: Vec3::new(1.6, -0.35, 1.45),
    width: 480,
    height: 270,
    focal: 320.0,
};
pub const THERMAL: Camera = Camera {
    frame_id: "thermal",
    topic: "/flir_adk/thermal",
    position: Vec3::new(1.6, 0.0, 1.5),
    width: 320,
    height: 256,
    focal: 270.0,
};
pub const ALL: [&Camera; 3] = [&FRONT_LEFT, &FRONT_RIGHT, &THERMAL];

const FARTHEST: f32 = 400.0;

impl Camera {
    /// The horizon lies above the middle: more road than sky.
    fn centre(&self) -> (f32, f32) {
        (self.width as f32 / 2.0, self.height as f32 * 0.46)
    }

    /// Calls `pixel(x, y, ray, hit)` column by column.
    fn trace(&self, scene: &Scene, mut pixel: impl FnMut(usize, usize, Vec3, Option<super::rays::Hit>)) {
        let caster = Caster::new(&scene.objects, self.position);
        let (cx, cy) = self.centre();
        for x in 0..self.width {
            let left = (cx - 0.5 - x as f32) / self.focal;
            let candidates = caster.column(left.atan());
            for y in 0..self.height {
                let direction = Vec3::new(1.0, left, (cy - 0.5 - y as f32) / self.focal).normalize();
                pixel(x as usize, y as usize, direction, caster.cast(direction, candidates, FARTHEST));
            }
        }
    }

    fn rgb8(&self, road: &Road, scene: &Scene) -> Vec<u8> {
        let shader = Shader::new(road, scene);
        let width = self.width as usize;
        let mut pixels = vec![0_u8; width * self.height as usize * 3];
        self.trace(scene, |x, y, direction, hit| {
            let light = match &hit {
                Some(hit) => shader.light(hit, direction, self.position),
                None => shader.sky(direction),
            };
            let at = (y * width + x) * 3;
            for (byte, value) in pixels[at..at + 3].iter_mut().zip(light.to_array()) {
                // a soft shoulder, then about the square root that sRGB asks for
                let value = value.max(0.0);
                *byte = ((value * 1.16 / (1.0 + 0.16 * value)).sqrt() * 255.0).min(255.0) as u8;
            }
        });
        pixels
    }

    pub fn jpeg(&self, road: &Road, scene: &Scene, seq: u32, stamp_nanos: i64) -> io::Result<Vec<u8>> {
        let mut jpeg = Vec::with_capacity(128 << 10);
        JpegEncoder::new_with_quality(&mut jpeg, 88)
            .encode(&self.rgb8(road, scene), self.width, self.height, image::ExtendedColorType::Rgb8)
            .map_err(io::Error::other)?;
        Ok(Wire::stamped(seq, stamp_nanos, self.frame_id)
            .string("rgb8; jpeg compressed bgr8")
            .bytes(&jpeg)
            .0)
    }

    pub fn raw(&self, road: &Road, scene: &Scene, seq: u32, stamp_nanos: i64) -> Vec<u8> {
        self.image("rgb8", 3, &self.rgb8(road, scene), seq, stamp_nanos)
    }

    /// 16 bits, hundredths of a kelvin.
    pub fn mono16(&self, road: &Road, scene: &Scene, seq: u32, stamp_nanos: i64) -> Vec<u8> {
        let shader = Shader::new(road, scene);
        let width = self.width as usize;
        let mut pixels = vec![0_u8; width * self.height as usize * 2];
        self.trace(scene, |x, y, direction, hit| {
            let kelvin = 273.15 + shader.warmth(hit.as_ref(), direction, self.position);
            let at = (y * width + x) * 2;
            pixels[at..at + 2].copy_from_slice(&((kelvin * 100.0) as u16).to_le_bytes());
        });
        self.image("mono16", 2, &pixels, seq, stamp_nanos)
    }

    fn image(&self, encoding: &str, pixel_bytes: u32, pixels: &[u8], seq: u32, stamp_nanos: i64) -> Vec<u8> {
        Wire::stamped(seq, stamp_nanos, self.frame_id)
            .u32(self.height)
            .u32(self.width)
            .string(encoding)
            .u8(0)
            .u32(self.width * pixel_bytes)
            .bytes(pixels)
            .0
    }

    /// Its `sensor_msgs/CameraInfo`.
    pub fn info(&self, seq: u32, stamp_nanos: i64) -> Vec<u8> {
        let (cx, cy) = self.centre();
        let (f, cx, cy) = (f64::from(self.focal), f64::from(cx), f64::from(cy));
        Wire::stamped(seq, stamp_nanos, self.frame_id)
            .u32(self.height)
            .u32(self.width)
            .string("plumb_bob")
            .u32(5)
            .f64s(&[0.0; 5])
            .f64s(&[f, 0.0, cx, 0.0, f, cy, 0.0, 0.0, 1.0])
            .f64s(&[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0])
            .f64s(&[f, 0.0, cx, 0.0, 0.0, f, cy, 0.0, 0.0, 0.0, 1.0, 0.0])
            .u32(0)
            .u32(0)
            .u32(0)
            .u32(0)
            .u32(0)
            .u32(0)
            .bool(false)
            .0
    }
}
