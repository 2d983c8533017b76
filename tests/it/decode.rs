//! Message definitions and messages: what goes in, what comes out.

use bytes::Bytes;
use roadreel::decode::{Schema, Value};
use roadreel::path::Column;

use crate::encode::Encoder;

fn json(schema: &Schema, payload: &[u8]) -> String {
    let mut out = Vec::new();
    match schema.write_json(payload, &mut out) {
        Ok(notes) => {
            let mut text = String::from_utf8(out).expect("JSON is UTF-8");
            if let Some(warning) = notes.warning() {
                text.push_str(&format!("  // {warning}"));
            }
            text
        }
        Err(error) => {
            assert!(out.is_empty(), "after an error nothing stays written");
            format!("error: {error}")
        }
    }
}

/// Definition and values in, JSON out; the tree must be spelt the same.
fn check(type_name: &str, definition: &str, payload: &Encoder, expect: &str) {
    let schema = Schema::ros1(type_name, definition).expect("the definition compiles");
    let bytes = Bytes::copy_from_slice(payload.bytes());
    assert_eq!(json(&schema, &bytes), expect);
    if !expect.starts_with("error") {
        let tree = schema.value(&bytes).expect("the tree");
        assert_eq!(tree.to_json(), expect.split("  // ").next().unwrap_or(""));
        schema.validate(&bytes).expect("validates");
    } else {
        assert_eq!(format!("error: {}", schema.value(&bytes).expect_err("no tree either")), expect);
    }
}

fn refuses(type_name: &str, definition: &str, expect: &str) {
    assert_eq!(Schema::ros1(type_name, definition).expect_err("refused").to_string(), expect);
}

#[test]
fn every_scalar_and_its_spelling() {
    let definition = "bool b\nint8 i8\nbyte by\nuint8 u8\nchar c\nint16 i16\nuint16 u16\nint32 i32\nuint32 u32\nint64 i64\nuint64 u64\n\
                      float32 f32\nfloat64 f64\nstring s\ntime t\nduration d";
    let message = Encoder::new()
        .u8(1)
        .raw(&(-8i8).to_le_bytes())
        .raw(&(-9i8).to_le_bytes())
        .u8(200)
        .u8(65)
        .raw(&(-300i16).to_le_bytes())
        .raw(&60000u16.to_le_bytes())
        .i32(-70000)
        .u32(4_000_000_000)
        .raw(&i64::MIN.to_le_bytes())
        .raw(&u64::MAX.to_le_bytes())
        .f32(0.1)
        .f64(0.1)
        .text("a\"\n\u{1}é")
        .u32(1_600_000_003)
        .u32(250_000_000)
        .i32(-1)
        .i32(-500);
    check(
        "a/B",
        definition,
        &message,
        r#"{"b":true,"i8":-8,"by":-9,"u8":200,"c":65,"i16":-300,"u16":60000,"i32":-70000,"u32":4000000000,"i64":-9223372036854775808,"u64":18446744073709551615,"f32":0.1,"f64":0.1,"s":"a\"\n\u0001é","t":{"sec":1600000003,"nsec":250000000},"d":{"sec":-1,"nsec":-500}}"#,
    );
}

#[test]
fn arrays_and_numbers_that_are_none() {
    let definition = "uint8[] a\nchar[2] c\nbyte[3] b\nbool[] flags\nfloat32[4] f\nfloat64[] d\nstring[] s\ntime[1] t\nPoint[] p\n===\nMSG: a/Point\nint16 x";
    let message = Encoder::new()
        .u32(4)
        .raw(&[0, 1, 2, 255])
        .raw(b"hi")
        .raw(&[0, 255, 128])
        .u32(2)
        .raw(&[0, 7])
        .f32(f32::NAN)
        .f32(f32::INFINITY)
        .f32(f32::NEG_INFINITY)
        .f32(16_777_216.0)
        .u32(2)
        .f64(1e300)
        .f64(-0.0)
        .u32(2)
        .text("")
        .raw(&[2, 0, 0, 0, b'x', 0xff])
        .u32(0)
        .u32(1)
        .u32(2)
        .raw(&[1, 0, 255, 255]);
    check(
        "a/B",
        definition,
        &message,
        "{\"a\":\"AAEC/w==\",\"c\":\"aGk=\",\"b\":[0,-1,-128],\"flags\":[false,true],\"f\":[\"NaN\",\"Infinity\",\"-Infinity\",16777216.0],\
         \"d\":[1e+300,-0.0],\"s\":[\"\",\"x\u{fffd}\"],\"t\":[{\"sec\":0,\"nsec\":1}],\"p\":[{\"x\":1},{\"x\":-1}]}  // the string at byte 63 of the message is not valid UTF-8",
    );
}

