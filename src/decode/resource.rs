//! Files that messages and maps name (`mesh_resource`, tiles), as what is drawn of them.

use std::io::Cursor;
use std::sync::Arc;

use bytes::Bytes;

use super::mesh::{Mesh, mesh};

/// Of a picture a side is no longer.
const MOST_PIXELS: u32 = 4096;

/// A file, read off the window's thread.
#[derive(Clone, Debug)]
pub enum Resource {
    Mesh(Arc<Mesh>),
    /// PNG, JPEG or WebP.
    Picture(Raster),
    /// Any other.
    Bytes(Bytes),
}

/// Red, green, blue, alpha, not multiplied with it: width × height × 4 bytes.
#[derive(Clone, Debug)]
pub struct Raster {
    pub width: u32,
    pub height: u32,
    pub rgba: Bytes,
}

impl Resource {
    /// What `bytes` hold; an error is a sentence.
    pub fn read(address: &str, bytes: Bytes) -> Result<Resource, String> {
        match mesh(address, &bytes) {
            Some(mesh) => mesh.map(|mesh| Resource::Mesh(Arc::new(mesh))),
            None if image::guess_format(&bytes).is_ok() => picture(&bytes).map(Resource::Picture),
            None => Ok(Resource::Bytes(bytes)),
        }
    }

    /// What it weighs.
    pub fn bytes(&self) -> u64 {
        match self {
            Resource::Mesh(mesh) => size_of_val(mesh.vertices.as_slice()) as u64,
            Resource::Picture(picture) => picture.rgba.len() as u64,
            Resource::Bytes(bytes) => bytes.len() as u64,
        }
    }
}

fn picture(bytes: &[u8]) -> Result<Raster, String> {
    let mut reader = image::ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|e| e.to_string())?;
    let mut limits = image::Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(MOST_PIXELS), Some(MOST_PIXELS));
    reader.limits(limits);
    let image = reader
        .decode()
        .map_err(|e| format!("the picture cannot be read: {e}"))?
        .into_rgba8();
    Ok(Raster {
        width: image.width(),
        height: image.height(),
        rgba: image.into_raw().into(),
    })
}
