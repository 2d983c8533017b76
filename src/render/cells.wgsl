// A rectangle of byte cells: each fragment looks its cell's byte up.

const COSTMAP: u32 = 1u;

struct Corner {
    @builtin(position) position: vec4<f32>,
    @location(0) cell: vec2<f32>,
}

@vertex
fn vertex(@builtin(vertex_index) vertex_index: u32) -> Corner {
    let unit = vec2<f32>(
        select(0.0, 1.0, vertex_index == 1u || vertex_index == 2u || vertex_index == 4u),
        select(0.0, 1.0, vertex_index == 2u || vertex_index == 4u || vertex_index == 5u),
    );
    var corner: Corner;
    corner.cell = unit * vec2<f32>(f32(item.layout_a.x), f32(item.layout_a.y));
    corner.position = item.clip_from_item * vec4<f32>(corner.cell * item.params.y, 0.0, 1.0);
    return corner;
}

fn cell_color(cell: vec2<i32>) -> vec4<f32> {
    let size = vec2<i32>(item.layout_a.xy);
    let inside = clamp(cell, vec2<i32>(0), size - vec2<i32>(1));
    let index = u32(inside.y) * item.layout_a.x + u32(inside.x);
    let value = (data[index >> 2u] >> ((index & 3u) * 8u)) & 0xffu;
    if item.layout_b.z == COSTMAP {
        if value == 0u {
            return vec4<f32>(0.0);
        }
        if value == 255u {
            return vec4<f32>(0.45, 0.47, 0.5, 0.35);
        }
        let t = min(f32(value) / 100.0, 1.0);
        return rgba(palettes[u32(40.0 + t * 190.0)]);
    }
    // Free ground stays close to the background; what is occupied stands out of it.
    if value > 100u {
        return vec4<f32>(ink(), 0.05);
    }
    let t = f32(value) / 100.0;
    return vec4<f32>(ink(), 0.12 + 0.43 * t);
}

// What is written on the background: light on dark, dark on light.
fn ink() -> vec3<f32> {
    return item.color.rgb;
}

@fragment
fn fragment(corner: Corner) -> @location(0) vec4<f32> {
    // Where cells are smaller than pixels the mean of four keeps thin walls visible.
    let step = fwidth(corner.cell) * 0.25;
    let centre = vec2<i32>(floor(corner.cell));
    var color = cell_color(centre);
    if max(step.x, step.y) > 0.25 {
        color = (cell_color(vec2<i32>(floor(corner.cell + step))) + cell_color(vec2<i32>(floor(corner.cell - step)))
            + cell_color(vec2<i32>(floor(corner.cell + vec2<f32>(step.x, -step.y))))
            + cell_color(vec2<i32>(floor(corner.cell + vec2<f32>(-step.x, step.y))))) * 0.25;
    }
    return vec4<f32>(color.rgb, color.a * item.color.a);
}
