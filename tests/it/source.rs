//! Locations and range reads: what each fault is repaired to, or which sentence it becomes; that nothing secret is shown.

use std::io::Write;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use roadreel::source::{Location, Net, Policy, Reader, SourceError, TrafficSnapshot};

use crate::server::{Behaviour, Fault, Server};

/// Bytes that tell their own offset.
fn object(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i / 251 + i) as u8).collect()
}

fn quick() -> Policy {
    let millis = Duration::from_millis;
    Policy {
        attempts: 4,
        backoff: millis(1),
        backoff_max: millis(4),
        idle: millis(150),
        idle_max: millis(600),
        connect: millis(2000),
        whole_bytes: 1 << 20,
        ..Policy::default()
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(work)
}

fn read(url: &str, range: Range<u64>) -> (Result<Vec<u8>, SourceError>, TrafficSnapshot) {
    read_with(quick(), url, range)
}

fn read_with(policy: Policy, url: &str, range: Range<u64>) -> (Result<Vec<u8>, SourceError>, TrafficSnapshot) {
    block_on(async {
        let net = Net::new(policy, &[]).expect("a client");
        let result = async {
            Reader::open(Location::parse(url).expect("a location"), &net)
                .await?
                .read(range)
                .await
        };
        (result.await.map(|b| b.to_vec()), net.traffic().snapshot())
    })
}

/// The error's sentence, with the port and the location's own folder left out.
fn sentence(result: Result<Vec<u8>, SourceError>) -> String {
    let text = result.expect_err("an error").to_string();
    let Some((before, after)) = text.split_once("127.0.0.1:") else {
        return text;
    };
    format!("{before}HOST{}", after.trim_start_matches(|c: char| c.is_ascii_digit()))
}

const LEN: usize = 300_000;
const FAR: Range<u64> = 100_000..250_000;

fn far() -> Vec<u8> {
    object(LEN)[100_000..250_000].to_vec()
}

fn server(behaviour: Behaviour) -> Server {
    let server = Server::start(behaviour);
    server.put("drive.bag", object(LEN));
    server
}

fn scripted(faults: &[(u64, Fault)]) -> Behaviour {
    Behaviour {
        scripted: faults.iter().copied().collect(),
        stall: Duration::from_secs(30),
        ..Behaviour::default()
    }
}

#[test]
fn locations_are_parsed() {
    for (text, shown) in [
        ("drive.bag", "drive.bag"),
        ("/not/there/yet.bag", "/not/there/yet.bag"),
        ("  \"/with space/a b.bag\" ", "/with space/a b.bag"),
        ("C:\\drives\\a.bag", "C:\\drives\\a.bag"),
        ("file:///data/a%20b.bag", "/data/a b.bag"),
        ("https://host/a.bag", "https://host/a.bag"),
        (
            "https://host:8443/b/c.bag?X-Amz-Signature=SECRET#part",
            "https://host:8443/b/c.bag?…",
        ),
        ("https://user:SECRET@host/c.bag", "https://host/c.bag"),
        ("http://host?id=SECRET", "http://host/?…"),
        (
            "https://webviz.io/app/?remote-bag-url=https%3A%2F%2Fhost%2Fa.bag%3FSECRET",
            "https://host/a.bag?…",
        ),
        (
            "https://app.foxglove.dev/?ds=remote-file&ds.url=https%3A%2F%2Fhost%2Fa.bag",
            "https://host/a.bag",
        ),
        (
            "roadreel://open?url=SECRET",
            "this link names something that is no https:// or s3:// location: open the recording itself",
        ),
        (
            "ftp://host/a.bag",
            "ftp:// is not a kind of location that Roadreel reads: give a path, an https:// or an s3:// URL",
        ),
        (
            "https://",
            "this is not a complete URL (empty host): copy it again, from https:// to its last character",
        ),
        ("", "no location given: name a file or paste an https:// or s3:// URL"),
    ] {
        let parsed = Location::parse(text);
        let got = parsed.as_ref().map_or_else(ToString::to_string, ToString::to_string);
        assert_eq!(got, shown, "{text}");
        assert!(!format!("{parsed:?}").contains("SECRET"), "{parsed:?}");
    }
}

#[test]
fn names_come_from_the_last_segment() {
    for (text, name) in [
        ("/data/drive.bag", "drive.bag"),
        ("https://host/a/b%20c.bag?x=1", "b c.bag"),
        ("https://host/a/", "a"),
        ("https://host?x=1", "host"),
        ("https://host/100%", "100%"),
    ] {
        assert_eq!(Location::parse(text).expect("a location").name(), name);
    }
}

#[test]
fn files_are_read_by_range() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("drive.bag");
    std::fs::write(&path, object(LEN)).expect("a file");
    let (got, traffic) = read(path.to_str().expect("a path"), FAR);
    assert_eq!(got.expect("bytes"), far());
    assert_eq!((traffic.requests, traffic.disk_reads, traffic.disk_bytes), (0, 2, 65_536 + 150_000));
    let past = read(path.to_str().expect("a path"), 0..400_000)
        .0
        .expect_err("past the end")
        .to_string();
    assert!(
        past.starts_with("the file became shorter while it was read (wanted bytes up to 400000): open it again: "),
        "{past}"
    );
}

