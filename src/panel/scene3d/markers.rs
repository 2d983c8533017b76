//! Markers of all twelve kinds: built once for each state of the marker set, placed by their frames every frame.
//!
//! Invariant: markers of one frame and stamp are batched; positions are kept relative to the batch's first marker, so that f32 is
//! exact enough anywhere on a map.

use std::collections::BTreeSet;
use std::sync::Arc;

use glam::{Affine3A, DAffine3, DVec3, Quat, Vec3};

use super::config::TopicConfig;
use super::grid::affine;
use super::layers::{Label, Layer, Out};
use super::owners::Owner;
use super::poses::arrow;
use crate::decode::{self, Marker, Resource};
use crate::render::{
    Blob, Bounds, Instance, Lines, Mesh, MeshSource, Meshes, PointCloud, PointColor, PointLayout, Raw, Segment, Shape, Size, Vertex,
    outline_box,
};
use crate::store::{Lookup, MarkerSet, Store, TopicId};
use crate::time::Time;

type Kept = Arc<Vec<(Time, Arc<Marker>)>>;

/// Markers that move together.
struct Group {
    frame: Arc<str>,
    stamp: Time,
    locked: bool,
    origin: DVec3,
    solids: Vec<Solids>,
    strokes: Vec<Strokes>,
    points: Vec<Points>,
    labels: Vec<Label>,
    labels_of: Arc<Vec<u32>>,
    /// Markers whose mesh has to come from elsewhere.
    resources: Vec<u32>,
    bounds: Option<Bounds>,
}

struct Solids {
    mesh: MeshSource,
    translucent: bool,
    instances: Blob<Instance>,
    of: Arc<Vec<u32>>,
}

struct Strokes {
    width_metres: f32,
    segments: Blob<Segment>,
    of: Arc<Vec<u32>>,
}

struct Points {
    data: Raw,
    layout: PointLayout,
    size_metres: f32,
    has_alpha: bool,
    of: Arc<Vec<u32>>,
}

pub fn draw(layer: &Layer<'_>, out: &mut Out<'_>) {
    let Some(set) = layer.markers(out.notes) else {
        return;
    };
    if set.looked_back.is_some() {
        out.notes.partial.push(format!(
            "{}: markers from the start of the recording may be missing",
            layer.topic.name
        ));
    }
    let hidden = (&layer.config.hidden_namespaces, &layer.config.only_namespaces);
    let kept: Kept = (*out.memo.get(("kept", layer.topic.id, set.key, hidden), || {
        let shown = set.markers.iter().filter(|(_, marker)| layer.config.shows_namespace(&marker.ns));
        Arc::new(shown.cloned().collect::<Vec<_>>())
    }))
    .clone();
    let groups = out.memo.get(
        ("markers", layer.topic.id, set.key, hidden, alpha_of(layer.config).to_bits()),
        || groups(&kept, alpha_of(layer.config)),
    );
    for group in groups.iter() {
        let stamp = if group.locked { layer.now } else { group.stamp };
        let Some(fixed_from_frame) = layer.fixed_from(&group.frame, stamp, out.notes) else {
            continue;
        };
        push(layer, out, group, &kept, fixed_from_frame);
    }
    out.notes.drawn += 1;
}

/// Addresses of the files that markers alive at the playhead name, or else those that were drawn last.
pub fn resources(store: &Store, topic: TopicId, drawn: Option<&Arc<MarkerSet>>) -> BTreeSet<Arc<str>> {
    let set = match store.markers(topic) {
        Lookup::Ready(set) => Some(set),
        Lookup::Pending => drawn.cloned(),
        Lookup::Absent | Lookup::Failed(_) => None,
    };
    let Some(set) = set else { return BTreeSet::new() };
    let named = set.markers.iter().filter(|(_, marker)| marker.kind == 10);
    named.map(|(_, marker)| Arc::clone(&marker.mesh_resource)).collect()
}

fn alpha_of(config: &TopicConfig) -> f32 {
    config.alpha.unwrap_or(1.0).clamp(0.0, 1.0)
}

