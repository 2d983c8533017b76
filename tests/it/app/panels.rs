//! Panels in the window: split, tab, move, resize, maximise, pop out, add; layouts kept and restored.

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use roadreel::app::Start;
use roadreel::source::Location;
use roadreel::workspace::Layout;

use super::window::*;

/// Two raw panels side by side.
const TWO: &str = r#"{"version":1,"panels":{
    "left":{"kind":"image","config":{"topic":"/flir_adk/thermal/image_raw"}},
    "right":{"kind":"raw","config":{"topic":"/gps/fix"}}},
    "root":{"split":"row","children":[{"share":0.5,"tabs":["left"]},{"share":0.5,"tabs":["right"]}]}}"#;

fn with(layout: &str) -> Window {
    let mut window = window(Start {
        locations: vec![Location::Path(drive())],
        layout: Some(Layout::parse(layout).unwrap()),
        ..Start::default()
    });
    settle(&mut window);
    window
}

fn tab(window: &Window, title: &str) -> egui::Rect {
    window.get_by_role_and_label(Role::Tab, title).rect()
}

#[test]
fn opens_and_arranges_panels_from_the_topics() {
    let window = opened();
    let kinds = kinds(&window);
    for kind in ["scene3d", "image", "plot", "raw"] {
        assert!(kinds.iter().any(|k| k == kind), "{kind} in {kinds:?}");
    }
    topic(&window, "/imu_raw");
    let view = window.state().view();
    for pane in window.state().workspace.visible() {
        let state = pane.panel.state(&view);
        assert!(!matches!(state, roadreel::panel::PanelState::Failed(_)), "{}: {state:?}", pane.id);
    }
}

#[test]
fn splits_closes_and_adds_panels() {
    let mut window = opened();
    let before = kinds(&window).len();
    press(&mut window, "Split 3D to the right");
    assert_eq!(kinds(&window).len(), before + 1);
    window.get_all_by_role_and_label(Role::Button, "Close 3D").next().unwrap().click();
    window.run_steps(3);
    assert_eq!(kinds(&window).len(), before);
    window.get_by_label_contains("Add panel").click();
    window.run_steps(2);
    window.get_by_label_contains("Plot").click();
    window.run_steps(3);
    assert_eq!(kinds(&window).len(), before + 1);
}

#[test]
fn a_topic_is_added_by_a_double_click() {
    let mut window = with(TWO);
    let row = topic(&window, "/diagnostics");
    double_click_at(&mut window, row.center());
    assert_eq!(kinds(&window).len(), 3);
}

#[test]
fn a_topic_is_dragged_onto_a_panel() {
    let mut window = with(TWO);
    let from = topic(&window, "/imu_raw").center();
    let onto = tab(&window, "Raw messages").center() + egui::vec2(60.0, 200.0);
    drag(&mut window, from, onto);
    assert_eq!(kinds(&window).len(), 2, "the panel took it");
    settle(&mut window);
    window.get_by_label_contains("sensor_msgs/Imu");
}

#[test]
fn a_topic_is_dragged_onto_tabs_and_into_a_gap() {
    let mut window = with(TWO);
    let from = topic(&window, "/imu_raw").center();
    let bar = tab(&window, "Raw messages").center();
    drag(&mut window, from, bar);
    settle(&mut window);
    assert_eq!(kinds(&window).len(), 3);
    assert_eq!(
        window.state().workspace.visible().len(),
        2,
        "the new panel is behind a tab of the old one's group"
    );
    assert_eq!(
        tab(&window, "Raw messages").top(),
        bar.y - tab(&window, "Raw messages").height() / 2.0
    );
    // the lower edge of the other panel: a new one below it
    let from = topic(&window, "/imu_raw").center();
    let other = tab(&window, "thermal");
    let lanes = window.state().workspace.visible().len();
    drag(&mut window, from, egui::pos2(other.left() + 5.0, other.bottom() + 150.0));
    settle(&mut window);
    assert_eq!(kinds(&window).len(), 4);
    assert_eq!(window.state().workspace.visible().len(), lanes + 1, "it has a place of its own");
    assert!(
        tab(&window, "thermal").left() > other.left() + 100.0,
        "the old one gave way to the right"
    );
}

#[test]
fn a_panel_is_moved_into_the_tabs_of_another() {
    let mut window = with(TWO);
    let from = tab(&window, "thermal").center();
    let onto = tab(&window, "Raw messages").center();
    drag(&mut window, from, onto);
    settle(&mut window);
    let (a, b) = (tab(&window, "thermal"), tab(&window, "Raw messages"));
    assert_eq!(a.top(), b.top());
    assert!((a.left() - b.left()).abs() < 300.0, "one bar holds both: {a:?} {b:?}");
    assert_eq!(window.state().workspace.visible().len(), 1);
    window.get_by_role_and_label(Role::Tab, "thermal").click();
    window.run_steps(3);
    assert_eq!(window.state().workspace.visible()[0].kind, "image");
}

