//! Expressions over the lines of a log: a line passes exactly where the expression fits its own text.

use bytes::Bytes;
use proptest::prelude::*;
use roadreel::decode::{Form, Rows, Schema, definitions};
use roadreel::store::{LogFilter, LogQuery, expression};
use roadreel::time::Time;

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
