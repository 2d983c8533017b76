//! The graphics device, picked the same way for the window and for `screenshot`.
//!
//! The device is asked for the adapter's own limits: wgpu's defaults end at 128 MiB for a buffer and 8,192 pixels for a texture.

use std::sync::Arc;

use eframe::egui_wgpu::{self, RenderState, RendererOptions, WgpuConfiguration, WgpuSetup, WgpuSetupCreateNew, wgpu};

/// What is said where there is no graphics driver at all.
pub const NO_ADAPTER: &str = "no graphics driver (Vulkan, Metal or DirectX 12) was found; on Debian and Ubuntu the package \
     mesa-vulkan-drivers brings one that needs no graphics card: sudo apt-get install mesa-vulkan-drivers";

pub fn configuration() -> WgpuConfiguration {
    let mut setup = WgpuSetupCreateNew::without_display_handle();
    setup.instance_descriptor.backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12;
    setup.device_descriptor = Arc::new(|adapter: &wgpu::Adapter| wgpu::DeviceDescriptor {
        label: Some("roadreel"),
        required_features: wgpu::Features::empty(),
        required_limits: adapter.limits(),
        memory_hints: wgpu::MemoryHints::MemoryUsage,
        ..Default::default()
    });
    WgpuConfiguration {
        wgpu_setup: WgpuSetup::CreateNew(setup),
        ..Default::default()
    }
}

/// A device without a window. Waits for the driver: never called on the window's thread.
pub fn offscreen() -> Result<RenderState, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|e| format!("cannot start: {e}"))?;
    runtime.block_on(async {
        let mut configuration = configuration();
        let instance = configuration.wgpu_setup.new_instance().await;
        let adapter = instance
            .request_adapter(&wgpu::RequestAdapterOptions::default())
            .await
            .map_err(|_| NO_ADAPTER.to_owned())?;
        // one enumeration of adapters is enough
        let pick = adapter.clone();
        if let WgpuSetup::CreateNew(setup) = &mut configuration.wgpu_setup {
            setup.native_adapter_selector = Some(Arc::new(move |_, _| Ok(pick.clone())));
        }
        RenderState::create(&configuration, &instance, None, RendererOptions::default())
            .await
            .map_err(|e| format!("the graphics driver gave no device: {e}"))
    })
}

/// For `--stats` and the settings: `llvmpipe (LLVM 19.1.7, 256 bits)`.
pub fn name(state: &RenderState) -> String {
    state.adapter.get_info().name
}

/// Whether there is any adapter, before the window is opened.
pub fn any_adapter() -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let Ok(runtime) = runtime else { return false };
    runtime.block_on(async {
        let instance = configuration().wgpu_setup.new_instance().await;
        instance.request_adapter(&wgpu::RequestAdapterOptions::default()).await.is_ok()
    })
}

pub use egui_wgpu::ScreenDescriptor;
