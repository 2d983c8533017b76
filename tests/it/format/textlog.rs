//! Text logs: what their lines say, how they are cut, and where lines without times stand.

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use roadreel::decode::{Decoded, Form, Schema, definitions};
use roadreel::format::{Checks, ConnectionSet, Container, Fetched, Step, recognise};
use roadreel::time::{Time, rfc3339};

/// What an indexer makes of a file.
fn index(name: &str, file: &Bytes) -> Arc<dyn Container> {
    let head = file.slice(..file.len().min(65_536));
    let mut indexer = recognise(name, &head, file.len() as u64)
        .expect("a text log")
        .indexer(file.len() as u64);
    indexer.is_called(name);
    let mut got = Fetched::one(0, head);
    loop {
        let need = match indexer.step(&got).expect("it can be read") {
            Step::Ready(container) => return container,
            Step::Need(need) | Step::Grew { need, .. } => need,
        };
        got = Fetched::default();
        for range in need {
            got.push(range.start, file.slice(range.start as usize..range.end as usize));
        }
    }
}

/// All messages: `time level node text (file:line function)`.
fn shown(container: &dyn Container, file: &Bytes) -> Vec<String> {
    let catalog = container.catalog();
    let connection = &catalog.connections[0];
    let schema = Schema::ros1(&connection.type_name, &connection.definition).expect("compiles");
    assert_eq!(definitions().md5(&connection.type_name).as_deref(), Some(&*connection.md5));
    let mut lines = Vec::new();
    for (number, chunk) in catalog.chunks.iter().enumerate() {
        let got = Fetched::one(chunk.range.start, file.slice(chunk.range.start as usize..chunk.range.end as usize));
        let batch = container.messages(number as u32, &got, &ConnectionSet::All, Checks::Quick);
        assert_eq!(batch.messages.len() as u64, chunk.messages());
        for message in batch.messages {
            assert!(chunk.span.contains(message.time));
            let Ok(Decoded::Log(line)) = schema.decode(Form::Log, &message.payload) else {
                panic!("a line of a log")
            };
            assert_eq!(line.stamp, Some(message.time));
            let place = match &*line.file {
                "" => String::new(),
                file => format!(" ({file}:{} {})", line.line, line.function),
            };
            lines.push(format!(
                "{} {} {} {}{place}",
                rfc3339(message.time),
                line.level.name(),
                line.node,
                line.text
            ));
        }
    }
    lines
}

fn one(line: &str) -> String {
    let file = Bytes::copy_from_slice(format!("{line}\n").as_bytes());
    shown(&*index("x.log", &file), &file).join("|")
}

