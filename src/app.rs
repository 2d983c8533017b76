//! The window: one plain function, [`root`], over one state. `window` shows it with eframe, `offscreen` draws it into a PNG, tests
//! drive it by role and label.
//!
//! Invariants: the data is the store's, nothing is kept here that it should keep; this thread waits for nothing. A pass begins
//! with [`AppState::begin`] (events in, work out), draws what is there, and ends with what the user did being applied.

pub mod clock;
pub mod command;
pub mod gpu;
pub mod offscreen;
pub mod settings;
pub mod window;

mod act;
mod background;
mod browse;
mod dialog;
mod drafts;
mod edges;
mod fields;
mod find;
mod fit_dialog;
mod growing;
pub mod history;
mod history_list;
mod history_names;
mod inspector;
mod kept;
mod lanes;
mod layouts;
mod library;
mod library_list;
mod link;
mod links;
mod merge_dialog;
mod network;
mod offline;
mod open_layout;
mod palette;
pub mod place;
mod play;
mod process;
mod report_dialog;
mod save_layout;
pub mod scenes;
mod sql;
mod status_bar;
mod timeline;
mod top_bar;
mod topics;
mod transport;
mod undo;
mod welcome;

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui_wgpu::RenderState;
use egui::{Context, Ui};

use crate::layout::{Layout, PlaybackEntry, Report, Sidebars};
use crate::panel::{Action, View};
use crate::run::Executor;
use crate::source::{Location, SceneTable};
use crate::store::{Event, Playback, SourceId, SourceState, Status, Store, TopicId, Want, What};
use crate::theme;
use crate::time::{Span, Time, When};
use crate::workspace::{Edit, Workspace};

use act::Heard;
use background::Jobs;
pub use background::{ChooseFiles, Choosing};
use command::Command;
use dialog::Dialog;
use layouts::{Layouts, Pending};
use place::Place;
use play::{speed_in_range, still};
use settings::{Folders, Settings};

/// Makes an executor; the waker is called when it has something to drain.
pub type MakeExecutor = Arc<dyn Fn(Arc<dyn Fn() + Send + Sync>) -> Executor + Send + Sync>;

/// How the window is opened.
#[derive(Default)]
pub struct Start {
    pub locations: Vec<Location>,
    pub layout: Option<Layout>,
    /// Where Ctrl+S writes the layout; by default into the user's folder.
    pub layout_path: Option<PathBuf>,
    /// What that file holds: it is not written over once it holds something else.
    pub layout_text: Option<String>,
    /// What became of the layout's keys where it is of another program.
    pub layout_report: Option<Report>,
    /// The window may ask by itself whether the layout is to be fitted to the recording.
    pub asks: bool,
    pub seek_to: Option<When>,
    /// A layout to be read from afar, which a link named.
    pub layout_link: Option<Location>,
    /// The table in which scenes of recordings are listed.
    pub scenes: Option<SceneTable>,
    /// The names that the table has for recordings, where they were opened by these.
    pub records: Vec<(Location, String)>,
    /// Scenes that were held before, by the window that this one goes on from.
    pub held_scenes: scenes::HeldScenes,
    /// None: nothing is read from or written to the user's folders.
    pub folders: Option<Folders>,
    /// In bytes; None: as the settings say.
    pub memory_budget: Option<u64>,
    /// A demo drive to open, written first where it has not been yet.
    pub demo: Option<crate::demo::Options>,
    /// How files are asked for; None: with the platform's dialog.
    pub choose_files: Option<ChooseFiles>,
}

