//! Links out and scenes by id, with moto behind them: S3 and DynamoDB on the loopback. Passed over, saying so, without it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use roadreel::source::{Deployment, Link, SceneTable};
use roadreel::time::When;
use serde_json::{Value, json};

use crate::s3::{SECRET, User};
use crate::server::{Behaviour, Fault, Server};

/// What moto is filled with; `sys.argv[1]` is its address, `sys.argv[2]` a bag.
const FILL: &str = r#"
import sys, boto3
from decimal import Decimal
url, bag = sys.argv[1:3]
of = lambda name: boto3.client(name, endpoint_url=url, region_name="eu-west-1")
s3, ddb = of("s3"), of("dynamodb")
s3.create_bucket(Bucket="drives", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
for key in ["2026/drive_1.bag", "folder/drive_2.bag"]:
    s3.upload_file(bag, "drives", key)
ddb.create_table(
    TableName="Rosbag-Scene-Metadata", BillingMode="PAY_PER_REQUEST",
    KeySchema=[{"AttributeName": "bag_file", "KeyType": "HASH"}, {"AttributeName": "scene_id", "KeyType": "RANGE"}],
    AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("bag_file", "scene_id")])
table = boto3.resource("dynamodb", endpoint_url=url, region_name="eu-west-1").Table("Rosbag-Scene-Metadata")
with table.batch_writer() as batch:
    for scene in [
        {"bag_file": "drive_1", "scene_id": "s1", "bag_file_bucket": "drives", "bag_file_prefix": "2026/drive_1.bag",
         "start_time": Decimal("1777887000.25"), "end_time": None, "num_people_in_scene_start": Decimal(3)},
        {"bag_file": "drive_1", "scene_id": "s0", "bag_file_bucket": "drives", "bag_file_prefix": "2026/drive_1.bag",
         "start_time": "1777887000_100000000", "end_time": "1777887000_500000000"},
        {"bag_file": "drive_1", "scene_id": "odd", "bag_file_bucket": "drives", "bag_file_prefix": "2026/drive_1.bag", "start_time": None},
        {"bag_file": "drive_2", "scene_id": "s1", "bag_file_bucket": "drives", "bag_file_prefix": "folder/", "start_time": Decimal("1777887000.5")},
        {"bag_file": "drive_3", "scene_id": "gone", "bag_file_bucket": "drives", "bag_file_prefix": "2026/gone.bag", "start_time": Decimal(1)},
        {"bag_file": "drive_3", "scene_id": "bare", "start_time": Decimal(1)},
        {"bag_file": "drive_3", "scene_id": "timeless", "bag_file_bucket": "drives", "bag_file_prefix": "2026/drive_1.bag"},
        {"bag_file": "drive_3", "scene_id": "null", "bag_file_bucket": "drives", "bag_file_prefix": None, "start_time": Decimal(1)},
        {"bag_file": "drive_3", "scene_id": "folder", "bag_file_bucket": "drives", "bag_file_prefix": "gone/", "start_time": Decimal(1)},
        {"bag_file": "drive.v1.5", "scene_id": "s1", "start_time": Decimal(1)},
    ] + [{"bag_file": "many", "scene_id": f"s{n:05}", "note": "x" * 2000, "start_time": Decimal(n)} for n in range(800)]:
        batch.put_item(Item=scene)
"#;

