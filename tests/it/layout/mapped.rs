//! What a report calls mapped has an effect: change the key, and the panel is another one.

use roadreel::layout::{Dialect, Layout, Mapped, PanelReport};
use serde_json::{Value, json};

use super::{SAMPLES, opened, sample, understood, with_panel};

/// What else a value might be.
fn others(value: &Value) -> Vec<Value> {
    const WORDS: [&str; 33] = [
        "/another/topic.x",
        "another_frame",
        "#12ab34",
        "headerStamp",
        "receiveTime",
        "index",
        "timestamp",
        "flat",
        "rgb",
        "gradient",
        "rainbow",
        "turbo",
        "colormap",
        "circle",
        "square",
        "follow-none",
        "follow-pose",
        "previous message",
        "custom",
        "background",
        "<",
        "satellite",
        "none",
        "row",
        "column",
        "XYPlot",
        "Dots",
        "|",
        "-",
        "FlatColor",
        "true",
        "left",
        "top",
    ];
    match value {
        Value::Bool(flag) => vec![(!flag).into()],
        Value::Number(number) => {
            let number = number.as_f64().unwrap();
            [number * 0.5 + 1.0, 1.0, 2.0, 3.0, 4.0, 90.0, 0.0].map(Value::from).into()
        }
        Value::String(text) => {
            let number = text.parse::<f64>().ok().map(|number| Value::from((number * 0.5 + 1.0).to_string()));
            let sizes = text.contains(';').then(|| Value::from("0.9;0.02;0.02;0.06"));
            let words = WORDS.iter().map(|word| Value::from(*word));
            number
                .into_iter()
                .chain(sizes)
                .chain(words)
                .chain([Value::Bool(false), Value::Null, "Lines".into()])
                .collect()
        }
        Value::Array(list) if !list.is_empty() && list.iter().all(Value::is_number) => {
            vec![list.iter().map(|n| Value::from(n.as_f64().unwrap() + 1.0)).collect()]
        }
        Value::Array(_) => vec![json!([]), json!(["another"])],
        Value::Object(_) => vec![json!({})],
        Value::Null => vec![json!(1), json!("x")],
    }
}

fn seen(layout: &Layout, id: &str) -> Value {
    let panel = layout.panels.get(id).and_then(|panel| understood(&panel.kind, &panel.config));
    json!({
        "panel": panel,
        "root": layout.root,
        "variables": layout.variables,
        "playback": layout.playback,
    })
}

#[track_caller]
pub fn assert_effective(document: &Value, at: &str, panel: &PanelReport, write: &dyn Fn(&Value) -> String) -> usize {
    let before = seen(&opened(&write(document)).layout, &panel.id);
    for Mapped { key, to } in &panel.mapped {
        let pointer = format!("{at}{key}");
        let value = document.pointer(&pointer).unwrap_or_else(|| panic!("{pointer}"));
        // `false`, or the frame that is followed
        let frame = key.ends_with("/followTf").then(|| json!("another_frame"));
        let has_effect = others(value).into_iter().chain(frame).filter(|other| other != value).any(|other| {
            let mut changed = document.clone();
            *changed.pointer_mut(&pointer).unwrap() = other;
            let layout = roadreel::layout::open(&write(&changed)).map(|opened| opened.layout);
            layout.is_ok_and(|layout| seen(&layout, &panel.id) != before)
        });
        assert!(has_effect, "{}: {key} is called mapped to {to} and has no effect", panel.id);
    }
    panel.mapped.len()
}

fn escape(id: &str) -> String {
    id.replace('~', "~0").replace('/', "~1")
}

#[test]
fn each_mapped_key_of_the_samples_has_an_effect() {
    let mut keys = 0;
    for name in SAMPLES.iter().filter(|name| name.ends_with(".json")) {
        let Some(text) = sample(name) else { return };
        let document = super::json(&text);
        let report = opened(&text).report;
        let configs = ["savedProps", "configById"]
            .into_iter()
            .find(|key| document.get(key).is_some())
            .unwrap();
        for panel in &report.panels {
            keys += assert_effective(&document, &format!("/{configs}/{}", escape(&panel.id)), panel, &Value::to_string);
        }
        keys += assert_effective(&document, "", &report.around, &Value::to_string);
    }
    assert!(keys > 200, "{keys}");
}

