// Weights are read one row at a time: a line of 64 bytes holds 4 bytes of each of 16 rows.
const ROWS = 1u;
const SIDE = 16u;
@group(0) @binding(0) var<storage, read> w: array<u32>;
fn load(k: u32) { word0 = w[k]; }
fn word_at(k: u32) -> u32 { return w[k]; }
