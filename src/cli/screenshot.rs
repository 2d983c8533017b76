//! `roadreel screenshot`: draws the window offscreen.

use super::{Common, ScreenshotArgs};

#[cfg(feature = "gui")]
pub fn run(common: &Common, args: &ScreenshotArgs) -> anyhow::Result<()> {
    use anyhow::Context as _;

    use super::{Theme, Wait, window};
    use crate::app::offscreen;

    let started = std::time::Instant::now();
    let mut start = window::start(common, &args.locations, args.layout.as_deref(), None)?;
    start.seek_to = args.seek_to;
    let options = offscreen::Options {
        size: args.size,
        scale: args.scale,
        wait_all: args.wait == Wait::All,
        light: args.theme == Theme::Light,
        started,
    };
    let in_vain = || format!("the picture cannot be written: {}", args.output.display());
    let file = std::fs::File::create(&args.output).with_context(in_vain)?;
    let mut png = std::io::BufWriter::with_capacity(1 << 18, file);
    let stats = match offscreen::draw(start, window::executors(common)?, &options, &mut png) {
        Ok(stats) => stats,
        Err(message) => {
            drop(png);
            // no half a picture stays behind
            let _ = std::fs::remove_file(&args.output);
            anyhow::bail!(message);
        }
    };
    std::io::Write::flush(&mut png).with_context(in_vain)?;
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
