// Over a group of 256 threads, the same for each of them: the sum, and the better of pairs; first
// within subgroups, of whatever size.
var<workgroup> sums: array<f32, 256>;
var<workgroup> pairs: array<vec2<f32>, 256>;
var<private> lane: u32;
var<private> lanes: u32;
var<private> subgroup: u32;

fn group_sum(value: f32, t: u32) -> f32 {
    let part = subgroupAdd(value);
    if (lane == 0u) { sums[subgroup] = part; }
    workgroupBarrier();
    var sum = 0.0;
    for (var i = 0u; i < 256u / lanes; i++) { sum += sums[i]; }
    workgroupBarrier();
    return sum;
}

fn better(a: vec2<f32>, b: vec2<f32>) -> bool { return a.x > b.x || (a.x == b.x && a.y < b.y); }
fn group_best(pair: vec2<f32>, t: u32) -> vec2<f32> {
    let most = subgroupMax(pair.x);
    let least = subgroupMin(select(1e9, pair.y, pair.x == most));
    if (lane == 0u) { pairs[subgroup] = vec2<f32>(most, least); }
    workgroupBarrier();
    var best = pairs[0];
    for (var i = 1u; i < 256u / lanes; i++) {
        if (better(pairs[i], best)) { best = pairs[i]; }
    }
    workgroupBarrier();
    return best;
}
