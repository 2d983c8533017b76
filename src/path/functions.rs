//! The functions of message paths: one table, used as `abs(/a.x)` and as `/a.x.@abs` alike.
//!
//! Invariant: a function is one line here; the parser, the evaluation, the completion and the README's table follow it.

use std::f64::consts::PI;

use super::transform::Transform;

#[derive(Debug)]
pub struct Function {
    pub name: &'static str,
    /// What it gives, for completion and the README.
    pub what: &'static str,
    pub kind: Kind,
    /// What else it takes after what it is applied to.
    pub params: &'static [Param],
    /// Any number of its last parameter, one after the other with what came of those before.
    pub takes_more: bool,
    /// The times of the values are all that counts.
    pub is_of_times: bool,
}

impl PartialEq for Function {
    fn eq(&self, other: &Function) -> bool {
        self.name == other.name
    }
}

#[derive(Debug)]
pub struct Param {
    pub name: &'static str,
    /// None: must be given.
    pub default: Option<f64>,
}

#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Of one number.
    One(fn(f64) -> f64),
    /// Of a number and its parameters, any of which may be expressions.
    Many(fn(&[f64]) -> f64),
    /// Of a part of a message that is no number.
    Part(Part),
    /// Of all values so far: the parameters are constants.
    Series(fn(&[f64]) -> Result<Transform, String>),
}

/// What is taken of an array, a string or a structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Length,
    /// Of `x`, `y`, `z` and `w` as far as there are, or of an array of numbers.
    Norm,
    /// Of a quaternion, in radians; fixed axes x, y, z (REP 103).
    Roll,
    Pitch,
    Yaw,
    /// Of angles `roll`, `pitch`, `yaw` (or `x`, `y`, `z`) in radians, the other way round.
    QuatX,
    QuatY,
    QuatZ,
    QuatW,
    /// Whether it is there: 1.
    Present,
    /// What a 64-bit integer is more than the number that stands for it.
    Rest,
}

const fn param(name: &'static str) -> Param {
    Param { name, default: None }
}

const fn optional(name: &'static str, default: f64) -> Param {
    Param {
        name,
        default: Some(default),
    }
}

const fn one(name: &'static str, what: &'static str, f: fn(f64) -> f64) -> Function {
    Function {
        name,
        what,
        kind: Kind::One(f),
        params: &[],
        takes_more: false,
        is_of_times: false,
    }
}

const fn many(name: &'static str, what: &'static str, params: &'static [Param], f: fn(&[f64]) -> f64) -> Function {
    Function {
        name,
        what,
        kind: Kind::Many(f),
        params,
        takes_more: false,
        is_of_times: false,
    }
}

const fn part(name: &'static str, what: &'static str, part: Part) -> Function {
    Function {
        name,
        what,
        kind: Kind::Part(part),
        params: &[],
        takes_more: false,
        is_of_times: false,
    }
}

const fn series(
    name: &'static str,
    what: &'static str,
    params: &'static [Param],
    make: fn(&[f64]) -> Result<Transform, String>,
) -> Function {
    Function {
        name,
        what,
        kind: Kind::Series(make),
        params,
        takes_more: false,
        is_of_times: false,
    }
}

const fn of_times(function: Function) -> Function {
    Function {
        is_of_times: true,
        ..function
    }
}

const fn of_several(function: Function) -> Function {
    Function {
        takes_more: true,
        ..function
    }
}

const MPH_PER_MPS: f64 = 3600.0 / 1609.344;
const KPH_PER_MPH: f64 = 1.609344;

const OTHER: &[Param] = &[param("y")];

