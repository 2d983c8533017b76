//! A location (path, presigned URL) → byte ranges: parsing, redaction, range reads, retries, checks of every answer.
//!
//! What was fetched is kept ([`Cache`]) and not fetched again.
//!
//! Invariants: this layer knows no file format. A query string, a signature or a key is never printed: [`Location`]'s
//! `Display` and `Debug` show `https://host/path?…`, and so does every [`SourceError`]. Files are read, never mapped, so
//! that a recording's size does not count as memory.

mod cache;
mod cached;
mod error;
mod http;
mod link;
mod local;
mod location;
mod reader;
mod remote;

pub use cache::{Cache, CacheOptions, CacheUse};
pub use error::SourceError;
pub use link::{Link, LinkStyle, encoded};
pub use location::{Location, LocationError};
pub use reader::{HEAD_BYTES, Reader};
pub use remote::{Net, Policy, Traffic, TrafficSnapshot};
