//! Which object lies at a location, as far as is known: so that opening it again costs one conditional request, and none
//! within [`FRESH`] of the last check.
//!
//! Invariant: a URL whose query may name another object (anything but a signature) is not remembered.

use std::time::{Duration, SystemTime};

use super::disk::Disk;
use super::{entry, hash};
use crate::source::Location;
use bytes::Bytes;

/// How long an answer counts without being asked for again.
pub(super) const FRESH: Duration = Duration::from_secs(60);

/// An object as it was when it was last opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::source) struct Known {
    pub(in crate::source) total: u64,
    pub(in crate::source) etag: Bytes,
    /// Of a bucket: in which store it was, and who asked ([`store_of`]).
    pub(in crate::source) store: u128,
    /// It was seen so recently that nobody has to be asked.
    pub(in crate::source) is_fresh: bool,
}

/// A name for a store and for who asks it.
pub(in crate::source) fn store_of(host: &str, access_key: &str) -> u128 {
    hash(&[host.as_bytes(), access_key.as_bytes()])
}

/// Query parameters that sign a request and do not say what is requested.
const SIGNING: &[&str] = &[
    // CloudFront, old S3, Azure
    "Expires",
    "Signature",
    "Key-Pair-Id",
    "Policy",
    "AWSAccessKeyId",
    "sig",
    "se",
    "sp",
    "sv",
    "sr",
    "st",
    "spr",
    "sip",
    "skoid",
    "sktid",
    "skt",
    "ske",
    "sks",
    "skv",
    "GoogleAccessId",
];

/// The URL without what changes from link to link; None where the rest of the query cannot be understood.
pub(super) fn name(at: &Location) -> Option<u128> {
    let url = match at {
        Location::Url(url) => url,
        Location::S3(address) => return Some(hash(&[b"s3", address.bucket.as_bytes(), address.key.as_bytes()])),
        Location::Path(_) => return None,
    };
    let mut version = String::new();
    for (key, value) in url.query_pairs() {
        let signs = ["X-Amz-", "X-Goog-", "response-"].iter().any(|p| key.starts_with(p)) || SIGNING.contains(&&*key) || key == "x-id";
        match &*key {
            "versionId" | "generation" => version = format!("{key}={value}"),
            _ if signs => {}
            _ => return None,
        }
    }
    let port = url.port_or_known_default().unwrap_or_default().to_le_bytes();
    let host = url.host_str().unwrap_or_default();
    Some(hash(&[
        url.scheme().as_bytes(),
        host.as_bytes(),
        &port,
        url.path().as_bytes(),
        version.as_bytes(),
    ]))
}

fn entry_name(object: u128) -> entry::Name {
    entry::Name { object, start: 0 }
}

pub(super) fn read(disk: &Disk, at: &Location) -> Option<Known> {
    let name = name(at)?;
    let (file, written) = disk.read_known(name)?;
    let bytes = entry::parse(entry_name(name), file)?;
    let (total, rest) = bytes.split_first_chunk::<8>()?;
    let (store, etag) = rest.split_first_chunk::<16>()?;
    Some(Known {
        total: u64::from_le_bytes(*total),
        store: u128::from_le_bytes(*store),
        etag: bytes.slice_ref(etag),
        // a clock that was set back makes nothing fresh
        is_fresh: SystemTime::now().duration_since(written).is_ok_and(|age| age < FRESH),
    })
}

pub(super) fn write(disk: &Disk, at: &Location, known: &Known) {
    if let Some(name) = name(at) {
        let mut bytes = known.total.to_le_bytes().to_vec();
        bytes.extend_from_slice(&known.store.to_le_bytes());
        bytes.extend_from_slice(&known.etag);
        disk.write_known(name, entry_name(name), &bytes);
    }
}

pub(super) fn forget(disk: &Disk, at: &Location) {
    if let Some(name) = name(at) {
        disk.forget_known(name);
    }
}
