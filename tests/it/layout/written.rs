//! What is changed here is changed in the file that is written for another program, and nothing else.

use roadreel::layout::{Dialect, Layout};
use roadreel::workspace::Workspace;
use serde_json::{Value, json};

use super::mapped::rich;
use super::{SAMPLES, exported, opened, sample, with_panel};

#[test]
fn samples_come_out_key_for_key() {
    for name in SAMPLES.iter().filter(|name| name.ends_with(".json")) {
        let Some(text) = sample(name) else { return };
        let dialect = Dialect::of(&text).unwrap();
        let layout = opened(&text).layout;
        assert_eq!(exported(&layout, dialect), super::json(&text), "{name}");
        let mut kept = Workspace::from_layout(&layout).to_layout();
        (kept.variables, kept.playback) = (layout.variables, layout.playback);
        let kept = Layout::parse(&kept.to_json()).unwrap();
        assert_eq!(
            exported(&kept, dialect),
            super::json(&text),
            "{name} through the window and our own file"
        );
    }
}

/// Pointers at which two values differ.
fn differing(a: &Value, b: &Value, at: &str, out: &mut Vec<String>) {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            for (key, value) in a {
                match b.get(key) {
                    Some(other) => differing(value, other, &format!("{at}/{key}"), out),
                    None => out.push(format!("-{at}/{key}")),
                }
            }
            out.extend(b.keys().filter(|key| !a.contains_key(*key)).map(|key| format!("+{at}/{key}")));
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                differing(a, b, &format!("{at}/{index}"), out);
            }
        }
        (a, b) if a != b => out.push(format!("{at}={b}")),
        _ => {}
    }
}

/// Changes one key of ours and tells what changed in theirs.
#[track_caller]
fn changed(dialect: Dialect, id: &str, pointer: &str, value: Value) -> Vec<String> {
    let (_, _, config) = rich().into_iter().find(|(of, name, _)| *of == dialect && *name == id).unwrap();
    let mut layout = opened(&with_panel(dialect, id, &config)).layout;
    let ours = &mut layout.panels[id].config;
    match ours.pointer_mut(pointer) {
        Some(place) => *place = value,
        None => {
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            ours.pointer_mut(parent).unwrap()[key.replace("~1", "/")] = value;
        }
    }
    let configs = if dialect == Dialect::Foxglove { "configById" } else { "savedProps" };
    let mut out = Vec::new();
    differing(&config, &exported(&layout, dialect)[configs][id], "", &mut out);
    out
}