#[test]
fn the_grammar_with_all_its_corners() {
    let definition = "# a comment\r\nint32 A=1  # one\r\nstring NAME = it's # not a comment\r\nfloat64 PI=3.14\r\n\r\n  Header   header   # first\r\n\
                      Point at\r\nother/Point there\r\nother/msg/Point[1] ros2_style\r\nLost lost\r\nuint8 last\r\n\
                      ===\r\nMSG: std_msgs/Header\r\nuint32 seq\r\ntime stamp\r\nstring frame_id\r\n\
                      ================================================================================\r\nMSG: other/Point\r\nuint8 o\r\n\
                      ====\r\nMSG: a/Point\r\nuint8 mine\r\n=====\r\nMSG: far/Lost\r\nuint8 found";
    let message = Encoder::new().header(7, 1, 2, "map").raw(&[1, 2, 3, 4, 5]);
    let expect = r#"{"header":{"seq":7,"stamp":{"sec":1,"nsec":2},"frame_id":"map"},"at":{"mine":1},"there":{"o":2},"ros2_style":[{"o":3}],"lost":{"found":4},"last":5}"#;
    check("a/B", definition, &message, expect);
    check("a/msg/B", definition, &message, expect);
    // A header whose definition was left out, and a type without fields.
    check(
        "a/B",
        "std_msgs/Header h",
        &Encoder::new().header(0, 0, 0, ""),
        r#"{"h":{"seq":0,"stamp":{"sec":0,"nsec":0},"frame_id":""}}"#,
    );
    check("std_msgs/Empty", "", &Encoder::new(), "{}");
    check("a/B", "uint8 ONLY_A_CONSTANT=3", &Encoder::new(), "{}");
}

#[test]
fn definitions_that_are_refused() {
    refuses("a/B", "", "a/B comes without a definition");
    refuses("a/B", " \n", "a/B comes without a definition");
    refuses(
        "a/B",
        "int32",
        "the message definition cannot be read: line 1: a field needs a type and a name: “int32”",
    );
    refuses(
        "a/B",
        "int32 a b",
        "the message definition cannot be read: line 1: this is not a field name: “a b”",
    );
    refuses(
        "a/B",
        "int32[x] a",
        "the message definition cannot be read: line 1: this is not a type: “int32[x]”",
    );
    refuses("a/B", "int32 a\nint8 a", "the type a/B has two fields “a”");
    refuses("a/B", "Foo a", "the definition of a/B lacks the type Foo of its field “a”");
    refuses("a/B", "B a", "the type a/B contains itself");
    refuses("a/B", "C c\n===\nMSG: a/C\nB[] b", "the type a/B contains itself");
    refuses(
        "a/B",
        "int8 a\n===\nint8 b",
        "the message definition cannot be read: line 3: after a line of === there must stand “MSG: package/Type”: “int8 b”",
    );
    refuses("a/B", "float64[4294967295] a", "one a/B would be larger than 4 GiB");
    refuses(
        "a/B",
        "E[4294967295] a\n===\nMSG: a/E\n",
        "the type a/B consists of too many empty fields",
    );
    let mut deep = String::from("T0 x\n");
    for i in 0..100 {
        deep.push_str(&format!("===\nMSG: a/T{i}\nT{} x\n", i + 1));
    }
    deep.push_str("===\nMSG: a/T100\nint8 x");
    refuses("a/B", &deep, "the type a/T63 nests more than 64 levels deep");
}

