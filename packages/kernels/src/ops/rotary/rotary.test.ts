import { devices } from '../../../test/devices';
import { rotary, rotaryTable, scope, tensor, zeros, type Device, type Tensor } from '../../index';
import { describeOp, testNumbers } from '../../testing';

const positions = Uint32Array.of(0, 1, 2, 0, 1, 1001, 17);
const turn = (x: Tensor, device: Device, rotaryDim: number, heads?: number) => scope<Tensor>(() => rotary(x, rotaryTable(device, { positions: 1002, rotaryDim }), tensor(device, positions), heads === undefined ? {} : { heads }));

describeOp('rotary', [
  { name: 'whole heads of 12', inputs: { x: [7, 2, 12] }, run: ({ x }, device) => turn(x, device, 12) },
  { name: 'a part of each head, and two of three heads', inputs: { x: [7, 3, 14] }, run: ({ x }, device) => turn(x, device, 10, 2) },
  { name: 'no tokens', inputs: { x: [0, 2, 4] }, run: ({ x }, device) => rotary(x, rotaryTable(device, { positions: 1, rotaryDim: 4 }), tensor(device, new Uint32Array(0))), differentiable: false },
], { reference: devices.reference, wasm: devices.wasm, ...('webgpu' in devices && { webgpu: devices.webgpu }) });

test.each(Object.entries(devices))('scores depend on the distance only, and turning by position 0 changes nothing, on %s', async (_kind, create) => {
  const device = await create();
  const table = rotaryTable(device, { positions: 300, rotaryDim: 8 });
  const at = async (seed: number, position: number) => device.read(rotary(tensor(device, testNumbers(seed, 8), [1, 1, 8]), table, tensor(device, Uint32Array.of(position))));
  const score = async (a: number, b: number) => {
    const [query, key] = [await at(1, a), await at(2, b)];
    return [...query].reduce((sum, value, i) => sum + value * key[i], 0);
  };
  expect(await score(203, 200)).toBeCloseTo(await score(3, 0), 5);
  expect([...(await at(1, 0))]).toEqual([...testNumbers(1, 8)]);
  expect([...(await at(1, 300))].every(Number.isNaN)).toBe(true);
  await device.destroy();
});

test('the pairs are those of Llama: half a head apart', async () => {
  const device = await devices.reference();
  const [x, table] = [tensor(device, [1, 2, 3, 4], [1, 1, 4]), rotaryTable(device, { positions: 6, rotaryDim: 4, base: 100 })];
  const [fast, slow] = [5, 0.5];
  const expected = [Math.cos(fast) - 3 * Math.sin(fast), 2 * Math.cos(slow) - 4 * Math.sin(slow), 3 * Math.cos(fast) + Math.sin(fast), 4 * Math.cos(slow) + 2 * Math.sin(slow)];
  [...(await device.read(rotary(x, table, tensor(device, Uint32Array.of(5)))))].forEach((value, i) => expect(value).toBeCloseTo(expected[i], 6));
});

test('sizes are checked before anything runs', async () => {
  const device = await devices.reference();
  const [x, ids] = [zeros(device, [2, 1, 4]), tensor(device, Uint32Array.of(0, 1))];
  expect(() => rotary(x, zeros(device, [3, 2, 3]), ids)).toThrow('rotary: expected a table for at most headDim 4 elements, got 6');
  expect(() => rotary(x, zeros(device, [3, 2, 2]), ids, { heads: 2 })).toThrow('rotary: expected to turn 0 to 1 heads, got 2');
  expect(() => rotaryTable(device, { positions: 3, rotaryDim: 5 })).toThrow('rotaryTable: expected a positive even rotaryDim, got 5');
});