#[test]
fn heads_of_lines_are_understood() {
    for (line, told) in [
        // ROS 1 consoles
        (
            "[ INFO] [1600000000.123456789]: ready",
            "2020-09-13T12:26:40.123456789Z Info  ready",
        ),
        (
            "\x1b[33m[ WARN] [1600000000.5, 12.25]: late by 3 ms\x1b[0m",
            "2020-09-13T12:26:40.5Z Warn  late by 3 ms",
        ),
        (
            "[ERROR] [1600000000.25]: [12] items: none",
            "2020-09-13T12:26:40.25Z Error  [12] items: none",
        ),
        // ROS 1 log files
        (
            "[rospy.internal][INFO] 2020-09-13 12:26:40,123: topic[/rosout] adding connection",
            "2020-09-13T12:26:40.123Z Info rospy.internal topic[/rosout] adding connection",
        ),
        (
            "1600000000.123456789  INFO /planner [/ws/src/plan.cpp:120(Plan::run)] [topics: /rosout, /plan] path of 12 m",
            "2020-09-13T12:26:40.123456789Z Info /planner path of 12 m (/ws/src/plan.cpp:120 Plan::run)",
        ),
        // ROS 2
        (
            "[INFO] [1600000000.125] [talker]: Publishing: 'Hello'",
            "2020-09-13T12:26:40.125Z Info talker Publishing: 'Hello'",
        ),
        (
            "[talker-1] [FATAL] [1600000000.125] [talker]: gone",
            "2020-09-13T12:26:40.125Z Fatal talker gone",
        ),
        (
            "[component_container-1] \x1b[33m[WARN] [1600000000.125] [lidar.driver]: [12] late\x1b[0m",
            "2020-09-13T12:26:40.125Z Warn lidar.driver [12] late",
        ),
        // rospy as it was
        (
            "[WARN] [WallTime: 1600000000.25] left: none",
            "2020-09-13T12:26:40.25Z Warn  left: none",
        ),
        (
            "[ERROR] [WallTime: 1600000000.25] [12.340000] [left] none",
            "2020-09-13T12:26:40.25Z Error  [left] none",
        ),
        (
            "1600000000.1234567 [ERROR] [launch]: process has died",
            "2020-09-13T12:26:40.1234567Z Error launch process has died",
        ),
        // dates
        (
            "2020-09-13T12:26:40.5Z DEBUG gps: 9 satellites",
            "2020-09-13T12:26:40.5Z Debug gps 9 satellites",
        ),
        ("2020-09-13T14:26:40+02:00 9 satellites", "2020-09-13T12:26:40Z Info  9 satellites"),
        ("2020/09/13 12:26:40.250000 WARNING: low", "2020-09-13T12:26:40.25Z Warn  low"),
        (
            "[2020-09-13 12:26:40.250] [error] [driver] no answer",
            "2020-09-13T12:26:40.25Z Error  [driver] no answer",
        ),
        ("13.09.2020 12:26:40,250 ERROR gps: none", "2020-09-13T12:26:40.25Z Error gps none"),
        ("9/13/2020, 2:26:40 PM +0200 none", "2020-09-13T12:26:40Z Info  none"),
        ("09/13/2020 12:26:40.250 AM WARN gps: none", "2020-09-13T00:26:40.25Z Warn gps none"),
        (
            "13-Sep-2020 12:26:40.250 SEVERE [main] org.Gps none",
            "2020-09-13T12:26:40.25Z Error  [main] org.Gps none",
        ),
        ("[2020.09.13-12.26.40:250] [gps]: none", "2020-09-13T12:26:40.25Z Info gps none"),
        // colours between the parts
        (
            "\x1b[2m2020-09-13T12:26:40Z\x1b[0m \x1b[31mERROR\x1b[0m \x1b[2mgps::serial\x1b[0m: \x1b[1mno\x1b[0m fix",
            "2020-09-13T12:26:40Z Error gps::serial no fix",
        ),
        (
            "\x1b[32m2020-09-13 12:26:40,123\x1b[0m - gps - \x1b[31mERROR\x1b[0m - no fix",
            "2020-09-13T12:26:40.123Z Error gps no fix",
        ),
        // since the epoch
        ("1600000000 up", "2020-09-13T12:26:40Z Info  up"),
        ("1600000000250 up", "2020-09-13T12:26:40.25Z Info  up"),
        ("1600000000250000 up", "2020-09-13T12:26:40.25Z Info  up"),
        ("1600000000250000001 up", "2020-09-13T12:26:40.250000001Z Info  up"),
    ] {
        assert_eq!(one(line), told, "{line:?}");
    }
}

