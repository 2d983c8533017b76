//! Every spelling of a time that users type or paste, and every way in which times are shown.

use jiff::tz::{Offset, TimeZone};
use roadreel::text::{format_bytes, in_lines, in_one_line};
use roadreel::time::{
    Span, Time, When, format_date, format_duration, format_elapsed, format_epoch, format_in_zone, format_local, format_relative,
    format_seconds, format_time_of_day, format_time_of_day_to, format_utc, rfc3339,
};

/// A drive of 60 s from 2020-09-13 12:26:40 UTC.
fn drive() -> Span {
    Span::new(Time(1_600_000_000_000_000_000), Time(1_600_000_060_000_000_000))
}

fn check(text: &str, nanos: i64) {
    let spec = When::parse(text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(spec.unclamped(drive()).nanos(), nanos, "{text}");
}

#[test]
fn every_spelling_of_one_instant() {
    for text in [
        "1600000003.25",
        "1600000003.250000000",
        "1600000003250",
        "1600000003250.0",
        "1600000003250000",
        "1600000003250000.000",
        "1600000003250000000",
        "1600000003250000000.4",
        "1.60000000325e9",
        "1600000003.25s",
        "1600000003.25 s",
        "1600000003250 ms",
        "1600000003250000us",
        "1600000003250000000ns",
        "1600000003:250000000",
        "2020-09-13T12:26:43.25Z",
        "2020-09-13T12:26:43.250000000Z",
        "2020-09-13t12:26:43.25z",
        "2020-09-13T14:26:43.25+02:00",
        "2020-09-13T05:56:43.250-06:30",
        "2020-09-13 12:26:43.250",
        "2020-09-13 12:26:43.250 UTC",
        "2020-09-13 14:26:43.250 +02:00",
        "2020-09-13T12:26:43.25",
        "12:26:43.25",
        "12:26:43.25Z",
        "+3.25",
        "+3.250 s",
        "+ 3.25s",
        "+3250ms",
        "+0:03.25",
        "+00:00:03.25",
        "  '1600000003.25' ",
        "\"2020-09-13T12:26:43.25Z\",",
    ] {
        check(text, 1_600_000_003_250_000_000);
    }
}

#[test]
fn digits_are_exact() {
    check("1600000003.123456789", 1_600_000_003_123_456_789);
    check("1600000003.1234567894", 1_600_000_003_123_456_789);
    check("1600000003.1234567895", 1_600_000_003_123_456_790);
    check("1600000003123.456789", 1_600_000_003_123_456_789);
    check("1600000003123456.789", 1_600_000_003_123_456_789);
    check("1600000003123456789", 1_600_000_003_123_456_789);
    check("2020-09-13T12:26:43.123456789Z", 1_600_000_003_123_456_789);
    check("0", 0);
    check("61.5", 61_500_000_000);
    check("4294967295.999999999", 4_294_967_295_999_999_999);
    check("9223372036854775807", i64::MAX);
    check("12:27", 1_600_000_020_000_000_000);
    check("2020-09-13", 1_599_955_200_000_000_000);
}

#[test]
fn parts_of_the_recording() {
    check("0%", 1_600_000_000_000_000_000);
    check("50%", 1_600_000_030_000_000_000);
    check("33.3333333%", 1_600_000_019_999_999_980);
    check("100 %", 1_600_000_060_000_000_000);
    let all = Span::new(Time(0), Time(i64::MAX));
    assert_eq!(When::parse("100%").map(|t| t.unclamped(all)), Ok(Time(i64::MAX)));
}

#[test]
fn a_time_of_day_in_a_drive_over_midnight() {
    let midnight = 1_600_041_600_000_000_000;
    let drive = Span::new(Time(midnight - 10_000_000_000), Time(midnight + 10_000_000_000));
    let at = |text| When::parse(text).map(|t| t.unclamped(drive).nanos() - midnight);
    assert_eq!(at("23:59:55"), Ok(-5_000_000_000));
    assert_eq!(at("00:00:05"), Ok(5_000_000_000));
    assert_eq!(at("12:00:00"), Ok(-43_200_000_000_000));
}

#[test]
fn what_is_no_time_is_told_what_is() {
    let long = "9".repeat(30);
    for text in [
        "",
        " ",
        "now",
        "-3",
        "+",
        "%",
        "101%",
        "-1%",
        "1600000003.2.5",
        "12:60:00",
        "25:00:00",
        "2020-13-01T00:00:00Z",
        "99999999999999999999",
        "1e400",
        "+1e30",
        "1600000003:9999999999",
        "é",
        "5 parsecs",
        &long,
    ] {
        let error = When::parse(text).expect_err(text).to_string();
        assert!(
            error.starts_with(&format!("“{}” is not a time: give seconds,", text.trim())),
            "{error}"
        );
        assert!(!error.contains('\n') && error.ends_with("(50%)"));
    }
}

#[test]
fn shown_in_every_way() {
    let t = Time(1_600_000_003_250_000_000);
    assert_eq!(format_utc(t), "2020-09-13 12:26:43.250");
    assert_eq!(
        format_in_zone(t, &TimeZone::fixed(Offset::from_seconds(-23_400).expect("offset"))),
        "2020-09-13 05:56:43.250 -06:30"
    );
    assert_eq!(
        format_in_zone(t, &TimeZone::fixed(Offset::constant(2))),
        "2020-09-13 14:26:43.250 +02:00"
    );
    assert_eq!(format_time_of_day(t), "12:26:43.250");
    assert_eq!(format_epoch(t), "1600000003.250000000");
    assert_eq!(format_relative(t, drive().start), "+3.250 s");
    assert_eq!(format_relative(Time(0), Time(100_000_000)), "-0.100 s");
    assert_eq!(format_relative(Time(25_191_600_000_000), Time(0)), "+6:59:51.600");
    assert_eq!(format_relative(Time(0), Time(90_061_500_000_000)), "-1 d 1:01:01.500");
    assert_eq!(
        (format_seconds(-1_250_000_000, 1), format_elapsed(61_000_000_000, 0)),
        ("-1.2".into(), "0:01:01".into())
    );
    assert_eq!(
        (format_date(t), format_time_of_day_to(t, 0)),
        ("2020-09-13".into(), "12:26:43".into())
    );
    assert_eq!(rfc3339(t), "2020-09-13T12:26:43.25Z");
    assert_eq!(rfc3339(Time(0)), "1970-01-01T00:00:00Z");
    assert_eq!(format_epoch(Time(-1)), "-0.000000001");
    for nanos in [i64::MIN, -1, 0, 1, 1_600_000_003_123_456_789, i64::MAX] {
        let time = Time(nanos);
        for text in [
            format_utc(time),
            format_in_zone(time, &TimeZone::UTC),
            format_relative(time, Time(0)),
        ] {
            assert!(!text.is_empty());
        }
        assert_eq!(When::parse(&rfc3339(time)), Ok(When::At(time)));
    }
    // The machine's own zone says the same instant.
    assert!(matches!(When::parse(&format_local(t)), Ok(When::At(at)) if at == t));
}

#[test]
fn durations_and_sizes() {
    let durations = [
        (0, "0 s"),
        (850, "850 ns"),
        (12_500_000, "12.5 ms"),
        (3_250_000_000, "3.25 s"),
        (423_774_000, "424 ms"),
        (999_499, "999 µs"),
        (999_999_600, "1 s"),
        (59_940_000_000, "59.9 s"),
        (59_999_000_000, "1 min 00 s"),
        (125_000_000_000, "2 min 05 s"),
        (125_500_000_000, "2 min 06 s"),
        (3_599_900_000_000, "1 h 00 min"),
        (3_720_000_000_000, "1 h 02 min"),
        (25_191_600_000_000, "7 h 00 min"),
        (86_399_000_000_000, "1 d 00 h"),
        (273_600_000_000_000, "3 d 04 h"),
        (-1_000, "-1 µs"),
        (i64::MIN, "-106752 d 00 h"),
    ];
    for (nanos, text) in durations {
        assert_eq!(format_duration(nanos), text);
    }
    for (bytes, text) in [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.00 KiB"),
        (12_698, "12.4 KiB"),
        (991_511_208, "946 MiB"),
        (1 << 30, "1.00 GiB"),
        (1_047_527_424, "999 MiB"),
        (u64::MAX, "16.0 EiB"),
    ] {
        assert_eq!(format_bytes(bytes), text);
    }
}

#[test]
fn texts_of_any_origin_are_shown_without_what_cannot_be_seen() {
    for (text, one, several) in [
        ("as it is", "as it is", "as it is"),
        ("a\nb", "a ¶ b", "a\nb"),
        ("a\r\nb\tc", "a ¶ b c", "a\nb c"),
        ("\u{1b}[1;31mhot\u{1b}[0m", "hot", "hot"),
        ("\u{1b}]0;title\u{7}x\u{1b}cy\u{1b}", "xy", "xy"),
        ("cut \u{1b}[31", "cut ", "cut "),
        ("\u{0}é\u{85}", " é ", " é "),
    ] {
        assert_eq!((&*in_one_line(text), &*in_lines(text)), (one, several), "{text:?}");
    }
}
