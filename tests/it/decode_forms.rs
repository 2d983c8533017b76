//! Messages as the forms that panels draw, against tables written by hand.

use bytes::Bytes;
use roadreel::decode::{Cloud, Decoded, Form, Image, Marker, MarkerAction, Pixels, Schema};

use crate::encode::Encoder;

const HEADER: &str = "\n===\nMSG: std_msgs/Header\nuint32 seq\ntime stamp\nstring frame_id\n";
const POSE: &str = "\n===\nMSG: geometry_msgs/Pose\nPoint position\nQuaternion orientation\n===\nMSG: geometry_msgs/Point\nfloat64 x\nfloat64 y\nfloat64 z\n\
                    ===\nMSG: geometry_msgs/Quaternion\nfloat64 x\nfloat64 y\nfloat64 z\nfloat64 w\n===\nMSG: geometry_msgs/Vector3\nfloat64 x\nfloat64 y\nfloat64 z\n";

fn schema(type_name: &str, definition: &str) -> Schema {
    Schema::ros1(type_name, &format!("{definition}{HEADER}{POSE}")).expect("compiles")
}

fn decode(schema: &Schema, form: Form, message: &Encoder) -> Result<Decoded, String> {
    assert_eq!(schema.form(), Some(form));
    schema
        .decode(form, &Bytes::copy_from_slice(message.bytes()))
        .map_err(|error| error.to_string())
}

fn image(width: u32, height: u32, encoding: &str, big: bool, step: u32, data: &[u8]) -> Result<Image, String> {
    let definition = "Header header\nuint32 height\nuint32 width\nstring encoding\nuint8 is_bigendian\nuint32 step\nuint8[] data";
    let message = Encoder::new()
        .header(0, 1, 2, "camera")
        .u32(height)
        .u32(width)
        .text(encoding)
        .u8(u8::from(big))
        .u32(step)
        .counted(data);
    match decode(&schema("sensor_msgs/Image", definition), Form::Image, &message)? {
        Decoded::Image(image) => Ok(image),
        other => panic!("{other:?}"),
    }
}

/// Pixels as text: `rrggbbaa` or the number.
fn pixels(image: Result<Image, String>) -> String {
    match image {
        Err(error) => format!("error: {error}"),
        Ok(image) => match image.pixels {
            Pixels::Rgba8(data) => {
                assert_eq!(data.len(), image.width as usize * image.height as usize * 4);
                data.chunks(4)
                    .map(|p| p.iter().map(|b| format!("{b:02x}")).collect::<String>())
                    .collect::<Vec<_>>()
                    .join(" ")
            }
            Pixels::Gray(values) => {
                assert_eq!(values.len(), image.width as usize * image.height as usize);
                values.iter().map(f32::to_string).collect::<Vec<_>>().join(" ")
            }
        },
    }
}

