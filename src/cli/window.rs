//! `roadreel [LOC…]`: opens the window.

use super::{Common, WindowArgs};

#[cfg(feature = "gui")]
pub fn run(common: &Common, args: &WindowArgs) -> anyhow::Result<()> {
    let folders = crate::app::settings::Folders::of_platform();
    let mut start = start(common, &args.locations, args.layout.as_deref(), folders)?;
    start.seek_to = args.seek_to.or(start.seek_to);
    start.asks = true;
    crate::app::window::open(start, executors(common.io()?)).map_err(anyhow::Error::msg)
}

/// Opens the demo drive, which is written while it is looked at.
#[cfg(feature = "gui")]
pub fn run_demo(common: &Common, options: crate::demo::Options) -> anyhow::Result<()> {
    let folders = crate::app::settings::Folders::of_platform();
    let mut start = start(common, &[], None, folders)?;
    start.demo = Some(options);
    crate::app::window::open(start, executors(common.io()?)).map_err(anyhow::Error::msg)
}

#[cfg(not(feature = "gui"))]
pub fn run_demo(_common: &Common, _options: crate::demo::Options) -> anyhow::Result<()> {
    run(_common, &WindowArgs::default())
}

#[cfg(not(feature = "gui"))]
pub fn run(_common: &Common, _args: &WindowArgs) -> anyhow::Result<()> {
    anyhow::bail!("this build has no window: build it with the feature `gui`")
}

/// Locations and layout as they were given on the command line.
#[cfg(feature = "gui")]
pub fn start(
    common: &Common,
    locations: &[String],
    layout: Option<&str>,
    folders: Option<crate::app::settings::Folders>,
) -> anyhow::Result<crate::app::Start> {
    use crate::app::{Start, settings};
    use crate::layout::{self, Dialect};
    use crate::source::Location;

    let links = super::scenes::links(common, locations)?;
    let mut start = Start {
        seek_to: links.iter().find_map(|link| link.seek_to),
        layout_link: links.iter().find_map(|link| link.layout.clone()).filter(|_| layout.is_none()),
        scenes: super::scenes::named_table(common, &links)?,
        records: links
            .iter()
            .filter_map(|link| Some((link.locations.first()?.clone(), link.scene.clone()?.0)))
            .collect(),
        locations: links.into_iter().flat_map(|link| link.locations).collect(),
        memory_budget: common.memory.map(|_| common.memory_of_store()),
        ..Start::default()
    };
    let remote = layout.map(Location::parse).transpose()?.filter(Location::is_remote);
    if let Some(location) = remote {
        start.layout_link = Some(location);
    } else if let Some(name) = layout {
        let (text, path) = settings::find_layout(name, folders.as_ref()).map_err(anyhow::Error::msg)?;
        let opened = layout::open(&text).map_err(|e| anyhow::anyhow!("{e}: {name}"))?;
        start.layout = Some(opened.layout);
        start.layout_report = Some(opened.report).filter(|report| report.dialect != Dialect::Roadreel);
        (start.layout_path, start.layout_text) = (path, Some(text));
    }
    start.folders = folders;
    Ok(start)
}

/// Executors over one network stack.
#[cfg(feature = "gui")]
pub fn executors(io: crate::run::Io) -> crate::app::MakeExecutor {
    std::sync::Arc::new(move |waker| crate::run::Executor::with(io.clone(), move || waker()))
}
