//! Accumulated state, transforms, series, playback.

use bytes::Bytes;
use proptest::prelude::*;
use roadreel::decode::Form;
use roadreel::store::{Lookup, Playback, Stamp, Want, What};
use roadreel::time::{Span, Time};

use super::fake::{FLOAT, MARKER, Recording, TF, World, float, float_of, t};
use crate::encode::Encoder;

fn stamp(e: Encoder, at: Time) -> Encoder {
    let (secs, nanos) = (at.0.div_euclid(1_000_000_000), at.0.rem_euclid(1_000_000_000));
    e.u32(0).u32(secs as u32).u32(nanos as u32)
}

/// One transform along x.
fn tf(at: Time, parent: &str, child: &str, x: f64) -> Bytes {
    let e = stamp(Encoder::new().u32(1), at).text(parent).text(child);
    Bytes::copy_from_slice(e.f64s(&[x, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]).bytes())
}

/// action: 0 add, 2 delete, 3 delete all.
fn marker(ns: &str, id: i32, action: i32, lifetime_millis: i32) -> Bytes {
    let e = stamp(Encoder::new(), t(0)).text("map").text(ns).i32(id).i32(1).i32(action);
    marker_rest(e, lifetime_millis)
}

/// One that lasts.
fn marker_in(frame: &str, at: Option<Time>, id: i32) -> Bytes {
    let e = stamp(Encoder::new(), at.unwrap_or(Time(0)))
        .text(frame)
        .text("")
        .i32(id)
        .i32(1)
        .i32(0);
    marker_rest(e, 0)
}

fn marker_rest(e: Encoder, lifetime_millis: i32) -> Bytes {
    let e = e.f64s(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]).f64s(&[1.0; 3]);
    let e = (0..4).fold(e, |e, _| e.f32(1.0));
    let e = e.i32(lifetime_millis / 1000).i32(lifetime_millis % 1000 * 1_000_000).u8(0);
    Bytes::copy_from_slice(e.u32(0).u32(0).text("").text("").u8(0).bytes())
}

fn want(world: &World, topic: &str, form: Form) -> Want {
    Want {
        topic: world.topic(topic),
        what: What::Latest(form),
    }
}

/// (receive time in milliseconds, payload), four to a chunk.
fn recording(topic: &str, type_name: &str, definition: &str, messages: Vec<(i64, Bytes)>) -> Recording {
    let mut recording = Recording::default();
    let connection = recording.topic(topic, type_name, definition, false);
    for chunk in messages.chunks(4) {
        recording
            .chunks
            .push(chunk.iter().map(|(at, p)| (connection, t(*at), p.clone())).collect());
    }
    recording
}

fn alive(world: &World, topic: &str) -> String {
    match world.store.markers(world.topic(topic)) {
        Lookup::Ready(set) => set
            .markers
            .iter()
            .map(|m| format!("{}{}", m.1.ns, m.1.id))
            .collect::<Vec<_>>()
            .join(" "),
        other => format!("{other:?}"),
    }
}

