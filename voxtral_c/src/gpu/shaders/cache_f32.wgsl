alias Two = vec2<f32>;
fn pack(v: vec2<f32>) -> Two { return v; }
fn unpack(v: Two) -> vec2<f32> { return v; }