/// What other programs write. Where no year is named, it is that of what is recorded beside the log.
#[test]
fn heads_of_other_programs_are_understood() {
    for (line, told) in [
        // syslog, with and without a year
        (
            "Nov  3 09:23:38 car7 planner[7998]: lookup of map failed",
            "2020-11-03T09:23:38Z Error planner car7 planner[7998]: lookup of map failed",
        ),
        (
            "Nov 13 09:23:38 car7 kernel: usb 1-2: new device",
            "2020-11-13T09:23:38Z Info kernel car7 kernel: usb 1-2: new device",
        ),
        (
            "<28>Feb 29 23:59:59 car7 ntpd[5]: no servers",
            "2020-02-29T23:59:59Z Warn ntpd car7 ntpd[5]: no servers",
        ),
        (
            "Jul 25 16:19:49 192.168.4.2 haproxy[7]: 141.35.244.171:53332 [25/Feb/2019:16:19:48.143] http~ \"GET /error HTTP/1.1\"",
            "2020-07-25T16:19:49Z Info haproxy 192.168.4.2 haproxy[7]: 141.35.244.171:53332 [25/Feb/2019:16:19:48.143] http~ \"GET /error HTTP/1.1\"",
        ),
        (
            "<11>1 2020-09-13T12:26:40.5Z car7 lidar 12 ID47 [a@1 b=\"] c\"][d@2 e=\"f\"] no answer",
            "2020-09-13T12:26:40.5Z Error lidar car7 lidar 12 ID47 [a@1 b=\"] c\"][d@2 e=\"f\"] no answer",
        ),
        (
            "2020-09-13T15:26:40.25+03:00 car7 NSX 3106 - [a@6876 comp=\"edge\" level=\"WARN\"] error counter at 0",
            "2020-09-13T12:26:40.25Z Warn NSX car7 NSX 3106 - [a@6876 comp=\"edge\" level=\"WARN\"] error counter at 0",
        ),
        (
            "2020-09-13T12:26:40+0000 car7 systemd[1]: Started the lidar",
            "2020-09-13T12:26:40Z Info systemd car7 systemd[1]: Started the lidar",
        ),
        // glog
        (
            "W0913 12:26:40.619632  52992 matcher.cc:253] late: 3 ms",
            "2020-09-13T12:26:40.619632Z Warn  late: 3 ms (matcher.cc:253 52992)",
        ),
        (
            "I20210913 12:26:40.619632  52992 matcher.cc:7] found",
            "2021-09-13T12:26:40.619632Z Info  found (matcher.cc:7 52992)",
        ),
        // log4j, logcat
        (
            "20/09/13 12:26:40 ERROR spark.SecurityManager: acls: none",
            "2020-09-13T12:26:40Z Error spark.SecurityManager acls: none",
        ),
        (
            "2020-09-13 12:26:40,500 INFO [main ] Farm : Starting",
            "2020-09-13T12:26:40.5Z Info  [main ] Farm : Starting",
        ),
        (
            "09-13 12:26:40.500  1234  1235 W Gps: no fix",
            "2020-09-13T12:26:40.5Z Warn Gps 1234  1235 W Gps: no fix",
        ),
        (
            "09-13 12:26:40.500  1234  1235 E Gps     : no fix: 2",
            "2020-09-13T12:26:40.5Z Error Gps 1234  1235 E Gps     : no fix: 2",
        ),
        (
            "09-13 12:26:40.500 E/Gps( 12): no fix",
            "2020-09-13T12:26:40.5Z Error Gps E/Gps( 12): no fix",
        ),
        // env_logger, Unreal Engine
        (
            "[2020-09-13T12:26:40Z WARN  gps::serial] no fix",
            "2020-09-13T12:26:40Z Warn gps::serial no fix",
        ),
        ("[2020-09-13T12:26:40Z DEBUG] no fix", "2020-09-13T12:26:40Z Debug  no fix"),
        (
            "[2020.09.13-12.26.40:250][  3]LogCarla: Error: no map",
            "2020-09-13T12:26:40.25Z Error LogCarla no map",
        ),
        (
            "[2020.09.13-12.26.40:250][123]LogCarla: up: 1",
            "2020-09-13T12:26:40.25Z Info LogCarla up: 1",
        ),
        // web servers
        (
            "192.168.2.4 - - [13/Sep/2020:14:26:40 +0200] \"GET /a HTTP/1.0\" 404 46210 \"-\" \"PXE\"",
            "2020-09-13T12:26:40Z Warn  192.168.2.4 - - [13/Sep/2020:14:26:40 +0200] \"GET /a HTTP/1.0\" 404 46210 \"-\" \"PXE\"",
        ),
        (
            "::1 - eve [13/Sep/2020:12:26:40 +0000] \"GET /\\\"b HTTP/1.0\" 200 1",
            "2020-09-13T12:26:40Z Info  ::1 - eve [13/Sep/2020:12:26:40 +0000] \"GET /\\\"b HTTP/1.0\" 200 1",
        ),
        (
            "[Sun Sep 13 12:26:40.250000 2020] [core:error] [pid 35708:tid 4328] no such file",
            "2020-09-13T12:26:40.25Z Error core [pid 35708:tid 4328] no such file",
        ),
        (
            "2020/09/13 12:26:40 [alert] 1234#5: *7 worker exited",
            "2020-09-13T12:26:40Z Fatal  1234#5: *7 worker exited",
        ),
        // databases, frameworks, Python
        (
            "2020-09-13 05:26:40.123 PDT [12345] FATAL:  out of memory",
            "2020-09-13T12:26:40.123Z Fatal  [12345] FATAL:  out of memory",
        ),
        (
            "[2020-09-13 12:26:40] local.ERROR: no class {\"a\":1}",
            "2020-09-13T12:26:40Z Error local no class {\"a\":1}",
        ),
        (
            "2020-09-13 12:26:40,123 - camera.left - WARNING - dropped 2",
            "2020-09-13T12:26:40.123Z Warn camera.left dropped 2",
        ),
        (
            "2020-09-13 12:26:40,123 camera.left ERROR dropped 2",
            "2020-09-13T12:26:40.123Z Error camera.left dropped 2",
        ),
        ("2020-09-13 12:26:40,123:DEBUG:foo bar", "2020-09-13T12:26:40.123Z Debug  foo bar"),
        (
            "2020-09-13T12:26:40.071:INFO:com.root:Response :",
            "2020-09-13T12:26:40.071Z Info com.root Response :",
        ),
        // the kernel, with dates
        (
            "[Sun Sep 13 12:26:40 2020] usb 1-2: device descriptor read error",
            "2020-09-13T12:26:40Z Error  usb 1-2: device descriptor read error",
        ),
        // named fields
        (
            "time=\"2020-09-13T12:26:40.25Z\" level=error msg=\"no \\\"pod\\\"\" node=n1 took=3ms",
            "2020-09-13T12:26:40.25Z Error n1 no \"pod\" took=3ms",
        ),
        (
            "{\"name\":\"gps\",\"pid\":7,\"level\":40,\"msg\":\"late\",\"time\":\"2020-09-13T12:26:40.250Z\",\"v\":0}",
            "2020-09-13T12:26:40.25Z Warn gps late pid=7 v=0",
        ),
        (
            "{\"timestamp\":1600000000.5,\"level\":\"TRACE\",\"fields\":{\"message\":\"shaving\",\"yaks\":3},\"target\":\"a::b\"}",
            "2020-09-13T12:26:40.5Z Debug a::b shaving fields.yaks=3",
        ),
        (
            "{\"ts\":\"2020-09-13 12:26:40Z\",\"lvl\":\"DEBUG5\",\"msg\":\"two\\nlines\"}",
            "2020-09-13T12:26:40Z Debug  two\nlines",
        ),
    ] {
        let file = Bytes::copy_from_slice(format!("{line}\n").as_bytes());
        let container = index("x.log", &file);
        // what is recorded beside it
        let beside = container.placed(Time(1_600_000_000_000_000_000));
        let lines = shown(&*beside.unwrap_or(container), &file);
        assert_eq!(lines.join("|"), told, "{line:?}");
    }
}

