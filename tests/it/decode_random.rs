//! Random definitions and messages: what an encoder writes is read back, and no bytes make the decoder panic.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use bytes::Bytes;
use fastrand::Rng;
use proptest::prelude::*;
use roadreel::decode::{Decoded, Form, Schema};
use roadreel::path::Column;

use crate::encode::Encoder;

/// One type: its fields' names, types and arrays.
struct Model {
    types: Vec<Vec<(String, Kind, Array)>>,
}

#[derive(Clone, Copy)]
enum Kind {
    Scalar(&'static str),
    Struct(usize),
}

#[derive(Clone, Copy)]
enum Array {
    One,
    Fixed(usize),
    Dynamic,
}

const SCALARS: [&str; 16] = [
    "bool", "int8", "byte", "uint8", "char", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64", "string",
    "time", "duration",
];

impl Model {
    /// Types use only later ones, so none contains itself; the last has scalars only.
    fn random(rng: &mut Rng) -> Model {
        let count = rng.usize(1..5);
        let types = (0..count)
            .map(|index| {
                (0..rng.usize(1..7))
                    .map(|field| {
                        let nested = index + 1 < count && rng.u8(..) < 100;
                        let kind = if nested {
                            Kind::Struct(rng.usize(index + 1..count))
                        } else {
                            Kind::Scalar(SCALARS[rng.usize(..SCALARS.len())])
                        };
                        let array = match rng.u8(..6) {
                            0 => Array::Fixed(rng.usize(1..4)),
                            1 => Array::Dynamic,
                            _ => Array::One,
                        };
                        (format!("f{field}"), kind, array)
                    })
                    .collect()
            })
            .collect();
        Model { types }
    }

    fn text(&self, rng: &mut Rng) -> String {
        let mut text = String::new();
        let ending = if rng.bool() { "\r\n" } else { "\n" };
        for (index, fields) in self.types.iter().enumerate() {
            if index > 0 {
                let _ = write!(text, "{}{ending}MSG: p/T{index}{ending}", "=".repeat(rng.usize(3..90)));
            }
            for (name, kind, array) in fields {
                if rng.u8(..5) == 0 {
                    let _ = write!(
                        text,
                        "  # float32 no{ending}string CONST{name} = x # y = z{ending}{ending}int8 C{name}=-3#c{ending}"
                    );
                }
                let kind = match kind {
                    Kind::Scalar(name) => (*name).to_owned(),
                    Kind::Struct(id) => format!("{}T{id}", ["", "p/", "p/msg/"][rng.usize(..3)]),
                };
                let array = match array {
                    Array::One => String::new(),
                    Array::Fixed(n) => format!("[{n}]"),
                    Array::Dynamic => "[]".to_owned(),
                };
                let _ = write!(
                    text,
                    "{kind}{array}{}{name}{}{ending}",
                    [" ", "  ", "\t"][rng.usize(..3)],
                    ["", " # what = that", "  "][rng.usize(..3)]
                );
            }
        }
        if rng.bool() { text.trim_end().to_owned() } else { text }
    }

    /// A message and the JSON that must come of it.
    fn message(&self, id: usize, e: &mut Encoder, rng: &mut Rng) -> String {
        let mut out = String::from("{");
        for (index, (name, kind, array)) in self.types[id].iter().enumerate() {
            let _ = write!(out, "{}\"{name}\":", if index > 0 { "," } else { "" });
            let count = match array {
                Array::One => {
                    out.push_str(&self.one(*kind, e, rng));
                    continue;
                }
                Array::Fixed(n) => *n,
                Array::Dynamic => {
                    let n = rng.u32(..4);
                    *e = std::mem::take(e).u32(n);
                    n as usize
                }
            };
            if let Kind::Scalar("uint8" | "char") = kind {
                let data: Vec<u8> = (0..count).map(|_| rng.u8(..)).collect();
                *e = std::mem::take(e).raw(&data);
                use base64::Engine as _;
                let _ = write!(out, "\"{}\"", base64::engine::general_purpose::STANDARD.encode(data));
                continue;
            }
            let elements: Vec<String> = (0..count).map(|_| self.one(*kind, e, rng)).collect();
            let _ = write!(out, "[{}]", elements.join(","));
        }
        out.push('}');
        out
    }

