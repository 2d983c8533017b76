//! The options that name a scene, the table in which it is looked up, and `roadreel scenes`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::{Common, output};
use crate::lake::Style;
use crate::scenes;
use crate::source::{Deployment, Link, Location, SceneTable, record_of};
use crate::time::{Time, When, format_utc};

#[derive(Args, Clone, Debug, Default)]
pub struct SceneArgs {
    /// A scene by id instead of a LOC: the recording's name, with --scene
    #[arg(long, global = true, value_name = "R", requires = "scene")]
    pub record: Option<String>,
    /// The scene's id, with --record
    #[arg(long, global = true, value_name = "S", requires = "record")]
    pub scene: Option<String>,
    /// DynamoDB table of scenes; default: $SCENE_DB_TABLE
    #[arg(long, global = true, value_name = "NAME")]
    pub scene_table: Option<String>,
    /// Region of that table; default: $SCENE_DB_REGION
    #[arg(long, global = true, value_name = "REGION")]
    pub scene_region: Option<String>,
    /// Its partition key, the recording's name; default: $SCENE_DB_PARTITION_KEY, bag_file
    #[arg(long, global = true, value_name = "NAME")]
    pub partition_key: Option<String>,
    /// Its sort key, the scene's id; default: $SCENE_DB_SORT_KEY, scene_id
    #[arg(long, global = true, value_name = "NAME")]
    pub sort_key: Option<String>,
}

impl SceneArgs {
    /// The table: options first, then the environment, then the deployment, then the names that AWS's solution uses.
    pub fn table(&self, deployment: &Deployment) -> SceneTable {
        let told = deployment.scenes.clone().unwrap_or_default();
        let pick = |option: &Option<String>, variable| option.clone().or_else(|| environment(variable));
        SceneTable {
            table_name: pick(&self.scene_table, "SCENE_DB_TABLE").unwrap_or(told.table_name),
            region: pick(&self.scene_region, "SCENE_DB_REGION").or(told.region),
            partition_key: pick(&self.partition_key, "SCENE_DB_PARTITION_KEY").unwrap_or(told.partition_key),
            sort_key: pick(&self.sort_key, "SCENE_DB_SORT_KEY").unwrap_or(told.sort_key),
        }
    }
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The table where somebody has named one, or a scene in it: nobody else's is asked.
#[cfg(feature = "gui")]
pub fn named_table(common: &Common, links: &[Link]) -> anyhow::Result<Option<SceneTable>> {
    let deployment = common.remote.deployment()?;
    let by_scene = links.iter().any(|link| link.scene.is_some());
    let is_named =
        by_scene || common.scenes.scene_table.is_some() || environment("SCENE_DB_TABLE").is_some() || deployment.scenes.is_some();
    Ok(is_named.then(|| common.scenes.table(&deployment)))
}

/// The locations and links of a command line; a scene instead of them, or in a link, is looked up.
pub fn links(common: &Common, texts: &[String]) -> anyhow::Result<Vec<Link>> {
    let mut links = texts.iter().map(|text| Link::parse(text)).collect::<Result<Vec<_>, _>>()?;
    if links.is_empty()
        && let Some(scene) = common.scenes.record.clone().zip(common.scenes.scene.clone())
    {
        links.push(Link {
            scene: Some(scene),
            ..Link::default()
        });
    }
    for link in links.iter_mut().filter(|link| link.locations.is_empty()) {
        let Some((record, scene)) = &link.scene else { continue };
        let deployment = common.remote.deployment()?;
        let io = common.io_in(deployment.region.as_deref())?;
        let found = io.find_scene(&common.scenes.table(&deployment), record, scene)?;
        link.seek_to = link.seek_to.or(found.scene.start.map(When::At));
        link.locations = vec![found.location];
    }
    Ok(links)
}

#[derive(Args, Clone, Debug)]
pub struct ScenesCommand {
    /// The recording's name, as the table in DynamoDB has it, or its location; or a table of scenes itself: Parquet, CSV, JSON Lines, an
    /// export of DynamoDB, a folder or prefix of them
    #[arg(value_name = "RECORD|LOC")]
    pub of: String,
    /// One JSON array
    #[arg(long)]
    pub json: bool,
    /// Write them there instead, as AWS's tools read them: .parquet, .csv, .json or .arrow
    #[arg(short, long, value_name = "FILE", conflicts_with = "json")]
    pub output: Option<PathBuf>,
}

/// A table, or None where scenes are asked for by the name of their recording.
fn table_at(of: &str) -> anyhow::Result<Option<Location>> {
    let is_spelled_out = of.contains([':', '/', '\\']) || Style::of(of).is_some() || std::path::Path::new(of).exists();
    if !is_spelled_out {
        return Ok(None);
    }
    let location = Location::parse(of)?;
    let name = location.name();
    Ok((record_of(&name) == name).then_some(location))
}

/// How they are written, where they are.
pub fn style(args: &ScenesCommand) -> anyhow::Result<Option<Style>> {
    let Some(path) = &args.output else { return Ok(None) };
    let style = Style::of(&path.to_string_lossy()).with_context(|| {
        format!(
            "the name of a table tells how it is written: .parquet, .csv, .json or .arrow: {}",
            path.display()
        )
    });
    style.map(Some)
}

pub fn run(common: &Common, args: &ScenesCommand) -> anyhow::Result<()> {
    let style = style(args)?;
    let scenes = match table_at(&args.of)? {
        Some(table) => {
            let io = common.io()?;
            let mut set = scenes::read(&io, &table)?;
            scenes::note_missing(&io, &mut set);
            set.scenes
        }
        None => {
            let name = match args.of.contains([':', '/']) {
                true => Location::parse(&args.of)?.name(),
                false => args.of.clone(),
            };
            let deployment = common.remote.deployment()?;
            let io = common.io_in(deployment.region.as_deref())?;
            io.scenes(&common.scenes.table(&deployment), record_of(&name))?
        }
    };
    if let (Some(path), Some(style)) = (&args.output, style) {
        let written = output::whole_file(path, |file| Ok(scenes::write(&scenes, style, file).map(drop)?));
        return written.with_context(|| format!("the scenes were not written: {}", path.display()));
    }
    let mut out = output::results();
    if args.json {
        let nanos = |time: Option<Time>| time.map(Time::nanos);
        let json = scenes.iter().map(|scene| {
            serde_json::json!({
                "record": scene.record,
                "scene": scene.id,
                "class": scene.class,
                "text": scene.text,
                "bucket": scene.bucket,
                "keys": scene.keys(),
                "start_ns": nanos(scene.start),
                "end_ns": nanos(scene.end),
                "odd": scene.odd,
                "notes": scene.notes.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
            })
        });
        writeln!(out, "{}", serde_json::Value::Array(json.collect()))?;
    } else {
        let text = |time: Option<Time>| time.map_or("-".to_owned(), format_utc);
        let rows = scenes.iter().map(|scene| {
            let class = scene.class.clone().unwrap_or_default();
            [scene.id.clone(), class, text(scene.start), text(scene.end), scene.odd.join(" ")]
        });
        output::table(&mut out, ["scene", "class", "start (UTC)", "end (UTC)", "odd"], [false; 5], rows)?;
    }
    Ok(out.flush()?)
}
