import { describeWithGpu, gpu } from '../../../test/devices';
import { adamW, add, apply, createReferenceDevice, createWebGpuDevice, crossEntropy, DeviceLostError, embedding, free, geglu, layerNorm, linear, matmul, mul, ones, read, rmsNorm, scale, scope, softmax, sum, sumRows, sumSquares, tensor, UnsupportedOpError, valueAndGrad, zeros, type Bind, type Device, type Op, type Tensor, type WebGpuDevice, type WebGpuOptions } from '../../index';
import { allClose, testNumbers } from '../../testing';
import { bucketOf, createBufferPool } from './bufferPool';
import { createFailures } from './failures';
import { createPace } from './pace';

/** An op of one dispatch on `x` and `y`. */
const shaderOf = (body: string, access = 'read') => `struct Params { count: u32 }
@group(0) @binding(0) var<storage, read> params: Params;
@group(0) @binding(1) var<storage, ${access}> x: array<Element>;
@group(0) @binding(2) var<storage, read_write> y: array<Element>;
@compute @workgroup_size(1) fn main() { ${body} }`;
interface Parts {
  readonly bind?: readonly Bind[];
  readonly params?: Readonly<Record<string, number>>;
  readonly mutates?: readonly number[];
}
const opOf = (name: string, shader: string, { bind = [{ input: 0 }, { output: 0 }], params = { count: 1 }, mutates = [] }: Parts = {}): Op => ({
  name, mutates, infer: ([x]) => (mutates.length ? [] : [x]), reference() {}, webgpu: () => ({ steps: [{ shader, params, bind, workgroups: [1, 1, 1] }] }),
});

