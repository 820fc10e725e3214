// The sum over a group of 256 threads, the same for each of them: first within subgroups, of
// whatever size.
var<workgroup> sums: array<f32, 256>;
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
