//! The left sidebar: what is open, and its topics.

use egui::{Align2, CursorIcon, RichText, Role, Sense, Stroke, Ui, WidgetInfo, vec2};

use super::AppState;
use super::command::Command;
use super::layouts::Page;
use super::top_bar::bytes;
use crate::panel::PANELS;
use crate::store::{SourceState, Topic, TopicId};
use crate::text::{counted, grouped};
use crate::theme::{self, icon, palette, widget};
use crate::workspace::{DraggedTopic, Edit};

const ROW_HEIGHT: f32 = 40.0;
/// In a narrower sidebar only the page that is shown has its name.
const ROOM_FOR_NAMES: f32 = 336.0;

#[derive(Default)]
pub struct TopicsState {
    search: String,
    /// The fields of the selected topic stand below the list. Opened by hand: nothing moves under a double click.
    pub fields_open: bool,
}

pub fn ui(ui: &mut Ui, state: &mut AppState) {
    let p = palette(ui.visuals());
    let mut open = state.sidebars.left;
    let frame = egui::Frame::new().fill(p.raised).inner_margin(egui::Margin::symmetric(8, 6));
    let width = (ui.max_rect().width() * 0.25).round().clamp(176.0, 248.0);
    egui::Panel::left("topics")
        .default_size(state.sidebars.left_width.unwrap_or(width))
        .size_range(160.0..=520.0)
        .show_separator_line(false)
        .drag_to_open(false)
        .frame(frame)
        .show_collapsible(ui, &mut open, |ui| {
            pages(ui, state);
            match state.layouts.page {
                Page::Topics => {
                    sources(ui, state);
                    super::fields::ui(ui, state);
                    topics(ui, state);
                }
                Page::Scenes => super::scenes::ui(ui, state),
                Page::Layouts => super::library_list::ui(ui, state),
                Page::History => super::history_list::ui(ui, state),
            }
        });
    state.sidebars.left = open;
    if let Some(size) = super::edges::resized(ui, "topics") {
        state.sidebars.left_width = Some(size.x.round());
    }
}

/// What the sidebar can show, one beside the other.
fn pages(ui: &mut Ui, state: &mut AppState) {
    let p = palette(ui.visuals());
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        let has_room = ui.available_width() > ROOM_FOR_NAMES;
        let pages = [
            (Page::Topics, icon::BROADCAST, "Topics"),
            (Page::Scenes, icon::BOOKMARK_SIMPLE, "Scenes"),
            (Page::Layouts, icon::SQUARES_FOUR, "Layouts"),
            (Page::History, icon::CLOCK_COUNTER_CLOCKWISE, "History"),
        ];
        for (page, glyph, name) in pages {
            let is_shown = state.layouts.page == page;
            let color = if is_shown { p.text } else { p.weak };
            let text = if is_shown || has_room {
                format!("{glyph}  {name}")
            } else {
                glyph.to_owned()
            };
            let text = RichText::new(text).font(theme::semibold(12.0)).color(color);
            let button = egui::Button::selectable(is_shown, text).min_size(vec2(0.0, 24.0));
            let tab = ui.add(button).on_hover_text(name);
            tab.widget_info(|| WidgetInfo::selected(Role::Tab, true, is_shown, name));
            if tab.clicked() && !is_shown {
                state.layouts.page = page;
                if page == Page::Layouts {
                    state.list_library();
                }
            }
        }
    });
    ui.add_space(4.0);
}

fn sources(ui: &mut Ui, state: &mut AppState) {
    let p = palette(ui.visuals());
    ui.horizontal(|ui| {
        widget::section(ui, "Sources");
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if widget::icon_button_sized(ui, icon::PLUS, Command::AddFile.name(), "", 20.0, false).clicked() {
                let ctx = ui.ctx().clone();
                state.run(Command::AddFile, &ctx);
            }
        });
    });
    for source in state.store.sources() {
        ui.horizontal(|ui| {
            let (color, word) = match &source.state {
                SourceState::Open => (p.ok, "open"),
                SourceState::Opening => (p.warn, "opening"),
                SourceState::Indexing { .. } => (p.warn, "being scanned"),
                SourceState::Failed(_) => (p.error, "failed"),
            };
            widget::dot(ui, color, 20.0, word);
            let size = RichText::new(bytes(source.size)).font(theme::small()).color(p.weak);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.label(size);
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                    let name = ui.add(egui::Label::new(source.location.name()).truncate());
                    match &source.state {
                        SourceState::Failed(why) => name.on_hover_text(why.to_string()),
                        _ => name.on_hover_text(source.location.to_string()),
                    };
                });
            });
        });
    }
    ui.add_space(4.0);
}

