// The WebGPU plan of ops that treat every element alike: one line of WGSL makes the shader.
import { linearGrid } from '../check';
import { sizeOf, type TensorSpec } from '../../tensor';
import type { Bind, Dispatch, Plan } from '../../op';

interface Body {
  /** Names of the inputs in the order of the op's; further inputs are not bound. */
  readonly reads: readonly string[];
  /** WGSL for element i: `a[i] + b[i]`. In place, `y[i]` is the old value of input 0, which then is not among `reads`. */
  readonly value: string;
  readonly inPlace?: boolean;
  /** Names of host numbers, read as `params.factor`. */
  readonly params?: readonly string[];
}

/** Makes the shader's text once, and returns the plan of each call. */
export function eachElement({ reads, value, inPlace = false, params = [] }: Body): (inputs: readonly TensorSpec[], outputs: readonly TensorSpec[], attributes: object) => Plan<Dispatch> {
  const first = inPlace ? 1 : 0;
  const shader = `struct Params { count: u32${params.map((name) => `, ${name}: f32`).join('')} }
@group(0) @binding(0) var<storage, read> params: Params;
${reads.map((name, i) => `@group(0) @binding(${i + 1}) var<storage, read> ${name}: array<Element>;\n`).join('')}@group(0) @binding(${reads.length + 1}) var<storage, read_write> y: array<Element>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.y * 65535u * 64u + id.x;
  if (i < params.count) { y[i] = ${value}; }
}
`;
  const bind: Bind[] = [...reads.map((_, i) => ({ input: first + i })), inPlace ? { input: 0 } : { output: 0 }];
  return (inputs, outputs, attributes) => {
    const count = sizeOf(inPlace ? inputs[0] : outputs[0]);
    const numbers = Object.fromEntries(params.map((name) => [name, (attributes as Record<string, number>)[name]]));
    return { steps: [{ shader, params: { count, ...numbers }, bind, workgroups: linearGrid(count) }] };
  };
}
