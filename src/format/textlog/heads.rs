//! Heads of lines as syslog, glog, log4j, web servers and their like write them.
//!
//! Invariant: a head fits as a whole or not at all.

use super::line::{DEBUG, ERROR, FATAL, INFO, Lacks, Line, WARN, level_of, named};
use super::times::{Civil, MONTHS, date_time, number};
use crate::time::Time;

/// A blank stands for one or more, `%_` for some or none. `%|`: the text starts here, and not where the head ends.
///
/// Times: `%t` a date and a time of day; `%a %b %d %m %y %Y %T %z` as strftime has them. Levels: `%l` a word, `%U` one in capitals, `%L` a
/// letter, `%p` what syslog calls a priority (it may be missing), `%s` structured data that may name one, `%h` a status of HTTP. `%n` a
/// node, `%N` one that may be of several names with `::` between, `%f` a file, `%i` its line, `%u` a thread. Passed over: `%#` a number,
/// `%*` a word, `%q` a text in quotation marks.
const HEADS: [&str; 26] = [
    // syslog (RFC 3164), journalctl, haproxy
    "%p%b %d %T %|%* %n[%#]:",
    "%p%b %d %T %|%* %n:",
    "%p%b %d %T ",
    // journalctl --output=short-iso
    "%t %|%* %n[%#]:",
    // syslog (RFC 5424)
    "%p1 %t %|%* %n %* %* %s ",
    "%t %|%* %n %# %* %s ",
    // glog
    "%L%m%d %T %u %f:%i] ",
    "%L%Y%m%d %T %u %f:%i] ",
    // log4j, Spark
    "%y/%m/%d %T %l %n: ",
    // logcat
    "%m-%d %T %|%# %# %L %n%_:",
    "%m-%d %T %|%L/%N(%_%#):",
    // what Apache, nginx and others were asked
    "%|%* %* %* [%d/%b/%Y:%T %z] %q %h ",
    // what went wrong in Apache and nginx
    "[%a %b %d %T %Y] [%n:%l] ",
    "[%a %b %d %T %Y] [%l] ",
    "%t [%l] %|%##%#:",
    // env_logger
    "[%t %l %N] ",
    "[%t %l] ",
    // Unreal Engine
    "[%t][%_%#]%n: %l: ",
    "[%t][%_%#]%n: ",
    // Laravel
    "[%t] %n.%l: ",
    // PostgreSQL
    "%t %|[%#] %l:",
    // Python and Java
    "%t - %n - %l - ",
    "%t %n %U ",
    "%t:%l:%n:",
    "%t:%l:",
    // dmesg --ctime
    "[%a %b %d %T %Y] ",
];

pub fn parse(line: &[u8]) -> Option<Line<'_>> {
    let first = *line.first()?;
    let is_dated = date_time(line).is_some();
    // most heads are out of the question at the first letter
    let may_fit = |head: &&[u8]| match head {
        [b'%', b't', ..] => is_dated,
        [b'%', b'y' | b'm', ..] => first.is_ascii_digit(),
        [b'%', b'L', ..] => first.is_ascii_uppercase(),
        [b'%', b'p', ..] => first.is_ascii_uppercase() || first == b'<',
        [b'%', ..] => first.is_ascii_alphanumeric() || first == b':',
        [literal, ..] => first == *literal,
        [] => false,
    };
    let heads = HEADS.iter().map(|head| head.as_bytes());
    heads.filter(may_fit).find_map(|head| Match::of(head, line))
}

struct Match<'a> {
    rest: &'a [u8],
    line: Line<'a>,
    civil: Civil,
    time: Option<Time>,
    level: Option<u8>,
    has_own_level: bool,
}

