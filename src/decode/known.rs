//! Definitions of the common message types, for recordings that come without: built in from `assets/msg`, and from the user's own
//! `.msg` files.
//!
//! Invariant: a known definition stands in only where its MD5 is the one that the recording names.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::OnceLock;

use super::md5::{full_name, md5_of};
use super::parse::{Definition, canonical, parse};
use super::{DecodeError, Schema};

macro_rules! packages {
    ($($name:literal),* $(,)?) => { &[$(include_str!(concat!("../../assets/msg/", $name, ".msg"))),*] };
}

static PACKAGES: &[&str] = packages![
    "ackermann_msgs",
    "actionlib",
    "actionlib_msgs",
    "bond",
    "can_msgs",
    "dbw_mkz_msgs",
    "derived_object_msgs",
    "diagnostic_msgs",
    "dynamic_reconfigure",
    "foxglove_msgs",
    "geographic_msgs",
    "geometry_msgs",
    "gps_common",
    "map_msgs",
    "nav_msgs",
    "ouster_ros",
    "radar_msgs",
    "rcl_interfaces",
    "rosgraph_msgs",
    "roscpp",
    "sensor_msgs",
    "shape_msgs",
    "std_msgs",
    "stereo_msgs",
    "tf",
    "tf2_msgs",
    "trajectory_msgs",
    "turtlesim",
    "uuid_msgs",
    "velodyne_msgs",
    "vision_msgs",
    "visualization_msgs",
];

/// Types as their packages had them before, from the first that recordings know to the last. Each goes with the others of its time.
static EARLIER: &[&str] = packages!["earlier_1", "earlier_2"];

static CHOSEN: OnceLock<Definitions> = OnceLock::new();

/// Message definitions by type: each type's own text, without its dependencies.
#[derive(Clone, Debug, Default)]
pub struct Definitions {
    texts: BTreeMap<String, String>,
    /// Of one time each; what they do not hold is as in `texts`.
    earlier: Vec<BTreeMap<String, String>>,
}

/// Types by their own text.
fn types_of(package: &str) -> impl Iterator<Item = (&str, &str)> {
    package.split("MSG: ").filter_map(|part| part.split_once('\n'))
}

/// The definitions in use: those built in, unless [`Definitions::choose`] chose others at the program's start.
pub fn definitions() -> &'static Definitions {
    CHOSEN.get_or_init(Definitions::built_in)
}

impl Definitions {
    pub fn built_in() -> Definitions {
        let mut definitions = Definitions::default();
        for package in PACKAGES {
            for (name, text) in types_of(package) {
                definitions.add(name, text);
            }
        }
        let owned = |(name, text): (&str, &str)| (name.to_owned(), text.to_owned());
        let earlier = EARLIER.iter().map(|package| types_of(package).map(owned).collect());
        definitions.earlier = earlier.collect();
        definitions
    }

    /// Takes these into use, once and before anything is opened: schemas made of others would stay. Err: it is too late.
    pub fn choose(self) -> Result<(), DecodeError> {
        let late = |_| DecodeError::NotDecodable("definitions are in use already; choose them before a recording is opened".into());
        CHOSEN.set(self).map_err(late)
    }

    /// `type_name` is `package/Name`; replaces a definition of the same name.
    pub fn add(&mut self, type_name: &str, text: &str) {
        self.texts.insert(canonical(type_name), text.to_owned());
    }

    pub fn len(&self) -> usize {
        self.texts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    pub fn type_names(&self) -> impl Iterator<Item = &str> {
        self.texts.keys().map(String::as_str)
    }

    /// The MD5 that ROS gives the type; None where it or one that it uses is not known.
    pub fn md5(&self, type_name: &str) -> Option<String> {
        self.md5_then(type_name, &BTreeMap::new())
    }

    fn md5_then(&self, type_name: &str, then: &BTreeMap<String, String>) -> Option<String> {
        md5_of(type_name, &mut |name| own_definition(name, self.text_then(name, then)?))
    }

    fn text_then<'a>(&'a self, type_name: &str, then: &'a BTreeMap<String, String>) -> Option<&'a String> {
        then.get(type_name).or_else(|| self.texts.get(type_name))
    }

    /// As a recording would hold it: the type's own text, then all that it uses.
    pub fn complete(&self, type_name: &str) -> Option<String> {
        self.complete_then(type_name, &BTreeMap::new())
    }

    fn complete_then(&self, type_name: &str, then: &BTreeMap<String, String>) -> Option<String> {
        let root = canonical(type_name);
        let mut text = self.text_then(&root, then)?.clone();
        let (mut queue, mut seen) = (vec![root.clone()], BTreeSet::from([root]));
        while let Some(name) = queue.pop() {
            for line in self.text_then(&name, then)?.lines() {
                let kind = line.split_whitespace().next().unwrap_or_default();
                let base = kind.split(['[', '#']).next().unwrap_or_default();
                let Some(used) = full_name(&name, base).filter(|_| !base.is_empty()) else {
                    continue;
                };
                if seen.insert(used.clone()) {
                    let own = self.text_then(&used, then)?;
                    text.push_str(&format!("\n{}\nMSG: {used}\n{own}", "=".repeat(80)));
                    queue.push(used);
                }
            }
        }
        Some(text)
    }

    /// Compiles what a recording says of a type. Where it holds no definition, a known one of the same MD5 is taken.
    pub fn schema(&self, type_name: &str, definition: &str, md5: &str) -> Result<Schema, DecodeError> {
        if !definition.trim().is_empty() {
            return Schema::ros1(type_name, definition);
        }
        let missing = |why: &str| DecodeError::NotDecodable(format!("the recording holds no definition of {type_name}{why}"));
        let Some(known) = self.md5(type_name) else {
            return Err(missing("; add its .msg files with --msgs"));
        };
        // `*` and zeros stand for any version
        let is_any = !md5.is_empty() && md5.chars().all(|c| matches!(c, '*' | '0'));
        let newest = BTreeMap::new();
        let is_meant = |then: &&BTreeMap<String, String>| self.md5_then(type_name, then).is_some_and(|of| of.eq_ignore_ascii_case(md5));
        let then = match is_any || known.eq_ignore_ascii_case(md5) {
            true => Some(&newest),
            false => self.earlier.iter().find(is_meant),
        };
        let Some(then) = then else {
            return Err(missing(", and the known one is of another version; add its .msg files with --msgs"));
        };
        let complete = self.complete_then(type_name, then).ok_or_else(|| missing(""))?;
        Schema::ros1(type_name, &said(type_name, &complete))
    }
}

/// The MD5 of a definition as recordings hold it, dependencies and all; None where it makes no sense.
pub fn definition_md5(type_name: &str, definition: &str) -> Option<String> {
    let parsed = parse(type_name, &said(type_name, definition)).ok()?;
    let mut definitions: HashMap<String, Definition> = parsed.into_iter().map(|of| (of.name.clone(), of)).collect();
    md5_of(type_name, &mut |name| definitions.remove(name))
}

/// Of a text that holds one type alone.
fn own_definition(type_name: &str, text: &str) -> Option<Definition> {
    parse(type_name, &said(type_name, text)).ok()?.into_iter().next()
}

/// A text that is empty only because the type has no fields.
fn said(type_name: &str, text: &str) -> String {
    format!("# {type_name}\n{text}")
}
