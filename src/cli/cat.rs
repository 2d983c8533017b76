//! `roadreel cat`.

use super::{CatArgs, Common};

pub fn run(_common: &Common, _args: &CatArgs) -> anyhow::Result<()> {
    anyhow::bail!("not built")
}