fn push(layer: &Layer<'_>, out: &mut Out<'_>, group: &Group, kept: &Kept, fixed_from_frame: DAffine3) {
    let world_from_item = fixed_from_frame * DAffine3::from_translation(group.origin);
    let owner = |of: &Arc<Vec<u32>>| Owner::Markers {
        topic: Arc::clone(&layer.topic.name),
        markers: Arc::clone(kept),
        of_index: Arc::clone(of),
    };
    out.include(group.bounds.map(|bounds| super::cloud::transformed(bounds, world_from_item)));
    for solids in &group.solids {
        let id = out.own(owner(&solids.of));
        let (mesh, instances) = (solids.mesh.clone(), solids.instances.clone());
        out.scene.meshes.push(Meshes {
            id,
            mesh,
            instances,
            lit: true,
            translucent: solids.translucent,
            world_from_item,
        });
    }
    for strokes in &group.strokes {
        let id = out.own(owner(&strokes.of));
        let width = Size::Metres(strokes.width_metres);
        out.scene.lines.push(Lines {
            id,
            segments: strokes.segments.clone(),
            width,
            hides: true,
            world_from_item,
        });
    }
    for points in &group.points {
        let id = out.own(owner(&points.of));
        out.scene.clouds.push(PointCloud {
            id,
            data: points.data.clone(),
            layout: points.layout,
            color: PointColor::Packed {
                offset: 12,
                has_alpha: points.has_alpha,
            },
            size: Size::Metres(points.size_metres),
            round: false,
            world_from_item,
        });
    }
    let texts = (!group.labels.is_empty()).then(|| out.own(owner(&group.labels_of)));
    for (index, label) in (0u32..).zip(&group.labels) {
        out.labels.push(Label {
            position: world_from_item.transform_point3(label.position),
            part: texts.map(|id| (id, index)),
            ..label.clone()
        });
    }
    for &index in &group.resources {
        if let Some((_, marker)) = kept.get(index as usize) {
            resource(layer, out, marker, index, kept, fixed_from_frame);
        }
    }
}

/// For the GPU. Without the file's own colours the marker's is the only one.
fn drawn(mesh: &decode::Mesh, embedded_colors: bool) -> Arc<Mesh> {
    let vertex = |v: &Vertex| Vertex {
        color: if embedded_colors { v.color } else { [255; 4] },
        ..*v
    };
    Arc::new(Mesh {
        vertices: Blob::new(mesh.vertices.iter().map(vertex).collect()),
        indices: Blob::new((0..mesh.vertices.len() as u32).collect()),
    })
}

