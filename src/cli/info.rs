//! `roadreel info`.

use super::{Common, InfoArgs};

pub fn run(_common: &Common, _args: &InfoArgs) -> anyhow::Result<()> {
    anyhow::bail!("not built")
}
