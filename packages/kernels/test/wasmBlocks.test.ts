// Where the blocks of the WebAssembly kernels begin and end: sizes around their borders, against the definition in float64.
import fc from 'fast-check';
import { alibiSlopes, attention, createReferenceDevice, createWasmDevice, crossEntropy, dropout, embedding, geglu, layerNorm, linear, matmul, mul, segmentMean, sum, sumRows, tensor, valueAndGrad, type AttentionOptions, type Device, type Tensor } from '../src';
import { allClose, evaluateCase, testNumbers, type OpCase } from '../src/testing';

let device: Device;
beforeAll(async () => { device = await createWasmDevice({ threads: 2 }); });
afterAll(() => device.destroy());

/** Value and gradients; the definition itself is held against finite differences beside each op. */
const compare = (title: string, cases: readonly OpCase[]) => describe(title, () => {
  test.each(cases.map((opCase) => [opCase.name, opCase] as const))('%s', async (name, opCase) => {
    const { tolerance = 2e-6 } = opCase;
    const [actual, expected] = [await evaluateCase(opCase, device), await evaluateCase(opCase, createReferenceDevice())];
    allClose(actual.value, expected.value, tolerance, name);
    for (const [input, gradient] of Object.entries(expected.gradients)) allClose(actual.gradients[input], gradient, 5 * tolerance, `the gradient of ${input} in ${name}`);
  });
});

const product = (m: number, k: number, n: number, transposeA: boolean, transposeB: boolean): OpCase => ({
  name: `[${m} x ${k}] · [${k} x ${n}]${transposeA ? ', a transposed' : ''}${transposeB ? ', b transposed' : ''}`,
  inputs: { a: transposeA ? [k, m] : [m, k], b: transposeB ? [n, k] : [k, n] },
  run: ({ a, b }) => matmul(a, b, { transposeA, transposeB }),
});

compare('matmul, around tiles of 4 x 8, inner blocks of 384, blocks of 16 to 256 rows and of 64 columns and more', [
  { ...product(258, 129, 2051, false, true), differentiable: false },
  product(4, 384, 8, false, false), product(5, 385, 9, true, true), product(3, 383, 7, false, true), product(1, 769, 1, true, false), product(131, 390, 680, true, true), product(129, 389, 677, false, false),
  product(8, 4, 16, false, true), product(13, 1, 259, true, false), product(20, 40, 513, false, false), product(67, 300, 70, true, true), product(300, 9, 33, false, true),
]);

const whole = (name: string, heads: number, headDim: number, options: AttentionOptions): OpCase => ({
  name, inputs: { qkv: [Array.from(options.cuSeqlens).at(-1)!, 3, heads, headDim] }, run: ({ qkv }) => attention({ qkv }, options).output,
});
compare('matmul of few rows', [
  product(1, 257, 8, false, true), product(2, 4, 23, false, true), product(4, 19, 7, false, true), product(1, 3, 40, false, true), product(1, 256, 9, false, false), product(3, 18, 37, false, false), product(4, 1, 1, false, false),
]);

compare('linear with weights of 16 and 8 bits, around panels of 8, inner blocks of 256 and blocks of 64 rows', [[1, 300, 21], [70, 17, 8], [2, 513, 16], [65, 256, 7]].flatMap(([m, k, n]) => (['float16', 'bfloat16', 'int8'] as const).map((dtype): OpCase => ({
  name: `${dtype}, ${m} x ${k} x ${n}`, inputs: { x: [m, k], bias: [n] }, differentiable: false,
  run: ({ x, bias }, on) => (dtype === 'int8'
    ? linear(x, { values: tensor(on, Int8Array.from(testNumbers(7, n * k, 127)), [n, k]), scales: tensor(on, testNumbers(9, n, 0.01)) }, bias)
    : linear(x, tensor(on, testNumbers(7, n * k), [n, k], { dtype }), bias)),
}))));

test.each([[0, 8], [40, 19], [300, 41], [513, 264]])('a row alone has the bits that it has among others (inner size %i, %i columns)', async (k, n) => {
  const [all, weight, bias] = [testNumbers(1, 9 * k), tensor(device, testNumbers(2, n * k), [n, k]), tensor(device, testNumbers(3, n))];
  const turned = tensor(device, testNumbers(2, n * k), [k, n]);
  for (const run of [(x: Tensor) => linear(x, weight, bias), (x: Tensor) => linear(x, weight), (x: Tensor) => matmul(x, turned)]) {
    const whole = await device.read(run(tensor(device, all, [9, k])));
    for (const rows of [1, 3, 4]) expect([...(await device.read(run(tensor(device, all.slice(0, rows * k), [rows, k]))))]).toEqual([...whole.slice(0, rows * n)]);
  }
});

