//! What a ray that has hit looks like: to a camera (light), to the lidar (reflectivity), to the thermal camera (warmth).
//!
//! Colours are linear red, green, blue, 0 to 1; the caller encodes them.

use glam::Vec3;

use super::rays::{Hit, Material, Object, Shape};
use super::road::{FIRST_CROSSING, HALF_ROAD, LANE, Road, fraction, from_crossing};
use super::world::Scene;

/// Towards the sun, in `map`.
const SUN_IN_MAP: Vec3 = Vec3::new(-0.34, -0.62, 0.71);

pub struct Shader<'a> {
    road: &'a Road,
    scene: &'a Scene,
    sun: Vec3,
    /// What can throw a shadow that is seen: houses, cars, trees.
    throwers: Vec<Vec<Thrower>>,
}

/// Bounds of what can throw a shadow.
struct Thrower {
    x: f32,
    y: f32,
    reach: f32,
    top: f32,
    index: u16,
}

/// Shadow casters are looked up by where along the car's x the shadow's ground lies.
const STRIP: f32 = 8.0;
const STRIPS: usize = 32;
const FIRST_STRIP_X: f32 = -80.0;

impl<'a> Shader<'a> {
    pub fn new(road: &'a Road, scene: &'a Scene) -> Shader<'a> {
        let car = scene.car;
        let sun = Vec3::new(
            SUN_IN_MAP.x * car.cos + SUN_IN_MAP.y * car.sin,
            SUN_IN_MAP.y * car.cos - SUN_IN_MAP.x * car.sin,
            SUN_IN_MAP.z,
        )
        .normalize();
        let mut throwers: Vec<Vec<Thrower>> = (0..STRIPS).map(|_| Vec::new()).collect();
        for (object, index) in scene.objects.iter().zip(0_u16..) {
            if matches!(object.shape, Shape::Cylinder(..)) || object.material == Material::Wheel {
                continue;
            }
            let (reach, top) = (object.reach(), object.heights().1);
            let throw = -sun.x / sun.z * top;
            let (a, b) = (
                object.centre.x.min(object.centre.x + throw) - reach,
                object.centre.x.max(object.centre.x + throw) + reach,
            );
            let first = ((a - FIRST_STRIP_X) / STRIP).floor().max(0.0) as usize;
            let last = ((b - FIRST_STRIP_X) / STRIP).floor();
            if last >= 0.0 {
                for strip in throwers.iter_mut().take(last as usize + 1).skip(first) {
                    strip.push(Thrower {
                        x: object.centre.x,
                        y: object.centre.y,
                        reach,
                        top,
                        index,
                    });
                }
            }
        }
        Shader {
            road,
            scene,
            sun,
            throwers,
        }
    }

    pub fn sky(&self, direction: Vec3) -> Vec3 {
        let up = direction.z.clamp(0.0, 1.0);
        let glow = direction.dot(self.sun).max(0.0).powi(24) * 0.35;
        let clouds = {
            let (u, v) = (direction.x / (up + 0.12), direction.y / (up + 0.12));
            let wave = (u * 1.3 + (v * 0.9).sin()).sin() + (v * 1.7 + (u * 0.7).sin() * 1.5).sin() + 0.5 * (u * 3.1 - v * 2.3).sin();
            ((wave - 0.6) * 0.45).clamp(0.0, 0.8) * (up * 4.0).min(1.0)
        };
        let blue = Vec3::new(0.50, 0.66, 0.85).lerp(Vec3::new(0.13, 0.30, 0.66), up.sqrt());
        blue.lerp(Vec3::splat(0.86), clouds) + Vec3::new(1.0, 0.9, 0.7) * glow
    }

    /// Light that comes back along a ray.
    pub fn light(&self, hit: &Hit, direction: Vec3, origin: Vec3) -> Vec3 {
        let point = origin + direction * hit.distance;
        let object = hit.object.map(|index| &self.scene.objects[usize::from(index)]);
        let (albedo, own_light) = match object {
            None => (self.ground(point, hit.distance), Vec3::ZERO),
            Some(object) => surface(object, hit),
        };
        let facing = hit.normal.dot(self.sun).max(0.0);
        let lit = if facing > 0.0 && hit.distance < 45.0 && self.in_shadow(point + hit.normal * 0.02, hit.object) {
            0.0
        } else {
            facing
        };
        let ambient = Vec3::new(0.30, 0.34, 0.42) * (0.65 + 0.35 * hit.normal.z);
        let mut light = albedo * (ambient + Vec3::new(1.02, 0.95, 0.82) * lit) + own_light;
        if object.is_some_and(|o| matches!(o.material, Material::Glass | Material::Car) || is_window(o, hit)) {
            let mirrored = direction - hit.normal * (2.0 * direction.dot(hit.normal));
            let grazing = (1.0 + direction.dot(hit.normal)).clamp(0.0, 1.0).powi(3);
            light = light.lerp(self.sky(mirrored), 0.06 + 0.5 * grazing);
        }
        let haze = 1.0 - (-hit.distance / 260.0).exp();
        light.lerp(Vec3::new(0.56, 0.68, 0.82), haze)
    }

    fn in_shadow(&self, point: Vec3, own: Option<u16>) -> bool {
        let strip = (point.x - FIRST_STRIP_X) / STRIP;
        if strip < 0.0 {
            return false;
        }
        let Some(strip) = self.throwers.get(strip as usize) else {
            return false;
        };
        let flat = self.sun.truncate().normalize();
        strip.iter().any(|thrower| {
            let aside = (thrower.x - point.x) * flat.y - (thrower.y - point.y) * flat.x;
            aside.abs() < thrower.reach
                && thrower.top > point.z
                && Some(thrower.index) != own
                && self.scene.objects[usize::from(thrower.index)].shades(point, self.sun)
        })
    }

    fn ground(&self, point: Vec3, distance: f32) -> Vec3 {
        let (x, y) = self.scene.car.place(point.x, point.y);
        let (s, d) = self.road.project(x, y, self.scene.car_s + point.x);
        // grain fades where it would only flicker
        let grain = (noise(x * 3.0, y * 3.0) - 0.5) * (14.0 / (distance + 6.0)).min(1.0) + (noise(x * 0.4, y * 0.4) - 0.5) * 0.5;
        match ground_kind(s, d) {
            Ground::Paint => Vec3::splat(0.72) * (1.0 + 0.12 * grain),
            Ground::Asphalt => Vec3::new(0.115, 0.115, 0.122) * (1.0 + 0.3 * grain),
            Ground::Parking => Vec3::new(0.155, 0.15, 0.15) * (1.0 + 0.3 * grain),
            Ground::Kerb => Vec3::splat(0.40),
            Ground::Sidewalk => {
                let joint = fraction(s / 1.2) < 0.04 && distance < 25.0;
                Vec3::new(0.33, 0.31, 0.29) * (1.0 + 0.2 * grain) * if joint { 0.7 } else { 1.0 }
            }
            Ground::Grass => Vec3::new(0.12, 0.235, 0.055) * (1.0 + 0.7 * grain),
        }
    }

    /// How much of the lidar's light comes back, 0 to 1.
    pub fn reflectivity(&self, hit: &Hit, direction: Vec3, origin: Vec3) -> f32 {
        let base = match hit.object.map(|index| &self.scene.objects[usize::from(index)]) {
            None => {
                let point = origin + direction * hit.distance;
                let (x, y) = self.scene.car.place(point.x, point.y);
                let (s, d) = self.road.project(x, y, self.scene.car_s + point.x);
                match ground_kind(s, d) {
                    Ground::Paint => 0.95,
                    Ground::Asphalt => 0.16,
                    Ground::Parking => 0.22,
                    Ground::Kerb => 0.5,
                    Ground::Sidewalk => 0.38,
                    Ground::Grass => 0.45,
                }
            }
            Some(object) => match object.material {
                _ if is_window(object, hit) => 0.07,
                Material::Glass => 0.08,
                Material::Sign => 1.0,
                Material::Leaves => 0.55,
                Material::Wheel => 0.06,
                _ => 0.25 + 0.6 * object.colour.element_sum() / 3.0,
            },
        };
        base * (0.35 + 0.65 * direction.dot(hit.normal).abs())
    }

    /// Degrees Celsius.
    pub fn warmth(&self, hit: Option<&Hit>, direction: Vec3, origin: Vec3) -> f32 {
        let Some(hit) = hit else {
            return -12.0 + 10.0 * (1.0 - direction.z.max(0.0));
        };
        let base = match hit.object.map(|index| &self.scene.objects[usize::from(index)]) {
            None => {
                let point = origin + direction * hit.distance;
                19.0 + 4.0 * self.ground(point, hit.distance).y
            }
            Some(object) => match object.material {
                Material::Person => 34.0,
                Material::Wheel => 33.0,
                Material::Car => 24.0 + 5.0 * (hit.local.x * 0.9).max(0.0),
                Material::Glass => 18.0,
                Material::Lamp => 30.0,
                Material::Leaves => 15.0,
                _ if is_window(object, hit) => 23.0,
                _ => 17.0 + 3.0 * hit.normal.dot(self.sun).max(0.0),
            },
        };
        base - (hit.distance * 0.02).min(4.0)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    Paint,
    Asphalt,
    Parking,
    Kerb,
    Sidewalk,
    Grass,
}

