//! A decoded picture as textures: values mapped to colours, reduced where the screen is coarser, in tiles where the GPU's
//! textures are smaller.
//!
//! Invariant: pixels are touched only when the message, the look or the reduction changes.

use std::sync::Arc;

use egui::{Color32, ColorImage, Context, Mesh, Painter, Pos2, Shape, TextureFilter, TextureHandle, TextureOptions, pos2};

use super::ValueRange;
use super::place::Place;
use crate::decode::{Decoded, Header, Image, Pixels};
use crate::render::Colormap;
use crate::time::Time;

/// How values become colours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    pub range: ValueRange,
    pub colormap: Colormap,
    pub brightness: f32,
    pub contrast: f32,
    pub smooth: bool,
}

pub struct Picture {
    key: u64,
    time: Time,
    decoded: Arc<Decoded>,
    tiles: Vec<Tile>,
    /// What the tiles show: message, look, reduction.
    shown: Option<(u64, Look, u32)>,
    /// Value range of the picture shown, where it has one channel.
    range: Option<(f32, f32)>,
}

struct Tile {
    texture: TextureHandle,
    /// In pixels of the picture.
    min: Pos2,
    max: Pos2,
}

impl Picture {
    /// `decoded` is a [`Decoded::Image`].
    pub fn new(key: u64, time: Time, decoded: Arc<Decoded>) -> Picture {
        Picture {
            key,
            time,
            decoded,
            tiles: Vec::new(),
            shown: None,
            range: None,
        }
    }

    /// The next picture of the same camera; its textures are written over.
    pub fn replace(&mut self, key: u64, time: Time, decoded: Arc<Decoded>) {
        (self.key, self.time, self.decoded) = (key, time, decoded);
    }

    pub fn key(&self) -> u64 {
        self.key
    }

    pub fn time(&self) -> Time {
        self.time
    }

    pub fn image(&self) -> Image {
        match &*self.decoded {
            Decoded::Image(image) => image.clone(),
            _ => Image {
                header: Header {
                    stamp: Time(0),
                    frame_id: "".into(),
                },
                width: 0,
                height: 0,
                encoding: "".into(),
                pixels: Pixels::Gray(Arc::new([])),
            },
        }
    }

    pub fn size(&self) -> [u32; 2] {
        match &*self.decoded {
            Decoded::Image(image) => [image.width, image.height],
            _ => [0, 0],
        }
    }

    pub fn range(&self) -> Option<(f32, f32)> {
        self.range
    }

    /// Brings the textures up to date. `pixels_per_texel`: how much coarser than the picture the screen is.
    pub fn upload(&mut self, ctx: &Context, look: &Look, pixels_per_texel: f32) {
        let reduce = match pixels_per_texel {
            p if p >= 8.0 => 8,
            p if p >= 4.0 => 4,
            p if p >= 2.0 => 2,
            _ => 1,
        };
        let wanted = (self.key, *look, reduce);
        if self.shown == Some(wanted) {
            return;
        }
        let decoded = Arc::clone(&self.decoded);
        let Decoded::Image(image) = &*decoded else { return };
        let pixels = self.colored(image, look, reduce);
        self.set_tiles(ctx, pixels, look, reduce, [image.width, image.height]);
        self.shown = Some(wanted);
    }

    fn colored(&mut self, image: &Image, look: &Look, reduce: u32) -> Colored {
        match &image.pixels {
            Pixels::Gray(values) => {
                let range = value_range(values, look.range);
                self.range = Some(range);
                gray(values, image.width, image.height, range, look, reduce)
            }
            Pixels::Rgba8(bytes) => {
                self.range = None;
                // only these spell out transparency; a fast path for all others
                let transparent = ["rgba", "bgra", "png"].iter().any(|e| image.encoding.contains(e));
                color(bytes, image.width, image.height, look, reduce, transparent)
            }
        }
    }

