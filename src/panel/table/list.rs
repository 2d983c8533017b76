//! How the rows look, and what the pointer does with them and with the columns' heads.

use egui::{Popup, Rect, RichText, ScrollArea, Sense, Ui, Vec2b, WidgetInfo, pos2, vec2};

use super::cells::Cell;
use super::paint::{self, Paint};
use super::rows::Place;
use super::{RowsOf, Sort, TablePanel};
use crate::decode::Value;
use crate::panel::columns::{self, Align, ROW_HEIGHT};
use crate::panel::{Action, View};
use crate::theme::{self, icon};
use crate::time::{self, Time};

const PAD: f32 = 12.0;
const TIME_WIDTH: f32 = 92.0;

enum HeadDid {
    Sort,
    Hide,
    Open,
    Close(String),
    /// A rule for its colours.
    Color,
}

impl TablePanel {
    pub(super) fn list_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let rect = ui.available_rect_before_wrap();
        let (head, body) = rect.split_top_bottom_at_y(rect.top() + ROW_HEIGHT);
        let columns = self.shown_columns();
        let has_time = self.config.rows == RowsOf::Recording;
        let first_x = PAD + if has_time { TIME_WIDTH + PAD } else { 0.0 };
        self.measure_heads(ui, &columns);
        let widths: Vec<f32> = columns.iter().map(|c| self.widths.get(&c.path).copied().unwrap_or(60.0)).collect();
        let whole = first_x + widths.iter().map(|w| w + PAD).sum::<f32>();
        let current = self.row_of_playhead(view);
        let mut area = ScrollArea::new(Vec2b::TRUE).auto_shrink(false).id_salt("table rows");
        if let Some((at, time)) = current.filter(|c| has_time && self.body.is_sorted_by_time() && self.followed != Some(c.1)) {
            self.followed = Some(time);
            area = area.vertical_scroll_offset((at as f32 * ROW_HEIGHT - body.height() / 2.0).max(0.0));
        }
        let mut hovered = None;
        let mut clicked = None;
        let output = ui.scope_builder(egui::UiBuilder::new().max_rect(body), |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            area.show_rows(ui, ROW_HEIGHT, self.body.rows().len(), |ui, range| {
                ui.set_min_width(whole.max(body.width()));
                for place in self.body.rows().get(range).unwrap_or_default().to_vec() {
                    let Ok(compiled) = &self.compiled else { continue };
                    let Some(row) = self.body.value(&compiled.select, place) else {
                        continue;
                    };
                    let is_current = has_time && current.is_some_and(|c| c.1 == place.time);
                    let response = self.row_ui(ui, &row, place, (&columns, &widths), is_current, view);
                    if response.hovered() {
                        hovered = Some(place.time);
                    }
                    if response.clicked() {
                        clicked = Some(place);
                    }
                    row_menu(&response, &row, &columns, out);
                }
            })
        });
        let scrolled = output.inner.state.clamped_offset().x;
        self.heads_ui(ui, head, (&columns, &widths), first_x - scrolled, out);
        if let Some(place) = clicked {
            self.selected = (self.selected != Some(place)).then_some(place);
            if has_time {
                self.followed = Some(place.time);
                out.push(Action::Seek(place.time));
            }
        }
        if has_time && (hovered.is_some() || self.hovering) {
            out.push(Action::Hover(hovered));
            self.hovering = hovered.is_some();
        }
    }

    /// The row of the newest message at the playhead, in the order of time, and that message's time.
    fn row_of_playhead(&self, view: &View) -> Option<(usize, Time)> {
        if !self.body.is_sorted_by_time() {
            let past = self.body.rows().iter().map(|r| r.time).filter(|t| *t <= view.now);
            return past.max().map(|t| (0, t));
        }
        let after = self.body.rows().partition_point(|r| r.time <= view.now);
        let time = self.body.rows().get(after.checked_sub(1)?)?.time;
        Some((self.body.rows().partition_point(|r| r.time < time), time))
    }

    /// At least as wide as its head.
    fn measure_heads(&mut self, ui: &Ui, columns: &[Cell]) {
        for cell in columns {
            if !self.widths.contains_key(&cell.path) {
                let name = ui
                    .painter()
                    .layout_no_wrap(head_text(cell), theme::semibold(11.0), ui.visuals().text_color());
                self.widths.insert(cell.path.clone(), (name.size().x + 34.0).clamp(48.0, 240.0));
            }
        }
    }

    fn row_ui(
        &mut self,
        ui: &mut Ui,
        row: &Value,
        place: Place,
        (columns, widths): (&[Cell], &[f32]),
        is_current: bool,
        view: &View,
    ) -> egui::Response {
        const WIDEST: f32 = 280.0;
        let p = theme::palette(ui.visuals());
        let texts: Vec<String> = columns.iter().map(|c| c.text(row)).collect();
        let time = (self.config.rows == RowsOf::Recording).then(|| time::format_relative(place.time, view.span.start));
        let name: Vec<&str> = time.as_deref().into_iter().chain(texts.iter().map(String::as_str)).collect();
        let response = columns::row_ui(ui, self.selected == Some(place), &name.join(" "));
        let rect = response.rect;
        let painted = paint::painted(&self.config.colors, row, columns, &self.columns, p);
        if let Some(color) = painted.row {
            ui.painter().rect_filled(rect, 0.0, color);
        }
        if is_current {
            let mark = Rect::from_min_size(rect.min, vec2(3.0, rect.height()));
            ui.painter().rect_filled(mark, 0.0, p.accent);
        }
        let mut left = rect.left() + PAD;
        if let Some(time) = &time {
            let cell = Rect::from_min_size(pos2(left, rect.top()), vec2(TIME_WIDTH, rect.height()));
            columns::cell(ui.painter(), rect, cell, Align::Right, time, p.weak);
            left += TIME_WIDTH + PAD;
        }
        for (((cell, text), width), behind) in columns.iter().zip(&texts).zip(widths).zip(painted.cells) {
            let place = Rect::from_min_size(pos2(left, rect.top()), vec2(*width, rect.height()));
            if let Some(color) = behind {
                ui.painter().rect_filled(place.expand2(vec2(PAD / 2.0 - 1.0, -1.0)), 2.0, color);
            }
            let align = if cell.is_number && cell.names.is_empty() {
                Align::Right
            } else {
                Align::Left
            };
            let color = if cell.is_struct { p.weak } else { p.text };
            columns::cell(ui.painter(), rect, place, align, text, color);
            left += width + PAD;
            // the column grows with what it holds, and never shrinks
            if let Some(needed) = columns::grown(ui.painter(), text, *width, WIDEST) {
                let known = self.widths.entry(cell.path.clone()).or_default();
                *known = known.max(needed);
                ui.ctx().request_repaint();
            }
        }
        response
    }

    fn heads_ui(&mut self, ui: &mut Ui, rect: Rect, (columns, widths): (&[Cell], &[f32]), left: f32, out: &mut Vec<Action>) {
        let p = theme::palette(ui.visuals());
        ui.painter().rect_filled(rect, 0.0, p.overlay);
        let mut left = rect.left() + left;
        if self.config.rows == RowsOf::Recording {
            let place = Rect::from_min_size(pos2(left - TIME_WIDTH - PAD, rect.top()), vec2(TIME_WIDTH, rect.height()));
            let is_sorted = self.config.sort.is_none();
            let color = if is_sorted { p.text } else { p.weak };
            let response = ui.interact(place.intersect(rect), ui.scope_id().with("time head"), Sense::click());
            response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, "Sort by time"));
            let painter = ui.painter().with_clip_rect(rect);
            let text = if is_sorted { "Time ↑" } else { "Time" };
            painter.text(place.right_center(), egui::Align2::RIGHT_CENTER, text, theme::semibold(11.0), color);
            if response.on_hover_text("In the order in which they were received").clicked() && !is_sorted {
                self.config.sort = None;
                out.push(Action::Changed);
            }
        }
        for (cell, width) in columns.iter().zip(widths) {
            let place = Rect::from_min_size(pos2(left, rect.top()), vec2(*width, rect.height()));
            left += width + PAD;
            let seen = place.intersect(rect);
            if seen.width() < 8.0 {
                continue;
            }
            if let Some(did) = self.head_ui_of(ui, cell, place, seen) {
                self.act_on_head(cell, did);
                out.push(Action::Changed);
            }
        }
    }

    fn head_ui_of(&self, ui: &Ui, cell: &Cell, place: Rect, seen: Rect) -> Option<HeadDid> {
        let p = theme::palette(ui.visuals());
        let response = ui.interact(seen, ui.scope_id().with(("head", &cell.path)), Sense::click());
        let name = if cell.path.is_empty() { "value" } else { &cell.path };
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, format!("Sort by {name}")));
        let sort = self.config.sort.as_ref().filter(|s| s.column == cell.path);
        let arrow = match sort.map(|s| s.descending) {
            None => "",
            Some(true) => " ↓",
            Some(false) => " ↑",
        };
        let color = if sort.is_some() || response.hovered() { p.text } else { p.weak };
        let painter = ui.painter().with_clip_rect(seen);
        let caret = (cell.is_struct || cell.first_of.is_some()).then(|| {
            let glyph = if cell.is_struct { icon::CARET_RIGHT } else { icon::CARET_DOWN };
            let at = place.left_center() + vec2(5.0, 0.0);
            painter.text(at, egui::Align2::CENTER_CENTER, glyph, theme::icons(10.0), p.weak);
            Rect::from_min_size(place.min, vec2(14.0, place.height()))
        });
        let is_right = cell.is_number && cell.names.is_empty();
        let (at, align) = match is_right {
            true => (place.right_center(), egui::Align2::RIGHT_CENTER),
            false => (
                place.left_center() + vec2(if caret.is_some() { 14.0 } else { 0.0 }, 0.0),
                egui::Align2::LEFT_CENTER,
            ),
        };
        painter.text(at, align, format!("{}{arrow}", head_text(cell)), theme::semibold(11.0), color);
        let mut did = None;
        if response.clicked() {
            let at = response.interact_pointer_pos();
            let on_caret = caret.is_some_and(|caret| at.is_some_and(|at| caret.contains(at)));
            did = Some(match (on_caret, &cell.first_of) {
                (true, Some(opened)) => HeadDid::Close(opened.clone()),
                (true, None) => HeadDid::Open,
                (false, _) => HeadDid::Sort,
            });
        }
        let response = response.on_hover_text(name);
        Popup::context_menu(&response).show(|ui| {
            let mut item = |ui: &mut Ui, text: String, what: HeadDid| {
                if ui.button(text).clicked() {
                    did = Some(what);
                    ui.close();
                }
            };
            item(ui, format!("Sort by {name}"), HeadDid::Sort);
            if cell.is_struct {
                item(ui, format!("A column for each field of {name}"), HeadDid::Open);
            }
            if let Some((parent, _)) = cell.path.rsplit_once('.') {
                item(ui, format!("One column for {parent}"), HeadDid::Close(parent.to_owned()));
            }
            item(ui, format!("Colour {name} by a rule"), HeadDid::Color);
            item(ui, format!("Hide {name}"), HeadDid::Hide);
            ui.label(
                RichText::new("Hidden columns come back in the settings; rules are set there")
                    .small()
                    .weak(),
            );
        });
        did
    }

    fn act_on_head(&mut self, cell: &Cell, did: HeadDid) {
        match did {
            HeadDid::Sort => {
                let sort = self.config.sort.take().filter(|s| s.column == cell.path);
                self.config.sort = match sort {
                    // first up, then down, then as they came
                    None => Some(Sort {
                        column: cell.path.clone(),
                        ..Sort::default()
                    }),
                    Some(sort) if !sort.descending => Some(Sort { descending: true, ..sort }),
                    Some(_) => None,
                };
            }
            HeadDid::Hide => {
                self.config.hidden.insert(cell.path.clone());
            }
            HeadDid::Color => self.config.colors.push(Paint::of_column(&cell.path)),
            HeadDid::Open => {
                self.config.open.insert(cell.path.clone());
            }
            HeadDid::Close(opened) => {
                let below = format!("{opened}.");
                self.config.open.retain(|o| *o != opened && !o.starts_with(&below));
            }
        }
    }
}

fn head_text(cell: &Cell) -> String {
    if cell.path.is_empty() { "value" } else { &cell.path }.to_owned()
}

fn row_menu(response: &egui::Response, row: &Value, columns: &[Cell], out: &mut Vec<Action>) {
    response.context_menu(|ui| {
        if ui.button("Copy the row").clicked() {
            let cells: Vec<String> = columns.iter().map(|c| c.text(row)).collect();
            out.push(Action::CopyText(cells.join("\t")));
            ui.close();
        }
        if ui.button("Copy the row as JSON").clicked() {
            out.push(Action::CopyText(row.to_json()));
            ui.close();
        }
    });
}
