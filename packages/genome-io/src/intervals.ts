// Sets of intervals on one sequence, 0-based and half-open, as sorted lists that neither touch nor overlap.

export interface Interval {
  readonly start: number;
  readonly end: number;
}

/** The union of `intervals`, which may come in any order, cut to `length`. */
export function mergeIntervals(intervals: Iterable<Interval>, length: number): Interval[] {
  const sorted = [...intervals].map(({ start, end }) => ({ start: Math.max(0, start), end: Math.min(length, end) })).filter(({ start, end }) => start < end).sort((a, b) => a.start - b.start);
  const merged: { start: number; end: number }[] = [];
  for (const { start, end } of sorted) {
    const last = merged.at(-1);
    if (last && start <= last.end) last.end = Math.max(last.end, end);
    else merged.push({ start, end });
  }
  return merged;
}

/** What `merged` leaves of 0 to `length`. */
export function invertIntervals(merged: readonly Interval[], length: number): Interval[] {
  const gaps: Interval[] = [];
  let from = 0;
  for (const { start, end } of merged) {
    if (start > from) gaps.push({ start: from, end: start });
    from = end;
  }
  if (from < length) gaps.push({ start: from, end: length });
  return gaps;
}

/** Bases of `start` to `end` that are in `merged`. */
export function overlapLength(merged: readonly Interval[], start: number, end: number): number {
  let low = 0;
  let high = merged.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (merged[middle].end <= start) low = middle + 1;
    else high = middle;
  }
  let sum = 0;
  for (let i = low; i < merged.length && merged[i].start < end; i++) sum += Math.min(end, merged[i].end) - Math.max(start, merged[i].start);
  return sum;
}

/** Where `test` holds of the bytes of `sequence`. */
export function runsOf(sequence: Uint8Array, test: (byte: number) => boolean): Interval[] {
  const holds = Uint8Array.from({ length: 256 }, (_, byte) => (test(byte) ? 1 : 0));
  const runs: Interval[] = [];
  for (let i = 0; i < sequence.length; ) {
    if (!holds[sequence[i]]) {
      i++;
      continue;
    }
    const start = i;
    while (i < sequence.length && holds[sequence[i]]) i++;
    runs.push({ start, end: i });
  }
  return runs;
}

export const totalLength = (intervals: Iterable<Interval>): number => { let sum = 0; for (const { start, end } of intervals) sum += end - start; return sum; };
