//! Layouts on recordings that call things otherwise.

use std::sync::Arc;

use roadreel::decode::definitions;
use roadreel::layout::{Catalogue, CatalogueTopic, Layout, NameOf, Opened, fit};
use serde_json::json;

use super::{opened, sample};

fn catalogue(topics: &[(&str, &str)], frames: &[&str]) -> Catalogue {
    let topic = |(name, type_name): &(&str, &str)| CatalogueTopic {
        name: (*name).to_owned(),
        type_name: (*type_name).to_owned(),
        schema: definitions().schema(type_name, "", "*").ok().map(Arc::new),
    };
    Catalogue {
        topics: topics.iter().map(topic).collect(),
        frames: frames.iter().map(|frame| (*frame).to_owned()).collect(),
    }
}

fn drive() -> Catalogue {
    catalogue(
        &[
            ("/os1_cloud_node/points", "sensor_msgs/PointCloud2"),
            ("/flir_adk/rgb_front_left/image_raw/compressed", "sensor_msgs/CompressedImage"),
            ("/flir_adk/rgb_front_right/image_raw", "sensor_msgs/Image"),
            ("/flir_adk/thermal/image_raw", "sensor_msgs/Image"),
            ("/vehicle/brake_report", "dbw_mkz_msgs/BrakeReport"),
            ("/vehicle/steering_report", "dbw_mkz_msgs/SteeringReport"),
            ("/imu_raw", "sensor_msgs/Imu"),
            ("/gps/fix", "sensor_msgs/NavSatFix"),
            ("/odom", "nav_msgs/Odometry"),
            ("/metadata", "visualization_msgs/MarkerArray"),
            ("/diagnostics", "diagnostic_msgs/DiagnosticArray"),
            ("/rosout", "rosgraph_msgs/Log"),
            ("/tf", "tf2_msgs/TFMessage"),
        ],
        &["map", "odom", "base_link", "os1_sensor", "os1_lidar", "rgb_front_left"],
    )
}

#[test]
fn the_aws_layout_fits_the_aws_drive() {
    let Some(text) = sample("webviz_aws_layout_v16.json") else { return };
    let layout = opened(&text).layout;
    let fit = fit(&layout, &drive());
    assert!(fit.fits(), "{}", fit.text());
    assert_eq!(fit.text(), "everything fits\n");
}

#[test]
fn another_teams_layout_is_offered_what_it_probably_meant() {
    let Some(text) = sample("webviz_demo_layout.json") else { return };
    let layout = opened(&text).layout;
    let fit = fit(&layout, &drive());
    let taken = |name: &str| {
        fit.misfits
            .iter()
            .find(|misfit| misfit.name == name)
            .and_then(|misfit| misfit.take.as_deref())
    };
    assert_eq!(taken("/velodyne_points"), Some("/os1_cloud_node/points"));
    assert_eq!(taken("velodyne"), Some("os1_lidar"));
    assert_eq!(taken("/radar/tracks"), None, "no topic has these fields");
    assert!(
        taken("/image_raw").is_some_and(|topic| topic.starts_with("/flir_adk/")),
        "{}",
        fit.text()
    );
    let told = fit.text();
    assert!(
        told.starts_with("4 names do not fit:\n  topic /velodyne_points → /os1_cloud_node/points (sensor_msgs/PointCloud2)\n"),
        "{told}"
    );
    assert!(
        told.contains("the recording has no such topic; used by 3D Panel!2ccsjwx, RawMessages!48wvnv5"),
        "{told}"
    );
    let fitted = fit.apply(&layout);
    let scene = &fitted.panels["3D Panel!2ccsjwx"].config;
    assert_eq!(
        scene["topics"]["/os1_cloud_node/points"],
        layout.panels["3D Panel!2ccsjwx"].config["topics"]["/velodyne_points"]
    );
    assert_eq!(scene["follow_frame"], "os1_lidar");
    assert_eq!(fitted.panels["RawMessages!48wvnv5"].config["topic"], "/os1_cloud_node/points");
}

fn renamed() -> Catalogue {
    catalogue(
        &[
            ("/lidar_top/pointcloud", "sensor_msgs/PointCloud2"),
            ("/cam_fl/compressed", "sensor_msgs/CompressedImage"),
            ("/cam_fr/compressed", "sensor_msgs/CompressedImage"),
            ("/camera_left/image", "sensor_msgs/Image"),
            ("/camera_right/image", "sensor_msgs/Image"),
            ("/can/brake", "dbw_mkz_msgs/BrakeReport"),
            ("/can/steering", "dbw_mkz_msgs/SteeringReport"),
            ("/gnss/fix", "sensor_msgs/NavSatFix"),
        ],
        &[],
    )
}

fn ours() -> Layout {
    let layout = json!({
        "version": 2,
        "panels": {
            "scene": {"kind": "scene3d", "config": {"topics": {"/os1_cloud_node/points": {"decay_secs": 2}}, "follow_frame": "os1_lidar"}},
            "left": {"kind": "image", "config": {"topic": "/flir_adk/rgb_front_left/image_raw"}},
            "right": {"kind": "image", "config": {"topic": "/flir_adk/rgb_front_right/image_raw"}},
            "brake": {"kind": "plot", "config": {"series": [
                {"path": "abs(/vehicle/brake_report.pedal_input) * 2"},
                {"path": "/vehicle/brake_report.pedal_output.@derivative"},
            ]}},
            "map": {"kind": "map", "config": {"topics": ["/gps/fix"]}},
        },
        "root": {"tabs": ["scene", "left", "right", "brake", "map"]},
        "topics": {"/os1_cloud_node/points": "sensor_msgs/PointCloud2", "/vehicle/brake_report": "dbw_mkz_msgs/BrakeReport"},
    });
    Layout::parse(&layout.to_string()).unwrap()
}

