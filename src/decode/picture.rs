//! Raw camera pixels, in the encodings of sensor_msgs/image_encodings → RGBA or grey values.
//!
//! Invariant: nothing is allocated before width, height and step are found to fit the bytes that are there.

use std::sync::Arc;

use super::{DecodeError, Pixels};

/// A picture as its message describes it.
pub(super) struct Raw<'a> {
    pub width: u32,
    pub height: u32,
    pub encoding: &'a str,
    pub is_bigendian: bool,
    /// Bytes from one row to the next.
    pub step: u32,
    pub data: &'a [u8],
}

#[derive(Clone, Copy)]
enum Layout {
    /// 8-bit channels: which byte of a pixel is red, green, blue, alpha.
    Bytes { size: usize, order: [usize; 4], has_alpha: bool },
    /// 16-bit channels; only the high byte is kept.
    Words {
        channels: usize,
        order: [usize; 4],
        has_alpha: bool,
    },
    /// One number a pixel.
    Gray(Sample),
    /// Two pixels share a colour: where the first brightness, U and V lie among four bytes.
    Yuv422 { y: usize, u: usize, v: usize },
    /// One colour a pixel: red's place in the 2 × 2 tile, `row * 2 + column`, and bytes a sample.
    Bayer { red: usize, blue: usize, size: usize },
}

#[derive(Clone, Copy)]
enum Sample {
    I8,
    U16,
    I16,
    I32,
    F32,
    F64,
}

fn layout(encoding: &str) -> Option<Layout> {
    let bytes = |size, order, has_alpha| Layout::Bytes { size, order, has_alpha };
    let words = |channels, order, has_alpha| Layout::Words {
        channels,
        order,
        has_alpha,
    };
    let bayer = |red, blue, size| Layout::Bayer { red, blue, size };
    Some(match encoding.trim().to_ascii_lowercase().as_str() {
        "rgb8" => bytes(3, [0, 1, 2, 0], false),
        "bgr8" | "8uc3" => bytes(3, [2, 1, 0, 0], false),
        "rgba8" => bytes(4, [0, 1, 2, 3], true),
        "bgra8" | "8uc4" => bytes(4, [2, 1, 0, 3], true),
        "mono8" | "8uc1" | "8uc" => bytes(1, [0, 0, 0, 0], false),
        "rgb16" => words(3, [0, 1, 2, 0], false),
        "bgr16" | "16uc3" => words(3, [2, 1, 0, 0], false),
        "rgba16" => words(4, [0, 1, 2, 3], true),
        "bgra16" | "16uc4" => words(4, [2, 1, 0, 3], true),
        "8sc1" => Layout::Gray(Sample::I8),
        "mono16" | "16uc1" => Layout::Gray(Sample::U16),
        "16sc1" => Layout::Gray(Sample::I16),
        "32sc1" => Layout::Gray(Sample::I32),
        "32fc1" => Layout::Gray(Sample::F32),
        "64fc1" => Layout::Gray(Sample::F64),
        "yuv422" | "uyvy" => Layout::Yuv422 { y: 1, u: 0, v: 2 },
        "yuv422_yuy2" | "yuyv" | "yuy2" => Layout::Yuv422 { y: 0, u: 1, v: 3 },
        "bayer_rggb8" => bayer(0, 3, 1),
        "bayer_bggr8" => bayer(3, 0, 1),
        "bayer_gbrg8" => bayer(2, 1, 1),
        "bayer_grbg8" => bayer(1, 2, 1),
        "bayer_rggb16" => bayer(0, 3, 2),
        "bayer_bggr16" => bayer(3, 0, 2),
        "bayer_gbrg16" => bayer(2, 1, 2),
        "bayer_grbg16" => bayer(1, 2, 2),
        _ => return None,
    })
}

impl Layout {
    /// Bytes of one pixel; of two pixels that share a colour, half.
    fn pixel_size(self) -> usize {
        match self {
            Layout::Bytes { size, .. } | Layout::Bayer { size, .. } => size,
            Layout::Words { channels, .. } => channels * 2,
            Layout::Gray(sample) => sample.size(),
            Layout::Yuv422 { .. } => 2,
        }
    }
}

