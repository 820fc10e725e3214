// Weights are read four rows at a time: a line of 64 bytes holds 4 bytes of each of 16 rows.
const ROWS = 4u;
const SIDE = 4u;
@group(0) @binding(0) var<storage, read> w: array<vec4<u32>>;
fn load(k: u32) {
    let four = w[k];
    word0 = four.x;
    word1 = four.y;
    word2 = four.z;
    word3 = four.w;
}
fn word_at(k: u32) -> u32 { return w[k / 4u][k % 4u]; }
