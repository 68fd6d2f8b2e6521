import fc from 'fast-check';
import { createReferenceDevice, fromBfloat16, fromFloat16, read, tensor, toBfloat16, toFloat16, zeros } from './index';
import { devices } from '../test/devices';

const all = Uint16Array.from({ length: 65536 }, (_, i) => i);

test('every pattern of bits survives the way through float32 and back, but for the payload of NaN', () => {
  for (const [widen, narrow, infinity] of [[fromFloat16, toFloat16, 0x7c00], [fromBfloat16, toBfloat16, 0x7f80]] as const) {
    const values = widen(all);
    expect(narrow(values).findIndex((bits, i) => ((i & 0x7fff) > infinity ? !Number.isNaN(values[i]) : bits !== i))).toBe(-1);
  }
});

test('values of IEEE 754 binary16 (numpy.float16) and of bfloat16', () => {
  expect([...toFloat16([1, -2, 65504, 65519.99, 65520, 2 ** -14, 2 ** -24, 2 ** -25, 2 ** -25 * 1.0001, 3 * 2 ** -25, 0.1, -0, Infinity])])
    .toEqual([0x3c00, 0xc000, 0x7bff, 0x7bff, 0x7c00, 0x0400, 1, 0, 1, 2, 0x2e66, 0x8000, 0x7c00]);
  expect([...toBfloat16([1, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 3.3895313892515355e38, 3.4e38, 2 ** -133, 2 ** -134, -0.1])])
    .toEqual([0x3f80, 0x3f80, 0x3f82, 0x7f7f, 0x7f80, 1, 0, 0xbdcd]);
});

test('a number becomes the nearest of its type, and of two equally near ones the even', () => {
  const neighbours = fromFloat16(Uint16Array.from({ length: 0x7c00 }, (_, i) => i));
  fc.assert(fc.property(fc.double({ min: 0, max: 65504, noNaN: true }), (x) => {
    const [bits] = toFloat16([x]);
    const error = Math.abs(neighbours[bits] - x);
    for (const other of [bits - 1, bits + 1]) {
      const distance = Math.abs((neighbours[other] ?? Infinity) - x);
      expect(error < distance || (error === distance && bits % 2 === 0)).toBe(true);
    }
  }));
});

describe.each(Object.entries(devices).filter(([kind]) => kind !== 'webgpu'))('8 and 16 bits on %s', (_kind, create) => {
  test('are stored as they are, and rounded from numbers when asked', async () => {
    const device = await create();
    expect([...(await read(tensor(device, Uint16Array.of(1, 0x7e01, 0x8000), [3], { dtype: 'float16' })))]).toEqual([1, 0x7e01, 0x8000]);
    expect([...(await read(tensor(device, [1, -0.1, NaN], [3], { dtype: 'bfloat16' })))]).toEqual([0x3f80, 0xbdcd, 0x7fc0]);
    expect([...(await read(tensor(device, Int8Array.of(-128, 127))))]).toEqual([-128, 127]);
    const half = tensor(device, [1, 2, 3, 4, 5, 6], [6], { dtype: 'float16' });
    expect([...(await read({ ...half, shape: [2], offset: 3 }))]).toEqual([0x4400, 0x4500]);
    expect(device.memory.live).toBe(6 + 6 + 2 + 12);
    await device.destroy();
  });
});

test('data of another type is refused', () => {
  const device = createReferenceDevice();
  expect(() => tensor(device, Uint16Array.of(1))).toThrow('tensor: expected a dtype for a Uint16Array, got none');
  expect(() => device.write(tensor(device, [1], [1], { dtype: 'float16' }), Float32Array.of(1))).toThrow('write: expected a Uint16Array for float16 [1], got a Float32Array');
  expect(() => device.write(zeros(device, [1]), Uint16Array.of(1))).toThrow('write: expected numbers for float32 [1], got a Uint16Array');
  expect(() => device.write(zeros(device, [2]), Float32Array.of(1))).toThrow('write: expected 2 elements for float32 [2], got 1');
});
