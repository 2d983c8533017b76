//! Two seconds of a recording whose frames are broken in every way, with tracked objects and nodes that publish them.

use std::path::PathBuf;

use roadreel::format::Connection;
use roadreel::format::rosbag1::writer::{Compression, Writer};

use super::drive::{START_SEC, at};
use crate::encode::Encoder;

const LINE: &str = "================================================================================\n";
const HEADER: &str = "MSG: std_msgs/Header\nuint32 seq\ntime stamp\nstring frame_id\n";

fn tf_definition() -> String {
    format!(
        "geometry_msgs/TransformStamped[] transforms\n{LINE}MSG: geometry_msgs/TransformStamped\nHeader header\nstring child_frame_id\n\
         Transform transform\n{LINE}{HEADER}{LINE}MSG: geometry_msgs/Transform\nVector3 translation\nQuaternion rotation\n{LINE}\
         MSG: geometry_msgs/Vector3\nfloat64 x\nfloat64 y\nfloat64 z\n{LINE}MSG: geometry_msgs/Quaternion\nfloat64 x\nfloat64 y\nfloat64 z\nfloat64 w\n"
    )
}

fn objects_definition() -> String {
    format!(
        "Header header\ntest_msgs/Object[] objects\n{LINE}{HEADER}{LINE}MSG: test_msgs/Object\nuint8 KIND_CAR=1\nuint8 KIND_PERSON=4\nuint32 id\n\
         uint8 kind\nstring label\ntest_msgs/Point position\nfloat32[] history\n{LINE}MSG: test_msgs/Point\nfloat64 x\nfloat64 y\n"
    )
}

/// The bag, in a folder that goes with the returned guard.
pub fn bag() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("fleet.bag");
    let mut bag = Writer::new(std::io::Cursor::new(Vec::new()), Compression::Lz4)
        .expect("a bag")
        .with_chunk_threshold(64 * 1024);
    let mut topic = |name: &str, type_name: &str, definition: &str, node: Option<&str>, latching: bool| {
        bag.add_connection(&Connection {
            topic: name.into(),
            type_name: type_name.into(),
            md5: "0".repeat(32).into(),
            definition: definition.into(),
            latching,
            callerid: node.map(Into::into),
            bag: None,
        })
    };
    let (tf, objects) = (tf_definition(), objects_definition());
    let moving = topic("/tf", "tf2_msgs/TFMessage", &tf, Some("/localization"), false);
    let again = topic("/tf", "tf2_msgs/TFMessage", &tf, Some("/slam"), false);
    let fixed = topic("/tf_static", "tf2_msgs/TFMessage", &tf, Some("/robot_state"), true);
    let tracked = topic("/objects", "test_msgs/Objects", &objects, Some("/tracker"), false);
    let speed = topic("/speed", "std_msgs/Float32", "float32 data\n", Some("/localization"), false);
    let mode = topic(
        "/mode",
        "test_msgs/Mode",
        "uint8 MANUAL=0\nuint8 AUTO=1\nuint8 mode\nbool engaged\nstring text\n",
        None,
        false,
    );
    let silent = topic("/never", "std_msgs/Float32", "float32 data\n", Some("/localization"), false);
    let _ = silent;
    let blobs = topic("/blob", "test_msgs/Blob", "uint8[] data\n", Some("/camera"), false);
    let mut noise = 1_u32;
    bag.write(
        fixed,
        at(0),
        &transforms(0, &[("base", "lidar", [1.5, 0.0, 2.0]), ("base", "imu", [0.0, 0.0, 0.5])]),
    )
    .expect("written");
    for tick in 0..200_u32 {
        let time = at(i64::from(tick) * 10_000_000);
        if tick % 2 == 0 {
            let x = f64::from(tick) * 0.1;
            bag.write(
                moving,
                time,
                &transforms(tick, &[("odom", "base", [x, 0.0, 0.0]), ("map", "odom", [0.0, 0.0, 0.0])]),
            )
            .expect("written");
        }
        // a wheel falls silent, a second node contradicts, three frames go round, a camera stands apart
        if tick < 20 {
            bag.write(moving, time, &transforms(tick, &[("base", "wheel", [0.0, 1.0, 0.0])]))
                .expect("written");
        }
        if tick % 20 == 0 {
            let all = [
                ("gps", "base", [0.0, 0.0, 0.0]),
                ("a", "b", [0.0; 3]),
                ("b", "c", [0.0; 3]),
                ("c", "a", [0.0; 3]),
                ("rig", "camera", [0.0; 3]),
            ];
            bag.write(again, time, &transforms(tick, &all)).expect("written");
        }
        // what cannot be compressed keeps the chunks apart
        let mut random = || {
            noise ^= noise << 13;
            noise ^= noise >> 17;
            noise ^= noise << 5;
            noise.to_le_bytes()
        };
        let blob: Vec<u8> = (0..4096).flat_map(|_| random()).collect();
        bag.write(blobs, time, Encoder::new().counted(&blob).bytes()).expect("written");
        if tick % 10 == 0 {
            bag.write(tracked, time, objects_at(tick).bytes()).expect("written");
            bag.write(speed, time, Encoder::new().f32(tick as f32 * 0.2).bytes())
                .expect("written");
            let auto = u8::from(tick >= 100);
            let text = if auto == 1 { "lane keeping" } else { "by hand" };
            bag.write(mode, time, Encoder::new().u8(auto).u8(auto).text(text).bytes())
                .expect("written");
        }
    }
    let bytes = bag.finish().expect("finished").into_inner();
    std::fs::write(&path, bytes).expect("the file");
    (dir, path)
}

/// Parent, child, translation.
fn transforms(tick: u32, all: &[(&str, &str, [f64; 3])]) -> Vec<u8> {
    let mut out = Encoder::new().u32(all.len() as u32);
    for (parent, child, translation) in all {
        out = out
            .header(tick, START_SEC + tick / 100, tick % 100 * 10_000_000, parent)
            .text(child)
            .f64s(translation)
            .f64s(&[0.0, 0.0, 0.0, 1.0]);
    }
    out.bytes().to_vec()
}

/// Three objects, and a fourth from one second on; each moves by its number a second.
fn objects_at(tick: u32) -> Encoder {
    let count = if tick >= 100 { 4_u32 } else { 3 };
    let secs = f64::from(tick) * 0.01;
    let mut out = Encoder::new()
        .header(tick, START_SEC + tick / 100, tick % 100 * 10_000_000, "map")
        .u32(count);
    for id in 0..count {
        let (kind, label) = if id == 1 { (4, "person, \"walking\"") } else { (1, "car") };
        out = out
            .u32(10 * (4 - id))
            .u8(kind)
            .text(label)
            .f64(f64::from(id) * secs)
            .f64(-f64::from(id))
            .u32(2)
            .f32(tick as f32)
            .f32(id as f32);
    }
    out
}
