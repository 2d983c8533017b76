//! S3 as users meet it: the real program against the answers that stores give. Everything that it prints is searched for
//! secrets.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use roadreel::source::{Location, S3Address};

use crate::server::{Behaviour, Fault, Server};

pub const ACCESS: &str = "AKIDFORTHETEST";
pub const SECRET: &str = "the-secret-of-the-test";
pub const SESSION: &str = "the-session-token-of-the-test";

/// A short demo drive in the bucket `drives`, under `2026/`.
pub fn bucket() -> &'static Path {
    static ROOT: OnceLock<tempfile::TempDir> = OnceLock::new();
    let root = ROOT.get_or_init(|| {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(root.path().join("drives/2026")).expect("a bucket");
        let path = root.path().join("drives/2026/a drive+1.bag");
        let made = Command::new(env!("CARGO_BIN_EXE_roadreel"))
            .args(["demo", "--seconds", "0.7", "-o"])
            .arg(path)
            .status();
        assert!(made.expect("the program starts").success());
        root
    });
    root.path()
}

/// The program as a user with these credentials runs it; a home of its own, everything logged.
pub struct User {
    home: tempfile::TempDir,
    variables: Vec<(String, String)>,
    told: AtomicU64,
}

impl User {
    pub fn new() -> User {
        let home = tempfile::tempdir().expect("a folder");
        User {
            home,
            variables: Vec::new(),
            told: AtomicU64::new(0),
        }
        .with("AWS_EC2_METADATA_DISABLED", "true")
        .with("RUST_LOG", "trace")
    }

    pub fn with_keys(secret: &str) -> User {
        User::new().with("AWS_ACCESS_KEY_ID", ACCESS).with("AWS_SECRET_ACCESS_KEY", secret)
    }

    pub fn with(mut self, name: &str, value: &str) -> User {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, text).expect("a file");
        path
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_roadreel"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().expect("the program starts");
        self.keep(&output.stdout);
        self.keep(&output.stderr);
        output
    }

    /// Beside what the program itself keeps, for whoever searches it all.
    #[track_caller]
    fn keep(&self, told: &[u8]) {
        holds_no_secret(told);
        let number = self.told.fetch_add(1, Ordering::Relaxed);
        std::fs::write(self.home.path().join(format!("told-{number}")), told).expect("a file");
    }

    /// The link that it prints; whoever asks for a signature may see it, its log may not.
    #[track_caller]
    pub fn signs(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().expect("the program starts");
        holds_no_secret(&output.stderr);
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// What it prints where it has to succeed.
    #[track_caller]
    pub fn prints(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {told}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The sentence with which it fails.
    #[track_caller]
    pub fn fails(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {told}");
        let sentence = told.lines().find_map(|line| line.strip_prefix("roadreel: "));
        sentence.unwrap_or_else(|| panic!("no sentence: {told}")).to_owned()
    }
}

#[track_caller]
pub fn holds_no_secret(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    let lower = text.to_ascii_lowercase();
    for secret in [
        "x-amz-signature",
        "x-amz-credential",
        "x-amz-security-token",
        ACCESS,
        SECRET,
        SESSION,
        "secretoken",
        "secretsignature",
    ] {
        assert!(!lower.contains(&secret.to_ascii_lowercase()), "{secret} in: {text}");
    }
}

/// A store that answers any signature.
pub fn store(behaviour: Behaviour) -> Server {
    let server = Server::start(Behaviour {
        now_secs: jiff::Timestamp::now().as_second(),
        ..behaviour
    });
    server.put_file("drives/2026/a%20drive%2B1.bag", bucket().join("drives/2026/a drive+1.bag"));
    let listing = "<ListBucketResult><Name>drives</Name><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated><Contents><Key>a.bag</Key><Size>3</Size></Contents></ListBucketResult>";
    server.put("drives/", listing);
    server.put("drives", listing);
    server
}

pub fn drive() -> &'static str {
    "s3://drives/2026/a drive+1.bag"
}

