//! Bags whose index, or whose lengths, say something else than the chunks do: whatever is said, all messages are read, and once.

use bytes::Bytes;
use fastrand::Rng;
use roadreel::format::rosbag1::{MAGIC, Rosbag1};
use roadreel::format::{Checks, ConnectionSet, Fetched, Format, Step};

use super::driver::{open, read};
use super::raw::{self, Info, PLAIN, Part, frame, lying_bag, plain};
use crate::ros1::told;

const CHUNK: usize = 290;

/// The file is on this machine, or far away.
const NEAR: bool = true;
const FAR: bool = false;

/// How it opens, its messages (seconds, and the payload's first byte), how many the catalogue counts, warnings.
fn text(bytes: &[u8], near: bool) -> String {
    let bytes = Bytes::copy_from_slice(bytes);
    let bag = open(&bytes, near).unwrap().bag;
    let catalog = bag.catalog();
    let (messages, warnings) = read(&*bag, &bytes, &ConnectionSet::All, Checks::Quick);
    let mut messages = told(&*bag, &messages);
    messages.sort_by_key(|m| m.time_nanos);
    let shown = messages.iter().map(|m| {
        let first = m.payload.first().map_or('-', |b| char::from(*b));
        format!("{}{first}", m.time_nanos / 1_000_000_000)
    });
    let shown: Vec<String> = shown.collect();
    let span = catalog
        .span()
        .map(|s| (s.start.nanos() / 1_000_000_000, s.end.nanos() / 1_000_000_000));
    let mut text = format!(
        "{}: {} ({}) {span:?}\n",
        if catalog.indexed { "indexed" } else { "scanned" },
        shown.join(" "),
        catalog.messages()
    );
    for warning in warnings {
        text += &format!("! {}: {}\n", warning.offset, warning.what);
    }
    text
}

const ABC: [Part<'static>; 3] = [
    Part {
        messages: &[(11, b"a"), (12, b"b")],
        ..PLAIN
    },
    Part {
        messages: &[(13, b"c")],
        number: 1,
        ..PLAIN
    },
    Part {
        messages: &[(14, b"d"), (15, b"e")],
        ..PLAIN
    },
];
const TOPICS: [(u32, &str); 2] = [(0, "/a"), (1, "/b")];

fn lying(lie: impl FnOnce(&mut Vec<Info>)) -> Vec<u8> {
    lying_bag(&ABC, &TOPICS, lie)
}

