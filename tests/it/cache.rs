//! The byte cache: nothing is fetched twice, whatever happens to its folder.

#![expect(clippy::single_range_in_vec_init, reason = "a list of ranges may hold one")]

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use roadreel::source::{Cache, CacheOptions, Location, Net, Policy, Reader, SourceError, TrafficSnapshot};

use crate::server::{Behaviour, Server};

const LEN: usize = 3_000_000;

/// Bytes that tell their own offset.
fn object(len: usize, seed: u8) -> Vec<u8> {
    (0..len).map(|i| (i / 251 + i) as u8 ^ seed).collect()
}

fn drive_bytes() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| object(LEN, 0))
}

fn server(behaviour: Behaviour) -> Server {
    let server = Server::start(behaviour);
    server.put("drive.bag", drive_bytes());
    server
}

fn cache(folder: Option<&Path>) -> Cache {
    Cache::new(CacheOptions {
        folder: folder.map(Path::to_owned),
        disk_bytes: 100 << 20,
        memory_bytes: 1 << 20,
    })
}

/// Opens and reads as a program of its own would: with a cache object of its own, which is written before this returns.
fn read(cache: &Cache, url: &str, ranges: &[Range<u64>]) -> (Result<Vec<Vec<u8>>, SourceError>, TrafficSnapshot) {
    let policy = Policy {
        attempts: 3,
        backoff: Duration::from_millis(1),
        idle: Duration::from_millis(300),
        ..Policy::default()
    };
    let net = Net::new(policy, &[]).expect("a client").cached(cache.clone());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let result = runtime.block_on(async {
        let reader = Reader::open(Location::parse(url).expect("a location"), &net).await?;
        let mut all = Vec::new();
        for range in ranges {
            all.push(reader.read(range.clone()).await?.to_vec());
        }
        Ok(all)
    });
    cache.flush();
    (result, net.traffic().snapshot())
}

#[track_caller]
fn reads(folder: &Path, url: &str, ranges: &[Range<u64>]) -> TrafficSnapshot {
    let (result, traffic) = read(&cache(Some(folder)), url, ranges);
    let whole = drive_bytes();
    for (bytes, range) in result.map_err(|e| e.to_string()).expect("bytes").iter().zip(ranges) {
        assert!(*bytes == whole[range.start as usize..range.end as usize], "{range:?}");
    }
    traffic
}

pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(files(&path)),
            path => found.push(path),
        }
    }
    found
}

/// As if the objects had last been checked two minutes ago.
pub fn age(folder: &Path) {
    for path in files(&folder.join("known")) {
        let file = fs::File::options().append(true).open(path).expect("a file");
        file.set_modified(SystemTime::now() - Duration::from_secs(120)).expect("a time");
    }
}

#[test]
fn a_new_link_to_the_same_object_costs_nothing_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = server(Behaviour::default());
    let ranges = [100_000..2_500_000, 2_900_000..LEN as u64];
    let first = reads(folder.path(), &server.presigned("drive.bag", 60), &ranges);
    assert_eq!((first.requests, first.cache_hits), (3, 0));

    server.reset_stats();
    let just_after = reads(folder.path(), &server.presigned("drive.bag", 600), &ranges);
    assert_eq!((just_after.requests, just_after.bytes), (0, 0));
    assert!(just_after.cache_hits >= 4 && just_after.cache_bytes > 2_500_000, "{just_after:?}");

    age(folder.path());
    let later = reads(folder.path(), &server.presigned("drive.bag", 1200), &ranges);
    assert_eq!((later.requests, later.bytes), (1, 0), "one check, no bytes");
    assert_eq!(server.stats().by_status, [(304, 1)].into());

    let other_host = server.presigned("drive.bag", 1200).replace("127.0.0.1", "localhost");
    let elsewhere = reads(folder.path(), &other_host, &ranges);
    assert_eq!(
        (elsewhere.requests, elsewhere.bytes),
        (1, 65_536),
        "only the first block tells what object it is"
    );
}

