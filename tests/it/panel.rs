//! Panels as layouts and the store see them: every kind of the table keeps its configuration, unknown keys included.

use roadreel::panel::PANELS;
use serde_json::{Value, json};

/// Keys that some other version may have written.
fn with_unknown(mut config: Value) -> Value {
    if let Some(map) = config.as_object_mut() {
        map.insert("from_the_future".into(), json!({ "deep": [1, "two", null] }));
    }
    config
}

#[test]
fn kinds_are_told_apart() {
    for (i, kind) in PANELS.iter().enumerate() {
        assert!(
            !kind.id.is_empty() && !kind.name.is_empty() && !kind.what.is_empty() && !kind.icon.is_empty(),
            "{}",
            kind.id
        );
        assert!(
            PANELS.iter().skip(i + 1).all(|other| other.id != kind.id),
            "two kinds are called {}",
            kind.id
        );
    }
}

#[test]
fn configurations_survive_with_unknown_keys() {
    for kind in PANELS {
        let default = (kind.create)(&Value::Null).config();
        assert!(default.is_object(), "{}: {default}", kind.id);
        let given = with_unknown(default);
        let kept = (kind.create)(&given).config();
        assert_eq!(kept, given, "{}", kind.id);
        assert_eq!((kind.create)(&kept).config(), kept, "{}", kind.id);
    }
}

#[test]
fn a_wrong_value_costs_only_itself() {
    for kind in PANELS {
        let default = (kind.create)(&Value::Null).config();
        for (key, _) in default.as_object().into_iter().flatten() {
            let mut broken = with_unknown(default.clone());
            broken[key] = json!({ "nothing": "of this kind" });
            let kept = (kind.create)(&broken).config();
            assert_eq!(kept["from_the_future"], broken["from_the_future"], "{}: {key}", kind.id);
            assert!(kept.get(key).is_some(), "{}: {key}", kind.id);
        }
    }
}

#[test]
fn nested_unknown_keys_survive() {
    let given = json!({ "series": [{ "path": "/imu.x", "glow": true }] });
    let kind = PANELS.iter().find(|k| k.id == "plot").expect("the plot");
    let kept = (kind.create)(&given).config();
    assert_eq!(kept["series"][0]["glow"], json!(true));
    assert_eq!(kept["series"][0]["path"], json!("/imu.x"));
}
