//! `roadreel url`: a presigned URL, or a link that opens a recording at a moment.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;

use super::{Common, output};
use crate::run::{ShareAnswer, ShareEvent, Sharing};
use crate::source::{Deployment, Link, LinkStyle, Location, without_secrets};
use crate::time::{Time, When, format_epoch};

#[derive(Args, Clone, Debug)]
pub struct UrlArgs {
    /// The recording, instead of bucket and key: an s3:// location, or any URL to make a link to
    #[arg(value_name = "LOC")]
    pub location: Option<String>,
    #[command(flatten)]
    pub place: PlaceArgs,
    /// The recording's key in the bucket
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// What kind of link; default: webviz where its address is known, else presigned
    #[arg(long, value_enum)]
    pub style: Option<Style>,
    /// The moment that the link leads to
    #[arg(long, value_name = "T", value_parser = When::parse)]
    pub seek_to: Option<When>,
    /// Layout that the link opens
    #[arg(long, value_name = "URL")]
    pub layout_url: Option<String>,
    /// Invokes this Lambda (a name or an ARN) instead of signing here
    #[arg(long, value_name = "NAME")]
    pub function_name: Option<String>,
    /// Answers this event as the Lambda does: {"key", "bucket", "seek_to", "region"} or {"record_id", "scene_id"}
    #[arg(long, value_name = "JSON", conflicts_with_all = ["location", "key", "style"])]
    pub payload: Option<String>,
}

/// Where recordings lie and how they are shared; for `url` and `serve`.
#[derive(Args, Clone, Debug)]
pub struct PlaceArgs {
    /// Bucket of the recordings
    #[arg(long, value_name = "NAME")]
    pub bucket_name: Option<String>,
    /// Bucket, region and scene table from AWS's cdk.json; comments are allowed
    #[arg(long, value_name = "FILE")]
    pub cdk_json: Option<PathBuf>,
    /// The same from a module's metadata (TargetBucketName, WebvizUrl …); - is stdin
    #[arg(long, value_name = "FILE")]
    pub config_file: Option<PathBuf>,
    /// Address of the Webviz or Foxglove that links lead to; default: $WEBVIZ_ELB_URL
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// How long URLs work: 900s, 90min, 36h, 7d
    #[arg(long, value_name = "TIME", default_value = "36h", value_parser = life)]
    pub expires: Duration,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// The URL itself
    Presigned,
    Webviz,
    /// Foxglove and Lichtblick
    Foxglove,
    /// roadreel://open?…
    Roadreel,
}

/// S3 signs for a week at most.
const LONGEST: Duration = Duration::from_secs(7 * 86_400);
const FOXGLOVE: &str = "https://app.foxglove.dev/~/view";
const WEBVIZ: &str = "https://webviz.io/app/";

fn life(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit: u64 = match unit.trim() {
        "" | "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => {
            return Err(format!(
                "“{text}” is no length of time: give seconds, or a number with s, min, h or d"
            ));
        }
    };
    let secs = number.parse::<u64>().ok().and_then(|n| n.checked_mul(unit));
    let life = secs
        .map(Duration::from_secs)
        .filter(|life| (1..=LONGEST.as_secs()).contains(&life.as_secs()));
    life.ok_or_else(|| "give 1 s to 7 d: S3 signs for a week at most".to_owned())
}

pub fn run(common: &Common, args: &UrlArgs) -> anyhow::Result<()> {
    let deployment = args.place.deployment(common)?;
    let sharing = args.place.sharing(common, &deployment)?;
    let text = match (&args.function_name, &args.payload) {
        (Some(function), Some(payload)) => sharing.io.invoke(function, payload)?,
        (None, Some(payload)) => {
            let event = serde_json::from_str(payload).context("the payload is not JSON")?;
            sharing.answer_now(&ShareEvent::of_json(&event)).to_json()
        }
        (Some(function), None) => of_function(common, args, &deployment, &sharing, function)?,
        (None, None) => {
            let (location, scene_start) = target(common, args, &deployment, &sharing)?;
            let url = match &location {
                Location::S3(address) => sharing.io.presign(address, args.place.expires)?.to_string(),
                Location::Url(url) => url.to_string(),
                Location::Path(_) => bail!("a file of this machine has no URL: name an s3:// location or an https:// URL"),
            };
            let moment = moment(common, args, &location)?.or(scene_start);
            args.spelled(&url, moment, args.place.webviz(&deployment))
        }
    };
    let mut out = output::results();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

/// The link that a Lambda makes; written anew where it is to have another style, layout or moment than it can be asked for.
fn of_function(common: &Common, args: &UrlArgs, deployment: &Deployment, sharing: &Sharing, function: &str) -> anyhow::Result<String> {
    let event = event(common, args, deployment)?;
    let text = sharing.io.invoke(function, &event)?;
    let answer = ShareAnswer::parse(&text);
    let answer = answer.with_context(|| format!("the function answered something that is no link: check its name: function {function}"))?;
    let Some(link) = answer.link() else {
        let error = without_secrets(&answer.error());
        bail!("the function answered {} ({error}): function {function}", answer.status);
    };
    let is_asked_for = matches!(args.seek_to, None | Some(When::At(_)));
    if args.style.is_none() && args.layout_url.is_none() && is_asked_for {
        return Ok(link);
    }
    let parsed = Link::parse(&link)?;
    let Some(Location::Url(url)) = parsed.locations.first() else {
        bail!("the function answered a link that names no URL: function {function}");
    };
    let moment = match (moment(common, args, &Location::Url(url.clone()))?, parsed.seek_to) {
        (None, Some(When::At(start))) => Some(start),
        (moment, _) => moment,
    };
    let page = link.split_once('?').map(|(page, _)| page.to_owned());
    Ok(args.spelled(url.as_str(), moment, args.place.base_url.clone().or(page)))
}

/// What the Lambda is asked.
fn event(common: &Common, args: &UrlArgs, deployment: &Deployment) -> anyhow::Result<String> {
    let mut event = serde_json::Map::new();
    let mut set = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            event.insert(name.to_owned(), value.into());
        }
    };
    match (&args.location, &common.scenes.record, &common.scenes.scene) {
        (None, Some(record), Some(scene)) => {
            set("record_id", Some(record.clone()));
            set("scene_id", Some(scene.clone()));
        }
        _ => {
            let Location::S3(address) = place(args, deployment)? else {
                bail!("the function signs for buckets: name an s3:// location, or --bucket-name and --key");
            };
            set("bucket", Some(address.bucket));
            set("key", Some(address.key));
        }
    }
    if let Some(When::At(time)) = args.seek_to {
        set("seek_to", Some(format_epoch(time)));
    }
    set("region", common.remote.region.clone().or_else(|| deployment.region.clone()));
    Ok(serde_json::Value::Object(event).to_string())
}