#[test]
fn every_encoding_of_a_raw_image() {
    let le = |values: &[u16]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let be = |values: &[u16]| values.iter().flat_map(|v| v.to_be_bytes()).collect::<Vec<u8>>();
    let f32s = |big: bool| {
        [0.5f32, -1.25]
            .iter()
            .flat_map(|v| if big { v.to_be_bytes() } else { v.to_le_bytes() })
            .collect::<Vec<u8>>()
    };
    let six = [1, 2, 3, 4, 5, 6];
    let eight = [1, 2, 3, 4, 5, 6, 7, 8];
    // encoding, big-endian, bytes of two pixels side by side, pixels
    let table: Vec<(&str, bool, Vec<u8>, &str)> = vec![
        ("rgb8", false, six.to_vec(), "010203ff 040506ff"),
        ("bgr8", false, six.to_vec(), "030201ff 060504ff"),
        ("8UC3", false, six.to_vec(), "030201ff 060504ff"),
        ("rgba8", false, eight.to_vec(), "01020304 05060708"),
        ("bgra8", false, eight.to_vec(), "03020104 07060508"),
        ("8UC4", false, eight.to_vec(), "03020104 07060508"),
        ("mono8", false, vec![7, 255], "070707ff ffffffff"),
        ("8UC1", false, vec![7, 255], "070707ff ffffffff"),
        ("8SC1", false, vec![7, 255], "7 -1"),
        ("mono16", false, le(&[258, 65535]), "258 65535"),
        ("mono16", true, be(&[258, 65535]), "258 65535"),
        ("16UC1", false, le(&[1, 40000]), "1 40000"),
        ("16UC1", true, be(&[1, 40000]), "1 40000"),
        ("16SC1", false, le(&[1, 65535]), "1 -1"),
        ("32SC1", true, vec![0, 0, 1, 0, 255, 255, 255, 254], "256 -2"),
        ("32FC1", false, f32s(false), "0.5 -1.25"),
        ("32FC1", true, f32s(true), "0.5 -1.25"),
        (
            "64FC1",
            false,
            [0.5f64, 3.0].iter().flat_map(|v| v.to_le_bytes()).collect(),
            "0.5 3",
        ),
        (
            "rgb16",
            false,
            le(&[0x1122, 0x3344, 0x5566, 0, 0xffff, 0x8000]),
            "113355ff 00ff80ff",
        ),
        ("bgr16", true, be(&[0x1122, 0x3344, 0x5566, 0, 0xffff, 0x8000]), "553311ff 80ff00ff"),
        (
            "rgba16",
            false,
            le(&[0x1122, 0x3344, 0x5566, 0x7788, 0, 0, 0, 0x0100]),
            "11335577 00000001",
        ),
        (
            "bgra16",
            false,
            le(&[0x1122, 0x3344, 0x5566, 0x7788, 0, 0, 0, 0x0100]),
            "55331177 00000001",
        ),
        // BT.601: grey, then pure red (Y 81, U 90, V 240) and blue (Y 41, U 240, V 110).
        ("yuv422", false, vec![128, 16, 128, 235], "000000ff ffffffff"),
        ("uyvy", false, vec![90, 81, 240, 81], "fe0000ff fe0000ff"),
        ("yuv422_yuy2", false, vec![16, 128, 235, 128], "000000ff ffffffff"),
        ("yuyv", false, vec![81, 90, 81, 240], "fe0000ff fe0000ff"),
        ("YUV422_YUY2", false, vec![41, 240, 41, 110], "0000ffff 0000ffff"),
    ];
    for (encoding, big, data, expect) in &table {
        let row = u32::try_from(data.len()).expect("short");
        assert_eq!(
            pixels(image(2, 1, encoding, *big, row, data)),
            *expect,
            "{encoding}, big-endian: {big}"
        );
        // The same with padded rows, the last one without its padding; and with a step of 0.
        let mut padded = data.clone();
        padded.extend_from_slice(&[0xee; 5]);
        padded.extend_from_slice(data);
        let twice = format!("{expect} {expect}");
        assert_eq!(pixels(image(2, 2, encoding, *big, row + 5, &padded)), twice, "{encoding} padded");
        assert_eq!(
            pixels(image(2, 2, encoding, *big, 0, &[data.clone(), data.clone()].concat())),
            twice,
            "{encoding}, step 0"
        );
        // One byte less, or a step shorter than a row, is refused.
        assert!(
            pixels(image(2, 1, encoding, *big, row, &data[1..])).starts_with("error: the picture claims 2 × 1 pixels"),
            "{encoding} short"
        );
        assert!(
            pixels(image(2, 1, encoding, *big, row - 1, data)).starts_with("error: the picture claims"),
            "{encoding} step"
        );
    }
}

