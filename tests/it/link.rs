//! Links in and out: one table of what people paste, and the round trip of what is written.

use proptest::prelude::*;
use roadreel::source::{Link, LinkStyle, Location};
use roadreel::time::{Span, Time};

/// Of 100 s, from 1,600,000,000 on.
fn span() -> Span {
    Span::new(Time(1_600_000_000_000_000_000), Time(1_600_000_100_000_000_000))
}

/// `recordings | seconds from the start | layout`, or the error's sentence.
fn told(text: &str) -> String {
    let link = match Link::parse(text) {
        Ok(link) => link,
        Err(error) => return error.to_string(),
    };
    let whole = |location: &Location| match location {
        Location::Url(url) => url.to_string(),
        other => other.to_string(),
    };
    let mut parts = vec![link.locations.iter().map(whole).collect::<Vec<_>>().join(" + ")];
    if let Some(when) = link.seek_to {
        let seconds = when.unclamped(span()).since(span().start) as f64 * 1e-9;
        parts.push(format!("{seconds}"));
    }
    if let Some(layout) = &link.layout {
        parts.push(whole(layout));
    }
    if let Some((record, scene)) = &link.scene {
        parts.push(format!("{record}:{scene}"));
    }
    parts.join(" | ")
}

#[test]
fn links_are_read() {
    let plain = "https://b.s3.amazonaws.com/a/k.bag?X-Amz-Credential=K%2F2020%2Fs3&X-Amz-Security-Token=a%2Bb%3D&X-Amz-Signature=S";
    let encoded = "https%3A%2F%2Fb.s3.amazonaws.com%2Fa%2Fk.bag%3FX-Amz-Credential%3DK%252F2020%252Fs3%26X-Amz-Security-Token%3Da%252Bb%253D%26X-Amz-Signature%3DS";
    let twice = encoded.replace('%', "%25");
    for (link, wanted) in [
        // no links
        (plain.to_owned(), plain.to_owned()),
        ("drive.bag".to_owned(), "drive.bag".to_owned()),
        (
            "https://host/a.bag?time=5&title=x".to_owned(),
            "https://host/a.bag?time=5&title=x".to_owned(),
        ),
        // Webviz
        (format!("http://lb:8080?remote-bag-url={encoded}"), plain.to_owned()),
        (
            format!("https://webviz.io/app/?remote-bag-url={encoded}&seek-to=1600000003.25"),
            format!("{plain} | 3.25"),
        ),
        (
            format!("https://webviz.io/app/?seek-to=1600000003250&remote-bag-url={encoded}"),
            format!("{plain} | 3.25"),
        ),
        (
            format!("https://webviz.io/app/?remote-bag-url={encoded}&seek-to=1600000003250000"),
            format!("{plain} | 3.25"),
        ),
        (
            format!("https://webviz.io/app/?remote-bag-url={encoded}&seek-to=1600000003250000000"),
            format!("{plain} | 3.25"),
        ),
        (
            format!("https://webviz.io/app/?remote-bag-url={encoded}&seek-to=None"),
            plain.to_owned(),
        ),
        (
            format!("https://webviz.io/app/?remote-bag-url={encoded}&seek-to=null&seek-by=1500"),
            format!("{plain} | 1.5"),
        ),
        (
            format!("https://webviz.io/app/?remote-bag-url={encoded}&seek-by=-1500"),
            format!("{plain} | 98.5"),
        ),
        (
            format!("https://webviz.io/app/?remote-bag-url={encoded}&seek-fraction=0.25"),
            format!("{plain} | 25"),
        ),
        (
            format!(
                "https://webviz.io/app/?remote-bag-url={encoded}&remote-bag-url-2=https%3A%2F%2Fh%2Fb.bag&layout-url=https%3A%2F%2Fh%2Fl.json%3Fsig%3D1"
            ),
            format!("{plain} + https://h/b.bag | https://h/l.json?sig=1"),
        ),
        // not encoded, encoded twice, cut into lines by a mail program
        (format!("http://lb:8080?remote-bag-url={plain}"), plain.to_owned()),
        (
            format!("http://lb:8080?remote-bag-url={plain}&seek-to=1600000003"),
            format!("{plain} | 3"),
        ),
        (
            format!("http://lb:8080?seek-to=1600000003&remote-bag-url={plain}&title=x&layout=y"),
            format!("{plain} | 3"),
        ),
        (
            format!("http://lb:8080?remote-bag-url={twice}&seek-to=1600000003"),
            format!("{plain} | 3"),
        ),
        // its path encoded, its query not; a signature behind what the link's own tool added
        (
            "http://lb?remote-bag-url=http%3A%2F%2Fh%2Fa%2520d.bag?X-Amz-Credential=K%2F2020&X-Amz-Signature=S&seek-to=1600000003"
                .to_owned(),
            "http://h/a%20d.bag?X-Amz-Credential=K%2F2020&X-Amz-Signature=S | 3".to_owned(),
        ),
        (
            "http://lb?remote-bag-url=http%3a%2f%2fh%2fa.bag?X-Amz-Expires=1&seek-to=1600000003&X-Amz-Signature=S".to_owned(),
            "http://h/a.bag?X-Amz-Expires=1&X-Amz-Signature=S | 3".to_owned(),
        ),
        (
            "http://lb?remote-bag-url=https://h/a.bag?X-Amz-Expires=1&seek-to=1600000003&title=x&X-Amz-Signature=S".to_owned(),
            "https://h/a.bag?X-Amz-Expires=1&X-Amz-Signature=S | 3".to_owned(),
        ),
        (
            "http://lb?remote-bag-url=https%3A%2F%2Fh%2Fa.bag%3FX-Amz-Signature%3DS&utm=1".to_owned(),
            "https://h/a.bag?X-Amz-Signature=S".to_owned(),
        ),
        (
            "http://lb?remote-bag-url=https://h/a.bag&foo=1".to_owned(),
            "https://h/a.bag".to_owned(),
        ),
        // Foxglove, Lichtblick
        (
            format!("https://app.foxglove.dev/~/view?ds=remote-file&ds.url={encoded}&time=2020-09-13T12:26:43.25Z"),
            format!("{plain} | 3.25"),
        ),
        (
            format!(
                "lichtblick://open?ds=remote-file&ds.url={encoded}&ds.url=https%3A%2F%2Fh%2Fb.bag&time=2020-09-13T12%3A26%3A43Z&layoutUrl=https%3A%2F%2Fh%2Fl.json"
            ),
            format!("{plain} + https://h/b.bag | 3 | https://h/l.json"),
        ),
        (format!("foxglove://open?ds=ros1-remote-bagfile&ds.url={plain}"), plain.to_owned()),
        // this program's
        (format!("roadreel://open?url={encoded}&seek-to=%2B2.5"), format!("{plain} | 2.5")),
        (
            format!("roadreel://open/?remote-bag-url={encoded}&seek-to=50%25"),
            format!("{plain} | 50"),
        ),
        ("roadreel:open?url=https%3A%2F%2Fh%2Fa.bag".to_owned(), "https://h/a.bag".to_owned()),
        (
            "roadreel://open?record=drive_1&scene=drive_1_PersonInLane_3".to_owned(),
            " | drive_1:drive_1_PersonInLane_3".to_owned(),
        ),
        (
            "'roadreel://open?url=file%3A%2F%2F%2Fdata%2Fa%2520b.bag'".to_owned(),
            "/data/a b.bag".to_owned(),
        ),
        // what cannot be opened
        (
            "roadreel://open".to_owned(),
            "this link names no recording: it should have remote-bag-url=… or ds.url=…".to_owned(),
        ),
        (
            "roadreel://open?url=%2Fetc%2Fpasswd".to_owned(),
            "this link names something that is no https:// or s3:// location: open the recording itself".to_owned(),
        ),
        (
            "roadreel://open?url=file%3A%2F%2Fhost%2Fshare%2Fa.bag".to_owned(),
            "this link names something that is no https:// or s3:// location: open the recording itself".to_owned(),
        ),
        (
            "https://app.foxglove.dev/?ds=foxglove-websocket&ds.url=ws%3A%2F%2Flocalhost%3A8765".to_owned(),
            "a live connection is not yet read here: open a link to a recording".to_owned(),
        ),
    ] {
        assert_eq!(told(&link), wanted, "{link}");
    }
}

