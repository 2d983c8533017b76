//! Arrow streams (IPC without a footer): messages one behind the other, each of which says how long it is.
//!
//! A stream is read whole: nothing but walking it tells where its batches are.

use std::ops::Range;
use std::sync::Arc;

use arrow::ipc::convert::fb_to_schema;
use arrow::ipc::{Block as IpcBlock, MessageHeader, root_as_message};
use bytes::Bytes;

use super::arrow_file::{File, Index};
use crate::format::{Fetched, Format, FormatError, Indexer, Part};

pub struct ArrowStream;

/// What each message begins with.
const MARKER: &[u8] = &[0xff; 4];
/// Marker and length.
const PREFIX_BYTES: usize = 8;
const LONGEST_BYTES: u64 = 1 << 30;

impl Format for ArrowStream {
    fn name(&self) -> &'static str {
        "arrow"
    }

    fn sniff(&self, _name: &str, head: &[u8]) -> bool {
        let Some((metadata, _)) = metadata(head, 0) else { return false };
        // of a schema that is longer than what is at hand
        let is_cut = metadata.is_none() && head.get(PREFIX_BYTES..).is_some_and(|rest| rest.len() > PREFIX_BYTES);
        let is_schema = metadata.and_then(|metadata| root_as_message(metadata).ok());
        is_cut || is_schema.is_some_and(|message| message.header_type() == MessageHeader::Schema)
    }

    fn indexer(&self, len: u64) -> Box<dyn Indexer> {
        Box::new(Index::new(len, true))
    }
}

/// The metadata of the message at an offset, where all of it is there, and its length; None where there is no message, or its end mark.
fn metadata(bytes: &[u8], at: usize) -> Option<(Option<&[u8]>, usize)> {
    let prefix = bytes.get(at..)?.get(..PREFIX_BYTES)?;
    let length = prefix.strip_prefix(MARKER)?.first_chunk()?;
    let length = usize::try_from(i32::from_le_bytes(*length)).ok().filter(|length| *length > 0)?;
    let start = at.checked_add(PREFIX_BYTES)?;
    Some((bytes.get(start..start.checked_add(length)?), length))
}

/// What lies in a stream; or the bytes that it needs.
pub(super) fn file(part: &Part, got: &Fetched, parts: usize) -> Result<Result<File, Vec<Range<u64>>>, FormatError> {
    let wrong = |what: &str| FormatError(format!("an Arrow stream {what}{}", part.suffix(parts)));
    if part.range.end.saturating_sub(part.range.start) > LONGEST_BYTES {
        return Err(wrong(
            "of more than 1 GiB, which would have to be read whole: write it as an Arrow file (Feather) or as Parquet",
        ));
    }
    let Some(bytes) = got.get(part.range.clone()) else {
        return Ok(Err(vec![part.range.clone()]));
    };
    let cut = || wrong("that is cut off or damaged: fetch it again");
    let mut file: Option<File> = None;
    let mut at = 0;
    while let Some((found, length)) = metadata(&bytes, at) {
        let message = root_as_message(found.ok_or_else(cut)?).map_err(|error| wrong(&format!("that cannot be read: {error}")))?;
        let size = i32::try_from(PREFIX_BYTES + length).map_err(|_| cut())?;
        let body = usize::try_from(message.bodyLength()).map_err(|_| cut())?;
        let end = at + PREFIX_BYTES + length;
        let end = end.checked_add(body).filter(|end| *end <= bytes.len()).ok_or_else(cut)?;
        let offset = i64::try_from(at).map_err(|_| cut())?;
        let block = IpcBlock::new(offset, size, message.bodyLength());
        match (message.header_type(), &mut file) {
            (MessageHeader::Schema, None) => {
                let schema = message.header_as_schema().ok_or_else(|| wrong("without a schema"))?;
                file = Some(File {
                    schema: Arc::new(fb_to_schema(schema)),
                    version: message.version(),
                    batches: Vec::new(),
                    dictionaries: Vec::new(),
                    before: Some(Vec::new()),
                    partitions: part.partitions.clone(),
                });
            }
            (MessageHeader::DictionaryBatch, Some(file)) => {
                let own = bytes.get(at..end).map(Bytes::copy_from_slice).unwrap_or_default();
                file.dictionaries.push((block, own));
            }
            (MessageHeader::RecordBatch, Some(file)) => {
                let known = file.dictionaries.len();
                file.before.get_or_insert_default().push(known);
                file.batches.push((part.range.start + at as u64, block));
            }
            _ => return Err(wrong("with messages of an unknown kind")),
        }
        at = end;
    }
    file.map(Ok).ok_or_else(|| wrong("without a schema"))
}
