//! What is drawn on the map: tracks in their colours, the position at the playhead, distances, scale.
//!
//! Invariant: a frame draws a track's thinned points only, and all its lines are one mesh.

use egui::{Align2, Color32, Painter, Pos2, Rect, Shape, Stroke, Ui, Vec2, pos2, vec2};

use super::mercator::{self, Viewport, World};
use super::ribbon::{Line, ribbon};
use super::tiles::Layer;
use super::track::{At, Found, Track};
use super::{ColorBy, MapPanel, world};
use crate::decode::Fix;
use crate::panel::{View, widget};
use crate::render::Colormap;
use crate::store::{Series, TopicId};
use crate::theme::{self, Palette};
use crate::time;

/// Colours of one value scale.
const STEPS: u8 = 48;
/// 95 % of a two-dimensional normal distribution lies within so many standard deviations.
const SIGMAS: f64 = 2.448;

/// Positions that the range of the colours is worked out from.
const RANGE_POSITIONS: usize = 1_000;
/// Of a path, which may rise for a moment.
const PATH_RANGE_POSITIONS: usize = 20_000;

pub type RangeKey = (ColorBy, String);

impl MapPanel {
    pub(super) fn draw_ground(&mut self, ui: &Ui, viewport: &Viewport, view: &View) {
        let p = theme::palette(ui.visuals());
        let painter = ui.painter();
        painter.rect_filled(viewport.rect, 0.0, world::water_color(p));
        // what does not come leaves the offline map
        let is_far = viewport.zoom < 6.0 && !self.tiles.is_translucent();
        let is_offline = self.config.layer == Layer::Offline || is_far || self.tiles.failure().is_some();
        self.is_bare = false;
        if is_offline {
            self.is_bare = !world::draw(painter, viewport, p);
        } else {
            painter.rect_filled(viewport.rect, 0.0, world::land_color(p));
        }
        if self.config.layer == Layer::Offline && viewport.zoom > 9.0 {
            grid(painter, viewport, p);
        }
        let ground = self.ground();
        self.tiles.draw(painter, viewport, &ground, view.store);
        if self.tiles.missing() > 0 {
            ui.ctx().request_repaint_after_secs(0.2);
        }
    }

    pub(super) fn draw_tracks(&mut self, ui: &Ui, viewport: &Viewport, view: &View) {
        let p = theme::palette(ui.visuals());
        let painter = ui.painter();
        let range = self.value_range(view);
        let config = &self.config;
        let series = self.color.series(view.store);
        for (number, track) in self.tracks.iter().enumerate() {
            let base = self.color_of(number, track.topic, view, p);
            let Some([west, north, east, south]) = track.bounds else { continue };
            let is_tiny = ((east - west).max(south - north) * viewport.scale()) < 2.0 * f64::from(config.line_width_points);
            for shift in viewport.shifts(west, east) {
                if is_tiny {
                    let middle = [(west + east) / 2.0 + f64::from(shift), (north + south) / 2.0];
                    let edge = Stroke::new(1.0, p.base.gamma_multiply(0.7));
                    painter.circle(viewport.to_screen(middle), config.line_width_points + 1.0, base, edge);
                }
                let (mut played, mut future): (Vec<Line>, Vec<Line>) = (Vec::new(), Vec::new());
                let mut last: Option<(Pos2, bool)> = None;
                for point in track.visible(viewport, f64::from(shift), view.now) {
                    let step = match config.color_by {
                        ColorBy::Topic => None,
                        by => value(by, track, point.at, series).map(|v| step_of(v, range)),
                    };
                    let color = match (config.color_by, step) {
                        (ColorBy::Topic, _) => base,
                        (ColorBy::Status, Some(_)) => status_color(p, track.fix(point.at)),
                        (_, Some(step)) => shade(config.colormap, f32::from(step) / f32::from(STEPS), ui.visuals().dark_mode),
                        (_, None) => p.faint,
                    };
                    let is_future = point.time > track.own_time(view.now);
                    // opaque: where positions lie close, what shines through would add up
                    let color = if is_future { p.base.lerp_to_gamma(color, 0.6) } else { color };
                    let at = viewport.to_screen([point.world[0] + f64::from(shift), point.world[1]]);
                    let lines = if is_future { &mut future } else { &mut played };
                    match (last.filter(|_| !point.starts), lines.last_mut()) {
                        (Some((_, was_future)), Some(line)) if was_future == is_future => line.push((at, color)),
                        (Some((before, _)), _) => lines.push(vec![(before, color), (at, color)]),
                        (None, _) => lines.push(vec![(at, color)]),
                    }
                    last = Some((at, is_future));
                }
                // what was played lies on what was not
                let lines = || future.iter().chain(&played);
                // a dark edge, so that the line can be told from any ground
                let edge = p.base.gamma_multiply(0.7);
                painter.add(ribbon(lines(), config.line_width_points + 2.0, Some(edge)));
                painter.add(ribbon(lines(), config.line_width_points, None));
                if config.show_points {
                    for (at, color) in lines().flatten() {
                        painter.circle_filled(*at, config.line_width_points * 0.9, *color);
                    }
                }
            }
        }
        for (number, track) in self.tracks.iter().enumerate() {
            if let Some(found) = view.hover.filter(|_| !self.hovering).and_then(|t| track.at(t)) {
                for at in places(viewport, found.world) {
                    painter.circle(at, 5.0, p.base.gamma_multiply(0.6), Stroke::new(2.0, p.text));
                }
            }
            if let Some(found) = track.at(view.now) {
                position(painter, viewport, &found, self.color_of(number, track.topic, view, p), p);
            }
        }
    }

