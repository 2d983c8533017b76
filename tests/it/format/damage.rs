//! Bags that were cut off or changed, at every byte of a small one.

use bytes::Bytes;
use roadreel::format::rosbag1::writer::Compression;
use roadreel::format::{Checks, ConnectionSet};

use super::driver::{index_bytes, open, read, read_chunk};
use super::seeds::{sample, write};
use crate::ros1::told;

const COMPRESSIONS: [Compression; 3] = [Compression::None, Compression::Lz4, Compression::Bz2];

#[test]
fn cut_off_anywhere_the_rest_is_read() {
    let sample = sample();
    for compression in COMPRESSIONS {
        let whole = write(&sample, compression, 2000);
        let mut most = 0;
        // decompressing bzip2 that often takes too long
        let step = if compression == Compression::Bz2 { 23 } else { 1 };
        for len in (1..whole.len()).step_by(step) {
            let bytes = Bytes::copy_from_slice(&whole[..len]);
            let Ok(opened) = open(&bytes, len % 2 == 0) else {
                assert!(len < 13, "{compression:?}: does not open at {len}");
                continue;
            };
            let (messages, warnings) = read(&*opened.bag, &bytes, &ConnectionSet::All, Checks::Quick);
            assert!(!warnings.is_empty(), "{compression:?}: nothing said about the cut at {len}");
            assert_eq!(
                messages.len() as u64,
                opened.bag.catalog().messages(),
                "{compression:?} cut at {len}: {warnings:#?} {:#?}",
                opened.bag.catalog().chunks
            );
            assert!(
                messages.len() >= most,
                "{compression:?}: {} messages at {len}, {most} before",
                messages.len()
            );
            most = messages.len();
            for (ours, (id, time, payload)) in messages.iter().zip(&sample.messages) {
                let topic = &opened.bag.catalog().connections[ours.connection as usize].topic;
                assert!(ours.time == *time && ours.payload == payload && *topic == sample.connections[*id as usize].topic);
            }
        }
        assert_eq!(most, sample.messages.len(), "{compression:?}");
    }
}

#[test]
fn a_changed_byte_in_a_chunk_is_found_where_it_is() {
    let sample = sample();
    for compression in COMPRESSIONS {
        let whole = Bytes::from(write(&sample, compression, 2000));
        let bag = index_bytes(&whole).unwrap();
        for (id, chunk) in (0..).zip(&bag.catalog().chunks) {
            let read = |file: &Bytes| read_chunk(&*bag, file, id, &ConnectionSet::All, Checks::Full);
            let bytes = whole.slice(chunk.range.start as usize..chunk.range.end as usize);
            let expected = told(&*bag, &read(&whole).messages);
            // Payloads of an uncompressed chunk are slices of the file's bytes, and nothing in the file protects them.
            let payloads: Vec<_> = expected.iter().map(|m| m.payload.as_ptr_range()).collect();
            for at in 0..bytes.len() {
                let protected = !payloads.iter().any(|payload| payload.contains(&(&raw const bytes[at])));
                // each bzip2 stream costs megabytes of tables
                let changes = if compression == Compression::Bz2 {
                    &[0xff][..]
                } else {
                    &[0xff, 0x01, 0x80]
                };
                for change in changes.iter().filter(|_| protected) {
                    let mut changed = whole.to_vec();
                    changed[chunk.range.start as usize + at] ^= change;
                    let batch = read(&changed.into());
                    // Compressed data can be spelled differently and yet hold the same.
                    let same = compression != Compression::None && told(&*bag, &batch.messages) == expected;
                    let found = batch.warnings.iter().any(|w| chunk.range.contains(&w.offset));
                    assert!(
                        found || same,
                        "{compression:?}: byte {at} of chunk {id} ^ {change}: {:?}",
                        batch.warnings
                    );
                }
            }
        }
    }
}
