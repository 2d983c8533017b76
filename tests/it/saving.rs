//! Files are replaced whole: also where the program is killed while it saves.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use roadreel::layout::Layout;
use roadreel::run::{Expected, Wrote, read_text, write_text};

/// Where the child saves.
const PATH: &str = "ROADREEL_TEST_SAVES_TO";

/// Larger than a page, so that a half-written one would be seen.
fn layout(number: usize) -> String {
    let panel = |at: usize| {
        format!(
            r#""p{at}":{{"kind":"note","config":{{"text":"{}"}}}}"#,
            "lorem ipsum ".repeat(40 + number % 7)
        )
    };
    let panels: Vec<String> = (0..30).map(panel).collect();
    format!(r#"{{"version":1,"name":"{number}","panels":{{{}}}}}"#, panels.join(","))
}

/// Not a test of its own: what [`a_file_is_whole_whenever_the_program_is_killed`] kills.
#[test]
#[ignore = "run by another test, which kills it"]
fn saves_until_it_is_killed() {
    let Some(path) = std::env::var_os(PATH) else { return };
    let path = Path::new(&path);
    let mut before = read_text(path).unwrap();
    for number in 0.. {
        let text = layout(number);
        let wrote = write_text(path, &text, &Expected::Text(before.into())).unwrap();
        assert_eq!(wrote, Wrote::Whole);
        before = text;
        println!("saved");
    }
}

#[test]
fn a_file_is_whole_whenever_the_program_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("layout.json");
    std::fs::write(&path, layout(0)).unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    let (mut saves, mut kills) = (0, 0);
    while saves < 1000 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "saving::saves_until_it_is_killed", "--ignored", "--nocapture"])
            .env(PATH, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let wanted = random.usize(1..40);
        let seen = lines
            .map_while(Result::ok)
            .filter(|line| line.ends_with("saved"))
            .take(wanted)
            .count();
        assert_eq!(seen, wanted, "the child saves until it is killed");
        // wherever the next one is: SIGKILL
        child.kill().unwrap();
        child.wait().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let read = Layout::parse(&text).unwrap_or_else(|error| panic!("after {saves} saves and {kills} kills: {error}"));
        assert_eq!(read.panels.len(), 30);
        (saves, kills) = (saves + seen, kills + 1);
    }
    assert!(kills > 25, "{kills}");
}

#[test]
fn a_file_that_is_not_as_expected_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/layout.json");
    let write = |text: &str, expected: &Expected| write_text(&path, text, expected).unwrap();
    assert_eq!(write("one", &Expected::Nothing), Wrote::Whole);
    assert_eq!(write("two", &Expected::Nothing), Wrote::Differs("one".into()));
    assert_eq!(write("two", &Expected::Text("zero".into())), Wrote::Differs("one".into()));
    assert_eq!(write("two", &Expected::Text("one".into())), Wrote::Whole);
    assert_eq!(write("three", &Expected::Anything), Wrote::Whole);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(
        write("four", &Expected::Text("three".into())),
        Wrote::Whole,
        "nothing is lost where nothing lies"
    );
    assert_eq!(read_text(&path).unwrap(), "four");
}
