// One step of AdamW, in place on parameter, first and second moment.
// Grid: one invocation per element. Without clipping squaredNorm shows the gradient, and nothing reads it.
// Workgroup memory: none.
// Computes in f32; decay and the complements of the betas come from the host, where 1 - 0.999 has no rounding error of 5e-5.
// Constants: CLIPPED=0,1
struct Params { count: u32, learningRate: f32, decay: f32, beta1: f32, beta2: f32, complement1: f32, complement2: f32, correction1: f32, correction2: f32, epsilon: f32, maxNorm: f32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read_write> parameter: array<f32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> firstMoment: array<f32>;
@group(0) @binding(4) var<storage, read_write> secondMoment: array<f32>;
@group(0) @binding(5) var<storage, read> squaredNorm: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * 65535u * 64u + id.x;
  if (i >= params.count) { return; }
  var clip = 1.0;
  if (CLIPPED == 1) {
    let ratio = params.maxNorm / (sqrt(squaredNorm[0]) + 1e-6);
    clip = select(ratio, 1.0, ratio > 1.0); // min() may drop a NaN
  }
  let g = gradient[i] * clip;
  let m = params.beta1 * firstMoment[i] + params.complement1 * g;
  let v = params.beta2 * secondMoment[i] + params.complement2 * g * g;
  firstMoment[i] = m;
  secondMoment[i] = v;
  parameter[i] = parameter[i] * params.decay - params.learningRate * (m / params.correction1) / (sqrt(v / params.correction2) + params.epsilon);
}
