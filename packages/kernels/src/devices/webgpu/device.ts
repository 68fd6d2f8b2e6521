import { countMemory, type Device, type DeviceBuffer, type Limits } from '../../device';
import { UnsupportedOpError } from '../../errors';
import { openAdapter, type AdapterDescription } from './adapter';
import { createBindGroups } from './bindGroups';
import { pooledOf, viewAlignment, type GpuBuffer } from './bindings';
import { createBufferPool } from './bufferPool';
import { createCommands } from './commands';
import { createFailures } from './failures';
import { createPace, type Pace } from './pace';
import { createPipelineCache } from './pipelineCache';
import { createProfiler, type OpTime } from './profiler';
import { createRunner } from './runner';
import { createParamsEncoder } from './shader';
import { createTransfers } from './transfers';
import { createUpload } from './upload';
import { verifyChosen } from './verify';

/** How much of the adapter to use, and how precisely. */
export interface WebGpuOptions {
  /** In place of the adapter's, and of what it was seen to do in 50 ms: to keep dispatches shorter, or memory smaller, than the GPU would allow. */
  readonly limits?: Partial<Pick<Limits, 'maxBufferBytes' | 'maxBindingBytes' | 'workgroupBytes' | 'workPerDispatch'>>;
  /**
   * Operands rounded to 11 bits: `float16` computes matrix products and attention, forward and backward, in half precision (relative error about 2e-3; operands below 6e-5 lose digits, so that losses want to be scaled up), `subgroupMatrix` large products and attention, forward and backward, on matrix units with sums in float32 (about 1e-3, and the same of small operands).
   * Experimental: no GPU has been there to measure them. When the device is made they are tried out beside single precision.
   * @throws TypeError where the GPU does not offer it; nothing else takes its place.
   * @throws Error where the results are off by more than 1e-2 (`float16`) or 5e-3 (`subgroupMatrix`) of the largest
   */
  readonly reducedPrecision?: 'float16' | 'subgroupMatrix';
  /** Sums and maxima over a row (norms, softmax, cross-entropy, sums) by subgroups: in single precision, in another order. Tried out when the device is made. @throws TypeError where the GPU does not offer them, or Error where they compute something else */
  readonly subgroups?: boolean;
  /** Submissions after which a buffer that nobody took is given back to the system. */
  readonly maxIdle?: number;
}

/** What a device has done since it was made; for tests and profiles. */
export interface WebGpuStatistics {
  readonly dispatches: number;
  readonly submissions: number;
  readonly pipelines: number;
}

/** A device that knows its adapter, counts what it did and can be timed. */
export interface WebGpuDevice extends Device {
  readonly adapter: AdapterDescription;
  readonly statistics: () => WebGpuStatistics;
  /**
   * Runs `f`, and says how long the GPU took for each op in it, the longest first.
   * @throws UnsupportedOpError where the adapter has no timestamps
   */
  profile(f: () => void | Promise<void>): Promise<readonly OpTime[]>;
}

/**
 * Runs ops on a GPU through WebGPU: records commands, submits them now and then, and waits only in `read`.
 * @param gpu - `navigator.gpu` in a browser, or `create([])` of the npm package webgpu (Dawn) in Node.
 * An error of the GPU is thrown, with the name of the op, by the next `read` and by every later one: what was computed after it is not to be trusted.
 */
