// Triangles, one transform and colour an instance, lit from above and from the camera.

const LIT: u32 = 1u;

struct Corner {
    @builtin(position) position: vec4<f32>,
    @location(0) color: vec4<f32>,
    @location(1) normal: vec3<f32>,
}

fn row(at: u32) -> vec4<f32> {
    return bitcast<vec4<f32>>(vec4<u32>(data[at], data[at + 1u], data[at + 2u], data[at + 3u]));
}

@vertex
fn vertex(
    @builtin(instance_index) instance: u32,
    @location(0) position: vec3<f32>,
    @location(1) normal: vec3<f32>,
    @location(2) color: vec4<f32>,
) -> Corner {
    let at = instance * 16u;
    let r0 = row(at);
    let r1 = row(at + 4u);
    let r2 = row(at + 8u);
    let p = vec4<f32>(position, 1.0);
    let in_item = vec4<f32>(dot(r0, p), dot(r1, p), dot(r2, p), 1.0);
    // The cofactor matrix turns normals rightly under unequal scales.
    let n = vec3<f32>(
        dot(cross(r1.xyz, r2.xyz), normal),
        dot(cross(r2.xyz, r0.xyz), normal),
        dot(cross(r0.xyz, r1.xyz), normal),
    );
    var corner: Corner;
    corner.position = item.clip_from_item * in_item;
    corner.color = color * rgba(data[at + 12u]);
    let m = item.view_from_item;
    corner.normal = m[0].xyz * n.x + m[1].xyz * n.y + m[2].xyz * n.z;
    return corner;
}

@fragment
fn fragment(corner: Corner) -> @location(0) vec4<f32> {
    if (item.layout_b.y & LIT) == 0u {
        return corner.color;
    }
    var n = corner.normal * inverseSqrt(max(dot(corner.normal, corner.normal), 1e-30));
    // Whichever side faces the camera is lit.
    if n.z < 0.0 {
        n = -n;
    }
    let above = 0.5 + 0.5 * dot(n, globals.light.xyz);
    let light = 0.38 + 0.50 * above + 0.16 * n.z;
    return vec4<f32>(min(corner.color.rgb * light, vec3<f32>(1.0)), corner.color.a);
}
