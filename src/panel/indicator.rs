//! A lamp: the value of a path decides about its colour and what it says.
//!
//! Invariant: the first rule that holds counts; where none does, the lamp says the value itself.

use egui::{Color32, Rect, Sense, Ui, pos2};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::panel::ink::Ink;
use crate::panel::reading::{Reading, Worth, first_number};
use crate::panel::rule::{Operator, Told};
use crate::panel::{Action, Kind, Panel, PanelState, View, command, path_field, widget};
use crate::path::Literal;
use crate::store::{TopicId, Want};
use crate::text::in_one_line;
use crate::theme::{self, Palette, icon};

pub const KIND: Kind = Kind {
    id: "indicator",
    name: "Indicator",
    what: "A lamp whose colour and text follow a value by rules",
    icon: theme::icon::RECORD,
    create: |config| Box::new(IndicatorPanel::new(config)),
    schema: crate::panel::schema_of::<Config>,
    automatic: |_| Vec::new(),
};

/// Left and right of its text.
const MARGIN: f32 = 8.0;

/// What a layout stores.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
struct Config {
    path: String,
    /// Empty: the path.
    label: String,
    style: Style,
    rules: Vec<Rule>,
    /// Where no rule holds.
    other_color: Ink,
    other_text: String,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Style {
    #[default]
    Lamp,
    Background,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
struct Rule {
    operator: Operator,
    /// `true`, `3.5`, `AUTO` (a constant's name or a text).
    value: String,
    color: Ink,
    /// Empty: the value.
    text: String,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

impl Rule {
    fn holds(&self, worth: &Worth) -> bool {
        let text = worth.text();
        let told = Told {
            number: worth.number(),
            name: worth.name.as_deref(),
            text: &text,
        };
        self.operator.holds(&told, &self.value)
    }
}

struct IndicatorPanel {
    config: Config,
    reading: Reading,
}

impl IndicatorPanel {
    fn new(config: &Value) -> IndicatorPanel {
        let config: Config = widget::config_from(config);
        IndicatorPanel {
            reading: Reading::new(&config.path),
            config,
        }
    }

    fn label(&self) -> &str {
        if self.config.label.is_empty() {
            &self.config.path
        } else {
            &self.config.label
        }
    }

    fn told(&self, worth: Option<&Worth>, p: &Palette) -> (Color32, String) {
        let Some(worth) = worth else {
            return (p.faint, "–".to_owned());
        };
        let (ink, text) = match self.config.rules.iter().find(|rule| rule.holds(worth)) {
            Some(rule) => (&rule.color, &rule.text),
            None => (&self.config.other_color, &self.config.other_text),
        };
        let text = if text.is_empty() { worth.text() } else { text.clone() };
        (ink.color(p), text)
    }

    fn draw(&self, ui: &Ui, rect: Rect, color: Color32, text: &str) {
        let p = theme::palette(ui.visuals());
        let painter = ui.painter().with_clip_rect(rect);
        let middle = rect.center();
        let size = (rect.height() * 0.16)
            .clamp(13.0, 32.0)
            .min(rect.width() * 1.1 / text.chars().count().max(4) as f32);
        let text_color = match self.config.style {
            Style::Lamp => p.text,
            Style::Background => {
                painter.rect_filled(rect, 0.0, color);
                readable_on(color, p)
            }
        };
        let lamp = match self.config.style {
            Style::Lamp => (size * 0.4).max(6.0),
            Style::Background => 0.0,
        };
        // a long text is cut, so that the lamp stays in sight
        let elided = |text: &str, font: egui::FontId, color: Color32, room: f32| {
            let seen: String = text.chars().take(400).collect();
            let mut job = egui::text::LayoutJob::simple_singleline(in_one_line(&seen).into_owned(), font, color);
            job.wrap = egui::text::TextWrapping::truncate_at_width((rect.width() - 2.0 * MARGIN - room).max(8.0));
            painter.layout_job(job)
        };
        let galley = elided(text, theme::semibold(size.max(11.0)), text_color, lamp * 4.0);
        let width = galley.size().x + lamp * 2.0 + if lamp > 0.0 { lamp } else { 0.0 };
        let left = middle.x - width / 2.0;
        if lamp > 0.0 {
            let at = pos2(left + lamp, middle.y - 6.0);
            painter.circle_filled(at, lamp * 1.5, color.gamma_multiply(0.18));
            painter.circle_filled(at, lamp, color);
        }
        let at = pos2(middle.x + width / 2.0 - galley.size().x, middle.y - 6.0 - galley.size().y / 2.0);
        let below = at.y + galley.size().y + 4.0;
        painter.galley(at, galley, text_color);
        let weak = if lamp > 0.0 { p.weak } else { text_color.gamma_multiply(0.8) };
        let label = elided(self.label(), theme::small(), weak, 0.0);
        painter.galley(pos2(middle.x - label.size().x / 2.0, below), label, weak);
    }

    fn rules_ui(&mut self, ui: &mut Ui) {
        let mut did = None;
        let last = self.config.rules.len().saturating_sub(1);
        for (at, rule) in self.config.rules.iter_mut().enumerate() {
            let number = at + 1;
            ui.horizontal(|ui| {
                rule.color.ui(ui, ("color", at), &format!("Colour of rule {number}"));
                rule.operator.ui(ui, ("operator", at), &format!("Comparison of rule {number}"));
                for (text, hint, what) in [(&mut rule.value, "Value", "Value"), (&mut rule.text, "Text", "Text")] {
                    let edit = egui::TextEdit::singleline(text).hint_text(hint).desired_width(64.0);
                    widget::named(ui.add(edit), &format!("{what} of rule {number}"));
                }
                let up = theme::widget::icon_button_sized(ui, icon::ARROW_UP, &format!("Move rule {number} up"), "", 20.0, false);
                if up.clicked() && at > 0 {
                    did = Some((at, Some(at - 1)));
                }
                if theme::widget::icon_button_sized(ui, icon::TRASH, &format!("Remove rule {number}"), "", 20.0, false).clicked() {
                    did = Some((at, None));
                }
            });
        }
        match did {
            Some((at, Some(to))) if at <= last => self.config.rules.swap(at, to),
            Some((at, None)) if at <= last => drop(self.config.rules.remove(at)),
            _ => {}
        }
        if ui.button("Add a rule").clicked() {
            self.config.rules.push(Rule::default());
        }
        ui.horizontal(|ui| {
            self.config.other_color.ui(ui, "other color", "Colour of all else");
            let label = ui.label("Otherwise");
            let edit = egui::TextEdit::singleline(&mut self.config.other_text)
                .hint_text("The value")
                .desired_width(110.0);
            ui.add(edit).labelled_by(label.id);
        });
    }

    /// Rules that suit what the path gives, where there are none yet.
    fn propose_rules(&mut self) {
        if !self.config.rules.is_empty() {
            return;
        }
        let rule = |value: &str, color: &str, text: &str| Rule {
            value: value.to_owned(),
            color: Ink::new(color),
            text: text.to_owned(),
            ..Rule::default()
        };
        if let Some(Literal::Bool(_)) = self.reading.value().map(|w| &w.value) {
            self.config.rules = vec![rule("true", "ok", "On"), rule("false", "grey", "Off")];
        }
    }
}

/// Dark or light, whichever stands out.
fn readable_on(color: Color32, p: &Palette) -> Color32 {
    let lightness = |c: Color32| 0.299 * f32::from(c.r()) + 0.587 * f32::from(c.g()) + 0.114 * f32::from(c.b());
    let choices = [p.text, p.base];
    let apart = |c: &Color32| (lightness(*c) - lightness(color)).abs();
    choices.into_iter().max_by(|a, b| apart(a).total_cmp(&apart(b))).unwrap_or(p.text)
}

const COMMANDS: &[command::Command<IndicatorPanel>] = &[
    ("Copy value", |lamp, _, out| out.extend(lamp.reading.copied())),
    ("Copy path", |lamp, _, out| out.push(Action::CopyText(lamp.config.path.clone()))),
    ("Show over time", |lamp, _, out| out.extend(lamp.reading.over_time())),
    ("Lamp or background", |lamp, _, out| {
        lamp.config.style = match lamp.config.style {
            Style::Lamp => Style::Background,
            Style::Background => Style::Lamp,
        };
        out.push(Action::Changed);
    }),
];

impl Panel for IndicatorPanel {
    fn title(&self, _view: &View) -> String {
        widget::title_of("Indicator", self.label())
    }

    fn wants(&self, view: &View, out: &mut Vec<Want>) {
        self.reading.wants(view, out);
    }

    fn ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let rect = ui.available_rect_before_wrap();
        if let Some(path) = widget::dropped_path(ui, rect) {
            self.config.path = path;
            out.push(Action::Changed);
        }
        self.reading.set(&self.config.path);
        self.reading.refresh(view);
        match self.reading.state() {
            PanelState::Absent(why) if self.config.path.is_empty() => widget::empty_note(ui, rect, why),
            PanelState::Failed(why) => widget::failure_note(ui, rect, why),
            _ => {
                let worth = self.reading.value();
                let (color, text) = self.told(worth, theme::palette(ui.visuals()));
                self.draw(ui, rect, color, &text);
                let response = ui.interact(rect, ui.scope_id().with("indicator"), Sense::click());
                let name = format!("{} {text}", self.label());
                response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Status, true, &name));
                command::menu(&response, COMMANDS, self, view, out);
            }
        }
        ui.advance_cursor_after_rect(rect);
    }

    fn settings_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let before = self.config.clone();
        path_field::path_field(ui, "indicator path", view.store, &mut self.config.path, "Path", "/topic.field");
        widget::text_row(ui, "Label", &mut self.config.label, &self.config.path);
        ui.horizontal(|ui| {
            ui.label("Style");
            ui.selectable_value(&mut self.config.style, Style::Lamp, "Lamp");
            ui.selectable_value(&mut self.config.style, Style::Background, "Background");
        });
        theme::widget::section(ui, "Rules, the first that holds counts");
        self.rules_ui(ui);
        if self.config.rules.is_empty()
            && matches!(self.reading.value().map(|w| &w.value), Some(Literal::Bool(_)))
            && ui.button("Propose rules").clicked()
        {
            self.propose_rules();
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
            self.config.path = path;
        }
        fits
    }

    fn topics(&self, _view: &View) -> Vec<TopicId> {
        self.reading.topics().to_vec()
    }
}