compare('attention, around blocks of 40 queries by 256 keys, of 96 by 96 in the gradient, and panels of 8', [
  whole('lengths 127, 128, 257', 1, 4, { cuSeqlens: [0, 127, 255, 512], alibiSlopes: [0.25] }),
  whole('lengths 39, 40, 41, 81', 1, 4, { cuSeqlens: [0, 39, 79, 120, 201], alibiSlopes: [0.25] }),
  whole('ALiBi that leaves most blocks of keys without weight', 1, 4, { cuSeqlens: [0, 3, 403], alibiSlopes: [1] }),
  whole('the same, causal', 1, 4, { cuSeqlens: [0, 3, 403], alibiSlopes: [1], causal: true }),
  whole('one token', 2, 16, { cuSeqlens: [0, 1] }),
  whole('lengths 7, 8, 9', 1, 16, { cuSeqlens: [0, 7, 15, 24], alibiSlopes: [0.5] }),
  whole('lengths 95, 96, 97', 1, 4, { cuSeqlens: [0, 95, 191, 288], alibiSlopes: [0.25] }),
  whole('193 tokens, causal', 1, 8, { cuSeqlens: [0, 193], causal: true }),
  whole('193 tokens in a window that spans two blocks', 1, 8, { cuSeqlens: [0, 193], windowSize: [20, 10] }),
  whole('500 tokens in a window wider than a block of keys', 1, 8, { cuSeqlens: [0, 500], windowSize: [300, 10] }),
  whole('a window beyond all numbers', 1, 8, { cuSeqlens: [0, 20], windowSize: [Infinity, 2 ** 31 - 1] }),
  whole('a window narrower than a panel', 1, 8, { cuSeqlens: [0, 100], windowSize: [1, 0] }),
  ...[1, 3, 5, 20, 24, 80].map((headDim) => whole(`head dimension ${headDim}`, 2, headDim, { cuSeqlens: [0, 11, 30], alibiSlopes: alibiSlopes(2) })),
  {
    name: 'grouped heads, other lengths of keys, longer than a block', inputs: { query: [103, 4, 6], key: [211, 2, 6], value: [211, 2, 6] },
    run: ({ query, key, value }) => attention({ query, key, value }, { cuSeqlens: [0, 3, 103], cuSeqlensKey: [0, 101, 211], causal: true, windowSize: [60, -1], alibiSlopes: alibiSlopes(4) }).output,
  },
  { name: 'queries without any key', inputs: { query: [5, 1, 8], key: [3, 1, 8], value: [3, 1, 8] }, run: ({ query, key, value }) => attention({ query, key, value }, { cuSeqlens: [0, 2, 5], cuSeqlensKey: [0, 0, 3] }).output },
]);

describe('keys beyond the reach of ALiBi', () => {
  const [tokens, headDim] = [700, 4];
  const run = async (row: number, width: number, value: number) => {
    const numbers = testNumbers(5, tokens * 3 * headDim);
    numbers[row * 3 * headDim + width] = value;
    return device.read(attention({ qkv: tensor(device, numbers, [tokens, 3, 1, headDim]) }, { cuSeqlens: [0, tokens], alibiSlopes: [1] }).output);
  };
  const [query, value] = [0, 2 * headDim + 1];

  test('leave every bit as it is: a row beside one whose query is not a number, so that their block visits all keys', async () => {
    const [few, all] = [await run(699, query, 0.25), await run(699, query, NaN)];
    expect([...all.slice(699 * headDim)]).toEqual([NaN, NaN, NaN, NaN]);
    expect(new Uint32Array(all.slice(0, 699 * headDim).buffer)).toEqual(new Uint32Array(few.slice(0, 699 * headDim).buffer));
  });

  test.each([NaN, Infinity, -Infinity])('still say that a value is %p: no weight of zero hides it', async (number) => {
    const output = await run(699, value, number);
    expect([output[1], output[300 * headDim + 1]]).toEqual([NaN, NaN]);
    expect([output[0], output[300 * headDim + 2]].every(Number.isFinite)).toBe(true);
  });

  test.each(['a query', 'a key', 'a value', 'a gradient'])('still say in the gradients that %s is not finite', async (what) => {
    const few = 250, numbers = testNumbers(5, few * 3 * headDim), weights = testNumbers(6, few * headDim), which = ['a query', 'a key', 'a value'].indexOf(what);
    if (which < 0) weights[(few - 1) * headDim] = Infinity;
    else numbers[((few - 1) * 3 + which) * headDim] = NaN;
    const gradient = async (on: Device) => {
      const { grads } = valueAndGrad((p: { qkv: Tensor }) => sum(mul(attention({ qkv: p.qkv }, { cuSeqlens: [0, few], alibiSlopes: [1] }).output, tensor(on, weights, [few, 1, headDim]))))({ qkv: tensor(on, numbers, [few, 3, 1, headDim]) });
      return Array.from(await on.read(grads.qkv), Number.isFinite);
    };
    const finite = await gradient(device);
    expect(finite).toEqual(await gradient(createReferenceDevice()));
  });
});

