//! Every message of other people's bags, through their own definitions.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use roadreel::decode::{Decoded, Form, Pixels, Schema};
use roadreel::path::Column;

use crate::data::data;

const BAGS: &[&str] = &[
    "embag_test.bag",
    "embag_test_2020-08.bag",
    "foxglove_example.bag",
    "ouster_512x10_raw.bag",
    "plotjuggler_tilt_laser.bag",
    "ros_numpy_test.bag",
    "rosbagjs_example-unsorted-chunks.bag",
    "rviz_satellite_sample.bag",
    "webviz_only-a-cube.bag",
];

/// Calls `f` with type, schema and payload of each message.
fn each_message(bag: &str, mut f: impl FnMut(&str, &Schema, Bytes)) -> Option<()> {
    let bag = rosbag::RosBag::new(data(&format!("ros1/{bag}"))?).expect("the crate reads it");
    let mut schemas = HashMap::new();
    for record in bag.index_records() {
        if let rosbag::IndexRecord::Connection(connection) = record.expect("a record") {
            let definition = connection.message_definition;
            let schema = Schema::ros1(connection.tp, definition).unwrap_or_else(|error| panic!("{}: {error}", connection.tp));
            schemas.insert(connection.id, schema);
        }
    }
    for record in bag.chunk_records() {
        let rosbag::ChunkRecord::Chunk(chunk) = record.expect("a record") else {
            continue;
        };
        for message in chunk.messages() {
            if let rosbag::MessageRecord::MessageData(message) = message.expect("a message") {
                let schema = &schemas[&message.conn_id];
                f(&schema.type_name, schema, Bytes::copy_from_slice(message.data));
            }
        }
    }
    Some(())
}

#[test]
fn every_message_decodes_in_every_way() {
    for bag in BAGS {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let read = each_message(bag, |type_name, schema, payload| {
            let mut json = Vec::new();
            let notes = schema
                .write_json(&payload, &mut json)
                .unwrap_or_else(|error| panic!("{bag} {type_name}: {error}"));
            assert_eq!(notes.warning(), None, "{bag} {type_name}");
            let json = String::from_utf8(json).expect("UTF-8");
            assert_eq!(schema.value(&payload).expect("the tree").to_json(), json, "{bag} {type_name}");
            if let Some(form) = schema.form() {
                let decoded = schema
                    .decode(form, &payload)
                    .unwrap_or_else(|error| panic!("{bag} {type_name}: {error}"));
                if let Decoded::Cloud(cloud) = &decoded {
                    assert_eq!(cloud.note, None, "{bag} {type_name}");
                    assert!(!cloud.is_empty());
                }
            }
            let stamp = json
                .starts_with("{\"header\":")
                .then(|| schema.header_stamp(&payload).expect("a stamp").nanos());
            if let Some(nanos) = stamp {
                assert!(json.contains(&format!(
                    "\"stamp\":{{\"sec\":{},\"nsec\":{}}}",
                    nanos / 1_000_000_000,
                    nanos % 1_000_000_000
                )));
            }
            for path in schema.scalar_paths() {
                assert!(
                    Column::of_fields(schema, &path).expect("listed").get(&payload).is_some(),
                    "{bag} {type_name} {path}"
                );
            }
            *seen.entry(format!("{type_name} {:?}", schema.form())).or_default() += 1;
        });
        if read.is_none() {
            return;
        }
        eprintln!("{bag}: {seen:?}");
    }
}

#[test]
fn a_real_cloud_and_its_padded_points() {
    let mut clouds = Vec::new();
    let read = each_message("embag_test.bag", |_, schema, payload| {
        if let (Some(Form::Cloud), Ok(Decoded::Cloud(cloud))) = (schema.form(), schema.decode(Form::Cloud, &payload)) {
            // Columns of the raw bytes are a second way to the same point.
            let intensity = Column::of_fields(schema, "data[16]").expect("a path").get(&payload);
            clouds.push((cloud, intensity));
        }
    });
    if read.is_none() {
        return;
    }
    assert_eq!(clouds.len(), 5);
    for (cloud, byte) in &clouds {
        assert_eq!((cloud.point_step, cloud.field("intensity").map(|f| f.offset)), (32, Some(16)));
        assert_eq!(byte.map(|b| b as u8), cloud.data.get(16).copied());
        let inside = (0..cloud.len())
            .filter_map(|i| cloud.position(i))
            .filter(|p| p.iter().all(|c| c.abs() < 300.0))
            .count();
        assert!(inside * 10 > cloud.len() * 9, "{inside} of {} points within 300 m", cloud.len());
    }
    assert_eq!(clouds.first().map(|(c, _)| c.len()), Some(35_707));
}

#[test]
fn real_pictures_and_grids() {
    let mut shown = Vec::new();
    let read = each_message("ros_numpy_test.bag", |type_name, schema, payload| {
        let Some(form) = schema.form() else { return };
        shown.push(match schema.decode(form, &payload).expect("decodes") {
            Decoded::Image(image) => {
                let pixels = match &image.pixels {
                    Pixels::Rgba8(data) => data.len() / 4,
                    Pixels::Gray(values) => values.len(),
                };
                assert_eq!(pixels, image.width as usize * image.height as usize);
                format!("{type_name} {}×{} {}", image.width, image.height, image.encoding)
            }
            Decoded::Cloud(cloud) => format!("{type_name} {} points", cloud.len()),
            Decoded::Grid(grid) => format!("{type_name} {}×{}", grid.width, grid.height),
            other => format!("{type_name} {:?}", std::mem::discriminant(&other))
                .split(' ')
                .next()
                .unwrap_or("")
                .to_owned(),
        });
    });
    if read.is_none() {
        return;
    }
    shown.sort();
    eprintln!("{shown:#?}");
    assert!(
        shown.iter().any(|s| s.starts_with("sensor_msgs/Image ")) && shown.iter().any(|s| s.starts_with("sensor_msgs/CompressedImage "))
    );
}
