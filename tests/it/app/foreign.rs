//! Layouts from elsewhere: dropped, pasted, from an address, of other programs; fitted to the recording; exported again. And those that
//! come with the program.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable};
use roadreel::app::Start;
use roadreel::app::settings::BUILT_IN_LAYOUTS;
use roadreel::format::Connection;
use roadreel::format::rosbag1::writer::{Compression, Writer};
use roadreel::layout::{Catalogue, CatalogueTopic, Dialect, Layout, Node, Tab};
use roadreel::panel::PanelState;
use roadreel::path::StepKind;
use roadreel::source::Location;
use roadreel::time::Time;
use serde_json::{Value, json};

use super::window::*;
use crate::server::{Behaviour, Server};

const WEBVIZ: &str = r#"{"layout":{"direction":"row","first":"RawMessages!a","second":"ImageViewPanel!b","splitPercentage":30},
    "savedProps":{"RawMessages!a":{"topicPath":"/gps/fix"},"ImageViewPanel!b":{"cameraTopic":"/flir_adk/thermal/image_raw","scale":0.2}},
    "globalVariables":{},"userNodes":{},"linkedGlobalVariables":[],"playbackConfig":{"speed":0.2},"version":16}"#;

fn paste(window: &mut Window, text: &str) {
    window.event(egui::Event::Paste(text.to_owned()));
    window.run_steps(2);
}

fn command(window: &mut Window, words: &str) {
    key(window, Modifiers::COMMAND, Key::K);
    window.event(egui::Event::Text(words.into()));
    window.run_steps(2);
    key(window, Modifiers::NONE, Key::Enter);
}

#[test]
fn a_pasted_layout_of_webviz_opens_with_a_report() {
    let mut window = opened_small();
    paste(&mut window, WEBVIZ);
    until(&mut window, "it is open", |w| kinds(w) == ["raw", "image"]);
    until(&mut window, "what became of it is told", |w| {
        w.query_by_label_contains("from Webviz").is_some()
    });
    window.run_steps(2);
    window.get_by_label_contains("ImageViewPanel");
    press(&mut window, "Done");
    assert!((window.state().playback.speed - 0.2).abs() < 1e-9);
    key(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(kinds(&window), ["raw"]);
}

#[test]
fn a_dropped_layout_opens_and_is_not_written_over_in_our_format() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("shared.json");
    std::fs::write(&path, WEBVIZ).unwrap();
    let mut window = window(Start {
        locations: vec![Location::Path(drive())],
        folders: Some(folders(&home)),
        ..Start::default()
    });
    settle(&mut window);
    window.input_mut().dropped_files.push(Arc::new(Dropped(path.clone())));
    window.step();
    until(&mut window, "it is open", |w| kinds(w) == ["raw", "image"]);
    window.run_steps(2);
    press(&mut window, "Done");
    key(&mut window, Modifiers::COMMAND, Key::S);
    let field = window.get_by_role_and_label(Role::TextInput, "Name of the layout");
    assert_eq!(field.value().as_deref(), Some("shared"));
    press(&mut window, "Save");
    until(&mut window, "it is saved", |w| w.query_by_label("Layout saved").is_some());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), WEBVIZ);
    assert!(home.path().join("config/layouts/shared.json").exists());
}

#[test]
fn a_dropped_layout_waits_for_a_recording() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shared.json");
    std::fs::write(&path, WEBVIZ).unwrap();
    let mut window = window(Start::default());
    window.input_mut().dropped_files.push(Arc::new(Dropped(path)));
    window.step();
    until(&mut window, "it is told", |w| w.query_by_label_contains("from Webviz").is_some());
    window.run_steps(2);
    press(&mut window, "Done");
    window.input_mut().dropped_files.push(Arc::new(Dropped(drive())));
    window.step();
    settle(&mut window);
    assert_eq!(kinds(&window), ["raw", "image"]);
}

