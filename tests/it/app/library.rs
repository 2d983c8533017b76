//! The library of layouts: opened, copied, renamed, deleted and brought back, set as a default; files that someone else has changed;
//! what is found after a crash.

use std::path::{Path, PathBuf};

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use roadreel::app::settings::{LayoutFolder, Settings};
use roadreel::layout::Layout;

use super::undo::{page, rows};
use super::window::*;

const FIX: &str = r#"{"version":1,"panels":{"raw":{"kind":"raw","config":{"topic":"/gps/fix"}}},"root":{"tabs":["raw"]}}"#;

fn personal(home: &tempfile::TempDir, name: &str) -> PathBuf {
    home.path().join("config/layouts").join(name)
}

fn put(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// The page of layouts, once it lists what there is.
fn library(window: &mut Window) {
    page(window, "Layouts");
    until(window, "the library is listed", |w| {
        w.query_by_role(Role::ProgressIndicator).is_none()
    });
    window.run_steps(2);
}

fn click_row(window: &mut Window, name: &str) {
    window.get_by_role_and_label(Role::ListItem, name).click();
    window.run_steps(2);
}

/// Opens the menu of a layout and chooses from it.
fn choose(window: &mut Window, layout: &str, entry: &str) {
    press(window, &format!("More about {layout}"));
    window.get_by_label_contains(entry).click();
    window.run_steps(3);
}

/// A window in which the layout “Fix” of the library was opened.
fn with_fix_open(home: &tempfile::TempDir) -> Window {
    let mut window = at_home(home);
    library(&mut window);
    click_row(&mut window, "Fix");
    until(&mut window, "it is open", |w| kinds(w) == ["raw"]);
    window
}

fn save(window: &mut Window) {
    key(window, Modifiers::COMMAND, Key::S);
}

/// Saves what someone else has written meanwhile.
fn save_and_be_told(window: &mut Window) {
    save(window);
    until(window, "it is told", |w| {
        w.query_by_label_contains("was changed by someone else").is_some()
    });
}

#[test]
fn a_bundled_layout_opens_as_a_step_and_is_saved_as_a_copy() {
    let home = tempfile::tempdir().unwrap();
    let mut window = at_home(&home);
    let before = kinds(&window);
    library(&mut window);
    click_row(&mut window, "Cameras");
    until(&mut window, "it is open", |w| kinds(w) == ["image", "image", "image", "scene3d"]);
    // it cannot be written over
    press(&mut window, "Close thermal");
    save(&mut window);
    let field = window.get_by_role_and_label(Role::TextInput, "Name of the layout");
    assert_eq!(field.value().as_deref(), Some("Cameras"));
    press(&mut window, "Save");
    let path = personal(&home, "Cameras.json");
    until(&mut window, "it is written", |w| w.query_by_label("Layout saved").is_some());
    assert_eq!(Layout::parse(&std::fs::read_to_string(&path).unwrap()).unwrap().panels.len(), 3);
    // from now on it is this file
    press(&mut window, "Close rgb_front_right");
    save(&mut window);
    until(&mut window, "it is written again", |_| {
        Layout::parse(&std::fs::read_to_string(&path).unwrap()).unwrap().panels.len() == 2
    });
    for _ in 0..3 {
        key(&mut window, Modifiers::COMMAND, Key::Z);
    }
    assert_eq!(kinds(&window), before, "opening is undone like everything");
}

#[test]
fn layouts_are_searched_renamed_duplicated_deleted_and_brought_back() {
    let home = tempfile::tempdir().unwrap();
    put(&personal(&home, "Night drive.json"), FIX);
    put(&personal(&home, "auto-0123456789abcdef.json"), FIX);
    let mut window = at_home(&home);
    library(&mut window);
    assert_eq!(rows(&window)[0], "Night drive", "not what is kept for topics");
    window.get_by_role_and_label(Role::TextInput, "Search layouts").focus();
    window.step();
    window.event(egui::Event::Text("night".into()));
    window.run_steps(3);
    assert_eq!(rows(&window), ["Night drive"]);

    choose(&mut window, "Night drive", "Duplicate");
    until(&mut window, "the copy is listed", |w| {
        rows(w).contains(&"Night drive copy".to_owned())
    });
    assert_eq!(std::fs::read_to_string(personal(&home, "Night drive copy.json")).unwrap(), FIX);

    choose(&mut window, "Night drive copy", "Rename");
    let field = window.get_by_role_and_label(Role::TextInput, "New name");
    field.focus();
    window.step();
    key(&mut window, Modifiers::COMMAND, Key::A);
    window.event(egui::Event::Text("Night and rain".into()));
    window.run_steps(2);
    key(&mut window, Modifiers::NONE, Key::Enter);
    until(&mut window, "it has its name", |w| rows(w).contains(&"Night and rain".to_owned()));
    assert!(personal(&home, "Night and rain.json").exists() && !personal(&home, "Night drive copy.json").exists());

    choose(&mut window, "Night drive", "Delete");
    until(&mut window, "it is gone", |w| !rows(w).contains(&"Night drive".to_owned()));
    assert!(!personal(&home, "Night drive.json").exists());
    press(&mut window, "Bring it back");
    until(&mut window, "it is back", |w| rows(w).contains(&"Night drive".to_owned()));
    assert_eq!(std::fs::read_to_string(personal(&home, "Night drive.json")).unwrap(), FIX);
}

#[test]
fn a_default_opens_by_itself_on_recordings_with_these_topics() {
    let home = tempfile::tempdir().unwrap();
    put(&personal(&home, "Fix.json"), FIX);
    let mut first = at_home(&home);
    assert!(kinds(&first).len() > 3);
    library(&mut first);
    choose(&mut first, "Fix", "Open by itself");
    drop(first);
    let mut second = at_home(&home);
    until(&mut second, "the default is open", |w| kinds(w) == ["raw"]);
    // and no longer
    library(&mut second);
    choose(&mut second, "Fix", "No longer open");
    drop(second);
    assert!(kinds(&at_home(&home)).len() > 3);
}

/// A team's folder in the settings.
fn with_team(home: &tempfile::TempDir, writable: bool) -> PathBuf {
    let team = home.path().join("team");
    let settings = Settings {
        layout_folders: vec![LayoutFolder {
            place: team.display().to_string(),
            writable,
        }],
        ..Settings::default()
    };
    put(&home.path().join("config/settings.json"), &settings.to_json());
    put(&team.join("Fix.json"), FIX);
    team
}

#[test]
fn a_teams_layout_that_is_read_only_is_never_written() {
    let home = tempfile::tempdir().unwrap();
    let team = with_team(&home, false);
    let mut window = with_fix_open(&home);
    press(&mut window, "Split Raw messages downwards");
    save(&mut window);
    window.get_by_role_and_label(Role::TextInput, "Name of the layout");
    press(&mut window, "Cancel");
    window.state_mut().keep_layout();
    drop(window);
    assert_eq!(std::fs::read_to_string(team.join("Fix.json")).unwrap(), FIX);
    // but for recordings with these topics it is kept
    assert_eq!(kinds(&at_home(&home)), ["raw", "raw"]);
}

#[test]
fn a_file_that_someone_else_has_changed_is_merged_and_never_written_over() {
    let home = tempfile::tempdir().unwrap();
    let team = with_team(&home, true);
    let path = team.join("Fix.json");
    let mut window = with_fix_open(&home);
    press(&mut window, "Split Raw messages downwards");
    // meanwhile
    let theirs = FIX.replace("/gps/fix", "/imu_raw");
    std::fs::write(&path, &theirs).unwrap();
    save_and_be_told(&mut window);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), theirs, "nothing is written yet");
    press(&mut window, "Merge and save");
    until(&mut window, "both are in the file", |_| {
        let text = std::fs::read_to_string(&path).unwrap();
        Layout::parse(&text).is_ok_and(|layout| layout.panels.len() == 2 && layout.panels["raw"].config["topic"] == "/imu_raw")
    });
    assert_eq!(kinds(&window), ["raw", "raw"]);
    key(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(
        window.state().layout().panels["raw"].config["topic"],
        "/gps/fix",
        "merging is a step"
    );
}

