/**
 * Where every pair of neighbouring tokens stands: a hash table from pair to count and first occurrence, and one doubly linked
 * list a pair through the positions. A position starts at most one pair, so two links a position carry all the lists, the count of
 * a pair is the length of its list, and moving an occurrence costs O(1). 8 bytes a letter.
 */
export interface PairIndex {
  /** Slot columns: `left * 65536 + right`, occurrences, first position (-1 for none), and the sweep that last added one. */
  keys: Uint32Array;
  counts: Int32Array;
  heads: Int32Array;
  sweeps: Int32Array;
  used: number;
  readonly after: Int32Array;
  readonly before: Int32Array;
}

const EMPTY = 0xffffffff; // separators, 0xffff, are in no pair

export const createPairIndex = (positions: number): PairIndex => ({
  ...createSlots(1024), used: 0, after: new Int32Array(positions), before: new Int32Array(positions),
});

const createSlots = (capacity: number) => ({
  keys: new Uint32Array(capacity).fill(EMPTY), counts: new Int32Array(capacity), heads: new Int32Array(capacity).fill(-1), sweeps: new Int32Array(capacity),
});

/** The slot of a pair, or the free slot where it would go. */
export function findSlot(index: PairIndex, key: number): number {
  const { keys } = index, mask = keys.length - 1;
  let slot = Math.imul(key, 0x9e3779b1) >>> Math.clz32(mask); // Fibonacci hashing
  while (keys[slot] !== key && keys[slot] !== EMPTY) slot = (slot + 1) & mask;
  return slot;
}

export const countOf = (index: PairIndex, key: number): number => index.counts[findSlot(index, key)];

export const occurringPairs = ({ keys, counts }: PairIndex): number[] => [...keys].filter((_, slot) => counts[slot] > 0);

/** @returns true for the first occurrence added in this sweep */
export function addOccurrence(index: PairIndex, key: number, position: number, sweep: number): boolean {
  let slot = findSlot(index, key);
  if (index.keys[slot] === EMPTY) {
    if (2 * ++index.used > index.keys.length) {
      grow(index);
      slot = findSlot(index, key);
    }
    index.keys[slot] = key;
  }
  const head = index.heads[slot];
  index.after[position] = head;
  index.before[position] = -1;
  if (head >= 0) index.before[head] = position;
  index.heads[slot] = position;
  index.counts[slot]++;
  const first = index.sweeps[slot] !== sweep;
  index.sweeps[slot] = sweep;
  return first;
}

export function removeOccurrence(index: PairIndex, key: number, position: number): void {
  const slot = findSlot(index, key);
  const after = index.after[position], before = index.before[position];
  if (after >= 0) index.before[after] = before;
  if (before >= 0) index.after[before] = after;
  else index.heads[slot] = after;
  index.counts[slot]--;
}

/** All positions of a pair, ascending; the pair is empty afterwards. */
export function takeOccurrences(index: PairIndex, key: number): Int32Array {
  const slot = findSlot(index, key);
  const positions = new Int32Array(index.counts[slot]);
  for (let i = 0, at = index.heads[slot]; at >= 0; at = index.after[at]) positions[i++] = at;
  index.counts[slot] = 0;
  index.heads[slot] = -1;
  return positions.sort();
}

/** Doubles the table, without pairs that are gone. */
function grow(index: PairIndex): void {
  const { keys, counts, heads, sweeps } = index;
  const live = counts.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 1);
  Object.assign(index, createSlots(2 ** Math.ceil(Math.log2(4 * live))), { used: live });
  for (let slot = 0; slot < keys.length; slot++) {
    if (counts[slot] === 0) continue;
    const target = findSlot(index, keys[slot]);
    index.keys[target] = keys[slot];
    index.counts[target] = counts[slot];
    index.heads[target] = heads[slot];
    index.sweeps[target] = sweeps[slot];
  }
}
