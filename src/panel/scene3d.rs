//! The 3D panel: clouds, scans, markers, paths, poses, maps and the transform tree, in one fixed frame.
//!
//! Invariants: what is drawn depends on the configuration, the playhead and the store's answers, not on the way that led there; message
//! bytes are never copied; a topic that cannot be drawn says why, on the panel.

mod card;
mod cloud;
mod config;
mod frames;
mod gestures;
mod grid;
mod layers;
mod markers;
mod measure;
mod memo;
mod overlay;
mod owners;
mod poses;
mod scan;
mod settings;

use std::sync::Arc;

use egui::{Rect, Sense, Ui};
use glam::{DQuat, DVec3};
use serde_json::Value;

pub use self::config::CameraConfig;
use self::config::{Config, Follow, TopicConfig};
use self::layers::{LAYERS, Label, Layer, Legend, Notes, Out};
use self::measure::Measure;
use self::memo::Memo;
use self::owners::{Card, Owners};
use crate::decode::Form;
use crate::panel::{Action, Kind, Panel, PanelState, View, command, widget};
use crate::render::{self, Bounds, Camera, Ground, Picked, Report, Scene, ViewportPx};
use crate::store::{Store, Topic, TopicId, Want, What as StoreWhat};
use crate::theme::{self, Palette, icon};

pub use frames::named as named_frames;

pub const KIND: Kind = Kind {
    id: "scene3d",
    name: "3D",
    what: "Point clouds, scans, markers, maps and frames in space",
    icon: icon::CUBE,
    create: |config| Box::new(Scene3d::new(config)),
    schema: crate::panel::schema_of::<Config>,
    automatic,
};

/// One 3D panel with everything that can be drawn; none where nothing can.
fn automatic(store: &Store) -> Vec<Value> {
    let mut config = Config::default();
    for kind in LAYERS {
        for topic in store
            .topics()
            .iter()
            .filter(|topic| topic.form == Some(kind.form) && topic.messages > 0)
        {
            config.topics.insert(topic.name.to_string(), TopicConfig::default());
        }
    }
    if config.topics.is_empty() && !store.topics().iter().any(|topic| topic.form == Some(Form::Transforms)) {
        return Vec::new();
    }
    serde_json::to_value(config).into_iter().collect()
}

pub struct Scene3d {
    config: Config,
    /// Fitted to the first data where neither a layout nor a vehicle says where to look.
    fitted: Option<Camera>,
    /// Of the frame before: it holds while transforms are on their way.
    place: Option<Place>,
    memo: Memo,
    notes: Notes,
    card: Option<Card>,
    measure: Measure,
    report: Arc<Report>,
    /// The scene of the last frame and what its items stand for.
    shown: Option<Arc<Scene>>,
    owners: Owners,
    /// What was drawn last with everything in its place.
    placed: Option<Placed>,
}

/// What layers made of one frame.
#[derive(Clone)]
struct Placed {
    scene: Scene,
    filled: Filled,
    owners: Owners,
}

/// What follows from the configuration and the transforms in this frame.
#[derive(Clone, PartialEq)]
struct Place {
    fixed: Arc<str>,
    followed: Option<(Arc<str>, DVec3, f64)>,
}

impl Place {
    fn drawn(&self, camera: Camera) -> Camera {
        let Some((_, position, heading)) = &self.followed else {
            return camera;
        };
        Camera {
            target: *position + DQuat::from_rotation_z(*heading) * camera.target,
            yaw: camera.yaw + heading,
            ..camera
        }
    }

    fn stored(&self, camera: Camera) -> Camera {
        let Some((_, position, heading)) = &self.followed else {
            return camera;
        };
        Camera {
            target: DQuat::from_rotation_z(-heading) * (camera.target - *position),
            yaw: camera.yaw - heading,
            ..camera
        }
    }
}

impl Scene3d {
    pub fn new(config: &Value) -> Scene3d {
        Scene3d {
            config: widget::config_from(config),
            fitted: None,
            place: None,
            memo: Memo::default(),
            notes: Notes::default(),
            card: None,
            measure: Measure::default(),
            report: Arc::default(),
            shown: None,
            owners: Owners::default(),
            placed: None,
        }
    }

