//! The window over a network, driven by role and label: a link that ends and its successor, browsing S3.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use roadreel::app::{AppState, MakeExecutor, Start, root};
use roadreel::run::{Executor, Io};
use roadreel::source::{AwsOptions, Cache, CacheOptions, Location, Net, Policy, SceneTable};
use roadreel::store::LinkState;

use crate::names::assert_named;
use crate::server::{Behaviour, Server};
use crate::stream::{START, bag};

thread_local! {
    /// Tells that the test's newest window has something to take in.
    static WOKEN: RefCell<Option<Receiver<()>>> = const { RefCell::new(None) };
}

fn window(server: &Server, locations: Vec<Location>) -> Harness<'static, AppState> {
    let start = Start {
        locations,
        ..Start::default()
    };
    window_with(server, start, None)
}

/// With what a user keeps.
pub fn window_with(server: &Server, start: Start, cache: Option<Cache>) -> Harness<'static, AppState> {
    let aws = AwsOptions {
        endpoint_url: Some(server.url("")),
        unsigned: true,
        ..AwsOptions::default()
    };
    let net = Net::new(Policy::default(), &[]).expect("a client").with_aws(aws);
    let mut io = Io::over(net).expect("a runtime");
    if let Some(cache) = cache {
        io = io.cached(cache);
    }
    let make: MakeExecutor = Arc::new(move |waker| Executor::with(io.clone(), move || waker()));
    let (wake, woken) = channel();
    WOKEN.set(Some(woken));
    let waker = move || {
        // the test is over: nobody to wake
        let _ = wake.send(());
    };
    let state = AppState::new(start, make, Arc::new(waker));
    let mut harness = Harness::builder()
        .with_size([1280.0, 800.0])
        .with_step_dt(0.02)
        .with_context_setup(roadreel::theme::install)
        .build_ui_state(root, state);
    harness.step();
    harness
}

/// Steps until `there` is true, waiting for the executor in between.
#[track_caller]
pub fn until(harness: &mut Harness<'static, AppState>, what: &str, there: impl Fn(&Harness<'static, AppState>) -> bool) {
    for _ in 0..2000 {
        harness.step();
        if there(harness) {
            return;
        }
        if !harness.state().executor.wait() {
            // pages are listed on threads of their own; without news the next pass looks again all the same
            let patience = Duration::from_millis(100);
            WOKEN.with_borrow(|woken| woken.as_ref().map(|w| w.recv_timeout(patience)));
        }
    }
    panic!("never: {what}");
}

pub fn button(harness: &Harness<'static, AppState>, says: &str) -> bool {
    harness.query_all_by_label_contains(says).next().is_some()
}

#[test]
fn a_link_that_ended_is_replaced_in_the_window() {
    let server = Server::start(Behaviour::default());
    server.put("drive.bag", bag());
    let link = |server: &Server| server.presigned("drive.bag", 60);
    let mut harness = window(&server, vec![Location::parse(&link(&server)).expect("a location")]);
    until(&mut harness, "open", |h| {
        h.state().is_settled(false) && h.state().store.span().is_some()
    });
    assert!(button(&harness, "expires in "), "the countdown");
    server.behave(|b| b.now_secs += 3600);
    harness.state_mut().seek(START.plus_nanos(1_900_000_000));
    until(&mut harness, "ended", |h| h.state().store.sources()[0].link == LinkState::Ended);
    harness.run_steps(2);
    harness
        .query_all_by_label_contains("link expired")
        .next()
        .expect("a button that says so")
        .click();
    harness.run_steps(2);
    assert_named(&harness, "the dialog for a new link");
    let field = harness.get_by_role_and_label(Role::TextInput, "New link");
    field.focus();
    field.type_text(&link(&server));
    harness.run_steps(2);
    harness.get_by_role_and_label(Role::Button, "Use this link").click();
    until(&mut harness, "read on", |h| {
        h.state().store.sources()[0].link == LinkState::Works && h.state().is_settled(false)
    });
    harness.run_steps(2);
    assert!(button(&harness, "expires in "), "the new countdown");
    assert_eq!(harness.state().playback.now, START.plus_nanos(1_900_000_000), "the playhead stays");
}

