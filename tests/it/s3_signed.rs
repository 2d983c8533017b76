//! S3 with a store that verifies signatures and their expiry (`s3s-fs`), behind the faults of [`Server`]: the real program and
//! the real readers sign, read, list and keep.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use roadreel::format::{Checks, ConnectionSet};
use roadreel::run::{Io, Piece, Recording, messages};
use roadreel::source::{Location, Net, Reader};
use roadreel::store::LinkState;
use roadreel::time::Span;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use serde_json::Value;

use crate::renewal::{location, look, opened, policy};
use crate::s3::{ACCESS, SECRET, User, bucket, drive};
use crate::server::{Behaviour, Server};
use crate::stream::bag;

/// The folders of `root` are its buckets.
pub fn store_of(root: &Path, behaviour: Behaviour) -> Server {
    serve(root, Some(SimpleAuth::from_single(ACCESS, SECRET)), behaviour)
}

/// As [`store_of`], for requests that nobody signed.
pub fn public_store_of(root: &Path) -> Server {
    serve(root, None, Behaviour::default())
}

fn serve(root: &Path, auth: Option<SimpleAuth>, behaviour: Behaviour) -> Server {
    let files = s3s_fs::FileSystem::new(root).expect("a folder");
    let mut service = S3ServiceBuilder::new(files);
    auth.into_iter().for_each(|auth| service.set_auth(auth));
    let service = service.build();
    let answer = move |request: hyper::Request<hyper::body::Incoming>| {
        let service = service.clone();
        let answered = async move {
            let answer = service.call(request.map(s3s::Body::from)).await.expect("an answer");
            let (parts, body) = answer.into_parts();
            hyper::Response::from_parts(parts, body.collect().await.expect("a body").to_bytes())
        };
        Box::pin(answered) as _
    };
    Server::before(Arc::new(answer), behaviour)
}

fn store(behaviour: Behaviour) -> Server {
    store_of(bucket(), behaviour)
}

/// A bucket `fleet` of its own, with one small recording.
fn fleet() -> (tempfile::TempDir, PathBuf) {
    let root = tempfile::tempdir().expect("a folder");
    let path = root.path().join("fleet/drive.bag");
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a bucket");
    std::fs::write(&path, bag()).expect("an object");
    (root, path)
}

/// A URL of `fleet/drive.bag` that was signed just now.
fn link(store: &Server, life: &str) -> String {
    let signer = User::with_keys(SECRET).with("AWS_ENDPOINT_URL", &store.url(""));
    signer.signs(&["url", "s3://fleet/drive.bag", "--style", "presigned", "--expires", life])
}

#[test]
fn an_object_is_read_through_signed_urls_in_two_requests() {
    let store = store(Behaviour::default());
    let user = User::with_keys(SECRET);
    let told = user.prints(&["info", drive(), "--json", "--endpoint-url", &store.url("")]);
    let info: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(info["location"], drive());
    assert!(info["messages"].as_u64() > Some(50), "{info}");
    let stats = store.stats();
    assert_eq!(stats.requests, 2, "{:?}", stats.log);
    for asked in &stats.log {
        assert_eq!((asked.status, &*asked.method), (206, "GET"));
        assert_eq!(asked.path, "/drives/2026/a%20drive%2B1.bag");
        assert!(
            asked.query.as_ref().is_some_and(|q| q.contains("X-Amz-Signature=")),
            "signed in the URL"
        );
        assert_eq!(asked.authorization, None);
    }
}

#[test]
fn keys_come_from_profiles_and_the_endpoint_from_the_environment() {
    let store = store(Behaviour::default());
    let user = User::with_keys("another-secret").with("AWS_ENDPOINT_URL", &store.url(""));
    user.file(
        ".aws/credentials",
        &format!("[fleet]\naws_access_key_id = {ACCESS}\naws_secret_access_key = {SECRET}\n"),
    );
    user.file(".aws/config", "[profile fleet]\nregion = eu-central-1\n");
    // a profile that is asked for goes before the keys of the environment
    user.prints(&["info", drive(), "--profile", "fleet"]);
    let query = store.stats().log[0].query.clone().unwrap_or_default();
    assert!(query.contains("%2Feu-central-1%2Fs3%2F"), "the profile's region");
    assert!(
        user.fails(&["info", drive(), "--no-cache"])
            .starts_with("the secret key does not fit the access key")
    );
}

