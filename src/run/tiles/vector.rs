//! Vector tiles (Mapbox Vector Tile 2.1) as pictures: water, green, buildings, roads and borders, by the names that Protomaps and
//! OpenMapTiles give them. What lies under the tracks needs no names, so there are none.
//!
//! Invariant: whatever the bytes are, a picture or an error comes, and no more is drawn than the bytes have room for.

use vello_cpu::color::AlphaColor;
use vello_cpu::kurbo::{BezPath, Stroke};
use vello_cpu::{Pixmap, RenderContext, Resources};

use crate::decode::Raster;

/// Pixels of a side.
const SIDE: u16 = 512;
/// Drawn in this order; translucent, so that they suit a dark ground and a light one.
const STYLES: [Style; 12] = [
    Style::area(&["landcover", "landuse", "park"], "", [90, 150, 90, 40]),
    Style::area(&["water", "ocean"], "", [80, 130, 190, 90]),
    Style::line(&["waterway", "water", "physical_line"], "", [80, 130, 190, 110], 1.2),
    Style::area(&["buildings", "building"], "", [128, 128, 128, 60]),
    Style::line(
        &["roads", "transportation"],
        "path footway track pedestrian other",
        [140, 140, 140, 90],
        1.0,
    ),
    Style::line(&["roads", "transportation", "transit"], "rail", [120, 120, 150, 120], 1.2),
    Style::line(
        &["roads", "transportation"],
        "minor_road minor service street residential",
        [150, 150, 150, 130],
        1.8,
    ),
    Style::line(
        &["roads", "transportation"],
        "medium_road tertiary secondary",
        [160, 160, 160, 160],
        2.6,
    ),
    Style::line(&["roads", "transportation"], "major_road primary trunk", [180, 165, 130, 190], 3.4),
    Style::line(&["roads", "transportation"], "highway motorway", [200, 165, 90, 210], 4.2),
    Style::line(&["boundaries", "boundary"], "", [160, 120, 160, 160], 1.4),
    Style::area(&["earth"], "", [128, 128, 128, 12]),
];

struct Style {
    layers: &'static [&'static str],
    /// What `kind` or `class` may say; empty: anything.
    kinds: &'static str,
    rgba: [u8; 4],
    /// 0: an area is filled.
    width: f64,
}

impl Style {
    const fn area(layers: &'static [&'static str], kinds: &'static str, rgba: [u8; 4]) -> Style {
        Style::line(layers, kinds, rgba, 0.0)
    }

    const fn line(layers: &'static [&'static str], kinds: &'static str, rgba: [u8; 4], width: f64) -> Style {
        Style {
            layers,
            kinds,
            rgba,
            width,
        }
    }

    fn fits(&self, layer: &Layer, feature: &Feature) -> bool {
        let is_area = feature.kind == Some(Kind::Area);
        let is_shape = if self.width == 0.0 {
            is_area
        } else {
            feature.kind == Some(Kind::Line)
        };
        is_shape && self.layers.contains(&layer.name) && (self.kinds.is_empty() || self.kinds.split(' ').any(|k| k == feature.class(layer)))
    }
}

pub fn picture(tile: &[u8]) -> Result<Raster, String> {
    let layers: Vec<Layer> = fields(tile).filter(|f| f.number == 3).filter_map(|f| Layer::new(f.bytes)).collect();
    if layers.is_empty() && !tile.is_empty() {
        return Err("this is no vector tile".into());
    }
    let mut context = RenderContext::new(SIDE, SIDE);
    for style in &STYLES {
        let [r, g, b, a] = style.rgba;
        context.set_paint(AlphaColor::from_rgba8(r, g, b, a));
        context.set_stroke(Stroke::new(style.width));
        for layer in layers.iter().filter(|l| style.layers.contains(&l.name)) {
            for feature in layer.features.iter().filter(|f| style.fits(layer, f)) {
                let path = feature.path(f64::from(SIDE) / layer.extent, style.width == 0.0);
                if style.width == 0.0 {
                    context.fill_path(&path);
                } else {
                    context.stroke_path(&path);
                }
            }
        }
    }
    let mut target = Pixmap::new(SIDE, SIDE);
    context.flush();
    context.render(&mut target, &mut Resources::new());
    let pixels: Vec<u8> = target.data().iter().flat_map(|p| straight([p.r, p.g, p.b, p.a])).collect();
    Ok(Raster {
        width: u32::from(SIDE),
        height: u32::from(SIDE),
        rgba: pixels.into(),
    })
}

/// Not multiplied with its alpha.
fn straight([r, g, b, a]: [u8; 4]) -> [u8; 4] {
    let of = |c: u8| match a {
        0 => 0,
        a => (u16::from(c) * 255 / u16::from(a)).min(255) as u8,
    };
    [of(r), of(g), of(b), a]
}

