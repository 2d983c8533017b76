//! Links, scenes and places in the window, and what it tells of the network: driven by role and label.

use std::path::Path;

use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use roadreel::app::command::Command;
use roadreel::app::settings::Folders;
use roadreel::app::{AppState, Start};
use roadreel::source::{Cache, CacheOptions, Link, Location, SceneTable};
use serde_json::json;

use crate::cache::files;
use crate::remote_window::{button, until, window_with};
use crate::s3::holds_no_secret;
use crate::server::{Behaviour, Fault, Server};
use crate::stream::{START, bag};

type Window = Harness<'static, AppState>;

fn folders(home: &Path) -> Folders {
    Folders {
        config: home.join("config"),
        cache: home.join("cache"),
    }
}

fn empty(server: &Server, home: &Path) -> Window {
    let start = Start {
        folders: Some(folders(home)),
        ..Start::default()
    };
    window_with(server, start, None)
}

fn run(window: &mut Window, command: Command) {
    window.state_mut().run(command, &egui::Context::default());
    window.run_steps(2);
}

fn press(window: &mut Window, name: &str) {
    window.get_by_role_and_label(Role::Button, name).click();
    window.run_steps(3);
}

fn is_open(window: &Window) -> bool {
    window.state().is_settled(false) && window.state().store.span().is_some()
}

/// The link that the window copies.
fn shared(window: &mut Window) -> Link {
    let ctx = egui::Context::default();
    window.state_mut().run(Command::Share, &ctx);
    let commands = ctx.output(|output| output.commands.clone());
    let copied = commands.iter().find_map(|command| match command {
        egui::OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    });
    Link::parse(&copied.expect("a copied link")).expect("a link")
}

fn texts(window: &Window) -> Vec<String> {
    let labels = window.query_all_by_role(Role::Label);
    labels.filter_map(|node| node.accesskit_node().value()).collect()
}

#[test]
fn a_signature_without_its_scheme_is_refused_and_written_nowhere() {
    let home = tempfile::tempdir().expect("a folder");
    let server = Server::start(Behaviour::default());
    let mut window = empty(&server, home.path());
    for pasted in [
        "bucket.s3.amazonaws.com/k.bag?X-Amz-Credential=AKIDFORTHETEST&X-Amz-Signature=SECRETSIGNATURE",
        "https:/bucket.s3.amazonaws.com/k.bag?AWSAccessKeyId=AKIDFORTHETEST&Signature=SECRETSIGNATURE",
    ] {
        run(&mut window, Command::OpenUrl);
        let field = window.get_by_role_and_label(Role::TextInput, "URL");
        field.focus();
        field.type_text(pasted);
        window.run_steps(2);
        press(&mut window, "Open");
        assert!(button(&window, "add https:// before it"), "{:?}", texts(&window));
        press(&mut window, "Cancel");
    }
    assert!(!window.state().is_open());

    // what downloaders make of a signed URL is opened; its name is shown and kept without the signature
    let downloads = tempfile::tempdir().expect("a folder");
    let path = downloads
        .path()
        .join("drive.bag?X-Amz-Credential=AKIDFORTHETEST&X-Amz-Signature=SECRETSIGNATURE");
    std::fs::write(&path, bag()).expect("a file");
    let location = Location::parse(path.to_str().expect("a path")).expect("a location");
    assert_eq!(location.name(), "drive.bag?…");
    window.state_mut().open(vec![location]);
    until(&mut window, "open", is_open);
    window.run_steps(3);
    assert!(button(&window, "drive.bag?…"));
    texts(&window).iter().for_each(|text| holds_no_secret(text.as_bytes()));
    window.state_mut().keep_layout();
    drop(window);
    let kept = files(home.path());
    assert!(kept.iter().any(|path| path.ends_with("config/settings.json")), "{kept:?}");
    for file in kept {
        holds_no_secret(&std::fs::read(&file).expect("a file"));
    }
}

