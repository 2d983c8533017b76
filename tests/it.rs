//! Every test of the program, through its public boundaries, in one binary.
#[cfg(feature = "gui")]
#[path = "it/app.rs"]
mod app;
#[path = "it/cache.rs"]
mod cache;
#[path = "it/cli.rs"]
mod cli;
#[path = "it/credentials.rs"]
mod credentials;
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
#[cfg(feature = "gui")]
#[path = "it/drive.rs"]
mod drive;
#[path = "it/encode.rs"]
mod encode;
#[path = "it/format.rs"]
mod format;
#[path = "it/fuzz.rs"]
mod fuzz;
#[cfg(feature = "gui")]
#[path = "it/history.rs"]
mod history;
#[cfg(feature = "gui")]
#[path = "it/inline.rs"]
mod inline;
#[path = "it/lake.rs"]
mod lake;
#[path = "it/lambda.rs"]
mod lambda;
#[path = "it/layout.rs"]
mod layout;
#[path = "it/link.rs"]
mod link;
#[path = "it/log_lines.rs"]
mod log_lines;
#[path = "it/long_series.rs"]
mod long_series;
#[cfg(feature = "gui")]
#[path = "it/names.rs"]
mod names;
#[path = "it/numpy.rs"]
mod numpy;
#[path = "it/offline.rs"]
mod offline;
#[path = "it/pace.rs"]
mod pace;
#[cfg(feature = "gui")]
#[path = "it/panel.rs"]
mod panel;
#[path = "it/path.rs"]
mod path;
#[path = "it/program.rs"]
mod program;
#[cfg(feature = "gui")]
#[path = "it/remote_links.rs"]
mod remote_links;
#[cfg(feature = "gui")]
#[path = "it/remote_window.rs"]
mod remote_window;
#[cfg(feature = "gui")]
#[path = "it/render.rs"]
mod render;
#[path = "it/renewal.rs"]
mod renewal;
#[path = "it/ros1.rs"]
mod ros1;
#[cfg(feature = "gui")]
#[path = "it/rounds.rs"]
mod rounds;
#[path = "it/s3.rs"]
mod s3;
#[path = "it/s3_signed.rs"]
mod s3_signed;
#[path = "it/saving.rs"]
mod saving;
#[cfg(feature = "gui")]
#[path = "it/scene3d.rs"]
mod scene3d;
#[path = "it/scenes.rs"]
mod scenes;
#[cfg(feature = "gui")]
#[path = "it/secrets.rs"]
mod secrets;
#[cfg(feature = "gui")]
#[path = "it/seeks.rs"]
mod seeks;
#[path = "it/series.rs"]
mod series;
#[path = "it/server.rs"]
mod server;
#[path = "it/share.rs"]
mod share;
#[cfg(feature = "gui")]
#[path = "it/shared_layouts.rs"]
mod shared_layouts;
#[path = "it/sigv4a.rs"]
mod sigv4a;
#[path = "it/source.rs"]
mod source;
#[path = "it/store.rs"]
mod store;
#[path = "it/stream.rs"]
mod stream;
#[path = "it/tidy.rs"]
mod tidy;
#[cfg(feature = "gui")]
#[path = "it/tiles.rs"]
mod tiles;
#[path = "it/time.rs"]
mod time;
#[cfg(feature = "gui")]
#[path = "it/workspace.rs"]
mod workspace;