#[test]
fn addresses_are_parsed() {
    for (text, shown) in [
        ("s3://bucket/a/b.bag", "s3://bucket/a/b.bag"),
        ("S3://bucket/a b+c?d.bag", "s3://bucket/a b+c?d.bag"),
        ("s3a://bucket/a.bag", "s3://bucket/a.bag"),
        ("arn:aws:s3:::bucket/a/b.bag", "s3://bucket/a/b.bag"),
        (
            "arn:aws:s3:eu-west-1:123456789012:accesspoint/ap/object/a/b.bag",
            "arn:aws:s3:eu-west-1:123456789012:accesspoint/ap/object/a/b.bag",
        ),
        (
            "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/ap/a/b.bag",
            "arn:aws:s3:eu-west-1:123456789012:accesspoint/ap/object/a/b.bag",
        ),
        (
            "arn:aws-cn:s3:cn-north-1:123456789012:accesspoint/ap/object/a.bag",
            "arn:aws-cn:s3:cn-north-1:123456789012:accesspoint/ap/object/a.bag",
        ),
        (
            "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap/object/a.bag",
            "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap/object/a.bag",
        ),
        (
            "arn:aws:s3-outposts:us-west-2:1:outpost/op-01/accesspoint/ap/object/a.bag",
            "arn:aws:s3-outposts:us-west-2:1:outpost/op-01/accesspoint/ap/object/a.bag",
        ),
        ("s3://bucket", "s3://bucket/"),
        ("s3://bucket/folder/", "s3://bucket/folder/"),
        (
            "s3://",
            "this names no object in S3: give s3://bucket/key (`roadreel ls s3://bucket/` shows what is there): s3://",
        ),
        (
            "s3://bucket/a.bag?X-Amz-Signature=SECRETSIGNATURE",
            "this s3:// location holds a signature: paste the whole https:// URL that was signed, or leave the signature out",
        ),
        (
            "s3://bucket/a.bag?AWSAccessKeyId=AKIDFORTHETEST&Expires=1&Signature=SECRETSIGNATURE",
            "this s3:// location holds a signature: paste the whole https:// URL that was signed, or leave the signature out",
        ),
        (
            "s3a://bucket/a.bag%3FX-Goog-Signature%3DSECRETSIGNATURE",
            "this s3:// location holds a signature: paste the whole https:// URL that was signed, or leave the signature out",
        ),
        (
            "s3://bucket/a.bag?sv=2024&sig=SECRETSIGNATURE",
            "this s3:// location holds a signature: paste the whole https:// URL that was signed, or leave the signature out",
        ),
        ("s3://bucket/signature=3/a.bag", "s3://bucket/signature=3/a.bag"),
        (
            "bucket.s3.amazonaws.com/k.bag?X-Amz-Credential=C&X-Amz-Signature=SECRETSIGNATURE",
            "this looks like a signed URL without its beginning: add https:// before it, or copy it again as a whole",
        ),
        (
            "https:/bucket.s3.amazonaws.com/k.bag?AWSAccessKeyId=C&Signature=SECRETSIGNATURE",
            "this looks like a signed URL without its beginning: add https:// before it, or copy it again as a whole",
        ),
        (
            "lb:8080?remote-bag-url=https%3A%2F%2Fh%2Fk.bag%3FX-Goog-Signature%3DSECRETSIGNATURE",
            "this looks like a signed URL without its beginning: add https:// before it, or copy it again as a whole",
        ),
        (
            "account.blob.core.windows.net/c/k.bag?sv=2024&sig=SECRETSIGNATURE",
            "this looks like a signed URL without its beginning: add https:// before it, or copy it again as a whole",
        ),
        ("what?/signature=3.bag", "what?/signature=3.bag"),
        (
            "arn:aws:s3:eu-west-1:123456789012:accesspoint/ap/a.bag",
            "this is not the ARN of an object in S3: give arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME/object/KEY",
        ),
        (
            "arn:aws:iam::123456789012:role/reader",
            "this is not the ARN of an object in S3: give arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME/object/KEY",
        ),
    ] {
        let got = Location::parse(text).map_or_else(|e| e.to_string(), |l| l.to_string());
        assert_eq!(got, shown, "{text}");
    }
    let region = |text| match S3Address::parse(text) {
        Some(Ok(address)) => address.region().map(str::to_owned),
        _ => None,
    };
    assert_eq!(
        region("arn:aws:s3:eu-west-1:1:accesspoint/ap/object/k").as_deref(),
        Some("eu-west-1")
    );
    assert_eq!(region("arn:aws:s3::1:accesspoint/x.mrap/object/k"), None);
}