#[test]
fn a_pasted_address_keeps_the_spaces_of_its_key() {
    let home = tempfile::tempdir().expect("a folder");
    let server = Server::start(Behaviour::default());
    server.put("drives/a%20drive.bag", bag());
    for (pasted, opened) in [
        ("s3://drives/a drive\n.bag", "s3://drives/a drive.bag".to_owned()),
        (
            &*format!("{}\n  drives/a%20drive.bag", server.url("")),
            server.url("drives/a%20drive.bag"),
        ),
    ] {
        let mut window = empty(&server, home.path());
        window.event(egui::Event::Paste(pasted.to_owned()));
        window.run_steps(3);
        press(&mut window, "Open");
        until(&mut window, "open", is_open);
        assert_eq!(window.state().store.sources()[0].location.to_string(), opened);
    }
}

/// A layout of this many notes.
fn notes(count: usize) -> String {
    let name = |n: usize| format!("note{n}");
    let panels: serde_json::Map<_, _> = (0..count)
        .map(|n| (name(n), json!({"kind": "note", "config": {"text": "# Note"}})))
        .collect();
    let tabs: Vec<String> = (0..count).map(name).collect();
    json!({"version": 1, "panels": panels, "root": {"tabs": tabs}}).to_string()
}

#[test]
fn links_bring_their_layout_and_what_is_shared_names_the_one_that_is_open() {
    let home = tempfile::tempdir().expect("a folder");
    let server = Server::start(Behaviour::default());
    server.put("drive.bag", bag());
    for count in 1..=5 {
        server.put(&format!("layouts/{count}.json"), notes(count));
    }
    let encoded = |url: &str| roadreel::source::encoded(url);
    let recording = encoded(&server.presigned("drive.bag", 600));
    let mut window = empty(&server, home.path());
    let there = |count: usize| move |window: &Window| is_open(window) && window.state().workspace.panes().len() == count;
    let layout = |link: &Link| link.layout.as_ref().map(ToString::to_string);
    for (count, link) in [
        (
            1,
            format!(
                "http://webviz/?remote-bag-url={recording}&layout-url={}",
                encoded(&server.url("layouts/1.json"))
            ),
        ),
        (
            2,
            format!(
                "https://app.foxglove.dev/~/view?ds=remote-file&ds.url={recording}&layoutUrl={}",
                encoded(&server.url("layouts/2.json"))
            ),
        ),
    ] {
        window.state_mut().open_link(Link::parse(&link).expect("a link"), false);
        until(&mut window, "the link's layout", there(count));
        assert_eq!(layout(&shared(&mut window)), Some(server.url(&format!("layouts/{count}.json"))));
    }
    // a later one takes its place: by its address, in a bucket, behind a signature that is nobody else's, pasted
    for (count, place, told) in [
        (3, server.url("layouts/3.json"), Some(server.url("layouts/3.json"))),
        (4, "s3://layouts/4.json".to_owned(), Some("s3://layouts/4.json".to_owned())),
        (5, server.presigned("layouts/5.json", 600), None),
    ] {
        run(&mut window, Command::OpenLayout);
        let field = window.get_by_role_and_label(Role::TextInput, "Text or address of a layout");
        field.focus();
        field.type_text(&place);
        window.run_steps(2);
        press(&mut window, "Open");
        until(&mut window, "the layout", there(count));
        assert_eq!(layout(&shared(&mut window)), told);
    }
    window.state_mut().open_layout_text("Pasted layout", notes(2));
    until(&mut window, "the pasted layout", there(2));
    assert_eq!(layout(&shared(&mut window)), None);
}

/// What DynamoDB answers to GetItem, and to Query.
fn scene() -> String {
    let item = json!({"bag_file": {"S": "drive_2"}, "scene_id": {"S": "drive_2_PersonInLane_1"}, "bag_file_bucket": {"S": "drives"},
        "bag_file_prefix": {"S": "folder/other name.bag"}, "start_time": {"N": "1600000001.2"}, "end_time": {"NULL": true}});
    json!({"Item": item, "Count": 1, "ScannedCount": 1, "Items": [item]}).to_string()
}

