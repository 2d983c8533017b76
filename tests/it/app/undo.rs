//! What is done to a layout is undone and done again: panels, arrangement, settings, cameras, variables; by keys, in the list, from
//! checkpoints, back to what is saved.

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable};
use serde_json::Value;

use super::window::*;

const COMMAND_SHIFT: Modifiers = Modifiers {
    shift: true,
    ..Modifiers::COMMAND
};

const TWO: &str = r#"{"version":1,"panels":{
    "scene":{"kind":"scene3d","config":{"topics":{"/os1_cloud_node/points":{},"/map":{}}}},
    "speed":{"kind":"gauge","config":{"path":"/vehicle/steering_report.speed","label":"Speed"}}},
    "root":{"split":"row","children":[{"share":0.5,"tabs":["scene"]},{"share":0.5,"tabs":["speed"]}]},
    "variables":{"limit":3}}"#;

fn undo(window: &mut Window) {
    key(window, Modifiers::COMMAND, Key::Z);
}

fn redo(window: &mut Window) {
    key(window, COMMAND_SHIFT, Key::Z);
}

/// Shows a page of the left sidebar.
pub fn page(window: &mut Window, name: &str) {
    window.get_by_role_and_label(Role::Tab, name).click();
    window.run_steps(4);
}

/// The rows of the list that is shown.
pub fn rows(window: &Window) -> Vec<String> {
    let rows = window.query_all_by_role(Role::ListItem);
    rows.filter_map(|row| row.accesskit_node().label()).collect()
}

/// The steps, the newest first.
fn steps(window: &mut Window) -> Vec<String> {
    page(window, "History");
    let steps = rows(window);
    page(window, "Topics");
    steps
}

fn config(window: &Window, id: &str) -> Value {
    window.state().layout().panels[id].config.clone()
}

#[test]
fn panels_are_closed_split_and_resized_and_all_of_it_undone() {
    let mut window = with(TWO);
    let before = window.state().layout();
    let tab = |window: &Window| window.get_by_role_and_label(Role::Tab, "Speed").rect();
    let edge = egui::pos2(tab(&window).left() - 1.0, tab(&window).bottom() + 100.0);
    drag(&mut window, edge, edge - egui::vec2(100.0, 0.0));
    let resized = window.state().layout();
    press(&mut window, "Split Speed downwards");
    press(&mut window, "Close 3D");
    let after = window.state().layout();
    assert_eq!(kinds(&window), ["gauge", "gauge"]);
    assert_eq!(steps(&mut window), ["Closed 3D", "Added Gauge", "Resized panels", "Opened"]);
    undo(&mut window);
    assert_eq!(kinds(&window), ["scene3d", "gauge", "gauge"]);
    undo(&mut window);
    assert_eq!(window.state().layout().root, resized.root);
    undo(&mut window);
    assert_eq!(window.state().layout(), before);
    undo(&mut window);
    assert_eq!(window.state().layout(), before, "there is nothing before the first");
    redo(&mut window);
    assert_eq!(window.state().layout().root, resized.root);
    key(&mut window, Modifiers::COMMAND, Key::Y);
    key(&mut window, Modifiers::COMMAND, Key::Y);
    assert_eq!(window.state().layout(), after);
    redo(&mut window);
    assert_eq!(window.state().layout(), after, "there is nothing after the last");
}

#[test]
fn something_new_takes_the_place_of_what_was_undone() {
    let mut window = with(TWO);
    press(&mut window, "Close 3D");
    undo(&mut window);
    press(&mut window, "Close Speed");
    redo(&mut window);
    assert_eq!(kinds(&window), ["scene3d"]);
    assert_eq!(steps(&mut window), ["Closed Gauge", "Opened"]);
}

#[test]
fn a_camera_that_is_turned_is_one_step() {
    let mut window = with(TWO);
    let before = config(&window, "scene");
    let tab = window.get_by_role_and_label(Role::Tab, "3D").rect();
    let at = egui::pos2(tab.left() + 200.0, tab.bottom() + 200.0);
    drag(&mut window, at, at + egui::vec2(80.0, 10.0));
    drag(&mut window, at, at + egui::vec2(10.0, 40.0));
    let turned = config(&window, "scene");
    assert_ne!(turned["camera"], before["camera"]);
    assert_eq!(steps(&mut window), ["Moved the 3D camera", "Opened"]);
    undo(&mut window);
    assert_eq!(config(&window, "scene"), before);
    redo(&mut window);
    assert_eq!(config(&window, "scene"), turned);
}

