// All cached keys of a layer are turned by the same number of positions.
struct Params { kv_heads: u32, pairs: u32, slots: u32 }
var<immediate> p: Params;
@group(0) @binding(0) var<storage, read> turns: array<vec2<f32>>;     // [pair]: cos, sin
@group(0) @binding(1) var<storage, read_write> keys: array<Two>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let at = id.y * groups.x * 64u + id.x;
    if (at >= p.kv_heads * p.pairs * p.slots) { return; }
    let by = turns[at / p.slots % p.pairs];
    let k = unpack(keys[at]);
    keys[at] = pack(vec2<f32>(k.x * by.x - k.y * by.y, k.x * by.y + k.y * by.x));
}
