//! One panel in a window of 1600 × 900, frame by frame.

use std::time::{Duration, Instant};

use roadreel::panel::{PANELS, Panel, View};
use roadreel::store::Store;
use roadreel::time::Time;

use crate::figures;

pub struct Stage {
    pub panel: Box<dyn Panel>,
    ctx: egui::Context,
    seconds: f64,
}

impl Stage {
    pub fn new(kind: &str, config: &serde_json::Value) -> Stage {
        let kind = PANELS.iter().find(|k| k.id == kind).expect("a kind of panel");
        let ctx = egui::Context::default();
        roadreel::theme::install(&ctx);
        Stage {
            panel: (kind.create)(config),
            ctx,
            seconds: 0.0,
        }
    }

    /// What is wanted, what is drawn, everything but rasterising: what that took, and of the processor.
    pub fn frame(&mut self, store: &mut Store, now: Time, events: Vec<egui::Event>) -> (Duration, Duration) {
        self.seconds += 1.0 / 60.0;
        let input = egui::RawInput {
            screen_rect: Some(egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(1600.0, 900.0))),
            time: Some(self.seconds),
            events,
            ..egui::RawInput::default()
        };
        let (began, began_cpu) = (Instant::now(), figures::thread_cpu_time());
        let mut wants = Vec::new();
        let view = View {
            store,
            now,
            span: store.span().expect("messages"),
            playing: false,
            hover: None,
            selected: None,
            queries: &[],
            gpu: None,
        };
        self.panel.wants(&view, &mut wants);
        let output = self.ctx.run_ui(input, |ui| self.panel.ui(ui, &view, &mut Vec::new()));
        let shapes = self.ctx.tessellate(output.shapes, output.pixels_per_point);
        store.demand(now, 0.0, &wants);
        let took = (began.elapsed(), figures::thread_cpu_time() - began_cpu);
        assert!(!shapes.is_empty());
        took
    }
}

pub fn wheel(points: f32) -> egui::Event {
    egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: egui::vec2(0.0, points),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Wheel,
        modifiers: egui::Modifiers::NONE,
    }
}

/// Runs are the same, frame for frame: what interrupts one of them does not count.
pub const RUNS: usize = 3;

/// Of each frame the median of so many runs; the shortest first.
pub fn medians(runs: usize, mut run: impl FnMut() -> Vec<Duration>) -> Vec<Duration> {
    let all: Vec<Vec<Duration>> = (0..runs).map(|_| run()).collect();
    let of_frame = |at: usize| {
        let mut took: Vec<Duration> = all.iter().filter_map(|run| run.get(at).copied()).collect();
        took.sort();
        took[took.len() / 2]
    };
    let mut took: Vec<Duration> = (0..all[0].len()).map(of_frame).collect();
    took.sort();
    took
}

/// What sorted times come to.
pub fn told(took: &[Duration]) -> String {
    let ms = |at: usize| took[at].as_secs_f64() * 1e3;
    let (median, late, most) = (ms(took.len() / 2), ms(took.len() * 99 / 100), ms(took.len() - 1));
    format!("median {median:.1} ms, 99 % {late:.1} ms, most {most:.1} ms")
}
