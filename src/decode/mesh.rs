//! Mesh files of markers: STL, OBJ, COLLADA and GLB become triangles.
//!
//! Invariant: a broken file is a sentence. Colours come from the file; textures are left out.

use std::panic::{AssertUnwindSafe, catch_unwind};

use glam::{Mat4, Vec3};

/// A corner of a triangle: metres, and sRGB with alpha.
#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Vertex {
    pub position: [f32; 3],
    pub normal: [f32; 3],
    pub color: [u8; 4],
}

/// Triangles, three vertices each; z is up.
#[derive(Debug, Default)]
pub struct Mesh {
    pub vertices: Vec<Vertex>,
}

/// A mesh of some kind, as its name's ending or its first bytes say; none where neither does.
pub(super) fn mesh(name: &str, bytes: &[u8]) -> Option<Result<Mesh, String>> {
    let path = name.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let reader: fn(&[u8], &mut Mesh) -> Result<(), String> = match path.rsplit('.').next().unwrap_or_default() {
        _ if bytes.starts_with(b"glTF") => gltf,
        "stl" => stl,
        "obj" => obj,
        "dae" => dae,
        "gltf" => gltf,
        _ => return None,
    };
    let mut mesh = Mesh::default();
    // Some of these readers panic on broken files.
    let read = catch_unwind(AssertUnwindSafe(|| reader(bytes, &mut mesh))).unwrap_or_else(|_| Err("the file is broken".to_string()));
    Some(match read {
        Ok(()) if mesh.vertices.is_empty() => Err("the file holds no triangles".to_string()),
        Ok(()) if u32::try_from(mesh.vertices.len()).is_err() => Err("the file holds too many triangles".to_string()),
        other => other.map(|()| mesh),
    })
}

impl Mesh {
    fn triangle(&mut self, corners: [Vec3; 3], normals: Option<[Vec3; 3]>, color: [u8; 4]) {
        let [a, b, c] = corners;
        if !(a.is_finite() && b.is_finite() && c.is_finite()) {
            return;
        }
        let flat = (b - a).cross(c - a).normalize_or(Vec3::Z);
        let normals = normals.unwrap_or([flat; 3]).map(|n| n.normalize_or(flat));
        for (position, normal) in corners.into_iter().zip(normals) {
            self.vertices.push(Vertex {
                position: position.to_array(),
                normal: normal.to_array(),
                color,
            });
        }
    }
}

fn color(rgba: [f32; 4]) -> [u8; 4] {
    rgba.map(|v| (v.clamp(0.0, 1.0) * 255.0).round() as u8)
}

fn stl(bytes: &[u8], mesh: &mut Mesh) -> Result<(), String> {
    let file = stl_io::read_stl(&mut std::io::Cursor::new(bytes)).map_err(|error| format!("the file is broken: {error}"))?;
    for face in &file.faces {
        let corner = |i: usize| file.vertices.get(*face.vertices.get(i)?).map(|v| Vec3::from(<[f32; 3]>::from(*v)));
        if let (Some(a), Some(b), Some(c)) = (corner(0), corner(1), corner(2)) {
            mesh.triangle([a, b, c], None, [255; 4]);
        }
    }
    Ok(())
}

fn obj(bytes: &[u8], mesh: &mut Mesh) -> Result<(), String> {
    let options = tobj::LoadOptions {
        triangulate: true,
        single_index: true,
        ..Default::default()
    };
    let no_materials = |_: &std::path::Path| Ok(Default::default());
    let (models, _) = tobj::load_obj_buf(&mut std::io::Cursor::new(bytes), &options, no_materials)
        .map_err(|error| format!("the file is broken: {error}"))?;
    for model in models {
        let triple = |from: &[f32], index: u32| {
            let at = index as usize * 3;
            from.get(at..at + 3).and_then(|v| <[f32; 3]>::try_from(v).ok()).map(Vec3::from)
        };
        for face in model.mesh.indices.chunks_exact(3) {
            let all = |from: &[f32]| {
                let [a, b, c] = [0, 1, 2].map(|i| face.get(i).and_then(|index| triple(from, *index)));
                Some([a?, b?, c?])
            };
            let painted = all(&model.mesh.vertex_color).map_or([255; 4], |[c, ..]| color([c.x, c.y, c.z, 1.0]));
            if let Some(corners) = all(&model.mesh.positions) {
                mesh.triangle(corners, all(&model.mesh.normals), painted);
            }
        }
    }
    Ok(())
}

