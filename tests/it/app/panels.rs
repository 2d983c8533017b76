//! Panels in the window: split, tab, move, resize, maximise, pop out, add; layouts kept and restored.

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use roadreel::app::Start;
use roadreel::layout::Layout;
use roadreel::source::Location;

use super::window::*;

/// Two raw panels side by side.
const TWO: &str = r#"{"version":1,"panels":{
    "left":{"kind":"image","config":{"topic":"/flir_adk/thermal/image_raw"}},
    "right":{"kind":"raw","config":{"topic":"/gps/fix"}}},
    "root":{"split":"row","children":[{"share":0.5,"tabs":["left"]},{"share":0.5,"tabs":["right"]}]}}"#;

fn tab(window: &Window, title: &str) -> egui::Rect {
    window.get_by_role_and_label(Role::Tab, title).rect()
}

#[test]
fn opens_and_arranges_panels_from_the_topics() {
    let window = opened();
    let kinds = kinds(&window);
    for kind in ["scene3d", "image", "plot", "raw"] {
        assert!(kinds.iter().any(|k| k == kind), "{kind} in {kinds:?}");
    }
    topic(&window, "/imu_raw");
    let view = window.state().view();
    for pane in window.state().workspace.visible() {
        let state = pane.panel.state(&view);
        assert!(!matches!(state, roadreel::panel::PanelState::Failed(_)), "{}: {state:?}", pane.id);
    }
}

#[test]
fn commands_of_the_selected_panel_are_in_the_palette() {
    let mut window = with(TWO);
    let turned = |window: &Window| window.state().workspace.pane("left").unwrap().panel.config()["rotation_degrees"].clone();
    window.state_mut().workspace.selected = Some("left".to_owned());
    key(&mut window, Modifiers::COMMAND, Key::K);
    let field = window.get_by_role_and_label(Role::TextInput, "Search or run");
    field.type_text("turn");
    window.run_steps(2);
    window.get_by_label_contains("Turn by 90°");
    window.key_press(Key::Enter);
    window.run_steps(3);
    assert_eq!(turned(&window), 90);
    assert!(window.state().workspace.edited, "the layout changed");
    // those of another panel are not offered
    window.state_mut().workspace.selected = Some("right".to_owned());
    key(&mut window, Modifiers::COMMAND, Key::K);
    window.get_by_role_and_label(Role::TextInput, "Search or run").type_text("turn");
    window.run_steps(2);
    assert!(window.query_by_label_contains("Turn by 90°").is_none());
}

#[test]
fn splits_closes_and_adds_panels() {
    let mut window = opened();
    let before = kinds(&window).len();
    press(&mut window, "Split 3D to the right");
    assert_eq!(kinds(&window).len(), before + 1);
    window.get_all_by_role_and_label(Role::Button, "Close 3D").next().unwrap().click();
    window.run_steps(3);
    assert_eq!(kinds(&window).len(), before);
    window.get_by_label_contains("Add panel").click();
    window.run_steps(2);
    window.get_by_label_contains("Plot Numbers of").click();
    window.run_steps(3);
    assert_eq!(kinds(&window).len(), before + 1);
}

#[test]
fn a_topic_is_added_by_a_double_click() {
    let mut window = with(TWO);
    let row = topic(&window, "/diagnostics");
    double_click_at(&mut window, row.center());
    assert_eq!(kinds(&window).len(), 3);
}

#[test]
fn a_topic_is_shown_in_the_panel_that_is_made_for_it_or_in_one_that_is_chosen() {
    let mut window = with(TWO);
    let place = topic(&window, "/diagnostics").center();
    double_click_at(&mut window, place);
    assert!(kinds(&window).iter().any(|kind| kind == "diagnostics"), "{:?}", kinds(&window));
    window.hover_at(place);
    window.run_steps(2);
    for pressed in [true, false] {
        window.event(egui::Event::PointerButton {
            pos: place,
            button: egui::PointerButton::Secondary,
            pressed,
            modifiers: Modifiers::NONE,
        });
    }
    window.run_steps(3);
    window.get_by_label_contains("Show it in").click();
    window.run_steps(4);
    window.get_by_label("Topic health").click();
    window.run_steps(3);
    assert!(kinds(&window).iter().any(|kind| kind == "health"), "{:?}", kinds(&window));
}

