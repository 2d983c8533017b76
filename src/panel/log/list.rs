//! The list itself: lines of any height, scrolled by line and pixel, so that ten million lines scroll as ten do.
//!
//! Invariants: what stands at the top stays there while lines are found above it; while the playhead is followed the top depends on
//! the playhead alone, so that the same lines are seen however one came there.

use egui::{Rect, Sense, Ui, pos2, vec2};

use super::lines::Place;
use super::row::{self, Did};
use super::{LogPanel, Mode, TimeColumn};
use crate::decode::LogRow;
use crate::panel::{Action, View, widget};
use crate::theme;

#[derive(Default)]
pub struct List {
    /// The line at the top, and how many points of it are out of sight.
    top: Option<Place>,
    hidden: f32,
    /// To be brought into view.
    reveal: Option<Place>,
    /// The playhead that is followed.
    followed: Option<crate::time::Time>,
    /// The user has looked elsewhere since the playhead moved.
    held: bool,
    /// The pointer is on a line: its time is shared with the other panels.
    hovered: bool,
}

impl List {
    pub fn reveal(&mut self, place: Place) {
        self.reveal = Some(place);
    }
}

const BAR_WIDTH: f32 = 8.0;

impl LogPanel {
    pub(super) fn list_ui(&mut self, ui: &mut Ui, mut rect: Rect, view: &View, out: &mut Vec<Action>) {
        let has_names = self.made_of.len() > 1 || self.lines.nodes.iter().any(|n| !n.0.is_empty());
        let names = self.captured.names();
        let layout = row::Columns::of(rect.with_max_x(rect.right() - BAR_WIDTH), &self.config, has_names, names.len());
        if !names.is_empty() {
            let heads;
            (heads, rect) = rect.split_top_bottom_at_y(rect.top() + row::HEIGHT);
            layout.heads_ui(ui, heads, names);
        }
        let text_rect = rect.with_max_x(rect.right() - BAR_WIDTH);
        let count = self.lines.len();
        let response = ui.interact(rect, ui.scope_id().with("lines"), Sense::click());
        widget::named(response, "Log lines");
        let mut ui = ui.new_child(egui::UiBuilder::new().max_rect(text_rect));
        let ui = &mut ui;
        ui.set_clip_rect(text_rect.intersect(ui.clip_rect()));
        let at_playhead = self.lines.rank_of_time(view.now.plus_nanos(1));
        // playing on, or a seek from elsewhere, brings the line at the playhead back into view
        if self.list.followed != Some(view.now) {
            self.list.followed = Some(view.now);
            self.list.held = false;
        }
        let mut top = match self.list.top {
            Some(place) => self.lines.rank(place).min(count.saturating_sub(1)),
            None => 0,
        };
        if let Some(place) = self.list.reveal.take() {
            self.list.held = true;
            top = self.revealed(self.lines.rank(place), top, rect.height());
        } else if self.config.follow && !self.list.held {
            top = self.placed(at_playhead.saturating_sub(1), rect.height());
        }
        let wheel = if ui.rect_contains_pointer(rect) {
            ui.input(|i| i.smooth_scroll_delta().y)
        } else {
            0.0
        };
        self.list.hidden -= wheel;
        self.list.held |= wheel != 0.0;
        top = self.bar_ui(ui, rect, top, count);
        let mut did = None;
        top = self.settle_top(ui, &layout, top, rect.height());
        let mut y = rect.top() - self.list.hidden;
        let now_rank = at_playhead;
        let hover_rank = view
            .hover
            .filter(|_| !self.list.hovered)
            .map(|t| self.lines.rank_of_time(t.plus_nanos(1)));
        let mut hovered = None;
        let visible = (rect.height() / row::HEIGHT) as usize + 3;
        let places = self.lines.walk(top, visible);
        let mut before = top.checked_sub(1).and_then(|i| self.lines.walk(i, 1).first().copied());
        for (offset, place) in places.iter().enumerate() {
            if y > rect.bottom() {
                break;
            }
            let drawn = self.lines.with(*place, |line| {
                let galley = layout.galley(ui, line, self.config.wrap, &self.shown, top + offset >= now_rank);
                let height = layout.height(&galley);
                let at = Rect::from_min_size(pos2(rect.left(), y), vec2(text_rect.width(), height));
                let shown = row::Shown {
                    place: *place,
                    line,
                    before,
                    is_selected: self.selected == Some(*place),
                    is_hit: self.lines.is_hit(*place),
                    is_marked: self.bookmark_of(*place, line, view).is_some(),
                    is_future: top + offset >= now_rank,
                    is_newest: top + offset + 1 == now_rank,
                    is_under_hover: hover_rank == Some(top + offset + 1),
                    is_of_file: super::shift::is_of_file(view.store, *place),
                    captured: self.captured.of(line.text),
                };
                if ui.rect_contains_pointer(at) {
                    hovered = Some(place.time);
                }
                (height, row::row_ui(ui, at, &layout, &shown, galley, view))
            });
            let Some((height, done)) = drawn else { continue };
            did = done.map(|d| (*place, d)).or(did);
            before = Some(*place);
            y += height;
        }
        if hovered.is_some() || self.list.hovered {
            out.push(Action::Hover(hovered));
        }
        self.list.hovered = hovered.is_some();
        self.list.top = places.first().copied();
        if let Some((place, did)) = did {
            self.act(place, did, view, out);
        }
    }

