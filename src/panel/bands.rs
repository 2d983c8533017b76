//! States over time as bands: how long a value held, what it is called, and its colour.
//!
//! Invariant: a band begins at the message that brought the value; where several changes fall on one pixel, each state of it is among
//! the bands.

use std::collections::BTreeMap;

use egui::Color32;

use super::widget;
use crate::path::ItemKind;
use crate::store::{Series, Signal, Store, integer};
use crate::theme::{self, Palette};
use crate::time::{Span, Time};

/// A value as states tell it apart from others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct State {
    pub value: f64,
    /// What an integer is more than `value`, where that is too large for its last digits.
    pub rest: f64,
}

/// A state from one moment to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    pub from: Time,
    pub to: Time,
    pub state: State,
}

/// Those within the span, as many as can be told apart on so many pixels. The newest state holds on to the end of the recordings once
/// all is read, and until `known` before that.
pub fn bands(signal: &Signal, store: &Store, span: Span, columns: usize, known: Time) -> Vec<Band> {
    let Some(series) = signal.series(store) else { return Vec::new() };
    let mut bands: Vec<Band> = Vec::new();
    for (time, state) in states(signal, store, series, span, columns) {
        if let Some(last) = bands.last_mut() {
            last.to = time;
            if last.state == state {
                continue;
            }
        }
        bands.push(Band {
            from: time,
            to: time,
            state,
        });
    }
    if let Some(last) = bands.last_mut() {
        let end = store.span().map_or(known, |whole| whole.end);
        let is_read = last.to <= end && signal.is_complete(store, Span::new(last.to, end));
        last.to = last.to.max(if is_read { end } else { known });
    }
    bands.retain(|b| !b.state.value.is_nan());
    bands
}

fn states(signal: &Signal, store: &Store, series: &Series, span: Span, columns: usize) -> Vec<(Time, State)> {
    let points = series.decimated_states(span, columns);
    let Some(rest) = signal.rest(store) else {
        let state = |(time, value)| (time, State { value, rest: 0.0 });
        return points.into_iter().map(state).collect();
    };
    // either may change while the other stays
    let at = |time: Time| rest.value_at(time).unwrap_or(0.0);
    let mut states: Vec<(Time, State)> = points.into_iter().map(|(t, value)| (t, State { value, rest: at(t) })).collect();
    for (time, rest) in rest.decimated(span, columns).into_iter().filter(|p| !p.1.is_nan()) {
        states.extend(series.value_at(time).map(|value| (time, State { value, rest })));
    }
    states.sort_by_key(|(time, _)| *time);
    states
}

/// The state at `t`, where there is one.
pub fn at(signal: &Signal, store: &Store, t: Time) -> Option<State> {
    let value = signal.series(store)?.value_at(t)?;
    let rest = signal.rest(store).and_then(|rest| rest.value_at(t)).unwrap_or(0.0);
    Some(State { value, rest })
}

/// The text or the constant that the state stands for, else its value.
pub fn name_of(signal: &Signal, store: &Store, State { value, rest }: State) -> String {
    if let Some(text) = signal.series(store).and_then(|s| s.text_of(value)) {
        return match text.is_empty() {
            true => "“”".to_owned(),
            false => text.to_string(),
        };
    }
    // of a number that a table lacks
    if value.is_nan() && signal.program().is_some_and(|program| program.kind() != ItemKind::Float) {
        return "null".to_owned();
    }
    let program = signal.program();
    let column = program.and_then(|p| p.column()).map(|input| &input.column);
    let kind = program.map(|p| p.kind());
    match column.and_then(|c| c.name_of(integer(value, rest))) {
        Some(name) if value.fract() == 0.0 => name.to_owned(),
        _ if kind == Some(ItemKind::Bool) => if value == 0.0 { "false" } else { "true" }.to_owned(),
        _ if kind == Some(ItemKind::Int) => integer(value, rest).to_string(),
        _ => widget::number_text(value, 10),
    }
}

/// How the states of a lane look: as long as there are enough, each has a look of its own.
pub struct Colors(BTreeMap<(u64, u64), usize>);

impl Colors {
    /// `shown`: for states that only their rests tell apart.
    pub fn new(signal: &Signal, store: &Store, shown: &[Band]) -> Colors {
        let of_value = |value| State { value, rest: 0.0 };
        let known: Vec<State> = match signal.rest(store) {
            Some(_) => shown.iter().map(|band| band.state).collect(),
            None => signal
                .series(store)
                .and_then(Series::values)
                .into_iter()
                .flatten()
                .map(of_value)
                .collect(),
        };
        let mut keys: Vec<(u64, u64)> = known.into_iter().map(key).collect();
        // those that count from 1 keep the colours that they have everywhere
        keys.sort_unstable_by_key(|key| (small(state_of(*key)).is_none(), *key));
        keys.dedup();
        let mut looks = BTreeMap::new();
        let mut is_free = [true; 2 * theme::data::SHADES];
        for key in keys.into_iter().filter(|key| !is_off(state_of(*key))) {
            let wanted = preferred(state_of(key));
            let next = nearest(wanted)
                .find(|n| is_free.get(*n).copied().unwrap_or(false))
                .unwrap_or(wanted);
            if let Some(free) = is_free.get_mut(next) {
                *free = false;
            }
            looks.insert(key, next);
        }
        Colors(looks)
    }

    /// Off is quiet.
    pub fn of(&self, p: &Palette, state: State) -> Color32 {
        self.look(p, state).0
    }

    /// The same, and whether it is striped.
    pub fn look(&self, p: &Palette, state: State) -> (Color32, bool) {
        if is_off(state) {
            return (p.line, false);
        }
        theme::data::look(self.0.get(&key(state)).copied().unwrap_or_else(|| preferred_of_many(state)))
    }
}

/// All looks, that one first, then the plain colours, then those that are less easily told apart.
fn nearest(wanted: usize) -> impl Iterator<Item = usize> {
    const COUNT: usize = theme::data::COUNT;
    let tiers = 0..2 * theme::data::SHADES / COUNT;
    let turned = move |tier: usize| (0..COUNT).map(move |n| tier * COUNT + (wanted + n) % COUNT);
    std::iter::once(wanted).chain(tiers.flat_map(turned))
}

fn is_off(state: State) -> bool {
    state.value == 0.0
}

fn key(state: State) -> (u64, u64) {
    [state.value, state.rest].map(|v| (v + 0.0).to_bits()).into()
}

fn state_of(key: (u64, u64)) -> State {
    State {
        value: f64::from_bits(key.0),
        rest: f64::from_bits(key.1),
    }
}

/// Whole numbers from 1 on; texts are told apart by large ones.
fn small(State { value, .. }: State) -> Option<usize> {
    (value.fract() == 0.0 && value > 0.0 && value < 1e6).then_some(value as usize)
}

fn preferred(state: State) -> usize {
    match small(state) {
        Some(n) => (n - 1) % theme::data::SHADES,
        None => theme::data::index_of_name(&spelled(state)),
    }
}

/// Where there are more states than looks.
fn preferred_of_many(state: State) -> usize {
    match small(state) {
        Some(n) => (n - 1) % theme::data::SHADES,
        None => theme::data::look_of_name(&spelled(state)),
    }
}

fn spelled(State { value, rest }: State) -> String {
    match rest {
        0.0 => value.to_string(),
        rest => integer(value, rest).to_string(),
    }
}
