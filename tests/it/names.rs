//! Every widget that can be used has a name: for screen readers, and for tests that look for it.

use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT as _;

const USED: [Role; 13] = [
    Role::Button,
    Role::CheckBox,
    Role::RadioButton,
    Role::ComboBox,
    Role::Slider,
    Role::SpinButton,
    Role::TextInput,
    Role::MultilineTextInput,
    Role::SearchInput,
    Role::PasswordInput,
    Role::Link,
    Role::ColorWell,
    Role::Image,
];

/// Those without one, by their role and place.
pub fn unnamed<S>(harness: &Harness<'_, S>) -> Vec<String> {
    let nodes = harness.root().children_recursive();
    let without = nodes.filter(|node| {
        let node = node.accesskit_node();
        let is_named = node.label().is_some_and(|label| !label.trim().is_empty());
        USED.contains(&node.role()) && !is_named && !node.is_hidden()
    });
    let told = without.map(|node| {
        let beside = node.parent().into_iter().flat_map(|p| p.children().collect::<Vec<_>>());
        let beside: Vec<String> = beside.filter_map(|n| n.accesskit_node().label()).take(4).collect();
        let at = node.rect().center();
        format!("{:?} at {:.0} {:.0}, beside {beside:?}", node.accesskit_node().role(), at.x, at.y)
    });
    told.collect()
}

/// `what`: what is open.
#[track_caller]
pub fn assert_named<S>(harness: &Harness<'_, S>, what: &str) {
    let nameless = unnamed(harness);
    assert!(nameless.is_empty(), "{what}: {nameless:#?}");
}
