// y[row] = table[ids[row]]; zeros for an id beyond the table.
// Grid: one invocation per element of y.
// Workgroup memory: none.
// Copies, no arithmetic.
// Constants: none
struct Params { count: u32, rows: u32, width: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> table: array<Element>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<Element>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
  let i = invocation.y * 65535u * 64u + invocation.x;
  if (i >= params.count) { return; }
  let id = ids[i / params.width];
  var value = 0.0;
  if (id < params.rows) { value = table[id * params.width + i % params.width]; }
  y[i] = value;
}
