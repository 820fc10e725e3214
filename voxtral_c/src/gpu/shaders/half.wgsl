// A float16 in the low bits, exact for the smallest ones too, which GPUs may take for zero.
fn half(bits: u32) -> f32 {
    let fraction = bits & 1023u;
    let exponent = (bits >> 10u) & 31u;
    let normal = bitcast<f32>(((exponent + 112u) << 23u) | (fraction << 13u));
    let size = select(normal, f32(fraction) * 5.9604644775390625e-8, exponent == 0u);
    return select(size, -size, (bits & 0x8000u) != 0u);
}
