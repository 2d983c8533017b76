//! The workspace on screen: headers, tabs, panels, drop targets.

use std::collections::HashMap;

use egui::{Align2, Color32, Context, CursorIcon, DragAndDrop, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo, WidgetText, vec2};
use egui_tiles::{Behavior, SimplificationOptions, TabState, Tabs, Tile, TileId, Tiles, UiResponse};

use serde_json::{Map, Value};

use super::{Dropped, Edit, Pane, Side, Workspace};
use crate::layout::Direction;
use crate::panel::{Action, DraggedPath, PanelState, View};
use crate::store::TopicId;
use crate::theme::{self, icon, palette, widget};

/// What a topic that is dragged from the sidebar carries.
#[derive(Clone, Copy, Debug)]
pub struct DraggedTopic(pub TopicId);

/// What came of drawing: to be applied after the pass.
#[derive(Default)]
pub struct Drawn {
    pub actions: Vec<Action>,
    pub edits: Vec<Edit>,
    /// Panels were moved or resized.
    pub rearranged: bool,
    /// Another tab came to the front.
    pub tab_chosen: bool,
}

/// Every panel stands in a tab group, whose bar is its header.
pub fn simplification() -> SimplificationOptions {
    SimplificationOptions {
        prune_empty_tabs: true,
        prune_empty_containers: true,
        prune_single_child_tabs: true,
        prune_single_child_containers: true,
        all_panes_must_have_tabs: true,
        join_nested_linear_containers: true,
        flatten_tabs_in_tabs: true,
    }
}

impl Workspace {
    /// Draws all visible panels, those in windows of their own included: `in_window` hears what is pressed and dropped in these.
    pub fn ui(&mut self, ui: &mut Ui, view: &View, in_window: &mut dyn FnMut(&Context)) -> Drawn {
        let titles = std::mem::take(&mut self.node_extra);
        let mut frame = Frame {
            view,
            titles: &titles,
            drawn: Drawn::default(),
            selected: self.selected.clone(),
        };
        let maximised = self.maximised.clone();
        match maximised.as_deref().and_then(|id| self.pane_mut(id)) {
            Some(pane) => frame.alone(ui, pane, icon::CORNERS_IN, "Esc"),
            None => {
                self.maximised = None;
                self.tree.ui(&mut frame, ui);
            }
        }
        for window in &mut self.windows {
            frame.window(ui, window, in_window);
        }
        let drawn = frame.drawn;
        self.edited |= drawn.tab_chosen;
        self.node_extra = titles;
        if drawn.rearranged {
            self.edited = true;
            self.is_automatic = false;
        }
        self.tell_hidden();
        drawn
    }

    /// Panels behind tabs, and all others while one fills the window.
    fn tell_hidden(&mut self) {
        let visible: Vec<String> = self.visible().into_iter().map(|pane| pane.id.clone()).collect();
        for tile in self.tree.tiles.tiles_mut() {
            if let Tile::Pane(pane) = tile
                && !visible.contains(&pane.id)
            {
                pane.panel.hidden();
            }
        }
    }
}

struct Frame<'a> {
    view: &'a View<'a>,
    titles: &'a HashMap<TileId, Map<String, Value>>,
    drawn: Drawn,
    selected: Option<String>,
}

