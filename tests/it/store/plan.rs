//! What is read, when and together; budgets; sources.

use std::path::PathBuf;

use roadreel::decode::Form;
use roadreel::source::Location;
use roadreel::store::{Deadline, Event, Lookup, SourceState, Stamp, Store, Want, What, Work};
use roadreel::time::Span;

use crate::encode::Encoder;

use super::fake::{FLOAT, Recording, World, float, t};

const PADDED: &str = "float64 data\nuint8[] padding\n";

/// Ten chunks of 100 ms: `/a` at 100 Hz, `/b` at 10 Hz, `/once` in the first chunk; each payload padded to `payload` bytes.
fn drive(chunks: i64, payload: usize, chunk_bytes: u64) -> Recording {
    let mut recording = Recording {
        chunk_bytes,
        ..Recording::default()
    };
    let a = recording.topic("/a", "fake_msgs/Padded", PADDED, false);
    let b = recording.topic("/b", "fake_msgs/Padded", PADDED, false);
    let once = recording.topic("/once", "fake_msgs/Padded", PADDED, false);
    let padded = |v: f64| {
        let message = Encoder::new().f64(v).counted(&vec![0; payload]);
        bytes::Bytes::copy_from_slice(message.bytes())
    };
    for chunk in 0..chunks {
        let mut messages = Vec::new();
        for i in 0..10 {
            messages.push((a, t(chunk * 100 + i * 10), padded((chunk * 10 + i) as f64)));
        }
        messages.push((b, t(chunk * 100 + 50), padded(chunk as f64)));
        if chunk == 0 {
            messages.push((once, t(1), padded(1.0)));
        }
        recording.chunks.push(messages);
    }
    recording
}

fn latest(world: &World, topics: &[&str]) -> Vec<Want> {
    let want = |name: &&str| Want {
        topic: world.topic(name),
        what: What::Latest(Form::Value),
    };
    topics.iter().map(want).collect()
}

fn series(world: &World, topic: &str, span: Span) -> Want {
    Want {
        topic: world.topic(topic),
        what: What::Series {
            path: format!("{topic}.data").into(),
            stamp: Stamp::Receive,
            span,
        },
    }
}

#[test]
fn a_seek_reads_each_chunk_once_for_all_topics_in_one_round() {
    let mut world = World::remote(1 << 30, drive(100, 8, 1 << 18));
    let mut wants = latest(&world, &["/a", "/b", "/once"]);
    wants.push(series(&world, "/a", Span::new(t(5040), t(5060))));
    world.store.demand(t(5045), 0.0, &wants);
    world.take();
    let mut chunks: Vec<(u32, Vec<u32>)> = world.reads.iter().flat_map(|r| r.1.clone()).collect();
    chunks.sort();
    // The chunk of the playhead, the one before it (there /b surely has a message), and the only one of /once.
    assert_eq!(chunks, [(0, vec![2]), (49, vec![0, 1]), (50, vec![0, 1])]);
    assert!(world.reads.iter().all(|r| r.0 == Deadline::Playhead));
    assert_eq!(world.reads.len(), 2, "neighbours are one request");
    world.settle();
    assert_eq!(world.reads.len(), 2);
    assert!(!world.store.status().waiting);
}

#[test]
fn a_second_want_reads_only_what_is_missing() {
    let mut world = World::local(1 << 30, drive(10, 8, 1 << 20));
    let a = latest(&world, &["/a"]);
    world.seek(t(555), &a);
    world.reads.clear();
    let both = latest(&world, &["/a", "/b"]);
    world.seek(t(555), &both);
    assert!(world.reads.iter().flat_map(|r| &r.1).all(|c| c.1 == [1]), "{:?}", world.reads);
    world.reads.clear();
    world.seek(t(556), &both);
    assert!(world.reads.is_empty());
}

#[test]
fn a_seek_calls_off_what_is_useless_now() {
    let mut world = World::remote(1 << 30, drive(100, 8, 1 << 18));
    let wants = latest(&world, &["/a"]);
    world.store.demand(t(1055), 0.0, &wants);
    world.take();
    assert_eq!(world.pending.len(), 1);
    world.store.demand(t(8055), 0.0, &wants);
    world.take();
    assert_eq!(world.cancelled, 1);
    assert_eq!(world.pending.len(), 1);
    world.settle();
    assert!(matches!(world.store.latest(wants[0].topic, Form::Value), Lookup::Ready(_)));
}

