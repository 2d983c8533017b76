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
    Color(Channels, Depth),
    /// One number a pixel.
    Gray(Sample),
    /// Two pixels share a colour: U, Y, V, Y.
    Uyvy,
    /// Two pixels share a colour: Y, U, Y, V.
    Yuyv,
    /// One colour a pixel: where red and blue lie in the 2 × 2 tile, `row * 2 + column`.
    Bayer {
        red: usize,
        blue: usize,
        depth: Depth,
    },
}

#[derive(Clone, Copy)]
enum Channels {
    Mono,
    Rgb,
    Bgr,
    Rgba,
    Bgra,
}

#[derive(Clone, Copy)]
enum Depth {
    Bits8,
    /// Only the high byte is kept.
    Bits16,
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
    use Channels::{Bgr, Bgra, Mono, Rgb, Rgba};
    use Depth::{Bits8, Bits16};
    let bayer = |red, blue, depth| Layout::Bayer { red, blue, depth };
    Some(match encoding.trim().to_ascii_lowercase().as_str() {
        "rgb8" => Layout::Color(Rgb, Bits8),
        "bgr8" | "8uc3" => Layout::Color(Bgr, Bits8),
        "rgba8" => Layout::Color(Rgba, Bits8),
        "bgra8" | "8uc4" => Layout::Color(Bgra, Bits8),
        "mono8" | "8uc1" | "8uc" => Layout::Color(Mono, Bits8),
        "rgb16" => Layout::Color(Rgb, Bits16),
        "bgr16" | "16uc3" => Layout::Color(Bgr, Bits16),
        "rgba16" => Layout::Color(Rgba, Bits16),
        "bgra16" | "16uc4" => Layout::Color(Bgra, Bits16),
        "8sc1" => Layout::Gray(Sample::I8),
        "mono16" | "16uc1" => Layout::Gray(Sample::U16),
        "16sc1" => Layout::Gray(Sample::I16),
        "32sc1" => Layout::Gray(Sample::I32),
        "32fc1" => Layout::Gray(Sample::F32),
        "64fc1" => Layout::Gray(Sample::F64),
        "yuv422" | "uyvy" => Layout::Uyvy,
        "yuv422_yuy2" | "yuyv" | "yuy2" => Layout::Yuyv,
        "bayer_rggb8" => bayer(0, 3, Bits8),
        "bayer_bggr8" => bayer(3, 0, Bits8),
        "bayer_gbrg8" => bayer(2, 1, Bits8),
        "bayer_grbg8" => bayer(1, 2, Bits8),
        "bayer_rggb16" => bayer(0, 3, Bits16),
        "bayer_bggr16" => bayer(3, 0, Bits16),
        "bayer_gbrg16" => bayer(2, 1, Bits16),
        "bayer_grbg16" => bayer(1, 2, Bits16),
        _ => return None,
    })
}

impl Layout {
    /// Bytes of one pixel; of two pixels that share a colour, half.
    fn pixel_size(self) -> usize {
        match self {
            Layout::Color(channels, depth) => channels.count() * depth.size(),
            Layout::Bayer { depth, .. } => depth.size(),
            Layout::Gray(sample) => sample.size(),
            Layout::Uyvy | Layout::Yuyv => 2,
        }
    }
}

impl Channels {
    fn count(self) -> usize {
        match self {
            Channels::Mono => 1,
            Channels::Rgb | Channels::Bgr => 3,
            Channels::Rgba | Channels::Bgra => 4,
        }
    }
}

impl Depth {
    fn size(self) -> usize {
        match self {
            Depth::Bits8 => 1,
            Depth::Bits16 => 2,
        }
    }
}

