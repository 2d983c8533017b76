//! What stands above the lines: levels with their counts, search, filters; and the settings.

use egui::{RichText, Ui};

use super::filter::{Filter, Mode};
use super::format::Format;
use super::row::level_color;
use super::{LogPanel, TimeColumn};
use crate::decode::{Form, LogLevel};
use crate::panel::{Action, View, widget};
use crate::theme::{self, icon};
use crate::time::Time;

impl LogPanel {
    pub(super) fn tools_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        ui.horizontal(|ui| {
            ui.add_space(4.0);
            ui.spacing_mut().item_spacing.x = 4.0;
            self.levels_ui(ui, out);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = 4.0;
                ui.add_space(2.0);
                self.menu_ui(ui, view, out);
                let follow = theme::widget::icon_button_sized(ui, icon::CROSSHAIR, "Follow the playhead", "", 22.0, self.config.follow);
                if follow.clicked() {
                    self.config.follow = !self.config.follow;
                    out.push(Action::Changed);
                }
                self.search_ui(ui, view, out);
            });
        });
        self.filters_ui(ui, out);
    }

    /// One button for each level: this level and worse. Its number is that of all lines of the level.
    fn levels_ui(&mut self, ui: &mut Ui, out: &mut Vec<Action>) {
        let p = theme::palette(ui.visuals());
        let is_narrow = ui.available_width() < 460.0;
        let counts = self.lines.levels;
        for (level, count) in LogLevel::ALL.into_iter().zip(counts) {
            if count == 0 && !matches!(level, LogLevel::Info | LogLevel::Warn | LogLevel::Error) {
                continue;
            }
            let shows = level >= self.config.min_level;
            let name = if is_narrow {
                level.name().get(..1).unwrap_or_default()
            } else {
                level.name()
            };
            let color = if shows {
                level_color(p, level)
            } else {
                p.faint.gamma_multiply(0.6)
            };
            let text = RichText::new(format!("{name} {}", short_count(count)))
                .color(color)
                .font(theme::small());
            let button = ui.add(egui::Button::new(text).frame_when_inactive(false).min_size(egui::vec2(0.0, 20.0)));
            let button = button.on_hover_text(format!("{} and worse: {count} lines of this level", level.name()));
            let button = widget::named(button, &format!("{} and worse", level.name()));
            if button.clicked() {
                self.config.min_level = if self.config.min_level == level { LogLevel::Debug } else { level };
                out.push(Action::Changed);
            }
        }
    }

    fn search_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let has_search = !self.search.is_empty();
        if has_search {
            for (glyph, name, key, forward) in [
                (icon::ARROW_DOWN, "Next line found", "N", true),
                (icon::ARROW_UP, "Previous line found", "Shift+N", false),
            ] {
                if theme::widget::icon_button_sized(ui, glyph, name, key, 20.0, false).clicked() {
                    self.next_hit(view, forward, out);
                }
            }
            let hits = self.lines.hits();
            let current = self.selected.filter(|s| self.lines.is_hit(*s)).map(|s| self.lines.hit_rank(s) + 1);
            let text = match current {
                Some(at) => format!("{at} of {hits}"),
                None => format!("{hits} found"),
            };
            theme::widget::note(ui, text);
        }
        let width = (ui.available_width() - 4.0).clamp(40.0, 200.0);
        let field = ui.add(
            egui::TextEdit::singleline(&mut self.search)
                .hint_text("Search")
                .desired_width(width),
        );
        let field = widget::named(field, "Search the log");
        if field.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter)) {
            let forward = !ui.input(|i| i.modifiers.shift);
            self.next_hit(view, forward, out);
            field.request_focus();
        }
    }

    fn menu_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let button = theme::widget::icon_button_sized(ui, icon::DOTS_THREE_VERTICAL, "More of the log", "", 22.0, false);
        egui::Popup::menu(&button).show(|ui| {
            ui.set_min_width(210.0);
            if ui.button("Add a filter").clicked() {
                self.config.filters.push(Filter::default());
                out.push(Action::Changed);
            }
            for (name, key, level, forward) in [
                ("Next error", "E", LogLevel::Error, true),
                ("Previous error", "Shift+E", LogLevel::Error, false),
                ("Next warning or error", "W", LogLevel::Warn, true),
                ("Previous warning or error", "Shift+W", LogLevel::Warn, false),
            ] {
                if ui.add(egui::Button::new(name).shortcut_text(key)).clicked() {
                    self.next_mark(view, level, forward, out);
                }
            }
            if ui.checkbox(&mut self.config.wrap, "Wrap long lines").changed() {
                out.push(Action::Changed);
            }
            ui.separator();
            self.bookmarks_menu(ui, view, out);
            ui.separator();
            if ui.button("Copy the lines shown").clicked() {
                out.push(Action::CopyText(self.text(view.store)));
            }
            for (name, format) in [
                ("Save the lines shown…", Format::Text),
                ("Save the lines shown as CSV…", Format::Csv),
                ("Save the lines shown as JSON lines…", Format::Json),
            ] {
                if ui.button(name).clicked() {
                    out.push(self.save(view.store, format));
                }
            }
        });
    }

    /// The stack of expressions: only there when there are any.
    fn filters_ui(&mut self, ui: &mut Ui, out: &mut Vec<Action>) {
        let hidden = self.config.hidden_nodes.len();
        let is_cut = self.config.from_ns.is_some() || self.config.until_ns.is_some();
        if self.config.filters.is_empty() && hidden == 0 && !is_cut {
            return;
        }
        let p = theme::palette(ui.visuals());
        let mut removed = None;
        let mut changed = false;
        // every row of them begins beside the edge, and a text goes to the next one as a whole
        let margin = egui::Frame::new().inner_margin(egui::Margin::symmetric(4, 0));
        let note = |ui: &mut Ui, text: String| {
            ui.add(egui::Label::new(RichText::new(text).color(p.weak).font(theme::small())).extend());
        };
        margin.show(ui, |ui| {
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing.x = 4.0;
                for (at, filter) in self.config.filters.iter_mut().enumerate() {
                    let wrong = self.shown.errors.iter().find(|e| e.0 == filter.pattern).map(|e| e.1.clone());
                    changed |= filter_ui(ui, at, filter, wrong.as_deref());
                    if theme::widget::icon_button_sized(ui, icon::X, &format!("Remove filter {}", at + 1), "", 18.0, false).clicked() {
                        removed = Some(at);
                    }
                    ui.add_space(4.0);
                }
                if hidden > 0 {
                    let text = if hidden == 1 {
                        "1 node hidden".to_owned()
                    } else {
                        format!("{hidden} nodes hidden")
                    };
                    note(ui, text);
                    if theme::widget::icon_button_sized(ui, icon::X, "Show all nodes", "", 18.0, false).clicked() {
                        self.config.hidden_nodes.clear();
                        changed = true;
                    }
                }
                if is_cut {
                    let at = |ns: Option<i64>| ns.map(|ns| crate::time::format_time_of_day(Time(ns)));
                    let text = match (at(self.config.from_ns), at(self.config.until_ns)) {
                        (Some(from), Some(until)) => format!("{from} to {until}"),
                        (Some(from), None) => format!("from {from}"),
                        (None, until) => format!("until {}", until.unwrap_or_default()),
                    };
                    note(ui, text);
                    if theme::widget::icon_button_sized(ui, icon::X, "Show lines of all times", "", 18.0, false).clicked() {
                        (self.config.from_ns, self.config.until_ns) = (None, None);
                        changed = true;
                    }
                }
                let shown = format!("{} of {} lines", self.lines.len(), self.lines.total());
                note(ui, shown);
            })
        });
        if let Some(at) = removed {
            self.config.filters.remove(at);
        }
        if changed || removed.is_some() {
            out.push(Action::Changed);
        }
    }

    pub(super) fn settings(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        theme::widget::section(ui, "Topics");
        let before = self.config.topics.clone();
        self.topics_ui(ui, view);
        for topic in self.topics_shown(view.store) {
            if let Some(bytes) = view.store.whole_cost_bytes(topic.id) {
                let text = format!("Read all of {} ({})", topic.name, widget::bytes_text(bytes));
                if ui.button(text).clicked() {
                    out.push(Action::ReadWhole(topic.id));
                }
            }
        }
        if self.config.topics != before {
            self.selected = None;
        }
        self.shifts_ui(ui, view, out);
        theme::widget::section(ui, "Columns");
        egui::ComboBox::from_label("Time")
            .selected_text(LogPanel::TIMES.iter().find(|t| t.0 == self.config.time).map_or("", |t| t.1))
            .show_ui(ui, |ui| {
                for (value, name) in LogPanel::TIMES {
                    ui.selectable_value::<TimeColumn>(&mut self.config.time, value, name);
                }
            });
        ui.checkbox(&mut self.config.show_node, "Node");
        ui.checkbox(&mut self.config.show_place, "File and line");
        let p = theme::palette(ui.visuals());
        let wrong = self.captured.error.as_deref().filter(|_| !self.config.columns.is_empty());
        let edit = egui::TextEdit::singleline(&mut self.config.columns)
            .hint_text(r"took (?<ms>\d+) ms")
            .text_color(if wrong.is_some() { p.error } else { p.text })
            .desired_width(f32::INFINITY);
        let field = widget::named(ui.add(edit), "Columns out of lines");
        field.on_hover_text("An expression: each named group is a column");
        if let Some(why) = wrong {
            ui.label(RichText::new(why).font(theme::small()).color(p.error));
        }
        ui.checkbox(&mut self.config.wrap, "Wrap long lines");
        ui.checkbox(&mut self.config.follow, "Follow the playhead");
        theme::widget::section(ui, "Filters");
        egui::ComboBox::from_label("Least level")
            .selected_text(self.config.min_level.name())
            .show_ui(ui, |ui| {
                for level in LogLevel::ALL {
                    ui.selectable_value(&mut self.config.min_level, level, level.name());
                }
            });
        let mut removed = None;
        for (at, filter) in self.config.filters.iter_mut().enumerate() {
            ui.horizontal(|ui| {
                let wrong = self.shown.errors.iter().find(|e| e.0 == filter.pattern).map(|e| e.1.clone());
                let on = ui.checkbox(&mut filter.enabled, "").on_hover_text("Use this filter");
                widget::named(on, &format!("Use filter {}", at + 1));
                filter_ui(ui, at, filter, wrong.as_deref());
                if theme::widget::icon_button_sized(ui, icon::TRASH, &format!("Remove filter {}", at + 1), "", 20.0, false).clicked() {
                    removed = Some(at);
                }
            });
        }
        if let Some(at) = removed {
            self.config.filters.remove(at);
        }
        if ui.button("Add a filter").clicked() {
            self.config.filters.push(Filter::default());
        }
        self.nodes_ui(ui);
    }

    fn topics_ui(&mut self, ui: &mut Ui, view: &View) {
        let mut all = self.config.topics.is_empty();
        if ui.checkbox(&mut all, "All logs").changed() {
            self.config.topics = match all {
                true => Vec::new(),
                false => self.topics_shown(view.store).iter().map(|t| t.name.to_string()).collect(),
            };
        }
        for topic in view.store.topics().iter().filter(|t| t.form == Some(Form::Log)) {
            let shown = self.topics_shown(view.store).iter().any(|t| t.id == topic.id);
            let mut on = shown;
            if ui.checkbox(&mut on, &*topic.name).on_hover_text(&*topic.type_name).changed() {
                if self.config.topics.is_empty() {
                    self.config.topics = self.topics_shown(view.store).iter().map(|t| t.name.to_string()).collect();
                }
                self.config.topics.retain(|name| **name != *topic.name);
                if on {
                    self.config.topics.push(topic.name.to_string());
                }
            }
        }
    }
}

