//! The 3D renderer on an offscreen device: pixels, colours and picking against a reference computed here.

use std::sync::Arc;

use bytes::Bytes;
use eframe::wgpu;
use glam::{Affine3A, DAffine3, DVec2, DVec3, Vec3};
use roadreel::render::*;

/// One offscreen device for a test, and pictures read back from it.
pub struct Gpu {
    device: wgpu::Device,
    queue: wgpu::Queue,
    renderer: Renderer,
    pub report: Report,
}

impl Gpu {
    pub fn new() -> Gpu {
        let setup = egui_kittest::wgpu::default_wgpu_setup();
        let state = egui_kittest::wgpu::create_render_state(setup, eframe::egui_wgpu::RendererOptions::PREDICTABLE);
        let renderer = Renderer::new(&state.device, &state.queue, wgpu::TextureFormat::Rgba8Unorm, 1);
        Gpu {
            device: state.device,
            queue: state.queue,
            renderer,
            report: Report::default(),
        }
    }

    pub fn draw(&mut self, scene: &Arc<Scene>) {
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        self.renderer.draw(&self.device, &self.queue, &mut encoder, 1, scene, &self.report);
        self.queue.submit([encoder.finish()]);
        self.device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
    }

    pub fn picture(&mut self, scene: &Arc<Scene>) -> image::RgbaImage {
        self.draw(scene);
        let texture = self.renderer.picture(1).unwrap();
        let (width, height) = (texture.width(), texture.height());
        let stride = (width * 4).next_multiple_of(256);
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: u64::from(stride * height),
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_texture_to_buffer(
            texture.as_image_copy(),
            wgpu::TexelCopyBufferInfo {
                buffer: &buffer,
                layout: wgpu::TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(stride),
                    rows_per_image: None,
                },
            },
            texture.size(),
        );
        self.queue.submit([encoder.finish()]);
        buffer.slice(..).map_async(wgpu::MapMode::Read, |mapped| mapped.unwrap());
        self.device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
        let bytes = buffer.slice(..).get_mapped_range().unwrap();
        let rows = bytes
            .chunks_exact(stride as usize)
            .flat_map(|row| row[..width as usize * 4].to_vec());
        image::RgbaImage::from_raw(width, height, rows.collect()).unwrap()
    }
}

fn viewport(width: u32, height: u32) -> ViewportPx {
    ViewportPx {
        width,
        height,
        pixels_per_point: 1.0,
    }
}

/// A map view of `width` × `height` pixels in which one pixel is one metre, x to the right and y up, centred on `target`.
fn map_view(width: u32, height: u32, target: DVec3) -> View {
    let unit = Camera {
        distance: 1.0,
        ..Camera::default()
    }
    .height_at_target();
    let camera = Camera {
        target,
        distance: f64::from(height) / unit,
        yaw: std::f64::consts::FRAC_PI_2,
        pitch: 0.0,
        projection: Projection::TopDown,
        ..Camera::default()
    };
    View::new(camera, viewport(width, height))
}

fn encode(value: f64, kind: NumberKind, big: bool) -> Vec<u8> {
    let mut bytes = match kind {
        NumberKind::I8 => (value as i8).to_le_bytes().to_vec(),
        NumberKind::U8 => (value as u8).to_le_bytes().to_vec(),
        NumberKind::I16 => (value as i16).to_le_bytes().to_vec(),
        NumberKind::U16 => (value as u16).to_le_bytes().to_vec(),
        NumberKind::I32 => (value as i32).to_le_bytes().to_vec(),
        NumberKind::U32 => (value as u32).to_le_bytes().to_vec(),
        NumberKind::F32 => (value as f32).to_le_bytes().to_vec(),
        NumberKind::F64 => value.to_le_bytes().to_vec(),
    };
    if big {
        bytes.reverse();
    }
    bytes
}