/// Everything that the window shows and remembers.
pub struct AppState {
    pub store: Store,
    pub executor: Executor,
    pub playback: Playback,
    pub workspace: Workspace,
    pub settings: Settings,
    pub selected_topic: Option<TopicId>,
    /// None in tests without a GPU.
    pub gpu: Option<RenderState>,
    /// It is drawn picture by picture for a film.
    pub is_film: bool,
    folders: Option<Folders>,
    make_executor: MakeExecutor,
    waker: Arc<dyn Fn() + Send + Sync>,
    /// In bytes, by the command line; otherwise the settings say.
    memory_given: Option<u64>,
    events: Vec<Event>,
    hover: Option<Time>,
    /// Where the pointer was on a time axis in the pass before.
    hover_next: Option<Time>,
    timeline: timeline::TimelineState,
    topics: topics::TopicsState,
    scenes: scenes::ScenesState,
    find: find::FindState,
    sql: sql::SqlState,
    offline: offline::OfflineState,
    keeping_number: u64,
    palette: palette::PaletteState,
    dialog: Option<Dialog>,
    /// A text field had the keyboard in the pass before.
    was_typing: bool,
    sidebars: Sidebars,
    /// Playback and sidebars as the layout file has them.
    kept_around: (PlaybackEntry, Sidebars),
    /// The kept layout of these topics is being read.
    reads_layout: bool,
    /// The settings have changed since they were written.
    settings_changed: bool,
    jobs: Jobs,
    growing: Option<growing::Growing>,
    /// A layout that was given waits for the topics.
    pending_layout: Option<Layout>,
    layouts: Layouts,
    /// Where the layout was read from, for links.
    layout_link: Option<Location>,
    pending_seek: Option<When>,
    /// A step to the next (1) or previous (-1) message waits for its time.
    pending_step: i8,
    topics_seen: usize,
    /// The recording's first span was seen and the playhead put at its start.
    placed: bool,
    last_seconds: Option<f64>,
    status: Status,
    notice: Option<Notice>,
    frames: FrameRate,
    has_opened: bool,
    /// When something was opened last, and how long the first full frame took after that.
    opened_seconds: Option<f64>,
    first_frame_seconds: Option<f64>,
}

/// One line that tells what happened, for a few seconds.
struct Notice {
    text: String,
    is_error: bool,
    until_seconds: f64,
}

#[derive(Default)]
struct FrameRate {
    smoothed_hz: f32,
}

impl AppState {
    pub fn new(start: Start, make_executor: MakeExecutor, waker: Arc<dyn Fn() + Send + Sync>) -> AppState {
        let settings = start.folders.as_ref().map(Folders::settings).unwrap_or_default();
        let memory_given = start.memory_budget;
        let mut state = AppState {
            store: Store::new(memory_given.unwrap_or(settings.memory_mib << 20)),
            executor: make_executor(waker.clone()),
            playback: still(),
            workspace: Workspace::empty(),
            settings,
            selected_topic: None,
            gpu: None,
            is_film: false,
            folders: start.folders,
            make_executor,
            waker: waker.clone(),
            memory_given,
            events: Vec::new(),
            hover: None,
            hover_next: None,
            timeline: timeline::TimelineState::default(),
            topics: topics::TopicsState::default(),
            find: find::FindState::default(),
            scenes: scenes::ScenesState::new(start.scenes, start.records, start.held_scenes),
            sql: sql::SqlState::default(),
            offline: offline::OfflineState::default(),
            keeping_number: 0,
            palette: palette::PaletteState::default(),
            dialog: None,
            was_typing: false,
            sidebars: kept::shown_at_first(),
            kept_around: Default::default(),
            reads_layout: false,
            settings_changed: false,
            jobs: Jobs::new(waker, start.choose_files.unwrap_or_else(|| Arc::new(background::platform_dialog))),
            growing: None,
            pending_layout: start.layout,
            layouts: Layouts::default(),
            layout_link: None,
            pending_seek: start.seek_to,
            pending_step: 0,
            topics_seen: 0,
            placed: false,
            last_seconds: None,
            status: Status::default(),
            notice: None,
            frames: FrameRate::default(),
            has_opened: false,
            opened_seconds: None,
            first_frame_seconds: None,
        };
        if let (Some(layout), Some(path)) = (&state.pending_layout, start.layout_path) {
            let place = Place::At(Location::Path(path));
            let is_own = start.layout_report.is_none();
            if let Some(text) = &start.layout_text {
                state.layouts.know(place.clone(), text, layout, is_own);
            }
            let name = place.name();
            state.layouts.report = start.layout_report.map(|report| (name.clone(), report));
            state.layouts.pending = Some(Pending {
                name,
                place: Some(place),
                by_hand: start.asks,
            });
        }
        if let Some(sidebars) = state.pending_layout.as_ref().and_then(|l| l.sidebars.clone()) {
            state.sidebars = sidebars;
        }
        state.kept_around = state.around();
        if let Some(trouble) = &state.settings.trouble {
            state.tell_error(trouble.clone());
        }
        if !start.locations.is_empty() {
            state.offer(start.locations, true);
        }
        if let Some(options) = start.demo {
            state.open_demo(options);
        }
        if let Some(location) = start.layout_link {
            state.fetch_layout(location);
        }
        state
    }