    /// Visible topics of the recording, maps first.
    fn visible<'a>(&self, store: &'a Store) -> Vec<&'a Topic> {
        let shown = |topic: &&Topic| self.config.topics.get(&*topic.name).is_some_and(|config| config.visible);
        let mut topics: Vec<&Topic> = store
            .topics()
            .iter()
            .filter(shown)
            .filter(|topic| layers::kind_of(topic).is_some())
            .collect();
        topics.sort_by_key(|topic| LAYERS.iter().position(|kind| Some(kind.form) == topic.form));
        topics
    }

    fn place(&self, view: &View, visible: &[&Topic]) -> Place {
        let fixed = frames::fixed_frame(&self.config, view.store, visible, &self.notes);
        let followed = frames::follow_frame(&self.config, view.store, &fixed).and_then(|frame| {
            let (position, heading) = frames::followed(view.store, &fixed, &frame, view.now)?;
            Some((frame, position, if self.config.follow == Follow::Heading { heading } else { 0.0 }))
        });
        Place { fixed, followed }
    }

    fn camera(&self, place: &Place) -> Camera {
        let fitted = self.fitted.filter(|_| place.followed.is_none());
        match &self.config.camera {
            Some(camera) => camera.to_camera(),
            None => fitted.unwrap_or_else(|| CameraConfig::default().to_camera()),
        }
    }

    /// Draws all layers into `scene`.
    fn fill(&mut self, view: &View, place: &Place, visible: &[&Topic], colors: &'static Palette, scene: &mut Scene) -> Filled {
        self.memo.begin();
        self.notes.begin();
        self.owners = Owners::default();
        let mut filled = Filled::default();
        let mut out = Out {
            scene,
            labels: &mut filled.labels,
            owners: &mut self.owners,
            memo: &mut self.memo,
            notes: &mut self.notes,
            bounds: &mut filled.bounds,
            legends: &mut filled.legends,
            colors,
        };
        for topic in visible {
            let (Some(kind), Some(config)) = (layers::kind_of(topic), self.config.topics.get(&*topic.name)) else {
                continue;
            };
            let layer = Layer {
                store: view.store,
                topic,
                kind,
                config,
                fixed_frame: &place.fixed,
                now: view.now,
            };
            (kind.draw)(&layer, &mut out);
        }
        frames::draw(&self.config, view.store, &place.fixed, view.now, &mut out);
        filled
    }

    fn set_camera(&mut self, place: &Place, drawn: Camera, out: &mut Vec<Action>) {
        self.config.camera = Some(CameraConfig::from_camera(&place.stored(drawn)));
        out.push(Action::Changed);
    }

    /// What is seen stays where it is when the camera is from now on kept relative to something else than in `before`.
    fn stay(&mut self, view: &View, before: &Place, camera: Camera) {
        let after = self.place(view, &self.visible(view.store));
        if after == *before {
            return;
        }
        let seen = before.drawn(camera);
        let moved = view
            .store
            .transforms()
            .lookup(&after.fixed, &before.fixed, view.now)
            .map(|after_from_before| {
                let forward = after_from_before.transform_vector3(DVec3::X);
                Camera {
                    target: after_from_before.transform_point3(seen.target),
                    yaw: seen.yaw + forward.y.atan2(forward.x),
                    ..seen
                }
            });
        self.measure.clear();
        // from one tree to another nothing leads: it looks anew
        self.fitted = None;
        self.config.camera = moved.ok().map(|seen| CameraConfig::from_camera(&after.stored(seen)));
        self.place = Some(after);
    }
}

/// What layers left besides the scene.
#[derive(Clone, Default)]
struct Filled {
    labels: Vec<Label>,
    legends: Vec<Legend>,
    bounds: Option<Bounds>,
}

const COMMANDS: &[command::Command<Scene3d>] = &[
    ("Show everything", |scene, view, out| scene.use_tool(overlay::Tool::Fit, view, out)),
    ("Reset the camera", |scene, _, out| scene.reset(out)),
    ("Look from above or from the side", |scene, view, out| {
        scene.use_tool(overlay::Tool::TopDown, view, out);
    }),
    ("Look from behind", |scene, view, out| scene.look(0.0, view, out)),
    ("Look from the front", |scene, view, out| scene.look(180.0, view, out)),
    ("Look from the left", |scene, view, out| scene.look(-90.0, view, out)),
    ("Look from the right", |scene, view, out| scene.look(90.0, view, out)),
    ("Follow the vehicle, its heading too, or nothing", |scene, view, out| {
        scene.use_tool(overlay::Tool::Follow, view, out);
    }),
    ("Measure distances", |scene, _, _| scene.measure.toggle()),
    ("Show or hide the ground grid", |scene, _, out| {
        scene.config.grid = !scene.config.grid;
        out.push(Action::Changed);
    }),
    ("Show or hide frames", |scene, _, out| {
        scene.config.frames.axes = !scene.config.frames.axes;
        out.push(Action::Changed);
    }),
];

