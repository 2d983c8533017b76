//! Positions on the globe: sensor_msgs/NavSatFix, GPSFix of gps_common and gps_msgs, the points and poses of geographic_msgs.
//!
//! Invariant: what a receiver writes for “unknown” (NaN, covariance type 0) comes out as unknown, never as a number.

use bytes::Bytes;

use super::bind::{Binding, Want, XYZW, struct_of};
use super::geometry::{header_at, rotation};
use super::plan::Plan;
use super::reader::Reader;
use super::{DecodeError, Fix, Scalar};
use crate::time::Time;

const GLOBE: Want = Want::Flat(&["latitude", "longitude", "altitude"], Scalar::F64);
const COVARIANCE: (&str, Want) = ("position_covariance", Want::Doubles(9));

#[derive(Debug)]
pub(super) enum GeoShape {
    NavSat {
        message: Binding<7>,
        status: Binding<1>,
    },
    Gps {
        message: Binding<9>,
        status: Binding<1>,
    },
    Location(Binding<6>),
    Point,
    PointStamped(Binding<2>),
    Pose(Binding<2>),
    PoseStamped(Binding<2>, Binding<2>),
    /// Columns of a table.
    Row {
        place: Binding<2>,
        altitude: Option<Binding<1>>,
    },
}

/// How columns of latitudes and longitudes are called.
pub const POSITION_COLUMNS: [[&str; 2]; 4] = [["latitude", "longitude"], ["lat", "lon"], ["lat", "lng"], ["Latitude", "Longitude"]];

impl GeoShape {
    pub fn nav_sat(plan: &Plan) -> Option<GeoShape> {
        let [latitude, longitude, altitude] = doubles(["latitude", "longitude", "altitude"]);
        let kind = ("position_covariance_type", Want::Byte);
        let wants = [
            ("header", Want::Header),
            ("status", Want::Struct),
            latitude,
            longitude,
            altitude,
            COVARIANCE,
            kind,
        ];
        Some(GeoShape::NavSat {
            message: Binding::new(plan, plan.root, wants)?,
            status: Binding::new(plan, struct_of(plan, plan.root, "status")?, [("status", Want::Byte)])?,
        })
    }

    pub fn gps(plan: &Plan) -> Option<GeoShape> {
        let [latitude, longitude, altitude] = doubles(["latitude", "longitude", "altitude"]);
        let [track, speed, _] = doubles(["track", "speed", ""]);
        let (header, status) = (("header", Want::Header), ("status", Want::Struct));
        let kind = ("position_covariance_type", Want::Byte);
        let wants = [header, status, latitude, longitude, altitude, track, speed, COVARIANCE, kind];
        Some(GeoShape::Gps {
            message: Binding::new(plan, plan.root, wants)?,
            status: Binding::new(plan, struct_of(plan, plan.root, "status")?, [("status", Want::Scalar(Scalar::I16))])?,
        })
    }

    /// foxglove_msgs/LocationFix.
    pub fn location(plan: &Plan) -> Option<GeoShape> {
        let [latitude, longitude, altitude] = doubles(["latitude", "longitude", "altitude"]);
        let kind = ("position_covariance_type", Want::Byte);
        let wants = [("timestamp", Want::Time), latitude, longitude, altitude, COVARIANCE, kind];
        Binding::new(plan, plan.root, wants).map(GeoShape::Location)
    }

    pub fn point(plan: &Plan) -> Option<GeoShape> {
        let wants = doubles(["latitude", "longitude", "altitude"]);
        Binding::new(plan, plan.root, wants).map(|_| GeoShape::Point)
    }

    pub fn point_stamped(plan: &Plan) -> Option<GeoShape> {
        Binding::new(plan, plan.root, [("header", Want::Header), ("position", GLOBE)]).map(GeoShape::PointStamped)
    }

    pub fn pose(plan: &Plan) -> Option<GeoShape> {
        pose_binding(plan, plan.root).map(GeoShape::Pose)
    }

    pub fn pose_stamped(plan: &Plan) -> Option<GeoShape> {
        let message = Binding::new(plan, plan.root, [("header", Want::Header), ("pose", Want::Struct)])?;
        let pose = pose_binding(plan, struct_of(plan, plan.root, "pose")?)?;
        Some(GeoShape::PoseStamped(message, pose))
    }

    /// A table with columns of degrees.
    pub fn row(plan: &Plan) -> Option<GeoShape> {
        let double = |name| (name, Want::Scalar(Scalar::F64));
        let place = POSITION_COLUMNS
            .iter()
            .find_map(|names| Binding::new(plan, plan.root, names.map(double)))?;
        let altitude = ["altitude", "alt", "Altitude"]
            .into_iter()
            .find_map(|name| Binding::new(plan, plan.root, [double(name)]));
        Some(GeoShape::Row { place, altitude })
    }