/// A head that only nearly fits is text.
#[test]
fn what_looks_like_a_head_and_is_none_stays_text() {
    for line in [
        "E0913 12:26:40.619632 1952452992 scan matcher.cc:253] no match",
        "Nov 33 09:23:38 car7 planner[7998]: x",
        "Nova 3 09:23:38 car7",
        "level=error msg=without a time",
        "{\"msg\":\"without a time\"}",
        "{\"time\":\"2020-09-13T12:26:40Z\"",
        "a=b c",
        "[Sun Sep 13 12:26:40 2020 no end",
        "13/09/2020 12:26:40 the month comes first",
        "12:26:4 no time of day",
        "WallTime: 1600000000.25 without brackets",
    ] {
        let file = Bytes::copy_from_slice(format!("{line}\n").as_bytes());
        assert_eq!(
            shown(&*index("x.log", &file), &file),
            [format!("1970-01-01T00:00:00Z Info  {line}")]
        );
    }
}

/// From December to January, lines without a year go on in the next one; and a file alone has the year in which it was written.
#[test]
fn years_are_found_where_none_is_written() {
    let text = "Dec 31 23:59:59 car7 a: one\nJan  1 00:00:01 car7 a: two\nDec 31 23:59:58 car7 a: late\n";
    let file = Bytes::from_static(text.as_bytes());
    let times = |container: &dyn Container| -> Vec<String> {
        let lines = shown(container, &file);
        lines.iter().map(|line| line[..20].to_owned()).collect()
    };
    let container = index("a.log", &file);
    // March 2023
    let spring = container.placed(Time(1_677_628_800_000_000_000)).expect("moved");
    assert_eq!(
        times(&*spring),
        ["2022-12-31T23:59:59Z", "2023-01-01T00:00:01Z", "2022-12-31T23:59:58Z"]
    );
    // August 2024
    let summer = container.placed(Time(1_722_470_400_000_000_000)).expect("moved");
    assert_eq!(times(&*summer)[1], "2025-01-01T00:00:01Z");
    assert!(summer.placed(Time(1_722_470_400_000_000_000)).is_none(), "it stands there already");

    let mut indexer = recognise("a.log", &file, file.len() as u64)
        .expect("a log")
        .indexer(file.len() as u64);
    indexer.was_written(Time(1_600_000_000_000_000_000));
    let Ok(Step::Ready(alone)) = indexer.step(&Fetched::one(0, file.clone())) else {
        panic!("it was read at once")
    };
    assert_eq!(
        times(&*alone),
        ["2019-12-31T23:59:59Z", "2020-01-01T00:00:01Z", "2019-12-31T23:59:58Z"]
    );
}