describeWithGpu('one device', () => {
  let device: WebGpuDevice;
  beforeAll(async () => { device = await createWebGpuDevice(gpu!); });
  afterAll(() => device.destroy());

  test('reports the adapter and its real limits', () => {
    const { adapter, limits } = device;
    if (process.platform === 'linux' && process.arch === 'x64' && process.env.GENOMELM_GPU !== 'system') expect(adapter).toMatchObject({ vendor: 'google', architecture: 'swiftshader', software: true });
    expect(device.description).toContain(adapter.vendor);
    expect(limits.maxBindingBytes).toBeGreaterThanOrEqual(2 ** 27);
    expect(limits.workgroupBytes).toBeGreaterThanOrEqual(2 ** 14);
  });

  test('buffers are used again at once', async () => {
    let y = tensor(device, testNumbers(1, 1000));
    free(scale(y, 1));
    const { reserved } = device.memory;
    for (let i = 0; i < 50; i++) {
      const z = scale(y, -1);
      free(y);
      y = z;
    }
    expect(device.memory.reserved).toBe(reserved);
    expect([...(await read(y))]).toEqual([...testNumbers(1, 1000)]);
    free(y);
  });

  test('a dispatch may not read and write one buffer, not even apart; the error names op and bindings', async () => {
    const slab = tensor(device, testNumbers(2, 128));
    const part = (offset: number): Tensor => ({ ...slab, shape: [64], offset });
    const bind = [{ input: 0 }, { input: 1 }];
    const copy = opOf('copyInto', shaderOf('y[0] = x[0] + f32(params.count);'), { bind, mutates: [1] });
    expect(() => apply(copy, [part(0), part(64)], {})).toThrow('copyInto: expected every buffer it writes to be bound once, got x (read) and y (read_write) in one buffer, which WebGPU refuses; copy one of them');
    const both = opOf('both', shaderOf('y[0] = x[0] + f32(params.count);', 'read_write'), { bind, mutates: [0, 1] });
    apply(both, [part(0), part(64)], {});
    expect((await read(slab))[64]).toBe(Math.fround(testNumbers(2, 128)[0] + 1));
    expect(() => apply(both, [part(0), slab], {})).toThrow('both: expected every buffer it writes to be bound once');
  });

  test('a view that WebGPU cannot bind is refused with the remedy; it can still be read and copied', async () => {
    const rows = tensor(device, testNumbers(3, 40), [8, 5]);
    const slice: Tensor = { ...rows, shape: [2, 5], offset: 15 };
    expect(() => scale(slice, 2)).toThrow('scale: expected input 0 to begin at a multiple of 64 elements, as WebGPU binds no other, got a view at element 15 (float32 [2, 5]); copy it with tensor(device, await read(t), t.shape)');
    const copy = tensor(device, await read(slice), [2, 5]);
    expect([...(await read(scale(copy, 2)))]).toEqual([...testNumbers(3, 40)].slice(15, 25).map((x) => 2 * x));
  });

  test('nothing of an op runs if one of its bindings cannot be', () => {
    const [x, w] = [zeros(device, [2, 8]), { ...zeros(device, [16]), shape: [8], offset: 4 }];
    const { dispatches } = device.statistics();
    expect(() => layerNorm(x, w, w)).toThrow('layerNorm: expected input 1 to begin at a multiple of 64 elements');
    const step = (bind: readonly Bind[]) => ({ shader: shaderOf('y[0] = x[0];'), params: { count: 1 }, bind, workgroups: [1, 1, 1] as const });
    const later: Op = { ...opOf('later', ''), webgpu: () => ({ steps: [step([{ input: 0 }, { output: 0 }]), step([{ input: 0 }, { input: 0 }])] }) };
    expect(() => apply(later, [x], {})).toThrow('later: expected every buffer it writes to be bound once');
    expect(device.statistics().dispatches).toBe(dispatches);
  });

  test('views of 16 bits are read from any element on, and written by whole words', async () => {
    const halves = tensor(device, Uint16Array.of(1, 2, 3, 4, 5, 6, 7, 8), [8], { dtype: 'float16' });
    const part = (offset: number, length: number): Tensor => ({ ...halves, shape: [length], offset });
    expect([...(await read(part(1, 3)))]).toEqual([2, 3, 4]);
    expect([...(await read(part(3, 4)))]).toEqual([4, 5, 6, 7]);
    device.write(part(2, 2), Uint16Array.of(30, 40));
    expect([...(await read(halves))]).toEqual([1, 2, 30, 40, 5, 6, 7, 8]);
    for (const refused of [part(1, 2), part(2, 3)]) expect(() => device.write(refused, new Uint16Array(refused.shape[0]))).toThrow(/^write: expected a view of whole 32-bit words, or one that ends where its buffer ends, got float16 \[\d\] from element \d on; write the whole tensor$/);
  });

  test('params are checked by name, kind and number, before anything is recorded', () => {
    const x = tensor(device, [1]);
    const run = (shader: string, params: Record<string, number>) => () => apply(opOf('mine', shader, { params }), [x], {});
    const shader = shaderOf('y[0] = x[0] + f32(params.count);');
    expect(run(shader, {})).toThrow('mine: expected params.count, which the shader reads, got none');
    expect(run(shader, { count: 1, rows: 2 })).toThrow('mine: expected only params that the shader reads, got rows');
    expect(run(shader, { count: 1.5 })).toThrow('mine: expected params.count as u32, got 1.5');
    expect(run(shader, { count: -1 })).toThrow('mine: expected params.count as u32, got -1');
    expect(run(shader.replace('count: u32', 'count: vec2<u32>'), { count: 1 })).toThrow('mine: expected members of Params to be u32, i32 or f32');
    expect(run(shader.replace('@binding(1)', '@binding(3)'), { count: 1 })).toThrow('mine: expected bindings 0, 1, … in group 0');
    expect(() => apply(opOf('mine', shader, { bind: [{ input: 0 }] }), [x], {})).toThrow('mine: expected 2 tensors for the shader\'s bindings, got 1');
    expect(() => apply({ name: 'noKernel', infer: () => [], reference() {} }, [x], {})).toThrow(UnsupportedOpError);
  });

  test('a binding that the shader does not use is no error', async () => {
    expect([...(await read(apply(opOf('constant', shaderOf('y[0] = f32(params.count);')), [tensor(device, [7])], {})[0]))]).toEqual([1]);
  });

  test('a tensor larger than the GPU allows is refused', () => {
    expect(() => device.allocate(device.limits.maxBufferBytes + 4)).toThrow(/expected at most \d+ bytes in one tensor on this GPU, got \d+; split it by rows/);
  });

  test('what is written must fit', () => {
    expect(() => device.write(zeros(device, [3]), Float32Array.of(1))).toThrow('write: expected 3 elements for float32 [3], got 1');
    const x = zeros(device, [1]);
    free(x);
    expect(() => device.write(x, Float32Array.of(1))).toThrow('write: expected a live tensor, got one that was freed');
  });
});