pub fn ground_kind(s: f32, d: f32) -> Ground {
    let across = from_crossing(s);
    let side = d.abs();
    if across.abs() < 4.2 {
        // the side street; its dashes run across
        if side > HALF_ROAD + 2.0 && across.abs() < 0.07 && fraction(d / 6.0) < 0.5 {
            return Ground::Paint;
        }
        return Ground::Asphalt;
    }
    if side > HALF_ROAD {
        return match side - HALF_ROAD {
            beyond if beyond < 0.18 => Ground::Kerb,
            beyond if beyond < 3.0 => Ground::Sidewalk,
            _ => Ground::Grass,
        };
    }
    let zebra = (5.0..8.0).contains(&across.abs());
    if zebra {
        return if fraction(d / 1.0) < 0.5 { Ground::Paint } else { Ground::Asphalt };
    }
    let stop = (across < 0.0) == (d < 0.0) && (9.0..9.4).contains(&across.abs()) && side < LANE;
    let dashed = side < 0.07 && fraction(s / 6.0) < 0.5 && across.abs() > 10.0;
    let edge = (side - LANE).abs() < 0.06;
    let bay = side > LANE && fraction(s / 6.6) < 0.016 && across.abs() > 14.0;
    if stop || dashed || edge || bay {
        Ground::Paint
    } else if side > LANE {
        Ground::Parking
    } else {
        Ground::Asphalt
    }
}

