//! The series' names, colours and values at the playhead, and their settings.
//!
//! Invariant: a value keeps its width, so that nothing moves while playing.

use egui::{Color32, RichText, Sense, Stroke, Ui, vec2};

use super::PlotPanel;
use super::config::SeriesConfig;
use super::measure::{HEADS, signed};
use super::settings::series_controls;
use crate::panel::{Action, View};
use crate::path;
use crate::store::Stamp;
use crate::theme;

const ENTRY_HEIGHT: f32 = 20.0;

/// Characters of a value.
const VALUE_WIDTH: usize = 8;

impl PlotPanel {
    pub(super) fn legend_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let mut names = full_names(&self.config.series);
        let room = ui.available_width() - 12.0;
        let width: f32 = names.iter().map(|n| entry_width(ui, n)).sum();
        if width > room {
            names = short_names(&self.config.series);
        }
        if self.config.statistics {
            self.table_ui(ui, view, &names);
            return;
        }
        ui.add_space(2.0);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(2.0, 0.0);
            self.entries_ui(ui, view, &names, out);
        });
    }

    /// One below the other, beside the plot.
    pub(super) fn legend_column(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let names = short_names(&self.config.series);
        let scroll = egui::ScrollArea::vertical().auto_shrink(false).id_salt("legend");
        scroll.show(ui, |ui| {
            ui.spacing_mut().item_spacing = vec2(0.0, 0.0);
            ui.add_space(4.0);
            self.entries_ui(ui, view, &names, out);
        });
    }

    /// One below the other on a plate in the plot's upper right corner.
    pub(super) fn legend_over(&mut self, ui: &mut Ui, plot: egui::Rect, is_whole: bool, view: &View, out: &mut Vec<Action>) {
        let names = short_names(&self.config.series);
        let room = plot.shrink(6.0);
        let size = vec2(self.legend_width(ui), names.len() as f32 * ENTRY_HEIGHT + 4.0).min(room.size());
        // below what stands there while not all is read
        let top = room.min + vec2(0.0, if is_whole { 0.0 } else { 26.0 });
        let plate = egui::Align2::RIGHT_TOP.align_size_within_rect(size, room.with_min_y(top.y));
        let palette = theme::palette(ui.visuals());
        let line = Stroke::new(1.0, palette.line);
        let fill = palette.overlay.gamma_multiply(0.9);
        ui.painter().rect(plate, 4.0, fill, line, egui::StrokeKind::Inside);
        ui.scope_builder(egui::UiBuilder::new().max_rect(plate.shrink(2.0)), |ui| {
            ui.set_clip_rect(plate.intersect(ui.clip_rect()));
            ui.spacing_mut().item_spacing = vec2(0.0, 0.0);
            self.entries_ui(ui, view, &names, out);
        });
    }

    /// As wide as the widest entry.
    pub(super) fn legend_width(&self, ui: &Ui) -> f32 {
        let names = short_names(&self.config.series);
        names.iter().map(|n| entry_width(ui, n)).fold(60.0, f32::max) + 4.0
    }

    fn entries_ui(&mut self, ui: &mut Ui, view: &View, names: &[String], out: &mut Vec<Action>) {
        let before = self.config.clone();
        let (mut remove, mut shade) = (None, None);
        for (index, name) in names.iter().enumerate() {
            let signal = self.signals.get(index);
            let value = self.worth_text(view.store, index, view.now, VALUE_WIDTH);
            let problem = signal.and_then(super::problem);
            let color = self.color(ui.visuals(), index);
            let Some(series) = self.config.series.get_mut(index) else {
                continue;
            };
            let response = entry(ui, name, color, value, series.visible, problem.is_some());
            let response = response.on_hover_text(problem.unwrap_or_else(|| series.path.clone()));
            if response.clicked() {
                series.visible = !series.visible;
            }
            response.context_menu(|ui| {
                ui.label(RichText::new(&series.path).weak());
                series_controls(ui, view, series, color);
                if ui.button("Copy path").clicked() {
                    out.push(Action::CopyText(series.path.clone()));
                    ui.close();
                }
                if ui.button("Colour the background by it").clicked() {
                    shade = Some(series.path.clone());
                    ui.close();
                }
                if ui.button("Remove").clicked() {
                    remove = Some(index);
                    ui.close();
                }
            });
        }
        if let Some(index) = remove {
            self.config.series.remove(index);
        }
        if let Some(path) = shade {
            self.config.background.path = path;
        }
        if self.config != before {
            out.push(Action::Changed);
        }
    }
}

