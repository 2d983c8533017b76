//! Scenes in the window: lanes, the list, going to them, and one's own marks.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Key, Modifiers, pos2};
use egui_kittest::kittest::{NodeT as _, Queryable};
use roadreel::app::{Choosing, Start};
use roadreel::layout::Layout;
use roadreel::scenes::{Scene, SceneSet};
use roadreel::source::{Link, Location};
use roadreel::time::{Span, Time, When};

use super::window::*;

/// Of the demo drive, which lasts a second.
const START: i64 = 1_777_887_000_000_000_000;

fn at(millis: i64) -> Time {
    Time(START + millis * 1_000_000)
}

fn secs(millis: i64) -> String {
    format!("{:.3}", (START / 1_000_000 + millis) as f64 / 1e3)
}

/// A folder with the drive in it, and a table of these scenes beside it: class, start and end in milliseconds.
fn folder_with(scenes: &[(&str, &str, i64, Option<i64>)]) -> (tempfile::TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let bag = folder.path().join("demo.bag");
    std::fs::copy(drive(), &bag).unwrap();
    let mut csv = "bag_file,scene_id,class,start_time,end_time,num_people\n".to_owned();
    for (number, (record, class, start, end)) in scenes.iter().enumerate() {
        let end = end.map(secs).unwrap_or_default();
        csv += &format!("{record},{record}_{class}_{number},{class},{},{end},{number}\n", secs(*start));
    }
    let table = folder.path().join("scenes.csv");
    std::fs::write(&table, csv).unwrap();
    (folder, bag, table)
}

fn small() -> Option<Layout> {
    let layout = r#"{"version":1,"panels":{"raw":{"kind":"raw","config":{"topic":"/gps/fix"}}},"root":{"tabs":["raw"]}}"#;
    Some(Layout::parse(layout).unwrap())
}

fn window_of(locations: Vec<PathBuf>) -> Window {
    let mut window = window(Start {
        locations: locations.into_iter().map(Location::Path).collect(),
        layout: small(),
        ..Start::default()
    });
    settle(&mut window);
    window
}

fn has(window: &Window, label: &str) -> bool {
    window.query_all_by_label_contains(label).next().is_some()
}

fn scene(window: &mut Window, name: &str) {
    let label = format!("Scene {name}");
    window.get_by_role_and_label(Role::Button, &label).click();
    window.run_steps(3);
}

fn choose(window: &mut Window, name: &str, what: &str) {
    let label = format!("Scene {name}");
    window.get_by_role_and_label(Role::Button, &label).click_secondary();
    window.run_steps(3);
    window.get_by_role_and_label(Role::Button, what).click();
    window.run_steps(3);
}

const THREE: [(&str, &str, i64, Option<i64>); 3] = [
    ("demo", "braking", 100, Some(300)),
    ("demo", "cut-in", 400, Some(450)),
    ("demo", "braking", 700, Some(900)),
];

#[test]
fn a_table_of_scenes_among_recordings_joins_as_lanes_and_a_list() {
    let (_folder, bag, table) = folder_with(&THREE);
    let mut window = window_of(vec![bag, table]);
    until(&mut window, "the lanes are there", |w| has(w, "Scenes of braking: 2"));
    assert!(has(&window, "Scenes of cut-in: 1"));
    assert_eq!(window.state().store.sources().len(), 1, "the table is no topic");
    scene(&mut window, "cut-in_1");
    assert_eq!(window.state().playback.now, at(400));

    // next and previous, in time
    for (pressed, millis) in [(Key::N, 700), (Key::N, 700), (Key::P, 400), (Key::P, 100), (Key::P, 100)] {
        key(&mut window, Modifiers::NONE, pressed);
        assert_eq!(window.state().playback.now, at(millis), "{pressed:?}");
    }
    assert!(has(&window, "There is no scene before this one"));

    key(&mut window, Modifiers::SHIFT, Key::L);
    assert_eq!(window.state().playback.looping, Some(Span::new(at(100), at(300))));
    key(&mut window, Modifiers::SHIFT, Key::L);
    assert_eq!(window.state().playback.looping, None);
    choose(&mut window, "braking_2", "Zoom to this scene");
    assert_eq!(window.state().playback.now, at(700));
    press(&mut window, "Show the whole recording in the timeline");

    // filters of the list, which next and previous follow
    press(&mut window, "Class braking");
    assert!(!has(&window, "Scene braking_0") && has(&window, "Scene cut-in_1"));
    assert!(!has(&window, "Scenes of braking"), "nor is there a lane");
    key(&mut window, Modifiers::NONE, Key::Home);
    key(&mut window, Modifiers::NONE, Key::N);
    assert_eq!(window.state().playback.now, at(400));
    press(&mut window, "Class braking");
    window.get_by_role_and_label(Role::TextInput, "Filter scenes").focus();
    window.step();
    window.event(egui::Event::Text("braking 2".into()));
    window.run_steps(3);
    assert!(!has(&window, "Scene braking_0") && has(&window, "Scene braking_2"));
    crate::names::assert_named(&window, "scenes");
}