impl<'a> Match<'a> {
    fn of(head: &[u8], line: &'a [u8]) -> Option<Line<'a>> {
        let mut of = Match {
            rest: line,
            line: Line::BLANK,
            civil: Civil::default(),
            time: None,
            level: None,
            has_own_level: false,
        };
        let mut text_at = None;
        let mut at = 0;
        while let Some(byte) = head.get(at) {
            at += 1;
            match byte {
                b'%' => {
                    let code = *head.get(at)?;
                    at += 1;
                    match code {
                        b'|' => text_at = Some(line.len() - of.rest.len()),
                        code => of.take(code)?,
                    }
                }
                b' ' => {
                    let blanks = of.run(|b| matches!(b, b' ' | b'\t'));
                    if blanks.is_empty() && !of.rest.is_empty() {
                        return None;
                    }
                }
                literal => of.rest = of.rest.strip_prefix(&[*literal])?,
            }
        }
        of.line.time = match of.time {
            Some(time) => Some(time),
            None => Some(of.civil.time()?),
        };
        of.line.lacks = match of.time.is_none() && of.civil.year.is_none() {
            true => Lacks::Year,
            false => Lacks::Nothing,
        };
        let blanks = of.rest.len() - of.rest.trim_ascii_start().len();
        let end = line.len() - of.rest.len() + blanks;
        of.line.text_at = text_at.unwrap_or(end);
        of.line.level = match of.level {
            Some(level) => level,
            None if of.has_own_level => INFO,
            None => told_by(of.rest),
        };
        Some(of.line)
    }

    /// What the code stands for; None where it is not there.
    fn take(&mut self, code: u8) -> Option<()> {
        match code {
            b't' => {
                let (time, length) = date_time(self.rest)?;
                self.time = Some(time);
                self.skip(length)
            }
            b'a' => self.name_of(&DAYS).map(drop),
            b'b' => {
                self.civil.month = self.name_of(&MONTHS)?;
                Some(())
            }
            b'd' if !self.rest.get(1)?.is_ascii_digit() => {
                self.civil.day = number(self.rest, 0, 1)?;
                self.skip(1)
            }
            b'd' => {
                self.civil.day = self.digits(2)?;
                Some(())
            }
            b'm' => {
                self.civil.month = self.digits(2)?;
                Some(())
            }
            b'y' => {
                self.civil.year = Some(2_000 + self.digits(2)?);
                Some(())
            }
            b'Y' => {
                self.civil.year = Some(self.digits(4)?);
                Some(())
            }
            b'T' => {
                let length = self.civil.take_time_of_day(self.rest)?;
                self.skip(length)
            }
            b'z' => {
                let length = self.civil.take_zone(self.rest);
                self.skip(length)
            }
            b'l' | b'U' => {
                let word = self.run(|b| b.is_ascii_alphanumeric());
                let fits = code == b'l' || word.iter().all(u8::is_ascii_uppercase);
                self.is_of_level(level_of(word).or_else(|| named(&RARE, word)).filter(|_| fits)?)
            }
            b'L' => {
                let (first, _) = self.rest.split_first()?;
                self.is_of_level(LETTERS.iter().find(|of| of.0 == *first)?.1)?;
                self.skip(1)
            }
            b'p' => self.priority(),
            b's' => self.structured_data(),
            b'h' => {
                let status = self.digits(3)?;
                self.is_of_level(match status {
                    ..400 => INFO,
                    400..500 => WARN,
                    _ => ERROR,
                })
            }
            b'n' => {
                let length = name_length(self.rest);
                let name = self.rest.get(..length)?;
                let is_name = length <= 128 && name.iter().any(u8::is_ascii_alphabetic) && level_of(name).is_none();
                self.line.node = name.into();
                self.skip(length).filter(|()| is_name)
            }
            b'N' => {
                self.line.node = self.run(|b| b.is_ascii_alphanumeric() || b"_-.:/".contains(&b)).into();
                self.line.node.iter().any(u8::is_ascii_alphabetic).then_some(())
            }
            b'_' => {
                self.run(|b| matches!(b, b' ' | b'\t'));
                Some(())
            }
            b'f' => {
                self.line.file = self.run(|b| !b.is_ascii_whitespace() && b != b':').into();
                (!self.line.file.is_empty()).then_some(())
            }
            b'i' => {
                let digits = self.run(|b| b.is_ascii_digit());
                self.line.line = std::str::from_utf8(digits).ok()?.parse().ok()?;
                Some(())
            }
            b'u' => {
                self.line.function = self.run(|b| b.is_ascii_digit()).into();
                (!self.line.function.is_empty()).then_some(())
            }
            b'#' => (!self.run(|b| b.is_ascii_digit()).is_empty()).then_some(()),
            b'*' => {
                let word = self.run(|b| !b.is_ascii_whitespace());
                (!word.is_empty() && level_of(word).is_none()).then_some(())
            }
            b'q' => {
                let inside = self.rest.strip_prefix(b"\"")?;
                self.skip(quoted_length(inside)? + 2)
            }
            _ => None,
        }
    }

    fn skip(&mut self, length: usize) -> Option<()> {
        self.rest = self.rest.get(length..)?;
        Some(())
    }

    fn run(&mut self, fits: impl Fn(u8) -> bool) -> &'a [u8] {
        let length = self.rest.iter().take_while(|b| fits(**b)).count();
        let (run, rest) = self.rest.split_at(length);
        self.rest = rest;
        run
    }

