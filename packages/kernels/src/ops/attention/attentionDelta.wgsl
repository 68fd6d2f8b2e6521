// statistics = [logSumExp, dot(output, d)]: what the backward kernels need of each row and head, in one binding.
// Grid: one invocation per row and head.
// Workgroup memory: none.
// Accumulates in f32, in order.
// Constants: HEAD_DIM=8,12,64
struct Params { count: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> output: array<Element>;
@group(0) @binding(2) var<storage, read> logSumExp: array<f32>;
@group(0) @binding(3) var<storage, read> d: array<Element>;
@group(0) @binding(4) var<storage, read_write> statistics: array<vec2<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * 65535u * 64u + id.x;
  if (i >= params.count) { return; }
  var delta = 0.0;
  for (var j = 0u; j < HEAD_DIM; j++) { delta += output[i * HEAD_DIM + j] * d[i * HEAD_DIM + j]; }
  statistics[i] = vec2(logSumExp[i], delta);
}
