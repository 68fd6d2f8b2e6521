// The wasm device: results do not depend on the number of threads, memory stays flat, and attention needs no matrix of queries by keys.
import {
  accumulate, adamW, add, addRow, alibiSlopes, attention, averagePool1d, cast, conv1d, createWasmDevice, crossEntropy, div, dropout, embedding, fill, flatten, free, geglu, gelu, layerNorm, linear,
  matmul, max, maxPool1d, mul, mulRow, pagedAttention, quantizeRows, reshape, rmsNorm, scale, scope, segmentMean, silu, softmax, squaredNorm, sub, sum, sumRows, swiglu, tanh, tensor, valueAndGrad, zeros, type Data, type Device, type Tensor,
} from '../src';
import { evaluateCase, testNumbers, type OpCase } from '../src/testing';

/** Sizes well above one part, and none of them round. */
const [tokens, width, sequences] = [1237, 67, 23];
const cuSeqlens = Int32Array.from({ length: sequences + 1 }, (_, s) => Math.floor((tokens * s * s) / sequences ** 2));

const ids = Uint32Array.from({ length: tokens }, (_, i) => (i * 7919) % 101);
const labels = Int32Array.from({ length: tokens }, (_, i) => (i % 5 ? i % width : -100));
const families: readonly OpCase[] = [
  { name: 'elementwise', inputs: { a: [tokens, width], b: [tokens, width] }, run: ({ a, b }) => sub(mul(a, scale(b, 0.3)), add(a, b)) },
  { name: 'linear with bias', inputs: { x: [tokens, width], w: [131, width], bias: [131] }, run: ({ x, w, bias }) => linear(x, w, bias) },
  { name: 'matmul of transposes', inputs: { a: [tokens, width], b: [53, tokens] }, run: ({ a, b }) => matmul(a, b, { transposeA: true, transposeB: true }) },
  { name: 'matmul of few rows', inputs: { a: [9, 600], b: [600, 700] }, run: ({ a, b }) => matmul(a, b) },
  { name: 'embedding', inputs: { table: [101, width] }, run: ({ table }, device) => embedding(table, tensor(device, ids)) },
  { name: 'layerNorm', inputs: { x: [tokens, width], weight: [width], bias: [width] }, run: ({ x, weight, bias }) => layerNorm(x, weight, bias) },
  { name: 'activations', inputs: { x: [tokens, width] }, run: ({ x }) => add(gelu(x), add(silu(x), tanh(x))) },
  { name: 'gated units', inputs: { x: [tokens, 2 * width] }, run: ({ x }) => add(geglu(x), swiglu(x)) },
  { name: 'attention with ALiBi', inputs: { qkv: [tokens, 3, 4, 12] }, run: ({ qkv }) => attention({ qkv }, { cuSeqlens, alibiSlopes: alibiSlopes(4) }).output },
  {
    name: 'attention, grouped, causal, in a window', inputs: { query: [tokens, 4, 16], key: [tokens, 2, 16], value: [tokens, 2, 16] },
    run: ({ query, key, value }) => attention({ query, key, value }, { cuSeqlens, causal: true, windowSize: [50, -1] }).output,
  },
  { name: 'dropout', inputs: { x: [tokens, width] }, run: ({ x }) => dropout(x, 0.1, { seed: 1, step: 2, layer: 3 }) },
  { name: 'rmsNorm with a residual, rows', inputs: { x: [tokens, width], w: [width], r: [tokens, width] }, run: ({ x, w, r }) => mulRow(addRow(rmsNorm(x, w, { residual: r }), w), w) },
  { name: 'softmax', inputs: { x: [tokens, width] }, run: ({ x }) => softmax(x) },
  { name: 'convolution and pooling', inputs: { x: [3, 400, 10], w: [20, 5, 10] }, run: ({ x, w }) => averagePool1d(maxPool1d(conv1d(x, w, undefined, { padding: 2 }), { size: 3 }), { size: 2 }) },
  { name: 'linear of two rows', inputs: { x: [2, 700], w: [300, 700], bias: [300] }, run: ({ x, w, bias }) => linear(x, w, bias) },
  { name: 'linear with weights of 16 and 8 bits', inputs: { x: [70, width] }, run: ({ x }, device) => add(linear(x, cast(tensor(device, testNumbers(5, 300 * width), [300, width]), 'float16')), linear(x, quantizeRows(tensor(device, testNumbers(6, 300 * width), [300, width])))), differentiable: false },
  { name: 'arithmetic and sums over axes', inputs: { a: [37, 1, width], b: [33, 1] }, run: ({ a, b }) => max(div(sum(mul(a, b), { axes: [1] }), a), { axes: [-1] }), differentiable: false },
  {
    name: 'attention over pages', inputs: { query: [3, 4, 16], key: [40 * 16, 2, 16] }, differentiable: false,
    run: ({ query, key }) => pagedAttention({ query, keyCache: key, valueCache: key }, { cuSeqlens: [0, 1, 3], contextLengths: [310, 77], blockTable: Array.from({ length: 40 }, (_, i) => (i * 7) % 40) }),
  },
  { name: 'segmentMean', inputs: { x: [tokens, width] }, run: ({ x }) => segmentMean(x, cuSeqlens) },
  { name: 'crossEntropy', inputs: { logits: [tokens, width] }, run: ({ logits }, device) => crossEntropy(logits, tensor(device, labels)).sum },
];

/** Bit for bit: also zeros of another sign would count as different. */
function expectSameBits(actual: Readonly<Record<string, Data>>, expected: Readonly<Record<string, Data>>): void {
  for (const [name, { buffer, length }] of Object.entries(expected)) {
    const other = new Uint32Array(actual[name].buffer);
    expect([name, length, new Uint32Array(buffer).findIndex((bits, i) => bits !== other[i])]).toEqual([name, actual[name].length, -1]);
  }
}

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
