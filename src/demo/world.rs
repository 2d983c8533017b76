//! What stands and moves along the street.
//!
//! Invariant: each thing's look and place follow from its slot's number (and, where it moves, the time): nothing is remembered.

use glam::Vec3;

use super::rays::{Material, Object, Shape};
use super::road::{HALF_ROAD, LANE, Pose2, Road, from_crossing, motion};

/// Something that the car's perception tracks.
#[derive(Clone, Copy, Debug)]
pub struct Track {
    pub id: u32,
    pub kind: Kind,
    /// Pose in `map`, and speed along it, m/s.
    pub pose: Pose2,
    pub speed: f32,
    /// Length, width, height, metres.
    pub size: Vec3,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Car,
    Van,
    Bicycle,
    Pedestrian,
}

/// The street around the car at one moment.
pub struct Scene {
    pub car: Pose2,
    pub car_s: f32,
    /// In the car's frame.
    pub objects: Vec<Object>,
    pub tracks: Vec<Track>,
}

const AHEAD: f32 = 150.0;
const BEHIND: f32 = 70.0;

/// The car's pose in `map` at `t` seconds.
pub fn car_at(road: &Road, t: f64) -> (Pose2, f32) {
    let m = motion(t);
    let along = road.at(m.s as f32, m.d as f32);
    let (sin, cos) = (along.yaw() + m.yaw).sin_cos();
    (
        Pose2 {
            cos: cos as f32,
            sin: sin as f32,
            ..along
        },
        m.s as f32,
    )
}

pub fn scene(road: &Road, t: f64) -> Scene {
    let (car, car_s) = car_at(road, t);
    let tracks = tracks(road, t, car_s);
    let mut builder = Builder {
        road,
        car,
        objects: Vec::with_capacity(400),
    };
    builder.houses(car_s);
    builder.green(car_s);
    builder.furniture(car_s);
    for track in &tracks {
        builder.track(track, t);
    }
    Scene {
        car,
        car_s,
        objects: builder.objects,
        tracks,
    }
}

fn tracks(road: &Road, t: f64, car_s: f32) -> Vec<Track> {
    let mut tracks = Vec::new();
    let time = t as f32;
    let mut add = |id: u32, kind: Kind, s: f32, d: f32, forward: bool, speed: f32| {
        if !(car_s - BEHIND..car_s + AHEAD).contains(&s) {
            return;
        }
        let mut pose = road.at(s, d);
        if !forward {
            (pose.cos, pose.sin) = (-pose.cos, -pose.sin);
        }
        let mut random = dice(u64::from(id) * 7919);
        let size = match kind {
            Kind::Car => Vec3::new(4.1 + 0.7 * random.f32(), 1.75 + 0.15 * random.f32(), 1.42 + 0.25 * random.f32()),
            Kind::Van => Vec3::new(5.4 + random.f32(), 2.0, 2.3 + 0.5 * random.f32()),
            Kind::Bicycle => Vec3::new(1.7, 0.5, 1.7),
            Kind::Pedestrian => Vec3::new(0.5, 0.55, 1.6 + 0.3 * random.f32()),
        };
        tracks.push(Track {
            id,
            kind,
            pose,
            speed,
            size,
        });
    };

    add(
        1,
        Kind::Car,
        car_s + 19.0 + 5.0 * (0.23 * time).sin(),
        -0.5 * LANE,
        true,
        motion(t).speed as f32,
    );
    add(
        2,
        Kind::Car,
        car_s - 16.0 - 3.0 * (0.31 * time).sin(),
        -0.5 * LANE,
        true,
        motion(t).speed as f32,
    );
    // oncoming, one speed, so that nobody drives through anybody
    for (slot, s) in slots(car_s - BEHIND + 9.5 * time, car_s + AHEAD + 9.5 * time, 34.0) {
        let mut random = dice(slot as u64 ^ 0x0c0de);
        if random.f32() < 0.72 {
            let kind = if random.f32() < 0.2 { Kind::Van } else { Kind::Car };
            add(
                1000 + slot as u32,
                kind,
                s + 12.0 * random.f32() - 9.5 * time,
                0.5 * LANE,
                false,
                9.5,
            );
        }
    }
    for (slot, s) in slots(car_s - BEHIND - 4.2 * time, car_s + AHEAD - 4.2 * time, 75.0) {
        add((3000 + slot) as u32, Kind::Bicycle, s + 4.2 * time, -LANE - 0.25, true, 4.2);
    }
    for (side, speed, base) in [(1.0, 1.3_f32, 5000), (-1.0, -1.15, 7000)] {
        for (slot, s) in slots(car_s - BEHIND - speed * time, car_s + AHEAD - speed * time, 17.0) {
            let mut random = dice((base + slot) as u64);
            if random.f32() < 0.6 {
                let d = side * (HALF_ROAD + 0.9 + 1.6 * random.f32());
                add(
                    (base + slot) as u32,
                    Kind::Pedestrian,
                    s + 9.0 * random.f32() + speed * time,
                    d,
                    speed > 0.0,
                    speed.abs(),
                );
            }
        }
    }
    for (side, base) in [(1.0, 10_000), (-1.0, 20_000)] {
        for (slot, s) in slots(car_s - BEHIND, car_s + AHEAD, 6.6) {
            let mut random = dice((base + slot) as u64);
            if random.f32() < 0.62 && from_crossing(s).abs() > 17.0 {
                let kind = if random.f32() < 0.12 { Kind::Van } else { Kind::Car };
                add(
                    (base + slot) as u32,
                    kind,
                    s + 0.5 * random.f32(),
                    side * (HALF_ROAD - 1.1),
                    side < 0.0,
                    0.0,
                );
            }
        }
    }
    tracks
}

