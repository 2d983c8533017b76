//! What the open recordings are: files, formats, times, chunks, what is wrong with them, and their topics.
//!
//! Invariants: all comes from the recordings' indexes; only sizes of messages are read, on request, and summed up by the store's work. What
//! is told of a recording is put into words once, not in each frame.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::{Grid, RichText, ScrollArea, Ui, vec2};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::decode::Form;
use crate::format::Catalog;
use crate::panel::columns::{self, Align, Column};
use crate::panel::{Action, Kind, Panel, PanelState, View, command, widget};
use crate::store::{LinkState, SourceId, SourceInfo, SourceState, Store, Topic, Want, What};
use crate::text::format_bytes;
use crate::theme::{self, icon};
use crate::time;

pub const KIND: Kind = Kind {
    id: "source_info",
    name: "Source info",
    what: "Files, formats, times, chunks, warnings and topics of the recordings",
    icon: theme::icon::INFO,
    create: |config| Box::new(SourceInfoPanel::new(config)),
    schema: crate::panel::schema_of::<Config>,
    automatic: |_| Vec::new(),
};

/// What a layout stores.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
struct Config {
    sort: Sort,
    descending: bool,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Sort {
    #[default]
    Topic,
    Type,
    Messages,
    Rate,
    MeanSize,
    Size,
}

const COLUMNS: [(Sort, Column<'static>); 6] = {
    const fn column(name: &'static str, hint: &'static str, width: f32, align: Align) -> Column<'static> {
        Column { name, hint, width, align }
    }
    [
        (Sort::Topic, column("Topic", "", 0.0, Align::Left)),
        (Sort::Messages, column("Messages", "How many were recorded", 76.0, Align::Right)),
        (Sort::Rate, column("Rate", "Messages a second, on average", 76.0, Align::Right)),
        (
            Sort::MeanSize,
            column("Mean size", "Of a message, uncompressed", 76.0, Align::Right),
        ),
        (Sort::Size, column("Size", "Of all messages, uncompressed", 76.0, Align::Right)),
        (Sort::Type, column("Type", "", 190.0, Align::Left)),
    ]
};

struct SourceInfoPanel {
    config: Config,
    search: String,
    /// Sizes of messages are wanted.
    measures: bool,
    /// What is known of each recording, and what of it that was made of.
    facts: Vec<Facts>,
    facts_of: Option<(u64, Vec<Known>)>,
    state: PanelState,
}

/// Name and value.
type Facts = Vec<(&'static str, String)>;
/// What changes without the catalogues.
type Known = (SourceState, LinkState, Arc<str>);

impl SourceInfoPanel {
    fn new(config: &Value) -> SourceInfoPanel {
        SourceInfoPanel {
            config: widget::config_from(config),
            search: String::new(),
            measures: false,
            facts: Vec::new(),
            facts_of: None,
            state: PanelState::Pending("the recording's index is being read".into()),
        }
    }

    fn refresh(&mut self, view: &View) {
        let mut missing = 0;
        for topic in view.store.topics().iter().filter(|_| self.measures) {
            let rows = view.store.rows(topic.id, Form::Stamps);
            missing += usize::from(rows.is_none_or(|rows| !rows.is_complete(view.span)));
        }
        self.refresh_facts(view.store);
        self.state = match view.store.sources() {
            [] => PanelState::Absent("No recording is open".into()),
            sources => sources
                .iter()
                .map(|s| &s.state)
                .fold(PanelState::Ready, |worst, state| match (state, worst) {
                    (SourceState::Failed(why), _) => PanelState::Failed(why.to_string()),
                    (SourceState::Opening, PanelState::Ready) => PanelState::Pending("the recording's index is being read".into()),
                    (SourceState::Indexing { done_fraction }, PanelState::Ready) => {
                        PanelState::Partial(format!("the index is being made anew: {:.0} %", done_fraction * 100.0))
                    }
                    (_, worst) => worst,
                }),
        };
        if self.state == PanelState::Ready && missing > 0 {
            self.state = PanelState::Partial(format!("sizes of {missing} topics are still being read"));
        }
    }

    fn refresh_facts(&mut self, store: &Store) {
        let known = store.sources().iter().map(|s| (s.state.clone(), s.link.clone(), s.prefix.clone()));
        let now = Some((store.catalog_revision(), known.collect::<Vec<Known>>()));
        if self.facts_of != now {
            let of = |(at, source)| facts(source, store.catalog(at));
            self.facts = (0..).zip(store.sources()).map(of).collect();
            self.facts_of = now;
        }
    }

    /// Of the messages that were read the mean, and what that makes for all, in bytes.
    fn size(&self, store: &Store, topic: &Topic) -> Option<(f64, f64)> {
        let mean = store.stamping(topic.id).map(|s| s.mean_size_bytes).filter(|mean| *mean > 0.0)?;
        Some((mean, mean * topic.messages as f64))
    }

    /// All recordings, as they are described.
    fn text(&self, store: &Store) -> String {
        let sources = self.facts.iter().zip(store.sources());
        sources
            .map(|(facts, source)| source_text(facts, source))
            .collect::<Vec<_>>()
            .join("\n\n")
    }

    /// The topics that are listed; sizes only where they were measured.
    fn csv(&self, store: &Store) -> String {
        let mut csv = "topic,type,messages,rate_hz,mean_size_bytes\n".to_owned();
        for topic in self.sorted(store) {
            let number = |n: Option<f64>| n.map_or_else(String::new, |n| n.to_string());
            let (rate, size) = (number(topic.rate_hz()), number(self.size(store, topic).map(|s| s.0)));
            let name = topic.name.replace('"', "\"\"");
            csv.push_str(&format!("\"{name}\",{},{},{rate},{size}\n", topic.type_name, topic.messages));
        }
        csv
    }

    fn sorted<'a>(&self, store: &'a Store) -> Vec<&'a Topic> {
        let fits = |t: &&Topic| widget::matches_words(&format!("{} {}", t.name, t.type_name), &self.search);
        let mut topics: Vec<&Topic> = store.topics().iter().filter(fits).collect();
        let number = |t: &Topic| match self.config.sort {
            Sort::Messages => t.messages as f64,
            Sort::Rate => t.rate_hz().unwrap_or(0.0),
            Sort::MeanSize => self.size(store, t).map_or(0.0, |s| s.0),
            Sort::Size => self.size(store, t).map_or(0.0, |s| s.1),
            Sort::Topic | Sort::Type => 0.0,
        };
        topics.sort_by(|a, b| {
            let order = match self.config.sort {
                Sort::Topic => a.name.cmp(&b.name),
                Sort::Type => a.type_name.cmp(&b.type_name),
                _ => number(a).total_cmp(&number(b)),
            };
            let order = if self.config.descending { order.reverse() } else { order };
            order.then_with(|| a.name.cmp(&b.name))
        });
        topics
    }

