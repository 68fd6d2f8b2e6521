import fc from 'fast-check';
import { reverseComplement } from '@genomelm/genome-io';
import { createResampleRandom } from '../statistics/random';
import { auditContainment } from './containment';
import { createSketch, corpusOverlap, parseSketch } from './sketch';
import { auditDrift } from './drift';
import { findPositionalTwins } from './positionalTwins';
import { splitByHomology } from './splitByHomology';
import { createHomologSearch } from './homologSearch';
import { auditLeakage } from './leakage';
import { alignLocally } from './localAlignment';
import { createSequenceText, encode } from './sequenceText';
import { createExtension } from './ungappedExtension';

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

describe('extension without gaps', () => {
  const dna = fc.string({ unit: fc.constantFrom(...'AAAAACGTN'), minLength: 11, maxLength: 60 });
  test('base by base it scores the same, within the row and until 20 are lost', () => fc.assert(fc.property(dna, dna, fc.nat(60), fc.nat(60), (query, other, q, t) => {
    const text = createSequenceText([other, query.slice(q), other]);
    const [position, start] = [q % (query.length - 10), 1 + other.length + 1 + (t % Math.max(1, query.length - q - 10))];
    const codes = encode(query);
    const diagonal = start - position;
    const grow = (from: number, step: number, before: number) => {
      let [best, end, running] = [before, from, before];
      for (let i = from; i >= 0 && i < codes.length && text.codes[i + diagonal] < 5 && running > best - 20; i += step) {
        running += codes[i] < 4 && codes[i] === text.codes[i + diagonal] ? 2 : -3;
        if (running > best) [best, end] = [running, i + step];
      }
      return { best, end };
    };
    const right = grow(position + 11, 1, 22);
    expect(createExtension(text.codes)(codes)(position, diagonal)).toEqual({ score: grow(position - 1, -1, right.best).best, end: right.end });
  })));
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
    const { homologs, clusters, positionalTwins, ...counts } = await auditLeakage({ train, test });
    expect(counts).toEqual({
      items: 5, exactDuplicates: 2, reverseComplementDuplicates: 1, labelConflicts: 1, duplicatesInTrain: 2, conflictsInTrain: 1,
      nearDuplicates: 4, oppositeLabelTwins: 2, labelAgreement: 3 / 4, identity: 0.8, coverage: 0.5,
    });
    expect(homologs.map((homolog) => homolog?.row)).toEqual([0, 2, 4, 5, undefined]);
    expect(homologs[2]!.reversed).toBe(true);
    expect(clusters).toEqual([0, 1, 2, 3, 4]);
    expect(positionalTwins).toEqual({ identity: 0.5, items: 2, byClass: [0, 2] }); // b as it is, d with changes
  });
  test('a copy that is too short for a seed, or full of N, is a near duplicate as well', async () => {
    const train = [row('ACGTTGCA', 0), row('ACGTTGCA', 1), row('ACGTNACGANTTGCN', 1)];
    const { homologs, nearDuplicates, oppositeLabelTwins, exactDuplicates, labelAgreement } = await auditLeakage({ train, test: [row('acgttgca', 1), row(reverseComplement('ACGTNACGANTTGCN'), 1), row('ACGTTGCC', 0)] });
    expect(homologs).toEqual([{ row: 0, identity: 1, coverage: 1, reversed: false }, { row: 2, identity: 1, coverage: 1, reversed: true }, undefined]);
    expect({ nearDuplicates, oppositeLabelTwins, exactDuplicates, labelAgreement }).toEqual({ nearDuplicates: 2, oppositeLabelTwins: 1, exactDuplicates: 1, labelAgreement: 1 / 2 });
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

describe('test rows that depend on each other', () => {
  const row = (sequence: string, label = 0) => ({ sequence, label });
  test('are one cluster: homologs of each other, and those of one training row', async () => {
    const [shared, alone, long] = [randomBases(80, 11), randomBases(80, 12), randomBases(160, 13)];
    const test = [row(alone), row(shared), row(mutate(shared, 0.05, 3)), row(long.slice(0, 80)), row(long.slice(80)), row(reverseComplement(shared))];
    expect((await auditLeakage({ train: [row(long), row(randomBases(80, 14))], test })).clusters).toEqual([0, 1, 1, 2, 2, 1]);
  });
});

describe('twins position by position', () => {
  test('count as a plain comparison of letters does', () => fc.assert(fc.property(
    fc.array(fc.tuple(fc.string({ unit: fc.constantFrom(...'AAAAAAAACGTN'), minLength: 33, maxLength: 34 }), fc.nat(2)), { minLength: 1, maxLength: 12 }), fc.constantFrom(0.4, 0.5, 0.6), (rows, identity) => {
      const examples = rows.map(([sequence, label]) => ({ sequence, label }));
      const [train, test] = [examples.slice(0, 8), examples.slice(4)];
      const same = (a: string, b: string) => [...a].map((letter, i) => (letter === b[i] && letter !== 'N' ? '=' : ' ')).join('');
      const equal = (a: string, b: string) => (same(a, b).includes('='.repeat(11)) ? same(a, b).replaceAll(' ', '').length / a.length : 0);
      const expected = test.filter((one) => train.some((other) => other.label !== one.label && other.sequence.length === one.sequence.length && equal(one.sequence, other.sequence) >= identity - 1e-9));
      expect(findPositionalTwins(train, test, 3, identity).byClass).toEqual([0, 1, 2].map((label) => expected.filter((one) => one.label === label).length));
    })));
});

describe('drift between splits', () => {
  const draw = (items: number, seed: number, letters: string) => {
    const random = createResampleRandom(seed, 5);
    return Array.from({ length: items }, (_, i) => ({ sequence: Array.from({ length: 60 }, () => letters[Math.floor(random() * letters.length)]).join(''), label: i % 2 }));
  };
  test('splits drawn alike differ by chance, others by more; class shares are told apart from sequences', () => {
    const [train, dev] = [draw(300, 1, 'ACGT'), draw(100, 2, 'ACGT')];
    const [alike, drifted] = auditDrift({ train, dev, test: draw(100, 3, 'ACGTG') }, 2);
    expect(alike.pValue).toBeGreaterThan(0.02);
    expect(Math.abs(alike.kmerDivergence / alike.byChance - 1)).toBeLessThan(0.3);
    expect(drifted).toMatchObject({ between: ['train', 'test'], pValue: 0.005, items: [300, 100] });
    const [unbalanced] = auditDrift({ train, dev: dev.filter(({ label }, i) => label || i % 4 === 0), test: dev }, 2);
    expect(unbalanced.classShares).toBeCloseTo(1 / 6, 12);
    expect(unbalanced.pValue).toBeGreaterThan(0.01);
  });
});

describe('sketches of a corpus', () => {
  const corpus = randomBases(60_000, 21);
  test('tell how much of a set stands in the corpus, on either strand', async () => {
    const sketch = await createSketch([corpus], { scaled: 10 });
    expect(Math.abs(sketch.hashes.length / 6000 - 1)).toBeLessThan(0.05); // one word of ten
    expect(parseSketch(JSON.stringify(sketch))).toEqual(sketch);
    const within = Array.from({ length: 50 }, (_, i) => corpus.slice(i * 1000, i * 1000 + 500));
    expect((await corpusOverlap(within, sketch)).containment).toBe(1);
    expect((await corpusOverlap(within.map((sequence) => reverseComplement(sequence)), sketch)).containment).toBe(1);
    expect((await corpusOverlap(Array.from({ length: 50 }, (_, i) => randomBases(500, 100 + i)), sketch)).containment).toBe(0);
    const half = await corpusOverlap([...within, ...within.map((_, i) => randomBases(500, 200 + i))], sketch);
    expect(Math.abs(half.containment - 0.5)).toBeLessThan(0.03);
  });
  test('words with other letters are left out, bad files are one clear line', async () => {
    expect((await createSketch(['ACGTN'.repeat(100)], { scaled: 1 })).hashes).toEqual([]);
    expect((await createSketch([corpus.slice(0, 30)], { scaled: 1 })).hashes).toHaveLength(10);
    expect(() => parseSketch('{"schema":"other"}', 'a.json')).toThrow('expected a sketch of schema genomelm-sketch/1 with words of 21, got "other" in a.json');
    await expect(createSketch([], { scaled: 0 })).rejects.toThrow('expected scaled as a whole number >= 1, got 0');
  });
});

describe('splits without homologs between them', () => {
  test('families stay together, classes keep their shares, and the audit finds nothing', async () => {
    const rows = Array.from({ length: 40 }, (_, family) => Array.from({ length: 1 + (family % 6) }, (_, i) => ({ sequence: mutate(randomBases(90, 300 + family), 0.06, i), label: family % 2 }))).flat();
    const { splits, clusters, assigned } = await splitByHomology(rows);
    expect(new Set(clusters).size).toBe(40);
    expect(clusters.every((cluster, i) => clusters.every((other, j) => cluster !== other || assigned[i] === assigned[j]))).toBe(true);
    expect(splits.train.length + splits.dev.length + splits.test.length).toBe(rows.length);
    expect(Math.abs(splits.train.length / rows.length - 0.8)).toBeLessThan(0.05);
    for (const split of [splits.train, splits.dev, splits.test]) expect(Math.abs(split.filter(({ label }) => label).length / split.length - rows.filter(({ label }) => label).length / rows.length)).toBeLessThan(0.1);
    for (const test of [splits.dev, splits.test]) expect(await auditLeakage({ train: splits.train, test })).toMatchObject({ exactDuplicates: 0, nearDuplicates: 0 });
  });
});
