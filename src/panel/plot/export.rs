//! What leaves a plot: values as CSV, the plot as a picture.
//!
//! Invariant: a CSV holds values as they are, never decimated ones, unless it says so.

use std::sync::mpsc::{Receiver, TryRecvError, channel};

use egui::{Rect, Ui};

use super::PlotPanel;
use super::canvas::time_of;
use super::config::XAxis;
use super::curves::Curve;
use crate::panel::{Action, View};
use crate::time::Span;

/// A picture that was asked for, as PNG once it is there.
pub enum Picture {
    Wanted,
    Asked(Receiver<Vec<u8>>),
}

impl PlotPanel {
    /// The visible span of the visible series: `time_ns,series,value`, by series, then time. Where points were given up for memory,
    /// the extremes that are left stand for them, and the first line says so.
    pub(super) fn csv(&self, view: &View) -> String {
        const MOST_COLUMNS: usize = 1_000_000;
        let span = match self.view.x.filter(|_| self.config.x_axis.is_time()) {
            Some((a, b)) => Span::new(time_of(view, a), time_of(view, b)),
            None => view.span,
        };
        let mut out = String::from("time_ns,series,value\n");
        let mut is_thinned = false;
        for (index, config) in self.config.series.iter().enumerate().filter(|(i, _)| self.is_shown(*i)) {
            let Some(series) = self.series(view.store, index) else { continue };
            let points = series.points(span).unwrap_or_else(|| {
                is_thinned = true;
                series.decimated(span, MOST_COLUMNS)
            });
            let path = config.path.replace('"', "\"\"");
            for (t, v) in points.into_iter().filter(|(t, v)| span.contains(*t) && !v.is_nan()) {
                out.push_str(&format!("{},\"{path}\",{v}\n", t.nanos()));
            }
        }
        if is_thinned {
            out.insert_str(0, "# too many values for the memory budget: minima and maxima stand for them\n");
        }
        out
    }

    /// What is drawn where x is no time: `x,series,value`.
    fn csv_of_curves(&self, curves: &[Curve]) -> String {
        let head = match self.config.x_axis {
            XAxis::Frequency => "hertz,series,amplitude\n",
            XAxis::Value => "value,series,count\n",
            _ => "x,series,value\n",
        };
        let mut out = String::from(head);
        for curve in curves {
            let path = self
                .config
                .series
                .get(curve.index)
                .map_or("", |s| s.path.as_str())
                .replace('"', "\"\"");
            for point in curve.points.iter() {
                out.push_str(&format!("{},\"{path}\",{}\n", point.x, point.y));
            }
        }
        out
    }

    /// What is drawn, whatever x is.
    pub(super) fn csv_shown(&self, view: &View, curves: &[Curve]) -> String {
        if self.config.x_axis.is_time() {
            return self.csv(view);
        }
        self.csv_of_curves(curves)
    }

    /// As [`PlotPanel::csv_shown`], where nothing has been drawn in this pass.
    pub(super) fn csv_now(&mut self, view: &View) -> String {
        if self.config.x_axis.is_time() {
            return self.csv(view);
        }
        let curves = self.curves(view, (0.0, 0.0), 1);
        self.csv_of_curves(&curves)
    }

    pub(super) fn save_csv(&self, csv: String, out: &mut Vec<Action>) {
        out.push(Action::SaveFile {
            name: "plot.csv".into(),
            bytes: csv.into_bytes().into(),
        });
    }

    pub(super) fn ask_for_picture(&mut self, ctx: &egui::Context) {
        self.picture = Some(Picture::Wanted);
        ctx.request_repaint();
    }

    /// Asks for a picture of the window, and cuts the plot out of it once it is there.
    pub(super) fn take_picture(&mut self, ui: &Ui, rect: Rect, out: &mut Vec<Action>) {
        match &self.picture {
            None => {}
            Some(Picture::Wanted) => {
                let (sender, receiver) = channel();
                let (part, scale, ctx) = (rect.intersect(ui.clip_rect()), ui.pixels_per_point(), ui.ctx().clone());
                ui.ctx().request_screenshot(move |window| {
                    if let Some(png) = png(&window.region(&part, Some(scale))) {
                        // the panel is gone: nobody to tell
                        let _ = sender.send(png);
                    }
                    ctx.request_repaint();
                });
                self.picture = Some(Picture::Asked(receiver));
            }
            Some(Picture::Asked(receiver)) => match receiver.try_recv() {
                Ok(png) => {
                    let (name, bytes) = ("plot.png".to_owned(), png.into());
                    out.push(Action::SaveFile { name, bytes });
                    self.picture = None;
                }
                Err(TryRecvError::Disconnected) => self.picture = None,
                Err(TryRecvError::Empty) => {}
            },
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
