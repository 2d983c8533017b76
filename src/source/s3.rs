//! S3: an object becomes a GET URL signed for a quarter of an hour; listings come page by page.
//!
//! Invariants: object bytes are read through signed URLs only, by the same range reader as everything remote; a bucket's
//! region is learned from the store's answers, once.

mod address;
pub(super) mod failure;
mod list;
mod write;

pub use address::S3Address;
pub use list::{Entry, EntryKind, Page};

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Credentials, Region, ResponseChecksumValidation};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::RequestPayer;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::OnceCell;
use url::Url;

use super::aws::{Aws, AwsOptions};
use super::{Location, SourceError};

pub(super) struct S3 {
    pub(super) aws: Arc<Aws>,
    /// Goes before the configured one.
    region: Option<String>,
    /// How long a URL that is signed here works; it is signed again when a third of that is left.
    life: Duration,
    clients: Mutex<HashMap<Endpoint, Client>>,
    store: OnceCell<Store>,
    /// Regions of buckets, as the store told them.
    regions: Mutex<HashMap<String, String>>,
}

/// Which store is asked, and by whom.
pub(super) struct Store {
    /// Of one that is none of AWS's, where a bucket's name is one bucket everywhere.
    pub(super) host: Option<String>,
    /// Names a secret, and is none.
    pub(super) access_key: String,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Endpoint {
    region: String,
    /// `host/bucket/key`, where the host is none of AWS's.
    path_style: bool,
    purpose: For,
}

/// Where nothing is signed, these differ: keys that mean nothing make a URL, whose signature is cut off.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum For {
    Url,
    Listing,
}

/// A URL that works for a while, with the headers that were signed with it.
pub(super) struct Signed {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    region: String,
    /// When it is to be signed again.
    stale: Instant,
}

impl Signed {
    /// Whether it was signed for another region.
    pub(super) fn is_elsewhere(&self, region: &str) -> bool {
        self.region != region
    }

    pub(super) fn is_fresh(&self) -> bool {
        Instant::now() < self.stale
    }
}

impl S3 {
    pub(super) fn new(options: AwsOptions, life: Duration) -> S3 {
        S3::of(Arc::new(Aws::new(options)), None, life)
    }

    /// The same credentials, in another region.
    pub(super) fn in_region(&self, region: &str) -> S3 {
        S3::of(self.aws.clone(), Some(region.to_owned()), self.life)
    }

    fn of(aws: Arc<Aws>, region: Option<String>, life: Duration) -> S3 {
        S3 {
            aws,
            region,
            life,
            clients: Mutex::default(),
            store: OnceCell::new(),
            regions: Mutex::default(),
        }
    }

    pub(super) async fn sign(&self, address: &S3Address) -> Result<Signed, SourceError> {
        let path_style = self.path_style(address).await?;
        let mut signed = self.presigned(address, path_style, self.life).await?;
        if self.aws.options.unsigned {
            signed.url.set_query(None);
        }
        Ok(signed)
    }

    /// A URL for others, that works for `life`, up to a week.
    pub(super) async fn share(&self, address: &S3Address, life: Duration) -> Result<Url, SourceError> {
        let path_style = self.path_style(address).await?;
        Ok(self.presigned(address, path_style, life).await?.url)
    }

    /// Stores that are not AWS's seldom know a host name for each bucket. The SDK alone knows where a custom endpoint may be
    /// set; a URL that it signs tells.
    async fn path_style(&self, address: &S3Address) -> Result<bool, SourceError> {
        if address.bucket.starts_with("arn:") {
            return Ok(false);
        }
        Ok(self.store(address).await?.host.is_some())
    }

    pub(super) async fn store(&self, address: &S3Address) -> Result<&Store, SourceError> {
        let told = self.store.get_or_try_init(|| async {
            let any = S3Address {
                key: "any".to_owned(),
                ..address.clone()
            };
            let signed = self
                .presigned(&any, false, self.life)
                .await
                .map_err(|error| error.about(Location::S3(address.clone())))?;
            let host = signed.url.host_str().unwrap_or_default();
            // the bucket's name may have become a part of it
            let host = host.strip_prefix(&format!("{}.", address.bucket)).unwrap_or(host);
            let place = format!("{host}:{}", signed.url.port_or_known_default().unwrap_or_default());
            let credential = signed.url.query_pairs().find(|(name, _)| name == "X-Amz-Credential");
            let access_key = credential.and_then(|(_, scope)| Some(scope.split_once('/')?.0.to_owned()));
            Ok(Store {
                host: (!host.contains(".amazonaws.")).then_some(place),
                access_key: access_key.unwrap_or_default(),
            })
        });
        told.await
    }

    async fn presigned(&self, address: &S3Address, path_style: bool, life: Duration) -> Result<Signed, SourceError> {
        let at = || Location::S3(address.clone());
        let wrong = |cause: &str| SourceError::Signing {
            cause: cause.into(),
            at: at(),
        };
        let client = self.client(address, path_style, For::Url).await?;
        let stale = Instant::now() + life - life / 3;
        let life = PresigningConfig::expires_in(life).map_err(|e| wrong(&e.to_string()))?;
        let request = client
            .get_object()
            .bucket(&address.bucket)
            .key(&address.key)
            .set_request_payer(self.payer())
            .presigned(life)
            .await
            .map_err(|error| failure::of_sdk(&error, &self.aws.options, &at()))?;
        let mut headers = HeaderMap::new();
        for (name, value) in request.headers() {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong("a header's name"))?;
            headers.insert(name, HeaderValue::from_str(value).map_err(|_| wrong("a header's value"))?);
        }
        Ok(Signed {
            url: Url::parse(request.uri()).map_err(|e| wrong(&e.to_string()))?,
            headers,
            region: client.config().region().map(ToString::to_string).unwrap_or_default(),
            stale,
        })
    }

    fn payer(&self) -> Option<RequestPayer> {
        self.aws.options.request_payer.then_some(RequestPayer::Requester)
    }

    /// A client for the bucket's region, as far as that is known.
    async fn client(&self, address: &S3Address, path_style: bool, purpose: For) -> Result<Client, SourceError> {
        let config = self.aws.config().await?;
        let learned = lock(&self.regions).get(&address.bucket).cloned();
        let region = learned
            .or_else(|| address.region().map(str::to_owned))
            .or_else(|| self.region.clone())
            .or_else(|| config.region().map(ToString::to_string));
        let endpoint = Endpoint {
            region: region.unwrap_or_default(),
            path_style,
            purpose,
        };
        let build = || {
            let mut builder = aws_sdk_s3::config::Builder::from(config)
                .use_arn_region(true)
                // checksums of whole objects say nothing about ranges
                .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
                .force_path_style(path_style);
            if !endpoint.region.is_empty() {
                builder = builder.region(Region::new(endpoint.region.clone()));
            }
            builder = match (self.aws.options.unsigned, purpose) {
                (false, _) => builder,
                (true, For::Url) => builder.credentials_provider(Credentials::new("none", "none", None, None, "unsigned")),
                (true, For::Listing) => builder.allow_no_auth(),
            };
            Client::from_conf(builder.build())
        };
        Ok(lock(&self.clients).entry(endpoint.clone()).or_insert_with(build).clone())
    }

    /// Takes the region that the store told; false where it was known already, so that asking again is no use.
    pub(super) fn learn_region(&self, bucket: &str, region: &str) -> bool {
        let known = lock(&self.regions).insert(bucket.to_owned(), region.to_owned());
        known.as_deref() != Some(region)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
