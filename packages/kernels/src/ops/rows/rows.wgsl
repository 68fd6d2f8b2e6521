// y[to + i] = x[first + i - shift] where i - shift lies in [0, length), else 0. Elements of 32 bits of any type, as words: a float might not keep the bits of an integer.
// Grid: one invocation per element written.
// Workgroup memory: none.
// Copies, no arithmetic.
// Constants: none
struct Params { count: u32, to: u32, first: u32, shift: u32, length: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * 65535u * 64u + id.x;
  if (i >= params.count) { return; }
  var value = 0u;
  if (i >= params.shift && i - params.shift < params.length) { value = x[params.first + i - params.shift]; }
  y[params.to + i] = value;
}
