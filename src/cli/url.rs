//! `roadreel url`: a presigned URL, or a link that opens a recording at a moment.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;

use super::{Common, output};
use crate::run::{ShareEvent, Sharing};
use crate::source::{Deployment, Link, LinkStyle, Location};
use crate::time::{Time, When};

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
    let mut out = output::results();
    if let Some(payload) = &args.payload {
        let event = serde_json::from_str(payload).context("the payload is not JSON")?;
        let answer = sharing.answer_now(&ShareEvent::of_json(&event));
        writeln!(out, "{}", answer.to_json())?;
        return Ok(out.flush()?);
    }
    let (location, scene_start) = target(common, args, &deployment, &sharing)?;
    let url = match &location {
        Location::S3(address) => sharing.io.presign(address, args.place.expires)?.to_string(),
        Location::Url(url) => url.to_string(),
        Location::Path(_) => bail!("a file of this machine has no URL: name an s3:// location or an https:// URL"),
    };
    let moment = match args.seek_to {
        Some(When::At(time)) => Some(time),
        Some(when) => Some(moment_of(common, &location, when)?),
        None => scene_start,
    };
    let base = args.place.webviz(&deployment);
    let style = args.style.unwrap_or(if base.is_some() { Style::Webviz } else { Style::Presigned });
    let link = |style, base: &str| Link::write(style, base, std::slice::from_ref(&url), moment, args.layout_url.as_deref());
    let text = match style {
        Style::Presigned => url.clone(),
        Style::Webviz => link(LinkStyle::Webviz, base.as_deref().unwrap_or(WEBVIZ)),
        Style::Foxglove => link(LinkStyle::Foxglove, args.place.base_url.as_deref().unwrap_or(FOXGLOVE)),
        Style::Roadreel => link(LinkStyle::Roadreel, ""),
    };
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

/// What is to be shared, and when it starts where it is a scene.
fn target(common: &Common, args: &UrlArgs, deployment: &Deployment, sharing: &Sharing) -> anyhow::Result<(Location, Option<Time>)> {
    if let Some(text) = &args.location {
        return Ok((Location::parse(text)?, None));
    }
    if let (Some(record), Some(scene)) = (&common.scenes.record, &common.scenes.scene) {
        let found = sharing.io.find_scene(&sharing.scenes, record, scene)?;
        return Ok((found.location, found.scene.start));
    }
    let Some(key) = &args.key else {
        bail!("name what to share: --key (with --bucket-name), --record and --scene, or a location");
    };
    let Some(bucket) = args.place.bucket_name.as_ref().or(deployment.bucket_name.as_ref()) else {
        bail!("no bucket is named: give --bucket-name, or a --cdk-json or --config-file that names one");
    };
    Ok((Location::parse(&format!("s3://{bucket}/{key}"))?, None))
}

/// A part of a recording, or seconds from its start: its index tells when that is.
fn moment_of(common: &Common, location: &Location, when: When) -> anyhow::Result<Time> {
    let recording = crate::run::Recording::open(&common.io()?, location.clone(), |_, _| {})?;
    Ok(when.at(super::open::span(&recording)))
}

impl PlaceArgs {
    /// Options first, then the files in the order in which they are named here.
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
        Ok(deployment.or(common.remote.deployment()?))
    }

    fn webviz(&self, deployment: &Deployment) -> Option<String> {
        let environment = || std::env::var("WEBVIZ_ELB_URL").ok().filter(|url| !url.is_empty());
        self.base_url.clone().or_else(environment).or_else(|| deployment.webviz_url.clone())
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
