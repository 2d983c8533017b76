//! Links that run out: whose they are and when they end; reading on through the next one, which has to lead to the same object.

use std::path::Path;
use std::time::Duration;

use roadreel::decode::Form;
use roadreel::run::{Executor, Io, settle};
use roadreel::source::{Location, Net, Policy, PresignedKind, Reader, Renewal, SourceError};
use roadreel::store::{LinkState, Lookup, Store, Want, What};

use crate::s3::{SECRET, User};
use crate::server::{Behaviour, Server};
use crate::stream::{START, bag};

#[test]
fn signed_urls_say_whose_they_are_and_when_they_end() {
    use PresignedKind::*;
    const NINE: i64 = 1_767_229_200;
    for (query, told) in [
        (
            "X-Amz-Date=20260101T000000Z&X-Amz-Expires=3600&X-Amz-Signature=x",
            Some((S3, NINE, false)),
        ),
        (
            "X-Amz-Date=20260101T000000Z&X-Amz-Expires=3600&X-Amz-Security-Token=t&X-Amz-Signature=x",
            Some((S3, NINE, true)),
        ),
        ("x-amz-date=20260101T000000Z&x-amz-expires=3600", Some((S3, NINE, false))),
        ("X-Goog-Date=20260101T000000Z&X-Goog-Expires=3600", Some((Gcs, NINE, false))),
        ("GoogleAccessId=a&Expires=1767229200&Signature=x", Some((Gcs, NINE, false))),
        ("AWSAccessKeyId=a&Expires=1767229200&Signature=x", Some((S3Version2, NINE, false))),
        ("sv=2024-11-04&se=2026-01-01T01%3A00%3A00Z&sig=x", Some((Azure, NINE, false))),
        ("sv=2024-11-04&se=2026-01-01T01:00Z&sig=x", Some((Azure, NINE, false))),
        ("sv=2024-11-04&se=2026-01-01&sig=x", Some((Azure, NINE - 3600, false))),
        ("Expires=1767229200&Signature=x&Key-Pair-Id=K", Some((CloudFront, NINE, false))),
        (
            // {"Statement":[{"Resource":"*","Condition":{"DateLessThan":{"AWS:EpochTime":1767229200}}}]}
            "Policy=eyJTdGF0ZW1lbnQiOlt7IlJlc291cmNlIjoiKiIsIkNvbmRpdGlvbiI6eyJEYXRlTGVzc1RoYW4iOnsiQVdTOkVwb2NoVGltZSI6MTc2NzIyOTIwMH19fV19&Signature=x&Key-Pair-Id=K",
            Some((CloudFront, NINE, false)),
        ),
        ("Policy=bm9uc2Vuc2U_&Signature=x&Key-Pair-Id=K", None),
        ("X-Amz-Date=today&X-Amz-Expires=3600", None),
        ("X-Amz-Date=20260101T000000Z&X-Amz-Expires=9223372036854775807", None),
        ("Expires=1767229200", None),
        ("id=1", None),
    ] {
        let location = Location::parse(&format!("https://host/a.bag?{query}")).expect("a location");
        let got = location
            .presigned()
            .map(|p| (p.kind, p.expires.nanos() / 1_000_000_000, p.may_end_sooner));
        assert_eq!(got, told, "{query}");
    }
}

pub fn policy() -> Policy {
    let millis = Duration::from_millis;
    Policy {
        attempts: 4,
        backoff: millis(1),
        backoff_max: millis(4),
        // on a busy machine nothing is asked for twice
        idle: millis(30_000),
        ..Policy::default()
    }
}

fn server(bag: &[u8]) -> Server {
    let server = Server::start(Behaviour {
        require_signature: true,
        ..Behaviour::default()
    });
    server.put("drive.bag", bag.to_vec());
    server
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(work)
}

/// The error's sentence, without its place.
fn sentence<T>(result: Result<T, SourceError>) -> String {
    let text = result.err().expect("an error").to_string();
    text.split(": http://").next().unwrap_or_default().to_owned()
}

pub fn location(url: &str) -> Location {
    Location::parse(url).expect("a location")
}

#[test]
fn a_new_link_is_taken_where_it_leads_to_the_same_object() {
    let bag = bag();
    let server = server(&bag);
    server.put("other.bag", bag[1..].to_vec());
    block_on(async {
        let net = Net::new(policy(), &[]).expect("a client");
        let reader = Reader::open(location(&server.presigned("drive.bag", 60)), &net)
            .await
            .expect("a reader");
        let first = reader.read(0..200_000).await.expect("bytes");
        server.behave(|b| b.now_secs += 3600);
        assert_eq!(
            sentence(reader.read(200_000..300_000).await),
            "the link expired at 2027-01-15 08:01:00 UTC: ask for a new one and open it"
        );
        assert_eq!(
            sentence(reader.renew(&location(&server.presigned("other.bag", 60))).await),
            "the new link leads to another object (its length or ETag differs): give a link to this recording"
        );
        assert!(sentence(reader.renew(&location(&server.url("drive.bag"))).await).starts_with("access is denied"));
        let fresh = location(&server.presigned("drive.bag", 60));
        reader.renew(&fresh).await.expect("the same object");
        assert_eq!(reader.current(), fresh);
        let rest = reader.read(200_000..300_000).await.expect("bytes");
        assert_eq!([first, rest].concat(), bag[..300_000]);
        // replaced while it is read: noticed, never mixed
        server.behave(|b| b.change_after = Some(0));
        assert_eq!(
            sentence(reader.read(300_000..400_000).await),
            "the recording was replaced while it was being read: open it again"
        );
    });
}

