//! How one line looks, and what the pointer can do with it.

use std::sync::Arc;

use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{Align2, Color32, FontId, Galley, Rect, Sense, Ui, pos2, vec2};

use super::filter::Shown as Query;
use super::lines::{Lines, Place};
use super::{Config, TimeColumn};
use crate::decode::{LogLevel, LogRow};
use crate::panel::View;
use crate::store::TopicId;
use crate::text;
use crate::theme::{self, Palette};
use crate::time;

pub const HEIGHT: f32 = 20.0;
/// Of a wrapped line no more than this is laid out.
const LONGEST: usize = 20_000;
const LONGEST_UNWRAPPED: usize = 600;

/// What was done to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Did {
    Go,
    /// Sets a bookmark, or takes it away.
    Mark,
    CopyMessage,
    CopyLine,
    HideNode,
    OnlyNode,
    HideLike,
    /// A column for each of its numbers.
    Columns,
    /// Its file is moved until it is at the playhead.
    ToPlayhead,
    HideBefore,
    HideAfter,
}

/// Where the columns are.
pub struct Columns {
    time: TimeColumn,
    time_left: f32,
    node_left: f32,
    node_width: f32,
    /// Left end and width of each column that an expression makes.
    captured: Vec<(f32, f32)>,
    text_left: f32,
    text_width: f32,
    place_right: f32,
    place_width: f32,
}

/// A line on its place.
pub struct Shown<'a> {
    pub place: Place,
    pub line: &'a LogRow<'a>,
    pub before: Option<Place>,
    pub is_selected: bool,
    pub is_hit: bool,
    pub is_marked: bool,
    /// Received after the playhead.
    pub is_future: bool,
    /// The last one at or before the playhead.
    pub is_newest: bool,
    /// The last one at or before where the pointer is in another panel.
    pub is_under_hover: bool,
    /// Its file can be moved in time.
    pub is_of_file: bool,
    /// What stands in the columns that an expression makes.
    pub captured: Vec<&'a str>,
}

impl Columns {
    /// `has_names`: lines are of several nodes or topics; `captured`: so many columns out of lines.
    pub fn of(rect: Rect, config: &Config, has_names: bool, captured: usize) -> Columns {
        let time_left = rect.left() + 28.0;
        let time_width = match config.time {
            TimeColumn::Hidden => 0.0,
            TimeColumn::Receive | TimeColumn::Stamp => 92.0,
            TimeColumn::Relative | TimeColumn::Delta => 84.0,
        };
        // what is least important gives way first
        let wide = rect.width();
        let node_width = if config.show_node && has_names && wide > 320.0 {
            (wide * 0.16).clamp(72.0, 180.0)
        } else {
            0.0
        };
        let place_width = if config.show_place && wide > 640.0 {
            (wide * 0.18).clamp(90.0, 220.0)
        } else {
            0.0
        };
        let node_left = time_left + time_width;
        let captured_left = node_left + node_width + if node_width > 0.0 { 8.0 } else { 0.0 };
        let captured_width = (wide * 0.4 / captured.max(1) as f32).clamp(36.0, 88.0);
        let captured: Vec<(f32, f32)> = (0..captured)
            .map(|at| (captured_left + at as f32 * captured_width, captured_width - 8.0))
            .collect();
        let text_left = captured_left + captured.len() as f32 * captured_width;
        let place_right = rect.right() - 8.0;
        let text_right = place_right - place_width - if place_width > 0.0 { 12.0 } else { 0.0 };
        Columns {
            time: config.time,
            time_left,
            node_left,
            node_width,
            captured,
            text_left,
            text_width: (text_right - text_left).max(40.0),
            place_right,
            place_width,
        }
    }

