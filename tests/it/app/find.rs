//! Find when: the search bar, and what becomes of what is found.

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use roadreel::find::{Bounds, Condition, Drive, Search, Step};
use roadreel::path::{Variables, parse};
use roadreel::run::Recording;
use roadreel::source::Location;
use roadreel::time::{Span, Time};

use super::window::*;

fn asks(window: &mut Window, condition: &str) {
    key(window, Modifiers::COMMAND | Modifiers::SHIFT, Key::F);
    window.get_by_role_and_label(Role::TextInput, "Find when");
    window.event(egui::Event::Text(condition.into()));
    window.run_steps(2);
    // no proposal is chosen: Enter is the field's
    key(window, Modifiers::NONE, Key::Enter);
}

/// What the search gives without a window.
fn expected(window: &Window, condition: &str) -> Vec<(Option<Time>, Option<Time>)> {
    let io = window.state().executor.io();
    let recording = Recording::open(io, Location::Path(drive()), |_, _| {}).expect("it opens");
    let drive = Drive::of(recording);
    let expr = parse(condition).expect("a condition");
    let compiled = Condition::compile(&expr, &drive.schemas(&expr.topics()), &Variables::new()).expect("it fits");
    let spans = Search::begin(&drive, &compiled, Bounds::default()).filter_map(|step| match step.expect("it is read") {
        Step::Found(Span { start, end }) => Some((Some(start), Some(end))),
        _ => None,
    });
    spans.collect()
}

fn found(window: &Window, condition: &str) -> Vec<(Option<Time>, Option<Time>)> {
    let set = window.state().scene_sets().find(|set| set.name == condition);
    let scenes = set.map(|set| set.scenes.iter().map(|scene| (scene.start, scene.end)));
    scenes.into_iter().flatten().collect()
}

#[test]
fn what_is_found_becomes_scenes() {
    let mut window = opened();
    let condition = "/imu_raw.linear_acceleration.z > 9.85 and /vehicle/steering_report.speed > 5";
    asks(&mut window, condition);
    until(&mut window, "the search ends", |window| !window.state().is_finding());
    let expected = expected(&window, condition);
    assert!(expected.len() > 3, "{expected:?}");
    assert_eq!(found(&window, condition), expected);
    let told = format!("{} scenes", expected.len());
    assert!(window.query_all_by_label_contains(&told).next().is_some(), "{told}");
    crate::names::assert_named(&window, "the search bar");
    // the same key puts it away
    key(&mut window, Modifiers::COMMAND | Modifiers::SHIFT, Key::F);
    assert!(window.query_by_role_and_label(Role::TextInput, "Find when").is_none());
}

#[test]
fn what_does_not_fit_is_told_and_not_searched() {
    let mut window = opened_small();
    asks(&mut window, "/imu_raw.linear_acceleration.zz > 9.85");
    assert!(!window.state().is_finding());
    assert!(window.query_all_by_label_contains("there is no field “zz”").next().is_some());
    press(&mut window, "Use it");
    press(&mut window, "Find");
    until(&mut window, "the search ends", |window| !window.state().is_finding());
    assert!(!found(&window, "/imu_raw.linear_acceleration.z > 9.85").is_empty());
}

#[test]
fn a_search_that_finds_nothing_says_so() {
    let mut window = opened_small();
    asks(&mut window, "/imu_raw.linear_acceleration.z > 1000");
    until(&mut window, "the search ends", |window| !window.state().is_finding());
    window.get_by_label("It never holds");
    // another recording is opened: what was told of this one is gone
    window.state_mut().open(vec![Location::Path(drive())]);
    settle(&mut window);
    assert!(window.query_by_label("It never holds").is_none());
}
