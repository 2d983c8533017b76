//! The table of message types that have a form, and the small forms: scans, grids, diagnostics.
//!
//! Invariant: a type counts by its name *and* by its fields; one that only bears the name stays a tree.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use indexmap::IndexMap;

use super::annotations::AnnotationsShape;
use super::bind::{Binding, Want, slice_at, struct_of, text_at};
use super::camera::{CameraShape, CompressedShape};
use super::cloud::CloudShape;
use super::features::{FeaturesShape, geojson};
use super::geo::GeoShape;
use super::geometry::{PoseShape, PosesShape, TransformsShape, header_at, pose_at};
use super::log::LogShape;
use super::markers::MarkersShape;
use super::objects::ObjectsShape;
use super::plan::Plan;
use super::reader::Reader;
use super::{DecodeError, Decoded, DiagnosticStatus, Form, Grid, GridUpdate, Scalar, Scan};

/// How one type's messages become their form.
#[derive(Debug)]
pub(super) enum Shape {
    Camera(CameraShape),
    Compressed(CompressedShape),
    Cloud(CloudShape),
    Scan(Binding<7>),
    Transforms(TransformsShape),
    Markers(MarkersShape),
    Objects(ObjectsShape),
    Poses(PosesShape),
    Pose(PoseShape),
    Grid(GridShape),
    GridUpdate(Binding<6>),
    Diagnostics(DiagnosticsShape),
    Log(LogShape),
    Fix(GeoShape),
    Features(FeaturesShape),
    Annotations(AnnotationsShape),
}

impl Shape {
    pub fn of(plan: &Plan, type_name: &str) -> Option<Shape> {
        Some(match type_name {
            "sensor_msgs/Image" => Shape::Camera(CameraShape::of(plan)?),
            "sensor_msgs/CompressedImage" => Shape::Compressed(CompressedShape::of(plan)?),
            "sensor_msgs/PointCloud2" => Shape::Cloud(CloudShape::of(plan)?),
            "sensor_msgs/LaserScan" => Shape::Scan(scan_binding(plan)?),
            "tf2_msgs/TFMessage" | "tf/tfMessage" => Shape::Transforms(TransformsShape::array(plan)?),
            "geometry_msgs/TransformStamped" => Shape::Transforms(TransformsShape::single(plan)?),
            "visualization_msgs/Marker" => Shape::Markers(MarkersShape::single(plan)?),
            "visualization_msgs/MarkerArray" => Shape::Markers(MarkersShape::array(plan)?),
            "derived_object_msgs/ObjectWithCovarianceArray" | "derived_object_msgs/ObjectArray" => Shape::Objects(ObjectsShape::of(plan)?),
            "nav_msgs/Path" => Shape::Poses(PosesShape::path(plan)?),
            "geometry_msgs/PoseArray" => Shape::Poses(PosesShape::array(plan)?),
            "geometry_msgs/PoseStamped" => Shape::Pose(PoseShape::stamped(plan)?),
            "geometry_msgs/PoseWithCovarianceStamped" => Shape::Pose(PoseShape::with_covariance(plan)?),
            "nav_msgs/Odometry" => Shape::Pose(PoseShape::odometry(plan)?),
            "nav_msgs/OccupancyGrid" => Shape::Grid(GridShape::of(plan)?),
            "map_msgs/OccupancyGridUpdate" => Shape::GridUpdate(grid_update_binding(plan)?),
            "diagnostic_msgs/DiagnosticArray" => Shape::Diagnostics(DiagnosticsShape::of(plan)?),
            "rosgraph_msgs/Log" => Shape::Log(LogShape::ros1(plan)?),
            "rcl_interfaces/Log" => Shape::Log(LogShape::rcl(plan)?),
            "foxglove_msgs/Log" => Shape::Log(LogShape::foxglove(plan)?),
            "std_msgs/String" => Shape::Log(LogShape::text(plan)?),
            "sensor_msgs/NavSatFix" => Shape::Fix(GeoShape::nav_sat(plan)?),
            "gps_common/GPSFix" | "gps_msgs/GPSFix" => Shape::Fix(GeoShape::gps(plan)?),
            "geographic_msgs/GeoPoint" => Shape::Fix(GeoShape::point(plan)?),
            "geographic_msgs/GeoPointStamped" => Shape::Fix(GeoShape::point_stamped(plan)?),
            "geographic_msgs/GeoPose" => Shape::Fix(GeoShape::pose(plan)?),
            "geographic_msgs/GeoPoseStamped" => Shape::Fix(GeoShape::pose_stamped(plan)?),
            "foxglove_msgs/LocationFix" => Shape::Fix(GeoShape::location(plan)?),
            "geographic_msgs/GeoPath" => Shape::Features(FeaturesShape::path(plan)?),
            "foxglove_msgs/GeoJSON" => Shape::Features(FeaturesShape::json(plan, "geojson")?),
            table if table.starts_with("table/") => GeoShape::row(plan)
                .map(Shape::Fix)
                .or_else(|| AnnotationsShape::row(plan).map(Shape::Annotations))
                .or_else(|| LogShape::row(plan).map(Shape::Log))?,
            _ => Shape::Annotations(AnnotationsShape::of(plan)?),
        })
    }