#[test]
fn a_seek_keeps_reads_that_still_serve() {
    let mut world = World::remote(1 << 30, drive(100, 8, 1 << 20));
    let wants = latest(&world, &["/once"]);
    world.store.demand(t(1055), 0.0, &wants);
    world.take();
    world.store.demand(t(8055), 0.0, &wants);
    world.take();
    assert_eq!((world.cancelled, world.reads.len()), (0, 1));
}

#[test]
fn background_waits_for_the_playhead_and_works_outward() {
    let mut world = World::local(1 << 30, drive(100, 8, 1 << 20));
    let mut wants = latest(&world, &["/b"]);
    wants.push(series(&world, "/a", Span::ALL));
    world.store.demand(t(5055), 0.0, &wants);
    world.take();
    assert!(world.reads.iter().all(|r| r.0 == Deadline::Playhead));
    world.settle();
    let background: Vec<u32> = world
        .reads
        .iter()
        .filter(|r| r.0 == Deadline::Background)
        .flat_map(|r| r.1.iter().map(|c| c.0))
        .collect();
    assert_eq!(background.len(), 98);
    assert!(background[..4].iter().all(|c| (46..=54).contains(c)), "{background:?}");
    let series = world.store.series(wants[1].topic, "/a.data", &Stamp::Receive).expect("a series");
    assert!(series.is_complete(Span::ALL));
    assert_eq!(series.len(), 1000);
    assert_eq!(series.loaded(), [Span::new(t(0), t(9990))]);
    assert_eq!(series.value_at(t(5055)), Some(505.0));
}

#[test]
fn held_background_reads_nothing_but_the_playhead() {
    let mut world = World::local(1 << 30, drive(100, 8, 1 << 20));
    let mut wants = latest(&world, &["/b"]);
    wants.push(series(&world, "/a", Span::ALL));
    world.store.hold_background(true);
    world.seek(t(5055), &wants);
    assert_eq!(world.reads.len(), 2);
    let series = world.store.series(wants[1].topic, "/a.data", &Stamp::Receive).expect("a series");
    assert_eq!(series.value_at(t(5055)), Some(505.0));
    world.store.hold_background(false);
    world.settle();
    assert_eq!(world.reads.len(), 100);
}

#[test]
fn large_remote_recordings_are_read_whole_only_when_asked() {
    let mut world = World::remote(1 << 30, drive(100, 8, 1 << 20));
    let a = world.topic("/a");
    assert_eq!(world.store.whole_cost_bytes(a), Some(100 << 20));
    assert_eq!(world.store.whole_cost_bytes(world.topic("/once")), None);
    let span = world.store.series_span(a, t(5055));
    assert!(span.nanos() < 13_000_000_000);
    assert_eq!(world.store.series_span(a, t(5056)), span, "small moves ask for nothing new");
    world.store.read_whole(a);
    assert_eq!(world.store.series_span(a, t(5056)), Span::new(t(0), t(9990)));
}

#[test]
fn remote_background_reads_are_joined_up_to_eight_mebibytes() {
    let mut world = World::remote(1 << 30, drive(100, 8, 1 << 20));
    world.store.read_whole(world.topic("/a"));
    let wants = [series(&world, "/a", Span::ALL)];
    world.seek(t(0), &wants);
    let largest = world.reads.iter().map(|r| r.1.len()).max();
    assert_eq!(largest, Some(8));
    assert!(world.reads.len() <= 15, "{}", world.reads.len());
}

#[test]
fn play_reads_ahead_and_pause_does_not() {
    let mut world = World::remote(1 << 30, drive(400, 8, 1 << 20));
    let wants = latest(&world, &["/a"]);
    world.seek(t(1055), &wants);
    assert!(world.reads.iter().all(|r| r.0 == Deadline::Playhead));
    world.reads.clear();
    world.store.demand(t(1056), 1.0, &wants);
    world.settle();
    let ahead: Vec<u32> = world.reads.iter().flat_map(|r| r.1.iter().map(|c| c.0)).collect();
    assert!(ahead.len() >= 99 && ahead.len() <= 102, "{}", ahead.len());
    assert!(world.reads.iter().all(|r| matches!(r.0, Deadline::Ahead { .. })));
    world.reads.clear();
    for step in 0..200 {
        world.store.demand(t(1056 + step * 16), 1.0, &wants);
        assert!(!world.store.status().buffering);
        world.settle();
    }
}

