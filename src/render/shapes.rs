//! Unit solids that are drawn many times with a transform each.
//!
//! Invariant: every solid fits the cube from -0.5 to 0.5 and faces outwards; arrows and cones point along +x from 0 to 1.

use std::f32::consts::TAU;
use std::sync::{Arc, LazyLock};

use super::{Blob, Mesh, Segment, Vertex};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    Cube,
    Sphere,
    /// Axis along z.
    Cylinder,
    /// From x = 0 to x = 1, radius 0.5 at 0: an arrow's head.
    Cone,
    /// From x = 0 to x = 1, radius 0.5: an arrow's shaft.
    Rod,
}

const WHITE: [u8; 4] = [255; 4];

#[derive(Default)]
struct Builder {
    vertices: Vec<Vertex>,
    indices: Vec<u32>,
}

impl Builder {
    fn vertex(&mut self, position: [f32; 3], normal: [f32; 3]) -> u32 {
        let index = u32::try_from(self.vertices.len()).unwrap_or(0);
        self.vertices.push(Vertex {
            position,
            normal,
            color: WHITE,
        });
        index
    }

    fn quad(&mut self, corners: [[f32; 3]; 4], normal: [f32; 3]) {
        let [a, b, c, d] = corners.map(|corner| self.vertex(corner, normal));
        self.indices.extend([a, b, c, a, c, d]);
    }

    /// A band of quads around the x axis between two rings: (x, radius), with the normal's (along x, outwards).
    fn band(&mut self, from: (f32, f32), to: (f32, f32), normal: (f32, f32), sides: u32) {
        for side in 0..sides {
            let angles = [side, side + 1].map(|s| (s as f32 / sides as f32 * TAU).sin_cos());
            let at = |ring: (f32, f32), (sin, cos): (f32, f32)| [ring.0, ring.1 * cos, ring.1 * sin];
            let out = |(sin, cos): (f32, f32)| [normal.0, normal.1 * cos, normal.1 * sin];
            let [s, t] = angles;
            let [a, b, c, d] = [(from, s), (to, s), (to, t), (from, t)].map(|(ring, angle)| self.vertex(at(ring, angle), out(angle)));
            self.indices.extend([a, b, c, a, c, d]);
        }
    }

    fn disc(&mut self, x: f32, radius: f32, normal_x: f32, sides: u32) {
        let centre = self.vertex([x, 0.0, 0.0], [normal_x, 0.0, 0.0]);
        let ring: Vec<u32> = (0..=sides)
            .map(|side| {
                let (sin, cos) = (side as f32 / sides as f32 * TAU).sin_cos();
                self.vertex([x, radius * cos, radius * sin], [normal_x, 0.0, 0.0])
            })
            .collect();
        for pair in ring.windows(2) {
            self.indices.push(centre);
            self.indices.extend_from_slice(pair);
        }
    }

    fn done(self) -> Arc<Mesh> {
        Arc::new(Mesh {
            vertices: Blob::new(self.vertices),
            indices: Blob::new(self.indices),
        })
    }
}

fn cube() -> Arc<Mesh> {
    let mut build = Builder::default();
    for axis in 0..3 {
        for sign in [-1.0f32, 1.0] {
            let corner = |u: f32, v: f32| {
                let mut p = [0.0; 3];
                p[axis] = sign * 0.5;
                p[(axis + 1) % 3] = u;
                p[(axis + 2) % 3] = v;
                p
            };
            let mut normal = [0.0; 3];
            normal[axis] = sign;
            build.quad([corner(-0.5, -0.5), corner(0.5, -0.5), corner(0.5, 0.5), corner(-0.5, 0.5)], normal);
        }
    }
    build.done()
}

fn sphere() -> Arc<Mesh> {
    const RINGS: u32 = 12;
    const SIDES: u32 = 20;
    let mut build = Builder::default();
    for ring in 0..=RINGS {
        let (sin_lat, cos_lat) = ((ring as f32 / RINGS as f32 - 0.5) * TAU / 2.0).sin_cos();
        for side in 0..=SIDES {
            let (sin, cos) = (side as f32 / SIDES as f32 * TAU).sin_cos();
            let n = [cos_lat * cos, cos_lat * sin, sin_lat];
            build.vertex(n.map(|v| v * 0.5), n);
        }
    }
    for ring in 0..RINGS {
        for side in 0..SIDES {
            let a = ring * (SIDES + 1) + side;
            let b = a + SIDES + 1;
            build.indices.extend([a, a + 1, b + 1, a, b + 1, b]);
        }
    }
    build.done()
}

fn cylinder() -> Arc<Mesh> {
    let mut build = Builder::default();
    build.band((-0.5, 0.5), (0.5, 0.5), (0.0, 1.0), 28);
    build.disc(-0.5, 0.5, -1.0, 28);
    build.disc(0.5, 0.5, 1.0, 28);
    // Built around x; turned so that the axis is z (x → z, y → x, z → y).
    for vertex in &mut build.vertices {
        let turn = |[x, y, z]: [f32; 3]| [y, z, x];
        vertex.position = turn(vertex.position);
        vertex.normal = turn(vertex.normal);
    }
    build.done()
}

fn cone() -> Arc<Mesh> {
    let mut build = Builder::default();
    let slope = 1.0 / 1.25f32.sqrt();
    build.band((0.0, 0.5), (1.0, 0.0), (0.5 * slope, slope), 20);
    build.disc(0.0, 0.5, -1.0, 20);
    build.done()
}

fn rod() -> Arc<Mesh> {
    let mut build = Builder::default();
    build.band((0.0, 0.5), (1.0, 0.5), (0.0, 1.0), 14);
    build.disc(0.0, 0.5, -1.0, 14);
    build.disc(1.0, 0.5, 1.0, 14);
    build.done()
}

/// The triangles of a solid; always the same shared ones.
pub fn mesh_of(shape: Shape) -> Arc<Mesh> {
    static ALL: LazyLock<[Arc<Mesh>; 5]> = LazyLock::new(|| [cube(), sphere(), cylinder(), cone(), rod()]);
    let [cube, sphere, cylinder, cone, rod] = &*ALL;
    Arc::clone(match shape {
        Shape::Cube => cube,
        Shape::Sphere => sphere,
        Shape::Cylinder => cylinder,
        Shape::Cone => cone,
        Shape::Rod => rod,
    })
}

/// The twelve edges of a box around the origin.
pub fn outline_box(size: [f32; 3], color: [u8; 4]) -> Vec<Segment> {
    let corner = |bits: usize| {
        [0, 1, 2].map(|axis| {
            if bits >> axis & 1 == 1 {
                size[axis] * 0.5
            } else {
                size[axis] * -0.5
            }
        })
    };
    let mut edges = Vec::with_capacity(12);
    for from in 0..8usize {
        for axis in 0..3 {
            let to = from | 1 << axis;
            if to != from {
                edges.push(Segment {
                    a: corner(from),
                    color_a: color,
                    b: corner(to),
                    color_b: color,
                });
            }
        }
    }
    edges
}