    pub fn form(&self) -> Form {
        match self {
            Shape::Camera(_) | Shape::Compressed(_) => Form::Image,
            Shape::Cloud(_) => Form::Cloud,
            Shape::Scan(_) => Form::Scan,
            Shape::Transforms(_) => Form::Transforms,
            Shape::Markers(_) | Shape::Objects(_) => Form::Markers,
            Shape::Poses(_) => Form::Poses,
            Shape::Pose(_) => Form::Pose,
            Shape::Grid(_) => Form::Grid,
            Shape::GridUpdate(_) => Form::GridUpdate,
            Shape::Diagnostics(_) => Form::Diagnostics,
            Shape::Log(_) => Form::Log,
            Shape::Fix(_) => Form::Fix,
            Shape::Features(_) => Form::Features,
            Shape::Annotations(_) => Form::Annotations,
        }
    }

    /// A form beside its own, which only its content tells.
    pub fn decode_as(&self, form: Form, plan: &Plan, payload: &Bytes) -> Option<Result<Decoded, DecodeError>> {
        match (form, self) {
            (Form::Features, Shape::Log(shape)) if shape.is_text() => {
                let line = shape.decode(plan, payload);
                Some(line.and_then(|line| geojson(&line.text)).map(Decoded::Features))
            }
            _ => None,
        }
    }

    pub fn decode(&self, plan: &Plan, payload: &Bytes) -> Result<Decoded, DecodeError> {
        match self {
            Shape::Camera(shape) => shape.decode(plan, payload).map(Decoded::Image),
            Shape::Compressed(shape) => shape.decode(plan, payload).map(Decoded::Image),
            Shape::Cloud(shape) => shape.decode(plan, payload).map(Decoded::Cloud),
            Shape::Scan(binding) => scan(binding, plan, payload).map(Decoded::Scan),
            Shape::Transforms(shape) => shape.decode(plan, payload).map(Decoded::Transforms),
            Shape::Markers(shape) => shape.decode(plan, payload).map(Decoded::Markers),
            Shape::Objects(shape) => shape.decode(plan, payload).map(Decoded::Markers),
            Shape::Poses(shape) => shape.decode(plan, payload).map(Decoded::Poses),
            Shape::Pose(shape) => shape.decode(plan, payload).map(Decoded::Pose),
            Shape::Grid(shape) => shape.decode(plan, payload).map(Decoded::Grid),
            Shape::GridUpdate(binding) => grid_update(binding, plan, payload).map(Decoded::GridUpdate),
            Shape::Diagnostics(shape) => shape.decode(plan, payload).map(Decoded::Diagnostics),
            Shape::Log(shape) => shape.decode(plan, payload).map(Decoded::Log),
            Shape::Fix(shape) => shape.decode(plan, payload).map(Decoded::Fix),
            Shape::Features(shape) => shape.decode(plan, payload).map(Decoded::Features),
            Shape::Annotations(shape) => shape.decode(plan, payload).map(Decoded::Annotations),
        }
    }
}

fn scan_binding(plan: &Plan) -> Option<Binding<7>> {
    let f32 = Want::Scalar(Scalar::F32);
    let (min, step, near, far) = (("angle_min", f32), ("angle_increment", f32), ("range_min", f32), ("range_max", f32));
    let (ranges, intensities) = (("ranges", Want::Numbers(Scalar::F32)), ("intensities", Want::Numbers(Scalar::F32)));
    Binding::new(
        plan,
        plan.root,
        [("header", Want::Header), min, step, near, far, ranges, intensities],
    )
}

fn scan(binding: &Binding<7>, plan: &Plan, payload: &Bytes) -> Result<Scan, DecodeError> {
    let [header, angle_min, angle_increment, range_min, range_max, ranges, intensities] =
        binding.locate(plan, &mut Reader::new(payload))?;
    let f32_at = |offset| Reader::starting_at(payload, offset).f32();
    Ok(Scan {
        header: header_at(payload, header)?,
        angle_min: f32_at(angle_min)?,
        angle_increment: f32_at(angle_increment)?,
        range_min: f32_at(range_min)?,
        range_max: f32_at(range_max)?,
        ranges: slice_at(payload, ranges, 4)?,
        intensities: slice_at(payload, intensities, 4)?,
    })
}

#[derive(Debug)]
pub(super) struct GridShape {
    message: Binding<3>,
    info: Binding<4>,
}

impl GridShape {
    fn of(plan: &Plan) -> Option<GridShape> {
        let message = Binding::new(
            plan,
            plan.root,
            [("header", Want::Header), ("info", Want::Struct), ("data", Want::Bytes)],
        )?;
        let (width, height) = (("width", Want::Scalar(Scalar::U32)), ("height", Want::Scalar(Scalar::U32)));
        let wants = [("resolution", Want::Scalar(Scalar::F32)), width, height, ("origin", Want::Pose)];
        Some(GridShape {
            message,
            info: Binding::new(plan, struct_of(plan, plan.root, "info")?, wants)?,
        })
    }

