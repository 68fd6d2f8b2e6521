import fc from 'fast-check';
import { codonAdaptationIndex, codonUsage } from './codonUsage';
import { gcContent, gcSkew, linguisticComplexity } from './composition';
import { codons, geneticCode } from './geneticCode';
import { kmerAt, kmerSpectrum } from './kmerSpectrum';
import { findOrfs } from './orf';
import { reverseComplement } from './sequence';
import { translate } from './translate';

const dna = (max: number) => fc.string({ unit: fc.constantFrom('A', 'C', 'G', 'T'), maxLength: max });

describe('translate', () => {
  test.each([
    ['ATGGCCTAA', {}, 'MA*'], ['atguaa', {}, 'M*'], ['ATGGCCTAAG', { toStop: true }, 'MA'], ['AATGGC', { frame: 1 as const }, 'M'], ['AGATGA', { table: 2 }, '*W'],
    ['TTGAAA', { startIsMethionine: true }, 'MK'], ['TTGAAA', {}, 'LK'], ['GCNTARNNNMGRAAR---', {}, 'A*XRK-'], ['AT', {}, ''], ['', {}, ''],
  ])('%s with %j is %s', (sequence, options, protein) => {
    expect(translate(sequence, options)).toBe(protein);
    expect(new TextDecoder().decode(translate(new TextEncoder().encode(sequence), options))).toBe(protein);
  });
  test('what is no nucleotide is refused with its place', () => {
    expect(() => translate('ATGAJG')).toThrow('translate: expected IUPAC nucleotide codes, got "J" at position 4; remove it');
    expect(() => translate('AC-')).toThrow(/"-" at position 2/);
    expect(() => translate('ACé')).toThrow(RangeError);
    expect(() => translate('A', { table: 7 })).toThrow(/table of NCBI .* got 7/);
    expect(() => translate('A', { frame: 3 as never })).toThrow(RangeError);
  });
  test('tables: 64 letters, stops and starts where NCBI has them', () => {
    expect(geneticCode(2).aminoAcids).toBe('FFLLSSSSYY**CCWWLLLLPPPPHHQQRRRRIIMMTTTTNNKKSS**VVVVAAAADDEEGGGG');
    expect(geneticCode(4).aminoAcids).toBe('FFLLSSSSYY**CCWWLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG');
    expect(geneticCode(33).aminoAcids).toBe('FFLLSSSSYYY*CCWWLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSSKVVVVAAAADDEEGGGG');
    expect(codons.slice(0, 5)).toEqual(['TTT', 'TTC', 'TTA', 'TTG', 'TCT']);
  });
});

describe('findOrfs', () => {
  const plain = (orfs: ReturnType<typeof findOrfs>) => orfs.map(({ start, end, strand }) => `${start}-${end}${strand}`);
  test('the definitions and their open ends; expected by getorf', () => {
    expect(plain(findOrfs('CCCATGAAACCC', { minLength: 3, strands: '+' }))).toEqual(['3-12+']);
    expect(findOrfs('CCCATGAAACCC', { minLength: 3, strands: '+', openEnds: false })).toEqual([]);
    const sequence = 'ATGAAATAAATGNNNTARATGCCCTGA';
    expect(plain(findOrfs(sequence, { minLength: 3, strands: '+' }))).toEqual(['0-6+', '9-15+', '18-24+']);
    expect(plain(findOrfs(sequence, { minLength: 3, definition: 'stop-to-stop' })).sort()).toEqual(['0-6+', '9-15+', '4-25+', '2-26+', '18-24+', '2-26-', '1-25-', '0-27-'].sort());
  });
  test('an open reading frame says what it is', () => {
    expect(findOrfs('TTTATGAAATAG', { minLength: 0, strands: '+' })).toEqual([{ start: 3, end: 9, strand: '+', frame: 0, hasStart: true, hasStop: true, definition: 'start-to-stop' }]);
    expect(findOrfs('TTGAAATAG', { startCodons: 'table', minLength: 6, strands: '+' })).toHaveLength(1);
    expect(() => findOrfs('A', { startCodons: ['ATN'] })).toThrow(/got "ATN"/);
    expect(() => findOrfs('AC-GGA')).toThrow(RangeError);
  });
  test('each begins with a start, has no stop within, and ends at one; the other strand mirrors', () => fc.assert(fc.property(dna(120), (sequence) => {
    const orfs = findOrfs(sequence, { minLength: 0 });
    for (const { start, end, strand, hasStop } of orfs) {
      const own = strand === '+' ? sequence : reverseComplement(sequence);
      const [from, to] = strand === '+' ? [start, end] : [sequence.length - end, sequence.length - start];
      const protein = translate(own.slice(from, to));
      expect([protein[0], protein.includes('*'), (to - from) % 3]).toEqual(['M', false, 0]);
      expect(translate(own.slice(to, to + 3)) === '*').toBe(hasStop);
    }
    const mirrored = findOrfs(reverseComplement(sequence), { minLength: 0 }).map(({ start, end, strand, ...rest }) => ({ ...rest, start: sequence.length - end, end: sequence.length - start, strand: strand === '+' ? '-' : '+' }));
    const key = (orf: object) => JSON.stringify(Object.entries(orf).sort());
    expect(mirrored.map(key).sort()).toEqual(orfs.map(key).sort());
  })));
});

