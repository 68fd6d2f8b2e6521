import { devices } from '../../../test/devices';
import { concat, mul, slice, zeros } from '../../index';
import { describeOp } from '../../testing';

describeOp('concat and slice', [
  { name: 'three tensors, one of them empty', inputs: { a: [2, 3], b: [0, 3], c: [5, 3] }, run: ({ a, b, c }) => concat([a, b, c]) },
  { name: 'one tensor twice', inputs: { a: [3, 2, 5] }, run: ({ a }) => concat([a, a]) },
  { name: 'rows in the middle', inputs: { x: [9, 2, 7] }, run: ({ x }) => slice(x, 2, 6) },
  { name: 'the rest', inputs: { x: [70] }, run: ({ x }) => slice(x, 65) },
  { name: 'overlapping rows add their gradients', inputs: { x: [6, 3] }, run: ({ x }) => mul(slice(x, 0, 4), slice(x, 2, 6)) },
  { name: 'no rows', inputs: { x: [6, 3] }, run: ({ x }) => slice(x, 3, 3), differentiable: false },
], devices);

test('concat of slices is the tensor', async () => {
  const device = await devices.reference();
  const x = zeros(device, [4, 2]);
  expect(concat([slice(x, 0, 1), slice(x, 1)]).shape).toEqual(x.shape);
  expect(() => concat([x, zeros(device, [4, 3])])).toThrow('concat: expected tensors of shape [rows, 2], got, as input 1, [4, 3]');
  expect(() => concat([])).toThrow('concat: expected at least one tensor, got none');
  expect(() => slice(x, 3, 5)).toThrow('slice: expected 0 ≤ start ≤ end ≤ 4 rows, got 3 and 5');
});
