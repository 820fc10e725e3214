// y = x / sqrt(mean(x^2) + eps) * gain, a group for each column.
struct Params { dim: u32, ldx: u32, x0: u32, ldy: u32, eps: f32 }
var<immediate> p: Params;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> gain: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32 $SUBGROUP_ARGUMENTS) {
    $SUBGROUP_START
    let start = p.x0 + group.x * p.ldx;
    var squares = 0.0;
    for (var i = t; i < p.dim; i += 256u) { squares += x[start + i] * x[start + i]; }
    let scale = 1.0 / sqrt(group_sum(squares, t) / f32(p.dim) + p.eps);
    for (var i = t; i < p.dim; i += 256u) { y[group.x * p.ldy + i] = x[start + i] * scale * gain[i]; }
}
