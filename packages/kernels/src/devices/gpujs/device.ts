import { countMemory, type Device, type DeviceBuffer } from '../../device';
import { UnsupportedOpError } from '../../errors';
import { hostDevice } from '../hostDevice';
import { numbersOf } from '../../ops/cast/cast';
import { sizeOf, storageTypes, type Data, type Tensor, type TensorSpec } from '../../tensor';
import { kernels } from './kernels';
import { createLauncher, type GpuJsMode } from './launcher';
import type { Launch } from './launch';
import type { Attributes, Op, Plan } from '../../op';

/** Where kernels run, and what happens without one. */
export interface GpuJsOptions {
  /** `webgl2` in browsers; `cpu` is gpu.js's own way to run kernels without a GPU, for tests. */
  readonly mode?: GpuJsMode;
  /** What happens to an op that has no kernel here and is more than a copy: an UnsupportedOpError, or, if asked for, its definition on the CPU, which `report()` tells. */
  readonly otherOps?: 'error' | 'reference';
}

/** What became of an op so far. */
export interface OpUse {
  readonly op: string;
  /** Kernels launched for it; 0 if its definition ran. */
  readonly launches: number;
  /** How often its definition ran on the CPU, and why. */
  readonly onReference: number;
  readonly reason?: string;
}

/** A device that tells what became of each op. */
export interface GpuJsDevice extends Device {
  /** One entry for each op that ran, in the order of their first run. */
  report(): readonly OpUse[];
}

/** Ops that compute nothing. */
const copies: readonly string[] = ['fill', 'concat', 'slice', 'cast'];

interface HostBuffer extends DeviceBuffer {
  bytes: ArrayBuffer | undefined;
}

/**
 * Runs forward passes through gpu.js: WebGL2, for browsers without WebGPU. Gradients have no kernels.
 * Limits: tensors lie in main memory, and every launch sends its inputs as float32 textures and reads its result back; a result has at most (largest texture side)² elements, an input four times that, ids are exact up to 2²⁴;
 * GLSL does not promise that a NaN survives. Where wasm runs, it is faster.
 * @throws Error where there is no WebGL2 with float32 render targets
 */
export function createGpuJsDevice({ mode = 'webgl2', otherOps = 'error' }: GpuJsOptions = {}): GpuJsDevice {
  const launcher = createLauncher(mode);
  const { memory, allocated, freed } = countMemory();
  const uses = new Map<string, { launches: number; onReference: number; reason?: string }>();
  const maxBufferBytes = Math.min(2 ** 32, 4 * launcher.maxTextureSize ** 2);

  const view = ({ buffer, dtype, shape, offset }: Tensor): Data => {
    const storage = storageTypes[dtype];
    return new storage((buffer as HostBuffer).bytes!, offset * storage.BYTES_PER_ELEMENT, sizeOf({ dtype, shape })) as Data;
  };

  /** What is counted for an op. */
  const use = (op: string) => {
    let counted = uses.get(op);
    if (!counted) uses.set(op, counted = { launches: 0, onReference: 0 });
    return counted;
  };

  function launchAll(op: string, { steps, scratch = [] }: Plan<Launch>, inputs: readonly Tensor[], outputs: readonly Tensor[]): void {
    const floats = scratch.map((spec: TensorSpec) => new Float32Array(sizeOf(spec)));
    const place = (from: Launch['reads'][number]['from']): Data => {
      if ('array' in from) return from.array;
      if ('scratch' in from) return floats[from.scratch];
      const tensor = 'input' in from ? inputs[from.input] : outputs[from.output];
      return numbersOf(view(tensor), tensor.dtype);
    };
    for (const step of steps) {
      launcher.launch(op, step, step.reads.map(({ from }) => place(from)), place(step.to) as Float32Array);
      use(op).launches++;
    }
  }

  function runDefinition<A extends Attributes<A>>(op: Op<A>, inputs: readonly Tensor[], outputs: readonly Tensor[], attributes: A): void {
    const copy = copies.includes(op.name);
    if (otherOps === 'error' && !copy) throw new UnsupportedOpError(op.name, 'gpujs', 'use wasm, or createGpuJsDevice({ otherOps: \'reference\' }) to run its definition on the CPU');
    op.reference(inputs.map(view), outputs.map(view), attributes, [...inputs, ...outputs]);
    const counted = use(op.name);
    counted.onReference++;
    counted.reason = copy ? 'a copy in main memory, where tensors lie' : 'no gpu.js kernel for this op: its definition ran on the CPU, in float32';
  }

  const device = hostDevice({
    kind: 'gpujs',
    description: mode === 'cpu' ? 'gpujs: gpu.js on the CPU' : `gpujs: gpu.js on WebGL2, float32 textures of at most ${launcher.maxTextureSize} × ${launcher.maxTextureSize}`,
    memory,
    limits: { maxBufferBytes, maxBindingBytes: maxBufferBytes, workgroupBytes: 0, threads: 1, workPerDispatch: Infinity },
    view,
    allocate(byteLength): HostBuffer {
      const bytes = new ArrayBuffer(byteLength);
      allocated(byteLength);
      return { byteLength, version: 0, bytes };
    },
    free(buffer) {
      if (freed(buffer)) (buffer as HostBuffer).bytes = undefined;
    },
    run(op, inputs, outputs, attributes) {
      const plan = kernels[op.name]?.(inputs, outputs, attributes);
      if (plan) launchAll(op.name, plan, inputs, outputs);
      else runDefinition(op, inputs, outputs, attributes);
    },
    destroy: () => launcher.destroy(),
  });
  return { ...device, report: () => [...uses].map(([op, counted]) => ({ op, ...counted })) };
}
