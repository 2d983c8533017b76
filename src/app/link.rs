//! Links that run out: the countdown beside a recording's name, the banner when one has ended, and the dialog that takes the next
//! one.

use egui::{Key, RichText, Ui};

use super::dialog::{Dialog, link_field};
use super::{AppState, settings};
use crate::source::{Location, Presigned};
use crate::store::{LinkState, SourceInfo, SourceState};
use crate::theme::{self, icon, palette, widget};
use crate::time::format_utc;

/// Of a recording whose link is signed for a time: how much of that is left. True where the user asks for the next link.
pub fn chip(ui: &mut Ui, source: &SourceInfo) -> bool {
    let p = palette(ui.visuals());
    let presigned = source.location.presigned();
    let left_secs = presigned.map(|link| link.expires.since(settings::now()) / 1_000_000_000);
    let (text, color, tip) = match (&source.link, presigned, left_secs) {
        (LinkState::Renewing, ..) => {
            ui.label(RichText::new("trying the new link…").font(theme::small()).color(p.weak));
            return false;
        }
        (LinkState::Refused(why), ..) => ("new link refused".to_owned(), p.error, why.to_string()),
        (LinkState::Ended, ..) | (_, _, Some(..=0)) => (
            "link expired".to_owned(),
            p.error,
            "What is loaded stays. Paste a new link to this recording to read on.".to_owned(),
        ),
        (LinkState::Works, Some(link), Some(left)) => {
            // each text holds for at least a second
            ui.ctx().request_repaint_after_secs(if left < 120 { 1.0 } else { 20.0 });
            let color = if left < 300 { p.warn } else { p.weak };
            let at_most = if link.may_end_sooner { "≤ " } else { "" };
            (format!("expires in {at_most}{}", remaining(left)), color, told(&link))
        }
        (LinkState::Works, ..) => return false,
    };
    let text = RichText::new(format!("{text}  {}", icon::LINK)).font(theme::small()).color(color);
    let button = ui.add(egui::Button::new(text).frame_when_inactive(false));
    button.on_hover_text(format!("{tip}\nClick to give a new link.")).clicked()
}

/// Below the top bar while a link has ended: what that means, and the way on.
pub fn banner(ui: &mut Ui, state: &mut AppState) {
    let has_ended = |source: &SourceInfo| match &source.link {
        _ if !matches!(source.state, SourceState::Open | SourceState::Indexing { .. }) => false,
        LinkState::Works => source.location.expires().is_some_and(|end| end <= settings::now()),
        LinkState::Ended | LinkState::Refused(_) => true,
        LinkState::Renewing => false,
    };
    let Some((at, source)) = state.store.sources().iter().enumerate().find(|(_, source)| has_ended(source)) else {
        return;
    };
    let name = source.location.name();
    let why = match &source.link {
        LinkState::Refused(why) => format!("The new link was refused: {why}"),
        _ => "Its link has expired. What is loaded stays; a new link to it reads on.".to_owned(),
    };
    let p = palette(ui.visuals());
    let frame = egui::Frame::new().fill(p.overlay).inner_margin(egui::Margin::symmetric(12, 4));
    let panel = egui::Panel::top("link banner")
        .exact_size(36.0)
        .show_separator_line(false)
        .frame(frame);
    let asked = panel.show(ui, |ui| {
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let asked = widget::primary_button(ui, "New link…").clicked();
            ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                ui.label(RichText::new(icon::WARNING).font(theme::icons(14.0)).color(p.warn));
                ui.label(RichText::new(name).font(theme::semibold(13.0)));
                ui.add(egui::Label::new(why).truncate());
            });
            asked
        })
    });
    if asked.inner.inner {
        state.dialog = Some(Dialog::renew(at));
    }
}

fn told(link: &Presigned) -> String {
    let until: String = format_utc(link.expires).chars().take(16).collect();
    let sooner = match link.may_end_sooner {
        true => ", or sooner: it was signed with temporary credentials",
        false => "",
    };
    format!("Signed link ({}), works until {until} UTC{sooner}.", link.kind.name())
}

fn remaining(secs: i64) -> String {
    match secs {
        ..120 => format!("{secs} s"),
        120..7200 => format!("{} min", secs / 60),
        _ => format!("{} h", secs / 3600),
    }
}

/// Asks for the next link to a recording. True where it is done with.
pub fn dialog(ui: &mut Ui, state: &mut AppState, source: usize, text: &mut String, error: &mut Option<String>) -> bool {
    let p = palette(ui.visuals());
    ui.set_width(560.0);
    let Some(info) = state.store.sources().get(source) else {
        return true;
    };
    ui.label(RichText::new(format!("New link to {}", info.location.name())).font(theme::semibold(16.0)));
    ui.add_space(8.0);
    let what = "What is loaded stays. The new link has to lead to the same object: its length and ETag are checked.";
    ui.label(RichText::new(what).color(p.weak));
    ui.add_space(8.0);
    let field = link_field(ui, "New link", text, error.as_deref());
    ui.add_space(12.0);
    // a link has no line breaks: Enter means "use it"
    let entered = field.has_focus() && ui.input(|i| i.key_pressed(Key::Enter));
    let mut done = false;
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        if widget::primary_button(ui, "Use this link").clicked() || entered {
            match Location::parse(&super::links::unbroken(text)) {
                Ok(location) if location.is_remote() => {
                    state.store.renew(u32::try_from(source).unwrap_or(u32::MAX), location);
                    done = true;
                }
                Ok(_) => *error = Some("This is a path: give an https:// or s3:// link to the recording".to_owned()),
                Err(wrong) => *error = Some(wrong.to_string()),
            }
        }
        if ui.add(egui::Button::new("Cancel").min_size(egui::vec2(0.0, 28.0))).clicked() {
            done = true;
        }
    });
    done
}

impl Dialog {
    /// The next link to the source with this number.
    pub fn renew(source: usize) -> Dialog {
        Dialog::Renew {
            source,
            text: String::new(),
            error: None,
        }
    }
}
