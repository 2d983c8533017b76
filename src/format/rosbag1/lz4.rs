//! LZ4 frames as ROS writes them (independent blocks, no content size) and as the `lz4` library does (linked blocks).
//!
//! The walk over the frame is separate from decompression, so that blocks can be left out. Memory follows the compressed bytes that
//! are there, never a size that a header claims. Layout: <https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md>.

use std::hash::Hasher as _;
use std::ops::Range;

use lz4_flex::block::{decompress_into, decompress_into_with_dict};
use twox_hash::XxHash32;

use super::buffer::Buffer;
use super::record::u32_at;
use super::unpack::{Fault, MAX_CHUNK_BYTES};

const MAGIC: u32 = 0x184D_2204;
const STORED: u32 = 1 << 31;
/// No LZ4 sequence makes more out of a byte.
const MAX_RATIO: usize = 255;
/// A token, literals and the distance of a match, where no length stands in further bytes.
const LONGEST_SHORT: usize = 1 + 14 + 2;
/// The shortest match.
const MIN_MATCH: usize = 4;
/// Matches reach so far back.
const DICTIONARY_BYTES: usize = 64 * 1024;

/// Where the blocks of a frame lie.
pub(super) struct Frame {
    pub blocks: Vec<Block>,
    /// All blocks but the last usually hold exactly so many bytes.
    pub block_bytes: usize,
    pub linked: bool,
    content_size: Option<u64>,
    content_checksum: Option<u32>,
    /// Whether the end mark was there.
    complete: bool,
    pub faults: Vec<Fault>,
}

pub(super) struct Block {
    /// Of the frame.
    pub bytes: Range<usize>,
    stored: bool,
    checksum: Option<u32>,
    /// Cut short by the end of the bytes.
    cut: bool,
}

/// What the header of a frame says of its blocks.
pub(super) struct Beginning {
    pub header_bytes: usize,
    pub block_bytes: usize,
    pub is_linked: bool,
    /// Behind each block.
    pub checksum_bytes: usize,
}

impl Block {
    /// What the word before a block says of it; None: the frame ends there.
    pub fn of(word: u32) -> Option<Block> {
        (word != 0).then_some(Block {
            bytes: 0..(word & !STORED) as usize,
            stored: word & STORED != 0,
            checksum: None,
            cut: false,
        })
    }

    /// The most that this block can decompress to.
    pub fn most(&self, block_bytes: usize) -> usize {
        match self.stored {
            true => self.bytes.len(),
            false => self.bytes.len().saturating_mul(MAX_RATIO).min(block_bytes),
        }
    }
}

impl Frame {
    pub const MAX_HEADER_BYTES: usize = 19;

    /// The header alone; None where anything is wrong with it.
    pub fn begin(bytes: &[u8]) -> Option<Beginning> {
        let mut frame = Frame::empty();
        let (header_bytes, flags) = frame.read_descriptor(bytes).ok()?;
        frame.faults.is_empty().then_some(Beginning {
            header_bytes,
            block_bytes: frame.block_bytes,
            is_linked: frame.linked,
            checksum_bytes: checksum_bytes(flags),
        })
    }

    /// Walks the frame in `body`.
    pub fn read(body: &[u8]) -> Frame {
        let mut frame = Frame::empty();
        match frame.read_descriptor(body) {
            Ok((at, flags)) => frame.read_blocks(body, at, flags),
            Err(fault) => frame.faults.push(fault),
        }
        frame
    }

    fn empty() -> Frame {
        Frame {
            blocks: Vec::new(),
            block_bytes: 0,
            linked: false,
            content_size: None,
            content_checksum: None,
            complete: false,
            faults: Vec::new(),
        }
    }

