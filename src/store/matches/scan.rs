//! Lines of one block against a query: each expression runs over the text of the whole block, not line by line.
//!
//! Invariant: a line fits exactly where the expression fits its own text, or its node's name.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::ops::Range;

use regex::{Regex, RegexBuilder, bytes};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, HirKind, Look, Repetition};

use super::LogQuery;
use crate::decode::{LevelCounts, LogLevel, LogRows};
use crate::time::{Span, Time};

/// One bit for each line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bits {
    words: Vec<u64>,
    count: usize,
}

/// Which lines of a block pass, which of them the search finds, and how many of each level pass.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub shown: Bits,
    pub hits: Bits,
    pub levels: LevelCounts,
}

#[derive(Debug)]
pub(super) struct Compiled {
    min_level: LogLevel,
    hidden_nodes: BTreeSet<String>,
    ins: Vec<Expression>,
    outs: Vec<Expression>,
    within: Option<Span>,
    search: Option<Expression>,
}

/// The text of a block, and the same in small letters for whoever needs it first.
struct Texts<'a> {
    whole: &'a str,
    is_ascii: bool,
    lower: OnceCell<String>,
}

impl Texts<'_> {
    fn in_small_letters(&self) -> &str {
        self.lower.get_or_init(|| self.whole.to_ascii_lowercase())
    }
}

#[derive(Debug)]
struct Expression {
    regex: Regex,
    /// The same for texts of ASCII letters only, where it may leave out all others and is faster.
    ascii: Option<bytes::Regex>,
    /// It is for texts in small letters: to look for one spelling of a word is faster than for all.
    is_lower: bool,
    /// It asks for the start or end of a text: no text may stand beside it.
    is_anchored: bool,
    /// What fits never holds the end of a line, so that where it ends tells the line.
    is_in_line: bool,
}

/// What an expression of a query means, or why it means nothing. Capital letters make the case count.
pub fn expression(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .case_insensitive(is_any_case(pattern))
        .multi_line(true)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "the expression is too large".to_owned(),
            error => error
                .to_string()
                .lines()
                .last()
                .unwrap_or("it cannot be compiled")
                .trim()
                .to_owned(),
        })
}

fn is_any_case(pattern: &str) -> bool {
    !pattern.chars().any(char::is_uppercase)
}

/// Whether a text that fits the expression could hold the end of a line.
fn may_hold_line_end(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => literal.0.contains(&b'\n'),
        HirKind::Class(Class::Unicode(class)) => class.iter().any(|range| (range.start()..=range.end()).contains(&'\n')),
        HirKind::Class(Class::Bytes(class)) => class.iter().any(|range| (range.start()..=range.end()).contains(&b'\n')),
        HirKind::Repetition(repetition) => may_hold_line_end(&repetition.sub),
        HirKind::Capture(capture) => may_hold_line_end(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(may_hold_line_end),
    }
}

/// The expression of ASCII letters that fits a text in small letters where the given one fits the text as it was; None where the case
/// counts.
fn lowered(hir: &Hir) -> Option<Hir> {
    let all = |parts: &[Hir]| parts.iter().map(lowered).collect::<Option<Vec<Hir>>>();
    Some(match hir.kind() {
        // where the case does not count, letters are classes
        HirKind::Literal(literal) if literal.0.iter().any(u8::is_ascii_alphabetic) => return None,
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) => hir.clone(),
        HirKind::Class(Class::Unicode(_)) => return None,
        HirKind::Class(Class::Bytes(class)) => {
            let has = |letter: u8| class.iter().any(|range| (range.start()..=range.end()).contains(&letter));
            if (b'a'..=b'z').any(|letter| has(letter) != has(letter.to_ascii_uppercase())) {
                return None;
            }
            let mut small = class.clone();
            small.difference(&ClassBytes::new([ClassBytesRange::new(b'A', b'Z')]));
            Hir::class(Class::Bytes(small))
        }
        HirKind::Repetition(repetition) => {
            let sub = Box::new(lowered(&repetition.sub)?);
            Hir::repetition(Repetition { sub, ..repetition.clone() })
        }
        HirKind::Capture(capture) => lowered(&capture.sub)?,
        HirKind::Concat(parts) => Hir::concat(all(parts)?),
        HirKind::Alternation(parts) => Hir::alternation(all(parts)?),
    })
}

