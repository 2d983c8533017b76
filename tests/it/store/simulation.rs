//! Random chunks, wants, orders of arrival and failures against a sorted list.

use proptest::prelude::*;
use roadreel::decode::Form;
use roadreel::path::Program;
use roadreel::store::{Lookup, Signal, Stamp, Want, What};
use roadreel::time::{Span, Time};

use super::fake::{FLOAT, Recording, World, float, float_of, t};

const TOPICS: u32 = 3;

#[derive(Clone, Debug)]
struct Case {
    /// Chunks of (connection, milliseconds): overlapping, unsorted, even empty.
    chunks: Vec<Vec<(u32, i64)>>,
    steps: Vec<Step>,
    remote: bool,
    budget: u64,
}

#[derive(Clone, Debug)]
enum Step {
    Seek {
        to: i64,
        wants: u8,
        speed: i8,
    },
    /// Run the pending work at this place (modulo), failing it or not.
    Run {
        at: usize,
        fail: bool,
    },
}

fn cases() -> impl Strategy<Value = Case> {
    let chunk = (0..900_i64).prop_flat_map(|start| prop::collection::vec((0..TOPICS, start..start + 150), 0..12));
    let step = prop_oneof![
        (0..1100_i64, 1..128_u8, -1..2_i8).prop_map(|(to, wants, speed)| Step::Seek { to, wants, speed }),
        (0..64_usize, prop::bool::weighted(0.1)).prop_map(|(at, fail)| Step::Run { at, fail }),
        (0..64_usize).prop_map(|at| Step::Run { at, fail: false }),
    ];
    (
        prop::collection::vec(chunk, 1..16),
        prop::collection::vec(step, 1..60),
        any::<bool>(),
        prop_oneof![Just(3_000_u64), Just(20_000), Just(1 << 20)],
    )
        .prop_map(|(chunks, steps, remote, budget)| Case {
            chunks,
            steps,
            remote,
            budget,
        })
}

/// All messages: (connection, time, value), in the order that the store promises: time, chunk, place in the chunk.
fn model(case: &Case) -> (Recording, Vec<(u32, Time, f64)>) {
    let mut recording = Recording {
        chunk_bytes: 1 << 20,
        ..Recording::default()
    };
    for topic in 0..TOPICS {
        recording.topic(&format!("/t{topic}"), "std_msgs/Float64", FLOAT, false);
    }
    let mut all = Vec::new();
    let mut value = 0.0;
    for (number, chunk) in case.chunks.iter().enumerate() {
        let mut messages = Vec::new();
        let mut sorted = Vec::new();
        for (connection, millis) in chunk {
            value += 1.0;
            messages.push((*connection, t(*millis), float(value)));
            sorted.push((*connection, t(*millis), value));
        }
        sorted.sort_by_key(|m| m.1);
        all.extend(sorted.into_iter().map(|m| (m.1, number, m)));
        recording.chunks.push(messages);
    }
    all.sort_by_key(|m| (m.0, m.1));
    (recording, all.into_iter().map(|m| m.2).collect())
}

fn wants_of(bits: u8, world: &World) -> Vec<Want> {
    let mut wants = Vec::new();
    for topic in 0..TOPICS {
        let path = format!("/t{topic}.data");
        let Some(topic) = world.store.topic_by_name(&format!("/t{topic}")).map(|t| t.id) else {
            continue;
        };
        let mut want = |bit: u8, what: What| {
            if bits & bit != 0 {
                wants.push(Want { topic, what });
            }
        };
        want(1, What::Latest(Form::Value));
        want(2, What::Previous(Form::Value));
        want(
            4,
            What::Trail {
                form: Form::Value,
                window_nanos: 100_000_000,
            },
        );
        want(8, What::Neighbours);
        want(
            16,
            What::Series {
                path: path.as_str().into(),
                stamp: Stamp::Receive,
                span: Span::ALL,
            },
        );
        want(
            32,
            What::Rows {
                form: Form::Arrivals,
                span: Span::ALL,
            },
        );
        if bits & 64 != 0 {
            let mut signal = Signal::new(&derived_text(&path), Stamp::Receive);
            signal.refresh(&world.store);
            signal.wants(Span::ALL, &mut wants);
        }
    }
    wants
}

/// Of two topics and of all values before.
fn derived_text(path: &str) -> String {
    format!("integral({path}) - delta(/t0.data) + samples_counter({path}, 0.05)")
}

