//! Plots: what lies behind them, which way their axes run, where their legend stands.

use egui::accesskit::Role;
use egui::{Theme, pos2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use image::RgbaImage;
use roadreel::panel::{Action, PanelState};
use serde_json::{Value, json};

use super::drive;
use super::stage::{Stage, right_click, show, show_settings};

const SIZE: [f32; 2] = [420.0, 260.0];

/// Of the recording whose mode is MANUAL in the first second, and AUTO from then on.
fn plot(config: &Value) -> Harness<'static, Stage> {
    show(Stage::fleet("plot", config), SIZE, Theme::Dark)
}

/// Seconds after the start under a point of the plot.
fn secs_at(harness: &mut Harness<Stage>, x: f32) -> f64 {
    harness.state_mut().actions.clear();
    harness.hover_at(pos2(x, 120.0));
    harness.run_ok();
    let hovers = harness.state().actions.iter().rev().find_map(|a| match a {
        Action::Hover(Some(t)) => Some(t.since(drive::at(0)) as f64 * 1e-9),
        _ => None,
    });
    hovers.expect("a time")
}

/// The middle of all that has this colour.
fn middle_of(picture: &RgbaImage, color: [u8; 3]) -> Option<(f32, f32)> {
    let is_it = |p: &image::Rgba<u8>| p.0.iter().zip(color).all(|(a, b)| a.abs_diff(b) < 24);
    let found: Vec<(u32, u32)> = picture.enumerate_pixels().filter(|p| is_it(p.2)).map(|p| (p.0, p.1)).collect();
    let count = found.len() as f32;
    (count > 0.0).then(|| {
        let sum = found.iter().fold((0.0, 0.0), |s, p| (s.0 + p.0 as f32, s.1 + p.1 as f32));
        (sum.0 / count, sum.1 / count)
    })
}

fn with(more: &Value) -> Value {
    let mut config = json!({ "series": [{ "path": "/speed.data" }] });
    for (key, value) in more.as_object().into_iter().flatten() {
        config[key] = value.clone();
    }
    config
}

#[test]
fn the_state_of_another_topic_lies_behind_the_series() {
    // between the axis' marks, above the curve on the left and below it on the right
    let colors = |more: Value| {
        let mut harness = plot(&with(&more));
        assert_eq!(harness.state().state(), PanelState::Ready);
        let (left, right) = (0.3, 1.6);
        let (a, b) = (secs_at(&mut harness, 100.0), secs_at(&mut harness, 300.0));
        let x_of = |secs: f64| (100.0 + (secs - a) / (b - a) * 200.0) as u32;
        harness.hover_at(pos2(1.0, 1.0));
        harness.run_ok();
        let picture = harness.render().expect("a picture");
        [left, right].map(|secs| {
            let counts = (30..230).map(|y| picture.get_pixel(x_of(secs), y).0);
            // the commonest: neither grid nor curve
            let mut counts: Vec<[u8; 4]> = counts.collect();
            counts.sort_unstable();
            let runs = counts.chunk_by(|a, b| a == b);
            runs.max_by_key(|run| run.len()).map(|run| run[0]).expect("pixels")
        })
    };
    let [left, right] = colors(Value::Null);
    assert_eq!(left, right);
    let [manual, auto] = colors(json!({ "background": { "path": "/mode.mode" } }));
    assert!(manual != auto && auto != right, "{manual:?} {auto:?} {right:?}");
    let [low, high] = colors(json!({ "background": { "path": "/mode.mode", "colormap": "viridis" } }));
    // dark violet, then yellow
    assert!(low[2] > low[1] && high[0] > low[0] && high[1] > high[2], "{low:?} {high:?}");
    let [by_hand, keeping] = colors(json!({ "background": { "path": "/mode.text" } }));
    assert!(by_hand != keeping, "texts are states");
}