impl Panel for Scene3d {
    fn title(&self, view: &View) -> String {
        match self.visible(view.store).as_slice() {
            [topic] => format!("3D · {}", topic.name),
            _ => "3D".to_string(),
        }
    }

    fn wants(&self, view: &View, out: &mut Vec<Want>) {
        for topic in self.visible(view.store) {
            let (Some(kind), Some(config)) = (layers::kind_of(topic), self.config.topics.get(&*topic.name)) else {
                continue;
            };
            out.push(Want {
                topic: topic.id,
                what: layers::wanted(kind, config),
            });
            if kind.form == Form::Grid {
                let updates = view.store.topic_by_name(&format!("{}_updates", topic.name));
                out.extend(updates.map(|updates| Want {
                    topic: updates.id,
                    what: StoreWhat::Latest(Form::GridUpdate),
                }));
            }
        }
        for topic in self
            .visible(view.store)
            .into_iter()
            .filter(|topic| topic.form == Some(Form::Markers))
        {
            let named = markers::resources(view.store, topic.id, self.notes.markers(topic.id)).into_iter();
            out.extend(named.map(|address| Want {
                topic: topic.id,
                what: StoreWhat::Resource(address),
            }));
        }
        let transforms = view.store.topics().iter().filter(|topic| topic.form == Some(Form::Transforms));
        out.extend(transforms.map(|topic| Want {
            topic: topic.id,
            what: StoreWhat::Latest(Form::Transforms),
        }));
    }

