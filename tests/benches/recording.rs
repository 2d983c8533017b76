//! What working with a recording costs, on the program's own demo drive and a store on the loopback.
//!
//! `./x bench` writes the figures between the README's markers. Under `cargo test` each bench runs once, on a short drive.

mod figures;
#[path = "../it/server.rs"]
mod server;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, SamplingMode};
use rayon::prelude::*;
use roadreel::decode::{Form, Schema};
use roadreel::format::{Checks, ConnectionSet};
use roadreel::run::{Executor, Piece, Recording, mapped, settle};
use roadreel::source::Location;
use roadreel::store::{Store, Want, What};
use roadreel::time::Span;
use rosbag::{ChunkRecord, IndexRecord, MessageRecord, RosBag};
use server::{Behaviour, Server};

/// Names of the benches, as the README's table describes them.
const ROWS: [(&str, &str); 9] = [
    ("open", "open: topics, counts, span"),
    ("open_remote", "the same through a store 40 ms away"),
    (LIMIT, "bare decompression of all chunks, all cores, checksums left out (the limit)"),
    ("check", "read, verify and decode every message (`check`)"),
    ("rosbag", "read every message with the crate `rosbag`, bytes only"),
    ("imu", "read one sparse topic (`cat --topic /imu_raw`)"),
    ("rosbag_imu", "the same with the crate `rosbag`"),
    ("cloud", "decode one lidar scan of 65,536 points"),
    ("seek", "seek: cloud, camera and transforms at a random time"),
];
const LIMIT: &str = "decompress";
const SPARSE: &str = "/imu_raw";

fn main() {
    let seconds = if figures::are_wanted() { 20.0 } else { 0.5 };
    let folder = tempfile::tempdir().expect("a folder");
    let path = figures::drive(folder.path(), seconds);

    let mut criterion = Criterion::default()
        .configure_from_args()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500));
    opening(&mut criterion, &path);
    reading(&mut criterion, &path);
    seeking(&mut criterion, &path);
    criterion.final_summary();
    if figures::are_wanted() {
        publish(&path, seconds);
    }
}

fn local(path: &Path) -> Recording {
    figures::recording(Location::Path(path.to_owned()))
}

fn opening(criterion: &mut Criterion, path: &Path) {
    let mut group = criterion.benchmark_group("recording");
    group.sampling_mode(SamplingMode::Flat);
    group.bench_function("open", |b| b.iter(|| local(path)));
    let server = Server::start(Behaviour {
        rtt: Duration::from_millis(40),
        ..Behaviour::default()
    });
    server.put_file("drive.bag", path);
    let url = Location::parse(&server.url("drive.bag")).expect("a URL");
    group.bench_function("open_remote", |b| b.iter(|| figures::recording(url.clone())));
    group.finish();
}

fn reading(criterion: &mut Criterion, path: &Path) {
    let drive = local(path);
    let catalog = drive.container.catalog();
    let of_topic = |topic: &str| -> ConnectionSet {
        let ids = catalog.connections.iter().zip(0..).filter(|(c, _)| &*c.topic == topic);
        ConnectionSet::Only(ids.map(|(_, id)| id).collect())
    };
    let schemas: Arc<[Option<Schema>]> = catalog
        .connections
        .iter()
        .map(|c| Schema::ros1(&c.type_name, &c.definition).ok())
        .collect();

    let mut group = criterion.benchmark_group("recording");
    group.sampling_mode(SamplingMode::Flat);
    let file = std::fs::read(path).expect("the drive");
    let chunks: Vec<_> = catalog.chunks.iter().map(|chunk| chunk.range.clone()).collect();
    group.bench_function(LIMIT, |b| {
        b.iter(|| {
            let size = |range: &std::ops::Range<u64>| decompress(&file[range.start as usize..range.end as usize]);
            chunks.par_iter().map(size).sum::<usize>()
        });
    });
    group.bench_function("check", |b| {
        b.iter(|| {
            let schemas = schemas.clone();
            let valid = move |m: roadreel::format::Message| {
                schemas[m.connection as usize]
                    .as_ref()
                    .is_some_and(|schema| schema.validate(&m.payload).is_ok())
            };
            let pieces = mapped(&drive, ConnectionSet::All, Span::ALL, Checks::Full, valid);
            pieces.filter(|piece| matches!(piece, Ok(Piece::Message(_, _, true)))).count()
        });
    });
    group.bench_function("imu", |b| {
        let imu = of_topic(SPARSE);
        b.iter(|| mapped(&drive, imu.clone(), Span::ALL, Checks::Quick, |m| m.payload.len()).count());
    });
    group.bench_function("rosbag", |b| b.iter(|| read_with_rosbag(path, "")));
    group.bench_function("rosbag_imu", |b| b.iter(|| read_with_rosbag(path, SPARSE)));
    let points = mapped(&drive, of_topic("/os1_cloud_node/points"), Span::ALL, Checks::Quick, |m| {
        (m.connection, m.payload)
    })
    .find_map(|piece| match piece {
        Ok(Piece::Message(_, _, message)) => Some(message),
        _ => None,
    });
    let (connection, cloud): (u32, Bytes) = points.expect("a cloud");
    let schema = schemas[connection as usize].as_ref().expect("its schema");
    group.bench_function("cloud", |b| b.iter(|| schema.decode(Form::Cloud, &cloud).expect("a cloud")));
    group.finish();
}