#[test]
fn each_mapped_key_of_rviz_has_an_effect() {
    // JSON is YAML
    let write = |document: &Value| format!("# Visualization Manager:\n{document}");
    for name in ["rviz2_default.rviz", "rviz_all_ros1.rviz"] {
        let Some(text) = sample(name) else { return };
        let opened = opened(&text);
        let document = opened.layout.origin.unwrap().document;
        for panel in &opened.report.panels {
            assert_effective(&document, "", panel, &write);
        }
    }
}

/// A document of PlotJuggler's as XML.
pub fn element(name: &str, value: &Value) -> String {
    let map = value.as_object().unwrap();
    let quoted = |value: &Value| match value {
        Value::String(text) => text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;"),
        other => other.to_string(),
    };
    let attributes = map
        .iter()
        .filter_map(|(key, value)| Some(format!(" {}=\"{}\"", key.strip_prefix('@')?, quoted(value))));
    let attributes: String = attributes.collect();
    let inside = map.iter().filter(|(key, _)| !key.starts_with(['@', '#']));
    let inside: String = inside
        .flat_map(|(key, list)| list.as_array().unwrap().iter().map(|value| element(key, value)).collect::<Vec<_>>())
        .collect();
    format!("<{name}{attributes}>{inside}</{name}>")
}

#[test]
fn each_mapped_key_of_plotjuggler_has_an_effect() {
    let write = |document: &Value| element("root", document);
    let Some(text) = sample("plotjuggler_longitudinal.xml") else {
        return;
    };
    let opened = opened(&text);
    let document = opened.layout.origin.unwrap().document;
    for panel in opened.report.panels.iter().chain([&opened.report.around]) {
        assert_effective(&document, "", panel, &write);
    }
}

/// Displays of all kinds, in groups that are shown and not, with all keys that have a meaning here.
pub fn rich_rviz(view: Value) -> Value {
    let cloud = |more: Value| {
        let mut cloud = json!({"Class": "rviz/PointCloud2", "Enabled": true, "Topic": "/p", "Style": "Points", "Size (Pixels)": 3, "Size (m)": 0.1,
            "Decay Time": 1, "Alpha": 0.5});
        cloud.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        cloud
    };
    let displays = json!([
        {"Class": "rviz/Grid", "Enabled": false, "Cell Size": 5, "Color": "1; 2; 3"},
        {"Class": "rviz/Grid", "Enabled": true, "Cell Size": 2, "Color": "160; 160; 164", "Alpha": 0.5},
        {"Class": "rviz/Grid", "Enabled": true, "Cell Size": 7, "Color": "4; 5; 6"},
        {"Class": "rviz/TF", "Enabled": true, "Show Axes": true, "Show Names": false, "Show Arrows": true, "Marker Scale": 2,
            "Frames": {"All Enabled": false, "base_link": {"Value": false}, "map": {"Value": true}}},
        cloud(json!({"Color Transformer": "Intensity", "Channel Name": "ring", "Use rainbow": true, "Autocompute Intensity Bounds": false,
            "Min Intensity": 1, "Max Intensity": 9})),
        cloud(json!({"Topic": "/axis", "Style": "Spheres", "Color Transformer": "AxisColor", "Axis": "X",
            "Autocompute Value Bounds": {"Value": false, "Min Value": 0, "Max Value": 3}})),
        cloud(json!({"Topic": {"Value": "/flat", "Depth": 5}, "Color Transformer": "FlatColor", "Color": "255; 0; 0"})),
        cloud(json!({"Topic": "/own", "Color Transformer": "RGB8", "Color": "255; 0; 0"})),
        cloud(json!({"Topic": "twice", "Enabled": false, "Color Transformer": "FlatColor", "Color": "255; 0; 0"})),
        cloud(json!({"Topic": "/twice", "Color Transformer": "FlatColor", "Color": "0; 255; 0"})),
        cloud(json!({"Topic": "/twice", "Color Transformer": "FlatColor", "Color": "0; 0; 255"})),
        {"Class": "rviz/Map", "Enabled": true, "Topic": "/map", "Alpha": 0.7, "Color Scheme": "costmap"},
        {"Class": "rviz/MarkerArray", "Enabled": true, "Marker Topic": "/markers", "Namespaces": {"lanes": false, "cars": true}},
        {"Class": "rviz/Odometry", "Enabled": true, "Topic": "/odom", "Shape": {"Color": "9; 8; 7", "Alpha": 0.4, "Shaft Length": 1, "Head Length": 0.3}},
        {"Class": "rviz/Path", "Enabled": true, "Topic": "/plan", "Line Style": "Billboards", "Line Width": 0.3, "Color": "25; 255; 0", "Alpha": 1},
        {"Class": "rviz/Path", "Enabled": true, "Topic": "/thin", "Line Style": "Lines", "Line Width": 0.3},
        {"Class": "rviz/Group", "Name": "shown", "Enabled": true, "Displays": [
            {"Class": "rviz/Pose", "Enabled": true, "Topic": "/pose", "Color": "255; 25; 0", "Shaft Length": 1},
            {"Class": "rviz/Group", "Name": "empty", "Enabled": true, "Displays": []},
        ]},
        {"Class": "rviz/Group", "Name": "hidden", "Enabled": false, "Displays": [
            {"Class": "rviz/Pose", "Enabled": true, "Topic": "/behind", "Color": "255; 25; 0"},
            {"Class": "rviz/Image", "Enabled": true, "Image Topic": "/behind/image", "Name": "Behind"},
        ]},
        {"Class": "rviz/Image", "Enabled": true, "Image Topic": "/thermal", "Name": "Thermal", "Normalize Range": false, "Min Value": 1, "Max Value": 90},
        {"Class": "rviz/Camera", "Enabled": true, "Image Topic": "/front", "Name": "Thermal"},
        {"Class": "rviz/Image", "Enabled": false, "Image Topic": "/off", "Name": "Off"},
    ]);
    json!({"Visualization Manager": {"Displays": displays,
        "Global Options": {"Fixed Frame": "odom", "Background Color": "48; 48; 48", "Frame Rate": 30},
        "Views": {"Current": view}}})
}

