//! `roadreel [LOC…]`: opens the window.

use super::{Common, WindowArgs};

#[cfg(feature = "gui")]
pub fn run(common: &Common, args: &WindowArgs) -> anyhow::Result<()> {
    let folders = crate::app::settings::Folders::of_platform();
    let mut start = start(common, &args.locations, args.layout.as_deref(), folders)?;
    start.seek_to = args.seek_to;
    crate::app::window::open(start, executors(common)?).map_err(anyhow::Error::msg)
}

/// Opens the demo drive, which is written while it is looked at.
#[cfg(feature = "gui")]
pub fn run_demo(common: &Common, options: crate::demo::Options) -> anyhow::Result<()> {
    let folders = crate::app::settings::Folders::of_platform();
    let mut start = start(common, &[], None, folders)?;
    start.demo = Some(options);
    crate::app::window::open(start, executors(common)?).map_err(anyhow::Error::msg)
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
    use crate::source::Location;
    use crate::workspace::Layout;

    let locations = locations.iter().map(|text| Location::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let mut start = Start {
        locations,
        memory_budget: common.memory.map(|size| size.0),
        ..Start::default()
    };
    if let Some(name) = layout {
        let (text, path) = settings::find_layout(name, folders.as_ref()).map_err(anyhow::Error::msg)?;
        start.layout = Some(Layout::parse(&text).map_err(|e| anyhow::anyhow!("{e}: {name}"))?);
        start.layout_path = path;
    }
    start.folders = folders;
    Ok(start)
}

/// Executors over one network stack.
#[cfg(feature = "gui")]
pub fn executors(common: &Common) -> anyhow::Result<crate::app::MakeExecutor> {
    let io = crate::run::Io::new(crate::source::Policy::default(), &common.headers)?;
    Ok(std::sync::Arc::new(move |waker| {
        crate::run::Executor::with(io.clone(), move || waker())
    }))
}
