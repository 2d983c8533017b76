//! The real ROS 1 bags of the test data, and what another reader, the crate `rosbag`, reads of a bag.

use std::collections::HashMap;
use std::path::Path;

use bytes::Bytes;
use roadreel::format::{Container, Message};
use rosbag::{ChunkRecord, IndexRecord, MessageRecord, RosBag};

/// Bags without damage; all that the folder holds but for [`BROKEN`] ones and an empty file.
pub const WHOLE: [&str; 13] = [
    "embag_test.bag",
    "embag_test_2020-08.bag",
    "foxglove_example-bz2.bag",
    "foxglove_example-lz4.bag",
    "foxglove_example.bag",
    "foxglove_no-messages.bag",
    "ouster_512x10_raw.bag",
    "plotjuggler_tilt_laser.bag",
    "ros_numpy_test.bag",
    "rosbagjs_example-unsorted-chunks.bag",
    "rviz_satellite_sample.bag",
    "tilt_laser_many_chunks_64k.bag",
    "webviz_only-a-cube.bag",
];

/// Bags without an index, and how many messages `rosbag reindex` finds in them.
pub const BROKEN: [(&str, usize); 2] = [("tilt_laser_unindexed.bag.active", 4081), ("tilt_laser_truncated_60pct.bag", 2426)];

/// A message as another reader sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Told {
    pub time_nanos: i64,
    pub topic: String,
    pub type_name: String,
    pub payload: Bytes,
}

/// All messages, by time and then as they lie in the file.
pub fn second_opinion(path: &Path) -> Vec<Told> {
    let bag = RosBag::new(path).expect("it reads the index");
    let mut connections = HashMap::new();
    for record in bag.index_records() {
        if let IndexRecord::Connection(connection) = record.expect("a record") {
            connections.insert(connection.id, (connection.topic.to_owned(), connection.tp.to_owned()));
        }
    }
    let mut told = Vec::new();
    for record in bag.chunk_records() {
        let ChunkRecord::Chunk(chunk) = record.expect("a record") else {
            continue;
        };
        for message in chunk.messages() {
            if let MessageRecord::MessageData(message) = message.expect("a message") {
                let (topic, type_name) = connections[&message.conn_id].clone();
                told.push(Told {
                    time_nanos: message.time as i64,
                    topic,
                    type_name,
                    payload: Bytes::copy_from_slice(message.data),
                });
            }
        }
    }
    told.sort_by_key(|message| message.time_nanos);
    told
}

/// What our reader read, in the same terms and order.
pub fn told(bag: &dyn Container, messages: &[Message]) -> Vec<Told> {
    let told = |m: &Message| {
        let connection = &bag.catalog().connections[m.connection as usize];
        Told {
            time_nanos: m.time.nanos(),
            topic: connection.topic.to_string(),
            type_name: connection.type_name.to_string(),
            payload: m.payload.clone(),
        }
    };
    let mut told: Vec<_> = messages.iter().map(told).collect();
    told.sort_by_key(|message| message.time_nanos);
    told
}
