//! Find when: spans in which a condition holds, against an evaluation of its own, and through the program as scripts see it.

#[path = "find/program.rs"]
mod by_program;
#[path = "find/tables.rs"]
mod tables;

use std::collections::HashSet;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use roadreel::find::{Bounds, Condition, Drive, Reads, Search, Step};
use roadreel::format::Connection;
use roadreel::format::rosbag1::writer::{Compression, Writer};
use roadreel::path::{PathError, Variables, parse};
use roadreel::run::{Io, Recording};
use roadreel::source::{Location, Policy};
use roadreel::time::{Span, Time};

/// A moment, in milliseconds.
fn ms(n: i64) -> Time {
    Time(1_600_000_000_000_000_000 + n * 1_000_000)
}

/// A message of `/a` (0), `/b` (1) or `/other` (2), whose definition is `float64 data` and a mode.
#[derive(Clone, Copy, Debug)]
struct Sent {
    topic: usize,
    at: i64,
    value: f64,
}

const TOPICS: [&str; 3] = ["/a", "/b", "/other"];
const DEFINITION: &str = "float64 data\nuint8 LOW=0\nuint8 HIGH=1\nuint8 mode\nstring name\nfloat64[] list\n";

fn payload(value: f64) -> Vec<u8> {
    let mut bytes = value.to_le_bytes().to_vec();
    bytes.push(u8::from(value > 0.0));
    let name = if value > 0.0 { "high" } else { "low" };
    bytes.extend((name.len() as u32).to_le_bytes());
    bytes.extend(name.as_bytes());
    bytes.extend(2_u32.to_le_bytes());
    bytes.extend(value.to_le_bytes());
    bytes.extend((-value).to_le_bytes());
    bytes
}

/// What makes messages of `/other` large, and does not pack.
fn ballast(seed: i64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed.unsigned_abs());
    std::iter::repeat_with(|| random.u8(..)).take(2_000).collect()
}

/// A chunk of the bag holds `a_chunk` messages, in the order in which they are given.
fn bag(messages: &[Sent], a_chunk: usize) -> Vec<u8> {
    let mut bag = Writer::new(Cursor::new(Vec::new()), Compression::Lz4).expect("a bag");
    let ids = TOPICS.map(|topic| {
        bag.add_connection(&Connection {
            topic: topic.into(),
            type_name: "test_msgs/Value".into(),
            md5: "*".into(),
            definition: DEFINITION.into(),
            ..Connection::default()
        })
    });
    for messages in messages.chunks(a_chunk) {
        for sent in messages {
            let mut bytes = payload(sent.value);
            if sent.topic == 2 {
                bytes.extend(ballast(sent.at));
            }
            bag.write(ids[sent.topic], ms(sent.at), &bytes).expect("written");
        }
        bag.close_chunk().expect("a chunk");
    }
    bag.finish().expect("finished").into_inner()
}

struct Opened {
    drive: Drive,
    io: Io,
    _folder: tempfile::TempDir,
}

fn opened(name: &str, bytes: &[u8]) -> Opened {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("written");
    let io = Io::new(Policy::default(), &[]).expect("a runtime");
    let recording = Recording::open(&io, Location::Path(path), |_, _| {}).expect("it opens");
    Opened {
        drive: Drive::of(recording),
        io,
        _folder: folder,
    }
}

fn condition(drive: &Drive, text: &str) -> Result<Condition, PathError> {
    let expr = parse(text)?;
    Condition::compile(&expr, &drive.schemas(&expr.topics()), &Variables::new())
}

fn spans(drive: &Drive, text: &str, bounds: Bounds) -> (Vec<Span>, Reads) {
    let condition = condition(drive, text).unwrap_or_else(|e| panic!("{text}: {e}"));
    let search = Search::begin(drive, &condition, bounds);
    let reads = search.reads();
    let found = search.filter_map(|step| match step.expect("it is read") {
        Step::Found(span) => Some(span),
        Step::Lost(at, warning) => panic!("{}: {at}", warning.what),
        Step::Reached(_) => None,
    });
    (found.collect(), reads)
}

