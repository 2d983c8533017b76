//! A drive of two seconds that a test can compute by heart: pictures with known pixels, scalars with known values.

use std::ops::Range;
use std::path::PathBuf;

use roadreel::format::Connection;
use roadreel::format::rosbag1::writer::{Compression, Writer};
use roadreel::time::Time;

use crate::encode::Encoder;

pub const START_SEC: u32 = 1_600_000_000;
pub const SECONDS: u32 = 2;

const HEADER: &str = "================================================================================\nMSG: std_msgs/Header\nuint32 seq\n\
                      time stamp\nstring frame_id\n";
const VECTOR3: &str = "================================================================================\nMSG: geometry_msgs/Vector3\nfloat64 x\nfloat64 y\nfloat64 z\n";
const IMAGE: &str = "std_msgs/Header header\nuint32 height\nuint32 width\nstring encoding\nuint8 is_bigendian\nuint32 step\nuint8[] data\n";
const IMU: &str = "std_msgs/Header header\ngeometry_msgs/Vector3 angular_velocity\ngeometry_msgs/Vector3 linear_acceleration\n\
                   float64[9] linear_acceleration_covariance\n";
const REPORT: &str = "std_msgs/Header header\nfloat32 steering_wheel_angle\nfloat32 speed\nbool enabled\n";

const LOG: &str =
    "std_msgs/Header header\nbyte level\nstring name\nstring msg\nstring file\nstring function\nuint32 line\nstring[] topics\n";
const FIX: &str = "std_msgs/Header header\nsensor_msgs/NavSatStatus status\nfloat64 latitude\nfloat64 longitude\nfloat64 altitude\n\
                   float64[9] position_covariance\nuint8 position_covariance_type\n";
const STATUS: &str = "================================================================================\nMSG: sensor_msgs/NavSatStatus\nint8 status\nuint16 service\n";
const DIAGNOSTICS: &str = "std_msgs/Header header\ndiagnostic_msgs/DiagnosticStatus[] status\n\
                           ================================================================================\nMSG: diagnostic_msgs/DiagnosticStatus\n\
                           byte level\nstring name\nstring message\nstring hardware_id\ndiagnostic_msgs/KeyValue[] values\n\
                           ================================================================================\nMSG: diagnostic_msgs/KeyValue\nstring key\nstring value\n";

pub fn at(nanos: i64) -> Time {
    Time::from_sec_nsec(START_SEC, 0).plus_nanos(nanos)
}

/// The bag, in a folder that goes with the returned guard.
pub fn bag() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("drive.bag");
    let file = std::io::Cursor::new(Vec::new());
    let mut bag = Writer::new(file, Compression::Lz4).expect("a bag").with_chunk_threshold(64 * 1024);
    let mut topic = |topic: &str, type_name: &str, definition: &str| {
        bag.add_connection(&Connection {
            topic: topic.into(),
            type_name: type_name.into(),
            md5: "0".repeat(32).into(),
            definition: definition.into(),
            latching: false,
            callerid: None,
            bag: None,
        })
    };
    let camera = topic("/cam/front_left/image_raw", "sensor_msgs/Image", &format!("{IMAGE}{HEADER}"));
    let thermal = topic("/cam/thermal/image_raw", "sensor_msgs/Image", &format!("{IMAGE}{HEADER}"));
    let wide = topic("/cam/wide/image_raw", "sensor_msgs/Image", &format!("{IMAGE}{HEADER}"));
    let imu = topic("/imu", "sensor_msgs/Imu", &format!("{IMU}{HEADER}{VECTOR3}"));
    let report = topic(
        "/vehicle/steering_report",
        "dbw_mkz_msgs/SteeringReport",
        &format!("{REPORT}{HEADER}"),
    );
    let rosout = topic("/rosout", "rosgraph_msgs/Log", &format!("{LOG}{HEADER}"));
    let chatter = topic("/chatter", "std_msgs/String", "string data\n");
    let fix = topic("/gps/fix", "sensor_msgs/NavSatFix", &format!("{FIX}{HEADER}{STATUS}"));
    let diagnostics = topic("/diagnostics", "diagnostic_msgs/DiagnosticArray", &format!("{DIAGNOSTICS}{HEADER}"));
    let gappy = topic("/gappy", "std_msgs/String", "string data\n");
    let long = topic("/long", "test_msgs/Long", "string name\nfloat32[] values\nuint8[] blob\n");
    let mystery = topic("/mystery", "test_msgs/Unknown", "");
    for tick in 0..SECONDS * 100 {
        let nanos = i64::from(tick) * 10_000_000;
        let time = at(nanos);
        let (sec, nsec) = (START_SEC + tick / 100, tick % 100 * 10_000_000);
        let secs = f64::from(tick) * 0.01;
        let header = |frame: &str| Encoder::new().header(tick, sec, nsec, frame);
        bag.write(imu, time, imu_at(header("imu"), secs).bytes()).expect("written");
        if tick % 2 == 0 {
            let speed = 10.0 + secs as f32;
            let message = header("base")
                .f32((secs as f32 * 3.0).sin())
                .f32(speed)
                .u8(u8::from(tick % 100 >= 50));
            bag.write(report, time, message.bytes()).expect("written");
        }
        if tick % 10 == 0 {
            bag.write(camera, time, color_picture(header("front_left"), tick).bytes())
                .expect("written");
            bag.write(thermal, time, thermal_picture(header("thermal")).bytes())
                .expect("written");
        }
        if tick % 4 == 1 {
            bag.write(rosout, time, log_line(header(""), tick).bytes()).expect("written");
        }
        if tick % 5 == 0 && !(91..140).contains(&tick) && (tick < 90 || tick % 10 == 0) {
            bag.write(gappy, time, Encoder::new().text("tick").bytes()).expect("written");
        }
        if tick % 40 == 7 {
            let text = Encoder::new().text(&format!("chatter {tick}"));
            bag.write(chatter, time, text.bytes()).expect("written");
        }
        if tick % 5 == 0 {
            bag.write(fix, time, fix_at(header("gps"), tick).bytes()).expect("written");
        }
        if tick % 50 == 20 {
            bag.write(diagnostics, time, diagnosed(header(""), tick).bytes()).expect("written");
        }
        if tick % 100 == 0 {
            let values: Vec<u8> = (0..10_000_u32).flat_map(|i| (i as f32 * 0.5 + tick as f32).to_le_bytes()).collect();
            let long_message = Encoder::new().text("ten thousand").u32(10_000).raw(&values).counted(&[0xAB; 5000]);
            bag.write(wide, time, wide_picture(header("wide")).bytes()).expect("written");
            bag.write(long, time, long_message.bytes()).expect("written");
            bag.write(mystery, time, b"\x00\x01no definition\xff").expect("written");
        }
    }
    let bytes = bag.finish().expect("finished").into_inner();
    std::fs::write(&path, bytes).expect("the file");
    (dir, path)
}

