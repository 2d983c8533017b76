//! The HTTP client: one stack for ranges and for AWS's services, so that proxies and certificates are the same for all.
//!
//! Certificates are the system's (`SSL_CERT_FILE` and `SSL_CERT_DIR` included) and those of `AWS_CA_BUNDLE`; proxies come from
//! the environment (`HTTPS_PROXY`, `NO_PROXY`).

use std::time::Duration;

use reqwest::redirect::Policy as Redirects;
use reqwest::{Certificate, Client};

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