#[test]
fn markers_are_added_replaced_deleted_and_expire() {
    let messages = vec![
        (10, marker("lane", 1, 0, 0)),
        (20, marker("cone", 1, 0, 0)),
        (30, marker("car", 7, 0, 100)),
        (40, marker("lane", 2, 0, 0)),
        (60, marker("cone", 1, 2, 0)),
        (200, marker("cone", 1, 0, 0)),
        (220, marker("", 0, 3, 0)),
        (240, marker("late", 1, 0, 0)),
    ];
    let mut world = World::local(1 << 30, recording("/m", "visualization_msgs/Marker", MARKER, messages));
    let wants = [want(&world, "/m", Form::Markers)];
    let mut seen = Vec::new();
    for at in [250, 5, 10, 45, 60, 130, 131, 205, 220, 45] {
        world.seek(t(at), &wants);
        seen.push(format!("{at}: {}", alive(&world, "/m")));
    }
    let expected = [
        "250: late1",
        "5: Absent",
        "10: lane1",
        "45: lane1 cone1 car7 lane2",
        "60: lane1 car7 lane2",
        "130: lane1 car7 lane2",
        "131: lane1 lane2",
        "205: lane1 lane2 cone1",
        "220: ",
        "45: lane1 cone1 car7 lane2",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_marker_set_keeps_its_key_while_it_is_the_same() {
    let messages = (0..400).map(|i| (i * 10, marker("a", (i / 10) as i32, 0, 0))).collect();
    let mut world = World::local(1 << 30, recording("/m", "visualization_msgs/Marker", MARKER, messages));
    let wants = [want(&world, "/m", Form::Markers)];
    let key = |world: &World| match world.store.markers(world.topic("/m")) {
        Lookup::Ready(set) => (set.key, set.looked_back),
        other => panic!("{other:?}"),
    };
    world.seek(t(1001), &wants);
    let first = key(&world);
    world.seek(t(1009), &wants);
    assert_eq!(key(&world), first);
    world.seek(t(1011), &wants);
    assert_ne!(key(&world).0, first.0);
    assert_eq!(first.1, None);
}

#[test]
fn markers_of_a_large_remote_recording_say_how_far_they_look_back() {
    let mut recording = recording(
        "/m",
        "visualization_msgs/Marker",
        MARKER,
        (0..400).map(|i| (i * 10, marker("a", i as i32, 0, 0))).collect(),
    );
    recording.chunk_bytes = 1 << 20;
    let mut world = World::remote(1 << 30, recording);
    let wants = [want(&world, "/m", Form::Markers)];
    world.seek(t(2005), &wants);
    let cold = alive(&world, "/m");
    match world.store.markers(world.topic("/m")) {
        Lookup::Ready(set) => assert_eq!(set.looked_back, Some((t(1960), 49 << 20))),
        other => panic!("{other:?}"),
    }
    for at in [100, 3000, 1500, 2005] {
        world.seek(t(at), &wants);
    }
    assert_eq!(alive(&world, "/m"), cold, "the way there leaves no trace");
    world.store.read_whole(world.topic("/m"));
    world.seek(t(2005), &wants);
    match world.store.markers(world.topic("/m")) {
        Lookup::Ready(set) => assert_eq!((set.looked_back, set.markers.len()), (None, 201)),
        other => panic!("{other:?}"),
    }
}

/// Two static publishers, a moving robot, and a tree apart.
fn robot() -> Recording {
    let mut recording = Recording::default();
    let first = recording.topic("/tf_static", "tf2_msgs/TFMessage", TF, true);
    let second = recording.topic("/tf_static", "tf2_msgs/TFMessage", TF, true);
    let tf_moving = recording.topic("/tf", "tf2_msgs/TFMessage", TF, false);
    recording.chunks.push(vec![
        (first, t(0), tf(t(0), "base", "lidar", 1.0)),
        (second, t(1), tf(t(1), "base", "camera", 2.0)),
        (second, t(2), tf(t(2), "island", "hut", 2.0)),
    ]);
    for chunk in 0..20_i64 {
        let message = |i: i64| {
            let at = chunk * 100 + i * 10;
            (tf_moving, t(at + 5), tf(t(at), "map", "base", at as f64))
        };
        recording.chunks.push((0..10).map(message).collect());
    }
    recording.chunks.push(vec![(first, t(2500), tf(t(2500), "base", "lidar", 5.0))]);
    recording
}

fn lookup(world: &World, target: &str, source: &str, at: i64) -> String {
    match world.store.transforms().lookup(target, source, t(at)) {
        Ok(m) => format!("{:.1}", m.translation.x),
        Err(sentence) => sentence,
    }
}

#[test]
fn transforms_are_looked_up_through_the_tree() {
    for remote in [false, true] {
        let mut world = if remote {
            let mut recording = robot();
            recording.chunk_bytes = 4 << 20;
            World::remote(1 << 30, recording)
        } else {
            World::local(1 << 30, robot())
        };
        let wants = [want(&world, "/tf", Form::Transforms)];
        world.seek(t(1007), &wants);
        assert_eq!(lookup(&world, "map", "lidar", 1000), "1001.0");
        assert_eq!(lookup(&world, "map", "lidar", 996), "997.0", "interpolated");
        assert_eq!(lookup(&world, "camera", "lidar", 0), "-1.0");
        assert_eq!(lookup(&world, "/map", "/base", 5000), "1000.0", "what comes later is not known yet");
        assert_eq!(
            lookup(&world, "map", "hut", 1000),
            "“hut” and “map” are in two separate trees: “island” is the root of the one, “map” of the other"
        );
        assert_eq!(
            lookup(&world, "map", "wheel", 1000),
            "there is no frame “wheel” at the playhead; there are base, camera, hut, island, lidar, map"
        );
        world.seek(t(3000), &wants);
        assert_eq!(
            lookup(&world, "base", "lidar", 0),
            "5.0",
            "a later static transform replaces the earlier"
        );
        world.seek(t(1007), &wants);
        assert_eq!(lookup(&world, "map", "lidar", 1000), "1001.0");
        let roots: Vec<String> = world.store.transforms().roots().iter().map(|r| r.to_string()).collect();
        assert_eq!(roots, ["map", "island"]);
        assert_eq!(world.store.transforms().parent("lidar").as_deref(), Some("base"));
    }
}

#[test]
fn no_transforms_and_loops_are_said() {
    let mut world = World::local(
        1 << 30,
        recording(
            "/tf",
            "tf2_msgs/TFMessage",
            TF,
            vec![(100, tf(t(100), "a", "b", 1.0)), (101, tf(t(100), "b", "a", 1.0))],
        ),
    );
    let wants = [want(&world, "/tf", Form::Transforms)];
    world.seek(t(0), &wants);
    assert_eq!(
        lookup(&world, "a", "b", 0),
        "no transform from “b” to “a”: no transforms have been received up to the playhead"
    );
    world.seek(t(200), &wants);
    assert_eq!(lookup(&world, "a", "b", 0), "the transform tree has a loop: b → a → b");
}

/// Fifty seeks in a drive with markers and transforms give what cold starts give.
#[test]
fn accumulated_state_does_not_depend_on_the_way() {
    let drive = || {
        let mut recording = robot();
        recording.chunk_bytes = 3 << 20;
        let m = recording.topic("/m", "visualization_msgs/Marker", MARKER, false);
        for chunk in 1..20_i64 {
            for i in 0..3 {
                let at = chunk * 100 + i * 30 - 100;
                let action = if (chunk + i) % 7 == 0 { 2 } else { 0 };
                let lifetime = if chunk % 5 == 0 { 90 } else { 0 };
                recording.chunks[chunk as usize].push((m, t(at), marker("m", ((chunk * i) % 11) as i32, action, lifetime)));
            }
        }
        recording
    };
    let shown = |world: &World, at: i64| {
        format!(
            "{} {} {}",
            alive(world, "/m"),
            lookup(world, "map", "lidar", at),
            lookup(world, "map", "lidar", at - 300)
        )
    };
    for remote in [false, true] {
        let open = || {
            if remote {
                World::remote(1 << 30, drive())
            } else {
                World::local(1 << 30, drive())
            }
        };
        let mut world = open();
        let wants = [want(&world, "/tf", Form::Transforms), want(&world, "/m", Form::Markers)];
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..50 {
            let at = random.i64(0..2600);
            world.seek(t(at), &wants);
            let mut cold = open();
            cold.seek(t(at), &wants);
            assert_eq!(shown(&world, at), shown(&cold, at), "at {at}, remote {remote}");
        }
    }
}

fn series_world(points: &[(i64, f64)]) -> (World, Want) {
    let messages = points.iter().map(|(at, v)| (*at, float(*v))).collect();
    let mut world = World::local(1 << 30, recording("/a", "std_msgs/Float64", FLOAT, messages));
    let want = Want {
        topic: world.topic("/a"),
        what: What::Series {
            path: "/a.data".into(),
            stamp: Stamp::Receive,
            span: Span::ALL,
        },
    };
    world.seek(t(3), std::slice::from_ref(&want));
    (world, want)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() })]

    /// Each column shows its exact extremes, its first and its last point, in time order, and few points.
    #[test]
    fn decimation_never_hides_a_peak(
        values in prop::collection::vec(-1e6..1e6_f64, 1..6000),
        columns in 1..300_usize,
        (from, to) in (0..3000_i64, 3000..7000_i64),
    ) {
        let points: Vec<(i64, f64)> = values.iter().enumerate().map(|(i, v)| (i as i64, *v)).collect();
        let (world, want) = series_world(&points);
        let series = world.store.series(want.topic, "/a.data", &Stamp::Receive).expect("a series");
        prop_assert!(series.is_complete(Span::ALL));
        let span = Span::new(t(from), t(to));
        let shown = series.decimated(span, columns);
        prop_assert!(shown.is_sorted_by_key(|p| p.0));
        let inside: Vec<_> = shown.iter().filter(|p| span.contains(p.0)).copied().collect();
        prop_assert!(inside.len() <= columns * 5);
        let width = i128::from(to - from) * 1_000_000;
        for column in 0..columns as i128 {
            let holds = |at: Time| {
                let offset = i128::from(at.0 - span.start.0);
                let (start, end) = (width * column / columns as i128, width * (column + 1) / columns as i128);
                // The last column is closed.
                offset >= start && (offset < end || (column + 1 == columns as i128 && offset <= width))
            };
            let mut all = points.iter().map(|(at, v)| (t(*at), *v)).filter(|p| holds(p.0));
            let mut drawn = inside.iter().copied().filter(|p| holds(p.0));
            let extent = |points: &mut dyn Iterator<Item = (Time, f64)>| {
                points.fold(None, |e: Option<(f64, f64)>, p| Some(e.map_or((p.1, p.1), |e| (e.0.min(p.1), e.1.max(p.1)))))
            };
            prop_assert_eq!(extent(&mut all.clone()), extent(&mut drawn.clone()));
            prop_assert_eq!(all.clone().next(), drawn.clone().next());
            prop_assert_eq!(all.next_back(), drawn.next_back());
        }
        let expected = points.iter().filter(|p| from <= p.0 && p.0 <= to).fold(None, |e: Option<(f64, f64)>, p| {
            Some(e.map_or((p.1, p.1), |e| (e.0.min(p.1), e.1.max(p.1))))
        });
        prop_assert_eq!(series.min_max(span), expected);
    }
}

