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
mod deployment;
mod error;
mod gather;
mod http;
mod lambda;
mod link;
mod local;
mod location;
mod net;
mod object_url;
mod objects;
mod patience;
mod presigned;
mod reader;
mod remote;
mod renewal;
mod request;
mod s3;
mod scenes;
mod secret;
mod small;
mod traffic;

pub use aws::AwsOptions;
pub use cache::{Cache, CacheOptions, CacheUse, Pin};
pub use deployment::{Deployment, from_json_with_comments};
pub use error::SourceError;
pub use gather::{Found, LONGEST_LIST_BYTES, below, is_list, list_of};
pub use link::{Link, LinkStyle, encoded};
pub use location::{Location, LocationError};
pub use net::Net;
pub use objects::Objects;
pub use patience::Policy;
pub use presigned::{Kind as PresignedKind, Presigned};
pub use reader::{HEAD_BYTES, Reader};
pub use renewal::Renewal;
pub use s3::{Entry, EntryKind, Page, S3Address};
pub use scenes::{END_TEXT, START_TEXT, Scene, SceneTable, record_of};
pub use secret::{is_secret_name, without_secrets};
pub use small::small;
pub use traffic::{Traffic, TrafficSnapshot};
