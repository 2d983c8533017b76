//! A topic is a table: SQL over it equals SQL over the tables that were extracted from it.

use std::path::Path;

use serde_json::{Value, json};

use super::{drive, fails, prints, rows, text};

fn near(a: &Value, b: &Value, share: f64) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= share * a.abs().max(b.abs()).max(1.0),
        _ => match (a, b) {
            (Value::Object(a), Value::Object(b)) => {
                a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| near(v, w, share)))
            }
            _ => a == b,
        },
    }
}

/// The same queries over the bag and over AWS's flat tables and over nested ones, with joins, windows and groups.
#[test]
fn sql_over_topics_equals_sql_over_the_extracted_tables() {
    let folder = tempfile::tempdir().expect("a folder");
    let [flat, nested] = ["flat", "nested"].map(|name| folder.path().join(name));
    let topics = [
        "--topic",
        "/imu_raw",
        "--topic",
        "/vehicle/brake_report",
        "--topic",
        "/vehicle/steering_report",
        "--topic",
        "/gps/fix",
    ];
    let export = |out: &Path, more: &[&str]| {
        let mut arguments = vec!["export", text(drive()), "--to", "parquet", "-o", text(out)];
        arguments.extend(topics);
        arguments.extend(more);
        prints(&arguments);
    };
    export(&flat, &[]);
    export(&nested, &["--nested"]);
    // {T}: seconds since 1970
    let queries = [
        "SELECT count(*) AS n, avg(linear_acceleration_z) AS z, max({T}) AS last FROM {imu}",
        "SELECT floor({T}) AS second, count(*) AS n, min(angular_velocity_x) AS low FROM {imu} GROUP BY floor({T}) ORDER BY second",
        "SELECT count(*) AS n, sum(b.pedal_input * s.speed) AS p FROM {brake} b JOIN {steer} s ON round({b.T} * 10) = round({s.T} * 10)",
        "SELECT sum(d) AS total, max(d) AS most FROM (SELECT speed - lag(speed) OVER (ORDER BY {T}) AS d FROM {steer})",
        "SELECT i.frame AS frame, count(*) AS n FROM (SELECT header_frame_id AS frame, {T} AS t FROM {imu}) i \
         WHERE i.t > (SELECT min({T}) + 1.5 FROM {gps}) GROUP BY i.frame",
    ];
    for query in queries {
        let spelled = |tables: [&str; 4], time: &str| {
            let mut sql = query.to_owned();
            for (name, table) in ["{imu}", "{brake}", "{steer}", "{gps}"].into_iter().zip(tables) {
                sql = sql.replace(name, table);
            }
            for prefix in ["b.", "s.", ""] {
                sql = sql.replace(&format!("{{{prefix}T}}"), &time.replace('§', prefix));
            }
            sql
        };
        let instant = "(cast(§time AS BIGINT) / 1e9)";
        let place = text(drive());
        let of_bag =
            ["/imu_raw", "/vehicle/brake_report", "/vehicle/steering_report", "/gps/fix"].map(|topic| format!("bag('{place}', '{topic}')"));
        let by_function = rows(&spelled(of_bag.each_ref().map(String::as_str), instant), &[]);
        let named = [
            "d.\"/imu_raw\"",
            "d.\"/vehicle/brake_report\"",
            "d.\"/vehicle/steering_report\"",
            "d.\"/gps/fix\"",
        ];
        let by_name = rows(&spelled(named, instant), &[("d", drive())]);
        let lake = ["l.imu_raw", "l.vehicle_brake_report", "l.vehicle_steering_report", "l.gps_fix"];
        let of_flat = rows(&spelled(lake, "§Time"), &[("l", &flat)]);
        let of_nested = rows(&spelled(lake, instant), &[("l", &nested)]);
        // nested tables keep floats of 32 bits
        for (other, share) in [(&by_function, 1e-12), (&of_flat, 1e-12), (&of_nested, 1e-8)] {
            assert_eq!(by_name.len(), other.len(), "{query}");
            assert!(
                !by_name.is_empty() && by_name.iter().zip(other).all(|(a, b)| near(a, b, share)),
                "{query}: {by_name:?} {other:?}"
            );
        }
    }
}

