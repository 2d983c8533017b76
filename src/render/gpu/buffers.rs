//! Bulk data on the GPU, cached by the identity of the shared data it was made from.
//!
//! Invariants: an entry keeps its data alive, so an address never names something else; what no picture used for a few frames is let go; what
//! is larger than a binding may be is split between whole points.

use std::any::Any;
use std::collections::HashMap;
use std::ops::Range;

use eframe::wgpu;

use crate::render::{Blob, PointLayout, Raw};

#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Key {
    address: usize,
    bytes: Range<usize>,
    usage: u32,
}

struct Entry {
    buffer: wgpu::Buffer,
    used: u64,
    _owner: Box<dyn Any + Send + Sync>,
}

#[derive(Default)]
pub struct Buffers {
    entries: HashMap<Key, Entry>,
    /// Counts frames.
    frame: u64,
    /// What the picture that is being drawn uses.
    in_use: Vec<Key>,
}

/// Frames for which a buffer is kept that no picture uses: a frame may be laid out more than once.
const KEPT_FRAMES: u64 = 4;

impl Buffers {
    /// Another frame: lets go of what no picture of the last few used.
    pub fn next_frame(&mut self) {
        self.frame += 1;
        let frame = self.frame;
        self.entries.retain(|_, entry| frame - entry.used <= KEPT_FRAMES);
    }

    /// What was asked for since the last call.
    pub fn taken(&mut self) -> Vec<Key> {
        std::mem::take(&mut self.in_use)
    }

    /// A picture that is shown again uses what it was drawn with.
    pub fn keep(&mut self, keys: &[Key]) {
        for key in keys {
            if let Some(entry) = self.entries.get_mut(key) {
                entry.used = self.frame;
            }
        }
    }

    pub fn raw(&mut self, device: &wgpu::Device, raw: &Raw, range: Range<usize>, errors: &mut Vec<String>) -> Option<wgpu::Buffer> {
        let bytes = raw.0.get(range.clone())?;
        let key = Key {
            address: raw.0.as_ptr() as usize,
            bytes: range,
            usage: wgpu::BufferUsages::STORAGE.bits(),
        };
        self.get(device, key, bytes, wgpu::BufferUsages::STORAGE, || Box::new(raw.0.clone()), errors)
    }

    pub fn blob<T: bytemuck::Pod + Send + Sync>(
        &mut self,
        device: &wgpu::Device,
        blob: &Blob<T>,
        usage: wgpu::BufferUsages,
        errors: &mut Vec<String>,
    ) -> Option<wgpu::Buffer> {
        let bytes: &[u8] = bytemuck::cast_slice(blob);
        if usage == wgpu::BufferUsages::STORAGE && bytes.len() as u64 > device.limits().max_storage_buffer_binding_size {
            errors.push(format!("a drawing of {} MiB is larger than this GPU can hold", bytes.len() >> 20));
            return None;
        }
        let key = Key {
            address: bytes.as_ptr() as usize,
            bytes: 0..bytes.len(),
            usage: usage.bits(),
        };
        self.get(device, key, bytes, usage, || Box::new(blob.clone()), errors)
    }

    fn get(
        &mut self,
        device: &wgpu::Device,
        key: Key,
        bytes: &[u8],
        usage: wgpu::BufferUsages,
        owner: impl FnOnce() -> Box<dyn Any + Send + Sync>,
        errors: &mut Vec<String>,
    ) -> Option<wgpu::Buffer> {
        self.in_use.push(key.clone());
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.used = self.frame;
            return Some(entry.buffer.clone());
        }
        match caught(device, || with_bytes(device, usage, bytes)) {
            Ok(buffer) => {
                self.entries.insert(
                    key,
                    Entry {
                        buffer: buffer.clone(),
                        used: self.frame,
                        _owner: owner(),
                    },
                );
                Some(buffer)
            }
            Err(error) => {
                errors.push(format!("the GPU did not take {} MiB: {error}", bytes.len() >> 20));
                None
            }
        }
    }
}

/// Runs `make` and returns the device's complaint instead of letting it end the program.
pub fn caught<T>(device: &wgpu::Device, make: impl FnOnce() -> T) -> Result<T, String> {
    let memory = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let made = make();
    let errors = [now(validation.pop()), now(memory.pop())];
    match errors.into_iter().flatten().next() {
        None => Ok(made),
        Some(error) => Err(error.to_string().lines().last().unwrap_or_default().trim().to_string()),
    }
}

/// Error scopes of native devices answer at once.
fn now(future: impl Future<Output = Option<wgpu::Error>>) -> Option<wgpu::Error> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(error) => error,
        std::task::Poll::Pending => None,
    }
}

pub fn with_bytes(device: &wgpu::Device, usage: wgpu::BufferUsages, bytes: &[u8]) -> wgpu::Buffer {
    let size = (bytes.len() as u64).next_multiple_of(4).max(4);
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size,
        usage,
        mapped_at_creation: true,
    });
    // A buffer that could not be made has no mapping to fill; its error scope tells.
    if let Ok(mut mapped) = buffer.slice(..).get_mapped_range_mut() {
        mapped.slice(..bytes.len()).copy_from_slice(bytes);
    }
    buffer.unmap();
    buffer
}

/// Some of a cloud's points, and the bytes that hold them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointPart {
    pub first_point: u32,
    pub point_count: u32,
    /// Starts at a multiple of 4.
    pub bytes: Range<usize>,
}

/// Splits a cloud so that no part needs more than `limit` bytes. Points whose bytes are missing are left out.
pub fn parts(layout: &PointLayout, data_len: usize, limit: u64) -> Vec<PointPart> {
    let step = layout.point_step as usize;
    let fields = layout
        .position
        .iter()
        .flatten()
        .map(|f| (f.offset + f.kind.size()) as usize)
        .max()
        .unwrap_or(0);
    let tail = step.max(fields);
    let end_of = |index: u32| layout.point_start(index).saturating_add(tail);
    let mut count = layout.count();
    // The last point that lies inside the data: row and point steps make starts grow with the index.
    if step == 0 || layout.row_step as usize > data_len && layout.height > 1 && layout.width == 0 {
        return Vec::new();
    }
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if end_of(middle) <= data_len {
            low = middle + 1
        } else {
            high = middle
        }
    }
    count = low;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(8);
    let mut parts = Vec::new();
    let mut first = 0;
    while first < count {
        let start = layout.point_start(first) & !3;
        let (mut low, mut high) = (first + 1, count);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if end_of(middle - 1) - start <= limit {
                low = middle
            } else {
                high = middle - 1
            }
        }
        let end = end_of(low - 1);
        parts.push(PointPart {
            first_point: first,
            point_count: low - first,
            bytes: start..end,
        });
        first = low;
    }
    parts
}
