//! What the benches share: the drive that they measure on, and where their figures go.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use roadreel::run::{Io, Recording};
use roadreel::source::{Location, Policy};

/// Whether figures are wanted, not only that everything runs: `cargo bench`, not `cargo test`.
pub fn are_wanted() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// The program's own demo drive, made in a process of its own: what that takes of memory is not what is measured.
pub fn drive(folder: &Path, seconds: f64) -> PathBuf {
    let path = folder.join("drive.bag");
    let made = Command::new(env!("CARGO_BIN_EXE_roadreel"))
        .args(["demo", "--seconds", &seconds.to_string(), "-o"])
        .arg(&path)
        .status();
    assert!(made.expect("the program starts").success());
    path
}

pub fn recording(location: Location) -> Recording {
    let io = Io::new(Policy::default(), &[]).expect("a runtime");
    Recording::open(&io, location, |_, _| ()).expect("it opens")
}

pub fn megabytes(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |m| m.len()) / 1_000_000
}

pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

pub fn duration(nanos: f64) -> String {
    match nanos {
        ..1e3 => format!("{nanos:.0} ns"),
        ..1e6 => format!("{:.1} µs", nanos / 1e3),
        ..1e9 => format!("{:.1} ms", nanos / 1e6),
        _ => format!("{:.2} s", nanos / 1e9),
    }
}

/// What the calling thread has taken of its processor.
#[cfg(unix)]
pub fn thread_cpu_time() -> Duration {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(t.tv_sec.unsigned_abs(), t.tv_nsec as u32)
}

/// Zero where the platform does not tell.
#[cfg(not(unix))]
pub fn thread_cpu_time() -> Duration {
    Duration::ZERO
}

/// Prints `text` and puts it between the README's markers `<!-- bench: name -->` and `<!-- /bench: name -->`.
pub fn publish(name: &str, text: &str) {
    println!("\n{text}");
    let (begin, end) = (format!("<!-- bench: {name} -->\n"), format!("<!-- /bench: {name} -->"));
    // cargo's word, not the compiler's: what was built may come from another checkout
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the benches");
    let path = Path::new(&folder).join("README.md");
    let readme = std::fs::read_to_string(&path).expect("the README");
    let (before, rest) = readme.split_once(&begin).expect("a marker in the README");
    let (_, after) = rest.split_once(&end).expect("a marker in the README");
    std::fs::write(&path, format!("{before}{begin}{text}\n{end}{after}")).expect("the README");
}
