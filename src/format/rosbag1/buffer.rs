//! Buffers for decompressed chunks, used again and again.
//!
//! A fresh buffer of some megabytes is paid for in page faults, about as dearly as half of its decompression. So the buffers of
//! chunks whose messages are all gone come back here. What is kept is bounded; contents are never read before they are written.

use std::sync::Mutex;

use bytes::Bytes;

const KEPT_BUFFERS: usize = 8;
/// Larger ones go back to the allocator, so that at most 64 MiB lie here.
const KEPT_BUFFER_BYTES: usize = 8 << 20;

static FREE: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// Bytes to write into: initialised, but with whatever was there before.
#[derive(Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
}

impl Buffer {
    pub fn with_len(len: usize) -> Buffer {
        let mut bytes = take_free(len).unwrap_or_default();
        if bytes.len() < len {
            // `vec!` asks for zeroed memory, which costs nothing until it is touched
            bytes = vec![0; len];
        }
        Buffer { bytes }
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Makes room for `len` bytes, keeping what is written.
    pub fn grow(&mut self, len: usize) {
        if self.bytes.len() < len {
            self.bytes.resize(len, 0);
        }
    }

    pub fn all(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// The first `len` bytes, as shared memory that comes back here once nobody uses it.
    pub fn share(self, len: usize) -> Bytes {
        let len = len.min(self.bytes.len());
        Bytes::from_owner(self).slice(..len)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        if bytes.is_empty() || bytes.capacity() > KEPT_BUFFER_BYTES {
            return;
        }
        if let Ok(mut free) = FREE.lock() {
            if free.len() >= KEPT_BUFFERS {
                free.remove(0);
            }
            free.push(bytes);
        }
    }
}

/// A kept buffer that holds `len` bytes, but not so many more that messages would keep a desert alive.
fn take_free(len: usize) -> Option<Vec<u8>> {
    let mut free = FREE.lock().ok()?;
    let fits = free.iter().position(|bytes| bytes.len() >= len && bytes.len() / 2 <= len)?;
    Some(free.swap_remove(fits))
}
