// Cases of every op over shapes and options that nobody chose: no rows, one row, and sizes that are no multiple of anything.
import fc from 'fast-check';
import {
  accumulate, adamW, add, addRmsNorm, addRow, attention, averagePool1d, broadcastTo, cacheAppend, cast, concat, conv1d, crossEntropy, div, dropout, embedding, fill, filterLogits, geglu, gelu, layerNorm, linear, linearCrossEntropy, matmul, max, maxPool1d,
  mean, mul, mulRow, ones, pagedAttention, penalizeLogits, quantizeRows, reshape, rmsNorm, rotary, rotaryTable, sampleTokens, scale, segmentMean, silu, slice, softmax, squaredNorm, sub, sum, sumRows, sumSquares, swiglu, tanh, tensor, zeros, type Device, type Tensor,
} from '../src';
import type { OpCase } from '../src/testing';

type Case = Omit<OpCase, 'name'>;

const size = (largest: number) => fc.integer({ min: 1, max: largest });
/** Of rows, sequences or tokens: none and one come often. */
const many = (largest: number) => fc.oneof({ weight: 1, arbitrary: fc.constantFrom(0, 1) }, { weight: 6, arbitrary: size(largest) });
const lengths = fc.array(many(40), { minLength: 1, maxLength: 4 });
const cumulative = (list: readonly number[]) => list.reduce<number[]>((sums, length) => [...sums, sums.at(-1)! + length], [0]);
const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** For sums of numbers of both signs, which may come to next to nothing: their error is one of the sums on the way, so that it is measured against those: against 1 at least, or the square root of how many numbers there are. In single precision a sure and right prediction has a loss of exactly nothing. */
const beside = (y: Tensor, onTheWay: number): Tensor => concat([reshape(y, [sizeOf(y.shape)]), fill(zeros(y.device, [1]), Math.max(1, onTheWay))]);
const besideOne = (y: Tensor): Tensor => beside(y, 1);
const ids = (device: Device, values: readonly number[]) => tensor(device, Uint32Array.from(values));
const labelsOf = (device: Device, labels: readonly number[], classes: number) => tensor(device, Int32Array.from(labels, (label) => Math.min(label, classes - 1)));

const attentionCase = fc.record({
  queries: lengths, keys: lengths, cross: fc.boolean(), packed: fc.boolean(), group: fc.constantFrom(1, 2, 3), kvHeads: fc.constantFrom(1, 2), headDim: fc.constantFrom(4, 8, 20),
  causal: fc.boolean(), alibi: fc.boolean(), left: fc.constantFrom(-1, 0, 3, 50), right: fc.constantFrom(-1, 0, 2, 50),
}).map(({ queries, keys, cross, packed, group, kvHeads, headDim, causal, alibi, left, right }): Case => {
  const cuSeqlens = cumulative(queries);
  const cuSeqlensKey = cross && !packed ? cumulative(queries.map((_, i) => keys[i % keys.length])) : cuSeqlens;
  const [tokens, totalKeys, heads] = [cuSeqlens.at(-1)!, cuSeqlensKey.at(-1)!, group * kvHeads];
  const options = { cuSeqlens, cuSeqlensKey, causal, windowSize: [left, right] as const, ...(alibi ? { alibiSlopes: Array.from({ length: heads }, (_, i) => 2 ** -i) } : {}) };
  return packed
    ? { inputs: { qkv: [tokens, 3, heads, headDim] }, spread: 2, tolerance: 1e-5, run: ({ qkv }) => attention({ qkv }, options).output }
    : { inputs: { query: [tokens, heads, headDim], key: [totalKeys, kvHeads, headDim], value: [totalKeys, kvHeads, headDim] }, spread: 2, tolerance: 1e-5, run: ({ query, key, value }) => attention({ query, key, value }, options).output };
});