/// Points with every field at an odd place: `lead` bytes before x, one byte between fields, two rows with padding.
fn packed(points: &[([f64; 3], f64)], kind: NumberKind, color: NumberKind, big: bool, lead: u32) -> (PointLayout, PointField, Bytes) {
    let size = kind.size();
    let position = [0, 1, 2].map(|axis| {
        Some(PointField {
            offset: lead + axis * (size + 1),
            kind,
        })
    });
    let field = PointField {
        offset: lead + 3 * (size + 1),
        kind: color,
    };
    let point_step = field.offset + color.size() + lead % 2;
    let width = points.len().div_ceil(2) as u32;
    let row_step = width * point_step + 5;
    let mut data = vec![0xa5; (2 * row_step) as usize];
    for (index, (xyz, value)) in points.iter().enumerate() {
        let start = (index as u32 / width * row_step + index as u32 % width * point_step) as usize;
        let mut put = |offset: u32, bytes: Vec<u8>| data[start + offset as usize..][..bytes.len()].copy_from_slice(&bytes);
        for (at, value) in position.iter().flatten().zip(xyz) {
            put(at.offset, encode(*value, kind, big));
        }
        put(field.offset, encode(*value, color, big));
    }
    let layout = PointLayout {
        width,
        height: 2,
        point_step,
        row_step,
        big_endian: big,
        position,
        origin: DVec3::ZERO,
    };
    let data = Bytes::from(data);
    (layout.with_origin(&data), field, data)
}

fn one_cloud(view: View, layout: PointLayout, data: Bytes, color: PointColor) -> PointCloud {
    let _ = view;
    PointCloud {
        id: ItemId(7),
        data: Raw(data),
        layout,
        color,
        size: Size::Px(1.0),
        round: false,
        world_from_item: DAffine3::IDENTITY,
    }
}

#[test]
fn shaders_are_valid() {
    for (name, source) in SHADERS {
        let module = naga::front::wgsl::parse_str(source).unwrap_or_else(|error| panic!("{name}: {}", error.emit_to_string(source)));
        let mut validator = naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::empty());
        validator.validate(&module).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
}

#[test]
fn point_fields_of_every_kind_place_and_order_land_on_their_pixels() {
    let mut gpu = Gpu::new();
    for kind in NumberKind::ALL {
        for color in NumberKind::ALL {
            for big in [false, true] {
                for lead in [0, 1, 2, 3] {
                    check_fields(&mut gpu, kind, color, big, lead);
                }
            }
        }
    }
}

fn check_fields(gpu: &mut Gpu, kind: NumberKind, color: NumberKind, big: bool, lead: u32) {
    let what = format!("position {kind:?}, colour {color:?}, big endian {big}, lead {lead}");
    let signed = !matches!(kind, NumberKind::U8 | NumberKind::U16 | NumberKind::U32);
    // Far from zero where the type can say it: millimetres must survive.
    let base = match kind {
        NumberKind::F64 => DVec3::new(5_432_100.25, -691_234.5, 412.0),
        NumberKind::I32 => DVec3::new(-1_000_000.0, 2_000_000.0, 0.0),
        _ if signed => DVec3::new(-3.0, -4.0, 2.0),
        _ => DVec3::new(40.0, 60.0, 2.0),
    };
    let points: Vec<([f64; 3], f64)> = (0..10)
        .map(|i| {
            (
                (base + DVec3::new(f64::from(i), f64::from(i * 3 % 10), 0.0)).to_array(),
                f64::from(i * 11),
            )
        })
        .collect();
    let (layout, field, data) = packed(&points, kind, color, big, lead);
    let view = map_view(32, 24, base + DVec3::new(0.5, 0.5, 0.0));
    let mut scene = Scene::new(view);
    scene.background = [0, 0, 0];
    let colors = PointColor::Field {
        field,
        colormap: Colormap::Viridis,
        min: 0.0,
        max: 99.0,
    };
    scene.clouds.push(one_cloud(view, layout, data.clone(), colors));
    let scene = Arc::new(scene);
    let picture = gpu.picture(&scene);
    let mut expected = image::RgbaImage::from_pixel(32, 24, image::Rgba([0, 0, 0, 255]));
    for (index, (xyz, value)) in points.iter().enumerate() {
        let at = DVec3::from_array(*xyz) - base;
        let (x, y) = (16 + at.x as u32 - 1, 12 - at.y as u32);
        let [r, g, b] = Colormap::Viridis.color((*value / 99.0) as f32);
        expected.put_pixel(x, y, image::Rgba([r, g, b, 255]));
        assert_eq!(layout.position(&data, index as u32), Some(DVec3::from_array(*xyz)), "{what}");
        let picked = pick(&scene, DVec2::new(f64::from(x) + 0.3, f64::from(y) + 0.8))
            .unwrap_or_else(|| panic!("{what}: point {index} is not picked"));
        assert_eq!((picked.id, picked.index), (ItemId(7), index as u32), "{what}");
    }
    assert!(picture == expected, "{what}:\n{}", dots(&picture, &expected));
}