fn check(world: &World, all: &[(u32, Time, f64)], now: Time, wants: &[Want]) {
    for want in wants {
        let name = world.store.topic(want.topic).expect("a topic").name.to_string();
        let of_topic: Vec<(Time, f64)> = all.iter().filter(|m| format!("/t{}", m.0) == name).map(|m| (m.1, m.2)).collect();
        let before: Vec<(Time, f64)> = of_topic.iter().copied().filter(|m| m.0 <= now).collect();
        let value = |lookup: Lookup<roadreel::store::Entry>| match lookup {
            Lookup::Ready(entry) => Some((entry.time, float_of(&entry.decoded))),
            Lookup::Absent => None,
            other => panic!("{name} at {now:?}: {other:?}"),
        };
        match &want.what {
            What::Latest(form) => assert_eq!(
                value(world.store.latest(want.topic, *form)),
                before.last().copied(),
                "latest {name}"
            ),
            What::Previous(form) => {
                let expected = before.len().checked_sub(2).map(|i| before[i]);
                assert_eq!(value(world.store.previous(want.topic, *form)), expected, "previous {name}");
            }
            What::Trail { form, window_nanos } => {
                let (entries, whole) = world.store.trail(want.topic, *form, *window_nanos);
                assert!(whole);
                let shown: Vec<(Time, f64)> = entries.iter().map(|e| (e.time, float_of(&e.decoded))).collect();
                let expected: Vec<(Time, f64)> = before.into_iter().filter(|m| m.0 >= now.plus_nanos(-window_nanos)).collect();
                assert_eq!(shown, expected, "trail {name}");
            }
            What::Neighbours => {
                let expected = (
                    of_topic.iter().rev().find(|m| m.0 < now).map(|m| m.0),
                    of_topic.iter().find(|m| m.0 > now).map(|m| m.0),
                );
                match world.store.neighbours(want.topic) {
                    Lookup::Ready(found) => assert_eq!(found, expected, "neighbours {name}"),
                    other => panic!("{other:?}"),
                }
            }
            What::Resource(_)
            | What::Shaded(_)
            | What::Figures(_)
            | What::Held(_)
            | What::Points { .. }
            | What::Analysis(_)
            | What::Lines(_)
            | What::Pieces => {}
            What::Derived { text, stamp, .. } => {
                let program = Program::compile(
                    &roadreel::path::parse(text).expect("parses"),
                    &world.store.topic_schemas(),
                    &roadreel::path::Variables::new(),
                )
                .expect("compiles");
                let inputs = program.inputs().iter().map(|input| {
                    let topic = world.topic(&input.topic);
                    let series = world.store.series(topic, &input.text, stamp).expect("it is wanted too");
                    series.points(Span::ALL).filter(|_| series.is_complete(Span::ALL))
                });
                // Only where the budget lets them be whole.
                if let Some(inputs) = inputs.collect::<Option<Vec<_>>>() {
                    let slices: Vec<&[(Time, f64)]> = inputs.iter().map(Vec::as_slice).collect();
                    let derived = world.store.derived(text, stamp).expect("it is wanted");
                    assert!(world.store.is_derived(text, stamp), "all of {text}");
                    if let Some(points) = derived.points(Span::ALL) {
                        assert_eq!(points, program.points(&slices), "{text}");
                    }
                }
            }
            What::Rows { form, .. } => {
                let rows = world.store.rows(want.topic, *form).expect("rows");
                // Only where the budget lets them be whole.
                if rows.is_complete(Span::ALL) {
                    let mut shown: Vec<Time> = rows.blocks().flat_map(|b| b.rows.times().to_vec()).collect();
                    shown.sort_unstable();
                    let mut expected: Vec<Time> = of_topic.iter().map(|m| m.0).collect();
                    expected.sort_unstable();
                    assert_eq!(shown, expected, "rows {name}");
                }
            }
            What::Series { path, stamp, .. } => {
                let series = world.store.series(want.topic, path, stamp).expect("a series");
                // Only where the budget lets it be whole.
                if series.is_complete(Span::ALL) && !series.has_points(Span::ALL) {
                    let values = || of_topic.iter().map(|m| m.1);
                    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
                    assert_eq!(series.min_max(Span::ALL), (low <= high).then_some((low, high)), "series {name}");
                } else if series.is_complete(Span::ALL) {
                    let mut shown: Vec<(Time, f64)> = series.decimated(Span::ALL, 10_000);
                    shown.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
                    let mut expected = of_topic.clone();
                    expected.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
                    assert_eq!(shown, expected, "series {name}");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn answers_what_a_sorted_list_does(case in cases()) {
        let (recording, all) = model(&case);
        let mut world = if case.remote { World::remote(case.budget, recording) } else { World::local(case.budget, recording) };
        let mut last = (t(500), 1);
        for step in &case.steps {
            match step {
                Step::Seek { to, wants, speed } => {
                    last = (t(*to), *wants);
                    let wants = wants_of(*wants, &world);
                    world.store.demand(t(*to), f64::from(*speed), &wants);
                    world.take();
                }
                Step::Run { at, fail } => {
                    if !world.pending.is_empty() {
                        world.run(at % world.pending.len(), *fail);
                    }
                    world.take();
                }
            }
        }
        // Elsewhere and back: what failed is tried again.
        let wants = wants_of(last.1, &world);
        world.seek(last.0.plus_nanos(7_000_000_000), &wants);
        world.seek(last.0, &wants);
        check(&world, &all, last.0, &wants);
        let status = world.store.status();
        prop_assert!(!status.waiting_at_playhead && !status.waiting, "{status:?}");
        prop_assert_eq!(status.reads_in_flight, 0);
    }

    /// Whatever was seen before, a seek settles to what a cold start at that time gives, within two rounds of reads.
    #[test]
    fn seeks_equal_cold_starts(case in cases(), to in prop::collection::vec(0..1100_i64, 1..20)) {
        let (recording, all) = model(&case);
        let mut world = World::remote(1 << 30, recording);
        for to in to {
            let wants = wants_of(1 | 2 | 8, &world);
            world.store.demand(t(to), 0.0, &wants);
            let mut rounds = 0;
            loop {
                world.take();
                if world.pending.is_empty() {
                    break;
                }
                let reads = world.pending.iter().any(|w| matches!(w, roadreel::store::Work::Read(_)));
                rounds += usize::from(reads);
                for _ in 0..world.pending.len() {
                    world.run(0, false);
                }
            }
            prop_assert!(rounds <= 2, "{rounds} rounds");
            check(&world, &all, t(to), &wants);
        }
    }
}
