import { devices } from '../../../test/devices';
import { linear, matmul, tensor, zeros } from '../../index';
import { describeOp, testNumbers, type OpCase } from '../../testing';

const both = [false, true];
const transposes: OpCase[] = both.flatMap((transposeA) => both.map((transposeB) => ({
  name: `transposeA ${transposeA}, transposeB ${transposeB}`,
  inputs: { a: transposeA ? [19, 6] : [6, 19], b: transposeB ? [21, 19] : [19, 21] },
  run: ({ a, b }) => matmul(a, b, { transposeA, transposeB }),
})));

describeOp('matmul', [
  ...transposes,
  { name: 'linear with bias', inputs: { x: [6, 19], weight: [10, 19], bias: [10] }, run: ({ x, weight, bias }) => linear(x, weight, bias) },
  { name: 'linear without bias', inputs: { x: [13, 8], weight: [9, 8] }, run: ({ x, weight }) => linear(x, weight) },
  { name: 'sizes beyond one block', inputs: { x: [67, 150], weight: [70, 150], bias: [70] }, run: ({ x, weight, bias }) => linear(x, weight, bias) },
  { name: 'one row, one column', inputs: { a: [1, 33], b: [33, 1] }, run: ({ a, b }) => matmul(a, b) },
  ...(['gelu', 'silu', 'tanh'] as const).map((activation): OpCase => ({ name: `linear with ${activation} and a residual`, inputs: { x: [6, 19], weight: [10, 19], bias: [10], residual: [6, 10] }, run: ({ x, weight, bias, residual }) => linear(x, weight, bias, { activation, residual }) })),
  { name: 'linear of two rows with gelu', inputs: { x: [2, 19], weight: [13, 19] }, run: ({ x, weight }) => linear(x, weight, undefined, { activation: 'gelu' }) },
  { name: 'linear of 16 bits with silu and a residual', inputs: { x: [3, 19], residual: [3, 13] }, run: ({ x, residual }, device) => linear(x, tensor(device, testNumbers(3, 13 * 19), [13, 19], { dtype: 'float16' }), undefined, { activation: 'silu', residual }) },
  { name: 'linear with a residual, no rows', inputs: { x: [0, 3], weight: [4, 3], residual: [0, 4] }, run: ({ x, weight, residual }) => linear(x, weight, undefined, { residual }), differentiable: false },
  { name: 'no rows', inputs: { a: [0, 3], b: [3, 4] }, run: ({ a, b }) => matmul(a, b), differentiable: false },
], devices);

test('inner sizes must meet', async () => {
  const device = await devices.reference();
  expect(() => matmul(zeros(device, [2, 3]), zeros(device, [4, 5]))).toThrow('matmul: expected b of shape [k 3, n], got [4, 5]');
  expect(() => linear(zeros(device, [2, 3]), zeros(device, [4, 3]), zeros(device, [5]))).toThrow('linear: expected bias of shape [outputs 4], got [5]');
  expect(() => linear(zeros(device, [2, 3]), zeros(device, [4, 5]))).toThrow('linear: expected weight of shape [outputs 4, inputs 3], got [4, 5]');
  expect(() => linear(zeros(device, [2, 3]), zeros(device, [4, 3]), undefined, { residual: zeros(device, [4]) })).toThrow('linear: expected residual of shape [rows 2, outputs 4], got [4]');
});

test.each(['wasm', 'wasm, 2 threads'])('a row has the same bits however many come with it, and whether the weight was packed before, on %s', async (kind) => {
  const device = await devices[kind]();
  for (const [n, k] of [[48, 300], [21, 515]]) {
    const [values, weight, bias, residual] = [testNumbers(1, 130 * k), tensor(device, testNumbers(2, n * k), [n, k]), tensor(device, testNumbers(3, n)), testNumbers(4, 130 * n)];
    const product = async (rows: number) => [...(await device.read(linear(tensor(device, values.subarray(0, rows * k), [rows, k]), weight, bias, { activation: 'silu', residual: tensor(device, residual.subarray(0, rows * n), [rows, n]) })))];
    const all = await product(130);
    for (const rows of [1, 2, 4, 5, 32, 63, 64, 65, 1, 3]) expect(await product(rows)).toEqual(all.slice(0, rows * n));
    device.write(weight, testNumbers(2, n * k)); // a new version: not packed the next time
    for (const rows of [1, 1, 1, 3]) expect(await product(rows)).toEqual(all.slice(0, rows * n));
  }
  await device.destroy();
});