/// Both pictures as text, for a failing test.
fn dots(got: &image::RgbaImage, expected: &image::RgbaImage) -> String {
    let rows = |picture: &image::RgbaImage| {
        let row = |y| {
            (0..picture.width())
                .map(move |x| if picture.get_pixel(x, y).0[..3] == [0, 0, 0] { '.' } else { '#' })
                .collect::<String>()
        };
        (0..picture.height()).map(row).collect::<Vec<_>>()
    };
    rows(got)
        .into_iter()
        .zip(rows(expected))
        .map(|(a, b)| format!("{a}   {b}\n"))
        .collect()
}

#[test]
fn invalid_points_and_short_data_are_left_out() {
    let mut gpu = Gpu::new();
    let mut bytes = Vec::new();
    for x in [f32::NAN, 1.0, f32::INFINITY, 3.0, f32::NEG_INFINITY, 5.0] {
        bytes.extend([x, 0.0, 0.0].into_iter().flat_map(f32::to_le_bytes));
    }
    bytes.truncate(5 * 12 + 8);
    let view = map_view(16, 8, DVec3::new(0.5, 0.5, 0.0));
    let mut scene = Scene::new(view);
    scene.background = [0, 0, 0];
    scene.clouds.push(one_cloud(
        view,
        PointLayout::xyz_f32(6, 12),
        Bytes::from(bytes),
        PointColor::Flat([255; 4]),
    ));
    let picture = gpu.picture(&Arc::new(scene));
    let lit: Vec<(u32, u32)> = picture
        .enumerate_pixels()
        .filter(|(_, _, p)| p.0[0] > 0)
        .map(|(x, y, _)| (x, y))
        .collect();
    assert_eq!(lit, [(8, 4), (10, 4)]);
}

#[test]
fn packed_colors_are_read_as_blue_green_red_alpha() {
    let mut gpu = Gpu::new();
    for big in [false, true] {
        let rgb: u32 = 0x80_11_99_ee;
        let mut bytes: Vec<u8> = [0f32, 0.0, 0.0]
            .into_iter()
            .flat_map(|v| if big { v.to_be_bytes() } else { v.to_le_bytes() })
            .collect();
        bytes.extend(if big { rgb.to_be_bytes() } else { rgb.to_le_bytes() });
        let view = map_view(8, 8, DVec3::new(0.5, 0.5, 0.0));
        let mut scene = Scene::new(view);
        scene.background = [0, 0, 0];
        let layout = PointLayout {
            big_endian: big,
            ..PointLayout::xyz_f32(1, 16)
        };
        scene.clouds.push(one_cloud(
            view,
            layout,
            Bytes::from(bytes),
            PointColor::Packed {
                offset: 12,
                has_alpha: false,
            },
        ));
        assert_eq!(gpu.picture(&Arc::new(scene)).get_pixel(3, 4).0, [0x11, 0x99, 0xee, 255]);
    }
}

/// A lidar-like cloud of 64 × 1,024 points.
fn rings() -> (PointLayout, Bytes) {
    let mut bytes = Vec::new();
    for beam in 0..64 {
        for column in 0..1024 {
            let (sin, cos) = (column as f32 / 1024.0 * std::f32::consts::TAU).sin_cos();
            let range = 8.0 + beam as f32 * 0.7 + (column as f32 * 0.05).sin() * 3.0;
            bytes.extend(
                [range * cos, range * sin, beam as f32 * 0.08 - 2.0, column as f32]
                    .into_iter()
                    .flat_map(f32::to_le_bytes),
            );
        }
    }
    (PointLayout::xyz_f32(64 * 1024, 16), Bytes::from(bytes))
}

