//! The history of a layout against a plain list of layouts, and how its steps are called.

use proptest::prelude::*;
use roadreel::app::history::{History, Recorded};
use roadreel::layout::Layout;
use serde_json::json;

fn layout(value: &serde_json::Value) -> Layout {
    Layout::parse(&value.to_string()).unwrap()
}

fn plain() -> serde_json::Value {
    json!({
        "version": 1,
        "panels": {
            "plot": {"kind": "plot", "config": {"series": [{"path": "/a.x", "line_width": 1.5}], "legend": true}},
            "scene": {"kind": "scene3d", "config": {"topics": {"/points": {"visible": true}}, "camera": {"yaw": 0.0}}},
            "image": {"kind": "image", "config": {"topic": "/camera"}},
        },
        "root": {"split": "row", "children": [
            {"share": 0.5, "tabs": ["plot", "image"], "active": 0},
            {"share": 0.5, "tabs": ["scene"], "active": 0},
        ]},
        "variables": {"id": 3},
    })
}

fn recorded(layout: Layout, at_seconds: f64, goes_on: bool) -> Recorded {
    Recorded {
        layout,
        place: None,
        at_seconds,
        name: None,
        goes_on,
    }
}

#[test]
fn steps_are_called_as_a_person_would_call_them() {
    let cases = [
        ("/panels/plot/config/series/0/line_width", json!(3.0), "Changed Plot: line width"),
        ("/panels/plot/config/legend", json!(false), "Changed Plot: legend"),
        ("/panels/plot/config/series", json!([]), "Changed Plot: series"),
        ("/panels/scene/config/camera/yaw", json!(30.0), "Moved the 3D camera"),
        (
            "/panels/scene/config/topics/~1points/visible",
            json!(false),
            "Changed 3D: visible of /points",
        ),
        ("/panels/image/config/topic", json!("/thermal"), "Changed Image: topic"),
        ("/variables/id", json!(4), "Set $id"),
        ("/variables", json!({}), "Removed $id"),
        ("/root/children/0/share", json!(0.4), "Resized panels"),
        ("/root/split", json!("column"), "Moved panels"),
    ];
    for (pointer, value, name) in cases {
        let mut history = History::default();
        history.begin("Opened", layout(&plain()), None);
        let mut changed = plain();
        *changed.pointer_mut(pointer).unwrap() = value;
        assert!(history.record(recorded(layout(&changed), 100.0, false)));
        assert_eq!(history.undoes(), Some(name), "{pointer}");
    }
}

#[test]
fn what_goes_on_is_one_step_and_ends_with_a_pause() {
    let mut history = History::default();
    history.begin("Opened", layout(&plain()), None);
    let turned = |yaw: f64| {
        let mut changed = plain();
        changed["panels"]["scene"]["config"]["camera"]["yaw"] = json!(yaw);
        layout(&changed)
    };
    for at in 1..=5 {
        history.record(recorded(turned(f64::from(at)), 100.0 + f64::from(at), false));
    }
    assert_eq!(history.steps().len(), 2);
    history.record(recorded(turned(9.0), 110.0, false));
    assert_eq!(history.steps().len(), 3, "after a pause a new one begins");
    // turned back at once: as if nothing had been done
    history.record(recorded(turned(5.0), 110.5, false));
    assert_eq!((history.steps().len(), history.at()), (2, 1));
}

#[test]
fn clicks_on_one_setting_are_steps_of_their_own() {
    let mut history = History::default();
    history.begin("Opened", layout(&plain()), None);
    for (at, legend) in [false, true, false].into_iter().enumerate() {
        let mut changed = plain();
        changed["panels"]["plot"]["config"]["legend"] = json!(legend);
        history.record(recorded(layout(&changed), 100.0 + at as f64 / 10.0, false));
    }
    assert_eq!(history.steps().len(), 4);
}

#[test]
fn steps_and_what_they_hold_are_bounded() {
    let mut history = History::default();
    history.begin("Opened", layout(&plain()), None);
    let mut noted = plain();
    for number in 0..1000 {
        noted["variables"]["id"] = json!(number + 10);
        history.record(recorded(layout(&noted), f64::from(number) * 10.0, false));
    }
    assert!(history.steps().len() <= 300, "{}", history.steps().len());
    assert_eq!(history.at() + 1, history.steps().len());
    // half a megabyte each
    for number in 0..100 {
        noted["panels"]["image"]["config"]["note"] = json!(format!("{number}{}", "x".repeat(500_000)));
        history.record(recorded(layout(&noted), 20_000.0 + f64::from(number) * 10.0, false));
    }
    assert!(history.steps().len() <= 20, "{}", history.steps().len());
    let shown = history.present().unwrap().state.layout();
    assert_eq!(shown, layout(&noted), "the newest is whole");
}

#[derive(Clone, Debug)]
enum Act {
    /// Sets a key of a panel.
    Set(usize, u8),
    Remove(usize),
    Undo,
    Redo,
    GoTo(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (0..4usize, any::<u8>()).prop_map(|(panel, value)| Act::Set(panel, value)),
        1 => (0..4usize).prop_map(Act::Remove),
        3 => Just(Act::Undo),
        2 => Just(Act::Redo),
        1 => (0..12usize).prop_map(Act::GoTo),
    ];
    prop::collection::vec(act, 0..60)
}

proptest! {
    #[test]
    fn every_state_comes_back_as_it_was(acts in acts()) {
        let mut now = json!({"version": 1, "panels": {}});
        let mut history = History::default();
        history.begin("Opened", layout(&now), None);
        let (mut list, mut at) = (vec![now.clone()], 0);
        for (number, act) in acts.into_iter().enumerate() {
            match act {
                Act::Set(..) | Act::Remove(_) => {
                    let panels = now["panels"].as_object_mut().unwrap();
                    match act {
                        Act::Set(panel, value) => drop(panels.insert(format!("p{panel}"), json!({"kind": "note", "config": {"text": value}}))),
                        Act::Remove(panel) => drop(panels.shift_remove(&format!("p{panel}"))),
                        _ => {}
                    }
                    let changed = history.record(recorded(layout(&now), number as f64 * 10.0, false));
                    prop_assert_eq!(changed, now != list[at]);
                    if changed {
                        list.truncate(at + 1);
                        list.push(now.clone());
                        at += 1;
                    }
                }
                Act::Undo => at = at.saturating_sub(1),
                Act::Redo => at = (at + 1).min(list.len() - 1),
                Act::GoTo(to) => at = if to < list.len() { to } else { at },
            }
            history.go_to(at);
            now = list[at].clone();
            prop_assert_eq!(history.present().unwrap().state.layout(), layout(&now));
            prop_assert_eq!((history.at(), history.steps().len()), (at, list.len()));
        }
    }
}
