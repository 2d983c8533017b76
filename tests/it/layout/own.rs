//! Our own format: versions, what is shared and what is not, its schema.

use roadreel::layout::{Layout, VERSION, open};
use serde_json::json;

use super::json;

#[test]
fn older_versions_are_brought_to_this_one() {
    let old = json!({
        "version": 1,
        "panels": {
            "scene": {"kind": "scene3d", "config": {"camera": {"target": [1, 2, 3], "yaw": 10, "pitch": 20, "lens": "fisheye"}}},
            "other": {"kind": "hologram", "config": {"camera": {"yaw": 10}}},
        },
        "root": {"tabs": ["scene", "other"]},
    });
    let layout = Layout::parse(&old.to_string()).unwrap();
    assert_eq!(layout.version, VERSION);
    let camera = &layout.panels["scene"].config["camera"];
    assert_eq!(
        *camera,
        json!({"target": [1, 2, 3], "yaw_degrees": 10, "pitch_degrees": 20, "lens": "fisheye"})
    );
    assert_eq!(
        layout.panels["other"].config,
        json!({"camera": {"yaw": 10}}),
        "what is not ours stays"
    );
    let unversioned = Layout::parse(r#"{"panels":{}}"#).unwrap();
    assert_eq!(unversioned.version, VERSION);
}

#[test]
fn a_newer_version_opens_with_a_warning_and_keeps_what_is_new() {
    let newer = json!({"version": 9, "panels": {"a": {"kind": "hologram", "config": {"depth": 3}, "pin": 1}}, "scenes": [1, 2]});
    let opened = open(&newer.to_string()).unwrap();
    let [warning] = opened.report.warnings.as_slice() else {
        panic!("one warning")
    };
    assert!(warning.contains("newer version") && warning.contains('9'), "{warning}");
    assert!(!opened.report.is_silent());
    assert_eq!(json(&opened.layout.to_json()), newer);
}

#[test]
fn a_saved_layout_reads_well_and_is_stable() {
    let layout = Layout::parse(
        r#"{"version":2,"panels":{"b":{"kind":"note","config":{"text":"x"}},"a":{"kind":"note"}},"root":{"tabs":["b","a"]}}"#,
    );
    let text = layout.unwrap().to_json();
    assert!(text.ends_with("}\n") && text.lines().count() > 10);
    assert!(
        text.find("\"b\"") < text.find("\"a\""),
        "the order of the file is the order in which panels stand"
    );
    assert_eq!(Layout::parse(&text).unwrap().to_json(), text);
}

#[test]
fn nothing_of_one_machine_or_one_person_is_saved() {
    let layout = json!({
        "version": 2,
        "panels": {
            "map": {"kind": "map", "config": {
                "tile_file": "/home/ann/maps/city.pmtiles",
                "custom_tiles": "https://ann:pw@tiles.example/{z}/{x}/{y}.png?key=SECRET1",
            }},
            "other": {"kind": "Urdf", "config": {
                "url": "https://bucket.s3.amazonaws.com/robot.urdf?X-Amz-Signature=SECRET2&x=1#part",
                "file": "file:///home/ann/robot.urdf",
                "windows": "C:\\Users\\ann\\drive.bag",
                "bag": "/data/drives/drive.bag",
                "apiKey": "SECRET3",
                "Authorization": "SECRET5",
                "sessionCookie": "SECRET6",
                "credentials": "SECRET7",
                "colors": {"/car/token": "#ff0000"},
                "text": "see https://wiki.example/page?token=SECRET4 for more",
            }},
            "plot": {"kind": "plot", "config": {"series": [{"path": "/home/pose.position.x"}, {"path": "/data/imu.accel"}]}},
        },
        "root": {"tabs": ["map", "other", "plot"]},
    });
    let saved = Layout::parse(&layout.to_string()).unwrap().to_json();
    for gone in ["SECRET", "X-Amz", "ann", "?key", "#part", "/home/ann", "/data/drives"] {
        assert!(!saved.contains(gone), "{gone}: {saved}");
    }
    let saved = json(&saved);
    assert_eq!(saved["panels"]["map"]["config"]["tile_file"], "city.pmtiles");
    assert_eq!(
        saved["panels"]["map"]["config"]["custom_tiles"],
        "https://tiles.example/{z}/{x}/{y}.png"
    );
    assert_eq!(saved["panels"]["other"]["config"]["text"], "see https://wiki.example/page for more");
    assert_eq!(
        saved["panels"]["other"]["config"]["colors"],
        json!({"/car/token": "#ff0000"}),
        "topics stay"
    );
    assert_eq!(saved["panels"]["plot"]["config"], layout["panels"]["plot"]["config"], "topics stay");
}

/// The file that editors and other programs check layouts by is made of the structs that read them.
#[cfg(feature = "gui")]
#[test]
fn the_schema_is_the_structs() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("layouts/roadreel.schema.json");
    let mut made = serde_json::to_string_pretty(&roadreel::workspace::schema()).unwrap();
    made.push('\n');
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    if made != kept {
        let new = path.with_extension("json.new");
        std::fs::write(&new, made).unwrap();
        panic!(
            "{} is no longer what the structs say: look at {} and put it in its place",
            path.display(),
            new.display()
        );
    }
}
