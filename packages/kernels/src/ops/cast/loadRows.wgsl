// y = x as f32, or, gathered, those rows that ids name, and zeros for an id beyond them: of the `rows` rows from firstRow on, row 0 at `xStart`, as a u32 that may wrap below zero. Zeros are written with the first rows, so that dispatches over some rows each make up the whole. x is f32 (0), or packed in words: float16 (1), bfloat16 (2), int8 (3), int32 (4) or uint32 (5).
// Grid: one invocation per element of y. Without ids their binding shows x.
// Workgroup memory: none.
// Exact, but for integers beyond 2^24; by integer arithmetic, as unpack2x16float may lose subnormal numbers.
// Constants: FROM=0,1,2,3,4,5 GATHERED=0,1
struct Params { count: u32, rows: u32, width: u32, firstRow: u32, xStart: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

fn float16(bits: u32) -> f32 {
  let sign = (bits & 0x8000u) << 16u;
  let rest = bits & 0x7fffu;
  if (rest < 0x400u) { return bitcast<f32>(bitcast<u32>(f32(rest) * 5.9604644775390625e-8) | sign); }
  return bitcast<f32>(sign | select((rest << 13u) + 0x38000000u, 0x7f800000u | (rest << 13u), rest >= 0x7c00u));
}

fn load(i: u32) -> f32 {
  if (FROM == 0) { return bitcast<f32>(x[i]); }
  if (FROM == 3) { return f32(extractBits(bitcast<i32>(x[i / 4u]), 8u * (i % 4u), 8u)); }
  if (FROM == 4) { return f32(bitcast<i32>(x[i])); }
  if (FROM == 5) { return f32(x[i]); }
  let half = extractBits(x[i / 2u], 16u * (i % 2u), 16u);
  if (FROM == 1) { return float16(half); }
  return bitcast<f32>(half << 16u);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * 65535u * 64u + id.x;
  if (i >= params.count) { return; }
  if (GATHERED == 0) { y[i] = load(i); return; }
  let row = ids[i / params.width];
  if (row - params.firstRow < params.rows) {
    y[i] = load(params.xStart + row * params.width + i % params.width);
  } else if (params.firstRow == 0u) {
    y[i] = 0.0;
  }
}
