//! The executor and the whole-recording reader over real files and over a store that fails on purpose: the number of
//! requests, the same messages whatever fails, cancelled work.

use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use roadreel::decode::Form;
use roadreel::format::rosbag1::writer::{Compression, Writer};
use roadreel::format::{Batch, Catalog, Checks, ChunkId, Connection, ConnectionSet, Container, Fetched, Message};
use roadreel::run::{Executor, Io, Piece, Recording, messages, settle};
use roadreel::source::{Location, Policy, Reader};
use roadreel::store::{Choice, ChunkRead, Deadline, Event, Lookup, Read, Store, Want, What, Work};
use roadreel::time::{Span, Time};

use crate::server::{Behaviour, Fault, Server};

const SECOND: i64 = 1_000_000_000;
pub const START: Time = Time(1_600_000_000 * SECOND);
const TOPICS: [&str; 3] = ["/a", "/b", "/big"];

/// 20 chunks; message k of chunk c is received 0.1 c + 0.01 k seconds in, chunks overlap by a little, payloads tell both.
pub fn bag() -> Vec<u8> {
    let mut writer = Writer::new(Cursor::new(Vec::new()), Compression::Lz4).expect("a bag");
    let connections = TOPICS.map(|topic| {
        writer.add_connection(&Connection {
            topic: topic.into(),
            type_name: "std_msgs/String".into(),
            md5: "992ce8a1687cec8c8bd883ec73ca41d1".into(),
            definition: "string data\n".into(),
            ..Connection::default()
        })
    });
    for chunk in 0..20 {
        for k in 0..12 {
            let nanos = chunk * SECOND / 10 + k * SECOND / 100;
            let connection = connections[k as usize % 3];
            let len = if k % 3 == 2 { 20_000 } else { 10 };
            let mut text = format!("{chunk}.{k} ");
            // Not compressible, so that requests have something to bring.
            let mut random = fastrand::Rng::with_seed((chunk * 100 + k) as u64);
            text.extend(std::iter::repeat_with(|| random.alphanumeric()).take(len));
            let mut payload = (text.len() as u32).to_le_bytes().to_vec();
            payload.extend_from_slice(text.as_bytes());
            writer.write(connection, START.plus_nanos(nanos), &payload).expect("a message");
        }
        writer.close_chunk().expect("a chunk");
    }
    writer.finish().expect("a bag").into_inner()
}

fn policy() -> Policy {
    let millis = Duration::from_millis;
    Policy {
        attempts: 8,
        backoff: millis(1),
        backoff_max: millis(4),
        idle: millis(150),
        idle_max: millis(600),
        ..Policy::default()
    }
}

fn io() -> Io {
    Io::new(policy(), &[]).expect("a runtime")
}

fn open(io: &Io, location: &str) -> Recording {
    let location = Location::parse(location).expect("a location");
    Recording::open(io, location, |_, _| {})
        .map_err(|e| e.to_string())
        .expect("a recording")
}

/// `seconds topic chunk.k` of each message, and warnings.
fn listed(recording: &Recording, connections: ConnectionSet, span: Span) -> Vec<String> {
    let catalog = recording.container.catalog();
    messages(recording, connections, span, Checks::Quick)
        .map(|piece| match piece.map_err(|e| e.to_string()) {
            Ok(Piece::Message(time, connection, message)) => {
                let topic = &catalog.connections[connection as usize].topic;
                format!("{:.2} {topic} {}", time.since(START) as f64 * 1e-9, label(&message))
            }
            Ok(Piece::Warning(chunk, warning)) => format!("chunk {chunk}: {}", warning.what),
            Ok(Piece::Backwards(connection, found)) => format!("connection {connection}: {found:?}"),
            Err(error) => error,
        })
        .collect()
}

fn label(message: &Message) -> String {
    String::from_utf8_lossy(&message.payload[4..])
        .split(' ')
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// All 240 messages, in time order, then file order.
fn expected() -> Vec<String> {
    let mut all: Vec<(i64, i64, i64)> = (0..20).flat_map(|c| (0..12).map(move |k| (c * 10 + k, c, k))).collect();
    all.sort_unstable();
    all.into_iter()
        .map(|(at, c, k)| format!("{:.2} {} {c}.{k}", at as f64 / 100.0, TOPICS[k as usize % 3]))
        .collect()
}

fn file() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("drive.bag");
    std::fs::write(&path, bag()).expect("a file");
    (folder, path)
}