pub(super) fn pixels(raw: &Raw) -> Result<Pixels, DecodeError> {
    let layout = layout(raw.encoding)
        .ok_or_else(|| DecodeError::NotDecodable(format!("pictures of the encoding “{}” cannot be shown", raw.encoding)))?;
    let rows = Rows::of(raw, layout)?;
    Ok(match layout {
        Layout::Gray(sample) => Pixels::Gray(gray(&rows, sample, raw.is_bigendian)),
        Layout::Bytes { size, order, has_alpha } => Pixels::Rgba8(bytes(&rows, size, order, has_alpha).into()),
        Layout::Words {
            channels,
            order,
            has_alpha,
        } => {
            // The high byte of each channel stands first in big-endian words, second in little-endian ones.
            let high = if raw.is_bigendian { 0 } else { 1 };
            Pixels::Rgba8(bytes(&rows, channels * 2, order.map(|channel| channel * 2 + high), has_alpha).into())
        }
        Layout::Yuv422 { y, u, v } => Pixels::Rgba8(yuv422(&rows, [y, u, v]).into()),
        Layout::Bayer { red, blue, size } => {
            let high = if size == 2 && !raw.is_bigendian { 1 } else { 0 };
            Pixels::Rgba8(bayer(&rows, red, blue, size, high).into())
        }
    })
}

/// The rows of a picture, without their padding.
struct Rows<'a> {
    width: usize,
    height: usize,
    step: usize,
    row_size: usize,
    data: &'a [u8],
}

impl<'a> Rows<'a> {
    fn of(raw: &Raw<'a>, layout: Layout) -> Result<Rows<'a>, DecodeError> {
        let Raw {
            width,
            height,
            encoding,
            data,
            ..
        } = raw;
        if *width == 0 || *height == 0 {
            return Err(DecodeError::NotDecodable(format!(
                "the picture is empty: {width} × {height} pixels"
            )));
        }
        // Two pixels of yuv422 share four bytes: an odd width needs the other half of the last pair.
        let columns = if matches!(layout, Layout::Yuv422 { .. }) {
            u64::from(*width).next_multiple_of(2)
        } else {
            u64::from(*width)
        };
        let row_size = columns * layout.pixel_size() as u64;
        // Some drivers leave the step at 0 and mean rows without padding.
        let step = if raw.step == 0 { row_size } else { u64::from(raw.step) };
        let needed = step.saturating_mul(u64::from(*height) - 1).saturating_add(row_size);
        if step < row_size || needed > data.len() as u64 {
            return Err(DecodeError::NotDecodable(format!(
                "the picture claims {width} × {height} pixels of {encoding} with {step} bytes a row, but holds {} bytes",
                data.len()
            )));
        }
        let fits = |n: u64| {
            usize::try_from(n).map_err(|_| DecodeError::NotDecodable(format!("the picture is too large: {width} × {height} pixels")))
        };
        Ok(Rows {
            width: *width as usize,
            height: *height as usize,
            step: fits(step)?,
            row_size: fits(row_size)?,
            data,
        })
    }

    fn row(&self, index: usize) -> &'a [u8] {
        let start = index * self.step;
        self.data.get(start..start + self.row_size).unwrap_or(&[])
    }

    fn iter(&self) -> impl Iterator<Item = &'a [u8]> {
        (0..self.height).map(|index| self.row(index))
    }

    fn rgba(&self) -> Vec<u8> {
        Vec::with_capacity(self.width * self.height * 4)
    }
}

fn bytes(rows: &Rows, size: usize, [r, g, b, a]: [usize; 4], has_alpha: bool) -> Vec<u8> {
    let mut out = rows.rgba();
    let byte = |pixel: &[u8], index: usize| pixel.get(index).copied().unwrap_or(0);
    for row in rows.iter() {
        for pixel in row.chunks_exact(size) {
            let alpha = if has_alpha { byte(pixel, a) } else { 255 };
            out.extend_from_slice(&[byte(pixel, r), byte(pixel, g), byte(pixel, b), alpha]);
        }
    }
    out
}

impl Sample {
    fn size(self) -> usize {
        match self {
            Sample::I8 => 1,
            Sample::U16 | Sample::I16 => 2,
            Sample::I32 | Sample::F32 => 4,
            Sample::F64 => 8,
        }
    }
}