    fn read_descriptor(&mut self, body: &[u8]) -> Result<(usize, u8), Fault> {
        if u32_at(body, 0) != Some(MAGIC) {
            return Err(Fault::new(0, "not an LZ4 frame"));
        }
        let (Some(flags), Some(sizes)) = (body.get(4).copied(), body.get(5).copied()) else {
            return Err(Fault::new(4, "the LZ4 frame header is cut short"));
        };
        self.linked = flags & 0b0010_0000 == 0;
        self.block_bytes = match (sizes >> 4) & 0b111 {
            4 => 64 << 10,
            5 => 256 << 10,
            6 => 1 << 20,
            7 => 4 << 20,
            other => return Err(Fault::new(5, format!("LZ4 block size {other}, which does not exist"))),
        };
        if flags >> 6 != 1 {
            return Err(Fault::new(4, format!("LZ4 frame version {}, of which only 1 exists", flags >> 6)));
        }
        let mut end = 6;
        if flags & 0b1000 != 0 {
            self.content_size = body.get(6..14).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes);
            end += 8;
        }
        if flags & 1 != 0 {
            return Err(Fault::new(4, "an LZ4 frame with a dictionary"));
        }
        let (Some(descriptor), Some(checksum)) = (body.get(4..end), body.get(end).copied()) else {
            return Err(Fault::new(4, "the LZ4 frame header is cut short"));
        };
        // A wrong header checksum alone loses nothing: the blocks prove themselves.
        if XxHash32::oneshot(0, descriptor).to_le_bytes()[1] != checksum {
            self.faults.push(Fault::new(4, "the LZ4 frame header does not match its checksum"));
        }
        Ok((end + 1, flags))
    }

    fn read_blocks(&mut self, body: &[u8], mut at: usize, flags: u8) {
        let checksum_bytes = checksum_bytes(flags);
        loop {
            let Some(word) = u32_at(body, at) else {
                self.faults.push(Fault::new(at, "the LZ4 frame is cut short"));
                return;
            };
            if word == 0 {
                at = at.saturating_add(4);
                break;
            }
            let len = (word & !STORED) as usize;
            if len > self.block_bytes {
                self.faults.push(Fault::new(
                    at,
                    format!("an LZ4 block of {len} bytes, more than the frame's {}", self.block_bytes),
                ));
                return;
            }
            let start = at.saturating_add(4);
            let end = start.saturating_add(len);
            let cut = end > body.len();
            let checksum = if checksum_bytes == 0 { None } else { u32_at(body, end) };
            self.blocks.push(Block {
                bytes: start..end.min(body.len()),
                stored: word & STORED != 0,
                checksum,
                cut,
            });
            if cut {
                self.faults.push(Fault::new(
                    at,
                    format!("an LZ4 block of {len} bytes where {} are left", body.len().saturating_sub(start)),
                ));
                return;
            }
            at = end.saturating_add(checksum_bytes);
        }
        self.complete = true;
        if flags & 0b100 != 0 {
            self.content_checksum = u32_at(body, at);
            if self.content_checksum.is_none() {
                self.faults.push(Fault::new(at, "the LZ4 frame ends before its checksum"));
            }
            at = at.saturating_add(4);
        }
        if at < body.len() {
            self.faults
                .push(Fault::new(at, format!("{} bytes behind the LZ4 frame", body.len() - at)));
        }
    }

    /// The most that the blocks can decompress to.
    fn most(&self) -> usize {
        self.blocks.iter().fold(0, |sum, b| sum.saturating_add(b.most(self.block_bytes)))
    }
}

fn checksum_bytes(flags: u8) -> usize {
    if flags & 0b1_0000 != 0 { 4 } else { 0 }
}

/// What came out of a frame.
pub(super) struct Decoded {
    pub buffer: Buffer,
    pub len: usize,
    /// Bytes of the buffer that could not be had.
    pub holes: Vec<Range<usize>>,
}