/// It begins long before what is recorded beside it, and reaches to it.
#[test]
fn the_year_of_a_long_log_is_that_of_all_its_lines() {
    let days = ["Apr  2", "Jul 30", "Nov  1", "Jan 20"];
    let text: String = days.iter().map(|day| format!("{day} 12:00:00 car7 a: line\n")).collect();
    let file = Bytes::from(text);
    // 10 January 2025
    let log = index("a.log", &file).placed(Time(1_736_510_400_000_000_000)).expect("moved");
    let dates: Vec<String> = shown(&*log, &file).iter().map(|line| line[..10].to_owned()).collect();
    assert_eq!(dates, ["2024-04-02", "2024-07-30", "2024-11-01", "2025-01-20"]);
}

/// glog says when its file was begun; other files may be called by a day.
#[test]
fn a_file_may_tell_its_year() {
    let lines = "I1231 23:59:59.000000 7 a.cc:1] one\nI0101 00:00:01.000000 7 a.cc:2] two\n";
    let head = "Log file created at: 2021/12/31 23:59:58\nRunning on machine: car7\n";
    let shown_in = |name: &str, text: String| -> Vec<String> {
        let file = Bytes::from(text);
        let mut indexer = recognise(name, &file, file.len() as u64).expect("a log").indexer(file.len() as u64);
        indexer.is_called(name);
        indexer.was_written(Time(1_700_000_000_000_000_000));
        let Ok(Step::Ready(log)) = indexer.step(&Fetched::one(0, file.clone())) else {
            panic!("it was read at once")
        };
        let summer_2024 = Time(1_722_470_400_000_000_000);
        let log = log.placed(summer_2024).unwrap_or(log);
        let lines = shown(&*log, &file);
        let of_glog = lines.iter().filter(|line| line.contains(" one (") || line.contains(" two ("));
        of_glog.map(|line| line[..20].to_owned()).collect()
    };
    let told = ["2021-12-31T23:59:59Z", "2022-01-01T00:00:01Z"];
    assert_eq!(shown_in("a.log", format!("{head}{lines}")), told);
    let beside = ["2024-12-31T23:59:59Z", "2025-01-01T00:00:01Z"];
    assert_eq!(shown_in("a.log", lines.to_owned()), beside);
    // what is recorded beside it knows better than a name
    assert_eq!(shown_in("a.log.INFO.20211231-235958.7", lines.to_owned()), beside);

    let alone = |name: &str| {
        let file = Bytes::from(lines.to_owned());
        shown(&*index(name, &file), &file)[1][..20].to_owned()
    };
    assert_eq!(alone("a.log.INFO.20211231-235958.7"), told[1]);
    assert_eq!(alone("a-2021-12-31.log"), told[1]);
    assert_eq!(alone("a_20220101.log"), told[1]);
}