#[test]
fn paths_that_hold_no_recording_get_a_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let empty = folder.path().join("empty.bag");
    std::fs::write(&empty, b"").expect("a file");
    let say = |path: &std::path::Path| {
        let text = read(path.to_str().expect("a path"), 0..1).0.expect_err("an error").to_string();
        text.replace(&folder.path().display().to_string(), "DIR")
    };
    assert_eq!(say(folder.path()), "this is a folder, not a recording: name a file in it: DIR");
    assert_eq!(say(&empty), "the file is empty (0 bytes), there is nothing to show: DIR/empty.bag");
    assert_eq!(say(&folder.path().join("none.bag")), "there is no such file: DIR/none.bag");
    assert_eq!(say(&empty.join("below")), "there is no such file: DIR/empty.bag/below");
    if cfg!(unix) {
        assert_eq!(say(std::path::Path::new("/dev/null")), "this is not a regular file: /dev/null");
    }
}

#[test]
fn one_request_opens_and_one_reads() {
    let server = server(Behaviour::default());
    let (got, traffic) = read(&server.presigned("drive.bag", 60), FAR);
    assert_eq!(got.expect("bytes"), far());
    assert_eq!((traffic.requests, traffic.bytes, traffic.retries), (2, 65_536 + 150_000, 0));
    let stats = server.stats();
    let asked: Vec<_> = stats
        .log
        .iter()
        .map(|a| (a.method.as_str(), a.range.as_deref(), a.if_match.as_deref(), a.referer.as_deref()))
        .collect();
    assert_eq!(
        asked,
        [
            ("GET", Some("bytes=0-65535"), None, None),
            ("GET", Some("bytes=100000-249999"), Some("\"493e0-false\""), None)
        ]
    );
    assert_eq!(stats.connections, 1, "connections are used again");
}

#[test]
fn the_first_block_is_not_read_twice() {
    let server = server(Behaviour::default());
    server.put("small.bag", object(1000));
    let (got, traffic) = read(&server.url("small.bag?id=1"), 10..1000);
    assert_eq!(got.expect("bytes"), object(1000)[10..].to_vec());
    assert_eq!(traffic.requests, 1);
}

#[test]
fn faults_that_pass_are_repaired() {
    for (faults, requests) in [
        (vec![(1, Fault::Busy), (3, Fault::Busy)], 4),
        (vec![(1, Fault::CutAt(1000)), (3, Fault::CutAt(70_000)), (4, Fault::CutAt(0))], 5),
        (vec![(2, Fault::StallAt(80_000)), (3, Fault::StallAt(0))], 4),
        (
            vec![
                (1, Fault::Status(500, "InternalError", "We encountered an internal error.")),
                (2, Fault::Status(504, "x", "y")),
            ],
            4,
        ),
        (vec![(2, Fault::Shifted)], 3),
    ] {
        let server = server(scripted(&faults));
        let (got, traffic) = read(&server.url("drive.bag"), FAR);
        assert_eq!(got.map_err(|e| e.to_string()).expect("bytes"), far(), "{faults:?}");
        assert_eq!(traffic.requests, requests, "{faults:?}");
        assert_eq!(traffic.retries, requests - 2, "{faults:?}");
    }
}

