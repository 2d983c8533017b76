//! What the car knows of its surroundings: tracked objects, the markers that show them, the lanes, the map.

use glam::{DVec3, Vec3};

use super::road::{HALF_ROAD, LANE, Pose2, Road, from_crossing};
use super::shade::{Ground, crossings_until, ground_kind};
use super::wire::Wire;
use super::world::{Kind, Scene, Track};

/// Metres within which objects are tracked.
const SEEN: f32 = 62.0;

fn seen(scene: &Scene) -> impl Iterator<Item = (&Track, Pose2)> {
    scene.tracks.iter().filter_map(|track| {
        let local = scene.car.locate(track.pose);
        (local.x.hypot(local.y) < SEEN && local.x > -32.0).then_some((track, local))
    })
}

/// derived_object_msgs' classification codes.
fn classification(kind: Kind) -> u8 {
    match kind {
        Kind::Pedestrian => 4,
        Kind::Bicycle => 5,
        Kind::Car => 6,
        Kind::Van => 7,
    }
}

/// Tracked objects around the car. Velocities are over ground, in the axes of `base_link`.
pub fn objects(scene: &Scene, seq: u32, stamp_nanos: i64) -> Vec<u8> {
    let seen: Vec<_> = seen(scene).collect();
    let mut wire = Wire::stamped(seq, stamp_nanos, "base_link").u32(seen.len() as u32);
    for (track, local) in seen {
        let centre = DVec3::new(f64::from(local.x), f64::from(local.y), f64::from(track.size.z / 2.0));
        let speed = f64::from(track.speed);
        let velocity = DVec3::new(speed * f64::from(local.cos), speed * f64::from(local.sin), 0.0);
        wire = wire
            .header(seq, stamp_nanos, "base_link")
            .u32(track.id)
            .u8(1)
            .bool(true)
            .pose(centre, local.yaw())
            .diagonal(&[0.04, 0.04, 0.04, 0.01, 0.01, 0.01])
            .vector(velocity)
            .vector(DVec3::ZERO)
            .diagonal(&[0.09, 0.09, 0.09, 0.01, 0.01, 0.01])
            .vector(DVec3::ZERO)
            .vector(DVec3::ZERO)
            .diagonal(&[0.2; 6])
            .u32(0)
            .u8(1)
            .u32(3)
            .f64s(&track.size.as_dvec3().to_array())
            .u8(classification(track.kind))
            .u8(200 + (track.id % 50) as u8)
            .u32(seq.min(400));
    }
    wire.0
}

struct Marker<'a> {
    frame_id: &'a str,
    ns: &'a str,
    id: i32,
    kind: i32,
    /// 0 adds, 2 deletes.
    action: i32,
    position: DVec3,
    yaw: f64,
    scale: Vec3,
    colour: [f32; 4],
    lifetime_nanos: i64,
    frame_locked: bool,
    points: Vec<Vec3>,
    text: String,
}

impl Default for Marker<'_> {
    fn default() -> Self {
        Marker {
            frame_id: "base_link",
            ns: "",
            id: 0,
            kind: 1,
            action: 0,
            position: DVec3::ZERO,
            yaw: 0.0,
            scale: Vec3::ONE,
            colour: [1.0; 4],
            lifetime_nanos: 0,
            frame_locked: false,
            points: Vec::new(),
            text: String::new(),
        }
    }
}

impl Marker<'_> {
    fn put(&self, wire: Wire, seq: u32, stamp_nanos: i64) -> Wire {
        let mut wire = wire
            .header(seq, stamp_nanos, self.frame_id)
            .string(self.ns)
            .i32(self.id)
            .i32(self.kind)
            .i32(self.action)
            .pose(self.position, self.yaw)
            .vector(self.scale.as_dvec3());
        wire = self.colour.iter().fold(wire, |wire, value| wire.f32(*value));
        wire = wire.time(self.lifetime_nanos).bool(self.frame_locked).u32(self.points.len() as u32);
        wire = self.points.iter().fold(wire, |wire, point| wire.vector(point.as_dvec3()));
        wire.u32(0).string(&self.text).string("").bool(false)
    }
}

