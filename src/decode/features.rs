//! Lines, areas and places on the globe: geographic_msgs/GeoPath, GeoJSON (RFC 7946) in foxglove_msgs/GeoJSON and in plain strings.
//!
//! Invariant: a text of any size and depth gives features or an error, and no more of them than the text has numbers for.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::bind::{Binding, Want, XYZW, struct_of, text_at};
use super::plan::Plan;
use super::reader::Reader;
use super::{DecodeError, Scalar};

/// Collections in collections deeper than this are left out.
const DEEPEST: usize = 16;

/// What one message draws on a map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Features {
    pub features: Vec<Feature>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    pub shape: FeatureShape,
    /// What it is called, where it says so.
    pub name: Arc<str>,
    pub style: FeatureStyle,
}

/// How it asks to be drawn, in the words of simplestyle or of Leaflet; colours as CSS spells them. None: it does not say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeatureStyle {
    /// Of its places, its line or its outline.
    pub color: Option<Arc<str>>,
    pub opacity: Option<f32>,
    pub width_pixels: Option<f32>,
    pub fill: Option<Arc<str>>,
    pub fill_opacity: Option<f32>,
}

impl FeatureStyle {
    /// Of a feature's properties, or of what they call its style.
    fn of(properties: &Value) -> FeatureStyle {
        let style = &properties["style"];
        let find = |keys: &[&str]| {
            let known = |at: &Value| keys.iter().map(|key| at[*key].clone()).find(|v| v.is_string() || v.is_number());
            known(properties).or_else(|| known(style))
        };
        let text = |keys: &[&str]| find(keys)?.as_str().map(Arc::from);
        let number = |keys: &[&str]| {
            let value = find(keys)?;
            let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
            (number.is_finite() && number >= 0.0).then_some(number as f32)
        };
        let fill = text(&["fill", "fillColor", "fill-color"]);
        FeatureStyle {
            color: text(&["stroke", "color", "marker-color"]).or_else(|| fill.clone()),
            opacity: number(&["stroke-opacity", "opacity"]),
            width_pixels: number(&["stroke-width", "weight", "strokeWidth", "width"]),
            fill,
            fill_opacity: number(&["fill-opacity", "fillOpacity"]),
        }
    }
}

/// Longitude and latitude in degrees.
#[derive(Clone, Debug, PartialEq)]
pub enum FeatureShape {
    Places(Vec<[f64; 2]>),
    Line(Vec<[f64; 2]>),
    /// The outline, then holes.
    Area(Vec<Vec<[f64; 2]>>),
}

impl Features {
    /// A rough measure of what it weighs.
    pub fn bytes(&self) -> u64 {
        let places = |shape: &FeatureShape| match shape {
            FeatureShape::Places(places) | FeatureShape::Line(places) => places.len(),
            FeatureShape::Area(rings) => rings.iter().map(Vec::len).sum(),
        };
        self.features.iter().map(|f| 160 + places(&f.shape) as u64 * 16).sum()
    }
}

#[derive(Debug)]
pub(super) enum FeaturesShape {
    Path {
        message: Binding<1>,
        stamped: Binding<1>,
        pose: Binding<2>,
        least_bytes: usize,
    },
    Json(Binding<1>),
}

impl FeaturesShape {
    pub fn path(plan: &Plan) -> Option<FeaturesShape> {
        let stamped = struct_of(plan, plan.root, "poses")?;
        let pose = struct_of(plan, stamped, "pose")?;
        let globe = Want::Flat(&["latitude", "longitude", "altitude"], Scalar::F64);
        Some(FeaturesShape::Path {
            message: Binding::new(plan, plan.root, [("poses", Want::Structs)])?,
            stamped: Binding::new(plan, stamped, [("pose", Want::Struct)])?,
            pose: Binding::new(plan, pose, [("position", globe), ("orientation", XYZW)])?,
            least_bytes: plan.types.get(stamped)?.min_size,
        })
    }

    /// `field` holds the text.
    pub fn json(plan: &Plan, field: &'static str) -> Option<FeaturesShape> {
        Binding::new(plan, plan.root, [(field, Want::Text)]).map(FeaturesShape::Json)
    }