#[test]
fn the_edge_between_two_panels_is_dragged() {
    let mut window = with(TWO);
    let before = tab(&window, "Raw messages").left();
    let edge = egui::pos2(before - 1.0, tab(&window, "Raw messages").bottom() + 100.0);
    drag(&mut window, edge, edge - egui::vec2(120.0, 0.0));
    let moved = before - tab(&window, "Raw messages").left();
    assert!((100.0..140.0).contains(&moved), "{moved}");
    assert!(window.state().workspace.edited);
}

#[test]
fn a_panel_fills_the_window_and_goes_back() {
    let mut window = with(TWO);
    press(&mut window, "Maximise thermal");
    assert!(window.query_by_role_and_label(Role::Tab, "Raw messages").is_none());
    key(&mut window, Modifiers::NONE, Key::Escape);
    window.get_by_role_and_label(Role::Tab, "Raw messages");
    let at = tab(&window, "thermal").center();
    double_click_at(&mut window, at);
    assert!(window.query_by_role_and_label(Role::Tab, "Raw messages").is_none());
    press(&mut window, "Back into the layout");
    window.get_by_role_and_label(Role::Tab, "Raw messages");
}

#[test]
fn a_panel_moves_to_a_window_of_its_own_and_back() {
    let mut window = with(TWO);
    press(&mut window, "Move thermal to its own window");
    window.run_steps(3);
    assert!(window.query_by_role_and_label(Role::Tab, "thermal").is_none());
    assert_eq!(kinds(&window).len(), 2, "it is still there");
    let kept = window.state().layout().to_json();
    assert!(kept.contains("\"windows\""), "{kept}");
    press(&mut window, "Back into the layout");
    window.get_by_role_and_label(Role::Tab, "thermal");
}

#[test]
fn settings_of_a_panel_are_shown_beside_it() {
    let mut window = with(TWO);
    press(&mut window, "Settings of thermal");
    assert!(window.query_all_by_label("Brightness").next().is_some());
    key(&mut window, Modifiers::NONE, Key::CloseBracket);
    window.run_steps(20);
    assert!(window.query_all_by_label("Brightness").next().is_none());
}

#[test]
fn without_panels_one_button_arranges_them() {
    let mut window = with(TWO);
    press(&mut window, "Close thermal");
    press(&mut window, "Close Raw messages");
    window.get_by_label("No panels");
    press(&mut window, "Arrange automatically");
    settle(&mut window);
    assert!(kinds(&window).len() > 3);
}

#[test]
fn the_layout_is_kept_and_restored() {
    let home = tempfile::tempdir().unwrap();
    let start = || Start {
        locations: vec![Location::Path(drive())],
        folders: Some(folders(&home)),
        ..Start::default()
    };
    let mut first = window(start());
    settle(&mut first);
    let before = kinds(&first).len();
    press(&mut first, "Close 3D");
    first.state_mut().keep_layout();
    let kept = kinds(&first);
    assert_eq!(kept.len(), before - 1);
    let mut second = window(start());
    settle(&mut second);
    assert_eq!(kinds(&second), kept);
}

#[test]
fn a_layout_is_saved_where_it_came_from_with_what_this_version_does_not_know() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("team.json");
    let given = r#"{"version":1,"team":"perception","panels":{
        "thermal":{"kind":"image","config":{"topic":"/flir_adk/thermal/image_raw","glow":7}},
        "future":{"kind":"hologram","config":{"depth":3}}},
        "root":{"split":"row","children":[{"share":0.5,"tabs":["thermal"]},{"share":0.5,"tabs":["future"]}]}}"#;
    let mut window = window(Start {
        locations: vec![Location::Path(drive())],
        layout: Some(Layout::parse(given).unwrap()),
        layout_path: Some(path.clone()),
        ..Start::default()
    });
    settle(&mut window);
    window.get_by_label_contains("no panel “hologram” in this version");
    press(&mut window, "Split thermal to the right");
    key(&mut window, Modifiers::COMMAND, Key::S);
    window.get_by_label("Layout saved");
    let saved: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(saved["team"], "perception");
    assert_eq!(saved["panels"]["future"]["config"]["depth"], 3);
    assert_eq!(saved["panels"]["thermal"]["config"]["glow"], 7);
    assert_eq!(saved["panels"].as_object().unwrap().len(), 3);
    let beside = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(beside, 1, "nothing is left beside it");
}

#[test]
fn after_a_lost_device_the_window_is_as_it_was() {
    let mut before = with(TWO);
    press(&mut before, "Split thermal downwards");
    key(&mut before, Modifiers::NONE, Key::End);
    let mut after = window(before.state().to_start());
    settle(&mut after);
    assert_eq!(after.state().playback.now, before.state().playback.now);
    assert_eq!(after.state().layout(), before.state().layout());
    assert_eq!(kinds(&after).len(), 3);
}
