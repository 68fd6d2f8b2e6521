import { devices } from '../../../test/devices';
import { gelu, silu, tanh } from '../../index';
import { describeOp } from '../../testing';
import { erf } from './functions';

describeOp('activation', [
  { name: 'gelu', inputs: { x: [7, 31] }, spread: 6, run: ({ x }) => gelu(x) },
  { name: 'silu', inputs: { x: [7, 31] }, spread: 20, run: ({ x }) => silu(x) },
  { name: 'tanh', inputs: { x: [7, 31] }, spread: 4, run: ({ x }) => tanh(x) },
], devices);

test('erf equals published values (DLMF 7.2, Abramowitz and Stegun table 7.1)', () => {
  const table: [number, number][] = [[0, 0], [0.1, 0.1124629160182849], [0.5, 0.5204998778130465], [1, 0.8427007929497149], [2, 0.9953222650189527], [3, 0.9999779095030014]];
  for (const [x, value] of table) {
    expect(Math.abs(erf(x) - value)).toBeLessThan(1e-15);
    expect(erf(-x)).toBe(-erf(x));
  }
});
