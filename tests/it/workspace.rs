//! Layout files: what this version does not know comes out as it went in; every built-in layout is read.

use roadreel::app::settings::{BUILT_IN_LAYOUTS, write_whole};
use roadreel::layout::{Layout, LayoutError, Node};
use roadreel::workspace::Workspace;
use serde_json::{Value, json};

/// Through the tree and back.
#[track_caller]
fn round_trip(given: &Value) -> Value {
    let layout = Layout::parse(&given.to_string()).unwrap();
    let written = Workspace::from_layout(&layout).to_layout().to_json();
    serde_json::from_str(&written).unwrap()
}

#[test]
fn unknown_panels_and_keys_survive() {
    let given = json!({
        "version": 2,
        "panels": {
            "a": {"kind": "hologram", "config": {"depth": 3}, "colour_of_tab": "red"},
            "b": {"kind": "hologram", "config": {"depth": 4}},
        },
        "root": {"split": "row", "gap": 12, "children": [
            {"share": 0.25, "tabs": ["a"], "active": 0, "pinned": true},
            {"share": 0.75, "tabs": ["b"], "active": 0},
        ]},
        "team": "perception",
    });
    assert_eq!(round_trip(&given), given);
}

#[test]
fn an_unknown_kind_of_node_survives() {
    let given = json!({
        "version": 2,
        "panels": {"a": {"kind": "hologram", "config": null}},
        "root": {"split": "column", "children": [
            {"share": 0.5, "tabs": ["a"], "active": 0},
            {"share": 0.5, "spiral": ["x", "y"]},
        ]},
    });
    assert_eq!(round_trip(&given), given);
}

#[test]
fn a_panel_that_stands_in_no_node_is_shown() {
    let layout = Layout::parse(r#"{"version":1,"panels":{"a":{"kind":"x"},"b":{"kind":"x"}},"root":{"tabs":["a"]}}"#).unwrap();
    let workspace = Workspace::from_layout(&layout);
    assert_eq!(workspace.visible().len(), 2);
}

#[test]
fn a_newer_version_is_opened_and_garbage_is_refused() {
    let newer = Layout::parse(r#"{"version":7,"panels":{}}"#).unwrap();
    assert!(newer.is_newer());
    assert_eq!(
        Workspace::from_layout(&newer).to_layout().version,
        7,
        "it stays the newer program's"
    );
    assert!(matches!(Layout::parse("{"), Err(LayoutError::Syntax(_))));
}

#[test]
fn built_in_layouts_are_read_whole() {
    for built_in in BUILT_IN_LAYOUTS {
        let (name, layout) = (built_in.name, Layout::parse(built_in.text).unwrap());
        assert!(!matches!(layout.root, None | Some(Node::Unknown(_))), "{name}");
        let workspace = Workspace::from_layout(&layout);
        assert_eq!(workspace.panes().len(), layout.panels.len(), "{name}");
        for pane in workspace.panes() {
            assert!(roadreel::workspace::kind(&pane.kind).is_some(), "{name}: {}", pane.kind);
        }
        let again = Workspace::from_layout(&workspace.to_layout()).to_layout();
        assert_eq!(again, workspace.to_layout(), "{name}");
    }
}

#[test]
fn a_file_is_replaced_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/layout.json");
    write_whole(&path, b"one").unwrap();
    write_whole(&path, b"two").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"two");
    let names: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!(names.len(), 1, "nothing is left beside it");
}

#[test]
fn what_lies_around_the_panels_survives() {
    let given = json!({
        "version": 2,
        "name": "perception",
        "panels": {"a": {"kind": "hologram", "config": null}, "b": {"kind": "hologram", "config": null}},
        "root": {"tabs": ["a"], "active": 0},
        "windows": [{"panel": "b", "size": [640.0, 480.0], "position": [12.0, 34.0], "on_top": true}],
        "playback": {"speed": 2.0, "loop": true, "pace": "steady"},
        "sidebars": {"left": true, "right": false, "left_width": 260.0, "theme": "dim"},
    });
    assert_eq!(round_trip(&given), given);
}

#[test]
fn values_that_no_panel_understands_survive_and_hide_nothing_else() {
    let given = json!({
        "version": 2,
        "panels": {
            "scene": {"kind": "scene3d", "config": {
                "topics": {
                    "/points": {"visible": true, "color": {"plasma": {"gamma": 2}}},
                    "/map": {"visible": false, "alpha": 0.5},
                },
                "follow": "orbiting",
                "frames": {"axes": false, "halo": 3},
                "camera": {"target": [1, 2, 3], "distance": 9, "yaw_degrees": 0, "pitch_degrees": 30, "top_down": false, "lens": "fisheye"},
            }},
            "image": {"kind": "image", "config": {"topic": "/camera", "range": {"mode": "logarithm", "base": 2}}},
            "plot": {"kind": "plot", "config": {"series": [{"path": "/a.x", "style": "ribbon"}, {"path": "/a.y"}], "y": {"mode": "sliding"}}},
            "raw": {"kind": "raw", "config": {"topic": "/a", "compare": {"with": "median", "of": 5}}},
        },
        "root": {"tabs": ["scene", "image", "plot", "raw"], "active": 0},
    });
    assert_eq!(round_trip(&given), given);
    let workspace = Workspace::from_layout(&Layout::parse(&given.to_string()).unwrap());
    let understood = |id: &str| workspace.pane(id).unwrap().panel.config();
    assert_eq!(understood("scene")["topics"].as_object().unwrap().len(), 2);
    assert_eq!(understood("scene")["topics"]["/map"]["alpha"], 0.5);
    assert_eq!(understood("scene")["frames"]["axes"], false);
    assert_eq!(understood("image")["topic"], "/camera");
    assert_eq!(understood("plot")["series"][1]["path"], "/a.y");
    assert_eq!(understood("raw")["topic"], "/a");
}
