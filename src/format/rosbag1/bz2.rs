//! bzip2 streams of chunks. Their blocks carry checksums of their own, so decompressing is checking.

use bzip2::{Decompress, Status};

use super::buffer::Buffer;
use super::unpack::{Fault, MAX_CHUNK_BYTES};

/// Decompresses what there is. The buffer grows with what comes out, whatever `claimed` says.
pub(super) fn decode(body: &[u8], claimed: usize) -> (Buffer, usize, Vec<Fault>) {
    const FIRST_BYTES: usize = 4 << 20;
    let mut buffer = Buffer::with_len(claimed.clamp(4096, FIRST_BYTES));
    let mut stream = Decompress::new(false);
    let (mut read, mut written) = (0, 0);
    let mut faults = Vec::new();
    loop {
        if written == buffer.len() {
            if written >= MAX_CHUNK_BYTES {
                faults.push(Fault::new(
                    read,
                    format!("more than the {} MiB that a chunk may hold", MAX_CHUNK_BYTES >> 20),
                ));
                break;
            }
            buffer.grow(written.saturating_mul(2).min(MAX_CHUNK_BYTES));
        }
        let input = body.get(read..).unwrap_or_default();
        let (in_before, out_before) = (stream.total_in(), stream.total_out());
        let result = stream.decompress(input, buffer.all().get_mut(written..).unwrap_or_default());
        let took = usize::try_from(stream.total_in().saturating_sub(in_before)).unwrap_or(0);
        let made = usize::try_from(stream.total_out().saturating_sub(out_before)).unwrap_or(0);
        read = read.saturating_add(took).min(body.len());
        written = written.saturating_add(made).min(buffer.len());
        match result {
            Ok(Status::StreamEnd) => {
                if read < body.len() {
                    faults.push(Fault::new(read, format!("{} bytes behind the bzip2 stream", body.len() - read)));
                }
                break;
            }
            Ok(_) if took == 0 && made == 0 && written < buffer.len() => {
                faults.push(Fault::new(read, "the bzip2 stream is cut short"));
                break;
            }
            Ok(_) => {}
            Err(error) => {
                faults.push(Fault::new(read, format!("the bzip2 stream does not decompress: {error}")));
                break;
            }
        }
    }
    (buffer, written, faults)
}
