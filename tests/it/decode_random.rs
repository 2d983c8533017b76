//! Random definitions and messages: what an encoder writes is read back, and no bytes make the decoder panic.

use std::fmt::Write as _;

use bytes::Bytes;
use fastrand::Rng;
use proptest::prelude::*;
use roadreel::decode::Schema;
use roadreel::path::Column;

use crate::encode::Encoder;
use crate::fuzz::msgdef::{change, json_of, survives};

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
            change(&mut bytes, &mut rng);
            survives(&schema, &Bytes::from(bytes));
        }
    }
}
