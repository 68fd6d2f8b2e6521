// dLogits = dSum (softmax(logits) - [i = label]), zeros for an ignored label.
// Grid: one workgroup per row.
// Workgroup memory: one number per lane.
// Accumulates in f32: 64 lanes with a stride, then over the lanes.
// Constants: none
struct Params { rows: u32, classes: u32, ignoreIndex: i32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<Element>;
@group(0) @binding(2) var<storage, read> labels: array<i32>;
@group(0) @binding(3) var<storage, read> dSum: array<f32>;
@group(0) @binding(4) var<storage, read_write> dLogits: array<Element>;

// exp() that keeps a NaN: some GPUs clamp it away.
fn exponential(v: f32) -> f32 { return select(exp(v), v, (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u); }

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.y * 65535u + group.x;
  if (row >= params.rows) { return; }
  let start = row * params.classes;
  var top = -3.4e38;
  for (var i = lane; i < params.classes; i += 64u) { top = max(top, logits[start + i]); }
  top = maxOfLanes(top, lane);
  var norm = 0.0;
  for (var i = lane; i < params.classes; i += 64u) { norm += exponential(logits[start + i] - top); }
  norm = sumOfLanes(norm, lane);
  let label = labels[row];
  for (var i = lane; i < params.classes; i += 64u) {
    let probability = exponential(logits[start + i] - top) / norm;
    dLogits[start + i] = select(dSum[0] * (probability - select(0.0, 1.0, i32(i) == label)), 0.0, label == params.ignoreIndex);
  }
}
