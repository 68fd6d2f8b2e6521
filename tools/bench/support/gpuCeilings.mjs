// What a GPU can do at best from WGSL: multiply-adds in registers, and copying memory. Written as ops, as anybody may.
import { apply, scope } from '@genomelm/kernels';

const threads = 256, chains = 8;

/** Eight independent chains of vec4 multiply-adds in each invocation: 64 operations a round. */
const fmaShader = `struct Params { rounds: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let a = vec4(x[0]);
  let b = vec4(x[1]);
${Array.from({ length: chains }, (_, i) => `  var s${i} = vec4(f32(id.x + ${i}u));\n`).join('')}  for (var i = 0u; i < params.rounds; i++) {
${Array.from({ length: chains }, (_, i) => `    s${i} = s${i} * a + b;\n`).join('')}  }
  let all = ${Array.from({ length: chains }, (_, i) => `s${i}`).join(' + ')};
  if (all.x + all.y + all.z + all.w == 0.123) { y[0] = 1.0; }
}`;

const copyShader = `struct Params { count: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  for (var i = id.x; i < params.count; i += groups.x * ${threads}u) { y[i] = x[i]; }
}`;

const probe = (name, outputs, dispatch) => ({ name, infer: outputs, reference() { throw new Error(`${name} runs on webgpu only`); }, webgpu: () => ({ steps: [{ bind: [{ input: 0 }, { output: 0 }], ...dispatch }] }) });

/** One run of the multiply-add loop. */
export function fmaProbe(x, toy) {
  const [groups, rounds] = toy ? [4, 64] : [8448, 4096];
  const op = probe('fmaProbe', () => [{ dtype: 'float32', shape: [64] }], { shader: fmaShader, params: { rounds }, workgroups: [groups, 1, 1], work: groups * threads * rounds * chains * 4 });
  return { flop: groups * threads * rounds * chains * 8, run: () => scope(() => void apply(op, [x], {})) };
}

/** One copy of a tensor; read and written bytes count. */
export function copyProbe(x) {
  const count = x.shape[0] / 4;
  const op = probe('copyProbe', ([spec]) => [spec], { shader: copyShader, params: { count }, workgroups: [Math.min(8448, Math.ceil(count / threads)), 1, 1] });
  return { bytes: 32 * count, run: () => scope(() => void apply(op, [x], {})) };
}
