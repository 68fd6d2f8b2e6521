// y = sum over the slices of x [slices, count], in order.
// Grid: one invocation per element of y.
// Workgroup memory: none.
// Accumulates in f32.
// Constants: none
struct Params { count: u32, slices: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * 65535u * 64u + id.x;
  if (i >= params.count) { return; }
  var sum = x[i];
  for (var slice = 1u; slice < params.slices; slice++) { sum += x[slice * params.count + i]; }
  y[i] = sum;
}
