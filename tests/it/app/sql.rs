//! The SQL panel in the window: queries over what is open, their errors, and what becomes of answers.

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable};
use roadreel::app::Start;
use roadreel::layout::Layout;
use roadreel::panel::PanelState;
use roadreel::source::Location;
use serde_json::json;

use super::window::*;
use crate::remote_window;
use crate::server::{Behaviour, Server};
use crate::stream::bag;

fn layout(sql: &str, runs: bool) -> Layout {
    let config = json!({ "sql": sql, "run_at_once": runs });
    let text = json!({ "version": 1, "panels": { "sql": { "kind": "sql", "config": config } }, "root": { "tabs": ["sql"] } });
    Layout::parse(&text.to_string()).expect("a layout")
}

/// The window with the panel alone, and its query answered.
fn asked(sql: &str) -> Window {
    let mut window = before(sql, true);
    over(&mut window);
    window
}

fn before(sql: &str, runs: bool) -> Window {
    let mut window = window(Start {
        locations: vec![Location::Path(drive())],
        layout: Some(layout(sql, runs)),
        ..Start::default()
    });
    settle(&mut window);
    window
}

fn state(window: &Window) -> PanelState {
    let view = window.state().view();
    window.state().workspace.pane("sql").expect("the panel").panel.state(&view)
}

fn over(window: &mut Window) {
    until(window, "the query is over", |window| {
        !matches!(state(window), PanelState::Pending(_) | PanelState::Absent(_))
    });
    window.run_steps(3);
}

/// The text of each row that is in sight.
fn rows(window: &Window) -> Vec<String> {
    let rows = window.query_all_by_role(Role::Row);
    let mut rows: Vec<(f32, String)> = rows
        .map(|row| (row.rect().top(), row.accesskit_node().label().unwrap_or_default()))
        .collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    rows.into_iter().map(|(_, label)| label).collect()
}

fn write(window: &mut Window, text: &str) {
    let field = window.get_by_role_and_label(Role::MultilineTextInput, "Query");
    field.focus();
    window.run_steps(2);
    window.get_by_role_and_label(Role::MultilineTextInput, "Query").type_text(text);
    window.run_steps(3);
}

#[test]
fn a_query_is_written_and_run() {
    let mut window = before("", false);
    write(
        &mut window,
        "SELECT count(*) AS n, min(orientation_w) > 0 AS turned FROM \"/imu_raw\"",
    );
    key(&mut window, Modifiers::COMMAND, Key::Enter);
    over(&mut window);
    assert_eq!(state(&window), PanelState::Ready);
    let imu = window.state().store.topic_by_name("/imu_raw").expect("the topic").messages;
    assert_eq!(rows(&window), [format!("{imu} true")]);
    assert_eq!(window.state().settings.queries.len(), 1, "it is remembered");
}

#[test]
fn rows_are_sorted_by_their_heads() {
    let mut window = asked("SELECT * FROM (VALUES (2, 'b'), (10, 'a'), (1, 'c')) AS t(n, name)");
    assert_eq!(rows(&window), ["2 b", "10 a", "1 c"]);
    let sorted = |window: &mut Window, head: &str, wanted: [&str; 3]| {
        press(window, &format!("Sort by {head}"));
        until(window, "they are in order", |window| rows(window) == wanted);
    };
    sorted(&mut window, "n", ["1 c", "2 b", "10 a"]);
    sorted(&mut window, "n", ["10 a", "2 b", "1 c"]);
    sorted(&mut window, "name", ["10 a", "2 b", "1 c"]);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (sql, told) in [
        ("SELECT *\nFORM \"/imu_raw\"", "Line 2, column 1: "),
        ("SELECT tim\nFROM \"/imu_raw\"", "Line 1, column 8: "),
        ("SELECT 1\nFROM nowhere", "Line 2, column 6: there is no table nowhere"),
        ("DELETE FROM \"/imu_raw\"", "only SELECT"),
    ] {
        match state(&asked(sql)) {
            PanelState::Failed(why) => assert!(why.starts_with(told), "{sql}: {why}"),
            other => panic!("{sql}: {other:?}"),
        }
    }
}