#[test]
fn a_topic_is_dragged_onto_a_panel() {
    let mut window = with(TWO);
    let from = topic(&window, "/imu_raw").center();
    let onto = tab(&window, "Raw messages").center() + egui::vec2(60.0, 200.0);
    drag(&mut window, from, onto);
    assert_eq!(kinds(&window).len(), 2, "the panel took it");
    settle(&mut window);
    window.get_by_label_contains("sensor_msgs/Imu");
}

#[test]
fn a_topic_is_dragged_onto_tabs_and_into_a_gap() {
    let mut window = with(TWO);
    let from = topic(&window, "/imu_raw").center();
    let bar = tab(&window, "Raw messages").center();
    drag(&mut window, from, bar);
    settle(&mut window);
    assert_eq!(kinds(&window).len(), 3);
    assert_eq!(
        window.state().workspace.visible().len(),
        2,
        "the new panel is behind a tab of the old one's group"
    );
    assert_eq!(
        tab(&window, "Raw messages").top(),
        bar.y - tab(&window, "Raw messages").height() / 2.0
    );
    // the lower edge of the other panel: a new one below it
    let from = topic(&window, "/imu_raw").center();
    let other = tab(&window, "thermal");
    let lanes = window.state().workspace.visible().len();
    drag(&mut window, from, egui::pos2(other.left() + 5.0, other.bottom() + 150.0));
    settle(&mut window);
    assert_eq!(kinds(&window).len(), 4);
    assert_eq!(window.state().workspace.visible().len(), lanes + 1, "it has a place of its own");
    assert!(
        tab(&window, "thermal").left() > other.left() + 100.0,
        "the old one gave way to the right"
    );
}

#[test]
fn a_panel_is_moved_into_the_tabs_of_another() {
    let mut window = with(TWO);
    let from = tab(&window, "thermal").center();
    let onto = tab(&window, "Raw messages").center();
    drag(&mut window, from, onto);
    settle(&mut window);
    let (a, b) = (tab(&window, "thermal"), tab(&window, "Raw messages"));
    assert_eq!(a.top(), b.top());
    assert!((a.left() - b.left()).abs() < 300.0, "one bar holds both: {a:?} {b:?}");
    assert_eq!(window.state().workspace.visible().len(), 1);
    window.get_by_role_and_label(Role::Tab, "thermal").click();
    window.run_steps(3);
    assert_eq!(window.state().workspace.visible()[0].kind, "image");
}

#[test]
fn the_edge_between_two_panels_is_dragged() {
    let mut window = with(TWO);
    let before = tab(&window, "Raw messages").left();
    let edge = egui::pos2(before - 1.0, tab(&window, "Raw messages").bottom() + 100.0);
    drag(&mut window, edge, edge - egui::vec2(120.0, 0.0));
    let moved = before - tab(&window, "Raw messages").left();
    assert!((100.0..140.0).contains(&moved), "{moved}");
    assert!(window.state().workspace.edited);
}

#[test]
fn a_panel_fills_the_window_and_goes_back() {
    let mut window = with(TWO);
    press(&mut window, "Maximise thermal");
    assert!(window.query_by_role_and_label(Role::Tab, "Raw messages").is_none());
    key(&mut window, Modifiers::NONE, Key::Escape);
    window.get_by_role_and_label(Role::Tab, "Raw messages");
    let at = tab(&window, "thermal").center();
    double_click_at(&mut window, at);
    assert!(window.query_by_role_and_label(Role::Tab, "Raw messages").is_none());
    press(&mut window, "Back into the layout");
    window.get_by_role_and_label(Role::Tab, "Raw messages");
}

#[test]
fn a_panel_moves_to_a_window_of_its_own_and_back() {
    let mut window = with(TWO);
    press(&mut window, "Move thermal to its own window");
    window.run_steps(3);
    assert!(window.query_by_role_and_label(Role::Tab, "thermal").is_none());
    assert_eq!(kinds(&window).len(), 2, "it is still there");
    let kept = window.state().layout().to_json();
    assert!(kept.contains("\"windows\""), "{kept}");
    press(&mut window, "Back into the layout");
    window.get_by_role_and_label(Role::Tab, "thermal");
}

#[test]
fn settings_of_a_panel_are_shown_beside_it() {
    let mut window = with(TWO);
    press(&mut window, "Settings of thermal");
    assert!(window.query_all_by_label("Brightness").next().is_some());
    key(&mut window, Modifiers::NONE, Key::CloseBracket);
    window.run_steps(20);
    assert!(window.query_all_by_label("Brightness").next().is_none());
}

