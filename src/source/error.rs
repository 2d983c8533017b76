//! Why bytes could not be read: one sentence each, saying what happened, what to do, and where (last).
//!
//! Invariant: no error holds a URL other than as a redacted [`Location`]; texts of the HTTP library are stripped of theirs.

use std::sync::Arc;

use super::Location;
use crate::text::format_bytes;
use crate::time::Time;

/// Why a location could not be opened or read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SourceError {
    #[error("there is no such file: {at}")]
    Missing { at: Location },
    #[error("this is a folder, not a recording: name a file in it: {at}")]
    Folder { at: Location },
    #[error("this is not a regular file: {at}")]
    NotAFile { at: Location },
    #[error("the file may not be read by this user (permission denied): {at}")]
    Permission { at: Location },
    #[error("the file is empty (0 bytes), there is nothing to show: {at}")]
    Empty { at: Location },
    #[error("the file became shorter while it was read (wanted bytes up to {wanted}): open it again: {at}")]
    Truncated { wanted: u64, at: Location },
    #[error("the index names a part of {}, which cannot be right: {at}", format_bytes(*bytes))]
    TooMuch { bytes: u64, at: Location },
    #[error("reading failed ({cause}): {at}")]
    Io { cause: Arc<str>, at: Location },

    #[error("the link expired{}: ask for a new one and open it: {at}", when(*expired))]
    Expired { expired: Option<Time>, at: Location },
    #[error(
        "the link's signature does not fit (403 SignatureDoesNotMatch): copy the whole URL again, it may have been cut or altered: {at}"
    )]
    Signature { at: Location },
    #[error("access is denied ({detail}): ask the owner for read access or for a new link: {at}")]
    Denied { detail: Arc<str>, at: Location },
    #[error(
        "there is no such object ({detail}): check the name, or whether it was moved or deleted{}: {at}",
        listing(at)
    )]
    NoSuchObject { detail: Arc<str>, at: Location },
    #[error("there is no such bucket (404 NoSuchBucket): check its name{}: {at}", if at.is_signed_here() { ", and --endpoint-url where it is not AWS's" } else { "" })]
    NoSuchBucket { at: Location },
    #[error("the object is archived ({class}): restore it first (`aws s3api restore-object`), which takes minutes to hours: {at}")]
    Archived { class: Arc<str>, at: Location },
    #[error("the object is encrypted with a KMS key that may not be used here ({detail}): ask the key's owner for kms:Decrypt on it: {at}")]
    Encrypted { detail: Arc<str>, at: Location },
    #[error("the bucket is “requester pays” ({detail}): give --request-payer to pay for what you read: {at}")]
    RequesterPays { detail: Arc<str>, at: Location },
    #[error(
        "access is denied ({detail}): these credentials need s3:GetObject on it (s3:ListBucket to list); where the bucket is “requester pays”, give --request-payer: {at}"
    )]
    NotAllowed { detail: Arc<str>, at: Location },
    #[error("the bucket lies in {}{}: {at}", region.as_deref().unwrap_or("another region"), if at.is_signed_here() {
        ", not where it was asked for: give that as --region, and no --endpoint-url of another"
    } else {
        ", the link was signed for another one: ask for a link that is signed for it"
    })]
    WrongRegion { region: Option<Arc<str>>, at: Location },
    #[error("this machine's clock differs from the server's{}: set it (`timedatectl set-ntp true`) and try again: {at}", by(*secs))]
    ClockSkew { secs: Option<i64>, at: Location },

    #[error(
        "no AWS credentials were found: sign in (`aws sso login`, `aws configure`), name a --profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; public buckets open with --no-sign-request: {at}"
    )]
    NoCredentials { at: Location },
    #[error("there is no AWS profile “{profile}”: `aws configure list-profiles` names them; choose one with --profile: {at}")]
    NoProfile { profile: Arc<str>, at: Location },
    #[error("the AWS SSO session has ended: run `{login}` and open it again: {at}")]
    SsoEnded { login: Arc<str>, at: Location },
    #[error(
        "the AWS credentials have expired ({detail}): renew them (`aws sso login`, or a new AWS_SESSION_TOKEN) and open it again: {at}"
    )]
    CredentialsEnded { detail: Arc<str>, at: Location },
    #[error("these AWS credentials are not known there ({detail}): check the access key, the session token and the profile: {at}")]
    UnknownCredentials { detail: Arc<str>, at: Location },
    #[error("the secret key does not fit the access key (403 SignatureDoesNotMatch): check AWS_SECRET_ACCESS_KEY or the profile: {at}")]
    SecretKey { at: Location },
    #[error("the request cannot be signed ({cause}): check the AWS configuration (~/.aws/config and the AWS_… variables): {at}")]
    Signing { cause: Arc<str>, at: Location },

    #[error("the new link leads to another object (its length or ETag differs): give a link to this recording: {at}")]
    OtherObject { at: Location },
    #[error("a new link could not be had ({cause}): paste one, or check `renew` in the settings: {at}")]
    Renewal { cause: Arc<str>, at: Location },
    #[error("the recording was replaced while it was being read: open it again: {at}")]
    Changed { at: Location },
    #[error("the server has no bytes at {from}–{to} (416): the recording is shorter than it was when opened; open it again: {at}")]
    OutOfRange { from: u64, to: u64, at: Location },
    #[error("the server is overloaded ({detail}; asked {attempts} times): wait a moment and try again: {at}")]
    Busy { detail: Arc<str>, attempts: u32, at: Location },
    #[error("the server cannot send parts of a file (it answered 200 to a range request){}: download the file and open it from disk: {at}", of_size(*size))]
    NoRanges { size: Option<u64>, at: Location },
    #[error("the server does not say how large the file is ({detail}): download it and open it from disk: {at}")]
    NoSize { detail: Arc<str>, at: Location },
    #[error(
        "the server sent other bytes than asked for ({detail}): a proxy may be altering answers; try again, or download the file: {at}"
    )]
    WrongRange { detail: Arc<str>, at: Location },
    #[error("the answer broke off after {got} of {wanted} bytes (asked {attempts} times): check the network and try again: {at}")]
    CutShort {
        got: u64,
        wanted: u64,
        attempts: u32,
        at: Location,
    },
    #[error("the server sent nothing for {secs} s (asked {attempts} times): check the network and try again: {at}")]
    Stalled { secs: u64, attempts: u32, at: Location },
    #[error("the host's name cannot be resolved ({cause}): check the URL's spelling and the network: {at}")]
    Dns { cause: Arc<str>, at: Location },
    #[error("the secure connection failed ({cause}): check this machine's clock and certificates (SSL_CERT_FILE), or the proxy: {at}")]
    Tls { cause: Arc<str>, at: Location },
    #[error("the server cannot be reached ({cause}): check the network, a VPN or HTTPS_PROXY: {at}")]
    Connect { cause: Arc<str>, at: Location },
    #[error("the server answered {status}{}: {at}", detail.as_deref().map(|d| format!(" ({d})")).unwrap_or_default())]
    Status {
        status: u16,
        detail: Option<Arc<str>>,
        at: Location,
    },
    #[error("the table of scenes cannot be read ({detail}): check its name, its region and read access: {at}")]
    Scenes { detail: Arc<str>, at: Location },
    #[error("the function failed or may not be invoked ({detail}): check its name, its region and lambda:InvokeFunction: {at}")]
    Function { detail: Arc<str>, at: Location },
    #[error("this cannot be kept offline ({cause}): {at}")]
    NotKept { cause: Arc<str>, at: Location },
    #[error("this header cannot be sent: “{name}”; spell headers as 'Name: value': {at}")]
    Header { name: Arc<str>, at: Location },
}