#[test]
fn one_change_here_is_one_change_there() {
    use Dialect::{Foxglove, Webviz};
    let one = |dialect, id, pointer, value| changed(dialect, id, pointer, value).join(" ");
    assert_eq!(one(Webviz, "Plot!w", "/legend", json!(true)), "/showLegend=true");
    assert_eq!(
        one(Webviz, "Plot!w", "/y", json!({"mode": "auto"})),
        "/maxYValue=\"\" /minYValue=\"\"".split(' ').rev().collect::<Vec<_>>().join(" ")
    );
    assert_eq!(one(Foxglove, "Plot!f", "/series/1/path", json!("/q.r")), "/paths/1/value=\"/q.r\"");
    assert_eq!(one(Foxglove, "Plot!f", "/x_axis", json!("index")), "/xAxisVal=\"index\"");
    assert_eq!(one(Foxglove, "Plot!f", "/title", json!("New")), "/title=\"New\"");
    assert_eq!(
        one(Foxglove, "Plot!f", "/legend_place", json!("inside")),
        "/legendDisplay=\"floating\""
    );
    assert_eq!(
        one(Webviz, "Table!w", "/colors/0/value", json!("4")),
        "/columnConfigs/speed/conditionalFormats/0/primitive=4"
    );
    assert_eq!(one(Webviz, "Table!w", "/hidden", json!([])), "/columnConfigs/id/hidden=false");
    assert_eq!(
        one(Webviz, "RawMessages!a", "/compare", json!({"with": "previous"})),
        "/diffMethod=\"previous message\""
    );
    assert_eq!(one(Webviz, "RosOut!w", "/min_level", json!("error")), "/minLogLevel=8");
    assert_eq!(one(Webviz, "3D Panel!w", "/camera/distance", json!(99)), "/cameraState/distance=99");
    assert_eq!(one(Webviz, "3D Panel!w", "/follow", json!("position")), "/followOrientation=false");
    assert_eq!(
        one(Webviz, "3D Panel!w", "/topics/~1points/size", json!({"px": 7})),
        "/settingsByKey/t:/points/pointSize=7"
    );
    assert_eq!(
        one(Foxglove, "3D!f", "/camera/yaw_degrees", json!(45)),
        "/cameraState/thetaOffset=45"
    );
    assert_eq!(one(Foxglove, "3D!f", "/grid", json!(false)), "/layers/g/visible=false");
    assert_eq!(
        one(Foxglove, "3D!f", "/topics/~1cloud/visible", json!(false)),
        "/topics//cloud/visible=false"
    );
    assert_eq!(
        one(Foxglove, "3D!f", "/topics/~1markers/hidden_namespaces", json!([])),
        "/topics//markers/namespaces/a/visible=true"
    );
    assert_eq!(
        one(Foxglove, "3D!f", "/grid_color", json!([1, 2, 3])),
        "/layers/g/color=\"#010203\""
    );
    assert_eq!(one(Foxglove, "3D!f", "/grid_cell_metres", json!(4)), "/layers/g/size=60");
    assert_eq!(
        one(Foxglove, "3D!f", "/background", json!([255, 0, 16])),
        "/scene/backgroundColor=\"#ff0010\""
    );
    assert_eq!(
        one(Foxglove, "3D!f", "/frames/hidden", json!(["map", "/odd"])),
        "/transforms/frame:map/visible=false"
    );
    assert_eq!(
        one(Foxglove, "3D!f", "/topics/~1costs/cells", json!("map")),
        "/topics//costs/colorMode=\"map\""
    );
    assert_eq!(
        one(Foxglove, "Plot!from", "/y", json!({"mode": "up_to", "max": 8})),
        "-/minYValue +/maxYValue"
    );
    assert_eq!(
        one(Foxglove, "StateTransitions!a", "/paths/0/visible", json!(true)),
        "/paths/0/enabled=true"
    );
    assert_eq!(
        one(Foxglove, "map!a", "/hidden", json!(["/a", "/b"])),
        "/disabledTopics=[\"/a\",\"/b\"]"
    );
    assert_eq!(
        one(Foxglove, "map!a", "/colors/~1gps", json!("#00ff00")),
        "/topicColors//gps=\"#00ff00\""
    );
    assert_eq!(one(Webviz, "RawMessages!a", "/part", json!("c")), "/topicPath=\"/a.c\"");
    assert_eq!(one(Foxglove, "map!a", "/layer", json!("custom")), "/layer=\"custom\"");
    assert_eq!(one(Foxglove, "Image!f", "/rotation_degrees", json!(90)), "/imageMode/rotation=90");
    assert_eq!(
        one(Foxglove, "Indicator!a", "/rules/0/value", json!("1")),
        "/rules/0/rawValue=\"1\""
    );
    assert_eq!(
        one(Webviz, "GlobalVariableSliderPanel!a", "/controls/v/max", json!(20)),
        "/sliderProps/max=20"
    );
    assert_eq!(
        one(Foxglove, "Gauge!two", "/gradient", json!(["#000000", "#ffffff"])),
        "/gradient/0=\"#000000\" /gradient/1=\"#ffffff\""
    );
    assert_eq!(
        one(Foxglove, "Gauge!b", "/coloring", json!("levels")),
        "/colorMap=\"red-yellow-green\" /reverse=true +/colorMode"
    );
}

#[test]
fn a_topic_that_is_hidden_is_unchecked_and_another_is_added() {
    let there = changed(Dialect::Webviz, "3D Panel!w", "/topics/~1pose/visible", json!(false));
    let [list] = there.as_slice() else { panic!("{there:?}") };
    assert!(list.starts_with("/checkedKeys=") && !list.contains("t:/pose"), "{list}");
    let there = changed(
        Dialect::Webviz,
        "3D Panel!w",
        "/topics/~1new",
        json!({"visible": true, "size": {"px": 5}}),
    );
    assert!(there.iter().any(|change| change.contains("t:/new")), "{there:?}");
    assert!(there.contains(&"+/settingsByKey/t:/new".to_owned()), "{there:?}");
}