#[test]
fn what_was_changed_by_both_is_chosen_part_by_part() {
    let home = tempfile::tempdir().unwrap();
    let team = with_team(&home, true);
    let path = team.join("Fix.json");
    let mut window = with_fix_open(&home);
    page(&mut window, "Topics");
    let from = topic(&window, "/imu_raw").center();
    let onto = window.get_by_role_and_label(Role::Tab, "Raw messages").rect().center() + egui::vec2(60.0, 200.0);
    drag(&mut window, from, onto);
    assert_eq!(window.state().layout().panels["raw"].config["topic"], "/imu_raw");
    std::fs::write(&path, FIX.replace("/gps/fix", "/odom")).unwrap();
    save_and_be_told(&mut window);
    window.run_steps(3);
    let theirs = window.query_all_by_role(Role::RadioButton).find(|node| {
        use egui_kittest::kittest::NodeT as _;
        node.accesskit_node().label().is_some_and(|label| label.starts_with("Theirs"))
    });
    theirs.expect("a choice").click();
    window.run_steps(2);
    press(&mut window, "Merge and save");
    until(&mut window, "theirs is in the file", |_| {
        std::fs::read_to_string(&path).unwrap().contains("/odom")
    });
    assert_eq!(window.state().layout().panels["raw"].config["topic"], "/odom");
}

#[test]
fn a_changed_file_is_not_written_over_when_the_window_closes() {
    let home = tempfile::tempdir().unwrap();
    let path = personal(&home, "Fix.json");
    put(&path, FIX);
    let mut window = with_fix_open(&home);
    press(&mut window, "Split Raw messages downwards");
    let theirs = FIX.replace("/gps/fix", "/imu_raw");
    std::fs::write(&path, &theirs).unwrap();
    window.state_mut().keep_layout();
    drop(window);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), theirs);
    let mine = std::fs::read_to_string(personal(&home, "Fix (my changes).json")).unwrap();
    assert_eq!(Layout::parse(&mine).unwrap().panels.len(), 2);
}

#[test]
fn unsaved_changes_are_found_after_a_crash() {
    let home = tempfile::tempdir().unwrap();
    let mut crashed = at_home(&home);
    let before = kinds(&crashed);
    press(&mut crashed, "Close 3D");
    let changed = kinds(&crashed);
    let drafts = home.path().join("config/drafts");
    crashed.run_steps(260);
    let is_draft = |name: &std::ffi::OsStr| name.to_string_lossy().ends_with(".json");
    let written = |_: &Window| std::fs::read_dir(&drafts).is_ok_and(|all| all.flatten().any(|entry| is_draft(&entry.file_name())));
    until(&mut crashed, "a draft is written", written);
    // a window that lives keeps its draft to itself
    let mut beside = at_home(&home);
    assert_eq!(kinds(&beside), before);
    beside.state_mut().keep_layout();
    drop(beside);
    // crashed: nothing is kept, the lock goes with the process
    drop(crashed);
    let mut again = at_home(&home);
    assert_eq!(kinds(&again), changed);
    key(&mut again, Modifiers::COMMAND, Key::Z);
    assert_eq!(kinds(&again), before, "restoring is a step");
    again.state_mut().keep_layout();
    drop(again);
    assert_eq!(kinds(&at_home(&home)), before, "a draft is restored once");
}
