//! What working with a recording costs, on the program's own demo drive and a store on the loopback.
//!
//! `./x bench` writes the figures between the README's markers. Under `cargo test` each bench runs once, on a short drive.

#[path = "../it/server.rs"]
mod server;

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, SamplingMode};
use rayon::prelude::*;
use roadreel::decode::{Form, Schema};
use roadreel::demo::{self, Options};
use roadreel::format::{Checks, ConnectionSet};
use roadreel::run::{Executor, Io, Piece, Recording, mapped, settle};
use roadreel::source::{Location, Policy};
use roadreel::store::{Store, Want, What};
use roadreel::time::Span;
use server::{Behaviour, Server};

/// Names of the benches, as the README's table describes them.
const ROWS: [(&str, &str); 7] = [
    ("open", "open: topics, counts, span"),
    ("open_remote", "the same through a store 40 ms away"),
    ("decompress", "bare decompression of all chunks, all cores (the limit)"),
    ("check", "read, verify and decode every message (`check`)"),
    ("imu", "read one sparse topic (`cat --topic /imu_raw`)"),
    ("cloud", "decode one lidar scan of 65,536 points"),
    ("seek", "seek: cloud, camera and transforms at a random time"),
];

fn main() {
    let measuring = std::env::args().any(|argument| argument == "--bench");
    let seconds = if measuring { 20.0 } else { 0.5 };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("drive.bag");
    let file = BufWriter::new(File::create(&path).expect("a file"));
    demo::write(
        file,
        Options {
            seconds,
            ..Options::default()
        },
        |_| (),
    )
    .expect("a drive");

    let mut criterion = Criterion::default()
        .configure_from_args()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500));
    opening(&mut criterion, &path);
    reading(&mut criterion, &path);
    seeking(&mut criterion, &path);
    criterion.final_summary();
    if measuring {
        write_table(&path, seconds);
    }
}

fn recording(location: Location) -> Recording {
    let io = Io::new(Policy::default(), &[]).expect("a runtime");
    Recording::open(&io, location, |_, _| ()).expect("it opens")
}

fn local(path: &Path) -> Recording {
    recording(Location::Path(path.to_owned()))
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
    group.bench_function("open_remote", |b| b.iter(|| recording(url.clone())));
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
    group.bench_function("decompress", |b| {
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
        let imu = of_topic("/imu_raw");
        b.iter(|| mapped(&drive, imu.clone(), Span::ALL, Checks::Quick, |m| m.payload.len()).count());
    });
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

/// Puts criterion's figures between the README's markers.
fn write_table(drive: &Path, seconds: f64) {
    const BEGIN: &str = "<!-- bench -->\n";
    const END: &str = "<!-- /bench -->";
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let mut rows = Vec::new();
    for (name, what) in ROWS {
        let file = target.join("criterion/recording").join(name).join("new/estimates.json");
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let estimates: serde_json::Value = serde_json::from_str(&text).expect("criterion's JSON");
        let nanos = estimates["median"]["point_estimate"].as_f64().unwrap_or(f64::NAN);
        rows.push(format!("| {what} | {} |", duration(nanos)));
    }
    let size = std::fs::metadata(drive).map_or(0, |m| m.len());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let table = format!(
        "Medians on {cores} cores; the demo drive of {seconds} s, {} MB, LZ4, in the file cache.\n\n| work | time |\n|---|---:|\n{}\n",
        size / 1_000_000,
        rows.join("\n")
    );
    let readme = root.join("README.md");
    let text = std::fs::read_to_string(&readme).expect("the README");
    if let (Some(begin), Some(end)) = (text.find(BEGIN), text.find(END)) {
        let text = format!("{}{table}{}", &text[..begin + BEGIN.len()], &text[end..]);
        std::fs::write(&readme, text).expect("the README");
    }
    println!("\n{table}");
}

fn duration(nanos: f64) -> String {
    match nanos {
        ..1e3 => format!("{nanos:.0} ns"),
        ..1e6 => format!("{:.1} µs", nanos / 1e3),
        ..1e9 => format!("{:.1} ms", nanos / 1e6),
        _ => format!("{:.2} s", nanos / 1e9),
    }
}
