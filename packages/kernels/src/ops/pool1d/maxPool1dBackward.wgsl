// dX = sum of d over the windows whose maximum lies here.
// Grid: one invocation per element of dX.
// Workgroup memory: none.
// Accumulates in f32, window by window.
// Constants: none
struct Params { count: u32, length: u32, channels: u32, windows: u32, size: u32, stride: u32, padding: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> d: array<Element>;
@group(0) @binding(2) var<storage, read> places: array<i32>;
@group(0) @binding(3) var<storage, read_write> dX: array<Element>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * 65535u * 64u + id.x;
  if (i >= params.count) { return; }
  let position = (i / params.channels) % params.length;
  let padded = position + params.padding;
  let first = (max(padded + params.stride, params.size) - params.size) / params.stride;
  let end = min(params.windows, padded / params.stride + 1u);
  let base = (i / (params.channels * params.length)) * params.windows * params.channels + i % params.channels;
  var sum = 0.0;
  for (var window = first; window < end; window++) {
    let at = base + window * params.channels;
    if (places[at] == i32(position)) { sum += d[at]; }
  }
  dX[i] = sum;
}
