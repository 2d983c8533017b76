//! Rays against the street: boxes, gables, cylinders and spheres, looked up by azimuth.
//!
//! Invariant: all rays of one sensor start at one point, so an object can only be met in the directions it covers.
//! Everything is in the car's frame (x forward, y left, z up, ground at z = 0), metres.

use glam::Vec3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Material {
    Wall,
    Roof,
    Car,
    Glass,
    Wheel,
    Leaves,
    Trunk,
    Person,
    Pole,
    Sign,
    Lamp,
}

#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Half sizes along the object's own axes.
    Box(Vec3),
    /// A gable: half length along x, half width along y, height along z, from its base up.
    Gable(Vec3),
    /// Radius and half height.
    Cylinder(f32, f32),
    Sphere(f32),
}

#[derive(Clone, Copy, Debug)]
pub struct Object {
    pub shape: Shape,
    pub centre: Vec3,
    pub cos: f32,
    pub sin: f32,
    pub material: Material,
    /// Linear red, green, blue.
    pub colour: Vec3,
    /// Tells one object's pattern from another's.
    pub seed: u32,
}

/// Where a ray met something.
#[derive(Clone, Copy)]
pub struct Hit {
    pub distance: f32,
    pub normal: Vec3,
    /// The point in the object's own frame; for the ground, in the car's.
    pub local: Vec3,
    pub local_normal: Vec3,
    pub object: Option<u16>,
}

impl Object {
    /// Radius of the circle around it, seen from above.
    pub fn reach(&self) -> f32 {
        match self.shape {
            Shape::Box(h) | Shape::Gable(h) => h.x.hypot(h.y),
            Shape::Cylinder(r, _) | Shape::Sphere(r) => r,
        }
    }

    /// Of its lowest and highest point.
    pub fn heights(&self) -> (f32, f32) {
        let z = self.centre.z;
        match self.shape {
            Shape::Box(half) => (z - half.z, z + half.z),
            Shape::Gable(size) => (z, z + size.z),
            Shape::Cylinder(_, half) | Shape::Sphere(half) => (z - half, z + half),
        }
    }

    fn turn_in(&self, v: Vec3) -> Vec3 {
        Vec3::new(v.x * self.cos + v.y * self.sin, v.y * self.cos - v.x * self.sin, v.z)
    }

    fn turn_out(&self, v: Vec3) -> Vec3 {
        Vec3::new(v.x * self.cos - v.y * self.sin, v.x * self.sin + v.y * self.cos, v.z)
    }

    /// Distance and local normal of the nearest meeting in front of `origin`.
    fn meet(&self, origin: Vec3, direction: Vec3) -> Option<(f32, Vec3)> {
        let o = self.turn_in(origin - self.centre);
        let d = self.turn_in(direction);
        match self.shape {
            Shape::Box(half) => meet_box(o, d, half),
            Shape::Gable(size) => meet_gable(o, d, size),
            Shape::Cylinder(radius, half) => meet_cylinder(o, d, radius, half),
            Shape::Sphere(radius) => {
                let b = o.dot(d);
                let c = o.length_squared() - radius * radius;
                let root = b * b - c;
                let t = -b - root.max(0.0).sqrt();
                (root > 0.0 && t > 0.0).then(|| (t, (o + d * t) / radius))
            }
        }
    }

    /// Whether a ray to the sun from `point` is stopped.
    pub fn shades(&self, point: Vec3, sun: Vec3) -> bool {
        self.meet(point, sun).is_some()
    }
}

fn meet_box(o: Vec3, d: Vec3, half: Vec3) -> Option<(f32, Vec3)> {
    let inverse = d.recip();
    let a = (-half - o) * inverse;
    let b = (half - o) * inverse;
    let near = a.min(b);
    let t = near.max_element();
    if t <= 0.0 || t > a.max(b).min_element() {
        return None;
    }
    let normal = if near.x == t {
        Vec3::new(-d.x.signum(), 0.0, 0.0)
    } else if near.y == t {
        Vec3::new(0.0, -d.y.signum(), 0.0)
    } else {
        Vec3::new(0.0, 0.0, -d.z.signum())
    };
    Some((t, normal))
}

fn meet_gable(o: Vec3, d: Vec3, size: Vec3) -> Option<(f32, Vec3)> {
    let slope = Vec3::new(0.0, size.z, size.y).normalize();
    let planes = [
        (Vec3::X, size.x),
        (Vec3::NEG_X, size.x),
        (Vec3::NEG_Z, 0.0),
        (slope, slope.z * size.z),
        (Vec3::new(0.0, -slope.y, slope.z), slope.z * size.z),
    ];
    let (mut near, mut far, mut normal) = (0.0_f32, f32::INFINITY, None);
    for (n, offset) in planes {
        let approach = n.dot(d);
        let gap = offset - n.dot(o);
        if approach.abs() < 1e-9 {
            if gap < 0.0 {
                return None;
            }
            continue;
        }
        let t = gap / approach;
        if approach < 0.0 {
            if t > near {
                (near, normal) = (t, Some(n));
            }
        } else {
            far = far.min(t);
        }
    }
    normal.filter(|_| near <= far).map(|n| (near, n))
}

