//! The render pipelines: one for each kind of item and the few variants that need their own.
//!
//! Invariants: all kinds share one bind group layout, so a draw call is a pipeline, a uniform slot and a data buffer; each is compiled
//! once, by whoever needs it first.

use std::sync::{Arc, OnceLock};

use eframe::wgpu;

use crate::render::SHADERS;

pub const COLOR: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;
pub const DEPTH: wgpu::TextureFormat = wgpu::TextureFormat::Depth32Float;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Variant {
    Points { aligned: bool, translucent: bool },
    Lines { hides: bool },
    Meshes { translucent: bool },
    Cells,
}

impl Variant {
    /// The likeliest first.
    const ALL: [Variant; 9] = [
        Variant::Lines { hides: false },
        Variant::Points {
            aligned: true,
            translucent: false,
        },
        Variant::Lines { hides: true },
        Variant::Meshes { translucent: false },
        Variant::Meshes { translucent: true },
        Variant::Cells,
        Variant::Points {
            aligned: false,
            translucent: false,
        },
        Variant::Points {
            aligned: true,
            translucent: true,
        },
        Variant::Points {
            aligned: false,
            translucent: true,
        },
    ];

    /// What only orients lies below, what is see-through comes last.
    pub fn order(self) -> u8 {
        match self {
            Variant::Lines { hides: false } => 0,
            Variant::Cells => 1,
            Variant::Meshes { translucent: false } => 2,
            Variant::Points { translucent: false, .. } => 3,
            Variant::Lines { hides: true } => 4,
            Variant::Points { translucent: true, .. } => 5,
            Variant::Meshes { translucent: true } => 6,
        }
    }

    fn shader(self) -> &'static str {
        match self {
            Variant::Points { .. } => "points",
            Variant::Lines { .. } => "lines",
            Variant::Meshes { .. } => "meshes",
            Variant::Cells => "cells",
        }
    }

    fn blends(self) -> bool {
        !matches!(
            self,
            Variant::Points { translucent: false, .. } | Variant::Meshes { translucent: false }
        )
    }

    fn writes_depth(self) -> bool {
        matches!(
            self,
            Variant::Points { .. } | Variant::Meshes { translucent: false } | Variant::Lines { hides: true }
        )
    }
}

pub struct Pipelines {
    pub view_layout: wgpu::BindGroupLayout,
    pub item_layout: wgpu::BindGroupLayout,
    pub blit_layout: wgpu::BindGroupLayout,
    pub blit: wgpu::RenderPipeline,
    pub items: Arc<Items>,
}

/// The pipelines of items. Compiling one takes tens of milliseconds, so that any thread may.
pub struct Items {
    device: wgpu::Device,
    layout: wgpu::PipelineLayout,
    pub samples: u32,
    modules: Vec<(&'static str, wgpu::ShaderModule)>,
    made: [(Variant, OnceLock<wgpu::RenderPipeline>); Variant::ALL.len()],
}

fn module(device: &wgpu::Device, name: &str) -> wgpu::ShaderModule {
    let source = SHADERS.iter().find(|(known, _)| *known == name).map_or("", |(_, source)| source);
    device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(name),
        source: wgpu::ShaderSource::Wgsl(source.into()),
    })
}

fn buffer_entry(binding: u32, ty: wgpu::BufferBindingType, has_dynamic_offset: bool) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::VERTEX_FRAGMENT,
        ty: wgpu::BindingType::Buffer {
            ty,
            has_dynamic_offset,
            min_binding_size: None,
        },
        count: None,
    }
}

impl Pipelines {
    pub fn new(device: &wgpu::Device, output: wgpu::TextureFormat, samples: u32) -> Pipelines {
        let layout = |entries: &[wgpu::BindGroupLayoutEntry]| {
            device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries })
        };
        let storage = wgpu::BufferBindingType::Storage { read_only: true };
        let view_layout = layout(&[
            buffer_entry(0, wgpu::BufferBindingType::Uniform, false),
            buffer_entry(1, storage, false),
        ]);
        let item_layout = layout(&[
            buffer_entry(0, wgpu::BufferBindingType::Uniform, true),
            buffer_entry(1, storage, false),
        ]);
        let blit_layout = layout(&[wgpu::BindGroupLayoutEntry {
            binding: 0,
            visibility: wgpu::ShaderStages::FRAGMENT,
            ty: wgpu::BindingType::Texture {
                sample_type: wgpu::TextureSampleType::Float { filterable: false },
                view_dimension: wgpu::TextureViewDimension::D2,
                multisampled: false,
            },
            count: None,
        }]);
        let pipeline_layout = |groups: &[Option<&wgpu::BindGroupLayout>]| {
            device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: None,
                bind_group_layouts: groups,
                immediate_size: 0,
            })
        };
        let modules = ["points", "lines", "meshes", "cells"]
            .map(|name| (name, module(device, name)))
            .to_vec();
        let items = Items {
            device: device.clone(),
            layout: pipeline_layout(&[Some(&view_layout), Some(&item_layout)]),
            samples,
            modules,
            made: Variant::ALL.map(|variant| (variant, OnceLock::new())),
        };
        let blit = blit_pipeline(device, &pipeline_layout(&[Some(&blit_layout)]), output);
        Pipelines {
            view_layout,
            item_layout,
            blit_layout,
            blit,
            items: Arc::new(items),
        }
    }
}

