//! How often the window asks a store that lies a round trip away, and for what: opening, the first picture, each seek.
//!
//! The store holds every request back until all that the window asks at once have come: then that was one round.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use roadreel::app::{AppState, MakeExecutor, Start, root};
use roadreel::run::{Executor, Io};
use roadreel::source::{Location, Policy};
use roadreel::time::When;

use crate::drive::drive;
use crate::server::{Behaviour, Server};

/// The window before a store that counts rounds.
struct Window {
    ctx: egui::Context,
    state: AppState,
    server: Server,
    changed: mpsc::Receiver<()>,
}

impl Window {
    fn open(bag: &Path, seek_to: Option<When>) -> Window {
        let server = Server::start(Behaviour::default());
        server.put_file("drive.bag", bag);
        let (told, changed) = mpsc::channel();
        let arrived = told.clone();
        server.shut(move || {
            let _ = arrived.send(());
        });
        // held requests are not taken for stalled ones
        let patient = Policy {
            idle: Duration::from_secs(600),
            idle_max: Duration::from_secs(600),
            ..Policy::default()
        };
        let io = Io::new(patient, &[]).unwrap();
        let make: MakeExecutor = Arc::new(move |waker| Executor::with(io.clone(), move || waker()));
        let start = Start {
            locations: vec![Location::parse(&server.presigned("drive.bag", 3000)).unwrap()],
            seek_to,
            ..Start::default()
        };
        let told = std::sync::Mutex::new(told);
        let wake = move || drop(told.lock().map(|told| told.send(())));
        let mut state = AppState::new(start, make, Arc::new(wake));
        // only what the playhead needs
        state.store.hold_background(true);
        let ctx = egui::Context::default();
        roadreel::theme::install(&ctx);
        Window {
            ctx,
            state,
            server,
            changed,
        }
    }

    fn pass(&mut self) {
        let input = egui::RawInput {
            screen_rect: Some(egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(1280.0, 800.0))),
            ..egui::RawInput::default()
        };
        let _ = self.ctx.run_ui(input, |ui| root(ui, &mut self.state));
    }

    /// Draws until everything at the playhead is there; the rounds that took, each with what was asked for.
    fn rounds(&mut self) -> Vec<Vec<Range<u64>>> {
        let mut rounds = Vec::new();
        let mut quiet_passes = 0;
        loop {
            self.pass();
            let opening = !self.state.is_indexed();
            let requests = if opening { 1 } else { self.state.executor.requests_in_flight() };
            let reads = self.state.store.status().reads_in_flight;
            if self.state.is_settled(false) && !opening && reads == 0 {
                // what is drawn may want more
                quiet_passes += 1;
                if quiet_passes == 3 {
                    return rounds;
                }
                continue;
            }
            quiet_passes = 0;
            if requests > 0 && self.server.held().len() == requests {
                rounds.push(self.server.held());
                self.server.let_through();
            }
            // a request's place is given back a moment after its answer, which nobody tells
            let _ = self.changed.recv_timeout(Duration::from_millis(50));
        }
    }
}

fn size(rounds: &[Vec<Range<u64>>]) -> u64 {
    rounds.iter().flatten().map(|range| range.end - range.start).sum()
}

#[track_caller]
fn nothing_twice(rounds: &[Vec<Range<u64>>]) {
    let mut all: Vec<_> = rounds.iter().flatten().cloned().collect();
    all.sort_by_key(|range| range.start);
    for pair in all.windows(2) {
        assert!(pair[0].end <= pair[1].start, "{:?} and {:?} overlap: {rounds:?}", pair[0], pair[1]);
    }
}

#[test]
fn info_takes_two_requests() {
    let server = Server::start(Behaviour::default());
    server.put_file("drive.bag", drive());
    let output = crate::program::roadreel()
        .args(["info", "--json", &server.presigned("drive.bag", 3000)])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let stats = server.stats();
    assert_eq!(stats.requests, 2, "{:?}", stats.log);
    assert!(stats.bytes < 200_000, "{} bytes", stats.bytes);
}

#[test]
fn a_trace_of_everything_holds_no_query() {
    let server = Server::start(Behaviour {
        p503: 0.3,
        pshort: 0.3,
        ..Behaviour::default()
    });
    server.put_file("drive.bag", drive());
    for (key, code) in [("drive.bag", 0), ("none.bag", 1)] {
        let output = crate::program::roadreel()
            .args(["cat", "--topic", "/gps/fix", &server.presigned(key, 3000)])
            .env("RUST_LOG", "trace")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains("GET"), "{said}");
        for secret in ["SECRETKEYID", "SECRETSIGNATURE", "X-Amz"] {
            assert!(!said.contains(secret), "{said}");
            assert!(!String::from_utf8_lossy(&output.stdout).contains(secret));
        }
    }
}

#[test]
fn the_first_picture_takes_the_index_and_one_round() {
    let mut window = Window::open(drive(), Some(When::Fraction(500_000_000)));
    let rounds = window.rounds();
    assert_eq!(rounds.len(), 3, "first block, index, and one round: {rounds:?}");
    assert_eq!(rounds[0].first(), Some(&(0..64 << 10)));
    nothing_twice(&rounds);
    let visible: BTreeSet<String> = window.state.workspace.visible().iter().map(|pane| pane.kind.clone()).collect();
    assert_eq!(visible, ["image", "map", "plot", "raw", "scene3d"].map(str::to_owned).into());
}

#[test]
fn each_seek_takes_one_round() {
    let mut window = Window::open(drive(), None);
    window.rounds();
    let span = window.state.span();
    let mut random = fastrand::Rng::with_seed(5);
    for _ in 0..20 {
        window.state.seek(span.at_fraction(random.f64()));
        let rounds = window.rounds();
        assert!(rounds.len() <= 1, "{rounds:?}");
        nothing_twice(&rounds);
        // the tenth of a second around the playhead, the half second of transforms before it: not the recording
        assert!(size(&rounds) < 20_000_000, "{} bytes", size(&rounds));
    }
}
