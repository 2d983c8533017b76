//! The window: eframe around [`root`].
//!
//! A lost graphics device ends eframe's loop (the loss is noticed by wgpu's callback, the window closes itself); the loop in
//! [`open`] then starts it again with a fresh device, from the layout, playhead and locations as they were. What was
//! loaded is read again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{AppState, MakeExecutor, Start, gpu, root};
use crate::theme;

/// After so many lost devices in a row the driver is beyond help.
const DEVICES_MAX: usize = 4;

/// Opens the window and returns when it is closed.
pub fn open(mut start: Start, make_executor: MakeExecutor) -> Result<(), String> {
    for _ in 0..DEVICES_MAX {
        let lost = Arc::new(AtomicBool::new(false));
        let resumed: Arc<std::sync::Mutex<Option<Start>>> = Arc::default();
        run_once(start, make_executor.clone(), lost.clone(), resumed.clone())?;
        let next = resumed.lock().ok().and_then(|mut r| r.take());
        match next {
            Some(next) if lost.load(Ordering::Relaxed) => start = next,
            _ => return Ok(()),
        }
    }
    Err("the graphics device was lost again and again; see whether a newer driver helps".to_owned())
}

fn run_once(
    start: Start,
    make_executor: MakeExecutor,
    lost: Arc<AtomicBool>,
    resumed: Arc<std::sync::Mutex<Option<Start>>>,
) -> Result<(), String> {
    let settings = start.folders.as_ref().map(super::settings::Folders::settings).unwrap_or_default();
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_title("Roadreel")
            .with_app_id("roadreel")
            .with_inner_size(settings.window_size.unwrap_or([1440.0, 900.0]))
            .with_maximized(settings.maximized)
            .with_min_inner_size([640.0, 400.0])
            .with_drag_and_drop(true),
        wgpu_options: gpu::configuration(),
        ..Default::default()
    };
    let created = eframe::run_native(
        "roadreel",
        options,
        Box::new(move |cc| {
            theme::install(&cc.egui_ctx);
            let ctx = cc.egui_ctx.clone();
            let waker = Arc::new(move || ctx.request_repaint());
            let mut state = AppState::new(start, make_executor, waker);
            state.attach(&cc.egui_ctx);
            if let Some(render_state) = &cc.wgpu_render_state {
                crate::render::install(render_state);
                std::thread::spawn(crate::render::compiling(render_state));
                watch(render_state, &cc.egui_ctx, &lost);
                state.gpu = Some(render_state.clone());
            }
            let title = String::new();
            Ok(Box::new(Window {
                state,
                title,
                lost,
                resumed,
            }))
        }),
    );
    created.map_err(|error| match error {
        eframe::Error::Wgpu(_) if !gpu::any_adapter() => gpu::NO_ADAPTER.to_owned(),
        error => format!("the window could not be opened: {error}"),
    })
}

fn watch(render_state: &eframe::egui_wgpu::RenderState, ctx: &egui::Context, lost: &Arc<AtomicBool>) {
    let (ctx, lost) = (ctx.clone(), lost.clone());
    render_state.device.set_device_lost_callback(move |reason, message| {
        if reason != eframe::egui_wgpu::wgpu::DeviceLostReason::Destroyed {
            tracing::warn!("graphics device lost: {message}");
            lost.store(true, Ordering::Relaxed);
            ctx.request_repaint();
        }
    });
    // an error that nothing caught would end the program
    render_state
        .device
        .on_uncaptured_error(Arc::new(|error| tracing::error!("graphics: {error}")));
}

struct Window {
    state: AppState,
    /// As the platform was told last.
    title: String,
    lost: Arc<AtomicBool>,
    resumed: Arc<std::sync::Mutex<Option<Start>>>,
}

impl eframe::App for Window {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        if self.lost.load(Ordering::Relaxed) {
            if let Ok(mut resumed) = self.resumed.lock() {
                *resumed = Some(self.state.to_start());
            }
            ui.ctx().send_viewport_cmd(egui::ViewportCommand::Close);
            return;
        }
        root(ui, &mut self.state);
        self.state.note_window_size(ui.ctx());
        let title = self.state.title();
        if title != self.title {
            ui.ctx().send_viewport_cmd(egui::ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }

    fn on_exit(&mut self) {
        self.state.save_settings();
        self.state.keep_layout();
    }
}

impl AppState {
    /// Theme and scale as they were set.
    pub fn attach(&self, ctx: &egui::Context) {
        ctx.set_theme(egui::ThemePreference::from(self.settings.look));
        ctx.set_zoom_factor(self.settings.ui_scale.clamp(0.5, 3.0));
    }

    /// For the next start: kept when the window closes.
    pub fn note_window_size(&mut self, ctx: &egui::Context) {
        let (inner, maximized) = ctx.input(|i| (i.viewport().inner_rect, i.viewport().maximized));
        self.settings.maximized = maximized.unwrap_or(false);
        if let Some(rect) = inner
            && !self.settings.maximized
        {
            let size = rect.size() * ctx.zoom_factor();
            self.settings.window_size = Some(size.round().into());
        }
    }

    /// `drive.bag – Roadreel`; never with a query.
    pub fn title(&self) -> String {
        match self.store.sources() {
            [] => "Roadreel".to_owned(),
            [only] => format!("{} – Roadreel", only.location.name()),
            [first, rest @ ..] => format!("{} and {} more – Roadreel", first.location.name(), rest.len()),
        }
    }

    /// How to open the window again as it is now.
    pub fn to_start(&self) -> Start {
        Start {
            locations: self.store.sources().iter().map(|s| s.location.clone()).collect(),
            layout: Some(self.layout()),
            layout_path: self.layouts.place.as_ref().and_then(|place| place.path()).map(Into::into),
            layout_text: self
                .layouts
                .place
                .as_ref()
                .and_then(|place| Some(self.layouts.known(place)?.text.to_string())),
            layout_link: None,
            scenes: self.scenes.table().cloned(),
            held_scenes: self.scenes.all(),
            seek_to: Some(crate::time::When::At(self.playback.now)),
            folders: self.folders.clone(),
            memory_budget: self.memory_given,
            ..Start::default()
        }
    }
}
