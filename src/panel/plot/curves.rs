//! What is drawn of each series, for whatever x is.
//!
//! Invariants: a series in view gives at most a few points a pixel column; no peak is left out. What needs all values of a span is the
//! store's work; its last result stays until the next is there.

use std::sync::Arc;

use egui_plot::PlotPoint;

use super::PlotPanel;
use super::canvas::{secs_of, time_of};
use super::config::{Side, Style, XAxis};
use crate::panel::{View, linked};
use crate::path::Point;
use crate::store::{Analysis, AnalysisQuery, Analyzed, Series, Signal, Store};
use crate::time::{Span, Time};

/// One series, ready to be drawn.
pub struct Curve {
    pub index: usize,
    pub points: Arc<Vec<PlotPoint>>,
    pub style: Style,
    pub side: Side,
    pub shape: Shape,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    Line,
    /// A reference line at this value.
    Constant(f64),
    /// Filled down to zero.
    Area,
}

/// What the store is asked to compute of a series, and what it gave last.
#[derive(Default)]
pub struct Asked {
    query: Option<Arc<AnalysisQuery>>,
    analyzed: Option<Analyzed>,
}

impl Asked {
    /// While only the span moves, what is under way is awaited first: something is seen of it.
    fn renew(&mut self, store: &Store, fresh: Option<AnalysisQuery>) {
        let Some(fresh) = fresh else {
            return *self = Asked::default();
        };
        match &self.query {
            Some(asked) if **asked == fresh => {}
            Some(asked)
                if AnalysisQuery {
                    span: fresh.span,
                    ..(**asked).clone()
                } == fresh =>
            {
                if store.is_analyzed(asked) {
                    self.query = Some(Arc::new(fresh));
                }
            }
            _ => {
                *self = Asked {
                    query: Some(Arc::new(fresh)),
                    analyzed: None,
                }
            }
        }
        if let Some(analyzed) = self.query.as_ref().and_then(|q| store.analyzed(q)) {
            self.analyzed = Some(analyzed.clone());
        }
    }

    pub fn query(&self) -> Option<&Arc<AnalysisQuery>> {
        self.query.as_ref()
    }

    /// Whether values were left out.
    pub fn is_part(&self) -> bool {
        self.analyzed.as_ref().is_some_and(|a| !a.is_whole)
    }
}

impl PlotPanel {
    pub(super) fn curves(&mut self, view: &View, (x0, x1): (f64, f64), columns: usize) -> Vec<Curve> {
        let span = Span::new(time_of(view, x0), time_of(view, x1));
        let shown: Vec<usize> = (0..self.config.series.len()).filter(|i| self.is_shown(*i)).collect();
        shown
            .into_iter()
            .filter_map(|index| self.curve(view, index, span, columns))
            .collect()
    }

    fn curve(&mut self, view: &View, index: usize, span: Span, columns: usize) -> Option<Curve> {
        let config = self.config.series.get(index)?;
        let (side, style) = (config.axis, config.style);
        let signal = self.signals.get(index)?;
        if let Some(value) = signal.constant() {
            return Some(Curve {
                index,
                points: Arc::default(),
                style,
                side,
                shape: Shape::Constant(value),
            });
        }
        let series = signal.series(view.store)?;
        if self.config.x_axis.is_time() {
            let points: Vec<PlotPoint> = series
                .decimated(span, columns)
                .into_iter()
                .map(|(t, v)| PlotPoint::new(secs_of(view, t), v))
                .collect();
            let mut values = points.iter().map(|p| p.y).filter(|y| !y.is_nan()).peekable();
            let steps = style == Style::Auto && values.peek().is_some() && values.all(|y| y == 0.0 || y == 1.0);
            return Some(Curve {
                index,
                points: Arc::new(points),
                style: if steps { Style::Steps } else { style },
                side,
                shape: Shape::Line,
            });
        }
        let values = self.values(view, index)?;
        let points = match self.config.x_axis {
            XAxis::Frequency => thinned(&values, self.view.x, columns),
            _ => values.iter().map(|(x, y)| PlotPoint::new(*x, *y)).collect(),
        };
        let shape = if self.config.x_axis == XAxis::Value {
            Shape::Area
        } else {
            Shape::Line
        };
        Some(Curve {
            index,
            points: Arc::new(points),
            style: if style == Style::Auto { Style::Line } else { style },
            side,
            shape,
        })
    }