/// Messages of one topic, so many nanoseconds after the start.
pub fn one_topic(
    topic: &str,
    type_name: &str,
    definition: &str,
    messages: impl Iterator<Item = (i64, Encoder)>,
) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("one.bag");
    let mut bag = Writer::new(std::io::Cursor::new(Vec::new()), Compression::None).expect("a bag");
    let id = bag.add_connection(&Connection {
        topic: topic.into(),
        type_name: type_name.into(),
        md5: "0".repeat(32).into(),
        definition: definition.into(),
        latching: false,
        callerid: None,
        bag: None,
    });
    for (nanos, message) in messages {
        bag.write(id, at(nanos), message.bytes()).expect("written");
    }
    std::fs::write(&path, bag.finish().expect("finished").into_inner()).expect("the file");
    (dir, path)
}

/// The positions alone, as `/other/fix`, so much later.
pub fn other_track(later_secs: u32) -> (tempfile::TempDir, PathBuf) {
    track(later_secs, 1 << 20, 0..0, SECONDS)
}

/// The same, each position in a chunk of its own: as in recordings whose pictures fill the chunks.
pub fn lonely_track() -> (tempfile::TempDir, PathBuf) {
    track(0, 1, 0..0, SECONDS)
}

/// The same; from 0.9 to 1.1 s there is no fix.
pub fn broken_track(chunk_bytes: usize) -> (tempfile::TempDir, PathBuf) {
    track(0, chunk_bytes, 90..110, SECONDS)
}

/// Five minutes of it.
pub fn long_track() -> (tempfile::TempDir, PathBuf) {
    track(0, 2_000, 0..0, 300)
}

/// Behind a header whose frame is `gps`.
const FIX_STATUS_AT: usize = 12 + 4 + "gps".len();
const NO_FIX: u8 = 0xff;

fn track(later_secs: u32, chunk_bytes: usize, without_fix: Range<u32>, seconds: u32) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("other.bag");
    let bag = Writer::new(std::io::Cursor::new(Vec::new()), Compression::None).expect("a bag");
    let mut bag = bag.with_chunk_threshold(chunk_bytes);
    let fix = bag.add_connection(&Connection {
        topic: "/other/fix".into(),
        type_name: "sensor_msgs/NavSatFix".into(),
        md5: "0".repeat(32).into(),
        definition: format!("{FIX}{HEADER}{STATUS}").into(),
        latching: false,
        callerid: None,
        bag: None,
    });
    for tick in (0..seconds * 100).step_by(5) {
        let time = at(i64::from(later_secs) * 1_000_000_000 + i64::from(tick) * 10_000_000);
        let header = Encoder::new().header(tick, START_SEC + later_secs + tick / 100, tick % 100 * 10_000_000, "gps");
        let mut message = fix_at(header, tick).bytes().to_vec();
        if without_fix.contains(&tick) {
            message[FIX_STATUS_AT] = NO_FIX;
        }
        bag.write(fix, time, &message).expect("written");
    }
    std::fs::write(&path, bag.finish().expect("finished").into_inner()).expect("the file");
    (dir, path)
}

