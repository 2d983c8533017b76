//! Opening recordings, every way there is, and what is said where it fails.

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable};
use roadreel::app::Start;
use roadreel::source::Location;

use super::window::*;
use crate::server::{Behaviour, Server};

const COMMAND_SHIFT: Modifiers = Modifiers {
    shift: true,
    ..Modifiers::COMMAND
};

#[test]
fn the_welcome_screen_offers_to_open() {
    let window = window(Start::default());
    for label in ["Open file…", "Open URL…", "Open the demo drive"] {
        window.get_by_role_and_label(Role::Button, label);
    }
}

#[test]
fn the_file_dialog_opens_what_was_chosen() {
    let mut window = window(Start {
        choose_files: Some(Arc::new(|_| vec![drive()])),
        ..Start::default()
    });
    key(&mut window, Modifiers::COMMAND, Key::O);
    until(&mut window, "the chosen file is open", |w| w.state().store.span().is_some());
    window.run_steps(2);
    assert!(window.query_all_by_label("demo.bag").next().is_some());
    topic(&window, "/imu_raw");
}

#[test]
fn a_dialog_that_was_cancelled_changes_nothing() {
    let (asked, was_asked) = std::sync::mpsc::channel();
    let asked = std::sync::Mutex::new(asked);
    let mut window = window(Start {
        choose_files: Some(Arc::new(move |_| {
            asked.lock().unwrap().send(()).unwrap();
            Vec::new()
        })),
        ..Start::default()
    });
    press(&mut window, "Open file…");
    was_asked.recv().unwrap();
    window.run_steps(3);
    window.get_by_role_and_label(Role::Button, "Open file…");
}

#[test]
fn a_file_that_is_dropped_opens() {
    let mut window = window(Start::default());
    window.input_mut().dropped_files.push(Arc::new(Dropped(drive())));
    window.step();
    settle(&mut window);
    topic(&window, "/gps/fix");
}

/// The URL dialog, with `text` pasted and entered.
fn enter_url(window: &mut Window, text: &str) {
    key(window, COMMAND_SHIFT, Key::O);
    window.get_by_role_and_label(Role::TextInput, "URL").focus();
    window.step();
    window.event(egui::Event::Paste(text.to_owned()));
    // the field grows with what is in it
    window.run_steps(4);
    press(window, "Open");
}

#[test]
fn a_presigned_url_opens_and_its_query_is_nowhere_to_be_seen() {
    let server = Server::start(Behaviour::default());
    server.put_file("drives/demo.bag", drive());
    let home = tempfile::tempdir().unwrap();
    let mut window = window(Start {
        folders: Some(folders(&home)),
        ..Start::default()
    });
    // as mail programs break it
    let url = server.presigned("drives/demo.bag", 600).replace("&X-Amz-Date", "\n&X-Amz-Date");
    enter_url(&mut window, &url);
    settle(&mut window);
    assert!(window.query_all_by_label("demo.bag").next().is_some());
    assert!(window.query_by_label_contains("SECRET").is_none());
    assert_eq!(window.state().title(), "demo.bag – Roadreel");
    let recent = &window.state().settings.recent;
    assert_eq!(recent.as_slice(), [server.url("drives/demo.bag") + "?…"]);
    drop(window);
    let kept = std::fs::read_to_string(home.path().join("config/settings.json")).unwrap();
    assert!(kept.contains("demo.bag") && !kept.contains("X-Amz"), "{kept}");
}

#[test]
fn a_recent_url_without_a_query_opens_at_once_and_another_asks_for_it() {
    let server = Server::start(Behaviour::default());
    server.put_file("demo.bag", drive());
    let home = tempfile::tempdir().unwrap();
    let (plain, signed) = (server.url("demo.bag"), server.presigned("demo.bag", 600));
    let mut first = window(Start {
        locations: vec![Location::parse(&signed).unwrap(), Location::parse(&plain).unwrap()],
        folders: Some(folders(&home)),
        ..Start::default()
    });
    first.step();
    drop(first);
    let recent = |label: &str| {
        let mut window = window(Start {
            folders: Some(folders(&home)),
            ..Start::default()
        });
        window.get_by_label_contains(label).click();
        window.run_steps(3);
        window
    };
    let asks = recent("demo.bag?…");
    let field = asks.get_by_role_and_label(Role::TextInput, "URL");
    assert_eq!(field.value(), Some(plain.clone()));
    let opens = |window: &Window| window.state().store.sources().len();
    assert_eq!(opens(&asks), 0);
    let mut at_once = window(Start {
        folders: Some(folders(&home)),
        ..Start::default()
    });
    let rows: Vec<_> = at_once.query_all_by_label_contains("demo.bag").collect();
    assert_eq!(rows.len(), 2);
    rows[0].click();
    at_once.run_steps(3);
    assert_eq!(opens(&at_once), 1);
}

