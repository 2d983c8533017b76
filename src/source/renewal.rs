//! Where a new link comes from when a pasted one has ended: a command of the user's, an HTTP endpoint, or a Lambda.
//!
//! Invariants: what was asked and answered is never printed; an answer longer than a link could be is refused.

use std::collections::BTreeMap;
use std::fmt;
use std::process::Stdio;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use tokio::io::AsyncReadExt;
use url::Url;

use super::s3::S3Address;
use super::{Location, Net, SourceError};

/// In the settings, one of
///
/// - `"renew": {"command": ["sign-again", "{bucket}", "{key}"]}`
/// - `"renew": {"endpoint": "https://host/get-url?key={key}", "headers": {"Authorization": "Bearer $FLEET_TOKEN"}}`
/// - `"renew": {"function": "generate_ros_streaming_url"}`
///
/// `{url}` is the old link without its query, `{bucket}` and `{key}` are read from it, `{name}` is its file name. What comes back
/// is a link, or JSON with one under `url` (also in a Lambda's `body`).
///
/// The endpoint gets these headers and no others: those of `--header` are for where recordings lie. `$NAME` in them is a
/// variable of the environment, so that a token need not stand in the file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Spelled")]
pub enum Renewal {
    Command(Vec<String>),
    Endpoint {
        url: String,
        headers: Headers,
    },
    /// The name or ARN of a Lambda that is asked for a bucket and a key.
    Function(String),
}

/// Names and values; the values are not printed.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Headers(pub BTreeMap<String, String>);

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spelled {
    command: Option<Vec<String>>,
    endpoint: Option<String>,
    headers: Option<Headers>,
    function: Option<String>,
}

impl TryFrom<Spelled> for Renewal {
    type Error = &'static str;

    fn try_from(spelled: Spelled) -> Result<Renewal, &'static str> {
        match spelled {
            Spelled {
                command: Some(command),
                endpoint: None,
                headers: None,
                function: None,
            } => Ok(Renewal::Command(command)),
            Spelled {
                command: None,
                endpoint: Some(url),
                headers,
                function: None,
            } => Ok(Renewal::Endpoint {
                url,
                headers: headers.unwrap_or_default(),
            }),
            Spelled {
                command: None,
                endpoint: None,
                headers: None,
                function: Some(function),
            } => Ok(Renewal::Function(function)),
            _ => Err("“renew” names one of a command, an endpoint (with headers) and a function"),
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(60);
const LONGEST_ANSWER: usize = 64 * 1024;

impl Renewal {
    /// Asks for a new link to what `old` led to.
    pub(super) async fn ask(&self, old: &Location, net: &Net) -> Result<Location, SourceError> {
        let failed = |cause: &str| SourceError::Renewal {
            cause: cause.into(),
            at: old.clone(),
        };
        let asked = async {
            match self {
                Renewal::Command(command) => run(command, old).await,
                Renewal::Endpoint { url, headers } => get(url, headers, old, net).await,
                Renewal::Function(function) => {
                    let (bucket, key) = bucket_and_key(old);
                    let event = serde_json::json!({ "bucket": bucket, "key": key }).to_string();
                    net.invoke(function, &event).await.map_err(|error| error.to_string())
                }
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
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| format!("the command does not start: {e}"))?;
    let mut answer = Vec::new();
    if let Some(out) = child.stdout.take() {
        let read = out.take(LONGEST_ANSWER as u64 + 1).read_to_end(&mut answer).await;
        read.map_err(|e| format!("the command's answer cannot be read: {e}"))?;
    }
    if answer.len() > LONGEST_ANSWER {
        return Err("the answer is too long for a link".to_owned());
    }
    let status = child.wait().await.map_err(|e| format!("the command is lost: {e}"))?;
    match status.success() {
        true => Ok(String::from_utf8_lossy(&answer).into_owned()),
        false => Err(format!("the command ended with {status}")),
    }
}

async fn get(endpoint: &str, headers: &Headers, old: &Location, net: &Net) -> Result<String, String> {
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let asked = filled(endpoint, old, encoded);
    let told = |error: reqwest::Error| super::http::root_cause(&error.without_url()).to_string();
    let asked = url::Url::parse(&asked).map_err(|error| error.to_string())?;
    let client = net.client().map_err(|error| error.to_string())?;
    let headers = spelled_out(headers)?;
    let sent = super::client::get(client, asked, &headers, |request| request);
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

/// With the environment's variables in their places.
fn spelled_out(headers: &Headers) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::new();
    for (name, value) in &headers.0 {
        let wrong = || format!("its header “{name}” cannot be sent");
        let mut value = HeaderValue::from_str(&with_variables(value)?).map_err(|_| wrong())?;
        value.set_sensitive(true);
        map.insert(HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?, value);
    }
    Ok(map)
}

/// `$NAME` replaced by that variable of the environment.
fn with_variables(text: &str) -> Result<String, String> {
    let mut parts = text.split('$');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(part.len());
        let (name, rest) = part.split_at_checked(end).unwrap_or((part, ""));
        match name {
            "" => out.push('$'),
            _ => out.push_str(&std::env::var(name).map_err(|_| format!("${name} is not set"))?),
        }
        out.push_str(rest);
    }
    Ok(out)
}

fn filled(template: &str, old: &Location, spelled: impl Fn(&str) -> String) -> String {
    let (bucket, key) = bucket_and_key(old);
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

/// Empty where the location tells none.
fn bucket_and_key(at: &Location) -> (String, String) {
    let object = match at {
        Location::Url(url) => object(url),
        Location::S3(address) => Some(address.clone()),
        Location::Path(_) => None,
    };
    object.map(|o| (o.bucket, o.key)).unwrap_or_default()
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
pub(crate) fn link_in(answer: &str) -> Option<String> {
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
