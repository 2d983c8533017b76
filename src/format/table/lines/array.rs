//! The elements of a JSON array, without their being read: what stands between commas that are in no text and no bracket.

use super::{Row, object};

/// Each element behind which a comma or the closing bracket stands, or the bytes end.
fn elements(bytes: &[u8]) -> impl Iterator<Item = Element<'_>> {
    let mut rest = Some(0);
    std::iter::from_fn(move || {
        let start = rest?;
        let element = next(bytes, start);
        rest = element.next;
        Some(element)
    })
}

struct Element<'a> {
    text: &'a [u8],
    /// Where the one behind it begins; None behind the last.
    next: Option<usize>,
}

fn next(bytes: &[u8], start: usize) -> Element<'_> {
    let (mut depth, mut is_text, mut is_escaped) = (0_usize, false, false);
    let from = bytes.get(start..).unwrap_or_default();
    for (at, byte) in from.iter().enumerate() {
        let text = || from.get(..at).unwrap_or_default();
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            _ if is_text => {}
            b'{' | b'[' => depth += 1,
            b']' if depth == 0 => return Element { text: text(), next: None },
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                return Element {
                    text: text(),
                    next: Some(start + at + 1),
                };
            }
            _ => {}
        }
    }
    Element { text: from, next: None }
}

/// The object of each element.
pub(super) fn rows(bytes: &[u8]) -> impl Iterator<Item = Row> {
    let elements = elements(bytes).filter(|element| !element.text.trim_ascii().is_empty());
    elements.enumerate().map(|(number, element)| (number, object(element.text)))
}

/// Where the element ends that goes beyond `most` bytes, its comma included; None where more has to be read for it.
pub(super) fn end(bytes: &[u8], most: usize) -> Option<usize> {
    elements(bytes).filter_map(|element| element.next).find(|end| *end > most)
}
