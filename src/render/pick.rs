//! What lies under the pointer: the CPU's search over a scene with the formulas of the shaders.
//!
//! Invariants: a point is picked exactly where its sprite covers the pointer's pixel and nothing that hides is nearer, seen through
//! what is see-through; lines may be missed by a few pixels. Run on a click: it visits every point once.

use glam::{DAffine3, DMat4, DVec2, DVec3, Vec2, Vec3, Vec4};

use super::{Cells, ItemId, Lines, MeshSource, Meshes, PointCloud, Scene, Size, View, mesh_of};

/// The item under the pointer, which part of it, and where it was met.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Picked {
    pub id: ItemId,
    /// Point, segment, instance or cell.
    pub index: u32,
    /// Clip-space depth over w, larger is nearer: what the depth buffer would hold.
    pub depth: f32,
    pub position_in_world: DVec3,
}

/// Finds what is frontmost at `px`, physical pixels from the picture's top left.
pub fn pick(scene: &Scene, px: DVec2) -> Option<Picked> {
    let mut best: Option<Picked> = None;
    let mut offer = |found: Option<Picked>| {
        if let Some(found) = found
            && best.is_none_or(|best| found.depth >= best.depth)
        {
            best = Some(found);
        }
    };
    for batch in scene.meshes.iter().filter(|batch| !batch.translucent) {
        offer(pick_mesh(&scene.view, batch, px));
    }
    for cloud in &scene.clouds {
        offer(pick_point(&scene.view, cloud, px));
    }
    for lines in scene.lines.iter().filter(|lines| lines.hides) {
        offer(pick_line(&scene.view, lines, px));
    }
    // What hides nothing, and maps, which lie under everything, are met only where nothing else is.
    let see_through = || {
        let batches = scene.meshes.iter().filter(|batch| batch.translucent);
        let met = batches.filter_map(|batch| pick_mesh(&scene.view, batch, px));
        met.max_by(|a, b| a.depth.total_cmp(&b.depth))
    };
    best.or_else(see_through)
        .or_else(|| scene.cells.iter().rev().find_map(|cells| pick_cell(&scene.view, cells, px)))
}

fn size_px(size: Size, view: &View, w: f32) -> f32 {
    match size {
        Size::Px(px) => px * view.viewport.pixels_per_point,
        Size::Metres(metres) => metres * view.px_per_metre() / w,
    }
    .max(1.0)
}

fn near(view: &View) -> f32 {
    view.near().unwrap_or(0.0) as f32
}

fn half_viewport(view: &View) -> Vec2 {
    Vec2::new(view.viewport.width.max(1) as f32, view.viewport.height.max(1) as f32) * 0.5
}

fn pick_point(view: &View, cloud: &PointCloud, px: DVec2) -> Option<Picked> {
    let world_from_point = cloud.world_from_item * DAffine3::from_translation(cloud.layout.origin);
    let clip_from_point = view.clip_from_view * DMat4::from(view.view_from_world * world_from_point).as_mat4();
    let half = half_viewport(view);
    // The middle of the pointer's pixel, in pixels from the picture's middle, y up: what the rasterizer samples.
    let sample = Vec2::new(px.x.floor() as f32 + 0.5 - half.x, half.y - (px.y.floor() as f32 + 0.5));
    let mut best: Option<(u32, f32, Vec3)> = None;
    for index in 0..cloud.layout.count() {
        let Some(p) = cloud.layout.position_f32(&cloud.data.0, index) else {
            continue;
        };
        let clip = clip_from_point * p.extend(1.0);
        if clip.w <= near(view) {
            continue;
        }
        let corner = (sample - Vec2::new(clip.x, clip.y) / clip.w * half) / (size_px(cloud.size, view, clip.w) * 0.5);
        let inside = if cloud.round {
            corner.length_squared() <= 1.0
        } else {
            corner.abs().max_element() <= 1.0
        };
        let depth = clip.z / clip.w;
        if inside && (0.0..=1.0).contains(&depth) && best.is_none_or(|(_, nearest, _)| depth >= nearest) {
            best = Some((index, depth, p));
        }
    }
    let (index, depth, p) = best?;
    Some(Picked {
        id: cloud.id,
        index,
        depth,
        position_in_world: world_from_point.transform_point3(p.as_dvec3()),
    })
}

