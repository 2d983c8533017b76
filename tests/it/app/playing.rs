//! The playhead: keys, buttons, the timeline, the time field.

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use roadreel::time::Time;

use super::window::*;

const MILLISECOND: i64 = 1_000_000;

fn now(window: &Window) -> Time {
    window.state().playback.now
}

#[test]
fn plays_and_pauses() {
    let mut window = opened();
    let before = now(&window);
    press(&mut window, "Play");
    for _ in 0..200 {
        if now(&window) > before {
            break;
        }
        window.state().executor.wait();
        window.step();
    }
    assert!(now(&window) > before);
    press(&mut window, "Pause");
    window.get_by_role_and_label(Role::Button, "Play");
    key(&mut window, Modifiers::NONE, Key::Space);
    window.get_by_role_and_label(Role::Button, "Pause");
    key(&mut window, Modifiers::NONE, Key::Space);
    window.get_by_role_and_label(Role::Button, "Play");
}

#[test]
fn keys_move_the_playhead() {
    let mut window = opened_small();
    let span = window.state().span();
    key(&mut window, Modifiers::NONE, Key::Home);
    assert_eq!(now(&window), span.start);
    for (modifiers, millis) in [(Modifiers::NONE, 100), (Modifiers::ALT, 500), (Modifiers::SHIFT, 10)] {
        let before = now(&window);
        key(&mut window, modifiers, Key::ArrowRight);
        assert_eq!(now(&window), before.plus_nanos(millis * MILLISECOND), "{modifiers:?}");
    }
    for (modifiers, millis) in [(Modifiers::SHIFT, 10), (Modifiers::ALT, 500), (Modifiers::NONE, 100)] {
        let before = now(&window);
        key(&mut window, modifiers, Key::ArrowLeft);
        assert_eq!(now(&window), before.plus_nanos(-millis * MILLISECOND), "{modifiers:?}");
    }
    key(&mut window, Modifiers::NONE, Key::ArrowLeft);
    assert_eq!(now(&window), span.start, "there is nothing before the start");
    key(&mut window, Modifiers::NONE, Key::End);
    assert_eq!(now(&window), span.end);
}

#[test]
fn a_click_on_the_timeline_seeks() {
    let mut window = opened_small();
    let rect = window.get_by_role_and_label(Role::Slider, "Timeline").rect();
    let span = window.state().span();
    for part in [0.5, 0.25, 0.9] {
        let at = egui::pos2(rect.left() + rect.width() * part, rect.center().y);
        click_at(&mut window, at);
        let off = now(&window).since(span.at_fraction(f64::from(part))).abs();
        assert!(off < span.nanos() / 100, "{off} ns from {part}");
    }
}

#[test]
fn a_tap_that_is_over_within_a_frame_seeks() {
    let mut window = opened_small();
    let rect = window.get_by_role_and_label(Role::Slider, "Timeline").rect();
    window.hover_at(rect.center());
    window.step();
    for pressed in [true, false] {
        window.event(egui::Event::PointerButton {
            pos: rect.center(),
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        });
    }
    window.run_steps(3);
    let span = window.state().span();
    assert!(
        now(&window).since(span.at_fraction(0.5)).abs() < span.nanos() / 100,
        "{}",
        now(&window).0
    );
}

#[test]
fn the_timeline_zooms_and_shows_all_again() {
    let mut window = opened_small();
    let rect = window.get_by_role_and_label(Role::Slider, "Timeline").rect();
    window.hover_at(rect.center());
    window.step();
    window.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: egui::vec2(0.0, 300.0),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Wheel,
        modifiers: Modifiers::NONE,
    });
    window.run_steps(20);
    window.get_by_label_contains(" of 0.9");
    key(&mut window, Modifiers::NONE, Key::F);
    assert!(window.query_by_label_contains(" of 0.9").is_none());
}

/// Types into the time field and enters it.
fn go_to(window: &mut Window, text: &str) {
    if window.query_by_role_and_label(Role::TextInput, "Go to time").is_none() {
        let label = format!(
            "Time {}",
            window.state().settings.time_format.show(now(window), window.state().span().start)
        );
        press(window, &label);
    }
    window.get_by_role_and_label(Role::TextInput, "Go to time").focus();
    window.step();
    key(window, Modifiers::COMMAND, Key::A);
    window.event(egui::Event::Paste(text.to_owned()));
    window.step();
    key(window, Modifiers::NONE, Key::Enter);
}

#[test]
fn the_time_field_takes_every_form() {
    let mut window = opened_small();
    let span = window.state().span();
    let wanted = span.start.plus_nanos(250 * MILLISECOND);
    let nanos = wanted.nanos();
    let (whole, part) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    for text in [
        format!("{whole}.{part:09}"),
        format!("{}", nanos / 1_000_000),
        format!("{}", nanos / 1000),
        format!("{nanos}"),
        roadreel::time::rfc3339(wanted),
        "+0.25".to_owned(),
        format!(" \"{nanos}\" "),
        roadreel::time::format_time_of_day(wanted),
    ] {
        key(&mut window, Modifiers::NONE, Key::Home);
        go_to(&mut window, &text);
        let off = now(&window).since(wanted).abs();
        assert!(off < 1000 * 1000, "{text} leads {off} ns away");
    }
    go_to(&mut window, "50%");
    assert_eq!(now(&window), span.at_fraction(0.5));
}

