//! The GPU side: keeps what a device holds, draws scenes into pictures, and hands the pictures to egui.
//!
//! Invariants: everything here belongs to one device and can be made again from a [`Scene`]; it lives in egui's callback resources, which go with
//! the device. Nothing is uploaded twice while it is in use, and an unchanged scene is not drawn again. No error of the device ends the program:
//! what could not be made is named in the [`Report`] and left out.

mod buffers;
mod pipelines;
mod target;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use eframe::{egui_wgpu, wgpu};
use glam::{DAffine3, DMat4, DVec3, Mat4, Vec3};

use self::buffers::Buffers;
use self::pipelines::{Pipelines, Variant};
use self::target::Target;
use super::{CellColors, Cells, Lines, MeshSource, Meshes, PointCloud, PointColor, Scene, Size, View, ground_lines, mesh_of};

/// What came of drawing, for the caller to show.
#[derive(Debug, Default)]
pub struct Report {
    points: AtomicU64,
    pictures: AtomicU64,
    error: Mutex<Option<String>>,
}

impl Report {
    /// Points handed to the GPU for the last picture.
    pub fn points(&self) -> u64 {
        self.points.load(Ordering::Relaxed)
    }

    /// Pictures drawn so far; one that is shown again does not count.
    pub fn pictures(&self) -> u64 {
        self.pictures.load(Ordering::Relaxed)
    }

    /// Why something is missing from the last picture.
    pub fn error(&self) -> Option<String> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The uniform of one item: `Item` of common.wgsl.
#[derive(Clone, Copy, Debug, Default, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
struct ItemUniform {
    clip_from_item: [[f32; 4]; 4],
    view_from_item: [[f32; 4]; 3],
    color: [f32; 4],
    origin_high: [f32; 4],
    origin_low: [f32; 4],
    params: [f32; 4],
    layout_a: [u32; 4],
    layout_b: [u32; 4],
    offsets: [u32; 4],
    kinds: [u32; 4],
}

#[derive(Clone, Copy, Debug, Default, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
struct Globals {
    viewport_px: [f32; 2],
    px_per_metre: f32,
    near: f32,
    light: [f32; 4],
}

/// Bytes between two items' uniforms: the most that any device asks for.
const SLOT: u64 = 256;

/// One draw call.
struct Call {
    variant: Variant,
    uniform: ItemUniform,
    data: wgpu::Buffer,
    what: What,
}

enum What {
    Vertices(u32),
    Indexed {
        vertices: wgpu::Buffer,
        indices: wgpu::Buffer,
        index_count: u32,
        instances: u32,
    },
}

/// Everything that one device holds for 3D views.
pub struct Renderer {
    pipelines: Pipelines,
    palette: wgpu::Buffer,
    buffers: Buffers,
    targets: HashMap<u64, Target>,
    /// Counts frames.
    frame: u64,
}

/// Frames for which the picture of a view is kept that is not shown: a tab may come back soon.
const KEPT_FRAMES: u64 = 60;

impl Renderer {
    /// `output` is the format of the pass that shows the pictures; `samples` is 1, or 4 for smooth edges.
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue, output: wgpu::TextureFormat, samples: u32) -> Renderer {
        let palette = buffers::with_bytes(device, wgpu::BufferUsages::STORAGE, &super::colormap_bytes());
        queue.submit([]);
        Renderer {
            pipelines: Pipelines::new(device, output, samples),
            palette,
            buffers: Buffers::default(),
            targets: HashMap::new(),
            frame: 0,
        }
    }

    /// Another frame of the window begins: lets go of what was not shown for a while.
    fn next_frame(&mut self) {
        self.frame += 1;
        let frame = self.frame;
        self.targets.retain(|_, target| frame - target.used <= KEPT_FRAMES);
        self.buffers.next_frame();
    }

