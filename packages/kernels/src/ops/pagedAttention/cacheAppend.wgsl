// cache[slot of the row] = row, as f32 (0), float16 (1) or bfloat16 (2); 16 bits to nearest, ties to even.
// Grid: one invocation per element, or per word of two.
// Workgroup memory: none.
// By integer arithmetic, as in narrow.wgsl.
// Constants: TYPE=0,1,2
struct Params { count: u32, width: u32, slots: u32, arrays: array<u32> }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> rows: array<f32>;
@group(0) @binding(2) var<storage, read_write> cache: array<u32>;

fn narrow(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  let sign = (bits >> 16u) & 0x8000u;
  let rest = bits & 0x7fffffffu;
  if (TYPE == 2) { return select((bits + 0x7fffu + ((bits >> 16u) & 1u)) >> 16u, sign | 0x7fc0u, rest > 0x7f800000u); }
  if (rest > 0x7f800000u) { return sign | 0x7e00u; }
  if (rest >= 0x477ff000u) { return sign | 0x7c00u; }
  if (rest >= 0x38800000u) { return sign | ((rest - 0x38000000u + 0xfffu + ((rest >> 13u) & 1u)) >> 13u); }
  return sign | (bitcast<u32>(abs(value) + 0.5) - 0x3f000000u);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * 65535u * 64u + id.x;
  if (i >= params.count) { return; }
  let width = select(params.width / 2u, params.width, TYPE == 0);
  let to = params.arrays[params.slots + i / width] * width + i % width;
  if (TYPE == 0) { cache[to] = bitcast<u32>(rows[i]); } else { cache[to] = narrow(rows[2u * i]) | (narrow(rows[2u * i + 1u]) << 16u); }
}