impl PlotPanel {
    /// Names with the figures of the visible span, one row each.
    fn table_ui(&mut self, ui: &mut Ui, view: &View, names: &[String]) {
        let palette = theme::palette(ui.visuals());
        let span = self.visible_span(ui, view);
        let right = egui::Layout::right_to_left(egui::Align::Center);
        ui.add_space(2.0);
        // the last column takes what is left: it is empty
        // digits go before columns do
        let named = names.iter().map(|name| text_width(ui, name, theme::small())).fold(0.0, f32::max);
        let (apart, width) = match ui.available_width() - named {
            710.0.. => (14.0, 8),
            640.0.. => (6.0, 8),
            500.0.. => (6.0, 6),
            _ => (4.0, 5),
        };
        let grid = egui::Grid::new("statistics").num_columns(HEADS.len() + 3).spacing([apart, 1.0]);
        let table = |ui: &mut Ui| {
            ui.label("");
            for (head, what) in [("now", "Value at the playhead")].into_iter().chain(HEADS) {
                let label = RichText::new(head).font(theme::small()).color(palette.weak);
                ui.with_layout(right, |ui| ui.label(label).on_hover_text(what));
            }
            ui.label("");
            ui.end_row();
            for (index, name) in names.iter().enumerate().filter(|(i, _)| self.is_shown(*i)) {
                let Some(figures) = self.figures(view, index, span, width) else {
                    continue;
                };
                ui.horizontal(|ui| {
                    let (swatch, _) = ui.allocate_exact_size(vec2(9.0, 9.0), Sense::hover());
                    ui.painter().rect_filled(swatch, 2.0, self.color(ui.visuals(), index));
                    ui.label(RichText::new(name).font(theme::small()));
                });
                let now = self.series(view.store, index).and_then(|s| s.value_at(view.now));
                let now = now.map_or("–".to_owned(), |v| signed(v, width));
                for text in std::iter::once(&now).chain(&figures) {
                    let label = RichText::new(text).font(egui::FontId::monospace(11.0)).color(palette.text);
                    ui.with_layout(right, |ui| ui.label(label));
                }
                ui.label("");
                ui.end_row();
            }
        };
        egui::ScrollArea::horizontal().id_salt("statistics").show(ui, |ui| {
            let margin = egui::Margin {
                left: 8,
                ..egui::Margin::ZERO
            };
            egui::Frame::new().inner_margin(margin).show(ui, |ui| grid.show(ui, table));
        });
    }
}

/// Swatch, name, value. Returns the response to clicks on all of it.
fn entry(ui: &mut Ui, name: &str, color: Color32, value: Option<String>, visible: bool, broken: bool) -> egui::Response {
    let palette = theme::palette(ui.visuals());
    let (text_color, value_color) = if visible && !broken {
        (palette.text, palette.text)
    } else {
        (palette.faint, palette.faint)
    };
    let value = match value {
        Some(value) if visible => value,
        _ => "–".to_owned(),
    };
    let painter = ui.painter();
    let name_galley = painter.layout_no_wrap(name.to_owned(), theme::small(), text_color);
    let value_galley = painter.layout_no_wrap(format!("{value:>VALUE_WIDTH$}"), egui::FontId::monospace(11.0), value_color);
    let size = vec2(name_galley.size().x + value_galley.size().x + 30.0, ENTRY_HEIGHT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::CheckBox, true, visible, name));
    if response.hovered() {
        ui.painter().rect_filled(rect, 4.0, palette.hover);
    }
    let swatch = egui::Rect::from_center_size(rect.left_center() + vec2(9.0, 0.0), vec2(9.0, 9.0));
    if broken {
        ui.painter()
            .line_segment([swatch.left_top(), swatch.right_bottom()], Stroke::new(1.5, palette.error));
        ui.painter()
            .line_segment([swatch.right_top(), swatch.left_bottom()], Stroke::new(1.5, palette.error));
    } else if visible {
        ui.painter().rect_filled(swatch, 2.0, color);
    } else {
        ui.painter()
            .rect_stroke(swatch, 2.0, Stroke::new(1.0, palette.faint), egui::StrokeKind::Inside);
    }
    let y = rect.center().y;
    let name_width = name_galley.size().x;
    ui.painter().galley(
        egui::pos2(rect.left() + 18.0, y - name_galley.size().y / 2.0),
        name_galley,
        text_color,
    );
    let value_at = egui::pos2(rect.left() + 18.0 + name_width + 4.0, y - value_galley.size().y / 2.0);
    ui.painter().galley(value_at, value_galley, value_color);
    response
}

fn entry_width(ui: &Ui, name: &str) -> f32 {
    text_width(ui, name, theme::small()) + text_width(ui, &" ".repeat(VALUE_WIDTH), egui::FontId::monospace(11.0)) + 32.0
}

