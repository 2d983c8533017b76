//! Links to a moment of a recording, as Webviz, Foxglove, Lichtblick and this program write them, read and written.
//!
//! A URL inside a link should be percent-encoded; people paste it as it is. Then its `&` spills its query into the link's own,
//! and what follows is told apart by name: parameters that no link knows belong to the URL before them.
//!
//! Invariants: a link names recordings by `http(s)://`, `s3://`, `arn:` or `file:///` only: a web page must not make this
//! program touch other hosts' files; reading a link asks nobody.

use super::location::{percent_decoded, unquoted};
use super::{Location, LocationError};
use crate::time::{Time, When, format_epoch, rfc3339};

/// What a link, or a plain location, asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Empty only where a scene is named instead.
    pub locations: Vec<Location>,
    pub seek_to: Option<When>,
    pub layout: Option<Location>,
    /// Record and scene, to be looked up.
    pub scene: Option<(String, String)>,
}

/// How a link is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkStyle {
    Webviz,
    Foxglove,
    Roadreel,
}

/// What a parameter of a link means.
#[derive(Clone, Copy, PartialEq)]
enum Key {
    Recording,
    Layout,
    Kind,
    SeekTo,
    SeekBy,
    SeekFraction,
    Record,
    Scene,
    /// Known, and of no use here.
    Other,
}

/// The names are the programs' own; the first two groups are told apart from a plain URL by them.
const KEYS: &[(&str, Key)] = &[
    ("remote-bag-url", Key::Recording),
    ("remote-bag-url-2", Key::Recording),
    ("ds.url", Key::Recording),
    ("seek-to", Key::SeekTo),
    ("seek-by", Key::SeekBy),
    ("seek-fraction", Key::SeekFraction),
    ("time", Key::SeekTo),
    ("layout-url", Key::Layout),
    ("layoutUrl", Key::Layout),
    ("ds", Key::Kind),
    ("layout", Key::Other),
    ("layoutId", Key::Other),
    ("patch", Key::Other),
    ("title", Key::Other),
    ("demo", Key::Other),
    ("global-variables", Key::Other),
    ("global-data", Key::Other),
    ("frameless", Key::Other),
    ("no-workers", Key::Other),
    ("sessionid", Key::Other),
    ("openIn", Key::Other),
    ("rosbridge-websocket-url", Key::Other),
];

/// Only in this program's own links: any URL may have parameters of these names.
const OWN_KEYS: &[(&str, Key)] = &[("url", Key::Recording), ("record", Key::Record), ("scene", Key::Scene)];

impl Link {
    /// Reads a link of any of these programs, or a plain location.
    pub fn parse(text: &str) -> Result<Link, LocationError> {
        let text = unquoted(text);
        let (address, query) = text.split_once('?').unwrap_or((text, ""));
        let scheme = address.split_once(':').map(|(s, _)| s.to_ascii_lowercase()).unwrap_or_default();
        let is_own = scheme == "roadreel";
        let is_app = is_own || matches!(&*scheme, "foxglove" | "lichtblick");
        let is_web = matches!(&*scheme, "http" | "https");
        let query = query.split_once('#').map_or(query, |(query, _)| query);
        let fields = fields(query, is_own);
        let names_recording = fields.iter().any(|(key, _)| *key == Key::Recording);
        if !(is_app || is_web && names_recording) {
            return Ok(Link {
                locations: vec![Location::plain(text)?],
                ..Link::default()
            });
        }
        Link::of_fields(&fields)
    }

    fn of_fields(fields: &[(Key, String)]) -> Result<Link, LocationError> {
        let first = |wanted: Key| fields.iter().find(|(key, _)| *key == wanted).map(|(_, value)| &**value);
        if let Some(kind) = first(Key::Kind)
            && (kind.contains("socket") || kind.contains("device"))
        {
            return Err(LocationError::NotYet {
                kind: "a live connection",
                instead: "open a link to a recording",
            });
        }
        let recordings = fields.iter().filter(|(key, _)| *key == Key::Recording);
        let locations = recordings.map(|(_, value)| inner(value)).collect::<Result<Vec<_>, _>>()?;
        let scene = first(Key::Record).zip(first(Key::Scene));
        if locations.is_empty() && scene.is_none() {
            return Err(LocationError::NoRecording);
        }
        let seek_to = None
            .or_else(|| When::parse(first(Key::SeekTo)?).ok())
            .or_else(|| by_millis(first(Key::SeekBy)?))
            .or_else(|| by_fraction(first(Key::SeekFraction)?));
        Ok(Link {
            locations,
            seek_to,
            layout: first(Key::Layout).map(inner).transpose()?,
            scene: scene.map(|(record, scene)| (record.to_owned(), scene.to_owned())),
        })
    }

