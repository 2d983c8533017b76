//! What a search over many recordings costs, as `roadreel find FOLDER` runs it, against the bytes that the recordings hold unpacked.
//!
//! `./x bench` writes the figures between the README's markers. Under `cargo test` each bench runs once, on two short drives.

mod figures;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use criterion::{Criterion, SamplingMode};
use roadreel::format::{Checks, ConnectionSet};
use roadreel::run::{Piece, mapped};
use roadreel::source::Location;
use roadreel::time::Span;

/// Names of the benches, what the README's table says of them, and what is searched for.
const ROWS: [(&str, &str, &str); 4] = [
    (
        "two_topics",
        "two vehicle topics, 50 Hz each",
        "/vehicle/brake_report.pedal_input > 0.3 and /vehicle/steering_report.speed > 5",
    ),
    (
        "imu",
        "one topic of 100 Hz, computed",
        "sqrt(/imu_raw.linear_acceleration.x ^ 2 + /imu_raw.linear_acceleration.y ^ 2) > 2",
    ),
    (
        "objects",
        "lists of objects, each looked at",
        "/as_tx/objects.objects[:]{classification == 4}.pose.pose.position.x > 20",
    ),
    (
        "cloud",
        "a field of lidar scans, a megabyte each",
        "/os1_cloud_node/points.height > 1000",
    ),
];

fn main() {
    let (bags, seconds) = if figures::are_wanted() { (10, 5.0) } else { (2, 0.5) };
    let folder = tempfile::tempdir().expect("a folder");
    let first = figures::drive(folder.path(), seconds);
    for number in 1..bags {
        std::fs::copy(&first, folder.path().join(format!("drive_{number}.bag"))).expect("a copy");
    }
    let mut criterion = Criterion::default()
        .configure_from_args()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500));
    let mut group = criterion.benchmark_group("find");
    group.sampling_mode(SamplingMode::Flat);
    for (name, _, condition) in ROWS {
        group.bench_function(name, |b| b.iter(|| find(folder.path(), condition)));
    }
    group.finish();
    criterion.final_summary();
    if figures::are_wanted() {
        publish(&first, bags);
    }
}

fn find(folder: &Path, condition: &str) -> usize {
    let output = Command::new(env!("CARGO_BIN_EXE_roadreel"))
        .args(["--no-cache", "find", "--json"])
        .arg(folder)
        .arg(condition)
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout.len()
}

/// Bytes of a recording's messages.
fn unpacked(path: &Path) -> u64 {
    let drive = figures::recording(Location::Path(path.to_owned()));
    let sizes = mapped(&drive, ConnectionSet::All, Span::ALL, Checks::Quick, |message| {
        message.payload.len() as u64
    });
    let sizes = sizes.filter_map(|piece| match piece {
        Ok(Piece::Message(_, _, size)) => Some(size),
        _ => None,
    });
    sizes.sum()
}

/// Puts criterion's figures into the README.
fn publish(drive: &Path, bags: u64) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let raw = unpacked(drive) * bags;
    let mut rows = Vec::new();
    for (name, what, _) in ROWS {
        let file = target.join("criterion/find").join(name).join("new/estimates.json");
        let Ok(text) = std::fs::read_to_string(file) else { continue };
        let estimates: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        let Some(nanos) = estimates["median"]["point_estimate"].as_f64() else {
            continue;
        };
        rows.push(format!(
            "| {what} | {} | {:.1} GB/s |",
            figures::duration(nanos),
            raw as f64 / nanos
        ));
    }
    let text = format!(
        "Medians on {} cores, the program started anew each time; {bags} bags of {} MB, LZ4, {:.1} GB unpacked, in the file cache.\n\n\
         | searched | time | of what is unpacked |\n|---|---:|---:|\n{}",
        figures::cores(),
        figures::megabytes(drive),
        raw as f64 / 1e9,
        rows.join("\n")
    );
    figures::publish("find", &text);
}
