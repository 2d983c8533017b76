//! What names an object in S3: a bucket, or the ARN of an access point that stands for one, and a key.

use std::fmt;

use super::super::LocationError;
use super::super::location::looks_signed;

/// A bucket (or access point) and a key; for listings the key is a prefix, and without a bucket all buckets are meant.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct S3Address {
    /// A bucket's name, or the ARN of an access point (multi-region ones too).
    pub bucket: String,
    pub key: String,
}

impl S3Address {
    /// `s3://bucket/key`, `s3://arn:aws:s3:…:accesspoint/name/key` (as the AWS CLI spells it), `arn:aws:s3:::bucket/key` or
    /// `arn:aws:s3:…:accesspoint/name/object/key`. None where the text is neither an `s3://` URL nor an ARN.
    pub fn parse(text: &str) -> Option<Result<S3Address, LocationError>> {
        let text = text.trim();
        let after_scheme = ["s3://", "s3a://", "s3n://"]
            .iter()
            .find_map(|s| text.get(..s.len())?.eq_ignore_ascii_case(s).then(|| text.get(s.len()..))?);
        // A key may hold any character, so a query string cannot be told apart: one that looks signed is refused, not shown.
        if after_scheme.is_some() && looks_signed(text) {
            return Some(Err(LocationError::SignedS3));
        }
        match after_scheme {
            Some(rest) if rest.starts_with("arn:") => Some(parse_arn(rest, "")),
            Some(rest) => {
                let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
                Some(Ok(S3Address::new(bucket, key)))
            }
            None if text.starts_with("arn:") => Some(parse_arn(text, "object/")),
            None => None,
        }
    }

    fn new(bucket: &str, key: &str) -> S3Address {
        S3Address {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
        }
    }

    /// Whether it names what begins with its key, not one object.
    pub fn is_prefix(&self) -> bool {
        self.key.is_empty() || self.key.ends_with('/')
    }

    pub fn is_access_point(&self) -> bool {
        self.bucket.starts_with("arn:")
    }

    /// The region that an access point's ARN names.
    pub fn region(&self) -> Option<&str> {
        let mut fields = self.bucket.strip_prefix("arn:")?.split(':');
        fields.nth(2).filter(|region| !region.is_empty())
    }
}

/// `between` stands between an access point's name and the key.
fn parse_arn(arn: &str, between: &str) -> Result<S3Address, LocationError> {
    let wrong = || LocationError::BrokenArn;
    let fields: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, partition, service, region, account, resource] = fields.as_slice() else {
        return Err(wrong());
    };
    if !partition.starts_with("aws") || !service.starts_with("s3") {
        return Err(wrong());
    }
    if region.is_empty() && account.is_empty() {
        let (bucket, key) = resource.split_once('/').unwrap_or((resource, ""));
        return Ok(S3Address::new(bucket, key));
    }
    // `accesspoint/name`, or on Outposts `outpost/id/accesspoint/name`; older spellings have colons
    let separators: &[char] = &['/', ':'];
    let parts = match resource.starts_with("outpost") {
        true => 4,
        false => 2,
    };
    if !resource.starts_with("accesspoint") && parts == 2 {
        return Err(wrong());
    }
    let mut ends = resource.match_indices(separators).map(|(at, _)| at);
    let end = ends.nth(parts - 1).unwrap_or(resource.len());
    let (name, key) = resource.split_at_checked(end).ok_or_else(wrong)?;
    let key = key.strip_prefix(separators).unwrap_or(key);
    let key = match key.strip_prefix(between) {
        Some(key) => key,
        None if key.is_empty() => key,
        None => return Err(wrong()),
    };
    let bucket = format!("arn:{partition}:{service}:{region}:{account}:{name}");
    Ok(S3Address::new(&bucket, key))
}

impl fmt::Display for S3Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bucket.starts_with("arn:") {
            _ if self.bucket.is_empty() => f.write_str("s3://"),
            true => write!(f, "{}/object/{}", self.bucket, self.key),
            false => write!(f, "s3://{}/{}", self.bucket, self.key),
        }
    }
}

impl fmt::Debug for S3Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
