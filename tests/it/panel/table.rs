//! Tables of an array's elements and of all messages of a topic.

use egui::Theme;
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use roadreel::panel::{Action, PanelState};
use serde_json::{Value, json};

use super::drive;
use super::stage::{Stage, each_shape, right_click, show, show_settings};
use crate::encode::Encoder;

fn table(config: Value) -> Harness<'static, Stage> {
    show(Stage::fleet("table", &config), [900.0, 420.0], Theme::Dark)
}

fn objects(more: Value) -> Harness<'static, Stage> {
    let mut config = json!({ "path": "/objects.objects[:]" });
    for (key, value) in more.as_object().into_iter().flatten() {
        config[key] = value.clone();
    }
    table(config)
}

/// The rows from the top, as screen readers say them.
fn rows(harness: &Harness<'_, Stage>) -> Vec<String> {
    let rows = harness.query_all_by_role(Role::Row);
    let mut rows: Vec<(f32, String)> = rows
        .filter_map(|row| Some((row.rect().top(), row.accesskit_node().label()?)))
        .collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    rows.into_iter().map(|r| r.1).collect()
}

#[test]
fn an_array_at_the_playhead_is_a_row_an_element() {
    let mut harness = objects(Value::Null);
    assert_eq!(harness.state().state(), PanelState::Ready);
    insta::assert_snapshot!(rows(&harness).join("\n"), @r#"
    40 KIND_CAR (1) car x 0  y 0 [100, 0]
    30 KIND_PERSON (4) person, "walking" x 1  y -1 [100, 1]
    20 KIND_CAR (1) car x 2  y -2 [100, 2]
    10 KIND_CAR (1) car x 3  y -3 [100, 3]
    "#);
    harness.get_by_label("4 rows");
    harness.state_mut().now = drive::at(950_000_000);
    harness.run_ok();
    harness.get_by_label("3 rows");
}

#[test]
fn heads_sort_up_then_down_then_not() {
    let mut harness = objects(Value::Null);
    let ids = |harness: &Harness<'_, Stage>| -> Vec<String> {
        let first = |row: &String| row.split(' ').next().unwrap_or_default().to_owned();
        rows(harness).iter().map(first).collect()
    };
    for expected in [["10", "20", "30", "40"], ["40", "30", "20", "10"], ["40", "30", "20", "10"]] {
        harness.get_by_label("Sort by id").click();
        harness.run_ok();
        assert_eq!(ids(&harness), expected);
    }
    assert_eq!(harness.state().panel.config().get("sort"), None);
    harness.get_by_label("Sort by label").click();
    harness.run_ok();
    assert_eq!(ids(&harness), ["40", "20", "10", "30"], "equal rows keep their order");
}

#[test]
fn the_filter_looks_into_every_field() {
    let mut harness = objects(json!({ "hidden": ["label"] }));
    harness.get_by_label("Filter rows").click();
    harness.run_ok();
    harness.get_by_label("Filter rows").type_text("walking person");
    harness.run_ok();
    harness.get_by_label("1 of 4 rows");
    assert_eq!(
        rows(&harness),
        ["30 KIND_PERSON (4) x 1  y -1 [100, 1]"],
        "a hidden column is no column, but found"
    );
    harness.get_by_label("Filter rows").type_text(" nobody");
    harness.run_ok();
    harness.get_by_label("None of 4 rows passes the filter");
}

#[test]
fn the_filter_compares_columns() {
    for (filter, ids) in [
        ("id >= 30", &["40", "30"][..]),
        ("id>10 position.y<-0.5", &["30", "20"]),
        ("kind == KIND_CAR id != 40", &["20", "10"]),
        ("label != car", &["30"]),
        ("id < 50 person", &["30"]),
        ("speed > 5", &[]),
    ] {
        let harness = objects(json!({ "filter": filter }));
        let shown = rows(&harness);
        let shown: Vec<&str> = shown.iter().filter_map(|row| row.split(' ').next()).collect();
        assert_eq!(shown, ids, "{filter}");
    }
}

