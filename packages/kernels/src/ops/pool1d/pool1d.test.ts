import { devices } from '../../../test/devices';
import { averagePool1d, maxPool1d, read, tensor, zeros } from '../../index';
import { describeOp, type OpCase } from '../../testing';

const cases = [['max', maxPool1d], ['average', averagePool1d]].flatMap(([name, pool]): OpCase[] => {
  const run = pool as typeof maxPool1d;
  return [
    { name: `${name}, windows side by side, a rest`, inputs: { x: [2, 11, 6] }, run: ({ x }) => run(x, { size: 3 }) },
    { name: `${name}, overlapping windows with padding`, inputs: { x: [2, 10, 5] }, run: ({ x }) => run(x, { size: 4, stride: 2, padding: 2 }) },
    { name: `${name}, gaps between windows`, inputs: { x: [1, 9, 4] }, run: ({ x }) => run(x, { size: 2, stride: 3, padding: 1 }) },
    { name: `${name}, the whole sequence`, inputs: { x: [3, 7, 1] }, run: ({ x }) => run(x, { size: 7 }) },
    { name: `${name}, no sequences`, inputs: { x: [0, 7, 2] }, run: ({ x }) => run(x, { size: 3 }), differentiable: false },
  ];
});
describeOp('pool1d', cases, devices);

test.each(Object.entries(devices))('NaN is largest, and a window of -Infinity is that, on %s', async (_kind, create) => {
  const device = await create();
  expect([...(await read(maxPool1d(tensor(device, [1, NaN, 3, -Infinity, -Infinity, -Infinity], [1, 6, 1]), { size: 3 })))]).toEqual([NaN, -Infinity]);
  await device.destroy();
});

test('windows are checked before anything runs', async () => {
  const device = await devices.reference();
  expect(() => maxPool1d(zeros(device, [1, 4, 2]), { size: 2, padding: 2 })).toThrow('maxPool1d: expected padding below size 2, got 2');
  expect(() => averagePool1d(zeros(device, [1, 4, 2]), { size: 5 })).toThrow('averagePool1d: expected sequences of at least 5 elements, got 4; pad them');
  expect(() => averagePool1d(zeros(device, [4, 2]), { size: 2 })).toThrow('averagePool1d: expected x of shape [batch, length, channels], got [4, 2]');
});