/// A mesh that comes from a file or an address; an outline that says why until (or unless) it is there.
fn resource(layer: &Layer<'_>, out: &mut Out<'_>, marker: &Arc<Marker>, index: u32, kept: &Kept, fixed_from_frame: DAffine3) {
    let alpha = alpha_of(layer.config);
    let id = out.own(Owner::Markers {
        topic: Arc::clone(&layer.topic.name),
        markers: Arc::clone(kept),
        of_index: Arc::new(vec![index]),
    });
    let world_from_item = fixed_from_frame * affine(&marker.pose);
    let scale = marker.scale.as_vec3();
    let read = match layer.store.resource(&marker.mesh_resource) {
        Lookup::Ready(Resource::Mesh(mesh)) => {
            let embedded = marker.mesh_use_embedded_materials;
            let key = ("mesh file", Arc::as_ptr(&mesh) as usize, embedded);
            let (drawn, _kept) = &*out.memo.get(key, || (drawn(&mesh, embedded), mesh));
            Ok(drawn.clone())
        }
        Lookup::Ready(_) => Err("is no kind of mesh that can be drawn (STL, OBJ, DAE, GLB)".to_string()),
        Lookup::Pending => {
            out.notes.pending.push(Arc::clone(&layer.topic.name));
            Err("is on its way".to_string())
        }
        Lookup::Absent => Err("is not there".to_string()),
        Lookup::Failed(why) => Err(why.to_string()),
    };
    match read {
        Ok(mesh) => {
            // An all-zero colour means: only the file's own.
            let tint = if marker.mesh_use_embedded_materials && marker.color == [0.0; 4] {
                [1.0; 4]
            } else {
                marker.color
            };
            let color = rgba(tint, alpha);
            let at = Affine3A::from_scale(scale);
            let instances = out.memo.get(("mesh instance", scale.to_array().map(f32::to_bits), color), || {
                Blob::new(vec![Instance::new(at, color)])
            });
            let (mesh, instances) = (MeshSource::Own(mesh), (*instances).clone());
            out.scene.meshes.push(Meshes {
                id,
                mesh,
                instances,
                lit: true,
                translucent: color[3] < 255,
                world_from_item,
            });
        }
        Err(why) => {
            let [r, g, b, _] = rgba(marker.color, 1.0);
            let color = if [r, g, b] == [0; 3] {
                let [r, g, b, _] = out.colors.frames.to_array();
                [r, g, b, 255]
            } else {
                [r, g, b, 255]
            };
            let size = scale.to_array();
            let segments = out
                .memo
                .get(("outline", size.map(f32::to_bits), color), || Blob::new(outline_box(size, color)));
            out.scene.lines.push(Lines {
                id,
                segments: (*segments).clone(),
                width: Size::Px(1.5),
                hides: true,
                world_from_item,
            });
            let name = marker.mesh_resource.rsplit('/').next().unwrap_or_default();
            let name = name.split(['?', '#']).next().unwrap_or_default();
            out.labels.push(Label {
                position: world_from_item.translation,
                text: format!("{name}: {why}").into(),
                color,
                height_metres: None,
                part: Some((id, 0)),
            });
        }
    }
}

fn rgba(color: [f32; 4], alpha: f32) -> [u8; 4] {
    let [r, g, b, a] = color.map(|v| (v.clamp(0.0, 1.0) * 255.0).round() as u8);
    [r, g, b, (f32::from(a) * alpha).round() as u8]
}

/// What a group is built from, before it is shared.
struct Builder {
    group: Group,
    solids: Vec<(MeshSource, bool, Vec<Instance>, Vec<u32>)>,
    strokes: Vec<(f32, Vec<Segment>, Vec<u32>)>,
    points: Vec<(f32, Vec<u8>, Vec<u32>)>,
    texts: Vec<u32>,
    reached: Vec<DVec3>,
}

fn groups(kept: &Kept, alpha: f32) -> Vec<Group> {
    let mut builders: Vec<Builder> = Vec::new();
    for (index, (received, marker)) in (0u32..).zip(kept.iter()) {
        let stamp = marker.stamp_or(*received);
        if !marker.pose.position.is_finite() || !marker.scale.is_finite() {
            continue;
        }
        let same = |b: &Builder| b.group.frame == marker.header.frame_id && b.group.locked == marker.frame_locked && b.group.stamp == stamp;
        let at = builders.iter().position(same).unwrap_or_else(|| {
            builders.push(Builder::new(marker, stamp));
            builders.len() - 1
        });
        if let Some(builder) = builders.get_mut(at) {
            builder.add(marker, index, alpha);
        }
    }
    builders.into_iter().map(Builder::done).collect()
}

impl Builder {
    fn new(first: &Marker, stamp: Time) -> Builder {
        let group = Group {
            frame: Arc::clone(&first.header.frame_id),
            stamp,
            locked: first.frame_locked,
            origin: first.pose.position,
            solids: Vec::new(),
            strokes: Vec::new(),
            points: Vec::new(),
            labels: Vec::new(),
            labels_of: Arc::default(),
            resources: Vec::new(),
            bounds: None,
        };
        Builder {
            group,
            solids: Vec::new(),
            strokes: Vec::new(),
            points: Vec::new(),
            texts: Vec::new(),
            reached: Vec::new(),
        }
    }