#[test]
fn picking_returns_the_point_that_is_drawn() {
    let mut gpu = Gpu::new();
    let (layout, data) = rings();
    let view = View::new(
        Camera {
            distance: 35.0,
            ..Camera::default()
        },
        viewport(400, 300),
    );
    for round in [false, true] {
        // Each point's colour is its number, so the picture says which point won each pixel.
        let mut numbered = data.to_vec();
        for (index, point) in numbered.chunks_exact_mut(16).enumerate() {
            point[12..].copy_from_slice(&(index as u32 + 1).to_le_bytes());
        }
        let mut scene = Scene::new(view);
        scene.background = [0, 0, 0];
        let color = PointColor::Packed {
            offset: 12,
            has_alpha: false,
        };
        scene.clouds.push(PointCloud {
            size: Size::Px(4.0),
            round,
            ..one_cloud(view, layout, Bytes::from(numbered), color)
        });
        let scene = Arc::new(scene);
        let picture = gpu.picture(&scene);
        let (mut checked, mut differing) = (0, 0);
        for (x, y, pixel) in picture.enumerate_pixels().filter(|(x, y, _)| (x * 7 + y * 13) % 97 == 0) {
            let [r, g, b, _] = pixel.0.map(u32::from);
            let drawn = (r << 16 | g << 8 | b).checked_sub(1);
            let picked = pick(&scene, DVec2::new(f64::from(x) + 0.5, f64::from(y) + 0.5)).map(|picked| picked.index);
            checked += 1;
            differing += usize::from(drawn != picked);
        }
        assert!(checked > 1000);
        // A pixel centre may lie on a sprite's very edge, where the two roundings differ.
        assert!(differing * 500 <= checked, "{differing} of {checked} differ, round {round}");
    }
}

#[test]
fn large_clouds_are_drawn_in_parts() {
    let (layout, data) = rings();
    assert_eq!(point_parts(&layout, data.len(), u64::MAX).len(), 1);
    let parts = point_parts(&layout, data.len(), 100_000);
    let mut next = 0;
    for (first, count, bytes) in &parts {
        assert_eq!(*first, next);
        assert!(bytes.len() <= 100_000 && bytes.start % 4 == 0 && *count > 0);
        assert!(layout.point_start(*first) >= bytes.start && layout.point_start(first + count - 1) + 16 <= bytes.end);
        next = first + count;
    }
    assert_eq!(next, layout.count());
    assert_eq!(point_parts(&layout, 31, u64::MAX).iter().map(|part| part.1).sum::<u32>(), 1);
    assert_eq!(point_parts(&PointLayout { point_step: 0, ..layout }, 31, 64).len(), 0);
}

#[test]
fn an_unchanged_scene_is_not_drawn_again() {
    let mut gpu = Gpu::new();
    let (layout, data) = rings();
    let view = View::new(Camera::default(), viewport(64, 64));
    let mut scene = Scene::new(view);
    scene.clouds.push(one_cloud(view, layout, data, PointColor::Flat([255; 4])));
    gpu.draw(&Arc::new(scene.clone()));
    gpu.draw(&Arc::new(scene.clone()));
    assert_eq!((gpu.report.pictures(), gpu.report.points()), (1, 65_536));
    scene.clouds[0].size = Size::Px(3.0);
    gpu.draw(&Arc::new(scene));
    assert_eq!(gpu.report.pictures(), 2);
    assert_eq!(gpu.report.error(), None);
}

/// One of everything.
fn showroom(view: View) -> Scene {
    let mut scene = Scene::new(view);
    scene.ground = Some(Ground {
        z: 0.0,
        color: [120, 124, 134],
        cell_metres: None,
    });
    let (layout, data) = rings();
    let field = PointField {
        offset: 8,
        kind: NumberKind::F32,
    };
    let color = PointColor::Field {
        field,
        colormap: Colormap::Turbo,
        min: -2.0,
        max: 3.0,
    };
    scene.clouds.push(PointCloud {
        size: Size::Px(2.0),
        ..one_cloud(view, layout, data, color)
    });
    let shapes = [Shape::Cube, Shape::Sphere, Shape::Cylinder, Shape::Cone, Shape::Rod];
    for (index, shape) in shapes.into_iter().enumerate() {
        let at = Affine3A::from_scale_rotation_translation(
            Vec3::splat(2.0),
            glam::Quat::IDENTITY,
            Vec3::new(0.0, index as f32 * 3.0 - 6.0, 1.0),
        );
        scene.meshes.push(Meshes {
            id: ItemId(index as u64 + 20),
            mesh: MeshSource::Shape(shape),
            instances: Blob::new(vec![Instance::new(at, [90, 170, 250, if index == 1 { 120 } else { 255 }])]),
            lit: true,
            translucent: index == 1,
            world_from_item: DAffine3::IDENTITY,
        });
    }
    scene.lines.push(Lines {
        id: ItemId(30),
        segments: Blob::new(outline_box([6.0, 18.0, 4.0], [255, 200, 60, 255])),
        width: Size::Px(2.0),
        hides: true,
        world_from_item: DAffine3::from_translation(DVec3::new(0.0, 0.0, 2.0)),
    });
    let cells: Vec<u8> = (0..400u32).map(|i| if i % 20 == 0 { 255 } else { ((i * 7) % 101) as u8 }).collect();
    scene.cells.push(Cells {
        id: ItemId(40),
        data: Raw(cells.into()),
        width: 20,
        height: 20,
        metres_per_cell: 0.5,
        colors: CellColors::Map,
        alpha: 0.8,
        world_from_item: DAffine3::from_translation(DVec3::new(4.0, -5.0, 0.0)),
    });
    scene
}

