//! The dialog that fits a layout to a recording whose topics or frames are called otherwise: a table of what becomes what.

use egui::{ComboBox, RichText, ScrollArea, Ui};

use super::AppState;
use super::dialog::{self, Dialog};
use crate::layout::{Fit, Misfit, NameOf};
use crate::theme::{self, icon, palette, widget};

pub struct Fitting {
    fit: Fit,
    /// Nobody asked for it: the layout was opened.
    is_offer: bool,
    as_variables: bool,
}

impl Dialog {
    pub fn fit(fit: Fit, is_offer: bool) -> Dialog {
        Dialog::Fit(Box::new(Fitting {
            fit,
            is_offer,
            as_variables: false,
        }))
    }
}

const MOST_ROWS: usize = 300;
const LEAVE: &str = "Leave as it is";

/// True where it is done with.
pub fn dialog(ui: &mut Ui, state: &mut AppState, fitting: &mut Fitting) -> bool {
    let p = palette(ui.visuals());
    ui.set_width(720.0);
    dialog::title(ui, "Fit the layout to the recording");
    if fitting.fit.misfits.is_empty() {
        ui.label(RichText::new("Every topic and frame of the layout is in the recording.").color(p.weak));
        return dialog::close_row(ui);
    }
    let what = match fitting.is_offer {
        true => "Some topics or frames of this layout are called otherwise here. What fits by type and name is proposed.",
        false => "These topics or frames of the layout are not in the recording. What fits by type and name is proposed.",
    };
    ui.label(RichText::new(what).color(p.weak));
    ui.add_space(8.0);
    egui::Frame::new().fill(p.base).corner_radius(4).inner_margin(8).show(ui, |ui| {
        ScrollArea::vertical().max_height(360.0).auto_shrink([false, true]).show(ui, |ui| {
            egui::Grid::new("fit")
                .num_columns(3)
                .spacing([12.0, 6.0])
                .min_col_width(24.0)
                .show(ui, |ui| {
                    for (at, misfit) in fitting.fit.misfits.iter_mut().take(MOST_ROWS).enumerate() {
                        row(ui, at, misfit);
                        ui.end_row();
                    }
                });
            if let Some(more @ 1..) = fitting.fit.misfits.len().checked_sub(MOST_ROWS) {
                widget::note(ui, format!("and {more} more"));
            }
        });
    });
    ui.add_space(8.0);
    ui.checkbox(&mut fitting.as_variables, "Save as variables").on_hover_text(
        "Panels name a variable ($lidar), and the variable says which topic that is here: one change fits the next recording",
    );
    ui.add_space(8.0);
    let count = fitting.fit.misfits.iter().filter(|misfit| misfit.take.is_some()).count();
    let mut done = false;
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        let label = match count {
            1 => "Change 1 name".to_owned(),
            _ => format!("Change {count} names"),
        };
        ui.add_enabled_ui(count > 0, |ui| {
            if widget::primary_button(ui, &label).clicked() {
                let before = state.layout();
                let layout = match fitting.as_variables {
                    true => fitting.fit.apply_as_variables(&before),
                    false => fitting.fit.apply(&before),
                };
                state.change_layout(&layout, "Fitted to the recording");
                done = true;
            }
        });
        if ui
            .add(egui::Button::new("Leave as it is").min_size(egui::vec2(0.0, 28.0)))
            .clicked()
        {
            done = true;
        }
    });
    done
}

fn row(ui: &mut Ui, at: usize, misfit: &mut Misfit) {
    let p = palette(ui.visuals());
    let what = match misfit.what {
        NameOf::Topic => "topic",
        NameOf::Frame => "frame",
    };
    ui.vertical(|ui| {
        ui.set_width(280.0);
        ui.add(egui::Label::new(&misfit.name).truncate())
            .on_hover_text(format!("{}\nIn: {}", misfit.why, misfit.panels.join(", ")));
        let panels = match misfit.panels.as_slice() {
            [one] => one.clone(),
            many => format!("{} panels", many.len()),
        };
        ui.label(RichText::new(format!("{what} · {panels}")).font(theme::small()).color(p.faint));
    });
    let arrow = if misfit.take.is_some() { p.accent } else { p.faint };
    ui.label(RichText::new(icon::ARROW_RIGHT).font(theme::icons(14.0)).color(arrow));
    if misfit.choices.is_empty() {
        ui.label(RichText::new("nothing like it here").color(p.faint));
        return;
    }
    let shown = misfit.take.clone().unwrap_or_else(|| LEAVE.to_owned());
    let choose = ComboBox::from_id_salt(("fit", at)).selected_text(shown).width(330.0).truncate();
    let (take, choices) = (&mut misfit.take, &misfit.choices);
    let name = format!("Instead of {}", misfit.name);
    let combo = choose.show_ui(ui, |ui| {
        if ui.selectable_label(take.is_none(), RichText::new(LEAVE).color(p.weak)).clicked() {
            *take = None;
        }
        for choice in choices {
            let beside = RichText::new(&choice.detail).font(theme::small()).color(p.weak);
            let is_taken = take.as_deref() == Some(&choice.name);
            let button = egui::Button::selectable(is_taken, choice.name.as_str()).right_text(beside);
            if ui.add(button.min_size(egui::vec2(330.0, 0.0))).clicked() {
                *take = Some(choice.name.clone());
            }
        }
    });
    ui.ctx().accesskit_node_builder(combo.response.id, |node| node.set_label(name));
}
