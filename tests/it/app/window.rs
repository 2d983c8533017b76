//! The whole window before a recording, stepped as eframe steps it.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, OnceLock};

use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use roadreel::app::settings::Folders;
use roadreel::app::{AppState, MakeExecutor, Start, root};
use roadreel::layout::Layout;
use roadreel::source::Location;

pub type Window = Harness<'static, AppState>;

/// A second of the demo drive, written once.
pub fn drive() -> PathBuf {
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

thread_local! {
    /// Tells that the test's newest window has something to take in.
    static WOKEN: RefCell<Option<Receiver<()>>> = const { RefCell::new(None) };
}

pub fn state(start: Start) -> AppState {
    let make: MakeExecutor = Arc::new(|waker| roadreel::run::Executor::new(move || waker()));
    let (wake, woken) = channel();
    WOKEN.set(Some(woken));
    let waker = move || {
        // the test is over: nobody to wake
        let _ = wake.send(());
    };
    AppState::new(start, make, Arc::new(waker))
}

pub fn window(start: Start) -> Window {
    let mut window = Harness::builder()
        .with_size([1280.0, 800.0])
        .with_step_dt(0.02)
        .with_context_setup(roadreel::theme::install)
        .build_ui_state(root, state(start));
    window.step();
    window
}

/// The window before the drive, with everything there.
pub fn opened() -> Window {
    let mut window = window(Start {
        locations: vec![Location::Path(drive())],
        ..Start::default()
    });
    settle(&mut window);
    window
}

/// The window before the drive with one panel: quick to step.
pub fn opened_small() -> Window {
    let layout = r#"{"version":1,"panels":{"raw":{"kind":"raw","config":{"topic":"/gps/fix"}}},"root":{"tabs":["raw"]}}"#;
    let mut window = window(Start {
        locations: vec![Location::Path(drive())],
        layout: Some(roadreel::layout::Layout::parse(layout).unwrap()),
        ..Start::default()
    });
    settle(&mut window);
    window
}

/// Steps until everything at the playhead is there.
#[track_caller]
pub fn settle(window: &mut Window) {
    for _ in 0..2000 {
        window.step();
        if window.state().is_settled(false) && window.state().store.span().is_some() {
            // sizes settle in the pass after the contents came
            window.run_steps(2);
            return;
        }
        window.state().executor.wait();
    }
    let state = window.state();
    let sources: Vec<_> = state.store.sources().iter().map(|s| &s.state).collect();
    panic!("the window does not come to rest: {sources:?}, {:?}", state.store.status());
}

/// Steps until `is_so`.
#[track_caller]
pub fn until(window: &mut Window, what: &str, is_so: impl Fn(&Window) -> bool) {
    for _ in 0..3000 {
        if is_so(window) {
            return;
        }
        window.step();
        let patience = std::time::Duration::from_millis(100);
        // without news the next pass looks again all the same
        WOKEN.with_borrow(|woken| woken.as_ref().map(|w| w.recv_timeout(patience)));
    }
    panic!("never: {what}");
}

/// Folders of one test's own.
pub fn folders(home: &tempfile::TempDir) -> Folders {
    Folders {
        config: home.path().join("config"),
        cache: home.path().join("cache"),
    }
}

pub fn kinds(window: &Window) -> Vec<String> {
    window.state().workspace.panes().iter().map(|p| p.kind.clone()).collect()
}

#[track_caller]
pub fn press(window: &mut Window, button: &str) {
    // buttons of a header come when the pointer is there
    window.get_by_role_and_label(Role::Button, button).hover();
    window.run_steps(2);
    window.get_by_role_and_label(Role::Button, button).click();
    window.run_steps(3);
}

/// A click with the pointer, as a widget that paints itself sees it.
pub fn click_at(window: &mut Window, pos: egui::Pos2) {
    drag(window, pos, pos);
}

/// Presses, moves in steps, and lets go.
pub fn drag(window: &mut Window, from: egui::Pos2, to: egui::Pos2) {
    window.hover_at(from);
    window.step();
    window.drag_at(from);
    window.step();
    if from != to {
        for part in 1..=8 {
            window.hover_at(from.lerp(to, part as f32 / 8.0));
            window.step();
        }
    }
    window.drop_at(to);
    window.run_steps(3);
}

pub fn key(window: &mut Window, modifiers: egui::Modifiers, key: egui::Key) {
    window.key_press_modifiers(modifiers, key);
    // a dialog finds its size in the second pass
    window.run_steps(4);
}

/// The topic's row in the sidebar.
#[track_caller]
pub fn topic(window: &Window, name: &str) -> egui::Rect {
    let all = window.query_all_by_role_and_label(Role::Button, name);
    let rects = all.map(|node| node.rect());
    rects
        .min_by(|a, b| a.left().total_cmp(&b.left()))
        .unwrap_or_else(|| panic!("no row of {name}"))
}

pub fn double_click_at(window: &mut Window, pos: egui::Pos2) {
    window.hover_at(pos);
    // a click before this one would make three
    window.run_steps(40);
    for pressed in [true, false, true, false] {
        window.event(egui::Event::PointerButton {
            pos,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: egui::Modifiers::NONE,
        });
        window.step();
    }
    window.run_steps(3);
}

/// What was copied in the last passes.
pub fn copied(window: &Window) -> Option<String> {
    window.output().platform_output.commands.iter().find_map(|command| match command {
        egui::OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    })
}

/// A window of the drive in this layout.
pub fn with(layout: &str) -> Window {
    let mut window = window(Start {
        locations: vec![Location::Path(drive())],
        layout: Some(Layout::parse(layout).unwrap()),
        ..Start::default()
    });
    settle(&mut window);
    window
}

/// A window of the drive whose user has folders.
pub fn at_home(home: &tempfile::TempDir) -> Window {
    let mut window = window(Start {
        locations: vec![Location::Path(drive())],
        folders: Some(folders(home)),
        ..Start::default()
    });
    settle(&mut window);
    window
}

/// A file that is dropped onto the window.
#[derive(Debug)]
pub struct Dropped(pub PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("the path is enough".into())
    }
}
