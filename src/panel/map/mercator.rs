//! The globe on the square of Web Mercator, and the part of it that a panel shows.
//!
//! Invariant: x may leave 0 to 1: a track that crosses the antimeridian goes on, and the world is repeated to both sides.

use egui::{Pos2, Rect, pos2};

pub use crate::store::{World, project};

const TILE_POINTS: f64 = 256.0;
const EQUATOR_METRES: f64 = 40_075_016.686;
const EARTH_RADIUS_METRES: f64 = 6_371_008.8;
pub const ZOOM_RANGE: (f64, f64) = (0.0, 22.0);

/// Latitude and longitude in degrees, the longitude within ±180.
pub fn unproject(world: World) -> (f64, f64) {
    let latitude = ((0.5 - world[1]) * std::f64::consts::TAU).sinh().atan().to_degrees();
    let longitude = (world[0].rem_euclid(1.0) - 0.5) * 360.0;
    (latitude, longitude)
}

/// Along the great circle.
pub fn distance_metres(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (lat_a, lat_b) = (a.0.to_radians(), b.0.to_radians());
    let (d_lat, d_lon) = ((lat_b - lat_a) / 2.0, (b.1 - a.1).to_radians() / 2.0);
    let h = d_lat.sin().powi(2) + lat_a.cos() * lat_b.cos() * d_lon.sin().powi(2);
    2.0 * EARTH_RADIUS_METRES * h.clamp(0.0, 1.0).sqrt().asin()
}

/// Metres on the ground of the side of the world's square, at this y.
pub fn metres_per_world(y: f64) -> f64 {
    let (latitude, _) = unproject([0.5, y.clamp(0.0, 1.0)]);
    EQUATOR_METRES * latitude.to_radians().cos().max(1e-6)
}

/// Clockwise from north, of the straight way on the map.
pub fn bearing_deg(from: World, to: World) -> f64 {
    (to[0] - from[0]).atan2(from[1] - to[1]).to_degrees().rem_euclid(360.0)
}

/// The side of the world's square in points.
pub fn scale_of(zoom: f64) -> f64 {
    TILE_POINTS * zoom.exp2()
}

/// What is shown: a place in the middle of a rectangle, at a zoom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Viewport {
    pub center: World,
    /// 0 shows the world on 256 points; every step doubles.
    pub zoom: f64,
    pub rect: Rect,
}

impl Viewport {
    /// The side of the world's square in points.
    pub fn scale(&self) -> f64 {
        scale_of(self.zoom)
    }

    pub fn to_screen(self, world: World) -> Pos2 {
        let scale = self.scale();
        let middle = self.rect.center();
        pos2(
            middle.x + ((world[0] - self.center[0]) * scale) as f32,
            middle.y + ((world[1] - self.center[1]) * scale) as f32,
        )
    }

    pub fn to_world(self, at: Pos2) -> World {
        let scale = self.scale();
        let offset = at - self.rect.center();
        [
            self.center[0] + f64::from(offset.x) / scale,
            self.center[1] + f64::from(offset.y) / scale,
        ]
    }

    /// West, north, east and south edge.
    pub fn bounds(&self) -> [f64; 4] {
        let [west, north] = self.to_world(self.rect.min);
        let [east, south] = self.to_world(self.rect.max);
        [west, north, east, south]
    }

    /// Of a length on the ground at this y.
    pub fn points_per_metre(&self, y: f64) -> f64 {
        self.scale() / metres_per_world(y)
    }

    /// Zooms by `steps` so that what is at `at` stays there.
    pub fn zoom_at(&mut self, at: Pos2, steps: f64) {
        let before = self.to_world(at);
        self.zoom = (self.zoom + steps).clamp(ZOOM_RANGE.0, ZOOM_RANGE.1);
        let after = self.to_world(at);
        self.move_by([before[0] - after[0], before[1] - after[1]]);
    }

    pub fn move_by(&mut self, by: World) {
        self.center = [(self.center[0] + by[0]).rem_euclid(1.0), (self.center[1] + by[1]).clamp(0.0, 1.0)];
    }

    /// Shows all of west, north, east, south, at no more than `max_zoom`.
    pub fn fit(&mut self, [west, north, east, south]: [f64; 4], max_zoom: f64) {
        // the tools stand at the right
        let room = (self.rect.size() - egui::vec2(104.0, 64.0)).max(egui::vec2(32.0, 32.0));
        let across = (east - west).max(1e-12);
        let down = (south - north).max(1e-12);
        let scale = (f64::from(room.x) / across).min(f64::from(room.y) / down);
        self.zoom = (scale / TILE_POINTS).log2().clamp(ZOOM_RANGE.0, max_zoom);
        self.center = [((west + east) / 2.0).rem_euclid(1.0), ((north + south) / 2.0).clamp(0.0, 1.0)];
    }

    /// The whole shifts of the world by which something between `west` and `east` is in view.
    pub fn shifts(&self, west: f64, east: f64) -> std::ops::RangeInclusive<i32> {
        let [left, _, right, _] = self.bounds();
        let first = (left - east).ceil().max(-4.0) as i32;
        let last = (right - west).floor().min(4.0) as i32;
        first..=last
    }
}