#[test]
fn an_endpoint_or_a_command_gives_the_new_link() {
    let bag = bag();
    let server = server(&bag);
    let expired = || location(&server.presigned("drive.bag", 60));
    server.put("get-url", Vec::new());
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("answer");
    let read = |renewal: Renewal| {
        block_on(async {
            let net = Net::new(policy(), &[]).expect("a client").with_renewal(Some(renewal));
            let reader = Reader::open(expired(), &net).await?;
            server.behave(|b| b.now_secs += 3600);
            let fresh = server.presigned("drive.bag", 60);
            std::fs::write(&script, &fresh).expect("a file");
            // as the Lambda answers
            let body = serde_json::json!({ "url": fresh }).to_string();
            let answer = serde_json::json!({ "statusCode": 200, "body": body }).to_string();
            server.put("answers/drive.bag", answer);
            server.behave(|b| b.require_signature = false);
            server.reset_stats();
            reader.read(100_000..200_000).await
        })
    };
    let endpoint = |path: &str| Renewal::Endpoint {
        url: server.url(path),
        headers: Default::default(),
    };
    let answers = endpoint("answers/{name}?bucket={bucket}&key={key}");
    assert_eq!(read(answers).expect("bytes"), bag[100_000..200_000]);
    let paths: Vec<String> = server.stats().log.into_iter().map(|a| format!("{} {}", a.path, a.status)).collect();
    // refused, asked for, checked, read on
    assert_eq!(
        paths,
        ["/drive.bag 403", "/answers/drive.bag 200", "/drive.bag 206", "/drive.bag 206"]
    );
    let cat = |path: &Path| Renewal::Command(vec!["cat".to_owned(), path.display().to_string()]);
    if cfg!(unix) {
        assert_eq!(read(cat(&script)).expect("bytes"), bag[100_000..200_000]);
        assert_eq!(
            sentence(read(cat(&folder.path().join("none")))),
            "a new link could not be had (the command ended with exit status: 1): paste one, or check `renew` in the settings"
        );
    }
    assert_eq!(
        sentence(read(endpoint("none"))),
        "a new link could not be had (the endpoint answered 404): paste one, or check `renew` in the settings"
    );
}