/// The arc length of the crossings up to `s`.
pub fn crossings_until(s: f32) -> impl Iterator<Item = f32> {
    (0..)
        .map(|i| FIRST_CROSSING + super::road::CROSSING_PITCH * i as f32)
        .take_while(move |at| *at < s)
}

fn is_window(object: &Object, hit: &Hit) -> bool {
    let Shape::Box(half) = object.shape else { return false };
    if object.material != Material::Wall || hit.local_normal.z != 0.0 {
        return false;
    }
    let along = if hit.local_normal.x != 0.0 {
        hit.local.y + half.y
    } else {
        hit.local.x + half.x
    };
    let width = 2.0 * if hit.local_normal.x != 0.0 { half.y } else { half.x };
    let pitch = width / (width / 2.7).round().max(1.0);
    let (u, v) = (fraction(along / pitch), fraction((hit.local.z + half.z) / 3.0));
    (0.26..0.74).contains(&u) && (0.32..0.82).contains(&v)
}

/// Own colour and own light of an object's surface.
fn surface(object: &Object, hit: &Hit) -> (Vec3, Vec3) {
    let none = Vec3::ZERO;
    match (object.material, object.shape) {
        (Material::Wall, Shape::Box(half)) => {
            if is_window(object, hit) {
                let floor = ((hit.local.z + half.z) / 3.0) as u32;
                let lamp = hash(object.seed, floor, (hit.local.x + 40.0) as u32 / 3).is_multiple_of(9);
                return (Vec3::new(0.05, 0.065, 0.08), if lamp { Vec3::new(0.30, 0.22, 0.10) } else { none });
            }
            let plinth = hit.local.z < 0.7 - half.z;
            let course = (hit.local.z + half.z).rem_euclid(3.0) < 0.12;
            (
                object.colour
                    * if plinth {
                        0.55
                    } else if course {
                        0.82
                    } else {
                        1.0
                    },
                none,
            )
        }
        (Material::Roof, Shape::Gable(_)) => {
            let row = fraction(hit.local.z * 4.0) < 0.18;
            (object.colour * if row { 0.75 } else { 1.0 }, none)
        }
        (Material::Leaves, _) => {
            let speckle = noise(hit.local.x * 5.0 + hit.local.z * 3.0, hit.local.y * 5.0 - hit.local.z * 2.0);
            (object.colour * (0.55 + 0.9 * speckle), none)
        }
        (Material::Glass, Shape::Box(half)) => {
            let pillar = hit.local_normal.y != 0.0 && (hit.local.x.abs() < 0.05 || hit.local.x.abs() > half.x - 0.07);
            (
                if pillar || hit.local_normal.z > 0.0 {
                    object.colour
                } else {
                    Vec3::new(0.025, 0.03, 0.04)
                },
                none,
            )
        }
        (Material::Car, Shape::Box(half)) if object.seed == 1 => car_body(object, hit, half),
        (Material::Sign, Shape::Box(half)) => {
            if object.seed == 7 {
                let lamp = hit.local_normal.x != 0.0 && hit.local.y.abs() < 0.09 && (hit.local.z + 0.3).abs() < 0.1;
                return (Vec3::splat(0.03), if lamp { Vec3::new(0.05, 0.95, 0.35) } else { none });
            }
            let rim = hit.local.y.abs().max(hit.local.z.abs()) > half.y - 0.06;
            (if rim { Vec3::splat(0.8) } else { object.colour }, none)
        }
        (Material::Lamp, _) => (object.colour, Vec3::splat(0.2)),
        _ => (object.colour, none),
    }
}