    /// Opens these instead of what is open.
    pub fn open(&mut self, locations: Vec<Location>) {
        self.keep_layout();
        if self.is_open() {
            // what was given at the start is for the first recording
            (self.pending_layout, self.layout_link, self.pending_seek) = (None, None, None);
            self.layouts.clear();
        }
        self.growing = None;
        let store = std::mem::replace(
            &mut self.store,
            Store::new(self.memory_given.unwrap_or(self.settings.memory_mib << 20)),
        );
        let executor = std::mem::replace(&mut self.executor, (self.make_executor)(self.waker.clone()));
        background::retire(executor, store);
        self.workspace = Workspace::empty();
        self.playback = still();
        self.selected_topic = None;
        self.timeline = timeline::TimelineState::default();
        self.topics = topics::TopicsState::default();
        self.scenes.clear();
        self.find.stop();
        self.sql = sql::SqlState::default();
        (self.topics_seen, self.placed, self.pending_step, self.reads_layout) = (0, false, 0, false);
        self.kept_around = self.around();
        self.add(locations);
    }

    /// Opens these beside what is open.
    pub fn add(&mut self, locations: Vec<Location>) {
        for location in &locations {
            self.settings.remember(location);
        }
        self.has_opened = true;
        (self.opened_seconds, self.first_frame_seconds) = (self.last_seconds, None);
        self.save_settings();
        let first = self.store.sources().len();
        let shifts: Vec<i64> = locations.iter().map(|l| self.settings.shift_of(l)).collect();
        self.store.open(locations);
        for (source, nanos) in (first as SourceId..).zip(shifts) {
            self.store.shift_times(source, nanos);
        }
    }

    /// Opens the tables that lie at these, beside what is open: recordings there are opened each for itself.
    fn add_tables(&mut self, locations: Vec<Location>) {
        for location in locations {
            self.settings.remember(&location);
            self.store.open_tables(location);
        }
        self.save_settings();
    }

    /// For good: the file is opened so the next time.
    fn shift_times(&mut self, source: SourceId, nanos: i64) {
        if let Some(info) = self.store.sources().get(source as usize) {
            self.settings.remember_shift(&info.location, nanos);
            self.save_settings();
        }
        self.store.shift_times(source, nanos);
    }

    /// The first part of a pass: what has come goes into the store, time goes on, what is wanted goes to the executor.
    pub fn begin(&mut self, seconds: f64) {
        self.executor.drain(&mut self.events);
        for event in std::mem::take(&mut self.events) {
            self.note_growth(&event);
            self.store.apply(event);
        }
        self.finish_jobs(seconds);
        self.place();
        self.ask_for_scenes();
        self.take_finds();
        self.look_for_marks();
        self.index_scenes();
        self.look_for_new_pins();
        self.tick(seconds);
        self.demand();
    }

    /// Tells the store what is wanted now and hands the work on.
    pub fn demand(&mut self) {
        let mut wants = self.workspace.wants(&self.view());
        if let Some(topic) = self.selected_topic {
            let what = What::Neighbours;
            wants.push(Want { topic, what });
        }
        let speed = if self.playback.playing { self.playback.speed } else { 0.0 };
        self.store.hold_ahead(self.settings.metered);
        self.store.demand(self.playback.now, speed, &wants);
        self.executor.submit(self.store.take_work());
        self.status = self.store.status();
        self.note_first_frame();
        self.step_when_known();
    }

    fn note_first_frame(&mut self) {
        let is_there = self.store.span().is_some() && self.is_settled(false);
        if self.first_frame_seconds.is_none() && is_there {
            let since = self.opened_seconds.unwrap_or(0.0);
            self.first_frame_seconds = Some(self.last_seconds.unwrap_or(since) - since);
        }
    }

