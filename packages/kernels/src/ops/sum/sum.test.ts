import { devices } from '../../../test/devices';
import { sum, sumRows, sumSquares } from '../../index';
import { describeOp } from '../../testing';
import { float32 } from '../../tensor';
import { columnSums } from './columnSums';

describeOp('sums', [
  { name: 'all elements', inputs: { x: [7, 143] }, run: ({ x }) => sum(x) },
  { name: 'rows', inputs: { x: [37, 21] }, run: ({ x }) => sumRows(x) },
  { name: 'no rows', inputs: { x: [0, 21] }, run: ({ x }) => sumRows(x), differentiable: false },
  { name: 'squares', inputs: { x: [37, 121] }, run: ({ x }) => sumSquares(x), differentiable: false },
], devices);

test('sums of more columns than one axis of a grid takes', () => {
  const { steps: [{ workgroups }] } = columnSums(float32(2, 65_535 * 16 + 3), [float32(65_535 * 16 + 3)], { shader: '', reads: [{ input: 0 }] });
  expect(workgroups).toEqual([65_535, 1, 2]); // as a whole it takes a software GPU two minutes
});
