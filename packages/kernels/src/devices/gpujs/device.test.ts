import { join } from 'node:path';
import { attentionCases, checkAttention, goldenFolder } from '../../../test/golden';
import { addRmsNorm, addRow, alibiSlopes, attention, cast, createReferenceDevice, dropout, embedding, geglu, gelu, layerNorm, linear, matmul, mul, mulRow, quantizeRows, read, rmsNorm, rotary, rotaryTable, scale, scope, segmentMean, silu, softmax, sub, swiglu, tanh, tensor, add, UnsupportedOpError, type Tensor } from '../../index';
import { allClose, evaluateCase, type OpCase } from '../../testing';
import { createGpuJsDevice } from './device';

const cuSeqlens = [0, 5, 5, 6, 13];
const ids = (device: Tensor['device'], ...values: number[]) => tensor(device, Uint32Array.from(values));

const cases: readonly OpCase[] = [
  { name: 'matmul', inputs: { a: [5, 7], b: [7, 3] }, run: ({ a, b }) => matmul(a, b) },
  { name: 'matmul, transposed', inputs: { a: [7, 5], b: [3, 7] }, run: ({ a, b }) => matmul(a, b, { transposeA: true, transposeB: true }) },
  { name: 'linear', inputs: { x: [5, 33], weight: [4, 33], bias: [4] }, run: ({ x, weight, bias }) => linear(x, weight, bias) },
  { name: 'linear with an epilogue', inputs: { x: [5, 33], weight: [4, 33], bias: [4], residual: [5, 4] }, run: ({ x, weight, bias, residual }) => linear(x, weight, bias, { activation: 'gelu', residual }) },
  { name: 'linear, float16', inputs: { x: [5, 6], weight: [4, 6] }, run: ({ x, weight }) => scope<Tensor>(() => linear(x, cast(weight, 'float16'))) },
  { name: 'linear, 8 bits', inputs: { x: [5, 6], weight: [4, 6], bias: [4] }, run: ({ x, weight, bias }) => scope<Tensor>(() => linear(x, quantizeRows(weight), bias)) },
  { name: 'no inputs', inputs: { x: [5, 0], weight: [4, 0], bias: [4] }, run: ({ x, weight, bias }) => linear(x, weight, bias) },
  { name: 'no rows', inputs: { x: [0, 6], weight: [4, 6] }, run: ({ x, weight }) => linear(x, weight) },
  { name: 'embedding', inputs: { table: [9, 6] }, run: ({ table }, device) => embedding(table, ids(device, 3, 0, 8, 9, 4_000_000_000)) },
  { name: 'layerNorm', inputs: { x: [4, 3, 16], weight: [16], bias: [16] }, run: ({ x, weight, bias }) => layerNorm(x, weight, bias) },
  { name: 'rmsNorm', inputs: { x: [11, 16], weight: [16] }, run: ({ x, weight }) => rmsNorm(x, weight) },
  { name: 'rmsNorm of a sum', inputs: { x: [11, 16], weight: [16], residual: [11, 16] }, run: ({ x, weight, residual }) => rmsNorm(x, weight, { residual }) },
  { name: 'addRmsNorm', inputs: { x: [11, 16], weight: [16], residual: [11, 16] }, run: ({ x, weight, residual }) => scope<Tensor>(() => { const { output, sum } = addRmsNorm(x, residual, weight); return mul(output, sum); }) },
  { name: 'rotary', inputs: { x: [5, 3, 8] }, run: ({ x }, device) => scope<Tensor>(() => rotary(x, rotaryTable(device, { positions: 9, rotaryDim: 6 }), ids(device, 0, 1, 2, 9, 4), { heads: 2 })) },
  { name: 'gelu', inputs: { x: [7, 5] }, spread: 6, run: ({ x }) => gelu(x) },
  { name: 'silu', inputs: { x: [7, 5] }, spread: 20, run: ({ x }) => silu(x) },
  { name: 'tanh', inputs: { x: [7, 5] }, spread: 4, run: ({ x }) => tanh(x) },
  { name: 'geglu', inputs: { x: [6, 16] }, spread: 4, run: ({ x }) => geglu(x) },
  { name: 'swiglu', inputs: { x: [2, 3, 16] }, spread: 4, run: ({ x }) => swiglu(x) },
  { name: 'attention, ALiBi', inputs: { qkv: [13, 3, 3, 4] }, run: ({ qkv }) => attention({ qkv }, { cuSeqlens, alibiSlopes: alibiSlopes(3) }).output },
  { name: 'attention, its logSumExp, a window that is empty for some', inputs: { query: [13, 4, 4], key: [9, 2, 4], value: [9, 2, 4] }, run: ({ query, key, value }) => attention({ query, key, value }, { cuSeqlens, cuSeqlensKey: [0, 2, 3, 3, 9], causal: true, windowSize: [2, -1] }).logSumExp },
  { name: 'attention, causal, grouped heads', inputs: { query: [13, 4, 4], key: [9, 2, 4], value: [9, 2, 4] }, run: ({ query, key, value }) => attention({ query, key, value }, { cuSeqlens, cuSeqlensKey: [0, 2, 3, 3, 9], causal: true }).output },
  { name: 'softmax', inputs: { x: [6, 15] }, spread: 8, run: ({ x }) => softmax(x) },
  { name: 'segmentMean', inputs: { x: [13, 6] }, run: ({ x }) => segmentMean(x, cuSeqlens) },
  { name: 'arithmetic', inputs: { a: [7, 5], b: [7, 5], row: [5] }, run: ({ a, b, row }) => scope<Tensor>(() => mulRow(addRow(scale(sub(mul(a, b), add(a, b)), -0.3), row), row)) },
];

