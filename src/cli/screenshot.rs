//! `roadreel screenshot`: draws the window offscreen, at one moment or at many.

use super::{Common, ScreenshotArgs};

#[cfg(feature = "gui")]
pub fn run(common: &Common, args: &ScreenshotArgs) -> anyhow::Result<()> {
    use anyhow::Context as _;

    use super::{Theme, Wait, film, window};
    use crate::app::offscreen::{Options, Screen};

    let started = std::time::Instant::now();
    let mut start = window::start(common, &args.locations, args.layout.as_deref(), None)?;
    start.seek_to = args.seek_to.or(start.seek_to);
    let io = common.io()?;
    if let Some(location) = start.layout_link.take() {
        let text = io.fetch_text_now(location, crate::run::LARGEST_TEXT).map_err(anyhow::Error::msg)?;
        start.layout = Some(crate::layout::open(&text).context("the link's layout cannot be opened")?.layout);
    }
    let options = Options {
        size: args.size,
        scale: args.scale,
        wait_all: args.wait == Wait::All,
        light: args.theme == Theme::Light,
        is_film: film::is_wanted(args),
        started,
    };
    let open = || Screen::open(start, window::executors(io), options).map_err(anyhow::Error::msg);
    let screen = match options.is_film {
        true => film::draw(args, options.pixels(), open)?,
        false => picture(args, open)?,
    };
    if let Some(path) = &args.stats {
        let text = serde_json::to_string(&screen.stats())?;
        std::fs::write(path, text + "\n").with_context(|| format!("the figures cannot be written: {}", path.display()))?;
    }
    Ok(())
}

#[cfg(feature = "gui")]
pub type Opened = anyhow::Result<crate::app::offscreen::Screen>;

#[cfg(feature = "gui")]
fn picture(args: &ScreenshotArgs, open: impl FnOnce() -> Opened) -> Opened {
    let written = super::output::whole_file(&args.output, |png| {
        let mut screen = open()?;
        screen.draw(|frame| frame.write_png(png)).map_err(anyhow::Error::msg)?;
        Ok(screen)
    });
    written.map_err(|error| match error.is::<std::io::Error>() {
        true => error.context(format!("the picture cannot be written: {}", args.output.display())),
        false => error,
    })
}

#[cfg(not(feature = "gui"))]
pub fn run(_common: &Common, _args: &ScreenshotArgs) -> anyhow::Result<()> {
    anyhow::bail!("this build has no window: build it with the feature `gui`")
}
