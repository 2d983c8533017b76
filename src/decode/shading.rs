//! A decoded picture → pixels of the screen: values mapped to colours, reduced where the screen is coarser.
//!
//! Invariant: where there is no value, the pixel is transparent.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Image, Pixels};

/// Which values are black and white.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "mode", rename_all = "snake_case")]
pub enum ValueRange {
    /// Smallest and largest value of each picture.
    MinMax,
    /// As `MinMax`, without the darkest and brightest `cut_percent` of the pixels.
    Percentile {
        cut_percent: f32,
    },
    Manual {
        min: f32,
        max: f32,
    },
}

impl Default for ValueRange {
    fn default() -> ValueRange {
        ValueRange::Percentile { cut_percent: 0.5 }
    }
}

/// How pixels come of values.
#[derive(Clone, Debug, PartialEq)]
pub struct Shading {
    /// Of pictures of one channel: which values `ink` begins and ends with.
    pub range: ValueRange,
    /// From the least to the greatest value.
    pub ink: Arc<[[u8; 3]; 256]>,
    /// What each channel of a colour picture becomes; None leaves it as it is.
    pub tone: Option<Arc<[u8; 256]>>,
    /// So many pixels a side become one, 1 to 8.
    pub reduce: u32,
}

/// What is to be put on the screen.
pub struct Shaded {
    pub width: usize,
    pub height: usize,
    /// Red, green, blue, alpha, sRGB, premultiplied.
    pub pixels: Vec<[u8; 4]>,
    /// Of a picture of one channel: the values that are darkest and brightest.
    pub range: Option<(f32, f32)>,
}

impl Shaded {
    pub fn empty() -> Shaded {
        Shaded {
            width: 0,
            height: 0,
            pixels: Vec::new(),
            range: None,
        }
    }
}

const NOTHING: [u8; 4] = [0; 4];

impl Shading {
    pub fn shade(&self, image: &Image) -> Shaded {
        let (width, height) = (image.width as usize, image.height as usize);
        let reduce = self.reduce.clamp(1, 8) as usize;
        let (w, h) = (width.div_ceil(reduce), height.div_ceil(reduce));
        let (mut pixels, range) = match &image.pixels {
            Pixels::Gray(values) => {
                let range = value_range(values, self.range);
                (self.gray(values, range, width, reduce), Some(range))
            }
            Pixels::Rgba8(bytes) => {
                // only these spell out transparency; a fast path for all others
                let is_transparent = ["rgba", "bgra", "png"].iter().any(|e| image.encoding.contains(e));
                (self.color(bytes, width, reduce, is_transparent), None)
            }
        };
        pixels.resize(w * h, NOTHING);
        Shaded {
            width: w,
            height: h,
            pixels,
            range,
        }
    }

    fn gray(&self, values: &[f32], (low, high): (f32, f32), width: usize, reduce: usize) -> Vec<[u8; 4]> {
        let step = if high > low { 255.0 / (high - low) } else { 0.0 };
        let middle = if high > low { 0.0 } else { 127.0 };
        let table = self.ink.map(|[r, g, b]| [r, g, b, 255]);
        let ink = |v: f32| {
            let at = ((v - low) * step + middle).clamp(0.0, 255.0) as usize;
            table.get(at).copied().unwrap_or(NOTHING)
        };
        if reduce == 1 {
            return values.iter().map(|v| if v.is_finite() { ink(*v) } else { NOTHING }).collect();
        }
        let mut pixels = Vec::new();
        let mut sums = vec![(0.0_f32, 0.0_f32); width];
        for rows in values.chunks(width.max(1) * reduce) {
            sums.fill((0.0, 0.0));
            for row in rows.chunks(width.max(1)) {
                for ((sum, n), v) in sums.iter_mut().zip(row) {
                    let there = v.is_finite();
                    *sum += if there { *v } else { 0.0 };
                    *n += if there { 1.0 } else { 0.0 };
                }
            }
            pixels.extend(sums.chunks(reduce).map(|group| {
                let (sum, n) = group.iter().fold((0.0, 0.0), |(s, n), of| (s + of.0, n + of.1));
                if n == 0.0 { NOTHING } else { ink(sum / n) }
            }));
        }
        pixels
    }

    fn color(&self, bytes: &[u8], width: usize, reduce: usize, is_transparent: bool) -> Vec<[u8; 4]> {
        let mut pixels: Vec<[u8; 4]> = Vec::new();
        if reduce == 1 {
            pixels.extend_from_slice(bytes.as_chunks().0);
        } else {
            for rows in bytes.chunks(width.max(1) * 4 * reduce) {
                reduce_rows(rows, width, reduce, &mut pixels);
            }
        }
        if let Some(tone) = &self.tone {
            let toned = |v: u8| tone.get(usize::from(v)).copied().unwrap_or(v);
            for [r, g, b, _] in &mut pixels {
                (*r, *g, *b) = (toned(*r), toned(*g), toned(*b));
            }
        }
        if is_transparent {
            for [r, g, b, a] in pixels.iter_mut().filter(|p| p[3] != 255) {
                let over = |v: u8| u8::try_from((u32::from(v) * u32::from(*a) + 127) / 255).unwrap_or(u8::MAX);
                (*r, *g, *b) = (over(*r), over(*g), over(*b));
            }
        }
        pixels
    }
}

/// The values that are drawn darkest and brightest. Values that are no numbers are left out.
fn value_range(values: &[f32], range: ValueRange) -> (f32, f32) {
    let cut_percent = match range {
        ValueRange::Manual { min, max } => return (min, max),
        ValueRange::MinMax => 0.0,
        ValueRange::Percentile { cut_percent } => cut_percent.clamp(0.0, 49.0),
    };
    if cut_percent == 0.0 {
        let finite = values.iter().copied().filter(|v| v.is_finite());
        let (low, high) = finite.fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        return if low <= high { (low, high) } else { (0.0, 1.0) };
    }
    // a sample of the pixels tells a percentile well enough
    let stride = (values.len() / 16_384).max(1);
    let mut sample: Vec<f32> = values.iter().step_by(stride).copied().filter(|v| v.is_finite()).collect();
    sample.sort_unstable_by(f32::total_cmp);
    let cut = (sample.len() as f32 * cut_percent / 100.0) as usize;
    match (sample.get(cut), sample.iter().nth_back(cut)) {
        (Some(low), Some(high)) => (*low, *high),
        _ => (0.0, 1.0),
    }
}

/// Means of `reduce` × `reduce` pixels of the rows that make up one row of the result.
fn reduce_rows(rows: &[u8], width: usize, reduce: usize, out: &mut Vec<[u8; 4]>) {
    // one row of sums, all channels side by side, so that the additions run over whole rows
    let mut sums = vec![0_u16; width * 4];
    let mut lines = 0;
    for line in rows.chunks_exact(width.max(1) * 4) {
        lines += 1;
        for (sum, v) in sums.iter_mut().zip(line) {
            *sum += u16::from(*v);
        }
    }
    for group in sums.as_chunks::<4>().0.chunks(reduce) {
        let n = (lines * group.len()).max(1) as u32;
        let mut sum = [0_u32; 4];
        for pixel in group {
            for (sum, v) in sum.iter_mut().zip(pixel) {
                *sum += u32::from(*v);
            }
        }
        out.push(match n {
            4 => sum.map(|c| ((c + 2) >> 2) as u8),
            16 => sum.map(|c| ((c + 8) >> 4) as u8),
            64 => sum.map(|c| ((c + 32) >> 6) as u8),
            n => sum.map(|c| ((c + n / 2) / n) as u8),
        });
    }
}