    fn ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let rect = ui.available_rect_before_wrap();
        let response = ui.allocate_rect(rect, Sense::click_and_drag());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, "3D scene"));
        if rect.width() < 2.0 || rect.height() < 2.0 {
            return;
        }
        if let Some(gpu) = view.gpu {
            render::install(gpu);
        }
        let pixels_per_point = ui.pixels_per_point();
        let px = |points: f32| (points * pixels_per_point).round().max(1.0) as u32;
        let viewport = ViewportPx {
            width: px(rect.width()),
            height: px(rect.height()),
            pixels_per_point,
        };
        frames::note_named(ui.ctx(), response.id, &self.config);
        let visible = self.visible(view.store);
        let place = match &self.place {
            // What is on its way after a seek would move the camera to and fro.
            Some(place) if view.store.transforms_pending() => place.clone(),
            _ => self.place(view, &visible),
        };
        self.place = Some(place.clone());
        let before = render::View::new(place.drawn(self.camera(&place)), viewport);
        if let Some(moved) = gestures::moved(ui, &response, &before) {
            self.set_camera(&place, moved, out);
        }
        let mut scene = Scene::new(render::View::new(place.drawn(self.camera(&place)), viewport));
        let colors = theme::palette(ui.visuals());
        let [r, g, b, _] = colors.scene.to_array();
        scene.background = self.config.background.unwrap_or([r, g, b]);
        let [r, g, b, _] = colors.scene_grid.to_array();
        let brighter = |v: u8| {
            if ui.visuals().dark_mode {
                v.saturating_mul(2)
            } else {
                v.saturating_sub(40)
            }
        };
        let z = place.followed.as_ref().map_or(0.0, |(_, position, _)| position.z);
        scene.ground = self.config.grid.then_some(Ground {
            z,
            color: self.config.grid_color.unwrap_or([r, g, b].map(brighter)),
            cell_metres: self.config.grid_cell_metres,
        });
        let filled = self.fill(view, &place, &visible, colors, &mut scene);
        let filled = self.in_place(filled, &mut scene);
        if !view.store.transforms_pending() {
            self.fit_first(&place, &filled, ui);
        }
        let scene = match &self.shown {
            Some(shown) if **shown == scene => Arc::clone(shown),
            _ => Arc::new(scene),
        };
        self.shown = Some(Arc::clone(&scene));
        count_points(ui, response.id, scene.point_count());
        ui.painter().with_clip_rect(rect).add(render::paint(
            rect,
            response.id.value(),
            Arc::clone(&scene),
            Arc::clone(&self.report),
        ));
        let plates = overlay::labels(ui, rect, &scene.view, &filled.labels);
        self.clicks(&response, &scene, &plates, &place, out);
        command::menu(&response, COMMANDS, self, view, out);
        card::anchor(ui, rect, &scene.view, self.card.as_ref());
        self.measure.ui(ui, rect, &scene.view);
        overlay::problems(ui, rect, &self.notes);
        overlay::legends(ui, rect, &filled.legends);
        if card::show(ui, rect, self.card.as_ref()) {
            self.card = None;
        }
        if let Some(done) = overlay::tools(ui, rect, &response, &self.config, self.measure.is_on) {
            self.apply(done, view, &place, filled.bounds, out);
        }
        if self.notes.drawn == 0 && view.store.transforms().frames().is_empty() {
            overlay::nothing(ui, rect, &self.notes, visible.is_empty());
        }
    }

    fn settings_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let place = self.place(view, &self.visible(view.store));
        let (before, camera) = (self.config.clone(), self.camera(&place));
        settings::show(
            ui,
            view,
            &mut self.config,
            &place.fixed,
            place.followed.as_ref().map(|(frame, ..)| &**frame),
        );
        if self.config != before {
            self.stay(view, &place, camera);
            out.push(Action::Changed);
        }
    }

    fn commands(&self) -> Vec<&'static str> {
        command::names(COMMANDS)
    }

    fn run(&mut self, command: &str, view: &View, out: &mut Vec<Action>) {
        command::run(COMMANDS, self, command, view, out);
    }

    fn config(&self) -> Value {
        serde_json::to_value(&self.config).unwrap_or_default()
    }

    fn state(&self, view: &View) -> PanelState {
        if let Some(error) = self.report.error() {
            return PanelState::Failed(error);
        }
        let notes = &self.notes;
        if self.shown.is_none() {
            return PanelState::Pending("the scene is being drawn".to_string());
        }
        if let Some(topic) = notes.pending.first() {
            return PanelState::Pending(format!("{topic} is being read"));
        }
        let shows_frames = !view.store.transforms().frames().is_empty();
        match (notes.problems.first(), notes.drawn) {
            (Some(problem), 0) => PanelState::Failed(problem.clone()),
            (Some(problem), _) => PanelState::Partial(problem.clone()),
            (None, 0) if !shows_frames => PanelState::Absent(overlay::nothing_text(notes, self.visible(view.store).is_empty())),
            (None, _) => match (notes.partial.first(), notes.stale.first()) {
                (Some(partial), _) => PanelState::Partial(partial.clone()),
                (None, Some(stale)) => PanelState::Stale(stale.clone()),
                (None, None) => PanelState::Ready,
            },
        }
    }

    fn drop_topic(&mut self, view: &View, topic: TopicId) -> bool {
        let Some(topic) = view.store.topic(topic) else { return false };
        if topic.form == Some(Form::Transforms) {
            self.config.frames.axes = true;
            return true;
        }
        let drawable = layers::kind_of(topic).is_some();
        if drawable {
            self.config.topics.entry(topic.name.to_string()).or_default().visible = true;
        }
        drawable
    }

    fn hidden(&mut self) {
        (self.memo, self.shown, self.placed, self.owners) = (Memo::default(), None, None, Owners::default());
    }

    fn topics(&self, view: &View) -> Vec<TopicId> {
        let transforms = view.store.topics().iter().filter(|topic| topic.form == Some(Form::Transforms));
        self.visible(view.store)
            .into_iter()
            .chain(transforms)
            .map(|topic| topic.id)
            .collect()
    }
}

impl Scene3d {
    /// While transforms are on their way the last whole picture stays.
    fn in_place(&mut self, filled: Filled, scene: &mut Scene) -> Filled {
        match &self.placed {
            Some(placed) if self.notes.unplaced => {
                let (view, background, ground) = (scene.view, scene.background, scene.ground);
                *scene = Scene {
                    view,
                    background,
                    ground,
                    ..placed.scene.clone()
                };
                self.owners = placed.owners.clone();
                placed.filled.clone()
            }
            _ => {
                self.placed = Some(Placed {
                    scene: scene.clone(),
                    filled: filled.clone(),
                    owners: self.owners.clone(),
                });
                filled
            }
        }
    }

