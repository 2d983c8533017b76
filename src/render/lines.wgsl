// Strokes with round ends and smooth edges, as wide on screen as asked for: two triangles a segment.

struct Stroke {
    @builtin(position) position: vec4<f32>,
    @location(0) color: vec4<f32>,
    // Pixels across from the middle, and along before the start and after the end.
    @location(1) @interpolate(linear) across_px: f32,
    @location(2) @interpolate(linear) along_px: f32,
    @location(3) @interpolate(flat) half_width_px: f32,
    @location(4) @interpolate(flat) length_px: f32,
}

fn end_in_item(at: u32) -> vec4<f32> {
    return vec4<f32>(bitcast<f32>(data[at]), bitcast<f32>(data[at + 1u]), bitcast<f32>(data[at + 2u]), 1.0);
}

@vertex
fn vertex(@builtin(vertex_index) vertex_index: u32) -> Stroke {
    let at = (vertex_index / 6u) * 8u;
    var stroke: Stroke;
    stroke.position = vec4<f32>(2.0, 2.0, 0.0, 1.0);
    var a = item.clip_from_item * end_in_item(at);
    var b = item.clip_from_item * end_in_item(at + 4u);
    var color_a = rgba(data[at + 3u]);
    var color_b = rgba(data[at + 7u]);
    let near = globals.near;
    if max(a.w, b.w) <= near {
        return stroke;
    }
    // The part in front of the camera.
    if a.w < near {
        let t = (near - a.w) / (b.w - a.w);
        a = mix(a, b, t);
        color_a = mix(color_a, color_b, t);
    } else if b.w < near {
        let t = (near - b.w) / (a.w - b.w);
        b = mix(b, a, t);
        color_b = mix(color_b, color_a, t);
    }
    let half_viewport = globals.viewport_px * 0.5;
    let a_px = a.xy / a.w * half_viewport;
    let b_px = b.xy / b.w * half_viewport;
    let length = length(b_px - a_px);
    var direction = vec2<f32>(1.0, 0.0);
    if length > 0.0 {
        direction = (b_px - a_px) / length;
    }
    let corner = vertex_index % 6u;
    let at_end = corner == 1u || corner == 2u || corner == 4u;
    let side = select(-1.0, 1.0, corner == 2u || corner == 4u || corner == 5u);
    let end = select(a, b, at_end);
    let width = max(length_px(item.params.x, item.params.y, end.w), 1.0);
    let reach = width * 0.5 + 1.0;
    let along = select(-reach, reach, at_end);
    let offset = (direction * along + vec2<f32>(-direction.y, direction.x) * side * reach) / half_viewport;
    // A hair nearer than surfaces that they lie on.
    stroke.position = vec4<f32>(end.xy + offset * end.w, end.z * 1.0005, end.w);
    stroke.color = select(color_a, color_b, at_end);
    stroke.across_px = side * reach;
    stroke.along_px = select(-reach, length + reach, at_end);
    stroke.half_width_px = width * 0.5;
    stroke.length_px = length;
    return stroke;
}

@fragment
fn fragment(stroke: Stroke) -> @location(0) vec4<f32> {
    let beyond = max(max(-stroke.along_px, stroke.along_px - stroke.length_px), 0.0);
    let away = select(abs(stroke.across_px), length(vec2<f32>(stroke.across_px, beyond)), beyond > 0.0);
    let cover = clamp(stroke.half_width_px + 0.5 - away, 0.0, 1.0);
    let alpha = stroke.color.a * cover;
    if alpha < 0.004 {
        discard;
    }
    return vec4<f32>(stroke.color.rgb, alpha);
}
