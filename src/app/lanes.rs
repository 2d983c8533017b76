//! Lanes of scenes, and one for each topic: how many messages there are when (from the index alone, until chunks are read), and which spans are loaded.

use std::sync::Arc;

use egui::{Align2, Color32, Mesh, Rect, Role, Sense, Shape, Ui, WidgetInfo, pos2};

use super::AppState;
use super::timeline::Axis;
use crate::decode::Form;
use crate::store::{self, Topic, TopicId};
use crate::theme::{self, palette};
use crate::time::Span;

const LANE_HEIGHT: f32 = 16.0;
/// Points for each bucket of density.
const BUCKET_POINTS: f32 = 2.0;

/// What was asked of the store last, for one topic.
pub struct Density {
    asked: (Span, usize, u64),
    times_revision: u64,
    shades: Arc<[Shade]>,
}

/// The same of the levels of a log's lines.
pub struct Levels {
    asked: (Span, usize, u64),
    counts: Arc<[[f32; 5]]>,
}

/// Draws the lanes into `lanes`, their names into `names`.
pub fn ui(ui: &mut Ui, state: &mut AppState, names: Rect, lanes: Rect, axis: Axis) {
    let topics: Vec<Topic> = ordered(state);
    let scenes_height = super::scenes::lanes::height(state);
    let content = topics.len() as f32 * LANE_HEIGHT + 4.0 + scenes_height;
    let most = (content - lanes.height()).max(0.0);
    let over_names = ui.interact(names, ui.scope_id().with("lane names"), Sense::hover());
    if over_names.contains_pointer() {
        state.timeline.scroll_lanes -= ui.input(|i| i.smooth_scroll_delta().y);
    }
    state.timeline.scroll_lanes = state.timeline.scroll_lanes.clamp(0.0, most);

    let clip = Rect::from_min_max(names.min, pos2(lanes.right(), lanes.bottom()));
    let first = names.top() + 2.0 - state.timeline.scroll_lanes;
    super::scenes::lanes::ui(ui, state, names, axis, first, clip);
    let mut clicked = None;
    let mut shapes = Vec::new();
    for (at, topic) in topics.iter().enumerate() {
        let top = first + scenes_height + at as f32 * LANE_HEIGHT;
        let lane = Rect::from_min_max(pos2(axis.rect.left(), top), pos2(axis.rect.right(), top + LANE_HEIGHT));
        // none is cut in two at the lower edge
        if lane.bottom() < clip.top() || lane.bottom() > clip.bottom() + 4.0 {
            continue;
        }
        let name_rect = Rect::from_min_max(pos2(names.left(), top), pos2(names.right() - 8.0, top + LANE_HEIGHT));
        if name(ui, topic, name_rect.intersect(names), state.selected_topic == Some(topic.id)) {
            clicked = Some(topic.id);
        }
        let is_selected = state.selected_topic == Some(topic.id);
        shapes.push(density(ui, state, topic, lane, axis, is_selected));
        if topic.form == Some(Form::Log) {
            shapes.push(levels(ui, state, topic.id, lane, axis));
        }
        shapes.push(loaded(ui, state, topic.id, lane, axis));
    }
    ui.painter().with_clip_rect(clip).extend(shapes);
    if let Some(topic) = clicked {
        state.selected_topic = Some(topic);
        ui.ctx().request_repaint();
    }
}

/// The selected topic first, then the panels' topics, then the others by name.
fn ordered(state: &AppState) -> Vec<Topic> {
    let view = state.view();
    let mut shown: Vec<TopicId> = state.selected_topic.into_iter().collect();
    for pane in state.workspace.visible() {
        shown.extend(pane.panel.topics(&view));
    }
    let mut topics: Vec<Topic> = state.store.topics().iter().filter(|t| t.messages > 0).cloned().collect();
    let rank = |topic: &Topic| shown.iter().position(|id| *id == topic.id).unwrap_or(usize::MAX);
    topics.sort_by_key(rank);
    topics
}

fn name(ui: &Ui, topic: &Topic, rect: Rect, is_selected: bool) -> bool {
    if rect.height() <= 0.0 {
        return false;
    }
    let p = palette(ui.visuals());
    let response = ui.interact(rect, ui.scope_id().with(("lane", topic.id)), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, is_selected, format!("Lane of {}", topic.name)));
    let color = if is_selected {
        p.accent
    } else if response.hovered() {
        p.text
    } else {
        p.weak
    };
    let painter = ui.painter().with_clip_rect(rect.expand(1.0));
    let galley = super::topics::elided_name(ui, &topic.name, theme::small(), color, rect.width() - 10.0);
    let at = Align2::LEFT_CENTER
        .align_size_within_rect(galley.size(), rect.with_min_x(rect.left() + 10.0))
        .min;
    painter.galley(at, galley, color);
    response.clicked()
}

/// How a bucket looks: how full it is, from 0 for empty to 8, and whether that is known.
type Shade = (u32, bool);

