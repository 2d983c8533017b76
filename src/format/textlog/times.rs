//! How logs spell times: dates of ISO 8601 and their kin, seconds (or milli-, micro-, nanoseconds) since the epoch, and what stands for
//! a year or a day where none is written.

use crate::time::{Span, Time};

const NANOS_PER_SEC: i64 = 1_000_000_000;
const SECS_PER_DAY: i64 = 86_400;
const NANOS_PER_DAY: i64 = SECS_PER_DAY * NANOS_PER_SEC;
/// In it lie the times of lines that name no year: a leap year, so that it has all days.
pub const NO_YEAR: i64 = 1972;

/// As programs abbreviate them, with the minutes that they are before UTC; letters that stand for several zones are left out.
const ZONES: [(&[u8], i64); 14] = [
    (b"UTC", 0),
    (b"GMT", 0),
    (b"WET", 0),
    (b"CET", 60),
    (b"CEST", 120),
    (b"EET", 120),
    (b"EEST", 180),
    (b"JST", 540),
    (b"EST", -300),
    (b"EDT", -240),
    (b"CDT", -300),
    (b"MDT", -360),
    (b"PST", -480),
    (b"PDT", -420),
];

/// A day and the time of it, put together piece by piece.
#[derive(Clone, Copy, Debug, Default)]
pub struct Civil {
    pub year: Option<i64>,
    pub month: i64,
    pub day: i64,
    pub second_of_day: i64,
    pub nanos: i64,
    pub offset_minutes: i64,
}

impl Civil {
    pub fn time(self) -> Option<Time> {
        let is_day = (1..=12).contains(&self.month) && (1..=31).contains(&self.day);
        let days = days_since_epoch(self.year.unwrap_or(NO_YEAR), self.month, self.day);
        let seconds = days * SECS_PER_DAY + self.second_of_day - self.offset_minutes * 60;
        let nanos = seconds.checked_mul(NANOS_PER_SEC)?.checked_add(self.nanos)?;
        is_day.then_some(Time(nanos))
    }

    /// `2020-09-13`, `13.09.2020`, `13-Sep-2020`, `9/13/2020` (the month first): how long it is.
    fn take_date(&mut self, text: &[u8]) -> Option<usize> {
        let is = |at: usize, of: &[u8]| text.get(at).is_some_and(|b| of.contains(b));
        if is(4, b"-/.") && text.get(4) == text.get(7) {
            (self.year, self.month, self.day) = (Some(number(text, 0, 4)?), number(text, 5, 2)?, number(text, 8, 2)?);
            return Some(10);
        }
        if is(2, b".") && is(5, b".") {
            (self.day, self.month, self.year) = (number(text, 0, 2)?, number(text, 3, 2)?, Some(number(text, 6, 4)?));
            return Some(10);
        }
        if is(2, b"-/ ") && text.get(2) == text.get(6) {
            let month = MONTHS.iter().position(|month| text.get(3..6) == Some(&month[..]))?;
            (self.day, self.month, self.year) = (number(text, 0, 2)?, i64::try_from(month).ok()? + 1, Some(number(text, 7, 4)?));
            return Some(11);
        }
        let digits = |at: usize| 2 - usize::from(is(at + 1, b"/"));
        let day_at = digits(0) + 1;
        let year_at = day_at + digits(day_at) + 1;
        if !(is(day_at - 1, b"/") && is(year_at - 1, b"/")) {
            return None;
        }
        self.month = number(text, 0, day_at - 1)?;
        self.day = number(text, day_at, year_at - 1 - day_at)?;
        self.year = Some(number(text, year_at, 4)?);
        Some(year_at + 4)
    }

    /// `12:26:40`, `12:26:40.5`, `12:26:40,123`: how long it is.
    pub fn take_time_of_day(&mut self, text: &[u8]) -> Option<usize> {
        self.take_clock(text, b":", b".,")
    }