#[test]
fn only_what_is_missing_is_fetched() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = server(Behaviour::default());
    let url = server.url("drive.bag");
    reads(folder.path(), &url, &[200_000..400_000, 700_000..900_000]);
    server.reset_stats();
    reads(folder.path(), &url, &[100_000..1_000_000]);
    let asked: Vec<_> = server.stats().log.into_iter().filter_map(|a| a.range).collect();
    assert_eq!(asked, ["bytes=100000-199999", "bytes=400000-699999", "bytes=900000-999999"]);
}

#[test]
fn memory_alone_serves_one_program() {
    let server = server(Behaviour::default());
    let cache = cache(None);
    let url = server.url("drive.bag");
    let ranges = [100_000..300_000, 150_000..250_000, 200_000..400_000];
    let (bytes, traffic) = read(&cache, &url, &ranges);
    assert_eq!(bytes.map_err(|e| e.to_string()).expect("bytes")[1], drive_bytes()[150_000..250_000]);
    assert_eq!((traffic.requests, traffic.bytes), (3, 65_536 + 300_000));
}

#[test]
fn without_a_strong_etag_nothing_is_kept() {
    for behaviour in [
        Behaviour {
            etag: false,
            ..Behaviour::default()
        },
        Behaviour {
            weak: true,
            ..Behaviour::default()
        },
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let server = server(behaviour);
        let urls = [server.url("drive.bag"), server.presigned("drive.bag", 60)];
        let traffic = urls.map(|url| reads(folder.path(), &url, &[100_000..300_000]));
        assert_eq!(traffic.map(|t| (t.requests, t.bytes, t.cache_hits)), [(2, 265_536, 0); 2]);
        assert!(files(folder.path()).is_empty());
    }
}

#[test]
fn a_query_that_may_name_another_object_is_always_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = server(Behaviour::default());
    for id in ["id=1", "id=2", "token=x"] {
        let traffic = reads(folder.path(), &server.url(&format!("drive.bag?{id}")), &[100_000..300_000]);
        assert!(traffic.requests >= 1, "{id}");
    }
}

#[test]
fn a_replaced_object_is_noticed_and_never_mixed() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = server(Behaviour::default());
    let url = server.url("drive.bag");
    reads(folder.path(), &url, &[100_000..300_000]);
    server.behave(|b| b.change_after = Some(0));
    server.put("drive.bag", object(LEN, 7));

    let (early, _) = read(&cache(Some(folder.path())), &url, &[100_000..500_000]);
    assert!(early.expect_err("changed").to_string().contains("replaced while it was being read"));
    let (again, _) = read(&cache(Some(folder.path())), &url, &[100_000..500_000]);
    assert!(again.map_err(|e| e.to_string()).expect("bytes")[0] == object(LEN, 7)[100_000..500_000]);
}

#[test]
fn the_least_recently_used_is_deleted() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(Behaviour::default());
    let small = Cache::new(CacheOptions {
        folder: Some(folder.path().to_owned()),
        disk_bytes: 8 << 20,
        memory_bytes: 0,
    });
    for number in 0..6 {
        let key = format!("drive{number}.bag");
        server.put(&key, object(LEN + number, number as u8));
        for (name, requests) in [(&*key, 2), ("drive0.bag", 0)] {
            let (bytes, traffic) = read(&small, &server.url(name), &[65_536..LEN as u64]);
            bytes.map_err(|e| e.to_string()).expect("bytes");
            // the first is used again and again, so it stays
            assert!(traffic.requests <= requests, "{name} after {number}: {traffic:?}");
            // files' times must differ
            for path in files(folder.path()) {
                let file = fs::File::options().append(true).open(path).expect("a file");
                let used = file.metadata().and_then(|m| m.modified()).expect("a time");
                file.set_modified(used - Duration::from_secs(1)).expect("a time");
            }
        }
        assert!(Cache::used(folder.path()).expect("a folder").bytes <= 8 << 20);
    }
}

