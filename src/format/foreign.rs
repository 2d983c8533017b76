//! Names what a file is that cannot be read: what it is and what to do, in one sentence. Where it lies is for the caller to add.

/// Why a file is refused although its first bytes may look right.
pub(super) fn refusal(head: &[u8], len: u64) -> Option<String> {
    if len == 0 {
        return Some("the file is empty (0 bytes): nothing was recorded, or its upload did not finish; record or fetch it again".into());
    }
    let encryptor = super::rosbag1::encryptor(head)?;
    Some(format!(
        "the bag is encrypted ({encryptor}): decrypt it with `rosbag decrypt` where its key is, and open the result"
    ))
}

/// A kind of file, how it starts, and what to do about it. `{}` is the file's name.
struct Kind {
    at: usize,
    magic: &'static [u8],
    what: &'static str,
}

/// Of containers that hold recordings and are not read yet, and of wrappings around one.
const KINDS: &[Kind] = &[
    Kind {
        at: 0,
        magic: b"\x1f\x8b",
        what: "gzip-compressed: unpack it with `gunzip -k {}`, and open the result",
    },
    Kind {
        at: 0,
        magic: b"\x28\xb5\x2f\xfd",
        what: "zstd-compressed: unpack it with `zstd -d {}`, and open the result",
    },
    Kind {
        at: 0,
        magic: b"PK\x03\x04",
        what: "a zip archive: unpack it with `unzip {}`, and open the recording in it",
    },
    Kind {
        at: 0,
        magic: b"PK\x05\x06",
        what: "an empty zip archive: there is no recording in it",
    },
    Kind {
        at: 0,
        magic: b"BZh",
        what: "bzip2-compressed as a whole: unpack it with `bunzip2 -k {}`, and open the result",
    },
    Kind {
        at: 0,
        magic: b"\xfd7zXZ\0",
        what: "xz-compressed: unpack it with `xz -dk {}`, and open the result",
    },
    Kind {
        at: 0,
        magic: b"\x04\x22\x4d\x18",
        what: "lz4-compressed as a whole: unpack it with `lz4 -dk {}`, and open the result",
    },
    Kind {
        at: 0,
        magic: b"\xff\xfe",
        what: "a text in UTF-16: convert it with `iconv -f UTF-16 -t UTF-8 {} > utf8.log`, and open the result",
    },
    Kind {
        at: 0,
        magic: b"\xfe\xff",
        what: "a text in UTF-16: convert it with `iconv -f UTF-16 -t UTF-8 {} > utf8.log`, and open the result",
    },
    Kind {
        at: 0,
        magic: b"7z\xbc\xaf\x27\x1c",
        what: "a 7z archive: unpack it with `7z x {}`, and open the recording in it",
    },
    Kind {
        at: 257,
        magic: b"ustar",
        what: "a tar archive: unpack it with `tar xf {}`, and open the recording in it",
    },
    Kind {
        at: 0,
        magic: b"\x89MCAP0\r\n",
        what: "an MCAP file: recognised, not yet read; `mcap convert` turns a ROS 1 bag into one, so open that bag",
    },
    Kind {
        at: 0,
        magic: b"SQLite format 3\0",
        what: "an SQLite database, as rosbag2 (.db3) writes: recognised, not yet read; `rosbags-convert` makes a ROS 1 bag of a rosbag2 folder",
    },
    Kind {
        at: 0,
        magic: b"PARE",
        what: "an encrypted Parquet file: decrypt it where its keys are, and open the result",
    },
    Kind {
        at: 0,
        magic: b"ULog\x01\x12\x35",
        what: "a PX4 ULog: recognised, not yet read; `ulog2rosbag` of pyulog makes a ROS 1 bag of it",
    },
    Kind {
        at: 0,
        magic: b"\xd4\xc3\xb2\xa1",
        what: "a network capture (PCAP): recognised, not yet read",
    },
    Kind {
        at: 0,
        magic: b"\xa1\xb2\xc3\xd4",
        what: "a network capture (PCAP): recognised, not yet read",
    },
    Kind {
        at: 0,
        magic: b"\x4d\x3c\xb2\xa1",
        what: "a network capture (PCAP): recognised, not yet read",
    },
    Kind {
        at: 0,
        magic: b"\xa1\xb2\x3c\x4d",
        what: "a network capture (PCAP): recognised, not yet read",
    },
    Kind {
        at: 0,
        magic: b"\x0a\x0d\x0d\x0a",
        what: "a network capture (PCAPNG): recognised, not yet read",
    },
    Kind {
        at: 0,
        magic: b"LZIP",
        what: "lzip-compressed: unpack it with `lzip -dk {}`, and open the result",
    },
];

/// What a file seems to be that no format knows.
pub(super) fn guess(name: &str, head: &[u8]) -> String {
    if super::rosbag1::MAGIC.starts_with(head) {
        return format!(
            "a ROS bag that was cut off after {} bytes: there is nothing in it to be read; fetch or record it again",
            head.len()
        );
    }
    if let Some(rest) = head.strip_prefix(b"#ROSBAG V") {
        let version: String = String::from_utf8_lossy(rest.split(|b| *b == b'\n').next().unwrap_or_default())
            .chars()
            .take(16)
            .collect();
        return match &*version {
            "1.0" | "1.1" | "1.2" => {
                format!(
                    "a ROS bag of the old format {version}, which only ROS itself reads: convert it with `rosbag fix {name} fixed.bag`, and open the result"
                )
            }
            _ => format!("a ROS bag of version {version:?}, of which only 2.0 is known: convert it with `rosbag fix {name} fixed.bag`"),
        };
    }
    let kind = KINDS
        .iter()
        .find(|kind| head.get(kind.at..).is_some_and(|head| head.starts_with(kind.magic)));
    if let Some(kind) = kind {
        return kind.what.replace("{}", name);
    }
    if head.iter().all(|b| *b == 0) {
        return "nothing but zeros: the recording was not written to disk, or its copy did not finish; copy it again".into();
    }
    let xml_error = head.starts_with(b"<?xml") && head.windows(7).any(|w| w == b"<Error>");
    if xml_error {
        return "an error message of a store (XML), not a recording: fetch the file again with a fresh URL".into();
    }
    let lower = head.get(..head.len().min(256)).unwrap_or_default().to_ascii_lowercase();
    if lower.starts_with(b"<!doctype html") || lower.starts_with(b"<html") {
        return "a web page (HTML), not a recording: use the address of the file itself".into();
    }
    if is_text(head) {
        return "a text file, not a recording: Roadreel opens ROS 1 bags (.bag), tables (.parquet, .csv, .jsonl, .arrow) and text logs (.log, .txt)".into();
    }
    "no recording that Roadreel knows: it opens ROS 1 bags, which start with `#ROSBAG V2.0`, tables (Parquet, CSV, JSON Lines, Arrow) and text logs (.log, .txt)"
        .into()
}

/// Valid UTF-8 (a character cut off at the end is fine) without control characters but white space.
fn is_text(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => head
            .get(..error.valid_up_to())
            .and_then(|b| std::str::from_utf8(b).ok())
            .unwrap_or(""),
        Err(_) => return false,
    };
    !text.is_empty() && text.chars().all(|c| !c.is_control() || c.is_whitespace())
}