#[test]
fn a_click_on_a_lane_goes_to_its_scene_and_beside_it_to_that_time() {
    let (_folder, bag, table) = folder_with(&THREE);
    let mut window = window_of(vec![bag, table]);
    until(&mut window, "the lanes are there", |w| has(w, "Scenes of braking: 2"));
    let span = window.state().span();
    let lane = window.get_by_label("Scenes of braking: 2").rect();
    let x = |time: Time| {
        let share = time.since(span.start) as f32 / span.nanos() as f32;
        pos2(lane.left() + share * lane.width(), lane.center().y)
    };
    window.hover_at(x(at(800)));
    window.run_steps(60);
    assert!(has(&window, "num_people: 2"), "what the table says of it");
    click_at(&mut window, x(at(820)));
    assert_eq!(window.state().playback.now, at(700));
    click_at(&mut window, x(at(550)));
    let off = window.state().playback.now.since(at(550)).abs();
    assert!(off < 3_000_000, "{off} ns");
}

#[test]
fn a_table_that_is_dropped_joins_and_one_of_measurements_opens() {
    let (folder, bag, table) = folder_with(&THREE);
    let mut window = window_of(vec![bag]);
    window.input_mut().dropped_files.push(Arc::new(Dropped(table)));
    window.step();
    until(&mut window, "the lanes are there", |w| has(w, "Scenes of braking: 2"));
    assert_eq!(window.state().store.sources().len(), 1, "the bag stays");
    let speeds = folder.path().join("speeds.csv");
    std::fs::write(&speeds, format!("Time,speed\n{},3\n{},4\n", secs(100), secs(200))).unwrap();
    window.state_mut().offer(vec![Location::Path(speeds)], true);
    until(&mut window, "it is a topic", |w| w.state().store.topic_by_name("/speeds").is_some());
}

#[test]
fn a_link_to_what_may_be_a_folder_leads_to_its_moment() {
    let (folder, bag, _) = folder_with(&[]);
    let lake = folder.path().join("lake.v2");
    std::fs::create_dir(&lake).unwrap();
    std::fs::copy(&bag, lake.join("other.bag")).unwrap();
    let mut window = window_of(vec![bag]);
    let link = Link {
        locations: vec![Location::Path(lake)],
        seek_to: Some(When::At(at(400))),
        ..Link::default()
    };
    window.state_mut().open_link(link, false);
    let name = |w: &Window| w.state().store.sources().first().map(|source| source.location.name());
    until(&mut window, "the folder's recording is open", |w| {
        name(w).as_deref() == Some("other.bag")
    });
    settle(&mut window);
    assert_eq!(window.state().playback.now, at(400));
}

#[test]
fn an_export_of_dynamodb_that_is_dropped_joins() {
    let (folder, bag, _) = folder_with(&[]);
    let export = folder.path().join("Rosbag-Scene-Metadata.json");
    let item = serde_json::json!({"bag_file": {"S": "demo"}, "scene_id": {"S": "demo_PersonInLane_1"}, "bag_file_prefix": {"S": "demo.bag"},
        "start_time": {"N": secs(200)}, "end_time": {"NULL": true}});
    let text = serde_json::to_string_pretty(&serde_json::json!({"TableName": "Rosbag-Scene-Metadata", "Items": [item]})).unwrap();
    std::fs::write(&export, text).unwrap();
    let mut window = window_of(vec![bag]);
    window.input_mut().dropped_files.push(Arc::new(Dropped(export)));
    window.step();
    until(&mut window, "the lane is there", |w| has(w, "Scenes of PersonInLane: 1"));
    scene(&mut window, "PersonInLane_1");
    assert_eq!(window.state().playback.now, at(200));
}

