import { hostDevice } from '../hostDevice';
import { createBuffers } from './buffers';
import { createHeap } from './memory';
import { kernelsModule } from './module';
import { createPool } from './pool';
import { createPreparedCache } from './preparedCache';
import { createRecorder, type RunOp } from './recorder';
import { runPlan } from './runPlan';
import { canShareWork, machineThreads } from './threads';
import type { Device } from '../../device';

/** Threads, memory, instructions. */
export interface WasmOptions {
  /** Threads that share the work of an op, the caller among them; by default all of the machine, at most 8. Results do not depend on it. */
  readonly threads?: number;
  /** False for a memory that no thread can share; by default true where the platform has SharedArrayBuffer (in browsers: cross-origin isolation). */
  readonly shared?: boolean;
  /** Most bytes of packed weights to keep from call to call, for weights that do not change between them; by default 512 MiB, 0 for none. They are not counted as live, and make way for tensors. */
  readonly preparedBytes?: number;
  /**
   * True for fused multiply-adds (WebAssembly's relaxed SIMD), which make products 1.1 to 1.3 times as fast; by default false. Results keep to the same tolerances, and do not depend on threads or on the rest of a batch,
   * but their last bits are those of the machine: one that fuses rounds once where another rounds twice. Needs Node 22, Chrome 114, Firefox 146, or Node 20 with `--experimental-wasm-relaxed-simd`.
   */
  readonly relaxedSimd?: boolean;
  /**
   * True for products in tiles of 16 columns, for engines that make one operation of 256 bits of two of 128 (V8's `--experimental-wasm-revectorize` in Node 24 and newer; Chromium 156 and Deno 2.9 take the flag and join nothing here): products are up to twice as fast there, and 0.7 times as fast in others.
   * By default true where Node was started with that flag. Results do not depend on it, to the bit.
   */
  readonly wideTiles?: boolean;
}

/** Whether Node was started with V8's flag for registers of 256 bits, and has a V8 that joins what these kernels do: 12.4 does not. Nothing tells in browsers. */
const joinsRegisters = (): boolean => typeof process !== 'undefined' && Number.parseInt(process.versions?.v8 ?? '0') >= 13 && process.execArgv.includes('--experimental-wasm-revectorize');

/**
 * Runs on the CPU in WebAssembly SIMD. One WebAssembly.Memory is the allocator; an op without a kernel runs its definition in float32 on views of the same bytes.
 * `run` puts an op in line for the other threads, and the caller goes on; it works as one of them when the line is full, and when something is read. In a browser window's main thread, or without cross-origin isolation, there is one thread.
 * @throws RangeError for options out of range and when there is no memory, Error when a thread does not start or the engine has no relaxed SIMD that was asked for
 */
export async function createWasmDevice({ threads = Math.min(8, machineThreads()), shared = typeof SharedArrayBuffer !== 'undefined', preparedBytes = 2 ** 29, relaxedSimd = false, wideTiles = joinsRegisters() }: WasmOptions = {}): Promise<Device> {
  if (!Number.isInteger(threads) || threads < 1) throw new RangeError(`createWasmDevice: expected a positive number of threads, got ${threads}`);
  if (!(preparedBytes >= 0)) throw new RangeError(`createWasmDevice: expected preparedBytes from 0 on, got ${preparedBytes}; 0 keeps none`);
  const module = await kernelsModule({ shared, relaxedSimd }), heap = createHeap(shared);
  const { maxBytes } = heap;
  const pool = await createPool({ module, memory: heap.memory, wideTiles }, shared && canShareWork() ? threads : 1);
  const cache = createPreparedCache(heap, preparedBytes);
  const buffers = createBuffers({ ...heap, allocate: cache.allocate }, pool.finish);
  const { view } = buffers;
  const runOp: RunOp = (op, plan, inputs, outputs, attributes) => {
    if (plan) return runPlan(op.name, plan, inputs, outputs, buffers, pool, cache);
    op.reference(inputs.map(view), outputs.map(view), attributes, [...inputs, ...outputs]);
    return undefined;
  };
  const recorder = createRecorder({ ...heap, allocate: cache.allocate }, buffers, pool, runOp);
  const device = hostDevice({
    kind: 'wasm',
    description: `wasm: SIMD${relaxedSimd ? ' with relaxed multiply-adds' : ''}${wideTiles ? ' in wide tiles' : ''}, ${pool.threads === 1 ? 'one thread' : `${pool.threads} threads`}, ${shared ? 'shared' : 'unshared'} memory of at most ${Math.round(maxBytes / 2 ** 30)} GiB`,
    memory: buffers.memory,
    limits: { maxBufferBytes: maxBytes, maxBindingBytes: maxBytes, workgroupBytes: 0, threads: pool.threads, workPerDispatch: Infinity },
    view,
    allocate: buffers.allocate,
    free(buffer) {
      cache.drop(buffer);
      buffers.free(buffer);
    },
    run: recorder.run,
    async destroy() {
      buffers.close();
      await pool.end();
    },
  });
  return {
    ...device,
    record: recorder.record,
    get recording() {
      return recorder.recording;
    },
    write(tensor, data) {
      device.write(tensor, data);
      recorder.wrote(tensor, data);
    },
  };
}
