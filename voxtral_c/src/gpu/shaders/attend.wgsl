// What queries see of a part of the cache: a group for 256 keys, ROWS rows and a key-value head. A
// row is a column's query of one of the heads that share the keys. Lines with # are repeated for
// each row. With several parts the sums stay open, for join.wgsl to finish.
//
// Keys count from the oldest one that any query may see. Those of the batch itself come last; of a
// tree's columns each sees those in its mask.
struct Params {
    n: u32, group: u32, kv_heads: u32, pairs: u32,
    ldq: u32, slots: u32,
    slot0: u32, old: u32,            // the oldest key's slot; keys from before the batch
    window: u32,
    tree: u32, split: u32,
    ldo: u32,
}
var<immediate> p: Params;
@group(0) @binding(0) var<storage, read> q: array<f32>;
@group(0) @binding(1) var<storage, read> keys: array<Two>;
@group(0) @binding(2) var<storage, read> values: array<Two>;
@group(0) @binding(3) var<storage, read> info: array<vec4<u32>>;      // token, depth, mask
@group(0) @binding(4) var<storage, read_write> o: array<f32>;
@group(0) @binding(5) var<storage, read_write> open_sums: array<f32>;

const NONE = -1e30;
const MOST_PAIRS = 64u;
var<workgroup> query: array<vec2<f32>, ROWS * MOST_PAIRS>;
var<workgroup> weight: array<f32, ROWS * 256u>;
var<workgroup> lanes: array<f32, 256>;

fn sees(row: u32, key: u32) -> bool {
    let column = row / p.group;
    if (column >= p.n) { return false; }
    var depth = column;
    if (p.tree != 0u) { depth = info[column].y; }
    if (key < p.old) { return key + p.window > p.old + depth; }
    let i = key - p.old;
    if (p.tree != 0u) { return i < p.n && ((info[column].z >> i) & 1u) != 0u; }
    return i <= column && i + p.window > column;
}

// Of 32 lanes for each row.
fn row_max(t: u32) -> f32 {
    for (var half = 16u; half > 0u; half >>= 1u) {
        workgroupBarrier();
        if (t % 32u < half) { lanes[t] = max(lanes[t], lanes[t + half]); }
    }
    workgroupBarrier();
    return lanes[t / 32u * 32u];
}
fn row_sum(t: u32) -> f32 {
    for (var half = 16u; half > 0u; half >>= 1u) {
        workgroupBarrier();
        if (t % 32u < half) { lanes[t] += lanes[t + half]; }
    }
    workgroupBarrier();
    return lanes[t / 32u * 32u];
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) at: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) t: u32) {
    let head = at.z;
    let row0 = at.y * ROWS;
    let rows = min(ROWS, p.n * p.group - row0);
    let key0 = at.x * 256u;
    let count = min(256u, p.old + p.n - key0);

    for (var i = t; i < ROWS * p.pairs; i += 256u) {
        let row = row0 + min(i / p.pairs, rows - 1u);
        let start = row / p.group * p.ldq + (head * p.group + row % p.group) * p.pairs * 2u;
        let pair = i % p.pairs;
        let first = select(start + pair * 2u, start + pair, p.split != 0u);
        query[i] = vec2<f32>(q[first], q[select(first + 1u, first + p.pairs, p.split != 0u)]);
    }
    workgroupBarrier();

    var score# = 0.0;
    if (t < count) {
        let slot = (p.slot0 + key0 + t) % p.slots;
        for (var pair = 0u; pair < p.pairs; pair++) {
            let k = unpack(keys[key_at(head, pair, slot)]);
            score# += dot(k, query[#u * p.pairs + pair]);
        }
    }
    weight[#u * 256u + t] = score#;
    for (var r = 0u; r < ROWS; r++) {
        if (t >= count || !sees(row0 + r, key0 + t)) { weight[r * 256u + t] = NONE; }
    }
    workgroupBarrier();

    let row = t / 32u;
    var most = NONE;
    if (row < ROWS) {
        for (var k = t % 32u; k < 256u; k += 32u) { most = max(most, weight[row * 256u + k]); }
    }
    lanes[t] = most;
    most = row_max(t);
    workgroupBarrier();
    var sum = 0.0;
    if (row < ROWS) {
        for (var k = t % 32u; k < 256u; k += 32u) {
            let s = weight[row * 256u + k];
            let e = select(0.0, exp(s - most), s > NONE);
            weight[row * 256u + k] = e;
            sum += e;
        }
    }
    lanes[t] = sum;
    sum = row_sum(t);

    let heads = p.kv_heads * p.group;
    let parts = groups.x;
    if (parts > 1u && row < rows && t % 32u == 0u) {
        let r = row0 + row;
        let to = ((at.x * p.n + r / p.group) * heads + head * p.group + r % p.group) * (p.pairs * 2u + 2u);
        open_sums[to] = most;
        open_sums[to + 1u] = sum;
    }
    for (var i = t; i < rows * p.pairs; i += 256u) {
        let r = i / p.pairs;
        let pair = i % p.pairs;
        var v = vec2<f32>(0.0, 0.0);
        var slot = (p.slot0 + key0) % p.slots;
        for (var k = 0u; k < count; k++) {
            v += weight[r * 256u + k] * unpack(values[value_at(head, slot, pair)]);
            slot = select(slot + 1u, 0u, slot + 1u == p.slots);
        }
        let column = (row0 + r) / p.group;
        let h = head * p.group + (row0 + r) % p.group;
        if (parts == 1u) {
            let total = lanes[r * 32u];
            o[column * p.ldo + h * p.pairs * 2u + pair * 2u] = v.x / total;
            o[column * p.ldo + h * p.pairs * 2u + pair * 2u + 1u] = v.y / total;
        } else {
            let to = ((at.x * p.n + column) * heads + h) * (p.pairs * 2u + 2u) + 2u + pair * 2u;
            open_sums[to] = v.x;
            open_sums[to + 1u] = v.y;
        }
    }
}
