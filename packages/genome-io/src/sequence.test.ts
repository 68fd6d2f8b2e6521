import fc from 'fast-check';
import { reverseComplement } from './sequence';

/** The bases each IUPAC code stands for (NC-IUB 1984, table 1). */
const bases: Record<string, string> = { A: 'A', C: 'C', G: 'G', T: 'T', R: 'AG', Y: 'CT', S: 'CG', W: 'AT', K: 'GT', M: 'AC', B: 'CGT', D: 'AGT', H: 'ACT', V: 'ACG', N: 'ACGT' };
const pairs: Record<string, string> = { A: 'T', C: 'G', G: 'C', T: 'A' };
const dna = fc.string({ unit: fc.constantFrom(...'ACGTRYSWKMBDHVNacgtryswkmbdhvn-.'), maxLength: 300 });

test('a code stands for the complements of the bases of its complement', () => {
  for (const [code, set] of Object.entries(bases)) {
    expect(bases[reverseComplement(code)]).toBe([...set].map((base) => pairs[base]).sort().join(''));
    expect(reverseComplement(code.toLowerCase())).toBe(reverseComplement(code).toLowerCase());
  }
});

test('twice is identity, the order is reversed, bytes and text agree', () => {
  fc.assert(fc.property(dna, dna, (a, b) => {
    expect(reverseComplement(reverseComplement(a))).toBe(a);
    expect(reverseComplement(a + b)).toBe(reverseComplement(b) + reverseComplement(a));
    expect(Buffer.from(reverseComplement(Buffer.from(a))).toString()).toBe(reverseComplement(a));
  }));
  expect(reverseComplement('GATTACA')).toBe('TGTAATC');
  expect(reverseComplement('GAUUACA')).toBe('TGTAATC');
});

test.each([['ACGX', 3, 'X'], ['AC GT', 2, ' '], ['AC\n', 2, '\\\\n'], ['ACé', 2, 'é'], ['AŁ', 1, 'Ł'], ['>a', 0, '>']])('%j is refused with the position', (sequence, position, letter) => {
  expect(() => reverseComplement(sequence)).toThrow(new RegExp(`got "${letter}" at position ${position}`));
});