    fn take_clock(&mut self, text: &[u8], between: &[u8], before_fraction: &[u8]) -> Option<usize> {
        let is = |at: usize, of: &[u8]| text.get(at).is_some_and(|b| of.contains(b));
        let digits = 2 - usize::from(is(1, between));
        let (hour, minute, second) = (number(text, 0, digits)?, number(text, digits + 1, 2)?, number(text, digits + 4, 2)?);
        if !(is(digits, between) && is(digits + 3, between) && hour < 24 && minute < 60 && second < 61) {
            return None;
        }
        self.second_of_day = hour * 3_600 + minute * 60 + second;
        let end = digits + 6;
        if !is(end, before_fraction) || !text.get(end + 1).is_some_and(u8::is_ascii_digit) {
            return Some(end);
        }
        let digits = text.get(end + 1..)?.iter().take_while(|b| b.is_ascii_digit()).count();
        let kept = digits.min(9);
        self.nanos = number(text, end + 1, kept)? * 10_i64.pow(9 - u32::try_from(kept).ok()?);
        Some(end + 1 + digits)
    }

    /// ` AM`, `PM`: how long it is; 0 where there is none.
    fn take_half_of_day(&mut self, text: &[u8]) -> usize {
        let at = usize::from(text.first() == Some(&b' '));
        let noon = match text.get(at..at + 2) {
            Some(b"AM") => 0,
            Some(b"PM") => 12,
            _ => return 0,
        };
        let hour = self.second_of_day / 3_600;
        if !(1..=12).contains(&hour) || text.get(at + 2).is_some_and(u8::is_ascii_alphanumeric) {
            return 0;
        }
        self.second_of_day += (hour % 12 + noon - hour) * 3_600;
        at + 2
    }

    /// `Z`, `+02:00`, `+0200`, ` CEST`: how long it is; 0 where there is none.
    pub fn take_zone(&mut self, text: &[u8]) -> usize {
        let is = |at: usize, of: &[u8]| text.get(at).is_some_and(|b| of.contains(b));
        if is(0, b"Z") {
            return 1;
        }
        let at = usize::from(is(0, b" "));
        let colon = usize::from(is(at + 3, b":"));
        if let (true, Some(hours), Some(minutes)) = (is(at, b"+-"), number(text, at + 1, 2), number(text, at + 3 + colon, 2)) {
            let sign = if is(at, b"-") { -1 } else { 1 };
            self.offset_minutes = sign * (hours * 60 + minutes);
            return at + 5 + colon;
        }
        let letters = text
            .get(at..)
            .unwrap_or_default()
            .iter()
            .take_while(|b| b.is_ascii_uppercase())
            .count();
        let name = text.get(at..at + letters).unwrap_or_default();
        let Some(zone) = ZONES.iter().find(|zone| at == 1 && zone.0 == name) else {
            return 0;
        };
        self.offset_minutes = zone.1;
        at + letters
    }
}

/// What glog writes first: `Log file created at: 2024/12/31 23:59:58`.
pub fn created_at(line: &[u8]) -> Option<Time> {
    let (time, _) = date_time(line.strip_prefix(b"Log file created at: ")?)?;
    Some(time)
}

/// The day in a file's name: `node.log.INFO.20241231-235958.1234`, `syslog-2024-12-31`.
pub fn day_in(name: &str) -> Option<Time> {
    let name = name.as_bytes();
    let is_digit = |at: usize| name.get(at).is_some_and(u8::is_ascii_digit);
    (0..name.len()).filter(|at| *at == 0 || !is_digit(at - 1)).find_map(|at| {
        let dash = usize::from(name.get(at + 4) == Some(&b'-') && name.get(at + 7) == Some(&b'-'));
        let of = Civil {
            year: Some(number(name, at, 4)?).filter(|year| (1990..2100).contains(year)),
            month: number(name, at + 4 + dash, 2)?,
            day: number(name, at + 6 + 2 * dash, 2)?,
            ..Civil::default()
        };
        let is_alone = of.year.is_some() && !is_digit(at + 8 + 2 * dash);
        of.time().filter(|_| is_alone)
    })
}

