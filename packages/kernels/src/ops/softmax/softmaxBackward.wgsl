// dX = y (d - sum of d y) over each row.
// Grid: one workgroup per row.
// Workgroup memory: one number per lane.
// Accumulates in f32: 64 lanes with a stride, then over the lanes.
// Constants: none
struct Params { rows: u32, width: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> y: array<Element>;
@group(0) @binding(2) var<storage, read> d: array<Element>;
@group(0) @binding(3) var<storage, read_write> dX: array<Element>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.y * 65535u + group.x;
  if (row >= params.rows) { return; }
  let start = row * params.width;
  var sum = 0.0;
  for (var i = lane; i < params.width; i += 64u) { sum += d[start + i] * y[start + i]; }
  sum = sumOfLanes(sum, lane);
  for (var i = lane; i < params.width; i += 64u) { dX[start + i] = y[start + i] * (d[start + i] - sum); }
}