#[test]
fn memory_stays_within_the_budget() {
    let budget = 4 << 20;
    // A chunk of /a weighs 200 KB: 20 MB in all.
    let mut world = World::local(budget, drive(100, 20_000, 1 << 20));
    let wants = latest(&world, &["/a", "/b"]);
    for step in 0..300 {
        world.store.demand(t(step * 33), 1.0, &wants);
        world.settle();
        assert!(matches!(world.store.latest(wants[0].topic, Form::Value), Lookup::Ready(_)));
    }
    for to in [9000, 100, 5000, 7000, 20] {
        world.seek(t(to), &wants);
    }
    assert!(world.max_memory <= budget, "{}", world.max_memory);
    assert!(world.store.status().failures.is_empty());
    let loaded = world.store.loaded(wants[0].topic);
    assert!(!loaded.is_empty() && loaded.iter().map(|s| s.nanos()).sum::<i64>() < 9_000_000_000);
}

#[test]
fn what_does_not_fit_the_budget_is_said() {
    let mut world = World::local(100_000, drive(10, 20_000, 1 << 20));
    let wants = latest(&world, &["/a"]);
    world.seek(t(555), &wants);
    assert!(matches!(world.store.latest(wants[0].topic, Form::Value), Lookup::Ready(_)));
    let failures = world.store.status().failures;
    assert!(failures.iter().any(|f| f.contains("--memory")), "{failures:?}");
}

#[test]
fn failures_are_sentences_and_tried_again_after_a_seek_only() {
    let mut world = World::remote(1 << 30, drive(100, 8, 1 << 18));
    let wants = latest(&world, &["/a"]);
    world.store.demand(t(555), 0.0, &wants);
    world.take();
    world.run(0, true);
    for _ in 0..10 {
        world.store.demand(t(555), 0.0, &wants);
        world.take();
        assert!(world.pending.is_empty(), "no busy loop");
    }
    let status = world.store.status();
    assert!(!status.waiting_at_playhead);
    assert_eq!(status.failures, ["the server said no".into()]);
    match world.store.latest(wants[0].topic, Form::Value) {
        Lookup::Failed(sentence) => assert_eq!(&*sentence, "the server said no"),
        other => panic!("{other:?}"),
    }
    world.seek(t(556), &wants);
    assert!(matches!(world.store.latest(wants[0].topic, Form::Value), Lookup::Ready(_)));
    let failures = world.store.status().failures;
    assert!(failures.is_empty(), "what was read after all has not failed: {failures:?}");
}

#[test]
fn failures_that_stay_are_dismissed_by_the_user() {
    let mut world = World::remote(1 << 30, drive(100, 8, 1 << 20));
    let wants = latest(&world, &["/a"]);
    world.store.demand(t(555), 0.0, &wants);
    world.take();
    world.run(0, true);
    assert_eq!(world.store.status().failures.len(), 1);
    world.store.dismiss_failures();
    assert!(world.store.status().failures.is_empty());
}

fn part(path: &str, from: i64, definition: &str, topic: &str) -> (Location, Option<std::sync::Arc<dyn roadreel::format::Container>>) {
    let mut recording = Recording::default();
    let a = recording.topic(topic, "std_msgs/Float64", definition, false);
    recording
        .chunks
        .push((0..10).map(|i| (a, t(from + i * 10), float((from + i) as f64))).collect());
    (Location::Path(PathBuf::from(path)), Some(recording.container()))
}

fn names(world: &World) -> Vec<String> {
    world.store.topics().iter().map(|t| format!("{} {}", t.name, t.messages)).collect()
}