#[test]
fn s3_is_browsed_filtered_and_opened() {
    let server = Server::start(Behaviour::default());
    let object = |n: usize| {
        format!(
            "<Contents><Key>2026/run-{n}.bag</Key><LastModified>2026-01-02T03:04:05Z</LastModified><Size>{}</Size></Contents>",
            n * 1_000_000
        )
    };
    let objects: String = (1..40).map(object).collect();
    let page = format!(
        "<ListBucketResult><Name>drives</Name><Prefix></Prefix><IsTruncated>false</IsTruncated>{objects}<CommonPrefixes><Prefix>2026/night/</Prefix></CommonPrefixes></ListBucketResult>"
    );
    for path in ["drives/", "drives"] {
        server.put(path, page.clone());
    }
    server.put("drives/2026/run-7.bag", bag());
    let mut harness = window(&server, Vec::new());
    harness
        .state_mut()
        .run(roadreel::app::command::Command::BrowseS3, &egui::Context::default());
    harness.run_steps(2);
    let place = harness.get_by_role_and_label(Role::TextInput, "Place");
    place.focus();
    place.type_text("drives/2026/");
    harness.run_steps(2);
    harness.get_by_role_and_label(Role::Button, "Go").click();
    until(&mut harness, "listed", |h| button(h, "40 entries"));
    assert!(
        harness.query_by_role_and_label(Role::ListItem, "night/").is_some(),
        "folders come first"
    );
    let filter = harness.get_by_role_and_label(Role::TextInput, "Filter by name");
    filter.focus();
    filter.type_text("run-7");
    harness.run_steps(2);
    assert!(button(&harness, "1 of 40 entries"));
    harness.get_by_role_and_label(Role::ListItem, "run-7.bag").click();
    harness.run_steps(2);
    harness.get_by_role_and_label(Role::Button, "Open").click();
    until(&mut harness, "open", |h| h.state().store.span().is_some());
    assert_eq!(
        harness.state().store.sources()[0].location.to_string(),
        "s3://drives/2026/run-7.bag"
    );
}

#[test]
fn twelve_thousand_keys_are_scrolled_and_filtered_page_by_page() {
    let root = crate::s3_signed::twelve_thousand_keys();
    let store = crate::s3_signed::public_store_of(root.path());
    let mut harness = window(&store, Vec::new());
    harness
        .state_mut()
        .run(roadreel::app::command::Command::BrowseS3, &egui::Context::default());
    harness.run_steps(2);
    let type_into = |harness: &mut Harness<'static, AppState>, field: &str, text: &str| {
        let field = harness.get_by_role_and_label(Role::TextInput, field);
        field.focus();
        field.type_text(text);
        harness.run_steps(2);
    };
    let rows = |harness: &Harness<'static, AppState>| harness.query_all_by_role(Role::ListItem).count();
    until(&mut harness, "the buckets", |h| button(h, "1 entr"));
    store.reset_stats();
    type_into(&mut harness, "Place", "fleet/2026/");
    harness.get_by_role_and_label(Role::Button, "Go").click();
    until(&mut harness, "the first page", |h| button(h, "1000 entries, more to come"));
    assert_eq!(store.stats().requests, 1, "one page is asked for, however long the list is");
    assert!((5..40).contains(&rows(&harness)), "{} rows", rows(&harness));
    // at the end of what is there the next page comes
    let row = harness.get_by_role_and_label(Role::ListItem, "drive-00003.bag").rect().center();
    harness.hover_at(row);
    harness.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: egui::vec2(0.0, -1e6),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Wheel,
        modifiers: egui::Modifiers::NONE,
    });
    until(&mut harness, "the second page", |h| button(h, "2000 entries, more to come"));
    assert_eq!(store.stats().requests, 2);
    // a filter is answered from all of the folder; meanwhile the window goes on
    type_into(&mut harness, "Filter by name", "drive-1199");
    assert!(button(&harness, "0 of 2000 entries, more to come") || button(&harness, "0 of 3000 entries, more to come"));
    until(&mut harness, "all pages", |h| button(h, "10 of 12000 entries"));
    // one that takes long is asked for again
    let asked = store.stats().log.into_iter().map(|asked| asked.query);
    assert_eq!((asked.collect::<BTreeSet<_>>().len(), rows(&harness)), (12, 10));
    harness.get_by_role_and_label(Role::ListItem, "drive-11993.bag").click();
    harness.run_steps(2);
    harness
        .get_by_role_and_label(Role::ListItem, "drive-11997.bag")
        .click_modifiers(egui::Modifiers::COMMAND);
    harness.run_steps(2);
    assert!(harness.query_by_role_and_label(Role::Button, "Open 2 recordings").is_some());
}

