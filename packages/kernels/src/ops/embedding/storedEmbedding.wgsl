// y[i] = table[ids[i]] as f32, or zeros beyond the table; the table is float16 (1) or bfloat16 (2), two in a word.
// Grid: one invocation per element.
// Workgroup memory: none.
// Exact.
// Constants: TYPE=1,2
struct Params { count: u32, rows: u32, width: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> table: array<u32>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

fn float16(bits: u32) -> f32 {
  let sign = (bits & 0x8000u) << 16u;
  let rest = bits & 0x7fffu;
  if (rest < 0x400u) { return bitcast<f32>(bitcast<u32>(f32(rest) * 5.9604644775390625e-8) | sign); }
  return bitcast<f32>(sign | select((rest << 13u) + 0x38000000u, 0x7f800000u | (rest << 13u), rest >= 0x7c00u));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * 65535u * 64u + id.x;
  if (i >= params.count) { return; }
  let row = ids[i / params.width];
  if (row >= params.rows) { y[i] = 0.0; return; }
  let at = row * params.width + i % params.width;
  let half = extractBits(table[at / 2u], 16u * (at % 2u), 16u);
  if (TYPE == 1) { y[i] = float16(half); } else { y[i] = bitcast<f32>(half << 16u); }
}
