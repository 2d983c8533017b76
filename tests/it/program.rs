//! The program, away from the user's own files: nothing that it keeps outlives the tests, nothing kept before is read.

use std::process::Command;
use std::sync::OnceLock;

pub fn roadreel() -> Command {
    static HOME: OnceLock<tempfile::TempDir> = OnceLock::new();
    let home = HOME.get_or_init(|| tempfile::tempdir().expect("a folder")).path();
    let mut command = Command::new(env!("CARGO_BIN_EXE_roadreel"));
    for name in ["HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
        command.env(name, home);
    }
    command.arg("--no-cache");
    command
}
