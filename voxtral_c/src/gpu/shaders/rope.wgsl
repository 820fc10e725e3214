// Queries are turned (and scaled) in place; keys are turned and go to the cache with the values.
// A head's pairs lie side by side, or (split) all first numbers before all second ones. Before that,
// what guesses left in the cache moves to where it belongs.
struct Params {
    n: u32, heads: u32, kv_heads: u32, pairs: u32,
    ld: u32, k0: u32, v0: u32,      // of qkv: between columns, and to keys and values
    slots: u32, slot0: u32,
    block: u32,                     // columns that a thread puts into the cache
    moves: u32,
    split: u32,
    scale: f32,
}
var<immediate> p: Params;
@group(0) @binding(0) var<storage, read_write> qkv: array<f32>;
@group(0) @binding(1) var<storage, read> turns: array<vec2<f32>>;     // [column][pair]: cos, sin
@group(0) @binding(2) var<storage, read> moves: array<vec2<u32>>;     // from a slot, to another
@group(0) @binding(3) var<storage, read_write> keys: array<Two>;
@group(0) @binding(4) var<storage, read_write> values: array<Two>;

fn turned(at: u32, second: u32, by: vec2<f32>) -> vec2<f32> {
    let a = qkv[at];
    let b = qkv[second];
    return vec2<f32>(a * by.x - b * by.y, a * by.y + b * by.x);
}

fn place_of(base: u32, head: u32, pair: u32) -> vec2<u32> {
    let first = base + head * p.pairs * 2u;
    if (p.split != 0u) { return vec2<u32>(first + pair, first + p.pairs + pair); }
    return vec2<u32>(first + pair * 2u, first + pair * 2u + 1u);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let queries = p.n * p.heads * p.pairs;
    let pair = id.x % p.pairs;
    if (id.x < queries) {
        let column = id.x / p.pairs / p.heads;
        let at = place_of(column * p.ld, id.x / p.pairs % p.heads, pair);
        let q = turned(at.x, at.y, turns[column * p.pairs + pair]) * p.scale;
        qkv[at.x] = q.x;
        qkv[at.y] = q.y;
        return;
    }
    let lane = (id.x - queries) / p.pairs;
    let head = lane % p.kv_heads;
    let start = lane / p.kv_heads * p.block;
    if (start >= p.n) { return; }
    for (var i = 0u; i < p.moves; i++) {
        let m = moves[i];
        keys[key_at(head, pair, m.y)] = keys[key_at(head, pair, m.x)];
        values[value_at(head, m.y, pair)] = values[value_at(head, m.x, pair)];
    }
    for (var column = start; column < min(start + p.block, p.n); column++) {
        let slot = (p.slot0 + column) % p.slots;
        let k = place_of(column * p.ld + p.k0, head, pair);
        let v = column * p.ld + p.v0 + (head * p.pairs + pair) * 2u;
        keys[key_at(head, pair, slot)] = pack(turned(k.x, k.y, turns[column * p.pairs + pair]));
        values[value_at(head, slot, pair)] = pack(vec2<f32>(qkv[v], qkv[v + 1u]));
    }
}