/// Whether the table was asked for all scenes of this recording.
fn asked_for_scenes_of(server: &Server, record: &str) -> bool {
    let log = server.stats().log;
    let query = format!("{{\"S\":\"{record}\"}}");
    log.iter().any(|asked| {
        let body = String::from_utf8_lossy(&asked.body);
        body.contains("KeyConditionExpression") && body.contains(&query)
    })
}

#[test]
fn a_link_to_a_scene_is_looked_up_by_the_window() {
    let home = tempfile::tempdir().expect("a folder");
    let server = Server::start(Behaviour::default());
    server.put("drives/folder/other%20name.bag", bag());
    let link = Link::parse("roadreel://open?record=drive_2&scene=drive_2_PersonInLane_1").expect("a link");
    let mut window = empty(&server, home.path());
    window.state_mut().open_link(link.clone(), false);
    until(&mut window, "refused", |w| button(w, "the table of scenes cannot be read"));
    server.put_answer("", "{}");
    window.state_mut().open_link(link.clone(), false);
    until(&mut window, "not found", |w| {
        button(w, "there is no scene “drive_2_PersonInLane_1” of “drive_2”")
    });
    assert!(!window.state().is_open());

    server.put_answer("", scene());
    window.state_mut().open_link(link, false);
    until(&mut window, "listed", |w| is_open(w) && button(w, "PersonInLane_1"));
    assert_eq!(window.state().playback.now, START.plus_nanos(1_200_000_000));
    assert!(
        asked_for_scenes_of(&server, "drive_2"),
        "by the table's name for it, not by its file's"
    );
}

#[test]
fn the_command_line_opens_a_scene_at_its_start_and_names_its_recording() {
    let server = Server::start(Behaviour {
        now_secs: jiff::Timestamp::now().as_second(),
        ..Behaviour::default()
    });
    server.put("drives/folder/other%20name.bag", bag());
    server.put_answer("", scene());
    let user = crate::s3::User::with_keys(crate::s3::SECRET).with("AWS_ENDPOINT_URL", &server.url(""));
    let picture = |arguments: &[&str]| {
        let path = user.home().join("a.png");
        user.prints(
            &[
                &["screenshot", "-o", path.to_str().expect("a path"), "--size", "1000x700"],
                arguments,
            ]
            .concat(),
        );
        // beside the sidebars, whose lists come when they come
        image::open(path)
            .expect("a picture")
            .crop_imm(330, 60, 330, 600)
            .into_rgba8()
            .into_raw()
    };
    let scene = ["--record", "drive_2", "--scene", "drive_2_PersonInLane_1"];
    let by_ids = picture(&scene);
    assert!(asked_for_scenes_of(&server, "drive_2"));
    let at = |time: &'static str| picture(&[&scene[..], &["--seek-to", time]].concat());
    assert!(by_ids == at("1600000001.2"), "at the scene's start");
    assert!(by_ids != at("1600000001.9"));
}

#[test]
fn scenes_are_asked_for_by_a_name_without_the_recordings_ending() {
    for (file, record) in [
        ("drive.v1.5", "drive.v1.5"),
        ("drive.v1.5.bag", "drive.v1.5"),
        ("a.mcap.bag", "a.mcap"),
    ] {
        let server = Server::start(Behaviour::default());
        server.put(file, bag());
        server.put_answer("", scene());
        let start = Start {
            locations: vec![Location::parse(&server.url(file)).expect("a location")],
            scenes: Some(SceneTable::default()),
            ..Start::default()
        };
        let mut window = window_with(&server, start, None);
        until(&mut window, "open", is_open);
        window.get_by_role_and_label(Role::Tab, "Scenes").click();
        until(&mut window, "listed", |w| button(w, "Scene PersonInLane_1"));
        assert!(asked_for_scenes_of(&server, record), "{file}");
    }
}

