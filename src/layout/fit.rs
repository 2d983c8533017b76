//! Whether a layout fits a recording: which topics, fields and frames it names that are not there, and which were probably meant.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::Serialize;

use super::names::{NameOf, Renames, Use, fields_after, uses};
use super::own::Layout;
use super::similar::{are_opposed, similarity};
use crate::decode::{Form, Schema, definitions};
use crate::path::{Path, Select};

/// What a recording holds.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    pub topics: Vec<CatalogueTopic>,
    /// Empty: they are not known, and nothing is said about frames.
    pub frames: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct CatalogueTopic {
    pub name: String,
    pub type_name: String,
    pub schema: Option<Arc<Schema>>,
}

/// What does not fit.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Fit {
    pub misfits: Vec<Misfit>,
    /// Of topics that were taken apart at the wrong place.
    #[serde(skip)]
    folds: Vec<(String, String)>,
}

/// A name that the recording does not have, or not as the panels need it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Misfit {
    pub what: NameOf,
    pub name: String,
    /// Ids of the panels that use it.
    pub panels: Vec<String>,
    pub why: String,
    /// What it may have been, the most probable first.
    pub choices: Vec<Choice>,
    /// What it is to become; none: it stays.
    pub take: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Choice {
    pub name: String,
    /// A topic's type.
    pub detail: String,
    /// 0 to 1.
    pub score: f64,
}

const MOST_CHOICES: usize = 8;
/// For more names than a person would look through nothing is sought.
const MOST_MATCHED: usize = 100;
/// Less than this is a guess that nobody should be offered as the answer.
const WORTH_TAKING: f64 = 0.45;
const WORTH_NAMING: f64 = 0.2;

pub fn fit(layout: &Layout, catalogue: &Catalogue) -> Fit {
    let mut topics: IndexMap<String, Vec<Use>> = IndexMap::new();
    let mut frames: IndexMap<String, Vec<Use>> = IndexMap::new();
    for used in uses(layout) {
        let by_name = match used.what {
            NameOf::Topic => &mut topics,
            NameOf::Frame => &mut frames,
        };
        by_name.entry(used.name.clone()).or_default().push(used);
    }
    let mut fit = Fit::default();
    for (name, uses) in &topics {
        if let Some(why) = topic_trouble(name, uses, catalogue) {
            let choices = match fit.misfits.len() {
                ..MOST_MATCHED => topic_choices(layout, name, uses, catalogue, &mut fit.folds),
                _ => Vec::new(),
            };
            fit.misfits.push(misfit(NameOf::Topic, name, uses, why, choices));
        }
    }
    if !catalogue.frames.is_empty() {
        for (name, uses) in &frames {
            let is_there = catalogue.frames.iter().any(|frame| bare(frame) == bare(name));
            if !is_there {
                let why = "the recording has no such frame".to_owned();
                let choices = match fit.misfits.len() {
                    ..MOST_MATCHED => frame_choices(name, catalogue),
                    _ => Vec::new(),
                };
                fit.misfits.push(misfit(NameOf::Frame, name, uses, why, choices));
            }
        }
    }
    fit.take_best(&topics);
    fit
}

fn bare(frame: &str) -> &str {
    frame.trim_start_matches('/')
}

fn misfit(what: NameOf, name: &str, uses: &[Use], why: String, mut choices: Vec<Choice>) -> Misfit {
    choices.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.name.cmp(&b.name)));
    choices.truncate(MOST_CHOICES);
    let mut panels: Vec<String> = Vec::new();
    for used in uses {
        if !panels.contains(&used.panel) {
            panels.push(used.panel.clone());
        }
    }
    Misfit {
        what,
        name: name.to_owned(),
        panels,
        why,
        choices,
        take: None,
    }
}