    fn set_tiles(&mut self, ctx: &Context, pixels: Colored, look: &Look, reduce: u32, size: [u32; 2]) {
        let largest = ctx.input(|i| i.max_texture_side).max(64);
        let options = TextureOptions {
            magnification: if look.smooth {
                TextureFilter::Linear
            } else {
                TextureFilter::Nearest
            },
            minification: TextureFilter::Linear,
            ..TextureOptions::LINEAR
        };
        let whole = [pixels.width, pixels.height];
        let mut old = std::mem::take(&mut self.tiles).into_iter();
        for ([x, y], part) in pixels.into_tiles(largest) {
            let [w, h] = part.size;
            let texture = match old.next() {
                // writing over a texture of the same size spares allocating one
                Some(mut tile) if tile.texture.size() == [w, h] && self.shown.is_some_and(|s| s.1.smooth == look.smooth) => {
                    tile.texture.set_partial([0, 0], part, options);
                    tile.texture
                }
                _ => ctx.load_texture("picture", part, options),
            };
            let in_picture = |x: usize, y: usize| {
                let edge = |v: usize, all: usize, most: u32| if v == all { most as f32 } else { (v * reduce as usize) as f32 };
                pos2(edge(x, whole[0], size[0]), edge(y, whole[1], size[1]))
            };
            self.tiles.push(Tile {
                texture,
                min: in_picture(x, y),
                max: in_picture(x + w, y + h),
            });
        }
    }

    pub fn paint(&self, painter: &Painter, place: &Place) {
        for tile in &self.tiles {
            let mut mesh = Mesh::with_texture(tile.texture.id());
            for (x, y, u, v) in [
                (tile.min.x, tile.min.y, 0.0, 0.0),
                (tile.max.x, tile.min.y, 1.0, 0.0),
                (tile.max.x, tile.max.y, 1.0, 1.0),
                (tile.min.x, tile.max.y, 0.0, 1.0),
            ] {
                mesh.vertices.push(egui::epaint::Vertex {
                    pos: place.to_screen(pos2(x, y)),
                    uv: pos2(u, v),
                    color: Color32::WHITE,
                });
            }
            mesh.indices.extend([0, 1, 2, 0, 2, 3]);
            painter.add(Shape::mesh(mesh));
        }
    }
}

/// Reduced and coloured pixels.
struct Colored {
    width: usize,
    height: usize,
    pixels: Vec<Color32>,
}

impl Colored {
    /// As tiles of at most `largest` pixels a side, each with its place.
    fn into_tiles(self, largest: usize) -> Vec<([usize; 2], ColorImage)> {
        let (width, height) = (self.width, self.height);
        if width <= largest && height <= largest {
            return vec![([0, 0], ColorImage::new([width, height], self.pixels))];
        }
        let mut tiles = Vec::new();
        for y in (0..height).step_by(largest) {
            for x in (0..width).step_by(largest) {
                let (w, h) = (largest.min(width - x), largest.min(height - y));
                let rows = self.pixels.chunks_exact(width).skip(y).take(h);
                let pixels = rows.flat_map(|row| row.iter().skip(x).take(w).copied()).collect();
                tiles.push(([x, y], ColorImage::new([w, h], pixels)));
            }
        }
        tiles
    }
}

/// The values that are drawn darkest and brightest. Values that are no numbers are left out.
fn value_range(values: &[f32], range: ValueRange) -> (f32, f32) {
    let cut_percent = match range {
        ValueRange::Manual { min, max } => return (min, max),
        ValueRange::MinMax => 0.0,
        ValueRange::Percentile { cut_percent } => cut_percent.clamp(0.0, 49.0),
    };
    let finite = values.iter().copied().filter(|v| v.is_finite());
    if cut_percent == 0.0 {
        let (low, high) = finite.fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        return if low <= high { (low, high) } else { (0.0, 1.0) };
    }
    // a sample of the pixels tells a percentile well enough
    let stride = (values.len() / 16_384).max(1);
    let mut sample: Vec<f32> = values.iter().step_by(stride).copied().filter(|v| v.is_finite()).collect();
    if sample.is_empty() {
        return (0.0, 1.0);
    }
    sample.sort_unstable_by(f32::total_cmp);
    let cut = (sample.len() as f32 * cut_percent / 100.0) as usize;
    (sample[cut.min(sample.len() - 1)], sample[(sample.len() - 1).saturating_sub(cut)])
}

/// Brightness and contrast on a fraction 0 to 1.
fn adjusted(fraction: f32, look: &Look) -> f32 {
    ((fraction - 0.5) * look.contrast + 0.5 + look.brightness).clamp(0.0, 1.0)
}