#[test]
fn at_first_sight_a_camera_that_began_late_is_there() {
    use roadreel::format::Connection;
    use roadreel::format::rosbag1::writer::{Compression, Writer};
    use roadreel::time::Time;

    const HEADER: &str = "===\nMSG: std_msgs/Header\nuint32 seq\ntime stamp\nstring frame_id";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("late.bag");
    let file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    let mut writer = Writer::new(file, Compression::None).unwrap();
    let mut connect = |topic: &str, type_name: &str, definition: String| {
        writer.add_connection(&Connection {
            topic: topic.into(),
            type_name: type_name.into(),
            definition: definition.as_str().into(),
            ..Connection::default()
        })
    };
    let speed = connect("/speed", "std_msgs/Float64", "float64 data".into());
    let image =
        format!("Header header\nuint32 height\nuint32 width\nstring encoding\nuint8 is_bigendian\nuint32 step\nuint8[] data\n{HEADER}");
    let camera = connect("/camera", "sensor_msgs/Image", image);
    let at = |tenth: u32| Time::from_sec_nsec(1_600_000_000 + tenth / 10, tenth % 10 * 100_000_000);
    for tenth in 0..200 {
        writer.write(speed, at(tenth), &f64::from(tenth).to_le_bytes()).unwrap();
        if tenth >= 30 {
            let picture = crate::encode::Encoder::new()
                .header(0, 1_600_000_000 + tenth / 10, 0, "camera")
                .u32(600)
                .u32(800);
            let picture = picture.text("mono8").u8(0).u32(800).counted(&vec![90; 480_000]);
            writer.write(camera, at(tenth), picture.bytes()).unwrap();
        }
    }
    std::io::Write::flush(&mut writer.finish().unwrap()).unwrap();
    let mut window = window(Start {
        locations: vec![Location::Path(path)],
        ..Start::default()
    });
    settle(&mut window);
    let into = window.state().playback.now.since(window.state().span().start);
    assert!((3_000_000_000..4_000_000_000).contains(&into), "{into}");
    let view = window.state().view();
    for pane in window.state().workspace.visible() {
        let state = pane.panel.state(&view);
        assert!(!matches!(state, roadreel::panel::PanelState::Absent(_)), "{}: {state:?}", pane.id);
    }
}

#[test]
fn what_is_no_url_is_told_in_the_dialog() {
    let mut window = window(Start::default());
    enter_url(&mut window, "http://");
    assert!(window.query_by_role_and_label(Role::TextInput, "URL").is_some(), "the dialog stays");
    press(&mut window, "Cancel");
    assert!(window.query_by_role_and_label(Role::TextInput, "URL").is_none());
}

#[test]
fn a_second_recording_opens_beside_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let second = folder.path().join("second.bag");
    std::fs::copy(drive(), &second).unwrap();
    let mut window = window(Start {
        locations: vec![Location::Path(drive())],
        choose_files: Some(Arc::new(move |_| vec![second.clone()])),
        ..Start::default()
    });
    settle(&mut window);
    window
        .get_all_by_role_and_label(Role::Button, "Add a recording…")
        .next()
        .unwrap()
        .click();
    until(&mut window, "the second one is there", |w| {
        w.state().store.topic_by_name("/second/imu_raw").is_some()
    });
    window.run_steps(2);
    assert!(window.query_all_by_label("second.bag").next().is_some());
}

/// What is said of a location that cannot be opened.
fn sentences(window: &Window) -> Vec<String> {
    let labels = window.query_all_by_role(Role::Label);
    labels.filter_map(|node| node.accesskit_node().value()).collect()
}

fn told(location: Location) -> Window {
    let mut window = window(Start {
        locations: vec![location],
        ..Start::default()
    });
    until(&mut window, "it is told", |w| {
        w.query_by_label("This recording could not be opened").is_some()
    });
    window
}

#[test]
fn files_that_are_no_recordings_are_told_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        Location::Path(path)
    };
    for (location, word) in [
        (file("nothing.bag", b""), "empty"),
        (file("notes.md", b"drive of Monday, ask Ada\n"), "notes.md"),
        (Location::Path(folder.path().to_owned()), "folder"),
    ] {
        let window = told(location);
        assert!(
            window.query_all_by_label_contains(word).next().is_some(),
            "{word}: {:?}",
            sentences(&window)
        );
    }
    let window = told(Location::Path(folder.path().join("gone.bag")));
    assert!(
        sentences(&window).iter().any(|s| s.contains("gone.bag")),
        "{:?}",
        sentences(&window)
    );
    // and what to do next
    window.get_by_role_and_label(Role::Button, "Open file…");
}

