// F32, F16 and BF16: a unit is 32 columns of a row.
const QUADS = 8u;
const WORDS = BITS / 8u;      // of four weights
var<private> at: u32;
var<private> first: u32;

fn open(panel: u32, row: u32, unit: u32) {
    at = (panel * p.panel_lines + unit * QUADS * WORDS) * SIDE + row;
    first = unit * 8u;
}
fn two(word: u32) -> vec2<f32> {
    if (BFLOAT) { return vec2<f32>(bitcast<f32>(word << 16u), bitcast<f32>(word & 0xffff0000u)); }
    return unpack2x16float(word);
}
fn fetch(i: u32) {
    let k = at + i * WORDS * SIDE;
    load(k);
    let a# = word#;
    load(k + SIDE);
    quad# = vec4<f32>(two(a#), two(word#));
    if (BITS == 16u) { return; }
    let b# = word#;
    load(k + 2u * SIDE);
    let c# = word#;
    load(k + 3u * SIDE);
    quad# = bitcast<vec4<f32>>(vec4<u32>(a#, b#, c#, word#));
}
fn place(i: u32) -> u32 { return first + i; }
