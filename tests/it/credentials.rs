//! Where credentials come from besides keys and profiles: the services that AWS's tools ask, each on the loopback; and stores
//! whose certificates a user vouches for.

use std::process::Command;
use std::sync::Arc;

use http_body_util::BodyExt;
use hyper::body::Bytes;

use crate::s3::{ACCESS, SECRET, SESSION, User, drive, store};
use crate::server::{Behaviour, Server};

/// What a service answers to method, path and body.
type Answer = (u16, &'static [(&'static str, &'static str)], String);

fn service(answer: impl Fn(&str, &str, &str) -> Answer + Clone + Send + Sync + 'static) -> Server {
    let answered = move |request: hyper::Request<hyper::body::Incoming>| {
        let answer = answer.clone();
        let answered = async move {
            let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
            let body = request.into_body().collect().await.expect("a body").to_bytes();
            let (status, headers, text) = answer(&method, &path, &String::from_utf8_lossy(&body));
            let mut response = hyper::Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(*name, *value);
            }
            response.body(Bytes::from(text)).expect("an answer")
        };
        Box::pin(answered) as _
    };
    Server::before(Arc::new(answered), Behaviour::default())
}

fn paths(service: &Server) -> Vec<String> {
    service
        .stats()
        .log
        .into_iter()
        .map(|asked| format!("{} {}", asked.method, asked.path))
        .collect()
}

/// As instances, containers and `credential_process` give them.
fn as_json() -> String {
    format!(
        r#"{{"Version":1,"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"{ACCESS}","SecretAccessKey":"{SECRET}","Token":"{SESSION}","SessionToken":"{SESSION}","Expiration":"2099-01-01T00:00:00Z","LastUpdated":"2026-01-01T00:00:00Z"}}"#
    )
}

/// As STS gives them.
fn as_xml(action: &str) -> String {
    format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result><Credentials><AccessKeyId>{ACCESS}</AccessKeyId>\
         <SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>{SESSION}</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>\
         <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/reader/s</Arn><AssumedRoleId>A:s</AssumedRoleId></AssumedRoleUser>\
         </{action}Result></{action}Response>"
    )
}

/// Reads a drive; its requests have to carry the session's credentials.
#[track_caller]
fn reads(user: User) {
    let store = store(Behaviour::default());
    user.prints(&["info", drive(), "--endpoint-url", &store.url("")]);
    let log = store.stats().log;
    assert!(!log.is_empty());
    for asked in log {
        let query = asked.query.unwrap_or_default();
        let signed = [format!("X-Amz-Credential={ACCESS}"), format!("X-Amz-Security-Token={SESSION}")];
        assert!(signed.iter().all(|part| query.contains(part)), "{query}");
    }
}

/// Without the word that no instance is to be asked.
fn on_an_instance(metadata: &Server) -> User {
    User::new()
        .with("AWS_EC2_METADATA_DISABLED", "false")
        .with("AWS_EC2_METADATA_SERVICE_ENDPOINT", &metadata.url(""))
}

#[test]
fn a_container_gives_its_role() {
    let credentials = service(|_, _, _| (200, &[], as_json()));
    reads(User::new().with("AWS_CONTAINER_CREDENTIALS_FULL_URI", &credentials.url("role")));
    assert_eq!(paths(&credentials), ["GET /role"]);
}

const TTL: &[(&str, &str)] = &[("x-aws-ec2-metadata-token-ttl-seconds", "21600")];

#[test]
fn an_instance_gives_its_role() {
    let metadata = service(|method, path, _| match (method, path.trim_end_matches('/')) {
        ("PUT", _) => (200, TTL, "imds-token".to_owned()),
        (_, path) if path.ends_with("security-credentials") => (200, &[], "reader".to_owned()),
        (_, path) if path.ends_with("security-credentials/reader") => (200, &[], as_json()),
        _ => (404, &[], String::new()),
    });
    reads(on_an_instance(&metadata));
    assert!(paths(&metadata).iter().any(|asked| asked.ends_with("/reader")));
}