const caches = { group: fc.constantFrom(1, 3), kvHeads: fc.constantFrom(1, 2), headDim: fc.constantFrom(2, 16, 70), dtype: fc.constantFrom('float32', 'float16', 'bfloat16') };
/** A cache with the rows of sequence after sequence in pages that lie backwards, a page of nobody first. */
function filled(rows: Tensor, contextLengths: readonly number[], dtype: 'float32' | 'float16' | 'bfloat16'): { cache: Tensor; blockTable: number[] } {
  const perSequence = Math.max(1, ...contextLengths.map((length) => Math.ceil(length / 16)));
  const pages = perSequence * contextLengths.length + 1;
  const blockTable = contextLengths.flatMap((_, s) => Array.from({ length: perSequence }, (__, i) => pages - 1 - s * perSequence - i));
  const cache = cast(zeros(rows.device, [16 * pages, ...rows.shape.slice(1)]), dtype);
  cacheAppend(cache, rows, contextLengths.flatMap((length, s) => Array.from({ length }, (_, i) => 16 * blockTable[s * perSequence + (i >> 4)] + (i % 16))));
  return { cache, blockTable };
}

const pagedAttentionCase = fc.record({ ...caches, sequences: fc.array(fc.record({ length: fc.oneof(fc.constant(1), size(300)), queries: fc.nat({ max: 3 }) }), { minLength: 1, maxLength: 3 }), windowLeft: fc.integer({ min: -1, max: 40 }), alibi: fc.boolean() })
  .map(({ group, kvHeads, headDim, dtype, sequences, windowLeft, alibi }): Case => {
    const contextLengths = sequences.map(({ length }) => length);
    const cuSeqlens = cumulative(sequences.map(({ length, queries }) => Math.min(length, queries)));
    const [rows, heads] = [contextLengths.reduce((a, b) => a + b), group * kvHeads];
    return {
      inputs: { query: [cuSeqlens.at(-1)!, heads, headDim], key: [rows, kvHeads, headDim], value: [rows, kvHeads, headDim] }, tolerance: 1e-5, differentiable: false,
      run({ query, key, value }) {
        const [{ cache: keyCache, blockTable }, { cache: valueCache }] = [key, value].map((own) => filled(own, contextLengths, dtype as 'float32'));
        return pagedAttention({ query, keyCache, valueCache }, { cuSeqlens, contextLengths, blockTable, windowLeft, ...(alibi && { alibiSlopes: Array.from({ length: heads }, (_, i) => 2 ** (-2 - i)) }) });
      },
    };
  });

const cacheAppendCase = fc.record({ ...caches, sequences: fc.array(many(40), { minLength: 1, maxLength: 3 }) }).map(({ kvHeads, headDim, dtype, sequences }): Case => (
  { inputs: { rows: [sequences.reduce((a, b) => a + b), kvHeads, headDim] }, spread: 9, tolerance: 0, differentiable: false, run: ({ rows }) => cast(filled(rows, sequences, dtype as 'float32').cache, 'float32') }));

const matmulCase = fc.record({ m: many(80), n: many(80), k: many(200), transposeA: fc.boolean(), transposeB: fc.boolean() }).map(({ m, n, k, transposeA, transposeB }): Case => (
  { inputs: { a: transposeA ? [k, m] : [m, k], b: transposeB ? [n, k] : [k, n] }, run: ({ a, b }) => besideOne(matmul(a, b, { transposeA, transposeB })) }));

const linearCase = fc.record({ rows: many(70), inputs: size(150), outputs: size(70) }).map(({ rows, inputs, outputs }): Case => (
  { inputs: { x: [rows, inputs], weight: [outputs, inputs], bias: [outputs] }, run: ({ x, weight, bias }) => besideOne(linear(x, weight, bias)) }));

const epilogueCase = fc.record({ rows: many(20), inputs: size(40), outputs: size(40), activation: fc.constantFrom('gelu', 'silu', 'tanh'), added: fc.boolean() }).map(({ rows, inputs, outputs, activation, added }): Case => (
  { inputs: { x: [rows, inputs], weight: [outputs, inputs], bias: [outputs], ...(added && { residual: [rows, outputs] }) }, run: ({ x, weight, bias, residual }) => besideOne(linear(x, weight, bias, { activation: activation as 'gelu', ...(residual && { residual }) })) }));

const storedLinearCase = fc.record({ rows: many(20), inputs: size(150), outputs: size(70), dtype: fc.constantFrom('float16', 'bfloat16', 'int8') }).map(({ rows, inputs, outputs, dtype }): Case => (
  { inputs: { x: [rows, inputs], weight: [outputs, inputs] }, differentiable: false, run: ({ x, weight }) => besideOne(linear(x, dtype === 'int8' ? quantizeRows(weight) : cast(weight, dtype as 'float16'))) }));