    pub(super) fn color_of(&self, number: usize, topic: TopicId, view: &View, p: &Palette) -> Color32 {
        let chosen = view.store.topic(topic).and_then(|t| self.config.colors.get(&*t.name));
        chosen.map_or_else(|| theme::data::series(number), |ink| ink.color(p))
    }

    /// Least and greatest value of what colours the tracks.
    fn value_range(&mut self, view: &View) -> (f64, f64) {
        let key = (self.config.color_by, self.config.color_path.clone());
        let series = self.color.series(view.store).filter(|_| self.config.color_by == ColorBy::Path);
        let values = series.map_or(0, Series::len);
        // as for positions: while values come, once there are a third more
        let is_read = self.color.is_complete(view.store, view.span);
        let is_up_to_date = values == self.ranged_values || !is_read && values / 4 * 3 <= self.ranged_values;
        if let Some((known, range)) = &self.range
            && *known == key
            && is_up_to_date
        {
            return *range;
        }
        let mut range = (f64::INFINITY, f64::NEG_INFINITY);
        match self.config.color_by {
            ColorBy::Topic | ColorBy::Status => range = (-1.0, 2.0),
            by => {
                // of what is drawn: a path may have values where there are no positions
                let most = if by == ColorBy::Path {
                    PATH_RANGE_POSITIONS
                } else {
                    RANGE_POSITIONS
                };
                for track in &self.tracks {
                    if let Some((low, high)) = track.range(most, |at| value(by, track, at, series)) {
                        range = (range.0.min(low), range.1.max(high));
                    }
                }
            }
        }
        if range.0 > range.1 {
            range = (0.0, 1.0);
        }
        (self.range, self.ranged_values) = (Some((key, range)), values);
        range
    }

