// dX = (d weight - n mean(d weight n)) inverse over each row, with n = (x + residual) inverse. Without a residual its binding shows x.
// Grid: one workgroup per row.
// Workgroup memory: one number per lane.
// Accumulates in f32: 64 lanes with a stride, then over the lanes.
// Constants: HAS_RESIDUAL=0,1
struct Params { rows: u32, width: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read> weight: array<Element>;
@group(0) @binding(3) var<storage, read> inverses: array<f32>;
@group(0) @binding(4) var<storage, read> d: array<Element>;
@group(0) @binding(5) var<storage, read> residual: array<Element>;
@group(0) @binding(6) var<storage, read_write> dX: array<Element>;

fn h(i: u32) -> f32 {
  if (HAS_RESIDUAL == 1) { return x[i] + residual[i]; }
  return x[i];
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.y * 65535u + group.x;
  if (row >= params.rows) { return; }
  let start = row * params.width;
  let inverse = inverses[row];
  var sum = 0.0;
  for (var i = lane; i < params.width; i += 64u) { sum += d[start + i] * weight[i] * h(start + i) * inverse; }
  let mean = sumOfLanes(sum, lane) / f32(params.width);
  for (var i = lane; i < params.width; i += 64u) { dX[start + i] = inverse * (d[start + i] * weight[i] - h(start + i) * inverse * mean); }
}
