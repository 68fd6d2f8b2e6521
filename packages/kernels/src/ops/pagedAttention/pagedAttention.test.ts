import fc from 'fast-check';
import { devices } from '../../../test/devices';
import { alibiSlopes, attention, cacheAppend, cast, createReferenceDevice, createWasmDevice, pagedAttention, read, tensor, zeros, type Device, type Tensor } from '../../index';
import { allClose, testNumbers } from '../../testing';

type CacheType = 'float32' | 'float16' | 'bfloat16';

interface Batch {
  readonly contextLengths: readonly number[];
  readonly queries: readonly number[];
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
  readonly dtype: CacheType;
  readonly windowLeft: number;
  readonly alibi: boolean;
}

const cumulative = (list: readonly number[]) => list.reduce<number[]>((sums, length) => [...sums, sums.at(-1)! + length], [0]);
const empty = (device: Device, shape: readonly number[], dtype: CacheType): Tensor => (dtype === 'float32' ? zeros(device, shape) : tensor(device, new Uint16Array(shape.reduce((a, b) => a * b, 1)), shape, { dtype }));

/** Fills caches whose pages lie in a shuffled order, with a page between that belongs to nobody, and attends. `seed` is that of the sequence, so that its numbers do not depend on its neighbours. */
async function paged(device: Device, { contextLengths, queries, numHeads, numKvHeads, headDim, dtype, windowLeft, alibi }: Batch, seeds = contextLengths.map((_, s) => s)): Promise<number[]> {
  const perSequence = Math.max(1, ...contextLengths.map((length) => Math.ceil(length / 16)));
  const pages = 2 * perSequence * contextLengths.length + 1;
  const page = (s: number, i: number) => (7 + 2 * (s * perSequence + i)) % pages; // 2 and an odd number of pages: each another one
  const blockTable = contextLengths.flatMap((_, s) => Array.from({ length: perSequence }, (__, i) => page(s, i)));
  const caches = [0, 1].map(() => empty(device, [16 * pages, numKvHeads, headDim], dtype));
  contextLengths.forEach((length, s) => {
    const slots = Array.from({ length }, (_, i) => page(s, i >> 4) * 16 + (i % 16));
    caches.forEach((cache, which) => cacheAppend(cache, tensor(device, testNumbers(10 * seeds[s] + which, length * numKvHeads * headDim), [length, numKvHeads, headDim]), slots));
  });
  const query = contextLengths.flatMap((_, s) => [...testNumbers(10 * seeds[s] + 2, queries[s] * numHeads * headDim)]);
  const output = pagedAttention({ query: tensor(device, query, [query.length / numHeads / headDim, numHeads, headDim]), keyCache: caches[0], valueCache: caches[1] }, { cuSeqlens: cumulative(queries), contextLengths, blockTable, windowLeft, ...(alibi && { alibiSlopes: alibiSlopes(numHeads) }) });
  return [...(await read(output))];
}

/** The same through `attention`, whose keys lie side by side. */
async function flat({ contextLengths, queries, numHeads, numKvHeads, headDim, dtype, windowLeft, alibi }: Batch): Promise<number[]> {
  const device = createReferenceDevice();
  const join = (which: number, lengths: readonly number[], heads: number) => {
    const values = lengths.flatMap((length, s) => [...testNumbers(10 * s + which, length * heads * headDim)]);
    return tensor(device, values, [values.length / heads / headDim, heads, headDim]);
  };
  const [key, value] = [0, 1].map((which) => cast(cast(join(which, contextLengths, numKvHeads), dtype), 'float32'));
  return [...(await read(attention({ query: join(2, queries, numHeads), key, value }, { cuSeqlens: cumulative(queries), cuSeqlensKey: cumulative(contextLengths), causal: true, windowSize: [windowLeft, -1], ...(alibi && { alibiSlopes: alibiSlopes(numHeads) }) }).output))];
}

const batches: Record<string, Batch> = {
  'one query, all keys': { contextLengths: [300], queries: [1], numHeads: 2, numKvHeads: 2, headDim: 8, dtype: 'float32', windowLeft: -1, alibi: false },
  'grouped heads, several sequences, a few queries, ALiBi': { contextLengths: [5, 160, 16, 1], queries: [2, 1, 3, 1], numHeads: 4, numKvHeads: 2, headDim: 12, dtype: 'float32', windowLeft: -1, alibi: true },
  'a window': { contextLengths: [200, 9], queries: [3, 1], numHeads: 2, numKvHeads: 1, headDim: 64, dtype: 'float32', windowLeft: 21, alibi: false },
  'float16': { contextLengths: [40, 131], queries: [1, 2], numHeads: 6, numKvHeads: 2, headDim: 6, dtype: 'float16', windowLeft: -1, alibi: false },
  'bfloat16, a sequence without queries': { contextLengths: [40, 20, 3], queries: [1, 0, 2], numHeads: 1, numKvHeads: 1, headDim: 20, dtype: 'bfloat16', windowLeft: -1, alibi: true },
};