#[test]
fn what_is_no_number_is_a_gap() {
    let mut points: Vec<(i64, f64)> = (0..1000).map(|i| (i, 1.0)).collect();
    points[500].1 = f64::NAN;
    let (world, want) = series_world(&points);
    let series = world.store.series(want.topic, "/a.data", &Stamp::Receive).expect("a series");
    let shown = series.decimated(Span::new(t(0), t(1000)), 10);
    assert_eq!(shown.iter().filter(|p| p.1.is_nan()).map(|p| p.0).collect::<Vec<_>>(), [t(500)]);
    assert_eq!(series.value_at(t(500)), None);
    assert_eq!(series.value_at(t(501)), Some(1.0));
    assert_eq!(series.min_max(Span::ALL), Some((1.0, 1.0)));
}

#[test]
fn a_path_that_is_not_there_is_said() {
    let (mut world, want) = series_world(&[(0, 1.0)]);
    let wrong = Want {
        what: What::Series {
            path: "/a.wheel.speed".into(),
            stamp: Stamp::Receive,
            span: Span::ALL,
        },
        ..want
    };
    world.seek(t(0), &[wrong]);
    let series = world.store.series(want.topic, "/a.wheel.speed", &Stamp::Receive).expect("a series");
    assert!(series.error().is_some_and(|e| e.contains("wheel")), "{:?}", series.error());
    assert!(!world.store.status().waiting);
}

