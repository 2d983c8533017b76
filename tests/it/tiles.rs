//! Basemaps in one file: the tile that is asked for comes, and no other.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use roadreel::decode::{Raster, Resource};
use roadreel::run::{Executor, Io};
use roadreel::source::{Cache, CacheOptions, Policy};
use roadreel::store::{Event, Work};

use crate::server::{Behaviour, Server};

fn fetch(address: &str) -> Result<Bytes, Arc<str>> {
    match resource(address)? {
        Resource::Bytes(bytes) => Ok(bytes),
        other => panic!("{other:?}"),
    }
}

fn picture(address: &str) -> Raster {
    match resource(address) {
        Ok(Resource::Picture(picture)) => picture,
        other => panic!("{other:?}"),
    }
}

fn resource(address: &str) -> Result<Resource, Arc<str>> {
    resource_by(&Executor::with(Io::new(Policy::default(), &[]).expect("a runtime"), || {}), address)
}

fn resource_by(executor: &Executor, address: &str) -> Result<Resource, Arc<str>> {
    executor.submit(vec![Work::Fetch {
        address: address.into(),
        near: None,
    }]);
    let mut events = Vec::new();
    while executor.wait() {
        executor.drain(&mut events);
    }
    executor.drain(&mut events);
    match events.pop() {
        Some(Event::Fetched { result, .. }) => result,
        _ => panic!("an answer"),
    }
}

fn mbtiles(path: &Path) {
    let db = rusqlite::Connection::open(path).expect("a database");
    db.execute_batch(
        "CREATE TABLE metadata (name TEXT, value TEXT);
         CREATE TABLE tiles (zoom_level INTEGER, tile_column INTEGER, tile_row INTEGER, tile_data BLOB);
         INSERT INTO metadata VALUES ('format', 'png'), ('attribution', '<a href=https://nowhere.example>Survey</a> of&nbsp;Nowhere'), ('bounds', '7,46,9,48');",
    )
    .expect("tables");
    for (z, x, y) in [(0_u8, 0_u32, 0_u32), (1, 0, 1), (1, 1, 0)] {
        let text = format!("tile {z}/{x}/{y}");
        let row = (1_u32 << z) - 1 - y;
        db.execute("INSERT INTO tiles VALUES (?1, ?2, ?3, ?4)", (z, x, row, text.as_bytes()))
            .expect("a tile");
    }
}

/// PMTiles 3: tiles without compression, one directory. Ids are those of the specification: 0 is 0/0/0; 1, 2, 3, 4 are 1/0/0, 1/0/1,
/// 1/1/1 and 1/1/0.
fn pmtiles(path: &Path, tile_type: u8) {
    let tiles: [(u64, &str); 3] = [(0, "tile 0/0/0"), (2, "tile 1/0/1"), (4, "tile 1/1/0")];
    let mut directory = vec![tiles.len() as u8];
    let mut before = 0;
    for (id, _) in tiles {
        directory.push((id - before) as u8);
        before = id;
    }
    directory.extend([1; 3]);
    directory.extend(tiles.iter().map(|t| t.1.len() as u8));
    // from the start, then each behind the one before
    directory.extend([1, 0, 0]);
    let metadata = br#"{"attribution":"Survey of Nowhere"}"#;
    let data: String = tiles.iter().map(|t| t.1).collect();
    let (root, meta) = (127_u64, 127 + directory.len() as u64);
    let first_tile = meta + metadata.len() as u64;
    let mut file = b"PMTiles\x03".to_vec();
    for number in [
        root,
        directory.len() as u64,
        meta,
        metadata.len() as u64,
        first_tile,
        0,
        first_tile,
        data.len() as u64,
        3,
        3,
        3,
    ] {
        file.extend(number.to_le_bytes());
    }
    // clustered; no compression within and of tiles; type; zooms
    file.extend([1, 1, 1, tile_type, 0, 1]);
    for degrees in [7.0_f64, 46.0, 9.0, 48.0] {
        file.extend(((degrees * 1e7) as i32).to_le_bytes());
    }
    file.push(0);
    for degrees in [8.0_f64, 47.0] {
        file.extend(((degrees * 1e7) as i32).to_le_bytes());
    }
    assert_eq!(file.len(), 127);
    file.extend(directory);
    file.extend(metadata);
    file.extend(data.as_bytes());
    std::fs::write(path, file).expect("written");
}

