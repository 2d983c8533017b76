//! One sentence for each kind of file that is no bag.

use roadreel::format::recognise;

fn sentence(name: &str, head: &[u8]) -> String {
    match recognise(name, head, head.len() as u64) {
        Ok(format) => format!("read as {}", format.name()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn each_kind_of_file_gets_its_sentence() {
    let encrypted = [
        b"#ROSBAG V2.0\n".to_vec(),
        super::raw::record(3, &[("encryptor", b"rosbag/AesCbcEncryptor"), ("index_pos", &[0; 8])], &[b' '; 100]),
    ]
    .concat();
    let files: &[(&str, &[u8])] = &[
        ("a.bag", b""),
        ("a.bag", b"#ROSBAG V2.0\n"),
        ("old.bag", b"#ROSBAG V1.2\n"),
        ("new.bag", b"#ROSBAG V3.0\n"),
        ("secret.bag", &encrypted),
        ("notes.md", "Grüße\nall is well\n".as_bytes()),
        ("a.bag.gz", b"\x1f\x8b\x08\0\0"),
        ("a.bag.zst", b"\x28\xb5\x2f\xfd\0"),
        ("a.zip", b"PK\x03\x04\0"),
        ("a.bag.bz2", b"BZh91AY"),
        ("a.bag.xz", b"\xfd7zXZ\0\0"),
        ("a.mcap", b"\x89MCAP0\r\n\x01"),
        ("a.db3", b"SQLite format 3\0\x10"),
        ("a.parquet", b"PAR1\x15"),
        ("a.ulg", b"ULog\x01\x12\x35\x01"),
        ("a.pcap", b"\xd4\xc3\xb2\xa1\x02"),
        ("a.pcapng", b"\x0a\x0d\x0d\x0a\x1c"),
        ("zeros.bag", &[0; 100]),
        ("error.bag", b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>"),
        ("page.bag", b"<!DOCTYPE html><html>"),
        ("wide.csv", b"\xff\xfe[\0I\0"),
        ("wide.log", b"\xff\xfe[\0I\0"),
        ("noise", b"\x01\x02\xff\xfe\x99"),
        ("numbers.log", b"\x01\0\0\0\x02\0\0\0"),
        ("wide", b"I\0N\0F\0O\0:\0"),
    ];
    let text: String = files
        .iter()
        .map(|(name, head)| format!("{name}: {}\n", sentence(name, head)))
        .collect();
    insta::assert_snapshot!(text, @r#"
    a.bag: the file is empty (0 bytes): nothing was recorded, or its upload did not finish; record or fetch it again
    a.bag: read as rosbag1
    old.bag: a ROS bag of the old format 1.2, which only ROS itself reads: convert it with `rosbag fix old.bag fixed.bag`, and open the result
    new.bag: a ROS bag of version "3.0", of which only 2.0 is known: convert it with `rosbag fix new.bag fixed.bag`
    secret.bag: the bag is encrypted (rosbag/AesCbcEncryptor): decrypt it with `rosbag decrypt` where its key is, and open the result
    notes.md: a text file, not a recording: Roadreel opens ROS 1 bags (.bag), tables (.parquet, .csv, .jsonl, .arrow) and text logs (.log, .txt)
    a.bag.gz: gzip-compressed: unpack it with `gunzip -k a.bag.gz`, and open the result
    a.bag.zst: zstd-compressed: unpack it with `zstd -d a.bag.zst`, and open the result
    a.zip: a zip archive: unpack it with `unzip a.zip`, and open the recording in it
    a.bag.bz2: bzip2-compressed as a whole: unpack it with `bunzip2 -k a.bag.bz2`, and open the result
    a.bag.xz: xz-compressed: unpack it with `xz -dk a.bag.xz`, and open the result
    a.mcap: an MCAP file: recognised, not yet read; `mcap convert` turns a ROS 1 bag into one, so open that bag
    a.db3: an SQLite database, as rosbag2 (.db3) writes: recognised, not yet read; `rosbags-convert` makes a ROS 1 bag of a rosbag2 folder
    a.parquet: read as parquet
    a.ulg: a PX4 ULog: recognised, not yet read; `ulog2rosbag` of pyulog makes a ROS 1 bag of it
    a.pcap: a network capture (PCAP): recognised, not yet read
    a.pcapng: a network capture (PCAPNG): recognised, not yet read
    zeros.bag: nothing but zeros: the recording was not written to disk, or its copy did not finish; copy it again
    error.bag: an error message of a store (XML), not a recording: fetch the file again with a fresh URL
    page.bag: a web page (HTML), not a recording: use the address of the file itself
    wide.csv: a text in UTF-16: convert it with `iconv -f UTF-16 -t UTF-8 wide.csv > utf8.log`, and open the result
    wide.log: read as textlog
    noise: no recording that Roadreel knows: it opens ROS 1 bags, which start with `#ROSBAG V2.0`, tables (Parquet, CSV, JSON Lines, Arrow) and text logs (.log, .txt)
    numbers.log: no recording that Roadreel knows: it opens ROS 1 bags, which start with `#ROSBAG V2.0`, tables (Parquet, CSV, JSON Lines, Arrow) and text logs (.log, .txt)
    wide: no recording that Roadreel knows: it opens ROS 1 bags, which start with `#ROSBAG V2.0`, tables (Parquet, CSV, JSON Lines, Arrow) and text logs (.log, .txt)
    "#);
}

#[test]
fn a_broken_bag_gives_an_error_and_no_panic() {
    insta::assert_snapshot!(sentence("a.bag", b"#ROSBAG V2.0"), @"a ROS bag that was cut off after 12 bytes: there is nothing in it to be read; fetch or record it again");
}