fn gray(rows: &Rows, sample: Sample, is_bigendian: bool) -> Arc<[f32]> {
    let mut out = Vec::with_capacity(rows.width * rows.height);
    for row in rows.iter() {
        match sample {
            Sample::I8 => out.extend(row.iter().map(|b| f32::from(i8::from_le_bytes([*b])))),
            Sample::U16 => ordered(row, is_bigendian, |c| f32::from(u16::from_le_bytes(c)), &mut out),
            Sample::I16 => ordered(row, is_bigendian, |c| f32::from(i16::from_le_bytes(c)), &mut out),
            Sample::I32 => ordered(row, is_bigendian, |c| i32::from_le_bytes(c) as f32, &mut out),
            Sample::F32 => ordered(row, is_bigendian, f32::from_le_bytes, &mut out),
            Sample::F64 => ordered(row, is_bigendian, |c| f64::from_le_bytes(c) as f32, &mut out),
        }
    }
    out.into()
}

fn ordered<const N: usize>(row: &[u8], is_bigendian: bool, read: impl Fn([u8; N]) -> f32, out: &mut Vec<f32>) {
    let samples = row.as_chunks::<N>().0.iter();
    if is_bigendian {
        out.extend(samples.map(|sample| {
            let mut sample = *sample;
            sample.reverse();
            read(sample)
        }));
    } else {
        out.extend(samples.map(|sample| read(*sample)));
    }
}

fn yuv422(rows: &Rows, [y, u, v]: [usize; 3]) -> Vec<u8> {
    let mut out = rows.rgba();
    for row in rows.iter() {
        let start = out.len();
        for pair in row.as_chunks::<4>().0 {
            let at = |index: usize| i32::from(pair.get(index).copied().unwrap_or(0));
            let (u, v) = (at(u) - 128, at(v) - 128);
            out.extend_from_slice(&yuv_to_rgba(at(y), u, v));
            out.extend_from_slice(&yuv_to_rgba(at(y + 2), u, v));
        }
        out.truncate(start + rows.width * 4);
    }
    out
}

/// ITU-R BT.601, studio range (Y 16 to 235), in 1/1024.
fn yuv_to_rgba(y: i32, u: i32, v: i32) -> [u8; 4] {
    let light = (y - 16).max(0) * 1192;
    let channel = |sum: i32| u8::try_from(((sum + 512) >> 10).clamp(0, 255)).unwrap_or(255);
    [
        channel(light + 1634 * v),
        channel(light - 833 * v - 401 * u),
        channel(light + 2066 * u),
        255,
    ]
}

/// Bilinear: a missing colour is the mean of its nearest samples. Borders are mirrored, which keeps the pattern.
fn bayer(rows: &Rows, red: usize, blue: usize, size: usize, high: usize) -> Vec<u8> {
    let mut out = rows.rgba();
    let mirror = |index: usize, back: bool, count: usize| match (index, back) {
        (0, true) => 1.min(count - 1),
        (_, true) => index - 1,
        (_, false) if index + 1 < count => index + 1,
        _ => index.saturating_sub(1),
    };
    for line in 0..rows.height {
        let (above, here, below) = (
            rows.row(mirror(line, true, rows.height)),
            rows.row(line),
            rows.row(mirror(line, false, rows.height)),
        );
        for column in 0..rows.width {
            let (left, right) = (mirror(column, true, rows.width), mirror(column, false, rows.width));
            let at = |row: &[u8], column: usize| u32::from(row.get(column * size + high).copied().unwrap_or(0));
            let mean = |sum: u32, count: u32| u8::try_from((sum + count / 2) / count).unwrap_or(255);
            let own = mean(at(here, column), 1);
            let across = || at(here, left) + at(here, right);
            let along = || at(above, column) + at(below, column);
            let corners = || at(above, left) + at(above, right) + at(below, left) + at(below, right);
            let tile = (line % 2) * 2 + column % 2;
            let [r, g, b] = if tile == red {
                [own, mean(across() + along(), 4), mean(corners(), 4)]
            } else if tile == blue {
                [mean(corners(), 4), mean(across() + along(), 4), own]
            } else if tile / 2 == red / 2 {
                // Green in a red row.
                [mean(across(), 2), own, mean(along(), 2)]
            } else {
                [mean(along(), 2), own, mean(across(), 2)]
            };
            out.extend_from_slice(&[r, g, b, 255]);
        }
    }
    out
}
