//! The transform tree: axes, names, links from child to parent, and the choice of frames.

use std::collections::HashMap;
use std::sync::Arc;

use glam::{DAffine3, DVec3, Vec3};

use super::config::{Config, Follow};
use super::layers::{Label, Notes, Out};
use super::owners::Owner;
use crate::decode::Form;
use crate::render::{Blob, Lines, Segment, Size};
use crate::store::{Lookup, Store, Topic};
use crate::time::Time;

/// Roots that people mean by "the world", best first.
const WORLDS: [&str; 4] = ["map", "odom", "world", "earth"];
/// Frames that people mean by "the vehicle", best first.
const VEHICLES: [&str; 6] = ["base_link", "base_footprint", "base", "ego_vehicle", "vehicle", "ego"];

/// The frame in which everything is drawn.
pub fn fixed_frame(config: &Config, store: &Store, visible: &[&Topic], notes: &Notes) -> Arc<str> {
    if let Some(frame) = &config.fixed_frame {
        return frame.as_str().into();
    }
    let transforms = store.transforms();
    let roots = transforms.roots();
    let frames: Vec<Arc<str>> = visible.iter().filter_map(|topic| frame_of(store, topic, notes)).collect();
    let reached: Vec<Arc<str>> = frames.iter().map(|frame| transforms.root_of(frame)).collect();
    let fame = |root: &Arc<str>| WORLDS.iter().rev().position(|world| **root == **world);
    // The one from which most can be drawn; among equals what people call the world, then the largest.
    let best = roots.iter().rev().max_by_key(|root| {
        let reach = reached.iter().filter(|reached| reached == root).count();
        (reach, fame(root))
    });
    match best {
        Some(root) if frames.is_empty() || reached.contains(root) => Arc::clone(root),
        // What no transform leads to is drawn in its own frame.
        _ => frames.into_iter().next().unwrap_or_else(|| "map".into()),
    }
}

/// Frames that layouts of 3D panels name, by panel, with the pass in which each was drawn last.
type Named = HashMap<egui::Id, (u64, Vec<Arc<str>>)>;

/// Tells which frames a panel's configuration names.
pub fn note_named(ctx: &egui::Context, panel: egui::Id, config: &Config) {
    let pass = ctx.cumulative_pass_nr();
    let frames = [&config.fixed_frame, &config.follow_frame].into_iter().flatten();
    let frames = frames.map(|frame| frame.as_str().into()).collect();
    let id = egui::Id::NULL.with("frames that 3D panels name");
    ctx.data_mut(|data| data.get_temp_mut_or_default::<Named>(id).insert(panel, (pass, frames)));
}

/// Frames that the configurations of the 3D panels on screen name.
pub fn named(ctx: &egui::Context) -> Vec<Arc<str>> {
    let pass = ctx.cumulative_pass_nr();
    let id = egui::Id::NULL.with("frames that 3D panels name");
    let named = ctx.data(|data| data.get_temp::<Named>(id)).unwrap_or_default();
    let on_screen = named.into_values().filter(|(drawn, _)| drawn + 2 > pass);
    on_screen.flat_map(|(_, frames)| frames).collect()
}

/// Of its message at the playhead; while that is on its way, of the one that is still shown.
fn frame_of(store: &Store, topic: &Topic, notes: &Notes) -> Option<Arc<str>> {
    let form = topic.form?;
    let trimmed = |frame: &Arc<str>| Arc::from(frame.trim_start_matches('/'));
    if form == Form::Markers {
        let set = match store.markers(topic.id) {
            Lookup::Ready(set) => Some(set),
            Lookup::Pending => notes.markers(topic.id).cloned(),
            Lookup::Absent | Lookup::Failed(_) => None,
        };
        return set?.markers.first().map(|(_, marker)| trimmed(&marker.header.frame_id));
    }
    let found = match form {
        Form::Grid => store.grid(topic.id),
        form => store.latest(topic.id, form),
    };
    let entry = match found {
        Lookup::Ready(entry) => Some(entry),
        Lookup::Pending => notes.newest(topic.id).cloned(),
        Lookup::Absent | Lookup::Failed(_) => None,
    };
    entry?.decoded.header().map(|header| trimmed(&header.frame_id))
}

