import { devices } from '../../../test/devices';
import { linear, matmul, zeros } from '../../index';
import { describeOp, type OpCase } from '../../testing';

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
  { name: 'no rows', inputs: { a: [0, 3], b: [3, 4] }, run: ({ a, b }) => matmul(a, b), differentiable: false },
], devices);

test('inner sizes must meet', async () => {
  const device = await devices.reference();
  expect(() => matmul(zeros(device, [2, 3]), zeros(device, [4, 5]))).toThrow('matmul: expected b of shape [k 3, n], got [4, 5]');
  expect(() => linear(zeros(device, [2, 3]), zeros(device, [4, 3]), zeros(device, [5]))).toThrow('matmul: expected bias of shape [n 4], got [5]');
});
