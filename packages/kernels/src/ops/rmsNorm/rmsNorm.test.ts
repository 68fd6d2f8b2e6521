import { devices } from '../../../test/devices';
import { rmsNorm, zeros } from '../../index';
import { describeOp } from '../../testing';

describeOp('rmsNorm', [
  { name: 'rows of 14', inputs: { x: [6, 14], weight: [14] }, run: ({ x, weight }) => rmsNorm(x, weight) },
  { name: 'rows of 70, three axes, epsilon 1e-5', inputs: { x: [3, 7, 70], weight: [70] }, run: ({ x, weight }) => rmsNorm(x, weight, { epsilon: 1e-5 }) },
  { name: 'a residual is added first, and gets its gradient', inputs: { x: [9, 21], weight: [21], residual: [9, 21] }, run: ({ x, weight, residual }) => rmsNorm(x, weight, { residual }) },
  { name: 'no rows', inputs: { x: [0, 8], weight: [8] }, run: ({ x, weight }) => rmsNorm(x, weight), differentiable: false },
], devices);

test('shapes are checked before anything runs', async () => {
  const device = await devices.reference();
  expect(() => rmsNorm(zeros(device, [2, 3]), zeros(device, [4]))).toThrow('rmsNorm: expected weight of shape [3], got [4]');
  expect(() => rmsNorm(zeros(device, [2, 3]), zeros(device, [3]), { residual: zeros(device, [3, 3]) })).toThrow('rmsNorm: expected x and residual of one shape, got [2, 3] and [3, 3]');
});