#[test]
fn each_mapped_key_of_rich_displays_has_an_effect() {
    let orbit = json!({"Class": "rviz/Orbit", "Distance": 12, "Focal Point": {"X": 1, "Y": 2, "Z": 3}, "Yaw": 1, "Pitch": 0.5, "Field of View": 0.7, "Target Frame": "base_link"});
    let behind = json!({"Class": "rviz_default_plugins/ThirdPersonFollower", "Distance": 12, "Yaw": 1, "Pitch": 0.5, "Target Frame": "<Fixed Frame>"});
    let above = json!({"Class": "rviz/TopDownOrtho", "X": 3, "Y": 4, "Scale": 20, "Angle": 0.3, "Target Frame": "map"});
    let eye = json!({"Class": "rviz/FPS", "Position": {"X": 1, "Y": 2, "Z": 3}, "Yaw": 1, "Pitch": 0.2});
    for view in [orbit, behind, above, eye] {
        let document = rich_rviz(view);
        let write = |document: &Value| format!("# Visualization Manager:\n{document}");
        let report = opened(&write(&document)).report;
        let ids: Vec<&str> = report.panels.iter().map(|panel| panel.id.as_str()).collect();
        assert_eq!(ids, ["3D", "Thermal", "Thermal 2"]);
        for panel in &report.panels {
            assert_effective(&document, "", panel, &write);
        }
        assert_eq!(report.around.mapped, []);
    }
}

#[test]
fn rviz_looks_from_where_it_looked() {
    let eye = json!({"Class": "rviz/FPS", "Position": {"X": 1, "Y": 2, "Z": 3}, "Yaw": 0.7, "Pitch": 0.2});
    let layout = opened(&format!("# Visualization Manager:\n{}", rich_rviz(eye))).layout;
    let config = layout.panels["3D"].config["camera"].clone();
    let config: roadreel::panel::scene3d::CameraConfig = serde_json::from_value(config).unwrap();
    let eye = config.to_camera().eye();
    assert!((eye - glam::dvec3(1.0, 2.0, 3.0)).length() < 1e-4, "{eye}");
}

