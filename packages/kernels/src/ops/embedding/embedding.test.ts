import { devices } from '../../../test/devices';
import { embedding, fromFloat16, read, tensor, toFloat16 } from '../../index';
import { describeOp, testNumbers } from '../../testing';

const ids = [3, 0, 3, 6, 1, 3];
describeOp('embedding', [
  { name: 'rows, some of them often', inputs: { table: [7, 5] }, run: ({ table }, device) => embedding(table, tensor(device, Uint32Array.from(ids))) },
  { name: 'wide rows', inputs: { table: [9, 64] }, run: ({ table }, device) => embedding(table, tensor(device, Uint32Array.from(ids))) },
  { name: 'an id beyond the table is zeros, and has no gradient', inputs: { table: [4, 3] }, run: ({ table }, device) => embedding(table, tensor(device, Uint32Array.of(1, 4, 4294967295, 3))) },
  { name: 'no ids', inputs: { table: [4, 3] }, run: ({ table }, device) => embedding(table, tensor(device, new Uint32Array(0))), differentiable: false },
], devices);

test.each(Object.entries(devices))('rows of a table in 16 bits are its numbers on %s', async (_kind, create) => {
  const device = await create();
  const bits = toFloat16(testNumbers(1, 5 * 11));
  const y = embedding(tensor(device, bits, [5, 11], { dtype: 'float16' }), tensor(device, Uint32Array.of(4, 5, 0)));
  expect([...(await read(y))]).toEqual([...fromFloat16(bits.subarray(44)), ...new Array(11).fill(0), ...fromFloat16(bits.subarray(0, 11))]);
  await device.destroy();
});
