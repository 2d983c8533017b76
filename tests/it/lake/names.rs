//! Names of columns where they stand: what queries pass on to others, what they call their columns, fields by every spelling.

use std::path::Path;

use serde_json::json;

use super::topics::flat_imu;
use super::{drive, fails, rows};

/// A topic answers as AWS's flat table of it, also where names come by way of other queries.
#[test]
fn names_are_passed_on_from_query_to_query() {
    let folder = tempfile::tempdir().expect("a folder");
    let flat = flat_imu(folder.path());
    let tables: &[(&str, &Path)] = &[("d", drive()), ("flat", &flat)];
    for query in [
        "SELECT min(header_seq) AS n FROM (SELECT header_seq, linear_acceleration_x FROM {})",
        "WITH c AS (SELECT header_seq, header_frame_id FROM {}) SELECT min(header_seq) AS n, max(c.header_frame_id) AS f FROM c",
        "WITH c AS (SELECT header_seq AS header_seq FROM {}) SELECT max(header_seq) AS n FROM c",
        "WITH c (n) AS (SELECT header_seq FROM {}), d AS (SELECT n AS header_seq FROM c) SELECT sum(header_seq) AS s, count(*) AS n FROM d",
        "SELECT header_stamp_secs, n FROM (SELECT header_stamp_secs, count(*) AS n FROM {} GROUP BY 1) ORDER BY header_stamp_secs",
        "SELECT header_stamp_secs + 1 AS s, sum(header_seq) AS n FROM (SELECT * FROM {}) GROUP BY header_stamp_secs ORDER BY s",
        "SELECT orientation_covariance_0 FROM (SELECT header_seq, orientation_covariance_0 FROM {}) ORDER BY header_seq LIMIT 2",
        "SELECT header_seq, r FROM (SELECT header_seq, row_number() OVER (PARTITION BY header_stamp_secs ORDER BY header_seq) AS r FROM {}) \
         WHERE r = 1 ORDER BY header_seq",
        "WITH c AS (SELECT header_seq, header_stamp_nsecs FROM {}) SELECT count(*) AS n, sum(a.header_stamp_nsecs - b.header_stamp_nsecs) AS d \
         FROM c a JOIN c AS b ON a.header_seq = b.header_seq + 1",
        "SELECT count(*) AS n FROM {} WHERE header_seq IN (SELECT header_seq FROM (SELECT header_seq FROM {} WHERE header_seq % 2 = 0))",
        "SELECT count(*) AS n FROM {} a WHERE EXISTS (SELECT 1 FROM (SELECT header_seq AS s FROM {}) b WHERE b.s = a.header_seq)",
        "SELECT header_seq FROM {} WHERE header_seq < 3 UNION ALL SELECT header_seq FROM (SELECT header_seq FROM {} WHERE header_seq = 5) \
         ORDER BY header_seq DESC",
        "SELECT max(header_seq) AS header_seq, header_stamp_secs FROM {} WHERE header_seq > 7 GROUP BY header_stamp_secs \
         HAVING max(header_seq) > 9 ORDER BY header_seq",
        "SELECT header_stamp_secs, count(*) AS n FROM {} GROUP BY header_stamp_secs ORDER BY max(header_seq) DESC",
        "SELECT DISTINCT header_frame_id, header_stamp_secs FROM {} ORDER BY header_stamp_secs",
        "SELECT DISTINCT header_seq / 100 FROM {} ORDER BY header_seq / 100",
        "SELECT DISTINCT ON (header_stamp_secs) header_stamp_secs, header_seq FROM {} ORDER BY header_stamp_secs, header_seq DESC",
        "WITH RECURSIVE r AS (SELECT min(header_seq) AS header_seq FROM {} UNION ALL SELECT header_seq + 1 FROM r WHERE header_seq < 4) \
         SELECT * FROM r ORDER BY 1",
    ] {
        let of_topic = rows(&query.replace("{}", r#"d."/imu_raw""#), tables);
        let of_table = rows(&query.replace("{}", "flat"), tables);
        assert!(!of_topic.is_empty(), "{query}");
        assert_eq!(of_topic, of_table, "{query}");
    }
}

/// Names that the query gives go before those that only look like them.
#[test]
fn names_that_a_query_gives_are_its_own() {
    let tables: &[(&str, &Path)] = &[("d", drive())];
    let seconds = r#"SELECT date_trunc('second', time) AS TIME, count(*) AS n FROM d."/imu_raw" GROUP BY "time""#;
    let told = rows(&seconds.replace("\"time\"", "date_trunc('second', time)"), tables);
    assert!(told.len() > 2, "{told:?}");
    let grouped = r#"SELECT header_seq / 100 AS header_seq, count(*) AS n FROM d."/imu_raw" GROUP BY header_seq ORDER BY header_seq"#;
    let told = rows(grouped, tables);
    assert_eq!((&told[0]["header_seq"], &told[0]["n"]), (&json!(0), &json!(100)), "{told:?}");
}

/// `*` of a join: each column has a name of its own, in every format of a result.
#[test]
fn columns_of_a_join_are_told_apart() {
    let tables: &[(&str, &Path)] = &[("d", drive())];
    for sql in [
        r#"SELECT a.*, b.* FROM d."/gps/fix" a JOIN d."/vehicle/brake_report" b ON a.header_seq = b.header_seq LIMIT 1"#,
        r#"SELECT * FROM d."/gps/fix" a JOIN d."/vehicle/brake_report" b ON a.header_seq = b.header_seq ORDER BY a.header_seq LIMIT 1"#,
    ] {
        let told = rows(sql, tables);
        let row = told[0].as_object().expect("a row");
        assert!(row.contains_key("a.time") && row.contains_key("b.time"), "{row:?}");
        assert!(row.contains_key("latitude") && !row.contains_key("time"), "{row:?}");
    }
    let one = rows(r#"SELECT * FROM d."/gps/fix" JOIN d."/imu_raw" USING (time) LIMIT 1"#, tables);
    assert!(one.iter().all(|row| row.get("time").is_some()), "{one:?}");
}

/// Fields of elements, as DuckDB has them; of what is not understood no word of the program's own is told.
#[test]
fn fields_of_elements_are_named_behind_a_dot() {
    let tables: &[(&str, &Path)] = &[("d", drive())];
    let of = |spelling: &str| {
        let sql = format!(r#"SELECT {spelling} AS v FROM d."/as_tx/objects" o WHERE cardinality(objects) > 0 ORDER BY time LIMIT 1"#);
        rows(&sql, tables)
    };
    let wanted = of("objects[1]['id']");
    assert!(wanted[0]["v"].is_u64(), "{wanted:?}");
    for spelling in [
        "objects[1].id",
        "objects[1].ID",
        "(objects[1]).id",
        "o.objects[1].id",
        "\"objects\"[1].\"id\"",
    ] {
        assert_eq!(of(spelling), wanted, "{spelling}");
    }
    for wrong in ["objects[1].length(2)", "a.b.c.d.e.f"] {
        let sql = format!(r#"SELECT {wrong} FROM d."/as_tx/objects""#);
        let told = fails(&["query", &sql, "--table", &format!("d={}", drive().display())]);
        assert!(!told.contains('{') && !told.contains("[\""), "{told}");
    }
}
