//! What scenes look like at their start, through one camera: read when a row comes into view, a few at a time.
//!
//! Invariants: nothing is read for a row that is not in view, nor of a recording that lies elsewhere; no more pictures are kept than a
//! list has rows some times over.

use std::collections::HashMap;
use std::sync::Arc;

use egui::{ColorImage, Context, TextureHandle, TextureId, TextureOptions};

use super::Key;
use crate::app::AppState;
use crate::app::background::Done;
use crate::decode::{Form, Shaded};
use crate::format::ConnectionSet;
use crate::run;
use crate::source::Location;
use crate::store::{SourceId, SourceInfo, Topic, TopicId};
use crate::time::Time;

/// Read at a time.
const RUNNING: usize = 2;
const KEPT: usize = 256;
/// In pixels.
const WIDTH: u32 = 160;

#[derive(Default)]
pub struct Thumbnails {
    /// With the number of its last use.
    kept: HashMap<(Key, Time), (u64, Picture)>,
    running: usize,
    uses: u64,
    cameras: HashMap<(TopicId, SourceId), run::Camera>,
}

enum Picture {
    Asked,
    Nothing,
    Read(Shaded),
    Shown(TextureHandle),
}

/// The camera that pictures are of, in each recording that has it.
#[derive(Clone)]
pub struct Camera {
    topic: TopicId,
}

pub struct Read {
    key: Key,
    at: Time,
    picture: Option<Shaded>,
}

impl Thumbnails {
    pub fn is_settled(&self) -> bool {
        self.running == 0
    }

    fn forget_oldest(&mut self) {
        while self.kept.len() > KEPT {
            let Some(oldest) = self.kept.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| *key) else {
                return;
            };
            self.kept.remove(&oldest);
        }
    }
}

impl AppState {
    /// The first camera that a panel shows, else the first of the recording; None where there is none on this machine.
    pub(super) fn camera_of_thumbnails(&self) -> Option<Camera> {
        let is_here = |location: &Location| !location.is_remote();
        if !self.store.sources().iter().any(|source| is_here(&source.location)) {
            return None;
        }
        let is_camera = |topic: &TopicId| self.store.topic(*topic).is_some_and(|topic| topic.form == Some(Form::Image));
        let view = self.view();
        let shown = self.workspace.visible().into_iter().flat_map(|pane| pane.panel.topics(&view));
        let all = self.store.topics().iter().map(|topic| topic.id);
        shown.chain(all).find(is_camera).map(|topic| Camera { topic })
    }

    /// The picture of a scene's start, once it is there; asks for it.
    pub(super) fn thumbnail(&mut self, ctx: &Context, key: Key, at: Time, camera: &Camera) -> Option<TextureId> {
        let thumbnails = &mut self.scenes.thumbnails;
        thumbnails.uses += 1;
        if let Some((used, picture)) = thumbnails.kept.get_mut(&(key, at)) {
            *used = thumbnails.uses;
            if let Picture::Read(pixels) = picture {
                *picture = Picture::Shown(texture(ctx, pixels));
            }
            return match picture {
                Picture::Shown(texture) => Some(texture.id()),
                _ => None,
            };
        }
        // when one has come, the next pass asks for another
        if thumbnails.running < RUNNING
            && let Some(camera) = self.camera_of(key, camera)
        {
            let thumbnails = &mut self.scenes.thumbnails;
            thumbnails.running += 1;
            thumbnails.kept.insert((key, at), (thumbnails.uses, Picture::Asked));
            thumbnails.forget_oldest();
            let io = self.executor.io().clone();
            self.jobs.work(move || {
                let picture = run::still(&io, &camera, at, WIDTH);
                Done::Thumbnail(Read { key, at, picture })
            });
        }
        None
    }

    fn camera_of(&mut self, key: Key, camera: &Camera) -> Option<run::Camera> {
        let scene = self.scenes.get(key)?;
        let sources = self.store.sources().iter().zip(0..);
        let has_camera = |source: &SourceInfo| !source.location.is_remote() && source.bags.is_empty();
        let is_of = |source: &SourceInfo| scene.is_of_any() || self.scenes.is_of(scene, source);
        let mut of = sources.filter(|(source, _)| has_camera(source) && is_of(source));
        let (source, id) = of.next()?;
        if let Some(known) = self.scenes.thumbnails.cameras.get(&(camera.topic, id)) {
            return Some(known.clone());
        }
        let container = self.store.container(id)?;
        let connections = (0..).take(container.catalog().connections.len());
        let of_cameras = connections.filter_map(|connection| {
            let topic = self.store.topic_of_connection(id, connection)?;
            (topic.form == Some(Form::Image)).then_some((connection, topic))
        });
        let of_cameras: Vec<(u32, &Topic)> = of_cameras.collect();
        // another recording's camera of that name has that recording's name before it
        let name = &self.store.topic(camera.topic)?.name;
        let same = |topic: &Topic| topic.name.bytes().rev().zip(name.bytes().rev()).take_while(|(a, b)| a == b).count();
        let (_, topic) = of_cameras
            .iter()
            .rev()
            .max_by_key(|(_, topic)| (topic.id == camera.topic, same(topic)))?;
        let own = of_cameras.iter().filter(|(_, of)| of.id == topic.id);
        let connections: Arc<[u32]> = own.map(|(connection, _)| *connection).collect();
        let made = run::Camera {
            location: source.location.clone(),
            container,
            connections: ConnectionSet::Only(connections),
            schema: topic.schema.clone()?,
        };
        self.scenes.thumbnails.cameras.insert((camera.topic, id), made.clone());
        Some(made)
    }

    pub(in crate::app) fn take_thumbnail(&mut self, read: Read) {
        let thumbnails = &mut self.scenes.thumbnails;
        thumbnails.running = thumbnails.running.saturating_sub(1);
        if let Some((_, slot)) = thumbnails.kept.get_mut(&(read.key, read.at)) {
            let there = read.picture.filter(|picture| picture.width > 0);
            *slot = there.map_or(Picture::Nothing, Picture::Read);
        }
    }
}

fn texture(ctx: &Context, picture: &Shaded) -> TextureHandle {
    let image = ColorImage::from_rgba_premultiplied([picture.width, picture.height], picture.pixels.as_flattened());
    ctx.load_texture("thumbnail", image, TextureOptions::LINEAR)
}
