//! What is drawn of each series, for whatever x is.
//!
//! Invariant: a series in view gives at most a few points a pixel column; over time and values no peak is left out.

use std::sync::Arc;

use egui_plot::PlotPoint;

use super::analysis::{histogram, pairs, spectrum};
use super::canvas::{secs_of, time_of};
use super::config::{Side, Style, XAxis};
use super::{PlotPanel, analysis};
use crate::panel::View;
use crate::path::Point;
use crate::store::Series;
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

/// What was computed of a series, as long as nothing has changed.
pub struct Memo {
    key: Key,
    points: Arc<Vec<PlotPoint>>,
    /// Whether all values took part.
    pub is_whole: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Key {
    x_axis: XAxis,
    revisions: (u64, u64),
    span: Span,
    bins: usize,
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
        let other = match self.config.x_axis {
            XAxis::Path | XAxis::CurrentPath => Some(self.x_signal.series(view.store)?),
            _ => None,
        };
        let key = Key {
            x_axis: self.config.x_axis,
            revisions: (series.revision(), other.map_or(0, Series::revision)),
            span: match self.config.x_axis {
                XAxis::Frequency | XAxis::Value => self.shown_time(view),
                XAxis::Path => Span::ALL,
                _ => Span::at(view.now),
            },
            bins: self.config.bins,
        };
        self.memos.resize_with(self.config.series.len().max(index + 1), || None);
        let known = self.memos.get(index)?.as_ref().filter(|memo| memo.key == key);
        let points = match known {
            Some(memo) => Arc::clone(&memo.points),
            None => {
                let (points, is_whole) = compute(&key, series, other);
                let points = Arc::new(points);
                *self.memos.get_mut(index)? = Some(Memo {
                    key,
                    points: Arc::clone(&points),
                    is_whole,
                });
                points
            }
        };
        let shape = if self.config.x_axis == XAxis::Value {
            Shape::Area
        } else {
            Shape::Line
        };
        Some(Curve {
            index,
            points,
            style: if style == Style::Auto { Style::Line } else { style },
            side,
            shape,
        })
    }

    pub(super) fn is_shown(&self, index: usize) -> bool {
        let fits = self.signals.get(index).is_some_and(|s| s.problem().is_none());
        fits && self.config.series.get(index).is_some_and(|s| s.visible)
    }

    /// The time whose values a spectrum or histogram is of: what plots over time show, or all.
    pub(super) fn shown_time(&self, view: &View) -> Span {
        match super::canvas::shared_range(self.ctx.as_ref()).filter(|_| self.config.sync_x) {
            Some((a, b)) => Span::new(time_of(view, a), time_of(view, b)),
            None => view.span,
        }
    }
}

fn compute(key: &Key, series: &Series, other: Option<&Series>) -> (Vec<PlotPoint>, bool) {
    let point = |(x, y): (f64, f64)| PlotPoint::new(x, y);
    match (key.x_axis, other) {
        (XAxis::Frequency, _) => {
            let points = series.points(key.span);
            let is_whole = points.as_ref().is_some_and(|p| p.len() <= analysis::MOST_FFT);
            (spectrum(&points.unwrap_or_default()).into_iter().map(point).collect(), is_whole)
        }
        (XAxis::Value, _) => {
            let points = series.points(key.span);
            let is_whole = points.is_some();
            let values = points.unwrap_or_default();
            let (edges, counts) = histogram(values.iter().map(|p| p.1), key.bins.clamp(1, 4096));
            let bars = edges.windows(2).zip(counts).flat_map(|(edge, count)| {
                let count = count as f64;
                edge.iter().map(move |x| PlotPoint::new(*x, count)).collect::<Vec<_>>()
            });
            (bars.collect(), is_whole)
        }
        (XAxis::Path, Some(x)) => match (x.points(Span::ALL), series.points(Span::ALL)) {
            (Some(x), Some(y)) => (thinned(pairs(&x, &y)), true),
            _ => (Vec::new(), false),
        },
        (XAxis::CurrentPath, Some(x)) => {
            let pairs = newest(x, key.span.end).into_iter().zip(newest(series, key.span.end));
            (pairs.map(|(x, y)| PlotPoint::new(x.1, y.1)).collect(), true)
        }
        _ => {
            let values = newest(series, key.span.end);
            (
                values.iter().enumerate().map(|(i, p)| PlotPoint::new(i as f64, p.1)).collect(),
                true,
            )
        }
    }
}

/// The values of the newest message at or before `t`.
fn newest(series: &Series, t: Time) -> Vec<Point> {
    let at = series.point_at(t).map(|p| p.0);
    at.and_then(|at| series.points(Span::at(at))).unwrap_or_default()
}

/// Without points that would lie on the pixel of the one before, on a screen of 8,192 × 8,192.
fn thinned(pairs: Vec<(f64, f64)>) -> Vec<PlotPoint> {
    const PIXELS: f64 = 8192.0;
    if pairs.len() < 100_000 {
        return pairs.into_iter().map(|(x, y)| PlotPoint::new(x, y)).collect();
    }
    let extent = |values: &mut dyn Iterator<Item = f64>| {
        values
            .filter(|v| v.is_finite())
            .fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)))
    };
    let (x, y) = (extent(&mut pairs.iter().map(|p| p.0)), extent(&mut pairs.iter().map(|p| p.1)));
    let pixel = |v: f64, (low, high): (f64, f64)| ((v - low) / (high - low).max(f64::MIN_POSITIVE) * PIXELS) as i64;
    let mut last = None;
    let mut out = Vec::new();
    for (px, py) in pairs {
        let at = Some((pixel(px, x), pixel(py, y), px.is_nan() || py.is_nan()));
        if at != last {
            out.push(PlotPoint::new(px, py));
        }
        last = at;
    }
    out
}