struct Moto {
    server: Child,
    url: String,
    home: tempfile::TempDir,
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Starts it and fills it; None, saying so, where it is not installed.
fn moto() -> Option<Moto> {
    let home = tempfile::tempdir().expect("a folder");
    let bag = home.path().join("drive.bag");
    let made = Command::new(env!("CARGO_BIN_EXE_roadreel"))
        .args(["demo", "--seconds", "0.7", "-o"])
        .arg(&bag)
        .status();
    assert!(made.expect("the program starts").success());
    let installed = Command::new("python3").args(["-c", "import moto.server, boto3"]).output();
    if !installed.is_ok_and(|output| output.status.success()) {
        eprintln!("passed over: moto is not installed (pip install 'moto[server]')");
        return None;
    }
    let mut server = Command::new("python3")
        .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python starts");
    let mut lines = BufReader::new(server.stderr.take().expect("its log")).lines();
    let url = lines
        .by_ref()
        .find_map(|line| Some(line.ok()?.split_once("Running on ")?.1.trim().to_owned()));
    // nobody reads on: what it logs must not fill the pipe
    std::thread::spawn(move || lines.for_each(drop));
    let url = url.expect("the server's address");
    let moto = Moto { server, url, home };
    let filled = keys(Command::new("python3").args(["-c", FILL, &moto.url]).arg(&bag))
        .output()
        .expect("python");
    assert!(filled.status.success(), "{}", String::from_utf8_lossy(&filled.stderr));
    Some(moto)
}

fn keys(command: &mut Command) -> &mut Command {
    command
        .env("AWS_ACCESS_KEY_ID", "AKIDFORTHETEST")
        .env("AWS_SECRET_ACCESS_KEY", "the-secret-of-the-test")
        .env("AWS_DEFAULT_REGION", "eu-west-1")
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
}

impl Moto {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_roadreel"));
        command.args(arguments).args(["--endpoint-url", &self.url]);
        command.env("HOME", self.home.path()).env("WEBVIZ_ELB_URL", "http://webviz-lb");
        keys(&mut command);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program starts")
    }

    #[track_caller]
    fn prints(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    #[track_caller]
    fn fails(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        String::from_utf8_lossy(&output.stderr).trim().replace(&self.url, "URL")
    }

    /// Status and body of the Lambda's answer; what is signed is cut off.
    #[track_caller]
    fn answer(&self, payload: &Value) -> String {
        let text = self.prints(&["url", "--payload", &payload.to_string()]);
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        let body: Value = serde_json::from_str(answer["body"].as_str().expect("a string")).expect("JSON in JSON");
        format!("{} {}", answer["statusCode"], self.unsigned(&body.to_string()))
    }

    fn unsigned(&self, text: &str) -> String {
        let host = roadreel::source::encoded(&self.url);
        let text = text.replace(&host, "URL");
        match (text.find("%3F"), text.find("&seek-to")) {
            (Some(from), Some(to)) if from < to => format!("{}{}", &text[..from], &text[to..]),
            (Some(from), None) => format!("{}\"}}", &text[..from]),
            _ => text,
        }
    }
}

/// One for all tests; the tests' end is its end.
fn shared() -> Option<&'static Moto> {
    static MOTO: OnceLock<Option<Moto>> = OnceLock::new();
    MOTO.get_or_init(moto).as_ref()
}

