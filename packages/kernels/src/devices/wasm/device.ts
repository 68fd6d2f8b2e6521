import { checkLive, createBuffers } from './buffers';
import { createHeap } from './memory';
import { kernelsModule } from './module';
import { createPool } from './pool';
import { createPreparedCache } from './preparedCache';
import { runPlan } from './runPlan';
import { canShareWork, machineThreads } from './threads';
import { checkData } from '../../tensor';
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
 * `run` is synchronous: the caller works as one of the threads. In a browser window's main thread, or without cross-origin isolation, there is one thread.
 * @throws RangeError when there is no memory, Error when a thread does not start
 */
export async function createWasmDevice({ threads = Math.min(8, machineThreads()), shared = typeof SharedArrayBuffer !== 'undefined', preparedBytes = 2 ** 29 }: WasmOptions = {}): Promise<Device> {
  if (!Number.isInteger(threads) || threads < 1) throw new RangeError(`createWasmDevice: expected a positive number of threads, got ${threads}`);
  const heap = createHeap(shared);
  const { maxBytes } = heap;
  const pool = await createPool(await kernelsModule(shared), heap.memory, shared && canShareWork() ? threads : 1);
  const cache = createPreparedCache(heap, preparedBytes);
  const buffers = createBuffers({ ...heap, allocate: cache.allocate });
  const { view } = buffers;
  let dry = false;
  return {
    kind: 'wasm',
    description: `wasm: SIMD, ${pool.threads === 1 ? 'one thread' : `${pool.threads} threads`}, ${shared ? 'shared' : 'unshared'} memory of at most ${Math.round(maxBytes / 2 ** 30)} GiB`,
    memory: buffers.memory,
    limits: { maxBufferBytes: maxBytes, maxBindingBytes: maxBytes, workgroupBytes: 0, threads: pool.threads, workPerDispatch: Infinity },
    allocate: buffers.allocate,
    free(buffer) {
      cache.drop(buffer);
      buffers.free(buffer);
    },
    write(tensor, data) {
      if (dry) return;
      checkLive('write', [tensor]);
      checkData(tensor, data);
      view(tensor).set(data);
      tensor.buffer.version++;
    },
    run(op, inputs, outputs, attributes) {
      if (dry) return;
      checkLive(op.name, inputs);
      checkLive(op.name, outputs);
      const plan = op.wasm?.(inputs, outputs, attributes);
      if (plan) runPlan(op.name, plan, inputs, outputs, buffers, pool, cache);
      else op.reference(inputs.map(view), outputs.map(view), attributes, [...inputs, ...outputs]);
      for (const index of op.mutates ?? []) inputs[index].buffer.version++;
    },
    async read(tensor) {
      checkLive('read', [tensor]);
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
      buffers.close();
      await pool.end();
    },
  };
}