fn server(behaviour: Behaviour) -> Server {
    let server = Server::start(Behaviour {
        stall: Duration::from_secs(30),
        ..behaviour
    });
    server.put("drive.bag", bag());
    server
}

#[test]
fn a_local_bag_is_read_in_time_order() {
    let (_folder, path) = file();
    let recording = open(&io(), path.to_str().expect("a path"));
    assert_eq!(recording.container.catalog().chunks.len(), 20);
    assert_eq!(listed(&recording, ConnectionSet::All, Span::ALL), expected());
}

#[test]
fn topics_and_spans_are_picked() {
    let (_folder, path) = file();
    let recording = open(&io(), path.to_str().expect("a path"));
    let connections = &recording.container.catalog().connections;
    let b = connections.iter().position(|c| &*c.topic == "/b").expect("the topic") as u32;
    let span = Span::new(START.plus_nanos(SECOND), START.plus_nanos(SECOND + SECOND / 2));
    let wanted: Vec<_> = expected()
        .into_iter()
        .filter(|l| l.contains(" /b ") && ("1.00"..="1.50").contains(&&l[..4]))
        .collect();
    assert_eq!(listed(&recording, ConnectionSet::Only([b].into()), span), wanted);
}

#[test]
fn a_reader_that_stops_early_leaves_no_thread_behind() {
    let (_folder, path) = file();
    let recording = open(&io(), path.to_str().expect("a path"));
    let first = messages(&recording, ConnectionSet::All, Span::ALL, Checks::Quick).next();
    assert!(matches!(first, Some(Ok(Piece::Message(START, ..)))));
    assert_eq!(Arc::strong_count(&recording.container), 1);
}

#[test]
fn a_remote_bag_opens_with_two_requests() {
    let server = server(Behaviour::default());
    let io = io();
    let recording = open(&io, &server.presigned("drive.bag", 60));
    assert_eq!(recording.container.catalog().messages(), 240);
    let log = server.stats().log;
    assert!(
        log.len() <= 2 && log.iter().all(|a| a.method == "GET" && a.status == 206),
        "{log:?}"
    );
    assert!(server.stats().bytes < 80_000, "{} bytes", server.stats().bytes);
}

#[test]
fn a_remote_bag_without_an_index_is_scanned_with_several_requests_at_a_time() {
    let mut writer = Writer::new(Cursor::new(Vec::new()), Compression::None).expect("a bag");
    let connection = writer.add_connection(&Connection {
        topic: "/big".into(),
        type_name: "std_msgs/String".into(),
        definition: "string data\n".into(),
        ..Connection::default()
    });
    let payload = [&(3_000_000_u32).to_le_bytes()[..], &vec![b'.'; 3_000_000]].concat();
    for n in 0..12 {
        writer.write(connection, START.plus_nanos(n * SECOND), &payload).expect("a message");
        writer.close_chunk().expect("a chunk");
    }
    let mut bag = writer.finish().expect("a bag").into_inner();
    // cut off in the last message's chunk
    bag.truncate(36_500_000 - 2_000_000);
    let server = Server::start(Behaviour {
        rtt: Duration::from_millis(20),
        ..Behaviour::default()
    });
    server.put("drive.bag", bag);
    let recording = open(&io(), &server.url("drive.bag"));
    let catalog = recording.container.catalog();
    assert!(!catalog.indexed);
    assert_eq!(catalog.messages(), 11);
    let stats = server.stats();
    assert!(stats.max_parallel >= 4, "{} at a time", stats.max_parallel);
    assert!(stats.requests <= 14, "{} requests", stats.requests);
}

#[test]
fn a_remote_bag_is_read_in_few_requests() {
    let server = server(Behaviour::default());
    let recording = open(&io(), &server.url("drive.bag"));
    server.reset_stats();
    assert_eq!(listed(&recording, ConnectionSet::All, Span::ALL), expected());
    let stats = server.stats();
    assert!(stats.requests <= 2, "{stats:?}");
}

