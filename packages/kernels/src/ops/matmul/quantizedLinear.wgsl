// y = (x values') · scales (+ bias), with values [n, k] of 8 bits, four in a word.
// Grid: one invocation per element of y, from `first`.
// Workgroup memory: none. Accumulates in f32, over k in order: a row's result does not depend on the other rows.
// Without bias its binding shows another tensor, and nothing reads it.
// Constants: HAS_BIAS=0,1
struct Params { m: u32, n: u32, k: u32, first: u32, end: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> values: array<u32>;
@group(0) @binding(3) var<storage, read> scales: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

fn value(i: u32) -> f32 { return f32(extractBits(bitcast<i32>(values[i / 4u]), 8u * (i % 4u), 8u)); }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = params.first + id.y * 65535u * 64u + id.x;
  if (i >= params.end) { return; }
  let row = i / params.n;
  let column = i % params.n;
  var sum = 0.0;
  for (var j = 0u; j < params.k; j++) { sum += x[row * params.k + j] * value(column * params.k + j); }
  sum *= scales[column];
  if (HAS_BIAS == 1) { sum += bias[column]; }
  y[i] = sum;
}