    pub(super) fn draw_measured(&self, ui: &Ui, viewport: &Viewport, pointer: Option<Pos2>) {
        if !self.measuring {
            return;
        }
        let p = theme::palette(ui.visuals());
        let painter = ui.painter();
        let mut way = self.measured.clone();
        way.extend(pointer.map(|at| viewport.to_world(at)));
        let on_screen: Vec<Pos2> = way.iter().filter_map(|w| places(viewport, *w).next()).collect();
        painter.add(Shape::line(on_screen.clone(), Stroke::new(2.0, p.accent)));
        for (at, place) in on_screen.iter().enumerate() {
            painter.circle(*place, 3.0, p.base, Stroke::new(2.0, p.accent));
            if at > 0 {
                world::halo_text(
                    painter,
                    *place + vec2(8.0, -8.0),
                    Align2::LEFT_BOTTOM,
                    &length_text(length_of(way.get(..=at).unwrap_or_default())),
                    p,
                );
            }
        }
        if self.measured.len() > 1 {
            let text = format!("Measured {}", length_text(length_of(&self.measured)));
            widget::plate(ui, viewport.rect, Align2::CENTER_TOP, &text, false);
        } else {
            let text = "Click along the way to measure; Esc ends";
            widget::plate(ui, viewport.rect, Align2::CENTER_TOP, text, false);
        }
    }

    pub(super) fn draw_hover(&self, ui: &Ui, viewport: &Viewport, view: &View, topic: TopicId, found: &Found) {
        let p = theme::palette(ui.visuals());
        for at in places(viewport, found.world) {
            ui.painter().circle(at, 5.0, p.overlay, Stroke::new(2.0, p.accent));
        }
        let name = view.store.topic(topic).map(|t| t.name.to_string()).unwrap_or_default();
        let fix = &found.fix;
        let mut lines = vec![
            format!(
                "{}   {}",
                time::format_time_of_day(found.time),
                time::format_relative(found.time, view.span.start)
            ),
            place_text(fix.latitude_deg, fix.longitude_deg),
        ];
        if fix.altitude_metres.is_finite() {
            lines.push(format!("Altitude {:.1} m", fix.altitude_metres));
        }
        if let Some(speed) = found.speed_metres_per_sec {
            lines.push(format!("{:.1} m/s ({:.0} km/h)", speed, speed * 3.6));
        }
        if let Some(heading) = found.heading_deg {
            lines.push(format!("Heading {heading:.0}°"));
        }
        if let Some([ee, _, nn, _]) = fix.covariance {
            let text = format!("± {:.2} m east, ± {:.2} m north", ee.max(0.0).sqrt(), nn.max(0.0).sqrt());
            lines.push(text);
        }
        if let Some(status) = fix.status {
            lines.push(status_text(status).to_owned());
        }
        egui::Tooltip::always_open(
            ui.ctx().clone(),
            ui.layer_id(),
            ui.scope_id().with("position"),
            egui::PopupAnchor::Pointer,
        )
        .gap(14.0)
        .show(|ui| {
            ui.label(egui::RichText::new(name).font(theme::semibold(12.0)));
            for line in lines {
                ui.label(line);
            }
        });
    }

    /// Scale, attribution, legend.
    pub(super) fn draw_frame(&self, ui: &Ui, viewport: &Viewport, view: &View) {
        let p = theme::palette(ui.visuals());
        let painter = ui.painter();
        scale_bar(painter, viewport, p);
        let mut note = match self.config.layer {
            Layer::Custom => self.config.custom_attribution.trim().to_owned(),
            _ => self.tiles.attribution().to_owned(),
        };
        if self.tiles.failure().is_some() {
            let what = if self.config.layer.is_online() {
                "Tiles cannot be reached"
            } else {
                "The file cannot be drawn"
            };
            note = if note.is_empty() {
                what.to_owned()
            } else {
                format!("{what} · {note}")
            };
        }
        if !note.is_empty() {
            let at = viewport.rect.right_bottom() - vec2(8.0, 6.0);
            world::halo_text(painter, at, Align2::RIGHT_BOTTOM, &note, p);
        }
        let (all, fixed) = self.fixes();
        if fixed < all {
            let text = format!("{} of {all} messages have no fix", all - fixed);
            let at = viewport.rect.left_bottom() + vec2(12.0, -36.0);
            world::halo_text(painter, at, Align2::LEFT_BOTTOM, &text, p);
        }
        self.legend(ui, viewport, view);
    }