// Gradients from four columns on: with two, all that is left of x is its sign and a trace of epsilon, a difference of nearly equal numbers.
const layerNormCase = fc.record({ rows: many(50), width: fc.integer({ min: 2, max: 300 }) }).map(({ rows, width }): Case => (
  { inputs: { x: [rows, width], weight: [width], bias: [width] }, tolerance: 1e-5, differentiable: width >= 4, run: ({ x, weight, bias }) => layerNorm(x, weight, bias, { epsilon: 1e-5 }) }));

const rmsNormCase = fc.record({ rows: many(50), width: fc.integer({ min: 4, max: 300 }), added: fc.constantFrom('none', 'residual', 'both') }).map(({ rows, width, added }): Case => ({
  inputs: { x: [rows, width], weight: [width], ...(added !== 'none' && { residual: [rows, width] }) },
  run({ x, weight, residual }) {
    if (added !== 'both') return rmsNorm(x, weight, residual ? { residual } : {});
    const { output, sum: total } = addRmsNorm(x, residual, weight);
    return mul(output, total);
  },
}));

const embeddingCase = fc.record({ rows: size(60), width: size(130), chosen: fc.array(fc.nat({ max: 70 }), { maxLength: 200 }), dtype: fc.constantFrom('float32', 'float16', 'bfloat16') }).map(({ rows, width, chosen, dtype }): Case => (
  { inputs: { table: [rows, width] }, differentiable: dtype === 'float32', run: ({ table }, device) => embedding(cast(table, dtype as 'float32'), ids(device, chosen)) }));

const labelled = { classes: size(300), labels: fc.array(fc.integer({ min: -1, max: 299 }), { maxLength: 150 }) };
const crossEntropyCase = fc.record(labelled).map(({ classes, labels }): Case => (
  { inputs: { logits: [labels.length, classes] }, spread: 30, run: ({ logits }, device) => besideOne(crossEntropy(logits, labelsOf(device, labels, classes), { ignoreIndex: -1 }).sum) }));

const linearCrossEntropyCase = fc.record({ ...labelled, width: size(40), biased: fc.boolean() }).map(({ classes, labels, width, biased }): Case => (
  { inputs: { x: [labels.length, width], weight: [classes, width], ...(biased && { bias: [classes] }) }, tolerance: 1e-5, run: ({ x, weight, bias }, device) => besideOne(linearCrossEntropy(x, weight, labelsOf(device, labels, classes), { ignoreIndex: -1, rowsPerBlock: 64, ...(bias && { bias }) }).sum) }));

const segmentMeanCase = fc.record({ list: lengths, width: size(90) }).map(({ list, width }): Case => (
  { inputs: { x: [cumulative(list).at(-1)!, width] }, run: ({ x }) => besideOne(segmentMean(x, cumulative(list))) }));

const softmaxCase = fc.record({ rows: many(40), width: size(300) }).map(({ rows, width }): Case => ({ inputs: { x: [rows, width] }, spread: 8, run: ({ x }) => softmax(x) }));

const rotaryCase = fc.record({ tokens: many(40), heads: size(4), turned: fc.nat({ max: 4 }), half: size(9), rest: fc.nat({ max: 5 }) }).map(({ tokens, heads, turned, half, rest }): Case => ({
  inputs: { x: [tokens, heads, 2 * half + rest] },
  run: ({ x }, device) => rotary(x, rotaryTable(device, { positions: 97, rotaryDim: 2 * half }), ids(device, Array.from({ length: tokens }, (_, i) => (31 * i) % 97)), { heads: Math.min(heads, turned) }),
}));

const windows = { batch: many(3), length: fc.integer({ min: 9, max: 40 }), channels: size(9), window: size(5), stride: size(4), padding: fc.nat({ max: 3 }) };
const conv1dCase = fc.record({ ...windows, outputs: size(5), dilation: size(2), biased: fc.boolean() }).map(({ batch, length, channels, window, outputs, biased, ...options }): Case => (
  { inputs: { x: [batch, length, channels], weight: [outputs, window, channels], ...(biased && { bias: [outputs] }) }, run: ({ x, weight, bias }) => besideOne(conv1d(x, weight, bias, options)) }));

