//! What the SDK's errors mean: credentials that are not there or have ended, answers of the store, the network.
//!
//! Invariant: texts of the SDK are taken apart, not handed on, where they could hold a secret.

use std::error::Error;

use aws_sdk_s3::error::SdkError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::super::aws::AwsOptions;
use super::super::http::{Refusal, chain, refusal, root_cause};
use super::super::{Location, SourceError};

pub(in crate::source) fn of_sdk<E: Error + 'static>(error: &SdkError<E, HttpResponse>, options: &AwsOptions, at: &Location) -> SourceError {
    if let Some(raw) = error.raw_response() {
        return of_answer(raw, at);
    }
    match error {
        SdkError::DispatchFailure(failed) if failed.is_timeout() || failed.is_io() => SourceError::Connect {
            cause: root_cause(error),
            at: at.clone(),
        },
        SdkError::TimeoutError(_) => SourceError::Connect {
            cause: "no answer in time".into(),
            at: at.clone(),
        },
        _ => of_credentials(error, options, at),
    }
}

fn of_answer(raw: &HttpResponse, at: &Location) -> SourceError {
    let status = StatusCode::from_u16(raw.status().as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut headers = HeaderMap::new();
    for (name, value) in raw.headers() {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    let body = String::from_utf8_lossy(raw.body().bytes().unwrap_or_default());
    let asked = Refusal {
        status,
        headers: &headers,
        body: &body,
    };
    refusal(&asked, &(0..0), at)
}

/// Credentials are looked for when something is signed: what went wrong is told in texts only.
pub(in crate::source) fn of_credentials(error: &(dyn Error + 'static), options: &AwsOptions, at: &Location) -> SourceError {
    let text = chain(error);
    let lower = text.to_ascii_lowercase();
    let at = at.clone();
    let profile = options
        .profile
        .clone()
        .or_else(|| std::env::var("AWS_PROFILE").ok().filter(|p| !p.is_empty()));
    if lower.contains("was not defined") {
        let profile = profile.unwrap_or_else(|| "default".to_owned()).into();
        return SourceError::NoProfile { profile, at };
    }
    let is_sso = lower.contains("sso") && ["expired", "unauthorized", "sso token"].iter().any(|word| lower.contains(word));
    // the portal's own words
    let has_ended = ["session token not found", "unauthorizedexception"]
        .iter()
        .any(|word| lower.contains(word));
    if is_sso || has_ended {
        let login = match profile {
            Some(profile) => format!("aws sso login --profile {profile}"),
            None => "aws sso login".to_owned(),
        };
        return SourceError::SsoEnded { login: login.into(), at };
    }
    // the last that is asked: an instance that answers, but not with credentials
    if ["imds", "ttl header"].iter().any(|word| lower.contains(word)) {
        return SourceError::NoCredentials { at };
    }
    let missing = [
        "no providers in chain",
        "provider was not enabled",
        "no credentials",
        "did not contain credential",
    ];
    if missing.iter().any(|word| lower.contains(word)) {
        return match &options.profile {
            // where there are no files at all, nothing says that the profile is not in them
            Some(profile) if !lower.contains("did not contain credential") => SourceError::NoProfile {
                profile: profile.as_str().into(),
                at,
            },
            _ => SourceError::NoCredentials { at },
        };
    }
    SourceError::Signing {
        cause: root_cause(error),
        at,
    }
}