    fn topics_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let p = theme::palette(ui.visuals());
        let list: Vec<Column> = COLUMNS.iter().map(|c| c.1).collect();
        let topics = self.sorted(view.store);
        ui.spacing_mut().item_spacing.y = 0.0;
        let (head, _) = ui.allocate_exact_size(vec2(ui.available_width(), columns::ROW_HEIGHT), egui::Sense::hover());
        let places = columns::places(head, &list, 180.0);
        let at = COLUMNS.iter().position(|c| c.0 == self.config.sort).unwrap_or(0);
        if let Some(clicked) = columns::head_ui(ui, head, &list, &places, Some((at, self.config.descending))) {
            let sort = COLUMNS[clicked].0;
            let is_number = list[clicked].align == Align::Right;
            self.config.descending = if self.config.sort == sort {
                !self.config.descending
            } else {
                is_number
            };
            self.config.sort = sort;
            out.push(Action::Changed);
        }
        for topic in topics {
            let size = self.size(view.store, topic);
            let bytes = |b: f64| format_bytes(b as u64);
            let cells = [
                topic.name.to_string(),
                topic.messages.to_string(),
                topic.rate_hz().map_or_else(String::new, widget::rate_text),
                size.map_or_else(String::new, |s| bytes(s.0)),
                size.map_or_else(String::new, |s| bytes(s.1)),
                topic.type_name.to_string(),
            ];
            let name = cells.iter().filter(|c| !c.is_empty()).cloned().collect::<Vec<_>>().join(" ");
            let row = columns::row_ui(ui, view.selected == Some(topic.id), &name);
            for ((text, place), column) in cells.iter().zip(&places).zip(&list) {
                let color = if column.name == "Type" { p.weak } else { p.text };
                columns::cell(ui.painter(), row.rect, *place, column.align, text, color);
            }
            if row.clicked() {
                out.push(Action::Select(topic.id));
            }
            let row = match &topic.schema_error {
                Some(why) => row.on_hover_text(&**why),
                None => row,
            };
            widget::topic_menu(&row, topic, out);
        }
    }

    /// Offers to read how large the messages are.
    fn measure_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let size: u64 = view.store.sources().iter().map(|s| s.size).sum();
        if self.measures {
            if let PanelState::Partial(why) = &self.state {
                theme::widget::note(ui, why);
            }
        } else if ui
            .button(format!("Measure sizes (reads {})", format_bytes(size)))
            .on_hover_text("How large the messages are, the recording's index does not tell")
            .clicked()
        {
            self.measure(view, out);
        }
    }

    fn measure(&mut self, view: &View, out: &mut Vec<Action>) {
        self.measures = true;
        let not_whole = view.store.topics().iter().filter(|t| view.store.whole_cost_bytes(t.id).is_some());
        out.extend(not_whole.map(|t| Action::ReadWhole(t.id)));
    }
}

