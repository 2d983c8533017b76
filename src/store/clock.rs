//! Which clock a series runs on: when its values stand on the axis of time.

use std::sync::Arc;

use crate::decode::Schema;
use crate::format::Message;
use crate::path::{Column, Item, ItemKind, parse};
use crate::time::Time;

/// Which clock a series runs on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Stamp {
    #[default]
    Receive,
    Header,
    /// What a path of the same topic says: a time, or a number since 1970 in seconds, milli-, micro- or nanoseconds.
    Path(Arc<str>),
}

/// The same for the messages of one type. What says nothing stands at its receive time.
#[derive(Clone, Debug)]
pub enum Clock {
    Receive,
    Header(Arc<Schema>),
    Path(Arc<Column>),
}

impl Stamp {
    pub(super) fn clock(&self, schema: &Arc<Schema>) -> Clock {
        match self {
            Stamp::Receive => Clock::Receive,
            Stamp::Header => Clock::Header(schema.clone()),
            Stamp::Path(path) => super::column_of(schema, path).map_or(Clock::Receive, |column| Clock::Path(Arc::new(column))),
        }
    }

    /// Why values of `topic` cannot stand at these times: a sentence.
    pub(super) fn problem(&self, topic: &str, schema: &Schema) -> Option<String> {
        let Stamp::Path(path) = self else { return None };
        let expr = match parse(path) {
            Ok(expr) => expr,
            Err(error) => return Some(format!("The time {path}: {error}")),
        };
        if expr.topics().iter().any(|of| *of != topic) {
            return Some(format!(
                "{path} is no time of a value of {topic}: a value and its time are of the same message"
            ));
        }
        match Column::compile(schema, &expr) {
            Ok(column) => match column.kind() {
                ItemKind::Nanos | ItemKind::Int | ItemKind::Float => None,
                other => Some(format!("{path} is a {}, and no time", other.name())),
            },
            Err(error) => Some(format!("The time {path}: {error}")),
        }
    }
}

impl Clock {
    /// When a message's values stand.
    pub(super) fn time(&self, message: &Message) -> Time {
        let own = match self {
            Clock::Receive => None,
            Clock::Header(schema) => schema.header_stamp(&message.payload),
            Clock::Path(column) => column.items(&message.payload).first().and_then(time_of),
        };
        own.unwrap_or(message.time)
    }

    /// Values that have a time each.
    pub(super) fn set_each(&self, message: &Message, points: &mut [(Time, f64)]) {
        let Clock::Path(column) = self else { return };
        if points.len() < 2 || !column.is_list() {
            return;
        }
        let items = column.items(&message.payload);
        if items.len() == points.len() {
            for ((time, _), own) in points.iter_mut().zip(items.iter().map(time_of)) {
                *time = own.unwrap_or(message.time);
            }
        }
    }

    /// The fields of messages that it needs, by their first names; None: all.
    pub(super) fn roots(&self) -> Option<&[String]> {
        match self {
            Clock::Receive => Some(&[]),
            Clock::Header(_) => None,
            Clock::Path(column) => column.roots(),
        }
    }
}

fn time_of(item: &Item) -> Option<Time> {
    match item {
        Item::Nanos(nanos) => i64::try_from(*nanos).ok().map(Time),
        Item::Int(number) => {
            let nanos = number.checked_mul(unit_nanos(*number as f64) as i128)?;
            i64::try_from(nanos).ok().map(Time)
        }
        Item::Float(number) => {
            let nanos = number * unit_nanos(*number);
            (nanos.abs() < 9.2e18).then(|| Time(nanos.round() as i64))
        }
        Item::Bool(_) | Item::Text(_) => None,
    }
}

/// By magnitude: what makes a moment of our days of it.
fn unit_nanos(number: f64) -> f64 {
    match number.abs() {
        n if n >= 1e17 => 1.0,
        n if n >= 1e14 => 1e3,
        n if n >= 1e11 => 1e6,
        _ => 1e9,
    }
}
