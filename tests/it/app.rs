//! The window, driven by role and label as a person or a screen reader would.

#[path = "app/find.rs"]
mod find;
#[path = "app/foreign.rs"]
mod foreign;
#[path = "app/library.rs"]
mod library;
#[path = "app/opening.rs"]
mod opening;
#[path = "app/panels.rs"]
mod panels;
#[path = "app/playing.rs"]
mod playing;
#[path = "app/scenes.rs"]
mod scenes;
#[path = "app/sql.rs"]
mod sql;
#[path = "app/undo.rs"]
mod undo;
#[path = "app/window.rs"]
mod window;

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable};
use roadreel::app::{AppState, Start, clock, command, root};
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
fn every_widget_of_the_window_and_its_dialogs_has_a_name() {
    use command::Command;
    let mut window = opened();
    let mut nameless = Vec::new();
    for opens in [
        None,
        Some(Command::Settings),
        Some(Command::Keys),
        Some(Command::OpenUrl),
        Some(Command::BrowseS3),
        Some(Command::OpenLayout),
        Some(Command::SaveLayoutCopy),
        Some(Command::ExportLayout),
        Some(Command::LayoutFolders),
        Some(Command::Find),
        Some(Command::Palette),
    ] {
        if let Some(command) = opens {
            let ctx = window.ctx.clone();
            window.state_mut().run(command, &ctx);
        }
        window.run_steps(4);
        let found = crate::names::unnamed(&window);
        nameless.extend(found.into_iter().map(|what| format!("{opens:?}: {what}")));
        key(&mut window, Modifiers::NONE, Key::Escape);
    }
    assert!(nameless.is_empty(), "{nameless:#?}");
}

#[test]
fn every_widget_of_what_tells_warnings_and_failures_has_a_name() {
    let folder = tempfile::tempdir().unwrap();
    // a bag that was cut off, and what is none
    let mut bytes = std::fs::read(drive()).unwrap();
    bytes.truncate(bytes.len() / 3);
    let (cut, none) = (folder.path().join("cut.bag"), folder.path().join("none.bag"));
    std::fs::write(&cut, bytes).unwrap();
    std::fs::write(&none, b"no bag at all").unwrap();
    let mut window = window::window(Start {
        locations: vec![Location::Path(cut), Location::Path(none)],
        ..Start::default()
    });
    settle(&mut window);
    for (opens, says) in [("warning", "Warnings about cut.bag"), ("none.bag", "What failed")] {
        let button = window
            .query_all_by_role(Role::Button)
            .find(|b| b.accesskit_node().label().is_some_and(|l| l.contains(opens)));
        button.unwrap_or_else(|| panic!("a button that tells of {opens}")).click();
        window.run_steps(4);
        window.get_by_label(says);
        crate::names::assert_named(&window, says);
        key(&mut window, Modifiers::NONE, Key::Escape);
    }
    // the answer to a failure
    let all = window.query_all_by_role(Role::Button);
    let button = all
        .into_iter()
        .find(|b| b.accesskit_node().label().is_some_and(|l| l.contains("none.bag")));
    button.unwrap().click();
    window.run_steps(4);
    press(&mut window, "Dismiss");
    assert!(window.query_by_label("What failed").is_none());
    assert!(window.state().store.status().failures.is_empty());
}

#[test]
fn the_times_of_a_log_stay_moved_the_next_time() {
    let home = tempfile::tempdir().unwrap();
    let log = home.path().join("node.log");
    std::fs::write(
        &log,
        "2026-05-04 08:30:00.100 INFO an hour early\n2026-05-04 08:30:00.400 INFO again\n",
    )
    .unwrap();
    let layout = r#"{"version":1,"panels":{"log":{"kind":"log"}},"root":{"tabs":["log"]}}"#;
    let start = || Start {
        locations: vec![Location::Path(drive()), Location::Path(log.clone())],
        layout: Some(roadreel::layout::Layout::parse(layout).unwrap()),
        folders: Some(folders(&home)),
        ..Start::default()
    };
    let mut window = window::window(start());
    settle(&mut window);
    let hour = 3_600_000_000_000;
    assert!(window.state().store.span().unwrap().nanos() > hour);
    press(&mut window, "Settings of Log");
    window
        .get_by_role_and_label(Role::SpinButton, "Shift of /node_log")
        .set_value_accesskit(3600.0);
    window.run_steps(5);
    settle(&mut window);
    assert!(window.state().store.span().unwrap().nanos() < 2_000_000_000);
    drop(window);
    let mut again = window::window(start());
    settle(&mut again);
    assert_eq!(again.state().store.sources()[1].shift_nanos, hour);
    assert!(again.state().store.span().unwrap().nanos() < 2_000_000_000);
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
    drop(window);
    let again = window::window(start());
    let settings = &again.state().settings;
    assert_eq!(settings.look, roadreel::app::settings::Look::Light);
    assert_eq!((settings.ui_scale, settings.memory_mib), (1.5, 2048));
    assert_eq!(again.state().store.status().memory_budget, 2048 << 20);
}

