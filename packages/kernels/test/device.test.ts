// What every device promises, whatever it runs on.
import { accumulate, add, allocate, apply, attention, embedding, fill, free, layerNorm, linear, matmul, read, scale, scope, sum, tensor, valueAndGrad, zeros, type Device, type Op, type Tensor } from '../src';
import { testNumbers } from '../src/testing';
import { devices } from './devices';

describe.each(Object.entries(devices))('%s', (kind, create) => {
  let device: Device;
  beforeAll(async () => { device = await create(); });
  afterAll(() => device.destroy());

  test('says what it is', () => {
    expect(device.kind).toBe(kind.replace(/[^a-z].*/, ''));
    expect(device.description).toMatch(new RegExp(`^${device.kind}: .`));
  });

  test.each([1, 40_000])('writes of %i elements and ops happen in the order of the calls', async (count) => {
    const x = tensor(device, new Float32Array(count).fill(1));
    const results = [scale(x, 10)];
    for (const value of [2, 3]) {
      device.write(x, new Float32Array(count).fill(value));
      results.push(scale(x, 10));
    }
    const values = await Promise.all(results.map(read));
    expect(values.map((data) => [data[0], data[count - 1]])).toEqual([[10, 10], [20, 20], [30, 30]]);
    free([x, results]);
  });

  test('reads what was written, as the type it was', async () => {
    for (const data of [Float32Array.of(1.5, -2), Int32Array.of(-1, 2 ** 31 - 1), Uint32Array.of(0, 2 ** 32 - 1)]) {
      const x = tensor(device, data);
      const values = await read(x);
      expect([...values]).toEqual([...data]);
      if (kind !== 'reference') expect(values.constructor.name).toBe(data.constructor.name);
      free(x);
    }
  });

  test('a read sees what was computed when it was called, and is a copy', async () => {
    const x = tensor(device, [1]);
    const before = read(x);
    fill(x, 2);
    const values = await read(x);
    values[0] = 9;
    expect([(await before)[0], (await read(x))[0]]).toEqual([1, 2]);
    free(x);
  });

  test('no elements are no trouble', async () => {
    const empty = zeros(device, [0, 3]);
    expect((await read(empty)).length).toBe(0);
    expect([...(await read(matmul(zeros(device, [2, 0]), zeros(device, [0, 2]))))]).toEqual([0, 0, 0, 0]);
    expect((await read(sum(empty)))[0]).toBe(0);
    expect((await read(attention({ qkv: zeros(device, [0, 3, 2, 4]) }, { cuSeqlens: [0] }).output)).length).toBe(0);
    const { grads } = valueAndGrad((qkv: Tensor) => sum(attention({ qkv }, { cuSeqlens: [0, 0] }).output))(zeros(device, [0, 3, 2, 4]));
    expect((await read(grads)).length).toBe(0);
    expect((await read(embedding(zeros(device, [4, 2]), tensor(device, new Uint32Array(0))))).length).toBe(0);
  });

  test('views of 64 elements and their multiples compute like tensors of their own', async () => {
    const slab = tensor(device, testNumbers(1, 192));
    const view = (offset: number): Tensor => ({ ...slab, shape: [8, 8], offset });
    const apart = [64, 128].map((offset) => tensor(device, testNumbers(1, 192).slice(offset, offset + 64), [8, 8]));
    expect([...(await read(matmul(view(64), view(128))))]).toEqual([...(await read(matmul(apart[0], apart[1])))]);
    device.write(view(128), testNumbers(2, 64));
    expect([...(await read(view(128)))]).toEqual([...(await read(tensor(device, testNumbers(2, 64))))]);
    expect([...(await read(view(64)))]).toEqual([...(await read(apart[0]))]);
  });

  test('a version rises with every write and every op in place; freeing twice is harmless, and a freed tensor is refused', async () => {
    const x = tensor(device, [1, 2]);
    const { version } = x.buffer;
    device.write(x, Float32Array.of(3, 4));
    accumulate(x, tensor(device, [1, 1]));
    expect(x.buffer.version).toBe(version + 2);
    const live = device.memory.live;
    free(x);
    device.free(x.buffer);
    expect([device.memory.live, x.buffer.version]).toEqual([live - 8, -1]);
    expect(() => scale(x, 2)).toThrow('scale: expected a live tensor as input 0, got one that was freed');
    await expect(read(x)).rejects.toThrow('read: expected a live tensor, got one that was freed');
  });

  test('200 steps leave the memory as it was, also with sizes that change', async () => {
    const weight = tensor(device, testNumbers(1, 16 * 16), [16, 16]);
    const step = (rows: number) => scope<Tensor>(() => sum(layerNorm(add(linear(zeros(device, [rows, 16]), weight), scale(zeros(device, [rows, 16]), 2)), zeros(device, [16]), zeros(device, [16]))));
    const { live } = device.memory;
    let reserved = 0;
    for (let i = 0; i < 200; i++) {
      free(step(1 + ((i * 37) % 50)));
      if (i === 100) reserved = device.memory.reserved;
    }
    await read(weight);
    expect(device.memory.live).toBe(live);
    expect(device.memory.reserved).toBeLessThanOrEqual(reserved);
    free(weight);
  });

  test('warming up runs nothing: values, versions and memory stay', async () => {
    const x = tensor(device, [1, 2]);
    const y = tensor(device, [1, 1]);
    const before = [x.buffer.version, device.memory.live];
    await device.warmup(() => scope(() => {
      device.write(x, Float32Array.of(8, 9));
      accumulate(x, y);
      scale(tensor(device, [3]), 2);
    }));
    expect([x.buffer.version, device.memory.live]).toEqual(before);
    expect([...(await read(x))]).toEqual([1, 2]);
    accumulate(x, y);
    expect([...(await read(x))]).toEqual([2, 3]);
    free([x, y]);
  });

  test('an op of a stranger runs, given its definition or its kernel', async () => {
    const cube: Op = {
      name: 'cube', infer: ([x]) => [x],
      reference([x], [y]) { for (let i = 0; i < x.length; i++) y[i] = x[i] ** 3; },
      webgpu: ([{ shape: [count] }]) => ({ steps: [{ params: { count }, bind: [{ input: 0 }, { output: 0 }], workgroups: [1, 1, 1], shader: `
        struct Params { count: u32 }
        @group(0) @binding(0) var<storage, read> params: Params;
        @group(0) @binding(1) var<storage, read> x: array<Element>;
        @group(0) @binding(2) var<storage, read_write> y: array<Element>;
        @compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) { if (i < params.count) { y[i] = x[i] * x[i] * x[i]; } }` }] }),
    };
    expect([...(await read(apply(cube, [tensor(device, [1, 2, -3])], {})[0]))]).toEqual([1, 8, -27]);
  });

  test('what allocate() gives is undefined until it is filled', async () => {
    const x = fill(allocate(device, { dtype: 'float32', shape: [3] }), -1);
    expect([...(await read(x))]).toEqual([-1, -1, -1]);
  });
});
