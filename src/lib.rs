//! Roadreel opens any drive recording, wherever it lies, at once, and plays it: topics, a timeline, the lidar in its
//! frames, cameras, plots and raw messages, streamed by ranges from disk or a presigned URL.
//!
//! # Bird's eye
//!
//! Every container that drives are recorded in is already cut into chunks. So a reader is a catalogue (which chunk holds
//! how many messages of which connection, and when) plus a pure function from a chunk's bytes to its messages; everything
//! that makes a viewer good (seeking, the state after a seek, read-ahead, cancelling, eviction) is written once, in
//! [`store`], over any reader. Panels say what they want, draw what is there, and never wait.
//!
//! One frame of the window:
//!
//! ```text
//! run::Executor::drain ─► store.apply ─► Playback::tick ─► panels' wants ─► store.demand
//!                                                                               │
//!        panels draw what is there, return Actions ◄── store.take_work ─► run::Executor::submit
//! ```
//!
//! # Code map
//!
//! The modules below stand in the order of the data's way; each uses only those above it. A test reads the `use` lines and
//! holds this true.
//!
//! | module | what it does | what it never does |
//! |---|---|---|
//! | [`text`] | numbers and sizes as people read them | know what they are of |
//! | [`time`] | [`time::Time`], [`time::Span`], every spelling of a time | read a clock |
//! | [`source`] | a location (path, URL, object in S3) → byte ranges; signing, renewal of links, listing, retries, checks of every answer, redaction | know a file format; print a query string |
//! | [`format`](mod@format) | container bytes → catalogue, and the messages of one chunk; tables too: a row is a message | open a file, start a thread, trust a length |
//! | [`decode`] | message definition → plan → values and [`decode::Form`]s | look a name up per message, panic on any bytes |
//! | [`path`] | message paths: text → syntax tree → columns and transforms over a schema | know a recording, open anything |
//! | [`demo`] | a synthetic drive, written as a bag | touch the network |
//! | [`store`] | what is loaded, wanted, to be fetched next, to be evicted; transforms, accumulated state, playback | block; read a clock; exceed its budget |
//! | [`run`] | the one door to the outside: executes [`store::Work`], returns [`store::Event`]s | decide anything |
//! | [`layout`] | layout files, ours and those of other programs: read, written, compared, merged, fitted to a recording | open a file; know a panel's code |
//! | [`lake`] | tables and topics under one SQL, with DataFusion, which stays behind it | parse Parquet or SQL by hand; show where a table lies |
//! | [`scenes`] | spans of recordings that are worth a name: read from tables and queries, written as tables | drop a row; know a window |
//! | [`find`] | when a condition over message paths holds, in one recording or many | open a file, start a thread |
//! | [`export`] | recordings, whole or in part, written anew: bags, MCAP files, tables | open a file |
//! | [`cli`] | the commands, over the same readers and executor | need a display (or, but for `screenshot`, a GPU) |
//! | `theme` | colours, fonts, icons, spacing and the small widgets: one table for dark, one for light | know data |
//! | `render` | wgpu: points, lines, meshes, grids, picking; WGSL beside the Rust | know ROS, topics or panels |
//! | `panel` | one file per panel, with its parts beside it | ask for bytes; block; know URLs |
//! | `workspace` | the tree of panels on screen, made of a layout and made a layout again | serialize a library's types |
//! | `app` | the window, the timeline, the dialogs; the same root drawn offscreen | hold data that the store should hold |
//!
//! From `render` on, feature `gui`. `cli` stands above the window's modules in the table but calls [`app`] to open the window, to draw
//! it offscreen and to find layouts by their names: the only exceptions to the order.
//!
//! # Boundaries
//!
//! - [`format::Format`], [`format::Indexer`], [`format::Container`]: a container format is one file and one line in
//!   [`format::FORMATS`]. The indexer asks for ranges and is handed them, so the same reader serves a disk, a URL and a fuzzer.
//! - [`store::Work`] and [`store::Event`] are plain data. Whoever executes them may do so in any order and on any thread; the
//!   tests do it inline, in random order, with failures. What is worked out of what is loaded (series of several topics,
//!   spectra, lines that pass filters, tracks thinned for every zoom, pixels of a picture, a map with its updates) is a [`store::Task`] among them: the window's thread
//!   computes nothing of the size of a recording or of a picture. What accumulates (markers, diagnostics) is folded there, a step from
//!   the last keyframe.
//! - `panel::Panel`: a panel is one file and one line in `panel::PANELS`. What it shows of a topic while the newest message is still
//!   being decoded, and whether that is late, `panel::shown` decides for all of them; what a message path is worth at the playhead,
//!   `panel::reading`. What can be done with a panel is one table of its own, offered by the command palette and by the menu of its content.
//!   A tab may hold a whole arrangement of panels: that is the tree's doing (`workspace`), not a panel.
//!
//! # Invariants
//!
//! - **The state at T is a function of the messages received at or before T**, never of the way that led there. So a picture
//!   after any number of seeks equals the picture of a fresh start.
//! - **The window's thread waits for nothing**: no file, socket, decode, nor a lock that is held across one of them.
//! - **Memory stays in one budget**, counted and evicted in [`store`], what reads under way take included. Message payloads that the store
//!   keeps own their bytes; nothing keeps a decompressed chunk alive.
//! - **Clouds stay raw**: a point cloud's bytes go to the GPU as the message holds them, and shaders find the fields.
//! - **Bad input is normal**: readers return what could be read plus warnings with offsets. Lengths are checked before
//!   anything is allocated for them.
//! - **Secrets stay in memory**: [`source::Location`] prints without query, user and fragment; errors are made from that. AWS's
//!   credentials are found and used in [`source`] only, on `run`'s runtime, never on the window's thread.

pub mod text;
pub mod time;

pub mod source;

pub mod format;

pub mod decode;

pub mod path;

pub mod demo;

pub mod store;

pub mod run;

pub mod layout;

pub mod lake;

pub mod scenes;

pub mod find;

pub mod export;

pub mod cli;

#[cfg(feature = "gui")]
pub mod theme;

#[cfg(feature = "gui")]
pub mod render;

#[cfg(feature = "gui")]
pub mod panel;

#[cfg(feature = "gui")]
pub mod workspace;

#[cfg(feature = "gui")]
pub mod app;
