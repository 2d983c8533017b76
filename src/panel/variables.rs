//! The variables that message paths use as `$name`: numbers, texts, sliders, switches, choices among a path's values.
//!
//! Invariant: values live in the store, and in the layout beside the panels; this panel holds only how they are edited.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::{ComboBox, DragValue, RichText, ScrollArea, Slider, TextEdit, Ui, vec2};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::panel::reading::{Reading, Worth};
use crate::panel::{Action, Kind, Panel, PanelState, View, command, path_field, widget};
use crate::path::{ItemKind, Literal, Variables};
use crate::store::{Analysis, AnalysisQuery, Signal, Stamp, Store, TopicId, Want, What};
use crate::theme::{self, icon};
use crate::time::Span;

pub const KIND: Kind = Kind {
    id: "variables",
    name: "Variables",
    what: "Values that message paths of all panels use as $name",
    icon: theme::icon::SLIDERS_HORIZONTAL,
    create: |config| Box::new(VariablesPanel::new(config)),
    schema: crate::panel::schema_of::<Config>,
    automatic: |_| Vec::new(),
};

/// What a layout stores.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
struct Config {
    /// Only these; empty: all.
    only: Vec<String>,
    /// How variables are edited, by name; others by what they are.
    controls: BTreeMap<String, Control>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
struct Control {
    kind: ControlKind,
    /// Ends and step of a slider.
    min: f64,
    max: f64,
    step: f64,
    /// Whose values a dropdown offers.
    path: String,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

impl Default for Control {
    fn default() -> Control {
        Control {
            kind: ControlKind::Field,
            min: 0.0,
            max: 10.0,
            step: 1.0,
            path: String::new(),
            extra: Map::new(),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ControlKind {
    /// A number, a text or a switch, as the value is.
    #[default]
    Field,
    Slider,
    Dropdown,
}

/// The values of a path: at the playhead, and of all that is loaded.
struct Choices {
    now: Reading,
    all: Signal,
}

impl Choices {
    fn new(path: &str) -> Choices {
        Choices {
            now: Reading::new(path),
            all: Signal::new(path, Stamp::Receive),
        }
    }

    fn refresh(&mut self, path: &str, view: &View) {
        if self.all.text() != path {
            *self = Choices::new(path);
        }
        self.now.refresh(view);
        self.all.refresh(view.store);
    }

    fn query(&self) -> Option<AnalysisQuery> {
        Some(AnalysisQuery {
            analysis: Analysis::Distinct,
            of: self.all.name()?,
            against: None,
            span: Span::ALL,
        })
    }

    fn wants(&self, view: &View, out: &mut Vec<Want>) {
        self.now.wants(view, out);
        if let Some(query) = self.query() {
            let topic = query.of.topic;
            self.all.wants(view.store.series_span(topic, view.now), out);
            let what = What::Analysis(Arc::new(query));
            out.push(Want { topic, what });
        }
    }

    /// Each once, by value.
    fn offered(&self, store: &Store) -> Vec<Worth> {
        let mut offered: Vec<Worth> = Vec::new();
        let program = self.all.program();
        if let (Some(program), Some(query)) = (program, self.query()) {
            let values = store.analyzed(&query).map(|a| a.points.clone()).unwrap_or_default();
            let value_of = |v: f64| match program.kind() {
                ItemKind::Bool | ItemKind::Int if v.is_nan() => None,
                ItemKind::Bool => Some(Literal::Bool(v != 0.0)),
                ItemKind::Int => Some(Literal::Int(v as i128)),
                ItemKind::Float | ItemKind::Nanos => Some(Literal::Float(v)),
                ItemKind::Text => Some(Literal::Text(self.all.series(store)?.text_of(v)?.to_string())),
            };
            let name_of = |value: &Literal| match (value, program.column()) {
                (Literal::Int(n), Some(input)) => input.column.name_of(*n).map(Arc::from),
                _ => None,
            };
            offered.extend(values.iter().filter_map(|(v, _)| {
                let value = value_of(*v)?;
                let name = name_of(&value);
                Some(Worth { value, name })
            }));
            if program.kind() == ItemKind::Text {
                offered.sort_by_key(Worth::text);
            }
        }
        for worth in self.now.values() {
            if !offered.iter().any(|known| known.value == worth.value) {
                offered.push(worth.clone());
            }
        }
        offered
    }
}

struct VariablesPanel {
    config: Config,
    /// Of dropdowns, by variable.
    choices: BTreeMap<String, Choices>,
    new_name: String,
    state: PanelState,
}

const EMPTY: &str = "There is no variable yet: name one below, then write $name in any message path";

impl VariablesPanel {
    fn new(config: &Value) -> VariablesPanel {
        VariablesPanel {
            config: widget::config_from(config),
            choices: BTreeMap::new(),
            new_name: String::new(),
            state: PanelState::Absent(EMPTY.into()),
        }
    }

    fn refresh(&mut self, view: &View) {
        let dropdowns = self.config.controls.iter().filter(|c| c.1.kind == ControlKind::Dropdown);
        let paths: BTreeMap<&String, &String> = dropdowns.map(|(name, control)| (name, &control.path)).collect();
        self.choices.retain(|name, _| paths.contains_key(name));
        for (name, path) in paths {
            let choices = self.choices.entry(name.clone()).or_insert_with(|| Choices::new(path));
            choices.refresh(path, view);
        }
        let worst = |c: &Choices| {
            let state = c.now.state();
            matches!(state, PanelState::Failed(_) | PanelState::Pending(_)).then(|| state.clone())
        };
        self.state = match shown(&self.config, view.store.variables()).next() {
            None => PanelState::Absent(EMPTY.into()),
            Some(_) => self.choices.values().find_map(worst).unwrap_or(PanelState::Ready),
        };
    }

    fn row_ui(&self, ui: &mut Ui, view: &View, name: &str, value: &Literal, out: &mut Vec<Action>) {
        let p = theme::palette(ui.visuals());
        let control = self.config.controls.get(name).cloned().unwrap_or_default();
        let mut new = value.clone();
        ui.horizontal(|ui| {
            let width = (ui.available_width() * 0.32).clamp(60.0, 180.0);
            ui.allocate_ui_with_layout(vec2(width, 24.0), egui::Layout::left_to_right(egui::Align::Center), |ui| {
                ui.set_min_width(width);
                let label = RichText::new(format!("${name}")).font(egui::FontId::monospace(12.0)).color(p.text);
                let label = ui.add(egui::Label::new(label).truncate().sense(egui::Sense::click()));
                label.context_menu(|ui| {
                    for (text, copied) in [("Copy value", text_of(value)), ("Copy name", format!("${name}"))] {
                        if ui.button(text).clicked() {
                            out.push(Action::CopyText(copied));
                            ui.close();
                        }
                    }
                });
            });
            match control.kind {
                ControlKind::Slider => slider(ui, name, &control, &mut new),
                ControlKind::Dropdown => self.dropdown(ui, view, name, &mut new, out),
                ControlKind::Field => field(ui, name, &mut new),
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if theme::widget::icon_button_sized(ui, icon::X, &format!("Forget ${name}"), "", 20.0, false).clicked() {
                    out.push(set(name, None));
                }
            });
        });
        if new != *value {
            out.push(set(name, Some(new)));
        }
        if let Some(PanelState::Failed(why)) = self.choices.get(name).map(|c| c.now.state()) {
            ui.label(RichText::new(why).font(theme::small()).color(p.error));
        }
    }

    fn dropdown(&self, ui: &mut Ui, view: &View, name: &str, value: &mut Literal, out: &mut Vec<Action>) {
        let choices = self.choices.get(name);
        let offered = choices.map(|c| c.offered(view.store)).unwrap_or_default();
        let now = offered
            .iter()
            .find(|o| o.value == *value)
            .map_or_else(|| text_of(value), Worth::text);
        let shown = ComboBox::from_id_salt(("choices", name)).selected_text(now).show_ui(ui, |ui| {
            if offered.is_empty() {
                ui.label(RichText::new("The path has no values in what is read").weak());
            }
            for worth in offered {
                let text = worth.text();
                ui.selectable_value(value, worth.value, text);
            }
            let topics = choices.map(|c| c.all.topics()).unwrap_or_default();
            topics
                .iter()
                .for_each(|topic| widget::read_whole_button(ui, view.store, *topic, out));
        });
        widget::named(shown.response, &format!("Value of ${name}"));
    }

    fn add_ui(&mut self, ui: &mut Ui, variables: &Variables, out: &mut Vec<Action>) {
        ui.horizontal(|ui| {
            let edit = TextEdit::singleline(&mut self.new_name).hint_text("Name").desired_width(120.0);
            let field = widget::named(ui.add(edit), "Name of the new variable");
            let name = self.new_name.trim().trim_start_matches('$');
            let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_') && !variables.contains_key(name);
            let entered = field.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
            let add = ui.add_enabled(is_name, egui::Button::new("Add a variable"));
            if is_name && (entered || add.clicked()) {
                out.push(set(name, Some(Literal::Int(0))));
                self.new_name.clear();
            }
        });
    }
}

fn shown<'a>(config: &'a Config, variables: &'a Variables) -> impl Iterator<Item = (&'a String, &'a Literal)> {
    let is_shown = |name: &String| config.only.is_empty() || config.only.contains(name);
    variables.iter().filter(move |(name, _)| is_shown(name))
}

fn set(name: &str, value: Option<Literal>) -> Action {
    Action::SetVariable {
        name: name.to_owned(),
        value,
    }
}

fn text_of(value: &Literal) -> String {
    match value {
        Literal::Text(text) => text.clone(),
        other => other.to_json().to_string(),
    }
}

/// What is typed becomes a number, a truth value or a text.
fn literal_of(text: &str) -> Literal {
    match text.trim() {
        "true" => Literal::Bool(true),
        "false" => Literal::Bool(false),
        trimmed => match (trimmed.parse::<i128>(), trimmed.parse::<f64>()) {
            (Ok(n), _) => Literal::Int(n),
            (_, Ok(v)) if v.is_finite() => Literal::Float(v),
            _ => Literal::Text(text.to_owned()),
        },
    }
}

fn field(ui: &mut Ui, name: &str, value: &mut Literal) {
    let accessible = format!("Value of ${name}");
    if let Literal::Bool(on) = value {
        widget::named(ui.checkbox(on, ""), &accessible);
        return;
    }
    // what stands there is taken once it is whole
    let id = ui.make_persistent_id(("value", name));
    let mut text: String = ui.data(|d| d.get_temp(id)).unwrap_or_else(|| text_of(value));
    let edit = TextEdit::singleline(&mut text).desired_width((ui.available_width() - 32.0).clamp(40.0, 260.0));
    let response = widget::named(ui.add(edit), &accessible);
    if response.has_focus() {
        ui.data_mut(|d| d.insert_temp(id, text));
    } else {
        if response.lost_focus() {
            *value = literal_of(&text);
        }
        ui.data_mut(|d| d.remove::<String>(id));
    }
}

fn slider(ui: &mut Ui, name: &str, control: &Control, value: &mut Literal) {
    let mut number = match value {
        Literal::Int(n) => *n as f64,
        Literal::Float(v) => *v,
        _ => control.min,
    };
    let is_whole = control.step.fract() == 0.0 && control.min.fract() == 0.0;
    ui.spacing_mut().slider_width = (ui.available_width() - 110.0).clamp(40.0, 320.0);
    let slider = Slider::new(&mut number, control.min..=control.max.max(control.min))
        .step_by(control.step.max(0.0))
        .clamping(egui::SliderClamping::Never);
    if widget::named(ui.add(slider), &format!("Value of ${name}")).changed() {
        *value = if is_whole && number.fract() == 0.0 {
            Literal::Int(number as i128)
        } else {
            Literal::Float(number)
        };
    }
}

const COMMANDS: &[command::Command<VariablesPanel>] = &[
    ("Copy the variables as JSON", |panel, view, out| {
        let all: Map<String, Value> = shown(&panel.config, view.store.variables())
            .map(|(name, value)| (name.clone(), value.to_json()))
            .collect();
        out.push(Action::CopyText(format!("{:#}", Value::Object(all))));
    }),
    ("Show all variables", |panel, _, out| {
        panel.config.only.clear();
        out.push(Action::Changed);
    }),
    ("Forget the variables shown", |panel, view, out| {
        out.extend(shown(&panel.config, view.store.variables()).map(|(name, _)| set(name, None)));
    }),
];

impl Panel for VariablesPanel {
    fn title(&self, _view: &View) -> String {
        match self.config.only.as_slice() {
            [one] => format!("${one}"),
            _ => "Variables".into(),
        }
    }

