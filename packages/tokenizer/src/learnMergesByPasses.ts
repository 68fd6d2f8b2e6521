/**
 * Exact merges by passes over the tokens: they may lie in a file, so that memory does not grow with the corpus; only the counts of pairs are in memory.
 *
 * One pass joins several pairs at once, those of which it is certain that training one by one would choose them in this
 * order. After p_1 … p_k, the next most frequent pair (c, d) is chosen too while
 *  (1) it touches none of them: for every accepted (a, b), d is not a and c is not b. Then the joins commute, and take nothing from each other;
 *  (2) it is more frequent than any pair that they can create. Joining (a, b) to X creates pairs y X, at most min(C(y, a), C(a, b)) times, and
 *      X z, at most min(C(b, z), C(a, b)) times; from runs of a = b also X X and X a, at most C(a, a) / 2 times. Equal is not enough: a new pair may win the tie;
 *  (3) its product is a new token: one that exists gets a pass of its own, because counts of old pairs may rise.
 * Old counts only fall, and that of (c, d) stays; so training one by one chooses exactly these.
 */
import type { GrowingVocabulary, LearnOptions } from './growingVocabulary';
import { MAX_ROWS, type Join, type PairCounts, type TokenPasses } from './tokenPass';

const WATCHED = 1500;     // pairs that a look at all counts finds, and when there are so few left it is time for the next
const FEW = 300;

export interface LearnByPassesOptions extends LearnOptions {
  /** Ends the passes at a pair of this count, before it is joined. Default: never. */
  isRare?(count: number): boolean;
}

/** @returns how many of the given merges it has applied: those whose products have ids below the goal */
export async function learnMergesByPasses(passes: TokenPasses, vocabulary: GrowingVocabulary, options: LearnByPassesOptions): Promise<number> {
  const { goal, minFrequency, pause, isRare = () => false } = options, { counts } = passes;
  const beyond = vocabulary.given.findIndex((given) => given[2] >= goal), given = beyond < 0 ? vocabulary.given : vocabulary.given.slice(0, beyond);
  for (const joins of groupGiven(given)) {
    await passes.join(joins);
    await pause(0);
  }
  const watch = createWatch(passes, vocabulary, options);
  while (vocabulary.size < goal) {
    const { candidates, least } = watch.mostFrequent(), pairCount = counts[candidates[0]];
    if (candidates.length === 0 || pairCount < Math.max(1, minFrequency) || isRare(pairCount)) break;
    const joins = choose(candidates, passes, vocabulary, goal, Math.max(1, minFrequency, least));
    await passes.join(joins);
    watch.afterJoins(joins);
    await pause(pairCount);
  }
  return given.length;
}

/** Given merges, in their order, as many in a pass as touch none of each other. */
function groupGiven(given: GrowingVocabulary['given']): Join[][] {
  const passes: Join[][] = [];
  let newest = -1, isAlone = true;
  for (const [left, right, product] of given) {
    const joins = passes.at(-1), isNew = product > newest;
    newest = Math.max(newest, product);
    const touches = isAlone || !isNew || joins!.length === MAX_ROWS || joins!.some((join) => right === join.left || left === join.right || left === join.product || right === join.product);
    if (touches) passes.push([{ left, right, product }]);
    else joins!.push({ left, right, product });
    isAlone = !isNew;
  }
  return passes;
}

