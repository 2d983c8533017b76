//! A synthetic drive, made by the program itself: a street with houses, trees, traffic and people, seen by a lidar,
//! cameras, GPS, IMU and the vehicle, written as a ROS 1 bag.
//!
//! Invariant: the same length gives the same bytes, on every machine with the same floating point. Memory does not grow
//! with the length: a tick of 100 ms is made from its number alone, a few ticks at a time, on all cores.

mod camera;
mod definitions;
mod lidar;
mod rays;
mod road;
mod scenery;
mod shade;
mod signals;
mod wire;
mod world;

use std::io::{self, Seek, Write};

use rayon::prelude::*;

use crate::format::rosbag1::writer::{Compression, Writer};
use crate::format::{Connection, ConnectionId};
use crate::time::Time;
use road::{Road, motion};
use signals::{Moment, STATIC};

/// What to write.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub seconds: f64,
    pub compression: Compression,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            seconds: 20.0,
            compression: Compression::Lz4,
        }
    }
}

/// 2026-05-04T09:30:00Z.
const START_NANOS: i64 = 1_777_887_000_000_000_000;
const TICK_NANOS: i64 = 100_000_000;
/// Ticks made at once: their messages are all the memory that is needed.
const TICKS_AT_ONCE: usize = 8;

/// Writes a drive; `progress` is told the share that is done, 0 to 1.
pub fn write<W: Write + Seek + Send>(out: W, options: Options, mut progress: impl FnMut(f64)) -> io::Result<W> {
    let written = write_batches(out, options, |_, done| {
        progress(done);
        Ok(())
    });
    written?.finish()
}

/// As [`write`], for one who looks on: whenever `watch` is told the share that is done, what was written so far is a whole bag,
/// and stays one until it returns.
pub fn write_watched<W: Write + Seek + Send>(out: W, options: Options, mut watch: impl FnMut(f64)) -> io::Result<()> {
    // at first often, then each time that it has grown by a half
    let mut next = 0.0;
    write_batches(out, options, |writer, done| {
        if done >= next || done >= 1.0 {
            next = done * 1.5;
            writer.publish()?;
            watch(done);
        }
        Ok(())
    })?;
    Ok(())
}

/// The messages of the whole drive; `after` each batch comes the share that is done.
fn write_batches<W: Write + Seek + Send>(
    out: W,
    options: Options,
    mut after: impl FnMut(&mut Writer<W>, f64) -> io::Result<()>,
) -> io::Result<Writer<W>> {
    let mut writer = Writer::new(out, options.compression)?;
    let topics = Topics::add(&mut writer);
    let ticks = (options.seconds * 10.0).ceil().max(1.0) as usize;
    let end = motion(options.seconds).s as f32;
    let drive = Drive {
        road: Road::new(end),
        topics,
    };

    let batch = |first: usize| -> io::Result<Vec<Vec<Outgoing>>> {
        (first..(first + TICKS_AT_ONCE).min(ticks))
            .into_par_iter()
            .map(|tick| drive.tick(tick, options.seconds))
            .collect()
    };
    let mut ready = batch(0)?;
    let mut first = 0;
    while !ready.is_empty() {
        first += TICKS_AT_ONCE;
        // the next ticks are made while these are compressed
        let (written, next) = rayon::join(
            || {
                ready
                    .iter()
                    .flatten()
                    .try_for_each(|message| writer.write(message.connection, message.time, &message.payload))
            },
            || batch(first),
        );
        written?;
        ready = next?;
        after(&mut writer, first.min(ticks) as f64 / ticks as f64)?;
    }
    Ok(writer)
}

struct Outgoing {
    connection: ConnectionId,
    time: Time,
    payload: Vec<u8>,
}