/// In milliseconds: `3-7 12-20`.
fn shown(spans: &[Span]) -> String {
    let ms = |t: Time| (t.0 - ms(0).0) as f64 / 1e6;
    let texts: Vec<String> = spans.iter().map(|s| format!("{}-{}", ms(s.start), ms(s.end))).collect();
    texts.join(" ")
}

/// The newest values of `/a` and `/b`; what is not known is not true.
type Holds = fn(Option<f64>, Option<f64>) -> bool;

const CONDITIONS: [(&str, Holds); 13] = [
    ("/a.data > 0", |a, _| a.is_some_and(|a| a > 0.0)),
    ("/a.data > 0 and /b.data <= 1", |a, b| {
        a.is_some_and(|a| a > 0.0) && b.is_some_and(|b| b <= 1.0)
    }),
    ("/a.data > 0 or /b.data > 0", |a, b| {
        a.is_some_and(|a| a > 0.0) || b.is_some_and(|b| b > 0.0)
    }),
    ("not /a.data > 0", |a, _| a.is_some_and(|a| a <= 0.0)),
    ("not (/a.data > 0 or /b.data > 0)", |a, b| {
        a.is_some_and(|a| a <= 0.0) && b.is_some_and(|b| b <= 0.0)
    }),
    ("not (/a.data > 0 and /b.data > 0)", |a, b| {
        a.is_some_and(|a| a <= 0.0) || b.is_some_and(|b| b <= 0.0)
    }),
    ("/a.data - /b.data > 1", |a, b| a.zip(b).is_some_and(|(a, b)| a - b > 1.0)),
    ("/a.data == /b.data", |a, b| a.zip(b).is_some_and(|(a, b)| a == b)),
    ("max(/a.data, /b.data) >= 2 and /a.mode == HIGH", |a, b| {
        a.zip(b).is_some_and(|(a, b)| a.max(b) >= 2.0 && a > 0.0)
    }),
    ("/a.name =~ '^h' and not (/b.name == 'high')", |a, b| {
        a.is_some_and(|a| a > 0.0) && b.is_some_and(|b| b <= 0.0)
    }),
    ("/a.list[:] > 1", |a, _| a.is_some_and(|a| a.abs() > 1.0)),
    ("/a.mode", |a, _| a.is_some_and(|a| a > 0.0)),
    ("abs(/a.data) + 1 >= 3 or false", |a, _| a.is_some_and(|a| a.abs() >= 2.0)),
];

/// One moment after the other, whatever the chunks.
fn evaluated(messages: &[Sent], holds: Holds) -> Vec<Span> {
    let mut times: Vec<i64> = messages.iter().map(|sent| sent.at).collect();
    times.sort_unstable();
    times.dedup();
    let (mut newest, mut since, mut spans) = ([None; 3], None, Vec::new());
    for at in &times {
        for sent in messages.iter().filter(|sent| sent.at == *at) {
            newest[sent.topic] = Some(sent.value);
        }
        match (since, holds(newest[0], newest[1])) {
            (None, true) => since = Some(*at),
            (Some(from), false) => {
                spans.push(Span::new(ms(from), ms(*at)));
                since = None;
            }
            _ => {}
        }
    }
    let end = times.last().copied().unwrap_or(0);
    spans.extend(since.map(|from| Span::new(ms(from), ms(end))));
    spans
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// Chunks overlap where messages were recorded out of order.
    #[test]
    fn spans_are_those_of_an_evaluation_of_its_own(
        sent in prop::collection::vec((0..3_usize, 0..8_i64, -3..4_i8), 1..120),
        a_chunk in 1..30_usize,
        late in 0..6_i64,
    ) {
        let mut at = 0;
        let mut messages: Vec<Sent> = sent.iter().enumerate().map(|(number, (topic, step, value))| {
            at += step;
            let at = if number % 5 == 4 { (at - late).max(0) } else { at };
            Sent { topic: *topic, at, value: f64::from(*value) }
        }).collect();
        let mut known = HashSet::new();
        messages.retain(|sent| known.insert((sent.topic, sent.at)));
        let opened = opened("drive.bag", &bag(&messages, a_chunk));
        for (text, holds) in CONDITIONS {
            if condition(&opened.drive, text).is_err() {
                continue;
            }
            let (found, _) = spans(&opened.drive, text, Bounds::default());
            prop_assert_eq!(shown(&found), shown(&evaluated(&messages, holds)), "{}", text);
        }
    }
}

