alias Two = u32;
fn pack(v: vec2<f32>) -> Two { return pack2x16float(v); }
fn unpack(v: Two) -> vec2<f32> { return unpack2x16float(v); }
