//! Boxes and lane points in pixels of a picture, as detectors' tables have them: AWS's `objects_in_lane`, `…_detections` and
//! `lanes_clean`, ADDF's `all_predictions.csv`, and messages with such lists.
//!
//! Invariant: where they stand is found by the names of fields when the definition is compiled, at any depth; what is no finite number
//! is no box and no point.

use std::sync::Arc;

use bytes::Bytes;

use super::parse::Array;
use super::plan::{Kind, Plan, Type};
use super::{DecodeError, Value, value};

/// What was found in a picture, in its pixels, from the upper left corner.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Annotations {
    pub boxes: Vec<Detection>,
    pub lanes: Vec<Lane>,
}

/// A box.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    pub centre: [f32; 2],
    /// Width and height.
    pub size: [f32; 2],
    /// Empty where nothing says what it is of.
    pub class: Arc<str>,
    /// 0 to 1 as a rule; None where none is given.
    pub confidence: Option<f32>,
}

/// Points along one line of the road.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    pub points: Vec<[f32; 2]>,
}

impl Annotations {
    pub(crate) fn bytes(&self) -> usize {
        let lanes = self
            .lanes
            .iter()
            .map(|lane| size_of::<Lane>() + lane.points.len() * size_of::<[f32; 2]>());
        self.boxes.len() * size_of::<Detection>() + lanes.sum::<usize>()
    }
}

/// How the four numbers of a box are called: centre and size, or two corners; the fields of AWS's and of ADDF's tables, of darknet and
/// of others.
const EXTENTS: &[([&str; 4], Given)] = &[
    (["x", "y", "width", "height"], Given::Centre),
    (["x", "y", "w", "h"], Given::Centre),
    (["xmin", "ymin", "xmax", "ymax"], Given::Corners),
    (["x_min", "y_min", "x_max", "y_max"], Given::Corners),
    (["x1", "y1", "x2", "y2"], Given::Corners),
];
/// Of the same thing the one that reads best first: ADDF's `class` is a number, its `name` a word.
const CLASSES: &[&str] = &["name", "label", "category", "class_name", "class", "type", "class_id"];
const CONFIDENCES: &[&str] = &["confidence", "score", "probability", "conf"];
/// Points of a lane.
const POINTS: &str = "image_points";
/// The same list opened: AWS's tables have both.
const CLEAN: &str = "_clean";
/// Lists are looked for no deeper.
const MAX_DEPTH: usize = 8;

#[derive(Clone, Copy, Debug)]
enum Given {
    Centre,
    Corners,
}

#[derive(Debug)]
pub(super) struct AnnotationsShape {
    lists: Vec<List>,
    /// A table with a row for each box.
    row: Option<BoxFields>,
}

/// A list and the fields that lead to it.
#[derive(Debug)]
struct List {
    path: Vec<Arc<str>>,
    of: Elements,
}

#[derive(Debug)]
enum Elements {
    Boxes(BoxFields),
    /// Structures with their points in this field.
    Lanes(Arc<str>),
}

#[derive(Debug)]
struct BoxFields {
    extent: [Arc<str>; 4],
    given: Given,
    class: Vec<Arc<str>>,
    confidence: Option<Arc<str>>,
}

impl AnnotationsShape {
    /// None where the message holds no such list.
    pub fn of(plan: &Plan) -> Option<AnnotationsShape> {
        let mut lists = Vec::new();
        find(plan, plan.root, &mut Vec::new(), &mut lists);
        (!lists.is_empty()).then_some(AnnotationsShape { lists, row: None })
    }

    /// As [`AnnotationsShape::of`], or a box a row.
    pub fn row(plan: &Plan) -> Option<AnnotationsShape> {
        let row = || {
            // a table of positions may well have an x, y, width and height of its own
            let fields = BoxFields::of(plan.types.get(plan.root)?).filter(|fields| matches!(fields.given, Given::Corners));
            fields.map(|row| AnnotationsShape {
                lists: Vec::new(),
                row: Some(row),
            })
        };
        AnnotationsShape::of(plan).or_else(row)
    }

    pub fn decode(&self, plan: &Plan, payload: &Bytes) -> Result<Annotations, DecodeError> {
        let message = value::message(plan, payload)?;
        let mut out = Annotations::default();
        for list in &self.lists {
            let at = list.path.iter().try_fold(&message, |at, field| at.child(field));
            let Some(Value::Array(elements)) = at else { continue };
            match &list.of {
                Elements::Boxes(fields) => out.boxes.extend(elements.iter().filter_map(|element| fields.read(element))),
                Elements::Lanes(points) => out.lanes.extend(elements.iter().filter_map(|element| lane(element.child(points)?))),
            }
        }
        out.boxes.extend(self.row.as_ref().and_then(|fields| fields.read(&message)));
        Ok(out)
    }
}