fn density(ui: &Ui, state: &mut AppState, topic: &Topic, lane: Rect, axis: Axis, is_selected: bool) -> Shape {
    let buckets = ((lane.width() / BUCKET_POINTS) as usize).max(1);
    let asked = (axis.span, buckets, topic.messages);
    let times_revision = state.store.times_revision(topic.id);
    // while chunks are read one by one, not after each of them
    let is_new = |known: &Density| match state.store.is_reading() {
        true => known.times_revision >= times_revision / 16 * 15,
        false => known.times_revision == times_revision,
    };
    let known = state.timeline.densities.get(&topic.id).filter(|d| d.asked == asked && is_new(d));
    let shades = match known {
        Some(known) => known.shades.clone(),
        None => {
            let shades: Arc<[Shade]> = shades(&state.store.density(topic.id, axis.span, buckets)).into();
            let kept = Density {
                asked,
                times_revision,
                shades: shades.clone(),
            };
            state.timeline.densities.insert(topic.id, kept);
            shades
        }
    };
    let p = palette(ui.visuals());
    let color = if is_selected { p.accent } else { p.weak };
    let mut mesh = Mesh::default();
    let bucket_width = lane.width() / buckets as f32;
    let (top, bottom) = (lane.top() + 3.0, lane.bottom() - 4.0);
    let mut from = 0;
    // neighbours of one look become one rectangle
    for run in shades.chunk_by(|a, b| a == b) {
        let to = from + run.len();
        if let Some((level @ 1.., is_known)) = run.first().copied() {
            let rect = Rect::from_min_max(
                pos2(lane.left() + from as f32 * bucket_width, top),
                pos2(lane.left() + to as f32 * bucket_width, bottom),
            );
            let strength = if is_known {
                0.12 + 0.5 * level as f32 / 8.0
            } else {
                0.08 + 0.16 * level as f32 / 8.0
            };
            mesh.add_colored_rect(rect, color.gamma_multiply(strength));
        }
        from = to;
    }
    Shape::mesh(mesh)
}

/// What is only expected somewhere in a chunk is paler, unless there are so many messages that one is in each bucket all the same.
fn shades(density: &store::Density) -> Vec<Shade> {
    const SURE: f32 = 0.75;
    let both = density.known.iter().zip(&density.spread);
    let sure: Vec<f32> = both
        .map(|(known, spread)| match *known > 0.0 || *spread >= SURE {
            true => known + spread,
            false => 0.0,
        })
        .collect();
    let sure = evened(&sure);
    let most = |counts: &[f32]| counts.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let (most_sure, most_spread) = (most(&sure), most(&density.spread));
    let shade = |(sure, spread): (&f32, &f32)| match level_of(*sure, most_sure) {
        0 => (level_of(*spread, most_spread), false),
        level => (level, true),
    };
    sure.iter().zip(&density.spread).map(shade).collect()
}

/// Without the beat of messages against buckets where none is empty; what stands alone, and every gap, stays as it is.
fn evened(counts: &[f32]) -> Vec<f32> {
    const REACH: usize = 2;
    let mut out = Vec::with_capacity(counts.len());
    for run in counts.chunk_by(|a, b| (*a > 0.0) == (*b > 0.0)) {
        out.extend((0..run.len()).map(|at| {
            let near = run
                .get(at.saturating_sub(REACH)..(at + REACH + 1).min(run.len()))
                .unwrap_or_default();
            near.iter().sum::<f32>() / near.len().max(1) as f32
        }));
    }
    out
}

/// Warnings and errors of a log, as far as a log panel has it loaded.
fn levels(ui: &Ui, state: &mut AppState, topic: TopicId, lane: Rect, axis: Axis) -> Shape {
    let p = palette(ui.visuals());
    let buckets = ((lane.width() / BUCKET_POINTS) as usize).max(1);
    let revision = state.store.rows(topic, Form::Log).map_or(0, |rows| rows.revision());
    let asked = (axis.span, buckets, revision);
    let known = state.timeline.levels.get(&topic).filter(|l| l.asked == asked);
    let counts = match known {
        Some(known) => known.counts.clone(),
        None => {
            let counts: Arc<[[f32; 5]]> = state.store.log_levels(topic, axis.span, buckets).into();
            let kept = counts.clone();
            state.timeline.levels.insert(topic, Levels { asked, counts: kept });
            counts
        }
    };
    let width = lane.width() / buckets as f32;
    let mut mesh = Mesh::default();
    for (at, [_, _, warnings, errors, fatal]) in counts.iter().enumerate() {
        let is_error = errors + fatal > 0.0;
        if is_error || *warnings > 0.0 {
            let left = lane.left() + at as f32 * width;
            let top = if is_error { lane.top() + 3.0 } else { lane.top() + 6.0 };
            let bar = Rect::from_min_max(pos2(left, top), pos2(left + width, lane.bottom() - 4.0));
            mesh.add_colored_rect(bar, if is_error { p.error } else { p.warn });
        }
    }
    Shape::mesh(mesh)
}

/// 0 for none, otherwise 1 to 8.
fn level_of(count: f32, most: f32) -> u32 {
    if count <= 0.0 {
        0
    } else {
        ((count / most * 8.0).ceil() as u32).clamp(1, 8)
    }
}

impl AppState {
    /// Spans in which a topic is loaded. A film's pictures tell nothing of how they came about.
    pub(super) fn loaded(&self, topic: TopicId) -> Vec<Span> {
        if self.is_film { Vec::new() } else { self.store.loaded(topic) }
    }
}

fn loaded(ui: &Ui, state: &AppState, topic: TopicId, lane: Rect, axis: Axis) -> Shape {
    let color: Color32 = palette(ui.visuals()).accent;
    let mut mesh = Mesh::default();
    for span in state.loaded(topic) {
        if !span.overlaps(axis.span) {
            continue;
        }
        let from = axis.x(span.start.max(axis.span.start));
        let to = axis.x(span.end.min(axis.span.end)).max(from + 1.0);
        mesh.add_colored_rect(
            Rect::from_min_max(pos2(from, lane.bottom() - 3.0), pos2(to, lane.bottom() - 1.5)),
            color,
        );
    }
    Shape::mesh(mesh)
}
