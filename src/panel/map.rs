//! Where the drive was: whole tracks on a map, the position at the playhead, distances.
//!
//! Invariants: the map shows all that is loaded of a track, not only what was played; nothing is asked of the network unless a layer
//! that needs it is chosen.

mod draw;
mod features;
mod mercator;
mod ribbon;
mod settings;
mod tiles;
mod track;
mod world;

pub use world::wait as wait_for_ground;

use std::collections::BTreeMap;

use egui::{Align2, CursorIcon, PointerButton, Rect, Sense, Ui};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::decode::Form;
use crate::panel::ink::Ink;
use crate::panel::{Action, Kind, Panel, PanelState, View, command, widget};
use crate::render::Colormap;
use crate::store::{Lookup, Signal, Stamp, Store, Topic, TopicId, Want, What};
use crate::theme::{self, icon};
use crate::time::Span;
use mercator::{Viewport, World};
use tiles::{Ground, Layer, Tiles};
use track::{Found, Track};

pub const KIND: Kind = Kind {
    id: "map",
    name: "Map",
    what: "Where the drive was: GPS tracks on a map, offline or with tiles",
    icon: theme::icon::MAP_TRIFOLD,
    create: |config| Box::new(MapPanel::new(config)),
    schema: crate::panel::schema_of::<Config>,
    automatic,
};

/// What a layout stores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
struct Config {
    /// Empty: every topic of positions.
    topics: Vec<String>,
    /// Topics that are not shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hidden: Vec<String>,
    layer: Layer,
    /// `https://…/{z}/{x}/{y}.png`.
    custom_tiles: String,
    /// Whom they are by.
    #[serde(skip_serializing_if = "String::is_empty")]
    custom_attribution: String,
    /// A PMTiles or MBTiles file: a path or an address.
    tile_file: String,
    color_by: ColorBy,
    /// For [`ColorBy::Path`].
    color_path: String,
    colormap: Colormap,
    line_width_points: f32,
    show_points: bool,
    follow: bool,
    /// Whose position is followed; empty: the first's.
    #[serde(skip_serializing_if = "String::is_empty")]
    follow_topic: String,
    /// Of tracks, by the names of their topics; others have one of the series' colours.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    colors: BTreeMap<String, Ink>,
    /// Seconds that are added to the times of a topic's track, by its name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    offsets: BTreeMap<String, f64>,
    /// Latitude, longitude and zoom; None: the tracks fill the panel.
    view: Option<[f64; 3]>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            topics: Vec::new(),
            hidden: Vec::new(),
            layer: Layer::Offline,
            custom_tiles: String::new(),
            custom_attribution: String::new(),
            tile_file: String::new(),
            color_by: ColorBy::Topic,
            color_path: String::new(),
            colormap: Colormap::Viridis,
            line_width_points: 3.0,
            show_points: false,
            follow: false,
            follow_topic: String::new(),
            colors: BTreeMap::new(),
            offsets: BTreeMap::new(),
            view: None,
            extra: Map::new(),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ColorBy {
    #[default]
    Topic,
    Status,
    /// One standard deviation of the horizontal position.
    Accuracy,
    Speed,
    Altitude,
    /// A scalar of any topic.
    Path,
}

struct MapPanel {
    config: Config,
    tracks: Vec<Track>,
    tiles: Tiles,
    /// What colours the tracks, for [`ColorBy::Path`].
    color: Signal,
    /// Least and greatest value of the colours, and what they were worked out for.
    range: Option<(draw::RangeKey, (f64, f64))>,
    /// Positions that there were then.
    ranged_fixes: usize,
    /// The same of the values that colour it.
    ranged_values: usize,
    measuring: bool,
    measured: Vec<World>,
    scrubbing: bool,
    hovering: bool,
    /// The ground is still being read.
    is_bare: bool,
    /// What messages draw, by topic.
    overlays: Vec<features::Overlay>,
    state: PanelState,
}

impl MapPanel {
    fn new(config: &Value) -> MapPanel {
        world::prepare();
        MapPanel {
            config: widget::config_from(config),
            tracks: Vec::new(),
            tiles: Tiles::default(),
            color: Signal::default(),
            range: None,
            ranged_fixes: 0,
            ranged_values: 0,
            measuring: false,
            measured: Vec::new(),
            scrubbing: false,
            hovering: false,
            is_bare: false,
            overlays: Vec::new(),
            state: PanelState::Pending("the track is being read".into()),
        }
    }

