//! Generated layouts of each dialect come out as they went in: straight, and through the window's tree and our own file.

use proptest::prelude::*;
use proptest::test_runner::Config;
use roadreel::layout::{Dialect, Layout};
use roadreel::workspace::Workspace;
use serde_json::{Map, Value, json};

use super::mapped::{RICH_PLOTJUGGLER, assert_effective, element, rich, rich_rviz};
use super::{exported, opened, with_panel};

/// Anything, in small.
fn any_json() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-1000i64..1000).prop_map(Value::from),
        (-1e6f64..1e6).prop_map(Value::from),
        "[a-z/$.: é]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::vec(("[a-zA-Z/:.~]{1,6}", inner), 0..3).prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
    .boxed()
}

/// A known panel with some of its keys, some with other values, and some that nobody knows.
fn config(dialect: Dialect) -> impl Strategy<Value = (String, Value)> {
    let known: Vec<(String, Value)> = rich()
        .into_iter()
        .filter(|(of, _, _)| *of == dialect)
        .map(|(_, id, config)| (id.split('!').next().unwrap().to_owned(), config))
        .chain(["NodePlayground", "Publish", "Audio", "PieChart", "Teleop"].map(|theirs| (theirs.to_owned(), json!({}))))
        .collect();
    let odd = proptest::collection::vec(("[a-zA-Z]{1,8}", any_json()), 0..3);
    (proptest::sample::select(known), any::<u64>(), odd, any_json()).prop_map(|((theirs, config), keep, odd, replaced)| {
        let mut kept: Map<String, Value> = Map::new();
        for (at, (key, value)) in config.as_object().unwrap().iter().enumerate() {
            match (keep >> (2 * at % 62)) & 3 {
                0 => {}
                1 => drop(kept.insert(key.clone(), replaced.clone())),
                _ => drop(kept.insert(key.clone(), value.clone())),
            }
        }
        kept.extend(odd);
        (theirs, Value::Object(kept))
    })
}

/// Ids into a tree; every few of them behind tabs.
fn tree(ids: Vec<String>, shape: Vec<u8>, configs: &mut Map<String, Value>) -> Value {
    let mut nodes: Vec<Value> = ids.into_iter().map(Value::from).collect();
    let mut shape = shape.into_iter().cycle();
    while nodes.len() > 1 {
        let bits = shape.next().unwrap_or(0);
        let at = usize::from(bits) % (nodes.len() - 1);
        let second = nodes.remove(at + 1);
        let first = std::mem::take(&mut nodes[at]);
        nodes[at] = if bits % 5 == 4 {
            let id = format!("Tab!t{}", configs.len());
            let tabs = json!([{"title": "one", "layout": first, "color": bits}, {"title": "two", "layout": second}]);
            configs.insert(id.clone(), json!({"activeTabIdx": bits % 2, "tabs": tabs}));
            id.into()
        } else {
            let mut node = json!({"direction": if bits.is_multiple_of(2) { "row" } else { "column" }, "first": first, "second": second});
            if !bits.is_multiple_of(3) {
                node["splitPercentage"] = json!(f64::from(bits % 90) + 5.123456789);
            }
            node
        };
    }
    nodes.pop().unwrap_or(Value::Null)
}

fn document(dialect: Dialect) -> impl Strategy<Value = Value> {
    let panels = proptest::collection::vec(config(dialect), 0..7);
    let shape = proptest::collection::vec(any::<u8>(), 8);
    let around = proptest::collection::vec(("[a-z]{1,3}", any_json()), 0..3);
    (panels, shape, around, proptest::option::of(1u64..19), any::<bool>(), 0.01f64..5.0).prop_map(
        move |(panels, shape, variables, version, orphan, speed)| {
            let mut configs = Map::new();
            let mut ids = Vec::new();
            for (at, (theirs, config)) in panels.into_iter().enumerate() {
                let id = format!("{theirs}!id{at}");
                // not all panels have been configured
                if at % 4 != 3 {
                    configs.insert(id.clone(), config);
                }
                ids.push(id);
            }
            if orphan {
                configs.insert("Plot!orphan".to_owned(), json!({"paths": []}));
            }
            let layout = tree(ids, shape, &mut configs);
            let key = if dialect == Dialect::Foxglove { "configById" } else { "savedProps" };
            let mut document = json!({
                key: configs,
                "layout": layout,
                "globalVariables": Value::Object(variables.into_iter().collect()),
                "userNodes": {"n": {"name": "/webviz_node/x", "sourceCode": "// \u{1F600}\nexport const inputs = [];"}},
                "playbackConfig": {"speed": speed, "messageOrder": "receiveTime"},
                "restrictedTopics": ["/secret"],
            });
            if let Some(version) = version.filter(|_| dialect == Dialect::Webviz) {
                document["version"] = version.into();
            }
            document
        },
    )
}

