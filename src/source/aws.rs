//! AWS's configuration and credentials, as its own tools find them, over our HTTP client.
//!
//! Invariants: credentials stay in memory; nothing is looked for before the first location that needs it; requests of the
//! SDK go through [`http_client`], so that it brings no second HTTP stack.

use std::fmt;
use std::time::Duration;

use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use reqwest::{Client, Method};
use tokio::sync::OnceCell;

use super::SourceError;
use super::client::http_client;

/// Where AWS is and who asks; what is None comes from the environment and the shared configuration files.
#[derive(Clone, Debug, Default)]
pub struct AwsOptions {
    pub profile: Option<String>,
    pub region: Option<String>,
    /// Of an S3-compatible store.
    pub endpoint_url: Option<String>,
    /// The requester pays for what is read of “requester pays” buckets.
    pub request_payer: bool,
    /// Public buckets: requests are not signed.
    pub unsigned: bool,
}

pub(super) struct Aws {
    pub(super) options: AwsOptions,
    config: OnceCell<SdkConfig>,
}

impl Aws {
    pub(super) fn new(options: AwsOptions) -> Aws {
        Aws {
            options,
            config: OnceCell::new(),
        }
    }

    pub(super) async fn config(&self) -> Result<&SdkConfig, SourceError> {
        self.config.get_or_try_init(|| self.load()).await
    }

    async fn load(&self) -> Result<SdkConfig, SourceError> {
        // A redirect of a signed request has to be signed anew: the SDK's affair, or ours.
        let client = http_client(Duration::from_secs(10), reqwest::redirect::Policy::none())?;
        let http = SharedHttpClient::new(Http(client));
        let options = &self.options;
        let mut regions = ProfileFileRegionProvider::builder();
        if let Some(profile) = &options.profile {
            regions = regions.profile_name(profile);
        }
        // The instance's metadata is not asked: where nothing names a region, the bucket's answer does.
        let region = RegionProviderChain::first_try(options.region.clone().map(Region::new))
            .or_else(aws_config::environment::EnvironmentVariableRegionProvider::new())
            .or_else(regions.build())
            .or_else("us-east-1")
            .region()
            .await;
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http.clone())
            .region(region.clone());
        if let Some(profile) = &options.profile {
            // A profile that was asked for goes before the environment's keys, as in AWS's own command line.
            let config = ProviderConfig::without_region().with_region(region).with_http_client(http);
            let credentials = ProfileFileCredentialsProvider::builder()
                .configure(&config)
                .profile_name(profile)
                .build();
            loader = loader.profile_name(profile).credentials_provider(credentials);
        }
        if let Some(url) = &options.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        if options.unsigned {
            loader = loader.no_credentials();
        }
        Ok(loader.load().await)
    }
}

/// Our client, as the SDK sees it.
#[derive(Clone)]
struct Http(Client);

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Http")
    }
}

impl HttpClient for Http {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        let times = [settings.connect_timeout(), settings.read_timeout()];
        SharedHttpConnector::new(Connector {
            client: self.0.clone(),
            patience: times.into_iter().flatten().reduce(|a, b| a + b),
        })
    }
}

#[derive(Clone)]
struct Connector {
    client: Client,
    /// Until an answer's body is there.
    patience: Option<Duration>,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move {
            let patience = this.patience.unwrap_or(Duration::from_secs(60));
            match tokio::time::timeout(patience, exchange(&this.client, request)).await {
                Ok(result) => result,
                Err(elapsed) => Err(ConnectorError::timeout(elapsed.into())),
            }
        })
    }
}

async fn exchange(client: &Client, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let method = Method::from_bytes(request.method().as_bytes()).map_err(|e| ConnectorError::user(e.into()))?;
    let mut built = client.request(method, request.uri());
    for (name, value) in request.headers() {
        built = built.header(name, value);
    }
    // What is asked here (listings, tokens, keys) has small bodies, which are in memory.
    if let Some(body) = request.body().bytes() {
        built = built.body(body.to_vec());
    }
    let failed = |error: reqwest::Error| {
        let error = error.without_url();
        match error.is_timeout() {
            true => ConnectorError::timeout(error.into()),
            false => ConnectorError::io(error.into()),
        }
    };
    let response = built.send().await.map_err(failed)?;
    let status = StatusCode::try_from(response.status().as_u16()).map_err(|e| ConnectorError::other(e.into(), None))?;
    let headers = response.headers().clone();
    let body = response.bytes().await.map_err(failed)?;
    let mut answer = HttpResponse::new(status, SdkBody::from(body));
    for (name, value) in &headers {
        if let Ok(value) = value.to_str() {
            let _ = answer.headers_mut().try_append(name.as_str().to_owned(), value.to_owned());
        }
    }
    Ok(answer)
}
