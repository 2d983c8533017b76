//! Roadreel opens any drive recording, wherever it lies, at once.
pub mod decode;
pub mod format;
#[cfg(feature = "gui")]
pub mod panel;
pub mod source;
pub mod store;
pub mod time;