fn source_text(facts: &Facts, source: &SourceInfo) -> String {
    let lines = facts.iter().map(|(name, value)| format!("{name}: {value}"));
    let warnings = source.warnings.iter().map(|w| format!("Warning at byte {}: {}", w.offset, w.what));
    lines.chain(warnings).collect::<Vec<_>>().join("\n")
}

/// What is known of a recording.
fn facts(source: &SourceInfo, catalog: Option<&Catalog>) -> Facts {
    let mut facts = vec![("Location", source.location.to_string())];
    if !source.prefix.is_empty() {
        facts.push(("Prefix of topics", source.prefix.to_string()));
    }
    match &source.state {
        SourceState::Opening => facts.push(("State", "The index is being read".into())),
        SourceState::Indexing { done_fraction } => {
            facts.push(("State", format!("The index is being made anew: {:.0} %", done_fraction * 100.0)));
        }
        SourceState::Failed(why) => facts.push(("State", format!("Failed: {why}"))),
        SourceState::Open => {}
    }
    if source.link != LinkState::Works {
        facts.push(("Link", "Has run out: open it anew, or give it another link".into()));
    }
    let Some(catalog) = catalog else { return facts };
    facts.push(("Format", catalog.format.to_owned()));
    facts.push(("Size", format!("{} ({} bytes)", format_bytes(catalog.size), catalog.size)));
    if let Some(span) = catalog.span() {
        facts.push((
            "Start",
            format!("{}  ({})", time::format_utc(span.start), time::format_epoch(span.start)),
        ));
        facts.push(("End", format!("{}  ({})", time::format_utc(span.end), time::format_epoch(span.end))));
        facts.push(("Duration", time::format_duration(span.nanos())));
    }
    facts.push(("Messages", catalog.messages().to_string()));
    facts.push(("Connections", catalog.connections.len().to_string()));
    facts.push(("Chunks", chunks_text(catalog)));
    facts.push(("Compression", compression_text(catalog)));
    let index = if catalog.indexed {
        "The file's own"
    } else {
        "Made anew by reading the whole file"
    };
    facts.push(("Index", index.to_owned()));
    facts.extend(catalog.notes.iter().map(|note| ("Left out", note.clone())));
    facts
}

fn chunks_text(catalog: &Catalog) -> String {
    let count = catalog.chunks.len() as u64;
    let bytes: u64 = catalog.chunks.iter().map(|c| c.range.end.saturating_sub(c.range.start)).sum();
    match (count, bytes.checked_div(count)) {
        (_, None) => "0".to_owned(),
        (1, _) => format!("1, {}", format_bytes(bytes)),
        (_, Some(mean)) => {
            let longest = catalog.chunks.iter().map(|c| c.span.nanos()).max().unwrap_or(0);
            format!(
                "{count}, {} on average, up to {} long",
                format_bytes(mean),
                time::format_duration(longest)
            )
        }
    }
}

