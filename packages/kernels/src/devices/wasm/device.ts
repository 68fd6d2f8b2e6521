import { countMemory, type Device, type DeviceBuffer } from '../../device';
import { allocatingFor, DeviceLostError } from '../../errors';
import { bytesOf, describeSpec, sizeOf, type Data, type Tensor } from '../../tensor';
import { kernelsWasm } from './kernels.generated';
import { createHeap } from './memory';
import { createPool } from './pool';
import { canShareWork, machineThreads } from './threads';
import type { Plan, WasmCall } from '../../op';

export interface WasmOptions {
  /** Threads that share the work of an op, the caller among them; by default all of the machine, at most 8. Results do not depend on it. */
  readonly threads?: number;
  /** False for a memory that no thread can share; by default true where the platform has SharedArrayBuffer (in browsers: cross-origin isolation). */
  readonly shared?: boolean;
}

interface WasmBuffer extends DeviceBuffer {
  readonly address: number;
}

const views = { int32: Int32Array, uint32: Uint32Array, float32: Float32Array } as const;

/**
 * Runs on the CPU in WebAssembly SIMD. One WebAssembly.Memory is the allocator; an op without a kernel runs its definition in float32 on views of the same bytes.
 * `run` is synchronous: the caller works as one of the threads. In a browser window's main thread, or without cross-origin isolation, there is one thread.
 */
export async function createWasmDevice({ threads = Math.min(8, machineThreads()), shared = typeof SharedArrayBuffer !== 'undefined' }: WasmOptions = {}): Promise<Device> {
  if (!Number.isInteger(threads) || threads < 1) throw new RangeError(`createWasmDevice: expected a positive number of threads, got ${threads}`);
  const heap = createHeap(shared);
  const { memory } = heap;
  const pool = await createPool(moduleBytes(shared), memory, shared && canShareWork() ? threads : 1);
  const { memory: counted, count } = countMemory();
  let [dry, destroyed] = [false, false];

  // A view lives for one call: growing an unshared memory detaches it, growing a shared one leaves it too short.
  const view = ({ buffer, dtype, shape, offset }: Tensor): Data => {
    if (!(dtype in views)) throw new TypeError(`wasm: expected float32, int32 or uint32, got ${describeSpec({ dtype, shape })}; convert before the upload`);
    return new views[dtype as keyof typeof views](memory.buffer, (buffer as WasmBuffer).address + offset * 4, sizeOf({ dtype, shape })) as Data;
  };
  const allocate = (byteLength: number): WasmBuffer => {
    if (destroyed) throw new DeviceLostError('wasm: expected a device in use, got one that was destroyed');
    const address = heap.allocate(byteLength);
    count(byteLength);
    counted.reserved = memory.buffer.byteLength;
    return { byteLength, version: 0, address };
  };
  const free = (buffer: DeviceBuffer): void => {
    if (buffer.version < 0) return;
    count(-buffer.byteLength);
    buffer.version = -1;
    heap.free((buffer as WasmBuffer).address, buffer.byteLength);
  };

  /** Allocates scratch and host arrays, runs the steps, and frees both. */
  const runPlan = (name: string, { steps, scratch = [] }: Plan<WasmCall>, inputs: readonly Tensor[], outputs: readonly Tensor[]): void => {
    const temporary: WasmBuffer[] = [];
    const take = (bytes: number): number => {
      const buffer = allocatingFor(name, () => allocate(bytes));
      temporary.push(buffer);
      return buffer.address;
    };
    try {
      const scratchAt = scratch.map((spec) => take(bytesOf(spec)));
      for (const { kernel, args, bind, parts } of steps) {
        const addresses = bind.map((place) => {
          if ('scratch' in place) return scratchAt[place.scratch];
          if ('array' in place) {
            const { array } = place;
            const address = take(array.byteLength);
            new Uint8Array(memory.buffer, address, array.byteLength).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
            return address;
          }
          const { buffer, offset } = 'input' in place ? inputs[place.input] : outputs[place.output];
          return (buffer as WasmBuffer).address + offset * 4;
        });
        pool.run(kernel, [...addresses, ...args], parts);
      }
    } finally {
      temporary.forEach(free);
    }
  };

  return {
    kind: 'wasm',
    description: `wasm: SIMD, ${pool.threads === 1 ? 'one thread' : `${pool.threads} threads`}, ${shared ? 'shared' : 'unshared'} memory of at most ${Math.round(heap.maxBytes / 2 ** 30)} GiB`,
    memory: counted,
    limits: { maxBufferBytes: heap.maxBytes, maxBindingBytes: heap.maxBytes, workgroupBytes: 0, threads: pool.threads, workPerDispatch: Infinity },
    allocate,
    free,
    write(tensor, data) {
      if (dry) return;
      checkLive('write', tensor);
      view(tensor).set(data);
      tensor.buffer.version++;
    },
    run(op, inputs, outputs, attributes) {
      if (dry) return;
      for (const tensor of [...inputs, ...outputs]) checkLive(op.name, tensor);
      const plan = op.wasm?.(inputs, outputs, attributes);
      if (plan) runPlan(op.name, plan, inputs, outputs);
      else op.reference(inputs.map(view), outputs.map(view), attributes, [...inputs, ...outputs]);
      for (const index of op.mutates ?? []) inputs[index].buffer.version++;
    },
    async read(tensor) {
      checkLive('read', tensor);
      return view(tensor).slice();
    },
    async warmup(f) {
      dry = true;
      try {
        f();
      } finally {
        dry = false;
      }
    },
    async destroy() {
      destroyed = true;
      await pool.end();
    },
  };
}

function checkLive(op: string, tensor: Tensor): void {
  if (tensor.buffer.version < 0) throw new ReferenceError(`${op}: expected a live tensor, got one that was freed (${describeSpec(tensor)})`);
}

function moduleBytes(shared: boolean): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from(atob(kernelsWasm), (letter) => letter.charCodeAt(0));
  if (!shared) unshareMemoryImport(bytes);
  return bytes;
}

/** The module imports a shared memory and refuses another kind; in the binary the two differ in one flag bit (WebAssembly threads proposal, binary format of limits). */
function unshareMemoryImport(bytes: Uint8Array): void {
  const importSection = 2;
  for (let at = 8; at < bytes.length; ) {
    const id = bytes[at++];
    let size = 0;
    for (let shift = 0, byte = 128; byte & 128; shift += 7) {
      byte = bytes[at++];
      size |= (byte & 127) << shift;
    }
    if (id === importSection) {
      // The import reads: length of the name, "memory", 2 for a memory, then the flags: 1 has a maximum, 2 is shared.
      const name = [6, ...Array.from('memory', (letter) => letter.charCodeAt(0)), 2];
      const found = Array.from({ length: size }, (_, i) => at + i).find((start) => name.every((byte, j) => bytes[start + j] === byte));
      if (found !== undefined) bytes[found + name.length] &= ~2;
      return;
    }
    at += size;
  }
}