#[test]
fn a_store_that_refuses_is_told_without_the_signature() {
    let server = Server::start(Behaviour {
        require_signature: true,
        ..Behaviour::default()
    });
    server.put_file("demo.bag", drive());
    for (url, word) in [(server.presigned("demo.bag", -60), "expired"), (server.url("demo.bag"), "403")] {
        let window = told(Location::parse(&url).unwrap());
        let shown = sentences(&window);
        assert!(shown.iter().any(|text| text.contains(word)), "{word}: {shown:?}");
        assert!(!shown.iter().any(|text| text.contains("SECRET")), "{shown:?}");
    }
}

#[test]
fn a_bag_without_an_index_can_be_used_while_it_is_scanned() {
    let mut bytes = std::fs::read(drive()).unwrap();
    // as `rosbag record` leaves it when it is killed: the header names no index
    let at = bytes.windows(10).position(|w| w == b"index_pos=").unwrap() + 10;
    let index_at = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    bytes[at..at + 8].fill(0);
    bytes.truncate(usize::try_from(index_at).unwrap());
    let server = Server::start(Behaviour {
        rtt: std::time::Duration::from_millis(2),
        megabits_per_sec: 200.0,
        ..Behaviour::default()
    });
    server.put("drive.bag.active", bytes);
    let mut window = window(Start {
        locations: vec![Location::parse(&server.url("drive.bag.active")).unwrap()],
        ..Start::default()
    });
    until(&mut window, "the scan shows how far it is", |w| {
        w.query_by_label_contains("scanning").is_some() && w.state().store.span().is_some()
    });
    let so_far = window.state().span();
    key(&mut window, Modifiers::NONE, Key::Home);
    assert_eq!(window.state().playback.now, so_far.start);
    let first = window.state().store.topics()[0].name.clone();
    topic(&window, &first);
    settle(&mut window);
    assert!(window.state().span().end > so_far.end);
    assert!(window.query_by_label_contains("scanning").is_none());
}

#[test]
fn the_demo_drive_is_seen_while_it_is_made() {
    let home = tempfile::tempdir().unwrap();
    let options = roadreel::demo::Options {
        seconds: 2.4,
        ..Default::default()
    };
    let start = || Start {
        folders: Some(folders(&home)),
        demo: Some(options),
        ..Start::default()
    };
    let mut first = window(start());
    assert!(first.query_by_label("Making the demo drive…").is_some());
    until(&mut first, "the first part is there", |w| w.state().store.span().is_some());
    first.run_steps(2);
    first.get_by_label_contains("being made");
    let part = first.state().span();
    until(&mut first, "all of it is there", |w| w.state().growing().is_none());
    settle(&mut first);
    let whole = first.state().span();
    assert!(part.end < whole.end && whole.nanos() > 2_300_000_000, "{part:?} {whole:?}");
    let count = |name: &str| first.state().store.topic_by_name(name).map(|topic| topic.messages);
    assert_eq!(count("/imu_raw"), Some(240));
    assert_eq!(count("/os1_cloud_node/points"), Some(24));
    // the second time it is there at once
    let mut second = window(start());
    until(&mut second, "it is open", |w| w.state().store.span().is_some());
    assert_eq!(second.state().span(), whole);
}

#[test]
fn settings_that_cannot_be_read_are_never_written_over() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config/settings.json");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let open = || {
        let mut window = window(Start {
            locations: vec![Location::Path(drive().to_owned())],
            folders: Some(folders(&home)),
            ..Start::default()
        });
        settle(&mut window);
        window
    };
    let broken = r#"{"recent": [], "renew": {"command": ["sign-again"]}"#;
    std::fs::write(&path, broken).unwrap();
    let window = open();
    assert!(
        window
            .query_by_label_contains("the settings cannot be read, and stay as they are")
            .is_some()
    );
    drop(window);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), broken);
    // as people write them by hand
    std::fs::write(
        &path,
        "{\n  // where new links come from\n  \"renew\": {\"command\": [\"sign-again\"]},\n}",
    )
    .unwrap();
    drop(open());
    let kept: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(kept["renew"]["command"][0], "sign-again");
    assert_eq!(kept["recent"].as_array().unwrap().len(), 1);
}