    fn add(&mut self, marker: &Marker, index: u32, alpha: f32) {
        let at_frame = affine(&marker.pose);
        let position = (at_frame.translation - self.group.origin).as_vec3();
        let at = Affine3A::from_rotation_translation(glam::DQuat::from_mat3(&at_frame.matrix3).as_quat(), position);
        let scale = marker.scale.as_vec3();
        let color = rgba(marker.color, alpha);
        let color_of = |point: usize| {
            marker
                .colors
                .get(point)
                .filter(|_| marker.colors.len() == marker.points.len())
                .map_or(color, |c| rgba(*c, alpha))
        };
        self.reached.push(position.as_dvec3());
        self.reached
            .extend(marker.points.iter().map(|p| at.transform_point3(Vec3::from(*p)).as_dvec3()));
        match marker.kind {
            0 => self.arrow(marker, at, scale, color, index),
            1 => self.solid(Shape::Cube, at * Affine3A::from_scale(scale), color, index),
            2 => self.solid(Shape::Sphere, at * Affine3A::from_scale(scale), color, index),
            3 => self.solid(Shape::Cylinder, at * Affine3A::from_scale(scale), color, index),
            4 => {
                for (from, pair) in marker.points.windows(2).enumerate() {
                    if let [a, b] = pair {
                        self.stroke(scale.x, at, [*a, *b], [color_of(from), color_of(from + 1)], index);
                    }
                }
            }
            5 => {
                for (pair, ends) in marker.points.chunks_exact(2).enumerate() {
                    if let [a, b] = ends {
                        self.stroke(scale.x, at, [*a, *b], [color_of(2 * pair), color_of(2 * pair + 1)], index);
                    }
                }
            }
            6 | 7 => {
                let shape = if marker.kind == 6 { Shape::Cube } else { Shape::Sphere };
                for (point, offset) in marker.points.iter().enumerate() {
                    let at = at * Affine3A::from_scale_rotation_translation(scale, Quat::IDENTITY, Vec3::from(*offset));
                    self.solid(shape, at, color_of(point), index);
                }
            }
            8 => {
                for (point, offset) in marker.points.iter().enumerate() {
                    self.point(scale.x, at.transform_point3(Vec3::from(*offset)), color_of(point), index);
                }
            }
            9 => {
                self.group.labels.push(Label {
                    position: position.as_dvec3(),
                    text: Arc::clone(&marker.text),
                    color,
                    height_metres: Some(scale.z),
                    part: None,
                });
                self.texts.push(index);
            }
            10 => self.group.resources.push(index),
            11 => self.triangles(marker, at * Affine3A::from_scale(scale), &color_of, index),
            _ => {}
        }
    }

    fn solid(&mut self, shape: Shape, at: Affine3A, color: [u8; 4], index: u32) {
        if color[3] == 0 {
            return;
        }
        let (mesh, translucent, instance) = (MeshSource::Shape(shape), color[3] < 255, Instance::new(at, color));
        match self.solids.iter_mut().find(|(m, t, ..)| *m == mesh && *t == translucent) {
            Some((_, _, instances, of)) => {
                instances.push(instance);
                of.push(index);
            }
            None => self.solids.push((mesh, translucent, vec![instance], vec![index])),
        }
    }

    fn arrow(&mut self, marker: &Marker, at: Affine3A, scale: Vec3, color: [u8; 4], index: u32) {
        let parts = if let [tail, tip, ..] = *marker.points {
            let (tail, tip) = (Vec3::from(tail), Vec3::from(tip));
            let length = tail.distance(tip);
            let turn = Quat::from_rotation_arc(Vec3::X, (tip - tail).normalize_or(Vec3::X));
            let head_length = if scale.z > 0.0 { scale.z.min(length) } else { length * 0.23 };
            arrow(
                at * Affine3A::from_rotation_translation(turn, tail),
                length,
                scale.x,
                scale.y,
                head_length,
                color,
            )
        } else {
            // Width and height may differ: the arrow is built round and then flattened.
            let flat = Affine3A::from_scale(Vec3::new(1.0, scale.y, scale.z));
            arrow(at * flat, scale.x, 1.0, 2.0, scale.x * 0.23, color)
        };
        let [shaft, head] = parts;
        self.solid(Shape::Rod, shaft.item_from_mesh(), color, index);
        self.solid(Shape::Cone, head.item_from_mesh(), color, index);
    }

