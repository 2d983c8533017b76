//! Roadreel opens any drive recording, wherever it lies, at once.
pub mod time;
pub mod source;
pub mod format;
pub mod decode;