/// For texts of ASCII letters, and whether these are to be in small letters. None: what has no meaning among ASCII letters
/// (`\p{Greek}`).
fn for_ascii(pattern: &str) -> Option<(bytes::Regex, bool)> {
    let is_any_case = is_any_case(pattern);
    let mut parser = ParserBuilder::new();
    let parser = parser.case_insensitive(is_any_case).multi_line(true).unicode(false).utf8(false);
    let small = parser
        .build()
        .parse(pattern)
        .ok()
        .filter(|_| is_any_case)
        .and_then(|hir| lowered(&hir));
    if let Some(small) = small.and_then(|hir| bytes::Regex::new(&hir.to_string()).ok()) {
        return Some((small, true));
    }
    let mut builder = bytes::RegexBuilder::new(pattern);
    let ascii = builder.case_insensitive(is_any_case).multi_line(true).unicode(false).build();
    Some((ascii.ok()?, false))
}

impl Expression {
    fn new(pattern: &str) -> Option<Expression> {
        let regex = expression(pattern).ok()?;
        let hir = ParserBuilder::new().multi_line(true).build().parse(pattern).ok()?;
        let looks = hir.properties().look_set();
        let (ascii, is_lower) = match pattern.is_ascii().then(|| for_ascii(pattern)).flatten() {
            Some((ascii, is_lower)) => (Some(ascii), is_lower),
            None => (None, false),
        };
        Some(Expression {
            regex,
            ascii,
            is_lower,
            is_anchored: looks.contains(Look::Start) || looks.contains(Look::End),
            is_in_line: !may_hold_line_end(&hir),
        })
    }

    /// Sets the bit of each line that it fits.
    fn mark(&self, texts: &Texts, ends: &[u32], bits: &mut Bits) {
        let text = texts.whole;
        match self.ascii.as_ref().filter(|_| texts.is_ascii) {
            Some(ascii) if self.is_lower => self.mark_ascii(ascii, texts.in_small_letters(), ends, bits),
            Some(ascii) => self.mark_ascii(ascii, text, ends, bits),
            None => self.mark_by(
                |at| match self.is_in_line {
                    true => self.regex.shortest_match_at(text, at).map(|end| end..end),
                    false => Some(self.regex.find_at(text, at)?.range()),
                },
                |own| self.regex.is_match(own),
                (text, ends, bits),
            ),
        }
    }

    fn mark_ascii(&self, ascii: &bytes::Regex, text: &str, ends: &[u32], bits: &mut Bits) {
        self.mark_by(
            |at| match self.is_in_line {
                true => ascii.shortest_match_at(text.as_bytes(), at).map(|end| end..end),
                false => Some(ascii.find_at(text.as_bytes(), at)?.range()),
            },
            |own| ascii.is_match(own.as_bytes()),
            (text, ends, bits),
        );
    }

    fn mark_by(
        &self,
        find_at: impl Fn(usize) -> Option<Range<usize>>,
        is_match: impl Fn(&str) -> bool,
        (text, ends, bits): (&str, &[u32], &mut Bits),
    ) {
        let mut line = 0;
        let mut at = 0;
        while line < ends.len() {
            let (from, to) = match self.is_anchored {
                true => (at, text.len() + 1),
                false => match find_at(at) {
                    Some(found) => (found.start, found.end),
                    None => return,
                },
            };
            // the line that it begins in: an empty one at a line's end is that line's
            while ends.get(line).is_some_and(|end| (*end as usize) < from) {
                line += 1;
            }
            let Some(end) = ends.get(line).map(|end| *end as usize) else {
                return;
            };
            let start = line
                .checked_sub(1)
                .and_then(|before| ends.get(before))
                .map_or(0, |end| *end as usize)
                + 1;
            let is_within = from >= start && to <= end;
            if is_within || text.get(start..end).is_some_and(&is_match) {
                bits.set(line);
            }
            line += 1;
            at = end + 1;
            if at > text.len() {
                return;
            }
        }
    }
}

impl Compiled {
    pub fn new(query: &LogQuery) -> Compiled {
        let all = |patterns: &[String]| patterns.iter().filter_map(|p| Expression::new(p)).collect();
        let search =
            (!query.search.is_empty()).then(|| Expression::new(&query.search).or_else(|| Expression::new(&regex::escape(&query.search))));
        Compiled {
            min_level: query.min_level,
            hidden_nodes: query.hidden_nodes.clone(),
            ins: all(&query.ins),
            outs: all(&query.outs),
            within: query.within,
            search: search.flatten(),
        }
    }

