// Over 64 threads: thread t's numbers belong to rows t % 4 * 4 .. + 3 of a panel; the sum of all of
// row r comes to thread r < 16.
var<workgroup> parts: array<vec4<f32>, 64>;

fn thread(index: u32) -> u32 { return index; }
fn row_sum(numbers: vec4<f32>, t: u32) -> f32 {
    var sum = 0.0;
    parts[t] = numbers;
    workgroupBarrier();
    if (t < 16u) {
        for (var i = 0u; i < 16u; i++) { sum += parts[i * 4u + t / 4u][t % 4u]; }
    }
    workgroupBarrier();
    return sum;
}
