// The layout of paged caches (Kwon et al. 2023, arXiv 2309.06180): pages of 16 tokens in one tensor, and for each sequence a list of its pages.
import { checkShape } from '../check';
import { describeSpec, type TensorSpec } from '../../tensor';

/** Tokens of a page. */
export const pageSize = 16;

export interface CacheLayout {
  readonly pages: number;
  readonly numKvHeads: number;
  readonly headDim: number;
}

/** Reads and checks a cache `[pages · 16, numKvHeads, headDim]` in float32, float16 or bfloat16. */
export function cacheLayout(op: string, name: string, cache: TensorSpec): CacheLayout {
  const { slots, numKvHeads, headDim } = checkShape(op, name, cache, ['slots', 'numKvHeads', 'headDim']);
  if (cache.dtype !== 'float32' && cache.dtype !== 'float16' && cache.dtype !== 'bfloat16') throw new TypeError(`${op}: expected ${name} as float32, float16 or bfloat16, got ${describeSpec(cache)}; make it with cast(zeros(device, shape), dtype)`);
  if (slots % pageSize) throw new RangeError(`${op}: expected ${name} of whole pages of ${pageSize} slots, got ${slots} slots; round up`);
  if (cache.dtype !== 'float32' && (numKvHeads * headDim) % 2) throw new RangeError(`${op}: expected ${name} in ${cache.dtype} with an even number of elements a slot, got ${numKvHeads * headDim}; use float32`);
  return { pages: slots / pageSize, numKvHeads, headDim };
}

export interface PagedAttributes {
  readonly cuSeqlens: Int32Array;
  readonly contextLengths: Int32Array;
  readonly blockTable: Int32Array;
  readonly alibiSlopes: Float32Array;
  readonly softmaxScale: number;
  readonly windowLeft: number;
}

/** What a query sees: keys [first, position], found through the block table from `table` on. */
export interface SeenKeys {
  readonly row: number;
  readonly first: number;
  readonly position: number;
  readonly table: number;
}

/** The attributes of queries `first` to `end` alone. */
export function ofQueries(attributes: PagedAttributes, first: number, end: number): PagedAttributes {
  const { cuSeqlens, contextLengths } = attributes;
  const clipped = cuSeqlens.map((row) => Math.min(Math.max(row, first), end));
  return { ...attributes, cuSeqlens: clipped.map((row) => row - first), contextLengths: contextLengths.map((length, s) => length - cuSeqlens[s + 1] + clipped[s + 1]) };
}

/** Every query with what it sees. */
export function seenKeys({ cuSeqlens, contextLengths, blockTable, windowLeft }: PagedAttributes): SeenKeys[] {
  const perSequence = blockTable.length / Math.max(1, contextLengths.length);
  return Array.from(contextLengths, (length, s) => Array.from({ length: cuSeqlens[s + 1] - cuSeqlens[s] }, (_, i): SeenKeys => {
    const position = length - cuSeqlens[s + 1] + cuSeqlens[s] + i;
    return { row: cuSeqlens[s] + i, first: windowLeft < 0 ? 0 : Math.max(0, position - windowLeft), position, table: s * perSequence };
  })).flat();
}

/** Slots `begin` to `end` of a list, from the lowest of which to the highest there are so few that they can be bound together. */
export interface SlotRun {
  readonly begin: number;
  readonly end: number;
  readonly low: number;
  readonly high: number;
}

/** A list of slots in runs of at most `most` slots, and of as many slots from the lowest to the highest. */
export function slotRuns(slots: Int32Array, most: number): SlotRun[] {
  const runs: SlotRun[] = [];
  slots.forEach((slot, at) => {
    const run = runs.at(-1), [low, high] = [Math.min(slot, run?.low ?? slot), Math.max(slot, run?.high ?? slot)];
    if (run && at - run.begin < most && high - low < most) runs[runs.length - 1] = { ...run, end: at + 1, low, high };
    else runs.push({ begin: at, end: at + 1, low: slot, high: slot });
  });
  return runs;
}
