// y[batch, window, tap] = x[batch, window stride - padding + tap dilation], zeros outside; backward, each element of the sequence sums its taps.
// Grid: one invocation per element written.
// Workgroup memory: none.
// Copies; backward accumulates in f32, tap by tap.
// Constants: BACKWARD=0,1
struct Params { count: u32, length: u32, channels: u32, windows: u32, size: u32, stride: u32, padding: u32, dilation: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read_write> y: array<Element>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * 65535u * 64u + id.x;
  if (i >= params.count) { return; }
  let channel = i % params.channels;
  let rest = i / params.channels;
  var value = 0.0;
  if (BACKWARD == 0) {
    let row = rest / params.size;
    // Below the padding the difference wraps round to a large number, which is no position either.
    let position = (row % params.windows) * params.stride + (rest % params.size) * params.dilation - params.padding;
    if (position < params.length) { value = x[((row / params.windows) * params.length + position) * params.channels + channel]; }
  } else {
    let padded = rest % params.length + params.padding;
    for (var tap = 0u; tap < params.size && tap * params.dilation <= padded; tap++) {
      let start = padded - tap * params.dilation;
      let window = start / params.stride;
      if (start % params.stride == 0u && window < params.windows) { value += x[(((rest / params.length) * params.windows + window) * params.size + tap) * params.channels + channel]; }
    }
  }
  y[i] = value;
}
