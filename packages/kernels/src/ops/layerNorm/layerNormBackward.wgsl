// dX = (d weight - mean(d weight) - x^ mean(d weight x^)) / deviation over each row, with x^ = (x - mean) / deviation.
// Grid: one workgroup per row.
// Workgroup memory: two numbers per lane.
// Accumulates in f32: 64 lanes with a stride, then over the lanes.
// Constants: none
struct Params { rows: u32, width: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read> weight: array<Element>;
@group(0) @binding(3) var<storage, read> statistics: array<f32>;
@group(0) @binding(4) var<storage, read> d: array<Element>;
@group(0) @binding(5) var<storage, read_write> dX: array<Element>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.y * 65535u + group.x;
  if (row >= params.rows) { return; }
  let start = row * params.width;
  let mean = statistics[2u * row];
  let inverse = statistics[2u * row + 1u];
  var sums = vec2(0.0);
  for (var i = lane; i < params.width; i += 64u) {
    let weighted = d[start + i] * weight[i];
    sums += vec2(weighted, weighted * (x[start + i] - mean) * inverse);
  }
  let means = pairOfSums(sums, lane) / f32(params.width);
  for (var i = lane; i < params.width; i += 64u) {
    let normal = (x[start + i] - mean) * inverse;
    dX[start + i] = inverse * (d[start + i] * weight[i] - means.x - normal * means.y);
  }
}
