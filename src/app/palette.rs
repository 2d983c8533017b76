//! Ctrl+K: search commands, topics, panels and layouts by a few letters, and run what was found.

use egui::{Align2, Context, Id, Key, RichText, Role, TextEdit, Ui, WidgetInfo, vec2};

use super::AppState;
use super::command::{COMMANDS, Command};
use super::place::Place;
use crate::panel::PANELS;
use crate::store::TopicId;
use crate::theme::{self, icon, palette};
use crate::workspace::Edit;

#[derive(Default)]
pub struct PaletteState {
    text: Option<String>,
    chosen: usize,
}

impl PaletteState {
    pub fn open(&mut self) {
        self.text = Some(String::new());
        self.chosen = 0;
    }

    pub fn is_open(&self) -> bool {
        self.text.is_some()
    }
}

#[derive(Clone)]
enum Target {
    Command(Command),
    Topic(TopicId),
    Panel(&'static str),
    Layout(Place),
    /// A command of the selected panel.
    OfPanel(&'static str),
}

struct Found {
    glyph: &'static str,
    name: String,
    beside: String,
    target: Target,
}

const ROWS: usize = 12;

pub fn ui(ctx: &Context, state: &mut AppState) {
    let Some(mut text) = state.palette.text.take() else {
        return;
    };
    let found = search(ctx, state, &text);
    let last = found.len().saturating_sub(1);
    let (down, up, enter) = ctx.input(|i| {
        (
            i.key_pressed(Key::ArrowDown),
            i.key_pressed(Key::ArrowUp),
            i.key_pressed(Key::Enter),
        )
    });
    let moved = (state.palette.chosen + usize::from(down)).saturating_sub(usize::from(up));
    state.palette.chosen = moved.min(last);
    let area = egui::Area::new(Id::unique("palette")).anchor(Align2::CENTER_TOP, vec2(0.0, 64.0));
    let modal = egui::Modal::new(Id::unique("palette modal"))
        .area(area.order(egui::Order::Foreground))
        .frame(egui::Frame::popup(&ctx.global_style()).inner_margin(8).corner_radius(8))
        .show(ctx, |ui| rows(ui, &mut text, &found, state.palette.chosen));
    let picked = if enter {
        found.get(state.palette.chosen)
    } else {
        modal.inner.and_then(|at| found.get(at))
    };
    match picked {
        Some(found) => run(ctx, state, found.target.clone()),
        None if modal.should_close() => {}
        None => state.palette.text = Some(text),
    }
}

fn rows(ui: &mut Ui, text: &mut String, found: &[Found], chosen: usize) -> Option<usize> {
    let p = palette(ui.visuals());
    ui.set_width(520.0);
    let field = ui.add(
        TextEdit::singleline(text)
            .hint_text("Search commands, topics, panels, layouts")
            .desired_width(f32::INFINITY),
    );
    field.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Search or run"));
    field.request_focus();
    ui.add_space(4.0);
    let mut clicked = None;
    for (at, entry) in found.iter().enumerate().take(ROWS) {
        let beside = RichText::new(&entry.beside).font(theme::small()).color(p.weak);
        let label = format!("{}  {}", entry.glyph, entry.name);
        let button = egui::Button::selectable(at == chosen, label)
            .right_text(beside)
            .min_size(vec2(520.0, 24.0));
        if ui.add(button).clicked() {
            clicked = Some(at);
        }
    }
    if found.is_empty() {
        ui.label(RichText::new("Nothing by that name").color(p.weak));
    }
    clicked
}

fn search(ctx: &Context, state: &AppState, text: &str) -> Vec<Found> {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let fits = |name: &str| {
        let name = name.to_lowercase();
        words.iter().all(|w| name.contains(w.as_str()))
    };
    let commands = COMMANDS
        .iter()
        .filter(|e| e.command != Command::Palette && fits(e.name))
        .map(|e| Found {
            glyph: icon::CARET_RIGHT,
            name: e.name.to_owned(),
            beside: e.command.key(ctx),
            target: Target::Command(e.command),
        });
    let panels = PANELS.iter().map(|kind| (kind, format!("Add panel: {}", kind.name)));
    let panels = panels
        .filter(|(_, name)| state.store.span().is_some() && fits(name))
        .map(|(kind, name)| Found {
            glyph: kind.icon,
            name,
            beside: kind.what.to_owned(),
            target: Target::Panel(kind.id),
        });
    let topics = state.store.topics().iter().filter(|t| fits(&t.name)).map(|t| Found {
        glyph: icon::BROADCAST,
        name: t.name.to_string(),
        beside: t.type_name.to_string(),
        target: Target::Topic(t.id),
    });
    let shelves = state.layouts.library.shelves.iter();
    let layouts = shelves.flat_map(|shelf| shelf.layouts.iter().map(move |place| (shelf, place)));
    let layouts = layouts.map(|(shelf, place)| Found {
        glyph: icon::SQUARES_FOUR,
        name: format!("Open layout: {}", place.name()),
        beside: shelf.name.clone(),
        target: Target::Layout(place.clone()),
    });
    let layouts = layouts.filter(|found| fits(&found.name));
    let selected = state.selected_pane();
    let of_panel = selected.into_iter().flat_map(|pane| {
        let beside = pane.panel.title(&state.view());
        let commands = pane.panel.commands().into_iter().filter(|name| fits(name));
        commands.map(move |name| Found {
            glyph: pane.icon(),
            name: name.to_owned(),
            beside: beside.clone(),
            target: Target::OfPanel(name),
        })
    });
    let of_panel: Vec<Found> = of_panel.collect();
    // unasked the program's own commands stand first
    let (first, second) = match words.is_empty() {
        true => (commands.collect(), of_panel),
        false => (of_panel, commands.collect::<Vec<Found>>()),
    };
    first
        .into_iter()
        .chain(second)
        .chain(panels)
        .chain(layouts)
        .chain(topics)
        .take(ROWS)
        .collect()
}

fn run(ctx: &Context, state: &mut AppState, target: Target) {
    match target {
        Target::Command(command) => state.run(command, ctx),
        Target::Layout(place) => state.open_layout(place),
        Target::OfPanel(name) => state.run_of_panel(name, ctx),
        Target::Topic(topic) => state.add_for_topic(topic),
        Target::Panel(kind) => state.edit(Edit::Add {
            kind: kind.to_owned(),
            config: serde_json::Value::Null,
            beside: state.workspace.selected.clone(),
        }),
    }
    ctx.request_repaint();
}
