//! Plots: what x and y can be, what is read off them, and what the hand does.

use egui::{Key, Modifiers, PointerButton, Theme, pos2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use roadreel::panel::{Action, DraggedPath, PanelState, linked};
use serde_json::{Value, json};

use super::drive;
use super::stage::{Stage, each_shape, show, show_settings, texts};
use crate::encode::Encoder;

const X: &str = "/imu.linear_acceleration.x";
const Y: &str = "/imu.linear_acceleration.y";
const SPEED: &str = "/vehicle/steering_report.speed";

fn plot(config: Value) -> Stage {
    Stage::new("plot", &config)
}

/// The rows of what is copied as CSV, without the head.
fn csv(config: Value) -> Vec<(f64, String, f64)> {
    let mut harness = show_settings(plot(config));
    harness.get_by_label("Copy as CSV").click();
    harness.run_ok();
    let csv = harness.state().copied().expect("copied").to_owned();
    csv.lines()
        .skip(1)
        .map(|line| {
            let (head, value) = line.rsplit_once(',').expect("three columns");
            let (x, series) = head.split_once(',').expect("three columns");
            (x.parse().expect("a number"), series.to_owned(), value.parse().expect("a number"))
        })
        .collect()
}

#[test]
fn values_against_values() {
    let rows = csv(json!({ "series": [{ "path": Y }], "x_axis": "path", "x_path": X }));
    assert_eq!(rows.len(), 200);
    for (tick, (x, _, y)) in rows.iter().enumerate() {
        let secs = tick as f64 * 0.01;
        assert!(
            (x - (secs * 6.0).sin()).abs() < 1e-12 && (y - (secs * 9.0).cos() * 0.5).abs() < 1e-12,
            "{tick}: {x} {y}"
        );
    }
    // of another topic, at half the rate: the newest one
    let rows = csv(json!({ "series": [{ "path": Y }], "x_axis": "path", "x_path": SPEED }));
    assert_eq!((rows.len(), rows[3].0), (200, f64::from(10.02_f32)));
}

#[test]
fn each_series_may_have_its_own_x() {
    let series = json!([{ "path": Y }, { "path": format!("{Y} + 1"), "x_path": format!("{X} * -1") }]);
    let rows = csv(json!({ "series": series, "x_axis": "path", "x_path": X }));
    let (turned, others): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.1.contains('+'));
    let [turned, others] = [turned, others].map(|rows| rows.into_iter().map(|row| row.0).collect::<Vec<f64>>());
    assert_eq!((turned.len(), others.len()), (200, 200));
    assert!(turned.iter().zip(&others).all(|(a, b)| *a == -*b));
    // one whose x makes no sense does not take the others along
    let broken = json!([{ "path": Y }, { "path": Y, "label": "b", "x_path": "/imu.gone" }]);
    let harness = show(
        plot(json!({ "series": broken, "x_axis": "path", "x_path": X })),
        [600.0, 300.0],
        Theme::Dark,
    );
    let state = harness.state().state();
    assert!(matches!(&state, PanelState::Partial(why) if why.contains("gone")), "{state:?}");
}

#[test]
fn arrays_of_the_newest_message() {
    let rows = csv(json!({ "series": [{ "path": "/long.values[0:99]" }], "x_axis": "index" }));
    assert_eq!(rows.len(), 100);
    // the playhead is at 1 s, tick 100
    assert_eq!((rows[99].0, rows[99].2), (99.0, 149.5));
    let against = json!({ "series": [{ "path": "/long.values[0:9]" }], "x_axis": "current_path", "x_path": "/long.values[10:19] * 2" });
    let rows = csv(against);
    assert_eq!((rows.len(), rows[9].0, rows[9].2), (10, 219.0, 104.5));
}