/// Decompresses all blocks one behind the other. `claimed` is only a hint for the first allocation.
pub(super) fn decode_all(frame: &mut Frame, body: &[u8], claimed: usize, verify: bool) -> Decoded {
    const FIRST_BYTES: usize = 64 << 20;
    let most = frame.most().min(MAX_CHUNK_BYTES);
    // Hashed block by block, while a block is still in the processor's cache.
    let mut hasher = (verify && frame.content_checksum.is_some()).then(|| XxHash32::with_seed(0));
    let mut out = Decoded {
        buffer: Buffer::with_len(claimed.min(most).min(FIRST_BYTES)),
        len: 0,
        holes: Vec::new(),
    };
    for i in 0..frame.blocks.len() {
        let Some(block) = frame.blocks.get(i) else { break };
        if verify && !checksum_fits(block, body) {
            frame
                .faults
                .push(Fault::new(block.bytes.start, format!("LZ4 block {i} does not match its checksum")));
        }
        let room = out.len.saturating_add(block.most(frame.block_bytes));
        if room > MAX_CHUNK_BYTES {
            frame.faults.push(Fault::new(
                block.bytes.start,
                format!("more than the {} MiB that a chunk may hold", MAX_CHUNK_BYTES >> 20),
            ));
            break;
        }
        match decode_block(frame, block, body, &mut out) {
            Ok(len) => {
                let end = out.len + len;
                if let (Some(hasher), Some(content)) = (&mut hasher, out.buffer.as_ref().get(out.len..end)) {
                    hasher.write(content);
                }
                out.len = end;
            }
            Err(what) => {
                let cut = block.cut;
                let at = block.bytes.start;
                if !cut {
                    frame
                        .faults
                        .push(Fault::new(at, format!("LZ4 block {i} does not decompress: {what}")));
                }
                if frame.linked || cut {
                    break;
                }
                // The others are independent of this one, and but for the last all are of one size.
                let last = i + 1 == frame.blocks.len();
                let missing = if last {
                    claimed.saturating_sub(out.len).min(frame.block_bytes)
                } else {
                    frame.block_bytes
                };
                out.buffer.grow(out.len.saturating_add(missing));
                out.buffer
                    .all()
                    .get_mut(out.len..out.len.saturating_add(missing))
                    .unwrap_or_default()
                    .fill(0);
                out.holes.push(out.len..out.len.saturating_add(missing));
                out.len = out.len.saturating_add(missing);
            }
        }
    }
    if verify && out.holes.is_empty() && frame.complete {
        verify_content(frame, body.len(), out.len, hasher.map(|hasher| hasher.finish_32()));
    }
    out
}

fn verify_content(frame: &mut Frame, body_len: usize, len: usize, hash: Option<u32>) {
    if let Some(size) = frame.content_size.filter(|size| *size != len as u64) {
        frame
            .faults
            .push(Fault::new(6, format!("the LZ4 frame holds {len} bytes and claims {size}")));
    }
    if hash.is_some() && hash != frame.content_checksum {
        frame.faults.push(Fault::new(
            0,
            format!("the content of the LZ4 frame does not match its checksum: its {body_len} bytes hold damage"),
        ));
    }
}

fn checksum_fits(block: &Block, body: &[u8]) -> bool {
    match (block.checksum, body.get(block.bytes.clone())) {
        (Some(expected), Some(bytes)) => XxHash32::oneshot(0, bytes) == expected,
        _ => true,
    }
}

