// y = exp(x - max) / sum of exp(x - max) over each row.
// Grid: one workgroup per row.
// Workgroup memory: one number per lane.
// Accumulates in f32: 64 lanes with a stride, then over the lanes.
// Constants: none
struct Params { rows: u32, width: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read_write> y: array<Element>;

// exp() that keeps a NaN: some GPUs clamp it away.
fn exponential(v: f32) -> f32 { return select(exp(v), v, (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u); }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.y * 65535u + group.x;
  if (row >= params.rows) { return; }
  let start = row * params.width;
  var top = -3.4e38;
  for (var i = lane; i < params.width; i += 64u) { top = max(top, x[start + i]); }
  top = maxOfLanes(top, lane);
  var sum = 0.0;
  for (var i = lane; i < params.width; i += 64u) { sum += exponential(x[start + i] - top); }
  sum = sumOfLanes(sum, lane);
  for (var i = lane; i < params.width; i += 64u) { y[start + i] = exponential(x[start + i] - top) / sum; }
}
