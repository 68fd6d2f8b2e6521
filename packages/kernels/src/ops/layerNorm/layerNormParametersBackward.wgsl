// dWeight = sum over rows of d x^, dBias = sum over rows of d, with x^ = (x - mean) / deviation.
// Grid: x, then z, over groups of 16 columns, y over slices of rows, whose sums lie one after another; 16 lanes share the rows of each column.
// Workgroup memory: two numbers per lane.
// Accumulates in f32: 16 lanes with a stride, then a tree.
// Constants: none
struct Params { rows: u32, width: u32, slice: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read> statistics: array<f32>;
@group(0) @binding(3) var<storage, read> d: array<Element>;
@group(0) @binding(4) var<storage, read_write> dWeight: array<Element>;
@group(0) @binding(5) var<storage, read_write> dBias: array<Element>;
var<workgroup> partial: array<vec2<f32>, 256>;

@compute @workgroup_size(16, 16)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
  let column = (group.z * 65535u + group.x) * 16u + lane.x;
  let end = min(params.rows, (group.y + 1u) * params.slice);
  var sums = vec2(0.0);
  if (column < params.width) {
    for (var row = group.y * params.slice + lane.y; row < end; row += 16u) {
      let at = row * params.width + column;
      sums += vec2(d[at] * (x[at] - statistics[2u * row]) * statistics[2u * row + 1u], d[at]);
    }
  }
  let own = lane.y * 16u + lane.x;
  partial[own] = sums;
  for (var step = 8u; step > 0u; step /= 2u) {
    workgroupBarrier();
    if (lane.y < step) { partial[own] += partial[own + step * 16u]; }
  }
  if (lane.y == 0u && column < params.width) {
    dWeight[group.y * params.width + column] = partial[own].x;
    dBias[group.y * params.width + column] = partial[own].y;
  }
}
