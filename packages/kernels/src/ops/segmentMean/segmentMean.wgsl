// y[segment] = mean of the segment's rows of x; backward, every row of a segment gets x[segment] divided by its length.
// Grid: one invocation per column of a segment.
// Workgroup memory: none.
// Accumulates in f32, in order.
// Constants: BACKWARD=0,1
struct Params { count: u32, width: u32, cuSeqlens: u32, arrays: array<u32> }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read_write> y: array<Element>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * 65535u * 64u + id.x;
  if (i >= params.count) { return; }
  let segment = i / params.width;
  let column = i % params.width;
  let start = params.arrays[params.cuSeqlens + segment];
  let end = params.arrays[params.cuSeqlens + segment + 1u];
  if (BACKWARD == 1) {
    for (var row = start; row < end; row++) { y[row * params.width + column] = x[i] / f32(end - start); }
    return;
  }
  var sum = 0.0;
  for (var row = start; row < end; row++) { sum += x[row * params.width + column]; }
  y[i] = sum / f32(max(1u, end - start));
}