    pub fn galley(&self, ui: &Ui, line: &LogRow, wrap: bool, query: &Query, is_future: bool) -> Arc<Galley> {
        let p = theme::palette(ui.visuals());
        let color = text_color(p, line.level, is_future);
        let limit = if wrap { LONGEST } else { LONGEST_UNWRAPPED };
        let text = match line.text.char_indices().nth(limit) {
            Some((end, _)) => line.text.get(..end).unwrap_or_default(),
            None => line.text,
        };
        let text = match wrap {
            true => text::in_lines(text.trim_end()),
            false => text::in_one_line(text.trim_end()),
        };
        let text = &*text;
        let plain = TextFormat::simple(FontId::proportional(12.5), color);
        let found = TextFormat {
            background: p.warn.gamma_multiply(0.35),
            ..plain.clone()
        };
        let mut job = LayoutJob {
            break_on_newline: wrap,
            wrap: if wrap {
                TextWrapping {
                    max_width: self.text_width,
                    ..TextWrapping::default()
                }
            } else {
                TextWrapping::truncate_at_width(self.text_width)
            },
            ..LayoutJob::default()
        };
        let mut spans: Vec<(std::ops::Range<usize>, TextFormat)> = query.found_in(text).into_iter().map(|r| (r, found.clone())).collect();
        for (range, filter) in query.marked_in(text) {
            // what is searched for goes before
            if !spans.iter().any(|(known, _)| known.start < range.end && range.start < known.end) {
                let background = theme::data::series(filter).gamma_multiply(0.35);
                spans.push((
                    range,
                    TextFormat {
                        background,
                        ..plain.clone()
                    },
                ));
            }
        }
        spans.sort_by_key(|(range, _)| range.start);
        let mut at = 0;
        for (range, format) in spans {
            job.append(text.get(at..range.start).unwrap_or_default(), 0.0, plain.clone());
            job.append(text.get(range.clone()).unwrap_or_default(), 0.0, format);
            at = range.end;
        }
        job.append(text.get(at..).unwrap_or_default(), 0.0, plain);
        ui.painter().layout_job(job)
    }

    /// The names of the columns that an expression makes, above them.
    pub fn heads_ui(&self, ui: &Ui, rect: Rect, names: &[String]) {
        let p = theme::palette(ui.visuals());
        for (name, (left, width)) in names.iter().zip(&self.captured) {
            let at = Rect::from_min_size(pos2(*left, rect.top()), vec2(*width, rect.height()));
            clipped(ui, at, name, p.weak, true);
            ui.interact(at, ui.scope_id().with(("column", name)), Sense::hover())
                .widget_info(|| egui::WidgetInfo::labeled(egui::Role::ColumnHeader, true, name));
        }
        ui.painter().hline(rect.x_range(), rect.bottom(), egui::Stroke::new(1.0, p.line));
    }

    pub fn height(&self, galley: &Galley) -> f32 {
        (galley.size().y + 4.0).max(HEIGHT).round()
    }
}

pub fn row_ui(ui: &mut Ui, rect: Rect, columns: &Columns, shown: &Shown, galley: Arc<Galley>, view: &View) -> Option<Did> {
    let line = shown.line;
    let response = ui.interact(rect, ui.scope_id().with(shown.place_id()), Sense::click());
    response.widget_info(|| {
        let columns: String = shown.captured.iter().map(|value| format!("{value} ")).collect();
        let text = format!("{} {} {columns}{}", line.level.name(), line.node, line.text);
        egui::WidgetInfo::selected(egui::Role::ListItem, true, shown.is_selected, text)
    });
    paint(ui, rect, columns, shown, galley, response.hovered(), view);
    let mut did = response.clicked().then_some(Did::Go);
    response.context_menu(|ui| {
        let mut item = |ui: &mut Ui, text: &str, what: Did| {
            if ui.button(text).clicked() {
                did = Some(what);
                ui.close();
            }
        };
        item(ui, "Go to this time", Did::Go);
        let mark = if shown.is_marked {
            "Take the bookmark away"
        } else {
            "Bookmark this line"
        };
        item(ui, mark, Did::Mark);
        item(ui, "Copy message", Did::CopyMessage);
        item(ui, "Copy line", Did::CopyLine);
        ui.separator();
        if !line.node.is_empty() {
            item(ui, &format!("Hide {}", line.node), Did::HideNode);
            item(ui, &format!("Only {}", line.node), Did::OnlyNode);
        }
        item(ui, "Hide lines that start like this", Did::HideLike);
        item(ui, "A column for each of its numbers", Did::Columns);
        if shown.is_of_file {
            item(ui, "Move its file until it is at the playhead", Did::ToPlayhead);
        }
        item(ui, "Hide lines before this", Did::HideBefore);
        item(ui, "Hide lines after this", Did::HideAfter);
    });
    if response.hovered() {
        tip(&response, shown, view);
    }
    did
}

