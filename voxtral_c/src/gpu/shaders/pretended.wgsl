// For tests: what subgroups of LANES threads do, of sizes that no GPU at hand has.
var<workgroup> told: array<vec4<f32>, 256>;
var<private> its_index: u32;

fn tell(v: vec4<f32>) {
    workgroupBarrier();
    told[its_index] = v;
    workgroupBarrier();
}
fn subgroupShuffleXor(v: vec4<f32>, mask: u32) -> vec4<f32> {
    tell(v);
    return told[its_index ^ mask];
}
fn subgroupAdd(v: f32) -> f32 {
    tell(vec4<f32>(v));
    var sum = 0.0;
    for (var i = 0u; i < LANES; i++) { sum += told[its_index / LANES * LANES + i].x; }
    return sum;
}
fn subgroupMax(v: f32) -> f32 {
    tell(vec4<f32>(v));
    var most = v;
    for (var i = 0u; i < LANES; i++) { most = max(most, told[its_index / LANES * LANES + i].x); }
    return most;
}
fn subgroupMin(v: f32) -> f32 { return -subgroupMax(-v); }
