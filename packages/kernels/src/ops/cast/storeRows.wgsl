// y[slot of the row] = row of x, as f32 (0), float16 (1) or bfloat16 (2); 16 bits to nearest, ties to even. Rows of 16 bits are of even width, but for a single one.
// Grid: one invocation per element, or per word of two. Row 0 of x and slot 0 of y lie at their starts, in elements and in words, as u32s that may wrap below zero.
// Workgroup memory: none.
// By integer arithmetic: pack2x16float may round either way. The last place of 0.5 is the smallest float16.
// Constants: TO=0,1,2
struct Params { rows: u32, width: u32, xStart: u32, yStart: u32, slots: u32, arrays: array<u32> }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

fn narrow(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  let sign = (bits >> 16u) & 0x8000u;
  let rest = bits & 0x7fffffffu;
  if (TO == 2) { return select((bits + 0x7fffu + ((bits >> 16u) & 1u)) >> 16u, sign | 0x7fc0u, rest > 0x7f800000u); }
  if (rest > 0x7f800000u) { return sign | 0x7e00u; }
  if (rest >= 0x477ff000u) { return sign | 0x7c00u; }
  if (rest >= 0x38800000u) { return sign | ((rest - 0x38000000u + 0xfffu + ((rest >> 13u) & 1u)) >> 13u); }
  return sign | (bitcast<u32>(abs(value) + 0.5) - 0x3f000000u);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * 65535u * 64u + id.x;
  let words = select((params.width + 1u) / 2u, params.width, TO == 0); // of a row
  if (i >= params.rows * words) { return; }
  let row = i / words;
  let at = i % words;
  let to = params.yStart + params.arrays[params.slots + row] * words + at;
  if (TO == 0) { y[to] = bitcast<u32>(x[params.xStart + i]); return; }
  let first = params.xStart + row * params.width + 2u * at;
  var word = narrow(x[first]);
  if (2u * at + 1u < params.width) { word |= narrow(x[first + 1u]) << 16u; }
  y[to] = word;
}