/// Parts of a message's fields that flat tables have as columns are found in topics, too; numbers are times by their magnitude.
#[test]
fn queries_of_flat_tables_fit_topics() {
    let folder = tempfile::tempdir().expect("a folder");
    prints(&[
        "export",
        text(drive()),
        "--to",
        "parquet",
        "-o",
        text(folder.path()),
        "--topic",
        "/imu_raw",
    ]);
    let flat = folder.path().join("imu_raw");
    let topic = format!("bag('{}', '/imu_raw')", text(drive()));
    for query in [
        "SELECT sum(header_stamp_secs) AS s, max(header_stamp_nsecs) AS n, min(i.orientation_covariance_0) AS c FROM {} i",
        "SELECT i.header_stamp_secs, header_seq, linear_acceleration_covariance_8 FROM {} i ORDER BY header_seq LIMIT 3",
        "SELECT header_stamp_secs, count(*) AS n FROM {} WHERE header_stamp_nsecs >= 500000000 GROUP BY header_stamp_secs ORDER BY 1",
    ] {
        let of_table = rows(&query.replace("{}", "flat"), &[("flat", &flat)]);
        let of_topic = rows(&query.replace("{}", &topic), &[]);
        assert!(
            !of_table.is_empty() && of_table[0].as_object().is_some_and(|row| row.len() > 1),
            "{of_table:?}"
        );
        assert_eq!(of_topic, of_table, "{query}");
    }
    let of_table = rows(
        "SELECT count(*) AS n FROM flat WHERE \"Time\" >= 1600000001 AND \"Time\" < 1600000001.5",
        &[("flat", &flat)],
    );
    for condition in [
        "time >= 1600000001 AND time < 1600000001.5",
        "i.time >= 1600000001000 AND 1600000001500000000 > i.time",
        "time BETWEEN 1600000001 AND 1600000001499999999",
        "header.stamp.secs = 1600000001 AND i.header.stamp.nsecs < 500000000",
        "header_stamp >= 1600000001 AND stamp < 1600000001.5",
    ] {
        let found = rows(&format!("SELECT count(*) AS n FROM {topic} i WHERE {condition}"), &[]);
        assert_eq!(found, of_table, "{condition}");
    }
}

#[test]
fn columns_have_the_types_of_the_message() {
    let sql = "SELECT time, stamp, header.frame_id AS frame, linear_acceleration.z > 0 AS up, array_length(orientation_covariance) AS n \
        FROM d.\"/imu_raw\" ORDER BY time LIMIT 1";
    let told = rows(sql, &[("d", drive())]);
    let [row] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(
        (&row["frame"], &row["up"], &row["n"]),
        (&json!("imu_link"), &json!(true), &json!(9))
    );
    assert!(
        row["time"]
            .as_str()
            .is_some_and(|time| time.starts_with("20") && time.contains('T')),
        "{row}"
    );
    let objects = "SELECT count(*) AS n FROM (SELECT unnest(objects) AS o FROM d.\"/as_tx/objects\") WHERE o['id'] > 0";
    assert!(rows(objects, &[("d", drive())])[0]["n"].as_u64().is_some_and(|n| n > 0));
}

/// A span of time, a limit and the columns decide what is read.
#[test]
fn what_a_query_does_not_want_is_not_read() {
    let plan = |sql: &str| {
        prints(&[
            "query",
            &format!("EXPLAIN {sql}"),
            "--table",
            &format!("d={}", text(drive())),
            "--json",
        ])
    };
    let chunks = |plan: &str| -> u64 {
        let (_, rest) = plan.split_once("chunks=").expect("a scan");
        rest.split(|c: char| !c.is_ascii_digit())
            .next()
            .and_then(|n| n.parse().ok())
            .expect("a number")
    };
    let start = rows("SELECT min(time) AS t FROM d.\"/imu_raw\"", &[("d", drive())])[0]["t"]
        .as_str()
        .expect("a time")
        .to_owned();
    let whole = plan("SELECT * FROM d.\"/imu_raw\"");
    let part = plan(&format!(
        "SELECT header FROM d.\"/imu_raw\" WHERE time < to_timestamp('{start}') + INTERVAL '200 milliseconds'"
    ));
    let few = plan("SELECT time FROM d.\"/imu_raw\" LIMIT 1");
    assert!(chunks(&part) * 3 < chunks(&whole), "{part} {whole}");
    assert_eq!(chunks(&few), 1, "{few}");
    assert!(
        part.contains("columns=[time, header]") || part.contains("columns=[header"),
        "{part}"
    );
    assert!(!whole.contains("drive_a.bag"), "a plan shows where a table lies: {whole}");
}

#[test]
fn a_topic_that_is_not_there_is_named_with_those_that_are() {
    let told = fails(&["query", &format!("SELECT * FROM bag('{}', '/nothing')", text(drive()))]);
    assert!(told.contains("there is no topic /nothing") && told.contains("/imu_raw"), "{told}");
    let told = fails(&["query", &format!("SELECT * FROM '{}'", text(drive()))]);
    assert!(told.contains("name one of its topics with bag("), "{told}");
}
