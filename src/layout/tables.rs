//! Tables as Webviz and its descendants store them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::rule::{Codec, Group, Rule, key};
use super::value::{self, put};

pub static TABLE: &[Rule] = &[key("/topicPath", "/path", Codec::Text), Rule::Group(&COLUMNS)];

/// `~` is an expression there: the same where it is a plain text.
const COMPARISONS: Codec = Codec::Words(&[
    ("==", "=="),
    ("!=", "!="),
    ("<", "<"),
    ("<=", "<="),
    (">", ">"),
    (">=", ">="),
    ("~", "contains"),
]);

/// By column: whether it is hidden or opened, and how its cells are coloured.
static COLUMNS: Group = Group {
    ours: &["/hidden", "/open", "/colors"],
    read: |reader| {
        let (mut hidden, mut open, mut colors) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
        for (name, column) in reader.entries("/columnConfigs") {
            if column.flag("/hidden", "/hidden") == Some(true) {
                hidden.insert(name);
            }
            if column.flag("/isExpanded", "/open") == Some(true) {
                open.insert(name);
            }
            for rule in column.items("/conditionalFormats") {
                let to = format!("/colors/{}", colors.len());
                let operator = rule.take("/comparator", &format!("{to}/operator"), COMPARISONS);
                let given = rule
                    .value
                    .pointer("/primitive")
                    .map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
                let (Some(operator), Some(given)) = (operator, given) else {
                    continue;
                };
                if operator == "contains" && given != regex::escape(&given) {
                    rule.odd("/primitive", "an expression: here cells are searched for a plain text");
                    continue;
                }
                rule.mark("/primitive", &format!("{to}/value"));
                let color = rule.take("/color", &format!("{to}/color"), Codec::Color);
                let color = color.unwrap_or_else(|| "warn".into());
                colors.push(json!({"column": name, "operator": operator, "value": given, "color": color, "whole_row": false}));
            }
        }
        json!({"hidden": hidden, "open": open, "colors": colors})
    },
    write: |now, theirs| {
        let texts = |key: &str| -> BTreeSet<String> {
            let list = now.pointer(key).and_then(Value::as_array).into_iter().flatten();
            list.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let (hidden, open) = (texts("/hidden"), texts("/open"));
        let colors: Vec<&Value> = now.pointer("/colors").and_then(Value::as_array).into_iter().flatten().collect();
        let of_column = |name: &str, theirs: &Value| -> Option<Vec<Value>> {
            let key = format!("/columnConfigs/{}/conditionalFormats", super::portable::escape(name));
            let rules = colors.iter().filter(|rule| value::text(rule, "/column") == Some(name)).enumerate();
            let there = |at: usize| theirs.pointer(&format!("{key}/{at}"));
            rules.map(|(at, rule)| written(rule, at, there(at))).collect()
        };
        let known = theirs.pointer("/columnConfigs").and_then(Value::as_object);
        let mut names: BTreeSet<String> = known.into_iter().flatten().map(|(name, _)| name.clone()).collect();
        names.extend(hidden.iter().chain(&open).cloned());
        names.extend(colors.iter().filter_map(|rule| value::text(rule, "/column")).map(str::to_owned));
        for name in names {
            let Some(formats) = of_column(&name, theirs) else { return false };
            let at = format!("/columnConfigs/{}", super::portable::escape(&name));
            for (flag, is_on) in [("hidden", hidden.contains(&name)), ("isExpanded", open.contains(&name))] {
                let key = format!("{at}/{flag}");
                if is_on || theirs.pointer(&key).is_some() {
                    put(theirs, &key, is_on.into());
                }
            }
            let key = format!("{at}/conditionalFormats");
            if !formats.is_empty() || theirs.pointer(&key).is_some() {
                put(theirs, &key, Value::Array(formats));
            }
        }
        true
    },
};

/// Over what stood in its place; None: there is no way to say it there.
fn written(rule: &Value, at: usize, there: Option<&Value>) -> Option<Value> {
    let color = value::text(rule, "/color").filter(|color| color.starts_with('#'))?;
    if value::flag(rule, "/whole_row") == Some(true) {
        return None;
    }
    let given = value::text(rule, "/value").unwrap_or_default();
    // numbers and truth values are no texts there
    let primitive = serde_json::from_str::<Value>(given)
        .ok()
        .filter(|v| v.is_number() || v.is_boolean());
    let comparator = COMPARISONS.write(rule.pointer("/operator").unwrap_or(&"==".into()))?;
    let mut out = there.cloned().unwrap_or_else(|| json!({ "id": format!("rule-{at}") }));
    put(&mut out, "/comparator", comparator);
    put(&mut out, "/primitive", primitive.unwrap_or_else(|| given.into()));
    put(&mut out, "/color", color.into());
    Some(out)
}