#[test]
fn without_panels_one_button_arranges_them() {
    let mut window = with(TWO);
    press(&mut window, "Close thermal");
    press(&mut window, "Close Raw messages");
    window.get_by_label("No panels");
    press(&mut window, "Arrange automatically");
    settle(&mut window);
    assert!(kinds(&window).len() > 3);
}

#[test]
fn the_layout_is_kept_and_restored() {
    let home = tempfile::tempdir().unwrap();
    let start = || Start {
        locations: vec![Location::Path(drive())],
        folders: Some(folders(&home)),
        ..Start::default()
    };
    let mut first = window(start());
    settle(&mut first);
    let before = kinds(&first).len();
    press(&mut first, "Close 3D");
    first.state_mut().keep_layout();
    let kept = kinds(&first);
    assert_eq!(kept.len(), before - 1);
    // the last file is written before the program ends
    drop(first);
    let mut second = window(start());
    settle(&mut second);
    assert_eq!(kinds(&second), kept);
}

#[test]
fn a_layout_is_saved_where_it_came_from_with_what_this_version_does_not_know() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("team.json");
    let given = r#"{"version":1,"team":"perception","panels":{
        "thermal":{"kind":"image","config":{"topic":"/flir_adk/thermal/image_raw","glow":7,"range":{"mode":"logarithm"}}},
        "future":{"kind":"hologram","config":{"depth":3}}},
        "root":{"split":"row","children":[{"share":0.5,"tabs":["thermal"]},{"share":0.5,"tabs":["future"]}]},
        "playback":{"speed":1.0,"loop":false,"pace":"steady"},"sidebars":{"left":true,"right":false,"third":true}}"#;
    let mut window = window(Start {
        locations: vec![Location::Path(drive())],
        layout: Some(Layout::parse(given).unwrap()),
        layout_path: Some(path.clone()),
        ..Start::default()
    });
    settle(&mut window);
    window.get_by_label_contains("no panel “hologram” in this version");
    press(&mut window, "Split thermal to the right");
    key(&mut window, Modifiers::COMMAND, Key::S);
    until(&mut window, "the layout is saved", |w| w.query_by_label("Layout saved").is_some());
    let saved: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(saved["team"], "perception");
    assert_eq!(saved["panels"]["future"]["config"]["depth"], 3);
    assert_eq!(saved["panels"]["thermal"]["config"]["glow"], 7);
    assert_eq!(saved["panels"]["thermal"]["config"]["range"]["mode"], "logarithm");
    assert_eq!(
        (&saved["playback"]["pace"], &saved["sidebars"]["third"]),
        (&"steady".into(), &true.into())
    );
    assert_eq!(saved["panels"].as_object().unwrap().len(), 3);
    let beside = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(beside, 1, "nothing is left beside it");
}

#[test]
fn after_a_lost_device_the_window_is_as_it_was() {
    let mut before = with(TWO);
    press(&mut before, "Split thermal downwards");
    key(&mut before, Modifiers::NONE, Key::End);
    let mut after = window(before.state().to_start());
    settle(&mut after);
    assert_eq!(after.state().playback.now, before.state().playback.now);
    assert_eq!(after.state().layout(), before.state().layout());
    assert_eq!(kinds(&after).len(), 3);
}

/// Closes the window as the platform does.
fn close(mut window: Window) {
    window.state_mut().keep_layout();
}

#[test]
fn panels_that_the_user_had_arranged_automatically_stay_so() {
    let home = tempfile::tempdir().unwrap();
    let mut first = at_home(&home);
    let arranged = kinds(&first);
    press(&mut first, "Close 3D");
    close(first);
    let mut second = at_home(&home);
    assert_eq!(kinds(&second).len(), arranged.len() - 1);
    key(&mut second, Modifiers::COMMAND, Key::K);
    second.event(egui::Event::Text("arrange".into()));
    second.run_steps(2);
    key(&mut second, Modifiers::NONE, Key::Enter);
    assert_eq!(kinds(&second), arranged);
    close(second);
    assert_eq!(kinds(&at_home(&home)), arranged);
}