fn topics(ui: &mut Ui, state: &mut AppState) {
    let p = palette(ui.visuals());
    let count = state.store.topics().len();
    widget::section(ui, &format!("Topics  {count}"));
    let hint = RichText::new(format!("{}  Filter topics and types", icon::MAGNIFYING_GLASS)).color(p.faint);
    let field = egui::TextEdit::singleline(&mut state.topics.search)
        .hint_text(hint)
        .desired_width(f32::INFINITY);
    let response = ui.add(field);
    response.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Filter topics"));
    ui.add_space(4.0);

    let words: Vec<String> = state.topics.search.split_whitespace().map(str::to_lowercase).collect();
    let fits = |topic: &&Topic| {
        let text = format!("{} {}", topic.name, topic.type_name).to_lowercase();
        words.iter().all(|word| text.contains(word))
    };
    let shown: Vec<Topic> = state.store.topics().iter().filter(fits).cloned().collect();
    if shown.is_empty() {
        widget::note(
            ui,
            if count == 0 {
                "The recording has no topics."
            } else {
                "No topic or type holds these words."
            },
        );
        return;
    }
    let (mut selected, mut added) = (None, None);
    egui::ScrollArea::vertical()
        .auto_shrink(false)
        .show_rows(ui, ROW_HEIGHT, shown.len(), |ui, rows| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for topic in shown.get(rows).unwrap_or_default() {
                let is_selected = state.selected_topic == Some(topic.id);
                let is_loaded = !state.loaded(topic.id).is_empty();
                let response = row(ui, topic, is_selected, is_loaded);
                if response.clicked() {
                    selected = Some(topic.id);
                }
                if response.double_clicked() {
                    added = Some(topic.id);
                }
                response.dnd_set_drag_payload(DraggedTopic(topic.id));
                drag_ghost(ui, topic);
                response.context_menu(|ui| {
                    if ui.button("Add a panel for it").clicked() {
                        added = Some(topic.id);
                        ui.close();
                    }
                    ui.menu_button("Show it in", |ui| kinds_menu(ui, state, topic.id));
                    if ui.button("Show its fields").clicked() {
                        selected = Some(topic.id);
                        state.topics.fields_open = true;
                        ui.close();
                    }
                    if ui.button("Copy its name").clicked() {
                        ui.ctx().copy_text(topic.name.to_string());
                        ui.close();
                    }
                });
            }
        });
    if let Some(topic) = selected {
        state.selected_topic = Some(topic);
        ui.ctx().request_repaint();
    }
    if let Some(topic) = added {
        state.add_for_topic(topic);
        ui.ctx().request_repaint();
    }
}

/// All kinds of panels that can show it.
fn kinds_menu(ui: &mut Ui, state: &mut AppState, topic: TopicId) {
    let mut chosen = None;
    for kind in PANELS {
        let Some(config) = kind.config_for(&state.view(), topic) else {
            continue;
        };
        if ui.button(kind.name).on_hover_text(kind.what).clicked() {
            chosen = Some((kind.id.to_owned(), config));
            ui.close();
        }
    }
    if let Some((kind, config)) = chosen {
        state.selected_topic = Some(topic);
        let beside = state.workspace.selected.clone();
        state.edit(Edit::Add { kind, config, beside });
    }
}

