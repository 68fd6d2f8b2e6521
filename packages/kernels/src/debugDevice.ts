// For finding faults: which op first made a number that is none, and which tensors nobody freed.
import { concatOp } from './ops/rows/rows';
import { scaleOp } from './ops/elementwise/elementwise';
import { sumOp } from './ops/sum/sum';
import { state } from './state';
import { bytesOf, describeSpec, float32, type Tensor, type TensorSpec } from './tensor';
import type { Device, DeviceBuffer } from './device';

/** A live tensor that no open scope owns. */
export interface Leak {
  /** The op whose output it is; `tensor` for data that was uploaded. */
  readonly op: string;
  /** `float32 [2, 3]` */
  readonly tensor: string;
  readonly bytes: number;
  /** Where it was allocated: a stack trace. */
  readonly stack: string;
}

/** A device that knows where its tensors come from. */
export interface DebugDevice extends Device {
  /**
   * What was allocated outside any scope, or returned from the outermost one, and not freed since: parameters, and leaks. The oldest first.
   * While a gradient is being recorded, what its tape holds is among them.
   */
  leaks(): readonly Leak[];
}

interface Allocation {
  readonly stack: string;
  readonly bytes: number;
  op?: string;
  spec?: TensorSpec;
}

/**
 * The same device, slower: it notes where every tensor comes from, and with `checkFinite` looks at the value of every op.
 * The next `read` then rejects with the name of the first op whose value holds a NaN or an infinity. Statistics, such as logSumExp, may be infinite.
 * Make all tensors on the device that is returned.
 */
export function debugDevice(device: Device, { checkFinite = false }: { readonly checkFinite?: boolean } = {}): DebugDevice {
  const allocations = new Map<DeviceBuffer, Allocation>();
  const note = ({ buffer, dtype, shape }: Tensor, op: string): void => {
    const allocation = allocations.get(buffer);
    if (allocation && !allocation.op) Object.assign(allocation, { op, spec: { dtype, shape } });
  };
  const finite = createFiniteCheck(device);
  let dry = false;
  const own: Omit<DebugDevice, 'kind' | 'description' | 'limits' | 'memory' | 'destroy'> = {
    allocate(bytes) {
      const buffer = device.allocate(bytes);
      allocations.set(buffer, { bytes, stack: new Error('allocated').stack ?? '' });
      return buffer;
    },
    free(buffer) {
      allocations.delete(buffer);
      device.free(buffer);
    },
    write(tensor, data) {
      note(tensor, 'tensor');
      device.write(tensor, data);
    },
    run(op, inputs, outputs, attributes) {
      for (const output of outputs) note(output, op.name);
      device.run(op, inputs, outputs, attributes);
      if (checkFinite && !dry) for (const value of [...outputs.slice(0, 1), ...(op.mutates ?? []).map((i) => inputs[i])]) finite.look(op.name, value);
    },
    async read(tensor) {
      if (checkFinite) await finite.settle();
      return device.read(tensor);
    },
    async warmup(f) {
      dry = true;
      try {
        await device.warmup(f);
      } finally {
        dry = false;
      }
    },
    leaks: () => [...allocations]
      .filter(([buffer]) => !state.scopes.some((scope) => scope.has(buffer)))
      .map(([, { op = 'allocate', spec, bytes, stack }]) => ({ op, tensor: spec ? describeSpec(spec) : `${bytes} bytes`, bytes, stack })),
  };
  return Object.assign(Object.create(device) as Device, own, { record: undefined }); // every run is looked at
}

/** A tensor that no scope owns. */
function make(device: Device, spec: TensorSpec): Tensor {
  return { ...spec, device, buffer: device.allocate(bytesOf(spec)), offset: 0 };
}

function createFiniteCheck(device: Device) {
  let pending: { op: string; value: string; flag: Tensor }[] = [];
  return {
    /** Zero times a number is zero, times NaN or infinity NaN: the sum over a tensor is a flag. It stays on the device until the next read. */
    look(op: string, value: Tensor): void {
      if (value.dtype !== 'float32' || !value.shape.every(Boolean)) return;
      const [zeros, flag] = [make(device, { dtype: value.dtype, shape: value.shape }), make(device, float32(1))];
      device.run(scaleOp, [value], [zeros], { factor: 0 });
      device.run(sumOp, [zeros], [flag], {});
      device.free(zeros.buffer);
      pending.push({ op, value: describeSpec(value), flag });
    },
    async settle(): Promise<void> {
      const looked = pending;
      if (!looked.length) return;
      pending = [];
      const flags = make(device, float32(looked.length));
      device.run(concatOp, looked.map(({ flag }) => flag), [flags], {});
      for (const { flag } of looked) device.free(flag.buffer);
      const values = await device.read(flags);
      device.free(flags.buffer);
      const first = values.findIndex((value: number) => value !== 0);
      if (first >= 0) throw new RangeError(`${looked[first].op}: expected a value of finite numbers, got NaN or infinity in ${looked[first].value}; it is the first such op since the last read`);
    },
  };
}
