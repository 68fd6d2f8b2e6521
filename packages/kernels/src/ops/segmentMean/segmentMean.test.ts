import { devices } from '../../../test/devices';
import { segmentMean } from '../../index';
import { describeOp } from '../../testing';

describeOp('segmentMean', [
  { name: 'sequences of several lengths, one of them empty', inputs: { x: [11, 6] }, run: ({ x }) => segmentMean(x, [0, 5, 5, 6, 11]) },
  { name: 'wide rows', inputs: { x: [7, 64] }, run: ({ x }) => segmentMean(x, [0, 3, 7]) },
], devices);