#[test]
fn places_that_were_browsed_are_remembered() {
    let home = tempfile::tempdir().expect("a folder");
    let server = Server::start(Behaviour::default());
    let page = "<ListBucketResult><Name>drives</Name><IsTruncated>false</IsTruncated><Contents><Key>2026/run-7.bag</Key><Size>3</Size></Contents></ListBucketResult>";
    for path in ["drives/", "drives"] {
        server.put(path, page);
    }
    let mut window = empty(&server, home.path());
    run(&mut window, Command::BrowseS3);
    let place = window.get_by_role_and_label(Role::TextInput, "Place");
    place.focus();
    place.type_text("drives/2026/");
    window.run_steps(2);
    press(&mut window, "Go");
    until(&mut window, "listed", |w| button(w, "1 entries"));
    drop(window);

    server.reset_stats();
    let mut window = empty(&server, home.path());
    assert_eq!(
        window.state().settings.places.first().map(|place| &**place),
        Some("s3://drives/2026/")
    );
    run(&mut window, Command::BrowseS3);
    until(&mut window, "listed again", |w| button(w, "1 entries"));
    let asked = server.stats().log.into_iter().next().expect("a request").query;
    assert!(asked.as_ref().is_some_and(|query| query.contains("prefix=2026%2F")), "{asked:?}");
}

#[test]
fn a_page_that_was_refused_is_asked_for_again() {
    let home = tempfile::tempdir().expect("a folder");
    let server = Server::start(Behaviour::default());
    let page = "<ListBucketResult><Name>drives</Name><IsTruncated>true</IsTruncated><NextContinuationToken>page-2</NextContinuationToken><Contents><Key>run-7.bag</Key><Size>3</Size></Contents></ListBucketResult>";
    for path in ["drives/", "drives"] {
        server.put(path, page);
    }
    let denied = Fault::Answer(403, "", "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>");
    server.behave(|b| b.scripted = [(2, denied)].into());
    let mut window = empty(&server, home.path());
    run(&mut window, Command::BrowseS3);
    let place = window.get_by_role_and_label(Role::TextInput, "Place");
    place.focus();
    // the buckets come first, which this store cannot list
    until(&mut window, "no buckets", |w| button(w, "Try again"));
    server.reset_stats();
    let place = window.get_by_role_and_label(Role::TextInput, "Place");
    place.type_text("drives/");
    window.run_steps(2);
    press(&mut window, "Go");
    until(&mut window, "the second page is refused", |w| button(w, "access is denied"));
    window.run_steps(5);
    assert_eq!(server.stats().requests, 2, "nobody asks by himself");
    press(&mut window, "Try again");
    until(&mut window, "it is there", |w| {
        server.stats().log.len() >= 3 && !button(w, "access is denied")
    });
    let asked = server.stats().log[2].query.clone();
    assert!(
        asked.as_ref().is_some_and(|query| query.contains("continuation-token=page-2")),
        "{asked:?}"
    );
}

/// Steps until nothing is under way any more.
fn rest(window: &mut Window) {
    window.run_steps(5);
    while window.state().executor.wait() {
        window.run_steps(5);
    }
}

#[test]
fn a_metered_connection_reads_nothing_ahead() {
    let server = Server::start(Behaviour::default());
    server.put("drive.bag", bag());
    let mut window = window_with(&server, Start::default(), None);
    window.state_mut().settings.metered = true;
    let link = Location::parse(&server.presigned("drive.bag", 600)).expect("a location");
    window.state_mut().open(vec![link]);
    until(&mut window, "open", is_open);
    // it plays, but all but stands
    window.state_mut().playback.speed = 0.01;
    window.state_mut().playback.playing = true;
    rest(&mut window);
    let settled = server.stats().bytes;
    assert!(settled < bag().len() as u64 / 2, "{settled} bytes");
    for _ in 0..10 {
        rest(&mut window);
    }
    assert_eq!(server.stats().bytes, settled);
    window.state_mut().settings.metered = false;
    until(&mut window, "it is read ahead", |_| server.stats().bytes > settled);
}