#[test]
fn faults_give_the_same_messages() {
    for behaviour in [
        Behaviour {
            p503: 0.1,
            pshort: 0.1,
            seed: 1,
            ..Behaviour::default()
        },
        Behaviour {
            p503: 0.3,
            pshort: 0.3,
            pstall: 0.1,
            seed: 2,
            ..Behaviour::default()
        },
        Behaviour {
            scripted: [(3, Fault::StallAt(100_000))].into(),
            ..Behaviour::default()
        },
    ] {
        let server = server(behaviour.clone());
        let recording = open(&io(), &server.url("drive.bag"));
        assert_eq!(listed(&recording, ConnectionSet::All, Span::ALL), expected(), "{behaviour:?}");
    }
}

#[test]
fn an_object_replaced_meanwhile_is_said_once_a_chunk() {
    let server = server(Behaviour::default());
    let recording = open(&io(), &server.url("drive.bag"));
    server.behave(|b| b.change_after = Some(1));
    let lines = listed(&recording, ConnectionSet::All, Span::ALL);
    assert!(
        lines
            .iter()
            .any(|l| l.starts_with("the recording was replaced while it was being read")),
        "{lines:?}"
    );
}

#[test]
fn chunks_that_cannot_be_read_are_told_and_the_rest_comes() {
    let (_folder, path) = file();
    let recording = open(&io(), path.to_str().expect("a path"));
    let tenth = recording.container.catalog().chunks[10].range.start;
    let file = std::fs::OpenOptions::new().write(true).open(&path).expect("the file");
    file.set_len(tenth + 100).expect("cut");
    let lines = listed(&recording, ConnectionSet::All, Span::ALL);
    let lost = |l: &&String| l.starts_with("chunk ") && l.contains("the file became shorter while it was read");
    assert_eq!(lines.iter().filter(lost).count(), 10, "{lines:#?}");
    assert_eq!(lines.len(), 10 * 12 + 10);

    let server = Server::start(Behaviour {
        scripted: [(3, Fault::Status(418, "Teapot", "No."))].into(),
        ..Behaviour::default()
    });
    server.put("drive.bag", bag());
    let recording = open(&io(), &server.url("drive.bag"));
    let lines = listed(&recording, ConnectionSet::All, Span::ALL);
    assert!(lines[0].starts_with("chunk 0: the server answered 418"), "{lines:#?}");
    assert!(
        lines.iter().all(|l| l.starts_with("chunk ")),
        "a loss of these chunks alone: {lines:#?}"
    );

    // that nothing may be read concerns all of them
    let server = Server::start(Behaviour {
        scripted: [(3, Fault::Status(403, "AccessDenied", "Access Denied"))].into(),
        ..Behaviour::default()
    });
    server.put("drive.bag", bag());
    let recording = open(&io(), &server.url("drive.bag"));
    let lines = listed(&recording, ConnectionSet::All, Span::ALL);
    assert!(lines[0].starts_with("access is denied"), "{lines:#?}");
}

#[test]
fn a_chunk_that_is_not_where_the_index_says_is_shown() {
    let mut bytes = bag();
    let positions: Vec<usize> = (0..bytes.len() - 10).filter(|at| bytes[*at..].starts_with(b"chunk_pos=")).collect();
    let at = positions[7] + 10;
    let there = u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    bytes[at..at + 8].copy_from_slice(&(there + 30).to_le_bytes());
    let server = Server::start(Behaviour::default());
    server.put("drive.bag", bytes);
    let executor = Executor::with(io(), || {});
    let container = opened(&executor, &server.url("drive.bag"));
    assert!(container.catalog().indexed, "nothing of this chunk was read so far");
    let events = shown(&run(&executor, vec![read(&container, 1, 7, 7, Deadline::Playhead)]));
    assert_eq!(events, ["1 chunk 7: 7.0…7.11 (12)", "1 done"]);
}

// — the executor —

