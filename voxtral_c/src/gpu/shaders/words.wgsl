// What is read of each row: the word loaded last, the four weights fetched last.
var<private> word#: u32;
var<private> quad#: vec4<f32>;
