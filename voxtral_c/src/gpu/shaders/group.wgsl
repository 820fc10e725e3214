// Over a group of 256 threads, the same for each of them: the sum, and the better of pairs.
var<workgroup> sums: array<f32, 256>;
var<workgroup> pairs: array<vec2<f32>, 256>;

fn group_sum(value: f32, t: u32) -> f32 {
    sums[t] = value;
    for (var half = 128u; half > 0u; half >>= 1u) {
        workgroupBarrier();
        if (t < half) { sums[t] += sums[t + half]; }
    }
    workgroupBarrier();
    return sums[0];
}

fn better(a: vec2<f32>, b: vec2<f32>) -> bool { return a.x > b.x || (a.x == b.x && a.y < b.y); }
fn group_best(pair: vec2<f32>, t: u32) -> vec2<f32> {
    workgroupBarrier();
    pairs[t] = pair;
    for (var half = 128u; half > 0u; half >>= 1u) {
        workgroupBarrier();
        if (t < half && better(pairs[t + half], pairs[t])) { pairs[t] = pairs[t + half]; }
    }
    workgroupBarrier();
    return pairs[0];
}