    /// Draws `scene` into the picture named `key`, unless it is there already.
    pub fn draw(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        encoder: &mut wgpu::CommandEncoder,
        key: u64,
        scene: &Arc<Scene>,
        report: &Report,
    ) {
        let viewport = scene.view.viewport;
        let limit = device.limits().max_texture_dimension_2d;
        let size = [viewport.width, viewport.height].map(|side| side.clamp(1, limit));
        if self.targets.get(&key).is_none_or(|target| target.size != size) {
            match buffers::caught(device, || Target::new(device, &self.pipelines, &self.palette, size)) {
                Ok(target) => self.targets.insert(key, target),
                Err(error) => {
                    let [width, height] = size;
                    *report.error.lock().unwrap_or_else(PoisonError::into_inner) =
                        Some(format!("the GPU has no picture of {width} × {height} pixels: {error}"));
                    self.targets.remove(&key)
                }
            };
        }
        let Some(target) = self.targets.get_mut(&key) else { return };
        target.used = self.frame;
        if target.scene.as_ref().is_some_and(|old| Arc::ptr_eq(old, scene) || old == scene) {
            return self.buffers.keep(&target.drawn_with);
        }
        let mut errors = Vec::new();
        let calls = calls_of(&mut self.buffers, device, scene, &mut errors);
        target.draw(device, queue, encoder, &self.pipelines, scene, &calls);
        target.scene = Some(Arc::clone(scene));
        target.drawn_with = self.buffers.taken();
        report.pictures.fetch_add(1, Ordering::Relaxed);
        report.points.store(scene.point_count(), Ordering::Relaxed);
        *report.error.lock().unwrap_or_else(PoisonError::into_inner) = errors.into_iter().next();
    }

    /// The picture named `key`, for reading back.
    pub fn picture(&self, key: u64) -> Option<&wgpu::Texture> {
        self.targets.get(&key).map(|target| &target.color)
    }
}

fn item_uniform(view: &View, world_from_item: DAffine3) -> ItemUniform {
    let view_from_item = view.view_from_world * world_from_item;
    let clip_from_item = view.clip_from_view * DMat4::from(view_from_item).as_mat4();
    let m = view_from_item.matrix3.as_mat3();
    let column = |v: Vec3| [v.x, v.y, v.z, 0.0];
    ItemUniform {
        clip_from_item: Mat4::to_cols_array_2d(&clip_from_item),
        view_from_item: [column(m.x_axis), column(m.y_axis), column(m.z_axis)],
        ..ItemUniform::default()
    }
}

fn unit_color(color: [u8; 4]) -> [f32; 4] {
    color.map(|v| f32::from(v) / 255.0)
}

/// A length as pixels and metres, of which one is 0.
fn length(size: Size, view: &View) -> (f32, f32) {
    match size {
        Size::Px(px) => (px * view.viewport.pixels_per_point, 0.0),
        Size::Metres(metres) => (0.0, metres),
    }
}

fn calls_of(buffers: &mut Buffers, device: &wgpu::Device, scene: &Scene, errors: &mut Vec<String>) -> Vec<Call> {
    let mut calls = Vec::new();
    if let Some(ground) = scene.ground {
        line_call(
            buffers,
            device,
            scene,
            &ground_lines(ground, &scene.view.camera),
            &mut calls,
            errors,
        );
    }
    for cells in &scene.cells {
        cell_call(buffers, device, scene, cells, &mut calls, errors);
    }
    for cloud in &scene.clouds {
        cloud_calls(buffers, device, scene, cloud, &mut calls, errors);
    }
    for lines in &scene.lines {
        line_call(buffers, device, scene, lines, &mut calls, errors);
    }
    let mut meshes: Vec<&Meshes> = scene.meshes.iter().collect();
    meshes.sort_by(|a, b| farness(&scene.view, b).total_cmp(&farness(&scene.view, a)));
    for batch in meshes {
        mesh_call(buffers, device, scene, batch, &mut calls, errors);
    }
    calls.sort_by_key(|call| call.variant.order());
    calls
}

/// How a cloud is split for a device that binds no more than `limit` bytes: first point, number of points, their bytes.
pub fn point_parts(layout: &super::PointLayout, data_len: usize, limit: u64) -> Vec<(u32, u32, std::ops::Range<usize>)> {
    buffers::parts(layout, data_len, limit)
        .into_iter()
        .map(|part| (part.first_point, part.point_count, part.bytes))
        .collect()
}

fn farness(view: &View, batch: &Meshes) -> f64 {
    let in_item = batch
        .instances
        .first()
        .map_or(Vec3::ZERO, |instance| instance.item_from_mesh().translation.into());
    -(view.view_from_world * batch.world_from_item)
        .transform_point3(in_item.as_dvec3())
        .z
}

