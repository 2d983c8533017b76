//! A location (path, presigned URL) → byte ranges: parsing, redaction, range reads, retries, checks of every answer.
//!
//! Invariants: this layer knows no file format. A query string, a signature or a key is never printed: [`Location`]'s
//! `Display` and `Debug` show `https://host/path?…`, and so does every [`SourceError`]. Files are read, never mapped, so
//! that a recording's size does not count as memory.

mod error;
mod http;
mod local;
mod location;
mod reader;
mod remote;

pub use error::SourceError;
pub use location::{Location, LocationError};
pub use reader::{HEAD_BYTES, Reader};
pub use remote::{Net, Policy, Traffic, TrafficSnapshot};