#[test]
fn an_ended_sso_session_names_the_command_that_renews_it() {
    let user = User::new();
    user.file(
        ".aws/config",
        "[profile fleet]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = reader\nregion = eu-west-1\n\
         [sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-west-1\n",
    );
    let ask = || user.fails(&["info", drive(), "--profile", "fleet"]);
    let ended = format!(
        "the AWS SSO session has ended: run `aws sso login --profile fleet` and open it again: {}",
        drive()
    );
    assert_eq!(ask(), ended, "never signed in");
    user.file(
        // the name is the SHA-1 of the session's
        ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json",
        r#"{"accessToken":"secretoken","expiresAt":"2020-01-01T00:00:00Z","region":"eu-west-1","startUrl":"https://corp.awsapps.com/start"}"#,
    );
    assert_eq!(ask(), ended, "signed in long ago");
}

/// (status, region header, body as stores send it) → the sentence, without its place.
const ANSWERS: &[(u16, &str, &str, &str)] = &[
    (
        403,
        "",
        "<Error><Code>AccessDenied</Code><Message>Access Denied</Message><RequestId>0</RequestId><HostId>x=</HostId></Error>",
        "access is denied (403 AccessDenied: Access Denied): these credentials need s3:GetObject on it (s3:ListBucket to list); where the bucket is “requester pays”, give --request-payer",
    ),
    (
        403,
        "",
        "<Error><Code>AccessDenied</Code><Message>User: arn:aws:iam::123456789012:user/ada is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::drives/a.bag\" because no identity-based policy allows the s3:GetObject action</Message></Error>",
        "access is denied (403 AccessDenied: User: arn:aws:iam::123456789012:user/ada is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::drives/a.bag\" because no identity-based policy allows the s3:GetObject action): these credentials need s3:GetObject on it (s3:ListBucket to list); where the bucket is “requester pays”, give --request-payer",
    ),
    (
        400,
        "",
        "<Error><Code>UserProjectMissing</Code><Message>Bucket is a requester pays bucket but no user project provided.</Message></Error>",
        "the bucket is “requester pays” (400 UserProjectMissing: Bucket is a requester pays bucket but no user project provided): give --request-payer to pay for what you read",
    ),
    (
        403,
        "",
        "<Error><Code>AccessDenied</Code><Message>User: arn:aws:sts::123456789012:assumed-role/reader/ada is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-west-1:123456789012:key/1234abcd because no identity-based policy allows the kms:Decrypt action</Message></Error>",
        "the object is encrypted with a KMS key that may not be used here (403 AccessDenied: User: arn:aws:sts::123456789012:assumed-role/reader/ada is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-west-1:123456789012:key/1234abcd because no identity-based policy allows the kms:Decrypt action): ask the key's owner for kms:Decrypt on it",
    ),
    (
        400,
        "",
        "<Error><Code>KMS.DisabledException</Code><Message>arn:aws:kms:eu-west-1:123456789012:key/1234abcd is disabled.</Message></Error>",
        "the object is encrypted with a KMS key that may not be used here (400 KMS.DisabledException: arn:aws:kms:eu-west-1:123456789012:key/1234abcd is disabled): ask the key's owner for kms:Decrypt on it",
    ),
    (
        403,
        "",
        "<Error><Code>InvalidObjectState</Code><Message>The operation is not valid for the object's storage class</Message><StorageClass>DEEP_ARCHIVE</StorageClass></Error>",
        "the object is archived (DEEP_ARCHIVE): restore it first (`aws s3api restore-object`), which takes minutes to hours",
    ),
    (
        403,
        "",
        "<Error><Code>RequestTimeTooSkewed</Code><Message>The difference between the request time and the current time is too large.</Message><RequestTime>20200101T000000Z</RequestTime><MaxAllowedSkewMilliseconds>900000</MaxAllowedSkewMilliseconds></Error>",
        "this machine's clock differs from the server's: set it (`timedatectl set-ntp true`) and try again",
    ),
    (
        400,
        "",
        "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message><Token-0>SECRETOKEN</Token-0></Error>",
        "the AWS credentials have expired (400 ExpiredToken: The provided token has expired): renew them (`aws sso login`, or a new AWS_SESSION_TOKEN) and open it again",
    ),
    (
        400,
        "",
        "<Error><Code>InvalidToken</Code><Message>The provided token is malformed or otherwise invalid.</Message><Token-0>SECRETOKEN</Token-0></Error>",
        "these AWS credentials are not known there (400 InvalidToken: The provided token is malformed or otherwise invalid): check the access key, the session token and the profile",
    ),
    (
        403,
        "",
        "<Error><Code>InvalidAccessKeyId</Code><Message>The AWS Access Key Id you provided does not exist in our records.</Message><AWSAccessKeyId>AKIDFORTHETEST</AWSAccessKeyId></Error>",
        "these AWS credentials are not known there (403 InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records): check the access key, the session token and the profile",
    ),
    (
        403,
        "",
        "<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match the signature you provided. Check your key and signing method.</Message><AWSAccessKeyId>AKIDFORTHETEST</AWSAccessKeyId><StringToSign>AWS4-HMAC-SHA256</StringToSign><SignatureProvided>SECRETSIGNATURE</SignatureProvided><CanonicalRequest>GET\n/drives/a.bag\nX-Amz-Credential=AKIDFORTHETEST</CanonicalRequest></Error>",
        "the secret key does not fit the access key (403 SignatureDoesNotMatch): check AWS_SECRET_ACCESS_KEY or the profile",
    ),
    (
        404,
        "",
        "<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message><BucketName>drives</BucketName></Error>",
        "there is no such bucket (404 NoSuchBucket): check its name, and --endpoint-url where it is not AWS's",
    ),
    (
        404,
        "",
        "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>a.bag</Key></Error>",
        "there is no such object (404 NoSuchKey: The specified key does not exist): check the name, or whether it was moved or deleted (`roadreel ls s3://drives/2026/` shows what is there)",
    ),
    (
        301,
        "",
        "<Error><Code>PermanentRedirect</Code><Message>The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.</Message><Endpoint>drives.s3-eu-west-1.amazonaws.com</Endpoint><Bucket>drives</Bucket></Error>",
        "the bucket lies in another region, not where it was asked for: give that as --region, and no --endpoint-url of another",
    ),
];

