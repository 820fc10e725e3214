// The parts of attend.wgsl together; a group for each column and head.
struct Params { n: u32, heads: u32, head_dim: u32, parts: u32, ldo: u32 }
var<immediate> p: Params;
@group(0) @binding(0) var<storage, read> open_sums: array<f32>;
@group(0) @binding(1) var<storage, read_write> o: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let step = p.n * p.heads * (p.head_dim + 2u);
    let start = (group.y * p.heads + group.x) * (p.head_dim + 2u);
    var most = -1e30;
    for (var i = 0u; i < p.parts; i++) { most = max(most, open_sums[start + i * step]); }
    var sum = 0.0;
    for (var i = 0u; i < p.parts; i++) { sum += exp(open_sums[start + i * step] - most) * open_sums[start + i * step + 1u]; }
    for (var d = t; d < p.head_dim; d += 64u) {
        var v = 0.0;
        for (var i = 0u; i < p.parts; i++) { v += exp(open_sums[start + i * step] - most) * open_sums[start + i * step + 2u + d]; }
        o[group.y * p.ldo + group.x * p.head_dim + d] = v / sum;
    }
}
