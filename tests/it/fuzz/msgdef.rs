//! What a fuzzer does with a message definition: changes one that is valid, and reads changed messages with it in every way.
//!
//! An input is the type's name, a line end, its definition, a zero byte, and a message.

use bytes::Bytes;
use fastrand::Rng;
use roadreel::decode::{Decoded, Form, Schema};

/// Which parts of the decoder the inputs reached.
#[derive(Debug, Default)]
pub struct Reached {
    /// Definitions that did not compile.
    pub refused: u64,
    pub compiled: u64,
    /// Messages that were read to their end.
    pub read: u64,
    /// Messages that became a form that panels draw.
    pub forms: u64,
}

/// Compiles the definition and reads the message; whatever they hold, this returns.
pub fn exercise(input: &[u8], reached: &mut Reached) {
    let (text, payload) = split(input);
    let text = String::from_utf8_lossy(text);
    let (name, definition) = text.split_once('\n').unwrap_or((&text, ""));
    let Ok(schema) = Schema::ros1(name, definition) else {
        reached.refused += 1;
        return;
    };
    reached.compiled += 1;
    let payload = Bytes::copy_from_slice(payload);
    survives(&schema, &payload);
    reached.read += u64::from(schema.validate(&payload).is_ok());
    reached.forms += u64::from(schema.form().is_some_and(|form| schema.decode(form, &payload).is_ok()));
}

fn split(input: &[u8]) -> (&[u8], &[u8]) {
    let end = input.iter().position(|b| *b == 0).unwrap_or(input.len());
    (&input[..end], input.get(end + 1..).unwrap_or_default())
}

/// Changes an input: seldom its definition, as few changed ones compile, and always its message.
pub fn mutate(input: &mut Vec<u8>, rng: &mut Rng) {
    let (text, payload) = split(input);
    let (mut text, mut payload) = (text.to_vec(), payload.to_vec());
    if rng.u8(..3) == 0 {
        change(&mut text, rng);
        text.retain(|b| *b != 0);
    }
    match rng.u8(..4) {
        0 => payload = vec![0; rng.usize(..300)],
        1 => payload = plausible(rng),
        _ => {}
    }
    change(&mut payload, rng);
    text.push(0);
    text.extend(payload);
    *input = text;
}

/// A message with bytes changed: nothing panics, and tree, text and walk agree on whether it can be read.
pub fn survives(schema: &Schema, payload: &Bytes) {
    let text = json_of(schema, payload);
    let tree = schema.value(payload);
    assert_eq!(
        text.as_ref().map_err(|e| e.clone()),
        tree.as_ref()
            .map(|v| v.to_json())
            .map_err(|e| e.to_string())
            .as_ref()
            .map_err(|e| e.clone())
    );
    assert_eq!(schema.validate(payload).is_ok(), text.is_ok());
    if let Ok(text) = &text {
        serde_json::from_str::<serde::de::IgnoredAny>(text).expect("valid JSON");
    }
    let _ = schema.header_stamp(payload);
    for path in schema.scalar_paths().iter().take(50) {
        let _ = roadreel::path::Column::of_fields(schema, path).expect("listed").get(payload);
    }
    if let Some(form) = schema.form()
        && let Ok(Decoded::Cloud(cloud)) = schema.decode(form, payload)
    {
        for index in [0, cloud.len().saturating_sub(1), cloud.len()] {
            assert_eq!(cloud.point_bytes(index).is_some(), index < cloud.len());
            let _ = (cloud.point(index), cloud.position(index));
        }
    }
    let _ = schema.decode(Form::Value, payload);
}

/// Changes bytes in a few places.
pub fn change(bytes: &mut Vec<u8>, rng: &mut Rng) {
    for _ in 0..rng.usize(1..6) {
        let at = rng.usize(..=bytes.len());
        match rng.u8(..7) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, rng.u8(..)),
            2 if at < bytes.len() => {
                bytes.remove(at);
            }
            3 => {
                let word = [0, 1, 255, 0xffff, 0x7fff_ffff, 0x8000_0000, u32::MAX, 1 << 24][rng.usize(..8)].to_le_bytes();
                bytes.iter_mut().skip(at).zip(word).for_each(|(b, w)| *b = w);
            }
            4 => {
                let from = rng.usize(..=bytes.len());
                let piece: Vec<u8> = bytes.iter().skip(from).take(rng.usize(..40)).copied().collect();
                bytes.splice(at..at, piece);
            }
            _ if at < bytes.len() => bytes[at] ^= 1 << rng.u8(..8),
            _ => {}
        }
        bytes.truncate(1 << 16);
    }
}

