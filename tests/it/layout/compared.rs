//! Differences of layouts, and layouts that two people changed.

use roadreel::layout::{Change, Layout, Part, Take, diff, merge};
use serde_json::{Value, json};

fn layout(change: impl Fn(&mut Value)) -> Layout {
    let mut value = json!({
        "version": 2,
        "panels": {
            "speed": {"kind": "plot", "config": {"title": "Speed", "series": [{"path": "/a.x"}, {"path": "/b.x"}], "legend": true}},
            "raw": {"kind": "raw", "config": {"topic": "/a"}},
            "note": {"kind": "note", "config": {"text": "hello"}},
        },
        "root": {"split": "row", "children": [{"share": 0.5, "tabs": ["speed"]}, {"share": 0.5, "tabs": ["raw", "note"]}]},
        "variables": {"n": 1},
        "team": {"name": "a", "size": 3},
    });
    change(&mut value);
    Layout::parse(&value.to_string()).unwrap()
}

#[test]
fn a_difference_is_told_panel_by_panel() {
    let a = layout(|_| {});
    let b = layout(|value| {
        value["panels"]["speed"]["config"]["series"][1]["path"] = json!("/b.y");
        value["panels"]["speed"]["config"]["title"] = json!("Velocity");
        value["panels"].as_object_mut().unwrap().shift_remove("note");
        value["panels"]["map"] = json!({"kind": "map"});
        value["root"]["children"][0]["share"] = json!(0.7);
        value["root"]["children"][1] = json!({"share": 0.3, "tabs": ["raw", "map"]});
        value["variables"]["n"] = json!(2);
    });
    insta::assert_snapshot!(diff(&a, &b).text());
    assert!(diff(&a, &a).is_empty() && diff(&a, &a).text().is_empty());
}

#[test]
fn shares_that_are_rounded_and_splits_that_are_nested_are_no_difference() {
    let nested = layout(|value| {
        value["root"] = json!({"split": "row", "children": [
            {"share": 0.50001, "split": "row", "children": [{"share": 1.0, "tabs": ["speed"]}]},
            {"share": 0.49999, "tabs": ["raw", "note"]},
        ]});
    });
    assert!(diff(&layout(|_| {}), &nested).is_empty());
}

#[test]
fn changes_of_two_people_come_together() {
    let base = layout(|_| {});
    let mine = layout(|value| {
        value["panels"]["speed"]["config"]["title"] = json!("Velocity");
        value["panels"]["mine"] = json!({"kind": "log"});
        value["root"]["children"][1] = json!({"share": 0.5, "tabs": ["raw", "note", "mine"]});
    });
    let theirs = layout(|value| {
        value["panels"]["speed"]["config"]["legend"] = json!(false);
        value["panels"]["note"]["config"]["text"] = json!("good day");
        value["team"]["size"] = json!(4);
    });
    let merged = merge(&base, &mine, &theirs);
    assert_eq!(merged.clashes(), 0);
    let layout = merged.layout().unwrap();
    assert_eq!(layout.panels["speed"].config["title"], "Velocity");
    assert_eq!(layout.panels["speed"].config["legend"], false);
    assert_eq!(layout.panels["note"].config["text"], "good day");
    assert!(layout.panels.contains_key("mine"));
    assert_eq!(layout.root, mine.root);
    assert_eq!(layout.extra["team"], json!({"name": "a", "size": 4}));
}

#[test]
fn the_same_key_changed_twice_is_a_clash_and_a_choice() {
    let base = layout(|_| {});
    let mine = layout(|value| value["panels"]["note"]["config"]["text"] = json!("mine"));
    let theirs = layout(|value| {
        value["panels"]["note"]["config"]["text"] = json!("theirs");
        value["panels"]["raw"]["config"]["topic"] = json!("/b");
    });
    let mut merged = merge(&base, &mine, &theirs);
    assert_eq!(merged.clashes(), 1);
    let parts: Vec<&Part> = merged.parts.iter().map(|part| &part.part).collect();
    assert_eq!(parts, [&Part::Panel("note".into()), &Part::Panel("raw".into())]);
    assert!(matches!(&merged.parts[0].theirs, Some(Change::Changed(keys)) if keys[0].key == "/config/text"));
    assert_eq!(merged.layout().unwrap().panels["note"].config["text"], "mine");
    assert_eq!(merged.layout().unwrap().panels["raw"].config["topic"], "/b");
    merged.parts[0].take = Take::Theirs;
    merged.parts[1].take = Take::Mine;
    assert_eq!(merged.layout().unwrap().panels["note"].config["text"], "theirs");
    assert_eq!(merged.layout().unwrap().panels["raw"].config["topic"], "/a");
    let same = merge(&base, &mine, &mine);
    assert_eq!(same.clashes(), 0, "the same change is none");
}

#[test]
fn a_panel_that_one_closed_and_the_other_changed_stays() {
    let base = layout(|_| {});
    let closed = layout(|value| {
        value["panels"].as_object_mut().unwrap().shift_remove("note");
        value["root"]["children"][1] = json!({"share": 0.5, "tabs": ["raw"]});
    });
    let changed = layout(|value| value["panels"]["note"]["config"]["text"] = json!("changed"));
    for (mine, theirs) in [(&closed, &changed), (&changed, &closed)] {
        let merged = merge(&base, mine, theirs);
        assert_eq!(merged.clashes(), 1);
        assert_eq!(merged.layout().unwrap().panels["note"].config["text"], "changed");
    }
    let untouched = merge(&base, &closed, &base);
    assert!(!untouched.layout().unwrap().panels.contains_key("note"));
}

#[test]
fn both_may_move_panels_and_mine_is_kept() {
    let base = layout(|_| {});
    let share = |share: f64| {
        layout(move |value| {
            value["root"]["children"][0]["share"] = json!(share);
            value["root"]["children"][1]["share"] = json!(1.0 - share);
        })
    };
    let mut merged = merge(&base, &share(0.3), &share(0.8));
    assert_eq!(merged.clashes(), 1);
    assert_eq!(merged.layout().unwrap().root, share(0.3).root);
    merged.parts[0].take = Take::Theirs;
    assert_eq!(merged.layout().unwrap().root, share(0.8).root);
}
