//! URLs that were signed for a time: whose kind they are, and when they end.

use base64::Engine;
use url::Url;

use crate::time::Time;

/// A signature in a URL's query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presigned {
    pub kind: Kind,
    pub expires: Time,
    /// Signed with temporary credentials: the link ends with them, which may be sooner.
    pub may_end_sooner: bool,
}

/// Who signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `X-Amz-Date` and `X-Amz-Expires` (signature versions 4 and 4A).
    S3,
    /// `AWSAccessKeyId` and `Expires` (signature version 2).
    S3Version2,
    /// `X-Goog-Date` and `X-Goog-Expires`, or `GoogleAccessId` and `Expires`.
    Gcs,
    /// A shared access signature, `se`.
    Azure,
    /// `Expires`, or a `Policy`.
    CloudFront,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::S3 => "S3",
            Kind::S3Version2 => "S3, signature version 2",
            Kind::Gcs => "Google Cloud Storage",
            Kind::Azure => "Azure",
            Kind::CloudFront => "CloudFront",
        }
    }
}

/// What a URL's query says of its end; None where it is not signed for a time.
pub fn presigned(url: &Url) -> Option<Presigned> {
    let get = |name: &str| {
        url.query_pairs()
            .find(|(k, _)| k.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.into_owned())
    };
    let until = |kind, expires, may_end_sooner| Presigned {
        kind,
        expires,
        may_end_sooner,
    };
    if let (Some(made), Some(secs)) = (get("X-Amz-Date"), get("X-Amz-Expires")) {
        return Some(until(Kind::S3, end(&made, &secs)?, get("X-Amz-Security-Token").is_some()));
    }
    if let (Some(made), Some(secs)) = (get("X-Goog-Date"), get("X-Goog-Expires")) {
        return Some(until(Kind::Gcs, end(&made, &secs)?, false));
    }
    if get("Key-Pair-Id").is_some() {
        let expires = match (get("Expires"), get("Policy")) {
            (Some(secs), _) => unix(secs.parse().ok()?)?,
            (None, Some(policy)) => policy_end(&policy)?,
            _ => return None,
        };
        return Some(until(Kind::CloudFront, expires, false));
    }
    if let (Some(secs), Some(_)) = (get("Expires"), get("Signature")) {
        let kind = match get("GoogleAccessId") {
            Some(_) => Kind::Gcs,
            None => Kind::S3Version2,
        };
        return Some(until(kind, unix(secs.parse().ok()?)?, get("x-amz-security-token").is_some()));
    }
    if let (Some(end), Some(_)) = (get("se"), get("sig")) {
        return Some(until(Kind::Azure, azure_end(&end)?, false));
    }
    None
}

/// `20260101T000000Z` plus seconds.
fn end(made: &str, secs: &str) -> Option<Time> {
    let made = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", made).ok()?;
    let made = jiff::tz::TimeZone::UTC.to_timestamp(made).ok()?;
    unix(made.as_second().checked_add(secs.parse().ok()?)?)
}

fn unix(secs: i64) -> Option<Time> {
    secs.checked_mul(1_000_000_000).map(Time)
}

/// A moment, or a day without a time of day: its first moment.
fn azure_end(text: &str) -> Option<Time> {
    let stamp = match text.parse::<jiff::Timestamp>() {
        Ok(stamp) => stamp,
        Err(_) => {
            let moment: jiff::civil::DateTime = text.trim_end_matches('Z').parse().ok()?;
            jiff::tz::TimeZone::UTC.to_timestamp(moment).ok()?
        }
    };
    unix(stamp.as_second())
}

/// The end that a CloudFront policy (JSON in base64, `+=/` spelled `-_~`) sets.
fn policy_end(policy: &str) -> Option<Time> {
    let plain: String = policy
        .chars()
        .map(|c| match c {
            '-' => '+',
            '_' => '=',
            '~' => '/',
            other => other,
        })
        .collect();
    let json = base64::engine::general_purpose::STANDARD.decode(plain).ok()?;
    let json: serde_json::Value = serde_json::from_slice(&json).ok()?;
    unix(json.pointer("/Statement/0/Condition/DateLessThan/AWS:EpochTime")?.as_i64()?)
}
