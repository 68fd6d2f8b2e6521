// Tensors larger than one binding, for every op whose plan shows parts of them: against the reference, and what is only copied to the bit.
import { describeWithGpu, gpu } from '../../../test/devices';
import { add, alibiSlopes, attention, broadcastTo, cacheAppend, cast, concat, createReferenceDevice, createWebGpuDevice, div, embedding, linear, linearCrossEntropy, matmul, max, mul, pagedAttention, penalizeLogits, quantizeRows, segmentMean, slice, sub, sum, tensor, zeros, type AttentionOptions, type Device, type Tensor, type WebGpuDevice } from '../../index';
import { allClose, evaluateCase, type OpCase } from '../../testing';

const ofOne = (name: string, shape: readonly number[], run: (x: Tensor) => Tensor, rest: Partial<OpCase> = {}): OpCase => ({ name, inputs: { x: shape }, run: ({ x }) => run(x), ...rest });
const ofTwo = (name: string, a: readonly number[], b: readonly number[], run: (a: Tensor, b: Tensor) => Tensor): OpCase => ({ name: `${name} of [${a.join()}] and [${b.join()}]`, inputs: { a, b }, run: (p) => run(p.a, p.b), tolerance: 1e-5 });
const exact = { tolerance: 0 };

const attentionOf = (name: string, [heads, kvHeads, headDim]: readonly number[], options: AttentionOptions & { cuSeqlensKey: number[] }): OpCase => {
  const [tokens, keys] = [Array.from(options.cuSeqlens).at(-1)!, options.cuSeqlensKey.at(-1)!];
  return { name, inputs: { query: [tokens, heads, headDim], key: [keys, kvHeads, headDim], value: [keys, kvHeads, headDim] }, run: (p) => attention({ query: p.query, key: p.key, value: p.value }, options).output };
};
const packed = (name: string, tokens: number, [heads, headDim]: readonly number[], options: AttentionOptions, which: 'output' | 'logSumExp' = 'output'): OpCase => (
  { name, inputs: { qkv: [tokens, 3, heads, headDim] }, run: ({ qkv }) => attention({ qkv }, options)[which], differentiable: which === 'output' });

/** A cache with 200 keys of two sequences in pages that lie far apart. */
const cached = (dtype: 'float32' | 'bfloat16', run: (cache: Tensor, blockTable: number[], rows: Tensor) => Tensor) => ({ rows }: Record<string, Tensor>): Tensor => {
  const pages = 80, blockTable = Array.from({ length: 26 }, (_, i) => (37 * i + 3) % pages);
  const cache = cast(zeros(rows.device, [16 * pages, 1, 6]), dtype);
  cacheAppend(cache, rows, Array.from({ length: 400 }, (_, i) => 16 * blockTable[13 * Math.floor(i / 200) + ((i % 200) >> 4)] + (i % 200) % 16));
  return run(cache, blockTable, rows);
};

const product = (name: string, m: number, n: number, k: number, [transposeA, transposeB]: readonly boolean[]): OpCase => (
  { name, inputs: { a: transposeA ? [k, m] : [m, k], b: transposeB ? [n, k] : [k, n] }, run: ({ a, b }) => matmul(a, b, { transposeA, transposeB }) });
const both = [false, true];
const stored = (dtype: 'float16' | 'bfloat16' | 'int8', rows: number): OpCase => (
  { name: `linear of ${rows} rows and a weight in ${dtype}`, inputs: { x: [rows, 24], weight: [401, 24], bias: [401] }, differentiable: false, run: ({ x, weight, bias }) => linear(x, dtype === 'int8' ? quantizeRows(weight) : cast(weight, dtype), bias) });
const manyIds = (device: Device) => tensor(device, Uint32Array.from({ length: 50 }, (_, i) => (i % 9 ? (37 * i) % 900 : 900 + i)));

