//! The nodes that wrote lines, as a tree of their namespaces: each with its counts, each to be hidden alone or with all below it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use egui::{RichText, Ui};

use super::LogPanel;
use super::row::level_color;
use super::tools::short_count;
use crate::decode::LogLevel;
use crate::panel::widget;
use crate::theme;

/// Lines by level.
type Counts = [u64; 5];

#[derive(Default)]
struct Branch<'a> {
    /// The names of all below begin with it.
    path: &'a str,
    /// The node that ends here.
    node: Option<(&'a Arc<str>, Counts)>,
    below: BTreeMap<&'a str, Branch<'a>>,
}

impl<'a> Branch<'a> {
    fn of(nodes: &'a [(Arc<str>, Counts)]) -> Branch<'a> {
        let mut root = Branch::default();
        for (node, counts) in nodes {
            let mut at = &mut root;
            // ROS 2's loggers have dots between namespaces
            let separator = if node.contains('/') { '/' } else { '.' };
            let mut end = 0;
            for part in node.split(separator) {
                end += part.len();
                if !part.is_empty() {
                    at = at.below.entry(part).or_default();
                    at.path = node.get(..end).unwrap_or(node);
                }
                end += 1;
            }
            at.node = Some((node, *counts));
        }
        root
    }

    fn each(&self, f: &mut impl FnMut(&'a Arc<str>, Counts)) {
        if let Some((node, counts)) = self.node {
            f(node, counts);
        }
        self.below.values().for_each(|branch| branch.each(f));
    }

    fn nodes(&self) -> Vec<&'a Arc<str>> {
        let mut nodes = Vec::new();
        self.each(&mut |node, _| nodes.push(node));
        nodes
    }

    fn counts(&self) -> Counts {
        let mut sum = Counts::default();
        self.each(&mut |_, counts| sum.iter_mut().zip(counts).for_each(|(s, n)| *s += n));
        sum
    }
}

impl LogPanel {
    pub(super) fn nodes_ui(&mut self, ui: &mut Ui) {
        if self.lines.nodes.is_empty() {
            return;
        }
        theme::widget::section(ui, "Nodes");
        let nodes = self.lines.nodes.clone();
        let root = Branch::of(&nodes);
        if let Some((node, counts)) = root.node {
            row_ui(ui, "(without a name)", &[node], counts, &mut self.config.hidden_nodes);
        }
        tree_ui(ui, &root, &mut self.config.hidden_nodes);
    }
}

fn tree_ui(ui: &mut Ui, branch: &Branch, hidden: &mut BTreeSet<String>) {
    for below in branch.below.values() {
        let nodes = below.nodes();
        // a namespace of one node is no namespace
        if let [only] = nodes.as_slice() {
            row_ui(ui, only, &nodes, below.counts(), hidden);
            continue;
        }
        row_ui(ui, below.path, &nodes, below.counts(), hidden);
        ui.indent(below.path, |ui| {
            if let Some((node, counts)) = below.node {
                row_ui(ui, node, &[node], counts, hidden);
            }
            tree_ui(ui, below, hidden);
        });
    }
}

/// Shown, hidden, or partly shown: all of `nodes` go with it.
fn row_ui(ui: &mut Ui, name: &str, nodes: &[&Arc<str>], counts: Counts, hidden: &mut BTreeSet<String>) {
    let p = theme::palette(ui.visuals());
    let shown = nodes.iter().filter(|node| !hidden.contains::<str>(node)).count();
    ui.horizontal(|ui| {
        let mut on = shown > 0;
        let is_part = shown > 0 && shown < nodes.len();
        let check = ui.add(egui::Checkbox::new(&mut on, name).indeterminate(is_part));
        let label = if nodes.len() > 1 {
            format!("{name} and {} nodes below", nodes.len())
        } else {
            name.to_owned()
        };
        if widget::named(check, &label).changed() {
            // what was partly shown is shown whole
            let is_shown = on || is_part;
            for node in nodes {
                match is_shown {
                    true => drop(hidden.remove::<str>(node)),
                    false => drop(hidden.insert(node.to_string())),
                };
            }
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            for (level, count) in LogLevel::ALL.into_iter().zip(counts).rev().filter(|c| c.1 > 0) {
                let text = RichText::new(short_count(count)).font(theme::small()).color(level_color(p, level));
                ui.label(text).on_hover_text(format!("{count} × {}", level.name()));
            }
        });
    });
}