/// Runs an executor to its end; what came, one line an event.
fn run(executor: &Executor, work: Vec<Work>) -> Vec<Event> {
    executor.submit(work);
    let mut events = Vec::new();
    while executor.wait() {
        executor.drain(&mut events);
    }
    executor.drain(&mut events);
    events
}

fn opened(executor: &Executor, location: &str) -> Arc<dyn Container> {
    let location = Location::parse(location).expect("a location");
    let open = Work::Open {
        source: 0,
        location,
        choice: Choice::default(),
    };
    match run(executor, vec![open]).pop() {
        Some(Event::Opened { container, done: true, .. }) => container,
        Some(Event::OpenFailed { error, .. }) => panic!("{error}"),
        _ => panic!("no catalogue"),
    }
}

/// One read of chunks `first..=last`, all connections kept.
fn read(container: &Arc<dyn Container>, id: u64, first: u32, last: u32, deadline: Deadline) -> Work {
    let keep: Vec<u32> = (0..container.catalog().connections.len() as u32).collect();
    let chunks: Vec<ChunkRead> = (first..=last)
        .map(|chunk| ChunkRead {
            chunk,
            range: container.catalog().chunks[chunk as usize].range.clone(),
            keep: keep.clone(),
            series: Vec::new(),
            rows: Vec::new(),
            arrivals: Vec::new(),
            transforms: Vec::new(),
        })
        .collect();
    let range = chunks[0].range.start..chunks[chunks.len() - 1].range.end;
    Work::Read(Read {
        id,
        source: 0,
        container: container.clone(),
        range,
        chunks,
        deadline,
    })
}

fn shown(events: &[Event]) -> Vec<String> {
    let line = |event: &Event| match event {
        Event::Opened { .. } => "opened".to_owned(),
        Event::OpenFailed { error, .. } => format!("open failed: {error}"),
        Event::ChunkRead { id, chunk, content, .. } => {
            let labels: Vec<_> = content.messages.iter().map(label).collect();
            format!("{id} chunk {chunk}: {}…{} ({})", labels[0], labels[labels.len() - 1], labels.len())
        }
        Event::ReadFailed { id, error, .. } => format!("{id} failed: {error}"),
        Event::ReadDone { id } => format!("{id} done"),
        Event::LinkEnded { source, .. } => format!("the link of {source} ended"),
        Event::Renewed { source, result } => match result {
            Ok(location) => format!("{source} goes on at {location}"),
            Err(error) => format!("{source} has no new link: {error}"),
        },
        Event::Fetched { address, result } => format!("{address} fetched: {}", result.is_ok()),
        Event::Decoded { id, result } => format!("{id} decoded: {}", result.is_ok()),
        Event::Computed { id, outcome } => format!("{id} computed: {}", outcome.is_some()),
    };
    let mut lines: Vec<String> = events.iter().map(line).collect();
    lines.sort();
    lines
}