#[test]
fn tiles_of_both_kinds_of_file_are_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mb, pm) = (folder.path().join("area.mbtiles"), folder.path().join("area.pmtiles"));
    mbtiles(&mb);
    pmtiles(&pm, 2);
    for file in [mb, pm] {
        let file = file.display();
        for tile in ["0/0/0", "1/0/1", "1/1/0"] {
            let got = fetch(&format!("tile:{tile}@{file}")).expect("a tile");
            assert_eq!(got, format!("tile {tile}").as_bytes(), "{file}");
        }
        // a place without a tile is an empty answer
        assert_eq!(fetch(&format!("tile:1/0/0@{file}")).expect("an answer"), "");
        assert_eq!(fetch(&format!("tile:9/0/0@{file}")).expect("an answer"), "");
        let about: serde_json::Value = serde_json::from_slice(&fetch(&format!("tile:about@{file}")).expect("an answer")).expect("JSON");
        assert_eq!(about["attribution"], "Survey of Nowhere");
        assert_eq!((about["min_zoom"].as_u64(), about["max_zoom"].as_u64()), (Some(0), Some(1)));
        assert_eq!(about["is_vector"], false);
        assert_eq!(about["bounds"], serde_json::json!([7.0, 46.0, 9.0, 48.0]));
    }
    let vector = folder.path().join("vector.pmtiles");
    pmtiles(&vector, 1);
    let about = fetch(&format!("tile:about@{}", vector.display())).expect("an answer");
    assert!(String::from_utf8_lossy(&about).contains("\"is_vector\":true"));
}

/// `tests/write_tiles.py` makes them with PyPI `pmtiles` and SQLite: leaf directories, runs of equal tiles, tiles packed; a view of tiles.
#[test]
fn files_that_other_programs_wrote_are_read() {
    let python = |arguments: &[&str]| std::process::Command::new("python3").args(arguments).output();
    if !python(&["-c", "import pmtiles"]).is_ok_and(|output| output.status.success()) {
        eprintln!("passed over: python3 has no pmtiles (pip install pmtiles)");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let stem = folder.path().join("everywhere");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/write_tiles.py");
    let written = python(&[script.to_str().expect("UTF-8"), stem.to_str().expect("UTF-8")]).expect("python starts");
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let contents: BTreeMap<String, String> = serde_json::from_slice(&written.stdout).expect("JSON");
    assert!(contents.len() > 500, "{}", contents.len());
    let executor = Executor::with(Io::new(Policy::default(), &[]).expect("a runtime"), || {});
    for ending in ["pmtiles", "mbtiles"] {
        let file = format!("{}.{ending}", stem.display());
        let expected: BTreeMap<String, &String> = contents.iter().map(|(tile, text)| (format!("tile:{tile}@{file}"), text)).collect();
        let fetch = |address: &String| Work::Fetch {
            address: address.as_str().into(),
            near: None,
        };
        executor.submit(expected.keys().map(fetch).collect());
        let mut events = Vec::new();
        while executor.wait() {
            executor.drain(&mut events);
        }
        executor.drain(&mut events);
        assert_eq!(events.len(), expected.len());
        for event in events {
            let Event::Fetched { address, result } = event else {
                panic!("an answer")
            };
            let Ok(Resource::Bytes(bytes)) = result else {
                panic!("{address}: {result:?}")
            };
            assert_eq!(String::from_utf8_lossy(&bytes), **expected[&*address], "{address}");
        }
        let about = self::fetch(&format!("tile:about@{file}")).expect("an answer");
        let about: serde_json::Value = serde_json::from_slice(&about).expect("JSON");
        assert_eq!(
            (about["max_zoom"].as_u64(), &about["attribution"]),
            (Some(8), &"Survey of Everywhere".into()),
            "{about}"
        );
    }
}

#[test]
fn files_that_hold_no_tiles_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("written");
        fetch(&format!("tile:0/0/0@{}", path.display())).expect_err("it is refused")
    };
    assert!(told("a.pmtiles", b"no tiles at all").contains("no PMTiles file"));
    let broken = told("b.mbtiles", b"no database");
    assert_eq!(broken.matches("b.mbtiles").count(), 1, "{broken}");
    let gone = fetch("tile:0/0/0@/nowhere/c.mbtiles").expect_err("it is not there");
    assert_eq!(gone.matches("c.mbtiles").count(), 1, "{gone}");
    let remote = fetch("tile:0/0/0@https://localhost:1/d.mbtiles").expect_err("SQLite is local");
    assert!(remote.contains("from this machine only"), "{remote}");
}