/// The slots of `pitch` metres in a span, with a number that is never negative and the place of each one's middle.
fn slots(from: f32, to: f32, pitch: f32) -> impl Iterator<Item = (i64, f32)> {
    let first = (from / pitch).floor() as i64;
    let last = (to / pitch).ceil() as i64;
    (first..=last).map(move |slot| (slot + 500, (slot as f32 + 0.5) * pitch))
}

struct Builder<'a> {
    road: &'a Road,
    car: Pose2,
    objects: Vec<Object>,
}

impl Builder<'_> {
    fn put(&mut self, pose: Pose2, z: f32, shape: Shape, material: Material, colour: Vec3, seed: u32) {
        let local = self.car.locate(pose);
        self.objects.push(Object {
            shape,
            centre: Vec3::new(local.x, local.y, z),
            cos: local.cos,
            sin: local.sin,
            material,
            colour,
            seed,
        });
    }

    fn houses(&mut self, car_s: f32) {
        const PAINT: [[f32; 3]; 9] = [
            [0.62, 0.50, 0.36],
            [0.70, 0.63, 0.52],
            [0.46, 0.20, 0.14],
            [0.55, 0.58, 0.60],
            [0.72, 0.68, 0.62],
            [0.36, 0.42, 0.47],
            [0.66, 0.44, 0.28],
            [0.50, 0.54, 0.42],
            [0.74, 0.72, 0.70],
        ];
        for (side, base) in [(1.0_f32, 100_000_u64), (-1.0, 200_000)] {
            for (slot, s) in slots(car_s - BEHIND, car_s + AHEAD, 22.0) {
                let mut random = dice(base + slot as u64);
                if from_crossing(s).abs() < 15.0 {
                    continue;
                }
                let tall = random.f32() < 0.4;
                let floors = if tall { random.u32(4..8) } else { random.u32(2..4) } as f32;
                let half = Vec3::new(7.0 + 3.0 * random.f32(), 4.5 + 2.0 * random.f32(), floors * 1.5);
                let setback = 11.6 + 3.5 * random.f32();
                let mut pose = self.road.at(s + 2.0 * random.f32() - 1.0, side * (setback + half.y));
                if side > 0.0 {
                    (pose.cos, pose.sin) = (-pose.cos, -pose.sin);
                }
                let paint = Vec3::from(PAINT[random.usize(0..PAINT.len())]);
                self.put(pose, half.z, Shape::Box(half), Material::Wall, paint, slot as u32);
                if tall {
                    let parapet = Vec3::new(half.x + 0.15, half.y + 0.15, 0.25);
                    self.put(pose, 2.0 * half.z + 0.25, Shape::Box(parapet), Material::Roof, paint * 0.5, 0);
                } else {
                    let size = Vec3::new(half.x + 0.4, half.y + 0.5, 2.4 + 1.6 * random.f32());
                    let tiles = if random.bool() {
                        Vec3::new(0.36, 0.12, 0.07)
                    } else {
                        Vec3::new(0.13, 0.13, 0.15)
                    };
                    self.put(pose, 2.0 * half.z, Shape::Gable(size), Material::Roof, tiles, 0);
                    let (x, y) = pose.place(half.x * 0.4, 0.6);
                    self.put(
                        Pose2 { x, y, ..pose },
                        2.0 * half.z + size.z,
                        Shape::Box(Vec3::new(0.4, 0.4, 0.9)),
                        Material::Roof,
                        tiles * 0.8,
                        0,
                    );
                }
            }
        }
    }

    fn green(&mut self, car_s: f32) {
        for (side, base) in [(1.0_f32, 300_000_u64), (-1.0, 400_000)] {
            for (slot, s) in slots(car_s - BEHIND, car_s + AHEAD, 11.0) {
                let mut random = dice(base + slot as u64);
                if random.f32() < 0.3 || from_crossing(s).abs() < 11.0 {
                    continue;
                }
                let pose = self.road.at(s + 3.0 * random.f32(), side * (9.3 + 0.8 * random.f32()));
                let (height, crown) = (2.2 + 1.6 * random.f32(), 1.2 + 0.9 * random.f32());
                let green = Vec3::new(0.10 + 0.09 * random.f32(), 0.24 + 0.12 * random.f32(), 0.05);
                self.put(
                    pose,
                    height / 2.0,
                    Shape::Cylinder(0.14 + 0.08 * random.f32(), height / 2.0),
                    Material::Trunk,
                    Vec3::new(0.16, 0.11, 0.07),
                    0,
                );
                self.put(
                    pose,
                    height + crown * 0.6,
                    Shape::Sphere(crown),
                    Material::Leaves,
                    green,
                    slot as u32,
                );
                let (x, y) = pose.place(0.6 * crown, 0.35);
                self.put(
                    Pose2 { x, y, ..pose },
                    height + crown * 1.2,
                    Shape::Sphere(crown * 0.72),
                    Material::Leaves,
                    green * 1.12,
                    1 + slot as u32,
                );
                let (x, y) = pose.place(-0.5 * crown, -0.3);
                self.put(
                    Pose2 { x, y, ..pose },
                    height + crown * 1.05,
                    Shape::Sphere(crown * 0.66),
                    Material::Leaves,
                    green * 0.9,
                    2 + slot as u32,
                );
            }
            for (slot, s) in slots(car_s - BEHIND, car_s + AHEAD, 9.0) {
                let mut random = dice(base + 50_000 + slot as u64);
                if random.f32() < 0.35 && from_crossing(s).abs() > 16.0 {
                    let half = Vec3::new(3.4, 0.4, 0.35 + 0.3 * random.f32());
                    self.put(
                        self.road.at(s, side * 11.0),
                        half.z,
                        Shape::Box(half),
                        Material::Leaves,
                        Vec3::new(0.09, 0.23, 0.06),
                        slot as u32,
                    );
                }
            }
        }
    }

    fn furniture(&mut self, car_s: f32) {
        let grey = Vec3::splat(0.32);
        for (slot, s) in slots(car_s - BEHIND, car_s + AHEAD, 28.0) {
            let side = if slot % 2 == 0 { 1.0 } else { -1.0 };
            let foot = self.road.at(s, side * (HALF_ROAD + 0.5));
            self.put(foot, 3.2, Shape::Cylinder(0.08, 3.2), Material::Pole, grey, 0);
            let arm = self.road.at(s, side * (HALF_ROAD - 0.5));
            self.put(arm, 6.35, Shape::Box(Vec3::new(0.15, 1.0, 0.06)), Material::Pole, grey, 0);
            let head = self.road.at(s, side * (HALF_ROAD - 1.3));
            self.put(
                head,
                6.25,
                Shape::Box(Vec3::new(0.2, 0.4, 0.08)),
                Material::Lamp,
                Vec3::new(0.9, 0.85, 0.7),
                0,
            );
        }
        for (slot, s) in slots(car_s - BEHIND - 70.0, car_s + AHEAD, 140.0) {
            // a signal at each corner, a sign before the crossing
            for (ds, side) in [(-7.5, -1.0_f32), (7.5, 1.0)] {
                let foot = self.road.at(s + ds, side * (HALF_ROAD + 0.6));
                self.put(foot, 1.7, Shape::Cylinder(0.07, 1.7), Material::Pole, grey, 0);
                self.put(
                    foot,
                    3.2,
                    Shape::Box(Vec3::new(0.16, 0.16, 0.5)),
                    Material::Sign,
                    Vec3::new(0.03, 0.2, 0.06),
                    7,
                );
            }
            let sign = self.road.at(s - 25.0, -HALF_ROAD - 0.7);
            self.put(sign, 1.2, Shape::Cylinder(0.04, 1.2), Material::Pole, grey, 0);
            let colour = if slot % 2 == 0 {
                Vec3::new(0.75, 0.05, 0.05)
            } else {
                Vec3::new(0.06, 0.2, 0.6)
            };
            self.put(sign, 2.5, Shape::Box(Vec3::new(0.03, 0.38, 0.38)), Material::Sign, colour, 0);
        }
    }

    fn track(&mut self, track: &Track, t: f64) {
        let mut random = dice(u64::from(track.id) ^ 0xca4);
        match track.kind {
            Kind::Car | Kind::Van => self.car(track, &mut random),
            Kind::Bicycle | Kind::Pedestrian => {
                let coat = [
                    [0.5, 0.08, 0.08],
                    [0.07, 0.12, 0.4],
                    [0.6, 0.5, 0.12],
                    [0.08, 0.08, 0.09],
                    [0.1, 0.3, 0.2],
                ][random.usize(0..5)];
                let height = track.size.z;
                let lift = if track.kind == Kind::Bicycle { 0.35 } else { 0.0 };
                let stride = 0.22 * ((t as f32) * 5.0 + track.id as f32).sin();
                for (side, step) in [(0.1, stride), (-0.1, -stride)] {
                    let (x, y) = track.pose.place(step, side);
                    let leg = Pose2 { x, y, ..track.pose };
                    self.put(
                        leg,
                        lift + 0.24 * height,
                        Shape::Cylinder(0.09, 0.24 * height),
                        Material::Person,
                        Vec3::new(0.06, 0.07, 0.11),
                        0,
                    );
                }
                self.put(
                    track.pose,
                    lift + 0.64 * height,
                    Shape::Cylinder(0.21, 0.19 * height),
                    Material::Person,
                    Vec3::from(coat),
                    0,
                );
                self.put(
                    track.pose,
                    lift + 0.92 * height,
                    Shape::Sphere(0.125),
                    Material::Person,
                    Vec3::new(0.5, 0.33, 0.24),
                    0,
                );
                if track.kind == Kind::Bicycle {
                    self.put(
                        track.pose,
                        0.62,
                        Shape::Box(Vec3::new(0.5, 0.03, 0.05)),
                        Material::Car,
                        Vec3::new(0.5, 0.1, 0.1),
                        0,
                    );
                    for x in [-0.52, 0.52] {
                        let (x, y) = track.pose.place(x, 0.0);
                        self.put(
                            Pose2 { x, y, ..track.pose },
                            0.34,
                            Shape::Box(Vec3::new(0.32, 0.03, 0.32)),
                            Material::Wheel,
                            Vec3::splat(0.02),
                            0,
                        );
                    }
                }
            }
        }
    }

    fn car(&mut self, track: &Track, random: &mut fastrand::Rng) {
        const PAINT: [[f32; 3]; 9] = [
            [0.75, 0.75, 0.77],
            [0.03, 0.03, 0.035],
            [0.35, 0.37, 0.40],
            [0.55, 0.03, 0.03],
            [0.03, 0.10, 0.36],
            [0.80, 0.80, 0.78],
            [0.12, 0.13, 0.15],
            [0.05, 0.22, 0.14],
            [0.70, 0.30, 0.04],
        ];
        let paint = Vec3::from(PAINT[random.usize(0..PAINT.len())]);
        let (length, width, height) = (track.size.x, track.size.y, track.size.z);
        let body = if track.kind == Kind::Van { 0.62 } else { 0.54 } * height;
        let clearance = 0.24;
        let half = Vec3::new(length / 2.0, width / 2.0, (body + 0.1 - clearance) / 2.0);
        self.put(track.pose, clearance + half.z, Shape::Box(half), Material::Car, paint, 1);
        let (back, cabin) = if track.kind == Kind::Van { (-0.10, 0.40) } else { (-0.07, 0.27) };
        let (x, y) = track.pose.place(back * length, 0.0);
        let cabin_half = Vec3::new(cabin * length, width / 2.0 - 0.1, (height - body - 0.1) / 2.0);
        let roof = Pose2 { x, y, ..track.pose };
        self.put(roof, body + 0.1 + cabin_half.z, Shape::Box(cabin_half), Material::Glass, paint, 2);
        let lid = Vec3::new(cabin_half.x - 0.12, cabin_half.y, 0.035);
        self.put(roof, height + 0.02, Shape::Box(lid), Material::Car, paint, 0);
        for (x, side) in [(0.3, 1.0), (0.3, -1.0), (-0.3, 1.0), (-0.3, -1.0)] {
            let (x, y) = track.pose.place(x * length, side * (half.y - 0.08));
            self.put(
                Pose2 { x, y, ..track.pose },
                0.32,
                Shape::Box(Vec3::new(0.31, 0.1, 0.31)),
                Material::Wheel,
                Vec3::splat(0.015),
                0,
            );
        }
    }
}

/// Neighbouring seeds must not give like numbers.
fn dice(seed: u64) -> fastrand::Rng {
    let mixed = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    fastrand::Rng::with_seed(mixed ^ (mixed >> 29))
}
