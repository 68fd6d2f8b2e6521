import { devices } from '../../../test/devices';
import { addRow, mulRow, zeros } from '../../index';
import { describeOp } from '../../testing';

describeOp('one row for all rows', [
  { name: 'addRow', inputs: { x: [2, 3, 13], row: [13] }, run: ({ x, row }) => addRow(x, row) },
  { name: 'mulRow', inputs: { x: [6, 13], row: [13] }, run: ({ x, row }) => mulRow(x, row) },
  { name: 'no rows', inputs: { x: [0, 5], row: [5] }, run: ({ x, row }) => addRow(x, row), differentiable: false },
], devices);

test('the row must be as wide as x', async () => {
  const device = await devices.reference();
  expect(() => addRow(zeros(device, [2, 3]), zeros(device, [4]))).toThrow('addRow: expected row of shape [3], got [4]');
});
