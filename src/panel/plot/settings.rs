//! The settings of a plot: its series, its axes.
//!
//! Invariant: everything that a layout stores of a plot can be set here.

use egui::{Color32, RichText, Ui};

use super::config::{Background, Config, LegendPlace, SeriesConfig, Side, Style, XAxis, YRange};
use super::export::Goal;
use super::{PlotPanel, canvas};
use crate::panel::path_field::path_field;
use crate::panel::{Action, View, linked, stamps, widget};
use crate::render::Colormap;
use crate::theme;

impl PlotPanel {
    pub(super) fn settings(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        self.series_settings(ui, view);
        if let Some(path) = widget::path_picker(ui, "plot path", view.store, "Add a series…") {
            self.add_series(path);
        }
        let expression = ui.button("Add an expression");
        if expression
            .on_hover_text("Several paths, functions, or a number as a reference line")
            .clicked()
        {
            self.config.series.push(SeriesConfig::default());
        }
        ui.separator();
        self.x_settings(ui, view);
        axis_settings(ui, &mut self.config);
        if self.config.x_axis.is_time() {
            background_settings(ui, view, &mut self.config.background);
        }
        ui.horizontal_wrapped(|ui| {
            if ui.button("Reset view").on_hover_text("Everything in view (double-click)").clicked() {
                self.reset_view(ui.ctx());
            }
            let copy = ui.button("Copy as CSV");
            if copy.on_hover_text("What is visible, as comma-separated values").clicked() {
                out.push(Action::CopyText(self.csv(view).text()));
            }
            if ui.button("Save as CSV…").clicked() {
                self.save_csv(view, out);
            }
            if ui.button("Save as PNG…").clicked() {
                self.ask_for_picture(Goal::File, ui.ctx());
            }
        });
    }

    pub(super) fn reset_view(&mut self, ctx: &egui::Context) {
        self.view = canvas::ViewRange::default();
        if self.config.sync_x && self.config.x_axis.is_time() {
            linked::share(ctx, None);
        }
    }

    fn x_settings(&mut self, ui: &mut Ui, view: &View) {
        ui.horizontal(|ui| {
            ui.label(RichText::new("x axis").weak());
            let shown = XAxis::ALL.iter().find(|x| x.0 == self.config.x_axis).map_or("", |x| x.1);
            let choice = egui::ComboBox::from_id_salt("x axis").selected_text(shown).width(170.0);
            let choice = choice.show_ui(ui, |ui| {
                for (axis, name, what) in XAxis::ALL {
                    let row = ui.selectable_value(&mut self.config.x_axis, axis, name);
                    if row.on_hover_text(what).changed() {
                        self.view = canvas::ViewRange::default();
                    }
                }
            });
            widget::named(choice.response, "x axis");
        });
        if self.config.x_axis.is_path() {
            path_field(ui, "x path", view.store, &mut self.config.x_path, "x path", "/topic.field");
            ui.checkbox(&mut self.config.equal_scale, "Same scale on both axes")
                .on_hover_text("A unit is as long on either axis: ways and shapes keep their form");
        }
    }

    /// All series with all their settings.
    fn series_settings(&mut self, ui: &mut Ui, view: &View) {
        let (mut remove, mut up) = (None, None);
        let has_x = self.config.x_axis.is_path();
        for (index, series) in self.config.series.iter_mut().enumerate() {
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
                    ui.with_layout(egui::Layout::right_to_left(egui::Align::Min), |ui| {
                        if widget::icon_button(ui, theme::icon::TRASH, "Remove", false).clicked() {
                            remove = Some(index);
                        }
                        if index > 0 && widget::icon_button(ui, theme::icon::CARET_UP, "Move up", false).clicked() {
                            up = Some(index);
                        }
                        ui.with_layout(egui::Layout::top_down(egui::Align::Min), |ui| {
                            let (salt, hint) = (format!("path {index}"), "/topic.field, or a number");
                            path_field(ui, &salt, view.store, &mut series.path, "Path", hint);
                            if has_x {
                                let (salt, hint) = (format!("x path {index}"), "x: as the axis");
                                path_field(ui, &salt, view.store, &mut series.x_path, "x path of the series", hint);
                            }
                        });
                    });
                });
                ui.indent("controls", |ui| series_controls(ui, view, series, fallback));
            });
        }
        if let Some(index) = remove {
            self.config.series.remove(index);
        }
        if let Some(index) = up {
            self.config.series.swap(index, index - 1);
        }
    }
}

/// How a series is drawn.
pub fn series_controls(ui: &mut Ui, view: &View, series: &mut SeriesConfig, fallback: Color32) {
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
        let shown = Style::ALL.iter().find(|s| s.0 == series.style).map_or("", |s| s.1);
        let style = egui::ComboBox::from_id_salt("style")
            .selected_text(shown)
            .width(120.0)
            .show_ui(ui, |ui| {
                for (style, name) in Style::ALL {
                    ui.selectable_value(&mut series.style, style, name);
                }
            });
        widget::named(style.response, "Style");
    });
    stamps::settings(ui, view, "the series", &mut series.stamp, &mut series.stamp_path);
    ui.horizontal(|ui| {
        ui.selectable_value(&mut series.axis, Side::Left, "Left axis");
        ui.selectable_value(&mut series.axis, Side::Right, "Right axis");
    });
}