#[test]
fn bayer_patterns_are_interpolated() {
    // A scene of one colour (red 200, green 100, blue 50), seen through each pattern, comes back as that colour everywhere.
    for (encoding, tile) in [
        ("rggb", [200, 100, 100, 50]),
        ("bggr", [50, 100, 100, 200]),
        ("gbrg", [100, 50, 200, 100]),
        ("grbg", [100, 200, 50, 100]),
    ] {
        for (width, height) in [(2u32, 2u32), (5, 3), (4, 6)] {
            let mosaic: Vec<u8> = (0..height)
                .flat_map(|y| (0..width).map(move |x| tile[(y % 2 * 2 + x % 2) as usize]))
                .collect();
            let expect = vec!["c86432ff"; (width * height) as usize].join(" ");
            assert_eq!(
                pixels(image(width, height, &format!("bayer_{encoding}8"), false, width, &mosaic)),
                expect,
                "{encoding} {width}×{height}"
            );
            let words: Vec<u8> = mosaic.iter().flat_map(|b| [9, *b]).collect();
            assert_eq!(
                pixels(image(width, height, &format!("bayer_{encoding}16"), false, width * 2, &words)),
                expect,
                "{encoding}16"
            );
        }
    }
    // Neighbours are averaged, rounded half up: the middle green of a red row, then the middle red.
    let mosaic = [10, 1, 20, 3, 30, 0, 5, 2, 7, 0, 50, 9, 60, 4, 70];
    let all = pixels(image(5, 3, "bayer_rggb8", false, 5, &mosaic));
    let at = |x: usize, y: usize| all.split(' ').nth(y * 5 + x).map(str::to_owned);
    assert_eq!(at(1, 0).as_deref(), Some("0f0105ff"), "red (10+20)/2, own green, blue (5+5)/2");
    assert_eq!(
        at(2, 2).as_deref(),
        Some("3c0406ff"),
        "own red, green (9+4+2+2)/4, blue (5+7+5+7)/4"
    );
    assert_eq!(
        at(1, 1).as_deref(),
        Some("230305ff"),
        "red (10+20+50+60)/4, green (0+2+1+9)/4, own blue"
    );
    assert_eq!(pixels(image(1, 1, "bayer_rggb8", false, 1, &[9])), "090909ff");
}

#[test]
fn images_that_cannot_be_shown_say_why() {
    assert_eq!(
        pixels(image(2, 2, "nv21", false, 2, &[0; 8])),
        "error: pictures of the encoding “nv21” cannot be shown"
    );
    assert_eq!(
        pixels(image(0, 2, "rgb8", false, 0, &[])),
        "error: the picture is empty: 0 × 2 pixels"
    );
    let huge = pixels(image(u32::MAX, u32::MAX, "rgb8", false, u32::MAX, &[0; 8]));
    assert_eq!(
        huge,
        "error: the picture claims 4294967295 × 4294967295 pixels of rgb8 with 4294967295 bytes a row, but holds 8 bytes"
    );
}

#[test]
fn compressed_images() {
    let compressed = schema("sensor_msgs/CompressedImage", "Header header\nstring format\nuint8[] data");
    let get = |format: &str, data: &[u8]| match decode(
        &compressed,
        Form::Image,
        &Encoder::new().header(0, 0, 0, "c").text(format).counted(data),
    ) {
        Ok(Decoded::Image(image)) => Ok(image),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error),
    };
    let file = |picture: image::DynamicImage, format| {
        let mut out = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut out, format).expect("written");
        out.into_inner()
    };
    let rgb = image::RgbImage::from_fn(2, 1, |x, _| if x == 0 { image::Rgb([255, 0, 0]) } else { image::Rgb([0, 0, 255]) });
    let png = file(rgb.clone().into(), image::ImageFormat::Png);
    assert_eq!(pixels(get("png", &png)), "ff0000ff 0000ffff");
    let flat = image::RgbImage::from_pixel(16, 8, image::Rgb([90, 90, 90]));
    let jpeg = file(flat.into(), image::ImageFormat::Jpeg);
    let shown = get("bgr8; jpeg compressed bgr8", &jpeg).expect("decodes");
    assert_eq!((shown.width, shown.height, &*shown.encoding), (16, 8, "bgr8; jpeg compressed bgr8"));
    assert!(pixels(Ok(shown)).split(' ').all(|p| p == "5a5a5aff"));
    // 16-bit depth, with and without the header of the depth transport.
    let depth = image::ImageBuffer::<image::Luma<u16>, _>::from_raw(3, 1, vec![0u16, 1000, 65535]).expect("fits");
    let png16 = file(depth.into(), image::ImageFormat::Png);
    assert_eq!(pixels(get("16UC1; png", &png16)), "0 1000 65535");
    let with_header = |a: f32, b: f32| [&0i32.to_le_bytes()[..], &a.to_le_bytes(), &b.to_le_bytes(), &png16].concat();
    assert_eq!(pixels(get("16UC1; compressedDepth", &with_header(0.0, 0.0))), "0 1000 65535");
    assert_eq!(
        pixels(get("32FC1; compressedDepth png", &with_header(4000.0, 0.0)))
            .split(' ')
            .take(2)
            .collect::<Vec<_>>(),
        ["NaN", "4"]
    );
    // Broken ones.
    assert_eq!(
        pixels(get("jpeg", b"hello")),
        "error: the picture (“jpeg”, 5 bytes) cannot be decompressed: it is neither JPEG nor PNG"
    );
    for cut in 0..png.len() {
        let _ = get("png", &png[..cut]);
    }
    for cut in 0..jpeg.len() {
        let _ = get("jpeg", &jpeg[..cut]);
    }
}

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
        (3, -300.0, (-300i16).to_le_bytes().to_vec()),
        (4, 60000.0, 60000u16.to_le_bytes().to_vec()),
        (5, -70000.0, (-70000i32).to_le_bytes().to_vec()),
        (6, 4e9, 4_000_000_000u32.to_le_bytes().to_vec()),
        (7, 1.5, 1.5f32.to_le_bytes().to_vec()),
        (8, 1e-7, 1e-7f64.to_le_bytes().to_vec()),
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