/// Appends one block. A block that is cut short gives what comes before the cut.
fn decode_block(frame: &Frame, block: &Block, body: &[u8], out: &mut Decoded) -> Result<usize, String> {
    let input = body.get(block.bytes.clone()).unwrap_or_default();
    let most = block.most(frame.block_bytes);
    if block.stored || block.cut {
        out.buffer.grow(out.len.saturating_add(most));
        let (before, into) = out.buffer.all().split_at_mut(out.len);
        if block.stored {
            into.get_mut(..input.len()).ok_or("no room")?.copy_from_slice(input);
            return Ok(input.len());
        }
        let dictionary = if frame.linked { before.len().min(DICTIONARY_BYTES) } else { 0 };
        return Ok(decode_prefix(input, out.buffer.all(), out.len - dictionary, out.len));
    }
    loop {
        let end = out.buffer.len().min(out.len.saturating_add(most));
        let full = end == out.len.saturating_add(most);
        let (before, into) = out.buffer.all().get_mut(..end).ok_or("no room")?.split_at_mut(out.len);
        let result = match frame.linked {
            true => decompress_into_with_dict(
                input,
                into,
                before.get(before.len().saturating_sub(DICTIONARY_BYTES)..).unwrap_or_default(),
            ),
            false => decompress_into(input, into),
        };
        match result {
            Ok(len) => return Ok(len),
            // What was claimed is too little for what is there.
            Err(lz4_flex::block::DecompressError::OutputTooSmall { .. }) if !full => {
                let doubled = out.buffer.len().saturating_mul(2);
                out.buffer.grow(
                    out.len
                        .saturating_add(most)
                        .min(doubled.max(out.len.saturating_add(frame.block_bytes))),
                );
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// Decompresses one block of a frame of independent blocks into `into`, which is as long as what it holds: the first `until` bytes of it
/// at least. None where it holds something else.
pub(super) fn decode_until(block: &Block, body: &[u8], until: usize, into: &mut [u8]) -> Option<()> {
    let input = body.get(block.bytes.clone())?;
    if block.cut {
        return None;
    }
    if block.stored {
        return (input.len() == into.len()).then(|| into.copy_from_slice(input));
    }
    let (input_end, end) = end_of_literals(input, until)?;
    if input_end == input.len() && end != into.len() {
        return None;
    }
    (decompress_into(input.get(..input_end)?, into.get_mut(..end)?).ok()? == end).then_some(())
}

/// Where a block can be cut so that it is a block again, one that holds `until` bytes or few more: behind literals, as every block ends.
/// In its bytes, and in what they decompress to.
fn end_of_literals(input: &[u8], until: usize) -> Option<(usize, usize)> {
    // sums of bytes of a block of 4 MiB at most
    let (mut at, mut end) = (0, 0);
    loop {
        let token = *input.get(at)?;
        let (literals, more) = (usize::from(token >> 4), usize::from(token & 15));
        // most sequences: no length goes on in further bytes
        if literals < 15 && more < 15 && end + literals < until && at + LONGEST_SHORT < input.len() {
            at += 3 + literals;
            end += literals + more + MIN_MATCH;
            continue;
        }
        at += 1;
        let literals = length(input, &mut at, literals)?;
        at += literals;
        end += literals;
        if end >= until || at >= input.len() {
            return (at <= input.len()).then_some((at, end));
        }
        at += 2;
        end += length(input, &mut at, more)? + MIN_MATCH;
    }
}

/// Decompresses as much of a damaged block as makes sense, to `out[start..]`; matches may reach back to `out[oldest..]`.
fn decode_prefix(input: &[u8], out: &mut [u8], oldest: usize, start: usize) -> usize {
    let mut at = 0;
    let mut end = start;
    while let Some(written) = decode_sequence(input, &mut at, out, oldest, end) {
        end = written;
    }
    end - start
}

/// One run of literals and one match; None where the input or the room ends, or the match makes no sense.
fn decode_sequence(input: &[u8], at: &mut usize, out: &mut [u8], oldest: usize, end: usize) -> Option<usize> {
    let token = *input.get(*at)?;
    *at += 1;
    let literals = length(input, at, usize::from(token >> 4))?;
    // Literals that are cut short are as good as whole ones.
    let available = literals.min(input.len().saturating_sub(*at));
    let from = input.get(*at..*at + available)?;
    out.get_mut(end..end.checked_add(available)?)?.copy_from_slice(from);
    *at += available;
    let mut end = end + available;
    let distance = input.get(*at..*at + 2).and_then(|b| b.try_into().ok()).map(u16::from_le_bytes);
    let Some(distance) = distance.map(usize::from) else {
        return (available > 0).then_some(end);
    };
    *at += 2;
    let Some(len) = length(input, at, usize::from(token & 15)).map(|len| len.saturating_add(MIN_MATCH)) else {
        return Some(end);
    };
    let start = end.checked_sub(distance).filter(|start| distance > 0 && *start >= oldest);
    if let Some(start) = start
        && end.saturating_add(len) <= out.len()
    {
        for i in 0..len {
            let byte = *out.get(start + i)?;
            *out.get_mut(end + i)? = byte;
        }
        end += len;
    } else {
        *at = input.len();
    }
    Some(end)
}

fn length(input: &[u8], at: &mut usize, nibble: usize) -> Option<usize> {
    let mut len = nibble;
    if nibble == 15 {
        loop {
            let more = *input.get(*at)?;
            *at += 1;
            len = len.saturating_add(usize::from(more));
            if more != 255 {
                break;
            }
        }
    }
    Some(len)
}
