// Over 64 threads: thread t's numbers belong to rows t % 4 * 4 .. + 3 of a panel; the sum of all of
// row r comes to thread r < 16. First within subgroups, of whatever size: 1 to 128 and more.
var<workgroup> parts: array<vec4<f32>, 64>;
var<private> lane: u32;
var<private> lanes: u32;
var<private> subgroup: u32;

fn thread(index: u32) -> u32 { return subgroup * lanes + lane; }
fn row_sum(numbers: vec4<f32>, t: u32) -> f32 {
    let used = clamp(lanes, 4u, 64u);
    var v = numbers;
    for (var step = 4u; step < used; step <<= 1u) { v += subgroupShuffleXor(v, step); }
    if (lane < 4u) { parts[subgroup * min(lanes, 4u) + lane] = v; }
    workgroupBarrier();
    var sum = 0.0;
    if (t < 16u) {
        for (var i = 0u; i < 64u / used; i++) { sum += parts[i * 4u + t / 4u][t % 4u]; }
    }
    workgroupBarrier();
    return sum;
}
