// The wasm device: results do not depend on the number of threads, memory stays flat, and attention needs no matrix of queries by keys.
import { accumulate, adamW, alibiSlopes, attention, createWasmDevice, fill, flatten, free, gelu, linear, reshape, scale, scope, squaredNorm, sum, sumRows, tensor, valueAndGrad, zeros, type Device, type Tensor } from '../src';
import { evaluateCase, testNumbers } from '../src/testing';
import { expectSameBits, families, tokens, width } from './families';

describe('one, two and three threads and an unshared memory give the same bits', () => {
  let all: Device[];
  beforeAll(async () => { all = await Promise.all([createWasmDevice({ threads: 1 }), createWasmDevice({ threads: 2 }), createWasmDevice({ threads: 3 }), createWasmDevice({ shared: false })]); });
  afterAll(() => Promise.all(all.map((device) => device.destroy())));

  test('the devices have as many threads as asked for', () => {
    expect(all.map(({ limits }) => limits.threads)).toEqual([1, 2, 3, 1]);
  });

  test.each(families.map((family) => [family.name, family] as const))('%s', async (_name, family) => {
    const [first, ...others] = await Promise.all(all.map(async (device) => {
      const { value, gradients } = await evaluateCase(family, device);
      return { value, ...gradients };
    }));
    for (const other of others) expectSameBits(other, first);
  });

  test('sums and AdamW', async () => {
    const [first, ...others] = await Promise.all(all.map(async (device) => {
      const [p, g, m, v] = [1, 2, 3, 4].map((seed) => tensor(device, testNumbers(seed, tokens * width).map(seed === 4 ? Math.abs : (x) => x), [tokens, width]));
      const norm = squaredNorm({ g });
      adamW(p, g, m, v, { learningRate: 0.01, step: 3, clip: { squaredNorm: norm, maxNorm: 1 } });
      const columns = sumRows(p);
      accumulate(m, fill(v, 2));
      return { p: await device.read(p), m: await device.read(m), norm: await device.read(norm), columns: await device.read(columns) };
    }));
    for (const other of others) expectSameBits(other, first);
  });
});

describe('memory', () => {
  let device: Device;
  beforeEach(async () => { device = await createWasmDevice({ threads: 2 }); });
  afterEach(() => device.destroy());

  test('two hundred steps on batches of changing size leave the heap flat', async () => {
    const p = { w1: tensor(device, testNumbers(1, 64 * 64), [64, 64]), w2: tensor(device, testNumbers(2, 64 * 64), [64, 64]) };
    const live = device.memory.live;
    const step = (rows: number) => scope(() => {
      const x = tensor(device, testNumbers(3, rows * 64), [rows, 64]);
      const { grads } = valueAndGrad((q: typeof p) => sum(gelu(linear(gelu(linear(x, q.w1)), q.w2))))(p);
      for (const [name, d] of flatten(grads)) accumulate(p[name as keyof typeof p], scale(d, -1e-5));
    });
    const rows = (i: number) => 100 + ((i * 37) % 400);
    for (let i = 0; i < 20; i++) step(rows(i));
    step(500);
    const { reserved } = device.memory;
    for (let i = 20; i < 200; i++) {
      step(rows(i));
      expect(device.memory.live).toBe(live);
    }
    expect(device.memory.reserved).toBe(reserved);
  });

  test.each([false, true])('attention needs scratch in proportion to the tokens at most, not to their square (backward %p)', async (backward) => {
    const extra = (length: number) => {
      const numbers = zeros(device, [length, 3, 2, 16]);
      const options = { cuSeqlens: [0, length], alibiSlopes: alibiSlopes(2) };
      const before = device.memory.live;
      device.memory.peak = before;
      scope(() => {
        if (backward) valueAndGrad((q: { numbers: Tensor }) => sum(attention({ qkv: q.numbers }, options).output))({ numbers });
        else attention({ qkv: numbers }, options);
      });
      const peak = device.memory.peak - before;
      free(numbers);
      return peak;
    };
    const [short, long] = [extra(512), extra(4096)];
    expect(long).toBeLessThan(9 * short);
    // Output, logSumExp, and backward the gradient of the output, of qkv and of the sum's inputs; everything else is scratch of a fixed size.
    const results = 4 * 4096 * 2 * (backward ? 16 + 1 + 16 + 48 : 16 + 1);
    expect(long - results).toBeLessThan(8 * 2 ** 20);
    expect(4 * 4096 * 4096).toBeGreaterThan(8 * 2 ** 20);
  });

  test.each([256, 1024, 2048, 4096])('one head of attention over %i tokens takes at most two more rows a token and a mebibyte', (tokens) => {
    const qkv = zeros(device, [tokens, 3, 1, 64]);
    const before = device.memory.live;
    device.memory.peak = before;
    scope(() => { attention({ qkv }, { cuSeqlens: [0, tokens], alibiSlopes: [0.5] }); });
    expect(device.memory.peak - before - 4 * tokens * 65).toBeLessThanOrEqual(2 * tokens * 64 * 4 + 2 ** 20);
    free(qkv);
  });

  test('views of a tensor see the same bytes', async () => {
    const x = tensor(device, testNumbers(1, 12), [3, 4]);
    fill(reshape(x, [12]), 2);
    expect([...(await device.read(x))]).toEqual(Array.from({ length: 12 }, () => 2));
  });
});