/// A time of a line that names no year, in the year that brings it nearest to another time: one that has such a day.
pub fn in_nearest_year(time: Time, to: Time) -> Time {
    let near = year_of(to);
    let (_, month, day) = date_of(time);
    let has_day = |of: &Time| date_of(*of) == (year_of(*of), month, day);
    let years = (near - 4..=near + 4).filter_map(|year| in_year(time, year)).filter(has_day);
    years.min_by_key(|of| i128::from(of.0).abs_diff(i128::from(to.0))).unwrap_or(time)
}

/// The years that bring a whole log, whose lines name none, nearest to another time: among those that have its first day.
pub fn years_to(log: Span, to: Time) -> i64 {
    let (first, month, day) = date_of(log.start);
    let moved = |year: i64| {
        let years = year - first;
        let span = Span::new(in_year(log.start, year)?, in_year(log.end, year_of(log.end) + years)?);
        (date_of(span.start) == (year, month, day)).then_some((years, span))
    };
    let far = |time: Time| i128::from(time.0).abs_diff(i128::from(to.0));
    let near = |(_, span): &(i64, Span)| match span.contains(to) {
        true => (0, far(span.start)),
        false => (far(span.start).min(far(span.end)), far(span.start)),
    };
    let near_year = year_of(to);
    let all = (near_year - 4..=near_year + 4).filter_map(moved);
    all.min_by_key(near).map_or(0, |(years, _)| years)
}

/// A time of day at `from`, or less than a day after it.
pub fn next_at(time: Time, from: Time) -> Time {
    from.plus_nanos((time.0.rem_euclid(NANOS_PER_DAY) - from.0.rem_euclid(NANOS_PER_DAY)).rem_euclid(NANOS_PER_DAY))
}

/// How far away the days are that bring a whole log, whose lines name none, nearest to another time.
pub fn days_to(log: Span, to: Time) -> i64 {
    let far = |time: Time| i128::from(time.0).abs_diff(i128::from(to.0));
    let moved = |nanos: i64| Span::new(log.start.plus_nanos(nanos), log.end.plus_nanos(nanos));
    let near = |nanos: &i64| {
        let span = moved(*nanos);
        let outside = if span.contains(to) { 0 } else { far(span.start).min(far(span.end)) };
        (outside, far(span.start))
    };
    let days = to.0.div_euclid(NANOS_PER_DAY) - log.start.0.div_euclid(NANOS_PER_DAY);
    let length = log.nanos() / NANOS_PER_DAY;
    let all = [days - length - 1, days - length, days - 1, days, days + 1];
    let all = all.into_iter().map(|days| days.saturating_mul(NANOS_PER_DAY));
    all.min_by_key(near).unwrap_or(0)
}

pub fn year_of(time: Time) -> i64 {
    date_of(time).0
}

/// The same day of another year.
pub fn in_year(time: Time, year: i64) -> Option<Time> {
    let (_, month, day) = date_of(time);
    let of_day = time.0.rem_euclid(NANOS_PER_DAY);
    let days = days_since_epoch(year, month, day);
    Some(Time(days.checked_mul(NANOS_PER_DAY)?.checked_add(of_day)?))
}

