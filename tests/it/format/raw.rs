//! Bags record by record, so that a test can put together what no writer would.

use roadreel::format::rosbag1::MAGIC;

pub fn field(name: &str, value: &[u8]) -> Vec<u8> {
    let mut field = ((name.len() + 1 + value.len()) as u32).to_le_bytes().to_vec();
    field.extend_from_slice(name.as_bytes());
    field.push(b'=');
    field.extend_from_slice(value);
    field
}

pub fn record(op: u8, fields: &[(&str, &[u8])], data: &[u8]) -> Vec<u8> {
    let mut header = field("op", &[op]);
    fields.iter().for_each(|(name, value)| header.extend(field(name, value)));
    let mut record = (header.len() as u32).to_le_bytes().to_vec();
    record.extend(header);
    record.extend((data.len() as u32).to_le_bytes());
    record.extend(data);
    record
}

fn time(sec: u32) -> [u8; 8] {
    let mut time = [0; 8];
    time[..4].copy_from_slice(&sec.to_le_bytes());
    time
}

pub fn bag_header(index_pos: u64, connections: u32, chunks: u32) -> Vec<u8> {
    let fields: &[(&str, &[u8])] = &[
        ("index_pos", &index_pos.to_le_bytes()),
        ("conn_count", &connections.to_le_bytes()),
        ("chunk_count", &chunks.to_le_bytes()),
    ];
    record(3, fields, &[b' '; 200])
}

pub fn connection(number: u32, topic: &str) -> Vec<u8> {
    let data = [
        field("topic", topic.as_bytes()),
        field("type", b"std_msgs/String"),
        field("md5sum", b"x"),
        field("message_definition", b"string data"),
    ];
    record(7, &[("conn", &number.to_le_bytes()), ("topic", topic.as_bytes())], &data.concat())
}

pub fn message(number: u32, sec: u32, payload: &[u8]) -> Vec<u8> {
    record(2, &[("conn", &number.to_le_bytes()), ("time", &time(sec))], payload)
}

pub fn chunk(compression: &str, size: usize, data: &[u8]) -> Vec<u8> {
    record(
        5,
        &[("compression", compression.as_bytes()), ("size", &(size as u32).to_le_bytes())],
        data,
    )
}

pub fn index_data(number: u32, entries: &[(u32, u32)]) -> Vec<u8> {
    let data: Vec<u8> = entries
        .iter()
        .flat_map(|(sec, offset)| [&time(*sec)[..], &offset.to_le_bytes()].concat())
        .collect();
    let fields: &[(&str, &[u8])] = &[
        ("ver", &1u32.to_le_bytes()),
        ("conn", &number.to_le_bytes()),
        ("count", &(entries.len() as u32).to_le_bytes()),
    ];
    record(4, fields, &data)
}

pub fn chunk_info(at: u64, start: u32, end: u32, counts: &[(u32, u32)]) -> Vec<u8> {
    let data: Vec<u8> = counts
        .iter()
        .flat_map(|(number, count)| [number.to_le_bytes(), count.to_le_bytes()].concat())
        .collect();
    let fields: &[(&str, &[u8])] = &[
        ("ver", &1u32.to_le_bytes()),
        ("chunk_pos", &at.to_le_bytes()),
        ("start_time", &time(start)),
        ("end_time", &time(end)),
        ("count", &(counts.len() as u32).to_le_bytes()),
    ];
    record(6, fields, &data)
}

/// One chunk of one connection: `(seconds, payload)`.
pub struct Part<'a> {
    pub compression: &'a str,
    pub describe: bool,
    pub number: u32,
    pub messages: &'a [(u32, &'a [u8])],
    /// What stands before the chunk.
    pub padding: &'a [u8],
    pub pack: &'a dyn Fn(&[u8]) -> Vec<u8>,
}

pub const PLAIN: Part<'static> = Part {
    compression: "none",
    describe: false,
    number: 0,
    messages: &[],
    padding: &[],
    pack: &|data| data.to_vec(),
};