#[test]
fn what_a_store_refuses_becomes_a_sentence_with_its_remedy() {
    let store = store(Behaviour::default());
    let endpoint = store.url("");
    let user = User::with_keys(SECRET).with("AWS_SESSION_TOKEN", SESSION);
    for (status, region, body, sentence) in ANSWERS {
        let answer = Fault::Answer(*status, region, body);
        store.reset_stats();
        store.behave(|b| b.scripted = (1..50).map(|n| (n, answer)).collect());
        let told = user.fails(&["info", drive(), "--endpoint-url", &endpoint]);
        assert_eq!(told, format!("{sentence}: {}", drive()));
        let told = user.fails(&["ls", "s3://drives/2026/", "--endpoint-url", &endpoint]);
        let listed = sentence.replace(" (`roadreel ls s3://drives/2026/` shows what is there)", "");
        assert_eq!(
            told.replace(" (`roadreel ls s3://drives/2026/` shows what is there)", ""),
            format!("{listed}: s3://drives/2026/")
        );
    }
}

#[test]
fn a_clock_that_is_off_is_told_by_how_much() {
    let store = store(Behaviour::default());
    let body = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message><X-Amz-Expires>900</X-Amz-Expires><Expires>2020-01-01T00:15:00Z</Expires><ServerTime>2020-01-01T00:20:00Z</ServerTime></Error>";
    store.behave(|b| b.scripted = (1..50).map(|n| (n, Fault::Answer(403, "", body))).collect());
    let told = User::with_keys(SECRET).fails(&["info", drive(), "--endpoint-url", &store.url("")]);
    assert!(told.starts_with("this machine's clock differs from the server's by "), "{told}");
    assert!(told.contains(" min: set it"), "{told}");
}