#[test]
fn a_scene_of_another_recording_opens_that_at_its_moment() {
    let (folder, bag, table) = folder_with(&[("demo", "braking", 100, Some(300)), ("other", "cut-in", 600, Some(700))]);
    let other = folder.path().join("other.bag");
    std::fs::copy(&bag, &other).unwrap();
    let mut window = window_of(vec![bag, table]);
    until(&mut window, "the lanes are there", |w| has(w, "Scenes of braking: 1"));
    assert!(!has(&window, "Scenes of cut-in"), "it lies in what is not open");
    scene(&mut window, "cut-in_1");
    until(&mut window, "it is open", |w| {
        w.state().store.sources().iter().any(|source| source.location.name() == "other.bag") && w.state().store.span().is_some()
    });
    settle(&mut window);
    assert_eq!(window.state().store.sources().len(), 1);
    assert_eq!(window.state().playback.now, at(600));
    assert!(has(&window, "Scenes of cut-in: 1") && !has(&window, "Scenes of braking"));
}

#[test]
fn a_table_alone_lists_its_scenes_and_opens_their_recordings() {
    let (_folder, _, table) = folder_with(&THREE);
    let mut window = window(Start {
        locations: vec![Location::Path(table)],
        layout: small(),
        ..Start::default()
    });
    until(&mut window, "they are listed", |w| has(w, "Scene braking_0"));
    assert!(has(&window, "Choose a scene"));
    scene(&mut window, "braking_2");
    settle(&mut window);
    assert_eq!(window.state().playback.now, at(700));
}

#[test]
fn what_is_odd_is_shown_as_such() {
    let (folder, bag, _) = folder_with(&[]);
    let table = folder.path().join("odd.csv");
    let lines = [
        format!("demo,no_end,braking,{},", secs(100)),
        format!("demo,whole,braking,{},{}", secs(200), secs(300)),
        format!("demo,millis,braking,{},{}", START / 1_000_000 + 400, secs(500)),
        format!(",no_bag,braking,{},{}", secs(500), secs(600)),
        format!("gone,gone,braking,{},{}", secs(500), secs(600)),
        "demo,nonsense,braking,soon,".to_owned(),
        "demo,years_ago,braking,1600000000,1600000001".to_owned(),
    ];
    std::fs::write(
        &table,
        format!("bag_file,scene_id,class,start_time,end_time\n{}\n", lines.join("\n")),
    )
    .unwrap();
    let mut window = window_of(vec![bag, table]);
    // the scene of no recording is of what is open at its time
    until(&mut window, "the lanes are there", |w| has(w, "Scenes of braking: 4"));
    for (name, told) in [
        ("no_end", "It has no end: a moment."),
        ("millis", "Its start is in milliseconds, where others are in seconds: read as such."),
        ("no_bag", "It names no recording."),
        ("gone", "Its recording is not beside the table, where those of others are."),
        ("nonsense", "Its start is no time: “soon”."),
        ("years_ago", "There is nothing recorded at its time."),
    ] {
        let label = format!("Scene {name}");
        window.get_by_role_and_label(Role::Button, &label).hover();
        window.run_steps(60);
        assert!(has(&window, told), "{name}");
    }
    scene(&mut window, "millis");
    assert_eq!(window.state().playback.now, at(400));
    scene(&mut window, "no_bag");
    assert_eq!(window.state().playback.now, at(500));
    scene(&mut window, "nonsense");
    assert!(has(&window, "Its start is no time: “soon”."));
    scene(&mut window, "years_ago");
    assert!(has(&window, "There is nothing recorded at the time of this scene"));
    scene(&mut window, "gone");
    until(&mut window, "it is told", |w| {
        has(w, "The scene's recording is not beside its table, and no bucket is named: gone")
    });
    assert_eq!(window.state().playback.now, at(500), "nothing is closed for it");
    press(&mut window, "6 odd");
    assert!(!has(&window, "Scene whole"));
}