#[test]
fn split_parts_join_and_others_get_a_prefix() {
    let world = World::of(
        1 << 30,
        vec![
            part("/d/drive_0.bag", 0, FLOAT, "/a"),
            part("/d/drive_1.bag", 90, FLOAT, "/a"),
            part("/d/other.bag", 0, FLOAT, "/a"),
            (Location::Path("/d/broken.bag".into()), None),
            part("/d/drive_2.bag", 180, "float64 data # changed\n", "/a"),
        ],
    );
    assert_eq!(names(&world), ["/a 20", "/drive_2/a 10", "/other/a 10"]);
    assert_eq!(world.store.span(), Some(Span::new(t(0), t(270))));
    assert_eq!(world.store.sources()[3].state, SourceState::Failed("broken".into()));
    assert_eq!(&*world.store.sources()[2].prefix, "/other");
}

#[test]
fn names_do_not_depend_on_which_file_is_read_first() {
    let files = || vec![part("/d/x.bag", 0, FLOAT, "/a"), part("/d/y.bag", 50, FLOAT, "/a")];
    let cold = World::of(1 << 30, files());
    assert_eq!(names(&cold), ["/a 10", "/y/a 10"]);
    // the first one does not answer for a while
    let mut store = Store::new(1 << 30);
    store.open(files().into_iter().map(|(location, _)| location).collect());
    let mut open = |source: u32| {
        store.apply(Event::Opened {
            source,
            container: files().swap_remove(source as usize).1.expect("a recording"),
            done: true,
            done_fraction: 1.0,
        });
        let status = store.status();
        let names: Vec<String> = store.topics().iter().map(|t| format!("{} {:?}", t.name, t.id)).collect();
        format!("{} buffering: {} waiting: {}", names.join(", "), status.buffering, status.waiting)
    };
    assert_eq!(open(1), "/a TopicId(0) buffering: false waiting: true");
    assert_eq!(open(0), "/a TopicId(1), /y/a TopicId(0) buffering: false waiting: false");
}

#[test]
fn parts_are_of_one_folder_and_one_name() {
    for (files, expected) in [
        // the same part of two cars
        (
            [("/carA/drive_0.bag", 0), ("/carB/drive_0.bag", 54)],
            vec!["/a 10", "/drive_0/a 10"],
        ),
        (
            [("/carA/drive_0.bag", 0), ("/carB/drive_1.bag", 54)],
            vec!["/a 10", "/drive_1/a 10"],
        ),
        // parts whose ends overlap, and copies of one
        ([("/d/drive_0.bag", 0), ("/d/drive_1.bag", 54)], vec!["/a 20"]),
        ([("/d/drive_0.bag", 0), ("/d/drive_1.bag", 10)], vec!["/a 10", "/drive_1/a 10"]),
        // other times are other parts, whatever their names
        ([("/d/monday.bag", 0), ("/e/tuesday.bag", 90)], vec!["/a 20"]),
    ] {
        let parts = files.iter().map(|(path, from)| part(path, *from, FLOAT, "/a")).collect();
        assert_eq!(names(&World::of(1 << 30, parts)), expected, "{files:?}");
    }
    // a last part that is all but within the one before
    let mut last = Recording::default();
    let a = last.topic("/a", "std_msgs/Float64", FLOAT, false);
    last.chunks.push(vec![(a, t(80), float(0.0)), (a, t(92), float(0.0))]);
    let last = (Location::Path("/d/drive_1.bag".into()), Some(last.container()));
    let world = World::of(1 << 30, vec![part("/d/drive_0.bag", 0, FLOAT, "/a"), last]);
    assert_eq!(names(&world), ["/a 12"]);
}

#[test]
fn files_that_messages_name_are_looked_for_beside_their_recording() {
    let mut world = World::of(1 << 30, vec![part("/d/x.bag", 0, FLOAT, "/a"), part("/e/y.bag", 50, FLOAT, "/b")]);
    let wants = ["/a", "/b"].map(|topic| Want {
        topic: world.topic(topic),
        what: What::Resource(format!("package://car{topic}.stl").into()),
    });
    world.store.demand(t(0), 0.0, &wants);
    let near = |work: Work| match work {
        Work::Fetch { address, near } => Some(format!("{address} {}", near.expect("a recording"))),
        _ => None,
    };
    let asked: Vec<String> = world.store.take_work().into_iter().filter_map(near).collect();
    assert_eq!(asked, ["package://car/a.stl /d/x.bag", "package://car/b.stl /e/y.bag"]);
}

