import { countMemory, type DeviceBuffer, type Device, type Limits } from '../../device';
import { UnsupportedOpError } from '../../errors';
import { bytesOf, describeSpec, sizeOf, type Data, type DType, type Tensor, type TensorSpec } from '../../tensor';
import { openAdapter, type AdapterDescription } from './adapter';
import { createBindGroups, type Range } from './bindGroups';
import { createBufferPool, type PooledBuffer } from './bufferPool';
import { createCommands } from './commands';
import { createFailures } from './failures';
import { createPipelineCache } from './pipelineCache';
import { createParamsEncoder, type ShaderFacts } from './shader';
import { createUpload } from './upload';
import { bufferUsage, mapRead } from './usage';
import type { Dispatch } from '../../op';

export interface WebGpuOptions {
  /** Overrides the estimate of what the adapter does in 50 ms, in multiply-adds. */
  readonly workPerDispatch?: number;
  /** Submissions after which a buffer that nobody took is given back to the system. */
  readonly maxIdle?: number;
}

/** What a device has done since it was made; for tests and profiles. */
export interface WebGpuStatistics {
  readonly dispatches: number;
  readonly submissions: number;
  readonly pipelines: number;
}

export interface WebGpuDevice extends Device {
  readonly adapter: AdapterDescription;
  readonly statistics: () => WebGpuStatistics;
}

interface GpuBuffer extends DeviceBuffer {
  readonly pooled: PooledBuffer;
}

/** What a binding shows: a tensor, or scratch. */
interface Bound extends TensorSpec {
  readonly buffer: DeviceBuffer;
  readonly offset: number;
}

/** Above this a write goes to the queue directly instead of through a staging chunk. */
const stagedBytes = 1 << 16;

/**
 * Runs ops on a GPU through WebGPU: records commands, submits them now and then, and waits only in `read`.
 * @param gpu - `navigator.gpu` in a browser, or `create([])` of the npm package webgpu (Dawn) in Node.
 * An error of the GPU is thrown, with the name of the op, by the next `read` and by every later one: what was computed after it is not to be trusted.
 */
export async function createWebGpuDevice(gpu: GPU, options: WebGpuOptions = {}): Promise<WebGpuDevice> {
  const { device, adapter } = await openAdapter(gpu);
  const limits: Limits = {
    maxBufferBytes: device.limits.maxBufferSize,
    maxBindingBytes: device.limits.maxStorageBufferBindingSize,
    workgroupBytes: device.limits.maxComputeWorkgroupStorageSize,
    threads: 1,
    workPerDispatch: options.workPerDispatch ?? (adapter.software ? 5e7 : 5e9), // 1 and 100 thousand million a second
  };
  const { memory, count } = countMemory();
  const failures = createFailures(device);
  const pool = createBufferPool(device, failures, options);
  const upload = createUpload(device);
  const bindGroups = createBindGroups(device, failures);
  const pipelines = createPipelineCache(device, failures);
  const commands = createCommands({ device, failures, bindGroups, workPerSubmit: limits.workPerDispatch, beforeSubmit: () => upload.send(), afterSubmit: () => pool.age() && bindGroups.clear() });
  Object.defineProperty(memory, 'reserved', { get: () => pool.reserved() + upload.reserved(), enumerable: true });
  const encodeParams = createParamsEncoder();
  let dispatches = 0;
  let compiling: Promise<void>[] | undefined; // while warming up

  const allocateAs = (label: string, byteLength: number): GpuBuffer => {
    if (byteLength > limits.maxBufferBytes) throw new RangeError(`${label}: expected at most ${limits.maxBufferBytes} bytes in one tensor on this GPU, got ${byteLength}; split it by rows`);
    const pooled = pool.take(byteLength, label);
    count(byteLength);
    return { byteLength, version: 0, pooled };
  };
  const release = (buffer: DeviceBuffer) => {
    if (buffer.version < 0) return;
    buffer.version = -1;
    count(-buffer.byteLength);
    pool.give((buffer as GpuBuffer).pooled);
  };
  const record = (op: string, step: Dispatch, bound: readonly Bound[]) => {
    if (step.workgroups.includes(0)) return;
    if (compiling) return void compiling.push(pipelines.prepare(op, step));
    const pipeline = pipelines.get(op, step);
    const ranges = rangesOf(op, pipeline.facts, bound, limits);
    commands.dispatch(op, pipeline, [upload.share(encodeParams(op, pipeline.facts, step)), ...ranges], step.workgroups, step.work ?? bound.reduce((sum, spec) => sum + sizeOf(spec), 0));
    dispatches++;
  };

  return {
    kind: 'webgpu',
    description: `webgpu: ${[adapter.vendor, adapter.architecture, adapter.description].filter(Boolean).join(', ') || 'unnamed adapter'}${adapter.software ? ' (a CPU in place of a GPU)' : ''}`,
    adapter,
    limits,
    memory,
    statistics: () => ({ dispatches, submissions: commands.submissions(), pipelines: pipelines.compiled() }),
    allocate: (byteLength) => allocateAs('allocate', byteLength),
    free: release,
    write(tensor, data) {
      if (compiling) return;
      const words = toWords(live('write', tensor), data);
      const { gpu: target } = (tensor.buffer as GpuBuffer).pooled;
      tensor.buffer.version++;
      if (words.byteLength > stagedBytes) {
        commands.submit(); // the queue is in order too: what was recorded so far comes before this write, what follows after
        device.queue.writeBuffer(target, tensor.offset * 4, words);
      } else if (words.length) {
        const staged = upload.stage(words);
        commands.copy(staged.gpu, staged.offset, target, tensor.offset * 4, words.byteLength);
      }
    },
    run(op, inputs, outputs, attributes) {
      const plan = op.webgpu?.(inputs, outputs, attributes, limits);
      if (!plan) throw new UnsupportedOpError(op.name, 'webgpu');
      const scratch = (plan.scratch ?? []).map((spec): Bound => ({ ...spec, offset: 0, buffer: allocateAs(op.name, bytesOf(spec)) }));
      try {
        for (const step of plan.steps) {
          record(op.name, step, step.bind.map((bind) => ('input' in bind ? inputs[bind.input] : 'output' in bind ? outputs[bind.output] : scratch[bind.scratch])));
        }
      } finally {
        for (const { buffer } of scratch) release(buffer);
      }
      if (!compiling) for (const index of op.mutates ?? []) inputs[index].buffer.version++;
    },
    async read(tensor) {
      const { dtype } = live('read', tensor);
      const bytes = bytesOf(tensor);
      const staging = device.createBuffer({ label: 'read', size: Math.max(4, bytes), usage: bufferUsage.mapRead | bufferUsage.copyTarget });
      if (bytes) commands.copy((tensor.buffer as GpuBuffer).pooled.gpu, tensor.offset * 4, staging, 0, bytes);
      commands.submit();
      const mapped = staging.mapAsync(mapRead);
      try {
        await Promise.all([mapped.catch(() => undefined), failures.settle()]); // a lost device fails both: its own error says more
        await mapped;
        return fromBytes(dtype, staging.getMappedRange().slice(0, bytes));
      } finally {
        staging.destroy();
      }
    },
    async warmup(f) {
      const jobs: Promise<void>[] = (compiling = []);
      try {
        f();
      } finally {
        compiling = undefined;
      }
      await Promise.all(jobs);
    },
    async destroy() {
      commands.submit();
      await device.queue.onSubmittedWorkDone().catch(() => undefined); // of a lost device nothing is waited for
      upload.destroy();
      pool.destroy();
      device.destroy();
    },
  };
}

