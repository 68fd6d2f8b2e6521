import fc from 'fast-check';
import { packSequence, unpackSequence } from './packedSequence';
import { reverseComplement } from './sequence';
import { openTwoBit, writeTwoBit } from './twoBit';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (sequence: Uint8Array) => new TextDecoder().decode(sequence);
const dna = fc.array(fc.tuple(fc.constantFrom('A', 'C', 'G', 'T', 'N', 'a', 'c', 'g', 't', 'n'), fc.integer({ min: 1, max: 5 }))).map((runs) => runs.map(([letter, count]) => letter.repeat(count)).join(''));

test('packing and unpacking any interval is the identity', () => fc.assert(fc.property(dna, fc.nat(200), fc.nat(200), (sequence, a, b) => {
  const packed = packSequence(bytes(sequence));
  const [start, end] = [a, b].map((place) => Math.min(place, sequence.length)).sort((x, y) => x - y);
  expect(packed.bases.length).toBe(Math.ceil(sequence.length / 4));
  expect(text(unpackSequence(packed, start, end))).toBe(sequence.slice(start, end));
})));

test('the layout of the specification: TCAG is 00011011', () => {
  expect(packSequence(bytes('TCAGgNNn'))).toEqual({ length: 8, bases: Uint8Array.of(0b00011011, 0b11000000), unknown: Uint32Array.of(5, 8), masked: Uint32Array.of(4, 5, 7, 8) });
});

test('letters that two bits cannot hold', () => {
  expect(() => packSequence(bytes('ACR'))).toThrow(/got "R" at position 2; pass \{iupac: 'N'\}/);
  expect(text(unpackSequence(packSequence(bytes('ACrU'), { iupac: 'N' })))).toBe('ACnT');
  expect(() => packSequence(bytes('A-'), { iupac: 'N' })).toThrow(/got "-" at position 1; remove it/);
  expect(() => unpackSequence(packSequence(bytes('ACGT')), 2, 5)).toThrow(RangeError);
});

test.each([[true, 0], [true, 1], [false, 0], [false, 1]] as const)('a file with little-endian %p, version %p gives back its records and any interval of them', async (littleEndian, version) => {
  await fc.assert(fc.asyncProperty(fc.array(dna, { maxLength: 4 }), fc.nat(60), fc.nat(60), async (sequences, a, b) => {
    const records = sequences.map((sequence, i) => ({ name: `r${i}`, sequence: bytes(sequence) }));
    const file = openTwoBit(await writeTwoBit(records, { littleEndian, version }));
    expect(await file.contigs()).toEqual(records.map(({ name, sequence }) => ({ name, length: sequence.length })));
    for (const { name, sequence } of records) {
      expect(text(await file.fetch(name))).toBe(text(sequence));
      expect(text(await file.fetch(name, Math.min(a, b), Math.max(a, b), { strand: '-', clamp: true }))).toBe(text(reverseComplement(sequence.subarray(Math.min(a, b), Math.max(a, b)))));
    }
  }), { numRuns: 40 });
});

test('every cut of a file and every changed byte ends in bases or in an error of the format', async () => {
  const file = await writeTwoBit([{ name: 'a', sequence: bytes('ACGTNNnnacgtACG') }, { name: 'bb', sequence: bytes('GATTACA') }]);
  const readAll = async (damaged: Uint8Array) => {
    const opened = openTwoBit(damaged);
    for (const { name } of await opened.contigs()) await opened.fetch(name);
  };
  for (let at = 0; at < file.length; at++) {
    await expect(readAll(file.subarray(0, at))).rejects.toMatchObject({ name: 'FormatError', format: '2bit' });
    for (const flip of [1, 128, 255]) {
      const changed = file.slice();
      changed[at] ^= flip;
      const outcome = await readAll(changed).catch((error: unknown) => error);
      if (outcome !== undefined) expect(outcome).toMatchObject({ name: 'FormatError', format: '2bit', offset: expect.any(Number) });
    }
  }
});

test('names that cannot be written are refused', async () => {
  const sequence = bytes('A');
  for (const names of [[''], ['a'.repeat(256)], ['a', 'a']]) await expect(writeTwoBit(names.map((name) => ({ name, sequence })))).rejects.toThrow(/names of 1 to 255 bytes that differ/);
});
