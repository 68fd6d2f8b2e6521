// Turns pairs (i, i + half) of each head by the angle of the token's position; sign -1 turns back. Other elements are copied.
// Grid: one invocation per element of x.
// Workgroup memory: none.
// Two products and a sum in f32; cosines and sines come from the table. A position beyond it gives NaN.
// Constants: none
struct Params { count: u32, heads: u32, headDim: u32, rows: u32, half: u32, turned: u32, sign: f32, nan: f32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read> table: array<f32>;
@group(0) @binding(3) var<storage, read> positions: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<Element>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * 65535u * 64u + id.x;
  if (i >= params.count) { return; }
  let element = i % params.headDim;
  let head = (i / params.headDim) % params.heads;
  let half = params.half;
  if (head >= params.turned || element >= 2u * half) {
    y[i] = x[i];
    return;
  }
  let position = positions[i / (params.headDim * params.heads)];
  if (position >= params.rows) {
    y[i] = params.nan;
    return;
  }
  let row = position * 2u * half;
  if (element < half) { y[i] = x[i] * table[row + element] - x[i + half] * params.sign * table[row + half + element]; }
  else { y[i] = x[i] * table[row + element - half] + x[i - half] * params.sign * table[row + element]; }
}