pub static FUNCTIONS: &[Function] = &[
    one("abs", "absolute value", f64::abs),
    one("acos", "arc cosine in radians", f64::acos),
    one("asin", "arc sine in radians", f64::asin),
    one("atan", "arc tangent in radians", f64::atan),
    one("ceil", "rounded up", f64::ceil),
    one("cos", "cosine of radians", f64::cos),
    one("deg2rad", "degrees to radians", |v| v * (PI / 180.0)),
    one("degrees", "radians to degrees", f64::to_degrees),
    one("exp", "e to that power", f64::exp),
    one("floor", "rounded down", f64::floor),
    one("kph2mps", "km/h to m/s", |v| v / 3.6),
    one("kph2mph", "km/h to miles an hour", |v| v / KPH_PER_MPH),
    one("log", "natural logarithm", f64::ln),
    one("log10", "logarithm to base 10", f64::log10),
    one("log1p", "natural logarithm of 1 + x", f64::ln_1p),
    one("log2", "logarithm to base 2", f64::log2),
    one("mph2kph", "miles an hour to km/h", |v| v * KPH_PER_MPH),
    one("mph2mps", "miles an hour to m/s", |v| v / MPH_PER_MPS),
    one("mps2kph", "m/s to km/h", |v| v * 3.6),
    one("mps2mph", "m/s to miles an hour", |v| v * MPH_PER_MPS),
    one("negative", "with the other sign", |v| -v),
    one("radians", "degrees to radians", f64::to_radians),
    one("rad2deg", "radians to degrees", |v| v * (180.0 / PI)),
    one("round", "to the nearest integer, halves up", round),
    one("sign", "-1, 0 or 1", |v| if v == 0.0 { 0.0 } else { v.signum() }),
    one("sin", "sine of radians", f64::sin),
    one("sqrt", "square root", f64::sqrt),
    one("tan", "tangent of radians", f64::tan),
    one("trunc", "without decimals", f64::trunc),
    many("add", "sum", OTHER, |v| v.iter().sum()),
    many("sub", "difference", OTHER, |v| {
        v.iter().copied().reduce(|a, b| a - b).unwrap_or(f64::NAN)
    }),
    many("mul", "product", OTHER, |v| v.iter().product()),
    many("div", "quotient", OTHER, |v| {
        v.iter().copied().reduce(|a, b| a / b).unwrap_or(f64::NAN)
    }),
    of_several(many("min", "the smallest of two or more", OTHER, |v| {
        v.iter().copied().fold(f64::INFINITY, f64::min)
    })),
    of_several(many("max", "the largest of two or more", OTHER, |v| {
        v.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    })),
    many("atan2", "angle of (y, x) in radians: atan2(y, x)", &[param("x")], |v| {
        pair(v, f64::atan2)
    }),
    many("hypot", "square root of the sum of squares", OTHER, |v| pair(v, f64::hypot)),
    many(
        "between",
        "1 from low to high, otherwise 0",
        &[param("low"), param("high")],
        |v| match v {
            [v, low, high] => f64::from(u8::from(v >= low && v <= high)),
            _ => f64::NAN,
        },
    ),
    many(
        "scale",
        "value × factor + offset",
        &[param("factor"), optional("offset", 0.0)],
        |v| match v {
            [v, factor, offset] => v * factor + offset,
            _ => f64::NAN,
        },
    ),
    part("length", "number of elements, bytes of a string", Part::Length),
    part("norm", "length of a vector, a quaternion or an array of numbers", Part::Norm),
    part("roll", "roll of a quaternion in radians", Part::Roll),
    part("pitch", "pitch of a quaternion in radians", Part::Pitch),
    part("yaw", "yaw of a quaternion in radians", Part::Yaw),
    part("quat_x", "x of the quaternion of roll, pitch and yaw in radians", Part::QuatX),
    part("quat_y", "y of that quaternion", Part::QuatY),
    part("quat_z", "z of that quaternion", Part::QuatZ),
    part("quat_w", "w of that quaternion", Part::QuatW),
    part("present", "1 for every message that holds it, whatever it is", Part::Present),
    part(
        "rest",
        "what a 64-bit integer is more than the double-precision number nearest to it",
        Part::Rest,
    ),
    series("derivative", "change a second", &[], |_| Ok(Transform::Derivative)),
    series("integral", "area below it in value seconds (trapezoids)", &[], |_| {
        Ok(Transform::Integral)
    }),
    series("delta", "change since the value before", &[], |_| Ok(Transform::Delta)),
    of_times(series("timedelta", "seconds since the value before", &[], |_| {
        Ok(Transform::TimeSincePrevious)
    })),
    of_times(series("time_since_previous", "seconds since the value before", &[], |_| {
        Ok(Transform::TimeSincePrevious)
    })),
    series("moving_average", "mean of the last n values", &[optional("n", 10.0)], |p| {
        count(p).map(Transform::MovingAverage)
    }),
    series("moving_rms", "root mean square of the last n values", &[optional("n", 10.0)], |p| {
        count(p).map(Transform::MovingRms)
    }),
    series("moving_variance", "variance of the last n values", &[optional("n", 10.0)], |p| {
        count(p).map(Transform::MovingVariance)
    }),
    series(
        "moving_stddev",
        "standard deviation of the last n values",
        &[optional("n", 10.0)],
        |p| count(p).map(Transform::MovingStddev),
    ),
    series(
        "outlier_removal",
        "without spikes that step more than factor times the step before",
        &[optional("factor", 100.0)],
        |p| positive(p, "factor").map(Transform::OutlierRemoval),
    ),
    of_times(series(
        "samples_counter",
        "number of values in the last seconds",
        &[optional("secs", 1.0)],
        |p| positive(p, "secs").map(Transform::SamplesCounter),
    )),
    series("shift", "later by so many seconds", &[param("secs")], |p| match p {
        [secs] if secs.is_finite() => Ok(Transform::Shift(*secs)),
        _ => Err("the seconds must be a number".into()),
    }),
];

/// `(v + 0.5).floor()` would be 1 just below a half.
fn round(v: f64) -> f64 {
    let below = v.floor();
    if v - below >= 0.5 { below + 1.0 } else { below }
}

fn pair(values: &[f64], f: fn(f64, f64) -> f64) -> f64 {
    match values {
        [a, b] => f(*a, *b),
        _ => f64::NAN,
    }
}

fn count(params: &[f64]) -> Result<usize, String> {
    match params {
        [n] if *n >= 1.0 && *n <= 1e4 && n.fract() == 0.0 => Ok(*n as usize),
        _ => Err("n must be a whole number from 1 to 10000".into()),
    }
}

fn positive(params: &[f64], name: &str) -> Result<f64, String> {
    match params {
        [v] if *v > 0.0 && v.is_finite() => Ok(*v),
        _ => Err(format!("{name} must be larger than 0")),
    }
}

pub fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|f| f.name == name)
}

impl Function {
    /// `moving_average(n = 10)`, as completion shows it.
    pub fn signature(&self) -> String {
        let params: Vec<String> = self
            .params
            .iter()
            .map(|p| match p.default {
                Some(default) => format!("{} = {default}", p.name),
                None => p.name.to_owned(),
            })
            .collect();
        let more = if self.takes_more { ", …" } else { "" };
        match params.is_empty() {
            true => self.name.to_owned(),
            false => format!("{}({}{more})", self.name, params.join(", ")),
        }
    }
}
