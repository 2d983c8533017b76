//! One picture of a camera, small: for lists that show what a moment looks like.

use std::sync::Arc;

use super::Io;
use crate::decode::{Decoded, Form, Schema, Shaded, Shading, ValueRange};
use crate::format::{Checks, ConnectionSet, Container, Fetched, Message};
use crate::source::{Location, Reader};
use crate::time::Time;

/// Where a camera's pictures are.
#[derive(Clone)]
pub struct Camera {
    pub location: Location,
    pub container: Arc<dyn Container>,
    pub connections: ConnectionSet,
    pub schema: Arc<Schema>,
}

/// The picture nearest to a moment, reduced to about `width` pixels; None where there is none that can be read. Reads one chunk. Waits:
/// for threads of their own.
pub fn still(io: &Io, camera: &Camera, at: Time, width: u32) -> Option<Shaded> {
    let holds = |counts: &[(u32, u32)]| counts.iter().any(|(of, count)| *count > 0 && camera.connections.contains(*of));
    let catalog = camera.container.catalog();
    let chunks = catalog.chunks.iter().zip(0..).filter(|(chunk, _)| holds(&chunk.counts));
    let far = |start: Time, end: Time| start.since(at).max(at.since(end)).max(0);
    let (chunk, id) = chunks.min_by_key(|(chunk, _)| far(chunk.span.start, chunk.span.end))?;
    let bytes = io.block_on(async {
        let reader = Reader::open(camera.location.clone(), io.net()).await?;
        reader.read(chunk.range.clone()).await
    });
    let got = Fetched::one(chunk.range.start, bytes.ok()?);
    let batch = camera.container.messages(id, &got, &camera.connections, Checks::Quick);
    let away = |message: &&Message| message.time.since(at).saturating_abs();
    let message = batch.messages.iter().min_by_key(away)?;
    let Ok(Decoded::Image(image)) = camera.schema.decode(Form::Image, &message.payload) else {
        return None;
    };
    let mut ink = [[0; 3]; 256];
    for (grey, value) in ink.iter_mut().zip(0..=u8::MAX) {
        *grey = [value; 3];
    }
    let shading = Shading {
        range: ValueRange::default(),
        ink: Arc::new(ink),
        tone: None,
        reduce: (image.width / width.max(1)).clamp(1, 8),
    };
    Some(shading.shade(&image))
}
