//! Small objects that are written and taken away: what teams share of their layouts.
//!
//! Invariant: an object that was changed in the meantime is not replaced.

use super::super::{Location, SourceError};
use super::{EntryKind, For, S3, S3Address, failure};

impl S3 {
    /// Of the object as it is now; None where there is none.
    pub(in super::super) async fn etag(&self, address: &S3Address) -> Result<Option<String>, SourceError> {
        let page = self.list(address, None, true).await?;
        let found = page.entries.into_iter().find(|entry| entry.address == *address);
        Ok(found.and_then(|entry| match entry.kind {
            EntryKind::Object { etag, .. } => Some(etag.unwrap_or_default()),
            _ => None,
        }))
    }

    /// Replaces the object with this ETag; makes a new one where none is given.
    pub(in super::super) async fn put(&self, address: &S3Address, bytes: Vec<u8>, replaces: Option<&str>) -> Result<(), SourceError> {
        let at = Location::S3(address.clone());
        let path_style = self.path_style(address).await?;
        let client = self.client(address, path_style, For::Listing).await?;
        let condition = replaces.filter(|etag| !etag.is_empty());
        let request = client
            .put_object()
            .bucket(&address.bucket)
            .key(&address.key)
            .content_type("application/json")
            .set_if_match(condition.map(str::to_owned))
            .set_if_none_match(replaces.is_none().then(|| "*".to_owned()))
            .set_request_payer(self.payer())
            .body(bytes.into());
        let sent = request.send().await;
        sent.map(drop).map_err(|error| failure::of_sdk(&error, &self.aws.options, &at))
    }

    pub(in super::super) async fn delete(&self, address: &S3Address) -> Result<(), SourceError> {
        let at = Location::S3(address.clone());
        let path_style = self.path_style(address).await?;
        let client = self.client(address, path_style, For::Listing).await?;
        let request = client
            .delete_object()
            .bucket(&address.bucket)
            .key(&address.key)
            .set_request_payer(self.payer());
        let sent = request.send().await;
        sent.map(drop).map_err(|error| failure::of_sdk(&error, &self.aws.options, &at))
    }
}
