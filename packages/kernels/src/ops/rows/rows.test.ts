import { devices } from '../../../test/devices';
import { concat, mul, read, slice, tensor, zeros } from '../../index';
import { describeOp } from '../../testing';

describeOp('concat and slice', [
  { name: 'three tensors, one of them empty', inputs: { a: [2, 3], b: [0, 3], c: [5, 3] }, run: ({ a, b, c }) => concat([a, b, c]) },
  { name: 'one tensor twice', inputs: { a: [3, 2, 5] }, run: ({ a }) => concat([a, a]) },
  { name: 'rows in the middle', inputs: { x: [9, 2, 7] }, run: ({ x }) => slice(x, 2, 6) },
  { name: 'the rest', inputs: { x: [70] }, run: ({ x }) => slice(x, 65) },
  { name: 'overlapping rows add their gradients', inputs: { x: [6, 3] }, run: ({ x }) => mul(slice(x, 0, 4), slice(x, 2, 6)) },
  { name: 'no rows', inputs: { x: [6, 3] }, run: ({ x }) => slice(x, 3, 3), differentiable: false },
], devices);

test.each(Object.entries(devices))('integers keep their bits on %s', async (_kind, create) => {
  const device = await create();
  const [a, b] = [Int32Array.of(-1, 2139095041, 3, 4), Int32Array.of(-4194303, 6)];
  expect([...(await read(slice(concat([tensor(device, a, [2, 2]), tensor(device, b, [1, 2])]), 0, 3)))]).toEqual([...a, ...b]);
  expect(() => concat([tensor(device, a), zeros(device, [2])])).toThrow('concat: expected x as int32, got float32 [2]');
  expect(() => slice(tensor(device, Int8Array.of(1)), 0, 1)).toThrow('slice: expected float32, int32 or uint32, got int8 [1]; cast it first');
  await device.destroy();
});

test('concat of slices is the tensor', async () => {
  const device = await devices.reference();
  const x = zeros(device, [4, 2]);
  expect(concat([slice(x, 0, 1), slice(x, 1)]).shape).toEqual(x.shape);
  expect(() => concat([x, zeros(device, [4, 3])])).toThrow('concat: expected tensors of shape [rows, 2], got, as input 1, [4, 3]');
  expect(() => concat([])).toThrow('concat: expected at least one tensor, got none');
  expect(() => slice(x, 3, 5)).toThrow('slice: expected 0 ≤ start ≤ end ≤ 4 rows, got 3 and 5');
});