#[test]
fn wrong_credentials_are_told_apart() {
    let store = store(Behaviour::default());
    let endpoint = store.url("");
    let ask = |user: &User| user.fails(&["info", drive(), "--endpoint-url", &endpoint]);
    assert_eq!(
        ask(&User::with_keys("another-secret")),
        format!(
            "the secret key does not fit the access key (403 SignatureDoesNotMatch): check AWS_SECRET_ACCESS_KEY or the profile: {}",
            drive()
        )
    );
    let unknown = User::new()
        .with("AWS_ACCESS_KEY_ID", "AKIDOFNOBODY")
        .with("AWS_SECRET_ACCESS_KEY", SECRET);
    let told = ask(&unknown);
    assert!(told.contains("check the access key") || told.contains("access is denied"), "{told}");
    assert_eq!(
        ask(&User::new()),
        format!(
            "no AWS credentials were found: sign in (`aws sso login`, `aws configure`), name a --profile, or set AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY; public buckets open with --no-sign-request: {}",
            drive()
        )
    );
    let told = User::new().fails(&["info", drive(), "--endpoint-url", &endpoint, "--profile", "nobody"]);
    assert_eq!(
        told,
        format!(
            "there is no AWS profile “nobody”: `aws configure list-profiles` names them; choose one with --profile: {}",
            drive()
        )
    );
}