fn pick_line(view: &View, lines: &Lines, px: DVec2) -> Option<Picked> {
    let clip_from_item = view.clip_from_view * DMat4::from(view.view_from_world * lines.world_from_item).as_mat4();
    let half = half_viewport(view);
    let at = Vec2::new(px.x as f32 - half.x, half.y - px.y as f32);
    let near = near(view);
    let mut best: Option<(u32, f32, Vec3)> = None;
    for (index, segment) in (0u32..).zip(lines.segments.iter()) {
        let ends = [Vec3::from(segment.a), Vec3::from(segment.b)];
        let [a, b] = ends.map(|end| clip_from_item * end.extend(1.0));
        if a.w <= near || b.w <= near {
            continue;
        }
        let screen = |clip: Vec4| Vec2::new(clip.x, clip.y) / clip.w * half;
        let (a_px, b_px) = (screen(a), screen(b));
        let along = b_px - a_px;
        let t = ((at - a_px).dot(along) / along.length_squared().max(1e-12)).clamp(0.0, 1.0);
        let clip = a.lerp(b, t);
        let reach = size_px(lines.width, view, clip.w) * 0.5 + 3.0 * view.viewport.pixels_per_point;
        let depth = clip.z * 1.0005 / clip.w;
        if (a_px + along * t).distance(at) <= reach && best.is_none_or(|(_, nearest, _)| depth >= nearest) {
            best = Some((index, depth, ends[0].lerp(ends[1], t)));
        }
    }
    let (index, depth, p) = best?;
    Some(Picked {
        id: lines.id,
        index,
        depth,
        position_in_world: lines.world_from_item.transform_point3(p.as_dvec3()),
    })
}

fn depth_of(view: &View, position_in_world: DVec3) -> f32 {
    let p = view.view_from_world.transform_point3(position_in_world).as_vec3();
    let clip = view.clip_from_view * p.extend(1.0);
    clip.z / clip.w
}

fn pick_mesh(view: &View, batch: &Meshes, px: DVec2) -> Option<Picked> {
    let mesh = match &batch.mesh {
        MeshSource::Shape(shape) => mesh_of(*shape),
        MeshSource::Own(mesh) => std::sync::Arc::clone(mesh),
    };
    let ray = view.ray(px);
    let item_from_world = batch.world_from_item.inverse();
    let (origin, direction) = (
        item_from_world.transform_point3(ray.origin),
        item_from_world.transform_vector3(ray.direction),
    );
    let mut best: Option<(u32, f64)> = None;
    for (index, instance) in (0u32..).zip(batch.instances.iter()) {
        let m = instance.item_from_mesh();
        let mesh_from_item = DAffine3 {
            matrix3: glam::Mat3::from(m.matrix3).as_dmat3(),
            translation: Vec3::from(m.translation).as_dvec3(),
        }
        .inverse();
        if !mesh_from_item.is_finite() {
            continue;
        }
        let (o, d) = (mesh_from_item.transform_point3(origin), mesh_from_item.transform_vector3(direction));
        for triangle in mesh.indices.chunks_exact(3) {
            let corner = |i: usize| {
                triangle
                    .get(i)
                    .and_then(|&v| mesh.vertices.get(v as usize))
                    .map(|v| Vec3::from(v.position).as_dvec3())
            };
            let (Some(a), Some(b), Some(c)) = (corner(0), corner(1), corner(2)) else {
                continue;
            };
            if let Some(t) = hit(o, d, a, b, c)
                && best.is_none_or(|(_, nearest)| t < nearest)
            {
                best = Some((index, t));
            }
        }
    }
    let (index, t) = best?;
    let position_in_world = ray.origin + ray.direction * t;
    Some(Picked {
        id: batch.id,
        index,
        depth: depth_of(view, position_in_world),
        position_in_world,
    })
}

/// Distance along the ray to a triangle, from either side.
fn hit(origin: DVec3, direction: DVec3, a: DVec3, b: DVec3, c: DVec3) -> Option<f64> {
    let (ab, ac) = (b - a, c - a);
    let p = direction.cross(ac);
    let det = ab.dot(p);
    if det == 0.0 {
        return None;
    }
    let s = origin - a;
    let u = s.dot(p) / det;
    let q = s.cross(ab);
    let v = direction.dot(q) / det;
    let t = ac.dot(q) / det;
    (u >= 0.0 && v >= 0.0 && u + v <= 1.0 && t > 0.0).then_some(t)
}

fn pick_cell(view: &View, cells: &Cells, px: DVec2) -> Option<Picked> {
    let ray = view.ray(px);
    let item_from_world = cells.world_from_item.inverse();
    let (o, d) = (
        item_from_world.transform_point3(ray.origin),
        item_from_world.transform_vector3(ray.direction),
    );
    let t = -o.z / d.z;
    if !t.is_finite() || t <= 0.0 {
        return None;
    }
    let at = (o + d * t) / f64::from(cells.metres_per_cell);
    let inside = |v: f64, size: u32| (0.0..f64::from(size)).contains(&v);
    if !inside(at.x, cells.width) || !inside(at.y, cells.height) {
        return None;
    }
    let position_in_world = ray.origin + ray.direction * t;
    let index = (at.y as u32).saturating_mul(cells.width).saturating_add(at.x as u32);
    Some(Picked {
        id: cells.id,
        index,
        depth: depth_of(view, position_in_world),
        position_in_world,
    })
}
