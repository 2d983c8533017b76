//! The window drawn into pictures, without a display: the same root, the same device choice, no eframe.
//!
//! Invariants: a picture waits until all is there that it shows, so that it depends on the moment alone; the egui passes before the last
//! one are laid out but not painted; the pixels go from the mapped buffer to whoever takes them without a copy where their rows need no
//! padding. This is memory and time that a screenshot does not have to spend.

use std::borrow::Cow;
use std::io::Write;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use eframe::egui_wgpu::{RenderState, wgpu};
use egui::epaint::text::{FallbackRequest, FontInsert, FontProvider as _};
use egui::{Context, FullOutput, RawInput, Rect, TextureId, pos2, vec2};
use egui_system_font_provider::SystemFontProvider;

use super::gpu::{self, ScreenDescriptor};
use super::{AppState, MakeExecutor, Start, root};
use crate::panel::{self, PanelState};
use crate::store::Lookup;
use crate::theme;
use crate::time::{Span, Time};

#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// In points.
    pub size: (u32, u32),
    /// Pixels for each point.
    pub scale: f32,
    /// Also waits for wider spans than the playhead.
    pub wait_all: bool,
    pub light: bool,
    /// Pictures of several moments: nothing in them tells how they came about.
    pub is_film: bool,
    /// When the program started, for the timings.
    pub started: Instant,
}

/// Fonts for characters that the program's own lack, as eframe finds them for a window; looked for only where there is such a
/// character.
fn system_font() -> impl Fn(&FallbackRequest<'_>) -> Option<FontInsert> {
    let fonts = OnceLock::new();
    move |request: &FallbackRequest<'_>| fonts.get_or_init(SystemFontProvider::new).font_for(request)
}

impl Options {
    /// Width and height of a picture.
    pub fn pixels(&self) -> (u32, u32) {
        let side = |points: u32| (points as f32 * self.scale).round() as u32;
        (side(self.size.0), side(self.size.1))
    }
}

/// How it went: the object of `--stats`.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Stats {
    pub open_ms: u64,
    pub first_frame_ms: u64,
    pub settled_ms: u64,
    /// Pictures that were drawn.
    pub frames: u64,
    pub requests: u64,
    pub bytes_fetched: u64,
    /// Requests that were made again.
    pub retries: u64,
    pub cache_hits: u64,
    pub cache_bytes: u64,
    /// 0 to 1.
    pub hit_rate: f64,
    /// Estimated.
    pub egress_usd: f64,
    pub peak_rss_bytes: Option<u64>,
    pub points_drawn: u64,
    pub gpu: String,
    pub panels: Vec<PanelStats>,
}

#[derive(Clone, Debug, serde::Serialize)]
pub struct PanelStats {
    pub kind: String,
    pub title: String,
    pub state: &'static str,
    pub topics: Vec<String>,
    pub note: Option<String>,
}

/// Passes of layout after everything is there: panels and scroll areas find their sizes in the first, their contents in the second.
const PASSES_MIN: usize = 3;
const PASSES_MAX: usize = 40;

/// A window that nobody sees. Errors are one sentence.
pub struct Screen {
    ctx: Context,
    state: AppState,
    device: RenderState,
    options: Options,
    stats: Stats,
    /// egui's time: all passes of all pictures.
    passes: usize,
}

/// A picture: 4 bytes a pixel, rows without padding.
pub struct Frame<'a> {
    pub rgba: Cow<'a, [u8]>,
    pub width: u32,
    pub height: u32,
}

impl Frame<'_> {
    pub fn write_png(&self, png: impl Write) -> Result<(), String> {
        use image::codecs::png::{CompressionType, FilterType, PngEncoder};
        use image::{ExtendedColorType, ImageEncoder};

        PngEncoder::new_with_quality(png, CompressionType::Fast, FilterType::Up)
            .write_image(&self.rgba, self.width, self.height, ExtendedColorType::Rgba8)
            .map_err(|e| format!("the picture could not be written: {e}"))
    }
}

impl Screen {
    /// Opens what is to be seen, and waits for it.
    pub fn open(start: Start, make_executor: MakeExecutor, options: Options) -> Result<Screen, String> {
        let device = std::thread::spawn(gpu::offscreen);
        let ctx = Context::default();
        theme::install(&ctx);
        ctx.add_font_provider(Arc::new(system_font()));
        ctx.set_theme(if options.light { egui::Theme::Light } else { egui::Theme::Dark });
        let mut state = AppState::new(start, make_executor, Arc::new(|| {}));
        state.is_film = options.is_film;
        let mut stats = Stats::default();

        settle(&mut state, &options, &mut stats);
        let failed = state.store.sources().iter().filter_map(|s| match &s.state {
            crate::store::SourceState::Failed(why) => Some(why.to_string()),
            _ => None,
        });
        let failed: Vec<String> = failed.collect();
        if !failed.is_empty() && state.store.span().is_none() {
            return Err(failed.join("; "));
        }

        let device = device.join().map_err(|_| "the graphics driver failed".to_owned())??;
        crate::render::install(&device);
        state.gpu = Some(device.clone());
        Ok(Screen {
            ctx,
            state,
            device,
            options,
            stats,
            passes: 0,
        })
    }

