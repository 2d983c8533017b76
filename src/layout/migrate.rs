//! Layouts of older versions, made to what this version reads: one function for each step.
//!
//! Invariant: a step only moves what it names; everything else stays as it was.

use serde_json::Value;

use super::LayoutError;
use super::own::VERSION;

/// The step from version 1 comes first.
const STEPS: [fn(&mut Value); VERSION as usize - 1] = [angles_name_their_unit];

/// Makes a document of an older version one of this version.
pub fn migrate(document: &mut Value) -> Result<(), LayoutError> {
    let version = match document.get("version") {
        Some(version) => version.as_u64().filter(|v| (1..=u64::from(u32::MAX)).contains(v)),
        // written by hand
        None if document.is_object() => Some(1),
        None => None,
    };
    let Some(version) = version else {
        return Err(LayoutError::Syntax("its version must be a whole number from 1".to_owned()));
    };
    let done = usize::try_from(version - 1).unwrap_or(usize::MAX);
    for step in STEPS.iter().skip(done) {
        step(document);
    }
    if let Some(object) = document.as_object_mut() {
        object.insert("version".to_owned(), version.max(u64::from(VERSION)).into());
    }
    Ok(())
}

/// 1 → 2: the 3D panel's `camera.yaw` and `camera.pitch` became `yaw_degrees` and `pitch_degrees`.
fn angles_name_their_unit(document: &mut Value) {
    let panels = document.get_mut("panels").and_then(Value::as_object_mut);
    for panel in panels.into_iter().flat_map(|panels| panels.values_mut()) {
        if panel.get("kind").and_then(Value::as_str) != Some("scene3d") {
            continue;
        }
        if let Some(camera) = panel.pointer_mut("/config/camera").and_then(Value::as_object_mut) {
            let renamed = std::mem::take(camera).into_iter().map(|(key, value)| match key.as_str() {
                "yaw" => ("yaw_degrees".to_owned(), value),
                "pitch" => ("pitch_degrees".to_owned(), value),
                _ => (key, value),
            });
            *camera = renamed.collect();
        }
    }
}
