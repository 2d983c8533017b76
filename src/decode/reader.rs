//! A position in a message: every read is checked, every refusal names its offset.

use super::DecodeError;

/// An array of elements without bytes may have this many: nothing in the message vouches for more.
const MAX_EMPTY_ELEMENTS: usize = 64;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, at: 0 }
    }

    pub fn starting_at(bytes: &'a [u8], at: usize) -> Reader<'a> {
        Reader {
            bytes,
            at: at.min(bytes.len()),
        }
    }

    pub fn offset(&self) -> usize {
        self.at
    }

    pub fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    #[inline]
    pub fn take(&mut self, size: usize) -> Result<&'a [u8], DecodeError> {
        match self.bytes.get(self.at..).and_then(|rest| rest.get(..size)) {
            Some(part) => {
                self.at += size;
                Ok(part)
            }
            None => Err(self.too_short(size)),
        }
    }

    #[inline]
    pub fn skip(&mut self, size: usize) -> Result<(), DecodeError> {
        self.take(size).map(|_| ())
    }

    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        match self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<N>()) {
            Some(part) => {
                self.at += N;
                Ok(*part)
            }
            None => Err(self.too_short(N)),
        }
    }

    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub fn i32(&mut self) -> Result<i32, DecodeError> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    pub fn f32(&mut self) -> Result<f32, DecodeError> {
        Ok(f32::from_le_bytes(self.array()?))
    }

    pub fn f64(&mut self) -> Result<f64, DecodeError> {
        Ok(f64::from_le_bytes(self.array()?))
    }

    /// The count of an array whose elements have at least `min_size` bytes each: checked against what is left.
    pub fn count(&mut self, min_size: usize) -> Result<usize, DecodeError> {
        let at = self.at;
        let count = self.u32()? as usize;
        let fits = match min_size {
            0 => count <= MAX_EMPTY_ELEMENTS,
            size => count <= self.left() / size,
        };
        if fits { Ok(count) } else { Err(self.lying_count(at, count)) }
    }

    /// The bytes of a counted run of elements of `size` bytes each.
    #[inline]
    pub fn counted(&mut self, size: usize) -> Result<&'a [u8], DecodeError> {
        let count = self.count(size)?;
        self.take(count.saturating_mul(size))
    }

    #[cold]
    fn too_short(&self, size: usize) -> DecodeError {
        DecodeError::Broken {
            offset: self.at,
            what: format!("the message is too short: {size} more bytes expected, {} left", self.left()),
        }
    }

    #[cold]
    fn lying_count(&self, at: usize, count: usize) -> DecodeError {
        DecodeError::Broken {
            offset: at,
            what: format!("the message is too short: {count} elements announced, {} bytes left", self.left()),
        }
    }

    /// Nothing may stand behind the message.
    pub fn finish(&self) -> Result<(), DecodeError> {
        match self.left() {
            0 => Ok(()),
            left => Err(DecodeError::Broken {
                offset: self.at,
                what: format!("{left} bytes stand behind the message's end"),
            }),
        }
    }
}