impl Shown<'_> {
    fn place_id(&self) -> Place {
        self.place
    }
}

/// Everything about the line, on hover.
fn tip(response: &egui::Response, shown: &Shown, view: &View) {
    let line = shown.line;
    response.clone().on_hover_ui(|ui| {
        ui.set_max_width(520.0);
        let text: String = line.text.chars().take(2000).collect();
        ui.label(&*text::in_lines(&text));
        let mut rows = vec![("Received", time::format_utc(shown.place.time))];
        if let Some(stamp) = line.stamp {
            let late = time::format_duration(shown.place.time.since(stamp));
            rows.push(("Stamp", format!("{}, received {late} later", time::format_utc(stamp))));
        }
        if let Some(topic) = view.store.topic(Lines::topic(shown.place)) {
            rows.push(("Topic", topic.name.to_string()));
        }
        if !line.node.is_empty() {
            rows.push(("Node", line.node.to_string()));
        }
        if !line.file.is_empty() {
            rows.push(("Written in", format!("{}:{} {}", line.file, line.line, line.function)));
        }
        egui::Grid::new("about the line").num_columns(2).show(ui, |ui| {
            for (name, value) in rows {
                ui.label(egui::RichText::new(name).weak());
                ui.label(value);
                ui.end_row();
            }
        });
    });
}

fn paint(ui: &Ui, rect: Rect, columns: &Columns, shown: &Shown, galley: Arc<Galley>, hovered: bool, view: &View) {
    let p = theme::palette(ui.visuals());
    let line = shown.line;
    let painter = ui.painter();
    let level = level_color(p, line.level);
    let tint = match line.level {
        LogLevel::Warn => p.warn.gamma_multiply(0.07),
        LogLevel::Error | LogLevel::Fatal => p.error.gamma_multiply(0.10),
        LogLevel::Debug | LogLevel::Info => Color32::TRANSPARENT,
    };
    painter.rect_filled(rect, 0.0, tint);
    if shown.is_selected {
        painter.rect_filled(rect, 0.0, p.selected.gamma_multiply(0.7));
    } else if hovered {
        painter.rect_filled(rect, 0.0, p.hover.gamma_multiply(0.7));
    }
    let y = rect.top() + HEIGHT / 2.0;
    let fade = if shown.is_future { 0.55 } else { 1.0 };
    if line.level >= LogLevel::Warn {
        let bar = Rect::from_min_max(rect.min, pos2(rect.left() + 2.0, rect.bottom()));
        painter.rect_filled(bar, 0.0, level.gamma_multiply(fade));
    }
    if shown.is_marked {
        let mark = (theme::icon::BOOKMARK_SIMPLE, theme::icons(13.0));
        painter.text(pos2(rect.left() + 15.0, y), Align2::CENTER_CENTER, mark.0, mark.1, p.accent);
    } else {
        let letter = line.level.name().chars().next().unwrap_or(' ');
        painter.text(
            pos2(rect.left() + 15.0, y),
            Align2::CENTER_CENTER,
            letter,
            theme::semibold(11.0),
            level.gamma_multiply(fade),
        );
    }
    let weak = p.weak.gamma_multiply(fade);
    let time = time_text(columns.time, shown, view);
    if columns.time != TimeColumn::Hidden {
        let right = columns.node_left - 10.0;
        let (at, align) = match columns.time {
            TimeColumn::Relative | TimeColumn::Delta => (right, Align2::RIGHT_CENTER),
            _ => (columns.time_left, Align2::LEFT_CENTER),
        };
        painter.text(pos2(at, y), align, time, FontId::proportional(11.5), weak);
    }
    if columns.node_width > 0.0 {
        let at = Rect::from_min_size(pos2(columns.node_left, y - HEIGHT / 2.0), vec2(columns.node_width, HEIGHT));
        let topic = view.store.topic(Lines::topic(shown.place)).filter(|_| line.node.is_empty());
        let name = topic.map_or(line.node, |topic| &topic.name);
        clipped(ui, at, name, theme::data::of_name(name).gamma_multiply(fade), false);
    }
    for (value, (left, width)) in shown.captured.iter().zip(&columns.captured) {
        let at = Rect::from_min_size(pos2(*left, y - HEIGHT / 2.0), vec2(*width, HEIGHT));
        clipped(ui, at, value, p.text.gamma_multiply(fade), true);
    }
    if columns.place_width > 0.0 && !line.file.is_empty() {
        let left = columns.place_right - columns.place_width;
        let at = Rect::from_min_max(pos2(left, y - HEIGHT / 2.0), pos2(columns.place_right, y + HEIGHT / 2.0));
        let base = line.file.rsplit('/').next().unwrap_or(line.file);
        clipped(
            ui,
            at,
            &format!("{base}:{}", line.line),
            p.faint.gamma_multiply(fade.max(0.75)),
            true,
        );
    }
    let top = if galley.rows.len() > 1 {
        rect.top() + 2.0
    } else {
        y - galley.size().y / 2.0
    };
    painter.galley(pos2(columns.text_left, top), galley, p.text);
    if shown.is_under_hover {
        painter.hline(rect.x_range(), rect.bottom(), egui::Stroke::new(1.0, p.weak));
    }
    if shown.is_newest {
        let bottom = rect.bottom();
        painter.hline(rect.x_range(), bottom, egui::Stroke::new(1.0, p.accent));
    }
    if shown.is_hit {
        let mark = Rect::from_min_max(pos2(rect.right() - 3.0, rect.top()), rect.max);
        painter.rect_filled(mark, 0.0, p.warn);
    }
}

