import type { Attributes, Device, DeviceBuffer, MemoryUse, Op, Tensor, TensorSpec } from '@genomelm/kernels';

/** Whose plans are counted. */
export type CountedKind = 'wasm' | 'webgpu' | 'reference';

/** WebGPU's default limits, and work enough for any dispatch: plans then hold their scratch at once, as on a desktop GPU. */
const limits = { maxBufferBytes: 2 ** 40, maxBindingBytes: 2 ** 40, workgroupBytes: 16_384, threads: 1, workPerDispatch: 2 ** 40 };

const bytesPerElement = { float32: 4, float16: 2, bfloat16: 2, int8: 1, int32: 4, uint32: 4 } as const;
const bytesOf = ({ dtype, shape }: TensorSpec): number => shape.reduce((product, axis) => product * axis, bytesPerElement[dtype]);

/**
 * A device that allocates and computes nothing, and counts: running a model on it says what a real run would hold at once.
 * Counted are tensors and the scratch of each op's plan for `kind`. What a device keeps beside (packed weights, buffers for reuse) is not.
 */
export function countingDevice(kind: CountedKind): Device {
  const memory: MemoryUse = { live: 0, peak: 0, reserved: 0 };
  const scratchOf = <A extends Attributes<A>>(op: Op<A>, inputs: readonly Tensor[], outputs: readonly Tensor[], attributes: A): readonly TensorSpec[] => {
    const plan = kind === 'wasm' ? op.wasm?.(inputs, outputs, attributes) : kind === 'webgpu' ? op.webgpu?.(inputs, outputs, attributes, limits) : undefined;
    return plan?.scratch ?? [];
  };
  return {
    kind: `counting ${kind}`,
    description: `counts what ${kind} would allocate`,
    limits,
    memory,
    allocate(byteLength) {
      memory.live += byteLength;
      memory.peak = Math.max(memory.peak, memory.live);
      return { byteLength, version: 0 };
    },
    free(buffer: DeviceBuffer) {
      if (buffer.version >= 0) memory.live -= buffer.byteLength;
      buffer.version = -1;
    },
    write: () => undefined,
    run(op, inputs, outputs, attributes) {
      const scratch = scratchOf(op, inputs, outputs, attributes).reduce((total, spec) => total + bytesOf(spec), 0);
      memory.peak = Math.max(memory.peak, memory.live + scratch);
    },
    read: () => Promise.reject(new TypeError('read: expected a device that computes, got one that counts')),
    warmup: async (f) => f(),
    destroy: async () => undefined,
  };
}