/// Splits, tabs and curves with all keys that have a meaning here.
pub const RICH_PLOTJUGGLER: &str = r##"<root><tabbed_widget name="Main Window">
    <Tab tab_name="Motion"><Container><DockSplitter orientation="|" sizes="0.3;0.7" count="2">
        <DockArea name="a"><plot mode="TimeSeries" style="LinesAndDots" line_width="2" flip_x="false" flip_y="true">
            <range left="0" right="10" bottom="-1" top="2"/><limitY min="-3" max="4"/>
            <curve name="/imu/accel/x" color="#ff0000"><transform name="Moving Average"><options value="7"/></transform></curve>
            <curve name="/imu/accel/y" color="#00ff00"><transform name="Scale/Offset"><options value_scale="2" value_offset="1" time_offset="3"/></transform></curve>
            <curve name="/imu/accel/z"><transform name="Derivative"/></curve>
            <curve name="/imu/accel/w"><transform name="Sorcery"/></curve>
        </plot></DockArea>
        <DockSplitter orientation="-" sizes="0.5;0.5" count="2">
            <DockArea><plot mode="XYPlot" style="Dots"><curve name="xy" curve_x="/odom/pose/x" curve_y="/odom/pose/y" color="#123456"/><curve name="gps" curve_x="/gps/x" curve_y="/gps/y"/></plot></DockArea>
            <DockArea><plot style="Lines"><range bottom="0" top="1"/></plot></DockArea>
        </DockSplitter>
    </DockSplitter></Container></Tab>
    <Tab tab_name="Alone"><Container><DockSplitter orientation="-" sizes="1" count="1"><DockArea><plot mode="TimeSeries"><curve name="/a/b"/></plot></DockArea></DockSplitter></Container></Tab>
    <currentTabIndex index="1"/></tabbed_widget></root>"##;

#[test]
fn each_mapped_key_of_rich_plots_has_an_effect() {
    let opened = opened(RICH_PLOTJUGGLER);
    let document = opened.layout.origin.unwrap().document;
    let write = |document: &Value| element("root", document);
    assert_eq!(opened.report.panels.len(), 4);
    for panel in opened.report.panels.iter().chain([&opened.report.around]) {
        assert_effective(&document, "", panel, &write);
    }
}

