// Q6_K: a unit is twice 32 columns of a row, 64 apart, whose numbers share 8 words of low bits.
const QUADS = 16u;
var<private> low: u32;
var<private> high: u32;
var<private> part: u32;
var<private> first: u32;
var<private> scale#: vec4<f32>;

fn bytes(word: u32) -> vec2<f32> { return vec2<f32>(f32(extractBits(bitcast<i32>(word), part * 16u, 8u)), f32(extractBits(bitcast<i32>(word), part * 16u + 8u, 8u))); }

fn open(panel: u32, row: u32, unit: u32) {
    let chunk = unit / 4u;
    let side = unit % 4u / 2u;
    part = unit % 2u;
    let start = panel * p.panel_lines;
    let lines = (start + (p.units * 2u + 15u) / 16u + chunk * 52u) * SIDE + row;
    let d# = half((word_at(start * 16u + chunk * 8u + (row * ROWS + #u) / 2u) >> ((row * ROWS + #u) % 2u * 16u)) & 0xffffu);
    load(lines + (48u + side * 2u) * SIDE);
    let near# = bytes(word#);
    load(lines + (49u + side * 2u) * SIDE);
    scale# = d# * vec4<f32>(near#, bytes(word#));
    low = lines + (side * 16u + part * 8u) * SIDE;
    high = lines + (32u + side * 8u) * SIDE;
    first = chunk * 64u + side * 32u + part * 8u;
}
fn fetch(i: u32) {
    let q = i / 2u;
    let odd = i % 2u;
    load(low + q * SIDE);
    let low# = (word# >> (odd * 4u)) & 0x0f0f0f0fu;
    load(high + q * SIDE);
    let high# = (word# >> (part * 2u + odd * 4u)) & 0x03030303u;
    quad# = (vec4<f32>(unpack4xU8(low# | (high# << 4u))) - 32.0) * scale#[odd * 2u + q / 4u];
}
fn place(i: u32) -> u32 { return first + i % 2u * 16u + i / 2u; }
