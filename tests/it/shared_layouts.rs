//! A team's layouts in S3: listed, opened, saved, merged with what others saved meanwhile, renamed, deleted and brought back.

use std::path::Path;

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use roadreel::app::settings::{Folders, LayoutFolder, Settings};
use roadreel::app::{AppState, Start};
use roadreel::layout::Layout;
use roadreel::source::Location;

use crate::remote_window::{until, window_with};
use crate::s3_signed::public_store_of;
use crate::stream::bag;

type Window = Harness<'static, AppState>;

const NOTE: &str = r##"{"version":1,"panels":{"note":{"kind":"note","config":{"text":"# Note"}}},"root":{"tabs":["note"]}}"##;

fn key(window: &mut Window, modifiers: Modifiers, key: Key) {
    window.key_press_modifiers(modifiers, key);
    window.run_steps(4);
}

fn press(window: &mut Window, button: &str) {
    until(window, button, |w| w.query_by_role_and_label(Role::Button, button).is_some());
    window.get_by_role_and_label(Role::Button, button).hover();
    window.run_steps(2);
    window.get_by_role_and_label(Role::Button, button).click();
    window.run_steps(3);
}

fn has_row(window: &Window, name: &str) -> bool {
    window.query_by_role_and_label(Role::ListItem, name).is_some()
}

fn choose(window: &mut Window, layout: &str, entry: &str) {
    // the list is read anew after each change, and a menu that was open over it closes
    for _ in 0..50 {
        press(window, &format!("More about {layout}"));
        if let Some(entry) = window.query_by_label_contains(entry) {
            entry.click();
            return window.run_steps(3);
        }
    }
    panic!("{layout} has no {entry}");
}

fn saved(path: &Path) -> Layout {
    Layout::parse(&std::fs::read_to_string(path).expect("a file")).expect("a layout")
}

#[test]
fn a_team_shares_layouts_in_s3() {
    let root = tempfile::tempdir().expect("a folder");
    let layouts = root.path().join("fleet/layouts");
    std::fs::create_dir_all(&layouts).expect("a bucket");
    let path = layouts.join("Note.json");
    std::fs::write(&path, NOTE).expect("an object");
    let store = public_store_of(root.path());
    let home = tempfile::tempdir().expect("a folder");
    let recording = home.path().join("drive.bag");
    std::fs::write(&recording, bag()).expect("a recording");
    let folders = Folders {
        config: home.path().join("config"),
        cache: home.path().join("cache"),
    };
    let settings = Settings {
        layout_folders: vec![LayoutFolder {
            place: "s3://fleet/layouts/".to_owned(),
            writable: true,
        }],
        ..Settings::default()
    };
    std::fs::create_dir_all(&folders.config).expect("a folder");
    std::fs::write(folders.settings_path(), settings.to_json()).expect("settings");
    let start = Start {
        locations: vec![Location::Path(recording)],
        folders: Some(folders),
        ..Start::default()
    };
    let mut window = window_with(&store, start, None);
    until(&mut window, "open", |w| {
        w.state().is_settled(false) && w.state().store.span().is_some()
    });
    window.get_by_role_and_label(Role::Tab, "Layouts").click();
    until(&mut window, "the team's layout is listed", |w| has_row(w, "Note"));
    window.run_steps(3);
    window.get_by_role_and_label(Role::ListItem, "Note").click();
    let panels = |w: &Window| w.state().workspace.panes().len();
    until(&mut window, "it is open", |w| panels(w) == 1);
    window.run_steps(3);

    press(&mut window, "Split Note downwards");
    key(&mut window, Modifiers::COMMAND, Key::S);
    until(&mut window, "it is saved", |_| saved(&path).panels.len() == 2);

    // someone else saves meanwhile
    let mut theirs = saved(&path);
    theirs.panels["note"].config["text"] = "# Theirs".into();
    std::fs::write(&path, theirs.to_json()).expect("an object");
    window.get_by_label_contains("Add panel").click();
    window.run_steps(3);
    window.get_by_label_contains("Source info").click();
    window.run_steps(3);
    key(&mut window, Modifiers::COMMAND, Key::S);
    until(&mut window, "it is told", |w| {
        w.query_by_label_contains("was changed by someone else").is_some()
    });
    window.run_steps(3);
    assert_eq!(saved(&path).panels.len(), 2, "nothing is written over");
    press(&mut window, "Merge and save");
    until(&mut window, "both are there", |_| {
        let layout = saved(&path);
        layout.panels.len() == 3 && layout.panels["note"].config["text"] == "# Theirs"
    });

    choose(&mut window, "Note", "Rename");
    window.get_by_role_and_label(Role::TextInput, "New name").focus();
    window.step();
    key(&mut window, Modifiers::COMMAND, Key::A);
    window.event(egui::Event::Text("Shared note".into()));
    window.run_steps(2);
    key(&mut window, Modifiers::NONE, Key::Enter);
    until(&mut window, "it has its name", |w| has_row(w, "Shared note") && !has_row(w, "Note"));
    let path = layouts.join("Shared note.json");
    assert_eq!(saved(&path).panels.len(), 3);

    window.run_steps(3);
    choose(&mut window, "Shared note", "Delete");
    until(&mut window, "it is gone", |w| !has_row(w, "Shared note"));
    assert!(!path.exists());
    window.run_steps(3);
    press(&mut window, "Bring it back");
    until(&mut window, "it is back", |w| has_row(w, "Shared note"));
    assert_eq!(saved(&path).panels.len(), 3);
}
