//! Three seconds of the demo drive, written once: static transforms of three latched publishers, markers that are added
//! once and stay, one that is deleted.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use roadreel::demo::{self, Options};

pub fn drive() -> &'static Path {
    static DRIVE: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = DRIVE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("drive.bag");
        let options = Options {
            seconds: 3.0,
            ..Options::default()
        };
        let file = BufWriter::new(File::create(&path).unwrap());
        demo::write(file, options, |_| {}).unwrap().flush().unwrap();
        (folder, path)
    });
    path
}