describeWithGpu('a device of its own', () => {
  test('warming up compiles, and then nothing is compiled any more', async () => {
    const device = await createWebGpuDevice(gpu!);
    const x = tensor(device, testNumbers(1, 48), [4, 12]);
    const step = () => scope<Tensor>(() => valueAndGrad((p: Tensor) => sum(layerNorm(matmul(p, p, { transposeB: true }), ones(device, [4]), zeros(device, [4]))))(x).value);
    const before = device.statistics();
    await device.warmup(() => free(step()));
    const warm = device.statistics();
    expect(warm.pipelines).toBeGreaterThan(before.pipelines + 5);
    expect(warm.dispatches).toBe(before.dispatches);
    await read(step());
    expect(device.statistics().pipelines).toBe(warm.pipelines);
    await device.destroy();
  });

  test.each([
    ['syntax', 'y[0] = x[0]'],
    ['a reserved word', 'let meta = params.count; y[0] = x[0];'],
    ['a type', 'y[0] = params.count;'],
  ])('an error of %s comes with the op at the next read, and at every later one', async (_what, body) => {
    const device = await createWebGpuDevice(gpu!);
    const good = scale(tensor(device, [2]), 2);
    const y = apply(opOf('broken', shaderOf(body)), [tensor(device, [1])], {})[0];
    await expect(read(y)).rejects.toThrow('broken: expected a shader that compiles, got "');
    await expect(read(good)).rejects.toThrow('broken: expected a shader that compiles, got "');
    await device.destroy();
  });

  test('an error found while warming up comes at the next read too', async () => {
    const device = await createWebGpuDevice(gpu!);
    const x = tensor(device, [1]);
    await device.warmup(() => scope(() => void apply(opOf('broken', shaderOf('y[0] = ')), [x], {})));
    await expect(read(x)).rejects.toThrow('broken: expected a shader that compiles, got "');
    await device.destroy();
  });

  test('a lost GPU is a DeviceLostError', async () => {
    let inner: GPUDevice | undefined;
    const adapter = (await gpu!.requestAdapter())!;
    const losing = { requestAdapter: async () => ({ info: adapter.info, limits: adapter.limits, features: adapter.features, requestDevice: async (descriptor: GPUDeviceDescriptor) => (inner = await adapter.requestDevice(descriptor)) }) } as unknown as GPU;
    const device = await createWebGpuDevice(losing);
    const x = tensor(device, [1]);
    await read(scale(x, 3));
    inner!.destroy();
    await expect(read(scale(x, 2))).rejects.toThrow(DeviceLostError);
    await expect(read(x)).rejects.toThrow(/at the latest during scale, with 12 bytes in tensors, 12 at most\); create a new device/);
    await expect(read(x)).rejects.toThrow('webgpu: expected a working GPU, got one that was lost');
    await device.destroy();
  });

  test('a device that was destroyed says so, not that the GPU was lost', async () => {
    const device = await createWebGpuDevice(gpu!);
    const x = tensor(device, [1]);
    await device.destroy();
    await expect(read(x)).rejects.toThrow('webgpu: expected a device in use, got one that was destroyed; read what is wanted before destroy(), or create a new device');
    await device.destroy();
  });

  test('no adapter is an error with a remedy', async () => {
    await expect(createWebGpuDevice({ requestAdapter: async () => null } as unknown as GPU)).rejects.toThrow('createWebGpuDevice: expected a GPU adapter, got none; update the graphics driver, or use createWasmDevice()');
  });

  test('tensors larger than one binding are computed some rows at a time', async () => {
    const run = async (limits: NonNullable<WebGpuOptions['limits']>) => {
      const device = await createWebGpuDevice(gpu!, { limits });
      const numbers = (seed: number, ...shape: number[]) => tensor(device, testNumbers(seed, shape.reduce((a, b) => a * b)), shape);
      const ids = tensor(device, Uint32Array.from({ length: 200 }, (_, i) => (7 * i) % 50));
      const labels = tensor(device, Int32Array.from({ length: 200 }, (_, i) => i % 9));
      const { value, grads } = valueAndGrad((p: { x: Tensor; weight: Tensor; bias: Tensor; norm: Tensor; out: Tensor }) => {
        const x = layerNorm(mul(p.x, embedding(numbers(9, 50, 12), ids)), p.norm, p.norm);
        const wide = geglu(linear(x, p.weight, p.bias));
        return crossEntropy(linear(rmsNorm(add(wide, softmax(wide)), ones(device, [20])), p.out), labels).sum;
      })({ x: numbers(1, 200, 12), weight: numbers(2, 40, 12), bias: numbers(3, 40), norm: numbers(4, 12), out: numbers(5, 9, 20) });
      const moment = zeros(device, [200, 12]);
      adamW(moment, grads.x, zeros(device, [200, 12]), zeros(device, [200, 12]), { learningRate: 0.1, step: 1, clip: { squaredNorm: sumSquares(grads.x), maxNorm: 1 } });
      const values = await Promise.all([value, grads.x, grads.weight, grads.bias, grads.norm, grads.out, moment].map(read));
      const { dispatches } = device.statistics();
      await device.destroy();
      return { values, dispatches };
    };
    const [whole, pieces] = [await run({}), await run({ maxBindingBytes: 8192 })];
    expect(pieces.dispatches).toBeGreaterThan(2 * whole.dispatches);
    whole.values.forEach((expected, i) => allClose(pieces.values[i], expected, 1e-5, `result ${i}`));
  });

  test('sums over many rows are made in slices, and added up in order', async () => {
    const device = await createWebGpuDevice(gpu!);
    const reference = createReferenceDevice();
    const gradients = async (on: Device) => {
      const [x, weight, bias] = [tensor(on, testNumbers(1, 1100 * 5), [1100, 5]), tensor(on, testNumbers(2, 5)), tensor(on, testNumbers(3, 5))];
      const { grads } = valueAndGrad((p: { weight: Tensor; bias: Tensor }) => sum(mul(rmsNorm(layerNorm(x, p.weight, p.bias), p.weight), x)))({ weight, bias });
      return Promise.all([grads.weight, grads.bias, sumRows(x)].map(read));
    };
    const [actual, expected] = [await gradients(device), await gradients(reference)];
    expected.forEach((values, i) => allClose(actual[i], values, 1e-5));
    await device.destroy();
  });

  test('a tensor too large for one binding whose op has no rows to part is refused', async () => {
    const device = await createWebGpuDevice(gpu!, { limits: { maxBindingBytes: 4096 } });
    expect(() => matmul(zeros(device, [1, 2000]), zeros(device, [2000, 1]))).toThrow(/^matmul: expected \w+ of at most 4096 bytes, all that this GPU shows to one dispatch, got float32 \[.*\]; make it smaller, or use the wasm device$/);
    expect(() => softmax(zeros(device, [1, 2000]))).toThrow('softmax: expected x of at most 4096 bytes, all that this GPU shows to one dispatch, got float32 [1, 2000]; make it smaller, or use the wasm device');
    await device.destroy();
  });

  test('a profile says how long the GPU took for each op', async () => {
    const device = await createWebGpuDevice(gpu!);
    const x = tensor(device, testNumbers(1, 64 * 64), [64, 64]);
    const times = await device.profile(() => scope(() => {
      for (let i = 0; i < 3; i++) sum(matmul(x, x));
    }));
    expect(Object.fromEntries(times.map(({ op, dispatches }) => [op, dispatches]))).toEqual({ matmul: 3, sum: 3 });
    for (const { seconds } of times) expect(seconds).toBeGreaterThan(0);
    await device.destroy();
  });

  test('without timestamps a profile is refused', async () => {
    const adapter = (await gpu!.requestAdapter())!;
    const plain = { requestAdapter: async () => ({ info: adapter.info, limits: adapter.limits, features: new Set<string>(), requestDevice: (descriptor: GPUDeviceDescriptor) => adapter.requestDevice(descriptor) }) } as unknown as GPU;
    const device = await createWebGpuDevice(plain);
    await expect(device.profile(() => undefined)).rejects.toThrow(UnsupportedOpError);
    await device.destroy();
  });

  test('an output that does not fit into the GPU is an error with the op and the size', async () => {
    const adapter = (await gpu!.requestAdapter())!;
    const inner = await adapter.requestDevice();
    // The driver's word, without taking the machine's memory: buffers of more than a MiB report out of memory.
    let scarce = false;
    const small = new Proxy(inner, { get(target, name) {
      if (name === 'createBuffer') return (descriptor: GPUBufferDescriptor) => { scarce = descriptor.size > 2 ** 20; return target.createBuffer(descriptor); };
      if (name === 'popErrorScope') return async () => { const failed = scarce; scarce = false; return (await target.popErrorScope()) ?? (failed ? { message: 'Out of memory' } : null); };
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? (value as () => void).bind(target) : value;
    } });
    const device = await createWebGpuDevice({ requestAdapter: async () => ({ info: adapter.info, limits: adapter.limits, features: adapter.features, requestDevice: async () => small }) } as unknown as GPU);
    const column = tensor(device, testNumbers(1, 600), [600, 1]);
    await expect(read(matmul(column, column, { transposeB: true }))).rejects.toThrow(/^matmul: expected \d+ bytes of GPU memory, got "Out of memory"; use a smaller batch, or checkpoint\(\)$/);
    await device.destroy();
  });

  test('the pool gives a larger buffer where none of the size is idle, and lets go of what stays idle', async () => {
    const device = await createWebGpuDevice(gpu!, { maxIdle: 3 });
    free(zeros(device, [100_000]));
    const { reserved } = device.memory;
    const x = zeros(device, [70_000]);
    expect(device.memory.reserved).toBe(reserved);
    free(x);
    for (let i = 0; i < 6; i++) {
      const y = scale(tensor(device, [i]), 2);
      expect((await read(y))[0]).toBe(2 * i);
      free(y);
    }
    expect(device.memory.reserved).toBeLessThanOrEqual(reserved - 400_000);
    await device.destroy();
    expect(device.memory.reserved).toBe(0);
  });
});