#[test]
fn an_endpoint_gets_its_own_headers_and_a_lambda_its_event() {
    let bag = bag();
    let server = server(&bag);
    server.behave(|b| b.require_signature = false);
    let ended = server.presigned("fleet/drive.bag", -60);
    server.put("fleet/drive.bag", bag);
    let fresh = server.presigned("fleet/drive.bag", 600);
    server.put("get-url", serde_json::json!({ "url": fresh }).to_string());
    let user = User::with_keys(SECRET)
        .with("FLEET_KEY", "the-key-of-the-fleet")
        .with("AWS_ENDPOINT_URL_LAMBDA", &server.url(""));
    let config = |renew: serde_json::Value| {
        let path = user.file("settings.json", &serde_json::json!({ "renew": renew }).to_string());
        path.to_str().expect("a path").to_owned()
    };
    let header = "Authorization: Bearer for-the-recording";
    let info = |config: &str| user.prints(&["info", &ended, "--no-cache", "--config", config, "--header", header]);

    let endpoint =
        |variable: &str| serde_json::json!({"endpoint": server.url("get-url"), "headers": {"x-api-key": format!("key {variable}")}});
    info(&config(endpoint("$FLEET_KEY")));
    let log = server.stats().log;
    let told: Vec<_> = log
        .iter()
        .map(|asked| (&*asked.path, asked.api_key.as_deref(), asked.authorization.as_deref()))
        .collect();
    let to_drive = ("/fleet/drive.bag", None, Some("Bearer for-the-recording"));
    assert_eq!(
        told[..3],
        [to_drive, ("/get-url", Some("key the-key-of-the-fleet"), None), to_drive]
    );
    let unset = user.fails(&["info", &ended, "--no-cache", "--config", &config(endpoint("$NOT_SET"))]);
    assert!(
        unset.starts_with("a new link could not be had ($NOT_SET is not set): paste one, or check `renew` in the settings"),
        "{unset}"
    );

    let link = format!("http://webviz?remote-bag-url={}", roadreel::source::encoded(&fresh));
    let body = serde_json::json!({ "url": link }).to_string();
    let invocations = "2015-03-31/functions/sign/invocations";
    server.put_answer(invocations, serde_json::json!({"statusCode": 200, "body": body}).to_string());
    server.reset_stats();
    info(&config(serde_json::json!({"function": "sign"})));
    let asked = server
        .stats()
        .log
        .into_iter()
        .find(|asked| asked.method == "POST")
        .expect("an invocation");
    assert_eq!(asked.body, r#"{"bucket":"fleet","key":"drive.bag"}"#);

    let wrong = user.fails(&[
        "info",
        &ended,
        "--config",
        &config(serde_json::json!({"function": "a", "command": ["b"]})),
    ]);
    assert!(
        wrong.starts_with(
            "the settings are not what they should be (“renew” names one of a command, an endpoint (with headers) and a function"
        ),
        "{wrong}"
    );
}

/// What panels would show: the newest message of every topic.
fn picture(store: &Store) -> Vec<String> {
    let topics = store.topics().iter().map(|topic| match store.latest(topic.id, Form::Value) {
        Lookup::Ready(entry) => format!("{} {}", topic.name, entry.time.since(START)),
        Lookup::Pending => format!("{} pending", topic.name),
        Lookup::Absent => format!("{} absent", topic.name),
        Lookup::Failed(_) => format!("{} failed", topic.name),
    });
    topics.collect()
}

pub fn look(store: &mut Store, executor: &Executor, millis: i64) -> Vec<String> {
    settle(store, executor, |store| {
        let latest = |topic: &roadreel::store::Topic| Want {
            topic: topic.id,
            what: What::Latest(Form::Value),
        };
        let wants: Vec<Want> = store.topics().iter().map(latest).collect();
        store.demand(START.plus_nanos(millis * 1_000_000), 0.0, &wants);
    });
    picture(store)
}

pub fn opened(server: &Server, link: &str) -> (Store, Executor) {
    let executor = Executor::with(Io::new(policy(), &[]).expect("a runtime"), || {});
    let mut store = Store::new(64 << 20);
    store.open(vec![location(link)]);
    look(&mut store, &executor, 200);
    assert_eq!(store.sources()[0].link, LinkState::Works);
    server.reset_stats();
    (store, executor)
}

#[test]
fn a_link_that_ends_in_mid_play_loses_nothing_and_its_successor_fetches_nothing_twice() {
    let bag = bag();
    let server = server(&bag);
    let (mut fresh, executor) = opened(&server, &server.presigned("drive.bag", 60));
    let expected = (look(&mut fresh, &executor, 200), look(&mut fresh, &executor, 1900));
    let (mut store, executor) = opened(&server, &server.presigned("drive.bag", 60));
    assert_eq!(look(&mut store, &executor, 200), expected.0);
    server.behave(|b| b.now_secs += 3600);
    let without = look(&mut store, &executor, 1900);
    assert!(without.iter().any(|line| line.ends_with("failed")), "{without:?}");
    assert_eq!(store.sources()[0].link, LinkState::Ended);
    // what is loaded is still shown
    assert_eq!(look(&mut store, &executor, 200), expected.0);
    store.renew(0, location(&server.url("drive.bag")));
    look(&mut store, &executor, 200);
    let refused = store.sources()[0].link.clone();
    assert!(
        matches!(&refused, LinkState::Refused(why) if why.starts_with("access is denied")),
        "{refused:?}"
    );
    let link = location(&server.presigned("drive.bag", 60));
    store.renew(0, link.clone());
    assert_eq!(look(&mut store, &executor, 1900), expected.1);
    assert_eq!((&store.sources()[0].link, &store.sources()[0].location), (&LinkState::Works, &link));
    assert_eq!(look(&mut store, &executor, 200), expected.0);
    // but for the byte that was asked to check the new link
    let mut read: Vec<(u64, u64)> = Vec::new();
    for asked in server.stats().log.iter().filter(|asked| asked.status == 206) {
        let range = asked.range.as_ref().and_then(|r| r.strip_prefix("bytes=")?.split_once('-'));
        let (first, last) = range.expect("a range");
        read.push((first.parse().expect("a number"), last.parse().expect("a number")));
    }
    read.retain(|range| *range != (0, 0));
    read.sort_unstable();
    assert!(!read.is_empty());
    assert!(read.windows(2).all(|pair| pair[0].1 < pair[1].0), "{read:?}");
}

#[test]
fn a_recording_that_is_replaced_in_mid_play_is_noticed() {
    let bag = bag();
    let server = server(&bag);
    let (mut store, executor) = opened(&server, &server.presigned("drive.bag", 60));
    let before = look(&mut store, &executor, 200);
    server.behave(|b| b.change_after = Some(0));
    let after = look(&mut store, &executor, 1900);
    assert!(after.iter().all(|line| line.ends_with("failed")), "{after:?}");
    assert_eq!(look(&mut store, &executor, 200), before);
}