#[test]
fn series_that_move_keep_what_only_the_other_program_knows() {
    let config = json!({"paths": [{"value": "/a.x", "note": 1}, {"value": "/b.x", "note": 2}, {"value": "/c.x", "note": 3}]});
    let mut layout = opened(&with_panel(Dialect::Foxglove, "Plot!a", &config)).layout;
    let series = layout.panels["Plot!a"].config["series"].as_array_mut().unwrap();
    series.remove(0);
    series.swap(0, 1);
    series.push(json!({"path": "/d.x"}));
    let there = exported(&layout, Dialect::Foxglove);
    let expected = json!([{"value": "/c.x", "note": 3}, {"value": "/b.x", "note": 2}, {"value": "/d.x"}]);
    assert_eq!(there["configById"]["Plot!a"]["paths"], expected);
}

#[test]
fn what_changes_through_the_panel_is_written_and_its_defaults_are_not() {
    let config = json!({"paths": [{"value": "/a.x"}], "odd": 1});
    let text = with_panel(Dialect::Foxglove, "Plot!a", &config);
    let mut workspace = Workspace::from_layout(&opened(&text).layout);
    // as the settings do it: a panel of the changed configuration
    let mut now = workspace.pane("Plot!a").unwrap().panel.config();
    now["statistics"] = json!(true);
    let kind = roadreel::workspace::kind("plot").unwrap();
    workspace.pane_mut("Plot!a").unwrap().panel = (kind.create)(&now);
    let there = exported(&workspace.to_layout(), Dialect::Foxglove);
    assert_eq!(
        there["configById"]["Plot!a"],
        json!({"paths": [{"value": "/a.x"}], "odd": 1, "showPlotValuesInLegend": true})
    );
}

#[test]
fn panels_that_are_closed_added_and_moved_are_so_there() {
    let Some(text) = sample("webviz_aws_layout_v16.json") else { return };
    let mut layout = opened(&text).layout;
    layout.panels.shift_remove("Plot!19fho35");
    let entry = layout.panels["RawMessages!2tjtuhx"].clone();
    layout.panels.insert("raw-1".to_owned(), entry);
    layout.root = serde_json::from_value(json!({"split": "row", "children": [
        {"share": 0.25, "tabs": ["raw-1", "3D Panel!46mz67l"], "active": 1},
        {"share": 0.5, "tabs": ["ImageViewPanel!2fopb77"]},
        {"share": 0.25, "split": "column", "children": [
            {"share": 0.1, "tabs": ["ImageViewPanel!4hzgmns"]},
            {"share": 0.9, "tabs": ["ImageViewPanel!33lyeph"]},
        ]},
    ]}))
    .unwrap();
    layout.panels.shift_remove("RawMessages!2tjtuhx");
    let there = exported(&layout, Dialect::Webviz);
    let configs = there["savedProps"].as_object().unwrap();
    assert!(!configs.contains_key("Plot!19fho35") && !configs.contains_key("RawMessages!2tjtuhx"));
    assert_eq!(configs["RawMessages!raw1"]["topicPath"], "/vehicle/brake_report");
    assert_eq!(
        there["layout"],
        json!({"direction": "row", "first": "Tab!tabs1", "splitPercentage": 25.0, "second": {
            "direction": "row", "first": "ImageViewPanel!2fopb77", "splitPercentage": 66.6667, "second": {
                "direction": "column", "first": "ImageViewPanel!4hzgmns", "second": "ImageViewPanel!33lyeph", "splitPercentage": 10.0}}})
    );
    assert_eq!(configs["Tab!tabs1"]["activeTabIdx"], 1);
    assert_eq!(configs["Tab!tabs1"]["tabs"][1]["layout"], "3D Panel!46mz67l");
    let again = opened(&there.to_string()).layout;
    assert_eq!(
        roadreel::layout::arrangement::panels(again.root.as_ref().unwrap()),
        [
            "RawMessages!raw1",
            "3D Panel!46mz67l",
            "ImageViewPanel!2fopb77",
            "ImageViewPanel!4hzgmns",
            "ImageViewPanel!33lyeph"
        ]
    );
}

