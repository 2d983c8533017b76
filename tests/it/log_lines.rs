//! Expressions over the lines of a log: a line passes exactly where the expression fits its own text.

use bytes::Bytes;
use proptest::prelude::*;
use roadreel::decode::{Form, LevelCounts, Rows, Schema, definitions};
use roadreel::store::{LogFilter, LogQuery, expression};
use roadreel::time::{Span, Time};

use crate::encode::Encoder;

const PATTERNS: &[&str] = &[
    "ab",
    "a.*b",
    "^a",
    "b$",
    r"\Aa",
    r"b\z",
    "(?-m:^a)",
    "(?-m:b$)",
    "^$",
    "",
    r"a\sb",
    "a[^x]b",
    "(?s)a.b",
    "a\nb",
    r"\bab\b",
    "B",
    "ä|ß",
    r"\W+b",
    "a+?b",
    "(a|^b|x$)",
    // where the case counts in part, or in an unusual spelling
    "(?-i:a)b",
    "[[:upper:]]b",
    "[^a]b",
    "[a-x]+b",
    r"\x41b",
    r"(?i)\x41\x42",
    r"\D\S{2}",
    "k",
];

fn block(lines: &[String]) -> Rows {
    let definition = definitions().complete("rosgraph_msgs/Log").unwrap();
    let schema = Schema::ros1("rosgraph_msgs/Log", &definition).unwrap();
    let mut rows = Rows::new(Form::Log).unwrap();
    for (number, line) in (0..).zip(lines) {
        let message = Encoder::new().header(number, number, 0, "").u8(2).text("").text(line);
        let message = message.text("src/node.cpp").text("run").u32(12).u32(0);
        rows.push(Time(i64::from(number)), &schema, &Bytes::copy_from_slice(message.bytes()));
    }
    rows.shrink();
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn lines_pass_where_the_expression_fits_their_own_text(
        lines in prop_oneof![
            prop::collection::vec("[abxB äßK\n]{0,6}", 1..40),
            // texts of ASCII letters alone are examined another way
            prop::collection::vec("[abxkABK \n]{0,6}", 1..40),
        ]
    ) {
        let rows = block(&lines);
        for pattern in PATTERNS {
            let alone = expression(pattern).unwrap();
            let query = LogQuery { ins: vec![(*pattern).into()], ..LogQuery::default() };
            let verdict = LogFilter::new(query).examine(&rows).unwrap();
            for (number, line) in lines.iter().enumerate() {
                prop_assert_eq!(verdict.shown.get(number), alone.is_match(line), "{:?} on {:?} of {:?}", pattern, line, &lines);
            }
        }
    }
}

/// A line at each time, of levels that follow one another.
fn levels(times: &[i64]) -> Rows {
    let definition = definitions().complete("rosgraph_msgs/Log").unwrap();
    let schema = Schema::ros1("rosgraph_msgs/Log", &definition).unwrap();
    let mut rows = Rows::new(Form::Log).unwrap();
    for (number, time) in (0..).zip(times) {
        let message = Encoder::new().header(number, 0, 0, "").u8(1 << (number % 5)).text("").text("");
        let message = message.text("").text("").u32(0).u32(0);
        rows.push(Time(*time), &schema, &Bytes::copy_from_slice(message.bytes()));
    }
    rows.shrink();
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn lines_are_counted_where_they_are(
        steps in prop::collection::vec(prop_oneof![Just(0_i64), 0..20_i64, Just(5_000)], 0..1_500),
        start in -50..3_000_i64,
        length in 1..40_000_i64,
        parts in 1..60_usize,
        every in 1..4_usize,
    ) {
        let times: Vec<i64> = steps.iter().scan(0, |at, step| { *at += step; Some(*at) }).collect();
        let rows = levels(&times);
        let log = rows.log().unwrap();
        let whole = Span::new(Time(start), Time(start + length));
        let is_counted = |line: usize| line.is_multiple_of(every);
        let mut found = vec![[0.0_f32; 5]; parts];
        LevelCounts::new(log, is_counted).add_to(log, rows.times(), is_counted, whole, &mut found);
        let mut expected = vec![[0.0_f32; 5]; parts];
        for (line, time) in times.iter().enumerate().filter(|(line, time)| is_counted(*line) && whole.contains(Time(**time))) {
            let part = ((time - start) as usize * parts / length as usize).min(parts - 1);
            expected[part][line % 5] += 1.0;
        }
        prop_assert_eq!(found, expected);
    }
}