fn find(plan: &Plan, type_id: usize, path: &mut Vec<Arc<str>>, out: &mut Vec<List>) {
    let Some(of) = plan.types.get(type_id).filter(|_| path.len() < MAX_DEPTH) else {
        return;
    };
    for field in &of.fields {
        let Kind::Struct(inner) = field.kind else { continue };
        let is_opened = of.fields.iter().any(|other| other.name.strip_suffix(CLEAN) == Some(&*field.name));
        path.push(field.name.clone());
        match field.array {
            Array::One => find(plan, inner, path, out),
            _ if is_opened => {}
            _ => out.extend(
                plan.types
                    .get(inner)
                    .and_then(|inner| Elements::of(plan, inner))
                    .map(|of| List { path: path.clone(), of }),
            ),
        }
        path.pop();
    }
}

impl Elements {
    fn of(plan: &Plan, element: &Type) -> Option<Elements> {
        let has_points = |field: &&super::plan::Field| {
            let Kind::Struct(point) = field.kind else { return false };
            let is_point = |of: &Type| ["x", "y"].iter().all(|name| number(of, name).is_some());
            &*field.name == POINTS && field.array != Array::One && plan.types.get(point).is_some_and(is_point)
        };
        let lanes = element
            .fields
            .iter()
            .find(has_points)
            .map(|field| Elements::Lanes(field.name.clone()));
        lanes.or_else(|| BoxFields::of(element).map(Elements::Boxes))
    }
}

/// A field that holds a number, in any case.
fn number(of: &Type, name: &str) -> Option<Arc<str>> {
    let fits = |field: &&super::plan::Field| {
        field.name.eq_ignore_ascii_case(name) && field.array == Array::One && matches!(field.kind, Kind::Scalar(_) | Kind::Maybe(_))
    };
    of.fields.iter().find(fits).map(|field| field.name.clone())
}

impl BoxFields {
    fn of(element: &Type) -> Option<BoxFields> {
        let named = |names: &[&str; 4]| {
            let [a, b, c, d] = names.map(|name| number(element, name));
            Some([a?, b?, c?, d?])
        };
        let (extent, given) = EXTENTS.iter().find_map(|(names, given)| Some((named(names)?, *given)))?;
        // in space, not in a picture
        if matches!(given, Given::Centre) && number(element, "z").is_some() {
            return None;
        }
        let class = CLASSES.iter().flat_map(|name| {
            let fits = move |field: &&super::plan::Field| field.name.eq_ignore_ascii_case(name) && field.array == Array::One;
            element.fields.iter().find(fits).map(|field| field.name.clone())
        });
        Some(BoxFields {
            extent,
            given,
            class: class.collect(),
            confidence: CONFIDENCES.iter().find_map(|name| number(element, name)),
        })
    }

    fn read(&self, element: &Value) -> Option<Detection> {
        let number = |name: &Arc<str>| Some(element.child(name)?.as_f64()? as f32).filter(|number| number.is_finite());
        let [a, b, c, d] = &self.extent;
        let [a, b, c, d] = [number(a)?, number(b)?, number(c)?, number(d)?];
        let (centre, size) = match self.given {
            Given::Centre => ([a, b], [c, d]),
            Given::Corners => ([(a + c) / 2.0, (b + d) / 2.0], [c - a, d - b]),
        };
        Some(Detection {
            centre,
            size: size.map(f32::abs),
            class: self.class.iter().find_map(|name| class(element.child(name)?)).unwrap_or_default(),
            confidence: self.confidence.as_ref().and_then(number),
        })
    }
}

/// A word, or a number that stands for one.
fn class(of: &Value) -> Option<Arc<str>> {
    match of {
        Value::String(text) => Some(text.trim()).filter(|text| !text.is_empty()).map(Arc::from),
        other => other
            .as_f64()
            .filter(|number| number.is_finite())
            .map(|number| number.to_string().into()),
    }
}

fn lane(points: &Value) -> Option<Lane> {
    let Value::Array(points) = points else { return None };
    let point = |point: &Value| {
        let number = |name: &str| {
            let mut fields = point.fields();
            let (_, value) = fields.find(|(field, _)| field.eq_ignore_ascii_case(name))?;
            Some(value.as_f64()? as f32).filter(|number| number.is_finite())
        };
        Some([number("x")?, number("y")?])
    };
    let points: Vec<[f32; 2]> = points.iter().filter_map(point).collect();
    (!points.is_empty()).then_some(Lane { points })
}
