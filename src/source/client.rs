//! The HTTP client: one stack for ranges and for AWS's services, so that proxies and certificates are the same for all.
//!
//! Certificates are the system's (`SSL_CERT_FILE` and `SSL_CERT_DIR` included) and those of `AWS_CA_BUNDLE`; proxies come from
//! the environment (`HTTPS_PROXY`, `NO_PROXY`).

use std::time::Duration;

use reqwest::header::{HeaderMap, LOCATION};
use reqwest::redirect::Policy as Redirects;
use reqwest::{Certificate, Client, RequestBuilder, Response};
use url::Url;

use super::http::root_cause;
use super::{Location, SourceError};

pub(super) fn http_client(connect: Duration, redirects: Redirects) -> Result<Client, SourceError> {
    Client::builder()
        .user_agent(concat!("roadreel/", env!("CARGO_PKG_VERSION")))
        .referer(false)
        .redirect(redirects)
        .connect_timeout(connect)
        .tcp_nodelay(true)
        .http2_adaptive_window(true)
        .pool_max_idle_per_host(16)
        .retry(reqwest::retry::never())
        .tls_certs_merge(own_certificates()?)
        .build()
        .map_err(|e| unusable(&root_cause(&e), "https"))
}

const MOST_REDIRECTS: usize = 10;

/// Follows redirects as long as they lead to the same place.
pub(super) fn within_one_place() -> Redirects {
    Redirects::custom(|attempt| match attempt.previous().last() {
        Some(from) if !is_same_place(from, attempt.url()) => attempt.stop(),
        _ if attempt.previous().len() > MOST_REDIRECTS => attempt.error("too many redirects"),
        _ => attempt.follow(),
    })
}

/// Sends a GET, completed by `complete`, with `headers`, which are for this place alone: where a redirect leads to another one, it is
/// followed without them. For clients that stop there ([`within_one_place`]).
pub(super) async fn get(
    client: &Client,
    mut url: Url,
    headers: &HeaderMap,
    complete: impl Fn(RequestBuilder) -> RequestBuilder,
) -> reqwest::Result<Response> {
    let mut headers = headers.clone();
    for _ in 0..MOST_REDIRECTS {
        let response = complete(client.get(url).headers(headers)).send().await?;
        let Some(elsewhere) = redirected(&response) else {
            return Ok(response);
        };
        (url, headers) = (elsewhere, HeaderMap::new());
    }
    complete(client.get(url)).send().await
}

fn redirected(response: &Response) -> Option<Url> {
    let to = response.headers().get(LOCATION).filter(|_| response.status().is_redirection())?;
    let url = response.url().join(to.to_str().ok()?).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

/// The same origin, or its secure twin.
fn is_same_place(from: &Url, to: &Url) -> bool {
    let is_upgrade = from.scheme() == "http" && to.scheme() == "https" && from.host() == to.host();
    is_upgrade || from.origin() == to.origin()
}

/// Those of `AWS_CA_BUNDLE`, beside the system's.
fn own_certificates() -> Result<Vec<Certificate>, SourceError> {
    let Some(path) = std::env::var_os("AWS_CA_BUNDLE").filter(|p| !p.is_empty()) else {
        return Ok(Vec::new());
    };
    let at = format!("AWS_CA_BUNDLE={}", path.display());
    let pem = std::fs::read(&path).map_err(|e| unusable(&e.to_string(), &at))?;
    Certificate::from_pem_bundle(&pem).map_err(|e| unusable(&root_cause(&e), &at))
}

fn unusable(cause: &str, at: &str) -> SourceError {
    SourceError::Tls {
        cause: cause.into(),
        at: Location::Path(at.into()),
    }
}
