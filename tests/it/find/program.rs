//! `roadreel find`, as scripts see it.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use super::{Sent, bag, written};
use crate::program;

fn roadreel(arguments: &[&str]) -> Output {
    program::roadreel().args(arguments).output().expect("the program starts")
}

#[track_caller]
fn find(arguments: &[&str], code: i32) -> (Vec<Value>, String) {
    let output = roadreel(&[&["find", "--json"], arguments].concat());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    (lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect(), told)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// True from 10 + n ms on, for 20 ms, and then once more.
fn drive(n: i64) -> Vec<u8> {
    let at = [0, 10 + n, 30 + n, 50 + n, 60 + n];
    let messages = at.iter().zip([-1.0, 1.0, -1.0, 1.0, -1.0]);
    let messages: Vec<Sent> = messages.map(|(at, value)| Sent { topic: 0, at: *at, value }).collect();
    bag(&messages, 2)
}

#[test]
fn a_span_is_a_line_of_json_and_a_row_of_a_scene_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = written(folder.path(), "drive_a.bag", &drive(0));
    let scenes = folder.path().join("scenes.parquet");
    let (lines, _) = find(&[text(&path), "/a.data > 0", "--class", "high", "-o", text(&scenes)], 0);
    let expected = serde_json::json!({
        "bag": "drive_a", "scene_id": "drive_a_high_1600000000.01", "class": "high",
        "start_ns": 1_600_000_000_010_000_000_i64, "end_ns": 1_600_000_000_030_000_000_i64, "length_s": 0.02,
        "bag_file_bucket": folder.path().file_name().and_then(|name| name.to_str()), "bag_file_prefix": "drive_a.bag",
    });
    assert_eq!((lines.len(), &lines[0]), (2, &expected));

    let sql = "SELECT bag_file, scene_id, class, start_time, end_ns, scene_length, topics_analyzed, text FROM s ORDER BY start_ns";
    let output = roadreel(&["query", sql, "--json", "--table", &format!("s={}", scenes.display())]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let rows: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let expected = serde_json::json!({
        "bag_file": "drive_a", "scene_id": "drive_a_high_1600000000.01", "class": "high", "start_time": 1_600_000_000.01,
        "end_ns": 1_600_000_000_030_000_000_i64, "scene_length": 0.02, "topics_analyzed": "/a", "text": "/a.data > 0",
    });
    assert_eq!(
        (rows.len(), &rows[0]),
        (2, &expected),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );

    let output = roadreel(&["find", text(&path), "/a.data > 0"]);
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stdout), @r"
    2020-09-13 12:26:40.010      +0.010 s      20 ms  drive_a
    2020-09-13 12:26:40.050      +0.050 s      10 ms  drive_a
    ");
}

#[test]
fn times_and_lengths_are_those_of_each_recording() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = written(folder.path(), "drive_a.bag", &drive(0));
    let count = |more: &[&str]| find(&[&[text(&path), "/a.data > 0"], more].concat(), 0).0.len();
    assert_eq!(count(&["--min-length", "15ms"]), 1);
    assert_eq!(count(&["--merge-gap", "0.02"]), 1);
    assert_eq!(count(&["--start", "+0.04"]), 1);
    assert_eq!(count(&["--end", "50%"]), 1);
    assert_eq!(count(&["--start", "+1000"]), 0);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = written(folder.path(), "drive_a.bag", &drive(0));
    let (_, told) = find(&[text(&path), "/a.data >"], 2);
    assert!(told.contains("/a.data >\n") && told.contains('^'), "{told}");
    let (_, told) = find(&[text(&path), "/a.dat > 3"], 1);
    insta::assert_snapshot!(told, @r"
    roadreel: there is no field “dat” in test_msgs/Value
      /a.dat > 3
        ^^^^ perhaps “.data”
    ");
    let (_, told) = find(&["/nowhere/drive.bag", "/a.data > 3"], 1);
    assert!(told.contains("/nowhere/drive.bag"), "{told}");
    let (_, told) = find(&[text(&path), "/a.data > 0", "-o", "scenes.txt"], 2);
    assert!(told.contains(".parquet"), "{told}");
    find(&["/a.data > 0", "--min-length", "long", "x"], 2);
}