#[test]
fn other_settings_leave_the_memory_that_the_command_line_gave() {
    let mut window = window::window(Start {
        locations: vec![Location::Path(drive())],
        memory_budget: Some(300 << 20),
        ..Start::default()
    });
    settle(&mut window);
    key(&mut window, Modifiers::COMMAND, Key::Comma);
    window.get_by_label("Light").click();
    window.run_steps(3);
    press(&mut window, "Done");
    window.state_mut().open(vec![Location::Path(drive())]);
    assert_eq!(window.state().store.status().memory_budget, 300 << 20);
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
        "root":{"split":"row","children":[{"share":0.3,"tabs":["thermal"]},{"share":0.7,"tabs":["raw"]}]},
        "sidebars":{"left":false,"right":false}}"#;
    let mut results = SnapshotResults::new();
    for (name, theme) in [("window_dark", egui::Theme::Dark), ("window_light", egui::Theme::Light)] {
        let start = Start {
            locations: vec![Location::Path(drive())],
            layout: Some(roadreel::layout::Layout::parse(layout).unwrap()),
            ..Start::default()
        };
        let mut harness = Harness::builder()
            .with_size([432.0, 264.0])
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
        harness.mask(egui::Rect::from_min_max(egui::pos2(100.0, 240.0), egui::pos2(432.0, 264.0)));
        results.add(harness.try_snapshot_options(name, &SnapshotOptions::new().threshold(1.0).max_failed_pixels(40)));
        results.extend_harness(&mut harness);
    }
}

#[test]
fn recent_locations_hold_no_query() {
    let mut settings = roadreel::app::settings::Settings::default();
    let url = Location::parse("https://bucket.s3.amazonaws.com/drive.bag?X-Amz-Signature=secret").unwrap();
    settings.remember(&url);
    settings.remember(&Location::parse("https://host/public.bag").unwrap());
    assert_eq!(
        settings.recent,
        ["https://host/public.bag", "https://bucket.s3.amazonaws.com/drive.bag?…"]
    );
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
fn ticks_and_lengths_of_days_tell_days() {
    // midnight, UTC
    let midnight = Time::from_sec_nsec(1_600_041_600, 0);
    let (hour, utc) = (3_600_000_000_000, clock::TimeFormat::Utc);
    let tick = |hours: i64, step: i64| utc.tick(midnight.plus_nanos(hours * hour), midnight, step);
    assert_eq!([tick(0, 24 * hour), tick(48, 48 * hour)], ["2020-09-14", "2020-09-16"]);
    assert_eq!([tick(-6, 6 * hour), tick(0, 6 * hour)], ["18:00:00", "2020-09-14"]);
    assert_eq!(tick(0, 10_000_000_000), "00:00:00");
    assert_eq!(clock::length(20_500_000_000), "20.500 s");
    assert_eq!(clock::length(51 * hour), "2 d 03 h");
}

#[test]
fn a_ruler_over_years_has_its_ticks_at_months_and_years() {
    let midnight = Time::from_sec_nsec(1_600_041_600, 0);
    let labels = |days: i64| -> Vec<String> {
        let span = Span::new(midnight, midnight.plus_nanos(days * clock::DAY_NANOS));
        clock::calendar_ticks(span, 800.0)
            .into_iter()
            .filter_map(|(_, text)| text)
            .collect()
    };
    assert_eq!(labels(300)[..3], ["2020-10", "2020-11", "2020-12"]);
    assert_eq!(labels(4_000)[..3], ["2021", "2022", "2023"]);
    // between two years there are three quarters
    let span = Span::new(midnight, midnight.plus_nanos(4_000 * clock::DAY_NANOS));
    let ticks = clock::calendar_ticks(span, 800.0);
    assert_eq!(ticks.iter().filter(|(_, text)| text.is_none()).count(), 33);
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

/// Types nothing: a link comes from the clipboard while no field has the focus.
fn paste(harness: &mut Harness<'static, AppState>, text: &str) {
    harness.event(egui::Event::Paste(text.to_owned()));
    harness.run_steps(2);
}

#[test]
fn a_pasted_link_is_offered_and_opens_at_its_moment() {
    let mut harness = opened();
    let span = harness.state().span();
    paste(&mut harness, "just words");
    assert!(harness.query_by_role_and_label(Role::TextInput, "URL").is_none());
    let url = url::Url::from_file_path(drive()).expect("a path");
    let link = roadreel::source::Link::write(
        roadreel::source::LinkStyle::Roadreel,
        "",
        &[url.to_string()],
        Some(span.start.plus_nanos(700_000_000)),
        None,
    );
    paste(&mut harness, &link);
    let field = harness.get_by_role_and_label(Role::TextInput, "URL");
    assert_eq!(field.value().as_deref(), Some(&*link));
    harness.get_by_role_and_label(Role::Button, "Open").click();
    harness.run_steps(2);
    settle(&mut harness);
    assert_eq!(harness.state().playback.now, span.start.plus_nanos(700_000_000));
}

#[test]
fn a_link_to_the_moment_is_copied() {
    let mut harness = opened();
    let now = harness.state().playback.now;
    harness.get_by_role_and_label(Role::Button, "Copy a link to this moment").click();
    harness.step();
    let copied = harness.output().platform_output.commands.iter().find_map(|command| match command {
        egui::OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    });
    let link = roadreel::source::Link::parse(&copied.expect("a link")).expect("a link");
    assert_eq!(link.locations, [Location::Path(drive())]);
    assert_eq!(link.seek_to, Some(roadreel::time::When::At(now)));
}
