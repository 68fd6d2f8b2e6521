// y = 0 where the element's 32 random bits are below the threshold, else x times kept. Bits: Threefry-2x32, 20 rounds, as in random.ts.
// Grid: one invocation per pair of elements, which share key (seed, layer) and counter (pair, step); pairs count from firstPair.
// Workgroup memory: none.
// Integers for the bits, one multiplication in f32.
// Constants: none
struct Params { count: u32, firstPair: u32, seed: u32, layer: u32, step: u32, threshold: u32, kept: f32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read_write> y: array<Element>;

fn mix(state: vec2<u32>, rotation: u32) -> vec2<u32> {
  let first = state.x + state.y;
  return vec2(first, ((state.y << rotation) | (state.y >> (32u - rotation))) ^ first);
}

fn threefry(key: vec2<u32>, counter: vec2<u32>) -> vec2<u32> {
  let third = key.x ^ key.y ^ 0x1bd11bdau;
  var x = counter + key;
  x = mix(mix(mix(mix(x, 13u), 15u), 26u), 6u) + vec2(key.y, third + 1u);
  x = mix(mix(mix(mix(x, 17u), 29u), 16u), 24u) + vec2(third, key.x + 2u);
  x = mix(mix(mix(mix(x, 13u), 15u), 26u), 6u) + vec2(key.x, key.y + 3u);
  x = mix(mix(mix(mix(x, 17u), 29u), 16u), 24u) + vec2(key.y, third + 4u);
  return mix(mix(mix(mix(x, 13u), 15u), 26u), 6u) + vec2(third, key.x + 5u);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let pair = id.y * 65535u * 64u + id.x;
  let i = 2u * pair;
  if (i >= params.count) { return; }
  let bits = threefry(vec2(params.seed, params.layer), vec2(params.firstPair + pair, params.step));
  y[i] = select(x[i] * params.kept, 0.0, bits.x < params.threshold);
  if (i + 1u < params.count) { y[i + 1u] = select(x[i + 1u] * params.kept, 0.0, bits.y < params.threshold); }
}
