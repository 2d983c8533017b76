//! What panels of whole recordings cost: an expression over ten million lines of a log, frames of a map with a track of a million
//! positions.
//!
//! `cargo bench --bench panels` measures; under `cargo test` each bench runs once, on little.

#[allow(dead_code)]
#[path = "../it/encode.rs"]
mod encode;
mod figures;
mod stage;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use encode::Encoder;
use roadreel::decode::{Form, Rows, Schema, definitions};
use roadreel::format::{Batch, Catalog, Checks, Chunk, ChunkId, Connection, ConnectionSet, Container, Fetched, Message};
use roadreel::source::Location;
use roadreel::store::{ChunkContent, Event, LogFilter, LogQuery, Store, Work};
use roadreel::time::{Span, Time};
use stage::{Stage, wheel};

/// As the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const START: i64 = 1_600_000_000_000_000_000;

fn main() {
    let measuring = figures::are_wanted();
    let rows = [
        log(if measuring { 10_000_000 } else { 20_000 }),
        map(if measuring { 1000 } else { 10 }, 1000),
        // an hour at 10 Hz beside cameras and lidars: a chunk holds one position
        map(if measuring { 36_000 } else { 100 }, 1),
    ]
    .concat();
    if measuring {
        let head = "Of the processor, on one core; times of the log are of unpacking and examining all lines, those of the map of a frame without rasterising: of each frame the median of three equal runs, of all frames what is told.";
        let table = format!("{head}\n\n| work | figure |\n|---|---:|\n{}", rows.join("\n"));
        figures::publish("panels", &table);
    }
}

/// Lines as nodes write them: a few kinds, numbers that differ, now and then something worse.
fn line(i: u64) -> (u8, &'static str, String) {
    let noise = i.wrapping_mul(6_364_136_223_846_793_005) >> 40;
    match i % 1000 {
        17 => (
            8,
            "/camera/driver",
            format!("frame {noise} lost after {} ms: timeout on the bus, 3 retries left", noise % 900),
        ),
        n if n % 50 == 3 => (
            4,
            "/planner",
            format!("replanning: {} m of the path lie off the corridor, cost {noise}", noise % 40),
        ),
        n if n % 3 == 0 => (
            2,
            "/localization/ekf",
            format!(
                "pose updated from 12 satellites, innovation {:.3} m, covariance ok",
                noise as f64 / 1e4
            ),
        ),
        _ => (
            1,
            "/perception/lidar",
            format!("cluster {noise} of scan {i}: 214 points, 4 boxes, ground at -1.83 m, in 12.4 ms"),
        ),
    }
}

fn log(count: u64) -> Vec<String> {
    const PER_BLOCK: u64 = 5_000;
    let definition = definitions().complete("rosgraph_msgs/Log").expect("known");
    let schema = Schema::ros1("rosgraph_msgs/Log", &definition).expect("compiles");
    let mut text_bytes = 0_u64;
    let blocks: Vec<Rows> = (0..count.div_ceil(PER_BLOCK))
        .map(|block| {
            let mut rows = Rows::new(Form::Log).expect("read in bulk");
            for i in block * PER_BLOCK..((block + 1) * PER_BLOCK).min(count) {
                let (level, node, text) = line(i);
                text_bytes += text.len() as u64 + 1;
                let nanos = i * 1_000_000;
                let (sec, nsec) = ((1_600_000_000 + nanos / 1_000_000_000) as u32, (nanos % 1_000_000_000) as u32);
                let message = Encoder::new()
                    .header(0, sec, nsec, "")
                    .u8(level)
                    .text(node)
                    .text(&text)
                    .text("src/node.cpp")
                    .text("run")
                    .u32(12);
                let message = message.u32(0);
                rows.push(Time(START + nanos as i64), &schema, &Bytes::copy_from_slice(message.bytes()));
            }
            rows.shrink();
            rows
        })
        .collect();
    let kept: u64 = blocks.iter().map(Rows::bytes).sum();
    let mut out = vec![format!(
        "| {count} lines of a log, {} MB of text: memory | {} MiB |",
        text_bytes / 1_000_000,
        kept >> 20
    )];
    for (name, query) in [
        ("a word that is rare", of_ins(&["lost after"])),
        ("an expression", of_ins(&[r"cluster \d+ of scan \d+7: .*boxes"])),
        (
            "letters of any case, one expression out",
            LogQuery {
                outs: vec!["innovation 0\\.[0-4]".into()],
                ..of_ins(&["frame|REPLANNING|pose".to_lowercase().as_str()])
            },
        ),
    ] {
        let filter = LogFilter::new(query);
        let began = figures::thread_cpu_time();
        let shown: usize = blocks
            .iter()
            .filter_map(|rows| filter.examine(rows))
            .map(|verdict| verdict.shown.count())
            .sum();
        let secs = (figures::thread_cpu_time() - began).as_secs_f64();
        assert!(shown > 0 && (shown as u64) < count, "{name}: {shown}");
        let rate = text_bytes as f64 / 1e6 / secs;
        println!("{name}: {shown} of {count} lines in {secs:.3} s, {rate:.0} MB/s");
        out.push(format!("| {name}: {shown} lines found | {secs:.2} s, {rate:.0} MB/s |"));
    }
    out
}

