//! Invokes a Lambda function, such as the one that signs a fleet's links: one signed POST through our client, so that no third
//! service client of the SDK is needed.

use std::time::{Duration, SystemTime};

use aws_sdk_s3::config::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::Value;
use url::Url;

use super::http::failure;
use super::s3::failure::of_credentials;
use super::{Location, Net, SourceError, without_secrets};

const PATIENCE: Duration = Duration::from_secs(60);
const LONGEST_ANSWER: usize = 6 << 20;

impl Net {
    /// What the function (a name, or its ARN) returns to this event.
    ///
    /// # Errors
    /// Without credentials or an answer, and where the function itself fails.
    pub async fn invoke(&self, function: &str, event: &str) -> Result<String, SourceError> {
        let at = Location::Path(format!("function {function}").into());
        let wrong = |cause: &str| SourceError::Signing {
            cause: cause.into(),
            at: at.clone(),
        };
        let config = self.aws().config().await?;
        let of_arn = function.strip_prefix("arn:").and_then(|arn| arn.split(':').nth(2));
        let region = of_arn.map(str::to_owned).or_else(|| config.region().map(ToString::to_string));
        let region = region.unwrap_or_default();
        let url = address(config.endpoint_url(), &region, function).ok_or_else(|| wrong("the endpoint is no URL"))?;
        let provider = config.credentials_provider();
        let provider = provider.ok_or_else(|| SourceError::NoCredentials { at: at.clone() })?;
        let credentials = provider.provide_credentials().await;
        let identity = credentials
            .map_err(|error| of_credentials(&error, &self.aws().options, &at))?
            .into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(&region)
            .name("lambda")
            .time(SystemTime::now())
            .settings(SigningSettings::default());
        let params = params.build().map_err(|error| wrong(&error.to_string()))?.into();
        let body = SignableBody::Bytes(event.as_bytes());
        let headers = [("content-type", "application/json")];
        let request = SignableRequest::new("POST", url.as_str(), headers.into_iter(), body);
        let signed = request.and_then(|request| sign(request, &params));
        let (signed, _) = signed.map_err(|error| wrong(&error.to_string()))?.into_parts();
        let mut asking = self.client()?.post(url);
        asking = asking.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in signed.headers() {
            let mut value = HeaderValue::from_str(value).map_err(|_| wrong("a header's value"))?;
            value.set_sensitive(true);
            asking = asking.header(name, value);
        }
        let answered = async {
            let told = |error| failure(error, 0, 0, &at);
            let mut response = asking.body(event.to_owned()).send().await.map_err(told)?;
            let mut answer = Vec::new();
            while let Some(part) = response.chunk().await.map_err(told)? {
                answer.extend_from_slice(&part);
                if answer.len() > LONGEST_ANSWER {
                    return Err(refused("the answer is too long".to_owned(), &at));
                }
            }
            let answer = String::from_utf8_lossy(&answer).into_owned();
            match response.status().is_success() && !response.headers().contains_key("x-amz-function-error") {
                true => Ok(answer),
                false => Err(failed(response.status().as_u16(), response.headers(), &answer, &at)),
            }
        };
        self.within(PATIENCE, &at, answered).await
    }
}

/// Where a function is invoked: at its region's Lambda, or where the endpoint was set.
fn address(endpoint: Option<&str>, region: &str, function: &str) -> Option<Url> {
    let environment = std::env::var("AWS_ENDPOINT_URL_LAMBDA").ok().filter(|url| !url.is_empty());
    let suffix = if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    };
    let base = environment
        .or_else(|| endpoint.map(str::to_owned))
        .unwrap_or_else(|| format!("https://lambda.{region}.{suffix}"));
    let mut url = Url::parse(&base).ok()?;
    let path = ["2015-03-31", "functions", function, "invocations"];
    url.path_segments_mut().ok()?.pop_if_empty().extend(path);
    Some(url)
}

/// What Lambda refused, or what the function said when it failed.
fn failed(status: u16, headers: &HeaderMap, body: &str, at: &Location) -> SourceError {
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    let text = |names: [&str; 3]| names.into_iter().find_map(|name| json.get(name)?.as_str()).unwrap_or_default();
    let kind = headers.get("x-amzn-errortype").and_then(|v| v.to_str().ok());
    let kind = kind.map_or_else(
        || text(["errorType", "__type", "Type"]),
        |kind| kind.split(':').next().unwrap_or_default(),
    );
    let kind = kind.rsplit('#').next().unwrap_or_default();
    let message = without_secrets(text(["errorMessage", "message", "Message"]));
    let message: String = message.lines().next().unwrap_or_default().chars().take(300).collect();
    let detail = format!("{status} {kind}: {}", message.trim_end_matches('.'));
    let detail = detail.replace(" : ", ": ").trim_end_matches([':', ' ']).to_owned();
    let at = at.clone();
    match kind {
        "InvalidSignatureException" => SourceError::SecretKey { at },
        "ExpiredTokenException" => SourceError::CredentialsEnded { detail: detail.into(), at },
        "UnrecognizedClientException" | "InvalidClientTokenId" => SourceError::UnknownCredentials { detail: detail.into(), at },
        _ => refused(detail, &at),
    }
}

fn refused(detail: String, at: &Location) -> SourceError {
    SourceError::Function {
        detail: detail.into(),
        at: at.clone(),
    }
}
