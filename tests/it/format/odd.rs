//! Well-formed bags that few writers write, and files that lie.

use bytes::Bytes;
use roadreel::format::{Checks, ConnectionSet};

use super::driver::{Opened, index_bytes, open, read};
use super::raw::{self, PLAIN, Part, frame, long_messages, plain};
use crate::ros1::told;

/// What a bag holds, one message a line.
fn text(bytes: &[u8]) -> String {
    let bytes = Bytes::copy_from_slice(bytes);
    let mut texts = Vec::new();
    for cheap in [false, true] {
        let Opened { bag, .. } = open(&bytes, cheap).unwrap();
        for checks in [Checks::Quick, Checks::Full] {
            let (messages, warnings) = read(&*bag, &bytes, &ConnectionSet::All, checks);
            let mut text = format!("{}\n", if bag.catalog().indexed { "indexed" } else { "scanned" });
            for m in told(&*bag, &messages) {
                text += &format!(
                    "{} {} {}\n",
                    m.time_nanos / 1_000_000_000,
                    m.topic,
                    String::from_utf8_lossy(&m.payload)
                );
            }
            for warning in warnings {
                text += &format!("! {}: {}\n", warning.offset, warning.what);
            }
            texts.push(text);
        }
    }
    assert_eq!(texts[0], texts[2]);
    assert_eq!(texts[1], texts[3]);
    if texts[0] != texts[1] {
        return format!("quick: {}full: {}", texts[0], texts[1]);
    }
    texts.swap_remove(0)
}