/// `lz4 (601 chunks)`, or each with its share.
fn compression_text(catalog: &Catalog) -> String {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for chunk in &catalog.chunks {
        *kinds.entry(&chunk.compression).or_default() += 1;
    }
    match kinds.len() {
        0 => "–".to_owned(),
        1 => kinds.keys().map(|k| (*k).to_owned()).collect(),
        _ => kinds
            .iter()
            .map(|(kind, n)| format!("{kind} ({n} chunks)"))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn source_ui(ui: &mut Ui, at: SourceId, source: &SourceInfo, facts: &Facts, out: &mut Vec<Action>) {
    let p = theme::palette(ui.visuals());
    ui.horizontal(|ui| {
        ui.label(RichText::new(icon::FILE).color(p.weak));
        ui.add(egui::Label::new(RichText::new(source.location.name()).font(theme::semibold(14.0))).truncate());
    });
    Grid::new(("facts", at)).num_columns(2).spacing([16.0, 2.0]).show(ui, |ui| {
        for (name, value) in facts {
            ui.label(RichText::new(*name).color(p.weak));
            let is_bad = *name == "State" && matches!(source.state, SourceState::Failed(_));
            let text = RichText::new(value).color(if is_bad { p.error } else { p.text });
            ui.add(egui::Label::new(text).truncate());
            ui.end_row();
        }
    });
    if !source.warnings.is_empty() {
        let title = match source.warnings.len() {
            1 => "1 warning".to_owned(),
            n => format!("{n} warnings"),
        };
        let title = RichText::new(format!("{} {title}", icon::WARNING)).color(p.warn);
        egui::CollapsingHeader::new(title)
            .id_salt(("warnings", at))
            .default_open(source.warnings.len() <= 20)
            .show(ui, |ui| {
                for warning in source.warnings.iter().take(200) {
                    ui.horizontal_top(|ui| {
                        let offset = RichText::new(format!("byte {}", warning.offset)).font(egui::FontId::monospace(11.0));
                        ui.label(offset.color(p.weak));
                        ui.add(egui::Label::new(&warning.what).wrap());
                    });
                }
            });
    }
    ui.horizontal(|ui| {
        if theme::widget::quiet_button(ui, "Copy as text").clicked() {
            out.push(Action::CopyText(source_text(facts, source)));
        }
    });
}

const COMMANDS: &[command::Command<SourceInfoPanel>] = &[
    ("Copy all as text", |info, view, out| {
        out.push(Action::CopyText(info.text(view.store)))
    }),
    ("Copy the topics as CSV", |info, view, out| {
        out.push(Action::CopyText(info.csv(view.store)));
    }),
    ("Save the topics as CSV…", |info, view, out| {
        out.push(Action::SaveFile {
            name: "topics.csv".into(),
            bytes: info.csv(view.store).into_bytes().into(),
        });
    }),
    ("Measure sizes", |info, view, out| info.measure(view, out)),
];

impl Panel for SourceInfoPanel {
    fn title(&self, _view: &View) -> String {
        "Source info".into()
    }

    fn wants(&self, view: &View, out: &mut Vec<Want>) {
        for topic in view.store.topics().iter().filter(|_| self.measures) {
            let span = view.store.series_span(topic.id, view.now);
            out.push(Want {
                topic: topic.id,
                what: What::Rows { form: Form::Stamps, span },
            });
            out.push(Want {
                topic: topic.id,
                what: What::Figures(Form::Stamps),
            });
        }
    }

    fn ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        let rect = ui.available_rect_before_wrap();
        self.refresh(view);
        if let PanelState::Absent(why) = &self.state {
            return widget::empty_note(ui, rect, why);
        }
        let behind = ui.interact(rect, ui.scope_id().with("source info"), egui::Sense::click());
        command::menu(&behind, COMMANDS, self, view, out);
        ui.scope_builder(egui::UiBuilder::new().max_rect(rect), |ui| {
            ui.set_clip_rect(rect.intersect(ui.clip_rect()));
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                egui::Frame::new().inner_margin(egui::Margin::symmetric(12, 8)).show(ui, |ui| {
                    for ((at, source), facts) in (0..).zip(view.store.sources()).zip(&self.facts) {
                        source_ui(ui, at, source, facts, out);
                        ui.add_space(8.0);
                    }
                    ui.horizontal(|ui| {
                        let edit = egui::TextEdit::singleline(&mut self.search)
                            .hint_text("Filter topics")
                            .desired_width(160.0);
                        widget::named(ui.add(edit), "Filter topics");
                        self.measure_ui(ui, view, out);
                    });
                });
                self.topics_ui(ui, view, out);
            });
        });
        ui.advance_cursor_after_rect(rect);
    }

    fn settings_ui(&mut self, ui: &mut Ui, view: &View, out: &mut Vec<Action>) {
        self.measure_ui(ui, view, out);
        theme::widget::note(ui, "Rates are over a topic's own span, sizes of messages before compression.");
    }

    fn commands(&self) -> Vec<&'static str> {
        command::names(COMMANDS)
    }

    fn run(&mut self, command: &str, view: &View, out: &mut Vec<Action>) {
        command::run(COMMANDS, self, command, view, out);
    }

    fn config(&self) -> Value {
        json!(self.config)
    }

    fn state(&self, _view: &View) -> PanelState {
        self.state.clone()
    }
}