#[test]
fn chunks_that_the_index_leaves_out_are_found() {
    for near in [NEAR, FAR] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(text(&lying(|infos| drop(infos.remove(0))), near), @"
            scanned: 11a 12b 13c 14d 15e (5) Some((11, 15))
            ! 290: the index lists no chunk where the first one should be
            ");
            insta::assert_snapshot!(text(&lying(|infos| infos.clear()), near), @"
            scanned: 11a 12b 13c 14d 15e (5) Some((11, 15))
            ! 290: the index lists no chunk where the first one should be
            ");
        }
    }
    let middle = lying(|infos| drop(infos.remove(1)));
    insta::assert_snapshot!(text(&middle, NEAR), @"
    scanned: 11a 12b 13c 14d 15e (5) Some((11, 15))
    ! 512: a chunk that the index does not list
    ");
    insta::assert_snapshot!(text(&middle, FAR), @"
    indexed: 11a 12b 13c 14d 15e (4) Some((11, 15))
    ! 512: a chunk that the index does not list
    ");
    let last = lying(|infos| infos.truncate(2));
    insta::assert_snapshot!(text(&last, NEAR), @"
    scanned: 11a 12b 13c 14d 15e (5) Some((11, 15))
    ! 675: a chunk that the index does not list
    ");
    insta::assert_snapshot!(text(&last, FAR), @"
    indexed: 11a 12b 13c 14d 15e (3) Some((11, 13))
    ! 675: a chunk that the index does not list
    ");
}

#[test]
fn counts_and_times_that_the_index_makes_up_are_put_right() {
    let told = |lie: fn(&mut Info)| {
        let bag = lying(|infos| lie(&mut infos[0]));
        format!("{}far {}", text(&bag, NEAR), text(&bag, FAR))
    };
    insta::assert_snapshot!(told(|info| info.counts[0].1 = 0), @"
    indexed: 11a 12b 13c 14d 15e (5) Some((11, 15))
    ! 290: the index claims 0 messages in this chunk, which holds 2
    far indexed: 11a 12b 13c 14d 15e (3) Some((13, 15))
    ! 290: the index records behind this chunk contradict the index about its messages
    ");
    insta::assert_snapshot!(told(|info| info.counts.clear()), @"
    indexed: 11a 12b 13c 14d 15e (5) Some((11, 15))
    ! 290: the index claims 0 messages in this chunk, which holds 2
    far indexed: 11a 12b 13c 14d 15e (3) Some((13, 15))
    ! 290: the index records behind this chunk contradict the index about its messages
    ");
    insta::assert_snapshot!(told(|info| info.counts[0].1 = 1_000_000), @"
    indexed: 11a 12b 13c 14d 15e (5) Some((11, 15))
    ! 290: the index claims 1000000 messages in this chunk, which holds 2
    far indexed: 11a 12b 13c 14d 15e (1000003) Some((11, 15))
    ! 290: the index records behind this chunk contradict the index about its messages
    ");
    insta::assert_snapshot!(told(|info| info.counts[0].0 = 1), @"
    indexed: 11a 12b 13c 14d 15e (5) Some((11, 15))
    ! 290: the index is wrong about the topics or times of the messages in this chunk
    far indexed: 11a 12b 13c 14d 15e (5) Some((11, 15))
    ! 290: the index records behind this chunk contradict the index about its messages
    ");
    insta::assert_snapshot!(told(|info| (info.start, info.end) = (0, 0)), @"
    indexed: 11a 12b 13c 14d 15e (5) Some((11, 15))
    ! 290: the index is wrong about the topics or times of the messages in this chunk
    far indexed: 11a 12b 13c 14d 15e (5) Some((0, 15))
    ! 290: the index records behind this chunk contradict the index about its messages
    ");
    insta::assert_snapshot!(told(|info| (info.start, info.end) = (0, 4_000_000_000)), @"
    indexed: 11a 12b 13c 14d 15e (5) Some((11, 15))
    ! 290: the index is wrong about the topics or times of the messages in this chunk
    far indexed: 11a 12b 13c 14d 15e (5) Some((0, 4000000000))
    ! 290: the index records behind this chunk contradict the index about its messages
    ");
    insta::assert_snapshot!(told(|info| (info.start, info.end) = (13, 20)), @"
    indexed: 11a 12b 13c 14d 15e (5) Some((11, 15))
    ! 290: the index is wrong about the topics or times of the messages in this chunk
    far indexed: 11a 12b 13c 14d 15e (5) Some((13, 20))
    ! 290: the index records behind this chunk contradict the index about its messages
    ");
}

#[test]
fn an_index_that_is_wrong_about_many_chunks_is_not_used() {
    let messages: Vec<[(u32, &[u8]); 1]> = (0..100).map(|i| [(i, &b"x"[..])]).collect();
    let parts: Vec<Part<'_>> = messages.iter().map(|one| plain(one)).collect();
    let bag = lying_bag(&parts, &[(0, "/a")], |infos| infos.iter_mut().for_each(|info| info.end += 1000));
    let text = text(&bag, NEAR);
    assert!(text.starts_with("scanned: 0x 1x 2x"), "{text}");
    assert!(
        text.contains("(100) Some((0, 99))\n! 290: the index is wrong about 100 chunks, of which the first starts here\n"),
        "{text}"
    );
}

#[test]
fn times_of_index_records_that_are_damaged_do_not_move_the_recording() {
    let mut bytes = raw::bag(&ABC, &TOPICS);
    // the second entry of the first chunk: its seconds
    let record = bytes.windows(4).position(|w| w == b"ver=").unwrap();
    let entries = record + 4 + 4 + 13 + 14 + 4;
    assert_eq!(bytes[entries + 12..entries + 16], 12u32.to_le_bytes());
    bytes[entries + 15] = 0x40;
    insta::assert_snapshot!(text(&bytes, NEAR), @"
    indexed: 11a 12b 13c 14d 15e (5) Some((11, 15))
    ! 290: the index records behind this chunk contradict the index about its messages
    ");
}

/// Chunks far apart, so that a remote reader has not seen their headers.
fn far_apart(compression: &'static str, lie: impl FnOnce(&mut Vec<Info>)) -> Vec<u8> {
    let mut rng = Rng::with_seed(1);
    // repeats itself, so that it can be packed
    let noise: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(2000).collect();
    let big: Vec<Vec<u8>> = (0..4).map(|i| [vec![b'a' + i], noise.repeat(35)].concat()).collect();
    let messages: Vec<[(u32, &[u8]); 2]> = (0..4)
        .map(|i| [(11 + 2 * i, &big[i as usize][..]), (12 + 2 * i, &b"-"[..])])
        .collect();
    let pack = |data: &[u8]| {
        if compression == "lz4" {
            frame(data, false, None)
        } else {
            data.to_vec()
        }
    };
    let parts: Vec<Part<'_>> = messages
        .iter()
        .map(|messages| Part {
            messages,
            compression,
            pack: &pack,
            ..PLAIN
        })
        .collect();
    lying_bag(&parts, &[(0, "/a")], lie)
}

#[test]
fn chunks_that_are_not_where_the_index_says_are_found() {
    for compression in ["none", "lz4"] {
        for chunk in 0..4 {
            for by in [-70_000_i64, -300, -9, -1, 1, 4, 9, 40, 300, 5_000] {
                let bag = far_apart(compression, |infos| {
                    infos[chunk].at = infos[chunk].at.saturating_add_signed(by).max(20)
                });
                for near in [NEAR, FAR] {
                    let text = text(&bag, near);
                    let first = text.lines().next().unwrap();
                    assert!(
                        first.contains(": 11a 12- 13b 14- 15c 16- 17d 18- (8)"),
                        "{compression} chunk {chunk} by {by}, near {near}: {text}"
                    );
                    assert!(text.contains("! "), "{compression} chunk {chunk} by {by}: nothing said");
                }
            }
        }
    }
}

#[test]
fn the_last_of_many_chunks_is_looked_at_too() {
    let messages: Vec<[(u32, &[u8]); 1]> = (0..300).map(|i| [(i, &b"x"[..])]).collect();
    let parts: Vec<Part<'_>> = messages.iter().map(|one| plain(one)).collect();
    for chunk in [1, 255, 298, 299] {
        let text = text(&lying_bag(&parts, &[(0, "/a")], |infos| infos[chunk].at += 3), NEAR);
        assert!(text.starts_with("scanned") && text.contains(" 299x (300)"), "{chunk}: {text}");
    }
}

/// Changes the length of the first chunk's data by `by`.
fn with_length(bytes: &[u8], by: i64) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let header = u32::from_le_bytes(bytes[CHUNK..CHUNK + 4].try_into().unwrap());
    let at = CHUNK + 4 + header as usize;
    let len = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let changed = u32::try_from((i64::from(len) + by).max(0)).unwrap();
    bytes[at..at + 4].copy_from_slice(&changed.to_le_bytes());
    bytes
}

fn without_index(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let header = raw::bag_header(0, 0, 0);
    bytes[MAGIC.len()..MAGIC.len() + header.len()].copy_from_slice(&header);
    bytes
}

#[test]
fn a_chunk_whose_length_is_wrong_is_read_whole() {
    for compression in ["none", "lz4"] {
        let whole = far_apart(compression, |_| {});
        for by in [
            -70_000,
            -69_000,
            -2_000,
            -47,
            -46,
            -10,
            -1,
            1,
            10,
            50,
            200,
            1_000,
            60_000,
            4_000_000_000,
        ] {
            let bytes = with_length(&whole, by);
            for bytes in [without_index(&bytes), bytes] {
                for near in [NEAR, FAR] {
                    let text = text(&bytes, near);
                    let first = text.lines().next().unwrap();
                    assert!(
                        first.contains(": 11a 12- 13b 14- 15c 16- 17d 18- (8)"),
                        "{compression} by {by}, near {near}: {text}"
                    );
                    assert!(text.contains("! 290: "), "{compression} by {by}: {text}");
                }
            }
        }
    }
}

#[test]
fn a_record_whose_length_covers_others_is_not_passed_over() {
    let bytes = without_index(&raw::bag(&ABC, &TOPICS));
    for (name, behind) in [("ver=", 4 + 13 + 14), ("topic=/a", 0)] {
        let mut bytes = bytes.clone();
        let at = bytes.windows(name.len()).position(|w| w == name.as_bytes()).unwrap() + name.len() + behind;
        let len = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        assert!(len < 300, "{name}: {len}");
        bytes[at..at + 4].copy_from_slice(&(len + 400).to_le_bytes());
        for near in [NEAR, FAR] {
            let text = text(&bytes, near);
            assert!(text.contains(": 11a 12b 13c 14d 15e (5)"), "{name}: {text}");
        }
    }
}

#[test]
fn a_bag_header_without_counts_hides_no_damage() {
    let mut bytes = raw::bag(&ABC, &TOPICS);
    for name in ["chunk_count=", "conn_count="] {
        let at = bytes.windows(name.len()).position(|w| w == name.as_bytes()).unwrap() + name.len();
        bytes[at..at + 4].fill(0);
    }
    let damaged = bytes.windows(10).position(|w| w == b"chunk_pos=").unwrap() - 40;
    bytes[damaged..damaged + 40].fill(0xff);
    let text = text(&bytes, FAR);
    assert!(text.starts_with("scanned: 11a 12b 13c 14d 15e (5)"), "{text}");
}

#[test]
fn one_chunk_is_never_gigabytes() {
    let whole = raw::bag(&ABC[..1], &TOPICS);
    let index_pos = 3_u64 << 30;
    let at = whole.windows(10).position(|w| w == b"index_pos=").unwrap() + 10;
    let index = u64::from_le_bytes(whole[at..at + 8].try_into().unwrap()) as usize;
    let mut head = whole[..index].to_vec();
    head[at..at + 8].copy_from_slice(&index_pos.to_le_bytes());
    head.resize(64 * 1024, 0);
    let tail = Bytes::copy_from_slice(&whole[index..]);
    let mut indexer = Rosbag1.indexer(index_pos + tail.len() as u64);
    assert!(matches!(indexer.step(&Fetched::one(0, head.into())).unwrap(), Step::Need(need) if need[0].start == index_pos));
    let (Step::Need(need) | Step::Grew { need, .. }) = indexer.step(&Fetched::one(index_pos, tail)).unwrap() else {
        panic!("the index is believed");
    };
    assert!(need.iter().all(|range| range.end - range.start <= 32 << 20), "{need:?}");
}

#[test]
fn whatever_the_index_says_all_messages_are_read() {
    let payloads: Vec<Vec<u8>> = (0..60_usize)
        .map(|i| [vec![b'a' + (i % 26) as u8], vec![i as u8; i * 37 % 3000]].concat())
        .collect();
    let messages: Vec<Vec<(u32, &[u8])>> = (0..12)
        .map(|c| (0..5).map(|k| (c * 5 + k + 100, &payloads[(c * 5 + k) as usize][..])).collect())
        .collect();
    let parts: Vec<Part<'_>> = (0..)
        .zip(&messages)
        .map(|(i, messages)| Part {
            number: i % 2,
            ..plain(messages)
        })
        .collect();
    let expected = text(&raw::bag(&parts, &TOPICS), NEAR);
    let expected = expected.strip_prefix("indexed").unwrap();
    for seed in 0..400 {
        let mut rng = Rng::with_seed(seed);
        let bag = lying_bag(&parts, &TOPICS, |infos| {
            for _ in 0..rng.usize(1..4) {
                let chunk = rng.usize(..infos.len());
                let info = &mut infos[chunk];
                match rng.u8(..6) {
                    0 => drop(infos.remove(chunk)),
                    1 => info.at = rng.u64(20..info.at + 3000),
                    2 => info.counts[0].1 = rng.u32(..20),
                    3 => (info.start, info.end) = (rng.u32(..200), rng.u32(..4_000_000_000)),
                    4 => info.counts[0].0 ^= 1,
                    _ => info.counts.push((rng.u32(..4), rng.u32(..))),
                }
            }
        });
        let text = text(&bag, NEAR);
        assert!(text.contains(expected.lines().next().unwrap()), "{seed}: {text}");
        assert!(text.contains("! "), "{seed}: nothing said");
    }
}
