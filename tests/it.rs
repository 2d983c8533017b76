//! Every test of the program, through its public boundaries, in one binary.
#[cfg(feature = "gui")]
#[path = "it/app.rs"]
mod app;
#[path = "it/cli.rs"]
mod cli;
#[path = "it/data.rs"]
mod data;
#[path = "it/decode.rs"]
mod decode;
#[path = "it/decode_forms.rs"]
mod decode_forms;
#[path = "it/decode_random.rs"]
mod decode_random;
#[path = "it/decode_real.rs"]
mod decode_real;
#[cfg(feature = "gui")]
#[path = "it/definitions.rs"]
mod definitions;
#[path = "it/encode.rs"]
mod encode;
#[path = "it/format.rs"]
mod format;
#[cfg(feature = "gui")]
#[path = "it/inline.rs"]
mod inline;
#[cfg(feature = "gui")]
#[path = "it/panel.rs"]
mod panel;
#[cfg(feature = "gui")]
#[path = "it/render.rs"]
mod render;
#[cfg(feature = "gui")]
#[path = "it/scene3d.rs"]
mod scene3d;
#[path = "it/server.rs"]
mod server;
#[path = "it/source.rs"]
mod source;
#[path = "it/store.rs"]
mod store;
#[path = "it/stream.rs"]
mod stream;
#[path = "it/tidy.rs"]
mod tidy;
#[path = "it/time.rs"]
mod time;
#[cfg(feature = "gui")]
#[path = "it/workspace.rs"]
mod workspace;
