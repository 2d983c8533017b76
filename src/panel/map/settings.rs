//! The map's settings.

use egui::{Color32, Ui};

use super::features::may_draw;
use super::tiles::Layer;
use super::track::Track;
use super::{ColorBy, MapPanel};
use crate::decode::Form;
use crate::panel::ink::Ink;
use crate::panel::{Action, View, path_field, widget};
use crate::render::Colormap;
use crate::theme;
use crate::time::Time;

const COLORS: [(ColorBy, &str); 6] = [
    (ColorBy::Topic, "Topic"),
    (ColorBy::Status, "Status of the fix"),
    (ColorBy::Accuracy, "Accuracy"),
    (ColorBy::Speed, "Speed"),
    (ColorBy::Altitude, "Altitude"),
    (ColorBy::Path, "A field of a message"),
];

impl MapPanel {
    pub(super) fn settings(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        theme::widget::section(ui, "Tracks");
        self.topics_ui(ui, view);
        for topic in self.topics_shown(view.store) {
            if let Some(bytes) = view.store.whole_cost_bytes(topic.id) {
                let text = format!("Read all of {} ({})", topic.name, widget::bytes_text(bytes));
                if ui.button(text).clicked() {
                    out.push(Action::ReadWhole(topic.id));
                }
            }
        }
        self.tracks_ui(ui, view);
        let name = COLORS.iter().find(|c| c.0 == self.config.color_by).map_or("", |c| c.1);
        egui::ComboBox::from_label("Colour").selected_text(name).show_ui(ui, |ui| {
            for (value, name) in COLORS {
                ui.selectable_value(&mut self.config.color_by, value, name);
            }
        });
        if self.config.color_by == ColorBy::Path {
            let path = &mut self.config.color_path;
            path_field::path_field(ui, "map colour", view.store, path, "Message path of the colour", "/topic.field");
        }
        if !matches!(self.config.color_by, ColorBy::Topic | ColorBy::Status) {
            egui::ComboBox::from_label("Colour map")
                .selected_text(self.config.colormap.name())
                .show_ui(ui, |ui| {
                    for map in Colormap::ALL {
                        ui.selectable_value(&mut self.config.colormap, map, map.name());
                    }
                });
        }
        ui.add(egui::Slider::new(&mut self.config.line_width_points, 1.0..=10.0).text("Line width"));
        ui.checkbox(&mut self.config.show_points, "Show every position");
        ui.checkbox(&mut self.config.follow, "Follow the position");
        theme::widget::section(ui, "Ground");
        egui::ComboBox::from_label("Layer")
            .selected_text(self.config.layer.name())
            .show_ui(ui, |ui| {
                for layer in Layer::ALL {
                    ui.selectable_value(&mut self.config.layer, layer, layer.name());
                }
            });
        if self.config.layer == Layer::Custom {
            let edit = egui::TextEdit::singleline(&mut self.config.custom_tiles)
                .hint_text("https://…/{z}/{x}/{y}.png")
                .desired_width(f32::INFINITY);
            widget::named(ui.add(edit), "Address of the tiles");
            let edit = egui::TextEdit::singleline(&mut self.config.custom_attribution)
                .hint_text("© whom they are by")
                .desired_width(f32::INFINITY);
            widget::named(ui.add(edit), "Attribution of the tiles");
        }
        if self.config.layer == Layer::File {
            let edit = egui::TextEdit::singleline(&mut self.config.tile_file)
                .hint_text("/maps/area.pmtiles, area.mbtiles or https://…")
                .desired_width(f32::INFINITY);
            widget::named(ui.add(edit), "File of the tiles");
        }
        if self.config.layer != Layer::Offline {
            if self.config.layer.is_online() {
                theme::widget::note(ui, "Tiles are fetched from the network: the server sees which area you look at.");
            }
            if let Some(why) = self.tiles.failure() {
                ui.colored_label(theme::palette(ui.visuals()).warn, format!("Tiles are missing: {why}"));
                if ui.button("Try again").clicked() {
                    self.tiles.retry();
                }
            }
        }
        if self.config.view.is_some() && ui.button("Show the whole track").clicked() {
            self.config.view = None;
        }
    }