    /// Looks at the first data from where all of it can be seen, if nothing else says where to look.
    fn fit_first(&mut self, place: &Place, filled: &Filled, ui: &Ui) {
        if self.config.camera.is_none()
            && self.fitted.is_none()
            && place.followed.is_none()
            && let Some(bounds) = filled.bounds
        {
            let camera = CameraConfig::default().to_camera().fitted(bounds);
            // A lidar's far returns are not worth looking at from afar.
            self.fitted = Some(Camera {
                distance: (camera.distance * 0.6).min(200.0),
                ..camera
            });
            ui.request_repaint();
        }
    }

    fn clicks(&mut self, response: &egui::Response, scene: &Scene, plates: &[(Rect, Picked)], place: &Place, out: &mut Vec<Action>) {
        let Some(pointer) = response
            .interact_pointer_pos()
            .filter(|_| response.clicked() || response.double_clicked())
        else {
            return;
        };
        let at = (pointer - response.rect.min) * scene.view.viewport.pixels_per_point;
        let px = glam::DVec2::new(f64::from(at.x), f64::from(at.y));
        if self.measure.is_on {
            return self.measure.add(scene, px);
        }
        let in_scene = || render::pick(scene, px);
        let label = plates.iter().find(|(plate, _)| plate.contains(pointer));
        let picked = label.map(|(_, picked)| *picked).or_else(in_scene);
        if response.double_clicked() {
            match picked {
                Some(picked) => self.set_camera(
                    place,
                    Camera {
                        target: picked.position_in_world,
                        ..scene.view.camera
                    },
                    out,
                ),
                None => self.reset(out),
            }
        } else {
            self.card = picked.and_then(|picked| self.owners.card(picked));
        }
    }

    fn reset(&mut self, out: &mut Vec<Action>) {
        self.config.camera = None;
        self.fitted = None;
        out.push(Action::Changed);
    }

    fn place_now(&self, view: &View) -> Place {
        let shown = self.place.clone();
        shown.unwrap_or_else(|| self.place(view, &self.visible(view.store)))
    }

    fn use_tool(&mut self, tool: overlay::Tool, view: &View, out: &mut Vec<Action>) {
        let bounds = self.placed.as_ref().and_then(|placed| placed.filled.bounds);
        self.apply(tool, view, &self.place_now(view), bounds, out);
    }

    /// At the same target, along this direction: 0 is that of the vehicle where its heading is followed.
    fn look(&mut self, yaw_deg: f64, view: &View, out: &mut Vec<Action>) {
        let mut camera = CameraConfig::from_camera(&self.camera(&self.place_now(view)));
        (camera.yaw_degrees, camera.top_down) = (yaw_deg, false);
        self.config.camera = Some(camera);
        out.push(Action::Changed);
    }

    fn apply(&mut self, done: overlay::Tool, view: &View, place: &Place, bounds: Option<Bounds>, out: &mut Vec<Action>) {
        match done {
            overlay::Tool::Reset => self.reset(out),
            overlay::Tool::Measure => self.measure.toggle(),
            overlay::Tool::Fit => {
                if let Some(bounds) = bounds {
                    let camera = place.drawn(self.camera(place)).fitted(bounds);
                    self.set_camera(place, camera, out);
                }
            }
            overlay::Tool::TopDown => {
                let mut camera = CameraConfig::from_camera(&self.camera(place));
                camera.top_down = !camera.top_down;
                self.config.camera = Some(camera);
                out.push(Action::Changed);
            }
            overlay::Tool::Follow => {
                let camera = self.camera(place);
                self.config.follow = match self.config.follow {
                    Follow::Off => Follow::Position,
                    Follow::Position => Follow::Heading,
                    Follow::Heading => Follow::Off,
                };
                self.stay(view, place, camera);
                out.push(Action::Changed);
            }
        }
    }
}

/// Points of each 3D panel in the pass in which it was drawn last.
type Points = std::collections::BTreeMap<u64, (u64, u64)>;

fn count_points(ui: &Ui, panel: egui::Id, points: u64) {
    let pass = ui.ctx().cumulative_pass_nr();
    ui.data_mut(|data| {
        data.get_temp_mut_or_default::<Points>(egui::Id::NULL)
            .insert(panel.value(), (pass, points))
    });
}

/// Points that all 3D panels handed to the GPU in the last pass.
pub fn points_drawn(ctx: &egui::Context) -> u64 {
    let counts = ctx.data_mut(|data| data.get_temp::<Points>(egui::Id::NULL)).unwrap_or_default();
    let newest = counts.values().map(|(pass, _)| *pass).max();
    counts
        .values()
        .filter(|(pass, _)| Some(*pass) == newest)
        .map(|(_, points)| points)
        .sum()
}
