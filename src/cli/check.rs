//! `roadreel check`.

use super::{CheckArgs, Common, Outcome};

pub fn run(_common: &Common, _args: &CheckArgs) -> anyhow::Result<Outcome> {
    anyhow::bail!("not built")
}
