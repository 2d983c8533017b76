//! Where a new link comes from when a pasted one has ended: a command of the user's, or an HTTP endpoint.
//!
//! Invariants: what was asked and answered is never printed; an answer longer than a link could be is refused.

use std::time::Duration;

use serde::Deserialize;
use url::Url;

use super::s3::S3Address;
use super::{Location, SourceError};

/// `"renew": {"command": ["sign-again", "{bucket}", "{key}"]}` or `"renew": {"endpoint": "https://host/get-url?key={key}"}` in
/// the settings. `{url}` is the old link without its query, `{bucket}` and `{key}` are read from it, `{name}` is its file name.
/// What comes back is a link, or JSON with one under `url` (also in a Lambda's `body`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Renewal {
    Command(Vec<String>),
    Endpoint(String),
}

const PATIENCE: Duration = Duration::from_secs(60);
const LONGEST_ANSWER: usize = 64 * 1024;

impl Renewal {
    /// Asks for a new link to what `old` led to.
    pub(super) async fn ask(&self, old: &Location, client: &reqwest::Client) -> Result<Location, SourceError> {
        let failed = |cause: &str| SourceError::Renewal {
            cause: cause.into(),
            at: old.clone(),
        };
        let asked = async {
            match self {
                Renewal::Command(command) => run(command, old).await,
                Renewal::Endpoint(endpoint) => get(endpoint, old, client).await,
            }
        };
        let answer = tokio::time::timeout(PATIENCE, asked).await;
        let answer = answer
            .map_err(|_| failed("no answer within a minute"))?
            .map_err(|cause| failed(&cause))?;
        let link = link_in(&answer).ok_or_else(|| failed("the answer holds no link"))?;
        match Location::parse(&link) {
            Ok(location) if location.is_remote() => Ok(location),
            _ => Err(failed("the answer holds no link")),
        }
    }
}

async fn run(command: &[String], old: &Location) -> Result<String, String> {
    let words: Vec<String> = command.iter().map(|word| filled(word, old, str::to_owned)).collect();
    let (program, arguments) = words.split_first().ok_or("the command is empty")?;
    let output = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|e| format!("the command does not start: {e}"))?;
    if !output.status.success() {
        return Err(format!("the command ended with {}", output.status));
    }
    Ok(String::from_utf8_lossy(output.stdout.get(..LONGEST_ANSWER).unwrap_or(&output.stdout)).into_owned())
}

async fn get(endpoint: &str, old: &Location, client: &reqwest::Client) -> Result<String, String> {
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let asked = filled(endpoint, old, encoded);
    let told = |error: reqwest::Error| super::http::root_cause(&error.without_url()).to_string();
    let asked = url::Url::parse(&asked).map_err(|error| error.to_string())?;
    let no_headers = reqwest::header::HeaderMap::new();
    let sent = super::client::get(client, asked, &no_headers, |request| request);
    let mut response = sent.await.map_err(told)?;
    if !response.status().is_success() {
        return Err(format!("the endpoint answered {}", response.status().as_u16()));
    }
    let mut answer = Vec::new();
    while let Some(part) = response.chunk().await.map_err(told)? {
        answer.extend_from_slice(&part);
        if answer.len() > LONGEST_ANSWER {
            return Err("the answer is too long for a link".to_owned());
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn filled(template: &str, old: &Location, spelled: impl Fn(&str) -> String) -> String {
    let object = match old {
        Location::Url(url) => object(url),
        Location::S3(address) => Some(address.clone()),
        Location::Path(_) => None,
    };
    let (bucket, key) = object.map(|o| (o.bucket, o.key)).unwrap_or_default();
    let bare = old.to_string();
    let values = [
        ("{url}", bare.strip_suffix("?…").unwrap_or(&bare)),
        ("{bucket}", &bucket),
        ("{key}", &key),
        ("{name}", &old.name()),
    ];
    values
        .into_iter()
        .fold(template.to_owned(), |text, (name, value)| text.replace(name, &spelled(value)))
}

/// The bucket and key behind an S3 URL: `bucket.s3.region.amazonaws.com/key`, or `host/bucket/key`.
fn object(url: &Url) -> Option<S3Address> {
    let path = super::location::percent_decoded(url.path().strip_prefix('/')?);
    let host = url.host_str()?;
    let (bucket, key) = match host.split_once(".s3.").or_else(|| host.split_once(".s3-")) {
        Some((bucket, rest)) if rest.contains("amazonaws.") => (bucket.to_owned(), path),
        _ => path.split_once('/').map(|(bucket, key)| (bucket.to_owned(), key.to_owned()))?,
    };
    Some(S3Address { bucket, key })
}

/// A bare link, or JSON: `{"url": …}`, or that as the text of `body`.
fn link_in(answer: &str) -> Option<String> {
    let answer = answer.trim();
    let Ok(json) = serde_json::from_str::<serde_json::Value>(answer) else {
        return answer.lines().last().map(str::to_owned);
    };
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    text(&json).or_else(|| text(json.get("url")?)).or_else(|| {
        text(
            serde_json::from_str::<serde_json::Value>(json.get("body")?.as_str()?)
                .ok()?
                .get("url")?,
        )
    })
}
