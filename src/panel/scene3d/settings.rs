//! The settings of a 3D panel: frames, what the ground shows, and each topic's look.

use std::sync::Arc;

use egui::{ComboBox, DragValue, RichText, Slider, Ui, Widget};

use super::cloud::resolved;
use super::config::{CellLook, ColorBy, Config, Follow, PointSize, TopicConfig};
use super::layers::{LayerKind, kind_of};
use crate::decode::{Decoded, Form};
use crate::panel::{View, widget};
use crate::render::Colormap;
use crate::store::{Lookup, Topic};
use crate::theme::{self, icon};

pub fn show(ui: &mut Ui, view: &View, config: &mut Config, fixed: &str, followed: Option<&str>) {
    ui.label(RichText::new("View").font(theme::semibold(12.0)));
    frames(ui, view, config, fixed, followed);
    ui.checkbox(&mut config.grid, "Ground grid");
    if config.grid {
        grid(ui, config);
    }
    let usual = theme::palette(ui.visuals()).scene;
    own_color(ui, "Background", &mut config.background, usual);
    ui.checkbox(&mut config.frames.axes, "Axes of frames");
    ui.checkbox(&mut config.frames.names, "Names of frames");
    ui.checkbox(&mut config.frames.links, "Lines to parents");
    let metres = DragValue::new(&mut config.frames.axis_metres).range(0.01..=100.0);
    number(ui, "Axis length", metres.speed(0.02).suffix(" m"));
    hidden_frames(ui, view, config);
    ui.add_space(8.0);
    ui.label(RichText::new("Topics").font(theme::semibold(12.0)));
    let mut any = false;
    for topic in view.store.topics() {
        if let Some(kind) = kind_of(topic) {
            any = true;
            topic_ui(ui, view, config, topic, kind);
        }
    }
    ui.add_space(8.0);
    let over = "Texts of markers and names of frames are drawn over the scene: nothing in front hides them.";
    ui.label(RichText::new(over).font(theme::small()).weak());
    if !any {
        ui.label(RichText::new("No topic of this recording can be drawn in 3D").weak());
    }
}

/// A row with a list to choose from; the list bears the row's name.
fn choice(ui: &mut Ui, name: &str, shown: String, content: impl FnOnce(&mut Ui)) {
    ui.horizontal(|ui| {
        let label = row_name(ui, name);
        let list = ComboBox::from_id_salt(name).selected_text(shown).show_ui(ui, content);
        list.response.labelled_by(label.id);
    });
}

fn row(ui: &mut Ui, name: &str, content: impl FnOnce(&mut Ui)) {
    ui.horizontal(|ui| {
        row_name(ui, name);
        content(ui);
    });
}

/// A row with one number; the field bears the row's name.
fn number(ui: &mut Ui, name: &str, field: impl Widget) -> egui::Response {
    let row = ui.horizontal(|ui| {
        let label = row_name(ui, name);
        ui.add(field).labelled_by(label.id)
    });
    row.inner
}

/// The name at the left, as wide in every row.
fn row_name(ui: &mut Ui, name: &str) -> egui::Response {
    let layout = egui::Layout::left_to_right(egui::Align::Center);
    let named = ui.allocate_ui_with_layout(egui::vec2(96.0, theme::ROW_HEIGHT), layout, |ui| {
        ui.set_min_width(96.0);
        ui.label(RichText::new(name).weak())
    });
    named.inner
}

fn grid(ui: &mut Ui, config: &mut Config) {
    let usual = theme::palette(ui.visuals()).scene_grid;
    own_color(ui, "Grid colour", &mut config.grid_color, usual);
    row(ui, "Grid cell", |ui| {
        let mut automatic = config.grid_cell_metres.is_none();
        if ui.checkbox(&mut automatic, "Automatic").changed() {
            config.grid_cell_metres = (!automatic).then_some(1.0);
        }
        if let Some(metres) = &mut config.grid_cell_metres {
            let field = DragValue::new(metres).range(0.01..=1000.0).speed(0.05).suffix(" m");
            widget::named(ui.add(field), "Grid cell");
        }
    });
}