    fn ground(&self) -> Ground {
        Ground {
            layer: self.config.layer,
            template: self.config.custom_tiles.clone(),
            file: self.config.tile_file.trim().to_owned(),
        }
    }

    fn topics_shown<'a>(&self, store: &'a Store) -> Vec<&'a Topic> {
        let chosen = self.chosen(store).into_iter();
        chosen.filter(|t| t.form == Some(Form::Fix)).collect()
    }

    /// Those that are named, or all; but for the hidden ones.
    fn chosen<'a>(&self, store: &'a Store) -> Vec<&'a Topic> {
        let Config { topics, hidden, .. } = &self.config;
        let named = topics.iter().filter_map(|name| store.topic_by_name(name));
        let chosen: Vec<&Topic> = if topics.is_empty() {
            store.topics().iter().collect()
        } else {
            named.collect()
        };
        let is_shown = |topic: &&Topic| !hidden.iter().any(|name| **name == *topic.name);
        chosen.into_iter().filter(is_shown).collect()
    }

    /// Names of all that is shown.
    fn all_topics(&self, store: &Store) -> Vec<String> {
        let features = self.feature_topics(store);
        self.topics_shown(store)
            .iter()
            .chain(&features)
            .map(|t| t.name.to_string())
            .collect()
    }

    fn refresh(&mut self, view: &View) {
        let path = match self.config.color_by {
            ColorBy::Path => self.config.color_path.as_str(),
            _ => "",
        };
        if self.color.text() != path {
            self.color = Signal::new(path, Stamp::Receive);
        }
        if !path.is_empty() {
            self.color.refresh(view.store);
        }
        let topics = self.topics_shown(view.store);
        self.tracks.retain(|track| topics.iter().any(|t| t.id == track.topic));
        for topic in &topics {
            if !self.tracks.iter().any(|t| t.topic == topic.id) {
                self.tracks.push(Track::new(topic.id));
            }
        }
        let (mut changed, mut is_whole) = (false, true);
        for track in &mut self.tracks {
            let name = topics.iter().find(|t| t.id == track.topic).map_or("", |t| &t.name);
            track.offset_nanos = offset_nanos(&self.config, name);
            if let Some(pieces) = view.store.pieces(track.topic) {
                changed |= track.take(pieces);
            }
            is_whole &= view
                .store
                .rows(track.topic, Form::Fix)
                .is_some_and(|rows| rows.len() == track.messages);
        }
        let fixes: usize = self.tracks.iter().map(|track| track.fixes).sum();
        // while positions come, colours change now and then: to look for the range in each frame would cost more than the positions do
        if changed && (is_whole || fixes / 4 * 3 > self.ranged_fixes) {
            (self.range, self.ranged_fixes) = (None, fixes);
        }
        self.refresh_features(view);
        self.state = self.state_of(view, &topics);
    }

    fn state_of(&self, view: &View, topics: &[&Topic]) -> PanelState {
        let features = self.feature_topics(view.store);
        if topics.is_empty() && features.is_empty() {
            return PanelState::Absent(match self.config.topics.first() {
                Some(gone) => format!("The recording has no topic {gone}"),
                None if !self.config.hidden.is_empty() => "All positions are hidden: show some in the settings".into(),
                None => "The recording holds no positions on the globe".into(),
            });
        }
        let mut notes: Vec<String> = Vec::new();
        for topic in topics {
            if let Some(why) = topic
                .schema_error
                .as_ref()
                .or(view.store.rows_failure(topic.id, Form::Fix).as_ref())
            {
                return PanelState::Failed(format!("{}: {why}", topic.name));
            }
            let Some(rows) = view.store.rows(topic.id, Form::Fix) else {
                return PanelState::Pending(format!("{} is being read", topic.name));
            };
            if !rows.is_complete(Span::at(view.now.plus_nanos(-offset_nanos(&self.config, &topic.name)))) {
                return PanelState::Pending(format!("{} is being read at the playhead", topic.name));
            }
            let pieces = view.store.pieces(topic.id);
            if !rows.is_empty() && pieces.is_none_or(|pieces| pieces.parts.is_empty()) {
                return PanelState::Pending(format!("the track of {} is being laid out", topic.name));
            }
            if let Some((count, why)) = rows.failed() {
                notes.push(format!("{count} messages of {} cannot be read: {why}", topic.name));
            }
            if !rows.is_complete(view.span) {
                notes.push(match view.store.whole_cost_bytes(topic.id) {
                    Some(bytes) => format!(
                        "{}: only around the playhead; all of it takes {}",
                        topic.name,
                        widget::bytes_text(bytes)
                    ),
                    None => format!("{}: {} of {} positions", topic.name, rows.len(), topic.messages),
                });
            }
        }
        for topic in features {
            if let Some(why) = &topic.schema_error {
                return PanelState::Failed(format!("{}: {why}", topic.name));
            }
            if matches!(view.store.latest(topic.id, Form::Features), Lookup::Pending) {
                return PanelState::Pending(format!("{} is being read at the playhead", topic.name));
            }
        }
        notes.extend(self.overlays.iter().filter_map(|o| o.trouble.clone()));
        let (all, fixed) = self.fixes();
        if all > 0 && fixed == 0 {
            return PanelState::Absent(format!("None of {all} messages has a fix"));
        }
        if let Some(problem) = self.color.problem().filter(|_| !self.color.text().is_empty()) {
            return PanelState::Failed(format!("the colour: {}", problem.what));
        }
        if let Some(why) = self.tiles.failure().filter(|_| self.config.layer != Layer::Offline) {
            notes.push(format!("tiles are missing: {why}"));
        }
        if self.is_bare {
            return PanelState::Pending("the ground is being read".into());
        }
        let missing = self.tiles.missing();
        if missing > 0 && notes.is_empty() {
            return PanelState::Pending(format!("{missing} tiles are on their way"));
        }
        match notes.is_empty() {
            true => PanelState::Ready,
            false => PanelState::Partial(notes.join("; ")),
        }
    }

    /// Messages, and those with a fix.
    fn fixes(&self) -> (usize, usize) {
        self.tracks.iter().fold((0, 0), |n, t| (n.0 + t.messages, n.1 + t.fixes))
    }

    /// The map as it stands: by hand, following, or filled by the tracks.
    fn place(&mut self, rect: Rect, view: &View) -> Viewport {
        let mut viewport = Viewport {
            center: [0.5, 0.4],
            zoom: 1.0,
            rect,
        };
        match self.config.view {
            Some([latitude, longitude, zoom]) => {
                viewport.zoom = zoom.clamp(mercator::ZOOM_RANGE.0, mercator::ZOOM_RANGE.1);
                viewport.center = mercator::project(latitude, longitude).unwrap_or(viewport.center);
            }
            None => {
                let tracks = self.tracks.iter().filter_map(|t| t.bounds);
                if let Some(bounds) = track::bounds_of(tracks.chain(self.feature_bounds())) {
                    viewport.fit(bounds, 20.0);
                }
            }
        }
        if self.config.follow
            && let Some(found) = self.followed(view).and_then(|t| t.at(view.now))
        {
            if self.config.view.is_none() {
                viewport.zoom = viewport.zoom.max(15.0);
            }
            viewport.center = [found.world[0].rem_euclid(1.0), found.world[1]];
        }
        // less than one world fills no panel: no grey above and below it
        let least = (f64::from(rect.height()) / 256.0).max(1e-3).log2();
        viewport.zoom = viewport.zoom.max(least.min(2.5));
        let half = f64::from(rect.height()) / 2.0 / viewport.scale();
        if half < 0.5 {
            viewport.center[1] = viewport.center[1].clamp(half, 1.0 - half);
        }
        viewport
    }

    fn followed(&self, view: &View) -> Option<&Track> {
        let chosen = view.store.topic_by_name(&self.config.follow_topic);
        let chosen = chosen.and_then(|topic| self.tracks.iter().find(|t| t.topic == topic.id));
        chosen.or(self.tracks.first())
    }

    fn keep(&mut self, viewport: &Viewport, out: &mut Vec<Action>) {
        let (latitude, longitude) = mercator::unproject(viewport.center);
        self.config.view = Some([latitude, longitude, viewport.zoom]);
        out.push(Action::Changed);
    }

    /// Wheel zooms, drag pans, a click on a track seeks, a drag along it scrubs.
    fn interact(&mut self, ui: &Ui, rect: Rect, viewport: &mut Viewport, view: &View, out: &mut Vec<Action>) {
        let response = ui.interact(rect, ui.scope_id().with("map"), Sense::click_and_drag());
        let response = widget::named(response, "Map");
        let pointer = response.hover_pos().or(response.interact_pointer_pos());
        if response.contains_pointer()
            && let Some(at) = response.hover_pos()
        {
            let (scroll, pinch) = ui.input(|i| (i.smooth_scroll_delta().y, i.zoom_delta()));
            let steps = f64::from(scroll) * 0.006 + f64::from(pinch).log2();
            if steps.abs() > 1e-6 {
                viewport.zoom_at(at, steps);
                self.keep(viewport, out);
            }
        }
        let reach = if self.scrubbing { 200.0 } else { 12.0 };
        let near = pointer.filter(|_| !self.measuring).and_then(|at| self.nearest(viewport, at, reach));
        if response.drag_started_by(PointerButton::Primary) {
            self.scrubbing = near.is_some();
        }
        if self.scrubbing && response.dragged() {
            out.extend(near.map(|(_, found)| Action::Seek(found.playhead)));
        } else if response.dragged() {
            ui.set_cursor_icon(CursorIcon::Grabbing);
            let delta = response.drag_delta();
            let scale = viewport.scale();
            viewport.move_by([-f64::from(delta.x) / scale, -f64::from(delta.y) / scale]);
            self.config.follow = false;
            self.keep(viewport, out);
        }
        if response.drag_stopped() {
            self.scrubbing = false;
        }
        if response.double_clicked() {
            self.config.view = None;
            self.config.follow = false;
            out.push(Action::Changed);
        } else if response.clicked()
            && let Some(at) = pointer
        {
            if self.measuring {
                self.measured.push(viewport.to_world(at));
            } else if let Some((_, found)) = near {
                out.push(Action::Seek(found.playhead));
            }
        }
        if self.measuring && ui.input_mut(|i| i.consume_key(egui::Modifiers::NONE, egui::Key::Escape)) {
            self.measuring = false;
            self.measured.clear();
        }
        // the card would lie over the menu
        let hover = near.filter(|_| (response.hovered() || self.scrubbing) && !response.context_menu_opened());
        if hover.is_some() || self.hovering {
            out.push(Action::Hover(hover.map(|h| h.1.playhead)));
        }
        self.hovering = hover.is_some();
        if hover.is_some() {
            ui.set_cursor_icon(CursorIcon::PointingHand);
        } else if self.measuring && response.hovered() {
            ui.set_cursor_icon(CursorIcon::Crosshair);
        }
        command::menu(&response, COMMANDS, self, view, out);
        self.draw_features(ui, viewport);
        self.draw_tracks(ui, viewport, view);
        self.draw_feature_names(ui, viewport);
        self.draw_measured(ui, viewport, pointer.filter(|_| response.hovered()));
        if let Some((track, found)) = hover {
            self.draw_hover(ui, viewport, view, track, &found);
        }
    }

    fn nearest(&self, viewport: &Viewport, at: egui::Pos2, reach: f32) -> Option<(TopicId, Found)> {
        let found = self.tracks.iter().filter_map(|track| {
            let (distance, found) = track.nearest(viewport, at, reach)?;
            Some((distance, track.topic, found))
        });
        found.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, topic, found)| (topic, found))
    }

    /// Zoom, fit, follow, measure: in the corner.
    fn buttons(&mut self, ui: &mut Ui, rect: Rect, viewport: &mut Viewport, out: &mut Vec<Action>) {
        // in low panels they lie side by side
        let is_low = rect.height() < 200.0;
        let size = if is_low {
            egui::vec2(28.0 * 5.0, 28.0)
        } else {
            egui::vec2(28.0, 28.0 * 5.0)
        };
        let corner = Align2::RIGHT_TOP.align_size_within_rect(size, rect.shrink(8.0));
        let p = theme::palette(ui.visuals());
        ui.painter().rect_filled(corner, 6.0, p.overlay.gamma_multiply(0.92));
        ui.painter()
            .rect_stroke(corner, 6.0, egui::Stroke::new(1.0, p.line), egui::StrokeKind::Inside);
        let layout = match is_low {
            true => egui::Layout::left_to_right(egui::Align::Min),
            false => egui::Layout::top_down(egui::Align::Min),
        };
        let mut ui = ui.new_child(egui::UiBuilder::new().max_rect(corner.shrink(2.0)).layout(layout));
        ui.spacing_mut().item_spacing = egui::vec2(4.0, 4.0);
        let mut button = |glyph: &str, name: &str, on: bool| theme::widget::icon_button_sized(&mut ui, glyph, name, "", 24.0, on).clicked();
        let steps = f64::from(u8::from(button(icon::PLUS, "Zoom in", false))) - f64::from(u8::from(button(icon::MINUS, "Zoom out", false)));
        let fit = button(icon::CORNERS_OUT, "Show the whole track", false);
        let follow = button(icon::CROSSHAIR, "Follow the position", self.config.follow);
        let measure = button(icon::RULER, "Measure distances", self.measuring);
        if steps != 0.0 {
            viewport.zoom_at(rect.center(), steps);
            self.keep(viewport, out);
        }
        if fit {
            (self.config.view, self.config.follow) = (None, false);
            out.push(Action::Changed);
        }
        if follow {
            self.config.follow = !self.config.follow;
            out.push(Action::Changed);
        }
        if measure {
            self.measuring = !self.measuring;
            self.measured.clear();
        }
    }
}

