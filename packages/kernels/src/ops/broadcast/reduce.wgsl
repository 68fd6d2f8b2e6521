// Σ (0), or the largest (1), over the middle axis of x [outer, count, inner].
// Grid: one invocation per element of the output. Element 0 of each tensor lies at its start, as a u32 that may wrap below zero. Where it `continues`, y holds what came before.
// Workgroup memory: none.
// Accumulates in f32, in order, 64 at a time; a NaN stays.
// Constants: MAX=0,1
struct Params { size: u32, count: u32, inner: u32, xStart: u32, yStart: u32, continues: u32, minusInfinity: f32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read_write> y: array<Element>;

fn isNan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }

// max() may lose a NaN.
fn join(a: f32, b: f32) -> f32 {
  if (MAX == 0) { return a + b; }
  return select(select(max(a, b), b, isNan(b)), a, isNan(a));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * 65535u * 64u + id.x;
  if (i >= params.size) { return; }
  let start = params.xStart + i / params.inner * params.count * params.inner + i % params.inner;
  let none = select(0.0, params.minusInfinity, MAX == 1);
  var all = none;
  if (params.continues == 1u) { all = y[params.yStart + i]; }
  for (var first = 0u; first < params.count; first += 64u) {
    var block = none;
    for (var j = first; j < min(first + 64u, params.count); j++) { block = join(block, x[start + j * params.inner]); }
    all = join(all, block);
  }
  y[params.yStart + i] = all;
}