impl Frame<'_> {
    /// One panel under a header of its own.
    fn alone(&mut self, ui: &mut Ui, pane: &mut Pane, restore_icon: &str, restore_key: &str) {
        let whole = ui.available_rect_before_wrap();
        let (bar, content) = whole.split_top_bottom_at_y(whole.top() + theme::ROW_HEIGHT);
        let p = palette(ui.visuals());
        ui.painter().rect_filled(bar, 0.0, p.overlay);
        let title = pane.panel.title(self.view);
        let name_rect = bar.with_max_x(bar.left() + 400.0).shrink2(vec2(8.0, 0.0));
        let galley = ui.painter().layout_no_wrap(title.clone(), theme::semibold(12.0), p.text);
        let dot_x = name_rect.left() + galley.size().x + 12.0;
        ui.painter().galley(
            Align2::LEFT_CENTER.align_size_within_rect(galley.size(), name_rect).min,
            galley,
            p.text,
        );
        self.state_dot(
            ui,
            Rect::from_center_size(egui::pos2(dot_x, bar.center().y), vec2(12.0, 12.0)),
            pane,
        );
        let mut right = ui.new_child(
            egui::UiBuilder::new()
                .max_rect(bar)
                .layout(egui::Layout::right_to_left(egui::Align::Center)),
        );
        right.spacing_mut().item_spacing.x = 0.0;
        if widget::icon_button(&mut right, icon::X, &format!("Close {title}"), "").clicked() {
            self.drawn.edits.push(Edit::Close(pane.id.clone()));
        }
        if widget::icon_button(&mut right, restore_icon, "Back into the layout", restore_key).clicked() {
            self.drawn.edits.push(Edit::Restore);
            self.drawn.edits.push(Edit::PopIn(pane.id.clone()));
        }
        if widget::icon_button(&mut right, icon::SLIDERS_HORIZONTAL, &format!("Settings of {title}"), "").clicked() {
            self.drawn.edits.push(Edit::ShowSettings(pane.id.clone()));
        }
        let mut inside = ui.new_child(egui::UiBuilder::new().max_rect(content));
        inside.set_clip_rect(content.intersect(ui.clip_rect()));
        self.content(&mut inside, pane);
        ui.advance_cursor_after_rect(whole);
    }

    fn window(&mut self, ui: &Ui, window: &mut super::PoppedOut, in_window: &mut dyn FnMut(&Context)) {
        let title = window.pane.panel.title(self.view);
        let (size, position) = window.opened;
        let mut builder = egui::ViewportBuilder::default()
            .with_title(format!("{title} – Roadreel"))
            .with_inner_size(size)
            .with_drag_and_drop(true);
        if let Some(position) = position {
            builder = builder.with_position(position);
        }
        let id = egui::ViewportId::from_hash_of(&window.pane.id);
        ui.ctx().show_viewport_immediate(id, builder, |ui, class| {
            let fill = palette(ui.visuals()).raised;
            egui::CentralPanel::no_frame()
                .frame(egui::Frame::new().fill(fill))
                .show(ui, |ui| self.alone(ui, &mut window.pane, icon::ARROWS_IN, ""));
            if class != egui::ViewportClass::EmbeddedWindow {
                let outer = ui.input(|i| i.viewport().outer_rect);
                window.size = ui.ctx().content_rect().size().into();
                window.position = outer.map(|rect| rect.min.into());
                in_window(ui.ctx());
            }
            if ui.input(|i| i.viewport().close_requested()) {
                self.drawn.edits.push(Edit::PopIn(window.pane.id.clone()));
            }
        });
    }

    fn content(&mut self, ui: &mut Ui, pane: &mut Pane) {
        let rect = ui.max_rect();
        ui.painter().rect_filled(rect, 0.0, palette(ui.visuals()).raised);
        self.drop_target(ui, rect, pane);
        ui.push_id(&pane.id, |ui| pane.panel.ui(ui, self.view, &mut self.drawn.actions));
        let pressed = ui.input(|i| i.pointer.any_pressed().then(|| i.pointer.interact_pos()).flatten());
        let mine = pressed.is_some_and(|at| rect.contains(at) && ui.ctx().layer_id_at(at) == Some(ui.layer_id()));
        if mine && self.selected.as_deref() != Some(&pane.id) {
            self.drawn.edits.push(Edit::Select(pane.id.clone()));
        }
    }

    fn drop_target(&mut self, ui: &Ui, rect: Rect, pane: &Pane) {
        let topic = DragAndDrop::payload::<DraggedTopic>(ui.ctx()).map(|d| d.0);
        let path = DragAndDrop::payload::<DraggedPath>(ui.ctx()).map(|d| d.0.clone());
        let what = match (topic, path) {
            (Some(topic), _) => Dropped::Topic(topic),
            (None, Some(path)) => Dropped::Path(path),
            (None, None) => return,
        };
        let Some((side, shown)) = ui.input(|i| i.pointer.interact_pos()).and_then(|at| place_of(at, rect)) else {
            return;
        };
        let edit = match (side, what) {
            (None, Dropped::Topic(topic)) => Edit::DropTopic(pane.id.clone(), topic),
            // the panel itself takes a path, and shows that it would
            (None, Dropped::Path(_)) => return,
            (Some(side), what) => Edit::DropBeside {
                id: pane.id.clone(),
                side,
                what,
            },
        };
        let p = palette(ui.visuals());
        let painter = ui
            .ctx()
            .layer_painter(egui::LayerId::new(egui::Order::Foreground, egui::Id::unique("drop target")));
        painter.rect(
            shown.shrink(2.0),
            4.0,
            p.accent.gamma_multiply(0.12),
            Stroke::new(2.0, p.accent),
            egui::StrokeKind::Inside,
        );
        if ui.input(|i| i.pointer.any_released()) {
            DragAndDrop::clear_payload(ui.ctx());
            self.drawn.edits.push(edit);
        }
    }

    fn state_dot(&self, ui: &Ui, rect: Rect, pane: &Pane) {
        let p = palette(ui.visuals());
        let state = pane.panel.state(self.view);
        let waits = matches!(state, PanelState::Pending(_));
        let id = ui.scope_id().with((&pane.id, "state"));
        if !waits_visibly(ui, id, waits) && waits {
            return;
        }
        let (color, filled, word) = match state {
            PanelState::Ready => return,
            PanelState::Stale(why) => (p.weak, false, format!("The newest message is old: {why}")),
            PanelState::Partial(why) => (p.accent, true, format!("Partly read: {why}")),
            PanelState::Pending(why) => (p.warn, true, format!("Waiting: {why}")),
            PanelState::Absent(why) => (p.faint, true, why),
            PanelState::Failed(why) => (p.error, true, format!("Failed: {why}")),
        };
        let response = ui.interact(rect, id, Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &word));
        if filled {
            ui.painter().circle_filled(rect.center(), 3.0, color);
        } else {
            ui.painter().circle_stroke(rect.center(), 2.5, Stroke::new(1.5, color));
        }
        response.on_hover_text(word);
    }

    fn header_icons(&mut self, ui: &mut Ui, pane: &Pane) {
        let title = pane.panel.title(self.view);
        let id = || pane.id.clone();
        ui.spacing_mut().item_spacing.x = 0.0;
        let entries: [(&str, String, Edit); 6] = [
            (icon::X, format!("Close {title}"), Edit::Close(id())),
            (
                icon::ARROW_SQUARE_OUT,
                format!("Move {title} to its own window"),
                Edit::PopOut(id()),
            ),
            (icon::CORNERS_OUT, format!("Maximise {title}"), Edit::Maximise(id())),
            (icon::ROWS, format!("Split {title} downwards"), Edit::Split(id(), Direction::Column)),
            (
                icon::COLUMNS,
                format!("Split {title} to the right"),
                Edit::Split(id(), Direction::Row),
            ),
            (icon::SLIDERS_HORIZONTAL, format!("Settings of {title}"), Edit::ShowSettings(id())),
        ];
        let room = ui.available_width();
        for (at, (glyph, name, edit)) in entries.into_iter().enumerate() {
            // the last ones give way in narrow panels; the same stands in the header's context menu
            if (at + 1) as f32 * 22.0 > room - 40.0 {
                break;
            }
            if widget::icon_button_sized(ui, glyph, &name, "", 22.0, false).clicked() {
                self.drawn.edits.push(edit);
            }
        }
    }

    fn given_title(&self, tile_id: TileId) -> &str {
        let extra = self.titles.get(&tile_id);
        extra.and_then(|extra| extra.get(super::TITLE)?.as_str()).unwrap_or_default()
    }

    /// `3D +2`: its first panel, and how many more.
    fn title_of_arrangement(&self, tiles: &Tiles<Pane>, tile_id: TileId) -> String {
        let mut panes = Vec::new();
        super::collect_panes(tiles, tile_id, &mut panes);
        match panes.as_slice() {
            [] => "Empty".to_owned(),
            [one] => one.panel.title(self.view),
            [first, rest @ ..] => format!("{} +{}", first.panel.title(self.view), rest.len()),
        }
    }

    /// Of a tab that holds an arrangement.
    fn arrangement_menu(&mut self, response: &Response, tile_id: TileId, title: &str) {
        // the title is typed in it
        let menu = egui::Popup::context_menu(response).close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
        menu.show(|ui| {
            let mut named = self.given_title(tile_id).to_owned();
            let field = ui.add(egui::TextEdit::singleline(&mut named).hint_text(title).desired_width(160.0));
            field
                .ctx
                .accesskit_node_builder(field.id, |node| node.set_label("Title of the tab"));
            if field.changed() {
                self.drawn.edits.push(Edit::Rename(tile_id, named));
            }
            if ui.button(format!("{}  Close the tab and its panels", icon::X)).clicked() {
                self.drawn.edits.push(Edit::CloseTab(tile_id));
                ui.close();
            }
        });
    }

    fn context_menu(&mut self, response: &Response, pane: &Pane) {
        let id = || pane.id.clone();
        response.context_menu(|ui| {
            let entries: [(&str, &str, Edit); 7] = [
                (icon::SLIDERS_HORIZONTAL, "Settings", Edit::ShowSettings(id())),
                (icon::COLUMNS, "Split to the right", Edit::Split(id(), Direction::Row)),
                (icon::ROWS, "Split downwards", Edit::Split(id(), Direction::Column)),
                (icon::TABS, "New tab beside this arrangement", Edit::AddTab(id())),
                (icon::CORNERS_OUT, "Maximise", Edit::Maximise(id())),
                (icon::ARROW_SQUARE_OUT, "Move to its own window", Edit::PopOut(id())),
                (icon::X, "Close", Edit::Close(id())),
            ];
            for (glyph, name, edit) in entries {
                if ui.button(format!("{glyph}  {name}")).clicked() {
                    self.drawn.edits.push(edit);
                    ui.close();
                }
            }
        });
    }
}