    /// The first line to show so that `rank` is in view: unmoved where it is already.
    fn revealed(&mut self, rank: usize, top: usize, height: f32) -> usize {
        let page = ((height / row::HEIGHT) as usize).max(1);
        let margin = 2.min(page / 4);
        if rank >= top + margin && rank + margin + 1 < top + page && !self.config.wrap {
            return top;
        }
        self.placed(rank, height)
    }

    /// The first line to show so that `rank` stands two thirds down.
    fn placed(&mut self, rank: usize, height: f32) -> usize {
        let page = ((height / row::HEIGHT) as usize).max(1);
        self.list.hidden = 0.0;
        rank.saturating_sub(page * 2 / 3)
    }

    /// Moves the top by what was scrolled: line by line, each with its own height.
    fn settle_top(&mut self, ui: &Ui, layout: &row::Columns, mut top: usize, height: f32) -> usize {
        let measured = |panel: &LogPanel, index: usize| {
            let place = panel.lines.walk(index, 1).first().copied();
            let height = |line: &LogRow| layout.height(&layout.galley(ui, line, panel.config.wrap, &panel.shown, false));
            place.and_then(|p| panel.lines.with(p, height)).unwrap_or(row::HEIGHT)
        };
        if !self.config.wrap {
            let moved = (self.list.hidden / row::HEIGHT).floor();
            self.list.hidden -= moved * row::HEIGHT;
            top = top.saturating_add_signed(moved as isize);
            if moved < 0.0 && top == 0 {
                self.list.hidden = 0.0;
            }
            let page = (height / row::HEIGHT).floor() as usize;
            let last = (self.lines.len() + 1).saturating_sub(page);
            if top >= last {
                self.list.hidden = 0.0;
            }
            return top.min(last);
        }
        while self.list.hidden < 0.0 {
            let Some(above) = top.checked_sub(1) else {
                self.list.hidden = 0.0;
                break;
            };
            top = above;
            self.list.hidden += measured(self, top);
        }
        loop {
            let first = measured(self, top);
            if self.list.hidden < first || top + 1 >= self.lines.len() {
                self.list.hidden = self.list.hidden.min(first);
                return top;
            }
            self.list.hidden -= first;
            top += 1;
        }
    }