#[test]
fn a_background_is_a_topic_of_the_plot_and_says_what_is_wrong_with_it() {
    let harness = plot(&with(&json!({ "background": { "path": "/mode.mode" } })));
    let stage = harness.state();
    let topics = stage.panel.topics(&stage.view());
    assert!(topics.contains(&stage.topic("/mode")) && topics.contains(&stage.topic("/speed")));
    let wrong = plot(&with(&json!({ "background": { "path": "/mode.mood" } })));
    assert!(
        matches!(wrong.state().state(), PanelState::Partial(why) if why.contains("mood")),
        "{:?}",
        wrong.state().state()
    );
    let mut menu = plot(&with(&Value::Null));
    let entry = menu.get_by_role(Role::CheckBox).rect().center();
    right_click(&mut menu, entry);
    menu.get_by_label("Colour the background by it").click();
    menu.run_ok();
    assert_eq!(menu.state().panel.config()["background"]["path"], json!("/speed.data"));
}

#[test]
fn axes_are_turned_round() {
    let mut plain = plot(&with(&Value::Null));
    assert!(secs_at(&mut plain, 100.0) < secs_at(&mut plain, 300.0));
    let mut turned = plot(&with(&json!({ "flip_x": true })));
    let (left, right) = (secs_at(&mut turned, 100.0), secs_at(&mut turned, 300.0));
    assert!(left > right, "{left} {right}");
    // what is dragged goes with the hand
    let drag = |harness: &mut Harness<Stage>, from: egui::Pos2, to: egui::Pos2| {
        harness.hover_at(from);
        harness.run_ok();
        harness.drag_at(from);
        harness.step();
        for part in 1..=8 {
            harness.hover_at(from.lerp(to, part as f32 / 8.0));
            harness.step();
        }
        harness.drop_at(to);
        harness.run_ok();
    };
    drag(&mut turned, pos2(300.0, 120.0), pos2(200.0, 120.0));
    let moved = secs_at(&mut turned, 200.0);
    assert!((moved - right).abs() < (left - right).abs() * 0.1, "{moved} {right}");
    let height = |more: Value| {
        let line = json!({ "series": [{ "path": "2", "color": "#ff00ff", "line_width": 4.0 }], "legend": false,
            "y": { "mode": "manual", "min": 0.0, "max": 10.0 } });
        let mut config = line;
        for (key, value) in more.as_object().into_iter().flatten() {
            config[key] = value.clone();
        }
        let mut harness = plot(&config);
        middle_of(&harness.render().expect("a picture"), [255, 0, 255]).expect("the line").1
    };
    let (up, down) = (height(Value::Null), height(json!({ "flip_y": true })));
    assert!(up > 160.0 && down < 100.0, "{up} {down}");
}

#[test]
fn a_unit_is_as_long_on_either_axis() {
    // an ellipse three times as wide as it is high
    let series = json!([{ "path": "/speed.data.@sin", "color": "#ff00ff", "line_width": 3.0 }]);
    let size = |equal: bool| {
        let config = json!({ "series": series, "legend": false, "x_axis": "path", "x_path": "/speed.data.@cos * 3", "equal_scale": equal });
        let mut harness = plot(&config);
        let picture = harness.render().expect("a picture");
        let is_it = |p: &image::Rgba<u8>| p.0[0] > 180 && p.0[1] < 90 && p.0[2] > 180;
        let found: Vec<(u32, u32)> = picture.enumerate_pixels().filter(|p| is_it(p.2)).map(|p| (p.0, p.1)).collect();
        let extent = |of: fn(&(u32, u32)) -> u32| found.iter().map(of).max().unwrap_or(0) - found.iter().map(of).min().unwrap_or(0);
        (f64::from(extent(|p| p.0)), f64::from(extent(|p| p.1)))
    };
    let ((wide, high), (equally_wide, equally_high)) = (size(false), size(true));
    // the speed goes from 0 to 38: all of both
    assert!((equally_wide / equally_high - 3.0).abs() < 0.15, "{equally_wide} × {equally_high}");
    assert!((wide / high - 3.0).abs() > 0.5, "{wide} × {high}");
}