/// Year, month and day of the proleptic Gregorian calendar.
fn date_of(time: Time) -> (i64, i64, i64) {
    let days = time.0.div_euclid(NANOS_PER_DAY) + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

pub fn time_of(text: &[u8]) -> Option<Time> {
    if !text.first()?.is_ascii_digit() {
        return None;
    }
    // with simulated time: `wall, simulated`
    let text = text.split(|b| *b == b',').next().filter(|wall| is_epoch(wall)).unwrap_or(text);
    match date_time(text) {
        Some((time, length)) if length == text.len() => Some(time),
        Some(_) => None,
        None => epoch(text),
    }
}

fn is_epoch(text: &[u8]) -> bool {
    epoch(text).is_some()
}

/// Seconds with or without a fraction; as an integer also milli-, micro- and nanoseconds. Only of this century.
pub fn epoch(text: &[u8]) -> Option<Time> {
    let (whole, fraction) = match text.iter().position(|b| *b == b'.') {
        Some(point) => (text.get(..point)?, text.get(point + 1..)?),
        None => (text, &b""[..]),
    };
    let digits = |text: &[u8]| -> Option<i64> {
        let fits = text.len() <= 19 && text.iter().all(u8::is_ascii_digit);
        fits.then(|| {
            text.iter()
                .try_fold(0_i64, |n, b| n.checked_mul(10)?.checked_add(i64::from(b - b'0')))
        })?
    };
    let value = digits(whole)?;
    match (whole.len(), fraction.len()) {
        (9..=10, _) => {
            let digits_kept = fraction.get(..9).unwrap_or(fraction);
            let scale = 10_i64.checked_pow(9 - u32::try_from(digits_kept.len()).ok()?)?;
            (value > 900_000_000).then(|| Some(Time(value.checked_mul(1_000_000_000)?.checked_add(digits(digits_kept)? * scale)?)))?
        }
        (13, 0) => Some(Time(value.checked_mul(1_000_000)?)),
        (16, 0) => Some(Time(value.checked_mul(1_000)?)),
        (19, 0) => Some(Time(value)),
        _ => None,
    }
}

/// `2020-09-13T12:26:40.5Z`, `2020/09/13 12:26:40 +0200`, `13.09.2020 12:26:40,123`, `9/13/2020, 12:26:40 PM`, `2020.09.13-12.26.40:123`:
/// the time (UTC where no zone is given), and how long the text is.
pub fn date_time(text: &[u8]) -> Option<(Time, usize)> {
    if !text.first()?.is_ascii_digit() {
        return None;
    }
    let mut of = Civil::default();
    let mut at = of.take_date(text)?;
    at += match text.get(at..)? {
        [b',', b' ', ..] => 2,
        [b'T' | b' ' | b'_' | b'-', ..] => 1,
        _ => return None,
    };
    let rest = text.get(at..)?;
    at += match of.take_time_of_day(rest) {
        Some(length) => length,
        None => of.take_clock(rest, b".", b":")?,
    };
    at += of.take_half_of_day(text.get(at..)?);
    at += of.take_zone(text.get(at..)?);
    Some((of.time()?, at))
}

/// `12:26:40.5`, `5:20:00 PM` with nothing but a blank or a bracket behind it: the time, on the first day of [`NO_YEAR`], and how long the
/// text is.
pub fn time_of_day(text: &[u8]) -> Option<(Time, usize)> {
    let mut of = Civil {
        month: 1,
        day: 1,
        ..Civil::default()
    };
    let mut at = of.take_time_of_day(text)?;
    at += of.take_half_of_day(text.get(at..)?);
    let rest = text.get(at..)?;
    let ends = matches!(rest, [] | [b' ' | b'\t' | b']', ..] | [b':'] | [b':', b' ', ..]);
    Some((of.time()?, at)).filter(|_| ends)
}

/// `WallTime: 1600000000.25`, as rospy once wrote.
pub fn wall_time(text: &[u8]) -> Option<Time> {
    epoch(text.strip_prefix(b"WallTime:")?.trim_ascii())
}

pub fn number(text: &[u8], at: usize, count: usize) -> Option<i64> {
    let digits = text.get(at..at + count)?;
    let all = digits.iter().all(u8::is_ascii_digit);
    all.then(|| digits.iter().fold(0, |n, b| n * 10 + i64::from(b - b'0')))
}

pub const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// Of the proleptic Gregorian calendar.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}