    /// (x, y) where x is no time.
    pub(super) fn values(&self, view: &View, index: usize) -> Option<Arc<[(f64, f64)]>> {
        let newest = |signal: &Signal| Some(newest(signal.series(view.store)?, view.now));
        let numbered = |y: Vec<Point>| y.iter().enumerate().map(|(i, y)| (i as f64, y.1)).collect();
        let signal = self.signals.get(index)?;
        Some(match self.config.x_axis {
            XAxis::Index => numbered(newest(signal)?),
            XAxis::CurrentPath => newest(self.x_signals.get(index)?)?
                .iter()
                .zip(newest(signal)?)
                .map(|(x, y)| (x.1, y.1))
                .collect(),
            _ => self.asked.get(index)?.analyzed.as_ref()?.points.clone(),
        })
    }

    /// What the store is to compute of a series for this x.
    pub(super) fn query_of(&self, view: &View, signal: &Signal, x: Option<&Signal>) -> Option<AnalysisQuery> {
        let analysis = match self.config.x_axis {
            XAxis::Frequency => Analysis::Spectrum,
            XAxis::Value => Analysis::Histogram { bins: self.config.bins },
            XAxis::Path => Analysis::Pairs,
            _ => return None,
        };
        Some(AnalysisQuery {
            analysis,
            of: signal.name()?,
            against: match analysis {
                Analysis::Pairs => Some(x?.name()?),
                _ => None,
            },
            span: match analysis {
                Analysis::Pairs => Span::ALL,
                _ => self.shown_time(view),
            },
        })
    }

    /// Asks for what is not asked for yet, and takes what was computed.
    pub(super) fn renew_asked(&mut self, view: &View) {
        let mut asked = std::mem::take(&mut self.asked);
        asked.resize_with(self.config.series.len(), Asked::default);
        for (index, asked) in asked.iter_mut().enumerate() {
            let signal = self.signals.get(index).filter(|_| self.is_shown(index));
            asked.renew(
                view.store,
                signal.and_then(|signal| self.query_of(view, signal, self.x_signals.get(index))),
            );
        }
        self.asked = asked;
    }

    pub(super) fn is_shown(&self, index: usize) -> bool {
        let fits = self.signals.get(index).is_some_and(|s| super::problem(s).is_none());
        fits && self.config.series.get(index).is_some_and(|s| s.visible)
    }

    /// The time whose values a spectrum or histogram is of: what plots over time show, or all.
    pub(super) fn shown_time(&self, view: &View) -> Span {
        match self.ctx.as_ref().and_then(linked::shared).filter(|_| self.config.sync_x) {
            Some((a, b)) => Span::new(time_of(view, a), time_of(view, b)),
            None => view.span,
        }
    }
}

/// The values of the newest message at or before `t`.
fn newest(series: &Series, t: Time) -> Vec<Point> {
    let at = series.point_at(t).map(|p| p.0);
    at.and_then(|at| series.points(Span::at(at))).unwrap_or_default()
}

/// Of points by x what is in view: the least and greatest y of each pixel column.
fn thinned(points: &[(f64, f64)], view: Option<(f64, f64)>, columns: usize) -> Vec<PlotPoint> {
    let (from, to) = match view {
        Some((a, b)) => (points.partition_point(|p| p.0 < a), points.partition_point(|p| p.0 <= b)),
        None => (0, points.len()),
    };
    // with the neighbours on both sides, so that lines reach the edges
    let visible = points.get(from.saturating_sub(1)..(to + 1).min(points.len())).unwrap_or_default();
    let of_column = visible.len().div_ceil(columns.max(1));
    if of_column <= 4 {
        return visible.iter().map(|(x, y)| PlotPoint::new(*x, *y)).collect();
    }
    let extremes = |column: &[(f64, f64)]| {
        let y = |a: &(usize, &(f64, f64)), b: &(usize, &(f64, f64))| a.1.1.total_cmp(&b.1.1);
        let (low, high) = (column.iter().enumerate().min_by(y), column.iter().enumerate().max_by(y));
        let mut found: Vec<(usize, &(f64, f64))> = low.into_iter().chain(high).collect();
        found.sort_unstable_by_key(|(at, _)| *at);
        found.into_iter().map(|(_, (x, y))| PlotPoint::new(*x, *y)).collect::<Vec<_>>()
    };
    visible.chunks(of_column).flat_map(extremes).collect()
}
