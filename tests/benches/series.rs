//! What plots cost: scalars out of every message of a drive, and frames of a plot over a hundred million values.
//!
//! `cargo bench --bench series` measures; under `cargo test` each bench runs once, on a short drive and fewer values.

mod figures;
#[allow(dead_code)]
#[path = "../it/long_series.rs"]
mod long_series;
mod stage;

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{Criterion, SamplingMode};
use long_series::{Long, PATH, time_of};
use roadreel::decode::Schema;
use roadreel::demo::{self, Options};
use roadreel::format::{Checks, ConnectionSet};
use roadreel::path::{Column, parse};
use roadreel::run::{Io, Recording, mapped};
use roadreel::source::{Location, Policy};
use roadreel::time::Span;
use stage::{Stage, wheel};

/// As the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One scalar each, or one of every element.
const PATHS: [(&str, &str); 3] = [
    ("imu", "/imu_raw.linear_acceleration.x"),
    ("odom", "/odom.pose.pose.position.x"),
    ("objects", "/as_tx/objects.objects[:].twist.twist.linear.x"),
];

fn main() {
    let measuring = figures::are_wanted();
    let mut criterion = Criterion::default()
        .configure_from_args()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500));
    let folder = tempfile::tempdir().expect("a folder");
    extracting(&mut criterion, &drive(folder.path(), if measuring { 60.0 } else { 0.5 }));
    panning(if measuring { 1000 } else { 20 }, measuring);
    criterion.final_summary();
}

/// The drive that `$ROADREEL_BENCH_DRIVE` names, or the program's own.
fn drive(folder: &Path, seconds: f64) -> PathBuf {
    if let Some(path) = std::env::var_os("ROADREEL_BENCH_DRIVE") {
        return path.into();
    }
    let path = folder.join("drive.bag");
    let file = BufWriter::new(File::create(&path).expect("a file"));
    let options = Options {
        seconds,
        ..Options::default()
    };
    demo::write(file, options, |_| ()).expect("a drive");
    path
}

/// From the file to numbers, decompression included.
fn extracting(criterion: &mut Criterion, path: &Path) {
    let io = Io::new(Policy::default(), &[]).expect("a runtime");
    let drive = Recording::open(&io, Location::Path(path.to_owned()), |_, _| ()).expect("it opens");
    let catalog = drive.container.catalog();
    let mut group = criterion.benchmark_group("series");
    group.sampling_mode(SamplingMode::Flat);
    for (name, path) in PATHS {
        let expr = parse(path).expect("a path");
        let topic = expr.topics().first().map(|t| (*t).to_owned()).expect("a topic");
        let Some((connection, id)) = catalog.connections.iter().zip(0..).find(|(c, _)| *c.topic == topic) else {
            continue;
        };
        let schema = Schema::ros1(&connection.type_name, &connection.definition).expect("compiles");
        let column = std::sync::Arc::new(Column::compile(&schema, &expr).expect("it fits"));
        group.bench_function(name, |b| {
            b.iter(|| {
                let column = column.clone();
                let read = move |m: roadreel::format::Message| {
                    let mut sum = 0.0;
                    column.each(&m.payload, |v| sum += v);
                    sum
                };
                mapped(&drive, ConnectionSet::Only([id].into()), Span::ALL, Checks::Quick, read).count()
            });
        });
    }
    group.finish();
}

/// Frames of a plot: what is wanted, what is drawn, everything but rasterising. `chunks` of 100,000 values within 1 GiB.
fn panning(chunks: u64, measuring: bool) {
    const PER_CHUNK: u64 = 100_000;
    let count = chunks * PER_CHUNK;
    let mut most_memory = 0;
    let config = serde_json::json!({ "series": [{ "path": PATH }] });
    // all the way in and out again
    let frames = |stage: &mut Stage, long: &mut Long, frames: u32| -> Vec<Duration> {
        let now = time_of(count / 2);
        let over = egui::Event::PointerMoved(egui::pos2(900.0, 400.0));
        let frame = |at: u32| {
            let events = vec![over.clone(), wheel(if at % 240 < 120 { 120.0 } else { -120.0 })];
            let (_, took) = stage.frame(&mut long.store, now, events);
            // what is read again meanwhile is not the frame's own work
            long.settle();
            took
        };
        (0..frames).map(frame).collect()
    };
    let opened = |chunks: u64| {
        let mut long = Long::new(1 << 30, chunks, PER_CHUNK);
        let wants = long.wants(None);
        long.demand(time_of(0), &wants);
        long
    };
    let (runs, measured) = if measuring { (stage::RUNS, 960) } else { (1, 4) };
    let costs = stage::medians(runs, || {
        // drawing letters for the first time is rasterising
        let mut stage = Stage::new("plot", &config);
        frames(&mut stage, &mut opened(chunks.min(20)), measured / 4);
        stage.panel = Stage::new("plot", &config).panel;
        let mut long = opened(chunks);
        let took = frames(&mut stage, &mut long, measured);
        most_memory = most_memory.max(long.max_memory);
        took
    });
    let text = format!(
        "A plot over {count} values, zoomed in and out under the pointer, {} frames in a window whose letters are drawn already, of each the median of {} equal runs, of the processor, \
         rasterising left out: {}; memory {} MiB at most.",
        costs.len(),
        stage::RUNS,
        stage::told(&costs),
        most_memory >> 20
    );
    println!("{text}");
    if measuring {
        figures::publish("series", &text);
    }
}