struct Topics {
    points: ConnectionId,
    front_left: ConnectionId,
    front_right: ConnectionId,
    thermal: ConnectionId,
    infos: [ConnectionId; 3],
    brake: ConnectionId,
    steering: ConnectionId,
    gps: ConnectionId,
    imu: ConnectionId,
    odom: ConnectionId,
    objects: ConnectionId,
    metadata: ConnectionId,
    tf: ConnectionId,
    tf_static: [ConnectionId; 3],
    map: ConnectionId,
    rosout: ConnectionId,
    diagnostics: ConnectionId,
}

impl Topics {
    fn add<W: Write + Seek>(writer: &mut Writer<W>) -> Topics {
        use definitions::*;
        let mut add = |topic: &str, kind: definitions::Type, node: &str, latching: bool| {
            writer.add_connection(&Connection {
                topic: topic.into(),
                type_name: kind.name.into(),
                md5: kind.md5.into(),
                definition: kind.definition().into(),
                latching,
                callerid: Some(node.into()),
                bag: None,
            })
        };
        let flir = "/flir_adk";
        Topics {
            points: add("/os1_cloud_node/points", POINT_CLOUD2, "/os1_cloud_node", false),
            front_left: add("/flir_adk/rgb_front_left/image_raw/compressed", COMPRESSED_IMAGE, flir, false),
            front_right: add("/flir_adk/rgb_front_right/image_raw", IMAGE, flir, false),
            thermal: add("/flir_adk/thermal/image_raw", IMAGE, flir, false),
            infos: camera::ALL.map(|camera| add(&format!("{}/camera_info", camera.topic), CAMERA_INFO, flir, false)),
            brake: add("/vehicle/brake_report", BRAKE_REPORT, "/vehicle/dbw_node", false),
            steering: add("/vehicle/steering_report", STEERING_REPORT, "/vehicle/dbw_node", false),
            gps: add("/gps/fix", NAV_SAT_FIX, "/gps", false),
            imu: add("/imu_raw", IMU, "/imu", false),
            odom: add("/odom", ODOMETRY, "/localizer", false),
            objects: add("/as_tx/objects", OBJECT_WITH_COVARIANCE_ARRAY, "/as_tx", false),
            metadata: add("/metadata", MARKER_ARRAY, "/annotations", false),
            tf: add("/tf", TF_MESSAGE, "/localizer", false),
            tf_static: STATIC.map(|publisher| add("/tf_static", TF_MESSAGE, publisher.node, true)),
            map: add("/map", OCCUPANCY_GRID, "/map_server", true),
            rosout: add("/rosout", LOG, "/rosout", false),
            diagnostics: add("/diagnostics", DIAGNOSTIC_ARRAY, "/diagnostic_aggregator", false),
        }
    }
}

struct Drive {
    road: Road,
    topics: Topics,
}

impl Drive {
    /// The messages of one tick, in time order.
    fn tick(&self, tick: usize, seconds: f64) -> io::Result<Vec<Outgoing>> {
        let mut out = Outbox::default();
        let from_nanos = tick as i64 * TICK_NANOS;
        self.once(tick, from_nanos, &mut out);
        for step in 0..10 {
            self.small(tick * 10 + step, &mut out);
        }
        self.sensors(tick as u32, from_nanos, &mut out)?;
        let until = Time(START_NANOS).plus_nanos((seconds * 1e9) as i64);
        out.messages.retain(|message| message.time < until);
        out.messages.sort_by_key(|message| message.time);
        Ok(out.messages)
    }

    fn once(&self, tick: usize, from_nanos: i64, out: &mut Outbox) {
        if tick == 0 {
            out.put(self.topics.map, 0, 400_000, scenery::map(&self.road, START_NANOS));
        }
        for (publisher, connection) in STATIC.iter().zip(self.topics.tf_static) {
            if (from_nanos..from_nanos + TICK_NANOS).contains(&publisher.after_nanos) {
                out.put(
                    connection,
                    publisher.after_nanos,
                    300_000,
                    (publisher.message)(START_NANOS + publisher.after_nanos),
                );
            }
        }
        if tick.is_multiple_of(5) {
            let seq = (tick / 5) as u32;
            out.put(
                self.topics.rosout,
                from_nanos + 7_000_000,
                900_000,
                signals::log(seq, START_NANOS + from_nanos + 7_000_000),
            );
        }
        if tick.is_multiple_of(10) {
            let seq = (tick / 10) as u32;
            out.put(
                self.topics.diagnostics,
                from_nanos + 9_000_000,
                1_400_000,
                signals::diagnostics(seq, START_NANOS + from_nanos + 9_000_000),
            );
        }
    }

