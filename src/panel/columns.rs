//! Lists with columns: where they stand, their heads to sort by, and cells of one line.
//!
//! Invariant: every row is equally high, so that only the visible ones need be laid out.

use egui::{Align2, Color32, Painter, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::theme;

pub const ROW_HEIGHT: f32 = 22.0;

#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    pub name: &'a str,
    /// What it says, for the tooltip.
    pub hint: &'a str,
    /// In points; 0 takes what the others leave.
    pub width: f32,
    pub align: Align,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

/// Where the columns stand in `rect`; those on the right give way where it is narrow, to a width of 0.
pub fn places(rect: Rect, columns: &[Column], least_flexible: f32) -> Vec<Rect> {
    const MARGIN: f32 = 12.0;
    const GAP: f32 = 12.0;
    let is_flexible = |c: &Column| c.width == 0.0;
    let flexible = columns.iter().filter(|c| is_flexible(c)).count();
    let room = rect.width() - 2.0 * MARGIN - flexible as f32 * (least_flexible + GAP);
    let mut used = 0.0;
    let widths: Vec<f32> = columns
        .iter()
        .map(|c| {
            let width = c.width + GAP;
            let fits = !is_flexible(c) && used + width <= room;
            used += if fits { width } else { 0.0 };
            if fits { width } else { 0.0 }
        })
        .collect();
    let left_over = (rect.width() - 2.0 * MARGIN - used) / flexible.max(1) as f32;
    let mut left = rect.left() + MARGIN;
    let take = |(column, width): (&Column, f32)| {
        let width = if is_flexible(column) { left_over } else { width };
        let place = Rect::from_min_max(pos2(left, rect.top()), pos2(left + (width - GAP).max(0.0), rect.bottom()));
        left += width;
        place
    };
    columns.iter().zip(widths).map(take).collect()
}

/// The heads. Returns the one that was clicked; `sorted` is marked, with whether it descends.
pub fn head_ui(ui: &mut Ui, rect: Rect, columns: &[Column], places: &[Rect], sorted: Option<(usize, bool)>) -> Option<usize> {
    let p = theme::palette(ui.visuals());
    ui.painter().rect_filled(rect, 0.0, p.overlay);
    let mut clicked = None;
    for (at, (column, place)) in columns.iter().zip(places).enumerate() {
        if place.width() < 16.0 {
            continue;
        }
        let is_sorted = sorted.is_some_and(|s| s.0 == at);
        let arrow = match sorted.filter(|_| is_sorted) {
            None => "",
            Some((_, true)) => " ↓",
            Some((_, false)) => " ↑",
        };
        let place = Rect::from_x_y_ranges(place.x_range(), rect.y_range());
        let sense = if sorted.is_some() { Sense::click() } else { Sense::hover() };
        let response = ui.interact(place, ui.scope_id().with(("head", at)), sense);
        let name = match sorted {
            Some(_) => format!("Sort by {}", column.name),
            None => column.name.to_owned(),
        };
        let role = if sorted.is_some() { Role::Button } else { Role::ColumnHeader };
        response.widget_info(|| WidgetInfo::labeled(role, true, &name));
        let color = if is_sorted || (sorted.is_some() && response.hovered()) {
            p.text
        } else {
            p.weak
        };
        let painter = ui.painter().with_clip_rect(place.intersect(ui.clip_rect()));
        let (from, align) = match column.align {
            Align::Left => (place.left_center(), Align2::LEFT_CENTER),
            Align::Right => (place.right_center(), Align2::RIGHT_CENTER),
        };
        painter.text(from, align, format!("{}{arrow}", column.name), theme::semibold(11.0), color);
        let response = if column.hint.is_empty() {
            response
        } else {
            response.on_hover_text(column.hint)
        };
        if response.clicked() {
            clicked = Some(at);
        }
    }
    clicked
}

/// Room for a row, with what lies behind its cells; `name` is what screen readers say.
pub fn row_ui(ui: &mut Ui, selected: bool, name: &str) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW_HEIGHT), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Row, true, selected, name));
    let p = theme::palette(ui.visuals());
    if selected {
        ui.painter().rect_filled(rect, 0.0, p.selected);
    } else if response.hovered() {
        ui.painter().rect_filled(rect, 0.0, p.hover);
    }
    response
}

/// The width that [`cell`] needs for a text; None where `width`, or no more than `widest`, will do.
pub fn grown(painter: &Painter, text: &str, width: f32, widest: f32) -> Option<f32> {
    // no letter is wider, so that few texts are measured
    const LETTER: f32 = 12.0;
    const MEASURED: usize = 300;
    let text: String = text.chars().take(MEASURED).collect();
    if width >= widest || text.chars().count() as f32 * LETTER <= width {
        return None;
    }
    let galley = painter.layout_no_wrap(text, theme::body(), Color32::PLACEHOLDER);
    let needed = (galley.size().x.ceil() + 1.0).min(widest);
    (needed > width).then_some(needed)
}

/// A text of one line in a column's place, cut with an ellipsis.
pub fn cell(painter: &Painter, row: Rect, place: Rect, align: Align, text: &str, color: Color32) {
    if place.width() < 8.0 || text.is_empty() {
        return;
    }
    // no galley of a text that nobody can see the end of
    let seen: String = text.chars().take(300).collect();
    let seen = crate::text::in_one_line(&seen).into_owned();
    let mut job = egui::text::LayoutJob::simple_singleline(seen, theme::body(), color);
    job.wrap = egui::text::TextWrapping::truncate_at_width(place.width());
    let galley = painter.layout_job(job);
    let left = match align {
        Align::Left => place.left(),
        Align::Right => place.right() - galley.size().x,
    };
    painter.galley(pos2(left, row.center().y - galley.size().y / 2.0), galley, color);
}
