// What all shaders of the 3D view share: the view, one item's uniform, and its bulk data as words.

struct Globals {
    viewport_px: vec2<f32>,
    // Physical pixels that a metre covers at w = 1.
    px_per_metre: f32,
    // Nothing with a smaller w is drawn; 0 where the projection is parallel.
    near: f32,
    // Unit vector towards the light, in view space.
    light: vec4<f32>,
}

// One layout for every kind of item: what is used of it depends on the kind.
struct Item {
    clip_from_item: mat4x4<f32>,
    view_from_item: mat3x4<f32>,
    color: vec4<f32>,
    origin_high: vec4<f32>,
    origin_low: vec4<f32>,
    // x: length in pixels, y: length in metres, z and w: lowest and highest value of the colour field
    params: vec4<f32>,
    // x: width, y: bytes of a point, z: bytes of a row, w: number of the first point
    layout_a: vec4<u32>,
    // x: byte at which the data start, y: flags, z: colour mode
    layout_b: vec4<u32>,
    // x, y, z and colour: byte offsets and number kinds (0: none)
    offsets: vec4<u32>,
    kinds: vec4<u32>,
}

@group(0) @binding(0) var<uniform> globals: Globals;
@group(0) @binding(1) var<storage, read> palettes: array<u32>;
@group(1) @binding(0) var<uniform> item: Item;
@group(1) @binding(1) var<storage, read> data: array<u32>;

fn rgba(packed: u32) -> vec4<f32> {
    return unpack4x8unorm(packed);
}

// Pixels of a length that is given in pixels, or in metres at a clip-space w.
fn length_px(px: f32, metres: f32, w: f32) -> f32 {
    return px + metres * globals.px_per_metre / w;
}