#[test]
fn the_buckets_region_is_learned_from_its_answer() {
    let wrong = "<Error><Code>AuthorizationQueryParametersError</Code><Message>Error parsing the X-Amz-Credential parameter; the region 'us-east-1' is wrong; expecting 'eu-west-1'</Message><Region>eu-west-1</Region></Error>";
    let moved = "<Error><Code>PermanentRedirect</Code><Message>The bucket you are attempting to access must be addressed using the specified endpoint.</Message></Error>";
    for answer in [Fault::Answer(400, "eu-west-1", wrong), Fault::Answer(301, "eu-west-1", moved)] {
        let store = store(Behaviour::default());
        store.behave(|b| b.scripted = [(1, answer)].into());
        let user = User::with_keys(SECRET);
        user.prints(&["info", drive(), "--endpoint-url", &store.url("")]);
        let regions: Vec<bool> = store
            .stats()
            .log
            .iter()
            .map(|asked| asked.query.as_ref().is_some_and(|q| q.contains("%2Feu-west-1%2Fs3%2F")))
            .collect();
        assert_eq!(regions, [false, true, true]);
        store.reset_stats();
        user.prints(&["ls", "s3://drives/", "--endpoint-url", &store.url("")]);
        let log = store.stats().log;
        assert!(
            log[1].authorization.as_ref().is_some_and(|a| a.contains("/eu-west-1/s3/")),
            "{log:?}"
        );
    }
}

#[test]
fn requester_pays_is_said_and_signed() {
    let store = store(Behaviour::default());
    let user = User::with_keys(SECRET);
    user.prints(&["info", drive(), "--endpoint-url", &store.url(""), "--request-payer"]);
    user.prints(&["ls", "s3://drives/", "--endpoint-url", &store.url(""), "--request-payer"]);
    let log = store.stats().log;
    assert!(
        log.iter().all(|asked| asked.request_payer.as_deref() == Some("requester")),
        "{log:?}"
    );
}

#[test]
fn public_buckets_are_read_and_listed_without_credentials() {
    let server = store(Behaviour::default());
    let user = User::new();
    user.prints(&["info", drive(), "--endpoint-url", &server.url(""), "--no-sign-request"]);
    let _ = user.run(&["ls", "s3://drives/", "--endpoint-url", &server.url(""), "--no-sign-request"]);
    for asked in server.stats().log {
        let signed = asked.query.is_some_and(|q| q.contains("X-Amz")) || asked.authorization.is_some();
        assert!(!signed, "{}", asked.path);
    }
}

#[test]
fn access_points_have_hosts_of_their_own_and_proxies_are_asked() {
    let asked_for = |arguments: &[&str]| {
        let proxy = Server::start(Behaviour::default());
        let user = User::with_keys(SECRET).with("HTTPS_PROXY", &proxy.url(""));
        user.fails(arguments);
        let first = proxy.stats().log.into_iter().next().expect("a request");
        format!("{} {}", first.method, first.path)
    };
    std::thread::scope(|scope| {
        for (arguments, host) in [
            (&["info", "s3://drives/a.bag"][..], "drives.s3.us-east-1.amazonaws.com"),
            (
                &["info", "s3://drives/a.bag", "--region", "cn-north-1"],
                "drives.s3.cn-north-1.amazonaws.com.cn",
            ),
            (
                &["info", "arn:aws:s3:eu-west-1:123456789012:accesspoint/ap/object/a.bag"],
                "ap-123456789012.s3-accesspoint.eu-west-1.amazonaws.com",
            ),
            (
                &["info", "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap/object/a.bag"],
                "mfzwi23gnjvgw.mrap.accesspoint.s3-global.amazonaws.com",
            ),
        ] {
            scope.spawn(move || assert_eq!(asked_for(arguments), format!("CONNECT {host}:443")));
        }
    });
}

#[test]
fn certificates_of_aws_ca_bundle_have_to_be_readable() {
    let user = User::with_keys(SECRET).with("AWS_CA_BUNDLE", "/nowhere/ca.pem");
    let told = user.fails(&["info", drive(), "--endpoint-url", "http://127.0.0.1:9"]);
    assert!(told.contains("AWS_CA_BUNDLE=/nowhere/ca.pem"), "{told}");
}