    /// Of all recordings together.
    pub fn span(&self) -> Span {
        self.state.span()
    }

    /// Puts the playhead there.
    pub fn seek(&mut self, t: Time) {
        self.state.seek(t);
    }

    /// Draws the window as it is once everything is there.
    pub fn draw(&mut self, take: impl FnOnce(&Frame) -> Result<(), String>) -> Result<(), String> {
        let (output, unused) = self.laid_out();
        paint(&self.ctx, output, &self.device, &self.options, take)?;
        let mut renderer = self.device.renderer.write();
        unused.iter().for_each(|texture| renderer.free_texture(texture));
        self.stats.frames += 1;
        let elapsed = u64::try_from(self.options.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.stats.settled_ms = elapsed;
        if self.stats.first_frame_ms == 0 {
            self.stats.first_frame_ms = elapsed;
        }
        Ok(())
    }

    /// How it went.
    pub fn stats(mut self) -> Stats {
        report(&self.state, &self.device, &mut self.stats);
        self.stats
    }

    /// Lays out until nothing changes any more; the last pass's output is to be painted, and then no more needs these textures.
    fn laid_out(&mut self) -> (FullOutput, Vec<TextureId>) {
        let mut number = 0;
        let mut unused = Vec::new();
        // headers are drawn before their panels: they show how these stood in the pass before
        let mut was_pending = false;
        loop {
            let state = &mut self.state;
            let mut output = self.ctx.run_ui(input(&self.options, self.passes), |ui| root(ui, state));
            number += 1;
            self.passes += 1;
            let mut renderer = self.device.renderer.write();
            for (id, images) in std::mem::take(&mut output.textures_delta.set) {
                for image in images {
                    renderer.update_texture(&self.device.device, &self.device.queue, id, &image);
                }
            }
            drop(renderer);
            unused.extend(output.textures_delta.free.drain());
            if number >= PASSES_MAX {
                return (output, unused);
            }
            let pending = any_pending(state);
            if pending {
                panel::map::wait_for_ground();
            }
            if state.is_settled(self.options.wait_all) && state.scenes.is_settled() && !pending {
                if number >= PASSES_MIN && !was_pending {
                    return (output, unused);
                }
            } else {
                settle(state, &self.options, &mut self.stats);
            }
            was_pending = pending;
        }
    }
}

/// Runs the data's part of a frame until the store rests.
fn settle(state: &mut AppState, options: &Options, stats: &mut Stats) {
    let elapsed = || u64::try_from(options.started.elapsed().as_millis()).unwrap_or(u64::MAX);
    state.store.hold_background(!options.wait_all);
    state.sql.wait();
    loop {
        state.begin(0.0);
        if stats.open_ms == 0 && !state.store.topics().is_empty() {
            stats.open_ms = elapsed();
        }
        if stats.first_frame_ms == 0 && has_any_data(state) {
            stats.first_frame_ms = elapsed();
        }
        if !state.scenes.is_settled() {
            state.jobs.wait();
            continue;
        }
        if state.is_settled(options.wait_all) || !state.executor.wait() {
            // what the last events made possible
            state.begin(0.0);
            if state.is_settled(options.wait_all) || state.executor.outstanding() == 0 {
                return;
            }
        }
    }
}

fn has_any_data(state: &AppState) -> bool {
    let view = state.view();
    state.workspace.visible().iter().any(|pane| {
        pane.panel.topics(&view).iter().any(|id| {
            let form = state.store.topic(*id).and_then(|t| t.form);
            form.is_some_and(|form| matches!(state.store.latest(*id, form), Lookup::Ready(_)))
        })
    })
}

fn any_pending(state: &AppState) -> bool {
    let view = state.view();
    let pending = |pane: &&crate::workspace::Pane| matches!(pane.panel.state(&view), PanelState::Pending(_));
    state.workspace.visible().iter().any(pending)
}

fn input(options: &Options, pass: usize) -> RawInput {
    let size = vec2(options.size.0 as f32, options.size.1 as f32);
    let mut input = RawInput {
        screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), size)),
        time: Some(pass as f64),
        predicted_dt: 1.0,
        max_texture_side: Some(theme::MAX_TEXTURE_SIDE),
        focused: true,
        ..RawInput::default()
    };
    if let Some(viewport) = input.viewports.get_mut(&egui::ViewportId::ROOT) {
        viewport.native_pixels_per_point = Some(options.scale);
    }
    input
}

