//! The times at which values of messages stand: how a layout names them, how they are chosen, and what keeps values from being shown
//! at them.

use egui::Ui;
use serde::{Deserialize, Serialize};

use crate::panel::{View, path_field, widget};
use crate::store::{Signal, Stamp, Store};
use crate::time::{Span, Time};

/// Which time of a message its values stand at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StampKind {
    /// When it was received.
    #[default]
    Receive,
    /// Its header's.
    Header,
    /// What a path says.
    Path,
}

impl StampKind {
    const ALL: [(StampKind, &'static str, &'static str); 3] = [
        (StampKind::Receive, "Receive time", "When the message was recorded"),
        (StampKind::Header, "Header stamp", "The stamp of the message's header"),
        (
            StampKind::Path,
            "Another field",
            "A field of the message: a time, or a number since 1970",
        ),
    ];

    /// `path`: what the time is, where that is a path.
    pub fn stamp(self, path: &str) -> Stamp {
        match self {
            StampKind::Receive => Stamp::Receive,
            StampKind::Header => Stamp::Header,
            StampKind::Path if path.trim().is_empty() => Stamp::Receive,
            StampKind::Path => Stamp::Path(path.trim().into()),
        }
    }
}

/// Chooses the time of the values of `what`.
pub fn settings(ui: &mut Ui, view: &View, what: &str, kind: &mut StampKind, path: &mut String) {
    ui.horizontal(|ui| {
        for (value, name, explained) in StampKind::ALL {
            ui.selectable_value(kind, value, name).on_hover_text(explained);
        }
    });
    if *kind == StampKind::Path {
        let name = format!("Time of {what}");
        path_field::path_field(ui, &name, view.store, path, &name, "/topic.field");
    }
}

/// As a button beside others, where there is one setting for all and one for each.
pub fn override_settings(ui: &mut Ui, view: &View, what: &str, kind: &mut Option<StampKind>, path: &mut String) {
    let text = StampKind::ALL
        .iter()
        .find(|s| Some(s.0) == *kind)
        .map_or("Time as of the panel", |s| s.1);
    let name = format!("Kind of time of {what}");
    let chosen = egui::ComboBox::from_id_salt(&name).selected_text(text).show_ui(ui, |ui| {
        ui.selectable_value(kind, None, "Time as of the panel");
        for (value, name, explained) in StampKind::ALL {
            ui.selectable_value(kind, Some(value), name).on_hover_text(explained);
        }
    });
    widget::named(chosen.response, &name);
    if *kind == Some(StampKind::Path) {
        let name = format!("Time of {what}");
        path_field::path_field(ui, &name, view.store, path, &name, "/topic.field");
    }
}

/// A sentence where values stand at other times than was asked for, or at none that is seen.
pub fn note<'a>(signals: impl Iterator<Item = &'a Signal>, store: &Store) -> Option<String> {
    signals
        .filter(|signal| *signal.stamp() != Stamp::Receive)
        .find_map(|signal| of_signal(signal, store))
}

fn of_signal(signal: &Signal, store: &Store) -> Option<String> {
    let topics = || signal.topics().iter().filter_map(|topic| store.topic(*topic));
    let has_none = |schema: &std::sync::Arc<crate::decode::Schema>| !schema.has_stamp();
    if *signal.stamp() == Stamp::Header
        && let Some(topic) = topics().find(|topic| topic.schema.as_ref().is_some_and(has_none))
    {
        return Some(format!("{} has no header: its values stand at their receive time", topic.name));
    }
    let text = signal.text();
    let count = |span: Span| signal.sources(store).iter().map(|s| s.statistics(span).count()).sum::<u64>();
    // 1970: the publisher left the stamp out
    let unset = count(Span::at(Time(0)));
    let Stamp::Path(path) = signal.stamp() else {
        return match unset {
            0 => None,
            1 => Some(format!("One value of {text} is not shown: its header stamp is zero")),
            n => Some(format!("{n} values of {text} are not shown: their header stamps are zero")),
        };
    };
    match (unset, outside(&count, store)) {
        (0, 0) => None,
        (1, _) => Some(format!("One value of {text} is not shown: its time {path} is zero")),
        (2.., _) => Some(format!("{unset} values of {text} are not shown: their times {path} are zero")),
        (0, 1) => Some(format!("One value of {text} lies outside of the recording, by its time {path}")),
        (0, n) => Some(format!("{n} values of {text} lie outside of the recording, by their times {path}")),
    }
}

/// How many values stand before or behind all that was recorded, by more than a message is late.
fn outside(count: &impl Fn(Span) -> u64, store: &Store) -> u64 {
    const LATE_NANOS: i64 = 10_000_000_000;
    let Some(whole) = store.span() else { return 0 };
    let wider = Span::new(whole.start.plus_nanos(-LATE_NANOS), whole.end.plus_nanos(LATE_NANOS));
    count(Span::ALL).saturating_sub(count(wider))
}
