//! Layouts: our own format, and those of other programs.

#[cfg(feature = "gui")]
#[path = "layout/aws.rs"]
mod aws;
#[path = "layout/commands.rs"]
mod commands;
#[path = "layout/compared.rs"]
mod compared;
#[path = "layout/fitted.rs"]
mod fitted;
#[cfg(feature = "gui")]
#[path = "layout/generated.rs"]
mod generated;
#[path = "layout/hostile.rs"]
mod hostile;
#[cfg(feature = "gui")]
#[path = "layout/mapped.rs"]
mod mapped;
#[path = "layout/own.rs"]
mod own;
#[path = "layout/reports.rs"]
mod reports;
#[cfg(feature = "gui")]
#[path = "layout/written.rs"]
mod written;

use roadreel::layout::{Dialect, Opened, export, open};
use serde_json::Value;

use crate::data::data;

/// All that people brought.
const SAMPLES: [&str; 9] = [
    "lichtblick_DefaultMultipleThreeDee.json",
    "lichtblick_PointcloudMultipleThreeDee.json",
    "lichtblick_SinewaveSinglePlot.json",
    "lichtblick_nuscenes.json",
    "plotjuggler_longitudinal.xml",
    "rviz2_default.rviz",
    "rviz_all_ros1.rviz",
    "webviz_aws_layout_v16.json",
    "webviz_demo_layout.json",
];

fn sample(name: &str) -> Option<String> {
    let path = data(&format!("layouts/{name}"))?;
    Some(std::fs::read_to_string(path).expect("a text"))
}

#[track_caller]
fn opened(text: &str) -> Opened {
    open(text).unwrap_or_else(|error| panic!("{error}"))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// What a layout is in another format.
#[track_caller]
fn exported(layout: &roadreel::layout::Layout, to: Dialect) -> Value {
    json(&export(layout, to).unwrap_or_else(|error| panic!("{error}")).text)
}

/// A layout with one panel.
fn with_panel(dialect: Dialect, id: &str, config: &Value) -> String {
    let configs = match dialect {
        Dialect::Foxglove => "configById",
        _ => "savedProps",
    };
    serde_json::json!({configs: {id: config}, "layout": id, "globalVariables": {}}).to_string()
}

/// Through the panel: what it understood of a configuration.
#[cfg(feature = "gui")]
fn understood(kind: &str, config: &Value) -> Option<Value> {
    let kind = roadreel::workspace::kind(kind)?;
    Some((kind.create)(config).config())
}