/// One panel of each type with all keys that have a meaning here.
pub fn rich() -> Vec<(Dialect, &'static str, Value)> {
    use Dialect::{Foxglove, Webviz};
    let series = json!([
        {"value": "/a.x", "enabled": true, "timestampMethod": "receiveTime", "label": "A", "color": "#4e98e2", "lineSize": 2, "showLine": true},
        {"value": "/b.y[0].@derivative", "enabled": false, "timestampMethod": "headerStamp", "color": "rgba(1, 2, 3, 1)"},
        {"value": "/c.z", "timestampMethod": "customField", "timestampPath": "/c.measured_at"},
        {"value": "12.5"},
    ]);
    let camera = |unit: f64| {
        json!({"distance": 31.5, "perspective": true, "phi": 40.0 / unit, "thetaOffset": 12.0 / unit, "target": [0, 0, 0],
            "targetOffset": [1, 2, 3], "targetOrientation": [0, 0, 0, 1], "fovy": 50.0 / unit, "near": 0.1, "far": 1000})
    };
    vec![
        (
            Webviz,
            "3D Panel!w",
            json!({
                "checkedKeys": ["name:Topics", "t:/points", "t:/tf", "ns:/markers:lanes", "t:/markers", "t:/pose"],
                "expandedKeys": ["name:Topics"], "followTf": "base_link", "followOrientation": true,
                "cameraState": camera(180.0 / std::f64::consts::PI), "modifiedNamespaceTopics": ["/markers"],
                "settingsByKey": {
                    "t:/points": {"colorMode": {"mode": "rainbow", "colorField": "ring", "minValue": 1, "maxValue": 9}, "pointSize": 3, "pointShape": "square", "decayTime": 2},
                    "t:/pose": {"overrideColor": {"r": 1, "g": 0.5, "b": 0, "a": 0.5}, "size": {"shaftWidth": 2}},
                    "t:/grid": {"alpha": 0.5, "colorMode": {"mode": "flat", "flatColor": {"r": 0, "g": 0.2, "b": 1, "a": 1}}},
                },
                "pinTopics": false, "autoTextBackgroundColor": true,
            }),
        ),
        (
            Webviz,
            "3D Panel!free",
            json!({"checkedKeys": ["t:/a"], "followTf": false, "cameraState": {"target": [5, 6, 7], "targetOffset": [1, 1, 1], "perspective": false, "distance": 60}}),
        ),
        (
            Webviz,
            "3D Panel!old",
            json!({"checkedNodes": ["/velodyne", "name:Topics"], "topicSettings": {"/velodyne": {"pointSize": 4}}}),
        ),
        (
            Webviz,
            "ImageViewPanel!w",
            json!({"cameraTopic": "/cam/image", "scale": 0.2, "mode": "fit", "offset": [0, 0]}),
        ),
        (
            Foxglove,
            "ImageViewPanel!f",
            json!({"cameraTopic": "/cam/image", "rotation": 90, "flipHorizontal": true, "flipVertical": false, "smooth": true, "minValue": 1, "maxValue": 200}),
        ),
        (
            Foxglove,
            "Plot!f",
            json!({"title": "T", "paths": series, "minYValue": -3, "maxYValue": 4.5, "showLegend": true, "legendDisplay": "top", "showPlotValuesInLegend": true,
                "isSynced": false, "xAxisVal": "custom", "xAxisPath": {"value": "/c.z", "enabled": true}, "xAxisLabel": "x", "yAxisLabel": "y",
                "followingViewWidth": 7, "minXValue": 1, "sidebarDimension": 240}),
        ),
        (
            Webviz,
            "Plot!w",
            json!({"paths": series, "minYValue": "-3", "maxYValue": "4.5", "showLegend": false, "xAxisVal": "timestamp", "followingViewWidth": ""}),
        ),
        (
            Foxglove,
            "Plot!floating",
            json!({"paths": series, "showLegend": true, "legendDisplay": "floating"}),
        ),
        (
            Foxglove,
            "Plot!bare",
            json!({"paths": series, "showLegend": true, "legendDisplay": "none"}),
        ),
        (
            Webviz,
            "Table!w",
            json!({"topicPath": "/t.rows[:]", "columnConfigs": {
                "id": {"hidden": true, "width": 80},
                "pose": {"isExpanded": true, "hidden": false},
                "speed": {"conditionalFormats": [
                    {"id": "a", "comparator": ">", "primitive": 3.5, "color": "#ff0000"},
                    {"id": "b", "comparator": "~", "primitive": "slow", "color": "#00ff00"}]}}}),
        ),
        (
            Foxglove,
            "Plot!named",
            json!({"foxglovePanelTitle": "Named", "title": "", "paths": []}),
        ),
        (
            Webviz,
            "RawMessages!a",
            json!({"topicPath": "/a.b[0]", "diffEnabled": true, "diffMethod": "custom", "diffTopicPath": "/c", "showFullMessageForDiff": false}),
        ),
        (
            Foxglove,
            "RawMessagesVirtual!b",
            json!({"topicPath": "/a", "diffEnabled": true, "diffMethod": "previous message", "diffTopicPath": "/c", "expansion": "all"}),
        ),
        (
            Foxglove,
            "RawMessages!c",
            json!({"topicPath": "\"odd topic\".x", "diffEnabled": false, "diffMethod": "custom"}),
        ),
        (
            Foxglove,
            "StateTransitions!a",
            json!({"isSynced": true, "paths": [{"value": "/s.a", "label": "L", "enabled": false, "timestampMethod": "headerStamp"}, {"value": "/s.b", "timestampMethod": "customField", "timestampPath": "/s.at"}]}),
        ),
        (Foxglove, "Plot!from", json!({"paths": [{"value": "/a.x"}], "minYValue": -3})),
        (
            Webviz,
            "Plot!upto",
            json!({"paths": [{"value": "/a.x"}], "minYValue": "", "maxYValue": "4.5"}),
        ),
        (
            Webviz,
            "RosOut!w",
            json!({"searchTerms": ["a.b", "(x)"], "minLogLevel": 4, "topicToRender": "/rosout"}),
        ),
        (
            Foxglove,
            "RosOut!f",
            json!({"searchTerms": ["err"], "minLogLevel": 3, "topicToRender": "/log", "nameFilter": {"/a": {"visible": false}, "/b": {"visible": true}}}),
        ),
        (
            Foxglove,
            "DiagnosticSummary!a",
            json!({"minLevel": 1, "pinnedIds": ["|hw|name|"], "hardwareIdFilter": "h", "topicToRender": "/diag", "sortByLevel": true, "secondsUntilStale": 3}),
        ),
        (
            Foxglove,
            "DiagnosticStatusPanel!a",
            json!({"selectedHardwareId": "h", "selectedName": "n", "topicToRender": "/diag", "splitFraction": 0.5, "collapsedSections": []}),
        ),
        (Foxglove, "Table!a", json!({"topicPath": "/t.rows[:]"})),
        (Webviz, "Note!a", json!({"noteText": "hello"})),
        (
            Foxglove,
            "map!a",
            json!({"center": {"lat": 1.5, "lon": 103.8}, "zoomLevel": 12, "layer": "satellite", "customTileUrl": "https://t.example/{z}/{x}/{y}", "followTopic": "/gps", "disabledTopics": ["/other/fix"], "topicColors": {"/gps": "#ff8800", "/odd": "mauve"}}),
        ),
        (
            Foxglove,
            "Gauge!a",
            json!({"path": "/g.v", "minValue": 1, "maxValue": 5, "colorMap": "red-yellow-green", "colorMode": "colormap", "reverse": true, "gradient": ["#0000ff", "#ff00ff"]}),
        ),
        (
            Foxglove,
            "Gauge!two",
            json!({"path": "/g.v", "colorMode": "gradient", "gradient": ["#0000ff", "rgba(255, 0, 255, 1)"], "reverse": true}),
        ),
        (Foxglove, "Gauge!b", json!({"path": "/g.v", "colorMap": "turbo", "reverse": false})),
        (
            Foxglove,
            "Indicator!a",
            json!({"path": "/i.v", "style": "background", "fallbackColor": "#a0a0a0", "fallbackLabel": "Off", "rules": [{"operator": "=", "rawValue": "true", "color": "#68e24a", "label": "On"}, {"operator": ">=", "rawValue": "3", "color": "#ff0000", "label": "High"}]}),
        ),
        (
            Webviz,
            "GlobalVariableSliderPanel!a",
            json!({"sliderProps": {"min": 0, "max": 12, "step": 0.5}, "globalVariableName": "v"}),
        ),
        (
            Webviz,
            "GlobalVariableDropdownPanel!a",
            json!({"topicPath": "/a.ids[:]", "globalVariableName": "v"}),
        ),
        (
            Foxglove,
            "Image!f",
            json!({"imageMode": {"imageTopic": "/cam", "calibrationTopic": "/info", "rotation": 180, "flipHorizontal": true, "flipVertical": true, "brightness": 60, "contrast": 30,
                "minValue": 0, "maxValue": 4000, "colorMode": "colormap", "colorMap": "rainbow", "annotations": {"/an": {"visible": true}}}, "topics": {"/p": {"visible": true}}}),
        ),
        (
            Foxglove,
            "3D!f",
            json!({
                "cameraState": camera(1.0), "followTf": "map", "followMode": "follow-position",
                "scene": {"backgroundColor": "#000000", "transforms": {"showLabel": false, "axisScale": 3, "lineWidth": 2}},
                "transforms": {"frame:map": {"visible": true}, "frame:/odd": {"visible": false}},
                "layers": {
                    "hidden": {"layerId": "foxglove.Grid", "visible": false, "size": 99},
                    "g": {"layerId": "foxglove.Grid", "visible": true, "size": 30, "divisions": 15, "color": "#248eff"},
                    "u": {"layerId": "foxglove.Urdf"},
                },
                "topics": {
                    "/cloud": {"visible": true, "pointSize": 2.5, "pointShape": "circle", "decayTime": 1, "colorMode": "colormap", "colorField": "intensity", "colorMap": "turbo", "minValue": 0, "maxValue": 100, "explicitAlpha": 0.8},
                    "/two": {"visible": true, "colorMode": "gradient", "colorField": "z", "gradient": ["#ffffff", "#000000"]},
                    "/flat": {"visible": false, "colorMode": "flat", "flatColor": "#ff00aa80"},
                    "/own": {"visible": true, "colorMode": "rgba", "colorField": "rgba"},
                    "/markers": {"visible": true, "namespaces": {"a": {"visible": false}, "b": {"visible": true}}},
                    "/pose": {"visible": true, "type": "arrow", "arrowScale": [2, 0.15, 0.15], "axisScale": 1, "color": "#00ff00"},
                    "/axes": {"visible": true, "axisScale": 3},
                    "/path": {"visible": true, "lineWidth": 0.2, "color": "rgba(255, 0, 0, 0.5)"},
                    "/map": {"visible": true, "alpha": 0.25, "colorMode": "map"},
                    "/costs": {"visible": true, "colorMode": "costmap"},
                },
                "publish": {"type": "point"}, "imageMode": {},
            }),
        ),
        (
            Foxglove,
            "3D!none",
            json!({"followMode": "follow-none", "layers": {}, "cameraState": {"perspective": false, "distance": 100, "thetaOffset": 90}}),
        ),
    ]
}

