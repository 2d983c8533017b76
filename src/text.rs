//! Numbers and sizes as people read them, and texts as they are shown.

use std::borrow::Cow;

/// `22,384`
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 message`, `22,384 messages`: things whose plural takes an s.
pub fn counted(number: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// `512 B`, `12.4 KiB`, `991 MiB`: three significant digits, powers of 1024.
pub fn format_bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = match value {
        ..9.995 => 2,
        9.995..99.95 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {}", UNITS.get(unit).unwrap_or(&""))
}

/// A text of any origin in one line: a line break is a `¶`, other control characters are blanks, what colours it on a terminal is left out.
pub fn in_one_line(text: &str) -> Cow<'_, str> {
    shown(text, " ¶ ")
}

/// As [`in_one_line`], but line breaks stay.
pub fn in_lines(text: &str) -> Cow<'_, str> {
    shown(text, "\n")
}

fn shown<'a>(text: &'a str, line_break: &str) -> Cow<'a, str> {
    let is_odd = |c: char| c.is_control() && !(c == '\n' && line_break == "\n");
    if !text.contains(is_odd) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '\u{1b}' => escape_length(rest),
            '\r' if rest.get(1..).is_some_and(|after| after.starts_with('\n')) => 1,
            '\n' => {
                out.push_str(line_break);
                1
            }
            c => {
                out.push(if c.is_control() { ' ' } else { c });
                c.len_utf8()
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    Cow::Owned(out)
}

/// Of what a text that begins with an escape tells a terminal: `ESC [ 1 ; 31 m`, `ESC ] … BEL`, `ESC c`.
fn escape_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    match bytes.get(1) {
        Some(b'[') => {
            let end = bytes.iter().skip(2).position(|b| (0x40..0x7f).contains(b));
            end.map_or(bytes.len(), |end| end + 3)
        }
        Some(b']') => {
            let end = bytes.iter().skip(2).position(|b| matches!(b, 7 | 0x1b));
            end.map_or(bytes.len(), |end| end + 3)
        }
        Some(0x20..0x7f) => 2,
        _ => 1,
    }
}
