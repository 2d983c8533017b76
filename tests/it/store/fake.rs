//! Recordings in memory, and an executor that runs work one piece at a time, in an order that the test chooses.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use roadreel::decode::{Decoded, Schema};
use roadreel::format::{Batch, Catalog, Checks, Chunk, ChunkId, Connection, ConnectionSet, Container, Fetched, Message};
use roadreel::source::Location;
use roadreel::store::{ChunkContent, Deadline, Event, Read, Store, Times, Want, Work};
use roadreel::time::{Span, Time};

pub const FLOAT: &str = "float64 data\n";
pub const TF: &str = "geometry_msgs/TransformStamped[] transforms\n\
===\nMSG: geometry_msgs/TransformStamped\nstd_msgs/Header header\nstring child_frame_id\ngeometry_msgs/Transform transform\n\
===\nMSG: std_msgs/Header\nuint32 seq\ntime stamp\nstring frame_id\n\
===\nMSG: geometry_msgs/Transform\ngeometry_msgs/Vector3 translation\ngeometry_msgs/Quaternion rotation\n\
===\nMSG: geometry_msgs/Vector3\nfloat64 x\nfloat64 y\nfloat64 z\n\
===\nMSG: geometry_msgs/Quaternion\nfloat64 x\nfloat64 y\nfloat64 z\nfloat64 w\n";
pub const MARKER: &str = "std_msgs/Header header\nstring ns\nint32 id\nint32 type\nint32 action\ngeometry_msgs/Pose pose\n\
geometry_msgs/Vector3 scale\nstd_msgs/ColorRGBA color\nduration lifetime\nbool frame_locked\ngeometry_msgs/Point[] points\n\
std_msgs/ColorRGBA[] colors\nstring text\nstring mesh_resource\nbool mesh_use_embedded_materials\n\
===\nMSG: std_msgs/Header\nuint32 seq\ntime stamp\nstring frame_id\n\
===\nMSG: geometry_msgs/Pose\ngeometry_msgs/Point position\ngeometry_msgs/Quaternion orientation\n\
===\nMSG: geometry_msgs/Point\nfloat64 x\nfloat64 y\nfloat64 z\n\
===\nMSG: geometry_msgs/Quaternion\nfloat64 x\nfloat64 y\nfloat64 z\nfloat64 w\n\
===\nMSG: geometry_msgs/Vector3\nfloat64 x\nfloat64 y\nfloat64 z\n\
===\nMSG: std_msgs/ColorRGBA\nfloat32 r\nfloat32 g\nfloat32 b\nfloat32 a\n";

pub fn t(millis: i64) -> Time {
    Time(1_600_000_000_000_000_000 + millis * 1_000_000)
}

/// A recording: connections, and chunks of messages (connection, time in milliseconds, payload).
#[derive(Default)]
pub struct Recording {
    pub connections: Vec<Connection>,
    pub chunks: Vec<Vec<(u32, Time, Bytes)>>,
    pub chunk_bytes: u64,
}

impl Recording {
    pub fn topic(&mut self, topic: &str, type_name: &str, definition: &str, latching: bool) -> u32 {
        self.connections.push(Connection {
            topic: topic.into(),
            type_name: type_name.into(),
            md5: format!("{:x}", definition.len()).into(),
            definition: definition.into(),
            latching,
            callerid: None,
            bag: None,
        });
        self.connections.len() as u32 - 1
    }

    pub fn container(self) -> Arc<dyn Container> {
        let size = self.chunk_bytes.max(1000);
        let chunks = self.chunks.iter().enumerate().map(|(i, messages)| {
            let mut counts: Vec<(u32, u32)> = Vec::new();
            for (connection, _, _) in messages {
                match counts.iter_mut().find(|c| c.0 == *connection) {
                    Some(count) => count.1 += 1,
                    None => counts.push((*connection, 1)),
                }
            }
            counts.sort_unstable();
            let start = messages.iter().map(|m| m.1).min().unwrap_or_default();
            let end = messages.iter().map(|m| m.1).max().unwrap_or_default();
            Chunk {
                range: i as u64 * size..(i as u64 + 1) * size,
                span: Span::new(start, end),
                compression: "none".into(),
                counts,
            }
        });
        let catalog = Catalog {
            format: "fake",
            size: size * self.chunks.len() as u64,
            indexed: true,
            connections: self.connections.clone(),
            chunks: chunks.collect(),
            ..Catalog::default()
        };
        Arc::new(Fake {
            catalog,
            chunks: self.chunks,
        })
    }
}

