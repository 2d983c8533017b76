//! The fields that a Parquet footer has, without what is in them (Apache Thrift, compact protocol).
//!
//! Invariant: nothing is allocated, and no structure is looked into deeper than footers go.

const DEEPEST: usize = 16;

/// Whether the structure that `bytes` begin with has a field of this number.
pub(super) fn has_field(bytes: &[u8], wanted: i16) -> bool {
    let mut reader = Compact { rest: bytes };
    let mut last = 0;
    while let Some((id, of)) = reader.field(last) {
        if id == wanted {
            return true;
        }
        if reader.skip(of, 0).is_none() {
            return false;
        }
        last = id;
    }
    false
}

struct Compact<'a> {
    rest: &'a [u8],
}

impl Compact<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn bytes(&mut self, count: u64) -> Option<()> {
        self.rest = self.rest.get(usize::try_from(count).ok()?..)?;
        Some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// Number and type of the next field; None at the end.
    fn field(&mut self, last: i16) -> Option<(i16, u8)> {
        let head = self.byte()?;
        let (delta, of) = (head >> 4, head & 0x0f);
        if of == 0 {
            return None;
        }
        let id = match delta {
            // zigzag
            0 => {
                let value = self.varint()?;
                i16::try_from((value >> 1).cast_signed() ^ -(value & 1).cast_signed()).ok()?
            }
            delta => last.checked_add(i16::from(delta))?,
        };
        Some((id, of))
    }

    fn skip(&mut self, of: u8, depth: usize) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        match of {
            // truth values stand in the field's type
            1 | 2 => Some(()),
            3 => self.bytes(1),
            4..=6 => self.varint().map(drop),
            7 => self.bytes(8),
            8 => {
                let length = self.varint()?;
                self.bytes(length)
            }
            9 | 10 => {
                let head = self.byte()?;
                let count = match head >> 4 {
                    15 => self.varint()?,
                    count => u64::from(count),
                };
                self.elements(count, &[head & 0x0f], depth)
            }
            11 => match self.varint()? {
                0 => Some(()),
                count => {
                    let types = self.byte()?;
                    self.elements(count, &[types >> 4, types & 0x0f], depth)
                }
            },
            12 => {
                let mut last = 0;
                while let Some((id, of)) = self.field(last) {
                    self.skip(of, depth + 1)?;
                    last = id;
                }
                Some(())
            }
            _ => None,
        }
    }

    fn elements(&mut self, count: u64, types: &[u8], depth: usize) -> Option<()> {
        for _ in 0..count {
            for of in types {
                match of {
                    1 | 2 => self.bytes(1)?,
                    of => self.skip(*of, depth + 1)?,
                }
            }
        }
        Some(())
    }
}
