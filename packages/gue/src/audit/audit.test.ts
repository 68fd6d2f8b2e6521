import fc from 'fast-check';
import { reverseComplement } from '@genomelm/genome-io';
import { createResampleRandom } from '../statistics/random';
import { auditContainment } from './containment';
import { createHomologSearch } from './homologSearch';
import { auditLeakage } from './leakage';
import { alignLocally } from './localAlignment';
import { encode } from './sequenceText';

/** Smith and Waterman as first written down: every gap length is tried, no band. */
function plainScore(query: string, target: string): number {
  const cells = Array.from({ length: query.length + 1 }, () => new Array<number>(target.length + 1).fill(0));
  for (let i = 1; i <= query.length; i++)
    for (let j = 1; j <= target.length; j++) {
      let best = Math.max(0, cells[i - 1][j - 1] + (query[i - 1] === target[j - 1] && query[i - 1] !== 'N' ? 2 : -3));
      for (let gap = 1; gap <= i; gap++) best = Math.max(best, cells[i - gap][j] - 5 - 2 * gap);
      for (let gap = 1; gap <= j; gap++) best = Math.max(best, cells[i][j - gap] - 5 - 2 * gap);
      cells[i][j] = best;
    }
  return Math.max(...cells.flat());
}

const randomBases = (length: number, seed: number): string => {
  const random = createResampleRandom(seed, 1);
  return Array.from({ length }, () => 'ACGT'[Math.floor(random() * 4)]).join('');
};
const mutate = (sequence: string, rate: number, seed: number): string => {
  const random = createResampleRandom(seed, 2);
  return [...sequence].map((base) => (random() < rate ? 'ACGT'[('ACGT'.indexOf(base) + 1 + Math.floor(random() * 3)) % 4] : base)).join('');
};

describe('local alignment', () => {
  const dna = fc.array(fc.constantFrom('A', 'C', 'G', 'T', 'N'), { maxLength: 14 }).map((bases) => bases.join(''));
  test('with a band that holds everything it scores as Smith and Waterman with every gap length tried', () =>
    fc.assert(fc.property(dna, dna, (query, target) => {
      expect(alignLocally({ query: encode(query), target: encode(target), diagonal: 0, halfWidth: 15 }).score).toBe(plainScore(query, target));
    })));
  test('a gap counts as a column that differs', () => {
    const [left, right] = ['ACGTTGCAAC', 'GGATCCTTAG'];
    const align = (query: string, target: string) => alignLocally({ query: encode(query), target: encode(target), diagonal: 0, halfWidth: 5 });
    expect(align(left + right, `${left}T${right}`)).toEqual({ score: 33, identity: 20 / 21, coverage: 1 });
    expect(align(`${left}T${right}`, left + right)).toEqual({ score: 33, identity: 20 / 21, coverage: 1 });
    expect(align(`${left}AAAAAAAAAA`, `${left}CCCCCCCCCC`)).toEqual({ score: 20, identity: 1, coverage: 0.5 });
    expect(align('AAAA', 'CCCC')).toEqual({ score: 0, identity: 0, coverage: 0 });
  });
});

describe('search for homologs', () => {
  const rows = Array.from({ length: 300 }, (_, i) => randomBases(100, i));
  const search = createHomologSearch(rows, 100);
  test('it finds mutated copies at 12 % on either strand, with the right row first, and nothing for random queries', () => {
    let found = 0;
    for (let i = 0; i < 100; i++) {
      const copy = mutate(rows[i], 0.12, i);
      const [forward] = search(copy);
      const [reverse] = search(reverseComplement(copy));
      expect(reverse && { ...reverse, reversed: false }).toEqual(forward);
      if (forward?.row === i) found++;
      expect([...search(randomBases(100, 1000 + i))]).toEqual([]);
    }
    expect(found).toBeGreaterThanOrEqual(95); // a copy without 11 equal bases in a row has no seed
  });
  test('an insertion does not hide a copy, and the thresholds hold for the query alone', () => {
    const inserted = `${rows[7].slice(0, 45)}ACGTA${rows[7].slice(45)}`.slice(0, 100);
    expect([...search(inserted)][0]).toMatchObject({ row: 7, reversed: false });
    expect([...search(rows[7].slice(0, 40))][0]).toEqual({ row: 7, identity: 1, coverage: 1, reversed: false });
    expect([...search(rows[7].slice(0, 40) + randomBases(60, 2000))]).toEqual([]);
  });
  test('rows that nobody asks for are left out; letters outside ACGT equal nothing', () => {
    expect([...search(rows[7], (row) => row === 7)]).toEqual([]);
    expect([...search('N'.repeat(100))]).toEqual([]);
    expect([...search('')]).toEqual([]);
  });
  test('thresholds outside 0 to 1 are refused', () => expect(() => createHomologSearch(rows, 100, { identity: 80 })).toThrow('expected identity above 0 and at most 1, got 80'));
});

describe('leakage', () => {
  const [a, b, c, d, e] = [1, 2, 3, 4, 5].map((seed) => randomBases(80, seed));
  const row = (sequence: string, label: number) => ({ sequence, label });
  test('every kind of copy is counted once', async () => {
    const train = [row(a, 0), row(a.toLowerCase(), 0), row(b, 1), row(b, 0), row(c, 1), row(d, 0)];
    const test = [row(a, 0), row(b, 1), row(reverseComplement(c), 1), row(mutate(d, 0.05, 1), 1), row(e, 0)];
    const { homologs, ...counts } = await auditLeakage({ train, test });
    expect(counts).toEqual({
      items: 5, exactDuplicates: 2, reverseComplementDuplicates: 1, labelConflicts: 1, duplicatesInTrain: 2, conflictsInTrain: 1,
      nearDuplicates: 4, oppositeLabelTwins: 2, labelAgreement: 3 / 4, identity: 0.8, coverage: 0.5,
    });
    expect(homologs.map((homolog) => homolog?.row)).toEqual([0, 2, 4, 5, undefined]);
    expect(homologs[2]!.reversed).toBe(true);
  });
  test('one shared sequence of a pair is half of the item', async () => {
    const audit = await auditLeakage({ train: [{ sequence: a, pair: b, label: 0 }], test: [{ sequence: c, pair: b, label: 0 }, { sequence: a, pair: b, label: 0 }, { sequence: c, pair: d, label: 0 }] }, { coverage: 0.49 });
    expect([audit.exactDuplicates, audit.nearDuplicates]).toEqual([1, 2]);
  });
  test('an abort ends it, and empty splits are refused', async () => {
    await expect(auditLeakage({ train: [row(a, 0)], test: [row(a, 0)] }, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    await expect(auditLeakage({ train: [], test: [row(a, 0)] })).rejects.toThrow('expected training and test items, got 0 and 1');
  });
  test('containment in longer rows, on either strand', () => {
    const long = [row(`${d}${a}${e}`, 0), row(b, 1)];
    const short = [row(a, 0), row(reverseComplement(a), 0), row(b, 0), row(`${e}${d}`, 0), row(a.slice(5, 30), 1), row('ACGT', 0), row(`${mutate(a.slice(0, 1), 1, 1)}${a.slice(1)}`, 0)];
    expect(auditContainment([short, long], long)).toEqual([{ items: 7, contained: 3, containedOnEitherStrand: 4 }, { items: 2, contained: 2, containedOnEitherStrand: 2 }]);
  });
});
