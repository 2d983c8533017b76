//! The command line as scripts see it: exit codes, stdout, stderr.

#[path = "cli/faults.rs"]
mod faults;
#[path = "cli/film.rs"]
mod film;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;

use crate::data::data;
use crate::program;
use crate::ros1::{BROKEN, WHOLE, second_opinion};

fn roadreel(arguments: &[&str]) -> Output {
    program::roadreel().args(arguments).output().expect("the program starts")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn check(arguments: &[&str], code: i32) -> Output {
    let output = roadreel(arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
    output
}

#[track_caller]
fn lines(output: &Output) -> Vec<Value> {
    let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    String::from_utf8_lossy(&output.stdout).lines().map(line).collect()
}

/// A short demo drive, written once.
fn drive() -> &'static Path {
    static DRIVE: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = DRIVE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("drive.bag");
        check(&["demo", "--seconds", "0.7", "-o", text(&path)], 0);
        (folder, path)
    });
    path
}

#[test]
fn exit_code_0_for_help_version_and_pages() {
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["cat", "--help"],
        &["help", "screenshot"],
        &["man"],
        &["completions", "bash"],
    ] {
        assert!(!check(arguments, 0).stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn exit_code_2_for_wrong_usage() {
    for arguments in [
        &["info"][..],
        &["cat", "x.bag", "--start", "yesterday"],
        &["cat", "x.bag", "--limit", "-3"],
        &["--memory", "much", "info", "x.bag"],
        &["demo", "--seconds", "0"],
        &["screenshot", "x.bag", "--size", "10", "-o", "y.png"],
        &["info", "x.bag", "--no-such-option"],
        &["--layout", "driving", "info", "x.bag"],
    ] {
        let output = check(arguments, 2);
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn exit_code_1_and_a_sentence_for_what_is_no_recording() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("a file");
        path
    };
    // a folder with a recording in it is that recording
    let bare = folder.path().join("bare");
    std::fs::create_dir(&bare).expect("a folder");
    std::fs::write(bare.join("notes.md"), "nothing to open").expect("a file");
    for (path, says) in [
        (file("empty.bag", b""), "empty"),
        (file("words.bag", b"these are words\n"), "text"),
        (bare, "folder"),
        (folder.path().join("missing.bag"), "no such file"),
    ] {
        for command in ["info", "cat", "check"] {
            let output = check(&[command, text(&path)], 1);
            let told = stderr(&output);
            assert!(told.contains(says), "{command} {}: {told}", path.display());
            assert_eq!(told.lines().count(), 1, "one sentence: {told}");
            assert!(told.trim_end().ends_with(text(&path)), "the place comes last: {told}");
            assert!(output.stdout.is_empty());
        }
    }
}

#[test]
fn exit_code_1_for_a_topic_that_is_not_there() {
    let output = check(&["cat", text(drive()), "--topic", "/nowhere"], 1);
    assert!(stderr(&output).contains("/imu_raw"), "{}", stderr(&output));
}

#[test]
fn exit_code_1_for_a_span_that_ends_before_it_starts() {
    let output = check(&["cat", text(drive()), "--start", "+2", "--end", "+1"], 1);
    assert!(stderr(&output).contains("--start is after --end"), "{}", stderr(&output));
}

#[test]
fn no_query_string_is_printed() {
    let output = check(&["info", "http://127.0.0.1:9/drive.bag?X-Amz-Signature=secret"], 1);
    let told = stderr(&output);
    assert!(
        !told.contains("secret") && told.contains("http://127.0.0.1:9/drive.bag?…"),
        "{told}"
    );
}

#[test]
fn exit_code_0_when_the_reader_of_a_pipe_goes_away() {
    let mut child = program::roadreel()
        .args(["cat", "--json", text(drive())])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(output.stderr.is_empty(), "{}", stderr(&output));
}

#[test]
fn info_has_the_contract_s_shape() {
    let output = check(&["info", "--json", text(drive())], 0);
    let info: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let keys: Vec<&str> = info.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "format",
            "location",
            "size",
            "start_ns",
            "end_ns",
            "messages",
            "chunks",
            "compression",
            "indexed",
            "topics",
            "warnings"
        ]
    );
    assert_eq!(info["format"], "rosbag1");
    assert_eq!(info["indexed"], true);
    let topics = info["topics"].as_array().expect("topics");
    let names: Vec<&str> = topics.iter().filter_map(|topic| topic["topic"].as_str()).collect();
    assert!(names.is_sorted() && names.contains(&"/tf_static"), "{names:?}");
    let keys: Vec<&str> = topics[0].as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        ["topic", "type", "md5", "messages", "connections", "latching", "start_ns", "end_ns"]
    );
    let tf_static = topics.iter().find(|topic| topic["topic"] == "/tf_static").expect("it is there");
    assert_eq!(
        (tf_static["latching"].as_bool(), tf_static["connections"].as_u64()),
        (Some(true), Some(3))
    );
    let sum: u64 = topics.iter().filter_map(|topic| topic["messages"].as_u64()).sum();
    assert_eq!(info["messages"].as_u64(), Some(sum));
}