#[test]
fn an_instance_that_gives_none_leaves_a_user_without_credentials() {
    let sentence = format!(
        "no AWS credentials were found: sign in (`aws sso login`, `aws configure`), name a --profile, or set AWS_ACCESS_KEY_ID and \
         AWS_SECRET_ACCESS_KEY; public buckets open with --no-sign-request: {}",
        drive()
    );
    let forbidden = service(|_, _, _| (403, &[], "IMDS is disabled".to_owned()));
    let without_ttl = service(|_, _, _| (200, &[], "<html>sign in to this network</html>".to_owned()));
    let without_role = service(|method, _, _| match method {
        "PUT" => (200, TTL, "imds-token".to_owned()),
        _ => (404, &[], String::new()),
    });
    for metadata in [forbidden, without_ttl, without_role] {
        let user = on_an_instance(&metadata);
        assert_eq!(user.fails(&["info", drive(), "--endpoint-url", "http://127.0.0.1:9"]), sentence);
        assert!(!paths(&metadata).is_empty());
    }
}

#[test]
fn a_web_identity_is_exchanged_for_a_role() {
    let sts = service(|_, _, body| {
        assert!(
            body.contains("Action=AssumeRoleWithWebIdentity") && body.contains("WebIdentityToken=a-web-token"),
            "{body}"
        );
        (200, &[], as_xml("AssumeRoleWithWebIdentity"))
    });
    let user = User::new()
        .with("AWS_ENDPOINT_URL_STS", &sts.url(""))
        .with("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/reader");
    let token = user.file("token", "a-web-token").display().to_string();
    reads(user.with("AWS_WEB_IDENTITY_TOKEN_FILE", &token));
    assert_eq!(paths(&sts), ["POST /"]);
}

#[test]
fn a_profile_assumes_its_role() {
    let sts = service(|_, _, body| {
        assert!(body.contains("Action=AssumeRole&"), "{body}");
        (200, &[], as_xml("AssumeRole"))
    });
    let user = User::new().with("AWS_ENDPOINT_URL_STS", &sts.url("")).with("AWS_PROFILE", "reader");
    user.file(
        ".aws/config",
        "[profile reader]\nrole_arn = arn:aws:iam::123456789012:role/reader\nsource_profile = base\nregion = eu-west-1\n\
         [profile base]\naws_access_key_id = AKIDOFTHEBASE\naws_secret_access_key = base\n",
    );
    reads(user);
    let asked = sts.stats().log.into_iter().next().expect("a request").authorization;
    assert!(asked.is_some_and(|signed| signed.contains("Credential=AKIDOFTHEBASE/")));
}

#[cfg(unix)]
#[test]
fn a_process_gives_them() {
    let user = User::new();
    // what it prints is a file, so that no secret is in a command
    let printed = user.home().with_extension("printed");
    std::fs::write(&printed, as_json()).expect("a file");
    user.file(
        ".aws/config",
        &format!("[default]\nregion = eu-west-1\ncredential_process = cat {}\n", printed.display()),
    );
    reads(user);
    std::fs::remove_file(printed).expect("a file");
}

#[test]
fn a_session_that_the_portal_no_longer_knows_has_ended() {
    let portal = service(|_, path, _| match path.contains("token") {
        true => (
            400,
            &[("x-amzn-errortype", "InvalidGrantException"), ("content-type", "application/json")],
            r#"{"error":"invalid_grant","error_description":"Invalid refresh token provided"}"#.to_owned(),
        ),
        false => (
            401,
            &[("x-amzn-errortype", "UnauthorizedException"), ("content-type", "application/json")],
            r#"{"message":"Session token not found or invalid","__type":"com.amazonaws.switchboard.portal#UnauthorizedException"}"#
                .to_owned(),
        ),
    });
    let user = User::new()
        .with("AWS_ENDPOINT_URL_SSO", &portal.url(""))
        .with("AWS_ENDPOINT_URL_SSO_OIDC", &portal.url(""));
    user.file(
        ".aws/config",
        "[profile fleet]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = reader\nregion = eu-west-1\n\
         [sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-west-1\n",
    );
    let ended = format!(
        "the AWS SSO session has ended: run `aws sso login --profile fleet` and open it again: {}",
        drive()
    );
    for (ends, refresh) in [
        ("2099-01-01T00:00:00Z", ""),
        (
            "2020-01-01T00:00:00Z",
            r#""clientId":"c","clientSecret":"secretoken","registrationExpiresAt":"2099-01-01T00:00:00Z","refreshToken":"secretoken","#,
        ),
    ] {
        // the name is the SHA-1 of the session's
        user.file(
            ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json",
            &format!(
                r#"{{"accessToken":"secretoken",{refresh}"expiresAt":"{ends}","region":"eu-west-1","startUrl":"https://corp.awsapps.com/start"}}"#
            ),
        );
        assert_eq!(user.fails(&["info", drive(), "--profile", "fleet"]), ended, "{ends}");
    }
    let asked = paths(&portal);
    assert!(asked.iter().any(|asked| asked == "GET /federation/credentials"), "{asked:?}");
    assert!(asked.iter().any(|asked| asked == "POST /token"), "{asked:?}");
}

