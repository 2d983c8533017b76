//! Options for what does not lie on this machine: who asks, where, and what renews a link that has ended.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use serde::Deserialize;

use crate::source::{AwsOptions, Deployment, Net, Policy, Renewal};

#[derive(Args, Clone, Debug, Default)]
pub struct RemoteArgs {
    /// Sent with every request, like 'Authorization: Bearer …'
    #[arg(long = "header", global = true, value_name = "K: V", value_parser = header)]
    pub headers: Vec<(String, String)>,
    /// AWS profile; goes before keys in the environment
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// AWS region; without one, buckets tell theirs
    #[arg(long, global = true, value_name = "REGION")]
    pub region: Option<String>,
    /// Where an S3-compatible store answers
    #[arg(long, global = true, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// Pay for what is read of “requester pays” buckets
    #[arg(long, global = true)]
    pub request_payer: bool,
    /// Read public buckets without credentials
    #[arg(long, global = true)]
    pub no_sign_request: bool,
    /// Settings file instead of the platform's: how ended links are renewed; region, bucket and scene table as in AWS's cdk.json
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("give it as 'Name: value'")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

impl RemoteArgs {
    /// `region` counts where no option names one.
    pub fn net_in(&self, region: Option<&str>) -> anyhow::Result<Net> {
        let aws = AwsOptions {
            profile: self.profile.clone(),
            region: self.region.clone().or(region.map(str::to_owned)),
            endpoint_url: self.endpoint_url.clone(),
            request_payer: self.request_payer,
            unsigned: self.no_sign_request,
        };
        let net = Net::new(Policy::default(), &self.headers)?;
        Ok(net.with_aws(aws).with_renewal(self.settings()?.renew))
    }

    fn settings(&self) -> anyhow::Result<Settings> {
        self.read_settings(crate::source::from_json_with_comments)
    }

    /// What the same file says of buckets and scenes.
    pub fn deployment(&self) -> anyhow::Result<Deployment> {
        self.read_settings(Deployment::parse)
    }

    /// The platform's file may be missing; one that was named may not.
    fn read_settings<T: Default>(&self, parse: impl Fn(&str) -> Result<T, String>) -> anyhow::Result<T> {
        let wrong = |error: String, path: &Path| anyhow::anyhow!("the settings are not what they should be ({error}): {}", path.display());
        match &self.config {
            Some(path) => {
                let text = std::fs::read_to_string(path).with_context(|| format!("the settings cannot be read: {}", path.display()))?;
                parse(&text).map_err(|error| wrong(error, path))
            }
            None => {
                let folder = directories::ProjectDirs::from("", "", "roadreel").map(|dirs| dirs.config_dir().join("settings.json"));
                let read = folder.and_then(|path| Some((std::fs::read_to_string(&path).ok()?, path)));
                read.map_or(Ok(T::default()), |(text, path)| parse(&text).map_err(|error| wrong(error, &path)))
            }
        }
    }
}

/// What of the settings concerns the network; the window reads the rest.
#[derive(Default, Deserialize)]
struct Settings {
    renew: Option<Renewal>,
}
