import { reverseComplement } from './sequence';
import { createRandom } from './simulate/random';

export interface WindowOptions {
  /** Bases a window. */
  readonly length: number;
  /** Bases from one window to the next; default `length`, windows side by side. */
  readonly step?: number;
  /** Cut each window to this many bases at a place drawn at random (12,200 to 12,000 in dnaGrinder); default: not cut. */
  readonly crop?: number;
  /** What becomes of the rest at the end that fills no window: `drop` (default), `keep` it as a shorter window, or `shift` the last window back so that it ends with the sequence. */
  readonly rest?: 'drop' | 'keep' | 'shift';
  /** `forward` (default), `random` complements every window with probability 1/2, `both` gives each on both strands. */
  readonly strands?: 'forward' | 'random' | 'both';
  /** Needed for `crop` and `random`; the same seed and name give the same windows. */
  readonly seed?: number;
  /** Of the sequence: streams of random numbers differ by it. */
  readonly name?: string;
}

export interface SequenceWindow {
  /** 0-based, on the sequence as it was passed. */
  readonly start: number;
  /** Half-open. */
  readonly end: number;
  readonly strand: '+' | '-';
  /** A view on `+`, a copy on `-`. */
  readonly sequence: Uint8Array;
}

/**
 * Windows of `sequence` from left to right. Random draws belong to the window's number, so any window can be made again alone.
 * @throws RangeError for lengths that are no whole numbers of 1 or more, a crop longer than the window, random draws without a seed.
 */
export function* slidingWindows(sequence: Uint8Array, options: WindowOptions): Generator<SequenceWindow, void, undefined> {
  const { length, step = length, crop = length, rest = 'drop', strands = 'forward', seed, name = '' } = options;
  if (![length, step, crop].every((value) => Number.isSafeInteger(value) && value >= 1) || crop > length) throw new RangeError(`slidingWindows: expected whole numbers of 1 or more with crop <= length, got length ${length}, step ${step}, crop ${crop}; round them`);
  if (!['drop', 'keep', 'shift'].includes(rest) || !['forward', 'random', 'both'].includes(strands)) throw new TypeError(`slidingWindows: expected rest drop, keep or shift and strands forward, random or both, got ${rest} and ${strands}; leave them out for the defaults`);
  if (seed === undefined && (crop < length || strands === 'random')) throw new RangeError('slidingWindows: expected a seed for random crops and strands, got none; pass one, so that the windows can be made again');
  let number = 0;
  for (const { start, end } of places(sequence.length, length, step, rest)) {
    const random = createRandom(seed ?? 0, `window ${name}`, number++);
    const spare = Math.max(0, end - start - crop);
    const from = start + (spare > 0 ? random.below(spare + 1) : 0);
    const to = Math.min(end, from + crop);
    const complement = strands === 'random' && random.uniform() < 0.5;
    const bases = sequence.subarray(from, to);
    if (!complement) yield { start: from, end: to, strand: '+', sequence: bases };
    if (complement || strands === 'both') yield { start: from, end: to, strand: '-', sequence: reverseComplement(bases) };
  }
}

function* places(total: number, length: number, step: number, rest: NonNullable<WindowOptions['rest']>) {
  let start = 0;
  let covered = 0;
  for (; start + length <= total; start += step) {
    yield { start, end: start + length };
    covered = start + length;
  }
  if (covered === total || rest === 'drop') return;
  if (rest === 'shift' && total >= length) yield { start: total - length, end: total };
  else if (rest === 'keep' && start < total) yield { start, end: total };
}
