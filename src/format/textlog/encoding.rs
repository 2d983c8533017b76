//! UTF-16, by the mark at a file's start, as UTF-8; and how many bytes of the file a part of that text is.
//!
//! Invariant: what cannot be decoded becomes one U+FFFD a unit, so that the text tells where in the file it stands.

use bytes::Bytes;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Encoding {
    #[default]
    Utf8,
    Utf16Little,
    Utf16Big,
}

impl Encoding {
    /// Of a file that begins so.
    pub fn of(head: &[u8]) -> Encoding {
        match head {
            // UTF-32
            [0xff, 0xfe, 0, 0, ..] => Encoding::Utf8,
            [0xff, 0xfe, ..] => Encoding::Utf16Little,
            [0xfe, 0xff, ..] => Encoding::Utf16Big,
            _ => Encoding::Utf8,
        }
    }

    /// The bytes that say that it is this one.
    pub fn mark_len(self) -> usize {
        match self {
            Encoding::Utf8 => 0,
            Encoding::Utf16Little | Encoding::Utf16Big => 2,
        }
    }

    /// How many of these bytes are whole characters, where more follow.
    pub fn whole(self, bytes: &[u8]) -> usize {
        let units = bytes.len() - bytes.len() % 2;
        let last = bytes.get(units.saturating_sub(2)..units).and_then(|last| last.first_chunk());
        let is_half = last.is_some_and(|last| (0xd800..0xdc00).contains(&self.unit(*last)));
        match self {
            Encoding::Utf8 => bytes.len(),
            _ if is_half => units.saturating_sub(2),
            _ => units,
        }
    }

    pub fn decoded(self, bytes: &Bytes) -> Bytes {
        if self == Encoding::Utf8 {
            return bytes.clone();
        }
        let (units, _) = bytes.as_chunks::<2>();
        let characters = char::decode_utf16(units.iter().map(|unit| self.unit(*unit)));
        let text: String = characters.map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        text.into()
    }

    fn unit(self, bytes: [u8; 2]) -> u16 {
        match self {
            Encoding::Utf16Big => u16::from_be_bytes(bytes),
            _ => u16::from_le_bytes(bytes),
        }
    }

    /// How many bytes of the file whole characters of its text are.
    pub fn len_in_file(self, text: &[u8]) -> u64 {
        let units = |byte: &u8| match byte {
            0x80..=0xbf => 0,
            0xf0.. => 2,
            _ => 1,
        };
        match self {
            Encoding::Utf8 => text.len() as u64,
            _ => text.iter().map(units).sum::<u64>() * 2,
        }
    }
}