#[test]
fn one_read_is_one_request_and_reports_each_chunk() {
    let server = server(Behaviour::default());
    let woken = Arc::new(AtomicUsize::new(0));
    let counted = woken.clone();
    let executor = Executor::with(io(), move || {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    let container = opened(&executor, &server.url("drive.bag"));
    server.reset_stats();
    let events = run(&executor, vec![read(&container, 7, 4, 6, Deadline::Playhead)]);
    assert_eq!(
        shown(&events),
        [
            "7 chunk 4: 4.0…4.11 (12)",
            "7 chunk 5: 5.0…5.11 (12)",
            "7 chunk 6: 6.0…6.11 (12)",
            "7 done"
        ]
    );
    assert!(matches!(events.last(), Some(Event::ReadDone { id: 7 })), "the end comes last");
    assert_eq!(server.stats().requests, 1);
    assert!(woken.load(Ordering::Relaxed) >= 2);
    assert_eq!(executor.outstanding(), 0);
}

#[test]
fn what_failed_is_said_with_where() {
    let server = server(Behaviour::default());
    let executor = Executor::with(io(), || {});
    let container = opened(&executor, &server.presigned("drive.bag", 60));
    server.behave(|b| b.now_secs += 3600);
    let failed = shown(&run(&executor, vec![read(&container, 1, 3, 4, Deadline::Playhead)]));
    assert!(
        failed[0].starts_with("1 failed: the link expired at 2027-01-15 08:01:00 UTC: ask for a new one and open it: http://127.0.0.1:"),
        "{failed:?}"
    );
    let gone = Work::Open {
        source: 1,
        location: Location::parse("/nowhere/drive.bag").expect("a location"),
        choice: Choice::default(),
    };
    assert_eq!(
        shown(&run(&executor, vec![gone])),
        ["open failed: there is no such file: /nowhere/drive.bag"]
    );
    let Work::Read(unknown) = read(&container, 2, 0, 0, Deadline::Ahead { millis: 10 }) else {
        unreachable!("a read")
    };
    let unknown = Work::Read(Read { source: 9, ..unknown });
    assert_eq!(shown(&run(&executor, vec![unknown])), ["2 failed: this recording is not open"]);
}

#[test]
fn cancelled_work_ends_its_request_and_says_nothing() {
    let stalling = Behaviour {
        scripted: (3..100).map(|n| (n, Fault::StallAt(0))).collect(),
        ..Behaviour::default()
    };
    let server = server(stalling);
    let patient = Policy {
        idle: Duration::from_secs(60),
        idle_max: Duration::from_secs(60),
        ..policy()
    };
    let executor = Executor::with(Io::new(patient, &[]).expect("a runtime"), || {});
    let container = opened(&executor, &server.url("drive.bag"));
    executor.submit(
        (0..12)
            .map(|n| read(&container, n, n as u32, n as u32, Deadline::Background))
            .collect(),
    );
    let events = run(&executor, (0..12).map(Work::Cancel).collect());
    assert_eq!(shown(&events), Vec::<String>::new());
    assert_eq!(executor.outstanding(), 0);
}

#[test]
fn the_playhead_goes_first_and_parallel_requests_are_bounded() {
    let server = server(Behaviour {
        rtt: Duration::from_millis(20),
        ..Behaviour::default()
    });
    let executor = Executor::with(io(), || {});
    let container = opened(&executor, &server.url("drive.bag"));
    server.reset_stats();
    let mut work: Vec<_> = (1..20)
        .map(|n| read(&container, n, n as u32, n as u32, Deadline::Background))
        .collect();
    work.push(read(&container, 0, 0, 0, Deadline::Playhead));
    let events = run(&executor, work);
    assert_eq!(events.iter().filter(|e| matches!(e, Event::ReadDone { .. })).count(), 20);
    let stats = server.stats();
    assert!(stats.max_parallel <= 8, "{}", stats.max_parallel);
    let playhead = container.catalog().chunks[0].range.clone();
    let playhead = Some(format!("bytes={}-{}", playhead.start, playhead.end - 1));
    assert!(stats.log.iter().take(8).any(|asked| asked.range == playhead), "{:?}", stats.log);
}

#[test]
fn chunks_that_overlap_in_the_file_are_all_reported() {
    let server = server(Behaviour::default());
    let executor = Executor::with(io(), || {});
    let container = opened(&executor, &server.url("drive.bag"));
    let Work::Read(mut both) = read(&container, 1, 2, 3, Deadline::Playhead) else {
        unreachable!("a read")
    };
    both.chunks.push(both.chunks[0].clone());
    let events = shown(&run(&executor, vec![Work::Read(both)]));
    assert_eq!(
        events,
        [
            "1 chunk 2: 2.0…2.11 (12)",
            "1 chunk 2: 2.0…2.11 (12)",
            "1 chunk 3: 3.0…3.11 (12)",
            "1 done"
        ]
    );
}

/// A reader with a bug.
struct Crashing(Catalog);

impl Container for Crashing {
    fn catalog(&self) -> &Catalog {
        &self.0
    }

    fn messages(&self, _chunk: ChunkId, _got: &Fetched, _connections: &ConnectionSet, _checks: Checks) -> Batch {
        panic!("on purpose")
    }
}

#[test]
fn a_crash_of_a_reader_is_an_event_and_the_rest_goes_on() {
    let (_folder, path) = file();
    let executor = Executor::with(io(), || {});
    let container = opened(&executor, path.to_str().expect("a path"));
    let crashing: Arc<dyn Container> = Arc::new(Crashing(container.catalog().clone()));
    let work = vec![
        read(&crashing, 1, 0, 0, Deadline::Playhead),
        read(&container, 2, 5, 5, Deadline::Background),
    ];
    let told = shown(&run(&executor, work));
    // two threads: either read may be told of first
    let (crashed, read): (Vec<&str>, Vec<&str>) = told.iter().map(String::as_str).partition(|line| line.starts_with("1 "));
    assert_eq!(
        crashed,
        ["1 failed: the reader crashed on the chunk at byte 4117, which is a bug worth reporting"]
    );
    assert_eq!(read, ["2 chunk 5: 5.0…5.11 (12)", "2 done"]);
    let recording = Recording {
        container: crashing,
        ..open(&io(), path.to_str().expect("a path"))
    };
    let lines = listed(&recording, ConnectionSet::All, Span::ALL);
    assert_eq!(lines.len(), 20);
    assert_eq!(
        lines[0],
        "chunk 0: the reader crashed on this chunk, which is a bug worth reporting"
    );
}

#[test]
fn an_index_that_names_monstrous_parts_gets_no_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("large.bag");
    let file = std::fs::File::create(&path).expect("a file");
    if file.set_len(1 << 40).is_err() {
        return eprintln!("passed over: no sparse files here");
    }
    let io = io();
    let reader = tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
        let reader = Reader::open(Location::Path(path), io.net()).await.expect("a file");
        reader.read(5..5 << 30).await.map(|bytes| bytes.len())
    });
    let text = reader.expect_err("an error").to_string();
    assert!(
        text.starts_with("the index names a part of 5.00 GiB, which cannot be right: "),
        "{text}"
    );
}

