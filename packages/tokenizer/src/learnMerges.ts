/**
 * Exact merges in memory, about 10 bytes a letter: every pair keeps the list of its places, so that a merge costs its occurrences.
 */
import { addOccurrence, countOf, createPairIndex, removeOccurrence, takeOccurrences, type PairIndex } from './pairIndex';
import { createPairHeap } from './pairHeap';
import type { GrowingVocabulary, LearnOptions } from './growingVocabulary';
import { SEPARATOR } from './trainingCorpus';

/** @param tokens - ids with a separator at both ends and between words; used up */
export async function learnMerges(tokens: Uint16Array, vocabulary: GrowingVocabulary, { goal, minFrequency, maxTokenLength, pause }: LearnOptions): Promise<void> {
  const { lengths } = vocabulary, index = createPairIndex(tokens.length), heap = createPairHeap();
  const offer = (key: number) => {
    if (lengths[key >>> 16] + lengths[key & 0xffff] <= maxTokenLength) heap.push(countOf(index, key), key);
  };
  let sweep = 0;
  const join = (key: number, product: number) => joinEverywhere(tokens, lengths, index, key, product, ++sweep);
  const seen = new Set(indexLetters(tokens, index));
  for (const [left, right, product] of vocabulary.given) for (const key of join(pairKey(left, right), product)) seen.add(key);
  for (const key of seen) if (countOf(index, key) > 0) offer(key);
  while (vocabulary.size < goal && heap.size > 0) {
    const { count, key } = heap, current = countOf(index, key);
    heap.pop();
    if (count !== current) { // other merges took occurrences since it was pushed
      if (current > 0) heap.push(current, key);
      continue;
    }
    if (count < Math.max(1, minFrequency)) break;
    for (const gained of join(key, vocabulary.merge(key >>> 16, key & 0xffff))) offer(gained);
    await pause(count);
  }
}

const pairKey = (left: number, right: number) => left * 65536 + right;

/** @returns the pairs of letters that occur */
function indexLetters(tokens: Uint16Array, index: PairIndex): number[] {
  const pairs: number[] = [];
  for (let i = tokens.length - 2; i > 0; i--) {
    if (tokens[i] === SEPARATOR || tokens[i + 1] === SEPARATOR) continue;
    const key = pairKey(tokens[i], tokens[i + 1]);
    if (addOccurrence(index, key, i, -1)) pairs.push(key);
  }
  return pairs;
}

/**
 * Joins all occurrences of a pair, from left to right. A token's id stands at its first and at its last letter (what lies between
 * is stale), so that its neighbours are found without links: the next starts at `i + lengths[id]`, the one before ends at `i - 1`.
 * @returns the pairs that gained occurrences
 */
function joinEverywhere(tokens: Uint16Array, lengths: Uint32Array, index: PairIndex, key: number, product: number, sweep: number): number[] {
  const left = key >>> 16, right = key & 0xffff, gained: number[] = [];
  let joinedUntil = 0;
  for (const i of takeOccurrences(index, key)) {
    if (i < joinedUntil) continue; // AAA: the first two were joined, the second pair is gone
    const middle = i + lengths[left], end = middle + lengths[right];
    const previous = tokens[i - 1], next = tokens[end];
    tokens[i] = tokens[end - 1] = product;
    joinedUntil = end;
    if (previous !== SEPARATOR) {
      const start = i - lengths[previous], pair = pairKey(previous, product);
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