    pub fn view(&self) -> View<'_> {
        View {
            store: &self.store,
            now: self.playback.now,
            span: self.span(),
            playing: self.playback.playing,
            hover: self.hover,
            selected: self.selected_topic,
            queries: &self.settings.queries,
            gpu: self.gpu.as_ref(),
        }
    }

    pub fn span(&self) -> Span {
        self.store.span().unwrap_or(Span::at(Time(0)))
    }

    pub fn seek(&mut self, t: Time) {
        self.playback.now = self.span().clamp(t);
        self.pending_step = 0;
    }

    /// Whether something is open, or opening.
    pub fn is_open(&self) -> bool {
        !self.store.sources().is_empty()
    }

    /// Whether every source is known whole, or has failed.
    pub fn is_indexed(&self) -> bool {
        let settled = |state: &SourceState| matches!(state, SourceState::Open | SourceState::Failed(_));
        self.store.sources().iter().all(|s| settled(&s.state))
    }

    /// Puts panels and playhead when topics come in.
    fn place(&mut self) {
        self.place_panels();
        if let Some(span) = self.store.span()
            && !self.placed
            && !self.reads_layout
        {
            self.placed = true;
            self.playback.now = self.first_look(span);
        }
        // while a scan goes on only an instant can be found
        let known = self.is_indexed() || matches!(self.pending_seek, Some(When::At(_)));
        if self.placed
            && known
            && let Some(when) = self.pending_seek.take()
        {
            self.seek(when.at(self.span()));
        }
    }

    /// A little into the recording, where the first messages of what the panels show have come: nothing is empty at first sight.
    fn first_look(&self, span: Span) -> Time {
        let first = span.start.plus_nanos((span.nanos() / 4).min(FIRST_LOOK_NANOS));
        let latest = span.start.plus_nanos(LATEST_LOOK_NANOS);
        let view = self.view();
        let shown = self.workspace.visible().into_iter().flat_map(|pane| pane.panel.topics(&view));
        // what comes only now and then is not waited for
        shown
            .filter(|topic| self.store.topic(*topic).and_then(|t| t.rate_hz()).is_some_and(|hz| hz >= 1.0))
            .filter_map(|topic| self.store.begun_by(topic))
            .filter(|begun| *begun <= latest)
            .fold(first, Time::max)
    }

    fn apply_actions(&mut self, actions: Vec<Action>, ctx: &Context) {
        for action in actions {
            match action {
                Action::Seek(t) => self.seek(t),
                Action::Hover(t) => self.hover_next = t.or(self.hover_next),
                Action::Select(topic) => self.selected_topic = Some(topic),
                Action::AddPanel { kind, config } => {
                    let beside = self.workspace.selected.clone();
                    let kind = kind.to_owned();
                    self.edit(Edit::Add { kind, config, beside });
                }
                Action::ReadWhole(topic) => self.store.read_whole(topic),
                Action::CopyText(text) => ctx.copy_text(text),
                Action::SaveFile { name, bytes } => self.jobs.save_file(name, move |out| out.write_all(&bytes)),
                Action::SaveMade { name, make } => self.jobs.save_file(name, move |out| make.write(out)),
                Action::SetVariable { name, value } => {
                    self.store.set_variable(&name, value);
                    self.workspace.set_variables(self.variables());
                    self.workspace.edited = true;
                    self.layouts.touched = true;
                }
                Action::Ask(question) => self.ask(question),
                Action::Work(work) => self.work_aside(work),
                Action::AddScenes(rows) => self.make_scenes(rows),
                Action::AddTopic { name, rows } => self.add_topic(&name, rows),
                Action::ShiftTimes { source, nanos } => self.shift_times(source, nanos),
                Action::Changed => {
                    self.workspace.edited = true;
                    self.layouts.touched = true;
                    self.workspace.is_automatic = false;
                }
            }
            ctx.request_repaint();
        }
    }

    fn edit(&mut self, edit: Edit) {
        if matches!(edit, Edit::ShowSettings(_)) {
            self.sidebars.right = true;
        }
        let mut workspace = std::mem::replace(&mut self.workspace, Workspace::empty());
        self.layouts.touched |= workspace.apply(edit, &self.view());
        self.workspace = workspace;
    }

    fn add_for_topic(&mut self, topic: TopicId) {
        self.selected_topic = Some(topic);
        let mut workspace = std::mem::replace(&mut self.workspace, Workspace::empty());
        workspace.add_for_topic(topic, &self.view(), None);
        self.workspace = workspace;
        self.layouts.touched = true;
    }

    fn tell(&mut self, text: String) {
        self.notice = Some(Notice {
            text,
            is_error: false,
            until_seconds: self.last_seconds.unwrap_or(0.0) + 4.0,
        });
    }

    fn tell_error(&mut self, text: String) {
        self.notice = Some(Notice {
            text,
            is_error: true,
            until_seconds: self.last_seconds.unwrap_or(0.0) + 12.0,
        });
    }

    /// Whether what the visible panels show at the playhead is there; with `all`, whether their wider spans are, too.
    pub fn is_settled(&self, all: bool) -> bool {
        let status = &self.status;
        self.is_indexed() && !self.reads_layout && if all { !status.waiting } else { !status.waiting_at_playhead }
    }
}

