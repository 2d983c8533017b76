//! The JSON Schema of layout files, of the structs that read them: `layouts/roadreel.schema.json`.

use serde_json::{Map, Value, json};

use crate::layout::Layout;
use crate::panel::PANELS;

/// Of a whole layout file, with each kind of panel's configuration.
pub fn schema() -> Value {
    let mut schema = serde_json::to_value(schemars::schema_for!(Layout)).unwrap_or_default();
    let mut kinds = Map::new();
    let mut cases = Vec::new();
    for kind in PANELS {
        let mut config = (kind.schema)().to_value();
        if let Some(config) = config.as_object_mut() {
            config.shift_remove("$schema");
            config.insert("title".to_owned(), kind.name.into());
        }
        kinds.insert(format!("panel_{}", kind.id), config);
        // a panel without a configuration has null
        let its = json!({"anyOf": [{"$ref": format!("#/$defs/panel_{}", kind.id)}, {"type": "null"}]});
        cases.push(json!({
            "if": {"properties": {"kind": {"const": kind.id}}},
            "then": {"properties": {"config": its}},
        }));
    }
    if let Some(defs) = schema.get_mut("$defs").and_then(Value::as_object_mut) {
        if let Some(panel) = defs.get_mut("PanelEntry").and_then(Value::as_object_mut) {
            panel.insert("allOf".to_owned(), Value::Array(cases));
        }
        defs.extend(kinds);
    }
    schema
}
