//! What the commands do with damage, with secrets, with readers that go away, and with a picture that does not succeed.

use std::io::Cursor;
use std::process::Stdio;

use roadreel::format::Connection;
use roadreel::format::rosbag1::writer::{Compression, Writer};
use roadreel::time::Time;
use serde_json::Value;

use super::{check, drive, roadreel, stderr, text};
use crate::program;

const START: Time = Time(1_600_000_000_000_000_000);

/// A bag of one topic: `count` messages of one byte each, all in one chunk.
fn bag(definition: &str, count: i64) -> Vec<u8> {
    let mut writer = Writer::new(Cursor::new(Vec::new()), Compression::None).expect("a bag");
    let id = writer.add_connection(&Connection {
        topic: "/odd".into(),
        type_name: "odd_msgs/Odd".into(),
        md5: "0123456789abcdef0123456789abcdef".into(),
        definition: definition.into(),
        ..Connection::default()
    });
    for i in 0..count {
        writer.write(id, START.plus_nanos(i * 1_000_000), &[1]).expect("a message");
    }
    writer.finish().expect("a bag").into_inner()
}

#[test]
fn a_definition_that_makes_no_sense_is_a_problem() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("odd.bag");
    std::fs::write(&path, bag("uint8 a\nthis is not a field definition\n", 3)).expect("a file");
    let report: Value = serde_json::from_slice(&check(&["check", "--json", text(&path)], 3).stdout).expect("JSON");
    assert_eq!(
        report["problems"][0]["what"],
        "the message definition cannot be read: line 2: this is not a field name: “is not a field definition”; 3 messages of /odd cannot be decoded"
    );
    assert_eq!(report["problems"][0]["offset"], 4117);
    // that there is none is no damage
    std::fs::write(&path, bag("", 3)).expect("a file");
    check(&["check", text(&path)], 0);
}

#[test]
fn each_topic_s_broken_messages_cost_one_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("short.bag");
    std::fs::write(&path, bag("uint8 a\nuint32 b\n", 50)).expect("a file");
    let output = check(&["cat", "--json", text(&path)], 0);
    let told = stderr(&output);
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.contains("(50 messages, the first at 1600000000"), "{told}");
    // the bytes of what cannot be decoded are there all the same
    let lines: Vec<serde_json::Value> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    assert_eq!(lines.len(), 50);
    for line in &lines {
        assert!(
            line["message"].is_null() && !line["error"].as_str().unwrap_or_default().is_empty(),
            "{line}"
        );
        assert_eq!(line["raw"], "AQ==", "{line}");
    }
}

#[test]
fn what_was_typed_is_told_without_its_secrets() {
    for arguments in [
        &["info", "a.bag", "https://h/b?X-Amz-Signature=S3CR3T"][..],
        &["ls", "https://h/b?X-Amz-Signature=S3CR3T"],
        &["info", "https:/h/b?X-Amz-Signature=S3CR3T"],
        &["info", "a.bag", "--header", "Authorization=Bearer S3CR3T"],
        &["info", "a.bag", "--header", "X-Key S3CR3T"],
        &["screenshot", "a.bag", "--size", "https://h/b?token=S3CR3T", "-o", "x.png"],
    ] {
        let output = roadreel(arguments);
        let told = stderr(&output);
        assert!(!output.status.success() && !told.contains("S3CR3T"), "{arguments:?}: {told}");
        assert!(told.len() > 20, "{arguments:?}: something is said: {told}");
    }
    let told = stderr(&roadreel(&["info", "a.bag", "--header", "X-Key S3CR3T"]));
    assert!(told.contains("give it as 'Name: value'"), "{told}");
}

#[test]
fn that_nobody_reads_the_warnings_is_no_failure() {
    let whole = std::fs::read(drive()).expect("the drive");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cut.bag");
    std::fs::write(&path, &whole[..whole.len() / 2]).expect("a file");
    for command in ["info", "cat"] {
        let mut child = program::roadreel()
            .args([command, text(&path)])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        drop(child.stderr.take());
        assert_eq!(child.wait().expect("it ends").code(), Some(0), "{command}");
    }
}

#[test]
fn that_nobody_reads_a_long_report_is_no_failure() {
    let mut writer = Writer::new(Cursor::new(Vec::new()), Compression::None).expect("a bag");
    for i in 0..3000 {
        let id = writer.add_connection(&Connection {
            topic: format!("/a/topic/of/which/there/are/many/{i}").into(),
            type_name: "std_msgs/Empty".into(),
            md5: "d41d8cd98f00b204e9800998ecf8427e".into(),
            definition: "\n".into(),
            ..Connection::default()
        });
        writer.write(id, START, b"").expect("a message");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("wide.bag");
    std::fs::write(&path, writer.finish().expect("a bag").into_inner()).expect("a file");
    assert!(check(&["info", "--json", text(&path)], 0).stdout.len() > 512 << 10);
    for command in ["info", "check"] {
        let mut child = program::roadreel()
            .args([command, "--json", text(&path)])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(0), "{command}: {}", stderr(&output));
    }
}

