/**
 * ME-BPE, the training of dnaGrinder (Zhao et al. 2024) over splits of a corpus, of which only one is in memory at a time. Its
 * pseudo-code is not published; these are the two readings of its description that we know:
 *
 * - `continue`: the splits are taken one after the other. After split i of S the vocabulary has i / S of its merges; split i + 1 is encoded with the merges so far, and
 *   training goes on with its counts alone.
 * - `merge`: every split is trained from the letters to the full size, and the vocabularies are merged: tokens by their mean rank over the splits,
 *   where a split that lacks a token ranks it last.
 *
 * Neither is exact. `trainBpe` with `maxMemory` is, and needs less memory than any number of splits: see docs/tokenizer-training.md.
 */
import type { BpeTokenizer } from './bpe';
import { show } from './errors';
import { createGrowingVocabulary, type Merge } from './growingVocabulary';
import type { Sequence } from './sequence';
import { bertSpecialTokens } from './specialTokens';
import { assembleTrained, trainBpe, type TrainBpeOptions } from './trainBpe';

export interface TrainMemoryEfficientBpeOptions extends Omit<TrainBpeOptions, 'initialMerges' | 'maxMemory' | 'scratchDirectory'> {
  /** Default `continue`. */
  readonly reading?: 'continue' | 'merge' | undefined;
  /** How many splits there are. Default: the length of an array; needed for other iterables, which may open each split when its turn comes. */
  readonly splitCount?: number | undefined;
}

type Corpus = Iterable<Sequence> | AsyncIterable<Sequence>;

/**
 * @param splits - corpora, in the order in which they are read; each is read once, when its turn comes
 * @throws RangeError where there are no splits, or one holds no letters
 */
export async function trainMemoryEfficientBpe(splits: Iterable<Corpus> | AsyncIterable<Corpus>, options: TrainMemoryEfficientBpeOptions): Promise<BpeTokenizer> {
  const { reading = 'continue', splitCount, specialTokens = bertSpecialTokens } = options;
  if (reading !== 'continue' && reading !== 'merge') throw new RangeError(`trainMemoryEfficientBpe: expected reading to be 'continue' or 'merge', got ${show(reading)}; leave it out for 'continue'`);
  const count = splitCount ?? (Array.isArray(splits) ? splits.length : undefined);
  if (count === undefined || !(Number.isInteger(count) && count > 0)) throw new RangeError(`trainMemoryEfficientBpe: expected at least one split, got ${show(count)}; pass an array of corpora, or splitCount with an iterable`);
  const special = new Set(specialTokens);
  let letters = options.initialAlphabet ?? '', merges: readonly Merge[] = [], done = 0;
  const tables: (readonly Merge[])[] = [];
  for await (const split of splits) {
    done++;
    const base = special.size + new Set(letters).size;
    const vocabSize = reading === 'merge' ? options.vocabSize : Math.max(base, base + Math.round((done / count) * (options.vocabSize - base)));
    const { definition } = await trainBpe(split, { ...options, vocabSize, initialAlphabet: letters, ...(reading === 'continue' && { initialMerges: merges }) });
    letters = [...definition.vocab.keys()].filter((token) => token.length === 1 && !special.has(token)).sort().join('');
    merges = definition.merges;
    tables.push(merges);
  }
  if (done !== count) throw new RangeError(`trainMemoryEfficientBpe: expected ${count} splits, got ${done}; correct splitCount`);
  const vocab = new Map([...specialTokens, ...[...letters].filter((letter) => !special.has(letter))].map((token, id) => [token, id]));
  if (reading === 'merge') merges = mergeTables(tables, options.vocabSize - vocab.size, letters);
  const grown = createGrowingVocabulary(vocab, merges);
  return assembleTrained(grown.vocab, grown.merges, specialTokens);
}

/** Tokens by mean rank; a token whose parts were not taken waits for them. */
function mergeTables(tables: readonly (readonly Merge[])[], room: number, letters: string): Merge[] {
  const candidates = new Map<string, { rank: number; readonly pairs: { readonly merge: Merge; readonly rank: number }[] }>();
  for (const table of tables) {
    const seen = new Set<string>();
    table.forEach((merge, rank) => {
      const token = merge[0] + merge[1];
      if (seen.has(token)) return;
      seen.add(token);
      const candidate = candidates.get(token) ?? { rank: tables.length * room, pairs: [] };
      candidate.rank += rank - room; // in place of the last rank that it would have had here
      candidate.pairs.push({ merge, rank });
      candidates.set(token, candidate);
    });
  }
  const tokens = new Set(letters), merges: Merge[] = [];
  let waiting = [...candidates].sort(([a, x], [b, y]) => x.rank - y.rank || (a < b ? -1 : 1));
  for (let last = -1; merges.length !== last;) {
    last = merges.length;
    waiting = waiting.filter(([token, { pairs }]) => {
      const ready = pairs.filter(({ merge: [left, right] }) => tokens.has(left) && tokens.has(right)).sort((a, b) => a.rank - b.rank)[0];
      if (!ready || merges.length >= room) return true;
      merges.push(ready.merge);
      tokens.add(token);
      return false;
    });
  }
  return merges;
}