#[cfg(unix)]
#[test]
fn only_the_user_can_read_it_and_names_tell_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let inside = folder.path().join("a/b");
    reads(
        &inside,
        &server(Behaviour::default()).presigned("drive.bag", 60),
        &[100_000..300_000],
    );
    let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    let found = files(&inside);
    assert!(found.len() >= 3, "{found:?}");
    for file in found {
        assert_eq!(mode(&file), 0o600);
        assert_eq!(mode(file.parent().expect("a folder")), 0o700);
        let name = file.strip_prefix(&inside).expect("inside").display().to_string();
        assert!(!name.contains("drive") && !name.contains("SECRET"), "{name}");
        let text = String::from_utf8_lossy(&fs::read(&file).expect("bytes")).into_owned();
        assert!(!text.contains("SECRET") && !text.contains("X-Amz"), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_was_there_is_made_private_where_nothing_else_lies_in_it() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).expect("a folder").permissions().mode() & 0o777;
    for (others, wanted) in [(false, 0o700), (true, 0o755)] {
        let folder = tempfile::tempdir().expect("a folder");
        fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("its owner");
        if others {
            fs::write(folder.path().join("notes.txt"), "of others").expect("a file");
        }
        let server = server(Behaviour::default());
        reads(folder.path(), &server.url("drive.bag"), &[100_000..300_000]);
        assert_eq!(mode(folder.path()), wanted);
        assert_eq!(mode(&folder.path().join("objects")), 0o700);
    }
}

#[test]
fn a_folder_that_cannot_be_written_costs_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("objects"), "in the way").expect("a file");
    let cache = cache(Some(folder.path()));
    let (bytes, _) = read(&cache, &server(Behaviour::default()).url("drive.bag"), &[100_000..300_000]);
    assert!(bytes.map_err(|e| e.to_string()).expect("bytes")[0] == drive_bytes()[100_000..300_000]);
    let told = cache.trouble().expect("a sentence");
    assert!(told.contains("not kept on disk any more") && told.contains("--cache-dir"), "{told}");
}

/// A file system of 1 MiB; None, saying so, where this user may not mount one.
fn small_disk() -> Option<SmallDisk> {
    let folder = tempfile::tempdir().expect("a folder");
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
        .arg(folder.path())
        .output();
    if mounted.is_ok_and(|m| m.status.success()) {
        return Some(SmallDisk(folder));
    }
    eprintln!("passed over: this user may not mount a small file system");
    None
}

struct SmallDisk(tempfile::TempDir);

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).output();
    }
}

#[test]
fn a_full_disk_costs_a_sentence() {
    let Some(disk) = small_disk() else { return };
    let folder = disk.0.path();
    let big = cache(Some(folder));
    let url = server(Behaviour::default());
    let url = (url.url("drive.bag"), url);
    let (bytes, _) = read(&big, &url.0, &[100_000..LEN as u64]);
    assert!(bytes.map_err(|e| e.to_string()).expect("bytes")[0] == drive_bytes()[100_000..]);
    assert!(
        big.trouble().is_some_and(|told| told.contains("the disk is full")),
        "{:?}",
        big.trouble()
    );
    // what was kept before is of use
    assert!(reads(folder, &url.0, &[0..300_000]).bytes <= 300_000);
}

#[derive(Clone, Debug)]
enum Damage {
    Cut(usize),
    Flip(usize, u8),
    Longer(Vec<u8>),
    Replace(Vec<u8>),
    SwapWith(usize),
    Delete,
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        any::<usize>().prop_map(Damage::Cut),
        (any::<usize>(), 1..=255u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        prop::collection::vec(any::<u8>(), 1..9).prop_map(Damage::Longer),
        prop::collection::vec(any::<u8>(), 0..99).prop_map(Damage::Replace),
        any::<usize>().prop_map(Damage::SwapWith),
        Just(Damage::Delete),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn damaged_files_are_fetched_again(damages in prop::collection::vec((any::<usize>(), damage()), 1..6)) {
        let folder = tempfile::tempdir().expect("a folder");
        let server = server(Behaviour::default());
        let ranges = [70_000..150_000, 1_000_000..2_200_000];
        reads(folder.path(), &server.url("drive.bag"), &ranges);
        let mut found = files(folder.path());
        found.sort();
        for (which, damage) in damages {
            let path = &found[which % found.len()];
            let Ok(mut bytes) = fs::read(path) else { continue };
            match damage {
                Damage::Cut(at) => bytes.truncate(at % bytes.len().max(1)),
                Damage::Flip(at, bit) => {
                    let at = at % bytes.len().max(1);
                    bytes.get_mut(at).into_iter().for_each(|b| *b ^= bit);
                }
                Damage::Longer(more) => bytes.extend(more),
                Damage::Replace(other) => bytes = other,
                Damage::SwapWith(other) => bytes = fs::read(&found[other % found.len()]).unwrap_or_default(),
                Damage::Delete => {
                    fs::remove_file(path).expect("deleted");
                    continue;
                }
            }
            fs::write(path, bytes).expect("written");
        }
        reads(folder.path(), &server.url("drive.bag"), &ranges);
        // and now it is whole again
        prop_assert_eq!(reads(folder.path(), &server.url("drive.bag"), &ranges).bytes, 0);
    }
}

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_roadreel"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn spawn(arguments: &[&str]) -> Child {
    program(arguments).spawn().expect("the program starts")
}

