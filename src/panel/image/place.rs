//! Where a picture's pixels lie on the screen: fit, zoom, pan, rotation and flips, and the way back from pointer to pixel.
//!
//! Invariant: `pixel_at` is the exact inverse of `to_screen`.

use egui::{Pos2, Rect, Response, Ui, Vec2, pos2, vec2};
use serde::{Deserialize, Serialize};

/// How the picture is turned before it is shown: flipped first, then rotated clockwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Turn {
    /// 0, 90, 180 or 270; clockwise.
    pub rotation_degrees: u16,
    pub flip_horizontal: bool,
    pub flip_vertical: bool,
}

/// A part of the picture in view. None of it: the whole picture fits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Zoom {
    /// 1 = the picture fits the panel.
    pub times: f32,
    /// The picture's point in the panel's middle, as parts of the turned picture's width and height.
    pub center: [f32; 2],
}

pub struct Place {
    rect: Rect,
    /// Pixels, as stored.
    size: Vec2,
    turn: Turn,
    zoom: Zoom,
    /// Points per pixel.
    scale: f32,
}

const MOST_POINTS_PER_PIXEL: f32 = 128.0;

impl Place {
    pub fn new(rect: Rect, [width, height]: [u32; 2], turn: Turn, zoom: Option<Zoom>) -> Place {
        let size = vec2(width.max(1) as f32, height.max(1) as f32);
        let zoom = zoom
            .filter(|z| z.times.is_finite() && z.times > 0.0 && z.center.iter().all(|c| c.is_finite()))
            .unwrap_or(Zoom {
                times: 1.0,
                center: [0.5, 0.5],
            });
        let mut place = Place {
            rect,
            size,
            turn,
            zoom,
            scale: 1.0,
        };
        let turned = place.turned_size();
        let fit = (rect.width().max(1.0) / turned.x).min(rect.height().max(1.0) / turned.y);
        place.scale = fit * zoom.times;
        place
    }

    /// Points per pixel.
    pub fn scale(&self) -> f32 {
        self.scale
    }

    /// Pixels of the picture per pixel of the screen, at least 1.
    pub fn pixels_per_texel(&self, screen_pixels_per_point: f32) -> f32 {
        (1.0 / (self.scale * screen_pixels_per_point)).max(1.0)
    }

    fn sideways(&self) -> bool {
        self.turn.rotation_degrees % 180 == 90
    }

    fn turned_size(&self) -> Vec2 {
        if self.sideways() {
            vec2(self.size.y, self.size.x)
        } else {
            self.size
        }
    }

    /// A point of the picture, in pixels from its upper left corner, to the screen.
    pub fn to_screen(&self, pixel: Pos2) -> Pos2 {
        let (w, h) = (self.size.x, self.size.y);
        let x = if self.turn.flip_horizontal { w - pixel.x } else { pixel.x };
        let y = if self.turn.flip_vertical { h - pixel.y } else { pixel.y };
        let turned = match self.turn.rotation_degrees % 360 {
            90 => vec2(h - y, x),
            180 => vec2(w - x, h - y),
            270 => vec2(y, w - x),
            _ => vec2(x, y),
        };
        self.rect.center() + (turned - self.center()) * self.scale
    }

    fn center(&self) -> Vec2 {
        let size = self.turned_size();
        vec2(self.zoom.center[0] * size.x, self.zoom.center[1] * size.y)
    }

    fn turned_at(&self, screen: Pos2) -> Vec2 {
        (screen - self.rect.center()) / self.scale + self.center()
    }

    /// The pixel under a point of the screen.
    pub fn pixel_at(&self, screen: Pos2) -> Option<(u32, u32)> {
        let t = self.turned_at(screen);
        let (w, h) = (self.size.x, self.size.y);
        let (x, y) = match self.turn.rotation_degrees % 360 {
            90 => (t.y, h - t.x),
            180 => (w - t.x, h - t.y),
            270 => (w - t.y, t.x),
            _ => (t.x, t.y),
        };
        let x = if self.turn.flip_horizontal { w - x } else { x };
        let y = if self.turn.flip_vertical { h - y } else { y };
        (x >= 0.0 && y >= 0.0 && x < w && y < h).then_some((x as u32, y as u32))
    }

    pub fn pixel_outline(&self, x: u32, y: u32) -> Rect {
        Rect::from_two_pos(
            self.to_screen(pos2(x as f32, y as f32)),
            self.to_screen(pos2(x as f32 + 1.0, y as f32 + 1.0)),
        )
    }

    /// Wheel zooms to the pointer, drag pans, double-click fits. Some when the view changed: the new one.
    pub fn interact(&self, ui: &Ui, response: &Response) -> Option<Option<Zoom>> {
        if response.double_clicked() {
            return Some(None);
        }
        let drag = response.drag_delta();
        if response.dragged() && drag != Vec2::ZERO {
            return Some(self.centered_at(self.center() - drag / self.scale, self.zoom.times));
        }
        let pointer = response.hover_pos().filter(|_| response.contains_pointer())?;
        let wheel = ui.input(|i| i.smooth_scroll_delta().y);
        let factor = (wheel * 0.004).exp() * ui.input(egui::InputState::zoom_delta);
        if (factor - 1.0).abs() < 1e-4 {
            return None;
        }
        let fit = self.scale / self.zoom.times;
        let times = (self.zoom.times * factor).clamp(0.2, (MOST_POINTS_PER_PIXEL / fit).max(1.0));
        // the picture's point under the pointer stays there
        let held = self.turned_at(pointer);
        let center = held - (pointer - self.rect.center()) / (fit * times);
        Some(self.centered_at(center, times))
    }

    fn centered_at(&self, center: Vec2, times: f32) -> Option<Zoom> {
        let size = self.turned_size();
        let center = [(center.x / size.x).clamp(0.0, 1.0), (center.y / size.y).clamp(0.0, 1.0)];
        (times != 1.0 || center != [0.5, 0.5]).then_some(Zoom { times, center })
    }
}
