//! Map tiles of an XYZ server or of one file (PMTiles, MBTiles): asked for by their address, kept as textures.
//!
//! Invariant: nothing is asked for unless such a layer is chosen; a tile that does not come is shown by a coarser one, or not at all,
//! and that is said.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use egui::{Color32, ColorImage, Painter, Rect, TextureHandle, TextureOptions, pos2};
use serde::{Deserialize, Serialize};

use super::mercator::Viewport;
use crate::decode::Resource;
use crate::store::{Lookup, Store};

/// Tiles in flight, and tiles that are made into textures in one frame.
const AT_ONCE: usize = 12;
const UPLOADED_A_FRAME: usize = 4;
const MOST_KEPT: usize = 400;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Natural Earth, without a network.
    #[default]
    Offline,
    OpenStreetMap,
    EsriImagery,
    /// The user's own address with `{z}`, `{x}`, `{y}`.
    Custom,
    /// A PMTiles or MBTiles file.
    File,
}

impl Layer {
    pub const ALL: [Layer; 5] = [Layer::Offline, Layer::OpenStreetMap, Layer::EsriImagery, Layer::Custom, Layer::File];

    pub fn name(self) -> &'static str {
        match self {
            Layer::Offline => "Offline",
            Layer::OpenStreetMap => "OpenStreetMap",
            Layer::EsriImagery => "Esri World Imagery",
            Layer::Custom => "Custom tiles",
            Layer::File => "PMTiles or MBTiles file",
        }
    }

    pub fn attribution(self) -> &'static str {
        match self {
            Layer::Offline => super::world::ATTRIBUTION,
            Layer::OpenStreetMap => "© OpenStreetMap contributors",
            Layer::EsriImagery => "Esri, Maxar, Earthstar Geographics, and the GIS User Community",
            Layer::Custom | Layer::File => "",
        }
    }

    /// Whether what is looked at is told to a server.
    pub fn is_online(self) -> bool {
        matches!(self, Layer::OpenStreetMap | Layer::EsriImagery | Layer::Custom)
    }

    fn template(self, custom: &str) -> Option<&str> {
        match self {
            Layer::Offline | Layer::File => None,
            Layer::OpenStreetMap => Some("https://tile.openstreetmap.org/{z}/{x}/{y}.png"),
            Layer::EsriImagery => Some("https://server.arcgisonline.com/ArcGIS/rest/services/World_Imagery/MapServer/tile/{z}/{y}/{x}"),
            Layer::Custom => Some(custom).filter(|c| c.contains("{z}") && c.contains("{x}") && c.contains("{y}")),
        }
    }

    fn deepest(self) -> u8 {
        match self {
            Layer::Offline => 0,
            Layer::OpenStreetMap | Layer::EsriImagery => 19,
            Layer::Custom | Layer::File => 22,
        }
    }
}

/// What is shown under the tracks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ground {
    pub layer: Layer,
    /// For [`Layer::Custom`].
    pub template: String,
    /// For [`Layer::File`]: a path or an address.
    pub file: String,
}

impl Ground {
    fn address(&self, tile: Tile) -> Option<Arc<str>> {
        if self.layer == Layer::File {
            let Tile { z, x, y } = tile;
            return (!self.file.is_empty()).then(|| format!("tile:{z}/{x}/{y}@{}", self.file).into());
        }
        Some(address(self.layer.template(&self.template)?, tile).into())
    }

    fn about(&self) -> Option<Arc<str>> {
        (self.layer == Layer::File && !self.file.is_empty()).then(|| format!("tile:about@{}", self.file).into())
    }
}

/// What a file of tiles says of itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct About {
    /// Its pictures are translucent.
    is_vector: bool,
    min_zoom: u8,
    max_zoom: u8,
    attribution: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Tile {
    z: u8,
    x: u32,
    y: u32,
}

#[derive(Default)]
pub struct Tiles {
    ground: Ground,
    about: Option<About>,
    textures: HashMap<Tile, (TextureHandle, u64)>,
    /// Wanted, nearest to the middle first, with their addresses.
    wanted: Vec<(Tile, Arc<str>)>,
    failed: HashMap<Tile, Arc<str>>,
    /// The file has none there.
    absent: HashSet<Tile>,
    /// Nothing comes at all.
    refused: Option<Arc<str>>,
    frame: u64,
}

