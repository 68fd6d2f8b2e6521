// y = a + b (0), a - b (1), a * b (2), a / b (3), a (4), or 1 where a is b and else 0 (5), over inputs that are walked through with strides of their own.
// Grid: one invocation per element; `table` holds the lengths of the axes, then the strides of a and of b (0: repeated). Of each tensor, element 0 of the walk lies at its start, as a u32 that may wrap below zero.
// Workgroup memory: none.
// One operation in f32.
// Constants: OPERATOR=0,1,2,3,4,5
struct Params { count: u32, rank: u32, aStart: u32, bStart: u32, yStart: u32, table: u32, arrays: array<u32> }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> a: array<Element>;
@group(0) @binding(2) var<storage, read> b: array<Element>;
@group(0) @binding(3) var<storage, read_write> y: array<Element>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * 65535u * 64u + id.x;
  if (i >= params.count) { return; }
  var rest = i;
  var atA = params.aStart;
  var atB = params.bStart;
  let to = params.yStart + i;
  for (var axis = params.rank; axis > 0u; axis--) {
    let own = params.table + axis - 1u;
    let length = params.arrays[own];
    atA += (rest % length) * params.arrays[own + params.rank];
    atB += (rest % length) * params.arrays[own + 2u * params.rank];
    rest /= length;
  }
  let x = a[atA];
  let z = b[atB];
  if (OPERATOR == 0) { y[to] = x + z; }
  if (OPERATOR == 1) { y[to] = x - z; }
  if (OPERATOR == 2) { y[to] = x * z; }
  if (OPERATOR == 3) { y[to] = x / z; }
  if (OPERATOR == 4) { y[to] = x; }
  if (OPERATOR == 5) { y[to] = select(0.0, 1.0, x == z); }
}
