import { devices } from '../../../test/devices';
import { alibiSlopes, attention, tensor, zeros, type AttentionOptions } from '../../index';
import { describeOp, testNumbers, type OpCase } from '../../testing';

const packed = (name: string, heads: number, headDim: number, options: AttentionOptions): OpCase => ({
  name,
  inputs: { qkv: [Array.from(options.cuSeqlens).at(-1)!, 3, heads, headDim] },
  run: ({ qkv }) => attention({ qkv }, options).output,
});
const separate = (name: string, [heads, kvHeads, headDim]: readonly number[], options: AttentionOptions): OpCase => {
  const keys = Array.from(options.cuSeqlensKey ?? options.cuSeqlens).at(-1)!;
  return {
    name,
    inputs: { query: [Array.from(options.cuSeqlens).at(-1)!, heads, headDim], key: [keys, kvHeads, headDim], value: [keys, kvHeads, headDim] },
    run: ({ query, key, value }) => attention({ query, key, value }, options).output,
  };
};
const cuSeqlens = [0, 5, 6, 39, 47];

describeOp('attention', [
  packed('packed sequences with symmetric ALiBi', 2, 12, { cuSeqlens, alibiSlopes: [0.25, 0.0625] }),
  packed('without ALiBi', 2, 16, { cuSeqlens }),
  packed('causal with ALiBi', 3, 8, { cuSeqlens, causal: true, alibiSlopes: alibiSlopes(3) }),
  packed('sequences beyond one block', 1, 4, { cuSeqlens: [0, 70, 71], alibiSlopes: [0.5] }),
  packed('an empty sequence', 2, 8, { cuSeqlens: [0, 3, 3, 7] }),
  packed('window', 2, 8, { cuSeqlens, windowSize: [3, 1] }),
  packed('a window beyond all numbers', 2, 8, { cuSeqlens, windowSize: [Infinity, 2 ** 31 - 1], alibiSlopes: [0.25, 0.5] }),
  packed('causal window', 2, 8, { cuSeqlens, windowSize: [4, -1], causal: true }),
  separate('query, key and value apart', [2, 2, 8], { cuSeqlens, alibiSlopes: [0.5, 0.125] }),
  separate('grouped-query heads', [4, 2, 8], { cuSeqlens, causal: true }),
  separate('fewer queries than keys, aligned at the end', [2, 1, 8], { cuSeqlens: [0, 1, 4], cuSeqlensKey: [0, 9, 20], causal: true, alibiSlopes: [0.5, 0.25] }),
  separate('more queries than keys: rows that see nothing are zeros', [2, 2, 8], { cuSeqlens: [0, 6], cuSeqlensKey: [0, 4], causal: true }),
  { ...packed('logSumExp', 2, 8, { cuSeqlens, alibiSlopes: [0.25, 0.5] }), run: ({ qkv }) => attention({ qkv }, { cuSeqlens, alibiSlopes: [0.25, 0.5] }).logSumExp, differentiable: false },
], devices);

test.each(Object.entries(devices))('two sequences do not see each other on %s', async (_kind, create) => {
  const device = await create();
  const numbers = testNumbers(3, 8 * 3 * 2 * 8);
  const options = { alibiSlopes: alibiSlopes(2) };
  const whole = await device.read(attention({ qkv: tensor(device, numbers, [8, 3, 2, 8]) }, { cuSeqlens: [0, 5, 8], ...options }).output);
  const first = await device.read(attention({ qkv: tensor(device, numbers.slice(0, 5 * 48), [5, 3, 2, 8]) }, { cuSeqlens: [0, 5], ...options }).output);
  const second = await device.read(attention({ qkv: tensor(device, numbers.slice(5 * 48), [3, 3, 2, 8]) }, { cuSeqlens: [0, 3], ...options }).output);
  expect([...whole]).toEqual([...first, ...second]);
  await device.destroy();
});

test('slopes of 12 heads are those of DNABERT-2', () => {
  const expected = [0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625, 0.0078125, 0.00390625, 0.70710678, 0.35355339, 0.1767767, 0.08838835];
  alibiSlopes(12).forEach((slope, i) => expect(slope).toBeCloseTo(expected[i], 7));
});

test('a batch that does not fit is refused before anything runs', async () => {
  const qkv = zeros(await devices.reference(), [4, 3, 2, 8]);
  expect(() => attention({ qkv }, { cuSeqlens: [0, 3] })).toThrow('attention: expected cuSeqlens to end at totalTokens 4, got 3; pack the batch with packBatch()');
  expect(() => attention({ qkv }, { cuSeqlens: [0, 3, 2, 4] })).toThrow('never to fall');
  expect(() => attention({ qkv }, { cuSeqlens: [0, 4], alibiSlopes: [1] })).toThrow('one ALiBi slope for each of 2 heads, got 1');
});
