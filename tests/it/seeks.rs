//! The state at T is a function of T: after any number of seeks and plays each panel looks as in a window that was opened there.

use std::path::Path;
use std::sync::Arc;

use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use egui_kittest::wgpu::WgpuTestRenderer;
use image::RgbaImage;
use roadreel::app::{AppState, MakeExecutor, Start, gpu, root};
use roadreel::run::Executor;
use roadreel::source::Location;
use roadreel::time::{Time, When};

use crate::drive::drive;

type Window = Harness<'static, AppState>;

fn window(bag: &Path, seek_to: Option<Time>) -> Window {
    let device = gpu::offscreen().unwrap();
    let make: MakeExecutor = Arc::new(|waker| Executor::new(move || waker()));
    let start = Start {
        locations: vec![Location::Path(bag.to_owned())],
        seek_to: seek_to.map(When::At),
        ..Start::default()
    };
    let mut state = AppState::new(start, make, Arc::new(|| {}));
    state.gpu = Some(device.clone());
    Harness::builder()
        .with_size([1000.0, 640.0])
        .with_step_dt(0.05)
        .with_context_setup(roadreel::theme::install)
        .renderer(WgpuTestRenderer::from_render_state(device))
        .build_ui_state(root, state)
}

/// Until everything that is shown is there, wider spans included.
#[track_caller]
fn settle(window: &mut Window) {
    let mut quiet_passes = 0;
    for _ in 0..2000 {
        window.step();
        let state = window.state();
        if state.store.span().is_some() && state.is_settled(true) {
            // sizes settle in the passes after the contents came
            quiet_passes += 1;
            if quiet_passes == 4 {
                return;
            }
        } else {
            quiet_passes = 0;
            state.executor.wait();
        }
    }
    panic!("the window does not come to rest");
}

/// The panels' part of the picture: what was read so far shows elsewhere only.
fn panels(window: &mut Window) -> RgbaImage {
    let left = window.get_by_role_and_label(Role::TextInput, "Filter topics").rect().right() + 12.0;
    let top = window.get_by_label_contains("Add panel").rect().bottom() + 8.0;
    let bottom = window.get_by_role_and_label(Role::Button, "Play").rect().top() - 8.0;
    let picture = window.render().unwrap();
    let (width, height) = (picture.width() - left as u32, (bottom - top) as u32);
    image::imageops::crop_imm(&picture, left as u32, top as u32, width, height).to_image()
}

/// How many pixels differ visibly.
fn differing(a: &RgbaImage, b: &RgbaImage) -> usize {
    assert_eq!(a.dimensions(), b.dimensions());
    let visibly = |(a, b): &(&image::Rgba<u8>, &image::Rgba<u8>)| a.0.iter().zip(b.0).any(|(a, b)| a.abs_diff(b) > 8);
    a.pixels().zip(b.pixels()).filter(visibly).count()
}

#[test]
fn after_seeks_and_plays_each_panel_is_as_after_a_cold_start() {
    let mut session = window(drive(), None);
    settle(&mut session);
    let span = session.state().span();
    let mut random = fastrand::Rng::with_seed(50);
    for number in 0..50 {
        session.state_mut().seek(span.at_fraction(random.f64()));
        if number % 5 == 0 {
            session.get_by_role_and_label(Role::Button, "Play").click();
            session.run_steps(random.usize(2..12));
            session.state_mut().playback.playing = false;
        }
        // some seeks overtake the ones before
        if random.bool() {
            session.step();
            continue;
        }
        settle(&mut session);
        let now = session.state().playback.now;
        let shown = panels(&mut session);
        let mut cold = window(drive(), Some(now));
        settle(&mut cold);
        let expected = panels(&mut cold);
        let different = differing(&shown, &expected);
        if different > 0 {
            let folder = std::env::temp_dir();
            let (shown_at, expected_at) = (folder.join("roadreel-session.png"), folder.join("roadreel-cold.png"));
            shown.save(&shown_at).unwrap();
            expected.save(&expected_at).unwrap();
            panic!(
                "{different} pixels differ {} ns into the drive after {number} seeks: {} and {}",
                now.since(span.start),
                shown_at.display(),
                expected_at.display()
            );
        }
    }
}