fn offset_nanos(config: &Config, topic: &str) -> i64 {
    config.offsets.get(topic).map_or(0, |secs| (secs * 1e9) as i64)
}

fn automatic(store: &Store) -> Vec<Value> {
    let is_shown = |t: &Topic| matches!(t.form, Some(Form::Fix | Form::Features)) && t.messages > 0;
    let any = store.topics().iter().any(is_shown);
    if any { vec![serde_json::json!({})] } else { Vec::new() }
}

const COMMANDS: &[command::Command<MapPanel>] = &[
    ("Show the whole track", |map, _, out| {
        (map.config.view, map.config.follow) = (None, false);
        out.push(Action::Changed);
    }),
    ("Follow the position", |map, _, out| {
        map.config.follow = !map.config.follow;
        out.push(Action::Changed);
    }),
    ("Measure distances", |map, _, _| {
        map.measuring = !map.measuring;
        map.measured.clear();
    }),
    ("Show every position", |map, _, out| {
        map.config.show_points = !map.config.show_points;
        out.push(Action::Changed);
    }),
    ("Copy the position at the playhead", |map, view, out| {
        let found = map.tracks.iter().find_map(|track| track.at(view.now));
        out.extend(found.map(|f| Action::CopyText(format!("{:.8}, {:.8}", f.fix.latitude_deg, f.fix.longitude_deg))));
    }),
    ("Read all of the tracks", |map, view, out| {
        let partial = map.tracks.iter().filter(|t| view.store.whole_cost_bytes(t.topic).is_some());
        out.extend(partial.map(|t| Action::ReadWhole(t.topic)));
    }),
];

