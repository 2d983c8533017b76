//! Links that a Lambda signs: invoked over its REST interface, signed, on the loopback.

use serde_json::{Value, json};

use crate::s3::{ACCESS, SECRET, User};
use crate::server::{Behaviour, Server};

const FUNCTION: &str = "/2015-03-31/functions/generate_ros_streaming_url/invocations";

/// A Lambda that answers so, whatever it is asked.
fn lambda(answer: &Value) -> Server {
    let server = Server::start(Behaviour::default());
    server.put_answer(&FUNCTION[1..], answer.to_string());
    server
}

fn answer(status: u16, body: &Value) -> Value {
    json!({"statusCode": status, "body": body.to_string()})
}

const LINK: &str =
    "http://webviz-lb?remote-bag-url=https%3A%2F%2Fdrives.s3.amazonaws.com%2Fa.bag%3FX-Amz-Expires%3D60&seek-to=1777887000.25";

fn user(server: &Server) -> User {
    User::with_keys(SECRET)
        .with("AWS_REGION", "eu-west-1")
        .with("AWS_ENDPOINT_URL_LAMBDA", &server.url(""))
}

#[test]
fn a_function_is_invoked_with_a_signature_and_its_link_is_printed() {
    let server = lambda(&answer(200, &json!({"url": LINK})));
    let user = user(&server);
    let function = ["url", "--function-name", "generate_ros_streaming_url"];
    let by_key = ["--bucket-name", "drives", "--key", "a.bag"];
    for (arguments, event, printed) in [
        (&by_key[..], json!({"bucket": "drives", "key": "a.bag"}), LINK),
        (&["s3://drives/a.bag"][..], json!({"bucket": "drives", "key": "a.bag"}), LINK),
        (
            &["--record", "drive_1", "--scene", "s1"][..],
            json!({"record_id": "drive_1", "scene_id": "s1"}),
            LINK,
        ),
        (
            &["s3://drives/a.bag", "--seek-to", "1777887000.25", "--region", "eu-west-1"][..],
            json!({"bucket": "drives", "key": "a.bag", "seek_to": "1777887000.250000000", "region": "eu-west-1"}),
            LINK,
        ),
        (
            &["s3://drives/a.bag", "--style", "presigned"][..],
            json!({"bucket": "drives", "key": "a.bag"}),
            "https://drives.s3.amazonaws.com/a.bag?X-Amz-Expires=60",
        ),
        (
            &["s3://drives/a.bag", "--style", "roadreel"][..],
            json!({"bucket": "drives", "key": "a.bag"}),
            "roadreel://open?remote-bag-url=https%3A%2F%2Fdrives.s3.amazonaws.com%2Fa.bag%3FX-Amz-Expires%3D60&seek-to=1777887000.250000000",
        ),
    ] {
        server.reset_stats();
        assert_eq!(user.signs(&[&function[..], arguments].concat()), printed);
        let asked = server.stats().log.into_iter().next().expect("a request");
        assert_eq!((&*asked.method, &*asked.path), ("POST", FUNCTION));
        assert_eq!(serde_json::from_slice::<Value>(&asked.body).expect("JSON"), event);
        let signed = asked.authorization.expect("a signature");
        assert!(
            signed.starts_with(&format!("AWS4-HMAC-SHA256 Credential={ACCESS}/")) && signed.contains("/eu-west-1/lambda/aws4_request"),
            "{signed}"
        );
    }
    // what the function is to be asked, word for word; what it answers, too
    let raw = user.signs(&[&function[..], &["--payload", r#"{"bucket":"b"}"#]].concat());
    assert_eq!(raw, answer(200, &json!({"url": LINK})).to_string());
}

#[test]
fn what_goes_wrong_is_said_with_its_remedy() {
    let ask = |server: &Server| user(server).fails(&["url", "s3://drives/a.bag", "--function-name", "generate_ros_streaming_url"]);
    let refuse = |status: u16, kind: &'static str, body: &'static str| {
        let server = Server::start(Behaviour::default());
        server.put_refusal(&FUNCTION[1..], status, kind, body);
        ask(&server)
    };
    let server = lambda(&answer(500, &json!({"error": "Could not find bag file s3://drives/a.bag"})));
    assert_eq!(
        ask(&server),
        "the function answered 500 (Could not find bag file s3://drives/a.bag): function generate_ros_streaming_url"
    );
    assert_eq!(
        ask(&lambda(&json!("hello"))),
        "the function answered something that is no link: check its name: function generate_ros_streaming_url"
    );
    assert_eq!(
        refuse(
            404,
            "ResourceNotFoundException",
            r#"{"Message": "Function not found: generate_ros_streaming_url"}"#
        ),
        "the function failed or may not be invoked (404 ResourceNotFoundException: Function not found: generate_ros_streaming_url): \
         check its name, its region and lambda:InvokeFunction: function generate_ros_streaming_url"
    );
    assert_eq!(
        refuse(
            403,
            "ExpiredTokenException",
            r#"{"message": "The security token included in the request is expired"}"#
        ),
        "the AWS credentials have expired (403 ExpiredTokenException: The security token included in the request is expired): renew them \
         (`aws sso login`, or a new AWS_SESSION_TOKEN) and open it again: function generate_ros_streaming_url"
    );
    assert_eq!(
        refuse(
            403,
            "InvalidSignatureException",
            r#"{"message": "The request signature we calculated does not match"}"#
        ),
        "the secret key does not fit the access key (403 SignatureDoesNotMatch): check AWS_SECRET_ACCESS_KEY or the profile: \
         function generate_ros_streaming_url"
    );
    assert_eq!(
        refuse(200, "Unhandled", r#"{"errorMessage": "'WEBVIZ_ELB_URL'", "errorType": "KeyError"}"#),
        "the function failed or may not be invoked (200 KeyError: 'WEBVIZ_ELB_URL'): check its name, its region and \
         lambda:InvokeFunction: function generate_ros_streaming_url"
    );
    let told =
        User::new()
            .with("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:9")
            .fails(&["url", "s3://drives/a.bag", "--function-name", "f"]);
    assert!(told.starts_with("no AWS credentials were found"), "{told}");
}
