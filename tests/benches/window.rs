//! What a frame of the window costs while the server stalls now and then: seeks, play, and recordings of very many chunks.
//!
//! Measured is our code on the window's thread: `AppState::begin`, the egui pass, tessellation, and handing over to the GPU (uploads
//! and the recording of commands). What the GPU then makes of it, rasterising, is left out: the commands are never submitted, as a
//! machine without a GPU would be measured instead. Wall time is what a user feels, the thread's CPU time what the code costs on a
//! machine that has other things to do.

mod figures;
#[path = "../it/server.rs"]
mod server;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui_wgpu::{RenderState, wgpu};
use egui::{Context, RawInput, Rect, pos2, vec2};
use roadreel::app::{AppState, MakeExecutor, Start, gpu, root};
use roadreel::format::rosbag1::writer::{Compression, Writer};
use roadreel::format::{Checks, ConnectionSet, Message};
use roadreel::run::{Executor, Piece, mapped};
use roadreel::scenes::{Scene, SceneSet};
use roadreel::source::Location;
use roadreel::time::Span;
use server::{Behaviour, Server};

/// As the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const FRAME_SECONDS: f64 = 1.0 / 60.0;
/// In points; at two pixels each.
const SIZE: egui::Vec2 = vec2(1600.0, 1000.0);
const PIXELS_PER_POINT: f32 = 2.0;
const MEMORY_BUDGET: u64 = 1 << 30;

/// How much is done: a moment under `cargo test`.
struct Scale {
    seconds: f64,
    seeks: usize,
    chunks: usize,
    /// Whether a frame lasts as long as on a screen, so that all else has as much time as it would.
    is_paced: bool,
}

/// Asks this program, started by itself, for a recording of many chunks: drive, recording, how many.
const MAKE_MANY: &str = "--make-many";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [command, drive, many, chunks] = arguments.as_slice()
        && command == MAKE_MANY
    {
        return write_many_chunks(drive.as_ref(), many.as_ref(), chunks.parse().expect("a number"));
    }
    let wanted = figures::are_wanted();
    let scale = match wanted {
        true => Scale {
            seconds: 60.0,
            seeks: 200,
            chunks: 60_000,
            is_paced: true,
        },
        false => Scale {
            seconds: 1.0,
            seeks: 5,
            chunks: 300,
            is_paced: false,
        },
    };
    let folder = tempfile::tempdir().expect("a folder");
    // a recording of one's own is named on the command line: `cargo bench --bench window -- drive.bag`
    let own = arguments.into_iter().find(|argument| argument.ends_with(".bag"));
    let drive = own.map_or_else(|| figures::drive(folder.path(), scale.seconds), Into::into);
    let many = folder.path().join("many.bag");
    // in a process of its own: what that takes of memory is not what is measured
    let made = Command::new(std::env::current_exe().expect("this program"))
        .args([MAKE_MANY.as_ref(), drive.as_os_str(), many.as_os_str()])
        .arg(scale.chunks.to_string())
        .status();
    assert!(made.expect("it starts").success());

    let server = Server::start(Behaviour {
        rtt: Duration::from_millis(20),
        pstall: 0.03,
        stall: Duration::from_secs(5),
        p503: 0.01,
        pshort: 0.01,
        ..Behaviour::default()
    });
    server.put_file("drive.bag", &drive);
    server.put_file("many.bag", &many);
    let url = |key: &str| Location::parse(&server.url(key)).expect("a URL");

    let mut rows = Vec::new();
    let mut window = Window::open(url("drive.bag"), scale.is_paced);
    window.seek_about(scale.seeks);
    rows.push(window.row(&format!("{} random seeks", scale.seeks)));
    let played_seconds = window.play((scale.seconds * 60.0) as usize);
    rows.push(window.row(&format!(
        "{:.0} s of play, of which {played_seconds:.0} s came in time",
        scale.seconds
    )));
    let shown = window.show_scenes(10_000);
    window.seek_about(scale.seeks);
    rows.push(window.row(&format!("{} random seeks with {shown} scenes", scale.seeks)));
    let peak = peak_memory_bytes();
    let gpu = window.gpu_name();
    drop(window);
    for (location, what) in [(Location::Path(many.clone()), "on disk"), (url("many.bag"), "on the server")] {
        let mut window = Window::open(location, scale.is_paced);
        window.seek_about(scale.seeks / 4);
        window.play((scale.seconds * 10.0) as usize);
        rows.push(window.row(&format!("seeks and play in {} chunks {what}", scale.chunks)));
    }
    if wanted {
        publish(&drive, &rows, peak, &gpu);
    }
    if let Some(peak) = peak {
        let limit = MEMORY_BUDGET + (300 << 20);
        println!("peak memory {} MiB of {} MiB", peak >> 20, limit >> 20);
        assert!(peak <= limit, "the memory budget and 300 MiB are exceeded: {} MiB", peak >> 20);
    }
}

