//! Branches → the lines of a tree, and what is wrong with it.
//!
//! Invariant: every frame is in one line, even where parents go round in a circle (those below a closed one are in none).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use super::is_contradicted;
use crate::panel::widget::matches_words;
use crate::store::{Branch, Flaw};
use crate::time::{Time, format_duration};

/// A frame in the tree.
pub struct Line {
    pub frame: Arc<str>,
    /// The root of its tree.
    pub root: Arc<str>,
    /// One for each ancestor, the nearest last: whether more of that ancestor's children follow.
    pub rails: Vec<bool>,
    /// Whether its children are listed; None where it has none.
    pub open: Option<bool>,
    /// Where it stands in its parent; None for roots.
    pub branch: Option<Branch>,
    /// All that was told of that.
    pub branches: Vec<Branch>,
    pub trouble: Option<String>,
}

/// Something that keeps frames apart, or may.
#[derive(Debug)]
pub struct Trouble {
    pub what: String,
    pub is_error: bool,
}

pub struct Tree {
    pub lines: Vec<Line>,
    pub troubles: Vec<Trouble>,
    pub roots: usize,
}

/// Deeper trees than any robot's are not descended further.
const DEEPEST: usize = 128;
/// So many frames without a parent are told of one by one.
const MOST_LOST: usize = 4;
/// No transform for this long, and for five of its periods.
const SILENCE_NANOS: i64 = 1_000_000_000;

/// Whether a frame that moves has not been heard of for unusually long.
pub fn is_silent(branch: &Branch, now: Time) -> bool {
    let age = now.since(branch.received);
    let period = branch.rate_hz.map_or(0.0, |hz| 1e9 / hz);
    !branch.is_static && age > SILENCE_NANOS && age as f64 > 5.0 * period
}

/// Frames that messages and panels name, and who does: never nobody.
pub type Named = BTreeMap<Arc<str>, BTreeSet<Arc<str>>>;

