/** Pairs by falling count; equal counts by rising key, which is by left id, then by right id. */
export interface PairHeap {
  push(count: number, key: number): void;
  /** Takes the first entry off; read it before through `count` and `key`. */
  pop(): void;
  readonly size: number;
  readonly count: number;
  readonly key: number;
}

export function createPairHeap(): PairHeap {
  let counts = new Int32Array(1024), keys = new Uint32Array(1024), size = 0;
  const isBefore = (count: number, key: number, slot: number) => count > counts[slot] || (count === counts[slot] && key < keys[slot]);
  const put = (slot: number, count: number, key: number) => {
    counts[slot] = count;
    keys[slot] = key;
  };
  return {
    get size() { return size; },
    get count() { return counts[0]; },
    get key() { return keys[0]; },
    push(count, key) {
      if (size === counts.length) {
        const largerCounts = new Int32Array(2 * size), largerKeys = new Uint32Array(2 * size);
        largerCounts.set(counts);
        largerKeys.set(keys);
        counts = largerCounts;
        keys = largerKeys;
      }
      let slot = size++;
      for (let parent = (slot - 1) >> 1; slot > 0 && isBefore(count, key, parent); parent = (slot - 1) >> 1) {
        put(slot, counts[parent], keys[parent]);
        slot = parent;
      }
      put(slot, count, key);
    },
    pop() {
      const count = counts[--size], key = keys[size];
      let slot = 0;
      for (let child = 1; child < size; child = 2 * slot + 1) {
        if (child + 1 < size && isBefore(counts[child + 1], keys[child + 1], child)) child++;
        if (isBefore(count, key, child)) break;
        put(slot, counts[child], keys[child]);
        slot = child;
      }
      put(slot, count, key);
    },
  };
}