/// `/metadata`: the lanes and the car itself once, at the start, then boxes and labels that live until the next ones; a cone that
/// is put up and taken away again.
pub fn markers(road: &Road, scene: &Scene, seq: u32, stamp_nanos: i64, car_speed: f64) -> Vec<u8> {
    let mut markers = if seq == 0 { lanes(road) } else { Vec::new() };
    if seq == 0 {
        markers.push(Marker {
            ns: "car",
            position: DVec3::new(1.35, 0.0, 0.78),
            scale: Vec3::new(4.8, 1.9, 1.5),
            colour: [0.25, 0.55, 0.95, 0.55],
            frame_locked: true,
            ..Marker::default()
        });
    }
    match seq {
        CONE_ADDED => markers.push(cone(road)),
        CONE_DELETED => markers.push(Marker { action: 2, ..cone(road) }),
        _ => {}
    }
    markers.push(Marker {
        ns: "speed",
        kind: 9,
        position: DVec3::new(0.0, 0.0, 3.0),
        scale: Vec3::splat(0.9),
        frame_locked: true,
        text: format!("{:.0} km/h", car_speed * 3.6),
        ..Marker::default()
    });
    for (track, local) in seen(scene) {
        let rgb = match track.kind {
            Kind::Car => [0.18, 0.62, 0.95],
            Kind::Van => [0.55, 0.45, 0.95],
            Kind::Bicycle => [0.95, 0.78, 0.15],
            Kind::Pedestrian => [0.98, 0.45, 0.20],
        };
        let moving = track.speed > 0.0;
        let position = DVec3::new(f64::from(local.x), f64::from(local.y), f64::from(track.size.z / 2.0));
        let [r, g, b] = rgb;
        markers.push(Marker {
            ns: "objects",
            id: track.id as i32,
            position,
            yaw: local.yaw(),
            scale: track.size + Vec3::splat(0.1),
            colour: [r, g, b, if moving { 0.5 } else { 0.22 }],
            lifetime_nanos: 150_000_000,
            ..Marker::default()
        });
        if moving {
            let name = format!("{:?}", track.kind).to_lowercase();
            markers.push(Marker {
                ns: "labels",
                id: track.id as i32,
                kind: 9,
                position: position + DVec3::new(0.0, 0.0, f64::from(track.size.z / 2.0) + 0.6),
                scale: Vec3::splat(0.55),
                colour: [r, g, b, 1.0],
                lifetime_nanos: 150_000_000,
                text: format!("{name} {} · {:.1} m/s", track.id, track.speed),
                ..Marker::default()
            });
        }
    }
    let wire = Wire::default().u32(markers.len() as u32);
    markers.iter().fold(wire, |wire, marker| marker.put(wire, seq, stamp_nanos)).0
}

/// 0.3 s into the drive, in tenths of a second.
const CONE_ADDED: u32 = 3;
const CONE_DELETED: u32 = 20;

/// At the kerb, some metres ahead of where the drive starts.
fn cone(road: &Road) -> Marker<'static> {
    let at = road.at(26.0, -HALF_ROAD + 0.6);
    Marker {
        frame_id: "map",
        ns: "cone",
        kind: 3,
        position: DVec3::new(f64::from(at.x), f64::from(at.y), 0.4),
        scale: Vec3::new(0.5, 0.5, 0.8),
        colour: [1.0, 0.5, 0.1, 1.0],
        ..Marker::default()
    }
}

