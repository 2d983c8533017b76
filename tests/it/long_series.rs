//! A recording of one scalar that is as long as one likes, made as it is read: value and time of each message can be computed.

use std::path::PathBuf;
use std::sync::Arc;

use roadreel::format::{Batch, Catalog, Checks, Chunk, ChunkId, Connection, ConnectionSet, Container, Fetched};
use roadreel::source::Location;
use roadreel::store::{ChunkContent, Event, Series, Stamp, Store, Want, What, Work};
use roadreel::time::{Span, Time};

pub const PATH: &str = "/long.data";
const START: i64 = 1_600_000_000_000_000_000;
const STEP_NANOS: i64 = 1_000_000;
/// One value in so many is a spike.
pub const SPIKES_APART: u64 = 777_777;

pub struct Long {
    pub store: Store,
    container: Arc<dyn Container>,
    per_chunk: u64,
    pub reads: usize,
    pub max_memory: u64,
}

pub fn time_of(i: u64) -> Time {
    Time(START + i as i64 * STEP_NANOS)
}

/// A slow wave with noise and rare spikes, each of its own height.
pub fn value_of(i: u64) -> f64 {
    if i % SPIKES_APART == SPIKES_APART / 2 {
        return 1000.0 + (i / SPIKES_APART) as f64;
    }
    let noise = (i.wrapping_mul(6_364_136_223_846_793_005) >> 40) as f64 / f64::from(1 << 24);
    let phase = (i % 1_000_000) as f64 / 1_000_000.0;
    100.0 * (phase - phase * phase) + noise
}

struct Made {
    catalog: Catalog,
}

impl Container for Made {
    fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    fn messages(&self, _: ChunkId, _: &Fetched, _: &ConnectionSet, _: Checks) -> Batch {
        unreachable!("points are made without messages")
    }
}

#[allow(dead_code)]
impl Long {
    /// `chunks` of `per_chunk` messages a millisecond apart.
    pub fn new(budget: u64, chunks: u64, per_chunk: u64) -> Long {
        let connection = Connection {
            topic: "/long".into(),
            type_name: "std_msgs/Float64".into(),
            md5: "0".into(),
            definition: "float64 data\n".into(),
            latching: false,
            callerid: None,
            bag: None,
        };
        let chunk = |i: u64| Chunk {
            range: i * 1000..(i + 1) * 1000,
            span: Span::new(time_of(i * per_chunk), time_of((i + 1) * per_chunk - 1)),
            compression: "none".into(),
            counts: vec![(0, per_chunk as u32)],
        };
        let catalog = Catalog {
            format: "made",
            size: chunks * 1000,
            indexed: true,
            connections: vec![connection],
            chunks: (0..chunks).map(chunk).collect(),
            ..Catalog::default()
        };
        let mut long = Long {
            store: Store::new(budget),
            container: Arc::new(Made { catalog }),
            per_chunk,
            reads: 0,
            max_memory: 0,
        };
        long.store.open(vec![Location::Path(PathBuf::from("/long.bag"))]);
        long.settle();
        long
    }

    pub fn wants(&self, detail: Option<Span>) -> Vec<Want> {
        let topic = self.store.topic_by_name("/long").expect("the topic").id;
        let (path, stamp): (Arc<str>, Stamp) = (PATH.into(), Stamp::Receive);
        let mut wants = vec![Want {
            topic,
            what: What::Series {
                path: path.clone(),
                stamp: stamp.clone(),
                span: Span::ALL,
            },
        }];
        wants.extend(detail.map(|span| Want {
            topic,
            what: What::Points { path, stamp, span },
        }));
        wants
    }

    pub fn demand(&mut self, now: Time, wants: &[Want]) {
        self.store.demand(now, 0.0, wants);
        self.settle();
    }

    /// Until nothing is missing.
    pub fn settle(&mut self) {
        loop {
            let work = self.store.take_work();
            if work.is_empty() {
                return;
            }
            for piece in work {
                self.execute(piece);
            }
        }
    }

    fn execute(&mut self, work: Work) {
        match work {
            Work::Open { source, .. } => self.store.apply(Event::Opened {
                source,
                container: self.container.clone(),
                done: true,
                done_fraction: 1.0,
            }),
            Work::Read(read) => {
                for wanted in &read.chunks {
                    self.reads += 1;
                    let first = u64::from(wanted.chunk) * self.per_chunk;
                    let points = || (first..first + self.per_chunk).map(|i| (time_of(i), value_of(i))).collect();
                    self.store.apply(Event::ChunkRead {
                        id: read.id,
                        source: read.source,
                        chunk: wanted.chunk,
                        content: ChunkContent {
                            series: wanted.series.iter().map(|job| (job.series, points())).collect(),
                            ..ChunkContent::default()
                        },
                    });
                    self.max_memory = self.max_memory.max(self.store.status().memory_used);
                }
                self.store.apply(Event::ReadDone { id: read.id });
            }
            Work::Compute { id, task } => {
                let outcome = Some(task.run());
                self.store.apply(Event::Computed { id, outcome });
                self.max_memory = self.max_memory.max(self.store.status().memory_used);
            }
            _ => {}
        }
    }

    pub fn series(&self) -> &Series {
        let topic = self.store.topic_by_name("/long").expect("the topic").id;
        self.store.series(topic, PATH, &Stamp::Receive).expect("it was wanted")
    }
}
