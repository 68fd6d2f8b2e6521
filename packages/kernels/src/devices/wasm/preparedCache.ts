import { bytesOf, type Tensor, type TensorSpec } from '../../tensor';
import type { DeviceBuffer } from '../../device';
import type { Prepared } from '../../op';
import type { Heap } from './memory';

/** Scratch that outlives its op: packed weights. */
export interface Kept {
  readonly addresses: readonly number[];
  /** False until the steps that fill it have run, and once it made way. */
  filled: boolean;
}

/**
 * What ops prepare from inputs that do not change, such as packed weights at inference: kept from the second time on, the least recently used making way.
 * But only those not used since the newcomer's first time: weights beyond the budget, used in turn, would all be prepared for one use each.
 */
export interface PreparedCache {
  /** What is kept for these inputs, or room for it; undefined where it is not worth keeping. Stays until `release`. */
  claim(op: string, prepared: Prepared, inputs: readonly Tensor[], scratch: readonly TensorSpec[]): Kept | undefined;
  release(): void;
  /** Forgets what was made from a buffer. */
  drop(buffer: DeviceBuffer): void;
  /** The heap's `allocate`; what is kept makes way for it. */
  allocate(bytes: number): number;
}

interface Entry extends Kept {
  /** The number of the claim that used it last. */
  used: number;
  readonly key: string;
  readonly sources: readonly { readonly buffer: DeviceBuffer; readonly version: number }[];
  readonly sizes: readonly number[];
  readonly bytes: number;
}

/** Not counted as live: tensors do not own it. */
export function createPreparedCache(heap: Heap, budget: number): PreparedCache {
  const entries = new Set<Entry>(); // the least recently used first
  const bySource = new Map<DeviceBuffer, Set<Entry>>();
  const seen = new WeakMap<DeviceBuffer, Map<string, { readonly versions: string; readonly at: number }>>();
  let [bytes, claims, claimed]: [number, number, Entry | undefined] = [0, 0, undefined];

  const remove = (entry: Entry): void => {
    entries.delete(entry);
    entry.filled = false;
    bytes -= entry.bytes;
    entry.addresses.forEach((address, i) => heap.free(address, entry.sizes[i]));
    for (const { buffer } of entry.sources) {
      const own = bySource.get(buffer)!;
      own.delete(entry);
      if (!own.size) bySource.delete(buffer);
    }
  };

  const add = (entry: Entry): Entry => {
    entries.add(entry);
    bytes += entry.bytes;
    for (const { buffer } of entry.sources) bySource.set(buffer, (bySource.get(buffer) ?? new Set()).add(entry));
    return entry;
  };

  /** Room for all, or for none. */
  const takeAll = (sizes: readonly number[]): number[] | undefined => {
    const addresses: number[] = [];
    try {
      for (const size of sizes) addresses.push(heap.allocate(size));
      return addresses;
    } catch {
      addresses.forEach((address, i) => heap.free(address, sizes[i]));
      return undefined; // nothing is kept, and the op allocates as if there were no cache
    }
  };

  const claim = (key: string, inputs: readonly Tensor[], sizes: readonly number[]): Entry | undefined => {
    const [{ buffer: first }] = inputs;
    claims++;
    const versions = inputs.map(({ buffer }) => buffer.version).join();
    for (const entry of [...(bySource.get(first) ?? [])]) {
      if (entry.sources.some(({ buffer, version }) => buffer.version !== version)) remove(entry);
      else if (entry.key === key && entry.sources.every(({ buffer }, i) => buffer === inputs[i].buffer)) {
        entries.delete(entry);
        entries.add(entry);
        entry.used = claims;
        return entry;
      }
    }
    const known = seen.get(first) ?? new Map<string, { versions: string; at: number }>();
    seen.set(first, known);
    const before = known.get(key);
    known.set(key, { versions, at: claims });
    const needed = sizes.reduce((sum, size) => sum + size, 0);
    if (before?.versions !== versions || needed > budget) return undefined;
    for (const entry of entries) if (bytes + needed > budget && entry.used < before.at) remove(entry);
    if (bytes + needed > budget) return undefined;
    const addresses = takeAll(sizes);
    return addresses && add({ key, addresses, sizes, bytes: needed, filled: false, used: claims, sources: inputs.map(({ buffer }) => ({ buffer, version: buffer.version })) });
  };

  return {
    claim(op, prepared, inputs, scratch) {
      const sources = prepared.inputs.map((i) => inputs[i]);
      const key = [op, prepared.layout, ...sources.map(({ offset }) => offset)].join();
      claimed = claim(key, sources, scratch.slice(0, prepared.scratch).map(bytesOf));
      return claimed;
    },
    release: () => void (claimed = undefined),
    drop: (buffer) => bySource.get(buffer)?.forEach(remove),
    allocate(size) {
      try {
        return heap.allocate(size);
      } catch (error) {
        const others = [...entries].filter((entry) => entry !== claimed);
        if (!others.length) throw error;
        others.forEach(remove);
        return heap.allocate(size);
      }
    },
  };
}