#[test]
fn playback_stops_wraps_and_waits() {
    let span = Span::new(t(0), t(1000));
    let mut play = Playback {
        now: t(900),
        playing: true,
        speed: 2.0,
        looping: None,
    };
    play.tick(20_000_000, span, false);
    assert_eq!(play.now, t(940));
    play.tick(20_000_000, span, true);
    assert_eq!(play.now, t(940));
    play.tick(60_000_000, span, false);
    assert_eq!((play.now, play.playing), (t(1000), false));
    play = Playback {
        now: t(10),
        playing: true,
        speed: -1.0,
        looping: Some(Span::new(t(0), t(100))),
    };
    play.tick(30_000_000, span, false);
    assert_eq!((play.now, play.playing), (t(80), true));
    play.tick(90_000_000, Span::new(t(0), t(60)), false);
    assert_eq!(play.now, t(50), "a loop reaches no further than the recording");
    (play.now, play.speed, play.looping) = (t(990), 1.0, Some(Span::ALL));
    play.tick(30_000_000, span, false);
    assert_eq!((play.now, play.playing), (t(20), true), "all of it, as far as it is known");
    (play.now, play.speed, play.looping) = (t(80), -1.0, None);
    play.tick(80_000_000, span, false);
    assert_eq!((play.now, play.playing), (t(0), false));
}