#[test]
fn handles_outlive_added_recordings() {
    let mut world = World::of(1 << 30, vec![part("/d/m_0.bag", 0, FLOAT, "/m")]);
    let m = world.topic("/m");
    world.store.open(vec![Location::Path("/d/broken.bag".into())]);
    for work in world.store.take_work() {
        if let Work::Open { source, .. } = work {
            world.store.apply(roadreel::store::Event::OpenFailed {
                source,
                error: "empty".into(),
            });
        }
    }
    assert_eq!(world.store.topic(m).map(|t| t.name.to_string()), Some("/m".into()));
    let wants = latest(&world, &["/m"]);
    world.seek(t(95), &wants);
    assert!(matches!(world.store.latest(m, Form::Value), Lookup::Ready(_)));
}

#[test]
fn density_spreads_a_chunk_evenly() {
    let world = World::local(1 << 30, drive(10, 8, 1 << 20));
    let density = world.store.density(world.topic("/a"), Span::new(t(0), t(1000)), 10);
    assert_eq!((density.known, density.spread.len()), (vec![0.0; 10], 10));
    let density = density.spread;
    assert!((density.iter().sum::<f32>() - 100.0).abs() < 1e-3);
    assert!(density.iter().all(|d| (9.0..=11.1).contains(d)), "{density:?}");
    let once = world.store.density(world.topic("/once"), Span::new(t(500), t(900)), 4);
    assert_eq!((once.known, once.spread), (vec![0.0; 4], vec![0.0; 4]));
}

/// Two chunks of five seconds: a message each 10 ms of one topic, and three of another.
fn sparse() -> Recording {
    let mut recording = Recording::default();
    let dense = recording.topic("/dense", "std_msgs/Float64", FLOAT, false);
    let rare = recording.topic("/rare", "std_msgs/Float64", FLOAT, false);
    for seconds in 0..2 {
        let start = 5_000 * seconds;
        let mut chunk: Vec<_> = (0..500).map(|i| (dense, t(start + i * 10), float(0.0))).collect();
        chunk.extend([0, 1_200, 4_990].map(|at| (rare, t(start + at), float(0.0))));
        recording.chunks.push(chunk);
    }
    recording
}

#[test]
fn messages_of_a_chunk_that_was_read_lie_where_they_came() {
    let mut world = World::local(1 << 30, sparse());
    let (rare, whole) = (world.topic("/rare"), Span::new(t(0), t(10_000)));
    let before = world.store.density(rare, whole, 10);
    assert_eq!(before.known, [0.0; 10]);
    assert!(before.spread.iter().all(|n| *n > 0.5));

    let revision = world.store.times_revision(rare);
    let wants = latest(&world, &["/rare"]);
    world.seek(t(1_500), &wants);
    assert_ne!(world.store.times_revision(rare), revision);
    let after = world.store.density(rare, whole, 10);
    assert_eq!(after.known, [1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(after.spread[..5], [0.0; 5]);
    assert!((after.spread.iter().sum::<f32>() - 3.0).abs() < 1e-3, "{after:?}");

    // however near one looks, and after what was read is gone
    world.seek(t(8_000), &wants);
    world.seek(t(8_000), &[]);
    let near = world.store.density(rare, Span::new(t(1_100), t(1_300)), 200);
    let found: Vec<usize> = (0..200).filter(|at| near.known[*at] > 0.0).collect();
    assert_eq!((found, near.spread), (vec![100], vec![0.0; 200]));
}

#[test]
fn of_more_messages_than_times_are_kept_none_is_lost() {
    let mut recording = Recording::default();
    let topic = recording.topic("/a", "std_msgs/Float64", FLOAT, false);
    for chunk in 0..20 {
        let messages = (0..5_000).map(|i| (topic, t(chunk * 5_000 + i), float(0.0)));
        recording.chunks.push(messages.collect());
    }
    let mut world = World::local(1 << 30, recording);
    let points = series(&world, "/a", Span::ALL);
    world.seek(t(0), &[points]);
    world.seek(t(0), &[]);
    let density = world.store.density(world.topic("/a"), Span::new(t(0), t(100_000)), 100);
    assert_eq!(density.spread, [0.0; 100]);
    assert!((density.known.iter().sum::<f32>() - 100_000.0).abs() < 200.0);
    assert!(density.known.iter().all(|n| (900.0..=1_100.0).contains(n)), "{density:?}");
}