    fn decode(&self, plan: &Plan, payload: &Bytes) -> Result<Grid, DecodeError> {
        let [header, info, data] = self.message.locate(plan, &mut Reader::new(payload))?;
        let [resolution, width, height, origin] = self.info.locate(plan, &mut Reader::starting_at(payload, info))?;
        let width = Reader::starting_at(payload, width).u32()?;
        let height = Reader::starting_at(payload, height).u32()?;
        Ok(Grid {
            header: header_at(payload, header)?,
            resolution: Reader::starting_at(payload, resolution).f32()?,
            width,
            height,
            origin: pose_at(payload, origin)?,
            data: cells(slice_at(payload, data, 1)?, width, height)?,
        })
    }
}

fn grid_update_binding(plan: &Plan) -> Option<Binding<6>> {
    let (i32, u32) = (Want::Scalar(Scalar::I32), Want::Scalar(Scalar::U32));
    let wants = [
        ("header", Want::Header),
        ("x", i32),
        ("y", i32),
        ("width", u32),
        ("height", u32),
        ("data", Want::Bytes),
    ];
    Binding::new(plan, plan.root, wants)
}

fn grid_update(binding: &Binding<6>, plan: &Plan, payload: &Bytes) -> Result<GridUpdate, DecodeError> {
    let [header, x, y, width, height, data] = binding.locate(plan, &mut Reader::new(payload))?;
    let width = Reader::starting_at(payload, width).u32()?;
    let height = Reader::starting_at(payload, height).u32()?;
    Ok(GridUpdate {
        header: header_at(payload, header)?,
        x: Reader::starting_at(payload, x).i32()?,
        y: Reader::starting_at(payload, y).i32()?,
        width,
        height,
        data: cells(slice_at(payload, data, 1)?, width, height)?,
    })
}

/// Exactly width × height bytes.
fn cells(data: Bytes, width: u32, height: u32) -> Result<Bytes, DecodeError> {
    let wanted = u64::from(width) * u64::from(height);
    match usize::try_from(wanted) {
        Ok(size) if size <= data.len() => Ok(data.slice(..size)),
        _ => Err(DecodeError::NotDecodable(format!(
            "the grid claims {width} × {height} cells, but holds {}",
            data.len()
        ))),
    }
}

#[derive(Debug)]
pub(super) struct DiagnosticsShape {
    message: Binding<1>,
    status: Binding<5>,
    value: Binding<2>,
    /// Fewest bytes of a status and of a key with its value.
    min_sizes: [usize; 2],
}

impl DiagnosticsShape {
    fn of(plan: &Plan) -> Option<DiagnosticsShape> {
        let status = struct_of(plan, plan.root, "status")?;
        let value = struct_of(plan, status, "values")?;
        let (level, name, message) = (("level", Want::Byte), ("name", Want::Text), ("message", Want::Text));
        let wants = [level, name, message, ("hardware_id", Want::Text), ("values", Want::Structs)];
        Some(DiagnosticsShape {
            message: Binding::new(plan, plan.root, [("status", Want::Structs)])?,
            status: Binding::new(plan, status, wants)?,
            value: Binding::new(plan, value, [("key", Want::Text), ("value", Want::Text)])?,
            min_sizes: [plan.types.get(status)?.min_size, plan.types.get(value)?.min_size],
        })
    }

    fn decode(&self, plan: &Plan, payload: &Bytes) -> Result<Vec<DiagnosticStatus>, DecodeError> {
        let [status] = self.message.locate(plan, &mut Reader::new(payload))?;
        let mut reader = Reader::starting_at(payload, status);
        let count = reader.count(self.min_sizes[0])?;
        (0..count).map(|_| self.status(plan, payload, &mut reader)).collect()
    }

    fn status(&self, plan: &Plan, payload: &Bytes, reader: &mut Reader) -> Result<DiagnosticStatus, DecodeError> {
        let [level, name, message, hardware_id, values] = self.status.locate(plan, reader)?;
        let mut inner = Reader::starting_at(payload, values);
        let count = inner.count(self.min_sizes[1])?;
        let mut pairs = IndexMap::with_capacity(count);
        let mut repeated: HashMap<Arc<str>, usize> = HashMap::new();
        for _ in 0..count {
            let [key, value] = self.value.locate(plan, &mut inner)?;
            let (mut key, value) = (text_at(payload, key)?, text_at(payload, value)?);
            // both are shown of a key that comes twice
            if pairs.contains_key(&key) {
                let times = repeated.entry(key.clone()).or_insert(1);
                *times += 1;
                key = format!("{key} ({times})").into();
            }
            pairs.insert(key, value);
        }
        Ok(DiagnosticStatus {
            level: Reader::starting_at(payload, level).u8()?,
            name: text_at(payload, name)?,
            message: text_at(payload, message)?,
            hardware_id: text_at(payload, hardware_id)?,
            values: pairs,
        })
    }
}
