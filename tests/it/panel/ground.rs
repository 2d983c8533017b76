//! Tiles under the map: whose they are, that they come, and what is told when they do not. Nothing leaves this machine.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use egui::Theme;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use roadreel::decode::{Raster, Resource};
use roadreel::panel::PanelState;
use roadreel::store::{Event, What};
use serde_json::{Value, json};

use super::stage::{Stage, show, texts};

const SIZE: [f32; 2] = [600.0, 400.0];
const RED: [u8; 4] = [200, 30, 20, 255];

/// The map, whose questions to servers stay here.
fn map(config: &Value) -> Harness<'static, Stage> {
    let mut stage = Stage::new("map", &json!({}));
    stage.panel = (roadreel::panel::map::KIND.create)(config);
    stage.settle();
    stage.answered = false;
    show(stage, SIZE, Theme::Dark)
}

/// What it wants of servers.
fn asked(harness: &Harness<'_, Stage>) -> Vec<Arc<str>> {
    let mut wants = Vec::new();
    harness.state().panel.wants(&harness.state().view(), &mut wants);
    let address = |what| match what {
        What::Resource(address) => Some(address),
        _ => None,
    };
    wants.into_iter().filter_map(|want| address(want.what)).collect()
}

/// Answers until nothing is asked for.
fn answer(harness: &mut Harness<'static, Stage>, with: &dyn Fn() -> Result<Resource, Arc<str>>) -> Vec<Arc<str>> {
    let mut all = Vec::new();
    for _ in 0..60 {
        let addresses = asked(harness);
        if addresses.is_empty() {
            break;
        }
        for address in addresses {
            let result = with();
            all.push(address.clone());
            harness.state_mut().store.apply(Event::Fetched { address, result });
        }
        harness.step();
        harness.step();
    }
    harness.run_ok();
    all.sort();
    all.dedup();
    all
}

fn red() -> Result<Resource, Arc<str>> {
    let pixels = RED.repeat(16);
    Ok(Resource::Picture(Raster {
        width: 4,
        height: 4,
        rgba: pixels.into(),
    }))
}

#[test]
fn tiles_of_servers_are_drawn_with_their_attribution() {
    for (layer, server, attribution) in [
        ("open_street_map", "https://tile.openstreetmap.org/", "© OpenStreetMap contributors"),
        (
            "esri_imagery",
            "https://server.arcgisonline.com/ArcGIS/rest/services/World_Imagery/MapServer/tile/",
            "Esri, Maxar, Earthstar Geographics, and the GIS User Community",
        ),
        ("custom", "http://127.0.0.1:9/", "© Survey of Nowhere"),
    ] {
        let config = json!({ "layer": layer, "custom_tiles": "http://127.0.0.1:9/{z}/{x}/{y}.png",
                             "custom_attribution": "© Survey of Nowhere", "view": [47.0, 8.5, 12.0] });
        let mut harness = map(&config);
        assert!(matches!(harness.state().state(), PanelState::Pending(why) if why.contains("tiles are on their way")));
        let addresses = answer(&mut harness, &red);
        // 600 × 400 points touch at most 4 × 3 tiles of 256
        assert!((6..=12).contains(&addresses.len()), "{addresses:?}");
        assert!(addresses.iter().all(|a| a.starts_with(&format!("{server}12/"))), "{addresses:?}");
        // 8.5° east, 47° north: Esri's rows come before its columns
        let middle = if layer == "esri_imagery" { "12/1440/2144" } else { "12/2144/1440" };
        assert!(addresses.iter().any(|a| a.contains(middle)), "{middle}: {addresses:?}");
        assert_eq!(harness.state().state(), PanelState::Ready, "{layer}");
        let picture = harness.render().expect("a picture");
        for at in [(100, 100), (300, 60), (500, 300)] {
            let near = picture.get_pixel(at.0, at.1).0.iter().zip(RED).all(|(a, b)| a.abs_diff(b) < 4);
            assert!(near, "{layer} {at:?}: {:?}", picture.get_pixel(at.0, at.1));
        }
        let shown = texts(&harness);
        assert!(shown.iter().any(|text| text == attribution), "{shown:?}");
    }
}

