import fc from 'fast-check';
import { hashBytes, hashText } from './hash';

test('depends on the bytes alone, wherever they lie, and on each of them', () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (bytes, at, change) => {
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(hashBytes(shifted.subarray(3))).toBe(hashBytes(bytes));
    const other = bytes.slice();
    other[at % bytes.length] ^= change;
    expect(hashBytes(other)).not.toBe(hashBytes(bytes));
    expect(hashBytes(Uint8Array.from([...bytes, 0]))).not.toBe(hashBytes(bytes));
  }));
});

test('is stable: fingerprints in stored runs stay valid', () => {
  expect(hashText('')).toMatch(/^[0-9a-f]{16}$/);
  expect(new Set(Array.from({ length: 20000 }, (_, i) => hashText(`weight ${i}`))).size).toBe(20000);
  expect(hashText('genomelm')).toBe('db065554d915c257');
});
