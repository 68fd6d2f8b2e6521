import { devices } from '../../../test/devices';
import { dropout, ones, threefry2x32 } from '../../index';
import { describeOp } from '../../testing';

const key = { seed: 7, step: 3, layer: 2 };
describeOp('dropout', [
  { name: 'rate 0.1', inputs: { x: [11, 13] }, run: ({ x }) => dropout(x, 0.1, key) },
  { name: 'rate 0.5, odd length', inputs: { x: [257] }, run: ({ x }) => dropout(x, 0.5, key) },
], devices);

test('threefry equals the published test vectors (Random123 kat_vectors)', () => {
  expect(threefry2x32(0, 0, 0, 0)).toEqual([0x6b200159, 0x99ba4efe]);
  expect(threefry2x32(-1, -1, -1, -1)).toEqual([0x1cb996fc, 0xbb002be7]);
  expect(threefry2x32(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3)).toEqual([0xc4923a9c, 0x483df7a0]);
});

test('the share of zeros is the rate, and another step or layer draws other numbers', async () => {
  const device = await devices.reference();
  const x = ones(device, [100000]);
  const zeros = async (k: typeof key) => [...(await device.read(dropout(x, 0.1, k)))].map((value) => value === 0);
  const first = await zeros(key);
  expect(Math.abs(first.filter(Boolean).length / 1e5 - 0.1)).toBeLessThan(4 * Math.sqrt(0.09 / 1e5));
  for (const other of [{ ...key, step: 4 }, { ...key, layer: 3 }, { ...key, seed: 8 }]) {
    const both = (await zeros(other)).filter((zero, i) => zero && first[i]).length / 1e5;
    expect(Math.abs(both - 0.01)).toBeLessThan(4 * Math.sqrt(0.0099 / 1e5));
  }
});