#[test]
fn each_mapped_key_of_rich_panels_has_an_effect() {
    for (dialect, id, config) in rich() {
        let write = |config: &Value| with_panel(dialect, id, config);
        let report = opened(&write(&config)).report;
        let [panel] = report.panels.as_slice() else { panic!("{id}") };
        assert!(!panel.mapped.is_empty() && panel.ours.is_some(), "{id}");
        assert_effective(&config, "", panel, &write);
    }
}

/// All that is made of `given` is in what the panel understood.
#[track_caller]
fn assert_within(given: &Value, understood: &Value, at: &str) {
    match (given, understood) {
        (Value::Object(given), Value::Object(understood)) => {
            for (key, value) in given {
                // what says nothing is left out
                let says_nothing = value.as_f64() == Some(0.0) || value.as_array().is_some_and(Vec::is_empty);
                let Some(other) = understood.get(key) else {
                    assert!(says_nothing, "{at}/{key} means nothing to the panel: {value}");
                    continue;
                };
                assert_within(value, other, &format!("{at}/{key}"));
            }
        }
        (Value::Array(given), Value::Array(understood)) => {
            assert_eq!(given.len(), understood.len(), "{at}");
            for (index, (given, understood)) in given.iter().zip(understood).enumerate() {
                assert_within(given, understood, &format!("{at}/{index}"));
            }
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!((a - b).abs() <= 1e-6 * a.abs().max(1.0), "{at}: {a} {b}");
        }
        (given, understood) => assert_eq!(given, understood, "{at}"),
    }
}

