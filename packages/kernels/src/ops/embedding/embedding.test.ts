import { devices } from '../../../test/devices';
import { embedding, tensor } from '../../index';
import { describeOp } from '../../testing';

const ids = [3, 0, 3, 6, 1, 3];
describeOp('embedding', [
  { name: 'rows, some of them often', inputs: { table: [7, 5] }, run: ({ table }, device) => embedding(table, tensor(device, Uint32Array.from(ids))) },
  { name: 'wide rows', inputs: { table: [9, 64] }, run: ({ table }, device) => embedding(table, tensor(device, Uint32Array.from(ids))) },
  { name: 'an id beyond the table is zeros, and has no gradient', inputs: { table: [4, 3] }, run: ({ table }, device) => embedding(table, tensor(device, Uint32Array.of(1, 4, 4294967295, 3))) },
  { name: 'no ids', inputs: { table: [4, 3] }, run: ({ table }, device) => embedding(table, tensor(device, new Uint32Array(0))), differentiable: false },
], devices);