/// What one frame cost.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    cpu: Duration,
}

/// The window without a screen: the program's own state and root.
struct Window {
    ctx: Context,
    state: AppState,
    device: Option<RenderState>,
    random: fastrand::Rng,
    frames: u32,
    is_paced: bool,
    costs: Vec<Cost>,
}

impl Window {
    /// Opens a recording and waits until its topics are there.
    fn open(location: Location, is_paced: bool) -> Window {
        let ctx = Context::default();
        roadreel::theme::install(&ctx);
        let start = Start {
            locations: vec![location],
            memory_budget: Some(MEMORY_BUDGET),
            ..Start::default()
        };
        let make: MakeExecutor = Arc::new(|waker| Executor::new(move || waker()));
        let mut state = AppState::new(start, make, Arc::new(|| {}));
        let device = gpu::offscreen().ok();
        if let Some(device) = &device {
            roadreel::render::install(device);
            state.gpu = Some(device.clone());
        }
        let mut window = Window {
            ctx,
            state,
            device,
            random: fastrand::Rng::with_seed(1),
            frames: 0,
            is_paced,
            costs: Vec::new(),
        };
        while !window.state.is_settled(false) || window.state.store.span().is_none() {
            window.frame();
        }
        window
    }

    fn gpu_name(&self) -> String {
        self.device.as_ref().map_or("no GPU".to_owned(), gpu::name)
    }

    /// Seeks anywhere, sometimes before what was wanted last is there, as a hand on the timeline does.
    fn seek_about(&mut self, seeks: usize) {
        for _ in 0..seeks {
            let t = self.state.span().at_fraction(self.random.f64());
            self.state.seek(t);
            for _ in 0..self.random.usize(1..30) {
                self.frame();
            }
        }
    }

    /// Plays from the start for so many frames; gives the seconds by which the playhead went on.
    fn play(&mut self, frames: usize) -> f64 {
        let start = self.state.span().start;
        self.state.seek(start);
        self.state.playback.playing = true;
        for _ in 0..frames {
            self.frame();
        }
        self.state.playback.playing = false;
        self.state.playback.now.since(start) as f64 * 1e-9
    }

    /// So many scenes, in four lanes and in the list.
    fn show_scenes(&mut self, count: usize) -> usize {
        let span = self.state.span();
        let location = self.state.store.sources()[0].location.clone();
        let scene = |number: usize| {
            let start = span.at_fraction(number as f64 / count as f64);
            let class = ["braking", "cut-in", "overtaking", "PersonInLane"][number % 4];
            Scene::new(&location, class, Span::new(start, start.plus_nanos(300_000_000)))
        };
        let set = SceneSet::new("many".into(), None, (0..count).map(scene).collect());
        self.state.add_scenes(set);
        count
    }

    fn frame(&mut self) {
        let mut input = RawInput {
            screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), SIZE)),
            time: Some(f64::from(self.frames) * FRAME_SECONDS),
            max_texture_side: Some(roadreel::theme::MAX_TEXTURE_SIDE),
            focused: true,
            ..RawInput::default()
        };
        if let Some(viewport) = input.viewports.get_mut(&egui::ViewportId::ROOT) {
            viewport.native_pixels_per_point = Some(PIXELS_PER_POINT);
        }
        self.frames += 1;
        let (wall, cpu) = (Instant::now(), figures::thread_cpu_time());
        let output = self.ctx.run_ui(input, |ui| root(ui, &mut self.state));
        let primitives = self.ctx.tessellate(output.shapes, output.pixels_per_point);
        if let Some(device) = &self.device {
            hand_over(device, &output.textures_delta, &primitives);
        }
        let cost = Cost {
            wall: wall.elapsed(),
            cpu: figures::thread_cpu_time() - cpu,
        };
        self.costs.push(cost);
        if let Some(device) = &self.device {
            let _ = device.device.poll(wgpu::PollType::Poll);
        }
        let left = Duration::from_secs_f64(FRAME_SECONDS).saturating_sub(cost.wall);
        if self.is_paced {
            std::thread::sleep(left);
        } else if self.state.store.status().waiting_at_playhead {
            self.state.executor.wait();
        }
    }

    /// A line of the table, of all frames since the last one.
    fn row(&mut self, what: &str) -> String {
        let costs = std::mem::take(&mut self.costs);
        let by = |of: fn(&Cost) -> Duration| {
            let mut all: Vec<Duration> = costs.iter().map(of).collect();
            all.sort_unstable();
            [50, 95, 99, 100].map(|percent| millis(all[(all.len() - 1) * percent / 100]))
        };
        let (wall, cpu) = (by(|cost| cost.wall), by(|cost| cost.cpu));
        let cells = wall.iter().zip(&cpu).map(|(wall, cpu)| format!("{wall} ({cpu})"));
        let row = format!("| {what}: {} frames | {} |", costs.len(), cells.collect::<Vec<_>>().join(" | "));
        println!("{row}");
        row
    }
}

