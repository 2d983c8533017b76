//! `roadreel screenshot`: draws the window offscreen.

use super::{Common, ScreenshotArgs};

#[cfg(feature = "gui")]
pub fn run(common: &Common, args: &ScreenshotArgs) -> anyhow::Result<()> {
    use std::fs::File;
    use std::io::BufWriter;

    use anyhow::Context as _;

    use super::{Theme, Wait, output, window};
    use crate::app::offscreen;

    let started = std::time::Instant::now();
    let mut start = window::start(common, &args.locations, args.layout.as_deref(), None)?;
    start.seek_to = args.seek_to.or(start.seek_to);
    let io = common.io()?;
    if let Some(location) = start.layout_link.take() {
        let text = io.fetch_text_now(location, crate::run::LARGEST_TEXT).map_err(anyhow::Error::msg)?;
        start.layout = Some(crate::layout::open(&text).context("the link's layout cannot be opened")?.layout);
    }
    let options = offscreen::Options {
        size: args.size,
        scale: args.scale,
        wait_all: args.wait == Wait::All,
        light: args.theme == Theme::Light,
        started,
    };
    let draw = |png: &mut BufWriter<File>| offscreen::draw(start, window::executors(io), &options, png).map_err(anyhow::Error::msg);
    let written = output::whole_file(&args.output, draw);
    let stats = written.map_err(|error| match error.is::<std::io::Error>() {
        true => error.context(format!("the picture cannot be written: {}", args.output.display())),
        false => error,
    })?;
    if let Some(path) = &args.stats {
        let text = serde_json::to_string(&stats)?;
        std::fs::write(path, text + "\n").with_context(|| format!("the figures cannot be written: {}", path.display()))?;
    }
    Ok(())
}

#[cfg(not(feature = "gui"))]
pub fn run(_common: &Common, _args: &ScreenshotArgs) -> anyhow::Result<()> {
    anyhow::bail!("this build has no window: build it with the feature `gui`")
}
