import { devices } from '../../../test/devices';
import { read, softmax, tensor } from '../../index';
import { describeOp } from '../../testing';

describeOp('softmax', [
  { name: 'rows of 13', inputs: { x: [5, 13] }, spread: 6, run: ({ x }) => softmax(x) },
  { name: 'rows of 130, three axes', inputs: { x: [2, 3, 130] }, spread: 2, run: ({ x }) => softmax(x) },
  { name: 'one column', inputs: { x: [4, 1] }, run: ({ x }) => softmax(x) },
  { name: 'no rows', inputs: { x: [0, 4] }, run: ({ x }) => softmax(x), differentiable: false },
], devices);

test.each(Object.entries(devices))('large numbers do not overflow, and -Infinity is a probability of zero, on %s', async (_kind, create) => {
  const device = await create();
  expect([...(await read(softmax(tensor(device, [3e38, 3e38, -Infinity, -3e38], [1, 4]))))]).toEqual([0.5, 0.5, 0, 0]);
  await device.destroy();
});
