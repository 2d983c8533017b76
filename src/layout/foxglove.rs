//! Foxglove and Lichtblick.

mod scene;
mod topic;

use serde_json::json;

use super::instruments::{GAUGE, IMAGE, IMAGE_VIEW, INDICATOR, MAP, SLIDER};
use super::plots::{NONE, PLOT, STATES};
use super::rule::{Codec, Rule, key};
use super::studio::{PanelType, Studio};
use super::tables::TABLE;
use super::texts::{DIAGNOSTIC, DIAGNOSTICS, LOG_OF_FOXGLOVE, NOTE, RAW};
use super::{Dialect, variables, webviz};
use scene::SCENE;

pub static FOXGLOVE: Studio = Studio {
    dialect: Dialect::Foxglove,
    configs: "configById",
    panels: &[
        panel(&["3D"], "scene3d", SCENE),
        panel(&["3D Panel"], "scene3d", webviz::SCENE),
        panel(&["Image"], "image", IMAGE),
        panel(&["ImageViewPanel"], "image", IMAGE_VIEW),
        panel(&["Plot"], "plot", PLOT),
        panel(&["RawMessages", "RawMessagesVirtual"], "raw", RAW),
        panel(&["StateTransitions"], "states", STATES),
        panel(&["RosOut", "Log"], "log", LOG_OF_FOXGLOVE),
        panel(&["Table"], "table", TABLE),
        panel(&["map"], "map", MAP),
        panel(&["DiagnosticSummary"], "diagnostics", DIAGNOSTICS),
        panel(&["DiagnosticStatusPanel"], "diagnostics", DIAGNOSTIC),
        panel(&["Gauge"], "gauge", GAUGE),
        panel(&["Indicator"], "indicator", INDICATOR),
        panel(&["Note"], "note", NOTE),
        panel(&["Global", "GlobalVariables"], "variables", NONE),
        panel(&["GlobalVariableSliderPanel"], "variables", SLIDER),
        panel(&["TopicGraph"], "topic_graph", NONE),
        panel(&["SourceInfo"], "source_info", NONE),
    ],
    around: &[
        key("/playbackConfig/speed", "/playback/speed", Codec::Number),
        Rule::Group(&variables::GROUP),
    ],
    newest: 1,
    empty: || {
        json!({
            "configById": {},
            "globalVariables": {},
            "userNodes": {},
            "playbackConfig": {"speed": 1},
            "layout": null
        })
    },
};

const fn panel(theirs: &'static [&'static str], ours: &'static str, rules: &'static [Rule]) -> PanelType {
    PanelType { theirs, ours, rules }
}
