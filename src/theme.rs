//! Colours, type and spacing of the window, in one table for dark and one for light.
//!
//! Invariant: no colour is written anywhere else. Surfaces are neutral in three steps; there is one accent; every other colour
//! has a meaning (a series, a level) and the same meaning in both tables. Series can be told apart by colour-blind eyes
//! (after Okabe and Ito) and by their lightness.

pub mod data;
pub mod icon;
pub mod widget;

use std::sync::Arc;

use egui::{Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin, Stroke, Style, TextStyle, Visuals};

/// Everything is a multiple of this.
pub const GRID: f32 = 4.0;
/// Height of a panel's header and of a row in a list.
pub const ROW_HEIGHT: f32 = 24.0;

/// The colours of one of the two looks.
pub struct Palette {
    /// Behind everything: bars, gaps between panels.
    pub base: Color32,
    /// Panels and sidebars.
    pub raised: Color32,
    /// Menus, dialogs, fields, the header of a panel.
    pub overlay: Color32,
    /// Separators and outlines.
    pub line: Color32,
    /// Behind what the pointer is on.
    pub hover: Color32,
    pub text: Color32,
    /// Labels, units, what is secondary.
    pub weak: Color32,
    /// Ticks, placeholders.
    pub faint: Color32,
    /// Playhead, selection, the one important button.
    pub accent: Color32,
    /// Text on the accent.
    pub on_accent: Color32,
    /// Behind a selected row.
    pub selected: Color32,
    pub ok: Color32,
    pub warn: Color32,
    pub error: Color32,
    pub series: [Color32; 8],
    /// Behind the 3D scene.
    pub scene: Color32,
    /// Lines of the 3D scene's grid.
    pub scene_grid: Color32,
    /// Points that no field colours.
    pub points: Color32,
    /// Beams of a laser scan that no field colours.
    pub beams: Color32,
    /// Of frames: x, y, z.
    pub axes: [Color32; 3],
    /// Names of frames, lines between them, outlines of what is missing.
    pub frames: Color32,
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

static DARK: Palette = Palette {
    base: rgb(0x0D0E10),
    raised: rgb(0x15171A),
    overlay: rgb(0x1C1F23),
    line: rgb(0x2A2D33),
    hover: rgb(0x262A30),
    text: rgb(0xE3E5E8),
    weak: rgb(0x979DA6),
    faint: rgb(0x646A73),
    accent: rgb(0x4D9FFF),
    on_accent: rgb(0x06172B),
    selected: rgb(0x1B3350),
    ok: rgb(0x3FBF8F),
    warn: rgb(0xE7A33C),
    error: rgb(0xF0655A),
    series: [
        rgb(0x56B4E9),
        rgb(0xE69F00),
        rgb(0x2DC08D),
        rgb(0xF0E442),
        rgb(0xE8743B),
        rgb(0xCC79A7),
        rgb(0x6F8FF7),
        rgb(0xB8BDC4),
    ],
    scene: rgb(0x101215),
    scene_grid: rgb(0x2B2F35),
    points: rgb(0xDCE0E6),
    beams: rgb(0xFF5C5C),
    axes: [rgb(0xEB5454), rgb(0x62C862), rgb(0x568AFF)],
    frames: rgb(0xB2B8C4),
};

static LIGHT: Palette = Palette {
    base: rgb(0xE7E9EC),
    raised: rgb(0xF8F9FA),
    overlay: rgb(0xFFFFFF),
    line: rgb(0xD3D7DC),
    hover: rgb(0xE9ECEF),
    text: rgb(0x1A1D21),
    weak: rgb(0x5A626C),
    faint: rgb(0x8F969F),
    accent: rgb(0x1266D6),
    on_accent: rgb(0xFFFFFF),
    selected: rgb(0xD5E6FB),
    ok: rgb(0x0F8A5F),
    warn: rgb(0xA96A00),
    error: rgb(0xC4362B),
    series: [
        rgb(0x1F8AC7),
        rgb(0xC27F00),
        rgb(0x009E73),
        rgb(0x9B8C00),
        rgb(0xD55E00),
        rgb(0xB0558A),
        rgb(0x3F5FD8),
        rgb(0x5A626C),
    ],
    scene: rgb(0xEEF0F2),
    scene_grid: rgb(0xCBD0D6),
    points: rgb(0x3C434C),
    beams: rgb(0xD43A3A),
    axes: [rgb(0xD23C3C), rgb(0x2E8F3A), rgb(0x2A62E0)],
    frames: rgb(0x4A525C),
};

/// The palette that goes with these visuals.
pub fn palette(visuals: &Visuals) -> &'static Palette {
    if visuals.dark_mode { &DARK } else { &LIGHT }
}

/// Labels: one step smaller than content.
pub fn small() -> FontId {
    FontId::new(11.0, FontFamily::Proportional)
}

/// Content. Digits are all of one width.
pub fn body() -> FontId {
    FontId::new(13.0, FontFamily::Proportional)
}

/// Titles and what is emphasised.
pub fn semibold(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name("semibold".into()))
}

/// Icons at a size that fits the text beside them.
pub fn icons(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name("icons".into()))
}

/// Of egui's own textures, in pixels: the one that holds all letters grows up to a square of it. Larger pictures are tiled.
pub const MAX_TEXTURE_SIDE: usize = 4096;

