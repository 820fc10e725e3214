// A matrix times up to COLUMNS columns; a group for each panel (SWIGLU: for two). Its 256 threads
// are 16 rows times 16 slices of the columns of W. Lines with # are repeated for each column of x.
var<workgroup> parts: array<f32, 256u * COLUMNS>;

fn panel_sums(panel: u32, t: u32) {
    let row = t % 16u;
    let x# = p.x0 + min(#u, p.n - 1u) * p.ldx;
    var sum# = 0.0;
    for (var unit = t / 16u; unit < p.units; unit += 16u) {
        open(panel, row, unit);
        for (var i = 0u; i < QUADS; i++) {
            let four = quad(i);
            let k = place(i);
            sum# += dot(four, x[x# + k]);
        }
    }
    parts[#u * 256u + t] = sum#;
}

fn total(t: u32) -> f32 {
    var sum = 0.0;
    for (var slice = 0u; slice < 16u; slice++) { sum += parts[t / 16u * 256u + slice * 16u + t % 16u]; }
    return sum;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let mine = t < 16u * COLUMNS && t / 16u < p.n;
    if (MODE != SWIGLU) {
        panel_sums(group.x, t);
        workgroupBarrier();
        if (mine) { put(t / 16u, (p.panel0 + group.x) * 16u + t % 16u, total(t)); }
        return;
    }
    panel_sums(group.x * 2u, t);
    workgroupBarrier();
    var gate = 0.0;
    if (mine) { gate = silu(total(t)); }
    workgroupBarrier();
    panel_sums(group.x * 2u + 1u, t);
    workgroupBarrier();
    if (mine) { put(t / 16u, (p.panel0 / 2u + group.x) * 16u + t % 16u, gate * total(t)); }
}