describe.each(Object.entries(devices))('on %s', (_kind, create) => {
  let device: Device;
  beforeAll(async () => { device = await create(); });
  afterAll(() => device.destroy());

  test.each(Object.entries(batches))('equals attention over keys side by side: %s', async (name, batch) => {
    allClose(await paged(device, batch), await flat(batch), 3e-6, name);
  });

  test('no queries', async () => {
    expect(await paged(device, { ...batches['one query, all keys'], queries: [0] })).toEqual([]);
  });

  test('a query has the same bits alone and among others', async () => {
    const batch: Batch = { contextLengths: [150, 33, 290], queries: [1, 1, 1], numHeads: 4, numKvHeads: 2, headDim: 16, dtype: 'float32', windowLeft: -1, alibi: false };
    const together = await paged(device, batch);
    for (const [s, length] of batch.contextLengths.entries()) expect(await paged(device, { ...batch, contextLengths: [length], queries: [1] }, [s])).toEqual(together.slice(s * 64, (s + 1) * 64));
  });

  test('a NaN among the seen keys comes out, one beyond them does not', async () => {
    const [keyCache, valueCache] = [0, 1].map((i) => tensor(device, testNumbers(i, 32 * 4).map((x, j) => (i === 0 && j >= 36 && j < 40 ? NaN : x)), [32, 1, 4]));
    const run = async (length: number) => [...(await read(pagedAttention({ query: tensor(device, testNumbers(3, 4), [1, 1, 4]), keyCache, valueCache }, { cuSeqlens: [0, 1], contextLengths: [length], blockTable: [0, 1] })))].map(Number.isNaN);
    expect([await run(9), await run(10)]).toEqual([[false, false, false, false], [true, true, true, true]]);
  });
});

test('any batch equals attention over keys side by side, on wasm', async () => {
  const device = await createWasmDevice({ threads: 2 });
  const sequences = fc.array(fc.record({ length: fc.integer({ min: 1, max: 300 }), queries: fc.nat({ max: 3 }) }), { minLength: 1, maxLength: 4 });
  await fc.assert(fc.asyncProperty(sequences, fc.constantFrom(1, 3), fc.constantFrom(1, 2), fc.constantFrom(2, 16, 70), fc.constantFrom<CacheType>('float32', 'float16', 'bfloat16'), fc.integer({ min: -1, max: 40 }), fc.boolean(), async (all, group, numKvHeads, headDim, dtype, windowLeft, alibi) => {
    const batch = { contextLengths: all.map(({ length }) => length), queries: all.map(({ length, queries }) => Math.min(length, queries)), numHeads: group * numKvHeads, numKvHeads, headDim, dtype, windowLeft, alibi };
    allClose(await paged(device, batch), await flat(batch), 5e-6);
  }), { numRuns: 20, seed: 1 }); // a seed, as a bound on rounding holds for nearly all inputs, not for all
  await device.destroy();
});

test('what does not fit is refused before anything runs', () => {
  const device = createReferenceDevice();
  const [query, cache] = [zeros(device, [2, 2, 4]), zeros(device, [32, 1, 4])];
  const run = (options: object, keyCache = cache) => () => pagedAttention({ query, keyCache, valueCache: cache }, { cuSeqlens: [0, 2], contextLengths: [5], blockTable: [1, 0], ...options });
  expect(run({})).not.toThrow();
  expect(run({ cuSeqlens: [0, 1] })).toThrow('pagedAttention: expected cuSeqlens to end at totalTokens 2, got 1');
  expect(run({ contextLengths: [1] })).toThrow('pagedAttention: expected from 2 (its queries) to 32 keys (its pages) in sequence 0, got 1');
  expect(run({ contextLengths: [33] })).toThrow('in sequence 0, got 33');
  expect(run({ contextLengths: [17], blockTable: [1, 2] })).toThrow('pagedAttention: expected pages in [0, 2), got 2 at 1 of the blockTable');
  expect(run({ alibiSlopes: [1] })).toThrow('pagedAttention: expected one ALiBi slope for each of 2 heads, got 1');
  expect(run({}, zeros(device, [32, 2, 4]))).toThrow('pagedAttention: expected valueCache of shape [32, 2, 4], got [32, 1, 4]');
  expect(() => cacheAppend(cache, zeros(device, [2, 1, 4]), [3, 3])).toThrow('cacheAppend: expected each slot once, got one of them twice');
  expect(() => cacheAppend(cache, zeros(device, [2, 1, 4]), [3, 32])).toThrow('cacheAppend: expected slots in [0, 32), got 32');
  expect(() => cacheAppend(zeros(device, [30, 1, 4]), zeros(device, [1, 1, 4]), [0])).toThrow('cacheAppend: expected cache of whole pages of 16 slots, got 30 slots');
});
