// y[to + i] = x[slot i], whole rows: keys or values out of a cache that is more than the GPU binds. Elements of any type, as words.
// Grid: one invocation per word of the rows. Slot 0 lies at `xStart`, as a u32 that may wrap below zero.
// Workgroup memory: none.
// Copies, no arithmetic.
// Constants: none
struct Params { count: u32, words: u32, xStart: u32, to: u32, slots: u32, arrays: array<u32> }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * 65535u * 64u + id.x;
  if (i >= params.count) { return; }
  y[params.to + i] = x[params.xStart + params.arrays[params.slots + i / params.words] * params.words + i % params.words];
}