#[test]
fn what_lies_around_the_panels_is_kept_when_it_alone_was_changed() {
    let home = tempfile::tempdir().unwrap();
    let mut first = at_home(&home);
    let edge = |window: &Window| topic(window, "/imu_raw").right();
    let before = edge(&first);
    // the sidebar's own edge
    let at = egui::pos2(before + 8.0, 300.0);
    drag(&mut first, at, at + egui::vec2(60.0, 0.0));
    let wide = edge(&first);
    assert!((wide - before - 60.0).abs() < 4.0, "{before} {wide}");
    key(&mut first, Modifiers::NONE, Key::ArrowUp);
    key(&mut first, Modifiers::NONE, Key::L);
    key(&mut first, Modifiers::NONE, Key::CloseBracket);
    close(first);
    let second = at_home(&home);
    assert!((edge(&second) - wide).abs() < 4.0, "{} {wide}", edge(&second));
    let playback = &second.state().playback;
    assert_eq!((playback.speed, playback.looping.is_some()), (2.0, true));
    assert!(second.state().layout().sidebars.is_some_and(|sidebars| sidebars.right));
}

#[test]
fn the_window_is_as_large_as_it_was() {
    let home = tempfile::tempdir().unwrap();
    let mut window = at_home(&home);
    let rect = egui::Rect::from_min_size(egui::pos2(30.0, 40.0), egui::vec2(1111.0, 777.0));
    if let Some(root) = window.input_mut().viewports.get_mut(&egui::ViewportId::ROOT) {
        root.inner_rect = Some(rect);
    }
    window.step();
    let ctx = window.ctx.clone();
    window.state_mut().note_window_size(&ctx);
    assert_eq!(window.state().settings.window_size, Some([1111.0, 777.0]));
}

#[test]
fn a_layout_file_is_not_written_over_with_another_recording() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("team.json");
    std::fs::write(&path, TWO).unwrap();
    let mut window = window(Start {
        locations: vec![Location::Path(drive())],
        layout: Some(Layout::parse(TWO).unwrap()),
        layout_path: Some(path.clone()),
        folders: Some(folders(&home)),
        ..Start::default()
    });
    settle(&mut window);
    let other = home.path().join("other.bag");
    std::fs::copy(drive(), &other).unwrap();
    window.state_mut().open(vec![Location::Path(other)]);
    settle(&mut window);
    press(&mut window, "Close 3D");
    close(window);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), TWO);
}

#[test]
fn escape_goes_to_what_is_open_before_it_ends_being_maximised() {
    let mut window = with(TWO);
    press(&mut window, "Maximise thermal");
    let is_alone = |window: &Window| window.query_by_role_and_label(Role::Tab, "Raw messages").is_none();
    press(&mut window, "Menu");
    window.get_by_label("Open recent");
    key(&mut window, Modifiers::NONE, Key::Escape);
    assert!(window.query_by_label("Open recent").is_none());
    assert!(is_alone(&window), "the menu took it");
    press(&mut window, "Speed 1.0×");
    let field = window.get_by_role_and_label(Role::TextInput, "Speed");
    field.focus();
    window.step();
    key(&mut window, Modifiers::NONE, Key::Escape);
    assert!(is_alone(&window), "the field took it");
    key(&mut window, Modifiers::NONE, Key::Escape);
    key(&mut window, Modifiers::NONE, Key::Escape);
    assert!(!is_alone(&window));
}

/// What a platform's own windows get, and how they were asked for.
#[derive(Default)]
struct Platform {
    keys: Vec<Key>,
    asked_sizes: Vec<Option<egui::Vec2>>,
    /// Largest sides of textures that passes went by.
    texture_sides: Vec<usize>,
}

/// Windows of their own, as on a desktop: each with its input, 30 points wider in every pass.
fn on_a_desktop(window: &Window) -> std::rc::Rc<std::cell::RefCell<Platform>> {
    let platform: std::rc::Rc<std::cell::RefCell<Platform>> = Default::default();
    window.ctx.set_embed_viewports(false);
    let shared = platform.clone();
    egui::Context::set_immediate_viewport_renderer(move |ctx, mut viewport| {
        let mut platform = shared.borrow_mut();
        platform.asked_sizes.push(viewport.builder.inner_size);
        let wider = 30.0 * platform.asked_sizes.len() as f32;
        let mut input = egui::RawInput {
            viewport_id: viewport.ids.this,
            screen_rect: Some(egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(400.0 + wider, 300.0))),
            max_texture_side: Some(16_384),
            ..Default::default()
        };
        input.viewports.insert(viewport.ids.this, egui::ViewportInfo::default());
        for key in std::mem::take(&mut platform.keys) {
            let event = |pressed| egui::Event::Key {
                key,
                physical_key: None,
                pressed,
                repeat: false,
                modifiers: Modifiers::NONE,
            };
            input.events.extend([event(true), event(false)]);
        }
        drop(platform);
        // nothing looks at the picture
        let _ = ctx.run_ui(input, |ui| {
            shared.borrow_mut().texture_sides.push(ui.input(|i| i.max_texture_side));
            (viewport.viewport_ui_cb)(ui);
        });
    });
    platform
}

