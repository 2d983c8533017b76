//! The visible time that plots and state transitions share, so that what is seen above and below each other happened at once.

use egui::{Context, Id};

/// Seconds from the recording's start; None: each shows what it has.
pub type Range = Option<(f64, f64)>;

pub fn share(ctx: &Context, range: Range) {
    ctx.data_mut(|d| d.insert_temp(id(), range));
}

pub fn shared(ctx: &Context) -> Range {
    ctx.data(|d| d.get_temp::<Range>(id())).flatten()
}

fn id() -> Id {
    Id::unique("time range of all plots")
}
