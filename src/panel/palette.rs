//! Colours of data that must be the same in both looks: colour maps, and colours for names (classes, frames, namespaces).
//!
//! Invariant: nothing but data is coloured from here; surfaces, text, levels and plotted series come from the theme. The colours
//! stay apart for people with any of the common colour vision deficiencies and stand out on both dark and light surfaces.

use egui::Color32;

/// Colours of classes and tracks, in the order in which they are given out: middling in lightness, so that all can be told from
/// white and from near-black.
pub const SERIES: [Color32; 8] = [
    Color32::from_rgb(0x3D, 0x8B, 0xFD),
    Color32::from_rgb(0xE6, 0x8A, 0x00),
    Color32::from_rgb(0x12, 0xA5, 0x7C),
    Color32::from_rgb(0xD6, 0x5A, 0x9B),
    Color32::from_rgb(0xD9, 0x4F, 0x2B),
    Color32::from_rgb(0x8F, 0x7A, 0xE5),
    Color32::from_rgb(0x2F, 0xA9, 0xC8),
    Color32::from_rgb(0xA8, 0x93, 0x1C),
];

/// The colour of the `index`-th series.
pub fn series(index: usize) -> Color32 {
    SERIES[index % SERIES.len()]
}

/// A stable colour for a name (a class, a namespace, a frame).
pub fn of_name(name: &str) -> Color32 {
    let hash = name
        .bytes()
        .fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
    series(hash as usize)
}

/// Values to colours: for one-channel pictures, point clouds and grids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Colormap {
    Grey,
    #[default]
    Turbo,
    Viridis,
}

impl Colormap {
    pub const ALL: [Colormap; 3] = [Colormap::Grey, Colormap::Turbo, Colormap::Viridis];

    pub fn name(self) -> &'static str {
        match self {
            Colormap::Grey => "Grey",
            Colormap::Turbo => "Turbo",
            Colormap::Viridis => "Viridis",
        }
    }

    /// sRGB of `fraction` (0 to 1, clamped; NaN as 0).
    pub fn rgb(self, fraction: f32) -> [u8; 3] {
        match self {
            Colormap::Grey => [(clamped(fraction) * 255.0).round() as u8; 3],
            Colormap::Turbo => turbo(fraction),
            Colormap::Viridis => viridis(fraction),
        }
    }

    /// 256 sRGB colours, for look-up tables on CPU and GPU.
    pub fn table(self) -> [[u8; 3]; 256] {
        std::array::from_fn(|i| self.rgb(i as f32 / 255.0))
    }
}

/// The rainbow of even lightness steps; best for telling distances apart.
pub fn turbo(fraction: f32) -> [u8; 3] {
    between(&TURBO, fraction)
}

/// Dark violet to yellow, perceptually uniform.
pub fn viridis(fraction: f32) -> [u8; 3] {
    between(&VIRIDIS, fraction)
}

fn clamped(fraction: f32) -> f32 {
    if fraction.is_nan() { 0.0 } else { fraction.clamp(0.0, 1.0) }
}

fn between(stops: &[[u8; 3]; STOPS], fraction: f32) -> [u8; 3] {
    let at = clamped(fraction) * (STOPS - 1) as f32;
    let low = (at as usize).min(STOPS - 2);
    let part = at - low as f32;
    std::array::from_fn(|c| {
        let (a, b) = (f32::from(stops[low][c]), f32::from(stops[low + 1][c]));
        (a + (b - a) * part).round() as u8
    })
}

/// Evenly spaced samples of each map.
const STOPS: usize = 33;

#[rustfmt::skip]
const TURBO: [[u8; 3]; STOPS] = [
    [48, 18, 59],
    [57, 42, 115],
    [64, 64, 162],
    [68, 86, 199],
    [70, 107, 227],
    [70, 128, 246],
    [66, 148, 255],
    [55, 168, 250],
    [40, 188, 235],
    [28, 205, 216],
    [24, 221, 194],
    [31, 233, 175],
    [50, 242, 152],
    [78, 249, 125],
    [109, 254, 98],
    [139, 255, 75],
    [164, 252, 60],
    [185, 246, 53],
    [205, 236, 52],
    [223, 223, 55],
    [238, 207, 58],
    [248, 190, 57],
    [253, 172, 52],
    [254, 150, 43],
    [251, 126, 33],
    [244, 102, 23],
    [235, 80, 14],
    [223, 63, 8],
    [208, 47, 5],
    [190, 33, 2],
    [169, 22, 1],
    [146, 11, 1],
    [122, 4, 3],
];

#[rustfmt::skip]
const VIRIDIS: [[u8; 3]; STOPS] = [
    [68, 1, 84],
    [71, 13, 96],
    [72, 24, 106],
    [72, 35, 116],
    [71, 45, 123],
    [69, 55, 129],
    [66, 64, 134],
    [62, 73, 137],
    [59, 82, 139],
    [55, 91, 141],
    [51, 99, 141],
    [47, 107, 142],
    [44, 114, 142],
    [41, 122, 142],
    [38, 130, 142],
    [35, 137, 142],
    [33, 145, 140],
    [31, 152, 139],
    [31, 160, 136],
    [34, 167, 133],
    [40, 174, 128],
    [50, 182, 122],
    [63, 188, 115],
    [78, 195, 107],
    [94, 201, 98],
    [112, 207, 87],
    [132, 212, 75],
    [152, 216, 62],
    [173, 220, 48],
    [194, 223, 35],
    [216, 226, 25],
    [236, 229, 27],
    [253, 231, 37],
];
