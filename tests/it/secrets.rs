//! Signatures, credentials and tokens are nowhere but in memory: everything that a user's commands and windows leave behind is
//! searched for them, by name and by value: logs, errors, settings, layouts, caches, the names of files.

use std::path::Path;

use crate::cache::files;
use crate::s3::{SECRET, User, holds_no_secret};
use crate::server::{Behaviour, Fault, Server};
use crate::stream::bag;

/// A link that was signed with temporary credentials.
fn link(server: &Server) -> String {
    format!("{}&X-Amz-Security-Token=SECRETOKEN", server.presigned("drive.bag", 600))
}

fn search(folder: &Path) {
    let found = files(folder);
    assert!(found.len() > 12, "{found:?}");
    for file in found {
        holds_no_secret(file.to_string_lossy().as_bytes());
        holds_no_secret(&std::fs::read(&file).expect("a file"));
    }
}

#[test]
fn nothing_that_is_left_behind_holds_a_secret() {
    let server = Server::start(Behaviour::default());
    server.put("drive.bag", bag());
    server.put("layout.json", "{}");
    let user = User::with_keys(SECRET)
        .with("AWS_SESSION_TOKEN", "the-session-token-of-the-test")
        .with("AWS_ENDPOINT_URL", &server.url(""))
        .with(
            "RUST_LOG",
            "trace,aws_sigv4=trace,aws_runtime=trace,aws_config=trace,aws_smithy_runtime=trace,hyper=trace,reqwest=trace",
        );
    let webviz = format!("http://webviz/?remote-bag-url={}&seek-to=1600000001.5", link(&server));
    for location in [&link(&server), &webviz, "s3://drives/drive.bag"] {
        for command in ["info", "cat", "check"] {
            user.run(&[command, location]);
        }
        user.run(&["cache", "pin", location, "--start", "50%"]);
    }
    user.run(&["cache"]);
    user.run(&["ls", "s3://drives/"]);
    user.run(&["scenes", "drive_1"]);
    server.put_answer(
        "2015-03-31/functions/sign/invocations",
        r#"{"statusCode": 500, "body": "{\"error\": \"http://h/a.bag?X-Amz-Signature=SECRETSIGNATURE\"}"}"#,
    );
    user.run(&["url", "s3://drives/drive.bag", "--function-name", "sign"]);
    assert!(server.stats().log.iter().any(|asked| asked.path.ends_with("/sign/invocations")));
    let bare = link(&server).replace("http://", "");
    let of_version_2 = "s3://drives/drive.bag?AWSAccessKeyId=AKIDFORTHETEST&Signature=SECRETSIGNATURE";
    for location in [&bare, &format!("http:/{bare}"), of_version_2] {
        for arguments in [
            &["info", location][..],
            &["screenshot", location, "-o", "a.png"],
            &["ls", location],
            &["scenes", location],
        ] {
            assert!(!user.run(arguments).status.success(), "{arguments:?}");
        }
        user.run(&["screenshot", "s3://drives/drive.bag", "--layout", location, "-o", "a.png"]);
        user.run(&["layout", "convert", location, "-o", "a.json"]);
        user.run(&["url", location]);
    }
    let config =
        serde_json::json!({"renew": {"endpoint": server.url("none?token=SECRETOKEN"), "headers": {"x-api-key": "$AWS_SECRET_ACCESS_KEY"}}});
    let config = user.file("renew/settings.json", &config.to_string());
    server.behave(|b| b.now_secs += 100_000);
    user.run(&[
        "cat",
        &link(&server).replace("X-Amz-Date=2027", "X-Amz-Date=2020"),
        "--no-cache",
        "--config",
        config.to_str().expect("a path"),
    ]);
    std::fs::remove_file(config).expect("the endpoint's own secret is the user's to keep");
    // what a store quotes of a request
    let quoting = "<Error><Code>SignatureDoesNotMatch</Code><Message>X-Amz-Signature=SECRETSIGNATURE</Message><StringToSign>X-Amz-Credential=AKIDFORTHETEST</StringToSign></Error>";
    server.behave(|b| b.scripted = (1..1000).map(|n| (n, Fault::Answer(403, "", quoting))).collect());
    server.reset_stats();
    user.run(&["info", &link(&server), "--no-cache"]);
    user.run(&["info", "s3://drives/drive.bag", "--no-cache"]);
    search(user.home());
}

#[cfg(feature = "gui")]
#[test]
fn a_window_keeps_no_secret() {
    use roadreel::app::Start;
    use roadreel::app::settings::Folders;
    use roadreel::source::{Cache, CacheOptions, Location};

    use crate::remote_window::{until, window_with};

    let home = tempfile::tempdir().expect("a folder");
    let server = Server::start(Behaviour::default());
    server.put("drive.bag", bag());
    let cache = Cache::new(CacheOptions {
        folder: Some(home.path().join("fetched")),
        disk_bytes: 1 << 30,
        memory_bytes: 1 << 20,
    });
    let start = Start {
        locations: vec![Location::parse(&link(&server)).expect("a location")],
        folders: Some(Folders {
            config: home.path().join("config"),
            cache: home.path().join("cache"),
        }),
        ..Start::default()
    };
    let mut harness = window_with(&server, start, Some(cache.clone()));
    until(&mut harness, "open", |h| {
        h.state().is_settled(true) && h.state().store.span().is_some()
    });
    harness.state_mut().save_layout();
    harness.state_mut().keep_layout();
    harness.run_steps(2);
    drop(harness);
    cache.flush();
    let kept = files(home.path());
    let is_there = |name: &str| kept.iter().any(|path| path.display().to_string().contains(name));
    assert!(
        is_there("settings.json") && is_there("layouts/auto-") && is_there("fetched/objects"),
        "{kept:?}"
    );
    for file in kept {
        holds_no_secret(file.to_string_lossy().as_bytes());
        holds_no_secret(&std::fs::read(&file).expect("a file"));
    }
}