#[test]
fn spectrum_and_histogram_of_the_visible_time() {
    let rows = csv(json!({ "series": [{ "path": X }], "x_axis": "frequency" }));
    assert_eq!(rows.len(), 100);
    let peak = rows.iter().max_by(|a, b| a.2.total_cmp(&b.2)).expect("rows");
    assert!((peak.0 - 6.0 / std::f64::consts::TAU).abs() < 0.1 && peak.2 > 0.9, "{peak:?}");
    let rows = csv(json!({ "series": [{ "path": X }], "x_axis": "value", "bins": 10 }));
    // each bar by its two edges
    assert_eq!((rows.len(), rows.iter().map(|r| r.2).sum::<f64>()), (20, 400.0));
    assert!(rows[0].0 >= -1.0 && rows[19].0 <= 1.0);
}

#[test]
fn several_topics_functions_and_reference_lines() {
    let path = format!("{X} - {SPEED}");
    let rows = csv(json!({ "series": [{ "path": path }, { "path": format!("{SPEED}.@derivative") }, { "path": "9.81", "label": "g" }] }));
    let of = |name: &str| rows.iter().filter(|r| r.1.contains(name)).collect::<Vec<_>>();
    assert_eq!((of(" - ").len(), of("derivative").len(), of("9.81").len()), (200, 99, 0));
    let difference = of(" - ")[51].2;
    assert!(
        (difference - ((0.51_f64 * 6.0).sin() - f64::from(10.5_f32))).abs() < 1e-9,
        "{difference}"
    );
    assert!(of("derivative").iter().all(|r| (r.2 - 1.0).abs() < 1e-3), "1 m/s more each second");
    let harness = show(
        plot(json!({ "series": [{ "path": X }, { "path": "0.5" }] })),
        [420.0, 260.0],
        Theme::Dark,
    );
    assert_eq!(harness.state().state(), PanelState::Ready);
    // what it is of two topics is said as topics of the panel
    let harness = show(
        plot(json!({ "series": [{ "path": format!("{X} - {SPEED}") }] })),
        [420.0, 260.0],
        Theme::Dark,
    );
    assert_eq!(harness.state().state(), PanelState::Ready);
}

#[test]
fn a_path_that_does_not_fit_says_what_would() {
    let mut harness = show_settings(plot(json!({ "series": [{ "path": "/imu.linear_aceleration.x" }] })));
    harness.get_by_label_contains("did you mean “.linear_acceleration”?");
    harness.get_by_label("Use it").click();
    harness.run_ok();
    assert_eq!(harness.state().panel.config()["series"][0]["path"], json!(X));
    let text = show(
        plot(json!({ "series": [{ "path": "/imu.header.frame_id" }] })),
        [420.0, 260.0],
        Theme::Dark,
    );
    assert!(matches!(text.state().state(), PanelState::Failed(why) if why.contains("is a text")));
    // beside numbers, these alone are drawn
    let rows = csv(json!({ "series": [{ "path": "/imu.header.frame_id" }, { "path": X }] }));
    assert!(rows.len() == 200 && rows.iter().all(|row| row.1.contains(X)), "{:?}", rows.first());
}

#[test]
fn a_path_is_completed_while_it_is_typed() {
    let mut harness = show_settings(plot(json!({ "series": [{ "path": "" }] })));
    harness.get_by_label("Path").focus();
    harness.run_ok();
    harness.get_by_label("Path").type_text("/imu.lin");
    harness.run_ok();
    harness.get_by_label("linear_acceleration");
    harness.key_press(Key::Tab);
    harness.run_ok();
    harness.get_by_label("Path").type_text(".y");
    harness.run_ok();
    assert_eq!(harness.state().panel.config()["series"][0]["path"], json!(Y));
}

#[test]
fn figures_of_what_is_visible() {
    let harness = show(
        plot(json!({ "series": [{ "path": SPEED }], "statistics": true })),
        [760.0, 260.0],
        Theme::Dark,
    );
    // 100 values from 10 to 11.98 m/s
    for figure in ["100", "10", "11.98", "10.99", "1.98"] {
        assert!(harness.query_all_by_label_contains(figure).next().is_some(), "{figure}");
    }
}

#[test]
fn no_figure_is_cut_in_a_narrow_panel() {
    for width in [560.0, 620.0, 900.0] {
        let config = json!({ "series": [{ "path": X }, { "path": "/imu.angular_velocity.z.@derivative" }], "statistics": true });
        let harness = show(plot(config), [width, 260.0], Theme::Dark);
        let last = harness.get_by_label("Hz").rect();
        assert!(last.right() < width, "{last:?} in {width}");
    }
}