    fn legend(&self, ui: &Ui, viewport: &Viewport, view: &View) {
        let p = theme::palette(ui.visuals());
        let at = viewport.rect.left_top() + vec2(10.0, 10.0);
        let painter = ui.painter();
        let name = |topic: TopicId| view.store.topic(topic).map(|t| t.name.to_string()).unwrap_or_default();
        let title = match self.config.color_by {
            ColorBy::Topic if self.tracks.len() > 1 => {
                let tracks = self.tracks.iter().enumerate();
                let lines = tracks.map(|(number, track)| (self.color_of(number, track.topic, view, p), name(track.topic)));
                return dots(painter, at, lines.collect(), p);
            }
            ColorBy::Topic => return,
            ColorBy::Status => {
                let lines = [-1_i8, 0, 1, 2].map(|status| (color_of_status(p, status), status_text(status).to_owned()));
                return dots(painter, at, lines.into(), p);
            }
            ColorBy::Accuracy => "Standard deviation, m".to_owned(),
            ColorBy::Speed => "Speed, m/s".to_owned(),
            ColorBy::Altitude => "Altitude, m".to_owned(),
            ColorBy::Path => self.config.color_path.clone(),
        };
        let Some((_, (low, high))) = self.range else { return };
        let mut title = egui::text::LayoutJob::simple_singleline(title, theme::small(), p.text);
        title.wrap = egui::text::TextWrapping::truncate_at_width((viewport.rect.width() - 90.0).max(140.0));
        let title = painter.layout_job(title);
        let bar = Rect::from_min_size(at + vec2(4.0, 22.0), vec2(title.size().x.max(140.0), 8.0));
        let plate = Rect::from_min_max(at - vec2(2.0, 0.0), bar.max + vec2(8.0, 20.0));
        painter.rect_filled(plate, 4.0, p.base.gamma_multiply(0.75));
        painter.galley(at + vec2(4.0, 4.0), title, p.text);
        for step in 0..STEPS {
            let part = bar.width() / f32::from(STEPS);
            let left = bar.left() + f32::from(step) * part;
            let cell = Rect::from_min_max(pos2(left, bar.top()), pos2(left + part + 0.5, bar.bottom()));
            let color = shade(self.config.colormap, f32::from(step) / f32::from(STEPS), ui.visuals().dark_mode);
            painter.rect_filled(cell, 0.0, color);
        }
        let y = bar.bottom() + 3.0;
        painter.text(
            pos2(bar.left(), y),
            Align2::LEFT_TOP,
            widget::number_text(low, 7),
            theme::small(),
            p.weak,
        );
        painter.text(
            pos2(bar.right(), y),
            Align2::RIGHT_TOP,
            widget::number_text(high, 7),
            theme::small(),
            p.weak,
        );
    }
}

/// What each colour is of, on a plate: a track's colour is nothing beside a ground of the same.
fn dots(painter: &egui::Painter, at: egui::Pos2, lines: Vec<(Color32, String)>, p: &theme::Palette) {
    const LINE: f32 = 18.0;
    let lines: Vec<_> = lines
        .into_iter()
        .map(|(color, text)| (color, painter.layout_no_wrap(text, theme::small(), p.text)))
        .collect();
    let width = lines.iter().map(|(_, text)| text.size().x).fold(0.0, f32::max);
    let size = vec2(width + 26.0, lines.len() as f32 * LINE + 4.0);
    painter.rect_filled(Rect::from_min_size(at - vec2(4.0, 2.0), size), 4.0, p.base.gamma_multiply(0.75));
    for (number, (color, text)) in lines.into_iter().enumerate() {
        let y = at.y + LINE * (number as f32 + 0.5);
        painter.circle_filled(pos2(at.x + 4.0, y), 4.0, color);
        painter.galley(pos2(at.x + 14.0, y - text.size().y / 2.0), text, p.text);
    }
}

