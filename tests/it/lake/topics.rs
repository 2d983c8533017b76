//! A topic is a table: SQL over it equals SQL over the tables that were extracted from it.

use std::path::{Path, PathBuf};

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

/// The drive's `/imu_raw` as AWS's lake has it.
pub fn flat_imu(folder: &Path) -> PathBuf {
    let into = ["-o", text(folder), "--topic", "/imu_raw"];
    prints(&[&["export", text(drive()), "--to", "parquet"], &into[..]].concat());
    folder.join("imu_raw")
}

/// Parts of a message's fields that flat tables have as columns are found in topics, too; numbers are times by their magnitude.
#[test]
fn queries_of_flat_tables_fit_topics() {
    let folder = tempfile::tempdir().expect("a folder");
    let flat = flat_imu(folder.path());
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
        "SELECT count(*) AS n FROM flat WHERE \"Time\" >= 1777887001 AND \"Time\" < 1777887001.5",
        &[("flat", &flat)],
    );
    for condition in [
        "time >= 1777887001 AND time < 1777887001.5",
        "i.time >= 1777887001000 AND 1777887001500000000 > i.time",
        "time BETWEEN 1777887001 AND 1777887001499999999",
        "header.stamp.secs = 1777887001 AND i.header.stamp.nsecs < 500000000",
        "header_stamp >= 1777887001 AND stamp < 1777887001.5",
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

/// Joins on parts of fields, as AWS's queries have them, and on what is worked out of fields.
#[test]
fn topics_are_joined_on_what_is_worked_out_of_their_fields() {
    let tables: &[(&str, &Path)] = &[("d", drive())];
    let count = |condition: &str| {
        let sql = format!(r#"SELECT count(*) AS n FROM d."/vehicle/steering_report" s JOIN d."/vehicle/brake_report" b ON {condition}"#);
        rows(&sql, tables)[0]["n"].as_u64().expect("a number")
    };
    let exact = count("s.header.stamp = b.header.stamp");
    assert!(exact > 10, "{exact}");
    let parts = "s.header_stamp_secs = b.header_stamp_secs AND s.header_stamp_nsecs = b.header_stamp_nsecs";
    assert_eq!(count(parts), exact);
    assert!(count("s.header.seq = b.header.seq + 1") > 10);
    assert!(count("date_trunc('second', s.header.stamp) = date_trunc('second', b.header.stamp)") > exact);
    let explained = format!("EXPLAIN SELECT count(*) FROM d.\"/imu_raw\" s JOIN d.\"/gps/fix\" b ON {parts}");
    assert!(
        prints(&["query", &explained, "--json", "--table", &format!("d={}", text(drive()))]).contains("HashJoinExec"),
        "{explained}"
    );
}

/// Times are compared with columns of numbers by their magnitude, written with any operator.
#[test]
fn topics_are_joined_with_scenes_on_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let scenes = folder.path().join("scenes.csv");
    std::fs::write(
        &scenes,
        "scene,start_time,end_time\na,1777887000.5,1777887001\nb,1777887001.5,1777887002\n",
    )
    .expect("a file");
    let tables: &[(&str, &Path)] = &[("d", drive()), ("s", &scenes)];
    let sql = |condition: &str| format!(r#"SELECT s.scene, count(*) AS n FROM d."/imu_raw" i JOIN s ON {condition} GROUP BY 1 ORDER BY 1"#);
    let wanted = rows(
        &sql("i.time >= to_timestamp(s.start_time) AND i.time <= to_timestamp(s.end_time)"),
        tables,
    );
    assert_eq!(wanted.len(), 2);
    for condition in [
        "i.time BETWEEN s.start_time AND s.end_time",
        "i.time >= s.start_time AND s.end_time >= i.time",
        r#"i."Time" BETWEEN s.start_time AND s."End_Time""#,
        "NOT i.time NOT BETWEEN s.start_time AND s.end_time",
        "i.time BETWEEN cast(s.start_time * 1000 AS BIGINT) AND s.end_time - 0",
    ] {
        assert_eq!(rows(&sql(condition), tables), wanted, "{condition}");
    }
    let first = r#"SELECT cast(min(time) AS BIGINT) AS t FROM d."/imu_raw""#;
    let nanos = rows(first, tables)[0]["t"].as_i64().expect("a number");
    for condition in [
        format!("time IN ({nanos}, 5)"),
        format!("time IN (5, {}.{:09})", nanos / 1_000_000_000, nanos % 1_000_000_000),
        format!("time NOT IN (5) AND time <= {nanos}"),
    ] {
        let sql = format!(r#"SELECT count(*) AS n FROM d."/imu_raw" WHERE {condition}"#);
        assert_eq!(rows(&sql, tables), [json!({"n": 1})], "{condition}");
    }
    let derived = r#"SELECT count(*) AS n FROM (SELECT time AS t FROM d."/imu_raw") x WHERE t <= 1777887000.5"#;
    let direct = r#"SELECT count(*) AS n FROM d."/imu_raw" WHERE "Time" <= 1777887000.5"#;
    assert_eq!(rows(derived, tables), rows(direct, tables));
}

/// Names mean what the table has in front of which they stand; what two tables call alike is told apart.
#[test]
fn names_are_those_of_their_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let flat = flat_imu(folder.path());
    let tables: &[(&str, &Path)] = &[("d", drive()), ("flat", &flat)];
    let both =
        r#"SELECT a.header_seq, b.header_seq FROM d."/imu_raw" a JOIN d."/gps/fix" b ON a.header_seq = b.header_seq ORDER BY 1 LIMIT 1"#;
    let told = rows(both, tables);
    assert_eq!(told[0]["a.header_seq"], told[0]["b.header_seq"], "{told:?}");
    assert!(told[0]["a.header_seq"].is_u64(), "{told:?}");
    let mixed = r#"SELECT count(*) AS n FROM d."/imu_raw" a JOIN flat ON a.header_seq = flat.header_seq AND a."Time" = flat."Time""#;
    let whole = rows("SELECT count(*) AS n FROM flat", tables);
    assert_eq!(rows(mixed, tables), whole);
    let apart = r#"SELECT count("Time") AS n FROM d."/imu_raw" UNION ALL SELECT count("Time") AS n FROM flat"#;
    assert_eq!(rows(apart, tables), [whole.clone(), whole.clone()].concat());
    let inner = r#"SELECT count(*) AS n FROM d."/imu_raw" a WHERE EXISTS (SELECT 1 FROM flat f WHERE f.header_seq = a.header_seq)"#;
    assert_eq!(rows(inner, tables), whole);
    let inner = inner.replace("flat f", "d.\"/imu_raw\" f");
    assert_eq!(rows(&inner, tables), whole);
    let value =
        r#"SELECT (SELECT max(f.header_seq) FROM flat f WHERE f.header_seq = a.header.seq) - header_seq AS n FROM d."/imu_raw" a LIMIT 1"#;
    assert_eq!(rows(value, tables), [json!({"n": 0})]);
}