impl Panel for MapPanel {
    fn title(&self, _view: &View) -> String {
        match self.config.topics.as_slice() {
            [] => "Map".into(),
            [one] => format!("Map {one}"),
            [first, rest @ ..] => format!("Map {first} +{}", rest.len()),
        }
    }

    fn wants(&self, view: &View, out: &mut Vec<Want>) {
        let topics = self.topics_shown(view.store);
        for topic in &topics {
            let now = view.now.plus_nanos(-offset_nanos(&self.config, &topic.name));
            let span = view.store.series_span(topic.id, now);
            out.push(Want {
                topic: topic.id,
                what: What::Rows { form: Form::Fix, span },
            });
            out.push(Want {
                topic: topic.id,
                what: What::Pieces,
            });
        }
        let features = self.feature_topics(view.store);
        out.extend(features.iter().map(|topic| Want {
            topic: topic.id,
            what: What::Latest(Form::Features),
        }));
        if let Some(topic) = self.color.topics().first() {
            self.color.wants(view.store.series_span(*topic, view.now), out);
        }
        if let Some(topic) = topics.first().or(features.first()) {
            out.extend(self.tiles.wanted().map(|address| Want {
                topic: topic.id,
                what: What::Resource(address),
            }));
        }
    }

    fn ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let rect = ui.available_rect_before_wrap();
        self.refresh(view);
        match &self.state {
            PanelState::Absent(why) => return widget::empty_note(ui, rect, why),
            PanelState::Failed(why) if self.tracks.iter().all(|t| t.fixes == 0) => return widget::failure_note(ui, rect, why),
            _ => {}
        }
        let mut inside = ui.new_child(egui::UiBuilder::new().max_rect(rect));
        inside.set_clip_rect(rect.intersect(ui.clip_rect()));
        let missing = self.tiles.missing();
        let mut viewport = self.place(rect, view);
        self.draw_ground(&inside, &viewport, view);
        if self.is_bare {
            ui.ctx().request_repaint();
        }
        self.interact(&inside, rect, &mut viewport, view, out);
        self.draw_frame(&inside, &viewport, view);
        if missing > 0 && self.tiles.missing() == 0 {
            // the header tells that nothing is missing any more
            ui.ctx().request_repaint();
        }
        self.buttons(&mut inside, rect, &mut viewport, out);
        ui.advance_cursor_after_rect(rect);
    }

    fn settings_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let before = self.config.clone();
        self.settings(ui, view, out);
        if self.config != before {
            self.range = None;
            out.push(Action::Changed);
        }
    }

    fn commands(&self) -> Vec<&'static str> {
        command::names(COMMANDS)
    }

    fn run(&mut self, command: &str, view: &View, out: &mut Vec<Action>) {
        command::run(COMMANDS, self, command, view, out);
    }

    fn config(&self) -> Value {
        serde_json::to_value(&self.config).unwrap_or_default()
    }

    fn state(&self, _view: &View) -> PanelState {
        self.state.clone()
    }

    fn drop_topic(&mut self, view: &View, topic: TopicId) -> bool {
        let Some(topic) = view.store.topic(topic) else { return false };
        let name = topic.name.to_string();
        if topic.form != Some(Form::Fix) && !features::may_draw(view.store, topic) {
            return false;
        }
        self.config.hidden.retain(|hidden| *hidden != name);
        if self.config.topics.is_empty() {
            self.config.topics = self.all_topics(view.store);
        }
        if !self.config.topics.contains(&name) {
            self.config.topics.push(name);
        }
        self.config.view = None;
        true
    }

    fn topics(&self, view: &View) -> Vec<TopicId> {
        let features = self.feature_topics(view.store);
        self.topics_shown(view.store).iter().chain(&features).map(|t| t.id).collect()
    }
}