#[test]
fn only_another_tab_in_front_changes_only_that() {
    let Some(text) = sample("lichtblick_nuscenes.json") else { return };
    let mut layout = opened(&text).layout;
    let Some(roadreel::layout::Node::Tabs { active, tabs, .. }) = &mut layout.root else {
        panic!("tabs")
    };
    assert_eq!(tabs.len(), 4);
    *active = 2;
    let mut out = Vec::new();
    differing(&super::json(&text), &exported(&layout, Dialect::Foxglove), "", &mut out);
    assert_eq!(out, ["/configById/Tab!1xyw5ix/activeTabIdx=2"]);
}

#[test]
fn our_own_layouts_are_written_for_others_with_what_is_lost() {
    let layout = json!({
        "version": 2,
        "panels": {
            "speed": {"kind": "plot", "config": {"title": "Speed", "series": [{"path": "/a.x", "axis": "right"}], "cursors": [1, 2]}},
            "tree": {"kind": "tf_tree", "config": {}},
            "scene": {"kind": "scene3d", "config": {"topics": {"/p": {"color": {"field": {"name": "z", "colormap": "viridis"}}}}, "follow": "heading", "follow_frame": "base_link"}},
        },
        "root": {"split": "row", "children": [{"share": 0.3, "tabs": ["speed", "tree"]}, {"share": 0.7, "tabs": ["scene"]}]},
        "playback": {"speed": 2.0, "loop": true},
        "variables": {"n": 3},
    });
    let layout = Layout::parse(&layout.to_string()).unwrap();
    for (to, configs) in [(Dialect::Webviz, "savedProps"), (Dialect::Foxglove, "configById")] {
        let written = roadreel::layout::export(&layout, to).unwrap();
        let there = super::json(&written.text);
        assert_eq!(there["playbackConfig"]["speed"], 2);
        assert_eq!(there["globalVariables"], json!({"n": 3}));
        assert_eq!(there[configs]["Plot!speed"]["paths"], json!([{"value": "/a.x"}]));
        let told = written.report.text();
        for lost in ["tree", "axis", "cursors", "topics", "loop"] {
            assert!(told.contains(lost), "{lost}: {told}");
        }
        let again = opened(&written.text).layout;
        assert_eq!(again.panels.len(), 2);
        assert_eq!(
            again.panels.values().map(|p| p.kind.as_str()).collect::<Vec<_>>(),
            ["plot", "scene3d"]
        );
        assert_eq!(again.playback.unwrap().speed, 2.0);
    }
}

#[test]
fn what_only_webviz_knows_is_told_as_lost_on_the_way_to_foxglove() {
    let Some(text) = sample("webviz_aws_layout_v16.json") else { return };
    let layout = opened(&text).layout;
    let written = roadreel::layout::export(&layout, Dialect::Foxglove).unwrap();
    let told = written.report.text();
    assert!(told.contains("pinTopics: known to Webviz only"), "{told}");
    let there = super::json(&written.text);
    let scene = there["configById"]
        .as_object()
        .unwrap()
        .iter()
        .find(|(id, _)| id.starts_with("3D!"))
        .unwrap()
        .1;
    assert_eq!(scene["cameraState"]["phi"], 45);
    assert_eq!(scene["cameraState"]["thetaOffset"], 0);
    assert_eq!(scene["cameraState"]["distance"], 75);
    assert_eq!(scene["followTf"], "os1_lidar");
    assert_eq!(scene["topics"]["/os1_cloud_node/points"]["visible"], true);
    let image = there["configById"]
        .as_object()
        .unwrap()
        .iter()
        .find(|(id, _)| id.starts_with("Image!"))
        .unwrap()
        .1;
    assert_eq!(image["imageMode"]["imageTopic"], "/flir_adk/rgb_front_left/image_raw");
}

#[test]
fn formats_that_are_only_read_are_not_written() {
    let error = roadreel::layout::export(&Layout::empty(), Dialect::Rviz).unwrap_err().to_string();
    assert!(error.contains("RViz") && error.contains("foxglove"), "{error}");
}

