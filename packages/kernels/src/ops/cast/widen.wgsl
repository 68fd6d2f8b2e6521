// y = x as f32. x is float16 (1), bfloat16 (2), int8 (3), int32 (4) or uint32 (5), packed in words.
// Grid: one invocation per element.
// Workgroup memory: none.
// Exact, but for integers beyond 2^24; by integer arithmetic, as unpack2x16float may lose subnormal numbers.
// Constants: FROM=1,2,3,4,5
struct Params { count: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

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
  if (FROM == 4) { y[i] = f32(bitcast<i32>(x[i])); return; }
  if (FROM == 5) { y[i] = f32(x[i]); return; }
  if (FROM == 3) { y[i] = f32(extractBits(bitcast<i32>(x[i / 4u]), 8u * (i % 4u), 8u)); return; }
  let half = extractBits(x[i / 2u], 16u * (i % 2u), 16u);
  if (FROM == 1) { y[i] = float16(half); } else { y[i] = bitcast<f32>(half << 16u); }
}