test('codon usage by hand', () => {
  const { rows, total, skipped, gc, gcByPosition } = codonUsage(['GCAGCAGCC', 'ATGNNNTAAG']);
  const row = (codon: string) => rows.find((each) => each.codon === codon);
  expect([total, skipped]).toEqual([5, 1]);
  expect(row('GCA')).toEqual({ codon: 'GCA', aminoAcid: 'A', count: 2, fraction: 2 / 3, perThousand: 400, rscu: 8 / 3 });
  expect(row('GCG')!.rscu).toBe(0);
  expect(gcByPosition).toEqual([3 / 5, 3 / 5, 2 / 5]);
  expect(gc).toBeCloseTo(8 / 15, 14);
});

test('codon adaptation index by hand: the geometric mean of relative counts', () => {
  const reference = codonUsage('GCAGCAGCAGCAGCC' + 'AAAAAAAAG' + 'ATG');
  expect(codonAdaptationIndex('GCAATGAAA', reference)).toBe(1);
  expect(codonAdaptationIndex('GCCATGAAG', reference)).toBeCloseTo(Math.sqrt((1 / 4) * (1 / 2)), 14);
  expect(codonAdaptationIndex('GCCATGAAG', reference, { codons: 'all' })).toBeCloseTo(Math.cbrt((1 / 4) * (1 / 2)), 14);
  expect(codonAdaptationIndex('GCG', reference)).toBeCloseTo(0.5 / 4, 14);
  expect(codonAdaptationIndex('ATG', reference)).toBeNaN();
});

test('k-mers equal a count of substrings', () => fc.assert(fc.property(fc.string({ unit: fc.constantFrom('A', 'C', 'g', 't', 'N'), maxLength: 60 }), fc.integer({ min: 1, max: 6 }), fc.boolean(), (sequence, k, canonical) => {
  const expected = new Map<string, number>();
  for (let at = 0; at + k <= sequence.length; at++) {
    const word = sequence.slice(at, at + k).toUpperCase();
    if (word.includes('N')) continue;
    const key = canonical && reverseComplement(word) < word ? reverseComplement(word) : word;
    expected.set(key, (expected.get(key) ?? 0) + 1);
  }
  const { counts, total, skipped } = kmerSpectrum(sequence, k, { canonical });
  expect(new Map([...counts].map((count, i) => [kmerAt(i, k), count] as const).filter(([, count]) => count > 0))).toEqual(new Map([...expected].sort()));
  expect(total + skipped).toBe(Math.max(0, sequence.length - k + 1));
})));
test('k beyond the table is refused', () => expect(() => kmerSpectrum('A', 13)).toThrow(RangeError));

test('composition', () => {
  expect(gcContent('GGCATNNcu')).toBe(4 / 7);
  expect(gcContent('NN')).toBeNaN();
  expect([...gcSkew('GGGCCCATGG', { window: 4, step: 2 })]).toEqual([0.5, -0.5, -1, 1]);
  expect([...gcSkew('GGC')]).toEqual([1 / 3]);
  expect(() => gcSkew('A', { window: 0 })).toThrow(RangeError);
  expect(linguisticComplexity('AAAAAAAA', 3)).toBe((1 + 1 + 1) / (4 + 7 + 6));
  expect(linguisticComplexity('ACGT', 2)).toBe(1);
});
