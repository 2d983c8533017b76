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

/// Packages that share names with those above, and types as their packages had them before. Each stands over them, where it makes the MD5 that is asked for.
static VERSIONS: &[&str] = packages!["astuff_radar_msgs", "earlier_1", "earlier_2"];

static CHOSEN: OnceLock<Definitions> = OnceLock::new();

/// Each type's own text, without its dependencies.
type Texts = BTreeMap<String, String>;

/// Message definitions by type.
#[derive(Clone, Debug, Default)]
pub struct Definitions {
    texts: Texts,
    versions: Vec<Texts>,
}

/// The definitions in use: those built in, unless [`Definitions::choose`] chose others at the program's start.
pub fn definitions() -> &'static Definitions {
    CHOSEN.get_or_init(Definitions::built_in)
}

impl Definitions {
    pub fn built_in() -> Definitions {
        let types = |package: &&'static str| {
            let parts = package.split("MSG: ").filter_map(|part| part.split_once('\n'));
            parts.map(|(name, text)| (canonical(name), text.to_owned()))
        };
        Definitions {
            texts: PACKAGES.iter().flat_map(types).collect(),
            versions: VERSIONS.iter().map(|package| types(package).collect()).collect(),
        }
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
        self.md5_in(None, type_name)
    }

    /// As a recording would hold it: the type's own text, then all that it uses.
    pub fn complete(&self, type_name: &str) -> Option<String> {
        self.complete_in(None, type_name).ok()
    }

    /// [`Definitions::complete`] of the version that has this MD5. Err: whether the type is known at all.
    pub fn complete_of(&self, type_name: &str, md5: &str) -> Result<String, bool> {
        // `*` and zeros stand for any version
        let is_any = !md5.is_empty() && md5.chars().all(|c| matches!(c, '*' | '0'));
        let versions = std::iter::once(None).chain(self.versions.iter().map(Some));
        let mut is_known = false;
        for version in versions {
            let Some(known) = self.md5_in(version, type_name) else { continue };
            is_known = true;
            if is_any || known.eq_ignore_ascii_case(md5) {
                return self.complete_in(version, type_name).map_err(|_| true);
            }
        }
        Err(is_known)
    }

    fn text<'a>(&'a self, version: Option<&'a Texts>, name: &str) -> Option<&'a String> {
        version.and_then(|version| version.get(name)).or_else(|| self.texts.get(name))
    }

    fn md5_in(&self, version: Option<&Texts>, type_name: &str) -> Option<String> {
        md5_of(type_name, &mut |name| own_definition(name, self.text(version, name)?))
    }

    /// Err: the type that is not known, this one or one that it uses.
    fn complete_in(&self, version: Option<&Texts>, type_name: &str) -> Result<String, String> {
        let known = |name: &str| self.text(version, name).ok_or_else(|| name.to_owned());
        let root = canonical(type_name);
        let mut text = known(&root)?.clone();
        let (mut queue, mut seen) = (vec![root.clone()], BTreeSet::from([root]));
        while let Some(name) = queue.pop() {
            for line in known(&name)?.lines() {
                let kind = line.split_whitespace().next().unwrap_or_default();
                let base = kind.split(['[', '#']).next().unwrap_or_default();
                let Some(used) = full_name(&name, base).filter(|_| !base.is_empty()) else {
                    continue;
                };
                if seen.insert(used.clone()) {
                    let own = known(&used)?;
                    text.push_str(&format!("\n{}\nMSG: {used}\n{own}", "=".repeat(80)));
                    queue.push(used);
                }
            }
        }
        Ok(text)
    }

    /// Compiles what a recording says of a type. Where it holds no definition, a known one of the same MD5 is taken.
    pub fn schema(&self, type_name: &str, definition: &str, md5: &str) -> Result<Schema, DecodeError> {
        if !definition.trim().is_empty() {
            return Schema::ros1(type_name, definition);
        }
        let complete = self.complete_of(type_name, md5).map_err(|is_known| {
            let why = match self.complete_in(None, type_name) {
                _ if is_known => ", and the known one is of another version".to_owned(),
                Err(used) if used != canonical(type_name) => format!(", and the known one uses {used}, of which none is known"),
                _ => String::new(),
            };
            DecodeError::NotDecodable(format!(
                "the recording holds no definition of {type_name}{why}; add its .msg files with --msgs"
            ))
        })?;
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
