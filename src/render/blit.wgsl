// Puts the drawn picture, pixel by pixel, where egui wants it.

@group(0) @binding(0) var picture: texture_2d<f32>;

override to_linear: bool = false;

struct Corner {
    @builtin(position) position: vec4<f32>,
    @location(0) uv: vec2<f32>,
}

@vertex
fn vertex(@builtin(vertex_index) vertex_index: u32) -> Corner {
    let uv = vec2<f32>(f32((vertex_index << 1u) & 2u), f32(vertex_index & 2u));
    return Corner(vec4<f32>(uv * vec2<f32>(2.0, -2.0) + vec2<f32>(-1.0, 1.0), 0.0, 1.0), uv);
}

@fragment
fn fragment(corner: Corner) -> @location(0) vec4<f32> {
    let size = vec2<f32>(textureDimensions(picture));
    let color = textureLoad(picture, vec2<i32>(min(corner.uv * size, size - 1.0)), 0).rgb;
    if to_linear {
        // The target encodes sRGB itself.
        return vec4<f32>(select(pow((color + 0.055) / 1.055, vec3<f32>(2.4)), color / 12.92, color <= vec3<f32>(0.04045)), 1.0);
    }
    return vec4<f32>(color, 1.0);
}