#[test]
fn a_quick_topic_shows_the_newest_decoded_message_in_play() {
    let messages = (1..=4).map(|i| (10 * i, float(i as f64))).collect();
    let mut world = World::local(1 << 20, recording("/speed", "std_msgs/Float64", FLOAT, messages));
    let (topic, wants) = (world.topic("/speed"), [want(&world, "/speed", Form::Value)]);
    world.seek(t(20), &wants);
    // the playhead has reached the next message, which nobody has decoded yet
    world.store.demand(t(30), 1.0, &wants);
    assert!(matches!(world.store.latest(topic, Form::Value), Lookup::Pending));
    let shown = world
        .store
        .latest_decoded(topic, Form::Value)
        .map(|e| (e.time, float_of(&e.decoded)));
    assert_eq!(shown, Some((t(20), 2.0)));
    // never one from after the playhead
    world.seek(t(40), &wants);
    world.store.demand(t(10), 1.0, &wants);
    assert!(world.store.latest_decoded(topic, Form::Value).is_none());
}

const POSE: &str = "std_msgs/Header header\ngeometry_msgs/Pose pose\n\
===\nMSG: std_msgs/Header\nuint32 seq\ntime stamp\nstring frame_id\n\
===\nMSG: geometry_msgs/Pose\ngeometry_msgs/Point position\ngeometry_msgs/Quaternion orientation\n\
===\nMSG: geometry_msgs/Point\nfloat64 x\nfloat64 y\nfloat64 z\n\
===\nMSG: geometry_msgs/Quaternion\nfloat64 x\nfloat64 y\nfloat64 z\nfloat64 w\n";

/// A robot that drives at one metre a millisecond in a large remote recording, with a pose a tenth of a second, a pose that comes
/// 1.5 s late, and two cubes that were put down at 300 ms and 900 ms: one with a stamp, one without.
fn traveller() -> Recording {
    let mut recording = Recording::default();
    let moving = recording.topic("/tf", "tf2_msgs/TFMessage", TF, false);
    let poses = recording.topic("/pose", "geometry_msgs/PoseStamped", POSE, false);
    let late = recording.topic("/late", "geometry_msgs/PoseStamped", POSE, false);
    let cubes = recording.topic("/cubes", "visualization_msgs/Marker", MARKER, false);
    let pose = |at: i64| {
        let e = stamp(Encoder::new(), t(at)).text("base").f64s(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        Bytes::copy_from_slice(e.bytes())
    };
    for chunk in 0..50_i64 {
        let at = chunk * 100;
        let mut messages: Vec<_> = (0..10)
            .map(|i| (moving, t(at + i * 10), tf(t(at + i * 10), "map", "base", (at + i * 10) as f64)))
            .collect();
        messages.push((poses, t(at), pose(at)));
        messages.push((late, t(at), pose(at - 1500)));
        match chunk {
            3 => messages.push((cubes, t(305), marker_in("base", Some(t(300)), 1))),
            9 => messages.push((cubes, t(900), marker_in("base", None, 2))),
            _ => {}
        }
        recording.chunks.push(messages);
    }
    recording.chunk_bytes = 1 << 20;
    recording
}

#[test]
fn transforms_reach_back_as_far_as_what_is_shown() {
    let trail = |world: &World| Want {
        topic: world.topic("/pose"),
        what: What::Trail {
            form: Form::Pose,
            window_nanos: 3_000_000_000,
        },
    };
    let seen = |wants: &dyn Fn(&World) -> Vec<Want>| {
        let mut world = World::remote(1 << 30, traveller());
        let mut wants = wants(&world);
        wants.push(want(&world, "/tf", Form::Transforms));
        world.seek(t(4007), &wants);
        [300, 900, 1100, 2400, 2500, 3800].map(|at| (lookup(&world, "map", "base", at) == format!("{at}.0")).then_some(at))
    };
    assert_eq!(seen(&|_| Vec::new()), [None, None, None, None, None, Some(3800)], "half a second");
    let [.., a, b, c, d] = seen(&|world| vec![trail(world)]);
    assert_eq!(
        [a, b, c, d],
        [Some(1100), Some(2400), Some(2500), Some(3800)],
        "a trail of three seconds"
    );
    assert_eq!(
        seen(&|world| vec![want(world, "/late", Form::Pose)])[4],
        Some(2500),
        "a message that came late"
    );
    assert_eq!(
        seen(&|world| vec![want(world, "/cubes", Form::Markers)])[..2],
        [Some(300), Some(900)],
        "markers that stay where they were put"
    );
}
