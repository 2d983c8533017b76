//! What the benches share: the drive that they measure on, and where their figures go.
#![allow(dead_code)]

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use roadreel::demo::{self, Options};
use roadreel::run::{Io, Recording};
use roadreel::source::{Location, Policy};

/// Whether figures are wanted, not only that everything runs: `cargo bench`, not `cargo test`.
pub fn are_wanted() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// The program's own demo drive.
pub fn drive(folder: &Path, seconds: f64) -> PathBuf {
    let path = folder.join("drive.bag");
    let file = BufWriter::new(File::create(&path).expect("a file"));
    let options = Options {
        seconds,
        ..Options::default()
    };
    let file = demo::write(file, options, |_| ()).expect("a drive");
    drop(file.into_inner().expect("all of it is written"));
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

/// Prints `text` and puts it between the README's markers `<!-- bench: name -->` and `<!-- /bench: name -->`.
pub fn publish(name: &str, text: &str) {
    println!("\n{text}");
    let (begin, end) = (format!("<!-- bench: {name} -->\n"), format!("<!-- /bench: {name} -->"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).expect("the README");
    let (before, rest) = readme.split_once(&begin).expect("a marker in the README");
    let (_, after) = rest.split_once(&end).expect("a marker in the README");
    std::fs::write(&path, format!("{before}{begin}{text}\n{end}{after}")).expect("the README");
}
