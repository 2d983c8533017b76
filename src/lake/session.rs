//! What is open in a window, as tables under the names that the window has for it.
//!
//! Invariant: a recording is not indexed anew: its index and its reader are those of the window.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;

use super::{Lake, LakeError, Opened, topic};
use crate::run::Recording;
use crate::source::Location;

/// The schema of what is open; names are found in it without naming it.
pub(super) const OPEN: &str = "open";

/// Something that is open.
#[derive(Clone)]
pub enum OpenSource {
    /// Each topic as it is recorded, and as the window calls it.
    Recording(Recording, Vec<(Arc<str>, Arc<str>)>),
    /// A table and the topic that the window shows it as.
    Table(Arc<str>, Location),
    /// Rows that the window holds, under a name.
    Rows(String, RecordBatch),
}

impl Lake {
    /// Adds tables for what is open; parts of one recording become one table. Waits: not for the window's thread.
    pub fn add_open(&self, source: OpenSource) -> Result<(), LakeError> {
        match source {
            OpenSource::Recording(recording, names) => {
                for (recorded, table) in topic::topics(&recording)? {
                    let name = names
                        .iter()
                        .find(|(own, _)| **own == *recorded)
                        .map_or(&*recorded, |(_, name)| &**name);
                    self.add_part(name, table)?;
                }
                Ok(())
            }
            OpenSource::Table(name, location) => {
                let opened = super::caught(|| self.io.block_on(self.open(&location, None)))?;
                match opened {
                    Opened::Table(table) => self.add_part(&name, table),
                    Opened::Several(tables, _) => tables
                        .into_iter()
                        .try_for_each(|(inner, table)| self.add_part(&format!("/{}", inner.trim_start_matches('/')), table)),
                }
            }
            OpenSource::Rows(name, rows) => {
                let table = MemTable::try_new(rows.schema(), vec![vec![rows]])?;
                self.add_part(&name, Arc::new(table))
            }
        }
    }

    /// Rows of another part stand behind those that are there under this name. Where they are of another shape, they are left out: the
    /// window shows them under the first one's definition, too.
    fn add_part(&self, name: &str, table: Arc<dyn TableProvider>) -> Result<(), LakeError> {
        let known = self.context.catalog(super::CATALOG).and_then(|catalog| catalog.schema(OPEN));
        let before = known.and_then(|schema| schema.deregister_table(name).ok().flatten());
        let whole = match before {
            Some(before) if before.schema() == table.schema() => {
                let first = self.context.read_table(before)?;
                first.union(self.context.read_table(table)?)?.into_view()
            }
            Some(before) => before,
            None => table,
        };
        self.register(OPEN, name, whole)
    }
}