fn imu_at(header: Encoder, secs: f64) -> Encoder {
    let turn = [0.0, 0.0, (secs * 2.0).cos() * 0.2];
    let acceleration = [(secs * 6.0).sin(), (secs * 9.0).cos() * 0.5, 9.81];
    header.f64s(&turn).f64s(&acceleration).f64s(&[0.01; 9])
}

pub const WIDTH: u32 = 48;
pub const HEIGHT: u32 = 32;

/// Red grows to the right, green downwards; blue is the tick.
fn color_picture(header: Encoder, tick: u32) -> Encoder {
    let data: Vec<u8> = (0..HEIGHT)
        .flat_map(|y| (0..WIDTH).flat_map(move |x| [x * 5, y * 8, tick % 256].map(|c| c as u8)))
        .collect();
    header.u32(HEIGHT).u32(WIDTH).text("rgb8").u8(0).u32(WIDTH * 3).counted(&data)
}

/// 16 bits a pixel: `30000 + 10 x + y`.
fn thermal_picture(header: Encoder) -> Encoder {
    let data: Vec<u8> = (0..HEIGHT)
        .flat_map(|y| (0..WIDTH).flat_map(move |x| (30_000 + 10 * x as u16 + y as u16).to_le_bytes()))
        .collect();
    header.u32(HEIGHT).u32(WIDTH).text("mono16").u8(0).u32(WIDTH * 2).counted(&data)
}

pub const WIDE: u32 = 2100;

/// Wider than a texture may be: 8 bits a pixel, `x mod 251`.
fn wide_picture(header: Encoder) -> Encoder {
    let data: Vec<u8> = (0..4).flat_map(|_| (0..WIDE).map(|x| (x % 251) as u8)).collect();
    header.u32(4).u32(WIDE).text("mono8").u8(0).u32(WIDE).counted(&data)
}

/// Every 20th tick an error, every 12th a warning, of two nodes.
fn log_line(header: Encoder, tick: u32) -> Encoder {
    let (level, text) = match tick {
        t if t % 20 == 1 && t % 100 == 41 => (8, format!("brake pressure {t} out of range\nsecond line")),
        t if t % 12 == 1 => (4, format!("late by {t} ms")),
        t if t % 8 == 5 => (1, format!("cycle {t}")),
        t => (2, format!("lane keeping, step {t}")),
    };
    let node = if tick % 8 == 5 { "/planner" } else { "/vehicle/control" };
    let file = "/ws/src/control/src/control_node.cpp";
    header
        .u8(level)
        .text(node)
        .text(&text)
        .text(file)
        .text("spin")
        .u32(100 + tick)
        .u32(0)
}

/// Eastwards across the antimeridian, 0.01° each tick; no fix before the fifth tick.
fn fix_at(header: Encoder, tick: u32) -> Encoder {
    let longitude = 179.0 + f64::from(tick) * 0.01;
    let longitude = if longitude > 180.0 { longitude - 360.0 } else { longitude };
    let status = if tick == 0 { 0xFF } else { 0 };
    header
        .u8(status)
        .raw(&1_u16.to_le_bytes())
        .f64s(&[-17.0, longitude, 30.0])
        .f64s(&[4.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 9.0])
        .u8(2)
}

/// A part that is well, one that is hot after half a second, one that speaks once.
fn diagnosed(header: Encoder, tick: u32) -> Encoder {
    let value = |e: Encoder, key: &str, value: &str| e.text(key).text(value);
    let count = if tick == 20 { 3 } else { 2 };
    let mut message = header.u32(count).u8(0).text("lidar: rate").text("ok").text("lidar-7").u32(1);
    message = value(message, "hertz", "10.0");
    let (level, text) = if tick > 50 { (2, "too hot") } else { (1, "warm") };
    message = message.u8(level).text("camera: temperature").text(text).text("cam-3").u32(1);
    message = value(message, "celsius", if tick > 50 { "71" } else { "58" });
    if tick == 20 {
        message = message.u8(0).text("gps: start").text("started").text("gps-1").u32(0);
    }
    message
}

/// Topic, type, nanoseconds after the start, message.
pub type Said = (&'static str, &'static str, i64, Encoder);

/// A recording of these messages, by time; their types are among the known ones.
pub fn said(messages: &[Said]) -> (tempfile::TempDir, PathBuf) {
    let mut bag = Writer::new(std::io::Cursor::new(Vec::new()), Compression::None).expect("a bag");
    let mut topics: Vec<(&str, u32)> = Vec::new();
    for (topic, type_name, nanos, message) in messages {
        let id = match topics.iter().find(|t| t.0 == *topic) {
            Some(known) => known.1,
            None => bag.add_connection(&Connection {
                topic: (*topic).into(),
                type_name: (*type_name).into(),
                md5: "0".repeat(32).into(),
                definition: roadreel::decode::definitions().complete(type_name).expect("a known type").into(),
                latching: false,
                callerid: None,
                bag: None,
            }),
        };
        topics.push((*topic, id));
        bag.write(id, at(*nanos), message.bytes()).expect("written");
    }
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("said.bag");
    std::fs::write(&path, bag.finish().expect("finished").into_inner()).expect("the file");
    (dir, path)
}
