//! What lies in a bucket, page by page; and which buckets there are.

use aws_sdk_s3::primitives::DateTime;

use super::super::{Location, SourceError};
use super::{For, S3, S3Address, failure};
use crate::time::Time;

/// Up to 1000 entries, in the store's order (by key, in bytes).
#[derive(Debug, Default)]
pub struct Page {
    pub entries: Vec<Entry>,
    /// Hand it over for the next page; None on the last one.
    pub next: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub address: S3Address,
    pub kind: EntryKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum EntryKind {
    Bucket {
        created: Option<Time>,
    },
    /// Keys that go on after a `/`.
    Prefix,
    Object {
        size: u64,
        modified: Option<Time>,
        etag: Option<String>,
        /// None is STANDARD.
        storage_class: Option<String>,
    },
}

impl Entry {
    /// The last part of its key (with the `/` of a folder), or the bucket's name.
    pub fn name(&self) -> &str {
        let key = &self.address.key;
        let stem = key.strip_suffix('/').unwrap_or(key);
        match self.kind {
            EntryKind::Bucket { .. } => &self.address.bucket,
            _ => stem.rfind('/').and_then(|at| key.get(at + 1..)).unwrap_or(key),
        }
    }

    /// Whether its name holds `filter`, or fits it where that has `*` or `?`; case makes no difference.
    pub fn is_named(&self, filter: &str) -> bool {
        let (name, filter) = (self.name().trim_end_matches('/').to_lowercase(), filter.to_lowercase());
        match filter.contains(['*', '?']) {
            true => fits(&name, &filter),
            false => name.contains(&filter),
        }
    }
}

/// A star is tried with as little as possible first, and takes one character more whenever the rest does not fit.
fn fits(name: &str, pattern: &str) -> bool {
    let (mut name, mut pattern) = (name.chars(), pattern.chars());
    let mut star = None;
    loop {
        let before = name.clone();
        match (name.next(), pattern.next()) {
            (None, None) => return true,
            (_, Some('*')) => {
                star = Some((before.clone(), pattern.clone()));
                name = before;
            }
            (Some(_), Some('?')) => {}
            (Some(a), Some(b)) if a == b => {}
            _ => {
                let Some((from, rest)) = &mut star else { return false };
                if from.next().is_none() {
                    return false;
                }
                (name, pattern) = (from.clone(), rest.clone());
            }
        }
    }
}

impl S3 {
    /// The page of `place` after `after`: all buckets where it names none, otherwise what begins with its key, up to the
    /// next `/` where `by_folder`.
    pub(in super::super) async fn list(&self, place: &S3Address, after: Option<&str>, by_folder: bool) -> Result<Page, SourceError> {
        if place.bucket.is_empty() {
            return self.list_buckets(place, after).await;
        }
        match self.list_objects(place, after, by_folder).await {
            Err(SourceError::WrongRegion { region: Some(region), .. }) if self.learn_region(&place.bucket, &region) => {
                self.list_objects(place, after, by_folder).await
            }
            result => result,
        }
    }

    async fn list_objects(&self, place: &S3Address, after: Option<&str>, by_folder: bool) -> Result<Page, SourceError> {
        let at = Location::S3(place.clone());
        let path_style = self.path_style(place).await?;
        let client = self.client(place, path_style, For::Listing).await?;
        let answer = client
            .list_objects_v2()
            .bucket(&place.bucket)
            .prefix(&place.key)
            .set_delimiter(by_folder.then(|| "/".to_owned()))
            .set_continuation_token(after.map(str::to_owned))
            .set_request_payer(self.payer())
            .send()
            .await
            .map_err(|error| failure::of_sdk(&error, &self.aws.options, &at))?;
        let within = |key: &str| S3Address {
            bucket: place.bucket.clone(),
            key: key.to_owned(),
        };
        let prefixes = answer.common_prefixes().iter().filter_map(|p| p.prefix()).map(|prefix| Entry {
            address: within(prefix),
            kind: EntryKind::Prefix,
        });
        let objects = answer.contents().iter().filter_map(|object| {
            let kind = EntryKind::Object {
                size: object.size().and_then(|s| u64::try_from(s).ok()).unwrap_or(0),
                modified: object.last_modified().and_then(time),
                etag: object.e_tag().map(str::to_owned),
                storage_class: object.storage_class().map(|c| c.as_str().to_owned()).filter(|c| c != "STANDARD"),
            };
            Some(Entry {
                address: within(object.key()?),
                kind,
            })
        });
        // The object that a folder's own key names holds nothing to open.
        let objects = objects.filter(|entry| !(by_folder && entry.address.key == place.key && place.key.ends_with('/')));
        Ok(Page {
            entries: prefixes.chain(objects).collect(),
            next: answer.next_continuation_token().map(str::to_owned),
        })
    }

    async fn list_buckets(&self, place: &S3Address, after: Option<&str>) -> Result<Page, SourceError> {
        let at = Location::S3(place.clone());
        let client = self.client(place, false, For::Listing).await?;
        let answer = client
            .list_buckets()
            .max_buckets(1000)
            .set_continuation_token(after.map(str::to_owned))
            .send()
            .await
            .map_err(|error| failure::of_sdk(&error, &self.aws.options, &at))?;
        let entries = answer.buckets().iter().filter_map(|bucket| {
            Some(Entry {
                address: S3Address {
                    bucket: bucket.name()?.to_owned(),
                    key: String::new(),
                },
                kind: EntryKind::Bucket {
                    created: bucket.creation_date().and_then(time),
                },
            })
        });
        Ok(Page {
            entries: entries.collect(),
            next: answer.continuation_token().map(str::to_owned),
        })
    }
}

fn time(stamp: &DateTime) -> Option<Time> {
    i64::try_from(stamp.as_nanos()).ok().map(Time)
}
