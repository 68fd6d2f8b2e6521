import { devices } from '../../../test/devices';
import { sum, sumRows, sumSquares } from '../../index';
import { describeOp } from '../../testing';

describeOp('sums', [
  { name: 'all elements', inputs: { x: [7, 143] }, run: ({ x }) => sum(x) },
  { name: 'rows', inputs: { x: [37, 21] }, run: ({ x }) => sumRows(x) },
  { name: 'no rows', inputs: { x: [0, 21] }, run: ({ x }) => sumRows(x), differentiable: false },
  { name: 'squares', inputs: { x: [37, 121] }, run: ({ x }) => sumSquares(x), differentiable: false },
], devices);
