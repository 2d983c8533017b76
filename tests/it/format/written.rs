//! What the writer writes, the reader and another reader read.

use std::io::Cursor;

use bytes::Bytes;
use proptest::prelude::*;
use roadreel::format::rosbag1::writer::{Compression, Writer};
use roadreel::format::{Checks, Connection, ConnectionSet};
use roadreel::time::Time;

use super::driver::{index_bytes, read, read_in_pieces};
use super::seeds::{Recording, sample, write};
use crate::ros1::{Told, second_opinion};

fn connection() -> impl Strategy<Value = Connection> {
    (
        "/[a-z]{1,9}",
        "[a-z]{1,4}_msgs/[A-Z][a-z]{1,4}",
        "[0-9a-f]{32}",
        "(string a\n){0,5}",
        any::<bool>(),
        proptest::option::of("/[a-z]{1,5}"),
    )
        .prop_map(|(topic, type_name, md5, definition, latching, callerid)| Connection {
            topic: topic.into(),
            type_name: type_name.into(),
            md5: md5.into(),
            definition: definition.into(),
            latching,
            callerid: callerid.map(Into::into),
            bag: None,
        })
}

fn recording() -> impl Strategy<Value = Recording> {
    let payload = prop_oneof![
        4 => proptest::collection::vec(any::<u8>(), 0..300),
        1 => (any::<u8>(), 1000usize..90_000).prop_map(|(byte, len)| (0..len).map(|i| byte ^ (i / 251) as u8).collect()),
    ];
    proptest::collection::vec(connection(), 1..5).prop_flat_map(move |connections| {
        let count = connections.len() as u32;
        let message =
            (0..count, 0i64..4_000_000_000_000_000_000, payload.clone()).prop_map(|(id, nanos, payload)| (id, Time(nanos), payload));
        (Just(connections), proptest::collection::vec(message, 0..40))
            .prop_map(|(connections, messages)| Recording { connections, messages })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(
        recording in recording(),
        compression in prop_oneof![Just(Compression::None), Just(Compression::Lz4), Just(Compression::Bz2)],
        threshold in 1usize..60_000,
    ) {
        // each bzip2 stream costs megabytes of tables
        let threshold = if compression == Compression::Bz2 { threshold + 30_000 } else { threshold };
        let bytes = Bytes::from(write(&recording, compression, threshold));
        let bag = index_bytes(&bytes).unwrap();
        let catalog = bag.catalog();
        let listed: Vec<String> = catalog.connections.iter().map(|c| format!("{c:?}")).collect();
        let expected: Vec<String> = recording.connections.iter().map(|c| format!("{c:?}")).collect();
        prop_assert_eq!(listed, expected);
        prop_assert_eq!(catalog.messages(), recording.messages.len() as u64);
        for checks in [Checks::Full, Checks::Quick] {
            let (messages, warnings) = read(&*bag, &bytes, &ConnectionSet::All, checks);
            prop_assert_eq!(warnings, []);
            let got: Vec<_> = messages.iter().map(|m| (m.connection, m.time, m.payload.to_vec())).collect();
            prop_assert!(got == recording.messages);
        }
        let wanted = ConnectionSet::Only([recording.connections.len() as u32 - 1].into());
        let (messages, warnings) = read(&*bag, &bytes, &wanted, Checks::Quick);
        prop_assert_eq!(warnings, []);
        let got: Vec<_> = messages.iter().map(|m| (m.connection, m.time, m.payload.to_vec())).collect();
        let expected: Vec<_> = recording.messages.iter().filter(|(id, ..)| wanted.contains(*id)).cloned().collect();
        prop_assert!(got == expected);
    }
}

/// Ten small messages before a large one: short reads bring them without that.
#[test]
fn short_reads_bring_little_messages_without_large_ones() {
    let connection = |topic: &str| Connection {
        topic: topic.into(),
        ..sample().connections[0].clone()
    };
    let mut noise = fastrand::Rng::with_seed(7);
    let large: Vec<u8> = std::iter::repeat_with(|| noise.u8(..)).take(6_000_000).collect();
    let small = (0..10).map(|i| (0, Time(i), vec![i as u8; 300]));
    let recording = Recording {
        connections: vec![connection("/small"), connection("/large")],
        messages: small.chain([(1, Time(10), large)]).collect(),
    };
    let wanted = ConnectionSet::Only([0].into());
    let whole = recording
        .messages
        .iter()
        .filter(|(id, ..)| *id == 0)
        .map(|(_, time, payload)| (*time, payload.clone()));
    let whole: Vec<_> = whole.collect();
    for (compression, most) in [(Compression::None, 8_000), (Compression::Lz4, 1_100_000)] {
        let bytes = Bytes::from(write(&recording, compression, 1 << 30));
        let bag = index_bytes(&bytes).unwrap();
        let (messages, taken) = read_in_pieces(&*bag, &bytes, 0, &wanted).expect("worth it");
        assert!(messages.iter().map(|m| (m.time, m.payload.to_vec())).collect::<Vec<_>>() == whole);
        assert!(taken < most, "{compression:?}: {taken} bytes");
    }
    let bytes = Bytes::from(write(&recording, Compression::Bz2, 1 << 30));
    assert!(read_in_pieces(&*index_bytes(&bytes).unwrap(), &bytes, 0, &wanted).is_none());
}

/// Of a chunk of several blocks, whose messages end in runs of zeros, in noise and in what was there before.
#[test]
fn a_topic_alone_reads_as_it_does_among_all() {
    let topics = ["/a", "/b", "/c", "/d", "/e"];
    let connection = |topic: &&str| Connection {
        topic: (*topic).into(),
        ..sample().connections[0].clone()
    };
    for seed in 0..20 {
        let mut random = fastrand::Rng::with_seed(seed);
        let noise: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(9_000).collect();
        let mut payload = || {
            let mut out = Vec::new();
            for _ in 0..random.usize(1..12) {
                let part = match random.u8(..3) {
                    0 => vec![0; random.usize(..40_000)],
                    1 => noise[random.usize(..9_000)..].to_vec(),
                    _ => {
                        let len = random.usize(..9_000);
                        std::iter::repeat_with(|| random.u8(..)).take(len).collect()
                    }
                };
                out.extend(part);
            }
            out
        };
        let payloads: Vec<Vec<u8>> = std::iter::repeat_with(&mut payload).take(60).collect();
        let ids = std::iter::repeat_with(|| random.u32(..5));
        let recording = Recording {
            connections: topics.iter().map(connection).collect(),
            messages: (0..)
                .map(Time)
                .zip(ids)
                .zip(payloads)
                .map(|((time, id), p)| (id, time, p))
                .collect(),
        };
        let bytes = Bytes::from(write(&recording, Compression::Lz4, 1 << 30));
        let bag = index_bytes(&bytes).unwrap();
        for id in 0..5 {
            let (messages, warnings) = read(&*bag, &bytes, &ConnectionSet::Only([id].into()), Checks::Quick);
            assert_eq!(warnings, [], "seed {seed}, {}", topics[id as usize]);
            let got = messages.iter().map(|m| (m.connection, m.time, m.payload.to_vec()));
            let expected = recording.messages.iter().filter(|(of, ..)| *of == id).cloned();
            assert!(got.eq(expected), "seed {seed}, {}", topics[id as usize]);
        }
    }
}

#[test]
fn a_time_before_1970_is_refused() {
    let mut writer = Writer::new(Cursor::new(Vec::new()), Compression::None).unwrap();
    let id = writer.add_connection(&Connection::default());
    let error = writer.write(id, Time(-1), b"").unwrap_err();
    assert_eq!(error.to_string(), "-1 ns is outside of ROS time, which runs from 1970 to 2106");
}

#[test]
fn another_reader_reads_what_is_written() {
    let recording = sample();
    for compression in [Compression::None, Compression::Lz4, Compression::Bz2] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("written.bag");
        std::fs::write(&path, write(&recording, compression, 2000)).unwrap();
        let theirs = second_opinion(&path);
        let mut ours: Vec<_> = recording
            .messages
            .iter()
            .map(|(id, time, payload)| {
                let connection = &recording.connections[*id as usize];
                Told {
                    time_nanos: time.nanos(),
                    topic: connection.topic.to_string(),
                    type_name: connection.type_name.to_string(),
                    payload: payload.clone().into(),
                }
            })
            .collect();
        ours.sort_by_key(|message| message.time_nanos);
        assert!(ours == theirs);
    }
}