/// What eframe's painter does with a frame, up to the point at which the GPU would begin.
fn hand_over(device: &RenderState, textures: &egui::TexturesDelta, primitives: &[egui::ClippedPrimitive]) {
    let mut renderer = device.renderer.write();
    for (id, images) in &textures.set {
        for image in images {
            renderer.update_texture(&device.device, &device.queue, *id, image);
        }
    }
    let screen = gpu::ScreenDescriptor {
        size_in_pixels: [SIZE.x, SIZE.y].map(|side| (side * PIXELS_PER_POINT) as u32),
        pixels_per_point: PIXELS_PER_POINT,
    };
    let mut encoder = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    let commands = renderer.update_buffers(&device.device, &device.queue, &mut encoder, primitives, &screen);
    drop((commands, encoder));
    for id in &textures.free {
        renderer.free_texture(id);
    }
    // only the uploads
    device.queue.submit([]);
}

/// The drive's small messages again and again, each in a chunk of its own.
fn write_many_chunks(drive: &Path, path: &Path, chunks: usize) {
    const SMALL_BYTES: usize = 4096;
    let drive = figures::recording(Location::Path(drive.to_owned()));
    let span = drive.container.catalog().span().expect("messages");
    let first_second = Span::new(span.start, span.start.plus_nanos(1_000_000_000));
    let small = mapped(&drive, ConnectionSet::All, first_second, Checks::Quick, |m| m);
    let small: Vec<Message> = small
        .filter_map(|piece| match piece {
            Ok(Piece::Message(_, _, message)) if message.payload.len() < SMALL_BYTES => Some(message),
            _ => None,
        })
        .collect();
    let file = std::io::BufWriter::new(std::fs::File::create(path).expect("a file"));
    let mut writer = Writer::new(file, Compression::None).expect("a bag");
    for connection in &drive.container.catalog().connections {
        writer.add_connection(connection);
    }
    for (at, message) in small.iter().cycle().take(chunks).enumerate() {
        let later_nanos = (at / small.len()) as i64 * 1_000_000_000;
        let time = message.time.plus_nanos(later_nanos);
        writer.write(message.connection, time, &message.payload).expect("written");
        writer.close_chunk().expect("written");
    }
    let file = writer.finish().expect("written");
    drop(file.into_inner().expect("all of it is written"));
}

fn publish(drive: &Path, rows: &[String], peak: Option<u64>, gpu: &str) {
    let memory = peak.map(|peak| {
        format!(
            "\n\nPeak memory, the server's included: {} MiB, with a budget of {} MiB.",
            peak >> 20,
            MEMORY_BUDGET >> 20
        )
    });
    let text = format!(
        "The window's own time in a frame, in ms: wall time, and in brackets the thread's CPU time; {} cores, {gpu}. The demo drive, {} MB, \
         lies behind a server 20 ms away that stalls, breaks off or refuses one request in twenty.\n\n\
         | | median | 95 % | 99 % | most |\n|---|---:|---:|---:|---:|\n{}{}",
        figures::cores(),
        figures::megabytes(drive),
        rows.join("\n"),
        memory.unwrap_or_default(),
    );
    figures::publish("window", &text);
}

fn millis(duration: Duration) -> String {
    format!("{:.1}", duration.as_secs_f64() * 1e3)
}

fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024)
}