test('running out of GPU memory is an error that names who asked, how much, and the remedy', async () => {
  const full = { createBuffer: () => ({}), pushErrorScope() {}, popErrorScope: async () => ({ message: 'Out of memory' }), lost: new Promise(() => {}), addEventListener() {} } as unknown as GPUDevice;
  const failures = createFailures(full, () => ({ live: 0, peak: 0 }));
  createBufferPool(full, failures, 2 ** 30).take(400, 'matmul');
  await expect(failures.settle()).rejects.toThrow('matmul: expected 512 bytes of GPU memory, got "Out of memory"; use a smaller batch, or checkpoint()');
});

test('buckets waste at most an eighth, or 256 bytes', () => {
  for (let bytes = 0; bytes < 2 ** 33; bytes = bytes * 1.37 + 1) {
    const size = bucketOf(Math.floor(bytes));
    expect(size % 256).toBe(0);
    expect(size).toBeGreaterThanOrEqual(Math.floor(bytes));
    expect(size).toBeLessThanOrEqual(Math.max(bytes * 1.125, Math.floor(bytes) + 256));
  }
});

test('the work of a dispatch approaches what the GPU does in 50 ms, by a factor of two at most, and never falls below the guess', () => {
  const pace = createPace(100);
  const speed = (workPerMillisecond: number, times: number) => { for (let i = 0; i < times; i++) pace.done(pace.work(), pace.work() / workPerMillisecond); };
  pace.done(10, 1000);
  expect(pace.work()).toBe(100); // too little work to tell
  pace.done(100, 0);
  expect(pace.work()).toBe(200); // too fast to tell: more
  speed(1000, 20);
  expect(pace.work()).toBe(50_000);
  speed(20, 1);
  expect(pace.work()).toBe(25_000);
  speed(1, 20);
  expect(pace.work()).toBe(100);
});