    fn one(&self, kind: Kind, e: &mut Encoder, rng: &mut Rng) -> String {
        let name = match kind {
            Kind::Struct(id) => return self.message(id, e, rng),
            Kind::Scalar(name) => name,
        };
        let mut put = |bytes: &[u8]| *e = std::mem::take(e).raw(bytes);
        macro_rules! number {
            ($t:ty) => {{
                let v = rng.u64(..) as $t;
                put(&v.to_le_bytes());
                v.to_string()
            }};
        }
        match name {
            "bool" => {
                let v = rng.bool();
                put(&[u8::from(v)]);
                v.to_string()
            }
            "int8" | "byte" => number!(i8),
            "uint8" | "char" => number!(u8),
            "int16" => number!(i16),
            "uint16" => number!(u16),
            "int32" => number!(i32),
            "uint32" => number!(u32),
            "int64" => number!(i64),
            "uint64" => number!(u64),
            "float32" => {
                let v = f32::from_bits(rng.u32(..));
                put(&v.to_le_bytes());
                if v.is_finite() {
                    serde_json::to_string(&v).expect("finite")
                } else {
                    not_finite(f64::from(v))
                }
            }
            "float64" => {
                let v = f64::from_bits(rng.u64(..));
                put(&v.to_le_bytes());
                if v.is_finite() {
                    serde_json::to_string(&v).expect("finite")
                } else {
                    not_finite(v)
                }
            }
            "string" => {
                let v: String = (0..rng.usize(..6)).map(|_| rng.char(..)).collect();
                put(&u32::try_from(v.len()).expect("short").to_le_bytes());
                put(v.as_bytes());
                serde_json::to_string(&v).expect("text")
            }
            "time" => {
                let (sec, nsec) = (rng.u32(..), rng.u32(..));
                put(&sec.to_le_bytes());
                put(&nsec.to_le_bytes());
                format!("{{\"sec\":{sec},\"nsec\":{nsec}}}")
            }
            _ => {
                let (sec, nsec) = (rng.i32(..), rng.i32(..));
                put(&sec.to_le_bytes());
                put(&nsec.to_le_bytes());
                format!("{{\"sec\":{sec},\"nsec\":{nsec}}}")
            }
        }
    }
}

fn not_finite(v: f64) -> String {
    format!(
        "\"{}\"",
        if v.is_nan() {
            "NaN"
        } else if v > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
    )
}

fn json_of(schema: &Schema, payload: &[u8]) -> Result<String, String> {
    let mut out = Vec::new();
    schema.write_json(payload, &mut out).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(out).expect("UTF-8"))
}

/// Columns agree with the tree, for every plottable path.
fn columns_agree(schema: &Schema, payload: &Bytes) {
    let tree: serde_json::Value = serde_json::from_str(&json_of(schema, payload).expect("decodes")).expect("JSON");
    for path in schema.scalar_paths() {
        let read = Column::of_fields(schema, &path).expect("listed").get(payload).expect("there");
        let pointer = format!("/{}", path.replace('[', ".").replace(']', "").replace('.', "/"));
        match tree.pointer(&pointer) {
            Some(serde_json::Value::Number(n)) => {
                let expect = n.as_f64().expect("a number");
                // JSON holds the shortest text of an f32, the column its exact value.
                assert!(read == expect || (read as f32) == (expect as f32), "{path}: {read} is not {expect}");
            }
            Some(serde_json::Value::Bool(b)) => assert_eq!(read, f64::from(u8::from(*b))),
            Some(serde_json::Value::String(s)) => assert_eq!(*s, not_finite(read).trim_matches('"')),
            // Fixed uint8 arrays are base64 in JSON.
            None => assert!(path.ends_with(']'), "{path} is not in {tree}"),
            other => panic!("{path}: {other:?}"),
        }
    }
}

