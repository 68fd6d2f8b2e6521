import { devices } from '../../../test/devices';
import { accumulate, add, fill, mul, scale, sub, tensor, zeros } from '../../index';
import { describeOp } from '../../testing';

describeOp('elementwise', [
  { name: 'add', inputs: { a: [7, 5], b: [7, 5] }, run: ({ a, b }) => add(a, b) },
  { name: 'add twice the same', inputs: { a: [70] }, run: ({ a }) => add(add(a, a), a) },
  { name: 'sub', inputs: { a: [7, 5], b: [7, 5] }, run: ({ a, b }) => sub(a, b) },
  { name: 'mul', inputs: { a: [3, 1001], b: [3, 1001] }, run: ({ a, b }) => mul(a, b) },
  { name: 'mul with itself', inputs: { a: [9] }, run: ({ a }) => mul(a, a) },
  { name: 'scale', inputs: { a: [70] }, run: ({ a }) => scale(a, -0.3) },
  { name: 'no elements', inputs: { a: [0, 5], b: [0, 5] }, run: ({ a, b }) => add(scale(a, 2), b), differentiable: false },
], devices);

test.each(Object.entries(devices))('fill and accumulate work in place on %s', async (_kind, create) => {
  const device = await create();
  const x = fill(zeros(device, [67]), 1.5);
  accumulate(x, tensor(device, Float32Array.from({ length: 67 }, (_, i) => i)));
  expect([...(await device.read(x))]).toEqual(Array.from({ length: 67 }, (_, i) => i + 1.5));
  await device.destroy();
});

test('shapes and types are checked before anything runs', async () => {
  const device = await devices.reference();
  const live = device.memory.live;
  expect(() => add(zeros(device, [2]), zeros(device, [3]))).toThrow('add: expected a and b of one shape, got [2] and [3]');
  expect(() => scale(tensor(device, Uint32Array.of(1)), 2)).toThrow('scale: expected x as float32, got uint32 [1]');
  expect(device.memory.live - live).toBe(24);
});
