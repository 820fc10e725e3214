// x = a token's row of the matrix of embeddings + the sound's embedding; a group for each column,
// whose token and depth are in `info`. Tokens of other parts of the matrix are left alone.
struct Params { panels: u32, panel0: u32, units: u32, panel_lines: u32, fours: u32, audio0: u32, ldx: u32 }
var<immediate> p: Params;
@group(0) @binding(1) var<storage, read> audio: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> info: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> x: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let token = info[group.x].x;
    let panel = token / 16u - p.panel0;
    if (token / 16u < p.panel0 || panel >= p.panels) { return; }
    let start = p.audio0 + info[group.x].y * p.fours;
    for (var unit = t; unit < p.units; unit += 64u) {
        open(panel, token % 16u, unit);
        for (var i = 0u; i < QUADS; i++) {
            let k = place(i);
            fetch(i);
            if (k < p.fours) { x[group.x * p.ldx + k] = quad0 + audio[start + k]; }
        }
    }
}