/// None: the topic is there, with all fields that are asked of it.
fn topic_trouble(name: &str, uses: &[Use], catalogue: &Catalogue) -> Option<String> {
    let Some(topic) = catalogue.topics.iter().find(|topic| topic.name == name) else {
        let only_images = uses.iter().all(|used| used.kind == "image");
        let is_sent_otherwise = catalogue
            .topics
            .iter()
            .any(|topic| is_transport_of(&topic.name, name) && form_of(topic) == Some(Form::Image));
        // the image panel finds these by itself
        return (!(only_images && is_sent_otherwise)).then(|| "the recording has no such topic".to_owned());
    };
    let wrong = uses.iter().filter_map(|used| wrong_field(topic, used.path.as_ref()?));
    let wrong: Vec<String> = wrong.collect();
    if let Some(first) = wrong.first() {
        return Some(first.clone());
    }
    let needed = uses.iter().filter_map(|used| form_needed(&used.kind));
    let is_other = |form: Form| form_of(topic).is_some_and(|has| !suits(form, has));
    needed
        .into_iter()
        .any(is_other)
        .then(|| format!("{} is nothing that its panel shows", topic.type_name))
}

/// `camera/image/compressed` is `camera/image`, sent otherwise.
pub fn is_transport_of(name: &str, of: &str) -> bool {
    let ending = name.strip_prefix(of).and_then(|rest| rest.strip_prefix('/'));
    ending.is_some_and(|ending| TRANSPORTS.contains(&ending))
}

/// Endings under which `image_transport` sends a picture.
pub const TRANSPORTS: [&str; 2] = ["compressed", "image_raw"];

fn wrong_field(topic: &CatalogueTopic, path: &Path) -> Option<String> {
    let schema = topic.schema.as_ref()?;
    if path.steps.is_empty() {
        return None;
    }
    let error = Select::compile(schema, path).err()?;
    // what a variable stands for is not known here
    (!error.what.contains('$')).then(|| error.to_string())
}

/// What a kind of panel shows; none: it depends.
fn form_needed(kind: &str) -> Option<Form> {
    match kind {
        "image" => Some(Form::Image),
        "map" => Some(Form::Fix),
        "log" => Some(Form::Log),
        "diagnostics" => Some(Form::Diagnostics),
        _ => None,
    }
}

fn suits(needed: Form, has: Form) -> bool {
    needed == has || matches!((needed, has), (Form::Fix, Form::Features) | (Form::Image, Form::Annotations))
}

fn form_of(topic: &CatalogueTopic) -> Option<Form> {
    match &topic.schema {
        Some(schema) => schema.form(),
        None => definitions().schema(&topic.type_name, "", "*").ok()?.form(),
    }
}

fn topic_choices(layout: &Layout, name: &str, uses: &[Use], catalogue: &Catalogue, folds: &mut Vec<(String, String)>) -> Vec<Choice> {
    let mut choices = Vec::new();
    for topic in catalogue.topics.iter().filter(|topic| topic.name != name) {
        let paths = || uses.iter().filter_map(|used| used.path.as_ref());
        if let Some(fields) = fields_after(name, &topic.name)
            && paths().next().is_some()
            && paths().all(|path| folded_fits(topic, &fields, path))
        {
            folds.push((name.to_owned(), topic.name.clone()));
            choices.push(choice(topic, 0.99));
            continue;
        }
        let by_type = type_score(layout.topics.get(name), name, uses, topic);
        if by_type <= 0.0 {
            continue;
        }
        let mut score = 0.6 * similarity(name, &topic.name) + 0.4 * by_type;
        if are_opposed(name, &topic.name) {
            score *= 0.6;
        }
        if is_transport_of(&topic.name, name) || is_transport_of(name, &topic.name) {
            score = score.max(0.95);
        }
        choices.push(choice(topic, score));
    }
    // whatever it is called, no other has the fields
    let asks_fields = uses
        .iter()
        .any(|used| used.path.as_ref().is_some_and(|path| !path.steps.is_empty()));
    if let ([only], true) = (choices.as_mut_slice(), asks_fields) {
        only.score = only.score.max(WORTH_TAKING);
    }
    choices.retain(|choice| choice.score >= WORTH_NAMING);
    choices
}

fn choice(topic: &CatalogueTopic, score: f64) -> Choice {
    Choice {
        name: topic.name.clone(),
        detail: topic.type_name.clone(),
        score: (score * 1000.0).round() / 1000.0,
    }
}