/// The frame that the camera follows, if any.
pub fn follow_frame(config: &Config, store: &Store, fixed: &str) -> Option<Arc<str>> {
    if config.follow == Follow::Off {
        return None;
    }
    if let Some(frame) = &config.follow_frame {
        return Some(frame.as_str().into());
    }
    let frames = store.transforms().frames();
    VEHICLES
        .iter()
        .find_map(|vehicle| frames.iter().find(|frame| &***frame == *vehicle))
        .filter(|frame| &***frame != fixed)
        .cloned()
}

/// Position and heading of the followed frame in the fixed one.
pub fn followed(store: &Store, fixed: &str, frame: &str, now: Time) -> Option<(DVec3, f64)> {
    let fixed_from_frame = store.transforms().lookup(fixed, frame, now).ok()?;
    let forward = fixed_from_frame.transform_vector3(DVec3::X);
    Some((fixed_from_frame.translation, forward.y.atan2(forward.x)))
}

fn axes(metres: f32, colors: [[u8; 4]; 3]) -> Vec<Segment> {
    let along = [Vec3::X, Vec3::Y, Vec3::Z];
    along
        .into_iter()
        .zip(colors)
        .map(|(axis, color)| Segment {
            a: [0.0; 3],
            color_a: color,
            b: (axis * metres).to_array(),
            color_b: color,
        })
        .collect()
}

/// Draws the whole tree at the playhead.
pub fn draw(config: &Config, store: &Store, fixed: &str, now: Time, out: &mut Out<'_>) {
    let transforms = store.transforms();
    let metres = config.frames.axis_metres.clamp(0.001, 1000.0);
    let colors = out.colors.axes.map(|color| color.to_array());
    let axes = out.memo.get(("axes", metres.to_bits(), colors), || Blob::new(axes(metres, colors)));
    let [r, g, b, _] = out.colors.frames.to_array();
    let link_color = [r, g, b, 90];
    let mut links = Vec::new();
    let mut origin = None;
    let mut names: Vec<(DVec3, Vec<Arc<str>>)> = Vec::new();
    let is_shown = |frame: &Arc<str>| !config.frames.hidden.iter().any(|hidden| **hidden == **frame);
    for frame in transforms.frames().into_iter().filter(is_shown) {
        let Ok(fixed_from_frame) = transforms.lookup(fixed, &frame, now) else {
            continue;
        };
        let position = fixed_from_frame.translation;
        let parent = transforms.parent(&frame);
        if config.frames.axes {
            let id = out.own(Owner::Frame {
                name: Arc::clone(&frame),
                parent: parent.clone(),
            });
            out.scene.lines.push(Lines {
                id,
                segments: (*axes).clone(),
                width: Size::Px(2.0),
                hides: true,
                world_from_item: fixed_from_frame,
            });
        }
        if config.frames.links
            && let Some(parent) = &parent
            && let Ok(fixed_from_parent) = transforms.lookup(fixed, parent, now)
        {
            let origin = *origin.get_or_insert(position);
            let local = |p: DVec3| (p - origin).as_vec3().to_array();
            links.push(Segment {
                a: local(position),
                color_a: link_color,
                b: local(fixed_from_parent.translation),
                color_b: link_color,
            });
        }
        match names.iter_mut().find(|(at, _)| at.distance_squared(position) < 1e-6) {
            Some((_, same)) => same.push(frame),
            None => names.push((position, vec![frame])),
        }
    }
    if config.frames.names {
        let label = |(position, frames): (DVec3, Vec<Arc<str>>)| Label {
            position,
            text: frames.iter().map(|frame| &**frame).collect::<Vec<_>>().join(" · ").into(),
            color: [r, g, b, 255],
            height_metres: None,
            part: None,
        };
        out.labels.extend(names.into_iter().map(label));
    }
    if !links.is_empty() {
        let key: Vec<u32> = links
            .iter()
            .flat_map(|link| link.a.into_iter().chain(link.b))
            .map(f32::to_bits)
            .collect();
        let segments = out.memo.get(("links", key, link_color), || Blob::new(links));
        let world_from_item = DAffine3::from_translation(origin.unwrap_or_default());
        let id = out.own(Owner::Frame {
            name: "link".into(),
            parent: None,
        });
        out.scene.lines.push(Lines {
            id,
            segments: (*segments).clone(),
            width: Size::Px(1.0),
            hides: false,
            world_from_item,
        });
    }
}
