//! The tree of panels in the one form that all ways of writing it come to, so that two trees can be compared.
//!
//! Invariant: the form is what the window keeps: each panel under a header of its own, no split in a split of the same direction,
//! no tabs in tabs, nothing around a single part.

use super::own::{Child, Direction, Node, Tab};

/// Shares closer than this are the same: files round them.
const SAME_SHARE: f32 = 2e-3;

/// None where nothing is in it.
pub fn canonical(node: &Node) -> Option<Node> {
    match node {
        Node::Split { split, children, extra } => {
            let mut parts: Vec<Child> = Vec::new();
            let sum: f32 = children.iter().map(share_of).sum();
            for child in children {
                let share = share_of(child) / sum;
                match canonical(&child.node) {
                    Some(Node::Split {
                        split: inner,
                        children: inside,
                        ..
                    }) if inner == *split => parts.extend(inside.into_iter().map(|part| Child {
                        share: part.share * share,
                        node: part.node,
                    })),
                    Some(node) => parts.push(Child { share, node }),
                    None => {}
                }
            }
            let sum: f32 = parts.iter().map(|part| part.share).sum();
            parts.iter_mut().for_each(|part| part.share /= sum);
            match parts.len() {
                0 => None,
                1 => parts.pop().map(|part| part.node),
                _ => Some(Node::Split {
                    split: *split,
                    children: parts,
                    extra: extra.clone(),
                }),
            }
        }
        Node::Tabs { tabs, active, extra } => {
            let mut parts: Vec<Tab> = Vec::new();
            let mut shown = 0;
            for (at, tab) in tabs.iter().enumerate() {
                let part = match tab {
                    Tab::Panel(id) => Some(Tab::alone(id)),
                    Tab::Node(node) => canonical(node),
                };
                let first = parts.len();
                let mut inner = 0;
                match part {
                    Some(Node::Tabs { tabs, active, .. }) => {
                        inner = active;
                        parts.extend(tabs);
                    }
                    Some(node) => parts.push(Tab::Node(Box::new(node))),
                    None => {}
                }
                if at == *active {
                    shown = first + inner;
                }
            }
            match parts.as_slice() {
                [] => None,
                [Tab::Node(only)] => Some((**only).clone()),
                _ => Some(Node::Tabs {
                    active: shown.min(parts.len() - 1),
                    tabs: parts,
                    extra: extra.clone(),
                }),
            }
        }
        Node::Unknown(_) => Some(node.clone()),
    }
}

fn share_of(child: &Child) -> f32 {
    if child.share.is_finite() && child.share > 0.0 {
        child.share.clamp(1e-4, 1e4)
    } else {
        1.0
    }
}

/// Whether two trees in canonical form are one, but for which tabs are in front.
pub fn same(a: &Node, b: &Node) -> bool {
    match (a, b) {
        (
            Node::Split {
                split: split_a,
                children: a,
                extra: extra_a,
            },
            Node::Split {
                split: split_b,
                children: b,
                extra: extra_b,
            },
        ) => {
            let is_same = |(a, b): (&Child, &Child)| (a.share - b.share).abs() < SAME_SHARE && same(&a.node, &b.node);
            split_a == split_b && extra_a == extra_b && a.len() == b.len() && a.iter().zip(b).all(is_same)
        }
        (
            Node::Tabs {
                tabs: a, extra: extra_a, ..
            },
            Node::Tabs {
                tabs: b, extra: extra_b, ..
            },
        ) => {
            let is_same = |(a, b): (&Tab, &Tab)| match (a, b) {
                (Tab::Panel(a), Tab::Panel(b)) => a == b,
                (Tab::Node(a), Tab::Node(b)) => same(a, b),
                _ => false,
            };
            extra_a == extra_b && a.len() == b.len() && a.iter().zip(b).all(is_same)
        }
        (a, b) => a == b,
    }
}

/// Ids of all panels, in the order of the tree.
pub fn panels(node: &Node) -> Vec<&str> {
    match node {
        Node::Split { children, .. } => children.iter().flat_map(|child| panels(&child.node)).collect(),
        Node::Tabs { tabs, .. } => tabs
            .iter()
            .flat_map(|tab| match tab {
                Tab::Panel(id) => vec![id.as_str()],
                Tab::Node(node) => panels(node),
            })
            .collect(),
        Node::Unknown(_) => Vec::new(),
    }
}

/// `[a 38% | b] / c 62%`: for people.
pub fn text(node: &Node) -> String {
    match node {
        Node::Split { split, children, .. } => {
            let parts = children
                .iter()
                .map(|child| format!("{} {:.0}%", text(&child.node), child.share * 100.0));
            let between = if *split == Direction::Row { " | " } else { " / " };
            format!("[{}]", parts.collect::<Vec<_>>().join(between))
        }
        Node::Tabs { tabs, .. } => {
            let parts = tabs.iter().map(|tab| match tab {
                Tab::Panel(id) => id.clone(),
                Tab::Node(node) => text(node),
            });
            let parts: Vec<String> = parts.collect();
            if parts.len() == 1 {
                parts.concat()
            } else {
                format!("({})", parts.join(", "))
            }
        }
        Node::Unknown(_) => "?".to_owned(),
    }
}
