//! Raw and compressed pictures against tables of pixels.

use std::sync::Arc;

use roadreel::decode::{Decoded, Form, Header, Image, Pixels, Shading, ValueRange};
use roadreel::time::Time;

use super::{decode, schema};
use crate::encode::Encoder;

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

/// Samples of a picture, as numbers.
enum Samples {
    Bytes(Vec<u8>),
    U16(Vec<u16>),
    I32(Vec<i32>),
    F32(Vec<f32>),
    F64(Vec<f64>),
}

impl Samples {
    fn bytes(&self, big: bool) -> Vec<u8> {
        macro_rules! bytes {
            ($values:expr) => {
                $values
                    .iter()
                    .flat_map(|v| if big { v.to_be_bytes() } else { v.to_le_bytes() })
                    .collect()
            };
        }
        match self {
            Samples::Bytes(values) => values.clone(),
            Samples::U16(values) => bytes!(values),
            Samples::I32(values) => bytes!(values),
            Samples::F32(values) => bytes!(values),
            Samples::F64(values) => bytes!(values),
        }
    }
}

#[test]
fn every_encoding_of_a_raw_image_in_both_byte_orders() {
    use Samples::{Bytes, F32, F64, I32, U16};
    let six = || Bytes(vec![1, 2, 3, 4, 5, 6]);
    let eight = || Bytes(vec![1, 2, 3, 4, 5, 6, 7, 8]);
    let six_words = || U16(vec![0x1122, 0x3344, 0x5566, 0, 0xffff, 0x8000]);
    let eight_words = || U16(vec![0x1122, 0x3344, 0x5566, 0x7788, 0, 0, 0, 0x0100]);
    // encoding, two pixels side by side, what they look like
    let table = [
        ("rgb8", six(), "010203ff 040506ff"),
        ("bgr8", six(), "030201ff 060504ff"),
        ("8UC3", six(), "030201ff 060504ff"),
        ("rgba8", eight(), "01020304 05060708"),
        ("bgra8", eight(), "03020104 07060508"),
        ("8UC4", eight(), "03020104 07060508"),
        ("mono8", Bytes(vec![7, 255]), "070707ff ffffffff"),
        ("8UC1", Bytes(vec![7, 255]), "070707ff ffffffff"),
        ("8SC1", Bytes(vec![7, 255]), "7 -1"),
        ("mono16", U16(vec![258, 65535]), "258 65535"),
        ("16UC1", U16(vec![1, 40000]), "1 40000"),
        ("16SC1", U16(vec![1, 65535]), "1 -1"),
        ("32SC1", I32(vec![256, -2]), "256 -2"),
        ("32FC1", F32(vec![0.5, -1.25]), "0.5 -1.25"),
        ("64FC1", F64(vec![0.5, 3.0]), "0.5 3"),
        ("rgb16", six_words(), "113355ff 00ff80ff"),
        ("bgr16", six_words(), "553311ff 80ff00ff"),
        ("16UC3", six_words(), "553311ff 80ff00ff"),
        ("rgba16", eight_words(), "11335577 00000001"),
        ("bgra16", eight_words(), "55331177 00000001"),
        ("16UC4", eight_words(), "55331177 00000001"),
        // BT.601: grey, then pure red (Y 81, U 90, V 240) and blue (Y 41, U 240, V 110).
        ("yuv422", Bytes(vec![128, 16, 128, 235]), "000000ff ffffffff"),
        ("uyvy", Bytes(vec![90, 81, 240, 81]), "fe0000ff fe0000ff"),
        ("yuv422_yuy2", Bytes(vec![16, 128, 235, 128]), "000000ff ffffffff"),
        ("yuyv", Bytes(vec![81, 90, 81, 240]), "fe0000ff fe0000ff"),
        ("yuy2", Bytes(vec![81, 90, 81, 240]), "fe0000ff fe0000ff"),
        ("YUV422_YUY2", Bytes(vec![41, 240, 41, 110]), "0000ffff 0000ffff"),
    ];
    for (encoding, samples, expect) in &table {
        for big in [false, true] {
            check_encoding(encoding, big, &samples.bytes(big), expect);
        }
    }
}

