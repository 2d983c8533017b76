//! What was done to the layout, step by step: each step holds the layout after it, so that going back and forth is going along a row.
//!
//! Invariants: steps share the panels that did not change between them; how many there are, and what they hold of their own, is
//! bounded; playback and sidebars are not part of it.

use std::collections::VecDeque;
use std::sync::Arc;

use indexmap::IndexMap;

use super::place::Place;
use crate::layout::{Layout, PanelEntry};

const STEPS_MAX: usize = 300;
const CHECKPOINTS_MAX: usize = 50;
/// Of JSON that steps do not share.
const BYTES_MAX: usize = 8 << 20;
/// Changes of one kind that follow each other so closely are one step.
const ONE_STEP_SECONDS: f64 = 1.5;

/// A layout whose panels are shared with the steps before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    panels: IndexMap<String, Arc<PanelEntry>>,
    /// All but the panels, and but playback and sidebars.
    rest: Arc<Layout>,
}

impl Snapshot {
    fn of(layout: Layout, before: Option<&Snapshot>) -> Snapshot {
        let mut rest = layout;
        let panels = std::mem::take(&mut rest.panels);
        (rest.playback, rest.sidebars) = (None, None);
        let shared = |id: &str, entry: PanelEntry| {
            let before = before.and_then(|b| b.panels.get(id)).filter(|b| ***b == entry);
            before.cloned().unwrap_or_else(|| Arc::new(entry))
        };
        let panels = panels.into_iter().map(|(id, entry)| (id.clone(), shared(&id, entry))).collect();
        let same_rest = before.map(|b| &b.rest).filter(|b| ***b == rest).cloned();
        Snapshot {
            panels,
            rest: same_rest.unwrap_or_else(|| Arc::new(rest)),
        }
    }

    /// The layout's own name.
    pub fn name(&self) -> Option<String> {
        self.rest.name.clone()
    }

    /// Without playback and sidebars.
    pub fn layout(&self) -> Layout {
        Layout {
            panels: self.panels.iter().map(|(id, entry)| (id.clone(), (**entry).clone())).collect(),
            ..(*self.rest).clone()
        }
    }

    /// In JSON, without what it shares with the one before it.
    fn own_bytes(&self, before: Option<&Snapshot>) -> usize {
        let is_shared = |id: &str, entry: &Arc<PanelEntry>| before.and_then(|b| b.panels.get(id)).is_some_and(|b| Arc::ptr_eq(b, entry));
        let own = self.panels.iter().filter(|(id, entry)| !is_shared(id, entry));
        let panels: usize = own.map(|(_, entry)| json_bytes(&**entry)).sum();
        let shares_rest = before.is_some_and(|b| Arc::ptr_eq(&b.rest, &self.rest));
        panels + if shares_rest { 0 } else { json_bytes(&*self.rest) } + self.panels.len() * 64
    }
}

fn json_bytes(value: &impl serde::Serialize) -> usize {
    serde_json::to_vec(value).map_or(0, |bytes| bytes.len())
}

/// What was done, the layout after it, and the file that it then belonged to.
pub struct Step {
    pub name: String,
    /// Steps with the same one, that follow each other closely, are one.
    subject: Option<String>,
    at_seconds: f64,
    pub state: Arc<Snapshot>,
    pub place: Option<Place>,
    own_bytes: usize,
}

pub struct Checkpoint {
    pub name: String,
    pub state: Arc<Snapshot>,
    pub place: Option<Place>,
}

/// A change, as it is told to [`History::record`].
pub struct Recorded {
    pub layout: Layout,
    pub place: Option<Place>,
    pub at_seconds: f64,
    /// None: named by what differs.
    pub name: Option<String>,
    /// Text is being typed, or something turned or scrolled: the next change of the same kind belongs to this one.
    pub goes_on: bool,
}

#[derive(Default)]
pub struct History {
    steps: VecDeque<Step>,
    /// Which of them is shown.
    at: usize,
    pub checkpoints: Vec<Checkpoint>,
}

impl History {
    /// Begins anew from a layout.
    pub fn begin(&mut self, name: &str, layout: Layout, place: Option<Place>) {
        let state = Snapshot::of(layout, None);
        let own_bytes = state.own_bytes(None);
        let step = Step {
            name: name.to_owned(),
            subject: None,
            at_seconds: 0.0,
            state: Arc::new(state),
            place,
            own_bytes,
        };
        (self.steps, self.at) = (VecDeque::from([step]), 0);
        self.checkpoints.clear();
    }

