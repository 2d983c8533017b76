//! The dialog that tells what became of another program's layout: panel by panel, what is shown, what is kept for the way back,
//! and what is lost.

use egui::{RichText, ScrollArea, Ui};

use super::AppState;
use super::dialog::{self, Dialog};
use crate::layout::{Dialect, Fate, PanelReport, Report, Row};
use crate::theme::{self, icon, palette, widget};
use crate::workspace;

pub struct Reported {
    title: String,
    what: &'static str,
    report: Report,
    /// Of each panel, and last of what lies around them.
    parts: Vec<Reporting>,
}

/// One part of the report, made once.
struct Reporting {
    title: String,
    kind: Told,
    /// How many of its keys are shown, kept and lost.
    counts: [usize; 3],
    rows: Vec<Row>,
}

enum Told {
    Panel,
    /// One that is not known here.
    Unknown,
    Around,
}

impl Dialog {
    pub fn report(name: &str, report: Report) -> Dialog {
        let what = "What it says is shown, kept for the way back into its own format, or lost.";
        reported(format!("“{name}” from {}", report.dialect.name()), what, report)
    }

    pub fn exported(to: Dialect, report: Report) -> Dialog {
        let what = "What that program can show, what is kept for Roadreel, and what is lost.";
        reported(format!("Exported to {}", to.name()), what, report)
    }
}

fn reported(title: String, what: &'static str, report: Report) -> Dialog {
    let panels = report.panels.iter().map(of_panel);
    let around = Reporting::new("Around the panels".to_owned(), Told::Around, &report.around);
    let around = Some(around).filter(|around| around.counts != [0; 3]);
    let parts = panels.chain(around).collect();
    Dialog::Report(Box::new(Reported {
        title,
        what,
        report,
        parts,
    }))
}

fn of_panel(panel: &PanelReport) -> Reporting {
    let named = |kind| workspace::kind(kind).map_or(kind, |kind| kind.name);
    match panel.ours.as_deref() {
        Some(ours) => Reporting::new(format!("{}  →  {}", named(&panel.theirs), named(ours)), Told::Panel, panel),
        None => Reporting::new(format!("{}  →  kept, not shown", named(&panel.theirs)), Told::Unknown, panel),
    }
}

impl Reporting {
    fn new(title: String, kind: Told, panel: &PanelReport) -> Reporting {
        Reporting {
            title,
            kind,
            counts: [Fate::Mapped, Fate::Kept, Fate::Lost].map(|fate| panel.count(fate)),
            rows: panel.rows(),
        }
    }
}

/// More than these are read in the text that can be copied.
const MOST_ROWS: usize = 300;

/// True where it is done with.
pub fn dialog(ui: &mut Ui, _state: &mut AppState, reported: &Reported) -> bool {
    let p = palette(ui.visuals());
    ui.set_width(680.0);
    dialog::title(ui, &reported.title);
    ui.label(RichText::new(reported.what).color(p.weak));
    ui.add_space(8.0);
    let report = &reported.report;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 16.0;
        for fate in [Fate::Mapped, Fate::Kept, Fate::Lost] {
            total(ui, fate, report.count(fate));
        }
    });
    for warning in &report.warnings {
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(icon::WARNING).font(theme::icons(13.0)).color(p.warn));
            ui.label(warning);
        });
    }
    ui.add_space(8.0);
    egui::Frame::new().fill(p.base).corner_radius(4).inner_margin(8).show(ui, |ui| {
        ScrollArea::vertical().max_height(360.0).auto_shrink([false, true]).show(ui, |ui| {
            for (at, part) in reported.parts.iter().enumerate() {
                ui.push_id(at, |ui| one_part(ui, part));
            }
        });
    });
    ui.add_space(12.0);
    let mut done = false;
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        done = widget::primary_button(ui, "Done").clicked();
        if ui.add(egui::Button::new("Copy as text").min_size(egui::vec2(0.0, 28.0))).clicked() {
            ui.ctx().copy_text(report.text());
        }
    });
    done
}

fn look(ui: &Ui, fate: Fate) -> (&'static str, egui::Color32, &'static str) {
    let p = palette(ui.visuals());
    match fate {
        Fate::Mapped => (icon::CHECK, p.ok, "shown"),
        Fate::Kept => (icon::STACK_SIMPLE, p.weak, "kept"),
        Fate::Lost => (icon::X, p.error, "lost"),
    }
}

fn total(ui: &mut Ui, fate: Fate, count: usize) {
    let (glyph, color, word) = look(ui, fate);
    let faint = palette(ui.visuals()).faint;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.label(
            RichText::new(glyph)
                .font(theme::icons(13.0))
                .color(if count == 0 { faint } else { color }),
        );
        ui.label(RichText::new(format!("{count} {word}")).font(theme::semibold(13.0)));
    });
}

fn one_part(ui: &mut Ui, part: &Reporting) {
    let p = palette(ui.visuals());
    let [mapped, kept, lost] = part.counts;
    let color = match part.kind {
        _ if lost > 0 => p.error,
        Told::Unknown => p.warn,
        Told::Panel | Told::Around => p.text,
    };
    let told = match part.counts {
        [0, 0, 0] => format!("{}      nothing is set", part.title),
        _ => format!("{}      {mapped} shown · {kept} kept · {lost} lost", part.title),
    };
    let header = egui::CollapsingHeader::new(RichText::new(told).color(color))
        .id_salt("keys of")
        .default_open(lost > 0);
    header.show(ui, |ui| {
        let grid = egui::Grid::new("keys").num_columns(3).spacing([12.0, 2.0]).min_col_width(14.0);
        grid.show(ui, |ui| {
            for row in part.rows.iter().take(MOST_ROWS) {
                one_row(ui, row);
                ui.end_row();
            }
        });
        if let Some(more @ 1..) = part.rows.len().checked_sub(MOST_ROWS) {
            widget::note(ui, format!("and {more} more, which stand in the text"));
        }
    });
}

fn one_row(ui: &mut Ui, row: &Row) {
    let p = palette(ui.visuals());
    let (glyph, color, word) = look(ui, row.fate);
    ui.label(RichText::new(glyph).font(theme::icons(12.0)).color(color))
        .on_hover_text(word);
    let times = if row.count > 1 {
        format!("  ×{}", row.count)
    } else {
        String::new()
    };
    ui.label(RichText::new(format!("{}{times}", row.key)).font(theme::small()));
    ui.add(egui::Label::new(RichText::new(&row.note).font(theme::small()).color(p.weak)).wrap());
}