#[track_caller]
fn check_encoding(encoding: &str, big: bool, data: &[u8], expect: &str) {
    let row = u32::try_from(data.len()).expect("short");
    let what = format!("{encoding}, big-endian: {big}");
    assert_eq!(pixels(image(2, 1, encoding, big, row, data)), *expect, "{what}");
    // The same with padded rows, the last one without its padding; and with a step of 0.
    let twice = format!("{expect} {expect}");
    let padded = [data, &[0xee; 5], data].concat();
    assert_eq!(pixels(image(2, 2, encoding, big, row + 5, &padded)), twice, "{what}, padded");
    let tight = [data, data].concat();
    assert_eq!(pixels(image(2, 2, encoding, big, 0, &tight)), twice, "{what}, step 0");
    // One byte less, or a step shorter than a row, is refused.
    let short = pixels(image(2, 1, encoding, big, row, &data[1..]));
    assert!(short.starts_with("error: the picture claims 2 × 1 pixels"), "{what}: {short}");
    let narrow = pixels(image(2, 1, encoding, big, row - 1, data));
    assert!(narrow.starts_with("error: the picture claims"), "{what}: {narrow}");
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
            for big in [false, true] {
                let words: Vec<u8> = mosaic.iter().flat_map(|b| if big { [*b, 9] } else { [9, *b] }).collect();
                assert_eq!(
                    pixels(image(width, height, &format!("bayer_{encoding}16"), big, width * 2, &words)),
                    expect,
                    "{encoding}16, big-endian: {big}"
                );
            }
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
        "error: the picture (“jpeg”, 5 bytes) cannot be decompressed: it is neither JPEG, PNG nor WebP"
    );
    for cut in 0..png.len() {
        let _ = get("png", &png[..cut]);
    }
    for cut in 0..jpeg.len() {
        let _ = get("jpeg", &jpeg[..cut]);
    }
}

#[test]
fn pictures_are_reduced_toned_and_multiplied_with_their_alpha() {
    let shading = |reduce| Shading {
        range: ValueRange::MinMax,
        ink: Arc::new(std::array::from_fn(|step| [step as u8, 0, 0])),
        tone: None,
        reduce,
    };
    let image = |encoding: &str, width, height, pixels| Image {
        header: Header {
            stamp: Time(0),
            frame_id: "camera".into(),
        },
        width,
        height,
        encoding: encoding.into(),
        pixels,
    };
    // 3 × 2: the right column stands for itself
    let rgba: Vec<u8> = [
        [10, 20, 30, 255],
        [30, 40, 50, 255],
        [7, 8, 9, 255],
        [20, 30, 40, 255],
        [41, 50, 60, 255],
        [9, 8, 7, 255],
    ]
    .concat();
    let color = |encoding: &str, bytes: &[u8], reduce| {
        let pixels = Pixels::Rgba8(bytes::Bytes::copy_from_slice(bytes));
        shading(reduce).shade(&image(encoding, 3, 2, pixels)).pixels
    };
    assert_eq!(color("rgb8", &rgba, 1).concat(), rgba);
    assert_eq!(color("rgb8", &rgba, 2), [[25, 35, 45, 255], [8, 8, 8, 255]]);
    let translucent: Vec<u8> = rgba.chunks(4).flat_map(|p| [p[0], p[1], p[2], 128]).collect();
    assert_eq!(color("rgba8", &translucent, 1)[0], [5, 10, 15, 128]);
    let inverted = Shading {
        tone: Some(Arc::new(std::array::from_fn(|step| 255 - step as u8))),
        ..shading(1)
    };
    let pixels = Pixels::Rgba8(rgba.clone().into());
    assert_eq!(inverted.shade(&image("rgb8", 3, 2, pixels)).pixels[0], [245, 235, 225, 255]);
    // what has no value is transparent, and takes no part in a mean
    let gray = |reduce| {
        let pixels = Pixels::Gray(Arc::new([0.0, f32::NAN, 100.0, 50.0, f32::NAN, f32::NAN]));
        shading(reduce).shade(&image("32FC1", 3, 2, pixels))
    };
    let whole = gray(1);
    assert_eq!(whole.range, Some((0.0, 100.0)));
    assert_eq!(
        whole.pixels,
        [[0, 0, 0, 255], [0; 4], [255, 0, 0, 255], [127, 0, 0, 255], [0; 4], [0; 4]]
    );
    assert_eq!(gray(2).pixels, [[63, 0, 0, 255], [255, 0, 0, 255]]);
    assert_eq!((gray(2).width, gray(2).height), (2, 1));
}