#[test]
fn shorter_answers_are_taken_as_far_as_they_go() {
    let server = server(scripted(&[(1, Fault::Less(1000)), (3, Fault::Less(50_000)), (4, Fault::Less(1))]));
    let (got, traffic) = read(&server.url("drive.bag"), FAR);
    assert_eq!(got.map_err(|e| e.to_string()).expect("bytes"), far());
    assert_eq!((traffic.requests, traffic.retries), (5, 0));
    let ranges: Vec<_> = server.stats().log.into_iter().filter_map(|a| a.range).collect();
    assert_eq!(
        ranges,
        [
            "bytes=0-65535",
            "bytes=1000-65535",
            "bytes=100000-249999",
            "bytes=150000-249999",
            "bytes=150001-249999"
        ]
    );
}

/// Sends whoever asks elsewhere; what was asked.
fn redirecting(to: String) -> (u16, std::thread::JoinHandle<String>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let answer = move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let (mut asked, mut part) = (Vec::new(), [0; 4096]);
        while !asked.windows(4).any(|w| w == b"\r\n\r\n") {
            let got = std::io::Read::read(&mut stream, &mut part).expect("a request");
            asked.extend_from_slice(&part[..got]);
        }
        let head = format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("sent");
        String::from_utf8_lossy(&asked).into_owned()
    };
    (port, std::thread::spawn(answer))
}

#[test]
fn the_user_s_headers_do_not_follow_a_redirect_to_another_host() {
    let server = server(Behaviour::default());
    let (port, asked) = redirecting(server.url("drive.bag"));
    let url = format!("http://127.0.0.1:{port}/latest");
    let headers = [("x-amz-request-payer".to_owned(), "S3CR3T".to_owned())];
    block_on(async {
        let net = Net::new(quick(), &headers).expect("a client");
        Reader::open(Location::parse(&url).expect("a location"), &net)
            .await
            .expect("a recording");
    });
    assert!(asked.join().expect("an answer").contains("S3CR3T"));
    let log = server.stats().log;
    assert_eq!(log.len(), 1);
    assert_eq!(
        (log[0].request_payer.clone(), log[0].range.as_deref()),
        (None, Some("bytes=0-65535"))
    );
}

#[test]
fn a_text_that_a_link_names_is_asked_for_without_the_user_s_headers() {
    let server = server(Behaviour::default());
    server.put("layout.json", "{}");
    let headers = [("x-amz-request-payer".to_owned(), "S3CR3T".to_owned())];
    let io = roadreel::run::Io::new(quick(), &headers).expect("a runtime");
    let location = Location::parse(&server.url("layout.json")).expect("a location");
    assert_eq!(io.fetch_text_now(location, 100), Ok("{}".to_owned()));
    assert_eq!(server.stats().log[0].request_payer, None);
}

#[test]
fn what_was_received_is_not_asked_for_again() {
    let server = server(scripted(&[(2, Fault::CutAt(65_536))]));
    read(&server.url("drive.bag"), FAR).0.expect("bytes");
    let ranges: Vec<_> = server.stats().log.into_iter().filter_map(|a| a.range).collect();
    assert_eq!(ranges, ["bytes=0-65535", "bytes=100000-249999", "bytes=165536-249999"]);
}