#[test]
fn a_set_that_cannot_be_read_is_told() {
    let (folder, bag, _) = folder_with(&[]);
    let broken = folder.path().join("scenes.parquet");
    std::fs::write(&broken, b"PAR1 and nothing more").unwrap();
    let mut window = window(Start {
        locations: vec![Location::Path(bag)],
        layout: small(),
        choose_files: Some(Arc::new(move |_| vec![broken.clone()])),
        ..Start::default()
    });
    settle(&mut window);
    window.get_by_role_and_label(Role::Tab, "Scenes").click();
    window.run_steps(3);
    press(&mut window, "Open scenes…");
    until(&mut window, "it is told", |w| has(w, "scenes.parquet") && has(w, "Dismiss"));
    press(&mut window, "Dismiss");
    assert!(!has(&window, "Dismiss"));
}

/// The scenes of the window's own sets.
fn marks(window: &Window) -> Vec<Scene> {
    window.state().scene_sets().flat_map(|set| set.scenes.clone()).collect()
}

#[test]
fn marks_are_made_edited_undone_saved_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("marks.parquet");
    let (to, from) = (saved.clone(), drive());
    let mut window = window(Start {
        locations: vec![Location::Path(from)],
        layout: small(),
        choose_files: Some(Arc::new(move |why| match why {
            Choosing::SaveScenes => vec![to.clone()],
            _ => Vec::new(),
        })),
        ..Start::default()
    });
    settle(&mut window);
    // M begins, M ends
    window.state_mut().seek(at(200));
    key(&mut window, Modifiers::NONE, Key::M);
    window.state_mut().seek(at(350));
    key(&mut window, Modifiers::NONE, Key::M);
    let found = marks(&window);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].start, found[0].end), (Some(at(200)), Some(at(350))));
    assert_eq!((&*found[0].record, found[0].class.as_deref()), ("demo", Some("Mark")));
    assert!(has(&window, "Scenes of Mark: 1"));

    // Esc gives a mark up
    key(&mut window, Modifiers::NONE, Key::M);
    key(&mut window, Modifiers::NONE, Key::Escape);
    key(&mut window, Modifiers::NONE, Key::M);
    key(&mut window, Modifiers::NONE, Key::Escape);
    assert_eq!(marks(&window).len(), 1);

    // its fields
    for (field, typed) in [("Class of the mark", "cut-in"), ("Text of the mark", "a lorry")] {
        let node = window.get_by_role_and_label(Role::TextInput, field);
        node.focus();
        window.step();
        key(&mut window, Modifiers::COMMAND, Key::A);
        window.event(egui::Event::Text(typed.into()));
        window.step();
        key(&mut window, Modifiers::NONE, Key::Enter);
    }
    let found = marks(&window);
    assert_eq!(
        (found[0].class.as_deref(), found[0].text.as_deref()),
        (Some("cut-in"), Some("a lorry"))
    );
    assert_eq!(found[0].start, Some(at(200)), "what was not edited stays");
    assert!(has(&window, "Scenes of cut-in: 1"));

    // a drag with Shift on the timeline
    let whole = window.state().span();
    let lane = window.get_by_label("Scenes of cut-in: 1").rect();
    let x = |share: f32| pos2(lane.left() + share * lane.width(), lane.center().y);
    shift_drag(&mut window, x(0.6), x(0.8));
    let found = marks(&window);
    assert_eq!(found.len(), 2);
    let off = found[1].start.unwrap().since(whole.at_fraction(0.6)).abs() + found[1].end.unwrap().since(whole.at_fraction(0.8)).abs();
    assert!(off < whole.nanos() / 100, "{off} ns");
    assert_eq!(found[1].class.as_deref(), Some("cut-in"), "as the one before");

    // deleted, brought back, taken back
    press(&mut window, "Delete this mark");
    assert_eq!(marks(&window).len(), 1);
    key(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(marks(&window), found);
    key(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(marks(&window).len(), 1, "the drag");
    key(&mut window, Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    assert_eq!(marks(&window), found);

    press(&mut window, "Save marks");
    until(&mut window, "they are saved", |w| has(w, "Saved "));
    drop(window);
    let mut again = window_of(vec![drive(), saved]);
    until(&mut again, "they are there again", |w| has(w, "Scenes of cut-in: 2"));
    let read: Vec<_> = marks(&again)
        .into_iter()
        .map(|scene| (scene.id, scene.start, scene.end, scene.class, scene.text))
        .collect();
    let wanted: Vec<_> = found
        .into_iter()
        .map(|scene| (scene.id, scene.start, scene.end, scene.class, scene.text))
        .collect();
    assert_eq!(read, wanted, "to the nanosecond");
}

fn shift_drag(window: &mut Window, from: egui::Pos2, to: egui::Pos2) {
    let button = |pos, pressed| egui::Event::PointerButton {
        pos,
        button: egui::PointerButton::Primary,
        pressed,
        modifiers: Modifiers::SHIFT,
    };
    window.hover_at(from);
    window.run_steps(2);
    window.event(egui::Event::ModifiersChanged(Modifiers::SHIFT));
    window.step();
    window.event(button(from, true));
    window.step();
    for part in 1..=8 {
        window.event(egui::Event::PointerMoved(from.lerp(to, part as f32 / 8.0)));
        window.step();
    }
    window.event(button(to, false));
    window.step();
    window.event(egui::Event::ModifiersChanged(Modifiers::NONE));
    window.run_steps(3);
}

#[test]
fn marks_that_are_not_saved_are_there_when_the_recording_is_opened_again() {
    let home = tempfile::tempdir().unwrap();
    let start = || Start {
        locations: vec![Location::Path(drive())],
        layout: small(),
        folders: Some(folders(&home)),
        ..Start::default()
    };
    let mut window = window(start());
    settle(&mut window);
    window.state_mut().seek(at(200));
    key(&mut window, Modifiers::NONE, Key::M);
    key(&mut window, Modifiers::NONE, Key::M);
    drop(window);
    let mut again = super::window::window(start());
    settle(&mut again);
    until(&mut again, "it is there", |w| has(w, "Scenes of Mark: 1"));
    assert_eq!(marks(&again)[0].start, Some(at(200)));
}

/// Two windows on one recording keep what each of them has; what is deleted in one is not brought back by it.
#[test]
fn marks_of_two_windows_are_kept_side_by_side() {
    let home = tempfile::tempdir().unwrap();
    let start = || Start {
        locations: vec![Location::Path(drive())],
        layout: small(),
        folders: Some(folders(&home)),
        ..Start::default()
    };
    let mark = |window: &mut Window, millis: i64| {
        window.state_mut().seek(at(millis));
        key(window, Modifiers::NONE, Key::M);
        key(window, Modifiers::NONE, Key::M);
    };
    let [mut one, mut other] = [(); 2].map(|()| {
        let mut window = window(start());
        settle(&mut window);
        window
    });
    mark(&mut one, 200);
    mark(&mut other, 400);
    mark(&mut one, 600);
    drop(other);
    key(&mut one, Modifiers::COMMAND, Key::Z);
    drop(one);
    let mut again = super::window::window(start());
    settle(&mut again);
    until(&mut again, "they are there", |w| has(w, "Scenes of Mark: 2"));
    let mut starts: Vec<Option<Time>> = marks(&again).iter().map(|scene| scene.start).collect();
    starts.sort();
    assert_eq!(starts, [Some(at(200)), Some(at(400))]);
}

/// Ten thousand scenes of four classes, all over the drive.
fn ten_thousand() -> SceneSet {
    let location = Location::Path(Path::new("demo.bag").into());
    let scenes = (0..10_000_i64).map(|number| {
        let class = ["braking", "cut-in", "PersonInLane", "overtaking"][(number % 4) as usize];
        let start = START + number * 90_000;
        Scene::new(&location, class, Span::new(Time(start), Time(start + 5_000_000)))
    });
    SceneSet::new("many".into(), None, scenes.collect())
}

#[test]
fn ten_thousand_scenes_cost_what_is_in_view() {
    let mut window = window_of(vec![drive()]);
    let vertices = |window: &Window| -> usize {
        let of = |shape: &egui::epaint::ClippedShape| match &shape.shape {
            egui::Shape::Mesh(mesh) => mesh.vertices.len(),
            _ => 1,
        };
        window.output().shapes.iter().map(of).sum()
    };
    window.state_mut().add_scenes(SceneSet::default());
    window.run_steps(3);
    let before = vertices(&window);
    window.state_mut().add_scenes(ten_thousand());
    window.run_steps(3);
    assert!(has(&window, "Scenes of braking: 2500"));
    // a lane has no more bars than pixels, of two rectangles each
    let lane = window.get_by_label("Scenes of braking: 2500").rect().width() as usize;
    let more = vertices(&window) - before;
    assert!(more < 4 * (lane + 2) * 8 + 2000, "{more} vertices in lanes of {lane} points");
    let rows = window
        .query_all_by_label_contains("Scene ")
        .filter(|node| node.accesskit_node().role() == Role::Button)
        .count();
    assert!((5..40).contains(&rows), "{rows} rows");
    key(&mut window, Modifiers::NONE, Key::Home);
    key(&mut window, Modifiers::NONE, Key::N);
    let after = window.state().playback.now.since(window.state().span().start);
    assert!((1..=90_000).contains(&after), "{after} ns after the start");
}

/// A lake's folder: its recording, its tables and its scenes, of the recording's hours only where that is open beside them.
#[test]
fn a_folder_joins_with_all_that_it_holds() {
    let (folder, bag, _) = folder_with(&THREE);
    let imu = |bag: &str, from: i64| {
        let path = folder.path().join(format!("imu/bag_file={bag}/data.csv"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let rows: String = (0..10).map(|n| format!("{},{n}\n", secs(from + n * 100))).collect();
        std::fs::write(path, format!("Time,z\n{rows}")).unwrap();
    };
    imu("demo", 0);
    imu("other", 86_400_000);
    let mut window = window_of(vec![folder.path().to_owned()]);
    until(&mut window, "the lanes are there", |w| has(w, "Scenes of braking: 2"));
    settle(&mut window);
    let state = window.state();
    assert_eq!(state.store.sources().len(), 2, "the bag, and the tables");
    assert!(state.store.topic_by_name("/gps/fix").is_some());
    assert!(state.span().nanos() < 2_000_000_000, "the other recording's rows are not there");
    assert_eq!(state.store.topic_by_name("/imu").map(|topic| topic.messages), Some(10));
    let mut notes = (0..2)
        .filter_map(|source| state.store.catalog(source))
        .flat_map(|catalog| &catalog.notes);
    assert!(notes.any(|note| note.contains("rows of other")), "it is told");

    // tables of a recording stand for it
    let mut window = window_of(vec![folder.path().join("imu"), folder.path().join("scenes.csv")]);
    until(&mut window, "the lanes are there", |w| has(w, "Scenes of braking: 2"));
    assert!(window.state().span().nanos() > 80_000_000_000_000);

    // beside its bag, as above
    let mut window = window_of(vec![bag, folder.path().join("imu")]);
    until(&mut window, "the table is there", |w| w.state().store.sources().len() == 2);
    settle(&mut window);
    assert!(window.state().span().nanos() < 2_000_000_000);
}

#[test]
fn lanes_of_scenes_look_as_they_did() {
    use egui_kittest::{SnapshotOptions, SnapshotResults};

    // one ends before it begins, one has no end
    let (_folder, bag, table) = folder_with(&[
        ("demo", "braking", 100, Some(300)),
        ("demo", "braking", 600, Some(500)),
        ("demo", "cut-in", 400, Some(450)),
        ("demo", "cut-in", 500, None),
        ("demo", "braking", 700, Some(990)),
    ]);
    let mut window = egui_kittest::Harness::builder()
        .with_size([480.0, 320.0])
        .with_theme(egui::Theme::Dark)
        .with_step_dt(0.02)
        .with_context_setup(roadreel::theme::install)
        .wgpu()
        .build_ui_state(
            roadreel::app::root,
            state(Start {
                locations: vec![Location::Path(bag), Location::Path(table)],
                layout: small(),
                ..Start::default()
            }),
        );
    settle(&mut window);
    until(&mut window, "the lanes are there", |w| has(w, "Scenes of braking: 3"));
    key(&mut window, Modifiers::NONE, Key::N);
    assert_eq!(window.state().playback.now, at(400));
    window.run_steps(60);
    let lane = |name: &str| window.get_by_label_contains(name).rect();
    let lanes = lane("Scenes of braking").union(lane("Scenes of cut-in")).expand(2.0);
    window.mask(egui::Rect::everything_above(lanes.top()));
    window.mask(egui::Rect::everything_below(lanes.bottom()));
    let mut results = SnapshotResults::new();
    results.add(window.try_snapshot_options("scene_lanes_dark", &SnapshotOptions::new().threshold(1.0).max_failed_pixels(20)));
    results.extend_harness(&mut window);
}