#[test]
fn lists_buckets_folders_and_objects() {
    let store = store(Behaviour::default());
    let user = User::with_keys(SECRET).with("AWS_ENDPOINT_URL", &store.url(""));
    let names = |place: &str| -> Vec<String> {
        let told = user.prints(&["ls", place]);
        told.lines()
            .map(|line| line.split("  ").last().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(names("s3://"), ["drives"]);
    assert_eq!(names("s3://drives"), ["2026/"]);
    assert_eq!(names("s3://drives/2026/"), ["a drive+1.bag"]);
    let told = user.prints(&["ls", "s3://drives/2026/", "--json"]);
    let object: Value = serde_json::from_str(told.trim()).expect("one object");
    let size = std::fs::metadata(bucket().join("drives/2026/a drive+1.bag")).expect("a file").len();
    assert_eq!(
        (&object["kind"], &object["location"], object["size"].as_u64()),
        (&"object".into(), &drive().into(), Some(size))
    );
    assert!(object["modified_ns"].as_i64() > Some(1_600_000_000_000_000_000));
    assert_eq!(names("s3://drives/nothing/"), Vec::<String>::new());
}

#[test]
fn names_are_filtered() {
    let root = tempfile::tempdir().expect("a folder");
    for name in ["fleet/a/run-1.bag", "fleet/a/run-12.bag", "fleet/b/night.mcap"] {
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a bucket");
        std::fs::write(path, b"").expect("an object");
    }
    let store = store_of(root.path(), Behaviour::default());
    let user = User::with_keys(SECRET).with("AWS_ENDPOINT_URL", &store.url(""));
    for (filter, count) in [("run", 2), ("*-?.bag", 1), ("*.bag", 2), ("nothing", 0)] {
        let told = user.prints(&["ls", "s3://fleet/", "--recursive", "--filter", filter]);
        assert_eq!(told.lines().count(), count, "{filter}");
    }
}

/// `fleet/2026/drive-00000.bag` and on.
pub fn twelve_thousand_keys() -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("fleet/2026");
    std::fs::create_dir_all(&folder).expect("a bucket");
    for n in 0..12_000 {
        std::fs::write(folder.join(format!("drive-{n:05}.bag")), b"").expect("an object");
    }
    root
}

#[test]
fn twelve_thousand_keys_are_listed_page_by_page() {
    let root = twelve_thousand_keys();
    let store = store_of(root.path(), Behaviour::default());
    let user = User::with_keys(SECRET)
        .with("AWS_ENDPOINT_URL", &store.url(""))
        .with("RUST_LOG", "off");
    let told = user.prints(&["ls", "s3://fleet/2026/", "--json"]);
    assert_eq!(told.lines().count(), 12_000);
    assert!(told.lines().last().expect("a line").contains("drive-11999.bag"));
    assert_eq!(store.stats().requests, 12);
    store.reset_stats();
    assert_eq!(user.prints(&["ls", "s3://fleet/2026/", "--limit", "5"]).lines().count(), 5);
    assert_eq!(store.stats().requests, 1);
}

#[test]
fn a_pasted_url_is_read_without_credentials_and_an_altered_one_is_refused() {
    let (_root, _) = fleet();
    let store = store_of(_root.path(), Behaviour::default());
    let link = link(&store, "10min");
    let user = User::new();
    let told = user.prints(&["info", &link, "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&told).expect("JSON")["messages"], 240);
    let sentence = format!(
        "the link's signature does not fit (403 SignatureDoesNotMatch): copy the whole URL again, it may have been cut or altered: {}?…",
        store.url("fleet/drive.bag")
    );
    let (before, signature) = link.split_once("X-Amz-Signature=").expect("a signature");
    let flipped = if signature.starts_with('0') { "1" } else { "0" };
    for altered in [
        format!("{before}X-Amz-Signature={flipped}{}", &signature[1..]),
        link.replace("X-Amz-Expires=600", "X-Amz-Expires=6000"),
        link.replace("us-east-1", "eu-west-1"),
    ] {
        assert_ne!(altered, link);
        assert_eq!(user.fails(&["info", &altered, "--no-cache"]), sentence);
    }
    // the signature of one object opens no other
    let other = user.fails(&["info", &link.replace("drive.bag", "other.bag"), "--no-cache"]);
    assert!(other.starts_with("the link's signature does not fit"), "{other}");
}

#[test]
fn a_link_that_ends_in_mid_play_is_renewed_and_nothing_is_fetched_twice() {
    let (root, _) = fleet();
    let store = store_of(root.path(), Behaviour::default());
    let (mut whole, executor) = opened(&store, &link(&store, "1h"));
    let expected = (look(&mut whole, &executor, 200), look(&mut whole, &executor, 1900));
    // the store's clock is the real one, and a busy machine may need its time to open
    for life in [2, 4, 8, 16, 32] {
        let signed = Instant::now();
        let link_to_end = link(&store, &format!("{life}s"));
        let ends = signed + Duration::from_secs(life + 1);
        let (mut player, executor) = opened(&store, &link_to_end);
        if look(&mut player, &executor, 200) != expected.0 {
            continue;
        }
        std::thread::sleep(ends.saturating_duration_since(Instant::now()));
        let without = look(&mut player, &executor, 1900);
        assert!(without.iter().any(|line| line.ends_with("failed")), "{without:?}");
        assert_eq!(player.sources()[0].link, LinkState::Ended);
        assert_eq!(look(&mut player, &executor, 200), expected.0, "what is loaded is still shown");
        let next = location(&link(&store, "1h"));
        player.renew(0, next.clone());
        assert_eq!(look(&mut player, &executor, 1900), expected.1, "the same picture");
        assert_eq!(look(&mut player, &executor, 200), expected.0);
        assert_eq!(
            (&player.sources()[0].link, &player.sources()[0].location),
            (&LinkState::Works, &next)
        );
        read_once(&store);
        return;
    }
    panic!("this machine is too slow for links of half a minute");
}

/// But for the first byte, which is asked for to check a new link, and what signing looked at.
#[track_caller]
fn read_once(store: &Server) {
    let mut read: Vec<(u64, u64)> = Vec::new();
    for asked in store.stats().log.iter().filter(|asked| asked.status == 206) {
        let range = asked.range.as_ref().and_then(|r| r.strip_prefix("bytes=")?.split_once('-'));
        let (first, last) = range.expect("a range");
        read.push((first.parse().expect("a number"), last.parse().expect("a number")));
    }
    // both the program that signs and the check of a new link read from the first byte on
    read.retain(|(first, _)| *first != 0);
    read.sort_unstable();
    assert!(!read.is_empty());
    assert!(read.windows(2).all(|pair| pair[0].1 < pair[1].0), "{read:?}");
}

#[test]
fn an_object_that_is_replaced_in_mid_play_is_noticed_and_never_mixed() {
    let (root, path) = fleet();
    let store = store_of(root.path(), Behaviour::default());
    let (mut player, executor) = opened(&store, &link(&store, "1h"));
    let before = look(&mut player, &executor, 200);
    let mut other = bag();
    let last = other.len() - 1;
    other[last] ^= 1;
    std::fs::write(path, other).expect("the object is replaced");
    let after = look(&mut player, &executor, 1900);
    assert!(after.iter().all(|line| line.ends_with("failed")), "{after:?}");
    let told = player.status().failures[0].clone();
    assert!(told.contains("the recording was replaced while it was being read"), "{told}");
    assert_eq!(look(&mut player, &executor, 200), before);
}

/// Every message of a recording: when, of what topic, what.
fn everything(io: &Io, at: &Location) -> Vec<(i64, u32, u64)> {
    let recording = Recording::open(io, at.clone(), |_, _| {})
        .map_err(|e| e.to_string())
        .expect("a recording");
    let all = messages(&recording, ConnectionSet::All, Span::ALL, Checks::Full);
    all.map(|piece| match piece.map_err(|e| e.to_string()).expect("a piece") {
        Piece::Message(time, connection, message) => {
            let hash = twox_hash::XxHash3_64::oneshot(&message.payload);
            (time.nanos(), connection, hash)
        }
        Piece::Warning(_, warning) => panic!("{}", warning.what),
        Piece::Backwards(_, found) => panic!("{found:?}"),
    })
    .collect()
}

#[test]
fn busy_answers_cut_bodies_and_stalls_change_no_message() {
    let local = everything(
        &Io::new(policy(), &[]).expect("a runtime"),
        &Location::Path(bucket().join("drives/2026/a drive+1.bag")),
    );
    assert!(local.len() > 200, "{}", local.len());
    let quick = roadreel::source::Policy {
        attempts: 12,
        idle: Duration::from_millis(200),
        idle_max: Duration::from_secs(2),
        ..policy()
    };
    let mut by_status = std::collections::BTreeMap::new();
    for seed in 1..5 {
        let store = store(Behaviour {
            p503: 0.1,
            pshort: 0.1,
            pstall: 0.1,
            stall: Duration::from_secs(60),
            seed,
            ..Behaviour::default()
        });
        let signer = User::with_keys(SECRET).with("AWS_ENDPOINT_URL", &store.url(""));
        let link = location(&signer.signs(&["url", drive(), "--style", "presigned"]));
        assert!(
            everything(&Io::new(quick.clone(), &[]).expect("a runtime"), &link) == local,
            "seed {seed}"
        );
        for (status, count) in store.stats().by_status {
            *by_status.entry(status).or_insert(0) += count;
        }
    }
    assert!(by_status.get(&503) > Some(&1) && by_status.get(&206) > Some(&20), "{by_status:?}");
}

#[test]
fn every_message_of_the_largest_recording_survives_a_bad_network() {
    let Some(folder) = crate::data::data("ros1") else { return };
    let recordings = std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path());
    let indexed = recordings.filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // what is damaged on purpose has warnings of its own
        name.ends_with(".bag") && !["truncated", "unindexed", "damaged"].iter().any(|word| name.contains(word))
    });
    let largest = indexed.max_by_key(|path| path.metadata().map_or(0, |meta| meta.len()));
    let Some(path) = largest else {
        eprintln!("passed over: no recording of ROS 1 is there");
        return;
    };
    let local = everything(&Io::new(policy(), &[]).expect("a runtime"), &Location::Path(path.clone()));
    let store = Server::start(Behaviour {
        p503: 0.1,
        pshort: 0.1,
        pstall: 0.05,
        stall: Duration::from_secs(60),
        seed: 7,
        ..Behaviour::default()
    });
    store.put_file("drive.bag", &path);
    let quick = roadreel::source::Policy {
        attempts: 12,
        idle: Duration::from_millis(200),
        idle_max: Duration::from_secs(2),
        ..policy()
    };
    let remote = everything(
        &Io::new(quick, &[]).expect("a runtime"),
        &location(&store.presigned("drive.bag", 3600)),
    );
    assert_eq!(remote.len(), local.len(), "{}", path.display());
    assert!(remote == local, "{}", path.display());
    let stats = store.stats();
    assert!(stats.by_status.get(&206) > Some(&2), "{:?} of {}", stats.by_status, path.display());
}