fn paint(
    ctx: &Context,
    output: FullOutput,
    device: &RenderState,
    options: &Options,
    take: impl FnOnce(&Frame) -> Result<(), String>,
) -> Result<(), String> {
    let (width, height) = options.pixels();
    let limit = device.device.limits().max_texture_dimension_2d;
    if width > limit || height > limit || width == 0 || height == 0 {
        return Err(format!(
            "a picture of {width} × {height} pixels cannot be drawn: this device ends at {limit}"
        ));
    }
    let screen = ScreenDescriptor {
        size_in_pixels: [width, height],
        pixels_per_point: output.pixels_per_point,
    };
    let primitives = ctx.tessellate(output.shapes, output.pixels_per_point);
    let target = device.device.create_texture(&wgpu::TextureDescriptor {
        label: Some("screenshot"),
        size: wgpu::Extent3d {
            width,
            height,
            depth_or_array_layers: 1,
        },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: device.target_format,
        usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
        view_formats: &[],
    });
    let view = target.create_view(&wgpu::TextureViewDescriptor::default());
    let mut encoder = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    let mut renderer = device.renderer.write();
    let before = renderer.update_buffers(&device.device, &device.queue, &mut encoder, &primitives, &screen);
    {
        let attachment = wgpu::RenderPassColorAttachment {
            view: &view,
            resolve_target: None,
            depth_slice: None,
            ops: wgpu::Operations {
                load: wgpu::LoadOp::Clear(wgpu::Color::BLACK),
                store: wgpu::StoreOp::Store,
            },
        };
        let descriptor = wgpu::RenderPassDescriptor {
            label: Some("screenshot"),
            color_attachments: &[Some(attachment)],
            ..Default::default()
        };
        let mut pass = encoder.begin_render_pass(&descriptor).forget_lifetime();
        renderer.render(&mut pass, &primitives, &screen);
    }
    drop(renderer);
    drop(primitives);
    let row_bytes = width * 4;
    let padded = row_bytes.next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
    let buffer = device.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("screenshot"),
        size: u64::from(padded) * u64::from(height),
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    encoder.copy_texture_to_buffer(
        target.as_image_copy(),
        wgpu::TexelCopyBufferInfo {
            buffer: &buffer,
            layout: wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: Some(padded),
                rows_per_image: None,
            },
        },
        target.size(),
    );
    device.queue.submit(before.into_iter().chain([encoder.finish()]));
    let (sender, mapped) = std::sync::mpsc::channel();
    buffer
        .slice(..)
        .map_async(wgpu::MapMode::Read, move |result| drop(sender.send(result)));
    let wait = wgpu::PollType::Wait {
        submission_index: None,
        timeout: Some(std::time::Duration::from_secs(60)),
    };
    device
        .device
        .poll(wait)
        .map_err(|e| format!("the graphics device did not finish: {e}"))?;
    let mapped = mapped.try_recv().map_err(|e| format!("the picture did not come back: {e}"))?;
    mapped.map_err(|e| format!("the picture did not come back: {e}"))?;
    drop(target);
    let pixels = buffer
        .slice(..)
        .get_mapped_range()
        .map_err(|e| format!("the picture did not come back: {e}"))?;
    take(&Frame {
        rgba: without_padding(&pixels, width as usize * 4, padded as usize),
        width,
        height,
    })
}

fn without_padding(pixels: &[u8], row_bytes: usize, padded: usize) -> Cow<'_, [u8]> {
    if padded == row_bytes {
        return pixels.into();
    }
    let rows = pixels.chunks(padded).flat_map(|row| row.iter().take(row_bytes));
    rows.copied().collect::<Vec<u8>>().into()
}

fn report(state: &AppState, device: &RenderState, stats: &mut Stats) {
    let traffic = state.executor.traffic();
    stats.requests = traffic.requests;
    stats.bytes_fetched = traffic.bytes + traffic.disk_bytes;
    stats.retries = traffic.retries;
    (stats.cache_hits, stats.cache_bytes) = (traffic.cache_hits, traffic.cache_bytes);
    stats.hit_rate = traffic.hit_rate();
    stats.egress_usd = traffic.egress_usd(state.settings.egress_usd_per_gb);
    stats.peak_rss_bytes = super::process::bytes("VmHWM");
    stats.gpu = gpu::name(device);
    let view = state.view();
    for pane in state.workspace.visible() {
        let (word, note) = match pane.panel.state(&view) {
            PanelState::Ready | PanelState::Stale(_) => ("ready", None),
            PanelState::Partial(why) => ("partial", Some(why)),
            PanelState::Pending(why) => ("pending", Some(why)),
            PanelState::Absent(why) => ("absent", Some(why)),
            PanelState::Failed(why) => ("failed", Some(why)),
        };
        let topics = pane.panel.topics(&view);
        for topic in &topics {
            if let Lookup::Ready(entry) = state.store.latest(*topic, crate::decode::Form::Cloud)
                && let crate::decode::Decoded::Cloud(cloud) = &*entry.decoded
            {
                stats.points_drawn += u64::from(cloud.width) * u64::from(cloud.height);
            }
        }
        let name = |id: &crate::store::TopicId| Some(state.store.topic(*id)?.name.to_string());
        stats.panels.push(PanelStats {
            kind: pane.kind.clone(),
            title: pane.panel.title(&view),
            state: word,
            topics: topics.iter().filter_map(name).collect(),
            note,
        });
    }
}