#[test]
fn transforms_and_poses() {
    let tf = "geometry_msgs/TransformStamped[] transforms\n===\nMSG: geometry_msgs/TransformStamped\nHeader header\nstring child_frame_id\nTransform transform\n\
              ===\nMSG: geometry_msgs/Transform\nVector3 translation\nQuaternion rotation";
    let one = |e: Encoder, q: &[f64; 4]| e.header(0, 7, 8, "map").text("base").f64s(&[1.0, 2.0, 3.0]).f64s(q);
    let message = one(
        one(one(Encoder::new().u32(3), &[0.0; 4]), &[0.0, 0.0, 2.0, 0.0]),
        &[f64::NAN, 0.0, 0.0, 1.0],
    );
    for name in ["tf2_msgs/TFMessage", "tf/tfMessage", "tf2_msgs/msg/TFMessage"] {
        let Ok(Decoded::Transforms(all)) = decode(&schema(name, tf), Form::Transforms, &message) else {
            panic!("transforms")
        };
        let shown: Vec<String> = all
            .iter()
            .map(|t| {
                format!(
                    "{}→{} {} {} {}",
                    t.header.frame_id,
                    t.child_frame_id,
                    t.header.stamp.nanos(),
                    t.translation,
                    t.rotation
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "map→base 7000000008 [1, 2, 3] [0, 0, 0, 1]",
                "map→base 7000000008 [1, 2, 3] [0, 0, 1, 0]",
                "map→base 7000000008 [1, 2, 3] [0, 0, 0, 1]"
            ]
        );
    }
    let path = schema(
        "nav_msgs/Path",
        "Header header\ngeometry_msgs/PoseStamped[] poses\n===\nMSG: geometry_msgs/PoseStamped\nHeader header\nPose pose",
    );
    let pose = [4.0, 5.0, 6.0, 0.0, 0.0, 0.0, 1.0];
    let message = Encoder::new()
        .header(0, 1, 0, "map")
        .u32(2)
        .header(0, 2, 0, "longer")
        .f64s(&pose)
        .header(0, 3, 0, "")
        .f64s(&pose);
    let Ok(Decoded::Poses(poses)) = decode(&path, Form::Poses, &message) else {
        panic!("poses")
    };
    assert_eq!((poses.poses.len(), poses.joined, poses.poses[1].position.z), (2, true, 6.0));
    let array = schema("geometry_msgs/PoseArray", "Header header\nPose[] poses");
    let Ok(Decoded::Poses(poses)) = decode(&array, Form::Poses, &Encoder::new().header(0, 1, 0, "map").u32(1).f64s(&pose)) else {
        panic!("poses")
    };
    assert_eq!((poses.poses.len(), poses.joined, &*poses.header.frame_id), (1, false, "map"));
    let odometry = "Header header\nstring child_frame_id\ngeometry_msgs/PoseWithCovariance pose\nint8 rest\n===\nMSG: geometry_msgs/PoseWithCovariance\nPose pose\nfloat64[36] covariance";
    let covariance: Vec<f64> = (0..36).map(f64::from).collect();
    let message = Encoder::new()
        .header(0, 1, 0, "odom")
        .text("base")
        .f64s(&pose)
        .f64s(&covariance)
        .u8(0);
    let Ok(Decoded::Pose(p)) = decode(&schema("nav_msgs/Odometry", odometry), Form::Pose, &message) else {
        panic!("pose")
    };
    assert_eq!(
        (p.child_frame_id.as_deref(), p.covariance.map(|c| c[35]), p.pose.position.x),
        (Some("base"), Some(35.0), 4.0)
    );
    let stamped = schema("geometry_msgs/PoseStamped", "Header header\nPose pose");
    let Ok(Decoded::Pose(p)) = decode(&stamped, Form::Pose, &Encoder::new().header(0, 1, 0, "odom").f64s(&pose)) else {
        panic!("pose")
    };
    assert_eq!((p.child_frame_id, p.covariance, p.pose.position.y), (None, None, 5.0));
}

const MARKER: &str = "Header header\nstring ns\nint32 id\nint32 type\nint32 action\ngeometry_msgs/Pose pose\ngeometry_msgs/Vector3 scale\nstd_msgs/ColorRGBA color\n\
                      duration lifetime\nbool frame_locked\ngeometry_msgs/Point[] points\nstd_msgs/ColorRGBA[] colors\nstring text\nstring mesh_resource\n\
                      bool mesh_use_embedded_materials\n===\nMSG: std_msgs/ColorRGBA\nfloat32 r\nfloat32 g\nfloat32 b\nfloat32 a";

fn marker(e: Encoder, id: i32, action: i32) -> Encoder {
    let e = e
        .header(0, 1, 2, "map")
        .text("ns")
        .i32(id)
        .i32(9)
        .i32(action)
        .f64s(&[1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 0.0])
        .f64s(&[0.1, 0.2, 0.3]);
    let e = e
        .f32(1.0)
        .f32(0.5)
        .f32(0.25)
        .f32(1.0)
        .i32(1)
        .i32(500)
        .u8(1)
        .u32(2)
        .f64s(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    e.u32(1)
        .f32(0.0)
        .f32(0.1)
        .f32(0.2)
        .f32(0.3)
        .text("hello")
        .text("package://a/b.stl")
        .u8(1)
}

#[test]
fn markers() {
    let array = schema(
        "visualization_msgs/MarkerArray",
        &format!("visualization_msgs/Marker[] markers\n===\nMSG: visualization_msgs/Marker\n{MARKER}"),
    );
    let message = (0..4).fold(Encoder::new().u32(4), |e, action| marker(e, action + 10, action));
    let Ok(Decoded::Markers(all)) = decode(&array, Form::Markers, &message) else {
        panic!("markers")
    };
    let actions: Vec<(i32, MarkerAction)> = all.iter().map(|m| (m.id, m.action)).collect();
    assert_eq!(
        actions,
        [
            (10, MarkerAction::Add),
            (11, MarkerAction::Add),
            (12, MarkerAction::Delete),
            (13, MarkerAction::DeleteAll)
        ]
    );
    let single = schema("visualization_msgs/Marker", MARKER);
    let Ok(Decoded::Markers(all)) = decode(&single, Form::Markers, &marker(Encoder::new(), 3, 0)) else {
        panic!("marker")
    };
    let [m]: [Marker; 1] = all.try_into().expect("one");
    assert_eq!(
        (m.kind, &*m.ns, &*m.text, &*m.mesh_resource),
        (9, "ns", "hello", "package://a/b.stl")
    );
    assert_eq!(
        (m.lifetime_nanos, m.frame_locked, m.mesh_use_embedded_materials),
        (1_000_000_500, true, true)
    );
    assert_eq!((m.pose.position.z, m.pose.orientation.w, m.scale.y), (3.0, 1.0, 0.2));
    assert_eq!(
        (m.color, &*m.points, &*m.colors),
        (
            [1.0, 0.5, 0.25, 1.0],
            &[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]][..],
            &[[0.0, 0.1, 0.2, 0.3]][..]
        )
    );
}

#[test]
fn objects_become_boxes_labels_and_arrows() {
    let twist = "===\nMSG: geometry_msgs/Twist\nVector3 linear\nVector3 angular\n===\nMSG: shape_msgs/SolidPrimitive\nuint8 BOX=1\nuint8 type\nfloat64[] dimensions";
    let plain = format!(
        "Header header\nObject[] objects\n===\nMSG: derived_object_msgs/Object\nHeader header\nuint32 id\nuint8 detection_level\ngeometry_msgs/Pose pose\ngeometry_msgs/Twist twist\nshape_msgs/SolidPrimitive shape\nuint8 classification\n{twist}"
    );
    let message = Encoder::new().header(0, 1, 0, "map").u32(2);
    let message = message
        .header(0, 1, 0, "")
        .u32(7)
        .u8(1)
        .f64s(&[1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 1.0])
        .f64s(&[3.0, 4.0, 0.0, 0.0, 0.0, 0.0])
        .u8(1)
        .u32(3)
        .f64s(&[4.0, 2.0, 1.5])
        .u8(6);
    let message = message
        .header(0, 1, 0, "lidar")
        .u32(8)
        .u8(1)
        .f64s(&[0.0; 7])
        .f64s(&[0.0; 6])
        .u8(3)
        .u32(2)
        .f64s(&[1.8, 0.3])
        .u8(4);
    let Ok(Decoded::Markers(all)) = decode(&schema("derived_object_msgs/ObjectArray", &plain), Form::Markers, &message) else {
        panic!("objects")
    };
    let shown: Vec<String> = all
        .iter()
        .map(|m| {
            format!(
                "{:?} {} {} kind {} in {} at {} size {} {}",
                m.action, m.ns, m.id, m.kind, m.header.frame_id, m.pose.position, m.scale, m.text
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "DeleteAll  0 kind 1 in map at [0, 0, 0] size [1, 1, 1] ",
            "Add objects 7 kind 1 in map at [1, 2, 3] size [4, 2, 1.5] ",
            "Add labels 7 kind 9 in map at [1, 2, 4.35] size [0.6, 0.6, 0.6] car 7  5.0 m/s",
            "Add velocity 7 kind 0 in map at [1, 2, 3] size [0.12, 0.35, 0.5] ",
            "Add objects 8 kind 3 in lidar at [0, 0, 0] size [0.6, 0.6, 1.8] ",
            "Add labels 8 kind 9 in lidar at [0, 0, 1.5] size [0.6, 0.6, 0.6] pedestrian 8",
        ]
    );
    assert_eq!(&*all[3].points, &[[0.0, 0.0, 0.0], [3.0, 4.0, 0.0]]);
}

#[test]
fn scans_grids_and_diagnostics() {
    let scan = "Header header\nfloat32 angle_min\nfloat32 angle_max\nfloat32 angle_increment\nfloat32 time_increment\nfloat32 scan_time\nfloat32 range_min\nfloat32 range_max\nfloat32[] ranges\nfloat32[] intensities";
    let message = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
        .iter()
        .fold(Encoder::new().header(0, 1, 0, "laser"), |e, v| e.f32(*v))
        .u32(2)
        .f32(8.0)
        .f32(9.0)
        .u32(0);
    let Ok(Decoded::Scan(scan)) = decode(&schema("sensor_msgs/LaserScan", scan), Form::Scan, &message) else {
        panic!("scan")
    };
    assert_eq!(
        (scan.angle_min, scan.angle_increment, scan.range_min, scan.range_max),
        (1.0, 3.0, 6.0, 7.0)
    );
    assert_eq!((&scan.ranges[4..], scan.intensities.len()), (&9f32.to_le_bytes()[..], 0));

    let grid = schema(
        "nav_msgs/OccupancyGrid",
        "Header header\nMapMetaData info\nint8[] data\n===\nMSG: nav_msgs/MapMetaData\ntime map_load_time\nfloat32 resolution\nuint32 width\nuint32 height\ngeometry_msgs/Pose origin",
    );
    let message = |data: &[u8]| {
        Encoder::new()
            .header(0, 1, 0, "map")
            .u32(0)
            .u32(0)
            .f32(0.5)
            .u32(2)
            .u32(2)
            .f64s(&[1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 1.0])
            .counted(data)
    };
    let Ok(Decoded::Grid(g)) = decode(&grid, Form::Grid, &message(&[0, 100, 255, 50])) else {
        panic!("grid")
    };
    assert_eq!(
        (g.resolution, g.width, g.height, g.origin.position.y, &g.data[..]),
        (0.5, 2, 2, 2.0, &[0, 100, 255, 50][..])
    );
    assert_eq!(
        decode(&grid, Form::Grid, &message(&[0; 3])).expect_err("short"),
        "the grid claims 2 × 2 cells, but holds 3"
    );
    let update = schema(
        "map_msgs/OccupancyGridUpdate",
        "Header header\nint32 x\nint32 y\nuint32 width\nuint32 height\nint8[] data",
    );
    let message = Encoder::new()
        .header(0, 1, 0, "map")
        .i32(-1)
        .i32(2)
        .u32(1)
        .u32(2)
        .counted(&[5, 6, 7]);
    let Ok(Decoded::GridUpdate(u)) = decode(&update, Form::GridUpdate, &message) else {
        panic!("update")
    };
    assert_eq!((u.x, u.y, u.width, u.height, &u.data[..]), (-1, 2, 1, 2, &[5, 6][..]));

    let diagnostics = schema(
        "diagnostic_msgs/DiagnosticArray",
        "Header header\nDiagnosticStatus[] status\n===\nMSG: diagnostic_msgs/DiagnosticStatus\nbyte OK=0\nbyte level\nstring name\nstring message\nstring hardware_id\nKeyValue[] values\n===\nMSG: diagnostic_msgs/KeyValue\nstring key\nstring value",
    );
    let message = Encoder::new()
        .header(0, 1, 0, "")
        .u32(2)
        .u8(2)
        .text("cpu")
        .text("hot")
        .text("hw")
        .u32(2)
        .text("t")
        .text("99")
        .text("t")
        .text("100")
        .u8(0)
        .text("gps")
        .text("")
        .text("")
        .u32(0);
    let Ok(Decoded::Diagnostics(all)) = decode(&diagnostics, Form::Diagnostics, &message) else {
        panic!("diagnostics")
    };
    assert_eq!(
        (all.len(), all[0].level, &*all[0].message, &*all[0].values["t"], &*all[1].name),
        (2, 2, "hot", "100", "gps")
    );
}

#[test]
fn a_type_that_only_bears_the_name_stays_a_tree() {
    let message = Bytes::from_static(&[1]);
    for name in [
        "sensor_msgs/Image",
        "sensor_msgs/CompressedImage",
        "sensor_msgs/PointCloud2",
        "sensor_msgs/LaserScan",
        "tf2_msgs/TFMessage",
        "geometry_msgs/TransformStamped",
        "visualization_msgs/Marker",
        "visualization_msgs/MarkerArray",
        "derived_object_msgs/ObjectArray",
        "nav_msgs/Path",
        "geometry_msgs/PoseArray",
        "geometry_msgs/PoseStamped",
        "geometry_msgs/PoseWithCovarianceStamped",
        "nav_msgs/Odometry",
        "nav_msgs/OccupancyGrid",
        "map_msgs/OccupancyGridUpdate",
        "diagnostic_msgs/DiagnosticArray",
    ] {
        let schema = Schema::ros1(name, "uint8 x").expect("compiles");
        assert_eq!(schema.form(), None, "{name}");
        assert!(matches!(schema.decode(Form::Value, &message), Ok(Decoded::Value(_))));
        assert!(
            schema
                .decode(Form::Image, &message)
                .expect_err("no picture")
                .to_string()
                .starts_with(&format!("{name} has no form"))
        );
    }
}