fn row(ui: &mut Ui, topic: &Topic, is_selected: bool, is_loaded: bool) -> egui::Response {
    let p = palette(ui.visuals());
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW_HEIGHT), Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, is_selected, &*topic.name));
    if ui.is_rect_visible(rect) {
        let fill = if is_selected {
            p.selected
        } else if response.hovered() {
            p.hover
        } else {
            p.raised
        };
        let back = rect.expand2(vec2(4.0, -1.0));
        ui.painter().rect_filled(back, 4.0, fill);
        let left = rect.left() + 14.0;
        let mark = egui::pos2(rect.left() + 4.0, rect.top() + 13.0);
        if is_loaded {
            ui.painter().circle_filled(mark, 2.5, p.accent);
        } else {
            ui.painter().circle_stroke(mark, 2.5, Stroke::new(1.0, p.faint));
        }
        let rate = rate_text(topic);
        let right = ui.painter().layout_no_wrap(rate, theme::small(), p.weak);
        let room = rect.right() - left - right.size().x - 8.0;
        let name = elided_name(ui, &topic.name, theme::body(), p.text, room);
        ui.painter().galley(egui::pos2(left, rect.top() + 4.0), name, p.text);
        ui.painter()
            .galley(egui::pos2(rect.right() - right.size().x, rect.top() + 6.0), right, p.weak);
        let count = ui.painter().layout_no_wrap(grouped(topic.messages), theme::small(), p.faint);
        let room = rect.right() - left - count.size().x - 8.0;
        let type_name = elided(ui, &topic.type_name, theme::small(), p.faint, room);
        ui.painter().galley(egui::pos2(left, rect.top() + 21.0), type_name, p.faint);
        ui.painter()
            .galley(egui::pos2(rect.right() - count.size().x, rect.top() + 21.0), count, p.faint);
    }
    let response = response.on_hover_cursor(CursorIcon::Default);
    if response.dragged() {
        response
    } else {
        response.on_hover_ui(|ui| tooltip(ui, topic))
    }
}

fn tooltip(ui: &mut Ui, topic: &Topic) {
    ui.label(RichText::new(&*topic.name).font(theme::semibold(13.0)));
    ui.label(&*topic.type_name);
    let connections = match topic.connections {
        0 | 1 => String::new(),
        n => format!(", {n} connections"),
    };
    let latched = if topic.latching { ", latched" } else { "" };
    widget::note(ui, format!("{}{connections}{latched}", counted(topic.messages, "message")));
    if let Some(error) = &topic.schema_error {
        let p = palette(ui.visuals());
        ui.colored_label(p.warn, &**error);
    }
    widget::note(ui, "Drag onto a panel, double-click for a new one, right-click for its fields");
}

fn drag_ghost(ui: &Ui, topic: &Topic) {
    let dragged: Option<TopicId> = egui::DragAndDrop::payload::<DraggedTopic>(ui.ctx()).map(|d| d.0);
    let Some(at) = ui.input(|i| i.pointer.interact_pos()) else { return };
    if dragged != Some(topic.id) {
        return;
    }
    let p = palette(ui.visuals());
    let painter = ui
        .ctx()
        .layer_painter(egui::LayerId::new(egui::Order::Tooltip, egui::Id::unique("dragged topic")));
    let galley = painter.layout_no_wrap(topic.name.to_string(), theme::body(), p.text);
    let rect = Align2::LEFT_CENTER.anchor_size(at + vec2(14.0, 8.0), galley.size() + vec2(16.0, 8.0));
    painter.rect(rect, 4.0, p.overlay, Stroke::new(1.0, p.accent), egui::StrokeKind::Inside);
    painter.galley(rect.min + vec2(8.0, 4.0), galley, p.text);
    ui.ctx().set_cursor_icon(CursorIcon::Grabbing);
}

/// Where it is too long, its first segment gives way: topics of one device share that, not what follows.
pub fn elided_name(ui: &Ui, name: &str, font: egui::FontId, color: egui::Color32, width: f32) -> std::sync::Arc<egui::Galley> {
    let whole = ui.painter().layout_no_wrap(name.to_owned(), font.clone(), color);
    if whole.size().x <= width {
        return whole;
    }
    match name.trim_start_matches('/').split_once('/') {
        Some((_, rest)) => elided(ui, &format!("…/{rest}"), font, color, width),
        None => elided(ui, name, font, color, width),
    }
}

/// Cut at the end where it is too long.
pub fn elided(ui: &Ui, text: &str, font: egui::FontId, color: egui::Color32, width: f32) -> std::sync::Arc<egui::Galley> {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, color);
    job.wrap = egui::text::TextWrapping::truncate_at_width(width.max(16.0));
    ui.painter().layout_job(job)
}

fn rate_text(topic: &Topic) -> String {
    match topic.rate_hz() {
        None => String::new(),
        Some(hz) if hz >= 99.5 => format!("{hz:.0} Hz"),
        Some(hz) if hz >= 9.95 => format!("{hz:.0} Hz"),
        Some(hz) if hz >= 0.95 => format!("{hz:.1} Hz"),
        Some(hz) => format!("{hz:.2} Hz"),
    }
}
