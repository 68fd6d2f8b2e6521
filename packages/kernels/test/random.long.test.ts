// Shapes and options that nobody chose: every device against the reference.
import fc from 'fast-check';
import { add, attention, averagePool1d, conv1d, createReferenceDevice, crossEntropy, type Device, embedding, layerNorm, linear, matmul, maxPool1d, ones, rmsNorm, segmentMean, softmax, tensor } from '../src';
import { allClose, evaluateCase, type OpCase } from '../src/testing';
import { devices } from './devices';

const size = (max: number) => fc.integer({ min: 1, max });
const lengths = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 4 });
const cumulative = (list: readonly number[]) => list.reduce<number[]>((sums, length) => [...sums, sums.at(-1)! + length], [0]);

const attentionCase = fc.record({
  queries: lengths, keys: lengths, cross: fc.boolean(), packed: fc.boolean(), group: fc.constantFrom(1, 2, 3), kvHeads: fc.constantFrom(1, 2), headDim: fc.constantFrom(4, 8, 20),
  causal: fc.boolean(), alibi: fc.boolean(), left: fc.constantFrom(-1, 0, 3, 50), right: fc.constantFrom(-1, 0, 2, 50),
}).map(({ queries, keys, cross, packed, group, kvHeads, headDim, causal, alibi, left, right }): OpCase => {
  const cuSeqlens = cumulative(queries);
  const cuSeqlensKey = cross && !packed ? cumulative(queries.map((_, i) => keys[i % keys.length])) : cuSeqlens;
  const [tokens, totalKeys, heads] = [cuSeqlens.at(-1)!, cuSeqlensKey.at(-1)!, group * kvHeads];
  const options = { cuSeqlens, cuSeqlensKey, causal, windowSize: [left, right] as const, ...(alibi ? { alibiSlopes: Array.from({ length: heads }, (_, i) => 2 ** -i) } : {}) };
  const name = `attention ${JSON.stringify({ queries, cuSeqlensKey, packed, heads, kvHeads, headDim, causal, alibi, left, right })}`;
  return packed
    ? { name, inputs: { qkv: [tokens, 3, heads, headDim] }, spread: 2, tolerance: 1e-5, run: ({ qkv }) => attention({ qkv }, options).output }
    : { name, inputs: { query: [tokens, heads, headDim], key: [totalKeys, kvHeads, headDim], value: [totalKeys, kvHeads, headDim] }, spread: 2, tolerance: 1e-5, run: ({ query, key, value }) => attention({ query, key, value }, options).output };
});

const matmulCase = fc.record({ m: size(80), n: size(80), k: size(200), transposeA: fc.boolean(), transposeB: fc.boolean() }).map(({ m, n, k, transposeA, transposeB }): OpCase => (
  { name: `matmul ${[m, n, k, transposeA, transposeB].join()}`, inputs: { a: transposeA ? [k, m] : [m, k], b: transposeB ? [n, k] : [k, n] }, run: ({ a, b }) => matmul(a, b, { transposeA, transposeB }) }));

const linearCase = fc.record({ rows: size(70), inputs: size(150), outputs: size(70) }).map(({ rows, inputs, outputs }): OpCase => (
  { name: `linear ${[rows, inputs, outputs].join()}`, inputs: { x: [rows, inputs], weight: [outputs, inputs], bias: [outputs] }, run: ({ x, weight, bias }) => linear(x, weight, bias) }));

const layerNormCase = fc.record({ rows: size(50), width: fc.integer({ min: 2, max: 300 }) }).map(({ rows, width }): OpCase => (
  { name: `layerNorm ${rows}, ${width}`, inputs: { x: [rows, width], weight: [width], bias: [width] }, tolerance: 1e-5, run: ({ x, weight, bias }) => layerNorm(x, weight, bias, { epsilon: 1e-5 }) }));

const embeddingCase = fc.record({ rows: size(60), width: size(130), ids: fc.array(fc.nat({ max: 70 }), { minLength: 1, maxLength: 200 }) }).map(({ rows, width, ids }): OpCase => (
  { name: `embedding ${[rows, width, ids.length].join()}`, inputs: { table: [rows, width] }, run: ({ table }, device) => embedding(table, tensor(device, Uint32Array.from(ids))) }));

