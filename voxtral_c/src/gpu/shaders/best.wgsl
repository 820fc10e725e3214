// What the logits of a column come down to: the best tokens in their order, the best one that is text,
// the sum of exp(logit - the best one), all without the blanks; the blanks' logits. A group for a part
// of a column; then (JOIN) one for what its parts have come down to. Pairs are of a logit and an id.
struct Params {
    vocab: u32, ld: u32,
    special: u32,      // tokens that are no text
    best: u32,         // tokens wanted
    pad: u32, end: u32,
    parts: u32,        // of a column
}
var<immediate> p: Params;
@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> parts: array<vec2<f32>>;      // [column][part][best + 3]
@group(0) @binding(2) var<storage, read_write> found: array<vec2<f32>>;

const NONE = vec2<f32>(-3e38, 1e9);

fn token(group: vec3<u32>, i: u32) -> vec2<f32> {
    let id = group.x * PART + i;
    if (id >= p.vocab || id == p.pad || id == p.end) { return NONE; }
    return vec2<f32>(logits[group.y * p.ld + id], f32(id));
}
fn of_part(group: vec3<u32>, part: u32, i: u32) -> vec2<f32> { return parts[(group.y * p.parts + part) * (p.best + 3u) + i]; }
fn candidate(group: vec3<u32>, i: u32) -> vec2<f32> {
    if (JOIN) { return of_part(group, i / p.best, i % p.best); }
    return token(group, i);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) t: u32 $SUBGROUP_ARGUMENTS) {
    $SUBGROUP_START
    let record = (group.y * groups.x + group.x) * (p.best + 3u);
    let candidates = select(PART, p.parts * p.best, JOIN);
    let others = select(PART, p.parts, JOIN);
    var most = 0.0;
    var last = vec2<f32>(3e38, 0.0);
    for (var rank = 0u; rank < p.best; rank++) {
        var mine = NONE;
        for (var i = t; i < candidates; i += 256u) {
            let c = candidate(group, i);
            if (better(last, c) && better(c, mine)) { mine = c; }
        }
        last = group_best(mine, t);
        if (rank == 0u) { most = last.x; }
        if (t == 0u) { found[record + rank] = last; }
    }
    var text = NONE;
    var sum = 0.0;
    for (var i = t; i < others; i += 256u) {
        var c = NONE;
        if (JOIN) {
            c = of_part(group, i, p.best);
            sum += of_part(group, i, p.best + 1u).x * exp(of_part(group, i, 0u).x - most);
        } else {
            c = token(group, i);
            if (c.x > NONE.x) { sum += exp(c.x - most); }
        }
        if (c.y >= f32(p.special) && better(c, text)) { text = c; }
    }
    text = group_best(text, t);
    sum = group_sum(sum, t);
    if (t > 0u) { return; }
    found[record + p.best] = text;
    found[record + p.best + 1u] = vec2<f32>(sum, 0.0);
    if (JOIN) { found[record + p.best + 2u] = vec2<f32>(logits[group.y * p.ld + p.pad], logits[group.y * p.ld + p.end]); }
}