/// `named`: those that no transform leads to are told. `search` keeps the frames whose name holds all its words, with their ancestors.
pub fn build(branches: Vec<Branch>, named: &Named, now: Time, closed: &BTreeSet<String>, search: &str) -> Tree {
    let (nameless, branches): (Vec<Branch>, Vec<Branch>) = branches.into_iter().partition(|b| b.flaw == Some(Flaw::Nameless));
    let mut of: BTreeMap<Arc<str>, Vec<Branch>> = BTreeMap::new();
    for branch in branches {
        of.entry(branch.child.clone()).or_default().push(branch);
    }
    let parent_of = |frame: &Arc<str>| of.get(frame).and_then(|b| b.first()).map(|b| b.parent.clone());
    let mut children: BTreeMap<Arc<str>, Vec<Arc<str>>> = BTreeMap::new();
    for child in of.keys() {
        if let Some(parent) = parent_of(child) {
            children.entry(parent).or_default().push(child.clone());
        }
    }
    let mut troubles = Vec::new();
    let loops = loops(&of);
    for frames in &loops {
        let mut names: Vec<&str> = frames.iter().map(|f| &**f).collect();
        names.extend(frames.first().map(|f| &**f));
        troubles.push(Trouble {
            what: format!("A loop: {}. No transform can be worked out of it.", names.join(" → ")),
            is_error: true,
        });
    }
    let mut roots: Vec<Arc<str>> = children.keys().filter(|frame| !of.contains_key(*frame)).cloned().collect();
    // the largest tree first
    let sizes: BTreeMap<Arc<str>, usize> = roots.iter().map(|root| (root.clone(), size(root, &children))).collect();
    roots.sort_by_key(|root| std::cmp::Reverse(sizes.get(root).copied()));
    if roots.len() > 1 {
        let names: Vec<String> = roots.iter().map(|root| shown_name(root)).collect();
        troubles.push(Trouble {
            what: format!("{} trees, which no transform joins: {}", roots.len(), names.join(", ")),
            is_error: false,
        });
    }
    let lost: BTreeMap<&Arc<str>, String> = named
        .iter()
        .filter(|(frame, _)| !frame.is_empty() && !of.is_empty() && !of.contains_key(*frame) && !children.contains_key(*frame))
        .map(|(frame, who)| {
            let name = if who.len() == 1 { "names" } else { "name" };
            let what = format!(
                "{frame} has no parent: nobody publishes a transform of it, and {} {name} it",
                some(who)
            );
            (frame, what)
        })
        .collect();
    for what in lost.values().take(MOST_LOST).cloned() {
        troubles.push(Trouble { what, is_error: true });
    }
    let more: BTreeSet<Arc<str>> = lost.keys().skip(MOST_LOST).map(|frame| (*frame).clone()).collect();
    if !more.is_empty() {
        let what = format!("{} more frames that messages name have no parent: {}", more.len(), some(&more));
        troubles.push(Trouble { what, is_error: true });
    }
    for (child, branches) in &of {
        troubles.extend(contradiction(child, branches));
        troubles.extend(branches.iter().find_map(flaw));
    }
    let parents: BTreeSet<Arc<str>> = nameless.iter().map(|branch| shown_name(&branch.parent).into()).collect();
    if !parents.is_empty() {
        troubles.push(Trouble {
            what: format!("Transforms in {} name no child frame, and place nothing", some(&parents)),
            is_error: true,
        });
    }
    let silent: Vec<String> = of
        .values()
        .filter_map(|b| b.first())
        .filter(|b| is_silent(b, now))
        .map(|b| format!("{} for {}", b.child, format_duration(now.since(b.received))))
        .collect();
    if !silent.is_empty() {
        let some = silent.iter().take(4).cloned().collect::<Vec<_>>().join(", ");
        let more = if silent.len() > 4 { ", …" } else { "" };
        troubles.push(Trouble {
            what: format!("Silent: {some}{more}"),
            is_error: false,
        });
    }
    let mut walk = Walk {
        of: &of,
        children: &children,
        lost: &lost,
        closed,
        search,
        lines: Vec::new(),
    };
    let alone = lost.keys().filter(|frame| !roots.contains(frame)).map(|frame| (*frame).clone());
    let heads = roots
        .iter()
        .cloned()
        .chain(alone)
        .chain(loops.iter().filter_map(|l| l.first().cloned()));
    let heads: Vec<Arc<str>> = heads.collect();
    for head in &heads {
        walk.frame(head, head, &mut Vec::new(), &mut BTreeSet::new());
    }
    Tree {
        lines: walk.lines,
        roots: roots.len(),
        troubles,
    }
}

/// A frame without a name is one all the same.
pub fn shown_name(frame: &str) -> String {
    match frame {
        "" => "“” (a frame without a name)".to_owned(),
        name => name.to_owned(),
    }
}

fn contradiction(child: &str, branches: &[Branch]) -> Option<Trouble> {
    if !is_contradicted(branches) {
        return None;
    }
    let mut parents: Vec<String> = branches.iter().map(|b| shown_name(&b.parent)).collect();
    parents.sort();
    parents.dedup();
    Some(Trouble {
        what: format!("{child} has {} parents: {}", parents.len(), parents.join(", ")),
        is_error: true,
    })
}

/// What is wrong with the newest transform of a frame itself.
fn flaw(branch: &Branch) -> Option<Trouble> {
    let what = match branch.flaw? {
        // told of all together
        Flaw::Nameless => return None,
        Flaw::NotFinite => "holds NaN or infinity, and places nothing",
        Flaw::NoRotation => "has a rotation of length 0, which is taken as none",
        Flaw::Denormalized => "has a rotation that is not normalized: RViz drops it",
    };
    Some(Trouble {
        what: format!("The transform of {} {what}", branch.child),
        is_error: true,
    })
}

