/**
 * Exact merges in memory. As long as the next pair is frequent, passes join it (tokenPass.ts), a few nanoseconds a token; what is left, about a
 * third of the letters, gets an index: every pair keeps the list of its places, so that a merge costs its occurrences.
 */
import { addOccurrence, countOf, createPairIndex, occurringPairs, removeOccurrence, takeOccurrences, type PairIndex } from './pairIndex';
import { createPairHeap } from './pairHeap';
import type { GrowingVocabulary, LearnOptions } from './growingVocabulary';
import { learnMergesByPasses } from './learnMergesByPasses';
import type { createScratchMemory } from './scratchFile';
import { createTokenPasses } from './tokenPass';
import { SEPARATOR } from './trainingCorpus';

const PASS_TOKENS = 2048; // ids that the passes may use: 16 MB of counts
const RARE = 400;         // a pair that is less than one token in so many is joined faster by its list

/** @param scratch - `length` units, which `tokenOf` turns into tokens, with a separator at both ends and between words; used up */
export async function learnMerges(scratch: ReturnType<typeof createScratchMemory>, length: number, tokenOf: Uint16Array, vocabulary: GrowingVocabulary, options: LearnOptions): Promise<void> {
  const { goal, minFrequency, maxTokenLength, pause } = options;
  const { tokens, given } = await joinFrequent(scratch, length, tokenOf, vocabulary, options);
  const places = createPlaces(tokens), heap = createPairHeap();
  const offer = (key: number) => {
    if (vocabulary.lengths[key >>> 16] + vocabulary.lengths[key & 0xffff] <= maxTokenLength) heap.push(places.countOf(key), key);
  };
  const seen = new Set(places.pairs());
  for (const [left, right, product] of vocabulary.given.slice(given)) for (const key of places.join(pairKey(left, right), product)) seen.add(key);
  for (const key of seen) if (places.countOf(key) > 0) offer(key);
  while (vocabulary.size < goal && heap.size > 0) {
    const { count, key } = heap, current = places.countOf(key);
    heap.pop();
    if (count !== current) { // other merges took occurrences since it was pushed
      if (current > 0) heap.push(current, key);
      continue;
    }
    if (count < Math.max(1, minFrequency)) break;
    for (const gained of places.join(key, vocabulary.merge(key >>> 16, key & 0xffff))) offer(gained);
    await pause(count);
  }
}

/** Joins pairs by passes while they are frequent. @returns the tokens then, and how many of the given merges are done */
async function joinFrequent(scratch: ReturnType<typeof createScratchMemory>, length: number, tokenOf: Uint16Array, vocabulary: GrowingVocabulary, options: LearnOptions): Promise<{ readonly tokens: Uint16Array; readonly given: number }> {
  const goal = Math.min(options.goal, PASS_TOKENS), passes = createTokenPasses(scratch, length, tokenOf, goal);
  if (!passes) { // no WebAssembly: the lists do it all
    const tokens = scratch.numbers(length);
    for (let i = 0; i < length; i++) tokens[i] = tokenOf[tokens[i]];
    return { tokens, given: 0 };
  }
  const given = await learnMergesByPasses(passes, vocabulary, { ...options, goal, isRare: (count) => count * RARE < passes.length });
  return { tokens: scratch.numbers(passes.length), given };
}

const pairKey = (left: number, right: number) => left * 65536 + right;

/**
 * Where every pair stands. A token's id stands at its first and at its last place (what lies between is stale), so that its neighbours
 * are found without links: the next starts `width[id]` places on, the one before ends a place before.
 */
function createPlaces(tokens: Uint16Array) {
  const width = new Uint32Array(2 ** 16); // 0 for tokens that do not occur
  let index = indexPairs(), sweep = 0;
  return {
    countOf: (key: number) => countOf(index, key),
    pairs: () => occurringPairs(index),
    /** Joins all occurrences, from left to right. @returns the pairs that gained some */
    join(key: number, product: number): number[] {
      const left = key >>> 16, right = key & 0xffff, places = width[left] + width[right];
      width[product] ||= places;
      if (width[product] === places) return joinEverywhere(tokens, width, index, key, product, ++sweep);
      compact(left, right, product); // the token was made of others too, in other numbers of places: begin with one place each again
      index = indexPairs();
      return occurringPairs(index).filter((pair) => pair >>> 16 === product || (pair & 0xffff) === product);
    },
  };

  function compact(left: number, right: number, product: number): void {
    let to = 0;
    for (let i = 0; i < tokens.length;) {
      const token = tokens[i], next = i + width[token], joins = token === left && tokens[next] === right;
      tokens[to++] = joins ? product : token;
      i = joins ? next + width[right] : next;
    }
    tokens = tokens.subarray(0, to);
  }

  function indexPairs(): PairIndex {
    const fresh = createPairIndex(tokens.length);
    width.fill(0);
    for (let i = tokens.length - 1; i >= 0; i--) {
      width[tokens[i]] = 1;
      if (i > 0 && tokens[i] !== SEPARATOR && tokens[i - 1] !== SEPARATOR) addOccurrence(fresh, pairKey(tokens[i - 1], tokens[i]), i - 1, -1);
    }
    return fresh;
  }
}

/** @returns the pairs that gained occurrences */
function joinEverywhere(tokens: Uint16Array, width: Uint32Array, index: PairIndex, key: number, product: number, sweep: number): number[] {
  const left = key >>> 16, right = key & 0xffff, gained: number[] = [];
  let joinedUntil = 0;
  for (const i of takeOccurrences(index, key)) {
    if (i < joinedUntil) continue; // AAA: the first two were joined, the second pair is gone
    const middle = i + width[left], end = middle + width[right];
    const previous = tokens[i - 1], next = tokens[end];
    tokens[i] = tokens[end - 1] = product;
    joinedUntil = end;
    if (previous !== SEPARATOR) {
      const start = i - width[previous], pair = pairKey(previous, product);
      removeOccurrence(index, pairKey(previous, left), start);
      if (addOccurrence(index, pair, start, sweep)) gained.push(pair);
    }
    if (next !== SEPARATOR) {
      const before = pairKey(right, next), pair = pairKey(product, next);
      if (before !== key) removeOccurrence(index, before, middle); // else it was taken with the others
      if (addOccurrence(index, pair, i, sweep)) gained.push(pair);
    }
  }
  return gained;
}