#[test]
fn plots_look_as_they_did() {
    let styles = json!({ "series": [
        { "path": X, "style": "line" },
        { "path": "/imu.linear_acceleration.y * 2", "style": "dots", "label": "twice y" },
        { "path": "/vehicle/steering_report.steering_wheel_angle", "style": "sticks" },
        { "path": SPEED, "axis": "right", "style": "steps" },
        { "path": "0.8", "label": "limit" } ],
        "cursors": [0.4, 1.3], "y_label": "m/s²", "x_label": "time" });
    let statistics =
        json!({ "series": [{ "path": X }, { "path": Y }, { "path": "/imu.angular_velocity.z.@derivative" }], "statistics": true });
    let against = json!({ "series": [{ "path": Y }], "x_axis": "path", "x_path": X, "x_label": "x in m/s²", "y_label": "y in m/s²" });
    let spectrum = json!({ "series": [{ "path": X }, { "path": Y }], "x_axis": "frequency" });
    let histogram = json!({ "series": [{ "path": X }], "x_axis": "value", "bins": 24 });
    let mut results = egui_kittest::SnapshotResults::new();
    for (name, config, theme) in [
        ("plot_styles_dark", &styles, Theme::Dark),
        ("plot_styles_light", &styles, Theme::Light),
        ("plot_statistics_dark", &statistics, Theme::Dark),
        ("plot_against_light", &against, Theme::Light),
        ("plot_spectrum_dark", &spectrum, Theme::Dark),
        ("plot_histogram_light", &histogram, Theme::Light),
    ] {
        let mut harness = show(plot(config.clone()), [620.0, 320.0], theme);
        results.add(harness.try_snapshot_options(name, &super::snapshot_options()));
        results.extend_harness(&mut harness);
    }
}

/// Values of one topic, a second apart.
fn plotted(definition: &str, messages: impl Iterator<Item = Encoder>, config: Value, size: [f32; 2]) -> Harness<'static, Stage> {
    let messages = (0..).map(|i| i * 1_000_000_000).zip(messages);
    let (folder, path) = drive::one_topic("/v", "test_msgs/V", definition, messages);
    let mut stage = Stage::open("plot", &config, path);
    stage.keep(folder);
    show(stage, size, Theme::Dark)
}

#[test]
fn a_line_breaks_only_where_a_value_is_infinite() {
    let values = [1.0, 2.0, f64::INFINITY, 4.0, 5.0, f64::NEG_INFINITY, 6.0, 8.0].map(|v| Encoder::new().f64(v));
    let config = json!({ "series": [{ "path": "/v.data", "style": "line" }] });
    let harness = plotted("float64 data\n", values.into_iter(), config, [600.0, 300.0]);
    let mut slopes = 0;
    each_shape(&harness, &mut |shape| {
        if let egui::Shape::Path(path) = shape
            && let [a, b] = path.points.as_slice()
        {
            slopes += usize::from((a.x - b.x).abs() > 20.0 && (a.y - b.y).abs() > 5.0);
        }
    });
    assert_eq!(slopes, 3);
    assert!(texts(&harness).contains(&"8".to_owned()), "the greatest finite value is in view");
}

#[test]
fn integers_of_64_bits_leave_with_all_their_digits() {
    let numbers = [1_152_921_504_606_846_977_u64, 1_152_921_504_606_846_978, u64::MAX, 3];
    let messages = numbers.iter().map(|n| Encoder::new().raw(&n.to_le_bytes()));
    let config = json!({ "series": [{ "path": "/v.data" }] });
    let mut harness = plotted("uint64 data\n", messages, config, [600.0, 300.0]);
    // the last digits are asked for once it is known that there are some
    harness.run_ok();
    assert_eq!(harness.state().state(), PanelState::Ready);
    assert!(texts(&harness).contains(&numbers[0].to_string()), "{:?}", texts(&harness));
    harness.state_mut().command("Copy as CSV");
    let csv = harness.state().copied().expect("copied").to_owned();
    let values: Vec<&str> = csv.lines().skip(1).filter_map(|line| line.rsplit(',').next()).collect();
    assert_eq!(values, numbers.map(|n| n.to_string()));
}

