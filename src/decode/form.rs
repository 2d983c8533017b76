//! What panels draw: the closed set of forms that a message can take.
//!
//! Units are ROS's (metres, radians, seconds); positions and rotations are in the frame that `frame_id` names (REP 103, 105).

use std::sync::Arc;

use bytes::Bytes;
use glam::{DQuat, DVec3};
use indexmap::IndexMap;

use crate::time::Time;

/// The shapes that messages are decoded into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    /// The message as a tree; every decodable message has it.
    Value,
    /// sensor_msgs/Image, CompressedImage.
    Image,
    /// sensor_msgs/PointCloud2.
    Cloud,
    /// sensor_msgs/LaserScan.
    Scan,
    /// tf2_msgs/TFMessage, tf/tfMessage, geometry_msgs/TransformStamped.
    Transforms,
    /// visualization_msgs/Marker, MarkerArray; derived_object_msgs arrays as boxes (after a marker that deletes all).
    Markers,
    /// nav_msgs/Path, geometry_msgs/PoseArray.
    Poses,
    /// geometry_msgs/PoseStamped, PoseWithCovarianceStamped, nav_msgs/Odometry.
    Pose,
    /// nav_msgs/OccupancyGrid.
    Grid,
    /// map_msgs/OccupancyGridUpdate.
    GridUpdate,
    /// diagnostic_msgs/DiagnosticArray.
    Diagnostics,
    /// rosgraph_msgs/Log, rcl_interfaces/Log, foxglove_msgs/Log, std_msgs/String.
    Log,
    /// sensor_msgs/NavSatFix, gps_common/GPSFix, geographic_msgs.
    Fix,
    /// geographic_msgs/GeoPath, foxglove_msgs/GeoJSON; std_msgs/String that holds GeoJSON, where that is asked for.
    Features,
    /// Boxes and lane points in pixels of a picture: rows of tables and messages that list them.
    Annotations,
    /// When messages were received: of any topic, read in bulk, from the recording's index where that tells.
    Arrivals,
    /// Header stamps and sizes: of any topic with a definition, read in bulk.
    Stamps,
    /// Which frames headers name: of any topic with a definition, read in bulk.
    Frames,
    /// Messages as they were recorded: of any topic with a definition, read in bulk; large ones are left out and counted.
    Messages,
}

impl Form {
    /// Whether the state at T is folded from all messages up to T, not just the newest.
    pub fn accumulates(self) -> bool {
        matches!(
            self,
            Form::Transforms | Form::Markers | Form::Grid | Form::GridUpdate | Form::Diagnostics
        )
    }
}

#[derive(Clone, Debug)]
pub enum Decoded {
    Value(Value),
    Image(Image),
    Cloud(Cloud),
    Scan(Scan),
    Transforms(Vec<TransformStamped>),
    Markers(Vec<Marker>),
    Poses(Poses),
    Pose(PoseStamped),
    Grid(Grid),
    GridUpdate(GridUpdate),
    Diagnostics(Vec<DiagnosticStatus>),
    Log(LogLine),
    Fix(Fix),
    Features(super::Features),
    Annotations(super::Annotations),
}

impl Decoded {
    /// Of forms that stand at one place in space.
    pub fn header(&self) -> Option<&Header> {
        match self {
            Decoded::Image(image) => Some(&image.header),
            Decoded::Cloud(cloud) => Some(&cloud.header),
            Decoded::Scan(scan) => Some(&scan.header),
            Decoded::Poses(poses) => Some(&poses.header),
            Decoded::Pose(pose) => Some(&pose.header),
            Decoded::Grid(grid) => Some(&grid.header),
            _ => None,
        }
    }
}

/// A decoded message or a part of it. Field names are shared with the schema.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A truth value or a whole number that a table lacks.
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    F32(f32),
    F64(f64),
    String(Arc<str>),
    Time {
        sec: u32,
        nsec: u32,
    },
    Duration {
        sec: i32,
        nsec: i32,
    },
    /// `uint8[]`, `char[]`: a slice of the message.
    Bytes(Bytes),
    /// An array of any other scalar, little-endian: a slice of the message.
    Numbers {
        kind: Scalar,
        data: Bytes,
    },
    Array(Vec<Value>),
    Struct {
        names: Arc<[Arc<str>]>,
        values: Vec<Value>,
    },
}

/// Scalar types of arrays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scalar {
    Bool,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
}

/// `std_msgs/Header` without its sequence number.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    pub stamp: Time,
    pub frame_id: Arc<str>,
}

/// A picture ready for the GPU.
#[derive(Clone, Debug)]
pub struct Image {
    pub header: Header,
    pub width: u32,
    pub height: u32,
    /// As the message spells it: `rgb8`, `mono16`, `jpeg` …
    pub encoding: Arc<str>,
    pub pixels: Pixels,
}

#[derive(Clone, Debug)]
pub enum Pixels {
    /// 4 bytes a pixel, sRGB, no padding: width × height × 4.
    Rgba8(Bytes),
    /// One value a pixel (mono16, 16UC1, 32FC1 …); the panel maps a range to grey or colour.
    Gray(Arc<[f32]>),
}

/// PointCloud2: its bytes as they came, and where each field lies in a point.
#[derive(Clone, Debug)]
pub struct Cloud {
    pub header: Header,
    pub height: u32,
    pub width: u32,
    pub fields: Arc<[PointField]>,
    pub is_bigendian: bool,
    /// Bytes from one point to the next, and from one row to the next.
    pub point_step: u32,
    pub row_step: u32,
    /// A slice of the message; at least the rows and points that the reader has checked fit.
    pub data: Bytes,
    pub is_dense: bool,
    /// What the message claimed and its bytes did not bear out, as a sentence.
    pub note: Option<Arc<str>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PointField {
    pub name: Arc<str>,
    pub offset: u32,
    pub datatype: PointDatatype,
    pub count: u32,
}

/// sensor_msgs/PointField's datatype constants 1 to 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum PointDatatype {
    Int8 = 1,
    Uint8 = 2,
    Int16 = 3,
    Uint16 = 4,
    Int32 = 5,
    Uint32 = 6,
    Float32 = 7,
    Float64 = 8,
}

