//! What a message path is worth at the playhead: the value of the newest message, or of what is computed from several.
//!
//! Invariants: what one message tells is read out of that message, texts included; only what needs values over time wants series.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;

use crate::decode::Form;
use crate::panel::shown::{Freshness, Shown};
use crate::panel::{Action, PanelState, View, widget};
use crate::path::{Item, ItemKind, Literal, topic_text};
use crate::store::{Signal, Stamp, Store, Topic, TopicId, Want, What};
use crate::time::{Span, Time};

/// A value as a person reads it.
#[derive(Clone, Debug, PartialEq)]
pub struct Worth {
    pub value: Literal,
    /// The constant that the message definition has for it.
    pub name: Option<Arc<str>>,
}

impl Worth {
    fn of(item: Item<'_>, name_of: impl Fn(i128) -> Option<Arc<str>>) -> Worth {
        let value = match item {
            Item::Bool(b) => Literal::Bool(b),
            Item::Int(n) => Literal::Int(n),
            Item::Float(v) => Literal::Float(v),
            Item::Nanos(_) => Literal::Float(item.number()),
            Item::Text(text) => Literal::Text(String::from_utf8_lossy(text).into_owned()),
        };
        let name = match &value {
            Literal::Int(n) => name_of(*n),
            _ => None,
        };
        Worth { value, name }
    }

    /// As plots read it; None for texts.
    pub fn number(&self) -> Option<f64> {
        match &self.value {
            Literal::Bool(b) => Some(f64::from(u8::from(*b))),
            Literal::Int(n) => Some(*n as f64),
            Literal::Float(v) => Some(*v),
            Literal::Text(_) => None,
        }
    }

    /// The constant's name, or the value.
    pub fn text(&self) -> String {
        match (&self.name, &self.value) {
            (Some(name), _) => name.to_string(),
            (None, Literal::Bool(b)) => b.to_string(),
            (None, Literal::Int(n)) => n.to_string(),
            (None, Literal::Float(v)) => widget::short_number(*v, 10),
            (None, Literal::Text(text)) => text.clone(),
        }
    }
}

/// A path and its values at the playhead.
pub struct Reading {
    signal: Signal,
    message: Shown<Bytes>,
    values: Vec<Worth>,
    state: PanelState,
}

impl Reading {
    pub fn new(path: &str) -> Reading {
        Reading {
            signal: Signal::new(path, Stamp::Receive),
            message: Shown::default(),
            values: Vec::new(),
            state: PanelState::Pending("the value is being read".into()),
        }
    }

    /// Takes another path, unless it is this one.
    pub fn set(&mut self, path: &str) {
        if self.signal.text() != path {
            *self = Reading::new(path);
        }
    }

    pub fn wants(&self, view: &View, out: &mut Vec<Want>) {
        let Some(topic) = self.topics().first() else { return };
        if self.column().is_some() {
            out.push(Want {
                topic: *topic,
                what: What::Latest(Form::Value),
            });
        } else {
            self.signal.wants(view.store.series_span(*topic, view.now), out);
        }
    }

    /// Brings it up to date with what is loaded.
    pub fn refresh(&mut self, view: &View) {
        self.signal.refresh(view.store);
        if self.signal.text().is_empty() {
            self.values.clear();
            self.state = PanelState::Absent("Choose a field in the settings, or drag one here".into());
        } else if let Some(problem) = self.signal.problem() {
            self.values.clear();
            self.state = PanelState::Failed(problem.what.clone());
        } else if let Some(constant) = self.signal.constant() {
            self.values = vec![self.computed(constant)];
            self.state = PanelState::Ready;
        } else if self.column().is_some() {
            self.read_message(view.store);
        } else {
            self.read_series(view);
        }
    }

    fn column(&self) -> Option<&crate::path::Input> {
        self.signal.program().and_then(|p| p.column())
    }

