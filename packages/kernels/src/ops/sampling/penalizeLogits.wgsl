// Penalties on single logits, in place: entries (row, id, how often it was made, 0: only in the prompt; below zero: never to come), factors (repetition, presence, frequency) of each row.
// Grid: one invocation per entry; no two entries have one place.
// Workgroup memory: none.
// As the definition: repetition first.
// Constants: none
struct Params { count: u32, vocab: u32, minusInfinity: f32, entries: u32, factors: u32, arrays: array<u32> }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * 65535u * 64u + id.x;
  if (i >= params.count) { return; }
  let entry = params.entries + 3u * i;
  let row = params.arrays[entry];
  let count = bitcast<i32>(params.arrays[entry + 2u]);
  let at = row * params.vocab + params.arrays[entry + 1u];
  let factor = params.factors + 3u * row;
  let repetition = bitcast<f32>(params.arrays[factor]);
  let x = y[at];
  let value = select(x * repetition, x / repetition, x > 0.0) - bitcast<f32>(params.arrays[factor + 2u]) * f32(count) - select(0.0, bitcast<f32>(params.arrays[factor + 1u]), count > 0);
  y[at] = select(value, params.minusInfinity, count < 0);
}
