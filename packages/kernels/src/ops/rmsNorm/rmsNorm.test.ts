import { devices } from '../../../test/devices';
import { add, addRmsNorm, mul, rmsNorm, scale, zeros } from '../../index';
import { describeOp } from '../../testing';

describeOp('rmsNorm', [
  { name: 'rows of 14', inputs: { x: [6, 14], weight: [14] }, run: ({ x, weight }) => rmsNorm(x, weight) },
  { name: 'rows of 70, three axes, epsilon 1e-5', inputs: { x: [3, 7, 70], weight: [70] }, run: ({ x, weight }) => rmsNorm(x, weight, { epsilon: 1e-5 }) },
  { name: 'a residual is added first, and gets its gradient', inputs: { x: [9, 21], weight: [21], residual: [9, 21] }, run: ({ x, weight, residual }) => rmsNorm(x, weight, { residual }) },
  { name: 'sum and norm, of which the norm is used', inputs: { x: [4, 10], r: [4, 10], w: [10] }, run: ({ x, r, w }) => addRmsNorm(x, r, w).output },
  { name: 'sum and norm, of which the sum is used', inputs: { x: [4, 10], r: [4, 10], w: [10] }, run: ({ x, r, w }) => add(addRmsNorm(x, r, w).sum, scale(w, 0)) },
  { name: 'sum and norm, both used', inputs: { x: [3, 21], r: [3, 21], w: [21] }, run: ({ x, r, w }) => { const { output, sum } = addRmsNorm(x, r, w); return mul(output, sum); } },
  { name: 'sum and norm of no rows', inputs: { x: [0, 8], w: [8] }, run: ({ x, w }) => addRmsNorm(x, x, w).output, differentiable: false },
  { name: 'no rows', inputs: { x: [0, 8], weight: [8] }, run: ({ x, weight }) => rmsNorm(x, weight), differentiable: false },
], devices);

test('shapes are checked before anything runs', async () => {
  const device = await devices.reference();
  expect(() => rmsNorm(zeros(device, [2, 3]), zeros(device, [4]))).toThrow('rmsNorm: expected weight of shape [3], got [4]');
  expect(() => rmsNorm(zeros(device, [2, 3]), zeros(device, [3]), { residual: zeros(device, [3, 3]) })).toThrow('rmsNorm: expected x and residual of one shape, got [2, 3] and [3, 3]');
});
