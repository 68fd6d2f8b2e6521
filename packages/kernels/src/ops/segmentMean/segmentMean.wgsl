// y[segment] = mean of the segment's rows of x; backward, every row of a segment gets x[segment] divided by its length.
// Grid: one invocation per column of a piece of a segment; `pieces` holds the segment, first row, end of rows, the tokens to divide by, and whether another piece of the segment came before. Row 0 and segment 0 lie at their starts, as u32s that may wrap below zero.
// Workgroup memory: none.
// Accumulates in f32, in order.
// Constants: BACKWARD=0,1
struct Params { count: u32, width: u32, rowsStart: u32, segmentsStart: u32, pieces: u32, arrays: array<u32> }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read_write> y: array<Element>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * 65535u * 64u + id.x;
  if (i >= params.count) { return; }
  let piece = params.pieces + 5u * (i / params.width);
  let column = i % params.width;
  let segment = params.segmentsStart + params.arrays[piece] * params.width + column;
  let start = params.arrays[piece + 1u];
  let end = params.arrays[piece + 2u];
  let tokens = f32(params.arrays[piece + 3u]);
  let rows = params.rowsStart + column;
  if (BACKWARD == 1) {
    for (var row = start; row < end; row++) { y[rows + row * params.width] = x[segment] / tokens; }
    return;
  }
  var sum = 0.0;
  for (var row = start; row < end; row++) { sum += x[rows + row * params.width]; }
  var before = 0.0;
  if (params.arrays[piece + 4u] == 1u) { before = y[segment]; }
  y[segment] = before + sum / tokens;
}