/// What is to be shared, and when it starts where it is a scene.
fn target(common: &Common, args: &UrlArgs, deployment: &Deployment, sharing: &Sharing) -> anyhow::Result<(Location, Option<Time>)> {
    if let (None, Some(record), Some(scene)) = (&args.location, &common.scenes.record, &common.scenes.scene) {
        let found = sharing.io.find_scene(&sharing.scenes, record, scene)?;
        return Ok((found.location, found.scene.start));
    }
    Ok((place(args, deployment)?, None))
}

/// As it is named by a location, or by bucket and key.
fn place(args: &UrlArgs, deployment: &Deployment) -> anyhow::Result<Location> {
    if let Some(text) = &args.location {
        return Ok(Location::parse(text)?);
    }
    let Some(key) = &args.key else {
        bail!("name what to share: --key (with --bucket-name), --record and --scene, or a location");
    };
    let Some(bucket) = args.place.bucket_name.as_ref().or(deployment.bucket_name.as_ref()) else {
        bail!("no bucket is named: give --bucket-name, or a --cdk-json or --config-file that names one");
    };
    Ok(Location::parse(&format!("s3://{bucket}/{key}"))?)
}

/// A part of a recording, or seconds from its start: its index tells when that is.
fn moment(common: &Common, args: &UrlArgs, location: &Location) -> anyhow::Result<Option<Time>> {
    match args.seek_to {
        None => Ok(None),
        Some(When::At(time)) => Ok(Some(time)),
        Some(when) => {
            let recording = crate::run::Recording::open(&common.io()?, location.clone(), |_, _| {})?;
            Ok(Some(when.at(super::open::span(&recording))))
        }
    }
}

impl UrlArgs {
    /// `webviz` is the address that links lead to, where it is known.
    fn spelled(&self, url: &str, moment: Option<Time>, webviz: Option<String>) -> String {
        let link = |style, base: &str| Link::write(style, base, &[url.to_owned()], moment, self.layout_url.as_deref());
        match (self.style, &webviz) {
            (Some(Style::Presigned), _) | (None, None) => url.to_owned(),
            (Some(Style::Webviz) | None, _) => link(LinkStyle::Webviz, webviz.as_deref().unwrap_or(WEBVIZ)),
            (Some(Style::Foxglove), _) => link(LinkStyle::Foxglove, self.place.base_url.as_deref().unwrap_or(FOXGLOVE)),
            (Some(Style::Roadreel), _) => link(LinkStyle::Roadreel, ""),
        }
    }
}

impl PlaceArgs {
    /// The files in the order in which they are named here, then the environment, then the settings.
    pub fn deployment(&self, common: &Common) -> anyhow::Result<Deployment> {
        let mut deployment = Deployment::default();
        for path in [&self.cdk_json, &self.config_file].into_iter().flatten() {
            let mut text = String::new();
            match path.as_os_str() == "-" {
                true => std::io::stdin().read_to_string(&mut text),
                false => std::fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text)),
            }
            .with_context(|| format!("cannot be read: {}", path.display()))?;
            let read = Deployment::parse(&text).map_err(|error| anyhow::anyhow!("{error}: {}", path.display()))?;
            deployment = deployment.or(read);
        }
        let environment = Deployment {
            webviz_url: std::env::var("WEBVIZ_ELB_URL").ok().filter(|url| !url.is_empty()),
            ..Deployment::default()
        };
        Ok(deployment.or(environment).or(common.remote.deployment()?))
    }

    fn webviz(&self, deployment: &Deployment) -> Option<String> {
        self.base_url.clone().or_else(|| deployment.webviz_url.clone())
    }

    pub fn sharing(&self, common: &Common, deployment: &Deployment) -> anyhow::Result<Sharing> {
        Ok(Sharing {
            io: common.io_in(deployment.region.as_deref())?,
            scenes: common.scenes.table(deployment),
            webviz_url: self.webviz(deployment).unwrap_or_else(|| WEBVIZ.to_owned()),
            life: self.expires,
        })
    }
}