#[test]
fn one_object_is_kept_once_however_it_is_asked_for() {
    let store = store(Behaviour::default());
    let bytes = std::fs::read(bucket().join("drives/2026/a drive+1.bag")).expect("a drive");
    store.put("2026/a%20drive%2B1.bag", bytes);
    let folder = tempfile::tempdir().expect("a folder");
    let kept = folder.path().to_str().expect("a path");
    let signature = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=c&X-Amz-Date=20990101T000000Z&X-Amz-Expires=600&X-Amz-Signature=s";
    let key = "2026/a%20drive%2B1.bag";
    // AWS's hosts are asked through a proxy, which is the store
    let user = User::with_keys(SECRET)
        .with("HTTP_PROXY", &store.url(""))
        .with("http_proxy", &store.url(""))
        .with("AWS_ENDPOINT_URL", "http://s3.eu-west-1.amazonaws.com")
        .with("AWS_REGION", "eu-west-1");
    user.file(
        ".aws/credentials",
        "[other]\naws_access_key_id = AKIDOFSOMEBODY\naws_secret_access_key = else\n",
    );
    let ask = |location: &str, more: &[&str]| {
        store.reset_stats();
        let told = user.prints(&[&["cat", location, "--json", "--cache-dir", kept], more].concat());
        let stats = store.stats();
        (told, stats.requests, stats.log.iter().filter(|asked| asked.status == 206).count())
    };
    let (told, requests, _) = ask(drive(), &[]);
    assert!(requests > 2);
    // another name of the object: its first block tells that it is the same
    for location in [
        format!("http://drives.s3.eu-west-1.amazonaws.com/{key}?{signature}"),
        format!("http://s3.eu-west-1.amazonaws.com/drives/{key}?{signature}"),
        store.url(&format!("drives/{key}?{signature}")),
    ] {
        assert_eq!(ask(&location, &[]), (told.clone(), 1, 1), "{location}");
    }
    // within a minute nobody is asked, unless another store has a bucket of that name
    assert_eq!(ask(drive(), &[]), (told.clone(), 0, 0));
    let other_store = ["--endpoint-url", &*store.url("")];
    assert_eq!(ask(drive(), &other_store), (told.clone(), 1, 0), "it is the same one");
    assert_eq!(ask(drive(), &other_store), (told.clone(), 0, 0));
    let somebody_else = ["--endpoint-url", &*store.url(""), "--profile", "other"];
    assert_eq!(ask(drive(), &somebody_else), (told.clone(), 1, 0), "who may not read it");
    crate::cache::age(folder.path());
    assert_eq!(ask(drive(), &other_store), (told, 1, 0));
}

#[test]
fn libraries_log_only_when_they_are_named_and_without_secrets() {
    let store = store(Behaviour::default());
    let libraries = "trace,aws_sigv4=trace,aws_runtime=trace,aws_smithy_runtime=trace,aws_config=trace,aws_sdk_s3=trace,hyper=trace,hyper_util=trace,reqwest=trace,rustls=trace,h2=trace,aws_smithy_runtime_api=trace";
    let arguments = ["ls", "s3://drives/2026/", "--endpoint-url", &store.url("")];
    let quiet = User::with_keys(SECRET).with("AWS_SESSION_TOKEN", SESSION).run(&arguments);
    let named = User::with_keys(SECRET)
        .with("AWS_SESSION_TOKEN", SESSION)
        .with("RUST_LOG", libraries)
        .run(&arguments);
    let log = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!log(&quiet).contains("aws_"), "{}", log(&quiet));
    assert!(log(&named).contains("aws_sigv4"), "{}", log(&named));
    for location in [drive(), "s3://drives/a.bag?AWSAccessKeyId=AKIDFORTHETEST&Signature=SECRETSIGNATURE"] {
        User::with_keys(SECRET)
            .with("AWS_SESSION_TOKEN", SESSION)
            .with("RUST_LOG", libraries)
            .run(&["info", location, "--endpoint-url", &store.url("")]);
    }
}