#[test]
fn a_request_that_stalls_is_asked_again_and_the_first_answer_counts() {
    // the second answers at once: it goes on where the first one stopped
    let store = server(scripted(&[(2, Fault::StallAt(65_536))]));
    let (got, traffic) = read(&store.url("drive.bag"), FAR);
    assert_eq!(got.expect("bytes"), far());
    let ranges = |store: &Server| -> Vec<String> { store.stats().log.into_iter().filter_map(|a| a.range).collect() };
    assert_eq!(ranges(&store), ["bytes=0-65535", "bytes=100000-249999", "bytes=165536-249999"]);
    assert_eq!((traffic.requests, traffic.retries, traffic.bytes), (3, 1, 65_536 + 150_000));
    assert!(store.stats().connections >= 2, "not behind the one that stalls");

    // the first one comes to itself before the second: it is not given up
    let patient = || Policy {
        idle: Duration::from_millis(600),
        ..quick()
    };
    let store = server(Behaviour {
        stall: Duration::from_millis(1200),
        ..scripted(&[(2, Fault::StallAt(65_536)), (3, Fault::StallAt(0))])
    });
    let (got, traffic) = read_with(patient(), &store.url("drive.bag"), FAR);
    assert_eq!(got.expect("bytes"), far());
    assert_eq!((traffic.requests, traffic.retries, traffic.bytes), (3, 1, 65_536 + 150_000));

    // the second one fails: the first one is still waited for
    let store = server(Behaviour {
        stall: Duration::from_millis(1200),
        ..scripted(&[(2, Fault::StallAt(65_536)), (3, Fault::Busy)])
    });
    let (got, traffic) = read_with(patient(), &store.url("drive.bag"), FAR);
    assert_eq!(got.expect("bytes"), far());
    assert_eq!((traffic.requests, traffic.bytes), (3, 65_536 + 150_000));
}

#[test]
fn random_faults_do_not_change_what_is_read() {
    let server = server(Behaviour {
        p503: 0.2,
        pshort: 0.3,
        pstall: 0.05,
        seed: 7,
        ..scripted(&[])
    });
    for _ in 0..8 {
        assert_eq!(read(&server.url("drive.bag"), FAR).0.expect("bytes"), far());
    }
}

#[test]
fn faults_that_stay_become_sentences() {
    let always = |fault: Fault| scripted(&(1..40).map(|n| (n, fault)).collect::<Vec<_>>());
    for (behaviour, expected) in [
        (
            always(Fault::Busy),
            "the server is overloaded (503 SlowDown: Please reduce your request rate; asked 4 times): wait a moment and try again: http://HOST/drive.bag?…",
        ),
        (
            always(Fault::CutAt(0)),
            "the answer broke off after 0 of 65536 bytes (asked 4 times): check the network and try again: http://HOST/drive.bag?…",
        ),
        (
            always(Fault::StallAt(0)),
            "the server sent nothing for 1 s (asked 4 times): check the network and try again: http://HOST/drive.bag?…",
        ),
        (
            always(Fault::Shifted),
            "the server sent other bytes than asked for (asked for 0–65535, got 1–65536): a proxy may be altering answers; try again, or download the file: http://HOST/drive.bag?…",
        ),
        (
            always(Fault::Status(403, "SignatureDoesNotMatch", "The request signature…")),
            "the link's signature does not fit (403 SignatureDoesNotMatch): copy the whole URL again, it may have been cut or altered: http://HOST/drive.bag?…",
        ),
        (
            always(Fault::Status(403, "AccessDenied", "Access Denied")),
            "access is denied (403 AccessDenied: Access Denied): ask the owner for read access or for a new link: http://HOST/drive.bag?…",
        ),
        (
            always(Fault::Status(400, "InvalidArgument", "No")),
            "the server answered 400 (400 InvalidArgument: No): http://HOST/drive.bag?…",
        ),
        (
            scripted(&[(2, Fault::Status(416, "InvalidRange", "No"))]),
            "the server has no bytes at 100000–249999 (416): the recording is shorter than it was when opened; open it again: http://HOST/drive.bag?…",
        ),
        (
            Behaviour {
                change_after: Some(2),
                ..Behaviour::default()
            },
            CHANGED,
        ),
        (
            Behaviour {
                change_after: Some(3),
                ..scripted(&[(2, Fault::CutAt(5000))])
            },
            CHANGED,
        ),
        (
            Behaviour {
                now_secs: 1_800_009_000,
                ..Behaviour::default()
            },
            "the link expired at 2027-01-15 09:00:00 UTC: ask for a new one and open it: http://HOST/drive.bag?…",
        ),
    ] {
        let server = server(Behaviour {
            now_secs: 1_800_000_000,
            ..behaviour.clone()
        });
        let url = server.presigned("drive.bag", 3600);
        server.behave(|b| b.now_secs = behaviour.now_secs);
        assert_eq!(sentence(read(&url, FAR).0), expected, "{behaviour:?}");
    }
}