/** The pairs to join in one pass, added to the vocabulary. @param candidates - pairs, most frequent first @param least - counts below it are not known to be in order */
function choose(candidates: readonly number[], { counts, stride }: PairCounts, vocabulary: GrowingVocabulary, goal: number, least: number): Join[] {
  const joins: Join[] = [], rows = new Set<number>();
  let bound = 0; // no pair that the joins so far create is more frequent
  for (const pair of candidates) {
    const left = Math.floor(pair / stride), right = pair % stride, count = counts[pair];
    const isNew = !vocabulary.vocab.has(vocabulary.textOf(left, right));
    if (joins.length > 0) {
      if (vocabulary.size >= goal || count <= bound || count < least || !isNew) break;
      if (joins.some((join) => right === join.left || left === join.right) || (!rows.has(left) && rows.size === MAX_ROWS)) break;
    }
    rows.add(left);
    joins.push({ left, right, product: vocabulary.merge(left, right) });
    if (!isNew) break;
    if (left === right) bound = Math.max(bound, Math.floor(count / 2));
    for (let other = 0; other < vocabulary.size; other++) {
      if (left === right && other === left) continue;
      bound = Math.max(bound, Math.min(count, Math.max(counts[other * stride + left], counts[right * stride + other])));
    }
  }
  return joins;
}

/** Keeps all pairs that are at least as frequent as a threshold, so that the most frequent ones need no look at all counts. */
function createWatch({ counts, stride }: PairCounts, vocabulary: GrowingVocabulary, { maxTokenLength }: LearnOptions) {
  const { lengths } = vocabulary, watched = new Set<number>();
  let threshold = Infinity;
  const add = (pair: number) => {
    if (counts[pair] >= threshold && lengths[Math.floor(pair / stride)] + lengths[pair % stride] <= maxTokenLength) watched.add(pair);
  };
  /** A lower threshold, with at least `WATCHED` pairs above it where there are so many: one look at all counts for a histogram, one for the pairs. */
  const refill = () => {
    const used = vocabulary.size, pairsByBucket = new Uint32Array(8 * 64);
    for (let left = 0; left < used; left++) {
      for (let pair = left * stride; pair < left * stride + used; pair++) if (counts[pair] > 0 && counts[pair] < threshold) pairsByBucket[bucketOf(counts[pair])]++;
    }
    let bucket = pairsByBucket.length - 1;
    for (let found = watched.size; bucket > 0 && found + pairsByBucket[bucket] < WATCHED; bucket--) found += pairsByBucket[bucket];
    threshold = Math.min(threshold - 1, firstOfBucket(bucket));
    for (let left = 0; left < used; left++) {
      for (let pair = left * stride; pair < left * stride + used; pair++) if (counts[pair] >= threshold) add(pair);
    }
  };
  /** A higher threshold: joins add pairs, and those that are far from their turn cost a look each time. */
  const prune = () => {
    threshold = Float64Array.from(watched, (pair) => counts[pair]).sort()[watched.size - WATCHED];
    for (const pair of watched) if (counts[pair] < threshold) watched.delete(pair);
  };
  return {
    /** The most frequent pairs in their order, and a count: all pairs that are at least as frequent are among them. */
    mostFrequent(): { readonly candidates: readonly number[]; readonly least: number } {
      for (const pair of watched) if (counts[pair] < threshold) watched.delete(pair);
      if (watched.size < FEW && threshold > 1) refill();
      if (watched.size > 3 * WATCHED) prune();
      let most = 0;
      for (const pair of watched) if (counts[pair] > most) most = counts[pair];
      const least = Math.max(threshold, Math.floor(0.8 * most)); // a pass takes about ten: no need to sort them all
      return { candidates: [...watched].filter((pair) => counts[pair] >= least).sort((a, b) => counts[b] - counts[a] || a - b), least };
    },
    afterJoins(joins: readonly Join[]) {
      for (const { product } of joins) {
        for (let other = 0; other < vocabulary.size; other++) {
          add(product * stride + other);
          add(other * stride + product);
        }
      }
    },
  };
}

/** Counts in buckets of an eighth of a power of two. */
const bucketOf = (count: number): number => {
  const power = count < 2 ** 32 ? 31 - Math.clz32(count) : Math.floor(Math.log2(count));
  return 8 * power + Math.floor(8 * (count * inversePowers[power] - 1));
};
const inversePowers = Float64Array.from({ length: 64 }, (_, power) => 2 ** -power);
const firstOfBucket = (bucket: number): number => Math.max(1, Math.ceil(2 ** (bucket >> 3) * (1 + (bucket & 7) / 8)));
