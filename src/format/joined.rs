//! Several containers of one file, or of files that are read one behind the other, as one: the tables and recordings of a folder.
//!
//! Invariant: connections and chunks are those of the first, then those of the second, and so on; byte ranges stay as they are. Topics of
//! different types have different names.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::table::{is_table, segment};
use super::{
    Batch, Catalog, Checks, Chunk, ChunkId, Connection, ConnectionId, ConnectionSet, Container, Fetched, Limit, ReadHere, Warning,
};
use crate::time::Time;

/// The format of several tables.
const TABLES: &str = "tables";

struct Joined {
    members: Vec<Member>,
    lost: Vec<Warning>,
    notes: Vec<String>,
    catalog: Catalog,
}

struct Member {
    container: Arc<dyn Container>,
    /// Its first connection, and its first chunk.
    connections: ConnectionId,
    chunks: ChunkId,
}

/// All of them as one; `warnings` tell of others that could not be read, `notes` of what was not to be.
pub fn joined(containers: Vec<Arc<dyn Container>>, warnings: Vec<Warning>, notes: Vec<String>) -> Arc<dyn Container> {
    let mut catalog = Catalog {
        indexed: true,
        warnings: warnings.clone(),
        notes: notes.clone(),
        ..Catalog::default()
    };
    let mut members = Vec::with_capacity(containers.len());
    for container in containers {
        let of = container.catalog();
        let (Ok(connections), Ok(chunks)) = (
            ConnectionId::try_from(catalog.connections.len()),
            ChunkId::try_from(catalog.chunks.len()),
        ) else {
            break;
        };
        let moved = |chunk: &Chunk| Chunk {
            counts: chunk
                .counts
                .iter()
                .map(|(id, count)| (id.saturating_add(connections), *count))
                .collect(),
            ..chunk.clone()
        };
        catalog.chunks.extend(of.chunks.iter().map(moved));
        let named: Vec<Connection> = of.connections.iter().map(|connection| told_apart(&catalog, connection)).collect();
        catalog.connections.extend(named);
        catalog.warnings.extend(of.warnings.iter().cloned());
        catalog.indexed &= of.indexed;
        // a table's size is that of all files
        catalog.size = match are_tables(of.format) {
            true => catalog.size.max(of.size),
            false => catalog.size.saturating_add(of.size),
        };
        catalog.format = match members.is_empty() || catalog.format == of.format {
            true => of.format,
            false if are_tables(catalog.format) && are_tables(of.format) => TABLES,
            false => "several",
        };
        members.push(Member {
            container,
            connections,
            chunks,
        });
    }
    Arc::new(Joined {
        members,
        lost: warnings,
        notes,
        catalog,
    })
}

fn are_tables(format: &str) -> bool {
    is_table(format) || format == TABLES
}

/// Under another name where a topic of another type has its own: what was extracted from a recording stands behind that one's name.
fn told_apart(before: &Catalog, connection: &Connection) -> Connection {
    let is_other = |topic: &str| {
        let mut same = before.connections.iter().filter(|other| *other.topic == *topic);
        same.any(|other| other.type_name != connection.type_name)
    };
    if !is_other(&connection.topic) {
        return connection.clone();
    }
    let first = connection.bag.as_deref().unwrap_or("table");
    let name = format!("/{}/{}", segment(first), connection.topic.trim_start_matches('/'));
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    let free = std::iter::once(name.clone()).chain(numbered).find(|name| !is_other(name));
    Connection {
        topic: free.unwrap_or(name).into(),
        ..connection.clone()
    }
}

impl Joined {
    fn member(&self, chunk: ChunkId) -> Option<(&Member, ChunkId)> {
        let at = self.members.partition_point(|member| member.chunks <= chunk).checked_sub(1)?;
        let member = self.members.get(at)?;
        Some((member, chunk - member.chunks))
    }
}

impl Member {
    fn wanted(&self, connections: &ConnectionSet) -> ConnectionSet {
        let count = self.container.catalog().connections.len();
        match connections {
            ConnectionSet::All => ConnectionSet::All,
            ConnectionSet::Only(ids) => {
                let own = ids.iter().filter_map(|id| id.checked_sub(self.connections));
                ConnectionSet::Only(own.filter(|id| (*id as usize) < count).collect())
            }
        }
    }
}

impl Container for Joined {
    fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    fn messages(&self, chunk: ChunkId, got: &Fetched, connections: &ConnectionSet, checks: Checks) -> Batch {
        let Some((member, own)) = self.member(chunk) else {
            return Batch::default();
        };
        let mut batch = member.container.messages(own, got, &member.wanted(connections), checks);
        for message in &mut batch.messages {
            message.connection = message.connection.saturating_add(member.connections);
        }
        batch
    }

    fn listed(&self, chunk: ChunkId, got: &Fetched) -> Option<Vec<(ConnectionId, Time)>> {
        let (member, own) = self.member(chunk)?;
        let listed = member.container.listed(own, got)?.into_iter();
        Some(listed.map(|(id, time)| (id.saturating_add(member.connections), time)).collect())
    }

    fn ranges_of(&self, chunk: ChunkId, fields: &BTreeSet<&str>) -> Option<Vec<Range<u64>>> {
        let (member, own) = self.member(chunk)?;
        member.container.ranges_of(own, fields)
    }

    fn needed(&self, chunk: ChunkId, connections: &ConnectionSet, read: &mut ReadHere) -> Option<Fetched> {
        let (member, own) = self.member(chunk)?;
        member.container.needed(own, &member.wanted(connections), read)
    }

    fn limits(&self, chunk: ChunkId, field: &str) -> Option<(Limit, Limit)> {
        let (member, own) = self.member(chunk)?;
        member.container.limits(own, field)
    }

    fn placed(&self, start: Time) -> Option<Arc<dyn Container>> {
        let placed: Vec<_> = self.members.iter().map(|member| member.container.placed(start)).collect();
        if placed.iter().all(Option::is_none) {
            return None;
        }
        let members = self.members.iter().zip(placed);
        let members = members.map(|(member, placed)| placed.unwrap_or_else(|| member.container.clone()));
        Some(joined(members.collect(), self.lost.clone(), self.notes.clone()))
    }
}
