//! The rows of an answer: only those in sight are laid out, as the table panel lays out its own.

use egui::{Rect, ScrollArea, Sense, Ui, Vec2b, WidgetInfo, pos2, vec2};

use std::sync::{Arc, PoisonError};

use super::{Sort, SqlPanel};
use crate::lake::{Cell, Found};
use crate::panel::columns::{self, Align, ROW_HEIGHT};
use crate::panel::{Action, widget};
use crate::theme;
use crate::time::format_utc;

const PAD: f32 = 12.0;
const NARROWEST: f32 = 48.0;
const WIDEST: f32 = 320.0;

impl SqlPanel {
    pub(super) fn rows_ui(&mut self, ui: &mut Ui, out: &mut Vec<Action>) {
        let Some(found) = self.found.clone() else { return };
        let rect = ui.available_rect_before_wrap();
        let (head, body) = rect.split_top_bottom_at_y(rect.top() + ROW_HEIGHT);
        let names = found.columns();
        // the first rows say how wide the columns are; they grow with what comes into sight
        for (at, name) in names.iter().enumerate() {
            self.widths.entry(at).or_insert_with(|| {
                let text = ui
                    .painter()
                    .layout_no_wrap(name.clone(), theme::semibold(11.0), ui.visuals().text_color());
                (text.size().x + 24.0).clamp(NARROWEST, WIDEST)
            });
        }
        let order = self.order.as_ref();
        let order = order.and_then(|order| order.rows.lock().unwrap_or_else(PoisonError::into_inner).clone());
        let row_at = |place: usize| match &order {
            Some(order) => order.get(place).copied().unwrap_or(0),
            None => u32::try_from(place).unwrap_or(u32::MAX),
        };
        let number_width = 10.0 + found.len().to_string().len() as f32 * 7.4;
        let first_x = PAD + number_width + PAD;
        let widths: Vec<f32> = (0..names.len())
            .map(|at| self.widths.get(&at).copied().unwrap_or(NARROWEST))
            .collect();
        let whole = first_x + widths.iter().map(|w| w + PAD).sum::<f32>();
        let output = ui.scope_builder(egui::UiBuilder::new().max_rect(body), |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            let area = ScrollArea::new(Vec2b::TRUE).auto_shrink(false).id_salt("answer");
            area.show_rows(ui, ROW_HEIGHT, found.len(), |ui, range| {
                ui.set_min_width(whole.max(body.width()));
                for place in range {
                    self.row_ui(ui, &found, row_at(place), (number_width, &widths), out);
                }
            })
        });
        let scrolled = output.inner.state.clamped_offset().x;
        self.heads_ui(ui, head, &names, (&widths, first_x - scrolled), &found, out);
    }

    fn row_ui(&mut self, ui: &mut Ui, found: &Arc<Found>, row: u32, (number_width, widths): (f32, &[f32]), out: &mut Vec<Action>) {
        let p = theme::palette(ui.visuals());
        let at = row as usize;
        let cells: Vec<(String, bool)> = (0..widths.len()).map(|column| text(&found.cell(at, column))).collect();
        let name: Vec<&str> = cells.iter().map(|(text, _)| text.as_str()).collect();
        let response = columns::row_ui(ui, self.selected == Some(row), &name.join(" "));
        let rect = response.rect;
        let mut left = rect.left() + PAD;
        let cell_at = |left: f32, width: f32| Rect::from_min_size(pos2(left, rect.top()), vec2(width, rect.height()));
        columns::cell(
            ui.painter(),
            rect,
            cell_at(left, number_width),
            Align::Right,
            &(at + 1).to_string(),
            p.faint,
        );
        left += number_width + PAD;
        for (column, ((text, is_null), width)) in cells.iter().zip(widths).enumerate() {
            let align = if found.is_number(column) { Align::Right } else { Align::Left };
            let color = if *is_null { p.faint } else { p.text };
            let place = cell_at(left, *width);
            if place.intersects(ui.clip_rect()) {
                columns::cell(ui.painter(), rect, place, align, text, color);
            }
            left += width + PAD;
            if let Some(needed) = columns::grown(ui.painter(), text, *width, WIDEST) {
                self.widths.insert(column, needed);
                ui.ctx().request_repaint();
            }
        }
        if response.clicked() {
            self.selected = (self.selected != Some(row)).then_some(row);
        }
        response.context_menu(|ui| {
            if ui.button("Copy the row").clicked() {
                let texts: Vec<&str> = cells
                    .iter()
                    .map(|(text, is_null)| if *is_null { "" } else { text.as_str() })
                    .collect();
                out.push(Action::CopyText(texts.join("\t")));
                ui.close();
            }
            if ui.button("Copy the row as JSON").clicked() {
                out.push(Action::CopyText(found.row_json(at)));
                ui.close();
            }
        });
    }

    fn heads_ui(&mut self, ui: &mut Ui, rect: Rect, names: &[String], (widths, left): (&[f32], f32), found: &Found, out: &mut Vec<Action>) {
        let p = theme::palette(ui.visuals());
        ui.painter().rect_filled(rect, 0.0, p.overlay);
        let mut left = rect.left() + left;
        for (column, (name, width)) in names.iter().zip(widths).enumerate() {
            let place = Rect::from_min_size(pos2(left, rect.top()), vec2(*width, rect.height()));
            left += width + PAD;
            let seen = place.intersect(rect);
            if seen.width() < 8.0 {
                continue;
            }
            let sort = self.config.sort.as_ref().filter(|sort| sort.column == *name);
            let arrow = match sort {
                None => "",
                Some(sort) if sort.descending => " ↓",
                Some(_) => " ↑",
            };
            let response = ui.interact(seen, ui.scope_id().with(("head", column)), Sense::click());
            response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, format!("Sort by {name}")));
            let color = if sort.is_some() || response.hovered() { p.text } else { p.weak };
            let (from, align) = match found.is_number(column) {
                true => (place.right_center(), egui::Align2::RIGHT_CENTER),
                false => (place.left_center(), egui::Align2::LEFT_CENTER),
            };
            let painter = ui.painter().with_clip_rect(seen.intersect(ui.clip_rect()));
            painter.text(from, align, format!("{name}{arrow}"), theme::semibold(11.0), color);
            if response.on_hover_text(name).clicked() {
                // first up, then down, then as they came
                self.config.sort = match self.config.sort.take().filter(|sort| sort.column == *name) {
                    None => Some(Sort {
                        column: name.clone(),
                        ..Sort::default()
                    }),
                    Some(sort) if !sort.descending => Some(Sort { descending: true, ..sort }),
                    Some(_) => None,
                };
                out.push(Action::Changed);
            }
        }
    }
}

/// As the table panel writes it; and whether there is nothing.
fn text(cell: &Cell) -> (String, bool) {
    match cell {
        Cell::Null => ("null".to_owned(), true),
        Cell::Float(number) => (widget::cell_number(*number, 7), false),
        Cell::Time(time) => (format_utc(*time), false),
        Cell::Text(text) => (text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(), false),
    }
}
