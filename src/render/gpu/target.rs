//! One view's picture: the textures it is drawn into and the uniforms it is drawn with.
//!
//! Invariant: a picture shows exactly the scene it keeps.

use std::sync::Arc;

use eframe::wgpu;

use super::buffers::Key;
use super::pipelines::{COLOR, DEPTH, Pipelines};
use super::{Call, Globals, ItemUniform, SLOT, What, globals_of};
use crate::render::Scene;

pub struct Target {
    pub size: [u32; 2],
    pub color: wgpu::Texture,
    pub blit: wgpu::BindGroup,
    pub scene: Option<Arc<Scene>>,
    /// The frame that showed it last.
    pub used: u64,
    pub drawn_with: Vec<Key>,
    color_view: wgpu::TextureView,
    /// Drawn into and resolved where edges are smoothed.
    samples_view: Option<wgpu::TextureView>,
    depth_view: wgpu::TextureView,
    globals: wgpu::Buffer,
    view_group: wgpu::BindGroup,
    items: Option<wgpu::Buffer>,
}

fn texture(
    device: &wgpu::Device,
    [width, height]: [u32; 2],
    samples: u32,
    format: wgpu::TextureFormat,
    usage: wgpu::TextureUsages,
) -> wgpu::Texture {
    device.create_texture(&wgpu::TextureDescriptor {
        label: None,
        size: wgpu::Extent3d {
            width,
            height,
            depth_or_array_layers: 1,
        },
        mip_level_count: 1,
        sample_count: samples,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage: usage | wgpu::TextureUsages::RENDER_ATTACHMENT,
        view_formats: &[],
    })
}

impl Target {
    pub fn new(device: &wgpu::Device, pipelines: &Pipelines, palette: &wgpu::Buffer, size: [u32; 2]) -> Target {
        let view = |texture: &wgpu::Texture| texture.create_view(&wgpu::TextureViewDescriptor::default());
        let none = wgpu::TextureUsages::empty();
        let color = texture(
            device,
            size,
            1,
            COLOR,
            wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_SRC,
        );
        let color_view = view(&color);
        let samples_view = (pipelines.items.samples > 1).then(|| view(&texture(device, size, pipelines.items.samples, COLOR, none)));
        let depth_view = view(&texture(device, size, pipelines.items.samples, DEPTH, none));
        let globals = device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: size_of::<Globals>() as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let entry = |binding, resource| wgpu::BindGroupEntry { binding, resource };
        let view_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipelines.view_layout,
            entries: &[entry(0, globals.as_entire_binding()), entry(1, palette.as_entire_binding())],
        });
        let blit = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipelines.blit_layout,
            entries: &[entry(0, wgpu::BindingResource::TextureView(&color_view))],
        });
        Target {
            size,
            color,
            blit,
            scene: None,
            used: 0,
            drawn_with: Vec::new(),
            color_view,
            samples_view,
            depth_view,
            globals,
            view_group,
            items: None,
        }
    }

    pub fn draw(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        encoder: &mut wgpu::CommandEncoder,
        pipelines: &Pipelines,
        scene: &Scene,
        calls: &[Call],
    ) {
        queue.write_buffer(&self.globals, 0, bytemuck::bytes_of(&globals_of(&scene.view)));
        let items = self.uniforms(device, queue, calls);
        let groups: Vec<wgpu::BindGroup> = calls.iter().map(|call| item_group(device, pipelines, &items, call)).collect();
        let [r, g, b] = scene.background.map(|v| f64::from(v) / 255.0);
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("3D view"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: self.samples_view.as_ref().unwrap_or(&self.color_view),
                depth_slice: None,
                resolve_target: self.samples_view.as_ref().map(|_| &self.color_view),
                ops: wgpu::Operations {
                    load: wgpu::LoadOp::Clear(wgpu::Color { r, g, b, a: 1.0 }),
                    store: wgpu::StoreOp::Store,
                },
            })],
            depth_stencil_attachment: Some(wgpu::RenderPassDepthStencilAttachment {
                view: &self.depth_view,
                depth_ops: Some(wgpu::Operations {
                    load: wgpu::LoadOp::Clear(0.0),
                    store: wgpu::StoreOp::Discard,
                }),
                stencil_ops: None,
            }),
            timestamp_writes: None,
            occlusion_query_set: None,
            multiview_mask: None,
        });
        pass.set_bind_group(0, &self.view_group, &[]);
        let mut offset = 0u32;
        for (call, group) in calls.iter().zip(&groups) {
            let Some(pipeline) = pipelines.items.get(call.variant) else {
                continue;
            };
            pass.set_pipeline(pipeline);
            pass.set_bind_group(1, group, &[offset]);
            offset += SLOT as u32;
            match &call.what {
                What::Vertices(count) => pass.draw(0..*count, 0..1),
                What::Indexed {
                    vertices,
                    indices,
                    index_count,
                    instances,
                } => {
                    pass.set_vertex_buffer(0, vertices.slice(..));
                    pass.set_index_buffer(indices.slice(..), wgpu::IndexFormat::Uint32);
                    pass.draw_indexed(0..*index_count, 0, 0..*instances);
                }
            }
        }
    }

    /// All items' uniforms in one buffer that grows as needed.
    fn uniforms(&mut self, device: &wgpu::Device, queue: &wgpu::Queue, calls: &[Call]) -> wgpu::Buffer {
        let needed = (calls.len().max(1) as u64).next_power_of_two() * SLOT;
        let buffer = match self.items.take() {
            Some(buffer) if buffer.size() >= needed => buffer,
            _ => device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: needed,
                usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            }),
        };
        let mut bytes = vec![0u8; calls.len() * SLOT as usize];
        for (slot, call) in bytes.chunks_exact_mut(SLOT as usize).zip(calls) {
            slot[..size_of::<ItemUniform>()].copy_from_slice(bytemuck::bytes_of(&call.uniform));
        }
        queue.write_buffer(&buffer, 0, &bytes);
        self.items = Some(buffer.clone());
        buffer
    }
}

fn item_group(device: &wgpu::Device, pipelines: &Pipelines, items: &wgpu::Buffer, call: &Call) -> wgpu::BindGroup {
    let uniform = wgpu::BufferBinding {
        buffer: items,
        offset: 0,
        size: std::num::NonZeroU64::new(size_of::<ItemUniform>() as u64),
    };
    device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &pipelines.item_layout,
        entries: &[
            wgpu::BindGroupEntry {
                binding: 0,
                resource: wgpu::BindingResource::Buffer(uniform),
            },
            wgpu::BindGroupEntry {
                binding: 1,
                resource: call.data.as_entire_binding(),
            },
        ],
    })
}
