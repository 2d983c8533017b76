//! What all readers of one runtime share: connections, the user's headers, signers, the cache, counters.
//!
//! Invariant: the user's headers are marked as sensitive, so that nothing prints them.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::cache::Cache;
use super::client::{http_client, within_one_place};
use super::patience::{Patience, Policy};
use super::s3::S3;
use super::{AwsOptions, Location, Page, Renewal, S3Address, SourceError, Traffic};

/// The network side of all readers of one runtime: connections, headers, counters. Cheap to clone.
#[derive(Clone)]
pub struct Net {
    /// None of its failures concern local files: reported by the first request.
    pub(super) client: Result<Client, SourceError>,
    pub(super) policy: Arc<Policy>,
    pub(super) headers: Arc<HeaderMap>,
    pub(super) traffic: Arc<Traffic>,
    pub(super) patience: Arc<Patience>,
    pub(super) cache: Option<Cache>,
    pub(super) s3: Arc<S3>,
    pub(super) renewal: Option<Arc<Renewal>>,
}

impl Net {
    /// `headers` are sent with every request (`--header`), but not to where a redirect leads. Proxies come from the environment.
    pub fn new(policy: Policy, headers: &[(String, String)]) -> Result<Net, SourceError> {
        let at = || Location::Path("--header".into());
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let wrong = || SourceError::Header {
                name: name.as_str().into(),
                at: at(),
            };
            let mut value = HeaderValue::from_str(value).map_err(|_| wrong())?;
            value.set_sensitive(true);
            map.insert(HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?, value);
        }
        Ok(Net {
            client: http_client(policy.connect, within_one_place()),
            s3: Arc::new(S3::new(AwsOptions::default(), policy.url_life)),
            policy: Arc::new(policy),
            headers: Arc::new(map),
            traffic: Arc::default(),
            patience: Arc::default(),
            cache: None,
            renewal: None,
        })
    }

    /// Keeps what is fetched, and fetches nothing twice.
    pub fn cached(self, cache: Cache) -> Net {
        Net {
            cache: Some(cache),
            ..self
        }
    }

    /// The same, but for the user's headers.
    pub fn without_headers(&self) -> Net {
        Net {
            headers: Arc::default(),
            ..self.clone()
        }
    }

    /// The same, but soon at its wits' end: where there is another way.
    pub(super) fn hasty(&self) -> Net {
        let policy = Policy {
            attempts: 2,
            connect: self.policy.connect.min(Duration::from_secs(3)),
            idle_max: self.policy.idle,
            ..(*self.policy).clone()
        };
        Net {
            policy: Arc::new(policy),
            ..self.clone()
        }
    }

    pub fn cache(&self) -> Option<&Cache> {
        self.cache.as_ref()
    }

    /// How `s3://` locations are signed; nothing is looked for before the first one.
    pub fn with_aws(self, options: AwsOptions) -> Net {
        Net {
            s3: Arc::new(S3::new(options, self.policy.url_life)),
            ..self
        }
    }

    /// The same, signing for another region.
    pub fn in_region(&self, region: &str) -> Net {
        Net {
            s3: Arc::new(self.s3.in_region(region)),
            ..self.clone()
        }
    }

    /// Where a new link comes from when a pasted one has ended; without it the user is asked.
    pub fn with_renewal(self, renewal: Option<Renewal>) -> Net {
        Net {
            renewal: renewal.map(Arc::new),
            ..self
        }
    }

    /// What lies in S3 under `place`, or all buckets where it names none: the page after `after` (a page's `next`), up to the
    /// next `/` where `by_folder`.
    pub async fn list(&self, place: &S3Address, after: Option<&str>, by_folder: bool) -> Result<Page, SourceError> {
        self.s3.list(place, after, by_folder).await
    }

    /// A GET URL of an object, signed for `life` (up to a week): for others, who need no credentials.
    pub async fn presign(&self, address: &S3Address, life: Duration) -> Result<url::Url, SourceError> {
        self.s3.share(address, life).await
    }

    /// Of a small object in S3 as it is now; None where there is none.
    pub async fn etag(&self, address: &S3Address) -> Result<Option<String>, SourceError> {
        self.s3.etag(address).await
    }

    /// Writes a small object in S3: in place of the one with this ETag, or as a new one.
    pub async fn put(&self, address: &S3Address, bytes: Vec<u8>, replaces: Option<&str>) -> Result<(), SourceError> {
        self.s3.put(address, bytes, replaces).await
    }

    /// Takes an object in S3 away.
    pub async fn delete(&self, address: &S3Address) -> Result<(), SourceError> {
        self.s3.delete(address).await
    }

    pub(super) fn aws(&self) -> &super::aws::Aws {
        &self.s3.aws
    }

    pub fn traffic(&self) -> &Arc<Traffic> {
        &self.traffic
    }
}
