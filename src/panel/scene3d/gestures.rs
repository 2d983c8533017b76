//! Mouse and touch pad to camera: left drag orbits, right or middle drag pans, scrolling zooms towards the pointer.

use egui::{PointerButton, Response, Ui};
use glam::DVec2;

use crate::render::{Camera, View};

/// The camera after this frame's gestures; None where there were none.
pub fn moved(ui: &Ui, response: &Response, view: &View) -> Option<Camera> {
    let mut camera = view.camera;
    let drag = response.drag_delta();
    let drag = DVec2::new(f64::from(drag.x), f64::from(drag.y));
    let shift = ui.input(|input| input.modifiers.shift);
    if response.dragged_by(PointerButton::Primary) && !shift {
        camera = camera.orbited(drag);
    } else if response.dragged() {
        camera = camera.panned(drag, f64::from(response.rect.height()));
    }
    if let Some(pointer) = response.hover_pos() {
        let (scroll, pinch) = ui.input(|input| (input.smooth_scroll_delta().y, input.zoom_delta()));
        let factor = (-f64::from(scroll) * 0.0025).exp() / f64::from(pinch.max(1e-3));
        if (factor - 1.0).abs() > 1e-6 {
            let at = (pointer - response.rect.min) * view.viewport.pixels_per_point;
            camera = camera.zoomed(factor, view.anchor(DVec2::new(f64::from(at.x), f64::from(at.y))));
        }
    }
    (camera != view.camera).then_some(camera)
}
