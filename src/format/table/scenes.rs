//! How columns are called that say when a scene begins and ends, and whether a table has those of scenes rather than of measurements.

pub const START: &str = "start_time";
pub const END: &str = "end_time";
pub const LENGTH: &str = "scene_length";

/// The likeliest first.
pub const STARTS: &[&str] = &[
    START,
    "start",
    "start_timestamp",
    "start_ts",
    "starttime",
    "start_at",
    "scene_start",
    "start_s",
    "start_sec",
    "start_secs",
    "start_ms",
    "start_us",
    "start_ns",
    "t_start",
    "time_start",
    "begin",
    "begin_time",
    "begin_ts",
    "begin_ns",
    "from",
    "from_time",
    "onset",
];

/// The likeliest first.
pub const ENDS: &[&str] = &[
    END,
    "end",
    "end_timestamp",
    "end_ts",
    "endtime",
    "end_at",
    "scene_end",
    "end_s",
    "end_sec",
    "end_secs",
    "end_ms",
    "end_us",
    "end_ns",
    "t_end",
    "time_end",
    "stop",
    "stop_time",
    "stop_ns",
    "to",
    "to_time",
    "until",
    "finish",
];

/// Where a table has no start, its rows are moments at these.
pub const TIMES: &[&str] = &[
    "time",
    "timestamp",
    "timestamp_ns",
    "time_ns",
    "stamp",
    "ts",
    "t",
    "datetime",
    "date_time",
    "event_time",
    "date",
];

/// Starts and ends that are nothing else in a table of measurements.
const PLAIN: [&str; 4] = ["start", "begin", "end", "stop"];

/// Whether a table with these columns is scenes rather than measurements: it has ids of scenes, or starts and ends and no time of its own.
pub fn are_of_scenes(names: &[&str]) -> bool {
    let plain: Vec<String> = names.iter().map(|name| plain(name)).collect();
    let is = |wanted: &str| plain.iter().any(|name| name == wanted);
    let has = |group: &[&str]| {
        let mut sure = group.iter().filter(|name| PLAIN.iter().any(|plain| name.contains(plain)));
        sure.any(|name| is(name))
    };
    let has_time = TIMES.iter().any(|time| is(time));
    is("scene_id") || (has(STARTS) && (has(ENDS) || is(LENGTH) || is("duration")) && !has_time)
}

/// `Start time`, `startTime` and `START_TIME` are `start_time`.
pub fn plain(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut was_lower = false;
    for c in name.trim().chars() {
        if c.is_uppercase() && was_lower {
            out.push('_');
        }
        was_lower = c.is_lowercase() || c.is_ascii_digit();
        match c.is_alphanumeric() {
            true => out.extend(c.to_lowercase()),
            false => out.push('_'),
        }
    }
    out.trim_matches('_').to_owned()
}