/// `/a` rises and falls every 10 ms, `/b` every 25 ms; before them `/other` comes in chunks of its own.
fn waves() -> Vec<Sent> {
    let of = |topic: usize, every: i64| {
        (0..1_000 / every).map(move |n| Sent {
            topic,
            at: n * every,
            value: if n % 2 == 0 { -1.0 } else { 1.0 },
        })
    };
    let mut waves: Vec<Sent> = of(0, 10).chain(of(1, 25)).collect();
    waves.sort_by_key(|sent| sent.at);
    let others = (-600..-100).map(|at| Sent { topic: 2, at, value: 0.0 });
    others.chain(waves).collect()
}

#[test]
fn only_chunks_with_the_topics_are_read() {
    let opened = opened("drive.bag", &bag(&waves(), 10));
    let (found, reads) = spans(&opened.drive, "/other.data > 0", Bounds::default());
    assert!(found.is_empty());
    assert_eq!((reads.chunks, reads.skipped), (50, 14));
    let before = opened.io.traffic().snapshot().disk_bytes;
    let (found, reads) = spans(&opened.drive, "/a.data > 0", Bounds::default());
    assert_eq!((found.len(), reads.chunks, reads.skipped), (50, 14, 50));
    let catalog = opened.drive.recordings[0].container.catalog();
    let size = |chunk: &roadreel::format::Chunk| chunk.range.end - chunk.range.start;
    let wanted: u64 = catalog.chunks.iter().skip(50).map(size).sum();
    let read = opened.io.traffic().snapshot().disk_bytes - before;
    assert!(read <= wanted && wanted * 20 < catalog.size, "{read} {wanted} {}", catalog.size);
}

#[test]
fn what_was_so_before_the_start_counts() {
    let mut messages = vec![Sent {
        topic: 1,
        at: 0,
        value: 1.0,
    }];
    messages.extend((1..200).map(|at| Sent {
        topic: 0,
        at,
        value: if at % 50 < 25 { 1.0 } else { -1.0 },
    }));
    let opened = opened("drive.bag", &bag(&messages, 5));
    let within = |from: i64, to: i64| Bounds {
        within: Span::new(ms(from), ms(to)),
        ..Bounds::default()
    };
    let (found, reads) = spans(&opened.drive, "/a.data > 0 and /b.data > 0", within(60, 160));
    assert_eq!(shown(&found), "60-75 100-125 150-160");
    // of /b the only message, of /a one chunk before the start
    assert!(reads.chunks < 25, "{reads:?}");
    let (found, _) = spans(&opened.drive, "/a.data > 0", within(75, 99));
    assert_eq!(shown(&found), "");
    let (found, _) = spans(&opened.drive, "/a.data > 0", within(500, 600));
    assert_eq!(shown(&found), "");
}

