//! Tiles of basemaps that are one file: PMTiles, by ranges over our own reader, and MBTiles, which is SQLite.
//!
//! Invariants: a file is opened once, however many tiles are asked for; nothing here runs on the window's thread; a place without a tile
//! is an empty answer, not an error.

mod vector;

use std::collections::HashMap;
use std::io::Read as _;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use pmtiles::{AsyncBackend, AsyncPmTilesReader, BackendResponse, HashMapCache, PmtError, PmtResult, TileCoord, TileType};
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use tokio::sync::OnceCell;

use super::Io;
use crate::decode::Resource;
use crate::source::{Location, Reader};

type Opened = Arc<OnceCell<Result<Arc<Archive>, String>>>;

/// The files that were opened, by their addresses.
#[derive(Default)]
pub(super) struct Archives {
    opened: Mutex<HashMap<String, Opened>>,
}

struct Archive {
    kind: Kind,
    /// Its tiles are drawn; others are pictures.
    is_vector: bool,
}

enum Kind {
    Pm(Box<AsyncPmTilesReader<Source, HashMapCache>>),
    Mb(Mutex<Connection>),
}

/// What is asked of a file.
enum Asked {
    /// What it is: JSON.
    About,
    Tile {
        z: u8,
        x: u32,
        y: u32,
    },
}

impl Archives {
    /// `about@FILE` or `Z/X/Y@FILE`. Empty where there is no such tile.
    pub(super) async fn get(&self, io: &Io, address: &str) -> Result<Resource, String> {
        let (asked, file) = address.split_once('@').ok_or("this is no address of a tile")?;
        let asked = Asked::parse(asked).ok_or("this is no address of a tile")?;
        let opened: Opened = {
            let mut all = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
            all.entry(file.to_owned()).or_default().clone()
        };
        let archive = opened.get_or_init(|| async { open(io, file).await.map(Arc::new) }).await.clone();
        if archive.is_err() {
            // tried again when it is asked for again
            self.opened.lock().unwrap_or_else(PoisonError::into_inner).remove(file);
        }
        let archive = archive?;
        let is_drawn = archive.is_vector && !matches!(asked, Asked::About);
        let from_remote = match &archive.kind {
            Kind::Pm(reader) => Some(from_pmtiles(reader, &asked).await?),
            Kind::Mb(_) => None,
        };
        let read = io.spawn_blocking(move || {
            let bytes = match (from_remote, &archive.kind) {
                (Some(bytes), _) => bytes,
                (None, Kind::Mb(connection)) => {
                    let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
                    from_mbtiles(&connection, &asked).map_err(|e| e.to_string())?
                }
                (None, Kind::Pm(_)) => Bytes::new(),
            };
            match is_drawn && !bytes.is_empty() {
                true => vector::picture(&unpacked(&bytes)?).map(Resource::Picture),
                false => Resource::read("a tile", bytes),
            }
        });
        read.await
            .map_err(|_| "drawing the tile crashed, which is a bug worth reporting".to_owned())?
    }
}

impl Asked {
    fn parse(text: &str) -> Option<Asked> {
        if text == "about" {
            return Some(Asked::About);
        }
        let mut parts = text.split('/');
        let (z, x, y) = (
            parts.next()?.parse().ok()?,
            parts.next()?.parse().ok()?,
            parts.next()?.parse().ok()?,
        );
        (z <= 26).then_some(Asked::Tile { z, x, y })
    }
}

async fn open(io: &Io, file: &str) -> Result<Archive, String> {
    let location = Location::parse(file).map_err(|e| e.to_string())?;
    let is_sqlite = location.name().to_ascii_lowercase().ends_with(".mbtiles");
    if !is_sqlite {
        let net = io.net().without_headers();
        let reader = Reader::open(location, &net).await.map_err(|e| e.to_string())?;
        let opened = AsyncPmTilesReader::try_from_cached_source(Source(reader), HashMapCache::default()).await;
        let reader = opened.map_err(|e| format!("this is no PMTiles file: {e}"))?;
        return Ok(Archive {
            is_vector: matches!(reader.get_header().tile_type, TileType::Mvt),
            kind: Kind::Pm(Box::new(reader)),
        });
    }
    let Location::Path(path) = location else {
        return Err("an MBTiles file is read from this machine only: download it, or take its PMTiles".into());
    };
    let opened = io.spawn_blocking(move || open_sqlite(&path)).await.map_err(|e| e.to_string())?;
    let connection = opened?;
    Ok(Archive {
        is_vector: is_pbf(&connection),
        kind: Kind::Mb(Mutex::new(connection)),
    })
}

fn is_pbf(connection: &Connection) -> bool {
    let format = connection.query_row("SELECT value FROM metadata WHERE name = 'format'", [], |row| {
        row.get::<_, String>(0)
    });
    format.is_ok_and(|format| matches!(format.as_str(), "pbf" | "mvt"))
}