    pub fn steps(&self) -> impl DoubleEndedIterator<Item = &Step> + ExactSizeIterator {
        self.steps.iter()
    }

    /// The number of the step that is shown.
    pub fn at(&self) -> usize {
        self.at
    }

    pub fn present(&self) -> Option<&Step> {
        self.steps.get(self.at)
    }

    /// What would be undone.
    pub fn undoes(&self) -> Option<&str> {
        (self.at > 0).then(|| self.present().map(|step| step.name.as_str())).flatten()
    }

    /// What would be done again.
    pub fn redoes(&self) -> Option<&str> {
        self.steps.get(self.at + 1).map(|step| step.name.as_str())
    }

    /// Shows another step.
    pub fn go_to(&mut self, at: usize) -> Option<&Step> {
        let step = self.steps.get(at)?;
        self.at = at;
        Some(step)
    }

    /// Takes a change in as a step of its own, or as a part of the one before; false where nothing has changed.
    pub fn record(&mut self, change: Recorded) -> bool {
        let Some(present) = self.steps.get(self.at) else {
            self.begin(change.name.as_deref().unwrap_or("Opened"), change.layout, change.place);
            return true;
        };
        let state = Snapshot::of(change.layout, Some(&present.state));
        if state == *present.state && change.place == present.place {
            return false;
        }
        let told = super::history_names::between(&present.state.layout(), &state.layout());
        let (name, subject) = match change.name {
            Some(name) => (name, None),
            None => (told.name, Some(told.subject)),
        };
        self.steps.truncate(self.at + 1);
        let is_one = self.steps.back().is_some_and(|last| {
            let close = change.at_seconds - last.at_seconds < ONE_STEP_SECONDS;
            self.at > 0 && subject.is_some() && subject == last.subject && close && (change.goes_on || told.is_view)
        });
        if is_one {
            self.steps.pop_back();
        }
        let before = self.steps.back().map(|step| &step.state);
        // back where it began: as if nothing had been done
        if is_one && before.is_some_and(|before| **before == state) {
            self.at = self.steps.len() - 1;
            return true;
        }
        let own_bytes = state.own_bytes(before.map(|state| &**state));
        self.steps.push_back(Step {
            name,
            subject,
            at_seconds: change.at_seconds,
            state: Arc::new(state),
            place: change.place,
            own_bytes,
        });
        self.at = self.steps.len() - 1;
        self.forget_oldest();
        true
    }

    /// What is no step of its own (which tab is in front, how large a window is) belongs to the one that is shown.
    pub fn amend(&mut self, layout: Layout, place: Option<Place>) {
        let at = self.at;
        let before = at.checked_sub(1).and_then(|at| self.steps.get(at)).map(|step| step.state.clone());
        if let Some(step) = self.steps.get_mut(at) {
            let state = Snapshot::of(layout, Some(&step.state));
            step.own_bytes = state.own_bytes(before.as_deref());
            (step.state, step.place) = (Arc::new(state), place);
        }
    }

    /// A file has another name.
    pub fn moved(&mut self, from: &Place, to: &Place) {
        let steps = self.steps.iter_mut().map(|step| &mut step.place);
        let places = steps.chain(self.checkpoints.iter_mut().map(|checkpoint| &mut checkpoint.place));
        for place in places.filter(|place| place.as_ref() == Some(from)) {
            *place = Some(to.clone());
        }
    }

    fn forget_oldest(&mut self) {
        let mut bytes: usize = self.steps.iter().map(|step| step.own_bytes).sum();
        while self.steps.len() > STEPS_MAX || (bytes > BYTES_MAX && self.steps.len() > 2) {
            let Some(oldest) = self.steps.pop_front() else { return };
            bytes = bytes.saturating_sub(oldest.own_bytes);
            self.at = self.at.saturating_sub(1);
            // it holds alone what it shared with the one that went
            if let Some(first) = self.steps.front_mut() {
                bytes -= first.own_bytes;
                first.own_bytes = first.state.own_bytes(None);
                bytes += first.own_bytes;
            }
        }
    }

    /// Keeps what is shown under a name.
    pub fn add_checkpoint(&mut self, name: &str) {
        let Some(present) = self.steps.get(self.at) else { return };
        let checkpoint = Checkpoint {
            name: name.to_owned(),
            state: present.state.clone(),
            place: present.place.clone(),
        };
        self.checkpoints.retain(|c| c.name != name);
        self.checkpoints.push(checkpoint);
        if self.checkpoints.len() > CHECKPOINTS_MAX {
            self.checkpoints.remove(0);
        }
    }
}