#[test]
fn short_spans_are_left_out_and_near_ones_made_one() {
    let values = [
        (0, 1.0),
        (10, -1.0),
        (12, 1.0),
        (20, -1.0),
        (50, 1.0),
        (53, -1.0),
        (80, 1.0),
        (100, -1.0),
        (101, 1.0),
    ];
    let messages = values.map(|(at, value)| Sent { topic: 0, at, value });
    let opened = opened("drive.bag", &bag(&messages, 3));
    let found = |min_length: i64, merge_gap: i64| {
        let bounds = Bounds {
            min_length: min_length * 1_000_000,
            merge_gap: merge_gap * 1_000_000,
            ..Bounds::default()
        };
        shown(&spans(&opened.drive, "/a.data > 0", bounds).0)
    };
    // the last message makes it true: a moment, where the recording ends
    assert_eq!(found(0, 0), "0-10 12-20 50-53 80-100 101-101");
    assert_eq!(found(5, 0), "0-10 12-20 80-100");
    assert_eq!(found(0, 2), "0-20 50-53 80-101");
    assert_eq!(found(15, 2), "0-20 80-101");
    assert_eq!(found(0, 1_000), "0-101");
}

#[test]
fn of_several_messages_of_one_moment_one_is_enough() {
    let values = [
        (0, 10, -1.0),
        (0, 10, 3.0),
        (0, 10, -2.0),
        (1, 15, 1.0),
        (1, 15, -1.0),
        (0, 20, -1.0),
        (1, 30, -1.0),
        (0, 40, 3.0),
        (0, 40, -1.0),
        (0, 50, -1.0),
    ];
    let messages = values.map(|(topic, at, value)| Sent { topic, at, value });
    for a_chunk in [1, 2, 100] {
        let opened = opened("drive.bag", &bag(&messages, a_chunk));
        let found = |text: &str| shown(&spans(&opened.drive, text, Bounds::default()).0);
        assert_eq!(found("/a.data > 2"), "10-20 40-50");
        assert_eq!(found("not (/a.data > 2)"), "10-50");
        assert_eq!(found("/a.data > 2 and /b.data > 0"), "15-20");
        assert_eq!(found("/a.data > 2 or /b.data > 0"), "10-30 40-50");
        // what is computed of several topics is of each one's last
        assert_eq!(found("/a.data + /b.data > 0"), "");
        // what was so before the bounds began
        let bounds = Bounds {
            within: Span::new(ms(42), ms(50)),
            ..Bounds::default()
        };
        assert_eq!(shown(&spans(&opened.drive, "/a.data > 2", bounds).0), "42-50");
    }
}

#[test]
fn before_a_topics_first_message_nothing_is_known_of_it() {
    let values = [(0, 10, 1.0), (1, 20, 1.0), (0, 30, -1.0), (1, 40, -1.0)];
    let messages = values.map(|(topic, at, value)| Sent { topic, at, value });
    let opened = opened("drive.bag", &bag(&messages, 1));
    let found = |text: &str| shown(&spans(&opened.drive, text, Bounds::default()).0);
    assert_eq!(found("/a.data > 0 or /b.data > 0"), "10-40");
    assert_eq!(found("not (/b.data > 0)"), "40-40");
    assert_eq!(found("/a.data > 0 and not (/b.data < 0)"), "20-30");
    assert_eq!(found("/a.data != /b.data"), "30-40");
}

#[test]
fn what_is_no_condition_is_told() {
    let opened = opened("drive.bag", &bag(&waves(), 100));
    for (text, told) in [
        ("/c.data > 0", "the recording has no topic /c (did you mean “/a”?)"),
        ("/a.dat > 0", "there is no field “dat” in test_msgs/Value (did you mean “.data”?)"),
        ("/a.name", "a text is not true or false: compare it with == or =~"),
        ("/a.name > 3 or /b.data > 0", "string and integer cannot be compared"),
        (
            "3 > 2",
            "a condition names a topic, such as /vehicle/brake_report.pedal_input > 0.3",
        ),
        ("/a.data > $limit", "the variable $limit has no value"),
        (
            "/a.mode == HIHG",
            "there is neither a topic nor a constant “HIHG” (did you mean “HIGH”?)",
        ),
        (
            "/a",
            "this is a whole test_msgs/Value: choose a field of it (did you mean “/a.data”?)",
        ),
    ] {
        assert_eq!(condition(&opened.drive, text).expect_err(text).to_string(), told, "{text}");
    }
}

fn written(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(&path, bytes).expect("written");
    path
}