    fn digits(&mut self, count: usize) -> Option<i64> {
        let value = number(self.rest, 0, count)?;
        self.skip(count)?;
        Some(value)
    }

    /// The name's number, from one on.
    fn name_of(&mut self, names: &[&[u8; 3]]) -> Option<i64> {
        let name = self.rest.get(..3)?;
        let at = names.iter().position(|of| *of == name)?;
        self.skip(3)?;
        i64::try_from(at).ok().map(|at| at + 1)
    }

    fn is_of_level(&mut self, level: u8) -> Option<()> {
        self.level = Some(level);
        Some(())
    }

    fn priority(&mut self) -> Option<()> {
        let Some(inside) = self.rest.strip_prefix(b"<") else {
            return Some(());
        };
        let length = inside.iter().position(|b| *b == b'>').filter(|length| *length <= 3)?;
        let priority: u8 = std::str::from_utf8(inside.get(..length)?).ok()?.parse().ok()?;
        self.is_of_level(match priority % 8 {
            0..=2 => FATAL,
            3 => ERROR,
            4 => WARN,
            5 | 6 => INFO,
            _ => DEBUG,
        })?;
        self.skip(length + 2)
    }

    /// `-`, or `[id name="value" level="WARN"][…]`.
    fn structured_data(&mut self) -> Option<()> {
        if let Some(rest) = self.rest.strip_prefix(b"-") {
            self.rest = rest;
            return Some(());
        }
        while self.rest.first() == Some(&b'[') {
            let mut at = 1;
            while *self.rest.get(at)? != b']' {
                if self.rest.get(at) != Some(&b'"') {
                    at += 1;
                    continue;
                }
                let value = self.rest.get(at + 1..)?;
                let length = quoted_length(value)?;
                if self.rest.get(..at)?.ends_with(b" level=") {
                    self.level = level_of(value.get(..length)?).or(self.level);
                }
                at += length + 2;
            }
            self.skip(at + 1)?;
            self.has_own_level = true;
        }
        self.has_own_level.then_some(())
    }
}

/// Of a node's name; before a level that is joined to it.
fn name_length(text: &[u8]) -> usize {
    let is_of_name = |b: &&u8| b.is_ascii_alphanumeric() || b"_/-.@$~()".contains(*b);
    let length = text.iter().take_while(is_of_name).count();
    let name = text.get(..length).unwrap_or_default();
    let point = name.iter().rposition(|b| *b == b'.');
    let before_level = point.filter(|at| level_of(name.get(at + 1..).unwrap_or_default()).is_some());
    before_level.unwrap_or(length)
}

/// Up to the closing mark.
fn quoted_length(inside: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match inside.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Of a line whose head names no level: its words tell.
fn told_by(text: &[u8]) -> u8 {
    // what is quoted was said by others
    let text = text.split(|b| *b == b'"').next().unwrap_or(text);
    let words = text.split(|b| !b.is_ascii_alphanumeric());
    words.filter_map(|word| named(&TELLING, word)).max().unwrap_or(INFO)
}

const TELLING: [(&str, u8); 10] = [
    ("error", ERROR),
    ("errors", ERROR),
    ("failed", ERROR),
    ("failure", ERROR),
    ("fatal", ERROR),
    ("critical", ERROR),
    ("panic", ERROR),
    ("warn", WARN),
    ("warning", WARN),
    ("warnings", WARN),
];

/// Words that stand for levels in some programs, and for themselves in free text.
const RARE: [(&str, u8); 11] = [
    ("LOG", INFO),
    ("DETAIL", INFO),
    ("HINT", INFO),
    ("STATEMENT", INFO),
    ("CONTEXT", INFO),
    ("CONFIG", INFO),
    ("FINE", DEBUG),
    ("FINER", DEBUG),
    ("FINEST", DEBUG),
    ("ALERT", FATAL),
    ("PANIC", FATAL),
];

const LETTERS: [(u8, u8); 7] = [
    (b'V', DEBUG),
    (b'D', DEBUG),
    (b'I', INFO),
    (b'N', INFO),
    (b'W', WARN),
    (b'E', ERROR),
    (b'F', FATAL),
];

const DAYS: [&[u8; 3]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