#[test]
fn what_the_timeline_shows_is_kept_offline_and_opens_without_a_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = || {
        Cache::new(CacheOptions {
            folder: Some(folder.path().to_owned()),
            disk_bytes: 1 << 30,
            memory_bytes: 1 << 20,
        })
    };
    let server = Server::start(Behaviour::default());
    server.put("drive.bag", bag());
    let open = |server: &Server| {
        let start = Start {
            locations: vec![Location::parse(&server.presigned("drive.bag", 60)).expect("a location")],
            ..Start::default()
        };
        let mut harness = window_with(server, start, Some(cache()));
        until(&mut harness, "open", |h| {
            h.state().is_settled(false) && h.state().store.span().is_some()
        });
        harness
    };
    let mut harness = open(&server);
    harness
        .state_mut()
        .run(roadreel::app::command::Command::KeepOffline, &egui::Context::default());
    until(&mut harness, "kept", |h| button(h, "Kept offline: "));
    until(&mut harness, "listed", |_| Cache::pins(folder.path()).len() == 1);
    harness.query_all_by_label_contains(" read").next().expect("the network").click();
    until(&mut harness, "shown", |h| button(h, "Kept offline") && button(h, "Let go"));
    drop(harness);
    crate::cache::age(folder.path());
    // it answers nobody any more
    server.behave(|b| b.scripted = (1..10_000).map(|n| (n, crate::server::Fault::Busy)).collect());
    let mut harness = open(&server);
    harness.state_mut().seek(START.plus_nanos(1_900_000_000));
    until(&mut harness, "played", |h| h.state().is_settled(false));
    assert!(
        harness.state().store.status().failures.is_empty(),
        "{:?}",
        harness.state().store.status().failures
    );
}

#[test]
fn scenes_are_gone_to_looped_and_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(Behaviour::default());
    server.put("drive.bag", bag());
    let scene = |id: &str, start: &str, end: &str| {
        serde_json::json!({"bag_file": {"S": "drive"}, "scene_id": {"S": format!("drive_PersonInLane_{id}")},
            "start_time": {"N": start}, "end_time": if end.is_empty() { serde_json::json!({"NULL": true}) } else { serde_json::json!({"N": end}) },
            "num_people_in_scene_start": {"N": "2"}})
    };
    let items = [scene("1", "1600000000.5", "1600000000.9"), scene("2", "1600000001.2", "")];
    server.put_answer("", serde_json::json!({"Count": 2, "ScannedCount": 2, "Items": items}).to_string());
    let start = Start {
        locations: vec![Location::parse(&server.presigned("drive.bag", 60)).expect("a location")],
        scenes: Some(SceneTable::default()),
        ..Start::default()
    };
    let cache = Cache::new(CacheOptions {
        folder: Some(folder.path().to_owned()),
        disk_bytes: 1 << 30,
        memory_bytes: 1 << 20,
    });
    let mut harness = window_with(&server, start, Some(cache));
    until(&mut harness, "open", |h| {
        h.state().is_settled(false) && button(h, "Lane of PersonInLane")
    });
    harness.get_by_role_and_label(Role::Tab, "Scenes").click();
    harness.run_steps(2);
    let now = |h: &Harness<'static, AppState>| h.state().playback.now.since(START);
    harness.get_by_label_contains("PersonInLane_2").click();
    harness.run_steps(2);
    assert_eq!(now(&harness), 1_200_000_000);
    let choose = |harness: &mut Harness<'static, AppState>, what: &str| {
        harness.get_by_label_contains("PersonInLane_1").click_secondary();
        harness.run_steps(3);
        harness.get_by_label(what).click();
        harness.run_steps(2);
    };
    choose(&mut harness, "Loop this scene");
    assert_eq!(harness.state().playback.looping.map(|s| s.nanos()), Some(400_000_000));
    assert_eq!(now(&harness), 500_000_000);
    choose(&mut harness, "Keep this scene offline");
    until(&mut harness, "kept", |h| button(h, "Kept offline: "));
    let pins = Cache::pins(folder.path());
    let spans: Vec<i64> = pins.iter().map(|pin| pin.span().nanos()).collect();
    assert_eq!(spans, [400_000_000]);
}

#[test]
fn a_scene_of_a_recording_in_s3_opens_it_at_its_moment() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(Behaviour::default());
    server.put("drives/2026/drive.bag", bag());
    let table = folder.path().join("scenes.csv");
    let rows = "bag_file,scene_id,bag_file_bucket,bag_file_prefix,start_time,end_time\n\
                drive,drive_PersonInLane_1,drives,2026/,1600000000.5,1600000000.9\n\
                drive,drive_PersonInLane_2,drives,2027/drive.bag,1600000001.2,\n";
    std::fs::write(&table, rows).expect("written");
    let start = Start {
        locations: vec![Location::Path(table)],
        ..Start::default()
    };
    let mut harness = window_with(&server, start, None);
    until(&mut harness, "listed", |h| button(h, "Scene PersonInLane_2"));
    harness.get_by_role_and_label(Role::Button, "Scene PersonInLane_2").click();
    until(&mut harness, "told", |h| {
        button(h, "neither beside its table nor in S3: s3://drives/2027/drive.bag")
    });
    harness.get_by_role_and_label(Role::Button, "Scene PersonInLane_1").click();
    until(&mut harness, "open", |h| {
        h.state().store.span().is_some() && h.state().is_settled(false)
    });
    harness.run_steps(2);
    assert_eq!(
        harness.state().store.sources()[0].location.to_string(),
        "s3://drives/2026/drive.bag"
    );
    assert_eq!(harness.state().playback.now, START.plus_nanos(500_000_000));
}
