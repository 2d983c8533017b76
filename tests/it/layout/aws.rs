//! The layout of AWS's sample: on our screen everything stands where Webviz has it, and the camera looks from where it looked.

use std::collections::HashMap;

use glam::{DMat3, DQuat, DVec3};
use roadreel::layout::{Direction, Node, Tab};
use roadreel::render::Projection;
use roadreel::workspace::Workspace;
use serde_json::Value;

use super::{opened, sample};

const AWS: &str = "webviz_aws_layout_v16.json";

type Rect = [f64; 4];

/// Where Webviz puts its panels in a window of 1 × 1: left, top, width, height.
fn expected(node: &Value, [left, top, width, height]: Rect, out: &mut HashMap<String, Rect>) {
    let Some(id) = node.as_str() else {
        let share = node["splitPercentage"].as_f64().unwrap_or(50.0) / 100.0;
        let (first, second) = match node["direction"].as_str() {
            Some("column") => (
                [left, top, width, height * share],
                [left, top + height * share, width, height * (1.0 - share)],
            ),
            _ => (
                [left, top, width * share, height],
                [left + width * share, top, width * (1.0 - share), height],
            ),
        };
        expected(&node["first"], first, out);
        return expected(&node["second"], second, out);
    };
    out.insert(id.to_owned(), [left, top, width, height]);
}

fn ours(node: &Node, [left, top, width, height]: Rect, out: &mut HashMap<String, Rect>) {
    match node {
        Node::Split { split, children, .. } => {
            let mut done = 0.0;
            for child in children {
                let share = f64::from(child.share);
                let part = match split {
                    Direction::Row => [left + width * done, top, width * share, height],
                    Direction::Column => [left, top + height * done, width, height * share],
                };
                ours(&child.node, part, out);
                done += share;
            }
        }
        Node::Tabs { tabs, .. } => {
            for tab in tabs {
                match tab {
                    Tab::Panel(id) => drop(out.insert(id.clone(), [left, top, width, height])),
                    Tab::Node(node) => ours(node, [left, top, width, height], out),
                }
            }
        }
        Node::Unknown(_) => panic!("unknown"),
    }
}

#[test]
fn panels_stand_where_webviz_has_them() {
    for name in [
        AWS,
        "webviz_demo_layout.json",
        "lichtblick_DefaultMultipleThreeDee.json",
        "lichtblick_PointcloudMultipleThreeDee.json",
    ] {
        let Some(text) = sample(name) else { return };
        let whole = [0.0, 0.0, 1.0, 1.0];
        let mut theirs = HashMap::new();
        expected(&super::json(&text)["layout"], whole, &mut theirs);
        let layout = Workspace::from_layout(&opened(&text).layout).to_layout();
        let mut here = HashMap::new();
        ours(layout.root.as_ref().unwrap(), whole, &mut here);
        assert_eq!(here.len(), theirs.len(), "{name}");
        for (id, expected) in theirs {
            let got = here[&id];
            assert!(
                expected.iter().zip(got).all(|(a, b)| (a - b).abs() < 0.005),
                "{name} {id}: {expected:?} {got:?}"
            );
        }
    }
}

#[test]
fn panels_are_what_they_were() {
    let Some(text) = sample(AWS) else { return };
    let layout = opened(&text).layout;
    let kinds: Vec<(&str, &str)> = layout.panels.iter().map(|(id, panel)| (id.as_str(), panel.kind.as_str())).collect();
    assert_eq!(
        kinds,
        [
            ("RawMessages!2tjtuhx", "raw"),
            ("Plot!19fho35", "plot"),
            ("3D Panel!46mz67l", "scene3d"),
            ("ImageViewPanel!2fopb77", "image"),
            ("ImageViewPanel!4hzgmns", "image"),
            ("ImageViewPanel!33lyeph", "image"),
        ]
    );
    let config = |id: &str| &layout.panels[id].config;
    assert_eq!(config("RawMessages!2tjtuhx")["topic"], "/vehicle/brake_report");
    assert_eq!(config("Plot!19fho35")["series"][0]["path"], "/vehicle/brake_report.pedal_input");
    assert_eq!(config("ImageViewPanel!33lyeph")["topic"], "/flir_adk/thermal/image_raw");
    assert_eq!(config("3D Panel!46mz67l")["topics"]["/os1_cloud_node/points"]["visible"], true);
    assert_eq!(config("3D Panel!46mz67l")["follow"], "heading");
    assert_eq!(config("3D Panel!46mz67l")["follow_frame"], "os1_lidar");
    assert_eq!(layout.playback.unwrap().speed, 0.2);
}

/// By the formulas of Webviz's scene library: orientation is a turn around z by -thetaOffset, then around x by phi; the eye lies on a
/// sphere around the target, phi from the zenith.
fn webviz_camera(state: &Value) -> (DVec3, DMat3, f64) {
    let number = |key: &str| state[key].as_f64().unwrap_or(0.0);
    let (phi, theta, distance) = (number("phi"), number("thetaOffset"), number("distance"));
    let orientation = DQuat::from_rotation_z(-theta) * DQuat::from_rotation_x(phi);
    let eye = DVec3::new(-phi.sin() * theta.sin(), -phi.sin() * theta.cos(), phi.cos()) * distance;
    let offset = |at: usize| state["targetOffset"][at].as_f64().unwrap_or(0.0);
    (
        eye + DVec3::new(offset(0), offset(1), offset(2)),
        DMat3::from_quat(orientation),
        number("fovy"),
    )
}

#[test]
fn cameras_look_from_where_they_looked() {
    for (name, id) in [(AWS, "3D Panel!46mz67l"), ("webviz_demo_layout.json", "3D Panel!2ccsjwx")] {
        let Some(text) = sample(name) else { return };
        let (eye, axes, fov) = webviz_camera(&super::json(&text)["savedProps"][id]["cameraState"]);
        let config = &opened(&text).layout.panels[id].config["camera"];
        let config: roadreel::panel::scene3d::CameraConfig = serde_json::from_value(config.clone()).unwrap();
        let camera = config.to_camera();
        assert_eq!(camera.projection, Projection::Perspective);
        assert!(
            (camera.eye() - eye).length() < 1e-3 * eye.length(),
            "{name}: {} {eye}",
            camera.eye()
        );
        let turned = camera.world_from_view_rotation();
        assert!(turned.abs_diff_eq(axes, 1e-6), "{name}: {turned} {axes}");
        assert!((camera.fov_y_radians - fov).abs() < 1e-6, "{name}");
    }
}
