//! The small topics: the vehicle's reports, IMU, GPS, odometry, transforms, logs and diagnostics.

use glam::{DVec3, Vec3};

use super::camera::ALL;
use super::lidar;
use super::road::{Motion, Pose2};
use super::shade::hash;
use super::wire::Wire;

/// A moment as the small topics see it.
pub struct Moment {
    /// Seconds since the start.
    pub t: f64,
    pub stamp_nanos: i64,
    pub motion: Motion,
    pub car: Pose2,
    /// rad/s.
    pub yaw_rate: f64,
}

/// Where the drive starts.
const LATITUDE: f64 = 48.1371;
const LONGITUDE: f64 = 11.5754;
const METRES_A_DEGREE: f64 = 111_320.0;

impl Moment {
    fn position(&self) -> DVec3 {
        DVec3::new(f64::from(self.car.x), f64::from(self.car.y), 0.0)
    }

    /// About normal, deviation 1.
    fn noise(&self, salt: u32) -> f64 {
        let dice = hash((self.t * 1000.0) as u32, salt, 17);
        let sum = (dice & 0x3ff) + (dice >> 10 & 0x3ff) + (dice >> 20 & 0x3ff);
        (f64::from(sum) / 1023.0 - 1.5) * 2.0
    }

    fn braking(&self) -> f64 {
        (-self.motion.acceleration - 0.25).max(0.0)
    }

    fn steering(&self) -> f64 {
        // bicycle model, 2.8 m between the axles
        (self.yaw_rate * 2.8 / self.motion.speed.max(1.0)).atan()
    }

    pub fn imu(&self, seq: u32) -> Vec<u8> {
        let bump = 0.18 * (self.t * 11.0).sin() * (self.t * 1.7).sin().powi(2);
        Wire::stamped(seq, self.stamp_nanos, "imu_link")
            .yaw(self.car.yaw())
            .diagonal(&[1e-4; 3])
            .vector(DVec3::new(
                0.012 * self.noise(1),
                0.012 * self.noise(2),
                self.yaw_rate + 0.006 * self.noise(3),
            ))
            .diagonal(&[1e-4; 3])
            .vector(DVec3::new(
                self.motion.acceleration + 0.06 * self.noise(4),
                self.yaw_rate * self.motion.speed + 0.05 * self.noise(5),
                9.81 + bump + 0.07 * self.noise(6),
            ))
            .diagonal(&[4e-3; 3])
            .0
    }

    pub fn brake_report(&self, seq: u32) -> Vec<u8> {
        let pedal = (0.15 + 0.22 * self.braking()) as f32;
        Wire::stamped(seq, self.stamp_nanos, "")
            .f32(pedal)
            .f32(pedal)
            .f32((0.15 + 0.21 * self.braking()) as f32)
            .f32((self.braking() * 1900.0) as f32)
            .bool(self.braking() > 0.02)
            .bool(true)
            .bool(false)
            .bool(false)
            .0
    }

    pub fn steering_report(&self, seq: u32) -> Vec<u8> {
        let wheel = self.steering() * 14.8;
        Wire::stamped(seq, self.stamp_nanos, "")
            .f32((wheel + 0.004 * self.noise(7)) as f32)
            .f32(wheel as f32)
            .f32((0.4 * wheel + 0.05 * self.noise(8)) as f32)
            .f32(self.motion.speed as f32)
            .bool(true)
            .bool(false)
            .bool(false)
            .0
    }

    pub fn gps_fix(&self, seq: u32) -> Vec<u8> {
        let antenna = self.position() + DVec3::new(0.25 * self.noise(9), 0.25 * self.noise(10), 0.0);
        Wire::stamped(seq, self.stamp_nanos, "gps_antenna")
            .u8(0)
            .u16(1)
            .f64(LATITUDE + antenna.y / METRES_A_DEGREE)
            .f64(LONGITUDE + antenna.x / (METRES_A_DEGREE * LATITUDE.to_radians().cos()))
            .f64(519.0 + 0.3 * self.noise(11))
            .diagonal(&[0.36, 0.36, 1.4])
            .u8(2)
            .0
    }

    pub fn odometry(&self, seq: u32) -> Vec<u8> {
        Wire::stamped(seq, self.stamp_nanos, "map")
            .string("base_link")
            .pose(self.position(), self.car.yaw())
            .diagonal(&[0.02, 0.02, 0.01, 1e-4, 1e-4, 4e-4])
            .vector(DVec3::new(self.motion.speed, 0.0, 0.0))
            .vector(DVec3::new(0.0, 0.0, self.yaw_rate))
            .diagonal(&[0.01, 0.01, 0.01, 1e-4, 1e-4, 1e-4])
            .0
    }

    pub fn transform(&self, seq: u32) -> Vec<u8> {
        Wire::default()
            .u32(1)
            .header(seq, self.stamp_nanos, "map")
            .string("base_link")
            .pose(self.position(), self.car.yaw())
            .0
    }
}

/// A publisher of static transforms: when it starts, its node, what it tells.
pub struct StaticPublisher {
    pub after_nanos: i64,
    pub node: &'static str,
    pub message: fn(i64) -> Vec<u8>,
}