#[test]
fn a_layout_opens_from_an_address_and_what_is_none_is_told() {
    let server = Server::start(Behaviour::default());
    server.put("team/shared.json", WEBVIZ.as_bytes().to_vec());
    server.put("team/notes.json", b"[1, 2".to_vec());
    let mut window = opened_small();
    for (name, is_layout) in [("notes", false), ("shared", true)] {
        command(&mut window, "open a layout");
        window.get_by_role_and_label(Role::TextInput, "Text or address of a layout").focus();
        window.step();
        window.event(egui::Event::Paste(server.url(&format!("team/{name}.json"))));
        window.run_steps(4);
        press(&mut window, "Open");
        match is_layout {
            true => until(&mut window, "it is open", |w| kinds(w) == ["raw", "image"]),
            false => until(&mut window, "it is told", |w| {
                w.query_by_label_contains("The layout could not be opened").is_some()
            }),
        }
    }
}

#[test]
fn a_long_text_that_is_pasted_opens_at_once_and_one_that_is_too_long_is_told() {
    let mut window = opened_small();
    for bytes in [300_000, 5 << 20] {
        command(&mut window, "open a layout");
        window.get_by_role_and_label(Role::TextInput, "Text or address of a layout").focus();
        window.step();
        let note = json!({"noteText": "x".repeat(bytes)});
        let text = json!({"configById": {"Note!a": note}, "layout": "Note!a"}).to_string();
        window.event(egui::Event::Paste(text));
        window.run_steps(2);
        if bytes < 1 << 20 {
            until(&mut window, "it is open", |w| kinds(w) == ["note"]);
            window.run_steps(2);
            press(&mut window, "Done");
        } else {
            until(&mut window, "it is told", |w| w.query_by_label_contains("5.00 MiB").is_some());
        }
    }
}

/// A layout whose topics are called otherwise.
fn other_names() -> String {
    json!({
        "version": 1,
        "panels": {
            "scene": {"kind": "scene3d", "config": {"topics": {"/lidar/points": {}}}},
            "speed": {"kind": "gauge", "config": {"path": "/car/steering_report.speed"}},
        },
        "root": {"split": "row", "children": [{"share": 0.5, "tabs": ["scene"]}, {"share": 0.5, "tabs": ["speed"]}]},
        "topics": {"/lidar/points": "sensor_msgs/PointCloud2", "/car/steering_report": "dbw_mkz_msgs/SteeringReport"},
    })
    .to_string()
}

fn config<'a>(layout: &'a Layout, id: &str) -> &'a Value {
    &layout.panels[id].config
}