    pub fn decode(&self, plan: &Plan, payload: &Bytes) -> Result<Fix, DecodeError> {
        let mut reader = Reader::new(payload);
        match self {
            GeoShape::Row { place, altitude } => {
                let [latitude, longitude] = place.locate(plan, &mut reader)?;
                let metres = match altitude {
                    Some(altitude) => f64_at(payload, altitude.locate(plan, &mut Reader::new(payload))?[0])?,
                    None => f64::NAN,
                };
                Ok(Fix {
                    altitude_metres: metres,
                    ..bare(f64_at(payload, latitude)?, f64_at(payload, longitude)?)
                })
            }
            GeoShape::NavSat { message, status } => {
                let [header, status_at, latitude, longitude, altitude, covariance, kind] = message.locate(plan, &mut reader)?;
                let [status] = status.locate(plan, &mut Reader::starting_at(payload, status_at))?;
                Ok(Fix {
                    stamp: Some(header_at(payload, header)?.stamp),
                    altitude_metres: f64_at(payload, altitude)?,
                    status: Some(Reader::starting_at(payload, status).u8()?.cast_signed()),
                    covariance: covariance_at(payload, covariance, kind)?,
                    ..bare(f64_at(payload, latitude)?, f64_at(payload, longitude)?)
                })
            }
            GeoShape::Gps { message, status } => {
                let [header, status_at, latitude, longitude, altitude, track, speed, covariance, kind] =
                    message.locate(plan, &mut reader)?;
                let [status] = status.locate(plan, &mut Reader::starting_at(payload, status_at))?;
                let status = i16::from_le_bytes(Reader::starting_at(payload, status).array()?);
                let known = |value: f64| value.is_finite().then_some(value as f32);
                Ok(Fix {
                    stamp: Some(header_at(payload, header)?.stamp),
                    altitude_metres: f64_at(payload, altitude)?,
                    // 18 and 33 are GPSFix's own spellings of satellite- and ground-based augmentation
                    status: Some(match status {
                        18 => 1,
                        33 => 2,
                        other => i8::try_from(other).unwrap_or(0),
                    }),
                    covariance: covariance_at(payload, covariance, kind)?,
                    heading_deg: known(f64_at(payload, track)?),
                    speed_metres_per_sec: known(f64_at(payload, speed)?),
                    ..bare(f64_at(payload, latitude)?, f64_at(payload, longitude)?)
                })
            }
            GeoShape::Location(message) => {
                let [stamp, latitude, longitude, altitude, covariance, kind] = message.locate(plan, &mut reader)?;
                let mut at = Reader::starting_at(payload, stamp);
                Ok(Fix {
                    stamp: Some(Time::from_sec_nsec(at.u32()?, at.u32()?)),
                    altitude_metres: f64_at(payload, altitude)?,
                    covariance: covariance_at(payload, covariance, kind)?,
                    ..bare(f64_at(payload, latitude)?, f64_at(payload, longitude)?)
                })
            }
            GeoShape::Point => globe(payload, 0, None),
            GeoShape::PointStamped(message) => {
                let [header, position] = message.locate(plan, &mut reader)?;
                globe(payload, position, Some(header_at(payload, header)?.stamp))
            }
            GeoShape::Pose(message) => {
                let at = message.locate(plan, &mut reader)?;
                posed(payload, at, None)
            }
            GeoShape::PoseStamped(message, pose) => {
                let [header, pose_at] = message.locate(plan, &mut reader)?;
                let at = pose.locate(plan, &mut Reader::starting_at(payload, pose_at))?;
                posed(payload, at, Some(header_at(payload, header)?.stamp))
            }
        }
    }
}

fn doubles(names: [&str; 3]) -> [(&str, Want); 3] {
    names.map(|name| (name, Want::Scalar(Scalar::F64)))
}

fn pose_binding(plan: &Plan, type_id: usize) -> Option<Binding<2>> {
    Binding::new(plan, type_id, [("position", GLOBE), ("orientation", XYZW)])
}

fn bare(latitude_deg: f64, longitude_deg: f64) -> Fix {
    Fix {
        stamp: None,
        latitude_deg,
        longitude_deg,
        altitude_metres: f64::NAN,
        status: None,
        covariance: None,
        heading_deg: None,
        speed_metres_per_sec: None,
    }
}

fn globe(payload: &[u8], offset: usize, stamp: Option<Time>) -> Result<Fix, DecodeError> {
    let mut reader = Reader::starting_at(payload, offset);
    let (latitude, longitude, altitude) = (reader.f64()?, reader.f64()?, reader.f64()?);
    Ok(Fix {
        stamp,
        altitude_metres: altitude,
        ..bare(latitude, longitude)
    })
}

/// geographic_msgs/GeoPose: the orientation is in the local east-north-up frame (REP 103), headings are clockwise from north.
fn posed(payload: &[u8], [position, orientation]: [usize; 2], stamp: Option<Time>) -> Result<Fix, DecodeError> {
    let turn = rotation(&mut Reader::starting_at(payload, orientation))?;
    let forward = turn * glam::DVec3::X;
    let heading = forward.x.atan2(forward.y).to_degrees().rem_euclid(360.0);
    Ok(Fix {
        heading_deg: Some(heading as f32),
        ..globe(payload, position, stamp)?
    })
}

fn f64_at(payload: &[u8], offset: usize) -> Result<f64, DecodeError> {
    Reader::starting_at(payload, offset).f64()
}

/// Row-major 3 × 3 in east, north, up; type 0 means unknown.
fn covariance_at(payload: &[u8], offset: usize, kind: usize) -> Result<Option<[f32; 4]>, DecodeError> {
    if Reader::starting_at(payload, kind).u8()? == 0 {
        return Ok(None);
    }
    let mut reader = Reader::starting_at(payload, offset);
    let (ee, en, _) = (reader.f64()?, reader.f64()?, reader.f64()?);
    let (_, nn, _) = (reader.f64()?, reader.f64()?, reader.f64()?);
    let (_, _, uu) = (reader.f64()?, reader.f64()?, reader.f64()?);
    let all = [ee as f32, en as f32, nn as f32, uu as f32];
    Ok(all.iter().all(|v| v.is_finite()).then_some(all))
}
