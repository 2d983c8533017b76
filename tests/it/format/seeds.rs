//! Small valid bags: what tests of damage, and fuzzers, begin with.

use std::io::Cursor;

use roadreel::format::Connection;
use roadreel::format::rosbag1::writer::{Compression, Writer};
use roadreel::time::Time;

use super::raw;

#[derive(Clone, Debug)]
pub struct Recording {
    pub connections: Vec<Connection>,
    pub messages: Vec<(u32, Time, Vec<u8>)>,
}

pub fn write(recording: &Recording, compression: Compression, chunk_threshold: usize) -> Vec<u8> {
    let mut writer = Writer::new(Cursor::new(Vec::new()), compression)
        .unwrap()
        .with_chunk_threshold(chunk_threshold);
    recording.connections.iter().for_each(|connection| {
        writer.add_connection(connection);
    });
    for (connection, time, payload) in &recording.messages {
        writer.write(*connection, *time, payload).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Three connections, one latched, and 40 messages that a chunk of 2,000 bytes does not hold.
pub fn sample() -> Recording {
    let connection = |topic: &str, latching| Connection {
        topic: topic.into(),
        type_name: "std_msgs/String".into(),
        md5: "992ce8a1687cec8c8bd883ec73ca41d1".into(),
        definition: "string data\n".into(),
        latching,
        callerid: latching.then(|| "/node".into()),
        bag: None,
    };
    let message = |i: u32| {
        (
            i % 3,
            Time(1_600_000_000_000_000_000 + i64::from(i) * 10_000_000),
            (0..i * 7 % 300).map(|k| (k * k + i) as u8).collect(),
        )
    };
    Recording {
        connections: vec![connection("/a", false), connection("/b", true), connection("/b", false)],
        messages: (0..40).map(message).collect(),
    }
}

/// Valid bags of every kind that a fuzzer starts from, with and without an index.
pub fn seeds() -> Vec<Vec<u8>> {
    let sample = sample();
    let kinds = [(Compression::None, 2000), (Compression::Lz4, 2000), (Compression::Bz2, 20_000)];
    let mut seeds: Vec<_> = kinds.map(|(compression, threshold)| write(&sample, compression, threshold)).into();
    seeds.extend([false, true].map(raw::lz4_bag));
    for i in 0..seeds.len() {
        let mut open = seeds[i].clone();
        let at = open.windows(10).position(|w| w == b"index_pos=").unwrap() + 10;
        open[at..at + 8].fill(0);
        seeds.push(open);
    }
    seeds
}