impl SourceError {
    /// Whether the failure may concern only the bytes that were asked for: others may still be read.
    pub fn is_of_this_range(&self) -> bool {
        matches!(
            self,
            SourceError::Truncated { .. }
                | SourceError::TooMuch { .. }
                | SourceError::Io { .. }
                | SourceError::CutShort { .. }
                | SourceError::Stalled { .. }
                | SourceError::Status { .. }
        )
    }

    /// Whether asking again can help: the fault is the network's or the server's mood, not the object's or the user's.
    pub fn is_transient(&self) -> bool {
        use SourceError::*;
        match self {
            Busy { .. } | CutShort { .. } | Stalled { .. } | Connect { .. } | Dns { .. } | WrongRange { .. } => true,
            Status { status, .. } => matches!(status, 408 | 500 | 502 | 504),
            _ => false,
        }
    }

    /// Whether the store could not be asked, or did not know who asks: what is kept of the object is as good as it was.
    pub(super) fn is_about_the_way(&self) -> bool {
        use SourceError::*;
        matches!(
            self,
            Connect { .. }
                | Dns { .. }
                | Tls { .. }
                | Stalled { .. }
                | Busy { .. }
                | Expired { .. }
                | Renewal { .. }
                | NoCredentials { .. }
                | NoProfile { .. }
                | SsoEnded { .. }
                | CredentialsEnded { .. }
                | Signing { .. }
        )
    }

    /// What went wrong before a place was asked concerns another one just as well.
    pub(super) fn about(mut self, place: Location) -> SourceError {
        use SourceError::*;
        if let NoCredentials { at } | NoProfile { at, .. } | SsoEnded { at, .. } | Signing { at, .. } | Connect { at, .. } = &mut self {
            *at = place;
        }
        self
    }

    /// Errors name how often was asked; only the loop that asks knows.
    pub(super) fn after(mut self, tries: u32) -> SourceError {
        use SourceError::*;
        if let Busy { attempts, .. } | CutShort { attempts, .. } | Stalled { attempts, .. } = &mut self {
            *attempts = tries;
        }
        self
    }

    pub(super) fn io(error: &std::io::Error, at: &Location) -> SourceError {
        let at = at.clone();
        match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => SourceError::Missing { at },
            std::io::ErrorKind::PermissionDenied => SourceError::Permission { at },
            std::io::ErrorKind::IsADirectory => SourceError::Folder { at },
            _ => SourceError::Io {
                cause: error.to_string().into(),
                at,
            },
        }
    }
}

/// What would show the name's neighbours.
fn listing(at: &Location) -> String {
    match at {
        Location::S3(address) if !address.bucket.starts_with("arn:") => {
            let folder = address.key.rsplit_once('/').map(|(folder, _)| format!("{folder}/"));
            format!(
                " (`roadreel ls s3://{}/{}` shows what is there)",
                address.bucket,
                folder.unwrap_or_default()
            )
        }
        _ => String::new(),
    }
}

fn by(secs: Option<i64>) -> String {
    match secs.map(i64::abs) {
        Some(secs) if secs >= 120 => format!(" by {} min", secs / 60),
        Some(secs) => format!(" by {secs} s"),
        None => String::new(),
    }
}

fn when(expired: Option<Time>) -> String {
    let stamp = expired.and_then(|t| jiff::Timestamp::from_nanosecond(i128::from(t.nanos())).ok());
    stamp
        .map(|t| t.strftime(" at %Y-%m-%d %H:%M:%S UTC").to_string())
        .unwrap_or_default()
}

fn of_size(size: Option<u64>) -> String {
    size.map(|s| format!(", and this one is too large to read whole ({})", format_bytes(s)))
        .unwrap_or_default()
}
