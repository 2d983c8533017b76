//! The series' names, colours and values at the playhead, and their settings.
//!
//! Invariant: a value keeps its width, so that nothing moves while playing.

use egui::{Color32, RichText, Sense, Stroke, Ui, vec2};

use super::{Config, PlotPanel, SeriesConfig, Side};
use crate::panel::{Action, View, widget};
use crate::store::Stamp;
use crate::theme;

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
        let mut remove = None;
        let before = self.config.series.clone();
        ui.add_space(2.0);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(2.0, 0.0);
            for (index, name) in names.iter().enumerate() {
                let value = self.series(view.store, index).and_then(|s| s.value_at(view.now));
                let problem = match self.resolved.get(index) {
                    Some(Some(resolved)) => resolved.problem.clone(),
                    _ => Some("the recording has no such topic".into()),
                };
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
                    series_controls(ui, series, color);
                    if ui.button("Copy path").clicked() {
                        out.push(Action::CopyText(series.path.clone()));
                        ui.close();
                    }
                    if ui.button("Remove").clicked() {
                        remove = Some(index);
                        ui.close();
                    }
                });
            }
        });
        if let Some(index) = remove {
            self.config.series.remove(index);
        }
        if self.config.series != before {
            out.push(Action::Changed);
        }
    }
}

/// Swatch, name, value. Returns the response to clicks on all of it.
fn entry(ui: &mut Ui, name: &str, color: Color32, value: Option<f64>, visible: bool, broken: bool) -> egui::Response {
    let palette = theme::palette(ui.visuals());
    let (text_color, value_color) = if visible && !broken {
        (palette.text, palette.text)
    } else {
        (palette.faint, palette.faint)
    };
    let value = match value {
        Some(v) if visible => widget::number_text(v, VALUE_WIDTH),
        _ => "–".to_owned(),
    };
    let painter = ui.painter();
    let name_galley = painter.layout_no_wrap(name.to_owned(), theme::small(), text_color);
    let value_galley = painter.layout_no_wrap(format!("{value:>VALUE_WIDTH$}"), egui::FontId::monospace(11.0), value_color);
    let size = vec2(name_galley.size().x + value_galley.size().x + 30.0, 20.0);
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

/// All series with all their settings.
pub fn series_settings(ui: &mut Ui, config: &mut Config) {
    let mut remove = None;
    for (index, series) in config.series.iter_mut().enumerate() {
        let fallback = {
            let colors = &theme::palette(ui.visuals()).series;
            colors[index % colors.len()]
        };
        ui.push_id(index, |ui| {
            ui.horizontal(|ui| {
                let eye = if series.visible { theme::icon::EYE } else { theme::icon::EYE_SLASH };
                if widget::icon_button(ui, eye, "Show or hide", false).clicked() {
                    series.visible = !series.visible;
                }
                ui.add(egui::Label::new(&series.path).truncate()).on_hover_text(&series.path);
                if widget::icon_button(ui, theme::icon::TRASH, "Remove", false).clicked() {
                    remove = Some(index);
                }
            });
            ui.indent("controls", |ui| series_controls(ui, series, fallback));
        });
    }
    if let Some(index) = remove {
        config.series.remove(index);
    }
}

fn series_controls(ui: &mut Ui, series: &mut SeriesConfig, fallback: Color32) {
    ui.horizontal(|ui| {
        let mut color = series.color.as_deref().and_then(|c| Color32::from_hex(c).ok()).unwrap_or(fallback);
        if widget::named(ui.color_edit_button_srgba(&mut color), "Colour").changed() {
            let [r, g, b, _] = color.to_array();
            series.color = Some(format!("#{r:02x}{g:02x}{b:02x}"));
        }
        let width = egui::DragValue::new(&mut series.line_width)
            .range(0.5..=12.0)
            .speed(0.05)
            .suffix(" px");
        widget::named(ui.add(width).on_hover_text("Line width"), "Line width");
        let label = egui::TextEdit::singleline(&mut series.label).hint_text("Name").desired_width(90.0);
        widget::named(ui.add(label), "Name");
    });
    ui.horizontal(|ui| {
        ui.selectable_value(&mut series.stamp, Stamp::Receive, "Receive time");
        ui.selectable_value(&mut series.stamp, Stamp::Header, "Header stamp");
    });
    ui.horizontal(|ui| {
        ui.selectable_value(&mut series.axis, Side::Left, "Left axis");
        ui.selectable_value(&mut series.axis, Side::Right, "Right axis");
    });
}

fn entry_width(ui: &Ui, name: &str) -> f32 {
    let text = |text: String, font| ui.painter().layout_no_wrap(text, font, Color32::WHITE).size().x;
    text(name.to_owned(), theme::small()) + text(" ".repeat(VALUE_WIDTH), egui::FontId::monospace(11.0)) + 32.0
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
    series.iter().map(name).collect()
}

/// The shortest ends of the paths that tell the series apart and mean something (`acceleration.x`, not `x`).
pub fn short_names(series: &[SeriesConfig]) -> Vec<String> {
    series
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
        .collect()
}

fn last_parts(field: &str, count: usize) -> String {
    let mut parts: Vec<&str> = field.rsplit('.').take(count).collect();
    parts.reverse();
    parts.join(".")
}

/// A plot's name after its series.
pub fn title(series: &[SeriesConfig]) -> String {
    let mut topics: Vec<&str> = series
        .iter()
        .map(|s| s.path.split_once('.').map_or(s.path.as_str(), |(t, _)| t))
        .collect();
    topics.dedup();
    let names: Vec<&str> = topics.iter().map(|t| t.rsplit('/').next().unwrap_or(t)).take(3).collect();
    if names.is_empty() { "Plot".into() } else { names.join(", ") }
}