/// Where something dropped at `at` would come to a panel at `rect`, and what of it to mark: the panel itself (no side), a new one beside
/// it at its edges, or behind a tab over its header.
fn place_of(at: egui::Pos2, rect: Rect) -> Option<(Option<Side>, Rect)> {
    const EDGE: f32 = 26.0;
    let bar = Rect::from_min_max(egui::pos2(rect.left(), rect.top() - theme::ROW_HEIGHT), rect.right_top());
    if bar.contains(at) {
        return Some((Some(Side::Tab), bar));
    }
    if !rect.contains(at) {
        return None;
    }
    let reach = EDGE.min(rect.width() / 5.0).min(rect.height() / 5.0);
    let (middle, half) = (rect.center(), rect.size() / 2.0);
    let sides = [
        (at.x - rect.left(), Side::Left, rect.with_max_x(middle.x)),
        (rect.right() - at.x, Side::Right, rect.with_min_x(rect.left() + half.x)),
        (at.y - rect.top(), Side::Above, rect.with_max_y(middle.y)),
        (rect.bottom() - at.y, Side::Below, rect.with_min_y(rect.top() + half.y)),
    ];
    let nearest = sides.into_iter().filter(|s| s.0 < reach).min_by(|a, b| a.0.total_cmp(&b.0));
    Some(nearest.map_or((None, rect), |(_, side, half)| (Some(side), half)))
}

