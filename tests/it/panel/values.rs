//! Gauges, indicators, notes and variables: single values at the playhead.

use egui::Theme;
use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;
use roadreel::panel::{Action, PanelState};
use roadreel::path::Literal;
use serde_json::{Value, json};

use super::drive;
use super::stage::{Stage, each_shape, show, show_settings};

fn gauge(config: Value) -> Stage {
    Stage::fleet("gauge", &config)
}

#[test]
fn a_gauge_follows_the_playhead() {
    let config = json!({ "path": "/speed.data", "label": "Speed", "unit": "m/s", "max": 40.0 });
    let mut harness = show(gauge(config), [240.0, 200.0], Theme::Dark);
    harness.get_by_role_and_label(Role::Meter, "Speed 20 m/s");
    harness.state_mut().now = drive::at(1_550_000_000);
    harness.run_ok();
    harness.get_by_role_and_label(Role::Meter, "Speed 30 m/s");
    assert_eq!(harness.state().state(), PanelState::Ready);
}

#[test]
fn a_gauge_of_two_colours_is_between_them() {
    let color = |reverse: bool| {
        let config = json!({ "path": "/speed.data", "min": 0.0, "max": 40.0, "shape": "bar", "coloring": "gradient",
            "gradient": ["#000000", "#ff8000"], "reverse": reverse });
        let harness = show(gauge(config), [240.0, 200.0], Theme::Dark);
        let mut fills = Vec::new();
        each_shape(&harness, &mut |shape| {
            if let egui::Shape::Rect(rect) = shape {
                fills.push(rect.fill);
            }
        });
        fills
    };
    // 20 of 40
    for reverse in [false, true] {
        let fills = color(reverse);
        let is_half = |fill: &egui::Color32| fill.r().abs_diff(128) <= 1 && fill.g().abs_diff(64) <= 1 && fill.b() == 0;
        assert!(fills.iter().any(is_half), "{fills:?}");
    }
}

#[test]
fn a_gauge_of_something_computed() {
    // twice the speed, less the number of the mode, which is 1 from the first second on
    let config = json!({ "path": "/speed.data * 2 - /mode.mode" });
    let harness = show(gauge(config), [240.0, 200.0], Theme::Light);
    harness.get_by_role_and_label(Role::Meter, "/speed.data * 2 - /mode.mode 39");
}

#[test]
fn what_a_gauge_cannot_show_is_told() {
    let text = show(gauge(json!({ "path": "/mode.text" })), [300.0, 200.0], Theme::Dark);
    text.get_by_label("/mode.text is a text: a gauge shows a number");
    let gone = show(gauge(json!({ "path": "/speed.nothing" })), [300.0, 200.0], Theme::Dark);
    assert!(matches!(gone.state().state(), PanelState::Failed(why) if why.contains("nothing")));
    let none = show(gauge(json!({ "path": "/never.data" })), [300.0, 200.0], Theme::Dark);
    assert!(matches!(none.state().state(), PanelState::Absent(_)), "{:?}", none.state().state());
}

#[test]
fn a_dropped_topic_gives_the_gauge_its_number() {
    let mut stage = gauge(Value::Null);
    assert!(stage.drop_topic("/speed"));
    assert_eq!(stage.panel.config()["path"], json!("/speed.data"));
    assert!(!stage.drop_topic("/tf"), "it has no single number");
}

#[test]
fn the_first_rule_that_holds_lights_the_lamp() {
    let rules = json!([
        { "operator": "==", "value": "MANUAL", "color": "warn", "text": "Driver" },
        { "operator": ">=", "value": "1", "color": "ok", "text": "Automatic" },
        { "operator": "==", "value": "AUTO", "color": "error", "text": "too late" },
    ]);
    let config = json!({ "path": "/mode.mode", "label": "Mode", "rules": rules });
    let mut harness = show(Stage::fleet("indicator", &config), [240.0, 160.0], Theme::Dark);
    harness.get_by_role_and_label(Role::Status, "Mode Automatic");
    harness.state_mut().now = drive::at(950_000_000);
    harness.run_ok();
    harness.get_by_role_and_label(Role::Status, "Mode Driver");
}