const poolCase = fc.record({ ...windows, largest: fc.boolean() }).map(({ batch, length, channels, window, stride, padding, largest }): Case => {
  const options = { size: window, stride, padding: Math.min(padding, window - 1) };
  return { inputs: { x: [batch, length, channels] }, run: ({ x }) => besideOne(largest ? maxPool1d(x, options) : averagePool1d(x, options)) };
});

const shapes = fc.array(many(9), { minLength: 1, maxLength: 4 });
const arithmeticCase = fc.record({ shape: shapes, thinA: fc.nat({ max: 15 }), thinB: fc.nat({ max: 15 }), dropped: fc.nat({ max: 3 }), operator: fc.constantFrom('add', 'sub', 'mul', 'div') }).map(({ shape, thinA, thinB, dropped, operator }): Case => {
  const thin = (bits: number) => shape.map((length, axis) => ((bits >> axis) & 1 ? 1 : length));
  const run = { add, sub, mul, div: (a: Tensor, b: Tensor) => div(a, add(mul(b, b), ones(b.device, [1]))) }[operator]!; // from 1 on: no pole
  return { inputs: { a: thin(thinA), b: thin(thinB).slice(Math.min(dropped, shape.length - 1)) }, run: ({ a, b }) => run(a, b) };
});

const reductionCase = fc.record({ shape: shapes, reduced: size(15), keepDims: fc.boolean(), kind: fc.constantFrom('sum', 'mean', 'max') }).filter(({ shape }) => sizeOf(shape) > 0).map(({ shape, reduced, keepDims, kind }): Case => {
  const options = { axes: shape.flatMap((_, axis) => ((reduced >> axis) & 1 ? [axis] : [])), keepDims };
  return { inputs: { x: shape }, run: ({ x }) => beside({ sum, mean, max }[kind]!(x, options), kind === 'sum' ? sizeOf(options.axes.map((axis) => shape[axis])) ** 0.5 : 1) };
});

const wholeSumCase = fc.record({ rows: many(300), width: size(40), kind: fc.constantFrom('sum', 'sumRows', 'sumSquares', 'squaredNorm') }).map(({ rows, width, kind }): Case => (
  { inputs: { x: [rows, width] }, differentiable: kind === 'sum' || kind === 'sumRows', run: ({ x }) => beside({ sum, sumRows, sumSquares, squaredNorm }[kind]!(x), (rows * width) ** 0.5) }));

const elementwiseCase = fc.record({ rows: many(60), width: size(40), kind: fc.constantFrom('gelu', 'silu', 'tanh', 'geglu', 'swiglu', 'scale', 'addRow', 'mulRow', 'broadcastTo', 'dropout', 'reshape') }).map(({ rows, width, kind }): Case => ({
  inputs: { x: [rows, 2 * width] }, spread: 5,
  run({ x }, device) {
    const row = tensor(device, Float32Array.from({ length: 2 * width }, (_, i) => Math.sin(i)));
    const kinds: Record<string, () => Tensor> = {
      gelu: () => gelu(x), silu: () => silu(x), tanh: () => tanh(x), geglu: () => geglu(x), swiglu: () => swiglu(x), scale: () => scale(x, -0.3), addRow: () => addRow(x, row), mulRow: () => mulRow(x, row),
      broadcastTo: () => broadcastTo(reshape(x, [rows, 1, 2 * width]), [2, rows, 3, 2 * width]), dropout: () => dropout(x, 0.3, { seed: rows, step: width, layer: 1 }), reshape: () => scale(reshape(x, [2 * width, rows]), 2),
    };
    return kinds[kind]();
  },
}));

const rowsCase = fc.record({ first: many(30), second: many(30), width: size(20), from: fc.nat({ max: 30 }), to: fc.nat({ max: 60 }) }).map(({ first, second, width, from, to }): Case => (
  { inputs: { a: [first, width], b: [second, width] }, tolerance: 0, differentiable: false, run: ({ a, b }) => slice(concat([a, b, a]), Math.min(from, first), Math.max(Math.min(from, first), Math.min(to, 2 * first + second))) }));

