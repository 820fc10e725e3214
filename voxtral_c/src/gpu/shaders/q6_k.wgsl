// Q6_K: a unit is twice 32 columns of a row, 64 apart, whose numbers share 8 words of low bits.
const QUADS = 16u;
var<private> low: u32;
var<private> high: u32;
var<private> part: u32;
var<private> first: u32;
var<private> scale: array<f32, 4>;

fn open(panel: u32, row: u32, unit: u32) {
    let chunk = unit / 4u;
    let side = unit % 4u / 2u;
    part = unit % 2u;
    let head = (p.units * 2u + 15u) / 16u * 16u;
    let lines = panel * p.panel_words + head + chunk * 832u + row;
    let d = half((w[panel * p.panel_words + chunk * 8u + row / 2u] >> (row % 2u * 16u)) & 0xffffu);
    let near = bitcast<i32>(w[lines + (48u + side * 2u) * 16u]);
    let far = bitcast<i32>(w[lines + (49u + side * 2u) * 16u]);
    for (var i = 0u; i < 2u; i++) {
        let shift = 8u * (part * 2u + i);
        scale[i] = d * f32(extractBits(near, shift, 8u));
        scale[2u + i] = d * f32(extractBits(far, shift, 8u));
    }
    low = lines + (side * 16u + part * 8u) * 16u;
    high = lines + (32u + side * 8u) * 16u;
    first = chunk * 64u + side * 32u + part * 8u;
}
fn quad(i: u32) -> vec4<f32> {
    let q = i / 2u;
    let odd = i % 2u;
    let l = (w[low + q * 16u] >> (odd * 4u)) & 0x0f0f0f0fu;
    let h = (w[high + q * 16u] >> (part * 2u + odd * 4u)) & 0x03030303u;
    return (vec4<f32>(unpack4xU8(l | (h << 4u))) - 32.0) * scale[odd * 2u + q / 4u];
}
fn place(i: u32) -> u32 { return first + i % 2u * 16u + i / 2u; }