struct Fake {
    catalog: Catalog,
    chunks: Vec<Vec<(u32, Time, Bytes)>>,
}

impl Container for Fake {
    fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    fn messages(&self, chunk: ChunkId, _: &Fetched, connections: &ConnectionSet, _: Checks) -> Batch {
        let messages = self.chunks[chunk as usize].iter().filter(|m| connections.contains(m.0));
        Batch {
            messages: messages
                .map(|(connection, time, payload)| Message {
                    connection: *connection,
                    time: *time,
                    payload: payload.clone(),
                })
                .collect(),
            warnings: Vec::new(),
            instead: None,
        }
    }
}

/// Chunks, each with the connections that were read of it.
pub type ChunkConnections = Vec<(u32, Vec<u32>)>;

/// A store with recordings and what it has asked for.
pub struct World {
    pub store: Store,
    pub pending: VecDeque<Work>,
    recordings: Vec<Option<Arc<dyn Container>>>,
    /// Every read so far: deadline, chunks, connections of each.
    pub reads: Vec<(Deadline, ChunkConnections)>,
    pub bytes_read: u64,
    pub cancelled: usize,
    pub max_memory: u64,
}

impl World {
    /// One recording at a local path, indexed at once.
    pub fn local(budget: u64, recording: Recording) -> World {
        World::of(budget, vec![(Location::Path(PathBuf::from("/a.bag")), Some(recording.container()))])
    }

    pub fn remote(budget: u64, recording: Recording) -> World {
        let url = url::Url::parse("https://host/a.bag").expect("a URL");
        World::of(budget, vec![(Location::Url(url), Some(recording.container()))])
    }

    /// None: opening fails.
    pub fn of(budget: u64, recordings: Vec<(Location, Option<Arc<dyn Container>>)>) -> World {
        let mut world = World {
            store: Store::new(budget),
            pending: VecDeque::new(),
            recordings: recordings.iter().map(|r| r.1.clone()).collect(),
            reads: Vec::new(),
            bytes_read: 0,
            cancelled: 0,
            max_memory: 0,
        };
        world.store.open(recordings.into_iter().map(|r| r.0).collect());
        world.settle();
        world
    }

    pub fn take(&mut self) {
        for work in self.store.take_work() {
            match work {
                Work::Cancel(id) => {
                    self.cancelled += 1;
                    self.pending.retain(|w| match w {
                        Work::Read(read) => read.id != id,
                        Work::Decode { id: of, .. } | Work::Compute { id: of, .. } => *of != id,
                        _ => true,
                    });
                }
                Work::Read(read) => {
                    let chunks = read.chunks.iter().map(|c| match c.connections() {
                        ConnectionSet::Only(ids) => (c.chunk, ids.to_vec()),
                        ConnectionSet::All => (c.chunk, Vec::new()),
                    });
                    self.reads.push((read.deadline, chunks.collect()));
                    self.bytes_read += read.range.end - read.range.start;
                    self.pending.push_back(Work::Read(read));
                }
                other => self.pending.push_back(other),
            }
        }
    }

    /// Runs the pending piece of work at `at`; a read fails where `fail` says so.
    pub fn run(&mut self, at: usize, fail: bool) {
        let Some(work) = self.pending.remove(at) else { return };
        match work {
            Work::Open { source, .. } => self.store.apply(match &self.recordings[source as usize] {
                Some(container) => Event::Opened {
                    source,
                    container: container.clone(),
                    done: true,
                    done_fraction: 1.0,
                },
                None => Event::OpenFailed {
                    source,
                    error: "broken".into(),
                },
            }),
            Work::Read(read) if fail => self.store.apply(Event::ReadFailed {
                id: read.id,
                source: read.source,
                error: "the server said no".into(),
            }),
            Work::Read(read) => self.read(&read),
            Work::Decode { id, schema, form, payload } => self.store.apply(Event::Decoded {
                id,
                result: schema.decode(form, &payload),
            }),
            Work::Renew { source, link } => self.store.apply(Event::Renewed { source, result: Ok(link) }),
            Work::Fetch { address, .. } => self.store.apply(Event::Fetched {
                address,
                result: Err("there is no such file".into()),
            }),
            Work::Compute { id, task } => self.store.apply(Event::Computed {
                id,
                outcome: Some(task.run()),
            }),
            Work::Cancel(_) => {}
        }
        self.max_memory = self.max_memory.max(self.store.status().memory_used);
    }