fn cloud_calls(
    buffers: &mut Buffers,
    device: &wgpu::Device,
    scene: &Scene,
    cloud: &PointCloud,
    calls: &mut Vec<Call>,
    errors: &mut Vec<String>,
) {
    let layout = &cloud.layout;
    let (x, metres) = length(cloud.size, &scene.view);
    let mut uniform = item_uniform(&scene.view, cloud.world_from_item * DAffine3::from_translation(layout.origin));
    let high = layout.origin.as_vec3();
    let low = (layout.origin - high.as_dvec3()).as_vec3();
    uniform.origin_high = [high.x, high.y, high.z, 0.0];
    uniform.origin_low = [low.x, low.y, low.z, 0.0];
    uniform.params = [x, metres, 0.0, 1.0];
    let flags = u32::from(layout.big_endian) | u32::from(cloud.round) << 1;
    let mut mode = 0;
    let (mut color_offset, mut color_kind) = (0, 0);
    let mut translucent = false;
    match cloud.color {
        PointColor::Flat(color) => {
            uniform.color = unit_color(color);
            translucent = color[3] < 255;
        }
        PointColor::Field { field, colormap, min, max } => {
            mode = 1 | (colormap as u32) << 8;
            (color_offset, color_kind) = (field.offset, field.kind as u32);
            (uniform.params[2], uniform.params[3]) = (min, max);
        }
        PointColor::Packed { offset, has_alpha } => {
            mode = 2 + u32::from(has_alpha);
            color_offset = offset;
            translucent = has_alpha;
        }
    }
    let [px, py, pz] = layout.position;
    let offset = |field: Option<super::PointField>| field.map_or(0, |f| f.offset);
    let kind = |field: Option<super::PointField>| field.map_or(0, |f| f.kind as u32);
    uniform.offsets = [offset(px), offset(py), offset(pz), color_offset];
    uniform.kinds = [kind(px), kind(py), kind(pz), color_kind];
    let aligned = !layout.big_endian
        && layout
            .position
            .iter()
            .all(|field| field.is_some_and(|f| f.kind == super::NumberKind::F32 && f.offset.is_multiple_of(4)))
        && layout.point_step.is_multiple_of(4)
        && layout.row_step.is_multiple_of(4);
    for part in buffers::parts(layout, cloud.data.0.len(), device.limits().max_storage_buffer_binding_size) {
        let Some(data) = buffers.raw(device, &cloud.data, part.bytes.clone(), errors) else {
            continue;
        };
        let mut uniform = uniform;
        uniform.layout_a = [layout.width.max(1), layout.point_step, layout.row_step, part.first_point];
        uniform.layout_b = [u32::try_from(part.bytes.start).unwrap_or(u32::MAX), flags, mode, 0];
        let variant = Variant::Points { aligned, translucent };
        calls.push(Call {
            variant,
            uniform,
            data,
            what: What::Vertices(part.point_count.saturating_mul(3)),
        });
    }
}

fn line_call(buffers: &mut Buffers, device: &wgpu::Device, scene: &Scene, lines: &Lines, calls: &mut Vec<Call>, errors: &mut Vec<String>) {
    if lines.segments.is_empty() {
        return;
    }
    let (px, metres) = length(lines.width, &scene.view);
    let mut uniform = item_uniform(&scene.view, lines.world_from_item);
    uniform.params = [px, metres, 0.0, 0.0];
    let Some(data) = buffers.blob(device, &lines.segments, wgpu::BufferUsages::STORAGE, errors) else {
        return;
    };
    let count = u32::try_from(lines.segments.len()).unwrap_or(u32::MAX).saturating_mul(6);
    calls.push(Call {
        variant: Variant::Lines { hides: lines.hides },
        uniform,
        data,
        what: What::Vertices(count),
    });
}

fn cell_call(buffers: &mut Buffers, device: &wgpu::Device, scene: &Scene, cells: &Cells, calls: &mut Vec<Call>, errors: &mut Vec<String>) {
    let needed = cells.width as usize * cells.height as usize;
    if needed == 0 || cells.data.0.len() < needed {
        return;
    }
    if needed as u64 > device.limits().max_storage_buffer_binding_size {
        errors.push(format!(
            "a map of {} × {} cells is larger than this GPU can hold",
            cells.width, cells.height
        ));
        return;
    }
    let mut uniform = item_uniform(&scene.view, cells.world_from_item);
    uniform.params = [0.0, cells.metres_per_cell, 0.0, 0.0];
    let light = scene.background.iter().map(|v| u32::from(*v)).sum::<u32>() > 384;
    let [r, g, b] = if light { [0.20, 0.23, 0.28] } else { [0.72, 0.76, 0.82] };
    uniform.color = [r, g, b, cells.alpha];
    uniform.layout_a = [cells.width, cells.height, 0, 0];
    uniform.layout_b[2] = match cells.colors {
        CellColors::Map => 0,
        CellColors::Costmap => 1,
    };
    let Some(data) = buffers.raw(device, &cells.data, 0..needed, errors) else {
        return;
    };
    calls.push(Call {
        variant: Variant::Cells,
        uniform,
        data,
        what: What::Vertices(6),
    });
}

