//! Colours of data that must be the same in both looks: of names (classes, frames, namespaces). Colour maps are
//! [`crate::render::Colormap`].
//!
//! Invariant: nothing but data is coloured from here; surfaces, text, levels and plotted series come from the theme. The colours
//! stay apart for people with any of the common colour vision deficiencies and stand out on both dark and light surfaces.

use egui::Color32;

/// Colours of classes and tracks, in the order in which they are given out: middling in lightness, so that all can be told from
/// white and from near-black.
const SERIES: [Color32; 8] = [
    Color32::from_rgb(0x3D, 0x8B, 0xFD),
    Color32::from_rgb(0xE6, 0x8A, 0x00),
    Color32::from_rgb(0x12, 0xA5, 0x7C),
    Color32::from_rgb(0xD6, 0x5A, 0x9B),
    Color32::from_rgb(0xD9, 0x4F, 0x2B),
    Color32::from_rgb(0x8F, 0x7A, 0xE5),
    Color32::from_rgb(0x2F, 0xA9, 0xC8),
    Color32::from_rgb(0xA8, 0x93, 0x1C),
];

/// The same darker and lighter, for what comes in more kinds.
const TINTS: [f32; 2] = [-0.42, 0.5];

/// Text on any of these colours.
pub const INK: Color32 = Color32::from_rgb(0x0B, 0x0D, 0x10);

/// How many colours there are to be told apart.
pub const COUNT: usize = SERIES.len();

/// How many of [`look`] are told apart by colour alone; from there on they are striped.
pub const SHADES: usize = COUNT * (1 + TINTS.len());

/// The colour of the `index`-th of many kinds: all of [`series`], then these in other lightness, then striped, so that twice
/// [`SHADES`] are told apart.
pub fn look(index: usize) -> (Color32, bool) {
    let tint = match (index / COUNT) % (1 + TINTS.len()) {
        0 => 0.0,
        n => TINTS[n - 1],
    };
    let end = if tint < 0.0 { Color32::BLACK } else { Color32::WHITE };
    let color = series(index).lerp_to_gamma(end, tint.abs());
    (color, (index / SHADES) % 2 == 1)
}

/// The colour of the `index`-th class or track.
pub fn series(index: usize) -> Color32 {
    SERIES[index % SERIES.len()]
}

/// A stable colour for a name (a class, a namespace, a frame).
pub fn of_name(name: &str) -> Color32 {
    series(index_of_name(name))
}

/// As [`of_name`], its number.
pub fn index_of_name(name: &str) -> usize {
    hash(name) % COUNT
}

/// A stable number for [`look`] of one of more names than these can tell apart.
pub fn look_of_name(name: &str) -> usize {
    hash(name) % SHADES
}

fn hash(name: &str) -> usize {
    let hash = name
        .bytes()
        .fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
    hash as usize
}