#[test]
fn commands_take_a_link_to_one_recording() {
    let one = Location::parse("https://webviz.io/app/?remote-bag-url=https%3A%2F%2Fh%2Fa.bag%3FSECRET&seek-to=5");
    assert_eq!(one.expect("a location").to_string(), "https://h/a.bag?…");
    let two = Location::parse("foxglove://open?ds=remote-file&ds.url=https%3A%2F%2Fh%2Fa.bag&ds.url=https%3A%2F%2Fh%2Fb.bag");
    assert_eq!(
        two.expect_err("several").to_string(),
        "this link names several recordings, and here one is read: give one of them"
    );
}

#[test]
fn a_link_shows_no_secret() {
    let link = Link::parse(
        "https://webviz.io/app/?remote-bag-url=https%3A%2F%2Fh%2Fa.bag%3FX-Amz-Signature%3DSECRET&layout-url=https%3A%2F%2Fh%2Fl%3Fsig%3DSECRET",
    );
    let shown = format!("{:?}", link.expect("a link"));
    assert!(!shown.contains("SECRET"), "{shown}");
}

#[test]
fn links_are_written_as_the_programs_write_them() {
    let url = "https://b.s3.amazonaws.com/k~1.bag?X-Amz-Signature=S".to_owned();
    let moment = Some(Time(1_600_000_003_250_000_000));
    let write = |style, base: &str| Link::write(style, base, std::slice::from_ref(&url), moment, Some("https://h/l.json"));
    let inner = "https%3A%2F%2Fb.s3.amazonaws.com%2Fk~1.bag%3FX-Amz-Signature%3DS";
    assert_eq!(
        write(LinkStyle::Webviz, "http://lb"),
        format!("http://lb?remote-bag-url={inner}&seek-to=1600000003.250000000&layout-url=https%3A%2F%2Fh%2Fl.json")
    );
    assert_eq!(
        write(LinkStyle::Foxglove, "https://app.foxglove.dev/?a=b"),
        format!(
            "https://app.foxglove.dev/?a=b&ds=remote-file&ds.url={inner}&time=2020-09-13T12%3A26%3A43.25Z&layoutUrl=https%3A%2F%2Fh%2Fl.json"
        )
    );
    assert_eq!(
        write(LinkStyle::Roadreel, ""),
        format!("roadreel://open?remote-bag-url={inner}&seek-to=1600000003.250000000&layout-url=https%3A%2F%2Fh%2Fl.json")
    );
}

