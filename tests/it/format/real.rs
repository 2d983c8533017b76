//! Real recordings of other people's tools, against another reader.

use bytes::Bytes;
use roadreel::format::{Checks, ConnectionSet};

use super::driver::{index_bytes, open, read, read_all};
use crate::data::data;
use crate::ros1::{BROKEN, WHOLE, second_opinion, told};

fn bytes(name: &str) -> Option<Bytes> {
    Some(Bytes::from(std::fs::read(data(&format!("ros1/{name}"))?).unwrap()))
}

#[test]
fn whole_bags_read_as_another_reader_reads_them() {
    for name in WHOLE {
        let Some(path) = data(&format!("ros1/{name}")) else { return };
        let bytes = bytes(name).unwrap();
        let bag = index_bytes(&bytes).unwrap();
        let (messages, warnings) = read(&*bag, &bytes, &ConnectionSet::All, Checks::Full);
        assert_eq!(warnings, [], "{name}");
        assert!(bag.catalog().indexed);
        assert_eq!(messages.len() as u64, bag.catalog().messages(), "{name}");
        let ours = told(&*bag, &messages);
        let theirs = second_opinion(&path);
        assert_eq!(ours.len(), theirs.len(), "{name}");
        assert!(ours == theirs, "{name}");
        let (quick, warnings) = read(&*bag, &bytes, &ConnectionSet::All, Checks::Quick);
        assert_eq!(warnings, [], "{name}");
        assert!(told(&*bag, &quick) == ours, "{name}");
    }
}

#[test]
fn each_connection_alone_reads_as_it_does_among_all() {
    for name in WHOLE {
        let Some(bytes) = bytes(name) else { return };
        let bag = index_bytes(&bytes).unwrap();
        let (all, _) = read(&*bag, &bytes, &ConnectionSet::All, Checks::Full);
        for id in 0..bag.catalog().connections.len() as u32 {
            let (some, warnings) = read(&*bag, &bytes, &ConnectionSet::Only([id].into()), Checks::Quick);
            assert_eq!(warnings, [], "{name}");
            let expected: Vec<_> = all
                .iter()
                .filter(|m| m.connection == id)
                .map(|m| (m.time, m.payload.clone()))
                .collect();
            assert!(some.iter().all(|m| m.connection == id));
            assert!(
                some.into_iter().map(|m| (m.time, m.payload)).collect::<Vec<_>>() == expected,
                "{name}, connection {id}"
            );
        }
    }
}

#[test]
fn opening_takes_two_reads() {
    for name in WHOLE {
        let Some(bytes) = bytes(name) else { return };
        let asked = open(&bytes, false).unwrap().asked;
        let in_first_block = bytes.len() <= 64 * 1024;
        assert_eq!(asked.len(), if in_first_block { 1 } else { 2 }, "{name}: {asked:?}");
        assert_eq!(asked[0], 0..(64 * 1024).min(bytes.len() as u64));
    }
}

#[test]
fn where_reads_are_cheap_the_compression_is_exact() {
    for (name, compression) in [
        ("embag_test.bag", "lz4"),
        ("foxglove_example-bz2.bag", "bz2"),
        ("tilt_laser_many_chunks_64k.bag", "none"),
    ] {
        let Some(bytes) = bytes(name) else { return };
        for cheap in [false, true] {
            let bag = open(&bytes, cheap).unwrap().bag;
            assert!(
                bag.catalog().chunks.iter().all(|chunk| &*chunk.compression == compression),
                "{name}"
            );
        }
    }
}

#[test]
fn three_encodings_hold_the_same_messages() {
    let mut all = Vec::new();
    for name in ["foxglove_example.bag", "foxglove_example-lz4.bag", "foxglove_example-bz2.bag"] {
        let Some(bytes) = bytes(name) else { return };
        let bag = index_bytes(&bytes).unwrap();
        let (messages, _) = read(&*bag, &bytes, &ConnectionSet::All, Checks::Full);
        assert_eq!(messages.len(), 8647);
        let mut told = told(&*bag, &messages);
        told.sort();
        all.push(told);
    }
    assert!(all[0] == all[1] && all[0] == all[2]);
}

#[test]
fn recovers_more_than_reindexing_does() {
    let Some(whole) = bytes("tilt_laser_many_chunks_64k.bag") else {
        return;
    };
    let (all, _) = read_all(&whole, Checks::Full);
    for (name, at_least) in BROKEN {
        let Some(bytes) = bytes(name) else { return };
        for cheap in [false, true] {
            let opened = open(&bytes, cheap).unwrap();
            let bag = &*opened.bag;
            assert!(!bag.catalog().indexed);
            let (messages, warnings) = read(bag, &bytes, &ConnectionSet::All, Checks::Quick);
            assert!(messages.len() >= at_least, "{name}: {}", messages.len());
            assert_eq!(messages.len() as u64, bag.catalog().messages(), "{name}");
            assert!(!warnings.is_empty());
            assert!(opened.grown > 0 || bytes.len() < 4 << 20);
            let same = |(ours, theirs): (&roadreel::format::Message, &roadreel::format::Message)| {
                ours.time == theirs.time && ours.payload == theirs.payload
            };
            assert!(messages.iter().zip(&all).all(same), "{name}");
        }
    }
}