struct Layer<'a> {
    name: &'a str,
    extent: f64,
    keys: Vec<&'a [u8]>,
    /// Those that are texts; others are empty.
    values: Vec<&'a [u8]>,
    features: Vec<Feature<'a>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Line,
    Area,
}

struct Feature<'a> {
    kind: Option<Kind>,
    tags: &'a [u8],
    geometry: &'a [u8],
}

impl<'a> Layer<'a> {
    fn new(bytes: &'a [u8]) -> Option<Layer<'a>> {
        let mut layer = Layer {
            name: "",
            extent: 4096.0,
            keys: Vec::new(),
            values: Vec::new(),
            features: Vec::new(),
        };
        for field in fields(bytes) {
            match field.number {
                1 => layer.name = std::str::from_utf8(field.bytes).ok()?,
                2 => layer.features.push(Feature::new(field.bytes)),
                3 => layer.keys.push(field.bytes),
                4 => layer
                    .values
                    .push(fields(field.bytes).find(|f| f.number == 1).map_or(&[], |f| f.bytes)),
                5 => layer.extent = (field.value as f64).max(1.0),
                _ => {}
            }
        }
        Some(layer)
    }
}

impl<'a> Feature<'a> {
    fn new(bytes: &'a [u8]) -> Feature<'a> {
        let mut feature = Feature {
            kind: None,
            tags: &[],
            geometry: &[],
        };
        for field in fields(bytes) {
            match (field.number, field.value) {
                (2, _) => feature.tags = field.bytes,
                (3, 2) => feature.kind = Some(Kind::Line),
                (3, 3) => feature.kind = Some(Kind::Area),
                (4, _) => feature.geometry = field.bytes,
                _ => {}
            }
        }
        feature
    }

    /// What `kind` (Protomaps) or `class` (OpenMapTiles) says.
    fn class(&self, layer: &Layer<'a>) -> &'a str {
        let mut tags = Numbers(self.tags);
        while let (Some(key), Some(value)) = (tags.next(), tags.next()) {
            let at = |list: &[&'a [u8]], n: u64| usize::try_from(n).ok().and_then(|n| list.get(n)).copied();
            if matches!(at(&layer.keys, key), Some(b"kind" | b"class")) {
                return at(&layer.values, value)
                    .and_then(|v| std::str::from_utf8(v).ok())
                    .unwrap_or_default();
            }
        }
        ""
    }

    /// MoveTo, LineTo and ClosePath, each with zigzag deltas.
    fn path(&self, scale: f64, is_closed: bool) -> BezPath {
        let mut path = BezPath::new();
        let mut numbers = Numbers(self.geometry);
        let (mut x, mut y) = (0_i64, 0_i64);
        let mut is_begun = false;
        while let Some(command) = numbers.next() {
            let (what, count) = (command & 7, command >> 3);
            if what == 7 {
                if is_begun && is_closed {
                    path.close_path();
                }
                continue;
            }
            for _ in 0..count {
                let (Some(dx), Some(dy)) = (numbers.next(), numbers.next()) else {
                    return path;
                };
                (x, y) = (x.saturating_add(zigzag(dx)), y.saturating_add(zigzag(dy)));
                // a tile's surroundings are no part of it
                let place = |v: i64| (v as f64 * scale).clamp(-2.0 * f64::from(SIDE), 3.0 * f64::from(SIDE));
                let at = (place(x), place(y));
                match (what, is_begun) {
                    (2, true) => path.line_to(at),
                    _ => path.move_to(at),
                }
                is_begun = true;
            }
        }
        path
    }
}

fn zigzag(n: u64) -> i64 {
    (n >> 1).cast_signed() ^ -((n & 1).cast_signed())
}

/// A field of a protocol buffer's message.
struct Field<'a> {
    number: u64,
    value: u64,
    bytes: &'a [u8],
}

/// Up to the first that cannot be read.
fn fields(mut bytes: &[u8]) -> impl Iterator<Item = Field<'_>> {
    std::iter::from_fn(move || {
        let key = varint(&mut bytes)?;
        let mut field = Field {
            number: key >> 3,
            value: 0,
            bytes: &[],
        };
        let skipped = match key & 7 {
            0 => {
                field.value = varint(&mut bytes)?;
                0
            }
            1 => 8,
            2 => usize::try_from(varint(&mut bytes)?).ok()?,
            5 => 4,
            _ => return None,
        };
        (field.bytes, bytes) = bytes.split_at_checked(skipped)?;
        Some(field)
    })
}

struct Numbers<'a>(&'a [u8]);

impl Iterator for Numbers<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        varint(&mut self.0)
    }
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