function live(what: string, tensor: Tensor): Tensor {
  if (tensor.buffer.version < 0) throw new ReferenceError(`${what}: expected a live tensor, got one that was freed`);
  return tensor;
}

/** The parts of buffers that a dispatch binds, checked: where they begin, how large they are, and that nothing is read and written at once. */
function rangesOf(op: string, { tensors }: ShaderFacts, bound: readonly Bound[], { maxBindingBytes }: Limits): Range[] {
  if (tensors.length !== bound.length) throw new TypeError(`${op}: expected ${tensors.length} tensors for the shader's bindings, got ${bound.length}`);
  const ranges = bound.map((spec, i): Range => {
    const { name } = tensors[i];
    if (spec.offset % 64) throw new RangeError(`${op}: expected ${name} to begin at a multiple of 64 elements, as WebGPU binds no other, got a view at element ${spec.offset}; copy it`);
    const size = Math.max(4, bytesOf(spec));
    if (size > maxBindingBytes) throw new RangeError(`${op}: expected ${name} of at most ${maxBindingBytes} bytes on this GPU, got ${describeSpec(spec)}; split it by rows`);
    const { gpu, id } = (spec.buffer as GpuBuffer).pooled;
    return { gpu, id, offset: spec.offset * 4, size };
  });
  ranges.forEach((range, i) => {
    for (let j = 0; j < i; j++) {
      if (ranges[j].id !== range.id) continue;
      const [a, b] = [tensors[j], tensors[i]];
      const disjoint = range.offset >= ranges[j].offset + ranges[j].size || ranges[j].offset >= range.offset + range.size;
      if (a.access === b.access && (a.access === 'read' || disjoint)) continue;
      throw new TypeError(`${op}: expected every buffer it writes to be bound once, got ${a.name} (${a.access}) and ${b.name} (${b.access}) in one buffer, which WebGPU refuses; copy one of them`);
    }
  });
  return ranges;
}

function toWords({ dtype, shape }: Tensor, data: Data): Uint32Array<ArrayBuffer> {
  if (data.length !== sizeOf({ dtype, shape })) throw new RangeError(`write: expected ${sizeOf({ dtype, shape })} elements for ${describeSpec({ dtype, shape })}, got ${data.length}`);
  const { buffer, byteOffset, byteLength } = dtype === 'float32' ? Float32Array.from(data) : dtype === 'int32' ? Int32Array.from(data) : dtype === 'uint32' ? Uint32Array.from(data) : refuse(dtype);
  return new Uint32Array(buffer, byteOffset, byteLength / 4);
}

function fromBytes(dtype: DType, bytes: ArrayBuffer): Data {
  return dtype === 'float32' ? new Float32Array(bytes) : dtype === 'int32' ? new Int32Array(bytes) : dtype === 'uint32' ? new Uint32Array(bytes) : refuse(dtype);
}

function refuse(dtype: DType): never {
  throw new UnsupportedOpError(dtype, 'webgpu', 'convert to float32 before the upload');
}