/// Of a tile more is not believed.
const LARGEST_TILE_BYTES: u64 = 16 << 20;

/// MBTiles hold vector tiles gzipped.
fn unpacked(bytes: &[u8]) -> Result<Vec<u8>, String> {
    if !bytes.starts_with(&[0x1F, 0x8B]) {
        return Ok(bytes.to_vec());
    }
    let mut out = Vec::new();
    let unpacked = flate2::read::GzDecoder::new(bytes).take(LARGEST_TILE_BYTES).read_to_end(&mut out);
    unpacked.map(|_| out).map_err(|e| format!("a tile cannot be unpacked: {e}"))
}

fn open_sqlite(path: &Path) -> Result<Connection, String> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(|_| format!("it is not there, or no database: {}", path.display()))?;
    let has_tiles = connection.prepare("SELECT tile_data FROM tiles LIMIT 1").is_ok();
    match has_tiles {
        true => Ok(connection),
        false => Err(format!("it has no table of tiles: {}", path.display())),
    }
}

/// Ranges of a file, wherever it lies.
struct Source(Reader);

impl AsyncBackend for Source {
    async fn read(&self, offset: u64, length: usize) -> PmtResult<BackendResponse> {
        let length = (length as u64).min(LARGEST_TILE_BYTES);
        let range: Range<u64> = offset..offset.saturating_add(length).min(self.0.len());
        if range.start >= range.end {
            return Ok(BackendResponse::new(Bytes::new()));
        }
        let read = self
            .0
            .read(range)
            .await
            .map_err(|e| PmtError::Reading(std::io::Error::other(e.to_string())));
        read.map(BackendResponse::new)
    }
}

async fn from_pmtiles(reader: &AsyncPmTilesReader<Source, HashMapCache>, asked: &Asked) -> Result<Bytes, String> {
    match asked {
        Asked::About => {
            let header = reader.get_header();
            let metadata: serde_json::Value = match reader.get_metadata().await {
                Ok(text) => serde_json::from_str(&text).unwrap_or_default(),
                Err(_) => serde_json::Value::Null,
            };
            let bounds = [header.min_longitude, header.min_latitude, header.max_longitude, header.max_latitude];
            Ok(about(
                matches!(header.tile_type, TileType::Mvt),
                (header.min_zoom, header.max_zoom),
                metadata["attribution"].as_str().unwrap_or_default(),
                Some(bounds),
            ))
        }
        Asked::Tile { z, x, y } => {
            let coord = TileCoord::new(*z, *x, *y).map_err(|e| e.to_string())?;
            let tile = reader.get_tile(coord).await.map_err(|e| e.to_string())?.unwrap_or_default();
            unpacked(&tile).map(Bytes::from)
        }
    }
}

fn from_mbtiles(connection: &Connection, asked: &Asked) -> rusqlite::Result<Bytes> {
    match asked {
        Asked::About => {
            let text = |name: &str| -> rusqlite::Result<Option<String>> {
                let mut rows = connection.prepare("SELECT value FROM metadata WHERE name = ?1")?;
                rows.query_row([name], |row| row.get(0)).optional()
            };
            let known = |name: &str| text(name).ok().flatten().unwrap_or_default();
            let zooms = connection.query_row("SELECT min(zoom_level), max(zoom_level) FROM tiles", [], |row| {
                Ok((row.get::<_, Option<u8>>(0)?.unwrap_or(0), row.get::<_, Option<u8>>(1)?.unwrap_or(0)))
            })?;
            let numbers: Vec<f64> = known("bounds").split(',').filter_map(|n| n.trim().parse().ok()).collect();
            Ok(about(is_pbf(connection), zooms, &known("attribution"), numbers.try_into().ok()))
        }
        // rows count from the south
        Asked::Tile { z, x, y } => {
            let row = (1_u32 << *z).checked_sub(1 + *y);
            let sql = "SELECT tile_data FROM tiles WHERE zoom_level = ?1 AND tile_column = ?2 AND tile_row = ?3";
            let mut rows = connection.prepare(sql)?;
            let data: Option<Vec<u8>> = rows.query_row((*z, *x, row), |row| row.get(0)).optional()?;
            Ok(data.unwrap_or_default().into())
        }
    }
}

/// Attributions are HTML, mostly links.
fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        rest = tag.split_once('>').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    // the ampersand last: what it makes is text
    let entities = [
        ("&copy;", "©"),
        ("&nbsp;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ];
    let text = entities.iter().fold(text, |text, (entity, letter)| text.replace(entity, letter));
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn about(is_vector: bool, zooms: (u8, u8), attribution: &str, bounds: Option<[f64; 4]>) -> Bytes {
    let about = serde_json::json!({
        "is_vector": is_vector,
        "min_zoom": zooms.0,
        "max_zoom": zooms.1,
        "attribution": plain(attribution),
        "bounds": bounds,
    });
    about.to_string().into()
}
