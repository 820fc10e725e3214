// Q8_0: a unit is 64 columns of a row: a word with the scales of both halves, 16 of numbers, which have 128 added.
const QUADS = 16u;
var<private> at: u32;
var<private> first: u32;
var<private> low_scale#: f32;
var<private> high_scale#: f32;

fn open(panel: u32, row: u32, unit: u32) {
    let chunk = (panel * p.panel_lines + unit / 4u * 68u) * SIDE + row;
    let units = min(4u, p.units - unit / 4u * 4u);
    load(chunk + unit % 4u * SIDE);
    low_scale# = half(word# & 0xffffu);
    high_scale# = half(word# >> 16u);
    at = chunk + (units + unit % 4u * 16u) * SIDE;
    first = unit * 16u;
}
fn fetch(i: u32) {
    load(at + i * SIDE);
    quad# = vec4<f32>(unpack4xI8(word# ^ 0x80808080u)) * select(low_scale#, high_scale#, i >= 8u);
}
fn place(i: u32) -> u32 { return first + i; }