fn mesh_call(buffers: &mut Buffers, device: &wgpu::Device, scene: &Scene, batch: &Meshes, calls: &mut Vec<Call>, errors: &mut Vec<String>) {
    let mesh = match &batch.mesh {
        MeshSource::Shape(shape) => mesh_of(*shape),
        MeshSource::Own(mesh) => Arc::clone(mesh),
    };
    if batch.instances.is_empty() || mesh.indices.is_empty() {
        return;
    }
    let mut uniform = item_uniform(&scene.view, batch.world_from_item);
    uniform.layout_b[1] = u32::from(batch.lit);
    let Some(data) = buffers.blob(device, &batch.instances, wgpu::BufferUsages::STORAGE, errors) else {
        return;
    };
    let Some(vertices) = buffers.blob(device, &mesh.vertices, wgpu::BufferUsages::VERTEX, errors) else {
        return;
    };
    let Some(indices) = buffers.blob(device, &mesh.indices, wgpu::BufferUsages::INDEX, errors) else {
        return;
    };
    let count = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
    let what = What::Indexed {
        vertices,
        indices,
        index_count: count(mesh.indices.len()),
        instances: count(batch.instances.len()),
    };
    calls.push(Call {
        variant: Variant::Meshes {
            translucent: batch.translucent,
        },
        uniform,
        data,
        what,
    });
}

fn globals_of(view: &View) -> Globals {
    let light = view
        .view_from_world
        .transform_vector3(DVec3::new(0.25, -0.35, 0.9).normalize())
        .as_vec3();
    Globals {
        viewport_px: [view.viewport.width.max(1) as f32, view.viewport.height.max(1) as f32],
        px_per_metre: view.px_per_metre(),
        near: view.near().unwrap_or(0.0) as f32,
        light: [light.x, light.y, light.z, 0.0],
    }
}

/// Makes the renderer of a window's device, if it has none yet, so that pictures fit the window's format. Without it the first picture makes one for
/// RGBA.
pub fn install(state: &egui_wgpu::RenderState) {
    if state.renderer.read().callback_resources.contains::<Renderer>() {
        return;
    }
    let renderer = Renderer::new(&state.device, &state.queue, state.target_format, samples_for(&state.device));
    state.renderer.write().callback_resources.insert(renderer);
}

/// What compiles all that pictures may need: for a thread of its own, so that no first frame of a view waits for it.
pub fn compiling(state: &egui_wgpu::RenderState) -> impl FnOnce() + Send + 'static {
    let renderer = state.renderer.read();
    let installed = renderer.callback_resources.get::<Renderer>();
    let items = installed.map(|renderer| Arc::clone(&renderer.pipelines.items));
    move || items.iter().for_each(|items| items.compile())
}

/// Once a frame of the window, before anything is drawn: views that were closed or hidden give back what they hold.
pub fn next_frame(state: &egui_wgpu::RenderState) {
    if let Some(renderer) = state.renderer.write().callback_resources.get_mut::<Renderer>() {
        renderer.next_frame();
    }
}

/// Smooth edges cost nothing on a GPU and double the time of a CPU.
fn samples_for(device: &wgpu::Device) -> u32 {
    if device.adapter_info().device_type == wgpu::DeviceType::Cpu {
        1
    } else {
        4
    }
}

/// The egui shape that shows `scene`. `key` names the picture: one for each view, the same from frame to frame.
pub fn paint(rect: egui::Rect, key: u64, scene: Arc<Scene>, report: Arc<Report>) -> egui::Shape {
    egui::Shape::Callback(egui_wgpu::Callback::new_paint_callback(rect, Paint { key, scene, report }))
}

struct Paint {
    key: u64,
    scene: Arc<Scene>,
    report: Arc<Report>,
}

impl egui_wgpu::CallbackTrait for Paint {
    fn prepare(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        _screen: &egui_wgpu::ScreenDescriptor,
        encoder: &mut wgpu::CommandEncoder,
        resources: &mut egui_wgpu::CallbackResources,
    ) -> Vec<wgpu::CommandBuffer> {
        let renderer = resources
            .entry::<Renderer>()
            .or_insert_with(|| Renderer::new(device, queue, wgpu::TextureFormat::Rgba8Unorm, samples_for(device)));
        renderer.draw(device, queue, encoder, self.key, &self.scene, &self.report);
        Vec::new()
    }

    fn paint(&self, _info: egui::PaintCallbackInfo, pass: &mut wgpu::RenderPass<'static>, resources: &egui_wgpu::CallbackResources) {
        let Some(renderer) = resources.get::<Renderer>() else { return };
        let Some(target) = renderer.targets.get(&self.key) else { return };
        pass.set_pipeline(&renderer.pipelines.blit);
        pass.set_bind_group(0, &target.blit, &[]);
        pass.draw(0..3, 0..1);
    }
}
