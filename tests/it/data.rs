//! Where real recordings lie: `$ROADREEL_TEST_DATA`, by default the folder beside the checkout.
#![allow(dead_code)]

use std::path::PathBuf;

/// A file of the test data, or None (saying so) where the folder is absent.
pub fn data(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("ROADREEL_TEST_DATA")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"));
    let file = root.join(path);
    if file.exists() {
        return Some(file);
    }
    eprintln!("passed over: {} is not there (set ROADREEL_TEST_DATA)", file.display());
    None
}