#[test]
fn settings_are_undone_but_a_field_undoes_what_is_typed_in_it() {
    let mut window = with(TWO);
    press(&mut window, "Settings of Speed");
    window.run_steps(20);
    let type_on = |window: &mut Window, letters: &str| {
        window.get_by_role_and_label(Role::TextInput, "Label").focus();
        window.run_steps(2);
        for letter in letters.chars() {
            window.event(egui::Event::Text(letter.into()));
            window.step();
        }
    };
    type_on(&mut window, "ometer");
    assert_eq!(config(&window, "speed")["label"], "Speedometer");
    // the field has the keyboard: its own undo
    undo(&mut window);
    assert_ne!(config(&window, "speed")["label"], "Speedometer");
    assert_eq!(kinds(&window).len(), 2);
    type_on(&mut window, " now");
    let typed = config(&window, "speed")["label"].clone();
    press(&mut window, "Hide settings");
    window.run_steps(30);
    assert_eq!(
        steps(&mut window),
        ["Changed Gauge: label", "Opened"],
        "all typing is one step: {typed}"
    );
    undo(&mut window);
    assert_eq!(config(&window, "speed")["label"], "Speed");
    redo(&mut window);
    assert_eq!(config(&window, "speed")["label"], typed);
}

#[test]
fn variables_are_undone() {
    let mut window = with(&TWO.replace("\"gauge\",\"config\":{", "\"variables\",\"config\":{"));
    let limit = |window: &Window| window.state().layout().variables.get("limit").cloned();
    assert_eq!(limit(&window), Some(3.into()));
    press(&mut window, "Forget $limit");
    assert_eq!(limit(&window), None);
    assert_eq!(steps(&mut window)[..1], ["Removed $limit"]);
    undo(&mut window);
    assert_eq!(limit(&window), Some(3.into()));
}

#[test]
fn playing_seeking_and_looking_around_are_no_steps() {
    let mut window = with(TWO);
    key(&mut window, Modifiers::NONE, Key::End);
    key(&mut window, Modifiers::NONE, Key::Home);
    key(&mut window, Modifiers::NONE, Key::Space);
    window.run_steps(20);
    key(&mut window, Modifiers::NONE, Key::Space);
    press(&mut window, "Maximise 3D");
    key(&mut window, Modifiers::NONE, Key::Escape);
    assert_eq!(steps(&mut window), ["Opened"]);
}

#[test]
fn the_list_and_checkpoints_lead_to_any_state() {
    let mut window = with(TWO);
    press(&mut window, "Split Speed downwards");
    page(&mut window, "History");
    window.get_by_role_and_label(Role::TextInput, "Name of the checkpoint").focus();
    window.step();
    window.event(egui::Event::Text("Two gauges".into()));
    window.run_steps(2);
    press(&mut window, "Add the checkpoint");
    press(&mut window, "Close 3D");
    window.get_by_role_and_label(Role::ListItem, "Opened").click();
    window.run_steps(3);
    assert_eq!(kinds(&window), ["scene3d", "gauge"]);
    assert_eq!(
        rows(&window),
        ["Closed 3D", "Added Gauge", "Opened"],
        "what comes after stays to be seen"
    );
    window.get_by_role_and_label(Role::Button, "Back to Two gauges").click();
    window.run_steps(3);
    assert_eq!(kinds(&window), ["scene3d", "gauge", "gauge"]);
    assert_eq!(rows(&window), ["Back to “Two gauges”", "Opened"]);
    press(&mut window, "Revert to saved");
    assert_eq!(kinds(&window), ["scene3d", "gauge"]);
    undo(&mut window);
    assert_eq!(kinds(&window), ["scene3d", "gauge", "gauge"], "reverting is a step too");
}