#[test]
fn fields_of_lines_go_before_what_follows_them() {
    let file = Bytes::from_static(
        b"{\"time\":1600000000,\"level\":\"error\",\"msg\":\"died\"}\r\n  at main\r\n{\"time\":1600000001,\"msg\":\"up\"}\n",
    );
    assert_eq!(
        shown(&*index("a.log", &file), &file),
        ["2020-09-13T12:26:40Z Error  died\n  at main", "2020-09-13T12:26:41Z Info  up"]
    );
}

#[test]
fn a_byte_order_mark_is_none_of_the_first_line() {
    assert_eq!(one("\u{feff}[ERROR] [1600000001.0]: hot"), "2020-09-13T12:26:41Z Error  hot");
    assert_eq!(one("\u{feff}hot"), "1970-01-01T00:00:00Z Info  hot");
}

/// Cut anywhere, they are the lines that they would be in UTF-8.
#[test]
fn texts_in_utf_16_are_read_as_they_are() {
    let mut text = String::new();
    for number in 0..70_000 {
        text.push_str(&format!(
            "[ INFO] [16{number:08}.5]: Straße {number} 🚗{}\r\n",
            "ü🚦".repeat(number % 7)
        ));
        if number == 40_000 {
            text.push_str(&"🚗é".repeat(400_000));
            text.push('\n');
        }
    }
    let plain = Bytes::from(text.clone().into_bytes());
    let wanted = shown(&*index("x.log", &plain), &plain);
    for (mark, encode) in [
        ([0xff, 0xfe], u16::to_le_bytes as fn(u16) -> [u8; 2]),
        ([0xfe, 0xff], u16::to_be_bytes),
    ] {
        let units = text.encode_utf16().flat_map(encode);
        let mut file: Vec<u8> = mark.into_iter().chain(units).collect();
        // a last character that is cut off
        file.push(0);
        let file = Bytes::from(file);
        let container = index("x.log", &file);
        assert!(container.catalog().chunks.len() > 10);
        assert!(shown(&*container, &file) == wanted);
    }
}