fn meet_cylinder(o: Vec3, d: Vec3, radius: f32, half: f32) -> Option<(f32, Vec3)> {
    let a = d.x * d.x + d.y * d.y;
    let b = o.x * d.x + o.y * d.y;
    let c = o.x * o.x + o.y * o.y - radius * radius;
    let root = b * b - a * c;
    if root <= 0.0 {
        return None;
    }
    let t = (-b - root.sqrt()) / a;
    let z = o.z + d.z * t;
    if t > 0.0 && z.abs() <= half {
        return Some((t, Vec3::new((o.x + d.x * t) / radius, (o.y + d.y * t) / radius, 0.0)));
    }
    // the lid
    let t = (half - o.z) / d.z;
    let (x, y) = (o.x + d.x * t, o.y + d.y * t);
    (d.z < 0.0 && t > 0.0 && x * x + y * y <= radius * radius).then_some((t, Vec3::Z))
}

const BINS: usize = 1024;

/// The objects around one point, by the direction in which they lie.
pub struct Caster<'a> {
    objects: &'a [Object],
    origin: Vec3,
    /// Objects by bin of azimuth, nearest first.
    bins: Vec<Vec<Candidate>>,
}

/// Bounds of an object as the origin sees it, so that most rays pass it by at the cost of two comparisons.
#[derive(Clone, Copy)]
pub struct Candidate {
    /// Metres over ground at which it can begin.
    near: f32,
    /// Metres of height a metre over ground.
    lowest: f32,
    highest: f32,
    index: u16,
}

impl Candidate {
    fn new(object: &Object, index: u16, origin: Vec3) -> Candidate {
        let distance = (object.centre - origin).truncate().length();
        let (near, far) = ((distance - object.reach()).max(0.05), distance + object.reach());
        let (bottom, top) = object.heights();
        let slope = |height: f32, rising: bool| {
            let height = height - origin.z;
            height / if (height > 0.0) == rising { near } else { far }
        };
        Candidate {
            near,
            lowest: slope(bottom, false),
            highest: slope(top, true),
            index,
        }
    }
}

impl<'a> Caster<'a> {
    pub fn new(objects: &'a [Object], origin: Vec3) -> Caster<'a> {
        let mut order: Vec<Candidate> = objects
            .iter()
            .zip(0_u16..)
            .map(|(object, index)| Candidate::new(object, index, origin))
            .collect();
        order.sort_by(|a, b| a.near.total_cmp(&b.near));
        let mut bins: Vec<Vec<Candidate>> = vec![Vec::new(); BINS];
        for candidate in order {
            let object = &objects[usize::from(candidate.index)];
            let towards = (object.centre - origin).truncate();
            let (distance, reach) = (towards.length(), object.reach());
            let half = if distance <= reach {
                std::f32::consts::PI
            } else {
                (reach / distance).asin()
            };
            let per_bin = std::f32::consts::TAU / BINS as f32;
            let middle = towards.y.atan2(towards.x) / per_bin;
            let first = (middle - half / per_bin).floor() as i32;
            let last = ((middle + half / per_bin).floor() as i32).min(first + BINS as i32 - 1);
            for bin in first..=last {
                bins[bin.rem_euclid(BINS as i32) as usize].push(candidate);
            }
        }
        Caster { objects, origin, bins }
    }

    /// What can be met in the direction `azimuth` (radians, counterclockwise from forward).
    pub fn column(&self, azimuth: f32) -> &[Candidate] {
        let bin = (azimuth / std::f32::consts::TAU * BINS as f32).floor() as i32;
        &self.bins[bin.rem_euclid(BINS as i32) as usize]
    }

    /// The nearest hit of a ray (of length 1) among `column`'s objects and the ground.
    pub fn cast(&self, direction: Vec3, column: &[Candidate], farthest: f32) -> Option<Hit> {
        let ground = if direction.z < -1e-4 {
            -self.origin.z / direction.z
        } else {
            f32::INFINITY
        };
        let mut best = ground.min(farthest);
        let flat = direction.truncate().length();
        let mut met = None;
        let slope = direction.z / flat;
        for candidate in column {
            if candidate.near > best * flat {
                break;
            }
            if slope < candidate.lowest || slope > candidate.highest {
                continue;
            }
            if let Some((t, normal)) = self.objects[usize::from(candidate.index)].meet(self.origin, direction)
                && t < best
            {
                best = t;
                met = Some((candidate.index, normal));
            }
        }
        let point = self.origin + direction * best;
        match met {
            Some((index, local_normal)) => {
                let object = &self.objects[usize::from(index)];
                Some(Hit {
                    distance: best,
                    normal: object.turn_out(local_normal),
                    local: object.turn_in(point - object.centre),
                    local_normal,
                    object: Some(index),
                })
            }
            None if ground <= farthest => Some(Hit {
                distance: ground,
                normal: Vec3::Z,
                local: point,
                local_normal: Vec3::Z,
                object: None,
            }),
            None => None,
        }
    }
}