/// Without the end of the colour map that the ground is like: dark on a dark one, bright on a bright one.
fn shade(map: Colormap, fraction: f32, is_dark: bool) -> Color32 {
    let (low, high) = if is_dark { (0.3, 1.0) } else { (0.0, 0.8) };
    let [r, g, b] = map.color(low + (high - low) * fraction);
    Color32::from_rgb(r, g, b)
}

/// Along the way.
fn length_of(way: &[World]) -> f64 {
    let places: Vec<(f64, f64)> = way.iter().map(|w| mercator::unproject(*w)).collect();
    places
        .iter()
        .zip(places.iter().skip(1))
        .map(|(a, b)| mercator::distance_metres(*a, *b))
        .sum()
}

fn value(by: ColorBy, track: &Track, at: At, series: Option<&Series>) -> Option<f64> {
    let fix = track.fix(at)?;
    match by {
        ColorBy::Topic => None,
        ColorBy::Status => fix.status.map(f64::from),
        ColorBy::Accuracy => {
            let [ee, _, nn, _] = fix.covariance?;
            Some(f64::from((ee + nn).max(0.0) / 2.0).sqrt())
        }
        ColorBy::Speed => track.speed(at),
        ColorBy::Altitude => Some(fix.altitude_metres).filter(|a| a.is_finite()),
        ColorBy::Path => series?.value_at(track.time_of(at)?),
    }
}

fn step_of(value: f64, (low, high): (f64, f64)) -> u8 {
    let fraction = if high > low { (value - low) / (high - low) } else { 0.5 };
    (fraction.clamp(0.0, 1.0) * f64::from(STEPS)).round() as u8
}

fn status_color(p: &Palette, fix: Option<&Fix>) -> Color32 {
    fix.and_then(|f| f.status).map_or(p.faint, |status| color_of_status(p, status))
}

fn color_of_status(p: &Palette, status: i8) -> Color32 {
    match status {
        ..0 => p.error,
        0 => p.warn,
        1 => p.series[0],
        2.. => p.ok,
    }
}

/// sensor_msgs/NavSatStatus.
fn status_text(status: i8) -> &'static str {
    match status {
        ..0 => "No fix",
        0 => "Fix, unaugmented",
        1 => "Fix, satellite-based augmentation",
        2.. => "Fix, ground-based augmentation",
    }
}

/// Where a place is on screen, in every repetition of the world.
fn places(viewport: &Viewport, world: World) -> impl Iterator<Item = Pos2> {
    let viewport = *viewport;
    viewport
        .shifts(world[0], world[0])
        .map(move |shift| viewport.to_screen([world[0] + f64::from(shift), world[1]]))
}

/// The position at the playhead: where, which way, how surely.
fn position(painter: &Painter, viewport: &Viewport, found: &Found, color: Color32, p: &Palette) {
    for at in places(viewport, found.world) {
        if let Some(ellipse) = found.fix.covariance.and_then(|c| ellipse(c, viewport, found.world, at)) {
            painter.add(Shape::convex_polygon(
                ellipse,
                color.gamma_multiply(0.18),
                Stroke::new(1.0, color.gamma_multiply(0.8)),
            ));
        }
        painter.circle_filled(at, 9.0, p.base.gamma_multiply(0.55));
        match found.heading_deg {
            Some(heading) => {
                let turn = (heading as f32).to_radians();
                let point = |angle: f32, length: f32| at + Vec2::angled(turn + angle - std::f32::consts::FRAC_PI_2) * length;
                let arrow = [
                    point(0.0, 11.0),
                    point(2.5, 9.0),
                    point(std::f32::consts::PI, 4.0),
                    point(-2.5, 9.0),
                ];
                // concave: two triangles
                for [a, b, c] in [[0, 1, 2], [0, 2, 3]] {
                    let part = vec![arrow[a], arrow[b], arrow[c]];
                    painter.add(Shape::convex_polygon(part, p.text, Stroke::NONE));
                }
                painter.add(Shape::closed_line(arrow.to_vec(), Stroke::new(1.5, color)));
            }
            None => drop(painter.circle(at, 5.0, p.text, Stroke::new(2.0, color))),
        }
    }
}