#[test]
fn each_name_of_the_legend_is_another_one() {
    let series = json!([{ "path": "/cam/front_left/image_raw.height" }, { "path": "/cam/thermal/image_raw.height" }]);
    for place in ["top", "right"] {
        let config = json!({ "series": series, "legend_place": place });
        let harness = show(plot(config), [700.0, 300.0], Theme::Dark);
        harness.get_by_label("front_left/image_raw.height");
        harness.get_by_label("thermal/image_raw.height");
    }
    let series = json!([{ "path": X }, { "path": X, "stamp": "header" }]);
    let harness = show(plot(json!({ "series": series })), [900.0, 300.0], Theme::Dark);
    harness.get_by_label_contains("linear_acceleration.x (receive time)");
    harness.get_by_label_contains("linear_acceleration.x (header stamp)");
}

#[test]
fn what_was_read_for_one_topic_tells_when_the_messages_of_all_came() {
    let stage = plot(json!({ "series": [{ "path": X }] }));
    let whole = stage.store.span().expect("messages");
    for topic in stage.store.topics() {
        let density = stage.store.density(topic.id, whole, 1);
        let known = density.known[0].round() as u64;
        assert_eq!((known, density.spread[0]), (topic.messages, 0.0), "{}", topic.name);
    }
}

const TIMED: &str = "time at\nuint64 nanos\nuint32 uptime\nfloat64 data\nfloat64[] list\ntime[] times\nstring name\n";

/// Four, a second apart, with times that are so much later than they were received.
fn timed() -> impl Iterator<Item = Encoder> {
    (0..4_u32).map(|i| {
        let at = |encoder: Encoder, millis: u32| encoder.u32(drive::START_SEC + i).u32(millis * 1_000_000);
        let nanos = (u64::from(drive::START_SEC + i)) * 1_000_000_000 + 500_000_000;
        let head = at(Encoder::new(), 250).raw(&nanos.to_le_bytes()).u32(100 + i).f64(f64::from(i));
        let list = head.u32(2).f64s(&[1.0, 2.0]).u32(2);
        at(at(list, 100), 200).text("a name")
    })
}

#[test]
fn values_stand_at_the_times_that_a_field_says() {
    for (path, stamp_path, expected) in [
        ("/v.data", "/v.at", vec![250, 1250, 2250]),
        ("/v.data", "/v.nanos", vec![500, 1500, 2500]),
        ("/v.list[:]", "/v.times[:]", vec![100, 200, 1100, 1200, 2100, 2200]),
        ("/v.data + 1", "/v.times[1]", vec![200, 1200, 2200]),
    ] {
        let series = json!([{ "path": path, "stamp": "path", "stamp_path": stamp_path }]);
        let mut harness = plotted(TIMED, timed(), json!({ "series": series }), [600.0, 300.0]);
        assert_eq!(harness.state().state(), PanelState::Ready);
        harness.state_mut().command("Copy as CSV");
        let csv = harness.state().copied().expect("copied").to_owned();
        let times = csv.lines().skip(1).filter_map(|line| line.split(',').next()?.parse::<i64>().ok());
        let millis: Vec<i64> = times.map(|nanos| (nanos - drive::at(0).nanos()) / 1_000_000).collect();
        assert_eq!(millis, expected, "{path} at {stamp_path}");
    }
}