/// Opens the drive and reads all messages, or those of one topic, with the crate `rosbag`; gives their bytes.
fn read_with_rosbag(path: &Path, topic: &str) -> usize {
    let bag = RosBag::new(path).expect("it opens");
    let connections = bag.index_records().filter_map(|record| match record.expect("a record") {
        IndexRecord::Connection(c) if topic.is_empty() || c.topic == topic => Some(c.id),
        _ => None,
    });
    let wanted: BTreeSet<u32> = connections.collect();
    let mut bytes = 0;
    for record in bag.chunk_records() {
        let ChunkRecord::Chunk(chunk) = record.expect("a record") else {
            continue;
        };
        for message in chunk.messages() {
            match message.expect("a message") {
                MessageRecord::MessageData(m) if wanted.contains(&m.conn_id) => bytes += m.data.len(),
                _ => {}
            }
        }
    }
    bytes
}

/// Unpacks the LZ4 blocks of a chunk as a bag holds it, without any check; gives their size.
fn decompress(chunk: &[u8]) -> usize {
    let word = |at: usize| u32::from_le_bytes(chunk[at..at + 4].try_into().expect("4 bytes")) as usize;
    let mut at = 4 + word(0) + 4 + 7;
    let mut out = vec![0; 1 << 20];
    let mut total = 0;
    loop {
        let size = word(at);
        at += 4;
        if size == 0 {
            return total;
        }
        let stored = size & (1 << 31) != 0;
        let size = size & !(1 << 31);
        total += if stored {
            size
        } else {
            lz4_flex::block::decompress_into(&chunk[at..at + size], &mut out).expect("a block")
        };
        at += size;
    }
}

fn seeking(criterion: &mut Criterion, path: &Path) {
    let executor = Executor::new(|| ());
    let mut store = Store::new(1 << 30);
    store.open(vec![Location::Path(path.to_owned())]);
    settle(&mut store, &executor, |_| ());
    let span = store.span().expect("it holds messages");
    let wants: Vec<Want> = [
        ("/os1_cloud_node/points", Form::Cloud),
        ("/flir_adk/rgb_front_left/image_raw/compressed", Form::Image),
        ("/tf", Form::Transforms),
        ("/tf_static", Form::Transforms),
    ]
    .into_iter()
    .map(|(topic, form)| Want {
        topic: store.topic_by_name(topic).expect("it is there").id,
        what: What::Latest(form),
    })
    .collect();
    let mut random = fastrand::Rng::with_seed(1);
    let mut group = criterion.benchmark_group("recording");
    group.sampling_mode(SamplingMode::Flat);
    group.bench_function("seek", |b| {
        b.iter(|| {
            let now = span.at_fraction(random.f64());
            settle(&mut store, &executor, |store| store.demand(now, 0.0, &wants));
        });
    });
    group.finish();
}

/// Puts criterion's figures into the README.
fn publish(drive: &Path, seconds: f64) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let median_nanos = |name: &str| {
        let file = target.join("criterion/recording").join(name).join("new/estimates.json");
        let estimates: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file).ok()?).ok()?;
        estimates["median"]["point_estimate"].as_f64()
    };
    let limit = median_nanos(LIMIT);
    let mut rows = Vec::new();
    for (name, what) in ROWS {
        let Some(nanos) = median_nanos(name) else { continue };
        let times = match limit {
            Some(limit) if nanos * 10.0 > limit => format!("{:.2} ×", nanos / limit),
            _ => String::new(),
        };
        rows.push(format!("| {what} | {} | {times} |", figures::duration(nanos)));
    }
    let text = format!(
        "Medians on {} cores; the demo drive of {seconds} s, {} MB, LZ4, in the file cache.\n\n| work | time | of the limit |\n|---|---:|---:|\n{}",
        figures::cores(),
        figures::megabytes(drive),
        rows.join("\n")
    );
    figures::publish("recording", &text);
}