#[test]
fn cat_keeps_to_topics_times_and_limit() {
    let all = lines(&check(&["cat", "--json", "--topic", "/imu_raw", text(drive())], 0));
    assert_eq!(all.len(), 70);
    let times: Vec<i64> = all.iter().filter_map(|line| line["time_ns"].as_i64()).collect();
    assert!(times.is_sorted());
    let (start, end) = (times[10].to_string(), times[19].to_string());
    let part = lines(&check(
        &[
            "cat",
            "--json",
            "--topic",
            "/imu_raw",
            text(drive()),
            "--start",
            &start,
            "--end",
            &end,
        ],
        0,
    ));
    assert_eq!(part, all[10..20]);
    let few = lines(&check(&["cat", "--json", "--limit", "3", "--topic", "/imu_raw", text(drive())], 0));
    assert_eq!(few, all[..3]);
    assert_eq!(all[0]["message"]["header"]["frame_id"], "imu_link");
    assert!(all[0]["message"]["header"]["stamp"]["nsec"].is_u64());
}

#[test]
fn cat_without_json_is_one_line_a_message() {
    let output = check(&["cat", "--limit", "40", text(drive())], 0);
    let out = String::from_utf8_lossy(&output.stdout);
    assert_eq!(out.lines().count(), 40);
    assert!(
        out.lines()
            .all(|line| line.starts_with("17778870") && line.contains(" /") && line.ends_with('}'))
    );
}

#[test]
fn exit_code_0_for_a_sound_drive() {
    let output = check(&["check", "--json", text(drive())], 0);
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["problems"].as_array().map(Vec::len), Some(0), "{report}");
    let info = check(&["info", "--json", text(drive())], 0);
    let info: Value = serde_json::from_slice(&info.stdout).expect("JSON");
    assert_eq!(report["messages"], info["messages"]);
    let human = check(&["check", text(drive())], 0);
    assert!(String::from_utf8_lossy(&human.stdout).ends_with("no problems\n"));
}

#[test]
fn exit_code_3_and_the_offset_for_a_flipped_byte() {
    let mut bytes = std::fs::read(drive()).expect("the drive");
    let flipped = bytes.len() / 2;
    bytes[flipped] ^= 0x10;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("flipped.bag");
    std::fs::write(&path, &bytes).expect("a file");
    let output = check(&["check", "--json", text(&path)], 3);
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let offsets: Vec<u64> = report["problems"]
        .as_array()
        .expect("problems")
        .iter()
        .filter_map(|p| p["offset"].as_u64())
        .collect();
    // the chunk that holds the byte is at most a cloud long
    let near = offsets
        .iter()
        .any(|offset| *offset <= flipped as u64 && flipped as u64 - offset < 5_000_000 && *offset > 0);
    assert!(near, "byte {flipped}: {report}");
    assert!(offsets.iter().all(|offset| *offset > 0), "each names a place: {report}");
    assert_eq!(
        roadreel(&["cat", "--json", text(&path)]).status.code(),
        Some(0),
        "what can be read is read"
    );
}

