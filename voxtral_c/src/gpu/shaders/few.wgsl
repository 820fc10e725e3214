// A matrix times up to COLUMNS columns; a group for each panel (GATED: for two). Each of its 64
// threads has four rows and one of 16 slices of the columns of W, so that what is read of x serves
// four rows. Lines with # are repeated for each column of x.
var<private> sum#: vec4<f32>;

fn panel_sums(panel: u32, t: u32) {
    let x# = p.x0 + min(#u, p.n - 1u) * p.ldx;
    sum# = vec4<f32>();
    for (var unit = t / 4u; unit < p.units; unit += 16u) {
        open(panel, t % 4u, unit);
        for (var i = 0u; i < QUADS; i++) {
            fetch(i);
            let k = place(i);
            let v# = x[x# + k];
            sum# += vec4<f32>(dot(quad0, v#), dot(quad1, v#), dot(quad2, v#), dot(quad3, v#));
        }
    }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32 $SUBGROUP_ARGUMENTS) {
    $SUBGROUP_START
    let t = thread(index);
    panel_sums(select(group.x, group.x * 2u, GATED), t);
    var total# = row_sum(sum#, t);
    if (GATED) {
        panel_sums(group.x * 2u + 1u, t);
        total# = silu(total#) * row_sum(sum#, t);
    }
    let row = (select(p.panel0, p.panel0 / 2u, GATED) + group.x) * 16u + t;
    if (t < 16u && #u < p.n) { put(#u, row, total#); }
}
