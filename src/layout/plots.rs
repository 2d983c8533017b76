//! Plots and state transitions as Webviz and its descendants store them.

use serde_json::{Value, json};

use super::rule::{Codec, Group, Plain, Rule, key, key_or};
use super::value::{self, number, put, remove};

const STAMPS: Codec = Codec::Words(&[("receiveTime", "receive"), ("headerStamp", "header"), ("customField", "path")]);

pub static PLOT: &[Rule] = &[
    Rule::Group(&TITLE),
    Rule::Each {
        theirs: "/paths",
        ours: "/series",
        by: "/path",
        rules: SERIES,
    },
    key_or(
        "/xAxisVal",
        "/x_axis",
        Codec::Words(&[
            ("timestamp", "from_start"),
            ("index", "index"),
            ("custom", "path"),
            ("currentCustom", "current_path"),
        ]),
        Plain::Text("from_start"),
    ),
    key("/xAxisPath/value", "/x_path", Codec::Text),
    key("/xAxisLabel", "/x_label", Codec::Text),
    key("/yAxisLabel", "/y_label", Codec::Text),
    Rule::Group(&Y_RANGE),
    Rule::Group(&LEGEND),
    key("/showPlotValuesInLegend", "/statistics", Codec::Bool),
    key("/isSynced", "/sync_x", Codec::Bool),
    Rule::Group(&FOLLOW),
];

static SERIES: &[Rule] = &[
    key("/value", "/path", Codec::Text),
    key_or("/enabled", "/visible", Codec::Bool, Plain::Bool(true)),
    key_or("/timestampMethod", "/stamp", STAMPS, Plain::Text("receive")),
    key("/timestampPath", "/stamp_path", Codec::Text),
    key("/label", "/label", Codec::Text),
    key("/color", "/color", Codec::Color),
    key("/lineSize", "/line_width", Codec::Number),
    key("/showLine", "/style", Codec::Own(read_style, write_style)),
];

fn read_style(show_line: &Value) -> Option<Value> {
    Some(if show_line.as_bool()? { "auto" } else { "dots" }.into())
}

fn write_style(style: &Value) -> Option<Value> {
    match style.as_str()? {
        "auto" | "line" | "line_dots" => Some(true.into()),
        "dots" => Some(false.into()),
        _ => None,
    }
}

/// Under three names, by program.
pub static TITLE: Group = Group {
    ours: &["/title"],
    read: |reader| {
        let said = TITLES
            .iter()
            .find(|key| value::text(reader.value, key).is_some_and(|title| !title.is_empty()));
        match said.and_then(|key| reader.text(key, "/title")) {
            Some(title) => json!({ "title": title }),
            None => Value::Null,
        }
    },
    write: |now, theirs| {
        let said = TITLES.iter().find(|key| theirs.pointer(key).is_some()).unwrap_or(&"/title");
        put(theirs, said, value::text(now, "/title").unwrap_or_default().into());
        true
    },
};

const TITLES: [&str; 3] = ["/lichtblickPanelTitle", "/foxglovePanelTitle", "/title"];

static Y_RANGE: Group = Group {
    ours: &["/y"],
    read: |reader| {
        let end = |key: &str| {
            let is_said = reader.value.pointer(key).and_then(value::as_number).is_some();
            is_said.then(|| reader.number(key, "/y")).flatten().map(value::of_number)
        };
        match (end("/minYValue"), end("/maxYValue")) {
            (Some(min), Some(max)) => json!({"y": {"mode": "manual", "min": min, "max": max}}),
            (Some(min), None) => json!({"y": {"mode": "from", "min": min}}),
            (None, Some(max)) => json!({"y": {"mode": "up_to", "max": max}}),
            (None, None) => json!({"y": {"mode": "auto"}}),
        }
    },
    write: |now, theirs| {
        for (ours, key) in [("/y/min", "/minYValue"), ("/y/max", "/maxYValue")] {
            let was_text = theirs.pointer(key).is_some_and(Value::is_string);
            match number(now, ours) {
                Some(end) if was_text => put(theirs, key, value::of_number(end).to_string().into()),
                Some(end) => put(theirs, key, value::of_number(end)),
                None if was_text => put(theirs, key, "".into()),
                None => drop(remove(theirs, key)),
            }
        }
        true
    },
};

/// Theirs, ours; below and on the right there is none of theirs.
const LEGEND_PLACES: Codec = Codec::Words(&[("floating", "inside"), ("top", "top"), ("left", "left")]);

static LEGEND: Group = Group {
    ours: &["/legend", "/legend_place"],
    read: |reader| {
        if value::text(reader.value, "/legendDisplay") == Some("none") {
            reader.mark("/legendDisplay", "/legend");
            return json!({"legend": false});
        }
        let shown = reader.flag("/showLegend", "/legend").unwrap_or(true);
        match reader.take("/legendDisplay", "/legend_place", LEGEND_PLACES) {
            Some(place) => json!({"legend": shown, "legend_place": place}),
            None => json!({"legend": shown}),
        }
    },
    write: |now, theirs| {
        let shown = value::flag(now, "/legend").unwrap_or(true);
        put(theirs, "/showLegend", shown.into());
        let place = now.pointer("/legend_place").filter(|_| shown);
        match place.map(|place| LEGEND_PLACES.write(place)) {
            Some(Some(place)) => put(theirs, "/legendDisplay", place),
            Some(None) => return false,
            None if shown && value::text(theirs, "/legendDisplay") == Some("none") => put(theirs, "/legendDisplay", "floating".into()),
            None => {}
        }
        true
    },
};

static FOLLOW: Group = Group {
    ours: &["/follow", "/follow_window_secs"],
    read: |reader| match reader.value.pointer("/followingViewWidth").and_then(value::as_number) {
        Some(width) if width > 0.0 => {
            reader.mark("/followingViewWidth", "/follow_window_secs");
            json!({"follow": true, "follow_window_secs": value::of_number(width)})
        }
        _ => json!({"follow": false}),
    },
    write: |now, theirs| {
        match value::flag(now, "/follow").unwrap_or(false) {
            true => put(
                theirs,
                "/followingViewWidth",
                value::of_number(number(now, "/follow_window_secs").unwrap_or(10.0)),
            ),
            false => drop(remove(theirs, "/followingViewWidth")),
        }
        true
    },
};

pub static STATES: &[Rule] = &[
    Rule::Each {
        theirs: "/paths",
        ours: "/paths",
        by: "/path",
        rules: &[
            key("/value", "/path", Codec::Text),
            key("/label", "/label", Codec::Text),
            key_or("/enabled", "/visible", Codec::Bool, Plain::Bool(true)),
            key_or("/timestampMethod", "/stamp", STAMPS, Plain::Text("receive")),
            key("/timestampPath", "/stamp_path", Codec::Text),
            key("/timestampPath", "/stamp_path", Codec::Text),
        ],
    },
    key("/isSynced", "/sync_x", Codec::Bool),
];

/// For the types that hold nothing of which we make use.
pub static NONE: &[Rule] = &[];