#[test]
fn lamps_know_flags_and_texts() {
    let flag = json!({ "path": "/mode.engaged", "rules": [{ "value": "true", "text": "On" }], "other_text": "Off" });
    show(Stage::fleet("indicator", &flag), [240.0, 160.0], Theme::Dark).get_by_label("/mode.engaged On");
    let text = json!({ "path": "/mode.text", "rules": [{ "operator": "contains", "value": "lane", "text": "Lane" }] });
    show(Stage::fleet("indicator", &text), [240.0, 160.0], Theme::Light).get_by_label("/mode.text Lane");
    let bare = json!({ "path": "/mode.mode" });
    show(Stage::fleet("indicator", &bare), [240.0, 160.0], Theme::Dark).get_by_label("/mode.mode AUTO");
}

#[test]
fn a_lamp_may_fill_its_panel_in_a_colour_of_ones_own() {
    let config = json!({ "path": "/mode.engaged", "style": "background", "rules": [{ "value": "true", "color": "#123456" }] });
    let mut harness = show(Stage::fleet("indicator", &config), [200.0, 140.0], Theme::Dark);
    let picture = harness.render().expect("a picture");
    assert_eq!(&picture.get_pixel(20, 20).0[..3], &[0x12, 0x34, 0x56]);
}

#[test]
fn rules_are_added_moved_and_removed() {
    let config = json!({ "path": "/mode.mode", "rules": [{ "text": "first" }, { "text": "second" }] });
    let mut harness = show_settings(Stage::fleet("indicator", &config));
    harness.get_by_label("Move rule 2 up").click();
    harness.run_ok();
    harness.get_by_label("Remove rule 2").click();
    harness.run_ok();
    harness.get_by_label("Add a rule").click();
    harness.run_ok();
    let config = harness.state().panel.config();
    let texts: Vec<&str> = config["rules"]
        .as_array()
        .expect("rules")
        .iter()
        .filter_map(|r| r["text"].as_str())
        .collect();
    assert_eq!(texts, ["second", ""]);
    assert!(harness.state().actions.iter().any(|a| matches!(a, Action::Changed)));
}

#[test]
fn a_note_is_markdown_and_is_edited_in_its_place() {
    let text = "# Night drive\n\nRain from *the second minute* on.\n\n- wipers\n- glare\n";
    let mut harness = show(Stage::fleet("note", &json!({ "text": text })), [360.0, 260.0], Theme::Dark);
    assert_eq!(harness.state().title(), "Night drive");
    harness.get_by_label_contains("Night drive");
    assert!(harness.query_by_label_contains("# Night").is_none(), "the mark is no text");
    harness.get_by_label_contains("glare");
    let mut empty = show(Stage::fleet("note", &Value::Null), [360.0, 260.0], Theme::Light);
    assert!(matches!(empty.state().state(), PanelState::Absent(_)));
    empty.get_by_label("Write a note").click();
    empty.run_ok();
    empty.get_by_label("Text of the note").click();
    empty.run_ok();
    empty.get_by_label("Text of the note").type_text("brakes late");
    empty.run_ok();
    empty.get_by_label("Done").click();
    empty.run_ok();
    assert_eq!(empty.state().panel.config()["text"], json!("brakes late"));
    assert_eq!(empty.state().title(), "brakes late");
    harness.run_ok();
}

/// Those that code blocks of notes draw to be copied are in no system's fonts for sure.
#[test]
fn glyphs_of_a_note_are_there_without_the_system_s_fonts() {
    let harness = show(
        Stage::fleet("note", &json!({ "text": "```\ncode\n```\n" })),
        [360.0, 260.0],
        Theme::Dark,
    );
    for glyph in ['🗐', '✔'] {
        let font = egui::FontId::proportional(13.0);
        assert!(harness.ctx.fonts_mut(|fonts| fonts.has_glyph(&font, glyph)), "{glyph}");
    }
}

/// What the panel set last, taken over into the store as the window does.
fn take_over(stage: &mut Stage) -> Option<(String, Option<Literal>)> {
    let last = stage.actions.drain(..).rev().find_map(|a| match a {
        Action::SetVariable { name, value } => Some((name, value)),
        _ => None,
    })?;
    stage.store.set_variable(&last.0, last.1.clone());
    Some(last)
}