#[test]
fn sides_types_and_fields_decide() {
    let fit = fit(&ours(), &renamed());
    let taken: Vec<(&str, Option<&str>)> = fit.misfits.iter().map(|m| (m.name.as_str(), m.take.as_deref())).collect();
    assert_eq!(
        taken,
        [
            ("/os1_cloud_node/points", Some("/lidar_top/pointcloud")),
            ("/flir_adk/rgb_front_left/image_raw", Some("/camera_left/image")),
            ("/flir_adk/rgb_front_right/image_raw", Some("/camera_right/image")),
            ("/vehicle/brake_report", Some("/can/brake")),
            ("/gps/fix", Some("/gnss/fix")),
        ]
    );
    assert!(fit.misfits.iter().all(|m| m.what == NameOf::Topic), "frames are not known");
    let fitted = fit.apply(&ours());
    assert_eq!(
        fitted.panels["scene"].config["topics"],
        json!({"/lidar_top/pointcloud": {"decay_secs": 2}})
    );
    assert_eq!(
        fitted.panels["brake"].config["series"][0]["path"],
        "abs(/can/brake.pedal_input) * 2"
    );
    assert_eq!(fitted.topics["/can/brake"], "dbw_mkz_msgs/BrakeReport");
    assert!(roadreel::layout::fit(&fitted, &renamed()).fits());
}

#[test]
fn names_may_become_variables() {
    let fit = fit(&ours(), &renamed());
    let fitted = fit.apply_as_variables(&ours());
    assert_eq!(fitted.panels["left"].config["topic"], "$flir_adk_rgb_front_left_image_raw");
    assert_eq!(fitted.variables["vehicle_brake_report"], "/can/brake");
    assert_eq!(
        fitted.panels["brake"].config["series"][0]["path"],
        "abs($vehicle_brake_report.pedal_input) * 2"
    );
    assert!(
        roadreel::layout::fit(&fitted, &renamed()).fits(),
        "{}",
        roadreel::layout::fit(&fitted, &renamed()).text()
    );
    // on a third recording only the variables change
    let third = catalogue(&[("/front_left/image", "sensor_msgs/Image")], &[]);
    let third_fit = roadreel::layout::fit(&fitted, &third);
    let again = third_fit.apply(&fitted);
    assert_eq!(again.panels["left"].config, fitted.panels["left"].config);
    assert_eq!(again.variables["flir_adk_rgb_front_left_image_raw"], "/front_left/image");
}

#[cfg(feature = "gui")]
#[test]
fn variables_stand_for_topics_in_the_window_and_are_saved_as_variables() {
    use roadreel::workspace::{Workspace, kind};
    let fitted = fit(&ours(), &renamed()).apply_as_variables(&ours());
    let mut workspace = Workspace::from_layout(&fitted);
    let shown = |workspace: &Workspace, id: &str| workspace.pane(id).unwrap().panel.config();
    assert_eq!(shown(&workspace, "left")["topic"], "/camera_left/image");
    assert_eq!(shown(&workspace, "brake")["series"][0]["path"], "abs(/can/brake.pedal_input) * 2");
    assert!(shown(&workspace, "scene")["topics"].get("/lidar_top/pointcloud").is_some());
    assert_eq!(workspace.to_layout().panels, fitted.panels, "untouched");
    let mut now = shown(&workspace, "scene");
    now["topics"]["/lidar_top/pointcloud"]["decay_secs"] = json!(5.0);
    workspace.pane_mut("scene").unwrap().panel = (kind("scene3d").unwrap().create)(&now);
    let saved = workspace.to_layout();
    assert_eq!(
        saved.panels["scene"].config["topics"],
        json!({"$os1_cloud_node_points": {"decay_secs": 5.0}})
    );
}

#[test]
fn fields_that_are_not_there_do_not_fit() {
    let layout = json!({"version": 2, "panels": {"a": {"kind": "plot", "config": {"series": [{"path": "/imu_raw.pedal_input"}]}}}});
    let fit = fit(&Layout::parse(&layout.to_string()).unwrap(), &drive());
    let [misfit] = fit.misfits.as_slice() else {
        panic!("{}", fit.text())
    };
    assert!(misfit.why.contains("pedal_input"), "{}", misfit.why);
    assert_eq!(misfit.take.as_deref(), Some("/vehicle/brake_report"), "the topic that has it");
}

#[test]
fn plotjugglers_curves_find_their_topics() {
    let xml = r##"<?xml version='1.0'?><root><tabbed_widget><Tab tab_name="t"><Container><DockSplitter orientation="-" sizes="1" count="1">
        <DockArea><plot mode="TimeSeries"><curve name="/imu_raw/linear_acceleration/x" color="#ff0000"/>
        <curve name="/odom/pose/pose/position/x"/></plot></DockArea></DockSplitter></Container></Tab></tabbed_widget></root>"##;
    let Opened { layout, .. } = opened(xml);
    let fit = fit(&layout, &drive());
    let fitted = fit.apply(&layout);
    let paths: Vec<&str> = fitted.panels["plot-1"].config["series"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["/imu_raw.linear_acceleration.x", "/odom.pose.pose.position.x"]);
    assert!(roadreel::layout::fit(&fitted, &drive()).fits());
    let as_variables = fit.apply_as_variables(&layout);
    assert_eq!(as_variables.panels, fitted.panels);
}