/// Include or exclude, and the expression. True: it changed.
fn filter_ui(ui: &mut Ui, at: usize, filter: &mut Filter, wrong: Option<&str>) -> bool {
    let p = theme::palette(ui.visuals());
    let (sign, hint) = match filter.mode {
        Mode::In => (icon::FUNNEL, "Only lines that fit: click to leave them out instead"),
        Mode::Out => (icon::EYE_SLASH, "Lines that fit are left out: click to let them stand out instead"),
        Mode::Mark => (icon::PAINT_BRUSH, "What fits stands out: click to show only such lines instead"),
    };
    let mut changed = false;
    let toggle = theme::widget::icon_button_sized(ui, sign, hint, "", 20.0, filter.enabled);
    if widget::named(toggle, &format!("Way of filter {}", at + 1)).clicked() {
        filter.mode = filter.mode.next();
        changed = true;
    }
    let color = if wrong.is_some() { p.error } else { p.text };
    let edit = egui::TextEdit::singleline(&mut filter.pattern)
        .hint_text("Expression")
        .text_color(color)
        .desired_width(130.0);
    let field = widget::named(ui.add(edit), &format!("Filter {}", at + 1));
    changed |= field.changed();
    if let Some(why) = wrong {
        field.on_hover_text(why);
    }
    changed
}

/// `812`, `12.4k`, `3.1M`.
pub(super) fn short_count(count: u64) -> String {
    let n = count as f64;
    match count {
        0..10_000 => count.to_string(),
        10_000..1_000_000 => format!("{:.1}k", n / 1e3),
        _ => format!("{:.1}M", n / 1e6),
    }
}