fn folded_fits(topic: &CatalogueTopic, fields: &str, path: &Path) -> bool {
    let Ok(crate::path::Expr::Path(mut folded)) = crate::path::parse(&format!("/t{fields}")) else {
        return false;
    };
    folded.steps.extend(path.steps.iter().cloned());
    let schema = topic.schema.as_ref();
    schema.is_some_and(|schema| Select::compile(schema, &folded).is_ok())
}

/// 0: it cannot be that one. 1: it has the type that the layout remembers, or all fields that are asked of it.
fn type_score(remembered: Option<&String>, name: &str, uses: &[Use], topic: &CatalogueTopic) -> f64 {
    let form = form_of(topic);
    let needed: Vec<Form> = uses.iter().filter_map(|used| form_needed(&used.kind)).collect();
    if needed.iter().any(|needed| form.is_none_or(|has| !suits(*needed, has))) {
        return 0.0;
    }
    let paths: Vec<&Path> = uses
        .iter()
        .filter_map(|used| used.path.as_ref())
        .filter(|path| !path.steps.is_empty())
        .collect();
    if let Some(schema) = &topic.schema
        && paths
            .iter()
            .any(|path| Select::compile(schema, path).is_err_and(|error| !error.what.contains('$')))
    {
        return 0.0;
    }
    let is_drawn = uses.iter().any(|used| used.kind == "scene3d");
    if is_drawn && form.is_none_or(|form| !DRAWN.contains(&form)) {
        return 0.0;
    }
    if let Some(remembered) = remembered {
        return match short(remembered) == short(&topic.type_name) {
            true => 1.0,
            false if needed.is_empty() && paths.is_empty() => 0.2,
            false => 0.6,
        };
    }
    if !needed.is_empty() || !paths.is_empty() {
        return 1.0;
    }
    match (is_drawn, hinted(name)) {
        (true, Some(hint)) if Some(hint) == form => 1.0,
        (true, Some(_)) => 0.1,
        _ => 0.5,
    }
}

/// The part of a type's name that all spellings share.
fn short(type_name: &str) -> &str {
    type_name.rsplit(['/', '.']).next().unwrap_or(type_name)
}

const DRAWN: [Form; 7] = [
    Form::Cloud,
    Form::Scan,
    Form::Transforms,
    Form::Markers,
    Form::Poses,
    Form::Pose,
    Form::Grid,
];

/// What a topic is, by its name.
fn hinted(name: &str) -> Option<Form> {
    const HINTS: [(&str, Form); 23] = [
        ("scan", Form::Scan),
        ("points", Form::Cloud),
        ("radar", Form::Cloud),
        ("cloud", Form::Cloud),
        ("lidar", Form::Cloud),
        ("velodyne", Form::Cloud),
        ("ouster", Form::Cloud),
        ("marker", Form::Markers),
        ("object", Form::Markers),
        ("track", Form::Markers),
        ("detection", Form::Markers),
        ("box", Form::Markers),
        ("metadata", Form::Markers),
        ("annotation", Form::Markers),
        ("odom", Form::Pose),
        ("pose", Form::Pose),
        ("path", Form::Poses),
        ("plan", Form::Poses),
        ("trajectory", Form::Poses),
        ("particle", Form::Poses),
        ("map", Form::Grid),
        ("grid", Form::Grid),
        ("tf", Form::Transforms),
    ];
    let lower = name.to_lowercase();
    HINTS.iter().find(|hint| lower.contains(hint.0)).map(|hint| hint.1)
}

fn frame_choices(name: &str, catalogue: &Catalogue) -> Vec<Choice> {
    let score = |frame: &String| (similarity(bare(name), bare(frame)) * 1000.0).round() / 1000.0;
    let all = catalogue.frames.iter().map(|frame| Choice {
        name: frame.clone(),
        detail: "frame".to_owned(),
        score: score(frame),
    });
    all.filter(|choice| choice.score >= WORTH_NAMING).collect()
}

impl Fit {
    pub fn fits(&self) -> bool {
        self.misfits.is_empty()
    }