/// The first few of them, in a sentence.
fn some(names: &BTreeSet<Arc<str>>) -> String {
    const MOST: usize = 3;
    let first: Vec<&str> = names.iter().take(MOST).map(|name| &**name).collect();
    match (first.split_last(), names.len().saturating_sub(MOST)) {
        (_, more @ 1..) => format!("{} and {more} more", first.join(", ")),
        (Some((last, before @ [_, ..])), 0) => format!("{} and {last}", before.join(", ")),
        _ => first.concat(),
    }
}

fn size(root: &Arc<str>, children: &BTreeMap<Arc<str>, Vec<Arc<str>>>) -> usize {
    let mut count = 0;
    let mut todo = vec![root];
    // each frame has one parent here: none is met twice below a root
    while let Some(frame) = todo.pop() {
        count += 1;
        todo.extend(children.get(frame).into_iter().flatten());
    }
    count
}

/// Frames whose parents go round in a circle, each circle once.
fn loops(of: &BTreeMap<Arc<str>, Vec<Branch>>) -> Vec<Vec<Arc<str>>> {
    let mut found: Vec<Vec<Arc<str>>> = Vec::new();
    let mut done: BTreeSet<&Arc<str>> = BTreeSet::new();
    for start in of.keys() {
        let mut way: Vec<&Arc<str>> = Vec::new();
        let mut at = start;
        while !done.contains(at) {
            if let Some(begin) = way.iter().position(|f| *f == at) {
                found.push(way.iter().skip(begin).map(|f| (*f).clone()).collect());
                break;
            }
            way.push(at);
            match of.get(at).and_then(|b| b.first()) {
                Some(branch) => at = &branch.parent,
                None => break,
            }
        }
        done.extend(way);
    }
    found
}

struct Walk<'a> {
    of: &'a BTreeMap<Arc<str>, Vec<Branch>>,
    children: &'a BTreeMap<Arc<str>, Vec<Arc<str>>>,
    lost: &'a BTreeMap<&'a Arc<str>, String>,
    closed: &'a BTreeSet<String>,
    search: &'a str,
    lines: Vec<Line>,
}

impl Walk<'_> {
    /// Adds the frame and what is below it. False where nothing of it fits the search.
    fn frame(&mut self, frame: &Arc<str>, root: &Arc<str>, rails: &mut Vec<bool>, above: &mut BTreeSet<Arc<str>>) -> bool {
        if !above.insert(frame.clone()) {
            return false;
        }
        let branches = self.of.get(frame).cloned().unwrap_or_default();
        let below: Vec<Arc<str>> = self.children.get(frame).cloned().unwrap_or_default();
        let below: Vec<Arc<str>> = below.into_iter().filter(|child| !above.contains(child)).collect();
        let searching = !self.search.trim().is_empty();
        let is_open = (searching || !self.closed.contains(&**frame)) && rails.len() < DEEPEST;
        let flaw = || branches.iter().find_map(flaw);
        let trouble = contradiction(frame, &branches).or_else(flaw).map(|t| t.what);
        let trouble = trouble.or_else(|| self.lost.get(frame).cloned());
        let at = self.lines.len();
        self.lines.push(Line {
            frame: frame.clone(),
            root: root.clone(),
            rails: rails.clone(),
            open: (!below.is_empty()).then_some(is_open),
            branch: branches.first().cloned(),
            branches,
            trouble,
        });
        let mut fits = matches_words(frame, self.search);
        if is_open {
            for (i, child) in below.iter().enumerate() {
                rails.push(i + 1 < below.len());
                fits |= self.frame(child, root, rails, above);
                rails.pop();
            }
        }
        above.remove(frame);
        if !fits {
            self.lines.truncate(at);
        }
        fits
    }
}

/// The tree with indents, as people paste it into a message.
pub fn as_text(lines: &[Line]) -> String {
    let mut out = String::new();
    for line in lines {
        let kind = match &line.branch {
            None => "root",
            Some(branch) if branch.is_static => "static",
            Some(_) => "dynamic",
        };
        let _ = writeln!(out, "{}{} ({kind})", "  ".repeat(line.rails.len()), line.frame);
    }
    out
}