#[test]
fn the_lambda_is_answered_for_to_the_letter() {
    let Some(moto) = shared() else { return };
    let link = |key: &str| format!("200 {{\"url\":\"http://webviz-lb?remote-bag-url=URL%2Fdrives%2F{key}");
    for (payload, wanted) in [
        (json!({}), "400 {\"error\":\"No bucket specified\"}".to_owned()),
        (json!({"bucket": "drives"}), "400 {\"error\":\"No key specified\"}".to_owned()),
        (
            json!({"bucket": "drives", "key": null}),
            "400 {\"error\":\"No key specified\"}".to_owned(),
        ),
        (
            json!({"bucket": "drives", "key": "2026/drive_1.bag"}),
            link("2026%2Fdrive_1.bag") + "\"}",
        ),
        (
            json!({"bucket": "drives", "key": "2026/drive_1.bag", "region": "eu-west-1", "seek_to": 1777887000.25}),
            link("2026%2Fdrive_1.bag") + "&seek-to=1777887000.25\"}",
        ),
        (
            json!({"bucket": "drives", "key": "none.bag"}),
            "500 {\"error\":\"Could not find bag file s3://drives/none.bag\"}".to_owned(),
        ),
        (
            json!({"record_id": "drive_1", "scene_id": "s1", "seek_to": 5}),
            link("2026%2Fdrive_1.bag") + "&seek-to=1777887000.25\"}",
        ),
        (
            json!({"record_id": "drive_1", "scene_id": "odd"}),
            link("2026%2Fdrive_1.bag") + "\"}",
        ),
        (
            json!({"record_id": "drive_2", "scene_id": "s1"}),
            link("folder%2Fdrive_2.bag") + "&seek-to=1777887000.5\"}",
        ),
        (
            json!({"record_id": "drive_3", "scene_id": "gone"}),
            "500 {\"error\":\"Could not find bag file s3://drives/2026/gone.bag\"}".to_owned(),
        ),
        (
            json!({"record_id": "drive_3", "scene_id": "bare"}),
            "500 {\"error\":\"Could not find record field for drive_3:bare in dynamo: 'bag_file_bucket'\"}".to_owned(),
        ),
        (
            json!({"record_id": "drive_3", "scene_id": "timeless"}),
            "500 {\"error\":\"Could not find record field for drive_3:timeless in dynamo: 'start_time'\"}".to_owned(),
        ),
        (
            json!({"record_id": "drive_3", "scene_id": "null"}),
            "400 {\"error\":\"No key specified\"}".to_owned(),
        ),
        (
            json!({"record_id": "drive_3", "scene_id": "folder"}),
            "500 {\"error\":\"Could not find bag file s3://drives/gone/\"}".to_owned(),
        ),
        (
            json!({"bucket": "nowhere", "key": "a.bag"}),
            "500 {\"error\":\"Could not find bag file s3://nowhere/a.bag\"}".to_owned(),
        ),
        (
            json!({"bucket": "", "key": "a.bag"}),
            "400 {\"error\":\"No bucket specified\"}".to_owned(),
        ),
        (
            json!({"bucket": "drives", "key": ""}),
            "400 {\"error\":\"No key specified\"}".to_owned(),
        ),
        (
            json!({"body": "eyJidWNrZXQiOiAiZHJpdmVzIn0=", "isBase64Encoded": true}),
            "400 {\"error\":\"No key specified\"}".to_owned(),
        ),
        (
            json!({"record_id": "drive_9", "scene_id": "s1"}),
            "500 {\"error\":\"Could not find record field for drive_9:s1 in dynamo: 'Item'\"}".to_owned(),
        ),
        (
            json!({"queryStringParameters": {"bucket": "drives"}}),
            "400 {\"error\":\"No key specified\"}".to_owned(),
        ),
    ] {
        assert_eq!(moto.answer(&payload), wanted, "{payload}");
    }
    for region in ["ap-southeast-2", "eu-central-1"] {
        let payload = json!({"bucket": "drives", "key": "2026/drive_1.bag", "region": region}).to_string();
        let signed = moto.prints(&["url", "--payload", &payload, "--region", "eu-west-1"]);
        assert!(signed.contains(&format!("%252F{region}%252Fs3%252Faws4_request")), "{signed}");
    }
    let raw = moto.prints(&["url", "--payload", "{}"]);
    assert_eq!(raw, r#"{"statusCode": 400, "body": "{\"error\": \"No bucket specified\"}"}"#);
}

#[test]
fn links_of_every_style_open_the_recording() {
    let Some(moto) = shared() else { return };
    let cdk = moto.home.path().join("cdk.json");
    let text = "{\n  // the stack\n  \"app\": \"npx\",\n  \"context\": {\"region\": \"eu-west-1\", \"bucketName\": \"drives\", /* scenes */\n    \
                \"scenarioDB\": {\"partitionKey\": \"bag_file\", \"sortKey\": \"scene_id\", \"region\": \"eu-west-1\", \"tableName\": \"Rosbag-Scene-Metadata\"}}\n}\n";
    std::fs::write(&cdk, text).expect("a file");
    let metadata = moto.home.path().join("metadata.json");
    std::fs::write(
        &metadata,
        r#"{"TargetBucketName": "drives", "GenerateUrlLambdaName": "f", "WebvizUrl": "https://w"}"#,
    )
    .expect("a file");
    let (cdk, metadata) = (cdk.to_str().expect("a path"), metadata.to_str().expect("a path"));
    let key = ["--key", "2026/drive_1.bag"];
    for (arguments, starts, seek) in [
        (vec!["--bucket-name", "drives", "--style", "presigned"], "http://127.0.0.1", None),
        (vec!["--cdk-json", cdk, "--style", "presigned"], "http://127.0.0.1", None),
        (
            vec!["--config-file", metadata, "--seek-to", "1777887000.25"],
            "https://w?remote-bag-url=",
            Some(1_777_887_000_250_000_000),
        ),
        (
            vec!["--cdk-json", cdk, "--seek-to", "1777887000.25"],
            "http://webviz-lb?remote-bag-url=",
            Some(1_777_887_000_250_000_000),
        ),
        (
            vec!["--cdk-json", cdk, "--seek-to", "50%", "--style", "foxglove"],
            "https://app.foxglove.dev/",
            None,
        ),
        (
            vec![
                "--cdk-json",
                cdk,
                "--seek-to",
                "1777887000.25",
                "--style",
                "roadreel",
                "--expires",
                "10min",
            ],
            "roadreel://open?remote-bag-url=",
            Some(1_777_887_000_250_000_000),
        ),
    ] {
        let link = moto.prints(&[&["url"], &arguments[..], &key].concat());
        assert!(link.starts_with(starts), "{arguments:?}: {link}");
        let parsed = Link::parse(&link).expect("a link");
        if let Some(nanos) = seek {
            assert_eq!(parsed.seek_to, Some(When::At(roadreel::time::Time(nanos))), "{link}");
        }
        let info: Value = serde_json::from_str(&moto.prints(&["info", "--json", &link])).expect("JSON");
        assert_eq!(info["format"], "rosbag1", "{arguments:?}");
    }
    let ten_minutes = moto.prints(&["url", "s3://drives/2026/drive_1.bag", "--expires", "10min", "--style", "presigned"]);
    assert!(ten_minutes.contains("X-Amz-Expires=600"), "{ten_minutes}");
    let scene = moto.prints(&["url", "--record", "drive_2", "--scene", "s1", "--style", "roadreel"]);
    assert!(
        scene.contains("folder%2Fdrive_2.bag") && scene.ends_with("&seek-to=1777887000.500000000"),
        "{scene}"
    );
    assert!(moto.fails(&["url", "--bucket-name", "drives"]).contains("name what to share"));
}

#[test]
fn a_scene_is_opened_by_its_ids() {
    let Some(moto) = shared() else { return };
    let info: Value = serde_json::from_str(&moto.prints(&["info", "--json", "--record", "drive_2", "--scene", "s1"])).expect("JSON");
    assert_eq!(info["location"], "s3://drives/folder/drive_2.bag");
    for (arguments, says) in [
        (["--record", "drive_1", "--scene", "none"], "there is no scene “none” of “drive_1”"),
        (
            ["--record", "drive_3", "--scene", "gone"],
            "the recording of the scene is not there: s3://drives/2026/gone.bag",
        ),
        (
            ["--record", "drive_3", "--scene", "bare"],
            "the scene names no recording (bag_file_bucket is missing)",
        ),
    ] {
        let told = moto.fails(&[&["info"], &arguments[..]].concat());
        assert!(told.contains(says), "{told}");
    }
    let told = moto.fails(&["info", "--record", "drive_1", "--scene", "s1", "--scene-table", "nowhere"]);
    assert!(
        told.contains("the table of scenes cannot be read") && told.ends_with("table nowhere"),
        "{told}"
    );
}

#[test]
fn the_scenes_of_a_recording_are_listed_by_their_start() {
    let Some(moto) = shared() else { return };
    let json: Value = serde_json::from_str(&moto.prints(&["scenes", "drive_1", "--json"])).expect("JSON");
    let listed: Vec<_> = json
        .as_array()
        .expect("an array")
        .iter()
        .map(|s| (s["scene"].clone(), s["start_ns"].clone()))
        .collect();
    assert_eq!(
        listed,
        [
            (json!("s0"), json!(1_777_887_000_100_000_000_i64)),
            (json!("s1"), json!(1_777_887_000_250_000_000_i64)),
            (json!("odd"), json!(null))
        ]
    );
    let text = moto.prints(&["scenes", "s3://drives/2026/drive_1.bag"]);
    assert!(
        text.lines()
            .nth(1)
            .is_some_and(|line| line.starts_with("s0 ") && line.contains(" 2026-05-04 09:30:00.100 ")),
        "{text}"
    );
    for record in ["drive.v1.5", "drive.v1.5.bag", "s3://drives/2026/drive.v1.5.mcap"] {
        assert_eq!(moto.prints(&["scenes", record]).lines().count(), 2, "{record}");
    }
    assert_eq!(moto.prints(&["scenes", "many"]).lines().count(), 801, "page by page");
}

#[test]
fn the_server_answers_and_refuses() {
    let Some(moto) = shared() else { return };
    let mut server = Serving::start(moto, &[]);
    let (status, body) = server.get("/get-url?bucket=drives&key=2026/drive_1.bag&seek_to=7", &[]);
    assert_eq!(status, 200);
    assert!(moto.unsigned(&body).ends_with("2026%2Fdrive_1.bag&seek-to=7\"}"), "{body}");
    assert_eq!(
        server.get("/get-url?bucket=drives", &[]),
        (400, r#"{"error": "No key specified"}"#.to_owned())
    );
    for path in ["/get-url/", "/prod/get-url"] {
        assert_eq!(server.get(&format!("{path}?bucket=drives"), &[]).0, 400, "{path}");
    }
    for path in ["/other", "/forget-url"] {
        assert_eq!(server.get(path, &[]).0, 404, "{path}");
    }
    assert_eq!(
        server
            .get("/get-url?bucket=drives&key=2026/drive_1.bag", &[("host", "evil.example")])
            .0,
        403
    );
    assert_eq!(server.post("/", r#"{"bucket": "drives"}"#).0, 400);
    let (status, body) = server.post("/2015-03-31/functions/f/invocations", r#"{"bucket": "drives"}"#);
    assert_eq!(
        (status, &*body),
        (200, r#"{"statusCode": 400, "body": "{\"error\": \"No key specified\"}"}"#)
    );
    assert_eq!(server.post("/", "no JSON").0, 400);
    server.stop();

    let mut server = Serving::start(moto, &["--token", "the-token"]);
    assert_eq!(server.get("/get-url?bucket=drives", &[]).0, 401);
    assert_eq!(
        server.get("/get-url?bucket=drives", &[("authorization", "Bearer the-tokem")]).0,
        401
    );
    assert_eq!(
        server.get("/get-url?bucket=drives", &[("authorization", "Bearer the-token")]).0,
        400
    );
    for allowed in [
        &[("authorization", "bearer the-token")][..],
        &[("authorization", "AWS4-HMAC-SHA256 Credential=…"), ("x-api-key", "the-token")],
    ] {
        assert_eq!(server.get("/get-url?bucket=drives", allowed).0, 400, "{allowed:?}");
    }
    assert_eq!(
        server
            .get("/get-url?bucket=drives", &[("x-api-key", "the-token"), ("host", "gateway.example")])
            .0,
        400
    );
    server.stop();

    let told = moto.fails(&["serve", "--listen", "0.0.0.0:0"]);
    assert!(told.contains("give a --token, or listen on 127.0.0.1"), "{told}");
}

struct Serving {
    child: Child,
    url: String,
    runtime: tokio::runtime::Runtime,
}

impl Serving {
    fn start(moto: &Moto, arguments: &[&str]) -> Serving {
        let arguments = [&["serve", "--listen", "127.0.0.1:0"], arguments].concat();
        let mut child = moto.command(&arguments).stderr(Stdio::piped()).spawn().expect("the program starts");
        let mut lines = BufReader::new(child.stderr.take().expect("its output")).lines();
        let line = lines.next().expect("a line").expect("text");
        let url = line
            .strip_prefix("listening on ")
            .and_then(|l| l.strip_suffix("/get-url"))
            .expect("an address")
            .to_owned();
        Serving {
            child,
            url,
            runtime: tokio::runtime::Runtime::new().expect("a runtime"),
        }
    }

    fn ask(&self, request: reqwest::RequestBuilder) -> (u16, String) {
        self.runtime.block_on(async {
            let response = request.send().await.expect("an answer");
            (response.status().as_u16(), response.text().await.expect("text"))
        })
    }

    fn get(&self, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let request = client.get(format!("{}{path}", self.url));
        self.ask(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)))
    }

    fn post(&self, path: &str, body: &str) -> (u16, String) {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        self.ask(client.post(format!("{}{path}", self.url)).body(body.to_owned()))
    }

    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop();
    }
}

#[test]
fn deployments_are_read() {
    let cdk = Deployment::parse(
        "{\"context\": {\"region\": \"eu-west-1\", // where\n \"bucketName\": \"b\", \"bucketExists\": true, \"generateUrlFunctionName\": \"f\", \"scenarioDB\": {\"partitionKey\": \"p\", \"sortKey\": \"s\", \"tableName\": \"t\"}}}",
    );
    let scenes = SceneTable {
        table_name: "t".to_owned(),
        region: None,
        partition_key: "p".to_owned(),
        sort_key: "s".to_owned(),
    };
    let wanted = Deployment {
        region: Some("eu-west-1".to_owned()),
        bucket_name: Some("b".to_owned()),
        generate_url_function_name: Some("f".to_owned()),
        webviz_url: None,
        scenes: Some(scenes),
    };
    assert_eq!(cdk, Ok(wanted));
    let module = Deployment::parse(
        r#"{"TargetBucketName": "b", "GenerateUrlLambdaName": "f", "CorsLambdaName": "c", "WebvizUrl": "https://w", "DemoUrl": "d"}"#,
    );
    let module = module.expect("a deployment");
    assert_eq!(
        (module.bucket_name.as_deref(), module.webviz_url.as_deref()),
        (Some("b"), Some("https://w"))
    );
    let trailing = Deployment::parse("{\"context\": {\"region\": \"a,]\\\",}\", /* , */ \"more\": [1, 2, ],\n // the end\n },}");
    assert_eq!(trailing.map(|read| read.region), Ok(Some("a,]\",}".to_owned())));
    assert!(Deployment::parse("{,}").is_err() && Deployment::parse("{\"region\": \"a\",,}").is_err());
    assert!(Deployment::parse("[1").is_err() && Deployment::parse("{\"region\": 5}").is_err());
}

#[test]
fn a_folders_recording_is_found_by_who_may_not_list_the_bucket() {
    let server = Server::start(Behaviour {
        denies_missing: true,
        now_secs: jiff::Timestamp::now().as_second(),
        ..Behaviour::default()
    });
    server.put("drives/folder/drive_2", crate::stream::bag());
    let item = |folder: &str| {
        json!({"Item": {"bag_file": {"S": "drive_2"}, "scene_id": {"S": "s1"}, "bag_file_bucket": {"S": "drives"},
            "bag_file_prefix": {"S": folder}, "start_time": {"N": "1600000000.5"}}})
    };
    let user = User::with_keys(SECRET).with("AWS_ENDPOINT_URL", &server.url(""));
    server.put_answer("", item("folder").to_string());
    let of_scene = ["info", "--json", "--record", "drive_2", "--scene", "s1"];
    let info: Value = serde_json::from_str(&user.prints(&of_scene)).expect("JSON");
    assert_eq!(info["location"], "s3://drives/folder/drive_2");
    let link = user.signs(&["url", "--payload", r#"{"record_id": "drive_2", "scene_id": "s1"}"#]);
    assert!(
        link.contains("folder%2Fdrive_2%3F") && link.contains("&seek-to=1600000000.5"),
        "{link}"
    );

    server.put_answer("", item("elsewhere").to_string());
    let told = user.fails(&of_scene);
    assert!(
        told.starts_with("access is denied (403 AccessDenied") && told.ends_with("s3://drives/elsewhere/drive_2.bag"),
        "{told}"
    );
}

#[test]
fn whatever_a_store_answers_the_lambda_says_that_there_is_no_bag() {
    let server = Server::start(Behaviour::default());
    let user = User::with_keys(SECRET).with("AWS_ENDPOINT_URL", &server.url(""));
    for (status, region, body) in [
        (403, "", "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"),
        (403, "", "<Error><Code>SignatureDoesNotMatch</Code><Message>no</Message></Error>"),
        (
            403,
            "",
            "<Error><Code>AccessDenied</Code><Message>not authorized to perform: kms:Decrypt</Message></Error>",
        ),
        (404, "", "<Error><Code>NoSuchBucket</Code><Message>no</Message></Error>"),
        (404, "", "<Error><Code>NoSuchKey</Code><Message>no</Message></Error>"),
        (301, "", "<Error><Code>PermanentRedirect</Code><Message>no</Message></Error>"),
        (400, "", "<Error><Code>ExpiredToken</Code><Message>no</Message></Error>"),
    ] {
        server.reset_stats();
        server.behave(|b| b.scripted = (1..50).map(|n| (n, Fault::Answer(status, region, body))).collect());
        let told = user.prints(&["url", "--payload", r#"{"bucket": "drives", "key": "a.bag"}"#]);
        let wanted = r#"{"statusCode": 500, "body": "{\"error\": \"Could not find bag file s3://drives/a.bag\"}"}"#;
        assert_eq!(told.trim(), wanted, "{status} {body}");
    }
    let archived = "<Error><Code>InvalidObjectState</Code><Message>no</Message><StorageClass>GLACIER</StorageClass></Error>";
    server.reset_stats();
    server.behave(|b| b.scripted = (1..50).map(|n| (n, Fault::Answer(403, "", archived))).collect());
    let link = user.signs(&["url", "--payload", r#"{"bucket": "drives", "key": "a.bag"}"#]);
    assert!(link.starts_with(r#"{"statusCode": 200, "#), "an archived object is there: {link}");
    // what is no answer of the store is told as it is
    let told = User::new().prints(&["url", "--payload", r#"{"bucket": "drives", "key": "a.bag"}"#]);
    assert!(told.contains("no AWS credentials were found"), "{told}");
}

#[test]
fn a_scene_names_the_places_where_its_recording_may_lie() {
    for (prefix, file, keys) in [
        ("a/b.bag", "b", vec!["a/b.bag"]),
        ("a/b", "c", vec!["a/b/c.bag", "a/b/c", "a/b"]),
        ("a/", "c.bag", vec!["a/c.bag"]),
        ("", "c", vec![]),
        ("None", "c", vec![]),
    ] {
        let item = [("bag_file", file), ("bag_file_prefix", prefix), ("start_time", "NaN")];
        let item = item.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let scene = roadreel::source::Scene::of_item(&SceneTable::default(), item);
        assert_eq!(scene.keys(), keys, "{prefix} {file}");
        assert_eq!(scene.start, None);
    }
}