pub(super) fn pixels(raw: &Raw) -> Result<Pixels, DecodeError> {
    let layout = layout(raw.encoding)
        .ok_or_else(|| DecodeError::NotDecodable(format!("pictures of the encoding “{}” cannot be shown", raw.encoding)))?;
    let rows = Rows::of(raw, layout)?;
    let rgba = match layout {
        Layout::Gray(sample) => return Ok(Pixels::Gray(gray(&rows, sample, raw.is_bigendian))),
        Layout::Color(channels, Depth::Bits8) => color8(&rows, channels),
        Layout::Color(channels, Depth::Bits16) => color16(&rows, channels, raw.is_bigendian),
        Layout::Uyvy => yuv422(&rows, |&[u, first, v, second]| [first, second, u, v]),
        Layout::Yuyv => yuv422(&rows, |&[first, u, second, v]| [first, second, u, v]),
        Layout::Bayer { red, blue, depth } => bayer(&rows, [red, blue], depth, raw.is_bigendian),
    };
    Ok(Pixels::Rgba8(rgba.into()))
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
        let columns = if matches!(layout, Layout::Uyvy | Layout::Yuyv) {
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

    /// Black, without alpha.
    fn blank_rgba(&self) -> Vec<u8> {
        vec![0; self.width * self.height * 4]
    }
}

/// Each pixel of `N` bytes → red, green, blue, alpha.
fn map<const N: usize>(rows: &Rows, to_rgba: impl Fn(&[u8; N]) -> [u8; 4]) -> Vec<u8> {
    let mut out = rows.blank_rgba();
    for (row, line) in rows.iter().zip(out.chunks_exact_mut(rows.width * 4)) {
        for (pixel, rgba) in row.as_chunks::<N>().0.iter().zip(line.as_chunks_mut::<4>().0) {
            *rgba = to_rgba(pixel);
        }
    }
    out
}

fn color8(rows: &Rows, channels: Channels) -> Vec<u8> {
    match channels {
        Channels::Mono => map(rows, |&[y]| [y, y, y, 255]),
        Channels::Rgb => map(rows, |&[r, g, b]| [r, g, b, 255]),
        Channels::Bgr => map(rows, |&[b, g, r]| [r, g, b, 255]),
        Channels::Rgba => map(rows, |&[r, g, b, a]| [r, g, b, a]),
        Channels::Bgra => map(rows, |&[b, g, r, a]| [r, g, b, a]),
    }
}

/// The high byte of a channel stands first in big-endian words, second in little-endian ones.
fn color16(rows: &Rows, channels: Channels, is_bigendian: bool) -> Vec<u8> {
    match (channels, is_bigendian) {
        (Channels::Mono, true) => map(rows, |&[y, _]| [y, y, y, 255]),
        (Channels::Mono, false) => map(rows, |&[_, y]| [y, y, y, 255]),
        (Channels::Rgb, true) => map(rows, |&[r, _, g, _, b, _]| [r, g, b, 255]),
        (Channels::Rgb, false) => map(rows, |&[_, r, _, g, _, b]| [r, g, b, 255]),
        (Channels::Bgr, true) => map(rows, |&[b, _, g, _, r, _]| [r, g, b, 255]),
        (Channels::Bgr, false) => map(rows, |&[_, b, _, g, _, r]| [r, g, b, 255]),
        (Channels::Rgba, true) => map(rows, |&[r, _, g, _, b, _, a, _]| [r, g, b, a]),
        (Channels::Rgba, false) => map(rows, |&[_, r, _, g, _, b, _, a]| [r, g, b, a]),
        (Channels::Bgra, true) => map(rows, |&[b, _, g, _, r, _, a, _]| [r, g, b, a]),
        (Channels::Bgra, false) => map(rows, |&[_, b, _, g, _, r, _, a]| [r, g, b, a]),
    }
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

/// `order` sorts the four bytes of two pixels into first and second brightness, U, V.
fn yuv422(rows: &Rows, order: impl Fn(&[u8; 4]) -> [u8; 4]) -> Vec<u8> {
    let mut out = rows.blank_rgba();
    for (row, line) in rows.iter().zip(out.chunks_exact_mut(rows.width * 4)) {
        // The last pair of an odd row has only one pixel in the picture.
        for (pair, rgba) in row.as_chunks::<4>().0.iter().zip(line.chunks_mut(8)) {
            let [first, second, u, v] = order(pair).map(i32::from);
            for (y, pixel) in [first, second].iter().zip(rgba.as_chunks_mut::<4>().0) {
                *pixel = yuv_to_rgba(*y, u - 128, v - 128);
            }
        }
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
fn bayer(rows: &Rows, [red, blue]: [usize; 2], depth: Depth, is_bigendian: bool) -> Vec<u8> {
    let mut out = rows.blank_rgba();
    let samples = |index: usize| mirrored(rows.row(index), depth, is_bigendian);
    let second = 1.min(rows.height - 1);
    let (mut above, mut here) = (samples(second), samples(0));
    for (index, line) in out.chunks_exact_mut(rows.width * 4).enumerate() {
        let below = if index + 1 < rows.height {
            samples(index + 1)
        } else {
            above.clone()
        };
        let windows = above
            .array_windows::<3>()
            .zip(here.array_windows::<3>())
            .zip(below.array_windows::<3>());
        let is_red_row = red / 2 == index % 2;
        for (column, ((windows, below), rgba)) in windows.zip(line.as_chunks_mut::<4>().0).enumerate() {
            let (&[a, b, c], &[d, own, f]) = windows;
            let &[g, h, i] = below;
            let tile = index % 2 * 2 + column % 2;
            let [red, green, blue] = if tile == red {
                [own, mean(&[b, d, f, h]), mean(&[a, c, g, i])]
            } else if tile == blue {
                [mean(&[a, c, g, i]), mean(&[b, d, f, h]), own]
            } else if is_red_row {
                [mean(&[d, f]), own, mean(&[b, h])]
            } else {
                [mean(&[b, h]), own, mean(&[d, f])]
            };
            *rgba = [red, green, blue, 255];
        }
        above = std::mem::replace(&mut here, below);
    }
    out
}

/// Rounded half up.
fn mean<const N: usize>(samples: &[u8; N]) -> u8 {
    let sum: usize = samples.iter().map(|s| usize::from(*s)).sum();
    u8::try_from((sum + N / 2) / N).unwrap_or(u8::MAX)
}

/// A row's 8-bit samples with one more on each side, mirrored about the outermost.
fn mirrored(row: &[u8], depth: Depth, is_bigendian: bool) -> Vec<u8> {
    let mut out = vec![0];
    match (depth, is_bigendian) {
        (Depth::Bits8, _) => out.extend_from_slice(row),
        (Depth::Bits16, true) => out.extend(row.as_chunks().0.iter().map(|&[high, _]| high)),
        (Depth::Bits16, false) => out.extend(row.as_chunks().0.iter().map(|&[_, high]| high)),
    }
    let inner = |index: usize| out.get(index).or(out.get(1)).copied().unwrap_or(0);
    let (first, last) = (inner(2), inner(out.len().saturating_sub(2).max(1)));
    out.push(last);
    if let Some(edge) = out.first_mut() {
        *edge = first;
    }
    out
}