/// A field of a protocol buffer's message: a number, or bytes.
fn number(field: u8, n: u64) -> Vec<u8> {
    [&[field << 3], varint(n).as_slice()].concat()
}

fn bytes(field: u8, content: &[u8]) -> Vec<u8> {
    [&[field << 3 | 2], varint(content.len() as u64).as_slice(), content].concat()
}

fn varint(mut n: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while n > 127 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
    out
}

/// Water over the left half.
fn vector_tile() -> Vec<u8> {
    let zig = |n: i64| ((n << 1) ^ (n >> 63)) as u64;
    let mut geometry = Vec::new();
    for n in [9, zig(0), zig(0), 26, zig(2048), zig(0), zig(0), zig(4096), zig(-2048), zig(0), 15] {
        geometry.extend(varint(n));
    }
    let feature = [number(3, 3), bytes(4, &geometry)].concat();
    let layer = [number(15, 2), bytes(1, b"water"), bytes(2, &feature), number(5, 4096)].concat();
    bytes(3, &layer)
}

#[test]
fn vector_tiles_are_drawn() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("vector.mbtiles");
    let db = rusqlite::Connection::open(&path).expect("a database");
    db.execute_batch(
        "CREATE TABLE metadata (name TEXT, value TEXT);
         CREATE TABLE tiles (zoom_level INTEGER, tile_column INTEGER, tile_row INTEGER, tile_data BLOB);
         INSERT INTO metadata VALUES ('format', 'pbf');",
    )
    .expect("tables");
    let insert = |z: u8, data: &[u8]| db.execute("INSERT INTO tiles VALUES (?1, 0, 0, ?2)", (z, data)).expect("a tile");
    insert(0, &vector_tile());
    insert(5, b"\xFF\xFF\xFF");
    let picture = picture(&format!("tile:0/0/0@{}", path.display()));
    assert_eq!((picture.width, picture.height), (512, 512));
    let pixel = |x: usize, y: usize| &picture.rgba[(y * 512 + x) * 4..][..4];
    assert!(pixel(100, 256)[3] > 60, "water on the left");
    assert!(pixel(100, 256)[2] > pixel(100, 256)[0], "and it is blue");
    assert_eq!(pixel(400, 256)[3], 0, "nothing on the right");
    let told = fetch(&format!("tile:5/0/31@{}", path.display())).expect_err("no vector tile");
    assert!(told.contains("no vector tile"), "{told}");
}