#[test]
fn variables_are_added_typed_and_forgotten() {
    let mut harness = show(Stage::fleet("variables", &Value::Null), [420.0, 240.0], Theme::Dark);
    assert!(matches!(harness.state().state(), PanelState::Absent(_)));
    harness.get_by_label("Name of the new variable").click();
    harness.run_ok();
    harness.get_by_label("Name of the new variable").type_text("$id");
    harness.run_ok();
    harness.get_by_label("Add a variable").click();
    harness.run_ok();
    assert_eq!(take_over(harness.state_mut()), Some(("id".into(), Some(Literal::Int(0)))));
    harness.run_ok();
    let field = harness.get_by_label("Value of $id");
    field.click();
    harness.run_ok();
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::A);
    harness.run_ok();
    harness.get_by_label("Value of $id").type_text("2.5");
    harness.run_ok();
    harness.key_press(egui::Key::Enter);
    harness.run_ok();
    assert_eq!(take_over(harness.state_mut()), Some(("id".into(), Some(Literal::Float(2.5)))));
    harness.run_ok();
    assert_eq!(harness.state().state(), PanelState::Ready);
    harness.get_by_label("Forget $id").click();
    harness.run_ok();
    assert_eq!(take_over(harness.state_mut()), Some(("id".into(), None)));
}

#[test]
fn a_dropdown_offers_the_values_of_a_path_and_a_slider_steps() {
    let config = json!({ "controls": {
        "id": { "kind": "dropdown", "path": "/objects.objects[:].id" },
        "gap": { "kind": "slider", "min": 0.0, "max": 5.0, "step": 1.0 } } });
    let mut stage = Stage::fleet("variables", &config);
    stage.store.set_variable("id", Some(Literal::Int(40)));
    stage.store.set_variable("gap", Some(Literal::Int(2)));
    stage.now = drive::at(500_000_000);
    stage.settle();
    let mut harness = show(stage, [420.0, 240.0], Theme::Dark);
    harness.get_by_label("Value of $id").click();
    harness.run_ok();
    // the last comes half a second later: offered though it was not played yet
    for id in ["30", "20", "10"] {
        assert!(harness.query_by_role_and_label(Role::Button, id).is_some(), "{id} is offered");
    }
    harness.get_by_role_and_label(Role::Button, "20").click();
    harness.run_ok();
    assert_eq!(take_over(harness.state_mut()), Some(("id".into(), Some(Literal::Int(20)))));
    harness.get_by_role_and_label(Role::Slider, "Value of $gap").focus();
    harness.run_ok();
    harness.key_press(egui::Key::ArrowRight);
    harness.run_ok();
    assert_eq!(take_over(harness.state_mut()), Some(("gap".into(), Some(Literal::Int(3)))));
}

#[test]
fn other_panels_follow_a_variable() {
    let mut stage = gauge(json!({ "path": "/objects.objects[:]{id == $id}.position.x" }));
    let missing = |stage: &Stage| stage.state();
    stage.store.set_variable("id", Some(Literal::Int(30)));
    let mut harness = show(stage, [400.0, 200.0], Theme::Dark);
    assert_eq!(missing(harness.state()), PanelState::Ready);
    harness.get_by_label_contains("position.x 1");
    harness.state_mut().store.set_variable("id", Some(Literal::Int(10)));
    harness.run_ok();
    harness.get_by_label_contains("position.x 3");
    harness.state_mut().store.set_variable("id", None);
    harness.run_ok();
    assert!(matches!(harness.state().state(), PanelState::Failed(why) if why.contains("$id")));
}

#[test]
fn a_long_text_of_an_indicator_leaves_its_lamp_in_sight() {
    let rule = json!({ "operator": "!=", "value": "nothing", "color": "#ff00ff", "text": "a text that is long ".repeat(12) });
    let config = json!({ "path": "/mode.engaged", "rules": [rule] });
    let mut harness = show(Stage::fleet("indicator", &config), [240.0, 160.0], Theme::Dark);
    let picture = harness.render().expect("a picture");
    let lamp = picture.pixels().filter(|pixel| pixel.0 == [255, 0, 255, 255]).count();
    assert!(lamp > 20, "{lamp} pixels of it");
}