#[test]
fn messages_that_do_not_fit_name_the_offset() {
    check(
        "a/B",
        "uint32 a\nuint32 b",
        &Encoder::new().u32(1).raw(&[1, 2]),
        "error: the message is too short: 4 more bytes expected, 2 left (at byte 4 of the message)",
    );
    check(
        "a/B",
        "uint8 a",
        &Encoder::new().raw(&[1, 2, 3]),
        "error: 2 bytes stand behind the message's end (at byte 1 of the message)",
    );
    check(
        "a/B",
        "string s",
        &Encoder::new().u32(4_000_000_000),
        "error: the message is too short: 4000000000 elements announced, 0 bytes left (at byte 0 of the message)",
    );
    let empties = "E[] e\n===\nMSG: a/E\n";
    check(
        "a/B",
        empties,
        &Encoder::new().u32(4_000_000_000),
        "error: the message is too short: 4000000000 elements announced, 0 bytes left (at byte 0 of the message)",
    );
    check("a/B", empties, &Encoder::new().u32(2), r#"{"e":[{},{}]}"#);
}

#[test]
fn columns_read_single_scalars() {
    let definition = "Header header\nstring name\nfloat32[] ranges\nPose[] poses\nPose[2] two\nfloat64[3] cov\nbool ok\nduration d\nstring[] words\nint8 last\n===\n\
                      MSG: a/Pose\nfloat64 x\nstring label\nint16[2] n";
    let schema = Schema::ros1("a/B", definition).expect("compiles");
    let pose = |e: Encoder, x: f64, label: &str| e.f64(x).text(label).raw(&[1, 0, 2, 0]);
    let mut e = Encoder::new()
        .header(9, 3, 500_000_000, "map")
        .text("né")
        .u32(3)
        .f32(1.5)
        .f32(2.5)
        .f32(f32::NAN)
        .u32(2);
    e = pose(pose(e, 10.0, "a"), 20.0, "longer");
    e = pose(pose(e, 30.0, ""), 40.0, "x");
    let e = e
        .f64(1.0)
        .f64(2.0)
        .f64(3.0)
        .u8(1)
        .i32(-2)
        .i32(-500_000_000)
        .u32(2)
        .text("one")
        .text("three")
        .raw(&[0xfe]);
    let message = e.bytes();
    let cases = [
        ("header.seq", Some(9.0)),
        ("header.stamp", Some(3.5)),
        ("ranges[0]", Some(1.5)),
        ("ranges[-2]", Some(2.5)),
        ("ranges[3]", None),
        ("ranges[-4]", None),
        ("ranges.length", Some(3.0)),
        ("poses[1].x", Some(20.0)),
        ("poses[-1].n[1]", Some(2.0)),
        ("poses[-1].label.length", Some(6.0)),
        ("two[0].x", Some(30.0)),
        ("two[-1].x", Some(40.0)),
        ("two.length", Some(2.0)),
        ("cov[2]", Some(3.0)),
        ("ok", Some(1.0)),
        ("d", Some(-2.5)),
        ("words[1].length", Some(5.0)),
        ("last", Some(-2.0)),
    ];
    for (path, expect) in cases {
        let column = Column::of_fields(&schema, path).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(column.get(message), expect, "{path}");
        assert_eq!(
            column.get(&message[..10]).is_some(),
            path == "header.seq",
            "{path} of a broken message"
        );
    }
    assert!(
        Column::of_fields(&schema, "ranges[2]")
            .expect("compiles")
            .get(message)
            .is_some_and(f64::is_nan)
    );
    for path in [
        "",
        ".",
        "nothing",
        "ranges",
        "name",
        "header",
        "header.stamp.x",
        "cov[3]",
        "cov[-4]",
        "ok[0]",
        "ok.length",
        "poses.x",
        "ranges[",
        "ranges[a]",
        "ok.",
        "name.length.x",
    ] {
        assert!(Column::of_fields(&schema, path).is_err(), "{path}");
    }
    assert_eq!(schema.header_stamp(message).map(|t| t.nanos()), Some(3_500_000_000));
    assert_eq!(schema.header_stamp(&message[..8]), None);
    let paths = schema.scalar_paths();
    assert_eq!(
        paths.join(" "),
        "header.seq two[0].x two[0].n[0] two[0].n[1] two[1].x two[1].n[0] two[1].n[1] cov[0] cov[1] cov[2] ok last"
    );
    assert!(paths.iter().all(|p| Column::of_fields(&schema, p).is_ok()));
}

#[test]
fn trees_share_the_messages_memory_and_sum_up() {
    let schema = Schema::ros1(
        "a/B",
        "uint8[] data\nfloat32[] f\nint16[] n\nstring s\ntime t\nduration d\nP[] p\n===\nMSG: a/P\nint8 x\nint8 y",
    )
    .expect("compiles");
    let message = Encoder::new()
        .u32(3)
        .raw(&[1, 2, 3])
        .u32(3)
        .f32(0.1)
        .f32(f32::NAN)
        .f32(30.5)
        .u32(0)
        .text("hi")
        .u32(1)
        .u32(2)
        .i32(-1)
        .i32(-5)
        .u32(1)
        .raw(&[4, 5]);
    let payload = Bytes::copy_from_slice(message.bytes());
    let value = schema.value(&payload).expect("decodes");
    let Some(Value::Bytes(data)) = value.child("data") else {
        panic!("bytes")
    };
    assert_eq!(data.as_ptr(), payload[4..].as_ptr(), "a slice, no copy");
    let lines: Vec<String> = value.fields().map(|(name, v)| format!("{name}: {}", v.summary())).collect();
    assert_eq!(
        lines.join("\n"),
        "data: [u8; 3]\nf: [f32; 3]  0.1…30.5\nn: [i16; 0]\ns: hi\nt: 1.000000002\nd: -1.000000005 s\np: [1 element]"
    );
    assert_eq!(value.summary(), "{7 fields}");
    let f = value.child("f").expect("f");
    assert_eq!((f.array_len(), f.element(2), f.element(3)), (Some(3), Some(Value::F32(30.5)), None));
    let p = value.child("p").and_then(|p| p.element(0)).expect("p[0]");
    assert_eq!(p.child("y"), Some(&Value::Int(5)));
    assert_eq!(value.child("nothing"), None);
}