    fn read_message(&mut self, store: &Store) {
        let topic: Option<&Topic> = self.topics().first().and_then(|id| store.topic(*id));
        let (Some(topic), Some(input)) = (topic, self.column().cloned()) else {
            return;
        };
        let (payload, freshness) = self.message.take(store, topic, store.latest_payload(topic.id), || None);
        self.values = match &payload {
            Some(payload) => {
                let column = &input.column;
                let name = |n: i128| column.name_of(n).map(Arc::from);
                column.items(payload).into_iter().map(|item| Worth::of(item, name)).collect()
            }
            None => Vec::new(),
        };
        self.state = match freshness {
            Freshness::Current if self.values.is_empty() => {
                PanelState::Absent(format!("The newest message of {} has no {}", topic.name, self.signal.text()))
            }
            freshness => freshness.state(topic, "the value"),
        };
    }

    fn read_series(&mut self, view: &View) {
        let newest = self.signal.series(view.store).and_then(|s| s.value_at(view.now));
        self.values = newest.map(|value| self.computed(value)).into_iter().collect();
        self.state = if let Some(why) = self.signal.failure(view.store) {
            PanelState::Failed(why.to_string())
        } else if !self.signal.is_complete(view.store, Span::at(view.now)) {
            PanelState::Pending(format!("{} is being read at the playhead", self.signal.text()))
        } else if self.values.is_empty() {
            PanelState::Absent(format!("{} has no value at or before the playhead", self.signal.text()))
        } else {
            PanelState::Ready
        };
    }

    /// A value that was computed as a number.
    fn computed(&self, value: f64) -> Worth {
        let is_truth = self.signal.program().is_some_and(|p| p.kind() == ItemKind::Bool) && !value.is_nan();
        Worth {
            value: match is_truth {
                true => Literal::Bool(value != 0.0),
                false => Literal::Float(value),
            },
            name: None,
        }
    }

    /// All values that the path gives at the playhead.
    pub fn values(&self) -> &[Worth] {
        &self.values
    }

    pub fn value(&self) -> Option<&Worth> {
        self.values.first()
    }

    /// The value, to the clipboard.
    pub fn copied(&self) -> Option<Action> {
        Some(Action::CopyText(self.value()?.text()))
    }

    /// A panel that shows it over the whole recording: numbers as a plot, all else as states.
    pub fn over_time(&self) -> Option<Action> {
        let path = json!({ "path": self.signal.text() });
        let is_number = self.signal.program()?.kind().is_number();
        Some(match is_number {
            true => Action::AddPanel {
                kind: "plot",
                config: json!({ "series": [path] }),
            },
            false => Action::AddPanel {
                kind: "states",
                config: json!({ "paths": [path] }),
            },
        })
    }

    pub fn state(&self) -> &PanelState {
        &self.state
    }

    pub fn topics(&self) -> &[TopicId] {
        self.signal.topics()
    }

    /// When the message came that tells the value; None for what is computed from several.
    pub fn time(&self) -> Option<Time> {
        self.message.time()
    }
}

/// A range that a person would choose for the field, with its unit.
pub fn usual_range(path: &str) -> Option<(f64, f64, &'static str)> {
    let last = path.rsplit('.').next().unwrap_or(path);
    Some(match last {
        "speed" | "velocity" => (0.0, 40.0, "m/s"),
        "percentage" | "pedal_output" | "pedal_input" => (0.0, 1.0, ""),
        "temperature" => (-20.0, 100.0, "°C"),
        "steering_wheel_angle" => (-8.0, 8.0, "rad"),
        _ => return None,
    })
}

/// The most telling number of a topic: its speed, else its first number that is not of its header.
pub fn first_number(store: &Store, topic: TopicId) -> Option<String> {
    let topic = store.topic(topic)?;
    let paths = topic.schema.as_ref()?.scalar_paths();
    let mut fits = paths.iter().filter(|p| !p.starts_with("header."));
    let first = fits.clone().find(|p| usual_range(p).is_some()).or_else(|| fits.next())?;
    Some(format!("{}.{first}", topic_text(&topic.name)))
}
