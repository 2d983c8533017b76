//! How alike two names of topics or frames are, as a person would judge: by their words, what the words mean, and which side they
//! speak of.

/// Words that mean the same thing to those who name topics and frames.
const KINDS: &[&[&str]] = &[
    &[
        "lidar",
        "points",
        "point",
        "cloud",
        "pointcloud",
        "velodyne",
        "ouster",
        "hesai",
        "livox",
        "luminar",
        "robosense",
        "os",
        "pandar",
        "vlp",
        "laser",
    ],
    &["scan", "laserscan", "laser"],
    &[
        "camera", "cam", "image", "img", "rgb", "color", "colour", "picture", "flir", "webcam",
    ],
    &["thermal", "infrared", "ir", "boson"],
    &["depth", "disparity"],
    &["gps", "gnss", "fix", "navsat", "navsatfix", "novatel", "position"],
    &["imu", "inertial"],
    &["odom", "odometry"],
    &[
        "objects",
        "object",
        "tracks",
        "track",
        "detections",
        "detection",
        "obstacles",
        "boxes",
    ],
    &["markers", "marker", "metadata", "visualization"],
    &["map", "grid", "costmap", "occupancy"],
    &["path", "plan", "trajectory", "route"],
    &["diagnostics", "diagnostic"],
    &["rosout", "log", "logs"],
    &["vehicle", "car", "base", "body", "ego", "chassis"],
    &["brake", "braking"],
    &["steer", "steering"],
    &["speed", "velocity", "twist"],
    &["front", "forward", "fwd"],
    &["rear", "back", "behind"],
];

/// Names that speak of opposite sides are not each other's.
const OPPOSITES: &[(&[&str], &[&str])] = &[
    (&["left", "l"], &["right", "r"]),
    (&["front", "forward", "fwd"], &["rear", "back", "behind"]),
    (&["top", "upper"], &["bottom", "lower"]),
];

/// Words that tell nothing.
const FILLERS: &[&str] = &[
    "node", "raw", "msg", "msgs", "topic", "data", "the", "sensor", "driver", "link", "frame",
];

/// 0: nothing in common, 1: the same.
pub fn similarity(a: &str, b: &str) -> f64 {
    if a == b {
        return 1.0;
    }
    let (words_a, words_b) = (words(a), words(b));
    let covered = |of: &[String], by: &[String]| {
        let weight = |word: &String| if FILLERS.contains(&word.as_str()) { 0.2 } else { 1.0 };
        let best = |word: &String| by.iter().map(|other| alike(word, other)).fold(0.0, f64::max);
        let sum: f64 = of.iter().map(|word| weight(word) * best(word)).sum();
        sum / of.iter().map(weight).sum::<f64>().max(0.2)
    };
    let (of_a, of_b) = (covered(&words_a, &words_b), covered(&words_b, &words_a));
    let score = 0.5 * (of_a + of_b);
    (if opposed(&words_a, &words_b) { score * 0.3 } else { score }).min(0.99)
}

/// Whether two names speak of opposite sides.
pub fn are_opposed(a: &str, b: &str) -> bool {
    opposed(&words(a), &words(b))
}

fn opposed(a: &[String], b: &[String]) -> bool {
    let speaks = |words: &[String], of: &[&str]| words.iter().any(|word| of.contains(&word.as_str()));
    let are = |one: &[&str], other: &[&str]| speaks(a, one) && speaks(b, other);
    OPPOSITES.iter().any(|(one, other)| are(one, other) || are(other, one))
}

/// `/os1_cloud_node/points`, `rgbFrontLeft` → their words in lower case.
fn words(name: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        let starts = (c.is_uppercase() && before.is_lowercase()) || (c.is_alphabetic() && before.is_ascii_digit());
        let is_digit_after_word = c.is_ascii_digit() && before.is_alphabetic();
        if !c.is_alphanumeric() || starts || is_digit_after_word {
            out.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = out.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    out.retain(|word| !word.is_empty());
    out
}

fn alike(a: &str, b: &str) -> f64 {
    if a == b {
        return 1.0;
    }
    if KINDS.iter().any(|kind| kind.contains(&a) && kind.contains(&b)) {
        return 0.8;
    }
    let spelled = strsim::jaro_winkler(a, b);
    if spelled > 0.88 && a.len() > 2 && b.len() > 2 {
        spelled * 0.8
    } else {
        0.0
    }
}