    pub fn examine(&self, rows: &LogRows, times: &[Time]) -> Verdict {
        let is_text_needed = !self.ins.is_empty() || !self.outs.is_empty() || self.search.is_some();
        match is_text_needed {
            true => rows.with_text(|text| self.examine_text(rows, times, text)),
            false => self.examine_text(rows, times, ""),
        }
    }

    fn examine_text(&self, rows: &LogRows, times: &[Time], text: &str) -> Verdict {
        let texts = Texts {
            whole: text,
            is_ascii: text.is_ascii(),
            lower: OnceCell::new(),
        };
        let marked = |expressions: &[&Expression]| {
            let mut bits = Bits::new(rows.len());
            expressions.iter().for_each(|e| e.mark(&texts, rows.ends(), &mut bits));
            // nodes are few: each is looked at once
            let fits = |node: &str| expressions.iter().any(|e| e.regex.is_match(node));
            bits.set_by_head(rows, |head| rows.node(head).is_some_and(|node| !node.is_empty() && fits(node)));
            bits
        };
        let mut shown = Bits::new(rows.len());
        shown.set_by_head(rows, |head| {
            head.level >= self.min_level && rows.node(head).is_none_or(|node| !self.hidden_nodes.contains(&**node))
        });
        if !self.ins.is_empty() {
            shown.keep(&marked(&self.ins.iter().collect::<Vec<_>>()), false);
        }
        if !self.outs.is_empty() {
            shown.keep(&marked(&self.outs.iter().collect::<Vec<_>>()), true);
        }
        if let Some(span) = self.within {
            let mut within = Bits::new(rows.len());
            let inside = times.iter().enumerate().filter(|(_, t)| span.contains(**t));
            inside.for_each(|(index, _)| within.set(index));
            shown.keep(&within, false);
        }
        let hits = match &self.search {
            None => Bits::default(),
            Some(search) => {
                let mut hits = marked(&[search]);
                hits.keep(&shown, false);
                hits
            }
        };
        let levels = LevelCounts::new(rows, |index| shown.get(index));
        Verdict { shown, hits, levels }
    }
}

impl Verdict {
    pub fn bytes(&self) -> u64 {
        ((self.shown.words.len() + self.hits.words.len()) * 8 + self.levels.bytes() + 160) as u64
    }
}

impl Bits {
    fn new(len: usize) -> Bits {
        Bits {
            words: vec![0; len.div_ceil(64)],
            count: 0,
        }
    }

    fn set(&mut self, index: usize) {
        if let Some(word) = self.words.get_mut(index / 64) {
            let bit = 1 << (index % 64);
            self.count += usize::from(*word & bit == 0);
            *word |= bit;
        }
    }

    fn set_by_head(&mut self, rows: &LogRows, is_set: impl Fn(crate::decode::LogHead) -> bool) {
        let set: Vec<bool> = rows.heads().iter().map(|head| is_set(*head)).collect();
        if !set.contains(&true) {
            return;
        }
        for (index, head) in rows.head_numbers().iter().enumerate() {
            if set.get(*head as usize) == Some(&true) {
                self.set(index);
            }
        }
    }

    /// Keeps those that are (or are not) in the other too.
    fn keep(&mut self, other: &Bits, is_without: bool) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= if is_without { !other } else { *other };
        }
        self.count = self.words.iter().map(|w| w.count_ones() as usize).sum();
    }

    pub fn get(&self, index: usize) -> bool {
        self.words.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    /// How many are set.
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many before `index` are set.
    pub fn rank(&self, index: usize) -> usize {
        let whole = self.words.get(..index / 64).unwrap_or(&self.words);
        let before: usize = whole.iter().map(|w| w.count_ones() as usize).sum();
        let part = self.words.get(index / 64).map_or(0, |word| word & ((1 << (index % 64)) - 1));
        before + part.count_ones() as usize
    }

    /// Where the `rank`-th (from 0) one that is set is.
    pub fn select(&self, rank: usize) -> Option<usize> {
        let mut left = rank;
        for (at, word) in self.words.iter().enumerate() {
            let ones = word.count_ones() as usize;
            if left < ones {
                let mut word = *word;
                for _ in 0..left {
                    word &= word - 1;
                }
                return Some(at * 64 + word.trailing_zeros() as usize);
            }
            left -= ones;
        }
        None
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = usize> + '_ {
        self.words
            .iter()
            .enumerate()
            .flat_map(|(at, word)| (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| at * 64 + bit))
    }
}
