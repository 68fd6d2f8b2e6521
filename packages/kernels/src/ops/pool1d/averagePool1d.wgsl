// y = the mean of each window, over the positions that exist; backward, each position sums its share of its windows' gradients.
// Grid: one invocation per element written.
// Workgroup memory: none.
// Accumulates in f32, in order.
// Constants: BACKWARD=0,1
struct Params { count: u32, length: u32, channels: u32, windows: u32, size: u32, stride: u32, padding: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read_write> y: array<Element>;

// First position and end of a window.
fn positions(window: u32) -> vec2<u32> {
  let start = window * params.stride;
  return vec2(max(start, params.padding) - params.padding, min(params.length, start + params.size - params.padding));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * 65535u * 64u + id.x;
  if (i >= params.count) { return; }
  let channel = i % params.channels;
  let row = i / params.channels;
  var sum = 0.0;
  if (BACKWARD == 0) {
    let range = positions(row % params.windows);
    let base = (row / params.windows) * params.length;
    for (var position = range.x; position < range.y; position++) { sum += x[(base + position) * params.channels + channel]; }
    y[i] = sum / f32(range.y - range.x);
    return;
  }
  let padded = row % params.length + params.padding;
  let first = (max(padded + params.stride, params.size) - params.size) / params.stride;
  let base = (row / params.length) * params.windows;
  for (var window = first; window < min(params.windows, padded / params.stride + 1u); window++) {
    let range = positions(window);
    sum += x[(base + window) * params.channels + channel] / f32(range.y - range.x);
  }
  y[i] = sum;
}
