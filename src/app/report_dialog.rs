//! The dialog that tells what became of another program's layout: panel by panel, what is shown, what is kept for the way back,
//! and what is lost.

use egui::{RichText, ScrollArea, Ui};

use super::AppState;
use super::dialog::{self, Dialog};
use crate::layout::{Dialect, Fate, PanelReport, Report};
use crate::theme::{self, icon, palette, widget};
use crate::workspace;

pub struct Reported {
    title: String,
    what: &'static str,
    report: Report,
}

impl Dialog {
    pub fn report(name: &str, report: Report) -> Dialog {
        Dialog::Report(Box::new(Reported {
            title: format!("“{name}” from {}", report.dialect.name()),
            what: "What it says is shown, kept for the way back into its own format, or lost.",
            report,
        }))
    }

    pub fn exported(to: Dialect, report: Report) -> Dialog {
        Dialog::Report(Box::new(Reported {
            title: format!("Exported to {}", to.name()),
            what: "What that program can show, what is kept for Roadreel, and what is lost.",
            report,
        }))
    }
}

/// Of one panel: how many of its keys are shown, kept and lost.
fn counts(panel: &PanelReport) -> [usize; 3] {
    [panel.mapped.len(), panel.kept.len(), panel.lost.len()]
}

/// True where it is done with.
pub fn dialog(ui: &mut Ui, _state: &mut AppState, reported: &Reported) -> bool {
    let p = palette(ui.visuals());
    ui.set_width(680.0);
    dialog::title(ui, &reported.title);
    ui.label(RichText::new(reported.what).color(p.weak));
    ui.add_space(8.0);
    let report = &reported.report;
    let all = || report.panels.iter().chain([&report.around]);
    let [mapped, kept, lost] = all().map(counts).fold([0; 3], |[a, b, c], [x, y, z]| [a + x, b + y, c + z]);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 16.0;
        total(ui, Fate::Mapped, mapped);
        total(ui, Fate::Kept, kept);
        total(ui, Fate::Lost, lost);
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
            for panel in &report.panels {
                one_panel(ui, panel);
            }
            if counts(&report.around) != [0; 3] {
                one_panel(ui, &report.around);
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

fn one_panel(ui: &mut Ui, panel: &PanelReport) {
    let p = palette(ui.visuals());
    let ours = panel
        .ours
        .as_deref()
        .map(|kind| workspace::kind(kind).map_or(kind, |kind| kind.name));
    let [mapped, kept, lost] = counts(panel);
    let name = match ours {
        _ if panel.theirs.is_empty() => "Around the panels".to_owned(),
        Some(ours) => format!("{}  →  {ours}", panel.theirs),
        None => format!("{}  →  kept, not shown", panel.theirs),
    };
    let color = if lost > 0 {
        p.error
    } else if ours.is_none() && !panel.theirs.is_empty() {
        p.warn
    } else {
        p.text
    };
    let told = format!("{name}      {mapped} shown · {kept} kept · {lost} lost");
    let header = egui::CollapsingHeader::new(RichText::new(told).color(color))
        .id_salt((&panel.id, &panel.theirs))
        .default_open(lost > 0);
    header.show(ui, |ui| {
        egui::Grid::new((&panel.id, "keys"))
            .num_columns(3)
            .spacing([12.0, 2.0])
            .show(ui, |ui| {
                for row in panel.rows() {
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
                    ui.end_row();
                }
            });
    });
}