#[test]
fn the_legend_stands_where_it_is_put() {
    let place = |place: &str| {
        let config = with(&json!({ "legend_place": place }));
        let harness = plot(&config);
        let entry = harness.get_by_role(Role::CheckBox);
        assert_eq!(entry.accesskit_node().label().as_deref(), Some("data"));
        entry.rect()
    };
    let (top, bottom) = (place("top"), place("bottom"));
    assert!(
        top.bottom() < 40.0 && bottom.top() > 220.0 && bottom.bottom() <= 252.0,
        "{top} {bottom}"
    );
    let (left, right) = (place("left"), place("right"));
    assert!(
        left.right() < 160.0 && right.left() > 250.0 && right.right() <= 412.0,
        "{left} {right}"
    );
    let inside = place("inside");
    assert!(inside.left() > 250.0 && inside.right() < 410.0 && inside.top() < 40.0, "{inside}");
    // figures are a table above or below
    let harness = plot(&with(&json!({ "legend_place": "left", "statistics": true })));
    assert!(harness.get_by_label("RMS").rect().bottom() < 40.0);
    let mut hidden = plot(&with(&json!({ "legend_place": "inside" })));
    hidden.get_by_role(Role::CheckBox).click();
    hidden.run_ok();
    assert_eq!(hidden.state().panel.config()["series"][0]["visible"], json!(false));
}

#[test]
fn all_of_it_is_set_in_the_settings() {
    let mut settings = show_settings(Stage::fleet("plot", &with(&Value::Null)));
    settings.get_by_label("Path of the background").focus();
    settings.run_ok();
    settings.get_by_label("Path of the background").type_text("/mode.mode");
    settings.run_ok();
    for label in ["x", "y"] {
        settings.get_by_role_and_label(Role::CheckBox, label).click();
        settings.run_ok();
    }
    settings.get_by_label("Viridis").click();
    settings.run_ok();
    settings.get_by_label("Place of the legend").click();
    settings.run_ok();
    settings.get_by_label("Below").click();
    settings.run_ok();
    let config = settings.state().panel.config();
    assert_eq!(config["background"], json!({ "path": "/mode.mode", "colormap": "viridis" }));
    assert_eq!(
        (&config["flip_x"], &config["flip_y"], &config["legend_place"]),
        (&json!(true), &json!(true), &json!("bottom"))
    );
}

#[test]
fn backgrounds_and_legends_look_as_they_did() {
    let mut results = egui_kittest::SnapshotResults::new();
    let states = with(&json!({ "background": { "path": "/mode.mode" }, "legend_place": "inside", "y_label": "m/s" }));
    let turned = with(
        &json!({ "background": { "path": "/speed.data", "colormap": "turbo" }, "legend_place": "right",
        "flip_x": true, "flip_y": true }),
    );
    for (name, config, theme) in [
        ("plot_background_dark", &states, Theme::Dark),
        ("plot_background_light", &states, Theme::Light),
        ("plot_turned_light", &turned, Theme::Light),
    ] {
        let mut harness = show(Stage::fleet("plot", config), [620.0, 320.0], theme);
        results.add(harness.try_snapshot_options(name, &super::snapshot_options()));
        results.extend_harness(&mut harness);
    }
}

#[test]
fn a_plot_is_saved_and_copied_as_a_picture() {
    let config = with(&json!({ "series": [{ "path": "/speed.data", "color": "#ff00ff", "line_width": 4.0 }] }));
    let mut harness = plot(&config);
    harness.state_mut().command("Save as PNG…");
    harness.run_ok();
    harness.run_ok();
    let saved = harness.state().actions.iter().find_map(|a| match a {
        Action::SaveFile { name, bytes } => Some((name.clone(), bytes.clone())),
        _ => None,
    });
    let (name, bytes) = saved.expect("a file");
    let picture = image::load_from_memory(&bytes).expect("a picture").to_rgba8();
    // the panel alone, without the margin around it
    assert_eq!((name.as_str(), picture.dimensions()), ("plot.png", (404, 244)));
    assert!(middle_of(&picture, [255, 0, 255]).is_some(), "the curve is in it");
    harness.state_mut().command("Copy as a picture");
    let copied = (0..10).find_map(|_| {
        harness.step();
        harness.output().platform_output.commands.iter().find_map(|c| match c {
            egui::OutputCommand::CopyImage(image) => Some(image.size),
            _ => None,
        })
    });
    assert_eq!(copied, Some([404, 244]));
}
