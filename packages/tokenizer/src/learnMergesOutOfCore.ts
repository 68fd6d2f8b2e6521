/**
 * Exact merges in memory that does not grow with the corpus: the tokens lie in a file, only the counts of pairs in memory.
 *
 * One pass over the file joins several pairs at once, those of which it is certain that training one by one would choose them in this
 * order. After p_1 … p_k, the next most frequent pair (c, d) is chosen too while
 *  (1) it touches none of them: for every accepted (a, b), d is not a and c is not b. Then the joins commute, and take nothing from each other;
 *  (2) it is more frequent than any pair that they can create. Joining (a, b) to X creates pairs y X, at most min(C(y, a), C(a, b)) times, and
 *      X z, at most min(C(b, z), C(a, b)) times; from runs of a = b also X X and X a, at most C(a, a) / 2 times. Equal is not enough: a new pair may win the tie;
 *  (3) its product is a new token: one that exists gets a pass of its own, because counts of old pairs may rise.
 * Old counts only fall, and that of (c, d) stays; so training one by one chooses exactly these.
 */
import type { GrowingVocabulary, LearnOptions } from './growingVocabulary';
import type { ScratchFile } from './scratchFile';
import { SEPARATOR } from './trainingCorpus';

const BUFFER = 2 ** 19;   // tokens read at once
const MAX_ROWS = 32;      // different left tokens in a pass
const WATCHED = 1500;     // pairs that a look at all counts finds, and when there are so few left it is time for the next
const FEW = 300;

/** Bytes for counts of `vocabSize` tokens, the table of joins and the buffers. */
export const memoryNeeded = (vocabSize: number): number => 4 * vocabSize ** 2 + 2 * MAX_ROWS * vocabSize + 4 * BUFFER + 2 ** 20;

interface Join { readonly left: number; readonly right: number; readonly product: number }

export interface OutOfCoreOptions extends LearnOptions { readonly maxMemory: number }

/** @param length - units in the file, which `tokenOf` turns into tokens */
export async function learnMergesOutOfCore(file: ScratchFile, length: number, tokenOf: Uint16Array, vocabulary: GrowingVocabulary, options: OutOfCoreOptions): Promise<void> {
  const { goal, minFrequency, pause } = options, size = goal;
  // A count above 2^32 needs a corpus of as many letters; then 8 bytes a count.
  if (length >= 2 ** 32 && options.maxMemory < memoryNeeded(size) + 4 * size ** 2) throw new RangeError(`trainBpe: expected maxMemory of at least ${memoryNeeded(size) + 4 * size ** 2} bytes for a corpus of ${length} letters, got ${options.maxMemory}; raise it or lower vocabSize`);
  const counts = length >= 2 ** 32 ? new Float64Array(size ** 2) : new Uint32Array(size ** 2);
  const pass = createPass(file, counts, size);
  pass.count(length, tokenOf);
  for (const joins of groupGiven(vocabulary)) {
    pass.join(joins);
    await pause(0);
  }
  const watch = createWatch(counts, size, vocabulary, options);
  while (vocabulary.size < goal) {
    const { candidates, least } = watch.mostFrequent();
    if (candidates.length === 0 || counts[candidates[0]] < Math.max(1, minFrequency)) break;
    const pairCount = counts[candidates[0]], joins = choose(candidates, counts, size, vocabulary, goal, Math.max(1, minFrequency, least));
    pass.join(joins);
    watch.afterJoins(joins);
    await pause(pairCount);
  }
}

