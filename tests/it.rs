//! Every test of the program, through its public boundaries, in one binary.
#[path = "it/data.rs"]
mod data;
#[path = "it/decode.rs"]
mod decode;
#[path = "it/encode.rs"]
mod encode;
#[cfg(feature = "gui")]
#[path = "it/panel.rs"]
mod panel;
#[cfg(feature = "gui")]
#[path = "it/render.rs"]
mod render;
#[path = "it/server.rs"]
mod server;
#[path = "it/source.rs"]
mod source;
#[path = "it/format.rs"]
mod format;