fn of_ins(ins: &[&str]) -> LogQuery {
    LogQuery {
        ins: ins.iter().map(|s| (*s).to_owned()).collect(),
        ..LogQuery::default()
    }
}

/// A recording of positions, made as it is read.
struct Positions {
    catalog: Catalog,
    per_chunk: u64,
}

const STEP_NANOS: i64 = 100_000_000;

impl Positions {
    fn new(chunks: u64, per_chunk: u64) -> Positions {
        let definition = definitions().complete("sensor_msgs/NavSatFix").expect("known");
        let time_of = |i: u64| Time(START + i as i64 * STEP_NANOS);
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
            connections: vec![Connection {
                topic: "/fix".into(),
                type_name: "sensor_msgs/NavSatFix".into(),
                md5: definitions().md5("sensor_msgs/NavSatFix").unwrap_or_default().into(),
                definition: definition.into(),
                ..Connection::default()
            }],
            chunks: (0..chunks).map(chunk).collect(),
            ..Catalog::default()
        };
        Positions { catalog, per_chunk }
    }
}

impl Container for Positions {
    fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// A drive around and around, that wanders.
    fn messages(&self, chunk: ChunkId, _: &Fetched, _: &ConnectionSet, _: Checks) -> Batch {
        let first = u64::from(chunk) * self.per_chunk;
        let message = |i: u64| {
            let nanos = START + i as i64 * STEP_NANOS;
            let turn = i as f64 * 0.002;
            let (latitude, longitude) = (
                47.0 + turn.sin() * 0.05 + i as f64 * 1e-7,
                8.0 + turn.cos() * 0.08 + (turn * 7.3).sin() * 0.01,
            );
            let message = Encoder::new()
                .header(0, (nanos / 1_000_000_000) as u32, (nanos % 1_000_000_000) as u32, "gps")
                .u8(0)
                .raw(&[1, 0]);
            let message = message
                .f64(latitude)
                .f64(longitude)
                .f64(400.0)
                .f64s(&[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 4.0])
                .u8(2);
            Message {
                connection: 0,
                time: Time(nanos),
                payload: Bytes::copy_from_slice(message.bytes()),
            }
        };
        Batch {
            messages: (first..first + self.per_chunk).map(message).collect(),
            ..Batch::default()
        }
    }
}

fn settle(store: &mut Store, container: &Arc<dyn Container>) {
    loop {
        let work = store.take_work();
        if work.is_empty() {
            return;
        }
        for piece in work {
            match piece {
                Work::Open { source, .. } => store.apply(Event::Opened {
                    source,
                    container: container.clone(),
                    done: true,
                    done_fraction: 1.0,
                }),
                Work::Read(read) => {
                    for wanted in &read.chunks {
                        let batch = container.messages(wanted.chunk, &Fetched::default(), &ConnectionSet::All, Checks::Quick);
                        let rows = wanted.rows.iter().filter_map(|job| Some((job.rows, job.rows_of(&batch.messages)?)));
                        store.apply(Event::ChunkRead {
                            id: read.id,
                            source: read.source,
                            chunk: wanted.chunk,
                            content: ChunkContent {
                                rows: rows.collect(),
                                ..ChunkContent::default()
                            },
                        });
                    }
                    store.apply(Event::ReadDone { id: read.id });
                }
                Work::Compute { id, task } => store.apply(Event::Computed {
                    id,
                    outcome: Some(task.run()),
                }),
                _ => {}
            }
        }
    }
}

fn map(chunks: u64, per_chunk: u64) -> Vec<String> {
    let count = chunks * per_chunk;
    let runs = if figures::are_wanted() { stage::RUNS } else { 1 };
    let row = |by: &str| {
        let told = stage::told(&stage::medians(runs, || frames(chunks, per_chunk, by)));
        println!("map of {count} positions, {per_chunk} a chunk, by {by}: {told}");
        format!(
            "| map of {count} positions, {per_chunk} a chunk, coloured by {by}, loaded, then zoomed in and out under the pointer: a frame | {told} |"
        )
    };
    ["topic", "speed"].map(row).to_vec()
}

/// What the frames take in which a track comes, and those in which it is zoomed into and out of.
fn frames(chunks: u64, per_chunk: u64, by: &str) -> Vec<Duration> {
    let count = chunks * per_chunk;
    let mut store = Store::new(1 << 30);
    let container: Arc<dyn Container> = Arc::new(Positions::new(chunks, per_chunk));
    store.open(vec![Location::Path(PathBuf::from("/fixes.bag"))]);
    settle(&mut store, &container);
    let mut stage = Stage::new("map", &serde_json::json!({ "color_by": by }));
    let mut frame = |store: &mut Store, events: Vec<egui::Event>| {
        let now = store.span().expect("positions").at_fraction(0.5);
        let (_, took) = stage.frame(store, now, events);
        settle(store, &container);
        took
    };
    let mut took: Vec<Duration> = (0..count / 10_000 + 4).map(|_| frame(&mut store, Vec::new())).collect();
    took.extend((0..240_u32).map(|at| {
        let over = egui::pos2(700.0 + (at % 60) as f32 * 4.0, 450.0);
        frame(
            &mut store,
            vec![egui::Event::PointerMoved(over), wheel(if at % 120 < 60 { 60.0 } else { -60.0 })],
        )
    }));
    took
}
