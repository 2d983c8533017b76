//! How one row of the tree looks, and what the pointer can do with it.
//!
//! Invariant: every row is equally high, so that only the visible ones need be laid out.

use egui::{Align2, Color32, FontId, Rect, Sense, Ui, pos2, vec2};

use super::tree::{Change, Row, Tone};
use crate::panel::widget;
use crate::theme;

pub const HEIGHT: f32 = 20.0;

/// What was done to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Did {
    Toggle,
    CopyValue,
    CopyPath,
    CopyMessage,
    Plot,
    /// Show only this part of the messages.
    Narrow,
}

/// `path` is what is dragged out of a row that can be plotted; `narrows` where a part of the message may be shown alone.
pub fn row_ui(ui: &mut Ui, row: &Row, narrows: bool, path: impl FnOnce() -> String) -> Option<Did> {
    let sense = if row.plottable { Sense::click_and_drag() } else { Sense::click() };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), sense);
    if response.drag_started() || response.dragged() {
        widget::drag_path(&response, path());
    }
    response.widget_info(|| {
        let change = change_text(&row.change).map(|c| format!(" {c}")).unwrap_or_default();
        egui::WidgetInfo::labeled(egui::Role::TreeItem, true, format!("{} {}{change}", row.path, row.text))
    });
    let mut did = (response.clicked() && row.open.is_some()).then_some(Did::Toggle);
    if ui.is_rect_visible(rect) {
        paint(ui, rect, row, response.hovered());
    }
    response.context_menu(|ui| {
        let mut item = |ui: &mut Ui, text: &str, what: Did| {
            if ui.button(text).clicked() {
                did = Some(what);
                ui.close();
            }
        };
        item(ui, "Copy value", Did::CopyValue);
        item(ui, "Copy path", Did::CopyPath);
        item(ui, "Copy message as JSON", Did::CopyMessage);
        // pages of long arrays are no paths
        if narrows && !row.path.is_empty() && !row.path.contains(['…', '#']) {
            item(ui, "Show only this", Did::Narrow);
        }
        if row.plottable {
            item(ui, "Plot this field", Did::Plot);
        }
    });
    if response.contains_pointer() {
        did = hover_buttons(ui, rect, row).or(did);
    }
    did
}

fn paint(ui: &Ui, rect: Rect, row: &Row, hovered: bool) {
    let palette = theme::palette(ui.visuals());
    let painter = ui.painter();
    let change_color = match row.change {
        Change::Same => None,
        Change::Changed(_) | Change::Inside => Some(palette.warn),
        Change::Added => Some(palette.ok),
        Change::Removed => Some(palette.error),
    };
    if let Some(color) = change_color.filter(|_| row.change != Change::Inside) {
        painter.rect_filled(rect, 0.0, color.gamma_multiply(0.12));
    }
    if hovered {
        painter.rect_filled(rect, 0.0, palette.hover.gamma_multiply(0.7));
    }
    let y = rect.center().y;
    let left = rect.left() + 8.0 + row.depth as f32 * 14.0;
    if let Some(open) = row.open {
        let caret = if open { theme::icon::CARET_DOWN } else { theme::icon::CARET_RIGHT };
        painter.text(
            pos2(left + 5.0, y),
            Align2::CENTER_CENTER,
            caret,
            FontId::proportional(10.0),
            palette.weak,
        );
    }
    let label_left = left + 14.0;
    // values stand in one column, unless a deep label needs the room
    let column = rect.left() + (rect.width() * 0.38).clamp(90.0, 240.0);
    let label_color = if row.label.starts_with('[') || row.tone == Tone::Hex {
        palette.weak
    } else {
        palette.text
    };
    let label = painter.layout_no_wrap(row.label.clone(), font(row.tone == Tone::Hex), label_color);
    let value_left = if row.tone == Tone::Hex {
        label_left + 56.0
    } else {
        column.max(label_left + label.size().x + 12.0)
    };
    painter.galley(pos2(label_left, y - label.size().y / 2.0), label, label_color);
    let color = match row.tone {
        Tone::Note => palette.weak,
        Tone::Number | Tone::Text | Tone::Hex => palette.text,
    };
    let mark = change_text(&row.change).unwrap_or_default();
    let mark_width = if mark.is_empty() {
        0.0
    } else {
        ui.painter().layout_no_wrap(mark.to_owned(), font(true), color).size().x + 14.0
    };
    let value_right = (rect.right() - 6.0 - mark_width).max(value_left + 24.0);
    let value_rect = Rect::from_min_max(pos2(value_left, rect.top()), pos2(value_right, rect.bottom()));
    let used = clipped_text(ui, value_rect, &row.text, row.tone != Tone::Text, color);
    let rest = Rect::from_min_max(
        pos2(value_left + used + if used > 0.0 { 14.0 } else { 0.0 }, rect.top()),
        pos2(rect.right() - 6.0, rect.bottom()),
    );
    clipped_text(ui, rest, mark, true, change_color.unwrap_or(palette.weak));
}

/// How a change reads.
fn change_text(change: &Change) -> Option<&str> {
    match change {
        Change::Same => None,
        Change::Changed(text) => Some(text),
        Change::Added => Some("+ new"),
        Change::Removed => Some("− gone"),
        Change::Inside => Some("±"),
    }
}

fn font(monospace: bool) -> FontId {
    if monospace {
        FontId::monospace(12.0)
    } else {
        FontId::proportional(12.5)
    }
}

/// One line, cut with an ellipsis. Returns its width.
fn clipped_text(ui: &Ui, rect: Rect, text: &str, monospace: bool, color: Color32) -> f32 {
    if rect.width() < 8.0 || text.is_empty() {
        return 0.0;
    }
    // no galley of a text that nobody can see the end of
    let seen: String = text.chars().take(400).collect();
    let mut job = egui::text::LayoutJob::simple_singleline(seen, font(monospace), color);
    job.wrap = egui::text::TextWrapping::truncate_at_width(rect.width());
    let galley = ui.painter().layout_job(job);
    let size = galley.size();
    ui.painter()
        .galley(pos2(rect.left(), rect.center().y - size.y / 2.0), galley, color);
    size.x
}

/// Copy and plot, at the right end of the row under the pointer.
fn hover_buttons(ui: &Ui, rect: Rect, row: &Row) -> Option<Did> {
    let palette = theme::palette(ui.visuals());
    let mut did = None;
    let mut right = rect.right() - 6.0;
    let plot = row.plottable.then_some((theme::icon::CHART_LINE, "Plot this field", Did::Plot));
    for (icon, hint, what) in [Some((theme::icon::COPY, "Copy value", Did::CopyValue)), plot]
        .into_iter()
        .flatten()
    {
        let at = Rect::from_min_size(pos2(right - 20.0, rect.top()), vec2(20.0, rect.height()));
        right -= 22.0;
        let response = ui
            .interact(at, ui.scope_id().with((&row.path, hint)), Sense::click())
            .on_hover_text(hint);
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, hint));
        ui.painter()
            .rect_filled(at, 3.0, if response.hovered() { palette.selected } else { palette.hover });
        let color = if response.hovered() { palette.accent } else { palette.text };
        ui.painter()
            .text(at.center(), Align2::CENTER_CENTER, icon, FontId::proportional(13.0), color);
        if response.clicked() {
            did = Some(what);
        }
    }
    did
}