#[test]
fn times_and_coordinates_are_written_in_full() {
    let numbers = |values: [f64; 4]| values.iter().fold(Encoder::new(), |e, value| e.raw(&value.to_le_bytes()));
    let messages = [(0, numbers([1_600_000_006.491, -122.083_921_5, 12.3_f32.into(), 1.2e-9]))];
    let (folder, path) = drive::one_topic(
        "/fixes",
        "test_msgs/Fix",
        "float64 time\nfloat64 longitude\nfloat64 narrow\nfloat64 tiny\n",
        messages.into_iter(),
    );
    let mut stage = Stage::open("table", &json!({ "path": "/fixes" }), path);
    stage.keep(folder);
    let harness = show(stage, [900.0, 200.0], Theme::Dark);
    assert_eq!(rows(&harness), ["1600000006.491 -122.0839215 12.3 0.0000000012"]);
}

#[test]
fn structures_open_into_columns() {
    let mut harness = objects(json!({ "open": ["position"], "sort": { "column": "position.y" } }));
    harness.get_by_label("Sort by position.x");
    assert_eq!(rows(&harness)[0], "10 KIND_CAR (1) car 3 -3 [100, 3]");
    // the caret before the first of its columns closes them
    let head = harness.get_by_label("Sort by position.x").rect();
    harness.hover_at(head.left_center() + egui::vec2(5.0, 0.0));
    for pressed in [true, false] {
        harness.event(egui::Event::PointerButton {
            pos: head.left_center() + egui::vec2(5.0, 0.0),
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: egui::Modifiers::NONE,
        });
    }
    harness.run_ok();
    assert_eq!(harness.state().panel.config()["open"], json!([]));
    harness.get_by_label("Sort by position");
}

#[test]
fn columns_are_chosen_in_the_settings() {
    let mut stage = Stage::fleet("table", &json!({ "path": "/objects.objects[:]" }));
    // what columns there are, the first pass tells
    stage = {
        let mut harness = show(stage, [400.0, 300.0], Theme::Dark);
        harness.run_ok();
        harness.into_state()
    };
    let mut harness = show_settings(stage);
    harness.get_by_label("history").click();
    harness.run_ok();
    harness.get_by_label("Open").click();
    harness.run_ok();
    let config = harness.state().panel.config();
    assert_eq!((&config["hidden"], &config["open"]), (&json!(["history"]), &json!(["position"])));
}

#[test]
fn a_row_unfolds_into_all_its_fields() {
    let mut harness = objects(Value::Null);
    harness.get_by_label_contains("30 KIND_PERSON").click();
    harness.run_ok();
    harness.get_by_label("Selected row");
    harness.get_by_label("label “person, \\\"walking\\\"”");
    // the same element of another message
    harness.state_mut().now = drive::at(550_000_000);
    harness.run_ok();
    harness.get_by_label("position.x 0.5");
}

#[test]
fn every_message_is_a_row_that_seeks() {
    let mut harness = table(json!({ "path": "/mode", "rows": "recording" }));
    assert_eq!(harness.state().state(), PanelState::Ready);
    harness.get_by_label("20 rows");
    let all = rows(&harness);
    assert!(all.contains(&"+0.900 s MANUAL (0) false by hand".to_owned()), "{all:#?}");
    assert!(all.contains(&"+1.000 s AUTO (1) true lane keeping".to_owned()), "{all:#?}");
    harness.get_by_label("+0.900 s MANUAL (0) false by hand").click();
    harness.run_ok();
    assert!(
        harness
            .state()
            .actions
            .iter()
            .any(|a| matches!(a, Action::Seek(t) if *t == drive::at(900_000_000))),
        "a click goes there"
    );
    assert!(harness.state().actions.iter().any(|a| matches!(a, Action::Hover(Some(_)))));
}

#[test]
fn arrays_of_all_messages_and_filters_in_paths() {
    let harness = table(
        json!({ "path": "/objects.objects[:]{kind == KIND_PERSON}.position", "rows": "recording",
        "sort": { "column": "x", "descending": true } }),
    );
    harness.get_by_label("20 rows");
    assert_eq!(rows(&harness)[0], "+1.900 s 1.9 -1");
    let whole = table(json!({ "path": "/objects.objects", "rows": "recording" }));
    whole.get_by_label("70 rows");
}