#[test]
fn without_a_network_the_offline_map_stays_and_says_so() {
    let config = json!({ "layer": "open_street_map", "view": [47.0, 8.5, 5.0] });
    let mut harness = map(&config);
    answer(&mut harness, &|| Err("the server cannot be reached: no route".into()));
    let PanelState::Partial(why) = harness.state().state() else {
        panic!("{:?}", harness.state().state())
    };
    assert_eq!(why, "tiles are missing: the server cannot be reached: no route");
    let shown = texts(&harness);
    let is_shown = |text: &str| shown.iter().any(|of| of == text);
    assert!(is_shown("Tiles cannot be reached · © OpenStreetMap contributors"), "{shown:?}");
    // towns of the map that comes with the program
    assert!(is_shown("Bern"), "{shown:?}");
    // and once it is there again, they come
    harness.state_mut().settings = true;
    harness.run_ok();
    harness.get_by_label("Try again").click();
    harness.run_ok();
    harness.state_mut().settings = false;
    harness.run_ok();
    assert!(!answer(&mut harness, &red).is_empty());
    assert_eq!(harness.state().state(), PanelState::Ready);
}

#[test]
fn nothing_is_asked_for_unless_such_a_layer_is_chosen() {
    let harness = map(&json!({ "custom_tiles": "http://127.0.0.1:9/{z}/{x}/{y}.png" }));
    assert!(asked(&harness).is_empty());
    assert!(texts(&harness).iter().any(|text| text == "Natural Earth"));
    // an address without places for the numbers is none
    let harness = map(&json!({ "layer": "custom", "custom_tiles": "http://127.0.0.1:9/all.png" }));
    assert!(asked(&harness).is_empty());
}

/// A server on the loopback: what it was asked for.
fn server(tile: Vec<u8>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}/{{z}}/{{x}}/{{y}}.png", listener.local_addr().expect("an address"));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let (log, tile) = (log.clone(), tile.clone());
            std::thread::spawn(move || {
                let mut request = Vec::new();
                let mut part = [0; 4096];
                while let Ok(n) = stream.read(&mut part) {
                    request.extend_from_slice(part.get(..n).unwrap_or_default());
                    if n == 0 {
                        return;
                    }
                    if !request.ends_with(b"\r\n\r\n") {
                        continue;
                    }
                    let text = String::from_utf8_lossy(&request).into_owned();
                    let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
                    log.lock().expect("a log").push(path);
                    let head = format!(
                        "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nETag: \"one\"\r\nContent-Length: {}\r\n\r\n",
                        tile.len()
                    );
                    if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&tile)).is_err() {
                        return;
                    }
                    request.clear();
                }
            });
        }
    });
    (address, asked)
}

#[test]
fn tiles_come_from_a_server_of_ones_own() {
    let mut png = Vec::new();
    let picture = image::RgbaImage::from_pixel(256, 256, image::Rgba(RED));
    picture
        .write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png)
        .expect("a picture");
    let (address, asked) = server(png);
    let config = json!({ "layer": "custom", "custom_tiles": address, "view": [47.0, 8.5, 12.0] });
    let mut harness = show(Stage::new("map", &config), SIZE, Theme::Dark);
    for _ in 0..40 {
        harness.step();
    }
    harness.run_ok();
    assert_eq!(harness.state().state(), PanelState::Ready);
    let picture = harness.render().expect("a picture");
    assert!(picture.get_pixel(100, 100).0.iter().zip(RED).all(|(a, b)| a.abs_diff(b) < 4));
    let mut paths = asked.lock().expect("a log").clone();
    let count = paths.len();
    paths.sort();
    paths.dedup();
    assert!(paths.contains(&"/12/2144/1440.png".to_owned()), "{paths:?}");
    assert_eq!(paths.len(), count, "none is asked for twice");
}
