//! sensor_msgs/Image and CompressedImage → pixels that the GPU takes.
//!
//! Invariant: what is allocated is bounded by the message's own bytes, for compressed pictures by [`MAX_DECODED_BYTES`].

use std::io::Cursor;
use std::sync::Arc;

use bytes::Bytes;
use image::{DynamicImage, ImageReader, Limits};

use super::bind::{Binding, Want, slice_at, text_at};
use super::geometry::header_at;
use super::picture::{Raw, pixels};
use super::plan::Plan;
use super::reader::Reader;
use super::{DecodeError, Image, Pixels, Scalar};

/// A compressed picture may grow to this much and to this many pixels along each side.
const MAX_DECODED_BYTES: u64 = 512 << 20;
const MAX_SIDE_PIXELS: u32 = 32_768;

#[derive(Debug)]
pub(super) struct CameraShape(Binding<7>);

impl CameraShape {
    pub fn of(plan: &Plan) -> Option<CameraShape> {
        let u32 = Want::Scalar(Scalar::U32);
        let wants = [
            ("header", Want::Header),
            ("height", u32),
            ("width", u32),
            ("encoding", Want::Text),
            ("is_bigendian", Want::Byte),
            ("step", u32),
            ("data", Want::Bytes),
        ];
        Binding::new(plan, plan.root, wants).map(CameraShape)
    }

    pub fn decode(&self, plan: &Plan, payload: &Bytes) -> Result<Image, DecodeError> {
        let [header, height, width, encoding, big, step, data] = self.0.locate(plan, &mut Reader::new(payload))?;
        let at = |offset| Reader::starting_at(payload, offset);
        let encoding = text_at(payload, encoding)?;
        let (width, height) = (at(width).u32()?, at(height).u32()?);
        let data = slice_at(payload, data, 1)?;
        let raw = Raw {
            width,
            height,
            encoding: &encoding,
            is_bigendian: at(big).u8()? != 0,
            step: at(step).u32()?,
            data: &data,
        };
        let pixels = pixels(&raw)?;
        Ok(Image {
            header: header_at(payload, header)?,
            width,
            height,
            encoding,
            pixels,
        })
    }
}

#[derive(Debug)]
pub(super) struct CompressedShape(Binding<3>);

impl CompressedShape {
    pub fn of(plan: &Plan) -> Option<CompressedShape> {
        Binding::new(
            plan,
            plan.root,
            [("header", Want::Header), ("format", Want::Text), ("data", Want::Bytes)],
        )
        .map(CompressedShape)
    }

    pub fn decode(&self, plan: &Plan, payload: &Bytes) -> Result<Image, DecodeError> {
        let [header, format, data] = self.0.locate(plan, &mut Reader::new(payload))?;
        let format = text_at(payload, format)?;
        let data = slice_at(payload, data, 1)?;
        let (header, depth) = (header_at(payload, header)?, depth_header(&format, &data));
        let encoded = data.get(if depth.is_some() { DEPTH_HEADER_SIZE } else { 0 }..).unwrap_or(&[]);
        let picture = decompress(encoded, &format)?;
        let (width, height) = (picture.width(), picture.height());
        let mut pixels = from_picture(picture);
        if let (Some(Depth { a, b }), Pixels::Gray(values)) = (depth, &mut pixels)
            && format.starts_with("32FC1")
        {
            *values = values.iter().map(|v| if *v == 0.0 { f32::NAN } else { a / (v - b) }).collect();
        }
        let encoding = if format.is_empty() { "compressed".into() } else { format };
        Ok(Image {
            header,
            width,
            height,
            encoding,
            pixels,
        })
    }
}

/// compressed_depth_image_transport puts its quantisation before the PNG: an i32 and two f32.
const DEPTH_HEADER_SIZE: usize = 12;

struct Depth {
    a: f32,
    b: f32,
}

fn depth_header(format: &str, data: &[u8]) -> Option<Depth> {
    let is_png = data.get(DEPTH_HEADER_SIZE..).is_some_and(|rest| rest.starts_with(b"\x89PNG"));
    if !is_png || !format.contains("compressedDepth") {
        return None;
    }
    let mut reader = Reader::starting_at(data, 4);
    Some(Depth {
        a: reader.f32().ok()?,
        b: reader.f32().ok()?,
    })
}

fn decompress(data: &[u8], format: &str) -> Result<DynamicImage, DecodeError> {
    let named = |error: &dyn std::fmt::Display| {
        DecodeError::NotDecodable(format!(
            "the picture (“{format}”, {} bytes) cannot be decompressed: {error}",
            data.len()
        ))
    };
    let mut reader = ImageReader::new(Cursor::new(data)).with_guessed_format().map_err(|e| named(&e))?;
    if reader.format().is_none() {
        return Err(named(&"it is neither JPEG, PNG nor WebP"));
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE_PIXELS);
    limits.max_image_height = Some(MAX_SIDE_PIXELS);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    reader.limits(limits);
    reader.decode().map_err(|e| named(&e))
}

fn from_picture(picture: DynamicImage) -> Pixels {
    match picture {
        DynamicImage::ImageLuma16(gray) => Pixels::Gray(gray.into_raw().into_iter().map(f32::from).collect::<Arc<[f32]>>()),
        DynamicImage::ImageRgba8(rgba) => Pixels::Rgba8(rgba.into_raw().into()),
        other => Pixels::Rgba8(other.into_rgba8().into_raw().into()),
    }
}
