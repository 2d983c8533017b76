//! Files of JSON Lines: a last line that is cut off is left out, and of a wrong one its number is told.

use object_store::{ObjectStore, ObjectStoreExt as _};
use serde::de::IgnoredAny;

use super::Lake;
use super::files::Named;
use crate::format::table::non_finite::value;
use crate::source::{Location, Reader};

/// A last line is no longer.
const TAIL_BYTES: u64 = 1 << 20;
/// Longer files are not searched for a wrong line.
const SEARCHED_BYTES: u64 = 256 << 20;

impl Lake {
    pub(super) async fn leave_cut_line_out(&self, file: &mut Named) {
        let size = file.meta.size;
        let start = size.saturating_sub(TAIL_BYTES);
        let objects: &dyn ObjectStore = &*self.objects;
        let Ok(tail) = objects.get_range(&file.meta.location, start..size).await else {
            return;
        };
        let Some(end) = tail.iter().rposition(|byte| *byte == b'\n') else {
            return;
        };
        let last = tail.get(end + 1..).unwrap_or_default();
        let is_cut = serde_json::from_slice::<IgnoredAny>(last).is_err_and(|error| error.is_eof());
        if !is_cut || last.trim_ascii().is_empty() {
            return;
        }
        file.meta.size = start + end as u64 + 1;
        self.objects.shorten(&file.meta.location, file.meta.size);
        let loss = format!("the last line is cut off and is left out: {}", file.at);
        self.state().losses.push(loss);
    }

    /// The first line that is no JSON.
    pub(super) async fn about_lines(&self, at: &Location) -> Option<String> {
        let reader = Reader::open(at.clone(), self.io.net()).await.ok()?;
        if reader.len() > SEARCHED_BYTES {
            return None;
        }
        let bytes = reader.read(0..reader.len()).await.ok()?;
        let mut lines = bytes.split(|byte| *byte == b'\n').enumerate();
        lines.find_map(|(number, line)| {
            let error = value(line).err()?;
            let what = error.to_string().replace(" at line 1 column ", " in column ");
            let is_line = !line.trim_ascii().is_empty();
            is_line.then(|| format!("line {} is no JSON: {what}", number + 1))
        })
    }
}