#[test]
fn a_picture_that_fails_leaves_the_one_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("picture.png");
    std::fs::write(&path, "the one before").expect("a file");
    let layout = folder.path().join("no.json");
    std::fs::write(&layout, "this is no layout").expect("a file");
    for scale in ["nan", "-1", "0", "inf", "9", "0.1"] {
        check(&["screenshot", text(drive()), "--scale", scale, "-o", text(&path)], 2);
    }
    check(&["screenshot", text(drive()), "--layout", text(&layout), "-o", text(&path)], 1);
    assert_eq!(std::fs::read_to_string(&path).expect("the picture"), "the one before");
    assert_eq!(
        std::fs::read_dir(folder.path()).expect("the folder").count(),
        2,
        "nothing else stays"
    );
}

#[test]
fn a_picture_that_is_not_drawn_is_told_from_one_that_is_not_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let (empty, nowhere) = (folder.path().join("empty.bag"), folder.path().join("none/picture.png"));
    std::fs::write(&empty, "").expect("a file");
    let told = stderr(&roadreel(&[
        "screenshot",
        text(&empty),
        "-o",
        text(&folder.path().join("picture.png")),
    ]));
    assert!(told.starts_with("roadreel: the file is empty (0 bytes)"), "{told}");
    let told = stderr(&roadreel(&["screenshot", text(drive()), "-o", text(&nowhere)]));
    assert!(told.starts_with("roadreel: the picture cannot be written: "), "{told}");
}

#[test]
fn a_device_is_written_to_as_it_is() {
    if cfg!(unix) {
        check(&["demo", "--seconds", "0.2", "-o", "/dev/null"], 0);
        assert!(!std::fs::metadata("/dev/null").expect("there").is_file());
        assert!(!std::path::Path::new("/dev/null.part").exists());
    }
}

#[cfg(unix)]
#[test]
fn what_is_stopped_leaves_no_part_of_a_file() {
    use std::os::unix::process::ExitStatusExt as _;
    use std::time::{Duration, Instant};

    let folder = tempfile::tempdir().expect("a folder");
    let whole = folder.path().join("answer.csv");
    std::fs::write(&whole, "as before").expect("a file");
    let sql = "SELECT a.value FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b";
    let mut child = program::roadreel()
        .args(["query", sql, "-o", text(&whole)])
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let there = || std::fs::read_dir(folder.path()).expect("a folder").count();
    let begun = Instant::now();
    while there() < 2 {
        assert!(child.try_wait().expect("a status").is_none() && begun.elapsed() < Duration::from_secs(60));
        std::thread::yield_now();
    }
    let stopped = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(stopped.expect("kill").success());
    let status = child.wait().expect("a status");
    assert_eq!(status.signal(), Some(2), "{status}");
    assert_eq!(there(), 1);
    assert_eq!(std::fs::read_to_string(&whole).expect("a file"), "as before");
}

/// Of a clock that was set back while the drive was recorded.
#[test]
fn receive_times_that_go_back_in_the_file_are_a_note() {
    let mut bag = Writer::new(Cursor::new(Vec::new()), Compression::None).expect("a bag");
    let id = bag.add_connection(&Connection {
        topic: "/a".into(),
        type_name: "std_msgs/UInt8".into(),
        md5: "*".into(),
        definition: "uint8 data\n".into(),
        ..Connection::default()
    });
    for second in [0, 5, 2, 3, 9, 8] {
        bag.write(id, START.plus_nanos(second * 1_000_000_000), &[1]).expect("a message");
        bag.close_chunk().expect("a chunk");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("back.bag");
    std::fs::write(&path, bag.finish().expect("a bag").into_inner()).expect("a file");
    let told = String::from_utf8_lossy(&check(&["check", text(&path)], 0).stdout).into_owned();
    let note = "note: receive times go back in the file: 2 chunks begin up to 3 s before the end of those before (at ";
    assert!(told.contains(note) && told.ends_with("no problems\n"), "{told}");
}

/// Inside of one chunk, where only the messages tell.
#[test]
fn receive_times_that_go_back_in_a_chunk_are_a_note() {
    let mut bag = Writer::new(Cursor::new(Vec::new()), Compression::None).expect("a bag");
    let ids = ["/a", "/b"].map(|topic| {
        bag.add_connection(&Connection {
            topic: topic.into(),
            type_name: "std_msgs/UInt8".into(),
            md5: "*".into(),
            definition: "uint8 data\n".into(),
            ..Connection::default()
        })
    });
    for (topic, millis) in [(0, 0), (0, 50), (0, 20), (1, 10), (0, 30), (1, 15), (0, 90)] {
        bag.write(ids[topic], START.plus_nanos(millis * 1_000_000), &[1])
            .expect("a message");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("back.bag");
    std::fs::write(&path, bag.finish().expect("a bag").into_inner()).expect("a file");
    let told = String::from_utf8_lossy(&check(&["check", text(&path)], 0).stdout).into_owned();
    let note = "note: 2 receive times go back within a chunk, by up to 30 ms: messages are read in the order of their times (at ";
    assert!(
        told.contains(note) && told.contains("): /a\n") && !told.contains(": /b\n"),
        "{told}"
    );
}

#[test]
fn a_folder_with_nothing_to_open_is_no_picture() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("settings.json"), "{\"a\": 1}").expect("a file");
    let picture = folder.path().join("picture.png");
    for command in ["info", "screenshot"] {
        let mut arguments = vec![command, text(folder.path())];
        if command == "screenshot" {
            arguments.extend(["-o", text(&picture)]);
        }
        let told = stderr(&check(&arguments, 1));
        assert!(told.contains("this is a folder, not a recording"), "{told}");
    }
}