// One is added: in single precision a sure and right prediction has a loss of exactly nothing.
const crossEntropyCase = fc.record({ classes: size(300), labels: fc.array(fc.integer({ min: -1, max: 299 }), { minLength: 1, maxLength: 40 }) }).map(({ classes, labels }): OpCase => (
  { name: `crossEntropy ${classes}, ${labels.length}`, inputs: { logits: [labels.length, classes] }, spread: 30, run: ({ logits }, device) => add(crossEntropy(logits, tensor(device, Int32Array.from(labels, (label) => Math.min(label, classes - 1))), { ignoreIndex: -1 }).sum, ones(device, [])) }));

const segmentMeanCase = fc.record({ list: lengths, width: size(90) }).map(({ list, width }): OpCase => (
  { name: `segmentMean ${list.join()}, ${width}`, inputs: { x: [cumulative(list).at(-1)!, width] }, run: ({ x }) => segmentMean(x, cumulative(list)) }));

// From four columns on: with one, the gradient is a difference of nearly equal numbers, 1 - 1 / (1 + epsilon).
const rmsNormCase = fc.record({ rows: size(50), width: fc.integer({ min: 4, max: 300 }), added: fc.boolean() }).map(({ rows, width, added }): OpCase => (
  { name: `rmsNorm ${rows}, ${width}`, inputs: { x: [rows, width], weight: [width], ...(added && { residual: [rows, width] }) }, run: ({ x, weight, residual }) => rmsNorm(x, weight, residual ? { residual } : {}) }));

const softmaxCase = fc.record({ rows: size(40), width: size(300) }).map(({ rows, width }): OpCase => (
  { name: `softmax ${rows}, ${width}`, inputs: { x: [rows, width] }, spread: 8, run: ({ x }) => softmax(x) }));

const windows = { batch: size(3), length: fc.integer({ min: 9, max: 40 }), channels: size(9), window: size(5), stride: size(4), padding: fc.nat({ max: 3 }) };
const conv1dCase = fc.record({ ...windows, outputs: size(5), dilation: size(2) }).map(({ batch, length, channels, window, outputs, ...options }): OpCase => (
  { name: `conv1d ${JSON.stringify({ batch, length, channels, window, outputs, options })}`, inputs: { x: [batch, length, channels], weight: [outputs, window, channels] }, run: ({ x, weight }) => conv1d(x, weight, undefined, options) }));

const poolCase = fc.record({ ...windows, largest: fc.boolean() }).map(({ batch, length, channels, window, stride, padding, largest }): OpCase => {
  const options = { size: window, stride, padding: Math.min(padding, window - 1) };
  return { name: `pool1d ${JSON.stringify({ batch, length, channels, options, largest })}`, inputs: { x: [batch, length, channels] }, run: ({ x }) => (largest ? maxPool1d(x, options) : averagePool1d(x, options)) };
});

const kinds = { attention: attentionCase, matmul: matmulCase, linear: linearCase, layerNorm: layerNormCase, embedding: embeddingCase, crossEntropy: crossEntropyCase, segmentMean: segmentMeanCase, rmsNorm: rmsNormCase, softmax: softmaxCase, conv1d: conv1dCase, pool1d: poolCase };

describe.each(Object.entries(devices).filter(([kind]) => kind !== 'reference'))('on %s', (_kind, create) => {
  let device: Device;
  beforeAll(async () => { device = await create(); });
  afterAll(() => device.destroy());

  test.each(Object.entries(kinds))('%s of any shape', async (_name, cases) => {
    await fc.assert(fc.asyncProperty(cases as fc.Arbitrary<OpCase>, async (opCase) => {
      const [expected, actual] = [await evaluateCase(opCase, createReferenceDevice()), await evaluateCase(opCase, device)];
      const { name, tolerance = 2e-6 } = opCase;
      allClose(actual.value, expected.value, tolerance, name);
      // Against the largest gradient of the case: one that is zero by mathematics (of a query that sees one key) or nearly (of a sure prediction) is rounding noise on every device.
      const largest = Math.max(1e-2, ...Object.values(expected.gradients).flatMap((data) => [...data].map(Math.abs)));
      for (const [input, gradient] of Object.entries(expected.gradients)) {
        gradient.forEach((value: number, i: number) => {
          if (!(Math.abs(actual.gradients[input][i] - value) <= 1e-5 * largest)) throw new Error(`${name}: expected a gradient of ${input} of ${value} at ${i}, got ${actual.gradients[input][i]}`);
        });
      }
    }), { numRuns: 60 });
  }, 300_000);
});
