// Points out of a message's own bytes: each is one triangle around a square or round sprite.

// Fields that are little-endian f32 at multiples of four bytes, by far the most, need no assembling.
override aligned_f32: bool = false;

const BIG_ENDIAN: u32 = 1u;
const ROUND: u32 = 2u;

const COLOR_FLAT: u32 = 0u;
const COLOR_FIELD: u32 = 1u;
const COLOR_PACKED: u32 = 2u;
const COLOR_PACKED_ALPHA: u32 = 3u;

struct Sprite {
    @builtin(position) position: vec4<f32>,
    @location(0) @interpolate(flat) color: vec4<f32>,
    @location(1) corner: vec2<f32>,
}

// Four bytes at any address, first byte lowest.
fn bytes4(at: u32) -> u32 {
    let word = data[at >> 2u];
    let shift = (at & 3u) * 8u;
    if shift == 0u {
        return word;
    }
    return (word >> shift) | (data[(at >> 2u) + 1u] << (32u - shift));
}

fn swapped4(word: u32) -> u32 {
    return (word >> 24u) | ((word >> 8u) & 0xff00u) | ((word << 8u) & 0xff0000u) | (word << 24u);
}

fn word_at(at: u32, big: bool) -> u32 {
    let word = bytes4(at);
    if big {
        return swapped4(word);
    }
    return word;
}

fn half_at(at: u32, big: bool) -> u32 {
    let word = bytes4(at) & 0xffffu;
    if big {
        return (word >> 8u) | ((word << 8u) & 0xff00u);
    }
    return word;
}

fn power_of_two(exponent: i32) -> f32 {
    if exponent < -126 {
        return 0.0;
    }
    return bitcast<f32>(u32(min(exponent, 127) + 127) << 23u);
}

// An IEEE double as the sum of two floats; `valid` is false for NaN, infinity and what does not fit a float.
struct Wide {
    high: f32,
    low: f32,
    valid: bool,
}

fn wide_from_bits(low_bits: u32, high_bits: u32) -> Wide {
    let exponent = i32((high_bits >> 20u) & 0x7ffu) - 1023;
    if exponent > 127 {
        return Wide(0.0, 0.0, false);
    }
    if exponent < -126 {
        return Wide(0.0, 0.0, true);
    }
    let sign = high_bits & 0x80000000u;
    // 23 of the 52 bits of the mantissa go to `high`, the other 29 to `low`.
    let top = ((high_bits & 0xfffffu) << 3u) | (low_bits >> 29u);
    let high = bitcast<f32>(sign | (u32(exponent + 127) << 23u) | top);
    let rest = f32(low_bits & 0x1fffffffu) * power_of_two(exponent - 52);
    return Wide(high, select(rest, -rest, sign != 0u), true);
}

fn number_at(at: u32, kind: u32, big: bool) -> Wide {
    switch kind {
        case 1u: { return Wide(f32(i32(bytes4(at) << 24u) >> 24u), 0.0, true); }
        case 2u: { return Wide(f32(bytes4(at) & 0xffu), 0.0, true); }
        case 3u: { return Wide(f32(i32(half_at(at, big) << 16u) >> 16u), 0.0, true); }
        case 4u: { return Wide(f32(half_at(at, big)), 0.0, true); }
        case 5u: { return Wide(f32(bitcast<i32>(word_at(at, big))), 0.0, true); }
        case 6u: { return Wide(f32(word_at(at, big)), 0.0, true); }
        case 7u: {
            let bits = word_at(at, big);
            return Wide(bitcast<f32>(bits), 0.0, (bits & 0x7f800000u) != 0x7f800000u);
        }
        case 8u: {
            if big {
                return wide_from_bits(word_at(at + 4u, true), word_at(at, true));
            }
            return wide_from_bits(word_at(at, false), word_at(at + 4u, false));
        }
        default: { return Wide(0.0, 0.0, true); }
    }
}

