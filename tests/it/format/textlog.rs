//! Text logs: what their lines say, how they are cut, and where lines without times stand.

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use roadreel::decode::{Decoded, Form, Schema, definitions};
use roadreel::format::{Checks, ConnectionSet, Container, Fetched, Step, recognise};
use roadreel::time::{Time, rfc3339};

/// What an indexer makes of a file.
fn index(name: &str, file: &Bytes) -> Arc<dyn Container> {
    let head = file.slice(..file.len().min(65_536));
    let mut indexer = recognise(name, &head, file.len() as u64)
        .expect("a text log")
        .indexer(file.len() as u64);
    indexer.is_called(name);
    let mut got = Fetched::one(0, head);
    loop {
        let need = match indexer.step(&got).expect("it can be read") {
            Step::Ready(container) => return container,
            Step::Need(need) | Step::Grew { need, .. } => need,
        };
        got = Fetched::default();
        for range in need {
            got.push(range.start, file.slice(range.start as usize..range.end as usize));
        }
    }
}

/// All messages: `time level node text (file:line function)`.
fn shown(container: &dyn Container, file: &Bytes) -> Vec<String> {
    let catalog = container.catalog();
    let connection = &catalog.connections[0];
    let schema = Schema::ros1(&connection.type_name, &connection.definition).expect("compiles");
    assert_eq!(definitions().md5(&connection.type_name).as_deref(), Some(&*connection.md5));
    let mut lines = Vec::new();
    for (number, chunk) in catalog.chunks.iter().enumerate() {
        let got = Fetched::one(chunk.range.start, file.slice(chunk.range.start as usize..chunk.range.end as usize));
        let batch = container.messages(number as u32, &got, &ConnectionSet::All, Checks::Quick);
        assert_eq!(batch.messages.len() as u64, chunk.messages());
        for message in batch.messages {
            assert!(chunk.span.contains(message.time));
            let Ok(Decoded::Log(line)) = schema.decode(Form::Log, &message.payload) else {
                panic!("a line of a log")
            };
            assert_eq!(line.stamp, Some(message.time));
            let place = match &*line.file {
                "" => String::new(),
                file => format!(" ({file}:{} {})", line.line, line.function),
            };
            lines.push(format!(
                "{} {} {} {}{place}",
                rfc3339(message.time),
                line.level.name(),
                line.node,
                line.text
            ));
        }
    }
    lines
}

fn one(line: &str) -> String {
    let file = Bytes::copy_from_slice(format!("{line}\n").as_bytes());
    shown(&*index("x.log", &file), &file).join("|")
}

#[test]
fn heads_of_lines_are_understood() {
    for (line, told) in [
        // ROS 1 consoles
        (
            "[ INFO] [1600000000.123456789]: ready",
            "2020-09-13T12:26:40.123456789Z Info  ready",
        ),
        (
            "\x1b[33m[ WARN] [1600000000.5, 12.25]: late by 3 ms\x1b[0m",
            "2020-09-13T12:26:40.5Z Warn  late by 3 ms",
        ),
        (
            "[ERROR] [1600000000.25]: [12] items: none",
            "2020-09-13T12:26:40.25Z Error  [12] items: none",
        ),
        // ROS 1 log files
        (
            "[rospy.internal][INFO] 2020-09-13 12:26:40,123: topic[/rosout] adding connection",
            "2020-09-13T12:26:40.123Z Info rospy.internal topic[/rosout] adding connection",
        ),
        (
            "1600000000.123456789  INFO /planner [/ws/src/plan.cpp:120(Plan::run)] [topics: /rosout, /plan] path of 12 m",
            "2020-09-13T12:26:40.123456789Z Info /planner path of 12 m (/ws/src/plan.cpp:120 Plan::run)",
        ),
        // ROS 2
        (
            "[INFO] [1600000000.125] [talker]: Publishing: 'Hello'",
            "2020-09-13T12:26:40.125Z Info talker Publishing: 'Hello'",
        ),
        (
            "[talker-1] [FATAL] [1600000000.125] [talker]: gone",
            "2020-09-13T12:26:40.125Z Fatal talker-1 [talker]: gone",
        ),
        (
            "1600000000.1234567 [ERROR] [launch]: process has died",
            "2020-09-13T12:26:40.1234567Z Error launch process has died",
        ),
        // dates
        (
            "2020-09-13T12:26:40.5Z DEBUG gps: 9 satellites",
            "2020-09-13T12:26:40.5Z Debug gps 9 satellites",
        ),
        ("2020-09-13T14:26:40+02:00 9 satellites", "2020-09-13T12:26:40Z Info  9 satellites"),
        ("2020/09/13 12:26:40.250000 WARNING: low", "2020-09-13T12:26:40.25Z Warn  low"),
        (
            "[2020-09-13 12:26:40.250] [error] [driver] no answer",
            "2020-09-13T12:26:40.25Z Error  [driver] no answer",
        ),
        // since the epoch
        ("1600000000 up", "2020-09-13T12:26:40Z Info  up"),
        ("1600000000250 up", "2020-09-13T12:26:40.25Z Info  up"),
        ("1600000000250000 up", "2020-09-13T12:26:40.25Z Info  up"),
        ("1600000000250000001 up", "2020-09-13T12:26:40.250000001Z Info  up"),
    ] {
        assert_eq!(one(line), told, "{line:?}");
    }
}

