//! Options for what does not lie on this machine: who asks, where, and what renews a link that has ended.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use serde::Deserialize;

use crate::source::{AwsOptions, Net, Policy, Renewal};

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
    /// Settings file that says how ended links are renewed, instead of the platform's
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("give it as 'Name: value'")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

impl RemoteArgs {
    pub fn net(&self) -> anyhow::Result<Net> {
        let aws = AwsOptions {
            profile: self.profile.clone(),
            region: self.region.clone(),
            endpoint_url: self.endpoint_url.clone(),
            request_payer: self.request_payer,
            unsigned: self.no_sign_request,
        };
        let net = Net::new(Policy::default(), &self.headers)?;
        Ok(net.with_aws(aws).with_renewal(self.settings()?.renew))
    }

    /// The platform's file may be missing; one that was named may not.
    fn settings(&self) -> anyhow::Result<Settings> {
        match &self.config {
            Some(path) => {
                let text = std::fs::read_to_string(path).with_context(|| format!("the settings cannot be read: {}", path.display()))?;
                parse(&text, path)
            }
            None => {
                let folder = directories::ProjectDirs::from("", "", "roadreel").map(|dirs| dirs.config_dir().join("settings.json"));
                let read = folder.and_then(|path| Some((std::fs::read_to_string(&path).ok()?, path)));
                read.map_or(Ok(Settings::default()), |(text, path)| parse(&text, &path))
            }
        }
    }
}

/// What of the settings concerns the network; the window reads the rest.
#[derive(Default, Deserialize)]
struct Settings {
    renew: Option<Renewal>,
}

fn parse(text: &str, path: &Path) -> anyhow::Result<Settings> {
    serde_json::from_str(text).map_err(|error| anyhow::anyhow!("the settings are not what they should be ({error}): {}", path.display()))
}