fn round_trip(seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let model = Model::random(&mut rng);
    let text = model.text(&mut rng);
    let schema = Schema::ros1("p/T0", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut e = Encoder::new();
    let expect = model.message(0, &mut e, &mut rng);
    let payload = Bytes::copy_from_slice(e.bytes());
    assert_eq!(json_of(&schema, &payload).as_ref(), Ok(&expect), "{text}");
    assert_eq!(schema.value(&payload).map(|v| v.to_json()).as_ref(), Ok(&expect), "{text}");
    assert_eq!(schema.validate(&payload), Ok(()));
    columns_agree(&schema, &payload);
    // Every cut is refused, with an offset inside the message.
    for cut in 0..payload.len() {
        let cut = payload.slice(..cut);
        assert!(schema.value(&cut).is_err() && schema.validate(&cut).is_err() && json_of(&schema, &cut).is_err());
    }
}

/// A message with bytes changed: nothing panics, and tree, text and walk agree on whether it can be read.
fn survives(schema: &Schema, payload: &Bytes) {
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
        let _ = Column::of_fields(schema, path).expect("listed").get(payload);
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

fn mutate(bytes: &mut Vec<u8>, rng: &mut Rng) {
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

/// Definitions that mutation starts from: every form, and text with every part of the grammar.
fn seeds() -> Vec<(&'static str, String)> {
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
    all.into_iter().map(|(name, text)| (name, format!("{text}{rest}"))).collect()
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

/// One execution: a mutated definition, then messages through it, each read in every way. True where the definition compiled.
fn fuzz_one(rng: &mut Rng, seeds: &[(&'static str, String)]) -> bool {
    let (name, text) = &seeds[rng.usize(..seeds.len())];
    let mut text = text.clone().into_bytes();
    if rng.u8(..3) > 0 {
        mutate(&mut text, rng);
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    let Ok(schema) = Schema::ros1(name, &text) else { return false };
    for _ in 0..8 {
        let mut bytes = if rng.bool() { vec![0; rng.usize(..300)] } else { plausible(rng) };
        mutate(&mut bytes, rng);
        survives(&schema, &Bytes::from(bytes));
    }
    true
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn what_is_written_is_read_back(seed: u64) {
        round_trip(seed);
    }

    #[test]
    fn random_text_is_no_reason_to_panic(text in "\\PC{0,200}", payload: Vec<u8>) {
        if let Ok(schema) = Schema::ros1("a/B", &text) {
            survives(&schema, &Bytes::from(payload));
        }
    }

    #[test]
    fn changed_messages_are_read_or_refused(seed: u64) {
        let mut rng = Rng::with_seed(seed);
        let model = Model::random(&mut rng);
        let schema = Schema::ros1("p/T0", &model.text(&mut rng)).expect("compiles");
        let mut e = Encoder::new();
        model.message(0, &mut e, &mut rng);
        for _ in 0..10 {
            let mut bytes = e.bytes().to_vec();
            mutate(&mut bytes, &mut rng);
            survives(&schema, &Bytes::from(bytes));
        }
    }
}

/// Runs for `ROADREEL_FUZZ_SECS` (1 s by default) from a seed that it prints; `ROADREEL_FUZZ_SEED` repeats a run.
#[test]
fn fuzz_definitions_and_messages() {
    let setting = |name: &str| std::env::var(name).ok().and_then(|v| v.parse::<u64>().ok());
    let limit = Duration::from_secs(setting("ROADREEL_FUZZ_SECS").unwrap_or(1));
    let seed = setting("ROADREEL_FUZZ_SEED").unwrap_or(20_200_913);
    let seeds = seeds();
    let start = Instant::now();
    let (mut executions, mut compiled) = (0u64, 0u64);
    while start.elapsed() < limit {
        // Each execution has a seed of its own, which a failure names.
        let mut rng = Rng::with_seed(seed.wrapping_add(executions));
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| fuzz_one(&mut rng, &seeds)));
        match result {
            Ok(ok) => compiled += u64::from(ok),
            Err(panic) => {
                eprintln!("repeat with ROADREEL_FUZZ_SEED={}", seed.wrapping_add(executions));
                std::panic::resume_unwind(panic);
            }
        }
        executions += 1;
    }
    eprintln!(
        "decode fuzz: {executions} definitions, {compiled} compiled, {} messages, {:.1?}, seed {seed}",
        compiled * 8,
        start.elapsed()
    );
}
