// y = the largest element of each window, places = its position. A NaN is largest.
// Grid: one invocation per element of y.
// Workgroup memory: none.
// Comparisons, no arithmetic.
// Constants: none
struct Params { count: u32, length: u32, channels: u32, windows: u32, size: u32, stride: u32, padding: u32, minusInfinity: f32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read_write> y: array<Element>;
@group(0) @binding(3) var<storage, read_write> places: array<i32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * 65535u * 64u + id.x;
  if (i >= params.count) { return; }
  let row = i / params.channels;
  let start = (row % params.windows) * params.stride;
  let first = max(start, params.padding) - params.padding;
  let end = min(params.length, start + params.size - params.padding);
  let base = (row / params.windows) * params.length * params.channels + i % params.channels;
  var best = params.minusInfinity;
  var place = first;
  for (var position = first; position < end; position++) {
    let value = x[base + position * params.channels];
    if (value > best || (bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u) {
      best = value;
      place = position;
    }
  }
  y[i] = best;
  places[i] = i32(place);
}
