//! Files that messages and maps name (`mesh_resource`, tiles), as what is drawn of them.

use std::sync::Arc;

use bytes::Bytes;

use super::mesh::{Mesh, mesh};

/// A file, read off the window's thread.
#[derive(Clone, Debug)]
pub enum Resource {
    Mesh(Arc<Mesh>),
    /// Any other.
    Bytes(Bytes),
}

impl Resource {
    /// What `bytes` hold; an error is a sentence.
    pub fn read(address: &str, bytes: Bytes) -> Result<Resource, String> {
        match mesh(address, &bytes) {
            Some(mesh) => mesh.map(|mesh| Resource::Mesh(Arc::new(mesh))),
            None => Ok(Resource::Bytes(bytes)),
        }
    }

    /// What it weighs.
    pub fn bytes(&self) -> u64 {
        match self {
            Resource::Mesh(mesh) => size_of_val(mesh.vertices.as_slice()) as u64,
            Resource::Bytes(bytes) => bytes.len() as u64,
        }
    }
}