    pub fn decode(&self, plan: &Plan, payload: &Bytes) -> Result<Features, DecodeError> {
        match self {
            FeaturesShape::Path {
                message,
                stamped,
                pose,
                least_bytes,
            } => {
                let [poses] = message.locate(plan, &mut Reader::new(payload))?;
                let mut reader = Reader::starting_at(payload, poses);
                let count = reader.count(*least_bytes)?;
                let mut places = Vec::with_capacity(count);
                for _ in 0..count {
                    let [at] = stamped.locate(plan, &mut reader)?;
                    let [position, _] = pose.locate(plan, &mut Reader::starting_at(payload, at))?;
                    let mut globe = Reader::starting_at(payload, position);
                    let (latitude, longitude) = (globe.f64()?, globe.f64()?);
                    places.push([longitude, latitude]);
                }
                let shape = FeatureShape::Line(places);
                Ok(Features {
                    features: vec![Feature {
                        shape,
                        name: "".into(),
                        style: FeatureStyle::default(),
                    }],
                })
            }
            FeaturesShape::Json(message) => {
                let [text] = message.locate(plan, &mut Reader::new(payload))?;
                geojson(&text_at(payload, text)?)
            }
        }
    }
}

/// The features of a GeoJSON text.
pub(super) fn geojson(text: &str) -> Result<Features, DecodeError> {
    let wrong = |what: String| DecodeError::NotDecodable(format!("this is no GeoJSON: {what}"));
    let value: Value = serde_json::from_str(text).map_err(|e| wrong(e.to_string()))?;
    let mut features = Features::default();
    let about = About::default();
    if !add(&value, &about, 0, &mut features) {
        return Err(wrong("it has no known “type”".into()));
    }
    Ok(features)
}

/// What a feature says of its geometry.
#[derive(Clone, Default)]
struct About {
    name: Arc<str>,
    style: FeatureStyle,
}

impl About {
    fn of(feature: &Value) -> About {
        let properties = &feature["properties"];
        let name = ["name", "title", "Name"].iter().find_map(|key| properties[*key].as_str());
        About {
            name: name.map(Arc::from).unwrap_or_default(),
            style: FeatureStyle::of(properties),
        }
    }
}

/// False: this is nothing of GeoJSON.
fn add(value: &Value, about: &About, depth: usize, out: &mut Features) -> bool {
    let coordinates = &value["coordinates"];
    let mut push = |shape: FeatureShape| {
        out.features.push(Feature {
            shape,
            name: about.name.clone(),
            style: about.style.clone(),
        });
    };
    match value["type"].as_str() {
        Some("Point") => push(FeatureShape::Places(place(coordinates).into_iter().collect())),
        Some("MultiPoint") => push(FeatureShape::Places(places(coordinates))),
        Some("LineString") => push(FeatureShape::Line(places(coordinates))),
        Some("MultiLineString") => each(coordinates).for_each(|line| push(FeatureShape::Line(places(line)))),
        Some("Polygon") => push(FeatureShape::Area(each(coordinates).map(places).collect())),
        Some("MultiPolygon") => each(coordinates).for_each(|area| push(FeatureShape::Area(each(area).map(places).collect()))),
        Some("GeometryCollection") if depth < DEEPEST => {
            for geometry in each(&value["geometries"]) {
                add(geometry, about, depth + 1, out);
            }
        }
        Some("Feature") if depth < DEEPEST => {
            add(&value["geometry"], &About::of(value), depth + 1, out);
        }
        Some("FeatureCollection") if depth < DEEPEST => {
            for feature in each(&value["features"]) {
                add(feature, about, depth + 1, out);
            }
        }
        _ => return false,
    }
    true
}

fn each(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn places(value: &Value) -> Vec<[f64; 2]> {
    each(value).filter_map(place).collect()
}

fn place(value: &Value) -> Option<[f64; 2]> {
    Some([value.get(0)?.as_f64()?, value.get(1)?.as_f64()?])
}
