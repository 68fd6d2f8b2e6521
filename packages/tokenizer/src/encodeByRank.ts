/**
 * Byte pair encoding by its definition, for any list of merges: among all neighbouring tokens take the pair of lowest rank,
 * the leftmost of these, join it, repeat (Sennrich et al. 2016, section 3.2; Hugging Face's `Word::merge_all`).
 * A heap of (rank, position) over a linked list: O(n log n) time, about 36 bytes a letter.
 */
import { push } from './tokenBuffer';
import type { Letters, MergeRules, RunEncoder } from './mergeRules';

const POSITION = 2 ** 31; // heap keys are rank * POSITION + position: exact in a double for up to 2^22 merges

export function createRankEncoder(letters: Letters, rules: MergeRules, vocabSize: number): RunEncoder {
  const rankOfPair = new Map<number, number>();
  for (let m = 0; m < rules.product.length; m++) rankOfPair.set(rules.left[m] * vocabSize + rules.right[m], m);

  return (text, start, end, out) => {
    const n = end - start;
    const token = new Uint32Array(n), next = new Int32Array(n), previous = new Int32Array(n);
    const dead = new Uint8Array(n);
    const heap = createHeap(n);
    const offer = (i: number) => {
      const rank = next[i] < n ? rankOfPair.get(token[i] * vocabSize + token[next[i]]) : undefined;
      if (rank !== undefined) heap.push(rank * POSITION + i);
    };
    for (let i = 0; i < n; i++) {
      token[i] = letters.tokenId[letters.ofUnit[text.charCodeAt(start + i)]];
      next[i] = i + 1;
      previous[i] = i - 1;
    }
    for (let i = 0; i + 1 < n; i++) offer(i);
    while (heap.size() > 0) {
      const key = heap.pop(), rank = Math.floor(key / POSITION), i = key % POSITION, j = next[i];
      // Stale: one of the two was joined with another neighbour meanwhile.
      if (dead[i] || j >= n || token[i] !== rules.left[rank] || token[j] !== rules.right[rank]) continue;
      token[i] = rules.product[rank];
      dead[j] = 1;
      next[i] = next[j];
      if (next[i] < n) previous[next[i]] = i;
      if (previous[i] >= 0) offer(previous[i]);
      offer(i);
    }
    for (let i = 0; i < n; i = next[i]) push(out, token[i], start + i, start + next[i]);
  };
}

/** A binary heap of numbers, smallest first. */
function createHeap(capacity: number) {
  let keys = new Float64Array(Math.max(16, capacity)), size = 0;
  return {
    size: () => size,
    push(key: number) {
      if (size === keys.length) {
        const larger = new Float64Array(2 * size);
        larger.set(keys);
        keys = larger;
      }
      let i = size++;
      for (let parent = (i - 1) >> 1; i > 0 && keys[parent] > key; parent = (i - 1) >> 1) {
        keys[i] = keys[parent];
        i = parent;
      }
      keys[i] = key;
    },
    pop() {
      const smallest = keys[0], key = keys[--size];
      let i = 0;
      for (let child = 1; child < size; child = 2 * i + 1) {
        if (child + 1 < size && keys[child + 1] < keys[child]) child++;
        if (keys[child] >= key) break;
        keys[i] = keys[child];
        i = child;
      }
      keys[i] = key;
      return smallest;
    },
  };
}