/// The look's colour, or one of its own.
fn own_color(ui: &mut Ui, name: &str, color: &mut Option<[u8; 3]>, usual: egui::Color32) {
    row(ui, name, |ui| {
        let mut own = color.is_some();
        let [r, g, b, _] = usual.to_array();
        if ui.checkbox(&mut own, "Own").changed() {
            *color = own.then_some([r, g, b]);
        }
        if let Some(rgb) = color {
            ui.color_edit_button_srgb(rgb);
        }
    });
}

/// Which frames are drawn.
fn hidden_frames(ui: &mut Ui, view: &View, config: &mut Config) {
    let all = view.store.transforms().frames();
    let hidden = &mut config.frames.hidden;
    if all.is_empty() {
        return;
    }
    let title = match all.iter().filter(|frame| hidden.iter().any(|name| **name == ***frame)).count() {
        0 => "Frames".to_owned(),
        count => format!("Frames  ({count} hidden)"),
    };
    egui::CollapsingHeader::new(title).id_salt("frames").show(ui, |ui| {
        for frame in &all {
            let mut shown = !hidden.iter().any(|name| **name == **frame);
            if ui.checkbox(&mut shown, &**frame).changed() {
                hidden.retain(|name| **name != **frame);
                if !shown {
                    hidden.push(frame.to_string());
                }
            }
        }
    });
}

fn frames(ui: &mut Ui, view: &View, config: &mut Config, fixed: &str, followed: Option<&str>) {
    let all = view.store.transforms().frames();
    let shown = match &config.fixed_frame {
        None => format!("{fixed} (automatic)"),
        Some(frame) => frame.clone(),
    };
    frame_choice(ui, "Fixed frame", shown, &all, &mut config.fixed_frame);
    row(ui, "Follow", |ui| {
        ui.selectable_value(&mut config.follow, Follow::Off, "Off");
        ui.selectable_value(&mut config.follow, Follow::Position, "Position");
        ui.selectable_value(&mut config.follow, Follow::Heading, "Heading");
    });
    if config.follow != Follow::Off {
        let automatic = || format!("{} (automatic)", followed.unwrap_or("none"));
        let shown = config.follow_frame.clone().unwrap_or_else(automatic);
        frame_choice(ui, "Followed frame", shown, &all, &mut config.follow_frame);
    }
}

fn frame_choice(ui: &mut Ui, name: &str, shown: String, frames: &[Arc<str>], chosen: &mut Option<String>) {
    choice(ui, name, shown, |ui| {
        if ui.selectable_label(chosen.is_none(), "Automatic").clicked() {
            *chosen = None;
        }
        for frame in frames {
            if ui.selectable_label(chosen.as_deref() == Some(frame), &**frame).clicked() {
                *chosen = Some(frame.to_string());
            }
        }
    });
}

fn topic_ui(ui: &mut Ui, view: &View, config: &mut Config, topic: &Topic, kind: &LayerKind) {
    let visible = config.topics.get(&*topic.name).is_some_and(|config| config.visible);
    let id = ui.make_persistent_id(("topic", &topic.name));
    let state = egui::collapsing_header::CollapsingState::load_with_default_open(ui.ctx(), id, false);
    let (caret, ..) = state
        .show_header(ui, |ui| {
            let glyph = if visible { icon::EYE } else { icon::EYE_SLASH };
            let hover = if visible {
                format!("Hide {}", topic.name)
            } else {
                format!("Show {}", topic.name)
            };
            let text = RichText::new(glyph).font(theme::icons(14.0));
            let eye = ui
                .add(egui::Button::new(if visible { text } else { text.weak() }).frame(false))
                .on_hover_text(&hover);
            eye.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &hover));
            if eye.clicked() {
                config.topics.entry(topic.name.to_string()).or_default().visible = !visible;
            }
            let name = RichText::new(&*topic.name);
            ui.add(egui::Label::new(if visible { name } else { name.weak() }).truncate())
                .on_hover_text(kind.name);
        })
        .body(|ui| {
            let mut settings = config.topics.get(&*topic.name).cloned().unwrap_or_else(|| TopicConfig {
                visible: false,
                ..TopicConfig::default()
            });
            let before = settings.clone();
            topic_settings(ui, view, topic, kind, &mut settings);
            if settings != before {
                config.topics.insert(topic.name.to_string(), settings);
            }
        });
    caret.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Settings of {}", topic.name)));
}