fn gray(values: &[f32], width: u32, height: u32, (low, high): (f32, f32), look: &Look, reduce: u32) -> Colored {
    let table: [Color32; 256] = std::array::from_fn(|i| {
        let [r, g, b] = look.colormap.color(adjusted(i as f32 / 255.0, look));
        Color32::from_rgb(r, g, b)
    });
    let step = if high > low { 255.0 / (high - low) } else { 0.0 };
    let middle = if high > low { 0.0 } else { 127.0 };
    let ink = |v: f32| table[((v - low) * step + middle).clamp(0.0, 255.0) as usize];
    let (width, reduce) = (width as usize, reduce as usize);
    let (w, h) = (width.div_ceil(reduce), (height as usize).div_ceil(reduce));
    let mut pixels = Vec::with_capacity(w * h);
    // no measurement: nothing there
    if reduce == 1 {
        let drawn = values.iter().take(w * h);
        pixels.extend(drawn.map(|v| if v.is_finite() { ink(*v) } else { Color32::TRANSPARENT }));
    } else {
        let mut sums = vec![(0.0_f32, 0.0_f32); width];
        for rows in values.chunks(width.max(1) * reduce).take(h) {
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
                if n == 0.0 { Color32::TRANSPARENT } else { ink(sum / n) }
            }));
        }
    }
    pixels.resize(w * h, Color32::TRANSPARENT);
    Colored {
        width: w,
        height: h,
        pixels,
    }
}

fn color(bytes: &[u8], width: u32, height: u32, look: &Look, reduce: u32, transparent: bool) -> Colored {
    let (width, reduce) = (width as usize, reduce as usize);
    let (w, h) = (width.div_ceil(reduce), (height as usize).div_ceil(reduce));
    let mut pixels: Vec<Color32> = Vec::with_capacity(w * h);
    if reduce == 1 {
        let whole = &bytes[..bytes.len().min(w * h * 4) / 4 * 4];
        pixels.extend_from_slice(bytemuck::cast_slice(whole));
    } else {
        for rows in bytes.chunks(width.max(1) * 4 * reduce).take(h) {
            reduce_rows(rows, width, reduce, &mut pixels);
        }
    }
    pixels.resize(w * h, Color32::TRANSPARENT);
    if look.brightness != 0.0 || look.contrast != 1.0 {
        let table: [u8; 256] = std::array::from_fn(|i| (adjusted(i as f32 / 255.0, look) * 255.0).round() as u8);
        for p in &mut pixels {
            let [r, g, b, a] = p.to_array();
            *p = Color32::from_rgba_premultiplied(table[usize::from(r)], table[usize::from(g)], table[usize::from(b)], a);
        }
    }
    if transparent {
        for p in pixels.iter_mut().filter(|p| p.a() != 255) {
            let [r, g, b, a] = p.to_array();
            *p = Color32::from_rgba_unmultiplied(r, g, b, a);
        }
    }
    Colored {
        width: w,
        height: h,
        pixels,
    }
}

/// Means of `reduce` × `reduce` pixels of the rows that make up one row of the result.
fn reduce_rows(rows: &[u8], width: usize, reduce: usize, out: &mut Vec<Color32>) {
    // one row of sums, all channels side by side, so that the additions run over whole rows
    let mut sums = vec![0_u16; width * 4];
    let mut lines = 0;
    for line in rows.chunks_exact(width * 4) {
        lines += 1;
        for (sum, v) in sums.iter_mut().zip(line) {
            *sum += u16::from(*v);
        }
    }
    for group in sums.chunks(reduce * 4) {
        let n = (lines * group.len() / 4).max(1) as u32;
        let mut sum = [0_u32; 4];
        for p in group.chunks_exact(4) {
            for c in 0..4 {
                sum[c] += u32::from(p[c]);
            }
        }
        let [r, g, b, a] = match n {
            4 => sum.map(|c| ((c + 2) >> 2) as u8),
            16 => sum.map(|c| ((c + 8) >> 4) as u8),
            64 => sum.map(|c| ((c + 32) >> 6) as u8),
            n => sum.map(|c| ((c + n / 2) / n) as u8),
        };
        out.push(Color32::from_rgba_premultiplied(r, g, b, a));
    }
}