/// The bags of a folder, one of which cannot be read and one of which lacks the topic: told, and passed over.
#[test]
fn a_folder_of_bags_is_searched_in_order() {
    let folder = tempfile::tempdir().expect("a folder");
    for n in 0..5 {
        written(folder.path(), &format!("deep/drive_{n}.bag"), &drive(n));
    }
    written(folder.path(), "deep/bad.bag", b"no bag at all");
    let other = [Sent {
        topic: 2,
        at: 0,
        value: 1.0,
    }];
    written(folder.path(), "deep/other.bag", &bag(&other, 1));
    let place = text(folder.path());
    let (lines, told) = find(&[place, "/a.data > 0"], 0);
    let bags: Vec<&str> = lines.iter().filter_map(|line| line["bag"].as_str()).collect();
    assert_eq!(bags.len(), 10);
    assert!(bags.is_sorted() && bags[0] == "drive_0" && bags[9] == "drive_4", "{bags:?}");
    assert!(told.contains("passed over") && told.contains("bad.bag"), "{told}");
    // its topics are there, without messages
    assert!(!told.contains("other"), "{told}");
    let (_, told) = find(&[place, "/nothing.data > 0"], 1);
    assert!(told.contains("no topic /nothing"), "{told}");
}

/// Tables that lie among bags are searched like these, for topics that the bags do not have.
#[test]
fn tables_of_a_folder_are_searched_beside_its_bags_and_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = text(folder.path());
    for n in 0..2 {
        written(folder.path(), &format!("drive_{n}.bag"), &drive(n));
    }
    let (first, _) = find(&[place, "/a.data > 0"], 0);
    let from = first[0]["start_ns"].as_i64().expect("a time");
    let rows = |bag: &str, v: i64| {
        (0..3)
            .map(|at| format!("{bag},{},{}\n", from + at * 1_000_000, v + at))
            .collect::<String>()
    };
    let speeds = folder.path().join("speeds");
    std::fs::create_dir(&speeds).expect("a folder");
    let csv = format!("bag_file,timestamp,v\n{}{}", rows("drive_1", 0), rows("drive_7", 10));
    std::fs::write(speeds.join("data.csv"), csv).expect("written");
    let bags = |expr: &str| -> Vec<String> {
        let (lines, _) = find(&[place, expr], 0);
        lines.iter().map(|line| line["bag"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(bags("/a.data > 0").len(), first.len(), "bags have it all");
    assert_eq!(bags("/speeds.v >= 1"), ["drive_1", "drive_7"]);
    assert_eq!(bags("/speeds.v >= 1 and /a.data > -1e9"), ["drive_1"]);
}

/// A search that was killed in the middle leaves the lines of what is done, the last one torn: these are not searched again.
#[test]
fn a_search_goes_on_where_it_was_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    for n in 0..4 {
        written(folder.path(), &format!("bags/drive_{n}.bag"), &drive(n));
    }
    let bags = folder.path().join("bags");
    let (state, scenes) = (folder.path().join("state"), folder.path().join("scenes.jsonl"));
    let arguments = [text(&bags), "/a.data > 0", "--resume", text(&state), "-o", text(&scenes)];
    let (first, _) = find(&arguments, 0);
    let whole = std::fs::read_to_string(&state).expect("the state");
    assert_eq!((first.len(), whole.lines().count()), (8, 5));
    let table = std::fs::read_to_string(&scenes).expect("scenes");

    // as if it had been killed while it wrote the third line
    let cut: String = whole.split_inclusive('\n').take(3).collect();
    std::fs::write(&state, format!("{cut}{{\"recording\":\"")).expect("written");
    // of the same size, but searched it would hold nothing
    for n in 0..2 {
        let path = bags.join(format!("drive_{n}.bag"));
        let len = std::fs::metadata(&path).expect("a bag").len();
        std::fs::write(&path, vec![0; usize::try_from(len).expect("small")]).expect("written");
    }
    let (again, told) = find(&arguments, 0);
    assert_eq!(again, first);
    assert!(told.contains("2 recordings are done already"), "{told}");
    assert_eq!(std::fs::read_to_string(&state).expect("the state"), whole);
    assert_eq!(std::fs::read_to_string(&scenes).expect("scenes"), table);

    // what another search found is not mistaken for this one's
    let other = [text(&bags), "/a.data > 1", "--resume", text(&state)];
    let (_, told) = find(&other, 1);
    assert!(told.contains("of another search"), "{told}");
}

/// Without a state of its own the result's name tells where it is kept, until the end.
#[test]
fn a_search_remembers_beside_its_result() {
    let folder = tempfile::tempdir().expect("a folder");
    for n in 0..3 {
        written(folder.path(), &format!("bags/drive_{n}.bag"), &drive(n));
    }
    let scenes = folder.path().join("scenes.csv");
    let kept = folder.path().join("scenes.csv.part-found");
    let bags = folder.path().join("bags");
    let arguments = [text(&bags), "/a.data > 0", "-o", text(&scenes)];
    // of another search: it starts anew
    std::fs::write(&kept, "{\"find\":\"/b.data > 0\"}\n").expect("written");
    let (lines, _) = find(&arguments, 0);
    assert_eq!(lines.len(), 6);
    assert!(scenes.exists() && !kept.exists());
}