/// Each latched message stays valid: the newest of the topic is not enough.
pub const STATIC: [StaticPublisher; 3] = [
    StaticPublisher {
        after_nanos: 0,
        node: "/os1_driver",
        message: lidar_frames,
    },
    StaticPublisher {
        after_nanos: 210_000_000,
        node: "/vehicle_description",
        message: vehicle_frames,
    },
    StaticPublisher {
        after_nanos: 480_000_000,
        node: "/flir_adk",
        message: camera_frames,
    },
];

fn frames(stamp_nanos: i64, frames: &[(&str, &str, Vec3, [f64; 4])]) -> Vec<u8> {
    let mut wire = Wire::default().u32(frames.len() as u32);
    for (parent, child, at, rotation) in frames {
        wire = wire
            .header(0, stamp_nanos, parent)
            .string(child)
            .vector(at.as_dvec3())
            .f64s(rotation);
    }
    wire.0
}

const LEVEL: [f64; 4] = [0.0, 0.0, 0.0, 1.0];

fn lidar_frames(stamp_nanos: i64) -> Vec<u8> {
    let above = Vec3::new(0.0, 0.0, 0.036);
    let backwards = [0.0, 0.0, 1.0, 0.0];
    frames(
        stamp_nanos,
        &[
            ("base_link", "os1_sensor", lidar::ORIGIN - above, LEVEL),
            ("os1_sensor", "os1_lidar", above, backwards),
        ],
    )
}

fn vehicle_frames(stamp_nanos: i64) -> Vec<u8> {
    let (gps, imu) = (Vec3::new(-0.4, 0.0, 1.5), Vec3::new(0.0, 0.0, 0.4));
    frames(
        stamp_nanos,
        &[("base_link", "gps_antenna", gps, LEVEL), ("base_link", "imu_link", imu, LEVEL)],
    )
}

fn camera_frames(stamp_nanos: i64) -> Vec<u8> {
    frames(
        stamp_nanos,
        &ALL.map(|camera| ("base_link", camera.frame_id, camera.position, [-0.5, 0.5, -0.5, 0.5])),
    )
}

const LOGS: [(u8, &str, &str, &str); 9] = [
    (2, "/localizer", "pose converged, 14 matches", "localizer.cpp"),
    (1, "/os1_driver", "1024 columns in 100 ms", "os1_driver.cpp"),
    (4, "/flir_adk", "exposure at its limit", "camera_node.cpp"),
    (2, "/planner", "keep lane", "planner.cpp"),
    (2, "/as_tx", "tracks confirmed", "tracker.cpp"),
    (8, "/radar", "checksum mismatch, frame dropped", "radar_node.cpp"),
    (2, "/planner", "follow the car ahead", "planner.cpp"),
    (4, "/gps", "4 satellites below the mask", "gps_node.cpp"),
    (2, "/vehicle", "by-wire enabled", "dbw_node.cpp"),
];

pub fn log(seq: u32, stamp_nanos: i64) -> Vec<u8> {
    let (level, node, text, file) = LOGS[seq as usize % LOGS.len()];
    Wire::stamped(seq, stamp_nanos, "")
        .u8(level)
        .string(node)
        .string(text)
        .string(file)
        .string("spin")
        .u32(100 + hash(seq, 5, 5) % 300)
        .u32(1)
        .string("/rosout")
        .0
}

/// Level, name, message, hardware id, values.
type Status<'a> = (u8, &'a str, &'a str, &'a str, Vec<(&'a str, String)>);

pub fn diagnostics(seq: u32, stamp_nanos: i64) -> Vec<u8> {
    let dice = |salt: u32| f64::from(hash(seq, salt, 3) % 1000) / 1000.0;
    let lossy = seq % 7 == 4;
    let hot = seq % 11 == 8;
    let statuses: [Status; 4] = [
        (
            u8::from(lossy),
            "os1: packets",
            if lossy { "packets lost" } else { "ok" },
            "os1-992",
            vec![
                ("loss %", format!("{:.2}", if lossy { 1.0 + dice(1) } else { 0.05 * dice(1) })),
                ("rate Hz", format!("{:.2}", 10.0 + 0.02 * dice(2))),
            ],
        ),
        (
            if hot { 2 } else { 0 },
            "flir_adk: temperature",
            if hot { "too warm" } else { "ok" },
            "flir-31",
            vec![("sensor °C", format!("{:.1}", if hot { 71.0 } else { 46.0 + 6.0 * dice(3) }))],
        ),
        (
            0,
            "gps: fix",
            "3D fix",
            "gnss-2",
            vec![("satellites", format!("{}", 9 + (dice(4) * 6.0) as u32))],
        ),
        (
            0,
            "vehicle: by-wire",
            "enabled",
            "dbw-1",
            vec![("bus load %", format!("{:.0}", 30.0 + 12.0 * dice(5)))],
        ),
    ];
    let mut wire = Wire::stamped(seq, stamp_nanos, "").u32(statuses.len() as u32);
    for (level, name, text, hardware, values) in statuses {
        wire = wire.u8(level).string(name).string(text).string(hardware).u32(values.len() as u32);
        for (key, value) in values {
            wire = wire.string(key).string(&value);
        }
    }
    wire.0
}
