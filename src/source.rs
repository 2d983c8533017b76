//! A location (path, presigned URL, object in S3) → byte ranges: parsing, redaction, range reads, retries, checks of every answer.
//!
//! What was fetched is kept ([`Cache`]) and not fetched again.
//!
//! Invariants: this layer knows no file format. A query string, a signature or a key is never printed: [`Location`]'s
//! `Display` and `Debug` show `https://host/path?…`, and so does every [`SourceError`]. Files are read, never mapped, so
//! that a recording's size does not count as memory.

mod aws;
mod cache;
mod cached;
mod client;
mod error;
mod http;
mod link;
mod local;
mod location;
mod object_url;
mod presigned;
mod reader;
mod remote;
mod renewal;
mod s3;
mod secret;
mod traffic;
mod tries;

pub use aws::AwsOptions;
pub use cache::{Cache, CacheOptions, CacheUse};
pub use error::SourceError;
pub use link::{Link, LinkStyle, encoded};
pub use location::{Location, LocationError};
pub use presigned::{Kind as PresignedKind, Presigned};
pub use reader::{HEAD_BYTES, Reader};
pub use remote::{Net, Policy};
pub use renewal::Renewal;
pub use s3::{Entry, EntryKind, Page, S3Address};
pub use secret::without_secrets;
pub use traffic::{Traffic, TrafficSnapshot};