#[test]
fn csv_holds_every_leaf_of_the_rows_that_are_shown() {
    let mut harness = objects(json!({ "filter": "car", "sort": { "column": "id" }, "hidden": ["history"] }));
    harness.get_by_label("Save as CSV…").click();
    harness.run_ok();
    insta::assert_snapshot!(harness.state().saved().expect("a file"), @r"
    id,kind,label,position.x,position.y
    10,1,car,3,-3
    20,1,car,2,-2
    40,1,car,0,-0
    ");
    let mut all = table(json!({ "path": "/objects.objects[1].label", "rows": "recording" }));
    all.get_by_label("Save as CSV…").click();
    all.run_ok();
    let text = all.state().saved().expect("a file");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines.len(), lines[0]), (21, "time_ns,value"));
    assert_eq!(lines[1], r#"1600000000000000000,"person, ""walking""""#);
}

#[test]
fn what_has_no_rows_is_told() {
    let empty = table(Value::Null);
    assert!(matches!(empty.state().state(), PanelState::Absent(_)));
    let gone = table(json!({ "path": "/objects.things[:]" }));
    assert!(matches!(gone.state().state(), PanelState::Failed(why) if why.contains("things")));
    let computed = table(json!({ "path": "/speed.data + 1" }));
    assert!(matches!(computed.state().state(), PanelState::Failed(why) if why.contains("computed")));
    let never = table(json!({ "path": "/never" }));
    assert!(matches!(never.state().state(), PanelState::Absent(why) if why.contains("/never")));
    let large = show(
        Stage::new("table", &json!({ "path": "/long", "rows": "recording" })),
        [500.0, 300.0],
        Theme::Dark,
    );
    large.get_by_label("2 rows");
}

#[test]
fn a_dropped_topic_shows_its_first_array_of_structures() {
    let mut stage = Stage::fleet("table", &Value::Null);
    assert!(stage.drop_topic("/objects"));
    assert_eq!(stage.panel.config()["path"], json!("/objects.objects[:]"));
    assert!(stage.drop_topic("/speed"));
    assert_eq!(
        (&stage.panel.config()["path"], &stage.panel.config()["rows"]),
        (&json!("/speed"), &json!("recording"))
    );
}

/// Columns of equal pixels around a row's middle: where it is coloured, and with what.
fn colors_of(harness: &mut Harness<'static, Stage>, row: &str) -> Vec<[u8; 3]> {
    harness.hover_at(egui::pos2(1.0, 1.0));
    harness.run_ok();
    let rect = harness.get_by_role_and_label(Role::Row, row).rect();
    let picture = harness.render().expect("a picture");
    // beside the texts: a few points above the row's lower edge
    let y = (rect.bottom() - 3.0) as u32;
    let mut colors: Vec<[u8; 3]> = (rect.left() as u32 + 4..rect.right() as u32 - 4)
        .map(|x| picture.get_pixel(x, y).0)
        .map(|[r, g, b, _]| [r, g, b])
        .collect();
    colors.dedup();
    colors
}

const PERSON: &str = "30 KIND_PERSON (4) person, \"walking\" x 1  y -1 [100, 1]";
const CAR: &str = "40 KIND_CAR (1) car x 0  y 0 [100, 0]";