#[test]
fn a_layout_with_other_names_is_fitted_in_one_step() {
    let mut window = opened_small();
    paste(&mut window, &other_names());
    until(&mut window, "it is offered", |w| {
        w.query_by_label("Fit the layout to the recording").is_some()
    });
    window.run_steps(3);
    window.get_by_label("/lidar/points");
    let combo = window.get_by_label("Instead of /lidar/points");
    assert_eq!(combo.accesskit_node().value().as_deref(), Some("/os1_cloud_node/points"));
    press(&mut window, "Change 2 names");
    let fitted = window.state().layout();
    assert!(
        config(&fitted, "scene")["topics"].get("/os1_cloud_node/points").is_some(),
        "{fitted:?}"
    );
    assert_eq!(config(&fitted, "speed")["path"], "/vehicle/steering_report.speed");
    key(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(config(&window.state().layout(), "speed")["path"], "/car/steering_report.speed");
    assert_eq!(kinds(&window), ["scene3d", "gauge"]);
}

#[test]
fn names_are_chosen_by_hand_and_kept_as_variables() {
    let mut window = opened_small();
    paste(&mut window, &other_names());
    until(&mut window, "it is offered", |w| {
        w.query_by_label("Fit the layout to the recording").is_some()
    });
    window.run_steps(3);
    window.get_by_label("Instead of /lidar/points").click();
    window.run_steps(3);
    window.get_all_by_label("Leave as it is").next().unwrap().click();
    window.run_steps(3);
    window.get_by_role_and_label(Role::CheckBox, "Save as variables").click();
    window.run_steps(2);
    press(&mut window, "Change 1 name");
    let fitted = window.state().layout();
    assert!(config(&fitted, "scene")["topics"].get("/lidar/points").is_some());
    let path = config(&fitted, "speed")["path"].as_str().unwrap().to_owned();
    assert!(path.starts_with('$') && path.ends_with(".speed"), "{path}");
    assert!(
        fitted.variables.values().any(|value| value == "/vehicle/steering_report"),
        "{:?}",
        fitted.variables
    );
    settle(&mut window);
    let view = window.state().view();
    let gauge = window.state().workspace.pane("speed").unwrap();
    assert_eq!(gauge.panel.state(&view), PanelState::Ready);
}

#[test]
fn a_layout_that_fits_asks_nothing() {
    let mut window = opened_small();
    paste(
        &mut window,
        &other_names().replace("/lidar", "/os1_cloud_node").replace("/car", "/vehicle"),
    );
    until(&mut window, "it is open", |w| kinds(w) == ["scene3d", "gauge"]);
    settle(&mut window);
    assert!(window.query_by_label("Fit the layout to the recording").is_none());
}

#[test]
fn a_layout_is_exported_to_every_program() {
    let mut window = opened_small();
    paste(&mut window, WEBVIZ);
    until(&mut window, "it is open", |w| kinds(w) == ["raw", "image"]);
    window.run_steps(2);
    press(&mut window, "Done");
    for dialect in [Dialect::Roadreel, Dialect::Webviz, Dialect::Foxglove] {
        command(&mut window, "export the layout");
        window
            .get_by_role_and_label(Role::Button, &format!("Copy as {}", dialect.name()))
            .click();
        window.step();
        let text = copied(&window).expect("a text");
        assert_eq!(Dialect::of(&text), Some(dialect), "{text}");
        window.run_steps(3);
    }
}

/// Brings the tab of this number to the front, everywhere.
fn bring_to_front(node: &mut Node, number: usize) {
    match node {
        Node::Split { children, .. } => children.iter_mut().for_each(|child| bring_to_front(&mut child.node, number)),
        Node::Tabs { tabs, active, .. } => {
            *active = number.min(tabs.len() - 1);
            for tab in tabs {
                if let Tab::Node(node) = tab {
                    bring_to_front(node, number);
                }
            }
        }
        Node::Unknown(_) => {}
    }
}

/// The window once everything is there that its panels in front show.
fn shown(recording: &Path, layout: Layout) -> Window {
    let mut window = window(Start {
        locations: vec![Location::Path(recording.to_owned())],
        layout: Some(layout),
        seek_to: Some(roadreel::time::When::Fraction(700_000_000)),
        ..Start::default()
    });
    settle(&mut window);
    for _ in 0..500 {
        if window.state().is_settled(true) {
            break;
        }
        window.state().executor.wait();
        window.step();
    }
    window.run_steps(3);
    window
}

#[test]
fn every_bundled_layout_shows_the_demo_drive() {
    for built_in in BUILT_IN_LAYOUTS {
        let layout = Layout::parse(built_in.text).unwrap();
        let mut seen = BTreeSet::new();
        // none has more tabs in one place
        for tab in 0..3 {
            let mut layout = layout.clone();
            bring_to_front(layout.root.as_mut().unwrap(), tab);
            let window = shown(&drive(), layout);
            let view = window.state().view();
            for pane in window.state().workspace.visible() {
                let state = pane.panel.state(&view);
                assert_eq!(state, PanelState::Ready, "{}: {}", built_in.name, pane.id);
                seen.insert(pane.id.clone());
            }
        }
        let all: BTreeSet<String> = layout.panels.keys().cloned().collect();
        assert_eq!(seen, all, "{}", built_in.name);
    }
}

/// A recording of a second with the numbers that a layout's plots are of.
fn plotted(layout: &Layout, folder: &Path) -> PathBuf {
    let mut fields: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for used in roadreel::layout::uses(layout) {
        let steps = used.path.expect("a path").steps;
        let StepKind::Field(name) = &steps[0].kind else {
            panic!("{}", used.name)
        };
        let field = match steps.len() {
            1 => format!("float64 {name}\n"),
            _ => format!("float64[1] {name}\n"),
        };
        fields.entry(used.name).or_default().insert(field);
    }
    let path = folder.join("plotted.bag");
    let mut bag = Writer::new(std::io::Cursor::new(Vec::new()), Compression::None).unwrap();
    let connect = |(topic, fields): (String, BTreeSet<String>)| {
        let id = bag.add_connection(&Connection {
            topic: topic.as_str().into(),
            type_name: "test_msgs/Numbers".into(),
            md5: "0".repeat(32).into(),
            definition: fields.iter().map(String::as_str).collect::<String>().into(),
            latching: false,
            callerid: None,
            bag: None,
        });
        (id, fields.len())
    };
    let connections: Vec<_> = fields.into_iter().map(connect).collect();
    for tick in 0..50_u32 {
        let time = Time::from_sec_nsec(1_600_000_000, 0).plus_nanos(i64::from(tick) * 20_000_000);
        for (id, count) in &connections {
            let message: Vec<u8> = (0..*count).flat_map(|_| (f64::from(tick) * 0.1).sin().to_le_bytes()).collect();
            bag.write(*id, time, &message).unwrap();
        }
    }
    std::fs::write(&path, bag.finish().unwrap().into_inner()).unwrap();
    path
}

/// As far as the drive has what they name: what other drives call otherwise is fitted. Plots get a recording of what they plot.
#[test]
fn every_sample_shows_what_the_recording_has() {
    let Some(folder) = crate::data::data("layouts") else { return };
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    let window = opened_small();
    let store = &window.state().store;
    let topics = store.topics().iter().map(|topic| CatalogueTopic {
        name: topic.name.to_string(),
        type_name: topic.type_name.to_string(),
        schema: topic.schema.clone(),
    });
    let catalogue = Catalogue {
        topics: topics.collect(),
        frames: Vec::new(),
    };
    for path in names {
        let layout = roadreel::layout::open(&std::fs::read_to_string(&path).unwrap()).unwrap().layout;
        let folder = tempfile::tempdir().unwrap();
        let window = match layout.panels.values().all(|panel| panel.kind == "plot") {
            true => shown(&plotted(&layout, folder.path()), layout.clone()),
            false => shown(&drive(), roadreel::layout::fit(&layout, &catalogue).apply(&layout)),
        };
        let view = window.state().view();
        let told = |pane: &roadreel::workspace::Pane| (pane.id.clone(), pane.panel.state(&view));
        let states: Vec<_> = window.state().workspace.visible().into_iter().map(told).collect();
        assert!(!states.is_empty(), "{path:?}");
        for (id, state) in &states {
            let is_fine = match state {
                PanelState::Ready | PanelState::Absent(_) | PanelState::Partial(_) => true,
                // of a kind that the drive has nothing like
                PanelState::Failed(why) => why.starts_with("the recording has no topic"),
                _ => false,
            };
            assert!(is_fine, "{path:?}: {id}: {state:?}");
        }
        // with a note where a field is called otherwise
        let is_shown = |state: &PanelState| matches!(state, PanelState::Ready | PanelState::Partial(_));
        assert!(states.iter().any(|(_, state)| is_shown(state)), "{path:?}: {states:?}");
    }
}

#[test]
fn what_was_fitted_is_saved_with_its_variables_and_types() {
    let home = tempfile::tempdir().unwrap();
    let mut window = at_home(&home);
    paste(&mut window, &other_names());
    until(&mut window, "it is offered", |w| {
        w.query_by_label("Fit the layout to the recording").is_some()
    });
    window.run_steps(3);
    window.get_by_role_and_label(Role::CheckBox, "Save as variables").click();
    window.run_steps(2);
    press(&mut window, "Change 2 names");
    key(&mut window, Modifiers::COMMAND, Key::S);
    until(&mut window, "it is saved", |w| w.query_by_label("Layout saved").is_some());
    let file = std::fs::read_dir(home.path().join("config/layouts"))
        .unwrap()
        .next()
        .expect("a file");
    let saved = Layout::parse(&std::fs::read_to_string(file.unwrap().path()).unwrap()).unwrap();
    assert_eq!(
        json!(saved.variables),
        json!({"lidar_points": "/os1_cloud_node/points", "car_steering_report": "/vehicle/steering_report"})
    );
    assert_eq!(config(&saved, "speed")["path"], "$car_steering_report.speed");
    assert!(config(&saved, "scene")["topics"].get("$lidar_points").is_some());
    assert_eq!(saved.topics["/os1_cloud_node/points"], "sensor_msgs/PointCloud2");
    assert_eq!(saved.topics["/vehicle/steering_report"], "dbw_mkz_msgs/SteeringReport");
}