    fn read(&mut self, read: &Read) {
        for chunk in &read.chunks {
            assert!(read.range.start <= chunk.range.start && chunk.range.end <= read.range.end);
            let content = content(read, chunk);
            self.store.apply(Event::ChunkRead {
                id: read.id,
                source: read.source,
                chunk: chunk.chunk,
                content,
            });
        }
        self.store.apply(Event::ReadDone { id: read.id });
    }

    /// Runs everything that is asked for until nothing is.
    pub fn settle(&mut self) {
        for _ in 0..100_000 {
            self.take();
            if self.pending.is_empty() {
                return;
            }
            self.run(0, false);
        }
        panic!("the store never settles");
    }

    pub fn seek(&mut self, now: Time, wants: &[Want]) {
        self.store.demand(now, 0.0, wants);
        self.settle();
    }

    pub fn topic(&self, name: &str) -> roadreel::store::TopicId {
        self.store.topic_by_name(name).unwrap_or_else(|| panic!("no topic {name}")).id
    }
}

/// What the executor takes out of a chunk.
fn content(read: &Read, chunk: &roadreel::store::ChunkRead) -> ChunkContent {
    let batch = read
        .container
        .messages(chunk.chunk, &Fetched::default(), &chunk.connections(), Checks::Quick);
    let mut messages = batch.messages;
    messages.sort_by_key(|m| m.time);
    let series = chunk.series.iter().map(|job| {
        let points = messages.iter().filter(|m| m.connection == job.connection);
        let value = |m: &Message| (m.time, job.column.get(&m.payload).unwrap_or(f64::NAN));
        (job.series, points.map(value).collect())
    });
    let transforms = chunk.transforms.iter().flat_map(|(connection, schema)| {
        messages
            .iter()
            .filter(|m| m.connection == *connection)
            .flat_map(|m| transforms(schema, m))
    });
    let arrivals = read.container.arrivals(chunk.chunk, &Fetched::default());
    let of_arrivals = chunk.arrivals.iter().filter_map(|job| Some((job.rows, job.rows_of(&arrivals)?)));
    let rows = chunk
        .rows
        .iter()
        .filter_map(|job| Some((job.rows, job.rows_of(&messages)?)))
        .chain(of_arrivals);
    let times: Vec<_> = messages.iter().map(|m| (m.connection, m.time)).collect();
    let (series, rows, transforms) = (series.collect(), rows.collect(), transforms.collect());
    messages.retain(|m| chunk.keep.contains(&m.connection));
    ChunkContent {
        messages,
        series,
        texts: Vec::new(),
        rows,
        times: Times::of_each(&times),
        transforms,
        warnings: Vec::new(),
    }
}

fn transforms(schema: &Schema, m: &Message) -> Vec<(u32, Time, roadreel::decode::TransformStamped)> {
    match schema.decode(roadreel::decode::Form::Transforms, &m.payload) {
        Ok(Decoded::Transforms(all)) => all.into_iter().map(|tf| (m.connection, m.time, tf)).collect(),
        _ => Vec::new(),
    }
}

pub fn float(v: f64) -> Bytes {
    Bytes::copy_from_slice(&v.to_le_bytes())
}

/// A float message and what it shows.
pub fn float_of(decoded: &Decoded) -> f64 {
    match decoded {
        Decoded::Value(roadreel::decode::Value::Struct { values, .. }) => match values.first() {
            Some(roadreel::decode::Value::F64(v)) => *v,
            other => panic!("no float but {other:?}"),
        },
        other => panic!("no float but {other:?}"),
    }
}
