// y = a b (+ bias), by strides, so that either operand may be stored transposed.
// Grid: x over tiles of 32 columns, y over tiles of 32 rows from firstRow; an invocation owns 4 x 4 elements of y in registers.
// Workgroup memory: none. Accumulates in f32, over k in order: a row's result does not depend on the other rows.
// Without bias its binding shows another tensor, and nothing reads it.
// Constants: HAS_BIAS=0,1
struct Params { m: u32, n: u32, k: u32, aRow: u32, aColumn: u32, bRow: u32, bColumn: u32, firstRow: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> a: array<Element>;
@group(0) @binding(2) var<storage, read> b: array<Element>;
@group(0) @binding(3) var<storage, read> bias: array<Element>;
@group(0) @binding(4) var<storage, read_write> y: array<Element>;

fn store(row: u32, column: u32, value: vec4<f32>) {
  if (row >= params.m) { return; }
  let at = row * params.n + column;
  y[at] = value.x;
  if (column + 1u < params.n) { y[at + 1u] = value.y; }
  if (column + 2u < params.n) { y[at + 2u] = value.z; }
  if (column + 3u < params.n) { y[at + 3u] = value.w; }
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = params.firstRow + id.y * 4u;
  let column = id.x * 4u;
  if (row >= params.m || column >= params.n) { return; }
  // Rows and columns beyond the edge repeat the last one; they are not stored.
  let rows = min(row + vec4(0u, 1u, 2u, 3u), vec4(params.m - 1u));
  let columns = min(column + vec4(0u, 1u, 2u, 3u), vec4(params.n - 1u));
  var sum0 = vec4(0.0);
  if (HAS_BIAS == 1) { sum0 = vec4(bias[columns.x], bias[columns.y], bias[columns.z], bias[columns.w]); }
  var sum1 = sum0;
  var sum2 = sum0;
  var sum3 = sum0;
  var atA = rows * params.aRow;
  var atB = columns * params.bColumn;
  for (var i = 0u; i < params.k; i++) {
    let right = vec4(b[atB.x], b[atB.y], b[atB.z], b[atB.w]);
    sum0 += a[atA.x] * right;
    sum1 += a[atA.y] * right;
    sum2 += a[atA.z] * right;
    sum3 += a[atA.w] * right;
    atA += params.aColumn;
    atB += params.bRow;
  }
  store(row, column, sum0);
  store(row + 1u, column, sum1);
  store(row + 2u, column, sum2);
  store(row + 3u, column, sum3);
}