#[test]
fn what_lies_around_the_panels_goes_along_or_is_told() {
    let scripts = json!({"n": {"name": "/webviz_node/x", "sourceCode": "export const inputs = [];"}});
    let webviz = json!({
        "savedProps": {"Note!a": {"noteText": "x"}, "map!b": {"zoomLevel": 9, "center": {"lat": 1, "lon": 2}}},
        "layout": {"direction": "row", "first": "Note!a", "second": "map!b"},
        "userNodes": scripts, "globalVariables": {}, "linkedGlobalVariables": [{"topic": "/t", "markerKeyPath": ["id"], "name": "v"}],
        "playbackConfig": {"speed": 1, "messageOrder": "headerStamp"}, "version": 19,
    });
    let opened = opened(&webviz.to_string());
    // files of one program may hold panels of the other
    assert_eq!(opened.layout.panels["map!b"].kind, "map");
    assert_eq!(exported(&opened.layout, Dialect::Webviz), webviz);
    let written = roadreel::layout::export(&opened.layout, Dialect::Foxglove).unwrap();
    assert_eq!(super::json(&written.text)["userNodes"], scripts);
    let lost: Vec<&str> = written.report.around.lost.iter().map(|noted| noted.key.as_str()).collect();
    assert_eq!(
        lost,
        [
            "/linkedGlobalVariables/0/topic",
            "/linkedGlobalVariables/0/markerKeyPath",
            "/linkedGlobalVariables/0/name",
            "/playbackConfig/messageOrder"
        ]
    );
    let rviz = super::opened(&format!(
        "# Visualization Manager:\n{}",
        super::mapped::rich_rviz(json!({"Class": "rviz/Orbit"}))
    ));
    let told = roadreel::layout::export(&rviz.layout, Dialect::Foxglove).unwrap().report.text();
    assert!(told.contains("what only RViz knows is left out"), "{told}");
}

#[test]
fn what_another_program_cannot_say_is_told_also_of_panels_that_it_knows() {
    let text = with_panel(Dialect::Foxglove, "Plot!a", &json!({"paths": [{"value": "/a.x"}], "odd": 1}));
    let mut layout = opened(&text).layout;
    layout.panels["Plot!a"].config["cursors"] = json!([1, 2]);
    let written = roadreel::layout::export(&layout, Dialect::Foxglove).unwrap();
    assert!(
        written.report.text().contains("cursors: Foxglove has no such setting"),
        "{}",
        written.report.text()
    );
    assert_eq!(
        super::json(&written.text)["configById"]["Plot!a"],
        json!({"paths": [{"value": "/a.x"}], "odd": 1})
    );
}

#[test]
fn what_is_not_shared_is_told() {
    let url = "https://tiles.example/{z}/{x}/{y}.png?key=SECRET";
    let text = with_panel(Dialect::Foxglove, "map!a", &json!({"layer": "custom", "customTileUrl": url}));
    let written = roadreel::layout::export(&opened(&text).layout, Dialect::Roadreel).unwrap();
    assert!(!written.text.contains("SECRET"));
    let lost: Vec<&str> = written.report.around.lost.iter().map(|noted| noted.key.as_str()).collect();
    assert_eq!(
        lost,
        [
            "/panels/map!a/config/custom_tiles",
            "/origin/document/configById/map!a/customTileUrl"
        ]
    );
    assert!(!written.report.is_silent() && !written.report.text().contains("SECRET"));
}

#[test]
fn what_is_written_can_be_opened_or_is_refused() {
    let with_text = |bytes: usize| opened(&with_panel(Dialect::Foxglove, "Note!a", &json!({"noteText": "y".repeat(bytes)}))).layout;
    let written = roadreel::layout::export(&with_text(1 << 20), Dialect::Roadreel).unwrap();
    assert_eq!(opened(&written.text).layout.panels.len(), 1);
    // the text stands there twice: once as ours, once as theirs
    let refused = roadreel::layout::export(&with_text(3 << 20), Dialect::Roadreel)
        .unwrap_err()
        .to_string();
    assert!(refused.contains("6.00 MiB"), "{refused}");
}
