// What both kernels of products share: y = W x + bias, or more. The rows of W lie in panels of 16.
//
// open(panel, row, unit) prepares a unit of the columns of a row (or of four: row then counts fours),
// fetch(i) brings its i-th four weights into quad0 (to quad3), and place(i) tells to which four columns
// they belong. GELU: of the sums; GATED: panels in turn are of the gate and of what it lets through.
struct Params {
    n: u32,            // columns of x
    panels: u32,       // in this part of the matrix
    panel0: u32,       // before it
    units: u32,        // of a row
    panel_lines: u32,  // 64 bytes each
    ldx: u32,          // between columns of x, and before the first, in fours
    x0: u32,
    ldy: u32,
    biased: u32,
    added: u32,        // to what y holds
}
var<immediate> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;


fn erf(v: f32) -> f32 {     // Abramowitz and Stegun 7.1.26
    let t = 1.0 / (1.0 + 0.3275911 * abs(v));
    let s = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return sign(v) * (1.0 - s * exp(-v * v));
}
fn silu(v: f32) -> f32 { return v / (1.0 + exp(-v)); }

fn put(column: u32, row: u32, sum: f32) {
    let to = column * p.ldy + row;
    var v = sum;
    if (p.biased != 0u) { v += bias[row]; }
    if (GELU) { v = 0.5 * v * (1.0 + erf(v * 0.70710678118654752)); }
    if (p.added != 0u) { v += y[to]; }
    y[to] = v;
}
