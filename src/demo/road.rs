//! The street that the demo drive follows, and how the car moves along it.
//!
//! Invariant: everything is a function of time or of the arc length alone, so any moment can be made without the ones before it.
//! Frames: `map` (x east, y north, z up, origin at the start of the street); along a road `s` is metres along the centre line
//! and `d` metres to its left.

/// Metres between crossings, and where the first lies.
pub const CROSSING_PITCH: f32 = 140.0;
pub const FIRST_CROSSING: f32 = 70.0;
/// Half the width of what is paved, kerb to kerb.
pub const HALF_ROAD: f32 = 5.8;
pub const LANE: f32 = 3.5;

/// Centre line: one sample a metre.
pub struct Road {
    samples: Vec<Sample>,
}

#[derive(Clone, Copy)]
struct Sample {
    x: f32,
    y: f32,
    cos: f32,
    sin: f32,
}

/// A place and a heading in the plane.
#[derive(Clone, Copy, Debug)]
pub struct Pose2 {
    pub x: f32,
    pub y: f32,
    pub cos: f32,
    pub sin: f32,
}

impl Pose2 {
    /// `self_from_other`, where both are given in one frame.
    pub fn locate(&self, other: Pose2) -> Pose2 {
        let (dx, dy) = (other.x - self.x, other.y - self.y);
        Pose2 {
            x: dx * self.cos + dy * self.sin,
            y: dy * self.cos - dx * self.sin,
            cos: other.cos * self.cos + other.sin * self.sin,
            sin: other.sin * self.cos - other.cos * self.sin,
        }
    }

    /// A point of this pose's frame, in the frame that the pose is given in.
    pub fn place(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.cos - y * self.sin, self.y + x * self.sin + y * self.cos)
    }

    pub fn yaw(&self) -> f64 {
        f64::from(self.sin).atan2(f64::from(self.cos))
    }
}

/// Metres of street behind the start.
const BEFORE: f32 = 160.0;

/// Radians to the left of east, `s` metres along.
fn heading(s: f64) -> f64 {
    0.34 * (s / 95.0).sin() + 0.12 * (s / 41.0).sin()
}

impl Road {
    /// A street that reaches `length` metres beyond the start and a little more.
    pub fn new(length: f32) -> Road {
        let count = (length + BEFORE + 260.0) as usize;
        let mut samples: Vec<Sample> = Vec::with_capacity(count);
        let (mut x, mut y) = (0.0_f64, 0.0_f64);
        for i in 0..count {
            let s = i as f64 - f64::from(BEFORE);
            let heading = heading(s);
            samples.push(Sample {
                x: x as f32,
                y: y as f32,
                cos: heading.cos() as f32,
                sin: heading.sin() as f32,
            });
            x += heading.cos();
            y += heading.sin();
        }
        let origin = samples[BEFORE as usize];
        for sample in &mut samples {
            sample.x -= origin.x;
            sample.y -= origin.y;
        }
        Road { samples }
    }

    fn sample(&self, s: f32) -> (Sample, f32) {
        let index = ((s + BEFORE + 0.5) as usize).min(self.samples.len() - 1);
        (self.samples[index], s + BEFORE - index as f32)
    }

    /// The pose at `s`, `d`, heading along the street.
    pub fn at(&self, s: f32, d: f32) -> Pose2 {
        let (sample, rest) = self.sample(s);
        // exact here, so that the car turns smoothly from sample to sample
        let (sin, cos) = heading(f64::from(s)).sin_cos();
        let (sin, cos) = (sin as f32, cos as f32);
        Pose2 {
            x: sample.x + rest * sample.cos - d * sin,
            y: sample.y + rest * sample.sin + d * cos,
            cos,
            sin,
        }
    }

    /// `s` and `d` of a point, found from a guess of `s`.
    pub fn project(&self, x: f32, y: f32, guess: f32) -> (f32, f32) {
        let mut s = guess;
        let mut d = 0.0;
        for _ in 0..2 {
            let (sample, rest) = self.sample(s);
            let (dx, dy) = (x - sample.x, y - sample.y);
            s += dx * sample.cos + dy * sample.sin - rest;
            d = dy * sample.cos - dx * sample.sin;
        }
        (s, d)
    }

    /// First and last `s`.
    pub fn span(&self) -> (f32, f32) {
        (-BEFORE, self.samples.len() as f32 - BEFORE - 1.0)
    }
}

/// How far `s` is from the nearest crossing's middle, signed.
pub fn from_crossing(s: f32) -> f32 {
    (fraction((s - FIRST_CROSSING) / CROSSING_PITCH + 0.5) - 0.5) * CROSSING_PITCH
}

/// The car's motion at a time.
#[derive(Clone, Copy)]
pub struct Motion {
    pub s: f64,
    pub d: f64,
    pub speed: f64,
    pub acceleration: f64,
    /// Heading relative to the street, radians.
    pub yaw: f64,
}

/// The car at `t` seconds.
pub fn motion(t: f64) -> Motion {
    let speed = 8.4 + 2.6 * (0.45 * t).sin() + 1.3 * (0.19 * t + 1.0).sin();
    let s = 8.4 * t - 2.6 / 0.45 * ((0.45 * t).cos() - 1.0) - 1.3 / 0.19 * ((0.19 * t + 1.0).cos() - 1.0_f64.cos());
    let acceleration = 2.6 * 0.45 * (0.45 * t).cos() + 1.3 * 0.19 * (0.19 * t + 1.0).cos();
    let d = -1.75 + 0.22 * (0.31 * t).sin();
    let sideways = 0.22 * 0.31 * (0.31 * t).cos();
    Motion {
        s,
        d,
        speed,
        acceleration,
        yaw: (sideways / speed).atan(),
    }
}

/// What is left of `x` above the next lower whole number; without SSE 4.1 `f32::rem_euclid` is a slow call.
pub fn fraction(x: f32) -> f32 {
    let whole = x as i32 as f32;
    x - if whole > x { whole - 1.0 } else { whole }
}