#[test]
fn a_field_that_is_no_time_is_named() {
    for (stamp_path, expected) in [
        ("/v.name", "/v.name is a string, and no time"),
        ("/v.atx", "The time /v.atx: "),
        (
            "/w.at",
            "/w.at is no time of a value of /v: a value and its time are of the same message",
        ),
        (
            "/v.uptime",
            "4 values of /v.data lie outside of the recording, by their times /v.uptime",
        ),
    ] {
        for (kind, config) in [("plot", "series"), ("states", "paths")] {
            let lane = json!([{ "path": "/v.data", "stamp": "path", "stamp_path": stamp_path }]);
            let messages = (0..).map(|i| i * 1_000_000_000).zip(timed());
            let (folder, path) = drive::one_topic("/v", "test_msgs/V", TIMED, messages);
            let mut stage = Stage::open(kind, &json!({ config: lane }), path);
            stage.keep(folder);
            let harness = show(stage, [600.0, 300.0], Theme::Dark);
            let state = format!("{:?}", harness.state().state());
            assert!(state.contains(expected), "{kind}: {state}");
        }
    }
}

#[test]
fn where_a_topic_has_no_messages_nothing_is_missing() {
    // chunks from 0.9 s to 1.4 s hold none of it
    let harness = show(
        plot(json!({ "series": [{ "path": "/gappy.data.@length" }] })),
        [700.0, 300.0],
        Theme::Dark,
    );
    assert_eq!(harness.state().state(), PanelState::Ready);
    let veil = roadreel::theme::palette(&harness.ctx.global_style().visuals)
        .hover
        .gamma_multiply(0.45);
    let mut veils = 0;
    each_shape(&harness, &mut |shape| {
        veils += usize::from(matches!(shape, egui::Shape::Rect(rect) if rect.fill == veil));
    });
    assert_eq!(veils, 0);
}

#[test]
fn labels_of_values_tell_even_steps_and_never_meet() {
    // a way of a few metres
    let messages = (0..50).map(|i| {
        let i = f64::from(i);
        Encoder::new().f64s(&[47.376_15 + i * 3.7e-6, 8.550_3 + i * 1e-6])
    });
    let config = json!({ "series": [{ "path": "/v.lat" }], "x_axis": "path", "x_path": "/v.lon", "equal_scale": true, "legend": false });
    let harness = plotted("float64 lat\nfloat64 lon\n", messages, config, [530.0, 260.0]);
    let mut labels: Vec<(String, egui::Rect)> = Vec::new();
    each_shape(&harness, &mut |shape| {
        if let egui::Shape::Text(text) = shape {
            labels.push((text.galley.text().to_owned(), text.visual_bounding_rect()));
        }
    });
    let mut latitudes: Vec<f64> = labels
        .iter()
        .filter(|l| l.0.starts_with("47"))
        .filter_map(|l| l.0.parse().ok())
        .collect();
    latitudes.sort_by(f64::total_cmp);
    let steps: Vec<i64> = latitudes.windows(2).map(|w| ((w[1] - w[0]) * 1e7).round() as i64).collect();
    assert!(steps.len() > 2 && steps.iter().all(|step| *step == steps[0]), "{labels:?}");
    for (n, (_, a)) in labels.iter().enumerate() {
        assert!(labels[..n].iter().all(|(_, b)| !a.intersects(*b)), "{labels:?}");
    }
}

#[test]
fn a_range_that_is_given_upside_down_is_the_same_range() {
    let config = |min: f64, max: f64| json!({ "series": [{ "path": X }], "y": { "mode": "manual", "min": min, "max": max } });
    let labels = |min, max| texts(&show(plot(config(min, max)), [500.0, 260.0], Theme::Dark));
    let upright = labels(-4.0, 6.0);
    assert!(upright.contains(&"4".to_owned()), "{upright:?}");
    assert_eq!(labels(6.0, -4.0), upright);
}

#[test]
fn numbers_between_minus_one_and_zero_have_all_their_digits() {
    use roadreel::panel::widget::number_text;
    assert_eq!(number_text(-0.123_456_789, 8), "-0.12346");
    assert_eq!(number_text(0.123_456_789, 8), "0.123457");
    assert_eq!(number_text(-1.123_456_789, 8), "-1.12346");
}

