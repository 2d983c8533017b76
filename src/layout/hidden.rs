//! What is hidden, by name: an object of `{visible}` in Foxglove, a list here.

use serde_json::{Value, json};

use super::portable::escape;
use super::rule::Reader;
use super::value::{self, put};

/// Where both stand.
pub struct Hidden {
    pub theirs: &'static str,
    /// Of their names.
    pub prefix: &'static str,
    pub ours: &'static str,
}

impl Hidden {
    pub fn read(&self, reader: &Reader<'_>) -> Value {
        let mut hidden = Vec::new();
        for (name, inside) in reader.entries(self.theirs) {
            if let Some(name) = name.strip_prefix(self.prefix)
                && inside.flag("/visible", self.ours) == Some(false)
            {
                hidden.push(name);
            }
        }
        hidden.sort_unstable();
        let mut made = Value::Null;
        if !hidden.is_empty() {
            put(&mut made, self.ours, json!(hidden));
        }
        made
    }

    pub fn write(&self, now: &Value, theirs: &mut Value) -> bool {
        let hidden = now.pointer(self.ours).and_then(Value::as_array);
        let hidden: Vec<&str> = hidden.into_iter().flatten().filter_map(Value::as_str).collect();
        let given = theirs.pointer(self.theirs).and_then(Value::as_object).cloned().unwrap_or_default();
        let named = given.keys().filter_map(|name| name.strip_prefix(self.prefix));
        let shown = named.filter(|name| !hidden.contains(name)).map(|name| (name, true));
        for (name, visible) in shown.chain(hidden.iter().map(|name| (*name, false))) {
            let pointer = format!("{}/{}/visible", self.theirs, escape(&format!("{}{name}", self.prefix)));
            if value::flag(theirs, &pointer).unwrap_or(true) != visible {
                put(theirs, &pointer, visible.into());
            }
        }
        true
    }
}