    fn stroke(&mut self, width: f32, at: Affine3A, ends: [[f32; 3]; 2], colors: [[u8; 4]; 2], index: u32) {
        let [a, b] = ends.map(|end| at.transform_point3(Vec3::from(end)).to_array());
        let segment = Segment {
            a,
            color_a: colors[0],
            b,
            color_b: colors[1],
        };
        match self.strokes.iter_mut().find(|(w, ..)| w.to_bits() == width.to_bits()) {
            Some((_, segments, of)) => {
                segments.push(segment);
                of.push(index);
            }
            None => self.strokes.push((width, vec![segment], vec![index])),
        }
    }

    fn point(&mut self, size: f32, at: Vec3, [r, g, b, a]: [u8; 4], index: u32) {
        let slot = self
            .points
            .iter()
            .position(|(s, ..)| s.to_bits() == size.to_bits())
            .unwrap_or_else(|| {
                self.points.push((size, Vec::new(), Vec::new()));
                self.points.len() - 1
            });
        if let Some((_, data, of)) = self.points.get_mut(slot) {
            at.to_array().iter().for_each(|v| data.extend_from_slice(&v.to_le_bytes()));
            data.extend_from_slice(&[b, g, r, a]);
            of.push(index);
        }
    }

    fn triangles(&mut self, marker: &Marker, at: Affine3A, color_of: &dyn Fn(usize) -> [u8; 4], index: u32) {
        let mut vertices = Vec::with_capacity(marker.points.len());
        for (triangle, corners) in marker.points.chunks_exact(3).enumerate() {
            let [a, b, c] = [0, 1, 2].map(|i| corners.get(i).copied().map_or(Vec3::ZERO, Vec3::from));
            let normal = (b - a).cross(c - a).normalize_or(Vec3::Z).to_array();
            // One colour a corner, or one a triangle.
            let per_face = marker.colors.len() * 3 == marker.points.len();
            for (corner, position) in [a, b, c].into_iter().enumerate() {
                let color = match marker.colors.get(triangle).filter(|_| per_face) {
                    Some(color) => rgba(*color, f32::from(color_of(0)[3]) / 255.0 / marker.color[3].max(1e-3)),
                    None => color_of(triangle * 3 + corner),
                };
                vertices.push(Vertex {
                    position: position.to_array(),
                    normal,
                    color,
                });
            }
        }
        let translucent = vertices.iter().any(|vertex| vertex.color[3] < 255);
        let indices = (0..u32::try_from(vertices.len()).unwrap_or(0)).collect();
        let mesh = Arc::new(Mesh {
            vertices: Blob::new(vertices),
            indices: Blob::new(indices),
        });
        self.solids
            .push((MeshSource::Own(mesh), translucent, vec![Instance::new(at, [255; 4])], vec![index]));
    }

    fn done(self) -> Group {
        let mut group = self.group;
        group.bounds = Bounds::of(self.reached);
        group.labels_of = Arc::new(self.texts);
        let solid = |(mesh, translucent, instances, of)| Solids {
            mesh,
            translucent,
            instances: Blob::new(instances),
            of: Arc::new(of),
        };
        group.solids = self.solids.into_iter().map(solid).collect();
        let stroke = |(width_metres, segments, of)| Strokes {
            width_metres,
            segments: Blob::new(segments),
            of: Arc::new(of),
        };
        group.strokes = self.strokes.into_iter().map(stroke).collect();
        let points = |(size_metres, data, of): (f32, Vec<u8>, Vec<u32>)| {
            let has_alpha = data.chunks_exact(16).any(|point| point.last().is_some_and(|alpha| *alpha < 255));
            let layout = PointLayout::xyz_f32(u32::try_from(of.len()).unwrap_or(0), 16);
            Points {
                data: Raw(data.into()),
                layout,
                size_metres,
                has_alpha,
                of: Arc::new(of),
            }
        };
        group.points = self.points.into_iter().map(points).collect();
        group
    }
}