#[test]
fn what_is_signed_here_is_signed_again_before_it_ends() {
    // credentials are the environment's, which is set for a process of its own
    if std::env::var("AWS_ACCESS_KEY_ID").ok().as_deref() != Some(ACCESS) {
        let home = tempfile::tempdir().expect("a folder");
        let name = "s3_signed::what_is_signed_here_is_signed_again_before_it_ends";
        let this = std::env::current_exe().expect("these tests");
        let ran = std::process::Command::new(this)
            .args(["--exact", name, "--nocapture"])
            .env("HOME", home.path())
            .env("AWS_ACCESS_KEY_ID", ACCESS)
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .output()
            .expect("it runs");
        let told = String::from_utf8_lossy(&ran.stdout);
        let errors = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success() && told.contains("1 passed"), "{told}{errors}");
        return;
    }
    let (root, _) = fleet();
    let store = store_of(root.path(), Behaviour::default());
    let policy = roadreel::source::Policy {
        // what is signed has whole seconds: it ends up to one second before its life is over
        url_life: Duration::from_secs(9),
        ..policy()
    };
    let aws = roadreel::source::AwsOptions {
        endpoint_url: Some(store.url("")),
        ..Default::default()
    };
    let net = Net::new(policy, &[]).expect("a client").with_aws(aws);
    let date = |query: &str| Some(query.split_once("X-Amz-Date=")?.1.get(..16)?.to_owned());
    let signatures = || {
        let stats = store.stats();
        assert!(stats.log.iter().all(|asked| asked.status == 206), "{:?}", stats.by_status);
        let dates = stats.log.into_iter().filter_map(|asked| date(&asked.query?));
        dates.collect::<std::collections::BTreeSet<_>>().len()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let reader = Reader::open(location("s3://fleet/drive.bag"), &net).await;
        let reader = reader.map_err(|e| e.to_string()).expect("the object");
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        for tick in 0..300 {
            ticks.tick().await;
            let from = 100_000 + tick * 100;
            let bytes = reader.read(from..from + 100).await.map_err(|e| e.to_string());
            assert_eq!(bytes.expect("bytes").len(), 100);
            if signatures() == 2 {
                return;
            }
        }
        panic!("it was not signed again in half a minute");
    });
}

#[test]
fn a_cache_serves_every_signature_of_an_object() {
    let (root, _) = fleet();
    let store = store_of(root.path(), Behaviour::default());
    let user = User::new();
    let kept = user.home().join("kept").display().to_string();
    let links = [link(&store, "10min"), link(&store, "20min")];
    assert_ne!(links[0], links[1]);
    store.reset_stats();
    let first = user.prints(&["cat", &links[0], "--json", "--cache-dir", &kept]);
    assert!(store.stats().requests >= 3);
    store.reset_stats();
    assert_eq!(user.prints(&["cat", &links[1], "--json", "--cache-dir", &kept]), first);
    assert_eq!(store.stats().requests, 0, "{:?}", store.stats().log);
}