/// Whether a panel has been waiting for so long that a person should be told: what comes at once does not flash a dot.
fn waits_visibly(ui: &Ui, id: egui::Id, waits: bool) -> bool {
    const PATIENCE_SECONDS: f64 = 0.15;
    if !waits {
        ui.data_mut(|d| d.remove::<f64>(id));
        return false;
    }
    let now = ui.input(|i| i.time);
    let since = ui.data_mut(|d| *d.get_temp_mut_or(id, now));
    let left = PATIENCE_SECONDS - (now - since);
    if left > 0.0 {
        ui.request_repaint_after_secs(left as f32);
    }
    left <= 0.0
}

impl Behavior<Pane> for Frame<'_> {
    fn pane_ui(&mut self, ui: &mut Ui, _tile_id: TileId, pane: &mut Pane) -> UiResponse {
        self.content(ui, pane);
        UiResponse::None
    }

    fn tab_title_for_tile(&mut self, tiles: &Tiles<Pane>, tile_id: TileId) -> WidgetText {
        if let Some(pane) = tiles.get_pane(&tile_id) {
            return self.tab_title_for_pane(pane);
        }
        match self.given_title(tile_id) {
            "" => self.title_of_arrangement(tiles, tile_id).into(),
            title => title.into(),
        }
    }

    fn tab_title_for_pane(&mut self, pane: &Pane) -> WidgetText {
        pane.panel.title(self.view).into()
    }

    fn tab_ui(&mut self, tiles: &mut Tiles<Pane>, ui: &mut Ui, id: egui::Id, tile_id: TileId, state: &TabState) -> Response {
        let p = palette(ui.visuals());
        let title = self.tab_title_for_tile(tiles, tile_id).text().to_owned();
        let pane = tiles.get_pane(&tile_id);
        let glyph = pane.map_or(icon::SQUARES_FOUR, Pane::icon);
        let is_selected = pane.is_some_and(|pane| self.selected.as_deref() == Some(&pane.id));
        let color = if state.active { p.text } else { p.weak };
        let galley = ui.painter().layout_no_wrap(title.clone(), theme::semibold(12.0), color);
        let width = 8.0 + 18.0 + galley.size().x + 20.0;
        let (_, rect) = ui.allocate_space(vec2(width, ui.available_height()));
        let response = ui.interact(rect, id, Sense::click_and_drag()).on_hover_cursor(CursorIcon::Default);
        response.widget_info(|| WidgetInfo::selected(Role::Tab, ui.is_enabled(), state.active, &title));
        if ui.is_rect_visible(rect) && !state.is_being_dragged {
            if !state.active && response.hovered() {
                ui.painter().rect_filled(rect.shrink(2.0), 4.0, p.hover);
            }
            let icon_color = if is_selected && state.active { p.accent } else { p.weak };
            let icon_at = egui::pos2(rect.left() + 15.0, rect.center().y);
            ui.painter()
                .text(icon_at, Align2::CENTER_CENTER, glyph, theme::icons(14.0), icon_color);
            let at = egui::pos2(rect.left() + 26.0, rect.center().y - galley.size().y / 2.0);
            ui.painter().galley(at, galley, color);
        }
        if let Some(pane) = pane {
            let dot = Rect::from_center_size(egui::pos2(rect.right() - 12.0, rect.center().y), vec2(12.0, 12.0));
            // what is not drawn does not know how it stands
            if state.active {
                self.state_dot(ui, dot, pane);
            }
            self.context_menu(&response, pane);
            if response.clicked() {
                self.drawn.edits.push(Edit::Select(pane.id.clone()));
            }
            if response.double_clicked() {
                self.drawn.edits.push(Edit::Maximise(pane.id.clone()));
            }
            if response.clicked_by(egui::PointerButton::Middle) {
                self.drawn.edits.push(Edit::Close(pane.id.clone()));
            }
        } else {
            self.arrangement_menu(&response, tile_id, &title);
        }
        response
    }

    fn top_bar_right_ui(&mut self, tiles: &Tiles<Pane>, ui: &mut Ui, tile_id: TileId, tabs: &Tabs, _scroll_offset: &mut f32) {
        let active = tabs.active.and_then(|active| match tiles.get(active) {
            Some(Tile::Pane(pane)) => Some(pane),
            _ => None,
        });
        let Some(pane) = active else {
            return;
        };
        let pointer = ui.input(|i| i.pointer.hover_pos());
        let over = tiles.rect(tile_id).is_some_and(|rect| pointer.is_some_and(|at| rect.contains(at)));
        if over {
            ui.add_space(2.0);
            self.header_icons(ui, pane);
        } else {
            // there for the keyboard and for screen readers, but neither painted nor in the way of the tabs
            let mut unseen = ui.new_child(
                egui::UiBuilder::new()
                    .max_rect(ui.max_rect())
                    .layout(egui::Layout::right_to_left(egui::Align::Center)),
            );
            unseen.set_opacity(0.0);
            unseen.add_space(2.0);
            self.header_icons(&mut unseen, pane);
        }
    }

    fn tab_bar_height(&self, _style: &egui::Style) -> f32 {
        theme::ROW_HEIGHT
    }

    fn gap_width(&self, _style: &egui::Style) -> f32 {
        2.0
    }

    fn min_size(&self) -> f32 {
        80.0
    }

    fn simplification_options(&self) -> SimplificationOptions {
        simplification()
    }

    fn resize_stroke(&self, style: &egui::Style, state: egui_tiles::ResizeState) -> Stroke {
        let p = palette(&style.visuals);
        match state {
            egui_tiles::ResizeState::Idle => Stroke::new(2.0, p.base),
            egui_tiles::ResizeState::Hovering => Stroke::new(2.0, p.faint),
            egui_tiles::ResizeState::Dragging => Stroke::new(2.0, p.accent),
        }
    }

    fn tab_bar_color(&self, visuals: &egui::Visuals) -> Color32 {
        palette(visuals).overlay
    }

    fn tab_bar_hline_stroke(&self, visuals: &egui::Visuals) -> Stroke {
        Stroke::new(1.0, palette(visuals).overlay)
    }

    fn drag_preview_stroke(&self, visuals: &egui::Visuals) -> Stroke {
        Stroke::new(2.0, palette(visuals).accent)
    }

    fn drag_preview_color(&self, visuals: &egui::Visuals) -> Color32 {
        palette(visuals).accent.gamma_multiply(0.15)
    }

    fn on_edit(&mut self, edit: egui_tiles::EditAction) {
        match edit {
            egui_tiles::EditAction::TabSelected => self.drawn.tab_chosen = true,
            _ => self.drawn.rearranged = true,
        }
    }
}