#[test]
fn what_is_no_time_is_told_and_nothing_moves() {
    let mut window = opened_small();
    let before = now(&window);
    go_to(&mut window, "soon");
    window.get_by_label_contains("“soon” is not a time");
    assert_eq!(now(&window), before);
    go_to(&mut window, "0%");
    assert_eq!(now(&window), window.state().span().start);
    assert!(window.query_by_label_contains("is not a time").is_none());
}

#[test]
fn the_time_is_copied_in_every_form() {
    use roadreel::app::clock::TimeFormat;

    let mut window = opened_small();
    let (t, start) = (now(&window), window.state().span().start);
    for format in TimeFormat::ALL {
        let label = format!("Time {}", TimeFormat::Utc.show(t, start));
        window.get_by_role_and_label(Role::Button, &label).click_secondary();
        window.run_steps(3);
        let text = format.exact(t, start);
        window.get_by_label_contains(&format!("Copy {text}")).click();
        let mut got = None;
        for _ in 0..3 {
            window.step();
            got = got.or_else(|| copied(&window));
        }
        assert_eq!(got.as_deref(), Some(text.as_str()), "{}", format.name());
    }
}

#[test]
fn the_time_is_shown_in_the_form_that_was_chosen() {
    let mut window = opened_small();
    let t = now(&window);
    press(&mut window, "UTC");
    press(&mut window, "local");
    let epoch = format!("Time {}", roadreel::app::clock::seconds(t.nanos(), 3));
    window.get_by_role_and_label(Role::Button, &epoch);
}

#[test]
fn speed_is_chosen_typed_and_stepped() {
    let mut window = opened_small();
    press(&mut window, "Speed 1.0×");
    window.get_by_label("4.0×").click();
    window.run_steps(3);
    press(&mut window, "Speed 4.0×");
    let field = window.get_by_role_and_label(Role::TextInput, "Speed");
    field.focus();
    window.step();
    window.event(egui::Event::Text("0.35".into()));
    window.step();
    key(&mut window, Modifiers::NONE, Key::Enter);
    window.get_by_role_and_label(Role::Button, "Speed 0.35×");
    key(&mut window, Modifiers::NONE, Key::ArrowUp);
    window.get_by_role_and_label(Role::Button, "Speed 0.5×");
    press(&mut window, "Speed 0.5×");
    window.get_by_role_and_label(Role::TextInput, "Speed").focus();
    window.step();
    window.event(egui::Event::Text("0.125".into()));
    window.step();
    key(&mut window, Modifiers::NONE, Key::Enter);
    window.get_by_role_and_label(Role::Button, "Speed 0.125×");
}

#[test]
fn a_loop_starts_over_where_it_ends() {
    let mut window = opened_small();
    let span = window.state().span();
    key(&mut window, Modifiers::NONE, Key::L);
    key(&mut window, Modifiers::NONE, Key::End);
    press(&mut window, "Play");
    for _ in 0..200 {
        if now(&window) < span.at_fraction(0.5) {
            break;
        }
        window.state().executor.wait();
        window.step();
    }
    assert!(now(&window) < span.at_fraction(0.5), "it plays on from the start");
    window.get_by_role_and_label(Role::Button, "Pause");
}

#[test]
fn without_a_loop_play_ends_at_the_end() {
    let mut window = opened_small();
    key(&mut window, Modifiers::NONE, Key::End);
    key(&mut window, Modifiers::SHIFT, Key::ArrowLeft);
    press(&mut window, "Play");
    until(&mut window, "it ends", |w| !w.state().playback.playing);
    assert_eq!(now(&window), window.state().span().end);
}

#[test]
fn steps_go_from_message_to_message_of_the_selected_topic() {
    let mut window = opened_small();
    let row = topic(&window, "/gps/fix");
    click_at(&mut window, row.center());
    let first = now(&window);
    key(&mut window, Modifiers::NONE, Key::Period);
    settle(&mut window);
    let second = now(&window);
    key(&mut window, Modifiers::NONE, Key::Period);
    settle(&mut window);
    assert_eq!(now(&window).since(second), 100 * MILLISECOND, "the next of 10 Hz");
    key(&mut window, Modifiers::NONE, Key::Comma);
    settle(&mut window);
    assert_eq!(now(&window), second);
    assert!(second > first);
}

#[test]
fn a_step_without_a_topic_says_what_is_missing() {
    let mut window = opened_small();
    key(&mut window, Modifiers::NONE, Key::Period);
    window.get_by_label_contains("Select a topic first");
}

#[test]
fn at_rest_nothing_is_drawn_anew() {
    let mut window = opened();
    for _ in 0..500 {
        if window.state().is_settled(true) {
            break;
        }
        window.state().executor.wait();
        window.step();
    }
    // animations of what has just appeared end
    window.run_steps(30);
    let asked = window.output().viewport_output.values().map(|v| v.repaint_delay).min();
    assert_eq!(asked, Some(std::time::Duration::MAX));
}
