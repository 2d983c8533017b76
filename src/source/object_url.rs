//! The URL under which an object can be had right now: pasted, or signed here and signed again before it runs out.

use std::sync::Arc;

use reqwest::header::{AUTHORIZATION, HeaderMap};
use url::Url;

use super::s3::{S3, S3Address, Signed};
use super::{Location, SourceError};

pub(super) enum ObjectUrl {
    Pasted {
        url: Url,
        at: Location,
    },
    Signed {
        s3: Arc<S3>,
        address: S3Address,
        at: Location,
        now: tokio::sync::Mutex<Option<Arc<Signed>>>,
    },
}

/// Where one request goes.
pub(super) struct Target {
    pub(super) url: Url,
    /// The user's, and what was signed.
    pub(super) headers: HeaderMap,
    signed: Option<Arc<Signed>>,
}

impl ObjectUrl {
    /// Of a remote location; a path has none.
    pub(super) fn of(location: &Location, s3: &Arc<S3>) -> Result<ObjectUrl, SourceError> {
        let at = location.clone();
        match location {
            Location::Url(url) => Ok(ObjectUrl::Pasted { url: url.clone(), at }),
            Location::S3(address) => Ok(ObjectUrl::Signed {
                s3: s3.clone(),
                address: address.clone(),
                at,
                now: tokio::sync::Mutex::default(),
            }),
            Location::Path(_) => Err(SourceError::Io {
                cause: "a path is no URL".into(),
                at,
            }),
        }
    }

    pub(super) fn at(&self) -> &Location {
        match self {
            ObjectUrl::Pasted { at, .. } | ObjectUrl::Signed { at, .. } => at,
        }
    }

    pub(super) async fn target(&self, headers: &HeaderMap) -> Result<Target, SourceError> {
        let mut headers = headers.clone();
        match self {
            ObjectUrl::Pasted { url, .. } => Ok(Target {
                url: url.clone(),
                headers,
                signed: None,
            }),
            ObjectUrl::Signed { s3, address, now, .. } => {
                let mut now = now.lock().await;
                let signed = match now.as_ref().filter(|signed| signed.is_fresh()) {
                    Some(signed) => signed.clone(),
                    None => now.insert(Arc::new(s3.sign(address).await?)).clone(),
                };
                // S3 takes one signature only.
                headers.remove(AUTHORIZATION);
                headers.extend(signed.headers.clone());
                Ok(Target {
                    url: signed.url.clone(),
                    headers,
                    signed: Some(signed),
                })
            }
        }
    }

    /// Whether a URL that is signed anew could do what `target` could not: in the region that the store told, or with
    /// credentials that have been renewed since.
    pub(super) async fn signs_anew(&self, error: &SourceError, target: &Target) -> bool {
        let (ObjectUrl::Signed { s3, address, now, .. }, Some(failed)) = (self, &target.signed) else {
            return false;
        };
        match error {
            SourceError::WrongRegion { region: Some(region), .. } => {
                // Another read may have learned it already: then the URL at hand is an old one.
                let is_new = s3.learn_region(&address.bucket, region);
                if !is_new && !failed.is_elsewhere(region) {
                    return false;
                }
            }
            SourceError::CredentialsEnded { .. } | SourceError::ClockSkew { .. } => {}
            _ => return false,
        }
        let mut now = now.lock().await;
        if now.as_ref().is_some_and(|current| Arc::ptr_eq(current, failed)) {
            *now = None;
        }
        true
    }
}
