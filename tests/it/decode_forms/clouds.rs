//! Point clouds against tables of positions and fields.

use roadreel::decode::{Cloud, Decoded, Form};

use super::{decode, schema};
use crate::encode::Encoder;

const CLOUD: &str = "Header header\nuint32 height\nuint32 width\nPointField[] fields\nbool is_bigendian\nuint32 point_step\nuint32 row_step\nuint8[] data\nbool is_dense\n\
                     ===\nMSG: sensor_msgs/PointField\nuint8 INT8=1\nstring name\nuint32 offset\nuint8 datatype\nuint32 count";

struct CloudText<'a> {
    size: [u32; 2],
    fields: &'a [(&'a str, u32, u8, u32)],
    big: bool,
    steps: [u32; 2],
    data: &'a [u8],
}

fn cloud(c: &CloudText) -> Cloud {
    let mut e = Encoder::new()
        .header(0, 5, 6, "lidar")
        .u32(c.size[1])
        .u32(c.size[0])
        .u32(u32::try_from(c.fields.len()).expect("few"));
    for (name, offset, datatype, count) in c.fields {
        e = e.text(name).u32(*offset).u8(*datatype).u32(*count);
    }
    let e = e.u8(u8::from(c.big)).u32(c.steps[0]).u32(c.steps[1]).counted(c.data).u8(1);
    match decode(&schema("sensor_msgs/PointCloud2", CLOUD), Form::Cloud, &e) {
        Ok(Decoded::Cloud(cloud)) => cloud,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_point_type_in_both_byte_orders() {
    // type code, a value, its little-endian bytes
    let table: [(u8, f64, Vec<u8>); 8] = [
        (1, -5.0, vec![251]),
        (2, 251.0, vec![251]),
        (3, -300.0, vec![0xd4, 0xfe]),
        (4, 60000.0, vec![0x60, 0xea]),
        (5, -70000.0, vec![0x90, 0xee, 0xfe, 0xff]),
        (6, 4e9, vec![0x00, 0x28, 0x6b, 0xee]),
        (7, 1.5, vec![0x00, 0x00, 0xc0, 0x3f]),
        (8, -2.5, vec![0, 0, 0, 0, 0, 0, 0x04, 0xc0]),
    ];
    for (code, value, little) in &table {
        for big in [false, true] {
            let mut one = little.clone();
            if big {
                one.reverse();
            }
            let size = u32::try_from(one.len()).expect("short");
            // Two rows of two points, z before x, a pair in `more`; padding inside a point and behind a row.
            let point = [&one[..], &one, &one, &one, &one, &[0xaa; 3]].concat();
            let row = [&point[..], &point, &[0xbb; 2]].concat();
            let fields = [
                ("z", 0, *code, 1),
                ("x", size, *code, 0),
                ("y", 2 * size, *code, 1),
                ("more", 3 * size, *code, 2),
            ];
            let step = 5 * size + 3;
            let data = [&row[..], &row].concat();
            let cloud = cloud(&CloudText {
                size: [2, 2],
                fields: &fields,
                big,
                steps: [step, 2 * step + 2],
                data: &data,
            });
            assert_eq!((cloud.len(), cloud.note.as_deref()), (4, None));
            for index in 0..4 {
                assert_eq!(cloud.position(index), Some([*value; 3]), "type {code}, big-endian: {big}");
                let named: Vec<String> = cloud.point(index).iter().map(|(name, v)| format!("{name}={v}")).collect();
                let expect = ["z", "x", "y", "more[0]", "more[1]"].map(|name| format!("{name}={value}"));
                assert_eq!(named, expect);
            }
            assert_eq!((cloud.position(4), cloud.point(4).len()), (None, 0));
        }
    }
}

#[test]
fn clouds_that_lie_are_cut_to_what_is_there() {
    let data: Vec<u8> = (0..8u8).flat_map(|i| [i; 12]).collect();
    let fields = [("x", 0, 7, 1), ("y", 4, 7, 1), ("z", 8, 7, 1)];
    // width, height, point step, row step → width, height, note
    let table = [
        ([8, 1], [12, 96], (8, 1), None),
        ([8, 1], [12, 0], (8, 1), None),
        ([100, 1], [12, 1200], (8, 1), Some("100 points announced, 8 there")),
        ([4, 2], [12, 48], (4, 2), None),
        ([4, 2], [12, 0], (4, 2), None),
        ([4, 9], [12, 48], (4, 2), Some("36 points announced, 8 there")),
        ([4, 3], [12, 20], (1, 3), Some("12 points announced, 3 there")),
        ([2, 2], [12, 90], (2, 1), Some("4 points announced, 2 there")),
        (
            [u32::MAX, u32::MAX],
            [12, 12],
            (1, 8),
            Some("18446744065119617025 points announced, 8 there"),
        ),
        (
            [u32::MAX, u32::MAX],
            [u32::MAX, u32::MAX],
            (0, 0),
            Some("18446744065119617025 points announced, 0 there"),
        ),
        ([8, 0], [12, 96], (8, 0), None),
    ];
    for (size, steps, expect, note) in table {
        let cloud = cloud(&CloudText {
            size,
            fields: &fields,
            big: false,
            steps,
            data: &data,
        });
        assert_eq!(
            ((cloud.width, cloud.height), cloud.note.as_deref()),
            (expect, note),
            "{size:?} {steps:?}"
        );
        if let Some(last) = cloud.len().checked_sub(1) {
            assert!(cloud.position(last).is_some(), "{size:?} {steps:?}");
        }
    }
    let odd = [
        ("x", 0, 7, 1),
        ("far", 9, 7, 1),
        ("wide", 0, 7, u32::MAX),
        ("what", 0, 99, 1),
        ("y", 4, 7, 1),
    ];
    let cloud = cloud(&CloudText {
        size: [8, 1],
        fields: &odd,
        big: false,
        steps: [12, 96],
        data: &data,
    });
    let names: Vec<&str> = cloud.fields.iter().map(|f| &*f.name).collect();
    assert_eq!(names, ["x", "y"]);
    assert_eq!(cloud.position(0), None, "no z");
    assert_eq!(
        cloud.note.as_deref(),
        Some(
            "the field “far” reaches beyond a point's 12 bytes; the field “wide” reaches beyond a point's 12 bytes; the field “what” has the unknown type 99"
        )
    );
}
