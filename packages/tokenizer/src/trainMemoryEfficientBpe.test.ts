import fc from 'fast-check';
import { dna } from '../test/arbitraries';
import { trainBpe } from './trainBpe';
import { trainMemoryEfficientBpe } from './trainMemoryEfficientBpe';
import { runs } from '../test/runs';

const options = { vocabSize: 30, specialTokens: ['[UNK]'] };
const corpora = fc.array(dna('ACGT', 12).filter((text) => text !== ''), { minLength: 1, maxLength: 5 });

describe.each(['continue', 'merge'] as const)('reading %s', (reading) => {
  it('one split is exact training', async () => {
    await fc.assert(fc.asyncProperty(corpora, async (corpus) => {
      expect((await trainMemoryEfficientBpe([corpus], { ...options, reading })).definition).toEqual((await trainBpe(corpus, options)).definition);
    }), { numRuns: runs(15) });
  });
  it('every merge joins letters and earlier products, and each token is new', async () => {
    await fc.assert(fc.asyncProperty(fc.array(corpora, { minLength: 2, maxLength: 4 }), async (splits) => {
      const { merges, vocab } = (await trainMemoryEfficientBpe(splits, { ...options, reading })).definition;
      const tokens = new Set(['A', 'C', 'G', 'T']);
      for (const [left, right] of merges) {
        expect(tokens.has(left) && tokens.has(right)).toBe(true);
        tokens.add(left + right);
      }
      expect(vocab.size).toBeLessThanOrEqual(30);
      expect([...vocab.values()]).toEqual([...vocab.keys()].map((_, id) => id));
    }), { numRuns: runs(15) });
  });
});

it('continue: after the first of two splits half of the merges, then the counts of the second', async () => {
  const { merges } = (await trainMemoryEfficientBpe([['ACACACAC'], ['GTGTGTGT']], { vocabSize: 6, specialTokens: [], initialAlphabet: 'ACGT' })).definition;
  expect(merges).toEqual([['A', 'C'], ['G', 'T']]);
});

it('merge: a token that both splits learn early comes before one that only the first learns first', async () => {
  const { merges } = (await trainMemoryEfficientBpe([['ACACAC GTGT'], ['GTGTGT']], { vocabSize: 6, specialTokens: [], initialAlphabet: 'ACGT', reading: 'merge' })).definition;
  expect(merges).toEqual([['G', 'T'], ['A', 'C']]);
});

it('takes splits that are opened when their turn comes', async () => {
  const opened: number[] = [];
  async function* splits() {
    for (const i of [0, 1]) { opened.push(i); yield ['ACAC']; }
  }
  await trainMemoryEfficientBpe(splits(), { ...options, splitCount: 2 });
  expect(opened).toEqual([0, 1]);
});

it.each([
  ['no splits', [], {}, 'expected at least one split'],
  ['another reading', [['A']], { reading: 'other' as 'merge' }, "expected reading to be 'continue' or 'merge'"],
  ['a wrong number of splits', [['A']], { splitCount: 3 }, 'expected 3 splits, got 1'],
])('refuses %s', async (_, splits, more, message) => {
  await expect(trainMemoryEfficientBpe(splits, { ...options, ...more })).rejects.toThrow(message);
});