    /// Of each track its colour and, where there are several, when it begins; which of them is followed.
    fn tracks_ui(&mut self, ui: &mut Ui, view: &View) {
        let name = |track: &Track| view.store.topic(track.topic).map(|t| t.name.to_string());
        let names: Vec<String> = self.tracks.iter().filter_map(name).collect();
        let starts: Vec<(String, Time)> = self.tracks.iter().filter_map(|t| Some((name(t)?, t.start()?))).collect();
        let p = theme::palette(ui.visuals());
        let named = self.tracks.iter().enumerate().filter(|(_, track)| name(track).is_some());
        let colors: Vec<Color32> = named.map(|(number, track)| self.color_of(number, track.topic, view, p)).collect();
        let are_several = names.len() > 1;
        egui::Grid::new("tracks").num_columns(3).show(ui, |ui| {
            if are_several {
                ui.label("");
                theme::widget::note(ui, "Track");
                theme::widget::note(ui, "Time offset");
                ui.end_row();
            }
            for (name, automatic) in names.iter().zip(&colors) {
                let chosen = self.config.colors.get(name).cloned();
                let mut ink = chosen.unwrap_or_else(|| Ink::own(*automatic));
                if ink.ui(ui, ("color", name), &format!("Colour of {name}")) {
                    self.config.colors.insert(name.clone(), ink);
                }
                ui.label(name);
                let mut secs = self.config.offsets.get(name).copied().unwrap_or(0.0);
                if are_several {
                    let drag = ui.add(egui::DragValue::new(&mut secs).speed(0.1).suffix(" s"));
                    let drag = drag.on_hover_text("Added to the times of this track");
                    if widget::named(drag, &format!("Offset of {name}")).changed() {
                        self.config.offsets.insert(name.clone(), secs);
                    }
                }
                ui.end_row();
            }
        });
        let Some((_, first)) = starts.first().filter(|_| are_several) else {
            return;
        };
        ui.horizontal(|ui| {
            let align = ui.button("Align starts");
            if align.on_hover_text("Positions as if all tracks had begun with the first").clicked() {
                let offset = |start: &Time| first.since(*start) as f64 * 1e-9;
                self.config.offsets = starts.iter().map(|(name, start)| (name.clone(), offset(start))).collect();
            }
            if !self.config.offsets.is_empty() && ui.button("Times as recorded").clicked() {
                self.config.offsets.clear();
            }
        });
        let followed = self.followed(view).and_then(name).unwrap_or_default();
        egui::ComboBox::from_label("Followed").selected_text(followed).show_ui(ui, |ui| {
            for name in names {
                ui.selectable_value(&mut self.config.follow_topic, name.clone(), name);
            }
        });
    }

    fn topics_ui(&mut self, ui: &mut Ui, view: &View) {
        let is_offered = |t: &&crate::store::Topic| t.form == Some(Form::Fix) || may_draw(view.store, t);
        let fits: Vec<_> = view.store.topics().iter().filter(is_offered).collect();
        if fits.is_empty() {
            theme::widget::note(ui, "The recording holds no positions on the globe.");
        }
        for topic in fits {
            let shown = self.all_topics(view.store);
            let mut on = shown.iter().any(|name| **name == *topic.name);
            if ui.checkbox(&mut on, &*topic.name).on_hover_text(&*topic.type_name).changed() {
                if self.config.topics.is_empty() {
                    self.config.topics = shown;
                }
                self.config.hidden.retain(|name| **name != *topic.name);
                self.config.topics.retain(|name| **name != *topic.name);
                if on {
                    self.config.topics.push(topic.name.to_string());
                }
            }
        }
    }
}