const longCases = [
  whole('1 head in a window', 1, 4, { cuSeqlens: [0, 1031], alibiSlopes: [0.01], windowSize: [12, 20] }),
  whole('1 head, causal in a window, a short sequence beside it', 1, 4, { cuSeqlens: [0, 1100, 1107], causal: true, windowSize: [30, -1] }),
  {
    name: 'grouped heads, few queries, all keys', inputs: { query: [21, 2, 4], key: [1025, 1, 4], value: [1025, 1, 4] },
    run: ({ query, key, value }: Record<string, Tensor>) => attention({ query, key, value }, { cuSeqlens: [0, 21], cuSeqlensKey: [0, 1025], alibiSlopes: [0.01, 0.002] }).output,
  },
].map((opCase) => ({ ...opCase, tolerance: 4e-6 }));
compare('attention of few heads over many keys, whose gradient is split into segments', longCases);

test('segments give the same bits over three threads', async () => {
  const three = await createWasmDevice({ threads: 3 });
  const [one, more] = [await evaluateCase(longCases[1], device), await evaluateCase(longCases[1], three)];
  expect(new Uint32Array(more.gradients.qkv.buffer)).toEqual(new Uint32Array(one.gradients.qkv.buffer));
  await three.destroy();
});

const decode = (name: string, [heads, kvHeads, headDim]: readonly number[], lengths: readonly number[], options: Partial<AttentionOptions> = {}): OpCase => {
  const cuSeqlensKey = lengths.reduce((ends, length) => [...ends, ends.at(-1)! + length], [0]);
  const [queries, keys] = [lengths.length, cuSeqlensKey.at(-1)!];
  return {
    name, inputs: { query: [queries, heads, headDim], key: [keys, kvHeads, headDim], value: [keys, kvHeads, headDim] }, spread: 2, tolerance: 4e-6,
    run: ({ query, key, value }) => attention({ query, key, value }, { cuSeqlens: lengths.map((_, i) => i).concat(queries), cuSeqlensKey, causal: true, ...options }).output,
  };
};
const decodeCases = [
  decode('around chunks of 256 keys', [2, 1, 16], [255, 256, 257, 1, 2, 3, 0, 700]),
  decode('ALiBi, and a window', [2, 2, 20], [300, 5], { alibiSlopes: [0.5, 0.125], windowSize: [270, -1] }),
  decode('odd head dimensions', [3, 1, 7], [9, 4]),
  decode('a narrow window, not causal', [1, 1, 4], [30, 6], { causal: false, windowSize: [2, 0] }),
];
compare('attention of one query in each sequence', decodeCases);

test('attention of one query: logSumExp, and the same bits over three threads', async () => {
  const three = await createWasmDevice({ threads: 3 });
  const run = async (on: Device) => {
    const [query, key, value] = [[2, 4, 16], [1400, 2, 16], [1400, 2, 16]].map((shape, i) => tensor(on, testNumbers(i + 1, shape.reduce((a, b) => a * b), 2), shape));
    const { output, logSumExp } = attention({ query, key, value }, { cuSeqlens: [0, 1, 2], cuSeqlensKey: [0, 900, 1400], causal: true });
    return [await on.read(output), await on.read(logSumExp)];
  };
  const [actual, again, expected] = [await run(device), await run(three), await run(createReferenceDevice())];
  actual.forEach((values, i) => allClose(values, expected[i], 4e-6));
  expect(again).toEqual(actual);
  await three.destroy();
});