/** Given merges, in their order, as many in a pass as touch none of each other. */
function groupGiven({ given }: GrowingVocabulary): Join[][] {
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
function choose(candidates: readonly number[], counts: Uint32Array | Float64Array, size: number, vocabulary: GrowingVocabulary, goal: number, least: number): Join[] {
  const joins: Join[] = [], rows = new Set<number>();
  let bound = 0; // no pair that the joins so far create is more frequent
  for (const pair of candidates) {
    const left = Math.floor(pair / size), right = pair % size, count = counts[pair];
    const isNew = !vocabulary.vocab.has(vocabulary.textOf(left, right));
    if (joins.length > 0) {
      if (vocabulary.size >= goal || count <= bound || count < least || !isNew) break;
      if (joins.some((join) => right === join.left || left === join.right) || (!rows.has(left) && rows.size === MAX_ROWS)) break;
    }
    rows.add(left);
    joins.push({ left, right, product: vocabulary.merge(left, right) });
    if (!isNew) break;
    if (left === right) bound = Math.max(bound, Math.floor(count / 2));
    for (let other = 0; other < size; other++) {
      if (left === right && other === left) continue;
      bound = Math.max(bound, Math.min(count, Math.max(counts[other * size + left], counts[right * size + other])));
    }
  }
  return joins;
}

/** Keeps all pairs that are at least as frequent as a threshold, so that the most frequent ones need no look at all counts. */
function createWatch(counts: Uint32Array | Float64Array, size: number, vocabulary: GrowingVocabulary, { maxTokenLength }: LearnOptions) {
  const { lengths } = vocabulary, watched = new Set<number>();
  let threshold = Infinity;
  const add = (pair: number) => {
    if (counts[pair] >= threshold && lengths[Math.floor(pair / size)] + lengths[pair % size] <= maxTokenLength) watched.add(pair);
  };
  /** A lower threshold, with at least `WATCHED` pairs above it where there are so many: one look at all counts for a histogram, one for the pairs. */
  const refill = () => {
    const used = vocabulary.size, pairsByBucket = new Uint32Array(8 * 64);
    for (let left = 0; left < used; left++) {
      for (let pair = left * size; pair < left * size + used; pair++) if (counts[pair] > 0 && counts[pair] < threshold) pairsByBucket[bucketOf(counts[pair])]++;
    }
    let bucket = pairsByBucket.length - 1;
    for (let found = watched.size; bucket > 0 && found + pairsByBucket[bucket] < WATCHED; bucket--) found += pairsByBucket[bucket];
    threshold = Math.min(threshold - 1, firstOfBucket(bucket));
    for (let left = 0; left < used; left++) {
      for (let pair = left * size; pair < left * size + used; pair++) if (counts[pair] >= threshold) add(pair);
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
        for (let other = 0; other < size; other++) {
          add(product * size + other);
          add(other * size + product);
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

/** Passes over the file, which shrink it in place and keep the counts exact. */
function createPass(file: ScratchFile, counts: Uint32Array | Float64Array, size: number) {
  const buffer = new Uint16Array(BUFFER), productRow = new Uint8Array(2 ** 16), products = new Uint16Array(MAX_ROWS * size);
  let length = 0; // tokens in the file
  return {
    /** Turns units into tokens and counts their pairs. */
    count(units: number, tokenOf: Uint16Array): void {
      length = units;
      let previous = SEPARATOR;
      for (let position = 0; position < length;) {
        const read = file.read(buffer.subarray(0, Math.min(buffer.length, length - position)), position);
        for (let i = 0; i < read; i++) {
          const token = buffer[i] = tokenOf[buffer[i]];
          if (previous !== SEPARATOR && token !== SEPARATOR) counts[previous * size + token]++;
          previous = token;
        }
        file.write(buffer.subarray(0, read), position);
        position += read;
      }
    },
    join(joins: readonly Join[]): void {
      const rows = [...new Set(joins.map(({ left }) => left))];
      rows.forEach((left, row) => { productRow[left] = row + 1; });
      for (const { left, right, product } of joins) products[(productRow[left] - 1) * size + right] = product + 1;
      let written = 0, held = 0; // tokens at the start of the buffer that wait for the next one
      let previous = SEPARATOR, previousRaw = SEPARATOR; // the token before in the output, and the last one that it was made of
      for (let position = 0; position < length;) {
        const read = file.read(buffer.subarray(held, Math.min(buffer.length, held + length - position)), position), end = held + read;
        position += read;
        const isLast = position === length;
        let from = 0, to = 0;
        while (from < end) {
          if (previous === previousRaw) { // a stretch without candidates moves as a whole: a fifth of the time of a training
            const start = from;
            while (from < end && productRow[buffer[from]] === 0) from++;
            if (from > start) {
              previous = previousRaw = buffer[from - 1];
              if (to < start) buffer.copyWithin(to, start, from);
              to += from - start;
              if (from === end) break;
            }
          }
          const token = buffer[from], row = productRow[token];
          if (row !== 0) {
            if (from + 1 === end && !isLast) break;
            const next = from + 1 < end ? buffer[from + 1] : SEPARATOR, product = next === SEPARATOR ? 0 : products[(row - 1) * size + next];
            if (product !== 0) {
              counts[token * size + next]--;
              if (previous !== SEPARATOR) {
                counts[previousRaw * size + token]--;
                counts[previous * size + product - 1]++;
              }
              buffer[to++] = previous = product - 1;
              previousRaw = next;
              from += 2;
              continue;
            }
          }
          if (previous !== previousRaw && token !== SEPARATOR) { // behind a product
            counts[previousRaw * size + token]--;
            counts[previous * size + token]++;
          }
          buffer[to++] = previous = previousRaw = token;
          from++;
        }
        file.write(buffer.subarray(0, to), written);
        written += to;
        held = end - from;
        if (held > 0) buffer[0] = buffer[from];
      }
      length = written;
      for (const { left, right } of joins) products[(productRow[left] - 1) * size + right] = 0;
      for (const left of rows) productRow[left] = 0;
    },
  };
}
