//! The window, driven by role and label as a person or a screen reader would.

#[path = "app/opening.rs"]
mod opening;
#[path = "app/panels.rs"]
mod panels;
#[path = "app/playing.rs"]
mod playing;
#[path = "app/window.rs"]
mod window;

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use roadreel::app::{Start, clock, command, root};
use roadreel::source::Location;
use roadreel::time::{Span, Time};

use window::*;

#[test]
fn the_list_of_keys_is_shown() {
    let mut window = opened_small();
    key(&mut window, Modifiers::SHIFT, Key::Questionmark);
    window.get_by_label("Play or pause");
    window.get_by_label("Space");
    press(&mut window, "Done");
    assert!(window.query_by_label("Play or pause").is_none());
}

#[test]
fn settings_are_changed_and_kept() {
    let home = tempfile::tempdir().unwrap();
    let start = || Start {
        folders: Some(folders(&home)),
        ..Start::default()
    };
    let mut window = window::window(start());
    key(&mut window, Modifiers::COMMAND, Key::Comma);
    window.get_by_label("Light").click();
    window.run_steps(3);
    assert_eq!(window.ctx.theme(), egui::Theme::Light);
    window
        .get_by_role_and_label(Role::SpinButton, "UI scale")
        .set_value_accesskit(150.0);
    window.run_steps(5);
    window
        .get_by_role_and_label(Role::SpinButton, "Memory for messages")
        .set_value_accesskit(2048.0);
    window.run_steps(5);
    press(&mut window, "Done");
    let again = window::window(start());
    let settings = &again.state().settings;
    assert_eq!(settings.look, roadreel::app::settings::Look::Light);
    assert_eq!((settings.ui_scale, settings.memory_mib), (1.5, 2048));
    assert_eq!(again.state().store.status().memory_budget, 2048 << 20);
}

#[test]
fn a_command_is_searched_and_run() {
    let mut window = opened_small();
    key(&mut window, Modifiers::COMMAND, Key::K);
    window.event(egui::Event::Text("add panel plot".into()));
    window.run_steps(2);
    key(&mut window, Modifiers::NONE, Key::Enter);
    assert_eq!(kinds(&window), ["raw", "plot"]);
}

#[test]
fn topics_are_searched() {
    let mut window = opened_small();
    window.get_by_role_and_label(Role::TextInput, "Filter topics").focus();
    window.step();
    window.event(egui::Event::Text("imu".into()));
    window.run_steps(3);
    topic(&window, "/imu_raw");
    assert!(window.query_by_role_and_label(Role::Button, "/diagnostics").is_none());
}

#[test]
fn the_whole_window_looks_as_it_did() {
    use egui_kittest::{SnapshotOptions, SnapshotResults};

    // without the scene, whose pictures have tests of their own and would weigh most
    let layout = r#"{"version":1,"panels":{
        "thermal":{"kind":"image","config":{"topic":"/flir_adk/thermal/image_raw"}},
        "raw":{"kind":"raw","config":{"topic":"/gps/fix"}}},
        "root":{"split":"row","children":[{"share":0.4,"tabs":["thermal"]},{"share":0.6,"tabs":["raw"]}]}}"#;
    let mut results = SnapshotResults::new();
    for (name, theme) in [("window_dark", egui::Theme::Dark), ("window_light", egui::Theme::Light)] {
        let start = Start {
            locations: vec![Location::Path(drive())],
            layout: Some(roadreel::workspace::Layout::parse(layout).unwrap()),
            ..Start::default()
        };
        let mut harness = Harness::builder()
            .with_size([640.0, 400.0])
            .with_theme(theme)
            .with_step_dt(0.02)
            .with_context_setup(roadreel::theme::install)
            .wgpu()
            .build_ui_state(root, state(start));
        settle(&mut harness);
        for _ in 0..500 {
            if harness.state().is_settled(true) {
                break;
            }
            harness.state().executor.wait();
            harness.step();
        }
        harness.run_steps(3);
        // how much was read depends on how requests fell together
        harness.mask(egui::Rect::from_min_max(egui::pos2(200.0, 376.0), egui::pos2(640.0, 400.0)));
        results.add(harness.try_snapshot_options(name, &SnapshotOptions::new().threshold(1.0).max_failed_pixels(40)));
        results.extend_harness(&mut harness);
    }
}

#[test]
fn recent_locations_hold_no_query() {
    let mut settings = roadreel::app::settings::Settings::default();
    let url = Location::parse("https://bucket.s3.amazonaws.com/drive.bag?X-Amz-Signature=secret").unwrap();
    settings.remember(&url);
    assert_eq!(settings.recent, ["https://bucket.s3.amazonaws.com/drive.bag"]);
}

#[test]
fn every_command_stands_once_in_the_table() {
    for (at, entry) in command::COMMANDS.iter().enumerate() {
        let same_key = |e: &&command::Entry| e.shortcut.is_some() && e.shortcut == entry.shortcut;
        assert_eq!(command::COMMANDS.iter().filter(same_key).count().max(1), 1, "{}", entry.name);
        assert_eq!(
            command::COMMANDS.iter().position(|e| e.command == entry.command),
            Some(at),
            "{}",
            entry.name
        );
    }
}

#[test]
fn times_are_shown_and_typed_back_in_every_form() {
    let start = Time(1_600_000_000_000_000_000);
    let t = Time(1_600_000_003_250_000_001);
    let span = Span::new(start, start.plus_nanos(60_000_000_000));
    for format in clock::TimeFormat::ALL {
        assert_eq!(clock::parse(&format.exact(t, start), span), Ok(t), "{}", format.name());
    }
    assert_eq!(clock::parse("12:26:43.25", span), Ok(Time(1_600_000_003_250_000_000)));
    assert_eq!(clock::parse("50%", span), Ok(start.plus_nanos(30_000_000_000)));
    assert!(clock::parse("soon", span).is_err());
    assert_eq!(clock::TimeFormat::FromStart.show(t, start), "+3.250");
    assert_eq!(clock::TimeFormat::Utc.show(t, start), "2020-09-13 12:26:43.250");
}