#[test]
fn tiles_may_be_png_jpeg_or_webp() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("raster.mbtiles");
    let db = rusqlite::Connection::open(&path).expect("a database");
    db.execute_batch(
        "CREATE TABLE metadata (name TEXT, value TEXT);
         CREATE TABLE tiles (zoom_level INTEGER, tile_column INTEGER, tile_row INTEGER, tile_data BLOB);
         INSERT INTO metadata VALUES ('format', 'webp');",
    )
    .expect("tables");
    // a field of one orange, half of it darker
    let drawn = image::RgbImage::from_fn(256, 256, |x, _| image::Rgb(if x < 128 { [240, 128, 16] } else { [120, 64, 8] }));
    for (z, format) in [
        (0_u8, image::ImageFormat::Png),
        (1, image::ImageFormat::Jpeg),
        (2, image::ImageFormat::WebP),
    ] {
        let mut tile = std::io::Cursor::new(Vec::new());
        drawn.write_to(&mut tile, format).expect("written");
        let row = (1_u32 << z) - 1;
        db.execute("INSERT INTO tiles VALUES (?1, 0, ?2, ?3)", (z, row, tile.into_inner()))
            .expect("a tile");
    }
    db.execute(
        "INSERT INTO tiles VALUES (3, 0, 7, ?1)",
        [b"RIFF\x10\0\0\0WEBPVP8 broken".as_slice()],
    )
    .expect("a tile");
    for z in 0..3 {
        let picture = picture(&format!("tile:{z}/0/0@{}", path.display()));
        assert_eq!((picture.width, picture.height), (256, 256));
        for (x, color) in [(40, [240, 128, 16]), (200, [120, 64, 8])] {
            let pixel = &picture.rgba[(100 * 256 + x) * 4..][..4];
            let near = pixel.iter().zip(color).all(|(a, b)| a.abs_diff(b) < 4);
            assert!(near && pixel[3] == 255, "{z}: {pixel:?}");
        }
    }
    let told = resource(&format!("tile:3/0/0@{}", path.display())).expect_err("it is broken");
    assert!(told.contains("the picture cannot be read"), "{told}");
}

/// A tile, by programs that start one after the other with the same cache.
struct Visits {
    folder: tempfile::TempDir,
    server: Option<Server>,
    address: String,
}

impl Visits {
    fn new(behaviour: Behaviour) -> Visits {
        let server = Server::start(behaviour);
        let mut png = Vec::new();
        // larger than what opening reads of an object
        let mut noise = fastrand::Rng::with_seed(3);
        image::RgbaImage::from_fn(256, 256, |_, _| image::Rgba([noise.u8(..), noise.u8(..), noise.u8(..), 255]))
            .write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png)
            .expect("a picture");
        server.put("12/2144/1438.png", png);
        Visits {
            folder: tempfile::tempdir().expect("a folder"),
            address: server.url("12/2144/1438.png?apikey=SECRET"),
            server: Some(server),
        }
    }

    /// How many requests it took, or why there is none.
    fn visit(&self) -> Result<u64, Arc<str>> {
        let cache = Cache::new(CacheOptions {
            folder: Some(self.folder.path().to_owned()),
            disk_bytes: 16 << 20,
            memory_bytes: 1 << 20,
        });
        let io = Io::new(Policy::default(), &[]).expect("a runtime").cached(cache.clone());
        let executor = Executor::with(io, || {});
        let tile = resource_by(&executor, &self.address)?;
        assert!(matches!(tile, Resource::Picture(picture) if picture.width == 256));
        cache.flush();
        Ok(executor.traffic().requests)
    }
}

/// What a server gave is not asked for again, by a later start of the program either, whatever the server knows of ETags and ranges.
#[test]
fn tiles_of_servers_are_kept_on_disk() {
    let plain = Behaviour::default();
    for behaviour in [
        plain.clone(),
        Behaviour {
            cache_control: Some("public, max-age=3600"),
            ..plain.clone()
        },
        Behaviour {
            weak: true,
            ..plain.clone()
        },
        Behaviour {
            ranges: false,
            etag: false,
            ..plain
        },
    ] {
        let visits = Visits::new(behaviour.clone());
        assert!(visits.visit().expect("a tile") > 0, "{behaviour:?}");
        assert_eq!(visits.visit(), Ok(0), "{behaviour:?}");
    }
}

#[test]
fn tiles_that_are_old_are_asked_for_again_and_shown_where_nobody_answers() {
    let mut visits = Visits::new(Behaviour {
        cache_control: Some("max-age=0"),
        ..Behaviour::default()
    });
    for _ in 0..2 {
        assert!(visits.visit().expect("a tile") > 0);
    }
    visits.server = None;
    visits.visit().expect("a tile");

    let mut visits = Visits::new(Behaviour {
        cache_control: Some("no-store"),
        ..Behaviour::default()
    });
    visits.visit().expect("a tile");
    visits.server = None;
    let told = visits.visit().expect_err("it is not kept");
    assert!(told.contains("cannot be reached") && !told.contains("SECRET"), "{told}");
}
