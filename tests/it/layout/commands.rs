//! `roadreel layout convert|check|diff` as scripts see them.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use super::sample;
use crate::data::data;
use crate::program;

#[track_caller]
fn run(arguments: &[&str], code: i32) -> Output {
    let output = program::roadreel()
        .arg("layout")
        .args(arguments)
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
    output
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn a_layout_is_converted_there_and_back() {
    let Some(aws) = data("layouts/webviz_aws_layout_v16.json") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (own, back) = (folder.path().join("own.json"), folder.path().join("back.json"));
    let output = run(&["convert", text(&aws), "-o", text(&own)], 0);
    assert!(stdout(&output).is_empty());
    let told = stderr(&output);
    assert!(told.contains("Webviz layout, version 16") && told.contains("pinTopics"), "{told}");
    run(&["convert", text(&own), "-o", text(&back), "--to", "webviz"], 0);
    let read = |path: &Path| super::json(&std::fs::read_to_string(path).unwrap());
    assert_eq!(read(&back), read(&aws));
    let output = run(&["convert", text(&aws), "-o", text(&back), "--to", "foxglove", "--json"], 0);
    let report: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(report["read"]["dialect"], "webviz");
    assert_eq!(report["written"]["to"], "foxglove");
    assert!(read(&back)["configById"].is_object());
    assert_eq!(run(&["diff", text(&aws), text(&own)], 0).stdout, b"");
}

#[test]
fn what_is_no_layout_is_an_error_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join("in.json"), folder.path().join("out.json"));
    for (text_of, told) in [
        ("{\"a\":1}", "not a layout"),
        ("{\"savedProps\":", "not a layout"),
        ("", "not a layout"),
    ] {
        std::fs::write(&input, text_of).unwrap();
        let output = run(&["convert", text(&input), "-o", text(&out)], 1);
        assert!(
            stderr(&output).contains(told) && stderr(&output).lines().count() == 1,
            "{}",
            stderr(&output)
        );
        assert!(!out.exists());
    }
    std::fs::write(&input, vec![b' '; 5 << 20]).unwrap();
    assert!(stderr(&run(&["convert", text(&input), "-o", text(&out)], 1)).contains("5.00 MiB"));
    run(&["convert", text(&input)], 2);
    run(&["convert", text(&input), "-o", text(&out), "--to", "rviz"], 2);
}

#[test]
fn a_layout_is_checked_against_a_recording() {
    let folder = tempfile::tempdir().unwrap();
    let bag = folder.path().join("drive.bag");
    let made = program::roadreel()
        .args(["demo", "--seconds", "0.7", "-o", text(&bag)])
        .status()
        .unwrap();
    assert!(made.success());
    let Some(aws) = data("layouts/webviz_aws_layout_v16.json") else {
        return;
    };
    let output = run(&["check", text(&aws), text(&bag)], 0);
    assert_eq!(stdout(&output), "everything fits\n", "{}", stderr(&output));
    let other = folder.path().join("other.json");
    let layout = json!({
        "savedProps": {
            "3D Panel!a": {"checkedKeys": ["name:Topics", "t:/velodyne_points"], "followTf": "velodyne"},
            "Plot!b": {"paths": [{"value": "/dbw/brake.pedal_input"}]},
        },
        "layout": {"direction": "row", "first": "3D Panel!a", "second": "Plot!b"},
    });
    std::fs::write(&other, layout.to_string()).unwrap();
    let output = run(&["check", text(&other), text(&bag)], 3);
    let told = stdout(&output);
    assert!(told.contains("topic /velodyne_points → /os1_cloud_node/points"), "{told}");
    assert!(told.contains("topic /dbw/brake → /vehicle/brake_report"), "{told}");
    assert!(told.contains("frame velodyne → os1_"), "{told}");
    let output = run(&["check", text(&other), text(&bag), "--json"], 3);
    let fit: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(fit["fits"], false);
    assert_eq!(fit["misfits"][0]["take"], "/os1_cloud_node/points");
}

#[test]
fn two_layouts_are_compared() {
    let Some(given) = sample("webviz_aws_layout_v16.json") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a.json"), folder.path().join("b.json"));
    std::fs::write(&a, &given).unwrap();
    std::fs::write(&b, given.replace("\"distance\": 75", "\"distance\": 40")).unwrap();
    let told = stdout(&run(&["diff", text(&a), text(&b)], 0));
    assert!(
        told.starts_with("~ 3D Panel!46mz67l") && told.contains("config/camera/distance: 75 → 40"),
        "{told}"
    );
    let parts: Value = serde_json::from_str(&stdout(&run(&["diff", text(&a), text(&b), "--json"], 0))).unwrap();
    assert_eq!(parts["parts"][0]["part"], json!({"panel": "3D Panel!46mz67l"}));
}
