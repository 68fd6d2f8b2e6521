// Activations and gated units, forward and backward: y = f(x), or f(first half of the row) * second half; backward takes dY as d and writes dX.
// Grid: one invocation per element of f's argument. ACTIVATION: 0 gelu, 1 silu, 2 tanh. Forward, d shows x and nothing reads it.
// Workgroup memory: none.
// Computes in f32. erf is within 2e-7 (Abramowitz and Stegun 7.1.26), and its tail keeps its relative precision.
// Constants: ACTIVATION=0,1,2 GATED=0,1 BACKWARD=0,1
struct Params { count: u32, width: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read> d: array<Element>;
@group(0) @binding(3) var<storage, read_write> y: array<Element>;

// exp() that keeps a NaN: some GPUs clamp it away.
fn exponential(v: f32) -> f32 { return select(exp(v), v, (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u); }

fn normalCdf(v: f32) -> f32 {
  let z = abs(v) * 0.70710678;
  let t = 1.0 / (1.0 + 0.3275911 * z);
  let upper = 0.5 * exp(-z * z) * t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return select(1.0 - upper, upper, v < 0.0);
}

fn sigmoid(v: f32) -> f32 { return 1.0 / (1.0 + exp(-v)); }

// WGSL's tanh may overflow for large arguments and cancel for small ones.
fn hyperbolic(v: f32) -> f32 {
  if (abs(v) < 0.2) {
    let s = v * v;
    return v * (1.0 + s * (-0.33333333 + s * (0.13333333 + s * (-0.05396825 + s * 0.02186949))));
  }
  let e = exponential(-2.0 * abs(v));
  return sign(v) * (1.0 - e) / (1.0 + e);
}

fn activate(v: f32) -> f32 {
  if (ACTIVATION == 0) { return v * normalCdf(v); }
  if (ACTIVATION == 1) { return v * sigmoid(v); }
  return hyperbolic(v);
}

fn derivative(v: f32) -> f32 {
  if (ACTIVATION == 0) { return normalCdf(v) + v * exp(-0.5 * v * v) * 0.39894228; }
  if (ACTIVATION == 1) {
    let s = sigmoid(v);
    return s * (1.0 + v * (1.0 - s));
  }
  let t = hyperbolic(v);
  return 1.0 - t * t;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * 65535u * 64u + id.x;
  if (i >= params.count) { return; }
  let at = select(i, i + (i / params.width) * params.width, GATED == 1);
  var factor = 1.0;
  if (GATED == 1) { factor = x[at + params.width]; }
  if (BACKWARD == 0) {
    y[i] = activate(x[at]) * factor;
    return;
  }
  y[at] = d[i] * factor * derivative(x[at]);
  if (GATED == 1) { y[at + params.width] = d[i] * activate(x[at]); }
}