/// The area that holds the true position with 95 % probability; None where it is too small to see.
fn ellipse([ee, en, nn, _]: [f32; 4], viewport: &Viewport, world: World, at: Pos2) -> Option<Vec<Pos2>> {
    let (ee, en, nn) = (f64::from(ee), f64::from(en), f64::from(nn));
    let (mean, spread) = ((ee + nn) / 2.0, (((ee - nn) / 2.0).powi(2) + en * en).sqrt());
    let (major, minor) = ((mean + spread).max(0.0).sqrt() * SIGMAS, (mean - spread).max(0.0).sqrt() * SIGMAS);
    let scale = viewport.points_per_metre(world[1]);
    if major * scale < 10.0 || major * scale > 20_000.0 {
        return None;
    }
    let turn = 0.5 * (2.0 * en).atan2(ee - nn);
    let point = |i: u32| {
        let angle = f64::from(i) / 48.0 * std::f64::consts::TAU;
        let (a, b) = (major * angle.cos(), minor * angle.sin());
        let (east, north) = (a * turn.cos() - b * turn.sin(), a * turn.sin() + b * turn.cos());
        pos2(at.x + (east * scale) as f32, at.y - (north * scale) as f32)
    };
    Some((0..48).map(point).collect())
}

/// 1, 2 or 5 times a power of ten.
fn round_length(metres: f64) -> f64 {
    let power = 10_f64.powf(metres.max(1e-6).log10().floor());
    let step = [5.0, 2.0, 1.0].into_iter().find(|s| s * power <= metres).unwrap_or(1.0);
    step * power
}

fn scale_bar(painter: &Painter, viewport: &Viewport, p: &Palette) {
    let per_metre = viewport.points_per_metre(viewport.center[1]);
    let metres = round_length(110.0 / per_metre);
    let length = (metres * per_metre) as f32;
    let left = viewport.rect.left_bottom() + vec2(12.0, -12.0);
    let right = left + vec2(length, 0.0);
    let stroke = Stroke::new(1.5, p.text);
    let up = vec2(0.0, -5.0);
    painter.add(Shape::line(vec![left + up, left, right, right + up], stroke));
    world::halo_text(
        painter,
        left + vec2(length / 2.0, -8.0),
        Align2::CENTER_BOTTOM,
        &length_text(metres),
        p,
    );
}

/// Lines of a round distance: something to see by where the offline map shows nothing.
fn grid(painter: &Painter, viewport: &Viewport, p: &Palette) {
    let per_metre = viewport.points_per_metre(viewport.center[1]);
    let step = round_length(140.0 / per_metre) * per_metre / viewport.scale();
    let [west, north, east, south] = viewport.bounds();
    let stroke = Stroke::new(1.0, p.line.gamma_multiply(0.6));
    let mut x = (west / step).ceil() * step;
    while x < east {
        painter.vline(viewport.to_screen([x, north]).x, viewport.rect.y_range(), stroke);
        x += step;
    }
    let mut y = (north / step).ceil() * step;
    while y < south {
        painter.hline(viewport.rect.x_range(), viewport.to_screen([west, y]).y, stroke);
        y += step;
    }
}

pub fn length_text(metres: f64) -> String {
    match metres {
        ..1.0 => format!("{:.0} cm", metres * 100.0),
        1.0..10.0 => format!("{} m", (metres * 10.0).round() / 10.0),
        10.0..1_000.0 => format!("{metres:.0} m"),
        1_000.0..10_000.0 => format!("{} km", (metres / 10.0).round() / 100.0),
        _ => format!("{:.0} km", metres / 1000.0),
    }
}

/// `47.376900° N  8.541700° E`.
pub fn place_text(latitude: f64, longitude: f64) -> String {
    let side = |value: f64, sides: [&str; 2]| format!("{:.6}° {}", value.abs(), if value < 0.0 { sides[1] } else { sides[0] });
    format!("{}  {}", side(latitude, ["N", "S"]), side(longitude, ["E", "W"]))
}