#[test]
fn the_network_panel_tells_what_was_asked_fetched_and_spared() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = Cache::new(CacheOptions {
        folder: Some(folder.path().to_owned()),
        disk_bytes: 1 << 30,
        memory_bytes: 1 << 20,
    });
    let server = Server::start(Behaviour::default());
    server.put_file("drive.bag", crate::s3::bucket().join("drives/2026/a drive+1.bag"));
    server.behave(|b| b.scripted = [(2, Fault::Busy)].into());
    let mut window = window_with(&server, Start::default(), Some(cache));
    let link = Location::parse(&server.presigned("drive.bag", 600)).expect("a location");
    window.state_mut().open(vec![link.clone()]);
    until(&mut window, "open", is_open);
    rest(&mut window);
    // the same once more comes from the cache
    window.state_mut().open(vec![link]);
    until(&mut window, "open again", is_open);
    rest(&mut window);
    window.state_mut().settings.egress_usd_per_gb = 1.0;
    window.query_all_by_label_contains(" read").next().expect("the network").click();
    window.run_steps(3);
    let traffic = window.state().executor.traffic();
    let texts = texts(&window);
    let told = |name: &str| {
        let at = texts
            .iter()
            .position(|text| text == name)
            .unwrap_or_else(|| panic!("{name} in {texts:?}"));
        &*texts[at + 1]
    };
    assert_eq!(told("Requests"), traffic.requests.to_string());
    // on a busy machine what seems to stall is asked for again, too
    assert!(traffic.retries >= 1);
    assert_eq!(told("Asked again"), traffic.retries.to_string());
    let fetched = server.stats().bytes;
    assert!(
        traffic.bytes > 0 && traffic.bytes <= fetched && traffic.cache_bytes > 0,
        "{traffic:?} of {fetched}"
    );
    let percent = traffic.cache_bytes as f64 / (traffic.bytes + traffic.cache_bytes) as f64 * 100.0;
    assert!(
        told("From the cache").ends_with(&format!(" ({percent:.0} %)")),
        "{}",
        told("From the cache")
    );
    // S3's own prices: by the GB, and by the thousand requests
    let dollars = traffic.bytes as f64 / 1e9 + traffic.requests as f64 * 0.0004 / 1000.0;
    assert!(dollars > 0.005, "{traffic:?}");
    assert_eq!(told("Egress, estimated"), format!("${dollars:.2}"));
}

#[test]
fn figures_of_a_screenshot_tell_the_same() {
    let server = Server::start(Behaviour::default());
    server.put("drive.bag", bag());
    let user = crate::s3::User::new();
    let stats = user.home().join("stats.json");
    let draw = || -> serde_json::Value {
        let (picture, figures) = (user.home().join("a.png"), stats.to_str().expect("a path"));
        let picture = picture.to_str().expect("a path");
        user.prints(&[
            "screenshot",
            &server.presigned("drive.bag", 600),
            "-o",
            picture,
            "--size",
            "400x300",
            "--stats",
            figures,
        ]);
        serde_json::from_str(&std::fs::read_to_string(&stats).expect("figures")).expect("JSON")
    };
    server.behave(|b| b.scripted = [(2, Fault::Busy)].into());
    let first = draw();
    let number = |name: &str| first[name].as_f64().unwrap_or_else(|| panic!("{name} in {first}"));
    assert!(number("retries") >= 1.0, "{first}");
    let (fetched, cached) = (number("bytes_fetched"), number("cache_bytes"));
    assert!((number("hit_rate") - cached / (fetched + cached)).abs() < 1e-12, "{first}");
    let dollars = fetched / 1e9 * 0.09 + number("requests") / 1000.0 * 0.0004;
    assert!((number("egress_usd") - dollars).abs() < 1e-12 && dollars > 0.0, "{first}");
    let second = draw();
    assert_eq!(
        (&second["requests"], &second["hit_rate"], &second["egress_usd"]),
        (&json!(0), &json!(1.0), &json!(0.0)),
        "{second}"
    );
    assert!(second["cache_bytes"].as_u64() >= first["bytes_fetched"].as_u64(), "{second}");
}