#[test]
fn lines_without_a_time_go_on_with_the_message_before() {
    let text = "preface\n[ INFO] [1600000000.0]: one\n[ERROR] [1600000001.0]: Traceback:\n  File \"a.py\", line 3\nKeyError: 'x'\n\n[ WARN] [1600000000.5]: earlier\n";
    let file = Bytes::from_static(text.as_bytes());
    let container = index("node.log", &file);
    assert_eq!(&*container.catalog().connections[0].topic, "/node_log");
    assert_eq!(
        shown(&*container, &file),
        [
            "2020-09-13T12:26:40Z Info  preface",
            "2020-09-13T12:26:40Z Info  one",
            "2020-09-13T12:26:41Z Error  Traceback:\n  File \"a.py\", line 3\nKeyError: 'x'\n",
            "2020-09-13T12:26:40.5Z Warn  earlier",
        ]
    );
}

#[test]
fn lines_stand_in_their_order_where_none_has_a_time() {
    let file = Bytes::from_static(b"starting\nloading map\n\nready\n");
    let container = index("driver.txt", &file);
    assert!(container.catalog().warnings[0].what.contains("no line has a time"));
    let placed = container
        .placed(Time(1_600_000_000_000_000_000))
        .expect("it has no times of its own");
    assert_eq!(
        shown(&*placed, &file),
        [
            "2020-09-13T12:26:40Z Info  starting",
            "2020-09-13T12:26:40.000001Z Info  loading map",
            "2020-09-13T12:26:40.000002Z Info  ",
            "2020-09-13T12:26:40.000003Z Info  ready",
        ]
    );
    assert!(placed.placed(Time(1_600_000_000_000_000_000)).is_none(), "it stands there already");
}

#[test]
fn long_logs_are_cut_into_chunks_of_whole_messages() {
    let mut text = String::new();
    for i in 0..60_000_u64 {
        let time = 1_600_000_000_000_000_000 + i * 1_000_000;
        text.push_str(&format!(
            "[ INFO] [{}.{:09}]: step {i}\n",
            time / 1_000_000_000,
            time % 1_000_000_000
        ));
        if i % 7 == 0 {
            text.push_str("  which took long\n");
        }
    }
    let file = Bytes::from(text);
    let container = index("node.log", &file);
    let chunks = &container.catalog().chunks;
    assert!(chunks.len() >= 4, "{}", chunks.len());
    assert_eq!(chunks[0].range.start, 0);
    assert_eq!(chunks[chunks.len() - 1].range.end, file.len() as u64);
    assert!(
        chunks
            .windows(2)
            .all(|w| w[0].range.end == w[1].range.start && w[0].span.end < w[1].span.start)
    );
    let shown = shown(&*container, &file);
    assert_eq!(shown.len(), 60_000);
    assert!(shown[7].ends_with("step 7\n  which took long"));
    assert!(shown[59_999].ends_with("12:27:39.999Z Info  step 59999"), "{}", shown[59_999]);
}

proptest! {
    /// Every byte is in one message; nothing panics.
    #[test]
    fn any_text_is_read_whole(lines in prop::collection::vec("(\\[ ?(INFO|WARN)\\] )?(\\[?(1600000000|2020-09-13 12:26:40)[.,]?[0-9]{0,10}\\]?:? ?)?[ -~é\t\x1b]{0,40}", 1..40)) {
        let file = Bytes::from(lines.join("\n"));
        prop_assume!(!file.is_empty());
        let container = index("any.log", &file);
        let ranges: Vec<_> = container.catalog().chunks.iter().map(|c| c.range.clone()).collect();
        prop_assert_eq!(ranges.first().map(|r| r.start), Some(0));
        prop_assert_eq!(ranges.last().map(|r| r.end), Some(file.len() as u64));
        prop_assert!(shown(&*container, &file).len() <= lines.len());
    }
}