#[test]
fn everything_at_once_looks_as_it_did() {
    let mut gpu = Gpu::new();
    let camera = Camera {
        distance: 26.0,
        yaw: 2.4,
        pitch: 0.5,
        ..Camera::default()
    };
    let scene = Arc::new(showroom(View::new(camera, viewport(240, 150))));
    let picture = gpu.picture(&scene);
    assert_eq!(gpu.report.error(), None);
    egui_kittest::image_snapshot(&picture, "render_everything");
    let centre_of = |y: f64| scene.view.project(DVec3::new(0.0, y, 1.0)).unwrap().px;
    let picked = [-6.0, -3.0, 0.0].map(|y| pick(&scene, centre_of(y)).map(|picked| picked.id));
    assert_eq!(picked, [Some(ItemId(20)), Some(ItemId(21)), Some(ItemId(22))]);
    let cell = scene.view.project(DVec3::new(10.25, 0.25, 0.0)).unwrap().px;
    let cell = pick(
        &Scene {
            clouds: Vec::new(),
            lines: Vec::new(),
            ..(*scene).clone()
        },
        cell,
    )
    .unwrap();
    assert_eq!((cell.id, cell.index), (ItemId(40), 10 * 20 + 12));
}

#[test]
fn a_lost_device_costs_nothing_but_drawing_again() {
    let camera = Camera {
        distance: 26.0,
        ..Camera::default()
    };
    let scene = Arc::new(showroom(View::new(camera, viewport(100, 80))));
    let mut gpu = Gpu::new();
    let before = gpu.picture(&scene);
    gpu.device.destroy();
    let mut again = Gpu::new();
    assert!(before == again.picture(&scene));
}

#[test]
fn gestures_keep_what_they_promise() {
    let camera = Camera {
        target: DVec3::new(4_000_000.0, -300.0, 12.0),
        distance: 80.0,
        ..Camera::default()
    };
    let at = DVec2::new(300.0, 140.0);
    for projection in [Projection::Perspective, Projection::TopDown] {
        let camera = Camera { projection, ..camera };
        let view = View::new(camera, viewport(800, 600));
        let anchor = view.anchor(at);
        for factor in [0.5, 1e-3, 300.0] {
            let zoomed = View::new(camera.zoomed(factor, anchor), viewport(800, 600));
            let px = zoomed.project(anchor).unwrap().px;
            assert!(px.distance(at) < 0.5, "{projection:?} {factor}: {px}");
        }
        let beside = view.ray(at);
        let on_plane = beside.origin + beside.direction * (80.0 / beside.direction.dot(-camera.world_from_view_rotation().z_axis));
        let panned = View::new(camera.panned(DVec2::new(30.0, -20.0), 600.0), viewport(800, 600));
        let px = panned.project(on_plane).unwrap().px;
        assert!(px.distance(at + DVec2::new(30.0, -20.0)) < 0.5, "{projection:?}: {px}");
        assert_eq!(view.project(camera.target).unwrap().px.round(), DVec2::new(400.0, 300.0));
    }
    assert!(
        View::new(camera, viewport(8, 6))
            .project(camera.eye() * 2.0 - camera.target)
            .is_none()
    );
    let bounds = Bounds {
        min: DVec3::new(-10.0, -20.0, 0.0),
        max: DVec3::new(30.0, 20.0, 5.0),
    };
    let fitted = View::new(camera.fitted(bounds), viewport(600, 600));
    for x in [-10.0, 30.0] {
        for y in [-20.0, 20.0] {
            let px = fitted.project(DVec3::new(x, y, 5.0)).unwrap().px;
            assert!((0.0..600.0).contains(&px.x) && (0.0..600.0).contains(&px.y), "{px}");
        }
    }
}