fn lanes(road: &Road) -> Vec<Marker<'static>> {
    let (start, end) = road.span();
    let point = |s: f32, d: f32| {
        let at = road.at(s, d);
        Vec3::new(at.x, at.y, 0.02)
    };
    let steps = |pitch: f32| (0..((end - start) / pitch) as usize).map(move |i| start + i as f32 * pitch);
    let line = |id: i32, d: f32, colour: [f32; 4], scale: f32| Marker {
        frame_id: "map",
        ns: "lanes",
        id,
        kind: 4,
        scale: Vec3::new(scale, 0.0, 0.0),
        colour,
        points: steps(2.0).map(|s| point(s, d)).collect(),
        ..Marker::default()
    };
    let dashes = Marker {
        frame_id: "map",
        ns: "lanes",
        id: 10,
        kind: 5,
        scale: Vec3::new(0.14, 0.0, 0.0),
        colour: [1.0, 0.85, 0.3, 0.9],
        points: steps(6.0)
            .filter(|s| from_crossing(*s).abs() > 10.0)
            .flat_map(|s| [point(s, 0.0), point(s + 3.0, 0.0)])
            .collect(),
        ..Marker::default()
    };
    let crossings = Marker {
        frame_id: "map",
        ns: "crossings",
        kind: 5,
        scale: Vec3::new(0.25, 0.0, 0.0),
        colour: [0.9, 0.9, 0.9, 0.8],
        points: crossings_until(end)
            .flat_map(|s| {
                [
                    point(s - 9.2, -LANE),
                    point(s - 9.2, 0.0),
                    point(s + 9.2, 0.0),
                    point(s + 9.2, LANE),
                ]
            })
            .collect(),
        ..Marker::default()
    };
    let white = [0.85, 0.85, 0.85, 0.9];
    let kerb = [0.45, 0.47, 0.5, 0.9];
    vec![
        line(0, LANE, white, 0.12),
        line(1, -LANE, white, 0.12),
        line(2, HALF_ROAD, kerb, 0.1),
        line(3, -HALF_ROAD, kerb, 0.1),
        dashes,
        crossings,
    ]
}

/// `/map`: what is drivable, over the whole street.
pub fn map(road: &Road, stamp_nanos: i64) -> Vec<u8> {
    const BESIDE: f32 = 26.0;
    const MOST_CELLS: f32 = 4.0e6;
    let (start, end) = road.span();
    let (mut low, mut high) = (Vec3::splat(f32::MAX), Vec3::splat(f32::MIN));
    for i in 0..((end - start) / 5.0) as usize {
        let at = road.at(start + i as f32 * 5.0, 0.0);
        low = low.min(Vec3::new(at.x - BESIDE, at.y - BESIDE, 0.0));
        high = high.max(Vec3::new(at.x + BESIDE, at.y + BESIDE, 0.0));
    }
    let size = high - low;
    let resolution = (size.x * size.y / MOST_CELLS).sqrt().max(0.25);
    let (width, height) = ((size.x / resolution) as usize + 1, (size.y / resolution) as usize + 1);
    let mut cells = vec![0xff_u8; width * height];
    let step = resolution * 0.6;
    for i in 0..((end - start) / step) as usize {
        let s = start + i as f32 * step;
        for j in 0..(2.0 * BESIDE / step) as usize {
            let d = j as f32 * step - BESIDE;
            let at = road.at(s, d);
            let (column, row) = (((at.x - low.x) / resolution) as usize, ((at.y - low.y) / resolution) as usize);
            let value = match ground_kind(s, d) {
                Ground::Paint | Ground::Asphalt if d.abs() <= BESIDE - 2.0 => 0,
                Ground::Parking => 25,
                Ground::Kerb | Ground::Sidewalk => 60,
                _ if d.abs() < 11.5 => 90,
                _ => continue,
            };
            if let Some(cell) = cells.get_mut(row * width + column) {
                *cell = value;
            }
        }
    }
    Wire::stamped(0, stamp_nanos, "map")
        .time(stamp_nanos)
        .f32(resolution)
        .u32(width as u32)
        .u32(height as u32)
        .pose(DVec3::new(f64::from(low.x), f64::from(low.y), -0.02), 0.0)
        .bytes(&cells)
        .0
}