#[test]
fn panels_understand_all_that_imports_make() {
    // an unknown key would be kept by the panel's own map of unknown keys
    let fresh = |kind: &str| understood(kind, &json!({"a key that nobody knows": 1})).unwrap();
    let layouts = SAMPLES
        .iter()
        .filter_map(|name| sample(name))
        .chain(rich().into_iter().map(|(dialect, id, config)| with_panel(dialect, id, &config)));
    for text in layouts {
        for (id, panel) in opened(&text).layout.panels {
            let Some(understood) = understood(&panel.kind, &panel.config) else {
                continue;
            };
            assert_within(&panel.config, &understood, &id);
            let schema = (roadreel::workspace::kind(&panel.kind).unwrap().schema)().to_value();
            let known = schema["properties"].as_object().unwrap();
            for key in panel.config.as_object().unwrap().keys() {
                assert!(
                    known.contains_key(key),
                    "{id}: {} has no key {key} (it has {:?})",
                    panel.kind,
                    fresh(&panel.kind)
                );
            }
        }
    }
}

#[test]
fn a_message_path_is_mapped_as_a_whole() {
    for (path, topic, part) in [
        ("/all.items[:]{id==4}", "/all", "items[:]{id == 4}"),
        ("/all.items[1:2].label", "/all", "items[1:2].label"),
        ("/all{items[:].id == 3}", "/all", "@this{items[:].id == 3}"),
        ("/q.orientation.@rpy.yaw", "/q", "orientation.@yaw"),
        ("/all.items[:]{id=4}", "/all", "items[:]{id=4}"),
        ("/a.b[0]", "/a", "b[0]"),
    ] {
        let layout = opened(&with_panel(Dialect::Foxglove, "RawMessages!p", &json!({ "topicPath": path }))).layout;
        let config = &layout.panels["RawMessages!p"].config;
        assert_eq!((&config["topic"], &config["part"]), (&json!(topic), &json!(part)), "{path}");
    }
}
