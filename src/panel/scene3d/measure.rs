//! Distances along points that were clicked, in the fixed frame.
//!
//! Invariant: a point is what a click picks; where that is nothing, it lies on the ground.

use egui::{Align2, Rect, Stroke, Ui, vec2};
use glam::{DVec2, DVec3};

use crate::panel::widget;
use crate::render::{self, Scene, View};
use crate::theme;

#[derive(Default)]
pub struct Measure {
    pub is_on: bool,
    points: Vec<DVec3>,
}

impl Measure {
    pub fn toggle(&mut self) {
        *self = Measure {
            is_on: !self.is_on,
            points: Vec::new(),
        };
    }

    pub fn clear(&mut self) {
        self.points.clear();
    }

    /// What lies under a physical pixel.
    pub fn add(&mut self, scene: &Scene, px: DVec2) {
        let picked = render::pick(scene, px).map(|picked| picked.position_in_world);
        self.points.push(picked.unwrap_or_else(|| scene.view.anchor(px)));
    }

    /// All legs together, and the last one, in metres.
    fn text(&self) -> String {
        let legs = || self.points.windows(2).filter_map(|pair| Some(*pair.get(1)? - *pair.first()?));
        let Some(last) = legs().next_back() else {
            return match self.points.is_empty() {
                true => "Click two points to measure between".to_owned(),
                false => "Click another point".to_owned(),
            };
        };
        let whole: f64 = legs().map(DVec3::length).sum();
        let apart = format!("x {:.3}  y {:.3}  z {:.3}", last.x, last.y, last.z);
        match self.points.len() {
            2 => format!("{whole:.3} m   {apart}"),
            _ => format!("{whole:.3} m   last {:.3} m   {apart}", last.length()),
        }
    }

    pub fn ui(&self, ui: &Ui, rect: Rect, view: &View) {
        if !self.is_on {
            return;
        }
        let colors = theme::palette(ui.visuals());
        let painter = ui.painter().with_clip_rect(rect);
        let place = |point: &DVec3| {
            let projected = view.project(*point)?;
            Some(rect.min + vec2(projected.px.x as f32, projected.px.y as f32) / view.viewport.pixels_per_point)
        };
        for pair in self.points.windows(2) {
            let ends: Vec<egui::Pos2> = pair.iter().filter_map(place).collect();
            let [from, to] = ends.as_slice() else { continue };
            painter.line_segment([*from, *to], Stroke::new(4.0, colors.scene.gamma_multiply(0.7)));
            painter.line_segment([*from, *to], Stroke::new(2.0, colors.accent));
        }
        for at in self.points.iter().filter_map(place) {
            painter.circle(at, 4.0, colors.accent, Stroke::new(1.5, colors.scene));
        }
        widget::plate(ui, rect, Align2::CENTER_TOP, &self.text(), true);
    }
}
