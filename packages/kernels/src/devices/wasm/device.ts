import { hostDevice } from '../hostDevice';
import { createBuffers } from './buffers';
import { createHeap, heapBehind } from './memory';
import { kernelsModule } from './module';
import { createPool } from './pool';
import { createPreparedCache } from './preparedCache';
import { runPlan } from './runPlan';
import { canShareWork, machineThreads } from './threads';
import type { Device } from '../../device';

/** Threads and memory. */
export interface WasmOptions {
  /** Threads that share the work of an op, the caller among them; by default all of the machine, at most 8. Results do not depend on it. */
  readonly threads?: number;
  /** False for a memory that no thread can share; by default true where the platform has SharedArrayBuffer (in browsers: cross-origin isolation). */
  readonly shared?: boolean;
  /** Most bytes of packed weights to keep from call to call, for weights that do not change between them; by default 512 MiB, 0 for none. They are not counted as live, and make way for tensors. */
  readonly preparedBytes?: number;
}

/**
 * Runs on the CPU in WebAssembly SIMD. One WebAssembly.Memory is the allocator; an op without a kernel runs its definition in float32 on views of the same bytes.
 * `run` begins an op and lets the other threads work on it while the caller prepares the next, before which it helps. In a browser window's main thread, or without cross-origin isolation, there is one thread.
 * @throws RangeError when there is no memory, Error when a thread does not start
 */
export async function createWasmDevice({ threads = Math.min(8, machineThreads()), shared = typeof SharedArrayBuffer !== 'undefined', preparedBytes = 2 ** 29 }: WasmOptions = {}): Promise<Device> {
  if (!Number.isInteger(threads) || threads < 1) throw new RangeError(`createWasmDevice: expected a positive number of threads, got ${threads}`);
  const heap = createHeap(shared);
  const { maxBytes } = heap;
  const pool = await createPool(await kernelsModule(shared), heap.memory, shared && canShareWork() ? threads : 1);
  const behind = heapBehind(heap, pool);
  const cache = createPreparedCache(behind, preparedBytes);
  const buffers = createBuffers({ ...behind, allocate: cache.allocate }, pool.finish);
  const { view } = buffers;
  return hostDevice({
    kind: 'wasm',
    description: `wasm: SIMD, ${pool.threads === 1 ? 'one thread' : `${pool.threads} threads`}, ${shared ? 'shared' : 'unshared'} memory of at most ${Math.round(maxBytes / 2 ** 30)} GiB`,
    memory: buffers.memory,
    limits: { maxBufferBytes: maxBytes, maxBindingBytes: maxBytes, workgroupBytes: 0, threads: pool.threads, workPerDispatch: Infinity },
    view,
    allocate: buffers.allocate,
    free(buffer) {
      cache.drop(buffer);
      buffers.free(buffer);
    },
    run(op, inputs, outputs, attributes) {
      const plan = op.wasm?.(inputs, outputs, attributes);
      if (plan) runPlan(op.name, plan, inputs, outputs, buffers, pool, cache);
      else op.reference(inputs.map(view), outputs.map(view), attributes, [...inputs, ...outputs]);
    },
    async destroy() {
      buffers.close();
      await pool.end();
    },
  });
}
