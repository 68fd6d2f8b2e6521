import { devices } from '../../../test/devices';
import { crossEntropy, tensor } from '../../index';
import { describeOp } from '../../testing';

const labels = Int32Array.from([2, 0, -100, 1, 1, 0]);
describeOp('crossEntropy', [
  { name: 'sum over rows that are not ignored', inputs: { logits: [6, 3] }, spread: 5, run: ({ logits }, device) => crossEntropy(logits, tensor(device, labels)).sum },
  { name: 'count of those rows', inputs: { logits: [6, 3] }, run: ({ logits }, device) => crossEntropy(logits, tensor(device, labels)).count, differentiable: false },
  { name: 'many classes, large logits', inputs: { logits: [6, 300] }, spread: 60, run: ({ logits }, device) => crossEntropy(logits, tensor(device, labels)).sum },
  { name: 'another ignored label', inputs: { logits: [6, 3] }, run: ({ logits }, device) => crossEntropy(logits, tensor(device, labels.map((label) => Math.max(label, 0))), { ignoreIndex: 0 }).sum },
], devices);

test.each(Object.entries(devices))('a label outside the classes is NaN, not a silent zero, on %s', async (_kind, create) => {
  const device = await create();
  const { sum } = crossEntropy(tensor(device, [1, 2, 3, 4], [2, 2]), tensor(device, Int32Array.of(0, 2)));
  expect((await device.read(sum))[0]).toBeNaN();
  await device.destroy();
});
