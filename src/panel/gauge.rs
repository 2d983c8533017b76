//! One number on a dial or a bar, between two ends.
//!
//! Invariant: a value beyond an end is told by its figure; the mark stays at the end.

use egui::{Align2, Color32, Pos2, Rect, Sense, Shape, Stroke, Ui, pos2, vec2};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::panel::reading::{Reading, first_number, usual_range};
use crate::panel::{Action, Kind, Panel, PanelState, View, command, path_field, widget};
use crate::render::Colormap;
use crate::store::{TopicId, Want};
use crate::theme::{self, Palette};

pub const KIND: Kind = Kind {
    id: "gauge",
    name: "Gauge",
    what: "One number on a dial: speed, charge, temperature",
    icon: theme::icon::GAUGE,
    create: |config| Box::new(GaugePanel::new(config)),
    schema: crate::panel::schema_of::<Config>,
    automatic: |_| Vec::new(),
};

/// The dial's open part is at the bottom: it runs clockwise from here, over so many radians.
const FROM: f32 = 0.75 * std::f32::consts::PI;
const TURN: f32 = 1.5 * std::f32::consts::PI;

/// What a layout stores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
struct Config {
    path: String,
    /// Empty: the path.
    label: String,
    unit: String,
    min: f64,
    max: f64,
    shape: Form,
    coloring: Coloring,
    colormap: Colormap,
    /// Of the lower and the upper end, `#rrggbb`; between them what lies between.
    gradient: [String; 2],
    /// Low values are the bad ones (or, of a colour map, the bright ones; of a gradient, of the second colour).
    reverse: bool,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            path: String::new(),
            label: String::new(),
            unit: String::new(),
            min: 0.0,
            max: 100.0,
            shape: Form::Dial,
            coloring: Coloring::Plain,
            colormap: Colormap::Viridis,
            gradient: ["#3b6fd4".into(), "#f0a030".into()],
            reverse: false,
            extra: Map::new(),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Form {
    #[default]
    Dial,
    Bar,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Coloring {
    #[default]
    Plain,
    /// Well, a warning from 60 % on, an error from 80 % on.
    Levels,
    Map,
    Gradient,
}

struct GaugePanel {
    config: Config,
    reading: Reading,
}

impl GaugePanel {
    fn new(config: &Value) -> GaugePanel {
        let config: Config = widget::config_from(config);
        GaugePanel {
            reading: Reading::new(&config.path),
            config,
        }
    }

    /// 0 at the lower end, 1 at the upper one.
    fn fraction(&self, value: f64) -> f32 {
        let range = self.config.max - self.config.min;
        let at = if range == 0.0 { 0.0 } else { (value - self.config.min) / range };
        at.clamp(0.0, 1.0) as f32
    }

    fn color(&self, p: &Palette, fraction: f32) -> Color32 {
        let at = if self.config.reverse { 1.0 - fraction } else { fraction };
        match self.config.coloring {
            Coloring::Plain => p.accent,
            Coloring::Levels if at >= 0.8 => p.error,
            Coloring::Levels if at >= 0.6 => p.warn,
            Coloring::Levels => p.ok,
            Coloring::Map => {
                let [r, g, b] = self.config.colormap.color(at);
                Color32::from_rgb(r, g, b)
            }
            Coloring::Gradient => {
                let [low, high] = self
                    .config
                    .gradient
                    .each_ref()
                    .map(|end| Color32::from_hex(end).unwrap_or(p.accent));
                low.lerp_to_gamma(high, at)
            }
        }
    }

    fn figure(&self, value: Option<f64>) -> String {
        let number = value.map_or_else(|| "–".to_owned(), |v| widget::number_text((v * 1e3).round() / 1e3, 7));
        match self.config.unit.as_str() {
            "" => number,
            unit => format!("{number} {unit}"),
        }
    }

    fn label(&self) -> &str {
        if self.config.label.is_empty() {
            &self.config.path
        } else {
            &self.config.label
        }
    }

    fn draw(&self, ui: &Ui, rect: Rect, value: Option<f64>) {
        let p = theme::palette(ui.visuals());
        let at = value.map(|v| self.fraction(v));
        let figure = self.figure(value);
        let painter = ui.painter().with_clip_rect(rect);
        let ends = [self.config.min, self.config.max].map(|end| widget::number_text(end, 7));
        let small = |at: Pos2, align: Align2, text: &str| painter.text(at, align, text, theme::small(), p.weak);
        match self.config.shape {
            Form::Dial => {
                // as high as the dial and its name below it
                let radius = (rect.width() * 0.5 - 16.0).min((rect.height() - 32.0) / 1.92).clamp(12.0, 220.0);
                let center = pos2(rect.center().x, rect.center().y + radius * 0.14 - 6.0);
                let width = (radius * 0.16).clamp(4.0, 28.0);
                self.arc(&painter, p, center, radius - width / 2.0, width, at);
                let size = (radius * 0.36)
                    .clamp(13.0, 52.0)
                    .min(1.5 * radius / figure.chars().count().max(1) as f32 * 1.6);
                painter.text(center, Align2::CENTER_CENTER, &figure, theme::semibold(size), p.text);
                let below = center.y + radius * 0.82;
                small(pos2(center.x - radius * 0.66, below), Align2::CENTER_CENTER, &ends[0]);
                small(pos2(center.x + radius * 0.66, below), Align2::CENTER_CENTER, &ends[1]);
                self.name(
                    &painter,
                    p,
                    pos2(rect.center().x, (below + 14.0).min(rect.bottom() - 10.0)),
                    rect.width(),
                );
            }
            Form::Bar => {
                let bar = Rect::from_center_size(
                    rect.center(),
                    vec2((rect.width() - 32.0).max(16.0), (rect.height() * 0.2).clamp(6.0, 28.0)),
                );
                painter.rect_filled(bar, 3.0, p.line);
                if let Some(at) = at {
                    let filled = bar.with_max_x(bar.left() + bar.width() * at);
                    painter.rect_filled(filled, 3.0, self.color(p, at));
                }
                painter.text(
                    pos2(bar.left(), bar.top() - 6.0),
                    Align2::LEFT_BOTTOM,
                    &figure,
                    theme::semibold(18.0),
                    p.text,
                );
                small(pos2(bar.left(), bar.bottom() + 4.0), Align2::LEFT_TOP, &ends[0]);
                small(pos2(bar.right(), bar.bottom() + 4.0), Align2::RIGHT_TOP, &ends[1]);
                self.name(&painter, p, pos2(rect.center().x, bar.bottom() + 24.0), rect.width());
            }
        }
    }

    fn name(&self, painter: &egui::Painter, p: &Palette, center: Pos2, width: f32) {
        let mut job = egui::text::LayoutJob::simple_singleline(self.label().to_owned(), theme::small(), p.weak);
        job.wrap = egui::text::TextWrapping::truncate_at_width(width - 16.0);
        let galley = painter.layout_job(job);
        painter.galley(center - galley.size() / 2.0, galley, p.weak);
    }

    /// The whole dial quietly, the part up to `at` in its colours.
    fn arc(&self, painter: &egui::Painter, p: &Palette, center: Pos2, radius: f32, width: f32, at: Option<f32>) {
        const STEPS: usize = 96;
        let point = |fraction: f32| center + radius * egui::Vec2::angled(FROM + TURN * fraction);
        let line = |from: f32, to: f32| -> Vec<Pos2> {
            let steps = ((to - from) * STEPS as f32).ceil().max(1.0) as usize;
            (0..=steps).map(|i| point(from + (to - from) * i as f32 / steps as f32)).collect()
        };
        painter.add(Shape::line(line(0.0, 1.0), Stroke::new(width, p.line)));
        let Some(at) = at.filter(|at| *at > 0.0) else { return };
        if matches!(self.config.coloring, Coloring::Map | Coloring::Gradient) {
            let steps = (at * STEPS as f32).ceil().max(1.0) as usize;
            for i in 0..steps {
                let (from, to) = (at * i as f32 / steps as f32, at * (i + 1) as f32 / steps as f32);
                // a little longer, so that no seam shows
                let stroke = Stroke::new(width, self.color(p, (from + to) / 2.0));
                painter.line_segment([point(from), point((to + 0.002).min(at))], stroke);
            }
        } else {
            painter.add(Shape::line(line(0.0, at), Stroke::new(width, self.color(p, at))));
        }
    }
}

const COMMANDS: &[command::Command<GaugePanel>] = &[
    ("Copy value", |gauge, _, out| out.extend(gauge.reading.copied())),
    ("Copy path", |gauge, _, out| out.push(Action::CopyText(gauge.config.path.clone()))),
    ("Plot this field", |gauge, _, out| out.extend(gauge.reading.over_time())),
    ("Dial or bar", |gauge, _, out| {
        gauge.config.shape = match gauge.config.shape {
            Form::Dial => Form::Bar,
            Form::Bar => Form::Dial,
        };
        out.push(Action::Changed);
    }),
];

impl Panel for GaugePanel {
    fn title(&self, _view: &View) -> String {
        widget::title_of("Gauge", self.label())
    }

    fn wants(&self, view: &View, out: &mut Vec<Want>) {
        self.reading.wants(view, out);
    }

    fn ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let rect = ui.available_rect_before_wrap();
        if let Some(path) = widget::dropped_path(ui, rect) {
            self.take_path(path);
            out.push(Action::Changed);
        }
        self.reading.set(&self.config.path);
        self.reading.refresh(view);
        let number = self.reading.value().map(|worth| worth.number());
        match (self.reading.state(), number) {
            (PanelState::Absent(why), _) if self.config.path.is_empty() => widget::empty_note(ui, rect, why),
            (PanelState::Failed(why), _) => widget::failure_note(ui, rect, why),
            (_, Some(None)) => widget::failure_note(ui, rect, &format!("{} is a text: a gauge shows a number", self.config.path)),
            (_, number) => {
                let value = number.flatten();
                self.draw(ui, rect, value);
                let response = ui.interact(rect, ui.scope_id().with("gauge"), Sense::click());
                let name = format!("{} {}", self.label(), self.figure(value));
                response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Meter, true, &name));
                command::menu(&response, COMMANDS, self, view, out);
            }
        }
        ui.advance_cursor_after_rect(rect);
    }

    fn settings_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let before = self.config.clone();
        path_field::path_field(ui, "gauge path", view.store, &mut self.config.path, "Path", "/topic.field");
        widget::text_row(ui, "Label", &mut self.config.label, &self.config.path);
        widget::text_row(ui, "Unit", &mut self.config.unit, "");
        for (name, end) in [("From", &mut self.config.min), ("To", &mut self.config.max)] {
            ui.horizontal(|ui| {
                let label = ui.label(name);
                ui.add(egui::DragValue::new(end).speed(0.1)).labelled_by(label.id);
            });
        }
        ui.horizontal(|ui| {
            ui.label("Shape");
            ui.selectable_value(&mut self.config.shape, Form::Dial, "Dial");
            ui.selectable_value(&mut self.config.shape, Form::Bar, "Bar");
        });
        ui.horizontal(|ui| {
            ui.label("Colour");
            ui.selectable_value(&mut self.config.coloring, Coloring::Plain, "Plain");
            ui.selectable_value(&mut self.config.coloring, Coloring::Levels, "Levels")
                .on_hover_text("A warning from 60 % of the range on, an error from 80 % on");
            ui.selectable_value(&mut self.config.coloring, Coloring::Map, "Colour map");
            ui.selectable_value(&mut self.config.coloring, Coloring::Gradient, "Gradient")
                .on_hover_text("From one colour to another");
        });
        if self.config.coloring == Coloring::Map {
            ui.horizontal(|ui| {
                for map in Colormap::ALL {
                    ui.selectable_value(&mut self.config.colormap, map, map.name());
                }
            });
        }
        if self.config.coloring == Coloring::Gradient {
            for (name, end) in ["Colour at the lower end", "Colour at the upper end"]
                .iter()
                .zip(&mut self.config.gradient)
            {
                ui.horizontal(|ui| {
                    let label = ui.label(*name);
                    let mut color = Color32::from_hex(end).unwrap_or_default();
                    let button = ui.color_edit_button_srgba(&mut color).labelled_by(label.id);
                    if button.changed() {
                        *end = color.to_hex();
                    }
                });
            }
        }
        if self.config.coloring != Coloring::Plain {
            ui.checkbox(&mut self.config.reverse, "Reversed");
        }
        widget::report_change(&before, &self.config, out);
    }

    fn commands(&self) -> Vec<&'static str> {
        command::names(COMMANDS)
    }

    fn run(&mut self, command: &str, view: &View, out: &mut Vec<Action>) {
        command::run(COMMANDS, self, command, view, out);
    }

    fn config(&self) -> Value {
        json!(self.config)
    }

    fn state(&self, _view: &View) -> PanelState {
        self.reading.state().clone()
    }

    fn drop_topic(&mut self, view: &View, topic: TopicId) -> bool {
        let path = first_number(view.store, topic);
        let fits = path.is_some();
        if let Some(path) = path {
            self.take_path(path);
        }
        fits
    }

    fn topics(&self, _view: &View) -> Vec<TopicId> {
        self.reading.topics().to_vec()
    }
}

impl GaugePanel {
    fn take_path(&mut self, path: String) {
        if let Some((min, max, unit)) = usual_range(&path) {
            (self.config.min, self.config.max, self.config.unit) = (min, max, unit.to_owned());
        }
        self.config.path = path;
    }
}
