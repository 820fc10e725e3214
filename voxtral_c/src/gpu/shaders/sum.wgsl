// The sum over a group of 256 threads, the same for each of them.
var<workgroup> sums: array<f32, 256>;

fn group_sum(value: f32, t: u32) -> f32 {
    sums[t] = value;
    for (var half = 128u; half > 0u; half >>= 1u) {
        workgroupBarrier();
        if (t < half) { sums[t] += sums[t + half]; }
    }
    workgroupBarrier();
    return sums[0];
}