const castCase = fc.record({ count: many(300), dtype: fc.constantFrom('float16', 'bfloat16'), exponent: fc.integer({ min: -30, max: 17 }) }).map(({ count, dtype, exponent }): Case => (
  { inputs: { x: [count] }, spread: 2 ** exponent, tolerance: 0, differentiable: false, run: ({ x }) => cast(cast(x, dtype as 'float16'), 'float32') }));

const adamWCase = fc.record({ count: many(300), step: size(50), weightDecay: fc.constantFrom(0, 0.1), clipped: fc.boolean() }).map(({ count, step, weightDecay, clipped }): Case => ({
  inputs: { parameter: [count], gradient: [count], first: [count], second: [count] }, tolerance: 3e-6, differentiable: false,
  run({ parameter, gradient, first, second }) {
    const [own, moment, square] = [scale(parameter, 1), scale(first, 0.1), mul(second, second)];
    accumulate(own, fill(zeros(own.device, own.shape), 0.25));
    adamW(own, gradient, moment, square, { learningRate: 0.1, step, weightDecay, ...(clipped && { clip: { squaredNorm: squaredNorm(gradient), maxNorm: 1 } }) });
    return concat([own, moment, square]);
  },
}));

const rowsOfLogits = { rows: many(12), vocab: size(400), temperature: fc.constantFrom(0, 0.7, 1, 2), topK: fc.constantFrom(0, 1, 7, 500), topP: fc.constantFrom(0, 0.3, 0.9, 1) };
const filterLogitsCase = fc.record(rowsOfLogits).map(({ rows, vocab, ...options }): Case => ({ inputs: { logits: [rows, vocab] }, spread: 6, differentiable: false, run: ({ logits }) => filterLogits(logits, options) }));

const penalizeLogitsCase = fc.record({ ...rowsOfLogits, repetition: fc.constantFrom(1, 1.3), presence: fc.constantFrom(0, 0.5), frequency: fc.constantFrom(0, 0.2), seen: fc.array(fc.record({ id: fc.nat({ max: 399 }), count: fc.nat({ max: 4 }) }), { maxLength: 30 }) })
  .map(({ rows, vocab, seen, repetition, presence, frequency }): Case => {
    const counts = Array.from({ length: rows }, (_, row) => new Map(seen.filter((__, i) => i % 3 !== row % 3).map(({ id, count }) => [id % vocab, count])));
    const blocked = Array.from({ length: rows }, (_, row) => [row % vocab]);
    return { inputs: { logits: [rows, vocab] }, spread: 6, differentiable: false, run: ({ logits }) => penalizeLogits(logits, { counts, blocked, repetition, presence, frequency }) };
  });

const sampleTokensCase = fc.record({ ...rowsOfLogits, seed: fc.nat({ max: 1e6 }), which: fc.constantFrom('ids', 'logProbs') }).map(({ rows, vocab, seed, which, ...options }): Case => (
  {
    inputs: { logits: [rows, vocab] }, spread: 6, differentiable: false,
    run({ logits }) {
      const drawn = sampleTokens(logits, { ...options, seed, sample: Array.from({ length: rows }, (_, row) => row) });
      return which === 'ids' ? drawn.ids : besideOne(drawn.logProbs);
    },
  }));

export const kinds: Readonly<Record<string, fc.Arbitrary<Case>>> = {
  attention: attentionCase, pagedAttention: pagedAttentionCase, cacheAppend: cacheAppendCase, matmul: matmulCase, linear: linearCase, 'linear, epilogues': epilogueCase, 'linear, stored weights': storedLinearCase, layerNorm: layerNormCase, rmsNorm: rmsNormCase, embedding: embeddingCase,
  crossEntropy: crossEntropyCase, linearCrossEntropy: linearCrossEntropyCase, segmentMean: segmentMeanCase, softmax: softmaxCase, rotary: rotaryCase, conv1d: conv1dCase, pool1d: poolCase, arithmetic: arithmeticCase, reductions: reductionCase,
  'whole sums': wholeSumCase, elementwise: elementwiseCase, rows: rowsCase, cast: castCase, adamW: adamWCase, filterLogits: filterLogitsCase, penalizeLogits: penalizeLogitsCase, sampleTokens: sampleTokensCase,
};