compare('rows and columns that are no multiples of four, and several parts', [
  ...[1, 3, 17].map((width): OpCase => ({ name: `layer norm of ${width}`, inputs: { x: [5, width], weight: [width], bias: [width] }, run: ({ x, weight, bias }) => layerNorm(x, weight, bias, { epsilon: 1e-5 }) })),
  { name: 'layer norm of many rows', inputs: { x: [1500, 70], weight: [70], bias: [70] }, run: ({ x, weight, bias }) => layerNorm(x, weight, bias), tolerance: 4e-6 },
  { name: 'geglu of 3', inputs: { x: [5, 6] }, spread: 4, run: ({ x }) => geglu(x) },
  { name: 'sums of many rows', inputs: { x: [3000, 19] }, run: ({ x }) => sumRows(x), differentiable: false },
  { name: 'sum of many elements', inputs: { x: [200_003] }, run: ({ x }) => sum(x), differentiable: false },
  { name: 'linear with one output', inputs: { x: [700, 65], weight: [1, 65], bias: [1] }, run: ({ x, weight, bias }) => linear(x, weight, bias) },
  { name: 'an id that is used 700 times', inputs: { table: [3, 5] }, run: ({ table }, device) => embedding(table, tensor(device, Uint32Array.from({ length: 1000 }, (_, i) => (i % 10 < 7 ? 1 : i % 4)))) },
  { name: 'a sequence of 500', inputs: { x: [510, 18] }, run: ({ x }) => segmentMean(x, [0, 4, 4, 504, 510]) },
  ...[1, 2, 5, 300].map((classes): OpCase => ({ name: `cross-entropy of ${classes} classes`, inputs: { logits: [301, classes] }, spread: 8, run: ({ logits }, device) => crossEntropy(logits, tensor(device, Int32Array.from({ length: 301 }, (_, i) => (i % 7 ? i % classes : -100)))).sum })),
]);

describe('properties', () => {
  const size = fc.integer({ min: 0, max: 90 });

  test('matmul of any sizes equals the definition', async () => {
    await fc.assert(fc.asyncProperty(size, size, size, fc.boolean(), fc.boolean(), async (m, k, n, transposeA, transposeB) => {
      const y = (on: Device) => on.read(matmul(tensor(on, testNumbers(1, m * k), transposeA ? [k, m] : [m, k]), tensor(on, testNumbers(2, k * n), transposeB ? [n, k] : [k, n]), { transposeA, transposeB }));
      allClose(await y(device), await y(createReferenceDevice()), 3e-6);
    }), { numRuns: 60, seed: 1 }); // a seed, as a bound on rounding holds for nearly all inputs, not for all
  });

  test('attention of any lengths, window and head dimension equals the definition', async () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 4 });
    const window = fc.integer({ min: -1, max: 12 });
    await fc.assert(fc.asyncProperty(lengths, window, window, fc.integer({ min: 1, max: 18 }), fc.boolean(), async (all, left, right, headDim, causal) => {
      const cuSeqlens = all.reduce((ends, length) => [...ends, ends.at(-1)! + length], [0]);
      const tokens = cuSeqlens.at(-1)!;
      const run = async (on: Device) => {
        const { output, logSumExp } = attention({ qkv: tensor(on, testNumbers(tokens + headDim, tokens * 6 * headDim), [tokens, 3, 2, headDim]) }, { cuSeqlens, causal, windowSize: [left, right], alibiSlopes: [0.5, 0.01] });
        return [await on.read(output), await on.read(logSumExp)];
      };
      const [actual, expected] = [await run(device), await run(createReferenceDevice())];
      actual.forEach((values, i) => allClose(values, expected[i], 5e-6));
    }), { numRuns: 60, seed: 1 }); // a seed, as a bound on rounding holds for nearly all inputs, not for all
  });

  test.each([1, 7, 8, 15, 16, 17, 100_001])('dropout of %i elements has the mask of the definition', async (count) => {
    const kept = async (on: Device) => [...(await on.read(dropout(tensor(on, new Float32Array(count).fill(1)), 0.3, { seed: 0xdeadbeef, step: 12345, layer: 6 })))].map((value) => value !== 0);
    expect(await kept(device)).toEqual(await kept(createReferenceDevice()));
  });
});