/// An authority of its own and a certificate for this machine, in the user's home; None, saying so, without openssl.
fn certificates(user: &User) -> Option<()> {
    user.file("names", "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n");
    let new_key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout";
    for arguments in [
        format!("req -x509 {new_key} ca.key -out ca.pem -days 2 -subj /CN=authority"),
        format!("req {new_key} own.key -out own.csr -subj /CN=store"),
        "x509 -req -in own.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out own.pem".to_owned(),
    ] {
        let made = Command::new("openssl").args(arguments.split(' ')).current_dir(user.home()).output();
        let Ok(made) = made else {
            eprintln!("passed over: openssl is not installed");
            return None;
        };
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
    Some(())
}

/// Takes TLS off before `server`; the port.
fn secured(server: &Server, user: &User) -> u16 {
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::pki_types::pem::PemObject;
    use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

    let certificate = CertificateDer::from_pem_file(user.home().join("own.pem")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(user.home().join("own.key")).expect("a key");
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a key that fits");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let behind = server.url("").trim_start_matches("http://").trim_end_matches('/').to_owned();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    listener.set_nonblocking(true).expect("a listener");
    let port = listener.local_addr().expect("an address").port();
    // it ends with the tests
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            while let Ok((socket, _)) = listener.accept().await {
                let (acceptor, behind) = (acceptor.clone(), behind.clone());
                tokio::spawn(async move {
                    // a client that does not trust it goes away
                    if let Ok(mut secure) = acceptor.accept(socket).await {
                        let mut plain = tokio::net::TcpStream::connect(behind).await.expect("the server");
                        let _ = tokio::io::copy_bidirectional(&mut secure, &mut plain).await;
                    }
                });
            }
        });
    });
    port
}

#[test]
fn a_store_with_a_certificate_of_its_own_is_read_where_the_user_vouches_for_it() {
    let store = store(Behaviour::default());
    store.put("drive.bag", crate::stream::bag());
    let user = User::with_keys(SECRET);
    let Some(()) = certificates(&user) else { return };
    let port = secured(&store, &user);
    let (endpoint, plain) = (format!("https://127.0.0.1:{port}"), format!("https://127.0.0.1:{port}/drive.bag"));
    let told = user.fails(&["info", &plain, "--no-cache"]);
    assert!(told.starts_with("the secure connection failed ("), "{told}");
    assert!(told.ends_with(&format!("(SSL_CERT_FILE), or the proxy: {plain}")), "{told}");
    let authority = user.home().join("ca.pem").display().to_string();
    let mut vouching = user;
    for (variable, other) in [("SSL_CERT_FILE", "AWS_CA_BUNDLE"), ("AWS_CA_BUNDLE", "SSL_CERT_FILE")] {
        vouching = vouching.with(variable, &authority).with(other, "");
        for arguments in [
            &["info", &*plain, "--no-cache"][..],
            &["info", drive(), "--no-cache", "--endpoint-url", &endpoint],
            &["ls", "s3://drives/", "--endpoint-url", &endpoint],
        ] {
            vouching.prints(arguments);
        }
    }
}
