// sum and count over the rows' [loss, counted].
// Grid: one workgroup.
// Workgroup memory: two numbers per lane.
// Accumulates in f32: 256 lanes with a stride, then over the lanes.
// Constants: none
struct Params { rows: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> losses: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read_write> sum: array<f32>;
@group(0) @binding(3) var<storage, read_write> count: array<f32>;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32) {
  var total = vec2(0.0);
  for (var row = lane; row < params.rows; row += 256u) { total += losses[row]; }
  total = pairOfSums(total, lane);
  if (lane == 0u) {
    sum[0] = total.x;
    count[0] = total.y;
  }
}