    /// Writes a link. `base` is the address of the other program's page; this program's own links have none.
    ///
    /// The result holds the recordings' URLs with their signatures: it is for the person who asked for it, and nobody else.
    pub fn write(style: LinkStyle, base: &str, recordings: &[String], moment: Option<Time>, layout_url: Option<&str>) -> String {
        let base = match style {
            LinkStyle::Roadreel => "roadreel://open",
            _ => base,
        };
        let mut link = Writing {
            separator: if base.contains('?') { '&' } else { '?' },
            text: base.to_owned(),
        };
        match style {
            LinkStyle::Webviz | LinkStyle::Roadreel => {
                for (at, url) in recordings.iter().enumerate() {
                    let second = if at > 0 && style == LinkStyle::Webviz { "-2" } else { "" };
                    link.add(&format!("remote-bag-url{second}"), url);
                }
                if let Some(t) = moment {
                    // without a point Webviz takes milliseconds
                    link.add("seek-to", &format_epoch(t));
                }
            }
            LinkStyle::Foxglove => {
                link.add("ds", "remote-file");
                recordings.iter().for_each(|url| link.add("ds.url", url));
                if let Some(t) = moment {
                    link.add("time", &rfc3339(t));
                }
            }
        }
        if let Some(url) = layout_url {
            link.add(if style == LinkStyle::Foxglove { "layoutUrl" } else { "layout-url" }, url);
        }
        link.text
    }
}

struct Writing {
    separator: char,
    text: String,
}

impl Writing {
    fn add(&mut self, key: &str, value: &str) {
        self.text.push(std::mem::replace(&mut self.separator, '&'));
        self.text.push_str(key);
        self.text.push('=');
        self.text.push_str(&encoded(value));
    }
}

/// Percent-encoded as in a form: letters, digits and `_.-~` stay, a space becomes `+`.
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// The parameters that mean something, with decoded values; what spilled out of a URL is put back.
fn fields(query: &str, is_own: bool) -> Vec<(Key, String)> {
    let mut raw: Vec<(Key, String)> = Vec::new();
    for field in query.split('&').filter(|f| !f.is_empty()) {
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        let name = decoded(name);
        let known = KEYS
            .iter()
            .chain(if is_own { OWN_KEYS } else { &[] })
            .find(|(known, _)| *known == name);
        if let Some((_, key)) = known {
            raw.push((*key, value.to_owned()));
            continue;
        }
        // a signature's parameters, spilled, be it behind what the link's own tool has added
        let mut urls = raw.iter_mut().rev().filter(|(key, _)| matches!(key, Key::Recording | Key::Layout));
        if let Some((_, url)) = urls.next().filter(|(_, url)| url.contains('?')) {
            url.push('&');
            url.push_str(field);
        }
    }
    let decode = |(key, value): (Key, String)| match key {
        Key::Recording | Key::Layout => (key, inner_url(&value)),
        _ => (key, decoded(&value)),
    };
    raw.into_iter().map(decode).collect()
}

/// A URL in a link: encoded, put there as it is, or its path encoded and its query as it is.
fn inner_url(value: &str) -> String {
    match value.split_once('?') {
        _ if is_bare(value) => value.to_owned(),
        Some((address, query)) => format!("{}?{query}", fully_decoded(address)),
        None => fully_decoded(value),
    }
}

/// A URL that was put into the link without being encoded.
fn is_bare(value: &str) -> bool {
    value.contains("://") && (value.contains('?') || !value.to_ascii_lowercase().contains("%3f"))
}

/// Tools that encode twice are common enough.
fn fully_decoded(value: &str) -> String {
    let mut text = decoded(value);
    for _ in 0..2 {
        let lower = text.to_ascii_lowercase();
        if text.contains("://") || !(lower.contains("%3a%2f%2f") || lower.contains("%3a//")) {
            break;
        }
        text = decoded(&text);
    }
    text
}

/// One pass of form decoding.
fn decoded(text: &str) -> String {
    percent_decoded(&text.replace('+', " "))
}

fn inner(value: &str) -> Result<Location, LocationError> {
    let lower = value.trim().to_ascii_lowercase();
    let allowed = ["http://", "https://", "s3://", "arn:", "file:///"];
    match allowed.iter().any(|scheme| lower.starts_with(scheme)) {
        true => Location::plain(value),
        false => Err(LocationError::InLink),
    }
}

/// Milliseconds from the start; negative ones from the end.
fn by_millis(text: &str) -> Option<When> {
    let (negative, digits) = text.trim().strip_prefix('-').map_or((false, text.trim()), |rest| (true, rest));
    let Ok(When::FromStart(nanos)) = When::parse(&format!("+{digits}ms")) else {
        return None;
    };
    Some(if negative { When::FromEnd(nanos) } else { When::FromStart(nanos) })
}

/// 0 to 1.
fn by_fraction(text: &str) -> Option<When> {
    let fraction: f64 = text.trim().parse().ok().filter(|f| (0.0..=1.0).contains(f))?;
    Some(When::Fraction((fraction * 1e9).round() as i64))
}