    /// The best pairs first, each topic of the recording for one name, as long as there are others.
    fn take_best(&mut self, named: &IndexMap<String, Vec<Use>>) {
        let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
        for (at, misfit) in self.misfits.iter().enumerate() {
            let worthy = misfit.choices.iter().enumerate().filter(|(_, choice)| choice.score >= WORTH_TAKING);
            pairs.extend(worthy.map(|(place, choice)| (choice.score, at, place)));
        }
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        let missing: HashSet<&str> = self.misfits.iter().map(|misfit| misfit.name.as_str()).collect();
        let used = named.keys().filter(|name| !missing.contains(name.as_str()));
        let mut taken: HashSet<String> = used.cloned().collect();
        for is_first in [true, false] {
            for (_, at, place) in &pairs {
                let Some(misfit) = self.misfits.get_mut(*at) else { continue };
                let Some(choice) = misfit.choices.get(*place) else { continue };
                if misfit.take.is_some() || (is_first && misfit.what == NameOf::Topic && taken.contains(&choice.name)) {
                    continue;
                }
                taken.insert(choice.name.clone());
                misfit.take = Some(choice.name.clone());
            }
        }
    }

    fn renames(&self) -> Renames {
        let mut renames = Renames::default();
        for misfit in &self.misfits {
            let Some(take) = &misfit.take else { continue };
            let map = match misfit.what {
                NameOf::Topic => &mut renames.topics,
                NameOf::Frame => &mut renames.frames,
            };
            map.insert(misfit.name.clone(), take.clone());
        }
        let is_taken = |fold: &&(String, String)| renames.topics.get(&fold.0) == Some(&fold.1);
        renames.folded = self.folds.iter().filter(is_taken).map(|fold| fold.0.clone()).collect();
        renames
    }

    /// The layout with what is to be taken, in one step.
    pub fn apply(&self, layout: &Layout) -> Layout {
        self.renames().apply(layout)
    }

    /// The same through variables: panels name `$velodyne_points`, and a variable says which topic that is here.
    pub fn apply_as_variables(&self, layout: &Layout) -> Layout {
        let mut out = layout.clone();
        let meant = self.renames();
        meant.apply_to_variables(&mut out);
        for misfit in &self.misfits {
            let Some(new) = misfit.take.as_ref().filter(|_| !meant.folded.contains(&misfit.name)) else {
                continue;
            };
            let variable = free_name(&misfit.name, &out.variables);
            let spelled = HashMap::from([(misfit.name.clone(), format!("${variable}"))]);
            let spelled = match misfit.what {
                NameOf::Topic => Renames {
                    topics: spelled,
                    ..Renames::default()
                },
                NameOf::Frame => Renames {
                    frames: spelled,
                    ..Renames::default()
                },
            };
            if spelled.apply_to_panels(&mut out) {
                out.variables.insert(variable, new.as_str().into());
            }
        }
        // what was taken apart at the wrong place has no name that a variable could say
        meant.apply(&out)
    }

    pub fn text(&self) -> String {
        let mut out = String::new();
        // writing to a string cannot fail
        let _ = match self.misfits.len() {
            0 => writeln!(out, "everything fits"),
            1 => writeln!(out, "1 name does not fit:"),
            n => writeln!(out, "{n} names do not fit:"),
        };
        for misfit in &self.misfits {
            let what = match misfit.what {
                NameOf::Topic => "topic",
                NameOf::Frame => "frame",
            };
            let instead = match &misfit.take {
                Some(take) => {
                    let detail = misfit.choices.iter().find(|choice| choice.name == *take);
                    let detail = detail.filter(|_| misfit.what == NameOf::Topic);
                    format!(
                        " → {take}{}",
                        detail.map_or(String::new(), |choice| format!(" ({})", choice.detail))
                    )
                }
                None => " → nothing that is like it".to_owned(),
            };
            let _ = writeln!(out, "  {what} {}{instead}", misfit.name);
            let _ = writeln!(out, "    {}; used by {}", misfit.why, misfit.panels.join(", "));
        }
        out
    }
}

/// A variable that is named after a topic or frame.
fn free_name(name: &str, variables: &IndexMap<String, serde_json::Value>) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let name: String = name.trim_matches('/').chars().map(plain).collect();
    let name = match name.chars().next() {
        Some(first) if first.is_ascii_alphabetic() => name,
        _ => format!("name_{name}"),
    };
    let mut free = name.clone();
    let mut number = 2;
    while variables.contains_key(&free) {
        free = format!("{name}_{number}");
        number += 1;
    }
    free
}
