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
fn assert_effective(document: &Value, at: &str, panel: &PanelReport, write: &dyn Fn(&Value) -> String) -> usize {
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

#[test]
fn each_mapped_key_of_plotjuggler_has_an_effect() {
    fn element(name: &str, value: &Value) -> String {
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

/// One panel of each type with all keys that have a meaning here.
pub fn rich() -> Vec<(Dialect, &'static str, Value)> {
    use Dialect::{Foxglove, Webviz};
    let series = json!([
        {"value": "/a.x", "enabled": true, "timestampMethod": "receiveTime", "label": "A", "color": "#4e98e2", "lineSize": 2, "showLine": true},
        {"value": "/b.y[0].@derivative", "enabled": false, "timestampMethod": "headerStamp", "color": "rgba(1, 2, 3, 1)"},
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
            json!({"isSynced": true, "paths": [{"value": "/s.a", "label": "L", "timestampMethod": "headerStamp"}, {"value": "/s.b"}]}),
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
            json!({"center": {"lat": 1.5, "lon": 103.8}, "zoomLevel": 12, "layer": "satellite", "customTileUrl": "https://t.example/{z}/{x}/{y}", "followTopic": "/gps", "disabledTopics": [], "topicColors": {}}),
        ),
        (
            Foxglove,
            "Gauge!a",
            json!({"path": "/g.v", "minValue": 1, "maxValue": 5, "colorMap": "red-yellow-green", "colorMode": "colormap", "reverse": true, "gradient": ["#0000ff", "#ff00ff"]}),
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
                "transforms": {"frame:map": {"visible": true}},
                "layers": {"g": {"layerId": "foxglove.Grid", "visible": true, "size": 10}, "u": {"layerId": "foxglove.Urdf"}},
                "topics": {
                    "/cloud": {"visible": true, "pointSize": 2.5, "pointShape": "circle", "decayTime": 1, "colorMode": "colormap", "colorField": "intensity", "colorMap": "turbo", "minValue": 0, "maxValue": 100, "explicitAlpha": 0.8},
                    "/two": {"visible": true, "colorMode": "gradient", "colorField": "z", "gradient": ["#ffffff", "#000000"]},
                    "/flat": {"visible": false, "colorMode": "flat", "flatColor": "#ff00aa80"},
                    "/own": {"visible": true, "colorMode": "rgba", "colorField": "rgba"},
                    "/markers": {"visible": true, "namespaces": {"a": {"visible": false}, "b": {"visible": true}}},
                    "/pose": {"visible": true, "type": "arrow", "arrowScale": [2, 0.15, 0.15], "axisScale": 1, "color": "#00ff00"},
                    "/axes": {"visible": true, "axisScale": 3},
                    "/path": {"visible": true, "lineWidth": 0.2, "color": "rgba(255, 0, 0, 0.5)"},
                    "/map": {"visible": true, "alpha": 0.25},
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
