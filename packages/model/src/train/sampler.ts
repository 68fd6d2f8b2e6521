// In which order a training run meets its sequences, and how they fill its steps. Every order spends the same budget: the same number of tokens at every step, so that
// a warm-up of the sequence length is no warm-up of the batch size.
import { createRandom } from '@genomelm/kernels';
import { randomStream } from '../batch';

/** What an order may look at. */
export interface SequenceLengths {
  /** In tokens. */
  readonly lengths: ArrayLike<number>;
  /** The species of each sequence, or any other group. */
  readonly groups?: ArrayLike<number> | undefined;
}

/** Tokens `start` to `end` of a sequence. */
export interface Piece {
  readonly sequence: number;
  readonly start: number;
  readonly end: number;
}

/** One pass over all sequences. `progress` tells which share of the budget is spent when a piece is asked for. */
export type Sampler = (corpus: SequenceLengths, options: { readonly seed: number; readonly epoch: number; progress(): number }) => Iterable<Piece>;

const whole = ({ lengths }: SequenceLengths, sequence: number): Piece => ({ sequence, start: 0, end: lengths[sequence] });

const shuffled = ({ lengths }: SequenceLengths, seed: number, epoch: number): number[] =>
  createRandom(seed, randomStream.order + epoch).shuffle(Array.from(lengths, (_, i) => i));

/** Lengths of one bucket count as equal where species are put in order: a tenth of an octave. */
const bucketOf = (length: number): number => Math.round(10 * Math.log2(length));

/** The first pass in order of length; afterwards, with all lengths seen, at random. */
const ascending = (compareEqual: (corpus: SequenceLengths) => (a: number, b: number) => number): Sampler => (corpus, { seed, epoch }) => {
  const order = shuffled(corpus, seed, epoch);
  if (epoch === 0) {
    const { lengths } = corpus;
    const tie = compareEqual(corpus);
    order.sort((a, b) => bucketOf(lengths[a]) - bucketOf(lengths[b]) || tie(a, b));
  }
  return order.map((i) => whole(corpus, i));
};

/** How long truncation goes on, as a share of the budget, and where it begins. */
const truncationShare = 0.3;
const shortest = 64;

export const samplers = {
  /** Every pass in a random order. */
  random: (corpus, { seed, epoch }) => shuffled(corpus, seed, epoch).map((i) => whole(corpus, i)),
  /** Random, but within windows of 4,096 sequences sorted by length: what others do to save padding. */
  'length-grouped': (corpus, { seed, epoch }) => {
    const { lengths } = corpus;
    const order = shuffled(corpus, seed, epoch);
    const windows = Array.from({ length: Math.ceil(order.length / 4096) }, (_, i) => order.slice(4096 * i, 4096 * (i + 1)).sort((a, b) => lengths[a] - lengths[b]));
    // Groups of 64 neighbours are shuffled, so that lengths do not rise through each window.
    const groups = windows.flatMap((window) => Array.from({ length: Math.ceil(window.length / 64) }, (_, i) => window.slice(64 * i, 64 * (i + 1))));
    return createRandom(seed, randomStream.order + 0x800_0000 + epoch).shuffle(groups).flat().map((i) => whole(corpus, i));
  },
  /** dnaGrinder's sequence length warm-up (arXiv 2409.15697): short sequences first, and of one length species by species. */
  'length-warmup': ascending(({ groups }) => (a, b) => (groups ? groups[a] - groups[b] : 0)),
  /** Its control: short sequences first, species mixed. */
  'length-warmup-mixed': ascending(() => () => 0),
  /** Random order; sequences are cut to a length that grows in proportion from 64 to the longest, over the first 30 % of the budget. What is cut off are sequences too. */
  truncation: function* (corpus, { seed, epoch, progress }) {
    const longest = Array.from(corpus.lengths).reduce((a, b) => Math.max(a, b), 1);
    for (const sequence of shuffled(corpus, seed, epoch)) {
      for (let start = 0; start < corpus.lengths[sequence];) {
        const limit = Math.max(Math.min(shortest, longest), Math.ceil(longest * Math.min(1, progress() / truncationShare)));
        const end = Math.min(start + limit, corpus.lengths[sequence]);
        yield { sequence, start, end };
        start = end;
      }
    }
  },
} as const satisfies Record<string, Sampler>;

export type SamplerName = keyof typeof samplers;

export interface StepPlan {
  readonly sampler: SamplerName;
  readonly tokensPerStep: number;
  readonly steps: number;
  readonly seed: number;
}

/**
 * The pieces of every step, exactly `tokensPerStep` tokens each. A sequence that crosses a step's end is cut there, and its rest begins the next step; pieces of one token are left out, for nothing can be learnt from them.
 * The plan depends on its arguments alone, so a run that was interrupted goes on by skipping what it had done.
 */
export function* planSteps(corpus: SequenceLengths, { sampler, tokensPerStep, steps, seed }: StepPlan): Generator<readonly Piece[], void, undefined> {
  let done = 0;
  let step: Piece[] = [];
  let room = tokensPerStep;
  for (let epoch = 0; done < steps; epoch++) {
    const before = done;
    const roomBefore = room;
    for (const { sequence, start, end } of samplers[sampler](corpus, { seed, epoch, progress: () => (done + 1 - room / tokensPerStep) / steps })) {
      for (let from = start; from < end && done < steps;) {
        const to = Math.min(end, from + room);
        if (to - from > 1 || room === 1) {
          step.push({ sequence, start: from, end: to });
          room -= to - from;
        }
        from = to;
        if (room > 0) continue;
        yield step;
        done++;
        step = [];
        room = tokensPerStep;
      }
      if (done >= steps) return;
    }
    if (done === before && room === roomBefore) throw new RangeError('pretrain: expected sequences of at least 2 tokens, got none; give it a corpus');
  }
}
