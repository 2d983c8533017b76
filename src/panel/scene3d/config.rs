//! What a layout stores of a 3D panel.
//!
//! Invariant: what this version does not know survives a round trip, for the panel and for each topic.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::render::{Camera, Colormap, FOV_Y_RADIANS, Projection};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Config {
    /// By topic name, in the order of drawing.
    pub topics: IndexMap<String, TopicConfig>,
    /// Frame in which everything is drawn; none chooses the recording's best root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed_frame: Option<String>,
    pub follow: Follow,
    /// Frame that the camera follows; none chooses the vehicle's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow_frame: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub camera: Option<CameraConfig>,
    pub grid: bool,
    /// sRGB; None: the look's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grid_color: Option<[u8; 3]>,
    /// Between the ground grid's lines; None: as the distance asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grid_cell_metres: Option<f64>,
    /// sRGB; None: the look's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background: Option<[u8; 3]>,
    pub frames: FramesConfig,
    #[serde(flatten)]
    pub unknown: serde_json::Map<String, Value>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            topics: IndexMap::new(),
            fixed_frame: None,
            follow: Follow::Position,
            follow_frame: None,
            camera: None,
            grid: true,
            grid_color: None,
            grid_cell_metres: None,
            background: None,
            frames: FramesConfig::default(),
            unknown: serde_json::Map::new(),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Follow {
    Off,
    #[default]
    Position,
    /// The camera turns with the frame.
    Heading,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct FramesConfig {
    pub axes: bool,
    pub names: bool,
    pub links: bool,
    pub axis_metres: f32,
    /// Frames of which nothing is drawn.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<String>,
}

impl Default for FramesConfig {
    fn default() -> FramesConfig {
        FramesConfig {
            axes: true,
            names: true,
            links: true,
            axis_metres: 0.6,
            hidden: Vec::new(),
        }
    }
}

/// The target is relative to the followed frame's position (or to the fixed frame where nothing is followed).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct CameraConfig {
    pub target: [f64; 3],
    pub distance: f64,
    /// Counter-clockwise from the x axis: where it looks.
    pub yaw_degrees: f64,
    /// How far it looks down.
    pub pitch_degrees: f64,
    pub top_down: bool,
    /// Between the bottom and the top of the picture.
    #[serde(skip_serializing_if = "is_usual_fov")]
    pub fov_degrees: f64,
}

fn is_usual_fov(degrees: &f64) -> bool {
    *degrees == CameraConfig::default().fov_degrees
}

impl Default for CameraConfig {
    fn default() -> CameraConfig {
        CameraConfig::from_camera(&Camera {
            target: glam::DVec3::new(4.0, 0.0, 0.0),
            distance: 34.0,
            yaw: 0.35,
            pitch: 0.52,
            projection: Projection::Perspective,
            fov_y_radians: FOV_Y_RADIANS,
        })
    }
}

impl CameraConfig {
    pub fn from_camera(camera: &Camera) -> CameraConfig {
        // Rounded: a layout file is read by people and compared by version control.
        let round = |v: f64| (v * 1e4).round() / 1e4;
        CameraConfig {
            target: camera.target.to_array().map(round),
            distance: camera.distance,
            yaw_degrees: round(camera.yaw.to_degrees()),
            pitch_degrees: round(camera.pitch.to_degrees()),
            top_down: camera.projection == Projection::TopDown,
            fov_degrees: round(camera.fov_y_radians.to_degrees()),
        }
    }

    pub fn to_camera(&self) -> Camera {
        let finite = |v: f64, otherwise: f64| if v.is_finite() { v } else { otherwise };
        Camera {
            target: glam::DVec3::from_array(self.target.map(|v| finite(v, 0.0))),
            distance: finite(self.distance, 34.0).clamp(1e-4, 1e9),
            yaw: finite(self.yaw_degrees, 0.0).to_radians(),
            pitch: finite(self.pitch_degrees, 30.0).to_radians().clamp(-1.55, 1.55),
            projection: if self.top_down {
                Projection::TopDown
            } else {
                Projection::Perspective
            },
            fov_y_radians: finite(self.fov_degrees, 50.0).clamp(1.0, 170.0).to_radians(),
        }
    }
}

/// Settings of one topic. All kinds of layers share them; each uses what it has a use for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct TopicConfig {
    pub visible: bool,
    #[serde(skip_serializing_if = "ColorBy::is_auto")]
    pub color: ColorBy,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<PointSize>,
    pub round: bool,
    /// Seconds for which older messages stay.
    #[serde(skip_serializing_if = "is_zero")]
    pub decay_secs: f64,
    /// 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f32>,
    /// Length of pose arrows and width of lines, in metres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale_metres: Option<f32>,
    /// How a grid's cells are coloured.
    #[serde(skip_serializing_if = "CellLook::is_auto")]
    pub cells: CellLook,
    /// Marker namespaces that are hidden.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hidden_namespaces: Vec<String>,
    /// No other marker namespaces are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only_namespaces: Option<Vec<String>>,
    #[serde(flatten)]
    pub unknown: serde_json::Map<String, Value>,
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

impl Default for TopicConfig {
    fn default() -> TopicConfig {
        TopicConfig {
            visible: true,
            color: ColorBy::Auto,
            size: None,
            round: true,
            decay_secs: 0.0,
            alpha: None,
            scale_metres: None,
            cells: CellLook::Auto,
            hidden_namespaces: Vec::new(),
            only_namespaces: None,
            unknown: serde_json::Map::new(),
        }
    }
}

impl TopicConfig {
    pub fn shows_namespace(&self, name: &str) -> bool {
        let is_named = |list: &[String]| list.iter().any(|namespace| namespace == name);
        self.only_namespaces.as_deref().is_none_or(is_named) && !is_named(&self.hidden_namespaces)
    }

    pub fn show_namespace(&mut self, name: &str, shown: bool) {
        self.hidden_namespaces.retain(|hidden| hidden != name);
        match &mut self.only_namespaces {
            Some(only) => only.retain(|namespace| namespace != name),
            None if !shown => self.hidden_namespaces.push(name.to_owned()),
            None => {}
        }
        if let Some(only) = self.only_namespaces.as_mut().filter(|_| shown) {
            only.push(name.to_owned());
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CellLook {
    /// By the topic's name.
    #[default]
    Auto,
    Map,
    Costmap,
}

impl CellLook {
    pub const ALL: [(CellLook, &'static str); 3] = [
        (CellLook::Auto, "Automatic"),
        (CellLook::Map, "Map"),
        (CellLook::Costmap, "Costmap"),
    ];

    fn is_auto(&self) -> bool {
        *self == CellLook::Auto
    }
}

/// Diameter of points.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PointSize {
    Px(f32),
    Metres(f32),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColorBy {
    /// Its own colours, else intensity, else the best field.
    #[default]
    Auto,
    Flat {
        rgb: [u8; 3],
    },
    /// The packed `rgb` or `rgba` field.
    Rgb,
    Field {
        name: String,
        #[serde(default)]
        colormap: Colormap,
        /// Lowest and highest value; none takes them from each message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        range: Option<[f32; 2]>,
    },
}

impl ColorBy {
    fn is_auto(&self) -> bool {
        *self == ColorBy::Auto
    }
}
