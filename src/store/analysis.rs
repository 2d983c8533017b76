//! Spectra, histograms, pairs and different values of series: computed of what is loaded, on whatever thread executes the work, and anew
//! once it has grown.
//!
//! Invariants: one computation of a query is in flight at a time; what was computed last stays until the next is there; what nobody wants
//! is called off and forgotten.

mod measures;

use std::sync::Arc;

use super::cache::Unit;
use super::derived::QUICK_POINTS;
use super::series::Points;
use super::worked::Worked;
use super::{Series, Stamp, Store, Task, TopicId, What, Work, WorkId};
use crate::time::Span;
pub use measures::{MOST_FFT, MOST_PAIRS, distinct, histogram, pairs, spectrum};

/// Bars of a histogram at most.
const MOST_BINS: usize = 4096;

/// Which series of the store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SeriesName {
    /// The first of those that it is of.
    pub topic: TopicId,
    /// As [`crate::path::Input::text`] or, where it is computed from others, [`crate::path::Program::text`] gives it.
    pub text: Arc<str>,
    pub stamp: Stamp,
    pub is_derived: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Analysis {
    /// (hertz, amplitude): [`spectrum`].
    Spectrum,
    /// Each bar by its edges: (edge, count): [`histogram`].
    Histogram { bins: usize },
    /// (x, y): [`pairs`].
    Pairs,
    /// (value, count): [`distinct`].
    Distinct,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AnalysisQuery {
    pub analysis: Analysis,
    pub of: SeriesName,
    /// What x is of, for pairs.
    pub against: Option<SeriesName>,
    /// On the series' stamp.
    pub span: Span,
}

/// What came of a query.
#[derive(Clone, Debug)]
pub struct Analyzed {
    pub points: Arc<[(f64, f64)]>,
    /// Whether all values took part.
    pub is_whole: bool,
}

/// A query and the points that it is of: plain data, so that any thread may.
#[derive(Clone, Debug)]
pub struct AnalysisTask {
    analysis: Analysis,
    of: Points,
    against: Option<Points>,
    is_whole: bool,
}

impl AnalysisTask {
    pub fn run(&self) -> Analyzed {
        let (points, takes_all) = match (self.analysis, &self.against) {
            (Analysis::Spectrum, _) => spectrum(self.of.iter()),
            (Analysis::Histogram { bins }, _) => {
                let (edges, counts) = histogram(self.of.iter().map(|p| p.1), bins.clamp(1, MOST_BINS));
                let bars = edges.array_windows::<2>().zip(counts);
                let bars = bars.flat_map(|(edges, count)| edges.map(|edge| (edge, count as f64)));
                (bars.collect(), true)
            }
            (Analysis::Distinct, _) => distinct(self.of.iter().map(|p| p.1)),
            (Analysis::Pairs, Some(x)) => (measures::thinned(|each| pairs(x.iter(), self.of.iter(), each)), true),
            (Analysis::Pairs, None) => (Vec::new(), false),
        };
        Analyzed {
            points: points.into(),
            is_whole: self.is_whole && takes_all,
        }
    }
}

/// Of which state of the series: their revisions.
type Revisions = (u64, u64);

pub(super) struct Inquiry {
    query: Arc<AnalysisQuery>,
    worked: Worked<Revisions, Analyzed>,
    /// Of the series, when it was computed last.
    points: usize,
}

impl Inquiry {
    pub fn bytes(&self) -> u64 {
        let points = self.worked.done().map_or(0, |(_, analyzed)| analyzed.points.len());
        points as u64 * size_of::<(f64, f64)>() as u64
    }
}

impl Store {
    pub(super) fn series_named(&self, name: &SeriesName) -> Option<&Series> {
        match name.is_derived {
            true => self.derived(&name.text, &name.stamp),
            false => self.series(name.topic, &name.text, &name.stamp),
        }
    }

    fn inquiry(&self, query: &AnalysisQuery) -> Option<&Inquiry> {
        self.inquiries.iter().find(|i| *i.query == *query)
    }

    /// What was computed last. Wants [`What::Analysis`], and the series.
    pub fn analyzed(&self, query: &AnalysisQuery) -> Option<&Analyzed> {
        Some(&self.inquiry(query)?.worked.done()?.1)
    }

    /// Whether that is of all that is loaded.
    pub fn is_analyzed(&self, query: &AnalysisQuery) -> bool {
        let done = self.inquiry(query).and_then(|i| i.worked.done());
        done.is_some_and(|(revisions, _)| self.revisions(query).is_some_and(|r| r == *revisions))
    }

    fn revisions(&self, query: &AnalysisQuery) -> Option<Revisions> {
        let of = |name: &SeriesName| self.series_named(name).map(Series::revision);
        Some((of(&query.of)?, query.against.as_ref().map_or(Some(0), of)?))
    }

    /// A place for each that is wanted for the first time; those that nobody wants any more go, and their work with them.
    pub(super) fn add_inquiries(&mut self) {
        let wanted = self.wants.iter().filter_map(|want| match &want.what {
            What::Analysis(query) => Some(query.clone()),
            _ => None,
        });
        let wanted: Vec<Arc<AnalysisQuery>> = wanted.collect();
        let is_wanted = |inquiry: &Inquiry| wanted.contains(&inquiry.query);
        let gone = self.inquiries.iter().filter(|i| !is_wanted(i)).filter_map(|i| i.worked.flight());
        self.queue.extend(gone.map(Work::Cancel));
        self.inquiries.retain(is_wanted);
        for query in wanted {
            if self.inquiry(&query).is_none() {
                self.inquiries.push(Inquiry {
                    query,
                    worked: Worked::default(),
                    points: 0,
                });
            }
        }
    }

    pub(super) fn issue_analyses(&mut self, out: &mut Vec<Work>) {
        for at in 0..self.inquiries.len() {
            if let Some(work) = self.analyze(at) {
                out.push(work);
            }
        }
    }

    fn analyze(&mut self, at: usize) -> Option<Work> {
        let inquiry = self.inquiries.get(at).filter(|i| i.worked.flight().is_none())?;
        let query = inquiry.query.clone();
        let revisions = self.revisions(&query)?;
        if inquiry.worked.done().is_some_and(|(of, _)| *of == revisions) {
            return None;
        }
        let names = || [Some(&query.of), query.against.as_ref()].into_iter().flatten();
        let points: usize = names().filter_map(|name| self.series_named(name)).map(Series::len).sum();
        let has_grown = points > inquiry.points + inquiry.points / 2;
        if points > QUICK_POINTS && !has_grown && names().any(|name| self.is_name_being_read(name)) {
            return None;
        }
        // read again first
        if names().any(|name| self.will_points_come(name, query.span)) {
            return None;
        }
        let of = self.series_named(&query.of)?;
        let against = query.against.as_ref().and_then(|name| self.series_named(name));
        let task = Task::Analysis(AnalysisTask {
            analysis: query.analysis,
            of: of.shared(query.span),
            against: against.map(|series| series.shared(query.span)),
            is_whole: of.has_points(query.span) && against.is_none_or(|series| series.has_points(query.span)),
        });
        let id = self.new_id();
        let inquiry = self.inquiries.get_mut(at)?;
        inquiry.worked.begin(id, revisions);
        inquiry.points = points;
        Some(Work::Compute { id, task })
    }

    fn is_name_being_read(&self, name: &SeriesName) -> bool {
        self.numbers_of(name).into_iter().any(|n| self.is_being_read(Unit::Series(n)))
    }

    fn will_points_come(&self, name: &SeriesName, span: Span) -> bool {
        if name.is_derived {
            return !self.is_derived(&name.text, &name.stamp) && self.series_named(name).is_some_and(|s| !s.has_points(span));
        }
        let Some(number) = self.series_number(name.topic, &name.text, &name.stamp) else {
            return false;
        };
        let gone = self.series_named(name).map(|s| s.summed_up(span)).unwrap_or_default();
        gone.iter().any(|key| self.will_be_read(*key, Unit::Series(number)))
    }

    /// None: it crashed, and comes to nothing.
    pub(super) fn analysis_done(&mut self, id: WorkId, analyzed: Option<Analyzed>) {
        let nothing = || Analyzed {
            points: Arc::default(),
            is_whole: false,
        };
        if let Some(inquiry) = self.inquiries.iter_mut().find(|i| i.worked.flight() == Some(id)) {
            inquiry.worked.end(analyzed.unwrap_or_else(nothing));
        }
    }

    /// Something wanted is being computed, or will be without anything more being read.
    pub(super) fn is_analyzing(&self) -> bool {
        let is_due = |i: &Inquiry| self.revisions(&i.query).is_some() && !self.is_analyzed(&i.query) && !self.wide_is_full;
        self.inquiries.iter().any(|i| i.worked.flight().is_some() || is_due(i))
    }
}
