// One case for each op, small enough for a GPU that is played by a CPU.
import { accumulate, AdamW, adamW, add, addRmsNorm, addRow, attention, alibiSlopes, averagePool1d, broadcastTo, cacheAppend, cast, concat, conv1d, crossEntropy, div, dropout, embedding, fill, filterLogits, geglu, gelu, layerNorm, linear, linearCrossEntropy, matmul, max, maxPool1d, mean, mul, mulRow, pagedAttention, penalizeLogits, quantizeRows, rmsNorm, rotary, rotaryTable, sampleTokens, scale, scope, segmentMean, silu, slice, softmax, squaredNorm, sub, sum, sumRows, sumSquares, swiglu, tanh, tensor, zeros, type Tensor } from '@genomelm/kernels';
import { testNumbers, type OpCase } from '@genomelm/kernels/testing';

const cuSeqlens = [0, 5, 6, 23];
const floats = (device: Tensor['device'], seed: number, ...shape: number[]) => tensor(device, testNumbers(seed, shape.reduce((a, b) => a * b)), shape);

export const cases: readonly OpCase[] = [
  { name: 'add', inputs: { a: [7, 5], b: [7, 5] }, run: ({ a, b }) => add(a, b) },
  { name: 'sub', inputs: { a: [7, 5], b: [7, 5] }, run: ({ a, b }) => sub(a, b) },
  { name: 'mul', inputs: { a: [7, 5], b: [7, 5] }, run: ({ a, b }) => mul(a, b) },
  { name: 'div, repeated', inputs: { a: [7, 5], b: [7, 1] }, run: ({ a, b }) => div(a, add(mul(b, b), floats(b.device, 3, 1))), tolerance: 1e-5 },
  { name: 'add, broadcasting', inputs: { a: [4, 1, 3], b: [5, 1] }, run: ({ a, b }) => add(a, b) },
  { name: 'broadcastTo', inputs: { x: [2, 1, 3] }, run: ({ x }) => broadcastTo(x, [4, 2, 5, 3]) },
  { name: 'sum over axes', inputs: { x: [3, 5, 20] }, run: ({ x }) => sum(x, { axes: [0, 2] }), tolerance: 4e-6 },
  { name: 'mean', inputs: { x: [7, 9] }, run: ({ x }) => mean(x, { axes: [1] }) },
  { name: 'max', inputs: { x: [7, 9] }, run: ({ x }) => max(x, { axes: [0] }) },
  { name: 'cast', inputs: { x: [33] }, run: ({ x }) => cast(cast(x, 'float16'), 'float32'), differentiable: false },
  { name: 'scale', inputs: { x: [70] }, run: ({ x }) => scale(x, -0.3) },
  { name: 'fill, accumulate', inputs: {}, run: (_inputs, device) => {
    const total = fill(zeros(device, [70]), 1.5);
    accumulate(total, floats(device, 1, 70));
    return total;
  } },
  { name: 'matmul', inputs: { a: [19, 33], b: [33, 21] }, run: ({ a, b }) => matmul(a, b) },
  { name: 'linear', inputs: { x: [19, 33], weight: [40, 33], bias: [40] }, run: ({ x, weight, bias }) => linear(x, weight, bias) },
  { name: 'linear, 16 bits, with gelu and a residual', inputs: { x: [5, 16], residual: [5, 10] }, run: ({ x, residual }, device) => linear(x, tensor(device, testNumbers(2, 160), [10, 16], { dtype: 'bfloat16' }), undefined, { activation: 'gelu', residual }) },
  { name: 'linear, 8 bits', inputs: { x: [5, 16] }, run: ({ x }, device) => scope<Tensor>(() => linear(x, { ...quantizeRows(floats(device, 2, 10, 16)), values: tensor(device, Int8Array.from(testNumbers(3, 160, 127)), [10, 16]) })), tolerance: 1e-5 },
  { name: 'quantizeRows', inputs: { weight: [9, 40] }, differentiable: false, run: ({ weight }) => scope<Tensor>(() => {
    const { values, scales } = quantizeRows(weight);
    return concat([sumRows(cast(values, 'float32')), scales]);
  }) },
  { name: 'embedding, 16 bits', inputs: {}, run: (_inputs, device) => embedding(tensor(device, testNumbers(3, 9 * 64), [9, 64], { dtype: 'float16' }), tensor(device, Uint32Array.of(3, 0, 8))) },
  { name: 'embedding', inputs: { table: [9, 64] }, run: ({ table }, device) => embedding(table, tensor(device, Uint32Array.of(3, 0, 3, 6, 1, 3))) },
  { name: 'layerNorm', inputs: { x: [11, 64], weight: [64], bias: [64] }, run: ({ x, weight, bias }) => layerNorm(x, weight, bias) },
  { name: 'rmsNorm', inputs: { x: [11, 64], weight: [64], residual: [11, 64] }, run: ({ x, weight, residual }) => rmsNorm(x, weight, { residual }) },
  { name: 'addRmsNorm', inputs: { x: [11, 64], residual: [11, 64], weight: [64] }, run: ({ x, residual, weight }) => addRmsNorm(x, residual, weight).output },
  { name: 'rotary', inputs: { x: [5, 2, 8] }, run: ({ x }, device) => scope<Tensor>(() => rotary(x, rotaryTable(device, { positions: 9, rotaryDim: 8 }), tensor(device, Uint32Array.of(0, 1, 2, 8, 4)))) },
  { name: 'softmax', inputs: { x: [6, 30] }, spread: 8, run: ({ x }) => softmax(x) },
  { name: 'addRow', inputs: { x: [7, 5], row: [5] }, run: ({ x, row }) => addRow(x, row) },
  { name: 'mulRow', inputs: { x: [7, 5], row: [5] }, run: ({ x, row }) => mulRow(x, row) },
  { name: 'concat', inputs: { a: [2, 5], b: [4, 5] }, run: ({ a, b }) => concat([a, b]) },
  { name: 'slice', inputs: { x: [9, 5] }, run: ({ x }) => slice(x, 2, 6) },
  { name: 'gelu', inputs: { x: [7, 31] }, spread: 6, run: ({ x }) => gelu(x) },
  { name: 'silu', inputs: { x: [7, 31] }, spread: 6, run: ({ x }) => silu(x) },
  { name: 'tanh', inputs: { x: [7, 31] }, spread: 4, run: ({ x }) => tanh(x) },
  { name: 'geglu', inputs: { x: [6, 64] }, spread: 4, run: ({ x }) => geglu(x) },
  { name: 'swiglu', inputs: { x: [6, 64] }, spread: 4, run: ({ x }) => swiglu(x) },
  { name: 'attention, ALiBi', inputs: { qkv: [23, 3, 2, 8] }, run: ({ qkv }) => attention({ qkv }, { cuSeqlens, alibiSlopes: alibiSlopes(2) }).output },
  { name: 'attention, causal, grouped heads', inputs: { query: [23, 4, 8], key: [23, 2, 8], value: [23, 2, 8] }, run: ({ query, key, value }) => attention({ query, key, value }, { cuSeqlens, causal: true }).output },
  { name: 'cacheAppend, pagedAttention', inputs: { query: [2, 4, 8], rows: [20, 2, 8] }, differentiable: false, run: ({ query, rows }, device) => scope<Tensor>(() => {
    const cache = tensor(device, new Uint16Array(48 * 16), [48, 2, 8], { dtype: 'float16' });
    cacheAppend(cache, rows, Array.from({ length: 20 }, (_, i) => (i < 16 ? 32 + i : i - 16)));
    return pagedAttention({ query, keyCache: cache, valueCache: cache }, { cuSeqlens: [0, 2], contextLengths: [20], blockTable: [2, 0], alibiSlopes: alibiSlopes(4) });
  }) },
  { name: 'penalizeLogits', inputs: { x: [2, 9] }, differentiable: false, run: ({ x }) => penalizeLogits(x, { counts: [new Map([[1, 2]]), new Map([[3, 1]])], repetition: 1.2, frequency: 0.5, presence: 0.25 }) },
  { name: 'filterLogits', inputs: { x: [5, 30] }, spread: 5, differentiable: false, run: ({ x }) => filterLogits(x, { temperature: 0.9, topK: 12, topP: 0.9 }) },
  { name: 'filterLogits, sampleTokens', inputs: { x: [5, 30] }, spread: 5, differentiable: false, tolerance: 1e-5, run: ({ x }) => scope<Tensor>(() => sampleTokens(filterLogits(x, { temperature: 0.9 }), { topK: 9, topP: 0.8, seed: 3, sample: [0, 1, 2, 3, 4] }).logProbs) },
  { name: 'dropout', inputs: { x: [257] }, run: ({ x }) => dropout(x, 0.5, { seed: 7, step: 3, layer: 2 }) },
  { name: 'segmentMean', inputs: { x: [23, 6] }, run: ({ x }) => segmentMean(x, cuSeqlens) },
  { name: 'sum', inputs: { x: [7, 143] }, run: ({ x }) => sum(x) },
  { name: 'sumRows', inputs: { x: [37, 21] }, run: ({ x }) => sumRows(x), differentiable: false },
  { name: 'sumSquares', inputs: { x: [37, 21] }, run: ({ x }) => sumSquares(x), differentiable: false },
  { name: 'crossEntropy', inputs: { logits: [6, 30] }, spread: 8, run: ({ logits }, device) => crossEntropy(logits, tensor(device, Int32Array.of(2, 0, -100, 1, 29, 0))).sum },
  { name: 'linearCrossEntropy', inputs: { x: [70, 6], weight: [11, 6] }, run: ({ x, weight }, device) => scope<Tensor>(() => linearCrossEntropy(x, weight, tensor(device, Int32Array.from({ length: 70 }, (_, i) => i % 12 - 1)), { ignoreIndex: -1, rowsPerBlock: 64 }).sum) },
  { name: 'conv1d', inputs: { x: [2, 13, 4], weight: [3, 5, 4], bias: [3] }, run: ({ x, weight, bias }) => conv1d(x, weight, bias, { stride: 3, padding: 4, dilation: 2 }) },
  { name: 'maxPool1d', inputs: { x: [2, 10, 5] }, run: ({ x }) => maxPool1d(x, { size: 4, stride: 2, padding: 2 }) },
  { name: 'averagePool1d', inputs: { x: [2, 10, 5] }, run: ({ x }) => averagePool1d(x, { size: 4, stride: 2, padding: 2 }) },
  { name: 'AdamW over a tree', inputs: {}, run: (_inputs, device) => {
    const [parameters, gradients] = [{ a: floats(device, 1, 71), b: floats(device, 2, 5, 3) }, { a: floats(device, 3, 71), b: floats(device, 4, 5, 3) }];
    const optimizer = AdamW(parameters, { clipNorm: 0.5 });
    for (let step = 1; step <= 3; step++) optimizer.update(gradients, 0.01);
    optimizer.dispose();
    return parameters.b;
  } },
  { name: 'adamW, clipped', inputs: {}, run: (_inputs, device) => {
    const [parameter, gradient] = [floats(device, 1, 71), floats(device, 2, 71)];
    const moments = [zeros(device, [71]), zeros(device, [71])] as const;
    for (let step = 1; step <= 3; step++) adamW(parameter, gradient, ...moments, { learningRate: 0.01, step, clip: { squaredNorm: squaredNorm([gradient]), maxNorm: 0.5 } });
    return parameter;
  } },
];