impl Items {
    pub fn get(&self, variant: Variant) -> Option<&wgpu::RenderPipeline> {
        let (_, made) = self.made.iter().find(|(known, _)| *known == variant)?;
        let (_, module) = self.modules.iter().find(|(name, _)| *name == variant.shader())?;
        Some(made.get_or_init(|| item_pipeline(&self.device, &self.layout, module, variant, self.samples)))
    }

    pub fn compile(&self) {
        for variant in Variant::ALL {
            self.get(variant);
        }
    }
}

fn item_pipeline(
    device: &wgpu::Device,
    layout: &wgpu::PipelineLayout,
    module: &wgpu::ShaderModule,
    variant: Variant,
    samples: u32,
) -> wgpu::RenderPipeline {
    let aligned = matches!(variant, Variant::Points { aligned: true, .. });
    let constants: &[(&str, f64)] = match variant {
        Variant::Points { .. } => &[("aligned_f32", if aligned { 1.0 } else { 0.0 })],
        _ => &[],
    };
    let attributes = wgpu::vertex_attr_array![0 => Float32x3, 1 => Float32x3, 2 => Unorm8x4];
    let vertices = [Some(wgpu::VertexBufferLayout {
        array_stride: 28,
        step_mode: wgpu::VertexStepMode::Vertex,
        attributes: &attributes,
    })];
    let buffers: &[Option<wgpu::VertexBufferLayout<'_>>] = if matches!(variant, Variant::Meshes { .. }) {
        &vertices
    } else {
        &[]
    };
    device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some(variant.shader()),
        layout: Some(layout),
        vertex: wgpu::VertexState {
            module,
            entry_point: Some("vertex"),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants,
                ..Default::default()
            },
            buffers,
        },
        primitive: wgpu::PrimitiveState::default(),
        depth_stencil: Some(wgpu::DepthStencilState {
            format: DEPTH,
            depth_write_enabled: Some(variant.writes_depth()),
            depth_compare: Some(wgpu::CompareFunction::GreaterEqual),
            stencil: wgpu::StencilState::default(),
            bias: wgpu::DepthBiasState::default(),
        }),
        multisample: wgpu::MultisampleState {
            count: samples,
            ..Default::default()
        },
        fragment: Some(wgpu::FragmentState {
            module,
            entry_point: Some("fragment"),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants,
                ..Default::default()
            },
            targets: &[Some(wgpu::ColorTargetState {
                format: COLOR,
                blend: variant.blends().then_some(wgpu::BlendState::ALPHA_BLENDING),
                write_mask: wgpu::ColorWrites::ALL,
            })],
        }),
        multiview_mask: None,
        cache: None,
    })
}

fn blit_pipeline(device: &wgpu::Device, layout: &wgpu::PipelineLayout, output: wgpu::TextureFormat) -> wgpu::RenderPipeline {
    let module = module(device, "blit");
    let constants = [("to_linear", if output.is_srgb() { 1.0 } else { 0.0 })];
    let options = || wgpu::PipelineCompilationOptions {
        constants: &constants,
        ..Default::default()
    };
    device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some("blit"),
        layout: Some(layout),
        vertex: wgpu::VertexState {
            module: &module,
            entry_point: Some("vertex"),
            compilation_options: options(),
            buffers: &[],
        },
        primitive: wgpu::PrimitiveState::default(),
        depth_stencil: None,
        multisample: wgpu::MultisampleState::default(),
        fragment: Some(wgpu::FragmentState {
            module: &module,
            entry_point: Some("fragment"),
            compilation_options: options(),
            targets: &[Some(wgpu::ColorTargetState {
                format: output,
                blend: None,
                write_mask: wgpu::ColorWrites::ALL,
            })],
        }),
        multiview_mask: None,
        cache: None,
    })
}