#[derive(Clone, Debug)]
pub struct Scan {
    pub header: Header,
    pub angle_min: f32,
    pub angle_increment: f32,
    pub range_min: f32,
    pub range_max: f32,
    /// f32 little-endian slices of the message.
    pub ranges: Bytes,
    pub intensities: Bytes,
}

/// `parent_from_child`: maps a point of the child frame into the parent (`header.frame_id`).
#[derive(Clone, Debug, PartialEq)]
pub struct TransformStamped {
    pub header: Header,
    pub child_frame_id: Arc<str>,
    pub translation: DVec3,
    /// As it was told: of any length.
    pub rotation: DQuat,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose {
    pub position: DVec3,
    pub orientation: DQuat,
}

#[derive(Clone, Debug)]
pub struct Poses {
    pub header: Header,
    pub poses: Vec<Pose>,
    /// Path: the poses are joined by a line.
    pub joined: bool,
}

#[derive(Clone, Debug)]
pub struct PoseStamped {
    pub header: Header,
    pub pose: Pose,
    /// Odometry's child frame.
    pub child_frame_id: Option<Arc<str>>,
    /// Row-major 6 × 6 where the message has one.
    pub covariance: Option<Box<[f64; 36]>>,
}

/// visualization_msgs/Marker.
#[derive(Clone, Debug)]
pub struct Marker {
    pub header: Header,
    pub ns: Arc<str>,
    pub id: i32,
    pub action: MarkerAction,
    /// The raw kind: 0 arrow, 1 cube, 2 sphere, 3 cylinder, 4 line strip, 5 line list, 6 cube list, 7 sphere list, 8 points,
    /// 9 text, 10 mesh resource, 11 triangle list.
    pub kind: i32,
    pub pose: Pose,
    pub scale: DVec3,
    /// Linear 0 to 1, red, green, blue, alpha.
    pub color: [f32; 4],
    /// 0 = for ever.
    pub lifetime_nanos: i64,
    pub frame_locked: bool,
    pub points: Arc<[[f32; 3]]>,
    pub colors: Arc<[[f32; 4]]>,
    pub text: Arc<str>,
    pub mesh_resource: Arc<str>,
    pub mesh_use_embedded_materials: bool,
}

impl Marker {
    /// The moment at which it stands in its frame: a stamp of zero is the time of its arrival.
    pub fn stamp_or(&self, received: Time) -> Time {
        if self.header.stamp == Time(0) {
            received
        } else {
            self.header.stamp
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkerAction {
    Add,
    Delete,
    DeleteAll,
}

#[derive(Clone, Debug)]
pub struct Grid {
    pub header: Header,
    /// Metres per cell.
    pub resolution: f32,
    pub width: u32,
    pub height: u32,
    /// Pose of cell (0, 0)'s corner.
    pub origin: Pose,
    /// int8, row-major, row 0 at the origin: -1 unknown, 0 free to 100 occupied. width × height bytes.
    pub data: Bytes,
}

#[derive(Clone, Debug)]
pub struct GridUpdate {
    pub header: Header,
    pub x: i32,
    pub y: i32,
    pub width: u32,
    pub height: u32,
    pub data: Bytes,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DiagnosticStatus {
    /// 0 ok, 1 warn, 2 error, 3 stale.
    pub level: u8,
    pub name: Arc<str>,
    pub message: Arc<str>,
    pub hardware_id: Arc<str>,
    pub values: IndexMap<Arc<str>, Arc<str>>,
}

/// One line of a log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    /// None where the message has none (std_msgs/String).
    pub stamp: Option<Time>,
    pub level: LogLevel,
    /// The node that wrote it; empty where that is unknown, as are `file` and `function`.
    pub node: Arc<str>,
    pub file: Arc<str>,
    pub function: Arc<str>,
    pub line: u32,
    pub text: Arc<str>,
}

/// The levels of rosgraph_msgs/Log and rcl_interfaces/Log, on one scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    #[default]
    Debug,
    Info,
    Warn,
    Error,
    Fatal,
}

impl LogLevel {
    pub const ALL: [LogLevel; 5] = [LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error, LogLevel::Fatal];

    pub fn name(self) -> &'static str {
        match self {
            LogLevel::Debug => "Debug",
            LogLevel::Info => "Info",
            LogLevel::Warn => "Warn",
            LogLevel::Error => "Error",
            LogLevel::Fatal => "Fatal",
        }
    }
}

/// A position on the globe (WGS 84).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fix {
    pub stamp: Option<Time>,
    pub latitude_deg: f64,
    pub longitude_deg: f64,
    /// Above the ellipsoid; NaN where unknown.
    pub altitude_metres: f64,
    /// sensor_msgs/NavSatStatus: -1 no fix, 0 fix, 1 with satellite-based, 2 with ground-based augmentation. None where the message
    /// has none.
    pub status: Option<i8>,
    /// East-east, east-north, north-north, up-up of the position's covariance in m²; None where unknown.
    pub covariance: Option<[f32; 4]>,
    /// Clockwise from north, where the message says so.
    pub heading_deg: Option<f32>,
    pub speed_metres_per_sec: Option<f32>,
}