proptest! {
    #[test]
    fn any_text_is_a_link_or_a_sentence(text in "(roadreel://open|https://w/)?\\?(url|remote-bag-url|ds.url|seek-to|ds|%zz)=\\PC{0,40}(&[a-z.-]{1,8}=\\PC{0,20}){0,4}") {
        let _ = told(&text);
    }

    #[test]
    fn what_is_written_is_read_again(
        names in prop::collection::vec("[a-z0-9/ äß~+%&=#]{1,20}", 1..3),
        query in "[A-Za-z0-9%&=+_-]{0,30}",
        nanos in 0..4_000_000_000_000_000_000i64,
        style in prop::sample::select(vec![LinkStyle::Webviz, LinkStyle::Foxglove, LinkStyle::Roadreel]),
    ) {
        let urls: Vec<String> = names
            .iter()
            .map(|name| {
                let mut url = url::Url::parse("https://host/").expect("a URL");
                url.set_path(name);
                url.set_query(Some(&query).filter(|q| !q.is_empty()).map(|q| &**q));
                url.to_string()
            })
            .collect();
        let text = Link::write(style, "https://base/app", &urls, Some(Time(nanos)), None);
        let link = Link::parse(&text).expect("a link");
        let read: Vec<String> = link.locations.iter().map(|l| match l { Location::Url(url) => url.to_string(), _ => String::new() }).collect();
        prop_assert_eq!(read, urls);
        // less than 11 digits of seconds, so the magnitude is not mistaken
        prop_assert_eq!(link.seek_to.map(|w| w.unclamped(span())), Some(Time(nanos)));
    }
}