fn topic_settings(ui: &mut Ui, view: &View, topic: &Topic, kind: &LayerKind, settings: &mut TopicConfig) {
    match kind.form {
        Form::Cloud | Form::Scan => {
            color(ui, view, topic, settings);
            size(ui, settings);
            ui.checkbox(&mut settings.round, "Round points");
        }
        Form::Poses | Form::Pose => {
            flat_color(ui, topic, settings);
            let mut metres = settings.scale_metres.unwrap_or(if kind.form == Form::Pose { 2.0 } else { 0.6 });
            let field = DragValue::new(&mut metres).range(0.01..=100.0).speed(0.02).suffix(" m");
            if number(ui, "Size", field).changed() {
                settings.scale_metres = Some(metres);
            }
        }
        Form::Markers => namespaces(ui, view, topic, settings),
        Form::Grid => row(ui, "Cells", |ui| {
            for (look, name) in CellLook::ALL {
                ui.selectable_value(&mut settings.cells, look, name);
            }
        }),
        _ => {}
    }
    if kind.form != Form::Cloud && kind.form != Form::Scan || matches!(settings.color, ColorBy::Flat { .. }) {
        let mut alpha = settings.alpha.unwrap_or(if kind.form == Form::Grid { 0.7 } else { 1.0 });
        if number(ui, "Opacity", Slider::new(&mut alpha, 0.0..=1.0)).changed() {
            settings.alpha = Some(alpha);
        }
    }
    if kind.decays {
        let field = DragValue::new(&mut settings.decay_secs).range(0.0..=600.0).speed(0.05).suffix(" s");
        number(ui, "Decay", field).on_hover_text("How long older messages stay");
    }
}

fn namespaces(ui: &mut Ui, view: &View, topic: &Topic, settings: &mut TopicConfig) {
    let Lookup::Ready(set) = view.store.markers(topic.id) else { return };
    let mut names: Vec<&str> = set
        .markers
        .iter()
        .map(|(_, marker)| &*marker.ns)
        .chain(settings.hidden_namespaces.iter().map(String::as_str))
        .chain(settings.only_namespaces.iter().flatten().map(String::as_str))
        .collect();
    names.sort_unstable();
    names.dedup();
    let names: Vec<String> = names.into_iter().map(str::to_string).collect();
    for name in names {
        let mut shown = settings.shows_namespace(&name);
        let label = if name.is_empty() { "(no namespace)" } else { &name };
        if ui.checkbox(&mut shown, label).changed() {
            settings.show_namespace(&name, shown);
        }
    }
}