impl Tiles {
    /// Addresses of the tiles that are missing.
    pub fn wanted(&self) -> impl Iterator<Item = Arc<str>> + '_ {
        let about = self.ground.about().filter(|_| self.about.is_none() && self.refused.is_none());
        let tiles = self.wanted.iter().take(AT_ONCE).map(|(_, address)| address.clone());
        about.into_iter().chain(tiles)
    }

    /// Whether the ground shows through what is drawn.
    pub fn is_translucent(&self) -> bool {
        self.about.as_ref().is_some_and(|about| about.is_vector)
    }

    /// Whom the ground is by.
    pub fn attribution(&self) -> &str {
        match &self.about {
            Some(about) => &about.attribution,
            None => self.ground.layer.attribution(),
        }
    }

    /// Why tiles are missing, if some did not come.
    pub fn failure(&self) -> Option<&str> {
        self.refused.as_ref().or_else(|| self.failed.values().next()).map(|why| &**why)
    }

    /// How many are still to come.
    pub fn missing(&self) -> usize {
        let about = self.ground.about().filter(|_| self.about.is_none() && self.refused.is_none());
        self.wanted.len() + usize::from(about.is_some())
    }

    /// Tries again what did not come.
    pub fn retry(&mut self) {
        self.failed.clear();
        self.refused = None;
    }

    pub fn draw(&mut self, painter: &Painter, view: &Viewport, ground: &Ground, store: &Store) {
        if self.ground != *ground {
            *self = Tiles {
                ground: ground.clone(),
                ..Tiles::default()
            };
        }
        self.frame += 1;
        self.take_about(store);
        self.take(painter.ctx(), store);
        self.wanted.clear();
        let (shallowest, deepest) = match (&self.about, ground.layer) {
            (Some(about), _) => (about.min_zoom, about.max_zoom.max(about.min_zoom)),
            (_, Layer::File) => return,
            _ => (0, ground.layer.deepest()),
        };
        let depth = view.zoom.round().clamp(f64::from(shallowest), f64::from(deepest)) as u8;
        let places = visible(view, depth);
        for (tile, rect) in &places {
            if self.textures.contains_key(tile) {
                continue;
            }
            self.draw_coarser(painter, *tile, *rect);
            let is_known = self.failed.contains_key(tile) || self.absent.contains(tile) || self.wanted.iter().any(|w| w.0 == *tile);
            if !is_known {
                self.wanted.extend(ground.address(*tile).map(|address| (*tile, address)));
            }
        }
        for (tile, rect) in &places {
            if let Some((texture, used)) = self.textures.get_mut(tile) {
                *used = self.frame;
                painter.image(
                    texture.id(),
                    *rect,
                    Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)),
                    Color32::WHITE,
                );
            }
        }
        self.forget();
    }

    /// What the file is.
    fn take_about(&mut self, store: &Store) {
        let Some(address) = self.ground.about().filter(|_| self.about.is_none() && self.refused.is_none()) else {
            return;
        };
        match store.resource(&address) {
            Lookup::Ready(Resource::Bytes(bytes)) => {
                self.about = Some(serde_json::from_slice(&bytes).unwrap_or_default());
            }
            Lookup::Failed(why) => self.refused = Some(why),
            Lookup::Ready(_) | Lookup::Pending | Lookup::Absent => {}
        }
    }

    /// What has arrived.
    fn take(&mut self, ctx: &egui::Context, store: &Store) {
        let mut left = UPLOADED_A_FRAME;
        let arrived: Vec<(Tile, Arc<str>)> = self.wanted.iter().take(AT_ONCE).cloned().collect();
        for (tile, address) in arrived {
            match store.resource(&address) {
                Lookup::Ready(Resource::Bytes(bytes)) if bytes.is_empty() => drop(self.absent.insert(tile)),
                Lookup::Ready(Resource::Picture(picture)) if left > 0 => {
                    left -= 1;
                    let size = [picture.width as usize, picture.height as usize];
                    let image = ColorImage::from_rgba_unmultiplied(size, &picture.rgba);
                    let name = format!("tile {}/{}/{}", tile.z, tile.x, tile.y);
                    let texture = ctx.load_texture(name, image, TextureOptions::LINEAR);
                    self.textures.insert(tile, (texture, self.frame));
                }
                Lookup::Ready(Resource::Bytes(_) | Resource::Mesh(_)) => {
                    drop(self.failed.insert(tile, "a tile is no picture (PNG, JPEG, WebP)".into()));
                }
                Lookup::Failed(why) => drop(self.failed.insert(tile, why)),
                Lookup::Ready(_) | Lookup::Pending | Lookup::Absent => {}
            }
        }
    }

    /// A part of the nearest coarser tile that is there.
    fn draw_coarser(&mut self, painter: &Painter, tile: Tile, rect: Rect) {
        for up in 1..=tile.z.min(6) {
            let parent = Tile {
                z: tile.z - up,
                x: tile.x >> up,
                y: tile.y >> up,
            };
            if let Some((texture, used)) = self.textures.get_mut(&parent) {
                *used = self.frame;
                let side = 1.0 / f32::from(1_u16 << up);
                let within = |n: u32| (n & ((1 << up) - 1)) as f32 * side;
                let from = pos2(within(tile.x), within(tile.y));
                let part = Rect::from_min_size(from, egui::Vec2::splat(side));
                painter.image(texture.id(), rect, part, Color32::WHITE);
                return;
            }
        }
    }

    fn forget(&mut self) {
        if self.textures.len() > MOST_KEPT {
            let frame = self.frame;
            self.textures.retain(|_, (_, used)| frame - *used < 120);
        }
    }
}

fn address(template: &str, tile: Tile) -> String {
    let with = |text: String, name: &str, number: u32| text.replace(name, &number.to_string());
    let text = with(template.to_owned(), "{z}", u32::from(tile.z));
    with(with(text, "{x}", tile.x), "{y}", tile.y)
}

/// Tiles in view and where they are, those in the middle first.
fn visible(view: &Viewport, depth: u8) -> Vec<(Tile, Rect)> {
    let across = 1_u32 << depth;
    let [west, north, east, south] = view.bounds().map(|b| b * f64::from(across));
    let mut found: Vec<(Tile, Rect)> = Vec::new();
    for y in (north.floor().max(0.0) as u32)..(south.ceil().clamp(0.0, f64::from(across)) as u32) {
        for column in (west.floor() as i64)..(east.ceil() as i64) {
            let Ok(x) = u32::try_from(column.rem_euclid(i64::from(across))) else {
                continue;
            };
            let corner =
                |dx: i64, dy: u32| view.to_screen([(column + dx) as f64 / f64::from(across), f64::from(y + dy) / f64::from(across)]);
            let rect = Rect::from_min_max(corner(0, 0), corner(1, 1));
            found.push((Tile { z: depth, x, y }, rect));
        }
    }
    let middle = view.rect.center();
    found.sort_by(|a, b| a.1.center().distance_sq(middle).total_cmp(&b.1.center().distance_sq(middle)));
    found.truncate(200);
    found
}