    /// The scroll bar, in lines, with marks of warnings and errors beside it.
    fn bar_ui(&mut self, ui: &mut Ui, rect: Rect, top: usize, count: usize) -> usize {
        let p = theme::palette(ui.visuals());
        let bar = rect.with_min_x(rect.right() - BAR_WIDTH);
        let page = (rect.height() / row::HEIGHT).max(1.0);
        if count as f32 <= page {
            return top;
        }
        let part = (page / count as f32).clamp(0.0, 1.0);
        let length = (bar.height() * part).max(24.0);
        let room = bar.height() - length;
        let last = (count as f32 - page).max(1.0);
        let painter = ui.painter().with_clip_rect(rect);
        let response = ui.interact(bar, ui.scope_id().with("bar"), Sense::click_and_drag());
        let response = widget::named(response, "Scroll the log");
        let mut top = top;
        if let Some(at) = response.interact_pointer_pos()
            && (response.dragged() || response.clicked())
        {
            let fraction = ((at.y - bar.top() - length / 2.0) / room.max(1.0)).clamp(0.0, 1.0);
            top = (f64::from(fraction) * f64::from(last)).round() as usize;
            self.list.held = true;
            self.list.hidden = 0.0;
        }
        let y = bar.top() + (top as f32 / last).clamp(0.0, 1.0) * room;
        let thumb = Rect::from_min_size(pos2(bar.left() + 2.0, y), vec2(BAR_WIDTH - 4.0, length));
        let color = if response.hovered() || response.dragged() {
            p.weak
        } else {
            p.faint
        };
        painter.rect_filled(thumb, 2.0, color.gamma_multiply(0.7));
        top
    }

    fn act(&mut self, place: Place, did: Did, view: &View, out: &mut Vec<Action>) {
        let owned = self.lines.with(place, |line| {
            let text = row::as_text(&|topic| super::name_of(view.store, topic), place, line);
            (line.text.to_owned(), line.node.clone(), text)
        });
        let Some((text, node, line)) = owned else { return };
        let mut changed = true;
        match did {
            Did::Go => {
                changed = false;
                (self.list.followed, self.list.held) = (Some(place.time), true);
                self.selected = Some(place);
                out.push(Action::Seek(place.time));
            }
            Did::CopyMessage => {
                changed = false;
                out.push(Action::CopyText(text));
            }
            Did::CopyLine => {
                changed = false;
                out.push(Action::CopyText(line));
            }
            Did::HideNode => {
                self.config.hidden_nodes.insert(node.to_string());
            }
            Did::OnlyNode => {
                let others = self.lines.nodes.iter().map(|n| n.0.to_string()).filter(|n| **n != *node);
                self.config.hidden_nodes = others.collect();
            }
            Did::Mark => {
                changed = false;
                self.toggle_bookmark(Some(place), view, out);
            }
            Did::Columns => {
                let Some(pattern) = super::captured::pattern_of_numbers(&text) else {
                    return;
                };
                self.config.columns = pattern;
            }
            Did::ToPlayhead => {
                changed = false;
                out.extend(super::shift::to_playhead(place, view));
            }
            Did::HideBefore => self.config.from_ns = Some(place.time.0),
            Did::HideAfter => self.config.until_ns = Some(place.time.0),
            Did::HideLike => {
                let pattern = format!("^{}", regex::escape(head_of(&text)));
                self.config.filters.push(super::Filter {
                    pattern,
                    mode: Mode::Out,
                    ..super::Filter::default()
                });
            }
        }
        if changed {
            out.push(Action::Changed);
        }
    }

    /// Which time columns a person may choose.
    pub(super) const TIMES: [(TimeColumn, &'static str); 5] = [
        (TimeColumn::Receive, "Receive time"),
        (TimeColumn::Stamp, "Header stamp"),
        (TimeColumn::Relative, "Since the start"),
        (TimeColumn::Delta, "Since the line above"),
        (TimeColumn::Hidden, "None"),
    ];
}

/// The text up to its first number: what lines of one kind share.
fn head_of(text: &str) -> &str {
    let head = text.split(|c: char| c.is_ascii_digit()).next().unwrap_or(text);
    if head.trim().len() >= 4 { head } else { text }
}