fn field_names(view: &View, topic: &Topic) -> Vec<String> {
    let Some(form) = topic.form else { return Vec::new() };
    match view.store.latest(topic.id, form) {
        Lookup::Ready(entry) => match &*entry.decoded {
            Decoded::Cloud(cloud) => cloud.fields.iter().map(|field| field.name.to_string()).collect(),
            Decoded::Scan(_) => vec!["range".to_string(), "intensity".to_string()],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn color(ui: &mut Ui, view: &View, topic: &Topic, settings: &mut TopicConfig) {
    let names = field_names(view, topic);
    let shown = match &settings.color {
        ColorBy::Auto => "Automatic".to_string(),
        ColorBy::Flat { .. } => "One colour".to_string(),
        ColorBy::Rgb => "RGB".to_string(),
        ColorBy::Field { name, .. } => name.clone(),
    };
    choice(ui, "Colour", shown, |ui| {
        let mut choose = |ui: &mut Ui, color: ColorBy, label: &str| {
            if ui
                .selectable_label(
                    std::mem::discriminant(&settings.color) == std::mem::discriminant(&color) && settings.color == color,
                    label,
                )
                .clicked()
            {
                settings.color = color;
            }
        };
        choose(ui, ColorBy::Auto, "Automatic");
        choose(ui, one_color(topic), "One colour");
        if names.iter().any(|name| name == "rgb" || name == "rgba") {
            choose(ui, ColorBy::Rgb, "RGB");
        }
        for name in names.iter().filter(|name| *name != "rgb" && *name != "rgba") {
            choose(
                ui,
                ColorBy::Field {
                    name: name.clone(),
                    colormap: Colormap::default(),
                    range: None,
                },
                name,
            );
        }
    });
    if let ColorBy::Flat { rgb } = &mut settings.color {
        row(ui, "", |ui| {
            ui.color_edit_button_srgb(rgb);
        });
    }
    if settings.color == ColorBy::Auto
        && let Lookup::Ready(entry) = view.store.latest(topic.id, Form::Cloud)
        && let Decoded::Cloud(cloud) = &*entry.decoded
        && let ColorBy::Field { name, .. } = resolved(&ColorBy::Auto, &cloud.fields)
    {
        row(ui, "", |ui| {
            ui.label(RichText::new(format!("by {name}")).weak());
            if ui.button("Adjust").clicked() {
                settings.color = ColorBy::Field {
                    name,
                    colormap: Colormap::default(),
                    range: None,
                };
            }
        });
    }
    if let ColorBy::Field { colormap, range, .. } = &mut settings.color {
        row(ui, "Colour map", |ui| {
            for map in Colormap::ALL {
                ui.selectable_value(colormap, map, map.name());
            }
        });
        row(ui, "Range", |ui| {
            let mut automatic = range.is_none();
            if ui.checkbox(&mut automatic, "Automatic").changed() {
                *range = (!automatic).then_some([0.0, 100.0]);
            }
            if let Some([min, max]) = range {
                widget::named(ui.add(DragValue::new(min).speed(0.1)), "Lowest value");
                widget::named(ui.add(DragValue::new(max).speed(0.1)), "Highest value");
            }
        });
    }
}

/// To begin with: one that can be seen in both looks.
fn one_color(topic: &Topic) -> ColorBy {
    let [r, g, b, _] = theme::data::of_name(&topic.name).to_array();
    ColorBy::Flat { rgb: [r, g, b] }
}

fn flat_color(ui: &mut Ui, topic: &Topic, settings: &mut TopicConfig) {
    row(ui, "Colour", |ui| {
        let mut own = matches!(settings.color, ColorBy::Flat { .. });
        if ui.checkbox(&mut own, "Own").changed() {
            settings.color = if own { one_color(topic) } else { ColorBy::Auto };
        }
        if let ColorBy::Flat { rgb } = &mut settings.color {
            ui.color_edit_button_srgb(rgb);
        }
    });
}

fn size(ui: &mut Ui, settings: &mut TopicConfig) {
    ui.horizontal(|ui| {
        let label = row_name(ui, "Point size");
        let size = settings.size.unwrap_or(PointSize::Px(2.0));
        let (mut value, metres) = match size {
            PointSize::Px(px) => (px, false),
            PointSize::Metres(metres) => (metres, true),
        };
        let (speed, range) = if metres { (0.005, 0.001..=10.0) } else { (0.05, 0.5..=40.0) };
        let field = ui.add(DragValue::new(&mut value).speed(speed).range(range)).labelled_by(label.id);
        if field.changed() {
            settings.size = Some(if metres { PointSize::Metres(value) } else { PointSize::Px(value) });
        }
        if ui.selectable_label(!metres, "px").clicked() && metres {
            settings.size = Some(PointSize::Px(2.0));
        }
        if ui.selectable_label(metres, "m").clicked() && !metres {
            settings.size = Some(PointSize::Metres(0.1));
        }
    });
}