fn gltf(bytes: &[u8], mesh: &mut Mesh) -> Result<(), String> {
    let broken = |error: gltf::Error| format!("the file is broken: {error}");
    let gltf::Gltf { document, blob } = gltf::Gltf::from_slice(bytes).map_err(broken)?;
    let buffers = gltf_buffers(&document, blob)?;
    // glTF is y-up; markers are z-up.
    let z_up = Mat4::from_cols_array(&[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
    let scene = document
        .default_scene()
        .or_else(|| document.scenes().next())
        .ok_or("the file holds no scene")?;
    let mut stack: Vec<(gltf::Node<'_>, Mat4)> = scene.nodes().map(|node| (node, z_up)).collect();
    // A node stands at one place of the tree (glTF 2.0, 3.5.2): one that is met again is its own ancestor.
    let mut met = vec![false; document.nodes().len()];
    while let Some((node, parent)) = stack.pop() {
        if met.get_mut(node.index()).is_none_or(|met| std::mem::replace(met, true)) {
            return Err("the file is broken: a node of its scene stands in two places".to_string());
        }
        let here = parent * Mat4::from_cols_array_2d(&node.transform().matrix());
        stack.extend(node.children().map(|child| (child, here)));
        for primitive in node.mesh().iter().flat_map(gltf::Mesh::primitives) {
            gltf_primitive(&primitive, &buffers, here, mesh);
        }
    }
    Ok(())
}

fn gltf_buffers(document: &gltf::Document, blob: Option<Vec<u8>>) -> Result<Vec<Vec<u8>>, String> {
    let mut blob = blob;
    document
        .buffers()
        .map(|buffer| match buffer.source() {
            gltf::buffer::Source::Bin => blob.take().ok_or_else(|| "the file lacks its binary part".to_string()),
            gltf::buffer::Source::Uri(uri) => {
                let (_, encoded) = uri
                    .split_once("base64,")
                    .ok_or("keeps its data in other files; a GLB holds all in one")?;
                base64::Engine::decode(&base64::engine::general_purpose::STANDARD, encoded)
                    .map_err(|error| format!("the file is broken: {error}"))
            }
        })
        .collect()
}

fn gltf_primitive(primitive: &gltf::Primitive<'_>, buffers: &[Vec<u8>], here: Mat4, mesh: &mut Mesh) {
    if primitive.mode() != gltf::mesh::Mode::Triangles {
        return;
    }
    let reader = primitive.reader(|buffer| buffers.get(buffer.index()).map(Vec::as_slice));
    let Some(positions) = reader
        .read_positions()
        .map(|all| all.map(|p| here.transform_point3(Vec3::from(p))).collect::<Vec<_>>())
    else {
        return;
    };
    let normal_matrix = here.inverse().transpose();
    let normals: Vec<Vec3> = reader
        .read_normals()
        .map(|all| all.map(|n| normal_matrix.transform_vector3(Vec3::from(n))).collect())
        .unwrap_or_default();
    let indices: Vec<u32> = match reader.read_indices() {
        Some(indices) => indices.into_u32().collect(),
        None => (0..u32::try_from(positions.len()).unwrap_or(0)).collect(),
    };
    let [r, g, b, a] = primitive.material().pbr_metallic_roughness().base_color_factor();
    // The factor is linear; what is drawn is sRGB.
    let painted = color(
        [r, g, b]
            .map(|v| v.max(0.0).powf(1.0 / 2.2))
            .into_iter()
            .chain([a])
            .collect::<Vec<_>>()
            .try_into()
            .unwrap_or([1.0; 4]),
    );
    for face in indices.chunks_exact(3) {
        let all = |from: &[Vec3]| {
            let [a, b, c] = [0, 1, 2].map(|i| face.get(i).and_then(|index| from.get(*index as usize)).copied());
            Some([a?, b?, c?])
        };
        if let Some(corners) = all(&positions) {
            mesh.triangle(corners, all(&normals), painted);
        }
    }
}

fn dae(bytes: &[u8], mesh: &mut Mesh) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "the file is no text".to_string())?;
    // The reader allocates as many numbers as an array claims to hold; each takes two bytes at least.
    let tree = roxmltree::Document::parse(text).map_err(|error| format!("the file is broken: {error}"))?;
    let counts = tree.descendants().filter_map(|node| node.attribute("count"));
    if counts
        .filter_map(|count| count.trim().parse().ok())
        .any(|count: u64| count > text.len() as u64)
    {
        return Err("the file is broken: an array claims more numbers than the file has bytes".to_string());
    }
    let document: dae_parser::Document = text
        .parse()
        .map_err(|error: dae_parser::Error| format!("the file is broken: {error:?}"))?;
    let unit = Mat4::from_scale(Vec3::splat(document.asset.unit.meter));
    let z_up = match document.asset.up_axis {
        dae_parser::UpAxis::ZUp => Mat4::IDENTITY,
        dae_parser::UpAxis::YUp => Mat4::from_rotation_x(std::f32::consts::FRAC_PI_2),
        dae_parser::UpAxis::XUp => Mat4::from_rotation_y(-std::f32::consts::FRAC_PI_2),
    };
    let top = unit * z_up;
    let maps = document.local_maps();
    let Some(scene) = document.get_visual_scene() else {
        document.for_each(|geometry: &dae_parser::Geometry| dae_geometry(geometry, top, &maps, &[], mesh));
        return Ok(());
    };
    let mut stack: Vec<(&dae_parser::Node, Mat4)> = scene.nodes.iter().map(|node| (node, top)).collect();
    while let Some((node, parent)) = stack.pop() {
        let here = node.transforms.iter().fold(parent, |at, transform| at * dae_transform(transform));
        stack.extend(node.children.iter().map(|child| (child, here)));
        for instance in &node.instance_geometry {
            if let Some(geometry) = maps.get(&instance.url) {
                let materials = instance
                    .data
                    .bind_material
                    .as_ref()
                    .map_or(&[][..], |bound| bound.instance_material.as_slice());
                dae_geometry(geometry, here, &maps, materials, mesh);
            }
        }
    }
    Ok(())
}

fn dae_transform(transform: &dae_parser::Transform) -> Mat4 {
    match transform {
        dae_parser::Transform::Matrix(m) => Mat4::from_cols_array(&m.0).transpose(),
        dae_parser::Transform::Rotate(r) => {
            let [x, y, z, degrees] = *r.0;
            Mat4::from_axis_angle(Vec3::new(x, y, z).normalize_or(Vec3::Z), degrees.to_radians())
        }
        dae_parser::Transform::Scale(s) => Mat4::from_scale(Vec3::from(*s.0)),
        dae_parser::Transform::Translate(t) => Mat4::from_translation(Vec3::from(*t.0)),
        dae_parser::Transform::LookAt(_) | dae_parser::Transform::Skew(_) => Mat4::IDENTITY,
    }
}

fn dae_color(symbol: Option<&str>, maps: &dae_parser::LocalMaps<'_>, materials: &[dae_parser::InstanceMaterial]) -> Option<[u8; 4]> {
    let bound = materials.iter().find(|material| Some(material.symbol.as_str()) == symbol)?;
    let material = maps.get(&bound.target)?;
    let effect = maps.get(&material.instance_effect.url)?;
    let common = effect.profile.iter().find_map(|profile| profile.as_common())?;
    let diffuse = match common.technique.data.shaders.first()? {
        dae_parser::Shader::Blinn(shader) => shader.diffuse.as_ref(),
        dae_parser::Shader::Lambert(shader) => shader.diffuse.as_ref(),
        dae_parser::Shader::Phong(shader) => shader.diffuse.as_ref(),
        dae_parser::Shader::Constant(shader) => shader.emission.as_ref(),
    }?;
    match &**diffuse {
        dae_parser::ColorParam::Color(rgba) => Some(color(**rgba)),
        _ => None,
    }
}

fn dae_geometry(
    geometry: &dae_parser::Geometry,
    here: Mat4,
    maps: &dae_parser::LocalMaps<'_>,
    materials: &[dae_parser::InstanceMaterial],
    mesh: &mut Mesh,
) {
    let dae_parser::GeometryElement::Mesh(element) = &geometry.element else {
        return;
    };
    let Some(vertices) = &element.vertices else { return };
    let Some(positions) = vertices
        .inputs
        .iter()
        .find(|input| input.semantic == dae_parser::Semantic::Position)
    else {
        return;
    };
    let Some(positions) = dae_vectors(maps.get(positions.source_as_source())) else {
        return;
    };
    for primitive in &element.elements {
        let (inputs, prim, counts, symbol) = match primitive {
            dae_parser::Primitive::Triangles(list) => (&list.inputs, list.data.prim.as_deref(), None, &list.material),
            dae_parser::Primitive::PolyList(list) => (&list.inputs, Some(&*list.data.prim), Some(&*list.data.vcount), &list.material),
            _ => continue,
        };
        let (Some(prim), Some(vertex)) = (prim, inputs.iter().find(|input| input.semantic == dae_parser::Semantic::Vertex)) else {
            continue;
        };
        let painted = dae_color(symbol.as_deref(), maps, materials).unwrap_or([255; 4]);
        let stride = inputs.stride.max(1);
        let corner = |n: usize| {
            prim.get(n * stride + vertex.offset as usize)
                .and_then(|index| positions.get(*index as usize))
                .map(|p| here.transform_point3(*p))
        };
        let corners = prim.len() / stride;
        let mut first = 0;
        let mut polygon = 0;
        while first < corners {
            let sides = counts.map_or(Some(3), |counts| counts.get(polygon).map(|sides| *sides as usize));
            let Some(sides) = sides else { break };
            for step in 1..sides.min(corners - first).saturating_sub(1) {
                if let (Some(a), Some(b), Some(c)) = (corner(first), corner(first + step), corner(first + step + 1)) {
                    mesh.triangle([a, b, c], None, painted);
                }
            }
            first += sides;
            polygon += 1;
        }
    }
}

fn dae_vectors(source: Option<&dae_parser::Source>) -> Option<Vec<Vec3>> {
    let source = source?;
    let dae_parser::ArrayElement::Float(array) = source.array.as_ref()? else {
        return None;
    };
    let stride = source.accessor.stride.max(3);
    Some(
        array
            .val
            .chunks_exact(stride)
            .filter_map(|v| v.get(..3))
            .filter_map(|v| <[f32; 3]>::try_from(v).ok())
            .map(Vec3::from)
            .collect(),
    )
}
