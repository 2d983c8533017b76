//! The one door to the outside: executes the store's [`Work`](crate::store::Work) and returns
//! [`Event`](crate::store::Event)s; reads whole recordings for the commands.
//!
//! Invariants: nothing here decides what is read, only when; nobody but the callers of `settle` and of the commands' readers
//! ever waits; a panic in a reader or decoder becomes an event; the bytes that wait to be decoded are bounded.

mod decoding;
mod definitions;
mod executor;
mod fetch;
mod gather;
mod io;
mod keep;
mod messages;
mod open;
mod outbox;
mod pace;
mod parts;
mod reading;
mod serve;
mod settle;
mod share;
#[cfg(feature = "gui")]
mod still;
mod texts;
#[cfg(feature = "gui")]
mod tiles;

pub use definitions::add_message_folders;
pub use executor::Executor;
pub use gather::{Held, Kind as TableKind, MOST_JSON, Opened, Place, Table, TableFile, gather, is_recording, nothing_to_open, open_files};
pub use io::Io;
pub use keep::KeepProgress;
pub use messages::{Backwards, Messages, Piece, Wanted, mapped, mapped_of, messages};
pub use open::{OpenError, Recording};
pub use pace::Pace;
pub use reading::needed_here;
pub use serve::serve;
pub use settle::settle;
pub use share::{FoundScene, SceneError, ShareAnswer, ShareEvent, Sharing};
#[cfg(feature = "gui")]
pub use still::{Camera, still};
pub use texts::{
    Expected, LARGEST_TEXT, TextFile, TextFolder, Wrote, free_path, read_text, remove_text, rename_text, write_text, write_whole,
};
