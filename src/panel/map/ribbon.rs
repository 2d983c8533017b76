//! Lines as triangles with soft edges: a colour of its own for the way to each position.
//!
//! Invariant: what a position costs does not depend on how often the colour changes.

use egui::{Color32, Mesh, Pos2, Vec2, epaint::Vertex, epaint::WHITE_UV};

/// Points over which an edge fades out.
const FEATHER_POINTS: f32 = 1.0;

/// Places on screen, each with the colour of the way that leads to it.
pub type Line = Vec<(Pos2, Color32)>;

/// The lines as one mesh, drawn in their order.
pub fn ribbon<'a>(lines: impl Iterator<Item = &'a Line> + Clone, width_points: f32, one_color: Option<Color32>) -> Mesh {
    let places: usize = lines.clone().map(Vec::len).sum();
    let mut mesh = Mesh::default();
    mesh.reserve_vertices(places * 4);
    mesh.reserve_triangles(places * 6);
    let mut out = Ribbon {
        solid: ((width_points - FEATHER_POINTS) / 2.0).max(0.0),
        outer: (width_points + FEATHER_POINTS) / 2.0,
        mesh,
    };
    for line in lines {
        out.add(line, |color| one_color.unwrap_or(color));
    }
    out.mesh
}

struct Ribbon {
    /// How far from the line's middle its colour is whole, and how far it reaches.
    solid: f32,
    outer: f32,
    mesh: Mesh,
}

impl Ribbon {
    fn add(&mut self, line: &[(Pos2, Color32)], color_of: impl Fn(Color32) -> Color32) {
        let mut before: Option<(Pos2, Color32, Vec2)> = None;
        for pair in line.windows(2) {
            let [(from, _), (to, color)] = *pair else { continue };
            let color = color_of(color);
            // a place that is twice there leads nowhere
            let along = (to - from).normalized();
            if along == Vec2::ZERO {
                continue;
            }
            match before {
                None => self.section(from, along, color, false),
                Some((at, last, came)) => {
                    let mean = (came + along) / 2.0;
                    let is_sharp = mean.length_sq() < 0.5;
                    // a corner's outer edge is farther away, unless it is too sharp to be drawn out
                    let corner = mean / mean.length_sq().max(0.5);
                    self.section(at, if is_sharp { came } else { corner }, last, true);
                    if is_sharp || last != color {
                        self.section(at, if is_sharp { along } else { corner }, color, is_sharp && last == color);
                    }
                }
            }
            before = Some((to, color, along));
        }
        if let Some((at, color, came)) = before {
            self.section(at, came, color, true);
        }
    }

    /// Four vertices across the line, and what lies between them and the four before.
    fn section(&mut self, at: Pos2, along: Vec2, color: Color32, is_joined: bool) {
        let Ok(first) = u32::try_from(self.mesh.vertices.len()) else {
            return;
        };
        let across = along.rot90();
        let edges = [
            (-self.outer, Color32::TRANSPARENT),
            (-self.solid, color),
            (self.solid, color),
            (self.outer, Color32::TRANSPARENT),
        ];
        self.mesh.vertices.extend(edges.map(|(far, color)| Vertex {
            pos: at + across * far,
            uv: WHITE_UV,
            color,
        }));
        if let Some(before) = first.checked_sub(4).filter(|_| is_joined) {
            for edge in 0..3 {
                let (a, b) = (before + edge, first + edge);
                self.mesh.indices.extend([a, a + 1, b, b, a + 1, b + 1]);
            }
        }
    }
}