/// One pass of the whole window.
pub fn root(ui: &mut Ui, state: &mut AppState) {
    let ctx = ui.ctx().clone();
    let seconds = ctx.input(|i| i.time);
    if let Some(gpu) = &state.gpu {
        crate::render::next_frame(gpu);
    }
    state.begin(seconds);
    state.hover = state.hover_next.take();
    let modal = state.dialog.is_some() || state.palette.is_open();
    // who has the keyboard now may close or let go on Escape in this pass
    let escape_is_taken = modal || state.was_typing || egui::Popup::is_any_open(&ctx);
    let heard = Heard::of(&ctx, modal);
    state.obey(heard, &ctx);
    state.take_pasted_link(&ctx);
    let p = theme::palette(ui.visuals());
    ui.painter().rect_filled(ui.max_rect(), 0.0, p.base);

    top_bar::ui(ui, state);
    status_bar::ui(ui, state);
    link::banner(ui, state);
    find::ui(ui, state);
    if !state.is_open() && !state.scenes.is_empty() {
        topics::ui(ui, state);
    }
    if state.is_open() && state.store.span().is_some() && !(state.reads_layout && state.workspace.is_empty()) {
        timeline::ui(ui, state);
        topics::ui(ui, state);
        inspector::ui(ui, state);
        let whole = ui.available_rect_before_wrap();
        let mut middle = ui.new_child(egui::UiBuilder::new().max_rect(whole.shrink2(egui::vec2(2.0, 2.0))));
        panels(&mut middle, state);
    } else {
        welcome::ui(ui, state);
    }
    for command in command::left_over(&ctx, modal) {
        state.run(command, &ctx);
    }
    dialog::ui(&ctx, state);
    palette::ui(&ctx, state);
    state.was_typing = ctx.text_edit_focused();
    if !escape_is_taken && ctx.input_mut(|i| i.consume_key(egui::Modifiers::NONE, egui::Key::Escape)) {
        state.run(Command::Unmaximise, &ctx);
    }
    if !ctx.input(|i| i.pointer.any_down()) {
        state.write_settings();
    }
    state.note_changes(&ctx);
    state.keep_draft(seconds, &ctx);
    state.offer_fit();

    if state.hover_next != state.hover {
        ctx.request_repaint();
    }
    if state.playback.playing && !state.status.buffering {
        ctx.request_repaint();
    }
    if let Some(notice) = &state.notice {
        let left = notice.until_seconds - seconds;
        if left <= 0.0 {
            state.notice = None;
        } else {
            ctx.request_repaint_after_secs(left as f32);
        }
    }
}

fn panels(ui: &mut Ui, state: &mut AppState) {
    if state.workspace.is_empty() {
        return welcome::no_panels(ui, state);
    }
    let mut workspace = std::mem::replace(&mut state.workspace, Workspace::empty());
    let modal = state.dialog.is_some() || state.palette.is_open();
    let mut heard = Vec::new();
    let drawn = workspace.ui(ui, &state.view(), &mut |ctx| heard.push(Heard::of(ctx, modal)));
    state.workspace = workspace;
    let ctx = ui.ctx().clone();
    for heard in heard {
        state.obey(heard, &ctx);
    }
    state.apply_actions(drawn.actions, &ctx);
    state.layouts.touched |= drawn.rearranged;
    state.layouts.amended |= drawn.tab_chosen;
    if !drawn.edits.is_empty() {
        ctx.request_repaint();
    }
    for edit in drawn.edits {
        state.edit(edit);
    }
}

/// How far into a recording the playhead stands when it was opened.
const FIRST_LOOK_NANOS: i64 = 500_000_000;
/// And how far at most, where a driver began late.
const LATEST_LOOK_NANOS: i64 = 10_000_000_000;