#[test]
fn a_store_comes_to_rest_over_a_failing_network() {
    let server = server(Behaviour {
        p503: 0.1,
        pshort: 0.1,
        seed: 3,
        ..Behaviour::default()
    });
    let executor = Executor::with(io(), || {});
    let mut store = Store::new(64 << 20);
    store.open(vec![Location::parse(&server.url("drive.bag")).expect("a location")]);
    let now = START.plus_nanos(SECOND + SECOND / 1000);
    settle(&mut store, &executor, |store| {
        let want = |topic: &str| {
            store.topic_by_name(topic).map(|t| Want {
                topic: t.id,
                what: What::Latest(Form::Value),
            })
        };
        let wants: Vec<Want> = TOPICS.iter().filter_map(|topic| want(topic)).collect();
        store.demand(now, 0.0, &wants);
    });
    let shown = TOPICS.map(|topic| {
        let id = store.topic_by_name(topic).expect("the topic").id;
        match store.latest(id, Form::Value) {
            Lookup::Ready(entry) => format!("{topic} {:.2}", entry.time.since(START) as f64 * 1e-9),
            other => format!("{topic} {other:?}"),
        }
    });
    assert_eq!(shown, TOPICS.map(at_or_before));
}

/// The newest message of a topic at or before 1.001 s, from the list of all.
fn at_or_before(topic: &str) -> String {
    let of_topic = |l: &String| l.split(' ').nth(1) == Some(topic) && l[..4] <= *"1.00";
    let newest = expected().into_iter().rfind(of_topic).expect("a message");
    format!("{topic} {}", &newest[..4])
}

#[test]
fn undecodable_messages_are_an_event() {
    let executor = Executor::with(io(), || {});
    let schema = Arc::new(roadreel::decode::Schema::ros1("std_msgs/String", "string data\n").expect("a schema"));
    let decode = |id, payload: &'static [u8]| Work::Decode {
        id,
        schema: schema.clone(),
        form: roadreel::decode::Form::Value,
        payload: Bytes::from_static(payload),
    };
    let events = run(&executor, vec![decode(1, b"\x02\0\0\0ok"), decode(2, b"\xff\0\0\0short")]);
    assert_eq!(shown(&events), ["1 decoded: true", "2 decoded: false"]);
}
