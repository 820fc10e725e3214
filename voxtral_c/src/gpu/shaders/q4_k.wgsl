// Q4_K and Q5_K: a unit is 64 columns of a row, whose numbers share 8 words: the first half of them
// in the low bits, the second in the high ones.
const QUADS = 16u;
const LINES = select(36u, 44u, FIVE);
var<private> at: u32;
var<private> fifth: u32;
var<private> pair: u32;
var<private> first: u32;
var<private> scale#: vec2<f32>;
var<private> least#: vec2<f32>;

// Six bits each: those of late units are scattered.
fn scale_of(early: u32, late: u32, shift: u32) -> f32 {
    let a = early >> shift;
    return f32(select(((late >> shift) & 15u) | ((a >> 2u) & 48u), a & 63u, pair < 2u));
}
fn least_of(early: u32, late: u32, shift: u32) -> f32 {
    let a = early >> shift;
    return f32(select(((late >> (shift + 4u)) & 15u) | ((a >> 2u) & 48u), a & 63u, pair < 2u));
}

fn open(panel: u32, row: u32, unit: u32) {
    let chunk = (panel * p.panel_lines + unit / 4u * LINES) * SIDE + row;
    let shift = unit % 2u * 16u;
    pair = unit % 4u;
    load(chunk);
    let d# = word#;
    load(chunk + SIDE);
    let a# = word#;
    load(chunk + 2u * SIDE);
    let b# = word#;
    load(chunk + 3u * SIDE);
    scale# = half(d# & 0xffffu) * vec2<f32>(scale_of(a#, word#, shift), scale_of(a#, word#, shift + 8u));
    least# = half(d# >> 16u) * vec2<f32>(least_of(b#, word#, shift), least_of(b#, word#, shift + 8u));
    fifth = chunk + 4u * SIDE;
    at = chunk + (LINES - 32u + pair * 8u) * SIDE;
    first = unit * 16u;
}
fn fetch(i: u32) {
    let high = i % 2u == 1u;
    load(at + i / 2u * SIDE);
    var q# = (word# >> (i % 2u * 4u)) & 0x0f0f0f0fu;
    if (FIVE) { load(fifth + i / 2u * SIDE); }
    if (FIVE) { q# |= ((word# >> (pair * 2u + i % 2u)) & 0x01010101u) << 4u; }
    quad# = vec4<f32>(unpack4xU8(q#)) * select(scale#.x, scale#.y, high) - select(least#.x, least#.y, high);
}
fn place(i: u32) -> u32 { return first + i % 2u * 8u + i / 2u; }
