import { devices } from '../../../test/devices';
import { geglu, swiglu, zeros } from '../../index';
import { describeOp } from '../../testing';

describeOp('gated linear units', [
  { name: 'geglu', inputs: { x: [6, 14] }, spread: 4, run: ({ x }) => geglu(x) },
  { name: 'swiglu', inputs: { x: [6, 14] }, spread: 4, run: ({ x }) => swiglu(x) },
  { name: 'geglu, wide rows', inputs: { x: [5, 512] }, spread: 3, run: ({ x }) => geglu(x) },
  { name: 'no rows', inputs: { x: [0, 8] }, run: ({ x }) => geglu(x), differentiable: false },
], devices);

test('an odd last axis is refused', async () => {
  const x = zeros(await devices.reference(), [2, 3]);
  expect(() => geglu(x)).toThrow('geglu: expected an even last axis, got 3');
});
