// A matrix times many columns, in tiles of 64 rows and COLUMNS (a multiple of 16) columns. Each of
// 256 threads has four rows, of two panels, and every 16th column: lines with # are repeated for each.
var<workgroup> weights: array<vec4<f32>, 512>;             // [8 quads][64 rows]
var<workgroup> columns: array<vec4<f32>, 8u * COLUMNS>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let panel = group.x * 4u + t % 64u / 16u;
    let row = t / 16u / 8u * 32u + t / 16u % 8u * 2u;
    let c0 = group.y * COLUMNS;
    var sums#: vec4<f32>;
    for (var step = 0u; step < p.units * (QUADS / 8u); step++) {
        let i0 = step % (QUADS / 8u) * 8u;
        open(min(panel, p.panels - 1u), t % 16u, step / (QUADS / 8u));
        for (var q = t / 64u; q < 8u; q += 4u) {
            fetch(i0 + q);
            weights[q * 64u + t % 64u] = quad0;
        }
        for (var c = t / 8u; c < COLUMNS; c += 32u) {
            columns[t % 8u * COLUMNS + c] = x[p.x0 + min(c0 + c, p.n - 1u) * p.ldx + place(i0 + t % 8u)];
        }
        workgroupBarrier();
        for (var q = 0u; q < 8u; q++) {
            let a = weights[q * 64u + row];
            let b = weights[q * 64u + row + 1u];
            let c = weights[q * 64u + row + 16u];
            let d = weights[q * 64u + row + 17u];
            let x# = columns[q * COLUMNS + #u * 16u + t % 16u];
            sums# += vec4<f32>(dot(a, x#), dot(b, x#), dot(c, x#), dot(d, x#));
        }
        workgroupBarrier();
    }
    put_all(c0 + #u * 16u + t % 16u, group.x * 64u + row, sums#);
}

fn put_all(column: u32, row: u32, s: vec4<f32>) {
    let at = p.panel0 * 16u + row;
    if (column >= p.n) { return; }
    if (GATED) {
        if (row / 16u + 1u >= p.panels) { return; }
        let to = at / 32u * 16u + at % 16u;
        put(column, to, silu(s.x) * s.z);
        put(column, to + 1u, silu(s.y) * s.w);
        return;
    }
    if (row / 16u < p.panels) {
        put(column, at, s.x);
        put(column, at + 1u, s.y);
    }
    if (row / 16u + 1u < p.panels) {
        put(column, at + 16u, s.z);
        put(column, at + 17u, s.w);
    }
}