pub fn plain<'a>(messages: &'a [(u32, &'a [u8])]) -> Part<'a> {
    Part { messages, ..PLAIN }
}

/// What the index says of a chunk.
#[derive(Clone, Debug)]
pub struct Info {
    pub at: u64,
    pub start: u32,
    pub end: u32,
    pub counts: Vec<(u32, u32)>,
}

/// A bag of these chunks, in this order. `described` are the connections that the index describes.
pub fn bag(parts: &[Part<'_>], described: &[(u32, &str)]) -> Vec<u8> {
    lying_bag(parts, described, |_| {})
}

/// As [`bag`], with an index that says something else of the chunks.
pub fn lying_bag(parts: &[Part<'_>], described: &[(u32, &str)], lie: impl FnOnce(&mut Vec<Info>)) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(bag_header(0, 0, 0));
    let mut infos = Vec::new();
    for part in parts {
        bytes.extend_from_slice(part.padding);
        let at = bytes.len() as u64;
        let mut data = if part.describe {
            connection(part.number, &format!("/in_chunk_{}", part.number))
        } else {
            Vec::new()
        };
        let mut entries = Vec::new();
        for (sec, payload) in part.messages {
            entries.push((*sec, data.len() as u32));
            data.extend(message(part.number, *sec, payload));
        }
        bytes.extend(chunk(part.compression, data.len(), &(part.pack)(&data)));
        bytes.extend_from_slice(part.padding);
        bytes.extend(index_data(part.number, &entries));
        let secs = || part.messages.iter().map(|(sec, _)| *sec);
        infos.push(Info {
            at,
            start: secs().min().unwrap_or(0),
            end: secs().max().unwrap_or(0),
            counts: vec![(part.number, entries.len() as u32)],
        });
    }
    bytes.extend_from_slice(parts.first().map_or(&[], |part| part.padding));
    let index_pos = bytes.len() as u64;
    described
        .iter()
        .for_each(|(number, topic)| bytes.extend(connection(*number, topic)));
    lie(&mut infos);
    for Info { at, start, end, counts } in &infos {
        bytes.extend(chunk_info(*at, *start, *end, counts));
    }
    let header = bag_header(index_pos, described.len() as u32, infos.len() as u32);
    bytes[MAGIC.len()..MAGIC.len() + header.len()].copy_from_slice(&header);
    bytes
}

/// An LZ4 frame of 64 KiB blocks. `linked`: each block may refer to the one before, as the `lz4` library does it.
pub fn frame(data: &[u8], linked: bool, content_size: Option<u64>) -> Vec<u8> {
    let mut frame = 0x184D_2204u32.to_le_bytes().to_vec();
    let flags = 0b0101_0100 | if linked { 0 } else { 0b0010_0000 } | if content_size.is_some() { 0b1000 } else { 0 };
    frame.extend([flags, 4 << 4]);
    frame.extend(content_size.iter().flat_map(|size| size.to_le_bytes()));
    frame.push((twox_hash::XxHash32::oneshot(0, &frame[4..]) >> 8) as u8);
    let mut at = 0;
    for block in data.chunks(64 * 1024) {
        let dictionary = if linked { &data[at - at.min(64 * 1024)..at] } else { &[] };
        let packed = lz4_flex::block::compress_with_dict(block, dictionary);
        frame.extend((packed.len() as u32).to_le_bytes());
        frame.extend(&packed);
        frame.extend(twox_hash::XxHash32::oneshot(0, &packed).to_le_bytes());
        at += block.len();
    }
    frame.extend(0u32.to_le_bytes());
    frame.extend(twox_hash::XxHash32::oneshot(0, data).to_le_bytes());
    frame
}

/// Many messages that resemble each other from block to block.
pub fn long_messages() -> Vec<(u32, Vec<u8>)> {
    (0..12u32)
        .map(|i| {
            (
                i,
                (0..30_000u32)
                    .map(|k| (k.wrapping_mul(k ^ 77) >> 7) as u8 ^ (i == k % 13) as u8)
                    .collect(),
            )
        })
        .collect()
}

/// A bag of one LZ4 chunk of several blocks.
pub fn lz4_bag(linked: bool) -> Vec<u8> {
    let long = long_messages();
    let messages: Vec<(u32, &[u8])> = long.iter().take(3).map(|(sec, payload)| (*sec, &payload[..])).collect();
    let parts = [Part {
        compression: "lz4",
        messages: &messages,
        describe: true,
        pack: &|data| frame(data, linked, None),
        ..PLAIN
    }];
    bag(&parts, &[(0, "/in_chunk_0")])
}