fn text_width(ui: &Ui, text: &str, font: egui::FontId) -> f32 {
    ui.painter().layout_no_wrap(text.to_owned(), font, Color32::WHITE).size().x
}

/// Topic's last part and field; the field alone where all are of one topic.
fn full_names(series: &[SeriesConfig]) -> Vec<String> {
    let topic = |path: &str| path.split_once('.').map_or(path.to_owned(), |(t, _)| t.to_owned());
    let one_topic = series.windows(2).all(|w| topic(&w[0].path) == topic(&w[1].path));
    let name = |s: &SeriesConfig| match s.path.split_once('.') {
        _ if !s.label.is_empty() => s.label.clone(),
        Some((_, field)) if one_topic => last_parts(field, 2),
        Some((topic, field)) => format!("{}.{}", topic.rsplit('/').next().unwrap_or(topic), last_parts(field, 2)),
        None => s.path.clone(),
    };
    told_apart(series, series.iter().map(name).collect())
}

/// Where names are the same, with as much more of the topic as makes them different, or with what else is.
fn told_apart(series: &[SeriesConfig], mut names: Vec<String>) -> Vec<String> {
    let alike: Vec<usize> = (0..names.len())
        .filter(|at| names.iter().filter(|n| Some(*n) == names.get(*at)).count() > 1)
        .collect();
    let unnamed = alike
        .into_iter()
        .filter_map(|at| Some((at, series.get(at)?)))
        .filter(|(_, s)| s.label.is_empty());
    for (at, of) in unnamed.collect::<Vec<_>>() {
        let others = || series.iter().enumerate().filter(|(other, s)| *other != at && s.label.is_empty());
        let (topic, field) = of.path.split_once('.').unwrap_or((&of.path, ""));
        let parts = topic.matches('/').count();
        let ends = (1..=parts).filter_map(|n| topic.rmatch_indices('/').nth(n - 1));
        let path = |from: usize| of.path.get(from..).unwrap_or_default();
        let is_own = |from: &usize| others().all(|(_, other)| other.path == of.path || !other.path.ends_with(path(*from)));
        let from = ends.map(|(slash, _)| slash + 1).find(is_own).unwrap_or(0);
        let mut name = if field.is_empty() { of.path.clone() } else { path(from).to_owned() };
        let same = || others().filter(|(_, other)| other.path == of.path);
        if same().any(|(_, other)| other.stamp() != of.stamp()) {
            name.push_str(&match of.stamp() {
                Stamp::Receive => " (receive time)".to_owned(),
                Stamp::Header => " (header stamp)".to_owned(),
                Stamp::Path(path) => format!(" (at {path})"),
            });
        }
        if same().any(|(_, other)| other.x_path != of.x_path) && !of.x_path.is_empty() {
            name = format!("{name} over {}", of.x_path);
        }
        if let Some(slot) = names.get_mut(at) {
            *slot = name;
        }
    }
    names
}

/// The shortest ends of the paths that tell the series apart and mean something (`acceleration.x`, not `x`).
pub fn short_names(series: &[SeriesConfig]) -> Vec<String> {
    let names = series
        .iter()
        .map(|s| {
            if !s.label.is_empty() {
                return s.label.clone();
            }
            let field = s.path.split_once('.').map_or(s.path.as_str(), |(_, f)| f);
            let parts = field.split('.').count();
            let least = if field.rsplit('.').next().is_some_and(|f| f.len() <= 2) {
                2
            } else {
                1
            };
            let unique = |name: &String| series.iter().filter(|o| o.path.ends_with(&format!(".{name}"))).count() == 1;
            let short = (least..=parts).map(|n| last_parts(field, n)).find(unique);
            short.unwrap_or_else(|| s.path.rsplit('/').next().unwrap_or(&s.path).to_owned())
        })
        .collect();
    told_apart(series, names)
}

fn last_parts(field: &str, count: usize) -> String {
    let mut parts: Vec<&str> = field.rsplit('.').take(count).collect();
    parts.reverse();
    parts.join(".")
}

/// A plot's name after its series.
pub fn title(series: &[SeriesConfig]) -> String {
    let mut names: Vec<String> = Vec::new();
    for expr in series.iter().filter_map(|s| path::parse(&s.path).ok()) {
        for topic in expr.topics() {
            let name = topic.rsplit('/').next().unwrap_or(topic);
            if names.len() < 3 && names.iter().all(|known| known != name) {
                names.push(name.to_owned());
            }
        }
    }
    if names.is_empty() { "Plot".into() } else { names.join(", ") }
}
