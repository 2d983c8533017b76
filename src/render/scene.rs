//! What one frame of a 3D view shows, as plain shared data.
//!
//! Invariant: two scenes are equal exactly when they draw the same picture from the same buffers; bulk data is compared by
//! identity, so comparing is cheap and an unchanged view is not drawn again.

use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use glam::DAffine3;

use super::camera::View;
use super::points::{PointField, PointLayout};
use super::{Colormap, Ground, Shape};
pub use crate::decode::Vertex;

/// Bytes that are uploaded as they are and cached by identity.
#[derive(Clone, Debug, Default)]
pub struct Raw(pub Bytes);

impl PartialEq for Raw {
    fn eq(&self, other: &Raw) -> bool {
        self.0.as_ptr() == other.0.as_ptr() && self.0.len() == other.0.len()
    }
}

/// A shared list that is uploaded as it is and cached by identity.
#[derive(Debug)]
pub struct Blob<T>(Arc<[T]>);

impl<T> Blob<T> {
    pub fn new(items: Vec<T>) -> Blob<T> {
        Blob(items.into())
    }
}

impl<T> Clone for Blob<T> {
    fn clone(&self) -> Blob<T> {
        Blob(Arc::clone(&self.0))
    }
}

impl<T> Default for Blob<T> {
    fn default() -> Blob<T> {
        Blob::new(Vec::new())
    }
}

impl<T> Deref for Blob<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> PartialEq for Blob<T> {
    fn eq(&self, other: &Blob<T>) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Everything that one view draws.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    pub view: View,
    /// sRGB, as egui's colours.
    pub background: [u8; 3],
    pub ground: Option<Ground>,
    pub clouds: Vec<PointCloud>,
    pub lines: Vec<Lines>,
    pub meshes: Vec<Meshes>,
    pub cells: Vec<Cells>,
}

impl Scene {
    pub fn new(view: View) -> Scene {
        Scene {
            view,
            background: [16, 17, 20],
            ground: None,
            clouds: Vec::new(),
            lines: Vec::new(),
            meshes: Vec::new(),
            cells: Vec::new(),
        }
    }

    /// Points handed to the GPU for this scene.
    pub fn point_count(&self) -> u64 {
        self.clouds.iter().map(|cloud| u64::from(cloud.layout.count())).sum()
    }
}

/// The caller's name for an item, handed back by picking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemId(pub u64);

/// A length on screen or in the world.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Size {
    /// Logical pixels (egui points).
    Px(f32),
    Metres(f32),
}

#[derive(Clone, Debug, PartialEq)]
pub struct PointCloud {
    pub id: ItemId,
    pub data: Raw,
    pub layout: PointLayout,
    pub color: PointColor,
    /// Diameter.
    pub size: Size,
    pub round: bool,
    pub world_from_item: DAffine3,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PointColor {
    /// sRGB and alpha.
    Flat([u8; 4]),
    /// `min` gets the colour map's first colour, `max` its last; NaN is drawn grey.
    Field {
        field: PointField,
        colormap: Colormap,
        min: f32,
        max: f32,
    },
    /// Four bytes that hold 0xAARRGGBB, as `rgb` and `rgba` fields do, whatever number type they claim.
    Packed { offset: u32, has_alpha: bool },
}

/// One stroke from `a` to `b`.
#[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Segment {
    pub a: [f32; 3],
    pub color_a: [u8; 4],
    pub b: [f32; 3],
    pub color_b: [u8; 4],
}

#[derive(Clone, Debug, PartialEq)]
pub struct Lines {
    pub id: ItemId,
    pub segments: Blob<Segment>,
    pub width: Size,
    /// Lines that only orient (grids) do not hide what is behind them.
    pub hides: bool,
    pub world_from_item: DAffine3,
}

/// Triangles: every three indices are one.
#[derive(Clone, Debug, PartialEq)]
pub struct Mesh {
    pub vertices: Blob<Vertex>,
    pub indices: Blob<u32>,
}

/// One copy of a mesh. `rows` is the upper 3 × 4 of the matrix `item_from_mesh`, row by row.
#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Instance {
    pub rows: [[f32; 4]; 3],
    /// Multiplies the vertex colours.
    pub color: [u8; 4],
    pub padding: [u32; 3],
}

impl Instance {
    pub fn new(item_from_mesh: glam::Affine3A, color: [u8; 4]) -> Instance {
        let (m, t) = (item_from_mesh.matrix3, item_from_mesh.translation);
        let row = |i: usize| [m.x_axis[i], m.y_axis[i], m.z_axis[i], t[i]];
        Instance {
            rows: [row(0), row(1), row(2)],
            color,
            padding: [0; 3],
        }
    }

    pub fn item_from_mesh(&self) -> glam::Affine3A {
        let [r0, r1, r2] = self.rows;
        let column = |i: usize| glam::Vec3A::new(r0[i], r1[i], r2[i]);
        glam::Affine3A {
            matrix3: glam::Mat3A::from_cols(column(0), column(1), column(2)),
            translation: column(3),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum MeshSource {
    Shape(Shape),
    Own(Arc<Mesh>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Meshes {
    pub id: ItemId,
    pub mesh: MeshSource,
    pub instances: Blob<Instance>,
    /// Lit from above; otherwise the plain colour.
    pub lit: bool,
    /// Drawn after everything opaque, hiding nothing.
    pub translucent: bool,
    pub world_from_item: DAffine3,
}

/// A rectangle of byte cells in the item's plane z = 0, cell (0, 0) at the origin, x along a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Cells {
    pub id: ItemId,
    pub data: Raw,
    pub width: u32,
    pub height: u32,
    pub metres_per_cell: f32,
    pub colors: CellColors,
    pub alpha: f32,
    pub world_from_item: DAffine3,
}

/// How a cell's byte becomes a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellColors {
    /// 0 faint to 100 strong, 255 (unknown) fainter: light on a dark background, dark on a light one.
    Map,
    /// 0 nothing, low blue to high red.
    Costmap,
}
