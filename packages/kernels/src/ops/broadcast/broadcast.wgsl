// y = x + row, or x * row, for every row of x.
// Grid: one invocation per element.
// Workgroup memory: none.
// One sum or product in f32.
// Constants: MULTIPLY=0,1
struct Params { count: u32, width: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read> row: array<Element>;
@group(0) @binding(3) var<storage, read_write> y: array<Element>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * 65535u * 64u + id.x;
  if (i >= params.count) { return; }
  let other = row[i % params.width];
  if (MULTIPLY == 1) { y[i] = x[i] * other; } else { y[i] = x[i] + other; }
}