/// One line, cut with an ellipsis.
fn clipped(ui: &Ui, rect: Rect, text: &str, color: Color32, to_the_right: bool) {
    let seen: String = text.chars().take(120).collect();
    let mut job = LayoutJob::simple_singleline(seen, FontId::proportional(11.5), color);
    job.wrap = TextWrapping::truncate_at_width(rect.width());
    let galley = ui.painter().layout_job(job);
    let left = if to_the_right {
        rect.right() - galley.size().x
    } else {
        rect.left()
    };
    ui.painter()
        .galley(pos2(left, rect.center().y - galley.size().y / 2.0), galley, color);
}

fn time_text(column: TimeColumn, shown: &Shown, view: &View) -> String {
    match column {
        TimeColumn::Hidden => String::new(),
        TimeColumn::Receive => time::format_time_of_day(shown.place.time),
        TimeColumn::Stamp => shown.line.stamp.map(time::format_time_of_day).unwrap_or_default(),
        TimeColumn::Relative => time::format_relative(shown.place.time, view.span.start),
        TimeColumn::Delta => match shown.before {
            Some(before) => time::format_relative(shown.place.time, before.time),
            None => String::new(),
        },
    }
}

pub fn level_color(p: &Palette, level: LogLevel) -> Color32 {
    match level {
        LogLevel::Debug => p.faint,
        LogLevel::Info => p.weak,
        LogLevel::Warn => p.warn,
        LogLevel::Error | LogLevel::Fatal => p.error,
    }
}

fn text_color(p: &Palette, level: LogLevel, is_future: bool) -> Color32 {
    let color = match level {
        LogLevel::Debug => p.weak,
        _ => p.text,
    };
    if is_future { color.gamma_multiply(0.55) } else { color }
}

/// `2020-09-13 12:26:43.250  WARN  /gps  4 satellites below the mask  (gps_node.cpp:120)`.
pub fn as_text(name_of: &dyn Fn(TopicId) -> String, place: Place, line: &LogRow) -> String {
    let node = match line.node.is_empty() {
        true => name_of(Lines::topic(place)),
        false => line.node.to_string(),
    };
    let level = line.level.name().to_uppercase();
    let mut out = format!("{}  {level:<5}  {node}  {}", time::format_utc(place.time), line.text.trim_end());
    if !line.file.is_empty() {
        out.push_str(&format!("  ({}:{})", line.file, line.line));
    }
    out
}