/// Bytes that a type's message could begin with: small counts everywhere.
fn plausible(rng: &mut Rng) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..rng.usize(..60) {
        match rng.u8(..6) {
            0 => bytes.extend_from_slice(&rng.u32(..5).to_le_bytes()),
            1 => bytes.extend_from_slice(&[0; 12]),
            2 => {
                let word = ["rgb8", "mono16", "bayer_rggb8", "yuv422", "32FC1", "x", "map", "jpeg"][rng.usize(..8)];
                bytes.extend_from_slice(&u32::try_from(word.len()).expect("short").to_le_bytes());
                bytes.extend_from_slice(word.as_bytes());
            }
            3 => bytes.extend_from_slice(&rng.f64().to_le_bytes()),
            4 => bytes.push(rng.u8(..9)),
            _ => bytes.extend((0..rng.usize(..30)).map(|_| rng.u8(..))),
        }
    }
    bytes
}

/// What a fuzzer starts from: every form, and text with every part of the grammar, without messages.
pub fn seeds() -> Vec<Vec<u8>> {
    let rest = "\n===\nMSG: std_msgs/Header\nuint32 seq\ntime stamp\nstring frame_id\n===\nMSG: geometry_msgs/Pose\nPoint position\nQuaternion orientation\n\
                ===\nMSG: geometry_msgs/Point\nfloat64 x\nfloat64 y\nfloat64 z\n===\nMSG: geometry_msgs/Quaternion\nfloat64 x\nfloat64 y\nfloat64 z\nfloat64 w\n\
                ===\nMSG: geometry_msgs/Vector3\nfloat64 x\nfloat64 y\nfloat64 z\n===\nMSG: std_msgs/ColorRGBA\nfloat32 r\nfloat32 g\nfloat32 b\nfloat32 a\n\
                ===\nMSG: sensor_msgs/PointField\nstring name\nuint32 offset\nuint8 datatype\nuint32 count\n===\nMSG: diagnostic_msgs/KeyValue\nstring key\nstring value\n";
    let marker = "Header header\nstring ns\nint32 id\nint32 type\nint32 action\ngeometry_msgs/Pose pose\ngeometry_msgs/Vector3 scale\nstd_msgs/ColorRGBA color\nduration lifetime\nbool frame_locked\ngeometry_msgs/Point[] points\nstd_msgs/ColorRGBA[] colors\nstring text\nstring mesh_resource\nbool mesh_use_embedded_materials";
    let all = [
        ("sensor_msgs/Image", "Header header\nuint32 height\nuint32 width\nstring encoding\nuint8 is_bigendian\nuint32 step\nuint8[] data".to_owned()),
        ("sensor_msgs/CompressedImage", "Header header\nstring format\nuint8[] data".to_owned()),
        ("sensor_msgs/PointCloud2", "Header header\nuint32 height\nuint32 width\nPointField[] fields\nbool is_bigendian\nuint32 point_step\nuint32 row_step\nuint8[] data\nbool is_dense".to_owned()),
        ("tf2_msgs/TFMessage", "geometry_msgs/TransformStamped[] transforms\n===\nMSG: geometry_msgs/TransformStamped\nHeader header\nstring child_frame_id\nTransform transform\n===\nMSG: geometry_msgs/Transform\nVector3 translation\nQuaternion rotation".to_owned()),
        ("visualization_msgs/MarkerArray", format!("visualization_msgs/Marker[] markers\n===\nMSG: visualization_msgs/Marker\n{marker}")),
        ("nav_msgs/Path", "Header header\ngeometry_msgs/PoseStamped[] poses\n===\nMSG: geometry_msgs/PoseStamped\nHeader header\nPose pose".to_owned()),
        ("nav_msgs/OccupancyGrid", "Header header\nMapMetaData info\nint8[] data\n===\nMSG: nav_msgs/MapMetaData\ntime map_load_time\nfloat32 resolution\nuint32 width\nuint32 height\ngeometry_msgs/Pose origin".to_owned()),
        ("diagnostic_msgs/DiagnosticArray", "Header header\nDiagnosticStatus[] status\n===\nMSG: diagnostic_msgs/DiagnosticStatus\nbyte level\nstring name\nstring message\nstring hardware_id\nKeyValue[] values".to_owned()),
        ("derived_object_msgs/ObjectArray", "Header header\nObject[] objects\n===\nMSG: derived_object_msgs/Object\nHeader header\nuint32 id\ngeometry_msgs/Pose pose\ngeometry_msgs/Twist twist\nshape_msgs/SolidPrimitive shape\nuint8 classification\n===\nMSG: geometry_msgs/Twist\nVector3 linear\nVector3 angular\n===\nMSG: shape_msgs/SolidPrimitive\nuint8 type\nfloat64[] dimensions".to_owned()),
        ("p/T", "# c\nint32 A=1\nstring B= x # y\nT2[3] a\nT2[] b\np/T2 c\nstring[] s\nduration d\n=====\nMSG: p/T2\nE e\nuint8[4] q\n===\nMSG: p/E\n".to_owned()),
    ];
    all.into_iter()
        .map(|(name, text)| format!("{name}\n{text}{rest}\0").into_bytes())
        .collect()
}

pub fn json_of(schema: &Schema, payload: &[u8]) -> Result<String, String> {
    let mut out = Vec::new();
    schema.write_json(payload, &mut out).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(out).expect("UTF-8"))
}
