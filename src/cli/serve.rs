//! `roadreel serve`: answers over HTTP what `roadreel url --payload` prints.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use clap::Args;

use super::Common;
use super::url::PlaceArgs;

#[derive(Args, Clone, Debug)]
pub struct ServeArgs {
    /// Address and port; port 0 takes any
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8321")]
    pub listen: SocketAddr,
    /// Who asks has to send it: Authorization: Bearer …; default: $ROADREEL_TOKEN. Without one only this machine may ask
    #[arg(long, value_name = "TOKEN")]
    pub token: Option<String>,
    #[command(flatten)]
    pub place: PlaceArgs,
}

pub fn run(common: &Common, args: &ServeArgs) -> anyhow::Result<()> {
    let environment = || std::env::var("ROADREEL_TOKEN").ok();
    let token = args.token.clone().or_else(environment).filter(|token| !token.is_empty());
    if token.is_none() && !args.listen.ip().is_loopback() {
        bail!(
            "whoever reaches {} could have URLs signed: give a --token, or listen on 127.0.0.1",
            args.listen
        );
    }
    let deployment = args.place.deployment(common)?;
    let sharing = args.place.sharing(common, &deployment)?;
    let listening = |address| eprintln!("listening on http://{address}/get-url");
    crate::run::serve(sharing, args.listen, token, listening).with_context(|| format!("cannot listen: {}", args.listen))
}
