// Compiled shaders, by text and constants. A text is its own key: the engine has hashed it already.
import { readShader, withPrelude, type ShaderFacts } from './shader';
import type { Dispatch } from '../../op';
import type { Failures } from './failures';

export interface Pipeline {
  readonly facts: ShaderFacts;
  readonly gpu: GPUComputePipeline;
  readonly layout: Layout;
}

/** Shaders that read and write alike share a layout, and so bind groups. */
export interface Layout {
  readonly gpu: GPUBindGroupLayout;
  readonly key: string;
}

interface Variant {
  readonly facts: ShaderFacts;
  readonly layout: Layout;
  pipeline?: Pipeline;
  compiling?: Promise<void>;
}

export interface PipelineCache {
  /** Compiles now, if this was not done before. */
  get(op: string, dispatch: Dispatch): Pipeline;
  /** Compiles in the background. */
  prepare(op: string, dispatch: Dispatch): Promise<void>;
  /** How many were compiled. */
  readonly compiled: () => number;
}

export function createPipelineCache(device: GPUDevice, failures: Failures, subgroups = false): PipelineCache {
  const variants = new Map<string, Map<string, Variant>>();
  const layoutFor = createLayouts(device);
  let compiled = 0;

  const find = (op: string, { shader, constants }: Dispatch): Variant => {
    let ofShader = variants.get(shader);
    if (!ofShader) variants.set(shader, (ofShader = new Map<string, Variant>()));
    let key = '';
    for (const name in constants) key += `${name}=${constants[name]} `;
    let variant = ofShader.get(key);
    if (!variant) {
      const facts = readShader(op, shader);
      ofShader.set(key, (variant = { facts, layout: layoutFor(facts) }));
    }
    return variant;
  };
  const describe = (op: string) => (message: string) => `${op}: expected a shader that compiles, got "${message}"`;
  const descriptor = (op: string, { shader, constants }: Dispatch, { layout }: Variant): GPUComputePipelineDescriptor => {
    compiled++;
    const module = failures.check('validation', describe(op), () => device.createShaderModule({ label: op, code: withPrelude(op, constants, shader, subgroups) }));
    return { label: op, layout: device.createPipelineLayout({ label: op, bindGroupLayouts: [layout.gpu] }), compute: { module, entryPoint: 'main' } };
  };

  return {
    compiled: () => compiled,
    get(op, dispatch) {
      const variant = find(op, dispatch);
      variant.pipeline ??= { ...variant, gpu: failures.check('validation', describe(op), () => device.createComputePipeline(descriptor(op, dispatch, variant))) };
      return variant.pipeline;
    },
    prepare(op, dispatch) {
      const variant = find(op, dispatch);
      if (variant.pipeline) return Promise.resolve();
      variant.compiling ??= (() => {
        const work = device.createComputePipelineAsync(descriptor(op, dispatch, variant)).then((gpu) => void (variant.pipeline ??= { ...variant, gpu }));
        failures.watch(work, describe(op));
        return work.catch(() => undefined); // the failure is remembered; the next read throws it
      })();
      return variant.compiling;
    },
  };
}

/** Layouts are written out, not `auto`: that leaves out bindings which one variant of a shader does not use. */
function createLayouts(device: GPUDevice): (facts: ShaderFacts) => Layout {
  const layouts = new Map<string, Layout>();
  const compute = 0x4; // GPUShaderStage.COMPUTE
  return ({ tensors }) => {
    const accesses = ['read', ...tensors.map(({ access }) => access)];
    const key = accesses.join(' ');
    let layout = layouts.get(key);
    if (!layout) {
      const entries = accesses.map((access, binding) => ({ binding, visibility: compute, buffer: { type: access === 'read' ? ('read-only-storage' as const) : ('storage' as const) } }));
      layouts.set(key, (layout = { key, gpu: device.createBindGroupLayout({ label: key, entries }) }));
    }
    return layout;
  };
}