const CHANGED: &str = "the recording was replaced while it was being read: open it again: http://HOST/drive.bag?…";

#[test]
fn a_missing_object_and_an_unreachable_host_get_a_sentence() {
    let server = server(Behaviour::default());
    let missing = sentence(read(&server.url("other.bag?id=SECRET"), FAR).0);
    let expected = "there is no such object (404 NoSuchKey: The specified key does not exist): check the name, or whether it was moved or deleted: http://HOST/other.bag?…";
    assert_eq!(missing, expected);
    server.put("empty.bag", Vec::new());
    assert_eq!(
        sentence(read(&server.url("empty.bag"), FAR).0),
        "the file is empty (0 bytes), there is nothing to show: http://HOST/empty.bag"
    );
    let url = server.url("drive.bag?id=SECRET");
    drop(server);
    let gone = sentence(read(&url, FAR).0);
    assert!(
        gone.starts_with("the server cannot be reached (")
            && gone.ends_with("): check the network, a VPN or HTTPS_PROXY: http://HOST/drive.bag?…"),
        "{gone}"
    );
}

#[test]
fn a_server_that_speaks_no_tls_gets_a_sentence() {
    let server = server(Behaviour::default());
    let text = sentence(read(&server.url("drive.bag?id=SECRET").replace("http:", "https:"), FAR).0);
    assert!(
        text.starts_with("the secure connection failed (") && text.ends_with(": https://HOST/drive.bag?…"),
        "{text}"
    );
}

#[test]
fn a_server_without_ranges_is_read_whole_or_refused() {
    let server = server(Behaviour {
        ranges: false,
        ..Behaviour::default()
    });
    let (got, traffic) = read(&server.url("drive.bag"), FAR);
    assert_eq!(got.expect("bytes"), far());
    assert_eq!((traffic.requests, traffic.bytes), (1, LEN as u64));
    server.put("large.bag", object(2_000_000));
    let expected = "the server cannot send parts of a file (it answered 200 to a range request), and this one is too large to read whole (1.91 MiB): download the file and open it from disk: http://HOST/large.bag";
    assert_eq!(sentence(read(&server.url("large.bag"), FAR).0), expected);
}

#[test]
fn nothing_secret_is_logged_or_said() {
    let log = Capture::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    let server = server(scripted(&[(2, Fault::Busy), (3, Fault::CutAt(1000)), (4, Fault::StallAt(10))]));
    let url = server.presigned("drive.bag", 60).replace("http://", "http://user:SECRETPASSWORD@");
    let said = tracing::subscriber::with_default(subscriber, || {
        read(&url, FAR).0.expect("bytes");
        server.behave(|b| {
            b.scripted = (5..40)
                .map(|n| {
                    (
                        n,
                        Fault::Status(403, "AccessDenied", "no /drive.bag?X-Amz-Signature=SECRETSIGNATURE"),
                    )
                })
                .collect()
        });
        let denied = read(&url, FAR).0.expect_err("denied");
        format!("{denied} {denied:?}")
    });
    let log = String::from_utf8(log.0.lock().expect("the log").clone()).expect("text");
    assert!(log.contains("asking again"), "{log}");
    for text in [&log, &said] {
        assert!(!text.contains("SECRET") && !text.contains("X-Amz"), "{text}");
    }
}

#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<u8>>>);

impl Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> tracing_subscriber::fmt::MakeWriter<'a> for Capture {
    type Writer = Capture;

    fn make_writer(&'a self) -> Capture {
        self.clone()
    }
}