    /// The topics of 100, 50 and 10 Hz that weigh little; `step` counts hundredths of a second.
    fn small(&self, step: usize, out: &mut Outbox) {
        let at_nanos = step as i64 * 10_000_000 + 1_000_000;
        let moment = self.moment(at_nanos);
        let seq = step as u32;
        out.put(self.topics.imu, at_nanos, 200_000, moment.imu(seq));
        if step.is_multiple_of(2) {
            let seq = seq / 2;
            out.put(self.topics.brake, at_nanos, 700_000, moment.brake_report(seq));
            out.put(self.topics.steering, at_nanos, 800_000, moment.steering_report(seq));
            out.put(self.topics.tf, at_nanos, 500_000, moment.transform(seq));
            out.put(self.topics.odom, at_nanos, 600_000, moment.odometry(seq));
        }
        if step.is_multiple_of(10) {
            out.put(self.topics.gps, at_nanos, 2_500_000, moment.gps_fix(seq / 10));
        }
    }

    fn moment(&self, at_nanos: i64) -> Moment {
        let t = at_nanos as f64 * 1e-9;
        let (car, _) = world::car_at(&self.road, t);
        let (later, _) = world::car_at(&self.road, t + 0.2);
        let (earlier, _) = world::car_at(&self.road, t - 0.2);
        Moment {
            t,
            stamp_nanos: START_NANOS + at_nanos,
            motion: motion(t),
            car,
            yaw_rate: earlier.locate(later).yaw() / 0.4,
        }
    }

    /// Lidar, cameras and what perception makes of them, 10 Hz.
    fn sensors(&self, seq: u32, from_nanos: i64, out: &mut Outbox) -> io::Result<()> {
        let (road, topics) = (&self.road, &self.topics);
        // the small topics of this tick start 1 ms after it: the transforms reach before the cloud's stamp from the second tick on
        let at = from_nanos + 2_000_000;
        let scene = world::scene(road, at as f64 * 1e-9);
        let speed = motion(at as f64 * 1e-9).speed;
        let stamp = START_NANOS + at;
        out.put(topics.points, at, 2_000_000, lidar::message(road, &scene, seq, stamp));
        out.put(topics.front_left, at, 3_000_000, camera::FRONT_LEFT.jpeg(road, &scene, seq, stamp)?);
        out.put(topics.front_right, at, 4_000_000, camera::FRONT_RIGHT.raw(road, &scene, seq, stamp));
        out.put(topics.thermal, at, 4_500_000, camera::THERMAL.mono16(road, &scene, seq, stamp));
        for (camera, connection) in camera::ALL.iter().zip(topics.infos) {
            out.put(connection, at, 3_100_000, camera.info(seq, stamp));
        }
        out.put(topics.objects, at, 6_000_000, scenery::objects(&scene, seq, stamp));
        out.put(topics.metadata, at, 7_000_000, scenery::markers(road, &scene, seq, stamp, speed));
        Ok(())
    }
}

#[derive(Default)]
struct Outbox {
    messages: Vec<Outgoing>,
}

impl Outbox {
    /// A message stamped `at_nanos` after the start and received `delay_nanos` later.
    fn put(&mut self, connection: ConnectionId, at_nanos: i64, delay_nanos: i64, payload: Vec<u8>) {
        self.messages.push(Outgoing {
            connection,
            time: Time(START_NANOS + at_nanos + delay_nanos),
            payload,
        });
    }
}
