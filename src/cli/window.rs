//! `roadreel [LOC…]`: opens the window.

use super::{Common, WindowArgs};

#[cfg(feature = "gui")]
pub fn run(_common: &Common, _args: &WindowArgs) -> anyhow::Result<()> {
    anyhow::bail!("the window cannot be opened yet")
}

#[cfg(not(feature = "gui"))]
pub fn run(_common: &Common, _args: &WindowArgs) -> anyhow::Result<()> {
    anyhow::bail!("this build has no window: build it with the feature `gui`")
}
