// Every wasm kernel in sizes that are shared out, and not round; and equality of bits.
import {
  add, addRow, alibiSlopes, attention, averagePool1d, cast, conv1d, crossEntropy, div, dropout, embedding, geglu, gelu, layerNorm, linear,
  matmul, max, maxPool1d, mul, mulRow, pagedAttention, quantizeRows, rmsNorm, scale, segmentMean, silu, softmax, sub, sum, swiglu, tanh, tensor, type Data,
} from '../src';
import { testNumbers, type OpCase } from '../src/testing';

/** Sizes well above one part, and none of them round. */
export const [tokens, width, sequences] = [1237, 67, 23];
const cuSeqlens = Int32Array.from({ length: sequences + 1 }, (_, s) => Math.floor((tokens * s * s) / sequences ** 2));

const ids = Uint32Array.from({ length: tokens }, (_, i) => (i * 7919) % 101);
const labels = Int32Array.from({ length: tokens }, (_, i) => (i % 5 ? i % width : -100));
export const families: readonly OpCase[] = [
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
export function expectSameBits(actual: Readonly<Record<string, Data>>, expected: Readonly<Record<string, Data>>): void {
  for (const [name, { buffer, length }] of Object.entries(expected)) {
    const other = new Uint32Array(actual[name].buffer);
    expect([name, length, new Uint32Array(buffer).findIndex((bits, i) => bits !== other[i])]).toEqual([name, actual[name].length, -1]);
  }
}