#[test]
fn lines_without_a_time_go_on_with_the_message_before() {
    let text = "preface\n[ INFO] [1600000000.0]: one\n[ERROR] [1600000001.0]: Traceback:\n  File \"a.py\", line 3\nKeyError: 'x'\n\n[ WARN] [1600000000.5]: earlier\n";
    let file = Bytes::from_static(text.as_bytes());
    let container = index("node.log", &file);
    assert_eq!(&*container.catalog().connections[0].topic, "/node_log");
    assert_eq!(
        shown(&*container, &file),
        [
            "2020-09-13T12:26:40Z Info  preface",
            "2020-09-13T12:26:40Z Info  one",
            "2020-09-13T12:26:41Z Error  Traceback:\n  File \"a.py\", line 3\nKeyError: 'x'\n",
            "2020-09-13T12:26:40.5Z Warn  earlier",
        ]
    );
}

/// As launch writes it: its own lines have no time, and levels of their own.
#[test]
fn a_level_in_brackets_is_not_lost_without_a_time() {
    let text = "[talker-1] [INFO] [1600000000.5] [talker]: a\n[ERROR] [talker-1]: process has died [pid 12]\n  its last words\n\x1b[33m[WARN]\x1b[0m alone\n[talker-1] [INFO] [1600000002.0] [talker]: b\n";
    let file = Bytes::from_static(text.as_bytes());
    assert_eq!(
        shown(&*index("launch.log", &file), &file),
        [
            "2020-09-13T12:26:40.5Z Info talker a",
            "2020-09-13T12:26:40.5Z Error talker-1 process has died [pid 12]\n  its last words",
            "2020-09-13T12:26:40.5Z Warn  alone",
            "2020-09-13T12:26:42Z Info talker b",
        ]
    );
}

/// Their day is found as years are.
#[test]
fn times_of_day_count_where_no_line_has_a_date() {
    let text = "starting\n23:59:59.5 WARN gps: low\n  by far\n[00:00:01] [error] none\n23:59:58 INFO late\n10:58:00 PM next\n";
    let file = Bytes::from_static(text.as_bytes());
    let log = index("gps_20200913.log", &file);
    assert!(log.catalog().warnings[0].what.starts_with("no line has a date: "));
    let of_13 = [
        "2020-09-13T23:59:58Z Info  starting",
        "2020-09-13T23:59:59.5Z Warn gps low\n  by far",
        "2020-09-14T00:00:01Z Error  none",
        "2020-09-13T23:59:58Z Info  late",
        "2020-09-14T22:58:00Z Info  next",
    ];
    assert_eq!(shown(&*log, &file), of_13);
    // half an hour after midnight of the 14th of November
    let beside = log.placed(Time(1_605_313_800_000_000_000)).expect("moved");
    assert_eq!(shown(&*beside, &file), of_13.map(|line| line.replace("-09-", "-11-")));
    assert!(beside.placed(Time(1_605_313_800_000_000_000)).is_none(), "it stands there already");

    let mut indexer = recognise("a.log", &file, file.len() as u64)
        .expect("a log")
        .indexer(file.len() as u64);
    indexer.was_written(Time(1_600_000_000_000_000_000));
    let Ok(Step::Ready(alone)) = indexer.step(&Fetched::one(0, file.clone())) else {
        panic!("it was read at once")
    };
    assert_eq!(shown(&*alone, &file)[1], "2020-09-12T23:59:59.5Z Warn gps low\n  by far");

    // where there are dates, it is a text
    let file = Bytes::from_static(b"12:00:00 boot\n2020-09-13 12:26:40 up at\n12:00:00 one\n12:00:01 two\n");
    assert_eq!(
        shown(&*index("a.log", &file), &file),
        [
            "2020-09-13T12:26:40Z Info  12:00:00 boot",
            "2020-09-13T12:26:40Z Info  up at\n12:00:00 one\n12:00:01 two"
        ]
    );
}

