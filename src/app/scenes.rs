//! The scenes of the open recordings, as a table in DynamoDB has them: listed in the left sidebar, a click goes to one; one can be
//! looped, or kept offline.

use egui::{RichText, ScrollArea, Ui};

use super::AppState;
use super::background::Done;
use crate::run::FoundScene;
use crate::source::{Link, Location, Scene, SceneTable, record_of};
use crate::theme::{self, icon, palette, widget};
use crate::time::{Span, When, format_relative};

/// What became of a scene that a link names.
pub(super) struct LookedUp {
    link: Link,
    add: bool,
    table: SceneTable,
    found: Result<FoundScene, String>,
}

#[derive(Default)]
pub struct ScenesState {
    /// None: nobody named a table, so none is asked.
    table: Option<SceneTable>,
    /// The table's names for recordings that were opened by these.
    records: Vec<(Location, String)>,
    /// Recordings whose scenes were asked for.
    asked: usize,
    listed: Vec<Scene>,
    failed: Option<String>,
}

impl ScenesState {
    pub fn new(table: Option<SceneTable>, records: Vec<(Location, String)>) -> ScenesState {
        ScenesState {
            table,
            records,
            ..ScenesState::default()
        }
    }

    pub fn table(&self) -> Option<&SceneTable> {
        self.table.as_ref()
    }

    pub fn clear(&mut self) {
        *self = ScenesState::new(self.table.take(), Vec::new());
    }

    fn record(&self, of: &Location) -> String {
        let known = self.records.iter().find(|(location, _)| location == of);
        known.map_or_else(|| record_of(&of.name()).to_owned(), |(_, record)| record.clone())
    }
}

impl AppState {
    /// Asks for the scenes of recordings that were opened since the last pass.
    pub(super) fn ask_for_scenes(&mut self) {
        let Some(table) = &self.scenes.table else { return };
        for source in self.store.sources().iter().skip(self.scenes.asked) {
            let record = self.scenes.record(&source.location);
            let then = self.jobs.scenes_listed();
            let io = self.executor.io();
            io.list_scenes(table.clone(), record, move |listed| then(listed.map_err(|error| error.to_string())));
        }
        self.scenes.asked = self.store.sources().len();
    }

    /// Opens the recording of a scene that a link names by its ids, once the table has told where it lies.
    pub(super) fn look_up_scene(&mut self, link: Link, scene: (String, String), add: bool) {
        let table = self.scenes.table.clone().unwrap_or_default();
        self.tell(format!("Looking up “{}” in {}…", scene.1, table.table_name));
        let then = self.jobs.sender();
        let asked = table.clone();
        self.executor.io().look_up_scene(asked, scene, move |found| {
            then(Done::SceneFound(Box::new(LookedUp {
                link,
                add,
                table,
                found: found.map_err(|error| error.to_string()),
            })));
        });
    }

    pub(super) fn take_found_scene(&mut self, looked_up: LookedUp) {
        let LookedUp {
            mut link,
            add,
            table,
            found,
        } = looked_up;
        let FoundScene { scene, location } = match found {
            Ok(found) => found,
            Err(error) => return self.tell_error(error),
        };
        self.notice = None;
        link.seek_to = link.seek_to.or(scene.start.map(When::At));
        link.locations = vec![location.clone()];
        self.open_link(link, add);
        self.scenes.table = Some(table);
        self.scenes.records.push((location, scene.record));
    }

    pub(super) fn take_scenes(&mut self, listed: Result<Vec<Scene>, String>) {
        match listed {
            Ok(scenes) => self.scenes.listed.extend(scenes),
            Err(error) => self.scenes.failed = Some(error),
        }
    }
}

const ROWS_SHOWN: f32 = 6.0;

pub fn ui(ui: &mut Ui, state: &mut AppState) {
    if state.scenes.listed.is_empty() && state.scenes.failed.is_none() {
        return;
    }
    let p = palette(ui.visuals());
    widget::section(ui, &format!("Scenes  {}", state.scenes.listed.len()));
    if let Some(error) = &state.scenes.failed {
        ui.colored_label(p.warn, error);
    }
    let span = state.span();
    let (mut seek, mut looped, mut keep) = (None, None, None);
    let kept = state.kept_spans();
    let row_height = 22.0;
    ScrollArea::vertical()
        .id_salt("scenes")
        .max_height(row_height * ROWS_SHOWN)
        .show_rows(ui, row_height, state.scenes.listed.len(), |ui, rows| {
            for scene in state.scenes.listed.get(rows).unwrap_or_default() {
                let at = scene.start.map_or("no time".to_owned(), |start| format_relative(start, span.start));
                let is_now =
                    scene.start.is_some_and(|start| start <= state.playback.now) && scene.end.is_some_and(|end| state.playback.now <= end);
                let beside = RichText::new(at).font(theme::small()).color(p.weak);
                let short = scene.id.strip_prefix(&scene.record).unwrap_or(&scene.id).trim_start_matches('_');
                let whole = scene.start.zip(scene.end).map(|(start, end)| Span::new(start, end.max(start)));
                let is_kept = whole.is_some_and(|whole| kept.iter().any(|kept| kept.start <= whole.start && whole.end <= kept.end));
                let short = match is_kept {
                    true => format!("{}  {short}", icon::PUSH_PIN),
                    false => short.to_owned(),
                };
                let button = egui::Button::selectable(is_now, short)
                    .right_text(beside)
                    .truncate()
                    .min_size(egui::vec2(ui.available_width(), row_height));
                let response = ui.add_enabled(scene.start.is_some(), button).on_hover_ui(|ui| tooltip(ui, scene));
                if response.clicked() {
                    seek = scene.start;
                }
                response.context_menu(|ui| {
                    let item = |ui: &mut Ui, name: &str, to: &mut Option<Span>| {
                        if ui.add_enabled(whole.is_some(), egui::Button::new(name)).clicked() {
                            *to = whole;
                            ui.close();
                        }
                    };
                    item(ui, "Loop this scene", &mut looped);
                    item(ui, "Keep this scene offline", &mut keep);
                });
            }
        });
    ui.add_space(4.0);
    if let Some(start) = seek {
        state.seek(start);
        ui.ctx().request_repaint();
    }
    if let Some(scene) = looped {
        state.playback.looping = Some(scene);
        state.seek(scene.start);
        ui.ctx().request_repaint();
    }
    if let Some(scene) = keep {
        state.keep_offline(scene);
    }
}

fn tooltip(ui: &mut Ui, scene: &Scene) {
    ui.label(RichText::new(&scene.id).font(theme::semibold(13.0)));
    for (name, value) in &scene.notes {
        widget::note(ui, format!("{name}: {value}"));
    }
}