#[test]
fn cells_and_rows_are_coloured_by_rules() {
    let mut plain = objects(Value::Null);
    let base = colors_of(&mut plain, CAR);
    let is_red = |c: &[u8; 3]| c[0] > base[0][0] + 30 && c[1] <= base[0][1] + 4;
    let rule = |more: Value| {
        let mut rule = json!({ "column": "kind", "value": "KIND_PERSON", "color": "#ff0000" });
        for (key, value) in more.as_object().into_iter().flatten() {
            rule[key] = value.clone();
        }
        objects(json!({ "colors": [rule] }))
    };
    let mut by_name = rule(Value::Null);
    let (person, car) = (colors_of(&mut by_name, PERSON), colors_of(&mut by_name, CAR));
    let runs = person
        .chunk_by(|a, b| is_red(a) == is_red(b))
        .filter(|run| run.iter().all(is_red))
        .count();
    assert_eq!(runs, 1, "one cell: {person:?}");
    assert!(!is_red(&person[0]) && !car.iter().any(is_red), "{car:?}");
    // the same of a number, of a part of a text, of the whole row
    for more in [
        json!({ "column": "id", "operator": "<", "value": "35" }),
        json!({ "column": "label", "operator": "contains", "value": "walk" }),
    ] {
        let mut harness = rule(more);
        assert!(colors_of(&mut harness, PERSON).iter().any(is_red));
        assert!(!colors_of(&mut harness, CAR).iter().any(is_red));
    }
    let mut row = rule(json!({ "whole_row": true }));
    assert!(colors_of(&mut row, PERSON).iter().all(is_red));
    // of a structure's field that is no column, and of a column that is not there
    let mut inside = rule(json!({ "column": "position.y", "operator": "==", "value": "-1" , "whole_row": true }));
    assert!(colors_of(&mut inside, PERSON).iter().all(is_red));
    let mut gone = rule(json!({ "column": "nothing", "operator": "!=", "value": "" }));
    assert!(!colors_of(&mut gone, PERSON).iter().any(is_red));
}

#[test]
fn of_rules_that_hold_the_first_colours() {
    let rules = json!([
        { "column": "id", "operator": ">=", "value": "30", "color": "#00ff00", "whole_row": true },
        { "column": "id", "operator": ">", "value": "0", "color": "#ff0000", "whole_row": true },
    ]);
    let mut harness = objects(json!({ "colors": rules }));
    let (person, far) = (
        colors_of(&mut harness, PERSON),
        colors_of(&mut harness, "10 KIND_CAR (1) car x 3  y -3 [100, 3]"),
    );
    assert!(person[0][1] > person[0][0] && far[0][0] > far[0][1], "{person:?} {far:?}");
}

#[test]
fn rules_for_colours_are_made_in_the_settings_and_at_a_head() {
    let mut harness = objects(Value::Null);
    let head = harness.get_by_label("Sort by label").rect().center();
    right_click(&mut harness, head);
    harness.get_by_label("Colour label by a rule").click();
    harness.run_ok();
    let config = harness.state().panel.config();
    assert_eq!(config["colors"][0]["column"], json!("label"));
    let mut stage = Stage::fleet("table", &config);
    stage.settle();
    // columns are known once the rows were drawn
    let mut drawn = show(stage, [900.0, 420.0], Theme::Dark);
    drawn.state_mut().settings = true;
    drawn.run_ok();
    drawn.get_by_label("Value of rule 1").focus();
    drawn.run_ok();
    drawn.get_by_label("Value of rule 1").type_text("car");
    drawn.run_ok();
    drawn.get_by_label("The whole row of rule 1").click();
    drawn.run_ok();
    drawn.get_by_label("Colour cells by a rule").click();
    drawn.run_ok();
    drawn.get_by_label("Remove rule 2").click();
    drawn.run_ok();
    let colors = &drawn.state().panel.config()["colors"];
    assert_eq!(colors.as_array().map(Vec::len), Some(1));
    assert_eq!((&colors[0]["value"], &colors[0]["whole_row"]), (&json!("car"), &json!(true)));
}

#[test]
fn whole_numbers_have_room_for_all_their_digits() {
    let messages = (0..20).map(|n| {
        (
            n * 100_000_000,
            Encoder::new().raw(&u64::MAX.to_le_bytes()).raw(&i64::MIN.to_le_bytes()),
        )
    });
    let (folder, path) = drive::one_topic("/big", "test_msgs/Big", "uint64 most\nint64 least\n", messages);
    let mut stage = Stage::open("table", &json!({ "path": "/big" }), path);
    stage.keep(folder);
    let mut harness = show(stage, [900.0, 200.0], Theme::Dark);
    harness.run_steps(2);
    let mut cut = Vec::new();
    each_shape(&harness, &mut |shape| match shape {
        egui::Shape::Text(text) if text.galley.text().len() >= 19 => {
            cut.push((text.galley.text().to_owned(), text.galley.elided));
        }
        _ => {}
    });
    cut.sort();
    cut.dedup();
    assert_eq!(
        cut,
        [
            ("-9223372036854775808".to_owned(), false),
            ("18446744073709551615".to_owned(), false)
        ]
    );
}
