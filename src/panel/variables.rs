//! The variables that message paths use as `$name`: numbers, texts, sliders, switches, choices among a path's values.
//!
//! Invariant: values live in the store, and in the layout beside the panels; this panel holds only how they are edited.

use std::collections::BTreeMap;

use egui::{ComboBox, DragValue, RichText, ScrollArea, Slider, TextEdit, Ui, vec2};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::panel::reading::Reading;
use crate::panel::{Action, Kind, Panel, PanelState, View, path_field, widget};
use crate::path::{Literal, Variables};
use crate::store::{TopicId, Want};
use crate::theme::{self, icon};

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
    /// Whose values at the playhead a dropdown offers.
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

struct VariablesPanel {
    config: Config,
    /// Of dropdowns, by variable.
    choices: BTreeMap<String, Reading>,
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
            let reading = self.choices.entry(name.clone()).or_insert_with(|| Reading::new(path));
            reading.set(path);
            reading.refresh(view);
        }
        let worst = |r: &Reading| matches!(r.state(), PanelState::Failed(_) | PanelState::Pending(_)).then(|| r.state().clone());
        self.state = match shown(&self.config, view.store.variables()).next() {
            None => PanelState::Absent(EMPTY.into()),
            Some(_) => self.choices.values().find_map(worst).unwrap_or(PanelState::Ready),
        };
    }

    fn row_ui(&self, ui: &mut Ui, name: &str, value: &Literal, out: &mut Vec<Action>) {
        let p = theme::palette(ui.visuals());
        let control = self.config.controls.get(name).cloned().unwrap_or_default();
        let mut new = value.clone();
        ui.horizontal(|ui| {
            let width = (ui.available_width() * 0.32).clamp(60.0, 180.0);
            ui.allocate_ui_with_layout(vec2(width, 24.0), egui::Layout::left_to_right(egui::Align::Center), |ui| {
                ui.set_min_width(width);
                let label = RichText::new(format!("${name}")).font(egui::FontId::monospace(12.0)).color(p.text);
                ui.add(egui::Label::new(label).truncate());
            });
            match control.kind {
                ControlKind::Slider => slider(ui, name, &control, &mut new),
                ControlKind::Dropdown => self.dropdown(ui, name, &mut new),
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
        if let Some(PanelState::Failed(why)) = self.choices.get(name).map(Reading::state) {
            ui.label(RichText::new(why).font(theme::small()).color(p.error));
        }
    }

    fn dropdown(&self, ui: &mut Ui, name: &str, value: &mut Literal) {
        let mut offered: Vec<(Literal, String)> = Vec::new();
        for worth in self.choices.get(name).into_iter().flat_map(|r| r.values()) {
            if !offered.iter().any(|(known, _)| *known == worth.value) {
                offered.push((worth.value.clone(), worth.text()));
            }
        }
        let now = offered
            .iter()
            .find(|o| o.0 == *value)
            .map_or_else(|| text_of(value), |o| o.1.clone());
        let shown = ComboBox::from_id_salt(("choices", name)).selected_text(now).show_ui(ui, |ui| {
            if offered.is_empty() {
                ui.label(RichText::new("The path has no values at the playhead").weak());
            }
            for (one, text) in offered {
                ui.selectable_value(value, one, text);
            }
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

impl Panel for VariablesPanel {
    fn title(&self, _view: &View) -> String {
        match self.config.only.as_slice() {
            [one] => format!("${one}"),
            _ => "Variables".into(),
        }
    }

    fn wants(&self, view: &View, out: &mut Vec<Want>) {
        for reading in self.choices.values() {
            reading.wants(view, out);
        }
    }

    fn ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let rect = ui.available_rect_before_wrap();
        self.refresh(view);
        ui.scope_builder(egui::UiBuilder::new().max_rect(rect.shrink2(vec2(12.0, 8.0))), |ui| {
            ui.set_clip_rect(rect.intersect(ui.clip_rect()));
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                if let PanelState::Absent(why) = &self.state {
                    ui.label(RichText::new(why).weak());
                    ui.add_space(4.0);
                }
                for (name, value) in shown(&self.config, view.store.variables()) {
                    self.row_ui(ui, name, value, out);
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

    fn config(&self) -> Value {
        json!(self.config)
    }

    fn state(&self, _view: &View) -> PanelState {
        self.state.clone()
    }

    fn topics(&self, _view: &View) -> Vec<TopicId> {
        self.choices.values().flat_map(|r| r.topics().to_vec()).collect()
    }
}