export async function createWebGpuDevice(gpu: GPU, options: WebGpuOptions = {}): Promise<WebGpuDevice> {
  const { device, adapter } = await openAdapter(gpu, options);
  const pace = createPace(guessOf(adapter));
  const limits = limitsOf(device, pace, options);
  const machine = createMachine(device, limits, pace, options);
  const { memory, commands, transfers } = machine;
  const runner = createRunner(machine, limits);

  const made: WebGpuDevice = {
    kind: 'webgpu',
    description: `webgpu: ${[adapter.vendor, adapter.architecture, adapter.description].filter(Boolean).join(', ') || 'unnamed adapter'}${adapter.software ? ' (a CPU in place of a GPU)' : ''}${options.reducedPrecision ? `; products in ${options.reducedPrecision}` : ''}${options.subgroups ? '; rows by subgroups' : ''}`,
    adapter,
    limits,
    memory,
    statistics: () => ({ dispatches: runner.dispatches(), submissions: commands.submissions(), pipelines: machine.pipelines.compiled() }),
    allocate: (byteLength) => machine.allocate('allocate', byteLength),
    free: machine.free,
    write(tensor, data) {
      if (!runner.compiling()) transfers.write(tensor, data);
    },
    run(op, inputs, outputs, attributes) {
      for (const output of outputs) pooledOf(output).owner = op.name;
      runner.run(op, inputs, outputs, attributes);
      if (!runner.compiling()) for (const index of op.mutates ?? []) inputs[index].buffer.version++;
    },
    async profile(f) {
      if (!device.features.has('timestamp-query')) throw new UnsupportedOpError('profile', 'webgpu', 'use an adapter with the feature timestamp-query; Chrome asks for --enable-unsafe-webgpu on some systems');
      commands.submit();
      const profiler = (commands.profiler = createProfiler(device));
      try {
        await f();
      } finally {
        commands.submit();
        commands.profiler = undefined;
      }
      const times = await profiler.finish();
      await machine.settle();
      return times;
    },
    read: transfers.read,
    warmup: runner.warmup,
    destroy: machine.destroy,
  };
  try {
    await verifyChosen(made, options);
  } catch (error) {
    await made.destroy();
    throw error;
  }
  return made;
}

/** Multiply-adds in 50 ms, to begin with: a CPU, any GPU, the slowest of those that are fast. */
const guessOf = ({ software, vendor }: AdapterDescription): number => (software ? 5e7 : vendor === 'nvidia' ? 1e11 : 5e9);

function limitsOf({ limits }: GPUDevice, pace: Pace, { limits: chosen, reducedPrecision }: WebGpuOptions): Limits {
  return {
    maxBufferBytes: chosen?.maxBufferBytes ?? limits.maxBufferSize,
    maxBindingBytes: chosen?.maxBindingBytes ?? Math.min(limits.maxStorageBufferBindingSize, 2 ** 32 - 4), // shaders count elements, of one byte at least, in 32 bits
    viewAlignment,
    workgroupBytes: chosen?.workgroupBytes ?? limits.maxComputeWorkgroupStorageSize,
    threads: 1,
    get workPerDispatch() { return chosen?.workPerDispatch ?? pace.work(); },
    reducedPrecision,
  };
}

/** The device's parts, wired together: memory, commands, shaders, transfers. */
function createMachine(device: GPUDevice, limits: Limits, pace: Pace, options: WebGpuOptions) {
  const failures = createFailures(device, () => memory);
  const pool = createBufferPool(device, failures, limits.maxBufferBytes, options);
  const upload = createUpload(device);
  const { memory, allocated, freed } = countMemory(() => pool.reserved() + upload.reserved());
  const bindGroups = createBindGroups(device, failures);
  const commands = createCommands({ device, failures, bindGroups, pace: { work: () => limits.workPerDispatch, done: pace.done }, beforeSubmit: () => upload.send(), afterSubmit: () => pool.age() && bindGroups.clear() });
  const encodeParams = createParamsEncoder();
  return {
    memory,
    commands,
    settle: () => failures.settle(),
    pipelines: createPipelineCache(device, failures, options.subgroups),
    transfers: createTransfers({ device, commands, upload, failures }),
    params: (...call: Parameters<typeof encodeParams>) => upload.share(encodeParams(...call)),
    allocate(label: string, byteLength: number): GpuBuffer {
      if (byteLength > limits.maxBufferBytes) throw new RangeError(`${label}: expected at most ${limits.maxBufferBytes} bytes in one tensor on this GPU, got ${byteLength}; split it by rows`);
      const pooled = pool.take(byteLength, label);
      allocated(byteLength);
      return { byteLength, version: 0, pooled };
    },
    free(buffer: DeviceBuffer): void {
      if (freed(buffer)) pool.give((buffer as GpuBuffer).pooled);
    },
    async destroy(): Promise<void> {
      commands.submit();
      await device.queue.onSubmittedWorkDone().catch(() => undefined); // on a lost GPU there is nothing to wait for
      failures.close();
      upload.destroy();
      pool.destroy();
      device.destroy();
    },
  };
}
