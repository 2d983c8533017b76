//! Colour maps of scalar fields: one table of samples, used alike by shaders, pictures, legends and tests.

use serde::{Deserialize, Serialize};

/// A colour map: dark or blue for low values, bright or red for high ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Colormap {
    /// The rainbow of even lightness steps; best for telling distances apart, for who tells red from green.
    Turbo,
    /// Dark violet to yellow, perceptually uniform, with any of the common colour vision deficiencies too.
    #[default]
    Viridis,
    Grey,
    /// Red over green and blue to magenta, as RViz and Webviz draw it.
    Rainbow,
}

impl Colormap {
    /// In the order in which shaders number them.
    pub const ALL: [Colormap; 4] = [Colormap::Turbo, Colormap::Viridis, Colormap::Grey, Colormap::Rainbow];

    pub fn name(self) -> &'static str {
        match self {
            Colormap::Turbo => "Turbo",
            Colormap::Viridis => "Viridis",
            Colormap::Grey => "Grey",
            Colormap::Rainbow => "Rainbow",
        }
    }

    /// sRGB at `t` from 0 to 1; what lies outside is clamped, NaN is 0. Always one of [`colormap_bytes`]'s 256 steps.
    pub fn color(self, t: f32) -> [u8; 3] {
        // NaN becomes 0 as it is made an integer
        let step = (t.clamp(0.0, 1.0) * 255.0 + 0.5).floor() as u8;
        let samples = match self {
            Colormap::Grey => return [step; 3],
            Colormap::Rainbow => return rainbow(f32::from(step) / 255.0),
            Colormap::Turbo => &TURBO,
            Colormap::Viridis => &VIRIDIS,
        };
        let at = f32::from(step) / 255.0 * 32.0;
        let low = (at.floor() as usize).min(31);
        let fraction = at - low as f32;
        let pair = [samples.get(low), samples.get(low + 1)].map(|s| s.copied().unwrap_or(0));
        [16, 8, 0].map(|shift| {
            let [a, b] = pair.map(|rgb| ((rgb >> shift) & 0xff) as f32);
            (a + (b - a) * fraction + 0.5) as u8
        })
    }
}

/// Around five sixths of the circle of hues.
fn rainbow(t: f32) -> [u8; 3] {
    let hue = t.clamp(0.0, 1.0) * 5.0;
    let part = |from_hue: f32| ((hue - from_hue).abs().min(6.0 - (hue - from_hue).abs()) - 1.0).clamp(0.0, 1.0);
    // red is full around hue 0, green around 2, blue around 4
    [0.0, 2.0, 4.0].map(|full| ((1.0 - part(full)) * 255.0 + 0.5) as u8)
}

/// All colour maps, 256 RGBA steps each, one after the other in the order of [`Colormap::ALL`].
pub fn colormap_bytes() -> Vec<u8> {
    let steps = |map: Colormap| (0..256u16).map(move |step| map.color(f32::from(step) / 255.0));
    Colormap::ALL
        .into_iter()
        .flat_map(steps)
        .flat_map(|[r, g, b]| [r, g, b, 255])
        .collect()
}

#[rustfmt::skip]
const TURBO: [u32; 33] = [
    0x30123b, 0x392a73, 0x4040a2, 0x4456c7, 0x466be3, 0x4680f6, 0x4294ff, 0x37a8fa, 0x28bceb, 0x1ccdd8, 0x18ddc2, 0x1fe9af,
    0x32f298, 0x4ef97d, 0x6dfe62, 0x8bff4b, 0xa4fc3c, 0xb9f635, 0xcdec34, 0xdfdf37, 0xeecf3a, 0xf8be39, 0xfdac34, 0xfe962b,
    0xfb7e21, 0xf46617, 0xeb500e, 0xdf3f08, 0xd02f05, 0xbe2102, 0xa91601, 0x920b01, 0x7a0403,
];

#[rustfmt::skip]
const VIRIDIS: [u32; 33] = [
    0x440154, 0x470d60, 0x48186a, 0x482374, 0x472d7b, 0x453781, 0x424086, 0x3e4989, 0x3b528b, 0x375b8d, 0x33638d, 0x2f6b8e,
    0x2c728e, 0x297a8e, 0x26828e, 0x23898e, 0x21918c, 0x1f988b, 0x1fa088, 0x22a785, 0x28ae80, 0x32b67a, 0x3fbc73, 0x4ec36b,
    0x5ec962, 0x70cf57, 0x84d44b, 0x98d83e, 0xaddc30, 0xc2df23, 0xd8e219, 0xece51b, 0xfde725,
];
