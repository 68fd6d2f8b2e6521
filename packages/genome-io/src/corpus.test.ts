import fc from 'fast-check';
import { resolveAmbiguity } from './ambiguity';
import { removeRepeats } from './removeRepeats';
import { reverseComplement } from './sequence';
import { slidingWindows, type WindowOptions } from './slidingWindows';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (sequence: Uint8Array) => new TextDecoder().decode(sequence);
const masked = fc.string({ unit: fc.constantFrom('A', 'C', 'g', 't', 'N', 'n'), maxLength: 60 });

describe('removeRepeats', () => {
  const sequence = bytes('ACGTacgtNNNNGGccTTTT');
  const shown = (options: Parameters<typeof removeRepeats>[1]) => removeRepeats(sequence, options).stretches.map(({ start, sequence: bases, weight }) => [start, text(bases), weight]);
  test('each mode', () => {
    expect(shown({})).toEqual([[0, 'ACGT', 1], [8, 'NNNNGG', 1], [16, 'TTTT', 1]]);
    expect(shown({ minLength: 5 })).toEqual([[8, 'NNNNGG', 1]]);
    expect(shown({ maxUnknown: 3 })).toEqual([[0, 'ACGT', 1], [12, 'GG', 1], [16, 'TTTT', 1]]);
    expect(shown({ mode: 'mask' })).toEqual([[0, 'ACGTNNNNNNNNGGNNTTTT', 1]]);
    expect(shown({ mode: 'drop', maxUnknown: 4 })).toEqual([[0, 'ACGTGGTTTT', 1]]);
    expect(shown({ mode: 'weight', weight: 0.5, minLength: 3 })).toEqual([[0, 'ACGT', 1], [4, 'acgt', 0.5], [8, 'NNNNGG', 1], [16, 'TTTT', 1]]);
    expect(shown({ repeats: [{ start: 15, end: 99 }, { start: 0, end: 3 }, { start: 2, end: 8 }] })).toEqual([[8, 'NNNNGGc', 1]]);
  });
  test('the report, by class of feature too', () => {
    const features = [{ type: 'CDS', start: 0, end: 6 }, { type: 'CDS', start: 2, end: 8 }, { type: 'LTR', start: 14, end: 18 }];
    expect(removeRepeats(sequence, { minLength: 3, maxUnknown: 4, features }).report).toEqual({ length: 20, repeats: 6, unknown: 4, short: 2, kept: 8, byType: { CDS: { length: 8, kept: 4 }, LTR: { length: 4, kept: 2 } } });
  });
  test('what is kept and what is removed add up; no stretch holds a repeat or is cut short of one', () => fc.assert(fc.property(masked, fc.integer({ min: 1, max: 6 }), (letters, minLength) => {
    const { stretches, report } = removeRepeats(bytes(letters), { minLength, maxUnknown: 2 });
    expect(report.repeats + report.unknown + report.short + report.kept).toBe(letters.length);
    for (const { start, end, sequence: bases } of stretches) {
      expect([text(bases), bases.length >= minLength]).toEqual([letters.slice(start, end), true]);
      expect(/[a-z]|NN/.test(text(bases))).toBe(false);
    }
  })));
  test('options that cannot be are refused', () => {
    expect(() => removeRepeats(sequence, { weight: 2 })).toThrow(RangeError);
    expect(() => removeRepeats(sequence, { mode: 'join' as never })).toThrow(TypeError);
  });
});

describe('slidingWindows', () => {
  const sequence = bytes('ACGTTGCAAC');
  const shown = (options: WindowOptions) => [...slidingWindows(sequence, options)].map(({ start, end, strand }) => `${start}-${end}${strand}`);
  test('steps and what is left at the end', () => {
    expect(shown({ length: 4 })).toEqual(['0-4+', '4-8+']);
    expect(shown({ length: 4, rest: 'keep' })).toEqual(['0-4+', '4-8+', '8-10+']);
    expect(shown({ length: 4, rest: 'shift' })).toEqual(['0-4+', '4-8+', '6-10+']);
    expect(shown({ length: 4, step: 3, rest: 'shift' })).toEqual(['0-4+', '3-7+', '6-10+']);
    expect(shown({ length: 11 })).toEqual([]);
    expect(shown({ length: 11, rest: 'keep' })).toEqual(['0-10+']);
    expect(shown({ length: 5, strands: 'both' })).toEqual(['0-5+', '0-5-', '5-10+', '5-10-']);
  });
  test('random crops stay within their window, take every place, and come again', () => {
    const long = new Uint8Array(30_500).fill(65);
    const options = { length: 305, step: 100, crop: 300, seed: 3, strands: 'random' } as const;
    const windows = [...slidingWindows(long, options)];
    const offsets = windows.map(({ start, end }, i) => { expect(end - start).toBe(300); return start - 100 * i; });
    expect([...new Set(offsets)].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(windows.filter(({ strand }) => strand === '-').length / windows.length).toBeCloseTo(0.5, 0);
    expect([...slidingWindows(long, options)]).toEqual(windows);
    expect([...slidingWindows(long, { ...options, name: 'chr2' })].map(({ start }) => start)).not.toEqual(windows.map(({ start }) => start));
  });
  test('the sequence of a window is that of its place and strand', () => fc.assert(fc.property(fc.string({ unit: fc.constantFrom('A', 'C', 'G', 'T'), maxLength: 50 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), (letters, length, step) => {
    for (const { start, end, strand, sequence: bases } of slidingWindows(bytes(letters), { length, step, strands: 'both', rest: 'keep' })) {
      expect(text(strand === '+' ? bases : reverseComplement(bases))).toBe(letters.slice(start, end));
    }
  })));
  test('options that cannot be are refused', () => {
    for (const options of [{ length: 0 }, { length: 4, crop: 5, seed: 1 }, { length: 4, crop: 3 }, { length: 4, strands: 'random' as const }, { length: 2.5 }]) expect(() => [...slidingWindows(sequence, options)]).toThrow(RangeError);
  });
});

test('ambiguity: rejected, N, or one of the bases meant, the same again', () => {
  expect(text(resolveAmbiguity(bytes('ACrYnU'), { policy: 'N' }))).toBe('ACnNnT');
  expect(() => resolveAmbiguity(bytes('ACR'), { policy: 'error' })).toThrow(/"R" at position 2/);
  expect(() => resolveAmbiguity(bytes('AC5'), { policy: 'N' })).toThrow(/"5" at position 2/);
  expect(() => resolveAmbiguity(bytes('A'), { policy: 'random' })).toThrow(/seed/);
  const drawn = text(resolveAmbiguity(bytes('ry'.repeat(200) + 'N'.repeat(200)), { policy: 'random', seed: 1 }));
  expect(drawn).toMatch(/^(?:[ag][ct]){200}[ACGT]{200}$/);
  expect([...new Set(drawn)].sort().join('')).toBe('ACGTacgt');
  expect(text(resolveAmbiguity(bytes('ry'.repeat(200) + 'N'.repeat(200)), { policy: 'random', seed: 1 }))).toBe(drawn);
});