fn axis_settings(ui: &mut Ui, config: &mut Config) {
    egui::Grid::new("plot settings").num_columns(2).spacing([12.0, 6.0]).show(ui, |ui| {
        let name = |ui: &mut Ui, text: &str| ui.label(RichText::new(text).weak()).id;
        let title = name(ui, "Title");
        ui.add(
            egui::TextEdit::singleline(&mut config.title)
                .hint_text("After its series")
                .desired_width(160.0),
        )
        .labelled_by(title);
        ui.end_row();
        for (what, text) in [("x label", &mut config.x_label), ("y label", &mut config.y_label)] {
            let label = name(ui, what);
            ui.add(egui::TextEdit::singleline(text).hint_text("None").desired_width(160.0))
                .labelled_by(label);
            ui.end_row();
        }
        if config.x_axis == XAxis::Value {
            let bins = name(ui, "Bars");
            ui.add(egui::DragValue::new(&mut config.bins).range(1..=4096)).labelled_by(bins);
            ui.end_row();
        }
        let left = name(ui, "Left axis");
        y_settings(ui, &mut config.y, left);
        ui.end_row();
        if config.series.iter().any(|s| s.axis == Side::Right) {
            let right = name(ui, "Right axis");
            y_settings(ui, &mut config.y_right, right);
            ui.end_row();
        }
        name(ui, "Turned round");
        ui.horizontal(|ui| {
            ui.checkbox(&mut config.flip_x, "x").on_hover_text("x grows to the left");
            ui.checkbox(&mut config.flip_y, "y").on_hover_text("Values grow downwards");
        });
        ui.end_row();
        name(ui, "Follow");
        ui.horizontal(|ui| {
            ui.checkbox(&mut config.follow, "while playing");
            let window = egui::DragValue::new(&mut config.follow_window_secs)
                .range(0.05..=3600.0)
                .speed(0.1)
                .suffix(" s");
            widget::named(ui.add_enabled(config.follow, window), "Seconds that are followed");
        });
        ui.end_row();
        name(ui, "Time range");
        ui.checkbox(&mut config.sync_x, "same in all plots");
        ui.end_row();
        name(ui, "Legend");
        ui.horizontal(|ui| {
            ui.checkbox(&mut config.legend, "shown");
            let shown = LegendPlace::ALL.iter().find(|p| p.0 == config.legend_place).map_or("", |p| p.1);
            let place = egui::ComboBox::from_id_salt("legend").selected_text(shown).width(70.0);
            let place = place.show_ui(ui, |ui| {
                for (place, name) in LegendPlace::ALL {
                    ui.selectable_value(&mut config.legend_place, place, name);
                }
            });
            widget::named(place.response, "Place of the legend");
        });
        ui.end_row();
        ui.label("");
        ui.horizontal(|ui| {
            ui.checkbox(&mut config.statistics, "with statistics")
                .on_hover_text("Figures of the visible span, as a table above or below the plot");
        });
        ui.end_row();
    });
}

fn background_settings(ui: &mut Ui, view: &View, background: &mut Background) {
    theme::widget::section(ui, "Background");
    path_field(
        ui,
        "background",
        view.store,
        &mut background.path,
        "Path of the background",
        "/topic.mode",
    );
    if background.path.is_empty() {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        ui.selectable_value(&mut background.colormap, None, "States")
            .on_hover_text("Each value in a colour of its own");
        for map in Colormap::ALL {
            ui.selectable_value(&mut background.colormap, Some(map), map.name())
                .on_hover_text("From the least to the greatest value");
        }
    });
}

fn y_settings(ui: &mut Ui, range: &mut YRange, label: egui::Id) {
    ui.horizontal(|ui| {
        let (min, max) = match *range {
            YRange::Auto => (0.0, 1.0),
            YRange::Manual { min, max } => (min, max),
            YRange::From { min } => (min, min + 1.0),
            YRange::UpTo { max } => (max - 1.0, max),
        };
        ui.selectable_value(range, YRange::Auto, "Auto");
        ui.selectable_value(range, YRange::Manual { min, max }, "Fixed");
        ui.selectable_value(range, YRange::From { min }, "From");
        ui.selectable_value(range, YRange::UpTo { max }, "Up to");
        let end = |ui: &mut egui::Ui, end: &mut f64| drop(ui.add(egui::DragValue::new(end).speed(0.05)).labelled_by(label));
        match range {
            YRange::Auto => {}
            YRange::Manual { min, max } => {
                end(ui, min);
                end(ui, max);
            }
            YRange::From { min: one } | YRange::UpTo { max: one } => end(ui, one),
        }
    });
}
