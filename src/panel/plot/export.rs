//! What leaves a plot: values as CSV, the plot as a picture.
//!
//! Invariant: a CSV holds values as they are, never decimated ones, unless it says so.

use std::sync::mpsc::{Receiver, TryRecvError, channel};

use egui::{Rect, Ui};

use super::PlotPanel;
use super::canvas::time_of;
use super::config::XAxis;
use crate::panel::{Action, Make, View};
use crate::path::Point;
use crate::store::{Points, Series, integer};
use crate::time::Span;

enum Values {
    /// With what integers are more than these numbers, where they are too large.
    All(Points, Option<Points>),
    Extremes(Vec<Point>),
}

/// A picture of the plot that was asked for.
pub struct Picture {
    goes_to: Goal,
    /// None: to be asked for in this pass.
    comes: Option<Receiver<egui::ColorImage>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    File,
    Clipboard,
}

impl PlotPanel {
    /// What is shown. Over time the visible span as `time_ns,series,value`, by series, then time; where points were given up for memory,
    /// the extremes that are left stand for them, and the first line says so. Otherwise `x,series,value`.
    pub(super) fn csv(&self, view: &View) -> Make {
        let shown = (0..self.config.series.len()).filter(|i| self.is_shown(*i));
        if self.config.x_axis.is_time() {
            return self.csv_over_time(view, shown);
        }
        let head = match self.config.x_axis {
            XAxis::Frequency => "hertz,series,amplitude",
            XAxis::Value => "value,series,count",
            _ => "x,series,value",
        };
        let values = shown.filter_map(|i| Some((self.quoted_path(i), self.values(view, i)?)));
        let values: Vec<_> = values.collect();
        Make::new(move |out| {
            writeln!(out, "{head}")?;
            let mut rows = values.iter().flat_map(|(path, values)| values.iter().map(move |v| (path, v)));
            rows.try_for_each(|(path, (x, y))| writeln!(out, "{x},{path},{y}"))
        })
    }

    fn csv_over_time(&self, view: &View, shown: impl Iterator<Item = usize>) -> Make {
        const MOST_COLUMNS: usize = 1_000_000;
        let span = match self.view.x {
            Some((a, b)) => Span::new(time_of(view, a), time_of(view, b)),
            None => view.span,
        };
        let (mut is_thinned, mut is_rounded) = (false, false);
        let mut values: Vec<(String, Values)> = Vec::new();
        for index in shown {
            let Some(series) = self.series(view.store, index) else { continue };
            let Some(signal) = self.signals.get(index) else { continue };
            // of the same messages, in the same order
            let is_of_all = |rest: &&Series| rest.len() == series.len() && rest.has_points(span);
            let rest = signal.rest(view.store).filter(is_of_all);
            let of_it = match series.has_points(span) {
                true => Values::All(series.shared(span), rest.map(|rest| rest.shared(span))),
                false => Values::Extremes(series.decimated(span, MOST_COLUMNS)),
            };
            is_thinned |= matches!(of_it, Values::Extremes(_));
            is_rounded |= signal.has_rest(view.store) && !matches!(of_it, Values::All(_, Some(_)));
            values.push((self.quoted_path(index), of_it));
        }
        Make::new(move |out| {
            if is_thinned {
                writeln!(out, "# too many values for the memory budget: minima and maxima stand for them")?;
            }
            if is_rounded {
                writeln!(out, "# integers beyond 2^53 are rounded to 53 bits")?;
            }
            writeln!(out, "time_ns,series,value")?;
            let mut write = |path: &str, (t, v): Point, rest: Option<f64>| match (span.contains(t) && !v.is_nan(), rest) {
                (true, Some(rest)) => writeln!(out, "{},{path},{}", t.nanos(), integer(v, rest)),
                (true, None) => writeln!(out, "{},{path},{v}", t.nanos()),
                (false, _) => Ok(()),
            };
            values.iter().try_for_each(|(path, values)| match values {
                Values::All(points, Some(rests)) => {
                    let mut exact = points.iter().zip(rests.iter());
                    exact.try_for_each(|(p, rest)| write(path, p, Some(rest.1)))
                }
                Values::All(points, None) => points.iter().try_for_each(|p| write(path, p, None)),
                Values::Extremes(points) => points.iter().try_for_each(|p| write(path, *p, None)),
            })
        })
    }

    fn quoted_path(&self, index: usize) -> String {
        let path = self.config.series.get(index).map_or("", |s| s.path.as_str());
        format!("\"{}\"", path.replace('"', "\"\""))
    }

    pub(super) fn save_csv(&self, view: &View, out: &mut Vec<Action>) {
        out.push(Action::SaveMade {
            name: "plot.csv".into(),
            make: self.csv(view),
        });
    }

    pub(super) fn ask_for_picture(&mut self, goes_to: Goal, ctx: &egui::Context) {
        self.picture = Some(Picture { goes_to, comes: None });
        ctx.request_repaint();
    }

    /// Asks for a picture of the window, and cuts the plot out of it once it is there.
    pub(super) fn take_picture(&mut self, ui: &Ui, rect: Rect, out: &mut Vec<Action>) {
        let Some(picture) = &mut self.picture else { return };
        let Some(comes) = &picture.comes else {
            let (sender, receiver) = channel();
            let (part, scale, ctx) = (rect.intersect(ui.clip_rect()), ui.pixels_per_point(), ui.ctx().clone());
            ui.ctx().request_screenshot(move |window| {
                // where the panel is gone there is nobody to tell
                let _ = sender.send(window.region(&part, Some(scale)));
                ctx.request_repaint();
            });
            picture.comes = Some(receiver);
            return;
        };
        let goes_to = picture.goes_to;
        match comes.try_recv() {
            Ok(image) => {
                match goes_to {
                    Goal::File => out.extend(png(&image).map(|png| Action::SaveFile {
                        name: "plot.png".to_owned(),
                        bytes: png.into(),
                    })),
                    Goal::Clipboard => ui.ctx().copy_image(image),
                }
                self.picture = None;
            }
            Err(TryRecvError::Disconnected) => self.picture = None,
            Err(TryRecvError::Empty) => {}
        }
    }
}

/// A picture as PNG; None where it is empty.
fn png(picture: &egui::ColorImage) -> Option<Vec<u8>> {
    let (width, height) = (u32::try_from(picture.width()).ok()?, u32::try_from(picture.height()).ok()?);
    let mut out = std::io::Cursor::new(Vec::new());
    image::write_buffer_with_format(
        &mut out,
        picture.as_raw(),
        width,
        height,
        image::ExtendedColorType::Rgba8,
        image::ImageFormat::Png,
    )
    .ok()?;
    Some(out.into_inner())
}