const cases: OpCase[] = [
  ...both.flatMap((transposeA) => both.flatMap((transposeB) => [
    product(`matmul of large b, ${transposeA}, ${transposeB}`, 13, 61, 59, [transposeA, transposeB]),
    product(`matmul of large b in quads, ${transposeA}, ${transposeB}`, 12, 60, 60, [transposeA, transposeB]),
    product(`matmul of few rows by large b, ${transposeA}, ${transposeB}`, 3, 61, 59, [transposeA, transposeB]),
    product(`matmul of few rows by large b in quads, ${transposeA}, ${transposeB}`, 8, 60, 60, [transposeA, transposeB]),
    product(`matmul of large a, b and result, ${transposeA}, ${transposeB}`, 47, 61, 58, [transposeA, transposeB]),
    product(`matmul of large a, b and result in quads, ${transposeA}, ${transposeB}`, 52, 60, 60, [transposeA, transposeB]),
  ])),
  { name: 'linear of large everything', inputs: { x: [140, 60], weight: [40, 60], bias: [40], residual: [140, 40] }, run: ({ x, weight, bias, residual }) => linear(x, weight, bias, { activation: 'gelu', residual }) },
  ...(['float16', 'bfloat16', 'int8'] as const).flatMap((dtype) => [stored(dtype, 3), stored(dtype, 20)]),
  ofOne('embedding in a large table', [900, 7], (table) => embedding(table, manyIds(table.device))),
  ofOne('embedding in a large table of quads', [250, 36], (table) => embedding(table, manyIds(table.device))),
  ofOne('embedding in a large table of 16 bits', [900, 7], (table) => embedding(cast(table, 'bfloat16'), manyIds(table.device)), { differentiable: false }),
  { name: 'embedding of many ids in a large table', inputs: { table: [900, 7], d: [700, 7] }, run: ({ table, d }) => mul(embedding(table, tensor(table.device, Uint32Array.from({ length: 700 }, (_, i) => (i * i) % 900))), d) },
  { name: 'pagedAttention of many queries', inputs: { rows: [400, 1, 6], query: [123, 4, 6] }, run: (p) => cached('float32', (cache, blockTable) => pagedAttention({ query: p.query, keyCache: cache, valueCache: cache }, { cuSeqlens: [0, 50, 123], contextLengths: [200, 199], blockTable, windowLeft: 90, alibiSlopes: alibiSlopes(4) }))(p), differentiable: false },
  { name: 'pagedAttention whose sums cannot be bound together', inputs: { rows: [400, 1, 6], query: [30, 8, 6] }, run: (p) => cached('bfloat16', (cache, blockTable) => pagedAttention({ query: p.query, keyCache: cache, valueCache: cache }, { cuSeqlens: [0, 11, 30], contextLengths: [200, 199], blockTable }))(p), differentiable: false },
  { name: 'concat', inputs: { a: [301, 7], b: [5, 7], c: [400, 7] }, run: ({ a, b, c }) => concat([a, b, c]), ...exact, differentiable: false },
  ofTwo('the gradient of concat', [301, 7], [400, 7], (a, b) => mul(concat([a, b]), concat([a, b]))),
  ofOne('slice', [900, 7], (x) => slice(x, 13, 877), exact),
  ofOne('slice, few rows of many', [900, 7], (x) => slice(x, 700, 703), exact),
  ofOne('slice, nothing', [900, 7], (x) => slice(x, 900, 900), exact),
  ofTwo('add', [900, 7], [7], add), ofTwo('sub', [900, 1], [1, 7], sub), ofTwo('mul', [3, 700, 5], [3, 1, 5], mul), ofTwo('add', [2, 3, 5, 700], [3, 1, 700], add), ofTwo('mul', [2500], [4, 1], mul),
  ofTwo('div', [3, 5], [400, 3, 5], (a, b) => div(broadcastTo(a, [400, 3, 5]), add(mul(b, b), tensor(b.device, [0.5])))),
  ofOne('broadcastTo', [3, 1, 11], (x) => broadcastTo(x, [2, 3, 101, 11])),
  ofOne('sum over the first axis', [3000, 3], (x) => sum(x, { axes: [0] }), { tolerance: 1e-5 }),
  ofOne('sum over the last axis', [900, 9], (x) => sum(x, { axes: [1] }), { tolerance: 1e-5 }),
  ofOne('sum over the middle axis', [3, 900, 5], (x) => sum(x, { axes: [1] }), { tolerance: 1e-5 }),
  ofOne('sum of very many', [300_000, 1], (x) => sum(x, { axes: [0] }), { tolerance: 1e-4, differentiable: false }),
  ofOne('max over the middle axis', [3, 900, 5], (x) => max(x, { axes: [1] })),
  ofOne('max over the last axis', [2, 5000], (x) => max(x, { axes: [1] })),
  ofOne('sum over an axis before columns that cannot be bound', [2, 3, 2500], (x) => sum(x, { axes: [1] }), { tolerance: 1e-5 }),
  ofOne('segmentMean', [1000, 5], (x) => segmentMean(x, [0, 3, 3, 900, 1000]), { tolerance: 1e-5 }),
  ofOne('segmentMean of many', [1000, 5], (x) => segmentMean(x, Array.from({ length: 1001 }, (_, i) => i))),
  ofOne('penalizeLogits', [90, 40], (x) => penalizeLogits(x, { counts: Array.from({ length: 90 }, (_, i) => new Map([[i % 40, i % 3]])), blocked: Array.from({ length: 90 }, (_, i) => [(i + 1) % 40]), repetition: Array.from({ length: 90 }, (_, i) => 1 + i / 100), frequency: 0.1 }), { differentiable: false }),
  ...(['float32', 'bfloat16'] as const).flatMap((dtype): OpCase[] => [
    { name: `cacheAppend in ${dtype}`, inputs: { rows: [400, 1, 6] }, run: cached(dtype, (cache) => cast(cache, 'float32')), ...exact, differentiable: false },
    { name: `pagedAttention in ${dtype}`, inputs: { rows: [400, 1, 6], query: [5, 4, 6] }, run: (p) => cached(dtype, (cache, blockTable) => pagedAttention({ query: p.query, keyCache: cache, valueCache: cache }, { cuSeqlens: [0, 2, 5], contextLengths: [200, 199], blockTable, alibiSlopes: alibiSlopes(4) }))(p), differentiable: false },
  ]),
  attentionOf('many sequences, each of which can be bound', [2, 1, 12], { cuSeqlens: [0, 40, 41, 41, 90, 130, 190], cuSeqlensKey: [0, 90, 90, 120, 170, 210, 300], causal: true, alibiSlopes: alibiSlopes(2) }),
  attentionOf('a sequence of more keys than can be bound', [2, 2, 12], { cuSeqlens: [0, 20, 60], cuSeqlensKey: [0, 400, 430], alibiSlopes: alibiSlopes(2) }),
  attentionOf('a sequence of more queries than can be bound, fewer keys', [4, 2, 6], { cuSeqlens: [0, 500], cuSeqlensKey: [0, 60], causal: true }),
  packed('one sequence, all with all', 300, [2, 12], { cuSeqlens: [0, 300], alibiSlopes: alibiSlopes(2) }),
  packed('one causal sequence of a head of odd size', 300, [3, 7], { cuSeqlens: [0, 299, 300], causal: true }),
  packed('logSumExp of a causal sequence', 300, [3, 7], { cuSeqlens: [0, 299, 300], causal: true }, 'logSumExp'),
  packed('a window in a long sequence', 500, [1, 16], { cuSeqlens: [0, 480, 500], windowSize: [20, 3] }),
];

