//! Variables of Webviz and its descendants; and names in a layout that stand for topics and frames.

use serde_json::{Map, Value, json};

use super::portable::escape;
use super::rule::Group;
use super::value::{put, remove};

pub static GROUP: Group = Group {
    ours: &["/variables"],
    read: |reader| {
        let list = list_of(reader.value);
        let mut made = Map::new();
        for (name, inside) in reader.entries(&format!("/{list}")) {
            inside.mark("", &format!("/variables/{}", escape(name)));
            made.insert(name.to_owned(), inside.value.clone());
        }
        json!({ "variables": made })
    },
    write: |now, theirs| {
        let list = list_of(theirs);
        let given = theirs.get(list).and_then(Value::as_object).cloned().unwrap_or_default();
        let none = Map::new();
        let now = now.get("variables").and_then(Value::as_object).unwrap_or(&none);
        // lists and objects are none of our variables: they stay as they were
        for (name, value) in given {
            if !now.contains_key(&name) && !value.is_object() && !value.is_array() {
                remove(theirs, &format!("/{list}/{}", escape(&name)));
            }
        }
        for (name, value) in now {
            put(theirs, &format!("/{list}/{}", escape(name)), value.clone());
        }
        true
    },
};

/// The key of variables: another one in Webviz's first versions.
fn list_of(theirs: &Value) -> &'static str {
    match theirs.get("globalVariables").is_none() && theirs.get("globalData").is_some() {
        true => "globalData",
        false => "globalVariables",
    }
}
