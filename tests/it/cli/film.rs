//! `screenshot` of a span: pictures with numbers, films by an encoder.

use std::path::{Path, PathBuf};

use super::{check, drive, program, stderr, text};

/// One camera, quickly drawn.
const LAYOUT: &str = r#"{"version":1,"panels":{"raw":{"kind":"raw","config":{"topic":"/imu_raw"}}},"root":{"tabs":["raw"]}}"#;

struct Place {
    folder: tempfile::TempDir,
    layout: PathBuf,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().expect("a folder");
        let layout = folder.path().join("layout.json");
        std::fs::write(&layout, LAYOUT).expect("a layout");
        Place { folder, layout }
    }

    fn arguments<'a>(&'a self, more: &[&'a str], out: &'a Path) -> Vec<&'a str> {
        let mut all = vec!["screenshot", text(drive()), "--layout", text(&self.layout), "--size", "320x200"];
        all.extend(more);
        all.extend(["-o", text(out)]);
        all
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_span_becomes_pictures_with_numbers() {
    let place = Place::new();
    let out = place.path("pictures");
    let span = ["--start", "+0.1", "--end", "+0.5", "--fps", "10"];
    let stats = place.path("stats.json");
    let mut arguments = place.arguments(&span, &out);
    arguments.extend(["--stats", text(&stats)]);
    let output = check(&arguments, 0);
    assert_eq!(stderr(&output), "", "progress goes to a terminal");
    let found = names(&out);
    assert_eq!(found, ["frame_00001.png", "frame_00002.png", "frame_00003.png", "frame_00004.png"]);
    let stats: serde_json::Value = serde_json::from_slice(&std::fs::read(&stats).expect("figures")).expect("JSON");
    assert_eq!(stats["frames"], 4);
    let pictures: Vec<image::RgbaImage> = found
        .iter()
        .map(|name| image::open(out.join(name)).expect("a picture").into_rgba8())
        .collect();
    assert!(pictures.iter().all(|picture| picture.dimensions() == (320, 200)));
    for (number, pair) in pictures.windows(2).enumerate() {
        assert!(pair[0] != pair[1], "picture {number} and the next show different moments");
    }
    // a picture depends on its moment alone, not on those before it
    let alone = place.path("alone");
    check(&place.arguments(&["--start", "+0.3", "--end", "+0.35", "--fps", "10"], &alone), 0);
    let alone = image::open(alone.join("frame_00001.png")).expect("a picture").into_rgba8();
    assert!(alone == pictures[2]);
}

#[test]
fn a_pattern_says_how_pictures_are_called() {
    let place = Place::new();
    let span = ["--start", "+0.1", "--end", "+0.3"];
    check(&place.arguments(&span, &place.path("a/drive-%03d-x.png")), 0);
    assert_eq!(names(&place.path("a")), ["drive-001-x.png", "drive-002-x.png"]);
    check(&place.arguments(&span, &place.path("b/drive.png")), 0);
    assert_eq!(names(&place.path("b")), ["drive_00001.png", "drive_00002.png"]);
    let output = check(&place.arguments(&span, &place.path("a%%b.png")), 1);
    assert!(stderr(&output).contains("one place for the number"), "{}", stderr(&output));
}

#[test]
fn spans_that_cannot_be_drawn_are_told() {
    let place = Place::new();
    let out = place.path("pictures");
    for (span, code, told) in [
        (["--start", "+0.5", "--end", "+0.1"], 1, "--start is after --end"),
        (
            ["--start", "1600000900", "--end", "1600000901"],
            1,
            "nothing is recorded in this span",
        ),
        (["--start", "+0.1", "--fps", "0"], 2, "pictures a second"),
        (["--start", "+0.1", "--seek-to", "+0.2"], 2, "cannot be used with"),
    ] {
        let output = check(&place.arguments(&span, &out), code);
        assert!(stderr(&output).contains(told), "{span:?}: {}", stderr(&output));
        assert!(!out.exists(), "{span:?}: a folder of no pictures");
    }
    let output = check(&place.arguments(&["--start", "+0.1", "--end", "+0.2"], &place.path("z.webm")), 2);
    assert!(stderr(&output).contains("films are written as .mp4"), "{}", stderr(&output));
}

/// The program before an encoder of the test's own, or none.
fn encoded(place: &Place, script: Option<&str>, out: &Path) -> std::process::Output {
    let programs = place.path("programs");
    std::fs::create_dir_all(&programs).expect("a folder");
    if let Some(script) = script {
        let path = programs.join("ffmpeg");
        std::fs::write(&path, script).expect("a script");
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a program");
    }
    let span = ["--start", "+0.1", "--end", "+0.3", "--fps", "10"];
    let mut command = program::roadreel();
    command.args(place.arguments(&span, out));
    command.env("PATH", format!("{}:/bin:/usr/bin", programs.display()));
    if script.is_none() {
        command.env("PATH", &programs);
    }
    command.output().expect("the program starts")
}

#[test]
fn without_an_encoder_the_sentence_names_it() {
    let place = Place::new();
    let out = place.path("drive.mp4");
    let output = encoded(&place, None, &out);
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("ffmpeg, which is not installed") && told.contains("install the package ffmpeg"),
        "{told}"
    );
    assert_eq!(names(place.folder.path()), ["layout.json", "programs"], "nothing is left");
}

#[cfg(unix)]
#[test]
fn a_film_is_what_the_encoder_makes_of_the_pictures() {
    let place = Place::new();
    let out = place.path("drive.mp4");
    // keeps what it is given
    let output = encoded(&place, Some("#!/bin/sh\nfor last; do :; done\ncat > \"$last\"\n"), &out);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let pixels = std::fs::read(&out).expect("a film");
    assert_eq!(pixels.len(), 2 * 320 * 200 * 4, "two pictures");
    assert_eq!(names(place.folder.path()), ["drive.mp4", "layout.json", "programs"]);
}

#[cfg(unix)]
#[test]
fn what_the_encoder_says_when_it_fails_is_told() {
    let place = Place::new();
    let out = place.path("drive.mp4");
    std::fs::write(&out, "the one before").expect("a film");
    for script in [
        "#!/bin/sh\necho 'Unknown encoder libx264' >&2\nexit 1\n",
        "#!/bin/sh\ncat > /dev/null\necho 'Unknown encoder libx264' >&2\nexit 1\n",
    ] {
        let output = encoded(&place, Some(script), &out);
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(
            told.contains("ffmpeg wrote no film") && told.contains("Unknown encoder libx264"),
            "{told}"
        );
        assert_eq!(std::fs::read_to_string(&out).expect("the film"), "the one before");
    }
}
