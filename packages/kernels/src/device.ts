import type { Attributes, Op } from './op';
import type { Data, Tensor } from './tensor';

/** Memory on a device. `version` rises with every write and is -1 once the buffer is freed. */
export interface DeviceBuffer {
  readonly byteLength: number;
  version: number;
}

/** What plans may use. */
export interface Limits {
  /** Largest tensor, in bytes. */
  readonly maxBufferBytes: number;
  /** Largest part of a buffer that one dispatch can see. */
  readonly maxBindingBytes: number;
  /** Bytes at whose multiples the inputs of an op begin; without it, anywhere. */
  readonly viewAlignment?: number;
  /** Shared memory of one workgroup. */
  readonly workgroupBytes: number;
  readonly threads: number;
  /** Multiply-adds after which a plan should begin another dispatch: browsers end long ones. */
  readonly workPerDispatch: number;
  /** Products may be rounded, because whoever made the device asked for it and the GPU can. */
  readonly reducedPrecision?: 'float16' | 'subgroupMatrix' | undefined;
}

/** Bytes. `reserved` is what the device holds of the machine; `live` what tensors hold of it; `peak` the largest `live` so far. */
export interface MemoryUse {
  live: number;
  peak: number;
  reserved: number;
}

/** Allocates, frees, writes, runs ops, reads. Everything is ordered as called; only `read` waits. */
export interface Device {
  /** `reference`, `wasm`, `webgpu` or `gpujs`. */
  readonly kind: string;
  /** One line for people: what runs the ops. */
  readonly description: string;
  readonly limits: Limits;
  readonly memory: MemoryUse;
  allocate(bytes: number): DeviceBuffer;
  /** Freeing twice is harmless. */
  free(buffer: DeviceBuffer): void;
  /** Copies `data` into the tensor, in order with `run`. */
  write(tensor: Tensor, data: Data): void;
  run<A extends Attributes<A>>(op: Op<A>, inputs: readonly Tensor[], outputs: readonly Tensor[], attributes: A): void;
  /** The only wait. Rejects with whatever went wrong since the last read. */
  read(tensor: Tensor): Promise<Data>;
  /** Runs `f` and takes down what it asks for; absent where the device cannot. `record` is what to call. */
  readonly record?: ((f: () => void) => DeviceRecording) | undefined;
  /** True while `record` runs its function: attributes then keep the arrays that they were given, to be read again. */
  readonly recording?: boolean;
  /** Prepares all that `f` would run (compiles pipelines) without running it: writes and version counts are suppressed. */
  warmup(f: () => void): Promise<void>;
  destroy(): Promise<void>;
}

/** What a function asked of a device. */
export interface DeviceRecording {
  /** Does it again, on the same memory. @returns false, and does nothing, where a tensor that it reads was freed or written since */
  replay(): boolean;
  /** Gives back the memory, also that of tensors that are left. */
  free(): void;
}

/** What every allocator does: count. `reserved` says what it holds of the machine, if that is not what is live. */
export function countMemory(reserved?: () => number): { memory: MemoryUse; allocated(bytes: number): void; freed(buffer: DeviceBuffer): boolean } {
  const memory: MemoryUse = { live: 0, peak: 0, get reserved() { return reserved?.() ?? memory.live; } };
  return {
    memory,
    allocated(bytes) {
      memory.live += bytes;
      memory.peak = Math.max(memory.peak, memory.live);
    },
    /** False for a buffer that was freed before. */
    freed(buffer) {
      if (buffer.version < 0) return false;
      buffer.version = -1;
      memory.live -= buffer.byteLength;
      return true;
    },
  };
}
