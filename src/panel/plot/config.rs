//! What a layout stores of a plot.
//!
//! Invariant: what some other version wrote survives.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::panel::stamps::StampKind;
use crate::render::Colormap;
use crate::store::Stamp;

/// What a layout stores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Config {
    /// Empty: named after its series.
    pub title: String,
    pub series: Vec<SeriesConfig>,
    pub x_axis: XAxis,
    /// What x is of, where that is a path; of each series that has none of its own.
    pub x_path: String,
    /// A unit is as long on either axis, where x is a path: ways and shapes keep their form.
    pub equal_scale: bool,
    /// Next to the axes; empty: none.
    pub x_label: String,
    pub y_label: String,
    pub y: YRange,
    pub y_right: YRange,
    /// x grows to the left.
    pub flip_x: bool,
    /// Values grow downwards.
    pub flip_y: bool,
    /// The visible window moves with the playhead while playing.
    pub follow: bool,
    pub follow_window_secs: f64,
    /// Shares its visible time range with all other plots that do.
    pub sync_x: bool,
    pub legend: bool,
    pub legend_place: LegendPlace,
    /// Figures of the visible span beside the legend's names.
    pub statistics: bool,
    /// Two times in seconds from the start, to measure between.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursors: Option<[f64; 2]>,
    /// Bars of the histogram.
    pub bins: usize,
    pub background: Background,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            title: String::new(),
            series: Vec::new(),
            x_axis: XAxis::default(),
            x_path: String::new(),
            equal_scale: false,
            x_label: String::new(),
            y_label: String::new(),
            y: YRange::Auto,
            y_right: YRange::Auto,
            flip_x: false,
            flip_y: false,
            follow: false,
            follow_window_secs: 10.0,
            sync_x: true,
            legend: true,
            legend_place: LegendPlace::default(),
            statistics: false,
            cursors: None,
            bins: 60,
            background: Background::default(),
            extra: Map::new(),
        }
    }
}

impl Config {
    pub fn x_path_of<'a>(&'a self, series: &'a SeriesConfig) -> &'a str {
        if series.x_path.is_empty() { &self.x_path } else { &series.x_path }
    }

    pub fn is_equally_scaled(&self) -> bool {
        self.equal_scale && self.x_axis.is_path()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct SeriesConfig {
    /// A message path, or an expression over some: see [`crate::path`]. A number is a reference line.
    pub path: String,
    /// What x is of, where that is a path; empty: the plot's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub x_path: String,
    /// Empty: named after its path.
    pub label: String,
    /// `#rrggbb`; none: the next of the theme's series colours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    pub visible: bool,
    pub line_width: f32,
    pub style: Style,
    pub stamp: StampKind,
    /// What the time of the values is, where that is a path of the same message.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stamp_path: String,
    pub axis: Side,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Default for SeriesConfig {
    fn default() -> SeriesConfig {
        SeriesConfig {
            path: String::new(),
            x_path: String::new(),
            label: String::new(),
            color: None,
            visible: true,
            line_width: 1.5,
            style: Style::default(),
            stamp: StampKind::Receive,
            stamp_path: String::new(),
            axis: Side::Left,
            extra: Map::new(),
        }
    }
}

impl SeriesConfig {
    pub fn stamp(&self) -> Stamp {
        self.stamp.stamp(&self.stamp_path)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum XAxis {
    /// Seconds from the recording's start.
    #[default]
    FromStart,
    /// Time of day, UTC.
    Clock,
    /// Number of the value in the newest message.
    Index,
    /// The values of `x_path`, all that are loaded.
    Path,
    /// The values of `x_path` in the newest message.
    CurrentPath,
    /// Amplitude spectrum of the visible time, in hertz.
    Frequency,
    /// Histogram of the visible time.
    Value,
}

impl XAxis {
    pub const ALL: [(XAxis, &'static str, &'static str); 7] = [
        (XAxis::FromStart, "Time from start", "Seconds from the recording's start"),
        (XAxis::Clock, "Clock", "Time of day, UTC"),
        (XAxis::Path, "Another path", "Values against the values of a path"),
        (
            XAxis::CurrentPath,
            "Another path, newest message",
            "Arrays of the newest messages against each other",
        ),
        (
            XAxis::Index,
            "Index, newest message",
            "An array of the newest message, element by element",
        ),
        (XAxis::Frequency, "Frequency", "Spectrum of the visible time"),
        (XAxis::Value, "Value", "Histogram of the visible time"),
    ];

    /// Of values, for a sentence.
    pub fn what_is_computed(self) -> &'static str {
        match self {
            XAxis::Frequency => "spectrum",
            XAxis::Value => "histogram",
            _ => "curve",
        }
    }

    /// Whether x is what a path leads to.
    pub fn is_path(self) -> bool {
        matches!(self, XAxis::Path | XAxis::CurrentPath)
    }

    pub fn is_time(self) -> bool {
        matches!(self, XAxis::FromStart | XAxis::Clock)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "mode", rename_all = "snake_case")]
pub enum YRange {
    /// Fits what is visible.
    #[default]
    Auto,
    Manual {
        min: f64,
        max: f64,
    },
    /// The upper end fits what is visible.
    From {
        min: f64,
    },
    /// The lower end fits what is visible.
    UpTo {
        max: f64,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    #[default]
    Left,
    Right,
}

/// Colours the time behind the series by a value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Background {
    /// A message path, or an expression over some; empty: none.
    pub path: String,
    /// Along its range; none: each value in a colour of its own, as states.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colormap: Option<Colormap>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Where the series' names stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LegendPlace {
    #[default]
    Top,
    Bottom,
    Left,
    Right,
    /// Over the plot, in a corner.
    Inside,
}

impl LegendPlace {
    pub const ALL: [(LegendPlace, &'static str); 5] = [
        (LegendPlace::Top, "Above"),
        (LegendPlace::Bottom, "Below"),
        (LegendPlace::Left, "Left"),
        (LegendPlace::Right, "Right"),
        (LegendPlace::Inside, "Inside"),
    ];
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// A line, with dots where they are far apart, in steps where all values are 0 or 1.
    #[default]
    Auto,
    Line,
    LineDots,
    Dots,
    /// Each value holds until the next.
    Steps,
    /// Each value has held since the one before.
    StepsBefore,
    Sticks,
}

impl Style {
    pub const ALL: [(Style, &'static str); 7] = [
        (Style::Auto, "Automatic"),
        (Style::Line, "Line"),
        (Style::LineDots, "Line and dots"),
        (Style::Dots, "Dots"),
        (Style::Steps, "Steps"),
        (Style::StepsBefore, "Steps before"),
        (Style::Sticks, "Sticks"),
    ];
}
