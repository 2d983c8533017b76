//! Runs a store's work at once, in this thread, on recordings in memory.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use roadreel::decode::{Decoded, Form, Resource};
use roadreel::format::{Checks, Container, Fetched, Step, recognise};
use roadreel::source::Location;
use roadreel::store::{ChunkContent, ChunkRead, Event, Read, Store, Want, Work};
use roadreel::time::Time;

/// A store with its recordings.
pub struct Inline {
    pub store: Store,
    pub files: HashMap<String, Bytes>,
    pub now: Time,
    /// Of play.
    pub speed: f64,
    /// Nothing that is asked for comes while this is false.
    pub answers: bool,
}

impl Inline {
    /// Opens one recording that lies in memory.
    pub fn open(bag: impl Into<Bytes>) -> Inline {
        let location = Location::parse("/drive.bag").unwrap();
        let files = HashMap::from([(location.name(), bag.into())]);
        let mut inline = Inline {
            store: Store::new(1 << 30),
            files,
            now: Time(0),
            speed: 0.0,
            answers: true,
        };
        inline.store.open(vec![location]);
        inline.settle(&[]);
        inline.now = inline.store.span().map_or(Time(0), |span| span.start);
        inline
    }

    /// Works until nothing is left to do for `wants` at the playhead.
    pub fn settle(&mut self, wants: &[Want]) {
        for _ in 0..1000 {
            self.store.demand(self.now, self.speed, wants);
            if !self.answers {
                return;
            }
            let work = self.store.take_work();
            if work.is_empty() {
                return;
            }
            for item in work {
                for event in self.run(item) {
                    self.store.apply(event);
                }
            }
        }
        panic!("the store never settles");
    }

    fn run(&self, work: Work) -> Vec<Event> {
        match work {
            Work::Open { source, location, .. } => {
                let container = index(&self.files[&location.name()]);
                vec![Event::Opened {
                    source,
                    container,
                    done: true,
                    done_fraction: 1.0,
                }]
            }
            Work::Read(read) => {
                let file = &self.files["drive.bag"];
                let mut events: Vec<Event> = read.chunks.iter().map(|chunk| chunk_read(file, &read, chunk)).collect();
                events.push(Event::ReadDone { id: read.id });
                events
            }
            Work::Renew { source, link } => vec![Event::Renewed { source, result: Ok(link) }],
            Work::Decode { id, schema, form, payload } => vec![Event::Decoded {
                id,
                result: schema.decode(form, &payload),
            }],
            Work::Fetch { address, .. } => {
                let found = self.files.get(&*address).cloned().ok_or("there is no such file".to_owned());
                let result = found.and_then(|bytes| Resource::read(&address, bytes)).map_err(Into::into);
                vec![Event::Fetched { address, result }]
            }
            Work::Compute { id, task } => vec![Event::Computed {
                id,
                outcome: Some(task.run()),
            }],
            Work::Cancel(_) => Vec::new(),
        }
    }
}

fn index(file: &Bytes) -> Arc<dyn Container> {
    let head = file.slice(..file.len().min(65_536));
    let len = file.len() as u64;
    let mut indexer = recognise("drive.bag", &head, len).unwrap().indexer(len);
    let mut got = Fetched::default();
    loop {
        match indexer.step(&got).unwrap() {
            Step::Ready(container) => return container,
            Step::Need(need) | Step::Grew { need, .. } => {
                got = Fetched::default();
                for range in need {
                    got.push(range.start, file.slice(range.start as usize..range.end.min(len) as usize));
                }
            }
        }
    }
}

fn chunk_read(file: &Bytes, read: &Read, chunk: &ChunkRead) -> Event {
    let connections = chunk.connections();
    let need = read.container.catalog().chunks[chunk.chunk as usize].range.clone();
    let got = Fetched::one(need.start, file.slice(need.start as usize..need.end as usize));
    let batch = read.container.messages(chunk.chunk, &got, &connections, Checks::Quick);
    let mut content = ChunkContent {
        warnings: batch.warnings,
        ..ChunkContent::default()
    };
    let arrivals = read.container.arrivals(chunk.chunk, &got);
    for job in &chunk.arrivals {
        content.rows.extend(job.rows_of(&arrivals).map(|rows| (job.rows, rows)));
    }
    for job in &chunk.rows {
        content.rows.extend(job.rows_of(&batch.messages).map(|rows| (job.rows, rows)));
    }
    for message in &batch.messages {
        for (connection, schema) in &chunk.transforms {
            if *connection == message.connection
                && let Ok(Decoded::Transforms(all)) = schema.decode(Form::Transforms, &message.payload)
            {
                content
                    .transforms
                    .extend(all.into_iter().map(|transform| (*connection, message.time, transform)));
            }
        }
    }
    let kept = batch
        .messages
        .into_iter()
        .filter(|message| chunk.keep.contains(&message.connection));
    content.messages.extend(kept.map(|mut message| {
        message.payload = Bytes::copy_from_slice(&message.payload);
        message
    }));
    content.messages.sort_by_key(|message| message.time);
    Event::ChunkRead {
        id: read.id,
        source: read.source,
        chunk: chunk.chunk,
        content,
    }
}