#[test]
fn keys_count_in_a_panels_own_window_which_keeps_the_size_it_is_given() {
    let mut window = with(TWO);
    let platform = on_a_desktop(&window);
    press(&mut window, "Move thermal to its own window");
    let before = window.state().playback.now;
    platform.borrow_mut().keys.push(Key::ArrowRight);
    window.run_steps(3);
    assert_eq!(window.state().playback.now, before.plus_nanos(100_000_000));
    let asked = &platform.borrow().asked_sizes;
    assert!(asked.len() > 3 && asked.iter().all(|size| *size == asked[0]), "{asked:?}");
    let kept = window.state().layout();
    assert!(kept.windows[0].size[0] > 450.0, "{:?}", kept.windows);
    // with limits of their own the windows would redraw each other's letters
    let sides = &platform.borrow().texture_sides;
    assert!(!sides.is_empty() && sides.iter().all(|side| *side == 4096), "{sides:?}");
}

/// Two tabs, of which the first holds two panels side by side; a variable beside.
const NESTED: &str = r#"{"version":1,"panels":{
    "thermal":{"kind":"image","config":{"topic":"/flir_adk/thermal/image_raw"}},
    "fix":{"kind":"raw","config":{"topic":"/gps/fix"}},
    "speed":{"kind":"gauge","config":{"path":"/vehicle/steering_report.speed"}}},
    "root":{"tabs":[{"split":"row","title":"Sensors","children":[{"share":0.5,"tabs":["thermal"]},{"share":0.5,"tabs":["fix"]}]},
                    "speed"],"active":0},
    "variables":{"id":40,"name":"ego"}}"#;

#[test]
fn a_tab_holds_a_whole_arrangement() {
    let mut window = with(NESTED);
    tab(&window, "Sensors");
    assert_eq!(window.state().workspace.visible().len(), 2, "the panels of the first tab");
    window.get_by_role_and_label(Role::Tab, "/vehicle/steering_report.speed").click();
    window.run_steps(3);
    let shown: Vec<&str> = window.state().workspace.visible().iter().map(|p| p.kind.as_str()).collect();
    assert_eq!(shown, ["gauge"]);
    // split within its tab: a second arrangement
    press(&mut window, "Split /vehicle/steering_report.speed downwards");
    assert_eq!(window.state().workspace.visible().len(), 2);
    tab(&window, "Sensors");
    tab(&window, "/vehicle/steering_report.speed +1");
    let kept = window.state().layout();
    let again = Layout::parse(&kept.to_json()).unwrap();
    assert_eq!(roadreel::workspace::Workspace::from_layout(&again).to_layout().root, kept.root);
    assert!(kept.to_json().contains("\"title\": \"Sensors\""));
}

#[test]
fn tabs_of_arrangements_are_made_named_and_closed() {
    let mut window = with(TWO);
    window.get_by_role_and_label(Role::Tab, "thermal").click_secondary();
    window.run_steps(2);
    window.get_by_label_contains("New tab beside this arrangement").click();
    window.run_steps(3);
    assert_eq!(kinds(&window).len(), 3);
    assert_eq!(window.state().workspace.visible().len(), 1, "the new one");
    window.get_by_role_and_label(Role::Tab, "thermal +1").click_secondary();
    window.run_steps(2);
    window.get_by_label("Title of the tab").click();
    window.run_steps(2);
    window.get_by_label("Title of the tab").type_text("Front");
    window.run_steps(3);
    tab(&window, "Front");
    window.get_by_label_contains("Close the tab and its panels").click();
    window.run_steps(3);
    assert_eq!(kinds(&window), ["image"]);
}

#[test]
fn variables_belong_to_the_layout() {
    let window = with(NESTED);
    let variables = window.state().store.variables();
    assert_eq!(variables.get("id"), Some(&roadreel::path::Literal::Int(40)));
    assert_eq!(window.state().layout().variables["name"], serde_json::json!("ego"));
}