fn drag(harness: &mut Harness<Stage>, from: egui::Pos2, to: egui::Pos2, modifiers: Modifiers) {
    harness.hover_at(from);
    harness.run_ok();
    let button = |pos, pressed| egui::Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers,
    };
    harness.event(egui::Event::ModifiersChanged(modifiers));
    harness.event(button(from, true));
    harness.step();
    for part in 1..=4 {
        let at = from + (to - from) * (part as f32 / 4.0);
        harness.event(egui::Event::PointerMoved(at));
        harness.step();
    }
    harness.event(button(to, false));
    harness.run_ok();
}

#[test]
fn a_flat_box_zooms_into_time_alone() {
    let mut harness = show(plot(json!({ "series": [{ "path": X }] })), [420.0, 260.0], Theme::Dark);
    let hovered = |harness: &mut Harness<Stage>, x: f32| {
        harness.state_mut().actions.clear();
        harness.hover_at(pos2(x, 120.0));
        harness.run_ok();
        let last = harness.state().actions.iter().rev().find_map(|a| match a {
            Action::Hover(Some(t)) => Some(t.since(drive::at(0)) as f64 * 1e-9),
            _ => None,
        });
        last.expect("a time")
    };
    let (from, to) = (hovered(&mut harness, 150.0), hovered(&mut harness, 250.0));
    drag(&mut harness, pos2(150.0, 120.0), pos2(250.0, 123.0), Modifiers::SHIFT);
    let (left, right) = (hovered(&mut harness, 60.0), hovered(&mut harness, 400.0));
    assert!(
        left > from - 0.05 && right < to + 0.05 && right - left > (to - from) * 0.8,
        "{left}…{right} of {from}…{to}"
    );
}

/// The time at the left edge.
fn left_secs(harness: &mut Harness<Stage>) -> f64 {
    harness.state_mut().actions.clear();
    harness.hover_at(pos2(60.0, 120.0));
    harness.run_ok();
    let last = harness.state().actions.iter().rev().find_map(|a| match a {
        Action::Hover(Some(t)) => Some(t.since(drive::at(0)) as f64 * 1e-9),
        _ => None,
    });
    last.expect("a time")
}

#[test]
fn plots_that_are_linked_show_the_same_time() {
    for is_linked in [true, false] {
        let config = json!({ "series": [{ "path": X }], "sync_x": is_linked });
        let mut harness = show(plot(config), [420.0, 260.0], Theme::Dark);
        // another one was zoomed
        linked::share(&harness.ctx, Some((1.2, 1.5)));
        harness.run_ok();
        let left = left_secs(&mut harness);
        assert_eq!((1.2..1.25).contains(&left), is_linked, "{left}");
        // this one is
        drag(&mut harness, pos2(150.0, 120.0), pos2(250.0, 123.0), Modifiers::SHIFT);
        let (from, to) = linked::shared(&harness.ctx).expect("a range");
        let is_new = (from, to) != (1.2, 1.5);
        assert_eq!(is_new, is_linked, "{from}…{to}");
        assert!(from >= 1.2 && to <= 1.5 && from < to, "{from}…{to}");
    }
}

/// The speed grows from 10 to 11.98 m/s.
#[test]
fn the_y_axis_fits_what_is_visible() {
    for (range, low, high) in [(None, 10.0, 12.0), (Some((0.2, 0.4)), 10.2, 10.4), (Some((1.5, 1.6)), 11.5, 11.6)] {
        let mut harness = show(plot(json!({ "series": [{ "path": SPEED }] })), [420.0, 260.0], Theme::Dark);
        linked::share(&harness.ctx, range);
        harness.run_ok();
        let marks: Vec<f64> = texts(&harness).iter().filter_map(|text| text.parse().ok()).collect();
        let room = (high - low) * 0.2;
        let is_within = |mark: &f64| (low - room..=high + room).contains(mark);
        assert!(marks.len() >= 3 && marks.iter().all(is_within), "{range:?}: {marks:?}");
    }
}

