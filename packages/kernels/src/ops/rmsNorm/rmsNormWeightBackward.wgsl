// dWeight = sum over rows of d n, with n = (x + residual) inverse. Without a residual its binding shows x.
// Grid: x, then z, over groups of 16 columns, y over slices of rows, whose sums lie one after another; 16 lanes share the rows of each column.
// Workgroup memory: one number per lane.
// Accumulates in f32: 16 lanes with a stride, then a tree.
// Constants: HAS_RESIDUAL=0,1
struct Params { rows: u32, width: u32, slice: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read> inverses: array<f32>;
@group(0) @binding(3) var<storage, read> d: array<Element>;
@group(0) @binding(4) var<storage, read> residual: array<Element>;
@group(0) @binding(5) var<storage, read_write> dWeight: array<Element>;
var<workgroup> partial: array<f32, 256>;

@compute @workgroup_size(16, 16)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
  let column = (group.z * 65535u + group.x) * 16u + lane.x;
  let end = min(params.rows, (group.y + 1u) * params.slice);
  var sum = 0.0;
  if (column < params.width) {
    for (var row = group.y * params.slice + lane.y; row < end; row += 16u) {
      let at = row * params.width + column;
      var value = x[at];
      if (HAS_RESIDUAL == 1) { value += residual[at]; }
      sum += d[at] * value * inverses[row];
    }
  }
  let own = lane.y * 16u + lane.x;
  partial[own] = sum;
  for (var step = 8u; step > 0u; step /= 2u) {
    workgroupBarrier();
    if (lane.y < step) { partial[own] += partial[own + step * 16u]; }
  }
  if (lane.y == 0u && column < params.width) { dWeight[group.y * params.width + column] = partial[own]; }
}