/// As the window keeps it.
fn through_the_window(layout: &Layout) -> Layout {
    let mut kept = Workspace::from_layout(layout).to_layout();
    (kept.variables, kept.playback) = (layout.variables.clone(), layout.playback.clone());
    Layout::parse(&kept.to_json()).unwrap()
}

#[track_caller]
fn survives(dialect: Dialect, document: &Value) {
    let layout = opened(&document.to_string()).layout;
    assert_eq!(exported(&layout, dialect), *document, "straight");
    assert_eq!(exported(&through_the_window(&layout), dialect), *document, "through the window");
}

#[track_caller]
fn effective(dialect: Dialect, theirs: &str, config: &Value) {
    let id = format!("{theirs}!a");
    let write = |config: &Value| with_panel(dialect, &id, config);
    let report = opened(&write(config)).report;
    for panel in &report.panels {
        assert_effective(config, "", panel, &write);
    }
}

/// Some plain values changed.
fn changed(mut document: Value, changes: &[(u16, Value)]) -> Value {
    fn leaves(value: &Value, at: String, out: &mut Vec<String>) {
        match value {
            Value::Object(map) => map
                .iter()
                .for_each(|(key, value)| leaves(value, format!("{at}/{}", key.replace('/', "~1")), out)),
            Value::Array(list) => list
                .iter()
                .enumerate()
                .for_each(|(n, value)| leaves(value, format!("{at}/{n}"), out)),
            _ => out.push(at),
        }
    }
    for (place, value) in changes {
        let mut all = Vec::new();
        leaves(&document, String::new(), &mut all);
        let Some(pointer) = all.get(usize::from(*place) % all.len().max(1)) else {
            continue;
        };
        *document.pointer_mut(pointer).unwrap() = value.clone();
    }
    document
}

#[track_caller]
fn kept(document: &Value, text: &str) {
    let layout = opened(text).layout;
    let own = through_the_window(&layout);
    assert_eq!(own.origin.unwrap().document, *document);
    assert_eq!(own.panels.len(), layout.panels.len());
}

proptest! {
    #![proptest_config(Config { cases: 96, max_shrink_iters: 200, failure_persistence: None, ..Config::default() })]

    #[test]
    fn webviz_layouts_survive(document in document(Dialect::Webviz)) {
        survives(Dialect::Webviz, &document);
    }

    #[test]
    fn foxglove_layouts_survive(document in document(Dialect::Foxglove)) {
        survives(Dialect::Foxglove, &document);
    }

    #[test]
    fn what_is_called_mapped_has_an_effect((theirs, config) in config(Dialect::Foxglove)) {
        effective(Dialect::Foxglove, &theirs, &config);
    }

    #[test]
    fn what_is_called_mapped_of_webviz_has_an_effect((theirs, config) in config(Dialect::Webviz)) {
        effective(Dialect::Webviz, &theirs, &config);
    }

    /// These are only read: their documents stay in our own file.
    #[test]
    fn displays_survive(changes in proptest::collection::vec((any::<u16>(), any_json()), 0..12)) {
        let view = json!({"Class": "rviz/Orbit", "Distance": 12, "Yaw": 1, "Target Frame": "base_link"});
        let document = changed(rich_rviz(view), &changes);
        kept(&document, &format!("# Visualization Manager:\n{document}"));
    }

    #[test]
    fn plots_survive(changes in proptest::collection::vec((any::<u16>(), "[a-z0-9/.; ]{0,8}".prop_map(Value::from)), 0..12)) {
        let document = opened(RICH_PLOTJUGGLER).layout.origin.unwrap().document;
        let document = changed(document, &changes);
        kept(&document, &element("root", &document));
    }

    /// What is written for another program is read as the same panels in the same places.
    #[test]
    fn layouts_change_programs_and_stay_what_they_are(document in document(Dialect::Webviz)) {
        let layout = opened(&document.to_string()).layout;
        let there = opened(&exported(&layout, Dialect::Foxglove).to_string()).layout;
        let kinds = |layout: &Layout| -> Vec<String> {
            let root = layout.root.iter().flat_map(|root| roadreel::layout::arrangement::panels(root));
            root.map(|id| layout.panels[id].kind.clone()).collect()
        };
        prop_assert_eq!(kinds(&layout), kinds(&there));
    }
}
