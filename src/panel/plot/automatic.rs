//! Which scalars a person would plot first.
//!
//! Invariant: one plot holds values of one kind (metres a second with metres a second), so that one axis serves them all.

use serde_json::{Value, json};

use crate::decode::Form;
use crate::path::topic_text;
use crate::store::{Store, Topic};

/// A kind of value: the plot's title, and the fields that hold it as (part of the type's name, path).
struct Quantity {
    title: &'static str,
    fields: &'static [(&'static str, &'static str)],
}

/// The most telling first.
const QUANTITIES: &[Quantity] = &[
    Quantity {
        title: "Speed",
        fields: &[
            ("SteeringReport", "speed"),
            ("Odometry", "twist.twist.linear.x"),
            ("WheelSpeed", "front_left"),
            ("TwistStamped", "twist.linear.x"),
            ("VelocityReport", "longitudinal_velocity"),
            ("Twist", "linear.x"),
            ("", "vehicle_speed"),
        ],
    },
    Quantity {
        title: "Acceleration",
        fields: &[
            ("Imu", "linear_acceleration.x"),
            ("Imu", "linear_acceleration.y"),
            ("AccelStamped", "accel.linear.x"),
            ("AccelStamped", "accel.linear.y"),
        ],
    },
    Quantity {
        title: "Pedals",
        fields: &[
            ("BrakeReport", "pedal_input"),
            ("BrakeReport", "pedal_output"),
            ("ThrottleReport", "pedal_input"),
            ("ThrottleReport", "pedal_output"),
        ],
    },
    Quantity {
        title: "Steering",
        fields: &[
            ("SteeringReport", "steering_wheel_angle"),
            ("SteeringReport", "steering_wheel_cmd"),
            ("SteeringReport", "steering_wheel_angle_cmd"),
            ("SteeringReport", "steering_tire_angle"),
        ],
    },
    Quantity {
        title: "Yaw rate",
        fields: &[
            ("Imu", "angular_velocity.z"),
            ("Odometry", "twist.twist.angular.z"),
            ("TwistStamped", "twist.angular.z"),
        ],
    },
    Quantity {
        title: "Altitude",
        fields: &[("NavSatFix", "altitude")],
    },
    Quantity {
        title: "Position",
        fields: &[
            ("Odometry", "pose.pose.position.x"),
            ("Odometry", "pose.pose.position.y"),
            ("PoseStamped", "pose.position.x"),
        ],
    },
];

const MOST_PLOTS: usize = 2;
const MOST_SERIES: usize = 4;

/// Two plots of the liveliest scalars.
pub fn automatic(store: &Store) -> Vec<Value> {
    let topics: Vec<(&Topic, Vec<String>)> = store
        .topics()
        .iter()
        .filter(|t| t.messages > 1)
        .filter_map(|t| Some((t, t.schema.as_ref()?.scalar_paths())))
        .collect();
    let mut plots: Vec<(&str, Vec<String>)> = QUANTITIES
        .iter()
        .map(|q| (q.title, paths_of(q, &topics)))
        .filter(|(_, paths)| !paths.is_empty())
        .collect();
    // a comparison says more than a single line
    plots.sort_by_key(|(_, paths)| paths.len() < 2);
    if plots.is_empty() {
        plots = liveliest(&topics);
    }
    plots.truncate(MOST_PLOTS);
    plots
        .into_iter()
        .map(|(title, paths)| {
            let series: Vec<Value> = paths.iter().map(|p| json!({ "path": p })).collect();
            json!({ "title": title, "series": series })
        })
        .collect()
}

fn paths_of(quantity: &Quantity, topics: &[(&Topic, Vec<String>)]) -> Vec<String> {
    let mut found = Vec::new();
    for (type_part, field) in quantity.fields {
        for (topic, paths) in topics {
            let path = format!("{}.{field}", topic_text(&topic.name));
            if topic.type_name.contains(type_part) && paths.iter().any(|p| p == field) && !found.contains(&path) {
                found.push(path);
            }
        }
    }
    found.truncate(MOST_SERIES);
    found
}

/// The first fields of the topics with the most messages.
fn liveliest(topics: &[(&Topic, Vec<String>)]) -> Vec<(&'static str, Vec<String>)> {
    let drawn = |t: &Topic| matches!(t.form, None | Some(Form::Pose));
    let mut topics: Vec<_> = topics.iter().filter(|(t, _)| drawn(t)).collect();
    topics.sort_by_key(|(t, _)| std::cmp::Reverse(t.messages));
    topics
        .into_iter()
        .map(|(topic, paths)| {
            let paths = telling_paths(&topic.type_name, paths, 3);
            (
                "",
                paths
                    .into_iter()
                    .map(|p| format!("{}.{p}", topic_text(&topic.name)))
                    .collect::<Vec<_>>(),
            )
        })
        .filter(|(_, paths)| !paths.is_empty())
        .take(MOST_PLOTS)
        .collect()
}

/// Of a message's scalars those that tell most, at most `most`.
pub fn telling_paths(type_name: &str, paths: &[String], most: usize) -> Vec<String> {
    for quantity in QUANTITIES {
        let known: Vec<String> = quantity
            .fields
            .iter()
            .filter(|(part, field)| !part.is_empty() && type_name.contains(part) && paths.iter().any(|p| p == field))
            .map(|(_, field)| (*field).to_owned())
            .take(most)
            .collect();
        if !known.is_empty() {
            return known;
        }
    }
    let dull = |p: &String| p.starts_with("header.") || ["seq", "stamp", "covariance", "status", "_id"].iter().any(|w| p.contains(w));
    let lively: Vec<String> = paths.iter().filter(|p| !dull(p)).take(most).cloned().collect();
    if lively.is_empty() {
        paths.iter().take(1).cloned().collect()
    } else {
        lively
    }
}
