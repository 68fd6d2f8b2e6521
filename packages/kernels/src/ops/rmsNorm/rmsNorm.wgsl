// y = h / root mean square(h) * weight over each row, with h = x + residual; inverses = 1 / root mean square. Without a residual its binding shows x.
// Grid: one workgroup per row.
// Workgroup memory: one number per lane.
// Accumulates in f32: 64 lanes with a stride, then over the lanes.
// Constants: HAS_RESIDUAL=0,1
struct Params { rows: u32, width: u32, epsilon: f32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read> weight: array<Element>;
@group(0) @binding(3) var<storage, read> residual: array<Element>;
@group(0) @binding(4) var<storage, read_write> y: array<Element>;
@group(0) @binding(5) var<storage, read_write> inverses: array<f32>;

fn h(i: u32) -> f32 {
  if (HAS_RESIDUAL == 1) { return x[i] + residual[i]; }
  return x[i];
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.y * 65535u + group.x;
  if (row >= params.rows) { return; }
  let start = row * params.width;
  var squares = 0.0;
  for (var i = lane; i < params.width; i += 64u) {
    let value = h(start + i);
    squares += value * value;
  }
  let inverse = 1.0 / sqrt(sumOfLanes(squares, lane) / f32(params.width) + params.epsilon);
  for (var i = lane; i < params.width; i += 64u) { y[start + i] = h(start + i) * inverse * weight[i]; }
  if (lane == 0u) { inverses[row] = inverse; }
}
