// Q4_K and Q5_K: a unit is 64 columns of a row, whose numbers share 8 words: the first half of them
// in the low bits, the second in the high ones.
const QUADS = 16u;
const LINES = select(36u, 44u, FIVE);
var<private> at: u32;
var<private> fifth: u32;
var<private> pair: u32;
var<private> first: u32;
var<private> scale: array<f32, 2>;
var<private> least: array<f32, 2>;

fn open(panel: u32, row: u32, unit: u32) {
    let chunk = panel * p.panel_words + unit / 4u * (LINES * 16u) + row;
    let d = w[chunk];
    let s0 = w[chunk + 16u];
    let s1 = w[chunk + 32u];
    let s2 = w[chunk + 48u];
    pair = unit % 4u;
    for (var i = 0u; i < 2u; i++) {
        let shift = 8u * (pair % 2u * 2u + i);
        let b0 = s0 >> shift;
        let b1 = s1 >> shift;
        let b2 = s2 >> shift;
        let early = pair < 2u;
        let s = select((b2 & 15u) | ((b0 >> 2u) & 48u), b0 & 63u, early);
        let m = select(((b2 >> 4u) & 15u) | ((b1 >> 2u) & 48u), b1 & 63u, early);
        scale[i] = half(d & 0xffffu) * f32(s);
        least[i] = half(d >> 16u) * f32(m);
    }
    fifth = chunk + 64u;
    at = chunk + (LINES - 32u + pair * 8u) * 16u;
    first = unit * 16u;
}
fn quad(i: u32) -> vec4<f32> {
    var q = (w[at + i / 2u * 16u] >> (i % 2u * 4u)) & 0x0f0f0f0fu;
    if (FIVE) { q |= ((w[fifth + i / 2u * 16u] >> (pair * 2u + i % 2u)) & 0x01010101u) << 4u; }
    return vec4<f32>(unpack4xU8(q)) * scale[i % 2u] - least[i % 2u];
}
fn place(i: u32) -> u32 { return first + i % 2u * 8u + i / 2u; }