#[test]
fn more_rows_than_the_limit_are_left_out() {
    let mut window = asked("SELECT * FROM generate_series(1, 20000)");
    match state(&window) {
        PanelState::Partial(why) => assert!(why.contains("first 10000 rows"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert!(window.query_all_by_label_contains("the first 10000 rows").next().is_some());
    // only what is seen is laid out
    window.run_steps(2);
    assert!(rows(&window).len() < 60, "{}", rows(&window).len());
}

#[test]
fn a_query_is_stopped_at_once() {
    let endless = "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b WHERE a.value % 7 = b.value % 5";
    let mut window = before(endless, true);
    until(&mut window, "it runs", |window| matches!(state(window), PanelState::Pending(_)));
    press(&mut window, "Stop");
    assert!(!matches!(state(&window), PanelState::Pending(_)));
    window.get_by_label_contains("Stopped");
    window.get_by_role_and_label(Role::Button, "Run");
}

#[test]
fn an_answer_becomes_a_topic_and_a_plot() {
    let mut window = asked("SELECT time, linear_acceleration_x * 2 AS twice FROM \"/imu_raw\" ORDER BY time DESC");
    press(&mut window, "Plot the rows");
    until(&mut window, "it is a topic", |window| {
        window.state().store.topic_by_name("/query_1").is_some()
    });
    settle(&mut window);
    assert_eq!(kinds(&window), ["sql", "plot"]);
    let store = &window.state().store;
    let (made, of) = (store.topic_by_name("/query_1"), store.topic_by_name("/imu_raw"));
    let (made, of) = (made.expect("the answer"), of.expect("the topic"));
    assert_eq!(made.messages, of.messages);
    let plot = window
        .state()
        .workspace
        .panes()
        .into_iter()
        .find(|pane| pane.kind == "plot")
        .expect("a plot");
    assert_eq!(plot.panel.config()["series"][0]["path"], json!("/query_1.twice"));
    until(&mut window, "the curve is there", |window| {
        let view = window.state().view();
        let panes = window.state().workspace.panes();
        panes
            .iter()
            .any(|pane| pane.kind == "plot" && pane.panel.state(&view) == PanelState::Ready)
    });
    // the same rows are not added again
    press(&mut window, "Plot the rows");
    window.run_steps(5);
    assert!(window.state().store.topic_by_name("/query_2").is_none());
}

#[test]
fn an_answer_is_seen_on_the_map() {
    let mut window = asked("SELECT time, latitude, longitude FROM \"/gps/fix\"");
    press(&mut window, "Show the rows on a map");
    until(&mut window, "it is a topic", |window| {
        window.state().store.topic_by_name("/query_1").is_some()
    });
    settle(&mut window);
    let view = window.state().view();
    let panes = window.state().workspace.panes();
    let map = panes.iter().find(|pane| pane.kind == "map").expect("a map");
    let topic = window.state().store.topic_by_name("/query_1").expect("the answer").id;
    assert_eq!(map.panel.topics(&view), [topic]);
}

#[test]
fn an_answer_becomes_scenes_and_scenes_are_a_table() {
    let mut window =
        asked("SELECT min(time) AS start_time, max(time) AS end_time, 'turning' AS class FROM \"/imu_raw\" GROUP BY orientation_w > 0.5");
    press(&mut window, "Make scenes of the rows");
    until(&mut window, "there are scenes", |window| window.state().scene_sets().count() == 1);
    let made: Vec<_> = window.state().scene_sets().flat_map(|set| &set.scenes).cloned().collect();
    assert!(
        !made.is_empty() && made.iter().all(|scene| scene.class.as_deref() == Some("turning")),
        "{made:?}"
    );
    assert!(made.iter().all(|scene| scene.start.is_some() && scene.end.is_some()));
    let query = layout("SELECT class, count(*) AS n FROM scenes GROUP BY class", true);
    window.state_mut().workspace = roadreel::workspace::Workspace::from_layout(&query);
    over(&mut window);
    assert_eq!(rows(&window), [format!("turning {}", made.len())]);
}

#[test]
fn names_are_proposed_while_they_are_typed() {
    let mut window = before("", false);
    // of all topics, until one is named
    write(&mut window, "SELECT linear_acceleration_");
    window.get_by_label("linear_acceleration_z");
    key(&mut window, Modifiers::COMMAND, Key::A);
    write(&mut window, "SELECT * FROM imu");
    window.get_by_label("\"/imu_raw\"");
    window.key_press(Key::Tab);
    window.run_steps(3);
    let sql = |window: &Window| window.state().workspace.pane("sql").expect("the panel").panel.config()["sql"].clone();
    assert_eq!(sql(&window), json!("SELECT * FROM \"/imu_raw\""));
    write(&mut window, " WHERE linear_acceleration_");
    window.get_by_label("linear_acceleration_x");
    window.key_press(Key::Escape);
    window.run_steps(3);
    assert!(window.query_by_label("linear_acceleration_x").is_none());
}

#[test]
fn earlier_queries_come_back() {
    let home = tempfile::tempdir().expect("a folder");
    let start = |sql: &str| Start {
        locations: vec![Location::Path(drive())],
        layout: Some(layout(sql, true)),
        folders: Some(folders(&home)),
        ..Start::default()
    };
    for sql in [
        "SELECT 1 AS one",
        "SELECT 2 AS two",
        "SELECT FROM WHERE 'https://host/table.parquet?signature=secret'",
    ] {
        let mut first = window(start(sql));
        settle(&mut first);
        over(&mut first);
        first.run_steps(3);
    }
    let mut last = window(Start {
        layout: Some(layout("", false)),
        ..start("")
    });
    settle(&mut last);
    assert_eq!(
        last.state().settings.queries,
        ["SELECT 2 AS two", "SELECT 1 AS one"],
        "a link is not kept"
    );
    press(&mut last, "Earlier queries");
    last.get_by_label("SELECT 1 AS one").click();
    last.run_steps(3);
    let pane = last.state().workspace.pane("sql").expect("the panel");
    assert_eq!(pane.panel.config()["sql"], json!("SELECT 1 AS one"));
}

/// What a query reads of a remote recording are the chunks that its condition leaves, by the window's own readers.
#[test]
fn a_remote_recording_is_asked_by_its_chunks() {
    let server = Server::start(Behaviour::default());
    server.put("drive.bag", bag());
    let location = Location::parse(&server.presigned("drive.bag", 60)).expect("a location");
    let start = Start {
        locations: vec![location],
        layout: Some(layout(
            "SELECT count(*) AS n, count(DISTINCT data) AS texts FROM \"/a\" WHERE time < TIMESTAMP '2020-09-13 12:26:40.3'",
            false,
        )),
        ..Start::default()
    };
    let mut window = remote_window::window_with(&server, start, None);
    remote_window::until(&mut window, "open", |window| {
        window.state().is_settled(false) && window.state().store.span().is_some()
    });
    server.reset_stats();
    window.run_steps(2);
    window.get_by_role_and_label(Role::Button, "Run").click();
    window.run_steps(2);
    remote_window::until(&mut window, "answered", |window| state(window) == PanelState::Ready);
    window.run_steps(2);
    assert_eq!(rows(&window), ["12 12"]);
    let asked = server.stats().log;
    assert!((1..=4).contains(&asked.len()), "{asked:?}");
}
