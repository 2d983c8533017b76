//! The window, driven by role and label as a person or a screen reader would: open, play, seek, split, close, add, restore.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use roadreel::app::settings::Folders;
use roadreel::app::{AppState, MakeExecutor, Start, clock, command, root};
use roadreel::source::Location;
use roadreel::time::{Span, Time};

/// A second of the demo drive, written once.
fn drive() -> PathBuf {
    static DRIVE: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = DRIVE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("demo.bag");
        let options = roadreel::demo::Options {
            seconds: 1.0,
            ..Default::default()
        };
        let file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
        let mut file = roadreel::demo::write(file, options, |_| {}).unwrap();
        std::io::Write::flush(&mut file).unwrap();
        (folder, path)
    });
    path.clone()
}

fn harness(start: Start) -> Harness<'static, AppState> {
    let make: MakeExecutor = Arc::new(|waker| roadreel::run::Executor::new(move || waker()));
    let state = AppState::new(start, make, Arc::new(|| {}));
    let mut harness = Harness::builder()
        .with_size([1280.0, 800.0])
        .with_step_dt(0.02)
        .with_context_setup(roadreel::theme::install)
        .build_ui_state(root, state);
    harness.step();
    harness
}

fn opened() -> Harness<'static, AppState> {
    let mut harness = harness(Start {
        locations: vec![Location::Path(drive())],
        ..Start::default()
    });
    settle(&mut harness);
    harness
}

/// Steps until everything at the playhead is there.
#[track_caller]
fn settle(harness: &mut Harness<'static, AppState>) {
    for _ in 0..500 {
        harness.step();
        if harness.state().is_settled(false) && harness.state().store.span().is_some() {
            // sizes settle in the pass after the contents came
            harness.run_steps(2);
            return;
        }
        harness.state().executor.wait();
    }
    panic!("the window does not come to rest");
}

fn kinds(harness: &Harness<'static, AppState>) -> Vec<String> {
    harness.state().workspace.panes().iter().map(|p| p.kind.clone()).collect()
}

#[test]
fn the_welcome_screen_offers_to_open() {
    let harness = harness(Start::default());
    for label in ["Open file…", "Open URL…", "Open the demo drive"] {
        harness.get_by_role_and_label(Role::Button, label);
    }
}

#[test]
fn opens_and_arranges_panels_from_the_topics() {
    let harness = opened();
    let kinds = kinds(&harness);
    for kind in ["scene3d", "image", "plot", "raw"] {
        assert!(kinds.iter().any(|k| k == kind), "{kind} in {kinds:?}");
    }
    assert!(harness.query_all_by_role_and_label(Role::Button, "/imu_raw").next().is_some());
    let view = harness.state().view();
    for pane in harness.state().workspace.visible() {
        let state = pane.panel.state(&view);
        assert!(!matches!(state, roadreel::panel::PanelState::Failed(_)), "{}: {state:?}", pane.id);
    }
}

#[test]
fn plays_and_pauses() {
    let mut harness = opened();
    let before = harness.state().playback.now;
    harness.get_by_role_and_label(Role::Button, "Play").click();
    harness.run_steps(2);
    for _ in 0..50 {
        if harness.state().playback.now > before {
            break;
        }
        harness.state().executor.wait();
        harness.step();
    }
    assert!(harness.state().playback.now > before);
    harness.get_by_role_and_label(Role::Button, "Pause").click();
    harness.run_steps(2);
    assert!(!harness.state().playback.playing);
}

#[test]
fn keys_move_the_playhead() {
    let mut harness = opened();
    let span = harness.state().span();
    harness.key_press(egui::Key::Home);
    harness.step();
    assert_eq!(harness.state().playback.now, span.start);
    harness.key_press(egui::Key::ArrowRight);
    harness.step();
    assert_eq!(harness.state().playback.now, span.start.plus_nanos(100_000_000));
    harness.key_press_modifiers(egui::Modifiers::SHIFT, egui::Key::ArrowRight);
    harness.step();
    assert_eq!(harness.state().playback.now, span.start.plus_nanos(110_000_000));
    harness.key_press(egui::Key::End);
    harness.step();
    assert_eq!(harness.state().playback.now, span.end);
}

#[test]
fn a_click_on_the_timeline_seeks() {
    let mut harness = opened();
    let rect = harness.get_by_role_and_label(Role::Slider, "Timeline").rect();
    harness.hover_at(rect.center());
    harness.step();
    harness.drag_at(rect.center());
    harness.step();
    harness.drop_at(rect.center());
    harness.step();
    let span = harness.state().span();
    let middle = span.at_fraction(0.5);
    let off = harness.state().playback.now.since(middle).abs();
    assert!(off < span.nanos() / 50, "{off} ns from the middle");
}

#[test]
fn splits_closes_and_adds_panels() {
    let mut harness = opened();
    let before = kinds(&harness).len();
    harness.get_by_role_and_label(Role::Button, "Split 3D to the right").click();
    harness.run_steps(3);
    assert_eq!(kinds(&harness).len(), before + 1);
    let close = harness.get_all_by_role_and_label(Role::Button, "Close 3D").next().unwrap();
    close.click();
    harness.run_steps(3);
    assert_eq!(kinds(&harness).len(), before);
    harness.get_by_label_contains("Add panel").click();
    harness.run_steps(2);
    harness.get_by_label_contains("Plot").click();
    harness.run_steps(3);
    assert_eq!(kinds(&harness).len(), before + 1);
}

#[test]
fn the_layout_is_kept_and_restored() {
    let home = tempfile::tempdir().unwrap();
    let folders = Folders {
        config: home.path().join("config"),
        cache: home.path().join("cache"),
    };
    let start = || Start {
        locations: vec![Location::Path(drive())],
        folders: Some(folders.clone()),
        ..Start::default()
    };
    let mut first = harness(start());
    settle(&mut first);
    let before = kinds(&first).len();
    first.get_by_role_and_label(Role::Button, "Close 3D").click();
    first.run_steps(3);
    first.state_mut().keep_layout();
    let kept = kinds(&first);
    assert_eq!(kept.len(), before - 1);
    let mut second = harness(start());
    settle(&mut second);
    assert_eq!(kinds(&second), kept);
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
        let make: MakeExecutor = Arc::new(|waker| roadreel::run::Executor::new(move || waker()));
        let state = AppState::new(start, make, Arc::new(|| {}));
        let mut harness = Harness::builder()
            .with_size([720.0, 480.0])
            .with_theme(theme)
            .with_step_dt(0.02)
            .with_context_setup(roadreel::theme::install)
            .wgpu()
            .build_ui_state(root, state);
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
        harness.mask(egui::Rect::from_min_max(egui::pos2(200.0, 456.0), egui::pos2(720.0, 480.0)));
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
