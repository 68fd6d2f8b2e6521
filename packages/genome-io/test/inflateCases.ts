// The inflater against zlib: whatever zlib writes is read, and nothing is read otherwise than zlib reads it.
import fc from 'fast-check';
import { constants, crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import { inflater } from '../src/inflate';

const inflate = inflater()!;
/** What it makes of `data`, or undefined. */
const run = (data: Uint8Array, length: number, sum: number) => {
  const text = new Uint8Array(length + 2).fill(7);
  const done = inflate(Uint8Array.from([1, ...data, 2]), 1, 1 + data.length, text, 1, length, sum);
  expect([text[0], text[length + 1]]).toEqual([7, 7]);
  return done ? text.subarray(1, length + 1) : undefined;
};

const letters = (alphabet: string, maxLength: number) => fc.array(fc.constantFrom(...Buffer.from(alphabet)), { maxLength }).map((list) => Uint8Array.from(list));
const texts = fc.oneof(
  fc.uint8Array({ maxLength: 3000 }), letters('ACGTacgtN\n', 5000), letters('A', 2000),
  fc.tuple(letters('ACGT', 300), fc.nat(200)).map(([piece, times]) => Uint8Array.from(Buffer.concat(Array<Uint8Array>(times).fill(piece)).subarray(0, 65_536))),
  fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 40 })).map(([piece, times]) => Uint8Array.from(Buffer.concat(Array<Uint8Array>(times).fill(piece)))),
);
const settings = fc.record({
  level: fc.integer({ min: 0, max: 9 }), memLevel: fc.integer({ min: 1, max: 9 }),
  strategy: fc.constantFrom(constants.Z_DEFAULT_STRATEGY, constants.Z_FIXED, constants.Z_HUFFMAN_ONLY, constants.Z_RLE, constants.Z_FILTERED),
});

/** @param numRuns - texts for each property */
export function testInflater(numRuns: number): void {
  test('every kind of block that zlib writes', () => fc.assert(fc.property(texts, settings, (text, options) => {
    const data = deflateRawSync(text, options);
    expect(run(data, text.length, crc32(text))).toEqual(text);
    expect(run(data, text.length, crc32(text) ^ 1)).toBeUndefined();
    if (text.length > 0) expect(run(data, text.length - 1, crc32(text.subarray(0, -1)))).toBeUndefined();
    expect(run(data.subarray(0, -1), text.length, crc32(text))).toBeUndefined();
  }), { numRuns }));

  test('codes of all lengths: bytes of very different frequency', () => {
    const text = Uint8Array.from({ length: 65_536 }, (_, i) => 31 - Math.clz32(i + 1) + (i % 251 === 0 ? i % 97 : 0));
    for (const strategy of [constants.Z_HUFFMAN_ONLY, constants.Z_DEFAULT_STRATEGY]) expect(run(deflateRawSync(text, { strategy }), text.length, crc32(text))).toEqual(text);
  });

  test('damage is refused, or read as zlib reads it', () => fc.assert(fc.property(texts, settings, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }), (text, options, changes) => {
    const data = Uint8Array.from(deflateRawSync(text, options));
    for (const [at, value] of changes) data[at % data.length] = value;
    let theirs: Uint8Array | undefined;
    try {
      theirs = Uint8Array.from(inflateRawSync(data, { maxOutputLength: 65_536 }));
    } catch { /* zlib refuses it */ }
    if (theirs) {
      const ours = run(data, theirs.length, crc32(theirs));
      if (ours) expect(ours).toEqual(theirs);
    } else expect(run(data, text.length, crc32(text))).toBeUndefined();
  }), { numRuns }));

  test('the sum of long texts, of every remainder by 16, and a flipped bit anywhere in them', () => fc.assert(fc.property(fc.integer({ min: 9560, max: 65_280 }), fc.nat(), fc.nat(7), (length, place, bit) => {
    const text = Buffer.alloc(length);
    for (let i = 0; i < length; i++) text[i] = Math.imul(i + length, 2654435761) >>> 24;
    const data = deflateRawSync(text, { level: 0 });
    expect(text.equals(run(data, length, crc32(text))!)).toBe(true);
    text[place % length] ^= 1 << bit;
    expect(run(data, length, crc32(text))).toBeUndefined();
  }), { numRuns: Math.max(16, numRuns / 10), examples: [[9599, 0, 0], [9600, 0, 7], [9601, 9600, 0], [65_280, 65_279, 7], [65_279, 60_463, 1], [65_279, 60_464, 1]] }));

  test('data and text beyond a block are refused', () => {
    expect(inflate(new Uint8Array(70_000), 0, 70_000, new Uint8Array(10), 0, 10, 0)).toBe(false);
    expect(inflate(new Uint8Array(10), 0, 10, new Uint8Array(70_000), 0, 70_000, 0)).toBe(false);
  });
}