describe('gpujs, in gpu.js\'s cpu mode, equals the definition', () => {
  const device = createGpuJsDevice({ mode: 'cpu', otherOps: 'reference' });
  afterAll(() => device.destroy());
  test.each(cases.map((opCase) => [opCase.name, opCase] as const))('%s', async (name, opCase) => {
    const forward = { ...opCase, differentiable: false };
    const [actual, expected] = [await evaluateCase(forward, device), await evaluateCase(forward, createReferenceDevice())];
    allClose(actual.value, expected.value, 2e-6, name);
  });
  test('and only what has no kernel ran as its definition', () => {
    const report = device.report();
    expect(report.filter(({ onReference }) => onReference).map(({ op, reason }) => [op, reason])).toEqual([['cast', 'a copy in main memory, where tensors lie'], ['quantizeRows', expect.stringMatching(/^no gpu.js kernel for this op/)]]);
    expect(report.find(({ op }) => op === 'attention')).toEqual({ op: 'attention', launches: 6, onReference: 0 });
  });
  test.each(attentionCases(join(goldenFolder, 'attention')))('attention equals flash-attention in float64: %s', (name) => checkAttention(device, join(goldenFolder, 'attention'), name));
});

test('a kernel that was compiled for no keys serves some', async () => {
  const device = createGpuJsDevice({ mode: 'cpu' });
  for (const tokens of [0, 3]) {
    const means = await read(segmentMean(tensor(device, new Float32Array(2 * tokens).fill(4), [tokens, 2]), [0, tokens, tokens]));
    expect([...means]).toEqual([tokens && 4, tokens && 4, 0, 0]);
  }
  await device.destroy();
});

test('an op without a kernel is an error, unless asked for otherwise', async () => {
  const device = createGpuJsDevice({ mode: 'cpu' });
  expect(() => dropout(tensor(device, [1, 2]), 0.5, { seed: 1, step: 1, layer: 1 })).toThrow('dropout: expected a device with this op, got gpujs; use wasm, or createGpuJsDevice({ otherOps: \'reference\' }) to run its definition on the CPU');
  expect(device.report()).toEqual([]);
  expect(() => dropout(tensor(device, [1, 2]), 0.5, { seed: 1, step: 1, layer: 1 })).toThrow(UnsupportedOpError);
  expect(() => add(tensor(device, [1, 2], [2, 1]), tensor(device, [1, 2, 3]))).toThrow('add: expected a device with this op, got gpujs'); // repeated along axes: only the same shapes have a kernel
  await device.destroy();
});

test('without WebGL2 the device says so', () => {
  expect(() => createGpuJsDevice()).toThrow('createGpuJsDevice: expected WebGL2 that renders to float32 textures (EXT_color_buffer_float), got none');
});

test('NaN stays where it is', async () => {
  const device = createGpuJsDevice({ mode: 'cpu' });
  const x = tensor(device, [1, NaN, 3, 4, 5, 6], [2, 3]);
  expect([...(await read(softmax(x)))].map(Number.isNaN)).toEqual([true, true, true, false, false, false]);
  expect([...(await read(gelu(x)))].map(Number.isNaN)).toEqual([false, true, false, false, false, false]);
  await device.destroy();
});