fn car_body(object: &Object, hit: &Hit, half: Vec3) -> (Vec3, Vec3) {
    let at_side = hit.local.y.abs() > half.y - 0.42;
    let high = hit.local.z > 0.02 && hit.local.z < half.z - 0.06;
    if hit.local_normal.x < 0.0 && at_side && high {
        return (Vec3::new(0.45, 0.02, 0.02), Vec3::new(0.35, 0.02, 0.01));
    }
    if hit.local_normal.x > 0.0 && at_side && high {
        return (Vec3::splat(0.8), Vec3::splat(0.45));
    }
    let plate = hit.local_normal.x != 0.0 && hit.local.y.abs() < 0.26 && (hit.local.z + 0.02).abs() < 0.06;
    let sill = hit.local.z < 0.12 - half.z;
    let seam = hit.local_normal.y != 0.0 && (hit.local.x.abs() < 0.012 || (hit.local.x.abs() - 0.95).abs() < 0.012);
    let colour = if plate {
        Vec3::splat(0.75)
    } else if sill || seam {
        object.colour * 0.35
    } else {
        object.colour
    };
    (colour, Vec3::ZERO)
}

pub fn hash(a: u32, b: u32, c: u32) -> u32 {
    let mut h = a.wrapping_mul(0x9e37_79b1) ^ b.wrapping_mul(0x85eb_ca77) ^ c.wrapping_mul(0xc2b2_ae3d);
    h ^= h >> 15;
    h = h.wrapping_mul(0x2c1b_3c6d);
    h ^ (h >> 13)
}

/// Smooth noise over the plane, 0 to 1.
fn noise(x: f32, y: f32) -> f32 {
    let (fx, fy) = (x - fraction(x), y - fraction(y));
    let corner = |dx: i32, dy: i32| (hash((fx as i32 + dx) as u32, (fy as i32 + dy) as u32, 1) & 0xffff) as f32 / 65535.0;
    let (u, v) = (x - fx, y - fy);
    let top = corner(0, 0) + (corner(1, 0) - corner(0, 0)) * u;
    let bottom = corner(0, 1) + (corner(1, 1) - corner(0, 1)) * u;
    top + (bottom - top) * v
}