fn done(child: Child) -> Output {
    let output = child.wait_with_output().expect("the program ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// A demo drive on a slow server, and what `cat` tells of it.
pub fn drive(folder: &Path) -> (Server, Vec<u8>) {
    let path = folder.join("drive.bag");
    let path = path.to_str().expect("a path");
    done(spawn(&["demo", "--seconds", "0.7", "-o", path]));
    let wanted = done(spawn(&["cat", path, "--json"])).stdout;
    let server = Server::start(Behaviour {
        megabits_per_sec: 200.0,
        ..Behaviour::default()
    });
    server.put_file("drive.bag", path);
    (server, wanted)
}

#[test]
fn a_killed_program_leaves_a_cache_that_can_be_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, wanted) = drive(folder.path());
    let kept = folder.path().join("kept");
    let url = server.presigned("drive.bag", 60);
    let cat = ["cat", &*url, "--json", "--cache-dir", kept.to_str().expect("a path")];
    for stop_at in [200_000, 2_000_000, 5_000_000] {
        server.reset_stats();
        let mut child = program(&cat).stdout(Stdio::null()).spawn().expect("the program starts");
        while server.stats().bytes < stop_at && child.try_wait().expect("a state").is_none() {
            std::thread::yield_now();
        }
        child.kill().expect("killed");
        child.wait().expect("ended");
    }
    assert!(done(spawn(&cat)).stdout == wanted);
    server.reset_stats();
    assert!(done(spawn(&cat)).stdout == wanted);
    assert_eq!(server.stats().requests, 0, "everything is there now");
}

#[test]
fn two_programs_share_a_cache() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, wanted) = drive(folder.path());
    let kept = folder.path().join("kept");
    let url = server.presigned("drive.bag", 60);
    let cat = ["cat", &*url, "--json", "--cache-dir", kept.to_str().expect("a path")];
    let both = [spawn(&cat), spawn(&cat)];
    for child in both {
        assert!(done(child).stdout == wanted);
    }
    server.reset_stats();
    assert!(done(spawn(&cat)).stdout == wanted);
    assert_eq!(server.stats().requests, 0);
}

#[test]
fn the_cache_is_shown_and_deleted_by_one_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, _) = drive(folder.path());
    let kept = folder.path().join("kept");
    let kept = kept.to_str().expect("a path");
    let json = |arguments: &[&str]| -> serde_json::Value {
        let output = done(spawn(&[arguments, &["--json", "--cache-dir", kept]].concat()));
        serde_json::from_slice(&output.stdout).expect("JSON")
    };
    assert_eq!(json(&["cache"])["bytes"], 0);
    done(spawn(&["info", &server.url("drive.bag"), "--cache-dir", kept]));
    let used = json(&["cache"]);
    assert!(used["bytes"].as_u64() > Some(65_536) && used["objects"] == 1, "{used}");
    fs::write(Path::new(kept).join("not-ours"), "").expect("a file");
    assert_eq!(json(&["cache", "clear"])["deleted_bytes"], used["bytes"]);
    assert_eq!(json(&["cache"])["bytes"], 0);
    assert_eq!(files(Path::new(kept)), [Path::new(kept).join("not-ours")]);
    let off = folder.path().join("off");
    done(spawn(&[
        "info",
        &server.url("drive.bag"),
        "--no-cache",
        "--cache-dir",
        off.to_str().expect("a path"),
    ]));
    assert!(!off.exists());
}
