//! A picture as textures: what the store made of it for the screen, in tiles where the GPU's textures are smaller.
//!
//! Invariant: pixels are touched only when the store has others.

use std::sync::Arc;

use egui::{Color32, ColorImage, Context, Mesh, Painter, Pos2, Shape, TextureFilter, TextureHandle, TextureOptions, pos2};
use image::ImageEncoder as _;

use super::place::Place;
use crate::decode::{Decoded, Header, Image, Pixels, Shaded, Shading};
use crate::panel::{Action, Make};
use crate::store::Entry;
use crate::time::Time;

pub struct Picture {
    entry: Entry,
    tiles: Vec<Tile>,
    shaded: Option<Arc<Shaded>>,
    /// How that was made.
    shading: Option<Arc<Shading>>,
    /// Interpolates when magnified.
    smooth: bool,
}

struct Tile {
    texture: TextureHandle,
    /// In pixels of the picture.
    min: Pos2,
    max: Pos2,
}

impl Picture {
    /// Of a [`Decoded::Image`], with nothing to draw yet.
    pub fn new(entry: Entry) -> Picture {
        Picture {
            entry,
            tiles: Vec::new(),
            shaded: None,
            shading: None,
            smooth: false,
        }
    }

    pub fn time(&self) -> Time {
        self.entry.time
    }

    pub fn image(&self) -> Image {
        match &*self.entry.decoded {
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
        match &*self.entry.decoded {
            Decoded::Image(image) => [image.width, image.height],
            _ => [0, 0],
        }
    }

    /// Value range of the picture shown, where it has one channel.
    pub fn range(&self) -> Option<(f32, f32)> {
        self.shaded.as_ref()?.range
    }

    /// Whether that message is what is seen.
    pub fn shows(&self, key: u64) -> bool {
        self.shaded.is_some() && self.entry.key == key
    }

    /// Shows these pixels; textures of the same size are written over.
    pub fn show(&mut self, ctx: &Context, (entry, shaded): &(Entry, Arc<Shaded>), shading: &Arc<Shading>, smooth: bool) {
        let is_there = self.shaded.as_ref().is_some_and(|s| Arc::ptr_eq(s, shaded));
        if is_there && self.smooth == smooth {
            return;
        }
        self.entry = entry.clone();
        self.set_tiles(ctx, shaded, shading.reduce, smooth);
        (self.shaded, self.smooth) = (Some(shaded.clone()), smooth);
        self.shading = Some(shading.clone());
    }

    fn set_tiles(&mut self, ctx: &Context, pixels: &Shaded, reduce: u32, smooth: bool) {
        let largest = ctx.input(|i| i.max_texture_side).max(64);
        let options = TextureOptions {
            magnification: if smooth { TextureFilter::Linear } else { TextureFilter::Nearest },
            minification: TextureFilter::Linear,
            ..TextureOptions::LINEAR
        };
        let (whole, size) = ([pixels.width, pixels.height], self.size());
        let mut old = std::mem::take(&mut self.tiles).into_iter();
        for ([x, y], part) in tiles_of(pixels, largest) {
            let [w, h] = part.size;
            let texture = match old.next() {
                // writing over a texture of the same size spares allocating one
                Some(mut tile) if tile.texture.size() == [w, h] && self.smooth == smooth => {
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

    /// What is seen of it, in all its pixels.
    pub fn save(&self) -> Option<Action> {
        let Decoded::Image(image) = &*self.entry.decoded else { return None };
        let (image, shading) = (
            image.clone(),
            Shading {
                reduce: 1,
                ..(**self.shading.as_ref()?).clone()
            },
        );
        Some(Action::SaveMade {
            name: "picture.png".into(),
            make: Make::new(move |out| {
                let pixels = shading.shade(&image).pixels.into_iter();
                let straight = pixels.flat_map(|[r, g, b, a]| Color32::from_rgba_premultiplied(r, g, b, a).to_srgba_unmultiplied());
                let bytes: Vec<u8> = straight.collect();
                let encoder = image::codecs::png::PngEncoder::new(out);
                let written = encoder.write_image(&bytes, image.width, image.height, image::ExtendedColorType::Rgba8);
                written.map_err(std::io::Error::other)
            }),
        })
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

/// Tiles of at most `largest` pixels a side, each with its place.
fn tiles_of(pixels: &Shaded, largest: usize) -> Vec<([usize; 2], ColorImage)> {
    let (width, height) = (pixels.width, pixels.height);
    let colors: &[Color32] = bytemuck::cast_slice(&pixels.pixels);
    let mut tiles = Vec::new();
    for y in (0..height).step_by(largest) {
        for x in (0..width).step_by(largest) {
            let (w, h) = (largest.min(width - x), largest.min(height - y));
            let rows = colors.chunks_exact(width).skip(y).take(h);
            let mut part = Vec::with_capacity(w * h);
            rows.for_each(|row| part.extend_from_slice(row.get(x..x + w).unwrap_or_default()));
            tiles.push(([x, y], ColorImage::new([w, h], part)));
        }
    }
    tiles
}