#[test]
fn two_cursors_measure() {
    let mut harness = show(
        plot(json!({ "series": [{ "path": SPEED }], "cursors": [0.5, 1.5] })),
        [420.0, 260.0],
        Theme::Dark,
    );
    let before = harness.state().panel.config();
    assert_eq!(before["cursors"], json!([0.5, 1.5]));
    // dragged where it stands: at 1.5 of 2 s
    let width = |harness: &mut Harness<Stage>| harness.state().panel.config()["cursors"][1].as_f64().expect("seconds");
    let x = (40..415).find(|x| {
        harness.hover_at(pos2(*x as f32, 60.0));
        harness.step();
        harness.output().platform_output.cursor_icon == egui::CursorIcon::ResizeHorizontal && *x > 200
    });
    let x = x.expect("the cursor can be taken hold of") as f32 + 5.0;
    drag(&mut harness, pos2(x, 60.0), pos2(x - 60.0, 60.0), Modifiers::NONE);
    let moved = width(&mut harness);
    assert!(moved < 1.4 && moved > 0.8, "{moved}");
    assert!(harness.state().actions.iter().any(|a| matches!(a, Action::Changed)));
}

#[test]
fn a_dropped_field_becomes_a_series_and_with_shift_what_x_is_of() {
    for (modifiers, expect) in [(Modifiers::NONE, false), (Modifiers::SHIFT, true)] {
        let mut harness = show(plot(json!({ "series": [{ "path": X }] })), [420.0, 260.0], Theme::Dark);
        harness.hover_at(pos2(200.0, 120.0));
        harness.run_ok();
        egui::DragAndDrop::set_payload(&harness.ctx, DraggedPath(Y.into()));
        harness.event(egui::Event::ModifiersChanged(modifiers));
        harness.event(egui::Event::PointerButton {
            pos: pos2(200.0, 120.0),
            button: PointerButton::Primary,
            pressed: true,
            modifiers,
        });
        harness.step();
        egui::DragAndDrop::set_payload(&harness.ctx, DraggedPath(Y.into()));
        harness.event(egui::Event::PointerButton {
            pos: pos2(200.0, 120.0),
            button: PointerButton::Primary,
            pressed: false,
            modifiers,
        });
        harness.run_ok();
        let config = harness.state().panel.config();
        if expect {
            assert_eq!((&config["x_axis"], &config["x_path"]), (&json!("path"), &json!(Y)));
        } else {
            assert_eq!(config["series"][1]["path"], json!(Y));
        }
    }
}

#[test]
fn a_field_is_dragged_out_of_the_raw_tree() {
    let mut harness = show(
        Stage::new("raw", &json!({ "topic": "/vehicle/steering_report" })),
        [420.0, 300.0],
        Theme::Dark,
    );
    let row = harness.get_by_label("speed 11").rect();
    let from = row.left_center() + egui::vec2(30.0, 0.0);
    harness.hover_at(from);
    harness.run_ok();
    let press = egui::Event::PointerButton {
        pos: from,
        button: PointerButton::Primary,
        pressed: true,
        modifiers: Modifiers::NONE,
    };
    harness.event(press);
    harness.step();
    for x in 1..6 {
        harness.event(egui::Event::PointerMoved(from + egui::vec2(x as f32 * 8.0, 4.0)));
        harness.step();
    }
    let dragged = egui::DragAndDrop::payload::<DraggedPath>(&harness.ctx).expect("something is dragged");
    assert_eq!(dragged.0, SPEED);
}

/// Neighbours among large numbers are told apart, in the legend and along the axis.
#[test]
fn large_whole_numbers_have_all_their_digits() {
    let first = 9_007_199_254_740_000_i64;
    let messages = (0..20).map(|n| (n * 100_000_000, Encoder::new().raw(&(first + n * 10).to_le_bytes())));
    let (folder, path) = drive::one_topic("/big", "test_msgs/Big", "int64 count\n", messages);
    let mut stage = Stage::open("plot", &json!({ "series": [{ "path": "/big.count" }] }), path);
    stage.keep(folder);
    let shown = texts(&show(stage, [620.0, 260.0], Theme::Dark));
    // half a second after the start
    assert!(shown.iter().any(|text| text.trim() == "9007199254740050"), "{shown:?}");
    assert!(
        shown
            .iter()
            .filter(|text| text.starts_with("90071992547400") || text.starts_with("90071992547401"))
            .count()
            >= 3,
        "{shown:?}"
    );
}
