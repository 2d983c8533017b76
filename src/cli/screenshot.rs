//! `roadreel screenshot`: draws the window offscreen.

use super::{Common, ScreenshotArgs};

pub fn run(_common: &Common, _args: &ScreenshotArgs) -> anyhow::Result<()> {
    anyhow::bail!("this build has no window: build it with the feature `gui`")
}