struct Position {
    xyz: vec3<f32>,
    valid: bool,
}

fn position_at(start: u32, big: bool) -> Position {
    if aligned_f32 {
        let bits = vec3<u32>(
            data[(start + item.offsets.x) >> 2u],
            data[(start + item.offsets.y) >> 2u],
            data[(start + item.offsets.z) >> 2u],
        );
        let valid = all((bits & vec3<u32>(0x7f800000u)) != vec3<u32>(0x7f800000u));
        return Position(bitcast<vec3<f32>>(bits), valid);
    }
    let x = number_at(start + item.offsets.x, item.kinds.x, big);
    let y = number_at(start + item.offsets.y, item.kinds.y, big);
    let z = number_at(start + item.offsets.z, item.kinds.z, big);
    let high = vec3<f32>(x.high, y.high, z.high) - item.origin_high.xyz;
    let low = vec3<f32>(x.low, y.low, z.low) - item.origin_low.xyz;
    return Position(high + low, x.valid && y.valid && z.valid);
}

fn color_at(start: u32, big: bool) -> vec4<f32> {
    let mode = item.layout_b.z & 0xffu;
    if mode == COLOR_FLAT {
        return item.color;
    }
    if mode == COLOR_FIELD {
        let value = number_at(start + item.offsets.w, item.kinds.w, big);
        let span = item.params.w - item.params.z;
        let t = select(0.5, (value.high + value.low - item.params.z) / span, span > 0.0);
        let step = u32(clamp(t, 0.0, 1.0) * 255.0 + 0.5);
        if !value.valid {
            return vec4<f32>(0.5, 0.5, 0.5, 1.0);
        }
        return rgba(palettes[(item.layout_b.z >> 8u) * 256u + step]);
    }
    // 0xAARRGGBB, so blue is the lowest byte.
    let color = rgba(word_at(start + item.offsets.w, big)).zyxw;
    return vec4<f32>(color.xyz, select(1.0, color.w, mode == COLOR_PACKED_ALPHA));
}

@vertex
fn vertex(@builtin(vertex_index) vertex_index: u32) -> Sprite {
    let index = item.layout_a.w + vertex_index / 3u;
    let row = index / item.layout_a.x;
    let start = row * item.layout_a.z + (index - row * item.layout_a.x) * item.layout_a.y - item.layout_b.x;
    let big = (item.layout_b.y & BIG_ENDIAN) != 0u;
    let position = position_at(start, big);
    var sprite: Sprite;
    sprite.position = vec4<f32>(2.0, 2.0, 0.0, 1.0);
    sprite.corner = vec2<f32>(0.0);
    sprite.color = vec4<f32>(0.0);
    let centre = item.clip_from_item * vec4<f32>(position.xyz, 1.0);
    if !position.valid || centre.w <= globals.near {
        return sprite;
    }
    let size_px = max(length_px(item.params.x, item.params.y, centre.w), 1.0);
    // The smallest triangle around the sprite: pixels outside of it cost time.
    let which = vertex_index % 3u;
    var corner: vec2<f32>;
    if (item.layout_b.y & ROUND) != 0u {
        corner = vec2<f32>(1.7320508 * (f32(which) - 1.0), select(-1.0, 2.0, which == 1u));
    } else {
        corner = vec2<f32>(select(-1.0, 3.0, which == 1u), select(-1.0, 3.0, which == 2u));
    }
    sprite.corner = corner;
    sprite.position = vec4<f32>(centre.xy + corner * size_px * centre.w / globals.viewport_px, centre.zw);
    sprite.color = color_at(start, big);
    return sprite;
}

@fragment
fn fragment(sprite: Sprite) -> @location(0) vec4<f32> {
    let corner = sprite.corner;
    if (item.layout_b.y & ROUND) != 0u {
        if dot(corner, corner) > 1.0 {
            discard;
        }
    } else if max(abs(corner.x), abs(corner.y)) > 1.0 {
        discard;
    }
    return sprite.color;
}
