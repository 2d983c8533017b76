//! The value of a path as colour behind a plot over time: a mode, a gear, a level.
//!
//! Invariant: it lies behind grid and series, and never hides them.

use egui::{Align2, Color32, Rect, Shape, Ui, pos2};

use super::PlotPanel;
use super::canvas::{Frame, secs_of, time_of};
use crate::panel::bands::{self, Band, Colors, State};
use crate::panel::{View, widget};
use crate::theme;
use crate::time::{Span, Time};

/// How much of a colour is left of it behind the series.
const STRENGTH: f32 = 0.16;

impl PlotPanel {
    /// Whether there is one to be drawn.
    pub(super) fn has_background(&self) -> bool {
        !self.config.background.path.is_empty() && self.config.x_axis.is_time()
    }

    /// What lies behind the visible time, and the names of values where they have room.
    pub(super) fn background_shapes(&self, ui: &Ui, view: &View, plot: &Frame) -> Vec<Shape> {
        if !self.has_background() {
            return Vec::new();
        }
        let palette = theme::palette(ui.visuals());
        let (a, b) = (plot.secs_at(plot.rect.left_top()), plot.secs_at(plot.rect.right_top()));
        let span = Span::new(time_of(view, a.min(b)), time_of(view, a.max(b)));
        let columns = (plot.rect.width() * ui.pixels_per_point()).ceil().max(1.0) as usize;
        let mut shapes = Vec::new();
        let bands = self.background_bands(view, span, columns);
        let colors = Colors::new(&self.background, view.store, &bands);
        // short ones over the others, a pixel wide, so that none is lost
        let pixel = 1.0 / ui.pixels_per_point();
        let placed = bands
            .into_iter()
            .map(|band| (plot.x_range(secs_of(view, band.from), secs_of(view, band.to)), band));
        let (narrow, wide): (Vec<_>, Vec<_>) = placed.partition(|(x, _)| x.span() < pixel);
        for (x, band) in wide.into_iter().chain(narrow) {
            let x = egui::Rangef::new(x.min, x.max.max(x.min + pixel));
            let place = Rect::from_x_y_ranges(x, plot.rect.y_range()).intersect(plot.rect);
            if !place.is_positive() {
                continue;
            }
            let color = self.background_color(ui, view, &colors, band.state);
            shapes.push(Shape::rect_filled(place, 0.0, color.gamma_multiply(STRENGTH)));
            if let Some(name) = self.background_name(view, band.state).filter(|_| place.width() > 24.0) {
                let mut job = egui::text::LayoutJob::simple_singleline(name, theme::small(), palette.weak);
                job.wrap = egui::text::TextWrapping::truncate_at_width(place.width() - 8.0);
                let galley = ui.painter().layout_job(job);
                let at = Align2::LEFT_BOTTOM.anchor_size(pos2(place.left() + 4.0, place.bottom() - 2.0), galley.size());
                shapes.push(Shape::galley(at.min, galley, palette.weak));
            }
        }
        shapes
    }

    fn background_bands(&self, view: &View, span: Span, columns: usize) -> Vec<Band> {
        // what is not read yet has no state
        let loaded = self.background.series(view.store).and_then(crate::store::Series::span);
        let until = loaded.map_or(Time::MIN, |s| s.end).max(view.now.min(view.span.end));
        bands::bands(&self.background, view.store, span, columns, until)
    }

    fn background_color(&self, ui: &Ui, view: &View, colors: &Colors, state: State) -> Color32 {
        let Some(map) = self.config.background.colormap else {
            return colors.of(theme::palette(ui.visuals()), state);
        };
        let ends = self.background.series(view.store).and_then(|s| s.min_max(Span::ALL));
        let (low, high) = ends.unwrap_or((0.0, 1.0));
        let at = if high > low { (state.value - low) / (high - low) } else { 0.5 };
        let [r, g, b] = map.color(at as f32);
        Color32::from_rgb(r, g, b)
    }

    /// None along a colour map: there each value is another one.
    fn background_name(&self, view: &View, state: State) -> Option<String> {
        let is_state = self.config.background.colormap.is_none();
        is_state.then(|| bands::name_of(&self.background, view.store, state))
    }

    /// What the pointer is on, for the plate beside it.
    pub(super) fn background_at(&self, ui: &Ui, view: &View, t: Time) -> Option<(Color32, String, String)> {
        if !self.has_background() {
            return None;
        }
        let state = bands::at(&self.background, view.store, t)?;
        let text = self
            .background_name(view, state)
            .unwrap_or_else(|| widget::number_text(state.value, 10));
        let colors = Colors::new(&self.background, view.store, &[]);
        let name = self.config.background.path.rsplit(['.', '/']).next().unwrap_or_default();
        Some((self.background_color(ui, view, &colors, state), name.to_owned(), text))
    }
}
