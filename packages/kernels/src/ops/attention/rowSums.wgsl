// statistics = [logSumExp, dot(output, d)]: what the backward kernels need of each row and head, in one binding.
// Grid: one workgroup per 8 rows and heads; 8 lanes share each.
// Workgroup memory: one number per lane.
// Accumulates in f32: 8 lanes with a stride, then a tree.
// Constants: none
struct Params { count: u32, headDim: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> output: array<Element>;
@group(0) @binding(2) var<storage, read> logSumExp: array<f32>;
@group(0) @binding(3) var<storage, read> d: array<Element>;
@group(0) @binding(4) var<storage, read_write> statistics: array<vec2<f32>>;
var<workgroup> partial: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * 65535u + group.x) * 8u + lane / 8u;
  var sum = 0.0;
  if (row < params.count) {
    for (var i = lane % 8u; i < params.headDim; i += 8u) { sum += output[row * params.headDim + i] * d[row * params.headDim + i]; }
  }
  partial[lane] = sum;
  for (var step = 4u; step > 0u; step /= 2u) {
    workgroupBarrier();
    if (lane % 8u < step) { partial[lane] += partial[lane + step]; }
  }
  if (lane % 8u == 0u && row < params.count) { statistics[row] = vec2(logSumExp[row], partial[lane]); }
}