#[test]
fn cat_reads_what_another_reader_reads() {
    for name in WHOLE {
        let Some(path) = data(&format!("ros1/{name}")) else { return };
        let output = check(&["cat", "--json", text(&path)], 0);
        let got = lines(&output);
        assert!(got.is_sorted_by_key(|line| line["time_ns"].as_i64()), "{name}");
        let undecoded = got.iter().filter(|line| line["message"].is_null()).count();
        assert_eq!(undecoded, 0, "{name}: {}", stderr(&output));
        let string = |line: &Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
        let mut got: Vec<_> = got
            .iter()
            .map(|l| (l["time_ns"].as_i64().unwrap_or(0), string(l, "topic"), string(l, "type")))
            .collect();
        got.sort();
        let theirs = second_opinion(&path).into_iter();
        let mut theirs: Vec<_> = theirs.map(|m| (m.time_nanos, m.topic, m.type_name)).collect();
        theirs.sort();
        assert!(got == theirs, "{name}");
    }
}

#[test]
fn three_encodings_of_one_recording_are_the_same() {
    let Some(plain) = data("ros1/foxglove_example.bag") else { return };
    let first = check(&["cat", "--json", text(&plain)], 0).stdout;
    for encoding in ["bz2", "lz4"] {
        let Some(path) = data(&format!("ros1/foxglove_example-{encoding}.bag")) else {
            return;
        };
        assert!(check(&["cat", "--json", text(&path)], 0).stdout == first, "{encoding}");
    }
}

#[test]
fn what_is_left_of_broken_bags_is_read() {
    for (name, least) in BROKEN {
        let Some(path) = data(&format!("ros1/{name}")) else { return };
        let output = check(&["cat", "--json", text(&path)], 0);
        let got = lines(&output).len();
        assert!(got >= least, "{name}: {got}");
        assert!(!output.stderr.is_empty(), "{name}: the loss is told");
        check(&["check", text(&path)], 3);
    }
}

#[test]
fn rosbags_of_python_reads_the_same_values() {
    let python = |arguments: &[&str]| Command::new("python3").args(arguments).output();
    if !python(&["-c", "import rosbags"]).is_ok_and(|output| output.status.success()) {
        eprintln!("passed over: python3 has no rosbags (pip install rosbags)");
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compare_rosbags.py");
    let mut bags = vec![drive().to_owned()];
    bags.extend(WHOLE.iter().filter_map(|name| data(&format!("ros1/{name}"))));
    let mut arguments = vec![text(&script), env!("CARGO_BIN_EXE_roadreel")];
    arguments.extend(bags.iter().map(|bag| text(bag)));
    let output = python(&arguments).expect("python starts");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        stderr(&output)
    );
}

#[cfg(target_os = "linux")]
#[test]
fn register_makes_it_the_handler_and_takes_it_back() {
    let home = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_roadreel"))
            .args(arguments)
            .env("HOME", home.path())
            .env("XDG_DATA_HOME", home.path().join("data"))
            .env("XDG_CONFIG_HOME", home.path().join("config"))
            .output()
            .expect("the program starts");
        assert!(output.status.success(), "{}", stderr(&output));
    };
    let read = |path: &str| std::fs::read_to_string(home.path().join(path)).unwrap_or_default();
    let others = "[Added Associations]\nx-scheme-handler/roadreel=other.desktop\n\n[Default Applications]\ntext/html=browser.desktop\n";
    std::fs::create_dir_all(home.path().join("config")).expect("a folder");
    std::fs::write(home.path().join("config/mimeapps.list"), others).expect("a file");
    run(&["register"]);
    run(&["register"]);
    let desktop = read("data/applications/roadreel.desktop");
    let program = env!("CARGO_BIN_EXE_roadreel");
    assert!(desktop.contains(&format!("Exec=\"{program}\" %U\n")), "{desktop}");
    assert!(
        desktop.contains("MimeType=x-scheme-handler/roadreel;application/x-rosbag;application/x-mcap;\n"),
        "{desktop}"
    );
    assert!(read("data/mime/packages/roadreel.xml").contains("<glob pattern=\"*.bag\"/>"));
    let defaults = read("config/mimeapps.list");
    for line in ["x-scheme-handler/roadreel", "application/x-rosbag", "application/x-mcap"] {
        assert_eq!(defaults.matches(&format!("{line}=roadreel.desktop\n")).count(), 1, "{defaults}");
    }
    run(&["register", "--remove"]);
    assert_eq!(read("config/mimeapps.list"), others);
    assert!(!home.path().join("data/applications/roadreel.desktop").exists());
}