/** Where 64 rows of logits, and 32 of a weight, fit into 8 KiB, the weight does too. */
const wider: OpCase[] = [
  { name: 'linearCrossEntropy of a large weight', inputs: { x: [150, 120], weight: [60, 120], bias: [60] }, tolerance: 1e-5, run: ({ x, weight, bias }) => linearCrossEntropy(x, weight, tensor(x.device, Int32Array.from({ length: 150 }, (_, i) => (i % 5 ? (i * 31) % 60 : -100))), { bias, rowsPerBlock: 64 }).sum },
];

for (const [maxBindingBytes, own] of [[8192, cases], [16_384, wider]] as const) describeWithGpu(`bindings of ${maxBindingBytes} bytes`, () => {
  let parted: WebGpuDevice, whole: WebGpuDevice;
  beforeAll(async () => { [parted, whole] = [await createWebGpuDevice(gpu!, { limits: { maxBindingBytes } }), await createWebGpuDevice(gpu!)]; });
  afterAll(() => Promise.all([parted, whole].map((device) => device.destroy())));

  test.each(own.map((opCase) => [opCase.name, opCase] as const))('%s', async (_name, opCase) => {
    const dispatches = async (device: WebGpuDevice) => {
      const before = device.statistics().dispatches;
      const outcome = await evaluateCase(opCase, device);
      return { outcome, count: device.statistics().dispatches - before };
    };
    const [expected, { outcome, count }, once] = [await evaluateCase(opCase, createReferenceDevice()), await dispatches(parted), await dispatches(whole)];
    const { tolerance = 2e-6 } = opCase;
    allClose(outcome.value, expected.value, tolerance, opCase.name);
    for (const [input, gradient] of Object.entries(expected.gradients)) allClose(outcome.gradients[input], gradient, Math.max(1e-5, 5 * tolerance), `the gradient of ${input}`);
    if (!opCase.name.startsWith('slice, nothing')) expect(count).toBeGreaterThan(once.count);
  });
});