    fn wants(&self, view: &View, out: &mut Vec<Want>) {
        self.choices.values().for_each(|choices| choices.wants(view, out));
    }

    fn ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let rect = ui.available_rect_before_wrap();
        self.refresh(view);
        let behind = ui.interact(rect, ui.scope_id().with("variables"), egui::Sense::click());
        command::menu(&behind, COMMANDS, self, view, out);
        ui.scope_builder(egui::UiBuilder::new().max_rect(rect.shrink2(vec2(12.0, 8.0))), |ui| {
            ui.set_clip_rect(rect.intersect(ui.clip_rect()));
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                if let PanelState::Absent(why) = &self.state {
                    ui.label(RichText::new(why).weak());
                    ui.add_space(4.0);
                }
                for (name, value) in shown(&self.config, view.store.variables()) {
                    self.row_ui(ui, view, name, value, out);
                }
                self.add_ui(ui, view.store.variables(), out);
            });
        });
        ui.advance_cursor_after_rect(rect);
    }

    fn settings_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let before = self.config.clone();
        let variables = view.store.variables();
        if variables.is_empty() {
            theme::widget::note(ui, EMPTY);
        }
        for name in variables.keys() {
            let mut control = self.config.controls.get(name).cloned().unwrap_or_default();
            theme::widget::section(ui, &format!("${name}"));
            let mut is_shown = self.config.only.is_empty() || self.config.only.contains(name);
            if ui.checkbox(&mut is_shown, "Shown here").changed() {
                if self.config.only.is_empty() {
                    self.config.only = variables.keys().cloned().collect();
                }
                self.config.only.retain(|n| n != name);
                if is_shown {
                    self.config.only.push(name.clone());
                }
            }
            ui.horizontal(|ui| {
                for (kind, text) in [
                    (ControlKind::Field, "Field"),
                    (ControlKind::Slider, "Slider"),
                    (ControlKind::Dropdown, "Dropdown"),
                ] {
                    ui.selectable_value(&mut control.kind, kind, text);
                }
            });
            match control.kind {
                ControlKind::Field => {}
                ControlKind::Slider => {
                    ui.horizontal(|ui| {
                        for (what, number) in [("From", &mut control.min), ("To", &mut control.max), ("Step", &mut control.step)] {
                            let label = ui.label(what);
                            ui.add(DragValue::new(number).speed(0.1)).labelled_by(label.id);
                        }
                    });
                }
                ControlKind::Dropdown => {
                    let salt = format!("choices of {name}");
                    let accessible = format!("Path of ${name}'s choices");
                    path_field::path_field(ui, &salt, view.store, &mut control.path, &accessible, "/topic.list[:].field");
                }
            }
            if control != self.config.controls.get(name).cloned().unwrap_or_default() {
                self.config.controls.insert(name.clone(), control);
            }
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
        self.state.clone()
    }

    fn topics(&self, _view: &View) -> Vec<TopicId> {
        self.choices.values().flat_map(|c| c.now.topics().to_vec()).collect()
    }
}
