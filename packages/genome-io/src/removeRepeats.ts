import { invertIntervals, mergeIntervals, overlapLength, runsOf, totalLength, type Interval } from './intervals';

export interface RemoveRepeatsOptions {
  /** Where the repeats are, in any order; default: where the letters are lower case (soft-masked). */
  readonly repeats?: Iterable<Interval>;
  /**
   * - `split` (default): what lies between repeats, each stretch by itself.
   * - `mask`: the whole sequence with N for repeats.
   * - `weight`: every stretch, repeats with `weight`, the rest with 1, for a loss or a sampler.
   * - `drop`: one sequence without the repeats. It joins flanks that never met: every joint is a sequence that no genome holds.
   */
  readonly mode?: 'split' | 'mask' | 'weight' | 'drop';
  /** Shortest stretch that `split` and `weight` keep, in bases; default 1. */
  readonly minLength?: number;
  /** Weight of repeats in the mode `weight`, 0 to 1; default 0.1. */
  readonly weight?: number;
  /** Runs of N of this length and more are left out as repeats are; default: N is left alone. */
  readonly maxUnknown?: number;
  /** Features, such as `readGff` gives, whose kept share is to be reported by their type. */
  readonly features?: Iterable<Interval & { readonly type: string }>;
}

export interface Stretch extends Interval {
  /** Upper and lower case as in the sequence; a view, not a copy, in the modes `split` and `weight`. */
  readonly sequence: Uint8Array;
  readonly weight: number;
}

export interface RepeatReport {
  /** Bases of the sequence. */
  readonly length: number;
  /** Of them in repeats, and in runs of N of `maxUnknown` and more outside of repeats. */
  readonly repeats: number;
  readonly unknown: number;
  /** In stretches shorter than `minLength`. */
  readonly short: number;
  /** What is left with weight 1. */
  readonly kept: number;
  /** Bases of each type of `features` (their union) and how many of them are kept. */
  readonly byType: Readonly<Record<string, { readonly length: number; readonly kept: number }>>;
}

/**
 * Takes repeats out of one sequence, as corpora for language models do (dnaGrinder trains on what remains after it).
 * @returns stretches in the order of the sequence, with their 0-based places in it, and a report.
 * @throws RangeError for lengths and weights that cannot be; TypeError for an unknown mode.
 */
export function removeRepeats(sequence: Uint8Array, options: RemoveRepeatsOptions = {}): { stretches: Stretch[]; report: RepeatReport } {
  const { mode = 'split', minLength = 1, weight = 0.1, maxUnknown = Infinity } = options;
  if (!['split', 'mask', 'weight', 'drop'].includes(mode)) throw new TypeError(`removeRepeats: expected the mode split, mask, weight or drop, got ${String(mode)}; split is the default`);
  if (!(minLength >= 1 && weight >= 0 && weight <= 1 && maxUnknown >= 1)) throw new RangeError(`removeRepeats: expected minLength and maxUnknown of 1 or more and a weight of 0 to 1, got ${minLength}, ${maxUnknown} and ${weight}; correct the options`);
  const { length } = sequence;
  const repeats = mergeIntervals(options.repeats ?? runsOf(sequence, (byte) => byte >= 97 && byte <= 122), length);
  const unknown = maxUnknown === Infinity ? [] : runsOf(sequence, (byte) => byte === 78 || byte === 110).filter(({ start, end }) => end - start >= maxUnknown);
  const removed = mergeIntervals([...repeats, ...unknown], length);
  const between = invertIntervals(removed, length);
  const isLong = ({ start, end }: Interval) => end - start >= minLength;
  const kept = mode === 'mask' || mode === 'drop' ? between : between.filter(isLong);
  const view = (interval: Interval, ofWeight: number): Stretch => ({ ...interval, sequence: sequence.subarray(interval.start, interval.end), weight: ofWeight });
  const stretches =
    mode === 'split' ? kept.map((interval) => view(interval, 1))
    : mode === 'weight' ? [...kept.map((interval) => view(interval, 1)), ...repeats.filter(isLong).map((interval) => view(interval, weight))].sort((a, b) => a.start - b.start)
    : length === 0 ? [] : [{ start: 0, end: length, sequence: mode === 'mask' ? masked(sequence, removed) : joined(sequence, kept), weight: 1 }];
  return { stretches, report: reportOf(length, repeats, removed, between, kept, options.features ?? []) };
}

function masked(sequence: Uint8Array, removed: readonly Interval[]): Uint8Array {
  const copy = sequence.slice();
  for (const { start, end } of removed) copy.fill(78, start, end);
  return copy;
}

function joined(sequence: Uint8Array, kept: readonly Interval[]): Uint8Array {
  const copy = new Uint8Array(totalLength(kept));
  let at = 0;
  for (const { start, end } of kept) {
    copy.set(sequence.subarray(start, end), at);
    at += end - start;
  }
  return copy;
}

function reportOf(length: number, repeats: readonly Interval[], removed: readonly Interval[], between: readonly Interval[], kept: readonly Interval[], features: Iterable<Interval & { readonly type: string }>): RepeatReport {
  const types = new Map<string, Interval[]>();
  for (const { type, start, end } of features) {
    const list = types.get(type);
    if (list) list.push({ start, end });
    else types.set(type, [{ start, end }]);
  }
  const byType = Object.fromEntries([...types].map(([type, intervals]) => {
    const union = mergeIntervals(intervals, length);
    return [type, { length: totalLength(union), kept: union.reduce((sum, { start, end }) => sum + overlapLength(kept, start, end), 0) }];
  }));
  return { length, repeats: totalLength(repeats), unknown: totalLength(removed) - totalLength(repeats), short: totalLength(between) - totalLength(kept), kept: totalLength(kept), byType };
}
