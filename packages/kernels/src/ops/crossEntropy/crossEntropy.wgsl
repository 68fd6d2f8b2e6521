// losses[row] = [logSumExp(logits) - logits[label], 1], or [0, 0] for an ignored label; NaN for a label that is no class.
// Grid: one workgroup per row.
// Workgroup memory: one number per lane.
// Accumulates in f32: 64 lanes with a stride, then over the lanes.
// Constants: none
struct Params { rows: u32, classes: u32, ignoreIndex: i32, nan: f32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<Element>;
@group(0) @binding(2) var<storage, read> labels: array<i32>;
@group(0) @binding(3) var<storage, read_write> losses: array<vec2<f32>>;

// exp() and log() that keep a NaN: some GPUs clamp it away.
fn kept(result: f32, v: f32) -> f32 { return select(result, v, (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u); }
fn exponential(v: f32) -> f32 { return kept(exp(v), v); }
fn logarithm(v: f32) -> f32 { return kept(log(v), v); }

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
  if (lane > 0u) { return; }
  let label = labels[row];
  var loss = vec2(params.nan, 1.0);
  if (label == params.ignoreIndex) { loss = vec2(0.0); }
  else if (label >= 0 && label < i32(params.classes)) { loss.x = logarithm(norm) + (top - logits[start + u32(label)]); }
  losses[row] = loss;
}
