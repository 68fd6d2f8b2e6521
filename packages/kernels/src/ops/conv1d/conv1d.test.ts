import { devices } from '../../../test/devices';
import { conv1d, read, tensor, zeros } from '../../index';
import { describeOp } from '../../testing';

describeOp('conv1d', [
  { name: 'windows of 3 with bias', inputs: { x: [2, 9, 5], weight: [4, 3, 5], bias: [4] }, run: ({ x, weight, bias }) => conv1d(x, weight, bias) },
  { name: 'stride, padding and dilation', inputs: { x: [2, 13, 4], weight: [3, 5, 4] }, run: ({ x, weight }) => conv1d(x, weight, undefined, { stride: 3, padding: 4, dilation: 2 }) },
  { name: 'one element', inputs: { x: [1, 1, 2], weight: [3, 3, 2] }, run: ({ x, weight }) => conv1d(x, weight, undefined, { padding: 1 }) },
  { name: 'no sequences', inputs: { x: [0, 7, 2], weight: [3, 3, 2] }, run: ({ x, weight }) => conv1d(x, weight), differentiable: false },
], devices);

test('it is a correlation, not flipped: torch.nn.functional.conv1d of [1, 2, 4, 7] with [1, 10] is [21, 42, 74]', async () => {
  const device = await devices.reference();
  expect([...(await read(conv1d(tensor(device, [1, 2, 4, 7], [1, 4, 1]), tensor(device, [1, 10], [1, 2, 1]))))]).toEqual([21, 42, 74]);
});

test('windows are checked before anything runs', async () => {
  const device = await devices.reference();
  const [x, weight] = [zeros(device, [1, 4, 2]), zeros(device, [3, 5, 2])];
  expect(() => conv1d(x, weight)).toThrow('conv1d: expected sequences of at least 5 elements, got 4; pad them');
  expect(() => conv1d(x, weight, undefined, { stride: 0 })).toThrow('conv1d: expected stride as a whole number of at least 1, got 0');
  expect(() => conv1d(x, zeros(device, [3, 5, 3]))).toThrow('conv1d: expected weight of shape [outputs 3, size 5, 2], got [3, 5, 3]');
});