#[test]
fn chunks_may_overlap_and_stand_in_any_order() {
    let parts = [
        plain(&[(30, b"d"), (10, b"a")]),
        Part {
            messages: &[(20, b"c"), (5, b"first")],
            number: 1,
            ..PLAIN
        },
        plain(&[(12, b"b")]),
    ];
    insta::assert_snapshot!(text(&raw::bag(&parts, &[(0, "/a"), (1, "/b")])), @"
    indexed
    5 /b first
    10 /a a
    12 /a b
    20 /b c
    30 /a d
    ");
}

#[test]
fn padding_may_stand_between_records() {
    for padding in [&[b' '; 77][..], &[0; 4096], b"\0\0\0\0\0\0\0\0\0"] {
        let parts = [
            Part {
                messages: &[(1, b"x")],
                padding,
                ..PLAIN
            },
            Part {
                messages: &[(2, b"y")],
                padding,
                ..PLAIN
            },
        ];
        assert_eq!(text(&raw::bag(&parts, &[(0, "/a")])), "indexed\n1 /a x\n2 /a y\n");
    }
}

#[test]
fn connections_may_be_described_in_chunks_only() {
    let parts = [
        Part {
            messages: &[(1, b"x")],
            number: 7,
            describe: true,
            ..PLAIN
        },
        plain(&[(2, b"y")]),
        Part {
            messages: &[(3, b"z")],
            number: 7,
            ..PLAIN
        },
    ];
    insta::assert_snapshot!(text(&raw::bag(&parts, &[(0, "/a")])), @"
    indexed
    1 /in_chunk_7 x
    2 /a y
    3 /in_chunk_7 z
    ");
}

#[test]
fn connections_that_nothing_describes_are_still_read() {
    let parts = [Part {
        messages: &[(1, b"x")],
        number: 9,
        ..PLAIN
    }];
    insta::assert_snapshot!(text(&raw::bag(&parts, &[])), @"
    indexed
    1 /connection_9 x
    ! 290: connection 9 is described nowhere: its messages are shown as the topic /connection_9
    ");
}

#[test]
fn frames_of_linked_blocks_and_with_block_checksums_decode() {
    let long = long_messages();
    let messages: Vec<(u32, &[u8])> = long.iter().map(|(sec, payload)| (*sec, &payload[..])).collect();
    for linked in [false, true] {
        for size in [None, Some(30_000 * 12 + 12 * 51)] {
            let parts = [Part {
                compression: "lz4",
                messages: &messages,
                pack: &|data| frame(data, linked, size.map(|_| data.len() as u64)),
                ..PLAIN
            }];
            let bytes = Bytes::from(raw::bag(&parts, &[(0, "/a")]));
            let bag = index_bytes(&bytes).unwrap();
            for (wanted, checks) in [
                (ConnectionSet::All, Checks::Full),
                (ConnectionSet::All, Checks::Quick),
                (ConnectionSet::Only([0].into()), Checks::Quick),
            ] {
                let (read, warnings) = read(&*bag, &bytes, &wanted, checks);
                assert_eq!(warnings, []);
                assert!(
                    read.iter().map(|m| &m.payload[..]).eq(messages.iter().map(|(_, payload)| *payload)),
                    "linked: {linked}"
                );
            }
        }
    }
}

#[test]
fn a_damaged_block_costs_only_its_own_messages() {
    let long = long_messages();
    let messages: Vec<(u32, &[u8])> = long.iter().map(|(sec, payload)| (*sec, &payload[..])).collect();
    let pack = |data: &[u8]| {
        let mut frame = frame(data, false, None);
        // in the third block: a match that reaches back beyond the block's start
        let mut at = 7;
        for _ in 0..2 {
            at += 8 + u32::from_le_bytes(frame[at..at + 4].try_into().unwrap()) as usize;
        }
        frame[at + 4..at + 12].copy_from_slice(&[0x11, 0, 0xff, 0xff, 0x11, 0, 0xff, 0xff]);
        frame
    };
    let parts = [Part {
        compression: "lz4",
        messages: &messages,
        pack: &pack,
        ..PLAIN
    }];
    let bytes = Bytes::from(raw::bag(&parts, &[(0, "/a")]));
    let bag = index_bytes(&bytes).unwrap();
    let (read, warnings) = read(&*bag, &bytes, &ConnectionSet::All, Checks::Quick);
    let secs: Vec<i64> = read.iter().map(|m| m.time.nanos() / 1_000_000_000).collect();
    assert_eq!(secs, [0, 1, 2, 3, 7, 8, 9, 10, 11], "{warnings:#?}");
    assert!(
        read.iter()
            .all(|m| m.payload[..] == *messages[(m.time.nanos() / 1_000_000_000) as usize].1)
    );
    assert!(
        warnings.iter().any(|w| w.what.contains("LZ4 block 2 does not decompress")),
        "{warnings:#?}"
    );
}

#[test]
fn sizes_that_lie_allocate_nothing() {
    let pack = |data: &[u8]| frame(data, false, Some(1 << 42));
    let parts = [Part {
        compression: "lz4",
        messages: &[(1, b"x")],
        pack: &pack,
        ..PLAIN
    }];
    let mut bytes = raw::bag(&parts, &[(0, "/a")]);
    let size = bytes.windows(5).position(|w| w == b"size=").unwrap() + 5;
    bytes[size..size + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    insta::assert_snapshot!(text(&bytes), @"
    quick: indexed
    1 /a x
    full: indexed
    1 /a x
    ! 344: the LZ4 frame holds 47 bytes and claims 4398046511104
    ");
}

#[test]
fn a_record_of_4_gib_is_not_believed() {
    let parts = [plain(&[(1, b"x")]), plain(&[(2, b"y")])];
    let good = raw::bag(&parts, &[(0, "/a")]);
    let chunk = raw::chunk("none", 0, &[]).len();
    let at = roadreel::format::rosbag1::MAGIC.len() + raw::bag_header(0, 0, 0).len() + chunk - 4;
    let mut bytes = good.clone();
    bytes[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    insta::assert_snapshot!(text(&bytes), @"
    indexed
    1 /a x
    2 /a y
    ! 290: a chunk that claims 4294967295 bytes of data and holds 47
    ");
    let header = raw::bag_header(0, 0, 0);
    bytes[13..13 + header.len()].copy_from_slice(&header);
    insta::assert_snapshot!(text(&bytes), @"
    scanned
    1 /a x
    2 /a y
    ! 13: the recording was not closed, so it has no index
    ! 290: a chunk that was not closed or is cut short: 1 messages of it could be read
    ");
}

/// A bag of three chunks, with the bag header or a chunk position of the index changed.
fn lying(index_pos: impl Fn(u64) -> u64, chunks: u32, move_chunk: u64) -> Vec<u8> {
    let parts = [
        plain(&[(1, b"x")]),
        Part {
            messages: &[(2, b"y")],
            number: 1,
            describe: true,
            ..PLAIN
        },
        plain(&[(3, b"z")]),
    ];
    let mut bytes = raw::bag(&parts, &[(0, "/a"), (1, "/in_chunk_1")]);
    let at = bytes.windows(10).position(|w| w == b"index_pos=").unwrap() + 10;
    let there = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    bytes[at..at + 8].copy_from_slice(&index_pos(there).to_le_bytes());
    let at = bytes.windows(12).position(|w| w == b"chunk_count=").unwrap() + 12;
    bytes[at..at + 4].copy_from_slice(&chunks.to_le_bytes());
    let at = bytes.windows(10).rposition(|w| w == b"chunk_pos=").unwrap() + 10;
    let there = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    bytes[at..at + 8].copy_from_slice(&(there + move_chunk).to_le_bytes());
    bytes
}

#[test]
fn an_index_that_lies_is_not_used() {
    let len = lying(|pos| pos, 3, 0).len() as u64;
    insta::assert_snapshot!(text(&lying(|_| len, 3, 0)), @"
    scanned
    1 /a x
    2 /in_chunk_1 y
    3 /a z
    ! 1532: the bag header places the index at the very end of the file
    ");
    insta::assert_snapshot!(text(&lying(|pos| pos + 100_000, 3, 0)), @"
    scanned
    1 /a x
    2 /in_chunk_1 y
    3 /a z
    ! 1532: the file was cut off: it ends at byte 1532 and its index would start at 100920
    ");
    insta::assert_snapshot!(text(&lying(|pos| pos - 40, 3, 0)), @"
    scanned
    1 /a x
    2 /in_chunk_1 y
    3 /a z
    ! 880: the index is damaged: a record header of 1852793600 bytes
    ");
    insta::assert_snapshot!(text(&lying(|pos| pos, 4, 0)), @"
    scanned
    1 /a x
    2 /in_chunk_1 y
    3 /a z
    ! 920: the bag header promises 4 chunks and the index lists 3
    ");
    insta::assert_snapshot!(text(&lying(|pos| pos, 3, 9)), @"
    scanned
    1 /a x
    2 /in_chunk_1 y
    3 /a z
    ! 766: the index names a chunk where there is a record header of 268778864 bytes
    ");
}