/// Holds egui's textures to [`MAX_TEXTURE_SIDE`] in all windows alike: with another limit in one of them all letters would be drawn
/// anew in the middle of a pass, and the texts of the others would show what lies where theirs were.
struct SmallTextures;

impl egui::Plugin for SmallTextures {
    fn debug_name(&self) -> &'static str {
        "small textures"
    }

    fn input_hook(&mut self, _ctx: &egui::Context, input: &mut egui::RawInput) {
        input.max_texture_side = input.max_texture_side.map(|most| most.min(MAX_TEXTURE_SIDE));
    }
}

/// Fonts and both looks. Call once for each context, before its first pass.
pub fn install(ctx: &egui::Context) {
    ctx.add_plugin(SmallTextures);
    ctx.set_fonts(fonts());
    ctx.set_style_of(egui::Theme::Dark, style(&DARK, Visuals::dark()));
    ctx.set_style_of(egui::Theme::Light, style(&LIGHT, Visuals::light()));
}

fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let bundled: [(&str, &'static [u8]); 3] = [
        ("inter", include_bytes!("../assets/Inter-Regular.ttf")),
        ("inter-semibold", include_bytes!("../assets/Inter-SemiBold.ttf")),
        ("phosphor", include_bytes!("../assets/Phosphor.ttf")),
    ];
    for (name, bytes) in bundled {
        let mut data = FontData::from_static(bytes);
        if name == "phosphor" {
            data.tweak.y_offset_factor = 0.0;
        }
        fonts.font_data.insert(name.to_owned(), Arc::new(data));
    }
    let fallback: Vec<String> = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    let with = |first: &[&str]| {
        let first = first.iter().map(|name| (*name).to_owned());
        first.chain(fallback.iter().cloned()).collect::<Vec<_>>()
    };
    fonts.families.insert(FontFamily::Proportional, with(&["inter", "phosphor"]));
    fonts
        .families
        .insert(FontFamily::Name("semibold".into()), with(&["inter-semibold", "phosphor"]));
    fonts
        .families
        .insert(FontFamily::Name("icons".into()), with(&["phosphor", "inter"]));
    fonts
        .families
        .entry(FontFamily::Monospace)
        .or_default()
        .extend(["inter".to_owned(), "phosphor".to_owned()]);
    fonts
}

fn style(p: &Palette, mut v: Visuals) -> Style {
    let radius = CornerRadius::same(4);
    v.window_fill = p.overlay;
    v.panel_fill = p.raised;
    v.extreme_bg_color = p.base;
    v.faint_bg_color = p.hover.gamma_multiply(0.5);
    v.code_bg_color = p.overlay;
    v.text_edit_bg_color = Some(p.base);
    v.hyperlink_color = p.accent;
    v.warn_fg_color = p.warn;
    v.error_fg_color = p.error;
    v.weak_text_color = Some(p.weak);
    v.window_stroke = Stroke::new(1.0, p.line);
    v.window_corner_radius = CornerRadius::same(8);
    v.menu_corner_radius = CornerRadius::same(6);
    v.selection.bg_fill = p.selected;
    v.selection.stroke = Stroke::new(1.0, p.accent);
    v.indent_has_left_vline = false;
    v.slider_trailing_fill = true;
    v.interact_cursor = None;
    v.window_shadow.color = Color32::from_black_alpha(if v.dark_mode { 120 } else { 40 });
    v.popup_shadow = v.window_shadow;
    for (widget, fill, weak_fill, outline, text) in [
        (&mut v.widgets.noninteractive, p.raised, p.raised, p.line, p.text),
        (&mut v.widgets.inactive, p.hover, p.overlay, p.line, p.text),
        (&mut v.widgets.hovered, p.hover, p.hover, p.faint, p.text),
        (&mut v.widgets.active, p.selected, p.selected, p.accent, p.text),
        (&mut v.widgets.open, p.hover, p.hover, p.line, p.text),
    ] {
        widget.bg_fill = fill;
        widget.weak_bg_fill = weak_fill;
        widget.bg_stroke = Stroke::new(1.0, outline);
        widget.fg_stroke = Stroke::new(1.0, text);
        widget.corner_radius = radius;
        widget.expansion = 0.0;
    }
    let mut style = Style {
        visuals: v,
        animation_time: 0.1,
        ..Style::default()
    };
    style.text_styles = [
        (TextStyle::Small, small()),
        (TextStyle::Body, body()),
        (TextStyle::Button, body()),
        (TextStyle::Heading, semibold(16.0)),
        (TextStyle::Monospace, FontId::new(12.0, FontFamily::Monospace)),
    ]
    .into();
    let s = &mut style.spacing;
    s.item_spacing = egui::vec2(8.0, 4.0);
    s.button_padding = egui::vec2(8.0, 3.0);
    s.interact_size = egui::vec2(32.0, ROW_HEIGHT);
    s.window_margin = Margin::same(16);
    s.menu_margin = Margin::same(4);
    s.indent = 16.0;
    s.icon_width = 14.0;
    s.icon_width_inner = 8.0;
    s.tooltip_width = 360.0;
    s.scroll.bar_width = 6.0;
    style
}
