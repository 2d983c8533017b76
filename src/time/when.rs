//! Every spelling of a moment that users type or paste: epoch seconds, milli-, micro- and nanoseconds, RFC 3339, `+12.5`, `50%`.

use super::{Span, Time};

/// A moment as it was written; [`When::at`] finds it in a recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    At(Time),
    /// Nanoseconds from the recording's start; negative: from its end.
    From {
        nanos: i64,
    },
    /// 0 to 1 of the recording.
    Fraction(f64),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "“{text}” is not a time: give seconds since 1970 (1600000003.25), ms, µs or ns by their 13, 16 or 19 digits, RFC 3339 (2020-09-13T12:26:43Z), +12.5 for seconds from the start, or 50%"
)]
pub struct NotATime {
    text: String,
}

impl When {
    pub fn parse(text: &str) -> Result<When, NotATime> {
        let text = text.trim();
        let not = || NotATime { text: text.to_owned() };
        if let Some(percent) = text.strip_suffix('%') {
            let percent: f64 = percent.trim().parse().map_err(|_| not())?;
            return if (0.0..=100.0).contains(&percent) {
                Ok(When::Fraction(percent / 100.0))
            } else {
                Err(not())
            };
        }
        if let Some(seconds) = text.strip_prefix('+') {
            let nanos = decimal(seconds.trim().trim_end_matches('s'), 9).ok_or_else(not)?;
            return Ok(When::From { nanos });
        }
        if text.contains(['-', ':', 'T']) {
            let spaced = text.replacen(' ', "T", 1).replace(" UTC", "Z");
            let stamp: jiff::Timestamp = spaced.parse().or_else(|_| format!("{spaced}Z").parse()).map_err(|_| not())?;
            return i64::try_from(stamp.as_nanosecond())
                .map(|nanos| When::At(Time(nanos)))
                .map_err(|_| not());
        }
        let whole = text.split('.').next().unwrap_or_default().len();
        // the number's magnitude tells its unit
        let decimals = match whole {
            1..=11 => 9,
            12..=14 => 6,
            15..=17 => 3,
            18..=20 => 0,
            _ => return Err(not()),
        };
        decimal(text, decimals).map(|nanos| When::At(Time(nanos))).ok_or_else(not)
    }

    /// The moment in a recording, held within it.
    pub fn at(self, span: Span) -> Time {
        span.clamp(self.unclamped(span))
    }

    /// The moment, wherever it lies.
    pub fn unclamped(self, span: Span) -> Time {
        match self {
            When::At(time) => time,
            When::From { nanos } => span.start.plus_nanos(nanos),
            When::Fraction(fraction) => span.at_fraction(fraction),
        }
    }
}

/// `12.5` in units of 10⁻`decimals`, exactly; further digits are cut off.
fn decimal(text: &str, decimals: usize) -> Option<i64> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() && rest.is_empty() || !whole.chars().chain(rest.chars()).all(|c| c.is_ascii_digit()) {
        return None;
    }
    let rest: String = rest.chars().chain(std::iter::repeat('0')).take(decimals).collect();
    let digits = format!("{whole}{rest}");
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, nanos: i64) {
        let span = Span::new(Time(1_000_000_000), Time(3_000_000_000));
        assert_eq!(When::parse(text).map(|when| when.unclamped(span).0), Ok(nanos), "{text}");
    }

    #[test]
    fn every_spelling_gives_exact_nanoseconds() {
        check("1600000003.25", 1_600_000_003_250_000_000);
        check("1600000003", 1_600_000_003_000_000_000);
        check("1600000003250", 1_600_000_003_250_000_000);
        check("1600000003250.5", 1_600_000_003_250_500_000);
        check("1600000003250001", 1_600_000_003_250_001_000);
        check("1600000003250000007", 1_600_000_003_250_000_007);
        check("2020-09-13T12:26:43.25Z", 1_600_000_003_250_000_000);
        check("2020-09-13 12:26:43.25", 1_600_000_003_250_000_000);
        check("2020-09-13T14:26:43+02:00", 1_600_000_003_000_000_000);
        check("60.5", 60_500_000_000);
        check("+1.25", 2_250_000_000);
        check("50%", 2_000_000_000);
    }

    #[test]
    fn anything_else_is_a_sentence() {
        for text in ["", "abc", "1.2.3", "120%", "+", ".", "-", "123456789012345678901234"] {
            assert!(When::parse(text).is_err(), "{text}");
        }
    }
}
