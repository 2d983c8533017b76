//! NaN and infinities, which Python writes into JSON though JSON has none: as texts, or null, so that it can be read.

use serde_json::Value;

/// Tells an infinity from a text that only says so: of private use, no text begins with it.
const MARK: char = '\u{e000}';

/// Puts other words in the place of those that JSON has not, piece by piece.
pub struct Words {
    /// NaN, Infinity, -Infinity.
    instead: [String; 3],
    is_text: bool,
    is_escaped: bool,
    /// Letters, perhaps with a sign, that may go on in the next piece.
    word: Vec<u8>,
    found: usize,
}

impl Words {
    /// Texts that readers of numbers take for them.
    pub fn quoted() -> Words {
        Words::new(["\"NaN\"".into(), "\"Infinity\"".into(), "\"-Infinity\"".into()])
    }

    /// Numbers of their kind, for whoever asks what values are.
    pub fn numbers() -> Words {
        Words::new(["0.5".into(), "0.5".into(), "0.5".into()])
    }

    /// Null, and texts that [`infinity`] knows.
    fn marked() -> Words {
        Words::new(["null".into(), format!("\"{MARK}Infinity\""), format!("\"{MARK}-Infinity\"")])
    }

    fn new(instead: [String; 3]) -> Words {
        Words {
            instead,
            is_text: false,
            is_escaped: false,
            word: Vec::new(),
            found: 0,
        }
    }

    pub fn take(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for byte in bytes {
            if self.is_text {
                let is_end = *byte == b'"' && !self.is_escaped;
                self.is_escaped = *byte == b'\\' && !self.is_escaped;
                self.is_text = !is_end;
                out.push(*byte);
            } else if byte.is_ascii_alphabetic() || *byte == b'-' {
                self.word.push(*byte);
            } else {
                self.end_word(out);
                self.is_text = *byte == b'"';
                out.push(*byte);
            }
        }
    }

    pub fn end_word(&mut self, out: &mut Vec<u8>) {
        let known = [&b"NaN"[..], b"Infinity", b"-Infinity"].into_iter().zip(&self.instead);
        match known.into_iter().find(|(word, _)| *word == self.word) {
            Some((_, instead)) => {
                self.found += 1;
                out.extend_from_slice(instead.as_bytes());
            }
            None => out.extend_from_slice(&self.word),
        }
        self.word.clear();
    }

    /// All of a text; None where nothing in it has to be replaced.
    pub fn replaced(mut self, text: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(text.len());
        self.take(text, &mut out);
        self.end_word(&mut out);
        (self.found > 0).then_some(out)
    }
}

/// What JSON with such words holds.
pub fn value(text: &[u8]) -> serde_json::Result<Value> {
    serde_json::from_slice(text).or_else(|error| match Words::marked().replaced(text) {
        Some(text) => serde_json::from_slice(&text),
        None => Err(error),
    })
}

pub(super) fn infinity(text: &str) -> Option<f64> {
    text.strip_prefix(MARK)?.parse().ok()
}

/// A text as people read it.
pub(super) fn spelled(text: &str) -> &str {
    text.strip_prefix(MARK).unwrap_or(text)
}