/// Crashes leave them at the end or before what is written next, and a log emptied while it is written starts with them.
#[test]
fn zeros_among_lines_are_no_reason_to_refuse_a_log() {
    let zeros = "\0".repeat(5_000);
    let lines = "[INFO] [1600000000.5]: one\n[ERROR] [1600000001.5]: t\0wo\n";
    for (text, last) in [
        (
            format!("{lines}[WARN] [160{zeros}"),
            format!("2020-09-13T12:26:41.5Z Warn  [160{zeros}"),
        ),
        (
            format!("{lines}{zeros}[WARN] [1600000002.5]: up\n"),
            "2020-09-13T12:26:42.5Z Warn  up".to_owned(),
        ),
        (format!("{zeros}{lines}"), "2020-09-13T12:26:41.5Z Error  t\0wo".to_owned()),
    ] {
        for name in ["a.log", "log"] {
            let file = Bytes::from(text.clone());
            let shown = shown(&*index(name, &file), &file);
            assert_eq!(shown[0], "2020-09-13T12:26:40.5Z Info  one");
            assert_eq!(shown.last(), Some(&last));
        }
    }
}

#[test]
fn lines_stand_in_their_order_where_none_has_a_time() {
    let file = Bytes::from_static(b"starting\nloading map\n\nready\n");
    let container = index("driver.txt", &file);
    assert!(container.catalog().warnings[0].what.contains("no line has a time"));
    let placed = container
        .placed(Time(1_600_000_000_000_000_000))
        .expect("it has no times of its own");
    assert_eq!(
        shown(&*placed, &file),
        [
            "2020-09-13T12:26:40Z Info  starting",
            "2020-09-13T12:26:40.000001Z Info  loading map",
            "2020-09-13T12:26:40.000002Z Info  ",
            "2020-09-13T12:26:40.000003Z Info  ready",
        ]
    );
    assert!(placed.placed(Time(1_600_000_000_000_000_000)).is_none(), "it stands there already");
}

#[test]
fn long_logs_are_cut_into_chunks_of_whole_messages() {
    let mut text = String::new();
    for i in 0..60_000_u64 {
        let time = 1_600_000_000_000_000_000 + i * 1_000_000;
        text.push_str(&format!(
            "[ INFO] [{}.{:09}]: step {i}\n",
            time / 1_000_000_000,
            time % 1_000_000_000
        ));
        if i % 7 == 0 {
            text.push_str("  which took long\n");
        }
    }
    let file = Bytes::from(text);
    let container = index("node.log", &file);
    let chunks = &container.catalog().chunks;
    assert!(chunks.len() >= 4, "{}", chunks.len());
    assert_eq!(chunks[0].range.start, 0);
    assert_eq!(chunks[chunks.len() - 1].range.end, file.len() as u64);
    assert!(
        chunks
            .windows(2)
            .all(|w| w[0].range.end == w[1].range.start && w[0].span.end < w[1].span.start)
    );
    let shown = shown(&*container, &file);
    assert_eq!(shown.len(), 60_000);
    assert!(shown[7].ends_with("step 7\n  which took long"));
    assert!(shown[59_999].ends_with("12:27:39.999Z Info  step 59999"), "{}", shown[59_999]);
}

proptest! {
    /// Every byte is in one message; nothing panics.
    #[test]
    fn any_text_is_read_whole(lines in prop::collection::vec("(\\[ ?(INFO|WARN)\\] )?(\\[?(1600000000|2020-09-13 12:26:40)[.,]?[0-9]{0,10}\\]?:? ?)?[ -~é\t\x1b]{0,40}", 1..40)) {
        let file = Bytes::from(lines.join("\n"));
        prop_assume!(!file.is_empty());
        let container = index("any.log", &file);
        let ranges: Vec<_> = container.catalog().chunks.iter().map(|c| c.range.clone()).collect();
        prop_assert_eq!(ranges.first().map(|r| r.start), Some(0));
        prop_assert_eq!(ranges.last().map(|r| r.end), Some(file.len() as u64));
        prop_assert!(shown(&*container, &file).len() <= lines.len());
    }
}
