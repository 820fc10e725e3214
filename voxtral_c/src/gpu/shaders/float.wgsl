// F32, F16 and BF16: a unit is 32 columns of a row.
const QUADS = 8u;
const LINES = select(16u, 32u, BITS == 32u);
var<private> at: u32;
var<private> first: u32;

fn open(panel: u32, row: u32, unit: u32) {
    at = panel * p.panel_words + unit * (LINES * 16u) + row;
    first = unit * 8u;
}
fn two(word: u32) -> vec2<f32> {
    if (BFLOAT) { return vec2<f32>(bitcast<f32>(word << 16u), bitcast<f32>(word & 0xffff0000u)); }
    return unpack2x16float(word);
}
fn quad(i: u32) -> vec4<f32> {
    if (BITS == 32u) {
        let k = at + i * 64u;
        return bitcast<vec4<f32>>(vec4<u32>(w[k], w[k + 16u], w[k + 32u], w[k + 48u]));
    }
    return vec4<f32>(two(w[at + i * 32u]), two(w[at + i * 32u + 16u]));
}
fn place(i: u32) -> u32 { return first + i; }
