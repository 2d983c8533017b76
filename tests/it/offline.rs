//! Spans that are kept until they are let go: they play with no store to ask, and whatever else is fetched does not drive them out.

use std::path::Path;

use serde_json::Value;

use crate::cache::{age, drive, files};
use crate::s3::User;
use crate::server::{Behaviour, Server};

const SPAN: [&str; 4] = ["--start", "+0.2", "--end", "+0.4"];

fn text(path: &Path) -> &str {
    path.to_str().expect("a path")
}

#[test]
fn a_span_that_was_kept_plays_without_a_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, _) = drive(folder.path());
    let (kept, local) = (folder.path().join("kept"), folder.path().join("drive.bag"));
    let user = User::new();
    let more = ["--cache-dir", text(&kept)];
    let url = server.presigned("drive.bag", 60);
    let told = user.prints(&[&["cache", "pin", &url, "--json"], &SPAN[..], &more].concat());
    let pin: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(
        (&pin["complete"], pin["location"].as_str()),
        (&true.into(), Some(&*format!("{}?…", server.url("drive.bag"))))
    );
    assert_eq!(
        pin["end_ns"].as_i64().zip(pin["start_ns"].as_i64()).map(|(e, s)| e - s),
        Some(200_000_000)
    );
    let size = std::fs::metadata(&local).expect("a file").len();
    assert!(pin["bytes"].as_u64().is_some_and(|bytes| bytes < size * 4 / 5), "{pin} of {size}");

    let wanted = user.prints(&[&["cat", text(&local), "--json"], &SPAN[..]].concat());
    assert!(wanted.lines().count() > 20);
    server.reset_stats();
    assert_eq!(user.prints(&[&["cat", &url, "--json"], &SPAN[..], &more].concat()), wanted);
    assert_eq!(server.stats().requests, 0, "{:?}", server.stats().log);

    // the network is gone, and what was checked then is old
    let next_link = server.presigned("drive.bag", 6000);
    drop(server);
    age(&kept);
    assert_eq!(user.prints(&[&["cat", &next_link, "--json"], &SPAN[..], &more].concat()), wanted);
    let beyond = user.fails(&[&["cat", &next_link, "--json", "--start", "+0.65"][..], &more].concat());
    assert!(beyond.starts_with("the server cannot be reached"), "{beyond}");

    let shown = user.prints(&[&["cache"][..], &more].concat());
    assert!(
        shown.contains("kept offline") && shown.contains("/drive.bag?…") && shown.contains("200 ms"),
        "{shown}"
    );
    let let_go = user.prints(&[&["cache", "unpin", &next_link][..], &more].concat());
    assert!(let_go.starts_with("let go: 200 ms from "), "{let_go}");
    assert!(!user.prints(&[&["cache"][..], &more].concat()).contains("kept offline"));
    let told = user.fails(&[&["cache", "unpin", &next_link][..], &more].concat());
    assert!(told.starts_with("nothing of it is kept offline"), "{told}");
}

#[test]
fn what_else_is_fetched_does_not_drive_it_out_until_it_is_let_go() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, _) = drive(folder.path());
    let kept = folder.path().join("kept");
    let user = User::new();
    let size = std::fs::metadata(folder.path().join("drive.bag")).expect("a file").len();
    let limit = (size * 5 / 4).to_string();
    let more = ["--cache-dir", text(&kept), "--cache-size", &limit];
    let url = server.url("drive.bag");
    user.prints(&[&["cache", "pin", &url], &SPAN[..], &more].concat());
    let read_others = || {
        for n in 0..3 {
            let other = format!("other-{n}.bag");
            server.put_file(&other, folder.path().join("drive.bag"));
            // read to its end: more than there is room for beside what is kept
            user.prints(&[&["check", &server.url(&other)][..], &more].concat());
        }
    };
    let read_again = || {
        server.reset_stats();
        user.prints(&[&["cat", &url, "--json"], &SPAN[..], &more].concat());
        server.stats().bytes
    };
    read_others();
    assert_eq!(read_again(), 0);
    user.prints(&[&["cache", "unpin"][..], &more].concat());
    read_others();
    assert!(read_again() > 100_000);
    // deleted with all the rest
    user.prints(&[&["cache", "pin", &url], &SPAN[..], &more].concat());
    user.prints(&[&["cache", "clear"][..], &more].concat());
    assert_eq!(files(&kept), Vec::<std::path::PathBuf>::new());
}

#[test]
fn what_cannot_be_kept_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, _) = drive(folder.path());
    let kept = folder.path().join("kept");
    let user = User::new();
    let pin = |location: &str, size: &str| user.fails(&["cache", "pin", location, "--cache-dir", text(&kept), "--cache-size", size]);
    let url = server.url("drive.bag");
    assert!(pin(&url, "1MiB").starts_with("this cannot be kept offline (it takes "));
    assert!(pin(text(&folder.path().join("drive.bag")), "1GiB").starts_with("this cannot be kept offline (it is on this machine already)"));
    let weak = Server::start(Behaviour {
        weak: true,
        ..Behaviour::default()
    });
    weak.put_file("drive.bag", folder.path().join("drive.bag"));
    let told = pin(&weak.url("drive.bag"), "1GiB");
    assert!(
        told.starts_with("this cannot be kept offline (there is no cache, or the store gives no strong ETag)"),
        "{told}"
    );
    // nothing of it stays behind
    let shown = user.prints(&["cache", "--json", "--cache-dir", text(&kept)]);
    assert_eq!(
        serde_json::from_str::<Value>(&shown).expect("JSON")["pinned"],
        Value::Array(Vec::new())
    );
}
